/* What policies about keys ask: which key a request means, its policy, the condition keys.
 *
 * A request's own keys are made once for the request (kms_auth_context); those of the key asked about,
 * and of the part of the request that is about that key, once for each (kms_resource_keys): ReEncrypt
 * asks about two, with an encryption context each.
 *
 * Source: AWS KMS Developer Guide, "AWS KMS condition keys"; Service Authorization Reference.
 * Layer: svc. Thread: the call's. */
#include "base/arn.h"
#include "svc/kms/kms_int.h"

/* --- which key -------------------------------------------------------------------------------- */

static bool names_alias(struct str text)
{
    struct arn arn;
    if (!arn_is(text))
        return str_starts(text, STR("alias/"));
    return arn_parse_as(text, "kms", NULL, &arn) == ERR_OK &&
           str_starts(arn.resource, STR("alias/"));
}

/* The ARN of the key that an alias leads to; of the alias itself where there is none. */
static enum err through_alias(struct call *call, struct str *resource)
{
    struct arn arn;
    struct kms_alias alias;
    struct str name = *resource;
    struct key_scope scope = kms_scope_of(call, name);
    if (arn_is(name)) {
        TRY(arn_parse(name, &arn));
        if (!str_eq(arn.account, scope.account) || !str_eq(arn.region, scope.region))
            return ERR_OK;
        name = arn.resource;
    }
    enum err err = kms_alias_read(call->txn, scope, name, &alias);
    if (err == ERR_OK)
        *resource = kms_arn(call->arena, call->core, scope, alias.key_id);
    else if (err == ERR_NOT_FOUND)
        *resource = call_arn(call, "kms", STR_FMT, STR_ARG(name));
    else
        return err;
    return str_is_set(*resource) ? ERR_OK : ERR_NOMEM;
}

/* The key that a ciphertext says itself. */
static enum err through_ciphertext(struct call *call, struct str bytes, struct str *resource)
{
    struct kms_blob blob;
    if (kms_blob_read(bytes, &blob) != ERR_OK)
        return call_error(call, &kms_err_invalid_ciphertext_exception, "%s", "");
    struct key_scope scope = call_scope(call);
    TRY(kms_owner_of(call->txn, str_c(blob.key_id), &scope.account));
    *resource = kms_arn(call->arena, call->core, scope, str_c(blob.key_id));
    return str_is_set(*resource) ? ERR_OK : ERR_NOMEM;
}

/* Not of ReEncrypt, whose two keys may be two accounts': kms_scope_of. */
enum err kms_owner(struct call *call, const void *in, struct str *ret_account)
{
    struct kms_blob blob;
    struct str bytes = STR_NONE;
    if (call->op->index == KMS_OP_DECRYPT && !str_is_set(call_input_str(call, STR("KeyId"))))
        bytes = ((const struct kms_decrypt_input *)in)->ciphertext_blob;
    if (!str_is_set(bytes) || kms_blob_read(bytes, &blob) != ERR_OK)
        return ERR_OK; /* the operation says what is wrong */
    struct str id = str_dup(call->arena, str_c(blob.key_id));
    return str_is_set(id) ? kms_owner_of(call->txn, id, ret_account) : ERR_NOMEM;
}

static bool is_about_aliases(unsigned op)
{
    return op == KMS_OP_CREATE_ALIAS || op == KMS_OP_UPDATE_ALIAS || op == KMS_OP_DELETE_ALIAS;
}

enum err kms_real_resource(struct call *call, struct str *resource)
{
    unsigned op = call->op->index;
    const void *in = call_input(call);
    if (str_eq_c(*resource, "*")) {
        if (op == KMS_OP_DECRYPT && in)
            return through_ciphertext(call, ((const struct kms_decrypt_input *)in)->ciphertext_blob,
                                      resource);
        if (op == KMS_OP_RE_ENCRYPT && in)
            return through_ciphertext(
                call, ((const struct kms_re_encrypt_input *)in)->ciphertext_blob, resource);
        return ERR_OK;
    }
    if (names_alias(*resource))
        return is_about_aliases(op) ? ERR_OK : through_alias(call, resource);
    if (!arn_is(*resource))
        *resource = kms_arn(call->arena, call->core, call_scope(call), *resource);
    return str_is_set(*resource) ? ERR_OK : ERR_NOMEM;
}

/* ERR_NOT_FOUND: the ARN is no key's. */
static enum err key_of_arn(struct txn *txn, struct str arn, struct kms_key *ret)
{
    struct arn parts;
    if (arn_parse_as(arn, "kms", "key", &parts) != ERR_OK)
        return ERR_NOT_FOUND;
    return kms_key_read(txn, (struct key_scope){parts.account, parts.region}, arn_tail(&parts, 1),
                        ret);
}

