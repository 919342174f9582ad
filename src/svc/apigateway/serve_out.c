/* The reply on its last step: compressed where it may be, with the headers that every reply has. See
 * serve_request.h.
 *
 * Source: API Gateway Developer Guide, "Payload compression for REST APIs in API Gateway".
 * Layer: svc. Thread: the call's loop. */
#include "codec/gzip.h"
#include "svc/apigateway/serve_request.h"

static enum err compress(struct serve_req *r)
{
    struct arena *a = r->call->arena;
    const struct serve_api *api = r->stage ? r->stage->api : NULL;
    struct buf packed;
    if (!api || api->compress_min < 0 || r->out.body.len < (size_t)api->compress_min ||
        r->out.body.len == 0 || !wire_accepts_gzip(serve_header(r, "accept-encoding")))
        return ERR_OK;
    for (size_t i = 0; i < r->out.header.n; i++)
        if (str_eq_nocase(r->out.header.v[i].name, STR("content-encoding")))
            return ERR_OK;
    buf_init_arena(&packed, a, r->out.body.len);
    enum err err = gzip_pack(r->out.body, &packed);
    if (err)
        return err == ERR_LIMIT ? ERR_OK : err; /* it would not become smaller */
    r->out.body = buf_str(&packed);
    return map_made_set(a, &r->out.header, STR("Content-Encoding"), STR("gzip"), true);
}

/* A header that could be read as two is none. */
static bool is_clean(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0')
            return false;
    return true;
}

enum err serve_send(struct serve_req *r)
{
    struct call *call = r->call;
    TRY(compress(r));
    call_reply_status(call, r->out.status);
    TRY(call_reply_header(call, STR("x-amzn-RequestId"), call->request_id));
    TRY(call_reply_header(call, STR("x-amz-apigw-id"), r->extended_id));
    for (size_t i = 0; i < r->out.header.n; i++) {
        const struct map_pair *h = &r->out.header.v[i];
        if (str_eq_nocase(h->name, STR("content-type")) || !is_clean(h->name) ||
            !is_clean(h->value))
            continue;
        TRY(call_reply_header(call, h->name, h->value));
    }
    call_reply_raw(call, r->out.content_type, r->out.body);
    if (r->out.flows) {
        const struct call_source source = integrate_flow(&r->wait);
        call_reply_source(call, &source);
    } else {
        integrate_cancel(&r->wait); /* what flows, and was refused on its way */
    }
    return ERR_OK;
}
