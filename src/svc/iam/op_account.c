/* What the account has once: its alias, its password policy, and how much of everything there is. And
 * the login profiles that the password policy binds: nobody can sign in to a console here, so a password
 * is checked and not kept.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/record.h"
#include "svc/iam/iam_int.h"

/* --- alias ------------------------------------------------------------------------------------ */

static struct str alias_key(struct call *call)
{
    return key_make(call->arena, &iam_k_alias, iam_scope(call->account));
}

/* One account has one: a second takes the place of the first, as on AWS. */
enum err iam_create_account_alias(struct call *call,
                                  const struct iam_create_account_alias_input *in,
                                  struct iam_create_account_alias_output *out)
{
    return txn_put(call->txn, alias_key(call), in->account_alias);
}

enum err iam_delete_account_alias(struct call *call,
                                  const struct iam_delete_account_alias_input *in,
                                  struct iam_delete_account_alias_output *out)
{
    struct str alias = STR_NONE;
    enum err err = txn_get(call->txn, alias_key(call), &alias);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !str_eq(alias, in->account_alias)))
        return call_error(call, &iam_err_no_such_entity_exception,
                          "The account alias " STR_FMT " cannot be found.",
                          STR_ARG(in->account_alias));
    TRY(err);
    return txn_del(call->txn, alias_key(call));
}

enum err iam_list_account_aliases(struct call *call,
                                  const struct iam_list_account_aliases_input *in,
                                  struct iam_list_account_aliases_output *out)
{
    struct str *alias = ARENA_NEW(call->arena, struct str);
    size_t from;
    if (!alias)
        return ERR_NOMEM;
    enum err err = txn_get(call->txn, alias_key(call), alias);
    if (err && err != ERR_NOT_FOUND)
        return err;
    TRY(iam_page_slice(call, IAM_PAGE(call, in, out, STR("")), alias, sizeof(*alias), err == ERR_OK,
                       &from));
    out->account_aliases =
        (struct iam_account_alias_list_type){alias + from, err == ERR_OK ? 1 - from : 0};
    return ERR_OK;
}

/* --- password policy -------------------------------------------------------------------------- */

struct passwords {
    int64_t min, age_days, reuse; /* 0: none */
    bool symbols, numbers, upper, lower, change, hard_expiry;
};

static const struct record_field passwords_fields[] = {
    REC_INT(struct passwords, min),          REC_INT(struct passwords, age_days),
    REC_INT(struct passwords, reuse),        REC_BOOL(struct passwords, symbols),
    REC_BOOL(struct passwords, numbers),     REC_BOOL(struct passwords, upper),
    REC_BOOL(struct passwords, lower),       REC_BOOL(struct passwords, change),
    REC_BOOL(struct passwords, hard_expiry),
};
static const struct record_type passwords_type = RECORD_TYPE(struct passwords, 1, passwords_fields);

static struct str passwords_key(struct call *call)
{
    return key_make(call->arena, &iam_k_passwords, iam_scope(call->account));
}

static enum err load_passwords(struct call *call, struct passwords *ret)
{
    struct str record;
    TRY(txn_get(call->txn, passwords_key(call), &record));
    return record_unpack_copy(&passwords_type, call->arena, record, ret);
}

static enum err no_passwords(struct call *call)
{
    return call_error(call, &iam_err_no_such_entity_exception,
                      "The Password Policy with domain name " STR_FMT " cannot be found.",
                      STR_ARG(call->account));
}

/* What is not named goes back to its default (IAM API Reference, UpdateAccountPasswordPolicy). */
enum err
iam_update_account_password_policy(struct call *call,
                                   const struct iam_update_account_password_policy_input *in,
                                   struct iam_update_account_password_policy_output *out)
{
    const struct passwords p = {
        .min = in->has_minimum_password_length ? in->minimum_password_length : 6,
        .age_days = in->has_max_password_age ? in->max_password_age : 0,
        .reuse = in->has_password_reuse_prevention ? in->password_reuse_prevention : 0,
        .symbols = in->has_require_symbols && in->require_symbols,
        .numbers = in->has_require_numbers && in->require_numbers,
        .upper = in->has_require_uppercase_characters && in->require_uppercase_characters,
        .lower = in->has_require_lowercase_characters && in->require_lowercase_characters,
        .change = in->has_allow_users_to_change_password && in->allow_users_to_change_password,
        .hard_expiry = in->has_hard_expiry && in->hard_expiry,
    };
    struct str record;
    TRY(record_make(&passwords_type, call->arena, &p, &record));
    return txn_put(call->txn, passwords_key(call), record);
}

