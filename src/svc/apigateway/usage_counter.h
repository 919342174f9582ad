/* The counters of quotas: one for each key in each plan, in memory, written behind (US4 of usage.h).
 *
 *   absent --first use: read from the store--> clean --counted--> changed --written--> clean
 *      ^                                        |
 *      +--- the table is full ------------------+
 *
 * Layer: svc/apigateway. Thread: any; one lock, held for a lookup. The timer and what it writes are the
 * home loop's. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_COUNTER_H
#define WEIR_SVC_APIGATEWAY_USAGE_COUNTER_H

#include "core/txn.h"
#include "svc/apigateway/usage_keys.h"
#include "svc/apigateway/usage_quota.h"

enum {
    USAGE_COUNTERS_MAX =
        128 * 1024,       /* in memory; those not changed since they were written leave */
    USAGE_DAYS_KEPT = 90, /* what GetUsage can tell of */
};

struct usage_counters;

/* Which counter. */
struct usage_member {
    struct key_scope scope;
    struct str plan_id, key_id;
};

enum err usage_counters_new(struct core *core, struct usage_counters **ret_counters) WARN_UNUSED;
/* Writes what was counted, then done(arg), on the home loop. */
void usage_counters_drain(struct usage_counters *c, void (*done)(void *arg), void *arg);
void usage_counters_free(struct usage_counters *c); /* NULL is fine */

/* Whether the quota has something left; with `take` that much less afterwards. Without a quota requests
 * are counted all the same. ERR_LIMIT: too many counters changed since the last write. */
enum err usage_counters_take(struct usage_counters *c, struct txn *txn,
                             const struct usage_member *member, const struct usage_quota *quota,
                             int64_t day, bool take, bool *ret_left) WARN_UNUSED;
/* The counter as it is now, moved on to `day`. */
enum err usage_counters_read(struct usage_counters *c, struct txn *txn,
                             const struct usage_member *member, const struct usage_quota *quota,
                             int64_t day, struct usage_count *ret) WARN_UNUSED;
/* Stages that so much is left of this period; it holds from the commit on. */
enum err usage_counters_grant(struct usage_counters *c, struct txn *txn,
                              const struct usage_member *member, const struct usage_quota *quota,
                              int64_t day, int64_t left, struct usage_count *ret) WARN_UNUSED;
/* Stages that the counter and its days go. */
enum err usage_counters_drop(struct usage_counters *c, struct txn *txn,
                             const struct usage_member *member) WARN_UNUSED;

#endif
