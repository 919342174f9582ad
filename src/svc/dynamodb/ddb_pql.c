/* Statements as a whole. */
#include <assert.h>

#include "svc/dynamodb/ddb_pql_int.h"

enum { LIST_GROWS_FROM = 4 };

/* --- parts ------------------------------------------------------------------------------------ */

/* Statements have no aliases: a word behind a table is one unless it begins a clause. */
static enum err refuse_alias(struct pql *p)
{
    static const char *const clauses[] = {"WHERE", "ORDER", "SET", "REMOVE", "RETURNING"};
    if (p->kind == PQL_QUOTED)
        return ddb_invalid(p->diag, "Aliasing is not supported");
    for (size_t i = 0; i < ARRAY_LEN(clauses); i++)
        if (ddb_pql_is(p, clauses[i]))
            return ERR_OK;
    return p->kind == PQL_WORD ? ddb_invalid(p->diag, "Aliasing is not supported") : ERR_OK;
}

/* name [. name] */
static enum err table(struct pql *p, struct ddb_pql *s)
{
    bool dot;
    TRY(ddb_pql_name(p, &s->table));
    TRY(ddb_pql_accept(p, ".", &dot));
    if (dot) {
        TRY(ddb_pql_name(p, &s->index));
        TRY(ddb_pql_accept(p, ".", &dot));
        if (dot)
            return ddb_invalid(p->diag,
                               "A path may contain at most 2 components in the FROM clause");
    }
    return s->kind == DDB_PQL_INSERT ? ERR_OK : refuse_alias(p);
}

static enum err where(struct pql *p, struct ddb_pql *s)
{
    bool there;
    TRY(ddb_pql_accept(p, "WHERE", &there));
    return there ? ddb_pql_condition(p, &s->where) : ERR_OK;
}

/* Room for one more element; `n` are there. */
static void *grown(struct pql *p, void *v, size_t n, size_t size)
{
    if (n && (n < LIST_GROWS_FROM || (n & (n - 1))))
        return v;
    void *more = arena_alloc(p->arena, (n ? 2 * n : LIST_GROWS_FROM) * size);
    if (more && n)
        memcpy(more, v, n * size);
    return more;
}

static enum err add_path(struct pql *p, struct ddb_paths *paths)
{
    const struct ddb_path *path;
    TRY(ddb_pql_path(p, &path));
    paths->v = grown(p, paths->v, paths->n, sizeof(*paths->v));
    if (!paths->v)
        return ERR_NOMEM;
    paths->v[paths->n++] = *path;
    return ERR_OK;
}

static enum err add_action(struct pql *p, struct ddb_pql *s, struct ddb_action action)
{
    struct ddb_update *u = &s->update;
    TRY(++p->operators > DDB_EXPR_OPERATORS_MAX
            ? ddb_pql_error(p, "The statement contains too many operators")
            : ERR_OK);
    u->v = grown(p, u->v, u->n, sizeof(*u->v));
    if (!u->v)
        return ERR_NOMEM;
    u->v[u->n++] = action;
    return ERR_OK;
}

/* --- SELECT, EXISTS --------------------------------------------------------------------------- */

static enum err order(struct pql *p, struct ddb_pql *s)
{
    bool there, ascending;
    TRY(ddb_pql_accept(p, "ORDER", &there));
    if (!there)
        return ERR_OK;
    TRY(ddb_pql_expect(p, "BY"));
    for (bool more = true; more;) {
        const struct ddb_path *path;
        TRY(ddb_pql_path(p, &path));
        s->order = path; /* the last decides: the partition key may come first */
        TRY(ddb_pql_accept(p, "DESC", &s->descending));
        if (!s->descending)
            TRY(ddb_pql_accept(p, "ASC", &ascending));
        TRY(ddb_pql_accept(p, ",", &more));
    }
    return ERR_OK;
}

/* Behind SELECT. */
static enum err select(struct pql *p, struct ddb_pql *s)
{
    bool all, more = true;
    TRY(ddb_pql_accept(p, "*", &all));
    while (!all && more) {
        TRY(add_path(p, &s->paths));
        TRY(ddb_pql_accept(p, ",", &more));
    }
    TRY(ddb_pql_expect(p, "FROM"));
    TRY(table(p, s));
    TRY(where(p, s));
    return order(p, s);
}

