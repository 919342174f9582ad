/* The key layouts of DynamoDB's records; nobody else builds its keys (kv/key.h says the letters).
 *
 * Items and the records of indexes have keys that the table's own schema decides:
 *
 *   2 item     u32 table, u16 hash, hash key, range key                      -> item (ddb_item.h)
 *   3 index    u32 table, u16 index, u16 hash, hash keys, range keys, identity -> what it projects
 *
 * A global index has up to four attributes in each part of its key: they follow one another in schema order, so that
 * records sort by the first, then by the second, and so on. `hash` is a fixed hash of the hash keys' bytes: it spreads items over parallel scan segments, and
 * one hash key's items still lie together in range key order. Keys are encoded so that they sort as
 * DynamoDB sorts: S and B as text of kv/key.h, N by ddb_num_key. `identity` is the table's own key of
 * the item, length-prefixed, or its SHA-256 where the key would be longer than the store takes.
 * Table ids and, within a table, index ids are never used again.
 *
 * Layer: svc/dynamodb. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DYNAMODB_KEYS_H
#define WEIR_SVC_DYNAMODB_DYNAMODB_KEYS_H

#include "kv/key.h"
#include "svc/dynamodb/ddb_expr.h"
#include "svc/dynamodb/ddb_value.h"

enum { DDB_HASH_SPACE = 65536 /* values of `hash` */ };

enum {
    DDB_KEY_PART_MAX = 4, /* HASH or RANGE attributes of a global index; of others one */
    DDB_KEY_MORE_MAX = 2 * (DDB_KEY_PART_MAX - 1),
    DDB_KEY_MAX = 2 * DDB_KEY_PART_MAX,
};

struct ddb_key_part {
    struct str name;
    enum ddb_type type;
};

/* A table's or an index's key attributes. */
struct ddb_key_schema {
    struct str hash, range; /* the first of each part; range absent: none */
    enum ddb_type hash_type, range_type;
    struct ddb_key_part *more; /* further ones, in order: of the HASH part, of the RANGE part */
    size_t n_more;
    uint8_t more_hash; /* of those in `more`, the HASH ones */
};

/* Key of an item's record: values of the schema's attributes; `range` NULL without one. */
struct ddb_key {
    const struct ddb_av *hash, *range;
    const struct ddb_av *more[DDB_KEY_MORE_MAX]; /* as the schema's */
};

/* The attributes of a key in order, HASH ones first. */
static inline size_t ddb_schema_hashes(const struct ddb_key_schema *k)
{
    return 1 + (size_t)k->more_hash;
}
static inline size_t ddb_schema_parts(const struct ddb_key_schema *k)
{
    return 1 + (k->range.p != NULL) + k->n_more;
}
static inline struct ddb_key_part ddb_schema_part(const struct ddb_key_schema *k, size_t i)
{
    size_t hashes = ddb_schema_hashes(k);
    if (i == 0)
        return (struct ddb_key_part){k->hash, k->hash_type};
    if (i == hashes)
        return (struct ddb_key_part){k->range, k->range_type};
    return k->more[i < hashes ? i - 1 : i - 2];
}
/* Where the value of the i-th is. */
static inline const struct ddb_av **ddb_key_part(struct ddb_key *key,
                                                 const struct ddb_key_schema *k, size_t i)
{
    size_t hashes = ddb_schema_hashes(k);
    return i == 0 ? &key->hash : i == hashes ? &key->range : &key->more[i < hashes ? i - 1 : i - 2];
}

/* scope, name -> definition (ddb_table.c) */
static const struct key_layout ddb_k_table = {KEY_DYNAMODB, 1, "St"};
/* table -> uint generation of the definition (DT1) */
static const struct key_layout ddb_k_guard = {KEY_DYNAMODB, 4, "w"};
/* 0 -> uint last table id given out; 1 -> last stream id */
static const struct key_layout ddb_k_ids = {KEY_DYNAMODB, 5, "b"};
/* table, index (0: the table's items): names a job in the job engine, never a key of the store */
static const struct key_layout ddb_k_job = {KEY_DYNAMODB, 6, "wh"};
/* scope, token -> when it was used, digest of the request (op_transact.c) */
static const struct key_layout ddb_k_token = {KEY_DYNAMODB, 7, "St"};
/* when, scope, token -> empty: tokens in order of time */
static const struct key_layout ddb_k_expiry = {KEY_DYNAMODB, 8, "iSt"};

