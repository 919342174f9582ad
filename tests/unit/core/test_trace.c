/* Trace headers: trace.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/trace.h"

#define ROOT "1-5f84c7a1-0123456789abcdefABCDEF01"

static void test_root(void **state)
{
    static const struct {
        const char *header, *root; /* NULL: none */
    } rows[] = {
        {"Root=" ROOT, ROOT},
        {"root=" ROOT ";Parent=1;Sampled=1", ROOT},
        {"Self=x; Root=" ROOT " ;Sampled=0", ROOT},
        {"", NULL},
        {ROOT, NULL},
        {"Root=", NULL},
        {"Root=" ROOT "0", NULL},
        {"Root=1-5f84c7a1-0123456789abcdefABCDEF0", NULL},
        {"Root=2-5f84c7a1-0123456789abcdefABCDEF01", NULL},
        {"Root=1-5f84c7a1_0123456789abcdefABCDEF01", NULL},
        {"Root=1-5f84c7a1-0123456789abcdefABCDEFg1", NULL},
        {"Parent=Root=" ROOT, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str root = trace_root(str_c(rows[i].header));
        if (rows[i].root ? !str_eq_c(root, rows[i].root) : root.p != NULL)
            fail_msg("%s: " STR_FMT, rows[i].header, STR_ARG(root));
    }
}

static void test_long(void **state)
{
    char header[TRACE_GIVEN_MAX + 2] = "Root=" ROOT ";x=";
    size_t len = strlen(header);
    memset(header + len, 'x', sizeof(header) - len);
    assert_true(str_is_set(trace_root(str_n(header, TRACE_GIVEN_MAX))));
    assert_null(trace_root(str_n(header, TRACE_GIVEN_MAX + 1)).p);
}

static void test_made(void **state)
{
    char out[TRACE_ROOT_LEN + 1], again[TRACE_ROOT_LEN + 1], header[64];
    struct str root = trace_root_make(out, 1583348638390);
    assert_true(str_starts(root, STR("1-5e5ffb9e-")));
    snprintf(header, sizeof(header), "Root=%s", out);
    assert_true(str_eq(trace_root(str_c(header)), root));
    assert_false(str_eq(trace_root_make(again, 1583348638390), root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
