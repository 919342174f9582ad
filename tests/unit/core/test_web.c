/* What a web page may ask: hosts and origins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/web.h"

static const struct core_config plain = {.endpoint = STR_INIT("http://127.0.0.1:4566")};
static const struct core_config opened = {
    .endpoint = STR_INIT("https://weir.example:8443/"),
    .allow_hosts = STR_INIT("host.docker.internal, box.lan"),
    .allow_origins = STR_INIT("http://localhost:3000,https://app.example"),
};
static const struct core_config any = {.allow_origins = STR_INIT("*")};

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        bool plain, opened;
    } rows[] = {
        {"127.0.0.1", true, true},
        {"127.0.0.1:4566", true, true},
        {"[::1]:4566", true, true},
        {"[::1]", true, true},
        {"192.0.2.7:4566", true, true},
        {"localhost", true, true},
        {"LocalHost:4566", true, true},
        {"localhost.:4566", true, true},
        {"bucket.localhost:4566", true, true},
        {"s3.localhost.localstack.cloud:4566", true, true},
        {"bucket.s3.us-east-1.amazonaws.com", true, true},
        {"sqs.cn-north-1.amazonaws.com.cn", true, true},
        {"abc.lambda-url.us-east-1.on.aws", true, true},
        {"weir.example:8443", false, true},
        {"bucket.weir.example", false, true},
        {"host.docker.internal:4566", false, true},
        {"bucket.box.lan", false, true},
        {"evil.example", false, false},
        {"evil.example:4566", false, false},
        {"evillocalhost", false, false},
        {"localhost.evil.example", false, false},
        {"127.0.0.1.evil.example", false, false},
        {"amazonaws.com.evil.example", false, false},
        {"xamazonaws.com", false, false},
        {"boxxlan", false, false},
        {"", false, false},
        {".", false, false},
        {":4566", false, false},
        {"[::1", false, false},
        {"0x7f000001", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str host = str_c(rows[i].host);
        if (web_host_known(&plain, host) != rows[i].plain ||
            web_host_known(&opened, host) != rows[i].opened)
            fail_msg("%s", rows[i].host);
    }
    assert_false(web_host_known(&any, STR("evil.example")));
}

static void test_url_suffix(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"amazonaws.com", true}, {"weir.test:4566", true}, {"localhost", true}, {"", false},
        {":1", false},           {"a:0", false},           {"a:x", false},      {"a:65536", false},
        {"a:", false},           {"a..b", false},          {".a", false},       {"a.", false},
        {"-a", false},           {"a/b", false},           {"http://a", false}, {"a b", false},
    };
    const struct core_config cfg = {.endpoint = STR("http://127.0.0.1:4566"),
                                    .url_suffix = STR("weir.test:4566")};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (web_is_authority(str_c(rows[i].text)) != rows[i].good)
            fail_msg("%s", rows[i].text);
    assert_true(web_host_known(&cfg, STR("a1b2.execute-api.us-east-1.weir.test:4566")));
    assert_false(web_host_known(&cfg, STR("xweir.test")));
}

static void test_origins(void **state)
{
    static const struct {
        const char *origin, *referer, *site, *host;
        bool plain, opened, any; /* foreign */
    } rows[] = {
        {NULL, NULL, NULL, "localhost:4566", false, false, false},
        {NULL, NULL, "none", "localhost:4566", false, false, false}, /* typed by the user */
        {NULL, NULL, "same-origin", "localhost:4566", false, false, false},
        {"http://localhost:4566", NULL, "same-origin", "localhost:4566", false, false, false},
        {"https://weir.example", NULL, NULL, "weir.example", false, false, false},
        {"http://localhost:3000", NULL, NULL, "localhost:4566", true, false, false},
        {"http://localhost:3000", NULL, "same-site", "localhost:4566", true, false, false},
        {"HTTP://LOCALHOST:3000", NULL, NULL, "localhost:4566", true, false, false},
        {"https://localhost:3000", NULL, NULL, "localhost:4566", true, true, false},
        {"http://localhost:30001", NULL, NULL, "localhost:4566", true, true, false},
        {"http://evil.example", NULL, "cross-site", "localhost:4566", true, true, false},
        {"http://evil.example", NULL, NULL, "localhost:4566", true, true, false},
        {"null", NULL, NULL, "localhost:4566", true, true, false},
        {"", NULL, NULL, "localhost:4566", true, true, false},
        {NULL, NULL, "cross-site", "localhost:4566", true, true,
         true}, /* which page is not known */
        {NULL, "http://evil.example/x", "cross-site", "localhost:4566", true, true, false},
        {NULL, "http://localhost:3000/a?b", "same-site", "localhost:4566", true, false, false},
        {"http://evil.example", "http://localhost:3000/", NULL, "localhost:4566", true, true,
         false},
        {"http://app.example@evil.example", NULL, NULL, "localhost:4566", true, true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct web_head w = {0};
        static const char *const names[] = {"ORIGIN", "referer", "Sec-Fetch-Site", "Host"};
        const char *values[] = {rows[i].origin, rows[i].referer, rows[i].site, rows[i].host};
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            if (values[k])
                web_note(&w, str_c(names[k]), str_c(values[k]));
        if (web_is_foreign(&plain, &w) != rows[i].plain ||
            web_is_foreign(&opened, &w) != rows[i].opened ||
            web_is_foreign(&any, &w) != rows[i].any)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_url_suffix),
        cmocka_unit_test(test_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
