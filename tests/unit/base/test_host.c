/* Host names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include "base/host.h"

static void test_bare(void **state)
{
    static const struct {
        const char *host, *bare;
    } rows[] = {
        {"s3.amazonaws.com:443", "s3.amazonaws.com"},
        {"s3.amazonaws.com.", "s3.amazonaws.com"},
        {"s3.amazonaws.com.:80", "s3.amazonaws.com"},
        {"[::1]:4566", "::1"},
        {"[::1]", "::1"},
        {"[::1", "[::1"},
        {"localhost", "localhost"},
        {".", "."},
        {":80", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!str_eq_c(host_bare(str_c(rows[i].host)), rows[i].bare))
            fail_msg("%s", rows[i].host);
}

static void test_below(void **state)
{
    static const struct {
        const char *host, *domain;
        bool below;
    } rows[] = {
        {"weir", "weir", true},      {"b.weir", "weir", true},  {"B.WEIR", "weir", true},
        {"evilweir", "weir", false}, {"weir.b", "weir", false}, {"", "weir", false},
        {"weir", "", false},         {".weir", "weir", true},   {"eir", "weir", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (host_is_below(str_c(rows[i].host), str_c(rows[i].domain)) != rows[i].below)
            fail_msg("%s, %s", rows[i].host, rows[i].domain);
}

static void test_aws(void **state)
{
    static const struct {
        const char *host;
        bool aws;
    } rows[] = {
        {"s3.amazonaws.com", true},
        {"amazonaws.com", true},
        {"S3.EU-West-1.AmazonAWS.Com", true},
        {"sqs.us-east-1.amazonaws.com", true},
        {"eu-west-1.queue.amazonaws.com", true},
        {"dynamodb.us-east-1.api.aws", true},
        {"x.lambda-url.eu-west-1.on.aws", true},
        {"p.auth.eu-west-1.amazoncognito.com", true},
        {"s3.cn-north-1.amazonaws.com.cn", true},
        {"evilamazonaws.com", false},
        {"amazonaws.com.example.com", false},
        {"api.aws.example", false},
        {"aws", false},
        {"com", false},
        {"", false},
        {".", false},
        {"amazonaws.com..", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (host_is_aws(str_c(rows[i].host)) != rows[i].aws)
            fail_msg("%s", rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_aws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
