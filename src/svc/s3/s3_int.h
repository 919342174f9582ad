/* Inside the S3 service: the instance, files of object bytes, versions of keys, shared checks.
 *
 * Invariants
 *   SF1 A file under objects/ is referenced by a key of s3_k_file, or it has a marker of its name in
 *       staging/ (an upload under way), or it is listed in s3_k_trash (its reference is gone).
 *   SF2 A file is synced, and so is its folder, before a commit references it.
 *   SF3 A file is removed only after the commit that dropped its reference is durable, and while no
 *       reply that may still read it is being sent (pins).
 *   SV1 s3_k_current has exactly the keys whose newest version is an object. Whatever changes a
 *       version of a key reads and writes the key's entry there, so that writers of a key meet.
 *   SV2 Whoever makes a key where there was none also writes a guard, so that DeleteBucket, which
 *       reads them all, cannot miss it.
 *   SV3 A bucket's record has all of its settings. Who only reads takes it from memory; who writes
 *       in a bucket reads the record itself, tracked, so that it meets whoever changes or deletes the
 *       bucket meanwhile.
 *
 * Layer: svc. Thread: any loop; background removal on the home loop and the worker pool. */
#ifndef WEIR_SVC_S3_S3_INT_H
#define WEIR_SVC_S3_S3_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "codec/seal.h"
#include "core/call.h"
#include "core/catalogue.h"
#include "core/claim.h"
#include "svc/s3/s3_record.h"
#include "svc/s3/s3_rules.h"
#include "svc/s3/s3_sum.h"

struct job_kind;
struct s3_logs;

struct s3 {
    struct core *core;
    struct s3_port port;                 /* what others use of this */
    struct str objects_dir, staging_dir; /* NUL-terminated */
    struct arena arena;                  /* process lifetime, start-up only */
    pthread_mutex_t lock;                /* pins */
    struct list pins;                    /* oldest first */
    struct job_kind *clean;              /* the job (s3_clean.c) */
    struct catalogue *buckets;           /* s3_bucket.c's */
    struct job_kind *scrub;              /* s3_scrub.c's */
    struct job_kind *expire;             /* s3_expire.c's */
    struct job_kind *sizes;              /* s3_sizes.c's */
    struct core_claim site_claim;        /* serve_website.c's */
    struct core_claim post_claim;        /* serve_form.c's, as the next */
    struct wire_op post_op;
    struct s3_logs *logs;           /* s3_log.c's */
    atomic_bool metered;            /* a bucket has, or had, a metrics configuration */
    atomic_bool logged;             /* the same of server access logging */
    _Atomic uint64_t damaged_reads; /* replies and copies that met damaged files */
    _Atomic uint64_t scrubbed_bytes, scrub_damaged; /* since start */
};

/* --- files (s3_files.c) ----------------------------------------------------------------------- */

enum { S3_PATH_MAX = 4096 };

/* Path of a file, NUL-terminated. */
void s3_file_path_to(const struct s3 *s3, const struct s3_id *id, char path[S3_PATH_MAX]);
/* Unlinks a file and its marker; absent ones are fine. False when the file is still there. */
bool s3_file_remove(const struct s3 *s3, const struct s3_id *id);
/* Markers left by a stop in the middle of uploads: removes their files unless referenced. */
enum err s3_files_recover(struct s3 *s3) WARN_UNUSED;
/* Says where the folders are, in s3->arena. ERR_NOMEM, ERR_LIMIT: the path is too long. */
enum err s3_files_locate(struct s3 *s3) WARN_UNUSED;
/* The same, and makes them. ERR_IO too. */
enum err s3_files_open(struct s3 *s3) WARN_UNUSED;

/* The key and the bucket that a file was made for. */
struct s3_made_for {
    uint64_t bucket;
    struct str key;
};

