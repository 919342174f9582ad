/* The key layouts of S3; nobody else builds its keys (kv/key.h says the letters).
 *
 * Buckets are referred to by a number drawn at creation, so a bucket made again under an old name
 * never meets what is left of the other. Their names have no scope in front (KL1): one name is one
 * bucket, whatever region asks. */
#ifndef WEIR_SVC_S3_S3_KEYS_H
#define WEIR_SVC_S3_S3_KEYS_H

#include "kv/key.h"

enum { S3_ID_LEN = 16, S3_GUARD_SHARDS = 16, S3_UPLOAD_ID_LEN = 48 };

struct s3_id {
    uint8_t b[S3_ID_LEN];
};
/* As the raw field of a key. */
static inline struct str s3_id_str(const struct s3_id *id)
{
    return str_n((const char *)id->b, S3_ID_LEN);
}

/* bucket name -> bucket record (table 2 is free) */
static const struct key_layout s3_k_bucket = {KEY_S3, 1, "t"};
/* bucket id, key -> current version of a visible object */
static const struct key_layout s3_k_current = {KEY_S3, 3, "ut"};
/* bucket id, key, ~seq -> noncurrent versions and delete markers, newest first */
static const struct key_layout s3_k_version = {KEY_S3, 4, "utu"};
/* bucket id, key -> seq of the null version when it is among those */
static const struct key_layout s3_k_null = {KEY_S3, 5, "ut"};
/* body id -> bytes of a body that is small, and too large for its record */
static const struct key_layout s3_k_bytes = {KEY_S3, 6, "r"};
/* file id -> file record: the file is referenced */
static const struct key_layout s3_k_file = {KEY_S3, 7, "r"};
/* body id -> manifest: the parts of a multipart body */
static const struct key_layout s3_k_manifest = {KEY_S3, 8, "r"};
/* bucket id, key, upload id -> multipart upload */
static const struct key_layout s3_k_upload = {KEY_S3, 9, "utr"};
/* upload id, part number -> part of an upload */
static const struct key_layout s3_k_part = {KEY_S3, 10, "ti"};
/* since ms, file id -> empty: file to be removed (its reference is gone) */
static const struct key_layout s3_k_trash = {KEY_S3, 11, "ir"};
/* bucket id, shard -> empty: rewritten by whoever makes a new key */
static const struct key_layout s3_k_guard = {KEY_S3, 12, "ub"};
/* account -> count of its buckets */
static const struct key_layout s3_k_count = {KEY_S3, 13, "A"};
/* bucket id -> empty: dropped bucket whose uploads are to be removed */
static const struct key_layout s3_k_dropped = {KEY_S3, 14, "u"};
/* bucket id, key, upload id -> completed upload: seq of the version it made */
static const struct key_layout s3_k_done = {KEY_S3, 15, "utr"};
/* completed ms, upload id -> key of s3_k_done, to be forgotten after a day */
static const struct key_layout s3_k_done_since = {KEY_S3, 16, "ir"};

#endif
