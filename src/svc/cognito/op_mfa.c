/* AssociateSoftwareToken, VerifySoftwareToken, SetUserMFAPreference, AdminSetUserMFAPreference.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference; developer guide,
 * "TOTP software token MFA". */
#include "base/rng.h"
#include "svc/cognito/cognito_int.h"

/* Whose factor it is: by access token, or by the session of an MFA_SETUP challenge. */
struct holder {
    const struct cognito_pool *pool;
    struct cognito_user user;
    bool by_session;
    struct cognito_session session;
};

static enum err by_session(struct call *call, struct str name, struct holder *ret)
{
    /* The name of a session that stands for setting a factor up begins with its pool's id: nothing else in
     * the request names the pool. */
    size_t colon = str_find(name, ':');
    struct cognito *c = cognito_of(call);
    enum err err = colon == SIZE_MAX
                       ? ERR_NOT_FOUND
                       : cognito_pool_find(c, call->txn, str_sub(name, 0, colon), &ret->pool);
    if (err == ERR_OK)
        err = cognito_rate(call, ret->pool->rec.id);
    if (err == ERR_OK)
        err = cognito_session_take(call->txn, c, COGNITO_MARK_SESSION, ret->pool->rec.id, name,
                                   &ret->session);
    if (err == ERR_OK && !str_eq_c(ret->session.challenge, "MFA_SETUP"))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = cognito_user_find(call->txn, ret->pool, ret->session.user, &ret->user);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !str_eq(ret->user.sub, ret->session.sub)))
        return COGNITO_REFUSED(call, "Invalid session for the user, session is expired.");
    ret->by_session = true;
    return err;
}

static enum err holder_of(struct call *call, struct str token, struct str session,
                          struct holder *ret)
{
    struct cognito_bearer b;
    *ret = (struct holder){0};
    if (!str_is_set(token) == !str_is_set(session))
        return COGNITO_INVALID(call, "Either AccessToken or Session is required.");
    if (str_is_set(session))
        return by_session(call, session, ret);
    TRY(cognito_bearer(call, token, &b));
    ret->pool = b.pool;
    ret->user = b.user;
    return ERR_OK;
}

/* The session goes on under a new name. */
static enum err go_on(struct call *call, const struct holder *h, struct str *ret_session)
{
    *ret_session = STR_NONE;
    if (!h->by_session)
        return ERR_OK;
    return cognito_session_put(call->txn, cognito_of(call), COGNITO_MARK_SESSION, &h->session,
                               3 * COGNITO_MINUTE_MS, ret_session);
}

enum err cognito_associate_software_token(struct call *call,
                                          const struct cognito_associate_software_token_input *in,
                                          struct cognito_associate_software_token_output *out)
{
    struct holder h;
    uint8_t secret[TOTP_SECRET_BYTES];
    const struct str bytes = {(const char *)secret, sizeof(secret)};
    TRY(holder_of(call, in->access_token, in->session, &h));
    if (!h.pool->rec.software_token)
        return call_error(call, &cognito_err_software_token_mfa_not_found_exception,
                          "Software Token MFA has not been enabled by the userPool");
    rng_bytes(secret, sizeof(secret));
    out->secret_code = cognito_totp_base32(call->arena, bytes);
    if (!str_is_set(out->secret_code))
        return ERR_NOMEM;
    TRY(secret_close(call->core, call->arena, h.user.sub, bytes, &h.user.totp_new));
    TRY(go_on(call, &h, &out->session));
    return cognito_user_save(call, h.pool, &h.user, false);
}

enum err cognito_verify_software_token(struct call *call,
                                       const struct cognito_verify_software_token_input *in,
                                       struct cognito_verify_software_token_output *out)
{
    struct holder h;
    struct str secret;
    uint64_t step;
    TRY(holder_of(call, in->access_token, in->session, &h));
    if (!str_is_set(h.user.totp_new))
        return COGNITO_INVALID(call, "Software token is not associated.");
    TRY(secret_open(call->core, call->arena, h.user.sub, h.user.totp_new, &secret));
    if (!cognito_totp_verify(secret, in->user_code, call->txn->wall_ms, 0, &step))
        return call_error(call, &cognito_err_enable_software_token_mfa_exception,
                          "Code mismatch and fail enable Software Token MFA");
    h.user.totp = h.user.totp_new;
    h.user.totp_new = STR_NONE;
    h.user.totp_step = step;
    if (h.by_session)
        h.user.totp_on = h.user.totp_preferred = true;
    out->status = STR("SUCCESS");
    TRY(go_on(call, &h, &out->session));
    return cognito_user_save(call, h.pool, &h.user, false);
}

/* --- preferences -------------------------------------------------------------------------------- */

struct cognito_factors cognito_factors_of(const struct cognito_user *user)
{
    static const struct str totp = STR_INIT("SOFTWARE_TOKEN_MFA");
    struct cognito_factors f = {0};
    if (user->totp_on) {
        f.list.v = &totp;
        f.list.n = 1;
    }
    if (user->totp_preferred)
        f.preferred = totp;
    return f;
}

static enum err set_preference(struct call *call,
                               const struct cognito_software_token_mfa_settings_type *s,
                               struct cognito_user *user)
{
    if (!s)
        return ERR_OK;
    if (s->enabled && !str_is_set(user->totp))
        return COGNITO_INVALID(call, "User has not verified software token mfa");
    if (s->preferred_mfa && !s->enabled)
        return COGNITO_INVALID(call, "A factor that is not enabled cannot be preferred.");
    user->totp_on = s->enabled;
    user->totp_preferred = s->enabled && s->preferred_mfa;
    return ERR_OK;
}

#define REFUSE_OTHERS(call, in)                                                                    \
    do {                                                                                           \
        if (((in)->sms_mfa_settings && (in)->sms_mfa_settings->enabled) ||                         \
            ((in)->email_mfa_settings && (in)->email_mfa_settings->enabled) ||                     \
            (in)->web_authn_mfa_settings)                                                          \
            return COGNITO_INVALID(call, "Of MFA, Weir supports software tokens.");                \
    } while (0)

enum err cognito_set_user_mfa_preference(struct call *call,
                                         const struct cognito_set_user_mfa_preference_input *in,
                                         struct cognito_set_user_mfa_preference_output *out)
{
    struct cognito_bearer b;
    REFUSE_OTHERS(call, in);
    TRY(cognito_bearer(call, in->access_token, &b));
    TRY(set_preference(call, in->software_token_mfa_settings, &b.user));
    return cognito_user_save(call, b.pool, &b.user, false);
}

enum err
cognito_admin_set_user_mfa_preference(struct call *call,
                                      const struct cognito_admin_set_user_mfa_preference_input *in,
                                      struct cognito_admin_set_user_mfa_preference_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_user user;
    REFUSE_OTHERS(call, in);
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_user_need(call, pool, in->username, &user));
    TRY(set_preference(call, in->software_token_mfa_settings, &user));
    return cognito_user_save(call, pool, &user, false);
}
