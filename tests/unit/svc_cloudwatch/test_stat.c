/* Statistics of tallies, by name. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/cloudwatch/cw_stat.h"

/* Of the numbers from 1 to 10, and 100; NAN: nothing to say. */
static const struct {
    const char *name;
    double want;
} rows[] = {
    {"SampleCount", 11},
    {"Sum", 155},
    {"Average", 155 / 11.0},
    {"Minimum", 1},
    {"Maximum", 100},
    {"p0", 1},
    {"p50", 6},
    {"P50", 6},
    {"p90", 10},
    {"p91", 100},
    {"p100", 100},
    {"p9.1", 2},
    {"TM(:50)", 5.5},
    {"TM(2:5)", 4},
    {"TM(200:)", NAN},
    {"tm100", 155 / 11.0},
    {"TM(0%:100%)", 155 / 11.0},
    {"TC(2:5)", 3},
    {"TS(2:5)", 12},
    {"TC(:5)", 5},
    {"TS(:5)", 15},
    {"TC(5:)", 6},
    {"PR(:5)", 500 / 11.0},
    {"PR(2:5)", 300 / 11.0},
    {"PR(5:)", 600 / 11.0},
    {"WM(2:5)", (2 * 2 + 3 + 4 + 5 + 6 * 5) / 11.0},
    {"wm100", 155 / 11.0},
    {"ts100", 155},
    {"tc100", 11},
};

static void put_all(struct tally *t)
{
    for (int i = 1; i <= 10; i++)
        assert_int_equal(tally_add(t, i, 1), ERR_OK);
    assert_int_equal(tally_add(t, 100, 1), ERR_OK);
}

static void values(void **state)
{
    struct tally t;
    tally_init(&t, NULL);
    put_all(&t);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cw_stat s;
        double v = NAN;
        if (cw_stat_parse(str_c(rows[i].name), &s) != ERR_OK)
            fail_msg("%s is not taken", rows[i].name);
        enum err err = cw_stat_of(&s, &t, &v);
        if (isnan(rows[i].want) ? err != ERR_NOT_FOUND
                                : err != ERR_OK || fabs(v - rows[i].want) > 1e-9)
            fail_msg("%s is %g, not %g", rows[i].name, v, rows[i].want);
    }
    tally_release(&t);
}

/* The middle half: of eight values four; a bound may lie within a value's weight. */
static void by_place(void **state)
{
    struct tally t;
    struct cw_stat s;
    double v;
    tally_init(&t, NULL);
    for (int i = 1; i <= 8; i++)
        assert_int_equal(tally_add(&t, i, 1), ERR_OK);
    assert_int_equal(cw_stat_parse(STR("IQM"), &s), ERR_OK);
    assert_int_equal(cw_stat_of(&s, &t, &v), ERR_OK);
    assert_float_equal(v, (3 + 4 + 5 + 6) / 4.0, 1e-9);
    assert_int_equal(cw_stat_parse(STR("tm25"), &s), ERR_OK);
    assert_int_equal(cw_stat_of(&s, &t, &v), ERR_OK);
    assert_float_equal(v, 1.5, 1e-9);
    assert_int_equal(cw_stat_parse(STR("TC(10%:90%)"), &s), ERR_OK);
    assert_int_equal(cw_stat_of(&s, &t, &v), ERR_OK);
    assert_float_equal(v, 6.4, 1e-9);
    assert_int_equal(cw_stat_parse(STR("WM(25%:75%)"), &s), ERR_OK);
    assert_int_equal(cw_stat_of(&s, &t, &v), ERR_OK);
    assert_float_equal(v, (2 * 2 + 3 + 4 + 5 + 6 + 2 * 6) / 8.0, 1e-9);
    tally_release(&t);
}

/* A thousand of weight 1 behind one value, and 99.9 per cent of them. */
static void weights(void **state)
{
    struct tally t;
    struct cw_stat s;
    double v;
    tally_init(&t, NULL);
    assert_int_equal(tally_add(&t, 5, 999), ERR_OK);
    assert_int_equal(tally_add(&t, 7, 1), ERR_OK);
    assert_int_equal(cw_stat_parse(STR("p99.9"), &s), ERR_OK);
    assert_int_equal(cw_stat_of(&s, &t, &v), ERR_OK);
    assert_true(v == 5);
    assert_int_equal(cw_stat_parse(STR("p99.95"), &s), ERR_OK);
    assert_int_equal(cw_stat_of(&s, &t, &v), ERR_OK);
    assert_true(v == 7);
    tally_release(&t);
}

/* Values that came as sums say nothing of their spread, unless all are one. */
static void sums_only(void **state)
{
    struct tally t;
    struct cw_stat average, median;
    double v;
    assert_int_equal(cw_stat_parse(STR("Average"), &average), ERR_OK);
    assert_int_equal(cw_stat_parse(STR("p50"), &median), ERR_OK);
    assert_false(cw_stat_extended(&average));
    assert_true(cw_stat_extended(&median));
    tally_init(&t, NULL);
    assert_int_equal(cw_stat_of(&average, &t, &v), ERR_NOT_FOUND);
    assert_int_equal(tally_add_set(&t, 3, 12, 4, 4), ERR_OK);
    assert_int_equal(cw_stat_of(&median, &t, &v), ERR_OK);
    assert_true(v == 4);
    assert_int_equal(tally_add_set(&t, 2, 12, 4, 8), ERR_OK);
    assert_int_equal(cw_stat_of(&median, &t, &v), ERR_NOT_FOUND);
    assert_int_equal(cw_stat_of(&average, &t, &v), ERR_OK);
    assert_float_equal(v, 24 / 5.0, 1e-9);
    tally_release(&t);
}

static void names(void **state)
{
    static const char *const bad[] = {
        "",          "average", "p",         "p101",    "p-1",      "p1.12345678901",
        "px",        "q50",     "pr50",      "TM",      "TM()",     "TM(1)",
        "TM(:)",     "TM(1:2",  "TM(2:1)",   "TM(1:1)", "TM(1%:2)", "TM(a:b)",
        "PR(1%:2%)", "P(1:2)",  "TM(:101%)", "tm",
    };
    struct cw_stat s;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (cw_stat_parse(str_c(bad[i]), &s) != ERR_INVALID)
            fail_msg("%s is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),    cmocka_unit_test(by_place), cmocka_unit_test(weights),
        cmocka_unit_test(sums_only), cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
