/* What the account has once: its alias, and how much of everything there is.
 *
 * Layer: svc. Thread: the call's loop. */
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
