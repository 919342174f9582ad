/* Grants: permissions on a key that stand beside its policy, each for one principal and some
 * operations, maybe for some encryption contexts only.
 *
 * A question costs a scan of the grants that name the caller (by session, role, account or service), not
 * of all that the key has.
 *
 * Source: AWS KMS Developer Guide, "Grants in AWS KMS", "Using grant constraints".
 * Layer: svc. Thread: the transaction's. */
#include "base/arn.h"
#include "base/pack.h"
#include "codec/base64.h"
#include "core/secret.h"
#include "svc/kms/kms_int.h"

/* Never reorder: a place is a bit of stored records. */
const struct str kms_grant_operations[KMS_GRANT_OPERATIONS] = {
    STR_INIT("Decrypt"),
    STR_INIT("Encrypt"),
    STR_INIT("GenerateDataKey"),
    STR_INIT("GenerateDataKeyWithoutPlaintext"),
    STR_INIT("ReEncryptFrom"),
    STR_INIT("ReEncryptTo"),
    STR_INIT("GenerateDataKeyPair"),
    STR_INIT("GenerateDataKeyPairWithoutPlaintext"),
    STR_INIT("Sign"),
    STR_INIT("Verify"),
    STR_INIT("GetPublicKey"),
    STR_INIT("GenerateMac"),
    STR_INIT("VerifyMac"),
    STR_INIT("DeriveSharedSecret"),
    STR_INIT("CreateGrant"),
    STR_INIT("RetireGrant"),
    STR_INIT("DescribeKey"),
};

enum {
    BIT_ENCRYPTION = 0x3f, /* Decrypt to ReEncryptTo */
    BIT_RE_ENCRYPT = 0x33, /* without data keys */
    BIT_PAIRS = 0xc0,
    BIT_SIGN = 0x300,
    BIT_PUBLIC = 0x400,
    BIT_MAC = 0x1800,
    BIT_AGREE = 0x2000,
    BIT_ALL_KEYS = 0x1c000,
};

uint64_t kms_grantable(const struct kms_key *key)
{
    switch (key->usage) {
    case KMS_ENCRYPT_DECRYPT:
        return BIT_ALL_KEYS | (key->spec == KMS_SYMMETRIC_DEFAULT ? BIT_ENCRYPTION | BIT_PAIRS
                                                                  : BIT_RE_ENCRYPT | BIT_PUBLIC);
    case KMS_SIGN_VERIFY:
        return BIT_ALL_KEYS | BIT_SIGN | BIT_PUBLIC;
    case KMS_GENERATE_VERIFY_MAC:
        return BIT_ALL_KEYS | BIT_MAC;
    case KMS_KEY_AGREEMENT:
        return BIT_ALL_KEYS | BIT_AGREE | BIT_PUBLIC;
    case KMS_USAGES:
        break;
    }
    return BIT_ALL_KEYS;
}

/* --- principals ------------------------------------------------------------------------------- */

enum { NAMES_MAX = 4 };

/* The texts by which a stored principal may mean this one. */
static size_t names_of(const struct principal *who, struct str out[NAMES_MAX])
{
    size_t n = 0;
    if (who->kind == PRINCIPAL_SERVICE) {
        out[n++] = who->service;
        return n;
    }
    if (str_is_set(who->arn))
        out[n++] = who->arn;
    if (who->user_id.len > 0 && who->kind != PRINCIPAL_ROOT) {
        struct str rest = who->user_id;
        out[n++] = who->user_id;
        if (who->kind == PRINCIPAL_ROLE)
            out[n++] = str_cut(&rest, ':');
    }
    return n;
}

bool kms_principal_is(struct str stored, const struct principal *who)
{
    struct str names[NAMES_MAX];
    size_t n = names_of(who, names);
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], stored))
            return true;
    return false;
}

/* --- constraints ------------------------------------------------------------------------------ */

static bool has_pair(struct kms_pairs pairs, const struct kms_pair *p)
{
    for (size_t i = 0; i < pairs.n; i++)
        if (str_eq(pairs.v[i].key, p->key) && str_eq(pairs.v[i].value, p->value))
            return true;
    return false;
}

static bool has_all(struct kms_pairs pairs, const struct kms_pair *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!has_pair(pairs, &v[i]))
            return false;
    return true;
}

static bool context_fits(const struct kms_grant *g, struct kms_pairs context)
{
    if (g->constraint == KMS_UNCONSTRAINED)
        return true;
    if (g->constraint == KMS_CONTEXT_EQUALS && context.n != g->n_pairs)
        return false;
    return has_all(context, g->pairs, g->n_pairs);
}

/* --- the question ----------------------------------------------------------------------------- */

static uint64_t operation_bit(struct str name)
{
    for (size_t i = 0; i < KMS_GRANT_OPERATIONS; i++)
        if (str_eq(kms_grant_operations[i], name))
            return (uint64_t)1 << i;
    return 0;
}

