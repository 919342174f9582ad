/* json.h: the parser against its own table and the shared JSON texts, the writer, numbers. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/json.h"

#ifndef SHARED_DATA
#define SHARED_DATA ""
#endif

static struct str parse_and_write(struct arena *a, struct str text, enum err *ret_err,
                                  size_t *ret_at)
{
    struct json *v = NULL;
    *ret_err = json_parse(a, text, &v, ret_at);
    if (*ret_err != ERR_OK)
        return STR_NONE;
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    json_put(&b, v);
    assert_int_equal(buf_err(&b), ERR_OK);
    return buf_str(&b);
}

static void test_parse(void **state)
{
    static const struct {
        const char *name, *text;
        enum err err;
        const char *out; /* compact text, or NULL: same as text */
        size_t at;       /* of a fault */
    } rows[] = {
        {"null", "null", ERR_OK, NULL, 0},
        {"true", " true ", ERR_OK, "true", 0},
        {"object", "{ \"a\" : 1 , \"b\":[ ] }", ERR_OK, "{\"a\":1,\"b\":[]}", 0},
        {"nested", "[[[[]],{}],{\"a\":{\"b\":[1,2]}}]", ERR_OK, NULL, 0},
        {"number kept as text", "[1.50,-0,1E+2,123456789012345678901234567890]", ERR_OK, NULL, 0},
        {"escapes", "\"\\u0041\\n\\/\\\"\\\\\\u00e9\"", ERR_OK, "\"A\\n/\\\"\\\\\xc3\xa9\"", 0},
        {"surrogate pair", "\"\\ud83d\\ude00\"", ERR_OK, "\"\xf0\x9f\x98\x80\"", 0},
        {"nul escape", "\"a\\u0000b\"", ERR_OK, "\"a\\u0000b\"", 0},
        {"escape behind a long run", "\"0123456789abcdef0123456789abcdef\\t\"", ERR_OK, NULL, 0},
        {"utf-8 behind a long run", "\"0123456789abcdef\xe2\x82\xac\"", ERR_OK, NULL, 0},
        {"duplicates stay", "{\"a\":1,\"a\":2}", ERR_OK, NULL, 0},
        {"empty", "", ERR_INVALID, NULL, 0},
        {"only space", "  ", ERR_INVALID, NULL, 2},
        {"trailing comma", "[1,]", ERR_INVALID, NULL, 3},
        {"trailing text", "{} x", ERR_INVALID, NULL, 3},
        {"two values", "1 2", ERR_INVALID, NULL, 2},
        {"leading zero", "01", ERR_INVALID, NULL, 1},
        {"plus", "+1", ERR_INVALID, NULL, 0},
        {"bare minus", "-", ERR_INVALID, NULL, 1},
        {"no fraction", "1.", ERR_INVALID, NULL, 2},
        {"no exponent", "1e", ERR_INVALID, NULL, 2},
        {"NaN", "NaN", ERR_INVALID, NULL, 0},
        {"short word", "tru", ERR_INVALID, NULL, 0},
        {"unclosed string", "\"abc", ERR_INVALID, NULL, 4},
        {"control in string", "\"a\nb\"", ERR_INVALID, NULL, 2},
        {"bad escape", "\"\\x\"", ERR_INVALID, NULL, 2},
        {"lone high surrogate", "\"\\ud83d\"", ERR_INVALID, NULL, 7},
        {"lone low surrogate", "\"\\ude00\"", ERR_INVALID, NULL, 3},
        {"high and not low", "\"\\ud83d\\u0041\"", ERR_INVALID, NULL, 7},
        {"overlong utf-8", "\"\xc0\xaf\"", ERR_INVALID, NULL, 1},
        {"utf-8 surrogate", "\"\xed\xa0\x80\"", ERR_INVALID, NULL, 1},
        {"cut utf-8", "\"\xe2\x82\"", ERR_INVALID, NULL, 1},
        {"byte order mark", "\xef\xbb\xbf{}", ERR_INVALID, NULL, 0},
        {"no colon", "{\"a\" 1}", ERR_INVALID, NULL, 5},
        {"no quotes", "{a:1}", ERR_INVALID, NULL, 1},
        {"wrong bracket", "[1}", ERR_INVALID, NULL, 2},
        {"unclosed", "[[", ERR_INVALID, NULL, 2},
        {"unopened", "]", ERR_INVALID, NULL, 0},
        {"single quotes", "['a']", ERR_INVALID, NULL, 1},
        {"escape at the end", "\"\\", ERR_INVALID, NULL, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        enum err e;
        size_t at = 0;
        struct str out = parse_and_write(&a, str_c(rows[i].text), &e, &at);
        const char *want = rows[i].out ? rows[i].out : rows[i].text;
        if (e != rows[i].err || (e == ERR_OK && !str_eq_c(out, want)) ||
            (e != ERR_OK && at != rows[i].at))
            fail_msg("%s: %s at %zu, wrote " STR_FMT, rows[i].name, err_name(e), at, STR_ARG(out));
        arena_release(&a);
    }
}

static void test_depth(void **state)
{
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        enum err e;
        struct str out = parse_and_write(&a, str_n(text, 2 * depth), &e, NULL);
        assert_int_equal(e, depth > JSON_DEPTH_MAX ? ERR_LIMIT : ERR_OK);
        if (e == ERR_OK)
            assert_true(str_eq(out, str_n(text, 2 * depth)));
        arena_release(&a);
    }
}

