/* Key building and reading of S3; the layouts are in s3_keys.h. Layer: svc. Thread: pure. */
#include "svc/s3/s3_keys.h"

enum table {
    T_BUCKET = 1,
    T_CONF = 2,
    T_CURRENT = S3_TABLE_CURRENT,
    T_VERSION = S3_TABLE_VERSION,
    T_NULL = 5,
    T_BYTES = 6,
    T_FILE = 7,
    T_MANIFEST = 8,
    T_UPLOAD = S3_TABLE_UPLOAD,
    T_PART = 10,
    T_TRASH = 11,
    T_GUARD = 12,
    T_COUNT = 13,
    T_DROPPED = 14,
    T_DONE = 15,
    T_DONE_SINCE = 16,
};

enum { TEXT_END_LEN = 2, HEAD_LEN = 2, BUCKET_LEN = 8 };

static void start(struct buf *b, struct arena *a, enum table table)
{
    buf_init_arena(b, a, KV_KEY_MAX);
    key_start(b, KEY_S3, (uint8_t)table);
}

static struct str done(const struct buf *b)
{
    return buf_err(b) == ERR_OK ? buf_str(b) : STR_NONE;
}

struct str s3_key_bucket(struct arena *a, struct str name)
{
    struct buf b;
    start(&b, a, T_BUCKET);
    key_text(&b, name);
    return done(&b);
}

struct str s3_key_conf(struct arena *a, uint64_t bucket, enum s3_conf kind)
{
    struct buf b;
    start(&b, a, T_CONF);
    key_u64(&b, bucket);
    key_u8(&b, (uint8_t)kind);
    return done(&b);
}

static struct str object_key(struct arena *a, enum table table, uint64_t bucket, struct str key)
{
    struct buf b;
    start(&b, a, table);
    key_u64(&b, bucket);
    key_text(&b, key);
    return done(&b);
}

struct str s3_key_current(struct arena *a, uint64_t bucket, struct str key)
{
    return object_key(a, T_CURRENT, bucket, key);
}

struct str s3_key_version(struct arena *a, uint64_t bucket, struct str key, uint64_t seq)
{
    struct buf b;
    start(&b, a, T_VERSION);
    key_u64(&b, bucket);
    key_text(&b, key);
    key_u64(&b, ~seq);
    return done(&b);
}

struct str s3_key_null(struct arena *a, uint64_t bucket, struct str key)
{
    return object_key(a, T_NULL, bucket, key);
}

static struct str id_key(struct arena *a, enum table table, const struct s3_id *id)
{
    struct buf b;
    start(&b, a, table);
    buf_add(&b, id->b, S3_ID_LEN);
    return done(&b);
}

struct str s3_key_bytes(struct arena *a, const struct s3_id *id)
{
    return id_key(a, T_BYTES, id);
}

struct str s3_key_file(struct arena *a, const struct s3_id *id)
{
    return id_key(a, T_FILE, id);
}

struct str s3_key_manifest(struct arena *a, const struct s3_id *id)
{
    return id_key(a, T_MANIFEST, id);
}

static struct str upload_key(struct arena *a, enum table table, uint64_t bucket, struct str key,
                             struct str upload_id)
{
    struct buf b;
    start(&b, a, table);
    key_u64(&b, bucket);
    key_text(&b, key);
    key_raw(&b, upload_id);
    return done(&b);
}

struct str s3_key_upload(struct arena *a, uint64_t bucket, struct str key, struct str upload_id)
{
    return upload_key(a, T_UPLOAD, bucket, key, upload_id);
}

struct str s3_key_done(struct arena *a, uint64_t bucket, struct str key, struct str upload_id)
{
    return upload_key(a, T_DONE, bucket, key, upload_id);
}

struct str s3_key_done_since(struct arena *a, int64_t since_ms, struct str upload_id)
{
    struct buf b;
    start(&b, a, T_DONE_SINCE);
    key_u64(&b, (uint64_t)since_ms);
    key_raw(&b, upload_id);
    return done(&b);
}

struct str s3_key_part(struct arena *a, struct str upload_id, int64_t number)
{
    struct buf b;
    start(&b, a, T_PART);
    key_text(&b, upload_id);
    key_u64(&b, (uint64_t)number);
    return done(&b);
}

struct str s3_key_trash(struct arena *a, int64_t since_ms, const struct s3_id *id)
{
    struct buf b;
    start(&b, a, T_TRASH);
    key_u64(&b, (uint64_t)since_ms);
    buf_add(&b, id->b, S3_ID_LEN);
    return done(&b);
}

struct str s3_key_guard(struct arena *a, uint64_t bucket, int shard)
{
    struct buf b;
    start(&b, a, T_GUARD);
    key_u64(&b, bucket);
    key_u8(&b, (uint8_t)shard);
    return done(&b);
}

struct str s3_key_bucket_count(struct arena *a)
{
    struct buf b;
    start(&b, a, T_COUNT);
    return done(&b);
}

struct str s3_key_dropped(struct arena *a, uint64_t bucket)
{
    struct buf b;
    start(&b, a, T_DROPPED);
    key_u64(&b, bucket);
    return done(&b);
}

/* --- ranges ----------------------------------------------------------------------------------- */

