/* See catalogue.h.
 *
 * Two locks: `change` is held by whoever changes memory, also while it reads the store, so that
 * changes come one after another (CT2); `lock` guards map, order and indexes, and is held by
 * readers for a lookup and by the changer for the exchange alone, never across I/O. Order: change,
 * then lock. */
#include "core/catalogue.h"

#include <assert.h>
#include <pthread.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/call_int.h"
#include "core/core.h"
#include "kv/key.h"

enum {
    FETCHES_MAX = 3, /* a failure once is no reason to lose a record */
    SETTLE_MAX = 4,  /* lost records that one lookup tries to fetch */
    FETCH_ARENA_MAX = 2 * KV_VALUE_MAX,
};

struct catalogue {
    struct core *core;
    const struct catalogue_type *type;
    void *self;
    pthread_mutex_t change;
    pthread_rwlock_t lock;
    struct map by_key; /* record key -> struct catalogue_object, one reference each */
    struct treap_node *order;
    struct map indexes[CATALOGUE_INDEXES_MAX]; /* index key -> first struct catalogue_link */
    uint64_t seq;          /* newest commit that changed anything: what a miss waits for; lock */
    struct list lost;      /* struct change.lost; change lock */
    _Atomic size_t n_lost; /* their number, to look at without a lock */
};

/* One staged change; made before the commit, so that the hook needs no memory to remember that it
 * found none. Lives until the transaction's arena goes, or longer when it is kept. */
struct change {
    struct catalogue *c;
    struct str key;               /* behind the struct */
    struct list lost;             /* linked: its record is lost */
    struct catalogue_object *old; /* lost: what it was, for carry and changed; one reference */
    bool kept;                    /* not the arena's: lost, or waiting for the disk */
    enum err err;                 /* lost: why */
    struct io_loop *loop;         /* CATALOGUE_DURABLE */
    struct kv_wait wait;
    struct io_task task;
};

/* --- objects ---------------------------------------------------------------------------------- */

void catalogue_ref(void *object)
{
    struct catalogue_object *o = object;
    uint64_t before = atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

void catalogue_unref(void *object)
{
    struct catalogue_object *o = object;
    if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) > 1)
        return;
    assert(o->order.n == 0); /* the catalogue's own reference is the last to go */
    const struct catalogue *c = o->catalogue;
    if (c->type->release)
        c->type->release(c->self, o);
    arena_release(&o->arena);
    mem_free(o);
}

enum err catalogue_hold(struct arena *a, void *object)
{
    enum err err = arena_on_release(a, catalogue_unref, object);
    if (err)
        catalogue_unref(object);
    return err;
}

enum err catalogue_index(struct catalogue_object *o, unsigned index, struct str key)
{
    assert(index < o->catalogue->type->n_indexes);
    struct catalogue_link *l = ARENA_NEW(&o->arena, struct catalogue_link);
    if (!l)
        return ERR_NOMEM;
    *l = (struct catalogue_link){
        .next = o->links, .object = o, .key = str_dup(&o->arena, key), .index = index};
    if (!str_is_set(l->key))
        return ERR_NOMEM;
    list_init(&l->same);
    o->links = l;
    return ERR_OK;
}

static enum err object_new(struct catalogue *c, struct str key, struct str record,
                           struct catalogue_object **ret_object)
{
    struct catalogue_object *o = mem_calloc(1, c->type->size);
    if (!o)
        return ERR_NOMEM;
    atomic_init(&o->refs, 1);
    o->catalogue = c;
    arena_init(&o->arena, c->type->arena_max);
    o->key = str_dup(&o->arena, key);
    if (!str_is_set(o->key)) {
        arena_release(&o->arena);
        mem_free(o);
        return ERR_NOMEM;
    }
    enum err err = c->type->decode(c->self, o, record);
    assert(err != ERR_NOT_FOUND); /* would read as: the record is gone */
    if (o->arena.failed)
        err = ERR_NOMEM; /* unnoticed by decode (A4) */
    if (err) {
        catalogue_unref(o);
        return err;
    }
    *ret_object = o;
    return ERR_OK;
}

/* --- the exchange, under both locks ----------------------------------------------------------- */

