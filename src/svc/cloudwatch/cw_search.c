/* See cw_search.h. */
#include "svc/cloudwatch/cw_search.h"

#include <assert.h>
#include <stdlib.h>

struct parser {
    struct arena *a;
    struct str rest;
    const char *why;
    int depth;
};

/* --- parsing ------------------------------------------------------------------------------------ */

static enum err fault(struct parser *p, const char *why)
{
    p->why = why;
    return ERR_INVALID;
}

static void skip(struct parser *p)
{
    while (p->rest.len > 0 && strchr(" \t\r\n", p->rest.p[0]))
        p->rest = str_sub(p->rest, 1, SIZE_MAX);
}

static bool take(struct parser *p, char c)
{
    skip(p);
    if (p->rest.len == 0 || p->rest.p[0] != c)
        return false;
    p->rest = str_sub(p->rest, 1, SIZE_MAX);
    return true;
}

/* The word at hand, up to what cannot be in one; `also` ends it, too. */
static struct str peek_word(struct parser *p, const char *also)
{
    size_t n = 0;
    skip(p);
    while (n < p->rest.len && p->rest.p[n] && !strchr(" \t\r\n(){}\"=", p->rest.p[n]) &&
           !strchr(also, p->rest.p[n]))
        n++;
    return str_sub(p->rest, 0, n);
}

/* A word, or what stands in quotation marks of either kind. */
static enum err take_text(struct parser *p, const char *also, struct str *ret, bool *ret_whole)
{
    char quote = 0;
    *ret_whole = false;
    skip(p);
    if (p->rest.len > 0 && (p->rest.p[0] == '"' || p->rest.p[0] == '\''))
        quote = p->rest.p[0];
    if (quote) {
        size_t end = str_find(str_sub(p->rest, 1, SIZE_MAX), quote);
        if (end == SIZE_MAX)
            return fault(p, "a quotation mark is missing in the search");
        *ret = str_sub(p->rest, 1, end);
        *ret_whole = true;
        p->rest = str_sub(p->rest, end + 2, SIZE_MAX);
        return ERR_OK;
    }
    *ret = peek_word(p, also);
    if (ret->len == 0)
        return fault(p, "something is missing in the search");
    p->rest = str_sub(p->rest, ret->len, SIZE_MAX);
    return ERR_OK;
}

static int by_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return str_cmp(*x, *y);
}

static enum err parse_schema(struct parser *p, struct cw_search *s)
{
    bool whole;
    if (!take(p, '{'))
        return ERR_OK;
    TRY(take_text(p, ",", &s->space, &whole));
    while (take(p, ',')) {
        if (s->n_dims == CW_SEARCH_DIMS_MAX)
            return fault(p, "the search has too many dimensions");
        TRY(take_text(p, ",", &s->dims[s->n_dims++], &whole));
    }
    qsort(s->dims, s->n_dims, sizeof(s->dims[0]), by_text);
    if (!take(p, '}'))
        return fault(p, "a closing brace is missing in the search");
    (void)take(p, ','); /* which older forms have here */
    return ERR_OK;
}

static enum err parse_or(struct parser *p, struct str property, struct cw_search_node **ret);

static enum err node(struct parser *p, enum cw_search_kind kind, struct cw_search_node *a,
                     struct cw_search_node *b, struct cw_search_node **ret)
{
    struct cw_search_node *n = ARENA_NEW(p->a, struct cw_search_node);
    if (!n)
        return ERR_NOMEM;
    *n = (struct cw_search_node){.kind = kind, .a = a, .b = b};
    *ret = n;
    return ERR_OK;
}

static enum err parse_group(struct parser *p, struct str property, struct cw_search_node **ret)
{
    if (++p->depth > CW_SEARCH_DEPTH_MAX)
        return fault(p, "the search is too deep");
    TRY(parse_or(p, property, ret));
    p->depth--;
    return take(p, ')') ? ERR_OK : fault(p, "a closing bracket is missing in the search");
}

static bool is_operator(struct str word)
{
    return str_eq_c(word, "AND") || str_eq_c(word, "OR") || str_eq_c(word, "NOT");
}

static enum err parse_term(struct parser *p, struct str property, struct cw_search_node **ret)
{
    struct str text;
    bool whole;
    if (take(p, '('))
        return parse_group(p, property, ret);
    TRY(take_text(p, "", &text, &whole));
    if (!whole && is_operator(text))
        return fault(p, "something is missing in the search");
    if (!str_is_set(property) && take(p, '=')) {
        if (take(p, '('))
            return parse_group(p, text, ret);
        property = text;
        TRY(take_text(p, "", &text, &whole));
    }
    TRY(node(p, CW_SEARCH_TERM, NULL, NULL, ret));
    (*ret)->property = property;
    (*ret)->text = text;
    (*ret)->whole = whole;
    return ERR_OK;
}

static bool take_operator(struct parser *p, const char *word)
{
    struct str w = peek_word(p, "");
    if (!str_eq_c(w, word))
        return false;
    p->rest = str_sub(p->rest, w.len, SIZE_MAX);
    return true;
}

static enum err parse_not(struct parser *p, struct str property, struct cw_search_node **ret)
{
    struct cw_search_node *inner;
    if (!take_operator(p, "NOT"))
        return parse_term(p, property, ret);
    if (++p->depth > CW_SEARCH_DEPTH_MAX)
        return fault(p, "the search is too deep");
    TRY(parse_not(p, property, &inner));
    p->depth--;
    return node(p, CW_SEARCH_NOT, inner, NULL, ret);
}

static bool at_end(struct parser *p)
{
    skip(p);
    return p->rest.len == 0 || p->rest.p[0] == ')' || str_eq_c(peek_word(p, ""), "OR");
}

