/* See proxy_event.h. Layer: core. Thread: pure. */
#include "codec/base64.h"
#include "core/proxy_event_int.h"

enum {
    COOKIES_MAX = 1024,
};

/* --- the event -------------------------------------------------------------------------------- */

/* Values of equal names are joined with commas. */
static struct str joined_text(struct arena *a, const struct proxy_named *named)
{
    struct buf b;
    if (named->first == named->last)
        return named->first->text;
    buf_init_arena(&b, a, PROXY_EVENT_BYTES_MAX);
    for (const struct proxy_value *v = named->first; v; v = v->next) {
        buf_add_str(&b, v->text);
        if (v->next)
            buf_add_byte(&b, ',');
    }
    return buf_str(&b);
}

static void put_joined(struct json_out *o, struct str key, const struct proxy_gathered *j)
{
    json_key(o, key);
    json_open(o, '{');
    for (size_t i = 0; i < j->n; i++)
        json_kv_str(o, j->v[i].name, joined_text(j->a, &j->v[i]));
    json_close(o, '}');
}

static bool is_hidden(const struct proxy_request *req, struct str name)
{
    return str_eq_nocase(name, STR("cookie")) || /* told apart */
           (req->hide_signature && (str_eq_nocase(name, STR("authorization")) ||
                                    str_eq_nocase(name, STR("x-amz-security-token"))));
}

/* The client's word for what the proxy says itself does not count. */
static bool is_replaced(const struct proxy_request *req, struct str name)
{
    return str_eq_c(name, "x-forwarded-proto") || str_eq_c(name, "x-forwarded-port") ||
           (str_is_set(req->trace) && str_eq_c(name, "x-amzn-trace-id"));
}

static enum err join_headers(const struct proxy_request *req, struct proxy_gathered *j)
{
    const struct wire_request *http = req->http;
    struct str port = str_fmt(j->a, "%u", (unsigned)req->port);
    if (!str_is_set(port))
        return ERR_NOMEM;
    for (size_t i = 0; i < http->n_headers; i++) {
        struct str name = str_lower(j->a, http->headers[i].name);
        if (!str_is_set(name))
            return ERR_NOMEM;
        if (!is_hidden(req, name) && !is_replaced(req, name))
            TRY(proxy_gather(j, name, name, http->headers[i].value));
    }
    if (str_is_set(req->trace))
        TRY(proxy_gather(j, STR("x-amzn-trace-id"), STR("x-amzn-trace-id"), req->trace));
    TRY(proxy_gather(j, STR("x-forwarded-for"), STR("x-forwarded-for"), req->source_ip));
    TRY(proxy_gather(j, STR("x-forwarded-proto"), STR("x-forwarded-proto"),
                     http->tls ? STR("https") : STR("http")));
    return proxy_gather(j, STR("x-forwarded-port"), STR("x-forwarded-port"), port);
}

static enum err put_headers(struct arena *a, const struct proxy_request *req, struct json_out *o)
{
    enum { FORWARDED = 4 };
    struct proxy_gathered j;
    TRY(proxy_gather_init(&j, a, req->http->n_headers + FORWARDED));
    enum err err = join_headers(req, &j);
    if (err == ERR_OK)
        put_joined(o, STR("headers"), &j);
    map_release(&j.by_name);
    return err;
}

static void put_cookies(const struct wire_request *http, struct json_out *o)
{
    size_t n = 0;
    for (size_t i = 0; i < http->n_headers; i++) {
        struct str rest = http->headers[i].value;
        if (!str_eq_nocase(http->headers[i].name, STR("cookie")))
            continue;
        while (str_is_set(rest) && n < COOKIES_MAX) {
            struct str cookie = str_trim(str_cut(&rest, ';'));
            if (cookie.len == 0)
                continue;
            if (n++ == 0) {
                json_key(o, STR("cookies"));
                json_open(o, '[');
            }
            json_str(o, cookie);
        }
    }
    if (n)
        json_close(o, ']');
}

