/* Lifecycle rules of buckets: what they say of an object, and the job that carries them out.
 *
 * Source: S3 User Guide, "Lifecycle configuration elements", "Expiring objects". A rule's days end at the
 * first midnight UTC that is not before them. Layer: svc. Thread: the rules are pure. */
#ifndef WEIR_SVC_S3_S3_LIFE_H
#define WEIR_SVC_S3_S3_LIFE_H

#include "svc/s3/s3_int.h"

#define S3_DAY_MS INT64_C(86400000)
#define S3_LIFE_NEVER INT64_MAX

/* First midnight at or after `days` days (at most INT32_MAX) from `since_ms`. */
int64_t s3_life_midnight(int64_t since_ms, int64_t days);
/* Whether a rule is enabled and is about this version; rules with tags or sizes are about no markers. */
bool s3_life_covers(const struct s3_life_rule *r, struct str key, const struct s3_object_rec *rec);
/* When a current version expires, and by which rule; S3_LIFE_NEVER, and *ret_rule is left alone. */
int64_t s3_life_expiry(const struct s3_life *life, struct str key, const struct s3_object_rec *rec,
                       const struct s3_life_rule **ret_rule);
/* Whether a delete marker goes that has no versions behind it. */
bool s3_life_drops_marker(const struct s3_life *life, struct str key,
                          const struct s3_object_rec *rec, int64_t now_ms);
/* Whether a noncurrent version goes: noncurrent since `since_ms`, with `newer` newer noncurrent ones. */
bool s3_life_drops_noncurrent(const struct s3_life *life, struct str key,
                              const struct s3_object_rec *rec, int64_t since_ms, uint64_t newer,
                              int64_t now_ms);
/* Whether an upload that began at `since_ms` is aborted. */
bool s3_life_aborts(const struct s3_life *life, struct str key, int64_t since_ms, int64_t now_ms);

/* x-amz-expiration of a current version: STR_NONE where no rule expires it, and at no cost where the
 * bucket has no rules; STR_NONE on exhaustion, too. */
struct str s3_life_header(struct arena *a, const struct s3_life *life, struct str key,
                          const struct s3_object_rec *rec);

/* --- the job (s3_expire.c) -------------------------------------------------------------------- */

/* Makes the job; before the jobs start. ERR_NOMEM. */
enum err s3_expire_register(struct s3 *s3) WARN_UNUSED;
/* Stages that a bucket's rules are carried out from the next midnight on; that they are no more. */
enum err s3_expire_begin(struct s3 *s3, struct txn *txn, struct str bucket) WARN_UNUSED;
enum err s3_expire_end(struct s3 *s3, struct txn *txn, struct str bucket) WARN_UNUSED;

#endif
