/* Where a queue's messages stand: who may be received next, who is out until when. Memory only; the
 * store has the truth, from which it is rebuilt after a start (sqs_load.c).
 *
 *          send              delay               over             receive
 *   (none) ----> NEW --commit-----> DELAYED -----------> VISIBLE --------> TAKEN
 *                 |  \--commit, no delay---------------> ^  ^  ^            |  |
 *                 |abort                                 |  |  +---abort---+  | commit
 *                 v                             deadline |  |                 v
 *               (none)                                   |  +-commit, 0 s- (lease)
 *                                                        +--------------- LEASED --delete--> (none)
 *
 * Retention and an expired lease's handle also remove from DELAYED and VISIBLE; what is removed while
 * TAKEN is dead, and goes when it is put back.
 *
 * Invariants
 *   I1  A slot is in the heap exactly when DELAYED or LEASED, keyed by when it becomes visible.
 *   I2  Standard queues: a slot is in `visible`, or in the `waiting` of its group if it has one,
 *       exactly when VISIBLE, oldest first; one that comes back from a lease goes to the end.
 *   I5  Fair queues (standard, with groups): a group is in `fair` exactly when it has VISIBLE slots,
 *       keyed by how many of it are out, and then by its first one. Whoever has least in flight is
 *       served first, so a group with many messages holds up nobody; a message without a group is a
 *       group of its own.
 *   I3  FIFO queues: VISIBLE and DELAYED slots are in their group's `waiting`, TAKEN and LEASED ones in
 *       its `out`, both by sequence number. A group is in `ready` exactly when its first waiting slot
 *       is VISIBLE and comes before all that are out: a message is held back by those before it, not
 *       by those after it. So order holds within a group.
 *   I4  Every transition but sqs_index_new_slot and sqs_index_load is free of allocation, so that
 *       commit hooks cannot fail.
 *
 * Memory per message: SQS_SLOT_BYTES plus a heap entry and a table entry, 64 bytes together for a
 * standard queue at the table's usual load. Costs are O(log n) at most.
 *
 * Layer: svc/sqs. Thread: the queue's lock is held around every call. */
#ifndef WEIR_SVC_SQS_SQS_INDEX_H
#define WEIR_SVC_SQS_SQS_INDEX_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"

enum { SQS_SLOT_BYTES = 48, SQS_GROUP_SLOT_BYTES = 72, SQS_OLDEST_LOOK = 1024 };

enum sqs_slot_state {
    SQS_SLOT_FREE,
    SQS_SLOT_NEW,
    SQS_SLOT_DELAYED,
    SQS_SLOT_VISIBLE,
    SQS_SLOT_TAKEN,
    SQS_SLOT_LEASED,
    SQS_SLOT_STATES,
};

struct sqs_slot {
    union {
        struct list link;     /* VISIBLE in a standard queue; FREE: next free one */
        struct heap_node due; /* DELAYED, LEASED */
    };
    uint64_t seq;      /* sequence number in the queue; its upper bits tell when it was sent */
    uint32_t receives; /* committed receives */
    uint8_t state;     /* enum sqs_slot_state */
    bool dead;         /* removed while TAKEN: goes when it is put back */
    bool grouped;      /* it is a sqs_group_slot: in FIFO queues, and in others with a group */
};

struct sqs_group {
    struct list waiting;   /* VISIBLE (FIFO: DELAYED too): of struct sqs_group_slot.in_group */
    struct list out;       /* FIFO: TAKEN, LEASED: likewise */
    struct list ready;     /* FIFO: in sqs_index.ready */
    struct heap_node fair; /* standard: in sqs_index.fair; its key, n_out, is kept outside, too */
    size_t n;              /* slots of it, in any state */
    size_t n_out;          /* standard: TAKEN or LEASED */
    struct str id;         /* owned, follows the struct */
};

struct sqs_group_slot {
    struct sqs_slot slot;
    struct list in_group;
    struct sqs_group *group;
};

