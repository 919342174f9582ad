/* Patterns for JSON and for columns, read by descent. || binds looser than &&; brackets do the rest. */
#include <assert.h>

#include "lang/filter_int.h"

struct parser {
    struct arena *a;
    struct str text;
    size_t at;
    size_t nodes;
    int depth;
    struct filter *f;
    struct str column; /* name of the column whose tests are read */
};

static enum err parse_or(struct parser *p, struct filter_node **ret);

static void skip(struct parser *p)
{
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.p[p->at]))
        p->at++;
}

static bool take(struct parser *p, const char *token)
{
    struct str t = str_c(token);
    skip(p);
    if (!str_starts(str_sub(p->text, p->at, SIZE_MAX), t))
        return false;
    p->at += t.len;
    return true;
}

static bool ends_word(char c)
{
    return strchr(" \t\r\n&|()=!<>,]}", c) != NULL;
}

/* Up to white space, an operator or a bracket. */
static struct str word(struct parser *p)
{
    skip(p);
    size_t from = p->at;
    while (p->at < p->text.len && !ends_word(p->text.p[p->at]))
        p->at++;
    return str_n(p->text.p + from, p->at - from);
}

static bool take_word(struct parser *p, const char *w)
{
    size_t before = p->at;
    if (str_eq_nocase(word(p), str_c(w)))
        return true;
    p->at = before;
    return false;
}

static enum err node(struct parser *p, char kind, struct filter_node **ret)
{
    if (++p->nodes > FILTER_NODES_MAX)
        return ERR_LIMIT;
    *ret = ARENA_NEW(p->a, struct filter_node);
    if (!*ret)
        return ERR_NOMEM;
    (*ret)->kind = kind;
    return ERR_OK;
}

/* --- selectors ---------------------------------------------------------------------------------- */

static enum err add_step(struct filter_selector *s, struct filter_step step)
{
    if (s->n == FILTER_STEPS_MAX)
        return ERR_LIMIT;
    s->steps[s->n++] = step;
    return ERR_OK;
}

/* What stands in brackets: a place, or a name in quotation marks. */
static enum err bracket(struct parser *p, struct filter_selector *s)
{
    char quote = p->at < p->text.len ? p->text.p[p->at] : '\0';
    struct str rest = str_sub(p->text, p->at, SIZE_MAX);
    if (quote == '\'' || quote == '"') {
        rest = str_sub(rest, 1, SIZE_MAX);
        size_t end = str_find(rest, quote);
        if (end == SIZE_MAX || end == 0 || end + 1 >= rest.len || rest.p[end + 1] != ']')
            return ERR_INVALID;
        p->at += end + 3;
        return add_step(s, (struct filter_step){.key = str_sub(rest, 0, end)});
    }
    size_t end = str_find(rest, ']');
    uint64_t index;
    if (end == SIZE_MAX || str_to_u64(str_sub(rest, 0, end), &index) != ERR_OK)
        return ERR_INVALID;
    p->at += end + 1;
    return add_step(s, (struct filter_step){.index = (size_t)index});
}

static enum err selector(struct parser *p, struct filter_selector *s)
{
    if (!take(p, "$"))
        return ERR_INVALID;
    while (p->at < p->text.len && (p->text.p[p->at] == '.' || p->text.p[p->at] == '[')) {
        if (p->text.p[p->at++] == '[') {
            TRY(bracket(p, s));
            continue;
        }
        size_t from = p->at;
        while (p->at < p->text.len && p->text.p[p->at] != '.' && p->text.p[p->at] != '[' &&
               !ends_word(p->text.p[p->at]))
            p->at++;
        if (p->at == from)
            return ERR_INVALID;
        TRY(add_step(s, (struct filter_step){.key = str_n(p->text.p + from, p->at - from)}));
    }
    return s->n > 0 ? ERR_OK : ERR_INVALID;
}

enum err filter_parse_selector(struct arena *a, struct str text, struct filter_selector *ret)
{
    struct parser p = {.a = a, .text = text};
    ret->n = 0;
    TRY(selector(&p, ret));
    return p.at == text.len ? ERR_OK : ERR_INVALID;
}

/* --- tests -------------------------------------------------------------------------------------- */

static enum err value(struct parser *p, struct filter_node *t)
{
    skip(p);
    struct str rest = str_sub(p->text, p->at, SIZE_MAX);
    if (rest.len > 0 && (rest.p[0] == '"' || rest.p[0] == '%')) {
        TRY(rest.p[0] == '"' ? filter_take_quoted(p->a, &rest, &t->text)
                             : filter_take_regex(p->a, p->f, &rest, &t->regex));
        p->at = p->text.len - rest.len;
        return ERR_OK;
    }
    t->text = word(p);
    t->is_number = str_to_f64(t->text, &t->number) == ERR_OK;
    return t->text.len > 0 ? ERR_OK : ERR_INVALID;
}

static enum err comparison(struct parser *p, struct filter_node *t)
{
    static const struct {
        const char *token; /* longer ones first */
        enum filter_test_op op;
    } ops[] = {
        {"!=", FILTER_TEST_NE}, {"<=", FILTER_TEST_LE}, {">=", FILTER_TEST_GE},
        {"=", FILTER_TEST_EQ},  {"<", FILTER_TEST_LT},  {">", FILTER_TEST_GT},
    };
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (!take(p, ops[i].token))
            continue;
        t->op = ops[i].op;
        TRY(value(p, t));
        bool orders = t->op != FILTER_TEST_EQ && t->op != FILTER_TEST_NE;
        return orders && !t->is_number ? ERR_INVALID : ERR_OK;
    }
    return ERR_INVALID;
}

