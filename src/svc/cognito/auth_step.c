/* The steps that all ways of signing in share: challenges, locks, what follows the right password.
 *
 *   cognito_auth_next: NEW_PASSWORD_REQUIRED --> SOFTWARE_TOKEN_MFA or MFA_SETUP --> cognito_auth_done
 *
 * Source: Cognito developer guide, "Authentication flows", "Lockout behavior for failed sign-in attempts".
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/cognito_int.h"

enum {
    LOCK_AFTER = 5,       /* failures in a row */
    LOCK_MAX_S = 15 * 60, /* and what makes them forgotten */
    EVENT_MAX = 64 * 1024,
    PARAMS_MAX = 16,
    SESSION_MINUTES = 3,
};

/* --- answers ------------------------------------------------------------------------------------ */

enum err cognito_auth_param(struct cognito_auth *at, const char *name, struct str value)
{
    if (!at->params)
        at->params = ARENA_ARRAY(at->act.call->arena, struct tag, PARAMS_MAX);
    if (!at->params || !str_is_set(value))
        return ERR_NOMEM;
    if (at->n_params == PARAMS_MAX)
        return ERR_LIMIT;
    at->params[at->n_params++] = (struct tag){str_c(name), value};
    return ERR_OK;
}

enum err cognito_auth_challenge(struct cognito_auth *at, const char *name, struct str *ret_session)
{
    const struct cognito_client *client = at->act.client;
    struct call *call = at->act.call;
    int64_t minutes =
        client->set.has_auth_session_validity ? client->set.auth_session_validity : SESSION_MINUTES;
    struct cognito_session *s = &at->session;
    s->pool_id = at->act.pool->rec.id;
    s->client_id = client->set.client_id;
    s->user = at->user.name;
    s->sub = at->user.sub;
    s->epoch = at->user.epoch;
    s->challenge = str_c(name);
    s->issued_ms = call->txn->wall_ms;
    at->challenge = str_c(name);
    return cognito_session_put(call->txn, cognito_of(call), COGNITO_MARK_SESSION, s,
                               minutes * COGNITO_MINUTE_MS, ret_session);
}

/* --- locks -------------------------------------------------------------------------------------- */

enum err cognito_auth_locked(struct cognito_auth *at, const struct cognito_user *user)
{
    struct call *call = at->act.call;
    struct str kept;
    /* What this very call added to the count must not lock it out of its own answer. */
    enum err err = cognito_kept(call, "unlocked", &kept);
    if (err != ERR_NOT_FOUND)
        return err;
    uint64_t over = user->failures < LOCK_AFTER ? 0 : user->failures - LOCK_AFTER;
    int64_t lock_s = over > 9 ? LOCK_MAX_S : min_i64((int64_t)1 << over, LOCK_MAX_S);
    if (user->failures >= LOCK_AFTER && call->txn->wall_ms < user->failed_ms + lock_s * 1000)
        return COGNITO_REFUSED(call, "Password attempts exceeded");
    return cognito_keep(call, "unlocked", STR("y"));
}

enum err cognito_auth_failed(struct cognito_auth *at, const struct cognito_user *user)
{
    TRY(cognito_note(&at->act, user, COGNITO_NOTE_SIGN_IN, STR("")));
    return COGNITO_REFUSED(at->act.call, "Incorrect username or password.");
}

enum err cognito_auth_state(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    if (at->user.disabled)
        return COGNITO_REFUSED(call, "User is disabled.");
    if (at->user.status == COGNITO_UNCONFIRMED)
        return call_error(call, &cognito_err_user_not_confirmed_exception,
                          "User is not confirmed.");
    if (at->user.status == COGNITO_RESET_REQUIRED)
        return call_error(call, &cognito_err_password_reset_required_exception,
                          "Password reset required for the user");
    if (at->user.status == COGNITO_FORCE_CHANGE && at->user.password_until_ms &&
        at->user.password_until_ms <= call->txn->wall_ms)
        return COGNITO_REFUSED(call, "Temporary password has expired and must be reset by an "
                                     "administrator.");
    return ERR_OK;
}

/* --- what follows ------------------------------------------------------------------------------- */

