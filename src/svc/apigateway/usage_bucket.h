/* Token buckets by name, exact and bounded (US1, US2 of usage.h).
 *
 * A bucket's state is one moment: when it will be full again (the generic cell rate algorithm, which
 * is the token bucket with its level told as a time). With `rate` a second a token is 1 / rate seconds
 * of that moment; a token may be taken while the moment lies less than burst tokens ahead. So a full
 * bucket has no state, a changed rate or burst holds at once, and nothing has to be refilled.
 *
 * Layer: svc/apigateway, pure. Thread: any; one lock for a part of the table, held for a few
 * instructions. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_BUCKET_H
#define WEIR_SVC_APIGATEWAY_USAGE_BUCKET_H

#include "base/str.h"

struct usage_buckets;

/* One token of one bucket. */
struct usage_take {
    uint64_t name; /* str_hash of what it belongs to; two with the same hash share a bucket */
    double rate, burst;
};

/* `slots`: buckets that may be less than full at once; rounded up to whole sets. ERR_NOMEM. */
enum err usage_buckets_new(size_t slots, struct usage_buckets **ret_buckets) WARN_UNUSED;
void usage_buckets_free(struct usage_buckets *b); /* NULL is fine */

/* A token of each of n buckets, or of none: false. `now_ns` never goes back by more than readers of one
 * clock on several threads differ. */
bool usage_buckets_take(struct usage_buckets *b, const struct usage_take *takes, size_t n,
                        int64_t now_ns) WARN_UNUSED;

#endif
