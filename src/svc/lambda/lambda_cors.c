/* Cross-origin requests to function URLs (Fetch, "CORS protocol"), by the URL's settings.
 *
 * Source: Lambda Developer Guide, "Cross-origin resource sharing (CORS)" of function URLs.
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_url.h"

bool lambda_cors_is_preflight(const struct lambda_url_cors *cors, const struct wire_request *req)
{
    return cors->set && str_eq_c(req->method, "OPTIONS") && wire_header_get(req, STR("origin")).p &&
           wire_header_get(req, STR("access-control-request-method")).p;
}

bool lambda_cors_owns(const struct lambda_url_cors *cors, struct str header)
{
    struct str prefix = STR("access-control-");
    return cors->set && header.len > prefix.len &&
           str_eq_nocase(str_n(header.p, prefix.len), prefix);
}

static bool has(const struct str *v, size_t n, struct str wanted, bool nocase)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(v[i], "*") || (nocase ? str_eq_nocase(v[i], wanted) : str_eq(v[i], wanted)))
            return true;
    return false;
}

static struct str list(struct arena *a, const struct str *v, size_t n)
{
    enum { BYTES_MAX = 128 * 1024 };
    struct buf b;
    buf_init_arena(&b, a, BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_add_c(&b, i ? "," : "");
        buf_add_str(&b, v[i]);
    }
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static enum err put_list(struct call *call, struct str name, const struct str *v, size_t n)
{
    struct str text = n ? list(call->arena, v, n) : STR_NONE;
    if (n && !str_is_set(text))
        return ERR_NOMEM;
    return n ? call_reply_header(call, name, text) : ERR_OK;
}

/* Whether a page may ask for every header that its preflight lists. */
static bool may_send(const struct lambda_url_cors *cors, struct str names)
{
    while (str_is_set(names)) {
        struct str name = str_trim(str_cut(&names, ','));
        if (name.len && !has(cors->headers, cors->n_headers, name, true))
            return false;
    }
    return true;
}

static enum err put_preflight(struct call *call, const struct lambda_url_cors *cors)
{
    struct str age = str_fmt(call->arena, "%lld", (long long)cors->max_age_s);
    TRY(put_list(call, STR("Access-Control-Allow-Methods"), cors->methods, cors->n_methods));
    TRY(put_list(call, STR("Access-Control-Allow-Headers"), cors->headers, cors->n_headers));
    if (!str_is_set(age))
        return ERR_NOMEM;
    return cors->max_age_s ? call_reply_header(call, STR("Access-Control-Max-Age"), age) : ERR_OK;
}

static bool allows(const struct call *call, const struct lambda_url_cors *cors, struct str origin,
                   bool preflight)
{
    const struct wire_request *req = call->request;
    if (!cors->set || !origin.p || !has(cors->origins, cors->n_origins, origin, true))
        return false;
    return !preflight ||
           (has(cors->methods, cors->n_methods,
                wire_header_get(req, STR("access-control-request-method")), false) &&
            may_send(cors, wire_header_get(req, STR("access-control-request-headers"))));
}

enum err lambda_cors_reply(struct call *call, const struct lambda_url_cors *cors, bool preflight)
{
    struct str origin = wire_header_get(call->request, STR("origin"));
    if (!allows(call, cors, origin, preflight))
        return ERR_OK;
    /* "*" is refused by browsers for what comes with credentials. */
    bool any = !cors->credentials && has(cors->origins, cors->n_origins, STR("*"), false);
    TRY(call_reply_header(call, STR("Access-Control-Allow-Origin"), any ? STR("*") : origin));
    if (!any)
        TRY(call_reply_header(call, STR("Vary"), STR("Origin")));
    if (cors->credentials)
        TRY(call_reply_header(call, STR("Access-Control-Allow-Credentials"), STR("true")));
    if (preflight)
        return put_preflight(call, cors);
    return put_list(call, STR("Access-Control-Expose-Headers"), cors->expose, cors->n_expose);
}
