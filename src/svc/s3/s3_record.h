/* The records of S3 in the store; s3_record.c has their tables (base/record.h says how they are
 * packed and how one grows). Layer: svc. Lifetime: unpacked records borrow from the bytes they were
 * read from. Thread: the transaction's. */
#ifndef WEIR_SVC_S3_S3_RECORD_H
#define WEIR_SVC_S3_S3_RECORD_H

#include "base/record.h"
#include "core/cors.h"
#include "core/txn.h"
#include "s3_api.h"
#include "svc/s3/s3.h"
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
    S3_HAS_POLICY = 1 << 0,       /* `policy` is set */
    S3_HAS_NOTIFICATION = 1 << 1, /* `rules` are some */
    S3_HAS_ACCESS_BLOCK = 1 << 3, /* the configuration exists; the next four are its content */
    S3_BLOCK_ACLS = 1 << 4,
    S3_IGNORE_ACLS = 1 << 5,
    S3_BLOCK_POLICY = 1 << 6,
    S3_RESTRICT = 1 << 7,
    S3_HAS_OWNERSHIP = 1 << 8,
    S3_BUCKET_KEY = 1 << 9, /* it has a meaning for KMS keys alone */
    S3_POLICY_IS_PUBLIC = 1 << 10,
    S3_TO_EVENT_BUS = 1 << 11, /* events go to the default bus, all of them */
    S3_DEFAULT_KMS = 1 << 12,  /* objects are encrypted under `kms_key` unless they say otherwise */
    S3_OWNER_WRITER = 1 << 14, /* with S3_HAS_OWNERSHIP; neither: the bucket's owner is enforced */
    S3_OWNER_PREFERRED = 1 << 15,
    S3_LOCKS = 1 << 16,    /* object lock: never taken back, and versions stay on */
    S3_HAS_SITE = 1 << 17, /* `site` is one */
    S3_HAS_SSE = 1 << 18,  /* its encryption was put, not only defaulted to */
    S3_REQUESTER_PAYS = 1 << 20,
    S3_ACCELERATE_SUSPENDED = 1 << 21, /* it was once asked for so: shown ever since */
    S3_REGION_EU = 1 << 19,            /* made in "EU", which is told as its location ever since */
    S3_LIFE_VARIES = 1 << 13, /* transitions' least size varies by class: shown, without effect */
};

enum s3_algo { S3_NO_CHECKSUM, S3_CRC32, S3_CRC32C, S3_CRC64NVME, S3_SHA1, S3_SHA256, S3_ALGOS };

/* Checksum of an object or part. */
struct s3_sum {
    enum s3_algo algo;
    bool composite;
    struct str text; /* base64, with "-N" when composite */
};

enum s3_body_kind {
    S3_BODY_EMPTY,
    S3_BODY_BYTES, /* under a key of their own */
    S3_BODY_FILE,
    S3_BODY_PARTS,
    S3_BODY_RECORD, /* in the object's record */
};

struct s3_body {
    enum s3_body_kind kind;
    struct s3_id id;  /* in s3_k_bytes, s3_k_file or s3_k_manifest, by kind */
    uint64_t n_parts; /* S3_BODY_PARTS */
    struct str bytes; /* S3_BODY_RECORD */
};

/* Storage classes whose objects can be read at once. Never renumber: part of the disk format. */
enum s3_class {
    S3_STANDARD,
    S3_REDUCED_REDUNDANCY,
    S3_STANDARD_IA,
    S3_ONEZONE_IA,
    S3_INTELLIGENT_TIERING,
    S3_GLACIER_IR,
    S3_CLASSES,
};

/* Object lock (s3_lock.h). Never renumber: part of the disk format. */
enum s3_lock_mode { S3_LOCK_NONE, S3_LOCK_GOVERNANCE, S3_LOCK_COMPLIANCE, S3_LOCK_MODES };
struct s3_lock {
    enum s3_lock_mode mode;
    int64_t until_ms; /* of a mode */
    bool legal_hold;
    bool hold_given; /* it was once said, on or off */
};

