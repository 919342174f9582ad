/* Items as Amazon Ion text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "svc/dynamodb/ddb_ion.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void test_values(void **state)
{
    static const struct {
        const char *json, *ion;
    } rows[] = {
        {"{\"S\":\"\"}", "\"\""},
        {"{\"S\":\"a\\\"b\\\\c\"}", "\"a\\\"b\\\\c\""},
        {"{\"S\":\"l\\n\\r\\t\\u0001\\u007f\"}", "\"l\\n\\r\\t\\x01\\x7f\""},
        {"{\"S\":\"it's \\u00fc\"}", "\"it's \xc3\xbc\""},
        {"{\"N\":\"0\"}", "0."},
        {"{\"N\":\"-0\"}", "0."},
        {"{\"N\":\"103\"}", "103."},
        {"{\"N\":\"-103\"}", "-103."},
        {"{\"N\":\"600\"}", "6d2"},
        {"{\"N\":\"2000\"}", "2d3"},
        {"{\"N\":\"1.50\"}", "1.5"},
        {"{\"N\":\"-0.001\"}", "-0.001"},
        {"{\"N\":\"0.0000001\"}", "1d-7"},
        {"{\"N\":\"0.000001\"}", "0.000001"},
        {"{\"N\":\"0.00000012\"}", "12d-8"},
        {"{\"N\":\"1e125\"}", "1d125"},
        {"{\"N\":\"1e-130\"}", "1d-130"},
        {"{\"N\":\"12345678901234567890123456789012345678\"}",
         "12345678901234567890123456789012345678."},
        {"{\"B\":\"AAE=\"}", "{{AAE=}}"},
        {"{\"BOOL\":true}", "true"},
        {"{\"BOOL\":false}", "false"},
        {"{\"NULL\":true}", "null"},
        {"{\"SS\":[\"a\",\"b\"]}", "$dynamodb_SS::[\"a\",\"b\"]"},
        {"{\"NS\":[\"10\",\"1.5\"]}", "$dynamodb_NS::[1d1,1.5]"},
        {"{\"BS\":[\"AA==\"]}", "$dynamodb_BS::[{{AA==}}]"},
        {"{\"L\":[]}", "[]"},
        {"{\"L\":[{\"N\":\"1\"},{\"L\":[{\"NULL\":true}]}]}", "[1.,[null]]"},
        {"{\"M\":{}}", "{}"},
        {"{\"M\":{\"a\":{\"M\":{\"b\":{\"S\":\"c\"}}},\"d\":{\"N\":\"1\"}}}", "{a:{b:\"c\"},d:1.}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ddb_diag diag = {.arena = &arena};
        struct json *json;
        struct ddb_av *av;
        struct buf b;
        buf_init_arena(&b, &arena, 4096);
        assert_int_equal(json_parse(&arena, str_c(rows[i].json), &json, NULL), ERR_OK);
        assert_int_equal(ddb_av_from_json(&diag, json, &av), ERR_OK);
        ddb_ion_put(&b, av);
        assert_int_equal(buf_err(&b), ERR_OK);
        if (!str_eq_c(buf_str(&b), rows[i].ion))
            fail_msg("%s: %s expected, not " STR_FMT, rows[i].json, rows[i].ion,
                     STR_ARG(buf_str(&b)));
    }
}

static void test_names(void **state)
{
    static const char *const rows[][2] = {
        {"a", "a"},
        {"_a1", "_a1"},
        {"A.b", "'A.b'"},
        {"1a", "'1a'"},
        {"", "''"},
        {"null", "'null'"},
        {"nan", "'nan'"},
        {"true", "'true'"},
        {"nulls", "nulls"},
        {"$", "$"},
        {"$a", "$a"},
        {"$10", "'$10'"},
        {"it's", "'it\\'s'"},
        {"a b\n", "'a b\\n'"},
        {"\xc3\xbc", "'\xc3\xbc'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init_arena(&b, &arena, 4096);
        ddb_ion_put_name(&b, str_c(rows[i][0]));
        if (!str_eq_c(buf_str(&b), rows[i][1]))
            fail_msg("%s: %s expected, not " STR_FMT, rows[i][0], rows[i][1], STR_ARG(buf_str(&b)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
