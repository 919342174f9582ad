/* JSON (RFC 8259): an arena parser to a tree, and a writer onto a buf. No I/O.
 *
 * Invariants
 *   J1  Accepts exactly RFC 8259 texts in UTF-8 without BOM, nested at most JSON_DEPTH_MAX deep;
 *       duplicate members are kept in order (json_get finds the last).
 *   J2  Strings are decoded (escapes resolved, valid UTF-8; a lone surrogate is ERR_INVALID);
 *       numbers stay text, so no precision is lost.
 *
 * Layer: codec. Lifetime: the tree lives in the arena and may borrow from the input text.
 * Thread: pure. */
#ifndef WEIR_CODEC_JSON_H
#define WEIR_CODEC_JSON_H

#include "base/buf.h"

enum { JSON_DEPTH_MAX = 200 };

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
    JSON_BYTES, /* text holds raw bytes: of a CBOR tree only; written as base64 */
};

struct json {
    enum json_kind kind;
    bool b;             /* JSON_BOOL; JSON_NUMBER of a CBOR tree: a time */
    uint32_t n;         /* children of JSON_ARRAY, JSON_OBJECT */
    struct str text;    /* JSON_STRING: decoded; JSON_NUMBER: as written */
    struct str key;     /* of a member of an object: decoded */
    struct json *child; /* first child */
    struct json *next;  /* next sibling */
    struct str raw;     /* JSON_ARRAY, JSON_OBJECT at any level: the text it was parsed from */
};

/* Parses the whole of `text` (borrowed by the tree). On ERR_INVALID/ERR_LIMIT *ret_at, when given,
 * is the byte offset of the fault. ERR_NOMEM. */
enum err json_parse(struct arena *a, struct str text, struct json **ret_v,
                    size_t *ret_at) WARN_UNUSED;

/* Last member named `key`, or NULL; NULL also when `obj` is NULL or not an object. O(members). */
const struct json *json_get(const struct json *obj, struct str key);
/* Shorthands: text of a string member, STR_NONE when absent or not a string. */
struct str json_get_str(const struct json *obj, struct str key);
/* Whole numbers without loss ("1", "-5", "1e3", "1.0" count; "1.5" is ERR_INVALID). */
enum err json_to_i64(const struct json *v, int64_t *ret_v) WARN_UNUSED;
enum err json_to_f64(const struct json *v, double *ret_v) WARN_UNUSED;

#define JSON_EACH(v, it) for (const struct json *it = (v) ? (v)->child : NULL; it; it = it->next)

/* --- writing: every function appends to `b` (sticky error there) ------------------------------ */

/* "quoted and escaped". Bytes that are not UTF-8 become U+FFFD. */
void json_put_str(struct buf *b, struct str s);
void json_put_i64(struct buf *b, int64_t v);
/* Shortest text that reads back as the same double; no NaN or infinity (written as null). */
void json_put_f64(struct buf *b, double v);
void json_put_bool(struct buf *b, bool v);
/* The tree as compact text. */
void json_put(struct buf *b, const struct json *v);

/* Commas for free: struct json_out o; json_out_init(&o, b); json_open(&o, '{'); json_key(&o, k);
 * json_str(&o, s); json_close(&o, '}'). Depth at most JSON_DEPTH_MAX. */
struct json_out {
    struct buf *b;
    bool comma;
};
void json_out_init(struct json_out *o, struct buf *b);
void json_open(struct json_out *o, char bracket);
void json_close(struct json_out *o, char bracket);
void json_key(struct json_out *o, struct str key);
void json_str(struct json_out *o, struct str s);
void json_i64(struct json_out *o, int64_t v);
void json_f64(struct json_out *o, double v);
void json_bool(struct json_out *o, bool v);
void json_null(struct json_out *o);
/* Text that is JSON already. */
void json_raw(struct json_out *o, struct str text);
void json_tree(struct json_out *o, const struct json *v);
/* key and value of the commonest kinds; an absent string writes nothing. */
void json_kv_str(struct json_out *o, struct str key, struct str s);
void json_kv_i64(struct json_out *o, struct str key, int64_t v);
void json_kv_bool(struct json_out *o, struct str key, bool v);

#endif
