/* Reading what the functions are given: changes of jobs in the table's stream, and Lambda's
 * documents about batches of them that were given up.
 *
 * Source: DynamoDB Streams API Reference, "Record"; Lambda Developer Guide, "Process DynamoDB records
 * with Lambda". Layer: pipeline, pure. Texts live in the tree. */
#ifndef JOBS_EVENT_H
#define JOBS_EVENT_H

#include "codec/json.h"

/* What a record of the stream, from an event or from GetRecords, says of a job; texts that are not
 * there are absent. */
struct change {
    bool insert; /* the job is new */
    struct str sequence;
    struct str id, kind, input;
};

/* ERR_INVALID: it has no sequence number or no key. */
enum err change_read(const struct json *record, struct change *ret_change) WARN_UNUSED;

/* A batch that a mapping gave up: a range of the shard, which holds also what the mapping's filter
 * left out. */
struct given_up {
    struct str function_arn; /* of the consumer */
    struct str condition;    /* "RetryAttemptsExhausted" */
    int64_t invocations;
    struct str stream_arn, shard_id, first, last; /* sequence numbers, both included */
};

/* The document's text. ERR_INVALID: it is not one. ERR_NOMEM. */
enum err given_up_read(struct arena *a, struct str text, struct given_up *ret_given_up) WARN_UNUSED;

/* Order of sequence numbers, which are decimal numbers of any length: <0, 0, >0. */
int sequence_cmp(struct str a, struct str b);

/* Whether `arn`, perhaps with a version or alias behind it, is the function `function_arn`. */
bool arn_is_function(struct str arn, struct str function_arn);

#endif
