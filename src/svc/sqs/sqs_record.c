/* Tables of SQS's records; see sqs_record.h. Layer: svc/sqs. */
#include "svc/sqs/sqs_record.h"

#include "svc/sqs/sqs_keys.h"

static const struct record_field config_fields[] = {
    REC_UINT(struct sqs_config, id),
    REC_INT(struct sqs_config, created_ms),
    REC_INT(struct sqs_config, modified_ms),
    REC_UINT(struct sqs_config, purge_seq),
    REC_INT(struct sqs_config, purged_ms),
    REC_BOOL(struct sqs_config, fifo),
    REC_BOOL(struct sqs_config, content_dedup),
    REC_BOOL(struct sqs_config, sse),
    REC_BOOL(struct sqs_config, dedup_per_group),
    REC_BOOL(struct sqs_config, limit_per_group),
    REC_INT(struct sqs_config, delay_s),
    REC_INT(struct sqs_config, size_max),
    REC_INT(struct sqs_config, retention_s),
    REC_INT(struct sqs_config, wait_s),
    REC_INT(struct sqs_config, visibility_s),
    REC_STR(struct sqs_config, policy),
    REC_STR(struct sqs_config, dlq_arn),
    REC_INT(struct sqs_config, receives_max),
    REC_STR(struct sqs_config, redrive_allow),
    REC_SINCE(2, REC_STR(struct sqs_config, kms_key)),
    REC_SINCE(2, REC_INT(struct sqs_config, kms_reuse_s)),
    REC_SINCE(3, REC_INT(struct sqs_config, dedup_changed_ms)),
};
const struct record_type sqs_config_type = RECORD_TYPE(struct sqs_config, 3, config_fields);

static const struct record_field attr_fields[] = {
    REC_STR(struct sqs_attr, name),
    REC_STR(struct sqs_attr, type),
    REC_STR(struct sqs_attr, value),
};
static const struct record_type attr_type = RECORD_TYPE(struct sqs_attr, 1, attr_fields);

static const struct record_field body_fields[] = {
    REC_STR(struct sqs_body, id),
    REC_INT(struct sqs_body, sent_ms),
    REC_STR(struct sqs_body, sender),
    REC_STR(struct sqs_body, body),
    REC_BYTES(struct sqs_body, md5),
    REC_STR(struct sqs_body, trace),
    REC_STR(struct sqs_body, group),
    REC_STR(struct sqs_body, dedup),
    REC_STR(struct sqs_body, dlq_source),
    REC_UINT(struct sqs_body, fifo_seq),
    REC_LIST(struct sqs_body, attrs, n_attrs, SQS_ATTRIBUTES_MAX, &attr_type),
    REC_SINCE(2, REC_STR(struct sqs_body, data_key)),
    REC_SINCE(2, REC_STR(struct sqs_body, sealed_for)),
    REC_SINCE(3, REC_STR(struct sqs_body, sealed_id)),
};
const struct record_type sqs_body_type = RECORD_TYPE(struct sqs_body, 3, body_fields);

static const struct record_field state_fields[] = {
    REC_UINT(struct sqs_state, receives),
    REC_INT(struct sqs_state, due_ms),
    REC_INT(struct sqs_state, first_receive_ms),
    REC_INT(struct sqs_state, last_receive_ms),
    REC_STR(struct sqs_state, group),
    REC_SINCE(2, REC_UINT(struct sqs_state, receives_before)),
};
const struct record_type sqs_state_type = RECORD_TYPE(struct sqs_state, 2, state_fields);

enum err sqs_delete_message_records(struct txn *txn, uint64_t queue_id, uint64_t seq)
{
    TRY(txn_del(txn, key_make(txn->arena, &sqs_k_body, queue_id, seq)));
    return txn_del(txn, key_make(txn->arena, &sqs_k_state, queue_id, seq));
}

enum err sqs_on_end(struct txn *txn, void (*committed)(void *arg), void (*aborted)(void *arg),
                    void *arg)
{
    enum err err = txn_on_abort(txn, aborted, arg);
    if (err) {
        aborted(arg);
        return err;
    }
    return txn_on_commit(txn, committed, arg);
}
