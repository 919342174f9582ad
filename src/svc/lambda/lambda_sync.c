/* See lambda_sync.h.
 *
 * Layer: svc. Thread: the call's loop; what says home runs there. */
#include "svc/lambda/lambda_sync.h"

#include "base/mem.h"
#include "svc/lambda/lambda_trace.h"

enum { WAIT_MARGIN_MS = 30 * 1000 }; /* over what initialisation and function may take */

/* A synchronous invocation, shared by its call and the engine. */
struct sync {
    struct waiter waiter; /* the call's */
    struct waiters waiters;
    struct lambda_invocation inv;
    struct io_task task;
    struct lambda *l;
    pthread_mutex_t lock; /* guards waiters, done, and what a streamed response has */
    atomic_int refs;
    bool done;
    /* Of a streamed response. */
    bool begun;  /* its head came */
    bool fresh;  /* something came that the call has not seen */
    bool asleep; /* the reply waits for bytes: call_wake */
    bool gone;   /* nobody reads any more */
    bool paused; /* the function waits for its reader */
    bool failed; /* no memory for a piece */
    char type[LAMBDA_STREAM_TYPE_MAX];
    size_t type_len;
    struct buf out;          /* what its reader has not taken yet */
    size_t body_at;          /* of a whole answer: taken up to there */
    struct io_task resuming; /* tells the function to go on */
    /* How it ended. */
    enum lambda_status status;
    const char *reason;
    enum kms_why kms;
    char *event;
    char *body;
    size_t body_len;
    struct buf tail;
    struct buf context, cause;
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
    buf_release(&s->out);
    buf_release(&s->context);
    buf_release(&s->cause);
    mem_free(s->event);
    mem_free(s->body);
    mem_free(s);
}

/* Lock held. */
static void wake_reader(struct sync *s)
{
    s->fresh = true;
    (void)waiters_wake(&s->waiters, 1);
    if (s->asleep)
        call_wake(s->waiter.call);
    s->asleep = false;
}

