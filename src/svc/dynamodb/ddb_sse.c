/* SSESpecification and SSEDescription: which key a table's data key is under. See ddb_cipher.c.
 * Layer: svc/dynamodb. Thread: the call's. */
#include "core/secret.h"
#include "svc/dynamodb/ddb_backup.h"

static const struct str MANAGED = STR_INIT("alias/aws/dynamodb");

static enum err check(struct ddb_diag *diag, const struct dynamodb_sse_specification *in)
{
    if (!in->enabled && (str_is_set(in->kms_master_key_id) || str_is_set(in->sse_type)))
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: %s can not be specified if "
                           "Enabled is false",
                           str_is_set(in->sse_type) ? "SSEType" : "KMSMasterKeyId");
    if (str_eq_c(in->sse_type, "AES256"))
        return ddb_invalid(diag, "One or more parameter values were invalid: SSEType AES256 is not "
                                 "supported");
    return ERR_OK;
}

/* Back to no key of its own. What was never sealed stays so. */
static enum err leave_kms(struct txn *txn, const struct ddb_cipher *old, struct ddb_table *table)
{
    table->kms_arn = STR_NONE;
    if (!str_is_set(old->key))
        return ERR_OK;
    return secret_close(txn->core, txn->arena, table->arn, old->key, &table->data_key);
}

/* A first data key, or the table's own under another key. */
static enum err use_kms(struct call *call, struct ddb_diag *diag, const struct ddb_cipher *old,
                        struct str key, struct ddb_table *table)
{
    const struct kms_port *kms = kms_port_of(call->core);
    struct kms_refusal why;
    struct kms_data_key made;
    struct kms_pair account;
    struct kms_use use;
    TRY(ddb_kms_use(call->who, table->arn, &account, &use));
    use.reuse_ms = 0; /* a table's data key is its own */
    use.proves = true;
    enum err err = str_is_set(old->key)
                       ? kms->wrap(kms->self, call->txn, &use, key, old->key, &made, &why)
                       : kms->data_key(kms->self, call->txn, &use, key, &made, &why);
    if (err == ERR_DENIED)
        return ddb_invalid(diag, "KMS validation error: " STR_FMT, STR_ARG(why.message));
    TRY(err);
    table->kms_arn = made.key_arn;
    table->data_key = made.sealed;
    return ERR_OK;
}

enum err ddb_set_sse(struct call *call, struct ddb_diag *diag,
                     const struct dynamodb_sse_specification *in, struct ddb_table *table)
{
    struct ddb_cipher old;
    bool had = str_is_set(table->data_key);
    if (!in)
        return ERR_OK;
    TRY(check(diag, in));
    diag->who = call->who;
    table->sse = in->enabled;
    if (!in->enabled && !str_is_set(table->kms_arn))
        return ERR_OK;
    TRY(ddb_cipher_of(diag, call->txn, table, &old));
    if (in->enabled)
        TRY(use_kms(call, diag, &old,
                    str_is_set(in->kms_master_key_id) ? in->kms_master_key_id : MANAGED, table));
    else
        TRY(leave_kms(call->txn, &old, table));
    TRY(ddb_stream_rekey(call->txn, table));
    if (had || !table->figures) /* nothing is there that is not sealed */
        return ERR_OK;
    table->sealing = true;
    TRY(ddb_hold_tell_key(call->txn, table));
    return ddb_stage_seal(call->svc, call->txn, table);
}

enum err ddb_describe_sse(struct call *call, const struct ddb_table *table,
                          const struct dynamodb_sse_description **ret, bool *ret_broken)
{
    const struct kms_port *kms = kms_port_of(call->core);
    struct kms_refusal why;
    struct kms_data_key opened;
    struct kms_pair account;
    struct kms_use use;
    *ret_broken = false;
    if (!str_is_set(table->kms_arn))
        return ERR_OK;
    struct dynamodb_sse_description *d = ARENA_NEW(call->arena, struct dynamodb_sse_description);
    if (!d)
        return ERR_NOMEM;
    d->status = table->sealing ? STR("UPDATING") : STR("ENABLED");
    d->sse_type = STR("KMS");
    d->kms_master_key_arn = table->kms_arn;
    TRY(ddb_kms_use(NULL, table->arn, &account, &use));
    enum err err = kms->open(kms->self, call->txn, &use, table->data_key, &opened, &why);
    if (err && err != ERR_DENIED)
        return err;
    *ret_broken = err == ERR_DENIED;
    if (*ret_broken)
        WIRE_SET(d, inaccessible_encryption_date_time,
                 why.since_ms ? why.since_ms : call->txn->wall_ms);
    *ret = d;
    return ERR_OK;
}
