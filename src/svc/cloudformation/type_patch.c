/* Patch operations of API Gateway, from a value before and after: {"$patch": {path: template}}.
 *
 * A path that ends in / and * stands for the members of a map or the elements of a list.
 *
 * Layer: svc. Thread: pure. Source: API Gateway developer guide, "Patch operations". */
#include "svc/cloudformation/type_int.h"

static enum err add(struct type_run *run, struct json *out, const char *op, struct str path,
                    const struct json *value)
{
    struct json *o = json_new(run->a, JSON_OBJECT);
    const struct json *text = NULL;
    if (!o)
        return ERR_NOMEM;
    TRY(json_set(o, STR("op"), json_new_str(run->a, str_c(op))));
    TRY(json_set(o, STR("path"), json_new_str(run->a, path)));
    if (value) {
        TRY(type_filter(run, STR("text"), STR_NONE, value, &text));
        TRY(json_set(o, STR("value"), json_copy(run->a, text)));
    }
    return json_push(out, o);
}

/* '/' and '~' of a name within a path. Source: RFC 6901 section 3. */
static struct str path_of(struct type_run *run, struct str stem, struct str name)
{
    struct buf b;
    buf_init_arena(&b, run->a, INNER_OUTPUT_MAX);
    buf_add_str(&b, stem);
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == '/')
            BUF_ADD_LIT(&b, "~1");
        else if (name.p[i] == '~')
            BUF_ADD_LIT(&b, "~0");
        else
            buf_add_byte(&b, name.p[i]);
    }
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static bool holds_text(const struct json *list, struct str text)
{
    return list && json_index_of(list, text) != SIZE_MAX;
}

static enum err elements(struct type_run *run, struct json *out, struct str stem,
                         const struct json *was, const struct json *is)
{
    JSON_EACH (was, it)
        if (!holds_text(is, it->text))
            TRY(add(run, out, "remove", path_of(run, stem, it->text), NULL));
    JSON_EACH (is, it)
        if (!holds_text(was, it->text))
            TRY(add(run, out, "add", path_of(run, stem, it->text), NULL));
    return ERR_OK;
}

static enum err members(struct type_run *run, struct json *out, struct str stem,
                        const struct json *was, const struct json *is)
{
    JSON_EACH (was, it)
        if (!json_get(is, it->key))
            TRY(add(run, out, "remove", path_of(run, stem, it->key), NULL));
    JSON_EACH (is, it)
        if (!type_equal(json_get(was, it->key), it))
            TRY(add(run, out, "replace", path_of(run, stem, it->key), it));
    return ERR_OK;
}

enum err type_patch_add(struct type_run *run, struct json *out, struct str path,
                        const struct json *was, const struct json *is)
{
    if (type_equal(was, is))
        return ERR_OK;
    if (str_ends(path, STR("/*"))) {
        struct str stem = str_sub(path, 0, path.len - 1);
        const struct json *any = is ? is : was;
        return any->kind == JSON_ARRAY ? elements(run, out, stem, was, is)
                                       : members(run, out, stem, was, is);
    }
    return is ? add(run, out, "replace", path, is) : add(run, out, "remove", path, NULL);
}
