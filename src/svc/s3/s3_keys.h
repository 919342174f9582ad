/* The keys of S3 in the store. Nobody else builds them. Every key starts with KEY_S3.
 *
 *   table  key                                   value
 *   01     bucket name text                      bucket record
 *   02     bucket id u64, kind u8                configuration of the bucket (enum s3_conf)
 *   03     bucket id, key text                   current version of a visible object
 *   04     bucket id, key text, ~seq u64         noncurrent versions and delete markers, newest
 * first 05     bucket id, key text                   seq u64 of the null version when it is in
 * table 04 06     body id raw 16                        bytes of a small body 07     file id raw 16
 * empty: the file is referenced 08     body id raw 16                        manifest: the parts of
 * a multipart body 09     bucket id, key text, upload id raw    multipart upload 0a     upload id
 * text, part u64              part of an upload 0b     since ms u64, file id raw 16          file
 * to be removed (its reference is gone) 0c     bucket id, shard u8                   guard:
 * rewritten by whoever makes a new key 0d     -                                     count of
 * buckets 0e     bucket id u64                         dropped bucket whose uploads are to be
 * removed 0f     bucket id, key text, upload id raw    completed upload: seq of the version it made
 * 10     completed ms u64, upload id raw       key in table 0f, to be forgotten after a day
 *
 * Buckets are referred to by a number drawn at creation, so a bucket made again under an old name
 * never meets what is left of the other. Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_S3_S3_KEYS_H
#define WEIR_SVC_S3_S3_KEYS_H

#include "kv/key.h"

enum { S3_ID_LEN = 16, S3_GUARD_SHARDS = 16, S3_UPLOAD_ID_LEN = 48 };

struct s3_id {
    uint8_t b[S3_ID_LEN];
};

/* Kinds of table 02. Part of the disk format. */
enum s3_conf {
    S3_CONF_POLICY = 1,
    S3_CONF_NOTIFICATION = 3,
};

/* All give a key in the arena; STR_NONE on exhaustion, which the store refuses as ERR_LIMIT. */
struct str s3_key_bucket(struct arena *a, struct str name);
struct str s3_key_conf(struct arena *a, uint64_t bucket, enum s3_conf kind);
struct str s3_key_current(struct arena *a, uint64_t bucket, struct str key);
struct str s3_key_version(struct arena *a, uint64_t bucket, struct str key, uint64_t seq);
struct str s3_key_null(struct arena *a, uint64_t bucket, struct str key);
struct str s3_key_bytes(struct arena *a, const struct s3_id *id);
struct str s3_key_file(struct arena *a, const struct s3_id *id);
struct str s3_key_manifest(struct arena *a, const struct s3_id *id);
struct str s3_key_upload(struct arena *a, uint64_t bucket, struct str key, struct str upload_id);
struct str s3_key_part(struct arena *a, struct str upload_id, int64_t number);
struct str s3_key_trash(struct arena *a, int64_t since_ms, const struct s3_id *id);
struct str s3_key_guard(struct arena *a, uint64_t bucket, int shard);
struct str s3_key_bucket_count(struct arena *a);
struct str s3_key_dropped(struct arena *a, uint64_t bucket);
struct str s3_key_done(struct arena *a, uint64_t bucket, struct str key, struct str upload_id);
struct str s3_key_done_since(struct arena *a, int64_t since_ms, struct str upload_id);

/* First and past-the-end keys of ranges. */
struct s3_range {
    struct str from, to;
};
enum s3_table {
    S3_TABLE_CURRENT = 3,
    S3_TABLE_VERSION = 4,
    S3_TABLE_UPLOAD = 9,
};
/* All keys of a table in the bucket that begin with `prefix`. */
struct s3_range s3_range_prefix(struct arena *a, enum s3_table table, uint64_t bucket,
                                struct str prefix);
/* The same, from just behind every entry of `key`; with `whole_prefix` behind all keys that begin
 * with it. */
struct str s3_from_after(struct arena *a, enum s3_table table, uint64_t bucket, struct str key,
                         bool whole_prefix);
/* Versions of one key. */
struct s3_range s3_range_versions(struct arena *a, uint64_t bucket, struct str key);
struct s3_range s3_range_buckets(struct arena *a, struct str prefix);
struct s3_range s3_range_parts(struct arena *a, struct str upload_id, int64_t after);
struct s3_range s3_range_trash(struct arena *a, struct str from);
struct s3_range s3_range_dropped(struct arena *a);
/* Table 10, what completed before `before_ms`. */
struct s3_range s3_range_done(struct arena *a, int64_t before_ms);

/* Fields of keys found by scans. ERR_CORRUPT, ERR_NOMEM. */
enum err s3_read_object_key(struct arena *a, struct str raw, struct str *ret_key) WARN_UNUSED;
enum err s3_read_version_key(struct arena *a, struct str raw, struct str *ret_key,
                             uint64_t *ret_seq) WARN_UNUSED;
enum err s3_read_upload_key(struct arena *a, struct str raw, struct str *ret_key,
                            struct str *ret_upload_id) WARN_UNUSED;
enum err s3_read_bucket_key(struct arena *a, struct str raw, struct str *ret_name) WARN_UNUSED;
enum err s3_read_part_key(struct arena *a, struct str raw, int64_t *ret_number) WARN_UNUSED;
enum err s3_read_trash_key(struct str raw, int64_t *ret_since_ms, struct s3_id *ret_id) WARN_UNUSED;
enum err s3_read_dropped_key(struct str raw, uint64_t *ret_bucket) WARN_UNUSED;

#endif
