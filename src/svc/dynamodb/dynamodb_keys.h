/* The key layouts of DynamoDB's records; nobody else builds them. All start with the space byte
 * KEY_DYNAMODB and a table byte.
 *
 *   1 table    text account, text region, text name          -> definition (ddb_table.c)
 *   2 item     u32 table, u16 hash, hash key, range key      -> item (ddb_item.h)
 *   3 index    u32 table, u16 index, u16 hash, hash key, range key, identity -> item's projection
 *   4 guard    u32 table                                     -> uint generation of the definition
 *   5 ids      (nothing)                                     -> uint last table id given out
 *   6 job      u32 table, u16 index (0: the table's items)   -> background job (ddb_jobs.c)
 *   7 token    text account, text region, text token         -> i64 when, SHA-256 of the request
 *   8 expiry   i64 when, text account, text region, text token -> empty: tokens in order of time
 *
 * u32 and u16 are big-endian. `hash` is a fixed hash of the hash key's bytes: it spreads items over
 * parallel scan segments, and one hash key's items still lie together in range key order. Keys are
 * encoded so that they sort as DynamoDB sorts: S and B as escaped text (kv/key.h), N by
 * ddb_num_key. `identity` is the table's own key of the item, length-prefixed, or its SHA-256 where
 * the key would be longer than the store takes. Table ids and, within a table, index ids are never
 * used again.
 *
 * Layer: svc/dynamodb. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DYNAMODB_KEYS_H
#define WEIR_SVC_DYNAMODB_DYNAMODB_KEYS_H

#include "kv/key.h"
#include "svc/dynamodb/ddb_expr.h"
#include "svc/dynamodb/ddb_value.h"

enum { DDB_HASH_SPACE = 65536 /* values of `hash` */ };

/* A table's or an index's key attributes. */
struct ddb_key_schema {
    struct str hash, range; /* range absent: none */
    enum ddb_type hash_type, range_type;
};

/* Key of an item's record: values of the schema's attributes; `range` NULL without one. */
struct ddb_key {
    const struct ddb_av *hash, *range;
};

struct ddb_range {
    struct str from, to; /* from <= key < to */
};

struct str ddb_table_record_key(struct arena *a, struct str account, struct str region,
                                struct str name);
/* All tables of an account and region whose names come after `after` (absent: all). */
struct ddb_range ddb_table_record_range(struct arena *a, struct str account, struct str region,
                                        struct str after);
/* Every table record there is. */
struct ddb_range ddb_all_tables_range(struct arena *a);
struct str ddb_guard_key(struct arena *a, uint32_t table);
struct str ddb_ids_key(struct arena *a);
struct str ddb_job_key(struct arena *a, uint32_t table, uint16_t index);
struct ddb_range ddb_all_jobs_range(struct arena *a);
/* ERR_CORRUPT. */
enum err ddb_job_key_read(struct str key, uint32_t *ret_table, uint16_t *ret_index) WARN_UNUSED;

struct str ddb_token_key(struct arena *a, struct str account, struct str region, struct str token);
struct str ddb_expiry_key(struct arena *a, int64_t when_ms, struct str account, struct str region,
                          struct str token);
/* Tokens used before `when_ms`. */
struct ddb_range ddb_expiry_range(struct arena *a, int64_t when_ms);
/* The token record that an expiry record is about. ERR_CORRUPT, ERR_NOMEM. */
enum err ddb_expiry_key_read(struct arena *a, struct str key,
                             struct str *ret_token_key) WARN_UNUSED;

/* STR_NONE on exhaustion. */
struct str ddb_item_key(struct arena *a, uint32_t table, struct ddb_key key);
/* `index` key of an item with the index's own key values and the table's. */
struct str ddb_index_key(struct arena *a, uint32_t table, uint16_t index, struct ddb_key key,
                         struct ddb_key identity);

/* All records of a table's items (index 0) or of one index, or the part of them whose hash lies in
 * segment `segment` of `segments`. */
struct ddb_range ddb_scan_range(struct arena *a, uint32_t table, uint16_t index, uint32_t segment,
                                uint32_t segments);
/* Records of every index of a table. */
struct ddb_range ddb_all_indexes_range(struct arena *a, uint32_t table);
/* Records that a key condition selects. */
struct ddb_range ddb_query_range(struct arena *a, uint32_t table, uint16_t index,
                                 const struct ddb_key_condition *cond);
/* Narrows `range` to what follows `key` in reading direction. */
enum err ddb_range_after(struct arena *a, struct ddb_range *range, struct str key,
                         bool reverse) WARN_UNUSED;

#endif
