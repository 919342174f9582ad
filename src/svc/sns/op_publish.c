/* Publish and PublishBatch. Layer: svc/sns. Source: SNS API reference. */
#include "svc/sns/sns_int.h"

enum { BATCH_ID_MAX = 80 };

static struct str trace_of(const struct call *call)
{
    return wire_header_get(call->request, STR("x-amzn-trace-id"));
}

static enum err target_of(struct call *call, const struct sns_publish_input *in,
                          struct sns_topic_ref *t)
{
    int n = str_is_set(in->topic_arn) + str_is_set(in->target_arn) + str_is_set(in->phone_number);
    if (n != 1)
        return SNS_INVALID(call, "TopicArn or TargetArn Reason: %s",
                           n ? "only one of TopicArn, TargetArn and PhoneNumber may be given"
                             : "no value for required parameter");
    if (str_is_set(in->phone_number))
        return SNS_INVALID(call, "PhoneNumber Reason: text messages are not supported by Weir");
    if (str_find_str(in->target_arn, STR(":endpoint/")) != SIZE_MAX)
        return SNS_INVALID(call, "TargetArn Reason: mobile push is not supported by Weir");
    if (str_is_set(in->target_arn))
        return sns_topic_need(call, "TargetArn", in->target_arn, t);
    return sns_topic_need(call, "TopicArn", in->topic_arn, t);
}

/* SequenceNumber; absent of standard topics. */
static enum err seq_of(struct arena *a, const struct sns_message *m, struct str *ret)
{
    if (!m->seq)
        return ERR_OK;
    *ret = str_fmt(a, "%020llu", (unsigned long long)m->seq);
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

static enum err key_to_publish(struct call *call, struct sns_topic_ref *t)
{
    struct fault f;
    return fault_reply(call, sns_key_to_publish(call->txn, t, call->who, NULL, &f), &f);
}

enum err sns_publish(struct call *call, const struct sns_publish_input *in,
                     struct sns_publish_output *out)
{
    struct sns_topic_ref t;
    struct sns_message m;
    struct fault f;
    size_t bytes;
    const struct sns_draft draft = {
        .subject = in->subject,
        .body = in->message,
        .structure = in->message_structure,
        .group = in->message_group_id,
        .dedup = in->message_deduplication_id,
        .attrs = &in->message_attributes,
    };
    TRY(target_of(call, in, &t));
    TRY(fault_reply(call, sns_message_check(call->arena, &t.rec, &draft, &m, &bytes, &f), &f));
    TRY(key_to_publish(call, &t));
    m.trace = trace_of(call);
    TRY(sns_publish_stage(call->svc, call->txn, &t, &m));
    out->message_id = m.id;
    return seq_of(call->arena, &m, &out->sequence_number);
}

/* --- batches ---------------------------------------------------------------------------------- */

static bool id_ok(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return id.len >= 1 && id.len <= BATCH_ID_MAX;
}

static enum err check_batch(struct call *call,
                            const struct sns_publish_batch_request_entry_list *in)
{
    size_t bytes = 0;
    if (in->n == 0)
        return call_error(call, &sns_err_empty_batch_request_exception,
                          "The batch request doesn't contain any entries.");
    if (in->n > SNS_BATCH_MAX)
        return call_error(call, &sns_err_too_many_entries_in_batch_request_exception,
                          "The batch request contains more entries than permissible.");
    for (size_t i = 0; i < in->n; i++) {
        if (!id_ok(in->v[i].id))
            return call_error(call, &sns_err_invalid_batch_entry_id_exception,
                              "The Id of a batch entry in a batch request doesn't abide by the "
                              "specification.");
        for (size_t k = 0; k < i; k++)
            if (str_eq(in->v[i].id, in->v[k].id))
                return call_error(call, &sns_err_batch_entry_ids_not_distinct_exception,
                                  "Two or more batch entries in the request have the same Id.");
        bytes += in->v[i].message.len + in->v[i].subject.len;
    }
    if (bytes > SNS_MESSAGE_MAX)
        return call_error(call, &sns_err_batch_request_too_long_exception,
                          "The length of all the messages put together is more than the limit.");
    return ERR_OK;
}

/* Replies in the making. */
struct batch {
    struct sns_publish_batch_result_entry done[SNS_BATCH_MAX];
    struct sns_batch_result_error_entry failed[SNS_BATCH_MAX];
    size_t n_done, n_failed;
};

static enum err publish_entry(struct call *call, struct sns_topic_ref *t,
                              const struct sns_publish_batch_request_entry *in, struct batch *b)
{
    struct sns_message m;
    struct fault f;
    size_t bytes;
    const struct sns_draft draft = {
        .subject = in->subject,
        .body = in->message,
        .structure = in->message_structure,
        .group = in->message_group_id,
        .dedup = in->message_deduplication_id,
        .attrs = &in->message_attributes,
    };
    enum err err = sns_message_check(call->arena, &t->rec, &draft, &m, &bytes, &f);
    if (err == ERR_FAILED) {
        struct sns_batch_result_error_entry *e = &b->failed[b->n_failed++];
        *e = (struct sns_batch_result_error_entry){
            .id = in->id, .code = fault_code(&f), .message = f.message};
        WIRE_SET(e, sender_fault, true);
        return ERR_OK;
    }
    TRY(err);
    m.trace = trace_of(call);
    TRY(sns_publish_stage(call->svc, call->txn, t, &m));
    struct sns_publish_batch_result_entry *e = &b->done[b->n_done++];
    *e = (struct sns_publish_batch_result_entry){.id = in->id, .message_id = m.id};
    return seq_of(call->arena, &m, &e->sequence_number);
}

enum err sns_publish_batch(struct call *call, const struct sns_publish_batch_input *in,
                           struct sns_publish_batch_output *out)
{
    struct sns_topic_ref t;
    struct batch *b = ARENA_NEW(call->arena, struct batch);
    if (!b)
        return ERR_NOMEM;
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    TRY(check_batch(call, &in->publish_batch_request_entries));
    TRY(key_to_publish(call, &t));
    for (size_t i = 0; i < in->publish_batch_request_entries.n; i++)
        TRY(publish_entry(call, &t, &in->publish_batch_request_entries.v[i], b));
    out->successful = (struct sns_publish_batch_result_entry_list){b->done, b->n_done};
    out->failed = (struct sns_batch_result_error_entry_list){b->failed, b->n_failed};
    return ERR_OK;
}
