/* Filters of holes: what `{Name|text|or:x}` makes of a value. See spec/types/README.md.
 *
 * A value is never changed in place: it may be part of the properties.
 *
 * Layer: svc. Thread: pure. */
#include "codec/base64.h"
#include "codec/crc.h"
#include "codec/percent.h"
#include "svc/cloudformation/type_int.h"

static const struct json *element(const struct json *v, struct str name)
{
    int64_t index;
    if (v->kind != JSON_ARRAY)
        return json_get(v, name);
    if (str_to_i64(name, &index) != ERR_OK || index < 0)
        return NULL;
    JSON_EACH (v, it)
        if (index-- == 0)
            return it;
    return NULL;
}

const struct json *type_at(const struct json *v, struct str path)
{
    while (v && path.len) {
        struct str name = str_cut(&path, '.');
        v = element(v, name);
    }
    return v && v->kind == JSON_NULL ? NULL : v;
}

/* A filter over a value that is there. */
typedef enum err filter_fn(struct type_run *run, const struct json *v, struct str arg,
                           const struct json **ret_v);

static enum err give(const struct json *v, const struct json **ret_v)
{
    *ret_v = v;
    return v ? ERR_OK : ERR_NOMEM;
}

static enum err give_text(struct type_run *run, struct str text, const struct json **ret_v)
{
    return str_is_set(text) ? give(json_new_str(run->a, text), ret_v) : ERR_NOMEM;
}

/* JSON, or a text where it is none. */
static enum err literal(struct type_run *run, struct str arg, const struct json **ret_v)
{
    struct json *v = NULL;
    if (json_parse(run->a, arg, &v, NULL) == ERR_OK)
        return give(v, ret_v);
    return give_text(run, str_is_set(arg) ? arg : STR(""), ret_v);
}

static enum err f_text(struct type_run *run, const struct json *v, struct str arg,
                       const struct json **ret_v)
{
    struct buf b;
    if (v->kind == JSON_STRING)
        return give(v, ret_v);
    buf_init_arena(&b, run->a, INNER_OUTPUT_MAX);
    json_put(&b, v);
    TRY(buf_err(&b));
    return give_text(run, buf_str(&b), ret_v);
}

static enum err f_number(struct type_run *run, const struct json *v, struct str arg,
                         const struct json **ret_v)
{
    double value;
    struct json *number = json_new(run->a, JSON_NUMBER);
    if (v->kind != JSON_STRING || str_to_f64(v->text, &value) != ERR_OK)
        return give(v, ret_v);
    if (number)
        number->text = v->text;
    return give(number, ret_v);
}

/* --- tags ----------------------------------------------------------------------------------------- */

/* Of a list of objects an object: the argument names the members that are its keys and values. */
static enum err f_map(struct type_run *run, const struct json *v, struct str arg,
                      const struct json **ret_v)
{
    struct str value_name = str_is_set(arg) ? arg : STR("Key,Value");
    struct str key_name = str_cut(&value_name, ',');
    struct json *out = json_new(run->a, JSON_OBJECT);
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (v, it) {
        const struct json *key = json_get(it, key_name), *value = json_get(it, value_name);
        if (key && value)
            TRY(json_set(out, key->text, json_copy(run->a, value)));
    }
    return give(out, ret_v);
}

static enum err pair(struct type_run *run, struct json *out, struct str names, struct str key,
                     struct str value)
{
    struct str value_name = names, key_name = str_cut(&value_name, ',');
    struct json *object = json_new(run->a, JSON_OBJECT);
    if (!object)
        return ERR_NOMEM;
    TRY(json_set(object, key_name, json_new_str(run->a, key)));
    TRY(json_set(object, value_name, json_new_str(run->a, value)));
    return json_push(out, object);
}

/* Of a list of {Key, Value} or an object of texts: a list of objects whose two members are called
 * as the argument says. */
static enum err f_pairs(struct type_run *run, const struct json *v, struct str arg,
                        const struct json **ret_v)
{
    struct json *out = json_new(run->a, JSON_ARRAY);
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (v, it) {
        if (v->kind == JSON_OBJECT)
            TRY(pair(run, out, arg, it->key, it->text));
        else
            TRY(pair(run, out, arg, json_get_str(it, STR("Key")), json_get_str(it, STR("Value"))));
    }
    return give(out, ret_v);
}

