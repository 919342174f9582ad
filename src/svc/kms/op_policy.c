/* PutKeyPolicy, GetKeyPolicy, ListKeyPolicies: a key has one policy, "default", and always.
 *
 * Source: AWS KMS Developer Guide, "Default key policy"; API Reference, PutKeyPolicy.
 * Layer: svc. Thread: the call's. */
#include "svc/kms/kms_int.h"

static const struct str NAME = STR_INIT("default");

static enum err malformed(struct call *call, const char *why)
{
    return call_error(call, &kms_err_malformed_policy_document_exception, "%s", why);
}

/* Whether who stores it could store another. */
static enum err check_lockout(struct call *call, struct str arn, struct str stored)
{
    const struct policy *policy;
    enum err err = core_policy(call->core, call->arena, POLICY_RESOURCE, stored, &policy);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    err = call_allowed_by(call, "kms:PutKeyPolicy", arn, policy);
    if (err == ERR_DENIED)
        return malformed(call, "The new key policy will not allow you to update the key policy in "
                               "the future.");
    return err;
}

static enum err check(struct call *call, struct str arn, struct str document, bool lockout_is_fine,
                      struct str *ret_stored)
{
    const char *why = "";
    if (document.len > KMS_POLICY_MAX)
        return call_error(call, &kms_err_limit_exceeded_exception,
                          "The key policy is longer than %d bytes.", KMS_POLICY_MAX);
    enum err err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, document, &why);
    if (err == ERR_OK)
        err = core_policy_stored(call->txn, document, &why, ret_stored);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return malformed(call, why);
    TRY(err);
    return lockout_is_fine ? ERR_OK : check_lockout(call, arn, *ret_stored);
}

enum err kms_policy_new(struct call *call, const struct kms_key *key, struct str given,
                        bool lockout_is_fine, struct str *ret_stored)
{
    struct str arn = kms_key_arn(call, key);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    if (str_is_set(given))
        return check(call, arn, given, lockout_is_fine, ret_stored);
    *ret_stored = str_fmt(call->arena,
                          "{\n"
                          "  \"Version\" : \"2012-10-17\",\n"
                          "  \"Id\" : \"key-default-1\",\n"
                          "  \"Statement\" : [ {\n"
                          "    \"Sid\" : \"Enable IAM User Permissions\",\n"
                          "    \"Effect\" : \"Allow\",\n"
                          "    \"Principal\" : {\n"
                          "      \"AWS\" : \"arn:" STR_FMT ":iam::" STR_FMT ":root\"\n"
                          "    },\n"
                          "    \"Action\" : \"kms:*\",\n"
                          "    \"Resource\" : \"*\"\n"
                          "  } ]\n"
                          "}",
                          STR_ARG(call->partition), STR_ARG(call->account));
    return str_is_set(*ret_stored) ? ERR_OK : ERR_NOMEM;
}

static enum err check_name(struct call *call, struct str name)
{
    if (!str_is_set(name) || str_eq(name, NAME))
        return ERR_OK;
    return call_error(call, &kms_err_not_found_exception, "No such policy exists");
}

enum err kms_put_key_policy(struct call *call, const struct kms_put_key_policy_input *in,
                            struct kms_put_key_policy_output *out)
{
    struct kms_key key;
    struct str stored;
    TRY(check_name(call, in->policy_name));
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    struct str arn = kms_key_arn(call, &key);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(check(call, arn, in->policy, in->bypass_policy_lockout_safety_check, &stored));
    return txn_put(call->txn, key_make(call->arena, &kms_k_policy, key.scope, key.id), stored);
}

enum err kms_get_key_policy(struct call *call, const struct kms_get_key_policy_input *in,
                            struct kms_get_key_policy_output *out)
{
    struct kms_key key;
    struct str stored;
    TRY(check_name(call, in->policy_name));
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    TRY(txn_get(call->txn, key_make(call->arena, &kms_k_policy, key.scope, key.id), &stored));
    out->policy_name = NAME;
    return core_policy_shown(call->core, call->arena, stored, &out->policy);
}

enum err kms_list_key_policies(struct call *call, const struct kms_list_key_policies_input *in,
                               struct kms_list_key_policies_output *out)
{
    struct kms_key key;
    struct str after;
    struct page page =
        kms_page(call, in->key_id, in->marker, in->has_limit ? (size_t)in->limit : KMS_LIST_KEYS);
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    TRY(kms_paged(call, page_start(&page, &after)));
    out->policy_names = (struct kms_policy_name_list){&NAME, 1};
    WIRE_SET(out, truncated, false);
    return ERR_OK;
}
