/* The only builder of SQS's keys. All in space KEY_SQS; after the table byte:
 *
 *   1 queue    text region, text account, text name        -> struct sqs_config
 *   2 body     u64 queue id, u64 sequence number           -> struct sqs_body, never rewritten
 *   3 state    u64 queue id, u64 sequence number           -> struct sqs_state, small
 *   4 dedup    u64 queue id, u64 bucket, text scope, text deduplication id -> sequence number, id
 *   5 garbage  u64 queue id, u64 bound: messages below it are to be deleted (all, when the bound is
 *              the largest number: the queue is gone)
 *   6 meta     u8: 1 last queue id, 2 secret of receipt handles
 *
 * A dedup bucket is the time of sending divided by SQS_DEDUP_MS, so that a lookup reads two buckets
 * and old ones are dropped without looking for them.
 *
 * Layer: svc/sqs. Thread: pure. Memory: the arena's; STR_NONE on exhaustion. */
#ifndef WEIR_SVC_SQS_KEYS_H
#define WEIR_SVC_SQS_KEYS_H

#include "kv/key.h"

enum { SQS_DEDUP_MS = 5 * 60 * 1000 };

struct str sqs_key_queue(struct arena *a, struct str region, struct str account, struct str name);
/* Prefix of all queues of an account in a region; absent region: of all there are. */
struct str sqs_key_queues(struct arena *a, struct str region, struct str account);
struct str sqs_key_body(struct arena *a, uint64_t queue_id, uint64_t seq);
struct str sqs_key_state(struct arena *a, uint64_t queue_id, uint64_t seq);
struct str sqs_key_dedup(struct arena *a, uint64_t queue_id, uint64_t bucket, struct str scope,
                         struct str id);
/* Start of a bucket: bucket + 1 bounds it. */
struct str sqs_key_dedup_bucket(struct arena *a, uint64_t queue_id, uint64_t bucket);
struct str sqs_key_garbage(struct arena *a, uint64_t queue_id, uint64_t bound);
struct str sqs_key_garbage_all(struct arena *a);
enum sqs_meta { SQS_META_LAST_QUEUE_ID = 1, SQS_META_SECRET = 2 };
struct str sqs_key_meta(struct arena *a, enum sqs_meta what);

/* Fields of scanned keys. ERR_CORRUPT. */
enum err sqs_key_read_queue(struct arena *a, struct str key, struct str *ret_region,
                            struct str *ret_account, struct str *ret_name) WARN_UNUSED;
/* Of body, state and garbage keys. */
enum err sqs_key_read_pair(struct str key, uint64_t *ret_queue_id, uint64_t *ret_n) WARN_UNUSED;

#endif
