/* FilterLogEvents: events of several streams of a group, merged by time.
 *
 * Streams are taken in chunks of LOGS_MERGE_STREAMS by name; within a chunk events come in order of
 * (timestamp, stream, seq). A page ends at its limits or after LOGS_SCAN_EVENTS events were looked
 * at, so a filter that matches nothing costs a bounded page as well; the token then names the chunk
 * and the last event seen. */
#include <assert.h>

#include "base/heap.h"
#include "base/record.h"
#include "lang/filter.h"
#include "svc/logs/logs_int.h"

struct source {
    struct heap_node node; /* key: timestamp, tie: stream id */
    struct kv_iter *it;
    struct str stream;
    uint64_t stream_id;
    struct logs_stored_event event; /* at which `it` stands; message borrowed */
};

struct cursor {
    struct str chunk; /* first stream name of the chunk; empty: from the start */
    bool inside;      /* ts, id and seq say where in the chunk */
    int64_t ts;
    uint64_t id, seq;
};

static const struct record_field cursor_fields[] = {
    REC_STR(struct cursor, chunk), REC_BOOL(struct cursor, inside), REC_INT(struct cursor, ts),
    REC_UINT(struct cursor, id),   REC_UINT(struct cursor, seq),
};
static const struct record_type cursor_type = RECORD_TYPE(struct cursor, 1, cursor_fields);

struct query {
    struct call *call;
    struct str group_name;
    const struct logs_filter_log_events_input *in;
    struct logs_group group;
    struct logs_cipher cipher;
    struct filter filter;
    int64_t from_ms, to_ms; /* from <= timestamp < to */
    size_t limit;
    struct source sources[LOGS_MERGE_STREAMS];
    size_t n_sources;
    size_t n_chunk;        /* streams of the chunk, in the window or not */
    struct str next_chunk; /* first stream after this chunk; absent: none */
    struct heap heap;
    struct cursor cursor;
    struct logs_filtered_log_event *events;
    size_t n, cap, bytes, looked_at;
    bool full;
};

/* --- token ------------------------------------------------------------------------------------ */

static enum err parse_token(struct query *q)
{
    struct page_bind bind = page_bind_of(q->call, q->group_name);
    struct str position;
    TRY(logs_paged(q->call, page_open(&bind, q->in->next_token, &position)));
    return record_unpack(&cursor_type, q->call->arena, position, &q->cursor);
}

static enum err make_token(struct query *q, struct str *ret_token)
{
    struct page_bind bind = page_bind_of(q->call, q->group_name);
    struct str position;
    TRY(record_make(&cursor_type, q->call->arena, &q->cursor, &position));
    return page_seal(&bind, position, ret_token);
}

/* --- sources ---------------------------------------------------------------------------------- */

/* Whether an event was returned (or passed over) by an earlier page. */
static bool is_past(const struct cursor *c, int64_t ts, uint64_t id, uint64_t seq)
{
    if (!c->inside)
        return false;
    if (ts != c->ts)
        return ts < c->ts;
    if (id != c->id)
        return id < c->id;
    return seq <= c->seq;
}

/* Moves to the next event; *ret_more false at the end. */
static enum err advance(struct query *q, struct source *s, bool *ret_more)
{
    struct str key, record;
    for (;;) {
        enum err err = kv_next(s->it, &key, &record);
        if (err == ERR_NOT_FOUND) {
            *ret_more = false;
            return ERR_OK;
        }
        TRY(err);
        TRY(txn_work_row(q->call->txn, key, record));
        TRY(logs_parse_event(q->call->arena, key, record, &s->event));
        if (is_past(&q->cursor, s->event.timestamp, s->stream_id, s->event.seq))
            continue;
        assert(s->event.timestamp >= q->from_ms || q->cursor.inside);
        s->node.key = s->event.timestamp;
        s->node.tie = s->stream_id;
        *ret_more = true;
        return ERR_OK;
    }
}

