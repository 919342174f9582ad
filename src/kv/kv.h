/* The storage contract: ordered keys, snapshot reads, range scans, serialisable transactions, and
 * notification of durability. Every durable thing in Weir stands behind this header.
 *
 * Invariants that every driver keeps (the conformance suite, tests/unit/kv, proves them):
 *   K1  Keys and values are byte strings; keys sort as unsigned bytes. Limits: KV_KEY_MAX,
 *       KV_VALUE_MAX, KV_TXN_MAX.
 *   K2  A transaction reads one state, plus its own staged writes: that of its beginning or of a
 *       later moment at which everything that it had read was still so. A read for which there is
 *       no such moment answers ERR_CONFLICT, and the work is rerun.
 *   K3  Commit is all or nothing, also across a crash.
 *   K4  Transactions that commit are serialisable as regards keys read with kv_get (present or
 *       absent) and keys written: if such a key was changed by another commit after the moment of
 *       K2, kv_commit answers ERR_CONFLICT and nothing was written. kv_peek and scans read without
 *       being tracked; a handler that decides on a scan also reads by kv_get a key that every
 *       writer of that range writes (a guard).
 *   K5  Commits are numbered by a sequence that grows with commit order. durable(seq) means: this
 *       commit and all before it survive a crash. A crash loses a suffix of the commits that were
 *       not yet durable, never one in the middle.
 *   K6  kv_commit does not wait for the disk; who must not reveal undurable state waits with
 *       kv_when_durable for the sequence that kv_commit gave, or kv_last_seq.
 *   K7  A stamped key (put_stamped) carries the place of its write in the order of all commits:
 *       KV_STAMP_BYTES that kv_commit fills in. Stamps grow with commit order, also across restarts
 *       from every durable commit to all later ones, so that a scan over stamped keys never sees a
 *       smaller one appear behind a greater one that an earlier scan saw. No two are equal, so
 *       stamped writes conflict with nothing.
 *
 * Layer: kv (includes base). Thread: struct kv is shared by all threads; a transaction and its
 * iterators belong to one thread at a time. */
#ifndef WEIR_KV_KV_H
#define WEIR_KV_KV_H

#include "base/arena.h"
#include "base/str.h"

enum {
    KV_KEY_MAX = 8 * 1024,           /* bytes */
    KV_VALUE_MAX = 16 * 1024 * 1024, /* bytes */
    KV_TXN_MAX = 64 * 1024 * 1024,   /* staged bytes, keys and values together */
    KV_STAMP_BYTES = 10,             /* commit's sequence (8), then which of its stamped keys (2) */
    KV_STAMPS_MAX = 65535,           /* stamped keys of a transaction */
};

struct kv;
struct kv_txn;
struct kv_iter;

/* One waiter for durability; owned by the caller and alive until `fn` ran or kv_cancel_wait said it
 * will not. */
struct kv_wait {
    uint64_t seq;
    /* Runs on the driver's flusher thread; must only hand over (e.g. io_post). `err` is ERR_OK, or
     * ERR_IO when the store failed to sync: then nothing later becomes durable either. */
    void (*fn)(struct kv_wait *wait, enum err err);
    struct kv_wait *next; /* driver's */
};

/* What a driver implements. Instances embed `struct kv` first. */
struct kv_ops {
    /* Starts a transaction on a fresh snapshot. ERR_NOMEM, ERR_IO. */
    enum err (*begin)(struct kv *kv, struct kv_txn **ret_txn);
    /* Ends the transaction without effect; open iterators must be closed before. NULL is allowed.
     */
    void (*rollback)(struct kv_txn *txn);
    /* Commits and ends it, whatever the answer. A transaction without staged writes always
     * commits. ERR_CONFLICT (K4), ERR_LIMIT (KV_TXN_MAX), ERR_IO. *ret_seq is what a reply that
     * depends on this transaction's writes and reads must wait for (K5). */
    enum err (*commit)(struct kv_txn *txn, uint64_t *ret_seq);
    /* Tracked point read (K4). The value is copied into `arena`. ERR_NOT_FOUND, ERR_LIMIT (key),
     * ERR_CONFLICT (K2), ERR_IO, ERR_NOMEM. */
    enum err (*get)(struct kv_txn *txn, struct str key, struct arena *arena, struct str *ret_val);
    /* As get, untracked. */
    enum err (*peek)(struct kv_txn *txn, struct str key, struct arena *arena, struct str *ret_val);
    /* Stages; key and value are copied. ERR_LIMIT, ERR_NOMEM. Deleting what is absent is fine. */
    enum err (*put)(struct kv_txn *txn, struct str key, struct str val);
    enum err (*del)(struct kv_txn *txn, struct str key);
    /* Stages a put of `key` with a stamp in place of its KV_STAMP_BYTES from `at` on (K7). The
     * transaction itself does not see it. ERR_LIMIT, ERR_NOMEM. */
    enum err (*put_stamped)(struct kv_txn *txn, struct str key, size_t at, struct str val);
    /* Scan of from <= key < to in ascending order, or descending when `reverse` (starting at the
     * last key below `to`). An absent `to` is no upper bound. Sees what was staged before it (K2);
     * staging during the scan is allowed and may or may not be seen by it. ERR_CONFLICT (K2),
     * ERR_IO, ERR_NOMEM. */
    enum err (*scan)(struct kv_txn *txn, struct str from, struct str to, bool reverse,
                     struct kv_iter **ret_it);
    /* Next pair, borrowed until the next call on this iterator. ERR_NOT_FOUND at the end. */
    enum err (*next)(struct kv_iter *it, struct str *ret_key, struct str *ret_val);
    void (*iter_close)(struct kv_iter *it);
    /* Sequence of the newest commit that is durable. Never goes back. */
    uint64_t (*durable_seq)(struct kv *kv);
    /* Sequence of the newest commit, durable or not: what a reply waits for that tells of reads
     * made in a transaction that was rolled back. */
    uint64_t (*last_seq)(struct kv *kv);
    /* Arranges wait->fn once wait->seq is durable and whoever arranged it has called `kick`. Returns
     * false, without calling fn, when it is already durable. */
    bool (*when_durable)(struct kv *kv, struct kv_wait *wait);
    /* Begins to serve what was arranged before. Apart from when_durable, so that an event loop asks
     * once for all that it has committed before it sleeps, and they share one sync. Any thread;
     * costs next to nothing when there is nothing to begin. NULL: waits are served without it. */
    void (*kick)(struct kv *kv);
    /* Withdraws; false when fn already ran or is about to. */
    bool (*cancel_wait)(struct kv *kv, struct kv_wait *wait);
    /* Approximate bytes on disk and other figures as "name value\n" lines. */
    struct str (*stats)(struct kv *kv, struct arena *arena);
    /* Why the store takes nothing more, or NULL while it does. Static while the store is open. NULL:
     * a driver that cannot fail so. */
    const char *(*failure)(struct kv *kv);
    /* Syncs what is pending, stops the flusher, closes and frees. No transaction may be open. */
    void (*close)(struct kv *kv);
};

