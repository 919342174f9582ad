/* Transactions of the RocksDB driver: reads of one state, writes staged in memory, validated and
 * written at commit. See rocksdb_int.h for the invariants. Layer: kv.
 *
 * A transaction of a few point reads costs no snapshot (making and dropping one takes the
 * database's mutex twice), nor does one that only writes; scans and many reads take one. Ended transactions are kept, with their memory, for the next begin. */
#include <assert.h>

#include "base/mem.h"
#include "kv/drv_rocksdb/rocksdb_int.h"

enum { TXN_KEPT_BYTES = 64 * 1024 };

static struct rdb *db_of(const struct rdb_txn *t)
{
    return (struct rdb *)t->base.kv;
}

static void txn_free(struct rdb_txn *t)
{
    stage_release(&t->stage);
    if (t->read_options)
        rocksdb_readoptions_destroy(t->read_options);
    if (t->latest)
        rocksdb_readoptions_destroy(t->latest);
    if (t->batch)
        rocksdb_writebatch_destroy(t->batch);
    mem_free(t);
}

static struct rdb_txn *txn_new(struct rdb *r)
{
    struct rdb_txn *t = mem_calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->base.kv = &r->base;
    stage_init(&t->stage);
    t->read_options = rocksdb_readoptions_create();
    t->latest = rocksdb_readoptions_create();
    t->batch = rocksdb_writebatch_create();
    return t;
}

enum err rdb_begin(struct kv *kv, struct kv_txn **ret_txn)
{
    struct rdb *r = (struct rdb *)kv;
    pthread_mutex_lock(&r->free_lock);
    struct rdb_txn *t = r->free_txns;
    if (t) {
        r->free_txns = t->next_free;
        r->n_free--;
    }
    pthread_mutex_unlock(&r->free_lock);
    if (!t)
        t = txn_new(r);
    if (!t)
        return ERR_NOMEM;
    t->started = false;
    t->snap_seq = t->read_seq = 0;
    t->n_seen = 0;
    atomic_fetch_add_explicit(&r->open_txns, 1, memory_order_relaxed);
    *ret_txn = &t->base;
    return ERR_OK;
}

static void txn_end(struct rdb_txn *t)
{
    struct rdb *r = db_of(t);
    if (t->snapshot) {
        rocksdb_release_snapshot(r->db, t->snapshot);
        t->snapshot = NULL;
    }
    bool was_big = t->stage.bytes > TXN_KEPT_BYTES; /* its batch keeps the memory */
    stage_clear(&t->stage);
    atomic_fetch_sub_explicit(&r->open_txns, 1, memory_order_relaxed);
    pthread_mutex_lock(&r->free_lock);
    bool keep = !was_big && r->n_free < RDB_TXNS_KEPT;
    if (keep) {
        t->next_free = r->free_txns;
        r->free_txns = t;
        r->n_free++;
    }
    pthread_mutex_unlock(&r->free_lock);
    if (!keep)
        txn_free(t);
}

void rdb_free_kept_txns(struct rdb *r)
{
    while (r->free_txns) {
        struct rdb_txn *t = r->free_txns;
        r->free_txns = t->next_free;
        txn_free(t);
    }
    r->n_free = 0;
}

void rdb_rollback(struct kv_txn *txn)
{
    txn_end((struct rdb_txn *)txn);
}

/* The moment from which other commits are concurrent with this transaction. */
static void start(struct rdb_txn *t)
{
    if (!t->started) {
        t->snap_seq = atomic_load_explicit(&db_of(t)->committed, memory_order_acquire);
        t->started = true;
    }
}

/* Whether what was read without a snapshot is still so (R5). */
static bool seen_holds(const struct rdb_txn *t)
{
    for (size_t i = 0; i < t->n_seen; i++)
        if (atomic_load_explicit(rdb_slot(db_of(t), t->seen[i]), memory_order_acquire) >
            t->snap_seq)
            return false;
    return true;
}

enum err rdb_snapshot(struct rdb_txn *t)
{
    start(t);
    if (t->snapshot)
        return ERR_OK;
    uint64_t now = atomic_load_explicit(&db_of(t)->committed, memory_order_acquire);
    t->snapshot = rocksdb_create_snapshot(db_of(t)->db);
    rocksdb_readoptions_set_snapshot(t->read_options, t->snapshot);
    if (!seen_holds(t))
        return ERR_CONFLICT;
    t->snap_seq = now;
    return ERR_OK;
}