enum err iam_get_account_password_policy(struct call *call,
                                         const struct iam_get_account_password_policy_input *in,
                                         struct iam_get_account_password_policy_output *out)
{
    struct passwords p;
    struct iam_password_policy *shape = ARENA_NEW(call->arena, struct iam_password_policy);
    if (!shape)
        return ERR_NOMEM;
    enum err err = load_passwords(call, &p);
    if (err == ERR_NOT_FOUND)
        return no_passwords(call);
    TRY(err);
    WIRE_SET(shape, minimum_password_length, p.min);
    WIRE_SET(shape, require_symbols, p.symbols);
    WIRE_SET(shape, require_numbers, p.numbers);
    WIRE_SET(shape, require_uppercase_characters, p.upper);
    WIRE_SET(shape, require_lowercase_characters, p.lower);
    WIRE_SET(shape, allow_users_to_change_password, p.change);
    WIRE_SET(shape, expire_passwords, p.age_days > 0);
    if (p.age_days > 0)
        WIRE_SET(shape, max_password_age, p.age_days);
    if (p.reuse > 0)
        WIRE_SET(shape, password_reuse_prevention, p.reuse);
    WIRE_SET(shape, hard_expiry, p.hard_expiry);
    out->password_policy = shape;
    return ERR_OK;
}

enum err
iam_delete_account_password_policy(struct call *call,
                                   const struct iam_delete_account_password_policy_input *in,
                                   struct iam_delete_account_password_policy_output *out)
{
    struct str record;
    enum err err = txn_get(call->txn, passwords_key(call), &record);
    if (err == ERR_NOT_FOUND)
        return no_passwords(call);
    TRY(err);
    return txn_del(call->txn, passwords_key(call));
}

/* --- login profiles --------------------------------------------------------------------------- */

static bool has_any(struct str text, const char *from, const char *to)
{
    for (size_t i = 0; i < text.len; i++)
        for (size_t k = 0; from[k]; k++)
            if (text.p[i] >= from[k] && text.p[i] <= to[k])
                return true;
    return false;
}

/* Without a policy: eight characters of three kinds (IAM User Guide, "Default password policy"). */
static const char *lacks(const struct passwords *p, bool none, struct str password)
{
    bool symbol = has_any(password, "!:[{", "/@`~"), number = has_any(password, "0", "9");
    bool upper = has_any(password, "A", "Z"), lower = has_any(password, "a", "z");
    if (none)
        return symbol + number + upper + lower >= 3
                   ? NULL
                   : "Password should have at least three of uppercase letters, lowercase letters, "
                     "numbers and symbols";
    return p->upper && !upper      ? "Password should have at least one uppercase letter"
           : p->lower && !lower    ? "Password should have at least one lowercase letter"
           : p->numbers && !number ? "Password should have at least one number"
           : p->symbols && !symbol ? "Password should have at least one symbol"
                                   : NULL;
}

static enum err check_password(struct call *call, struct str password)
{
    struct passwords p = {.min = 8};
    enum err err = load_passwords(call, &p);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if ((int64_t)password.len < p.min)
        return call_error(call, &iam_err_password_policy_violation_exception,
                          "Password should have a minimum length of %lld", (long long)p.min);
    const char *what = lacks(&p, err == ERR_NOT_FOUND, password);
    return what ? call_error(call, &iam_err_password_policy_violation_exception, "%s", what)
                : ERR_OK;
}

static enum err show_login(struct call *call, const struct iam_entity *e,
                           const struct iam_login_profile **ret)
{
    struct iam_login_profile *l = ARENA_NEW(call->arena, struct iam_login_profile);
    if (!l)
        return ERR_NOMEM;
    l->user_name = e->name;
    WIRE_SET(l, create_date, e->login_ms);
    WIRE_SET(l, password_reset_required, e->login_reset);
    *ret = l;
    return ERR_OK;
}

/* The user, who has one. */
static enum err need_login(struct call *call, struct str name, struct iam_entity **ret_e)
{
    TRY(iam_get_user_or_self(call, name, ret_e));
    return (*ret_e)->login_ms ? ERR_OK
                              : call_error(call, &iam_err_no_such_entity_exception,
                                           "Login Profile for User " STR_FMT " cannot be found.",
                                           STR_ARG((*ret_e)->name));
}

enum err iam_create_login_profile(struct call *call,
                                  const struct iam_create_login_profile_input *in,
                                  struct iam_create_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_user_or_self(call, in->user_name, &e));
    if (e->login_ms)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "Login Profile for user " STR_FMT " already exists.", STR_ARG(e->name));
    if (!str_is_set(in->password))
        return call_error(call, &iam_err_validation, "Must specify password");
    TRY(check_password(call, in->password));
    e->login_ms = call->txn->wall_ms;
    e->login_reset = in->has_password_reset_required && in->password_reset_required;
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    return show_login(call, e, &out->login_profile);
}

