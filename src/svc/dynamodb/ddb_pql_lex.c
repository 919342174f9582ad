/* Tokens, names, paths and literals of statements. */
#include <assert.h>

#include "svc/dynamodb/ddb_num.h"
#include "svc/dynamodb/ddb_pql_int.h"

enum err ddb_pql_error(struct pql *p, const char *message)
{
    return ddb_invalid(p->diag, "Statement wasn't well formed, can't be processed: %s", message);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char byte_at(const struct pql *p, size_t at)
{
    return at < p->text.len ? p->text.p[at] : '\0';
}

/* White space and comments. */
static enum err skip_space(struct pql *p)
{
    for (;;) {
        char c = byte_at(p, p->at), d = byte_at(p, p->at + 1);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            p->at++;
        } else if (c == '-' && d == '-') {
            while (p->at < p->text.len && p->text.p[p->at] != '\n')
                p->at++;
        } else if (c == '/' && d == '*') {
            size_t end = str_find_str(str_sub(p->text, p->at + 2, SIZE_MAX), STR("*/"));
            if (end == SIZE_MAX)
                return ddb_pql_error(p, "");
            p->at += 2 + end + 2;
        } else {
            return ERR_OK;
        }
    }
}

/* 'text' or "name"; two quotes in it stand for one. */
static enum err quoted(struct pql *p, char quote)
{
    struct buf b;
    buf_init_arena(&b, p->arena, p->text.len + 1);
    for (size_t i = p->at + 1; i < p->text.len; i++) {
        if (p->text.p[i] == quote) {
            if (byte_at(p, i + 1) != quote) {
                p->at = i + 1;
                p->kind = quote == '"' ? PQL_QUOTED : PQL_STRING;
                p->token = b.len ? buf_str(&b) : STR("");
                return buf_err(&b);
            }
            i++;
        }
        buf_add_byte(&b, p->text.p[i]);
    }
    return ddb_pql_error(p, "");
}

static size_t number_len(const struct pql *p)
{
    size_t i = p->at;
    while (is_digit(byte_at(p, i)))
        i++;
    if (byte_at(p, i) == '.')
        for (i++; is_digit(byte_at(p, i));)
            i++;
    size_t exp = i;
    if (byte_at(p, i) == 'e' || byte_at(p, i) == 'E') {
        i++;
        if (byte_at(p, i) == '+' || byte_at(p, i) == '-')
            i++;
        if (!is_digit(byte_at(p, i)))
            return exp - p->at;
        while (is_digit(byte_at(p, i)))
            i++;
    }
    return i - p->at;
}

static size_t sign_len(const struct pql *p)
{
    static const char *const two[] = {"<=", ">=", "<>", "!=", "<<", ">>"};
    struct str rest = str_sub(p->text, p->at, 2);
    for (size_t i = 0; i < ARRAY_LEN(two); i++)
        if (str_eq_c(rest, two[i]))
            return 2;
    return rest.p[0] && strchr("()[]{},.:*=<>+-?", rest.p[0]) ? 1 : 0;
}

enum err ddb_pql_next(struct pql *p)
{
    TRY(skip_space(p));
    char c = byte_at(p, p->at);
    size_t len = 0;
    if (p->at >= p->text.len) {
        p->kind = PQL_END;
        p->token = STR("");
        return ERR_OK;
    }
    if (c == '\'' || c == '"')
        return quoted(p, c);
    if (is_letter(c)) {
        p->kind = PQL_WORD;
        while (is_letter(byte_at(p, p->at + len)) || is_digit(byte_at(p, p->at + len)))
            len++;
    } else if (is_digit(c)) {
        p->kind = PQL_NUMBER;
        len = number_len(p);
    } else {
        len = sign_len(p);
        p->kind = c == '?' ? PQL_PARAM : PQL_SIGN;
    }
    if (len == 0)
        return ddb_pql_error(p, "");
    p->token = str_sub(p->text, p->at, len);
    p->at += len;
    return ERR_OK;
}

bool ddb_pql_is(const struct pql *p, const char *text)
{
    if (p->kind == PQL_SIGN)
        return str_eq_c(p->token, text);
    return p->kind == PQL_WORD && str_eq_nocase(p->token, str_c(text));
}

enum err ddb_pql_accept(struct pql *p, const char *text, bool *ret_was)
{
    *ret_was = ddb_pql_is(p, text);
    return *ret_was ? ddb_pql_next(p) : ERR_OK;
}

enum err ddb_pql_expect(struct pql *p, const char *text)
{
    if (ddb_pql_is(p, text))
        return ddb_pql_next(p);
    return ddb_pql_error(p,
                         p->kind == PQL_END ? "Unexpected end of statement" : "Unexpected token");
}

enum err ddb_pql_deeper(struct pql *p)
{
    return ++p->depth > DDB_PQL_DEPTH_MAX ? ddb_pql_error(p, "Statement is nested too deeply")
                                          : ERR_OK;
}

