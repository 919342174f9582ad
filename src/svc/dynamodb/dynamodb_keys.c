#include "svc/dynamodb/dynamodb_keys.h"

#include <assert.h>

#include "codec/hash.h"
#include "svc/dynamodb/ddb_num.h"

enum {
    ITEM = 2,
    INDEX = 3,
    KEY_BUF_MAX = 32 * 1024, /* while building; checked against KV_KEY_MAX at the end */
};

static struct str finish(const struct buf *b)
{
    return buf_err(b) ? STR_NONE : buf_str(b);
}

static void put_u16(struct buf *b, uint16_t v)
{
    key_u8(b, (uint8_t)(v >> 8));
    key_u8(b, (uint8_t)v);
}

static void start(struct buf *b, struct arena *a, uint8_t kind, uint32_t table)
{
    assert(table > 0);
    buf_init_arena(b, a, KEY_BUF_MAX);
    key_start(b, KEY_DYNAMODB, kind);
    put_u16(b, (uint16_t)(table >> 16));
    put_u16(b, (uint16_t)table);
}

static void put_key_value(struct buf *b, const struct ddb_av *v)
{
    if (v->type != DDB_N) {
        key_text(b, v->s);
        return;
    }
    struct ddb_num num;
    uint8_t bytes[DDB_NUM_KEY_MAX];
    if (ddb_num_parse(v->s, &num) == DDB_NUM_OK)
        key_raw(b, str_n((const char *)bytes, ddb_num_key(&num, bytes)));
}

/* FNV-1a folded to 16 bits: fixed for ever, since it is part of the disk format. */
enum { SPREAD_START = 2166136261u };

static uint32_t spread_add(uint32_t h, const struct ddb_av *v)
{
    for (size_t i = 0; i < v->s.len; i++)
        h = (h ^ (uint8_t)v->s.p[i]) * 16777619u;
    return h;
}

static uint16_t spread_end(uint32_t h)
{
    h ^= h >> 15; /* FNV's high bits move little for short keys */
    h *= 2246822519u;
    return (uint16_t)(h >> 16);
}

static uint16_t spread(const struct ddb_av *hash)
{
    return spread_end(spread_add(SPREAD_START, hash));
}

uint16_t ddb_key_spread(struct ddb_key key)
{
    return spread(key.hash);
}

static void start_items(struct buf *b, struct arena *a, uint32_t table, uint16_t index)
{
    start(b, a, index ? INDEX : ITEM, table);
    if (index)
        put_u16(b, index);
}

struct str ddb_item_key(struct arena *a, uint32_t table, struct ddb_key key)
{
    struct buf b;
    start_items(&b, a, table, 0);
    put_u16(&b, spread(key.hash));
    put_key_value(&b, key.hash);
    if (key.range)
        put_key_value(&b, key.range);
    return finish(&b);
}

static void put_identity(struct buf *b, struct ddb_key key)
{
    put_u16(b, (uint16_t)key.hash->s.len);
    key_raw(b, key.hash->s);
    if (key.range)
        key_raw(b, key.range->s);
}

struct str ddb_index_key(struct arena *a, uint32_t table, uint16_t index,
                         const struct ddb_key_schema *schema, struct ddb_key key,
                         struct ddb_key identity)
{
    struct buf b;
    uint32_t h = SPREAD_START;
    start_items(&b, a, table, index);
    for (size_t i = 0; i < ddb_schema_hashes(schema); i++)
        h = spread_add(h, *ddb_key_part(&key, schema, i));
    put_u16(&b, spread_end(h));
    for (size_t i = 0; i < ddb_schema_parts(schema); i++)
        put_key_value(&b, *ddb_key_part(&key, schema, i));
    size_t own = b.len;
    put_identity(&b, identity);
    if (b.len > KV_KEY_MAX && !buf_err(&b)) {
        char hex[2 * 32];
        hash_sha256_hex(b.p + own, b.len - own, hex);
        b.len = own;
        key_raw(&b, str_n(hex, sizeof(hex)));
    }
    return finish(&b);
}

uint16_t ddb_record_index(struct str key)
{
    const uint8_t *at = (const uint8_t *)key.p + KEY_HEAD + 4;
    assert(key.len >= KEY_HEAD + 4 + 2);
    return (uint8_t)key.p[KEY_HEAD - 1] == INDEX ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}

