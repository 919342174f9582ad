/* Lists, maps and what JSON has to do with them.
 *
 * What is read from JSON is made level by level, when somebody looks: a template usually takes a few
 * members of a large body. run->made remembers which list or map stands for which node, so that a path
 * that is evaluated twice leads to the same object, as it does where a document is parsed once. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lang/vtl_int.h"

enum {
    INDEX_FROM = 8, /* entries from which a map is looked up by hash */
    LIST_CAP_FIRST = 4,
    CONTAINER_STEPS = 1,
    INT_DIGITS_MAX = 18,   /* of a number that surely is a Long */
    DOUBLE_CHARS_MAX = 18, /* json-smart: a longer one with a point is a BigDecimal */
};

/* --- numbers ---------------------------------------------------------------------------------- */

bool vtl_is_number(struct vtl_value v)
{
    return v.kind == VTL_INT || v.kind == VTL_DOUBLE || v.kind == VTL_BIG;
}

static double text_double(struct str s)
{
    double v = 0;
    return str_to_f64(s, &v) == ERR_OK ? v : 0;
}

double vtl_as_double(struct vtl_value v)
{
    return v.kind == VTL_INT ? (double)v.i : v.kind == VTL_DOUBLE ? v.f : text_double(v.s);
}

struct vtl_value vtl_number_of(struct str text)
{
    bool whole = str_find(text, '.') == SIZE_MAX && str_find(text, 'e') == SIZE_MAX &&
                 str_find(text, 'E') == SIZE_MAX;
    struct vtl_value v = {.kind = VTL_INT};
    if (whole && str_to_i64(text, &v.i) == ERR_OK)
        return v;
    if (!whole && text.len <= DOUBLE_CHARS_MAX && str_to_f64(text, &v.f) == ERR_OK)
        v.kind = VTL_DOUBLE;
    else
        v = (struct vtl_value){.kind = VTL_BIG, .s = text};
    return v;
}

/* --- equality --------------------------------------------------------------------------------- */

static bool same_key(struct vtl_value a, struct vtl_value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VTL_NULL:
        return true;
    case VTL_BOOL:
        return a.b == b.b;
    case VTL_INT:
        return a.i == b.i;
    case VTL_DOUBLE:
        return a.f == b.f;
    case VTL_BIG:
    case VTL_STRING:
        return str_eq(a.s, b.s);
    default:
        return a.list == b.list; /* whatever it is, the very same */
    }
}

static uint64_t key_hash(struct vtl_value k)
{
    switch (k.kind) {
    case VTL_BIG:
    case VTL_STRING:
        return str_hash(k.s);
    case VTL_BOOL:
        return k.b;
    case VTL_INT:
    case VTL_DOUBLE:
        return str_hash(str_n((const char *)&k.i, sizeof(k.i)));
    default:
        return 0;
    }
}

static bool same_lists(struct vtl_run *run, struct vtl_list *a, struct vtl_list *b, enum err *err)
{
    *err = vtl_list_load(run, a);
    if (*err == ERR_OK)
        *err = vtl_list_load(run, b);
    if (*err != ERR_OK || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!vtl_same(run, a->v[i], b->v[i], err))
            return false;
    return true;
}

static bool same_maps(struct vtl_run *run, struct vtl_map *a, struct vtl_map *b, enum err *err)
{
    *err = vtl_map_load(run, a);
    if (*err == ERR_OK)
        *err = vtl_map_load(run, b);
    if (*err != ERR_OK || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct vtl_entry *other = vtl_map_find(b, a->v[i]->key);
        if (!other || !vtl_same(run, a->v[i]->value, other->value, err))
            return false;
    }
    return true;
}

/* Java's equals(). */
bool vtl_same(struct vtl_run *run, struct vtl_value a, struct vtl_value b, enum err *err)
{
    bool same = false;
    *err = vtl_work(run, 1);
    if (*err != ERR_OK || ++run->depth > VTL_VALUE_DEPTH_MAX) {
        *err = *err == ERR_OK ? vtl_exceed(run, "values are nested too deep") : *err;
        return false;
    }
    if (a.kind == VTL_LIST && b.kind == VTL_LIST)
        same = a.list == b.list || same_lists(run, a.list, b.list, err);
    else if (a.kind == VTL_MAP && b.kind == VTL_MAP)
        same = a.map == b.map || same_maps(run, a.map, b.map, err);
    else if (a.kind == VTL_ENTRY && b.kind == VTL_ENTRY)
        same = vtl_same(run, a.entry->key, b.entry->key, err) &&
               vtl_same(run, a.entry->value, b.entry->value, err);
    else
        same = same_key(a, b);
    run->depth--;
    return same;
}

/* --- lists ------------------------------------------------------------------------------------ */

