/* YAML into JSON's tree and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/yaml.h"

static void reads(const char *yaml, const char *want, bool local_tags)
{
    struct arena a;
    struct json *v = NULL;
    struct yaml_fault fault = {0};
    struct buf b;
    arena_init(&a, 16 << 20);
    enum err err = yaml_parse(&a, str_c(yaml), local_tags, &v, &fault);
    if (err)
        print_error("%s: %s at %zu:%zu\n", yaml, fault.why, fault.line, fault.column);
    assert_int_equal(err, ERR_OK);
    buf_init_arena(&b, &a, 1 << 20);
    json_put(&b, v);
    assert_int_equal(buf_err(&b), ERR_OK);
    buf_add_byte(&b, 0);
    assert_string_equal(b.p, want);
    arena_release(&a);
}

static void what_is_read(void **state)
{
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"", "null"},
        {"# nothing", "null"},
        {"---\n...", "null"},
        {"a", "\"a\""},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[1, -2, +3, 0, 1.5, .5, 2., 1e3, -1.5E-3, 0x1F]", "[1,-2,3,0,1.5,0.5,2,1e3,-1.5E-3,31]"},
        {"[012, 1_000, 0b1, 0o7, .inf, .nan, 1e, '-', 0x, 1-2]",
         "[\"012\",\"1_000\",\"0b1\",\"0o7\",\".inf\",\".nan\",\"1e\",\"-\",\"0x\",\"1-2\"]"},
        {"[true, True, FALSE, yes, no, on, y]", "[true,true,false,\"yes\",\"no\",\"on\",\"y\"]"},
        {"- null\n- ~\n- Null\n-\n- nil", "[null,null,null,null,\"nil\"]"},
        {"['1', \"true\", 'it''s', \"\\u00e9\\n\"]", "[\"1\",\"true\",\"it's\",\"\u00e9\\n\"]"},
        {"swagger: 2.0\nversion: 2010-09-09\n", "{\"swagger\":2.0,\"version\":\"2010-09-09\"}"},
        {"responses:\n  200:\n    a: b\n  '404': c",
         "{\"responses\":{\"200\":{\"a\":\"b\"},\"404\":\"c\"}}"},
        {"null: 1\ntrue: 2\n1.5: 3", "{\"null\":1,\"true\":2,\"1.5\":3}"},
        {"a: |\n  x\n  y\nb: >\n  x\n  y\nc: |-\n  z",
         "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\",\"c\":\"z\"}"},
        {"- a\n- - b\n  - c\n- d: 1\n  e: 2", "[\"a\",[\"b\",\"c\"],{\"d\":1,\"e\":2}]"},
        {"a: &x {b: 1}\nc: *x\nd: [*x, *x]",
         "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":[{\"b\":1},{\"b\":1}]}"},
        {"a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"&k a: 1\nb: *k", "{\"a\":1,\"b\":\"a\"}"},
        {"&k a: {b: 1}\nc:\n  *k : 2", "{\"a\":{\"b\":1},\"c\":{\"a\":2}}"},
        {"x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3",
         "{\"x\":{\"a\":1,\"b\":2},\"y\":{\"b\":3,\"a\":1}}"},
        {"x: [&x {a: 1}, &y {a: 2, c: 3}]\nz: {<<: [*x, *y]}",
         "{\"x\":[{\"a\":1},{\"a\":2,\"c\":3}],\"z\":{\"a\":1,\"c\":3}}"},
        {"'<<': 1", "{\"<<\":1}"},
        {"[!!str 1, !!int 5, !!float 1.5, !!bool true, !!null ~, ! 2]",
         "[\"1\",5,1.5,true,null,\"2\"]"},
        {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
        {"%YAML 1.2\n---\na: 1", "{\"a\":1}"},
        {"\"/cars/{id}\": {get: {}}", "{\"/cars/{id}\":{\"get\":{}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        reads(rows[i].yaml, rows[i].json, false);
}

static void local_tags(void **state)
{
    reads("[yes, No, ON, off, true, y, n, 'yes', !Ref no, !!str on]",
          "[true,false,true,false,true,\"y\",\"n\",\"yes\",{\"!Ref\":\"no\"},\"on\"]", true);
    reads("a: !Ref b\nc: !GetAtt [d, e]\nf: !Sub {g: 1}\nh: !Ref 5\ni: &x !Ref j\nk: *x",
          "{\"a\":{\"!Ref\":\"b\"},\"c\":{\"!GetAtt\":[\"d\",\"e\"]},\"f\":{\"!Sub\":{\"g\":1}},"
          "\"h\":{\"!Ref\":\"5\"},\"i\":{\"!Ref\":\"j\"},\"k\":{\"!Ref\":\"j\"}}",
          true);
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *yaml;
        size_t line;
    } rows[] = {
        {"a: b: c", 1},
        {"a: [1, 2", 1},
        {"a: 1\na: 2", 2},
        {"a: 1\n'a': 2", 2},
        {"a: *x", 1},
        {"a: &x [*x]", 1},
        {"a: &x {b: *x}", 1},
        {"? [a]\n: 1", 1},
        {"? {a: 1}\n: 1", 1},
        {"a: &x [1]\n*x : 1", 2},
        {"a: !Ref b", 1},
        {"a: !!set {b}", 1},
        {"a: !!binary aGk=", 1},
        {"a: !!int x", 1},
        {"a: !!int 1.\nb: !!bool 1", 2},
        {"a: !!seq {}", 1},
        {"a: !<tag:example.com,2000:x> 1", 1},
        {"!!int a: 1", 1},
        {"<<: 1", 1},
        {"<<: {a: 1}\n<<: {b: 1}", 2},
        {"<<: [1]", 1},
        {"a: 1\n---\nb: 1", 2},
        {"a: \"\\ud800\"", 1},
        {"a: \xff", 1},
        {"\tx: 1", 1},
        {"%YAML 3.0\n---\na", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *v;
        struct yaml_fault fault = {0};
        arena_init(&a, 16 << 20);
        enum err err = yaml_parse(&a, str_c(rows[i].yaml), false, &v, &fault);
        if (err != ERR_INVALID)
            print_error("%s: %s\n", rows[i].yaml, err_name(err));
        assert_int_equal(err, ERR_INVALID);
        assert_non_null(fault.why);
        assert_in_range(fault.line, 1, rows[i].line + 1);
        arena_release(&a);
    }
}

static enum err parse(struct str text)
{
    struct arena a;
    struct json *v;
    struct yaml_fault fault = {0};
    arena_init(&a, 256 << 20);
    enum err err = yaml_parse(&a, text, true, &v, &fault);
    arena_release(&a);
    return err;
}

/* Nine lists of nine of the one before: 9^9 values, of 500 bytes. */
static void aliases_cannot_explode(void **state)
{
    char text[1024] = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    size_t at = strlen(text);
    for (int i = 1; i < 9; i++) {
        int n = snprintf(text + at, sizeof(text) - at,
                         "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                         i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        at += (size_t)n;
    }
    assert_int_equal(parse(str_n(text, at)), ERR_LIMIT);
}

static void depth_is_bounded(void **state)
{
    static char text[4 * JSON_DEPTH_MAX];
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(parse(str_n(text, 2 * depth)),
                         depth <= JSON_DEPTH_MAX ? ERR_OK : ERR_LIMIT);
    }
    for (size_t i = 0; i < JSON_DEPTH_MAX; i++) /* each twice as deep as it looks */
        memcpy(text + i * 4, "!a [", 4);
    assert_int_equal(parse(str_n(text, sizeof(text))), ERR_LIMIT);
    struct buf b;
    buf_init(&b, 64 * 1024);
    BUF_ADD_LIT(&b, "a: &a "); /* copies on top of each other */
    for (int i = 0; i < 150; i++)
        buf_add_byte(&b, '[');
    for (int i = 0; i < 150; i++)
        buf_add_byte(&b, ']');
    BUF_ADD_LIT(&b, "\nb: ");
    for (int i = 0; i < 60; i++)
        buf_add_byte(&b, '[');
    BUF_ADD_LIT(&b, "*a");
    for (int i = 0; i < 60; i++)
        buf_add_byte(&b, ']');
    assert_int_equal(parse(buf_str(&b)), ERR_LIMIT);
    buf_release(&b);
}

