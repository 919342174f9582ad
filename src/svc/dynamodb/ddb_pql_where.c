/* Conditions and operands of statements. */
#include <assert.h>

#include "svc/dynamodb/ddb_pql_int.h"

struct ddb_node *ddb_pql_value_node(struct pql *p, const struct ddb_av *av)
{
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_VALUE, 0);
    if (node)
        node->value = av;
    return node;
}

struct ddb_node *ddb_pql_path_node(struct pql *p, const struct ddb_path *path)
{
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_PATH, 0);
    if (node)
        node->path = path;
    return node;
}

static enum err count_operator(struct pql *p)
{
    return ++p->operators > DDB_EXPR_OPERATORS_MAX
               ? ddb_pql_error(p, "The statement contains too many operators")
               : ERR_OK;
}

bool ddb_pql_at_function(const struct pql *p)
{
    struct pql ahead = *p;
    return p->kind == PQL_WORD && ddb_pql_next(&ahead) == ERR_OK && ddb_pql_is(&ahead, "(");
}

static enum err wrong_type(struct pql *p, enum ddb_op op, const struct ddb_av *v)
{
    return ddb_invalid(p->diag,
                       "Incorrect operand type for operator or function; operator or function: %s, "
                       "operand type: " STR_FMT,
                       ddb_op_name(op), STR_ARG(ddb_type_name(v->type)));
}

/* name ( operand, ... ) of a condition, or size; the token is the name. */
static enum err function(struct pql *p, struct ddb_node **ret_node)
{
    static const struct {
        const char *name;
        enum ddb_op op;
        size_t n;
    } known[] = {{"begins_with", DDB_FN_BEGINS_WITH, 2},
                 {"contains", DDB_FN_CONTAINS, 2},
                 {"attribute_type", DDB_FN_ATTRIBUTE_TYPE, 2},
                 {"size", DDB_FN_SIZE, 1}};
    size_t i = 0;
    while (i < ARRAY_LEN(known) && !ddb_pql_is(p, known[i].name))
        i++;
    if (i == ARRAY_LEN(known))
        return ddb_invalid(p->diag, "Invalid function name; function: " STR_FMT, STR_ARG(p->token));
    struct ddb_node *node = ddb_node_new(p->arena, known[i].op, known[i].n);
    if (!node)
        return ERR_NOMEM;
    TRY(count_operator(p));
    TRY(ddb_pql_next(p));
    TRY(ddb_pql_expect(p, "("));
    for (size_t k = 0; k < node->n; k++) {
        if (k)
            TRY(ddb_pql_expect(p, ","));
        TRY(ddb_pql_operand(p, &node->args[k]));
    }
    TRY(ddb_pql_expect(p, ")"));
    const struct ddb_node *last = node->args[node->n - 1];
    const struct ddb_av *v = last->op == DDB_OP_VALUE ? last->value : NULL;
    if (node->op == DDB_FN_BEGINS_WITH && v && v->type != DDB_S && v->type != DDB_B)
        return wrong_type(p, node->op, v);
    if (node->op == DDB_FN_ATTRIBUTE_TYPE && (!v || v->type != DDB_S || !ddb_type_from_name(v->s)))
        return ddb_invalid(p->diag, "Invalid attribute type name found; valid types: "
                                    "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
    *ret_node = node;
    return ERR_OK;
}

enum err ddb_pql_operand(struct pql *p, struct ddb_node **ret_node)
{
    struct ddb_av *av;
    const struct ddb_path *path;
    bool open;
    TRY(ddb_pql_accept(p, "(", &open));
    if (open) {
        TRY(ddb_pql_deeper(p));
        TRY(ddb_pql_operand(p, ret_node));
        p->depth--;
        return ddb_pql_expect(p, ")");
    }
    if (ddb_pql_at_literal(p)) {
        TRY(ddb_pql_literal(p, &av));
        *ret_node = ddb_pql_value_node(p, av);
    } else if (ddb_pql_at_function(p)) {
        TRY(ddb_pql_deeper(p));
        TRY(function(p, ret_node));
        p->depth--;
        if ((*ret_node)->op != DDB_FN_SIZE)
            return ddb_pql_error(p, "Unexpected function");
    } else {
        TRY(ddb_pql_path(p, &path));
        *ret_node = ddb_pql_path_node(p, path);
    }
    return *ret_node ? ERR_OK : ERR_NOMEM;
}

static bool is_condition(const struct ddb_node *node)
{
    return node->op >= DDB_OP_EQ && node->op <= DDB_FN_CONTAINS;
}

static enum err negate(struct pql *p, bool negated, struct ddb_node *node,
                       struct ddb_node **ret_node)
{
    struct ddb_node *turned = negated ? ddb_node_new(p->arena, DDB_OP_NOT, 1) : node;
    if (!turned)
        return ERR_NOMEM;
    if (negated)
        turned->args[0] = node;
    *ret_node = turned;
    return ERR_OK;
}

/* IS [NOT] MISSING, IS [NOT] NULL; behind IS. */
static enum err is_test(struct pql *p, struct ddb_node *left, struct ddb_node **ret_node)
{
    bool negated, missing;
    struct ddb_node *node = NULL;
    TRY(ddb_pql_accept(p, "NOT", &negated));
    TRY(ddb_pql_accept(p, "MISSING", &missing));
    if (!missing)
        TRY(ddb_pql_expect(p, "NULL"));
    if (left->op != DDB_OP_PATH)
        return ddb_pql_error(p, "IS needs a path");
    if (missing) {
        node = ddb_node_new(p->arena,
                            negated ? DDB_FN_ATTRIBUTE_EXISTS : DDB_FN_ATTRIBUTE_NOT_EXISTS, 1);
        negated = false;
    } else {
        struct ddb_av *name = ddb_av_new(p->arena, DDB_S);
        node = ddb_node_new(p->arena, DDB_FN_ATTRIBUTE_TYPE, 2);
        if (!name || !node)
            return ERR_NOMEM;
        name->s = STR("NULL");
        node->args[1] = ddb_pql_value_node(p, name);
        if (!node->args[1])
            return ERR_NOMEM;
    }
    if (!node)
        return ERR_NOMEM;
    node->args[0] = left;
    return negate(p, negated, node, ret_node);
}

/* IN [a, b] or IN (a, b); behind IN. */
static enum err in_test(struct pql *p, struct ddb_node *left, struct ddb_node **ret_node)
{
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_IN, DDB_EXPR_IN_MAX + 1);
    bool round, more = true;
    if (!node)
        return ERR_NOMEM;
    TRY(ddb_pql_accept(p, "(", &round));
    if (!round)
        TRY(ddb_pql_expect(p, "["));
    node->args[0] = left;
    for (node->n = 1; more; node->n++) {
        if (node->n > DDB_EXPR_IN_MAX)
            return ddb_pql_error(p, "The IN operator is provided with too many operands");
        TRY(ddb_pql_operand(p, &node->args[node->n]));
        TRY(ddb_pql_accept(p, ",", &more));
    }
    *ret_node = node;
    return ddb_pql_expect(p, round ? ")" : "]");
}

