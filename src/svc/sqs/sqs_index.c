/* A queue's messages in memory; see sqs_index.h for states and invariants. Layer: svc/sqs. */
#include "svc/sqs/sqs_index.h"

#include <assert.h>

#include "base/mem.h"

enum { SLAB_SLOTS = 256, TABLE_FIRST = 64, TABLE_KEPT = 4096 };

_Static_assert(sizeof(struct sqs_slot) <= SQS_SLOT_BYTES, "named in the header");
_Static_assert(sizeof(struct sqs_group_slot) <= SQS_GROUP_SLOT_BYTES, "named in the header");

struct sqs_slab {
    struct sqs_slab *next;
    _Alignas(16) char slots[];
};

static size_t slot_bytes(bool grouped)
{
    return grouped ? sizeof(struct sqs_group_slot) : sizeof(struct sqs_slot);
}

static struct sqs_group_slot *grouped_of(struct sqs_slot *slot)
{
    return (struct sqs_group_slot *)slot;
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
    heap_init(&ix->fair);
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
    ix->free_slots[0] = ix->free_slots[1] = NULL;
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
    heap_release(&ix->fair);
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

/* Room for n nodes in a heap (I4). */
static enum err reserve_heap(struct heap *h, size_t n)
{
    if (h->cap >= n)
        return ERR_OK;
    size_t cap = h->cap ? h->cap * 2 : TABLE_FIRST;
    struct heap_node **p = mem_realloc(h->nodes, cap * sizeof(*p));
    if (!p)
        return ERR_NOMEM;
    h->nodes = p;
    h->cap = cap;
    return ERR_OK;
}

/* Room for one more slot in the table and in the heap. */
static enum err reserve(struct sqs_index *ix)
{
    TRY(reserve_heap(&ix->due, ix->n + 1));
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
    struct sqs_slot **free_slots = &ix->free_slots[slot->grouped];
    slot->link.next = *free_slots ? &(*free_slots)->link : NULL;
    *free_slots = slot;
}

static enum err more_slots(struct sqs_index *ix, bool grouped)
{
    size_t each = slot_bytes(grouped);
    struct sqs_slab *slab = mem_alloc(sizeof(*slab) + each * SLAB_SLOTS);
    if (!slab)
        return ERR_NOMEM;
    slab->next = ix->slabs;
    ix->slabs = slab;
    for (size_t i = SLAB_SLOTS; i-- > 0;) {
        struct sqs_slot *slot = (struct sqs_slot *)(slab->slots + i * each);
        slot->grouped = grouped;
        put_free(ix, slot);
    }
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
    assert(g->n == 0 && g->n_out == 0 && list_empty(&g->out) && list_empty(&g->waiting));
    assert(g->fair.index == 0);
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
    if (slot->grouped) {
        struct sqs_group *g = grouped_of(slot)->group;
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
    if (!g && !ix->fifo)
        TRY(reserve_heap(&ix->fair, ix->groups.n + 1));
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
    bool grouped = ix->fifo || !str_empty(group);
    struct sqs_slot **free_slots = &ix->free_slots[grouped];
    TRY(reserve(ix));
    if (!*free_slots)
        TRY(more_slots(ix, grouped));
    if (grouped)
        TRY(find_group(ix, group, &g));
    struct sqs_slot *slot = *free_slots;
    assert(slot->state == SQS_SLOT_FREE && slot->grouped == grouped);
    *free_slots = slot->link.next ? CONTAINER_OF(slot->link.next, struct sqs_slot, link) : NULL;
    memset(slot, 0, slot_bytes(grouped));
    slot->grouped = grouped;
    slot->seq = seq;
    slot->state = SQS_SLOT_NEW;
    ix->count[SQS_SLOT_NEW]++;
    if (g) {
        g->n++;
        grouped_of(slot)->group = g;
        list_init(&grouped_of(slot)->in_group);
    }
    table_put(ix, slot);
    ix->n++;
    if (seq < ix->oldest_seq)
        ix->oldest_seq = seq;
    *ret_slot = slot;
    return ERR_OK;
}

/* --- moving between lists --------------------------------------------------------------------- */

static struct sqs_group_slot *first_of(const struct list *of_group)
{
    return list_empty(of_group) ? NULL
                                : CONTAINER_OF(of_group->next, struct sqs_group_slot, in_group);
}

/* What the group may give next (I3); NULL: nothing now. */
static struct sqs_group_slot *next_of_group(const struct sqs_group *g)
{
    struct sqs_group_slot *first = first_of(&g->waiting);
    const struct sqs_group_slot *out = first_of(&g->out);
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
    return CONTAINER_OF(link, struct sqs_group_slot, in_group)->slot.seq;
}

/* Out of the list of its group that it is in, into the other one, by sequence number; looked for from
 * both ends: new ones belong to the end, those that come back or go out to the beginning, and the way
 * through a deep group would be long. */
static void join(struct list *head, struct sqs_group_slot *fs)
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

/* Keeps I5 after any change to the group of a standard queue. */
static void review_fair(struct sqs_index *ix, struct sqs_group *g)
{
    const struct sqs_group_slot *first = first_of(&g->waiting);
    heap_remove(&ix->fair, &g->fair);
    if (!first)
        return;
    g->fair = (struct heap_node){.key = (int64_t)g->n_out, .tie = first->slot.seq};
    enum err err = heap_push(&ix->fair, &g->fair);
    assert(err == ERR_OK); /* find_group() made room */
}

/* A slot of a group that was out is not any more. */
static void not_out(struct sqs_index *ix, struct sqs_slot *slot)
{
    if (!slot->grouped || ix->fifo ||
        (slot->state != SQS_SLOT_TAKEN && slot->state != SQS_SLOT_LEASED))
        return;
    assert(grouped_of(slot)->group->n_out > 0);
    grouped_of(slot)->group->n_out--;
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
    not_out(ix, slot);
    set_state(ix, slot, SQS_SLOT_VISIBLE);
    if (ix->fifo) {
        struct sqs_group *g = grouped_of(slot)->group;
        join(&g->waiting, grouped_of(slot));
        review_group(ix, g);
        return;
    }
    assert(!slot->dead);
    struct sqs_group *g = slot->grouped ? grouped_of(slot)->group : NULL;
    struct list *link = g ? &grouped_of(slot)->in_group : &slot->link;
    list_init(link);
    if (at_front)
        list_push_front(g ? &g->waiting : &ix->visible, link);
    else
        list_push_back(g ? &g->waiting : &ix->visible, link);
    if (g)
        review_fair(ix, g);
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
        join(&grouped_of(slot)->group->waiting, grouped_of(slot));
        review_group(ix, grouped_of(slot)->group);
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
        join(&grouped_of(slot)->group->out, grouped_of(slot));
        review_group(ix, grouped_of(slot)->group);
    } else if (slot->grouped) {
        grouped_of(slot)->group->n_out++;
        review_fair(ix, grouped_of(slot)->group);
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

bool sqs_index_some(const struct sqs_index *ix)
{
    return !list_empty(ix->fifo ? &ix->ready : &ix->visible) || ix->fair.n > 0;
}

/* The next one of a standard queue, out of the list that it is in (I5); NULL: there is none. */
static struct sqs_slot *pop_visible(struct sqs_index *ix)
{
    struct sqs_slot *slot =
        list_empty(&ix->visible) ? NULL : CONTAINER_OF(ix->visible.next, struct sqs_slot, link);
    struct heap_node *node = heap_peek(&ix->fair);
    if (node && (!slot || (node->key == 0 && node->tie < slot->seq))) {
        struct sqs_group *g = CONTAINER_OF(node, struct sqs_group, fair);
        struct sqs_group_slot *first = first_of(&g->waiting);
        list_remove(&first->in_group);
        g->n_out++;
        review_fair(ix, g);
        return &first->slot;
    }
    if (slot)
        list_remove(&slot->link);
    return slot;
}

size_t sqs_index_take(struct sqs_index *ix, size_t max, struct sqs_slot **ret_slots)
{
    size_t n = 0;
    struct sqs_slot *slot;
    while (!ix->fifo && n < max && (slot = pop_visible(ix)) != NULL) {
        assert(slot->state == SQS_SLOT_VISIBLE); /* I2 */
        set_state(ix, slot, SQS_SLOT_TAKEN);
        ret_slots[n++] = slot;
    }
    while (ix->fifo && n < max && !list_empty(&ix->ready)) {
        struct sqs_group *g = CONTAINER_OF(list_pop_front(&ix->ready), struct sqs_group, ready);
        struct sqs_group_slot *fs;
        const struct sqs_group_slot *before = first_of(&g->out); /* of earlier receives */
        assert(next_of_group(g));                                /* I3 */
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
    struct sqs_group *g = slot->grouped ? grouped_of(slot)->group : NULL;
    not_out(ix, slot);
    if (g)
        list_remove(&grouped_of(slot)->in_group);
    if (g && ix->fifo)
        review_group(ix, g);
    else if (g)
        review_fair(ix, g);
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
    struct sqs_group *g = slot->grouped ? grouped_of(slot)->group : NULL;
    if (slot->state == SQS_SLOT_DELAYED || slot->state == SQS_SLOT_LEASED)
        heap_remove(&ix->due, &slot->due);
    else if (!g)
        list_remove(&slot->link);
    not_out(ix, slot);
    if (g)
        list_remove(&grouped_of(slot)->in_group);
    if (g && ix->fifo)
        review_group(ix, g);
    else if (g)
        review_fair(ix, g);
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
        struct sqs_group_slot *first = first_of(&((struct sqs_group *)group)->waiting);
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
