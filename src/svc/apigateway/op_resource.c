/* CreateResource, GetResource, GetResources, UpdateResource, DeleteResource: the tree of paths (AG1).
 * Layer: svc/apigateway. Source: API Gateway API Reference, "Resource". */
#include "svc/apigateway/apigateway_int.h"

/* --- path parts ----------------------------------------------------------------------------------- */

static bool is_variable(struct str part)
{
    return str_starts(part, STR("{"));
}

static bool is_greedy(struct str part)
{
    return str_ends(part, STR("+}"));
}

static bool is_part(struct str part)
{
    if (is_variable(part)) {
        if (!str_ends(part, STR("}")))
            return false;
        part = str_sub(part, 1, part.len - (is_greedy(part) ? 3 : 2));
    }
    for (size_t i = 0; i < part.len; i++) {
        char c = part.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-' || c == ':' || c == '~' || c == '$' || c == '@'))
            return false;
    }
    return part.len > 0;
}

/* That `doc` may stand below `parent` among the others. */
static enum err check_place(struct call *call, const struct json *all, const struct json *parent,
                            const struct json *doc)
{
    struct str part = json_get_str(doc, STR("pathPart")), id = json_get_str(doc, STR("id")),
               parent_id = json_get_str(parent, STR("id"));
    if (!is_part(part))
        return APIGATEWAY_BAD(call,
                              "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy "
                              "path variable and curly braces at the beginning and the end.");
    struct str above = json_get_str(parent, STR("pathPart"));
    if (str_is_set(above) && is_greedy(above))
        return APIGATEWAY_BAD(
            call, "Cannot create a child of a resource with a greedy path variable: " STR_FMT,
            STR_ARG(above));
    JSON_EACH (all, it) {
        struct str other = json_get_str(it, STR("pathPart"));
        if (!str_eq(json_get_str(it, STR("parentId")), parent_id) || !str_is_set(other) ||
            str_eq(json_get_str(it, STR("id")), id))
            continue;
        if (str_eq(other, part))
            return APIGATEWAY_CONFLICT(
                call, "Another resource with the same parent already has this name: " STR_FMT,
                STR_ARG(part));
        if (is_variable(other) && is_variable(part))
            return APIGATEWAY_BAD(call,
                                  "A sibling (" STR_FMT ") of this resource already has a variable "
                                  "path part -- only one is allowed",
                                  STR_ARG(other));
    }
    return ERR_OK;
}

/* "path" from the parent's. */
static enum err set_path(struct call *call, const struct json *parent, struct json *doc)
{
    struct str above = json_get_str(parent, STR("path")), part = json_get_str(doc, STR("pathPart"));
    struct str path = str_fmt(call->arena, STR_FMT "/" STR_FMT,
                              STR_ARG(str_eq_c(above, "/") ? STR("") : above), STR_ARG(part));
    if (path.len > APIGATEWAY_PATH_MAX)
        return APIGATEWAY_BAD(call, "Resource paths have at most %d characters.",
                              APIGATEWAY_PATH_MAX);
    return json_set(doc, STR("path"), json_new_str(call->arena, path));
}

static struct json *by_id(const struct json *all, struct str id)
{
    for (struct json *it = all->child; it; it = it->next)
        if (str_eq(json_get_str(it, STR("id")), id))
            return it;
    return NULL;
}

static bool is_below(const struct json *all, const struct json *doc, struct str root_id)
{
    for (size_t depth = 0; doc && depth <= all->n; depth++) {
        if (str_eq(json_get_str(doc, STR("id")), root_id))
            return true;
        doc = by_id(all, json_get_str(doc, STR("parentId")));
    }
    return false;
}

/* --- showing -------------------------------------------------------------------------------------- */

/* Without "embed" a method is its name alone. */
static enum err hide_methods(struct call *call, struct json *doc, void *embedded)
{
    struct json *methods = json_at(doc, STR("resourceMethods"));
    if (!methods || *(const bool *)embedded)
        return ERR_OK;
    struct json *names = json_new(call->arena, JSON_OBJECT);
    JSON_EACH (methods, it)
        TRY(json_set(names, it->key, json_new(call->arena, JSON_OBJECT)));
    return json_set(doc, STR("resourceMethods"), names);
}

static bool embeds(struct apigateway_list_of_string embed)
{
    for (size_t i = 0; i < embed.n; i++)
        if (str_eq_c(embed.v[i], "methods"))
            return true;
    return false;
}

/* --- operations ----------------------------------------------------------------------------------- */

