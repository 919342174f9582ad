/* SQS: SendMessage, ReceiveMessage, DeleteMessage, and whether their cost grows with the queue. */
#include "scenarios.h"

#include <stdio.h>

#include "base/arena.h"

enum { MESSAGES = 30000, BATCH = 10, HANDLE_MAX = 512 };

struct queue {
    struct bench *b;
    char url[256];
    struct arena arena;
    struct str *handles; /* by number of the receive */
};

/* `more`: further attributes as JSON, or "". */
static enum err create_queue(struct queue *q, const char *name, const char *more)
{
    char body[256];
    struct buf reply;
    int n = snprintf(body, sizeof(body),
                     "{\"QueueName\":\"%s\",\"Attributes\":{\"VisibilityTimeout\":\"3600\"%s}}",
                     name, more);
    const struct aws_request req = {
        .method = "POST",
        .service = "sqs",
        .target = "AmazonSQS.CreateQueue",
        .content_type = "application/x-amz-json-1.0",
        .body = str_n(body, (size_t)n),
    };
    buf_init(&reply, 4096);
    enum err err = aws_call(&q->b->aws, &req, false, &reply);
    struct str url = aws_json_text(buf_str(&reply), "QueueUrl");
    if (err == ERR_OK && !str_is_set(url))
        err = ERR_FAILED;
    snprintf(q->url, sizeof(q->url), STR_FMT, STR_ARG(url));
    buf_release(&reply);
    return err;
}

static void write_call(struct queue *q, struct load_conn *c, const char *target)
{
    aws_write_json(&q->b->aws, &c->out, "sqs", target, buf_str(&c->text));
}

static void send_make(void *ctx, struct load_conn *c)
{
    struct queue *q = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text,
                "{\"QueueUrl\":\"%s\",\"MessageBody\":\"{\\\"id\\\":%llu,\\\"name\\\":"
                "\\\"John Doe\\\",\\\"total_amount_spent\\\":400.00}\"}",
                q->url, (unsigned long long)c->number);
    write_call(q, c, "AmazonSQS.SendMessage");
}

static void receive_make(void *ctx, struct load_conn *c)
{
    struct queue *q = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"QueueUrl\":\"%s\",\"MaxNumberOfMessages\":1}", q->url);
    write_call(q, c, "AmazonSQS.ReceiveMessage");
}

static bool receive_check(void *ctx, struct load_conn *c, struct str body)
{
    struct queue *q = ctx;
    struct str handle = aws_json_text(body, "ReceiptHandle");
    if (c->status != 200 || !str_is_set(handle))
        return false;
    q->handles[c->number] = str_dup(&q->arena, handle);
    return true;
}

static void delete_handle(struct queue *q, struct load_conn *c, struct str handle)
{
    /* `handle` may stand in c->text. */
    char copy[HANDLE_MAX];
    int n = snprintf(copy, sizeof(copy), STR_FMT, STR_ARG(handle));
    if (n < 0 || (size_t)n >= sizeof(copy))
        n = 0;
    copy[n] = '\0';
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"QueueUrl\":\"%s\",\"ReceiptHandle\":\"%s\"}", q->url, copy);
    write_call(q, c, "AmazonSQS.DeleteMessage");
}

static void delete_make(void *ctx, struct load_conn *c)
{
    struct queue *q = ctx;
    delete_handle(q, c, q->handles[c->number]);
}

static enum err measure(struct queue *q, struct load_plan *plan, const char *name,
                        const char *budget)
{
    struct load_result r;
    plan->ctx = q;
    TRY(load_run(&q->b->aws.target, plan, &r));
    q->b->wrong += r.failed > 0;
    print_row(q->b, name, &r, budget);
    return ERR_OK;
}

