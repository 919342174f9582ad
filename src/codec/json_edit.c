/* Building and changing JSON trees. See json_edit.h. Layer: codec. Thread: pure. */
#include "codec/json_edit.h"

#include <assert.h>

struct json *json_new(struct arena *a, enum json_kind kind)
{
    struct json *v = ARENA_NEW(a, struct json);
    if (v)
        v->kind = kind;
    return v;
}

struct json *json_new_str(struct arena *a, struct str text)
{
    struct json *v = json_new(a, JSON_STRING);
    if (v)
        v->text = str_is_set(text) ? text : STR("");
    return v;
}

struct json *json_new_bool(struct arena *a, bool b)
{
    struct json *v = json_new(a, JSON_BOOL);
    if (v)
        v->b = b;
    return v;
}

struct json *json_new_i64(struct arena *a, int64_t i)
{
    struct json *v = json_new(a, JSON_NUMBER);
    if (!v)
        return NULL;
    v->text = str_fmt(a, "%lld", (long long)i);
    return str_is_set(v->text) ? v : NULL;
}

/* Recursion is bounded by JSON_DEPTH_MAX, as every tree is. */
struct json *json_copy(struct arena *a, const struct json *v)
{
    struct json *copy = json_new(a, v->kind);
    if (!copy)
        return NULL;
    copy->b = v->b;
    copy->text = v->text;
    copy->key = v->key;
    struct json **end = &copy->child;
    JSON_EACH (v, it) {
        *end = json_copy(a, it);
        if (!*end)
            return NULL;
        end = &(*end)->next;
        copy->n++;
    }
    return copy;
}

/* Where the pointer to the last member of that name is; NULL: none. */
static struct json **place_of(struct json *obj, struct str key)
{
    struct json **found = NULL;
    for (struct json **at = &obj->child; *at; at = &(*at)->next)
        if (str_eq((*at)->key, key))
            found = at;
    return found;
}

struct json *json_at(struct json *obj, struct str key)
{
    if (!obj || obj->kind != JSON_OBJECT)
        return NULL;
    struct json **at = place_of(obj, key);
    return at ? *at : NULL;
}

static void append(struct json *container, struct json *v)
{
    struct json **end = &container->child;
    while (*end)
        end = &(*end)->next;
    v->next = NULL;
    *end = v;
    container->n++;
}

enum err json_set(struct json *obj, struct str key, struct json *v)
{
    if (!v)
        return ERR_NOMEM;
    assert(obj->kind == JSON_OBJECT && v != obj);
    struct json **at = place_of(obj, key);
    v->key = key;
    if (!at) {
        append(obj, v);
        return ERR_OK;
    }
    v->next = (*at)->next;
    *at = v;
    return ERR_OK;
}

bool json_unset(struct json *obj, struct str key)
{
    assert(obj->kind == JSON_OBJECT);
    struct json **at = place_of(obj, key);
    if (!at)
        return false;
    *at = (*at)->next;
    obj->n--;
    return true;
}

enum err json_push(struct json *array, struct json *v)
{
    if (!v)
        return ERR_NOMEM;
    assert(array->kind == JSON_ARRAY && v != array);
    append(array, v);
    return ERR_OK;
}

size_t json_index_of(const struct json *array, struct str text)
{
    size_t i = 0;
    JSON_EACH (array, it) {
        if (it->kind == JSON_STRING && str_eq(it->text, text))
            return i;
        i++;
    }
    return SIZE_MAX;
}

void json_drop(struct json *array, size_t index)
{
    assert(array->kind == JSON_ARRAY && index < array->n);
    struct json **at = &array->child;
    while (index-- > 0)
        at = &(*at)->next;
    *at = (*at)->next;
    array->n--;
}
