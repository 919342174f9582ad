/* What users do to themselves with their access token: GetUser, UpdateUserAttributes, DeleteUserAttributes,
 * GetUserAttributeVerificationCode, VerifyUserAttribute, DeleteUser, GlobalSignOut.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "base/rng.h"
#include "svc/cognito/cognito_int.h"

enum err cognito_get_user(struct call *call, const struct cognito_get_user_input *in,
                          struct cognito_get_user_output *out)
{
    struct cognito_bearer b;
    TRY(cognito_bearer(call, in->access_token, &b));
    struct tag *v = ARENA_ARRAY(call->arena, struct tag, b.user.n_attrs + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < b.user.n_attrs; i++)
        if (b.client->set.read_attributes.n == 0 || str_eq_c(b.user.attrs[i].key, "sub") ||
            COGNITO_HAS(b.client->set.read_attributes, b.user.attrs[i].key))
            v[n++] = b.user.attrs[i];
    const struct tag_list shown = {v, n};
    const struct cognito_factors f = cognito_factors_of(&b.user);
    TAGS_INTO_NAMED(out->user_attributes, shown, name, value);
    out->username = b.user.name;
    out->preferred_mfa_setting = f.preferred;
    out->user_mfa_setting_list = f.list;
    return ERR_OK;
}

/* --- attributes --------------------------------------------------------------------------------- */

static bool verified_first(const struct cognito_pool *pool, const char *attribute)
{
    const struct cognito_user_attribute_update_settings_type *s =
        pool->set.user_attribute_update_settings;
    return s && COGNITO_HAS(s->attributes_require_verification_before_update, str_c(attribute));
}

/* A new email address of a pool that verifies them: a code goes to it, and where the pool wants that, the
 * attribute changes only once it is verified. */
static enum err verify_email(const struct cognito_act *act, struct cognito_user *user,
                             struct str old, struct cognito_update_user_attributes_output *out)
{
    struct str email = cognito_attr(user, "email");
    struct cognito_code_delivery_details_type *d =
        ARENA_NEW(act->call->arena, struct cognito_code_delivery_details_type);
    if (!d)
        return ERR_NOMEM;
    if (str_empty(email) || str_eq(email, old) ||
        !COGNITO_HAS(act->pool->set.auto_verified_attributes, STR("email")))
        return ERR_OK;
    struct cognito_sending s = {.purpose = "email",
                                .source = "CustomMessage_UpdateUserAttribute",
                                .attribute = STR("email"),
                                .address = email};
    if (verified_first(act->pool, "email") && str_is_set(old)) {
        s.value = email;
        TRY(cognito_attr_put(act->call->arena, user, STR("email"), old));
        TRY(cognito_attr_put(act->call->arena, user, STR("email_verified"), STR("true")));
    }
    TRY(cognito_code_send(act, user, &s, d));
    out->code_delivery_details_list.v = d;
    out->code_delivery_details_list.n = 1;
    return ERR_OK;
}

enum err cognito_update_user_attributes(struct call *call,
                                        const struct cognito_update_user_attributes_input *in,
                                        struct cognito_update_user_attributes_output *out)
{
    struct cognito_bearer b;
    TRY(cognito_bearer(call, in->access_token, &b));
    const struct cognito_act act = {call, b.pool, b.client, TAGS_FROM(in->client_metadata)};
    const struct cognito_change change = {
        .pool = b.pool, .client = b.client, .writer = COGNITO_BY_USER};
    struct str old = cognito_verified(&b.user, "email") ? cognito_attr(&b.user, "email") : STR_NONE;
    TRY(cognito_attrs_set(call, &change, TAGS_FROM_NAMED(in->user_attributes, name, value),
                          &b.user));
    TRY(verify_email(&act, &b.user, old, out));
    return cognito_user_save(call, b.pool, &b.user, false);
}

enum err cognito_delete_user_attributes(struct call *call,
                                        const struct cognito_delete_user_attributes_input *in,
                                        struct cognito_delete_user_attributes_output *out)
{
    struct cognito_bearer b;
    TRY(cognito_bearer(call, in->access_token, &b));
    const struct cognito_change change = {
        .pool = b.pool, .client = b.client, .writer = COGNITO_BY_USER};
    TRY(cognito_attrs_drop(call, &change, in->user_attribute_names.v, in->user_attribute_names.n,
                           &b.user));
    return cognito_user_save(call, b.pool, &b.user, false);
}

enum err cognito_get_user_attribute_verification_code(
    struct call *call, const struct cognito_get_user_attribute_verification_code_input *in,
    struct cognito_get_user_attribute_verification_code_output *out)
{
    struct cognito_bearer b;
    struct cognito_code_delivery_details_type *d =
        ARENA_NEW(call->arena, struct cognito_code_delivery_details_type);
    if (!d)
        return ERR_NOMEM;
    TRY(cognito_bearer(call, in->access_token, &b));
    const struct cognito_act act = {call, b.pool, b.client, TAGS_FROM(in->client_metadata)};
    struct str address =
        cognito_get((struct tag_list){b.user.attrs, b.user.n_attrs}, in->attribute_name);
    if ((!str_eq_c(in->attribute_name, "email") && !str_eq_c(in->attribute_name, "phone_number")) ||
        str_empty(address))
        return COGNITO_INVALID(call, "User does not have an attribute " STR_FMT " to verify.",
                               STR_ARG(in->attribute_name));
    TRY(cognito_code_send(&act, &b.user,
                          &(struct cognito_sending){.purpose = "email",
                                                    .source = "CustomMessage_VerifyUserAttribute",
                                                    .attribute = in->attribute_name,
                                                    .address = address},
                          d));
    out->code_delivery_details = d;
    return cognito_user_save(call, b.pool, &b.user, false);
}

enum err cognito_verify_user_attribute(struct call *call,
                                       const struct cognito_verify_user_attribute_input *in,
                                       struct cognito_verify_user_attribute_output *out)
{
    struct cognito_bearer b;
    struct str value = STR_NONE;
    TRY(cognito_bearer(call, in->access_token, &b));
    const struct cognito_act act = {.call = call, .pool = b.pool, .client = b.client};
    if (!str_eq_c(in->attribute_name, "email"))
        return COGNITO_INVALID(call, "Attribute " STR_FMT " cannot be verified.",
                               STR_ARG(in->attribute_name));
    TRY(cognito_code_take(&act, &b.user, "email", in->code, &value));
    if (str_is_set(value))
        TRY(cognito_attr_put(call->arena, &b.user, STR("email"), value));
    TRY(cognito_attr_put(call->arena, &b.user, STR("email_verified"), STR("true")));
    return cognito_user_save(call, b.pool, &b.user, false);
}

/* --- the end ------------------------------------------------------------------------------------ */

enum err cognito_delete_user(struct call *call, const struct cognito_delete_user_input *in,
                             struct cognito_delete_user_output *out)
{
    struct cognito_bearer b;
    TRY(cognito_bearer(call, in->access_token, &b));
    return cognito_user_delete(call->txn, b.pool, &b.user);
}

enum err cognito_global_sign_out(struct call *call, const struct cognito_global_sign_out_input *in,
                                 struct cognito_global_sign_out_output *out)
{
    struct cognito_bearer b;
    TRY(cognito_bearer(call, in->access_token, &b));
    b.user.epoch = rng_u64() >> 16;
    return cognito_user_save(call, b.pool, &b.user, false);
}
