/* SendMessage, DeleteMessage, ChangeMessageVisibility, and their batches. Layer: svc/sqs. */
#include <assert.h>

#include "svc/sqs/sqs_int.h"

/* --- batches ---------------------------------------------------------------------------------- */

/* The entries of a batch, and what became of them. */
struct batch {
    struct sqs_open o;
    struct str ids[SQS_BATCH_MAX];
    struct str *done;
    struct sqs_batch_result_error_entry *failed;
    size_t n_done, n_failed;
};

/* Opens the queue and checks the ids of n entries of `size` bytes, each of which begins with its
 * id. */
static enum err batch_open(struct call *call, struct str url, const char *entry_name,
                           struct batch *b, const void *entries, size_t n, size_t size)
{
    *b = (struct batch){0};
    TRY(sqs_open_url(call, url, &b->o));
    for (size_t i = 0; i < n && i < SQS_BATCH_MAX; i++)
        memcpy(&b->ids[i], (const char *)entries + i * size, sizeof(struct str));
    TRY(sqs_batch_check(call, entry_name, b->ids, n));
    assert(n >= 1 && n <= SQS_BATCH_MAX);
    b->done = ARENA_ARRAY(call->arena, struct str, n);
    b->failed = ARENA_ARRAY(call->arena, struct sqs_batch_result_error_entry, n);
    return b->done && b->failed ? ERR_OK : ERR_NOMEM;
}

#define BATCH_OPEN(call, in, entry_name, b)                                                        \
    ({                                                                                             \
        _Static_assert(offsetof(__typeof__(*(in)->entries.v), id) == 0, "the id is first");        \
        batch_open((call), (in)->queue_url, (entry_name), (b), (in)->entries.v, (in)->entries.n,   \
                   sizeof(*(in)->entries.v));                                                      \
    })

/* Notes how entry i went. Errors that are no client's fault end the batch. */
static enum err batch_note(struct batch *b, size_t i, enum err err, const struct fault *f)
{
    assert(b->n_done + b->n_failed == i);
    if (err == ERR_FAILED)
        b->failed[b->n_failed++] = sqs_fault_entry(b->ids[i], f);
    else if (err == ERR_OK)
        b->done[b->n_done++] = b->ids[i];
    return err == ERR_FAILED ? ERR_OK : err;
}

static void batch_failed(const struct batch *b, struct sqs_batch_result_error_entry_list *ret)
{
    if (b->n_failed) /* AWS leaves the member out */
        *ret = (struct sqs_batch_result_error_entry_list){b->failed, b->n_failed};
}

/* The reply of operations that tell nothing but the ids of what was done. */
#define BATCH_REPLY(b, out)                                                                        \
    do {                                                                                           \
        _Static_assert(sizeof(*(out)->successful.v) == sizeof(struct str), "an id alone");         \
        (out)->successful.v = (void *)(b)->done;                                                   \
        (out)->successful.n = (b)->n_done;                                                         \
        batch_failed((b), &(out)->failed);                                                         \
    } while (0)

/* --- SendMessage ------------------------------------------------------------------------------ */

static struct str sender_of(const struct call *call)
{
    return str_is_set(call->who->user_id)   ? call->who->user_id
           : str_is_set(call->who->account) ? call->who->account
                                            : STR("anonymous");
}

/* The request and the entry of a batch have the same members, and so have their replies. */
#define DRAFT_OF(caller, in)                                                                       \
    (struct sqs_draft)                                                                             \
    {                                                                                              \
        .body = (in)->message_body, .attributes = &(in)->message_attributes,                       \
        .system = &(in)->message_system_attributes, .has_delay = (in)->has_delay_seconds,          \
        .delay_s = (in)->delay_seconds, .group = (in)->message_group_id,                           \
        .dedup = (in)->message_deduplication_id, .sender = sender_of(caller),                      \
        .trace = call_trace(caller)                                                                \
    }
#define TELL_SENT(caller, out, checked, sent)                                                      \
    do {                                                                                           \
        (out)->message_id = (sent)->id;                                                            \
        (out)->md5_of_message_body = (checked)->md5_hex;                                           \
        (out)->md5_of_message_attributes = (checked)->md5_attrs_hex;                               \
        (out)->md5_of_message_system_attributes = (checked)->md5_system_hex;                       \
        (out)->sequence_number = sqs_fifo_seq_text((caller)->arena, (sent)->fifo_seq);             \
    } while (0)

static enum err key_to_send(struct call *call, struct sqs_open *to)
{
    struct fault f;
    const struct sqs_asker by = {.who = call->who, .fault = &f};
    return fault_reply(call, sqs_key_to_send(call->txn, to, &by), &f);
}

enum err sqs_send_message(struct call *call, const struct sqs_send_message_input *in,
                          struct sqs_send_message_output *out)
{
    struct sqs_open o;
    struct fault f;
    struct sqs_checked checked;
    struct sqs_sent sent;
    struct sqs_draft draft = DRAFT_OF(call, in);
    TRY(sqs_open_url(call, in->queue_url, &o));
    TRY(fault_reply(call, sqs_message_check(call->arena, &o.config, &draft, &checked, &f), &f));
    TRY(key_to_send(call, &o));
    TRY(sqs_send_stage(call->txn, &o, &checked.body, checked.delay_s, &sent));
    TELL_SENT(call, out, &checked, &sent);
    return ERR_OK;
}

static enum err no_body(struct call *call, size_t i, struct fault *f)
{
    return fault_set(call->arena, f, &sqs_err_missing_parameter,
                     "The request must contain the parameter "
                     "SendMessageBatchRequestEntry.%zu.MessageBody.",
                     i + 1);
}