/* An access control list (s3_acl.h). AWS takes 100 grants, so no more accounts than that. */
enum { S3_ACL_GRANTS_MAX = 100 };
struct s3_acl_other {
    struct str account; /* never the one that the list is of */
    uint64_t rights;    /* bits 1 << enum s3_acl_right */
};
struct s3_acl {
    uint64_t bits; /* of s3_acl.h; 0: none was given */
    struct s3_acl_other *others;
    size_t n_others;
};

/* What a client says about an object's form. Absent where it said nothing. */
struct s3_attrs {
    struct str content_type, cache_control, content_disposition, content_encoding, content_language,
        expires, website_redirect;
    struct s3_pairs metadata; /* lower-case names */
    struct s3_pairs tags;
    enum s3_class storage_class; /* kept and shown: all are stored alike */
    struct s3_acl acl;
    struct s3_lock lock;
    struct str owner; /* account of the writer that kept it; absent: the bucket's */
};

/* Encryption under a key of KMS (s3_sse.c) or of the customer's. */
struct s3_sse {
    struct str key_arn;  /* absent: there is none, and the next ones are absent, too */
    struct str data_key; /* as KMS sealed it */
    struct str file_key; /* of the bytes, sealed with the data key */
    struct str context;  /* the user's encryption context, JSON; absent: none */
    bool bucket_key;     /* the data key is the bucket's */
    struct str
        customer; /* mark of the customer's key (s3_customer.c), without key_arn; absent: none */
    struct str customer_key; /* itself, while the request lasts: in no record */
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
    struct s3_sse sse;
};
#define S3_NULL_VERSION STR("null")

struct s3_upload_rec {
    int64_t initiated_ms;
    enum s3_algo algo;
    bool algo_given; /* by the client, otherwise the default */
    bool composite;
    struct s3_attrs attrs;
    struct s3_sse sse;
    uint64_t began_seq; /* versions of the key that are newer came while it was under way */
    bool replaces;      /* the key was there when it began */
    struct str account, initiator; /* who began it, and his ARN; absent: he did not sign */
};

/* Order of a version: of the null one among the old ones, and of what a completed upload became, for
 * a client that asks again (its first answer was lost). */
struct s3_seq_rec {
    uint64_t seq;
};

