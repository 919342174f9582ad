/* Object lock: s3_lock.c. Layer: svc. Thread: the call's loop. */
#ifndef WEIR_SVC_S3_S3_LOCK_H
#define WEIR_SVC_S3_S3_LOCK_H

#include "svc/s3/s3_int.h"

/* Whether a version may be removed, or its retention be shortened. */
enum s3_hold {
    S3_FREE,
    S3_GOVERNED, /* by who may bypass governance */
    S3_HELD,     /* by nobody: compliance, or a legal hold */
};
/* Pure. `now_ms` wall time. */
enum s3_hold s3_lock_hold(const struct s3_lock *lock, int64_t now_ms);
/* "GOVERNANCE"; absent for none. */
struct str s3_lock_mode_name(enum s3_lock_mode mode);
/* S3_LOCK_MODES: a name of none. */
enum s3_lock_mode s3_lock_mode_of(struct str name);

/* What an object is made with: what the request asks for, which needs permissions of its own, or the
 * bucket's default. Sets the call's error. */
enum err s3_lock_choose(struct call *call, const struct s3_bucket_ref *b, struct str key,
                        const struct s3_wishes *w, struct s3_lock *ret_lock) WARN_UNUSED;
/* ERR_FAILED with AccessDenied while the version must stay; `bypass`: the request asks to bypass
 * governance, which needs a permission. */
enum err s3_lock_check(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_lock *lock, bool bypass) WARN_UNUSED;
/* The same of a version that is to be deleted, by its id; an absent one may go. */
enum err s3_lock_check_version(struct call *call, const struct s3_bucket_ref *b, struct str key,
                               struct str version_id, bool bypass) WARN_UNUSED;
/* The header has a meaning for buckets with lock alone. */
enum err s3_lock_check_bypass(struct call *call, const struct s3_bucket_rec *b,
                              bool has_bypass) WARN_UNUSED;
/* What of the lock the caller may be told: without retention or hold where he lacks the permission. */
enum err s3_lock_shown(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_lock *lock, struct s3_lock *ret_shown) WARN_UNUSED;

#endif
