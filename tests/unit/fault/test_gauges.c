/* What services tell of what is at a moment: asked here at once, and not at the next whole minute. */
#include <inttypes.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/svc.h"
#include "help_fault.h"

enum { POLLS_MAX = 1000, POLL_MS = 20, AGE_S = 120, DAY_MS = 24 * 3600 * 1000 };
static const int64_t T0_MS = 1790588470000;

static struct world w;
static struct reply reply;
static sem_t done;

static void ask(const struct request *req)
{
    world_call(&w, req, &reply);
    if (reply.status != 200)
        fail_msg("%d %s", reply.status, reply.body);
}

static void on_loop(struct io_task *task)
{
    for (size_t i = 0; i < w.core.n_svcs; i++)
        if (w.core.svcs[i].def->gauges)
            w.core.svcs[i].def->gauges(w.core.svcs[i].self);
    sem_post(&done);
}

static void ask_gauges(void)
{
    struct io_task task = {.fn = on_loop};
    io_post(w.loop, &task);
    sem_wait(&done);
}

#define DIM(name, value) "{\"Name\":\"" name "\",\"Value\":\"" value "\"}"

/* The greatest value of a metric; what was told is put within a second. */
static void expect_of(const char *space, const char *dims, const char *metric, const char *value)
{
    char body[1024], wanted[64];
    int64_t now_s = clock_wall_ms() / 1000;
    snprintf(
        body, sizeof(body),
        "{\"Namespace\":\"%s\",\"MetricName\":\"%s\",\"Dimensions\":[%s],\"StartTime\":%" PRId64
        ",\"EndTime\":%" PRId64 ",\"Period\":3600,\"Statistics\":[\"Maximum\"]}",
        space, metric, dims, now_s - 3600, now_s + 3600);
    snprintf(wanted, sizeof(wanted), "\"Maximum\":%s,", value);
    const struct request req = {.service = "monitoring",
                                .target = "GraniteServiceVersion20100801.GetMetricStatistics",
                                .type = "application/x-amz-json-1.0",
                                .body = body};
    for (int i = 0; i < POLLS_MAX; i++) {
        ask(&req);
        if (strstr(reply.body, wanted) || strstr(reply.body, "\"Maximum\""))
            break;
        (void)poll(NULL, 0, POLL_MS);
    }
    for (char *c = reply.body; (c = strchr(c, '}'));)
        *c = ','; /* whatever follows the number */
    if (!strstr(reply.body, wanted))
        fail_msg("%s is not %s: %s", metric, value, reply.body);
}

static void expect(const char *metric, const char *value)
{
    expect_of("AWS/SQS", DIM("QueueName", "q"), metric, value);
}

#define QUEUE "\"QueueUrl\":\"http://h/000000000000/q\""

static void a_queue_tells_what_waits(void **state)
{
    ask(&(const struct request)SQS("CreateQueue", "{\"QueueName\":\"q\"}"));
    ask(&(const struct request)SQS("SendMessage", "{" QUEUE ",\"MessageBody\":\"oldest\"}"));
    ask(&(const struct request)SQS("ReceiveMessage", "{" QUEUE ",\"VisibilityTimeout\":600}"));
    clock_fake_advance_ms(AGE_S * 1000);
    ask(&(const struct request)SQS("SendMessage", "{" QUEUE ",\"MessageBody\":\"a\"}"));
    ask(&(const struct request)SQS("SendMessage", "{" QUEUE ",\"MessageBody\":\"b\"}"));
    ask(&(const struct request)SQS("SendMessage",
                                   "{" QUEUE ",\"MessageBody\":\"c\",\"DelaySeconds\":900}"));
    ask_gauges();
    expect("ApproximateNumberOfMessagesVisible", "2");
    expect("ApproximateNumberOfMessagesNotVisible", "1");
    expect("ApproximateNumberOfMessagesDelayed", "1");
    expect("ApproximateAgeOfOldestMessage", "120");
    expect("NumberOfMessagesSent", "1");
}

#define TABLE                                                                                      \
    "{\"TableName\":\"tab\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"      \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"               \
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":400,\"WriteCapacityUnits\":8},"              \
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"idx\",\"KeySchema\":[{\"AttributeName\":\"id\"," \
    "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"},"                          \
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1200,\"WriteCapacityUnits\":3}}]}"
#define OF_TABLE DIM("TableName", "tab")
#define OF_INDEX DIM("GlobalSecondaryIndexName", "idx") "," OF_TABLE

static void a_table_tells_what_it_has(void **state)
{
    static const struct {
        const char *dims, *metric, *value;
    } rows[] = {
        {OF_TABLE, "ProvisionedReadCapacityUnits", "400"},
        {OF_TABLE, "ProvisionedWriteCapacityUnits", "8"},
        {OF_INDEX, "ProvisionedReadCapacityUnits", "1200"},
        {OF_INDEX, "ProvisionedWriteCapacityUnits", "3"},
        {"", "AccountMaxReads", "80000"},
        {"", "AccountMaxTableLevelWrites", "40000"},
        {"", "AccountProvisionedReadCapacityUtilization", "2"},
        {"", "MaxProvisionedTableReadCapacityUtilization", "3"},
    };
    ask(&(const struct request)DDB("CreateTable", TABLE));
    ask(&(const struct request)DDB("GetItem",
                                   "{\"TableName\":\"tab\",\"Key\":{\"id\":{\"S\":\"a\"}}}"));
    ask_gauges();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_of("AWS/DynamoDB", rows[i].dims, rows[i].metric, rows[i].value);
}

static void s3(const char *method, const char *path, const char *body)
{
    ask(&(const struct request){.service = "s3", .method = method, .path = path, .body = body});
}

/* The number of days since the beginning is of midnight: the count waits for it. */
static void a_bucket_tells_its_size_each_day(void **state)
{
    static const struct {
        const char *type, *metric, *value;
    } rows[] = {
        {DIM("BucketName", "bkt") "," DIM("StorageType", "AllStorageTypes"), "NumberOfObjects",
         "4"},
        {DIM("BucketName", "bkt") "," DIM("StorageType", "StandardStorage"), "BucketSizeBytes",
         "9"},
        {DIM("BucketName", "empty") "," DIM("StorageType", "AllStorageTypes"), "NumberOfObjects",
         "0"},
    };
    s3("PUT", "/bkt", NULL);
    s3("PUT", "/empty", NULL);
    s3("PUT", "/bkt?versioning",
       "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    s3("PUT", "/bkt/old", "12345");
    s3("PUT", "/bkt/old", "123");
    s3("PUT", "/bkt/k", "1");
    const struct request mark = {.service = "s3", .method = "DELETE", .path = "/bkt/old"};
    world_call(&w, &mark, &reply);
    assert_int_equal(reply.status, 204);
    clock_fake_advance_ms(DAY_MS);
    deliver_wake(w.core.deliver);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_of("AWS/S3", rows[i].type, rows[i].metric, rows[i].value);
}

static int up(void **state)
{
    sem_init(&done, 0, 0);
    world_begin(&w, T0_MS);
    return 0;
}

static int down(void **state)
{
    world_end(&w, &reply);
    sem_destroy(&done);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queue_tells_what_waits, up, down),
        cmocka_unit_test_setup_teardown(a_table_tells_what_it_has, up, down),
        cmocka_unit_test_setup_teardown(a_bucket_tells_its_size_each_day, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