static enum err exists(struct pql *p, struct ddb_pql *s)
{
    TRY(ddb_pql_expect(p, "("));
    TRY(ddb_pql_expect(p, "SELECT"));
    TRY(select(p, s));
    return ddb_pql_expect(p, ")");
}

/* --- INSERT ----------------------------------------------------------------------------------- */

static enum err insert(struct pql *p, struct ddb_pql *s)
{
    TRY(ddb_pql_expect(p, "INTO"));
    TRY(table(p, s));
    if (!ddb_pql_is(p, "VALUE"))
        return ddb_pql_error(p, "Unexpected token after expression");
    TRY(ddb_pql_next(p));
    TRY(ddb_pql_literal(p, &s->item));
    return s->item->type == DDB_M ? ERR_OK : ddb_pql_error(p, "Expected a tuple");
}

/* --- UPDATE, DELETE --------------------------------------------------------------------------- */

/* RETURNING ( ALL | MODIFIED ) ( OLD | NEW ) * */
static enum err returning(struct pql *p, struct ddb_pql *s)
{
    bool there, modified, old;
    TRY(ddb_pql_accept(p, "RETURNING", &there));
    if (!there)
        return ERR_OK;
    TRY(ddb_pql_accept(p, "MODIFIED", &modified));
    if (!modified)
        TRY(ddb_pql_expect(p, "ALL"));
    TRY(ddb_pql_accept(p, "OLD", &old));
    if (!old)
        TRY(ddb_pql_expect(p, "NEW"));
    TRY(ddb_pql_expect(p, "*"));
    s->returning = modified ? (old ? DDB_PQL_MODIFIED_OLD : DDB_PQL_MODIFIED_NEW)
                            : (old ? DDB_PQL_ALL_OLD : DDB_PQL_ALL_NEW);
    if (s->kind == DDB_PQL_DELETE && s->returning != DDB_PQL_ALL_OLD)
        return ddb_invalid(p->diag,
                           "Invalid returning clause: RETURNING %s %s *. Only RETURNING ALL OLD * "
                           "is allowed in DELETE statements.",
                           modified ? "MODIFIED" : "ALL", old ? "OLD" : "NEW");
    return ERR_OK;
}

static bool same_path(const struct ddb_path *a, const struct ddb_path *b)
{
    size_t i = 0;
    if (a->n != b->n)
        return false;
    while (i < a->n && str_eq(a->steps[i].name, b->steps[i].name) &&
           a->steps[i].index == b->steps[i].index)
        i++;
    return i == a->n;
}

/* ( operand , operand ) behind a function's name. */
static enum err two_operands(struct pql *p, struct ddb_node *args[2])
{
    TRY(ddb_pql_next(p));
    TRY(ddb_pql_expect(p, "("));
    TRY(ddb_pql_operand(p, &args[0]));
    TRY(ddb_pql_expect(p, ","));
    TRY(ddb_pql_operand(p, &args[1]));
    return ddb_pql_expect(p, ")");
}

/* set_add(path, set), set_delete(path, set): of the attribute that is set. */
static enum err set_function(struct pql *p, struct ddb_action *a, bool add)
{
    struct ddb_node *args[2] = {0};
    const char *name = add ? "set_add" : "set_delete";
    TRY(two_operands(p, args));
    if (args[0]->op != DDB_OP_PATH || !same_path(args[0]->path, a->path))
        return ddb_invalid(p->diag, "The first operand of %s must be the attribute that is set",
                           name);
    if (args[1]->op != DDB_OP_VALUE || !ddb_type_is_set(args[1]->value->type))
        return ddb_invalid(
            p->diag,
            "Incorrect operand type for operator or function; operator or function: "
            "%s, operand type: " STR_FMT,
            name,
            STR_ARG(args[1]->op == DDB_OP_VALUE ? ddb_type_name(args[1]->value->type) : STR("M")));
    a->kind = add ? DDB_ADD : DDB_DELETE;
    a->value = args[1];
    return ERR_OK;
}

static enum err list_append(struct pql *p, struct ddb_action *a)
{
    a->value = ddb_node_new(p->arena, DDB_FN_LIST_APPEND, 2);
    return a->value ? two_operands(p, a->value->args) : ERR_NOMEM;
}