/* Taken out of its ring; the map keeps pointing at the ring's first. Never fails: the key is in the
 * map already. */
static void unlink_one(struct catalogue *c, struct catalogue_link *l)
{
    struct map *m = &c->indexes[l->index];
    if (map_get(m, l->key) == l) {
        if (list_linked(&l->same)) {
            struct catalogue_link *next = CONTAINER_OF(l->same.next, struct catalogue_link, same);
            enum err err = map_put(m, l->key, next, NULL);
            assert(err == ERR_OK);
            (void)err;
        } else {
            (void)map_del(m, l->key);
        }
    }
    list_remove(&l->same);
}

static void unlink_all(struct catalogue *c, struct catalogue_object *o,
                       const struct catalogue_link *until)
{
    for (struct catalogue_link *l = o->links; l != until; l = l->next)
        unlink_one(c, l);
}

/* Into the ring of its key, before its first, which is the ring's end. */
static enum err link_one(struct catalogue *c, struct catalogue_link *l)
{
    struct catalogue_link *first = map_get(&c->indexes[l->index], l->key);
    if (!first)
        return map_put(&c->indexes[l->index], l->key, l, NULL);
    list_push_back(&first->same, &l->same);
    return ERR_OK;
}

static enum err link_all(struct catalogue *c, struct catalogue_object *o)
{
    for (struct catalogue_link *l = o->links; l; l = l->next) {
        enum err err = link_one(c, l);
        if (err) {
            unlink_all(c, o, l);
            return err;
        }
    }
    return ERR_OK;
}

static void take_out(struct catalogue *c, struct catalogue_object *o)
{
    unlink_all(c, o, NULL);
    treap_remove(&c->order, &o->order);
}

/* `now` in the place of what has its key; takes its reference. On failure nothing changed. */
static enum err put_in(struct catalogue *c, struct catalogue_object *now)
{
    void *old = NULL;
    TRY(link_all(c, now));
    enum err err = map_put(&c->by_key, now->key, now, &old);
    if (err) {
        unlink_all(c, now, NULL);
        return err;
    }
    if (old)
        take_out(c, old);
    treap_insert(&c->order, &now->order, now->key);
    return ERR_OK;
}

static void note_seq(struct catalogue *c, uint64_t seq)
{
    if (c->seq < seq)
        c->seq = seq;
}

/* --- changing memory, under the lock of changes ----------------------------------------------- */

/* Exchanges and tells. `before` (may be NULL) is in the catalogue or was lost; the caller holds a
 * reference. Takes `now`'s reference when it succeeds. */
static enum err install(struct catalogue *c, struct catalogue_object *before,
                        struct catalogue_object *now)
{
    if (c->type->carry)
        TRY(c->type->carry(c->self, now, before));
    pthread_rwlock_wrlock(&c->lock);
    struct catalogue_object *old = map_get(&c->by_key, now->key);
    enum err err = put_in(c, now);
    if (err == ERR_OK)
        note_seq(c, now->seq);
    pthread_rwlock_unlock(&c->lock);
    TRY(err);
    if (c->type->changed)
        c->type->changed(c->self, before, now);
    catalogue_unref(old);
    return ERR_OK;
}

/* Takes what has this key out of memory and gives the catalogue's reference to the caller. */
static struct catalogue_object *evict(struct catalogue *c, struct str key, uint64_t seq)
{
    pthread_rwlock_wrlock(&c->lock);
    struct catalogue_object *old = map_del(&c->by_key, key);
    if (old)
        take_out(c, old);
    note_seq(c, seq);
    pthread_rwlock_unlock(&c->lock);
    return old;
}

/* The newest committed record as an object; *ret_seq, also set for ERR_NOT_FOUND, is what a reply
 * waits for that tells of it. */