static enum err json_test(struct parser *p, struct filter_node *t)
{
    struct filter_selector *s = ARENA_NEW(p->a, struct filter_selector);
    if (!s)
        return ERR_NOMEM;
    t->selector = s;
    TRY(selector(p, s));
    if (take_word(p, "IS")) {
        if (take_word(p, "NOT") ||
            (!take_word(p, "TRUE") && !take_word(p, "FALSE") && !take_word(p, "NULL")))
            return ERR_INVALID;
        char last = p->text.p[p->at - 2]; /* "TRUE", "FALSE", "NULL" by their last but one */
        t->op = last == 'U' || last == 'u'   ? FILTER_TEST_TRUE
                : last == 'S' || last == 's' ? FILTER_TEST_FALSE
                                             : FILTER_TEST_NULL;
        return ERR_OK;
    }
    bool not = take_word(p, "NOT");
    if (take_word(p, "EXISTS")) {
        t->op = not ? FILTER_TEST_ABSENT : FILTER_TEST_EXISTS;
        return ERR_OK;
    }
    return not ? ERR_INVALID : comparison(p, t);
}

/* The column's name may stand before each test: "status = 4* || status = 5*". */
static enum err column_test(struct parser *p, struct filter_node *t)
{
    size_t before = p->at;
    struct str name = word(p);
    if (name.len > 0 && !str_eq(name, p->column))
        return ERR_INVALID;
    if (name.len == 0)
        p->at = before;
    t->column = p->f->n_columns;
    return comparison(p, t);
}

static enum err parse_primary(struct parser *p, struct filter_node **ret)
{
    if (++p->depth > FILTER_DEPTH_MAX)
        return ERR_LIMIT;
    if (take(p, "(")) {
        TRY(parse_or(p, ret));
        if (!take(p, ")"))
            return ERR_INVALID;
    } else {
        TRY(node(p, 't', ret));
        TRY(p->f->kind == FILTER_JSON ? json_test(p, *ret) : column_test(p, *ret));
    }
    p->depth--;
    return ERR_OK;
}

static enum err join(struct parser *p, char kind, struct filter_node **left,
                     enum err (*parse)(struct parser *p, struct filter_node **ret))
{
    struct filter_node *both;
    TRY(node(p, kind, &both));
    both->left = *left;
    TRY(parse(p, &both->right));
    *left = both;
    return ERR_OK;
}

static enum err parse_and(struct parser *p, struct filter_node **ret)
{
    TRY(parse_primary(p, ret));
    while (take(p, "&&"))
        TRY(join(p, '&', ret, parse_primary));
    return ERR_OK;
}

static enum err parse_or(struct parser *p, struct filter_node **ret)
{
    TRY(parse_and(p, ret));
    while (take(p, "||"))
        TRY(join(p, '|', ret, parse_and));
    return ERR_OK;
}

enum err filter_parse_json(struct arena *a, struct str text, struct filter *f)
{
    struct parser p = {.a = a, .text = text, .f = f};
    bool open = take(&p, "{");
    assert(open && f->kind == FILTER_JSON);
    TRY(parse_or(&p, &f->root));
    if (!take(&p, "}"))
        return ERR_INVALID;
    skip(&p);
    return p.at == text.len ? ERR_OK : ERR_INVALID;
}

/* --- columns ------------------------------------------------------------------------------------ */

static enum err parse_column(struct parser *p)
{
    struct filter *f = p->f;
    struct filter_node *tests;
    size_t from = p->at;
    if (take(p, "...")) {
        if (f->rest != SIZE_MAX)
            return ERR_INVALID;
        f->rest = f->n_columns;
        return ERR_OK;
    }
    if (f->n_columns == FILTER_COLUMNS_MAX)
        return ERR_LIMIT;
    while (take(p, "("))
        ;
    p->column = word(p);
    f->columns[f->n_columns] = p->column;
    skip(p);
    if (p->at < p->text.len && p->text.p[p->at] != ',' && p->text.p[p->at] != ']') {
        p->at = from;
        TRY(parse_or(p, &tests));
        if (!f->root)
            f->root = tests;
        else {
            struct filter_node *both;
            TRY(node(p, '&', &both));
            both->left = f->root;
            both->right = tests;
            f->root = both;
        }
    } else if (p->column.len == 0) {
        return ERR_INVALID;
    }
    f->n_columns++;
    return ERR_OK;
}

enum err filter_parse_columns(struct arena *a, struct str text, struct filter *f)
{
    struct parser p = {.a = a, .text = text, .f = f};
    bool open = take(&p, "[");
    assert(open && f->kind == FILTER_COLUMNS);
    f->columns = ARENA_ARRAY(a, struct str, FILTER_COLUMNS_MAX);
    if (!f->columns)
        return ERR_NOMEM;
    do
        TRY(parse_column(&p));
    while (take(&p, ","));
    if (!take(&p, "]"))
        return ERR_INVALID;
    skip(&p);
    return p.at == text.len ? ERR_OK : ERR_INVALID;
}
