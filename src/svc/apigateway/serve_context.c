/* What mappings, authorizers and functions are told of a request. See serve_request.h.
 *
 * Source: API Gateway Developer Guide, "Variables for data transformations for API Gateway".
 * Layer: svc. Thread: the call's loop. */
#include "base/host.h"
#include "core/proxy_event.h"
#include "svc/apigateway/serve_request.h"

/* --- trees ------------------------------------------------------------------------------------ */

static struct json *add(struct serve_req *r, struct json *obj, const char *key, enum json_kind kind)
{
    struct json *v = ARENA_NEW(r->call->arena, struct json);
    struct json **at = &obj->child;
    if (!v)
        return NULL;
    while (*at && !str_eq_c((*at)->key, key))
        at = &(*at)->next;
    *v = (struct json){.kind = kind, .key = str_c(key), .next = *at ? (*at)->next : NULL};
    obj->n += *at == NULL;
    *at = v;
    return v;
}

enum err serve_put_text(struct serve_req *r, struct json *obj, const char *key, struct str value)
{
    if (!str_is_set(value))
        return ERR_OK;
    struct json *v = add(r, obj, key, JSON_STRING);
    if (!v)
        return ERR_NOMEM;
    v->text = value;
    return ERR_OK;
}

enum err serve_put_number(struct serve_req *r, struct json *obj, const char *key, int64_t value)
{
    struct json *v = add(r, obj, key, JSON_NUMBER);
    if (!v)
        return ERR_NOMEM;
    v->text = str_fmt(r->call->arena, "%lld", (long long)value);
    return str_is_set(v->text) ? ERR_OK : ERR_NOMEM;
}

enum err serve_put_object(struct serve_req *r, struct json *obj, const char *key,
                          struct json **ret_object)
{
    *ret_object = add(r, obj, key, JSON_OBJECT);
    return *ret_object ? ERR_OK : ERR_NOMEM;
}

struct str serve_header(const struct serve_req *r, const char *name)
{
    return wire_header_get(&r->http, str_c(name));
}

/* --- $context --------------------------------------------------------------------------------- */

static struct str context_path(struct serve_req *r)
{
    return str_fmt(r->call->arena, "/" STR_FMT STR_FMT, STR_ARG(r->stage_name), STR_ARG(r->path));
}

static enum err put_request(struct serve_req *r, struct json *c)
{
    const struct serve_resource *resource = r->route.method ? r->route.resource : NULL;
    struct str domain = r->domain_name;
    TRY(serve_put_text(r, c, "accountId", r->call->account));
    TRY(serve_put_text(r, c, "apiId", r->api_id));
    TRY(serve_put_text(r, c, "domainName", r->domain_name));
    TRY(serve_put_text(r, c, "domainPrefix", str_cut(&domain, '.')));
    TRY(serve_put_text(r, c, "extendedRequestId", r->extended_id));
    TRY(serve_put_text(r, c, "httpMethod", r->http.method));
    TRY(serve_put_text(r, c, "path", context_path(r)));
    TRY(serve_put_text(r, c, "protocol", STR("HTTP/1.1")));
    TRY(serve_put_text(r, c, "requestId", r->call->request_id));
    TRY(serve_put_text(r, c, "stage", r->stage_name));
    TRY(serve_put_text(r, c, "xrayTraceId", r->trace));
    if (r->stage)
        TRY(serve_put_text(r, c, "deploymentId", r->stage->deployment_id));
    if (!resource)
        return ERR_OK;
    TRY(serve_put_text(r, c, "resourceId", resource->id));
    return serve_put_text(r, c, "resourcePath", resource->path);
}

static enum err put_time(struct serve_req *r, struct json *c)
{
    struct str time = proxy_log_time(r->call->arena, r->call->txn->wall_ms);
    if (!str_is_set(time))
        return ERR_NOMEM;
    TRY(serve_put_text(r, c, "requestTime", time));
    return serve_put_number(r, c, "requestTimeEpoch", r->call->txn->wall_ms);
}

enum err serve_context_need(struct serve_req *r)
{
    if (r->context)
        return ERR_OK;
    struct json *c = ARENA_NEW(r->call->arena, struct json);
    if (!c)
        return ERR_NOMEM;
    c->kind = JSON_OBJECT;
    TRY(put_request(r, c));
    TRY(put_time(r, c));
    TRY(serve_put_object(r, c, "identity", &r->identity));
    TRY(serve_put_text(r, r->identity, "sourceIp", r->source_ip));
    TRY(serve_put_text(r, r->identity, "userAgent", serve_header(r, "user-agent")));
    r->context = c;
    r->scope =
        (struct map_scope){.context = c, .stage_variables = r->stage ? r->stage->variables : NULL};
    return ERR_OK;
}