/* What the user has, without what is said beside it. */
static struct str attributes_json(struct arena *a, const struct cognito_user *user)
{
    struct tag *v = ARENA_ARRAY(a, struct tag, user->n_attrs + 1);
    size_t n = 0;
    if (!v)
        return STR_NONE;
    for (size_t i = 0; i < user->n_attrs; i++)
        if (!str_eq_c(user->attrs[i].key, "sub"))
            v[n++] = user->attrs[i];
    return cognito_json_map(a, (struct tag_list){v, n});
}

/* "[\"userAttributes.name\"]" of the required ones that are missing. */
static struct str missing_json(struct arena *a, const struct cognito_pool *pool,
                               const struct cognito_user *user)
{
    struct buf b;
    struct json_out o;
    const struct cognito_schema_attributes_list_type *s = &pool->set.schema_attributes;
    buf_init_arena(&b, a, EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '[');
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].required &&
            !str_is_set(cognito_get((struct tag_list){user->attrs, user->n_attrs}, s->v[i].name)))
            json_str(&o, str_fmt(a, "userAttributes." STR_FMT, STR_ARG(s->v[i].name)));
    json_close(&o, ']');
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static enum err new_password(struct cognito_auth *at)
{
    struct arena *a = at->act.call->arena;
    TRY(cognito_auth_challenge(at, "NEW_PASSWORD_REQUIRED", &at->session_told));
    TRY(cognito_auth_param(at, "USER_ID_FOR_SRP", at->user.name));
    TRY(cognito_auth_param(at, "requiredAttributes", missing_json(a, at->act.pool, &at->user)));
    return cognito_auth_param(at, "userAttributes", attributes_json(a, &at->user));
}

enum err cognito_auth_next(struct cognito_auth *at)
{
    struct str mfa = at->act.pool->set.mfa_configuration;
    if (at->user.status == COGNITO_FORCE_CHANGE)
        return new_password(at);
    if (str_is_set(at->user.totp) &&
        (str_eq_c(mfa, "ON") || (str_eq_c(mfa, "OPTIONAL") && at->user.totp_on))) {
        TRY(cognito_auth_challenge(at, "SOFTWARE_TOKEN_MFA", &at->session_told));
        return cognito_auth_param(at, "USER_ID_FOR_SRP", at->user.name);
    }
    if (str_eq_c(mfa, "ON")) {
        TRY(cognito_auth_challenge(at, "MFA_SETUP", &at->session_told));
        TRY(cognito_auth_param(at, "USER_ID_FOR_SRP", at->user.name));
        return cognito_auth_param(at, "MFAS_CAN_SETUP", STR("[\"SOFTWARE_TOKEN_MFA\"]"));
    }
    return cognito_auth_done(at);
}

static enum err post_authentication(struct cognito_auth *at)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    if (!str_is_set(cognito_trigger_arn(at->act.pool, "PostAuthentication")))
        return ERR_OK;
    buf_init_arena(&b, at->act.call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, &at->user);
    json_kv_bool(&o, STR("newDeviceUsed"), false);
    cognito_event_end(&o, &at->act, "clientMetadata");
    TRY(buf_err(&b));
    return cognito_trigger(&at->act,
                           &(struct cognito_event){.trigger = "PostAuthentication",
                                                   .source = "PostAuthentication_Authentication",
                                                   .user = at->user.name,
                                                   .request = buf_str(&b),
                                                   .response = STR("{}")},
                           &said);
}

static enum err give_tokens(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct cognito_authentication_result_type *result =
        ARENA_NEW(call->arena, struct cognito_authentication_result_type);
    const bool new_password = str_eq_c(at->challenge_asked, "NEW_PASSWORD_REQUIRED");
    struct cognito_grant grant = {.source = new_password ? "TokenGeneration_NewPasswordChallenge"
                                                         : "TokenGeneration_Authentication",
                                  .refresh = true,
                                  .id = true};
    if (!result)
        return ERR_NOMEM;
    if (at->grant)
        grant = *at->grant;
    grant.act = &at->act;
    grant.user = &at->user;
    grant.auth_ms = call->txn->wall_ms;
    at->result = result;
    return cognito_tokens(&grant, result);
}

enum err cognito_auth_done(struct cognito_auth *at)
{
    TRY(post_authentication(at));
    if (!at->hosted || at->grant)
        TRY(give_tokens(at));
    if (at->user.failures == 0)
        return ERR_OK;
    at->user.failures = 0;
    return cognito_user_save(at->act.call, at->act.pool, &at->user, false);
}