enum err vtl_list_new(struct vtl_run *run, bool json, struct vtl_value *ret_v)
{
    struct vtl_list *list = ARENA_NEW(run->a, struct vtl_list);
    if (!list)
        return ERR_NOMEM;
    TRY(vtl_work(run, CONTAINER_STEPS));
    list->json = json;
    *ret_v = (struct vtl_value){.kind = VTL_LIST, .list = list};
    return ERR_OK;
}

static enum err list_push(struct vtl_run *run, struct vtl_list *list, struct vtl_value v)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : LIST_CAP_FIRST;
        struct vtl_value *items = ARENA_ARRAY(run->a, struct vtl_value, cap);
        if (!items)
            return ERR_NOMEM;
        if (list->n)
            memcpy(items, list->v, list->n * sizeof(*items));
        list->v = items;
        list->cap = cap;
    }
    list->v[list->n++] = v;
    return vtl_work(run, 1);
}

enum err vtl_list_load(struct vtl_run *run, struct vtl_list *list)
{
    const struct json *source = list->source;
    if (!source)
        return ERR_OK;
    list->source = NULL;
    JSON_EACH (source, it) {
        struct vtl_value v;
        TRY(vtl_of_json(run, it, &v));
        TRY(list_push(run, list, v));
    }
    return ERR_OK;
}

enum err vtl_list_add(struct vtl_run *run, struct vtl_list *list, struct vtl_value v)
{
    TRY(vtl_list_load(run, list));
    run->changes++;
    return list_push(run, list, v);
}

enum err vtl_list_items(struct vtl_run *run, struct vtl_list *list, struct vtl_value **ret_items,
                        size_t *ret_n)
{
    TRY(vtl_list_load(run, list));
    *ret_items = list->v;
    *ret_n = list->n;
    return ERR_OK;
}

/* --- maps ------------------------------------------------------------------------------------- */

enum err vtl_map_new(struct vtl_run *run, struct vtl_value *ret_v)
{
    struct vtl_map *map = ARENA_NEW(run->a, struct vtl_map);
    if (!map)
        return ERR_NOMEM;
    TRY(vtl_work(run, CONTAINER_STEPS));
    *ret_v = (struct vtl_value){.kind = VTL_MAP, .map = map};
    return ERR_OK;
}

/* Slots hold the entry's number from 1 on; 0: free. */
static void index_put(struct vtl_map *map, size_t at)
{
    size_t i = map->v[at]->hash & (map->index_cap - 1);
    while (map->index[i])
        i = (i + 1) & (map->index_cap - 1);
    map->index[i] = (uint32_t)at + 1;
}

static enum err index_make(struct vtl_run *run, struct vtl_map *map)
{
    size_t cap = 32;
    while (cap < map->cap * 2)
        cap *= 2;
    map->index = ARENA_ARRAY(run->a, uint32_t, cap);
    if (!map->index)
        return ERR_NOMEM;
    map->index_cap = cap;
    for (size_t i = 0; i < map->n; i++)
        index_put(map, i);
    return vtl_work(run, map->n);
}

/* Position of the key; map->n: not there. */
static size_t position(const struct vtl_map *map, struct vtl_value key)
{
    uint64_t hash = key_hash(key);
    if (!map->index) {
        size_t i = 0;
        while (i < map->n && (map->v[i]->hash != hash || !same_key(map->v[i]->key, key)))
            i++;
        return i;
    }
    for (size_t i = hash & (map->index_cap - 1); map->index[i];
         i = (i + 1) & (map->index_cap - 1)) {
        const struct vtl_entry *e = map->v[map->index[i] - 1];
        if (e->hash == hash && same_key(e->key, key))
            return map->index[i] - 1;
    }
    return map->n;
}

struct vtl_entry *vtl_map_find(struct vtl_map *map, struct vtl_value key)
{
    assert(!map->source);
    size_t i = position(map, key);
    return i < map->n ? map->v[i] : NULL;
}

static enum err map_append(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                           struct vtl_value v)
{
    struct vtl_entry *e = ARENA_NEW(run->a, struct vtl_entry);
    if (!e)
        return ERR_NOMEM;
    *e = (struct vtl_entry){.key = key, .value = v, .hash = key_hash(key)};
    bool grow = map->n == map->cap;
    if (grow) {
        size_t cap = map->cap ? map->cap * 2 : LIST_CAP_FIRST;
        struct vtl_entry **entries = ARENA_ARRAY(run->a, struct vtl_entry *, cap);
        if (!entries)
            return ERR_NOMEM;
        if (map->n)
            memcpy(entries, map->v, map->n * sizeof(*entries));
        map->v = entries;
        map->cap = cap;
    }
    map->v[map->n++] = e;
    if (grow && map->n > INDEX_FROM)
        TRY(index_make(run, map));
    else if (map->index)
        index_put(map, map->n - 1);
    return vtl_work(run, 1);
}

