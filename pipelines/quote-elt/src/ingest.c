/* See functions.h. Layer: pipeline. */
#include <stdio.h>

#include "fetch.h"
#include "functions.h"

/* The line for the log, which is the answer, too. */
static void tell(struct buf *b, int64_t at_ms, size_t received, size_t new)
{
    char text[CLOCK_TEXT_MAX];
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("type"), STR("quotes.ingested"));
    json_kv_str(&o, STR("at"), clock_iso8601_ms(text, at_ms));
    json_kv_i64(&o, STR("received"), (int64_t)received);
    json_kv_i64(&o, STR("new"), (int64_t) new);
    json_close(&o, '}');
}

int ingest(const struct setup *setup, struct lambda_context *ctx, struct str event,
           struct buf *reply)
{
    struct arena *a = ctx->arena;
    struct json *doc = NULL;
    struct buf body;
    struct quote *quotes = NULL;
    struct str why = STR_NONE;
    size_t n = 0, n_new = 0;
    int64_t at_ms = 0;
    if (json_parse(a, event, &doc, NULL) != ERR_OK ||
        event_time(doc, clock_wall_ms(), &at_ms) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event has no time that is one");
    buf_init_arena(&body, a, FETCH_BYTES_MAX);
    if (fetch_get(a, setup->quotes_url, &body, &why) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.Api", "%s: " STR_FMT, setup->quotes_url, STR_ARG(why));
    if (quotes_read(a, buf_str(&body), &quotes, &n, &why) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadDocument", "%s: " STR_FMT, setup->quotes_url,
                           STR_ARG(why));
    for (size_t i = 0; i < n; i++) {
        bool is_new = false;
        if (store_put_quote(&setup->store, a, &quotes[i], i, at_ms, &is_new, &why) != ERR_OK)
            return lambda_fail(ctx, "Pipeline.Store", STR_FMT, STR_ARG(why));
        n_new += is_new;
    }
    tell(reply, at_ms, n, n_new);
    printf(STR_FMT "\n", STR_ARG(buf_str(reply)));
    return 0;
}
