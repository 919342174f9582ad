/* A queue's messages in memory; see sqs_index.h for states and invariants. Layer: svc/sqs. */
#include "svc/sqs/sqs_index.h"

#include <assert.h>

#include "base/mem.h"

enum { SLAB_SLOTS = 256, TABLE_FIRST = 64, TABLE_KEPT = 4096 };

_Static_assert(sizeof(struct sqs_slot) <= SQS_SLOT_BYTES, "named in the header");
_Static_assert(sizeof(struct sqs_fifo_slot) <= SQS_FIFO_SLOT_BYTES, "named in the header");

struct sqs_slab {
    struct sqs_slab *next;
    _Alignas(16) char slots[];
};

static size_t slot_bytes(const struct sqs_index *ix)
{
    return ix->fifo ? sizeof(struct sqs_fifo_slot) : sizeof(struct sqs_slot);
}

static struct sqs_fifo_slot *fifo_of(struct sqs_slot *slot)
{
    return (struct sqs_fifo_slot *)slot;
}

struct sqs_index *sqs_index_new(bool fifo)
{
    struct sqs_index *ix = mem_calloc(1, sizeof(*ix));
    if (!ix)
        return NULL;
    ix->fifo = fifo;
    ix->refs = 1;
    ix->oldest_seq = UINT64_MAX;
    heap_init(&ix->due);
    list_init(&ix->visible);
    list_init(&ix->ready);
    map_init(&ix->groups);
    return ix;
}

void sqs_index_ref(struct sqs_index *ix)
{
    assert(ix->refs > 0);
    ix->refs++;
}

/* Gives back the memory of all slots; none is in use. */
static void shrink(struct sqs_index *ix)
{
    assert(ix->refs == 0 || ix->n == 0);
    while (ix->slabs) {
        struct sqs_slab *slab = ix->slabs;
        ix->slabs = slab->next;
        mem_free(slab);
    }
    ix->free_slots = NULL;
    mem_free(ix->table);
    ix->table = NULL;
    ix->table_cap = 0;
    heap_release(&ix->due);
}

void sqs_index_unref(struct sqs_index *ix)
{
    assert(!ix || ix->refs > 0);
    if (!ix || --ix->refs > 0)
        return;
    size_t it = 0;
    struct str key;
    void *group;
    while (map_next(&ix->groups, &it, &key, &group))
        mem_free(group);
    map_release(&ix->groups);
    shrink(ix);
    mem_free(ix);
}

/* --- table by sequence number ----------------------------------------------------------------- */

static size_t home(const struct sqs_index *ix, uint64_t seq)
{
    return (size_t)((seq * 0x9e3779b97f4a7c15ull) >> 20) & (ix->table_cap - 1);
}

static void table_put(struct sqs_index *ix, struct sqs_slot *slot)
{
    size_t i = home(ix, slot->seq);
    assert(ix->n < ix->table_cap); /* a probe ends at a free place */
    while (ix->table[i])
        i = (i + 1) & (ix->table_cap - 1);
    ix->table[i] = slot;
}

static void table_del(struct sqs_index *ix, const struct sqs_slot *slot)
{
    size_t mask = ix->table_cap - 1, i = home(ix, slot->seq);
    while (ix->table[i] != slot)
        i = (i + 1) & mask;
    for (size_t j = i;;) { /* shift back what would no longer be found */
        j = (j + 1) & mask;
        if (!ix->table[j])
            break;
        size_t h = home(ix, ix->table[j]->seq);
        if (((j - h) & mask) >= ((j - i) & mask)) {
            ix->table[i] = ix->table[j];
            i = j;
        }
    }
    ix->table[i] = NULL;
}

