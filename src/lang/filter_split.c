/* Messages taken apart: columns by spaces, and members of JSON by selectors. */
#include "lang/filter_int.h"

enum { FIELDS_MAX = 256 };

/* Cuts the next column off: "in quotation marks", [in brackets], or up to a space. */
static struct str next_field(struct str *rest)
{
    char open = rest->p[0], close = open == '"' ? '"' : open == '[' ? ']' : '\0';
    size_t from = close ? 1 : 0;
    size_t end = str_find(str_sub(*rest, from, SIZE_MAX), close ? close : ' ');
    if (close && end == SIZE_MAX) { /* never closed: an ordinary one */
        from = 0;
        end = str_find(*rest, ' ');
        close = '\0';
    }
    if (end == SIZE_MAX)
        end = rest->len - from;
    struct str field = str_sub(*rest, from, end);
    *rest = str_sub(*rest, from + end + (close ? 1 : 0), SIZE_MAX);
    return field;
}

enum err filter_split(const struct filter *f, struct arena *a, struct str message,
                      struct str **ret_fields, bool *ret_fits)
{
    struct str *all = ARENA_ARRAY(a, struct str, FIELDS_MAX);
    struct str *fields = ARENA_ARRAY(a, struct str, f->n_columns + 1);
    size_t n = 0;
    if (!all || !fields)
        return ERR_NOMEM;
    for (struct str rest = str_trim(message); rest.len > 0 && n < FIELDS_MAX; rest = str_trim(rest))
        all[n++] = next_field(&rest);
    *ret_fits = f->rest == SIZE_MAX ? n == f->n_columns : n >= f->n_columns;
    *ret_fields = fields;
    if (!*ret_fits)
        return ERR_OK;
    for (size_t i = 0; i < f->n_columns; i++)
        fields[i] = all[i < f->rest ? i : n - (f->n_columns - i)];
    return ERR_OK;
}

static const struct json *element(const struct json *v, size_t index)
{
    if (v->kind != JSON_ARRAY || index >= v->n)
        return NULL;
    const struct json *it = v->child;
    while (index-- > 0)
        it = it->next;
    return it;
}

const struct json *filter_select(const struct filter_selector *s, const struct json *v)
{
    for (size_t i = 0; i < s->n && v; i++)
        v = str_is_set(s->steps[i].key) ? json_get(v, s->steps[i].key)
                                        : element(v, s->steps[i].index);
    return v;
}
