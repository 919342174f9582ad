/* SendMessage, DeleteMessage, ChangeMessageVisibility, and their batches. Layer: svc/sqs. */
#include "base/clock.h"
#include "svc/sqs/sqs_int.h"

static struct str sender_of(const struct call *call)
{
    return str_is_set(call->who->user_id)   ? call->who->user_id
           : str_is_set(call->who->account) ? call->who->account
                                            : STR("anonymous");
}

static struct str fifo_seq_text(struct arena *a, const struct sqs_sent *sent)
{
    return sent->fifo_seq ? str_fmt(a, "%020llu", (unsigned long long)sent->fifo_seq) : STR_NONE;
}

/* --- SendMessage ------------------------------------------------------------------------------ */

enum err sqs_send_message(struct call *call, const struct sqs_send_message_input *in,
                          struct sqs_send_message_output *out)
{
    struct sqs_open o;
    struct sqs_fault f;
    struct sqs_checked checked;
    struct sqs_sent sent;
    struct sqs_draft draft = {
        .body = in->message_body,
        .attributes = &in->message_attributes,
        .system = &in->message_system_attributes,
        .has_delay = in->has_delay_seconds,
        .delay_s = in->delay_seconds,
        .group = in->message_group_id,
        .dedup = in->message_deduplication_id,
        .sender = sender_of(call),
    };
    TRY(sqs_open_url(call, in->queue_url, &o));
    TRY(sqs_fault_reply(call, sqs_message_check(call->arena, &o.config, &draft, &checked, &f), &f));
    TRY(sqs_send_stage(call->svc, call->txn, &o, &checked.body, checked.delay_s, &sent));
    out->message_id = sent.id;
    out->md5_of_message_body = checked.md5_hex;
    out->md5_of_message_attributes = checked.md5_attrs_hex;
    out->md5_of_message_system_attributes = checked.md5_system_hex;
    out->sequence_number = fifo_seq_text(call->arena, &sent);
    return ERR_OK;
}

static enum err send_entry(struct call *call, const struct sqs_open *o,
                           const struct sqs_send_message_batch_request_entry *in, size_t *size,
                           struct sqs_checked *ret_checked, struct sqs_fault *f)
{
    struct sqs_draft draft = {
        .body = in->message_body,
        .attributes = &in->message_attributes,
        .system = &in->message_system_attributes,
        .has_delay = in->has_delay_seconds,
        .delay_s = in->delay_seconds,
        .group = in->message_group_id,
        .dedup = in->message_deduplication_id,
        .sender = sender_of(call),
    };
    TRY(sqs_message_check(call->arena, &o->config, &draft, ret_checked, f));
    *size += ret_checked->size;
    return ERR_OK;
}

enum err sqs_send_message_batch(struct call *call, const struct sqs_send_message_batch_input *in,
                                struct sqs_send_message_batch_output *out)
{
    struct sqs_open o;
    struct str ids[SQS_BATCH_MAX];
    struct sqs_checked checked[SQS_BATCH_MAX];
    struct sqs_fault faults[SQS_BATCH_MAX] = {0};
    size_t n = in->entries.n, size = 0, n_ok = 0, n_failed = 0;
    TRY(sqs_open_url(call, in->queue_url, &o));
    for (size_t i = 0; i < n && i < SQS_BATCH_MAX; i++)
        ids[i] = in->entries.v[i].id;
    TRY(sqs_batch_check(call, "SendMessageBatchRequestEntry", ids, n));
    struct sqs_send_message_batch_result_entry *ok =
        ARENA_ARRAY(call->arena, struct sqs_send_message_batch_result_entry, n);
    struct sqs_batch_result_error_entry *failed =
        ARENA_ARRAY(call->arena, struct sqs_batch_result_error_entry, n);
    if (!ok || !failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        enum err err = send_entry(call, &o, &in->entries.v[i], &size, &checked[i], &faults[i]);
        if (err != ERR_OK && err != ERR_FAILED)
            return err;
    }
    if (size > SQS_SIZE_MAX)
        return call_error(call, &sqs_err_batch_request_too_long,
                          "Batch requests cannot be longer than %d bytes. You have sent %zu bytes.",
                          SQS_SIZE_MAX, size);
    for (size_t i = 0; i < n; i++) {
        struct sqs_sent sent;
        if (faults[i].error) {
            failed[n_failed++] = sqs_fault_entry(ids[i], &faults[i]);
            continue;
        }
        TRY(sqs_send_stage(call->svc, call->txn, &o, &checked[i].body, checked[i].delay_s, &sent));
        ok[n_ok++] = (struct sqs_send_message_batch_result_entry){
            .id = ids[i],
            .message_id = sent.id,
            .md5_of_message_body = checked[i].md5_hex,
            .md5_of_message_attributes = checked[i].md5_attrs_hex,
            .md5_of_message_system_attributes = checked[i].md5_system_hex,
            .sequence_number = fifo_seq_text(call->arena, &sent),
        };
    }
    out->successful = (struct sqs_send_message_batch_result_entry_list){ok, n_ok};
    if (n_failed)
        out->failed = (struct sqs_batch_result_error_entry_list){failed, n_failed};
    return ERR_OK;
}

