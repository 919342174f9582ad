/* Integrations that ask a service of AWS: functions, and any action of any service. The request is
 * written as the service's own clients write it, and goes the way of theirs (core/inner.h).
 *
 *   arn:aws:apigateway:REGION:SERVICE:action/OPERATION[&Name=Value]
 *   arn:aws:apigateway:REGION:[SUBDOMAIN.]SERVICE:path/PATH[?QUERY]
 *   ...:lambda:path/2015-03-31/functions/ARN/invocations
 *
 * Source: API Gateway API Reference, PutIntegration ("uri"); Developer Guide, "API Gateway AWS service
 * integrations".
 * Layer: svc. Thread: the call's loop. */
#include "base/arn.h"
#include "svc/apigateway/integrate.h"

enum { URL_BYTES_MAX = 1024 * 1024 };

#define OWN_NAME "apigateway.amazonaws.com"

/* --- the URI ---------------------------------------------------------------------------------- */

/* Borrowed from the URI. */
struct service_uri {
    struct str region, service, subdomain;
    struct str action; /* and parameters behind it; absent: a path */
    struct str path;   /* with a slash at its start, query string included */
};

static bool parse_uri(struct str uri, struct service_uri *ret)
{
    struct str rest = uri, parts[5];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        parts[i] = str_cut(&rest, ':');
    if (!str_eq_c(parts[0], "arn") || !str_eq_c(parts[2], "apigateway") || !str_is_set(rest))
        return false;
    size_t dot = str_rfind(parts[4], '.');
    *ret = (struct service_uri){.region = parts[3], .service = parts[4]};
    if (dot != SIZE_MAX) {
        ret->subdomain = str_n(parts[4].p, dot);
        ret->service = str_sub(parts[4], dot + 1, SIZE_MAX);
    }
    if (str_starts(rest, STR("action/"))) {
        ret->action = str_sub(rest, 7, SIZE_MAX);
        return ret->action.len > 0;
    }
    if (!str_starts(rest, STR("path/")))
        return false;
    ret->path = str_sub(rest, 4, SIZE_MAX);
    return true;
}

struct str integrate_function(struct str uri)
{
    static const struct str before = STR_INIT("/functions/"), after = STR_INIT("/invocations");
    struct service_uri u;
    if (!parse_uri(uri, &u) || !str_eq_c(u.service, "lambda") || !str_ends(u.path, after))
        return STR_NONE;
    size_t at = str_find_str(u.path, before);
    if (at == SIZE_MAX || at + before.len + after.len >= u.path.len)
        return STR_NONE;
    return str_sub(u.path, at + before.len, u.path.len - at - before.len - after.len);
}

/* --- the request ------------------------------------------------------------------------------ */

static const struct wire_service *service_of(const struct core *core, struct str name)
{
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct wire_service *wire = core->svcs[i].def->wire;
        if (str_eq(wire->name, name) || str_eq(wire->signing, name))
            return wire;
    }
    return NULL;
}

static bool has_header(const struct map_made *header, struct str name)
{
    for (size_t i = 0; i < header->n; i++)
        if (str_eq_nocase(header->v[i].name, name))
            return true;
    return false;
}

static enum err set_absent(struct arena *a, struct map_made *header, const char *name,
                           struct str value)
{
    return has_header(header, str_c(name)) ? ERR_OK : map_made_add(a, header, str_c(name), value);
}

/* What names the operation in JSON protocols, where the mappings do not say it themselves. */
static enum err name_operation(struct arena *a, const struct wire_service *wire, struct str action,
                               struct map_made *header)
{
    struct str target = str_fmt(a, STR_FMT "." STR_FMT, STR_ARG(wire->target), STR_ARG(action));
    if (!str_is_set(target))
        return ERR_NOMEM;
    TRY(set_absent(a, header, "X-Amz-Target", target));
    return map_made_set(a, header, STR("Content-Type"),
                        wire->json_protocol == WIRE_JSON11 ? STR("application/x-amz-json-1.1")
                                                           : STR("application/x-amz-json-1.0"),
                        true);
}

static void put_pair(struct buf *b, struct str name, struct str value)
{
    if (b->len)
        buf_add_byte(b, '&');
    percent_put(b, name, false);
    buf_add_byte(b, '=');
    percent_put(b, value, false);
}

static void put_raw(struct buf *b, struct str query)
{
    if (query.len == 0)
        return;
    if (b->len)
        buf_add_byte(b, '&');
    buf_add_str(b, query);
}