/* What bytes are sealed with (s3_sse.c). */
struct s3_cipher {
    bool on;
    uint8_t key[SEAL_KEY_BYTES]; /* the file key */
};
enum {
    S3_BLOCK_BYTES = 64 * 1024, /* of a file, with a checksum of its own (s3_read.h) */
    /* What a block of a sealed file holds. */
    S3_PIECE_BYTES = S3_BLOCK_BYTES - SEAL_PIECE_MORE_BYTES,
};
/* Pieces of `size` bytes; and what they are when sealed. */
static inline uint64_t s3_pieces(uint64_t size)
{
    return size ? (size + S3_PIECE_BYTES - 1) / S3_PIECE_BYTES : 1;
}
static inline uint64_t s3_stored_bytes(uint64_t size, bool sealed)
{
    return sealed ? size + s3_pieces(size) * SEAL_PIECE_MORE_BYTES : size;
}
/* The key of one file. */
void s3_cipher_file(const struct s3_cipher *c, const struct s3_id *id,
                    uint8_t ret_key[SEAL_KEY_BYTES]);
/* Seals bytes that the store itself keeps; nothing where the cipher is off. */
enum err s3_cipher_seal(const struct s3_cipher *c, const struct s3_id *id, struct arena *a,
                        struct str *bytes) WARN_UNUSED;
/* The ETag: hex of the MD5, or, of sealed bytes, of what says nothing of them. STR_NONE on exhaustion. */
struct str s3_cipher_etag(const struct s3_cipher *c, struct arena *a,
                          const uint8_t md5[HASH_MD5_LEN]);

/* Bytes on their way in: up to `inline_max` stay in memory, more go to a file. Digests are computed
 * on the way. */
struct s3_writer {
    struct s3 *s3;
    struct s3_id id;
    int fd;
    bool has_file;         /* made, and to be removed unless kept */
    uint32_t block_crc;    /* of the block that the bytes so far end in */
    struct buf block_sums; /* of the blocks before it, as in the file */
    bool kept;             /* a commit references the file */
    size_t inline_max;
    struct buf small;
    uint64_t size;
    uint64_t sent_off;       /* bytes that the disk was told to begin with */
    struct s3_cipher cipher; /* set before the first byte; off: the bytes stay as they are */
    struct s3_sse sse;       /* likewise; what is known of it before the commit */
    uint64_t stored;         /* bytes of the file */
    uint8_t file_key[SEAL_KEY_BYTES];
    struct buf piece; /* plain: the last of a sealed file is known at its end */
    uint64_t n_pieces;
    struct s3_summer summer;
    uint8_t md5[HASH_MD5_LEN];
    uint8_t sums[S3_ALGOS][S3_SUM_LEN_MAX];
};
/* `algos`: bits 1 << enum s3_algo; `cipher` NULL: off. ERR_NOMEM. */
enum err s3_writer_new(struct s3 *s3, uint32_t algos, size_t inline_max,
                       const struct s3_cipher *cipher, struct s3_writer **ret_w) WARN_UNUSED;
/* Takes bytes, and ends. ERR_LIMIT over S3_PUT_MAX. */
enum err s3_writer_write(struct s3_writer *w, const void *p, size_t len) WARN_UNUSED;
enum err s3_writer_finish(void *w) WARN_UNUSED;
/* Removes the file unless a commit references it. */
void s3_writer_free(void *w);
/* Hands the writer to the call's arena and makes the call's sink of it. */
enum err s3_writer_sink(struct s3_writer *w, struct call *call,
                        struct call_sink *ret_sink) WARN_UNUSED;
/* Stages what makes the bytes part of the store, and arranges that the file stays. `made_for` tells
 * whoever finds the file damaged whose it is. */
enum err s3_writer_stage(struct s3_writer *w, struct txn *txn, const struct s3_made_for *made_for,
                         struct s3_body *ret_body) WARN_UNUSED;
