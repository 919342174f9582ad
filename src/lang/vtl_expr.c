/* References, literals and expressions of a template. Wherever Velocity 1.7 takes a value without
 * operators (arguments of methods, elements of lists and maps) an expression is taken, too, as its later
 * versions do. */
#include <stdlib.h>
#include <string.h>

#include "lang/vtl_int.h"

static enum err expr_new(struct vtl_parser *ps, enum vtl_expr_kind kind, const char *at,
                         struct vtl_expr **ret_x)
{
    struct vtl_expr *x = ARENA_NEW(ps->a, struct vtl_expr);
    if (!x)
        return ERR_NOMEM;
    x->kind = kind;
    x->at = vtl_parse_at(ps, at);
    *ret_x = x;
    return ERR_OK;
}

static bool at(const struct vtl_parser *ps, char c)
{
    return ps->p < ps->end && *ps->p == c;
}

static bool take(struct vtl_parser *ps, char c)
{
    vtl_skip_space(ps);
    if (!at(ps, c))
        return false;
    ps->p++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- references ------------------------------------------------------------------------------- */

static bool is_name(char c)
{
    return vtl_is_word(c) || c == '-';
}

static struct str name(struct vtl_parser *ps)
{
    const char *from = ps->p;
    while (ps->p < ps->end && is_name(*ps->p))
        ps->p++;
    return str_n(from, (size_t)(ps->p - from));
}

/* After '(': arguments and ')'. */
static enum err arguments(struct vtl_parser *ps, struct vtl_part *part)
{
    size_t cap = 0;
    if (take(ps, ')'))
        return ERR_OK;
    do {
        struct vtl_expr *x;
        if (part->n == VTL_ARGUMENTS_MAX)
            return vtl_parse_fail(ps, "too many arguments");
        TRY(vtl_parse_expr(ps, &x));
        TRY(vtl_args_add(ps, &part->args, &part->n, &cap, x));
    } while (take(ps, ','));
    return take(ps, ')') ? ERR_OK : vtl_parse_fail(ps, "')' is missing after arguments");
}

static enum err index_part(struct vtl_parser *ps, struct vtl_part *part)
{
    struct vtl_expr *x;
    size_t cap = 0;
    TRY(vtl_parse_expr(ps, &x));
    TRY(vtl_args_add(ps, &part->args, &part->n, &cap, x));
    return take(ps, ']') ? ERR_OK : vtl_parse_fail(ps, "']' is missing after an index");
}

/* .name .name(..) [..], as long as they follow one another. */
static enum err parts(struct vtl_parser *ps, struct vtl_part **tail)
{
    while (ps->p < ps->end) {
        bool dot =
            *ps->p == '.' && ps->p + 1 < ps->end && vtl_is_word_start(ps->p[1]) && ps->p[1] != '_';
        if (!dot && *ps->p != '[')
            return ERR_OK;
        struct vtl_part *part = ARENA_NEW(ps->a, struct vtl_part);
        if (!part)
            return ERR_NOMEM;
        part->at = vtl_parse_at(ps, ps->p++);
        *tail = part;
        tail = &part->next;
        TRY(vtl_parse_enter(ps));
        if (!dot) {
            part->kind = VTL_P_INDEX;
            TRY(index_part(ps, part));
        } else {
            part->name = name(ps);
            if (at(ps, '(')) {
                ps->p++;
                part->kind = VTL_P_METHOD;
                TRY(arguments(ps, part));
            }
        }
        ps->depth--;
    }
    return ERR_OK;
}

enum err vtl_parse_ref(struct vtl_parser *ps, struct vtl_ref **ret_ref)
{
    const char *from = ps->p, *p = from + 1;
    bool quiet = p < ps->end && *p == '!';
    p += quiet;
    bool curly = p < ps->end && *p == '{';
    p += curly;
    *ret_ref = NULL;
    if (p >= ps->end || !vtl_is_word_start(*p))
        return ERR_OK;
    struct vtl_ref *ref = ARENA_NEW(ps->a, struct vtl_ref);
    if (!ref)
        return ERR_NOMEM;
    ps->p = p;
    ref->at = vtl_parse_at(ps, from);
    ref->quiet = quiet;
    ref->name = name(ps);
    TRY(parts(ps, &ref->parts));
    if (curly && !at(ps, '}'))
        return vtl_parse_fail(ps, "'}' is missing after a reference");
    ps->p += curly;
    ref->literal = str_n(from, (size_t)(ps->p - from));
    *ret_ref = ref;
    return ERR_OK;
}

/* --- literals --------------------------------------------------------------------------------- */

/* -12  1.5  .5  2e3; "1..3" is 1 and a range's dots. Whether there is one at p; its length. */
static size_t number_len(const char *p, const char *end, bool *ret_is_float)
{
    const char *q = p + (p < end && *p == '-');
    const char *digits = q;
    while (q < end && is_digit(*q))
        q++;
    bool whole = q > digits, point = q < end && *q == '.' && !(q + 1 < end && q[1] == '.');
    if (!whole && !(point && q + 1 < end && is_digit(q[1])))
        return 0;
    if (point)
        for (q++; q < end && is_digit(*q); q++)
            ;
    const char *e = q;
    if (e < end && (*e == 'e' || *e == 'E')) {
        e++;
        e += e < end && (*e == '+' || *e == '-');
        const char *exponent = e;
        while (e < end && is_digit(*e))
            e++;
        e = e > exponent ? e : q;
    }
    *ret_is_float = point || e > q;
    return (size_t)(e - p);
}

static enum err number(struct vtl_parser *ps, size_t len, bool is_float, struct vtl_expr **ret_x)
{
    struct str text = str_n(ps->p, len);
    char *copy = arena_memdup(ps->a, text.p, text.len);
    TRY(expr_new(ps, VTL_E_LITERAL, ps->p, ret_x));
    if (!copy)
        return ERR_NOMEM;
    struct vtl_value *v = &(*ret_x)->value;
    if (!is_float && str_to_i64(text, &v->i) == ERR_OK)
        v->kind = VTL_INT;
    else if (!is_float)
        *v = (struct vtl_value){.kind = VTL_BIG, .s = text};
    else
        *v = (struct vtl_value){.kind = VTL_DOUBLE, .f = strtod(copy, NULL)};
    ps->p += len;
    return ERR_OK;
}

/* The end of a string that begins at p: behind its last quote; NULL: it has none. Doubled quotes stand for
 * one, but where no other follows. */
static const char *string_end(const char *p, const char *end)
{
    const char *candidate = NULL, *q = p + 1;
    while (q < end) {
        if (*q++ != *p)
            continue;
        if (q == end || *q != *p)
            return q;
        candidate = q++;
    }
    return candidate;
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = is_digit(c)            ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* \uXXXX at p, a pair of surrogates as one: bytes written to `out`, *ret_taken bytes read; 0: none. */
static size_t unicode(const char *p, const char *end, char *out, size_t *ret_taken)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return 0;
    int c = hex4(p + 2);
    if (c < 0)
        return 0;
    *ret_taken = 6;
    if (c >= 0xd800 && c < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
        int low = hex4(p + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            *ret_taken = 12;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    if (c >= 0xd800 && c < 0xe000)
        c = '?'; /* as Java encodes half of a pair */
    return (size_t)(str_put_utf8(out, (uint32_t)c) - out);
}

/* The text between the quotes with doubled quotes and, in double ones, Unicode escapes resolved. */
static enum err unquote(struct vtl_parser *ps, const char *p, const char *end, char quote,
                        struct str *ret_s)
{
    char *out = arena_alloc(ps->a, (size_t)(end - p) + 1);
    size_t n = 0, taken, written;
    if (!out)
        return ERR_NOMEM;
    while (p < end) {
        if (quote == '"' && (written = unicode(p, end, out + n, &taken)) > 0) {
            n += written;
            p += taken;
            continue;
        }
        out[n++] = *p;
        p += p[0] == quote && p + 1 < end && p[1] == quote ? 2 : 1;
    }
    *ret_s = str_n(out, n);
    return ERR_OK;
}

/* The statements in a string, which is a template of its own. */
static enum err interpolate(struct vtl_parser *ps, const char *from, struct str text,
                            struct vtl_node **ret_body)
{
    struct vtl_parser inner = {.a = ps->a,
                               .p = text.p,
                               .start = text.p,
                               .end = text.p + text.len,
                               .t = ps->t,
                               .depth = ps->depth,
                               .body = ps->body,
                               .outer_at = vtl_parse_at(ps, from)};
    enum err err = vtl_parse_enter(&inner);
    if (err == ERR_OK)
        err = ps->body(&inner, ret_body);
    if (inner.message && !ps->message) {
        ps->message = inner.message;
        ps->fault = from;
    }
    return err;
}

static enum err string(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    const char *from = ps->p, *end = string_end(from, ps->end);
    struct str text;
    if (!end)
        return vtl_parse_fail(ps, "a string has no end");
    TRY(unquote(ps, from + 1, end - 1, *from, &text));
    bool template =
        *from == '"' && (memchr(text.p, '$', text.len) || memchr(text.p, '#', text.len));
    TRY(expr_new(ps, template ? VTL_E_TEXT : VTL_E_LITERAL, from, ret_x));
    if (template)
        TRY(interpolate(ps, from, text, &(*ret_x)->body));
    (*ret_x)->value = vtl_string(text);
    ps->p = end;
    return ERR_OK;
}

/* --- lists, ranges, maps ----------------------------------------------------------------------- */

static enum err more_items(struct vtl_parser *ps, struct vtl_expr *x, size_t *cap)
{
    while (take(ps, ',')) {
        struct vtl_expr *item;
        TRY(vtl_parse_expr(ps, &item));
        TRY(vtl_args_add(ps, &x->items, &x->n, cap, item));
    }
    return take(ps, ']') ? ERR_OK : vtl_parse_fail(ps, "']' is missing");
}

/* At '['. */
static enum err list(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    struct vtl_expr *item;
    size_t cap = 0;
    TRY(expr_new(ps, VTL_E_LIST, ps->p++, ret_x));
    struct vtl_expr *x = *ret_x;
    if (take(ps, ']'))
        return ERR_OK;
    TRY(vtl_parse_expr(ps, &item));
    TRY(vtl_args_add(ps, &x->items, &x->n, &cap, item));
    vtl_skip_space(ps);
    if (ps->end - ps->p < 2 || ps->p[0] != '.' || ps->p[1] != '.')
        return more_items(ps, x, &cap);
    ps->p += 2;
    x->kind = VTL_E_RANGE;
    TRY(vtl_parse_expr(ps, &item));
    TRY(vtl_args_add(ps, &x->items, &x->n, &cap, item));
    return take(ps, ']') ? ERR_OK : vtl_parse_fail(ps, "']' is missing after a range");
}

/* At '{'. */
static enum err map(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    size_t cap = 0;
    TRY(expr_new(ps, VTL_E_MAP, ps->p++, ret_x));
    struct vtl_expr *x = *ret_x;
    if (take(ps, '}'))
        return ERR_OK;
    do {
        struct vtl_expr *item;
        TRY(vtl_parse_expr(ps, &item));
        TRY(vtl_args_add(ps, &x->items, &x->n, &cap, item));
        if (!take(ps, ':'))
            return vtl_parse_fail(ps, "':' is missing in a map");
        TRY(vtl_parse_expr(ps, &item));
        TRY(vtl_args_add(ps, &x->items, &x->n, &cap, item));
    } while (take(ps, ','));
    return take(ps, '}') ? ERR_OK : vtl_parse_fail(ps, "'}' is missing");
}

/* --- expressions ------------------------------------------------------------------------------ */

static enum err word(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    const char *from = ps->p;
    while (ps->p < ps->end && vtl_is_word(*ps->p))
        ps->p++;
    struct str text = str_n(from, (size_t)(ps->p - from));
    bool yes = str_eq_c(text, "true"), no = str_eq_c(text, "false");
    TRY(expr_new(ps, yes || no ? VTL_E_LITERAL : VTL_E_WORD, from, ret_x));
    (*ret_x)->value = yes || no ? vtl_bool(yes) : vtl_string(text);
    return ERR_OK;
}

static enum err reference(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    struct vtl_ref *ref;
    TRY(expr_new(ps, VTL_E_REF, ps->p, ret_x));
    TRY(vtl_parse_ref(ps, &ref));
    if (!ref)
        return vtl_parse_fail(ps, "a '$' without a name");
    (*ret_x)->ref = ref;
    return ERR_OK;
}

static enum err value(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    bool is_float;
    if (ps->p == ps->end)
        return vtl_parse_fail(ps, "a value is missing");
    size_t len = number_len(ps->p, ps->end, &is_float);
    if (len)
        return number(ps, len, is_float, ret_x);
    switch (*ps->p) {
    case '"':
    case '\'':
        return string(ps, ret_x);
    case '$':
        return reference(ps, ret_x);
    case '[':
        return list(ps, ret_x);
    case '{':
        return map(ps, ret_x);
    }
    return vtl_is_word_start(*ps->p) ? word(ps, ret_x) : vtl_parse_fail(ps, "a value is missing");
}

enum err vtl_parse_primary(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    vtl_skip_space(ps);
    const char *from = ps->p;
    TRY(vtl_parse_enter(ps));
    TRY(value(ps, ret_x));
    ps->depth--;
    (*ret_x)->literal = str_n(from, (size_t)(ps->p - from));
    return ERR_OK;
}

/* Operators by precedence, loosest first. Words stand alone. */
static const struct {
    const char *token;
    enum vtl_op op;
    int level;
} OPERATORS[] = {
    {"||", VTL_OR, 0}, {"or", VTL_OR, 0}, {"&&", VTL_AND, 1}, {"and", VTL_AND, 1},
    {"==", VTL_EQ, 2}, {"eq", VTL_EQ, 2}, {"!=", VTL_NE, 2},  {"ne", VTL_NE, 2},
    {"<=", VTL_LE, 3}, {"le", VTL_LE, 3}, {"<", VTL_LT, 3},   {"lt", VTL_LT, 3},
    {">=", VTL_GE, 3}, {"ge", VTL_GE, 3}, {">", VTL_GT, 3},   {"gt", VTL_GT, 3},
    {"+", VTL_ADD, 4}, {"-", VTL_SUB, 4}, {"*", VTL_MUL, 5},  {"/", VTL_DIV, 5},
    {"%", VTL_MOD, 5},
};
enum { LEVELS = 6 };

static bool take_token(struct vtl_parser *ps, const char *token)
{
    struct str rest = str_n(ps->p, (size_t)(ps->end - ps->p));
    size_t len = strlen(token);
    if (!str_starts(rest, str_c(token)))
        return false;
    if (vtl_is_word_start(*token) && rest.len > len && vtl_is_word(rest.p[len]))
        return false;
    ps->p += len;
    return true;
}

static bool take_operator(struct vtl_parser *ps, int level, enum vtl_op *ret_op)
{
    vtl_skip_space(ps);
    for (size_t i = 0; i < ARRAY_LEN(OPERATORS); i++)
        if (OPERATORS[i].level == level && take_token(ps, OPERATORS[i].token)) {
            *ret_op = OPERATORS[i].op;
            return true;
        }
    return false;
}

static enum err operation(struct vtl_parser *ps, enum vtl_op op, const char *from,
                          struct vtl_expr *a, struct vtl_expr *b, struct vtl_expr **ret_x)
{
    struct vtl_expr *x;
    size_t cap = 0;
    TRY(expr_new(ps, VTL_E_OP, from, &x));
    x->op = op;
    TRY(vtl_args_add(ps, &x->items, &x->n, &cap, a));
    if (b)
        TRY(vtl_args_add(ps, &x->items, &x->n, &cap, b));
    x->literal = str_n(from, (size_t)(ps->p - from));
    *ret_x = x;
    return ERR_OK;
}

static enum err unary(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    vtl_skip_space(ps);
    const char *from = ps->p;
    if (take_token(ps, "!") || take_token(ps, "not")) {
        struct vtl_expr *inner;
        TRY(vtl_parse_enter(ps));
        TRY(unary(ps, &inner));
        ps->depth--;
        return operation(ps, VTL_NOT, from, inner, NULL, ret_x);
    }
    if (!take(ps, '(')) {
        TRY(vtl_parse_primary(ps, ret_x));
        return (*ret_x)->kind == VTL_E_WORD ? vtl_parse_fail(ps, "a word is no value") : ERR_OK;
    }
    TRY(vtl_parse_expr(ps, ret_x));
    return take(ps, ')') ? ERR_OK : vtl_parse_fail(ps, "')' is missing");
}

static enum err binary(struct vtl_parser *ps, int level, struct vtl_expr **ret_x)
{
    enum vtl_op op;
    if (level == LEVELS)
        return unary(ps, ret_x);
    vtl_skip_space(ps);
    const char *from = ps->p;
    TRY(binary(ps, level + 1, ret_x));
    for (unsigned n = 0; take_operator(ps, level, &op); n++) {
        struct vtl_expr *b;
        if (n == VTL_ARGUMENTS_MAX) /* the tree leans to the left, and is walked by recursion */
            return vtl_parse_fail(ps, "too many operators in one expression");
        TRY(binary(ps, level + 1, &b));
        TRY(operation(ps, op, from, *ret_x, b, ret_x));
    }
    return ERR_OK;
}

enum err vtl_parse_expr(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    TRY(vtl_parse_enter(ps));
    TRY(binary(ps, 0, ret_x));
    ps->depth--;
    return ERR_OK;
}
