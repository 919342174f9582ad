/* Compressed streams (gzip, zstd) unpacked piece by piece: objects that are larger than what may be in memory. Texts that
 * are there whole: gzip.h. No I/O.
 *
 * Invariants
 *   UZ1  A call appends at most `room` bytes, however much its input promises; so a stream that grows a thousandfold
 *        costs its reader time in steps that he can count, and never memory.
 *   UZ2  The state takes the format's window and no more: 32 KiB of gzip, UNZIP_WINDOW_LOG_MAX of zstd.
 *
 * Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_UNZIP_H
#define WEIR_CODEC_UNZIP_H

#include "base/buf.h"

enum { UNZIP_WINDOW_LOG_MAX = 27 /* what zstd writes without being told to use more */ };

/* Stored by users: never renumber. */
enum unzip_kind { UNZIP_NONE, UNZIP_GZIP, UNZIP_ZSTD, UNZIP_KINDS };

struct unzip;

/* NULL on exhaustion. UNZIP_NONE copies. */
struct unzip *unzip_new(enum unzip_kind kind);
/* NULL is allowed. */
void unzip_free(struct unzip *z);
/* Takes from the front of *in, and appends at most `room` bytes to `out`, whose maximum is not reached before. Ends when
 * `in` is empty and all that it gave is out, or the room is used. Members and frames may follow one another. ERR_INVALID:
 * damaged, or another format; ERR_NOMEM. */
enum err unzip_step(struct unzip *z, struct str *in, struct buf *out, size_t room) WARN_UNUSED;
/* Whether the stream may end here: between members. */
bool unzip_may_end(const struct unzip *z);

#endif
