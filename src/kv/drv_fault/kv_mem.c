/* An ordered multi-version store in memory; see kv_mem.h.
 *
 * A sorted array of keys, each with its versions, newest first. A version stays while a snapshot
 * or a crash could still need it: all newer than the oldest open snapshot and the durable
 * sequence, and the newest one below both.
 *
 * Layer: kv. Thread: any; one lock around everything, as befits a tool of tests. */
#include "kv/drv_fault/kv_mem.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "kv/stage.h"

struct version {
    struct version *older;
    uint64_t seq;
    bool deleted;
    size_t len;
    char bytes[];
};

struct node {
    struct str key; /* owned */
    struct version *newest;
};

struct kv_mem_disk {
    struct node **nodes; /* sorted by key */
    size_t n, cap;
    uint64_t durable, committed;
};

struct mem_kv {
    struct kv base;
    pthread_mutex_t lock;
    struct kv_mem_disk *disk;
    bool manual, failed;
    struct list txns; /* open ones */
    struct kv_wait *waits;
};

struct mem_txn {
    struct kv_txn base;
    struct list link;
    struct stage stage;
    uint64_t snap_seq;
    uint64_t read_seq;
};

struct mem_iter {
    struct kv_iter base;
    struct stage_merge merge;
    bool reverse, ended;
    struct str to;
    bool has_to;
    struct buf from_buf, to_buf;
    struct buf key, val; /* the current committed pair; key doubles as position */
    bool loaded;
};

static struct mem_kv *kv_of(struct kv_txn *txn)
{
    return (struct mem_kv *)txn->kv;
}

static void free_versions(struct version *v)
{
    while (v) {
        struct version *older = v->older;
        mem_free(v);
        v = older;
    }
}

static void free_node(struct node *n)
{
    free_versions(n->newest);
    mem_free((void *)n->key.p);
    mem_free(n);
}

struct kv_mem_disk *kv_mem_disk_new(void)
{
    return mem_calloc(1, sizeof(struct kv_mem_disk));
}

void kv_mem_disk_free(struct kv_mem_disk *disk)
{
    if (!disk)
        return;
    for (size_t i = 0; i < disk->n; i++)
        free_node(disk->nodes[i]);
    mem_free(disk->nodes);
    mem_free(disk);
}

