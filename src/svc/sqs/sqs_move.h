/* Message move tasks: their record, and their life; see sqs_move.c. Layer: svc/sqs. */
#ifndef WEIR_SVC_SQS_SQS_MOVE_H
#define WEIR_SVC_SQS_SQS_MOVE_H

#include "svc/sqs/sqs_int.h"

enum {
    SQS_MOVE_KEPT = 10,      /* tasks of a queue that are remembered, the running one included */
    SQS_MOVE_RATE_MAX = 500, /* messages a second */
};

enum sqs_move_status {
    SQS_MOVE_RUNNING,
    SQS_MOVE_COMPLETED,
    SQS_MOVE_CANCELLED,
    SQS_MOVE_FAILED,
    SQS_MOVE_STATUSES,
};

struct sqs_move_task {
    struct str id; /* UUID */
    struct str source_arn;
    struct str destination_arn; /* absent: each message to the queue that it came from */
    int64_t per_second;         /* 0: no limit */
    int64_t started_ms;
    uint64_t to_move, moved; /* what was visible at the start; what went */
    enum sqs_move_status status;
    struct str failure; /* FAILED: why */
};
extern const struct record_type sqs_move_task_type;

/* The tasks of a queue, oldest first; arena memory. */
struct sqs_move_list {
    struct txn *txn;
    size_t n;
    struct str keys[SQS_MOVE_KEPT];
    struct sqs_move_task tasks[SQS_MOVE_KEPT];
};

enum err sqs_move_list(struct txn *txn, uint64_t queue_id,
                       struct sqs_move_list *ret_list) WARN_UNUSED;
/* Whether a task of the source is at work. */
enum err sqs_move_running(struct txn *txn, const struct sqs_open *from,
                          bool *ret_running) WARN_UNUSED;
/* Stages a task that has its id, ARNs, rate and time. */
enum err sqs_move_start(struct txn *txn, const struct sqs_open *from,
                        struct sqs_move_task *task) WARN_UNUSED;
/* Stages the end of the one of the record `key`, as *ret_task. ERR_INVALID: it is not running. */
enum err sqs_move_cancel(struct txn *txn, const struct sqs_open *from, struct str key,
                         struct sqs_move_task *ret_task) WARN_UNUSED;
/* Stages the end of all that there is of the source, which is deleted. */
enum err sqs_move_forget(struct txn *txn, const struct sqs_open *from) WARN_UNUSED;
/* svc_def.authorize_more: the tasks' operations on queues that no row can name (op_move_task.c). */
enum err sqs_authorize_more(struct call *call, const void *in) WARN_UNUSED;
/* Makes the job; before the jobs start. */
enum err sqs_move_register(struct sqs *s) WARN_UNUSED;

#endif
