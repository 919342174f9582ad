/* Which key a request means, whether that can do what is asked, and the errors of both.
 *
 * Source: AWS KMS API Reference; Developer Guide, "Key states of AWS KMS keys".
 * Layer: svc. Thread: the call's. */
#include "base/arn.h"
#include "core/account.h"
#include "svc/kms/kms_int.h"

/* --- names ------------------------------------------------------------------------------------ */

struct str kms_arn(struct arena *a, const struct core *core, struct key_scope scope,
                   struct str key_id)
{
    return str_fmt(a, "arn:" STR_FMT ":kms:" STR_FMT ":" STR_FMT ":key/" STR_FMT,
                   STR_ARG(core->cfg.partition), STR_ARG(scope.region), STR_ARG(scope.account),
                   STR_ARG(key_id));
}

struct str kms_key_arn(const struct call *call, const struct kms_key *key)
{
    return kms_arn(call->arena, call->core, key->scope, key->id);
}

static enum err no_such_key(struct call *call, struct key_scope scope, struct str id)
{
    return call_error(
        call, &kms_err_not_found_exception,
        "Key 'arn:" STR_FMT ":kms:" STR_FMT ":" STR_FMT ":key/" STR_FMT "' does not exist",
        STR_ARG(call->partition), STR_ARG(scope.region), STR_ARG(scope.account), STR_ARG(id));
}

static enum err bad_id(struct call *call, struct str ref)
{
    return call_error(call, &kms_err_not_found_exception, "Invalid keyId " STR_FMT, STR_ARG(ref));
}

struct key_scope kms_scope_of(const struct call *call, struct str ref)
{
    struct key_scope scope = call_scope(call);
    bool two_keys = kms_is_ours(call) && call->op->index == KMS_OP_RE_ENCRYPT;
    struct str account = two_keys && arn_is(ref) ? wire_account_in(ref) : STR_NONE;
    if (str_is_set(account) && account_known(call->core, account))
        scope.account = account;
    return scope;
}

static enum err of_alias(struct call *call, struct key_scope scope, struct str name,
                         struct str *ret_id)
{
    struct kms_alias alias;
    enum err err = kms_alias_read(call->txn, scope, name, &alias);
    if (err == ERR_NOT_FOUND)
        return call_error(
            call, &kms_err_not_found_exception,
            "Alias arn:" STR_FMT ":kms:" STR_FMT ":" STR_FMT ":" STR_FMT " is not found.",
            STR_ARG(call->partition), STR_ARG(scope.region), STR_ARG(scope.account), STR_ARG(name));
    TRY(err);
    *ret_id = alias.key_id;
    return ERR_OK;
}

static enum err of_arn(struct call *call, struct key_scope scope, struct str ref,
                       enum kms_form form, struct str *ret_id)
{
    struct arn arn;
    if (arn_parse_as(ref, "kms", NULL, &arn) != ERR_OK)
        return call_error(call, &kms_err_invalid_arn_exception, "Invalid arn " STR_FMT,
                          STR_ARG(ref));
    bool alias = str_starts(arn.resource, STR("alias/"));
    struct str id = arn_tail(&arn, 1);
    if ((!alias && !str_starts(arn.resource, STR("key/"))) || !str_is_set(id) ||
        (alias && form == KMS_BY_ID))
        return call_error(call, &kms_err_invalid_arn_exception, "Invalid arn " STR_FMT,
                          STR_ARG(ref));
    if (!str_eq(arn.region, call->region))
        return call_error(call, &kms_err_not_found_exception, "Invalid arn " STR_FMT,
                          STR_ARG(arn.region));
    if (!str_eq(arn.account, scope.account))
        return call_error(call, &kms_err_not_found_exception, "Key '" STR_FMT "' does not exist",
                          STR_ARG(ref));
    if (alias)
        return of_alias(call, scope, arn.resource, ret_id);
    *ret_id = id;
    return ERR_OK;
}

enum err kms_resolve(struct call *call, struct str ref, enum kms_form form, struct str *ret_id)
{
    struct key_scope scope = kms_scope_of(call, ref);
    if (arn_is(ref))
        return of_arn(call, scope, ref, form, ret_id);
    if (str_starts(ref, STR("alias/")) && form == KMS_BY_ALIAS)
        return of_alias(call, scope, ref, ret_id);
    if (!kms_is_uuid(ref))
        return bad_id(call, ref);
    *ret_id = ref;
    return ERR_OK;
}

static enum err need_in(struct call *call, struct key_scope scope, struct str id,
                        struct kms_key *ret)
{
    enum err err = kms_key_read(call->txn, scope, id, ret);
    return err == ERR_NOT_FOUND ? no_such_key(call, scope, id) : err;
}

