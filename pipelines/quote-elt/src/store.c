/* See store.h. Layer: pipeline. */
#include "store.h"

#include "item.h"

enum { BODY_MAX = 1024 * 1024, PAGE_BYTES_MAX = 128 * 1024 * 1024 };

/* A call's error as a sentence of a log line. ERR_CONFLICT: its condition does not hold. */
static enum err explain(const struct store *s, struct arena *a, const char *operation, enum err err,
                        const struct aws_reply *reply, struct str *ret_why)
{
    if (err == ERR_FAILED && str_eq_c(reply->error_code, "ConditionalCheckFailedException"))
        return ERR_CONFLICT;
    if (err == ERR_FAILED)
        *ret_why = str_fmt(a, "%s: " STR_FMT ": " STR_FMT, operation, STR_ARG(reply->error_code),
                           STR_ARG(reply->error_message));
    else if (err != ERR_OK)
        *ret_why = str_fmt(a, "%s: %s", operation, aws_error(s->aws));
    return err;
}

static enum err call(const struct store *s, struct arena *a, const char *operation,
                     const struct buf *body, const struct json **ret_json, struct str *ret_why)
{
    struct aws_reply reply = {0};
    TRY(buf_err(body));
    return explain(s, a, operation,
                   aws_json(s->aws, "dynamodb", operation, buf_str(body), a, &reply, ret_json),
                   &reply, ret_why);
}

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
    enum err err = call(s, a, "PutItem", &b, NULL, ret_why);
    *ret_new = err == ERR_OK;
    return err == ERR_CONFLICT ? ERR_OK : err;
}

static void query_body(struct json_out *o, struct buf *b, struct arena *a, const struct store *s,
                       struct str date, struct str start_key)
{
    begin(o, b, a, s->raw_table);
    json_kv_bool(o, STR("ConsistentRead"), true);
    json_kv_str(o, STR("KeyConditionExpression"), STR("ingested_date = :date"));
    json_key(o, STR("ExpressionAttributeValues"));
    json_open(o, '{');
    item_put_s(o, ":date", date);
    json_close(o, '}');
    if (start_key.len) {
        json_key(o, STR("ExclusiveStartKey"));
        json_raw(o, start_key);
    }
    json_close(o, '}');
}

/* One page; *start_key (in `a`) moves on, absent behind the last one. */
static enum err each_of_page(const struct store *s, struct arena *a, struct arena *page,
                             struct str date, struct str *start_key, store_each_fn *each, void *arg,
                             struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    struct str why = STR_NONE;
    query_body(&o, &b, page, s, date, *start_key);
    enum err err = call(s, page, "Query", &b, &reply, &why);
    if (err == ERR_OK)
        JSON_EACH (json_get(reply, STR("Items")), item) {
            err = each(arg, item, &why);
            if (err != ERR_OK)
                break;
        }
    if (err != ERR_OK) {
        *ret_why = str_dup(a, why);
        return err;
    }
    const struct json *last = json_get(reply, STR("LastEvaluatedKey"));
    *start_key = last ? str_dup(a, last->raw) : STR_NONE;
    return last && !start_key->len ? ERR_NOMEM : ERR_OK;
}

enum err store_each(const struct store *s, struct arena *a, struct str date, store_each_fn *each,
                    void *arg, struct str *ret_why)
{
    struct arena page;
    struct str start_key = STR_NONE;
    enum err err;
    arena_init(&page, PAGE_BYTES_MAX);
    do {
        arena_clear(&page);
        err = each_of_page(s, a, &page, date, &start_key, each, arg, ret_why);
    } while (err == ERR_OK && str_is_set(start_key));
    arena_release(&page);
    return err;
}

enum err store_put_object(const struct store *s, struct arena *a, struct str key, struct str body,
                          struct str *ret_why)
{
    struct aws_reply reply = {0};
    return explain(
        s, a, "PutObject",
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
    TRY(call(s, a, "GetItem", &b, &reply, ret_why));
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
    return call(s, a, "PutItem", &b, NULL, ret_why);
}

enum err store_put_events(const struct store *s, struct arena *a, struct str request,
                          struct str *ret_why)
{
    struct aws_reply reply = {0};
    const struct json *out = NULL;
    int64_t failed = -1;
    TRY(explain(s, a, "PutEvents",
                aws_json(s->aws, "events", "PutEvents", request, a, &reply, &out), &reply,
                ret_why));
    const struct json *count = json_get(out, STR("FailedEntryCount"));
    if (count && json_to_i64(count, &failed) == ERR_OK && failed == 0)
        return ERR_OK;
    *ret_why = STR("PutEvents: the bus did not take every event");
    return ERR_FAILED;
}
