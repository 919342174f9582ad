/* Base64 (RFC 4648 section 4, and section 5 for the URL alphabet).
 *
 * Decoding is strict: no white space, padding exactly where the alphabet wants it, and no bits left
 * over in the last character, so that a value has one spelling. Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_BASE64_H
#define WEIR_CODEC_BASE64_H

#include "base/buf.h"

/* Characters that encode `len` bytes, padding included. */
static inline size_t base64_encoded_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Appends with padding. */
void base64_put(struct buf *b, const void *p, size_t len);
/* The same as text in the arena; STR_NONE on exhaustion. */
struct str base64_encode(struct arena *a, const void *p, size_t len);
/* URL alphabet without padding. */
struct str base64url_encode(struct arena *a, const void *p, size_t len);

/* ERR_INVALID, ERR_NOMEM. */
enum err base64_decode(struct arena *a, struct str s, struct str *ret_bytes) WARN_UNUSED;
/* Into `out` of `cap` bytes: for digests of known size. ERR_LIMIT when it does not fit. */
enum err base64_decode_to(struct str s, void *out, size_t cap, size_t *ret_len) WARN_UNUSED;
/* URL alphabet; padding may be there or not. */
enum err base64url_decode(struct arena *a, struct str s, struct str *ret_bytes) WARN_UNUSED;

#endif
