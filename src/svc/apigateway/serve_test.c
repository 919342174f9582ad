/* See serve_test.h. Layer: svc. */
#include "svc/apigateway/serve_test.h"

#include "base/clock.h"
#include "svc/apigateway/serve_int.h"
#include "svc/apigateway/serve_steps.h"

#define TEST_STAGE "test-invoke-stage"
#define TEST_AUTHORIZER_STAGE "ESTestInvoke-stage"
#define TEST_DOMAIN "testPrefix.testDomainName"

enum { SHOWN_END = 4 }; /* characters of an identity that the log shows */

enum { VARIABLES_BYTES_MAX = 1024 * 1024 };

static void drop_stage(void *arg)
{
    serve_stage_unref(arg);
}

/* A stage that nobody deployed. */
static enum err make_stage(struct serve_req *r, const struct serve_test *t)
{
    struct serve_api *api;
    struct buf b;
    buf_init_arena(&b, r->call->arena, VARIABLES_BYTES_MAX);
    buf_add_c(&b, "{\"variables\":");
    if (t->variables)
        json_put(&b, t->variables);
    else
        buf_add_c(&b, "{}");
    buf_add_byte(&b, '}');
    TRY(buf_err(&b));
    TRY(serve_compile(t->api_id, t->snapshot, &api));
    enum err err = serve_stage_compile(api, r->stage_name, STR(""), 0, buf_str(&b), &r->stage);
    if (err) {
        serve_api_unref(api);
        return err;
    }
    err = arena_on_release(r->call->arena, drop_stage, r->stage);
    if (err)
        serve_stage_unref(r->stage);
    return err;
}

/* The resource by its id; the path only says what its parameters are. */
static enum err find_method(struct serve_req *r, const struct serve_test *t)
{
    const struct serve_api *api = r->stage->api;
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct serve_resource *resource = &api->resources[i];
        if (!str_eq(resource->id, t->resource_id))
            continue;
        if (str_empty(r->path))
            r->path = r->http.path = resource->path;
        TRY(serve_find(api, r->http.method, r->path, &r->route));
        return r->route.resource == resource ? ERR_OK : ERR_NOT_FOUND;
    }
    return ERR_NOT_FOUND;
}

static enum err make_http(struct serve_req *r, const struct serve_test *t)
{
    struct wire_header *h = ARENA_ARRAY(r->call->arena, struct wire_header, t->headers.n + 1);
    struct str rest = t->path_and_query;
    if (!h)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->headers.n; i++)
        h[i] = (struct wire_header){t->headers.v[i].name, t->headers.v[i].value};
    r->http = (struct wire_request){
        .method = t->http_method,
        .path = str_cut(&rest, '?'),
        .query = rest,
        .headers = h,
        .n_headers = t->headers.n,
        .body = str_is_set(t->body) ? t->body : STR(""),
        .tls = true,
    };
    r->path = r->http.path;
    return ERR_OK;
}

/* What both have. Who tests is the caller. */
static enum err begin(struct serve *serve, struct call *call, const struct serve_test *t,
                      struct str stage_name, struct serve_req **ret_r)
{
    struct serve_req *r;
    TRY(serve_req_new(serve, call, &r));
    r->api_id = t->api_id;
    r->stage_name = stage_name;
    r->domain_name = STR(TEST_DOMAIN);
    r->source_ip = STR("test-invoke-source-ip");
    r->now.scope = call_scope(call);
    r->log_level = SERVE_LOG_INFO;
    r->log_data = true;
    TRY(make_http(r, t));
    TRY(make_stage(r, t));
    *ret_r = r;
    return ERR_OK;
}

static enum err begin_method(struct serve *serve, struct call *call, const struct serve_test *t,
                             struct serve_req **ret_r)
{
    struct serve_req *r;
    TRY(begin(serve, call, t, STR(TEST_STAGE), &r));
    TRY(find_method(r, t));
    r->who.who = call->who;
    r->usage.key = STR("test-invoke-api-key");
    r->usage.key_id = STR("test-invoke-api-key-id");
    TRY(serve_context_caller(r));
    *ret_r = r;
    return ERR_OK;
}

static enum err add_context(struct serve_req *r, const struct json *additional)
{
    TRY(serve_context_need(r));
    JSON_EACH (additional, it) {
        char *name = arena_memdup(r->call->arena, it->key.p, it->key.len);
        if (!name)
            return ERR_NOMEM;
        TRY(serve_put_text(r, r->context, name, it->text));
    }
    return ERR_OK;
}

