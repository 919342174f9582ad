/* The life of a request: head -> operation -> signature -> body -> input -> permission -> handler
 * in a transaction -> commit -> durability -> reply.
 *
 * Invariants
 *   X1  Nothing of a handler's result leaves before what it wrote or read is durable (P1). That
 *       goes for the service's errors too: they may tell of what was read.
 *   X2  No handler runs before authentication and authorisation said yes (P3).
 *   X3  A call is released exactly once, after its last callback; the client may leave at any time.
 *   X4  Errors are logged here and nowhere below.
 *
 * Layer: core. Thread: the connection's loop. */
#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "core/call_int.h"

enum { ATTEMPTS_IN_A_ROW = 8 }; /* before other work of the loop gets a turn */

/* --- replying --------------------------------------------------------------------------------- */

static void end_call(struct call_impl *c)
{
    struct core *core = c->core;
    atomic_fetch_sub(&core->impl->body_bytes, c->body_counted);
    call_free(c);
    core_one_less(core, &core->impl->running);
}

void dispatch_over(struct call_impl *c)
{
    assert(!c->body_stream && !c->reply_files);
    assert(c->phase != CALL_OVER);
    c->phase = CALL_OVER;
    io_timer_stop(&c->timer);
    if (c->files_release) {
        void (*release)(void *) = c->files_release;
        c->files_release = NULL;
        release(c->files_arg);
    }
    if (c->req) /* refused before any reply was made: cannot happen, but must not leak */
        c->req->user = NULL;
    if (atomic_load(&c->wake_posted)) /* the posted task frees it */
        return;
    end_call(c);
}

static void count(struct call_impl *c, int status)
{
    int64_t ns = clock_mono_ns() - c->start_ns;
    if (c->routed.op)
        metrics_call(c->core->impl->metrics, c->routed.op, status, ns);
    log_debug("call", "%d " STR_FMT " " STR_FMT " who=" STR_FMT " us=%" PRId64 " id=" STR_FMT,
              status, STR_ARG(c->routed.service ? c->routed.service->name : STR("?")),
              STR_ARG(c->routed.op_name), STR_ARG(c->who.arn), ns / 1000,
              STR_ARG(c->call.request_id));
}

static enum err merge_headers(struct call_impl *c, const struct wire_reply *reply,
                              struct http_header **ret_headers, size_t *ret_n)
{
    size_t n = reply->n_headers + c->n_reply_headers + 1;
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
    *ret_n = at;
    return ERR_OK;
}

static void send_last_resort(struct call_impl *c)
{
    struct http_req *req = c->req;
    c->req = NULL;
    if (req)
        http_reply(req, 500, NULL, 0, STR_NONE);
    count(c, 500);
    dispatch_over(c);
}

/* Hands a finished reply to http. */
static void send_reply(struct call_impl *c, const struct wire_reply *reply, bool is_error)
{
    if (!c->req) {
        dispatch_over(c);
        return;
    }
    struct http_header *headers;
    size_t n;
    if (is_error)
        c->reply_is_raw = false;
    if (merge_headers(c, reply, &headers, &n) != ERR_OK) {
        send_last_resort(c);
        return;
    }
    int status = !is_error && c->reply_status ? c->reply_status : reply->status;
    if (!is_error && c->n_files && !c->routed.head) {
        count(c, status);
        reply_files_start(c, status, headers, n);
        return;
    }
    struct http_req *req = c->req;
    c->req = NULL;
    count(c, status); /* before the client can ask for the figures */
    http_reply(req, status, headers, n, c->reply_is_raw ? c->raw_body : reply->body);
    dispatch_over(c);
}

static void encode_and_send(struct call_impl *c)
{
    struct wire_reply reply;
    if (wire_encode(&c->routed, c->out, c->call.request_id, c->core->cfg.host_id, &c->arena,
                    &reply) != ERR_OK ||
        c->arena.failed) {
        send_last_resort(c);
        return;
    }
    send_reply(c, &reply, false);
}

static void encode_error_and_send(struct call_impl *c)
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

