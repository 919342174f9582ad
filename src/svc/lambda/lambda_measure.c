/* The functions' own metrics ("AWS/Lambda"): of all of them, by FunctionName, and by that and Resource (the
 * function with its qualifier).
 *
 * Layer: svc/lambda. Thread: the home loop. Source: Lambda Developer Guide, "Types of metrics for Lambda
 * functions". */
#include "core/measure.h"
#include "svc/lambda/lambda_int.h"

enum { RESOURCE_MAX = 256 };

static void put(struct core *core, const struct lambda_fn *fn, struct str name,
                enum measure_unit unit, double value)
{
    char text[RESOURCE_MAX];
    bool qualified = str_is_set(fn->name.qualifier) && !str_eq_c(fn->name.qualifier, "$LATEST");
    int n = snprintf(text, sizeof(text), STR_FMT "%s" STR_FMT, STR_ARG(fn->name.name),
                     qualified ? ":" : "", STR_ARG(qualified ? fn->name.qualifier : STR("")));
    const struct measure_dim dims[] = {
        {STR("FunctionName"), fn->name.name},
        {STR("Resource"), str_n(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1)},
    };
    for (size_t d = 0; d <= ARRAY_LEN(dims); d++) {
        const struct measure what = {fn->name.scope.region, STR("AWS/Lambda"), dims, d};
        measure_put(core, &what, name, unit, value);
    }
}

void lambda_measure_end(struct core *core, const struct lambda_fn *fn,
                        const struct lambda_ended *ended)
{
    const struct measure all = {fn->name.scope.region, STR("AWS/Lambda"), NULL, 0};
    if (!measure_wanted(core))
        return;
    put(core, fn, STR("Invocations"), MEASURE_COUNT, 1);
    put(core, fn, STR("Errors"), MEASURE_COUNT, ended->failed);
    put(core, fn, STR("Throttles"), MEASURE_COUNT, 0);
    put(core, fn, STR("Duration"), MEASURE_MILLISECONDS, (double)ended->duration_us / 1000);
    put(core, fn, STR("ConcurrentExecutions"), MEASURE_COUNT, (double)ended->concurrent);
    measure_put(core, &all, STR("UnreservedConcurrentExecutions"), MEASURE_COUNT,
                (double)ended->unreserved);
}

void lambda_measure_one(struct core *core, const struct lambda_fn *fn, struct str name)
{
    if (measure_wanted(core))
        put(core, fn, name, MEASURE_COUNT, 1);
}

void lambda_measure_age(struct core *core, const struct lambda_fn *fn, struct str name,
                        int64_t age_ms)
{
    if (measure_wanted(core))
        put(core, fn, name, MEASURE_MILLISECONDS, (double)max_i64(age_ms, 0));
}

struct staged {
    struct core *core;
    struct lambda_fn fn; /* of it, what `put` looks at */
    struct str name;
};

static void committed(void *arg)
{
    const struct staged *s = arg;
    put(s->core, &s->fn, s->name, MEASURE_COUNT, 1);
}

enum err lambda_measure_staged(struct txn *txn, const struct lambda_fn *fn, struct str name)
{
    if (!measure_wanted(txn->core))
        return ERR_OK;
    struct staged *s = ARENA_NEW(txn->arena, struct staged);
    if (!s)
        return ERR_NOMEM;
    s->core = txn->core;
    s->name = name;
    s->fn.name = fn->name;
    s->fn.name.name = str_dup(txn->arena, fn->name.name);
    s->fn.name.qualifier = str_dup(txn->arena, fn->name.qualifier);
    s->fn.name.scope.region = str_dup(txn->arena, fn->name.scope.region);
    if (!str_is_set(s->fn.name.name) || !str_is_set(s->fn.name.scope.region))
        return ERR_NOMEM;
    return txn_on_commit(txn, committed, s);
}
