/* Cross-origin rules: what fits, and what browsers are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/cors.h"

static const struct str wild[] = {STR_INIT("http://*.example"), STR_INIT("https://b.example:8443")};
static const struct str get_put[] = {STR_INIT("GET"), STR_INIT("PUT")};
static const struct str headers[] = {STR_INIT("x-amz-*"), STR_INIT("Content-Type")};
static const struct str star[] = {STR_INIT("*")};
static const struct cors_rule rules[] = {
    {.id = STR_INIT("own"),
     .origins = {wild, 2},
     .methods = {get_put, 2},
     .headers = {headers, 2},
     .expose = {headers + 1, 1},
     .has_max_age = true,
     .max_age_s = 60},
    {.id = STR_INIT("all"), .origins = {star, 1}, .methods = {get_put, 1}},
};

static void test_find(void **state)
{
    static const struct {
        const char *origin, *method, *headers, *want;
    } rows[] = {
        {"http://a.example", "PUT", NULL, "own"},
        {"http://a.b.example", "GET", "", "own"},
        {"http://.example", "GET", NULL, "own"},
        {"http://example", "GET", NULL, "all"},
        {"http://example", "PUT", NULL, NULL},
        {"https://b.example:8443", "PUT", NULL, "own"},
        {"https://B.example:8443", "PUT", NULL, NULL},
        {"http://a.example.evil", "PUT", NULL, NULL},
        {"http://a.example", "DELETE", NULL, NULL},
        {"http://a.example", "put", NULL, NULL},
        {"http://a.example", "PUT", "content-type", "own"},
        {"http://a.example", "PUT", "Content-Type , X-AMZ-meta-a,,", "own"},
        {"http://a.example", "PUT", "content-type,authorization", NULL},
        {"http://a.example", "GET", "authorization", NULL},
        {"null", "GET", NULL, "all"},
        {"", "GET", NULL, "all"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cors_ask ask = {str_c(rows[i].origin), str_c(rows[i].method),
                               str_c(rows[i].headers)};
        const struct cors_rule *r = cors_find(rules, 2, &ask);
        if (!r != !rows[i].want || (r && !str_eq_c(r->id, rows[i].want)))
            fail_msg("row %zu: %s %s", i, rows[i].origin, rows[i].method);
    }
    assert_null(cors_find(NULL, 0, &(struct cors_ask){STR("a"), STR("GET"), STR_NONE}));
    (void)state;
}

static void told(const struct cors_rule *rule, const struct cors_ask *ask, const char *want)
{
    struct arena a;
    struct http_header h[CORS_HEADERS_MAX];
    char got[600];
    size_t at = 0;
    arena_init(&a, 1 << 16);
    size_t n = cors_headers(&a, rule, ask, h);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, STR_FMT ": " STR_FMT "\n",
                               STR_ARG(h[i].name), STR_ARG(h[i].value));
    assert_string_equal(got, want);
    arena_release(&a);
}

#define VARY "Vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method\n"

static void test_headers(void **state)
{
    struct cors_ask ask = {STR("http://a.example"), STR("PUT"), STR("Content-Type,X-A")};
    told(&rules[0], &ask,
         "Access-Control-Allow-Origin: http://a.example\n"
         "Access-Control-Allow-Methods: GET, PUT\n"
         "Access-Control-Allow-Headers: content-type, x-a\n"
         "Access-Control-Expose-Headers: Content-Type\n"
         "Access-Control-Max-Age: 60\n"
         "Access-Control-Allow-Credentials: true\n" VARY);
    ask.headers = STR_NONE;
    told(&rules[1], &ask,
         "Access-Control-Allow-Origin: *\n"
         "Access-Control-Allow-Methods: GET\n" VARY);
    (void)state;
}

static void test_no_memory(void **state)
{
    struct arena a;
    struct http_header h[CORS_HEADERS_MAX];
    struct cors_ask ask = {STR("http://a.example"), STR("PUT"), STR_NONE};
    arena_init(&a, 0);
    assert_int_equal(cors_headers(&a, &rules[0], &ask, h), 0);
    arena_release(&a);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
