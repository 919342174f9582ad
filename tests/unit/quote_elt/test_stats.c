/* The statistics' query and line; limits of the data's quality. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats.h"

enum { ARENA_BYTES = 4 << 20, OUT_MAX = 1 << 20, AUTHOR = 2, LENGTH = 6 };

static void test_sql(void **state)
{
    struct arena a;
    struct buf b;
    arena_init(&a, ARENA_BYTES);
    buf_init_arena(&b, &a, OUT_MAX);
    stats_sql(&b, "t");
    struct str sql = buf_str(&b);
    assert_true(str_starts(
        sql,
        STR("SELECT CAST(count(quote_id) AS VARCHAR), CAST(count(DISTINCT quote_id) AS VARCHAR), "
            "CAST(min(quote_id) AS VARCHAR), CAST(max(quote_id) AS VARCHAR), CAST(NULL AS "
            "VARCHAR), "
            "CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), "
            "CAST(count(*) - count(quote_id) AS VARCHAR), 0 AS place FROM t UNION ALL SELECT ")));
    assert_true(
        str_find_str(sql, STR("CAST(max(added_on) - min(added_on) AS VARCHAR), CAST(NULL AS")) <
        sql.len);
    assert_true(str_find_str(sql, STR("CAST(round(var_samp(tag_count), 6) AS VARCHAR), "
                                      "CAST(round(stddev_samp(tag_count), 6) AS VARCHAR)")) <
                sql.len);
    assert_true(str_ends(sql, STR(", 8 AS place FROM t ORDER BY place")));
    arena_release(&a);
}

static struct stats some(void)
{
    struct stats s = {.rows = 12};
    s.of[AUTHOR][STAT_COUNT] = STR("10");
    s.of[AUTHOR][STAT_MIN] = STR("A \"B\"");
    s.of[AUTHOR][STAT_NULLS] = STR("2");
    s.of[LENGTH][STAT_MAX] = STR("70");
    s.of[LENGTH][STAT_MEAN] = STR("41.25");
    return s;
}

static void test_line(void **state)
{
    struct arena a;
    struct buf b;
    struct json_out o;
    struct stats s = some();
    arena_init(&a, ARENA_BYTES);
    buf_init_arena(&b, &a, OUT_MAX);
    json_out_init(&o, &b);
    stats_put(&o, &s);
    assert_true(
        str_find_str(
            buf_str(&b),
            STR("\"author\":{\"count\":10,\"distinct\":null,\"min\":\"A \\\"B\\\"\",\"max\":null,"
                "\"range\":null,\"mean\":null,\"variance\":null,\"standard_deviation\":null,"
                "\"nulls\":2},")) < b.len);
    assert_true(str_find_str(buf_str(&b), STR("\"max\":70,\"range\":null,\"mean\":41.25,")) <
                b.len);
    arena_release(&a);
}

static void test_limits(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* what the limit that fails says; "" it is kept; or !sentence */
    } rows[] = {
        {"[]", ""},
        {"[{\"statistic\":\"rows\",\"min\":12,\"max\":12}]", ""},
        {"[{\"statistic\":\"rows\",\"min\":13}]",
         "{\"statistic\":\"rows\",\"value\":12,\"min\":13}"},
        {"[{\"statistic\":\"rows\",\"max\":11.5}]",
         "{\"statistic\":\"rows\",\"value\":12,\"max\":11.5}"},
        {"[{\"column\":\"author\",\"statistic\":\"nulls\",\"max\":2}]", ""},
        {"[{\"column\":\"author\",\"statistic\":\"nulls\",\"max\":1}]",
         "{\"column\":\"author\",\"statistic\":\"nulls\",\"value\":2,\"max\":1}"},
        {"[{\"column\":\"quote_length\",\"statistic\":\"mean\",\"min\":50,\"max\":60}]",
         "{\"column\":\"quote_length\",\"statistic\":\"mean\",\"value\":41.25,\"min\":50,\"max\":"
         "60}"},
        {"[{\"column\":\"quote_length\",\"statistic\":\"min\",\"min\":50}]", ""}, /* no value */
        {"[{\"column\":\"added_on\",\"statistic\":\"range\",\"max\":1}]", ""},
        {"{}", "!limits are a JSON list, of at most 10"},
        {"[", "!limits are a JSON list, of at most 10"},
        {"[1,1,1,1,1,1,1,1,1,1,1]", "!limits are a JSON list, of at most 10"},
        {"[1]", "!limit 1: there is no such statistic"},
        {"[{\"statistic\":\"median\",\"min\":1}]", "!limit 1: there is no such statistic"},
        {"[{\"statistic\":\"rows\",\"column\":\"author\",\"min\":1}]",
         "!limit 1: rows are of no column"},
        {"[{\"statistic\":\"mean\",\"min\":1}]", "!limit 1: there is no such column"},
        {"[{\"statistic\":\"mean\",\"column\":\"x\",\"min\":1}]",
         "!limit 1: there is no such column"},
        {"[{\"statistic\":\"mean\",\"column\":\"author\",\"min\":1}]",
         "!limit 1: the column has no such number"},
        {"[{\"statistic\":\"min\",\"column\":\"added_on\",\"min\":1}]",
         "!limit 1: the column has no such number"},
        {"[{\"statistic\":\"rows\",\"min\":\"1\"}]", "!limit 1: min and max are numbers"},
        {"[{\"statistic\":\"rows\",\"min\":1},{\"statistic\":\"rows\"}]",
         "!limit 2: it has neither min nor max"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct buf b;
        struct json_out o;
        struct limit limits[LIMITS_MAX];
        struct stats s = some();
        struct str why = STR_NONE;
        size_t n = 0;
        arena_init(&a, ARENA_BYTES);
        buf_init_arena(&b, &a, OUT_MAX);
        json_out_init(&o, &b);
        if (limits_read(&a, str_c(rows[i].text), limits, &n, &why) != ERR_OK)
            buf_add_fmt(&b, "!" STR_FMT, STR_ARG(why));
        for (size_t l = 0; l < n; l++) {
            if (limit_kept(&limits[l], &s))
                continue;
            json_open(&o, '{');
            limit_put(&o, &limits[l], &s);
            json_close(&o, '}');
        }
        if (!str_eq_c(buf_str(&b), rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(buf_str(&b)));
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sql),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
