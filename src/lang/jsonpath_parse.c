/* Text of a JSONPath. See jsonpath.h. */
#include "lang/jsonpath_int.h"

enum {
    NAMES_MAX = 100, /* in one pair of brackets */
    PARTS_MAX = 200, /* of one path */
};

struct parser {
    struct arena *a;
    const char *p, *end, *start;
    unsigned depth;
};

static enum err parse_path(struct parser *ps, struct jsonpath **ret_path);
static enum err parse_or(struct parser *ps, struct jp_expr **ret_x);

static void skip_space(struct parser *ps)
{
    while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\t'))
        ps->p++;
}

static bool at(const struct parser *ps, char c)
{
    return ps->p < ps->end && *ps->p == c;
}

static bool take(struct parser *ps, const char *token)
{
    struct str rest = str_n(ps->p, (size_t)(ps->end - ps->p));
    if (!str_starts(rest, str_c(token)))
        return false;
    ps->p += strlen(token);
    return true;
}

static bool take_spaced(struct parser *ps, const char *token)
{
    skip_space(ps);
    return take(ps, token);
}

/* Names outside of brackets: anything but what ends them. */
static bool is_name_char(char c)
{
    return !strchr(".[]()'\"=<>!&|~ \t\n,?*@/:", c) && c != '\0';
}

static enum err bare_name(struct parser *ps, struct str *ret_name)
{
    const char *from = ps->p;
    while (ps->p < ps->end && is_name_char(*ps->p))
        ps->p++;
    *ret_name = str_dup(ps->a, str_n(from, (size_t)(ps->p - from)));
    if (!str_is_set(*ret_name))
        return ERR_NOMEM;
    return ret_name->len ? ERR_OK : ERR_INVALID;
}

/* 'text' or "text" with backslash escapes of any one character. */
static enum err quoted(struct parser *ps, struct str *ret_s)
{
    char quote = *ps->p++;
    char *out = arena_alloc(ps->a, (size_t)(ps->end - ps->p));
    size_t n = 0;
    if (!out)
        return ERR_NOMEM;
    while (ps->p < ps->end && *ps->p != quote) {
        if (*ps->p == '\\' && ++ps->p == ps->end)
            return ERR_INVALID;
        out[n++] = *ps->p++;
    }
    if (ps->p == ps->end)
        return ERR_INVALID;
    ps->p++;
    *ret_s = str_n(out, n);
    return ERR_OK;
}