/* A method made up for the authorizer to guard. */
static enum err begin_authorizer(struct serve *serve, struct call *call, const struct serve_test *t,
                                 struct serve_req **ret_r)
{
    struct serve_req *r;
    struct serve_method *m = ARENA_NEW(call->arena, struct serve_method);
    struct serve_resource *resource = ARENA_NEW(call->arena, struct serve_resource);
    if (!m || !resource)
        return ERR_NOMEM;
    TRY(begin(serve, call, t, STR(TEST_AUTHORIZER_STAGE), &r));
    if (str_empty(r->path))
        r->path = STR("/");
    bool pool = str_eq_c(json_get_str(t->authorizer, STR("type")), "COGNITO_USER_POOLS");
    *resource = (struct serve_resource){.path = r->path, .methods = m, .n_methods = 1};
    *m = (struct serve_method){.resource = resource,
                               .http_method = t->http_method,
                               .authorization = pool ? STR("COGNITO_USER_POOLS") : STR("CUSTOM"),
                               .authorizer = t->authorizer};
    r->route = (struct serve_route){.resource = resource, .method = m};
    TRY(add_context(r, t->additional));
    serve_log(r, "Starting authorizer: " STR_FMT " for request: " STR_FMT,
              STR_ARG(json_get_str(t->authorizer, STR("id"))), STR_ARG(call->request_id));
    *ret_r = r;
    return ERR_OK;
}

/* --- the result ------------------------------------------------------------------------------- */

/* "Sun Nov 29 11:37:23 UTC 2026", as Java prints a date. */
static void put_date(struct buf *b, int64_t ms)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = clock_civil(ms);
    buf_add_fmt(b, "%s %s %02d %02d:%02d:%02d UTC %04d", days[c.weekday], months[c.month - 1],
                c.day, c.hour, c.minute, c.second, c.year);
}

static enum err put_log(struct serve_req *r, struct str *ret_log)
{
    struct buf b;
    buf_init_arena(&b, r->call->arena, 2 * SERVE_LOG_BYTES_MAX);
    buf_add_fmt(&b, "Execution log for request " STR_FMT "\n", STR_ARG(r->call->request_id));
    for (const struct serve_line *l = r->log; l; l = l->next) {
        put_date(&b, l->at_ms);
        buf_add_fmt(&b, " : " STR_FMT "\n", STR_ARG(l->text));
    }
    *ret_log = buf_str(&b);
    return buf_err(&b) == ERR_NOMEM ? ERR_NOMEM : ERR_OK;
}

static enum err take_result(struct serve_req *r, struct serve_tested *ret)
{
    *ret = (struct serve_tested){
        .status = r->out.status,
        .headers = {r->out.header.v, r->out.header.n},
        .body = str_is_set(r->out.body) ? r->out.body : STR(""),
        .latency_ms = (clock_mono_ns() - r->begin_ns) / 1000000,
        .principal_id = r->who.principal_id,
        .policy = r->who.policy,
        .authorizer = r->who.authorizer,
    };
    return put_log(r, &ret->log);
}

enum err serve_test_method(struct serve *serve, struct call *call, const struct serve_test *test,
                           struct serve_tested *ret_tested)
{
    struct serve_req *r = call->state;
    if (!r)
        TRY(begin_method(serve, call, test, &r));
    TRY(serve_go_on(r, SERVE_STEPS_TEST));
    TRY(map_made_set(call->arena, &r->out.header, STR("Content-Type"), r->out.content_type, true));
    if (!r->logged)
        serve_log_end(r);
    r->logged = true;
    return take_result(r, ret_tested);
}

static struct str end_of(struct str text)
{
    return text.len > SHOWN_END ? str_sub(text, text.len - SHOWN_END, SHOWN_END) : text;
}

static void log_authorizer_end(struct serve_req *r)
{
    const struct auth_result *who = &r->who;
    if (str_is_set(who->policy)) {
        serve_log_data(r, "Authorizer policy: " STR_FMT, STR_ARG(who->policy));
        serve_log(r, "Using valid authorizer policy for principal: **" STR_FMT,
                  STR_ARG(end_of(who->principal_id)));
    }
    if (str_is_set(who->policy) || !r->refused)
        serve_log(r, "Successfully completed authorizer execution");
    else
        serve_log(r, "Unauthorized request: " STR_FMT, STR_ARG(r->call->request_id));
}

enum err serve_test_authorizer(struct serve *serve, struct call *call,
                               const struct serve_test *test, struct serve_tested *ret_tested)
{
    struct serve_req *r = call->state;
    if (!r)
        TRY(begin_authorizer(serve, call, test, &r));
    TRY(serve_go_on(r, SERVE_STEPS_AUTHORIZER));
    if (!r->logged)
        log_authorizer_end(r);
    r->logged = true;
    if (!r->refused || str_is_set(r->who.policy))
        r->out.status = 200;
    return take_result(r, ret_tested);
}
