/* Server access logging: records of requests, as S3 writes them, delivered to the buckets that are to
 * have them.
 *
 * Best effort, as on AWS: records wait in memory, for each bucket, until S3_LOG_PERIOD_MS passed, an
 * object's worth is there, the bucket's configuration changed, or the process stops. A kill loses what
 * waits; so does a target that is gone, or withdrew its permission. weir_s3_log_records_lost_total counts.
 * Deliveries themselves are in no log: a bucket that logs to itself would never come to rest.
 *
 * Source: S3 User Guide, "Logging requests with server access logging", "Amazon S3 server access log
 * format". Layer: svc. Thread: records: the call's loop; deliveries: the home loop. */
#ifndef WEIR_SVC_S3_S3_LOG_H
#define WEIR_SVC_S3_S3_LOG_H

#include "core/observe.h"
#include "svc/s3/s3_int.h"

enum {
    S3_LOG_PERIOD_MS = 10 * 1000,
    S3_LOG_RECORD_MAX = 16 * 1024,         /* bytes of one record; longer ones are lost */
    S3_LOG_OBJECT_MAX = 64 * 1024,         /* records of one log object */
    S3_LOG_WAITING_MAX = 16 * 1024 * 1024, /* of all that wait; more are lost */
    S3_LOG_BUCKETS_MAX = 1000,             /* whose records wait */
};

enum err s3_logs_new(struct s3 *s3) WARN_UNUSED;
void s3_logs_free(struct s3 *s3);
/* svc_def.drain: delivers what waits. */
void s3_logs_drain(void *self, void (*done)(void *arg), void *arg);
/* Adds the counter of lost records. */
void s3_logs_metrics(struct s3 *s3, struct buf *b);

/* Keeps a record (without its line's end) for the bucket's log: copied; absent: there was no room to make it.
 * Any loop. */
void s3_logs_add(struct s3 *s3, struct str bucket, const struct s3_bucket_rec *rec, int64_t wall_ms,
                 struct str record);
/* The bucket's configuration changes in this transaction: once it is there, what waits is delivered. */
enum err s3_logs_flush(struct s3 *s3, struct txn *txn) WARN_UNUSED;

/* Of svc_def.measure and measure_end (s3_log_record.c). One comparison while no bucket is logged. */
void s3_log_call(void *self, const struct core_seen *seen);
void s3_log_end(void *self, const struct core_seen *seen, int64_t ns);
/* What lifecycle did, once the transaction of `call`, S3's own, is committed. `operation`:
 * "S3.EXPIRE.OBJECT". `version_id` absent: none. */
enum err s3_log_lifecycle(struct call *call, const struct s3_bucket_ref *b, const char *operation,
                          struct str key, struct str version_id) WARN_UNUSED;

#endif
