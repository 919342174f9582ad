/* Delivery policies: what is taken, what holds, and when a retry comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/sns/sns_int.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

#define RETRY(x) "{\"healthyRetryPolicy\":{" x "}}"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        bool of_topic;
        enum err want;
    } rows[] = {
        {"", false, ERR_OK},
        {"{}", false, ERR_OK},
        {RETRY("\"numRetries\":100,\"minDelayTarget\":1,\"maxDelayTarget\":3600"), false, ERR_OK},
        {RETRY("\"numRetries\":101"), false, ERR_INVALID},
        {RETRY("\"numRetries\":-1"), false, ERR_INVALID},
        {RETRY("\"numRetries\":1.5"), false, ERR_INVALID},
        {RETRY("\"numRetries\":\"1\""), false, ERR_INVALID},
        {RETRY("\"minDelayTarget\":0"), false, ERR_INVALID},
        {RETRY("\"maxDelayTarget\":3601"), false, ERR_INVALID},
        {RETRY("\"minDelayTarget\":30,\"maxDelayTarget\":29"), false, ERR_INVALID},
        {RETRY("\"numRetries\":3,\"numNoDelayRetries\":1,\"numMinDelayRetries\":1,"
               "\"numMaxDelayRetries\":1"),
         false, ERR_OK},
        {RETRY("\"numRetries\":2,\"numNoDelayRetries\":1,\"numMinDelayRetries\":1,"
               "\"numMaxDelayRetries\":1"),
         false, ERR_INVALID},
        {RETRY("\"numRetries\":1,\"numNoDelayRetries\":9223372036854775807,"
               "\"numMinDelayRetries\":9223372036854775807"),
         false, ERR_INVALID},
        {RETRY("\"odd\":1"), false, ERR_INVALID},
        {RETRY("\"backoffFunction\":\"geometric\""), false, ERR_OK},
        {RETRY("\"backoffFunction\":\"odd\""), false, ERR_INVALID},
        {"{\"healthyRetryPolicy\":null,\"sicklyRetryPolicy\":null,\"guaranteed\":false}", false,
         ERR_OK},
        {"{\"guaranteed\":true}", false, ERR_INVALID},
        {"{\"throttlePolicy\":{\"maxReceivesPerSecond\":1}}", false, ERR_INVALID},
        {"{\"requestPolicy\":{\"headerContentType\":\"application/json; charset=UTF-8\"}}", false,
         ERR_OK},
        {"{\"requestPolicy\":{\"headerContentType\":\"image/png\"}}", false, ERR_INVALID},
        {"{\"requestPolicy\":{\"headerContentType\":\"text/plain\",\"odd\":1}}", false,
         ERR_INVALID},
        {"{\"http\":{}}", false, ERR_INVALID},
        {"{\"http\":{}}", true, ERR_OK},
        {"{\"http\":{\"disableSubscriptionOverrides\":true}}", true, ERR_OK},
        {"{\"http\":{\"disableSubscriptionOverrides\":1}}", true, ERR_INVALID},
        {"{\"http\":{\"healthyRetryPolicy\":{}}}", true, ERR_INVALID},
        {"{}", true, ERR_INVALID},
        {"{\"http\":{},\"sqs\":{}}", true, ERR_INVALID},
        {"[]", true, ERR_INVALID},
        {"{", true, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sns_delivery d;
        const char *why = NULL;
        enum err err = sns_delivery_parse(&arena, str_c(rows[i].text), rows[i].of_topic, &d, &why);
        if (err != rows[i].want)
            fail_msg("%s: %s %s", rows[i].text, err_name(err), why ? why : "");
        assert_true((err == ERR_INVALID) == (why != NULL));
    }
}

static struct sns_delivery parsed(const char *text, bool of_topic)
{
    struct sns_delivery d;
    const char *why;
    assert_int_equal(sns_delivery_parse(&arena, str_c(text), of_topic, &d, &why), ERR_OK);
    return d;
}

static void test_effective(void **state)
{
    struct sns_delivery none = parsed("", true);
    struct sns_delivery topic = parsed(
        "{\"http\":{\"defaultHealthyRetryPolicy\":{\"numRetries\":7},\"defaultRequestPolicy\":{"
        "\"headerContentType\":\"text/xml\"}}}",
        true);
    struct sns_delivery only = parsed("{\"http\":{\"disableSubscriptionOverrides\":true}}", true);
    struct sns_delivery sub = parsed(RETRY("\"numRetries\":9"), false);
    struct sns_delivery d = sns_delivery_effective(&none, NULL);
    assert_int_equal(d.retry.retries, 3);
    assert_true(str_eq_c(d.content_type, "text/plain; charset=UTF-8"));
    d = sns_delivery_effective(&topic, NULL);
    assert_int_equal(d.retry.retries, 7);
    d = sns_delivery_effective(&topic, &sub);
    assert_int_equal(d.retry.retries, 9);
    assert_true(str_eq_c(d.content_type, "text/xml"));
    d = sns_delivery_effective(&only, &sub);
    assert_int_equal(d.retry.retries, 3);
    struct str text = sns_delivery_text(&arena, &d, false);
    assert_true(str_starts(text, STR("{\"healthyRetryPolicy\":{\"minDelayTarget\":20,")));
}

/* Seven retries: one at once, two at the least delay, three backing off, one at the greatest. */
static void test_delays(void **state)
{
    struct sns_retry r = {
        .min_delay_s = 2, .max_delay_s = 10, .retries = 7, .no_delay = 1, .at_min = 2, .at_max = 1};
    static const int64_t want[SNS_BACKOFFS][8] = {
        [SNS_LINEAR] = {0, 0, 2000, 2000, 2000, 6000, 10000, 10000},
        [SNS_ARITHMETIC] = {0, 0, 2000, 2000, 2000, 5000, 10000, 10000},
        [SNS_GEOMETRIC] = {0, 0, 2000, 2000, 2000, 4000, 10000, 10000},
        [SNS_EXPONENTIAL] = {0, 0, 2000, 2000, 2000, 3000, 10000, 10000},
    };
    for (unsigned k = 0; k < SNS_BACKOFFS; k++) {
        r.backoff = (enum sns_backoff)k;
        for (int n = 1; n <= 7; n++)
            assert_int_equal(sns_retry_delay_ms(&r, n), want[k][n]);
    }
    struct sns_retry one = {.min_delay_s = 2, .max_delay_s = 10, .retries = 1};
    assert_int_equal(sns_retry_delay_ms(&one, 1), 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_effective, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delays, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
