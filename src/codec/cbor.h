/* CBOR (RFC 8949): a reader of item heads, a parser to the tree that JSON has, and writers onto a
 * buf. No I/O.
 *
 * Invariants
 *   CB1  cbor_next accepts every well-formed item head of RFC 8949 section 3 and no other: reserved
 *        additional information, a simple value below 32 in two bytes, and a break outside of an
 *        indefinite item are ERR_INVALID.
 *   CB2  cbor_parse accepts one item and nothing behind it, nested at most JSON_DEPTH_MAX deep, whose
 *        texts are UTF-8 and whose map keys are texts; nothing is allocated for a length that the
 *        input does not hold.
 *   CB3  Writers make the preferred serialisation of section 4.1: the shortest head, the shortest
 *        float that keeps the value, definite lengths.
 *
 * The tree, where it says more than JSON can:
 *   byte string             JSON_BYTES
 *   NaN, infinities         JSON_NUMBER "NaN", "Infinity", "-Infinity" (no JSON number reads so)
 *   tag 1 (epoch time)      JSON_NUMBER with `b` set
 *   other tags              dropped, their content stays
 *   undefined               JSON_NULL; other simple values are ERR_UNSUPPORTED
 *   `raw`                   absent: there is no text
 *
 * Layer: codec. Lifetime: the tree lives in the arena and borrows from the input. Thread: pure. */
#ifndef WEIR_CODEC_CBOR_H
#define WEIR_CODEC_CBOR_H

#include "codec/json.h"

enum cbor_kind {
    CBOR_UINT,   /* v */
    CBOR_NINT,   /* -1 - v */
    CBOR_BYTES,  /* v bytes, or chunks up to a break */
    CBOR_TEXT,   /* the same */
    CBOR_ARRAY,  /* v items, or items up to a break */
    CBOR_MAP,    /* v pairs, or pairs up to a break */
    CBOR_TAG,    /* number v; its content follows */
    CBOR_SIMPLE, /* v: 20 false, 21 true, 22 null, 23 undefined */
    CBOR_FLOAT,  /* f */
    CBOR_BREAK,
};

enum { CBOR_TAG_EPOCH = 1 };

enum cbor_simple { CBOR_FALSE = 20, CBOR_TRUE = 21, CBOR_NULL = 22, CBOR_UNDEFINED = 23 };

struct cbor_head {
    enum cbor_kind kind;
    bool indefinite; /* strings and containers: ends at a break; v is 0 */
    uint64_t v;
    double f;
    struct str bytes; /* content of a definite string, borrowed */
};

/* Cuts the head of the next item (with the bytes of a definite string) off *in. ERR_INVALID: not
 * well-formed, or *in ends within it. */
enum err cbor_next(struct str *in, struct cbor_head *ret_head) WARN_UNUSED;

/* Parses the whole of `bytes` (borrowed by the tree). ERR_INVALID, ERR_LIMIT (depth),
 * ERR_UNSUPPORTED, ERR_NOMEM. */
enum err cbor_parse(struct arena *a, struct str bytes, struct json **ret_v) WARN_UNUSED;

/* --- writing: every function appends to `b` (sticky error there) ------------------------------ */

void cbor_put_u64(struct buf *b, uint64_t v);
void cbor_put_i64(struct buf *b, int64_t v);
void cbor_put_f64(struct buf *b, double v);
void cbor_put_bool(struct buf *b, bool v);
void cbor_put_null(struct buf *b);
/* Bytes that are not UTF-8 become U+FFFD, since no reader takes them in a text. */
void cbor_put_text(struct buf *b, struct str s);
void cbor_put_bytes(struct buf *b, struct str s);
/* Heads: the items (of a map: key and value in turn) follow. */
void cbor_put_array(struct buf *b, size_t n);
void cbor_put_map(struct buf *b, size_t pairs);
void cbor_put_tag(struct buf *b, uint64_t tag);
/* Tag 1: whole seconds as an integer, others as a float. */
void cbor_put_time(struct buf *b, int64_t ms);
/* A tree of json_parse or cbor_parse. Whole numbers of 64 bits become integers, others floats. */
void cbor_put_tree(struct buf *b, const struct json *v);

#endif
