/* Records of groups, streams and events. */
#include "base/pack.h"
#include "base/rng.h"
#include "svc/logs/logs_int.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 2 * 1024 * 1024 };

enum err logs_parse_group(struct str record, struct logs_group *ret)
{
    struct unpack u;
    unpack_init(&u, record);
    if (unpack_u8(&u) != RECORD_VERSION)
        return ERR_CORRUPT;
    struct logs_group g = {.id = unpack_uint(&u)};
    g.created_ms = unpack_int(&u);
    g.retention_days = unpack_int(&u);
    g.protected_ = unpack_u8(&u);
    TRY(unpack_end(&u));
    *ret = g;
    return ERR_OK;
}

enum err logs_read_group(struct txn *txn, struct str name, struct logs_group *ret)
{
    struct str key = logs_key_group(txn->arena, name);
    struct str record;
    if (!key.p)
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &record));
    return logs_parse_group(record, ret);
}

enum err logs_write_group(struct txn *txn, struct str name, const struct logs_group *g)
{
    struct str key = logs_key_group(txn->arena, name);
    if (!key.p)
        return ERR_NOMEM;
    struct buf b;
    buf_init_arena(&b, txn->arena, RECORD_MAX);
    pack_u8(&b, RECORD_VERSION);
    pack_uint(&b, g->id);
    pack_int(&b, g->created_ms);
    pack_int(&b, g->retention_days);
    pack_u8(&b, g->protected_);
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

enum err logs_make_group(struct txn *txn, struct str name, struct logs_group *g)
{
    struct logs_group old;
    enum err err = logs_read_group(txn, name, &old);
    if (err != ERR_NOT_FOUND)
        return err ? err : ERR_EXISTS;
    g->id = rng_u64();
    g->created_ms = txn->now_ms;
    return logs_write_group(txn, name, g);
}

enum err logs_parse_stream(struct str record, struct logs_stream *ret)
{
    struct unpack u;
    unpack_init(&u, record);
    if (unpack_u8(&u) != RECORD_VERSION)
        return ERR_CORRUPT;
    struct logs_stream s = {.id = unpack_uint(&u)};
    s.created_ms = unpack_int(&u);
    s.first_ms = unpack_int(&u);
    s.last_ms = unpack_int(&u);
    s.ingested_ms = unpack_int(&u);
    s.next_seq = unpack_uint(&u);
    s.stored_bytes = unpack_uint(&u);
    TRY(unpack_end(&u));
    *ret = s;
    return ERR_OK;
}

enum err logs_read_stream(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_stream *ret)
{
    struct str key = logs_key_stream(txn->arena, group_id, name);
    struct str record;
    if (!key.p)
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &record));
    return logs_parse_stream(record, ret);
}

static enum err write_stream(struct txn *txn, uint64_t group_id, struct str name,
                             const struct logs_stream *s)
{
    struct str key = logs_key_stream(txn->arena, group_id, name);
    if (!key.p)
        return ERR_NOMEM;
    struct buf b;
    buf_init_arena(&b, txn->arena, RECORD_MAX);
    pack_u8(&b, RECORD_VERSION);
    pack_uint(&b, s->id);
    pack_int(&b, s->created_ms);
    pack_int(&b, s->first_ms);
    pack_int(&b, s->last_ms);
    pack_int(&b, s->ingested_ms);
    pack_uint(&b, s->next_seq);
    pack_uint(&b, s->stored_bytes);
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

static enum err move_by_time(struct txn *txn, uint64_t group_id, struct str name, bool add,
                             int64_t last_ms)
{
    struct str key = logs_key_by_time(txn->arena, group_id, last_ms, name);
    if (!key.p)
        return ERR_NOMEM;
    return add ? txn_put(txn, key, STR("")) : txn_del(txn, key);
}

enum err logs_make_stream(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_stream *ret)
{
    enum err err = logs_read_stream(txn, group_id, name, ret);
    if (err != ERR_NOT_FOUND)
        return err ? err : ERR_EXISTS;
    *ret = (struct logs_stream){.id = rng_u64(), .created_ms = txn->now_ms};
    TRY(write_stream(txn, group_id, name, ret));
    return move_by_time(txn, group_id, name, true, 0);
}

enum err logs_drop_stream(struct txn *txn, uint64_t group_id, struct str name,
                          const struct logs_stream *s)
{
    struct str key = logs_key_stream(txn->arena, group_id, name);
    struct str dead = logs_key_dead_stream(txn->arena, s->id);
    if (!key.p || !dead.p)
        return ERR_NOMEM;
    TRY(txn_del(txn, key));
    TRY(move_by_time(txn, group_id, name, false, s->last_ms));
    return txn_put(txn, dead, STR(""));
}

static enum err put_event(struct txn *txn, const struct logs_stream *s, uint64_t seq,
                          const struct logs_event *e)
{
    struct str key = logs_key_event(txn->arena, s->id, e->timestamp_ms, seq);
    if (!key.p)
        return ERR_NOMEM;
    struct buf b;
    buf_init_arena(&b, txn->arena, RECORD_MAX);
    pack_u8(&b, RECORD_VERSION);
    pack_int(&b, txn->now_ms);
    pack_str(&b, e->message);
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

enum err logs_append(struct txn *txn, uint64_t group_id, struct str name, struct logs_stream *s,
                     const struct logs_event *events, size_t n)
{
    if (n == 0)
        return ERR_OK;
    int64_t old_last = s->last_ms;
    if (s->last_ms == 0 || events[0].timestamp_ms < s->first_ms)
        s->first_ms = events[0].timestamp_ms;
    for (size_t i = 0; i < n; i++) {
        TRY(put_event(txn, s, s->next_seq++, &events[i]));
        s->last_ms = max_i64(s->last_ms, events[i].timestamp_ms);
        s->stored_bytes += events[i].message.len + LOGS_EVENT_OVERHEAD;
    }
    s->ingested_ms = txn->now_ms;
    TRY(write_stream(txn, group_id, name, s));
    if (s->last_ms == old_last)
        return ERR_OK;
    TRY(move_by_time(txn, group_id, name, false, old_last));
    return move_by_time(txn, group_id, name, true, s->last_ms);
}

enum err logs_parse_event(struct str key, struct str record, struct logs_stored_event *ret)
{
    struct logs_stored_event e;
    TRY(logs_key_read_event(key, &e.timestamp, &e.seq));
    struct unpack u;
    unpack_init(&u, record);
    if (unpack_u8(&u) != RECORD_VERSION)
        return ERR_CORRUPT;
    e.ingested_ms = unpack_int(&u);
    e.message = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret = e;
    return ERR_OK;
}

int64_t logs_cutoff(const struct logs_group *g, int64_t now_ms)
{
    return g->retention_days ? now_ms - g->retention_days * LOGS_DAY_MS : INT64_MIN;
}
