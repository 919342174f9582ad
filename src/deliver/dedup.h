/* Deduplication ids (FIFO queues and topics): what was sent under an id within the last five minutes
 * is not sent again. A service gives a table of its own, whose layout is "uutt":
 *
 *   bucket (time / DEDUP_MS), owner's number, scope ("" or a group), id -> struct dedup_seen
 *
 * A lookup reads two buckets; what is too old, of all owners, is one range of keys.
 *
 * Source: SQS developer guide, "Exactly-once processing"; SNS developer guide, "Message
 * deduplication for FIFO topics". Layer: deliver. Thread: the transaction's. */
#ifndef WEIR_DELIVER_DEDUP_H
#define WEIR_DELIVER_DEDUP_H

#include "deliver/job.h"
#include "kv/key.h"

enum { DEDUP_MS = 5 * 60 * 1000 };

/* What was sent first. */
struct dedup_seen {
    int64_t sent_ms;
    struct str id; /* of the message */
    uint64_t seq;  /* its place in the order */
};

/* An id within an owner. */
struct dedup_key {
    const struct key_layout *layout;
    uint64_t owner;
    struct str scope, id;
};

/* Read tracked, so that of two senders of one id at once one sees the other. ERR_NOT_FOUND: nothing
 * within DEDUP_MS; the store's errors. */
enum err dedup_find(struct txn *txn, const struct dedup_key *key,
                    struct dedup_seen *ret_seen) WARN_UNUSED;
/* Stages it as sent at txn->now_ms (seen->sent_ms is not looked at). */
enum err dedup_put(struct txn *txn, const struct dedup_key *key,
                   const struct dedup_seen *seen) WARN_UNUSED;

/* The buckets that no lookup reads any more, from bucket `done` on: *ret_done is where the next
 * cleaning begins. Both ends absent: no memory. */
struct key_range dedup_old(struct txn *txn, const struct key_layout *layout, uint64_t done,
                           uint64_t *ret_done);

#endif
