/* Parser of conditions and projections.
 *
 *   or        = and { OR and }
 *   and       = not { AND not }
 *   not       = NOT not | primary
 *   primary   = ( or ) | function | operand compare
 *   compare   = op operand | BETWEEN operand AND operand | IN ( operand {, operand} )
 *   operand   = path | :value | function | ( operand )
 *
 * What a parenthesis at the beginning of a primary holds, an operand or a condition, shows only
 * behind it: parse_primary gives an operand back where a closing one follows, and the caller compares.
 *
 * Every recursion counts against DDB_EXPR_DEPTH_MAX. */
#include "svc/dynamodb/ddb_lex.h"
#include "svc/dynamodb/ddb_memo.h"
#include "svc/dynamodb/ddb_words.h"

static const char *const OP_NAMES[] = {
    [DDB_OP_EQ] = "=",
    [DDB_OP_NE] = "<>",
    [DDB_OP_LT] = "<",
    [DDB_OP_LE] = "<=",
    [DDB_OP_GT] = ">",
    [DDB_OP_GE] = ">=",
    [DDB_OP_BETWEEN] = "BETWEEN",
    [DDB_OP_IN] = "IN",
    [DDB_OP_AND] = "AND",
    [DDB_OP_OR] = "OR",
    [DDB_OP_NOT] = "NOT",
    [DDB_FN_ATTRIBUTE_EXISTS] = "attribute_exists",
    [DDB_FN_ATTRIBUTE_NOT_EXISTS] = "attribute_not_exists",
    [DDB_FN_ATTRIBUTE_TYPE] = "attribute_type",
    [DDB_FN_BEGINS_WITH] = "begins_with",
    [DDB_FN_CONTAINS] = "contains",
    [DDB_FN_SIZE] = "size",
    [DDB_FN_IF_NOT_EXISTS] = "if_not_exists",
    [DDB_FN_LIST_APPEND] = "list_append",
    [DDB_OP_ADD] = "+",
    [DDB_OP_SUB] = "-",
};

const char *ddb_op_name(enum ddb_op op)
{
    return OP_NAMES[op];
}

/* --- names and values ------------------------------------------------------------------------- */