/* The ETag; base64 of a checksum. STR_NONE on exhaustion. */
struct str s3_writer_etag(const struct s3_writer *w, struct arena *a);
struct str s3_writer_sum(const struct s3_writer *w, struct arena *a, enum s3_algo algo);

/* A reader of files: while it is linked nothing that its snapshot shows is removed. */
struct s3_pin {
    struct s3 *s3;
    struct list link;
    int64_t since_ms;
};
void s3_pin(struct s3 *s3, struct s3_pin *pin, int64_t since_ms);
void s3_unpin(void *pin);

/* --- removal of files (s3_clean.c) ------------------------------------------------------------ */

/* Makes the job of it; before the jobs start. ERR_NOMEM. */
enum err s3_clean_register(struct s3 *s3) WARN_UNUSED;

/* --- buckets (s3_bucket.c) -------------------------------------------------------------------- */

enum {
    S3_BUCKET_BYTES_MAX = 4 * 1024 * 1024
}; /* what decoding may take: a policy, 100 rules of either kind */

/* Makes the mirror, and fills it at start: O(buckets). ERR_NOMEM, ERR_CORRUPT, ERR_IO. */
enum err s3_buckets_new(struct s3 *s3) WARN_UNUSED;
enum err s3_buckets_load(struct s3 *s3) WARN_UNUSED;

struct s3_bucket_ref {
    struct str name;
    struct s3_bucket_rec rec; /* what it points to lives as long as the transaction's arena */
};
/* The refusal of a call on a bucket that is not there, which anybody is told. ERR_OK: it is another refusal. */
enum err s3_bucket_missing(struct call *call, struct str name) WARN_UNUSED;
/* Whose a bucket is; the memory's or the record's. */
struct str s3_bucket_owner(const struct core *core, const struct s3_bucket_rec *rec);
/* svc_def.arn_owner. */
enum err s3_arn_owner(void *self, struct txn *txn, struct str arn, struct str *ret_account);
/* For reading: from memory (SV3). ERR_FAILED with NoSuchBucket, or AccessDenied when the bucket's
 * owner is not `expected_owner`. */
enum err s3_bucket_peek(struct call *call, struct str name, struct str expected_owner,
                        struct s3_bucket_ref *ret_b) WARN_UNUSED;
/* For writing: tracked, so that a bucket that is deleted meanwhile is a conflict. */
enum err s3_bucket_get(struct call *call, struct str name, struct str expected_owner,
                       struct s3_bucket_ref *ret_b) WARN_UNUSED;
/* The same two for code without a call: the record in memory, held until the arena goes; the stored
 * one, tracked. ERR_NOT_FOUND. */
enum err s3_bucket_known(struct s3 *s3, struct txn *txn, struct str name,
                         const struct s3_bucket_rec **ret_rec) WARN_UNUSED;
/* Outside of transactions: maybe a commit behind, or one ahead of what is durable. */
enum err s3_bucket_seen(struct s3 *s3, struct arena *a, struct str name,
                        const struct s3_bucket_rec **ret_rec) WARN_UNUSED;
enum err s3_bucket_read(struct txn *txn, struct str name,
                        struct s3_bucket_rec *ret_rec) WARN_UNUSED;
/* A stored record; it borrows from the bytes. Absent bytes are ones for which there was no memory.
 * ERR_CORRUPT, ERR_NOMEM. */
enum err s3_bucket_unpack(struct arena *a, struct str bytes,
                          struct s3_bucket_rec *ret_rec) WARN_UNUSED;
/* The same for a scan over all buckets: what it points to borrows from the bytes and from `scratch`,
 * which is cleared first, so that a scan takes no more memory than one bucket. */
enum err s3_bucket_glance(struct arena *scratch, struct str bytes,
                          struct s3_bucket_rec *ret_rec) WARN_UNUSED;
/* Stage the record, and the change of the mirror that follows. */
enum err s3_bucket_put(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b) WARN_UNUSED;
enum err s3_bucket_del(struct s3 *s3, struct txn *txn, struct str name) WARN_UNUSED;

