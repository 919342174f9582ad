/* Calls made inside the process, as a front. See inner.h.
 *
 *   core_call -> [posted] -> input -> principal -> [body] -> dispatch_run -> result
 *   core_call_in_txn -> input -> principal -> permission -> handler -> result
 *
 * Layer: core. Thread: the call's loop, or the transaction's. */
#include "core/inner.h"

#include <assert.h>

#include "base/clock.h"
#include "codec/json.h"
#include "core/inner_int.h"
#include "wire/inner.h"

/* The asker of an asynchronous call; in the call's arena. */
struct core_inner {
    struct io_task task;
    struct call_impl *c;
    struct core_request req; /* copied */
    void (*done)(void *arg, const struct core_result *result);
    void *arg;
    /* The streamed body. */
    struct str body; /* what is left of it */
    bool paused, pumping, ended;
    bool *over; /* set when the call ends below body_stream_data */
    char *piece;
    /* The streamed output. */
    struct buf collected;
    struct core_result result;
};

static size_t output_max(const struct core_request *req)
{
    return req->output_max ? req->output_max : INNER_OUTPUT_MAX;
}

/* --- the request ------------------------------------------------------------------------------ */

static enum err find(struct core *core, const struct core_request *req, struct call_impl *c)
{
    if (req->http)
        return inner_wire_route(c, req);
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct svc *svc = &core->svcs[i];
        const struct wire_service *wire = svc->def->wire;
        if (!str_eq(wire->name, req->service))
            continue;
        const struct wire_op *op = wire_op_find(wire, req->operation);
        if (!op)
            return ERR_NOT_FOUND;
        c->routed = (struct wire_routed){
            .outcome = WIRE_ROUTED,
            .service = wire,
            .op = op,
            .op_name = op->name,
            .protocol = (enum wire_protocol)wire->protocol,
        };
        c->call.service = wire;
        c->call.op = op;
        c->call.svc = svc->self;
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

/* What handlers may look at of a request that no wire carried. */
static void fill_head(struct call_impl *c, const struct core_request *req)
{
    const struct wire_op *op = c->routed.op;
    c->request = (struct wire_request){
        .method = str_is_set(op->method) ? op->method : STR("POST"),
        .path = STR("/"),
        .body = req->body.p              ? req->body
                : str_is_set(req->input) ? req->input
                                         : STR(""),
        .body_is_stream = op->flags & WIRE_OP_STREAM_IN,
        .tls = true,
    };
    if (req->http) {
        c->request = *req->http;
        c->request.body_is_stream = op->flags & WIRE_OP_STREAM_IN;
        c->request.tls = true;
    }
    c->call.tls_version = STR("1.3"); /* no wire is as good as the best */
    c->call.source_ip = req->source_ip;
    if (str_is_set(req->region))
        c->call.region = req->region;
    c->system_tags = req->system_tags;
    c->via = (struct call_via){req->via, req->source_arn, req->source_account};
    c->call.signed_by = CALL_SIGNED_HEADER; /* as services of AWS sign what they ask each other */
}

/* A principal acts in its own account; a service's own, which has none, in that of what it acts for. */
static void act_in(struct call_impl *c, const struct core_request *req)
{
    struct str own = str_is_set(c->who.account) ? c->who.account : req->source_account;
    if (str_is_set(own))
        call_act_in(c, own);
}

static enum err become(struct call_impl *c, const struct core_request *req)
{
    if (req->who) {
        c->who = *req->who;
        act_in(c, req);
        return ERR_OK;
    }
    if (!str_is_set(req->role_arn)) {
        c->who = (struct principal){.kind = PRINCIPAL_ANONYMOUS, .arn = STR("*")};
        return ERR_OK;
    }
    struct str name = str_is_set(req->session_name) ? req->session_name : STR("weir");
    enum err err = core_role_principal(c->core, req->role_arn, name, &c->arena, &c->who);
    if (err == ERR_NOT_FOUND)
        return call_error_common(c, WIRE_E_ACCESS_DENIED, "The role " STR_FMT " does not exist.",
                                 STR_ARG(req->role_arn));
    TRY(err);
    act_in(c, req);
    return ERR_OK;
}

static enum err decode(struct call_impl *c, const struct core_request *req)
{
    void *in;
    struct wire_fault fault = {0};
    assert(c->routed.op && !c->in);
    enum err err =
        req->http ? inner_wire_decode(c, &in, &fault)
                  : wire_inner_decode(c->routed.op, req->input, req->body, &c->arena, &in, &fault);
    if (err == ERR_FAILED)
        TRY(call_error_fault(c, &fault));
    if (err == ERR_OK)
        c->in = in;
    return err;
}

/* Everything before permission. */
static enum err prepare(struct call_impl *c, const struct core_request *req)
{
    if (c->depth > INNER_DEPTH_MAX)
        return ERR_LIMIT;
    TRY(find(c->core, req, c));
    fill_head(c, req);
    TRY(call_make_id(c));
    if (c->overloaded)
        return call_error_common(c, WIRE_E_THROTTLING, "Rate exceeded");
    TRY(become(c, req));
    return decode(c, req);
}

/* --- the result ------------------------------------------------------------------------------- */

/* The code as the service's clients know it. */
static struct str code_of(const struct call_impl *c)
{
    const struct wire_error *e = c->error;
    if (!e)
        return STR("InternalFailure");
    switch (c->routed.protocol) {
    case WIRE_QUERY:
    case WIRE_REST_XML:
        return e->code;
    default:
        break;
    }
    size_t hash = str_rfind(e->json_type, '#');
    return hash == SIZE_MAX ? e->name : str_sub(e->json_type, hash + 1, SIZE_MAX);
}

/* Details are JSON text in the JSON protocols, and characters in the others. */
static struct str details_of(struct call_impl *c)
{
    bool is_json = c->routed.protocol != WIRE_QUERY && c->routed.protocol != WIRE_REST_XML;
    struct buf b;
    if (!c->details)
        return STR_NONE;
    buf_init_arena(&b, &c->arena, WIRE_REPLY_MAX);
    for (const struct call_detail *d = c->details; d; d = d->next) {
        buf_add_byte(&b, d == c->details ? '{' : ',');
        json_put_str(&b, str_c(d->name));
        buf_add_byte(&b, ':');
        if (is_json)
            buf_add_str(&b, d->value);
        else
            json_put_str(&b, d->value);
    }
    buf_add_byte(&b, '}');
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}

static bool on_wire(const struct call_impl *c)
{
    const struct core_inner *inner = c->within ? NULL : c->asker;
    return inner && inner->req.http;
}

static void failure(struct call_impl *c, enum err err, struct core_result *ret)
{
    *ret = (struct core_result){
        .err = err,
        .status = c->error ? c->error->status : 500,
        .code = code_of(c),
        .message = str_is_set(c->error_message) ? c->error_message : str_c(err_name(err)),
        .details = details_of(c),
        .request_id = c->call.request_id,
    };
    if (on_wire(c) && inner_wire_reply(c, true, ret) != ERR_OK)
        ret->err = ERR_NOMEM;
}

/* What a JSON service gives raw is its output; what others give so is a body. */
static enum err success(struct call_impl *c, struct core_result *ret)
{
    const struct wire_op *op = c->routed.op;
    struct core_result r = {
        .status = c->reply_status ? c->reply_status : op->status,
        .request_id = c->call.request_id,
    };
    if (on_wire(c)) {
        TRY(inner_wire_reply(c, false, &r));
        *ret = r;
        return ERR_OK;
    }
    TRY(wire_inner_encode(op, c->out, &c->arena, &r.output, &r.body));
    if (c->reply_is_raw) {
        r.body = c->raw_body;
        r.content_type = c->raw_type;
        bool is_output = c->routed.protocol == WIRE_JSON10 || c->routed.protocol == WIRE_JSON11;
        if (is_output) {
            r.output = c->raw_body;
            r.body = STR_NONE;
        }
    }
    if (c->arena.failed)
        return ERR_NOMEM;
    *ret = r;
    return ERR_OK;
}

/* Tells the asker, and ends the call. */
static void deliver(struct call_impl *c, const struct core_result *r)
{
    struct core_inner *inner = c->asker;
    assert(inner && inner->c == c);
    c->asker = NULL;
    if (inner->over)
        *inner->over = true;
    call_finished(c, r->status);
    inner->done(inner->arg, r);
    dispatch_over(c);
}

static void refuse(struct call_impl *c)
{
    struct core_result r;
    failure(c, c->err, &r);
    deliver(c, &r);
}

static void answer(struct call_impl *c)
{
    struct core_inner *inner = c->asker;
    enum err err = success(c, &inner->result);
    if (err) {
        c->err = err;
        refuse(c);
        return;
    }
    if (!c->source.read) {
        deliver(c, &inner->result);
    } else if (inner->req.output == CORE_OUTPUT_SOURCE && !c->source.ready) {
        inner->result.source = c->source; /* theirs from here on */
        c->source = (struct call_source){0};
        deliver(c, &inner->result);
    } else {
        reply_stream_start(c, inner->result.status, NULL, 0);
    }
}

/* --- streamed output, collected --------------------------------------------------------------- */

static void stream_start(struct call_impl *c, int status, const struct http_header *headers,
                         size_t n_headers, uint64_t length)
{
    struct core_inner *inner = c->asker;
    buf_init_arena(&inner->collected, &c->arena, output_max(&inner->req));
    if (length <= output_max(&inner->req))
        (void)!buf_reserve(&inner->collected, (size_t)length);
}

static bool stream_write(struct call_impl *c, const void *p, size_t len)
{
    struct core_inner *inner = c->asker;
    buf_add(&inner->collected, p, len); /* what does not fit is told at the end */
    return true;
}

/* The caller, reply_stream, ends the call. */
static void stream_end(struct call_impl *c, enum err err)
{
    struct core_inner *inner = c->asker;
    struct core_result r = inner->result;
    c->err = err ? err : buf_err(&inner->collected);
    if (c->err) {
        failure(c, c->err, &r);
    } else {
        r.body = buf_str(&inner->collected);
    }
    c->asker = NULL;
    call_finished(c, r.status);
    inner->done(inner->arg, &r);
}

/* --- streamed input --------------------------------------------------------------------------- */

/* The next piece: of the reader, or of the bytes. */
static enum err next_piece(struct core_inner *inner, const void **ret_p, size_t *ret_n)
{
    if (inner->req.read) {
        *ret_p = inner->piece;
        return inner->req.read(inner->req.read_arg, inner->piece, HTTP_READ_BYTES, ret_n);
    }
    size_t n = inner->body.len < HTTP_READ_BYTES ? inner->body.len : HTTP_READ_BYTES;
    *ret_p = n ? inner->body.p : "";
    *ret_n = n;
    inner->body = str_sub(inner->body, n, SIZE_MAX);
    return ERR_OK;
}

static void pump(struct core_inner *inner)
{
    struct call_impl *c = inner->c;
    bool over = false;
    if (inner->pumping)
        return;
    inner->pumping = true;
    inner->over = &over;
    while (!inner->paused && !inner->ended) {
        const void *p = "";
        size_t n = 0;
        enum err err = next_piece(inner, &p, &n);
        inner->ended = err != ERR_OK || n == 0;
        body_stream_data(c, p, err ? 0 : n, inner->ended, err);
        if (over)
            return;
    }
    inner->over = NULL;
    inner->pumping = false;
}

static void body_start(struct call_impl *c)
{
    pump(c->asker);
}

static void body_pause(struct call_impl *c)
{
    ((struct core_inner *)c->asker)->paused = true;
}

static void body_resume(struct call_impl *c)
{
    struct core_inner *inner = c->asker;
    inner->paused = false;
    pump(inner);
}

static const struct call_front inner_front = {
    .name = "inner",
    .answer = answer,
    .refuse = refuse,
    .body_start = body_start,
    .body_pause = body_pause,
    .body_resume = body_resume,
    .stream_start = stream_start,
    .stream_write = stream_write,
    .stream_end = stream_end,
};

/* --- on a loop -------------------------------------------------------------------------------- */

static void refuse_unfound(struct call_impl *c, enum err err)
{
    c->err = err;
    c->error_message =
        err == ERR_LIMIT ? STR("Calls nest too deeply.") : STR("No such service or operation.");
    refuse(c);
}

static void run(struct io_task *task)
{
    struct core_inner *inner = CONTAINER_OF(task, struct core_inner, task);
    struct call_impl *c = inner->c;
    struct call_sink sink = {0};
    if (!c->asker) { /* cancelled meanwhile */
        dispatch_over(c);
        return;
    }
    enum err err = prepare(c, &inner->req);
    bool streams = err == ERR_OK && c->routed.op->flags & WIRE_OP_STREAM_IN;
    c->body_length = inner->req.read ? -1 : (int64_t)inner->body.len;
    if (streams && inner->req.read && !(inner->piece = arena_alloc(&c->arena, HTTP_READ_BYTES)))
        err = ERR_NOMEM;
    if (err == ERR_OK && streams)
        err = dispatch_open_sink(c, &sink);
    if (!c->routed.op && err != ERR_NOMEM)
        refuse_unfound(c, err);
    else if (err)
        dispatch_fail(c, err);
    else if (streams)
        body_stream_start(c, &sink);
    else
        dispatch_run(c);
}

static enum err copy_request(struct arena *a, struct core_request *req)
{
    struct str *texts[] = {&req->service,    &req->operation,      &req->input,    &req->body,
                           &req->role_arn,   &req->session_name,   &req->region,   &req->via,
                           &req->source_arn, &req->source_account, &req->source_ip};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i]->p)
            *texts[i] = str_dup(a, *texts[i]);
    if (req->http) {
        req->http = inner_wire_copy(a, req->http);
        req->read = NULL;
        req->body = req->http ? req->http->body : STR_NONE;
    }
    return a->failed ? ERR_NOMEM : ERR_OK;
}

