/* When access keys and roles were last used, where and for what.
 *
 *   IU1  A request costs a look at memory; what changed is written once in USED_FLUSH_MS and when Weir stops. So what a
 *        crash takes is at most that long ago, and nothing that was told of it lives on elsewhere: it is the one thing
 *        of IAM's that is not durable at once, as on AWS, where it is some hours behind.
 *   IU2  One record per key or role, each USED_STEP_MS old at least before it is renewed for the same service and region.
 *   IU3  USED_MAX are kept; of more, nothing is known. What is of a key or role goes with it; of a request that was still
 *        under way then, with the next writing.
 *
 * Source: IAM API Reference, GetAccessKeyLastUsed, RoleLastUsed.
 * Layer: svc, private. Thread: any; the writing is the home loop's. */
#ifndef WEIR_SVC_IAM_IAM_USED_H
#define WEIR_SVC_IAM_IAM_USED_H

#include "svc/iam/iam_int.h"

enum { USED_FLUSH_MS = 60 * 1000, USED_STEP_MS = 60 * 1000, USED_MAX = 16 * 1024 };

/* Lifetime: the arena it was found into. */
struct iam_used {
    int64_t at_ms; /* 0: never */
    struct str service, region;
};

struct iam_uses;

enum err iam_uses_new(struct iam *iam, struct iam_uses **ret) WARN_UNUSED;
/* What was written, and listening from now on. */
enum err iam_uses_load(struct iam_uses *u, struct txn *txn) WARN_UNUSED;
void iam_uses_start(struct iam_uses *u);
void iam_uses_drain(struct iam_uses *u, void (*done)(void *arg), void *arg);
void iam_uses_free(struct iam_uses *u);

/* It is deleted in this transaction: nothing is known of it any more, once that is committed. */
enum err iam_uses_forget(struct iam_uses *u, struct txn *txn, struct str account,
                         struct str id) WARN_UNUSED;

/* Of an access key, or a role's id. ERR_NOMEM. */
enum err iam_uses_of(struct iam_uses *u, struct arena *a, struct str id,
                     struct iam_used *ret) WARN_UNUSED;
/* How many keys and roles something is known of. */
size_t iam_uses_count(struct iam_uses *u);

#endif