/* --- versions (s3_object.c) ------------------------------------------------------------------- */

/* The transaction's time as S3 shows it: whole seconds, in ms. */
static inline int64_t s3_now(const struct txn *txn)
{
    return txn->wall_ms / 1000 * 1000;
}

/* Current version. ERR_NOT_FOUND also when a delete marker hides the object. */
enum err s3_current(struct txn *txn, uint64_t bucket, struct str key, bool tracked,
                    struct s3_object_rec *ret_rec) WARN_UNUSED;
/* A version by id, current or not, object or marker. *ret_current says where it was. ERR_NOT_FOUND,
 * ERR_INVALID (malformed id). */
enum err s3_version(struct txn *txn, uint64_t bucket, struct str key, struct str version_id,
                    bool tracked, struct s3_object_rec *ret_rec, bool *ret_current) WARN_UNUSED;
/* The order of what is made now, where nothing newer is. */
uint64_t s3_seq_now(const struct txn *txn);
/* Newest entry of s3_k_version. ERR_NOT_FOUND. */
enum err s3_newest_old(struct txn *txn, uint64_t bucket, struct str key,
                       struct s3_object_rec *ret_rec) WARN_UNUSED;
/* Makes `rec` the current version: gives it seq and version id, keeps or removes what was there. */
enum err s3_put_current(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                        struct str key, struct s3_object_rec *rec) WARN_UNUSED;
/* Rewrites a version in place (tags). */
enum err s3_rewrite(struct txn *txn, uint64_t bucket, struct str key,
                    const struct s3_object_rec *rec, bool current) WARN_UNUSED;

struct s3_deletion {
    bool happened; /* something was removed or a marker made: an event is due */
    bool made_marker;
    bool removed_marker;
    struct str version_id; /* of the marker made, or of the version removed; absent: unversioned */
    uint64_t seq;
    uint64_t size;
};
/* DeleteObject without and with a version id. */
enum err s3_delete_key(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                       struct str key, struct s3_deletion *ret_d) WARN_UNUSED;
enum err s3_delete_version(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                           struct str key, struct str version_id,
                           struct s3_deletion *ret_d) WARN_UNUSED;

/* --- bodies (s3_body.c) ----------------------------------------------------------------------- */

/* Whether the store itself has the bytes: in the record, or under a key. */
static inline bool s3_body_is_small(const struct s3_body *body)
{
    return body->kind == S3_BODY_EMPTY || body->kind == S3_BODY_RECORD ||
           body->kind == S3_BODY_BYTES;
}
/* Bytes of a small body. */
enum err s3_body_bytes(struct txn *txn, const struct s3_body *body,
                       struct str *ret_bytes) WARN_UNUSED;
/* A range of a file. */
struct s3_span {
    struct s3_id file;
    uint64_t size; /* bytes that the file holds */
    uint64_t from, len;
};
/* Those that make up [from, from + len) of a body of kind FILE or PARTS, in `a`. */
enum err s3_body_spans(struct txn *txn, const struct s3_object_rec *rec, uint64_t from,
                       uint64_t len, struct arena *a, struct s3_span **ret_spans,
                       size_t *ret_n) WARN_UNUSED;
enum err s3_body_manifest(struct txn *txn, const struct s3_body *body,
                          struct s3_manifest *ret_manifest) WARN_UNUSED;
/* Stages the removal of a file whose reference goes in this commit. */
enum err s3_trash_file(struct s3 *s3, struct txn *txn, const struct s3_id *id) WARN_UNUSED;
/* The same for all that a body consists of. */
enum err s3_trash_body(struct s3 *s3, struct txn *txn, const struct s3_body *body) WARN_UNUSED;
/* Has the job of s3_clean.c look for work once this commit is durable. */
enum err s3_clean_later(struct s3 *s3, struct txn *txn) WARN_UNUSED;

