/* Invoke: RequestResponse, Event, DryRun.
 *
 * A synchronous call is suspended while the engine, on the home loop, has the function run:
 *   handler --io_post--> start_task (home) --lambda_engine_invoke-->
 *   sync_done (home) --waiters_wake--> handler again
 *
 * Source: Lambda API Reference, Invoke.
 * Layer: svc. Thread: the call's loop; what says home runs there. */
#include "base/mem.h"
#include "codec/base64.h"
#include "svc/lambda/lambda_int.h"

enum {
    WAIT_MARGIN_MS = 30 * 1000, /* over what initialisation and function may take */
    CLIENT_CONTEXT_MAX = 3583,
};

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
    buf_init(&s->context, CLIENT_CONTEXT_MAX);
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

/* What is invoked. */
struct invoked {
    struct lambda_name name;
    struct lambda_fn *fn;
};

static enum err sync_start(struct call *call, const struct lambda_invoke_input *in,
                           struct invoked *of, struct str payload, struct str context)
{
    struct sync *s = sync_new(call, of->fn, payload);
    if (!s)
        return ERR_NOMEM;
    lambda_invoked_arn(s->l, &of->name, s->inv.invoked_arn);
    s->inv.want_tail = str_eq_c(in->log_type, "Tail");
    if (str_is_set(context)) {
        buf_add_str(&s->context, context);
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

static enum err sync_answer(struct call *call, struct sync *s, const struct lambda_invoke_input *in,
                            struct lambda_invoke_output *out)
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
    WIRE_SET(out, status_code, 200);
    out->payload = str_n(s->body, s->body_len);
    out->executed_version = str_dup(call->arena, s->inv.fn->version);
    if (s->status == INVOKE_FUNCTION_ERROR)
        out->function_error = STR("Unhandled");
    if (str_eq_c(in->log_type, "Tail")) {
        out->log_result = base64_encode(call->arena, s->tail.p ? s->tail.p : "", s->tail.len);
        if (!str_is_set(out->log_result))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

/* The call runs again: woken, or its time passed. */
static enum err sync_resume(struct call *call, const struct lambda_invoke_input *in,
                            struct lambda_invoke_output *out)
{
    struct sync *s = call->state;

    (void)waiter_resume(&s->waiter);
    enum err err = sync_wait(s);
    if (err == ERR_TIMEOUT)
        return call_error(call, &lambda_err_service_exception,
                          "The function's environment does not answer");
    TRY(err);
    return sync_answer(call, s, in, out);
}

static enum err check_payload(struct call *call, struct str payload, bool event)
{
    size_t max = event ? LAMBDA_PAYLOAD_ASYNC_MAX : LAMBDA_PAYLOAD_SYNC_MAX;
    size_t at;

    if (payload.len > max)
        return call_error(call, &lambda_err_request_too_large_exception,
                          "%zu byte payload is too large for the %s invocation type (limit %zu "
                          "bytes)",
                          payload.len, event ? "Event" : "RequestResponse", max);
    if (lambda_payload_is_json(payload, &at))
        return ERR_OK;
    return call_error(call, &lambda_err_invalid_request_content_exception,
                      "Could not parse request body into json: Could not parse payload into json: "
                      "Unexpected character at offset %zu",
                      at);
}

static enum err client_context(struct call *call, const struct lambda_invoke_input *in,
                               struct str *ret_context)
{
    *ret_context = STR_NONE;
    if (str_empty(in->client_context))
        return ERR_OK;
    size_t at;
    if (in->client_context.len > CLIENT_CONTEXT_MAX ||
        base64_decode(call->arena, in->client_context, ret_context) != ERR_OK ||
        !lambda_payload_is_json(*ret_context, &at))
        return call_error(call, &lambda_err_invalid_request_content_exception,
                          "Client context must be a valid Base64-encoded JSON object.");
    return ERR_OK;
}

static enum err run(struct call *call, const struct lambda_invoke_input *in, struct invoked *of,
                    struct lambda_invoke_output *out)
{
    bool event = str_eq_c(in->invocation_type, "Event");
    struct str payload = str_empty(in->payload) ? STR("{}") : in->payload;
    struct str context;

    if (str_is_set(in->durable_execution_name) || str_is_set(in->tenant_id))
        return LAMBDA_INVALID(call, "DurableExecutionName and TenantId are not supported by Weir.");
    TRY(check_payload(call, payload, event));
    TRY(client_context(call, in, &context));
    if (str_eq_c(in->invocation_type, "DryRun")) {
        WIRE_SET(out, status_code, 204);
        return ERR_OK;
    }
    if (!event)
        return sync_start(call, in, of, payload, context);
    TRY(lambda_async_add(call->txn, lambda_of(call), of->fn, of->name.qualifier, call->request_id,
                         context, payload));
    WIRE_SET(out, status_code, 202);
    return ERR_OK;
}

enum err lambda_invoke(struct call *call, const struct lambda_invoke_input *in,
                       struct lambda_invoke_output *out)
{
    struct invoked of;

    if (call->state)
        return sync_resume(call, in, out);
    TRY(lambda_name_of_qualifier(call, in->function_name, in->qualifier, &of.name));
    enum err err = lambda_fn_find(lambda_of(call), &of.name, &of.fn);
    if (err == ERR_NOT_FOUND)
        return lambda_not_found(call, &of.name);
    TRY(err);
    err = run(call, in, &of, out);
    lambda_fn_unref(of.fn);
    return err;
}
