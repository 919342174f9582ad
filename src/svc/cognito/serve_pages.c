/* The pages of a pool's domain, at PREFIX.auth.REGION.amazoncognito.com and PREFIX.auth.localhost.
 * Source: Cognito developer guide, "User pool endpoints and managed login reference".
 * Layer: svc/cognito. Thread: the call's. */
#include "base/host.h"
#include "svc/cognito/serve.h"

/* --- what was asked ----------------------------------------------------------------------------- */

struct str cognito_serve_query(const struct cognito_serve *s, const char *name)
{
    return percent_get(s->query, s->n_query, str_c(name));
}

struct str cognito_serve_form(const struct cognito_serve *s, const char *name)
{
    return percent_get(s->form, s->n_form, str_c(name));
}

enum err cognito_serve_client(const struct cognito_serve *s, struct str id,
                              const struct cognito_client **ret)
{
    void *object;
    if (!str_is_set(id))
        return ERR_NOT_FOUND;
    TRY(catalogue_get(cognito_of(s->call)->clients, s->call->txn,
                      key_make(s->call->arena, &cognito_k_client, s->pool->rec.id, id), &object));
    *ret = object;
    return ERR_OK;
}

/* --- replies ------------------------------------------------------------------------------------ */

static enum err reply(const struct cognito_serve *s, int status, struct str type, struct str body)
{
    call_reply_status(s->call, status);
    TRY(call_reply_header(s->call, STR("Cache-Control"), STR("no-store")));
    call_reply_raw(s->call, type, body);
    return ERR_OK;
}

enum err cognito_serve_redirect(const struct cognito_serve *s, struct str url)
{
    if (!str_is_set(url))
        return ERR_NOMEM;
    TRY(call_reply_header(s->call, STR("Location"), url));
    return reply(s, SERVE_FOUND, STR("text/plain"), STR(""));
}

enum err cognito_serve_json(const struct cognito_serve *s, int status, struct str body)
{
    /* What applications in browsers ask for from their own origin: a token is the proof, not a cookie. */
    TRY(call_reply_header(s->call, STR("Access-Control-Allow-Origin"), STR("*")));
    return reply(s, status, STR("application/json"), body);
}

enum err cognito_serve_error(const struct cognito_serve *s, const char *error)
{
    const bool client = str_eq_c(str_c(error), "invalid_client");
    struct str body = str_fmt(s->call->arena, "{\"error\":\"%s\"}", error);
    return str_is_set(body) ? cognito_serve_json(s, client ? SERVE_DENIED : SERVE_BAD, body)
                            : ERR_NOMEM;
}

enum err cognito_serve_html(const struct cognito_serve *s, int status, struct str body)
{
    struct call *call = s->call;
    TRY(call_reply_header(call, STR("Content-Security-Policy"),
                          STR("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors "
                              "'none'")));
    TRY(call_reply_header(call, STR("Referrer-Policy"), STR("no-referrer")));
    TRY(call_reply_header(call, STR("X-Content-Type-Options"), STR("nosniff")));
    return reply(s, status, STR("text/html; charset=utf-8"), body);
}

/* --- which -------------------------------------------------------------------------------------- */

static const struct hosted_page {
    const char *path;
    bool get, post;
    enum err (*serve)(const struct cognito_serve *s);
} pages[] = {
    {"/oauth2/authorize", true, false, cognito_serve_authorize},
    {"/login", true, true, cognito_serve_login},
    {"/logout", true, false, cognito_serve_logout},
    {"/oauth2/token", false, true, cognito_serve_token},
    {"/oauth2/revoke", false, true, cognito_serve_revoke},
    {"/oauth2/userInfo", true, true, cognito_serve_user_info},
};

static struct str prefix_of(const struct wire_request *head)
{
    struct str host = host_bare(wire_header_get(head, STR("host")));
    return str_cut(&host, '.');
}

static bool match(void *self, const struct wire_request *head)
{
    struct str host = host_bare(wire_header_get(head, STR("host")));
    return str_ends(host, STR(".amazoncognito.com")) || str_ends(host, STR(".auth.localhost"));
}

static enum err find_pool(struct call *call, const struct cognito_pool **ret)
{
    struct str id, prefix = str_lower(call->arena, prefix_of(call->request));
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    TRY(txn_get(call->txn, key_make(call->arena, &cognito_k_domain, prefix), &id));
    return cognito_pool_find(cognito_of(call), call->txn, id, ret);
}

static enum err preflight(const struct cognito_serve *s)
{
    TRY(call_reply_header(s->call, STR("Access-Control-Allow-Methods"), STR("GET, POST")));
    TRY(call_reply_header(s->call, STR("Access-Control-Allow-Headers"),
                          STR("authorization, content-type")));
    return cognito_serve_json(s, SERVE_OK, STR(""));
}

/* ERR_INVALID: malformed. */
static enum err parse(struct cognito_serve *s)
{
    struct percent_pair *pairs;
    const struct wire_request *r = s->call->request;
    if (str_is_set(r->query)) {
        TRY(percent_parse_query(s->call->arena, r->query, true, &pairs, &s->n_query));
        s->query = pairs;
    }
    if (str_eq_c(r->method, "POST") && str_is_set(r->body)) {
        TRY(percent_parse_query(s->call->arena, r->body, true, &pairs, &s->n_form));
        s->form = pairs;
    }
    return ERR_OK;
}

static enum err serve(struct call *call, const void *in, void *out)
{
    struct cognito_serve s = {.call = call};
    const struct wire_request *r = call->request;
    enum err err = find_pool(call, &s.pool);
    if (err == ERR_NOT_FOUND)
        return cognito_serve_html(&s, SERVE_ABSENT,
                                  STR("<!doctype html><title>Not found</title>"
                                      "<p>There is no such domain.</p>"));
    TRY(err);
    TRY(cognito_rate(call, s.pool->rec.id));
    err = parse(&s);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return cognito_serve_error(&s, "invalid_request");
    TRY(err);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!str_eq_c(r->path, pages[i].path))
            continue;
        if (str_eq_c(r->method, "OPTIONS"))
            return preflight(&s);
        if ((str_eq_c(r->method, "GET") && pages[i].get) ||
            (str_eq_c(r->method, "POST") && pages[i].post))
            return pages[i].serve(&s);
        return cognito_serve_error(&s, "invalid_request");
    }
    return cognito_serve_html(&s, SERVE_ABSENT,
                              STR("<!doctype html><title>Not found</title>"
                                  "<p>There is no such page.</p>"));
}

static const struct wire_op pages_op = {
    .name = STR_INIT("Hosted"),
    .service = &cognito_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve,
};

enum err cognito_pages_register(struct cognito *c)
{
    c->pages_claim =
        (struct core_claim){.host_kind = STR("auth"), .match = match, .op = &pages_op, .self = c};
    return core_claim(c->core, &c->pages_claim);
}
