/* What the transform itself makes of intrinsic functions: parameters that it must know the value of, keys
 * of mappings, conditions that it adds, and references to what it renamed. All else is left to
 * whoever makes the stack.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- parameters ------------------------------------------------------------------------------- */

/* Replaces the `${name}` of a text whose name `find` knows. */
typedef enum err sub_fn(struct sam *s, struct str name, struct str *ret_value);

static enum err substitute(struct sam *s, struct json *text, sub_fn *find)
{
    struct buf b;
    struct str rest = text->text;
    size_t at;
    buf_init_arena(&b, s->a, s->over ? 0 : SAM_BYTES_MAX);
    while ((at = str_find_str(rest, STR("${"))) != SIZE_MAX) {
        struct str tail = str_sub(rest, at + 2, SIZE_MAX), value = STR_NONE;
        size_t end = str_find(tail, '}');
        if (end == SIZE_MAX)
            break;
        TRY(find(s, str_sub(tail, 0, end), &value));
        buf_add_str(&b, str_sub(rest, 0, at));
        buf_add_str(&b, str_is_set(value) ? value : str_sub(rest, at, end + 3));
        rest = str_sub(tail, end + 1, SIZE_MAX);
    }
    buf_add_str(&b, rest);
    s->bytes += b.len;
    if (s->bytes > SAM_BYTES_MAX || buf_err(&b) == ERR_LIMIT)
        sam_over(s, "bytes of text", SAM_BYTES_MAX);
    else
        text->text = buf_str(&b);
    return buf_err(&b) == ERR_NOMEM ? ERR_NOMEM : ERR_OK;
}

static enum err parameter_text(struct sam *s, struct str name, struct str *ret_value)
{
    const struct json *v = json_get(s->values, name);
    if (!v)
        return ERR_OK;
    if (v->kind != JSON_STRING && v->kind != JSON_NUMBER && v->kind != JSON_BOOL)
        return sam_bad_document(s,
                                "Invalid Fn::Sub variable value " STR_FMT
                                ". Fn::Sub expects all variables to be strings.",
                                STR_ARG(sam_repr(s, v)));
    *ret_value = v->kind == JSON_STRING ? v->text : sam_repr(s, v);
    return ERR_OK;
}

/* The text of Fn::Sub: its value, or the first element of it. */
static struct json *sub_text(struct json *v)
{
    struct json *sub = v->child;
    if (sam_list(sub))
        sub = sub->child;
    return sam_text(sub) ? sub : NULL;
}

static enum err resolve(struct sam *s, struct json *v)
{
    for (struct json *it = v->child; it; it = it->next)
        TRY(resolve(s, it));
    if (!sam_intrinsic(v))
        return ERR_OK;
    if (str_eq_c(v->child->key, "Fn::Sub")) {
        struct json *text = sub_text(v);
        return text ? substitute(s, text, parameter_text) : ERR_OK;
    }
    const struct json *value = json_get(s->values, sam_ref(v));
    struct json *copy = sam_copy(s, value);
    if (copy) {
        copy->key = v->key;
        copy->next = v->next;
        copy->raw = v->raw;
        copy->raw.len = 0;
        *v = *copy;
    }
    return ERR_OK;
}

enum err sam_resolve(struct sam *s, const struct json *v, struct json **ret_v)
{
    struct json *copy = sam_copy(s, v);
    if (copy)
        TRY(resolve(s, copy));
    *ret_v = copy;
    return ERR_OK;
}

enum err sam_resolve_member(struct sam *s, struct json *obj, const char *name)
{
    struct json *v = json_at(obj, str_c(name));
    return v ? resolve(s, v) : ERR_OK;
}

/* --- mappings ---------------------------------------------------------------------------------- */

enum err sam_find_in_map(struct sam *s, const struct json *v, struct json **ret_v)
{
    *ret_v = sam_copy(s, v);
    const struct json *args = sam_intrinsic(v) ? SAM_GET(v, "Fn::FindInMap") : NULL;
    if (!args)
        return ERR_OK;
    if (!sam_list(args) || args->n != 3)
        return sam_bad_document(
            s, "Invalid FindInMap value " STR_FMT ". FindInMap expects an array with 3 values.",
            STR_ARG(sam_repr(s, args)));
    struct str name = sam_str(args->child), top = sam_str(args->child->next);
    struct str second = sam_str(args->child->next->next);
    const struct json *map = json_get(SAM_GET(s->root, "Mappings"), name);
    if (!map || !str_is_set(name) || !str_is_set(top) || !str_is_set(second))
        return ERR_OK;
    const struct json *row = json_get(map, top);
    if (!sam_map(map) || (row && !sam_map(row)))
        return sam_bad_document(
            s, "Cannot use Fn::FindInMap on Mapping '" STR_FMT "' which is not a a two-level map.",
            STR_ARG(name));
    const struct json *found = json_get(row, second);
    if (found)
        *ret_v = sam_copy(s, found);
    return ERR_OK;
}

