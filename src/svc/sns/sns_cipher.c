/* What is kept of messages to topics with a key of KMS (SN6): sealed with the data key that the publisher
 * may make and open, which lies beside. The topic's own later work (a retry, a job, a letter that is
 * shown) opens it without a permission, as long as the key can be used.
 *
 * KMS is asked with the encryption context aws:sns:topicArn = ARN of the topic. What subscribers store
 * (a message in a queue, an invocation) is theirs.
 *
 * Source: SNS Developer Guide, "Securing Amazon SNS data with server-side encryption".
 * Layer: svc/sns. Thread: the transaction's. */
#include "base/arn.h"
#include "base/log.h"
#include "core/secret.h"
#include "svc/kms/kms_port.h"
#include "svc/sns/sns_int.h"

static const struct wire_error *const errors[KMS_WHYS] = {
    [KMS_WHY_DENIED] = &sns_err_kms_access_denied_exception,
    [KMS_WHY_DISABLED] = &sns_err_kms_disabled_exception,
    [KMS_WHY_INVALID_STATE] = &sns_err_kms_invalid_state_exception,
    [KMS_WHY_NOT_FOUND] = &sns_err_kms_not_found_exception,
    [KMS_WHY_INVALID_USAGE] = &sns_err_kms_invalid_state_exception,
    [KMS_WHY_OTHER] = &sns_err_kms_access_denied_exception,
};

static struct kms_use use_of(const struct principal *who, struct str topic_arn, struct str region)
{
    return (struct kms_use){.who = who,
                            .via = STR(SNS_PRINCIPAL),
                            .region = region,
                            .context = {STR("aws:sns:topicArn"), topic_arn},
                            .reuse_ms = KMS_REUSE_MS,
                            .proves = true};
}

enum err sns_key_to_publish(struct txn *txn, struct sns_topic_ref *t, const struct principal *who,
                            const struct target *from, struct fault *f)
{
    const struct kms_port *kms = kms_port_of(txn->core);
    struct kms_refusal why;
    struct principal sender;
    if (!str_is_set(t->rec.kms_key))
        return ERR_OK;
    if (!who)
        TRY(target_principal(txn, from, STR(SNS_PRINCIPAL), &sender));
    struct kms_use use = use_of(who ? who : &sender, t->arn, t->scope.region);
    if (from) {
        use.source_arn = from->source_arn;
        use.source_account = from->source_account;
    }
    enum err err = kms->data_key(kms->self, txn, &use, t->rec.kms_key, &t->data_key, &why);
    return err == ERR_DENIED ? kms_refused(txn->arena, errors, &why, f) : err;
}

enum err sns_seal(struct txn *txn, const struct sns_topic_ref *t, struct str bound,
                  struct str *text)
{
    return secret_close_with(t->data_key.plain, txn->arena, bound, *text, text);
}

enum err sns_open_key(struct txn *txn, struct str topic_arn, struct str sealed,
                      struct kms_data_key *ret_key)
{
    const struct kms_port *kms = kms_port_of(txn->core);
    struct kms_refusal why;
    struct arn arn;
    if (arn_parse(topic_arn, &arn) != ERR_OK)
        return ERR_CORRUPT;
    const struct kms_use use = use_of(NULL, topic_arn, arn.region);
    enum err err = kms->open(kms->self, txn, &use, sealed, ret_key, &why);
    if (err != ERR_DENIED)
        return err;
    log_warn("sns", "a message to topic=" STR_FMT " cannot be read: " STR_FMT, STR_ARG(topic_arn),
             STR_ARG(why.message));
    return why.why == KMS_WHY_NOT_FOUND ? ERR_NOT_FOUND : ERR_DENIED;
}

/* --- messages that a job delivers ------------------------------------------------------------- */

enum err sns_message_seal(struct txn *txn, const struct sns_topic_ref *t, struct sns_message *m)
{
    struct str record;
    TRY(record_make(&sns_message_type, txn->arena, m, &record));
    TRY(sns_seal(txn, t, m->id, &record));
    *m = (struct sns_message){.id = m->id,
                              .topic_id = m->topic_id,
                              .topic_arn = m->topic_arn,
                              .body = record,
                              .data_key = t->data_key.sealed};
    return ERR_OK;
}

enum err sns_message_open(struct txn *txn, struct sns_topic_ref *t, struct sns_message *m)
{
    struct str record;
    TRY(sns_open_key(txn, m->topic_arn, m->data_key, &t->data_key));
    TRY(secret_open_with(t->data_key.plain, txn->arena, m->id, m->body, &record));
    *m = (struct sns_message){0};
    return record_unpack(&sns_message_type, txn->arena, record, m);
}
