/* A stage's cache on a request's way: which answer it would be, whether it is there, who may have it
 * fetched anew. See serve_store.h.
 *
 * Source: API Gateway Developer Guide, "Cache settings for REST APIs in API Gateway".
 * Layer: svc. Thread: the call's loop. */
#include "base/clock.h"
#include "core/svc.h"
#include "svc/apigateway/serve_store.h"

enum { KEY_BYTES_MAX = 64 * 1024, NS_PER_S = 1000 * 1000 * 1000 };

static void put_part(struct buf *b, struct str text)
{
    buf_add_fmt(b, "%zu:", text.len);
    buf_add_str(b, text);
}

/* "method.request.querystring.NAME" among the cache's key parameters. */
static struct str value_of(struct serve_req *r, struct str name)
{
    const struct serve_input in = {
        .http = &r->http, .route = &r->route, .query = r->query, .n_query = r->n_query};
    struct serve_param p;
    return serve_param_of(name, &p) ? serve_param_value(&in, p.place, p.name) : STR_NONE;
}

/* Answers are the same that have namespace and key parameters in common, and nothing else counts. */
static enum err make_key(struct serve_req *r)
{
    const struct serve_integration *in = r->route.method->integration;
    struct buf b;
    buf_init_arena(&b, r->call->arena, KEY_BYTES_MAX);
    put_part(&b, r->api_id);
    put_part(&b, r->stage_name);
    put_part(&b, str_empty(in->cache_namespace) ? r->route.resource->id : in->cache_namespace);
    put_part(&b, r->http.method);
    for (size_t i = 0; i < in->n_cache_keys; i++) {
        struct str value = value_of(r, in->cache_keys[i]);
        buf_add_c(&b, str_is_set(value) ? "+" : "-");
        put_part(&b, value);
    }
    r->cache_key = buf_str(&b);
    return buf_err(&b);
}

/* --- invalidation ----------------------------------------------------------------------------- */

static bool wants_anew(const struct serve_req *r)
{
    struct str list = serve_header(r, "cache-control");
    while (str_is_set(list))
        if (str_eq_nocase(str_trim(str_cut(&list, ',')), STR("max-age=0")))
            return true;
    return false;
}

/* ERR_DENIED. */
static enum err may_invalidate(struct serve_req *r)
{
    if (!r->settings->flush_needs_permission)
        return ERR_OK;
    if (!r->who.who)
        return ERR_DENIED;
    struct str arn = auth_method_arn(r->call, r->call->account, r->api_id, r->stage_name,
                                     r->http.method, r->path);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    enum err err = call_authorize(r->call, "execute-api:InvalidateCache", arn);
    if (err == ERR_FAILED) {
        call_error_clear(r->call);
        return ERR_DENIED;
    }
    return err;
}

/* ERR_OK: the answer is to be fetched anew; ERR_NOT_FOUND: the kept one will do. */
static enum err take_invalidation(struct serve_req *r)
{
    if (!wants_anew(r))
        return ERR_NOT_FOUND;
    enum err err = may_invalidate(r);
    if (err != ERR_DENIED)
        return err;
    if (r->settings->stale == SERVE_STALE_REFUSED)
        return serve_refuse(r, "ACCESS_DENIED", STR_NONE);
    r->cache_warned = r->settings->stale == SERVE_STALE_TOLD;
    return ERR_NOT_FOUND;
}

/* --- the two steps ---------------------------------------------------------------------------- */

static enum err warn(struct serve_req *r)
{
    if (!r->cache_warned)
        return ERR_OK;
    return map_made_set(r->call->arena, &r->out.header, STR("Warning"),
                        STR("199 Unauthorized cache invalidation request"), true);
}

enum err serve_cached(struct serve_req *r)
{
    if (!r->stage || !r->stage->caches || !r->settings->cached || !r->route.method->integration)
        return ERR_OK;
    TRY(make_key(r));
    enum err err = take_invalidation(r);
    if (err != ERR_NOT_FOUND)
        return err;
    err = serve_store_get(r->serve->store, r->call->arena, r->cache_key, r->now.cache_flushes,
                          clock_mono_ns(), &r->out);
    r->cache_hit = err == ERR_OK;
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    return warn(r);
}

enum err serve_keep(struct serve_req *r)
{
    if (!str_is_set(r->cache_key) || r->cache_hit)
        return ERR_OK;
    if (r->out.status >= 200 && r->out.status < 300 && r->settings->cache_ttl_s > 0)
        serve_store_put(r->serve->store, r->cache_key, r->now.cache_flushes,
                        clock_mono_ns() + r->settings->cache_ttl_s * NS_PER_S, &r->out);
    return warn(r);
}
