#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/logs/filter.h"

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
        {"{ $.level = \"x\" }", ERR_UNSUPPORTED},
        {"[a, b]", ERR_UNSUPPORTED},
        {"%regex%", ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct logs_filter f;
        enum err err = logs_filter_parse(&a, str_c(rows[i].pattern), &f);
        if (err != rows[i].want)
            fail_msg("%s: %s", rows[i].pattern, err_name(err));
        arena_release(&a);
    }
}

static void too_many_terms(void **state)
{
    char text[2 * (LOGS_FILTER_TERMS_MAX + 1) + 1];
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 2 ? ' ' : 'a';
    text[sizeof(text) - 1] = '\0';
    struct arena a;
    arena_init(&a, 1 << 20);
    struct logs_filter f;
    assert_int_equal(logs_filter_parse(&a, str_c(text), &f), ERR_LIMIT);
    text[2 * LOGS_FILTER_TERMS_MAX] = '\0';
    assert_int_equal(logs_filter_parse(&a, str_c(text), &f), ERR_OK);
    assert_int_equal(f.n, LOGS_FILTER_TERMS_MAX);
    arena_release(&a);
}

static void out_of_memory(void **state)
{
    struct arena a;
    arena_init(&a, 16);
    struct logs_filter f;
    assert_int_equal(logs_filter_parse(&a, STR("x"), &f), ERR_NOMEM);
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
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct logs_filter f;
        assert_int_equal(logs_filter_parse(&a, str_c(rows[i].pattern), &f), ERR_OK);
        if (logs_filter_matches(&f, str_c(rows[i].message)) != rows[i].want)
            fail_msg("%s / %s", rows[i].pattern, rows[i].message);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(too_many_terms),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
