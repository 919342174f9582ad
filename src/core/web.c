/* See web.h. */
#include "core/web.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/host.h"
#include "core/account.h"
#include "core/call_int.h"
#include "core/claim.h"

void web_note(struct web_head *w, struct str name, struct str value)
{
    switch (name.len) {
    case 4:
        if (str_eq_nocase(name, STR("Host")))
            w->host = value;
        break;
    case 6:
        if (str_eq_nocase(name, STR("Origin")))
            w->origin = value;
        break;
    case 7:
        if (str_eq_nocase(name, STR("Referer")))
            w->referer = value;
        break;
    case 14:
        if (str_eq_nocase(name, STR("Sec-Fetch-Site")))
            w->site = value;
        break;
    default:
        break;
    }
}

/* --- names ------------------------------------------------------------------------------------ */

/* An address cannot be made to lead elsewhere. */
static bool is_address(struct str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr a;
    if (host.len == 0 || host.len >= sizeof(text))
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET, text, &a) == 1 || inet_pton(AF_INET6, text, &a) == 1;
}

/* The host of a URL's "scheme://host..."; empty for what is none. */
static struct str url_authority(struct str url)
{
    size_t at = str_find_str(url, STR("://"));
    if (at == SIZE_MAX)
        return STR("");
    struct str rest = str_sub(url, at + 3, SIZE_MAX);
    return str_cut(&rest, '/');
}

bool web_host_known(const struct core_config *cfg, struct str host)
{
    static const struct str known[] = {
        STR_INIT("localhost"), /* RFC 6761 section 6.3: browsers do not ask for it */
        STR_INIT("localhost.localstack.cloud"), /* docs/localstack.md */
    };
    host = host_bare(host);
    /* AWS's are of clients whose resolver leads them here; no page's own. */
    if (is_address(host) || host_is_aws(host))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (host_is_below(host, known[i]))
            return true;
    if (host_is_below(host, host_bare(url_authority(cfg->endpoint))))
        return true;
    if (str_is_set(cfg->url_suffix) && host_is_below(host, host_bare(cfg->url_suffix)))
        return true;
    struct str list = cfg->allow_hosts;
    while (str_is_set(list))
        if (host_is_below(host, str_trim(str_cut(&list, ','))))
            return true;
    return false;
}

bool web_is_authority(struct str text)
{
    struct str port = text, name = str_cut(&port, ':');
    uint64_t n;
    if (str_is_set(port) && (str_to_u64(port, &n) != ERR_OK || n == 0 || n > 65535))
        return false;
    while (str_is_set(name)) {
        struct str label = str_cut(&name, '.');
        if (label.len == 0 || label.len > 63 || label.p[0] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!isalnum((unsigned char)label.p[i]) && label.p[i] != '-')
                return false;
    }
    return text.len > 0 && text.p[0] != ':';
}

/* --- origins ---------------------------------------------------------------------------------- */

/* "scheme://host:port" of a URL. */
static struct str url_origin(struct str url)
{
    struct str authority = url_authority(url);
    return authority.len ? str_n(url.p, (size_t)(authority.p + authority.len - url.p)) : STR_NONE;
}

struct str web_allowed_origin(const struct core_config *cfg, const struct web_head *w)
{
    /* What a page embeds comes without an Origin. */
    struct str origin = w->origin.p ? w->origin : url_origin(w->referer);
    struct str list = cfg->allow_origins;
    while (str_is_set(list) && str_is_set(origin)) {
        struct str one = str_trim(str_cut(&list, ','));
        if (str_eq(one, STR("*")) || (one.len && str_eq_nocase(one, origin)))
            return origin;
    }
    return STR_NONE;
}

bool web_is_foreign(const struct core_config *cfg, const struct web_head *w)
{
    bool other = str_eq_nocase(w->site, STR("cross-site")) ||
                 str_eq_nocase(w->site, STR("same-site")) ||
                 (w->origin.p && !str_eq_nocase(url_authority(w->origin), w->host));
    return other && !str_is_set(web_allowed_origin(cfg, w));
}

/* --- calls ------------------------------------------------------------------------------------ */

/* Of the REST protocols GET and HEAD change nothing; elsewhere the method tells nothing. */
static bool may_change(const struct call_impl *c)
{
    struct str method = c->request.method;
    bool reads =
        str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")) || str_eq(method, STR("OPTIONS"));
    bool rest = c->routed.protocol == WIRE_REST_XML || c->routed.protocol == WIRE_REST_JSON;
    return !(reads && rest && c->routed.service);
}

