/* Requests to APIs: which API and stage they are for, and their way through the steps that
 * serve_request.h draws.
 *
 *   http://ANYTHING/restapis/ID/STAGE/_user_request_/PATH
 *   http://ID.execute-api.ANYTHING/STAGE/PATH
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "apigateway_api.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/gzip.h"
#include "svc/apigateway/serve_book.h"
#include "svc/apigateway/serve_store.h"

enum { AUTH_TIMEOUT_MS = 30 * 1000, STATUS_FORBIDDEN = 403 };

#define USER_REQUEST "_user_request_"

/* --- whose request it is ---------------------------------------------------------------------- */

/* "/restapis/ID/STAGE/_user_request_/PATH"; all else below "/restapis/" is the control plane's. */
static bool cut_path(struct str path, struct str *ret_id, struct str *ret_stage,
                     struct str *ret_rest)
{
    struct str rest = str_sub(path, 1, SIZE_MAX);
    (void)str_cut(&rest, '/'); /* "restapis" */
    *ret_id = str_cut(&rest, '/');
    *ret_stage = str_cut(&rest, '/');
    struct str mark = str_n(rest.p, min_size(str_find(rest, '/'), rest.len));
    if (!str_is_set(rest) || !str_eq_c(mark, USER_REQUEST))
        return false;
    *ret_rest = str_sub(rest, mark.len, SIZE_MAX);
    return true;
}

static bool is_by_path(void *self, const struct wire_request *head)
{
    struct str id, stage, rest;
    return cut_path(head->path, &id, &stage, &rest);
}

static void find_address(struct serve_req *r)
{
    struct call *call = r->call;
    struct str host = host_bare(wire_header_get(call->request, STR("host")));
    if (cut_path(call->request->path, &r->api_id, &r->stage_name, &r->path)) {
        r->domain_name = str_fmt(call->arena, STR_FMT ".execute-api." STR_FMT ".amazonaws.com",
                                 STR_ARG(r->api_id), STR_ARG(call->region));
    } else {
        struct str rest = str_sub(call->request->path, 1, SIZE_MAX);
        r->domain_name = host;
        r->api_id = str_lower(call->arena, str_cut(&host, '.'));
        r->stage_name = str_cut(&rest, '/');
        r->path = str_is_set(rest) ? str_sub(call->request->path, r->stage_name.len + 1, SIZE_MAX)
                                   : STR_NONE;
    }
    if (str_empty(r->path))
        r->path = STR("/");
}

/* --- the request ------------------------------------------------------------------------------ */

