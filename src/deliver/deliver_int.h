/* Shared by the files of the delivery engine. Thread: the home loop, but for what says otherwise.
 */
#ifndef WEIR_DELIVER_INT_H
#define WEIR_DELIVER_INT_H

#include <stdatomic.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "deliver/deliver.h"
#include "deliver/deliver_lease.h"

enum {
    DELIVER_KINDS_MAX = 16,
    DELIVER_WINDOW_LOW = 6 * 1024, /* fewer in memory: read on */
    DELIVER_SCAN_MAX = 4 * 1024,   /* pieces of one scan */
    DELIVER_SCAN_BYTES_MAX = 8 * 1024 * 1024,
    DELIVER_INLINE_MAX = 8 * 1024, /* payloads up to this live in the due record */
    DELIVER_BATCH_MAX = 256,       /* conclusions in one commit */
    DELIVER_BATCH_BYTES_MAX = 8 * 1024 * 1024,
    DELIVER_STORE_RETRY_MS = 1000, /* after the store failed */
    DELIVER_GIVE_UP_RETRY_MS = 60 * 1000,
    DELIVER_TIMER_MAX_MS = 60 * 1000, /* so that a step of the wall clock is noticed */
    DELIVER_BACKOFF_MIN_MS = 1000,
    DELIVER_BACKOFF_MAX_MS = 5 * 60 * 1000,
};

/* Where a piece stands in the due range of its kind. */
struct deliver_pos {
    int64_t due_ms;
    uint64_t id;
};

static const struct deliver_pos DELIVER_POS_END = {INT64_MAX, UINT64_MAX};

static inline bool deliver_pos_before(struct deliver_pos a, struct deliver_pos b)
{
    return a.due_ms != b.due_ms ? a.due_ms < b.due_ms : a.id < b.id;
}

/* What the store says of a piece. */
struct deliver_record {
    int64_t created_ms;
    int attempt;
    int uncounted;
    int attempts_max;
    int64_t age_max_ms;
    bool large; /* the payload has its own key */
    size_t payload_len;
    struct str payload; /* absent when large */
};

enum deliver_entry_state {
    DELIVER_ENTRY_WAITING,    /* in the heap, or parked (deliver_share.c) */
    DELIVER_ENTRY_RUNNING,    /* payload being read, attempted, or being given up */
    DELIVER_ENTRY_CONCLUDING, /* outcome known, commit on its way */
};

/* A piece in memory. Lifetime: from notice or scan to conclusion or eviction. */
struct deliver_entry {
    struct deliver_work work;
    struct deliver_queue *q;
    struct deliver_pos at;
    struct deliver_record rec; /* its payload member is unused: see work.payload */
    struct heap_node node;
    struct list link;            /* deferred, concluding, parked */
    struct deliver_share *share; /* during an attempt */
    struct io_task task;
    enum deliver_entry_state state;
    enum deliver_outcome outcome;
    bool expired;
    bool aside;              /* put aside by its share: it takes up no attempt */
    struct deliver_pos next; /* of a retry */
    int next_attempt, next_uncounted;
    char *payload;         /* heap copy, NULL when not in memory */
    size_t charged;        /* of deliver->payload_bytes */
    int64_t not_before_ms; /* the store failed; does not change where the piece stands there */
};

/* Everything about one kind. */
struct deliver_queue {
    struct deliver *d;
    struct deliver_kind kind;
    struct heap heap; /* waiting entries by due time */
    struct map by_id; /* every entry in memory */
    size_t running;
    struct deliver_pos read_to; /* every stored piece before it is in memory */
    bool scanning;
    struct list deferred; /* notices that came during a scan */
    struct map shares;    /* of those with attempts */
    size_t n_parked;      /* in by_id, but not of the window */
    struct deliver_scan *scan;
};