enum err scenario_sqs(struct bench *b)
{
    struct queue q = {.b = b};
    uint64_t total = (uint64_t)(MESSAGES * b->scale);
    struct load_plan send = {
        .requests = total - 1000,
        .warmup = 1000,
        .connections = SCENARIO_CONNECTIONS,
        .make = send_make,
    };
    struct load_plan receive = send, del = send;
    receive.make = receive_make;
    receive.check = receive_check;
    del.make = delete_make;
    arena_init(&q.arena, 256 * 1024 * 1024);
    q.handles = ARENA_ARRAY(&q.arena, struct str, total);
    enum err err = q.handles ? create_queue(&q, "bench", "") : ERR_NOMEM;
    if (err == ERR_OK)
        err = measure(&q, &send, "SQS SendMessage", "CPU < 30");
    if (err == ERR_OK)
        err = measure(&q, &receive, "SQS ReceiveMessage, 1 message", "CPU < 30");
    if (err == ERR_OK)
        err = measure(&q, &del, "SQS DeleteMessage", "CPU < 30");
    if (err == ERR_OK)
        err = create_queue(&q, "sealed", ",\"KmsMasterKeyId\":\"alias/aws/sqs\"");
    if (err == ERR_OK)
        err = measure(&q, &send, "SQS SendMessage, under a key", "");
    if (err == ERR_OK)
        err = measure(&q, &receive, "SQS ReceiveMessage, under a key", "");
    arena_release(&q.arena);
    return err;
}

/* --- growth: cycles of send, receive, delete leave the depth as it is ------------------------- */

static void batch_make(void *ctx, struct load_conn *c)
{
    struct queue *q = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"QueueUrl\":\"%s\",\"Entries\":[", q->url);
    for (int i = 0; i < BATCH; i++)
        buf_add_fmt(&c->text, "%s{\"Id\":\"%d\",\"MessageBody\":\"filling %llu\"}", i ? "," : "", i,
                    (unsigned long long)c->number);
    BUF_ADD_LIT(&c->text, "]}");
    write_call(q, c, "AmazonSQS.SendMessageBatch");
}

static void cycle_make(void *ctx, struct load_conn *c)
{
    struct queue *q = ctx;
    if (c->phase == 0)
        send_make(ctx, c);
    else if (c->phase == 1)
        receive_make(ctx, c);
    else
        delete_handle(q, c, buf_str(&c->text));
    c->phase = (c->phase + 1) % 3;
}

static bool cycle_check(void *ctx, struct load_conn *c, struct str body)
{
    if (c->status != 200)
        return false;
    if (c->phase == 2) { /* the reply to the receive */
        struct str handle = aws_json_text(body, "ReceiptHandle");
        buf_clear(&c->text);
        buf_add_str(&c->text, handle);
        return str_is_set(handle);
    }
    return true;
}

static enum err fill(struct queue *q, uint64_t messages)
{
    struct load_plan plan = {
        .requests = messages / BATCH,
        .connections = 16,
        .make = batch_make,
        .ctx = q,
    };
    struct load_result r;
    TRY(load_run(&q->b->aws.target, &plan, &r));
    q->b->wrong += r.failed > 0;
    load_settle(q->b->aws.target.pid);
    return ERR_OK;
}

enum err growth_sqs(struct bench *b)
{
    struct queue q = {.b = b};
    struct load_plan cycles = {
        .requests = (uint64_t)(60000 * b->scale),
        .warmup = 3000,
        .connections = SCENARIO_CONNECTIONS,
        .make = cycle_make,
        .check = cycle_check,
    };
    TRY(create_queue(&q, "growth", ""));
    TRY(fill(&q, 100));
    TRY(measure(&q, &cycles, "SQS send/receive/delete, 10^2 deep", "CPU < 30"));
    TRY(fill(&q, (uint64_t)(100000 * b->scale)));
    return measure(&q, &cycles,
                   b->scale >= 1 ? "SQS send/receive/delete, 10^5 deep"
                                 : "SQS send/receive/delete, deeper",
                   "CPU < 30");
}
