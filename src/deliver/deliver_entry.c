/* Pieces of work in memory: making, admitting to the window of their kind, evicting (D4).
 *
 * Layer: deliver. Thread: home loop, but entry_new and entry_free of an entry that was never
 * admitted. */
#include "base/mem.h"
#include "deliver/deliver_int.h"

static struct str id_key(const struct entry *e)
{
    return str_n((const char *)&e->at.id, sizeof(e->at.id));
}

enum err entry_set_payload(struct entry *e, struct str payload)
{
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

void entry_drop_payload(struct entry *e)
{
    mem_free(e->payload);
    e->payload = NULL;
    e->work.payload = STR_NONE;
}

struct entry *entry_new(struct deliver_queue *q, struct due_pos at, const struct due_record *rec,
                        struct str payload)
{
    struct entry *e = mem_calloc(1, sizeof(*e));
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
    if (str_is_set(payload) && entry_set_payload(e, payload) != ERR_OK) {
        mem_free(e);
        return NULL;
    }
    return e;
}

static void charge(struct entry *e, size_t bytes)
{
    e->q->d->payload_bytes += bytes;
    e->q->d->payload_bytes -= e->charged;
    e->charged = bytes;
}

void entry_release_user(struct entry *e)
{
    if (e->work.user && e->q->kind.release)
        e->q->kind.release(e->q->kind.self, &e->work);
    e->work.user = NULL;
}

void entry_free(struct entry *e)
{
    if (!e)
        return;
    entry_release_user(e);
    if (map_get(&e->q->by_id, id_key(e)) == e) {
        map_del(&e->q->by_id, id_key(e));
        charge(e, 0);
    }
    heap_remove(&e->q->heap, &e->node);
    list_remove(&e->link);
    entry_drop_payload(e);
    mem_free(e);
}

/* From here on the piece is known by the store alone, and everything after it. */
static void forget_from(struct deliver_queue *q, struct due_pos at)
{
    if (due_before(at, q->read_to))
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
            struct entry *e = CONTAINER_OF(node, struct entry, node);
            forget_from(q, e->at);
            entry_free(e);
            break;
        }
    }
    while ((node = heap_pop(&q->heap))) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        forget_from(q, e->at);
        entry_free(e);
    }
    heap_release(&q->heap);
    q->heap = keep;
}

void queue_admit(struct deliver_queue *q, struct entry *e)
{
    if (q->scanning) {
        list_push_back(&q->deferred, &e->link);
        return;
    }
    if (!due_before(e->at, q->read_to)) { /* a later scan finds it */
        entry_free(e);
        return;
    }
    struct entry *have = map_get(&q->by_id, id_key(e));
    if (have && have != e) { /* a scan was quicker than the notice */
        entry_free(e);
        return;
    }
    if (!have) {
        if (map_put(&q->by_id, id_key(e), e, NULL) != ERR_OK) {
            forget_from(q, e->at);
            entry_free(e);
            return;
        }
    }
    if (e->payload &&
        q->d->payload_bytes - e->charged + e->rec.payload_len > DELIVER_PAYLOAD_MEMORY_MAX)
        entry_drop_payload(e);
    charge(e, e->payload ? e->rec.payload_len : 0);
    e->state = ENTRY_WAITING;
    e->node.key = max_i64(e->at.due_ms, e->not_before_ms);
    e->node.tie = e->at.id;
    if (heap_push(&q->heap, &e->node) != ERR_OK) {
        forget_from(q, e->at);
        entry_free(e);
        return;
    }
    if (q->by_id.n > DELIVER_WINDOW_MAX)
        evict(q);
}
