/* What applications ask for: /oauth2/token, /oauth2/revoke, /oauth2/userInfo.
 *
 * Source: RFC 6749 sections 2.3.1, 4.1.3, 4.4, 5 and 6; RFC 7636 section 4.6; RFC 7009; OpenID Connect Core
 * 1.0 section 5.3.
 * Layer: svc/cognito. Thread: the call's. */
#include "codec/base64.h"
#include "svc/cognito/serve.h"

enum { BODY_MAX = 64 * 1024, CREDENTIALS_MAX = 1024 };

/* --- the application ---------------------------------------------------------------------------- */

/* "Basic base64(id:secret)", or both in the form. ERR_DENIED: of no client, or not its secret. */
static enum err authenticate(const struct cognito_serve *s, const struct cognito_client **ret)
{
    struct str header = wire_header_get(s->call->request, STR("authorization"));
    struct str id = cognito_serve_form(s, "client_id"),
               given = cognito_serve_form(s, "client_secret");
    struct str secret, pair;
    if (str_starts(header, STR("Basic "))) {
        enum err err =
            base64_decode(s->call->arena, str_trim(str_sub(header, 6, CREDENTIALS_MAX)), &pair);
        if (err)
            return err == ERR_NOMEM ? err : ERR_DENIED;
        given = pair;
        id = str_cut(&given, ':');
    }
    enum err err = cognito_serve_client(s, id, ret);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DENIED : err;
    TRY(cognito_client_secret(s->call->txn, *ret, &secret));
    if (!str_is_set(secret))
        return str_empty(given) ? ERR_OK : ERR_DENIED;
    return str_is_set(given) && str_eq_consttime(secret, given) ? ERR_OK : ERR_DENIED;
}

/* --- /oauth2/token ------------------------------------------------------------------------------ */

static enum err give(const struct cognito_serve *s, const struct cognito_grant *g)
{
    struct buf b;
    struct json_out o;
    struct cognito_authentication_result_type result;
    TRY(cognito_tokens(g, &result));
    buf_init_arena(&b, s->call->arena, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("id_token"), result.id_token);
    json_kv_str(&o, STR("access_token"), result.access_token);
    json_kv_str(&o, STR("refresh_token"), result.refresh_token);
    json_kv_i64(&o, STR("expires_in"), result.expires_in);
    json_kv_str(&o, STR("token_type"), result.token_type);
    json_close(&o, '}');
    TRY(buf_err(&b));
    return cognito_serve_json(s, SERVE_OK, buf_str(&b));
}

/* RFC 7636: the application that asked for the code has what it hashed. */
static bool pkce_fits(struct arena *a, const struct cognito_session *code, struct str verifier)
{
    uint8_t digest[HASH_SHA256_LEN];
    if (!str_is_set(code->pkce))
        return !str_is_set(verifier);
    if (!str_is_set(verifier))
        return false;
    hash_once(HASH_SHA256, verifier.p, verifier.len, digest);
    return str_eq(base64url_encode(a, digest, sizeof(digest)), code->pkce);
}

static enum err by_code(const struct cognito_serve *s, const struct cognito_act *act)
{
    struct cognito_session code;
    struct cognito_user user;
    struct str name = cognito_serve_form(s, "code");
    struct str redirect = cognito_serve_form(s, "redirect_uri");
    if (!str_is_set(name))
        return cognito_serve_error(s, "invalid_request");
    enum err err = cognito_session_take(s->call->txn, cognito_of(s->call), COGNITO_MARK_CODE,
                                        s->pool->rec.id, name, &code);
    if (err == ERR_OK &&
        (!str_eq(code.client_id, act->client->set.client_id) || !str_eq(code.redirect, redirect) ||
         !pkce_fits(s->call->arena, &code, cognito_serve_form(s, "code_verifier"))))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = cognito_user_find(s->call->txn, s->pool, code.user, &user);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && (!str_eq(user.sub, code.sub) || user.disabled ||
                                                   user.epoch != code.epoch)))
        return cognito_serve_error(s, "invalid_grant");
    TRY(err);
    return give(s, &(struct cognito_grant){.act = act,
                                           .user = &user,
                                           .auth_ms = code.auth_ms,
                                           .scope = code.scope,
                                           .nonce = code.nonce,
                                           .source = "TokenGeneration_HostedAuth",
                                           .refresh = true,
                                           .id = cognito_has_scope(code.scope, "openid")});
}

