/* Evaluation of conditions over one item. Recursion follows the tree, whose depth the parser
 * bounded (DX1). */
#include <assert.h>

#include "svc/dynamodb/ddb_expr.h"
#include "svc/dynamodb/ddb_item.h"
#include "svc/dynamodb/ddb_num.h"

static enum err resolve(const struct ddb_source *src, const struct ddb_path *path,
                        const struct ddb_av **ret_av)
{
    struct ddb_av *root = NULL;
    if (src->tree) {
        root = ddb_av_get(src->tree, path->steps[0].name);
    } else if (str_is_set(src->raw)) {
        enum err err = ddb_item_find(src->arena, src->raw, path->steps[0].name, &root);
        if (err == ERR_NOT_FOUND)
            root = NULL;
        else
            TRY(err);
    }
    struct ddb_path below = {path->steps + 1, path->n - 1};
    *ret_av = root ? ddb_path_walk(root, &below) : NULL;
    return ERR_OK;
}

/* size(v) as a number; types without a size count as missing. */
static enum err size_of(const struct ddb_source *src, const struct ddb_av *v,
                        const struct ddb_av **ret_av)
{
    *ret_av = NULL;
    size_t size = 0;
    if (!v || v->type == DDB_N || v->type == DDB_BOOL || v->type == DDB_NULL)
        return ERR_OK;
    if (v->type == DDB_S)
        size = str_utf8_count(v->s);
    else
        size = v->type == DDB_B ? v->s.len : v->n;
    struct ddb_av *n = ddb_av_new(src->arena, DDB_N);
    if (!n)
        return ERR_NOMEM;
    n->s = str_fmt(src->arena, "%zu", size);
    *ret_av = n;
    return str_is_set(n->s) ? ERR_OK : ERR_NOMEM;
}

static enum err wrong_data_type(struct ddb_diag *diag)
{
    return ddb_invalid(diag, "An operand in the update expression has an incorrect data type");
}

static enum err missing_attribute(struct ddb_diag *diag)
{
    return ddb_invalid(diag, "The provided expression refers to an attribute that does not exist "
                             "in the item");
}

/* a + b, a - b of SET. */
static enum err arithmetic(struct ddb_diag *diag, const struct ddb_node *node,
                           const struct ddb_source *src, const struct ddb_av **ret_av)
{
    const struct ddb_av *a, *b;
    assert(node->n == 2);
    TRY(ddb_eval_operand(diag, node->args[0], src, &a));
    TRY(ddb_eval_operand(diag, node->args[1], src, &b));
    if (!a || !b)
        return missing_attribute(diag);
    if (a->type != DDB_N || b->type != DDB_N)
        return wrong_data_type(diag);
    struct ddb_num x, y, sum;
    if (ddb_num_parse(a->s, &x) != DDB_NUM_OK || ddb_num_parse(b->s, &y) != DDB_NUM_OK)
        return ERR_CORRUPT;
    enum ddb_num_fault fault = ddb_num_add(&x, &y, node->op == DDB_OP_SUB, &sum);
    if (fault != DDB_NUM_OK) {
        diag->msg = ddb_num_message(diag->arena, fault, a->s);
        return ERR_INVALID;
    }
    char text[DDB_NUM_TEXT_MAX];
    struct ddb_av *v = ddb_av_new(src->arena, DDB_N);
    if (!v)
        return ERR_NOMEM;
    v->s = str_dup(src->arena, ddb_num_text(&sum, text));
    *ret_av = v;
    return str_is_set(v->s) ? ERR_OK : ERR_NOMEM;
}

static enum err append_lists(struct ddb_diag *diag, const struct ddb_node *node,
                             const struct ddb_source *src, const struct ddb_av **ret_av)
{
    struct ddb_av *list = ddb_av_new(src->arena, DDB_L);
    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < 2; i++) {
        const struct ddb_av *part;
        TRY(ddb_eval_operand(diag, node->args[i], src, &part));
        if (!part)
            return missing_attribute(diag);
        if (part->type != DDB_L)
            return wrong_data_type(diag);
        for (const struct ddb_av *c = part->child; c; c = c->next) {
            struct ddb_av *copy = ddb_av_clone(src->arena, c);
            if (!copy)
                return ERR_NOMEM;
            ddb_av_append(list, copy);
        }
    }
    *ret_av = list;
    return ERR_OK;
}

enum err ddb_eval_operand(struct ddb_diag *diag, const struct ddb_node *node,
                          const struct ddb_source *src, const struct ddb_av **ret_av)
{
    switch (node->op) {
    case DDB_OP_PATH:
        return resolve(src, node->path, ret_av);
    case DDB_OP_VALUE:
        *ret_av = node->value;
        return ERR_OK;
    case DDB_FN_SIZE: {
        const struct ddb_av *v;
        TRY(ddb_eval_operand(diag, node->args[0], src, &v));
        return size_of(src, v, ret_av);
    }
    case DDB_FN_IF_NOT_EXISTS:
        TRY(ddb_eval_operand(diag, node->args[0], src, ret_av));
        return *ret_av ? ERR_OK : ddb_eval_operand(diag, node->args[1], src, ret_av);
    case DDB_FN_LIST_APPEND:
        return append_lists(diag, node, src, ret_av);
    case DDB_OP_ADD:
    case DDB_OP_SUB:
        return arithmetic(diag, node, src, ret_av);
    default:
        return ERR_INVALID;
    }
}

