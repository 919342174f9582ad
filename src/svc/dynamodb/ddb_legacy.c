#include "svc/dynamodb/ddb_legacy.h"

#include <assert.h>

#include "svc/dynamodb/ddb_lex.h"

static const char INVALID[] = "One or more parameter values were invalid: ";

/* --- mixing ----------------------------------------------------------------------------------- */

static void put_given(struct buf *b, const struct ddb_param *list)
{
    bool more = false;
    for (; list->name; list++) {
        if (!list->given)
            continue;
        buf_add_c(b, more ? ", " : "");
        buf_add_c(b, list->name);
        more = true;
    }
}

static bool any_given(const struct ddb_param *list)
{
    while (list->name && !list->given)
        list++;
    return list->name != NULL;
}

enum err ddb_check_mixed(struct ddb_diag *diag, const struct ddb_param *legacy,
                         const struct ddb_param *expressions)
{
    struct buf b;
    if (!any_given(legacy) || !any_given(expressions))
        return ERR_OK;
    buf_init_arena(&b, diag->arena, 4096);
    BUF_ADD_LIT(&b, "Can not use both expression and non-expression parameters in the same "
                    "request: Non-expression parameters: {");
    put_given(&b, legacy);
    BUF_ADD_LIT(&b, "} Expression parameters: {");
    put_given(&b, expressions);
    buf_add_byte(&b, '}');
    TRY(buf_err(&b));
    return ddb_invalid(diag, STR_FMT, STR_ARG(buf_str(&b)));
}

/* --- one comparison --------------------------------------------------------------------------- */

enum { SCALARS = 1 << DDB_S | 1 << DDB_N | 1 << DDB_B, ANY = ~0 };

/* A ComparisonOperator: how many values, of which types, and what it becomes. */
struct comparison {
    const char *name;
    enum ddb_op op;
    uint8_t min, max;
    int types;
};

static const struct comparison COMPARISONS[] = {
    {"EQ", DDB_OP_EQ, 1, 1, ANY},
    {"NE", DDB_OP_NE, 1, 1, ANY},
    {"IN", DDB_OP_IN, 1, DDB_EXPR_IN_MAX, SCALARS},
    {"LE", DDB_OP_LE, 1, 1, SCALARS},
    {"LT", DDB_OP_LT, 1, 1, SCALARS},
    {"GE", DDB_OP_GE, 1, 1, SCALARS},
    {"GT", DDB_OP_GT, 1, 1, SCALARS},
    {"BETWEEN", DDB_OP_BETWEEN, 2, 2, SCALARS},
    {"NOT_NULL", DDB_FN_ATTRIBUTE_EXISTS, 0, 0, ANY},
    {"NULL", DDB_FN_ATTRIBUTE_NOT_EXISTS, 0, 0, ANY},
    {"CONTAINS", DDB_FN_CONTAINS, 1, 1, SCALARS | 1 << DDB_BOOL | 1 << DDB_NULL},
    {"NOT_CONTAINS", DDB_OP_NOT, 1, 1, SCALARS | 1 << DDB_BOOL | 1 << DDB_NULL},
    {"BEGINS_WITH", DDB_FN_BEGINS_WITH, 1, 1, 1 << DDB_S | 1 << DDB_B},
};

/* One attribute's test, of whatever parameter. */
struct test {
    struct str name, comparison; /* comparison absent: Expected's old form */
    const struct json *list;     /* AttributeValueList */
    const struct json *value;    /* Expected's Value */
    bool exists, has_exists;
};

static struct ddb_node *path_node(struct arena *a, struct str name)
{
    struct ddb_node *node = ddb_node_new(a, DDB_OP_PATH, 0);
    struct ddb_path *path = ARENA_NEW(a, struct ddb_path);
    struct ddb_step *step = ARENA_NEW(a, struct ddb_step);
    if (!node || !path || !step)
        return NULL;
    step->name = name;
    *path = (struct ddb_path){step, 1};
    node->path = path;
    return node;
}

static struct ddb_node *value_node(struct arena *a, const struct ddb_av *av)
{
    struct ddb_node *node = ddb_node_new(a, DDB_OP_VALUE, 0);
    if (node)
        node->value = av;
    return node;
}

/* name OP v[0], v[1], ... */
static enum err make_node(struct arena *a, enum ddb_op op, struct str name,
                          const struct ddb_av *const *v, size_t n, struct ddb_node **ret_node)
{
    struct ddb_node *node = ddb_node_new(a, op, n + 1);
    if (!node)
        return ERR_NOMEM;
    node->args[0] = path_node(a, name);
    for (size_t i = 0; i < n; i++)
        node->args[i + 1] = value_node(a, v[i]);
    for (size_t i = 0; i <= n; i++)
        if (!node->args[i])
            return ERR_NOMEM;
    *ret_node = node;
    return ERR_OK;
}