struct s3_count_rec {
    uint64_t buckets;
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

/* What a referenced file must hold, and whose it was when it was made: damage is reported so. */
struct s3_file_rec {
    uint64_t size;
    uint64_t bucket;
    struct str key;
};

/* Rules of a bucket's notifications. */
enum s3_event {
    S3_EVENT_PUT,
    S3_EVENT_COPY,
    S3_EVENT_COMPLETE,
    S3_EVENT_DELETE,
    S3_EVENT_MARKER,
    S3_EVENT_TAGS_PUT,
    S3_EVENT_TAGS_DELETE,
    S3_EVENT_EXPIRED,        /* removed by a lifecycle rule */
    S3_EVENT_EXPIRED_MARKER, /* a lifecycle rule made a delete marker */
    S3_EVENT_ACL_PUT,
    S3_EVENTS,
};
/* Never renumber: part of the disk format. */
enum s3_rule_kind { S3_TO_FUNCTION, S3_TO_QUEUE, S3_TO_TOPIC, S3_RULE_KINDS };
struct s3_rule {
    enum s3_rule_kind kind;
    struct str id, arn;
    uint32_t events;            /* bits 1 << enum s3_event, made of the names */
    struct s3_event_list names; /* the events as configured */
    struct str prefix, suffix;  /* absent: none */
};
struct s3_rules {
    struct s3_rule *v;
    size_t n;
};

/* Cross-origin rules. */
struct s3_cors {
    struct cors_rule *v;
    size_t n;
};

/* How a lifecycle rule said what it is about. Never renumber: part of the disk format. */
enum s3_life_form { S3_LIFE_PREFIX, S3_LIFE_FILTER, S3_LIFE_AND, S3_LIFE_FORMS };
#define S3_LIFE_NONE (-1) /* a date or size that is not given */
struct s3_life_rule {
    struct str id;
    bool enabled;
    enum s3_life_form form;
    struct str prefix;     /* absent: none */
    struct s3_pairs tags;  /* all of them */
    int64_t over, under;   /* bytes, both exclusive, or S3_LIFE_NONE */
    int64_t days, date_ms; /* current versions expire: 0 and S3_LIFE_NONE where not given */
    bool has_expired_marker, expired_marker;
    int64_t noncurrent_days; /* 0: noncurrent versions stay */
    int64_t noncurrent_kept; /* newer noncurrent ones that stay all the same; 0: none */
    int64_t abort_days;      /* 0: uploads stay */
};
struct s3_life {
    struct s3_life_rule *v;
    size_t n;
};

/* A static website. */
struct s3_move { /* where to; what is absent stays as it was asked for */
    struct str host, protocol;
    struct str code; /* absent: 301 */
    struct str prefix,
        key; /* of which one at most: instead of the prefix that was met, or of all */
};
struct s3_site_rule {
    struct str prefix, error_code; /* conditions; absent: none */
    struct s3_move to;
};
struct s3_site {
    struct str index, error; /* suffix of folders, key of the error document; absent: none */
    struct s3_move all;      /* host absent: requests are served here */
    struct s3_site_rule *rules;
    size_t n_rules;
};

/* A metrics configuration: whose requests CloudWatch hears of (s3_meter.h). */
struct s3_meter {
    struct str id;
    struct str prefix; /* of keys; absent: all requests to the bucket */
};
struct s3_meters {
    struct s3_meter *v; /* in the order of their ids */
    size_t n;
};

/* Server access logging (s3_log.h). Never renumber: part of the disk format. */
enum s3_log_form {
    S3_LOG_UNSAID,      /* as the next one, but not shown */
    S3_LOG_SIMPLE,      /* prefix and time of delivery */
    S3_LOG_BY_EVENT,    /* partitioned by account, region, bucket and the day of the requests */
    S3_LOG_BY_DELIVERY, /* or of the delivery */
    S3_LOG_FORMS,
};
struct s3_logging {
    struct str bucket, prefix; /* where to; bucket absent: nothing is logged */
    enum s3_log_form form;
    struct s3_acl grants; /* on log objects */
};

/* A bucket with all that a call needs to know of it: one record, mirrored by a catalogue. */
struct s3_bucket_rec {
    uint64_t id;
    struct str region;
    int64_t created_ms;
    enum s3_versioning versioning;
    uint64_t flags;
    struct str policy; /* its JSON; absent: none */
    struct s3_rules rules;
    struct s3_cors cors;
    struct str kms_key; /* KMSMasterKeyID as given; absent: none, or alias/aws/s3 */
    struct s3_life life;
    struct s3_acl acl;
    struct s3_site site;
    /* Retention of new objects: S3_LOCK_NONE, or one of the two. */
    enum s3_lock_mode lock_mode;
    int64_t lock_days, lock_years;
    struct s3_meters meters;
    struct s3_logging logging;
    struct str account; /* whose it is; absent: the configured one's (s3_bucket_owner) */
};
/* Without ownership controls the writer of an object owns it, and lists count. */
static inline bool s3_owner_enforced(const struct s3_bucket_rec *b)
{
    return (b->flags & (S3_HAS_OWNERSHIP | S3_OWNER_WRITER | S3_OWNER_PREFERRED)) ==
           S3_HAS_OWNERSHIP;
}

extern const struct record_type s3_bucket_type, s3_object_type, s3_upload_type, s3_seq_type,
    s3_count_type, s3_part_type, s3_manifest_type, s3_rules_type, s3_file_type;

/* Packs what the last argument points to by its table and stages it. ERR_LIMIT, ERR_NOMEM, and the
 * store's errors. */
#define S3_PUT(txn, key, type, ...)                                                                \
    s3_put_record((txn), (key), (type), (__VA_ARGS__), sizeof(*(__VA_ARGS__)))
enum err s3_put_record(struct txn *txn, struct str key, const struct record_type *type,
                       const void *rec, size_t size) WARN_UNUSED;

#endif