/* Home loop. */
static void sync_done(struct lambda_invocation *inv, const struct lambda_result *r)
{
    struct sync *s = inv->user;

    assert(!s->done); /* E4 */
    s->status = r->status;
    s->reason = r->reason;
    s->kms = r->kms;
    if (r->status == INVOKE_OK || r->status == INVOKE_FUNCTION_ERROR || r->status == INVOKE_KMS) {
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
    wake_reader(s);
    pthread_mutex_unlock(&s->lock);
    sync_unref(s);
}

/* Home loop. */
static void sync_head(struct lambda_invocation *inv, struct str content_type)
{
    struct sync *s = inv->user;
    pthread_mutex_lock(&s->lock);
    s->begun = true;
    s->type_len = min_size(content_type.len, sizeof(s->type));
    if (s->type_len)
        memcpy(s->type, content_type.p, s->type_len);
    wake_reader(s);
    pthread_mutex_unlock(&s->lock);
}

/* Home loop. */
static bool sync_piece(struct lambda_invocation *inv, struct str piece)
{
    struct sync *s = inv->user;
    pthread_mutex_lock(&s->lock);
    if (!s->gone && !s->failed) {
        buf_add_str(&s->out, piece);
        s->failed = buf_err(&s->out) != ERR_OK;
        s->paused = !s->failed && s->out.len >= LAMBDA_STREAM_HIGH;
        wake_reader(s);
    }
    bool paused = s->paused;
    pthread_mutex_unlock(&s->lock);
    return !paused;
}

/* Home loop. */
static void resume_task(struct io_task *task)
{
    struct sync *s = CONTAINER_OF(task, struct sync, resuming);
    lambda_engine_resume(&s->inv);
    sync_unref(s);
}

/* Lock held. One at a time: `paused` is set again by a piece, which comes after the function went on. */
static void let_go_on(struct sync *s)
{
    if (!s->paused || s->out.len > LAMBDA_STREAM_LOW)
        return;
    s->paused = false;
    s->resuming.fn = resume_task;
    atomic_fetch_add(&s->refs, 1);
    io_post(core_home_loop(s->l->core), &s->resuming);
}

/* Home loop. */
static void start_task(struct io_task *task)
{
    struct sync *s = CONTAINER_OF(task, struct sync, task);
    lambda_engine_invoke(s->l->engine, &s->inv);
}

void lambda_sync_leave(void *sync)
{
    struct sync *s = sync;
    pthread_mutex_lock(&s->lock);
    s->gone = true;
    s->asleep = false;
    buf_clear(&s->out);
    let_go_on(s);
    pthread_mutex_unlock(&s->lock);
}

static void on_release(void *arg)
{
    lambda_sync_leave(arg);
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
    buf_init(&s->out, LAMBDA_STREAM_HIGH + 4 * HTTP_READ_BYTES);
    buf_init(&s->context, LAMBDA_CONTEXT_MAX);
    buf_init(&s->cause, LAMBDA_TRACE_GIVEN_MAX);
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

/* ERR_OK when it is done, or something came, ERR_TIMEOUT when it is not and its time is over, else ERR_SUSPENDED. */
static enum err sync_wait(struct sync *s)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&s->lock);
    if (!s->done && !s->fresh)
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
    if (req->streams) {
        s->inv.on_head = sync_head;
        s->inv.on_piece = sync_piece;
    }
    if (str_is_set(req->context)) {
        buf_add_str(&s->context, req->context);
        s->inv.client_context = buf_str(&s->context);
    }
    struct str cause = call_trace(call);
    if (str_is_set(cause) && cause.len <= LAMBDA_TRACE_GIVEN_MAX) {
        buf_add_str(&s->cause, cause);
        s->inv.cause = buf_str(&s->cause);
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

struct lambda_outcome lambda_sync_end(void *sync)
{
    struct sync *s = sync;
    return (struct lambda_outcome){
        .function_error = s->status != INVOKE_OK,
        .body = str_n(s->body ? s->body : "", s->body_len),
        .tail = str_n(s->tail.p ? s->tail.p : "", s->tail.len),
        .version = s->inv.fn->version,
    };
}

/* KMS refuses what the function's environment is sealed with. */
static enum err refused(struct call *call, const struct sync *s)
{
    static const struct wire_error *const errors[KMS_WHYS] = {
        [KMS_WHY_DENIED] = &lambda_err_kms_access_denied_exception,
        [KMS_WHY_DISABLED] = &lambda_err_kms_disabled_exception,
        [KMS_WHY_INVALID_STATE] = &lambda_err_kms_invalid_state_exception,
        [KMS_WHY_NOT_FOUND] = &lambda_err_kms_not_found_exception,
        [KMS_WHY_INVALID_USAGE] = &lambda_err_kms_invalid_state_exception,
        [KMS_WHY_OTHER] = &lambda_err_kms_access_denied_exception,
    };
    return call_error(call, errors[s->kms], STR_FMT, STR_ARG(str_n(s->body, s->body_len)));
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
    case INVOKE_LOOP:
        return call_error(call, &lambda_err_recursive_invocation_exception,
                          "The function invokes itself in a loop: it was stopped after %d "
                          "invocations of one chain.",
                          LAMBDA_HOPS_MAX);
    case INVOKE_KMS:
        return refused(call, s);
    case INVOKE_OK:
    case INVOKE_FUNCTION_ERROR:
        break;
    }
    *ret_outcome = lambda_sync_end(s);
    return ERR_OK;
}

/* The call runs again. */
static enum err sync_again(struct call *call)
{
    struct sync *s = call->state;
    (void)waiter_resume(&s->waiter);
    enum err err = sync_wait(s);
    if (err == ERR_TIMEOUT)
        return call_error(call, &lambda_err_service_exception,
                          "The function's environment does not answer");
    return err;
}

enum err lambda_sync_resume(struct call *call, struct lambda_outcome *ret_outcome)
{
    TRY(sync_again(call));
    return take_outcome(call, call->state, ret_outcome);
}

struct str lambda_sync_version(const struct call *call)
{
    return ((const struct sync *)call->state)->inv.fn->version;
}

void *lambda_sync_user(const struct call *call)
{
    return ((const struct sync *)call->state)->user;
}

/* --- responses that are streamed --------------------------------------------------------------- */

/* Lock held. Copies what there is. */
static enum err look(struct call *call, struct sync *s, struct lambda_streamed *ret_streamed)
{
    bool whole = s->done && !s->begun && s->status == INVOKE_OK;
    struct str bytes = whole ? str_n(s->body, s->body_len) : buf_str(&s->out);
    struct str type = str_n(s->type, s->type_len);
    s->fresh = false;
    *ret_streamed = (struct lambda_streamed){
        .ended = s->done,
        .function_error = s->done && s->status == INVOKE_FUNCTION_ERROR,
        .content_type = s->begun ? str_dup(call->arena, type) : STR_NONE,
        .begin = str_dup(call->arena, str_sub(bytes, 0, LAMBDA_STREAM_BEGIN_MAX)),
    };
    return call->arena->failed ? ERR_NOMEM : ERR_OK;
}

enum err lambda_sync_streamed(struct call *call, struct lambda_streamed *ret_streamed)
{
    struct sync *s = call->state;
    struct lambda_outcome outcome;
    TRY(sync_again(call));
    pthread_mutex_lock(&s->lock);
    bool unheard = s->done && !s->begun;
    enum err err = look(call, s, ret_streamed);
    pthread_mutex_unlock(&s->lock);
    TRY(err);
    return unheard ? take_outcome(call, s, &outcome) : ERR_OK;
}

enum err lambda_sync_more(struct call *call)
{
    return sync_wait(call->state);
}

void lambda_sync_drop(struct call *call, size_t n)
{
    struct sync *s = call->state;
    pthread_mutex_lock(&s->lock);
    assert(n <= s->out.len);
    buf_drop_front(&s->out, n);
    let_go_on(s);
    pthread_mutex_unlock(&s->lock);
}

bool lambda_sync_ready(void *sync)
{
    struct sync *s = sync;
    pthread_mutex_lock(&s->lock);
    bool ready = s->done || s->failed || s->out.len > 0;
    s->asleep = !ready;
    pthread_mutex_unlock(&s->lock);
    return ready;
}

enum err lambda_sync_read(void *sync, char *p, size_t max, size_t *ret_n)
{
    struct sync *s = sync;
    pthread_mutex_lock(&s->lock);
    size_t n = min_size(max, s->out.len);
    enum err err = s->failed ? ERR_NOMEM : ERR_OK;
    if (n > 0) {
        memcpy(p, s->out.p, n);
        buf_drop_front(&s->out, n);
    } else if (s->done && s->status == INVOKE_OK) {
        n = min_size(max, s->body_len - s->body_at);
        if (n > 0)
            memcpy(p, s->body + s->body_at, n);
        s->body_at += n;
    }
    let_go_on(s);
    pthread_mutex_unlock(&s->lock);
    *ret_n = n;
    return err;
}
