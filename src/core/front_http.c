/* HTTP as a front: the head names the operation, the signature the caller, the body is the input;
 * the reply is encoded in the protocol of the request.
 *
 *   head -> operation -> signature -> body -> input -> dispatch_run
 *
 * Layer: core. Thread: the connection's loop. */
#include <assert.h>

#include "base/log.h"
#include "codec/gzip.h"
#include "core/account.h"
#include "core/call_int.h"
#include "core/web.h"

/* --- the reply -------------------------------------------------------------------------------- */

static enum err merge_headers(struct call_impl *c, const struct wire_reply *reply,
                              struct http_header **ret_headers, size_t *ret_n)
{
    size_t n = reply->n_headers + c->n_reply_headers + 1 + WEB_HEADERS_MAX;
    struct http_header *h = ARENA_ARRAY(&c->arena, struct http_header, n);
    if (!h)
        return ERR_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < reply->n_headers; i++)
        h[at++] = (struct http_header){reply->headers[i].name, reply->headers[i].value};
    for (size_t i = 0; i < c->n_reply_headers; i++)
        h[at++] = c->reply_headers[i];
    struct str type = c->reply_is_raw ? c->raw_type : reply->content_type;
    if (type.p)
        h[at++] = (struct http_header){STR("Content-Type"), type};
    *ret_headers = h;
    *ret_n = at + web_reply_headers(c, h + at);
    return ERR_OK;
}

static void send_last_resort(struct call_impl *c)
{
    struct http_req *req = c->asker;
    c->asker = NULL;
    http_reply(req, 500, NULL, 0, STR_NONE);
    call_finished(c, 500);
    dispatch_over(c);
}

/* Hands a finished reply to http. */
static void send_reply(struct call_impl *c, const struct wire_reply *reply, bool is_error)
{
    assert(c->asker);
    struct http_header *headers;
    size_t n;
    if (is_error)
        c->reply_is_raw = false;
    if (merge_headers(c, reply, &headers, &n) != ERR_OK) {
        send_last_resort(c);
        return;
    }
    int status = !is_error && c->reply_status ? c->reply_status : reply->status;
    if (!is_error && c->source.read && !c->routed.head) {
        reply_stream_start(c, status, headers, n);
        return;
    }
    struct http_req *req = c->asker;
    struct str body = c->reply_is_raw ? c->raw_body : reply->body;
    c->asker = NULL;
    c->reply_bytes = c->routed.head ? 0 : body.len;
    call_finished(c, status); /* before the client can ask for the figures */
    http_reply(req, status, headers, n, body);
    dispatch_over(c);
}

static void encode(struct call_impl *c)
{
    c->is_encoded = !c->claim &&
                    wire_encode(&c->routed, c->out, c->call.request_id, c->core->cfg.host_id,
                                &c->arena, &c->encoded) == ERR_OK &&
                    !c->arena.failed; /* A4 */
}

static void answer(struct call_impl *c)
{
    struct wire_reply reply;
    if (c->is_encoded) {
        send_reply(c, &c->encoded, false);
        return;
    }
    if (c->claim) { /* all of it is raw */
        reply = (struct wire_reply){.status = 200, .body = STR("")};
        send_reply(c, &reply, false);
        return;
    }
    if (wire_encode(&c->routed, c->out, c->call.request_id, c->core->cfg.host_id, &c->arena,
                    &reply) != ERR_OK ||
        c->arena.failed) {
        send_last_resort(c);
        return;
    }
    send_reply(c, &reply, false);
}

static void refuse(struct call_impl *c)
{
    size_t n = 0;
    for (struct call_detail *d = c->details; d; d = d->next)
        n++;
    struct wire_detail *details = ARENA_ARRAY(&c->arena, struct wire_detail, n + 1);
    struct wire_reply reply;
    size_t i = 0;
    for (struct call_detail *d = c->details; d && details; d = d->next)
        details[i++] = (struct wire_detail){str_c(d->name), d->value};
    if (!details ||
        wire_encode_error(&c->routed, c->error, c->error_message, details, n, c->call.request_id,
                          c->core->cfg.host_id, &c->arena, &reply) != ERR_OK) {
        send_last_resort(c);
        return;
    }
    send_reply(c, &reply, true);
}