static enum err put_signer(struct serve_req *r, const struct principal *who)
{
    TRY(serve_put_text(r, r->identity, "accountId", who->account));
    TRY(serve_put_text(r, r->identity, "caller", who->user_id));
    TRY(serve_put_text(r, r->identity, "user", who->user_id));
    TRY(serve_put_text(r, r->identity, "userArn", who->arn));
    return serve_put_text(r, r->identity, "accessKey", who->access_key);
}

enum err serve_context_caller(struct serve_req *r)
{
    TRY(serve_context_need(r));
    if (r->who.who)
        TRY(put_signer(r, r->who.who));
    if (r->who.authorizer) {
        struct json *v = add(r, r->context, "authorizer", JSON_OBJECT);
        if (!v)
            return ERR_NOMEM;
        v->child = r->who.authorizer->child;
        v->n = r->who.authorizer->n;
        v->raw = r->who.authorizer->raw;
    }
    TRY(serve_put_text(r, r->identity, "apiKey", r->usage.key));
    return serve_put_text(r, r->identity, "apiKeyId", r->usage.key_id);
}

/* --- parameters ------------------------------------------------------------------------------- */

static enum err take_path(struct serve_req *r, struct map_pair *v)
{
    for (size_t i = 0; i < r->route.n_params; i++) {
        v[i].name = r->route.params[i].name;
        enum err err = percent_decode(r->call->arena, r->route.params[i].value, false, &v[i].value);
        if (err == ERR_NOMEM)
            return err;
        if (err)
            v[i].value = r->route.params[i].value;
    }
    r->message.path = (struct map_pairs){v, r->route.n_params};
    return ERR_OK;
}

enum err serve_message_need(struct serve_req *r)
{
    if (r->has_message)
        return ERR_OK;
    size_t n = r->route.method ? r->route.n_params : 0;
    struct map_pair *v =
        ARENA_ARRAY(r->call->arena, struct map_pair, n + r->n_query + r->http.n_headers + 1);
    if (!v)
        return ERR_NOMEM;
    if (n)
        TRY(take_path(r, v));
    v += n;
    r->message.query = (struct map_pairs){v, r->n_query};
    for (size_t i = 0; i < r->n_query; i++)
        *v++ = (struct map_pair){r->query[i].key,
                                 str_is_set(r->query[i].value) ? r->query[i].value : STR("")};
    r->message.header = (struct map_pairs){v, r->http.n_headers};
    for (size_t i = 0; i < r->http.n_headers; i++)
        *v++ = (struct map_pair){r->http.headers[i].name, r->http.headers[i].value};
    r->message.body = r->http.body;
    r->has_message = true;
    return ERR_OK;
}

/* --- proxy events ----------------------------------------------------------------------------- */

static enum err authorizer_text(struct serve_req *r, struct str *ret_json)
{
    struct buf b;
    *ret_json = STR_NONE;
    if (!r->who.authorizer)
        return ERR_OK;
    buf_init_arena(&b, r->call->arena, AUTH_EVENT_MAX);
    json_put(&b, r->who.authorizer);
    if ((r->who.status || r->who.cached) && b.len > 2) { /* a function's: with the time it took */
        b.len--;
        buf_add_fmt(&b, ",\"integrationLatency\":%lld}", (long long)max_i64(r->who.latency_ms, 0));
    }
    *ret_json = buf_str(&b);
    return buf_err(&b);
}

enum err serve_event(struct serve_req *r, struct str *ret_event)
{
    const struct principal *signer = r->who.who;
    struct str domain = r->domain_name;
    struct proxy_rest_request req = {
        .http = &r->http,
        .path = r->path,
        .context_path = context_path(r),
        .resource = r->route.resource->path,
        .resource_id = r->route.resource->id,
        .stage = r->stage_name,
        .api_id = r->api_id,
        .deployment_id = r->stage->deployment_id,
        .account = r->call->account,
        .domain_name = r->domain_name,
        .domain_prefix = str_cut(&domain, '.'),
        .request_id = r->call->request_id,
        .extended_id = r->extended_id,
        .trace = r->trace,
        .source_ip = r->source_ip,
        .protocol = STR("HTTP/1.1"),
        .identity = {.key = r->usage.key, .key_id = r->usage.key_id},
        .params = r->route.params,
        .variables = r->stage->pairs,
        .n_params = r->route.n_params,
        .n_variables = r->stage->n_pairs,
        .query = r->query,
        .n_query = r->n_query,
        .port = proxy_port(&r->http),
        .binary = r->binary,
        .wall_ms = r->call->txn->wall_ms,
    };
    if (signer) {
        req.identity.account = signer->account;
        req.identity.caller = req.identity.user = signer->user_id;
        req.identity.user_arn = signer->arn;
        req.identity.access_key = signer->access_key;
    }
    TRY(authorizer_text(r, &req.authorizer));
    return proxy_rest_event_make(r->call->arena, &req, ret_event);
}