/* Bytes with which every entry whose key begins with `prefix` begins. */
static struct str raw_prefix(struct arena *a, enum table table, uint64_t bucket, struct str prefix)
{
    struct str whole = object_key(a, table, bucket, prefix);
    return str_is_set(whole) ? str_sub(whole, 0, whole.len - TEXT_END_LEN) : STR_NONE;
}

static struct s3_range whole_range(struct arena *a, struct str prefix)
{
    return (struct s3_range){prefix, key_after_prefix(a, prefix)};
}

struct s3_range s3_range_prefix(struct arena *a, enum s3_table table, uint64_t bucket,
                                struct str prefix)
{
    return whole_range(a, raw_prefix(a, (enum table)table, bucket, prefix));
}

struct str s3_from_after(struct arena *a, enum s3_table table, uint64_t bucket, struct str key,
                         bool whole_prefix)
{
    struct str at = whole_prefix ? raw_prefix(a, (enum table)table, bucket, key)
                                 : object_key(a, (enum table)table, bucket, key);
    return str_is_set(at) ? key_after_prefix(a, at) : STR_NONE;
}

struct s3_range s3_range_versions(struct arena *a, uint64_t bucket, struct str key)
{
    return whole_range(a, object_key(a, T_VERSION, bucket, key));
}

struct s3_range s3_range_buckets(struct arena *a, struct str prefix)
{
    struct str whole = s3_key_bucket(a, prefix);
    return whole_range(a, str_sub(whole, 0, whole.len - TEXT_END_LEN));
}

struct s3_range s3_range_parts(struct arena *a, struct str upload_id, int64_t after)
{
    struct str from = s3_key_part(a, upload_id, after + 1);
    struct str all = str_sub(from, 0, from.len - sizeof(uint64_t));
    return (struct s3_range){from, key_after_prefix(a, all)};
}

struct s3_range s3_range_trash(struct arena *a, struct str from)
{
    struct buf b;
    start(&b, a, T_TRASH);
    struct s3_range r = whole_range(a, done(&b));
    if (str_is_set(from))
        r.from = from;
    return r;
}

struct s3_range s3_range_dropped(struct arena *a)
{
    struct buf b;
    start(&b, a, T_DROPPED);
    return whole_range(a, done(&b));
}

struct s3_range s3_range_done(struct arena *a, int64_t before_ms)
{
    return (struct s3_range){s3_key_done_since(a, 0, STR("")),
                             s3_key_done_since(a, before_ms, STR(""))};
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What a scan lends goes with its next step: texts are copied. */
static enum err read_text(struct str *rest, struct arena *a, struct str *ret_s)
{
    struct str s;
    TRY(key_read_text(rest, a, &s));
    *ret_s = str_dup(a, s);
    return str_is_set(*ret_s) ? ERR_OK : ERR_NOMEM;
}

enum err s3_read_object_key(struct arena *a, struct str raw, struct str *ret_key)
{
    struct str rest = str_sub(raw, HEAD_LEN + BUCKET_LEN, raw.len);
    return read_text(&rest, a, ret_key);
}

enum err s3_read_version_key(struct arena *a, struct str raw, struct str *ret_key,
                             uint64_t *ret_seq)
{
    struct str rest = str_sub(raw, HEAD_LEN + BUCKET_LEN, raw.len);
    uint64_t inverted;
    TRY(read_text(&rest, a, ret_key));
    TRY(key_read_u64(&rest, &inverted));
    *ret_seq = ~inverted;
    return ERR_OK;
}

enum err s3_read_upload_key(struct arena *a, struct str raw, struct str *ret_key,
                            struct str *ret_upload_id)
{
    struct str rest = str_sub(raw, HEAD_LEN + BUCKET_LEN, raw.len);
    TRY(read_text(&rest, a, ret_key));
    *ret_upload_id = str_dup(a, rest);
    return str_is_set(*ret_upload_id) ? ERR_OK : ERR_NOMEM;
}

enum err s3_read_bucket_key(struct arena *a, struct str raw, struct str *ret_name)
{
    struct str rest = str_sub(raw, HEAD_LEN, raw.len);
    return read_text(&rest, a, ret_name);
}

enum err s3_read_part_key(struct arena *a, struct str raw, int64_t *ret_number)
{
    struct str rest = str_sub(raw, HEAD_LEN, raw.len), upload_id;
    uint64_t number;
    TRY(read_text(&rest, a, &upload_id));
    TRY(key_read_u64(&rest, &number));
    *ret_number = (int64_t)number;
    return ERR_OK;
}

enum err s3_read_trash_key(struct str raw, int64_t *ret_since_ms, struct s3_id *ret_id)
{
    struct str rest = str_sub(raw, HEAD_LEN, raw.len);
    uint64_t since;
    TRY(key_read_u64(&rest, &since));
    if (rest.len != S3_ID_LEN)
        return ERR_CORRUPT;
    *ret_since_ms = (int64_t)since;
    memcpy(ret_id->b, rest.p, S3_ID_LEN);
    return ERR_OK;
}

enum err s3_read_dropped_key(struct str raw, uint64_t *ret_bucket)
{
    struct str rest = str_sub(raw, HEAD_LEN, raw.len);
    return key_read_u64(&rest, ret_bucket);
}