struct asking {
    struct txn *txn;
    struct call *call;
    uint64_t bit;
    struct str action;
    bool allowed;
};

/* Whoever may grant by a grant gives on no more than he has: not more operations, not fewer
 * constraints. */
static bool within_parent(const struct kms_grant *parent, const struct call *call)
{
    const struct kms_create_grant_input *in = call_input(call);
    for (size_t i = 0; i < in->operations.n; i++)
        if (!(parent->operations & operation_bit(in->operations.v[i])))
            return false;
    if (parent->constraint == KMS_UNCONSTRAINED)
        return true;
    if (!in->constraints)
        return false;
    struct kms_pairs equals = KMS_PAIRS(in->constraints->encryption_context_equals);
    struct kms_pairs subset = KMS_PAIRS(in->constraints->encryption_context_subset);
    if (parent->constraint == KMS_CONTEXT_EQUALS)
        return equals.n == parent->n_pairs && has_all(equals, parent->pairs, parent->n_pairs);
    return has_all(equals.n > 0 ? equals : subset, parent->pairs, parent->n_pairs);
}

static enum err ask(void *arg, struct str key, struct str record)
{
    struct asking *q = arg;
    struct kms_grant g;
    TRY(txn_work_row(q->txn, key, record));
    TRY(kms_grant_parse(q->txn->arena, key, record, &g));
    if (!(g.operations & q->bit))
        return ERR_OK;
    if (str_eq_c(q->action, "kms:CreateGrant"))
        q->allowed = q->call && within_parent(&g, q->call);
    else
        q->allowed =
            context_fits(&g, q->call ? kms_context_of(q->call, q->action) : (struct kms_pairs){0});
    return q->allowed ? ERR_CLOSED : ERR_OK;
}

enum err kms_grants_allow(void *self, struct txn *txn, struct call *call,
                          const struct principal *who, struct str action, struct str arn,
                          enum svc_grant *ret_grant)
{
    struct arn parts;
    struct str names[NAMES_MAX];
    *ret_grant = SVC_GRANT_NONE;
    if (!str_starts(action, STR("kms:")) || arn_parse_as(arn, "kms", "key", &parts) != ERR_OK)
        return ERR_OK;
    struct asking q = {.txn = txn,
                       .call = call,
                       .bit = operation_bit(str_sub(action, 4, SIZE_MAX)),
                       .action = action};
    size_t n = q.bit ? names_of(who, names) : 0;
    struct key_scope scope = {parts.account, parts.region};
    for (size_t i = 0; i < n && !q.allowed; i++)
        TRY(txn_each(txn, key_range(txn->arena, &kms_k_grant, scope, arn_tail(&parts, 1), names[i]),
                     ask, &q));
    *ret_grant = q.allowed ? SVC_GRANT_CALLER : SVC_GRANT_NONE;
    return ERR_OK;
}

/* --- tokens ----------------------------------------------------------------------------------- */

enum { TOKEN_PLAIN_MAX = 256 };
static const struct str TOKEN_BOUND = STR_INIT("kms: grant token");

struct str kms_grant_token(struct call *call, struct str key_id, struct str grant_id)
{
    struct buf b;
    struct str sealed;
    buf_init_arena(&b, call->arena, TOKEN_PLAIN_MAX);
    pack_str(&b, key_id);
    pack_str(&b, grant_id);
    if (buf_err(&b) || secret_close(call->core, call->arena, TOKEN_BOUND, buf_str(&b), &sealed))
        return STR_NONE;
    return base64_encode(call->arena, sealed.p, sealed.len);
}

enum err kms_grant_of_token(struct call *call, struct str token, struct str *ret_key_id,
                            struct str *ret_grant_id)
{
    struct str sealed, plain;
    struct unpack u;
    TRY(base64_decode(call->arena, token, &sealed));
    enum err err = secret_open(call->core, call->arena, TOKEN_BOUND, sealed, &plain);
    if (err)
        return err == ERR_CORRUPT ? ERR_INVALID : err;
    unpack_init(&u, plain);
    *ret_key_id = unpack_str(&u);
    *ret_grant_id = unpack_str(&u);
    return unpack_end(&u) ? ERR_INVALID : ERR_OK;
}

/* Grants hold from their commit on, so a token adds nothing; but a wrong one is told. */
enum err kms_check_tokens(struct call *call, const struct kms_grant_token_list *tokens)
{
    struct str key_id, grant_id;
    for (size_t i = 0; i < tokens->n; i++) {
        enum err err = kms_grant_of_token(call, tokens->v[i], &key_id, &grant_id);
        if (err == ERR_INVALID)
            return call_error(call, &kms_err_invalid_grant_token_exception,
                              "The grant token is not valid.");
        TRY(err);
    }
    return ERR_OK;
}
