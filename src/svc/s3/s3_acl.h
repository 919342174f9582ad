/* Access control lists: s3_acl.c. Layer: svc. Thread: the call's loop; what takes no call is pure. */
#ifndef WEIR_SVC_S3_S3_ACL_H
#define WEIR_SVC_S3_S3_ACL_H

#include "svc/s3/s3_int.h"

/* A list (struct s3_acl) is a set of bits, one for each permission of each grantee: the account whose list
 * it is and the groups that S3 has; and the other accounts that it names. No bits: none was given, the owner
 * has full control. Never renumber: part of the disk format. */
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
bool s3_acl_public(const struct s3_acl *acl);
/* Whether it grants `p` to a group in which `who` is; of the owner's grants nothing is said: his own
 * policies rule. */
bool s3_acl_allows(const struct s3_acl *acl, const struct principal *who, enum s3_acl_right p);
/* Whether it grants `p` to another account, which it names. */
bool s3_acl_names(const struct s3_acl *acl, struct str account, enum s3_acl_right p);
/* Whether anything is granted to anybody, the owner included. */
static inline bool s3_acl_any(const struct s3_acl *acl)
{
    return acl->bits != 0 || acl->n_others > 0;
}
bool s3_acl_same(const struct s3_acl *a, const struct s3_acl *b);
/* Adds to what the account has, in a list that this alone fills. ERR_LIMIT beyond S3_ACL_GRANTS_MAX accounts. */
enum err s3_acl_give(struct arena *a, struct s3_acl *acl, struct str account,
                     enum s3_acl_right p) WARN_UNUSED;
/* Into another arena. */
enum err s3_acl_dup(struct arena *a, const struct s3_acl *acl, struct s3_acl *ret_acl) WARN_UNUSED;
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
/* Reads it: *ret_acl without bits where nothing was asked for. Sets the call's error. */
enum err s3_acl_read(struct call *call, const struct s3_acl_ask *ask, bool bucket,
                     struct s3_acl *ret_acl) WARN_UNUSED;
/* Adds one grant of a document to the list. Sets the call's error. */
enum err s3_acl_read_grant(struct call *call, const struct s3_grant *grant,
                           struct s3_acl *acl) WARN_UNUSED;
/* Those who have the permission, as the header that grants it names them; STR_NONE: nobody. */
enum { S3_ACL_TEXT_MAX = 8 * 1024 };
struct str s3_acl_header(struct call *call, const struct s3_acl *acl, enum s3_acl_right p);
/* The same, and whether the bucket takes such a list: it may enforce its owner, or refuse public ones. */
enum err s3_acl_take(struct call *call, const struct s3_bucket_rec *b, const struct s3_acl_ask *ask,
                     bool bucket, struct s3_acl *ret_acl) WARN_UNUSED;
/* BucketOwnerEnforced and the like; false: none of these. */
bool s3_set_ownership(struct s3_bucket_rec *b, struct str name);
/* The list that a bucket is made with, and whether its other settings take it. */
enum err s3_acl_of_new_bucket(struct call *call, const struct s3_create_bucket_input *in,
                              struct s3_bucket_rec *b) WARN_UNUSED;
/* s3_acl_take of an object that is made, and the permission that granting needs. */
enum err s3_acl_choose(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_acl_ask *ask, struct s3_attrs *attrs) WARN_UNUSED;
/* Whether the call may read an object that its writer keeps, of which the policies of the bucket say nothing,
 * or do to its list what it is about to. Sets the call's error. */
enum err s3_acl_lets(struct call *call, const struct s3_bucket_rec *b,
                     const struct s3_object_rec *rec) WARN_UNUSED;
/* The owner of an object, or of an upload that will be one, as lists show it: its writer, where he kept it, or `owner`. */
const struct s3_owner *s3_object_owner(struct call *call, const struct s3_bucket_rec *b,
                                       const struct s3_attrs *attrs, const struct s3_owner *owner);
/* As replies show it, in a bucket that enforces its owner as well: v == NULL on exhaustion. */
struct s3_grants s3_acl_show(struct call *call, const struct s3_bucket_rec *b,
                             const struct s3_owner *owner, const struct s3_acl *acl);

/* svc_def.grants: what no policy allowed. */
enum err s3_acl_grants(void *self, struct txn *txn, struct call *call, const struct principal *who,
                       struct str action, struct str arn, enum svc_grant *ret_grant);

#endif
