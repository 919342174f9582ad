/* The mark: a small file beside the store, <dir>.synced, that says up to which write the store was
 * synced. RocksDB cannot tell a log's torn end, which is what a crash leaves, from a log that lost
 * its end later; who knows how far it was synced can.
 *   MK1  The mark never says more than what was synced, so it may be late but never early: it is
 *        written after the sync of the log, and synced itself only now and then. After a kill it is
 *        exact; after a power cut it may be MARK_SYNC_NS and what the kernel kept behind.
 *   MK2  Two places are written in turn, so that a write torn by a power cut leaves the older one.
 *   MK3  It keeps Weir's time (base/clock.h) as well, so that a later process does not begin before
 *        moments that this one has written.
 * Shape, at 0 and at MARK_STEP: "weirmark", sequence (8), milliseconds (8), CRC-32C of all that (4);
 * little-endian.
 *
 * Layer: kv. Thread: the flusher's, but for opening and closing. */
#ifndef WEIR_KV_DRV_ROCKSDB_MARK_H
#define WEIR_KV_DRV_ROCKSDB_MARK_H

#include "base/str.h"

enum { MARK_STEP = 4096, MARK_SYNC_NS = 1000 * 1000 * 1000 };

struct mark {
    int fd;
    unsigned turn;
    uint64_t seq, synced_seq;
    int64_t synced_ns; /* of clock_mono_ns */
};

/* Newest sequence and time in the file. ERR_NOT_FOUND: no file; ERR_CORRUPT; ERR_IO. */
enum err mark_read(const char *path, uint64_t *ret_seq, int64_t *ret_now_ms) WARN_UNUSED;
/* Makes the file, or makes it anew, and syncs it and its name: when that fails, what was there before
 * stays whole. ERR_IO, ERR_LIMIT. */
enum err mark_make(const char *path, uint64_t seq) WARN_UNUSED;
/* Opens what was made. ERR_IO. */
enum err mark_open(struct mark *m, const char *path, uint64_t seq) WARN_UNUSED;
/* Says so, without sync. ERR_IO. */
enum err mark_set(struct mark *m, uint64_t seq) WARN_UNUSED;
/* Syncs when something new was said, and `always` or MARK_SYNC_NS ago. ERR_IO. */
enum err mark_sync(struct mark *m, bool always) WARN_UNUSED;
void mark_close(struct mark *m);

#endif
