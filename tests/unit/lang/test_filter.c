#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lang/filter.h"

static void parses(void **state)
{
    static const struct {
        const char *pattern;
        enum err want;
    } rows[] = {
        {"", ERR_OK},
        {"  ", ERR_OK},
        {"\"\"", ERR_OK},
        {"error", ERR_OK},
        {"\"two words\" -not ?maybe", ERR_OK},
        {"-\"two words\"", ERR_OK},
        {"\"open", ERR_INVALID},
        {"error -", ERR_INVALID},
        {"?", ERR_INVALID},
        {"x \"\"", ERR_INVALID},
        {"%regex%", ERR_OK},
        {"%^[Ee]rr\\d{1,3}$% -%x%", ERR_OK},
        {"%a% %b% %c%", ERR_LIMIT},
        {"%no(group)%", ERR_INVALID},
        {"%no space%", ERR_INVALID},
        {"%open", ERR_INVALID},
        {"%[%", ERR_INVALID},
        {"%%", ERR_INVALID},
        {"a%b%", ERR_INVALID},
        {"\"with \\\" and \\\\ and \\n\"", ERR_OK},
        {"\"open \\\"", ERR_INVALID},
        {"error.log a_b-c", ERR_OK},
        {"error:", ERR_INVALID},
        {"{ $.level = \"x\" }", ERR_OK},
        {"{ $.a.b[0]['c d'] != 1 && ($.e NOT EXISTS || $.f IS NULL) }", ERR_OK},
        {"{ $.a = %x% && $.b != %[a-c]+% }", ERR_OK},
        {"{ $.a = %x% && $.b = %x% && $.c = %x% }", ERR_LIMIT},
        {"{ $.a = %x }", ERR_INVALID},
        {"{ $.a > %x% }", ERR_INVALID},
        {"{ $.detail-type = \"a \\\"b\\\"\" }", ERR_OK},
        {"[a = %x%, b != %y|z%]", ERR_OK},
        {"{ $.a }", ERR_INVALID},
        {"{ $ = 1 }", ERR_INVALID},
        {"{ $.a = }", ERR_INVALID},
        {"{ $.a = 1", ERR_INVALID},
        {"{ $.a = 1 } x", ERR_INVALID},
        {"{ $.a = 1 && }", ERR_INVALID},
        {"{ $.a > x }", ERR_INVALID},
        {"{ $.a IS MAYBE }", ERR_INVALID},
        {"{ $.a NOT }", ERR_INVALID},
        {"{ $.a[x] = 1 }", ERR_INVALID},
        {"{ $.a['x = 1 }", ERR_INVALID},
        {"{ ($.a = 1 }", ERR_INVALID},
        {"{}", ERR_INVALID},
        {"[a, b]", ERR_OK},
        {"[..., status = 4* || status = 5*, bytes > 1000]", ERR_OK},
        {"[a, ..., b, ...]", ERR_INVALID},
        {"[a = 1 || b = 2]", ERR_INVALID},
        {"[]", ERR_INVALID},
        {"[a", ERR_INVALID},
        {"[a,]", ERR_INVALID},
        {"[a] x", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct filter f;
        enum err err = filter_parse(&a, str_c(rows[i].pattern), &f, NULL);
        if (err != rows[i].want)
            fail_msg("%s: %s", rows[i].pattern, err_name(err));
        arena_release(&a);
    }
}

/* What AWS says of patterns that are none. */
static void wordings(void **state)
{
    static const struct {
        const char *pattern, *want;
    } rows[] = {
        {"a:b", "Invalid character(s) in term ':'"},
        {"?Status: timeout", "Invalid character(s) in term ':'"},
        {"[open", "If a filter pattern starts with '[' it must end with ']'"},
        {"{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"},
        {"x(y)", "Invalid character(s) in term '('"},
        {"%a(b)%", "Invalid character(s) in term"},
        {"\"open", "Invalid filter pattern"},
        {"{ $.a }", "Invalid filter pattern"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct filter f;
        struct str why;
        arena_init(&a, 1 << 20);
        assert_int_equal(filter_parse(&a, str_c(rows[i].pattern), &f, &why), ERR_INVALID);
        if (!str_eq_c(why, rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].pattern, STR_ARG(why));
        arena_release(&a);
    }
}

static void too_many_terms(void **state)
{
    char text[2 * (FILTER_TERMS_MAX + 1) + 1];
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 2 ? ' ' : 'a';
    text[sizeof(text) - 1] = '\0';
    struct arena a;
    arena_init(&a, 1 << 20);
    struct filter f;
    assert_int_equal(filter_parse(&a, str_c(text), &f, NULL), ERR_LIMIT);
    text[2 * FILTER_TERMS_MAX] = '\0';
    assert_int_equal(filter_parse(&a, str_c(text), &f, NULL), ERR_OK);
    assert_int_equal(f.n, FILTER_TERMS_MAX);
    arena_release(&a);
}

static void out_of_memory(void **state)
{
    struct arena a;
    arena_init(&a, 16);
    struct filter f;
    assert_int_equal(filter_parse(&a, STR("x"), &f, NULL), ERR_NOMEM);
    arena_release(&a);
}

static void matches(void **state)
{
    static const struct {
        const char *pattern, *message;
        bool want;
    } rows[] = {
        {"", "anything", true},
        {"\"\"", "anything", true},
        {"ERROR", "an ERROR here", true},
        {"ERROR", "an error here", false},
        {"ERROR disk", "disk ERROR", true},
        {"ERROR disk", "ERROR", false},
        {"\"disk full\"", "the disk full error", true},
        {"\"disk full\"", "full disk", false},
        {"?ERROR ?WARN", "WARN x", true},
        {"?ERROR ?WARN", "INFO x", false},
        {"ERROR -debug", "ERROR x", true},
        {"ERROR -debug", "ERROR debug", false},
        {"-debug", "x", true},
        {"x", "", false},
        {"%[Ee]rr%", "an Err", true},
        {"%^[Ee]rr%", "an Err", false},
        {"%\\d{3}% -%x$%", "code 404", true},
        {"%\\d{3}% -%x$%", "code 404x", false},
        {"?%a% ?%b%", "only b", true},
        {"\"say \\\"hi\\\"\"", "they say \"hi\" now", true},
        {"\"a\\\\b\"", "a\\b", true},
        {"{ $.ip = %^10\\.0\\.% }", "{\"ip\": \"10.0.3.4\"}", true},
        {"{ $.ip != %^10\\.0\\.% }", "{\"ip\": \"10.0.3.4\"}", false},
        {"{ $.ip != %^10\\.0\\.% }", "{}", false},
        {"[ip = %^1\\d{2}% || ip = ::1, ...]", "127.0.0.1 x y", true},
        {"[ip = %^1\\d{2}%, ...]", "27.0.0.1 x y", false},
        {"{ $.a = 1 }", "{\"a\": 1}", true},
        {"{ $.a = 1 }", "{\"a\": 1.0}", true},
        {"{ $.a = 1 }", "{\"a\": \"1\"}", true},
        {"{ $.a = 1 }", "{\"b\": 1}", false},
        {"{ $.a = 1 }", "no JSON", false},
        {"{ $.a = \"x*z\" }", "{\"a\": \"xyz\"}", true},
        {"{ $.a = x* }", "{\"a\": \"yx\"}", false},
        {"{ $.a != x }", "{\"a\": \"y\"}", true},
        {"{ $.a != x }", "{}", false},
        {"{ $.a >= 2 && $.a < 3 }", "{\"a\": 2.5}", true},
        {"{ $.a >= 2 && $.a < 3 }", "{\"a\": 3}", false},
        {"{ $.a = 1 || $.b = 1 && $.c = 1 }", "{\"a\": 1}", true},
        {"{ ($.a = 1 || $.b = 1) && $.c = 1 }", "{\"a\": 1}", false},
        {"{ $.a.b[1].c = d }", "{\"a\": {\"b\": [0, {\"c\": \"d\"}]}}", true},
        {"{ $['a b'] = 1 }", "{\"a b\": 1}", true},
        {"{ $.a IS TRUE }", "{\"a\": true}", true},
        {"{ $.a IS FALSE }", "{\"a\": true}", false},
        {"{ $.a IS NULL }", "{\"a\": null}", true},
        {"{ $.a NOT EXISTS }", "{\"b\": 1}", true},
        {"{ $.a NOT EXISTS }", "{\"a\": null}", false},
        {"{ $.a EXISTS }", "{\"a\": null}", true},
        {"[a, b]", "x y", true},
        {"[a, b]", "x y z", false},
        {"[a, b]", "x", false},
        {"[a = x, b]", "x y", true},
        {"[a = x, b]", "y y", false},
        {"[ip, user = admin, ..., status = 4*, bytes > 1000]",
         "127.0.0.1 admin [10/Oct/2000:13:25:15 -0700] \"GET /x HTTP/1.0\" 404 1534", true},
        {"[ip, user = admin, ..., status = 4*, bytes > 1000]",
         "127.0.0.1 admin [10/Oct/2000:13:25:15 -0700] \"GET /x HTTP/1.0\" 404 534", false},
        {"[..., status = 4* || status = 5*]", "a b 500", true},
        {"[..., status = 4* || status = 5*]", "a b 200", false},
        {"[a, (b = 1 || b = 2) && b != 3]", "x 2", true},
        {"[a, request = \"GET /x*\"]", "x \"GET /x/y\"", true},
        {"[a, b]", "x \"open", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct filter f;
        assert_int_equal(filter_parse(&a, str_c(rows[i].pattern), &f, NULL), ERR_OK);
        bool got;
        assert_int_equal(filter_matches(&f, &a, str_c(rows[i].message), NULL, &got), ERR_OK);
        if (got != rows[i].want)
            fail_msg("%s / %s", rows[i].pattern, rows[i].message);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),         cmocka_unit_test(wordings),
        cmocka_unit_test(too_many_terms), cmocka_unit_test(out_of_memory),
        cmocka_unit_test(matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