static enum err f_keys(struct type_run *run, const struct json *v, struct str arg,
                       const struct json **ret_v)
{
    struct json *out = json_new(run->a, JSON_ARRAY);
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (v, it)
        TRY(json_push(
            out,
            json_new_str(run->a, v->kind == JSON_OBJECT ? it->key : json_get_str(it, STR("Key")))));
    return give(out, ret_v);
}

/* --- texts ---------------------------------------------------------------------------------------- */

static enum err f_last(struct type_run *run, const struct json *v, struct str arg,
                       const struct json **ret_v)
{
    size_t slash = str_rfind(v->text, '/'), colon = str_rfind(v->text, ':');
    size_t from = 0;
    if (slash != SIZE_MAX)
        from = slash + 1;
    if (colon != SIZE_MAX && colon + 1 > from)
        from = colon + 1;
    return give_text(run, str_sub(v->text, from, v->text.len), ret_v);
}

static enum err f_part(struct type_run *run, const struct json *v, struct str arg,
                       const struct json **ret_v)
{
    struct str rest = v->text, part = STR_NONE;
    int64_t n = 0;
    if (str_to_i64(arg, &n) != ERR_OK)
        n = 0;
    for (int64_t i = 0; i <= n; i++)
        part = str_is_set(rest) ? str_cut(&rest, ':') : STR_NONE;
    *ret_v = NULL;
    return str_is_set(part) ? give_text(run, part, ret_v) : ERR_OK;
}

static enum err f_lower(struct type_run *run, const struct json *v, struct str arg,
                        const struct json **ret_v)
{
    return give_text(run, str_lower(run->a, v->text), ret_v);
}

/* PublicRead is public-read. */
static enum err f_kebab(struct type_run *run, const struct json *v, struct str arg,
                        const struct json **ret_v)
{
    struct buf b;
    buf_init_arena(&b, run->a, INNER_OUTPUT_MAX);
    for (size_t i = 0; i < v->text.len; i++) {
        char c = v->text.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        if (upper && i)
            buf_add_byte(&b, '-');
        buf_add_byte(&b, upper ? (char)(c | 0x20) : c);
    }
    TRY(buf_err(&b));
    return give_text(run, buf_str(&b), ret_v);
}

static enum err f_base64(struct type_run *run, const struct json *v, struct str arg,
                         const struct json **ret_v)
{
    return give_text(run, base64_encode(run->a, v->text.p, v->text.len), ret_v);
}

static enum err f_decoded(struct type_run *run, const struct json *v, struct str arg,
                          const struct json **ret_v)
{
    struct str text = v->text;
    enum err err = percent_decode(run->a, v->text, false, &text);
    return err == ERR_NOMEM ? err : give_text(run, text, ret_v);
}

/* --- zip: one stored file. Source: APPNOTE.TXT sections 4.3.7, 4.3.12, 4.3.16. ------------------------ */

static void put_le(struct buf *b, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_add_byte(b, (char)(v >> (8 * i)));
}

enum {
    ZIP_LOCAL = 0x04034b50,
    ZIP_CENTRAL = 0x02014b50,
    ZIP_END = 0x06054b50,
    ZIP_VERSION = 20,
    ZIP_UNIX = 3 << 8,
    ZIP_DATE = (1 << 5) | 1, /* 1980-01-01: the archive of a text is always the same */
    ZIP_MODE = 0100644,
};

/* What local and central header have in common. */
static void put_file_facts(struct buf *b, struct str name, struct str bytes)
{
    put_le(b, ZIP_VERSION, 2);
    put_le(b, 0, 2); /* flags */
    put_le(b, 0, 2); /* stored */
    put_le(b, 0, 2); /* time */
    put_le(b, ZIP_DATE, 2);
    put_le(b, crc32_update(0, bytes.p, bytes.len), 4);
    put_le(b, bytes.len, 4);
    put_le(b, bytes.len, 4);
    put_le(b, name.len, 2);
    put_le(b, 0, 2); /* extra */
}

