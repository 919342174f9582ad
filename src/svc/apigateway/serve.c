/* Requests to APIs: which API and stage they are for. What then becomes of them: serve_steps.c.
 *
 *   http://ANYTHING/restapis/ID/STAGE/_user_request_/PATH
 *   http://ID.execute-api.ANYTHING/STAGE/PATH
 *   http://DOMAIN/BASE/PATH, of a custom domain name and its mappings
 *
 * Layer: svc. Thread: the call's loop. */
#include "apigateway_api.h"

#include "base/host.h"
#include "base/mem.h"
#include "svc/apigateway/domain.h"
#include "svc/apigateway/serve_book.h"
#include "svc/apigateway/serve_steps.h"
#include "svc/apigateway/serve_store.h"

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

static bool is_domain(void *self, const struct wire_request *head)
{
    struct serve *s = self;
    return domain_is(s->gw, host_bare(wire_header_get(head, STR("host"))));
}

/* "/STAGE/PATH" */
static void cut_stage(struct serve_req *r, struct str path)
{
    struct str rest = str_sub(path, 1, SIZE_MAX);
    r->stage_name = str_cut(&rest, '/');
    r->path = str_is_set(rest) ? str_sub(path, r->stage_name.len + 1, SIZE_MAX) : STR_NONE;
}

static enum err find_domain(struct serve_req *r)
{
    struct domain_route route;
    TRY(domain_find(r->serve->gw, r->call->txn, r->domain_name, r->call->request->path, &route));
    r->api_id = route.api_id;
    r->stage_name = route.stage;
    r->path = route.path;
    r->domain = true;
    if (!str_is_set(route.stage))
        cut_stage(r, route.path);
    return ERR_OK;
}

/* ERR_NOT_FOUND: a domain has no mapping for it. */
static enum err find_address(struct serve_req *r)
{
    struct call *call = r->call;
    struct str path = call->request->path;
    struct str host = host_bare(wire_header_get(call->request, STR("host")));
    r->domain_name = host;
    if (cut_path(path, &r->api_id, &r->stage_name, &r->path)) {
        r->domain_name = str_fmt(call->arena, STR_FMT ".execute-api." STR_FMT ".amazonaws.com",
                                 STR_ARG(r->api_id), STR_ARG(call->region));
    } else if (is_domain(r->serve, call->request)) {
        TRY(find_domain(r));
    } else {
        r->api_id = str_lower(call->arena, str_cut(&host, '.'));
        cut_stage(r, path);
    }
    if (str_empty(r->path))
        r->path = STR("/");
    return call->arena->failed ? ERR_NOMEM : ERR_OK;
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
    bool fresh;
    TRY(find_address(r));
    TRY(apigateway_stage_find(r->serve->gw, call->txn, r->api_id, r->stage_name, &r->now));
    TRY(serve_cache_take(r->serve->cache, call->txn, r->api_id, r->stage_name, &r->now, &stage,
                         &fresh));
    if (fresh) /* what was kept for another version is void: its memory goes */
        auth_flush(r->serve->auth, r->api_id, r->stage_name);
    enum err err = arena_on_release(call->arena, drop_stage, stage);
    if (err) {
        serve_stage_unref(stage);
        return err;
    }
    call->account = r->now.scope.account;
    call->region = r->now.scope.region;
    bool by_host = !r->domain && !is_by_path(NULL, call->request);
    if (by_host && stage->api->host_disabled)
        return ERR_NOT_FOUND;
    r->stage = stage;
    return ERR_OK;
}

static enum err open_request(struct call *call, struct serve_req **ret_r)
{
    TRY(serve_req_new(call->svc, call, ret_r));
    (*ret_r)->http = *call->request;
    (*ret_r)->may_flow = true;
    return ERR_OK;
}

/* Nobody is told whether an API is there. */
static enum err forbidden(struct serve_req *r)
{
    (void)!serve_refuse(r, "INVALID_API_KEY", STR_NONE);
    TRY(serve_refused(r));
    return serve_send(r);
}

static enum err finish(struct serve_req *r)
{
    TRY(serve_go_on(r, SERVE_STEPS_ALL));
    if (!r->logged) {
        serve_log_end(r);
        TRY(serve_log_out(r));
        r->logged = true;
    }
    return serve_send(r);
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
    enum err err = finish(r);
    if (err && err != ERR_SUSPENDED)
        integrate_cancel(&r->wait);
    return err;
}

/* --- the claims ------------------------------------------------------------------------------- */

static const struct wire_op serve_op = {
    .name = STR_INIT("ExecuteApi"),
    .service = &apigateway_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve_request,
};

bool serve_is_request(const struct call *call)
{
    return call->op == &serve_op;
}

enum err serve_new(struct core *core, struct apigateway *gw, struct usage *usage,
                   struct serve **ret_serve)
{
    struct serve *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->core = core;
    s->gw = gw;
    s->usage = usage;
    s->auth = auth_new(core);
    enum err err = s->auth ? serve_cache_new(&s->cache) : ERR_NOMEM;
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
    serve_book_start(s->book);
    s->by_path = (struct core_claim){.path_prefix = STR("/restapis/"),
                                     .match = is_by_path,
                                     .op = &serve_op,
                                     .signing = STR("execute-api"),
                                     .self = s};
    s->by_host = (struct core_claim){
        .host_kind = STR("execute-api"), .op = &serve_op, .signing = STR("execute-api"), .self = s};
    s->by_domain = (struct core_claim){
        .match = is_domain, .op = &serve_op, .signing = STR("execute-api"), .self = s};
    TRY(core_claim(s->core, &s->by_path));
    TRY(core_claim(s->core, &s->by_domain));
    return core_claim(s->core, &s->by_host);
}

void serve_drain(struct serve *s, void (*done)(void *arg), void *arg)
{
    serve_book_drain(s->book, done, arg);
}

void serve_free(struct serve *s)
{
    if (!s)
        return;
    integrate_http_release(&s->http);
    serve_cache_free(s->cache);
    serve_book_free(s->book);
    serve_store_free(s->store);
    auth_free(s->auth);
    mem_free(s);
}