static bool placeholder_ok(struct str key, char first)
{
    if (key.len < 2 || key.len > DDB_EXPR_NAME_BYTES_MAX || key.p[0] != first)
        return false;
    for (size_t i = 1; i < key.len; i++) {
        char c = key.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return true;
}

enum err ddb_env_add_name(struct ddb_env *env, struct str key, struct str value)
{
    if (!placeholder_ok(key, '#'))
        return ddb_invalid(env->diag,
                           "ExpressionAttributeNames contains invalid key: Syntax error; key: "
                           "\"" STR_FMT "\"",
                           STR_ARG(key));
    if (str_empty(value))
        return ddb_invalid(env->diag,
                           "ExpressionAttributeNames contains invalid value: Empty attribute name "
                           "for key " STR_FMT,
                           STR_ARG(key));
    env->names[env->n_names++] = (struct ddb_env_name){key, value, false};
    return ERR_OK;
}

enum err ddb_env_set_values(struct ddb_env *env, const struct json *values)
{
    if (!values)
        return ERR_OK;
    if (values->kind != JSON_OBJECT || values->n == 0)
        return ddb_invalid(env->diag, "ExpressionAttributeValues must not be empty");
    env->values = ARENA_ARRAY(env->diag->arena, struct ddb_env_value, values->n);
    if (!env->values)
        return ERR_NOMEM;
    size_t bytes = 0;
    JSON_EACH (values, e) {
        if (!placeholder_ok(e->key, ':'))
            return ddb_invalid(env->diag,
                               "ExpressionAttributeValues contains invalid key: Syntax error; "
                               "key: \"" STR_FMT "\"",
                               STR_ARG(e->key));
        struct ddb_av *av;
        enum err err = ddb_av_from_json(env->diag, e, &av);
        if (err == ERR_INVALID && !env->diag->serialization)
            return ddb_invalid(env->diag,
                               "ExpressionAttributeValues contains invalid value: " STR_FMT
                               " for key " STR_FMT,
                               STR_ARG(env->diag->msg), STR_ARG(e->key));
        TRY(err);
        bytes += e->key.len + ddb_av_size(av);
        if (bytes > DDB_EXPR_VALUES_BYTES_MAX)
            return ddb_invalid(env->diag,
                               "ExpressionAttributeValues exceeds max size; the limit is %d bytes",
                               DDB_EXPR_VALUES_BYTES_MAX);
        env->values[env->n_values++] = (struct ddb_env_value){e->key, av, false};
    }
    return ERR_OK;
}

static enum err unused_error(struct ddb_env *env, const char *what, struct buf *keys)
{
    return ddb_invalid(env->diag, "Value provided in %s unused in expressions: keys: {" STR_FMT "}",
                       what, STR_ARG(buf_str(keys)));
}

enum err ddb_env_check_used(struct ddb_env *env)
{
    struct buf b;
    buf_init_arena(&b, env->diag->arena, 1024 * 1024);
    for (size_t i = 0; i < env->n_values; i++) {
        if (env->values[i].used)
            continue;
        if (b.len)
            BUF_ADD_LIT(&b, ", ");
        buf_add_str(&b, env->values[i].key);
    }
    if (b.len)
        return unused_error(env, "ExpressionAttributeValues", &b);
    for (size_t i = 0; i < env->n_names; i++) {
        if (env->names[i].used)
            continue;
        if (b.len)
            BUF_ADD_LIT(&b, ", ");
        buf_add_str(&b, env->names[i].key);
    }
    return b.len ? unused_error(env, "ExpressionAttributeNames", &b) : ERR_OK;
}

/* --- operands --------------------------------------------------------------------------------- */

struct ddb_node *ddb_node_new(struct arena *a, enum ddb_op op, size_t n)
{
    struct ddb_node *node = ARENA_NEW(a, struct ddb_node);
    if (!node)
        return NULL;
    node->op = op;
    node->n = n;
    node->args = n ? ARENA_ARRAY(a, struct ddb_node *, n) : NULL;
    return n && !node->args ? NULL : node;
}

/* A step's name from a word or placeholder; moves past it. */
static enum err parse_name(struct ddb_parser *p, struct str *ret_name)
{
    const struct ddb_token *t = ddb_token(p);
    if (t->kind == TOKEN_WORD) {
        if (ddb_word_reserved(t->text))
            return ddb_parse_error(
                p, "Attribute name is a reserved keyword; reserved keyword: " STR_FMT,
                STR_ARG(t->text));
        *ret_name = t->text;
        p->pos++;
        return ERR_OK;
    }
    if (t->kind != TOKEN_NAME)
        return ddb_syntax_error(p);
    for (size_t i = 0; i < p->env->n_names; i++) {
        if (!str_eq(p->env->names[i].key, t->text))
            continue;
        p->env->names[i].used = true;
        *ret_name = p->env->names[i].value;
        p->pos++;
        return ERR_OK;
    }
    return ddb_parse_error(p,
                           "An expression attribute name used in the document path is not "
                           "defined; attribute name: " STR_FMT,
                           STR_ARG(t->text));
}

static enum err parse_index(struct ddb_parser *p, uint32_t *ret_index)
{
    const struct ddb_token *t = ddb_token(p);
    if (t->kind != TOKEN_NUMBER)
        return ddb_syntax_error(p);
    if (t->text.len > DDB_EXPR_INDEX_DIGITS)
        return ddb_parse_error(p,
                               "List index is not within the allowable range; index: [" STR_FMT "]",
                               STR_ARG(t->text));
    *ret_index = 0;
    for (size_t i = 0; i < t->text.len; i++)
        *ret_index = *ret_index * 10 + (uint32_t)(t->text.p[i] - '0');
    p->pos++;
    return ddb_expect(p, "]");
}

enum err ddb_parse_path(struct ddb_parser *p, struct ddb_path *ret_path)
{
    struct ddb_path path = {0};
    size_t cap = 0;
    TRY(ARENA_GROW(p->arena, path.steps, path.n, cap, 2));
    TRY(parse_name(p, &path.steps[path.n++].name));
    while (ddb_token_is(ddb_token(p), ".") || ddb_token_is(ddb_token(p), "[")) {
        TRY(ARENA_GROW(p->arena, path.steps, path.n, cap, 2));
        struct ddb_step *step = &path.steps[path.n++];
        if (ddb_accept(p, "."))
            TRY(parse_name(p, &step->name));
        else if (ddb_accept(p, "["))
            TRY(parse_index(p, &step->index));
    }
    if (path.n > DDB_DEPTH_MAX)
        return ddb_parse_error(p,
                               "The document path has too many nesting elements; nesting levels: "
                               "%zu",
                               path.n);
    *ret_path = path;
    return ERR_OK;
}

static enum err parse_value(struct ddb_parser *p, struct ddb_node **ret_node)
{
    const struct ddb_token *t = ddb_token(p);
    for (size_t i = 0; i < p->env->n_values; i++) {
        if (!str_eq(p->env->values[i].key, t->text))
            continue;
        struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_VALUE, 0);
        if (!node)
            return ERR_NOMEM;
        p->env->values[i].used = true;
        node->value = p->env->values[i].av;
        p->pos++;
        *ret_node = node;
        return ERR_OK;
    }
    return ddb_parse_error(p,
                           "An expression attribute value used in expression is not defined; "
                           "attribute value: " STR_FMT,
                           STR_ARG(t->text));
}

