/* DynamoDB: GetItem, PutItem and Query, and whether the cost of the first two grows with the table. */
#include "scenarios.h"

#include <stdio.h>

#include "base/rng.h"

enum { TABLE_ITEMS = 10000, BATCH = 25, GROUP_ITEMS = 100, PAGE_ITEMS = 10 };

struct table {
    struct bench *b;
    const char *name;
    bool grouped;   /* keys are (group, place), GROUP_ITEMS of each group; else an id */
    uint64_t items; /* in the table, ids 0 .. items - 1 */
    uint64_t first; /* of what is being loaded */
    bool stream;    /* of both images */
    bool sealed;    /* under a key of KMS */
    uint64_t turn;  /* so that each put changes its item */
};

static const char id_schema[] =
    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]";

static const char group_schema[] =
    "\"KeySchema\":[{\"AttributeName\":\"group\",\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"place\",\"KeyType\":\"RANGE\"}],"
    "\"AttributeDefinitions\":[{\"AttributeName\":\"group\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"place\",\"AttributeType\":\"N\"}]";

static enum err create_table(const struct table *t)
{
    char body[512];
    struct bench *b = t->b;
    int n = snprintf(body, sizeof(body),
                     "{\"TableName\":\"%s\",%s,\"BillingMode\":\"PAY_PER_REQUEST\"%s%s}", t->name,
                     t->grouped ? group_schema : id_schema,
                     t->stream ? ",\"StreamSpecification\":{\"StreamEnabled\":true,"
                                 "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}"
                               : "",
                     t->sealed ? ",\"SSESpecification\":{\"Enabled\":true}" : "");
    const struct aws_request req = {
        .method = "POST",
        .service = "dynamodb",
        .target = "DynamoDB_20120810.CreateTable",
        .content_type = "application/x-amz-json-1.0",
        .body = str_n(body, (size_t)n),
    };
    return aws_call(&b->aws, &req, false, NULL);
}

static void add_item(struct buf *out, const struct table *t, uint64_t id)
{
    if (t->grouped)
        buf_add_fmt(out, "{\"group\":{\"S\":\"group-%llu\"},\"place\":{\"N\":\"%llu\"}",
                    (unsigned long long)(id / GROUP_ITEMS), (unsigned long long)(id % GROUP_ITEMS));
    else
        buf_add_fmt(out, "{\"id\":{\"S\":\"item-%llu\"}", (unsigned long long)id);
    buf_add_fmt(out,
                ",\"name\":{\"S\":\"customer number %llu\"},"
                "\"total\":{\"N\":\"%llu.50\"},\"tags\":{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]},"
                "\"note\":{\"S\":\"some text that makes the item a little longer\"}}",
                (unsigned long long)id, (unsigned long long)((id + t->turn) % 1000));
}

static void load_make(void *ctx, struct load_conn *c)
{
    struct table *t = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text, "{\"RequestItems\":{\"%s\":[", t->name);
    for (uint64_t i = 0; i < BATCH; i++) {
        buf_add_c(&c->text, i ? ",{\"PutRequest\":{\"Item\":" : "{\"PutRequest\":{\"Item\":");
        add_item(&c->text, t, t->first + c->number * BATCH + i);
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
    t->turn++;
    add_item(&c->text, t, rng_below(t->items));
    BUF_ADD_LIT(&c->text, "}");
    aws_write_json(&t->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.PutItem", buf_str(&c->text));
}

static enum err measure_put(struct table *t, const char *suffix, const char *budget)
{
    struct load_plan put = {
        .requests = (uint64_t)(60000 * t->b->scale),
        .warmup = 2000,
        .connections = SCENARIO_CONNECTIONS,
        .make = put_make,
        .ctx = t,
    };
    struct load_result r;
    char name[64];
    TRY(load_run(&t->b->aws.target, &put, &r));
    t->b->wrong += r.failed > 0;
    snprintf(name, sizeof(name), "DynamoDB PutItem%s", suffix);
    print_row(t->b, name, &r, budget);
    return ERR_OK;
}

static enum err measure(struct table *t, const char *suffix)
{
    struct load_plan get = {
        .requests = (uint64_t)(100000 * t->b->scale),
        .warmup = t->items / 3, /* blocks that were never read come from files */
        .connections = SCENARIO_CONNECTIONS,
        .make = get_make,
        .check = get_check,
        .ctx = t,
    };
    struct load_result r;
    char name[64];
    TRY(load_run(&t->b->aws.target, &get, &r));
    t->b->wrong += r.failed > 0;
    snprintf(name, sizeof(name), "DynamoDB GetItem%s", suffix);
    print_row(t->b, name, &r, "CPU < 15");
    return measure_put(t, suffix, "CPU < 30, durable");
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

/* The first PAGE_ITEMS of a random group: a page that has a next one. */
static void query_make(void *ctx, struct load_conn *c)
{
    struct table *t = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text,
                "{\"TableName\":\"%s\",\"Limit\":%d,\"KeyConditionExpression\":\"#g = :g\","
                "\"ExpressionAttributeNames\":{\"#g\":\"group\"},"
                "\"ExpressionAttributeValues\":{\":g\":{\"S\":\"group-%llu\"}}}",
                t->name, PAGE_ITEMS, (unsigned long long)rng_below(t->items / GROUP_ITEMS));
    aws_write_json(&t->b->aws, &c->out, "dynamodb", "DynamoDB_20120810.Query", buf_str(&c->text));
}

static bool query_check(void *ctx, struct load_conn *c, struct str body)
{
    return c->status == 200 && str_find_str(body, STR("\"Count\":10,")) != SIZE_MAX;
}

static enum err measure_query(struct table *t)
{
    struct load_plan query = {
        .requests = (uint64_t)(50000 * t->b->scale),
        .warmup = 1000,
        .connections = SCENARIO_CONNECTIONS,
        .make = query_make,
        .check = query_check,
        .ctx = t,
    };
    struct load_result r;
    TRY(load_run(&t->b->aws.target, &query, &r));
    t->b->wrong += r.failed > 0;
    print_row(t->b, "DynamoDB Query of 10 items", &r, "CPU < 35");
    return ERR_OK;
}

enum err scenario_dynamodb(struct bench *b)
{
    struct table t = {.b = b, .name = "bench"};
    struct table streamed = {.b = b, .name = "streamed", .stream = true};
    struct table sealed = {.b = b, .name = "sealed", .sealed = true};
    struct table grouped = {.b = b, .name = "grouped", .grouped = true};
    TRY(create_table(&t));
    TRY(fill(&t, TABLE_ITEMS));
    TRY(measure(&t, ""));
    TRY(measure_one(&t));
    TRY(create_table(&streamed));
    TRY(fill(&streamed, TABLE_ITEMS));
    TRY(measure_put(&streamed, ", with a stream", "PutItem + 6"));
    TRY(create_table(&sealed));
    TRY(fill(&sealed, TABLE_ITEMS));
    TRY(measure_put(&sealed, ", under a key of KMS", ""));
    TRY(create_table(&grouped));
    TRY(fill(&grouped, TABLE_ITEMS));
    return measure_query(&grouped);
}

enum err growth_dynamodb(struct bench *b)
{
    struct table t = {.b = b, .name = "growth"};
    TRY(create_table(&t));
    TRY(fill(&t, 10000));
    TRY(measure(&t, ", 10^4 items"));
    TRY(fill(&t, (uint64_t)(1000000 * b->scale)));
    return measure(&t, b->scale >= 1 ? ", 10^6 items" : ", more items");
}
