/* What answers a challenge: NEW_PASSWORD_REQUIRED, SOFTWARE_TOKEN_MFA, MFA_SETUP; those of SRP and custom
 * flows are in their files.
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/cognito_int.h"

static enum err missing(struct cognito_auth *at, const char *name)
{
    return COGNITO_INVALID(at->act.call, "Missing required parameter %s", name);
}

/* The session that an answer belongs to, and its user as it is now. */
static enum err open_session(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct cognito_session *s = &at->session;
    if (!str_is_set(at->session_asked))
        return missing(at, "Session");
    enum err err = cognito_session_take(call->txn, cognito_of(call), COGNITO_MARK_SESSION,
                                        at->act.pool->rec.id, at->session_asked, s);
    if (err == ERR_OK && !str_eq(s->client_id, at->act.client->set.client_id))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = cognito_user_find(call->txn, at->act.pool, s->user, &at->user);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !str_eq(at->user.sub, s->sub)))
        return COGNITO_REFUSED(call, "Invalid session for the user, session is expired.");
    TRY(err);
    if (!str_eq(s->challenge, at->challenge_asked))
        return COGNITO_INVALID(call, "Challenge name does not match the session's.");
    return cognito_auth_state(at);
}

/* --- NEW_PASSWORD_REQUIRED ---------------------------------------------------------------------- */

static enum err take_attributes(struct cognito_auth *at)
{
    static const struct str prefix = STR_INIT("userAttributes.");
    const struct cognito_change change = {
        .pool = at->act.pool, .client = at->act.client, .writer = COGNITO_BY_USER};
    for (size_t i = 0; i < at->parameters.n; i++) {
        const struct tag *p = &at->parameters.v[i];
        if (!str_starts(p->key, prefix))
            continue;
        const struct tag attr = {str_sub(p->key, prefix.len, SIZE_MAX), p->value};
        TRY(cognito_attrs_set(at->act.call, &change, (struct tag_list){&attr, 1}, &at->user));
    }
    return ERR_OK;
}

static enum err answer_new_password(struct cognito_auth *at)
{
    struct str password = cognito_get(at->parameters, STR("NEW_PASSWORD"));
    if (!str_is_set(password))
        return missing(at, "NEW_PASSWORD");
    TRY(cognito_password_check(at->act.call, at->act.pool, password));
    TRY(take_attributes(at));
    TRY(cognito_password_set(at->act.call, at->act.pool, &at->user, password));
    at->user.status = COGNITO_CONFIRMED;
    TRY(cognito_auth_next(at));
    return cognito_user_save(at->act.call, at->act.pool, &at->user, false);
}

/* --- SOFTWARE_TOKEN_MFA ------------------------------------------------------------------------- */

static enum err answer_totp(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct str code = cognito_get(at->parameters, STR("SOFTWARE_TOKEN_MFA_CODE"));
    struct str secret;
    uint64_t step;
    if (!str_is_set(code))
        return missing(at, "SOFTWARE_TOKEN_MFA_CODE");
    if (!str_is_set(at->user.totp))
        return call_error(call, &cognito_err_software_token_mfa_not_found_exception,
                          "No software token MFA is set up for the user.");
    TRY(cognito_auth_locked(at, &at->user));
    TRY(secret_open(call->core, call->arena, at->user.sub, at->user.totp, &secret));
    if (!cognito_totp_verify(secret, code, call->txn->wall_ms, at->user.totp_step, &step)) {
        TRY(cognito_note(&at->act, &at->user, COGNITO_NOTE_SIGN_IN, STR("")));
        return call_error(call, &cognito_err_code_mismatch_exception,
                          "Invalid code received for user");
    }
    at->user.totp_step = step;
    TRY(cognito_auth_done(at));
    return cognito_user_save(call, at->act.pool, &at->user, false);
}

/* --- MFA_SETUP: the session is that of a VerifySoftwareToken that succeeded ---------------------- */

static enum err answer_setup(struct cognito_auth *at)
{
    if (!str_is_set(at->user.totp))
        return call_error(at->act.call, &cognito_err_software_token_mfa_not_found_exception,
                          "Software token MFA is not set up: verify one first.");
    return cognito_auth_done(at);
}

/* --- which -------------------------------------------------------------------------------------- */

static const struct answer {
    const char *name;
    enum err (*answer)(struct cognito_auth *at);
} answers[] = {
    {"NEW_PASSWORD_REQUIRED", answer_new_password},
    {"SOFTWARE_TOKEN_MFA", answer_totp},
    {"MFA_SETUP", answer_setup},
    {"CUSTOM_CHALLENGE", cognito_custom_answer},
};

enum err cognito_auth_answer(struct cognito_auth *at)
{
    struct str username = cognito_get(at->parameters, STR("USERNAME"));
    if (!str_is_set(username))
        return missing(at, "USERNAME");
    TRY(cognito_secret_hash(at->act.call, at->act.client, username,
                            cognito_get(at->parameters, STR("SECRET_HASH"))));
    if (str_eq_c(at->challenge_asked, "PASSWORD_VERIFIER")) {
        TRY(cognito_srp_answer(at));
        return at->session.custom ? cognito_custom_next(at, "PASSWORD_VERIFIER", true, STR_NONE)
                                  : cognito_auth_next(at);
    }
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (str_eq_c(at->challenge_asked, answers[i].name)) {
            TRY(open_session(at));
            return answers[i].answer(at);
        }
    return COGNITO_INVALID(at->act.call, "ChallengeName " STR_FMT " is not supported by Weir.",
                           STR_ARG(at->challenge_asked));
}