static void depend_on(struct rdb_txn *t, uint64_t seq)
{
    if (seq > t->read_seq)
        t->read_seq = seq;
}

void rdb_depend_on_all(struct rdb_txn *t)
{
    depend_on(t, atomic_load_explicit(&db_of(t)->assigned, memory_order_acquire));
}

static enum err copy_out(struct arena *arena, const char *p, size_t len, struct str *ret_val)
{
    char *copy = arena_memdup(arena, p, len);
    if (!copy)
        return ERR_NOMEM;
    *ret_val = str_n(copy, len);
    return ERR_OK;
}

/* Reads the newest value of a key as part of the transaction's state (R5). *ret_slice is NULL when
 * there is none. ERR_NOT_FOUND: not possible now, a snapshot is needed; ERR_CONFLICT. */
static enum err read_latest(struct rdb_txn *t, struct str key, uint64_t hash,
                            rocksdb_pinnableslice_t **ret_slice)
{
    struct rdb *r = db_of(t);
    if (t->n_seen == RDB_SEEN_MAX)
        return ERR_NOT_FOUND;
    start(t);
    uint64_t before = atomic_load_explicit(rdb_slot(r, hash), memory_order_acquire);
    uint64_t now = atomic_load_explicit(&r->committed, memory_order_acquire);
    if (before > now) /* marked, and maybe not yet written */
        return ERR_NOT_FOUND;
    char *message = NULL;
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned(r->db, t->latest, key.p ? key.p : "", key.len, &message);
    enum err err = rdb_err(message);
    /* Read by a write of nothing, which no read before it can be moved behind. */
    if (!err && atomic_fetch_add_explicit(rdb_slot(r, hash), 0, memory_order_acq_rel) != before)
        err = ERR_NOT_FOUND; /* which of the two it is cannot be told */
    if (!err && before > t->snap_seq) {
        if (!seen_holds(t))
            err = ERR_CONFLICT;
        else
            t->snap_seq = now;
    }
    if (err) {
        rocksdb_pinnableslice_destroy(slice);
        return err;
    }
    t->seen[t->n_seen++] = hash;
    depend_on(t, before);
    *ret_slice = slice;
    return ERR_OK;
}

static enum err read_snapshot(struct rdb_txn *t, struct str key, uint64_t hash,
                              rocksdb_pinnableslice_t **ret_slice)
{
    struct rdb *r = db_of(t);
    TRY(rdb_snapshot(t));
    char *message = NULL;
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned(r->db, t->read_options, key.p ? key.p : "", key.len, &message);
    depend_on(t, atomic_load_explicit(rdb_slot(r, hash), memory_order_acquire));
    TRY(rdb_err(message));
    *ret_slice = slice;
    return ERR_OK;
}

static enum err read_point(struct rdb_txn *t, struct str key, bool track, struct arena *arena,
                           struct str *ret_val)
{
    TRY(stage_check_key(key));
    uint64_t hash = str_hash(key);
    const struct stage_entry *e = stage_find(&t->stage, key, hash);
    if (e) /* written, hence validated, by this transaction anyway */
        return str_is_set(e->val) ? copy_out(arena, e->val.p, e->val.len, ret_val) : ERR_NOT_FOUND;
    if (track)
        TRY(stage_track(&t->stage, hash));
    rocksdb_pinnableslice_t *slice;
    enum err err = t->snapshot ? ERR_NOT_FOUND : read_latest(t, key, hash, &slice);
    if (err == ERR_NOT_FOUND)
        err = read_snapshot(t, key, hash, &slice);
    TRY(err);
    if (!slice)
        return ERR_NOT_FOUND;
    size_t len;
    const char *p = rocksdb_pinnableslice_value(slice, &len);
    err = copy_out(arena, p, len, ret_val);
    rocksdb_pinnableslice_destroy(slice);
    return err;
}

enum err rdb_get(struct kv_txn *txn, struct str key, struct arena *arena, struct str *ret_val)
{
    return read_point((struct rdb_txn *)txn, key, true, arena, ret_val);
}

