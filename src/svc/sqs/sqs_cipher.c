/* Messages of queues with a key of KMS (Q5): sealed with a data key that KMS seals, which lies beside
 * each message, so that a message opens wherever it moved, and whatever became of its queue's settings.
 *
 * KMS is asked on behalf of whom sends (GenerateDataKey and Decrypt) or receives (Decrypt), with the
 * encryption context aws:sqs:arn = ARN of the queue that the message was sent to, once in
 * KmsDataKeyReusePeriodSeconds (kms_port.h).
 *
 * Source: SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Key management".
 * Layer: svc/sqs. Thread: the transaction's. */
#include <assert.h>

#include "core/secret.h"
#include "svc/sqs/sqs_int.h"

static const struct wire_error *const errors[KMS_WHYS] = {
    [KMS_WHY_DENIED] = &sqs_err_kms_access_denied,
    [KMS_WHY_DISABLED] = &sqs_err_kms_disabled,
    [KMS_WHY_INVALID_STATE] = &sqs_err_kms_invalid_state,
    [KMS_WHY_NOT_FOUND] = &sqs_err_kms_not_found,
    [KMS_WHY_INVALID_USAGE] = &sqs_err_kms_invalid_key_usage,
    [KMS_WHY_OTHER] = &sqs_err_kms_access_denied,
};

static const struct str own = STR_INIT("sqs.amazonaws.com");

/* `who` is for an asker that is no caller. */
static enum err make_use(struct txn *txn, const struct sqs_open *q, const struct sqs_asker *by,
                         struct str arn, struct principal *who, struct kms_use *ret)
{
    if (!str_is_set(arn))
        return ERR_NOMEM;
    if (!by->who)
        TRY(target_principal(txn, &by->as, own, who));
    *ret = (struct kms_use){.who = by->who ? by->who : who,
                            .via = own,
                            .source_arn = by->as.source_arn,
                            .source_account = by->as.source_account,
                            .region = q->queue->scope.region,
                            .context = {STR("aws:sqs:arn"), arn},
                            .reuse_ms = q->config.kms_reuse_s * 1000,
                            .proves = true};
    return ERR_OK;
}

enum err sqs_key_to_send(struct txn *txn, struct sqs_open *to, const struct sqs_asker *by)
{
    const struct kms_port *kms = to->queue->sqs->kms;
    struct kms_refusal why;
    struct principal who;
    struct kms_use use;
    if (!str_is_set(to->config.kms_key))
        return ERR_OK;
    struct kms_data_key *key = ARENA_NEW(txn->arena, struct kms_data_key);
    if (!key)
        return ERR_NOMEM;
    TRY(make_use(txn, to, by, sqs_queue_arn(txn->arena, to->queue), &who, &use));
    enum err err = kms->data_key(kms->self, txn, &use, to->config.kms_key, key, &why);
    if (err == ERR_DENIED)
        return kms_refused(txn->arena, errors, &why, by->fault);
    TRY(err);
    to->key = key;
    return ERR_OK;
}

enum err sqs_seal_body(struct txn *txn, const struct sqs_open *to, struct sqs_body *body)
{
    struct sqs_body secret = {
        .body = body->body, .trace = body->trace, .attrs = body->attrs, .n_attrs = body->n_attrs};
    struct str record;
    assert(to->key && str_is_set(body->id));
    memcpy(secret.md5, body->md5, sizeof(secret.md5));
    TRY(record_make(&sqs_body_type, txn->arena, &secret, &record));
    TRY(secret_close_with(to->key->plain, txn->arena, body->id, record, &body->body));
    memset(body->md5, 0, sizeof(body->md5));
    body->trace = STR_NONE;
    body->n_attrs = 0;
    body->data_key = to->key->sealed;
    return ERR_OK;
}

enum err sqs_open_body(struct txn *txn, const struct sqs_open *from, struct sqs_body *body)
{
    const struct kms_port *kms = from->queue->sqs->kms;
    const struct sqs_asker *by = from->by;
    struct str arn =
        str_is_set(body->sealed_for) ? body->sealed_for : sqs_queue_arn(txn->arena, from->queue);
    struct kms_refusal why;
    struct kms_data_key key;
    struct principal who;
    struct kms_use use;
    struct sqs_body secret = {0};
    struct str record;
    assert(by && by->fault);
    TRY(make_use(txn, from, by, arn, &who, &use));
    enum err err = kms->open(kms->self, txn, &use, body->data_key, &key, &why);
    if (err == ERR_DENIED)
        return kms_refused(txn->arena, errors, &why, by->fault);
    TRY(err);
    struct str id = str_is_set(body->sealed_id) ? body->sealed_id : body->id;
    TRY(secret_open_with(key.plain, txn->arena, id, body->body, &record));
    TRY(record_unpack(&sqs_body_type, txn->arena, record, &secret));
    memcpy(body->md5, secret.md5, sizeof(body->md5));
    body->body = secret.body;
    body->trace = secret.trace;
    body->attrs = secret.attrs;
    body->n_attrs = secret.n_attrs;
    return ERR_OK;
}
