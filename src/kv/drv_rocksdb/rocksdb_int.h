/* Inside of the RocksDB driver. Who touches what:
 *   store.c    open, close, options, figures
 *   fault.c    RocksDB's messages
 *   txn.c      transactions: snapshot reads, staging, validation and commit
 *   iter.c     scans
 *   durable.c  the flusher's thread and those who wait for it
 *   mark.c     the file that says how far the store was synced
 *   rlog.c     RocksDB's log format
 *   judge.c    whether the files hold all that was synced, before they are opened
 *   repair.c   check and repair of a closed store
 *   checkpoint.c  a second folder with what the store holds
 *
 * Concurrency control is optimistic and lies in `versions`: a slot per key hash with the sequence
 * of the last commit that wrote a key of that slot.
 *   R1  A commit holds commit_lock; in it, it checks that no slot it read or writes is newer than
 *       its snapshot, then marks its slots with its own sequence, and only then writes to RocksDB.
 *   R2  So whoever sees a write in RocksDB also finds its sequence (or a later one) in the slot:
 *       what a read must wait for is known without looking at the write.
 *   R3  Two keys in one slot can only cause a needless rerun or a needless wait, never a missed
 *       one.
 *   R5  Point reads take no snapshot while they are few: each is of a key whose slot did not change
 *       around it and was written out, and when one is newer than the transaction's moment, the
 *       moment moves on, provided that the slots of all earlier reads are still as old. So what a
 *       transaction read is one state (K2), or it is told ERR_CONFLICT.
 *   R4  `assigned` >= `committed` >= `durable`; WAL order is sequence order, because RocksDB is
 *       written under commit_lock.
 *
 * Layer: kv. */
#ifndef WEIR_KV_DRV_ROCKSDB_ROCKSDB_INT_H
#define WEIR_KV_DRV_ROCKSDB_ROCKSDB_INT_H

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>

#include "kv/drv_rocksdb/kv_rocksdb.h"
#include "kv/drv_rocksdb/mark.h"
#include "kv/stage.h"

enum {
    RDB_SLOTS = 1 << 16, /* 512 KiB of versions */
    RDB_TXNS_KEPT = 64,  /* ended transactions kept for reuse */
    RDB_CAUSE_MAX = 256,
    RDB_SEEN_MAX = 8, /* point reads of a transaction without a snapshot */
};

struct rdb_txn;

struct rdb {
    struct kv base;
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_writeoptions_t *write_options;

    pthread_mutex_t commit_lock;
    _Atomic uint64_t *versions; /* RDB_SLOTS */
    _Atomic uint64_t assigned;  /* newest sequence given to a commit, maybe not yet written */
    _Atomic uint64_t committed; /* newest sequence that is in RocksDB */
    _Atomic uint64_t durable;   /* newest sequence that is synced */
    _Atomic bool failed;        /* a write or sync failed: nothing more is accepted */
    _Atomic bool cause_set;     /* `cause` is written */
    char cause[RDB_CAUSE_MAX];  /* of the first failure */
    pthread_mutex_t cause_lock;
    void (*on_failure)(void *arg);
    void *on_failure_arg;
    struct mark mark;

    pthread_mutex_t free_lock;
    struct rdb_txn *free_txns;
    size_t n_free;
    _Atomic size_t open_txns; /* for the check in close */

    pthread_mutex_t wait_lock;
    pthread_cond_t wait_cond;
    struct kv_wait *waits; /* newest first */
    _Atomic bool wanted;   /* there are waits that no kick has told the flusher of */
    bool kicked;           /* the flusher has to look */
    bool stopping;
    bool flusher_runs;
    bool read_only;
    pthread_t flusher;
    enum err (*before_sync)(void *arg);
    void *before_sync_arg;
    _Atomic uint64_t syncs;
};

struct rdb_txn {
    struct kv_txn base;
    struct stage stage;
    const rocksdb_snapshot_t *snapshot; /* NULL while point reads do without (R5) */
    uint64_t seen[RDB_SEEN_MAX];        /* hashes of the keys read without */
    size_t n_seen;
    rocksdb_readoptions_t *latest; /* for reads without a snapshot */
    rocksdb_readoptions_t *read_options;
    rocksdb_writebatch_t *batch;
    bool started;      /* snap_seq was taken */
    uint64_t snap_seq; /* commits up to here are in the snapshot, maybe later ones too */
    uint64_t read_seq; /* newest commit that what was read depends on */
    struct rdb_txn *next_free;
};

static inline _Atomic uint64_t *rdb_slot(struct rdb *r, uint64_t hash)
{
    return &r->versions[hash & (RDB_SLOTS - 1)];
}

/* fault.c: frees RocksDB's message and says what kind of failure it was; NULL is ERR_OK. */
enum err rdb_err(char *message) WARN_UNUSED;

/* Takes a failed write's or sync's message (NULL: errno says it): nothing more is accepted, and
 * whoever asked to know is told. Gives ERR_IO. */
enum err rdb_fail(struct rdb *r, const char *what, char *message);

/* store.c: the options that every opening of a store needs; the caller destroys. NULL: no memory. */
rocksdb_options_t *rdb_base_options(bool track_logs);
/* Whether another process has the store in `dir` open. */
bool rdb_in_use(const char *dir);

/* txn.c */
enum err rdb_begin(struct kv *kv, struct kv_txn **ret_txn);
void rdb_rollback(struct kv_txn *txn);
enum err rdb_commit(struct kv_txn *txn, uint64_t *ret_seq);
enum err rdb_get(struct kv_txn *txn, struct str key, struct arena *arena, struct str *ret_val);
enum err rdb_peek(struct kv_txn *txn, struct str key, struct arena *arena, struct str *ret_val);
enum err rdb_put(struct kv_txn *txn, struct str key, struct str val);
enum err rdb_del(struct kv_txn *txn, struct str key);
enum err rdb_put_stamped(struct kv_txn *txn, struct str key, size_t at, struct str val);
/* Takes the snapshot where that has not happened. ERR_CONFLICT (R5). */
enum err rdb_snapshot(struct rdb_txn *t) WARN_UNUSED;
/* Notes that what is read depends on every commit so far. */
void rdb_depend_on_all(struct rdb_txn *t);
void rdb_free_kept_txns(struct rdb *r);

/* iter.c */
enum err rdb_scan(struct kv_txn *txn, struct str from, struct str to, bool reverse,
                  struct kv_iter **ret_it);
enum err rdb_next(struct kv_iter *it, struct str *ret_key, struct str *ret_val);
void rdb_iter_close(struct kv_iter *it);

/* durable.c */
enum err rdb_flusher_start(struct rdb *r) WARN_UNUSED;
/* Syncs what is pending, answers all who wait, joins the thread. */
void rdb_flusher_stop(struct rdb *r);
uint64_t rdb_durable_seq(struct kv *kv);
uint64_t rdb_last_seq(struct kv *kv);
bool rdb_when_durable(struct kv *kv, struct kv_wait *wait);
void rdb_kick(struct kv *kv);
bool rdb_cancel_wait(struct kv *kv, struct kv_wait *wait);

#endif