/* Errors that are not a service's own. */
static void set_environment_error(struct call_impl *c, enum err err)
{
    enum wire_common which = WIRE_E_INTERNAL;
    const char *why = "We encountered an internal error. Please try again.";
    switch (err) {
    case ERR_CONFLICT:
        which = WIRE_E_CONFLICT;
        why = "Too many concurrent changes to the same data. Please try again.";
        break;
    case ERR_NOMEM:
    case ERR_CLOSED:
        which = WIRE_E_UNAVAILABLE;
        why = "The service is out of memory or shutting down. Please try again.";
        break;
    case ERR_LIMIT:
        which = WIRE_E_TOO_LARGE;
        why = "The request is larger than the service allows.";
        break;
    case ERR_TIMEOUT:
        which = WIRE_E_TIMEOUT;
        why = "The request body did not arrive in time.";
        break;
    case ERR_INVALID:
        which = WIRE_E_TIMEOUT;
        why =
            "You did not provide the number of bytes specified by the Content-Length HTTP header.";
        break;
    case ERR_DENIED:
        which = c->chunk ? WIRE_E_BAD_SIGNATURE : WIRE_E_BAD_DIGEST;
        why = c->chunk ? "The request signature we calculated does not match the signature you "
                         "provided. Check your key and signing method."
                       : "The provided 'x-amz-content-sha256' header does not match what was "
                         "computed.";
        break;
    default:
        log_error("core", "%s in " STR_FMT " request=" STR_FMT, err_name(err),
                  STR_ARG(c->routed.op_name), STR_ARG(c->call.request_id));
        break;
    }
    (void)!call_error_common(c, which, "%s", why);
}

void dispatch_fail(struct call_impl *c, enum err err)
{
    assert(err != ERR_OK && err != ERR_SUSPENDED);
    if (c->arena.failed)
        err = ERR_NOMEM; /* the caller's fault it only seems */
    if (err != ERR_FAILED)
        set_environment_error(c, err);
    encode_error_and_send(c);
}

/* --- running ---------------------------------------------------------------------------------- */

static void after_durable(struct call_impl *c)
{
    if (c->wait_err) {
        dispatch_fail(c, ERR_IO);
        return;
    }
    txn_durable(&c->txn);
    if (c->error)
        encode_error_and_send(c);
    else
        encode_and_send(c);
}

static void durable_task(struct io_task *task)
{
    after_durable(CONTAINER_OF(task, struct call_impl, task));
}

static void durable_cb(struct kv_wait *wait, enum err err)
{
    struct call_impl *c = CONTAINER_OF(wait, struct call_impl, wait);
    c->wait_err = err;
    c->task.fn = durable_task;
    io_post(c->call.loop, &c->task);
}

static void reply_when_durable(struct call_impl *c, uint64_t seq)
{
    uint64_t memory = atomic_load_explicit(&c->core->memory_seq, memory_order_acquire);
    c->phase = CALL_COMMITTED;
    c->wait = (struct kv_wait){.seq = seq > memory ? seq : memory, .fn = durable_cb};
    if (!kv_when_durable(c->core->kv, &c->wait))
        after_durable(c);
}

static void rerun_task(struct io_task *task)
{
    struct call_impl *c = CONTAINER_OF(task, struct call_impl, wake_task);
    atomic_store(&c->wake_posted, false);
    if (c->phase == CALL_OVER) { /* cancelled while the task was on its way */
        end_call(c);
        return;
    }
    if (c->phase != CALL_SUSPENDED && c->phase != CALL_RUNNING)
        return;
    io_timer_stop(&c->timer);
    c->on_cancel = NULL;
    dispatch_run(c);
}

static void deadline(struct io_timer *timer)
{
    struct call_impl *c = timer->arg;
    c->call.timed_out = true;
    call_wake(&c->call);
}

static void suspend(struct call_impl *c)
{
    c->phase = CALL_SUSPENDED;
    if (!c->req) { /* the client left while the handler ran: nobody waits */
        if (c->on_cancel)
            c->on_cancel(&c->call);
        dispatch_over(c);
    }
}

/* Forgets what an earlier attempt of the handler left on the call. */
static enum err reset_result(struct call_impl *c)
{
    c->error = NULL;
    c->error_message = STR_NONE;
    c->details = NULL;
    c->n_reply_headers = 0;
    c->reply_status = 0;
    c->reply_is_raw = false;
    if (c->files_release)
        c->files_release(c->files_arg);
    c->files_release = NULL;
    c->files = NULL;
    c->n_files = 0;
    if (!c->out)
        c->out = wire_output_new(c->routed.op, &c->arena);
    else
        memset(c->out, 0, c->routed.op->out_size);
    return c->out ? ERR_OK : ERR_NOMEM;
}

