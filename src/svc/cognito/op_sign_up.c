/* SignUp, ConfirmSignUp, ResendConfirmationCode, AdminConfirmSignUp.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference; developer guide,
 * "Signing up and confirming user accounts", "Pre sign-up Lambda trigger". */
#include "svc/cognito/cognito_int.h"

enum { EVENT_MAX = 64 * 1024 };

/* --- triggers ----------------------------------------------------------------------------------- */

static bool is_true(const struct json *said, const char *name)
{
    const struct json *v = json_get(said, str_c(name));
    return v && v->kind == JSON_BOOL && v->b;
}

/* The attributes as the new user gave them: without what the pool adds. */
static enum err put_given(struct json_out *o, struct arena *a, const struct cognito_user *user)
{
    struct tag *v = ARENA_ARRAY(a, struct tag, user->n_attrs + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < user->n_attrs; i++) {
        const bool unverified = str_ends(user->attrs[i].key, STR("_verified")) &&
                                str_eq_c(user->attrs[i].value, "false");
        if (!str_eq_c(user->attrs[i].key, "sub") && !unverified)
            v[n++] = user->attrs[i];
    }
    json_open(o, '{');
    json_key(o, STR("userAttributes"));
    cognito_put_map(o, (struct tag_list){v, n});
    return ERR_OK;
}

enum err cognito_pre_sign_up(const struct cognito_act *act, const struct cognito_user *user,
                             struct str username, struct tag_list validation,
                             struct cognito_wishes *ret)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    buf_init_arena(&b, act->call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    TRY(put_given(&o, act->call->arena, user));
    json_key(&o, STR("validationData"));
    if (validation.n)
        cognito_put_map(&o, validation);
    else
        json_null(&o);
    cognito_event_end(&o, act, "clientMetadata");
    TRY(buf_err(&b));
    TRY(cognito_trigger(
        act,
        &(struct cognito_event){
            .trigger = "PreSignUp",
            .source = act->client ? "PreSignUp_SignUp" : "PreSignUp_AdminCreateUser",
            .user = username,
            .request = buf_str(&b),
            .response = STR("{\"autoConfirmUser\":false,\"autoVerifyEmail\":false,"
                            "\"autoVerifyPhone\":false}")},
        &said));
    *ret =
        (struct cognito_wishes){is_true(said, "autoConfirmUser"), is_true(said, "autoVerifyEmail"),
                                is_true(said, "autoVerifyPhone")};
    return ERR_OK;
}

static enum err post_confirmation(const struct cognito_act *act, const struct cognito_user *user)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    buf_init_arena(&b, act->call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, user);
    cognito_event_end(&o, act, "clientMetadata");
    TRY(buf_err(&b));
    return cognito_trigger(act,
                           &(struct cognito_event){.trigger = "PostConfirmation",
                                                   .source = "PostConfirmation_ConfirmSignUp",
                                                   .user = user->name,
                                                   .request = buf_str(&b),
                                                   .response = STR("{}")},
                           &said);
}

/* --- SignUp ------------------------------------------------------------------------------------- */

/* Verifies, or asks to, the address that the pool verifies by itself. */
static enum err verify_address(const struct cognito_act *act, struct cognito_user *user,
                               const struct cognito_code_delivery_details_type **ret)
{
    struct str email = cognito_attr(user, "email");
    if (!COGNITO_HAS(act->pool->set.auto_verified_attributes, STR("email")) || str_empty(email))
        return ERR_OK;
    struct cognito_code_delivery_details_type *d =
        ARENA_NEW(act->call->arena, struct cognito_code_delivery_details_type);
    if (!d)
        return ERR_NOMEM;
    TRY(cognito_code_send(act, user,
                          &(struct cognito_sending){.purpose = "signup",
                                                    .source = "CustomMessage_SignUp",
                                                    .attribute = STR("email"),
                                                    .address = email},
                          d));
    *ret = d;
    return ERR_OK;
}

static enum err apply_wishes(struct call *call, const struct cognito_wishes *w,
                             struct cognito_user *user)
{
    if (w->verify_email && !w->confirm)
        return call_error(call, &cognito_err_invalid_lambda_response_exception,
                          "autoVerifyEmail needs autoConfirmUser");
    if (w->confirm)
        user->status = COGNITO_CONFIRMED;
    if (w->verify_email && !str_empty(cognito_attr(user, "email")))
        TRY(cognito_attr_put(call->arena, user, STR("email_verified"), STR("true")));
    if (w->verify_phone && !str_empty(cognito_attr(user, "phone_number")))
        TRY(cognito_attr_put(call->arena, user, STR("phone_number_verified"), STR("true")));
    return ERR_OK;
}

