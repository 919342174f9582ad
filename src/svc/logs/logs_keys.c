#include "svc/logs/logs_keys.h"

enum { T_GROUP = 1, T_STREAM, T_EVENT, T_BY_TIME, T_DEAD_STREAM, T_DEAD_GROUP };
enum { HEAD = 2 }; /* space and table byte */

static void start(struct buf *b, struct arena *a, uint8_t table)
{
    buf_init_arena(b, a, LOGS_KEY_MAX);
    key_start(b, KEY_LOGS, table);
}

static struct str end(const struct buf *b)
{
    return buf_err(b) ? STR_NONE : buf_str(b);
}

/* The bytes with which the encoding of any text with this prefix starts: without the terminator. */
static void text_prefix(struct buf *b, struct str prefix)
{
    size_t from = b->len;
    key_text(b, prefix);
    if (!buf_err(b) && b->len >= from + 2)
        b->len -= 2;
}

struct str logs_key_group(struct arena *a, struct str group)
{
    struct buf b;
    start(&b, a, T_GROUP);
    key_text(&b, group);
    return end(&b);
}

struct str logs_key_group_prefix(struct arena *a, struct str prefix)
{
    struct buf b;
    start(&b, a, T_GROUP);
    text_prefix(&b, prefix);
    return end(&b);
}

struct str logs_key_stream(struct arena *a, uint64_t group_id, struct str stream)
{
    struct buf b;
    start(&b, a, T_STREAM);
    key_u64(&b, group_id);
    key_text(&b, stream);
    return end(&b);
}

struct str logs_key_stream_prefix(struct arena *a, uint64_t group_id, struct str prefix)
{
    struct buf b;
    start(&b, a, T_STREAM);
    key_u64(&b, group_id);
    text_prefix(&b, prefix);
    return end(&b);
}

struct str logs_key_event(struct arena *a, uint64_t stream_id, int64_t timestamp, uint64_t seq)
{
    struct buf b;
    start(&b, a, T_EVENT);
    key_u64(&b, stream_id);
    key_i64(&b, timestamp);
    key_u64(&b, seq);
    return end(&b);
}

struct str logs_key_events(struct arena *a, uint64_t stream_id)
{
    struct buf b;
    start(&b, a, T_EVENT);
    key_u64(&b, stream_id);
    return end(&b);
}

struct str logs_key_by_time(struct arena *a, uint64_t group_id, int64_t last_ms, struct str stream)
{
    struct buf b;
    start(&b, a, T_BY_TIME);
    key_u64(&b, group_id);
    key_i64(&b, last_ms);
    key_text(&b, stream);
    return end(&b);
}

struct str logs_key_by_time_prefix(struct arena *a, uint64_t group_id)
{
    struct buf b;
    start(&b, a, T_BY_TIME);
    key_u64(&b, group_id);
    return end(&b);
}

static struct str one_id(struct arena *a, uint8_t table, uint64_t id)
{
    struct buf b;
    start(&b, a, table);
    key_u64(&b, id);
    return end(&b);
}

static struct str whole_table(struct arena *a, uint8_t table)
{
    struct buf b;
    start(&b, a, table);
    return end(&b);
}

struct str logs_key_dead_stream(struct arena *a, uint64_t stream_id)
{
    return one_id(a, T_DEAD_STREAM, stream_id);
}

struct str logs_key_dead_streams(struct arena *a)
{
    return whole_table(a, T_DEAD_STREAM);
}

struct str logs_key_dead_group(struct arena *a, uint64_t group_id)
{
    return one_id(a, T_DEAD_GROUP, group_id);
}

struct str logs_key_dead_groups(struct arena *a)
{
    return whole_table(a, T_DEAD_GROUP);
}

enum err logs_key_read_group(struct str key, struct arena *a, struct str *ret_group)
{
    struct str rest = str_sub(key, HEAD, key.len);
    return key_read_text(&rest, a, ret_group);
}

enum err logs_key_read_stream(struct str key, struct arena *a, struct str *ret_stream)
{
    struct str rest = str_sub(key, HEAD + 8, key.len);
    return key_read_text(&rest, a, ret_stream);
}

enum err logs_key_read_event(struct str key, int64_t *ret_ts, uint64_t *ret_seq)
{
    struct str rest = str_sub(key, HEAD + 8, key.len);
    TRY(key_read_i64(&rest, ret_ts));
    return key_read_u64(&rest, ret_seq);
}

enum err logs_key_read_by_time(struct str key, struct arena *a, int64_t *ret_last_ms,
                               struct str *ret_stream)
{
    struct str rest = str_sub(key, HEAD + 8, key.len);
    TRY(key_read_i64(&rest, ret_last_ms));
    return key_read_text(&rest, a, ret_stream);
}

enum err logs_key_read_dead(struct str key, uint64_t *ret_id)
{
    struct str rest = str_sub(key, HEAD, key.len);
    return key_read_u64(&rest, ret_id);
}
