/* Which mapping of a custom domain a path takes, and what is left of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/apigateway/domain.h"

static void the_longest_base_path_wins(void **state)
{
    static struct domain_mapping mappings[] = {
        {STR_INIT("v1"), STR_INIT("one"), STR_INIT("prod")},
        {STR_INIT(""), STR_INIT("rest"), STR_INIT("prod")},
        {STR_INIT("v1.beta"), STR_INIT("beta"), STR_INIT("prod")},
    };
    static const struct {
        const char *path, *api, *rest;
    } rows[] = {
        {"/v1/cars", "one", "/cars"},
        {"/v1", "one", ""},
        {"/v1/", "one", "/"},
        {"/v1.beta/cars", "beta", "/cars"},
        {"/v10", "rest", "/v10"},
        {"/", "rest", "/"},
        {"", "rest", ""},
        {"/V1/x", "rest", "/V1/x"},
    };
    const struct domain_rec all = {.mappings = mappings, .n_mappings = ARRAY_LEN(mappings)};
    const struct domain_rec one = {.mappings = mappings, .n_mappings = 1};
    struct str rest;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct domain_mapping *m = domain_mapping_of(&all, str_c(rows[i].path), &rest);
        assert_non_null(m);
        assert_true(str_eq_c(m->api_id, rows[i].api));
        assert_true(str_eq_c(rest, rows[i].rest));
    }
    assert_null(domain_mapping_of(&one, STR("/v2/cars"), &rest));
    assert_null(domain_mapping_of(&one, STR("/"), &rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_longest_base_path_wins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
