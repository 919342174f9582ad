#include "svc/logs/filter.h"

#include <assert.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cuts one term off *rest, which does not start with white space. */
static enum err take_term(struct str *rest, struct logs_filter_term *t)
{
    assert(rest->len > 0 && !is_space(rest->p[0]));
    t->kind = '+';
    if (rest->p[0] == '?' || rest->p[0] == '-') {
        t->kind = rest->p[0];
        *rest = str_sub(*rest, 1, rest->len);
    }
    if (rest->len && rest->p[0] == '"') {
        size_t end = str_find(str_sub(*rest, 1, rest->len), '"');
        if (end == SIZE_MAX)
            return ERR_INVALID;
        t->text = str_sub(*rest, 1, end);
        *rest = str_sub(*rest, end + 2, rest->len);
    } else {
        size_t n = 0;
        while (n < rest->len && !is_space(rest->p[n]))
            n++;
        t->text = str_sub(*rest, 0, n);
        *rest = str_sub(*rest, n, rest->len);
    }
    return t->text.len ? ERR_OK : ERR_INVALID;
}

enum err logs_filter_parse(struct arena *a, struct str pattern, struct logs_filter *ret)
{
    struct logs_filter f = {0};
    struct str rest = str_trim(pattern);
    if (rest.len && (rest.p[0] == '{' || rest.p[0] == '[' || rest.p[0] == '%'))
        return ERR_UNSUPPORTED;
    f.terms = ARENA_ARRAY(a, struct logs_filter_term, LOGS_FILTER_TERMS_MAX);
    if (!f.terms)
        return ERR_NOMEM;
    if (str_eq(rest, STR("\"\""))) /* says "everything" too */
        rest = STR("");
    while (rest.len) {
        if (f.n == LOGS_FILTER_TERMS_MAX)
            return ERR_LIMIT;
        TRY(take_term(&rest, &f.terms[f.n]));
        f.any_optional |= f.terms[f.n].kind == '?';
        f.n++;
        rest = str_trim(rest);
    }
    assert(!f.any_optional || f.n > 0);
    *ret = f;
    return ERR_OK;
}

bool logs_filter_matches(const struct logs_filter *f, struct str message)
{
    bool optional = false;
    for (size_t i = 0; i < f->n; i++) {
        bool found = str_find_str(message, f->terms[i].text) != SIZE_MAX;
        if (f->terms[i].kind == '+' && !found)
            return false;
        if (f->terms[i].kind == '-' && found)
            return false;
        optional |= f->terms[i].kind == '?' && found;
    }
    return optional || !f->any_optional;
}
