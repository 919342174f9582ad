/* The records of S3 in the store and their packed forms. A version byte comes first; later versions
 * append fields. Layer: svc. Lifetime: unpacked records borrow from the bytes they were read from.
 * Thread: pure. */
#ifndef WEIR_SVC_S3_S3_RECORD_H
#define WEIR_SVC_S3_S3_RECORD_H

#include "base/pack.h"
#include "svc/s3/s3_keys.h"

struct s3_pair { /* a tag, or a metadata entry */
    struct str key, value;
};
struct s3_pairs {
    const struct s3_pair *v;
    size_t n;
};

enum s3_versioning { S3_UNVERSIONED = 0, S3_VERSIONED = 1, S3_SUSPENDED = 2 };

enum s3_bucket_flags {
    S3_HAS_POLICY = 1 << 0,
    S3_HAS_NOTIFICATION = 1 << 1,
    S3_HAS_ACCESS_BLOCK = 1 << 3, /* the configuration exists; the next four are its content */
    S3_BLOCK_ACLS = 1 << 4,
    S3_IGNORE_ACLS = 1 << 5,
    S3_BLOCK_POLICY = 1 << 6,
    S3_RESTRICT = 1 << 7,
    S3_HAS_OWNERSHIP = 1 << 8,
    S3_BUCKET_KEY = 1 << 9, /* echoed: it has a meaning for KMS keys alone */
    S3_POLICY_IS_PUBLIC = 1 << 10,
};

struct s3_bucket_rec {
    uint64_t id;
    struct str region;
    int64_t created_ms;
    enum s3_versioning versioning;
    uint64_t flags;
};

enum s3_algo { S3_NO_CHECKSUM, S3_CRC32, S3_CRC32C, S3_CRC64NVME, S3_SHA1, S3_SHA256, S3_ALGOS };

/* Checksum of an object or part. */
struct s3_sum {
    enum s3_algo algo;
    bool composite;
    struct str text; /* base64, with "-N" when composite */
};

enum s3_body_kind { S3_BODY_EMPTY, S3_BODY_BYTES, S3_BODY_FILE, S3_BODY_PARTS };

struct s3_body {
    enum s3_body_kind kind;
    struct s3_id id;  /* table 06, 07 or 08 by kind */
    uint64_t n_parts; /* S3_BODY_PARTS */
};

/* What a client says about an object's form. Absent where it said nothing. */
struct s3_attrs {
    struct str content_type, cache_control, content_disposition, content_encoding, content_language,
        expires, website_redirect;
    struct s3_pairs metadata; /* lower-case names */
    struct s3_pairs tags;
};

struct s3_object_rec {
    uint64_t seq;          /* order of the versions of a key */
    struct str version_id; /* S3_NULL_VERSION or 32 characters */
    bool delete_marker;
    int64_t modified_ms;
    uint64_t size;
    struct str etag; /* without quotes */
    struct s3_sum sum;
    struct s3_body body;
    struct s3_attrs attrs;
};
#define S3_NULL_VERSION STR("null")

struct s3_upload_rec {
    int64_t initiated_ms;
    enum s3_algo algo;
    bool algo_given; /* by the client, otherwise the default */
    bool composite;
    struct s3_attrs attrs;
};

/* What a completed upload became, for a client that asks again (its first answer was lost). */
struct s3_done_rec {
    uint64_t seq; /* of the version */
};

struct s3_part_rec {
    int64_t number;
    uint64_t size;
    int64_t modified_ms;
    struct str etag;
    struct s3_sum sum;
    struct s3_id file;
};

struct s3_manifest {
    struct s3_part_rec *parts;
    size_t n;
};

void s3_pack_bucket(struct buf *b, const struct s3_bucket_rec *rec);
enum err s3_unpack_bucket(struct str bytes, struct s3_bucket_rec *ret_rec) WARN_UNUSED;
void s3_pack_pairs(struct buf *b, struct s3_pairs pairs);
enum err s3_unpack_pairs(struct arena *a, struct unpack *u, struct s3_pairs *ret_pairs) WARN_UNUSED;
void s3_pack_object(struct buf *b, const struct s3_object_rec *rec);
enum err s3_unpack_object(struct arena *a, struct str bytes,
                          struct s3_object_rec *ret_rec) WARN_UNUSED;
void s3_pack_upload(struct buf *b, const struct s3_upload_rec *rec);
enum err s3_unpack_upload(struct arena *a, struct str bytes,
                          struct s3_upload_rec *ret_rec) WARN_UNUSED;
void s3_pack_done(struct buf *b, const struct s3_done_rec *rec);
enum err s3_unpack_done(struct str bytes, struct s3_done_rec *ret_rec) WARN_UNUSED;
void s3_pack_part(struct buf *b, const struct s3_part_rec *rec);
enum err s3_unpack_part(struct str bytes, struct s3_part_rec *ret_rec) WARN_UNUSED;
void s3_pack_manifest(struct buf *b, const struct s3_part_rec *parts, size_t n);
enum err s3_unpack_manifest(struct arena *a, struct str bytes,
                            struct s3_manifest *ret_manifest) WARN_UNUSED;

#endif