/* Room for one more slot in the table and in the heap (I4). */
static enum err reserve(struct sqs_index *ix)
{
    if (ix->due.cap < ix->n + 1) {
        size_t cap = ix->due.cap ? ix->due.cap * 2 : TABLE_FIRST;
        struct heap_node **p = mem_realloc(ix->due.nodes, cap * sizeof(*p));
        if (!p)
            return ERR_NOMEM;
        ix->due.nodes = p;
        ix->due.cap = cap;
    }
    if ((ix->n + 1) * 4 <= ix->table_cap * 3)
        return ERR_OK;
    size_t cap = ix->table_cap ? ix->table_cap * 2 : TABLE_FIRST, old_cap = ix->table_cap;
    struct sqs_slot **table = mem_calloc(cap, sizeof(*table)), **old = ix->table;
    if (!table)
        return ERR_NOMEM;
    ix->table = table;
    ix->table_cap = cap;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            table_put(ix, old[i]);
    mem_free(old);
    return ERR_OK;
}

struct sqs_slot *sqs_index_find(const struct sqs_index *ix, uint64_t seq)
{
    if (!ix->table_cap)
        return NULL;
    for (size_t i = home(ix, seq); ix->table[i]; i = (i + 1) & (ix->table_cap - 1))
        if (ix->table[i]->seq == seq)
            return ix->table[i];
    return NULL;
}

/* --- slots ------------------------------------------------------------------------------------ */

static void put_free(struct sqs_index *ix, struct sqs_slot *slot)
{
    slot->state = SQS_SLOT_FREE;
    slot->link.next = ix->free_slots ? &ix->free_slots->link : NULL;
    ix->free_slots = slot;
}

static enum err more_slots(struct sqs_index *ix)
{
    size_t each = slot_bytes(ix);
    struct sqs_slab *slab = mem_alloc(sizeof(*slab) + each * SLAB_SLOTS);
    if (!slab)
        return ERR_NOMEM;
    slab->next = ix->slabs;
    ix->slabs = slab;
    for (size_t i = SLAB_SLOTS; i-- > 0;)
        put_free(ix, (struct sqs_slot *)(slab->slots + i * each));
    return ERR_OK;
}

static void set_state(struct sqs_index *ix, struct sqs_slot *slot, enum sqs_slot_state state)
{
    assert(slot->state != SQS_SLOT_FREE && state != SQS_SLOT_FREE && ix->count[slot->state] > 0);
    ix->count[slot->state]--;
    ix->count[state]++;
    slot->state = (uint8_t)state;
}

static void free_group(struct sqs_index *ix, struct sqs_group *g)
{
    assert(g->n == 0 && list_empty(&g->out) && list_empty(&g->waiting));
    list_remove(&g->ready);
    (void)map_del(&ix->groups, g->id);
    mem_free(g);
}

/* Ends a slot that is in no list and no heap. */
static void release_slot(struct sqs_index *ix, struct sqs_slot *slot)
{
    assert(ix->n > 0 && ix->count[slot->state] > 0);
    ix->count[slot->state]--;
    table_del(ix, slot);
    ix->n--;
    assert(slot->seq >= ix->oldest_seq);
    if (ix->fifo) {
        struct sqs_group *g = fifo_of(slot)->group;
        if (--g->n == 0)
            free_group(ix, g);
    }
    put_free(ix, slot);
    if (ix->n > 0)
        return;
    ix->oldest_seq = UINT64_MAX;
    if (ix->table_cap > TABLE_KEPT)
        shrink(ix);
}

static enum err find_group(struct sqs_index *ix, struct str id, struct sqs_group **ret_group)
{
    struct sqs_group *g = map_get(&ix->groups, id);
    if (!g) {
        g = mem_calloc(1, sizeof(*g) + id.len);
        if (!g)
            return ERR_NOMEM;
        list_init(&g->waiting);
        list_init(&g->out);
        list_init(&g->ready);
        if (id.len)
            memcpy(g + 1, id.p, id.len);
        g->id = str_n((char *)(g + 1), id.len);
        if (map_put(&ix->groups, g->id, g, NULL) != ERR_OK) {
            mem_free(g);
            return ERR_NOMEM;
        }
    }
    *ret_group = g;
    return ERR_OK;
}

