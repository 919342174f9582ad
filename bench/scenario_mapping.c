/* Event source mappings: from a change to the function's first instruction, and how fast a backlog drains. */
#include "scenarios.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "setup.h"

enum {
    PUTS = 200,
    PAUSE_MS = 10, /* between puts that are timed one by one */
    BACKLOG = 100000,
    BATCH_MESSAGES = 10,
    BATCH_ITEMS = 25,
    CONNECTIONS = 16,
    WAIT_MS = 12 * 1000, /* for a backlog: a run stays bounded */
};

struct work {
    struct bench *b;
    const char *table;
    struct setup_queue queue, out;
};

static enum err create_table(struct work *w, const char *name)
{
    char body[512];
    int n = snprintf(body, sizeof(body),
                     "{\"TableName\":\"%s\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":"
                     "\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
                     "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\","
                     "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":"
                     "\"NEW_IMAGE\"}}",
                     name);
    w->table = name;
    return setup_json(w->b, "dynamodb", "DynamoDB_20120810.CreateTable", str_n(body, (size_t)n));
}

static enum err stream_arn(struct work *w, char *out, size_t size)
{
    char body[128];
    struct buf reply;
    int n = snprintf(body, sizeof(body), "{\"TableName\":\"%s\"}", w->table);
    const struct aws_request req = {
        .method = "POST",
        .service = "dynamodb",
        .target = "DynamoDB_20120810.DescribeTable",
        .content_type = "application/x-amz-json-1.0",
        .body = str_n(body, (size_t)n),
    };
    buf_init(&reply, 16 * 1024);
    enum err err = aws_call(&w->b->aws, &req, false, &reply);
    struct str arn = aws_json_text(buf_str(&reply), "LatestStreamArn");
    if (err == ERR_OK && !str_is_set(arn))
        err = ERR_FAILED;
    (void)snprintf(out, size, STR_FMT, STR_ARG(arn));
    buf_release(&reply);
    return err;
}

static enum err map(struct bench *b, const char *function, const char *source, const char *more)
{
    char body[1024];
    int n = snprintf(body, sizeof(body), "{\"FunctionName\":\"%s\",\"EventSourceArn\":\"%s\"%s}",
                     function, source, more);
    const struct aws_request req = {
        .method = "POST",
        .service = "lambda",
        .path = STR("/2015-03-31/event-source-mappings"),
        .content_type = "application/json",
        .body = str_n(body, (size_t)n),
    };
    return aws_call(&b->aws, &req, false, NULL);
}

/* --- from the change to the function ---------------------------------------------------------------- */

