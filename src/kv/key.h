/* Order-preserving key encoding. A key is a service's space byte, a table byte, then fields; tuples
 * compare as their fields do.
 *
 *   text   bytes with 00 escaped as 00 FF, ended by 00 01: "a" < "a\0" < "aa", and a prefix scan
 *          over the first fields is exact
 *   u64    8 bytes big-endian; u32, u16, u8 likewise
 *   i64    8 bytes big-endian with the sign bit flipped
 *   scope  text account, text region
 *
 * A layout names a table's fields once; building and reading go by it:
 *
 *   static const struct key_layout K_GROUP = {KEY_LOGS, 1, "St"};    scope, name
 *   static const struct key_layout K_EVENT = {KEY_LOGS, 3, "uiu"};   stream id, time, seq
 *
 *   struct str key = key_make(a, &K_GROUP, scope, name);
 *   struct key_range all = key_range(a, &K_EVENT, stream_id);
 *   TRY(key_read(&K_EVENT, key, a, KEY_SKIP, &at, &seq));
 *
 * Each service's x_keys.h (or .c) holds its layouts, and nobody else builds its keys.
 *
 * Invariants
 *   KL1  What belongs to an account and region has the scope as its first field ('S'), what belongs
 *        to an account alone the account ('A'); what hangs on something by a number drawn at random
 *        (messages, events, items) has the number instead.
 *   KL2  A value whose C type is not the field's stops the program at the first key built: types
 *        are tagged by the compiler (_Generic) and compared with the layout.
 *
 * Layer: kv. Thread: pure. */
#ifndef WEIR_KV_KEY_H
#define WEIR_KV_KEY_H

#include "base/buf.h"
#include "kv/kv.h"

/* First byte of every key: who owns it. Never renumber; a number is part of the disk format. */
enum key_space {
    KEY_META = 1, /* format version, account, counters of core */
    KEY_IAM = 2,
    KEY_S3 = 3,
    KEY_DYNAMODB = 4,
    KEY_SQS = 5,
    KEY_LAMBDA = 6,
    KEY_LOGS = 7,
    KEY_DELIVER = 8,
    KEY_TAGS = 9,
    KEY_EVENTS = 10,
    KEY_SCHEDULER = 11,
    KEY_SNS = 13,
    KEY_KMS = 14,
    KEY_APIGATEWAY = 15,
    KEY_COGNITO = 16,
    KEY_CLOUDWATCH = 17,
    KEY_CLOUDFORMATION = 18,
    KEY_SSM = 19,
    KEY_ECR = 20,
    KEY_TEST = 0x7f,
};

/* Tables of KEY_META, which several parts of the program share. */
enum key_meta {
    KEY_META_FORMAT = 1,   /* -> varint version of the disk format (main/format.c) */
    KEY_META_TOKENS = 2,   /* -> key of the tokens of pages (core/page.c) */
    KEY_META_ACCOUNTS = 3, /* of core/account.c */
    KEY_META_BORN = 4,     /* -> when the store was first started (core/account.c) */
};

/* --- layouts ------------------------------------------------------------------------------------ */

enum { KEY_FIELDS_MAX = 7, KEY_HEAD = 2 /* space and table byte */ };

/* Fields, by letter, and the C type of their values:
 *   S  scope             struct key_scope
 *   A  its account only  struct key_scope
 *   t  text              struct str
 *   u  u64               uint64_t
 *   i  i64               int64_t
 *   w  u32               uint32_t
 *   h  u16               uint16_t
 *   b  u8                uint8_t
 *   r  raw bytes up to the end, as the last field only   struct str */
struct key_layout {
    uint8_t space; /* enum key_space */
    uint8_t table; /* never renumber */
    char fields[KEY_FIELDS_MAX + 1];
};

/* Whose a record is. Account and region travel together, so that they cannot be swapped. */
struct key_scope {
    struct str account, region;
};

