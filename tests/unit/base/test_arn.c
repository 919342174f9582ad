/* ARNs: parts, segments by each service's form, malformed ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arn.h"

static bool is(struct str got, const char *want)
{
    return want ? str_is_set(got) && str_eq_c(got, want) : !str_is_set(got);
}

static void test_segments(void **state)
{
    static const struct {
        const char *arn;
        const char *segment[4]; /* NULL: none */
        const char *tail, *last;
    } rows[] = {
        {"arn:aws:sqs:us-east-1:123456789012:q", {"q"}, NULL, "q"},
        {"arn:aws:lambda:eu-west-1:123456789012:function:f:PROD",
         {"function", "f", "PROD"},
         "f:PROD",
         "PROD"},
        {"arn:aws:lambda:eu-west-1:123456789012:function:f", {"function", "f"}, "f", "f"},
        {"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*",
         {"log-group", "/aws/lambda/f", "*"},
         "/aws/lambda/f:*",
         "*"},
        {"arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:2026/01/[$LATEST]a",
         {"log-group", "g", "log-stream", "2026/01/[$LATEST]a"},
         "g:log-stream:2026/01/[$LATEST]a",
         "2026/01/[$LATEST]a"},
        {"arn:aws:dynamodb:us-east-1:123456789012:table/T/index/I",
         {"table", "T", "index", "I"},
         "T/index/I",
         "I"},
        {"arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/2026-01-01T00:00:00.000",
         {"table", "T", "stream", "2026-01-01T00:00:00.000"},
         "T/stream/2026-01-01T00:00:00.000",
         "2026-01-01T00:00:00.000"},
        {"arn:aws:iam::123456789012:role/service-role/a/r",
         {"role", "service-role", "a", "r"},
         "service-role/a/r",
         "r"},
        {"arn:aws:iam::aws:policy/ReadOnlyAccess",
         {"policy", "ReadOnlyAccess"},
         "ReadOnlyAccess",
         "ReadOnlyAccess"},
        {"arn:aws:iam::123456789012:root", {"root"}, NULL, "root"},
        {"arn:aws:s3:::bucket", {"bucket"}, NULL, "bucket"},
        {"arn:aws:s3:::bucket/a/b:c", {"bucket", "a", "b:c"}, "a/b:c", "b:c"},
        {"arn:aws-cn:sns:cn-north-1:123456789012:topic:0-1", {"topic", "0-1"}, "0-1", "0-1"},
        {"arn:aws:apigateway:us-east-1::/restapis/x", {"", "restapis", "x"}, "restapis/x", "x"},
        {"arn:aws:events:us-east-1:123456789012:rule/bus/", {"rule", "bus", ""}, "bus/", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arn a;
        if (arn_parse(str_c(rows[i].arn), &a) != ERR_OK)
            fail_msg("%s", rows[i].arn);
        for (size_t s = 0; s < 4; s++)
            if (!is(arn_segment(&a, s), rows[i].segment[s]))
                fail_msg("%s segment %zu", rows[i].arn, s);
        assert_false(str_is_set(arn_segment(&a, 4)));
        if (!is(arn_tail(&a, 1), rows[i].tail) || !is(arn_last(&a), rows[i].last))
            fail_msg("%s", rows[i].arn);
        assert_true(str_eq(arn_tail(&a, 0), a.resource));
    }
}

static void test_malformed(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("arn"),
        STR_INIT("arn:"),
        STR_INIT("ARN:aws:sqs:us-east-1:123456789012:q"),
        STR_INIT("arn:aws:sqs:us-east-1:123456789012"),
        STR_INIT("arn:aws:sqs:us-east-1:123456789012:"),
        STR_INIT("arn::sqs:us-east-1:123456789012:q"),
        STR_INIT("arn:aws::us-east-1:123456789012:q"),
        STR_INIT("arn:aws:SQS:us-east-1:123456789012:q"),
        STR_INIT("arn:aws:sqs:us east:123456789012:q"),
        STR_INIT("arn:aws:sqs:*:123456789012:q"),
        STR_INIT("arn:aws:sqs:us-east-1:12345678901:q"),
        STR_INIT("arn:aws:sqs:us-east-1:1234567890123:q"),
        STR_INIT("arn:aws:sqs:us-east-1:12345678901x:q"),
        STR_INIT("arn:aws:sqs:us-east-1:123456789012:q\n"),
        STR_INIT("arn:aws:sqs:us-east-1:123456789012:a b"),
        STR_INIT("arn:aws:sqs:us-east-1:123456789012:a\0b"),
    };
    struct arn a;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (arn_parse(rows[i], &a) != ERR_INVALID)
            fail_msg("row %zu: %s", i, rows[i].p);
    char big[ARN_BYTES_MAX + 2] = "arn:aws:sqs:us-east-1:123456789012:";
    for (size_t i = strlen(big); i < sizeof(big) - 1; i++)
        big[i] = 'q';
    assert_int_equal(arn_parse(str_n(big, ARN_BYTES_MAX), &a), ERR_OK);
    assert_int_equal(arn_parse(str_n(big, ARN_BYTES_MAX + 1), &a), ERR_INVALID);
    assert_int_equal(arn_parse_object(str_n(big, ARN_BYTES_MAX + 1), &a), ERR_OK);
}

static void test_parse_as(void **state)
{
    struct arn a;
    struct str f = STR("arn:aws:lambda:us-east-1:123456789012:function:f");
    assert_int_equal(arn_parse_as(f, "lambda", "function", &a), ERR_OK);
    assert_int_equal(arn_parse_as(f, "lambda", NULL, &a), ERR_OK);
    assert_int_equal(arn_parse_as(f, "lambda", "layer", &a), ERR_INVALID);
    assert_int_equal(arn_parse_as(f, "sqs", NULL, &a), ERR_INVALID);
}

static void test_make(void **state)
{
    struct arena arena;
    struct arn a = {STR("aws"), STR("logs"), STR("us-east-1"), STR("000000000000"), STR_NONE}, b;
    arena_init(&arena, 4096);
    struct str text = arn_make(&arena, &a, "log-group:%s:*", "/g");
    assert_true(str_eq_c(text, "arn:aws:logs:us-east-1:000000000000:log-group:/g:*"));
    assert_int_equal(arn_parse(text, &b), ERR_OK);
    assert_true(str_eq(b.region, a.region) && str_eq_c(b.resource, "log-group:/g:*"));
    arena_release(&arena);
    arena_init(&arena, 16);
    assert_false(str_is_set(arn_make(&arena, &a, "x")));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_parse_as),
        cmocka_unit_test(test_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
