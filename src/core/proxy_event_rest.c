/* Payload format 1.0. See proxy_event.h. Layer: core. Thread: pure. */
#include "codec/base64.h"
#include "core/proxy_event_int.h"

/* --- headers ---------------------------------------------------------------------------------- */

static const struct str FORWARDED_FOR = STR_INIT("X-Forwarded-For");

/* The client's word for what the proxy says itself does not count. */
static bool is_replaced(struct str name)
{
    static const struct str names[] = {STR_INIT("X-Forwarded-For"), STR_INIT("X-Forwarded-Proto"),
                                       STR_INIT("X-Forwarded-Port"), STR_INIT("X-Amzn-Trace-Id")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

enum err proxy_rest_headers(struct arena *a, const struct proxy_rest_request *req,
                            struct wire_header **ret_headers, size_t *ret_n)
{
    enum { ADDED = 4 };
    const struct wire_request *http = req->http;
    struct wire_header *h = ARENA_ARRAY(a, struct wire_header, http->n_headers + ADDED);
    struct str before = wire_header_get(http, FORWARDED_FOR);
    struct str from = str_empty(before) ? req->source_ip
                                        : str_fmt(a, STR_FMT ", " STR_FMT, STR_ARG(before),
                                                  STR_ARG(req->source_ip));
    struct str port = str_fmt(a, "%u", (unsigned)req->port);
    size_t n = 0;
    if (!h || !str_is_set(port) || a->failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < http->n_headers; i++)
        if (!is_replaced(http->headers[i].name))
            h[n++] = http->headers[i];
    if (str_is_set(req->trace))
        h[n++] = (struct wire_header){STR("X-Amzn-Trace-Id"), req->trace};
    h[n++] = (struct wire_header){FORWARDED_FOR, from};
    h[n++] = (struct wire_header){STR("X-Forwarded-Port"), port};
    h[n++] = (struct wire_header){STR("X-Forwarded-Proto"), http->tls ? STR("https") : STR("http")};
    *ret_headers = h;
    *ret_n = n;
    return ERR_OK;
}

/* --- the event -------------------------------------------------------------------------------- */

static void put_null(struct json_out *o, const char *key)
{
    json_key(o, str_c(key));
    json_null(o);
}

static void put_text(struct json_out *o, const char *key, struct str value)
{
    if (str_is_set(value))
        json_kv_str(o, str_c(key), value);
    else
        put_null(o, key);
}

/* The last value of each name, and then all values of each. */
static void put_gathered(struct json_out *o, const char *last, const char *all,
                         const struct proxy_gathered *g)
{
    if (g->n == 0) {
        put_null(o, last);
        put_null(o, all);
        return;
    }
    json_key(o, str_c(last));
    json_open(o, '{');
    for (size_t i = 0; i < g->n; i++)
        json_kv_str(o, g->v[i].name, g->v[i].last->text);
    json_close(o, '}');
    json_key(o, str_c(all));
    json_open(o, '{');
    for (size_t i = 0; i < g->n; i++) {
        json_key(o, g->v[i].name);
        json_open(o, '[');
        for (const struct proxy_value *v = g->v[i].first; v; v = v->next)
            json_str(o, v->text);
        json_close(o, ']');
    }
    json_close(o, '}');
}

static enum err gather_headers(const struct proxy_rest_request *req, struct proxy_gathered *g)
{
    struct wire_header *h;
    size_t n;
    TRY(proxy_rest_headers(g->a, req, &h, &n));
    for (size_t i = 0; i < n; i++) {
        struct str key = str_lower(g->a, h[i].name);
        if (!str_is_set(key))
            return ERR_NOMEM;
        TRY(proxy_gather(g, key, h[i].name, h[i].value));
    }
    return ERR_OK;
}

static enum err put_headers(struct arena *a, const struct proxy_rest_request *req,
                            struct json_out *o)
{
    enum { ADDED = 4 };
    struct proxy_gathered g;
    TRY(proxy_gather_init(&g, a, req->http->n_headers + ADDED));
    enum err err = gather_headers(req, &g);
    if (err == ERR_OK)
        put_gathered(o, "headers", "multiValueHeaders", &g);
    map_release(&g.by_name);
    return err;
}

static enum err put_query(struct arena *a, const struct proxy_rest_request *req, struct json_out *o)
{
    struct proxy_gathered g;
    enum err err = ERR_OK;
    TRY(proxy_gather_init(&g, a, req->n_query));
    for (size_t i = 0; i < req->n_query && err == ERR_OK; i++) {
        struct str key = req->query[i].key, value = req->query[i].value;
        err = proxy_gather(&g, key, key, str_is_set(value) ? value : STR(""));
    }
    if (err == ERR_OK)
        put_gathered(o, "queryStringParameters", "multiValueQueryStringParameters", &g);
    map_release(&g.by_name);
    return err;
}

static void put_pairs(struct json_out *o, const char *key, const struct proxy_pair *v, size_t n)
{
    if (n == 0) {
        put_null(o, key);
        return;
    }
    json_key(o, str_c(key));
    json_open(o, '{');
    for (size_t i = 0; i < n; i++)
        json_kv_str(o, v[i].name, v[i].value);
    json_close(o, '}');
}

static void put_identity(const struct proxy_rest_request *req, struct json_out *o)
{
    const struct proxy_identity *id = &req->identity;
    json_key(o, STR("identity"));
    json_open(o, '{');
    put_null(o, "cognitoIdentityPoolId");
    put_text(o, "accountId", id->account);
    put_null(o, "cognitoIdentityId");
    put_text(o, "caller", id->caller);
    json_kv_str(o, STR("apiKey"), id->key);
    json_kv_str(o, STR("apiKeyId"), id->key_id);
    json_kv_str(o, STR("sourceIp"), req->source_ip);
    put_null(o, "principalOrgId");
    put_text(o, "accessKey", id->access_key);
    put_null(o, "cognitoAuthenticationType");
    put_null(o, "cognitoAuthenticationProvider");
    put_text(o, "userArn", id->user_arn);
    put_text(o, "userAgent", wire_header_get(req->http, STR("user-agent")));
    put_text(o, "user", id->user);
    json_close(o, '}');
}

static enum err put_context(struct arena *a, const struct proxy_rest_request *req,
                            struct json_out *o)
{
    struct str time = proxy_log_time(a, req->wall_ms);
    if (!str_is_set(time))
        return ERR_NOMEM;
    json_key(o, STR("requestContext"));
    json_open(o, '{');
    json_kv_str(o, STR("resourceId"), req->resource_id);
    if (str_is_set(req->authorizer)) {
        json_key(o, STR("authorizer"));
        json_raw(o, req->authorizer);
    }
    json_kv_str(o, STR("resourcePath"), req->resource);
    json_kv_str(o, STR("httpMethod"), req->http->method);
    json_kv_str(o, STR("extendedRequestId"), req->extended_id);
    json_kv_str(o, STR("requestTime"), time);
    json_kv_str(o, STR("path"), req->context_path);
    json_kv_str(o, STR("accountId"), req->account);
    json_kv_str(o, STR("protocol"), req->protocol);
    json_kv_str(o, STR("stage"), req->stage);
    json_kv_str(o, STR("domainPrefix"), req->domain_prefix);
    json_kv_i64(o, STR("requestTimeEpoch"), req->wall_ms);
    json_kv_str(o, STR("requestId"), req->request_id);
    put_identity(req, o);
    json_kv_str(o, STR("domainName"), req->domain_name);
    json_kv_str(o, STR("deploymentId"), req->deployment_id);
    json_kv_str(o, STR("apiId"), req->api_id);
    json_close(o, '}');
    return ERR_OK;
}

static enum err put_body(struct arena *a, const struct proxy_rest_request *req, struct json_out *o)
{
    struct str body = req->http->body;
    bool coded = req->binary && !str_empty(body);
    if (coded) {
        body = base64_encode(a, body.p, body.len);
        if (!str_is_set(body))
            return ERR_NOMEM;
    }
    put_text(o, "body", str_empty(body) ? STR_NONE : body);
    json_kv_bool(o, STR("isBase64Encoded"), coded);
    return ERR_OK;
}

enum err proxy_rest_event_make(struct arena *a, const struct proxy_rest_request *req,
                               struct str *ret_json)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, PROXY_EVENT_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("resource"), req->resource);
    json_kv_str(&o, STR("path"), req->path);
    json_kv_str(&o, STR("httpMethod"), req->http->method);
    TRY(put_headers(a, req, &o));
    TRY(put_query(a, req, &o));
    put_pairs(&o, "pathParameters", req->params, req->n_params);
    put_pairs(&o, "stageVariables", req->variables, req->n_variables);
    TRY(put_context(a, req, &o));
    TRY(put_body(a, req, &o));
    json_close(&o, '}');
    *ret_json = buf_str(&b);
    return buf_err(&b);
}

