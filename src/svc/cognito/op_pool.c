/* CreateUserPool, DescribeUserPool, ListUserPools, UpdateUserPool, AddCustomAttributes, Get- and
 * SetUserPoolMfaConfig.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

enum { ID_LEN = 9, MIN_LENGTH = 8, TEMPORARY_DAYS = 7 };
#define ID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* --- what is refused (P4) ----------------------------------------------------------------------- */

static enum err check_triggers(struct call *call, const struct cognito_lambda_config_type *l)
{
    if (!l)
        return ERR_OK;
    if (l->custom_sms_sender || l->custom_email_sender || str_is_set(l->kms_key_id) ||
        l->inbound_federation)
        return COGNITO_INVALID(call, "CustomSMSSender, CustomEmailSender, KMSKeyID and "
                                     "InboundFederation are not supported by Weir.");
    if (l->pre_token_generation_config &&
        !str_eq_c(l->pre_token_generation_config->lambda_version, "V1_0") &&
        !str_eq_c(l->pre_token_generation_config->lambda_version, "V2_0"))
        return COGNITO_INVALID(call, "Of PreTokenGenerationConfig, Weir supports V1_0 and V2_0.");
    return ERR_OK;
}

static enum err check_messages(struct call *call, const struct cognito_user_pool_type *p)
{
    const struct cognito_verification_message_template_type *t = p->verification_message_template;
    const struct cognito_email_configuration_type *e = p->email_configuration;
    if (p->sms_configuration || COGNITO_HAS(p->auto_verified_attributes, STR("phone_number")))
        return COGNITO_INVALID(call, "Weir sends no SMS: SmsConfiguration and the verification of "
                                     "phone_number are not supported.");
    if (t && (str_eq_c(t->default_email_option, "CONFIRM_WITH_LINK") ||
              str_is_set(t->email_message_by_link) || str_is_set(t->email_subject_by_link)))
        return COGNITO_INVALID(call, "CONFIRM_WITH_LINK is not supported by Weir.");
    if (e && (str_eq_c(e->email_sending_account, "DEVELOPER") || str_is_set(e->source_arn) ||
              str_is_set(e->from) || str_is_set(e->configuration_set) ||
              str_is_set(e->reply_to_email_address)))
        return COGNITO_INVALID(call, "Weir sends no mail: of EmailConfiguration, only "
                                     "EmailSendingAccount COGNITO_DEFAULT is supported.");
    return ERR_OK;
}

static enum err check_policies(struct call *call, const struct cognito_user_pool_policy_type *p)
{
    if (p && p->password_policy && p->password_policy->has_password_history_size &&
        p->password_policy->password_history_size > 0)
        return COGNITO_INVALID(call, "PasswordHistorySize is not supported by Weir.");
    for (size_t i = 0;
         p && p->sign_in_policy && i < p->sign_in_policy->allowed_first_auth_factors.n; i++)
        if (!str_eq_c(p->sign_in_policy->allowed_first_auth_factors.v[i], "PASSWORD"))
            return COGNITO_INVALID(call, "Of AllowedFirstAuthFactors, Weir supports PASSWORD.");
    return ERR_OK;
}

static enum err check_supported(struct call *call, const struct cognito_user_pool_type *p)
{
    if (p->device_configuration)
        return COGNITO_INVALID(call, "DeviceConfiguration is not supported by Weir.");
    if (p->user_pool_add_ons && (!str_eq_c(p->user_pool_add_ons->advanced_security_mode, "OFF") ||
                                 p->user_pool_add_ons->advanced_security_additional_flows))
        return COGNITO_INVALID(call, "Advanced security is not supported by Weir.");
    if (str_eq_c(p->user_pool_tier, "PLUS"))
        return COGNITO_INVALID(call, "UserPoolTier PLUS is not supported by Weir.");
    if (p->alias_attributes.n && p->username_attributes.n)
        return COGNITO_INVALID(call, "Only one of the aliasAttributes or usernameAttributes can be "
                                     "set in a user pool.");
    TRY(check_triggers(call, p->lambda_config));
    TRY(check_messages(call, p));
    return check_policies(call, p->policies);
}