enum err kms_resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    struct arn parts;
    *ret_json = STR_NONE;
    if (arn_parse_as(arn, "kms", "key", &parts) != ERR_OK)
        return ERR_OK;
    struct key_scope scope = {parts.account, parts.region};
    enum err err =
        txn_get(txn, key_make(txn->arena, &kms_k_policy, scope, arn_tail(&parts, 1)), ret_json);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- condition keys of the request ------------------------------------------------------------ */

static void add_created(const struct kms_create_key_input *in, struct policy_context *ctx)
{
    struct str spec = str_is_set(in->key_spec)                   ? in->key_spec
                      : str_is_set(in->customer_master_key_spec) ? in->customer_master_key_spec
                                                                 : STR("SYMMETRIC_DEFAULT");
    struct str usage = str_is_set(in->key_usage) ? in->key_usage : STR("ENCRYPT_DECRYPT");
    policy_context_add(ctx, STR("kms:KeySpec"), spec);
    policy_context_add(ctx, STR("kms:CustomerMasterKeySpec"), spec);
    policy_context_add(ctx, STR("kms:KeyUsage"), usage);
    policy_context_add(ctx, STR("kms:CustomerMasterKeyUsage"), usage);
    policy_context_add(ctx, STR("kms:KeyOrigin"),
                       str_is_set(in->origin) ? in->origin : STR("AWS_KMS"));
    policy_context_add_bool(ctx, STR("kms:MultiRegion"), in->multi_region);
    policy_context_add_bool(ctx, STR("kms:BypassPolicyLockoutSafetyCheck"),
                            in->bypass_policy_lockout_safety_check);
}

static void add_grant(const struct call *call, const struct kms_create_grant_input *in,
                      struct policy_context *ctx)
{
    if (!in->constraints)
        return;
    if (in->constraints->encryption_context_equals.n > 0)
        policy_context_add(ctx, STR("kms:GrantConstraintType"), STR("EncryptionContextEquals"));
    if (in->constraints->encryption_context_subset.n > 0)
        policy_context_add(ctx, STR("kms:GrantConstraintType"), STR("EncryptionContextSubset"));
}

/* "s3.amazonaws.com" asks in a region: "s3.us-east-1.amazonaws.com". */
static void add_via(const struct call *call, struct policy_context *ctx)
{
    struct str rest = call_via_service(call), name = str_cut(&rest, '.');
    if (!str_is_set(rest))
        return;
    struct str via = str_fmt(ctx->arena, STR_FMT "." STR_FMT "." STR_FMT, STR_ARG(name),
                             STR_ARG(call->region), STR_ARG(rest));
    if (!str_is_set(via))
        ctx->err = ERR_NOMEM;
    policy_context_add(ctx, STR("kms:ViaService"), via);
}

enum err kms_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    policy_context_add(ctx, STR("kms:CallerAccount"), call->who->account);
    add_via(call, ctx);
    switch (call->op->index) {
    case KMS_OP_CREATE_KEY:
        add_created(in, ctx);
        break;
    case KMS_OP_PUT_KEY_POLICY:
        policy_context_add_bool(
            ctx, STR("kms:BypassPolicyLockoutSafetyCheck"),
            ((const struct kms_put_key_policy_input *)in)->bypass_policy_lockout_safety_check);
        break;
    case KMS_OP_SCHEDULE_KEY_DELETION: {
        const struct kms_schedule_key_deletion_input *s = in;
        policy_context_add_i64(ctx, STR("kms:ScheduleKeyDeletionPendingWindowInDays"),
                               s->has_pending_window_in_days ? s->pending_window_in_days
                                                             : KMS_WINDOW_DAYS_MAX);
        break;
    }
    case KMS_OP_CREATE_GRANT:
        add_grant(call, in, ctx);
        /* fall through */
    case KMS_OP_LIST_GRANTS:
    case KMS_OP_REVOKE_GRANT:
        policy_context_add_bool(ctx, STR("kms:GrantIsForAWSResource"),
                                str_is_set(call_via_service(call)));
        break;
    default:
        break;
    }
    return ctx->err;
}

/* --- of the key, and of what is asked of it --------------------------------------------------- */

static void add_context(const struct call *call, struct str action, struct policy_context *ctx)
{
    const struct kms_about *a = kms_about_of(call, action);
    struct kms_pairs pairs = kms_context_of(call, action);
    if (!a)
        return;
    for (size_t i = 0; i < pairs.n; i++) {
        policy_context_add2(ctx, STR("kms:EncryptionContext:"), pairs.v[i].key, pairs.v[i].value);
        policy_context_add(ctx, STR("kms:EncryptionContextKeys"), pairs.v[i].key);
    }
    struct str algorithm = call_input_str(call, str_c(a->algorithm));
    policy_context_add(ctx, STR("kms:EncryptionAlgorithm"),
                       str_is_set(algorithm) ? algorithm : STR("SYMMETRIC_DEFAULT"));
}