/* operand [(+|-) operand] */
static enum err arithmetic(struct pql *p, struct ddb_action *a)
{
    bool plus, minus = false;
    struct ddb_node *sum;
    TRY(ddb_pql_operand(p, &a->value));
    TRY(ddb_pql_accept(p, "+", &plus));
    if (!plus)
        TRY(ddb_pql_accept(p, "-", &minus));
    if (!plus && !minus)
        return ERR_OK;
    sum = ddb_node_new(p->arena, plus ? DDB_OP_ADD : DDB_OP_SUB, 2);
    if (!sum)
        return ERR_NOMEM;
    sum->args[0] = a->value;
    a->value = sum;
    return ddb_pql_operand(p, &sum->args[1]);
}

/* path = value */
static enum err set_one(struct pql *p, struct ddb_pql *s)
{
    struct ddb_action a = {.kind = DDB_SET};
    TRY(ddb_pql_path(p, &a.path));
    TRY(ddb_pql_expect(p, "="));
    bool function = ddb_pql_at_function(p);
    if (function && (ddb_pql_is(p, "set_add") || ddb_pql_is(p, "set_delete")))
        TRY(set_function(p, &a, ddb_pql_is(p, "set_add")));
    else if (function && ddb_pql_is(p, "list_append"))
        TRY(list_append(p, &a));
    else
        TRY(arithmetic(p, &a));
    return add_action(p, s, a);
}

static enum err remove_one(struct pql *p, struct ddb_pql *s)
{
    struct ddb_action a = {.kind = DDB_REMOVE};
    TRY(ddb_pql_path(p, &a.path));
    return add_action(p, s, a);
}

static enum err check_paths(struct pql *p, const struct ddb_update *u)
{
    const struct ddb_path **paths = ARENA_ARRAY(p->arena, const struct ddb_path *, u->n);
    if (!paths)
        return ERR_NOMEM;
    for (size_t i = 0; i < u->n; i++)
        paths[i] = u->v[i].path;
    return ddb_paths_check_overlap(p->diag, "Statement", paths, u->n);
}

static enum err update(struct pql *p, struct ddb_pql *s)
{
    TRY(table(p, s));
    while (ddb_pql_is(p, "SET") || ddb_pql_is(p, "REMOVE")) {
        bool set = ddb_pql_is(p, "SET"), more = true;
        TRY(ddb_pql_next(p));
        while (more) {
            TRY(set ? set_one(p, s) : remove_one(p, s));
            TRY(ddb_pql_accept(p, ",", &more));
        }
    }
    if (s->update.n == 0)
        return ddb_pql_error(p, "Expected data manipulation");
    TRY(check_paths(p, &s->update));
    TRY(where(p, s));
    return returning(p, s);
}

static enum err delete_from(struct pql *p, struct ddb_pql *s)
{
    TRY(ddb_pql_expect(p, "FROM"));
    TRY(table(p, s));
    TRY(where(p, s));
    return returning(p, s);
}

/* --- the statement ---------------------------------------------------------------------------- */

static enum err statement(struct pql *p, struct ddb_pql *s)
{
    static const struct {
        const char *word;
        enum err (*parse)(struct pql *p, struct ddb_pql *s);
    } kinds[] = {[DDB_PQL_SELECT] = {"SELECT", select},
                 [DDB_PQL_INSERT] = {"INSERT", insert},
                 [DDB_PQL_UPDATE] = {"UPDATE", update},
                 [DDB_PQL_DELETE] = {"DELETE", delete_from},
                 [DDB_PQL_EXISTS] = {"EXISTS", exists}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!ddb_pql_is(p, kinds[i].word))
            continue;
        s->kind = (enum ddb_pql_kind)i;
        TRY(ddb_pql_next(p));
        return kinds[i].parse(p, s);
    }
    return ddb_pql_error(p, "Expected data manipulation");
}

enum err ddb_pql_parse(struct ddb_diag *diag, struct str text, const struct json *parameters,
                       struct ddb_pql *ret)
{
    struct ddb_pql s = {0};
    struct pql p = {.diag = diag,
                    .arena = diag->arena,
                    .text = text,
                    .param = parameters ? parameters->child : NULL};
    TRY(ddb_pql_next(&p));
    TRY(statement(&p, &s));
    if (p.kind != PQL_END)
        return ddb_pql_error(&p, "Unexpected token after expression");
    if (p.param)
        return ddb_invalid(diag, "Number of parameters in request and statement don't match.");
    assert(str_is_set(s.table) && (s.kind != DDB_PQL_INSERT || s.item));
    *ret = s;
    return ERR_OK;
}
