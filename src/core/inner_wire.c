/* Inner calls whose request and reply are those of the service's own protocol: what API Gateway's
 * integrations write by templates. See inner.h.
 *
 * Layer: core. Thread: the call's loop. */
#include "core/inner_int.h"

const struct wire_request *inner_wire_copy(struct arena *a, const struct wire_request *http)
{
    struct wire_request *copy = ARENA_NEW(a, struct wire_request);
    struct wire_header *headers = ARENA_ARRAY(a, struct wire_header, http->n_headers + 1);
    if (!copy || !headers)
        return NULL;
    *copy = *http;
    copy->method = str_dup(a, http->method);
    copy->path = str_dup(a, http->path);
    copy->query = str_dup(a, http->query);
    copy->body = str_is_set(http->body) ? str_dup(a, http->body) : STR("");
    for (size_t i = 0; i < http->n_headers; i++)
        headers[i] = (struct wire_header){str_dup(a, http->headers[i].name),
                                          str_dup(a, http->headers[i].value)};
    copy->headers = headers;
    return a->failed ? NULL : copy;
}

/* The service by its name here, or as signatures have it. */
static struct str signing_of(const struct core *core, struct str service)
{
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct wire_service *wire = core->svcs[i].def->wire;
        if (str_eq(wire->name, service) || str_eq(wire->signing, service))
            return wire->signing;
    }
    return STR_NONE;
}

enum err inner_wire_route(struct call_impl *c, const struct core_request *req)
{
    struct str signing = signing_of(c->core, req->service);
    if (!str_is_set(signing))
        return ERR_NOT_FOUND;
    TRY(wire_route(c->core->impl->wires, c->core->n_svcs, req->http, signing, &c->arena,
                   &c->routed));
    const struct wire_service *wire = c->routed.service;
    if (c->routed.outcome != WIRE_ROUTED || !str_eq(wire->signing, signing)) {
        c->routed.op = NULL;
        return ERR_NOT_FOUND;
    }
    c->call.service = wire;
    c->call.op = c->routed.op;
    c->call.svc = core_svc(c->core, wire)->self;
    return ERR_OK;
}

enum err inner_wire_decode(struct call_impl *c, void **ret_in, struct wire_fault *ret_fault)
{
    return wire_decode(&c->routed, &c->request, &c->arena, ret_in, ret_fault);
}

static enum err encode_error(struct call_impl *c, struct wire_reply *reply)
{
    size_t n = 0, i = 0;
    for (const struct call_detail *d = c->details; d; d = d->next)
        n++;
    struct wire_detail *details = ARENA_ARRAY(&c->arena, struct wire_detail, n + 1);
    if (!details)
        return ERR_NOMEM;
    for (const struct call_detail *d = c->details; d; d = d->next)
        details[i++] = (struct wire_detail){str_c(d->name), d->value};
    return wire_encode_error(&c->routed, c->error, c->error_message, details, n, c->call.request_id,
                             c->core->cfg.host_id, &c->arena, reply);
}

/* Those of the encoded reply, then the handler's own. */
static enum err take_headers(struct call_impl *c, const struct wire_reply *reply, bool is_error,
                             struct core_result *ret)
{
    size_t own = is_error ? 0 : c->n_reply_headers;
    struct wire_header *h = ARENA_ARRAY(&c->arena, struct wire_header, reply->n_headers + own + 1);
    if (!h)
        return ERR_NOMEM;
    for (size_t i = 0; i < reply->n_headers; i++)
        h[i] = reply->headers[i];
    for (size_t i = 0; i < own; i++)
        h[reply->n_headers + i] =
            (struct wire_header){c->reply_headers[i].name, c->reply_headers[i].value};
    ret->headers = h;
    ret->n_headers = reply->n_headers + own;
    return ERR_OK;
}

enum err inner_wire_reply(struct call_impl *c, bool is_error, struct core_result *ret)
{
    struct wire_reply reply;
    bool raw = !is_error && c->reply_is_raw;
    TRY(is_error ? encode_error(c, &reply)
                 : wire_encode(&c->routed, c->out, c->call.request_id, c->core->cfg.host_id,
                               &c->arena, &reply));
    TRY(take_headers(c, &reply, is_error, ret));
    ret->status = !is_error && c->reply_status ? c->reply_status : reply.status;
    ret->content_type = raw ? c->raw_type : reply.content_type;
    ret->body = raw ? c->raw_body : reply.body;
    return c->arena.failed ? ERR_NOMEM : ERR_OK;
}
