/* See lambda_sync.h.
 *
 * Layer: svc. Thread: the call's loop; what says home runs there. */
#include "svc/lambda/lambda_sync.h"

#include "base/mem.h"

enum { WAIT_MARGIN_MS = 30 * 1000 }; /* over what initialisation and function may take */

/* A synchronous invocation, shared by its call and the engine. */
struct sync {
    struct waiter waiter; /* the call's */
    struct waiters waiters;
    struct lambda_invocation inv;
    struct io_task task;
    struct lambda *l;
    pthread_mutex_t lock; /* guards waiters, done */
    atomic_int refs;
    bool done;
    enum lambda_status status;
    const char *reason;
    char *event;
    char *body;
    size_t body_len;
    struct buf tail;
    struct buf context;
    void *user;
};

static void sync_unref(struct sync *s)
{
    int before = atomic_fetch_sub(&s->refs, 1);
    assert(before > 0);
    if (before > 1)
        return;
    lambda_fn_unref(s->inv.fn);
    pthread_mutex_destroy(&s->lock);
    buf_release(&s->tail);
    buf_release(&s->context);
    mem_free(s->event);
    mem_free(s->body);
    mem_free(s);
}

/* Home loop. */
static void sync_done(struct lambda_invocation *inv, const struct lambda_result *r)
{
    struct sync *s = inv->user;

    assert(!s->done); /* E4 */
    s->status = r->status;
    s->reason = r->reason;
    if (r->status == INVOKE_OK || r->status == INVOKE_FUNCTION_ERROR) {
        s->body = mem_alloc(r->body.len + 1);
        if (s->body) {
            if (r->body.len)
                memcpy(s->body, r->body.p, r->body.len);
            s->body_len = r->body.len;
        } else {
            s->status = INVOKE_FAILED;
            s->reason = "out of memory";
        }
        if (str_is_set(r->tail))
            buf_add_str(&s->tail, r->tail);
    }
    pthread_mutex_lock(&s->lock);
    s->done = true;
    (void)waiters_wake(&s->waiters, 1);
    pthread_mutex_unlock(&s->lock);
    sync_unref(s);
}

/* Home loop. */
static void start_task(struct io_task *task)
{
    struct sync *s = CONTAINER_OF(task, struct sync, task);
    lambda_engine_invoke(s->l->engine, &s->inv);
}

static void on_release(void *arg)
{
    sync_unref(arg);
}

static struct sync *sync_new(struct call *call, struct lambda_fn *fn, struct str payload)
{
    struct sync *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    waiters_init(&s->waiters, &s->lock, NULL);
    atomic_init(&s->refs, 1);
    buf_init(&s->tail, LAMBDA_TAIL_MAX);
    buf_init(&s->context, LAMBDA_CONTEXT_MAX);
    s->l = lambda_of(call);
    s->inv.fn = lambda_fn_ref(fn);
    s->event = mem_alloc(payload.len + 1);
    if (!s->event) {
        sync_unref(s);
        return NULL;
    }
    memcpy(s->event, payload.p, payload.len);
    s->inv.event = str_n(s->event, payload.len);
    memcpy(s->inv.request_id, call->request_id.p,
           min_size(call->request_id.len, sizeof(s->inv.request_id) - 1));
    s->inv.on_done = sync_done;
    s->inv.user = s;
    s->task.fn = start_task;
    return s;
}

static int64_t wait_ms(const struct lambda_fn *fn)
{
    return 2 * fn->timeout_s * 1000 + SANDBOX_INIT_TIMEOUT_MS + WAIT_MARGIN_MS;
}

/* ERR_OK when it is done, ERR_TIMEOUT when it is not and its time is over, else ERR_SUSPENDED. */
static enum err sync_wait(struct sync *s)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&s->lock);
    if (!s->done)
        err = s->waiter.call->timed_out ? ERR_TIMEOUT
                                        : waiter_wait(&s->waiter, &s->waiters, wait_ms(s->inv.fn));
    pthread_mutex_unlock(&s->lock);
    return err;
}

enum err lambda_sync_start(struct call *call, const struct lambda_sync_request *req)
{
    struct sync *s = sync_new(call, req->fn, req->payload);
    if (!s)
        return ERR_NOMEM;
    lambda_invoked_arn(s->l, req->name, s->inv.invoked_arn);
    s->user = req->user;
    s->inv.want_tail = req->want_tail;
    if (str_is_set(req->context)) {
        buf_add_str(&s->context, req->context);
        s->inv.client_context = buf_str(&s->context);
    }
    if (arena_on_release(call->arena, on_release, s) != ERR_OK) {
        sync_unref(s);
        return ERR_NOMEM;
    }
    waiter_init(&s->waiter, call);
    enum err err = sync_wait(s);
    if (err != ERR_SUSPENDED)
        return err;
    atomic_fetch_add(&s->refs, 1);
    io_post(core_home_loop(s->l->core), &s->task);
    return ERR_SUSPENDED;
}

static enum err throttled(struct call *call, const char *reason)
{
    struct str json =
        str_fmt(call->arena, "\"%s\"", reason ? reason : "ConcurrentInvocationLimitExceeded");
    if (!str_is_set(json))
        return ERR_NOMEM;
    TRY(call_error_detail(call, "Reason", json));
    return call_error(call, &lambda_err_too_many_requests_exception, "Rate Exceeded.");
}

static enum err take_outcome(struct call *call, struct sync *s, struct lambda_outcome *ret_outcome)
{
    assert(s->done);
    switch (s->status) {
    case INVOKE_THROTTLED:
        return throttled(call, s->reason);
    case INVOKE_FAILED:
        return call_error(call, &lambda_err_service_exception, "The function could not start: %s",
                          s->reason ? s->reason : "unknown");
    case INVOKE_STOPPING:
        return call_error(call, &lambda_err_unavailable, "Weir is stopping");
    case INVOKE_OK:
    case INVOKE_FUNCTION_ERROR:
        break;
    }
    *ret_outcome = (struct lambda_outcome){
        .function_error = s->status == INVOKE_FUNCTION_ERROR,
        .body = str_n(s->body, s->body_len),
        .tail = str_n(s->tail.p ? s->tail.p : "", s->tail.len),
        .version = s->inv.fn->version,
    };
    return ERR_OK;
}

enum err lambda_sync_resume(struct call *call, struct lambda_outcome *ret_outcome)
{
    struct sync *s = call->state;

    (void)waiter_resume(&s->waiter);
    enum err err = sync_wait(s);
    if (err == ERR_TIMEOUT)
        return call_error(call, &lambda_err_service_exception,
                          "The function's environment does not answer");
    TRY(err);
    return take_outcome(call, s, ret_outcome);
}

void *lambda_sync_user(const struct call *call)
{
    return ((const struct sync *)call->state)->user;
}
