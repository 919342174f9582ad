/* Websites: hosts, keys, redirects by rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "svc/s3/s3_site.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host, *bucket; /* NULL: no website's */
    } rows[] = {
        {"b.s3-website-us-east-1.amazonaws.com", "b"},
        {"b.s3-website.eu-central-1.amazonaws.com", "b"},
        {"a.b.s3-website.localhost", "a.b"},
        {"b.s3-website", NULL},
        {"b.s3-websites.localhost", NULL},
        {".s3-website.localhost", NULL},
        {"s3-website.localhost", NULL},
        {"b.s3.localhost", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str got = s3_site_bucket(str_c(rows[i].host));
        if (!str_eq(got, str_c(rows[i].bucket)) || str_is_set(got) != (rows[i].bucket != NULL))
            fail_msg("%s", rows[i].host);
    }
}

static void test_keys(void **state)
{
    const struct s3_site site = {.index = STR("i.html")};
    assert_true(str_eq_c(s3_site_key(&arena, &site, STR("")), "i.html"));
    assert_true(str_eq_c(s3_site_key(&arena, &site, STR("a/")), "a/i.html"));
    assert_true(str_eq_c(s3_site_key(&arena, &site, STR("a/b")), "a/b"));
}

static void test_rules(void **state)
{
    struct s3_site_rule rules[] = {
        {.prefix = STR("old/"), .to = {.prefix = STR("new/")}},
        {.prefix = STR("gone/"), .to = {.key = STR("x y"), .code = STR("307")}},
        {.error_code = STR("404"), .to = {.host = STR("h"), .protocol = STR("https")}},
        {.prefix = STR("p"), .error_code = STR("403"), .to = {.host = STR("q")}},
    };
    const struct s3_site site = {.index = STR("i"), .rules = rules, .n_rules = ARRAY_LEN(rules)};
    static const struct {
        const char *key;
        int error, status; /* status 0: no rule */
        const char *location;
    } rows[] = {
        {"old/a", 0, 301, "http://me:1/new/a"},
        {"gone/a", 0, 307, "http://me:1/x%20y"},
        {"other", 0, 0, NULL},
        {"other", 404, 301, "https://h/other"},
        {"other", 403, 0, NULL},
        {"page", 403, 301, "http://q/page"},
        {"old", 0, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct s3_site_move move = {0};
        enum err err = s3_site_rule_for(&arena, &site, str_c(rows[i].key), rows[i].error,
                                        STR("http://me:1"), &move);
        if (err != (rows[i].status ? ERR_OK : ERR_NOT_FOUND) || move.status != rows[i].status ||
            !str_eq(move.location, str_c(rows[i].location)))
            fail_msg("%s %d", rows[i].key, rows[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