static bool compare(enum ddb_op op, const struct ddb_av *a, const struct ddb_av *b)
{
    int cmp;
    if (op == DDB_OP_NE)
        return !a || !b || !ddb_av_equal(a, b);
    if (!a || !b)
        return false;
    if (op == DDB_OP_EQ)
        return ddb_av_equal(a, b);
    if (!ddb_av_cmp(a, b, &cmp))
        return false;
    return op == DDB_OP_LT   ? cmp < 0
           : op == DDB_OP_LE ? cmp <= 0
           : op == DDB_OP_GT ? cmp > 0
                             : cmp >= 0;
}

static bool contains(const struct ddb_av *a, const struct ddb_av *b)
{
    if ((a->type == DDB_S || a->type == DDB_B) && a->type == b->type)
        return str_find_str(a->s, b->s) != SIZE_MAX;
    if (ddb_type_is_set(a->type))
        return b->type == ddb_set_element(a->type) && ddb_set_has(a, b->s);
    if (a->type == DDB_L)
        for (const struct ddb_av *c = a->child; c; c = c->next)
            if (ddb_av_equal(c, b))
                return true;
    return false;
}

/* Conditions with one or two operands that are values. */
static bool test(enum ddb_op op, const struct ddb_av *a, const struct ddb_av *b)
{
    switch (op) {
    case DDB_FN_ATTRIBUTE_EXISTS:
        return a != NULL;
    case DDB_FN_ATTRIBUTE_NOT_EXISTS:
        return a == NULL;
    case DDB_FN_ATTRIBUTE_TYPE:
        return a && b && b->type == DDB_S && str_eq(ddb_type_name(a->type), b->s);
    case DDB_FN_BEGINS_WITH:
        return a && b && a->type == b->type && (a->type == DDB_S || a->type == DDB_B) &&
               str_starts(a->s, b->s);
    case DDB_FN_CONTAINS:
        return a && b && contains(a, b);
    default:
        return compare(op, a, b);
    }
}

static enum err eval_list(struct ddb_diag *diag, const struct ddb_node *node,
                          const struct ddb_source *src, bool *ret_holds)
{
    bool any = node->op == DDB_OP_OR;
    assert(node->n > 0);
    for (size_t i = 0; i < node->n; i++) {
        bool holds;
        TRY(ddb_eval_condition(diag, node->args[i], src, &holds));
        if (holds == any) {
            *ret_holds = any;
            return ERR_OK;
        }
    }
    *ret_holds = !any;
    return ERR_OK;
}

uint64_t ddb_condition_work(const struct ddb_node *node, struct str raw)
{
    uint64_t work = 0;
    if (node->op == DDB_OP_IN)
        return node->n * (uint64_t)raw.len;
    if (node->op != DDB_OP_AND && node->op != DDB_OP_OR && node->op != DDB_OP_NOT)
        return raw.len;
    for (size_t i = 0; i < node->n; i++)
        work += ddb_condition_work(node->args[i], raw);
    return work;
}

enum err ddb_eval_condition(struct ddb_diag *diag, const struct ddb_node *node,
                            const struct ddb_source *src, bool *ret_holds)
{
    const struct ddb_av *a = NULL, *b = NULL;
    if (node->op == DDB_OP_AND || node->op == DDB_OP_OR)
        return eval_list(diag, node, src, ret_holds);
    if (node->op == DDB_OP_NOT) {
        TRY(ddb_eval_condition(diag, node->args[0], src, ret_holds));
        *ret_holds = !*ret_holds;
        return ERR_OK;
    }
    TRY(ddb_eval_operand(diag, node->args[0], src, &a));
    if (node->op == DDB_OP_IN) {
        *ret_holds = false;
        for (size_t i = 1; i < node->n && !*ret_holds; i++) {
            TRY(ddb_eval_operand(diag, node->args[i], src, &b));
            *ret_holds = compare(DDB_OP_EQ, a, b);
        }
        return ERR_OK;
    }
    if (node->n > 1)
        TRY(ddb_eval_operand(diag, node->args[1], src, &b));
    if (node->op == DDB_OP_BETWEEN) {
        const struct ddb_av *hi;
        TRY(ddb_eval_operand(diag, node->args[2], src, &hi));
        *ret_holds = compare(DDB_OP_GE, a, b) && compare(DDB_OP_LE, a, hi);
        return ERR_OK;
    }
    *ret_holds = test(node->op, a, b);
    return ERR_OK;
}

enum err ddb_node_each_path(const struct ddb_node *node,
                            enum err (*fn)(void *arg, const struct ddb_path *path), void *arg)
{
    if (node->op == DDB_OP_PATH)
        return fn(arg, node->path);
    for (size_t i = 0; i < node->n; i++)
        TRY(ddb_node_each_path(node->args[i], fn, arg));
    return ERR_OK;
}