/* --- the answer ------------------------------------------------------------------------------- */

struct answer {
    const struct json *status, *headers, *multi, *body, *coded;
};

/* Members by name; null is as good as absent. ERR_INVALID: one that is not known, or of another kind. */
static enum err take_members(const struct json *doc, struct answer *ret)
{
    const struct {
        const char *name;
        const struct json **at;
        int kind; /* -1: looked at later */
    } members[] = {
        {"statusCode", &ret->status, -1},
        {"headers", &ret->headers, JSON_OBJECT},
        {"multiValueHeaders", &ret->multi, JSON_OBJECT},
        {"body", &ret->body, -1},
        {"isBase64Encoded", &ret->coded, JSON_BOOL},
    };
    *ret = (struct answer){0};
    if (doc->kind != JSON_OBJECT)
        return ERR_INVALID;
    JSON_EACH (doc, it) {
        size_t i = 0;
        while (i < ARRAY_LEN(members) && !str_eq_c(it->key, members[i].name))
            i++;
        if (i == ARRAY_LEN(members))
            return ERR_INVALID;
        bool fits = members[i].kind < 0 || (int)it->kind == members[i].kind;
        if (it->kind == JSON_NULL)
            continue;
        if (!fits)
            return ERR_INVALID;
        *members[i].at = it;
    }
    return ERR_OK;
}