/* scope, table, label -> definition of a stream (ddb_stream.c) */
static const struct key_layout ddb_k_stream = {KEY_DYNAMODB, 9, "Stt"};
/* stream, shard, commit, which of it -> a change; commit and which are the stamp (kv.h K7) */
static const struct key_layout ddb_k_change = {KEY_DYNAMODB, 10, "whuh"};
enum { DDB_CHANGE_STAMP_AT = KEY_HEAD + 4 + 2 };
/* stream, shard -> place of the newest record that was trimmed */
static const struct key_layout ddb_k_horizon = {KEY_DYNAMODB, 11, "wh"};
/* stream: names its trimming in the job engine, never a key of the store */
static const struct key_layout ddb_k_trim = {KEY_DYNAMODB, 12, "w"};
/* table, when it expires (s, rounded up), item's key -> empty (ddb_ttl.c) */
static const struct key_layout ddb_k_ttl = {KEY_DYNAMODB, 13, "wur"};
/* table, the same moment: names what is due then in the due engine, never a key of the store */
static const struct key_layout ddb_k_ttl_due = {KEY_DYNAMODB, 14, "wu"};
/* table, commit, which of it -> what a write undid; the last two are the stamp (ddb_undo.c) */
static const struct key_layout ddb_k_undo = {KEY_DYNAMODB, 15, "wuh"};
enum { DDB_UNDO_STAMP_AT = KEY_HEAD + 4 };
/* table -> copies that are being made of its items (ddb_undo.c) */
static const struct key_layout ddb_k_hold = {KEY_DYNAMODB, 16, "w"};
/* scope, table, id -> a backup (ddb_backup.c) */
static const struct key_layout ddb_k_backup = {KEY_DYNAMODB, 17, "Stt"};

/* scope, kind (0, 1), id -> an export, an import (ddb_transfer.c) */
static const struct key_layout ddb_k_transfer = {KEY_DYNAMODB, 18, "Sbt"};
/* id of an export's copy, number -> line of its manifest about a file that is in the bucket (ddb_export.c) */
static const struct key_layout ddb_k_transfer_file = {KEY_DYNAMODB, 19, "ww"};
/* the same id, what of it (enum ddb_window_part), item's key behind its table's id -> a change (ddb_window.c) */
static const struct key_layout ddb_k_window = {KEY_DYNAMODB, 20, "wbr"};

/* The fixed hash of a table's partition key. */
uint16_t ddb_key_spread(struct ddb_key key);

/* STR_NONE on exhaustion. */
struct str ddb_item_key(struct arena *a, uint32_t table, struct ddb_key key);
/* `index` key of an item with the index's own key values and the table's; of the index, its schema. */
struct str ddb_index_key(struct arena *a, uint32_t table, uint16_t index,
                         const struct ddb_key_schema *schema, struct ddb_key key,
                         struct ddb_key identity);

/* The index that a record of ddb_index_key is of; 0 of an item's key. */
uint16_t ddb_record_index(struct str key);
/* What the keys of the condition's partition begin with. */
struct str ddb_partition_prefix(struct arena *a, uint32_t table, uint16_t index,
                                const struct ddb_key_condition *cond);

/* All records of a table's items (index 0) or of one index, or the part of them whose hash lies in
 * segment `segment` of `segments`. */
struct key_range ddb_scan_range(struct arena *a, uint32_t table, uint16_t index, uint32_t segment,
                                uint32_t segments);
/* Records of every index of a table. */
struct key_range ddb_all_indexes_range(struct arena *a, uint32_t table);
/* Records that a key condition selects. */
struct key_range ddb_query_range(struct arena *a, uint32_t table, uint16_t index,
                                 const struct ddb_key_condition *cond);
/* Narrows `range` to what follows `key` in reading direction. */
enum err ddb_range_after(struct arena *a, struct key_range *range, struct str key,
                         bool reverse) WARN_UNUSED;

#endif