static void name_request(struct serve_req *r)
{
    static const char marks[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char hex[25], id[SERVE_EXTENDED_ID_LEN];
    struct str given = wire_header_get(r->call->request, STR("x-amzn-trace-id"));
    rng_text(id, sizeof(id) - 1, marks);
    r->extended_id = str_fmt(r->call->arena, "%s=", id);
    if (str_find_str(given, STR("Root=")) != SIZE_MAX) {
        r->trace = given;
        return;
    }
    rng_text(hex, sizeof(hex) - 1, "0123456789abcdef");
    r->trace = str_fmt(r->call->arena, "Root=1-%08llx-%s",
                       (unsigned long long)(r->call->txn->wall_ms / 1000), hex);
}

static void drop_stage(void *arg)
{
    serve_stage_unref(arg);
}

/* ERR_NOT_FOUND: there is no such API or stage, or it is not to be reached so. */
static enum err find_stage(struct serve_req *r)
{
    struct call *call = r->call;
    struct serve_stage *stage;
    TRY(apigateway_stage_find(r->serve->gw, call->txn, r->api_id, r->stage_name, &r->now));
    TRY(serve_cache_take(r->serve->cache, call->txn, r->api_id, r->stage_name, &r->now, &stage));
    enum err err = arena_on_release(call->arena, drop_stage, stage);
    if (err) {
        serve_stage_unref(stage);
        return err;
    }
    call->account = r->now.scope.account;
    call->region = r->now.scope.region;
    bool by_host = !is_by_path(NULL, call->request);
    if (by_host && stage->api->host_disabled)
        return ERR_NOT_FOUND;
    r->stage = stage;
    return ERR_OK;
}

static enum err open_request(struct call *call, struct serve_req **ret_r)
{
    struct serve_req *r = ARENA_NEW(call->arena, struct serve_req);
    if (!r)
        return ERR_NOMEM;
    r->call = call;
    r->serve = call->svc;
    r->begin_ns = clock_mono_ns();
    r->http = *call->request;
    r->who.latency_ms = -1;
    r->log_end = &r->log;
    find_address(r);
    name_request(r);
    *ret_r = r;
    return call->arena->failed ? ERR_NOMEM : ERR_OK;
}

/* Nobody is told whether an API is there. */
static enum err forbidden(struct serve_req *r)
{
    (void)!serve_refuse(r, "INVALID_API_KEY", STR_NONE);
    TRY(serve_refused(r));
    return serve_send(r);
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

static enum err step_route(struct serve_req *r)
{
    enum err err = serve_find(r->stage->api, r->http.method, r->path, &r->route);
    if (err)
        return serve_refuse(r, "MISSING_AUTHENTICATION_TOKEN", STR_NONE);
    r->settings = &r->stage->settings[r->route.method->index];
    if (r->log_level == SERVE_LOG_OFF) {
        r->log_level = r->settings->log_level;
        r->log_data = r->settings->log_data;
    }
    serve_log_begin(r);
    if (r->http.body.len > SERVE_BODY_MAX)
        return serve_refuse(r, "REQUEST_TOO_LARGE", STR_NONE);
    r->binary = serve_is_binary(r->stage->api, serve_header(r, "content-type"));
    TRY(take_query(r));
    return unpack(r);
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
    } else if (!w->done && r->call->timed_out) {
        integrate_cancel(w);
        w->done = true;
        w->answer = (struct integrate_answer){.fault = INTEGRATE_TIMED_OUT};
    }
    if (!w->done)
        return wait_for(r, r->ask.timeout_ms);
    r->integration_ns = clock_mono_ns() - r->integration_begin_ns;
    return ERR_OK;
}

static enum err (*const steps[])(struct serve_req *r) = {
    step_route,     step_authorize, step_admit,       step_validate,
    serve_make_ask, step_integrate, serve_take_answer};

static enum err go_on(struct serve_req *r)
{
    enum err err = ERR_OK;
    r->call->state = r;
    while (!r->refused && !r->cache_hit && r->step < (int)ARRAY_LEN(steps) && err == ERR_OK) {
        err = steps[r->step](r);
        if (err == ERR_OK)
            r->step++;
    }
    if (err == ERR_FAILED && r->refused) /* SR2 */
        err = serve_refused(r);
    return err;
}

static enum err serve_request(struct call *call, const void *in, void *out)
{
    struct serve_req *r = call->state;
    if (!r) {
        TRY(open_request(call, &r));
        enum err err = find_stage(r);
        if (err == ERR_NOT_FOUND)
            return forbidden(r);
        TRY(err);
    }
    TRY(go_on(r));
    if (!r->logged) {
        serve_log_end(r);
        TRY(serve_log_out(r));
        r->logged = true;
    }
    return serve_send(r);
}

/* --- the claims ------------------------------------------------------------------------------- */

static const struct wire_op serve_op = {
    .name = STR_INIT("ExecuteApi"),
    .service = &apigateway_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve_request,
};

enum err serve_new(struct core *core, struct apigateway *gw, struct serve **ret_serve)
{
    struct serve *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->core = core;
    s->gw = gw;
    s->auth = auth_new(core);
    enum err err = s->auth ? usage_new(core, &s->usage) : ERR_NOMEM;
    if (!err)
        err = serve_cache_new(&s->cache);
    if (!err)
        err = serve_book_new(core, &s->book);
    if (!err)
        err = serve_store_new(&s->store);
    if (err) {
        serve_free(s);
        return err;
    }
    *ret_serve = s;
    return ERR_OK;
}

enum err serve_start(struct serve *s)
{
    TRY(integrate_http_init(&s->http, s->core));
    TRY(usage_start(s->usage));
    serve_book_start(s->book);
    s->by_path = (struct core_claim){.path_prefix = STR("/restapis/"),
                                     .match = is_by_path,
                                     .op = &serve_op,
                                     .signing = STR("execute-api"),
                                     .self = s};
    s->by_host = (struct core_claim){
        .host_kind = STR("execute-api"), .op = &serve_op, .signing = STR("execute-api"), .self = s};
    TRY(core_claim(s->core, &s->by_path));
    return core_claim(s->core, &s->by_host);
}

static void usage_drained(void *arg)
{
    struct serve *s = arg;
    serve_book_drain(s->book, s->drained, s->drained_arg);
}

void serve_drain(struct serve *s, void (*done)(void *arg), void *arg)
{
    s->drained = done;
    s->drained_arg = arg;
    usage_drain(s->usage, usage_drained, s);
}

void serve_free(struct serve *s)
{
    if (!s)
        return;
    integrate_http_release(&s->http);
    serve_cache_free(s->cache);
    serve_book_free(s->book);
    serve_store_free(s->store);
    usage_free(s->usage);
    auth_free(s->auth);
    mem_free(s);
}

struct auth *serve_auth(struct serve *s)
{
    return s->auth;
}

struct usage *serve_usage(struct serve *s)
{
    return s->usage;
}