static void put_zip(struct buf *b, struct str name, struct str bytes)
{
    put_le(b, ZIP_LOCAL, 4);
    put_file_facts(b, name, bytes);
    buf_add_str(b, name);
    buf_add_str(b, bytes);
    size_t central = b->len;
    put_le(b, ZIP_CENTRAL, 4);
    put_le(b, ZIP_VERSION | ZIP_UNIX, 2);
    put_file_facts(b, name, bytes);
    put_le(b, 0, 2); /* comment */
    put_le(b, 0, 2); /* disk */
    put_le(b, 0, 2); /* internal */
    put_le(b, (uint64_t)ZIP_MODE << 16, 4);
    put_le(b, 0, 4); /* where the local header is */
    buf_add_str(b, name);
    size_t end = b->len;
    put_le(b, ZIP_END, 4);
    put_le(b, 0, 4); /* disks */
    put_le(b, 1, 2);
    put_le(b, 1, 2);
    put_le(b, end - central, 4);
    put_le(b, central, 4);
    put_le(b, 0, 2);
}

/* The file's name: index, and by the function's runtime .py or .js, as Lambda's inline code has it. */
static enum err f_zip(struct type_run *run, const struct json *v, struct str arg,
                      const struct json **ret_v)
{
    const struct json *of = type_at(run->after, arg);
    struct str runtime = of ? of->text : STR("");
    struct str name = str_starts(runtime, STR("python")) ? STR("index.py") : STR("index.js");
    struct buf b;
    buf_init_arena(&b, run->a, INNER_OUTPUT_MAX);
    put_zip(&b, name, v->text);
    TRY(buf_err(&b));
    return give_text(run, base64_encode(run->a, b.p, b.len), ret_v);
}

/* --- shapes --------------------------------------------------------------------------------------- */

/* Where the schema has an object its members' names begin with a small letter; names of a map are the
 * user's own. */
static struct json *camel(struct type_run *run, const struct type_shape *shape,
                          const struct json *v)
{
    struct json *out = json_new(run->a, v->kind);
    if (!out)
        return NULL;
    *out = *v;
    out->child = out->next = NULL;
    struct json **end = &out->child;
    JSON_EACH (v, it) {
        const struct type_property *p =
            shape && shape->kind == TYPE_OBJECT ? type_property(shape, it->key) : NULL;
        struct json *child = camel(run, p ? p->shape : shape ? shape->of : NULL, it);
        if (!child)
            return NULL;
        if (p)
            child->key = str_fmt(run->a, "%c" STR_FMT, it->key.p[0] | 0x20,
                                 STR_ARG(str_sub(it->key, 1, it->key.len)));
        *end = child;
        end = &child->next;
    }
    return out;
}

/* The shape of what a hole's path names. */
static const struct type_shape *shape_at(const struct type_run *run, struct str path)
{
    const struct type_shape *shape = run->row->shape;
    while (shape && path.len) {
        struct str name = str_cut(&path, '.');
        const struct type_property *p =
            shape->kind == TYPE_OBJECT ? type_property(shape, name) : NULL;
        shape = p ? p->shape : shape->of;
    }
    return shape;
}

static enum err f_list(struct type_run *run, const struct json *v, struct str arg,
                       const struct json **ret_v)
{
    struct json *out = json_new(run->a, JSON_ARRAY);
    if (v->kind == JSON_ARRAY)
        return give(v, ret_v);
    if (!out)
        return ERR_NOMEM;
    TRY(json_push(out, json_copy(run->a, v)));
    return give(out, ret_v);
}

static enum err f_first(struct type_run *run, const struct json *v, struct str arg,
                        const struct json **ret_v)
{
    *ret_v = v->kind == JSON_ARRAY ? v->child : v;
    return ERR_OK;
}

static enum err f_has(struct type_run *run, const struct json *v, struct str arg,
                      const struct json **ret_v)
{
    if (v->kind == JSON_BOOL && !v->b) {
        *ret_v = NULL;
        return ERR_OK;
    }
    return give_text(run, arg, ret_v);
}

static enum err f_is(struct type_run *run, const struct json *v, struct str arg,
                     const struct json **ret_v)
{
    return give(json_new_bool(run->a, str_eq(v->text, str_is_set(arg) ? arg : STR(""))), ret_v);
}

/* Whether the argument is an element of the list. */
static enum err f_contains(struct type_run *run, const struct json *v, struct str arg,
                           const struct json **ret_v)
{
    return give(json_new_bool(run->a, json_index_of(v, arg) != SIZE_MAX), ret_v);
}

