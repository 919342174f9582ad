/* Records of groups, streams and events. */
#include <assert.h>
#include <inttypes.h>

#include "base/record.h"
#include "base/rng.h"
#include "svc/logs/logs_int.h"

static const struct record_field group_fields[] = {
    REC_UINT(struct logs_group, id),
    REC_INT(struct logs_group, created_ms),
    REC_INT(struct logs_group, retention_days),
    REC_BOOL(struct logs_group, protected_),
    REC_SINCE(2, REC_STR(struct logs_group, kms_key)),
    REC_SINCE(2, REC_UINT(struct logs_group, data_key)),
    REC_SINCE(3, REC_UINT(struct logs_group, metric_filters)),
    REC_SINCE(4, REC_UINT(struct logs_group, subscriptions)),
};
static const struct record_type group_type = RECORD_TYPE(struct logs_group, 4, group_fields);

static const struct record_field stream_fields[] = {
    REC_UINT(struct logs_stream, id),           REC_INT(struct logs_stream, created_ms),
    REC_INT(struct logs_stream, first_ms),      REC_INT(struct logs_stream, last_ms),
    REC_INT(struct logs_stream, ingested_ms),   REC_UINT(struct logs_stream, next_seq),
    REC_UINT(struct logs_stream, stored_bytes),
};
static const struct record_type stream_type = RECORD_TYPE(struct logs_stream, 1, stream_fields);

/* Timestamp and seq are in the key. */
static const struct record_field event_fields[] = {
    REC_INT(struct logs_stored_event, ingested_ms),
    REC_STR(struct logs_stored_event, message),
    REC_SINCE(2, REC_UINT(struct logs_stored_event, data_key)),
};
static const struct record_type event_type = RECORD_TYPE(struct logs_stored_event, 2, event_fields);

/* --- groups ----------------------------------------------------------------------------------- */

enum err logs_parse_group(struct arena *a, struct str record, struct logs_group *ret)
{
    return record_unpack_copy(&group_type, a, record, ret);
}

enum err logs_read_group(struct txn *txn, struct key_scope scope, struct str name,
                         struct logs_group *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &logs_k_group, scope, name), &record));
    return record_unpack(&group_type, txn->arena, record, ret);
}

enum err logs_write_group(struct txn *txn, struct key_scope scope, struct str name,
                          const struct logs_group *g)
{
    struct str record;
    TRY(record_make(&group_type, txn->arena, g, &record));
    return txn_put(txn, key_make(txn->arena, &logs_k_group, scope, name), record);
}

enum err logs_make_group(struct txn *txn, struct key_scope scope, struct str name,
                         struct logs_group *g)
{
    struct logs_group old;
    enum err err = logs_read_group(txn, scope, name, &old);
    if (err != ERR_NOT_FOUND)
        return err ? err : ERR_EXISTS;
    assert(g->id == 0 && name.len > 0);
    g->id = rng_u64();
    g->created_ms = txn->wall_ms;
    return logs_write_group(txn, scope, name, g);
}

/* --- streams ---------------------------------------------------------------------------------- */

enum err logs_parse_stream(struct arena *a, struct str record, struct logs_stream *ret)
{
    return record_unpack(&stream_type, a, record, ret);
}

enum err logs_read_stream(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_stream *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &logs_k_stream, group_id, name), &record));
    return logs_parse_stream(txn->arena, record, ret);
}

static enum err write_stream(struct txn *txn, uint64_t group_id, struct str name,
                             const struct logs_stream *s)
{
    struct str record;
    TRY(record_make(&stream_type, txn->arena, s, &record));
    return txn_put(txn, key_make(txn->arena, &logs_k_stream, group_id, name), record);
}

static struct str by_time_key(struct txn *txn, uint64_t group_id, int64_t last_ms, struct str name)
{
    return key_make(txn->arena, &logs_k_by_time, group_id, last_ms, name);
}

enum err logs_make_stream(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_stream *ret)
{
    enum err err = logs_read_stream(txn, group_id, name, ret);
    if (err != ERR_NOT_FOUND)
        return err ? err : ERR_EXISTS;
    *ret = (struct logs_stream){.id = rng_u64(), .created_ms = txn->wall_ms};
    TRY(write_stream(txn, group_id, name, ret));
    return txn_put(txn, by_time_key(txn, group_id, 0, name), STR(""));
}

enum err logs_drop_stream(struct txn *txn, uint64_t group_id, struct str name,
                          const struct logs_stream *s)
{
    TRY(txn_del(txn, key_make(txn->arena, &logs_k_stream, group_id, name)));
    TRY(txn_del(txn, by_time_key(txn, group_id, s->last_ms, name)));
    return txn_put(txn, key_make(txn->arena, &logs_k_dead_stream, s->id), STR(""));
}

/* --- events ----------------------------------------------------------------------------------- */

static enum err put_event(struct txn *txn, const struct logs_stream *s, uint64_t seq,
                          const struct logs_cipher *cipher, const struct logs_event *e)
{
    struct logs_stored_event stored = {.ingested_ms = txn->wall_ms, .data_key = cipher->number};
    struct str record, key = key_make(txn->arena, &logs_k_event, s->id, e->timestamp_ms, seq);
    TRY(logs_cipher_seal(cipher, txn->arena, key, e->message, &stored.message));
    TRY(record_make(&event_type, txn->arena, &stored, &record));
    return txn_put(txn, key, record);
}

enum err logs_append(struct txn *txn, uint64_t group_id, struct str name, struct logs_stream *s,
                     const struct logs_cipher *cipher, const struct logs_event *events, size_t n)
{
    if (n == 0)
        return ERR_OK;
    int64_t old_last = s->last_ms;
    if (s->last_ms == 0 || events[0].timestamp_ms < s->first_ms)
        s->first_ms = events[0].timestamp_ms;
    for (size_t i = 0; i < n; i++) {
        TRY(put_event(txn, s, s->next_seq++, cipher, &events[i]));
        s->last_ms = max_i64(s->last_ms, events[i].timestamp_ms);
        s->stored_bytes += events[i].message.len + LOGS_EVENT_OVERHEAD;
    }
    s->ingested_ms = txn->wall_ms;
    assert(s->next_seq >= n && s->last_ms >= old_last);
    TRY(write_stream(txn, group_id, name, s));
    if (s->last_ms == old_last)
        return ERR_OK;
    assert(s->last_ms > old_last && s->first_ms <= s->last_ms);
    TRY(txn_del(txn, by_time_key(txn, group_id, old_last, name)));
    return txn_put(txn, by_time_key(txn, group_id, s->last_ms, name), STR(""));
}

enum err logs_parse_event(struct arena *a, struct str key, struct str record,
                          struct logs_stored_event *ret)
{
    TRY(key_read(&logs_k_event, key, a, KEY_SKIP, &ret->timestamp, &ret->seq));
    return record_unpack(&event_type, a, record, ret);
}

struct str logs_event_id(struct arena *a, int64_t timestamp, uint64_t stream_id, uint64_t seq)
{
    return str_fmt(a, "%020" PRIu64 "%020" PRIu64 "%016" PRIu64, (uint64_t)timestamp, stream_id,
                   seq);
}

int64_t logs_cutoff(const struct logs_group *g, int64_t now_ms)
{
    return g->retention_days ? now_ms - g->retention_days * LOGS_DAY_MS : INT64_MIN;
}