/* Operands of an ordering have an order. */
static enum err check_ordered(struct pql *p, const struct ddb_node *node)
{
    for (size_t i = 0; i < node->n; i++) {
        const struct ddb_node *arg = node->args[i];
        if (arg->op == DDB_OP_VALUE && arg->value->type > DDB_B)
            return wrong_type(p, node->op, arg->value);
    }
    return ERR_OK;
}

static enum err between_test(struct pql *p, struct ddb_node *left, struct ddb_node **ret_node)
{
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_BETWEEN, 3);
    if (!node)
        return ERR_NOMEM;
    node->args[0] = left;
    TRY(ddb_pql_operand(p, &node->args[1]));
    TRY(ddb_pql_expect(p, "AND"));
    TRY(ddb_pql_operand(p, &node->args[2]));
    *ret_node = node;
    return check_ordered(p, node);
}

static bool comparator(const struct pql *p, enum ddb_op *ret_op)
{
    for (enum ddb_op op = DDB_OP_EQ; op <= DDB_OP_GE; op++)
        if (ddb_pql_is(p, ddb_op_name(op)) || (op == DDB_OP_NE && ddb_pql_is(p, "!="))) {
            *ret_op = op;
            return true;
        }
    return false;
}

static enum err compare(struct pql *p, enum ddb_op op, struct ddb_node *left,
                        struct ddb_node **ret_node)
{
    struct ddb_node *node = ddb_node_new(p->arena, op, 2);
    if (!node)
        return ERR_NOMEM;
    TRY(ddb_pql_next(p));
    node->args[0] = left;
    TRY(ddb_pql_operand(p, &node->args[1]));
    *ret_node = node;
    return op >= DDB_OP_LT ? check_ordered(p, node) : ERR_OK;
}