enum err vtl_map_load(struct vtl_run *run, struct vtl_map *map)
{
    const struct json *source = map->source;
    if (!source)
        return ERR_OK;
    map->source = NULL;
    JSON_EACH (source, it) {
        struct vtl_value v, key = vtl_string(it->key);
        TRY(vtl_of_json(run, it, &v));
        struct vtl_entry *e = vtl_map_find(map, key);
        if (e)
            e->value = v;
        else
            TRY(map_append(run, map, key, v));
    }
    return ERR_OK;
}

enum err vtl_map_put(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                     struct vtl_value v)
{
    run->changes++;
    return vtl_map_set(run, map, key, v);
}

enum err vtl_map_set(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                     struct vtl_value v)
{
    TRY(vtl_map_load(run, map));
    struct vtl_entry *e = vtl_map_find(map, key);
    if (!e)
        return map_append(run, map, key, v);
    e->value = v;
    return ERR_OK;
}

enum err vtl_map_get(struct vtl_run *run, struct vtl_map *map, struct str key,
                     struct vtl_value *ret_v)
{
    TRY(vtl_map_load(run, map));
    const struct vtl_entry *e = vtl_map_find(map, vtl_string(key));
    *ret_v = e ? e->value : vtl_null();
    return ERR_OK;
}

enum err vtl_map_remove(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                        struct vtl_value *ret_old)
{
    TRY(vtl_map_load(run, map));
    size_t i = position(map, key);
    *ret_old = vtl_null();
    if (i == map->n)
        return ERR_OK;
    *ret_old = map->v[i]->value;
    memmove(map->v + i, map->v + i + 1, (map->n - i - 1) * sizeof(*map->v));
    map->n--;
    run->changes++;
    return map->index ? index_make(run, map) : vtl_work(run, 1);
}

enum err vtl_map_entries(struct vtl_run *run, struct vtl_map *map, struct vtl_entry ***ret_entries,
                         size_t *ret_n)
{
    TRY(vtl_map_load(run, map));
    *ret_entries = map->v;
    *ret_n = map->n;
    return ERR_OK;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Which list or map stands for a node. Copies of a node that JSONPath makes have its children, so those
 * tell it; only what is empty goes by its own address. */
const void *vtl_json_id(const struct json *node)
{
    return node->child ? (const void *)node->child : (const void *)node;
}

static size_t slot(const struct vtl_run *run, const void *id)
{
    size_t i = (size_t)((uintptr_t)id * 0x9e3779b97f4a7c15ull >> 20) & (run->made_cap - 1);
    while (run->made[i].id && run->made[i].id != id)
        i = (i + 1) & (run->made_cap - 1);
    return i;
}

enum err vtl_made_put(struct vtl_run *run, const void *id, void *object)
{
    if (run->made_n * 2 >= run->made_cap) {
        struct vtl_made *old = run->made;
        size_t n = run->made_cap, cap = n ? n * 2 : 16;
        struct vtl_made *v = ARENA_ARRAY(run->a, struct vtl_made, cap);
        if (!v)
            return ERR_NOMEM;
        run->made = v;
        run->made_cap = cap;
        for (size_t i = 0; i < n; i++)
            if (old[i].id)
                run->made[slot(run, old[i].id)] = old[i];
        TRY(vtl_work(run, n));
    }
    size_t i = slot(run, id);
    run->made_n += !run->made[i].id;
    run->made[i] = (struct vtl_made){id, object};
    return ERR_OK;
}

static enum err container(struct vtl_run *run, const struct json *json, struct vtl_value *ret_v)
{
    const void *id = vtl_json_id(json);
    bool list = json->kind == JSON_ARRAY;
    if (run->made_cap && run->made[slot(run, id)].id) {
        void *object = run->made[slot(run, id)].object;
        *ret_v = list ? (struct vtl_value){.kind = VTL_LIST, .list = object}
                      : (struct vtl_value){.kind = VTL_MAP, .map = object};
        return ERR_OK;
    }
    if (list) {
        TRY(vtl_list_new(run, true, ret_v));
        ret_v->list->source = json;
    } else {
        TRY(vtl_map_new(run, ret_v));
        ret_v->map->source = json;
    }
    return vtl_made_put(run, id, list ? (void *)ret_v->list : (void *)ret_v->map);
}

enum err vtl_of_json(struct vtl_run *run, const struct json *json, struct vtl_value *ret_v)
{
    switch (json->kind) {
    case JSON_NULL:
        *ret_v = vtl_null();
        return ERR_OK;
    case JSON_BOOL:
        *ret_v = vtl_bool(json->b);
        return ERR_OK;
    case JSON_NUMBER:
        *ret_v = vtl_number_of(json->text);
        return ERR_OK;
    case JSON_STRING:
    case JSON_BYTES:
        *ret_v = vtl_string(json->text);
        return ERR_OK;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return container(run, json, ret_v);
    }
    return ERR_INVALID;
}
