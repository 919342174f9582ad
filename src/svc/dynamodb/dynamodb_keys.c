#include "svc/dynamodb/dynamodb_keys.h"

#include "codec/hash.h"
#include "svc/dynamodb/ddb_num.h"

enum {
    TABLE_RECORD = 1,
    ITEM = 2,
    INDEX = 3,
    GUARD = 4,
    IDS = 5,
    JOB = 6,
    TOKEN = 7,
    EXPIRY = 8,
    KEY_BUF_MAX = 32 * 1024, /* while building; checked against KV_KEY_MAX at the end */
};

static void start(struct buf *b, struct arena *a, uint8_t table)
{
    buf_init_arena(b, a, KEY_BUF_MAX);
    key_start(b, KEY_DYNAMODB, table);
}

static struct str finish(const struct buf *b)
{
    return buf_err(b) ? STR_NONE : buf_str(b);
}

static void put_u16(struct buf *b, uint16_t v)
{
    key_u8(b, (uint8_t)(v >> 8));
    key_u8(b, (uint8_t)v);
}

static void put_u32(struct buf *b, uint32_t v)
{
    put_u16(b, (uint16_t)(v >> 16));
    put_u16(b, (uint16_t)v);
}

static struct ddb_range prefix_range(struct arena *a, const struct buf *b)
{
    struct str from = finish(b);
    return (struct ddb_range){from, from.p ? key_after_prefix(a, from) : STR_NONE};
}

struct str ddb_table_record_key(struct arena *a, struct str account, struct str region,
                                struct str name)
{
    struct buf b;
    start(&b, a, TABLE_RECORD);
    key_text(&b, account);
    key_text(&b, region);
    key_text(&b, name);
    return finish(&b);
}

struct ddb_range ddb_table_record_range(struct arena *a, struct str account, struct str region,
                                        struct str after)
{
    struct buf b;
    start(&b, a, TABLE_RECORD);
    key_text(&b, account);
    key_text(&b, region);
    struct ddb_range range = prefix_range(a, &b);
    if (str_is_set(after) && range.from.p)
        range.from = key_after_prefix(a, ddb_table_record_key(a, account, region, after));
    return range;
}

struct ddb_range ddb_all_tables_range(struct arena *a)
{
    struct buf b;
    start(&b, a, TABLE_RECORD);
    return prefix_range(a, &b);
}

struct str ddb_guard_key(struct arena *a, uint32_t table)
{
    struct buf b;
    start(&b, a, GUARD);
    put_u32(&b, table);
    return finish(&b);
}

struct str ddb_ids_key(struct arena *a)
{
    struct buf b;
    start(&b, a, IDS);
    return finish(&b);
}

struct str ddb_job_key(struct arena *a, uint32_t table, uint16_t index)
{
    struct buf b;
    start(&b, a, JOB);
    put_u32(&b, table);
    put_u16(&b, index);
    return finish(&b);
}

struct ddb_range ddb_all_jobs_range(struct arena *a)
{
    struct buf b;
    start(&b, a, JOB);
    return prefix_range(a, &b);
}

enum err ddb_job_key_read(struct str key, uint32_t *ret_table, uint16_t *ret_index)
{
    uint8_t f[8];
    for (size_t i = 0; i < sizeof(f); i++)
        TRY(key_read_u8(&key, &f[i]));
    *ret_table = (uint32_t)f[2] << 24 | (uint32_t)f[3] << 16 | (uint32_t)f[4] << 8 | f[5];
    *ret_index = (uint16_t)(f[6] << 8 | f[7]);
    return ERR_OK;
}

struct str ddb_token_key(struct arena *a, struct str account, struct str region, struct str token)
{
    struct buf b;
    start(&b, a, TOKEN);
    key_text(&b, account);
    key_text(&b, region);
    key_text(&b, token);
    return finish(&b);
}

struct str ddb_expiry_key(struct arena *a, int64_t when_ms, struct str account, struct str region,
                          struct str token)
{
    struct buf b;
    start(&b, a, EXPIRY);
    key_i64(&b, when_ms);
    key_text(&b, account);
    key_text(&b, region);
    key_text(&b, token);
    return finish(&b);
}

