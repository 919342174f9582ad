/* The embedded driver of kv.h: RocksDB written into its memtable without sync, and one thread that
 * makes everything written so far durable for everyone who waits. Layer: kv. */
#ifndef WEIR_KV_DRV_ROCKSDB_KV_ROCKSDB_H
#define WEIR_KV_DRV_ROCKSDB_KV_ROCKSDB_H

#include "kv/kv.h"

/* Zero means the default everywhere; NULL options are all defaults. */
struct kv_rocksdb_options {
    size_t cache_bytes;        /* block cache, filled by use; 32 MiB */
    size_t write_buffer_bytes; /* one memtable, of which two are kept; 16 MiB */
    int background_threads;    /* flush and compaction together; 2 */
    /* Test hook: runs on the flusher's thread before each sync; an error counts as a failed sync.
     */
    enum err (*before_sync)(void *arg);
    void *before_sync_arg;
    /* Runs once, on any thread, when a write or sync failed and the store takes nothing more
     * (kv_failure says why); must only hand over. */
    void (*on_failure)(void *arg);
    void *on_failure_arg;
    /* Looks only: nothing is written, transactions must not write, and whoever else reads the files
     * does not mind. */
    bool read_only;
};

enum { KV_ROCKSDB_WHY_MAX = 512 };

/* Opens or creates the store in `dir`, whose parent exists, and the file <dir>.synced beside it. On
 * failure `why` (of `why_size` bytes, may be NULL) says what a user should read, and nothing was
 * changed. ERR_EXISTS: another process has it open; ERR_CORRUPT: also when acknowledged writes are
 * missing; ERR_IO; ERR_NOMEM. The caller closes with kv_close. */
enum err kv_rocksdb_open(const char *dir, const struct kv_rocksdb_options *opt, struct kv **ret_kv,
                         char *why, size_t why_size) WARN_UNUSED;

/* Makes `dir`, which is not there yet while its parent is, a store with all that this one holds, and
 * <dir>.synced beside it. Tables get a second name where the file system allows it, so it is cheap; what is
 * in memory is written out first. Any thread; blocks. On failure `why` says what a user should read. ERR_IO,
 * ERR_LIMIT. */
enum err kv_rocksdb_checkpoint(struct kv *kv, const char *dir, char *why,
                               size_t why_size) WARN_UNUSED;

/* Takes lines that a user should read. */
typedef void kv_rocksdb_say(void *arg, const char *line);
/* Reads all that a closed store holds, changing nothing, and says what it finds. ERR_CORRUPT: what is
 * wrong was said; ERR_NOT_FOUND: there is no store; ERR_EXISTS: it is in use; ERR_IO, ERR_NOMEM. */
enum err kv_rocksdb_check(const char *dir, kv_rocksdb_say *say, void *arg) WARN_UNUSED;
/* Makes a damaged store one that opens, after a copy of its files to <dir>.damaged-<time>, and says
 * what is lost. Of a damaged log what lies before the damage stays (K5); of a damaged table nothing.
 * ERR_OK also when nothing was wrong. Errors as above. */
enum err kv_rocksdb_repair(const char *dir, kv_rocksdb_say *say, void *arg) WARN_UNUSED;

#endif
