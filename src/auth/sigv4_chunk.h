/* Incremental decoder of aws-chunked bodies: takes the body's bytes in any pieces, checks each
 * chunk's signature against the chain that the request's signature seeds, gives the decoded bytes.
 *
 *   chunk    = hex-size [";chunk-signature=" 64hex] CRLF data CRLF
 *   body     = *chunk last-chunk(size 0) *( trailer CRLF ) [ "x-amz-trailer-signature:" hex CRLF ]
 * CRLF
 *
 * States: size -> data -> its CRLF -> size ... -> (size 0) -> trailer -> done; any fault ->
 * failed.
 *
 * Invariants
 *   C1  Decoded bytes are handed out as they come; a chunk whose signature turns out wrong fails
 *       the body, so the receiver must not act before sigv4_chunk_finish said ERR_OK.
 *   C2  Constant memory: header lines and trailers have limits, data is never held.
 *   C3  The decoded length equals x-amz-decoded-content-length, else the body fails.
 *
 * Source: S3 API Reference, "Signature Calculations: Transferring Payload in Multiple Chunks" and
 * its page on trailing headers.
 * Layer: auth. Thread: one at a time. */
#ifndef WEIR_AUTH_SIGV4_CHUNK_H
#define WEIR_AUTH_SIGV4_CHUNK_H

#include "auth/sigv4.h"

enum {
    SIGV4_CHUNK_LINE_MAX = 256,
    SIGV4_CHUNK_BYTES_MIN = 8 * 1024, /* of all but the last */
    SIGV4_CHUNK_TRAILERS_MAX = 16,
    SIGV4_CHUNK_TRAILER_BYTES_MAX = 8 * 1024,
};

struct sigv4_chunk;

/* Makes a decoder in `arena` (freed with it; holds a hash context released by the arena) for a
 * verified request whose payload is one of the three streaming forms. The unsigned form needs no
 * secret. ERR_NOMEM; ERR_INVALID when the request is not streaming. */
enum err sigv4_chunk_new(struct arena *a, const struct sigv4_request *req, struct str secret,
                         struct sigv4_chunk **ret_c) WARN_UNUSED;

/* Feeds raw body bytes; out(arg, ...) receives decoded bytes, borrowed from `p`, maybe several
 * times. Errors are sticky: ERR_INVALID malformed (S3: IncompleteBody / InvalidRequest), ERR_LIMIT
 * a line or the trailers too long or more bytes than promised, ERR_DENIED a signature is wrong
 * (SignatureDoesNotMatch), ERR_NOMEM, or what out returned. */
enum err sigv4_chunk_feed(struct sigv4_chunk *c, const void *p, size_t len,
                          enum err (*out)(void *arg, const void *p, size_t len),
                          void *arg) WARN_UNUSED;

/* The body's bytes are over. ERR_INVALID: it was cut short, or its length is not what
 * x-amz-decoded-content-length said. */
enum err sigv4_chunk_finish(struct sigv4_chunk *c) WARN_UNUSED;

/* Whether a chunk that others follow is smaller than SIGV4_CHUNK_BYTES_MIN, which S3 refuses; the first
 * such: its place from 1, its bytes. Decoding goes on all the same. */
bool sigv4_chunk_small(const struct sigv4_chunk *c, uint64_t *ret_number, uint64_t *ret_bytes);

/* Trailer fields (names lower-cased), after finish; without x-amz-trailer-signature. */
const struct sigv4_header *sigv4_chunk_trailers(const struct sigv4_chunk *c, size_t *ret_n);

/* Bytes decoded so far. */
uint64_t sigv4_chunk_decoded(const struct sigv4_chunk *c);

#endif