static void test_access(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json *v;
    struct str text = STR("{\"a\":\"x\",\"n\":5,\"a\":\"y\",\"o\":{ \"k\" : [1, 2] }}");
    assert_int_equal(json_parse(&a, text, &v, NULL), ERR_OK);
    assert_int_equal(v->n, 4);
    assert_true(str_eq_c(json_get_str(v, STR("a")), "y"));
    assert_false(str_is_set(json_get_str(v, STR("n"))));
    assert_false(str_is_set(json_get_str(v, STR("zz"))));
    assert_null(json_get(NULL, STR("a")));
    assert_true(str_eq_c(json_get(v, STR("o"))->raw, "{ \"k\" : [1, 2] }"));
    assert_true(str_eq_c(json_get(json_get(v, STR("o")), STR("k"))->raw, "[1, 2]"));
    assert_true(str_eq(v->raw, text));
    arena_release(&a);
}

static void test_to_i64(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t want;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"-0", ERR_OK, 0},
        {"1", ERR_OK, 1},
        {"-5", ERR_OK, -5},
        {"1e3", ERR_OK, 1000},
        {"1.0", ERR_OK, 1},
        {"1.50e1", ERR_OK, 15},
        {"1200e-2", ERR_OK, 12},
        {"0e999999", ERR_OK, 0},
        {"0.0e-5", ERR_OK, 0},
        {"9223372036854775807", ERR_OK, INT64_MAX},
        {"-9223372036854775808", ERR_OK, INT64_MIN},
        {"9223372036854775808", ERR_INVALID, 0},
        {"1.5", ERR_INVALID, 0},
        {"1e-1", ERR_INVALID, 0},
        {"1e99", ERR_INVALID, 0},
        {"1e9223372036854775807", ERR_INVALID, 0},
        {"1e99999999999999999999", ERR_INVALID, 0},
        {"\"1\"", ERR_INVALID, 0},
        {"true", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct json *v;
        int64_t got = 0;
        assert_int_equal(json_parse(&a, str_c(rows[i].text), &v, NULL), ERR_OK);
        enum err e = json_to_i64(v, &got);
        if (e != rows[i].err || got != rows[i].want)
            fail_msg("%s: %s %lld", rows[i].text, err_name(e), (long long)got);
        arena_release(&a);
    }
}

static void test_put_f64(void **state)
{
    static const struct {
        double v;
        const char *want;
    } rows[] = {{0, "0"},
                {1, "1"},
                {-2.5, "-2.5"},
                {0.1, "0.1"},
                {1e300, "1e+300"},
                {1e-7, "1e-07"},
                {0.1 + 0.2, "0.30000000000000004"},
                {1.0 / 0.0, "null"},
                {123456789, "123456789"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init(&b, 100);
        json_put_f64(&b, rows[i].v);
        if (!str_eq_c(buf_str(&b), rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].want, STR_ARG(buf_str(&b)));
        buf_release(&b);
    }
}

static void test_writer(void **state)
{
    struct buf b;
    struct json_out o;
    buf_init(&b, 1000);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("s"), STR("a\"\x01\xff\xe2\x82\xac"));
    json_kv_str(&o, STR("absent"), STR_NONE);
    json_kv_i64(&o, STR("i"), -7);
    json_key(&o, STR("l"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_close(&o, '}');
    json_null(&o);
    json_f64(&o, 0.5);
    json_raw(&o, STR("[1]"));
    json_close(&o, ']');
    json_kv_bool(&o, STR("b"), true);
    json_close(&o, '}');
    assert_true(str_eq_c(buf_str(&b), "{\"s\":\"a\\\"\\u0001\xef\xbf\xbd\xe2\x82\xac\",\"i\":-7,"
                                      "\"l\":[{},null,0.5,[1]],\"b\":true}"));
    buf_release(&b);
}

/* Every allocation of a parse fails in turn: an error, never a crash. */
static void test_no_memory(void **state)
{
    struct str text = STR("{\"a\":[1,2,{\"b\\n\":\"c\\u0041\"}],\"d\":\"long \\\\ enough\"}");
    for (size_t limit = 0; limit < 8000; limit += 16) {
        struct arena a;
        struct json *v;
        arena_init(&a, limit);
        enum err e = json_parse(&a, text, &v, NULL);
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        arena_release(&a);
    }
}

static size_t read_file(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static void test_shared_texts(void **state)
{
    DIR *dir = opendir(SHARED_DATA "/json");
    if (!dir) {
        print_message("SKIPPED: no " SHARED_DATA "/json\n");
        skip();
    }
    static char text[1 << 18];
    size_t seen[3] = {0};
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        const char *kind = strchr("yni", d->d_name[0]);
        if (!kind || d->d_name[1] != '_')
            continue;
        char path[4096];
        snprintf(path, sizeof(path), SHARED_DATA "/json/%s", d->d_name);
        size_t n = read_file(path, text, sizeof(text));
        struct arena a;
        struct json *v;
        arena_init(&a, 1 << 26);
        enum err e = json_parse(&a, str_n(text, n), &v, NULL);
        if ((*kind == 'y' && e != ERR_OK) || (*kind == 'n' && e == ERR_OK) || e == ERR_NOMEM)
            fail_msg("%s: %s", d->d_name, err_name(e));
        arena_release(&a);
        seen[*kind == 'y' ? 0 : *kind == 'n' ? 1 : 2]++;
    }
    closedir(dir);
    print_message("%zu accepted, %zu rejected, %zu either\n", seen[0], seen[1], seen[2]);
    assert_true(seen[0] > 50 && seen[1] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),     cmocka_unit_test(test_depth),
        cmocka_unit_test(test_access),    cmocka_unit_test(test_to_i64),
        cmocka_unit_test(test_put_f64),   cmocka_unit_test(test_writer),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_shared_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
