/* What several scenarios make before they measure: a role, queues, functions.
 * Layer: bench. */
#ifndef WEIR_BENCH_SETUP_H
#define WEIR_BENCH_SETUP_H

#include "scenarios.h"

enum { SETUP_ZIP_MAX = 8 * 1024 * 1024 };

/* awsJson call that must succeed. */
enum err setup_json(struct bench *b, const char *service, const char *target,
                    struct str body) WARN_UNUSED;

/* A role that functions and schedules take on, and that may do everything; made at the first call. */
#define SETUP_ROLE_ARN "arn:aws:iam::000000000000:role/bench"
enum err setup_role(struct bench *b) WARN_UNUSED;

struct setup_queue {
    char url[256], arn[256];
};
/* A queue that anybody may send to, with a visibility time-out of an hour. */
enum err setup_queue(struct bench *b, const char *name, struct setup_queue *ret_queue) WARN_UNUSED;
/* Its messages, those received among them. */
enum err setup_queue_depth(struct bench *b, const struct setup_queue *q,
                           uint64_t *ret_messages) WARN_UNUSED;
/* Waits until it has (or has no more than) so many; ERR_TIMEOUT. Looks every few milliseconds. */
enum err setup_queue_wait(struct bench *b, const struct setup_queue *q, uint64_t messages,
                          bool at_most, int64_t timeout_ms) WARN_UNUSED;

/* A function of the role; `out`: its variable OUT, NULL: none. ERR_NOT_FOUND: no such package. */
enum err setup_function(struct bench *b, const struct bench_function *f, const char *name,
                        const char *out) WARN_UNUSED;

#endif