struct function {
    enum ddb_op op;
    uint8_t args;
    bool update;    /* of update expressions; the others are of conditions */
    bool condition; /* is true or false by itself; the others give a value */
    bool path;      /* first argument must be a path */
    bool distinct;  /* the arguments must be different paths */
};

static const struct function FUNCTIONS[] = {
    {DDB_FN_ATTRIBUTE_EXISTS, 1, false, true, true, false},
    {DDB_FN_ATTRIBUTE_NOT_EXISTS, 1, false, true, true, false},
    {DDB_FN_ATTRIBUTE_TYPE, 2, false, true, false, false},
    {DDB_FN_BEGINS_WITH, 2, false, true, false, true},
    {DDB_FN_CONTAINS, 2, false, true, false, true},
    {DDB_FN_SIZE, 1, false, false, false, false},
    {DDB_FN_IF_NOT_EXISTS, 2, true, false, true, false},
    {DDB_FN_LIST_APPEND, 2, true, false, false, false},
};

static const struct function *find_function(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(FUNCTIONS); i++)
        if (str_eq_c(name, ddb_op_name(FUNCTIONS[i].op)))
            return &FUNCTIONS[i];
    return NULL;
}

static enum err wrong_type(struct ddb_parser *p, enum ddb_op op, const struct ddb_av *v)
{
    return ddb_parse_error(p,
                           "Incorrect operand type for operator or function; operator or "
                           "function: %s, operand type: " STR_FMT,
                           ddb_op_name(op), STR_ARG(ddb_type_name(v->type)));
}

/* What can be said about literal operands before there is an item. */
static enum err check_literals(struct ddb_parser *p, const struct ddb_node *node)
{
    const struct ddb_node *last = node->args[node->n - 1];
    for (size_t i = 0; i < node->n; i++) {
        const struct ddb_node *arg = node->args[i];
        if (arg->op != DDB_OP_VALUE)
            continue;
        enum ddb_type t = arg->value->type;
        bool ok = true;
        if (node->op == DDB_FN_BEGINS_WITH)
            ok = t == DDB_S || t == DDB_B;
        else if (node->op == DDB_FN_SIZE)
            ok = t != DDB_N && t != DDB_BOOL && t != DDB_NULL;
        else if (node->op == DDB_FN_LIST_APPEND)
            ok = t == DDB_L;
        else if (node->op == DDB_FN_ATTRIBUTE_TYPE)
            ok = t == DDB_S || arg != last;
        if (!ok)
            return wrong_type(p, node->op, arg->value);
    }
    if (node->op == DDB_FN_ATTRIBUTE_TYPE && last->op == DDB_OP_VALUE &&
        !ddb_type_from_name(last->value->s))
        return ddb_parse_error(p,
                               "Invalid attribute type name found; type: " STR_FMT
                               ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
                               STR_ARG(last->value->s));
    return ERR_OK;
}

