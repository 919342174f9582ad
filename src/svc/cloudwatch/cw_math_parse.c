/* Expressions as trees; see cw_math.h. From what binds loosest: OR, AND, comparisons, + -, * /, unary -, ^. */
#include <assert.h>

#include "svc/cloudwatch/cw_math.h"

struct parser {
    struct arena *a;
    struct str text;
    size_t at;
    int depth;
    size_t nodes;
    struct cw_math *math;
    struct str why;
};

static enum err parse_level(struct parser *p, int level, struct cw_math_node **ret);

static const struct {
    const char *words[7]; /* longer ones first */
} levels[] = {
    {{"||", "OR"}}, {{"&&", "AND"}}, {{"==", "!=", "<=", ">=", "<", ">"}},
    {{"+", "-"}},   {{"*", "/"}},
};

static enum err fault(struct parser *p, const char *what)
{
    p->why = str_fmt(p->a, "%s at character %zu", what, p->at + 1);
    return str_is_set(p->why) ? ERR_INVALID : ERR_NOMEM;
}

static void skip(struct parser *p)
{
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.p[p->at]))
        p->at++;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(struct parser *p)
{
    skip(p);
    return p->at < p->text.len ? p->text.p[p->at] : '\0';
}

static bool take(struct parser *p, const char *token)
{
    size_t n = strlen(token);
    skip(p);
    if (!str_starts(str_sub(p->text, p->at, SIZE_MAX), str_n(token, n)))
        return false;
    if (is_alpha(token[0]) && p->at + n < p->text.len &&
        (is_alpha(p->text.p[p->at + n]) || is_digit(p->text.p[p->at + n])))
        return false; /* the beginning of a name */
    p->at += n;
    return true;
}

static enum err node(struct parser *p, enum cw_math_kind kind, size_t n_args,
                     struct cw_math_node **ret)
{
    if (++p->nodes > CW_MATH_NODES_MAX)
        return fault(p, "too long an expression");
    struct cw_math_node *n = ARENA_NEW(p->a, struct cw_math_node);
    if (!n)
        return ERR_NOMEM;
    n->kind = kind;
    n->args = ARENA_ARRAY(p->a, struct cw_math_node *, n_args + 1);
    if (!n->args)
        return ERR_NOMEM;
    *ret = n;
    return ERR_OK;
}

static enum err parse_number(struct parser *p, struct cw_math_node **ret)
{
    size_t from = p->at;
    while (p->at < p->text.len &&
           (is_digit(p->text.p[p->at]) || strchr(".eE", p->text.p[p->at]) ||
            (strchr("+-", p->text.p[p->at]) && strchr("eE", p->text.p[p->at - 1]))))
        p->at++;
    struct str text = str_n(p->text.p + from, p->at - from);
    TRY(node(p, CW_MATH_NUMBER, 0, ret));
    if (text.p[0] == '.') /* ".5" */
        text = str_fmt(p->a, "0" STR_FMT, STR_ARG(text));
    if (!str_is_set(text))
        return ERR_NOMEM;
    return str_to_f64(text, &(*ret)->number) == ERR_OK ? ERR_OK : fault(p, "no number");
}

static enum err parse_text(struct parser *p, char quote, struct cw_math_node **ret)
{
    size_t from = ++p->at;
    while (p->at < p->text.len && p->text.p[p->at] != quote)
        p->at++;
    if (p->at == p->text.len)
        return fault(p, "a quotation mark is missing");
    TRY(node(p, CW_MATH_TEXT, 0, ret));
    (*ret)->text = str_n(p->text.p + from, p->at++ - from);
    return ERR_OK;
}

/* Elements up to the closing bracket. */
static enum err parse_list(struct parser *p, const char *close, struct cw_math_node *n)
{
    struct cw_math_node *args[CW_MATH_ARGS_MAX];
    if (!take(p, close)) {
        do {
            if (n->n_args == CW_MATH_ARGS_MAX)
                return fault(p, "too many elements");
            TRY(parse_level(p, 0, &args[n->n_args]));
            n->n_args++;
        } while (take(p, ","));
        if (!take(p, close))
            return fault(p, "a closing bracket is missing");
    }
    n->args = ARENA_ARRAY(p->a, struct cw_math_node *, n->n_args + 1);
    if (!n->args)
        return ERR_NOMEM;
    for (size_t i = 0; i < n->n_args; i++)
        n->args[i] = args[i];
    return ERR_OK;
}