struct deliver {
    struct core *core;
    struct due *due;
    struct io_loop *home;
    uint64_t token; /* of this start: the lease */
    _Atomic uint64_t next_id;
    struct deliver_queue *queues[DELIVER_KINDS_MAX];
    size_t n_queues;
    bool started, leasing, leased, stopped, committing;
    size_t running;                    /* over all kinds */
    size_t payload_bytes;              /* of entries in memory */
    struct list concluding, postponed; /* the second when there is room in a batch */
    struct io_timer timer;
    struct io_task pump_task;
    atomic_bool pump_posted;
    atomic_bool rescan; /* a notice was lost for want of memory */
    int64_t commit_after_ns;
    struct deliver_stats stats;
    struct {
        _Atomic uint64_t sent, dead, dropped;
    } sends; /* send.c's */
    struct {
        struct fetch *fetch; /* NULL until the first request */
        struct list asking;
        struct map paces; /* of targets outside, by ARN: send_outside.c's */
    } outgoing;           /* outgoing.c's; home loop */
};

/* The loop looks again at what is due and concluded. Any thread. */
static inline void deliver_pump_soon(struct deliver *d)
{
    if (d->started && !atomic_exchange(&d->pump_posted, true))
        io_post(d->home, &d->pump_task);
}

/* --- deliver_keys.c --------------------------------------------------------------------------- */

void deliver_key_due(struct buf *b, enum deliver_kind_id kind, struct deliver_pos at);
void deliver_key_kind_end(struct buf *b, enum deliver_kind_id kind);
void deliver_key_payload(struct buf *b, uint64_t id);
enum err deliver_key_read_due(struct str key, struct deliver_pos *ret_at) WARN_UNUSED;

/* --- deliver_store.c: bodies of transactions -------------------------------------------------- */

enum err deliver_record_read(struct str bytes, struct deliver_record *ret_rec) WARN_UNUSED;
/* Stages the due record (and, when `with_payload`, the separate payload of a large one). */
enum err deliver_record_put(struct txn *txn, enum deliver_kind_id kind, struct deliver_pos at,
                            const struct deliver_record *rec, struct str payload,
                            bool with_payload) WARN_UNUSED;
enum err deliver_record_del(struct txn *txn, enum deliver_kind_id kind, struct deliver_pos at,
                            bool large) WARN_UNUSED;
/* Payload of a stored piece into the transaction's arena. ERR_NOT_FOUND. */
enum err deliver_payload_read(struct txn *txn, enum deliver_kind_id kind, struct deliver_pos at,
                              bool large, struct str *ret_payload) WARN_UNUSED;

/* One read of the due range: pieces from `from` on, copied to the heap. */
struct deliver_scan {
    struct deliver_queue *q;
    struct deliver_pos from;
    struct deliver_entry **entries;
    size_t n;
    size_t max;
    size_t bytes;
    struct deliver_pos read_to;
    size_t corrupt; /* records that did not decode: skipped, logged */
};
enum err deliver_scan_body(struct txn *txn, void *arg) WARN_UNUSED;
void deliver_scan_drop(struct deliver_scan *s);

/* --- deliver_share.c -------------------------------------------------------------------------- */

enum deliver_entered {
    DELIVER_ENTERED,   /* it may be attempted */
    DELIVER_PARKED,    /* it waits in memory for an attempt of its share to end */
    DELIVER_POSTPONED, /* it is to be due at *ret_due_ms instead */
};
/* For a piece whose attempt begins, payload and all. */
enum deliver_entered deliver_share_enter(struct deliver_entry *e, int64_t *ret_due_ms);
/* Its attempt is over: others of its share get their turn. */
void deliver_share_leave(struct deliver_entry *e);
/* After the entries were freed. */
void deliver_shares_free(struct deliver_queue *q);

/* --- deliver_entry.c -------------------------------------------------------------------------- */

/* New entry, not linked anywhere; `payload` is copied when set. Any thread. NULL on exhaustion. */
struct deliver_entry *deliver_entry_new(struct deliver_queue *q, struct deliver_pos at,
                                        const struct deliver_record *rec, struct str payload);
/* Takes it out of every structure and frees it. */
void deliver_entry_free(struct deliver_entry *e);
/* Lets the kind free what the attempt left in work.user. */
void deliver_entry_release_user(struct deliver_entry *e);
enum err deliver_entry_set_payload(struct deliver_entry *e, struct str payload) WARN_UNUSED;
void deliver_entry_drop_payload(struct deliver_entry *e);
/* Puts an entry (taken) where it belongs: the heap, or back to the store alone. During a scan it
 * waits for the scan's end, because what the scan saw may be older. */
void deliver_queue_admit(struct deliver_queue *q, struct deliver_entry *e);

#endif
