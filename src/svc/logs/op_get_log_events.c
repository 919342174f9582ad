/* GetLogEvents: pages of one stream in both directions.
 *
 * A token is a place between events: "f/" or "b/" and a sealed token of the event next to it; "f/"
 * goes on with later events, "b/" with earlier ones. At an end the same place comes back, which is
 * how a client knows. */
#include <assert.h>

#include "base/record.h"
#include "svc/logs/logs_int.h"

/* An event, there or not. */
struct place {
    int64_t ts;
    uint64_t seq;
};
static const struct record_field place_fields[] = {
    REC_INT(struct place, ts),
    REC_UINT(struct place, seq),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

enum { PREFIX_LEN = 2 }; /* "f/" */

struct reading {
    struct call *call;
    struct page_bind bind;
    uint64_t stream_id;
    struct str group;
    uint64_t group_id;
    struct logs_cipher cipher;
    struct key_range range;
    bool forward;
    struct place start;       /* where the token says, or before all that there is */
    struct place first, last; /* of the page, in order of time; of an empty one both `start` */
    struct logs_output_log_event *v;
    size_t n, cap, bytes;
};

/* Forward and backward tokens lead to one place, so they are bound to no direction. */
static enum err bind_to(struct reading *r, struct str group, struct str stream)
{
    struct str scope =
        str_fmt(r->call->arena, STR_FMT ":" STR_FMT, STR_ARG(group), STR_ARG(stream));
    r->bind = page_bind_of(r->call, scope);
    return str_is_set(scope) ? ERR_OK : ERR_NOMEM;
}

static enum err make_token(struct reading *r, char direction, const struct place *at,
                           struct str *ret_token)
{
    struct str position, token;
    TRY(record_make(&place_type, r->call->arena, at, &position));
    TRY(page_seal(&r->bind, position, &token));
    *ret_token = str_fmt(r->call->arena, "%c/" STR_FMT, direction, STR_ARG(token));
    return str_is_set(*ret_token) ? ERR_OK : ERR_NOMEM;
}

/* ERR_INVALID. */
static enum err read_token(struct reading *r, struct str token)
{
    struct str position;
    bool forward = str_starts(token, STR("f/"));
    if (!forward && !str_starts(token, STR("b/")))
        return ERR_INVALID;
    TRY(page_open(&r->bind, str_sub(token, PREFIX_LEN, token.len), &position));
    r->forward = forward;
    return record_unpack(&place_type, r->call->arena, position, &r->start);
}

static struct str event_key(struct reading *r, int64_t ts, uint64_t seq)
{
    return key_make(r->call->arena, &logs_k_event, r->stream_id, ts, seq);
}

/* The events that times and retention leave, and where to begin. */
static enum err make_window(struct reading *r, const struct logs_get_log_events_input *in,
                            const struct logs_group *g)
{
    struct call *call = r->call;
    int64_t start = max_i64(in->has_start_time ? in->start_time : INT64_MIN,
                            logs_cutoff(g, call->txn->wall_ms));
    r->range = key_range(call->arena, &logs_k_event, r->stream_id);
    r->range.from = event_key(r, start, 0);
    if (in->has_end_time)
        r->range.to = event_key(r, in->end_time, 0);
    r->forward = in->start_from_head;
    r->start = (struct place){max_i64(start, 0) - 1, UINT64_MAX};
    return str_is_set(in->next_token) ? logs_paged(call, read_token(r, in->next_token)) : ERR_OK;
}

static enum err take_event(void *arg, struct str key, struct str record)
{
    struct reading *r = arg;
    struct logs_stored_event e;
    TRY(logs_parse_event(r->call->arena, key, record, &e));
    enum err err = logs_cipher_open(r->call->svc, r->call->txn, call_scope(r->call), r->group,
                                    r->group_id, key, &e, &r->cipher);
    TRY(logs_kms(r->call, err, &r->cipher));
    r->bytes += e.message.len + LOGS_EVENT_OVERHEAD;
    if (r->n && r->bytes > LOGS_PAGE_BYTES)
        return ERR_CLOSED;
    assert(r->n == 0 || r->first.ts <= r->last.ts);
    TRY(ARENA_GROW(r->call->arena, r->v, r->n, r->cap, LOGS_EVENTS_FIRST));
    struct logs_output_log_event *o = &r->v[r->n];
    o->message = str_dup(r->call->arena, e.message);
    if (!str_is_set(o->message))
        return ERR_NOMEM;
    WIRE_SET(o, timestamp, e.timestamp);
    WIRE_SET(o, ingestion_time, e.ingested_ms);
    struct place at = {e.timestamp, e.seq};
    if (r->n == 0)
        r->first = r->last = at;
    *(r->forward ? &r->last : &r->first) = at;
    r->n++;
    return ERR_OK;
}

static void reverse(struct logs_output_log_event *v, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct logs_output_log_event t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
}

static enum err read_page(struct reading *r, const struct logs_get_log_events_input *in)
{
    static const struct page_fns fns = {.take = take_event};
    struct call *call = r->call;
    struct page page = page_of_call(call, r->bind.scope, STR_NONE,
                                    in->has_limit ? (size_t)in->limit : LOGS_PAGE_EVENTS);
    page.plain = true; /* tokens lead both ways and are made here */
    page.reverse = !r->forward;
    if (str_is_set(in->next_token)) {
        page.after = event_key(r, r->start.ts, r->start.seq);
        if (!str_is_set(page.after))
            return ERR_NOMEM;
    }
    TRY(ARENA_GROW(call->arena, r->v, r->n, r->cap, LOGS_EVENTS_FIRST)); /* none is a list, too */
    r->first = r->last = r->start;
    TRY(page_scan(call->txn, &page, r->range, &fns, r));
    if (!r->forward)
        reverse(r->v, r->n);
    return ERR_OK;
}

enum err logs_get_log_events(struct call *call, const struct logs_get_log_events_input *in,
                             struct logs_get_log_events_output *out)
{
    struct reading r = {.call = call};
    struct logs_group g;
    struct logs_stream s;
    struct str name;
    TRY(logs_need_group(call, in->log_group_name, in->log_group_identifier, &name, &g));
    TRY(logs_need_stream(call, g.id, in->log_stream_name, &s));
    r.stream_id = s.id;
    r.group = name;
    r.group_id = g.id;
    TRY(bind_to(&r, name, in->log_stream_name));
    TRY(make_window(&r, in, &g));
    TRY(read_page(&r, in));
    out->events.v = r.v;
    out->events.n = r.n;
    TRY(make_token(&r, 'f', &r.last, &out->next_forward_token));
    return make_token(&r, 'b', &r.first, &out->next_backward_token);
}