/* NOT_CONTAINS: the attribute is there, and does not contain it. */
static enum err make_not_contains(struct arena *a, struct str name, const struct ddb_av *const *v,
                                  struct ddb_node **ret_node)
{
    struct ddb_node *both = ddb_node_new(a, DDB_OP_AND, 2),
                    *turned = ddb_node_new(a, DDB_OP_NOT, 1);
    if (!both || !turned)
        return ERR_NOMEM;
    both->args[1] = turned;
    *ret_node = both;
    TRY(make_node(a, DDB_FN_CONTAINS, name, v, 1, &turned->args[0]));
    return make_node(a, DDB_FN_ATTRIBUTE_EXISTS, name, NULL, 0, &both->args[0]);
}

static enum err check_values(struct ddb_diag *diag, const struct comparison *c,
                             const struct ddb_av *const *v, size_t n)
{
    int cmp;
    if (n < c->min || n > c->max)
        return ddb_invalid(diag, "%sInvalid number of argument(s) for the %s ComparisonOperator",
                           INVALID, c->name);
    for (size_t i = 0; i < n; i++)
        if (!(c->types & 1 << v[i]->type))
            return ddb_invalid(
                diag, "%sComparisonOperator %s is not valid for " STR_FMT " AttributeValue type",
                INVALID, c->name, STR_ARG(ddb_type_name(v[i]->type)));
    for (size_t i = 1; i < n; i++)
        if (v[i]->type != v[0]->type)
            return ddb_invalid(
                diag, "%sAttributeValues inside AttributeValueList must be of same type", INVALID);
    if (c->op == DDB_OP_BETWEEN && ddb_av_cmp(v[0], v[1], &cmp) && cmp > 0)
        return ddb_invalid(diag, "The BETWEEN condition was provided a range where the lower bound "
                                 "is greater than the upper bound");
    return ERR_OK;
}

static enum err read_values(struct ddb_diag *diag, const struct test *t,
                            const struct ddb_av ***ret_v, size_t *ret_n)
{
    size_t n = 0, cap = (t->list ? t->list->n : 0) + 1;
    const struct ddb_av **v = ARENA_ARRAY(diag->arena, const struct ddb_av *, cap);
    struct ddb_av *av;
    if (!v)
        return ERR_NOMEM;
    if (t->list) {
        JSON_EACH (t->list, e) {
            TRY(ddb_av_from_json(diag, e, &av));
            v[n++] = av;
        }
    }
    if (t->value) {
        TRY(ddb_av_from_json(diag, t->value, &av));
        v[n++] = av;
    }
    assert(n <= cap);
    *ret_v = v;
    *ret_n = n;
    return ERR_OK;
}

/* Expected without a ComparisonOperator: Exists and Value. */
static enum err old_form(struct ddb_diag *diag, const struct test *t, struct ddb_node **ret_node)
{
    struct ddb_av *av;
    bool exists = !t->has_exists || t->exists;
    if (t->list)
        return ddb_invalid(diag,
                           "%sAttributeValueList can only be used with a ComparisonOperator for "
                           "Attribute: " STR_FMT,
                           INVALID, STR_ARG(t->name));
    if (exists && !t->value)
        return ddb_invalid(diag,
                           "%sValue must be provided when Exists is %s for Attribute: " STR_FMT,
                           INVALID, t->has_exists ? "true" : "null", STR_ARG(t->name));
    if (!exists && t->value)
        return ddb_invalid(diag,
                           "%sValue cannot be used when Exists is false for Attribute: " STR_FMT,
                           INVALID, STR_ARG(t->name));
    if (!exists)
        return make_node(diag->arena, DDB_FN_ATTRIBUTE_NOT_EXISTS, t->name, NULL, 0, ret_node);
    TRY(ddb_av_from_json(diag, t->value, &av));
    const struct ddb_av *v[] = {av};
    return make_node(diag->arena, DDB_OP_EQ, t->name, v, 1, ret_node);
}

static enum err translate(struct ddb_diag *diag, const struct test *t, struct ddb_node **ret_node)
{
    const struct ddb_av **v;
    size_t n, i = 0;
    if (!str_is_set(t->comparison))
        return old_form(diag, t, ret_node);
    if (t->has_exists)
        return ddb_invalid(
            diag, "%sExists and ComparisonOperator cannot be used together for Attribute: " STR_FMT,
            INVALID, STR_ARG(t->name));
    if (t->list && t->value)
        return ddb_invalid(
            diag, "%sValue and AttributeValueList cannot be used together for Attribute: " STR_FMT,
            INVALID, STR_ARG(t->name));
    while (i < ARRAY_LEN(COMPARISONS) && !str_eq_c(t->comparison, COMPARISONS[i].name))
        i++;
    assert(i < ARRAY_LEN(COMPARISONS)); /* an enum of the spec's */
    TRY(read_values(diag, t, &v, &n));
    TRY(check_values(diag, &COMPARISONS[i], v, n));
    if (COMPARISONS[i].op == DDB_OP_NOT)
        return make_not_contains(diag->arena, t->name, v, ret_node);
    return make_node(diag->arena, COMPARISONS[i].op, t->name, v, n, ret_node);
}