static bool integer(struct parser *ps, int64_t *ret_v)
{
    const char *from = ps->p;
    if (at(ps, '-'))
        ps->p++;
    while (ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9')
        ps->p++;
    if (ps->p - from <= 9 && str_to_i64(str_n(from, (size_t)(ps->p - from)), ret_v) == ERR_OK)
        return true;
    ps->p = from;
    return false;
}

/* --- brackets ------------------------------------------------------------------------------------- */

static enum err bracket_names(struct parser *ps, struct jp_step *s)
{
    struct str names[NAMES_MAX];
    s->kind = JP_NAMES;
    do {
        skip_space(ps);
        if (s->n == NAMES_MAX)
            return ERR_LIMIT;
        if (!at(ps, '\'') && !at(ps, '"'))
            return ERR_INVALID;
        TRY(quoted(ps, &names[s->n]));
        s->n++;
    } while (take_spaced(ps, ","));
    s->names = ARENA_ARRAY(ps->a, struct str, s->n);
    if (!s->names)
        return ERR_NOMEM;
    memcpy(s->names, names, s->n * sizeof(*names));
    return ERR_OK;
}

/* 1   0,2   1:3   :2   -1: */
static enum err bracket_numbers(struct parser *ps, struct jp_step *s)
{
    int64_t numbers[NAMES_MAX];
    s->kind = JP_INDEXES;
    s->has_from = integer(ps, &s->from);
    if (take_spaced(ps, ":")) {
        skip_space(ps);
        s->kind = JP_SLICE;
        s->has_to = integer(ps, &s->to);
        return ERR_OK;
    }
    if (!s->has_from)
        return ERR_INVALID;
    numbers[s->n++] = s->from;
    while (take_spaced(ps, ",")) {
        skip_space(ps);
        if (s->n == NAMES_MAX)
            return ERR_LIMIT;
        if (!integer(ps, &numbers[s->n++]))
            return ERR_INVALID;
    }
    s->indexes = ARENA_ARRAY(ps->a, int64_t, s->n);
    if (!s->indexes)
        return ERR_NOMEM;
    memcpy(s->indexes, numbers, s->n * sizeof(*numbers));
    return ERR_OK;
}

/* After '['. */
static enum err bracket(struct parser *ps, struct jp_step *s)
{
    skip_space(ps);
    if (take(ps, "*")) {
        s->kind = JP_ALL;
    } else if (take(ps, "?")) {
        s->kind = JP_FILTER;
        if (!take_spaced(ps, "("))
            return ERR_INVALID;
        TRY(parse_or(ps, &s->filter));
        if (!take_spaced(ps, ")"))
            return ERR_INVALID;
    } else if (at(ps, '\'') || at(ps, '"')) {
        TRY(bracket_names(ps, s));
    } else {
        TRY(bracket_numbers(ps, s));
    }
    return take_spaced(ps, "]") ? ERR_OK : ERR_INVALID;
}

/* --- literals and operands ------------------------------------------------------------------------- */

static enum err literal_new(struct parser *ps, enum json_kind kind, struct str text,
                            const struct json **ret_v)
{
    struct json *v = ARENA_NEW(ps->a, struct json);
    if (!v)
        return ERR_NOMEM;
    v->kind = kind;
    v->text = text;
    *ret_v = v;
    return ERR_OK;
}

static enum err number(struct parser *ps, const struct json **ret_v)
{
    const char *from = ps->p;
    struct json *v;
    while (ps->p < ps->end && *ps->p && strchr("+-.0123456789eE", *ps->p))
        ps->p++;
    struct str text = str_dup(ps->a, str_n(from, (size_t)(ps->p - from)));
    if (!str_is_set(text))
        return ERR_NOMEM;
    enum err err = json_parse(ps->a, text, &v, NULL);
    *ret_v = err == ERR_OK ? v : NULL;
    return err;
}

/* ['a', 1, ...]: a list of literals, within the depth of the parser. */
static enum err literal(struct parser *ps, const struct json **ret_v)
{
    struct str s;
    skip_space(ps);
    if (at(ps, '\'') || at(ps, '"')) {
        TRY(quoted(ps, &s));
        return literal_new(ps, JSON_STRING, s, ret_v);
    }
    if (take(ps, "true") || take(ps, "false")) {
        bool b = ps->p[-2] == 'u';
        struct json *v = ARENA_NEW(ps->a, struct json);
        if (!v)
            return ERR_NOMEM;
        *v = (struct json){.kind = JSON_BOOL, .b = b};
        *ret_v = v;
        return ERR_OK;
    }
    if (take(ps, "null"))
        return literal_new(ps, JSON_NULL, STR_NONE, ret_v);
    if (!take(ps, "["))
        return number(ps, ret_v);
    if (++ps->depth > JSONPATH_DEPTH_MAX)
        return ERR_LIMIT;
    struct json *list = ARENA_NEW(ps->a, struct json);
    if (!list)
        return ERR_NOMEM;
    list->kind = JSON_ARRAY;
    struct json **tail = &list->child;
    for (bool first = true; !take_spaced(ps, "]"); first = false) {
        const struct json *item;
        if (!first && !take_spaced(ps, ","))
            return ERR_INVALID;
        TRY(literal(ps, &item));
        *tail = (struct json *)item; /* made just now, by us */
        tail = &(*tail)->next;
        list->n++;
    }
    ps->depth--;
    *ret_v = list;
    return ERR_OK;
}

static void code_free(void *code)
{
    pcre2_code_free(code);
}

/* /pattern/flags; Java's Pattern.matches: of the whole text. */
static enum err regex(struct parser *ps, struct jp_operand *o)
{
    const char *from = ++ps->p;
    while (ps->p < ps->end && *ps->p != '/')
        ps->p += *ps->p == '\\' && ps->p + 1 < ps->end ? 2 : 1;
    if (ps->p >= ps->end)
        return ERR_INVALID;
    size_t len = (size_t)(ps->p++ - from);
    uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY;
    for (; ps->p < ps->end && *ps->p && strchr("ismx", *ps->p); ps->p++)
        options |= *ps->p == 'i'   ? PCRE2_CASELESS
                   : *ps->p == 's' ? PCRE2_DOTALL
                   : *ps->p == 'm' ? PCRE2_MULTILINE
                                   : PCRE2_EXTENDED;
    int code = 0;
    PCRE2_SIZE offset = 0;
    o->regex = pcre2_compile((PCRE2_SPTR)from, len, options, &code, &offset, NULL);
    if (!o->regex)
        return code == PCRE2_ERROR_HEAP_FAILED ? ERR_NOMEM : ERR_INVALID;
    enum err err = arena_on_release(ps->a, code_free, o->regex);
    if (err != ERR_OK)
        pcre2_code_free(o->regex);
    return err;
}

static enum err operand(struct parser *ps, struct jp_operand *o)
{
    skip_space(ps);
    if (at(ps, '@') || at(ps, '$')) {
        struct jsonpath *p;
        TRY(parse_path(ps, &p));
        o->path = p;
        return ERR_OK;
    }
    return at(ps, '/') ? regex(ps, o) : literal(ps, &o->literal);
}

/* --- filters ---------------------------------------------------------------------------------------- */

static enum err expr_new(struct parser *ps, enum jp_op op, struct jp_expr *a, struct jp_expr *b,
                         struct jp_expr **ret_x)
{
    struct jp_expr *x = ARENA_NEW(ps->a, struct jp_expr);
    if (!x)
        return ERR_NOMEM;
    *x = (struct jp_expr){.op = op, .a = a, .b = b};
    *ret_x = x;
    return ERR_OK;
}

static enum err comparison(struct parser *ps, struct jp_expr **ret_x)
{
    static const struct {
        const char *token;
        enum jp_op op;
    } ops[] = {
        {"==", JP_EQ},
        {"!=", JP_NE},
        {"<=", JP_LE},
        {">=", JP_GE},
        {"<", JP_LT},
        {">", JP_GT},
        {"=~", JP_MATCHES},
        {"in ", JP_IN},
        {"in[", JP_IN},
        {"nin ", JP_NIN},
        {"subsetof ", JP_SUBSETOF},
        {"anyof ", JP_ANYOF},
        {"noneof ", JP_NONEOF},
        {"size ", JP_SIZE},
        {"empty ", JP_EMPTY},
        {"contains ", JP_CONTAINS},
    };
    TRY(expr_new(ps, JP_HOLDS, NULL, NULL, ret_x));
    struct jp_expr *x = *ret_x;
    TRY(operand(ps, &x->left));
    skip_space(ps);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (take(ps, ops[i].token)) {
            ps->p -= ps->p[-1] == '[';
            x->op = ops[i].op;
            TRY(operand(ps, &x->right));
            break;
        }
    bool pattern = x->right.regex || (x->op == JP_MATCHES && x->right.path);
    return x->left.regex || (x->op == JP_MATCHES) != pattern || (pattern && !x->right.regex)
               ? ERR_INVALID
               : ERR_OK;
}

static enum err unary(struct parser *ps, struct jp_expr **ret_x)
{
    enum err err;
    if (++ps->depth > JSONPATH_DEPTH_MAX)
        return ERR_LIMIT;
    if (take_spaced(ps, "!")) {
        struct jp_expr *inner;
        TRY(unary(ps, &inner));
        err = expr_new(ps, JP_NOT, inner, NULL, ret_x);
    } else if (take_spaced(ps, "(")) {
        TRY(parse_or(ps, ret_x));
        err = take_spaced(ps, ")") ? ERR_OK : ERR_INVALID;
    } else {
        err = comparison(ps, ret_x);
    }
    ps->depth--;
    return err;
}

static enum err parse_and(struct parser *ps, struct jp_expr **ret_x)
{
    TRY(unary(ps, ret_x));
    while (take_spaced(ps, "&&")) {
        struct jp_expr *b;
        TRY(unary(ps, &b));
        TRY(expr_new(ps, JP_AND, *ret_x, b, ret_x));
    }
    return ERR_OK;
}

static enum err parse_or(struct parser *ps, struct jp_expr **ret_x)
{
    TRY(parse_and(ps, ret_x));
    while (take_spaced(ps, "||")) {
        struct jp_expr *b;
        TRY(parse_and(ps, &b));
        TRY(expr_new(ps, JP_OR, *ret_x, b, ret_x));
    }
    return ERR_OK;
}

/* --- paths ------------------------------------------------------------------------------------------ */

/* After the name of a function and '('. */
static enum err function(struct parser *ps, struct jp_step *s, struct str name)
{
    static const struct {
        const char *name;
        enum jp_function function;
    } rows[] = {
        {"length", JP_LENGTH}, {"size", JP_LENGTH}, {"min", JP_MIN},       {"max", JP_MAX},
        {"avg", JP_AVG},       {"sum", JP_SUM},     {"stddev", JP_STDDEV}, {"keys", JP_KEYS},
        {"first", JP_FIRST},   {"last", JP_LAST},   {"concat", JP_CONCAT},
    };
    size_t i = 0;
    while (i < ARRAY_LEN(rows) && !str_eq_c(name, rows[i].name))
        i++;
    if (i == ARRAY_LEN(rows))
        return ERR_INVALID;
    s->kind = JP_FUNCTION;
    s->function = rows[i].function;
    struct jp_operand **tail = &s->arguments;
    for (bool first = true; !take_spaced(ps, ")"); first = false) {
        struct jp_operand *o = ARENA_NEW(ps->a, struct jp_operand);
        if (!o)
            return ERR_NOMEM;
        if (s->function != JP_CONCAT || (!first && !take_spaced(ps, ",")))
            return ERR_INVALID;
        TRY(operand(ps, o));
        if (o->regex)
            return ERR_INVALID;
        *tail = o;
        tail = &o->next;
    }
    return ERR_OK;
}

static enum err step(struct parser *ps, struct jp_step *s)
{
    if (take(ps, "[") || take(ps, ".["))
        return bracket(ps, s);
    if (take(ps, "..")) {
        s->deep = true;
        if (take(ps, "["))
            return bracket(ps, s);
    } else if (!take(ps, ".")) {
        return ERR_INVALID;
    }
    if (take(ps, "*")) {
        s->kind = JP_ALL;
        return ERR_OK;
    }
    s->names = ARENA_NEW(ps->a, struct str);
    if (!s->names)
        return ERR_NOMEM;
    s->kind = JP_NAMES;
    s->n = 1;
    TRY(bare_name(ps, s->names));
    return take(ps, "(") ? function(ps, s, s->names[0]) : ERR_OK;
}

static enum err parse_path(struct parser *ps, struct jsonpath **ret_path)
{
    struct jsonpath *p = ARENA_NEW(ps->a, struct jsonpath);
    if (!p)
        return ERR_NOMEM;
    p->definite = true;
    p->relative = at(ps, '@');
    if (!take(ps, "$") && !take(ps, "@"))
        return ERR_INVALID;
    struct jp_step **tail = &p->steps;
    int parts = 0;
    while (at(ps, '.') || at(ps, '[')) {
        struct jp_step *s = ARENA_NEW(ps->a, struct jp_step);
        if (!s)
            return ERR_NOMEM;
        if (parts++ == PARTS_MAX)
            return ERR_LIMIT;
        TRY(step(ps, s));
        /* Several names at the end make one object of what there is of them. */
        bool merged = s->kind == JP_NAMES && s->n > 1 && !s->deep && !at(ps, '.') && !at(ps, '[');
        bool one = (s->kind == JP_NAMES || s->kind == JP_INDEXES) && s->n == 1 && !s->deep;
        if (s->kind == JP_FUNCTION) /* of the whole list before it */
            p->definite = !s->deep;
        else if (!one && !merged)
            p->definite = false;
        *tail = s;
        tail = &s->next;
        if (s->kind == JP_FUNCTION)
            break;
    }
    *ret_path = p;
    return ERR_OK;
}

enum err jsonpath_compile(struct arena *a, struct str text, const struct jsonpath **ret_path,
                          size_t *ret_at)
{
    struct jsonpath *p = NULL;
    if (text.len > JSONPATH_BYTES_MAX)
        return ERR_LIMIT;
    text = str_trim(text);
    struct parser ps = {.a = a, .p = text.p, .start = text.p, .end = text.p + text.len};
    enum err err = text.len == 0 || !str_is_utf8(text) ? ERR_INVALID : parse_path(&ps, &p);
    if (err == ERR_OK && ps.p != ps.end)
        err = ERR_INVALID;
    if (err == ERR_OK)
        *ret_path = p;
    else if (ret_at)
        *ret_at = (size_t)(ps.p - ps.start);
    return err;
}

bool jsonpath_is_definite(const struct jsonpath *p)
{
    return p->definite;
}