/* --- shared checks and errors (s3_common.c) --------------------------------------------------- */

enum err s3_no_such_key(struct call *call, struct str bucket, struct str key) WARN_UNUSED;
/* InvalidArgument about a version id. Always ERR_FAILED (or ERR_NOMEM). */
enum err s3_bad_version(struct call *call, struct str version_id) WARN_UNUSED;
/* s3_find.c. A version for a reading operation: current, or by id; delete markers and absence as S3's errors.
 * *ret_current may be NULL. */
enum err s3_find_for_read(struct call *call, const struct s3_bucket_ref *b, struct str key,
                          struct str version_id, struct s3_object_rec *ret_rec,
                          bool *ret_current) WARN_UNUSED;
/* An object's key; a text as long as one at most; that of a list's parameter (a prefix or marker). */
enum err s3_check_key(struct call *call, struct str key) WARN_UNUSED;
enum err s3_check_key_text(struct call *call, struct str key) WARN_UNUSED;
enum err s3_check_list_text(struct call *call, const char *name, struct str text) WARN_UNUSED;
/* A key that the customer sent along; texts of headers, absent without one. */
struct s3_customer {
    struct str algorithm, key, key_md5;
    bool of_upload; /* for a part, whose upload says whether there is to be one */
};
#define S3_CUSTOMER(in)                                                                            \
    ((struct s3_customer){(in)->sse_customer_algorithm, (in)->sse_customer_key,                    \
                          (in)->sse_customer_key_md5, false})
#define S3_SOURCE_CUSTOMER(in)                                                                     \
    ((struct s3_customer){(in)->copy_source_sse_customer_algorithm,                                \
                          (in)->copy_source_sse_customer_key,                                      \
                          (in)->copy_source_sse_customer_key_md5, false})
#define S3_UPLOAD_CUSTOMER(in)                                                                     \
    ((struct s3_customer){(in)->sse_customer_algorithm, (in)->sse_customer_key,                    \
                          (in)->sse_customer_key_md5, true})
/* Refuses what an object-making request asks for and Weir does not do. */
struct s3_wishes {
    struct s3_customer customer;
    struct str sse, kms_key_id, kms_context, storage_class, lock_mode, legal_hold;
    int64_t lock_until;
    bool has_lock_until, has_bucket_key, bucket_key;
};
#define S3_WISHES(in)                                                                              \
    (&(struct s3_wishes){.sse = (in)->server_side_encryption,                                      \
                         .customer = S3_CUSTOMER(in),                                              \
                         .kms_key_id = (in)->ssekms_key_id,                                        \
                         .kms_context = (in)->ssekms_encryption_context,                           \
                         .has_bucket_key = (in)->has_bucket_key_enabled,                           \
                         .bucket_key = (in)->bucket_key_enabled,                                   \
                         .storage_class = (in)->storage_class,                                     \
                         .lock_mode = (in)->object_lock_mode,                                      \
                         .legal_hold = (in)->object_lock_legal_hold_status,                        \
                         .lock_until = (in)->object_lock_retain_until_date,                        \
                         .has_lock_until = (in)->has_object_lock_retain_until_date})
/* InvalidArgument about `value` of the parameter or header `name`. Always ERR_FAILED (or ERR_NOMEM). */
enum err s3_bad_argument(struct call *call, const char *name, struct str value,
                         const char *message) WARN_UNUSED;
/* The number of a list's entries that a request wants, from its parameter. */
enum err s3_list_size(struct call *call, const char *name, bool has, int64_t max,
                      size_t *ret_max) WARN_UNUSED;
