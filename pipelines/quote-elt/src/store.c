/* See store.h. Layer: pipeline. */
#include "store.h"

#include "dynamodb.h"
#include "item.h"

enum { BODY_MAX = 1024 * 1024 };

static void begin(struct json_out *o, struct buf *b, struct arena *a, struct str table)
{
    buf_init_arena(b, a, BODY_MAX);
    json_out_init(o, b);
    json_open(o, '{');
    json_kv_str(o, STR("TableName"), table);
}

enum err store_put_quote(const struct store *s, struct arena *a, const struct quote *quote,
                         size_t nth, int64_t at_ms, bool *ret_new, struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    begin(&o, &b, a, s->raw_table);
    json_kv_str(&o, STR("ConditionExpression"), STR("attribute_not_exists(ingested_at)"));
    json_key(&o, STR("Item"));
    quote_put_item(&o, quote, nth, at_ms);
    json_close(&o, '}');
    enum err err = dynamodb_call(s->aws, a, "PutItem", &b, NULL, ret_why);
    *ret_new = err == ERR_OK;
    return err == ERR_CONFLICT ? ERR_OK : err;
}

enum err store_each(const struct store *s, struct arena *a, struct str date, dynamodb_each_fn *each,
                    void *arg, struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    begin(&o, &b, a, s->raw_table);
    json_kv_bool(&o, STR("ConsistentRead"), true);
    json_kv_str(&o, STR("KeyConditionExpression"), STR("ingested_date = :date"));
    json_key(&o, STR("ExpressionAttributeValues"));
    json_open(&o, '{');
    item_put_s(&o, ":date", date);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(buf_err(&b));
    return dynamodb_each(s->aws, a, "Query", buf_str(&b), each, arg, ret_why);
}

enum err store_put_object(const struct store *s, struct arena *a, struct str key, struct str body,
                          struct str *ret_why)
{
    struct aws_reply reply = {0};
    return aws_explain(
        s->aws, a, "PutObject",
        aws_s3_put(s->aws, s->bucket, key, STR("application/vnd.apache.parquet"), body, a, &reply),
        &reply, ret_why);
}

/* --- history -------------------------------------------------------------------------------------- */

static void put_history(struct json_out *o, const struct history *h)
{
    json_open(o, '{');
    item_put_s(o, "ingested_date", h->date);
    item_put_n(o, "rows", h->rows);
    item_put_n(o, "failed_limits", h->failed_limits);
    item_put_s(o, "facts_key", h->facts_key);
    item_put_s(o, "facts_sha256", h->facts_sha256);
    item_put_s(o, "aggregates_key", h->aggregates_key);
    item_put_s(o, "aggregates_sha256", h->aggregates_sha256);
    item_put_s(o, "statistics", h->statistics);
    item_put_s(o, "duckdb", h->duckdb);
    json_close(o, '}');
}

enum err store_has_history(const struct store *s, struct arena *a, const struct history *history,
                           bool *ret_same, struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    begin(&o, &b, a, s->history_table);
    json_kv_bool(&o, STR("ConsistentRead"), true);
    json_key(&o, STR("Key"));
    json_open(&o, '{');
    item_put_s(&o, "ingested_date", history->date);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(dynamodb_call(s->aws, a, "GetItem", &b, &reply, ret_why));
    const struct json *item = json_get(reply, STR("Item"));
    /* The rest follows from these. */
    *ret_same = str_eq(item_get_s(item, "facts_sha256"), history->facts_sha256) &&
                str_eq(item_get_s(item, "aggregates_sha256"), history->aggregates_sha256) &&
                str_eq(item_get_s(item, "statistics"), history->statistics);
    return ERR_OK;
}

enum err store_put_history(const struct store *s, struct arena *a, const struct history *history,
                           struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    begin(&o, &b, a, s->history_table);
    json_key(&o, STR("Item"));
    put_history(&o, history);
    json_close(&o, '}');
    return dynamodb_call(s->aws, a, "PutItem", &b, NULL, ret_why);
}

enum err store_put_events(const struct store *s, struct arena *a, struct str request,
                          struct str *ret_why)
{
    struct aws_reply reply = {0};
    const struct json *out = NULL;
    int64_t failed = -1;
    TRY(aws_explain(s->aws, a, "PutEvents",
                    aws_json(s->aws, "events", "PutEvents", request, a, &reply, &out), &reply,
                    ret_why));
    const struct json *count = json_get(out, STR("FailedEntryCount"));
    if (count && json_to_i64(count, &failed) == ERR_OK && failed == 0)
        return ERR_OK;
    *ret_why = STR("PutEvents: the bus did not take every event");
    return ERR_FAILED;
}