/* Whether the member that the argument names first has the text behind the comma in all elements. */
static enum err f_all(struct type_run *run, const struct json *v, struct str arg,
                      const struct json **ret_v)
{
    struct str text = arg, name = str_cut(&text, ',');
    bool all = true;
    JSON_EACH (v, it)
        all &= str_eq(json_get_str(it, name), text);
    return give(json_new_bool(run->a, all), ret_v);
}

/* Whether the members that the argument names are those of the item, too. */
static enum err f_same(struct type_run *run, const struct json *v, struct str arg,
                       const struct json **ret_v)
{
    bool same = true;
    while (str_is_set(arg)) {
        struct str name = str_cut(&arg, ',');
        same &= type_equal(json_get(v, name), json_get(run->item, name));
    }
    return give(json_new_bool(run->a, same), ret_v);
}

/* A map of texts, "true" and "false", as one of booleans. */
static enum err f_booleans(struct type_run *run, const struct json *v, struct str arg,
                           const struct json **ret_v)
{
    struct json *out = json_copy(run->a, v);
    if (!out)
        return ERR_NOMEM;
    for (struct json *it = out->child; it; it = it->next)
        if (it->kind == JSON_STRING) {
            it->kind = JSON_BOOL;
            it->b = str_eq_nocase(it->text, STR("true"));
        }
    return give(out, ret_v);
}

/* The path of a method's settings within a patch's path: slashes but the first escaped, and all of
 * them is a star. */
static enum err f_setting(struct type_run *run, const struct json *v, struct str arg,
                          const struct json **ret_v)
{
    struct buf b;
    buf_init_arena(&b, run->a, INNER_OUTPUT_MAX);
    bool all = v->text.len == 2 && v->text.p[1] == '*';
    struct str path = all ? STR("*") : v->text;
    for (size_t i = 0; i < path.len; i++) {
        if (path.p[i] == '/')
            BUF_ADD_LIT(&b, "~1");
        else
            buf_add_byte(&b, path.p[i]);
    }
    TRY(buf_err(&b));
    return give_text(run, buf_str(&b), ret_v);
}

static enum err f_count(struct type_run *run, const struct json *v, struct str arg,
                        const struct json **ret_v)
{
    return give(json_new_i64(run->a, v->n), ret_v);
}

static const struct {
    const char *name;
    filter_fn *fn;
} filters[] = {
    {"text", f_text},         {"json", f_text},
    {"map", f_map},           {"pairs", f_pairs},
    {"keys", f_keys},         {"last", f_last},
    {"part", f_part},         {"lower", f_lower},
    {"base64", f_base64},     {"zip", f_zip},
    {"list", f_list},         {"first", f_first},
    {"has", f_has},           {"is", f_is},
    {"count", f_count},       {"decoded", f_decoded},
    {"booleans", f_booleans}, {"setting", f_setting},
    {"number", f_number},     {"kebab", f_kebab},
    {"all", f_all},           {"same", f_same},
    {"contains", f_contains},
};

/* Those that also make something of nothing. `reset`: where an update took the property away. */
static enum err of_nothing(struct type_run *run, struct str name, struct str arg, struct str source,
                           const struct json *v, const struct json **ret_v)
{
    bool false_value = v && v->kind == JSON_BOOL && !v->b;
    *ret_v = v;
    if (str_eq_c(name, "not"))
        return give(json_new_bool(run->a, !v || false_value), ret_v);
    if (v || (!str_eq_c(name, "or") && !str_eq_c(name, "reset")))
        return ERR_OK;
    if (str_eq_c(name, "reset") &&
        (run->work->verb != TYPE_UPDATE || !type_at(run->before, source)))
        return ERR_OK;
    return literal(run, arg, ret_v);
}

enum err type_filter(struct type_run *run, struct str filter, struct str source,
                     const struct json *v, const struct json **ret_v)
{
    struct str arg = filter, name = str_cut(&arg, ':');
    if (!v || str_eq_c(name, "not") || str_eq_c(name, "or") || str_eq_c(name, "reset"))
        return of_nothing(run, name, arg, source, v, ret_v);
    if (str_eq_c(name, "camel"))
        return give(camel(run, shape_at(run, source), v), ret_v);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        if (str_eq_c(name, filters[i].name))
            return filters[i].fn(run, v, arg, ret_v);
    return ERR_UNSUPPORTED;
}