static struct str header_of(const struct map_made *header, struct str name)
{
    for (size_t i = 0; i < header->n; i++)
        if (str_eq_nocase(header->v[i].name, name))
            return header->v[i].value;
    return STR_NONE;
}

static bool is_form(const struct map_made *header)
{
    return str_starts(header_of(header, STR("content-type")),
                      STR("application/x-www-form-urlencoded"));
}

/* Whether an action is asked by a form, of a service that speaks JSON, too: where parameters are mapped to
 * the query string, or the body is one. */
static bool wants_form(const struct wire_service *wire, const struct integrate_ask *ask)
{
    return wire->speaks_query && (!str_is_set(wire->target) || ask->query.n > 0 ||
                                  ask->body.len == 0 || ask->body.p[0] != '{');
}

/* The action's name and all parameters as one form, wherever they were mapped to. */
static enum err put_form(struct arena *a, struct str action, struct str more,
                         const struct integrate_ask *ask, struct map_made *header,
                         struct wire_request *http)
{
    struct buf form;
    buf_init_arena(&form, a, URL_BYTES_MAX + ask->body.len);
    put_pair(&form, STR("Action"), action);
    put_raw(&form, more);
    for (size_t i = 0; i < ask->query.n; i++)
        put_pair(&form, ask->query.v[i].name, ask->query.v[i].value);
    if (is_form(header))
        put_raw(&form, ask->body);
    http->method = STR("POST");
    http->path = STR("/");
    http->body = buf_str(&form);
    TRY(map_made_set(a, header, STR("Content-Type"), STR("application/x-www-form-urlencoded"),
                     true));
    return buf_err(&form);
}

static enum err put_action(struct arena *a, const struct service_uri *u,
                           const struct wire_service *wire, struct map_made *header,
                           const struct integrate_ask *ask, struct wire_request *http)
{
    struct str more = u->action;
    struct str action = str_cut(&more, '&');
    if (wants_form(wire, ask))
        return put_form(a, action, more, ask, header, http);
    http->path = STR("/");
    return name_operation(a, wire, action, header);
}

/* Path and query of the request. */
static enum err put_path(struct arena *a, const struct service_uri *u,
                         const struct wire_service *wire, const struct integrate_ask *ask,
                         struct wire_request *http)
{
    struct buf query;
    struct str rest = u->path;
    buf_init_arena(&query, a, URL_BYTES_MAX);
    http->path = str_cut(&rest, '?');
    put_raw(&query, rest);
    for (size_t i = 0; i < ask->query.n; i++)
        put_pair(&query, ask->query.v[i].name, ask->query.v[i].value);
    if (query.len)
        http->query = buf_str(&query);
    if (u->subdomain.len && wire->buckets) {
        http->path = str_fmt(a, "/" STR_FMT STR_FMT, STR_ARG(u->subdomain), STR_ARG(http->path));
        if (!str_is_set(http->path))
            return ERR_NOMEM;
    }
    return buf_err(&query);
}

/* Headers that are the connection's, or would say who signs. */
static bool is_ours(struct str name)
{
    static const char *const names[] = {"host",
                                        "authorization",
                                        "content-length",
                                        "connection",
                                        "transfer-encoding",
                                        "x-amz-security-token",
                                        "x-amz-date",
                                        "expect"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_c(names[i])))
            return true;
    return false;
}