enum err iam_get_login_profile(struct call *call, const struct iam_get_login_profile_input *in,
                               struct iam_get_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(need_login(call, in->user_name, &e));
    return show_login(call, e, &out->login_profile);
}

enum err iam_update_login_profile(struct call *call,
                                  const struct iam_update_login_profile_input *in,
                                  struct iam_update_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(need_login(call, in->user_name, &e));
    if (str_is_set(in->password))
        TRY(check_password(call, in->password));
    if (in->has_password_reset_required)
        e->login_reset = in->password_reset_required;
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_delete_login_profile(struct call *call,
                                  const struct iam_delete_login_profile_input *in,
                                  struct iam_delete_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(need_login(call, in->user_name, &e));
    e->login_ms = 0;
    e->login_reset = false;
    return iam_entity_store(iam_of(call), call->txn, e);
}

/* --- summary ---------------------------------------------------------------------------------- */

static enum err count_one(void *arg, struct str key, struct str value)
{
    ++*(int64_t *)arg;
    return ERR_OK;
}

static enum err count(struct call *call, struct key_range range, int64_t *ret)
{
    *ret = 0;
    return txn_each(call->txn, range, count_one, ret);
}

enum err iam_get_account_summary(struct call *call, const struct iam_get_account_summary_input *in,
                                 struct iam_get_account_summary_output *out)
{
    static const char *const counted[IAM_KINDS] = {"Users", "Roles", "Groups", "InstanceProfiles"};
    static const struct {
        const char *name;
        int64_t value;
    } fixed[] = {
        {"UsersQuota", 5000},
        {"RolesQuota", 1000},
        {"GroupsQuota", 300},
        {"InstanceProfilesQuota", 1000},
        {"PoliciesQuota", 1500},
        {"GroupsPerUserQuota", IAM_GROUPS_MAX},
        {"AccessKeysPerUserQuota", IAM_KEYS_MAX},
        {"AttachedPoliciesPerGroupQuota", IAM_ATTACHED_MAX},
        {"AttachedPoliciesPerRoleQuota", IAM_ATTACHED_MAX},
        {"AttachedPoliciesPerUserQuota", IAM_ATTACHED_MAX},
        {"UserPolicySizeQuota", IAM_INLINE_USER_CHARS},
        {"GroupPolicySizeQuota", IAM_INLINE_GROUP_CHARS},
        {"RolePolicySizeQuota", IAM_INLINE_ROLE_CHARS},
        {"PolicySizeQuota", IAM_MANAGED_CHARS},
        {"AssumeRolePolicySizeQuota", IAM_TRUST_CHARS},
        {"VersionsPerPolicyQuota", IAM_VERSIONS_MAX},
        {"PolicyVersionsInUseQuota", 10000},
        {"ServerCertificatesQuota", 20},
        {"SigningCertificatesPerUserQuota", 2},
        {"GlobalEndpointTokenVersion", 1},
        {"AccountPasswordPresent", 0},
        {"AccountAccessKeysPresent", 1},
        {"AccountMFAEnabled", 0},
        {"MFADevices", 0},
        {"MFADevicesInUse", 0},
        {"ServerCertificates", 0},
        {"AccountSigningCertificatesPresent", 0},
    };
    enum { N_FIXED = sizeof(fixed) / sizeof(*fixed), N = IAM_KINDS + 2 + N_FIXED };
    struct arena *a = call->arena;
    struct iam_summary_map_type_entry *v = ARENA_ARRAY(a, struct iam_summary_map_type_entry, N);
    if (!v)
        return ERR_NOMEM;
    for (int kind = 0; kind < IAM_KINDS; kind++) {
        v[kind].key = str_c(counted[kind]);
        TRY(count(call, key_range(a, &iam_k_entity, iam_scope(call->account), (uint8_t)kind),
                  &v[kind].value));
    }
    v[IAM_KINDS].key = STR("Policies");
    TRY(count(call, key_range(a, &iam_k_managed, iam_scope(call->account)), &v[IAM_KINDS].value));
    v[IAM_KINDS + 1].key = STR("Providers");
    TRY(count(call, key_range(a, &iam_k_provider, iam_scope(call->account)),
              &v[IAM_KINDS + 1].value));
    for (size_t i = 0; i < N_FIXED; i++) {
        v[IAM_KINDS + 2 + i].key = str_c(fixed[i].name);
        v[IAM_KINDS + 2 + i].value = fixed[i].value;
    }
    out->summary_map = (struct iam_summary_map_type){v, N};
    return ERR_OK;
}