/* What may follow an operand; *ret_node stays the operand where nothing does. */
static enum err test(struct pql *p, struct ddb_node *left, struct ddb_node **ret_node)
{
    enum ddb_op op;
    bool is, negated, in, between;
    struct ddb_node *node = NULL;
    *ret_node = left;
    if (comparator(p, &op)) {
        TRY(count_operator(p));
        return compare(p, op, left, ret_node);
    }
    TRY(ddb_pql_accept(p, "IS", &is));
    if (is)
        return is_test(p, left, ret_node);
    TRY(ddb_pql_accept(p, "NOT", &negated));
    TRY(ddb_pql_accept(p, "IN", &in));
    TRY(in ? ERR_OK : ddb_pql_accept(p, "BETWEEN", &between));
    if (!in && !between)
        return negated ? ddb_pql_error(p, "Unexpected token") : ERR_OK;
    TRY(count_operator(p));
    TRY(in ? in_test(p, left, &node) : between_test(p, left, &node));
    return negate(p, negated, node, ret_node);
}

static enum err or_chain(struct pql *p, struct ddb_node **ret_node);

static enum err primary(struct pql *p, struct ddb_node **ret_node)
{
    bool open;
    TRY(ddb_pql_accept(p, "(", &open));
    if (open) {
        p->parens++;
        TRY(or_chain(p, ret_node));
        p->parens--;
        TRY(ddb_pql_expect(p, ")"));
    } else if (ddb_pql_at_function(p)) {
        TRY(function(p, ret_node));
    } else {
        TRY(ddb_pql_operand(p, ret_node));
    }
    if (!is_condition(*ret_node))
        TRY(test(p, *ret_node, ret_node));
    if (is_condition(*ret_node) || (p->parens && ddb_pql_is(p, ")")))
        return ERR_OK;
    return ddb_pql_error(p,
                         p->kind == PQL_END ? "Unexpected end of statement" : "Unexpected token");
}

static enum err not_chain(struct pql *p, struct ddb_node **ret_node)
{
    bool negated;
    TRY(ddb_pql_deeper(p));
    TRY(ddb_pql_accept(p, "NOT", &negated));
    if (negated) {
        struct ddb_node *inner;
        TRY(count_operator(p));
        TRY(not_chain(p, &inner));
        if (!is_condition(inner))
            return ddb_pql_error(p, "Unexpected token");
        TRY(negate(p, true, inner, ret_node));
    } else {
        TRY(primary(p, ret_node));
    }
    p->depth--;
    return ERR_OK;
}

/* Operands of a chain of ANDs or ORs, as one node with as many arguments. */
static enum err chain(struct pql *p, enum ddb_op op, struct ddb_node **ret_node)
{
    struct ddb_node *first, *next, *all = NULL;
    size_t cap = 0;
    bool more;
    TRY(op == DDB_OP_OR ? chain(p, DDB_OP_AND, &first) : not_chain(p, &first));
    for (;;) {
        TRY(ddb_pql_accept(p, ddb_op_name(op), &more));
        if (!more)
            break;
        TRY(count_operator(p));
        TRY(op == DDB_OP_OR ? chain(p, DDB_OP_AND, &next) : not_chain(p, &next));
        if (!is_condition(first) || !is_condition(next))
            return ddb_pql_error(p, "Unexpected token");
        if (!all || all->n == cap) {
            struct ddb_node *grown = ddb_node_new(p->arena, op, cap ? cap * 2 : 4);
            if (!grown)
                return ERR_NOMEM;
            cap = grown->n;
            grown->n = all ? all->n : 1;
            grown->args[0] = first;
            if (all)
                memcpy(grown->args, all->args, all->n * sizeof(struct ddb_node *));
            all = grown;
        }
        all->args[all->n++] = next;
    }
    *ret_node = all ? all : first;
    return ERR_OK;
}

static enum err or_chain(struct pql *p, struct ddb_node **ret_node)
{
    return chain(p, DDB_OP_OR, ret_node);
}

enum err ddb_pql_condition(struct pql *p, struct ddb_node **ret_node)
{
    return or_chain(p, ret_node);
}