static enum err make_user(const struct cognito_act *act, const struct cognito_sign_up_input *in,
                          struct cognito_user *user)
{
    const struct cognito_change change = {
        .pool = act->pool, .client = act->client, .writer = COGNITO_BY_SIGN_UP, .creates = true};
    struct cognito_wishes wishes;
    TRY(cognito_user_new(act->call, act->pool, in->username, user));
    TRY(cognito_attrs_set(act->call, &change, TAGS_FROM_NAMED(in->user_attributes, name, value),
                          user));
    TRY(cognito_pre_sign_up(act, user, user->name,
                            TAGS_FROM_NAMED(in->validation_data, name, value), &wishes));
    TRY(cognito_password_set(act->call, act->pool, user, in->password));
    return apply_wishes(act->call, &wishes, user);
}

enum err cognito_sign_up(struct call *call, const struct cognito_sign_up_input *in,
                         struct cognito_sign_up_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    const struct cognito_admin_create_user_config_type *config;
    TRY(cognito_client_open(call, in->client_id, &act.pool, &act.client));
    config = act.pool->set.admin_create_user_config;
    TRY(cognito_secret_hash(call, act.client, in->username, in->secret_hash));
    if (config && config->allow_admin_create_user_only)
        return COGNITO_REFUSED(call, "SignUp is not permitted for this user pool");
    if (!str_is_set(in->password))
        return COGNITO_INVALID(call, "Password is required: Weir does not sign up without one.");
    TRY(cognito_password_check(call, act.pool, in->password));
    TRY(make_user(&act, in, &user));
    if (user.status == COGNITO_CONFIRMED)
        TRY(post_confirmation(&act, &user));
    else
        TRY(verify_address(&act, &user, &out->code_delivery_details));
    TRY(cognito_user_save(call, act.pool, &user, false));
    WIRE_SET(out, user_confirmed, user.status == COGNITO_CONFIRMED);
    out->user_sub = user.sub;
    return ERR_OK;
}

/* --- confirming --------------------------------------------------------------------------------- */

static enum err already(struct call *call, const struct cognito_user *user)
{
    return COGNITO_REFUSED(call, "User cannot be confirmed. Current status is " STR_FMT,
                           STR_ARG(cognito_status_name(user->status)));
}

enum err cognito_confirm_sign_up(struct call *call, const struct cognito_confirm_sign_up_input *in,
                                 struct cognito_confirm_sign_up_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    enum err err = cognito_claimed_user(
        &act, COGNITO_CLAIMED(in, "Username/client id combination not found."), &user);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_expired_code_exception,
                          "Invalid code provided, please request a code again.");
    TRY(err);
    if (user.status != COGNITO_UNCONFIRMED)
        return already(call, &user);
    TRY(cognito_code_take(&act, &user, "signup", in->confirmation_code, NULL));
    user.status = COGNITO_CONFIRMED;
    TRY(cognito_attr_put(call->arena, &user, STR("email_verified"), STR("true")));
    TRY(post_confirmation(&act, &user));
    return cognito_user_save(call, act.pool, &user,
                             in->has_force_alias_creation && in->force_alias_creation);
}

enum err cognito_admin_confirm_sign_up(struct call *call,
                                       const struct cognito_admin_confirm_sign_up_input *in,
                                       struct cognito_admin_confirm_sign_up_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    TRY(cognito_pool_need(call, in->user_pool_id, &act.pool));
    TRY(cognito_user_need(call, act.pool, in->username, &user));
    if (user.status != COGNITO_UNCONFIRMED)
        return already(call, &user);
    user.status = COGNITO_CONFIRMED;
    cognito_code_drop(&user, "signup");
    TRY(post_confirmation(&act, &user));
    return cognito_user_save(call, act.pool, &user, false);
}

enum err cognito_resend_confirmation_code(struct call *call,
                                          const struct cognito_resend_confirmation_code_input *in,
                                          struct cognito_resend_confirmation_code_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    struct cognito_code_delivery_details_type *d =
        ARENA_NEW(call->arena, struct cognito_code_delivery_details_type);
    if (!d)
        return ERR_NOMEM;
    out->code_delivery_details = d;
    enum err err = cognito_claimed_user(&act, COGNITO_CLAIMED(in, "User does not exist."), &user);
    if (err == ERR_NOT_FOUND)
        return cognito_code_pretend(call, in->username, d);
    TRY(err);
    if (user.status != COGNITO_UNCONFIRMED)
        return COGNITO_INVALID(call, "User is already confirmed.");
    if (!COGNITO_HAS(act.pool->set.auto_verified_attributes, STR("email")) ||
        str_empty(cognito_attr(&user, "email")))
        return COGNITO_INVALID(call, "Cannot resend codes. Auto verification not turned on.");
    TRY(cognito_code_send(&act, &user,
                          &(struct cognito_sending){.purpose = "signup",
                                                    .source = "CustomMessage_ResendCode",
                                                    .attribute = STR("email"),
                                                    .address = cognito_attr(&user, "email")},
                          d));
    return cognito_user_save(call, act.pool, &user, false);
}