struct sqs_slab;

struct sqs_index {
    bool fifo;
    unsigned refs;           /* the queue's, and one per open use (sqs_take.c) */
    struct sqs_slot **table; /* by seq, open addressing */
    size_t table_cap, n;     /* n: slots in the table, NEW ones included */
    struct heap due;
    struct list visible;
    struct list ready; /* groups, FIFO */
    struct heap fair;  /* groups, standard */
    struct map groups;
    struct sqs_slab *slabs;
    struct sqs_slot *free_slots[2]; /* without and with a group */
    size_t count[SQS_SLOT_STATES];
    size_t old_at;       /* where in the table sqs_index_old goes on */
    uint64_t oldest_seq; /* no live slot has a smaller one; UINT64_MAX when there is none */
};

/* NULL on exhaustion. One reference. */
struct sqs_index *sqs_index_new(bool fifo);
void sqs_index_ref(struct sqs_index *ix);
/* Frees everything with the last one, in O(n / slab). NULL is allowed. */
void sqs_index_unref(struct sqs_index *ix);

/* NEW slot with sequence number `seq`, not used before. `group`: empty in standard queues that are not to
 * be fair. ERR_NOMEM. */
enum err sqs_index_new_slot(struct sqs_index *ix, uint64_t seq, struct str group,
                            struct sqs_slot **ret_slot) WARN_UNUSED;
/* A stored message at start: received before and out until due_ms, or delayed, or visible. */
enum err sqs_index_load(struct sqs_index *ix, uint64_t seq, struct str group, uint32_t receives,
                        int64_t due_ms, int64_t now_ms) WARN_UNUSED;
/* NEW -> DELAYED until due_ms, or VISIBLE. */
void sqs_index_add(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms, int64_t now_ms);
/* NEW -> (none). */
void sqs_index_drop(struct sqs_index *ix, struct sqs_slot *slot);
/* What is due becomes VISIBLE. Returns how many. */
size_t sqs_index_promote(struct sqs_index *ix, int64_t now_ms);
/* Whether sqs_index_take would find one. */
bool sqs_index_some(const struct sqs_index *ix);
/* Up to `max` VISIBLE -> TAKEN, first come first; FIFO: at most one run per group; fair: I5. */
size_t sqs_index_take(struct sqs_index *ix, size_t max, struct sqs_slot **ret_slots);
/* TAKEN -> LEASED until due_ms (counting a receive), or VISIBLE when that has passed. */
void sqs_index_lease(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms, int64_t now_ms);
/* TAKEN -> VISIBLE at the front. */
void sqs_index_untake(struct sqs_index *ix, struct sqs_slot *slot);
/* LEASED -> LEASED until due_ms, or VISIBLE. */
void sqs_index_set_due(struct sqs_index *ix, struct sqs_slot *slot, int64_t due_ms, int64_t now_ms);
/* Any committed state -> (none); TAKEN: once it is put back. */
void sqs_index_remove(struct sqs_index *ix, struct sqs_slot *slot);
/* About the oldest message: its sequence number, of those that stand first where they wait; UINT64_MAX: there
 * is none. Looks at no more than SQS_OLDEST_LOOK places. */
uint64_t sqs_index_oldest(const struct sqs_index *ix);
/* NULL when there is none. */
struct sqs_slot *sqs_index_find(const struct sqs_index *ix, uint64_t seq);
/* When the next slot becomes visible by itself; INT64_MAX when none will. */
int64_t sqs_index_next_due(const struct sqs_index *ix);
/* Sequence numbers below `below` of slots that are not out, at most `max`, from where the last call
 * had enough, so that all of them cost O(n) together; a whole pass that finds none brings
 * oldest_seq up to date. */
size_t sqs_index_old(struct sqs_index *ix, uint64_t below, size_t max, uint64_t *ret_seqs);

#endif
