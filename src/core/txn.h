/* A unit of work on the store: what a handler or a background job reads, stages and hooks.
 *
 * Invariants
 *   T1  A body of work may run several times (conflicts): it has no effect outside the transaction
 *       but through the hooks below and its arena.
 *   T2  on_commit hooks run exactly once, in order, on the committing thread right after the commit
 *       and before anything else of this thread; on_abort hooks run when an attempt is given up
 *       (conflict, error), newest first. A failed attempt's hooks of the other kind are dropped.
 *   T3  on_durable hooks run on the transaction's loop once the commit is durable (P1): whatever
 *       leaves the process (starting a function, waking a client) hangs here.
 *   T4  Nobody but this file commits.
 *
 * Layer: core. Thread: the loop that runs it. */
#ifndef WEIR_CORE_TXN_H
#define WEIR_CORE_TXN_H

#include "base/arena.h"
#include "io/io.h"
#include "kv/kv.h"

struct core;
struct txn_hook;

struct txn {
    struct core *core;
    struct kv_txn *kv;
    struct arena *arena; /* lives until the work is done, all attempts */
    struct io_loop *loop;
    struct str
        account; /* of the call whose work it is, for ARNs that have none; absent: the configured one */
    int64_t now_ms;  /* one reading of Weir's time, which never goes back, for the whole unit */
    int64_t wall_ms; /* and of the wall clock: for what users see, and compare with theirs */
    uint64_t work, work_max; /* done in this attempt, and what it may do; 0: anything */
    uint64_t memory_seq;     /* newest commit it learned of from memory; see txn_depends_on */
    struct txn_hook *on_commit, *on_abort, *on_durable; /* txn.c's */
};

enum {
    TXN_ATTEMPTS_MAX = 64, /* conflicts in a row before the service's own "try again" error */
    /* Work is counted in bytes looked at. This much takes some milliseconds. */
    TXN_SLICE_WORK = 512 * 1024,
    TXN_ROW_WORK = 64, /* of a record besides its bytes */
};

/* Says that so much work was done, or is about to be: for each record of a scan, each item that an
 * expression looks at. ERR_LONG, to be given on: more than the thread should do at once, which others
 * wait for; the attempt ends, and another begins on the worker pool. */
static inline enum err WARN_UNUSED txn_work(struct txn *txn, uint64_t bytes)
{
    txn->work += bytes;
    return txn->work_max && txn->work > txn->work_max ? ERR_LONG : ERR_OK;
}
static inline enum err WARN_UNUSED txn_work_row(struct txn *txn, struct str key, struct str val)
{
    return txn_work(txn, key.len + val.len + TXN_ROW_WORK);
}

/* In whose account the work is done. */
struct str txn_account(const struct txn *txn);

/* Register hooks. ERR_NOMEM. `arg` is the arena's or outlives the hook. */
enum err txn_on_commit(struct txn *txn, void (*fn)(void *arg), void *arg) WARN_UNUSED;
enum err txn_on_abort(struct txn *txn, void (*fn)(void *arg), void *arg) WARN_UNUSED;
enum err txn_on_durable(struct txn *txn, void (*fn)(void *arg), void *arg) WARN_UNUSED;

/* The transaction used what memory tells of the commit `seq`: whoever waits for its outcome waits
 * for that commit too (P1). Holds over all attempts. */
static inline void txn_depends_on(struct txn *txn, uint64_t seq)
{
    if (txn->memory_seq < seq)
        txn->memory_seq = seq;
}

/* Background work: runs body(txn, arg) on `loop` (posted, never inside this call), reruns it on
 * ERR_CONFLICT, commits, waits until durable, then done(arg, err) on the same loop. When body
 * returns another error nothing is committed. Any thread may call. ERR_NOMEM: done is not called.
 */
enum err txn_run(struct core *core, struct io_loop *loop,
                 enum err (*body)(struct txn *txn, void *arg), void *arg,
                 void (*done)(void *arg, enum err err)) WARN_UNUSED;

/* The same for start-up, before the loops run: blocks until durable. */
enum err txn_run_now(struct core *core, enum err (*body)(struct txn *txn, void *arg),
                     void *arg) WARN_UNUSED;

/* A look at the store by who cannot wait, on a loop: body at once, rerun on ERR_CONFLICT; it stages nothing. What it saw may not be
 * durable yet, so nothing that it tells may leave the process by itself. */
enum err txn_look(struct core *core, struct arena *arena,
                  enum err (*body)(struct txn *txn, void *arg), void *arg) WARN_UNUSED;

/* Shorthands for txn->kv with the transaction's arena. An absent key is one for which there was no
 * memory (kv/key.h): ERR_NOMEM. */
static inline enum err WARN_UNUSED txn_get(struct txn *txn, struct str key, struct str *ret_val)
{
    return str_is_set(key) ? kv_get(txn->kv, key, txn->arena, ret_val) : ERR_NOMEM;
}

static inline enum err WARN_UNUSED txn_peek(struct txn *txn, struct str key, struct str *ret_val)
{
    return str_is_set(key) ? kv_peek(txn->kv, key, txn->arena, ret_val) : ERR_NOMEM;
}

static inline enum err WARN_UNUSED txn_put(struct txn *txn, struct str key, struct str val)
{
    return str_is_set(key) ? kv_put(txn->kv, key, val) : ERR_NOMEM;
}

/* `key` gets a stamp in place of its KV_STAMP_BYTES from `at` on (kv.h K7). */
static inline enum err WARN_UNUSED txn_put_stamped(struct txn *txn, struct str key, size_t at,
                                                   struct str val)
{
    return str_is_set(key) ? kv_put_stamped(txn->kv, key, at, val) : ERR_NOMEM;
}

static inline enum err WARN_UNUSED txn_del(struct txn *txn, struct str key)
{
    return str_is_set(key) ? kv_del(txn->kv, key) : ERR_NOMEM;
}

#endif
