/* The JSON check of payloads, held against the parser's verdict too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"

static void test_rows(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"{}", true},
        {"[]", true},
        {"null", true},
        {" true ", true},
        {"\"text\"", true},
        {"-0.5e+10", true},
        {"{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\\n\"}", true},
        {"[[],{},[[]]]", true},
        {"{\"a\":1}\n", true},
        {"\"\xc3\xa9\"", true},
        {"", false},
        {" ", false},
        {"nul", false},
        {"{", false},
        {"[", false},
        {"]", false},
        {"[1,]", false},
        {"[,1]", false},
        {"[1 2]", false},
        {"{\"a\"}", false},
        {"{\"a\":}", false},
        {"{\"a\":1,}", false},
        {"{a:1}", false},
        {"{\"a\":1]", false},
        {"[1}", false},
        {"01", false},
        {"1.", false},
        {".5", false},
        {"1e", false},
        {"+1", false},
        {"\"a", false},
        {"\"\\x\"", false},
        {"\"\\u12g4\"", false},
        {"\"a\nb\"", false},
        {"{}{}", false},
        {"{} x", false},
        {"\"\xff\"", false},
        {"'a'", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at;
        struct json *doc;
        struct arena a;
        if (lambda_payload_is_json(str_c(rows[i].text), &at) != rows[i].ok)
            fail_msg("'%s' should be %s", rows[i].text, rows[i].ok ? "JSON" : "refused");
        arena_init(&a, 64 * 1024);
        assert_int_equal(json_parse(&a, str_c(rows[i].text), &doc, NULL) == ERR_OK, rows[i].ok);
        arena_release(&a);
    }
}

static void test_depth(void **state)
{
    char text[2100];
    size_t at;
    memset(text, '[', 1024);
    memset(text + 1024, ']', 1024);
    assert_true(lambda_payload_is_json(str_n(text, 2048), &at));
    memset(text, '[', 1025);
    memset(text + 1025, ']', 1025);
    assert_false(lambda_payload_is_json(str_n(text, 2050), &at));
    assert_int_equal(at, 1024);
}

static void test_offset(void **state)
{
    size_t at;
    assert_false(lambda_payload_is_json(STR("{\"a\": x}"), &at));
    assert_int_equal(at, 6);
}

/* Each prefix of a good text is either refused or, for a bare number, complete. */
static void test_prefixes(void **state)
{
    const struct str text = STR("{\"a\":[1,-2.5e3,true,null,\"x\\u0041\"],\"b\":{\"c\":{}}}");
    size_t at;
    for (size_t n = 0; n < text.len; n++) {
        char *copy = mem_alloc(n + 1); /* its own bytes, so that a read past the end shows */
        memcpy(copy, text.p, n);
        assert_false(lambda_payload_is_json(str_n(copy, n), &at));
        mem_free(copy);
    }
    assert_true(lambda_payload_is_json(text, &at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
