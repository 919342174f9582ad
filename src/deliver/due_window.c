/* Due keys in memory: the window of the nearest of each kind (DU3), and where its end is.
 *
 * Layer: deliver. Thread: home loop, but due_entry_new and due_entry_free of an entry that was
 * never admitted. */
#include <assert.h>

#include "base/mem.h"
#include "deliver/due_int.h"

/* --- marks ------------------------------------------------------------------------------------ */

struct due_at due_mark_at(const struct due_mark *mark)
{
    assert(!mark->end);
    return (struct due_at){mark->when_ms, str_n(mark->key, mark->len)};
}

bool due_mark_after(const struct due_mark *mark, struct due_at at)
{
    return mark->end || due_at_cmp(at, due_mark_at(mark)) < 0;
}

void due_mark_set(struct due_mark *mark, struct due_at at)
{
    assert(at.key.len <= DUE_KEY_MAX);
    mark->end = false;
    mark->when_ms = at.when_ms;
    mark->len = at.key.len;
    if (at.key.len)
        memcpy(mark->key, at.key.p, at.key.len);
}

void due_mark_start(struct due_mark *mark)
{
    due_mark_set(mark, (struct due_at){INT64_MIN, STR("")});
}

static struct due_at place(const struct due_entry *e)
{
    return (struct due_at){e->when_ms, due_entry_key(e)};
}

/* From here on the key is known by the store alone, and everything after it. */
static void forget_from(struct due_kind *kind, struct due_at at)
{
    if (due_mark_after(&kind->read_to, at))
        due_mark_set(&kind->read_to, at);
    if (kind->scanning && due_mark_after(&kind->scan_cap, at))
        due_mark_set(&kind->scan_cap, at);
}

/* --- entries ---------------------------------------------------------------------------------- */

struct due_entry *due_entry_new(struct due_kind *kind, struct str key, int64_t when_ms)
{
    assert(key.len <= DUE_KEY_MAX);
    struct due_entry *e = mem_calloc(1, sizeof(*e) + key.len + 1);
    if (!e)
        return NULL;
    e->kind = kind;
    e->state = DUE_IDLE;
    e->when_ms = when_ms;
    e->noticed_ms = INT64_MAX;
    e->key_len = key.len;
    if (key.len)
        memcpy(e->key, key.p, key.len);
    e->fire.key = due_entry_key(e);
    return e;
}

void due_entry_free(struct due_entry *e)
{
    if (!e)
        return;
    struct due_kind *kind = e->kind;
    heap_remove(&kind->heap, &e->node);
    if (kind->one == e)
        kind->one = NULL;
    else if (map_get(&kind->by_key, due_entry_key(e)) == e)
        map_del(&kind->by_key, due_entry_key(e));
    if (e->fire.user && kind->def.release)
        kind->def.release(kind->def.self, e->fire.user);
    mem_free(e);
}

static void forget(struct due_entry *e)
{
    assert(!e->node.index);
    if (e == e->kind->one) { /* the store does not know of it: no memory for the heap, so idle */
        e->state = DUE_IDLE;
        atomic_store(&e->kind->kicked, true);
        return;
    }
    forget_from(e->kind, place(e));
    due_entry_free(e);
}

/* Keeps the nearer half of what waits. O(n log n), once per DUE_WINDOW_MAX / 2 added. */
static void evict(struct due_kind *kind)
{
    struct heap old = kind->heap;
    size_t n_keep = old.n / 2;
    struct heap_node *node;

    heap_init(&kind->heap);
    while ((node = heap_pop(&old))) {
        if (kind->heap.n < n_keep && heap_push(&kind->heap, node) == ERR_OK)
            continue;
        n_keep = 0;
        forget(CONTAINER_OF(node, struct due_entry, node));
    }
    heap_release(&old);
}

void due_wait(struct due_entry *e, int64_t fire_ms)
{
    struct due_kind *kind = e->kind;

    assert(e->state != DUE_WAITING && !e->node.index);
    if (e != kind->one && !kind->scanning && !due_mark_after(&kind->read_to, place(e))) {
        due_entry_free(e); /* a later scan finds it */
        return;
    }
    e->state = DUE_WAITING;
    e->node.key = fire_ms;
    e->node.tie = ++kind->due->ties;
    if (heap_push(&kind->heap, &e->node) != ERR_OK) {
        forget(e);
        return;
    }
    if (kind->by_key.n > DUE_WINDOW_MAX)
        evict(kind);
}

/* What is in memory hears of another moment: the earlier one stands (DU4). */
static void hear(struct due_entry *e, int64_t when_ms)
{
    assert(e->state != DUE_IDLE && e != e->kind->one); /* a singleton hears kicks */
    if (e->state == DUE_FIRING || e->state == DUE_HELD) {
        e->noticed_ms = min_i64(e->noticed_ms, when_ms);
    } else if (when_ms < e->when_ms) {
        e->when_ms = when_ms;
        if (!e->fire.failures)
            heap_update(&e->kind->heap, &e->node, when_ms);
    }
}

void due_admit(struct due_entry *e)
{
    struct due_kind *kind = e->kind;
    assert(!kind->def.singleton && e->state == DUE_IDLE && !e->node.index);
    struct due_entry *have = map_get(&kind->by_key, due_entry_key(e));

    if (have) {
        hear(have, e->when_ms);
        due_entry_free(e);
        return;
    }
    if (!kind->scanning && !due_mark_after(&kind->read_to, place(e))) {
        due_entry_free(e); /* a later scan finds it */
        return;
    }
    if (map_put(&kind->by_key, due_entry_key(e), e, NULL) != ERR_OK) {
        forget(e);
        return;
    }
    due_wait(e, e->when_ms);
}

void due_clock_went_back(struct due_kind *kind, int64_t now_ms)
{
    struct heap old = kind->heap;
    struct heap_node *node;

    heap_init(&kind->heap);
    while ((node = heap_pop(&old))) {
        struct due_entry *e = CONTAINER_OF(node, struct due_entry, node);
        node->key = min_i64(node->key, max_i64(e->when_ms, now_ms));
        if (heap_push(&kind->heap, node) != ERR_OK)
            forget(e);
    }
    heap_release(&old);
}