static enum err make_request(struct arena *a, const struct service_uri *u,
                             const struct wire_service *wire, const struct integrate_ask *ask,
                             struct wire_request *http)
{
    struct map_made header = ask->header;
    *http = (struct wire_request){.method = ask->http_method, .body = ask->body, .tls = true};
    TRY(str_is_set(u->action) ? put_action(a, u, wire, &header, ask, http)
                              : put_path(a, u, wire, ask, http));
    if (str_is_set(ask->trace))
        TRY(map_made_set(a, &header, STR("X-Amzn-Trace-Id"), ask->trace, true));
    if (!str_is_set(header_of(&header, STR("accept")))) /* services of the query protocol: JSON */
        TRY(map_made_add(a, &header, STR("Accept"), STR("application/json")));
    struct wire_header *h = ARENA_ARRAY(a, struct wire_header, header.n + 1);
    if (!h)
        return ERR_NOMEM;
    for (size_t i = 0; i < header.n; i++)
        if (!is_ours(header.v[i].name))
            h[http->n_headers++] = (struct wire_header){header.v[i].name, header.v[i].value};
    http->headers = h;
    return ERR_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void fail(struct integrate_wait *w, enum integrate_fault fault, struct str why)
{
    w->answer = (struct integrate_answer){.fault = fault, .why = why};
    w->done = true;
}

static enum err take_headers(struct arena *a, const struct core_result *r, struct map_made *header)
{
    for (size_t i = 0; i < r->n_headers; i++)
        TRY(map_made_add(a, header, str_dup(a, r->headers[i].name),
                         str_dup(a, r->headers[i].value)));
    if (str_is_set(r->content_type))
        TRY(map_made_add(a, header, STR("Content-Type"), str_dup(a, r->content_type)));
    return a->failed ? ERR_NOMEM : ERR_OK;
}

/* Of a function the error's message is what patterns see; of all else the status. */
static enum err take_selection(struct arena *a, const struct integrate_ask *ask,
                               struct integrate_answer *answer)
{
    struct json *doc;
    answer->selection = str_fmt(a, "%d", answer->status);
    if (!str_is_set(answer->selection))
        return ERR_NOMEM;
    if (!str_is_set(integrate_function(ask->uri)))
        return ERR_OK;
    answer->function_error = str_is_set(header_of(&answer->header, STR("x-amz-function-error")));
    if (answer->status < 300 && !answer->function_error)
        answer->selection = STR_NONE;
    if (!answer->function_error)
        return ERR_OK;
    enum err err = json_parse(a, answer->body, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    answer->selection = err ? STR("") : json_get_str(doc, STR("errorMessage"));
    if (!str_is_set(answer->selection))
        answer->selection = STR("");
    return ERR_OK;
}

static enum err take(struct integrate_wait *w, const struct core_result *r)
{
    struct arena *a = w->call->arena;
    struct integrate_answer *answer = &w->answer;
    *answer = (struct integrate_answer){.status = r->status};
    answer->body = r->body.p ? str_dup(a, r->body) : STR("");
    answer->request_id = str_dup(a, r->request_id);
    TRY(take_headers(a, r, &answer->header));
    return take_selection(a, w->ask, answer);
}

static void on_done(void *arg, const struct core_result *r)
{
    struct integrate_wait *w = arg;
    bool is_function = str_is_set(integrate_function(w->ask->uri));
    w->inner = NULL;
    w->done = true;
    if (r->err == ERR_NOT_FOUND) {
        fail(w, INTEGRATE_MISCONFIGURED, STR("No such service or operation"));
    } else if (r->err == ERR_LIMIT) {
        fail(w, INTEGRATE_TOO_LARGE, STR("The answer is too large, or calls nest too deeply"));
    } else if (r->err == ERR_FAILED && is_function) {
        struct str why =
            str_fmt(w->call->arena, STR_FMT ": " STR_FMT, STR_ARG(r->code), STR_ARG(r->message));
        fail(w, INTEGRATE_MISCONFIGURED, why);
    } else if (take(w, r) != ERR_OK) {
        fail(w, INTEGRATE_MISCONFIGURED, STR("Out of memory"));
    }
    call_wake(w->call);
}

static const struct principal apigateway = {
    .kind = PRINCIPAL_SERVICE, .service = STR_INIT(OWN_NAME), .arn = STR_INIT(OWN_NAME)};

enum err integrate_aws(struct integrate_wait *w, const struct integrate_ask *ask)
{
    struct core *core = w->call->core;
    struct service_uri u;
    struct wire_request http;
    const struct wire_service *wire = parse_uri(ask->uri, &u) ? service_of(core, u.service) : NULL;
    if (!wire) {
        fail(w, INTEGRATE_MISCONFIGURED, STR("The URI names no action of a service that is here"));
        return ERR_OK;
    }
    TRY(make_request(w->call->arena, &u, wire, ask, &http));
    bool own = !str_is_set(ask->role_arn) && !ask->who;
    const struct core_request req = {
        .http = &http,
        .service = wire->name,
        .who = str_is_set(ask->role_arn) ? NULL
               : ask->who                ? ask->who
                                         : &apigateway,
        .role_arn = ask->role_arn,
        .session_name = STR("BackplaneAssumeRoleSession"),
        .region = u.region,
        .source_arn = own ? ask->source_arn : STR_NONE,
        .source_account = own ? w->call->account : STR_NONE,
        .from = w->call,
        .output_max = SERVE_BODY_MAX,
    };
    return core_call(core, &req, on_done, w, &w->inner);
}
