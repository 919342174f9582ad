/* What CloudWatch hears of buckets ("AWS/S3"): of requests, where the bucket has a metrics configuration for them
 * (BucketName, FilterId), and each day of what is stored (BucketName, StorageType).
 *
 * Layer: svc. Thread: requests: the call's loop; what is stored: the home loop. */
#ifndef WEIR_SVC_S3_S3_METER_H
#define WEIR_SVC_S3_S3_METER_H

#include "core/observe.h"
#include "svc/s3/s3_int.h"

/* Whether a request for `key` (absent: for the bucket as a whole) is told to this configuration. */
bool s3_meter_takes(const struct s3_meter *m, struct str key);

/* Of svc_def.measure and measure_end. One comparison while no bucket has a configuration. */
void s3_measure(void *self, const struct core_seen *seen);
void s3_measure_end(void *self, const struct core_seen *seen, int64_t ns);

/* The daily count (s3_sizes.c): a singleton job that goes through all buckets after each midnight UTC. */
enum err s3_sizes_register(struct s3 *s3) WARN_UNUSED;
/* A bucket is made in this transaction: the count begins with the first one. */
enum err s3_sizes_soon(struct s3 *s3, struct txn *txn) WARN_UNUSED;

#endif