static enum err used_wrongly(struct ddb_parser *p, enum ddb_op op)
{
    return ddb_parse_error(p,
                           "The function is not allowed to be used this way in an expression; "
                           "function: %s",
                           ddb_op_name(op));
}

static bool is_function(const struct ddb_node *node)
{
    return node->op >= DDB_FN_ATTRIBUTE_EXISTS && node->op <= DDB_FN_LIST_APPEND;
}

static enum err check_distinct(struct ddb_parser *p, const struct ddb_node *node);

/* Functions in functions, and what must be a path or may not be one. */
static enum err check_arguments(struct ddb_parser *p, const struct function *fn,
                                const struct ddb_node *node)
{
    const struct ddb_node *first = node->args[0], *last = node->args[node->n - 1];
    if (fn->path && first->op != DDB_OP_PATH)
        return ddb_parse_error(p,
                               "Operator or function requires a document path; operator or "
                               "function: %s",
                               ddb_op_name(fn->op));
    for (size_t i = 0; i < node->n; i++)
        if ((fn->op == DDB_FN_SIZE && is_function(node->args[i])) ||
            (fn->op == DDB_FN_LIST_APPEND && node->args[i]->op == DDB_FN_LIST_APPEND))
            return used_wrongly(p, node->args[i]->op);
    if (fn->op == DDB_FN_ATTRIBUTE_TYPE && last->op != DDB_OP_VALUE)
        return ddb_parse_error(p, "Incorrect operand type for operator or function; operator or "
                                  "function: attribute_type, operand type: M");
    if (fn->distinct)
        TRY(check_distinct(p, node));
    return check_literals(p, node);
}

/* name ( operand {, operand} ); the current token is the name. */
static enum err parse_function(struct ddb_parser *p, bool update, const struct function **ret_fn,
                               struct ddb_node **ret_node)
{
    struct str name = ddb_token(p)->text;
    const struct function *fn = find_function(name);
    if (!fn)
        return ddb_parse_error(p, "Invalid function name; function: " STR_FMT, STR_ARG(name));
    if (fn->update != update)
        return ddb_parse_error(p,
                               "The function is not allowed in %s expression; function: " STR_FMT,
                               update ? "an update" : "a condition", STR_ARG(name));
    TRY(ddb_count_operator(p));
    struct ddb_node *node = ddb_node_new(p->arena, fn->op, fn->args);
    if (!node)
        return ERR_NOMEM;
    p->pos += 2; /* name and parenthesis */
    size_t n = 0;
    do {
        struct ddb_node *arg;
        TRY(ddb_parse_operand(p, update, &arg));
        if (n < fn->args)
            node->args[n] = arg;
        n++;
    } while (ddb_accept(p, ","));
    TRY(ddb_expect(p, ")"));
    if (n != fn->args)
        return ddb_parse_error(p,
                               "Incorrect number of operands for operator or function; operator or "
                               "function: " STR_FMT ", number of operands: %zu",
                               STR_ARG(name), n);
    *ret_fn = fn;
    *ret_node = node;
    return check_arguments(p, fn, node);
}

enum err ddb_deeper(struct ddb_parser *p)
{
    if (++p->depth > DDB_EXPR_DEPTH_MAX)
        return ddb_parse_error(p, "The expression is nested too deeply; nesting: %zu", p->depth);
    return ERR_OK;
}

/* ((x)): the inner parentheses span everything between the outer ones. */
enum err ddb_close_paren(struct ddb_parser *p, size_t inner)
{
    TRY(ddb_expect(p, ")"));
    if (!ddb_token_is(&p->tokens[inner], "(") || !ddb_token_is(&p->tokens[p->pos - 2], ")"))
        return ERR_OK;
    size_t depth = 0, i = inner;
    do {
        depth += ddb_token_is(&p->tokens[i], "(");
        depth -= ddb_token_is(&p->tokens[i], ")");
        i++;
    } while (depth);
    return i == p->pos - 1 ? ddb_parse_error(p, "The expression has redundant parentheses;")
                           : ERR_OK;
}

static bool at_function(const struct ddb_parser *p)
{
    const struct ddb_token *t = ddb_token(p);
    return t->kind == TOKEN_WORD && ddb_token_is(t + 1, "(");
}

