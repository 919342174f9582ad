/* What CloudWatch Logs forgets, by a clock that the test moves: events after the retention of their group,
 * queries seven days after they ended. */
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
#include "help_fault.h"

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define NOON_MS (INT64_C(19700) * DAY_MS + 12 * HOUR_MS)
enum { POLLS_MAX = 5000 };

static struct world w;
static struct reply reply;

/* The reply's body. */
static const char *logs(const char *operation, const char *body)
{
    char target[64];
    snprintf(target, sizeof(target), "Logs_20140328.%s", operation);
    struct request req = {
        .service = "logs", .target = target, .type = "application/x-amz-json-1.1", .body = body};
    world_call(&w, &req, &reply);
    return reply.body;
}

static void fine(const char *operation, const char *body)
{
    logs(operation, body);
    if (reply.status != 200)
        fail_msg("%s %s: %s", operation, body, reply.body);
}

static void pass(int64_t ms)
{
    clock_fake_advance_ms(ms);
    deliver_wake(w.core.deliver);
}

/* Firings of a kind of job so far. */
static unsigned long long fired(const char *kind)
{
    char name[64];
    struct buf b;
    buf_init(&b, 1 << 20);
    due_metrics(deliver_due(w.core.deliver), &b);
    buf_add_byte(&b, '\0');
    assert_int_equal(buf_err(&b), ERR_OK);
    snprintf(name, sizeof(name), "weir_due_fired_total{kind=\"%s\"} ", kind);
    const char *at = strstr(b.p, name);
    assert_non_null(at);
    unsigned long long n = strtoull(at + strlen(name), NULL, 10);
    buf_release(&b);
    return n;
}

static void until_fired(const char *kind, unsigned long long more_than)
{
    for (int i = 0; i < POLLS_MAX && fired(kind) <= more_than; i++)
        fine("DescribeLogGroups", "{}"); /* between requests the loop works */
    assert_true(fired(kind) > more_than);
}

static void put(int64_t at_ms, const char *message)
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"logEvents\":[{\"timestamp\":%lld,"
             "\"message\":\"%s\"}]}",
             (long long)at_ms, message);
    fine("PutLogEvents", body);
}

#define READ "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"startFromHead\":true}"

static void retention_is_kept_to(void **state)
{
    fine("CreateLogGroup", "{\"logGroupName\":\"g\"}");
    fine("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}");
    fine("PutRetentionPolicy", "{\"logGroupName\":\"g\",\"retentionInDays\":3}");
    put(NOON_MS, "old");
    put(NOON_MS + 2 * HOUR_MS - 1, "younger");
    pass(3 * DAY_MS);
    assert_non_null(strstr(logs("GetLogEvents", READ), "old")); /* three days are not over */
    unsigned long long before = fired("logs.sweep");
    pass(1);
    /* Not told from this very moment on, swept or not. */
    assert_null(strstr(logs("GetLogEvents", READ), "old"));
    assert_non_null(strstr(reply.body, "younger"));
    assert_null(strstr(logs("FilterLogEvents", "{\"logGroupName\":\"g\"}"), "old"));
    /* The sweep comes by itself, within an hour: what it took does not come back with another retention. */
    pass(HOUR_MS / 2);
    pass(HOUR_MS / 2 - 1);
    pass(1);
    until_fired("logs.sweep", before);
    fine("DeleteRetentionPolicy", "{\"logGroupName\":\"g\"}");
    assert_null(strstr(logs("GetLogEvents", READ), "old"));
    assert_non_null(strstr(reply.body, "younger"));
}

static void queries_are_forgotten(void **state)
{
    char body[128], id[64] = "";
    fine("CreateLogGroup", "{\"logGroupName\":\"g\"}");
    fine("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}");
    put(NOON_MS, "text");
    fine("StartQuery",
         "{\"logGroupName\":\"g\",\"startTime\":0,\"endTime\":9999999999,\"queryString\":"
         "\"fields @message\"}");
    assert_int_equal(sscanf(reply.body, "{\"queryId\":\"%63[^\"]", id), 1);
    snprintf(body, sizeof(body), "{\"queryId\":\"%s\"}", id);
    for (int i = 0; i < POLLS_MAX && !strstr(logs("GetQueryResults", body), "Complete"); i++)
        deliver_wake(w.core.deliver);
    assert_non_null(strstr(reply.body, "text"));
    unsigned long long before = fired("logs.query");
    pass(7 * DAY_MS - 1);
    assert_non_null(strstr(logs("GetQueryResults", body), "text"));
    assert_int_equal(fired("logs.query"), before);
    pass(1);
    for (int i = 0; i < POLLS_MAX && strstr(logs("GetQueryResults", body), "Complete"); i++)
        deliver_wake(w.core.deliver);
    assert_non_null(strstr(reply.body, "ResourceNotFoundException"));
    assert_non_null(strstr(logs("DescribeQueries", "{}"), "\"queries\":[]"));
}

static int up(void **state)
{
    clock_fake_set_ms(NOON_MS);
    world_make(&w);
    world_up(&w);
    return 0;
}

static int down(void **state)
{
    world_down(&w);
    world_remove(&w);
    reply_free(&reply);
    clock_fake_set_ms(-1);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(retention_is_kept_to), TEST(queries_are_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