enum err core_call(struct core *core, const struct core_request *req,
                   void (*done)(void *arg, const struct core_result *result), void *arg,
                   struct core_inner **ret_inner)
{
    struct io_loop *loop = io_loop_current();
    assert(loop && done);
    if (req->from && req->from->impl->within)
        return ERR_UNSUPPORTED;
    struct call_impl *c = call_new(core, loop, &inner_front, NULL);
    if (!c)
        return ERR_NOMEM;
    struct core_inner *inner = ARENA_NEW(&c->arena, struct core_inner);
    if (inner)
        inner->req = *req;
    if (!inner || copy_request(&c->arena, &inner->req) != ERR_OK) {
        call_free(c);
        return ERR_NOMEM;
    }
    c->asker = inner;
    c->start_ns = clock_mono_ns();
    c->call.request_id = STR("-");
    inner->c = c;
    inner->done = done;
    inner->arg = arg;
    inner->req.from = NULL;
    c->depth = req->from ? req->from->impl->depth + 1 : 0;
    if (req->from)
        dispatch_hold(c, req->from->impl);
    inner->body = inner->req.body;
    inner->task.fn = run;
    dispatch_begin(c);
    dispatch_count(c);
    io_post(loop, &inner->task);
    if (ret_inner)
        *ret_inner = inner;
    return ERR_OK;
}

