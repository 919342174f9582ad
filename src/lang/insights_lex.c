/* Tokens of a query, and what is said where one is not expected. */
#include "lang/insights_int.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '@' || c == '.' || c == '$' || (unsigned char)c >= 0x80;
}

enum err ins_fault(struct ins_parser *p, size_t from, size_t to, const char *fmt, ...)
{
    size_t line = 1, column = 1;
    va_list ap;
    va_start(ap, fmt);
    struct str what = str_vfmt(p->a, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < from && i < p->text.len; i++, column++)
        if (p->text.p[i] == '\n') {
            line++;
            column = 0;
        }
    p->fault->from = from;
    p->fault->to = to;
    p->fault->message =
        str_fmt(p->a, STR_FMT " at line %zu and position %zu", STR_ARG(what), line, column);
    return str_is_set(what) && str_is_set(p->fault->message) ? ERR_INVALID : ERR_NOMEM;
}

enum err ins_unexpected(struct ins_parser *p)
{
    if (p->token.kind == INS_END)
        return ins_fault(p, p->token.from, p->token.to, "unexpected end of query found");
    return ins_fault(
        p, p->token.from, p->token.to, "unexpected symbol found " STR_FMT,
        STR_ARG(str_sub(p->text, p->token.from, min_size(p->token.to - p->token.from, 100))));
}

/* Blanks, and comments, which end with their line. */
static void skip(struct ins_parser *p)
{
    while (p->at < p->text.len) {
        if (p->text.p[p->at] == '#')
            while (p->at < p->text.len && p->text.p[p->at] != '\n')
                p->at++;
        else if (is_space(p->text.p[p->at]))
            p->at++;
        else
            return;
    }
}

/* Up to the closing mark; a backslash takes the next byte as it is. */
static enum err quoted(struct ins_parser *p, char mark)
{
    char *out = arena_alloc(p->a, p->text.len - p->at);
    size_t n = 0, i = p->at + 1;
    if (!out)
        return ERR_NOMEM;
    for (; i < p->text.len && p->text.p[i] != mark; i++) {
        if (p->text.p[i] == '\\' && i + 1 < p->text.len && mark != '`') {
            char c = p->text.p[i + 1];
            if (c == mark || c == '\\')
                i++;
            else if (c == 'n' || c == 't') {
                out[n++] = c == 'n' ? '\n' : '\t';
                i++;
                continue;
            }
        }
        out[n++] = p->text.p[i];
    }
    if (i >= p->text.len)
        return ins_fault(p, p->at, p->text.len, "unexpected symbol found %c", mark);
    p->token.text = str_n(out, n);
    p->at = i + 1;
    return ERR_OK;
}

/* "10", "1.5", "1e6"; a unit may follow without a blank, and is a name of its own. */
static void digits(struct ins_parser *p)
{
    size_t i = p->at;
    while (i < p->text.len && is_digit(p->text.p[i]))
        i++;
    if (i + 1 < p->text.len && p->text.p[i] == '.' && is_digit(p->text.p[i + 1])) {
        i++;
        while (i < p->text.len && is_digit(p->text.p[i]))
            i++;
    }
    if (i + 1 < p->text.len && (p->text.p[i] == 'e' || p->text.p[i] == 'E') &&
        is_digit(p->text.p[i + 1])) {
        i++;
        while (i < p->text.len && is_digit(p->text.p[i]))
            i++;
    }
    p->token.text = str_sub(p->text, p->at, i - p->at);
    p->at = i;
}

static size_t symbol_len(struct str rest)
{
    static const char *const twos[] = {"<=", ">=", "!=", "=~", "=="};
    for (size_t i = 0; i < ARRAY_LEN(twos); i++)
        if (str_starts(rest, str_c(twos[i])))
            return 2;
    return 1;
}

enum err ins_next(struct ins_parser *p)
{
    p->before = p->token.to;
    skip(p);
    p->token = (struct ins_token){.from = p->at};
    char c = p->at < p->text.len ? p->text.p[p->at] : '\0';
    if (p->at == p->text.len) {
        p->token.kind = INS_END;
    } else if (c == '"' || c == '\'' || c == '`') {
        p->token.kind = c == '`' ? INS_QUOTED_NAME : INS_STRING;
        TRY(quoted(p, c));
    } else if (is_digit(c)) {
        p->token.kind = INS_DIGITS;
        digits(p);
    } else if (is_name(c)) {
        size_t i = p->at;
        while (i < p->text.len && is_name(p->text.p[i]))
            i++;
        p->token.kind = INS_NAME;
        p->token.text = str_sub(p->text, p->at, i - p->at);
        p->at = i;
    } else {
        p->token.kind = INS_SYMBOL;
        p->token.text = str_sub(p->text, p->at, symbol_len(str_sub(p->text, p->at, SIZE_MAX)));
        p->at += p->token.text.len;
    }
    p->token.to = p->at;
    return ERR_OK;
}

bool ins_is_symbol(const struct ins_parser *p, const char *symbol)
{
    return p->token.kind == INS_SYMBOL && str_eq_c(p->token.text, symbol);
}

bool ins_is_word(const struct ins_parser *p, const char *word)
{
    return p->token.kind == INS_NAME && str_eq_nocase(p->token.text, str_c(word));
}

enum err ins_take(struct ins_parser *p, const char *what, bool *ret_taken)
{
    *ret_taken = ins_is_symbol(p, what) || ins_is_word(p, what);
    return *ret_taken ? ins_next(p) : ERR_OK;
}

enum err ins_need(struct ins_parser *p, const char *what)
{
    bool taken;
    TRY(ins_take(p, what, &taken));
    return taken ? ERR_OK : ins_unexpected(p);
}

enum err ins_take_regex(struct ins_parser *p, const struct regex **ret_re)
{
    size_t from = p->token.from, i = from + 1, n = 0;
    char *out = arena_alloc(p->a, p->text.len);
    if (!out)
        return ERR_NOMEM;
    for (; i < p->text.len && p->text.p[i] != '/'; i++) {
        if (p->text.p[i] == '\\' && i + 1 < p->text.len) {
            if (p->text.p[i + 1] != '/')
                out[n++] = '\\';
            i++;
        }
        out[n++] = p->text.p[i];
    }
    if (i >= p->text.len)
        return ins_unexpected(p);
    p->at = p->token.to = i + 1;
    enum err err = regex_compile(p->a, str_n(out, n), ret_re);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return ins_fault(p, from, i + 1, "invalid regular expression found");
    TRY(err);
    return ins_next(p);
}