static void what_is_written_reads_back(void **state)
{
    static const struct {
        const char *json, *yaml;
    } rows[] = {
        {"{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"a b\",\"version\":\"1\"},\"x\":[]}",
         "---\nopenapi: \"3.0.1\"\ninfo:\n  title: \"a b\"\n  version: \"1\"\nx: []\n"},
        {"{\"/cars/{id}\":{\"200\":[1,{\"a\":true,\"b\":null},[\"c\",[]]]}}",
         "---\n/cars/{id}:\n  \"200\":\n    - 1\n    - a: true\n      b: null\n    - - c\n      - "
         "[]\n"},
        {"[\"yes\",\"No\",\"null\",\"\",\"-\",\"#a\",\"a: "
         "b\",\"a#\",\"1e3\",\"x\\ny\",\"~\",\"/\"]",
         "---\n- \"yes\"\n- \"No\"\n- \"null\"\n- \"\"\n- \"-\"\n- \"#a\"\n- \"a: b\"\n- \"a#\"\n- "
         "\"1e3\"\n"
         "- \"x\\ny\"\n- \"~\"\n- \"/\"\n"},
        {"5", "---\n5\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *v;
        struct buf b;
        arena_init(&a, 1 << 20);
        buf_init_arena(&b, &a, 1 << 20);
        assert_int_equal(json_parse(&a, str_c(rows[i].json), &v, NULL), ERR_OK);
        yaml_put(&b, v);
        buf_add_byte(&b, 0);
        assert_string_equal(b.p, rows[i].yaml);
        reads(b.p, rows[i].json, false);
        arena_release(&a);
    }
}

static void long_keys_read_back(void **state)
{
    struct arena a;
    struct json *v, *again;
    struct buf b;
    arena_init(&a, 1 << 20);
    buf_init_arena(&b, &a, 1 << 20);
    BUF_ADD_LIT(&b, "{\"a\":{\"");
    for (int i = 0; i < 3000; i++)
        buf_add_byte(&b, 'k');
    BUF_ADD_LIT(&b, "\":{\"b\":1}}}");
    struct str json = buf_str(&b);
    assert_int_equal(json_parse(&a, json, &v, NULL), ERR_OK);
    struct buf y;
    buf_init_arena(&y, &a, 1 << 20);
    yaml_put(&y, v);
    assert_int_equal(yaml_parse(&a, buf_str(&y), false, &again, NULL), ERR_OK);
    buf_clear(&y);
    json_put(&y, again);
    assert_true(str_eq(buf_str(&y), json));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),        cmocka_unit_test(local_tags),
        cmocka_unit_test(what_is_refused),     cmocka_unit_test(aliases_cannot_explode),
        cmocka_unit_test(depth_is_bounded),    cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(long_keys_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