/* --- bodies in pieces ------------------------------------------------------------------------- */

static void stream_body(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    body_stream_data(req->user, p, len, last, err);
}

static void body_start(struct call_impl *c)
{
    http_body_start(c->asker, UINT64_MAX, stream_body);
}

static void body_resume(struct call_impl *c)
{
    http_body_resume(c->asker);
}

static void body_pause(struct call_impl *c)
{
    http_body_pause(c->asker);
}

static void stream_start(struct call_impl *c, int status, const struct http_header *headers,
                         size_t n_headers, uint64_t length)
{
    call_finished(c, status); /* before the client can ask for the figures */
    http_reply_start(c->asker, status, headers, n_headers, (int64_t)length);
}

static void stream_drained(struct http_req *req)
{
    reply_stream_more(req->user);
}

static bool stream_write(struct call_impl *c, const void *p, size_t len)
{
    if (http_reply_write(c->asker, p, len))
        return true;
    http_reply_on_drain(c->asker, stream_drained);
    return false;
}

static void stream_end(struct call_impl *c, enum err err)
{
    struct http_req *req = c->asker;
    c->asker = NULL;
    if (err)
        http_reply_abort(req); /* the reply must not look complete */
    else
        http_reply_end(req);
}

static const struct call_front http_front = {
    .name = "http",
    .answer = answer,
    .encode = encode,
    .refuse = refuse,
    .body_start = body_start,
    .body_pause = body_pause,
    .body_resume = body_resume,
    .stream_start = stream_start,
    .stream_write = stream_write,
    .stream_end = stream_end,
};

/* --- the request ------------------------------------------------------------------------------ */

/* Says once what a client asked for in vain: a tool that polls must not fill the log. */
static void warn_once(struct call_impl *c, const char *what)
{
    const struct wire_routed *r = &c->routed;
    struct str service = r->service   ? r->service->name
                         : r->lacking ? r->lacking->signing
                                      : c->sig.service;
    struct str operation =
        r->op_name.p ? r->op_name : wire_header_get(&c->request, STR("x-amz-target"));
    struct str key =
        str_fmt(&c->arena, "%s: " STR_FMT " " STR_FMT, what, STR_ARG(service), STR_ARG(operation));
    struct core_impl *impl = c->core->impl;
    static char told; /* any value but NULL */
    pthread_mutex_lock(&impl->told_lock);
    /* Keys come from outside, so the set is bounded; beyond it nothing is told. */
    bool first = key.p && impl->told.n < CORE_TOLD_MAX && !map_get(&impl->told, key) &&
                 map_put(&impl->told, key, &told, NULL) == ERR_OK;
    pthread_mutex_unlock(&impl->told_lock);
    if (first)
        log_warn("core", STR_FMT, STR_ARG(key));
}

static enum err method_refused(struct call_impl *c)
{
    TRY(call_error_detail(&c->call, "Method", c->request.method));
    TRY(call_error_detail(&c->call, "ResourceType", str_c(call_resource_kind(c))));
    return call_error_common(c, WIRE_E_UNKNOWN_OPERATION,
                             "The specified method is not allowed against this resource.");
}

/* Words of the query protocol. */
static enum err unknown_action(struct call_impl *c)
{
    const struct wire_routed *r = &c->routed;
    struct str version = percent_get(r->form, r->n_form, STR("Version"));
    if (str_is_set(r->service->url_member))
        return call_error_common(c, WIRE_E_UNKNOWN_OPERATION,
                                 "The action " STR_FMT " is not valid for this endpoint.",
                                 STR_ARG(r->op_name));
    if (!str_is_set(version))
        version = percent_get(r->params, r->n_params, STR("Version"));
    return call_error_common(
        c, WIRE_E_UNKNOWN_OPERATION, "Could not find operation " STR_FMT " for version " STR_FMT,
        STR_ARG(r->op_name), STR_ARG(str_is_set(version) ? version : STR("NO_VERSION_SPECIFIED")));
}