struct ddb_range ddb_expiry_range(struct arena *a, int64_t when_ms)
{
    struct buf from, to;
    start(&from, a, EXPIRY);
    start(&to, a, EXPIRY);
    key_i64(&to, when_ms);
    return (struct ddb_range){finish(&from), finish(&to)};
}

enum err ddb_expiry_key_read(struct arena *a, struct str key, struct str *ret_token_key)
{
    struct str account, region, token, rest = str_sub(key, 2, key.len);
    int64_t when;
    TRY(key_read_i64(&rest, &when));
    TRY(key_read_text(&rest, a, &account));
    TRY(key_read_text(&rest, a, &region));
    TRY(key_read_text(&rest, a, &token));
    *ret_token_key = ddb_token_key(a, account, region, token);
    return ret_token_key->p ? ERR_OK : ERR_NOMEM;
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
static uint16_t spread(const struct ddb_av *hash)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < hash->s.len; i++)
        h = (h ^ (uint8_t)hash->s.p[i]) * 16777619u;
    h ^= h >> 15; /* FNV's high bits move little for short keys */
    h *= 2246822519u;
    return (uint16_t)(h >> 16);
}

static void start_items(struct buf *b, struct arena *a, uint32_t table, uint16_t index)
{
    start(b, a, index ? INDEX : ITEM);
    put_u32(b, table);
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

struct str ddb_index_key(struct arena *a, uint32_t table, uint16_t index, struct ddb_key key,
                         struct ddb_key identity)
{
    struct buf b;
    start_items(&b, a, table, index);
    put_u16(&b, spread(key.hash));
    put_key_value(&b, key.hash);
    if (key.range)
        put_key_value(&b, key.range);
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

struct ddb_range ddb_scan_range(struct arena *a, uint32_t table, uint16_t index, uint32_t segment,
                                uint32_t segments)
{
    struct buf b, end;
    start_items(&b, a, table, index);
    struct ddb_range range = prefix_range(a, &b);
    if (segments <= 1)
        return range;
    uint64_t lo = (uint64_t)segment * DDB_HASH_SPACE / segments;
    uint64_t hi = ((uint64_t)segment + 1) * DDB_HASH_SPACE / segments;
    if (hi < DDB_HASH_SPACE) {
        start_items(&end, a, table, index);
        put_u16(&end, (uint16_t)hi);
        range.to = finish(&end);
    }
    put_u16(&b, (uint16_t)lo);
    range.from = finish(&b);
    return range;
}

struct ddb_range ddb_all_indexes_range(struct arena *a, uint32_t table)
{
    struct buf b;
    start(&b, a, INDEX);
    put_u32(&b, table);
    return prefix_range(a, &b);
}

/* Escaped text without its end: a prefix of every text that begins so. */
static void put_text_prefix(struct buf *b, struct str s)
{
    key_text(b, s);
    if (b->len >= 2)
        b->len -= 2; /* 00 01 */
}

struct ddb_range ddb_query_range(struct arena *a, uint32_t table, uint16_t index,
                                 const struct ddb_key_condition *cond)
{
    struct buf b, other;
    start_items(&b, a, table, index);
    put_u16(&b, spread(cond->hash));
    put_key_value(&b, cond->hash);
    struct ddb_range range = prefix_range(a, &b);
    if (!cond->has_range || !range.from.p)
        return range;
    size_t base = b.len;
    if (cond->op == DDB_FN_BEGINS_WITH)
        put_text_prefix(&b, cond->lo->s);
    else
        put_key_value(&b, cond->lo);
    struct str at = finish(&b), after = at.p ? key_after_prefix(a, at) : STR_NONE;
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

enum err ddb_range_after(struct arena *a, struct ddb_range *range, struct str key, bool reverse)
{
    if (reverse) {
        if (str_cmp(key, range->to) < 0)
            range->to = key;
        return ERR_OK;
    }
    char *next = arena_memdup(a, key.p, key.len); /* the NUL after it makes the next key */
    if (!next)
        return ERR_NOMEM;
    struct str from = str_n(next, key.len + 1);
    if (str_cmp(from, range->from) > 0)
        range->from = from;
    return ERR_OK;
}
