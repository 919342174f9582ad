/* text-upload: the function behind the API. Keeps each line of a text as an item.
 *
 * Invariants
 *   U1  200 is answered when every line that can be kept is in the table. A text that failed half way and
 *       is sent again ends as the same items.
 *   U2  The owner is who the authorizer said, not what the request says.
 *
 * Layer: pipeline. Thread: one. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "dynamodb.h"
#include "lambda.h"
#include "lines.h"
#include "rest.h"

enum {
    BATCH = 25, /* BatchWriteItem takes no more */
    REQUEST_MAX = 1024 * 1024,
    REPORT_MAX = 64 * 1024,
    TRIES_MAX = 8, /* of what the table did not take at once */
    PAUSE_MS = 20,
};

static struct {
    struct aws *aws;
    struct str table;
} app;

/* {"RequestItems":{table:<puts>}} */
static enum err write_puts(struct arena *a, struct str puts, struct str *ret_left,
                           struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    buf_init_arena(&b, a, REQUEST_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("RequestItems"));
    json_open(&o, '{');
    json_key(&o, app.table);
    json_raw(&o, puts);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(dynamodb_call(app.aws, a, "BatchWriteItem", &b, &reply, ret_why));
    const struct json *left = json_get(json_get(reply, STR("UnprocessedItems")), app.table);
    *ret_left = left && left->child ? left->raw : STR_NONE;
    return ERR_OK;
}

/* What a throttled table gives back is tried again, later and later. */
static enum err write_all(struct arena *a, struct str puts, struct str *ret_why)
{
    for (int tries = 0; str_is_set(puts); tries++) {
        if (tries == TRIES_MAX) {
            *ret_why = STR("BatchWriteItem: the table takes no more for now");
            return ERR_TIMEOUT;
        }
        if (tries)
            (void)poll(NULL, 0, 1 + (int)rng_below((uint64_t)PAUSE_MS << tries));
        TRY(write_puts(a, puts, &puts, ret_why));
    }
    return ERR_OK;
}

static enum err store(struct arena *a, const struct lines *lines, const char *upload_id,
                      struct str owner, struct str *ret_why)
{
    int64_t now_ms = clock_wall_ms();
    for (size_t at = 0; at < lines->n; at += BATCH) {
        struct buf b;
        struct json_out o;
        buf_init_arena(&b, a, REQUEST_MAX);
        json_out_init(&o, &b);
        json_open(&o, '[');
        for (size_t i = at; i < lines->n && i < at + BATCH; i++) {
            json_open(&o, '{');
            json_key(&o, STR("PutRequest"));
            json_open(&o, '{');
            json_key(&o, STR("Item"));
            line_put_item(&o, &lines->line[i], upload_id, owner, now_ms);
            json_close(&o, '}');
            json_close(&o, '}');
        }
        json_close(&o, ']');
        TRY(buf_err(&b));
        TRY(write_all(a, buf_str(&b), ret_why));
    }
    return ERR_OK;
}

static void take(struct arena *a, const struct rest_request *request, struct str owner,
                 struct buf *reply)
{
    struct lines lines;
    struct buf report;
    struct json_out o;
    struct str why = STR_NONE, body = str_is_set(request->body) ? request->body : STR("");
    char upload_id[UPLOAD_ID_LEN + 1];
    enum err err = lines_read(a, body, &lines);
    if (err == ERR_LIMIT) {
        rest_reply_message(reply, 400, STR("a text has at most 10,000 lines"), STR_NONE);
        return;
    }
    lines_upload_id(owner, body, upload_id);
    if (err == ERR_OK)
        err = store(a, &lines, upload_id, owner, &why);
    if (err != ERR_OK) {
        printf("not stored: %s: " STR_FMT "\n", err_name(err), STR_ARG(why));
        rest_reply_message(reply, 500, STR("the text could not be stored, send it again"),
                           STR_NONE);
        return;
    }
    buf_init_arena(&report, a, REPORT_MAX);
    json_out_init(&o, &report);
    lines_put_report(&o, &lines, upload_id);
    printf(STR_FMT "\n", STR_ARG(buf_str(&report)));
    rest_reply(reply, 200, buf_str(&report), STR_NONE);
}

static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct rest_request request;
    if (rest_read(ctx->arena, event, &request) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event is no request to a REST API");
    struct str owner = json_get_str(request.authorizer, STR("principalId"));
    if (!owner.len)
        return lambda_fail(ctx, "Pipeline.BadEvent", "nobody authorized the request");
    take(ctx->arena, &request, owner, reply);
    return 0;
}

int main(void)
{
    app.table = str_c(getenv("TABLE"));
    if (!app.table.len)
        return lambda_init_error("Pipeline.Configuration", "TABLE must be set"), 1;
    if (aws_new(&app.aws) != ERR_OK)
        return lambda_init_error("Pipeline.Configuration", "no credentials or region"), 1;
    return lambda_run(handle);
}
