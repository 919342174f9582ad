/* Durable due work: what must still happen after a reply went out. A piece of work is written in
 * the same commit as its cause (P2), attempted when due, retried with backoff and jitter, and given
 * up after its maximum attempts or age, when its kind's `give_up` decides what becomes of it.
 *
 * Invariants
 *   D1  Work that was committed is attempted at least once, also across a crash, unless it expired.
 *   D2  Work is removed in the same commit as the effect that concludes it, where that effect is in
 *       the store (dead letter, requeue); otherwise after it.
 *   D3  One process start owns the due work: it writes its token into the lease record at start, and
 *       every transaction that concludes work reads that record, so that a start whose lease was
 *       taken over cannot conclude anything any more. The store is opened exclusively, so a start
 *       takes the lease of an earlier one over at once, and what that one was attempting is simply
 *       due. One process attempts a piece once at a time.
 *   D4  At most DELIVER_RUNNING_MAX attempts run at once, per kind at most its `running_max`. Per
 *       kind only the nearest DELIVER_WINDOW_MAX due pieces are in memory; the rest is read from
 *       the store as those are done, so memory does not grow with what is stored.
 *   D5  The due range is never read from its beginning but at start: deleted pieces leave markers
 *       there that a scan would have to skip. What is added, retried or read later is known by
 *       memory and by the position up to which the store was read.
 *   D6  Pieces that wait for the same thing (`share`) leave attempts to others, whatever becomes of theirs.
 *
 *   due --attempt--> running --ok--> done
 *    ^                  |
 *    +---- backoff -----+--max attempts or age--> given up
 *
 * Key layout: deliver_keys.c. Layer: deliver (includes core). Thread: the home loop; deliver_add
 * from any transaction. */
#ifndef WEIR_DELIVER_DELIVER_H
#define WEIR_DELIVER_DELIVER_H

#include "core/core.h"
#include "core/txn.h"

struct deliver;
struct due;

enum {
    DELIVER_RUNNING_MAX = 4096,
    DELIVER_PAYLOAD_MAX = 1024 * 1024 + 64 * 1024, /* an event of 1 MiB and what belongs to it */
    DELIVER_WINDOW_MAX = 16 * 1024,                /* due pieces of a kind in memory */
    DELIVER_PAYLOAD_MEMORY_MAX = 16 * 1024 * 1024, /* payload bytes of waiting pieces in memory */
};

/* Never renumber: part of the disk format. */
enum deliver_kind_id {
    DELIVER_LAMBDA_ASYNC = 1, /* payload: service lambda's record of an asynchronous invocation */
    DELIVER_S3_NOTIFY = 2,
    DELIVER_LAMBDA_DESTINATION = 3,
    DELIVER_SEND = 8,      /* payload: a record of send.h */
    DELIVER_SNS_HTTP = 13, /* payload: service sns's record of a request to an endpoint */
    DELIVER_OUTSIDE = 14,  /* payload: a record of send.h, to a target outside */
    DELIVER_TEST = 255,
};

struct deliver_work {
    uint64_t id;
    struct str payload;
    int64_t created_ms;
    int attempt;   /* 1 for the first */
    int uncounted; /* DELIVER_RETRY_UNCOUNTED outcomes since the last counted attempt */
    bool exact;    /* set by an attempt: its backoff_ms is not to be jittered */
    void *user;    /* the kind's, during an attempt */
};

enum deliver_outcome {
    DELIVER_OK,
    DELIVER_OK_STAGED,       /* done, and the kind's `succeed` stages what follows */
    DELIVER_RETRY,           /* failed: counts as an attempt */
    DELIVER_RETRY_UNCOUNTED, /* throttled or not started: retried until its age_max_ms only */
    DELIVER_GIVE_UP,         /* cannot ever succeed */
};

struct deliver_kind {
    enum deliver_kind_id id;
    const char *name; /* for logs and metrics */
    void *self;
    size_t running_max;
    /* Starts one attempt; ends it by deliver_done exactly once, later, on the home loop. `work`
     * lives until then. */
    void (*attempt)(void *self, struct deliver_work *work);
    /* Work will not be tried again: stages what follows (dead letter, destination) in `txn`, which
     * also removes the work (D2). `expired`: by age. NULL: it is dropped with a log record. An
     * error keeps the piece, and give_up is tried again after a minute. */
    enum err (*give_up)(void *self, struct txn *txn, const struct deliver_work *work, bool expired);
    /* After DELIVER_OK_STAGED: stages what follows success, as give_up does. NULL where the kind
     * does not use that outcome. */
    enum err (*succeed)(void *self, struct txn *txn, const struct deliver_work *work);
    /* The attempt's conclusion is committed (or never will be): frees work->user, which is not
     * NULL. NULL: nothing to free. */
    void (*release)(void *self, struct deliver_work *work);
    /* What the piece waits for, as a number: equal for pieces of one function, mostly different for
     * others (D6). The payload is there. NULL: the kind has no shares. */
    uint64_t (*share)(void *self, const struct deliver_work *work);
    /* Delay before attempt `next`, in ms, before jitter of +-20 %. next == work->attempt: the
     * attempt was not counted, for the work->uncounted'th time (throttled). NULL: 1 s doubling to 5
     * min. */
    int64_t (*backoff_ms)(void *self, const struct deliver_work *work, int next);
};

struct deliver_options {
    int64_t delay_ms;   /* before the first attempt */
    int attempts_max;   /* >= 1 */
    int64_t age_max_ms; /* 0: none */
};

/* Before start. `core` is borrowed. ERR_NOMEM. */
enum err deliver_new(struct core *core, struct deliver **ret_deliver) WARN_UNUSED;
/* `kind` is copied. Every kind ever written to the store must be registered before start. */
enum err deliver_register(struct deliver *d, const struct deliver_kind *kind) WARN_UNUSED;
/* Reads what is pending and begins to attempt; loops may already run. Any thread. */
enum err deliver_start(struct deliver *d) WARN_UNUSED;
/* No new attempts; what running ones conclude is still written. Home loop's thread, or after the
 * loops stopped. */
void deliver_stop(struct deliver *d);
/* After the loops stopped and no attempt can call deliver_done any more. */
void deliver_free(struct deliver *d);

/* The engine of due times and jobs (due.h, job.h) that is started, stopped and freed with this one;
 * owned by it. */
struct due *deliver_due(struct deliver *d);

/* Looks at the wall clock again at once. Any thread. For tests that move the fake clock; time that
 * passes by itself is noticed by timer, a step of the clock within a minute. */
void deliver_wake(struct deliver *d);

/* Stages a piece of work in `txn`; it is known to the engine when that commits and attempted once
 * durable. ERR_LIMIT payload, ERR_NOMEM. */
enum err deliver_add(struct deliver *d, struct txn *txn, enum deliver_kind_id kind,
                     struct str payload, const struct deliver_options *opt) WARN_UNUSED;

/* What backoff_ms is where a kind has none. */
int64_t deliver_backoff_ms(const struct deliver_work *work, int next);

/* Ends an attempt; home loop's thread, also from inside `attempt`. */
void deliver_done(struct deliver *d, struct deliver_work *work, enum deliver_outcome outcome);

/* Pieces in memory and waiting (pending), running; done, retried, given up since start: for metrics
 * and tests. Home loop's thread, or after the loops stopped. */
struct deliver_stats {
    uint64_t pending, running, done, retried, given_up;
};
struct deliver_stats deliver_get_stats(const struct deliver *d);

#endif
