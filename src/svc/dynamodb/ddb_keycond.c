/* KeyConditionExpression: every HASH attribute = :v [AND conditions on RANGE attributes]. Those are given from
 * the first on, without a gap, and all but the last with "=". */
#include <assert.h>

#include "svc/dynamodb/dynamodb_keys.h"

static enum err bad_operator(struct ddb_diag *diag, enum ddb_op op)
{
    return ddb_invalid(diag,
                       "Invalid KeyConditionExpression: Invalid operator used in "
                       "KeyConditionExpression: %s",
                       ddb_op_name(op));
}

/* What is asked of one attribute of the key. */
struct asked {
    bool given;
    enum ddb_op op;
    const struct ddb_av *lo, *hi;
};

struct split {
    struct ddb_diag *diag;
    const struct ddb_key_schema *schema;
    struct asked by[DDB_KEY_MAX]; /* attributes of the schema, in its order */
    bool other;                   /* a condition on an attribute that is no key */
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

static enum err take_key(struct split *s, size_t i, const struct ddb_node *node)
{
    struct asked *by = &s->by[i];
    if (by->given)
        return ddb_invalid(s->diag, "Invalid KeyConditionExpression: KeyConditionExpressions must "
                                    "only contain one condition per key");
    if (i < ddb_schema_hashes(s->schema) && node->op != DDB_OP_EQ)
        return ddb_invalid(s->diag, "Query key condition not supported");
    assert(node->n == (node->op == DDB_OP_BETWEEN ? 3u : 2u));
    assert(node->args[1]->op == DDB_OP_VALUE);
    *by = (struct asked){.given = true,
                         .op = node->op,
                         .lo = node->args[1]->value,
                         .hi = node->op == DDB_OP_BETWEEN ? node->args[2]->value : NULL};
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
    for (size_t i = 0; i < ddb_schema_parts(s->schema); i++)
        if (str_eq(name, ddb_schema_part(s->schema, i).name))
            return take_key(s, i, &turned);
    s->other = true;
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

/* The names of these RANGE attributes. */
static enum err put_names(struct split *s, size_t from, size_t to, bool ranges, struct str *ret)
{
    struct buf b;
    buf_init_arena(&b, s->diag->arena, 1024 * 1024);
    for (size_t i = from; i < to; i++) {
        if (s->by[i].given && (!ranges || s->by[i].op == DDB_OP_EQ))
            continue;
        if (b.len)
            BUF_ADD_LIT(&b, ", ");
        buf_add_str(&b, ddb_schema_part(s->schema, i).name);
    }
    *ret = buf_str(&b);
    return buf_err(&b);
}

/* RANGE attributes are given in order, and with = up to the last one. */
static enum err take_ranges(struct split *s, size_t hashes, struct ddb_key_condition *cond)
{
    size_t n = ddb_schema_parts(s->schema), last = 0;
    struct str names;
    for (size_t i = hashes; i < n; i++)
        if (s->by[i].given)
            last = i;
    if (!last)
        return ERR_OK;
    TRY(put_names(s, hashes, last, true, &names));
    if (!str_empty(names))
        return ddb_invalid(s->diag,
                           "RANGE key attributes " STR_FMT " must have equality conditions "
                           "specified in the query because a condition is present on key "
                           "attribute " STR_FMT,
                           STR_ARG(names), STR_ARG(ddb_schema_part(s->schema, last).name));
    for (size_t i = hashes; i < last; i++)
        cond->equal[cond->n_equal++] = s->by[i].lo;
    cond->has_range = true;
    cond->op = s->by[last].op;
    cond->lo = s->by[last].lo;
    cond->hi = s->by[last].hi;
    return ERR_OK;
}

enum err ddb_key_condition_from(struct ddb_diag *diag, const struct ddb_node *node,
                                const struct ddb_key_schema *schema,
                                struct ddb_key_condition *ret_cond)
{
    struct ddb_key_condition cond = {0};
    struct split s = {.diag = diag, .schema = schema};
    struct ddb_node root = *node;
    size_t parts = ddb_schema_parts(schema), hashes = ddb_schema_hashes(schema);
    TRY(take_all(&s, &root));
    if (s.n > parts && s.n > 2)
        return ddb_invalid(diag,
                           "The number of query conditions (%zu) exceeds the number of key "
                           "attributes defined in the schema (%zu)",
                           s.n, parts);
    for (size_t i = 0; i < hashes; i++)
        if (!s.by[i].given)
            return ddb_invalid(diag, "Query condition missed key schema element: " STR_FMT,
                               STR_ARG(ddb_schema_part(schema, i).name));
    if (s.other) {
        if (parts > hashes && !s.by[hashes].given)
            return ddb_invalid(diag, "Query condition missed key schema element: " STR_FMT,
                               STR_ARG(schema->range));
        return ddb_invalid(diag, "Query key condition not supported");
    }
    cond.hash = s.by[0].lo;
    for (size_t i = 1; i < hashes; i++)
        cond.more_hash[cond.n_more_hash++] = s.by[i].lo;
    TRY(take_ranges(&s, hashes, &cond));
    *ret_cond = cond;
    return ERR_OK;
}
