/* Expressions: tokens, trees, evaluation. One grammar serves ConditionExpression, FilterExpression
 * and KeyConditionExpression; update and projection expressions share its operands and paths.
 *
 * Life of an expression: a struct ddb_env collects the request's ExpressionAttributeNames and
 * -Values; ddb_parse_* resolve names, reserved words and values into a tree; ddb_env_check_used
 * refuses what no expression used; evaluation then runs any number of times over items.
 *
 * Invariants
 *   DX1  Text is at most DDB_EXPR_BYTES_MAX, operators DDB_EXPR_OPERATORS_MAX, nesting
 *        DDB_EXPR_DEPTH_MAX: recursion and cost are bounded before evaluation starts.
 *   DX2  Trees live in the env's arena and are not changed by evaluation.
 *
 * Layer: svc/dynamodb. Thread: pure. Source: developer guide, "Using expressions". */
#ifndef WEIR_SVC_DYNAMODB_DDB_EXPR_H
#define WEIR_SVC_DYNAMODB_DDB_EXPR_H

#include "svc/dynamodb/ddb_value.h"

enum {
    DDB_EXPR_BYTES_MAX = 4096,
    DDB_EXPR_OPERATORS_MAX = 300,
    DDB_EXPR_DEPTH_MAX = 300,                    /* parentheses and NOTs in each other */
    DDB_EXPR_IN_MAX = 100,                       /* operands on the right of IN */
    DDB_EXPR_INDEX_DIGITS = 9,                   /* of a list index */
    DDB_EXPR_NAME_BYTES_MAX = 255,               /* of a placeholder, with its sign */
    DDB_EXPR_VALUES_BYTES_MAX = 2 * 1024 * 1024, /* of all values of a request */
};

/* --- paths ------------------------------------------------------------------------------------ */

struct ddb_step {
    struct str name; /* absent: a list index */
    uint32_t index;
};

struct ddb_path {
    struct ddb_step *steps; /* the first is a name */
    size_t n;
};

struct ddb_paths {
    struct ddb_path *v;
    size_t n;
};

/* "[a, b, [0]]", as AWS's messages print a path; in `a`. */
struct str ddb_path_text(struct arena *a, const struct ddb_path *path);
/* What the path leads to in a tree, or NULL. */
const struct ddb_av *ddb_path_walk(const struct ddb_av *root, const struct ddb_path *path);
/* The parts of `item` that the paths select, keeping its order. ERR_NOMEM. */
enum err ddb_project(struct arena *a, const struct ddb_paths *paths, const struct ddb_av *item,
                     struct ddb_av **ret_part) WARN_UNUSED;
/* No path may be, or lead through, another. ERR_INVALID with AWS's message for `kind`. */
enum err ddb_paths_check_overlap(struct ddb_diag *diag, const char *kind,
                                 const struct ddb_path *const *paths, size_t n) WARN_UNUSED;

/* --- names and values of the request ---------------------------------------------------------- */

struct ddb_env_name {
    struct str key, value;
    bool used;
};

struct ddb_env_value {
    struct str key;
    const struct ddb_av *av;
    bool used;
};

struct ddb_env {
    struct ddb_diag *diag; /* its arena serves everything here */
    struct ddb_env_name *names;
    size_t n_names;
    struct ddb_env_value *values;
    size_t n_values;
};

/* A pair of ExpressionAttributeNames; `names` has room (the caller sized it). ERR_INVALID. */
enum err ddb_env_add_name(struct ddb_env *env, struct str key, struct str value) WARN_UNUSED;
/* All of ExpressionAttributeValues; NULL is none. ERR_INVALID. */
enum err ddb_env_set_values(struct ddb_env *env, const struct json *values) WARN_UNUSED;
/* ERR_INVALID when a name or value was used by no expression. */
enum err ddb_env_check_used(struct ddb_env *env) WARN_UNUSED;

/* --- trees ------------------------------------------------------------------------------------ */

enum ddb_op {
    DDB_OP_PATH,
    DDB_OP_VALUE,
    DDB_OP_EQ, /* the six comparators keep this order */
    DDB_OP_NE,
    DDB_OP_LT,
    DDB_OP_LE,
    DDB_OP_GT,
    DDB_OP_GE,
    DDB_OP_BETWEEN,
    DDB_OP_IN,
    DDB_OP_AND,
    DDB_OP_OR,
    DDB_OP_NOT,
    DDB_FN_ATTRIBUTE_EXISTS,
    DDB_FN_ATTRIBUTE_NOT_EXISTS,
    DDB_FN_ATTRIBUTE_TYPE,
    DDB_FN_BEGINS_WITH,
    DDB_FN_CONTAINS,
    DDB_FN_SIZE,
    DDB_FN_IF_NOT_EXISTS,
    DDB_FN_LIST_APPEND,
    DDB_OP_ADD,
    DDB_OP_SUB,
};