static enum err fetch_once(struct catalogue *c, struct str key,
                           struct catalogue_object **ret_object, uint64_t *ret_seq)
{
    struct kv_txn *txn;
    struct arena a;
    struct str record = STR_NONE;
    struct catalogue_object *o = NULL;
    TRY(kv_begin(c->core->kv, &txn));
    arena_init(&a, FETCH_ARENA_MAX);
    enum err err = kv_peek(txn, key, &a, &record);
    if (err == ERR_OK)
        err = object_new(c, key, record, &o);
    enum err end = kv_commit(txn, ret_seq); /* of nothing: says what was read of */
    if (end)
        err = end;
    arena_release(&a);
    if (err) {
        catalogue_unref(o);
        return err;
    }
    o->seq = *ret_seq;
    *ret_object = o;
    return ERR_OK;
}

static enum err fetch(struct catalogue *c, struct str key, struct catalogue_object **ret_object,
                      uint64_t *ret_seq)
{
    enum err err = fetch_once(c, key, ret_object, ret_seq);
    for (int i = 1; i < FETCHES_MAX && err && err != ERR_NOT_FOUND; i++)
        err = fetch_once(c, key, ret_object, ret_seq);
    return err;
}

/* Whether a commit may be acted on already. */
static bool is_due(const struct catalogue *c, uint64_t seq)
{
    return c->type->when == CATALOGUE_COMMITTED || seq <= kv_durable_seq(c->core->kv);
}

/* Brings memory up to the store for one key; `before` is what is or was known of it, with the
 * caller's reference. ERR_SUSPENDED: the store is at a commit, *ret_seq, that is not to be acted on
 * before it is durable. */
static enum err bring_up(struct catalogue *c, struct str key, struct catalogue_object *before,
                         uint64_t *ret_seq)
{
    struct catalogue_object *now = NULL;
    uint64_t seq = 0;
    enum err err = fetch(c, key, &now, &seq);
    if ((err == ERR_OK || err == ERR_NOT_FOUND) && !is_due(c, seq)) {
        catalogue_unref(now);
        *ret_seq = seq;
        return ERR_SUSPENDED;
    }
    if (err == ERR_NOT_FOUND) {
        catalogue_unref(evict(c, key, seq));
        if (before && c->type->changed)
            c->type->changed(c->self, before, NULL);
        return ERR_OK;
    }
    TRY(err);
    err = install(c, before, now);
    if (err)
        catalogue_unref(now);
    return err;
}

static void change_free(struct change *ch)
{
    catalogue_unref(ch->old);
    mem_free(ch);
}

static struct change *find_lost(struct catalogue *c, struct str key)
{
    LIST_EACH (&c->lost, it) {
        struct change *ch = CONTAINER_OF(it, struct change, lost);
        if (str_eq(ch->key, key))
            return ch;
    }
    return NULL;
}

static void end_lost(struct catalogue *c, struct change *ch)
{
    list_remove(&ch->lost);
    atomic_fetch_sub(&c->n_lost, 1);
    change_free(ch);
}

/* The record could not be fetched (CT3). Nothing here needs memory. */
static void lose(struct catalogue *c, struct change *ch, enum err err)
{
    struct catalogue_object *old = evict(c, ch->key, kv_last_seq(c->core->kv));
    if (ch->old)
        catalogue_unref(old);
    else
        ch->old = old;
    ch->err = err;
    ch->kept = true;
    list_push_back(&c->lost, &ch->lost);
    atomic_fetch_add(&c->n_lost, 1);
    log_error(c->type->name, "a changed record is not in memory, every lookup tries again: %s",
              err_name(err));
}

static void apply(struct change *ch);

static void change_task(struct io_task *task)
{
    struct change *ch = CONTAINER_OF(task, struct change, task);
    struct core *core = ch->c->core;
    ch->kept = false;
    if (ch->err == ERR_OK)
        apply(ch);
    if (!ch->kept)
        change_free(ch);
    core_one_less(core, &core->impl->jobs);
}

static void durable_cb(struct kv_wait *wait, enum err err)
{
    struct change *ch = CONTAINER_OF(wait, struct change, wait);
    ch->err = err; /* the sync failed: nothing becomes durable any more */
    io_post(ch->loop, &ch->task);
}

/* Comes back to this change when `seq` is durable: a job that shutdown waits for. */
static void apply_later(struct change *ch, uint64_t seq)
{
    ch->kept = true;
    ch->task.fn = change_task;
    ch->err = ERR_OK;
    ch->wait = (struct kv_wait){.seq = seq, .fn = durable_cb};
    atomic_fetch_add(&ch->c->core->impl->jobs, 1);
    if (!kv_when_durable(ch->c->core->kv, &ch->wait))
        io_post(ch->loop, &ch->task);
}

