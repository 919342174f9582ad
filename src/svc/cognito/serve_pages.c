/* The pages of a pool's domain, at PREFIX.auth.REGION.amazoncognito.com and PREFIX.auth.localhost.
 * Source: Cognito developer guide, "User pool endpoints and managed login reference".
 * Layer: svc/cognito. Thread: the call's. */
#include "base/host.h"
#include "svc/cognito/serve.h"

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
