/* Compact binary records for the store: varints and length-prefixed bytes, in a fixed order that
 * the writer and the reader of one record share. Start every record with pack_u8(version).
 *
 * Writing goes into a buf (sticky error there). Reading has a sticky error of its own: after a
 * truncated or malformed field every further read gives zero, and unpack_end says ERR_CORRUPT. */
#ifndef WEIR_BASE_PACK_H
#define WEIR_BASE_PACK_H

#include "base/buf.h"

void pack_u8(struct buf *b, uint8_t v);
/* LEB128. */
void pack_uint(struct buf *b, uint64_t v);
/* Zigzag LEB128. */
void pack_int(struct buf *b, int64_t v);
/* Absent and empty are kept apart. */
void pack_str(struct buf *b, struct str s);

struct unpack {
    struct str rest;
    bool bad;
};

void unpack_init(struct unpack *u, struct str record);
uint8_t unpack_u8(struct unpack *u);
uint64_t unpack_uint(struct unpack *u);
int64_t unpack_int(struct unpack *u);
/* Borrowed from the record. */
struct str unpack_str(struct unpack *u);
/* ERR_CORRUPT when a field was bad. Trailing bytes are allowed: later versions append fields. */
enum err unpack_end(const struct unpack *u) WARN_UNUSED;
/* True while there are bytes left (for optional trailing fields). */
bool unpack_more(const struct unpack *u);

#endif