enum err s3_check_wishes(struct call *call, const struct s3_wishes *w) WARN_UNUSED;
/* NotImplemented about a header. Always ERR_FAILED (or ERR_NOMEM). */
enum err s3_refuse_header(struct call *call, const char *header) WARN_UNUSED;
/* Refuses what no operation here honours, whichever it is sent with (P4). */
enum err s3_refuse_headers(struct call *call) WARN_UNUSED;
/* Metadata, tags and headers of an object-making request. */
#define S3_ATTRS(call, in, ret_attrs)                                                              \
    s3_make_attrs((call),                                                                          \
                  &(struct s3_attrs){.content_type = (in)->content_type,                           \
                                     .cache_control = (in)->cache_control,                         \
                                     .content_disposition = (in)->content_disposition,             \
                                     .content_encoding = (in)->content_encoding,                   \
                                     .content_language = (in)->content_language,                   \
                                     .expires = (in)->expires,                                     \
                                     .website_redirect = (in)->website_redirect_location,          \
                                     .storage_class = s3_class_of((in)->storage_class)},           \
                  &(in)->metadata, (in)->tagging, (ret_attrs))
enum err s3_make_attrs(struct call *call, const struct s3_attrs *headers,
                       const struct s3_metadata *metadata, struct str tagging,
                       struct s3_attrs *ret_attrs) WARN_UNUSED;
/* s3_tags.c: rules of objects' tags, and buckets' row. */
extern const struct tags_rules s3_object_tag_rules;
extern const struct tags_service s3_tags;
struct s3_tag_set s3_give_tags(struct arena *a, struct s3_pairs tags);
/* "\"etag\"" */
struct str s3_quote(struct arena *a, struct str etag);
/* The checksum algorithm of a streamed request, by header or announced trailer. */
enum err s3_stream_algo(struct call *call, const struct s3_claims *claims, struct str sdk_algorithm,
                        enum s3_algo *ret_algo) WARN_UNUSED;
/* Compares what arrived with what was promised: Content-MD5, checksum header, trailer. */
enum err s3_verify_stream(struct call *call, const struct s3_writer *w, struct str content_md5,
                          const struct s3_claims *claims) WARN_UNUSED;
/* A checksum's algorithm by its name, absent or one that Weir computes. Sets the call's error. */
enum err s3_check_algorithm(struct call *call, struct str name) WARN_UNUSED;
enum err s3_check_md5_form(struct call *call, struct str content_md5) WARN_UNUSED;
/* Content-MD5 of a buffered body. */
enum err s3_verify_body(struct call *call, struct str content_md5) WARN_UNUSED;
/* If-Match and If-None-Match of a writing request against the current version. */
enum err s3_check_write_conditions(struct call *call, const struct s3_bucket_ref *b, struct str key,
                                   struct str if_match, struct str if_none_match) WARN_UNUSED;
/* To a request that says that it pays, where requesters do. */
#define S3_TELL_CHARGED(out, in, flags)                                                            \
    do {                                                                                           \
        if (((flags)&S3_REQUESTER_PAYS) && str_is_set((in)->request_payer))                        \
            (out)->request_charged = STR("requester");                                             \
    } while (0)
/* The account in which the call acts, and another one, as S3 shows owners. NULL on exhaustion. */
struct s3_owner *s3_owner_of(struct call *call);
struct s3_owner *s3_owner_named(struct arena *a, struct str account);
/* "arn:aws:s3:::name[/key]" */
struct str s3_arn(struct call *call, struct str bucket, struct str key);
/* A string for listings: percent-encoded when the client asked for it. */
struct str s3_list_text(struct arena *a, struct str s, bool url);
/* The same of a delimiter, which is not told where it is empty. */
static inline struct str s3_list_delimiter(struct arena *a, struct str s, bool url)
{
    return s.len > 0 ? s3_list_text(a, s, url) : STR_NONE;
}
/* encoding-type: *ret_url. */
enum err s3_check_encoding(struct call *call, struct str encoding_type, bool *ret_url) WARN_UNUSED;

/* --- policies (s3_policy.c) ------------------------------------------------------------------- */