static bool uses_dev_key(const struct call_impl *c)
{
    return account_is_dev_key(c->core, c->sig.access_key);
}

/* What a preflight request would ask for, or did: browsers alone write these headers. */
static struct cors_ask asked(const struct call_impl *c)
{
    return (struct cors_ask){
        .origin = c->web.origin,
        .method = wire_header_get(&c->request, STR("access-control-request-method")),
        .headers = wire_header_get(&c->request, STR("access-control-request-headers")),
    };
}

/* What is asked for by a request itself, where it does not say otherwise. */
static struct cors_ask asked_itself(const struct call_impl *c)
{
    struct cors_ask ask = asked(c);
    if (!str_is_set(ask.method))
        ask.method = c->request.method;
    return ask;
}

enum has_rules { NOT_THERE, NO_RULES, RULES };

/* Finds the rule of the resource that lets the page ask; *ret_has: whether it has any. */
static enum err ask_resource(struct call_impl *c, const struct cors_ask *ask,
                             enum has_rules *ret_has)
{
    const struct svc *svc = c->routed.service ? core_svc(c->core, c->routed.service) : NULL;
    const struct cors_rule *rules = NULL;
    size_t n = 0;
    if (!svc || !svc->def->cors)
        return ERR_OK;
    enum err err = svc->def->cors(svc->self, &c->arena, &c->routed, &rules, &n);
    *ret_has = err == ERR_NOT_FOUND ? NOT_THERE : n == 0 ? NO_RULES : RULES;
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    c->cors = cors_find(rules, n, ask);
    return ERR_OK;
}

enum err call_claim_cors(struct call *call, struct str bucket)
{
    struct call_impl *c = call->impl;
    struct cors_ask ask = asked_itself(c);
    enum has_rules has;
    c->routed.bucket = bucket;
    return c->web.origin.p ? ask_resource(c, &ask, &has) : ERR_OK;
}

enum err web_check(struct call_impl *c)
{
    const struct core_config *cfg = &c->core->cfg;
    const struct web_head *w = &c->web;
    bool dev = uses_dev_key(c), from_page = w->origin.p || w->site.p;
    if (!dev && !from_page)
        return ERR_OK;
    if (w->origin.p && !c->claim) {
        struct cors_ask ask = asked_itself(c);
        enum has_rules has;
        TRY(ask_resource(c, &ask, &has));
    }
    if (from_page && !c->cors && web_is_foreign(cfg, w) && (dev || (!c->claim && may_change(c))))
        return call_error_common(
            c, WIRE_E_ACCESS_DENIED,
            "A web page of another origin%s may not do this here. See --allow-origin.",
            dev ? " has no use of the development key and" : "");
    bool anonymous = c->sig.kind == SIGV4_NONE && !c->claim && from_page && may_change(c);
    bool any_host = cfg->open_network && !from_page && !w->referer.p;
    if ((dev || anonymous) && !any_host && !web_host_known(cfg, w->host))
        return call_error_common(c, WIRE_E_ACCESS_DENIED,
                                 "The host name " STR_FMT " is not known to lead here. See "
                                 "--allow-host.",
                                 STR_ARG(w->host));
    return ERR_OK;
}

/* Of whose rules the request is, if it is of such a service's. */
static const struct svc_def *preflight_def(struct call_impl *c)
{
    const struct svc *svc = c->routed.service ? core_svc(c->core, c->routed.service) : NULL;
    bool asks = svc && svc->def->cors && str_is_set(c->routed.bucket);
    return asks ? svc->def : NULL;
}