static enum err know_name(struct parser *p, struct str name)
{
    struct cw_math *m = p->math;
    if (name.p[0] < 'a' || name.p[0] > 'z')
        return ERR_OK; /* a word that functions take */
    for (size_t i = 0; i < m->n_names; i++)
        if (str_eq(m->names[i], name))
            return ERR_OK;
    if (m->n_names == CW_MATH_ARGS_MAX)
        return fault(p, "too many names");
    m->names[m->n_names++] = name;
    return ERR_OK;
}

static bool of_time(struct str function)
{
    static const char *const names[] = {"DATE", "DAY", "EPOCH", "HOUR", "MINUTE", "MONTH", "YEAR"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(function, names[i]))
            return true;
    return false;
}

static enum err parse_name(struct parser *p, struct cw_math_node **ret)
{
    size_t from = p->at;
    while (p->at < p->text.len && (is_alpha(p->text.p[p->at]) || is_digit(p->text.p[p->at])))
        p->at++;
    struct str name = str_n(p->text.p + from, p->at - from);
    if (!take(p, "(")) {
        TRY(node(p, CW_MATH_NAME, 0, ret));
        (*ret)->text = name;
        return know_name(p, name);
    }
    TRY(node(p, CW_MATH_CALL, 0, ret));
    (*ret)->text = name;
    p->math->all_metrics = p->math->all_metrics || str_eq_c(name, "METRICS");
    p->math->searches = p->math->searches || str_eq_c(name, "SEARCH");
    p->math->of_time = p->math->of_time || of_time(name);
    return parse_list(p, ")", *ret);
}

static enum err parse_primary(struct parser *p, struct cw_math_node **ret)
{
    char c = peek(p);
    if (is_digit(c) || c == '.')
        return parse_number(p, ret);
    if (c == '"' || c == '\'')
        return parse_text(p, c, ret);
    if (is_alpha(c))
        return parse_name(p, ret);
    if (take(p, "[")) {
        TRY(node(p, CW_MATH_LIST, 0, ret));
        return parse_list(p, "]", *ret);
    }
    if (!take(p, "("))
        return fault(p, "something is missing");
    TRY(parse_level(p, 0, ret));
    return take(p, ")") ? ERR_OK : fault(p, "a closing bracket is missing");
}

static enum err binary(struct parser *p, const char *op, struct cw_math_node *left,
                       struct cw_math_node **ret)
{
    TRY(node(p, CW_MATH_BINARY, 2, ret));
    (*ret)->text = str_c(op);
    (*ret)->args[0] = left;
    (*ret)->n_args = 2;
    return ERR_OK;
}

static enum err parse_unary(struct parser *p, struct cw_math_node **ret)
{
    if (++p->depth > CW_MATH_DEPTH_MAX)
        return fault(p, "too deep an expression");
    if (take(p, "-")) {
        TRY(node(p, CW_MATH_NEGATE, 1, ret));
        (*ret)->n_args = 1;
        TRY(parse_unary(p, &(*ret)->args[0]));
    } else {
        TRY(parse_primary(p, ret));
        if (take(p, "^")) {
            struct cw_math_node *power;
            TRY(binary(p, "^", *ret, &power));
            TRY(parse_unary(p, &power->args[1]));
            *ret = power;
        }
    }
    p->depth--;
    return ERR_OK;
}

static enum err parse_level(struct parser *p, int level, struct cw_math_node **ret)
{
    if (level == (int)ARRAY_LEN(levels))
        return parse_unary(p, ret);
    if (level == 0 && ++p->depth > CW_MATH_DEPTH_MAX)
        return fault(p, "too deep an expression");
    TRY(parse_level(p, level + 1, ret));
    for (;;) {
        const char *op = NULL;
        for (size_t i = 0; !op && levels[level].words[i]; i++)
            if (take(p, levels[level].words[i]))
                op = levels[level].words[i];
        if (!op)
            break;
        struct cw_math_node *both;
        TRY(binary(p, op, *ret, &both));
        TRY(parse_level(p, level + 1, &both->args[1]));
        *ret = both;
    }
    if (level == 0)
        p->depth--;
    return ERR_OK;
}

enum err cw_math_parse(struct arena *a, struct str text, struct cw_math *ret, struct str *ret_why)
{
    struct parser p = {.a = a, .text = text, .math = ret};
    *ret = (struct cw_math){0};
    enum err err = text.len > CW_MATH_BYTES_MAX ? fault(&p, "too long an expression")
                                                : parse_level(&p, 0, &ret->root);
    skip(&p);
    if (err == ERR_OK && p.at < text.len)
        err = fault(&p, "something unexpected");
    *ret_why = p.why;
    return err;
}