/* The request names no operation that exists here: says so in the protocol it speaks. */
static enum err routing_error(struct call_impl *c)
{
    const struct wire_routed *r = &c->routed;
    switch (r->outcome) {
    case WIRE_UNSUPPORTED:
        warn_once(c, "not supported");
        return call_error_common(c, WIRE_E_NOT_IMPLEMENTED,
                                 "The operation " STR_FMT " of " STR_FMT
                                 " is not supported by Weir. See docs/reference.",
                                 STR_ARG(r->op_name), STR_ARG(r->service->title));
    case WIRE_UNKNOWN_OPERATION:
        warn_once(c, "unknown operation");
        if (r->lacking)
            return call_error_common(c, WIRE_E_UNKNOWN_OPERATION,
                                     "No operation of " STR_FMT " is called so; " STR_FMT
                                     " is not there: Weir does not have this service.",
                                     STR_ARG(r->service->title), STR_ARG(r->lacking->title));
        if (r->service && r->service->buckets)
            return method_refused(c);
        if (r->protocol == WIRE_QUERY && r->service && str_is_set(r->op_name))
            return unknown_action(c);
        return call_error_common(c, WIRE_E_UNKNOWN_OPERATION,
                                 "The action or operation requested is invalid: " STR_FMT,
                                 STR_ARG(r->op_name));
    case WIRE_BAD_REQUEST:
        if (r->fault) {
            c->error = r->fault->error;
            c->error_message = r->fault->message;
            return ERR_FAILED;
        }
        if (call_error_some(c, WIRE_E_INVALID_URI, "Couldn't parse the specified URI."))
            return ERR_FAILED;
        /* fall through */
    case WIRE_PROTOCOL_REFUSED:
        return call_error_common(c, WIRE_E_SERIALIZATION,
                                 r->outcome == WIRE_BAD_REQUEST
                                     ? "The request is malformed."
                                     : "This protocol is not spoken here; use JSON or query.");
    case WIRE_UNKNOWN_SERVICE:
        warn_once(c, "unknown service");
        c->error = NULL;
        c->error_message = STR("No service of Weir answers this request.");
        if (r->lacking)
            c->error_message =
                str_fmt(&c->arena,
                        STR_FMT " (" STR_FMT ") is not there: Weir does not have this service. "
                                "See docs/reference for those that it has.",
                        STR_ARG(r->lacking->title), STR_ARG(r->lacking->signing));
        return str_is_set(c->error_message) ? ERR_FAILED : ERR_NOMEM;
    case WIRE_ROUTED:
    case WIRE_NEEDS_BODY:
        break;
    }
    return ERR_INVALID;
}

static enum err route(struct call_impl *c)
{
    TRY(wire_route(c->core->impl->wires, c->core->n_svcs, &c->request, c->sig.service, &c->arena,
                   &c->routed));
    c->call.service = c->routed.service;
    c->call.op = c->routed.op;
    const struct svc *svc = c->routed.service ? core_svc(c->core, c->routed.service) : NULL;
    c->call.svc = svc ? svc->self : NULL;
    return ERR_OK;
}

static enum err decode(struct call_impl *c)
{
    void *in;
    struct wire_fault fault = {0};
    enum err err = wire_decode(&c->routed, &c->request, &c->arena, &in, &fault);
    if (err == ERR_FAILED)
        TRY(call_error_fault(c, &fault));
    if (err == ERR_OK)
        c->in = in;
    return err;
}