enum err rdb_peek(struct kv_txn *txn, struct str key, struct arena *arena, struct str *ret_val)
{
    return read_point((struct rdb_txn *)txn, key, false, arena, ret_val);
}

enum err rdb_put(struct kv_txn *txn, struct str key, struct str val)
{
    struct rdb_txn *t = (struct rdb_txn *)txn;
    start(t);
    return stage_write(&t->stage, key, str_is_set(val) ? val : STR(""));
}

enum err rdb_del(struct kv_txn *txn, struct str key)
{
    struct rdb_txn *t = (struct rdb_txn *)txn;
    start(t);
    return stage_write(&t->stage, key, STR_NONE);
}

enum err rdb_put_stamped(struct kv_txn *txn, struct str key, size_t at, struct str val)
{
    struct rdb_txn *t = (struct rdb_txn *)txn;
    start(t);
    return stage_write_stamped(&t->stage, key, at, val);
}

static void fill_batch(struct rdb_txn *t)
{
    rocksdb_writebatch_clear(t->batch);
    for (size_t i = 0; i < t->stage.n; i++) {
        const struct stage_entry *e = t->stage.entries[i];
        if (str_is_set(e->val))
            rocksdb_writebatch_put(t->batch, e->key.p, e->key.len, e->val.p, e->val.len);
        else
            rocksdb_writebatch_delete(t->batch, e->key.p, e->key.len);
    }
}

/* Whether a commit after the snapshot touched what this one read or writes. */
static bool is_stale(struct rdb *r, const struct rdb_txn *t)
{
    const struct stage *s = &t->stage;
    for (size_t i = 0; i < s->n_reads; i++)
        if (atomic_load_explicit(rdb_slot(r, s->reads[i]), memory_order_relaxed) > t->snap_seq)
            return true;
    for (size_t i = 0; i < s->n; i++)
        if (atomic_load_explicit(rdb_slot(r, s->entries[i]->hash), memory_order_relaxed) >
            t->snap_seq)
            return true;
    return false;
}

static void mark_slot(struct rdb *r, uint64_t hash, uint64_t seq)
{
    (void)atomic_exchange_explicit(rdb_slot(r, hash), seq, memory_order_acq_rel);
}

/* Stamped keys exist from here on, and their slots are marked like all others (R2). */
static void add_stamped(struct rdb *r, struct rdb_txn *t, uint64_t seq)
{
    if (!t->stage.stamped)
        return;
    stage_stamp(&t->stage, seq);
    for (const struct stage_stamped *e = t->stage.stamped; e; e = e->next) {
        mark_slot(r, str_hash(e->key), seq);
        rocksdb_writebatch_put(t->batch, e->key.p, e->key.len, e->val.p ? e->val.p : "",
                               e->val.len);
    }
}

/* Validates and writes; under commit_lock (R1, R4). */
static enum err commit_locked(struct rdb *r, struct rdb_txn *t, uint64_t *ret_seq)
{
    if (atomic_load_explicit(&r->failed, memory_order_relaxed))
        return ERR_IO;
    if (is_stale(r, t))
        return ERR_CONFLICT;
    uint64_t seq = atomic_load_explicit(&r->assigned, memory_order_relaxed) + 1;
    atomic_store_explicit(&r->assigned, seq, memory_order_release);
    for (size_t i = 0; i < t->stage.n; i++)
        mark_slot(r, t->stage.entries[i]->hash, seq); /* before what is written below */
    add_stamped(r, t, seq);
    char *message = NULL;
    rocksdb_write(r->db, r->write_options, t->batch, &message);
    if (message) /* what reached the log is unknown, so nothing may be promised from here on */
        return rdb_fail(r, "write", message);
    atomic_store_explicit(&r->committed, seq, memory_order_release);
    *ret_seq = seq;
    return ERR_OK;
}

enum err rdb_commit(struct kv_txn *txn, uint64_t *ret_seq)
{
    struct rdb_txn *t = (struct rdb_txn *)txn;
    struct rdb *r = db_of(t);
    enum err err = ERR_OK;
    if (stage_is_empty(&t->stage)) {
        *ret_seq = t->read_seq;
    } else {
        fill_batch(t);
        pthread_mutex_lock(&r->commit_lock);
        err = commit_locked(r, t, ret_seq);
        pthread_mutex_unlock(&r->commit_lock);
    }
    txn_end(t);
    return err;
}