/* Under the lock of changes. An earlier change of the same record that is lost ends: `ch` brings
 * all up, and knows what was there before. */
static void adopt_lost(struct change *ch)
{
    struct change *lost = atomic_load(&ch->c->n_lost) ? find_lost(ch->c, ch->key) : NULL;
    if (!lost)
        return;
    assert(!ch->old);
    ch->old = lost->old;
    lost->old = NULL;
    end_lost(ch->c, lost);
}

/* The hook: memory follows the store, or the record is lost. */
static void apply(struct change *ch)
{
    struct catalogue *c = ch->c;
    uint64_t seq = 0;
    if (c->type->everyone_waits)
        core_memory_changes(c->core);
    pthread_mutex_lock(&c->change);
    adopt_lost(ch);
    struct catalogue_object *before = ch->old ? ch->old : map_get(&c->by_key, ch->key);
    if (before)
        catalogue_ref(before);
    enum err err = bring_up(c, ch->key, before, &seq);
    catalogue_unref(before);
    if (err == ERR_SUSPENDED)
        apply_later(ch, seq);
    else if (err)
        lose(c, ch, err);
    pthread_mutex_unlock(&c->change);
}

/* Tries again for what is lost. ERR_OK: a lookup of `key` (absent: of any) may be answered from
 * memory. */
static enum err settle(struct catalogue *c, struct str key)
{
    enum err err = ERR_OK;
    uint64_t seq;
    pthread_mutex_lock(&c->change);
    for (size_t i = 0; i < SETTLE_MAX && !list_empty(&c->lost); i++) {
        struct change *ch = CONTAINER_OF(c->lost.next, struct change, lost);
        ch->err = bring_up(c, ch->key, ch->old, &seq);
        if (ch->err == ERR_OK) {
            end_lost(c, ch);
            continue;
        }
        if (ch->err == ERR_SUSPENDED)
            ch->err = ERR_CONFLICT; /* a moment later it will be there */
        list_remove(&ch->lost);     /* one that stays lost does not stand in others' way */
        list_push_back(&c->lost, &ch->lost);
    }
    const struct change *ch = NULL;
    if (str_is_set(key))
        ch = find_lost(c, key);
    else if (!list_empty(&c->lost))
        ch = CONTAINER_OF(c->lost.next, struct change, lost);
    if (ch && c->type->lack == CATALOGUE_RETRY)
        err = ch->err;
    pthread_mutex_unlock(&c->change);
    return err;
}

/* --- staging ---------------------------------------------------------------------------------- */

static void change_drop(void *arg)
{
    struct change *ch = arg;
    if (!ch->kept)
        change_free(ch);
}

static void apply_hook(void *arg)
{
    apply(arg);
}

static enum err stage_change(struct catalogue *c, struct txn *txn, struct str key)
{
    struct change *ch = mem_calloc(1, sizeof(*ch) + key.len);
    if (!ch)
        return ERR_NOMEM;
    memcpy(ch + 1, key.p, key.len);
    ch->c = c;
    assert(key.len > 0 && txn->kv);
    ch->key = str_n((char *)(ch + 1), key.len);
    ch->loop = txn->loop;
    list_init(&ch->lost);
    enum err err = arena_on_release(txn->arena, change_drop, ch);
    if (err) {
        mem_free(ch);
        return err;
    }
    return c->type->when == CATALOGUE_DURABLE ? txn_on_durable(txn, apply_hook, ch)
                                              : txn_on_commit(txn, apply_hook, ch);
}

enum err catalogue_put(struct catalogue *c, struct txn *txn, struct str key, struct str record)
{
    TRY(txn_put(txn, key, record));
    return stage_change(c, txn, key);
}

enum err catalogue_del(struct catalogue *c, struct txn *txn, struct str key)
{
    TRY(txn_del(txn, key));
    return stage_change(c, txn, key);
}

