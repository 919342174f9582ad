/* Reading object bytes back from their files, checked against what was written: nothing is given that
 * does not match its checksum. And the layout that makes it possible.
 *
 *   file:  bytes | CRC-32C of each S3_BLOCK_BYTES of them (the last may be short), 4 bytes little-endian
 *
 * The size of the bytes is in the record that refers to the file, so a file that was cut or grew is
 * told by its length alone. A range read checks every block that it touches. Of a sealed file the bytes
 * are its sealed pieces (s3_sse.c), one a block.
 *
 * Layer: svc. Thread: a reader belongs to one thread at a time. */
#ifndef WEIR_SVC_S3_S3_READ_H
#define WEIR_SVC_S3_S3_READ_H

#include "svc/s3/s3_int.h"

/* Length of the file that holds `size` bytes. */
static inline uint64_t s3_file_bytes(uint64_t size)
{
    uint64_t blocks = size / S3_BLOCK_BYTES + (size % S3_BLOCK_BYTES != 0);
    return size + blocks * sizeof(uint32_t);
}

/* What is wrong with a file, or where its reading stopped. */
struct s3_damage {
    struct s3_id file;
    const char *what; /* "missing", "cut", "grown", "unreadable", "block does not match" */
    uint64_t at;      /* byte where the block begins */
};

struct s3_reader;

/* Bytes [from, from + len), len > 0, of a body that is in files, for reading after the transaction:
 * holds (pins) the files until s3_reader_free. `cipher`: s3_sse_open's. ERR_NOMEM, ERR_CORRUPT, and the store's errors. */
enum err s3_reader_open(struct s3 *s3, struct txn *txn, const struct s3_object_rec *rec,
                        uint64_t from, uint64_t len, const struct s3_cipher *cipher,
                        struct s3_reader **ret_r) WARN_UNUSED;
/* The next bytes, as call_source's read; the first call also looks whether every file that is needed
 * is there in full. Blocks: for worker threads. Logs what is damaged. ERR_CORRUPT, ERR_IO;
 * ERR_NOMEM: `cap` is less than a block. */
enum err s3_reader_read(void *reader, char *block, size_t cap, struct str *ret_bytes) WARN_UNUSED;
/* Any thread; NULL is fine. */
void s3_reader_free(void *reader);

/* Checks `*at` and following bytes of a file that holds `size`, about `max` of them, and moves *at on;
 * it is at the end when *at is `size`. ERR_CORRUPT: *ret_damage says what; ERR_IO: the disk failed to
 * read it, likewise; `buf` has `cap` bytes, at least a block. Blocks: for worker threads. */
enum err s3_file_verify(const struct s3 *s3, const struct s3_id *id, uint64_t size, uint64_t *at,
                        uint64_t max, char *buf, size_t cap,
                        struct s3_damage *ret_damage) WARN_UNUSED;

#endif