static enum err parse_and(struct parser *p, struct str property, struct cw_search_node **ret)
{
    struct cw_search_node *right;
    TRY(parse_not(p, property, ret));
    while (take_operator(p, "AND") || !at_end(p)) {
        TRY(parse_not(p, property, &right));
        TRY(node(p, CW_SEARCH_AND, *ret, right, ret));
    }
    return ERR_OK;
}

static enum err parse_or(struct parser *p, struct str property, struct cw_search_node **ret)
{
    struct cw_search_node *right;
    TRY(parse_and(p, property, ret));
    while (take_operator(p, "OR")) {
        TRY(parse_and(p, property, &right));
        TRY(node(p, CW_SEARCH_OR, *ret, right, ret));
    }
    return ERR_OK;
}

enum err cw_search_parse(struct arena *a, struct str text, struct cw_search *ret,
                         const char **ret_why)
{
    struct parser p = {.a = a, .rest = text};
    *ret = (struct cw_search){0};
    enum err err = text.len > CW_SEARCH_BYTES_MAX ? fault(&p, "the search is too long")
                                                  : parse_schema(&p, ret);
    skip(&p);
    if (err == ERR_OK && p.rest.len > 0)
        err = parse_or(&p, STR_NONE, &ret->root);
    if (err == ERR_OK && p.rest.len > 0)
        err = fault(&p, "something unexpected stands in the search");
    if (err == ERR_OK && !ret->root && !str_is_set(ret->space))
        err = fault(&p, "the search is empty");
    *ret_why = p.why;
    return err;
}

/* --- tokens ------------------------------------------------------------------------------------- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether between two characters of a text one token ends: "CustomCount1" is Custom, Count and 1; "SDBFailure"
 * is SDB and Failure. What is no letter of ASCII and no digit is in no token. */
static bool parts(char before, char c, char after)
{
    if (is_digit(before) != is_digit(c) || (is_lower(before) && is_upper(c)))
        return true;
    return is_upper(before) && is_upper(c) && is_lower(after);
}

static size_t tokens(struct str text, struct str out[CW_SEARCH_TOKENS_MAX])
{
    size_t n = 0;
    bool open = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (!is_upper(c) && !is_lower(c) && !is_digit(c)) {
            open = false;
            continue;
        }
        char after = i + 1 < text.len ? text.p[i + 1] : 0;
        if (open && !parts(text.p[i - 1], c, after)) {
            out[n - 1].len++;
            continue;
        }
        if (n == CW_SEARCH_TOKENS_MAX)
            return n;
        out[n++] = str_n(text.p + i, 1);
        open = true;
    }
    return n;
}

/* The tokens together are the same text, whatever its case and what stands between them. */
static bool same_whole(const struct str *x, size_t n_x, const struct str *y, size_t n_y)
{
    size_t i = 0, k = 0, at_i = 0, at_k = 0;
    while (i < n_x && k < n_y) {
        if (!str_eq_nocase(str_sub(x[i], at_i, 1), str_sub(y[k], at_k, 1)))
            return false;
        if (++at_i == x[i].len)
            i++, at_i = 0;
        if (++at_k == y[k].len)
            k++, at_k = 0;
    }
    return i == n_x && k == n_y && n_x > 0;
}

static bool has_part(struct str text, struct str word)
{
    struct str t[CW_SEARCH_TOKENS_MAX], w[CW_SEARCH_TOKENS_MAX];
    size_t n_t = tokens(text, t), n_w = tokens(word, w);
    if (n_w == 0)
        return false;
    for (size_t i = 0; i + n_w <= n_t; i++) {
        size_t k = 0;
        while (k < n_w && (n_w == 1 ? str_eq_nocase(t[i], w[0]) : str_eq(t[i + k], w[k])))
            k++;
        if (k == n_w)
            return true;
    }
    return same_whole(t, n_t, w, n_w);
}

/* --- matching ----------------------------------------------------------------------------------- */

static bool fits(const struct cw_search_node *n, struct str text)
{
    return n->whole ? str_eq(text, n->text) : has_part(text, n->text);
}

static bool term_matches(const struct cw_search_node *n, struct str account,
                         const struct cw_metric *m)
{
    bool any = !str_is_set(n->property);
    if (str_eq_c(n->property, ":aws.AccountId"))
        return str_eq_c(n->text, "LOCAL") || str_eq(n->text, account);
    if ((any || str_eq_c(n->property, "Namespace")) && fits(n, m->space))
        return true;
    if ((any || str_eq_c(n->property, "MetricName")) && fits(n, m->name))
        return true;
    for (size_t i = 0; i < m->n_dims; i++) {
        if (any && fits(n, m->dims[i].name))
            return true;
        if ((any || str_eq(n->property, m->dims[i].name)) && fits(n, m->dims[i].value))
            return true;
    }
    return false;
}

static bool node_matches(const struct cw_search_node *n, struct str account,
                         const struct cw_metric *m)
{
    switch (n->kind) {
    case CW_SEARCH_AND:
        return node_matches(n->a, account, m) && node_matches(n->b, account, m);
    case CW_SEARCH_OR:
        return node_matches(n->a, account, m) || node_matches(n->b, account, m);
    case CW_SEARCH_NOT:
        return !node_matches(n->a, account, m);
    default:
        assert(n->kind == CW_SEARCH_TERM);
        return term_matches(n, account, m);
    }
}

bool cw_search_matches(const struct cw_search *s, struct str account, const struct cw_metric *m)
{
    if (str_is_set(s->space)) {
        if (!str_eq(s->space, m->space) || s->n_dims != m->n_dims)
            return false;
        for (size_t i = 0; i < s->n_dims; i++)
            if (!str_eq(s->dims[i], m->dims[i].name))
                return false;
    }
    return !s->root || node_matches(s->root, account, m);
}
