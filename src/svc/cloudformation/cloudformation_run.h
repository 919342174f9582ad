/* Inside the engine: the run of one phase of an operation on a stack.
 *
 *   job's step --JOB_RUN--> load --> pump --> (nodes: txn, txn, ...) --> advance --> job_continue
 *
 * A run is memory only; whatever it did is in the records (CF1). It ends when all its nodes have ended, when
 * one failed and the others are out of the way, or when it finds the stack in another phase (CF3).
 *
 *   node:  waiting --what it waits for is done--> ready --> busy --> done
 *                                                   ^        |  |--> failed
 *                                                   +--wake--+--> sleeping
 *
 * Thread: the home loop. */
#ifndef WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_RUN_H
#define WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_RUN_H

#include "svc/cloudformation/cloudformation_own.h"

enum { CFN_RUN_MEMORY = 128 * 1024 * 1024, CFN_RETRY_MS = 1000, CFN_RETRIES = 5 };

enum cfn_act { CFN_ACT_FORWARD, CFN_ACT_RESTORE, CFN_ACT_DELETE };

enum cfn_node_state { CFN_WAITING, CFN_READY, CFN_BUSY, CFN_SLEEPING, CFN_DONE, CFN_FAILED };

/* How a step's transaction ended, beyond its error. */
enum cfn_step_end { CFN_STEP_MORE, CFN_STEP_WAIT, CFN_STEP_DONE, CFN_STEP_FAILED, CFN_STEP_CALL };

struct cfn_run;

struct cfn_node {
    struct cfn_run *run;
    struct str id;
    enum cfn_act act;
    bool on_before;                    /* DELETE: `before`, else `now` */
    const struct tpl_resource *wanted; /* FORWARD */
    size_t index;
    size_t *next, n_next; /* nodes that wait for this one */
    size_t waits;         /* nodes that this one waits for */
    enum cfn_node_state state;
    int64_t wake_ms; /* SLEEPING: 0, only when poked */
    bool poked, cancel;
    bool creates; /* FAILED: it was to be made */
    int errors;   /* of the environment, in a row */
    char token[TYPE_TOKEN_LEN + 1];
    /* Of the step in progress. */
    enum cfn_step_end end;
    struct arena arena;        /* what outlives a transaction: request, result, text */
    bool outside;              /* the call cannot be in a transaction */
    bool has_result;           /* of a call that failed, or was made outside */
    struct core_result result; /* arena */
    struct core_request request;
    struct principal who;
    struct core_inner *inner;
    struct str text, wants;
};

struct cfn_run {
    struct cfn_run *next;
    struct cfn *c;
    struct due_fire *fire; /* the held firing; NULL: not running */
    char uuid[CFN_UUID_LEN + 1];
    char account[ARN_ACCOUNT_LEN + 1], region[64];
    struct arena arena; /* of this phase */
    struct cfn_stack stack;
    struct cfn_open open;
    struct cfn_node *nodes;
    size_t n, busy, left;
    struct io_timer timer;
    bool stale, failed, advancing, cancelled;
    enum err err;
    int errors;
    struct buf failures, not_made; /* "A, B"; of an update, those that were to be made apart */
    struct str why;                /* of a failure that is no resource's */
    struct cfn_status_change {
        enum cfn_status to;
        struct str reason;
    } change;
};

struct cfn_runs {
    struct cfn_run *first;
    void (*pump)(struct cfn_run *run); /* begins what can be begun */
};

static inline struct str cfn_run_uuid(const struct cfn_run *r)
{
    return str_n(r->uuid, CFN_UUID_LEN);
}
static inline struct key_scope cfn_run_scope(const struct cfn_run *r)
{
    return (struct key_scope){str_c(r->account), str_c(r->region)};
}

/* cloudformation_phase.c: in transactions. */
/* Fills stack, open and nodes from the store, in run->arena. ERR_CLOSED: nothing is in progress. */
enum err cfn_phase_load(struct txn *txn, void *run);
/* The phase has ended: what comes now. */
enum err cfn_phase_advance(struct txn *txn, void *run);
/* Whether the stack is still in the run's phase (CF3), which it reads tracked. ERR_CLOSED: it is not. */
enum err cfn_phase_check(struct txn *txn, struct cfn_run *run, struct cfn_stack *ret) WARN_UNUSED;

/* cloudformation_node.c: one step of a node. */
enum err cfn_node_step(struct txn *txn, void *node);
/* What an operation that was stopped left half done becomes a thing that can be changed back or removed. */
void cfn_settle(struct cfn_resource *r, struct arena *a);
/* Whether it has to be found out first what is there. */
bool cfn_is_open(const struct cfn_resource *r);

/* cloudformation_policy.c: whether the stack's policy lets an update touch it. ERR_INVALID with why. */
enum err cfn_policy_allows(struct arena *a, const struct cfn_stack *s, const char *action,
                           struct str id, struct str type, struct str *ret_why) WARN_UNUSED;

/* A policy's text, set. ERR_INVALID: it is none. */
enum err cfn_policy_read(struct arena *a, struct str text, const struct json **ret) WARN_UNUSED;

/* cloudformation_output.c: outputs and exports of a stack that is about to be complete. ERR_INVALID with
 * *ret_why. */
enum err cfn_outputs_make(struct txn *txn, struct cfn_run *run, struct cfn_stack *s,
                          struct str *ret_why) WARN_UNUSED;
/* Its exports and imports go. ERR_INVALID: somebody imports one. */
enum err cfn_exports_drop(struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;
/* "Export X cannot be deleted as it is in use by A": of a stack that is to go. ERR_INVALID. */
enum err cfn_exports_unused(struct txn *txn, const struct cfn_stack *s,
                            struct str *ret_why) WARN_UNUSED;

#endif