static enum err by_refresh(const struct cognito_serve *s, const struct cognito_act *act)
{
    struct cognito_session token;
    struct cognito_user user;
    enum err err = cognito_refresh_open(s->call, act->client,
                                        cognito_serve_form(s, "refresh_token"), &token, &user);
    if (err == ERR_FAILED) {
        call_error_clear(s->call);
        return cognito_serve_error(s, "invalid_grant");
    }
    TRY(err);
    return give(s, &(struct cognito_grant){.act = act,
                                           .user = &user,
                                           .auth_ms = token.auth_ms,
                                           .origin = token.origin,
                                           .scope = token.scope,
                                           .source = "TokenGeneration_RefreshTokens",
                                           .id = !str_is_set(token.scope) ||
                                                 cognito_has_scope(token.scope, "openid")});
}

static enum err by_secret(const struct cognito_serve *s, const struct cognito_act *act)
{
    struct str scope = cognito_serve_form(s, "scope");
    if (!COGNITO_HAS(act->client->set.allowed_o_auth_flows, STR("client_credentials")))
        return cognito_serve_error(s, "unauthorized_client");
    TRY(cognito_serve_scopes(s, act->client, &scope));
    if (!cognito_serve_scopes_allowed(scope, act->client))
        return cognito_serve_error(s, "invalid_scope");
    return give(
        s, &(struct cognito_grant){.act = act, .auth_ms = s->call->txn->wall_ms, .scope = scope});
}

enum err cognito_serve_token(const struct cognito_serve *s)
{
    static const struct {
        const char *name;
        enum err (*grant)(const struct cognito_serve *s, const struct cognito_act *act);
    } grants[] = {{"authorization_code", by_code},
                  {"refresh_token", by_refresh},
                  {"client_credentials", by_secret}};
    struct cognito_act act = {.call = s->call, .pool = s->pool};
    enum err err = authenticate(s, &act.client);
    if (err == ERR_DENIED)
        return cognito_serve_error(s, "invalid_client");
    TRY(err);
    for (size_t i = 0; i < ARRAY_LEN(grants); i++)
        if (str_eq_c(cognito_serve_form(s, "grant_type"), grants[i].name))
            return grants[i].grant(s, &act);
    return cognito_serve_error(s, "unsupported_grant_type");
}

/* --- /oauth2/revoke ----------------------------------------------------------------------------- */

enum err cognito_serve_revoke(const struct cognito_serve *s)
{
    const struct cognito_client *client;
    struct cognito_session token;
    enum err err = authenticate(s, &client);
    if (err == ERR_DENIED)
        return cognito_serve_error(s, "invalid_client");
    TRY(err);
    err = cognito_refresh_read(s->call->txn, cognito_serve_form(s, "token"), &token);
    if (err == ERR_OK && !str_eq(token.client_id, client->set.client_id))
        return cognito_serve_error(s, "invalid_request");
    if (err == ERR_OK)
        err = cognito_revoke(s->call->txn, cognito_of(s->call), token.pool_id, token.origin,
                             cognito_validity_ms(client, COGNITO_REFRESH));
    return err == ERR_OK || err == ERR_INVALID ? cognito_serve_json(s, SERVE_OK, STR("")) : err;
}

/* --- /oauth2/userInfo --------------------------------------------------------------------------- */

enum err cognito_serve_user_info(const struct cognito_serve *s)
{
    struct buf b;
    struct json_out o;
    struct cognito_bearer bearer;
    struct str header = wire_header_get(s->call->request, STR("authorization"));
    enum err err = str_starts(header, STR("Bearer "))
                       ? cognito_bearer(s->call, str_sub(header, 7, SIZE_MAX), &bearer)
                       : COGNITO_REFUSED(s->call, "No token");
    if (err == ERR_OK && (!str_eq(bearer.pool->rec.id, s->pool->rec.id) ||
                          !cognito_has_scope(bearer.scope, "openid")))
        err = COGNITO_REFUSED(s->call, "Not of this pool");
    if (err == ERR_FAILED) {
        call_error_clear(s->call);
        TRY(call_reply_header(s->call, STR("WWW-Authenticate"),
                              STR("Bearer error=\"invalid_token\"")));
        return cognito_serve_json(s, SERVE_DENIED, STR("{\"error\":\"invalid_token\"}"));
    }
    TRY(err);
    buf_init_arena(&b, s->call->arena, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (size_t i = 0; i < bearer.user.n_attrs; i++)
        if (str_eq_c(bearer.user.attrs[i].key, "sub") ||
            bearer.client->set.read_attributes.n == 0 ||
            COGNITO_HAS(bearer.client->set.read_attributes, bearer.user.attrs[i].key))
            json_kv_str(&o, bearer.user.attrs[i].key, bearer.user.attrs[i].value);
    json_kv_str(&o, STR("username"), bearer.user.name);
    json_close(&o, '}');
    TRY(buf_err(&b));
    return cognito_serve_json(s, SERVE_OK, buf_str(&b));
}