/* Of a FIFO queue: an entry without its ids or body fails the batch, and not by SendMessage's errors. */
static enum err check_fifo_ids(struct call *call, const struct sqs_config *c,
                               const struct sqs_send_message_batch_input *in)
{
    for (size_t i = 0; c->fifo && i < in->entries.n; i++) {
        const struct sqs_send_message_batch_request_entry *e = &in->entries.v[i];
        struct fault f;
        if (str_empty(e->message_body))
            return fault_reply(call, no_body(call, i, &f), &f);
        if (!str_is_set(e->message_group_id))
            return call_error(call, &sqs_err_invalid_parameter_value,
                              "The request must contain the parameter MessageGroupId.");
        if (!str_is_set(e->message_deduplication_id) && !c->content_dedup)
            return call_error(call, &sqs_err_invalid_parameter_value, SQS_NO_DEDUP_ID);
    }
    return ERR_OK;
}

enum err sqs_send_message_batch(struct call *call, const struct sqs_send_message_batch_input *in,
                                struct sqs_send_message_batch_output *out)
{
    struct batch b;
    struct sqs_checked checked[SQS_BATCH_MAX];
    struct fault faults[SQS_BATCH_MAX] = {0};
    size_t n = in->entries.n, size = 0;
    TRY(BATCH_OPEN(call, in, "SendMessageBatchRequestEntry", &b));
    TRY(check_fifo_ids(call, &b.o.config, in));
    struct sqs_send_message_batch_result_entry *ok =
        ARENA_ARRAY(call->arena, struct sqs_send_message_batch_result_entry, n);
    if (!ok)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct sqs_draft draft = DRAFT_OF(call, &in->entries.v[i]);
        enum err err = str_empty(draft.body) ? no_body(call, i, &faults[i])
                                             : sqs_message_check(call->arena, &b.o.config, &draft,
                                                                 &checked[i], &faults[i]);
        if (err != ERR_OK && err != ERR_FAILED)
            return err;
        size += sqs_draft_size(&draft);
    }
    if (size > SQS_SIZE_MAX)
        return call_error(call, &sqs_err_batch_request_too_long,
                          "Batch requests cannot be longer than %d bytes. You have sent %zu bytes.",
                          SQS_SIZE_MAX, size);
    TRY(key_to_send(call, &b.o));
    for (size_t i = 0; i < n; i++) {
        struct sqs_sent sent;
        enum err err = faults[i].error ? ERR_FAILED
                                       : sqs_send_stage(call->txn, &b.o, &checked[i].body,
                                                        checked[i].delay_s, &sent);
        if (err == ERR_OK) {
            ok[b.n_done].id = b.ids[i];
            TELL_SENT(call, &ok[b.n_done], &checked[i], &sent);
        }
        TRY(batch_note(&b, i, err, &faults[i]));
    }
    out->successful = (struct sqs_send_message_batch_result_entry_list){ok, b.n_done};
    batch_failed(&b, &out->failed);
    return ERR_OK;
}

/* --- DeleteMessage ---------------------------------------------------------------------------- */

enum err sqs_delete_message(struct call *call, const struct sqs_delete_message_input *in,
                            struct sqs_delete_message_output *out)
{
    struct sqs_open o;
    struct fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    return fault_reply(call, sqs_delete_stage(call->txn, &o, in->receipt_handle, &f), &f);
}

enum err sqs_delete_message_batch(struct call *call,
                                  const struct sqs_delete_message_batch_input *in,
                                  struct sqs_delete_message_batch_output *out)
{
    struct batch b;
    TRY(BATCH_OPEN(call, in, "DeleteMessageBatchRequestEntry", &b));
    for (size_t i = 0; i < in->entries.n; i++) {
        struct fault f;
        enum err err = sqs_delete_stage(call->txn, &b.o, in->entries.v[i].receipt_handle, &f);
        TRY(batch_note(&b, i, err, &f));
    }
    BATCH_REPLY(&b, out);
    return ERR_OK;
}

/* --- ChangeMessageVisibility ------------------------------------------------------------------ */

enum err sqs_change_message_visibility(struct call *call,
                                       const struct sqs_change_message_visibility_input *in,
                                       struct sqs_change_message_visibility_output *out)
{
    struct sqs_open o;
    struct fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    enum err err =
        sqs_visibility_stage(call->txn, &o, in->receipt_handle, in->visibility_timeout, &f);
    return fault_reply(call, err, &f);
}

enum err
sqs_change_message_visibility_batch(struct call *call,
                                    const struct sqs_change_message_visibility_batch_input *in,
                                    struct sqs_change_message_visibility_batch_output *out)
{
    struct batch b;
    TRY(BATCH_OPEN(call, in, "ChangeMessageVisibilityBatchRequestEntry", &b));
    for (size_t i = 0; i < in->entries.n; i++) {
        const struct sqs_change_message_visibility_batch_request_entry *e = &in->entries.v[i];
        struct fault f;
        enum err err = e->has_visibility_timeout
                           ? sqs_visibility_stage(call->txn, &b.o, e->receipt_handle,
                                                  e->visibility_timeout, &f)
                           : fault_set(call->arena, &f, &sqs_err_missing_parameter,
                                       "The request must contain the parameter "
                                       "ChangeMessageVisibilityBatchRequestEntry.%zu."
                                       "VisibilityTimeout.",
                                       i + 1);
        TRY(batch_note(&b, i, err, &f));
    }
    BATCH_REPLY(&b, out);
    return ERR_OK;
}