static enum err take_status(const struct json *v, struct proxy_reply *r)
{
    int64_t status = PROXY_STATUS_MIN;
    if (v && (v->kind == JSON_STRING ? str_to_i64(v->text, &status) : json_to_i64(v, &status)))
        return ERR_INVALID;
    r->status = (int)status;
    return proxy_status_ok(status) ? ERR_OK : ERR_INVALID;
}

static enum err take_multi(const struct json *multi, struct proxy_reply *r)
{
    JSON_EACH (multi, list) {
        if (list->kind != JSON_ARRAY)
            return ERR_INVALID;
        JSON_EACH (list, it) {
            struct str value;
            TRY(proxy_value_text(it, &value));
            TRY(proxy_add_header(r, list->key, value));
        }
    }
    return ERR_OK;
}

/* What both say is said once. */
static bool has_header(const struct proxy_reply *r, struct str name, struct str value)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name) && str_eq(r->headers[i].value, value))
            return true;
    return str_eq_nocase(name, STR("content-type")) && str_is_set(r->content_type);
}

static enum err take_single(const struct json *headers, struct proxy_reply *r)
{
    JSON_EACH (headers, it) {
        struct str value;
        if (it->kind == JSON_NULL)
            continue;
        TRY(proxy_value_text(it, &value));
        if (!has_header(r, it->key, value))
            TRY(proxy_add_header(r, it->key, value));
    }
    return ERR_OK;
}

enum err proxy_rest_reply_read(struct arena *a, struct str answer, struct proxy_reply *ret_reply,
                               bool *ret_coded)
{
    struct json *doc;
    struct answer of;
    struct proxy_reply r = {.headers = ARENA_ARRAY(a, struct http_header, PROXY_HEADERS_MAX),
                            .body = STR("")};
    if (!r.headers)
        return ERR_NOMEM;
    TRY(proxy_answer_parse(a, answer, &doc));
    TRY(take_members(doc, &of));
    TRY(take_status(of.status, &r));
    TRY(take_multi(of.multi, &r));
    TRY(take_single(of.headers, &r));
    if (of.body)
        TRY(proxy_value_text(of.body, &r.body));
    if (!str_is_set(r.content_type))
        r.content_type = STR("application/json");
    *ret_coded = of.coded && of.coded->b;
    *ret_reply = r;
    return ERR_OK;
}
