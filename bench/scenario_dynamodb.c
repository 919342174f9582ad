/* DynamoDB: GetItem and PutItem, and whether their cost grows with the table. */
#include "scenarios.h"

#include <stdio.h>

#include "base/rng.h"

enum { TABLE_ITEMS = 10000, BATCH = 25 };

struct table {
    struct bench *b;
    const char *name;
    uint64_t items; /* in the table, ids 0 .. items - 1 */
    uint64_t first; /* of what is being loaded */
};

static enum err create_table(struct bench *b, const char *name)
{
    char body[512];
    int n = snprintf(body, sizeof(body),
                     "{\"TableName\":\"%s\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":"
                     "\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
                     "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}",
                     name);
    const struct aws_request req = {
        .method = "POST",
        .service = "dynamodb",
        .target = "DynamoDB_20120810.CreateTable",
        .content_type = "application/x-amz-json-1.0",
        .body = str_n(body, (size_t)n),
    };
    return aws_call(&b->aws, &req, false, NULL);
}

static void add_item(struct buf *out, uint64_t id)
{
    buf_add_fmt(out,
                "{\"id\":{\"S\":\"item-%llu\"},\"name\":{\"S\":\"customer number %llu\"},"
                "\"total\":{\"N\":\"%llu.50\"},\"tags\":{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]},"
                "\"note\":{\"S\":\"some text that makes the item a little longer\"}}",
                (unsigned long long)id, (unsigned long long)id, (unsigned long long)(id % 1000));
}

static void load_make(void *ctx, struct load_conn *c)
{
    struct table *t = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"RequestItems\":{\"%s\":[", t->name);
    for (uint64_t i = 0; i < BATCH; i++) {
        buf_add_c(&c->text, i ? ",{\"PutRequest\":{\"Item\":" : "{\"PutRequest\":{\"Item\":");
        add_item(&c->text, t->first + c->number * BATCH + i);
        BUF_ADD_LIT(&c->text, "}}");
    }
    BUF_ADD_LIT(&c->text, "]}}");
    aws_write_json(&t->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.BatchWriteItem",
                   buf_str(&c->text));
}

static bool load_check(void *ctx, struct load_conn *c, struct str body)
{
    size_t at = str_find_str(body, STR("\"UnprocessedItems\":"));
    return c->status == 200 && at != SIZE_MAX &&
           str_starts(str_sub(body, at + 19, SIZE_MAX), STR("{}"));
}

/* Fills the table up to `items`. */
static enum err fill(struct table *t, uint64_t items)
{
    struct load_plan plan = {
        .requests = (items - t->items) / BATCH,
        .connections = 16,
        .make = load_make,
        .check = load_check,
        .ctx = t,
    };
    struct load_result r;
    t->first = t->items;
    TRY(load_run(&t->b->aws.target, &plan, &r));
    t->b->wrong += r.failed > 0;
    t->items = items;
    load_settle(t->b->aws.target.pid);
    return ERR_OK;
}

static void get_make(void *ctx, struct load_conn *c)
{
    struct table *t = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"TableName\":\"%s\",\"Key\":{\"id\":{\"S\":\"item-%llu\"}}}", t->name,
                (unsigned long long)rng_below(t->items));
    aws_write_json(&t->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.GetItem", buf_str(&c->text));
}

static bool get_check(void *ctx, struct load_conn *c, struct str body)
{
    return c->status == 200 && str_find_str(body, STR("customer number")) != SIZE_MAX;
}

static void put_make(void *ctx, struct load_conn *c)
{
    struct table *t = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"TableName\":\"%s\",\"Item\":", t->name);
    add_item(&c->text, rng_below(t->items));
    BUF_ADD_LIT(&c->text, "}");
    aws_write_json(&t->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.PutItem", buf_str(&c->text));
}

static enum err measure(struct table *t, const char *suffix)
{
    struct load_plan get = {
        .requests = (uint64_t)(100000 * t->b->scale),
        .warmup = 2000,
        .connections = SCENARIO_CONNECTIONS,
        .make = get_make,
        .check = get_check,
        .ctx = t,
    };
    struct load_plan put = get;
    struct load_result r;
    char name[64];
    put.make = put_make;
    put.check = NULL;
    put.requests = (uint64_t)(60000 * t->b->scale);
    TRY(load_run(&t->b->aws.target, &get, &r));
    t->b->wrong += r.failed > 0;
    snprintf(name, sizeof(name), "DynamoDB GetItem%s", suffix);
    print_row(t->b, name, &r, "CPU < 15");
    TRY(load_run(&t->b->aws.target, &put, &r));
    t->b->wrong += r.failed > 0;
    snprintf(name, sizeof(name), "DynamoDB PutItem%s", suffix);
    print_row(t->b, name, &r, "CPU < 30, durable");
    return ERR_OK;
}

/* What a single caller waits, without the queueing of 64. */
static enum err measure_one(struct table *t)
{
    struct load_plan get = {
        .requests = 3000,
        .warmup = 100,
        .connections = 1,
        .make = get_make,
        .check = get_check,
        .ctx = t,
    };
    struct load_plan put = get;
    struct load_result r;
    put.make = put_make;
    put.check = NULL;
    TRY(load_run(&t->b->aws.target, &get, &r));
    t->b->wrong += r.failed > 0;
    print_row(t->b, "DynamoDB GetItem, 1 at once", &r, "");
    TRY(load_run(&t->b->aws.target, &put, &r));
    t->b->wrong += r.failed > 0;
    print_row(t->b, "DynamoDB PutItem, 1 at once", &r, "");
    return ERR_OK;
}

enum err scenario_dynamodb(struct bench *b)
{
    struct table t = {.b = b, .name = "bench"};
    TRY(create_table(b, t.name));
    TRY(fill(&t, TABLE_ITEMS));
    TRY(measure(&t, ""));
    return measure_one(&t);
}

enum err growth_dynamodb(struct bench *b)
{
    struct table t = {.b = b, .name = "growth"};
    TRY(create_table(b, t.name));
    TRY(fill(&t, 10000));
    TRY(measure(&t, ", 10^4 items"));
    TRY(fill(&t, (uint64_t)(1000000 * b->scale)));
    return measure(&t, b->scale >= 1 ? ", 10^6 items" : ", more items");
}