static enum err open_source(struct query *q, struct str name, const struct logs_stream *s)
{
    if (s->last_ms < q->from_ms || s->first_ms >= q->to_ms || (s->last_ms == 0))
        return ERR_OK; /* nothing in it can be in the window */
    int64_t from = q->cursor.inside ? max_i64(q->from_ms, q->cursor.ts) : q->from_ms;
    struct arena *a = q->call->arena;
    struct str lo = key_make(a, &logs_k_event, s->id, from, (uint64_t)0);
    struct str hi = key_make(a, &logs_k_event, s->id, q->to_ms, (uint64_t)0);
    assert(q->n_sources < LOGS_MERGE_STREAMS);
    struct source *src = &q->sources[q->n_sources];
    *src = (struct source){.stream = name, .stream_id = s->id};
    if (!str_is_set(lo) || !str_is_set(hi))
        return ERR_NOMEM;
    TRY(kv_scan(q->call->txn->kv, lo, hi, false, &src->it));
    q->n_sources++;
    bool more;
    TRY(advance(q, src, &more));
    return more ? heap_push(&q->heap, &src->node) : ERR_OK;
}

static bool is_named(const struct logs_filter_log_events_input *in, struct str name)
{
    if (!in->log_stream_names.v)
        return true;
    for (size_t i = 0; i < in->log_stream_names.n; i++)
        if (str_eq(in->log_stream_names.v[i], name))
            return true;
    return false;
}

static enum err open_named(struct query *q)
{
    for (size_t i = 0; i < q->in->log_stream_names.n; i++) {
        struct logs_stream s;
        struct str name = q->in->log_stream_names.v[i];
        TRY(logs_need_stream(q->call, q->group.id, name, &s));
        TRY(open_source(q, name, &s));
    }
    return ERR_OK;
}

/* One stream of the chunk; the one after the chunk ends it. */
static enum err open_next(void *arg, struct str key, struct str record)
{
    struct query *q = arg;
    struct str name;
    struct logs_stream s;
    TRY(key_read(&logs_k_stream, key, q->call->arena, KEY_SKIP, &name));
    if (q->n_chunk == LOGS_MERGE_STREAMS) {
        q->next_chunk = name;
        return ERR_CLOSED;
    }
    q->n_chunk++;
    q->looked_at++; /* streams cost as events do, also those with nothing in the window */
    TRY(logs_parse_stream(q->call->arena, record, &s));
    return is_named(q->in, name) ? open_source(q, name, &s) : ERR_OK;
}

/* Opens the chunk of streams that the cursor names. */
static enum err open_chunk(struct query *q)
{
    struct arena *a = q->call->arena;
    if (q->in->log_stream_names.v)
        return open_named(q);
    struct str prefix = q->in->log_stream_name_prefix;
    struct key_range range = key_range(a, &logs_k_stream, q->group.id,
                                       KEY_STARTS(str_is_set(prefix) ? prefix : STR("")));
    struct str from = range.from;
    if (q->cursor.chunk.len)
        from = key_make(a, &logs_k_stream, q->group.id, q->cursor.chunk);
    if (!str_is_set(from) || !str_is_set(range.from))
        return ERR_NOMEM;
    if (str_cmp(from, range.from) > 0)
        range.from = from;
    q->n_chunk = 0;
    return str_cmp(range.from, range.to) < 0 ? txn_each(q->call->txn, range, open_next, q) : ERR_OK;
}

static void close_sources(void *arg)
{
    struct query *q = arg;
    for (size_t i = 0; i < q->n_sources; i++)
        kv_iter_close(q->sources[i].it);
    q->n_sources = 0;
    heap_release(&q->heap);
}

/* --- merging ---------------------------------------------------------------------------------- */

static enum err take(struct query *q, const struct source *s)
{
    const struct logs_stored_event *e = &s->event;
    assert(q->n < q->limit);
    TRY(ARENA_GROW(q->call->arena, q->events, q->n, q->cap, LOGS_EVENTS_FIRST));
    struct logs_filtered_log_event *f = &q->events[q->n];
    *f = (struct logs_filtered_log_event){.log_stream_name = s->stream};
    f->message = str_dup(q->call->arena, e->message);
    f->event_id = logs_event_id(q->call->arena, e->timestamp, s->stream_id, e->seq);
    if (!str_is_set(f->message) || !str_is_set(f->event_id))
        return ERR_NOMEM;
    WIRE_SET(f, timestamp, e->timestamp);
    WIRE_SET(f, ingestion_time, e->ingested_ms);
    q->n++;
    q->bytes += e->message.len + LOGS_EVENT_OVERHEAD;
    return ERR_OK;
}