/* Index of the first key >= `key`. */
static size_t lower_bound(const struct kv_mem_disk *d, struct str key)
{
    size_t lo = 0, hi = d->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp(d->nodes[mid]->key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct node *find(const struct kv_mem_disk *d, struct str key)
{
    size_t i = lower_bound(d, key);
    return i < d->n && str_eq(d->nodes[i]->key, key) ? d->nodes[i] : NULL;
}

static const struct version *visible(const struct node *n, uint64_t snap_seq)
{
    const struct version *v = n ? n->newest : NULL;
    while (v && v->seq > snap_seq)
        v = v->older;
    return v;
}

static uint64_t oldest_needed(const struct mem_kv *m)
{
    uint64_t seq = m->disk->durable;
    LIST_EACH (&m->txns, it) {
        const struct mem_txn *t = CONTAINER_OF(it, struct mem_txn, link);
        if (t->snap_seq < seq)
            seq = t->snap_seq;
    }
    return seq;
}

/* Drops what nobody can need; removes the node when nothing is left of it. */
static void prune(struct mem_kv *m, size_t at)
{
    uint64_t needed = oldest_needed(m);
    struct node *n = m->disk->nodes[at];
    struct version *v = n->newest;
    while (v && v->seq > needed)
        v = v->older;
    if (!v)
        return;
    free_versions(v->older);
    v->older = NULL;
    if (v == n->newest && v->deleted) {
        free_node(n);
        m->disk->n--;
        memmove(&m->disk->nodes[at], &m->disk->nodes[at + 1],
                (m->disk->n - at) * sizeof(struct node *));
    }
}

static enum err mem_begin(struct kv *kv, struct kv_txn **ret_txn)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    struct mem_txn *t = mem_calloc(1, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    t->base.kv = kv;
    stage_init(&t->stage);
    pthread_mutex_lock(&m->lock);
    t->snap_seq = m->disk->committed;
    list_push_back(&m->txns, &t->link);
    pthread_mutex_unlock(&m->lock);
    *ret_txn = &t->base;
    return ERR_OK;
}

static void mem_rollback(struct kv_txn *txn)
{
    struct mem_kv *m = kv_of(txn);
    struct mem_txn *t = (struct mem_txn *)txn;
    pthread_mutex_lock(&m->lock);
    list_remove(&t->link);
    pthread_mutex_unlock(&m->lock);
    stage_release(&t->stage);
    mem_free(t);
}

static enum err read_point(struct mem_txn *t, struct str key, bool track, struct arena *arena,
                           struct str *ret_val)
{
    struct mem_kv *m = kv_of(&t->base);
    TRY(stage_check_key(key));
    uint64_t hash = str_hash(key);
    const struct stage_entry *e = stage_find(&t->stage, key, hash);
    struct str val = STR_NONE;
    if (e) {
        val = e->val;
    } else {
        /* Validation here is exact: what is tracked is the key itself, not its hash. */
        if (track) {
            struct str *copy = ARENA_NEW(&t->stage.arena, struct str);
            if (!copy)
                return ERR_NOMEM;
            *copy = str_dup(&t->stage.arena, str_is_set(key) ? key : STR(""));
            if (!str_is_set(*copy))
                return ERR_NOMEM;
            TRY(stage_track(&t->stage, (uint64_t)(uintptr_t)copy));
        }
        pthread_mutex_lock(&m->lock);
        const struct version *v = visible(find(m->disk, key), t->snap_seq);
        if (v && v->seq > t->read_seq)
            t->read_seq = v->seq;
        char *copy = v && !v->deleted ? arena_memdup(arena, v->bytes, v->len) : NULL;
        bool there = v && !v->deleted;
        size_t len = there ? v->len : 0;
        pthread_mutex_unlock(&m->lock);
        if (there && !copy)
            return ERR_NOMEM;
        if (!there)
            return ERR_NOT_FOUND;
        *ret_val = str_n(copy, len);
        return ERR_OK;
    }
    if (!str_is_set(val))
        return ERR_NOT_FOUND;
    val = str_dup(arena, val);
    if (!str_is_set(val))
        return ERR_NOMEM;
    *ret_val = val;
    return ERR_OK;
}

static enum err mem_get(struct kv_txn *txn, struct str key, struct arena *arena,
                        struct str *ret_val)
{
    return read_point((struct mem_txn *)txn, key, true, arena, ret_val);
}

static enum err mem_peek(struct kv_txn *txn, struct str key, struct arena *arena,
                         struct str *ret_val)
{
    return read_point((struct mem_txn *)txn, key, false, arena, ret_val);
}

static enum err mem_put(struct kv_txn *txn, struct str key, struct str val)
{
    return stage_write(&((struct mem_txn *)txn)->stage, key, str_is_set(val) ? val : STR(""));
}

static enum err mem_del(struct kv_txn *txn, struct str key)
{
    return stage_write(&((struct mem_txn *)txn)->stage, key, STR_NONE);
}

static enum err mem_put_stamped(struct kv_txn *txn, struct str key, size_t at, struct str val)
{
    return stage_write_stamped(&((struct mem_txn *)txn)->stage, key, at, val);
}

static bool is_newer(const struct mem_kv *m, struct str key, uint64_t seq)
{
    const struct node *n = find(m->disk, key);
    return n && n->newest->seq > seq;
}

static bool is_stale(const struct mem_kv *m, const struct mem_txn *t)
{
    for (size_t i = 0; i < t->stage.n_reads; i++)
        if (is_newer(m, *(struct str *)(uintptr_t)t->stage.reads[i], t->snap_seq))
            return true;
    for (size_t i = 0; i < t->stage.n; i++)
        if (is_newer(m, t->stage.entries[i]->key, t->snap_seq))
            return true;
    return false;
}

/* Version for an entry, and a node for its key where there is none, so that the writing itself
 * cannot fail. */
static enum err prepare(struct kv_mem_disk *d, struct str key, struct str val,
                        struct version **ret_v)
{
    struct version *v = mem_calloc(1, sizeof(*v) + val.len);
    if (!v)
        return ERR_NOMEM;
    v->deleted = !str_is_set(val);
    v->len = val.len;
    if (v->len)
        memcpy(v->bytes, val.p, v->len);
    if (!find(d, key)) {
        if (d->n == d->cap) {
            size_t cap = d->cap ? d->cap * 2 : 64;
            struct node **p = mem_realloc(d->nodes, cap * sizeof(*p));
            if (!p) {
                mem_free(v);
                return ERR_NOMEM;
            }
            d->nodes = p;
            d->cap = cap;
        }
        struct node *n = mem_calloc(1, sizeof(*n));
        char *copy = mem_alloc(key.len + 1);
        if (!n || !copy) {
            mem_free(n);
            mem_free(copy);
            mem_free(v);
            return ERR_NOMEM;
        }
        memcpy(copy, key.p, key.len);
        n->key = str_n(copy, key.len);
        n->newest = mem_calloc(1, sizeof(struct version)); /* as absent as before */
        if (!n->newest) {
            mem_free(n);
            mem_free(copy);
            mem_free(v);
            return ERR_NOMEM;
        }
        n->newest->deleted = true;
        size_t at = lower_bound(d, key);
        memmove(&d->nodes[at + 1], &d->nodes[at], (d->n - at) * sizeof(struct node *));
        d->nodes[at] = n;
        d->n++;
    }
    *ret_v = v;
    return ERR_OK;
}

static enum err write_locked(struct mem_kv *m, struct mem_txn *t, uint64_t *ret_seq)
{
    if (m->failed)
        return ERR_IO;
    if (is_stale(m, t))
        return ERR_CONFLICT;
    size_t n = t->stage.n + t->stage.n_stamped;
    struct version **made = ARENA_ARRAY(&t->stage.arena, struct version *, n);
    struct str *keys = ARENA_ARRAY(&t->stage.arena, struct str, n);
    if (!made || !keys)
        return ERR_NOMEM;
    stage_stamp(&t->stage, m->disk->committed + 1);
    const struct stage_stamped *stamped = t->stage.stamped;
    for (size_t i = 0; i < n; i++) {
        const struct stage_entry *e = i < t->stage.n ? t->stage.entries[i] : NULL;
        keys[i] = e ? e->key : stamped->key;
        enum err err = prepare(m->disk, keys[i], e ? e->val : stamped->val, &made[i]);
        if (err != ERR_OK) {
            while (i-- > 0)
                mem_free(made[i]);
            return err;
        }
        if (!e)
            stamped = stamped->next;
    }
    uint64_t seq = ++m->disk->committed;
    if (!m->manual)
        m->disk->durable = seq;
    for (size_t i = 0; i < n; i++) {
        size_t at = lower_bound(m->disk, keys[i]);
        made[i]->seq = seq;
        made[i]->older = m->disk->nodes[at]->newest;
        m->disk->nodes[at]->newest = made[i];
        prune(m, at);
    }
    *ret_seq = seq;
    return ERR_OK;
}

static enum err mem_commit(struct kv_txn *txn, uint64_t *ret_seq)
{
    struct mem_kv *m = kv_of(txn);
    struct mem_txn *t = (struct mem_txn *)txn;
    enum err err = ERR_OK;
    if (stage_is_empty(&t->stage)) {
        *ret_seq = t->read_seq;
    } else {
        pthread_mutex_lock(&m->lock);
        list_remove(&t->link); /* its own snapshot keeps nothing any more */
        err = write_locked(m, t, ret_seq);
        pthread_mutex_unlock(&m->lock);
    }
    mem_rollback(txn);
    return err;
}

/* Loads the next visible committed pair beyond the position into the iterator's buffers. */
static void load(struct mem_iter *it, bool first)
{
    struct mem_txn *t = (struct mem_txn *)it->base.txn;
    struct mem_kv *m = kv_of(it->base.txn);
    const struct kv_mem_disk *d = m->disk;
    struct str from = buf_str(&it->from_buf), to = it->to;
    pthread_mutex_lock(&m->lock);
    size_t lo = lower_bound(d, from), hi = it->has_to ? lower_bound(d, to) : d->n, at;
    if (it->reverse)
        at = first ? hi : lower_bound(d, buf_str(&it->key));
    else
        at = first ? lo : lower_bound(d, buf_str(&it->key));
    if (!it->reverse && !first && at < d->n && str_eq(d->nodes[at]->key, buf_str(&it->key)))
        at++;
    it->ended = true;
    while (it->reverse ? at > lo : at < hi) {
        const struct node *n = d->nodes[it->reverse ? --at : at++];
        const struct version *v = visible(n, t->snap_seq);
        if (!v || v->deleted)
            continue;
        buf_clear(&it->key);
        buf_clear(&it->val);
        buf_add_str(&it->key, n->key);
        buf_add(&it->val, v->bytes, v->len);
        it->ended = false;
        break;
    }
    pthread_mutex_unlock(&m->lock);
    it->loaded = true;
}

static enum err base_current(void *self, struct str *ret_key, struct str *ret_val)
{
    struct mem_iter *it = self;
    if (!it->loaded)
        load(it, true);
    if (it->ended)
        return ERR_NOT_FOUND;
    TRY(buf_err(&it->key));
    TRY(buf_err(&it->val));
    *ret_key = buf_str(&it->key);
    *ret_val = buf_str(&it->val);
    return ERR_OK;
}

static void base_step(void *self)
{
    struct mem_iter *it = self;
    if (!it->ended)
        load(it, false);
}

static void mem_iter_close(struct kv_iter *base)
{
    struct mem_iter *it = (struct mem_iter *)base;
    stage_merge_release(&it->merge);
    buf_release(&it->from_buf);
    buf_release(&it->to_buf);
    buf_release(&it->key);
    buf_release(&it->val);
    mem_free(it);
}

static enum err mem_scan(struct kv_txn *txn, struct str from, struct str to, bool reverse,
                         struct kv_iter **ret_it)
{
    struct mem_txn *t = (struct mem_txn *)txn;
    struct mem_iter *it = mem_calloc(1, sizeof(*it));
    if (!it)
        return ERR_NOMEM;
    it->base.txn = txn;
    it->reverse = reverse;
    buf_init(&it->from_buf, SIZE_MAX / 2);
    buf_init(&it->to_buf, SIZE_MAX / 2);
    buf_init(&it->key, KV_KEY_MAX);
    buf_init(&it->val, KV_VALUE_MAX);
    buf_add_str(&it->from_buf, from);
    buf_add_str(&it->to_buf, to);
    it->has_to = str_is_set(to);
    it->to = buf_str(&it->to_buf);
    enum err err = buf_err(&it->from_buf) != ERR_OK ? ERR_NOMEM : buf_err(&it->to_buf);
    if (err == ERR_OK)
        err = stage_merge_init(&it->merge, &t->stage, from, to, reverse);
    if (err != ERR_OK) {
        mem_iter_close(&it->base);
        return err;
    }
    if (t->snap_seq > t->read_seq)
        t->read_seq = t->snap_seq;
    *ret_it = &it->base;
    return ERR_OK;
}

static enum err mem_next(struct kv_iter *base, struct str *ret_key, struct str *ret_val)
{
    struct mem_iter *it = (struct mem_iter *)base;
    struct stage_cursor cursor = {.self = it, .current = base_current, .step = base_step};
    return stage_merge_next(&it->merge, &cursor, ret_key, ret_val);
}

static uint64_t mem_durable_seq(struct kv *kv)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    pthread_mutex_lock(&m->lock);
    uint64_t seq = m->disk->durable;
    pthread_mutex_unlock(&m->lock);
    return seq;
}

static bool mem_when_durable(struct kv *kv, struct kv_wait *wait)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    pthread_mutex_lock(&m->lock);
    bool arranged = wait->seq > m->disk->durable;
    if (arranged) {
        wait->next = m->waits;
        m->waits = wait;
    }
    pthread_mutex_unlock(&m->lock);
    return arranged;
}