static enum err check_mfa(struct call *call, const struct cognito_pool *pool)
{
    if (str_eq_c(pool->set.mfa_configuration, "OFF") || pool->rec.software_token)
        return ERR_OK;
    return COGNITO_INVALID(call, "SMS configuration and Auto verification for phone_number are "
                                 "required when MFA is required/optional");
}

/* --- defaults ----------------------------------------------------------------------------------- */

static enum err default_policies(struct arena *a, struct cognito_user_pool_type *p)
{
    struct cognito_user_pool_policy_type *policies =
        ARENA_NEW(a, struct cognito_user_pool_policy_type);
    struct cognito_password_policy_type *pw = ARENA_NEW(a, struct cognito_password_policy_type);
    struct cognito_sign_in_policy_type *sign_in = ARENA_NEW(a, struct cognito_sign_in_policy_type);
    static const struct str password = STR_INIT("PASSWORD");
    const bool given = p->policies && p->policies->password_policy;
    if (!policies || !pw || !sign_in)
        return ERR_NOMEM;
    if (given)
        *pw = *p->policies->password_policy;
    if (!pw->has_minimum_length)
        WIRE_SET(pw, minimum_length, MIN_LENGTH);
    /* A policy that says nothing of a kind does not ask for it; no policy asks for all. */
    if (!pw->has_require_uppercase)
        WIRE_SET(pw, require_uppercase, !given);
    if (!pw->has_require_lowercase)
        WIRE_SET(pw, require_lowercase, !given);
    if (!pw->has_require_numbers)
        WIRE_SET(pw, require_numbers, !given);
    if (!pw->has_require_symbols)
        WIRE_SET(pw, require_symbols, !given);
    if (!pw->has_temporary_password_validity_days || pw->temporary_password_validity_days == 0)
        WIRE_SET(pw, temporary_password_validity_days, TEMPORARY_DAYS);
    sign_in->allowed_first_auth_factors.v = &password;
    sign_in->allowed_first_auth_factors.n = 1;
    policies->password_policy = pw;
    policies->sign_in_policy = sign_in;
    p->policies = policies;
    return ERR_OK;
}

static enum err default_creation(struct arena *a, struct cognito_user_pool_type *p)
{
    struct cognito_admin_create_user_config_type *c =
        ARENA_NEW(a, struct cognito_admin_create_user_config_type);
    if (!c)
        return ERR_NOMEM;
    if (p->admin_create_user_config)
        *c = *p->admin_create_user_config;
    if (!c->has_allow_admin_create_user_only)
        WIRE_SET(c, allow_admin_create_user_only, false);
    if (!c->has_unused_account_validity_days)
        WIRE_SET(c, unused_account_validity_days,
                 p->policies->password_policy->temporary_password_validity_days);
    p->admin_create_user_config = c;
    return ERR_OK;
}

static enum err default_messages(struct arena *a, struct cognito_user_pool_type *p)
{
    static const struct cognito_email_configuration_type email = {.email_sending_account =
                                                                      STR_INIT("COGNITO_DEFAULT")};
    static const struct cognito_lambda_config_type no_triggers = {0};
    static const struct cognito_recovery_option_type recovery[] = {
        {.priority = 1, .has_priority = true, .name = STR_INIT("verified_email")},
        {.priority = 2, .has_priority = true, .name = STR_INIT("verified_phone_number")},
    };
    static const struct cognito_account_recovery_setting_type account_recovery = {
        .recovery_mechanisms = {recovery, ARRAY_LEN(recovery)}};
    struct cognito_verification_message_template_type *t =
        ARENA_NEW(a, struct cognito_verification_message_template_type);
    if (!t)
        return ERR_NOMEM;
    if (p->verification_message_template)
        *t = *p->verification_message_template;
    t->default_email_option = STR("CONFIRM_WITH_CODE");
    p->verification_message_template = t;
    if (!p->email_configuration || !str_is_set(p->email_configuration->email_sending_account))
        p->email_configuration = &email;
    if (!p->lambda_config)
        p->lambda_config = &no_triggers;
    if (!p->account_recovery_setting)
        p->account_recovery_setting = &account_recovery;
    return ERR_OK;
}