/* --- DeleteMessage ---------------------------------------------------------------------------- */

enum err sqs_delete_message(struct call *call, const struct sqs_delete_message_input *in,
                            struct sqs_delete_message_output *out)
{
    struct sqs_open o;
    struct sqs_fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    return sqs_fault_reply(
        call, sqs_delete_stage(call->svc, call->txn, &o, in->receipt_handle, clock_now_ms(), &f),
        &f);
}

enum err sqs_delete_message_batch(struct call *call,
                                  const struct sqs_delete_message_batch_input *in,
                                  struct sqs_delete_message_batch_output *out)
{
    struct sqs_open o;
    struct str ids[SQS_BATCH_MAX];
    size_t n = in->entries.n, n_ok = 0, n_failed = 0;
    TRY(sqs_open_url(call, in->queue_url, &o));
    for (size_t i = 0; i < n && i < SQS_BATCH_MAX; i++)
        ids[i] = in->entries.v[i].id;
    TRY(sqs_batch_check(call, "DeleteMessageBatchRequestEntry", ids, n));
    struct sqs_delete_message_batch_result_entry *ok =
        ARENA_ARRAY(call->arena, struct sqs_delete_message_batch_result_entry, n);
    struct sqs_batch_result_error_entry *failed =
        ARENA_ARRAY(call->arena, struct sqs_batch_result_error_entry, n);
    if (!ok || !failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct sqs_fault f;
        enum err err = sqs_delete_stage(call->svc, call->txn, &o, in->entries.v[i].receipt_handle,
                                        clock_now_ms(), &f);
        if (err == ERR_OK)
            ok[n_ok++].id = ids[i];
        else if (err == ERR_FAILED)
            failed[n_failed++] = sqs_fault_entry(ids[i], &f);
        else
            return err;
    }
    out->successful = (struct sqs_delete_message_batch_result_entry_list){ok, n_ok};
    if (n_failed)
        out->failed = (struct sqs_batch_result_error_entry_list){failed, n_failed};
    return ERR_OK;
}

/* --- ChangeMessageVisibility ------------------------------------------------------------------ */

enum err sqs_change_message_visibility(struct call *call,
                                       const struct sqs_change_message_visibility_input *in,
                                       struct sqs_change_message_visibility_output *out)
{
    struct sqs_open o;
    struct sqs_fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    return sqs_fault_reply(call,
                           sqs_visibility_stage(call->svc, call->txn, &o, in->receipt_handle,
                                                in->visibility_timeout, clock_now_ms(), &f),
                           &f);
}

enum err
sqs_change_message_visibility_batch(struct call *call,
                                    const struct sqs_change_message_visibility_batch_input *in,
                                    struct sqs_change_message_visibility_batch_output *out)
{
    struct sqs_open o;
    struct str ids[SQS_BATCH_MAX];
    size_t n = in->entries.n, n_ok = 0, n_failed = 0;
    TRY(sqs_open_url(call, in->queue_url, &o));
    for (size_t i = 0; i < n && i < SQS_BATCH_MAX; i++)
        ids[i] = in->entries.v[i].id;
    TRY(sqs_batch_check(call, "ChangeMessageVisibilityBatchRequestEntry", ids, n));
    struct sqs_change_message_visibility_batch_result_entry *ok =
        ARENA_ARRAY(call->arena, struct sqs_change_message_visibility_batch_result_entry, n);
    struct sqs_batch_result_error_entry *failed =
        ARENA_ARRAY(call->arena, struct sqs_batch_result_error_entry, n);
    if (!ok || !failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct sqs_change_message_visibility_batch_request_entry *e = &in->entries.v[i];
        struct sqs_fault f;
        enum err err =
            e->has_visibility_timeout
                ? sqs_visibility_stage(call->svc, call->txn, &o, e->receipt_handle,
                                       e->visibility_timeout, clock_now_ms(), &f)
                : sqs_fault_set(call->arena, &f, &sqs_err_missing_parameter,
                                "The request must contain the parameter VisibilityTimeout.");
        if (err == ERR_OK)
            ok[n_ok++].id = ids[i];
        else if (err == ERR_FAILED)
            failed[n_failed++] = sqs_fault_entry(ids[i], &f);
        else
            return err;
    }
    out->successful = (struct sqs_change_message_visibility_batch_result_entry_list){ok, n_ok};
    if (n_failed)
        out->failed = (struct sqs_batch_result_error_entry_list){failed, n_failed};
    return ERR_OK;
}
