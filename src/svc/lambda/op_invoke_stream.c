/* InvokeWithResponseStream: the response as events, PayloadChunk by PayloadChunk, InvokeComplete at the
 * end.
 *
 * Source: Lambda API Reference, InvokeWithResponseStream.
 * Layer: svc. Thread: the call's loop. */
#include "codec/base64.h"
#include "codec/eventstream.h"
#include "codec/json.h"
#include "svc/lambda/lambda_sync.h"

enum { COMPLETE_BYTES_MAX = CALL_BLOCK_BYTES - EVENTSTREAM_HEAD_MAX - EVENTSTREAM_TAIL };

#define STREAM_TYPE "application/vnd.amazon.eventstream"

/* Lifetime: the call. */
struct events {
    void *sync;
    bool want_tail;
    bool completed;
};

/* An error document that is too long for an event is left out. */
static void put_complete(const struct events *e, struct buf *b)
{
    struct lambda_outcome end = lambda_sync_end(e->sync);
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    if (end.function_error) {
        json_kv_str(&o, STR("ErrorCode"), STR("Unhandled"));
        if (end.body.len < COMPLETE_BYTES_MAX / 8)
            json_kv_str(&o, STR("ErrorDetails"), end.body);
    }
    if (e->want_tail) {
        json_key(&o, STR("LogResult"));
        buf_add_byte(b, '"');
        base64_put(b, end.tail.p, end.tail.len);
        buf_add_byte(b, '"');
    }
    json_close(&o, '}');
}

static enum err read_event(void *ctx, char *block, size_t cap, struct str *ret_bytes)
{
    struct events *e = ctx;
    char *payload = block + EVENTSTREAM_HEAD_MAX;
    size_t room = cap - EVENTSTREAM_HEAD_MAX - EVENTSTREAM_TAIL, n = 0;
    *ret_bytes = STR("");
    if (e->completed)
        return ERR_OK;
    TRY(lambda_sync_read(e->sync, payload, room, &n));
    if (n > 0) {
        *ret_bytes =
            eventstream_wrap(block, n, STR("PayloadChunk"), STR("application/octet-stream"));
        return ERR_OK;
    }
    struct buf b;
    buf_init_fixed(&b, payload, room);
    put_complete(e, &b);
    TRY(buf_err(&b));
    e->completed = true;
    *ret_bytes = eventstream_wrap(block, b.len, STR("InvokeComplete"), STR("application/json"));
    return ERR_OK;
}

static bool ready(void *ctx)
{
    return lambda_sync_ready(((struct events *)ctx)->sync);
}

static void leave(void *ctx)
{
    lambda_sync_leave(((struct events *)ctx)->sync);
}

static enum err resume(struct call *call, const struct lambda_invoke_with_response_stream_input *in,
                       struct lambda_invoke_with_response_stream_output *out)
{
    struct lambda_streamed streamed;
    TRY(lambda_sync_streamed(call, &streamed));
    struct events *e = ARENA_NEW(call->arena, struct events);
    if (!e)
        return ERR_NOMEM;
    e->sync = call->state;
    e->want_tail = str_eq_c(in->log_type, "Tail");
    WIRE_SET(out, status_code, 200);
    out->executed_version = str_dup(call->arena, lambda_sync_version(call));
    out->response_stream_content_type = STR(STREAM_TYPE);
    call_reply_source(call, &(struct call_source){.ctx = e,
                                                  .length = CALL_LENGTH_UNKNOWN,
                                                  .ready = ready,
                                                  .read = read_event,
                                                  .release = leave});
    return ERR_OK;
}

enum err
lambda_invoke_with_response_stream(struct call *call,
                                   const struct lambda_invoke_with_response_stream_input *in,
                                   struct lambda_invoke_with_response_stream_output *out)
{
    struct lambda_name name;
    struct lambda_fn *fn;
    struct str context, payload = str_empty(in->payload) ? STR("{}") : in->payload;

    if (call->state)
        return resume(call, in, out);
    TRY(lambda_name_of_qualifier(call, in->function_name, in->qualifier, &name));
    if (str_is_set(in->tenant_id))
        return LAMBDA_INVALID(call, "TenantId is not supported by Weir.");
    TRY(lambda_check_payload(call, payload, false));
    TRY(lambda_client_context(call, in->client_context, &context));
    enum err err = lambda_fn_find(lambda_of(call), &name, &fn);
    if (err == ERR_NOT_FOUND)
        return lambda_not_found(call, &name);
    TRY(err);
    if (str_eq_c(in->invocation_type, "DryRun"))
        WIRE_SET(out, status_code, 204);
    else
        err = lambda_sync_start(call, &(struct lambda_sync_request){
                                          .name = &name,
                                          .fn = fn,
                                          .payload = payload,
                                          .context = context,
                                          .want_tail = str_eq_c(in->log_type, "Tail"),
                                          .streams = true,
                                      });
    lambda_fn_unref(fn);
    return err;
}
