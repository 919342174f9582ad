/* Due times: ordered durable keys, each with a moment and a value, and one timer for all of them.
 * Schedules, alarms, TTL, delayed things; the job engine (job.h) stands on it.
 *
 *   due_set (any transaction) --durable--> waiting --when--> firing --committed--+
 *                                             ^  ^                               |
 *                scan of the store (start, ---+  +-- moved, again, error --------+--> gone
 *                window runs low)                                                |
 *                                             held <--- DUE_HOLD ----------------+
 *                                              +--- due_resume ---> waiting
 *
 * Invariants
 *   DU1  A key that is set fires once its moment has come; what came while no process ran fires at
 *        start, once, with the moment it was set to, so that its kind decides on catching up.
 *   DU2  A firing runs in a transaction that also removes the key, moves it, or keeps it with a new
 *        value. It reads the key tracked: of several firings of one setting exactly one commits,
 *        and a key that was cleared or moved meanwhile does not fire.
 *   DU3  Memory holds the nearest DUE_WINDOW_MAX keys of a kind; the rest is read from the store as
 *        those are done. The order index is never read from its beginning but at start, since what
 *        fired leaves markers there that a scan would have to skip.
 *   DU4  Memory may know a key too early, never too late: notices may come out of order, so the
 *        earliest moment heard of stands, and the firing corrects it from the record.
 *   DU5  At most DUE_RUNNING_MAX firings are in flight, of which at most DUE_STEPS_MAX of kinds
 *        whose firings take long (`steps`), and of a kind at most its `running_max`. Kinds take
 *        turns; so do the keys of a kind that ask to go on (DUE_AGAIN).
 *   DU6  Nothing runs while nothing is set. While something is, a timer runs at its moment, at the
 *        latest after DUE_TIMER_MAX_MS, so that a step of the wall clock in either direction is
 *        noticed. A step back delays what is not due any more; what has fired stays fired.
 *
 * Several processes on one store: each start takes the lease record of due keys and every firing
 * reads it, so that a start whose lease was taken over commits nothing any more (as D3 of
 * deliver.h). Settings need no lease. Sharing the work itself takes a lease per kind in place of
 * the one record; DU2 makes a double firing harmless in any case.
 *
 * Key layout: due_store.c. Layer: deliver (includes core). Thread: the home loop, but for due_set
 * and its like (the transaction's) and due_kick, due_wake (any). */
#ifndef WEIR_DELIVER_DUE_H
#define WEIR_DELIVER_DUE_H

#include "core/core.h"
#include "core/txn.h"

enum {
    DUE_KINDS_MAX = 64,
    DUE_KEY_MAX = 1024,          /* bytes of a kind's key */
    DUE_VALUE_MAX = 1024 * 1024, /* bytes of a value */
    DUE_NAME_MAX = 32,
    DUE_WINDOW_MAX = 16 * 1024, /* keys of a kind in memory */
    DUE_RUNNING_MAX = 64,       /* a burst of firings holds the loop for this many bodies */
    DUE_STEPS_MAX = 2,          /* long firings in flight: they share the loop with requests */
    DUE_TIMER_MAX_MS = 60 * 1000,
};

struct due;      /* the engine */
struct due_kind; /* a registered kind */

enum due_next {
    DUE_DONE,  /* the key goes (a singleton: idles until its next turn or due_kick) */
    DUE_MOVE,  /* to next_ms */
    DUE_AGAIN, /* at once, but after what else is due */
    DUE_HOLD,  /* kept; it fires again after due_resume, or at the next start */
};

/* One firing. Lifetime of the texts: the transaction's; of `user`: until the key leaves memory. */
struct due_fire {
    struct str key;
    struct str value;
    int64_t when_ms; /* the moment that was set; of a singleton: when it became due */
    int failures;    /* firings of this key that failed in a row, since start */
    void *user;      /* the kind's; NULL at first */
    /* Set by `fire`. */
    enum due_next next; /* DUE_DONE unless it says otherwise */
    int64_t next_ms;    /* DUE_MOVE */
    /* `value` itself may be replaced (the arena's): it is what the key keeps. */
};