/* from <= key < to. */
struct key_range {
    struct str from, to;
};

/* A value with the tag of its C type; made by the macros below. */
struct key_val {
    char tag;
    union {
        struct str s;
        struct key_scope scope;
        uint64_t u;
    };
};
struct key_ref {
    char tag;
    void *to;
};

/* The key of all fields, in the arena. STR_NONE on exhaustion, which txn_get and its kin answer
 * with ERR_NOMEM: a key goes into them unchecked. */
#define key_make(a, layout, ...) key_make_vals((a), (layout), KEY_VALS(__VA_ARGS__))
/* What all keys begin with whose first fields are these; the last may be KEY_STARTS(text). */
#define key_prefix(a, layout, ...) key_prefix_vals((a), (layout), KEY_VALS(__VA_ARGS__))
/* Exactly those keys. Both ends are absent on exhaustion. */
#define key_range(a, layout, ...) key_range_of(a, key_prefix(a, layout, __VA_ARGS__))
/* Every key of the table. */
struct key_range key_range_table(struct arena *a, const struct key_layout *layout);
struct key_range key_range_of(struct arena *a, struct str prefix);
/* In place of a text: every text that begins so. */
#define KEY_STARTS(text) ((struct key_starts){text})
/* Appends head and first fields to a buffer, for keys that go on by hand (key_text, key_raw). */
#define key_put(b, layout, ...) key_put_vals((b), (layout), KEY_VALS(__VA_ARGS__))

/* Reads the fields of a key, all of them: pointers of the values' types, KEY_SKIP for those that do
 * not matter. Text is copied into the arena, since keys mostly come from iterators. ERR_CORRUPT when
 * the key is not of this layout, ERR_NOMEM; then what is pointed to may be written in part. */
#define key_read(layout, key, a, ...) key_read_refs((layout), (key), (a), KEY_REFS(__VA_ARGS__))
#define KEY_SKIP ((void *)0)

/* The first key after `key`: one byte longer. */
struct str key_successor(struct arena *a, struct str key);

struct str key_make_vals(struct arena *a, const struct key_layout *layout,
                         const struct key_val *vals, size_t n);
struct str key_prefix_vals(struct arena *a, const struct key_layout *layout,
                           const struct key_val *vals, size_t n);
void key_put_vals(struct buf *b, const struct key_layout *layout, const struct key_val *vals,
                  size_t n);
enum err key_read_refs(const struct key_layout *layout, struct str key, struct arena *a,
                       const struct key_ref *refs, size_t n) WARN_UNUSED;

/* --- how values get their tags ------------------------------------------------------------------ */

struct key_starts {
    struct str text;
};
enum { KEY_TAG_STARTS = 'p', KEY_TAG_SKIP = '-' };

#define KEY_TAG_FN(name, T, letter, member, value)                                                 \
    static inline struct key_val key_val_##name(T v)                                               \
    {                                                                                              \
        return (struct key_val){.tag = (letter), .member = (value)};                               \
    }
KEY_TAG_FN(scope, struct key_scope, 'S', scope, v)
KEY_TAG_FN(text, struct str, 't', s, v)
KEY_TAG_FN(starts, struct key_starts, KEY_TAG_STARTS, s, v.text)
KEY_TAG_FN(u64, uint64_t, 'u', u, v)
KEY_TAG_FN(i64, int64_t, 'i', u, (uint64_t)v)
KEY_TAG_FN(u32, uint32_t, 'w', u, v)
KEY_TAG_FN(u16, uint16_t, 'h', u, v)
KEY_TAG_FN(u8, uint8_t, 'b', u, v)

/* A type that is not here is refused by the compiler; an enum is cast to what the layout says. */
#define KEY_VAL(v)                                                                                 \
    _Generic((v), struct key_scope                                                                 \
             : key_val_scope, struct str                                                           \
             : key_val_text, struct key_starts                                                     \
             : key_val_starts, uint64_t                                                            \
             : key_val_u64, unsigned long long                                                     \
             : key_val_u64, int64_t                                                                \
             : key_val_i64, long long                                                              \
             : key_val_i64, uint32_t                                                               \
             : key_val_u32, uint16_t                                                               \
             : key_val_u16, uint8_t                                                                \
             : key_val_u8)(v)
