/* Values as trees of JSON. */
#include "lang/vtl_int.h"

static enum err to_json(struct vtl_run *run, struct vtl_value v, unsigned depth,
                        struct json **ret_json);

static enum err append_json(struct vtl_run *run, struct json *parent, struct json ***tail,
                            struct str key, struct vtl_value v, unsigned depth)
{
    struct json *child;
    TRY(to_json(run, v, depth + 1, &child));
    child->key = key;
    **tail = child;
    *tail = &child->next;
    parent->n++;
    return ERR_OK;
}

static enum err list_to_json(struct vtl_run *run, struct vtl_list *list, unsigned depth,
                             struct json *node)
{
    struct json **tail = &node->child;
    TRY(vtl_list_load(run, list));
    node->kind = JSON_ARRAY;
    for (size_t i = 0; i < list->n; i++)
        TRY(append_json(run, node, &tail, STR_NONE, list->v[i], depth));
    return vtl_made_put(run, vtl_json_id(node), list);
}

static enum err map_to_json(struct vtl_run *run, struct vtl_map *map, unsigned depth,
                            struct json *node)
{
    struct json **tail = &node->child;
    TRY(vtl_map_load(run, map));
    node->kind = JSON_OBJECT;
    for (size_t i = 0; i < map->n; i++) {
        struct str key;
        TRY(vtl_to_text(run, map->v[i]->key, &key));
        TRY(append_json(run, node, &tail, key, map->v[i]->value, depth));
    }
    return vtl_made_put(run, vtl_json_id(node), map);
}

static enum err to_json(struct vtl_run *run, struct vtl_value v, unsigned depth,
                        struct json **ret_json)
{
    struct json *node = ARENA_NEW(run->a, struct json);
    if (!node)
        return ERR_NOMEM;
    if (depth > VTL_VALUE_DEPTH_MAX) {
        return vtl_exceed(run, "values are nested too deep");
    }
    TRY(vtl_work(run, 1));
    *ret_json = node;
    switch (v.kind) {
    case VTL_NULL:
        node->kind = JSON_NULL;
        return ERR_OK;
    case VTL_BOOL:
        node->kind = JSON_BOOL;
        node->b = v.b;
        return ERR_OK;
    case VTL_LIST:
        return list_to_json(run, v.list, depth, node);
    case VTL_MAP:
        return map_to_json(run, v.map, depth, node);
    default:
        node->kind = vtl_is_number(v) ? JSON_NUMBER : JSON_STRING;
        return vtl_to_text(run, v, &node->text);
    }
}

enum err vtl_to_json(struct vtl_run *run, struct vtl_value v, struct json **ret_json)
{
    return to_json(run, v, 0, ret_json);
}
