/* Update expressions: parsing and application.
 *
 *   update  = { SET set {, set} | REMOVE path {, path} | ADD add {, add} | DELETE add {, add} }
 *   set     = path = value
 *   value   = ( value ) | operand [ (+|-) operand ]
 *   add     = path :value
 *
 * Invariants
 *   DA1  Each section comes at most once and no two paths overlap, so the order of actions does not
 *        show in the result.
 *   DA2  Operands and list indexes refer to the item as it was: targets of REMOVE are found before
 *        anything changes and unlinked last. */
#include <assert.h>

#include "svc/dynamodb/ddb_lex.h"
#include "svc/dynamodb/ddb_memo.h"
#include "svc/dynamodb/ddb_num.h"

#include <stdlib.h>

static const char *const SECTIONS[] = {
    [DDB_SET] = "SET", [DDB_REMOVE] = "REMOVE", [DDB_ADD] = "ADD", [DDB_DELETE] = "DELETE"};

/* The long names of types that AWS's messages about ADD and DELETE use. */
static const char *long_type_name(enum ddb_type type)
{
    static const char *const names[] = {
        [DDB_S] = "STRING",      [DDB_N] = "NUMBER",      [DDB_B] = "BINARY",
        [DDB_BOOL] = "BOOLEAN",  [DDB_NULL] = "NULL",     [DDB_L] = "LIST",
        [DDB_M] = "MAP",         [DDB_SS] = "STRING_SET", [DDB_NS] = "NUMBER_SET",
        [DDB_BS] = "BINARY_SET",
    };
    return names[type];
}

static enum err parse_arithmetic(struct ddb_parser *p, struct ddb_node **ret_node)
{
    struct ddb_node *left;
    if (ddb_accept(p, "(")) { /* around an operand or around all of it */
        size_t inner = p->pos;
        TRY(ddb_deeper(p));
        TRY(parse_arithmetic(p, &left));
        p->depth--;
        TRY(ddb_close_paren(p, inner));
    } else {
        TRY(ddb_parse_operand(p, true, &left));
    }
    enum ddb_op op = ddb_token_is(ddb_token(p), "+") ? DDB_OP_ADD : DDB_OP_SUB;
    if (left->op == DDB_OP_ADD || left->op == DDB_OP_SUB || !ddb_accept(p, ddb_op_name(op))) {
        *ret_node = left;
        return ERR_OK;
    }
    TRY(ddb_count_operator(p));
    struct ddb_node *node = ddb_node_new(p->arena, op, 2);
    if (!node)
        return ERR_NOMEM;
    node->args[0] = left;
    TRY(ddb_parse_operand(p, true, &node->args[1]));
    for (size_t i = 0; i < 2; i++) {
        const struct ddb_node *arg = node->args[i];
        if (arg->op == DDB_OP_VALUE && arg->value->type != DDB_N)
            return ddb_parse_error(p,
                                   "Incorrect operand type for operator or function; operator or "
                                   "function: %s, operand type: " STR_FMT,
                                   ddb_op_name(op), STR_ARG(ddb_type_name(arg->value->type)));
    }
    *ret_node = node;
    return ERR_OK;
}

/* The :value of ADD and DELETE. */
static enum err parse_add_value(struct ddb_parser *p, enum ddb_action_kind kind,
                                struct ddb_node **ret_node)
{
    if (ddb_token(p)->kind != TOKEN_VALUE)
        return ddb_syntax_error(p);
    TRY(ddb_parse_operand(p, true, ret_node));
    enum ddb_type type = (*ret_node)->value->type;
    if (ddb_type_is_set(type) || (kind == DDB_ADD && type == DDB_N))
        return ERR_OK;
    return ddb_parse_error(p,
                           "Incorrect operand type for operator or function; operator: %s, operand "
                           "type: %s, typeSet: ALLOWED_FOR_%s_OPERAND",
                           SECTIONS[kind], long_type_name(type), SECTIONS[kind]);
}

static enum err parse_action(struct ddb_parser *p, enum ddb_action_kind kind,
                             struct ddb_action *ret_action)
{
    struct ddb_path *path = ARENA_NEW(p->arena, struct ddb_path);
    struct ddb_node *value = NULL;
    if (!path)
        return ERR_NOMEM;
    TRY(ddb_count_operator(p));
    TRY(ddb_parse_path(p, path));
    if (kind == DDB_SET) {
        TRY(ddb_expect(p, "="));
        TRY(parse_arithmetic(p, &value));
    } else if (kind != DDB_REMOVE) {
        TRY(parse_add_value(p, kind, &value));
    }
    assert((value == NULL) == (kind == DDB_REMOVE) && path->n > 0);
    *ret_action = (struct ddb_action){kind, path, value};
    return ERR_OK;
}

