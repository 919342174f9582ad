/* Inside IAM's simulator: policies with where their statements stand, and what they say to one
 * action on one resource. No store, no call.
 *
 * Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_IAM_IAM_SIMULATE_H
#define WEIR_SVC_IAM_IAM_SIMULATE_H

#include "auth/policy.h"

enum {
    SIMULATE_POLICIES_MAX = 128, /* of one simulation, whoever brings them */
    SIMULATE_STATEMENTS_MAX = 2048,
};

/* As AWS counts: lines and columns from 1; a column is that behind the character. */
struct simulate_position {
    int64_t line, column;
};

/* A statement as a policy of its own. */
struct simulate_statement {
    struct str source; /* of its policy: "PolicyInputList.1" */
    struct simulate_position from, to;
    const struct policy *alone;
    bool boundary;
};

struct simulate {
    struct arena *arena;
    const struct policy *identity[SIMULATE_POLICIES_MAX];
    size_t n_identity;
    const struct policy *boundary, *resource; /* NULL: none */
    struct simulate_statement *statements;
    size_t n_statements, cap;
};

enum simulate_role { SIMULATE_IDENTITY, SIMULATE_BOUNDARY, SIMULATE_RESOURCE };

void iam_simulate_init(struct simulate *s, struct arena *a);
/* Takes a document in; `source` and `json` are borrowed. ERR_INVALID with *ret_why; ERR_LIMIT: too many;
 * ERR_NOMEM. */
enum err iam_simulate_add(struct simulate *s, enum simulate_role role, struct str source,
                          struct str json, const char **ret_why) WARN_UNUSED;

struct simulate_result {
    enum policy_decision decision;
    const struct simulate_statement **matched; /* those that decide it */
    size_t n_matched;
    bool within_boundary; /* when there is one */
};
/* `req` says who, action, resource and context; its policies are set here. ERR_NOMEM. */
enum err iam_simulate_decide(const struct simulate *s, struct policy_request *req,
                             struct simulate_result *ret) WARN_UNUSED;
/* Condition keys and variables that the policies ask for, each once, in the order of names; those that
 * `ctx` has (NULL: none) left out. ERR_NOMEM. */
enum err iam_simulate_keys(const struct simulate *s, const struct policy_context *ctx,
                           const struct str **ret_keys, size_t *ret_n) WARN_UNUSED;

#endif
