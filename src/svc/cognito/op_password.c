/* ForgotPassword, ConfirmForgotPassword, ChangePassword, AdminSetUserPassword, AdminResetUserPassword.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

static enum err send_reset(const struct cognito_act *act, struct cognito_user *user,
                           const char *source, struct cognito_code_delivery_details_type *ret)
{
    struct cognito_sending s = {.purpose = "password", .source = source};
    enum err err = cognito_recovery(act->pool, user, &s.attribute, &s.address);
    if (err == ERR_NOT_FOUND)
        return COGNITO_INVALID(act->call, "Cannot reset password for the user as there is no "
                                          "registered/verified email or phone_number");
    TRY(err);
    return cognito_code_send(act, user, &s, ret);
}

enum err cognito_forgot_password(struct call *call, const struct cognito_forgot_password_input *in,
                                 struct cognito_forgot_password_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    struct cognito_code_delivery_details_type *d =
        ARENA_NEW(call->arena, struct cognito_code_delivery_details_type);
    if (!d)
        return ERR_NOMEM;
    out->code_delivery_details = d;
    enum err err = cognito_claimed_user(
        &act, COGNITO_CLAIMED(in, "Username/client id combination not found."), &user);
    if (err == ERR_NOT_FOUND)
        return cognito_code_pretend(call, in->username, d);
    TRY(err);
    if (user.disabled)
        return COGNITO_REFUSED(call, "User is disabled.");
    if (user.status == COGNITO_FORCE_CHANGE)
        return COGNITO_REFUSED(call, "User password cannot be reset in the current state.");
    TRY(send_reset(&act, &user, "CustomMessage_ForgotPassword", d));
    return cognito_user_save(call, act.pool, &user, false);
}

enum err cognito_confirm_forgot_password(struct call *call,
                                         const struct cognito_confirm_forgot_password_input *in,
                                         struct cognito_confirm_forgot_password_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    enum err err = cognito_claimed_user(
        &act, COGNITO_CLAIMED(in, "Username/client id combination not found."), &user);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_expired_code_exception,
                          "Invalid code provided, please request a code again.");
    TRY(err);
    TRY(cognito_password_check(call, act.pool, in->password));
    TRY(cognito_code_take(&act, &user, "password", in->confirmation_code, NULL));
    TRY(cognito_password_set(call, act.pool, &user, in->password));
    user.status = COGNITO_CONFIRMED;
    return cognito_user_save(call, act.pool, &user, false);
}

enum err cognito_change_password(struct call *call, const struct cognito_change_password_input *in,
                                 struct cognito_change_password_output *out)
{
    struct cognito_bearer b;
    TRY(cognito_bearer(call, in->access_token, &b));
    struct cognito_auth at = {.act = {.call = call, .pool = b.pool, .client = b.client}};
    TRY(cognito_password_check(call, b.pool, in->proposed_password));
    TRY(cognito_auth_locked(&at, &b.user));
    enum err err = cognito_password_verify(
        call, &b.user, str_is_set(in->previous_password) ? in->previous_password : STR(""));
    if (err == ERR_DENIED)
        return cognito_auth_failed(&at, &b.user);
    TRY(err);
    TRY(cognito_password_set(call, b.pool, &b.user, in->proposed_password));
    return cognito_user_save(call, b.pool, &b.user, false);
}

enum err cognito_admin_set_user_password(struct call *call,
                                         const struct cognito_admin_set_user_password_input *in,
                                         struct cognito_admin_set_user_password_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_user user;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_user_need(call, pool, in->username, &user));
    TRY(cognito_password_check(call, pool, in->password));
    TRY(cognito_password_set(call, pool, &user, in->password));
    user.status = in->permanent ? COGNITO_CONFIRMED : COGNITO_FORCE_CHANGE;
    if (!in->permanent)
        user.password_until_ms =
            call->txn->wall_ms +
            pool->set.policies->password_policy->temporary_password_validity_days * COGNITO_DAY_MS;
    return cognito_user_save(call, pool, &user, false);
}

enum err cognito_admin_reset_user_password(struct call *call,
                                           const struct cognito_admin_reset_user_password_input *in,
                                           struct cognito_admin_reset_user_password_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    TRY(cognito_pool_need(call, in->user_pool_id, &act.pool));
    TRY(cognito_user_need(call, act.pool, in->username, &user));
    if (user.status == COGNITO_UNCONFIRMED || user.status == COGNITO_FORCE_CHANGE)
        return COGNITO_REFUSED(call, "User password cannot be reset in the current state.");
    TRY(send_reset(&act, &user, "CustomMessage_ForgotPassword", NULL));
    user.status = COGNITO_RESET_REQUIRED;
    return cognito_user_save(call, act.pool, &user, false);
}