static enum err parse_section(struct ddb_parser *p, bool seen[4], struct ddb_update *update)
{
    size_t kind = 0;
    while (kind < ARRAY_LEN(SECTIONS) && !ddb_token_is(ddb_token(p), SECTIONS[kind]))
        kind++;
    if (kind == ARRAY_LEN(SECTIONS))
        return ddb_syntax_error(p);
    if (seen[kind])
        return ddb_parse_error(p,
                               "The \"%s\" section can only be used once in an update "
                               "expression;",
                               SECTIONS[kind]);
    seen[kind] = true;
    p->pos++;
    do {
        TRY(parse_action(p, (enum ddb_action_kind)kind, &update->v[update->n]));
        update->n++;
    } while (ddb_accept(p, ","));
    return ERR_OK;
}

enum err ddb_parse_update(struct ddb_env *env, struct str text, struct ddb_update *ret_update)
{
    struct ddb_parser p;
    bool seen[4] = {false};
    const struct ddb_update *known = ddb_memo_find(env->diag->memo, DDB_MEMO_UPDATE, text.p);
    if (known) {
        *ret_update = *known;
        return ERR_OK;
    }
    TRY(ddb_parser_init(&p, env, "UpdateExpression", text));
    /* One action a section, and one more for each comma. */
    size_t cap = ARRAY_LEN(SECTIONS);
    for (size_t i = 0; p.tokens[i].kind != TOKEN_END; i++)
        cap += ddb_token_is(&p.tokens[i], ",");
    struct ddb_update update = {.v = ARENA_ARRAY(p.arena, struct ddb_action, cap)};
    const struct ddb_path **paths = ARENA_ARRAY(p.arena, const struct ddb_path *, cap);
    if (!update.v || !paths)
        return ERR_NOMEM;
    do
        TRY(parse_section(&p, seen, &update));
    while (ddb_token(&p)->kind != TOKEN_END);
    assert(update.n > 0 && update.n <= cap);
    for (size_t i = 0; i < update.n; i++)
        paths[i] = update.v[i].path;
    TRY(ddb_paths_check_overlap(p.diag, p.kind, paths, update.n));
    *ret_update = update;
    return ddb_memo_keep_copy(p.diag->memo, p.arena, DDB_MEMO_UPDATE, text.p, &update,
                              sizeof(update));
}

/* --- application ------------------------------------------------------------------------------ */

struct apply {
    struct ddb_diag *diag;
    struct arena *arena;
    struct ddb_source old;
    struct ddb_av *item;
    bool legacy;
};

static enum err wrong_type(struct apply *ap)
{
    return ddb_invalid(ap->diag, "%s",
                       ap->legacy ? "Type mismatch for attribute to update"
                                  : "An operand in the update expression has an incorrect data "
                                    "type");
}

struct removal {
    struct ddb_av *container, *child; /* child NULL: nothing there */
};

/* The map or list that the path's last step is taken in; it must exist and be of the right type. */
static enum err container_of(struct apply *ap, const struct ddb_path *path,
                             struct ddb_av **ret_container)
{
    assert(path->n > 0);
    struct ddb_path up = {path->steps, path->n - 1};
    const struct ddb_av *v = ddb_path_walk(ap->item, &up);
    bool named = str_is_set(path->steps[path->n - 1].name);
    if (!v || v->type != (named ? DDB_M : DDB_L))
        return ddb_invalid(ap->diag, "The document path provided in the update expression is "
                                     "invalid for update");
    *ret_container = (struct ddb_av *)v; /* the item is ours to change */
    return ERR_OK;
}

static struct ddb_av *child_at(struct ddb_av *container, const struct ddb_path *path)
{
    const struct ddb_step *last = &path->steps[path->n - 1];
    return str_is_set(last->name) ? ddb_av_get(container, last->name)
                                  : ddb_av_at(container, last->index);
}

static enum err put_at(struct apply *ap, const struct ddb_path *path, const struct ddb_av *value)
{
    struct ddb_av *container, *copy = ddb_av_copy(ap->arena, value);
    if (!copy)
        return ERR_NOMEM;
    TRY(container_of(ap, path, &container));
    struct ddb_av *child = child_at(container, path);
    if (child) {
        ddb_av_replace(container, child, copy);
        return ERR_OK;
    }
    copy->name = path->steps[path->n - 1].name; /* absent in a list: appended */
    ddb_av_append(container, copy);
    return ERR_OK;
}

static enum err apply_set(struct apply *ap, const struct ddb_action *action)
{
    const struct ddb_av *value;
    TRY(ddb_eval_operand(ap->diag, action->value, &ap->old, &value));
    if (!value)
        return ddb_invalid(ap->diag, "The provided expression refers to an attribute that does not "
                                     "exist in the item");
    return put_at(ap, action->path, value);
}

