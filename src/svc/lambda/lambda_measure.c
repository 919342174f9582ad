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

void lambda_measure_end(struct core *core, const struct lambda_fn *fn, bool failed,
                        int64_t duration_us, size_t concurrent)
{
    if (!measure_wanted(core))
        return;
    put(core, fn, STR("Invocations"), MEASURE_COUNT, 1);
    put(core, fn, STR("Errors"), MEASURE_COUNT, failed);
    put(core, fn, STR("Throttles"), MEASURE_COUNT, 0);
    put(core, fn, STR("Duration"), MEASURE_MILLISECONDS, (double)duration_us / 1000);
    put(core, fn, STR("ConcurrentExecutions"), MEASURE_COUNT, (double)concurrent);
}

void lambda_measure_throttle(struct core *core, const struct lambda_fn *fn)
{
    if (measure_wanted(core))
        put(core, fn, STR("Throttles"), MEASURE_COUNT, 1);
}