enum err catalogue_read(struct catalogue *c, struct txn *txn, struct str key, void **ret_object)
{
    struct str record;
    struct catalogue_object *o;
    TRY(txn_get(txn, key, &record));
    TRY(object_new(c, key, record, &o));
    TRY(catalogue_hold(txn->arena, o));
    *ret_object = o;
    return ERR_OK;
}

/* --- lookups ---------------------------------------------------------------------------------- */

/* Memory may be asked about `key` (absent: about anything). */
static enum err ready(struct catalogue *c, struct str key)
{
    return atomic_load_explicit(&c->n_lost, memory_order_acquire) ? settle(c, key) : ERR_OK;
}

/* Ends a lookup under the read lock: with a reference, and what the reply waits for. */
static enum err found(struct catalogue *c, struct txn *txn, struct catalogue_object *o,
                      void **ret_object)
{
    if (txn)
        txn_depends_on(txn, o ? o->seq : c->seq);
    if (!o)
        return ERR_NOT_FOUND;
    catalogue_ref(o);
    *ret_object = o;
    return ERR_OK;
}

enum err catalogue_take(struct catalogue *c, struct txn *txn, struct str key, void **ret_object)
{
    TRY(ready(c, key));
    pthread_rwlock_rdlock(&c->lock);
    enum err err = found(c, txn, map_get(&c->by_key, key), ret_object);
    pthread_rwlock_unlock(&c->lock);
    return err;
}

enum err catalogue_take_by(struct catalogue *c, struct txn *txn, unsigned index, struct str key,
                           void **ret_object)
{
    assert(index < c->type->n_indexes);
    TRY(ready(c, STR_NONE));
    pthread_rwlock_rdlock(&c->lock);
    const struct catalogue_link *l = map_get(&c->indexes[index], key);
    enum err err = found(c, txn, l ? l->object : NULL, ret_object);
    pthread_rwlock_unlock(&c->lock);
    return err;
}

static void drop_page(void *arg)
{
    struct catalogue_page *page = arg;
    for (size_t i = 0; i < page->n; i++)
        catalogue_unref(page->objects[i]);
}

/* An empty page with room for `limit`, whose objects are given back with the arena. */
static enum err page_new(struct txn *txn, size_t limit, struct catalogue_page **ret_page)
{
    assert(limit > 0 && limit <= CATALOGUE_PAGE_MAX);
    struct catalogue_page *page = ARENA_NEW(txn->arena, struct catalogue_page);
    if (!page)
        return ERR_NOMEM;
    page->objects = ARENA_ARRAY(txn->arena, void *, limit);
    if (!page->objects)
        return ERR_NOMEM;
    TRY(arena_on_release(txn->arena, drop_page, page));
    *ret_page = page;
    return ERR_OK;
}

/* False when the page is full. */
static bool page_add(struct catalogue_page *page, struct catalogue_object *o, size_t limit)
{
    page->more = page->n == limit;
    if (page->more)
        return false;
    catalogue_ref(o);
    page->objects[page->n++] = o;
    return true;
}

static struct catalogue_object *object_of(struct treap_node *node)
{
    return node ? CONTAINER_OF(node, struct catalogue_object, order) : NULL;
}

static struct treap_node *next_with(struct catalogue *c, struct str prefix,
                                    const struct treap_node *node)
{
    struct treap_node *next = treap_first(c->order, node->key, true);
    return next && str_starts(next->key, prefix) ? next : NULL;
}

/* The first with the prefix that is greater than `after`. */
static struct treap_node *first_with(struct catalogue *c, struct str prefix, struct str after)
{
    bool past = str_is_set(after) && str_cmp(after, prefix) >= 0;
    struct treap_node *node = treap_first(c->order, past ? after : prefix, past);
    return node && str_starts(node->key, prefix) ? node : NULL;
}

enum err catalogue_list(struct catalogue *c, struct txn *txn, struct str prefix, struct str after,
                        size_t limit, struct catalogue_page *ret_page)
{
    struct catalogue_page *page;
    TRY(ready(c, STR_NONE));
    TRY(page_new(txn, limit, &page));
    pthread_rwlock_rdlock(&c->lock);
    struct treap_node *node = first_with(c, prefix, after);
    while (node && page_add(page, object_of(node), limit))
        node = next_with(c, prefix, node);
    txn_depends_on(txn, c->seq);
    pthread_rwlock_unlock(&c->lock);
    TRY(txn_work(txn, page->n * TXN_ROW_WORK));
    *ret_page = *page;
    return ERR_OK;
}

