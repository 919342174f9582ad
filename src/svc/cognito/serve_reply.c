/* What the pages of a pool's domain share: reading what was asked, and replying.
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/serve.h"

enum { SCOPES_BYTES_MAX = 64 * 1024 }; /* 50 of 256 are all that a client may have */

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

/* --- scopes ------------------------------------------------------------------------------------- */

enum err cognito_serve_scopes(const struct cognito_serve *s, const struct cognito_client *client,
                              struct str *scopes)
{
    struct buf b;
    if (!str_empty(*scopes))
        return ERR_OK;
    buf_init_arena(&b, s->call->arena, SCOPES_BYTES_MAX);
    for (size_t i = 0; i < client->set.allowed_o_auth_scopes.n; i++)
        buf_add_fmt(&b, "%s" STR_FMT, i ? " " : "",
                    STR_ARG(client->set.allowed_o_auth_scopes.v[i]));
    *scopes = buf_str(&b);
    return buf_err(&b);
}

bool cognito_serve_scopes_allowed(struct str scopes, const struct cognito_client *client)
{
    while (str_is_set(scopes)) {
        struct str scope = str_cut(&scopes, ' ');
        if (scope.len && !COGNITO_HAS(client->set.allowed_o_auth_scopes, scope))
            return false;
    }
    return true;
}