enum err apigateway_resource_new(struct call *call, const struct json *all,
                                 const struct json *parent, struct str part, struct json **ret_doc)
{
    struct arena *a = call->arena;
    struct json *doc = json_new(a, JSON_OBJECT);
    if (!doc)
        return ERR_NOMEM;
    TRY(json_set(doc, STR("id"), json_new_str(a, apigateway_id(a, APIGATEWAY_PART_LEN))));
    TRY(json_set(doc, STR("parentId"), json_new_str(a, json_get_str(parent, STR("id")))));
    TRY(json_set(doc, STR("pathPart"), json_new_str(a, part)));
    TRY(check_place(call, all, parent, doc));
    TRY(set_path(call, parent, doc));
    *ret_doc = doc;
    return ERR_OK;
}

enum err apigateway_create_resource(struct call *call,
                                    const struct apigateway_create_resource_input *in,
                                    struct apigateway_create_resource_output *out)
{
    struct json *api, *parent, *all, *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_need_part(call, &apigateway_resources, in->rest_api_id, in->parent_id, &parent));
    TRY(apigateway_parts(call->txn, &apigateway_resources, in->rest_api_id, &all));
    TRY(apigateway_resource_new(call, all, parent, in->path_part, &doc));
    TRY(apigateway_part_add(call, &apigateway_resources, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_resource(struct call *call, const struct apigateway_get_resource_input *in,
                                 struct apigateway_get_resource_output *out)
{
    struct json *api, *doc;
    bool embedded = embeds(in->embed);
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_need_part(call, &apigateway_resources, in->rest_api_id, in->resource_id, &doc));
    TRY(hide_methods(call, doc, &embedded));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_resources(struct call *call,
                                  const struct apigateway_get_resources_input *in,
                                  struct apigateway_get_resources_output *out)
{
    struct json *api, *doc;
    bool embedded = embeds(in->embed);
    const struct apigateway_list list = {
        .range = key_range(call->arena, &apigateway_k_resource, in->rest_api_id),
        .scope = in->rest_api_id,
        .position = in->position,
        .has_limit = in->has_limit,
        .limit = in->limit,
        .show = hide_methods,
        .arg = &embedded,
    };
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_page(call, &list, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/parentId", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/pathPart", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

/* Writes `doc` and all below it with their paths as they are now. A parent's is made before those of
 * its children: by depth. */
static enum err write_subtree(struct call *call, struct str api_id, struct json *all,
                              struct json *doc)
{
    const struct json *parent = by_id(all, json_get_str(doc, STR("parentId")));
    TRY(set_path(call, parent, doc));
    TRY(apigateway_part_write(call, &apigateway_resources, api_id, doc));
    struct str id = json_get_str(doc, STR("id"));
    for (struct json *it = all->child; it; it = it->next)
        if (str_eq(json_get_str(it, STR("parentId")), id))
            TRY(write_subtree(call, api_id, all, it));
    return ERR_OK;
}

enum err apigateway_update_resource(struct call *call,
                                    const struct apigateway_update_resource_input *in,
                                    struct apigateway_update_resource_output *out)
{
    struct json *api, *found, *all;
    bool embedded = false;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_need_part(call, &apigateway_resources, in->rest_api_id, in->resource_id,
                             &found));
    TRY(apigateway_guard(call->txn, in->rest_api_id));
    TRY(apigateway_parts(call->txn, &apigateway_resources, in->rest_api_id, &all));
    struct json *doc = by_id(all, in->resource_id);
    if (!doc)
        return ERR_CONFLICT;
    if (in->patch_operations.n > 0 && !json_get(doc, STR("parentId")))
        return APIGATEWAY_BAD(call, "Root resource cannot be updated");
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    if (in->patch_operations.n > 0) {
        const struct json *parent = by_id(all, json_get_str(doc, STR("parentId")));
        if (!parent || is_below(all, parent, in->resource_id))
            return APIGATEWAY_ABSENT(call, "%s", apigateway_resources.missing);
        TRY(check_place(call, all, parent, doc));
        TRY(write_subtree(call, in->rest_api_id, all, doc));
    }
    TRY(hide_methods(call, doc, &embedded));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_resource(struct call *call,
                                    const struct apigateway_delete_resource_input *in,
                                    struct apigateway_delete_resource_output *out)
{
    struct json *api, *doc, *all;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_need_part(call, &apigateway_resources, in->rest_api_id, in->resource_id, &doc));
    if (!json_get(doc, STR("parentId")))
        return APIGATEWAY_BAD(call, "Root resource cannot be deleted");
    TRY(apigateway_guard(call->txn, in->rest_api_id));
    TRY(apigateway_parts(call->txn, &apigateway_resources, in->rest_api_id, &all));
    JSON_EACH (all, it)
        if (is_below(all, it, in->resource_id))
            TRY(apigateway_part_drop(call, &apigateway_resources, in->rest_api_id,
                                     json_get_str(it, STR("id"))));
    return ERR_OK;
}