void core_call_cancel(struct core_inner *inner)
{
    assert(inner->c->asker == inner);
    dispatch_gone(inner->c);
}

/* --- in the caller's transaction -------------------------------------------------------------- */

static void release_call(void *arg)
{
    struct call_impl *c = arg;
    c->magic = 0;
    arena_release(&c->arena);
}

static void committed(void *arg)
{
    struct call_impl *c = arg;
    call_finished(c, c->reply_status ? c->reply_status : c->routed.op->status);
}

/* A call in `txn`'s arena, with an arena of its own that goes when that one does: hooks that the
 * handler leaves behind may use both. */
static enum err call_within(struct txn *txn, struct call_impl **ret_c)
{
    struct call_impl *c = ARENA_NEW(txn->arena, struct call_impl);
    if (!c)
        return ERR_NOMEM;
    c->magic = CALL_MAGIC;
    arena_init(&c->arena, CALL_ARENA_MAX);
    TRY(arena_on_release(txn->arena, release_call, c));
    c->core = txn->core;
    c->front = &inner_front;
    c->within = true;
    c->start_ns = clock_mono_ns();
    /* For what reads by the call's own transaction before the handler runs: hooks go to `txn`. */
    c->txn = (struct txn){.core = txn->core,
                          .arena = &c->arena,
                          .loop = txn->loop,
                          .kv = txn->kv,
                          .now_ms = txn->now_ms,
                          .wall_ms = txn->wall_ms};
    c->call = (struct call){
        .txn = txn,
        .arena = &c->arena,
        .core = txn->core,
        .loop = txn->loop,
        .request_id = STR("-"),
        .account = txn->core->cfg.account,
        .region = txn->core->cfg.region,
        .partition = txn->core->cfg.partition,
        .who = &c->who,
        .request = &c->request,
        .impl = c,
    };
    *ret_c = c;
    return ERR_OK;
}

