/* Who is signed on at a pool's domain: a cookie names a session that is kept for an hour, so that further
 * authorizations ask for no password.
 *
 *   POST /login, right --begin--> signed on --an hour, GlobalSignOut, GET /logout--> not
 *                                    |  ^
 *     GET /oauth2/authorize: a code -+--+
 *
 * The cookie is the host's, so that of one domain alone; scripts do not see it, and other sites' forms do not
 * send it.
 *
 * Source: Cognito developer guide, "Managed login reference" (the session cookie of an hour, prompt).
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/serve.h"

enum { SIGNED_ON_MIN = 60 };
#define COOKIE "cognito"

struct str cognito_serve_cookie(const struct cognito_serve *s, const char *name)
{
    struct str rest = wire_header_get(s->call->request, STR("cookie"));
    while (str_is_set(rest)) {
        struct str value = str_trim(str_cut(&rest, ';'));
        if (str_eq_c(str_cut(&value, '='), name))
            return value;
    }
    return STR_NONE;
}

static enum err set_cookie(const struct cognito_serve *s, struct str value, int64_t for_s)
{
    struct str cookie =
        str_fmt(s->call->arena,
                COOKIE "=" STR_FMT "; Path=/; Max-Age=%lld; HttpOnly; "
                       "SameSite=Lax%s",
                STR_ARG(value), (long long)for_s, s->call->request->tls ? "; Secure" : "");
    return str_is_set(cookie) ? call_reply_header(s->call, STR("Set-Cookie"), cookie) : ERR_NOMEM;
}

enum err cognito_sign_on_begin(const struct cognito_serve *s, const struct cognito_user *user)
{
    struct str name;
    const struct cognito_session session = {
        .pool_id = s->pool->rec.id,
        .user = user->name,
        .sub = user->sub,
        .epoch = user->epoch,
        .issued_ms = s->call->txn->wall_ms,
        .auth_ms = s->call->txn->wall_ms,
    };
    TRY(cognito_session_put(s->call->txn, cognito_of(s->call), COGNITO_MARK_SIGNED_ON, &session,
                            SIGNED_ON_MIN * COGNITO_MINUTE_MS, &name));
    return set_cookie(s, name, SIGNED_ON_MIN * 60);
}

enum err cognito_sign_on_read(const struct cognito_serve *s, struct cognito_user *ret_user,
                              int64_t *ret_auth_ms)
{
    struct cognito_session session;
    struct str name = cognito_serve_cookie(s, COOKIE);
    if (str_empty(name))
        return ERR_NOT_FOUND;
    TRY(cognito_session_read(s->call->txn, cognito_of(s->call), COGNITO_MARK_SIGNED_ON,
                             s->pool->rec.id, name, &session));
    TRY(cognito_user_find(s->call->txn, s->pool, session.user, ret_user));
    *ret_auth_ms = session.auth_ms;
    bool same = str_eq(ret_user->sub, session.sub) && ret_user->epoch == session.epoch;
    return same && !ret_user->disabled ? ERR_OK : ERR_NOT_FOUND;
}

enum err cognito_sign_on_end(const struct cognito_serve *s)
{
    struct cognito_session session;
    struct str name = cognito_serve_cookie(s, COOKIE);
    if (str_empty(name))
        return ERR_OK;
    enum err err = cognito_session_take(s->call->txn, cognito_of(s->call), COGNITO_MARK_SIGNED_ON,
                                        s->pool->rec.id, name, &session);
    if (err && err != ERR_NOT_FOUND)
        return err;
    return set_cookie(s, STR(""), 0);
}
