/* GetLogGroupFields: which fields the events of a time have, and how often. Layer: svc/logs.
 * Source: CloudWatch Logs API Reference. */
#include <stdlib.h>

#include "base/map.h"
#include "svc/logs/query.h"

enum {
    EVENTS_MAX = 1000, /* that are looked at */
    STREAMS_MAX = 1000,
    MINUTE_MS = 60 * 1000,
    JSON_WORK = 8, /* what a byte of an event costs, of one that is copied */
};

struct counting {
    struct call *call;
    struct str group_name;
    struct logs_group group;
    struct logs_cipher cipher;
    int64_t from_ms, to_ms;
    struct str stream_name;
    struct map fields; /* of struct logs_log_group_field, percent: events that have it */
    size_t events, streams;
};

static enum err count_field(struct counting *c, struct str name)
{
    struct logs_log_group_field *f = map_get(&c->fields, name);
    if (f) {
        f->percent++;
        return ERR_OK;
    }
    if (c->fields.n == INSIGHTS_DISCOVERED_MAX)
        return ERR_OK;
    f = ARENA_NEW(c->call->arena, struct logs_log_group_field);
    if (!f)
        return ERR_NOMEM;
    f->name = str_dup(c->call->arena, name);
    WIRE_SET(f, percent, 1);
    return str_is_set(f->name) ? map_put(&c->fields, f->name, f, NULL) : ERR_NOMEM;
}

static enum err count_event(void *arg, struct str key, struct str record)
{
    struct counting *c = arg;
    struct call *call = c->call;
    struct logs_stored_event e;
    struct insights_field *v;
    size_t n;
    TRY(txn_work(call->txn, record.len * JSON_WORK));
    TRY(logs_parse_event(call->arena, key, record, &e));
    enum err err = logs_cipher_open(call->svc, call->txn, call_scope(call), c->group_name,
                                    c->group.id, key, &e, &c->cipher);
    TRY(logs_kms(call, err, &c->cipher));
    const struct insights_event event = {.timestamp_ms = e.timestamp,
                                         .ingested_ms = e.ingested_ms,
                                         .message = e.message,
                                         .stream = c->stream_name,
                                         .group = c->group_name,
                                         .account = call->account,
                                         .region = call->region};
    TRY(insights_discover(call->arena, &event, &v, &n));
    for (size_t i = 0; i < n; i++)
        TRY(count_field(c, v[i].name));
    return ++c->events < EVENTS_MAX ? ERR_OK : ERR_CLOSED;
}

static enum err count_stream(void *arg, struct str key, struct str record)
{
    struct counting *c = arg;
    struct arena *a = c->call->arena;
    struct logs_stream s;
    TRY(logs_parse_stream(a, record, &s));
    TRY(key_read(&logs_k_stream, key, a, KEY_SKIP, &c->stream_name));
    if (s.last_ms >= c->from_ms && s.first_ms < c->to_ms && s.last_ms > 0)
        TRY(txn_each(c->call->txn,
                     (struct key_range){key_make(a, &logs_k_event, s.id, c->from_ms, (uint64_t)0),
                                        key_make(a, &logs_k_event, s.id, c->to_ms, (uint64_t)0)},
                     count_event, c));
    return ++c->streams < STREAMS_MAX && c->events < EVENTS_MAX ? ERR_OK : ERR_CLOSED;
}

static int by_name(const void *a, const void *b)
{
    const struct logs_log_group_field *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static enum err tell(struct counting *c, struct logs_get_log_group_fields_output *out)
{
    struct logs_log_group_field *v =
        ARENA_ARRAY(c->call->arena, struct logs_log_group_field, c->fields.n + 1);
    size_t at = 0, n = 0;
    struct str name;
    void *value;
    if (!v)
        return ERR_NOMEM;
    while (map_next(&c->fields, &at, &name, &value)) {
        v[n] = *(const struct logs_log_group_field *)value;
        v[n].percent = v[n].percent * 100 / (int64_t)c->events;
        n++;
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), by_name);
    out->log_group_fields = (struct logs_log_group_field_list){v, n};
    return ERR_OK;
}

enum err logs_get_log_group_fields(struct call *call,
                                   const struct logs_get_log_group_fields_input *in,
                                   struct logs_get_log_group_fields_output *out)
{
    struct counting c = {.call = call};
    int64_t now = call->txn->wall_ms;
    TRY(logs_need_group(call, in->log_group_name, in->log_group_identifier, &c.group_name,
                        &c.group));
    int64_t center = in->has_time ? min_i64(in->time, INT64_MAX / 2000) * 1000 : 0;
    c.from_ms = in->has_time ? center - 8 * MINUTE_MS : now - 15 * MINUTE_MS;
    c.to_ms = in->has_time ? center + 8 * MINUTE_MS : now + 1;
    c.from_ms = max_i64(max_i64(c.from_ms, 0), logs_cutoff(&c.group, now));
    map_init(&c.fields);
    enum err err = ERR_OK;
    if (c.from_ms < c.to_ms)
        err = txn_each(call->txn, key_range(call->arena, &logs_k_stream, c.group.id), count_stream,
                       &c);
    if (err == ERR_OK)
        err = tell(&c, out);
    map_release(&c.fields);
    return err;
}