struct key_range ddb_scan_range(struct arena *a, uint32_t table, uint16_t index, uint32_t segment,
                                uint32_t segments)
{
    struct buf b, end;
    assert(segments <= 1 || segment < segments);
    start_items(&b, a, table, index);
    struct key_range range = key_range_of(a, finish(&b));
    if (segments <= 1)
        return range;
    uint64_t lo = (uint64_t)segment * DDB_HASH_SPACE / segments;
    uint64_t hi = ((uint64_t)segment + 1) * DDB_HASH_SPACE / segments;
    assert(lo <= hi && hi <= DDB_HASH_SPACE);
    if (hi < DDB_HASH_SPACE) {
        start_items(&end, a, table, index);
        put_u16(&end, (uint16_t)hi);
        range.to = finish(&end);
    }
    put_u16(&b, (uint16_t)lo);
    range.from = finish(&b);
    return range;
}

struct key_range ddb_all_indexes_range(struct arena *a, uint32_t table)
{
    struct buf b;
    start(&b, a, INDEX, table);
    return key_range_of(a, finish(&b));
}

/* Escaped text without its end: a prefix of every text that begins so. */
static void put_text_prefix(struct buf *b, struct str s)
{
    key_text(b, s);
    if (b->len >= 2)
        b->len -= 2; /* 00 01 */
}

static void start_partition(struct buf *b, struct arena *a, uint32_t table, uint16_t index,
                            const struct ddb_key_condition *cond)
{
    uint32_t h = spread_add(SPREAD_START, cond->hash);
    for (size_t i = 0; i < cond->n_more_hash; i++)
        h = spread_add(h, cond->more_hash[i]);
    start_items(b, a, table, index);
    put_u16(b, spread_end(h));
    put_key_value(b, cond->hash);
    for (size_t i = 0; i < cond->n_more_hash; i++)
        put_key_value(b, cond->more_hash[i]);
}

struct str ddb_partition_prefix(struct arena *a, uint32_t table, uint16_t index,
                                const struct ddb_key_condition *cond)
{
    struct buf b;
    start_partition(&b, a, table, index, cond);
    return finish(&b);
}

struct key_range ddb_query_range(struct arena *a, uint32_t table, uint16_t index,
                                 const struct ddb_key_condition *cond)
{
    struct buf b, other;
    assert(cond->hash && (!cond->has_range || cond->lo));
    start_partition(&b, a, table, index, cond);
    for (size_t i = 0; i < cond->n_equal; i++)
        put_key_value(&b, cond->equal[i]);
    struct key_range range = key_range_of(a, finish(&b));
    if (!cond->has_range || !str_is_set(range.from))
        return range;
    size_t base = b.len;
    if (cond->op == DDB_FN_BEGINS_WITH)
        put_text_prefix(&b, cond->lo->s);
    else
        put_key_value(&b, cond->lo);
    struct str at = finish(&b), after = str_is_set(at) ? key_after_prefix(a, at) : STR_NONE;
    switch (cond->op) {
    case DDB_OP_LT:
        range.to = at;
        break;
    case DDB_OP_LE:
        range.to = after;
        break;
    case DDB_OP_GT:
        range.from = after;
        break;
    case DDB_OP_GE:
        range.from = at;
        break;
    case DDB_OP_BETWEEN:
        assert(cond->hi);
        range.from = at;
        buf_init_arena(&other, a, KEY_BUF_MAX);
        buf_add(&other, b.p, base);
        put_key_value(&other, cond->hi);
        range.to = buf_err(&other) ? STR_NONE : key_after_prefix(a, buf_str(&other));
        break;
    default: /* = and begins_with */
        range.from = at;
        range.to = after;
        break;
    }
    return range;
}

enum err ddb_range_after(struct arena *a, struct key_range *range, struct str key, bool reverse)
{
    if (reverse) {
        if (str_cmp(key, range->to) < 0)
            range->to = key;
        return ERR_OK;
    }
    struct str from = key_successor(a, key);
    if (!str_is_set(from))
        return ERR_NOMEM;
    if (str_cmp(from, range->from) > 0)
        range->from = from;
    return ERR_OK;
}
