/* A request's way through the steps that serve_request.h draws.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/apigateway/serve_steps.h"

#include "base/clock.h"
#include "base/rng.h"
#include "codec/gzip.h"

enum { AUTH_TIMEOUT_MS = 30 * 1000 };

/* --- the request ------------------------------------------------------------------------------ */

static void name_request(struct serve_req *r)
{
    static const char marks[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char id[SERVE_EXTENDED_ID_LEN];
    rng_text(id, sizeof(id) - 1, marks);
    r->extended_id = str_fmt(r->call->arena, "%s=", id);
    r->trace = call_trace_begin(r->call);
}

enum err serve_req_new(struct serve *serve, struct call *call, struct serve_req **ret_r)
{
    struct serve_req *r = ARENA_NEW(call->arena, struct serve_req);
    if (!r)
        return ERR_NOMEM;
    r->call = call;
    r->serve = serve;
    r->source_ip = call->source_ip;
    r->begin_ns = clock_mono_ns();
    r->who.latency_ms = -1;
    r->log_end = &r->log;
    name_request(r);
    *ret_r = r;
    return call->arena->failed ? ERR_NOMEM : ERR_OK;
}

/* --- the steps -------------------------------------------------------------------------------- */

static void cancelled(struct call *call)
{
    struct serve_req *r = call->state;
    if (r->auth_wait)
        auth_cancel(r->auth_wait);
    r->auth_wait = NULL;
    integrate_cancel(&r->wait);
}

/* Parks the call: ERR_SUSPENDED. */
static enum err wait_for(struct serve_req *r, int64_t timeout_ms)
{
    r->call->timed_out = false; /* of an earlier wait */
    enum err err = call_suspend(r->call, timeout_ms, cancelled);
    if (err != ERR_SUSPENDED)
        cancelled(r->call);
    return err;
}

static enum err take_query(struct serve_req *r)
{
    if (str_empty(r->http.query))
        return ERR_OK;
    enum err err = percent_parse_query(r->call->arena, r->http.query, true, &r->query, &r->n_query);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return serve_refuse(r, "BAD_REQUEST_PARAMETERS", STR_NONE);
    return err;
}

/* A body that came compressed, where the API has compression. */
static enum err unpack(struct serve_req *r)
{
    struct str coding = serve_header(r, "content-encoding");
    struct buf b;
    if (r->stage->api->compress_min < 0 || !str_eq_nocase(str_trim(coding), STR("gzip")) ||
        r->http.body.len == 0)
        return ERR_OK;
    buf_init_arena(&b, r->call->arena, SERVE_BODY_MAX);
    enum err err = gzip_unpack(r->http.body, &b);
    if (err == ERR_LIMIT)
        return serve_refuse(r, "REQUEST_TOO_LARGE", STR_NONE);
    if (err == ERR_INVALID)
        return serve_refuse(r, "BAD_REQUEST_BODY", STR("Unable to decompress the request body"));
    TRY(err);
    r->http.body = buf_str(&b);
    return ERR_OK;
}

/* What the request brings, once its method is known. */
static enum err step_take(struct serve_req *r)
{
    r->settings = &r->stage->settings[r->route.method->index];
    if (r->log_level == SERVE_LOG_OFF) {
        r->log_level = r->settings->log_level;
        r->log_data = r->settings->log_data;
    }
    if (r->http.body.len > SERVE_BODY_MAX)
        return serve_refuse(r, "REQUEST_TOO_LARGE", STR_NONE);
    r->binary = serve_is_binary(r->stage->api, serve_header(r, "content-type"));
    TRY(take_query(r));
    serve_log_begin(r);
    return unpack(r);
}

static enum err step_route(struct serve_req *r)
{
    enum err err = serve_find(r->stage->api, r->http.method, r->path, &r->route);
    if (err)
        return serve_refuse(r, "MISSING_AUTHENTICATION_TOKEN", STR_NONE);
    return step_take(r);
}

static void auth_wake(void *arg)
{
    struct serve_req *r = arg;
    r->auth_woken = true;
    call_wake(r->call);
}

static enum err ask_auth(struct serve_req *r)
{
    const struct serve_method *m = r->route.method;
    TRY(serve_context_need(r));
    TRY(serve_message_need(r));
    r->asked = (struct auth_request){
        .call = r->call,
        .api_id = r->api_id,
        .stage = r->stage_name,
        .version = r->now.version,
        .account = r->call->account,
        .policy = r->stage->api->policy,
        .http_method = r->http.method,
        .path = r->path,
        .resource_path = r->route.resource->path,
        .authorization = m->authorization,
        .authorizer = m->authorizer,
        .scopes = m->scopes,
        .n_scopes = m->n_scopes,
        .scope = &r->scope,
        .message = &r->message,
        .request_context = r->context,
        .auth = r->serve->auth,
        .wake = auth_wake,
        .arg = r,
    };
    return auth_begin(&r->asked, &r->auth_wait, &r->who);
}

static enum err take_auth(struct serve_req *r)
{
    if (r->auth_woken) {
        struct auth_wait *wait = r->auth_wait;
        r->auth_wait = NULL;
        return auth_take(wait, &r->who);
    }
    if (!r->call->timed_out)
        return wait_for(r, AUTH_TIMEOUT_MS);
    cancelled(r->call);
    r->who = (struct auth_result){.outcome = AUTH_FAILURE, .latency_ms = AUTH_TIMEOUT_MS};
    return ERR_OK;
}

static enum err step_authorize(struct serve_req *r)
{
    bool open = str_eq_c(r->route.method->authorization, "NONE") && !r->stage->api->policy.len;
    if (open)
        return ERR_OK;
    if (!r->auth_begun) {
        if (!io_loop_current()) /* on a worker: again on the loop */
            return call_suspend(r->call, 0, NULL);
        enum err err = ask_auth(r);
        if (err == ERR_SUSPENDED) {
            r->auth_begun = true;
            return wait_for(r, AUTH_TIMEOUT_MS);
        }
        TRY(err);
    } else if (r->auth_wait) {
        TRY(take_auth(r));
    }
    if (r->who.outcome == AUTH_ALLOWED)
        return serve_context_caller(r);
    if (str_is_set(r->who.why))
        serve_log(r, STR_FMT, STR_ARG(r->who.why));
    return serve_refuse(r, auth_outcome_type(r->who.outcome), r->who.message);
}

static enum err step_admit(struct serve_req *r)
{
    const struct serve_method *m = r->route.method;
    const struct usage_ask ask = {
        .scope = r->now.scope,
        .api_id = r->api_id,
        .stage = r->stage_name,
        .path = r->route.resource->path,
        .method = r->http.method,
        .key_required = m->key_required,
        .key = r->stage->api->key_by_authorizer ? r->who.usage_key : serve_header(r, "x-api-key"),
        .method_limit = r->settings->limit,
        .now_ns = clock_mono_ns(),
        .wall_ms = r->call->txn->wall_ms,
    };
    TRY(usage_admit(r->serve->usage, r->call->txn, &ask, &r->usage));
    switch (r->usage.verdict) {
    case USAGE_FORBIDDEN:
        return serve_refuse(r, "INVALID_API_KEY", STR_NONE);
    case USAGE_THROTTLED:
        return serve_refuse(r, "THROTTLED", STR_NONE);
    case USAGE_QUOTA:
        return serve_refuse(r, "QUOTA_EXCEEDED", STR_NONE);
    case USAGE_ADMITTED:
        break;
    }
    return str_is_set(r->usage.key_id) ? serve_context_caller(r) : ERR_OK;
}

static enum err step_validate(struct serve_req *r)
{
    const struct serve_method *m = r->route.method;
    const struct serve_input in = {
        .http = &r->http, .route = &r->route, .query = r->query, .n_query = r->n_query};
    struct str message;
    enum err err = serve_check_params(r->call->arena, m, &in, &message);
    if (err == ERR_INVALID)
        return serve_refuse(r, "BAD_REQUEST_PARAMETERS", message);
    TRY(err);
    err = serve_check_body(r->call->arena, m, serve_header(r, "content-type"), r->http.body,
                           &r->validation);
    if (err == ERR_INVALID) {
        serve_log(r, "Request body does not match model schema: " STR_FMT, STR_ARG(r->validation));
        return serve_refuse(r, "BAD_REQUEST_BODY", STR_NONE);
    }
    if (err == ERR_UNSUPPORTED)
        return serve_refuse(r, "API_CONFIGURATION_ERROR", STR_NONE);
    return err;
}

static enum err step_integrate(struct serve_req *r)
{
    struct integrate_wait *w = &r->wait;
    if (!r->begun) {
        if (!io_loop_current() && r->ask.of->kind != SERVE_MOCK)
            return call_suspend(r->call, 0, NULL);
        w->call = r->call;
        r->integration_begin_ns = clock_mono_ns();
        r->begun = true;
        TRY(integrate_begin(w, &r->serve->http, &r->ask));
    } else if (!w->done && !w->flows && r->call->timed_out) {
        integrate_cancel(w);
        w->done = true;
        w->answer = (struct integrate_answer){.fault = INTEGRATE_TIMED_OUT};
    }
    if (!w->done && !w->flows)
        return wait_for(r, r->ask.timeout_ms);
    r->integration_ns = clock_mono_ns() - r->integration_begin_ns;
    return ERR_OK;
}

/* --- all of them ------------------------------------------------------------------------------ */

typedef enum err step_fn(struct serve_req *r);

static step_fn *const all_steps[] = {step_route,     step_authorize,    step_admit,
                                     step_validate,  serve_cached,      serve_make_ask,
                                     step_integrate, serve_take_answer, serve_keep};
static step_fn *const test_steps[] = {step_take, step_validate, serve_make_ask, step_integrate,
                                      serve_take_answer};
static step_fn *const authorizer_steps[] = {take_query, step_authorize};

static const struct {
    step_fn *const *fns;
    int n;
} steps_of[] = {
    [SERVE_STEPS_ALL] = {all_steps, ARRAY_LEN(all_steps)},
    [SERVE_STEPS_TEST] = {test_steps, ARRAY_LEN(test_steps)},
    [SERVE_STEPS_AUTHORIZER] = {authorizer_steps, ARRAY_LEN(authorizer_steps)},
};

enum err serve_go_on(struct serve_req *r, enum serve_steps which)
{
    step_fn *const *steps = steps_of[which].fns;
    int n = steps_of[which].n;
    enum err err = ERR_OK;
    r->call->state = r;
    while (!r->refused && !r->cache_hit && r->step < n && err == ERR_OK) {
        err = steps[r->step](r);
        if (err == ERR_OK)
            r->step++;
    }
    if (err == ERR_FAILED && r->refused) /* SR2 */
        err = serve_refused(r);
    return err;
}
