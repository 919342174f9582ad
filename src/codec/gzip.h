/* gzip (RFC 1952) and zlib streams (RFC 1950, HTTP's "deflate") over zlib: bodies of requests and replies. No I/O.
 *
 * Invariants
 *   GZ1  No more memory is taken than the output buffer's maximum and zlib's window; what a few
 *        bytes promise to become is never allocated ahead.
 *   GZ2  A text that grows by more than GZIP_RATIO_MAX is refused as soon as that shows, once it is
 *        past GZIP_RATIO_FREE: honest repetition stays far below, bombs reach a thousandfold.
 *
 * Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_GZIP_H
#define WEIR_CODEC_GZIP_H

#include "base/buf.h"

enum {
    GZIP_RATIO_MAX = 256,
    GZIP_RATIO_FREE = 1024 * 1024, /* decompressed bytes */
    GZIP_MEMBERS_MAX = 64,         /* of one text */
};

/* Appends the content of all of `in`, one gzip member or several, to `out`, whose maximum bounds it.
 * ERR_INVALID: not gzip, damaged, cut short, or followed by other bytes. ERR_LIMIT: over the maximum,
 * GZ2, too many members. ERR_NOMEM. On error `out` may hold a part. */
enum err gzip_unpack(struct str in, struct buf *out) WARN_UNUSED;

/* The same of one zlib stream. */
enum err zlib_unpack(struct str in, struct buf *out) WARN_UNUSED;

/* Appends `in` as one gzip member, fast rather than small; the same input gives the same bytes.
 * ERR_LIMIT (out's maximum), ERR_NOMEM. */
enum err gzip_pack(struct str in, struct buf *out) WARN_UNUSED;

#endif