static enum err fill_defaults(struct call *call, struct cognito_user_pool_type *p)
{
    if (!str_is_set(p->deletion_protection))
        p->deletion_protection = STR("INACTIVE");
    if (!str_is_set(p->mfa_configuration))
        p->mfa_configuration = STR("OFF");
    if (!str_is_set(p->user_pool_tier))
        p->user_pool_tier = STR("ESSENTIALS");
    WIRE_SET(p, last_modified_date, call->txn->wall_ms);
    TRY(default_policies(call->arena, p));
    TRY(default_creation(call->arena, p));
    return default_messages(call->arena, p);
}

/* --- making ------------------------------------------------------------------------------------- */

/* Shown with what is kept elsewhere. */
static enum err show(struct call *call, const struct cognito_user_pool_type *set,
                     const struct cognito_user_pool_type **ret)
{
    struct cognito_user_pool_type *shown = ARENA_NEW(call->arena, struct cognito_user_pool_type);
    struct tag_list tags;
    if (!shown)
        return ERR_NOMEM;
    *shown = *set;
    TRY(tags_of(call->txn, set->arn, &tags));
    TAGS_INTO(shown->user_pool_tags, tags);
    *ret = shown;
    return ERR_OK;
}

enum err cognito_create_user_pool(struct call *call,
                                  const struct cognito_create_user_pool_input *in,
                                  struct cognito_create_user_pool_output *out)
{
    struct cognito_pool pool = {0};
    struct cognito_user_pool_type *p = &pool.set;
    struct str id = cognito_random_text(call->arena, ID_LEN, ID_LETTERS);
    wire_copy_same(call->op->input, in, cognito_pool_shape(), p);
    memset(&p->user_pool_tags, 0, sizeof(p->user_pool_tags)); /* core's (TG1) */
    p->id = str_fmt(call->arena, STR_FMT "_" STR_FMT, STR_ARG(call->region), STR_ARG(id));
    p->name = in->pool_name;
    p->arn = call_arn(call, "cognito-idp", "userpool/" STR_FMT, STR_ARG(p->id));
    if (!str_is_set(id) || !str_is_set(p->id) || !str_is_set(p->arn))
        return ERR_NOMEM;
    pool.rec =
        (struct cognito_pool_rec){.account = call->account, .region = call->region, .id = p->id};
    TRY(check_supported(call, p));
    TRY(fill_defaults(call, p));
    TRY(check_mfa(call, &pool));
    WIRE_SET(p, creation_date, call->txn->wall_ms);
    TRY(cognito_schema(call, &in->schema, &p->schema_attributes));
    struct tags_resource resource = {.arn = p->arn};
    TRY(tags_op_create(call, &cognito_tags, &resource, TAGS_FROM(in->user_pool_tags)));
    TRY(txn_put(call->txn, key_make(call->arena, &cognito_k_guard, p->id), STR("")));
    TRY(cognito_pool_save(cognito_of(call), call->txn, &pool));
    WIRE_SET(p, estimated_number_of_users, 0);
    return show(call, p, &out->user_pool);
}

/* --- changing ----------------------------------------------------------------------------------- */

/* The stored pool, read tracked, to be changed. */
static enum err change(struct call *call, const struct cognito_pool *known,
                       struct cognito_pool **ret)
{
    const struct key_scope scope = {known->rec.account, known->rec.region};
    void *object;
    enum err err =
        catalogue_read(cognito_of(call)->pools, call->txn,
                       key_make(call->arena, &cognito_k_pool, scope, known->rec.id), &object);
    if (err == ERR_NOT_FOUND)
        return ERR_CONFLICT;
    TRY(err);
    *ret = object;
    return ERR_OK;
}