struct ddb_node {
    enum ddb_op op;
    const struct ddb_path *path; /* DDB_OP_PATH */
    const struct ddb_av *value;  /* DDB_OP_VALUE */
    struct ddb_node **args;
    size_t n;
};

/* Name in messages: "=", "begins_with", ... */
const char *ddb_op_name(enum ddb_op op);

/* "ConditionExpression", "FilterExpression" or "KeyConditionExpression" in `kind`. */
enum err ddb_parse_condition(struct ddb_env *env, const char *kind, struct str text,
                             struct ddb_node **ret_node) WARN_UNUSED;
enum err ddb_parse_projection(struct ddb_env *env, struct str text,
                              struct ddb_paths *ret_paths) WARN_UNUSED;

/* --- evaluation ------------------------------------------------------------------------------- */

/* The item that an expression looks at: a tree, or stored bytes from which only what is asked for
 * is decoded, or neither: there is no item. */
struct ddb_source {
    struct arena *arena; /* for what evaluation makes */
    const struct ddb_av *tree;
    struct str raw;
};

/* What evaluating `node` over an item of these bytes may cost at most, for txn_work: each part of it
 * may look at all of the item. */
uint64_t ddb_condition_work(const struct ddb_node *node, struct str raw);
/* ERR_INVALID with diag set (an operand has a wrong type), ERR_CORRUPT, ERR_NOMEM. */
enum err ddb_eval_condition(struct ddb_diag *diag, const struct ddb_node *node,
                            const struct ddb_source *src, bool *ret_holds) WARN_UNUSED;
/* NULL in *ret_av: the operand's path leads nowhere. */
enum err ddb_eval_operand(struct ddb_diag *diag, const struct ddb_node *node,
                          const struct ddb_source *src, const struct ddb_av **ret_av) WARN_UNUSED;
/* Calls fn for every path in a condition (e.g. to refuse key attributes in a filter). */
enum err ddb_node_each_path(const struct ddb_node *node,
                            enum err (*fn)(void *arg, const struct ddb_path *path),
                            void *arg) WARN_UNUSED;

/* --- updates ---------------------------------------------------------------------------------- */

enum ddb_action_kind { DDB_SET, DDB_REMOVE, DDB_ADD, DDB_DELETE };

struct ddb_action {
    enum ddb_action_kind kind;
    const struct ddb_path *path;
    struct ddb_node *value; /* NULL for REMOVE */
};

struct ddb_update {
    struct ddb_action *v;
    size_t n;
    bool legacy; /* AttributeUpdates: other words for wrong types */
};

enum err ddb_parse_update(struct ddb_env *env, struct str text,
                          struct ddb_update *ret_update) WARN_UNUSED;
/* Changes `item` (a deep copy that may be changed) by the actions; their operands see `old`.
 * ERR_INVALID with diag set, ERR_NOMEM. */
enum err ddb_update_apply(struct ddb_diag *diag, const struct ddb_update *update,
                          const struct ddb_av *old, struct ddb_av *item) WARN_UNUSED;

/* --- key conditions --------------------------------------------------------------------------- */

struct ddb_key_schema;

enum { DDB_KEY_CONDITION_MORE_MAX = 3 /* attributes of a part of a key behind its first */ };

struct ddb_key_condition {
    const struct ddb_av *hash;
    const struct ddb_av *more_hash[DDB_KEY_CONDITION_MORE_MAX]; /* of the further HASH attributes */
    size_t n_more_hash;
    const struct ddb_av
        *equal[DDB_KEY_CONDITION_MORE_MAX]; /* of RANGE attributes ahead of the last one given */
    size_t n_equal;
    bool has_range;               /* the last one given: */
    enum ddb_op op;               /* EQ, LT, LE, GT, GE, BETWEEN or DDB_FN_BEGINS_WITH */
    const struct ddb_av *lo, *hi; /* hi: BETWEEN only */
};

/* Takes a KeyConditionExpression's tree apart. ERR_INVALID. */
enum err ddb_key_condition_from(struct ddb_diag *diag, const struct ddb_node *node,
                                const struct ddb_key_schema *schema,
                                struct ddb_key_condition *ret_cond) WARN_UNUSED;

#endif