/* One attempt up to its commit. *ret_seq is what the reply, also an error, has to wait for. */
static enum err attempt(struct call_impl *c, const struct svc *svc, uint64_t *ret_seq)
{
    TRY(reset_result(c));
    TRY(txn_begin(&c->txn));
    enum err err = ERR_OK;
    if (!c->authorized) {
        err = authz_check(c, svc);
        c->authorized = err == ERR_OK;
    }
    if (err == ERR_OK)
        err = c->routed.op->run(&c->call, c->in, c->out);
    if (c->arena.failed && err != ERR_SUSPENDED)
        err = ERR_NOMEM; /* unnoticed: what the handler made or judged may lack something (A4) */
    if (err) {
        txn_abort(&c->txn);
        *ret_seq = kv_last_seq(c->core->kv);
        return err;
    }
    return txn_commit(&c->txn, ret_seq);
}

void dispatch_run(struct call_impl *c)
{
    const struct svc *svc = core_svc(c->core, c->routed.service);
    c->phase = CALL_RUNNING;
    c->wake_task.fn = rerun_task;
    for (int i = 0; i < ATTEMPTS_IN_A_ROW; i++) {
        uint64_t seq = 0;
        enum err err = attempt(c, svc, &seq);
        if (err == ERR_CONFLICT && ++c->attempts < TXN_ATTEMPTS_MAX)
            continue;
        if (err == ERR_OK || err == ERR_FAILED)
            reply_when_durable(c, seq);
        else if (err == ERR_SUSPENDED)
            suspend(c);
        else
            dispatch_fail(c, err);
        return;
    }
    call_wake(&c->call);
}

/* --- reading the request ---------------------------------------------------------------------- */

