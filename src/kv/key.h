/* Order-preserving key encoding. A key is a service's space byte, a table byte, then fields; tuples
 * compare as their fields do. Each service's x_keys.c is the only builder of its keys.
 *
 *   text   bytes with 00 escaped as 00 FF, ended by 00 01: "a" < "a\0" < "aa", and a prefix scan
 *          over the first fields is exact
 *   u64    8 bytes big-endian
 *   i64    8 bytes big-endian with the sign bit flipped
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
    KEY_TEST = 0x7f,
};

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
