/* What administrators do to users: AdminCreateUser, AdminGetUser, AdminDeleteUser, AdminDisableUser,
 * AdminEnableUser, AdminUpdateUserAttributes, AdminDeleteUserAttributes, AdminUserGlobalSignOut.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "base/rng.h"
#include "svc/cognito/cognito_int.h"

/* --- AdminCreateUser ---------------------------------------------------------------------------- */

static enum err check_message(struct call *call, const struct cognito_admin_create_user_input *in)
{
    for (size_t i = 0; i < in->desired_delivery_mediums.n; i++)
        if (!str_eq_c(in->desired_delivery_mediums.v[i], "EMAIL") &&
            !str_eq_c(in->message_action, "SUPPRESS"))
            return COGNITO_INVALID(call, "Weir sends no SMS: of DesiredDeliveryMediums, EMAIL is "
                                         "supported.");
    return ERR_OK;
}

static enum err give_password(struct call *call, const struct cognito_pool *pool, struct str asked,
                              struct cognito_user *user, struct str *ret_password)
{
    struct str password = asked;
    if (!str_is_set(asked)) {
        /* The one of an earlier attempt: its hash is kept. */
        enum err err = cognito_kept(call, "made", &password);
        if (err == ERR_NOT_FOUND) {
            password = cognito_password_make(call->arena, pool);
            err = str_is_set(password) ? cognito_keep(call, "made", password) : ERR_NOMEM;
        }
        TRY(err);
    }
    TRY(cognito_password_check(call, pool, password));
    TRY(cognito_password_set(call, pool, user, password));
    user->status = COGNITO_FORCE_CHANGE;
    user->password_until_ms =
        call->txn->wall_ms +
        pool->set.policies->password_policy->temporary_password_validity_days * COGNITO_DAY_MS;
    *ret_password = password;
    return ERR_OK;
}

/* The user that is invited once more. */
static enum err invite_again(const struct cognito_act *act,
                             const struct cognito_admin_create_user_input *in,
                             struct cognito_user *user)
{
    TRY(cognito_user_need(act->call, act->pool, in->username, user));
    if (user->status != COGNITO_FORCE_CHANGE)
        return call_error(act->call, &cognito_err_unsupported_user_state_exception,
                          "Resend not possible. User status is not FORCE_CHANGE_PASSWORD");
    return ERR_OK;
}

static enum err invite_new(const struct cognito_act *act,
                           const struct cognito_admin_create_user_input *in,
                           struct cognito_user *user)
{
    const struct cognito_change change = {
        .pool = act->pool, .writer = COGNITO_BY_ADMIN, .creates = true};
    struct cognito_wishes wishes;
    TRY(cognito_user_new(act->call, act->pool, in->username, user));
    TRY(cognito_attrs_set(act->call, &change, TAGS_FROM_NAMED(in->user_attributes, name, value),
                          user));
    return cognito_pre_sign_up(act, user, user->name,
                               TAGS_FROM_NAMED(in->validation_data, name, value), &wishes);
}

enum err cognito_admin_create_user(struct call *call,
                                   const struct cognito_admin_create_user_input *in,
                                   struct cognito_admin_create_user_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_user user;
    struct str password;
    const bool again = str_eq_c(in->message_action, "RESEND");
    struct cognito_user_type *shown = ARENA_NEW(call->arena, struct cognito_user_type);
    if (!shown)
        return ERR_NOMEM;
    TRY(check_message(call, in));
    TRY(cognito_pool_need(call, in->user_pool_id, &act.pool));
    TRY(again ? invite_again(&act, in, &user) : invite_new(&act, in, &user));
    TRY(give_password(call, act.pool, in->temporary_password, &user, &password));
    if (!str_eq_c(in->message_action, "SUPPRESS"))
        TRY(cognito_invite(&act, &user, password));
    TRY(cognito_user_save(call, act.pool, &user,
                          in->has_force_alias_creation && in->force_alias_creation));
    out->user = shown;
    return cognito_user_show(call->arena, &user, NULL, shown);
}

