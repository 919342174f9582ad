/* The functions' own metrics ("AWS/Lambda"): of all of them, by FunctionName, and by that and Resource (the
 * function with its qualifier).
 *
 * Layer: svc/lambda. Thread: the home loop. Source: Lambda Developer Guide, "Types of metrics for Lambda
 * functions". */
#include "core/measure.h"
#include "svc/lambda/lambda_int.h"

enum { RESOURCE_MAX = 256, PER_CENT = 100, NS_PER_MS = 1000 * 1000 };

/* From the sums of so many dimensions: 0 is of all functions. */
static void put_from(struct core *core, const struct lambda_name *fn, size_t n_dims,
                     struct str name, enum measure_unit unit, double value)
{
    char text[RESOURCE_MAX];
    bool qualified = str_is_set(fn->qualifier) && !str_eq_c(fn->qualifier, "$LATEST");
    int n = snprintf(text, sizeof(text), STR_FMT "%s" STR_FMT, STR_ARG(fn->name),
                     qualified ? ":" : "", STR_ARG(qualified ? fn->qualifier : STR("")));
    const struct measure_dim dims[] = {
        {STR("FunctionName"), fn->name},
        {STR("Resource"), str_n(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1)},
    };
    for (size_t d = n_dims; d <= ARRAY_LEN(dims); d++) {
        const struct measure what = {fn->scope.region, STR("AWS/Lambda"), dims, d,
                                     fn->scope.account};
        measure_put(core, &what, name, unit, value);
    }
}

static void put(struct core *core, const struct lambda_fn *fn, struct str name,
                enum measure_unit unit, double value)
{
    put_from(core, &fn->name, 0, name, unit, value);
}

static void put_provisioned(struct core *core, const struct lambda_fn *fn,
                            const struct lambda_ended *ended)
{
    if (!ended->provisioned) {
        put_from(core, &fn->name, 1, STR("ProvisionedConcurrencySpilloverInvocations"),
                 MEASURE_COUNT, 1);
        return;
    }
    double busy = (double)ended->warm_busy, wanted = (double)ended->warm_wanted;
    put_from(core, &fn->name, 1, STR("ProvisionedConcurrencyInvocations"), MEASURE_COUNT, 1);
    put_from(core, &fn->name, 1, STR("ProvisionedConcurrentExecutions"), MEASURE_COUNT, busy);
    put_from(core, &fn->name, 1, STR("ProvisionedConcurrencyUtilization"), MEASURE_PER_CENT,
             busy * PER_CENT / wanted);
}

void lambda_measure_url(struct core *core, const struct lambda_name *name, int status,
                        int64_t duration_ns)
{
    put_from(core, name, 1, STR("UrlRequestCount"), MEASURE_COUNT, 1);
    put_from(core, name, 1, STR("Url4xxCount"), MEASURE_COUNT, status / 100 == 4);
    put_from(core, name, 1, STR("Url5xxCount"), MEASURE_COUNT, status / 100 == 5);
    put_from(core, name, 1, STR("UrlRequestLatency"), MEASURE_MILLISECONDS,
             (double)duration_ns / NS_PER_MS);
}

void lambda_measure_end(struct core *core, const struct lambda_fn *fn,
                        const struct lambda_ended *ended)
{
    const struct measure all = {fn->name.scope.region, STR("AWS/Lambda"), NULL, 0,
                                fn->name.scope.account};
    if (!measure_wanted(core))
        return;
    put(core, fn, STR("Invocations"), MEASURE_COUNT, 1);
    put(core, fn, STR("Errors"), MEASURE_COUNT, ended->failed);
    put(core, fn, STR("Throttles"), MEASURE_COUNT, 0);
    put(core, fn, STR("Duration"), MEASURE_MILLISECONDS, (double)ended->duration_us / 1000);
    put(core, fn, STR("ConcurrentExecutions"), MEASURE_COUNT, (double)ended->concurrent);
    measure_put(core, &all, STR("UnreservedConcurrentExecutions"), MEASURE_COUNT,
                (double)ended->unreserved);
    if (ended->warm_wanted > 0)
        put_provisioned(core, fn, ended);
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
    s->fn.name.scope.account = str_dup(txn->arena, fn->name.scope.account);
    if (!str_is_set(s->fn.name.name) || !str_is_set(s->fn.name.scope.region) ||
        !str_is_set(s->fn.name.scope.account))
        return ERR_NOMEM;
    return txn_on_commit(txn, committed, s);
}