struct due_def {
    const char *name; /* at most DUE_NAME_MAX; part of the disk format */
    void *self;
    /* In a transaction, perhaps several times (T1). An error commits nothing and fires again after
     * a pause: 1 s, doubling to 5 min. ERR_CONFLICT reruns it at once. */
    enum err (*fire)(void *self, struct txn *txn, struct due_fire *f);
    /* The firing's commit is durable. NULL: nothing to do. */
    void (*fired)(void *self, struct due_fire *f);
    /* Frees f->user, which is not NULL. Also after the loops stopped. */
    void (*release)(void *self, void *user);
    /* The engine is freed: so may `self` be. NULL: nothing to do. */
    void (*ended)(void *self);
    size_t running_max; /* firings in flight and held keys; >= 1 */
    bool steps;         /* a firing may take milliseconds: see DUE_STEPS_MAX */
    /* The kind has one key, "", without being set: it fires at start and when kicked, and is stored
     * only while its value is not empty. */
    bool singleton;
    int64_t every_ms; /* of a singleton: after DUE_DONE again so much later; 0: when kicked */
};

/* `core` is borrowed. ERR_NOMEM. */
enum err due_new(struct core *core, struct due **ret_due) WARN_UNUSED;
/* Before start. `def` is copied but for its name. Every kind that the store holds keys of must be
 * registered. The handle lives as long as the engine. ERR_EXISTS, ERR_LIMIT, ERR_NOMEM. */
enum err due_register(struct due *due, const struct due_def *def,
                      struct due_kind **ret_kind) WARN_UNUSED;
/* Takes the lease, reads what is near, begins to fire. Loops may already run. */
enum err due_start(struct due *due) WARN_UNUSED;
/* Nothing fires any more; firings in flight end by themselves. Home loop's thread, or after the
 * loops stopped. */
void due_stop(struct due *due);
/* After the loops stopped. Accepts NULL. */
void due_free(struct due *due);
/* Looks at the clock again. For tests that move the fake one. Any thread. */
void due_wake(struct due *due);

/* Each stages in `txn`. A key is any bytes; it carries account and region where its kind has them.
 * O(1): two records. ERR_LIMIT, ERR_NOMEM, and the store's errors. */

/* Sets `key` to fire at `when_ms` with `value`, in place of what it was set to before. */
enum err due_set(struct txn *txn, struct due_kind *kind, struct str key, int64_t when_ms,
                 struct str value) WARN_UNUSED;
/* Another moment, same value. ERR_NOT_FOUND. */
enum err due_move(struct txn *txn, struct due_kind *kind, struct str key,
                  int64_t when_ms) WARN_UNUSED;
/* Does not fire any more. Fine when it is not set. */
enum err due_clear(struct txn *txn, struct due_kind *kind, struct str key) WARN_UNUSED;
/* What it is set to; the value is the arena's. ERR_NOT_FOUND. */
enum err due_get(struct txn *txn, struct due_kind *kind, struct str key, int64_t *ret_when_ms,
                 struct str *ret_value) WARN_UNUSED;

/* The singleton fires soon; once more if it is firing now. Any thread. */
void due_kick(struct due_kind *kind);
/* Ends DUE_HOLD; the key fires again at once. Exactly once per hold, home loop's thread, also from
 * inside `fired`. After due_stop it does nothing. */
void due_resume(struct due_fire *f);

/* Figures of a kind; any thread. */
struct due_stats {
    uint64_t waiting; /* in memory */
    uint64_t running; /* in flight or held */
    uint64_t fired, failed;
};
struct due_stats due_kind_stats(const struct due_kind *kind);
/* All kinds, as Prometheus text. Any thread. */
void due_metrics(const struct due *due, struct buf *b);

#endif