enum err sqs_index_new_slot(struct sqs_index *ix, uint64_t seq, struct str group,
                            struct sqs_slot **ret_slot)
{
    struct sqs_group *g = NULL;
    TRY(reserve(ix));
    if (!ix->free_slots)
        TRY(more_slots(ix));
    if (ix->fifo)
        TRY(find_group(ix, group, &g));
    struct sqs_slot *slot = ix->free_slots;
    assert(slot->state == SQS_SLOT_FREE);
    ix->free_slots = slot->link.next ? CONTAINER_OF(slot->link.next, struct sqs_slot, link) : NULL;
    memset(slot, 0, slot_bytes(ix));
    slot->seq = seq;
    slot->state = SQS_SLOT_NEW;
    ix->count[SQS_SLOT_NEW]++;
    if (g) {
        g->n++;
        fifo_of(slot)->group = g;
        list_init(&fifo_of(slot)->in_group);
    }
    table_put(ix, slot);
    ix->n++;
    if (seq < ix->oldest_seq)
        ix->oldest_seq = seq;
    *ret_slot = slot;
    return ERR_OK;
}

/* --- moving between lists --------------------------------------------------------------------- */

static struct sqs_fifo_slot *first_of(const struct list *of_group)
{
    return list_empty(of_group) ? NULL
                                : CONTAINER_OF(of_group->next, struct sqs_fifo_slot, in_group);
}

/* What the group may give next (I3); NULL: nothing now. */
static struct sqs_fifo_slot *next_of_group(const struct sqs_group *g)
{
    struct sqs_fifo_slot *first = first_of(&g->waiting);
    const struct sqs_fifo_slot *out = first_of(&g->out);
    bool may =
        first && first->slot.state == SQS_SLOT_VISIBLE && (!out || first->slot.seq < out->slot.seq);
    return may ? first : NULL;
}

/* Keeps I3 after any change to the group. */
static void review_group(struct sqs_index *ix, struct sqs_group *g)
{
    bool ready = next_of_group(g) != NULL;
    if (ready && !list_linked(&g->ready))
        list_push_back(&ix->ready, &g->ready);
    else if (!ready)
        list_remove(&g->ready);
}

static uint64_t seq_in_group(const struct list *link)
{
    return CONTAINER_OF(link, struct sqs_fifo_slot, in_group)->slot.seq;
}

/* Out of the list of its group that it is in, into the other one, by sequence number; looked for from
 * both ends: new ones belong to the end, those that come back or go out to the beginning, and the way
 * through a deep group would be long. */
static void join(struct list *head, struct sqs_fifo_slot *fs)
{
    list_remove(&fs->in_group);
    struct list *front = head, *back = head->prev;
    while (back != head && seq_in_group(back) > fs->slot.seq) {
        if (seq_in_group(front->next) > fs->slot.seq) {
            back = front;
            break;
        }
        front = front->next;
        back = back->prev;
    }
    assert(back == head || seq_in_group(back) < fs->slot.seq); /* I3 */
    list_push_front(back, &fs->in_group);
}

static void push_due(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms)
{
    slot->due = (struct heap_node){.key = due_ms, .tie = slot->seq};
    enum err err = heap_push(&ix->due, &slot->due);
    assert(err == ERR_OK); /* reserve() made room */
}

/* To VISIBLE from a state in which it is in no list of a standard queue and not in the heap. */
static void make_visible(struct sqs_index *ix, struct sqs_slot *slot, bool at_front)
{
    set_state(ix, slot, SQS_SLOT_VISIBLE);
    if (ix->fifo) {
        struct sqs_group *g = fifo_of(slot)->group;
        join(&g->waiting, fifo_of(slot));
        review_group(ix, g);
        return;
    }
    assert(!slot->dead);
    list_init(&slot->link);
    if (at_front)
        list_push_front(&ix->visible, &slot->link);
    else
        list_push_back(&ix->visible, &slot->link);
}