enum err cognito_update_user_pool(struct call *call,
                                  const struct cognito_update_user_pool_input *in,
                                  struct cognito_update_user_pool_output *out)
{
    const struct cognito_pool *known;
    struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &known));
    TRY(change(call, known, &pool));
    const struct cognito_user_pool_type old = pool->set;
    struct cognito_user_pool_type *p = &pool->set;
    /* What is left out goes back to its default; what was settled at creation stays. */
    *p = (struct cognito_user_pool_type){.id = old.id,
                                         .name = old.name,
                                         .arn = old.arn,
                                         .domain = old.domain,
                                         .schema_attributes = old.schema_attributes,
                                         .alias_attributes = old.alias_attributes,
                                         .username_attributes = old.username_attributes,
                                         .username_configuration = old.username_configuration,
                                         .user_pool_tier = old.user_pool_tier,
                                         .creation_date = old.creation_date,
                                         .has_creation_date = old.has_creation_date};
    wire_copy_same(call->op->input, in, cognito_pool_shape(), p);
    memset(&p->user_pool_tags, 0, sizeof(p->user_pool_tags));
    if (str_is_set(in->pool_name))
        p->name = in->pool_name;
    TRY(check_supported(call, p));
    TRY(fill_defaults(call, p));
    TRY(check_mfa(call, pool));
    if (in->user_pool_tags.n) {
        struct tags_resource resource = {.arn = p->arn};
        TRY(tags_op_create(call, &cognito_tags, &resource, TAGS_FROM(in->user_pool_tags)));
    }
    return cognito_pool_save(cognito_of(call), call->txn, pool);
}

enum err cognito_add_custom_attributes(struct call *call,
                                       const struct cognito_add_custom_attributes_input *in,
                                       struct cognito_add_custom_attributes_output *out)
{
    const struct cognito_pool *known;
    struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &known));
    TRY(change(call, known, &pool));
    struct cognito_schema_attributes_list_type *s = &pool->set.schema_attributes;
    struct cognito_schema_attribute_type *v = ARENA_ARRAY(
        call->arena, struct cognito_schema_attribute_type, s->n + in->custom_attributes.n);
    size_t n = s->n, custom = 0;
    if (!v)
        return ERR_NOMEM;
    if (n)
        memcpy(v, s->v, n * sizeof(*v));
    for (size_t i = 0; i < in->custom_attributes.n; i++) {
        TRY(cognito_schema_custom(call, &in->custom_attributes.v[i], &v[n]));
        for (size_t j = 0; j < n; j++)
            if (str_eq(v[j].name, v[n].name))
                return COGNITO_INVALID(call, STR_FMT ": Existing attribute already has name",
                                       STR_ARG(v[n].name));
        n++;
    }
    for (size_t i = 0; i < n; i++)
        custom += str_find(v[i].name, ':') != SIZE_MAX;
    if (custom > COGNITO_CUSTOM_MAX)
        return call_error(call, &cognito_err_limit_exceeded_exception,
                          "A user pool can have at most %d custom attributes.", COGNITO_CUSTOM_MAX);
    s->v = v;
    s->n = n;
    return cognito_pool_save(cognito_of(call), call->txn, pool);
}

/* --- MFA ---------------------------------------------------------------------------------------- */

static enum err show_mfa(struct call *call, const struct cognito_pool *pool,
                         const struct cognito_software_token_mfa_config_type **ret)
{
    struct cognito_software_token_mfa_config_type *t =
        ARENA_NEW(call->arena, struct cognito_software_token_mfa_config_type);
    if (!t)
        return ERR_NOMEM;
    WIRE_SET(t, enabled, true);
    *ret = pool->rec.software_token ? t : NULL;
    return ERR_OK;
}

