/* Filter patterns: what all kinds share, and terms. See filter.h. */
#include "svc/logs/filter.h"

#include <assert.h>

#include "svc/logs/filter_int.h"

/* Cuts the next term off *rest: a quoted phrase, or up to white space. */
static enum err next_term(struct str *rest, struct str *ret_text)
{
    if (rest->len && rest->p[0] == '"') {
        struct str body = str_sub(*rest, 1, SIZE_MAX);
        size_t end = str_find(body, '"');
        if (end == SIZE_MAX)
            return ERR_INVALID;
        *ret_text = str_sub(body, 0, end);
        *rest = str_sub(body, end + 1, SIZE_MAX);
    } else {
        size_t end = 0;
        while (end < rest->len && !strchr(" \t\r\n", rest->p[end]))
            end++;
        *ret_text = str_sub(*rest, 0, end);
        *rest = str_sub(*rest, end, SIZE_MAX);
    }
    return ret_text->len ? ERR_OK : ERR_INVALID;
}

static enum err parse_terms(struct arena *a, struct str rest, struct logs_filter *f)
{
    f->terms = ARENA_ARRAY(a, struct logs_filter_term, LOGS_FILTER_TERMS_MAX);
    if (!f->terms)
        return ERR_NOMEM;
    for (rest = str_trim(rest); rest.len; rest = str_trim(rest)) {
        struct logs_filter_term t = {.kind = '+'};
        if (f->n == LOGS_FILTER_TERMS_MAX)
            return ERR_LIMIT;
        if (rest.p[0] == '?' || rest.p[0] == '-') {
            t.kind = rest.p[0];
            rest = str_sub(rest, 1, SIZE_MAX);
        }
        TRY(next_term(&rest, &t.text));
        f->any_optional = f->any_optional || t.kind == '?';
        f->terms[f->n++] = t;
    }
    return ERR_OK;
}

static bool match_terms(const struct logs_filter *f, struct str message)
{
    bool optional = false;
    for (size_t i = 0; i < f->n; i++) {
        bool found = str_find_str(message, f->terms[i].text) != SIZE_MAX;
        switch (f->terms[i].kind) {
        case '+':
            if (!found)
                return false;
            break;
        case '-':
            if (found)
                return false;
            break;
        default:
            assert(f->terms[i].kind == '?');
            optional = optional || found;
        }
    }
    return optional || !f->any_optional;
}

enum err logs_filter_parse(struct arena *a, struct str pattern, struct logs_filter *ret)
{
    struct str text = str_trim(pattern);
    *ret = (struct logs_filter){.rest = SIZE_MAX};
    if (str_eq_c(text, "\"\"")) /* matches all, too */
        return ERR_OK;
    if (text.len && (text.p[0] == '%' || text.p[text.len - 1] == '%'))
        return ERR_UNSUPPORTED;
    if (text.len && text.p[0] == '{') {
        ret->kind = LOGS_FILTER_JSON;
        return filter_parse_json(a, text, ret);
    }
    if (text.len && text.p[0] == '[') {
        ret->kind = LOGS_FILTER_COLUMNS;
        return filter_parse_columns(a, text, ret);
    }
    return parse_terms(a, text, ret);
}

/* --- tests -------------------------------------------------------------------------------------- */

static bool compare(enum logs_test_op op, double a, double b)
{
    switch (op) {
    case LOGS_TEST_EQ:
        return a == b;
    case LOGS_TEST_NE:
        return a != b;
    case LOGS_TEST_LT:
        return a < b;
    case LOGS_TEST_LE:
        return a <= b;
    case LOGS_TEST_GT:
        return a > b;
    default:
        return a >= b;
    }
}

bool filter_test_text(const struct logs_filter_node *t, struct str value)
{
    double number;
    if (t->is_number && str_to_f64(value, &number) == ERR_OK)
        return compare(t->op, number, t->number);
    if (t->op == LOGS_TEST_EQ)
        return str_glob_star(t->text, value);
    return t->op == LOGS_TEST_NE && !str_glob_star(t->text, value);
}

static bool test_json(const struct logs_filter_node *t, const struct json *v)
{
    switch (t->op) {
    case LOGS_TEST_EXISTS:
        return v != NULL;
    case LOGS_TEST_ABSENT:
        return v == NULL;
    case LOGS_TEST_NULL:
        return v && v->kind == JSON_NULL;
    case LOGS_TEST_TRUE:
        return v && v->kind == JSON_BOOL && v->b;
    case LOGS_TEST_FALSE:
        return v && v->kind == JSON_BOOL && !v->b;
    default:
        return v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) &&
               filter_test_text(t, v->text);
    }
}

static bool holds(const struct logs_filter *f, const struct logs_filter_node *n,
                  const struct logs_parts *parts)
{
    if (n->kind == '&')
        return holds(f, n->left, parts) && holds(f, n->right, parts);
    if (n->kind == '|')
        return holds(f, n->left, parts) || holds(f, n->right, parts);
    if (f->kind == LOGS_FILTER_JSON)
        return test_json(n, filter_select(n->selector, parts->json));
    struct str value = parts->fields[n->column];
    return str_is_set(value) && filter_test_text(n, value);
}

enum err logs_filter_matches(const struct logs_filter *f, struct arena *a, struct str message,
                             struct logs_parts *ret_parts, bool *ret_match)
{
    struct logs_parts parts = {0};
    *ret_match = false;
    if (ret_parts)
        *ret_parts = parts;
    if (f->kind == LOGS_FILTER_TERMS) {
        *ret_match = match_terms(f, message);
        return ERR_OK;
    }
    if (f->kind == LOGS_FILTER_JSON) {
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
    *ret_match = !f->root || holds(f, f->root, &parts);
    return ERR_OK;
}

/* --- extraction --------------------------------------------------------------------------------- */

enum err logs_extract_parse(struct arena *a, const struct logs_filter *f, struct str text,
                            struct logs_extract *ret)
{
    *ret = (struct logs_extract){.column = f->kind == LOGS_FILTER_COLUMNS};
    if (!str_starts(text, STR("$")))
        return ERR_INVALID;
    if (f->kind == LOGS_FILTER_JSON)
        return filter_parse_selector(a, text, &ret->selector);
    for (size_t i = 0; i < f->n_columns; i++)
        if (str_eq(f->columns[i], str_sub(text, 1, SIZE_MAX))) {
            ret->at = i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

struct str logs_extract_text(const struct logs_extract *x, const struct logs_parts *parts)
{
    if (x->column)
        return parts->fields ? parts->fields[x->at] : STR_NONE;
    const struct json *v = filter_select(&x->selector, parts->json);
    return v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) ? v->text : STR_NONE;
}
