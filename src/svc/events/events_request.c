/* The requests that ask an API destination, and the server that gives tokens.
 *
 *   address   each '*' is a value of the target's, percent-encoded
 *   query     the target's parameters, then the connection's
 *   headers   what is always there, then the target's, then the connection's, then who we are: of one name
 *             the last counts
 *   body      the payload; a JSON object gets the connection's members besides. GET, HEAD and OPTIONS have none
 *
 * Source: EventBridge API Reference, HttpParameters (the connection's values take precedence);
 * EventBridge User Guide, "API destinations as targets" (headers that are stripped), "Connections for
 * API endpoint targets"; RFC 6749 section 4.4 (client credentials), section 2.3.1; RFC 7617 (Basic).
 * Layer: svc/events. Thread: pure. */
#include <assert.h>

#include "codec/base64.h"
#include "codec/percent.h"
#include "lang/jsonpath.h"
#include "svc/events/events_int.h"

enum {
    BODY_MAX = 1024 * 1024,
    URL_MAX = 16 * 1024,
    HEADERS_MAX = 2 * EVENTS_PARAMETERS_MAX + 4,
    TOKEN_SECONDS_MAX = 365 * 24 * 60 * 60,
};

/* What belongs to the way, not to what is sent. */
static const char *const stripped[] = {
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "warning",
};

struct headers {
    struct target_pair *v; /* HEADERS_MAX */
    size_t n;
};

static void set_header(struct headers *h, struct str name, struct str value)
{
    size_t i = 0;
    while (i < h->n && !str_eq_nocase(h->v[i].name, name))
        i++;
    assert(i < HEADERS_MAX);
    h->v[i] = (struct target_pair){name, str_trim(value)};
    if (i == h->n)
        h->n++;
}

static void ask_header(struct headers *h, struct str name, struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(stripped); i++)
        if (str_eq_nocase(name, str_c(stripped[i])))
            return;
    set_header(h, name, value);
}

/* --- who we are --------------------------------------------------------------------------------- */

static enum err basic(struct arena *a, const struct events_auth *auth, struct headers *h)
{
    struct str both = str_fmt(a, STR_FMT ":" STR_FMT, STR_ARG(auth->user), STR_ARG(auth->secret));
    struct str text = str_is_set(both) ? base64_encode(a, both.p, both.len) : STR_NONE;
    struct str value = str_fmt(a, "Basic " STR_FMT, STR_ARG(text));
    if (!str_is_set(text) || !str_is_set(value))
        return ERR_NOMEM;
    set_header(h, STR("Authorization"), value);
    return ERR_OK;
}

static enum err identify(struct arena *a, const struct events_auth *auth, struct headers *h)
{
    if (auth->type == EVENTS_BASIC)
        return basic(a, auth, h);
    if (auth->type == EVENTS_API_KEY) {
        set_header(h, auth->user, auth->secret);
        return ERR_OK;
    }
    struct str value = str_fmt(a, "Bearer " STR_FMT, STR_ARG(auth->token));
    if (!str_is_set(value))
        return ERR_NOMEM;
    set_header(h, STR("Authorization"), value);
    return ERR_OK;
}

/* --- address ------------------------------------------------------------------------------------ */

static void put_pair(struct buf *b, char *mark, struct str key, struct str value)
{
    buf_add_byte(b, *mark);
    percent_put(b, key, false);
    buf_add_byte(b, '=');
    percent_put(b, value, false);
    *mark = '&';
}

static bool named(const struct events_parameter *v, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].key, key))
            return true;
    return false;
}

static enum err put_address(struct buf *b, struct str endpoint, const struct target_http *http)
{
    size_t used = 0;
    for (size_t i = 0; i < endpoint.len; i++) {
        if (endpoint.p[i] != '*')
            buf_add_byte(b, endpoint.p[i]);
        else if (used < http->n_path)
            percent_put(b, http->path[used++], false);
        else
            return ERR_INVALID;
    }
    return used == http->n_path ? ERR_OK : ERR_INVALID;
}

