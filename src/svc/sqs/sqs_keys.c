/* Key layouts of SQS; see sqs_keys.h. Layer: svc/sqs. */
#include "svc/sqs/sqs_keys.h"

enum {
    TABLE_QUEUE = 1,
    TABLE_BODY = 2,
    TABLE_STATE = 3,
    TABLE_DEDUP = 4,
    TABLE_GARBAGE = 5,
    TABLE_META = 6,
    KEY_BYTES_FIRST = 64,
};

static void start(struct buf *b, struct arena *a, uint8_t table)
{
    buf_init_arena(b, a, KV_KEY_MAX);
    (void)buf_reserve(b, KEY_BYTES_FIRST);
    key_start(b, KEY_SQS, table);
}

static struct str done(const struct buf *b)
{
    return buf_err(b) == ERR_OK ? buf_str(b) : STR_NONE;
}

struct str sqs_key_queue(struct arena *a, struct str region, struct str account, struct str name)
{
    struct buf b;
    start(&b, a, TABLE_QUEUE);
    key_text(&b, region);
    key_text(&b, account);
    key_text(&b, name);
    return done(&b);
}

struct str sqs_key_queues(struct arena *a, struct str region, struct str account)
{
    struct buf b;
    start(&b, a, TABLE_QUEUE);
    if (str_is_set(region)) {
        key_text(&b, region);
        key_text(&b, account);
    }
    return done(&b);
}

static struct str pair(struct arena *a, uint8_t table, uint64_t queue_id, uint64_t n)
{
    struct buf b;
    start(&b, a, table);
    key_u64(&b, queue_id);
    key_u64(&b, n);
    return done(&b);
}

struct str sqs_key_body(struct arena *a, uint64_t queue_id, uint64_t seq)
{
    return pair(a, TABLE_BODY, queue_id, seq);
}

struct str sqs_key_state(struct arena *a, uint64_t queue_id, uint64_t seq)
{
    return pair(a, TABLE_STATE, queue_id, seq);
}

struct str sqs_key_garbage(struct arena *a, uint64_t queue_id, uint64_t bound)
{
    return pair(a, TABLE_GARBAGE, queue_id, bound);
}

struct str sqs_key_dedup_bucket(struct arena *a, uint64_t queue_id, uint64_t bucket)
{
    return pair(a, TABLE_DEDUP, queue_id, bucket);
}

struct str sqs_key_dedup(struct arena *a, uint64_t queue_id, uint64_t bucket, struct str scope,
                         struct str id)
{
    struct buf b;
    start(&b, a, TABLE_DEDUP);
    key_u64(&b, queue_id);
    key_u64(&b, bucket);
    key_text(&b, scope);
    key_text(&b, id);
    return done(&b);
}

struct str sqs_key_garbage_all(struct arena *a)
{
    struct buf b;
    start(&b, a, TABLE_GARBAGE);
    return done(&b);
}

struct str sqs_key_meta(struct arena *a, enum sqs_meta what)
{
    struct buf b;
    start(&b, a, TABLE_META);
    key_u8(&b, (uint8_t)what);
    return done(&b);
}

enum err sqs_key_read_queue(struct arena *a, struct str key, struct str *ret_region,
                            struct str *ret_account, struct str *ret_name)
{
    struct str rest = str_sub(key, 2, key.len), region, account, name;
    TRY(key_read_text(&rest, a, &region));
    TRY(key_read_text(&rest, a, &account));
    TRY(key_read_text(&rest, a, &name));
    *ret_region = region;
    *ret_account = account;
    *ret_name = name;
    return ERR_OK;
}

enum err sqs_key_read_pair(struct str key, uint64_t *ret_queue_id, uint64_t *ret_n)
{
    struct str rest = str_sub(key, 2, key.len);
    uint64_t queue_id, n;
    TRY(key_read_u64(&rest, &queue_id));
    TRY(key_read_u64(&rest, &n));
    *ret_queue_id = queue_id;
    *ret_n = n;
    return ERR_OK;
}
