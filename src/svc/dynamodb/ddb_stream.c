/* Streams of tables: their definitions, the records of changes, who waits for them, trimming.
 *
 *   open --StreamEnabled false, table deleted--> closed --a day later--> gone
 *
 *   stream   base/record.h (struct stored)
 *   change   u8 version, u8 kind, u8 expired, uint spread, int now_ms, int wall_ms,
 *            str keys, str new item, str old item (stored items; empty where the view has none)
 *   horizon  uint commit, uint which of it
 *
 * Invariants: DS1-DS3 of dynamodb_port.h, and
 *   DR1  A write reads the table's guard tracked (DT1), so it knows whether there is a stream: none
 *        writes into a closed one, and none that was prepared before a stream opened leaves its
 *        record out.
 *   DR2  Trimming moves the horizon in the commit that deletes, and reads begin behind it: no read
 *        passes over what trimming left in the store's files.
 *
 * Thread: as dynamodb_int.h says. */
#include <assert.h>

#include "base/arn.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/record.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    CHANGE_VERSION = 1,
    CHANGE_BYTES_MAX = 2 * 1024 * 1024, /* three items of 400 KB, with room */
    CHANGE_HEAD_MAX = 64,
    TRIM_EVERY_MS = 3600 * 1000,
};

/* --- definitions ------------------------------------------------------------------------------ */

struct stored {
    uint32_t id;
    enum ddb_view view;
    struct str table_arn, hash, range;
    int64_t created_ms, closed_ms;
    uint64_t first;
    uint16_t shards;
    struct str kms_arn, data_key; /* as the table's */
    struct ddb_policy policy;
};

static const struct record_field stored_fields[] = {
    REC_UINT(struct stored, id),
    REC_ENUM(struct stored, view, DDB_VIEWS),
    REC_STR(struct stored, table_arn),
    REC_STR(struct stored, hash),
    REC_STR(struct stored, range),
    REC_INT(struct stored, created_ms),
    REC_INT(struct stored, closed_ms),
    REC_UINT(struct stored, first),
    REC_UINT(struct stored, shards),
    REC_SINCE(2, REC_STR(struct stored, kms_arn)),
    REC_SINCE(2, REC_STR(struct stored, data_key)),
    REC_SINCE(3, REC_STRUCT(struct stored, policy, &ddb_policy_record)),
};
static const struct record_type stored_type = RECORD_TYPE(struct stored, 3, stored_fields);

static struct str make_arn(struct arena *a, struct str table_arn, struct str label)
{
    return str_fmt(a, STR_FMT "/stream/" STR_FMT, STR_ARG(table_arn), STR_ARG(label));
}