static enum err make_url(struct arena *a, struct str endpoint, const struct target_http *http,
                         const struct events_parameters *own, struct str *ret)
{
    struct buf b;
    char mark = str_find(endpoint, '?') == SIZE_MAX ? '?' : '&';
    buf_init_arena(&b, a, URL_MAX);
    TRY(put_address(&b, endpoint, http));
    for (size_t i = 0; i < http->n_query; i++)
        if (!named(own->query, own->n_query, http->query[i].name))
            put_pair(&b, &mark, http->query[i].name, http->query[i].value);
    for (size_t i = 0; i < own->n_query; i++)
        put_pair(&b, &mark, own->query[i].key, own->query[i].value);
    *ret = buf_str(&b);
    return buf_err(&b);
}

/* --- body --------------------------------------------------------------------------------------- */

static bool has_body(struct str method)
{
    return !str_eq_c(method, "GET") && !str_eq_c(method, "HEAD") && !str_eq_c(method, "OPTIONS");
}

static enum err make_body(struct arena *a, struct str payload, const struct events_parameters *own,
                          struct str *ret)
{
    struct json *v;
    struct buf b;
    struct json_out o;
    *ret = payload;
    if (own->n_body == 0)
        return ERR_OK;
    enum err err = json_parse(a, payload, &v, NULL);
    if (err || v->kind != JSON_OBJECT)
        return err == ERR_NOMEM ? err : ERR_OK; /* there is nowhere to put them */
    buf_init_arena(&b, a, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    JSON_EACH (v, it)
        if (!named(own->body, own->n_body, it->key)) {
            json_key(&o, it->key);
            json_tree(&o, it);
        }
    for (size_t i = 0; i < own->n_body; i++)
        json_kv_str(&o, own->body[i].key, own->body[i].value);
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

/* --- public ------------------------------------------------------------------------------------- */

enum err events_request_make(struct arena *a, const struct events_destination_rec *d,
                             const struct events_auth *auth, const struct target_delivery *delivery,
                             struct target_request *ret)
{
    static const struct target_http none = {0};
    const struct target_http *http = delivery->http ? delivery->http : &none;
    struct headers h = {.v = ARENA_ARRAY(a, struct target_pair, HEADERS_MAX)};
    *ret = (struct target_request){.method = d->method, .per_second = d->per_second};
    if (!h.v)
        return ERR_NOMEM;
    TRY(make_url(a, d->endpoint, http, &auth->invocation, &ret->url));
    if (has_body(d->method))
        TRY(make_body(a, delivery->payload, &auth->invocation, &ret->body));
    set_header(&h, STR("User-Agent"), STR("Amazon/EventBridge/ApiDestinations"));
    set_header(&h, STR("Content-Type"), STR("application/json; charset=utf-8"));
    for (size_t i = 0; i < http->n_headers; i++)
        ask_header(&h, http->headers[i].name, http->headers[i].value);
    for (size_t i = 0; i < auth->invocation.n_headers; i++)
        ask_header(&h, auth->invocation.headers[i].key, auth->invocation.headers[i].value);
    TRY(identify(a, auth, &h));
    ret->headers = h.v;
    ret->n_headers = h.n;
    return ERR_OK;
}

static void put_form(struct buf *b, const struct events_auth *auth)
{
    static const struct str grant = STR_INIT("grant_type");
    const struct events_parameters *own = &auth->oauth;
    char mark = '&';
    buf_add_c(b, "client_id=");
    percent_put(b, auth->user, false);
    put_pair(b, &mark, STR("client_secret"), auth->secret);
    if (!named(own->body, own->n_body, grant) && !named(own->query, own->n_query, grant))
        put_pair(b, &mark, grant, STR("client_credentials"));
    for (size_t i = 0; i < own->n_body; i++)
        put_pair(b, &mark, own->body[i].key, own->body[i].value);
}

enum err events_token_request(struct arena *a, const struct events_auth *auth,
                              struct target_request *ret)
{
    static const struct target_http none = {0};
    struct headers h = {.v = ARENA_ARRAY(a, struct target_pair, HEADERS_MAX)};
    struct buf form;
    *ret = (struct target_request){.method = auth->method, .per_second = 1};
    if (!h.v)
        return ERR_NOMEM;
    buf_init_arena(&form, a, BODY_MAX);
    put_form(&form, auth);
    TRY(buf_err(&form));
    TRY(make_url(a, auth->endpoint, &none, &auth->oauth, &ret->url));
    set_header(&h, STR("User-Agent"), STR("Amazon/EventBridge/ApiDestinations"));
    if (has_body(auth->method)) {
        ret->body = buf_str(&form);
        set_header(&h, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
    } else {
        ret->url =
            str_fmt(a, STR_FMT "%c" STR_FMT, STR_ARG(ret->url),
                    str_find(ret->url, '?') == SIZE_MAX ? '?' : '&', STR_ARG(buf_str(&form)));
    }
    for (size_t i = 0; i < auth->oauth.n_headers; i++)
        ask_header(&h, auth->oauth.headers[i].key, auth->oauth.headers[i].value);
    ret->headers = h.v;
    ret->n_headers = h.n;
    return str_is_set(ret->url) ? ERR_OK : ERR_NOMEM;
}

enum err events_token_read(struct arena *a, struct str answer, struct str *ret_token,
                           int64_t *ret_seconds)
{
    struct json *v;
    enum err err = json_parse(a, answer, &v, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_INVALID;
    struct str token = json_get_str(v, STR("access_token"));
    if (!str_is_set(token) || token.len == 0)
        return ERR_INVALID;
    for (size_t i = 0; i < token.len; i++)
        if (token.p[i] <= ' ' || token.p[i] >= 0x7f) /* RFC 6750 section 2.1: nothing else is one */
            return ERR_INVALID;
    *ret_token = token;
    *ret_seconds = 0;
    const struct json *expires = json_get(v, STR("expires_in"));
    int64_t seconds;
    struct str text = expires && expires->kind == JSON_STRING ? expires->text : STR_NONE;
    if (str_is_set(text) ? str_to_i64(text, &seconds) == ERR_OK
                         : expires && json_to_i64(expires, &seconds) == ERR_OK)
        *ret_seconds = min_i64(max_i64(seconds, 0), TOKEN_SECONDS_MAX);
    return ERR_OK;
}

/* --- values out of the event -------------------------------------------------------------------- */

static enum err follow(struct arena *a, struct str value, const struct json *event, struct str *ret)
{
    const struct jsonpath *p;
    const struct json *v = NULL;
    *ret = value;
    if (!str_starts(value, STR("$.")))
        return ERR_OK;
    enum err err = jsonpath_compile(a, value, &p, NULL);
    if (err == ERR_OK)
        err = jsonpath_eval(p, event, a, &v);
    if (err == ERR_NOMEM)
        return err;
    if (err || v->kind == JSON_STRING) {
        *ret = err ? STR("") : v->text;
        return ERR_OK;
    }
    struct buf b;
    buf_init_arena(&b, a, URL_MAX);
    json_put(&b, v);
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err follow_pairs(struct arena *a, const struct target_pair *from, size_t n,
                             const struct json *event, const struct target_pair **ret)
{
    struct target_pair *v = ARENA_ARRAY(a, struct target_pair, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        v[i].name = from[i].name;
        TRY(follow(a, from[i].value, event, &v[i].value));
    }
    *ret = v;
    return ERR_OK;
}

enum err events_http_fill(struct arena *a, const struct target_http *http, const struct json *event,
                          struct target_http *ret)
{
    struct str *path = ARENA_ARRAY(a, struct str, http->n_path + 1);
    *ret = *http;
    if (!path)
        return ERR_NOMEM;
    for (size_t i = 0; i < http->n_path; i++)
        TRY(follow(a, http->path[i], event, &path[i]));
    ret->path = path;
    TRY(follow_pairs(a, http->headers, http->n_headers, event, &ret->headers));
    return follow_pairs(a, http->query, http->n_query, event, &ret->query);
}