enum err s3_resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json);
enum err s3_cors_rules(void *self, struct arena *a, const struct wire_routed *routed,
                       const struct cors_rule **ret_rules, size_t *ret_n);
enum err s3_auth_context(struct call *call, const void *in, struct policy_context *ctx);
/* The key in an object's ARN. */
struct str s3_arn_key(struct str arn);
/* The version of an object (by its ARN) that the call reads or changes. ERR_NOT_FOUND, ERR_INVALID. */
enum err s3_object_asked(struct txn *txn, struct call *call, const struct s3_bucket_rec *b,
                         struct str arn, struct s3_object_rec *ret_rec) WARN_UNUSED;
enum err s3_resource_keys(void *self, struct txn *txn, struct call *call, struct str action,
                          struct str arn, struct policy_context *ctx);
enum err s3_authorize_more(struct call *call, const void *in);
/* RestrictPublicBuckets: a public policy lets in nobody from outside the account. Where requesters pay, another
 * account says that it does, and who did not sign cannot. */
enum err s3_policy_keeps_out(struct call *call, struct str bucket) WARN_UNUSED;
/* Whether a policy lets everyone in (S3 User Guide, "The meaning of public"). ERR_NOMEM. */
enum err s3_policy_public(struct arena *a, struct str json, bool *ret_public) WARN_UNUSED;

/* --- websites (serve_website.c) ------------------------------------------------------------------ */

/* Takes requests to the host names of websites. ERR_NOMEM. */
enum err s3_site_start(struct s3 *s3) WARN_UNUSED;
/* What a request that a claim took, here or below, names; false: it is no such. Strings borrow from the
 * call. */
struct s3_claimed {
    struct str bucket, key;
    bool has_size;
    uint64_t size; /* of what was posted */
};
bool s3_site_claimed(struct call *call, struct s3_claimed *ret_what);

/* --- forms (serve_form.c) ------------------------------------------------------------------------ */

/* Takes forms that are posted to buckets. ERR_NOMEM. */
enum err s3_post_start(struct s3 *s3) WARN_UNUSED;
bool s3_post_claimed(const struct call *call, struct s3_claimed *ret_what);

/* --- lists of deletions (op_delete_object.c) ---------------------------------------------------- */

/* A DeleteObjects on its way: the state of its call. */
struct s3_deleting {
    const struct s3_object_identifier *now; /* the one that permissions are asked for; NULL: none */
    struct s3_deleted_object *deleted; /* of a quiet request, too: the access log tells of them */
    struct s3_error *errors;
    size_t n_deleted, n_errors;
    bool bypass; /* governance */
};

/* --- notifications (s3_notify.c) -------------------------------------------------------------- */

struct s3_happening {
    enum s3_event event;
    struct str key;
    struct str version_id; /* absent: unversioned */
    struct str etag;       /* absent in deletions */
    uint64_t size, seq;
};
bool s3_rule_matches(const struct s3_rule *rule, enum s3_event event, struct str key);
/* Whether two rules could both be meant by one event: NULL, or the wording of the refusal. */
const char *s3_rules_overlap(const struct s3_rule *a, const struct s3_rule *b);
/* The event document for a rule. */
void s3_event_json(struct buf *b, struct call *call, struct str bucket, const struct s3_rule *rule,
                   const struct s3_happening *h);
/* A rule's target, for S3 and the bucket. */
struct target s3_target(struct call *call, const struct s3_rule *rule, struct str bucket_arn);
/* Stages the events that `h` causes (P2). */
enum err s3_notify(struct call *call, const struct s3_bucket_ref *b,
                   const struct s3_happening *h) WARN_UNUSED;
/* The same of a deletion, if it happened: `removed`, or `made_marker` where a marker was made. */
enum err s3_notify_deletion(struct call *call, const struct s3_bucket_ref *b, struct str key,
                            const struct s3_deletion *d, enum s3_event removed,
                            enum s3_event made_marker) WARN_UNUSED;

#endif
