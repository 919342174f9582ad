/* Shared by the files of due times. Thread: the home loop, but for what says otherwise. */
#ifndef WEIR_DELIVER_DUE_INT_H
#define WEIR_DELIVER_DUE_INT_H

#include <stdatomic.h>

#include "base/heap.h"
#include "base/map.h"
#include "deliver/due.h"

enum {
    DUE_WINDOW_LOW = 6 * 1024, /* fewer in memory: read on */
    DUE_SCAN_MAX = 4 * 1024,   /* keys of one scan */
    DUE_RETRY_MIN_MS = 1000,
    DUE_RETRY_MAX_MS = 5 * 60 * 1000,
};

/* A place in the order index of a kind; every text is at most DUE_KEY_MAX. */
struct due_at {
    int64_t when_ms;
    struct str key;
};

static inline int due_at_cmp(struct due_at a, struct due_at b)
{
    if (a.when_ms != b.when_ms)
        return a.when_ms < b.when_ms ? -1 : 1;
    return str_cmp(a.key, b.key);
}

/* The same with room of its own. `end`: behind every key. */
struct due_mark {
    bool end;
    int64_t when_ms;
    size_t len;
    char key[DUE_KEY_MAX];
};

enum due_state {
    DUE_WAITING, /* in the heap */
    DUE_FIRING,  /* its transaction is on its way */
    DUE_HELD,
    DUE_IDLE, /* a singleton that waits for a kick */
};

/* A key in memory. Lifetime: from notice or scan until it is gone or evicted. */
struct due_entry {
    struct due_kind *kind;
    enum due_state state;
    struct heap_node node; /* key: when it is to fire, not before a retry's pause */
    int64_t when_ms;       /* the earliest moment heard of (DU4) */
    int64_t noticed_ms;    /* heard while it fired; INT64_MAX: nothing */
    bool kicked;           /* of a singleton, while it fired */
    bool turn;             /* of a singleton: it waits for its next turn, so a kick is welcome */
    struct io_task task;
    struct due_fire fire; /* key and value: during a firing */
    /* What the attempt that committed found out. */
    bool lease_lost;
    bool stale; /* it did not fire */
    bool set;   /* of a stale one: the key is set, to stored_ms */
    int64_t stored_ms;
    size_t key_len;
    char key[];
};

static inline struct str due_entry_key(const struct due_entry *e)
{
    return str_n(e->key, e->key_len);
}

struct due_kind {
    struct due *due;
    struct due_def def;
    struct heap heap;      /* waiting, by moment */
    struct map by_key;     /* every entry but the singleton's */
    struct due_entry *one; /* the singleton's */
    size_t running;
    struct due_mark read_to; /* every stored key before it is in memory */
    bool scanning;
    struct due_mark scan_cap; /* keys behind it were evicted during the scan */
    atomic_bool kicked;
    _Atomic uint64_t n_waiting, n_running, n_fired, n_failed;
};

struct due {
    struct core *core;
    struct io_loop *home;
    uint64_t token; /* of this start's lease */
    uint64_t ties;  /* order of equal moments */
    struct due_kind *kinds[DUE_KINDS_MAX];
    size_t n_kinds;
    size_t turn; /* the kind whose turn is next (DU5) */
    bool started, leased, leasing, stopped;
    size_t running, running_steps;
    int64_t scan_after_ns; /* the store failed */
    int64_t last_ms;       /* wall clock of the last look */
    struct io_timer timer;
    struct io_task pump_task;
    atomic_bool pump_posted;
    atomic_bool rescan; /* a notice was lost for want of memory */
};

/* --- due.c ------------------------------------------------------------------------------------ */

/* `kind`'s `key` was set to `when_ms`, durably. Any thread. */
void due_notice(struct due_kind *kind, struct str key, int64_t when_ms);

/* --- due_window.c: what is in memory ---------------------------------------------------------- */

/* Not linked anywhere. Any thread. NULL on exhaustion. */
struct due_entry *due_entry_new(struct due_kind *kind, struct str key, int64_t when_ms);
/* Takes it out of every structure and frees it. */
void due_entry_free(struct due_entry *e);
/* Takes a new entry: into memory, into the one that is there, or back to the store alone. */
void due_admit(struct due_entry *e);
/* Puts an entry that is known (in by_key, or the singleton) and in no heap where it belongs: into
 * the heap to fire at `fire_ms`, or back to the store alone. */
void due_wait(struct due_entry *e, int64_t fire_ms);
/* The wall clock went back: pauses that were counted on it end. */
void due_clock_went_back(struct due_kind *kind, int64_t now_ms);
/* Of one that is not the end; borrowed from it. */
struct due_at due_mark_at(const struct due_mark *mark);
bool due_mark_after(const struct due_mark *mark, struct due_at at);
void due_mark_set(struct due_mark *mark, struct due_at at);
void due_mark_start(struct due_mark *mark);

/* --- due_store.c: records and the bodies of transactions -------------------------------------- */

/* What the record of a key says. */
struct due_record {
    int64_t when_ms;
    struct str value;
};

/* Tracked. ERR_NOT_FOUND. */
enum err due_record_get(struct txn *txn, const struct due_kind *kind, struct str key,
                        struct due_record *ret_rec) WARN_UNUSED;
enum err due_record_put(struct txn *txn, const struct due_kind *kind, struct str key,
                        const struct due_record *rec) WARN_UNUSED;
enum err due_record_del(struct txn *txn, const struct due_kind *kind, struct str key) WARN_UNUSED;
/* The order index. */
enum err due_order_put(struct txn *txn, const struct due_kind *kind, struct due_at at) WARN_UNUSED;
enum err due_order_del(struct txn *txn, const struct due_kind *kind, struct due_at at) WARN_UNUSED;

/* One read of the order index from a mark on; entries are new, not admitted. */
struct due_scan {
    struct due_kind *kind;
    struct due_mark from, read_to;
    size_t n;
    size_t corrupt;
    struct due_entry *entries[DUE_SCAN_MAX];
};
enum err due_scan_body(struct txn *txn, void *arg) WARN_UNUSED;

#endif
