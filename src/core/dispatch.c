/* The life of a call, whoever brought it: permission -> handler in a transaction -> commit ->
 * durability -> reply. What comes before (operation, caller, input) and how the reply is given is
 * the front's: front_http.c, inner.c.
 *
 * Invariants
 *   X1  Nothing of a handler's result leaves before what it wrote or read is durable (P1). That
 *       goes for the service's errors too: they may tell of what was read.
 *   X2  No handler runs before authentication and authorisation said yes (P3).
 *   X3  A call is released exactly once, after its last callback; the asker may leave at any time,
 *       and is not called after that.
 *   X4  Errors are logged here and nowhere below.
 *
 * Layer: core. Thread: the call's loop. */
#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/call_int.h"

enum { ATTEMPTS_IN_A_ROW = 8 }; /* before other work of the loop gets a turn */

/* --- beginning and ending --------------------------------------------------------------------------------- */

static void deadline(struct io_timer *timer)
{
    struct call_impl *c = timer->arg;
    c->call.timed_out = true;
    call_wake(&c->call);
}

void dispatch_begin(struct call_impl *c)
{
    struct core *core = c->core;
    c->overloaded = atomic_load(&core->impl->running) >= core->cfg.calls_max;
    clock_read_ms(&c->txn.now_ms, &c->txn.wall_ms);
    c->txn.work_max = TXN_SLICE_WORK;
    io_timer_init(&c->timer, c->call.loop, deadline, c);
}

void dispatch_count(struct call_impl *c)
{
    assert(!c->counted);
    c->counted = true;
    c->overloaded = atomic_fetch_add(&c->core->impl->running, 1) >= c->core->cfg.calls_max;
}

void dispatch_hold(struct call_impl *c, struct call_impl *from)
{
    assert(!c->from && !from->within && from->phase != CALL_OVER);
    assert(from->call.loop == c->call.loop);
    c->from = from;
    from->holders++;
}

static void end_call(struct call_impl *c)
{
    struct core *core = c->core;
    struct call_impl *from = c->from;
    bool counted = c->counted;
    if (c->holders > 0) /* the last of them ends it */
        return;
    if (c->body_budget)
        atomic_fetch_sub(c->body_budget, c->body_counted);
    call_free(c);
    if (counted)
        core_one_less(core, &core->impl->running);
    if (!from)
        return;
    assert(from->holders > 0);
    from->holders--;
    if (from->phase == CALL_OVER && !atomic_load(&from->wake_posted))
        end_call(from); /* INNER_DEPTH_MAX deep */
}

void dispatch_over(struct call_impl *c)
{
    assert(!c->body_stream && !c->reply_stream);
    assert(c->phase != CALL_OVER);
    c->phase = CALL_OVER;
    io_timer_stop(&c->timer);
    call_source_release(c);
    assert(!c->asker);                /* whoever asked was answered, or left */
    if (atomic_load(&c->wake_posted)) /* the posted task frees it */
        return;
    end_call(c);
}

/* What who asked would have been told, had he not left. A claim's operation has no status in a spec. */
static int status_of(const struct call_impl *c, bool is_error)
{
    if (is_error)
        return c->error ? c->error->status : 400;
    if (c->reply_status)
        return c->reply_status;
    return c->claim ? 200 : c->routed.op->status;
}

/* Gives what came out to whoever asked. */
static void answer(struct call_impl *c, bool is_error)
{
    assert(c->phase != CALL_OVER);
    if (!c->asker) {
        call_finished(c, status_of(c, is_error));
        dispatch_over(c);
    } else if (is_error) {
        c->front->refuse(c);
    } else {
        c->front->answer(c);
    }
}

/* A body in aws-chunked form that is not what its head promised: what it lacks, not RequestTimeout, which
 * SDKs would try again. */
static bool set_chunk_error(struct call_impl *c)
{
    uint64_t number, bytes;
    if (!sigv4_chunk_small(c->chunk, &number, &bytes))
        return call_error_some(c, WIRE_E_INCOMPLETE_BODY,
                               "The request body terminated unexpectedly");
    (void)!call_error_detail(&c->call, "Chunk", str_fmt(&c->arena, "%" PRIu64, number));
    (void)!call_error_detail(&c->call, "BadChunkSize", str_fmt(&c->arena, "%" PRIu64, bytes));
    return call_error_some(c, WIRE_E_INVALID_CHUNK_SIZE,
                           "Only the last chunk is allowed to have a size less than 8192 bytes");
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
    if (err == ERR_LIMIT && c->routed.op && c->routed.op->body_max)
        (void)!call_error_common(
            c, which, "Request must be smaller than %u bytes for the " STR_FMT " operation",
            c->routed.op->body_max, STR_ARG(c->routed.op->name));
    else
        (void)!call_error_common(c, which, "%s", why);
}

void dispatch_fail(struct call_impl *c, enum err err)
{
    assert(err != ERR_OK && err != ERR_SUSPENDED);
    if (c->arena.failed)
        err = ERR_NOMEM; /* the caller's fault it only seems */
    c->err = err;
    if (err == ERR_INVALID && c->chunk && set_chunk_error(c))
        err = ERR_FAILED;
    if (err != ERR_FAILED)
        set_environment_error(c, err);
    answer(c, true);
}

/* --- running ---------------------------------------------------------------------------------- */

