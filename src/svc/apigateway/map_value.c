/* Pairs, and values in trees. */
#include "svc/apigateway/map_int.h"

enum { CAP_FIRST = 8 };

bool map_is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool map_means_json(struct str body)
{
    struct str text = str_trim(body);
    return text.len && (text.p[0] == '{' || text.p[0] == '[');
}

struct str map_tree_value(struct arena *a, const struct json *tree, struct str path)
{
    struct buf b;
    for (struct str rest = path; tree && str_is_set(rest);)
        tree = json_get(tree, str_cut(&rest, '.'));
    if (!tree || tree->kind == JSON_NULL)
        return STR_NONE;
    if (tree->kind == JSON_STRING)
        return tree->text.p ? tree->text : STR("");
    buf_init_arena(&b, a, MAP_VALUE_MAX);
    json_put(&b, tree);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

/* --- pairs ------------------------------------------------------------------------------------ */

static bool same_name(struct str a, struct str b, bool nocase)
{
    return nocase ? str_eq_nocase(a, b) : str_eq(a, b);
}

struct str map_pairs_last(const struct map_pairs *pairs, struct str name, bool nocase)
{
    for (size_t i = pairs->n; i-- > 0;)
        if (same_name(pairs->v[i].name, name, nocase))
            return pairs->v[i].value.p ? pairs->v[i].value : STR("");
    return STR_NONE;
}

enum err map_made_add(struct arena *a, struct map_made *made, struct str name, struct str value)
{
    TRY(ARENA_GROW(a, made->v, made->n, made->cap, CAP_FIRST));
    made->v[made->n++] = (struct map_pair){name, value};
    return ERR_OK;
}

enum err map_made_set(struct arena *a, struct map_made *made, struct str name, struct str value,
                      bool nocase)
{
    size_t n = 0;
    bool set = false;
    for (size_t i = 0; i < made->n; i++) {
        bool same = same_name(made->v[i].name, name, nocase);
        if (same && set)
            continue;
        made->v[n] = same ? (struct map_pair){name, value} : made->v[i];
        set = set || same;
        n++;
    }
    made->n = n;
    return set ? ERR_OK : map_made_add(a, made, name, value);
}