/* Says once what a client asked for in vain: a tool that polls must not fill the log. */
static void warn_once(struct call_impl *c, const char *what)
{
    const struct wire_routed *r = &c->routed;
    struct str service = r->service ? r->service->name : c->sig.service;
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
        return call_error_common(c, WIRE_E_UNKNOWN_OPERATION,
                                 "The action or operation requested is invalid: " STR_FMT,
                                 STR_ARG(r->op_name));
    case WIRE_BAD_REQUEST:
    case WIRE_PROTOCOL_REFUSED:
        return call_error_common(c, WIRE_E_SERIALIZATION,
                                 r->outcome == WIRE_BAD_REQUEST
                                     ? "The request is malformed."
                                     : "This protocol is not spoken here; use JSON or query.");
    case WIRE_UNKNOWN_SERVICE:
        warn_once(c, "unknown service");
        c->error = NULL;
        c->error_message = STR("No service of Weir answers this request.");
        return ERR_FAILED;
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

static enum err make_request_id(struct call_impl *c)
{
    char id[RNG_UUID_LEN + 1];
    size_t len = RNG_UUID_LEN;
    rng_uuid(id);
    if (c->routed.protocol == WIRE_REST_XML) {
        rng_text(id, 16, "0123456789ABCDEF");
        len = 16;
    }
    c->call.request_id = str_dup(&c->arena, str_n(id, len));
    return c->call.request_id.p ? ERR_OK : ERR_NOMEM;
}

static enum err decode(struct call_impl *c)
{
    void *in;
    struct wire_fault fault = {0};
    enum err err = wire_decode(&c->routed, &c->request, &c->arena, &in, &fault);
    if (err == ERR_FAILED) {
        c->error = fault.error;
        c->error_message = fault.message;
    }
    if (err == ERR_OK)
        c->in = in;
    return err;
}

/* Everything before the handler, for an operation whose body is in memory. */
static enum err prepare(struct call_impl *c)
{
    TRY(make_request_id(c));
    if (c->overloaded)
        return call_error_common(c, WIRE_E_THROTTLING, "Rate exceeded");
    TRY(authn_check(c, false));
    if (c->routed.outcome != WIRE_ROUTED)
        return routing_error(c);
    return decode(c);
}

static void body_complete(struct call_impl *c)
{
    enum err err = ERR_OK;
    if (c->routed.outcome == WIRE_NEEDS_BODY)
        err = route(c);
    if (err == ERR_OK)
        err = prepare(c);
    if (err)
        dispatch_fail(c, err);
    else
        dispatch_run(c);
}

/* False when all bodies together would take too much memory. */
static bool count_body(struct call_impl *c, size_t len)
{
    c->body_counted += len;
    return atomic_fetch_add(&c->core->impl->body_bytes, len) + len <= CORE_BODIES_MAX;
}

static void on_body(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct call_impl *c = req->user;
    if (!c)
        return;
    if (err == ERR_OK && !count_body(c, len))
        err = ERR_NOMEM;
    if (err == ERR_OK) {
        buf_add(&c->body, p, len);
        err = buf_err(&c->body);
    }
    if (err) {
        if (make_request_id(c) != ERR_OK)
            c->call.request_id = STR("-");
        dispatch_fail(c, err);
        return;
    }
    if (!last)
        return;
    c->request.body = buf_str(&c->body);
    body_complete(c);
}

/* Everything before the body of an operation that streams it: who asks, may they, and where to. */
static enum err prepare_stream(struct call_impl *c, struct call_sink *ret_sink)
{
    TRY(make_request_id(c));
    if (c->overloaded)
        return call_error_common(c, WIRE_E_THROTTLING, "Rate exceeded");
    TRY(authn_check(c, true));
    c->request.body_is_stream = true;
    TRY(decode(c));
    TRY(txn_begin(&c->txn));
    enum err err = authz_check(c, core_svc(c->core, c->routed.service));
    c->authorized = err == ERR_OK;
    if (err == ERR_OK)
        err = c->routed.op->body(&c->call, c->in, ret_sink);
    txn_abort(&c->txn);
    return err;
}

static void start_stream(struct call_impl *c)
{
    struct call_sink sink = {0};
    enum err err = prepare_stream(c, &sink);
    if (err)
        dispatch_fail(c, err);
    else
        body_stream_start(c, &sink);
}

static void start_buffered(struct call_impl *c)
{
    if (c->req->content_length == 0) {
        c->request.body = STR("");
        body_complete(c);
        return;
    }
    buf_init_arena(&c->body, &c->arena, CALL_BODY_MAX);
    if (c->req->content_length > 0 && c->req->content_length <= CALL_BODY_MAX)
        (void)!buf_reserve(&c->body, (size_t)c->req->content_length);
    c->phase = CALL_BODY;
    http_body_start(c->req, CALL_BODY_MAX, on_body);
}

/* --- http's callbacks ------------------------------------------------------------------------- */

static const struct core_route *custom_route(const struct core *core, const struct http_req *req)
{
    for (size_t i = 0; i < core->impl->n_routes; i++)
        if (str_starts(req->path, core->impl->routes[i].prefix))
            return &core->impl->routes[i];
    return NULL;
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
    struct call_impl *c = call_new(core, req);
    if (!c) {
        http_reply(req, 503, NULL, 0, STR_NONE);
        return;
    }
    req->user = c;
    c->overloaded = atomic_fetch_add(&core->impl->running, 1) >= core->cfg.calls_max;
    c->txn.now_ms = clock_now_ms();
    io_timer_init(&c->timer, req->loop, deadline, c);
    enum err err = authn_parse(c);
    if (err == ERR_OK)
        err = route(c);
    if (err) {
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
    assert(c->magic == CALL_MAGIC && c->req == req);
    c->req = NULL;
    switch (c->phase) {
    case CALL_BODY:
        if (c->body_stream && body_stream_close(c))
            return;
        dispatch_over(c);
        return;
    case CALL_REPLYING:
        if (!reply_files_close(c))
            dispatch_over(c);
        return;
    case CALL_SUSPENDED:
        if (c->on_cancel)
            c->on_cancel(&c->call);
        dispatch_over(c);
        return;
    case CALL_HEAD:
    case CALL_RUNNING:   /* an attempt is posted: it ends by itself */
    case CALL_COMMITTED: /* hooks still have to run */
    case CALL_OVER:
        return;
    }
}

struct http_handler core_http_handler(struct core *core)
{
    return (struct http_handler){.ctx = core, .on_request = on_request, .on_close = on_close};
}
