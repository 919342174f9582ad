/* Reading RocksDB's log format, in which the write-ahead log and the manifest are kept, without
 * RocksDB: to judge a store before anything in it is changed.
 *
 * Shape (RocksDB wiki, "Write Ahead Log File Format"): blocks of 32 KiB; in them fragments of
 *   checksum (4, masked CRC-32C of what follows but the length), length (2), type (1), bytes
 * with the types full 1, first 2, middle 3, last 4; less than 7 bytes at a block's end are zeros.
 *
 * Layer: kv. Thread: a reader belongs to one thread. */
#ifndef WEIR_KV_DRV_ROCKSDB_RLOG_H
#define WEIR_KV_DRV_ROCKSDB_RLOG_H

#include "base/str.h"

enum {
    RLOG_BLOCK_BYTES = 32 * 1024,
    RLOG_HEAD_BYTES = 512, /* of a record that the reader keeps */
    RLOG_SKIP_MAX = 8,     /* fields of a manifest's record before the ones looked for */
};

/* Lifetime: its owner's; open and close. */
struct rlog {
    int fd;
    uint64_t block_at; /* of `block` in the file */
    size_t block_len;
    size_t at; /* in the block */
    uint8_t block[RLOG_BLOCK_BYTES];
};

/* ERR_IO. */
enum err rlog_open(struct rlog *r, const char *path) WARN_UNUSED;
void rlog_close(struct rlog *r);
/* Reads a whole record and its check sums; `head` (RLOG_HEAD_BYTES) gets its beginning. The record
 * began at *ret_at. ERR_NOT_FOUND: the file ends here; ERR_CORRUPT: from *ret_at on there is no
 * valid record (written also then); ERR_IO. */
enum err rlog_next(struct rlog *r, uint8_t *head, size_t *ret_len, uint64_t *ret_at) WARN_UNUSED;
/* After ERR_CORRUPT: goes to the beginning of the next block. False at the end of the file. */
bool rlog_skip_block(struct rlog *r);

/* What a record of the write-ahead log says of itself: the number of its first write, and writes. */
enum err rlog_batch(const uint8_t *head, size_t len, uint64_t *ret_seq,
                    uint32_t *ret_n) WARN_UNUSED;
/* What a record of the manifest says: the oldest log that is needed and the newest write in tables.
 * Zero where it says nothing. */
void rlog_edit(const uint8_t *head, size_t len, uint64_t *ret_log, uint64_t *ret_seq);

#endif
