/* PutLogEvents. Sequence tokens are accepted and not looked at, as AWS does since 2023. */
#include <assert.h>

#include "svc/logs/logs_int.h"

static enum err check_batch(struct call *call, const struct logs_input_log_events *events)
{
    size_t bytes = 0;
    for (size_t i = 0; i < events->n; i++) {
        const struct logs_input_log_event *e = &events->v[i];
        bytes += e->message.len + LOGS_EVENT_OVERHEAD;
        if (e->timestamp < 0)
            return call_error(call, &logs_err_invalid_parameter_exception,
                              "1 validation error detected: Value '%lld' at 'logEvents.%zu.member."
                              "timestamp' failed to satisfy constraint: Member must have value "
                              "greater than or equal to 0",
                              (long long)e->timestamp, i + 1);
        if (e->message.len > LOGS_EVENT_BYTES_MAX)
            return call_error(call, &logs_err_invalid_parameter_exception,
                              "Log event too large: %zu bytes exceeds limit of %d",
                              e->message.len + LOGS_EVENT_OVERHEAD,
                              LOGS_EVENT_BYTES_MAX + LOGS_EVENT_OVERHEAD);
        if (i && e->timestamp < events->v[i - 1].timestamp)
            return call_error(call, &logs_err_invalid_parameter_exception,
                              "Log events in a single PutLogEvents request must be in "
                              "chronological order.");
    }
    if (bytes > LOGS_PUT_BYTES_MAX)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Upload too large: %zu bytes exceeds limit of %d", bytes,
                          LOGS_PUT_BYTES_MAX);
    if (events->v[events->n - 1].timestamp - events->v[0].timestamp > LOGS_SPAN_MS)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "The batch of log events in a single PutLogEvents request cannot span "
                          "more than 24 hours.");
    return ERR_OK;
}

/* The part of a batch that is neither too old nor too new, and what to say of the rest. */
static enum err choose(struct call *call, const struct logs_group *g,
                       const struct logs_input_log_events *events, size_t *ret_from, size_t *ret_to,
                       const struct logs_rejected_log_events_info **ret_info)
{
    int64_t now = call->txn->wall_ms;
    int64_t expired = logs_cutoff(g, now);
    size_t old_end = 0, expired_end = 0, new_start = events->n;
    for (size_t i = 0; i < events->n; i++) {
        int64_t ts = events->v[i].timestamp;
        if (ts < now - LOGS_PAST_MS)
            old_end = i + 1;
        else if (ts < expired)
            expired_end = i + 1;
        if (ts > now + LOGS_FUTURE_MS && new_start == events->n)
            new_start = i;
    }
    *ret_from = expired_end > old_end ? expired_end : old_end;
    *ret_to = new_start < *ret_from ? *ret_from : new_start;
    assert(*ret_from <= *ret_to && *ret_to <= events->n);
    if (!old_end && !expired_end && new_start == events->n)
        return ERR_OK;
    struct logs_rejected_log_events_info *info =
        ARENA_NEW(call->arena, struct logs_rejected_log_events_info);
    if (!info)
        return ERR_NOMEM;
    if (old_end)
        WIRE_SET(info, too_old_log_event_end_index, (int64_t)old_end);
    if (expired_end)
        WIRE_SET(info, expired_log_event_end_index, (int64_t)expired_end);
    if (new_start < events->n)
        WIRE_SET(info, too_new_log_event_start_index, (int64_t)new_start);
    *ret_info = info;
    return ERR_OK;
}

enum err logs_put_log_events(struct call *call, const struct logs_put_log_events_input *in,
                             struct logs_put_log_events_output *out)
{
    if (in->entity)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Entities are not supported by Weir; leave entity out.");
    struct logs_group g;
    struct logs_stream s;
    struct logs_cipher cipher;
    TRY(check_batch(call, &in->log_events));
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    TRY(logs_need_stream(call, g.id, in->log_stream_name, &s));
    size_t from, to;
    TRY(choose(call, &g, &in->log_events, &from, &to, &out->rejected_log_events_info));
    struct str trace = g.subscriptions ? call_trace(call) : STR_NONE;
    struct logs_event *events = ARENA_ARRAY(call->arena, struct logs_event, to - from);
    if (!events)
        return ERR_NOMEM;
    for (size_t i = from; i < to; i++)
        events[i - from] =
            (struct logs_event){in->log_events.v[i].timestamp, in->log_events.v[i].message, trace};
    enum err err = logs_cipher_to_write(call->svc, call->txn, call_scope(call), in->log_group_name,
                                        &g, &cipher);
    TRY(logs_kms(call, err, &cipher));
    const struct logs_put put = {.scope = call_scope(call),
                                 .group_name = in->log_group_name,
                                 .stream_name = in->log_stream_name,
                                 .stream_id = s.id,
                                 .events = events,
                                 .n = to - from,
                                 .first_seq = s.next_seq};
    TRY(logs_append(call->txn, g.id, in->log_stream_name, &s, &cipher, events, to - from));
    TRY(logs_events_put(call->svc, call->txn, &g, &put));
    out->next_sequence_token = str_fmt(call->arena, "%049llu", (unsigned long long)s.next_seq);
    return str_is_set(out->next_sequence_token) ? ERR_OK : ERR_NOMEM;
}