static void after_durable(struct call_impl *c)
{
    if (c->wait_err) {
        dispatch_fail(c, ERR_IO);
        return;
    }
    txn_durable(&c->txn);
    c->err = c->error ? ERR_FAILED : ERR_OK;
    answer(c, c->error != NULL);
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
    assert(c->phase == CALL_RUNNING && !c->txn.kv); /* X1: committed or rolled back */
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
    if (c->phase == CALL_REPLYING && c->stream_woken) {
        c->stream_woken(c);
        return;
    }
    if (c->is_busy || (c->phase != CALL_SUSPENDED && c->phase != CALL_RUNNING))
        return;
    assert(!c->txn.kv); /* the attempt before ended */
    io_timer_stop(&c->timer);
    c->on_cancel = NULL;
    dispatch_run(c);
}

static void suspend(struct call_impl *c)
{
    assert(c->phase == CALL_RUNNING && !c->within);
    c->phase = CALL_SUSPENDED;
    if (!c->asker) { /* it left while the handler ran: nobody waits */
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
    c->is_encoded = false;
    c->n_reply_headers = 0;
    c->reply_status = 0;
    c->reply_is_raw = false;
    call_source_release(c);
    if (!c->out)
        c->out = wire_output_new(c->routed.op, &c->arena);
    else
        memset(c->out, 0, c->routed.op->out_size);
    return c->out ? ERR_OK : ERR_NOMEM;
}

/* The part of an attempt that a worker may do. */
static enum err run_handler(struct call_impl *c)
{
    TRY(txn_begin(&c->txn));
    enum err err = ERR_OK;
    if (!c->authorized) {
        err = authz_check(c, core_svc(c->core, c->routed.service));
        c->authorized = err == ERR_OK;
    }
    assert(err != ERR_OK || c->authorized); /* X2 */
    if (err == ERR_OK)
        err = c->routed.op->run(&c->call, c->in, c->out);
    if (c->arena.failed && err != ERR_SUSPENDED)
        err = ERR_NOMEM; /* unnoticed: what the handler made or judged may lack something (A4) */
    return err;
}

/* The rest of it: *ret_seq is what the reply, also an error, has to wait for. */
static enum err end_attempt(struct call_impl *c, enum err err, uint64_t *ret_seq)
{
    if (err) {
        txn_abort(&c->txn);
        *ret_seq = kv_last_seq(c->core->kv);
        return err;
    }
    return txn_commit(&c->txn, ret_seq);
}

static void handler_work(struct call_impl *c)
{
    c->long_err = run_handler(c);
    if (c->long_err == ERR_OK && c->front->encode)
        c->front->encode(c);
}

/* What becomes of the call after an attempt; true: another one is due. */
static bool after_attempt(struct call_impl *c, enum err err, uint64_t seq)
{
    if (err == ERR_CONFLICT && ++c->attempts < TXN_ATTEMPTS_MAX)
        return true;
    if (err == ERR_OK || err == ERR_FAILED)
        reply_when_durable(c, seq);
    else if (err == ERR_SUSPENDED)
        suspend(c);
    else
        dispatch_fail(c, err);
    return false;
}

static void handler_done(struct call_impl *c)
{
    uint64_t seq = 0;
    enum err err = end_attempt(c, c->long_err, &seq);
    if (err == ERR_SUSPENDED) { /* waiting is the loop's: once more there, to the end */
        c->on_cancel = NULL;
        c->is_long = false;
        c->txn.work_max = 0;
        dispatch_run(c);
    } else if (after_attempt(c, err, seq)) {
        dispatch_run(c);
    }
}

void dispatch_run(struct call_impl *c)
{
    assert(c->routed.op && c->phase != CALL_OVER && c->phase != CALL_COMMITTED);
    c->phase = CALL_RUNNING;
    c->wake_task.fn = rerun_task;
    for (int i = 0; i < ATTEMPTS_IN_A_ROW; i++) {
        uint64_t seq = 0;
        enum err err = reset_result(c);
        c->txn.work = 0;
        if (err == ERR_OK && c->is_long) {
            c->txn.work_max = 0;
            long_run(c, handler_work, handler_done);
            return;
        }
        if (err == ERR_OK)
            err = end_attempt(c, run_handler(c), &seq);
        if (err == ERR_LONG)
            c->is_long = true;
        else if (!after_attempt(c, err, seq))
            return;
    }
    call_wake(&c->call);
}

enum err dispatch_open_sink(struct call_impl *c, struct call_sink *ret_sink)
{
    TRY(txn_begin(&c->txn));
    c->txn.work_max = 0; /* the body waits for it: short by its nature */
    /* A claim's operation asks for itself what its caller may do. */
    enum err err = c->claim ? ERR_OK : authz_check(c, core_svc(c->core, c->routed.service));
    assert(c->phase != CALL_RUNNING && c->phase != CALL_OVER);
    c->authorized = err == ERR_OK;
    if (err == ERR_OK)
        err = c->routed.op->body(&c->call, c->in, ret_sink);
    txn_abort(&c->txn);
    c->txn.work_max = TXN_SLICE_WORK;
    return err;
}

void dispatch_gone(struct call_impl *c)
{
    assert(c->magic == CALL_MAGIC);
    c->asker = NULL;
    switch (c->phase) {
    case CALL_BODY:
        if (c->body_stream && c->close_stream(c))
            return;
        dispatch_over(c);
        return;
    case CALL_REPLYING:
        if (!c->close_stream(c))
            dispatch_over(c);
        return;
    case CALL_SUSPENDED:
        if (c->on_cancel)
            c->on_cancel(&c->call);
        dispatch_over(c);
        return;
    case CALL_HEAD:      /* the front's own step is posted: it looks */
    case CALL_RUNNING:   /* an attempt is posted: it ends by itself */
    case CALL_COMMITTED: /* hooks still have to run */
    case CALL_OVER:
        return;
    }
}