static bool mem_cancel_wait(struct kv *kv, struct kv_wait *wait)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    bool found = false;
    pthread_mutex_lock(&m->lock);
    for (struct kv_wait **at = &m->waits; *at && !found; at = &(*at)->next)
        if (*at == wait) {
            *at = wait->next;
            found = true;
            break;
        }
    pthread_mutex_unlock(&m->lock);
    return found;
}

static struct kv_wait *take_waits(struct mem_kv *m, uint64_t up_to)
{
    struct kv_wait *taken = NULL, **at = &m->waits;
    while (*at) {
        struct kv_wait *w = *at;
        if (w->seq <= up_to) {
            *at = w->next;
            w->next = taken;
            taken = w;
        } else {
            at = &w->next;
        }
    }
    return taken;
}

void kv_mem_grant(struct kv *kv, uint64_t seq)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    pthread_mutex_lock(&m->lock);
    if (seq > m->disk->committed)
        seq = m->disk->committed;
    if (!m->failed && seq > m->disk->durable)
        m->disk->durable = seq;
    enum err err = m->failed ? ERR_IO : ERR_OK;
    struct kv_wait *w = take_waits(m, m->failed ? UINT64_MAX : m->disk->durable);
    pthread_mutex_unlock(&m->lock);
    while (w) {
        struct kv_wait *next = w->next;
        w->fn(w, err);
        w = next;
    }
}

