/* What SQS does for event source mappings. Reached by sqs_port_of. Sending to a queue:
 * core/target.h. */
#ifndef WEIR_SVC_SQS_SQS_PORT_H
#define WEIR_SVC_SQS_SQS_PORT_H

#include "core/core.h"

/* A message handed to a consumer inside Weir; memory is the arena given to `receive`. */
struct sqs_received {
    struct str message_id, receipt_handle, body, md5_of_body;
    /* The Records[] element of a Lambda event for this message, JSON text. */
    struct str lambda_record_json;
    struct str trace; /* AWSTraceHeader; absent: none */
};

struct sqs_port {
    void *self;
    /* Receives up to `max` (1..10) messages inside `txn`, as ReceiveMessage does; *ret_n 0 when
     * none is visible. visibility_ms < 0: the queue's own. `role` (ARN) is who asks KMS, where the
     * queue has a key; ERR_DENIED: KMS refuses. */
    enum err (*receive)(void *self, struct txn *txn, struct str queue_arn, struct str role,
                        size_t max, int64_t visibility_ms, struct sqs_received *ret, size_t *ret_n);
    enum err (*delete_message)(void *self, struct txn *txn, struct str queue_arn,
                               struct str receipt_handle);
    enum err (*change_visibility)(void *self, struct txn *txn, struct str queue_arn,
                                  struct str receipt_handle, int64_t visibility_ms);
    /* Calls fn(arg), from any thread and maybe spuriously, when the queue may have a visible
     * message; one watcher per (queue, arg). fn only hands over (io_post). */
    enum err (*watch)(void *self, struct str queue_arn, void (*fn)(void *arg), void *arg);
    void (*unwatch)(void *self, struct str queue_arn, void *arg);
    /* VisibilityTimeout in seconds, for the mapping's check against the function's timeout. */
    enum err (*visibility_timeout)(void *self, struct txn *txn, struct str queue_arn,
                                   int64_t *ret_s);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct sqs_port *sqs_port_of(const struct core *core)
{
    return core_port(core, "sqs");
}

#endif
