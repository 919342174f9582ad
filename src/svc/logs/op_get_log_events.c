/* GetLogEvents: pages of one stream in both directions.
 *
 * A token is a place between events, "f/" or "b/" and the hex of (timestamp, seq) of the event next
 * to it; "f/" goes on with later events, "b/" with earlier ones. At an end the same place comes
 * back, which is how a client knows. */
#include <inttypes.h>

#include "codec/hex.h"
#include "svc/logs/logs_int.h"

struct place {
    int64_t ts;
    uint64_t seq;
};

static struct str token_of(struct call *call, char direction, struct place p)
{
    return str_fmt(call->arena, "%c/%016" PRIx64 "%016" PRIx64, direction,
                   (uint64_t)p.ts ^ (UINT64_C(1) << 63), p.seq);
}

static enum err parse_token(struct str token, bool *ret_forward, struct place *ret_place)
{
    uint8_t raw[16];
    if (token.len != 34 || token.p[1] != '/' || (token.p[0] != 'f' && token.p[0] != 'b'))
        return ERR_INVALID;
    if (hex_decode_to(str_sub(token, 2, 32), raw, sizeof(raw)) != ERR_OK)
        return ERR_INVALID;
    uint64_t v[2] = {0, 0};
    for (size_t i = 0; i < sizeof(raw); i++)
        v[i / 8] = v[i / 8] << 8 | raw[i];
    *ret_forward = token.p[0] == 'f';
    *ret_place = (struct place){(int64_t)(v[0] ^ (UINT64_C(1) << 63)), v[1]};
    return ERR_OK;
}

struct window {
    struct str from, to; /* keys: from <= key < to */
    bool forward;
    size_t limit;
};

/* The keys that times, retention and token leave. */
static enum err make_window(struct call *call, const struct logs_get_log_events_input *in,
                            const struct logs_group *g, const struct logs_stream *s,
                            struct window *w, struct place *ret_edge)
{
    int64_t start =
        max_i64(in->has_start_time ? in->start_time : INT64_MIN, logs_cutoff(g, call->txn->now_ms));
    struct str prefix = logs_key_events(call->arena, s->id);
    if (!prefix.p)
        return ERR_NOMEM;
    w->from = logs_key_event(call->arena, s->id, start, 0);
    w->to = in->has_end_time ? logs_key_event(call->arena, s->id, in->end_time, 0)
                             : key_after_prefix(call->arena, prefix);
    w->forward = in->start_from_head;
    w->limit = in->has_limit ? (size_t)in->limit : LOGS_PAGE_EVENTS;
    *ret_edge = (struct place){max_i64(start, 0) - 1, UINT64_MAX}; /* just before all of them */
    if (in->next_token.p) {
        struct place at;
        if (parse_token(in->next_token, &w->forward, &at) != ERR_OK)
            return call_error(call, &logs_err_invalid_parameter_exception,
                              "The specified nextToken is invalid.");
        *ret_edge = at;
        struct str key = logs_key_event(call->arena, s->id, at.ts, at.seq);
        if (w->forward && at.seq != UINT64_MAX)
            key = logs_key_event(call->arena, s->id, at.ts, at.seq + 1);
        if (!key.p)
            return ERR_NOMEM;
        if (w->forward && str_cmp(key, w->from) > 0)
            w->from = key;
        if (!w->forward && str_cmp(key, w->to) < 0)
            w->to = key;
    }
    return w->from.p && w->to.p ? ERR_OK : ERR_NOMEM;
}

static void reverse(struct logs_output_log_event *v, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct logs_output_log_event t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
}

/* Reads a page into out; *ret_first and *ret_last are its ends in order of time, untouched when it
 * is empty. */
static enum err read_page(struct call *call, const struct window *w,
                          struct logs_get_log_events_output *out, struct place *ret_first,
                          struct place *ret_last)
{
    struct logs_output_log_event *v =
        ARENA_ARRAY(call->arena, struct logs_output_log_event, w->limit);
    if (!v)
        return ERR_NOMEM;
    out->events.v = v;
    if (str_cmp(w->from, w->to) >= 0)
        return ERR_OK;
    struct kv_iter *it;
    struct str key, record;
    TRY(kv_scan(call->txn->kv, w->from, w->to, !w->forward, &it));
    size_t n = 0, bytes = 0;
    enum err err = ERR_OK;
    while (n < w->limit && (err = kv_next(it, &key, &record)) == ERR_OK) {
        struct logs_stored_event e;
        err = logs_parse_event(key, record, &e);
        if (err)
            break;
        bytes += e.message.len + LOGS_EVENT_OVERHEAD;
        if (n && bytes > LOGS_PAGE_BYTES)
            break;
        struct str message = str_dup(call->arena, e.message);
        if (!message.p) {
            err = ERR_NOMEM;
            break;
        }
        WIRE_SET(&v[n], timestamp, e.timestamp);
        WIRE_SET(&v[n], ingestion_time, e.ingested_ms);
        v[n].message = message;
        *(w->forward ? ret_last : ret_first) = (struct place){e.timestamp, e.seq};
        if (n == 0)
            *(w->forward ? ret_first : ret_last) = (struct place){e.timestamp, e.seq};
        n++;
    }
    kv_iter_close(it);
    if (!w->forward)
        reverse(v, n);
    out->events.n = n;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err logs_get_log_events(struct call *call, const struct logs_get_log_events_input *in,
                             struct logs_get_log_events_output *out)
{
    struct logs_group g;
    struct logs_stream s;
    struct window w;
    struct place first, last;
    TRY(logs_need_group(call, in->log_group_name, in->log_group_identifier, NULL, &g));
    TRY(logs_need_stream(call, g.id, in->log_stream_name, &s));
    TRY(make_window(call, in, &g, &s, &w, &first));
    last = first;
    TRY(read_page(call, &w, out, &first, &last));
    out->next_forward_token = token_of(call, 'f', last);
    out->next_backward_token = token_of(call, 'b', first);
    return out->next_forward_token.p && out->next_backward_token.p ? ERR_OK : ERR_NOMEM;
}