static enum err run_within(struct call_impl *c, const struct core_request *req)
{
    c->depth = req->from ? req->from->impl->depth + 1 : 0;
    TRY(prepare(c, req));
    const struct wire_op *op = c->routed.op;
    if (op->flags & (WIRE_OP_STREAM_IN | WIRE_OP_STREAM_OUT))
        return ERR_UNSUPPORTED;
    c->out = wire_output_new(op, &c->arena);
    if (!c->out)
        return ERR_NOMEM;
    c->phase = CALL_RUNNING;
    TRY(authz_check(c, core_svc(c->core, c->routed.service)));
    struct str account = c->call.txn->account;
    c->call.txn->account = c->call.account;
    enum err err = op->run(&c->call, c->in, c->out);
    c->call.txn->account = account;
    assert(err != ERR_SUSPENDED); /* call_suspend refused */
    return err;
}

enum err core_call_in_txn(struct txn *txn, const struct core_request *req,
                          struct core_result *ret_result)
{
    struct call_impl *c;
    assert(txn->kv && !req->read && !req->http);
    TRY(call_within(txn, &c));
    uint64_t work_max = txn->work_max;
    txn->work_max = 0; /* its errors are results: none may mean "elsewhere" */
    enum err err = run_within(c, req);
    txn->work_max = work_max;
    if (err == ERR_OK)
        err = success(c, ret_result);
    if (c->arena.failed || txn->arena->failed)
        err = ERR_NOMEM;
    if (err == ERR_OK)
        err = txn_on_commit(txn, committed, c);
    if (err == ERR_FAILED) {
        failure(c, err, ret_result);
        call_finished(c, ret_result->status);
    }
    return err;
}

enum err core_role_principal(struct core *core, struct str role_arn, struct str session_name,
                             struct arena *arena, struct principal *ret_who)
{
    const struct identity_port *id = &core->identity;
    return id->role_principal(id->self, role_arn, session_name, arena, ret_who);
}