enum err cognito_set_user_pool_mfa_config(struct call *call,
                                          const struct cognito_set_user_pool_mfa_config_input *in,
                                          struct cognito_set_user_pool_mfa_config_output *out)
{
    const struct cognito_pool *known;
    struct cognito_pool *pool;
    if (in->sms_mfa_configuration || in->email_mfa_configuration || in->web_authn_configuration)
        return COGNITO_INVALID(call, "Of MFA, Weir supports SoftwareTokenMfaConfiguration.");
    TRY(cognito_pool_need(call, in->user_pool_id, &known));
    TRY(change(call, known, &pool));
    pool->rec.software_token =
        in->software_token_mfa_configuration && in->software_token_mfa_configuration->enabled;
    pool->set.mfa_configuration =
        str_is_set(in->mfa_configuration) ? in->mfa_configuration : STR("OFF");
    if (!str_eq_c(pool->set.mfa_configuration, "OFF") && !pool->rec.software_token)
        return COGNITO_INVALID(call, "Invalid MFA configuration given, MFA needs a factor.");
    WIRE_SET(&pool->set, last_modified_date, call->txn->wall_ms);
    TRY(cognito_pool_save(cognito_of(call), call->txn, pool));
    out->mfa_configuration = pool->set.mfa_configuration;
    return show_mfa(call, pool, &out->software_token_mfa_configuration);
}

enum err cognito_get_user_pool_mfa_config(struct call *call,
                                          const struct cognito_get_user_pool_mfa_config_input *in,
                                          struct cognito_get_user_pool_mfa_config_output *out)
{
    const struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    out->mfa_configuration = pool->set.mfa_configuration;
    return show_mfa(call, pool, &out->software_token_mfa_configuration);
}

/* --- reading ------------------------------------------------------------------------------------ */

static enum err count_one(void *arg, struct str key, struct str val)
{
    size_t *n = arg;
    return ++*n == COGNITO_COUNT_MAX ? ERR_CLOSED : ERR_OK;
}

enum err cognito_describe_user_pool(struct call *call,
                                    const struct cognito_describe_user_pool_input *in,
                                    struct cognito_describe_user_pool_output *out)
{
    const struct cognito_pool *pool;
    size_t n = 0;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    struct cognito_user_pool_type set = pool->set;
    TRY(txn_each(call->txn, key_range(call->arena, &cognito_k_user, pool->rec.id), count_one, &n));
    WIRE_SET(&set, estimated_number_of_users, (int64_t)n);
    return show(call, &set, &out->user_pool);
}

struct listing {
    struct call *call;
    struct cognito_user_pool_description_type *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct cognito_user_pool_description_type *d = &l->v[l->n++];
    struct cognito_pool_rec rec = {0};
    struct cognito_user_pool_type set = {0};
    TRY(record_unpack_copy(&cognito_pool_rec_type, l->call->arena, record, &rec));
    TRY(wire_kept(&cognito_service, cognito_pool_shape(), rec.settings, l->call->arena, &set));
    *d = (struct cognito_user_pool_description_type){
        .id = set.id, .name = set.name, .lambda_config = set.lambda_config};
    WIRE_SET(d, creation_date, set.creation_date);
    WIRE_SET(d, last_modified_date, set.last_modified_date);
    return ERR_OK;
}

enum err cognito_list_user_pools(struct call *call, const struct cognito_list_user_pools_input *in,
                                 struct cognito_list_user_pools_output *out)
{
    static const struct page_fns fns = {NULL, take};
    struct listing l = {.call = call};
    size_t limit = (size_t)in->max_results;
    l.v = ARENA_ARRAY(call->arena, struct cognito_user_pool_description_type, limit);
    if (!l.v)
        return ERR_NOMEM;
    struct page page = page_of_call(call, STR(""), in->next_token, limit);
    struct key_range range = key_range(call->arena, &cognito_k_pool, call_scope(call));
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->user_pools.v = l.v;
    out->user_pools.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