static enum err join_parameters(const struct percent_pair *pairs, size_t n,
                                struct proxy_gathered *j)
{
    for (size_t i = 0; i < n; i++)
        TRY(proxy_gather(j, pairs[i].key, pairs[i].key,
                         pairs[i].value.p ? pairs[i].value : STR("")));
    return ERR_OK;
}

static enum err put_query(struct arena *a, const struct wire_request *http, struct json_out *o)
{
    struct percent_pair *pairs;
    struct proxy_gathered j;
    size_t n;
    json_kv_str(o, STR("rawQueryString"), http->query.p ? http->query : STR(""));
    if (str_empty(http->query))
        return ERR_OK;
    TRY(percent_parse_query(a, http->query, true, &pairs, &n));
    TRY(proxy_gather_init(&j, a, n));
    enum err err = join_parameters(pairs, n, &j);
    if (err == ERR_OK && n)
        put_joined(o, STR("queryStringParameters"), &j);
    map_release(&j.by_name);
    return err;
}

static void put_http(const struct proxy_request *req, struct json_out *o)
{
    struct str agent = wire_header_get(req->http, STR("user-agent"));
    json_key(o, STR("http"));
    json_open(o, '{');
    json_kv_str(o, STR("method"), req->http->method);
    json_kv_str(o, STR("path"), req->http->path);
    json_kv_str(o, STR("protocol"), STR("HTTP/1.1"));
    json_kv_str(o, STR("sourceIp"), req->source_ip);
    json_kv_str(o, STR("userAgent"), agent.p ? agent : STR(""));
    json_close(o, '}');
}

static enum err put_context(struct arena *a, const struct proxy_request *req, struct json_out *o)
{
    struct str time = proxy_log_time(a, req->wall_ms);
    if (!str_is_set(time))
        return ERR_NOMEM;
    json_key(o, STR("requestContext"));
    json_open(o, '{');
    json_kv_str(o, STR("accountId"), req->account);
    json_kv_str(o, STR("apiId"), req->api_id);
    if (str_is_set(req->authorizer)) {
        json_key(o, STR("authorizer"));
        json_raw(o, req->authorizer);
    }
    json_kv_str(o, STR("domainName"), req->domain_name);
    json_kv_str(o, STR("domainPrefix"), req->domain_prefix);
    put_http(req, o);
    json_kv_str(o, STR("requestId"), req->request_id);
    json_kv_str(o, STR("routeKey"), req->route_key);
    json_kv_str(o, STR("stage"), req->stage);
    json_kv_str(o, STR("time"), time);
    json_kv_i64(o, STR("timeEpoch"), req->wall_ms);
    json_close(o, '}');
    return ERR_OK;
}

/* Whether a body of this type is handed over as text; what it says it is, is then still looked at. */
static bool is_text_type(struct str type)
{
    static const struct str texts[] = {STR_INIT("application/json"), STR_INIT("application/xml"),
                                       STR_INIT("application/javascript")};
    type = str_trim(str_cut(&type, ';'));
    if (type.len > 5 && str_eq_nocase(str_n(type.p, 5), STR("text/")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_eq_nocase(type, texts[i]))
            return true;
    return type.len > 5 && str_eq_nocase(str_sub(type, type.len - 5, SIZE_MAX), STR("+json"));
}

static enum err put_body(struct arena *a, const struct wire_request *http, struct json_out *o)
{
    struct str body = http->body;
    bool coded = wire_header_get(http, STR("content-encoding")).p != NULL;
    bool text =
        !coded && is_text_type(wire_header_get(http, STR("content-type"))) && str_is_utf8(body);
    if (!str_empty(body)) {
        if (!text)
            body = base64_encode(a, body.p, body.len);
        if (!str_is_set(body))
            return ERR_NOMEM;
        json_kv_str(o, STR("body"), body);
    }
    json_kv_bool(o, STR("isBase64Encoded"), !str_empty(http->body) && !text);
    return ERR_OK;
}

enum err proxy_event_make(struct arena *a, const struct proxy_request *req, struct str *ret_json)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, PROXY_EVENT_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("2.0"));
    json_kv_str(&o, STR("routeKey"), req->route_key);
    json_kv_str(&o, STR("rawPath"), req->http->path);
    TRY(put_query(a, req->http, &o));
    put_cookies(req->http, &o);
    TRY(put_headers(a, req, &o));
    TRY(put_context(a, req, &o));
    TRY(put_body(a, req->http, &o));
    json_close(&o, '}');
    *ret_json = buf_str(&b);
    return buf_err(&b);
}