/* --- references to what was renamed ------------------------------------------------------------ */

/* "Function.Alias.Name" -> "FunctionAliaslive.Name"; STR_NONE: nothing of it was renamed. */
static struct str renamed(struct sam *s, struct str path)
{
    size_t first = str_find(path, '.');
    struct str id = str_sub(path, 0, first);
    struct str after = first == SIZE_MAX ? STR("") : str_sub(path, first, SIZE_MAX);
    if (first != SIZE_MAX) {
        size_t second = str_find(str_sub(after, 1, SIZE_MAX), '.');
        size_t len = second == SIZE_MAX ? path.len : first + 1 + second;
        struct str to = json_get_str(s->refs, str_sub(path, 0, len));
        if (str_is_set(to))
            return sam_cat3(s, to, str_sub(path, len, SIZE_MAX), "");
    }
    struct str to = json_get_str(s->renamed, id);
    return str_is_set(to) ? sam_cat3(s, to, after, "") : STR_NONE;
}

static enum err renamed_text(struct sam *s, struct str name, struct str *ret_value)
{
    struct str to = renamed(s, name);
    if (str_is_set(to))
        *ret_value = str_fmt(s->a, "${" STR_FMT "}", STR_ARG(to));
    return ERR_OK;
}

static void rename_get_att(struct sam *s, struct json *args)
{
    if (!sam_list(args) || args->n < 2 || !sam_text(args->child) || !sam_text(args->child->next))
        return;
    struct str attribute = args->child->next->text;
    struct str to = renamed(
        s, str_fmt(s->a, STR_FMT "." STR_FMT, STR_ARG(args->child->text), STR_ARG(attribute)));
    if (!str_is_set(to))
        return;
    size_t dot = str_find(to, '.');
    args->child->text = str_sub(to, 0, dot);
    args->child->next->text = dot == SIZE_MAX ? STR("") : str_sub(to, dot + 1, SIZE_MAX);
}

/* Texts of DependsOn are ids. */
static void rename_dependencies(struct sam *s, struct json *v)
{
    if (!v)
        return;
    for (struct json *it = sam_list(v) ? v->child : v; it; it = it->next) {
        struct str to = sam_text(it) ? json_get_str(s->renamed, it->text) : STR_NONE;
        if (str_is_set(to))
            it->text = to;
        if (it == v)
            return;
    }
}

enum err sam_rename(struct sam *s, struct json *v)
{
    if (sam_map(v))
        rename_dependencies(s, SAM_AT(v, "DependsOn"));
    for (struct json *it = v->child; it; it = it->next)
        TRY(sam_rename(s, it));
    if (!sam_intrinsic(v))
        return ERR_OK;
    if (str_eq_c(v->child->key, "Fn::Sub")) {
        struct json *text = sub_text(v);
        return text ? substitute(s, text, renamed_text) : ERR_OK;
    }
    if (str_eq_c(v->child->key, "Fn::GetAtt"))
        rename_get_att(s, v->child);
    struct str to = renamed(s, sam_ref(v));
    if (str_is_set(to))
        v->child->text = to;
    return ERR_OK;
}

/* --- conditions ---------------------------------------------------------------------------------- */

struct json *sam_if(struct sam *s, struct str condition, struct json *a, struct json *b)
{
    return str_is_set(condition) ? sam_make(s, "{'Fn::If': [%s, %v, %v]}", condition, a, b) : a;
}

struct str sam_and_condition(struct sam *s, struct str a, struct str b, struct str suffix)
{
    struct str name =
        str_fmt(s->a, STR_FMT "AND" STR_FMT STR_FMT, STR_ARG(a), STR_ARG(b), STR_ARG(suffix));
    sam_put(s, sam_map_at(s, s->root, STR("Conditions")), name,
            sam_make(s,
                     "{'Fn::And': [{'Condition': {'Condition': %s}}, {'Condition': {'Condition': "
                     "%s}}]}",
                     a, b));
    return name;
}

struct str sam_not_condition(struct sam *s, struct str condition, struct str suffix)
{
    struct str name = str_fmt(s->a, "NOT" STR_FMT STR_FMT, STR_ARG(condition), STR_ARG(suffix));
    sam_put(s, sam_map_at(s, s->root, STR("Conditions")), name,
            sam_make(s, "{'Fn::Not': [{'Condition': %s}]}", condition));
    return name;
}
