/* How signing in begins: by password, by refresh token; SRP and custom flows are in their files.
 *
 *   InitiateAuth --password, SRP, custom--> at->user known --> cognito_auth_next (auth_step.c)
 *   each challenge is a session (cognito_mark.c), which RespondToAuthChallenge takes (auth_answer.c)
 *
 * Source: Cognito developer guide, "Authentication flows", "Migrate user Lambda trigger".
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/cognito_int.h"

enum { EVENT_MAX = 64 * 1024 };

/* --- the trigger before it ------------------------------------------------------------------------- */

static enum err pre_authentication(struct cognito_auth *at, const struct cognito_user *user,
                                   struct str name)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    if (!str_is_set(cognito_trigger_arn(at->act.pool, "PreAuthentication")))
        return ERR_OK;
    buf_init_arena(&b, at->act.call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, user);
    if (!user)
        json_kv_bool(&o, STR("userNotFound"), true);
    cognito_event_end(&o, &at->act, "validationData");
    TRY(buf_err(&b));
    return cognito_trigger(&at->act,
                           &(struct cognito_event){.trigger = "PreAuthentication",
                                                   .source = "PreAuthentication_Authentication",
                                                   .user = name,
                                                   .request = buf_str(&b),
                                                   .response = STR("{}")},
                           &said);
}

/* --- a user that comes from elsewhere ----------------------------------------------------------- */

static enum err take_migrated(struct cognito_auth *at, const struct json *said, struct str username,
                              struct str password)
{
    struct call *call = at->act.call;
    const struct cognito_change change = {.pool = at->act.pool, .creates = true};
    struct cognito_user *user = &at->user;
    TRY(cognito_user_new(call, at->act.pool, username, user));
    JSON_EACH (json_get(said, STR("userAttributes")), it) {
        const struct tag attr = {it->key, it->text};
        if (it->kind != JSON_STRING || str_eq_c(it->key, "sub") || str_eq_c(it->key, "username") ||
            str_starts(it->key, STR("cognito:")))
            continue;
        TRY(cognito_attrs_set(call, &change, (struct tag_list){&attr, 1}, user));
    }
    struct str status = json_get_str(said, STR("finalUserStatus"));
    user->status = str_eq_c(status, "CONFIRMED") ? COGNITO_CONFIRMED : COGNITO_RESET_REQUIRED;
    TRY(cognito_password_set(call, at->act.pool, user, password));
    return cognito_user_save(call, at->act.pool, user, false);
}

/* ERR_NOT_FOUND: there is no such trigger, or it does not know the user. */
static enum err migrate(struct cognito_auth *at, struct str username, struct str password)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    if (!str_is_set(cognito_trigger_arn(at->act.pool, "UserMigration")))
        return ERR_NOT_FOUND;
    buf_init_arena(&b, at->act.call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("password"), password);
    cognito_event_end(&o, &at->act, "clientMetadata");
    TRY(buf_err(&b));
    enum err err = cognito_trigger(
        &at->act,
        &(struct cognito_event){.trigger = "UserMigration",
                                .source = "UserMigration_Authentication",
                                .user = username,
                                .request = buf_str(&b),
                                .response = STR("{\"userAttributes\":null,\"finalUserStatus\":null,"
                                                "\"messageAction\":null}")},
        &said);
    if (err == ERR_FAILED)
        call_error_clear(at->act.call);
    if (err == ERR_FAILED ||
        (err == ERR_OK && !json_get(json_get(said, STR("userAttributes")), STR("email")) &&
         !json_get(json_get(said, STR("userAttributes")), STR("username"))))
        return ERR_NOT_FOUND;
    TRY(err);
    return take_migrated(at, said, username, password);
}

/* --- by password -------------------------------------------------------------------------------- */

/* Nobody has that name: told as the client wants it told. */
static enum err nobody(struct cognito_auth *at, struct str username, struct str password)
{
    struct call *call = at->act.call;
    if (!cognito_hides_users(at->act.client))
        return call_error(call, &cognito_err_user_not_found_exception, "User does not exist.");
    TRY(pre_authentication(at, NULL, username));
    enum err err = cognito_password_verify(call, NULL, password);
    return err == ERR_DENIED ? COGNITO_REFUSED(call, "Incorrect username or password.") : err;
}

