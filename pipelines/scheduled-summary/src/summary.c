/* scheduled-summary: the function that the weekly rule starts. Reads the whole table, page by page, and
 * writes how many cars there are to summaries/<date>.json: the date is the event's, so that an event
 * that comes twice makes a new version of the same file.
 *
 * Layer: pipeline. Thread: one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "dynamodb.h"
#include "lambda.h"
#include "tally.h"
#include "when.h"

enum { REQUEST_MAX = 64 * 1024, SUMMARY_MAX = 4 * 1024 * 1024 };

static struct {
    struct aws *aws;
    struct str table, bucket;
} app;

static enum err count(void *arg, const struct json *item, struct str *ret_why)
{
    enum err err = tally_add(arg, item);
    if (err == ERR_LIMIT)
        *ret_why = STR("cars of too many days");
    return err;
}

static enum err count_all(struct arena *a, struct tally *t, struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, REQUEST_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("TableName"), app.table);
    json_kv_bool(&o, STR("ConsistentRead"), true);
    json_kv_str(&o, STR("ProjectionExpression"), STR("created_at"));
    json_close(&o, '}');
    TRY(buf_err(&b));
    return dynamodb_each(app.aws, a, "Scan", buf_str(&b), count, t, ret_why);
}

static enum err write_file(struct arena *a, const struct tally *t, int64_t at_ms,
                           struct str *ret_key, struct str *ret_text, struct str *ret_why)
{
    char at[CLOCK_TEXT_MAX];
    struct buf b;
    struct json_out o;
    struct aws_reply reply = {0};
    struct str date = str_sub(clock_iso8601(at, at_ms), 0, TALLY_DATE_LEN);
    buf_init_arena(&b, a, SUMMARY_MAX);
    json_out_init(&o, &b);
    tally_put(&o, t, at_ms);
    buf_add_byte(&b, '\n');
    TRY(buf_err(&b));
    *ret_key = str_fmt(a, "summaries/" STR_FMT ".json", STR_ARG(date));
    *ret_text = buf_str(&b);
    if (!str_is_set(*ret_key))
        return ERR_NOMEM;
    return aws_explain(
        app.aws, a, "PutObject",
        aws_s3_put(app.aws, app.bucket, *ret_key, STR("application/json"), *ret_text, a, &reply),
        &reply, ret_why);
}

/* The answer: {"key":"summaries/2026-11-29.json","items":3} */
static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct arena *a = ctx->arena;
    struct json *doc = NULL;
    struct json_out o;
    struct tally t;
    struct str key = STR_NONE, text = STR_NONE, why = STR_NONE;
    int64_t at_ms = 0;
    if (json_parse(a, event, &doc, NULL) != ERR_OK ||
        event_time(doc, clock_wall_ms(), &at_ms) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event has no time that is one");
    tally_init(&t);
    enum err err = count_all(a, &t, &why);
    if (err == ERR_OK)
        err = write_file(a, &t, at_ms, &key, &text, &why);
    int64_t items = t.items;
    tally_release(&t);
    if (err != ERR_OK)
        return lambda_fail(ctx, "Pipeline.Summary", "%s: " STR_FMT, err_name(err), STR_ARG(why));
    printf(STR_FMT ": " STR_FMT, STR_ARG(key), STR_ARG(text));
    json_out_init(&o, reply);
    json_open(&o, '{');
    json_kv_str(&o, STR("key"), key);
    json_kv_i64(&o, STR("items"), items);
    json_close(&o, '}');
    return 0;
}

int main(void)
{
    app.table = str_c(getenv("TABLE"));
    app.bucket = str_c(getenv("BUCKET"));
    if (!app.table.len || !app.bucket.len)
        return lambda_init_error("Pipeline.Configuration", "TABLE and BUCKET must be set"), 1;
    if (aws_new(&app.aws) != ERR_OK)
        return lambda_init_error("Pipeline.Configuration", "no credentials or region"), 1;
    return lambda_run(handle);
}
