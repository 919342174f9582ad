/* Trace headers: hops of a function in a chain, and the header of the next invocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/lambda/lambda_trace.h"

#define ROOT "Root=1-5f84c7a1-0123456789abcdef01234567"

static const struct lambda_name one = {.scope = {STR_INIT("000000000000"), STR_INIT("us-east-1")},
                                       .name = STR_INIT("one")};
static const struct lambda_name two = {.scope = {STR_INIT("000000000000"), STR_INIT("us-east-1")},
                                       .name = STR_INIT("two")};

static void chains(void **state)
{
    char a[LAMBDA_TRACE_MAX], b[LAMBDA_TRACE_MAX];
    struct str at = lambda_trace_next(a, STR(ROOT ";Parent=1111111111111111;Sampled=1"), &one);
    assert_true(str_starts(at, STR(ROOT ";Parent=")));
    assert_int_equal(lambda_trace_hops(at, &one), 1);
    assert_int_equal(lambda_trace_hops(at, &two), 0);
    for (int i = 2; i <= 40; i++) { /* the other in between */
        at = lambda_trace_next(b, at, &two);
        at = lambda_trace_next(a, at, &one);
        assert_int_equal(lambda_trace_hops(at, &one), i);
        assert_int_equal(lambda_trace_hops(at, &two), i - 1);
    }
    struct lambda_name version = one;
    version.qualifier = STR("7");
    assert_int_equal(lambda_trace_hops(at, &version), 40); /* all versions are one function */
    struct lambda_name elsewhere = one;
    elsewhere.scope.region = STR("eu-west-1");
    assert_int_equal(lambda_trace_hops(at, &elsewhere), 0);
}

/* Of a chain through more functions than a header holds, the earliest are forgotten. */
static void limits(void **state)
{
    char a[LAMBDA_TRACE_MAX], b[LAMBDA_TRACE_MAX], name[32];
    struct str at = lambda_trace_next(a, STR_NONE, &one);
    for (int i = 0; i < LAMBDA_LINEAGE_MAX; i++) {
        struct lambda_name other = one;
        assert_int_equal(lambda_trace_hops(at, &one), 1);
        (void)snprintf(name, sizeof(name), "other-%d", i);
        other.name = str_c(name);
        memcpy(b, at.p, at.len);
        at = lambda_trace_next(a, str_n(b, at.len), &other);
    }
    assert_int_equal(lambda_trace_hops(at, &one), 0);
}

static void nonsense(void **state)
{
    static const char *const given[] = {"",
                                        ";;;",
                                        "Lineage",
                                        "Lineage=",
                                        "Lineage=zzzzzzzz:1",
                                        "Lineage=00000000",
                                        "Lineage=00000000:-1",
                                        "Root=1-5f84c7a1-0123456789abcdef0123456",
                                        "Root=2-x;Lineage=|||"};
    char out[LAMBDA_TRACE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        assert_int_equal(lambda_trace_hops(str_c(given[i]), &one), 0);
        struct str at = lambda_trace_next(out, str_c(given[i]), &one);
        assert_true(str_starts(at, STR("Root=1-")));
        assert_int_equal(lambda_trace_hops(at, &one), 1);
    }
}

static void longer(void **state)
{
    char a[LAMBDA_TRACE_MAX], b[LAMBDA_TRACE_MAX];
    struct str once = lambda_trace_next(a, STR_NONE, &one);
    struct str twice = lambda_trace_next(b, once, &one);
    assert_ptr_equal(lambda_trace_longer(once, twice, &one).p, twice.p);
    assert_ptr_equal(lambda_trace_longer(twice, once, &one).p, twice.p);
    assert_ptr_equal(lambda_trace_longer(STR_NONE, once, &one).p, once.p);
    assert_ptr_equal(lambda_trace_longer(once, STR_NONE, &one).p, once.p);
    assert_false(str_is_set(lambda_trace_longer(STR_NONE, STR_NONE, &one)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),
        cmocka_unit_test(limits),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
