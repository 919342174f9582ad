/* Filter patterns: what all kinds share, and terms. See filter.h. */
#include "lang/filter.h"

#include <assert.h>

#include "lang/filter_int.h"

/* AWS's words; the character is that of a term which must stand in quotation marks. */
static enum err bad_character(struct arena *a, char c, struct str *ret_why)
{
    *ret_why = str_fmt(a, "Invalid character(s) in term '%c'", c);
    return str_is_set(*ret_why) ? ERR_INVALID : ERR_NOMEM;
}

/* Cuts the next term off *rest: a quoted phrase, a regular expression, or up to white space. */
static enum err next_term(struct arena *a, struct filter *f, struct str *rest,
                          struct filter_term *t, struct str *ret_why)
{
    static const char quoted_only[] = ":,()[]{}\"'`*\\?&|!<>%";
    size_t end = 0;
    if (rest->len && rest->p[0] == '%') {
        enum err err = filter_take_regex(a, f, rest, &t->regex);
        if (err == ERR_INVALID)
            *ret_why = STR("Invalid character(s) in term");
        return err;
    }
    if (rest->len && rest->p[0] == '"') {
        TRY(filter_take_quoted(a, rest, &t->text));
        return t->text.len ? ERR_OK : ERR_INVALID;
    }
    for (; end < rest->len && !strchr(" \t\r\n", rest->p[end]); end++)
        if (strchr(quoted_only, rest->p[end]))
            return bad_character(a, rest->p[end], ret_why);
    t->text = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end, SIZE_MAX);
    return t->text.len ? ERR_OK : ERR_INVALID;
}

static enum err parse_terms(struct arena *a, struct str rest, struct filter *f, struct str *ret_why)
{
    f->terms = ARENA_ARRAY(a, struct filter_term, FILTER_TERMS_MAX);
    if (!f->terms)
        return ERR_NOMEM;
    for (rest = str_trim(rest); rest.len; rest = str_trim(rest)) {
        struct filter_term t = {.kind = '+'};
        if (f->n == FILTER_TERMS_MAX)
            return ERR_LIMIT;
        if (rest.p[0] == '?' || rest.p[0] == '-') {
            t.kind = rest.p[0];
            rest = str_sub(rest, 1, SIZE_MAX);
        }
        TRY(next_term(a, f, &rest, &t, ret_why));
        f->any_optional = f->any_optional || t.kind == '?';
        f->terms[f->n++] = t;
    }
    return ERR_OK;
}

static enum err match_terms(const struct filter *f, struct str message, bool *ret_match)
{
    bool optional = false;
    *ret_match = false;
    for (size_t i = 0; i < f->n; i++) {
        bool found;
        if (f->terms[i].regex)
            TRY(filter_regex_found(f->terms[i].regex, message, &found));
        else
            found = str_find_str(message, f->terms[i].text) != SIZE_MAX;
        if (found ? f->terms[i].kind == '-' : f->terms[i].kind == '+')
            return ERR_OK;
        assert(strchr("+-?", f->terms[i].kind));
        optional = optional || (found && f->terms[i].kind == '?');
    }
    *ret_match = optional || !f->any_optional;
    return ERR_OK;
}

static enum err parse(struct arena *a, struct str text, struct filter *ret, struct str *ret_why)
{
    char first = text.len ? text.p[0] : '\0', last = text.len ? text.p[text.len - 1] : '\0';
    if (str_eq_c(text, "\"\"")) /* matches all, too */
        return ERR_OK;
    if (first != '{' && first != '[')
        return parse_terms(a, text, ret, ret_why);
    if (first == '{' && last != '}') {
        *ret_why = STR("If a filter pattern starts with '{' it must end with '}'");
        return ERR_INVALID;
    }
    if (first == '[' && last != ']') {
        *ret_why = STR("If a filter pattern starts with '[' it must end with ']'");
        return ERR_INVALID;
    }
    ret->kind = first == '{' ? FILTER_JSON : FILTER_COLUMNS;
    return first == '{' ? filter_parse_json(a, text, ret) : filter_parse_columns(a, text, ret);
}

enum err filter_parse(struct arena *a, struct str pattern, struct filter *ret, struct str *ret_why)
{
    struct str why = STR("Invalid filter pattern");
    *ret = (struct filter){.rest = SIZE_MAX};
    enum err err = parse(a, str_trim(pattern), ret, &why);
    if (err && ret_why)
        *ret_why = why;
    return err;
}

