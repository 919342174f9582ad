/* What CloudWatch Logs forgets, by a clock that the test moves: events after the retention of their group,
 * queries seven days after they ended; and which queries end before their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/page.h"
#include "deliver/due.h"
#include "help_fault.h"
#include "svc/logs/logs_keys.h"

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define NOON_MS (INT64_C(19700) * DAY_MS + 12 * HOUR_MS)
enum { POLLS_MAX = 200000, MANY = 5000, PUT_AT_ONCE = 1000 };

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

static enum err count_one(void *arg, struct str key, struct str record)
{
    ++*(int *)arg;
    return ERR_OK;
}

static enum err count(struct txn *txn, void *arg)
{
    *(int *)arg = 0;
    return txn_each(txn, key_range_table(txn->arena, &logs_k_event), count_one, arg);
}

/* Until the store holds so many events. */
static void until_stored(int want)
{
    int n = -1;
    for (int i = 0; i < POLLS_MAX && n != want; i++) {
        fine("DescribeLogGroups", "{}"); /* between requests the loop works */
        assert_int_equal(txn_run_now(&w.core, count, &n), ERR_OK);
    }
    assert_int_equal(n, want);
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
    pass(1);
    /* Not told from this very moment on, swept or not. */
    assert_null(strstr(logs("GetLogEvents", READ), "old"));
    assert_non_null(strstr(reply.body, "younger"));
    assert_null(strstr(logs("FilterLogEvents", "{\"logGroupName\":\"g\"}"), "old"));
    /* The sweep comes by itself, within an hour: what it took does not come back with another retention. */
    pass(HOUR_MS / 2);
    pass(HOUR_MS / 2 - 1);
    pass(1);
    until_stored(1);
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

static enum err damage_one(void *arg, struct str key, struct str record)
{
    struct txn *txn = arg;
    return txn_put(txn, str_dup(txn->arena, key), STR("\xff"));
}

static enum err damage(struct txn *txn, void *arg)
{
    return txn_each(txn, key_range_table(txn->arena, &logs_k_event), damage_one, txn);
}

/* What cannot be read now will not be read later: the query ends, and its place is free. */
static void queries_of_damaged_events_fail(void **state)
{
    char body[128], id[64] = "";
    fine("CreateLogGroup", "{\"logGroupName\":\"g\"}");
    fine("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}");
    put(NOON_MS, "text");
    assert_int_equal(txn_run_now(&w.core, damage, NULL), ERR_OK);
    fine("StartQuery",
         "{\"logGroupName\":\"g\",\"startTime\":0,\"endTime\":9999999999,\"queryString\":"
         "\"fields @message\"}");
    assert_int_equal(sscanf(reply.body, "{\"queryId\":\"%63[^\"]", id), 1);
    snprintf(body, sizeof(body), "{\"queryId\":\"%s\"}", id);
    for (int i = 0; i < POLLS_MAX && !strstr(logs("GetQueryResults", body), "Failed"); i++)
        deliver_wake(w.core.deliver);
    assert_non_null(strstr(reply.body, "\"status\":\"Failed\""));
}

/* Enough events that a query of them takes many steps. */
static void put_many(void)
{
    struct buf b;
    fine("CreateLogGroup", "{\"logGroupName\":\"g\"}");
    fine("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}");
    for (int n = 0; n < MANY; n += PUT_AT_ONCE) {
        buf_init(&b, 1 << 20);
        BUF_ADD_LIT(&b, "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"logEvents\":[");
        for (int i = n; i < n + PUT_AT_ONCE; i++)
            buf_add_fmt(&b, "%s{\"timestamp\":%lld,\"message\":\"{\\\"n\\\": %d}\"}",
                        i > n ? "," : "", (long long)NOON_MS + i, i);
        buf_add(&b, "]}", 3);
        assert_int_equal(buf_err(&b), ERR_OK);
        fine("PutLogEvents", b.p);
        buf_release(&b);
    }
}

/* Starts one; what asks for it. False: there are too many. */
static bool start(char body[128])
{
    char id[64] = "";
    logs("StartQuery",
         "{\"logGroupName\":\"g\",\"startTime\":0,\"endTime\":9999999999,\"queryString\":"
         "\"stats sum(n)\"}");
    if (reply.status != 200) {
        assert_non_null(strstr(reply.body, "LimitExceededException"));
        return false;
    }
    assert_int_equal(sscanf(reply.body, "{\"queryId\":\"%63[^\"]", id), 1);
    snprintf(body, 128, "{\"queryId\":\"%s\"}", id);
    return true;
}

static void queries_are_stopped(void **state)
{
    char body[128];
    put_many();
    for (int i = 0; i < POLLS_MAX; i++) {
        assert_true(start(body));
        logs("StopQuery", body);
        if (reply.status == 200)
            break;
        assert_non_null(strstr(reply.body, "InvalidParameterException")); /* it was faster */
    }
    assert_non_null(strstr(logs("GetQueryResults", body), "Cancelled"));
    logs("StopQuery", body);
    assert_non_null(strstr(reply.body, "InvalidParameterException"));
    /* Those that run too long end by themselves. */
    bool late = false;
    for (int i = 0; i < POLLS_MAX && !late; i++) {
        assert_true(start(body));
        if (!strstr(logs("GetQueryResults", body), "Running"))
            continue;
        pass(HOUR_MS + 1);
        for (int k = 0; k < POLLS_MAX && strstr(logs("GetQueryResults", body), "Running"); k++)
            deliver_wake(w.core.deliver);
        late = strstr(reply.body, "Timeout") != NULL;
    }
    assert_true(late);
}

static void too_many_queries(void **state)
{
    char body[128];
    int n = 0;
    put_many();
    while (n < POLLS_MAX && start(body))
        n++;
    assert_in_range(n, 100, POLLS_MAX - 1);
    /* As they end there is room again. */
    for (int i = 0; i < POLLS_MAX && !strstr(logs("GetQueryResults", body), "Complete"); i++)
        pass(200);
    assert_non_null(strstr(reply.body, "12497500"));
    assert_true(start(body));
}

static int up(void **state)
{
    world_begin(&w, NOON_MS);
    return 0;
}

static int down(void **state)
{
    world_end(&w, &reply);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(retention_is_kept_to), TEST(queries_are_forgotten),
                                       TEST(queries_of_damaged_events_fail),
                                       TEST(queries_are_stopped), TEST(too_many_queries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