enum err ddb_parse_operand(struct ddb_parser *p, bool update, struct ddb_node **ret_node)
{
    if (ddb_token(p)->kind == TOKEN_VALUE)
        return parse_value(p, ret_node);
    if (ddb_accept(p, "(")) {
        size_t inner = p->pos;
        TRY(ddb_deeper(p));
        TRY(ddb_parse_operand(p, update, ret_node));
        p->depth--;
        return ddb_close_paren(p, inner);
    }
    if (at_function(p)) {
        const struct function *fn;
        TRY(ddb_deeper(p));
        TRY(parse_function(p, update, &fn, ret_node));
        p->depth--;
        return fn->condition ? used_wrongly(p, fn->op) : ERR_OK;
    }
    struct ddb_path *path = ARENA_NEW(p->arena, struct ddb_path);
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_PATH, 0);
    if (!path || !node)
        return ERR_NOMEM;
    TRY(ddb_parse_path(p, path));
    node->path = path;
    *ret_node = node;
    return ERR_OK;
}

/* --- conditions ------------------------------------------------------------------------------- */

static bool accept_comparator(struct ddb_parser *p, enum ddb_op *ret_op)
{
    for (enum ddb_op op = DDB_OP_EQ; op <= DDB_OP_GE; op++) {
        if (!ddb_accept(p, ddb_op_name(op)))
            continue;
        *ret_op = op;
        return true;
    }
    return false;
}

/* Order comparisons take S, N and B only. */
static enum err check_ordered(struct ddb_parser *p, enum ddb_op op, const struct ddb_node *arg)
{
    if (op == DDB_OP_EQ || op == DDB_OP_NE || arg->op != DDB_OP_VALUE || arg->value->type <= DDB_B)
        return ERR_OK;
    return ddb_parse_error(p,
                           "Incorrect operand type for operator or function; operator: %s, operand "
                           "type: " STR_FMT,
                           ddb_op_name(op), STR_ARG(ddb_type_name(arg->value->type)));
}

static bool same_path(const struct ddb_node *a, const struct ddb_node *b)
{
    if (a->op != DDB_OP_PATH || b->op != DDB_OP_PATH || a->path->n != b->path->n)
        return false;
    for (size_t i = 0; i < a->path->n; i++) {
        const struct ddb_step *x = &a->path->steps[i], *y = &b->path->steps[i];
        if (!str_eq(x->name, y->name) || x->index != y->index)
            return false;
    }
    return true;
}

static enum err check_distinct(struct ddb_parser *p, const struct ddb_node *node)
{
    for (size_t i = 1; i < node->n; i++) {
        if (!same_path(node->args[0], node->args[i]))
            continue;
        struct str path = ddb_path_text(p->arena, node->args[0]->path);
        return ddb_parse_error(p,
                               "The first operand must be distinct from the remaining operands for "
                               "this operator or function; operator: %s, first operand: " STR_FMT,
                               ddb_op_name(node->op), STR_ARG(path));
    }
    return ERR_OK;
}

static enum err between_error(struct ddb_parser *p, const struct ddb_av *lo,
                              const struct ddb_av *hi)
{
    struct str t = ddb_type_name(lo->type), u = ddb_type_name(hi->type);
    return ddb_parse_error(p,
                           "The BETWEEN operator requires upper bound to be greater than or equal "
                           "to lower bound; lower bound operand: AttributeValue: {" STR_FMT
                           ":" STR_FMT "}, upper bound operand: AttributeValue: {" STR_FMT
                           ":" STR_FMT "}",
                           STR_ARG(t), STR_ARG(lo->s), STR_ARG(u), STR_ARG(hi->s));
}