static enum err refuse_preflight(struct call_impl *c, const struct cors_ask *ask,
                                 enum has_rules has)
{
    static const char *const words[] = {
        [NOT_THERE] = "CORSResponse: Bucket not found",
        [NO_RULES] = "CORSResponse: CORS is not enabled for this bucket.",
        [RULES] = "CORSResponse: This CORS request is not allowed. This is usually because the "
                  "evalution of Origin, request method / Access-Control-Request-Method or "
                  "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    };
    const struct svc_def *def = preflight_def(c);
    if (!def)
        return ERR_OK;
    const char *kind = has == RULES ? call_resource_kind(c) : "BUCKET";
    TRY(call_make_id(c));
    TRY(call_error_detail(&c->call, "Method",
                          str_is_set(ask->method) ? ask->method : c->request.method));
    TRY(call_error_detail(&c->call, "ResourceType", str_c(kind)));
    return call_error(&c->call, def->cors_refused, "%s", words[has]);
}

/* OPTIONS on a bucket or object that does not say what a page wants to do. */
static enum err incomplete_preflight(struct call_impl *c, const struct cors_ask *ask)
{
    const struct svc_def *def = preflight_def(c);
    enum has_rules has;
    if (!def)
        return ERR_OK;
    TRY(call_make_id(c));
    if (!ask->origin.p)
        return call_error(&c->call, def->cors_incomplete, "%s",
                          "Insufficient information. Origin request header needed.");
    TRY(ask_resource(c, ask, &has));
    if (has != RULES)
        return refuse_preflight(c, ask, has);
    return call_error(&c->call, def->cors_incomplete, "%s",
                      "Invalid Access-Control-Request-Method: null");
}

static size_t operator_headers(struct str origin, const struct cors_ask *ask, struct http_header *h)
{
    size_t n = 0;
    h[n++] = (struct http_header){STR("Access-Control-Allow-Origin"), origin};
    h[n++] = (struct http_header){STR("Access-Control-Allow-Methods"), ask->method};
    h[n++] = (struct http_header){STR("Access-Control-Max-Age"), STR("600")};
    h[n++] = (struct http_header){STR("Vary"), STR("Origin, Access-Control-Request-Headers")};
    if (ask->headers.p)
        h[n++] = (struct http_header){STR("Access-Control-Allow-Headers"), ask->headers};
    return n;
}

enum err web_preflight(struct call_impl *c, struct http_req *req, bool *ret_answered)
{
    struct cors_ask ask = asked(c);
    enum has_rules has = NO_RULES;
    *ret_answered = false;
    if (!str_eq(c->request.method, STR("OPTIONS")))
        return ERR_OK;
    if (!ask.method.p || !ask.origin.p)
        return incomplete_preflight(c, &ask);
    struct http_header h[CORS_HEADERS_MAX + 1];
    struct str origin = web_allowed_origin(&c->core->cfg, &c->web);
    size_t n = origin.p ? operator_headers(origin, &ask, h) : 0;
    if (!n) {
        TRY(ask_resource(c, &ask, &has));
        n = c->cors ? cors_headers(&c->arena, c->cors, &ask, h) : 0;
        if (!n)
            return refuse_preflight(c, &ask, has);
    }
    if (wire_header_get(&c->request, STR("access-control-request-private-network")).p)
        h[n++] = (struct http_header){STR("Access-Control-Allow-Private-Network"), STR("true")};
    http_reply(req, origin.p ? 204 : 200, h, n, STR_NONE);
    *ret_answered = true;
    return ERR_OK;
}

size_t web_reply_headers(struct call_impl *c, struct http_header *out)
{
    if ((c->claim && !str_is_set(c->routed.bucket)) || !c->web.origin.p)
        return 0;
    struct str origin = web_allowed_origin(&c->core->cfg, &c->web);
    if (!origin.p) {
        struct cors_ask ask = asked_itself(c);
        return c->cors ? cors_headers(&c->arena, c->cors, &ask, out) : 0;
    }
    out[0] = (struct http_header){STR("Access-Control-Allow-Origin"), origin};
    out[1] = (struct http_header){STR("Access-Control-Expose-Headers"), STR("*")};
    out[2] = (struct http_header){STR("Vary"), STR("Origin")};
    return 3;
}

/* --- the operator ----------------------------------------------------------------------------- */

static bool is_loopback(struct str peer)
{
    return str_starts(peer, STR("127.")) || str_eq(peer, STR("::1")) ||
           str_starts(peer, STR("::ffff:127."));
}

bool web_has_token(const struct http_req *req, struct str token)
{
    struct str value = http_header(req, STR("Authorization"));
    struct str scheme = str_cut(&value, ' ');
    return str_eq_nocase(scheme, STR("Bearer")) && token.len > 0 && value.p &&
           str_eq_consttime(str_trim(value), token);
}

bool web_is_operator(struct core *core, struct http_req *req)
{
    struct web_head w = {0};
    if (web_has_token(req, core->cfg.metrics_token))
        return true;
    for (size_t i = 0; i < req->n_headers; i++)
        web_note(&w, req->headers[i].name, req->headers[i].value);
    return is_loopback(req->peer) && web_host_known(&core->cfg, w.host) &&
           !web_is_foreign(&core->cfg, &w) &&
           !(core->from_function && core->from_function(core, req));
}