/* The alias by which the request names the key. */
static void add_request_alias(const struct call *call, struct str action,
                              struct policy_context *ctx)
{
    const struct kms_about *a = kms_about_of(call, action);
    struct arn arn;
    if (!kms_is_ours(call))
        return;
    struct str ref = call_input_str(call, str_c(a ? a->key : "KeyId"));
    if (!str_is_set(ref) || !names_alias(ref))
        return;
    if (arn_is(ref) && arn_parse(ref, &arn) == ERR_OK)
        ref = arn.resource;
    policy_context_add(ctx, STR("kms:RequestAlias"), ref);
}

struct alias_keys {
    struct txn *txn;
    struct policy_context *ctx;
};

static enum err add_alias(void *arg, struct str key, struct str record)
{
    const struct alias_keys *k = arg;
    struct str name;
    TRY(key_read(&kms_k_alias_of, key, k->txn->arena, KEY_SKIP, KEY_SKIP, &name));
    policy_context_add(k->ctx, STR("kms:ResourceAliases"), name);
    return ERR_OK;
}

static enum err add_key(struct txn *txn, const struct kms_key *key, struct policy_context *ctx)
{
    struct alias_keys k = {txn, ctx};
    struct str spec = kms_specs[key->spec].name, usage = kms_usage_names[key->usage];
    policy_context_add(ctx, STR("kms:KeySpec"), spec);
    policy_context_add(ctx, STR("kms:CustomerMasterKeySpec"), spec);
    policy_context_add(ctx, STR("kms:KeyUsage"), usage);
    policy_context_add(ctx, STR("kms:CustomerMasterKeyUsage"), usage);
    policy_context_add(ctx, STR("kms:KeyOrigin"), key->imported ? STR("EXTERNAL") : STR("AWS_KMS"));
    policy_context_add_bool(ctx, STR("kms:MultiRegion"), false);
    return txn_each(txn, key_range(txn->arena, &kms_k_alias_of, key->scope, key->id), add_alias,
                    &k);
}

/* Whether a ciphertext stays under its key; known to both of ReEncrypt's permissions. */
static enum err add_same_key(struct call *call, struct policy_context *ctx)
{
    if (!kms_is_ours(call) || call->op->index != KMS_OP_RE_ENCRYPT)
        return ERR_OK;
    const struct kms_re_encrypt_input *in = call_input(call);
    struct str from = str_is_set(in->source_key_id) ? in->source_key_id : STR("*");
    struct str to = in->destination_key_id;
    TRY(kms_real_resource(call, &from));
    TRY(kms_real_resource(call, &to));
    policy_context_add_bool(ctx, STR("kms:ReEncryptOnSameKey"), str_eq(from, to));
    return ERR_OK;
}

enum err kms_resource_keys(void *self, struct txn *txn, struct call *call, struct str action,
                           struct str arn, struct policy_context *ctx)
{
    struct kms_key key;
    add_context(call, action, ctx);
    add_request_alias(call, action, ctx);
    TRY(add_same_key(call, ctx));
    enum err err = key_of_arn(txn, arn, &key);
    if (err == ERR_OK)
        err = add_key(txn, &key, ctx);
    return err == ERR_NOT_FOUND ? ctx->err : err ? err : ctx->err;
}

/* --- further permissions ---------------------------------------------------------------------- */

/* Changing an alias needs a permission on the key that it leaves, too. */
static enum err authorize_alias(struct call *call, const char *action)
{
    struct kms_alias alias;
    struct str name = call_input_str(call, STR("AliasName"));
    enum err err = kms_alias_read(call->txn, call_scope(call), name, &alias);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct str arn = kms_arn(call->arena, call->core, call_scope(call), alias.key_id);
    return str_is_set(arn) ? call_authorize(call, action, arn) : ERR_NOMEM;
}

/* The grant says who may retire it: its retiring principal, and its grantee if it has the operation.
 * Others need a permission on the key. */
static enum err authorize_retire(struct call *call, const struct kms_retire_grant_input *in)
{
    struct kms_grant g;
    struct str key_id, grant_id;
    TRY(kms_retiring(call, in, &key_id, &grant_id));
    enum err err = kms_grant_read(call->txn, call_scope(call), key_id, grant_id, &g);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_OK && str_is_set(g.retiring) && kms_principal_is(g.retiring, call->who))
        return ERR_OK;
    struct str arn = kms_arn(call->arena, call->core, call_scope(call), key_id);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    return call_authorize(call, "kms:RetireGrant", arn);
}

enum err kms_authorize_more(struct call *call, const void *in)
{
    switch (call->op->index) {
    case KMS_OP_UPDATE_ALIAS:
        return authorize_alias(call, "kms:UpdateAlias");
    case KMS_OP_DELETE_ALIAS:
        return authorize_alias(call, "kms:DeleteAlias");
    case KMS_OP_RETIRE_GRANT:
        return in ? authorize_retire(call, in) : ERR_OK;
    default:
        return ERR_OK;
    }
}
