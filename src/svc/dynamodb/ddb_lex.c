#include "svc/dynamodb/ddb_lex.h"

#include <assert.h>

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_word_start(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Length of the UTF-8 character at s[i]. */
static size_t character_len(struct str s, size_t i)
{
    size_t n = 1;
    while (i + n < s.len && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Length of the token at s[i]. */
static size_t token_len(struct str s, size_t i, enum ddb_token_kind *ret_kind)
{
    char c = s.p[i];
    char after = i + 1 < s.len ? s.p[i + 1] : '\0';
    size_t n = 1;
    if (is_word_start(c) || ((c == '#' || c == ':') && is_word(after))) {
        *ret_kind = c == '#' ? TOKEN_NAME : c == ':' ? TOKEN_VALUE : TOKEN_WORD;
        while (i + n < s.len && is_word(s.p[i + n]))
            n++;
        return n;
    }
    if (c >= '0' && c <= '9') {
        *ret_kind = TOKEN_NUMBER;
        while (i + n < s.len && s.p[i + n] >= '0' && s.p[i + n] <= '9')
            n++;
        return n;
    }
    *ret_kind = TOKEN_SIGN;
    if ((c == '<' && (after == '=' || after == '>')) || (c == '>' && after == '='))
        return 2;
    if (c && strchr("()[].,+-=<>", c))
        return 1;
    *ret_kind = TOKEN_BAD;
    return character_len(s, i);
}

enum err ddb_parse_error(struct ddb_parser *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str msg = str_vfmt(p->arena, fmt, ap);
    va_end(ap);
    if (!str_is_set(msg))
        return ERR_NOMEM;
    return ddb_invalid(p->diag, "Invalid %s: " STR_FMT, p->kind, STR_ARG(msg));
}

/* AWS quotes the token and its neighbours on both sides as they stand in the text. */
enum err ddb_syntax_error(struct ddb_parser *p)
{
    const struct ddb_token *t = ddb_token(p);
    const struct ddb_token *before = p->pos ? t - 1 : t;
    const struct ddb_token *after = t->kind == TOKEN_END     ? before
                                    : t[1].kind == TOKEN_END ? t
                                                             : t + 1;
    const char *from = before->text.p;
    const char *to = after->text.p + after->text.len;
    struct str token = t->kind == TOKEN_END ? STR("<EOF>") : t->text;
    return ddb_parse_error(p, "Syntax error; token: \"" STR_FMT "\", near: \"" STR_FMT "\"",
                           STR_ARG(token), STR_ARG(str_n(from, (size_t)(to - from))));
}

enum err ddb_parser_init(struct ddb_parser *p, struct ddb_env *env, const char *kind,
                         struct str text)
{
    *p = (struct ddb_parser){
        .env = env, .diag = env->diag, .arena = env->diag->arena, .kind = kind, .text = text};
    if (text.len > DDB_EXPR_BYTES_MAX)
        return ddb_parse_error(p,
                               "Expression size has exceeded the maximum allowed size; "
                               "expression size: %zu",
                               text.len);
    p->tokens = ARENA_ARRAY(p->arena, struct ddb_token, text.len + 1);
    if (!p->tokens)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < text.len;) {
        if (is_space(text.p[i])) {
            i++;
            continue;
        }
        enum ddb_token_kind token;
        size_t len = token_len(text, i, &token);
        p->tokens[n++] = (struct ddb_token){token, str_sub(text, i, len)};
        i += len;
    }
    assert(n <= text.len); /* a token has a byte at least; one place is left for the end */
    p->tokens[n] = (struct ddb_token){TOKEN_END, str_n(text.p + text.len, 0)};
    if (n == 0)
        return ddb_parse_error(p, "The expression can not be empty;");
    return ERR_OK;
}

bool ddb_token_is(const struct ddb_token *t, const char *text)
{
    if (t->kind == TOKEN_SIGN)
        return str_eq_c(t->text, text);
    return t->kind == TOKEN_WORD && str_eq_nocase(t->text, str_c(text));
}

bool ddb_accept(struct ddb_parser *p, const char *text)
{
    if (!ddb_token_is(ddb_token(p), text))
        return false;
    p->pos++;
    return true;
}

enum err ddb_expect(struct ddb_parser *p, const char *text)
{
    return ddb_accept(p, text) ? ERR_OK : ddb_syntax_error(p);
}

enum err ddb_count_operator(struct ddb_parser *p)
{
    if (++p->operators > DDB_EXPR_OPERATORS_MAX)
        return ddb_parse_error(p,
                               "The expression contains too many operators; operator count: "
                               "%zu",
                               p->operators);
    return ERR_OK;
}
