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
};

enum { KV_ROCKSDB_WHY_MAX = 512 };

/* Opens or creates the store in `dir`, whose parent exists. On failure `why` (of `why_size` bytes,
 * may be NULL) says what a user should read. ERR_EXISTS: another process has it open; ERR_CORRUPT;
 * ERR_IO; ERR_NOMEM. The caller closes with kv_close. */
enum err kv_rocksdb_open(const char *dir, const struct kv_rocksdb_options *opt, struct kv **ret_kv,
                         char *why, size_t why_size) WARN_UNUSED;

#endif