enum err cognito_auth_password(struct cognito_auth *at, struct str username, struct str password)
{
    struct call *call = at->act.call;
    enum err err = cognito_user_find(call->txn, at->act.pool, username, &at->user);
    if (err == ERR_NOT_FOUND) {
        err = migrate(at, username, password);
        if (err == ERR_NOT_FOUND)
            return nobody(at, username, password);
        TRY(err);
        return cognito_auth_state(at);
    }
    TRY(err);
    TRY(pre_authentication(at, &at->user, at->user.name));
    TRY(cognito_auth_locked(at, &at->user));
    err = cognito_password_verify(call, &at->user, password);
    if (err == ERR_DENIED)
        return cognito_auth_failed(at, &at->user);
    TRY(err);
    return cognito_auth_state(at);
}

static enum err begin_password(struct cognito_auth *at)
{
    struct str username = cognito_get(at->parameters, STR("USERNAME"));
    struct str password = cognito_get(at->parameters, STR("PASSWORD"));
    if (!str_is_set(username) || !str_is_set(password))
        return COGNITO_INVALID(at->act.call, "Missing required parameter %s",
                               str_is_set(username) ? "PASSWORD" : "USERNAME");
    TRY(cognito_secret_hash(at->act.call, at->act.client, username,
                            cognito_get(at->parameters, STR("SECRET_HASH"))));
    TRY(cognito_auth_password(at, username, password));
    return cognito_auth_next(at);
}

/* --- by refresh token --------------------------------------------------------------------------- */

static enum err begin_refresh(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct cognito_session s;
    struct cognito_authentication_result_type *result =
        ARENA_NEW(call->arena, struct cognito_authentication_result_type);
    struct str token = cognito_get(at->parameters, STR("REFRESH_TOKEN"));
    struct str hash = cognito_get(at->parameters, STR("SECRET_HASH"));
    if (!result)
        return ERR_NOMEM;
    if (!str_is_set(token))
        return COGNITO_INVALID(call, "Missing required parameter REFRESH_TOKEN");
    TRY(cognito_refresh_open(call, at->act.client, token, &s, &at->user));
    enum err err = cognito_secret_hash(call, at->act.client, at->user.name, hash);
    if (err == ERR_FAILED && str_is_set(hash)) {
        /* Clients know their user by the sub as well. */
        call_error_clear(call);
        err = cognito_secret_hash(call, at->act.client, at->user.sub, hash);
    }
    TRY(err);
    TRY(cognito_tokens(&(struct cognito_grant){.act = &at->act,
                                               .user = &at->user,
                                               .auth_ms = s.auth_ms,
                                               .origin = s.origin,
                                               .scope = s.scope,
                                               .source = "TokenGeneration_RefreshTokens",
                                               .id = true},
                       result));
    at->result = result;
    return ERR_OK;
}

/* --- which -------------------------------------------------------------------------------------- */

static const struct flow {
    const char *name;
    const char *allow, *old; /* one of them in the client's ExplicitAuthFlows */
    bool admin_only;
    enum err (*begin)(struct cognito_auth *at);
} flows[] = {
    {"USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH", false, begin_password},
    {"ADMIN_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH", true,
     begin_password},
    {"ADMIN_NO_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH", true,
     begin_password},
    {"USER_SRP_AUTH", "ALLOW_USER_SRP_AUTH", NULL, false, cognito_srp_begin},
    {"CUSTOM_AUTH", "ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY", false, cognito_custom_begin},
    {"REFRESH_TOKEN_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", NULL, false, begin_refresh},
    {"REFRESH_TOKEN", "ALLOW_REFRESH_TOKEN_AUTH", NULL, false, begin_refresh},
};

enum err cognito_auth_begin(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        const struct flow *f = &flows[i];
        if (!str_eq_c(at->flow, f->name))
            continue;
        if (f->admin_only && !at->admin)
            return COGNITO_INVALID(call, "Initiate Auth method not supported.");
        if (!cognito_flow_allowed(at->act.client, f->allow, f->old))
            return COGNITO_INVALID(call, STR_FMT " flow not enabled for this client",
                                   STR_ARG(at->flow));
        return f->begin(at);
    }
    return COGNITO_INVALID(call, "AuthFlow " STR_FMT " is not supported by Weir.",
                           STR_ARG(at->flow));
}
