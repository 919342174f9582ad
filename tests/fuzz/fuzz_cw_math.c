/* Metric math: what parses can be evaluated, and gives numbers in the order of time. */
// link: weir_svc_cloudwatch
#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "svc/cloudwatch/cw_math.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t moments[] = {60000, 120000, 180000, 300000};
static double values[] = {1, -2, 0, 1e300};
static struct cw_series series[] = {
    {.id = STR_INIT("m1"), .period_ms = 60000, .n = 4, .at_ms = moments, .v = values},
    {.id = STR_INIT("n1"), .period_ms = 60000, .n = 3, .at_ms = moments + 1, .v = values},
};

static enum err lookup(void *arg, struct str name, struct cw_value *ret)
{
    *ret = (struct cw_value){.kind = CW_SERIES, .v = &series[name.len % 2], .n = 1};
    return ERR_OK;
}

static enum err metrics(void *arg, struct str part, struct cw_value *ret)
{
    *ret = (struct cw_value){.kind = CW_ARRAY, .v = series, .n = 2};
    return ERR_OK;
}

static enum err search(void *arg, struct str text, struct str stat, double period_s,
                       struct cw_value *ret)
{
    return metrics(arg, text, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct cw_math math;
    struct cw_value v;
    struct str why;
    arena_init(&a, 64 << 20);
    struct cw_math_world w = {.a = &a,
                              .lookup = lookup,
                              .metrics = metrics,
                              .search = search,
                              .to_ms = 360000,
                              .period_ms = 60000};
    enum err err = cw_math_parse(&a, str_n((const char *)data, size), &math, &why);
    assert(err != ERR_INVALID || str_is_set(why));
    if (err == ERR_OK && cw_math_eval(&math, &w, &v) == ERR_OK)
        for (size_t i = 0; (v.kind == CW_SERIES || v.kind == CW_ARRAY) && i < v.n; i++)
            for (size_t k = 0; k < v.v[i].n; k++) {
                assert(isfinite(v.v[i].v[k]));
                assert(k == 0 || v.v[i].at_ms[k - 1] < v.v[i].at_ms[k]);
            }
    arena_release(&a);
    return 0;
}