/* --- all of a parameter ----------------------------------------------------------------------- */

static enum err check_operator(struct ddb_diag *diag, struct str conditional_operator, size_t n)
{
    if (!str_is_set(conditional_operator) || n > 1)
        return ERR_OK;
    if (n == 0)
        return ddb_invalid(diag, "%sConditionalOperator cannot be used without Filter or Expected",
                           INVALID);
    return ddb_invalid(diag,
                       "%sConditionalOperator can only be used when Filter or Expected has two or "
                       "more elements",
                       INVALID);
}

static enum err combine(struct ddb_diag *diag, const struct test *v, size_t n, bool any,
                        struct ddb_node **ret_node)
{
    struct ddb_node *chain = ddb_node_new(diag->arena, any ? DDB_OP_OR : DDB_OP_AND, n);
    if (!chain)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(translate(diag, &v[i], &chain->args[i]));
    *ret_node = n == 1 ? chain->args[0] : chain;
    return ERR_OK;
}

/* The tests' tree, or what was made of them before; `of` is where they lie in the request. */
static enum err combined(struct ddb_diag *diag, const void *of, const struct test *v, size_t n,
                         struct str conditional_operator, struct ddb_node **ret_node)
{
    *ret_node = NULL;
    TRY(check_operator(diag, conditional_operator, n));
    if (n == 0)
        return ERR_OK;
    *ret_node = ddb_memo_find(diag->memo, DDB_MEMO_CONDITION, of);
    if (*ret_node)
        return ERR_OK;
    if (!v)
        return ERR_NOMEM;
    TRY(combine(diag, v, n, str_eq_c(conditional_operator, "OR"), ret_node));
    return ddb_memo_keep(diag->memo, diag->arena, DDB_MEMO_CONDITION, of, *ret_node);
}

enum err ddb_legacy_expected(struct ddb_diag *diag,
                             const struct dynamodb_expected_attribute_map *in,
                             struct str conditional_operator, struct ddb_node **ret_node)
{
    struct test *v = in->n ? ARENA_ARRAY(diag->arena, struct test, in->n) : NULL;
    for (size_t i = 0; v && i < in->n; i++) {
        const struct dynamodb_expected_attribute_value *e = &in->v[i].value;
        v[i] = (struct test){.name = in->v[i].key,
                             .comparison = e->comparison_operator,
                             .list = e->attribute_value_list,
                             .value = e->value,
                             .exists = e->exists,
                             .has_exists = e->has_exists};
    }
    return combined(diag, in->v, v, in->n, conditional_operator, ret_node);
}

/* Maps of conditions are the same but for their types' names. */
#define TESTS_OF(diag, in, v)                                                                      \
    do {                                                                                           \
        (v) = (in)->n ? ARENA_ARRAY((diag)->arena, struct test, (in)->n) : NULL;                   \
        for (size_t i_ = 0; (v) && i_ < (in)->n; i_++)                                             \
            (v)[i_] = (struct test){.name = (in)->v[i_].key,                                       \
                                    .comparison = (in)->v[i_].value.comparison_operator,           \
                                    .list = (in)->v[i_].value.attribute_value_list};               \
    } while (0)

enum err ddb_legacy_filter(struct ddb_diag *diag, const struct dynamodb_filter_condition_map *in,
                           struct str conditional_operator, struct ddb_node **ret_node)
{
    struct test *v;
    TESTS_OF(diag, in, v);
    return combined(diag, in->v, v, in->n, conditional_operator, ret_node);
}

enum err ddb_legacy_key_conditions(struct ddb_diag *diag, const struct dynamodb_key_conditions *in,
                                   struct ddb_node **ret_node)
{
    struct test *v;
    TESTS_OF(diag, in, v);
    if (in->n == 0)
        return ddb_invalid(diag, "Conditions must not be empty");
    TRY(combined(diag, in->v, v, in->n, STR_NONE, ret_node));
    for (size_t i = 0; i < in->n; i++) {
        const struct ddb_node *test = in->n == 1 ? *ret_node : (*ret_node)->args[i];
        if (test->op != DDB_OP_EQ && !(test->op >= DDB_OP_LT && test->op <= DDB_OP_BETWEEN) &&
            test->op != DDB_FN_BEGINS_WITH)
            return ddb_invalid(diag, "Attempted conditional constraint is not an indexable "
                                     "operation");
    }
    return ERR_OK;
}