void kv_mem_fail_sync(struct kv *kv)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    pthread_mutex_lock(&m->lock);
    m->failed = true;
    pthread_mutex_unlock(&m->lock);
}

uint64_t kv_mem_committed(struct kv *kv)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    pthread_mutex_lock(&m->lock);
    uint64_t seq = m->disk->committed;
    pthread_mutex_unlock(&m->lock);
    return seq;
}

static struct str mem_stats(struct kv *kv, struct arena *arena)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    pthread_mutex_lock(&m->lock);
    struct str s =
        str_fmt(arena, "keys %zu\ncommits %llu\ndurable %llu\n", m->disk->n,
                (unsigned long long)m->disk->committed, (unsigned long long)m->disk->durable);
    pthread_mutex_unlock(&m->lock);
    return s;
}

static void mem_free_kv(struct mem_kv *m)
{
    assert(list_empty(&m->txns));
    pthread_mutex_destroy(&m->lock);
    mem_free(m);
}

static void mem_close(struct kv *kv)
{
    kv_mem_grant(kv, UINT64_MAX);
    mem_free_kv((struct mem_kv *)kv);
}

void kv_mem_crash(struct kv *kv)
{
    struct mem_kv *m = (struct mem_kv *)kv;
    struct kv_mem_disk *d = m->disk;
    assert(list_empty(&m->txns));
    for (size_t i = 0; i < d->n; i++) {
        struct node *n = d->nodes[i];
        while (n->newest && n->newest->seq > d->durable) {
            struct version *lost = n->newest;
            n->newest = lost->older;
            mem_free(lost);
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->nodes[i]->newest)
            d->nodes[kept++] = d->nodes[i];
        else
            free_node(d->nodes[i]);
    }
    d->n = kept;
    d->committed = d->durable;
    mem_free_kv(m);
}

static const struct kv_ops mem_ops = {
    .begin = mem_begin,
    .rollback = mem_rollback,
    .commit = mem_commit,
    .get = mem_get,
    .peek = mem_peek,
    .put = mem_put,
    .del = mem_del,
    .put_stamped = mem_put_stamped,
    .scan = mem_scan,
    .next = mem_next,
    .iter_close = mem_iter_close,
    .durable_seq = mem_durable_seq,
    .last_seq = kv_mem_committed,
    .when_durable = mem_when_durable,
    .cancel_wait = mem_cancel_wait,
    .stats = mem_stats,
    .close = mem_close,
};

enum err kv_mem_open(struct kv_mem_disk *disk, bool manual, struct kv **ret_kv)
{
    struct mem_kv *m = mem_calloc(1, sizeof(*m));
    if (!m)
        return ERR_NOMEM;
    m->base.ops = &mem_ops;
    m->disk = disk;
    m->manual = manual;
    list_init(&m->txns);
    pthread_mutex_init(&m->lock, NULL);
    *ret_kv = &m->base;
    return ERR_OK;
}
