/* Filters of ListUsers. Layer: svc/cognito. Thread: pure. */
#include "svc/cognito/cognito_filter.h"

/* What a filter may ask for. */
static const char *const attributes[] = {
    "username",   "email",       "phone_number",       "name",
    "given_name", "family_name", "preferred_username", "cognito:user_status",
    "status",     "sub",
};

static bool known(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (str_eq_c(name, attributes[i]))
            return true;
    return false;
}

static enum err unquote(struct arena *a, struct str text, struct str *ret)
{
    if (text.len < 2 || text.p[0] != '"' || text.p[text.len - 1] != '"')
        return ERR_INVALID;
    char *out = arena_alloc(a, text.len);
    size_t n = 0;
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 1; i < text.len - 1; i++) {
        if (text.p[i] == '"')
            return ERR_INVALID;
        if (text.p[i] == '\\' && ++i == text.len - 1)
            return ERR_INVALID;
        out[n++] = text.p[i];
    }
    *ret = str_n(out, n);
    return ERR_OK;
}

enum err cognito_filter_parse(struct arena *a, struct str text, struct cognito_filter *ret)
{
    struct cognito_filter f = {0};
    text = str_trim(text);
    size_t at = str_find(text, '=');
    if (str_empty(text)) {
        *ret = f;
        return ERR_OK;
    }
    if (at == SIZE_MAX || at == 0)
        return ERR_INVALID;
    f.begins = text.p[at - 1] == '^';
    f.attribute = str_trim(str_sub(text, 0, at - f.begins));
    if (!known(f.attribute))
        return ERR_INVALID;
    TRY(unquote(a, str_trim(str_sub(text, at + 1, SIZE_MAX)), &f.value));
    *ret = f;
    return ERR_OK;
}

bool cognito_filter_match(const struct cognito_filter *f, struct str value, bool nocase)
{
    if (!str_is_set(f->attribute))
        return true;
    if (!str_is_set(value))
        return false;
    if (f->begins)
        value = str_sub(value, 0, f->value.len);
    return nocase ? str_eq_nocase(value, f->value) : str_eq(value, f->value);
}