enum err catalogue_list_by(struct catalogue *c, struct txn *txn, unsigned index, struct str key,
                           size_t limit, struct catalogue_page *ret_page)
{
    struct catalogue_page *page;
    assert(index < c->type->n_indexes);
    TRY(ready(c, STR_NONE));
    TRY(page_new(txn, limit, &page));
    pthread_rwlock_rdlock(&c->lock);
    struct catalogue_link *first = map_get(&c->indexes[index], key), *l = first;
    while (l && page_add(page, l->object, limit)) {
        l = CONTAINER_OF(l->same.next, struct catalogue_link, same);
        if (l == first)
            break;
    }
    txn_depends_on(txn, c->seq);
    pthread_rwlock_unlock(&c->lock);
    TRY(txn_work(txn, page->n * TXN_ROW_WORK));
    *ret_page = *page;
    return ERR_OK;
}

size_t catalogue_count(struct catalogue *c, struct str prefix)
{
    pthread_rwlock_rdlock(&c->lock);
    size_t n = treap_rank(c->order, prefix, true) - treap_rank(c->order, prefix, false);
    pthread_rwlock_unlock(&c->lock);
    return n;
}

void catalogue_each(struct catalogue *c, struct str prefix,
                    void (*fn)(void *arg, const void *object), void *arg)
{
    pthread_rwlock_rdlock(&c->lock);
    for (struct treap_node *node = first_with(c, prefix, STR_NONE); node;
         node = next_with(c, prefix, node))
        fn(arg, object_of(node));
    pthread_rwlock_unlock(&c->lock);
}

/* --- life ------------------------------------------------------------------------------------- */

static enum err load_one(struct catalogue *c, struct str key, struct str record)
{
    struct catalogue_object *now;
    TRY(object_new(c, key, record, &now));
    now->seq = kv_last_seq(c->core->kv);
    enum err err = install(c, map_get(&c->by_key, key), now);
    if (err)
        catalogue_unref(now);
    return err;
}

enum err catalogue_load(struct catalogue *c, struct txn *txn, struct str prefix)
{
    struct kv_iter *it;
    struct str key, record;
    struct str to = key_after_prefix(txn->arena, prefix);
    if (!str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, prefix, to, false, &it));
    pthread_mutex_lock(&c->change);
    enum err err;
    while ((err = kv_next(it, &key, &record)) == ERR_OK)
        if ((err = load_one(c, key, record)) != ERR_OK)
            break;
    pthread_mutex_unlock(&c->change);
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err catalogue_new(struct core *core, const struct catalogue_type *type, void *self,
                       struct catalogue **ret_catalogue)
{
    assert(type->n_indexes <= CATALOGUE_INDEXES_MAX);
    assert(type->size >= sizeof(struct catalogue_object));
    struct catalogue *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    if (pthread_rwlock_init(&c->lock, NULL) != 0) {
        mem_free(c);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&c->change, NULL);
    c->core = core;
    c->type = type;
    c->self = self;
    map_init(&c->by_key);
    for (unsigned i = 0; i < type->n_indexes; i++)
        map_init(&c->indexes[i]);
    list_init(&c->lost);
    *ret_catalogue = c;
    return ERR_OK;
}

void catalogue_free(struct catalogue *c)
{
    if (!c)
        return;
    while (!list_empty(&c->lost))
        end_lost(c, CONTAINER_OF(c->lost.next, struct change, lost));
    struct treap_node *node;
    while ((node = c->order) != NULL)
        catalogue_unref(evict(c, object_of(node)->key, 0));
    map_release(&c->by_key);
    for (unsigned i = 0; i < c->type->n_indexes; i++)
        map_release(&c->indexes[i]);
    pthread_rwlock_destroy(&c->lock);
    pthread_mutex_destroy(&c->change);
    mem_free(c);
}