/* --- tests -------------------------------------------------------------------------------------- */

static bool compare(enum filter_test_op op, double a, double b)
{
    switch (op) {
    case FILTER_TEST_EQ:
        return a == b;
    case FILTER_TEST_NE:
        return a != b;
    case FILTER_TEST_LT:
        return a < b;
    case FILTER_TEST_LE:
        return a <= b;
    case FILTER_TEST_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static enum err test_text(const struct filter_node *t, struct str value, bool *ret_yes)
{
    double number;
    if (t->regex) {
        TRY(filter_regex_found(t->regex, value, ret_yes));
        *ret_yes = *ret_yes == (t->op == FILTER_TEST_EQ);
    } else if (t->is_number && str_to_f64(value, &number) == ERR_OK) {
        *ret_yes = compare(t->op, number, t->number);
    } else {
        bool equal = str_glob_star(t->text, value);
        *ret_yes = t->op == FILTER_TEST_EQ ? equal : t->op == FILTER_TEST_NE && !equal;
    }
    return ERR_OK;
}

static enum err test_json(const struct filter_node *t, const struct json *v, bool *ret_yes)
{
    bool truth = v && v->kind == JSON_BOOL && v->b;
    switch (t->op) {
    case FILTER_TEST_EXISTS:
        *ret_yes = v != NULL;
        return ERR_OK;
    case FILTER_TEST_ABSENT:
        *ret_yes = v == NULL;
        return ERR_OK;
    case FILTER_TEST_NULL:
        *ret_yes = v && v->kind == JSON_NULL;
        return ERR_OK;
    case FILTER_TEST_TRUE:
        *ret_yes = truth;
        return ERR_OK;
    case FILTER_TEST_FALSE:
        *ret_yes = v && v->kind == JSON_BOOL && !truth;
        return ERR_OK;
    default:
        *ret_yes = false;
        return v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER)
                   ? test_text(t, v->text, ret_yes)
                   : ERR_OK;
    }
}

static enum err holds(const struct filter *f, const struct filter_node *n,
                      const struct filter_parts *parts, bool *ret_yes)
{
    if (n->kind == '&' || n->kind == '|') {
        TRY(holds(f, n->left, parts, ret_yes));
        return *ret_yes == (n->kind == '|') ? ERR_OK : holds(f, n->right, parts, ret_yes);
    }
    if (f->kind == FILTER_JSON)
        return test_json(n, filter_select(n->selector, parts->json), ret_yes);
    struct str value = parts->fields[n->column];
    *ret_yes = false;
    return str_is_set(value) ? test_text(n, value, ret_yes) : ERR_OK;
}

enum err filter_matches(const struct filter *f, struct arena *a, struct str message,
                        struct filter_parts *ret_parts, bool *ret_match)
{
    struct filter_parts parts = {0};
    *ret_match = false;
    if (ret_parts)
        *ret_parts = parts;
    if (f->kind == FILTER_TERMS)
        return match_terms(f, message, ret_match);
    if (f->kind == FILTER_JSON) {
        enum err err = json_parse(a, message, &parts.json, NULL);
        if (err)
            return err == ERR_NOMEM ? err : ERR_OK;
    } else {
        bool fits;
        TRY(filter_split(f, a, message, &parts.fields, &fits));
        if (!fits)
            return ERR_OK;
    }
    if (ret_parts)
        *ret_parts = parts;
    *ret_match = true;
    return f->root ? holds(f, f->root, &parts, ret_match) : ERR_OK;
}

/* --- extraction --------------------------------------------------------------------------------- */

enum err filter_extract_parse(struct arena *a, const struct filter *f, struct str text,
                              struct filter_extract *ret)
{
    *ret = (struct filter_extract){.column = f->kind == FILTER_COLUMNS};
    if (!str_starts(text, STR("$")))
        return ERR_INVALID;
    if (f->kind == FILTER_JSON)
        return filter_parse_selector(a, text, &ret->selector);
    for (size_t i = 0; i < f->n_columns; i++)
        if (str_eq(f->columns[i], str_sub(text, 1, SIZE_MAX))) {
            ret->at = i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

struct str filter_extract_text(const struct filter_extract *x, const struct filter_parts *parts)
{
    if (x->column)
        return parts->fields ? parts->fields[x->at] : STR_NONE;
    const struct json *v = filter_select(&x->selector, parts->json);
    return v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) ? v->text : STR_NONE;
}