static int cmp_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Elements of `a` that are not in `b`, appended to `out`. O((n + m) log m). */
static enum err add_difference(struct apply *ap, const struct ddb_av *a, const struct ddb_av *b,
                               struct ddb_av *out)
{
    struct str *sorted = ARENA_ARRAY(ap->arena, struct str, b->n);
    size_t n = 0;
    if (!sorted)
        return ERR_NOMEM;
    for (const struct ddb_av *c = b->child; c; c = c->next)
        sorted[n++] = c->s;
    assert(n == b->n);
    qsort(sorted, n, sizeof(*sorted), cmp_str);
    for (const struct ddb_av *c = a->child; c; c = c->next) {
        if (bsearch(&c->s, sorted, n, sizeof(*sorted), cmp_str))
            continue;
        struct ddb_av *copy = ddb_av_clone(ap->arena, c);
        if (!copy)
            return ERR_NOMEM;
        ddb_av_append(out, copy);
    }
    return ERR_OK;
}

static enum err apply_add(struct apply *ap, const struct ddb_action *action)
{
    const struct ddb_av *value = action->value->value;
    struct ddb_av *container;
    TRY(container_of(ap, action->path, &container));
    struct ddb_av *child = child_at(container, action->path);
    if (!child)
        return put_at(ap, action->path, value);
    if (child->type != value->type)
        return wrong_type(ap);
    if (child->type == DDB_N) {
        struct ddb_node operand = {.op = DDB_OP_VALUE, .value = child};
        struct ddb_node *args[] = {&operand, action->value};
        struct ddb_node sum = {.op = DDB_OP_ADD, .args = args, .n = 2};
        const struct ddb_av *result;
        TRY(ddb_eval_operand(ap->diag, &sum, &ap->old, &result));
        return put_at(ap, action->path, result);
    }
    assert(ddb_type_is_set(child->type));
    struct ddb_av *merged = ddb_av_copy(ap->arena, child);
    if (!merged)
        return ERR_NOMEM;
    TRY(add_difference(ap, value, child, merged));
    ddb_av_replace(container, child, merged);
    return ERR_OK;
}

static enum err apply_delete(struct apply *ap, const struct ddb_action *action)
{
    const struct ddb_av *value = action->value->value;
    struct ddb_av *container;
    TRY(container_of(ap, action->path, &container));
    struct ddb_av *child = child_at(container, action->path);
    if (!child)
        return ERR_OK;
    if (child->type != value->type)
        return wrong_type(ap);
    assert(ddb_type_is_set(child->type));
    struct ddb_av *left = ddb_av_new(ap->arena, child->type);
    if (!left)
        return ERR_NOMEM;
    TRY(add_difference(ap, child, value, left));
    assert(left->n <= child->n);
    if (left->n)
        ddb_av_replace(container, child, left);
    else
        ddb_av_remove(container, child); /* a set is never empty */
    return ERR_OK;
}

static uint32_t last_index(const struct ddb_action *action)
{
    const struct ddb_step *last = &action->path->steps[action->path->n - 1];
    return str_is_set(last->name) ? 0 : last->index;
}

static int cmp_action(const void *a, const void *b)
{
    const struct ddb_action *x = *(const struct ddb_action *const *)a;
    const struct ddb_action *y = *(const struct ddb_action *const *)b;
    uint32_t i = last_index(x), j = last_index(y);
    if (i != j)
        return i < j ? -1 : 1;
    return (x > y) - (x < y);
}

enum err ddb_update_apply(struct ddb_diag *diag, const struct ddb_update *update,
                          const struct ddb_av *old, struct ddb_av *item)
{
    struct apply ap = {
        diag, diag->arena, {.arena = diag->arena, .tree = old}, item, update->legacy};
    const struct ddb_action **order = ARENA_ARRAY(ap.arena, const struct ddb_action *, update->n);
    struct removal *removals = ARENA_ARRAY(ap.arena, struct removal, update->n);
    size_t n_removals = 0;
    if (!order || !removals)
        return ERR_NOMEM;
    for (size_t i = 0; i < update->n; i++) {
        order[i] = &update->v[i];
        if (update->v[i].kind != DDB_REMOVE)
            continue;
        struct removal *r = &removals[n_removals++];
        TRY(container_of(&ap, update->v[i].path, &r->container));
        r->child = child_at(r->container, update->v[i].path);
    }
    /* Elements set beyond the end of a list are appended in the order of their indexes. */
    qsort(order, update->n, sizeof(struct ddb_action *), cmp_action);
    for (size_t i = 0; i < update->n; i++) {
        if (order[i]->kind == DDB_SET)
            TRY(apply_set(&ap, order[i]));
        else if (order[i]->kind == DDB_ADD)
            TRY(apply_add(&ap, order[i]));
        else if (order[i]->kind == DDB_DELETE)
            TRY(apply_delete(&ap, order[i]));
    }
    for (size_t i = 0; i < n_removals; i++)
        if (removals[i].child)
            ddb_av_remove(removals[i].container, removals[i].child);
    return ERR_OK;
}
