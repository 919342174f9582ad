/* Access control lists: s3_acl.c. Layer: svc. Thread: the call's loop; what takes no call is pure. */
#ifndef WEIR_SVC_S3_S3_ACL_H
#define WEIR_SVC_S3_S3_ACL_H

#include "svc/s3/s3_int.h"

/* A list is a set of bits, one for each permission of each grantee: the account that owns everything and
 * the groups that S3 has. 0: none was given, the owner has full control. Never renumber: part of the
 * disk format. */
enum s3_acl_who { S3_OWNER, S3_EVERYONE, S3_SIGNED_IN, S3_LOG_DELIVERY, S3_GRANTEES };
enum s3_acl_right {
    S3_FULL_CONTROL,
    S3_READ,
    S3_WRITE,
    S3_READ_ACP,
    S3_WRITE_ACP,
    S3_PERMISSIONS,
};
#define S3_ACL_GIVEN ((uint64_t)1 << (S3_GRANTEES * S3_PERMISSIONS))
/* Of an object that its writer keeps, in another account's bucket: what the bucket's owner may. */
#define S3_ACL_BUCKET_FULL (S3_ACL_GIVEN << 1)
#define S3_ACL_BUCKET_READ (S3_ACL_GIVEN << 2)
static inline uint64_t s3_acl_bit(enum s3_acl_who g, enum s3_acl_right p)
{
    return (uint64_t)1 << (g * S3_PERMISSIONS + p);
}

/* Whether it grants anything to whoever comes, signed in or not. */
bool s3_acl_public(uint64_t acl);
/* Whether it grants `p` to `who`; of the owner's grants nothing is said: his own policies rule. */
bool s3_acl_allows(uint64_t acl, const struct principal *who, enum s3_acl_right p);
/* Who writes server access logs, as policies and lists know it. */
#define S3_LOG_SERVICE STR("logging.s3.amazonaws.com")
bool s3_is_log_delivery(const struct principal *who);
/* "public-read" and the like; `bucket` or object. ERR_NOT_FOUND. */
enum err s3_acl_canned(struct str name, bool bucket, uint64_t *ret_acl) WARN_UNUSED;

/* What a request says about a list: at most one of the three ways. */
struct s3_acl_ask {
    struct str canned;
    struct str grants[S3_PERMISSIONS]; /* headers, by permission */
    struct str owner; /* account of what the list is of; absent: the one in which the call acts */
    const struct s3_access_control_policy *policy;
};
#define S3_ACL_ASK(in)                                                                             \
    (&(struct s3_acl_ask){.canned = (in)->acl,                                                     \
                          .grants = {(in)->grant_full_control, (in)->grant_read,                   \
                                     (in)->grant_write, (in)->grant_read_acp,                      \
                                     (in)->grant_write_acp},                                       \
                          .policy = (in)->access_control_policy})
#define S3_ACL_ASK_HEADERS(in)                                                                     \
    (&(struct s3_acl_ask){.canned = (in)->acl,                                                     \
                          .grants = {(in)->grant_full_control, (in)->grant_read, STR_NONE,         \
                                     (in)->grant_read_acp, (in)->grant_write_acp}})
/* Reads it: *ret_acl 0 where nothing was asked for. Sets the call's error. */
enum err s3_acl_read(struct call *call, const struct s3_acl_ask *ask, bool bucket,
                     uint64_t *ret_acl) WARN_UNUSED;
/* Adds one grant of a document to the bits. Sets the call's error. */
enum err s3_acl_read_grant(struct call *call, const struct s3_grant *grant,
                           uint64_t *acl) WARN_UNUSED;
/* Those who have the permission, as the header that grants it names them; STR_NONE: nobody. */
struct str s3_acl_header(struct call *call, uint64_t acl, enum s3_acl_right p);
/* The same, and whether the bucket takes such a list: it may enforce its owner, or refuse public ones. */
enum err s3_acl_take(struct call *call, const struct s3_bucket_rec *b, const struct s3_acl_ask *ask,
                     bool bucket, uint64_t *ret_acl) WARN_UNUSED;
/* BucketOwnerEnforced and the like; false: none of these. */
bool s3_set_ownership(struct s3_bucket_rec *b, struct str name);
/* The list that a bucket is made with, and whether its other settings take it. */
enum err s3_acl_of_new_bucket(struct call *call, const struct s3_create_bucket_input *in,
                              struct s3_bucket_rec *b) WARN_UNUSED;
/* s3_acl_take of an object that is made, and the permission that granting needs. */
enum err s3_acl_choose(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_acl_ask *ask, struct s3_attrs *attrs) WARN_UNUSED;
/* Whether the caller may read (or, `all`, do anything to) an object that its writer keeps, which the policies
 * of the bucket say nothing of. Sets the call's error. */
enum err s3_acl_lets(struct call *call, const struct s3_bucket_rec *b,
                     const struct s3_object_rec *rec, bool all) WARN_UNUSED;
/* The object's owner as lists show it: its writer, where he kept it, or `owner`. */
const struct s3_owner *s3_object_owner(struct call *call, const struct s3_bucket_rec *b,
                                       const struct s3_object_rec *rec,
                                       const struct s3_owner *owner);
/* As replies show it, in a bucket that enforces its owner as well: v == NULL on exhaustion. */
struct s3_grants s3_acl_show(struct call *call, const struct s3_bucket_rec *b,
                             const struct s3_owner *owner, uint64_t acl);

/* svc_def.grants: what no policy allowed. */
enum err s3_acl_grants(void *self, struct txn *txn, struct call *call, const struct principal *who,
                       struct str action, struct str arn, bool *ret_allowed);

#endif