/* Adds to the memory that bodies take together; ERR_NOMEM when that is too much. */
static enum err count_body(struct call_impl *c, size_t len)
{
    struct core_impl *impl = c->core->impl;
    if (!c->body_budget)
        c->body_budget = &impl->body_bytes;
    size_t max = c->body_budget == &impl->body_bytes ? CORE_BODIES_MAX : CORE_STRANGE_BODIES_MAX;
    c->body_counted += len;
    return atomic_fetch_add(c->body_budget, len) + len <= max ? ERR_OK : ERR_NOMEM;
}

/* Who asks? And then, whether there is room for the call. */
static enum err admit(struct call_impl *c, bool streamed)
{
    if (c->overloaded)
        return call_error_common(c, WIRE_E_THROTTLING, "Rate exceeded");
    TRY(web_check(c));
    if (!c->claim || !(c->routed.op->flags & WIRE_OP_UNSIGNED))
        TRY(authn_check(c, streamed));
    dispatch_count(c);
    return c->overloaded ? call_error_common(c, WIRE_E_THROTTLING, "Rate exceeded") : ERR_OK;
}

/* What a compressed body unpacks to counts before it is unpacked: the most it may be. */
static enum err count_unpacked(struct call_impl *c)
{
    size_t len = min_size(c->request.body.len, WIRE_UNPACKED_MAX / GZIP_RATIO_MAX);
    if (!c->routed.coded || len == 0)
        return ERR_OK;
    return count_body(c, GZIP_RATIO_FREE + len * GZIP_RATIO_MAX);
}

/* Everything before the handler, for an operation whose body is in memory. */
static enum err prepare(struct call_impl *c)
{
    TRY(call_make_id(c));
    /* A form has to be read to know what is asked, but nothing is unpacked for who is unknown. */
    if (c->routed.outcome == WIRE_NEEDS_BODY && c->routed.coded)
        TRY(authn_check(c, false));
    TRY(count_unpacked(c));
    if (c->routed.outcome == WIRE_NEEDS_BODY)
        TRY(route(c));
    /* Nothing here could judge the signature of what is another service's, as AWS's own front would. */
    if (c->routed.lacking && !c->overloaded)
        return routing_error(c);
    TRY(admit(c, false));
    if (c->claim)
        return ERR_OK;
    if (c->routed.outcome != WIRE_ROUTED)
        return routing_error(c);
    return decode(c);
}

static void vouch(struct call_impl *c)
{
    if (c->asker && c->authenticated && c->sig.kind != SIGV4_NONE)
        http_vouch(c->asker);
}

static void prepared(struct call_impl *c)
{
    vouch(c);
    if (c->long_err)
        dispatch_fail(c, c->long_err);
    else
        dispatch_run(c);
}

static void prepare_work(struct call_impl *c)
{
    c->long_err = prepare(c);
}

static void body_complete(struct call_impl *c)
{
    if (c->request.body.len > CORE_LOOP_BODY_MAX || (c->routed.coded && c->request.body.len > 0)) {
        long_run(c, prepare_work, prepared);
        return;
    }
    prepare_work(c);
    prepared(c);
}

static void on_body(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct call_impl *c = req->user;
    if (!c)
        return;
    if (err == ERR_OK)
        err = count_body(c, len);
    if (err == ERR_OK) {
        buf_add(&c->body, p, len);
        err = buf_err(&c->body);
    }
    if (err) {
        if (call_make_id(c) != ERR_OK)
            c->call.request_id = STR("-");
        dispatch_fail(c, err);
        return;
    }
    if (!last)
        return;
    c->request.body = buf_str(&c->body);
    body_complete(c);
}

