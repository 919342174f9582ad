/* Sending to what users name: a target by its ARN (core/target.h), or any operation of any service
 * (core/inner.h), under a role or a service's own right, with retries and a dead letter queue.
 * Rules, schedules and the like put what they send here; none keeps a way of its own.
 *
 *   send_add (any transaction) --durable--> attempt --permitted, staged--> gone
 *                                              |---fault of the target---> dead letter, or dropped
 *                                              +---throttled, 5xx--------> retry (operations, and
 *                                                                          targets outside)
 *
 * Invariants
 *   SE1 What is sent to a target is staged in the commit that removes the piece: exactly once. An
 *       operation commits by itself, and a target outside is asked over HTTP: at least once.
 *   SE2 A role is assumed anew each time: it must still trust the service that sends.
 *   SE3 What cannot be sent is never silent: it is in the dead letter queue, or a line of the log
 *       says what was dropped, and a counter counts it.
 *
 * Source: EventBridge User Guide, "Using dead-letter queues"; EventBridge Scheduler User Guide,
 * "Configuring a schedule's dead-letter queue".
 * Layer: deliver. Thread: the transaction's. */
#ifndef WEIR_DELIVER_SEND_H
#define WEIR_DELIVER_SEND_H

#include "core/target.h"
#include "deliver/deliver.h"

enum { SEND_ATTRIBUTES_MAX = 8, SEND_RESOURCES_MAX = 1000 };

/* In whose words the dead letter tells what went wrong. Never renumber: stored. */
enum send_words { SEND_WORDS_EVENTS, SEND_WORDS_SCHEDULER, SEND_WORDS_N };

/* Absent texts are not so. Borrowed. */
struct send {
    /* Whither, and for whom: as struct target. */
    struct str arn, service, source_arn, source_account, role;
    /* Or an operation, which `role` must allow; `arn` is then for the dead letter alone. */
    struct str call_service, call_operation, region;
    struct str call_body; /* of the member that is its whole body; absent: none */
    /* What: as struct target_delivery. */
    struct str payload;
    struct str attempt_mark; /* stands in an operation's input for the number of the attempt */
    struct str group_id, trace;
    bool is_event; /* the payload is the detail of an event */
    struct str source, detail_type;
    const struct str *resources;
    size_t n_resources;
    /* The queue for what cannot be sent, and what it is then told. */
    struct str dead_letter;
    bool dead_by_role;       /* the role sends it there; else the service's own right */
    struct str dead_payload; /* absent: the payload */
    enum send_words words;
    const struct target_pair *attributes;
    size_t n_attributes;
    struct target_http http; /* for targets outside */
    struct str fault;        /* known already that it cannot be sent: the code of why */
};

/* Stages a piece that is sent once the transaction is durable. ERR_LIMIT payload; ERR_NOMEM. */
enum err send_add(struct deliver *d, struct txn *txn, const struct send *send,
                  const struct deliver_options *opt) WARN_UNUSED;
/* Sends to a target (no operation) in this transaction; the target's fault is a dead letter at once.
 * Environment errors. */
enum err send_now(struct deliver *d, struct txn *txn, const struct send *send) WARN_UNUSED;

/* Since start: sent, given to a dead letter queue, dropped. Any thread. */
struct send_stats {
    uint64_t sent, dead, dropped;
};
struct send_stats send_get_stats(const struct deliver *d);

/* Before start, by each service that sends; once is enough. ERR_NOMEM, ERR_LIMIT. */
enum err send_register(struct deliver *d) WARN_UNUSED;

#endif
