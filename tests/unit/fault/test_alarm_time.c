/* When alarms look at their metrics, by a clock that the test moves: back from each minute, and not at all
 * while nothing can change. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "deliver/due.h"
#include "help_world.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, POLLS_MAX = 200000 };
/* Ten seconds after 09:41, which is in the middle of a period of any length. */
static const int64_t T0_MS = 1790588470000;

static struct world w;
static struct reply reply;

static void ask(const char *op, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void ask(const char *op, const char *fmt, ...)
{
    char target[128], body[2048];
    va_list ap;
    va_start(ap, fmt);
    assert_true(vsnprintf(body, sizeof(body), fmt, ap) < (int)sizeof(body));
    va_end(ap);
    snprintf(target, sizeof(target), "GraniteServiceVersion20100801.%s", op);
    const struct request req = {.service = "monitoring",
                                .target = target,
                                .type = "application/x-amz-json-1.0",
                                .body = body};
    world_call(&w, &req, &reply);
    if (reply.status != 200)
        fail_msg("%s: %d %s", op, reply.status, reply.body);
}

static void alarm_of(int period_s, int periods, const char *missing)
{
    ask("PutMetricAlarm",
        "{\"AlarmName\":\"a\",\"Namespace\":\"n\",\"MetricName\":\"m\",\"Statistic\":\"Sum\","
        "\"Period\":%d,\"EvaluationPeriods\":%d,\"DatapointsToAlarm\":1,\"Threshold\":5,"
        "\"TreatMissingData\":\"%s\",\"ComparisonOperator\":\"GreaterThanThreshold\"}",
        period_s, periods, missing);
}

static void put(int value, int resolution_s)
{
    ask("PutMetricData",
        "{\"Namespace\":\"n\",\"MetricData\":[{\"MetricName\":\"m\",\"Value\":%d,"
        "\"StorageResolution\":%d,\"Timestamp\":%" PRId64 "}]}",
        value, resolution_s, clock_wall_ms() / 1000);
}

/* How often alarms were looked at so far. */
static uint64_t fired(void)
{
    static const char mark[] = "weir_due_fired_total{kind=\"cloudwatch.alarm\"} ";
    struct buf b;
    buf_init(&b, SIZE_MAX);
    due_metrics(deliver_due(w.core.deliver), &b);
    buf_add_byte(&b, 0);
    assert_int_equal(buf_err(&b), ERR_OK);
    const char *at = strstr(buf_str(&b).p, mark);
    assert_non_null(at);
    uint64_t n = strtoull(at + strlen(mark), NULL, 10);
    buf_release(&b);
    return n;
}

/* The engine fires on the loop, between requests. */
static void until(const char *state)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        ask("DescribeAlarms", "{}");
        if (strstr(reply.body, state))
            return;
        deliver_wake(w.core.deliver);
    }
    fail_msg("the alarm does not become %s: %s", state, reply.body);
}

static void until_fired(uint64_t n)
{
    for (int i = 0; i < POLLS_MAX && fired() < n; i++) {
        deliver_wake(w.core.deliver);
        ask("DescribeAlarms", "{}");
    }
    assert_true(fired() >= n);
}

#define IS_ALARM "\"StateValue\":\"ALARM\""
#define IS_OK "\"StateValue\":\"OK\""
#define IS_INSUFFICIENT "\"StateValue\":\"INSUFFICIENT_DATA\""

static void pass(int64_t ms)
{
    clock_fake_advance_ms(ms);
    deliver_wake(w.core.deliver);
}

static void a_long_period_is_judged_each_minute(void **state)
{
    alarm_of(3600, 1, "missing");
    until_fired(1);
    put(3, 60);
    pass(MINUTE_MS);
    until(IS_OK);
    put(3, 60); /* in another minute, and in the same hour that ends now */
    pass(MINUTE_MS);
    until(IS_ALARM);
    assert_non_null(strstr(reply.body, "[6.0 (28/09/26 08:43:00)]"));
}

static void a_value_counts_for_as_long_as_it_is_looked_at(void **state)
{
    alarm_of(300, 1, "missing");
    until_fired(1);
    put(9, 60);
    pass(MINUTE_MS);
    until(IS_ALARM);
    uint64_t before = fired();
    for (int i = 0; i < 14; i++) {
        pass(MINUTE_MS);
        ask("DescribeAlarms", "{}");
        assert_non_null(strstr(reply.body, IS_ALARM));
    }
    pass(MINUTE_MS);
    until(IS_INSUFFICIENT);
    /* It passed from period to period, twice, and out: nothing else was looked at. */
    until_fired(before + 3);
    pass(24 * 60 * MINUTE_MS);
    ask("DescribeAlarms", "{}");
    assert_int_equal(fired(), before + 3);
}

static void an_alarm_without_data_sleeps(void **state)
{
    alarm_of(60, 1, "breaching");
    until(IS_ALARM);
    uint64_t before = fired();
    for (int i = 0; i < 100; i++)
        pass(MINUTE_MS);
    ask("DescribeAlarms", "{}");
    assert_int_equal(fired(), before);
}

static void a_value_of_later_is_waited_for(void **state)
{
    alarm_of(60, 1, "notBreaching");
    until(IS_OK);
    ask("PutMetricData",
        "{\"Namespace\":\"n\",\"MetricData\":[{\"MetricName\":\"m\",\"Value\":1,\"Timestamp\":"
        "%" PRId64 "},{\"MetricName\":\"m\",\"Value\":9,\"Timestamp\":%" PRId64 "}]}",
        clock_wall_ms() / 1000, clock_wall_ms() / 1000 + 3600);
    uint64_t before = fired();
    pass(MINUTE_MS);
    until_fired(before + 1);
    ask("DescribeAlarms", "{}");
    assert_non_null(strstr(reply.body, IS_OK));
    pass(60 * MINUTE_MS);
    until(IS_ALARM);
}

static void seconds_are_judged_each_ten(void **state)
{
    alarm_of(30, 1, "missing");
    until_fired(1);
    put(9, 1);
    pass(12 * SECOND_MS);
    until(IS_ALARM);
}

static void many_short_periods(void **state)
{
    alarm_of(10, 8640, "missing");
    until_fired(1);
    put(9, 1);
    pass(12 * SECOND_MS);
    until(IS_ALARM);
}

static void days_are_judged_each_hour(void **state)
{
    alarm_of(86400, 2, "missing");
    until_fired(1);
    put(9, 60);
    uint64_t before = fired();
    for (int i = 0; i < 18; i++)
        pass(MINUTE_MS);
    ask("DescribeAlarms", "{}");
    assert_int_equal(fired(), before);
    pass(2 * MINUTE_MS);
    until(IS_ALARM);
}

static int up(void **state)
{
    world_begin(&w, T0_MS);
    return 0;
}

static int down(void **state)
{
    world_end(&w, &reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_long_period_is_judged_each_minute, up, down),
        cmocka_unit_test_setup_teardown(a_value_counts_for_as_long_as_it_is_looked_at, up, down),
        cmocka_unit_test_setup_teardown(an_alarm_without_data_sleeps, up, down),
        cmocka_unit_test_setup_teardown(a_value_of_later_is_waited_for, up, down),
        cmocka_unit_test_setup_teardown(seconds_are_judged_each_ten, up, down),
        cmocka_unit_test_setup_teardown(many_short_periods, up, down),
        cmocka_unit_test_setup_teardown(days_are_judged_each_hour, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