static void put_make(void *ctx, struct load_conn *c)
{
    const struct work *w = ctx;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    buf_clear(&c->text);
    buf_add_fmt(&c->text,
                "{\"TableName\":\"%s\",\"Item\":{\"id\":{\"S\":\"k-%llu\"},\"sent\":{\"N\":"
                "\"%lld%09ld\"}}}",
                w->table, (unsigned long long)c->number, (long long)now.tv_sec, now.tv_nsec);
    aws_write_json(&w->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.PutItem", buf_str(&c->text));
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Up to ten messages of the function's: adds up the records that they tell of, and keeps their latencies
 * where `us` has room. They stay, received, as nobody asks again. */
static enum err take(struct work *w, int64_t *us, size_t room, size_t *ret_n, uint64_t *records)
{
    char body[400];
    struct buf reply;
    int n = snprintf(body, sizeof(body),
                     "{\"QueueUrl\":\"%s\",\"WaitTimeSeconds\":5,\"MaxNumberOfMessages\":10}",
                     w->out.url);
    const struct aws_request req = {
        .method = "POST",
        .service = "sqs",
        .target = "AmazonSQS.ReceiveMessage",
        .content_type = "application/x-amz-json-1.0",
        .body = str_n(body, (size_t)n),
    };
    buf_init(&reply, 64 * 1024);
    enum err err = aws_call(&w->b->aws, &req, false, &reply);
    struct str rest = buf_str(&reply);
    size_t at;
    *ret_n = 0;
    while (err == ERR_OK && (at = str_find_str(rest, STR("\"n="))) != SIZE_MAX) {
        int64_t of, took;
        rest = str_sub(rest, at + 3, SIZE_MAX);
        err = str_to_i64(str_cut(&rest, ' '), &of);
        rest = str_sub(rest, 3, SIZE_MAX); /* us= */
        if (err == ERR_OK)
            err = str_to_i64(str_cut(&rest, ' '), &took);
        if (err == ERR_OK && *ret_n < room)
            us[*ret_n] = took;
        *records += err == ERR_OK ? (uint64_t)of : 0;
        ++*ret_n;
    }
    if (err == ERR_OK && *ret_n == 0)
        err = ERR_TIMEOUT;
    buf_release(&reply);
    return err;
}

static enum err latency(struct bench *b)
{
    struct work w = {.b = b};
    int64_t us[PUTS];
    char arn[256];
    const struct load_plan plan = {
        .requests = PUTS,
        .connections = 1,
        .pause_ms = PAUSE_MS,
        .make = put_make,
        .ctx = &w,
    };
    struct load_result r;
    TRY(setup_queue(b, "latencies", &w.out));
    TRY(setup_function(b, &b->consumer, "latency", w.out.url));
    TRY(create_table(&w, "latency"));
    TRY(stream_arn(&w, arn, sizeof(arn)));
    TRY(map(b, "latency", arn, ",\"StartingPosition\":\"TRIM_HORIZON\",\"BatchSize\":1"));
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    uint64_t records = 0;
    for (size_t got = 0, n; got < PUTS; got += n)
        TRY(take(&w, us + got, PUTS - got, &n, &records));
    qsort(us, PUTS, sizeof(us[0]), by_size);
    printf("PutItem to its consumer's first instruction, one by one: p50 %.2f ms (budget 5 ms), "
           "p90 %.2f ms\n",
           (double)us[PUTS / 2] / 1e3, (double)us[PUTS * 9 / 10] / 1e3);
    return ERR_OK;
}

/* --- backlogs ------------------------------------------------------------------------------------- */

static void send_make(void *ctx, struct load_conn *c)
{
    struct work *w = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"QueueUrl\":\"%s\",\"Entries\":[", w->queue.url);
    for (int i = 0; i < BATCH_MESSAGES; i++)
        buf_add_fmt(&c->text, "%s{\"Id\":\"%d\",\"MessageBody\":\"message %llu\"}", i ? "," : "", i,
                    (unsigned long long)c->number);
    BUF_ADD_LIT(&c->text, "]}");
    aws_write_json(&w->b->aws, &c->out, "sqs", "AmazonSQS.SendMessageBatch", buf_str(&c->text));
}

/* `done` of n, where not all of them were in WAIT_MS. */
static void tell(const struct bench *b, const char *what, uint64_t done, uint64_t n,
                 int64_t since_ms, double cpu)
{
    double s = (double)(clock_now_ms() - since_ms) / 1e3;
    printf("%s: %llu of %llu drained in %.2f s (%.0f a second), server CPU %.1f us each, RSS %.1f "
           "MiB\n",
           what, (unsigned long long)done, (unsigned long long)n, s, (double)done / s,
           (load_cpu_s(b->aws.target.pid) - cpu) * 1e6 / (double)(done ? done : 1),
           load_rss_mib(b->aws.target.pid));
    fflush(stdout);
}

static enum err drain_queue(struct bench *b)
{
    struct work w = {.b = b};
    uint64_t n = (uint64_t)(BACKLOG * b->scale);
    const struct load_plan plan = {
        .requests = n / BATCH_MESSAGES, .connections = CONNECTIONS, .make = send_make, .ctx = &w};
    struct load_result r;
    TRY(setup_queue(b, "backlog", &w.queue));
    TRY(setup_function(b, &b->functions[0], "drain-queue", NULL));
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    load_settle(b->aws.target.pid);
    int64_t since_ms = clock_now_ms();
    double cpu = load_cpu_s(b->aws.target.pid);
    TRY(map(b, "drain-queue", w.queue.arn, ",\"BatchSize\":10"));
    uint64_t left = 0;
    enum err err = setup_queue_wait(b, &w.queue, 0, true, WAIT_MS);
    if (err == ERR_TIMEOUT)
        err = setup_queue_depth(b, &w.queue, &left);
    TRY(err);
    tell(b, "backlog of messages, by 10", n - left, n, since_ms, cpu);
    return ERR_OK;
}

static void items_make(void *ctx, struct load_conn *c)
{
    struct work *w = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"RequestItems\":{\"%s\":[", w->table);
    for (int i = 0; i < BATCH_ITEMS; i++)
        buf_add_fmt(&c->text,
                    "%s{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"%llu-%d\"},\"name\":{\"S\":"
                    "\"John Doe\"}}}}",
                    i ? "," : "", (unsigned long long)c->number, i);
    BUF_ADD_LIT(&c->text, "]}}");
    aws_write_json(&w->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.BatchWriteItem",
                   buf_str(&c->text));
}

static enum err drain_stream(struct bench *b)
{
    struct work w = {.b = b};
    char arn[256];
    uint64_t n = (uint64_t)(BACKLOG * b->scale);
    const struct load_plan plan = {
        .requests = n / BATCH_ITEMS, .connections = CONNECTIONS, .make = items_make, .ctx = &w};
    struct load_result r;
    /* A mapping of a stream does not say how far it is: the function tells a queue what it got, of
     * which nothing is counted twice as nothing fails. */
    TRY(setup_queue(b, "drained", &w.out));
    TRY(setup_function(b, &b->consumer, "drain-stream", w.out.url));
    TRY(create_table(&w, "backlog"));
    TRY(stream_arn(&w, arn, sizeof(arn)));
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    load_settle(b->aws.target.pid);
    int64_t since_ms = clock_now_ms();
    double cpu = load_cpu_s(b->aws.target.pid);
    TRY(map(b, "drain-stream", arn,
            ",\"StartingPosition\":\"TRIM_HORIZON\",\"BatchSize\":100,"
            "\"ParallelizationFactor\":10"));
    size_t messages;
    uint64_t records = 0;
    while (records < n && clock_now_ms() - since_ms < WAIT_MS)
        TRY(take(&w, NULL, 0, &messages, &records));
    tell(b, "backlog of records, by 100 in 40 lanes", records, n, since_ms, cpu);
    return ERR_OK;
}

enum err scenario_mapping(struct bench *b)
{
    if (b->n_functions == 0 || !b->consumer.zip) {
        printf("%-34s left out: no function package was given\n", "event source mappings");
        return ERR_OK;
    }
    TRY(latency(b));
    TRY(drain_queue(b));
    return drain_stream(b);
}