/* S3 wants to know how long a body is before it comes, and of one in signed or unsigned chunks, what is in them. */
static enum err need_length(struct call_impl *c)
{
    bool encoded =
        str_starts(wire_header_get(&c->request, STR("x-amz-content-sha256")), STR("STREAMING-"));
    bool told =
        encoded ? c->sig.decoded_length >= 0
                : str_is_set(wire_header_get(&c->request, STR("content-length"))) ||
                      str_is_set(wire_header_get(&c->request, STR("x-amz-decoded-content-length")));
    if (!c->routed.service->buckets || told)
        return ERR_OK;
    if (!encoded && str_is_set(wire_header_get(&c->request, STR("transfer-encoding")))) {
        TRY(call_error_detail(&c->call, "Header", STR("Transfer-Encoding")));
        return call_error_common(
            c, WIRE_E_NOT_IMPLEMENTED,
            "A header you provided implies functionality that is not implemented");
    }
    return call_error_some(c, WIRE_E_MISSING_CONTENT_LENGTH,
                           "You must provide the Content-Length HTTP header.")
               ? ERR_FAILED
               : ERR_OK;
}

/* Everything before the body of an operation that streams it: who asks, may they, and where to. */
static enum err prepare_stream(struct call_impl *c, struct call_sink *ret_sink)
{
    TRY(call_make_id(c));
    TRY(admit(c, true));
    TRY(need_length(c));
    c->request.body_is_stream = true;
    if (!c->claim)
        TRY(decode(c));
    return dispatch_open_sink(c, ret_sink);
}

static void start_stream(struct call_impl *c)
{
    struct call_sink sink = {0};
    enum err err = prepare_stream(c, &sink);
    vouch(c);
    if (err)
        dispatch_fail(c, err);
    else
        body_stream_start(c, &sink);
}

/* Large bodies of who may be anybody have a budget of their own, so that they cannot fill that of
 * the others. */
static enum err choose_budget(struct call_impl *c)
{
    bool small = c->body_length >= 0 && c->body_length <= CORE_SMALL_BODY_MAX, proven = false;
    if (small || http_vouched(c->asker))
        return ERR_OK;
    TRY(authn_head(c, &proven));
    if (!proven)
        c->body_budget = &c->core->impl->strange_bytes;
    return ERR_OK;
}

static void start_buffered(struct call_impl *c)
{
    if (c->body_length == 0) {
        c->request.body = STR("");
        body_complete(c);
        return;
    }
    enum err err = choose_budget(c);
    if (err) {
        c->call.request_id = STR("-");
        dispatch_fail(c, err);
        return;
    }
    size_t max = c->routed.op && c->routed.op->body_max ? c->routed.op->body_max : CALL_BODY_MAX;
    buf_init_arena(&c->body, &c->arena, max);
    if (c->body_length > 0 && (uint64_t)c->body_length <= max)
        (void)!buf_reserve(&c->body, (size_t)c->body_length);
    c->phase = CALL_BODY;
    http_body_start(c->asker, max, on_body);
}

/* Copies `s` to *at and moves that on. An absent text stays absent. */
static struct str copy_to(char **at, struct str s)
{
    if (!s.p)
        return STR_NONE;
    memcpy(*at, s.p, s.len);
    *at += s.len;
    return str_n(*at - s.len, s.len);
}

/* The connection's memory goes when the client leaves; the call's must not. */
static enum err copy_head(struct call_impl *c, const struct http_req *req)
{
    struct wire_header *headers = ARENA_ARRAY(&c->arena, struct wire_header, req->n_headers + 1);
    size_t bytes = req->path.len + req->query.len;
    for (size_t i = 0; i < req->n_headers; i++)
        bytes += req->headers[i].name.len + req->headers[i].value.len;
    char *text = arena_alloc(&c->arena, bytes);
    struct str peer = str_dup(&c->arena, req->peer);
    struct str method = str_dup(&c->arena, req->method);
    if (!headers || !text || !peer.p || !method.p)
        return ERR_NOMEM;
    for (size_t i = 0; i < req->n_headers; i++) {
        headers[i].name = copy_to(&text, req->headers[i].name);
        headers[i].value = copy_to(&text, req->headers[i].value);
        web_note(&c->web, headers[i].name, headers[i].value);
    }
    c->request = (struct wire_request){
        .method = method,
        .path = copy_to(&text, req->path),
        .query = copy_to(&text, req->query),
        .headers = headers,
        .n_headers = req->n_headers,
        .tls = req->tls,
    };
    c->n_sent_headers = req->n_headers;
    c->call.source_ip = peer;
    c->call.tls_version = req->tls_version; /* static */
    c->start_ns = req->start_ns;
    c->body_length = req->content_length;
    return ERR_OK;
}

