/* Hexadecimal. Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_HEX_H
#define WEIR_CODEC_HEX_H

#include "base/buf.h"

/* Lower case, 2 * len characters; no NUL is added. `out` must hold them. */
void hex_to(char *out, const void *p, size_t len);
/* Appends lower case. */
void hex_put(struct buf *b, const void *p, size_t len);
/* Text in the arena; STR_NONE on exhaustion. */
struct str hex_encode(struct arena *a, const void *p, size_t len);

/* Either case, exactly 2 * len characters into `out`. ERR_INVALID. */
enum err hex_decode_to(struct str s, void *out, size_t len) WARN_UNUSED;
/* Value 0..15 of one digit, or -1. */
int hex_digit(char c);

#endif