/* --- names and paths -------------------------------------------------------------------------- */

static bool is_keyword(const struct pql *p)
{
    static const char *const words[] = {
        "SELECT", "FROM", "WHERE", "AND",       "OR",      "NOT",    "IN",     "BETWEEN",
        "IS",     "SET",  "ORDER", "RETURNING", "REMOVE",  "INSERT", "UPDATE", "DELETE",
        "EXISTS", "INTO", "VALUE", "NULL",      "MISSING", "TRUE",   "FALSE",  "BY"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (ddb_pql_is(p, words[i]))
            return true;
    return false;
}

enum err ddb_pql_name(struct pql *p, struct str *ret_name)
{
    if (p->kind != PQL_QUOTED && (p->kind != PQL_WORD || is_keyword(p)))
        return ddb_pql_error(p, p->kind == PQL_END ? "Unexpected end of statement"
                                                   : "Unexpected token");
    if (str_empty(p->token))
        return ddb_invalid(p->diag, "Path component cannot be an empty string");
    *ret_name = p->token;
    return ddb_pql_next(p);
}

/* [12] or ['name'], behind the bracket. */
static enum err subscript(struct pql *p, struct ddb_step *step)
{
    if (p->kind == PQL_STRING && !str_empty(p->token)) {
        step->name = p->token;
    } else {
        if (p->kind != PQL_NUMBER || p->token.len > DDB_EXPR_INDEX_DIGITS)
            return ddb_pql_error(p, "Unexpected token");
        for (size_t i = 0; i < p->token.len; i++) {
            if (!is_digit(p->token.p[i]))
                return ddb_pql_error(p, "Unexpected token");
            step->index = step->index * 10 + (uint32_t)(p->token.p[i] - '0');
        }
    }
    TRY(ddb_pql_next(p));
    return ddb_pql_expect(p, "]");
}

enum err ddb_pql_path(struct pql *p, const struct ddb_path **ret_path)
{
    struct ddb_path *path = ARENA_NEW(p->arena, struct ddb_path);
    struct ddb_step *steps = ARENA_ARRAY(p->arena, struct ddb_step, DDB_DEPTH_MAX);
    bool dot, bracket;
    if (!path || !steps)
        return ERR_NOMEM;
    *path = (struct ddb_path){steps, 1};
    TRY(ddb_pql_name(p, &steps[0].name));
    for (;;) {
        TRY(ddb_pql_accept(p, ".", &dot));
        if (!dot)
            TRY(ddb_pql_accept(p, "[", &bracket));
        if (!dot && !bracket)
            break;
        if (path->n == DDB_DEPTH_MAX)
            return ddb_pql_error(p, "The document path has too many nesting elements");
        struct ddb_step *step = &steps[path->n++];
        if (dot)
            TRY(ddb_pql_name(p, &step->name));
        else
            TRY(subscript(p, step));
    }
    *ret_path = path;
    return ERR_OK;
}

/* --- literals --------------------------------------------------------------------------------- */

bool ddb_pql_at_literal(const struct pql *p)
{
    return p->kind == PQL_STRING || p->kind == PQL_NUMBER || p->kind == PQL_PARAM ||
           ddb_pql_is(p, "-") || ddb_pql_is(p, "[") || ddb_pql_is(p, "{") || ddb_pql_is(p, "<<") ||
           ddb_pql_is(p, "TRUE") || ddb_pql_is(p, "FALSE") || ddb_pql_is(p, "NULL");
}

static enum err put_literal(struct pql *p, struct buf *b);

static enum err take_param(struct pql *p, const struct json **ret)
{
    if (!p->param)
        return ddb_invalid(p->diag, "Number of parameters in request and statement don't match.");
    *ret = p->param;
    p->param = p->param->next;
    return ddb_pql_next(p);
}

static enum err put_number(struct pql *p, struct buf *b)
{
    bool minus;
    struct ddb_num num;
    TRY(ddb_pql_accept(p, "-", &minus));
    if (p->kind != PQL_NUMBER)
        return ddb_pql_error(p, "Unexpected token");
    enum ddb_num_fault fault = ddb_num_parse(p->token, &num);
    if (fault == DDB_NUM_SYNTAX)
        return ddb_pql_error(p, "");
    if (fault != DDB_NUM_OK)
        return ddb_invalid(p->diag, STR_FMT " under root",
                           STR_ARG(ddb_num_message(p->arena, fault, p->token)));
    buf_add_fmt(b, "{\"N\":\"%s" STR_FMT "\"}", minus ? "-" : "", STR_ARG(p->token));
    return ddb_pql_next(p);
}

/* [ literal, ... ], behind the bracket. */
static enum err put_list(struct pql *p, struct buf *b)
{
    bool more = true;
    BUF_ADD_LIT(b, "{\"L\":[");
    for (bool first = true; more && !(first && ddb_pql_is(p, "]")); first = false) {
        if (!first)
            buf_add_byte(b, ',');
        TRY(put_literal(p, b));
        TRY(ddb_pql_accept(p, ",", &more));
    }
    BUF_ADD_LIT(b, "]}");
    return ddb_pql_expect(p, "]");
}

static enum err put_map(struct pql *p, struct buf *b)
{
    bool more = true;
    BUF_ADD_LIT(b, "{\"M\":{");
    for (bool first = true; more && !(first && ddb_pql_is(p, "}")); first = false) {
        if (!first)
            buf_add_byte(b, ',');
        if (p->kind != PQL_STRING && p->kind != PQL_QUOTED)
            return ddb_pql_error(p, "Unexpected token");
        json_put_str(b, p->token);
        buf_add_byte(b, ':');
        TRY(ddb_pql_next(p));
        TRY(ddb_pql_expect(p, ":"));
        TRY(put_literal(p, b));
        TRY(ddb_pql_accept(p, ",", &more));
    }
    BUF_ADD_LIT(b, "}}");
    return ddb_pql_expect(p, "}");
}

/* One element of a set as JSON text; *type is that of the elements before, 0: none. */
static enum err put_element(struct pql *p, struct buf *b, enum ddb_type *type)
{
    struct buf one;
    struct json *v;
    buf_init_arena(&one, p->arena, DDB_PQL_LITERAL_BYTES_MAX);
    TRY(put_literal(p, &one));
    TRY(buf_err(&one));
    TRY(json_parse(p->arena, buf_str(&one), &v, NULL));
    const struct json *e = v->kind == JSON_OBJECT ? v->child : NULL;
    enum ddb_type t = e ? ddb_type_from_name(e->key) : (enum ddb_type)0;
    if (t < DDB_S || t > DDB_B || (*type && *type != t) || v->n != 1)
        return ddb_pql_error(p, "Sets hold strings, numbers or binary values of one type");
    *type = t;
    json_put(b, e);
    return ERR_OK;
}

static enum err put_set(struct pql *p, struct buf *b)
{
    struct buf elements;
    enum ddb_type type = (enum ddb_type)0;
    bool more = true;
    buf_init_arena(&elements, p->arena, DDB_PQL_LITERAL_BYTES_MAX);
    for (bool first = true; more; first = false) {
        if (!first)
            buf_add_byte(&elements, ',');
        TRY(put_element(p, &elements, &type));
        TRY(ddb_pql_accept(p, ",", &more));
    }
    TRY(buf_err(&elements));
    buf_add_fmt(b, "{\"" STR_FMT "S\":[", STR_ARG(ddb_type_name(type)));
    buf_add_str(b, buf_str(&elements));
    BUF_ADD_LIT(b, "]}");
    return ddb_pql_expect(p, ">>");
}

static enum err put_word(struct pql *p, struct buf *b, const char *json)
{
    buf_add_c(b, json);
    return ddb_pql_next(p);
}

static enum err put_literal(struct pql *p, struct buf *b)
{
    bool list = ddb_pql_is(p, "["), map = ddb_pql_is(p, "{"), set = ddb_pql_is(p, "<<");
    const struct json *param = NULL;
    TRY(buf_err(b));
    if (p->kind == PQL_PARAM) {
        TRY(take_param(p, &param));
        json_put(b, param);
        return ERR_OK;
    }
    if (p->kind == PQL_STRING) {
        BUF_ADD_LIT(b, "{\"S\":");
        json_put_str(b, p->token);
        return put_word(p, b, "}");
    }
    if (p->kind == PQL_NUMBER || ddb_pql_is(p, "-"))
        return put_number(p, b);
    if (ddb_pql_is(p, "TRUE") || ddb_pql_is(p, "FALSE"))
        return put_word(p, b, ddb_pql_is(p, "TRUE") ? "{\"BOOL\":true}" : "{\"BOOL\":false}");
    if (ddb_pql_is(p, "NULL"))
        return put_word(p, b, "{\"NULL\":true}");
    if (!list && !map && !set)
        return ddb_pql_error(p, p->kind == PQL_END ? "Unexpected end of statement"
                                                   : "Unexpected token");
    TRY(ddb_pql_deeper(p));
    TRY(ddb_pql_next(p));
    TRY(list ? put_list(p, b) : map ? put_map(p, b) : put_set(p, b));
    p->depth--;
    return ERR_OK;
}

enum err ddb_pql_literal(struct pql *p, struct ddb_av **ret_av)
{
    struct buf b;
    struct json *v;
    buf_init_arena(&b, p->arena, DDB_PQL_LITERAL_BYTES_MAX);
    TRY(put_literal(p, &b));
    TRY(buf_err(&b));
    enum err err = json_parse(p->arena, buf_str(&b), &v, NULL);
    if (err == ERR_INVALID)
        return ddb_pql_error(p, "");
    TRY(err);
    return ddb_av_from_json(p->diag, v, ret_av);
}