/* --- http's callbacks ------------------------------------------------------------------------- */

static const struct core_route *custom_route(const struct core *core, const struct http_req *req)
{
    for (size_t i = 0; i < core->impl->n_routes; i++)
        if (str_starts(req->path, core->impl->routes[i].prefix))
            return &core->impl->routes[i];
    return NULL;
}

/* Somebody looks at the address itself: "/" without a signature, or what the SDKs send with theirs. */
static bool wants_front_page(const struct call_impl *c)
{
    struct str path = c->request.path;
    bool reads = str_eq(c->request.method, STR("GET")) || str_eq(c->request.method, STR("HEAD"));
    if (!c->core->front_page || path.len != 1 || !reads || c->request.query.p || c->sig_bad ||
        c->sig.kind != SIGV4_NONE || c->routed.host_bucket.p || c->routed.lacking)
        return false;
    for (size_t i = 0; i < c->request.n_headers; i++)
        if (str_starts(c->request.headers[i].name, STR("amz-")) ||
            str_starts(c->request.headers[i].name, STR("x-amz-")))
            return false;
    return true;
}

static void on_request(void *ctx, struct http_req *req)
{
    struct core *core = ctx;
    const struct core_route *custom = custom_route(core, req);
    req->user = NULL;
    if (custom) {
        custom->fn(custom->arg, req);
        return;
    }
    struct call_impl *c = call_new(core, req->loop, &http_front, req);
    if (c && copy_head(c, req) != ERR_OK) {
        call_free(c);
        c = NULL;
    }
    if (!c) {
        http_reply(req, 503, NULL, 0, STR_NONE);
        return;
    }
    req->user = c;
    dispatch_begin(c);
    enum err err = authn_parse(c);
    /* It is the account's root, whatever the function's role is. */
    c->key_refused = core->from_function && account_is_dev_key(core, c->sig.access_key) &&
                     core->from_function(core, req);
    bool claimed = err == ERR_OK && claim_find(c);
    c->function_asks = claimed && c->routed.op->flags & WIRE_OP_STREAM_IN && core->from_function &&
                       core->from_function(core, req);
    if (err == ERR_OK && !claimed) {
        bool answered = false;
        err = route(c);
        if (!err)
            err = web_preflight(c, req, &answered);
        if (answered) {
            c->asker = NULL;
            dispatch_over(c);
            return;
        }
        if (!err && wants_front_page(c)) {
            c->asker = NULL;
            core->front_page(core, req);
            dispatch_over(c);
            return;
        }
    }
    if (err) {
        if (!str_is_set(c->call.request_id))
            c->call.request_id = STR("-");
        dispatch_fail(c, err);
        return;
    }
    if (c->overloaded) /* without reading, let alone keeping, the body */
        body_complete(c);
    else if (c->routed.outcome == WIRE_ROUTED && c->routed.op->flags & WIRE_OP_STREAM_IN)
        start_stream(c);
    else
        start_buffered(c);
}

static void on_close(void *ctx, struct http_req *req)
{
    struct call_impl *c = req->user;
    if (!c || custom_route(ctx, req)) /* a custom route's `user` is its own */
        return;
    assert(c->asker == req);
    dispatch_gone(c);
}

struct http_handler core_http_handler(struct core *core)
{
    return (struct http_handler){.ctx = core, .on_request = on_request, .on_close = on_close};
}