void sqs_index_add(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms, int64_t now_ms)
{
    assert(slot->state == SQS_SLOT_NEW);
    if (due_ms <= now_ms) {
        make_visible(ix, slot, false);
        return;
    }
    set_state(ix, slot, SQS_SLOT_DELAYED);
    push_due(ix, slot, due_ms);
    if (ix->fifo) {
        join(&fifo_of(slot)->group->waiting, fifo_of(slot));
        review_group(ix, fifo_of(slot)->group);
    }
}

void sqs_index_drop(struct sqs_index *ix, struct sqs_slot *slot)
{
    assert(slot->state == SQS_SLOT_NEW);
    release_slot(ix, slot);
}

enum err sqs_index_load(struct sqs_index *ix, uint64_t seq, struct str group, uint32_t receives,
                        int64_t due_ms, int64_t now_ms)
{
    struct sqs_slot *slot;
    TRY(sqs_index_new_slot(ix, seq, group, &slot));
    slot->receives = receives;
    if (receives == 0 || due_ms <= now_ms) {
        sqs_index_add(ix, slot, due_ms, now_ms);
        return ERR_OK;
    }
    set_state(ix, slot, SQS_SLOT_LEASED);
    push_due(ix, slot, due_ms);
    if (ix->fifo) {
        join(&fifo_of(slot)->group->out, fifo_of(slot));
        review_group(ix, fifo_of(slot)->group);
    }
    return ERR_OK;
}

size_t sqs_index_promote(struct sqs_index *ix, int64_t now_ms)
{
    size_t n = 0;
    for (struct heap_node *node; (node = heap_peek(&ix->due)) && node->key <= now_ms; n++) {
        struct sqs_slot *slot = CONTAINER_OF(node, struct sqs_slot, due);
        assert(slot->state == SQS_SLOT_LEASED || slot->state == SQS_SLOT_DELAYED); /* I1 */
        (void)heap_pop(&ix->due);
        make_visible(ix, slot, false);
    }
    return n;
}

size_t sqs_index_take(struct sqs_index *ix, size_t max, struct sqs_slot **ret_slots)
{
    size_t n = 0;
    while (!ix->fifo && n < max && !list_empty(&ix->visible)) {
        struct sqs_slot *slot = CONTAINER_OF(list_pop_front(&ix->visible), struct sqs_slot, link);
        assert(slot->state == SQS_SLOT_VISIBLE); /* I2 */
        set_state(ix, slot, SQS_SLOT_TAKEN);
        ret_slots[n++] = slot;
    }
    while (ix->fifo && n < max && !list_empty(&ix->ready)) {
        struct sqs_group *g = CONTAINER_OF(list_pop_front(&ix->ready), struct sqs_group, ready);
        struct sqs_fifo_slot *fs;
        const struct sqs_fifo_slot *before = first_of(&g->out); /* of earlier receives */
        assert(next_of_group(g));                               /* I3 */
        while (n < max && (fs = first_of(&g->waiting)) && fs->slot.state == SQS_SLOT_VISIBLE &&
               (!before || fs->slot.seq < before->slot.seq)) {
            join(&g->out, fs);
            set_state(ix, &fs->slot, SQS_SLOT_TAKEN);
            ret_slots[n++] = &fs->slot;
        }
    }
    return n;
}

/* A TAKEN slot that was removed meanwhile. True when it was. */
static bool bury(struct sqs_index *ix, struct sqs_slot *slot)
{
    if (!slot->dead)
        return false;
    struct sqs_group *g = ix->fifo ? fifo_of(slot)->group : NULL;
    if (g) {
        list_remove(&fifo_of(slot)->in_group);
        review_group(ix, g);
    }
    release_slot(ix, slot);
    return true;
}