#define KEY_REF(p)                                                                                   \
    {                                                                                                \
        .tag = _Generic((p), struct key_scope *                                                    \
                        : 'S', struct str *                                                        \
                        : 't', uint64_t *                                                          \
                        : 'u', int64_t *                                                           \
                        : 'i', uint32_t *                                                          \
                        : 'w', uint16_t *                                                          \
                        : 'h', uint8_t *                                                           \
                        : 'b', void *                                                              \
                        : KEY_TAG_SKIP),                                                           \
        .to = (p) \
    }
#define KEY_NTH(_1, _2, _3, _4, _5, _6, _7, n, ...) n
#define KEY_COUNT(...) KEY_NTH(__VA_ARGS__, 7, 6, 5, 4, 3, 2, 1, 0)
#define KEY_MAP_1(m, a) m(a)
#define KEY_MAP_2(m, a, ...) m(a), KEY_MAP_1(m, __VA_ARGS__)
#define KEY_MAP_3(m, a, ...) m(a), KEY_MAP_2(m, __VA_ARGS__)
#define KEY_MAP_4(m, a, ...) m(a), KEY_MAP_3(m, __VA_ARGS__)
#define KEY_MAP_5(m, a, ...) m(a), KEY_MAP_4(m, __VA_ARGS__)
#define KEY_MAP_6(m, a, ...) m(a), KEY_MAP_5(m, __VA_ARGS__)
#define KEY_MAP_7(m, a, ...) m(a), KEY_MAP_6(m, __VA_ARGS__)
#define KEY_MAP(m, ...)                                                                            \
    KEY_NTH(__VA_ARGS__, KEY_MAP_7, KEY_MAP_6, KEY_MAP_5, KEY_MAP_4, KEY_MAP_3, KEY_MAP_2,         \
            KEY_MAP_1, 0)                                                                          \
    (m, __VA_ARGS__)
#define KEY_VALS(...)                                                                              \
    (const struct key_val[]){KEY_MAP(KEY_VAL, __VA_ARGS__)}, KEY_COUNT(__VA_ARGS__)
#define KEY_REFS(...)                                                                              \
    (const struct key_ref[]){KEY_MAP(KEY_REF, __VA_ARGS__)}, KEY_COUNT(__VA_ARGS__)

/* --- by hand: what layouts stand on, and for keys that no layout says (an item's own keys) ------- */

/* Starts a key in `b` (cleared): space and table byte. */
void key_start(struct buf *b, enum key_space space, uint8_t table);
void key_text(struct buf *b, struct str s);
void key_u8(struct buf *b, uint8_t v);
void key_u64(struct buf *b, uint64_t v);
void key_i64(struct buf *b, int64_t v);
/* Raw bytes as the last field, not escaped. */
void key_raw(struct buf *b, struct str s);

/* Smallest key greater than every key that starts with `prefix`, in `arena`; STR_NONE when there
 * is none (all FF) or on exhaustion. */
struct str key_after_prefix(struct arena *arena, struct str prefix);

/* Readers of the same fields; they cut what they read off *rest. Text is copied into the arena,
 * since keys mostly come from iterators. ERR_CORRUPT, ERR_NOMEM. */
enum err key_read_text(struct str *rest, struct arena *arena, struct str *ret_s) WARN_UNUSED;
enum err key_read_u8(struct str *rest, uint8_t *ret_v) WARN_UNUSED;
enum err key_read_u64(struct str *rest, uint64_t *ret_v) WARN_UNUSED;
enum err key_read_i64(struct str *rest, int64_t *ret_v) WARN_UNUSED;

#endif
