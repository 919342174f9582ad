/* Pieces of work in memory: making, admitting to the window of their kind, evicting (D4).
 *
 * Layer: deliver. Thread: home loop, but deliver_entry_new and deliver_entry_free of an entry that was never
 * admitted. */
#include <assert.h>

#include "base/mem.h"
#include "deliver/deliver_int.h"

static struct str id_key(const struct deliver_entry *e)
{
    return str_n((const char *)&e->at.id, sizeof(e->at.id));
}

enum err deliver_entry_set_payload(struct deliver_entry *e, struct str payload)
{
    assert(!e->payload);
    char *copy = mem_alloc(payload.len + 1);
    if (!copy)
        return ERR_NOMEM;
    if (payload.len)
        memcpy(copy, payload.p, payload.len);
    copy[payload.len] = 0;
    e->payload = copy;
    e->work.payload = str_n(copy, payload.len);
    return ERR_OK;
}

void deliver_entry_drop_payload(struct deliver_entry *e)
{
    mem_free(e->payload);
    e->payload = NULL;
    e->work.payload = STR_NONE;
}

struct deliver_entry *deliver_entry_new(struct deliver_queue *q, struct deliver_pos at,
                                        const struct deliver_record *rec, struct str payload)
{
    struct deliver_entry *e = mem_calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->q = q;
    e->at = at;
    e->rec = *rec;
    e->rec.payload = STR_NONE;
    e->work.id = at.id;
    e->work.created_ms = rec->created_ms;
    e->work.attempt = rec->attempt;
    e->work.uncounted = rec->uncounted;
    list_init(&e->link);
    if (str_is_set(payload) && deliver_entry_set_payload(e, payload) != ERR_OK) {
        mem_free(e);
        return NULL;
    }
    return e;
}

static void charge(struct deliver_entry *e, size_t bytes)
{
    assert(e->q->d->payload_bytes >= e->charged);
    e->q->d->payload_bytes += bytes;
    e->q->d->payload_bytes -= e->charged;
    e->charged = bytes;
}

void deliver_entry_release_user(struct deliver_entry *e)
{
    if (e->work.user && e->q->kind.release)
        e->q->kind.release(e->q->kind.self, &e->work);
    e->work.user = NULL;
}

void deliver_entry_free(struct deliver_entry *e)
{
    if (!e)
        return;
    deliver_entry_release_user(e);
    if (map_get(&e->q->by_id, id_key(e)) == e) {
        map_del(&e->q->by_id, id_key(e));
        charge(e, 0);
    }
    heap_remove(&e->q->heap, &e->node);
    list_remove(&e->link);
    deliver_entry_drop_payload(e);
    mem_free(e);
}

/* From here on the piece is known by the store alone, and everything after it. */
static void forget_from(struct deliver_queue *q, struct deliver_pos at)
{
    if (deliver_pos_before(at, q->read_to))
        q->read_to = at;
}

/* Keeps the nearer half of the waiting pieces. O(n log n), once per DELIVER_WINDOW_MAX / 2 added.
 */
static void evict(struct deliver_queue *q)
{
    struct heap keep;
    heap_init(&keep);
    size_t n_keep = q->heap.n / 2;
    struct heap_node *node;

    while (keep.n < n_keep && (node = heap_pop(&q->heap))) {
        if (heap_push(&keep, node) != ERR_OK) {
            struct deliver_entry *e = CONTAINER_OF(node, struct deliver_entry, node);
            forget_from(q, e->at);
            deliver_entry_free(e);
            break;
        }
    }
    while ((node = heap_pop(&q->heap))) {
        struct deliver_entry *e = CONTAINER_OF(node, struct deliver_entry, node);
        forget_from(q, e->at);
        deliver_entry_free(e);
    }
    assert(q->heap.n == 0 && keep.n <= n_keep);
    heap_release(&q->heap);
    q->heap = keep;
}

void deliver_queue_admit(struct deliver_queue *q, struct deliver_entry *e)
{
    assert(!e->node.index && !list_linked(&e->link));
    if (q->scanning) {
        list_push_back(&q->deferred, &e->link);
        return;
    }
    if (!deliver_pos_before(e->at, q->read_to)) { /* a later scan finds it */
        deliver_entry_free(e);
        return;
    }
    struct deliver_entry *have = map_get(&q->by_id, id_key(e));
    if (have && have != e) { /* a scan was quicker than the notice */
        deliver_entry_free(e);
        return;
    }
    if (!have) {
        if (map_put(&q->by_id, id_key(e), e, NULL) != ERR_OK) {
            forget_from(q, e->at);
            deliver_entry_free(e);
            return;
        }
    }
    if (e->payload &&
        q->d->payload_bytes - e->charged + e->rec.payload_len > DELIVER_PAYLOAD_MEMORY_MAX)
        deliver_entry_drop_payload(e);
    charge(e, e->payload ? e->rec.payload_len : 0);
    e->state = DELIVER_ENTRY_WAITING;
    e->node.key = max_i64(e->at.due_ms, e->not_before_ms);
    e->node.tie = e->at.id;
    if (heap_push(&q->heap, &e->node) != ERR_OK) {
        forget_from(q, e->at);
        deliver_entry_free(e);
        return;
    }
    if (q->by_id.n - q->n_parked > DELIVER_WINDOW_MAX)
        evict(q);
}