enum err kms_need_id(struct call *call, struct str id, struct kms_key *ret)
{
    return need_in(call, call_scope(call), id, ret);
}

enum err kms_need(struct call *call, struct str ref, enum kms_form form, struct kms_key *ret)
{
    struct str id;
    TRY(kms_resolve(call, ref, form, &id));
    return need_in(call, kms_scope_of(call, ref), id, ret);
}

/* --- states ----------------------------------------------------------------------------------- */

static enum err in_state(struct call *call, const struct kms_key *key, const char *state)
{
    struct str arn = kms_key_arn(call, key);
    return call_error(call, &kms_err_kms_invalid_state_exception, STR_FMT " is %s.", STR_ARG(arn),
                      state);
}

enum err kms_not_pending_deletion(struct call *call, const struct kms_key *key)
{
    return key->state == KMS_PENDING_DELETION ? in_state(call, key, "pending deletion") : ERR_OK;
}

enum err kms_enabled(struct call *call, const struct kms_key *key)
{
    struct str arn = kms_key_arn(call, key);
    switch (key->state) {
    case KMS_DISABLED:
        return call_error(call, &kms_err_disabled_exception, STR_FMT " is disabled.", STR_ARG(arn));
    case KMS_PENDING_DELETION:
        return in_state(call, key, "pending deletion");
    case KMS_PENDING_IMPORT:
        return in_state(call, key, "pending import");
    case KMS_ENABLED:
    case KMS_STATES:
        break;
    }
    return ERR_OK;
}

enum err kms_usable_for(struct call *call, const struct kms_key *key, enum kms_usage usage,
                        const char *what)
{
    TRY(kms_enabled(call, key));
    if (key->usage == usage)
        return ERR_OK;
    struct str arn = kms_key_arn(call, key);
    return call_error(call, &kms_err_invalid_key_usage_exception,
                      STR_FMT " key usage is " STR_FMT " which is not valid for %s.", STR_ARG(arn),
                      STR_ARG(kms_usage_names[key->usage]), what);
}

enum err kms_need_for(struct call *call, struct str ref, enum kms_usage usage, const char *what,
                      struct kms_key *ret)
{
    TRY(kms_need(call, ref, KMS_BY_ALIAS, ret));
    return kms_usable_for(call, ret, usage, what);
}

enum err kms_need_algorithm(struct call *call, const struct kms_key *key, struct str name)
{
    if (kms_names_have(kms_algorithms(key->spec, key->usage), name))
        return ERR_OK;
    return call_error(call, &kms_err_invalid_key_usage_exception,
                      "Algorithm " STR_FMT " and key spec " STR_FMT " are incompatible.",
                      STR_ARG(name), STR_ARG(kms_specs[key->spec].name));
}

/* --- what requests have in common ------------------------------------------------------------- */

struct page kms_page(struct call *call, struct str scope, struct str marker, size_t limit)
{
    return page_of_call(call, scope, marker, limit);
}

enum err kms_paged(struct call *call, enum err err)
{
    if (err == ERR_INVALID)
        return call_error(call, &kms_err_invalid_marker_exception, "The marker is not valid.");
    return err;
}

enum err kms_unsupported(struct call *call, const char *what)
{
    return call_error(call, &kms_err_unsupported_operation_exception, "%s not supported by Weir.",
                      what);
}

enum err kms_no_recipient(struct call *call, const struct kms_recipient_info *recipient)
{
    if (!recipient)
        return ERR_OK;
    return call_error(call, &kms_err_validation,
                      "Recipient (attested enclaves) is not supported by Weir.");
}

enum err kms_dry_run(struct call *call, bool asked)
{
    if (!asked)
        return ERR_OK;
    return call_error(call, &kms_err_dry_run_operation_exception,
                      "The request would have succeeded, but the DryRun option is set.");
}

enum err kms_slow(struct call *call)
{
    return txn_work(call->txn, TXN_SLICE_WORK + 1);
}

enum err kms_context_check(struct call *call, const struct kms_key *key, struct kms_pairs context)
{
    size_t bytes = 0;
    for (size_t i = 0; i < context.n; i++)
        bytes += context.v[i].key.len + context.v[i].value.len;
    if (bytes > KMS_CONTEXT_BYTES_MAX)
        return call_error(call, &kms_err_validation,
                          "1 validation error detected: Value at 'encryptionContext' failed to "
                          "satisfy constraint: Member must have length less than or equal to %d",
                          KMS_CONTEXT_BYTES_MAX);
    if (context.n > 0 && key->spec != KMS_SYMMETRIC_DEFAULT)
        return call_error(
            call, &kms_err_validation,
            "You cannot specify an encryption context when performing a cryptographic "
            "operation with an asymmetric KMS key.");
    return ERR_OK;
}
