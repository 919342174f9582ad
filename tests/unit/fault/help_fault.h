/* The engine of the fault suite: plays one request with every single failure that can happen while
 * it is served, and checks what must hold after each:
 *
 *   - the reply is the one of an undisturbed run, or an error of the server's (5xx), or, for a
 *     failed allocation or file read, the end of the connection;
 *   - what the probes read is as it was before, or as an undisturbed run leaves it; and as that
 *     when the reply said so;
 *   - the server answers on, and a restart over the same disk shows the same.
 */
#ifndef WEIR_TESTS_HELP_FAULT_H
#define WEIR_TESTS_HELP_FAULT_H

#include "help_world.h"

enum { FAULT_STEPS_MAX = 10 };

/* `%s` in path or body stands for the value taken last (see `take`), at first for now in epoch
 * seconds; `%t` for the one of `take_too`. */
struct step {
    struct request req;
    /* Remembers the text between this and the next '"' or '<' of the reply, for `%s`. */
    const char *take;
    const char *take_too; /* another text of the same reply */
    int64_t pass_ms;      /* so much time goes by before it */
};

struct fault_case {
    const char *name;
    struct step setup[FAULT_STEPS_MAX]; /* once */
    /* Before each attempt, to bring back what the probes saw first; its errors do not matter. */
    struct step undo[FAULT_STEPS_MAX];
    struct step before[FAULT_STEPS_MAX]; /* before each attempt, after undo and the first probe */
    struct step act;
    struct step probe[FAULT_STEPS_MAX];
    int64_t queue_held_ms; /* names of deleted queues are held for so long */
    bool any_reply;        /* a good reply says something else each time (ids that are drawn) */
    bool drawn;            /* ids are drawn anew for each attempt */
    bool numbered;         /* numbers of versions count on from attempt to attempt */
    bool files;            /* also fail system calls */
    size_t n_files;        /* how many there are in the end, with `files` */
};

/* Runs every case in a world of its own. */
void fault_run(const struct fault_case *cases, size_t n);

/* Requests of the JSON services, the query services, and S3. */
#define DDB(op, text)                                                                              \
    {                                                                                              \
        .service = "dynamodb", .target = "DynamoDB_20120810." op,                                  \
        .type = "application/x-amz-json-1.0", .body = text                                         \
    }
#define SQS(op, text)                                                                              \
    {                                                                                              \
        .service = "sqs", .target = "AmazonSQS." op, .type = "application/x-amz-json-1.0",         \
        .body = text                                                                               \
    }
#define TAGGING(op, text)                                                                          \
    {                                                                                              \
        .service = "tagging", .target = "ResourceGroupsTaggingAPI_20170126." op,                   \
        .type = "application/x-amz-json-1.1", .body = text                                         \
    }
#define LOGS(op, text)                                                                             \
    {                                                                                              \
        .service = "logs", .target = "Logs_20140328." op, .type = "application/x-amz-json-1.1",    \
        .body = text                                                                               \
    }
#define KMS(op, text)                                                                              \
    {                                                                                              \
        .service = "kms", .target = "TrentService." op, .type = "application/x-amz-json-1.1",      \
        .body = text                                                                               \
    }
#define IAM(text)                                                                                  \
    {                                                                                              \
        .service = "iam", .type = "application/x-www-form-urlencoded",                             \
        .body = "Version=2010-05-08&" text                                                         \
    }
#define SNS(text)                                                                                  \
    {                                                                                              \
        .service = "sns", .type = "application/x-www-form-urlencoded",                             \
        .body = "Version=2010-03-31&" text                                                         \
    }
#define STS(text)                                                                                  \
    {                                                                                              \
        .service = "sts", .type = "application/x-www-form-urlencoded",                             \
        .body = "Version=2011-06-15&" text                                                         \
    }
#define S3(verb, where, text)                                                                      \
    {                                                                                              \
        .service = "s3", .method = verb, .path = where, .body = text                               \
    }

#endif