void sqs_index_lease(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms, int64_t now_ms)
{
    assert(slot->state == SQS_SLOT_TAKEN);
    if (bury(ix, slot))
        return;
    slot->receives++;
    if (due_ms <= now_ms) {
        make_visible(ix, slot, false);
        return;
    }
    set_state(ix, slot, SQS_SLOT_LEASED);
    push_due(ix, slot, due_ms);
}

void sqs_index_untake(struct sqs_index *ix, struct sqs_slot *slot)
{
    assert(slot->state == SQS_SLOT_TAKEN);
    if (!bury(ix, slot))
        make_visible(ix, slot, true);
}

void sqs_index_set_due(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms, int64_t now_ms)
{
    assert(slot->state == SQS_SLOT_LEASED);
    if (due_ms > now_ms) {
        heap_update(&ix->due, &slot->due, due_ms);
        return;
    }
    heap_remove(&ix->due, &slot->due);
    make_visible(ix, slot, false);
}

void sqs_index_remove(struct sqs_index *ix, struct sqs_slot *slot)
{
    assert(slot->state != SQS_SLOT_NEW && slot->state != SQS_SLOT_FREE);
    if (slot->state == SQS_SLOT_TAKEN) {
        slot->dead = true;
        return;
    }
    if (slot->state == SQS_SLOT_DELAYED || slot->state == SQS_SLOT_LEASED)
        heap_remove(&ix->due, &slot->due);
    else if (!ix->fifo)
        list_remove(&slot->link);
    if (ix->fifo) {
        struct sqs_group *g = fifo_of(slot)->group;
        list_remove(&fifo_of(slot)->in_group);
        review_group(ix, g);
    }
    release_slot(ix, slot);
}

int64_t sqs_index_next_due(const struct sqs_index *ix)
{
    const struct heap_node *node = heap_peek(&ix->due);
    return node ? node->key : INT64_MAX;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t sqs_index_oldest(const struct sqs_index *ix)
{
    uint64_t oldest = UINT64_MAX;
    struct str id;
    void *group;
    size_t looked = 0;
    if (!list_empty(&ix->visible)) /* of standard queues; those that came back stand at the end */
        oldest = CONTAINER_OF(ix->visible.next, struct sqs_slot, link)->seq;
    for (size_t i = 0; i < ix->due.n && i < SQS_OLDEST_LOOK; i++)
        oldest = min_u64(oldest, CONTAINER_OF(ix->due.nodes[i], struct sqs_slot, due)->seq);
    for (size_t it = 0; looked++ < SQS_OLDEST_LOOK && map_next(&ix->groups, &it, &id, &group);) {
        struct sqs_fifo_slot *first = first_of(&((struct sqs_group *)group)->waiting);
        if (first)
            oldest = min_u64(oldest, first->slot.seq);
    }
    return oldest;
}

size_t sqs_index_old(struct sqs_index *ix, uint64_t below, size_t max, uint64_t *ret_seqs)
{
    size_t n = 0, from = ix->old_at < ix->table_cap ? ix->old_at : 0;
    uint64_t oldest = UINT64_MAX;
    ix->old_at = 0;
    if (ix->oldest_seq >= below)
        return 0;
    for (size_t i = from; i < ix->table_cap; i++) {
        const struct sqs_slot *slot = ix->table[i];
        if (!slot)
            continue;
        bool old = slot->seq < below && slot->state != SQS_SLOT_TAKEN &&
                   slot->state != SQS_SLOT_LEASED && slot->state != SQS_SLOT_NEW;
        if (old && n == max) {
            ix->old_at = i;
            return n;
        }
        if (old)
            ret_seqs[n++] = slot->seq;
        else if (slot->seq < oldest)
            oldest = slot->seq;
    }
    if (n == 0 && from > 0) /* removals and growth move slots: only a whole pass can say "none" */
        return sqs_index_old(ix, below, max, ret_seqs);
    if (n == 0)
        ix->oldest_seq = oldest;
    return n;
}