static enum err parse_between(struct ddb_parser *p, struct ddb_node *first,
                              struct ddb_node **ret_node)
{
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_BETWEEN, 3);
    if (!node)
        return ERR_NOMEM;
    node->args[0] = first;
    TRY(ddb_parse_operand(p, false, &node->args[1]));
    TRY(ddb_expect(p, "AND"));
    TRY(ddb_parse_operand(p, false, &node->args[2]));
    for (size_t i = 0; i < 3; i++)
        TRY(check_ordered(p, DDB_OP_BETWEEN, node->args[i]));
    const struct ddb_node *lo = node->args[1], *hi = node->args[2];
    int cmp;
    if (lo->op == DDB_OP_VALUE && hi->op == DDB_OP_VALUE) {
        if (!ddb_av_cmp(lo->value, hi->value, &cmp))
            return ddb_parse_error(p,
                                   "The BETWEEN operator requires same data type for lower and "
                                   "upper bounds; lower bound operand: AttributeValue: {" STR_FMT
                                   ":" STR_FMT "}, upper bound operand: AttributeValue: {" STR_FMT
                                   ":" STR_FMT "}",
                                   STR_ARG(ddb_type_name(lo->value->type)), STR_ARG(lo->value->s),
                                   STR_ARG(ddb_type_name(hi->value->type)), STR_ARG(hi->value->s));
        if (cmp > 0)
            return between_error(p, lo->value, hi->value);
    }
    *ret_node = node;
    return check_distinct(p, node);
}

static enum err parse_in(struct ddb_parser *p, struct ddb_node *first, struct ddb_node **ret_node)
{
    struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_IN, DDB_EXPR_IN_MAX + 1);
    if (!node)
        return ERR_NOMEM;
    TRY(ddb_expect(p, "("));
    node->args[0] = first;
    node->n = 1;
    do {
        if (node->n > DDB_EXPR_IN_MAX)
            return ddb_parse_error(p,
                                   "The IN operator is provided with too many operands; number "
                                   "of operands: %zu",
                                   node->n);
        TRY(ddb_parse_operand(p, false, &node->args[node->n]));
        node->n++;
    } while (ddb_accept(p, ","));
    TRY(ddb_expect(p, ")"));
    *ret_node = node;
    return check_distinct(p, node);
}

static enum err parse_comparison(struct ddb_parser *p, struct ddb_node *left,
                                 struct ddb_node **ret_node)
{
    enum ddb_op op;
    TRY(ddb_count_operator(p));
    if (ddb_accept(p, "BETWEEN"))
        return parse_between(p, left, ret_node);
    if (ddb_accept(p, "IN"))
        return parse_in(p, left, ret_node);
    if (!accept_comparator(p, &op))
        return ddb_syntax_error(p);
    struct ddb_node *node = ddb_node_new(p->arena, op, 2);
    if (!node)
        return ERR_NOMEM;
    node->args[0] = left;
    TRY(ddb_parse_operand(p, false, &node->args[1]));
    TRY(check_ordered(p, op, node->args[0]));
    TRY(check_ordered(p, op, node->args[1]));
    *ret_node = node;
    return check_distinct(p, node);
}

static enum err parse_or(struct ddb_parser *p, struct ddb_node **ret_node);

static bool is_condition(const struct ddb_node *node)
{
    return node->op >= DDB_OP_EQ && node->op <= DDB_FN_CONTAINS;
}

/* An operand stands where a condition must. */
static enum err refuse_operand(struct ddb_parser *p, const struct ddb_node *node)
{
    return is_function(node) ? used_wrongly(p, node->op) : ddb_syntax_error(p);
}

static bool at_comparison(const struct ddb_parser *p)
{
    const struct ddb_token *t = ddb_token(p);
    for (enum ddb_op op = DDB_OP_EQ; op <= DDB_OP_IN; op++)
        if (ddb_token_is(t, ddb_op_name(op)))
            return true;
    return false;
}

static enum err parse_primary(struct ddb_parser *p, struct ddb_node **ret_node)
{
    struct ddb_node *left;
    const struct function *fn;
    if (ddb_accept(p, "(")) {
        size_t inner = p->pos;
        p->parens++;
        TRY(parse_or(p, &left));
        p->parens--;
        TRY(ddb_close_paren(p, inner));
    } else if (at_function(p)) {
        TRY(parse_function(p, false, &fn, &left));
    } else {
        TRY(ddb_parse_operand(p, false, &left));
    }
    *ret_node = left;
    if (is_condition(left))
        return ERR_OK;
    if (at_comparison(p))
        return parse_comparison(p, left, ret_node);
    return p->parens && ddb_token_is(ddb_token(p), ")") ? ERR_OK : refuse_operand(p, left);
}