/* --- the answer ------------------------------------------------------------------------------- */

enum err proxy_add_header(struct proxy_reply *r, struct str name, struct str value)
{
    if (!proxy_is_token(name) || r->n_headers == PROXY_HEADERS_MAX)
        return ERR_INVALID;
    if (str_eq_nocase(name, STR("content-type")))
        r->content_type = value;
    else
        r->headers[r->n_headers++] = (struct http_header){name, value};
    return ERR_OK;
}

static enum err take_header(struct proxy_reply *r, struct str name, const struct json *v)
{
    struct str value;
    TRY(proxy_value_text(v, &value));
    return proxy_add_header(r, name, value);
}

static const struct json *member(const struct json *doc, const char *name)
{
    const struct json *v = json_get(doc, str_c(name));
    return v && v->kind != JSON_NULL ? v : NULL;
}

static enum err take_headers(const struct json *doc, struct proxy_reply *r)
{
    const struct json *headers = member(doc, "headers"), *cookies = member(doc, "cookies");
    if ((headers && headers->kind != JSON_OBJECT) || (cookies && cookies->kind != JSON_ARRAY))
        return ERR_INVALID;
    JSON_EACH (headers, it)
        TRY(take_header(r, it->key, it));
    JSON_EACH (cookies, it)
        TRY(it->kind == JSON_STRING ? take_header(r, STR("Set-Cookie"), it) : ERR_INVALID);
    return ERR_OK;
}

/* A number, also one in quotes. */
static enum err take_status(const struct json *doc, struct proxy_reply *r)
{
    const struct json *v = member(doc, "statusCode");
    int64_t status = PROXY_STATUS_MIN;
    if (v && (v->kind == JSON_STRING ? str_to_i64(v->text, &status) : json_to_i64(v, &status)))
        return ERR_INVALID;
    r->status = (int)status;
    return proxy_status_ok(status) ? ERR_OK : ERR_INVALID;
}

static enum err take_head(struct arena *a, const struct json *doc, struct proxy_reply *ret_reply)
{
    size_t n = 0;
    JSON_EACH (member(doc, "headers"), it)
        n++;
    JSON_EACH (member(doc, "cookies"), it)
        n++;
    *ret_reply = (struct proxy_reply){
        .headers = ARENA_ARRAY(a, struct http_header, min_size(n, PROXY_HEADERS_MAX) + 1)};
    if (!ret_reply->headers)
        return ERR_NOMEM;
    TRY(take_status(doc, ret_reply));
    return take_headers(doc, ret_reply);
}

static enum err take_body(struct arena *a, const struct json *doc, struct proxy_reply *r)
{
    const struct json *body = member(doc, "body"), *coded = member(doc, "isBase64Encoded");
    if ((body && body->kind != JSON_STRING) || (coded && coded->kind != JSON_BOOL))
        return ERR_INVALID;
    r->body = body ? body->text : STR("");
    return coded && coded->b ? base64_decode(a, r->body, &r->body) : ERR_OK;
}

enum err proxy_reply_read(struct arena *a, struct str answer, struct proxy_reply *ret_reply)
{
    struct json *doc;
    struct proxy_reply r = {.status = PROXY_STATUS_MIN, .body = answer};
    TRY(proxy_answer_parse(a, answer, &doc));
    if (member(doc, "statusCode")) {
        TRY(take_head(a, doc, &r));
        TRY(take_body(a, doc, &r));
    }
    if (!str_is_set(r.content_type))
        r.content_type = STR("application/json");
    *ret_reply = r;
    return ERR_OK;
}

enum err proxy_reply_read_head(struct arena *a, struct str metadata, struct proxy_reply *ret_reply)
{
    struct json *doc;
    TRY(proxy_answer_parse(a, metadata, &doc));
    return doc->kind == JSON_OBJECT ? take_head(a, doc, ret_reply) : ERR_INVALID;
}