enum err ddb_stream_arn(struct arena *a, const struct ddb_table *table, struct str *ret_arn)
{
    *ret_arn = STR_NONE;
    if (!str_is_set(table->label))
        return ERR_OK;
    *ret_arn = make_arn(a, table->arn, table->label);
    return str_is_set(*ret_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err stream_read(struct arena *a, struct str key, struct str value,
                            struct ddb_stream **ret_stream)
{
    struct stored in;
    struct ddb_stream *s = ARENA_NEW(a, struct ddb_stream);
    if (!s)
        return ERR_NOMEM;
    TRY(record_unpack_copy(&stored_type, a, value, &in));
    TRY(key_read(&ddb_k_stream, key, a, &s->scope, &s->table, &s->label));
    if (in.id == 0 || in.shards == 0 || in.shards > DDB_STREAM_SHARDS_MAX)
        return ERR_CORRUPT;
    s->id = in.id;
    s->view = in.view;
    s->hash = in.hash;
    s->range = in.range;
    s->created_ms = in.created_ms;
    s->closed_ms = in.closed_ms;
    s->first = in.first;
    s->shards = in.shards;
    s->kms_arn = in.kms_arn;
    s->data_key = in.data_key;
    s->table_arn = in.table_arn;
    s->arn = make_arn(a, in.table_arn, s->label);
    if (!str_is_set(s->arn))
        return ERR_NOMEM;
    *ret_stream = s;
    return ERR_OK;
}

enum err ddb_next_id(struct txn *txn, enum ddb_ids kind, uint32_t *ret_id)
{
    struct str value, key = key_make(txn->arena, &ddb_k_ids, (uint8_t)kind);
    uint64_t last = 0;
    struct buf b;
    enum err err = txn_get(txn, key, &value);
    if (err == ERR_OK) {
        struct unpack u;
        unpack_init(&u, value);
        last = unpack_uint(&u);
        err = unpack_end(&u);
    }
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (last >= UINT32_MAX)
        return ERR_LIMIT;
    buf_init_arena(&b, txn->arena, 16);
    pack_uint(&b, last + 1);
    TRY(buf_err(&b));
    *ret_id = (uint32_t)(last + 1);
    return txn_put(txn, key, buf_str(&b));
}

/* A label that no stream of the table has: the moment, or the next one that is free. */
static enum err free_label(struct call *call, const struct ddb_table *table, struct str *ret_label,
                           struct str *ret_key)
{
    char text[CLOCK_TEXT_MAX];
    struct str value;
    enum err err = ERR_OK;
    for (int64_t at = call->txn->wall_ms; err == ERR_OK; at++) {
        struct str label = clock_iso8601_ms(text, at);
        if (str_ends(label, STR("Z")))
            label.len--;
        *ret_label = str_dup(call->arena, label);
        if (!str_is_set(*ret_label))
            return ERR_NOMEM;
        *ret_key = key_make(call->arena, &ddb_k_stream, call_scope(call), table->name, *ret_label);
        err = txn_get(call->txn, *ret_key, &value);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err open_stream(struct call *call, enum ddb_view view, struct ddb_table *table)
{
    struct dynamodb *ddb = call->svc;
    struct txn *txn = call->txn;
    struct str key, record;
    struct stored s = {
        .view = view,
        .table_arn = table->arn,
        .hash = table->key.hash,
        .range = table->key.range,
        .created_ms = txn->wall_ms,
        .first = kv_last_seq(txn->core->kv),
        .shards = DDB_STREAM_SHARDS,
        .kms_arn = table->kms_arn,
        .data_key = table->data_key,
    };
    TRY(free_label(call, table, &table->label, &key));
    TRY(ddb_next_id(txn, DDB_ID_STREAM, &s.id));
    table->stream = s.id;
    table->view = view;
    TRY(record_make(&stored_type, txn->arena, &s, &record));
    TRY(txn_put(txn, key, record));
    struct str job = key_make(txn->arena, &ddb_k_trim, s.id);
    return str_is_set(job) ? job_add(txn, ddb->trim, job, key) : ERR_NOMEM;
}

/* The record of the table's open stream. */
static enum err read_open(struct txn *txn, const struct ddb_table *table, struct str *ret_key,
                          struct stored *ret)
{
    struct key_scope scope;
    struct str value;
    TRY(key_read(&ddb_k_table, table->object.key, txn->arena, &scope, KEY_SKIP));
    *ret_key = key_make(txn->arena, &ddb_k_stream, scope, table->name, table->label);
    TRY(txn_get(txn, *ret_key, &value));
    TRY(record_unpack(&stored_type, txn->arena, value, ret));
    assert(ret->id == table->stream && ret->closed_ms == 0);
    return ERR_OK;
}

enum err ddb_stream_rekey(struct txn *txn, const struct ddb_table *table)
{
    struct stored s;
    struct str key, record;
    if (!table->stream)
        return ERR_OK;
    TRY(read_open(txn, table, &key, &s));
    s.kms_arn = table->kms_arn;
    s.data_key = table->data_key;
    TRY(record_make(&stored_type, txn->arena, &s, &record));
    return txn_put(txn, key, record);
}

enum err ddb_close_stream(struct dynamodb *ddb, struct txn *txn, struct ddb_table *table)
{
    struct stored s;
    struct str key, record;
    if (!table->stream)
        return ERR_OK;
    TRY(read_open(txn, table, &key, &s));
    s.closed_ms = txn->now_ms;
    table->stream = 0;
    table->view = DDB_VIEW_NONE;
    TRY(record_make(&stored_type, txn->arena, &s, &record));
    return txn_put(txn, key, record);
}

enum err ddb_set_stream(struct call *call, struct ddb_diag *diag,
                        const struct dynamodb_stream_specification *in, struct ddb_table *table)
{
    if (!in)
        return ERR_OK;
    bool told = str_is_set(in->stream_view_type);
    bool is_new = !table->figures;
    if (in->stream_enabled && !told)
        return ddb_invalid(diag, "One or more parameter values were invalid: %s",
                           is_new
                               ? "Table is being created with a stream enabled, UpdateViewType is "
                                 "required"
                               : "If stream is being enabled then UpdateViewType is required");
    if (!in->stream_enabled && told)
        return ddb_invalid(diag, "One or more parameter values were invalid: %s",
                           is_new ? "Table is being created with a stream disabled, UpdateViewType "
                                    "should not be specified"
                                  : "If stream is being disabled, then UpdateViewType must not be "
                                    "specified");
    if (in->stream_enabled && table->stream)
        return ddb_invalid(diag, "Table already has an enabled stream: TableName: " STR_FMT,
                           STR_ARG(table->name));
    if (in->stream_enabled)
        return open_stream(call, ddb_view_from(in->stream_view_type), table);
    if (!table->stream && table->figures) /* not a table that is being made */
        return ddb_invalid(diag, "Table has no stream to disable: TableName: " STR_FMT,
                           STR_ARG(table->name));
    return ddb_close_stream(call->svc, call->txn, table);
}

/* --- policies ----------------------------------------------------------------------------------- */

/* The record of a stream by its ARN, and its key. ERR_NOT_FOUND. */
static enum err get_by_arn(struct txn *txn, struct str text, struct str *ret_key,
                           struct str *ret_value)
{
    struct arn arn;
    if (arn_parse_as(text, "dynamodb", "table", &arn) != ERR_OK ||
        !str_eq_c(arn_segment(&arn, 2), "stream") || !str_is_set(arn_segment(&arn, 3)))
        return ERR_NOT_FOUND;
    const struct key_scope scope = {arn.account, arn.region};
    *ret_key = key_make(txn->arena, &ddb_k_stream, scope, arn_segment(&arn, 1), arn_tail(&arn, 3));
    return txn_get(txn, *ret_key, ret_value);
}

static enum err read_by_arn(struct txn *txn, struct str text, struct str *ret_key,
                            struct stored *ret)
{
    struct str value;
    TRY(get_by_arn(txn, text, ret_key, &value));
    return record_unpack_copy(&stored_type, txn->arena, value, ret);
}

enum err ddb_stream_policy(struct txn *txn, struct str arn, struct ddb_policy *ret)
{
    struct stored s;
    struct str key;
    TRY(read_by_arn(txn, arn, &key, &s));
    *ret = s.policy;
    return ERR_OK;
}

enum err ddb_stream_set_policy(struct txn *txn, struct str arn, const struct ddb_policy *policy)
{
    struct stored s;
    struct str key, record;
    TRY(read_by_arn(txn, arn, &key, &s));
    s.policy = *policy;
    TRY(record_make(&stored_type, txn->arena, &s, &record));
    return txn_put(txn, key, record);
}

/* --- writing ---------------------------------------------------------------------------------- */

static uint64_t sum_bytes(struct str s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s.len; i++)
        sum += (uint8_t)s.p[i];
    return sum;
}

/* Two stored items that say the same; the order of attributes and of sets does not count. What says
 * the same in another order is made of the same bytes, so mostly their sum tells without a decoding. */
static enum err unchanged(struct ddb_write *w, const struct ddb_av *item, struct str raw,
                          bool *ret_same)
{
    *ret_same = str_is_set(raw) && str_is_set(w->old_raw) && raw.len == w->old_raw.len;
    if (!*ret_same || str_eq(raw, w->old_raw))
        return ERR_OK;
    *ret_same = sum_bytes(raw) == sum_bytes(w->old_raw);
    if (!*ret_same)
        return ERR_OK;
    TRY(ddb_write_decode(w));
    *ret_same = ddb_av_equal(w->old, item);
    return ERR_OK;
}

enum err ddb_stream_note(struct ddb_write *w, const struct ddb_av *item, struct str raw)
{
    struct arena *a = w->txn->arena;
    const struct ddb_table *t = w->table;
    struct str keys;
    struct buf b;
    bool same, had = str_is_set(w->old_raw);
    TRY(unchanged(w, item, raw, &same));
    if (same || (!item && !had))
        return ERR_OK;
    const struct ddb_av *key_item = ddb_key_item(a, &t->key, &w->key);
    if (!key_item)
        return ERR_NOMEM;
    TRY(ddb_item_encode(a, key_item, ddb_item_size(key_item), &keys));
    bool neu = item && (t->view == DDB_VIEW_NEW || t->view == DDB_VIEW_BOTH);
    bool old = had && (t->view == DDB_VIEW_OLD || t->view == DDB_VIEW_BOTH);
    uint16_t spread = ddb_key_spread(w->key);
    buf_init_arena(&b, a, CHANGE_BYTES_MAX);
    (void)buf_reserve(&b, CHANGE_HEAD_MAX + keys.len + raw.len + w->old_raw.len);
    pack_u8(&b, CHANGE_VERSION);
    pack_u8(&b, (uint8_t)(!had ? DDB_CHANGE_INSERT : item ? DDB_CHANGE_MODIFY : DDB_CHANGE_REMOVE));
    pack_u8(&b, w->expired);
    pack_uint(&b, spread);
    pack_int(&b, w->txn->now_ms);
    pack_int(&b, w->txn->wall_ms);
    struct str before = w->old_raw;
    if (neu)
        TRY(ddb_record_seal(&w->cipher, a, keys, &raw));
    if (old)
        TRY(ddb_record_seal(&w->cipher, a, keys, &before));
    pack_str(&b, keys);
    pack_str(&b, neu ? raw : STR(""));
    pack_str(&b, old ? before : STR(""));
    TRY(buf_err(&b));
    uint16_t shard = ddb_stream_shard(spread, DDB_STREAM_SHARDS);
    return txn_put_stamped(w->txn,
                           key_make(a, &ddb_k_change, t->stream, shard, (uint64_t)0, (uint16_t)0),
                           DDB_CHANGE_STAMP_AT, buf_str(&b));
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum err item_bytes(struct str raw, size_t *bytes)
{
    size_t size;
    if (!str_is_set(raw))
        return ERR_OK;
    TRY(ddb_item_raw_size(raw, &size));
    *bytes += size;
    return ERR_OK;
}

static struct str image(struct str s)
{
    return str_empty(s) ? STR_NONE : s;
}

static enum err change_read(struct arena *a, struct str key, struct str value, struct ddb_change *c)
{
    struct unpack u;
    TRY(key_read(&ddb_k_change, key, a, KEY_SKIP, KEY_SKIP, &c->place.commit, &c->place.nth));
    unpack_init(&u, value);
    uint8_t version = unpack_u8(&u), kind = unpack_u8(&u);
    c->expired = unpack_u8(&u) != 0;
    c->spread = (uint16_t)unpack_uint(&u);
    c->now_ms = unpack_int(&u);
    c->wall_ms = unpack_int(&u);
    c->keys = unpack_str(&u);
    c->neu = image(unpack_str(&u));
    c->old = image(unpack_str(&u));
    TRY(unpack_end(&u));
    if (version != CHANGE_VERSION || kind >= DDB_CHANGE_KINDS)
        return ERR_CORRUPT;
    c->kind = (enum ddb_change_kind)kind;
    c->bytes = 0;
    TRY(item_bytes(c->keys, &c->bytes));
    TRY(item_bytes(c->neu, &c->bytes));
    return item_bytes(c->old, &c->bytes);
}

static enum err horizon_get(struct txn *txn, uint32_t stream, uint16_t shard,
                            struct ddb_place *ret_place)
{
    struct str value;
    struct unpack u;
    *ret_place = (struct ddb_place){0};
    enum err err = txn_get(txn, key_make(txn->arena, &ddb_k_horizon, stream, shard), &value);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    unpack_init(&u, value);
    ret_place->commit = unpack_uint(&u);
    ret_place->nth = (uint16_t)unpack_uint(&u);
    return unpack_end(&u);
}

static enum err horizon_put(struct txn *txn, uint32_t stream, uint16_t shard,
                            struct ddb_place place)
{
    struct buf b;
    buf_init_arena(&b, txn->arena, 32);
    pack_uint(&b, place.commit);
    pack_uint(&b, place.nth);
    TRY(buf_err(&b));
    return txn_put(txn, key_make(txn->arena, &ddb_k_horizon, stream, shard), buf_str(&b));
}

/* The shard's records behind a place. */
static struct key_range behind(struct arena *a, uint32_t stream, uint16_t shard,
                               struct ddb_place after)
{
    struct key_range range = key_range(a, &ddb_k_change, stream, shard);
    struct str key = key_make(a, &ddb_k_change, stream, shard, after.commit, after.nth);
    range.from = str_is_set(key) ? key_successor(a, key) : STR_NONE;
    return str_is_set(range.from) ? range : (struct key_range){0};
}

struct reading {
    struct arena *arena;
    struct ddb_change change;
    enum err (*take)(void *arg, const struct ddb_change *change);
    void *arg;
};

static enum err read_one(void *arg, struct str key, struct str value)
{
    struct reading *r = arg;
    struct ddb_change *c = &r->change;
    const struct ddb_cipher cipher = {c->stream->key};
    TRY(change_read(r->arena, key, value, c));
    TRY(ddb_record_open(&cipher, r->arena, c->keys, &c->neu));
    TRY(ddb_record_open(&cipher, r->arena, c->keys, &c->old));
    return r->take(r->arg, &r->change);
}

static enum err port_read(void *self, struct txn *txn, const struct ddb_stream *stream,
                          uint16_t shard, struct ddb_place after,
                          enum err (*take)(void *arg, const struct ddb_change *change), void *arg)
{
    struct reading r = {.arena = txn->arena, .change.stream = stream, .take = take, .arg = arg};
    struct ddb_place horizon;
    assert(shard < stream->shards);
    TRY(horizon_get(txn, stream->id, shard, &horizon));
    if (ddb_place_before(after, horizon))
        after = horizon;
    return txn_each(txn, behind(txn->arena, stream->id, shard, after), read_one, &r);
}

static enum err port_unlock(void *self, struct txn *txn, struct ddb_stream *s,
                            const struct principal *who, struct str *ret_why)
{
    struct ddb_cipher cipher;
    struct ddb_diag diag = {.arena = txn->arena, .who = who};
    if (!str_is_set(s->data_key))
        return ERR_OK;
    enum err err = ddb_cipher_load(&diag, txn, s->table_arn, s->kms_arn, s->data_key, &cipher);
    *ret_why = diag.msg;
    if (err)
        return err == ERR_INVALID ? ERR_DENIED : err;
    s->key = cipher.key;
    return ERR_OK;
}

static enum err port_horizon(void *self, struct txn *txn, const struct ddb_stream *stream,
                             uint16_t shard, struct ddb_place *ret_place)
{
    return horizon_get(txn, stream->id, shard, ret_place);
}

static enum err note_place(void *arg, struct str key, struct str value)
{
    struct ddb_place *place = arg;
    TRY(key_read(&ddb_k_change, key, NULL, KEY_SKIP, KEY_SKIP, &place->commit, &place->nth));
    return ERR_CLOSED;
}

static enum err port_last(void *self, struct txn *txn, const struct ddb_stream *stream,
                          uint16_t shard, struct ddb_place *ret_place)
{
    struct ddb_place none = {0}, place = {0};
    TRY(horizon_get(txn, stream->id, shard, &none));
    TRY(txn_each_reverse(txn, behind(txn->arena, stream->id, shard, none), note_place, &place));
    if (place.commit == 0)
        return ERR_NOT_FOUND;
    *ret_place = place;
    return ERR_OK;
}

static enum err port_find(void *self, struct txn *txn, struct str arn_text,
                          struct ddb_stream **ret_stream)
{
    struct str key, value;
    TRY(get_by_arn(txn, arn_text, &key, &value));
    TRY(stream_read(txn->arena, key, value, ret_stream));
    return str_eq((*ret_stream)->arn, arn_text) ? ERR_OK : ERR_NOT_FOUND;
}

struct listing {
    struct arena *arena;
    enum err (*take)(void *arg, const struct ddb_stream *stream);
    void *arg;
};

static enum err list_one(void *arg, struct str key, struct str value)
{
    struct listing *l = arg;
    struct ddb_stream *s;
    TRY(stream_read(l->arena, key, value, &s));
    return l->take(l->arg, s);
}

static enum err port_list(void *self, struct txn *txn, struct page *page, struct key_scope scope,
                          struct str table,
                          enum err (*take)(void *arg, const struct ddb_stream *stream), void *arg)
{
    static const struct page_fns fns = {.take = list_one};
    struct listing l = {txn->arena, take, arg};
    struct key_range range = str_is_set(table) ? key_range(txn->arena, &ddb_k_stream, scope, table)
                                               : key_range(txn->arena, &ddb_k_stream, scope);
    return page_scan(txn, page, range, &fns, &l);
}

static struct str port_list_after(void *self, struct arena *a, const struct ddb_stream *s)
{
    return key_make(a, &ddb_k_stream, s->scope, s->table, s->label);
}

/* --- who waits -------------------------------------------------------------------------------- */

struct watcher {
    struct list link;
    uint32_t stream;
    void (*fn)(void *arg, uint16_t shard);
    void *arg;
};

static struct list *bucket(struct ddb_watch *watch, uint32_t stream)
{
    return &watch->buckets[stream % DDB_WATCH_BUCKETS];
}

void ddb_stream_wake(struct ddb_watch *watch, uint32_t stream, uint16_t shard)
{
    if (atomic_load_explicit(&watch->n, memory_order_acquire) == 0)
        return;
    pthread_mutex_lock(&watch->lock);
    LIST_EACH (bucket(watch, stream), link) {
        const struct watcher *w = CONTAINER_OF(link, struct watcher, link);
        if (w->stream == stream)
            w->fn(w->arg, shard);
    }
    pthread_mutex_unlock(&watch->lock);
}

static enum err port_watch(void *self, uint32_t stream, void (*fn)(void *arg, uint16_t shard),
                           void *arg)
{
    struct ddb_watch *watch = &((struct dynamodb *)self)->watch;
    struct watcher *w = mem_calloc(1, sizeof(*w));
    if (!w)
        return ERR_NOMEM;
    w->stream = stream;
    w->fn = fn;
    w->arg = arg;
    pthread_mutex_lock(&watch->lock);
    list_push_back(bucket(watch, stream), &w->link);
    atomic_fetch_add(&watch->n, 1);
    pthread_mutex_unlock(&watch->lock);
    return ERR_OK;
}

static void port_unwatch(void *self, uint32_t stream, void *arg)
{
    struct ddb_watch *watch = &((struct dynamodb *)self)->watch;
    struct watcher *found = NULL;
    pthread_mutex_lock(&watch->lock);
    LIST_EACH (bucket(watch, stream), link) {
        struct watcher *w = CONTAINER_OF(link, struct watcher, link);
        if (w->stream == stream && w->arg == arg)
            found = w;
    }
    if (found) {
        list_remove(&found->link);
        atomic_fetch_sub(&watch->n, 1);
    }
    pthread_mutex_unlock(&watch->lock);
    mem_free(found);
}

/* --- trimming --------------------------------------------------------------------------------- */

struct trimming {
    struct txn *txn;
    struct job_budget *budget;
    int64_t before_ms;
    struct ddb_place last; /* trimmed now */
    struct reading reading;
};

static enum err trim_one(void *arg, struct str key, struct str value)
{
    struct trimming *t = arg;
    TRY(change_read(t->txn->arena, key, value, &t->reading.change));
    if (t->reading.change.now_ms > t->before_ms)
        return ERR_CLOSED;
    TRY(txn_del(t->txn, key));
    t->last = t->reading.change.place;
    job_spend(t->budget, 1);
    return job_spent(t->budget) ? ERR_CLOSED : ERR_OK;
}

static enum err trim_shard(struct trimming *t, uint32_t stream, uint16_t shard)
{
    struct ddb_place horizon;
    t->last = (struct ddb_place){0};
    TRY(horizon_get(t->txn, stream, shard, &horizon));
    TRY(txn_each(t->txn, behind(t->txn->arena, stream, shard, horizon), trim_one, t));
    return t->last.commit ? horizon_put(t->txn, stream, shard, t->last) : ERR_OK;
}

/* A closed stream's day is over: nothing of it stays. */
static enum err drop_stream(struct txn *txn, const struct ddb_stream *s, struct str key)
{
    for (uint16_t i = 0; i < s->shards; i++)
        TRY(txn_del(txn, key_make(txn->arena, &ddb_k_horizon, s->id, i)));
    return txn_del(txn, key);
}

static enum err trim(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct ddb_stream *s;
    struct str value;
    struct trimming t = {
        .txn = txn, .budget = budget, .before_ms = txn->now_ms - DDB_STREAM_KEEP_MS};
    *ret_state = JOB_DONE;
    enum err err = txn_get(txn, job->argument, &value);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(stream_read(txn->arena, job->argument, value, &s));
    for (uint16_t i = 0; i < s->shards && !job_spent(budget); i++)
        TRY(trim_shard(&t, s->id, i));
    if (job_spent(budget)) {
        *ret_state = JOB_MORE;
        return ERR_OK;
    }
    if (s->closed_ms && s->closed_ms <= t.before_ms)
        return drop_stream(txn, s, job->argument);
    *ret_state = JOB_WAIT;
    job->wait_until_ms = txn->now_ms + TRIM_EVERY_MS;
    return ERR_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

enum err ddb_streams_open(struct dynamodb *ddb)
{
    const struct job_def trims = {.name = "dynamodb.trim", .self = ddb, .step = trim, .at_once = 1};
    for (size_t i = 0; i < DDB_WATCH_BUCKETS; i++)
        list_init(&ddb->watch.buckets[i]);
    if (pthread_mutex_init(&ddb->watch.lock, NULL) != 0)
        return ERR_NOMEM;
    ddb->port = (struct dynamodb_port){
        .self = ddb,
        .text = &ddb_texts,
        .find = port_find,
        .list = port_list,
        .list_after = port_list_after,
        .unlock = port_unlock,
        .read = port_read,
        .horizon = port_horizon,
        .last = port_last,
        .watch = port_watch,
        .unwatch = port_unwatch,
    };
    return job_register(deliver_due(ddb->core->deliver), &trims, &ddb->trim);
}

void ddb_streams_close(struct dynamodb *ddb)
{
    for (size_t i = 0; i < DDB_WATCH_BUCKETS; i++)
        while (!list_empty(&ddb->watch.buckets[i])) {
            struct watcher *w = CONTAINER_OF(ddb->watch.buckets[i].next, struct watcher, link);
            list_remove(&w->link);
            mem_free(w);
        }
    pthread_mutex_destroy(&ddb->watch.lock);
}