enum err ddb_condition_of(struct ddb_diag *diag, const struct ddb_condition_params *in,
                          struct ddb_node **ret_node)
{
    if (!in->expected->v && !str_is_set(in->conditional_operator))
        return ddb_request_condition(diag, in->expression, in->names, in->values, ret_node);
    const struct ddb_param legacy[] = {
        {"Expected", in->expected->v != NULL},
        {"ConditionalOperator", str_is_set(in->conditional_operator)},
        {0}};
    const struct ddb_param expressions[] = {{"ConditionExpression", str_is_set(in->expression)},
                                            {0}};
    TRY(ddb_check_mixed(diag, legacy, expressions));
    TRY(ddb_env_check_needed(diag, in->names, in->values, false, "ConditionExpression"));
    return ddb_legacy_expected(diag, in->expected, in->conditional_operator, ret_node);
}

/* --- AttributeUpdates ------------------------------------------------------------------------- */

static enum err check_update(struct ddb_diag *diag, enum ddb_action_kind kind,
                             const struct ddb_av *v)
{
    if (!v) {
        if (kind == DDB_REMOVE)
            return ERR_OK;
        return ddb_invalid(
            diag, "%sOnly DELETE action is allowed when no attribute value is specified", INVALID);
    }
    bool set = ddb_type_is_set(v->type);
    if (kind == DDB_DELETE && !set)
        return ddb_invalid(diag,
                           "%sDELETE action with value is not supported for the type " STR_FMT,
                           INVALID, STR_ARG(ddb_type_name(v->type)));
    if (kind == DDB_ADD && !set && v->type != DDB_N && v->type != DDB_L)
        return ddb_invalid(diag, "%sADD action is not supported for the type " STR_FMT, INVALID,
                           STR_ARG(ddb_type_name(v->type)));
    return ERR_OK;
}

/* list_append(if_not_exists(name, []), value): what ADD does to a list. */
static enum err make_append(struct arena *a, struct str name, struct ddb_node *value,
                            struct ddb_node **ret_node)
{
    struct ddb_node *append = ddb_node_new(a, DDB_FN_LIST_APPEND, 2);
    const struct ddb_av *empty[] = {ddb_av_new(a, DDB_L)};
    if (!append || !empty[0])
        return ERR_NOMEM;
    append->args[1] = value;
    *ret_node = append;
    return make_node(a, DDB_FN_IF_NOT_EXISTS, name, empty, 1, &append->args[0]);
}

static enum err translate_update(struct ddb_diag *diag, struct str name,
                                 const struct dynamodb_attribute_value_update *in,
                                 struct ddb_action *ret_action)
{
    struct arena *a = diag->arena;
    struct ddb_av *v = NULL;
    struct ddb_node *path = path_node(a, name), *value = NULL;
    enum ddb_action_kind kind = DDB_SET;
    if (in->value)
        TRY(ddb_av_from_json(diag, in->value, &v));
    if (str_eq_c(in->action, "ADD"))
        kind = DDB_ADD;
    else if (str_eq_c(in->action, "DELETE"))
        kind = v ? DDB_DELETE : DDB_REMOVE;
    TRY(check_update(diag, kind, v));
    if (v)
        value = value_node(a, v);
    if (!path || (v && !value))
        return ERR_NOMEM;
    if (kind == DDB_ADD && v->type == DDB_L) {
        kind = DDB_SET;
        TRY(make_append(a, name, value, &value));
    }
    *ret_action = (struct ddb_action){kind, path->path, value};
    return ERR_OK;
}

enum err ddb_legacy_updates(struct ddb_diag *diag, const struct dynamodb_attribute_updates *in,
                            struct ddb_update *ret_update)
{
    const struct ddb_update *known = ddb_memo_find(diag->memo, DDB_MEMO_UPDATE, in->v);
    *ret_update = (struct ddb_update){.legacy = true};
    if (known || in->n == 0) {
        if (known)
            *ret_update = *known;
        return ERR_OK;
    }
    ret_update->v = ARENA_ARRAY(diag->arena, struct ddb_action, in->n);
    if (!ret_update->v)
        return ERR_NOMEM;
    for (; ret_update->n < in->n; ret_update->n++)
        TRY(translate_update(diag, in->v[ret_update->n].key, &in->v[ret_update->n].value,
                             &ret_update->v[ret_update->n]));
    return ddb_memo_keep_copy(diag->memo, diag->arena, DDB_MEMO_UPDATE, in->v, ret_update,
                              sizeof(*ret_update));
}