static enum err parse_not(struct ddb_parser *p, struct ddb_node **ret_node)
{
    enum err err;
    TRY(ddb_deeper(p));
    if (ddb_accept(p, "NOT")) {
        struct ddb_node *node = ddb_node_new(p->arena, DDB_OP_NOT, 1);
        if (!node)
            return ERR_NOMEM;
        TRY(ddb_count_operator(p));
        *ret_node = node;
        err = parse_not(p, &node->args[0]);
        if (!err && !is_condition(node->args[0]))
            err = refuse_operand(p, node->args[0]);
    } else {
        err = parse_primary(p, ret_node);
    }
    p->depth--;
    return err;
}

/* A chain of AND or OR becomes one node with as many arguments. */
static enum err parse_chain(struct ddb_parser *p, enum ddb_op op, struct ddb_node **ret_node)
{
    struct ddb_node *first;
    TRY(op == DDB_OP_OR ? parse_chain(p, DDB_OP_AND, &first) : parse_not(p, &first));
    struct ddb_node *chain = NULL;
    size_t cap = 0;
    while (ddb_accept(p, ddb_op_name(op))) {
        TRY(ddb_count_operator(p));
        if (!chain) {
            cap = 4;
            chain = ddb_node_new(p->arena, op, cap);
            if (!chain)
                return ERR_NOMEM;
            chain->args[0] = first;
            chain->n = 1;
        }
        TRY(ARENA_GROW(p->arena, chain->args, chain->n, cap, 4));
        struct ddb_node *arg;
        TRY(op == DDB_OP_OR ? parse_chain(p, DDB_OP_AND, &arg) : parse_not(p, &arg));
        if (!is_condition(arg))
            return refuse_operand(p, arg);
        chain->args[chain->n++] = arg;
    }
    *ret_node = chain ? chain : first;
    return ERR_OK;
}

static enum err parse_or(struct ddb_parser *p, struct ddb_node **ret_node)
{
    return parse_chain(p, DDB_OP_OR, ret_node);
}

enum err ddb_parse_condition(struct ddb_env *env, const char *kind, struct str text,
                             struct ddb_node **ret_node)
{
    struct ddb_parser p;
    struct ddb_node *node = ddb_memo_find(env->diag->memo, DDB_MEMO_CONDITION, text.p);
    if (!node) {
        TRY(ddb_parser_init(&p, env, kind, text));
        TRY(parse_or(&p, &node));
        if (ddb_token(&p)->kind != TOKEN_END)
            return ddb_syntax_error(&p);
        TRY(ddb_memo_keep(env->diag->memo, p.arena, DDB_MEMO_CONDITION, text.p, node));
    }
    *ret_node = node;
    return ERR_OK;
}

enum err ddb_parse_projection(struct ddb_env *env, struct str text, struct ddb_paths *ret_paths)
{
    struct ddb_parser p;
    const struct ddb_paths *known = ddb_memo_find(env->diag->memo, DDB_MEMO_PATHS, text.p);
    if (known) {
        *ret_paths = *known;
        return ERR_OK;
    }
    TRY(ddb_parser_init(&p, env, "ProjectionExpression", text));
    size_t cap = 1;
    for (size_t i = 0; p.tokens[i].kind != TOKEN_END; i++)
        cap += ddb_token_is(&p.tokens[i], ",");
    struct ddb_paths paths = {ARENA_ARRAY(p.arena, struct ddb_path, cap), 0};
    const struct ddb_path **all = ARENA_ARRAY(p.arena, const struct ddb_path *, cap);
    if (!paths.v || !all)
        return ERR_NOMEM;
    do {
        TRY(ddb_parse_path(&p, &paths.v[paths.n]));
        all[paths.n] = &paths.v[paths.n];
        paths.n++;
    } while (ddb_accept(&p, ","));
    if (ddb_token(&p)->kind != TOKEN_END)
        return ddb_syntax_error(&p);
    TRY(ddb_paths_check_overlap(p.diag, p.kind, all, paths.n));
    *ret_paths = paths;
    return ddb_memo_keep_copy(p.diag->memo, p.arena, DDB_MEMO_PATHS, text.p, &paths, sizeof(paths));
}