/* --- the others --------------------------------------------------------------------------------- */

struct found {
    const struct cognito_pool *pool;
    struct cognito_user user;
};

static enum err find(struct call *call, struct str pool_id, struct str username, struct found *ret)
{
    TRY(cognito_pool_need(call, pool_id, &ret->pool));
    return cognito_user_need(call, ret->pool, username, &ret->user);
}

enum err cognito_admin_get_user(struct call *call, const struct cognito_admin_get_user_input *in,
                                struct cognito_admin_get_user_output *out)
{
    struct found f;
    struct cognito_user_type shown;
    TRY(find(call, in->user_pool_id, in->username, &f));
    TRY(cognito_user_show(call->arena, &f.user, NULL, &shown));
    const struct cognito_factors factors = cognito_factors_of(&f.user);
    out->username = shown.username;
    out->user_attributes = shown.attributes;
    out->user_status = shown.user_status;
    out->preferred_mfa_setting = factors.preferred;
    out->user_mfa_setting_list = factors.list;
    WIRE_SET(out, user_create_date, shown.user_create_date);
    WIRE_SET(out, user_last_modified_date, shown.user_last_modified_date);
    WIRE_SET(out, enabled, shown.enabled);
    return ERR_OK;
}

enum err cognito_admin_delete_user(struct call *call,
                                   const struct cognito_admin_delete_user_input *in,
                                   struct cognito_admin_delete_user_output *out)
{
    struct found f;
    TRY(find(call, in->user_pool_id, in->username, &f));
    return cognito_user_delete(call->txn, f.pool, &f.user);
}

static enum err set_disabled(struct call *call, struct found *f, bool disabled)
{
    f->user.disabled = disabled;
    if (disabled)
        f->user.epoch = rng_u64() >> 16; /* its tokens end */
    return cognito_user_save(call, f->pool, &f->user, false);
}

enum err cognito_admin_disable_user(struct call *call,
                                    const struct cognito_admin_disable_user_input *in,
                                    struct cognito_admin_disable_user_output *out)
{
    struct found f;
    TRY(find(call, in->user_pool_id, in->username, &f));
    return set_disabled(call, &f, true);
}

enum err cognito_admin_enable_user(struct call *call,
                                   const struct cognito_admin_enable_user_input *in,
                                   struct cognito_admin_enable_user_output *out)
{
    struct found f;
    TRY(find(call, in->user_pool_id, in->username, &f));
    return set_disabled(call, &f, false);
}

enum err
cognito_admin_user_global_sign_out(struct call *call,
                                   const struct cognito_admin_user_global_sign_out_input *in,
                                   struct cognito_admin_user_global_sign_out_output *out)
{
    struct found f;
    TRY(find(call, in->user_pool_id, in->username, &f));
    f.user.epoch = rng_u64() >> 16;
    return cognito_user_save(call, f.pool, &f.user, false);
}

enum err
cognito_admin_update_user_attributes(struct call *call,
                                     const struct cognito_admin_update_user_attributes_input *in,
                                     struct cognito_admin_update_user_attributes_output *out)
{
    struct found f;
    TRY(find(call, in->user_pool_id, in->username, &f));
    const struct cognito_change change = {.pool = f.pool, .writer = COGNITO_BY_ADMIN};
    TRY(cognito_attrs_set(call, &change, TAGS_FROM_NAMED(in->user_attributes, name, value),
                          &f.user));
    return cognito_user_save(call, f.pool, &f.user, false);
}

enum err
cognito_admin_delete_user_attributes(struct call *call,
                                     const struct cognito_admin_delete_user_attributes_input *in,
                                     struct cognito_admin_delete_user_attributes_output *out)
{
    struct found f;
    TRY(find(call, in->user_pool_id, in->username, &f));
    const struct cognito_change change = {.pool = f.pool, .writer = COGNITO_BY_ADMIN};
    TRY(cognito_attrs_drop(call, &change, in->user_attribute_names.v, in->user_attribute_names.n,
                           &f.user));
    return cognito_user_save(call, f.pool, &f.user, false);
}
