/* KeyConditionExpression: hash = :v [AND one condition on the range key]. */
#include <assert.h>

#include "svc/dynamodb/ddb_expr.h"

static enum err bad_operator(struct ddb_diag *diag, enum ddb_op op)
{
    return ddb_invalid(diag,
                       "Invalid KeyConditionExpression: Invalid operator used in "
                       "KeyConditionExpression: %s",
                       ddb_op_name(op));
}

struct split {
    struct ddb_diag *diag;
    struct str hash, range;
    struct ddb_key_condition *cond;
    struct str other; /* an attribute that is no key */
    size_t n;
};

static bool allowed(enum ddb_op op)
{
    return op == DDB_OP_EQ || (op >= DDB_OP_LT && op <= DDB_OP_BETWEEN) || op == DDB_FN_BEGINS_WITH;
}

/* The operator when the operands change places. */
static enum ddb_op turned_round(enum ddb_op op)
{
    return op == DDB_OP_LT   ? DDB_OP_GT
           : op == DDB_OP_LE ? DDB_OP_GE
           : op == DDB_OP_GT ? DDB_OP_LT
           : op == DDB_OP_GE ? DDB_OP_LE
                             : op;
}

static enum err take_hash(struct split *s, const struct ddb_node *node)
{
    if (s->cond->hash)
        return ddb_invalid(s->diag, "Invalid KeyConditionExpression: KeyConditionExpressions must "
                                    "only contain one condition per key");
    if (node->op != DDB_OP_EQ)
        return ddb_invalid(s->diag, "Query key condition not supported");
    assert(node->args[1]->op == DDB_OP_VALUE);
    s->cond->hash = node->args[1]->value;
    return ERR_OK;
}

static enum err take_range(struct split *s, const struct ddb_node *node)
{
    if (s->cond->has_range)
        return ddb_invalid(s->diag, "Invalid KeyConditionExpression: KeyConditionExpressions must "
                                    "only contain one condition per key");
    assert(node->n == (node->op == DDB_OP_BETWEEN ? 3u : 2u));
    s->cond->has_range = true;
    s->cond->op = node->op;
    s->cond->lo = node->args[1]->value;
    s->cond->hi = node->op == DDB_OP_BETWEEN ? node->args[2]->value : NULL;
    return ERR_OK;
}

/* One condition on one key. */
static enum err take(struct split *s, struct ddb_node *node)
{
    if (!allowed(node->op))
        return bad_operator(s->diag, node->op);
    struct ddb_node *args[3] = {node->args[0], node->args[1], node->n > 2 ? node->args[2] : NULL};
    struct ddb_node turned = *node;
    if (node->op <= DDB_OP_GE && args[0]->op == DDB_OP_VALUE) {
        args[0] = node->args[1];
        args[1] = node->args[0];
        turned.args = args;
        turned.op = turned_round(node->op);
    }
    if (args[0]->op != DDB_OP_PATH)
        return ddb_invalid(s->diag, "Invalid KeyConditionExpression: KeyConditionExpressions "
                                    "cannot contain nested operations");
    if (args[0]->path->n != 1)
        return ddb_invalid(s->diag, "Invalid KeyConditionExpression: KeyConditionExpressions "
                                    "cannot have conditions on nested attributes");
    for (size_t i = 1; i < node->n; i++)
        if (args[i]->op != DDB_OP_VALUE)
            return ddb_invalid(s->diag, "Invalid KeyConditionExpression: KeyConditionExpressions "
                                        "cannot contain nested operations");
    s->n++;
    struct str name = args[0]->path->steps[0].name;
    if (str_eq(name, s->hash))
        return take_hash(s, &turned);
    if (str_is_set(s->range) && str_eq(name, s->range))
        return take_range(s, &turned);
    s->other = name;
    return ERR_OK;
}

static enum err take_all(struct split *s, struct ddb_node *node)
{
    if (node->op != DDB_OP_AND)
        return take(s, node);
    for (size_t i = 0; i < node->n; i++)
        TRY(take_all(s, node->args[i]));
    return ERR_OK;
}

enum err ddb_key_condition_from(struct ddb_diag *diag, const struct ddb_node *node, struct str hash,
                                struct str range, struct ddb_key_condition *ret_cond)
{
    struct ddb_key_condition cond = {0};
    struct split s = {diag, hash, range, &cond, STR_NONE, 0};
    struct ddb_node root = *node;
    TRY(take_all(&s, &root));
    if (s.n > 2)
        return ddb_invalid(diag, "Conditions can be of length 1 or 2 only");
    if (!cond.hash)
        return ddb_invalid(diag, "Query condition missed key schema element: " STR_FMT,
                           STR_ARG(hash));
    if (str_is_set(s.other)) {
        if (str_is_set(range) && !cond.has_range)
            return ddb_invalid(diag, "Query condition missed key schema element: " STR_FMT,
                               STR_ARG(range));
        return ddb_invalid(diag, "Query key condition not supported");
    }
    *ret_cond = cond;
    return ERR_OK;
}