static enum err open_event(struct query *q, struct source *s)
{
    struct call *call = q->call;
    if (s->event.data_key == 0)
        return ERR_OK;
    struct str key =
        key_make(call->arena, &logs_k_event, s->stream_id, s->event.timestamp, s->event.seq);
    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = logs_cipher_open(call->svc, call->txn, call_scope(call), q->group_name,
                                    q->group.id, key, &s->event, &q->cipher);
    return logs_kms(call, err, &q->cipher);
}

static enum err merge(struct query *q)
{
    struct heap_node *node;
    while ((node = heap_peek(&q->heap)) != NULL) {
        struct source *s = CONTAINER_OF(node, struct source, node);
        if (q->n == q->limit || q->looked_at >= LOGS_SCAN_EVENTS ||
            (q->n && q->bytes + s->event.message.len > LOGS_PAGE_BYTES)) {
            q->full = true;
            return ERR_OK;
        }
        q->looked_at++;
        bool matches;
        TRY(open_event(q, s));
        TRY(filter_matches(&q->filter, q->call->arena, s->event.message, NULL, &matches));
        if (matches)
            TRY(take(q, s));
        struct cursor at = q->cursor;
        at.inside = true;
        at.ts = s->event.timestamp;
        at.id = s->stream_id;
        at.seq = s->event.seq;
        bool more;
        heap_remove(&q->heap, node);
        TRY(advance(q, s, &more));
        if (more)
            TRY(heap_push(&q->heap, &s->node));
        q->cursor = at;
    }
    return ERR_OK;
}

static enum err run(struct query *q, struct logs_filter_log_events_output *out)
{
    for (;;) {
        assert(q->n_sources == 0 && !q->full);
        q->next_chunk = STR_NONE;
        heap_init(&q->heap);
        enum err err = open_chunk(q);
        if (!err)
            err = merge(q);
        close_sources(q);
        TRY(err);
        if (q->full)
            return make_token(q, &out->next_token);
        if (!str_is_set(q->next_chunk))
            return ERR_OK;
        q->cursor = (struct cursor){.chunk = q->next_chunk};
        if (q->looked_at >= LOGS_SCAN_EVENTS / 2)
            return make_token(q, &out->next_token);
    }
}

static enum err prepare(struct query *q)
{
    const struct logs_filter_log_events_input *in = q->in;
    struct call *call = q->call;
    if (in->log_stream_names.v && str_is_set(in->log_stream_name_prefix))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Cannot specify both logStreamNames and logStreamNamePrefix.");
    TRY(logs_pattern(call, in->filter_pattern, &q->filter));
    q->from_ms = max_i64(in->has_start_time ? in->start_time : 0,
                         logs_cutoff(&q->group, call->txn->wall_ms));
    /* The end belongs to it, other than in GetLogEvents. */
    q->to_ms = in->has_end_time && in->end_time < INT64_MAX ? in->end_time + 1 : INT64_MAX;
    q->limit = in->has_limit ? (size_t)in->limit : LOGS_PAGE_EVENTS;
    TRY(ARENA_GROW(call->arena, q->events, q->n, q->cap,
                   LOGS_EVENTS_FIRST)); /* none is a list, too */
    return str_is_set(in->next_token) ? parse_token(q) : ERR_OK;
}

enum err logs_filter_log_events(struct call *call, const struct logs_filter_log_events_input *in,
                                struct logs_filter_log_events_output *out)
{
    struct query *q = ARENA_NEW(call->arena, struct query);
    if (!q)
        return ERR_NOMEM;
    q->call = call;
    q->in = in;
    TRY(logs_need_group(call, in->log_group_name, in->log_group_identifier, &q->group_name,
                        &q->group));
    TRY(prepare(q));
    TRY(run(q, out));
    out->events.v = q->events;
    out->events.n = q->n;
    /* As AWS answers since 2020: an empty list. */
    out->searched_log_streams.v = ARENA_NEW(call->arena, struct logs_searched_log_stream);
    return out->searched_log_streams.v ? ERR_OK : ERR_NOMEM;
}