struct kv {
    const struct kv_ops *ops;
};

/* Drivers embed these first. */
struct kv_txn {
    struct kv *kv;
};
struct kv_iter {
    struct kv_txn *txn;
};

static inline enum err WARN_UNUSED kv_begin(struct kv *kv, struct kv_txn **ret_txn)
{
    return kv->ops->begin(kv, ret_txn);
}

static inline void kv_rollback(struct kv_txn *txn)
{
    if (txn)
        txn->kv->ops->rollback(txn);
}

static inline enum err WARN_UNUSED kv_commit(struct kv_txn *txn, uint64_t *ret_seq)
{
    return txn->kv->ops->commit(txn, ret_seq);
}

static inline enum err WARN_UNUSED kv_get(struct kv_txn *txn, struct str key, struct arena *arena,
                                          struct str *ret_val)
{
    return txn->kv->ops->get(txn, key, arena, ret_val);
}

static inline enum err WARN_UNUSED kv_peek(struct kv_txn *txn, struct str key, struct arena *arena,
                                           struct str *ret_val)
{
    return txn->kv->ops->peek(txn, key, arena, ret_val);
}

static inline enum err WARN_UNUSED kv_put(struct kv_txn *txn, struct str key, struct str val)
{
    return txn->kv->ops->put(txn, key, val);
}

static inline enum err WARN_UNUSED kv_del(struct kv_txn *txn, struct str key)
{
    return txn->kv->ops->del(txn, key);
}

static inline enum err WARN_UNUSED kv_put_stamped(struct kv_txn *txn, struct str key, size_t at,
                                                  struct str val)
{
    return txn->kv->ops->put_stamped(txn, key, at, val);
}

static inline enum err WARN_UNUSED kv_scan(struct kv_txn *txn, struct str from, struct str to,
                                           bool reverse, struct kv_iter **ret_it)
{
    return txn->kv->ops->scan(txn, from, to, reverse, ret_it);
}

static inline enum err WARN_UNUSED kv_next(struct kv_iter *it, struct str *ret_key,
                                           struct str *ret_val)
{
    return it->txn->kv->ops->next(it, ret_key, ret_val);
}

static inline void kv_iter_close(struct kv_iter *it)
{
    if (it)
        it->txn->kv->ops->iter_close(it);
}

static inline uint64_t kv_durable_seq(struct kv *kv)
{
    return kv->ops->durable_seq(kv);
}

static inline uint64_t kv_last_seq(struct kv *kv)
{
    return kv->ops->last_seq(kv);
}

static inline bool kv_when_durable(struct kv *kv, struct kv_wait *wait)
{
    return kv->ops->when_durable(kv, wait);
}

static inline void kv_kick(struct kv *kv)
{
    if (kv->ops->kick)
        kv->ops->kick(kv);
}

static inline bool kv_cancel_wait(struct kv *kv, struct kv_wait *wait)
{
    return kv->ops->cancel_wait(kv, wait);
}

static inline struct str kv_stats(struct kv *kv, struct arena *arena)
{
    return kv->ops->stats(kv, arena);
}

static inline const char *kv_failure(struct kv *kv)
{
    return kv->ops->failure ? kv->ops->failure(kv) : NULL;
}

static inline void kv_close(struct kv *kv)
{
    if (kv)
        kv->ops->close(kv);
}

#endif
