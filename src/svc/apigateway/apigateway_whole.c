/* Whole APIs. See apigateway_whole.h. Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/apigateway_whole.h"

#include "svc/apigateway/apigateway_method.h"
#include "svc/apigateway/apigateway_stage.h"

/* --- the beginning -------------------------------------------------------------------------------- */

static enum err add_model(struct call *call, struct str api_id, struct str name,
                          struct str description, struct str schema)
{
    struct arena *a = call->arena;
    struct json *doc = json_new(a, JSON_OBJECT);
    if (!doc)
        return ERR_NOMEM;
    TRY(json_set(doc, STR("id"), json_new_str(a, apigateway_id(a, APIGATEWAY_PART_LEN))));
    TRY(json_set(doc, STR("name"), json_new_str(a, name)));
    TRY(json_set(doc, STR("description"), json_new_str(a, description)));
    TRY(json_set(doc, STR("schema"), json_new_str(a, schema)));
    TRY(json_set(doc, STR("contentType"), json_new_str(a, STR("application/json"))));
    return apigateway_part_add(call, &apigateway_models, api_id, doc);
}

#define DRAFT_4 "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n"

enum err apigateway_whole_begin(struct call *call, struct str api_id, struct str root_id)
{
    struct json *root = json_new(call->arena, JSON_OBJECT);
    if (!root)
        return ERR_NOMEM;
    TRY(json_set(root, STR("id"), json_new_str(call->arena, root_id)));
    TRY(json_set(root, STR("path"), json_new_str(call->arena, STR("/"))));
    TRY(apigateway_part_add(call, &apigateway_resources, api_id, root));
    TRY(add_model(call, api_id, STR("Empty"), STR("This is a default empty schema model"),
                  STR(DRAFT_4 "  \"title\" : \"Empty Schema\",\n  \"type\" : \"object\"\n}")));
    return add_model(
        call, api_id, STR("Error"), STR("This is a default error schema model"),
        STR(DRAFT_4 "  \"title\" : \"Error Schema\",\n  \"type\" : \"object\",\n"
                    "  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}"));
}

/* --- putting -------------------------------------------------------------------------------------- */

struct putting {
    struct call *call;
    struct str api_id;
    struct json *ids;       /* of validators and authorizers: the old to the new */
    struct json *resources; /* of the API, by path */
};

/* The id of the one in `have` of that name, or a new one: for what methods name. */
static enum err renamed(struct putting *p, const struct json *have, struct json *doc, bool *ret_new)
{
    struct arena *a = p->call->arena;
    struct str old = json_get_str(doc, STR("id")), id = STR_NONE;
    JSON_EACH (have, it)
        if (str_eq(json_get_str(it, STR("name")), json_get_str(doc, STR("name"))))
            id = json_get_str(it, STR("id"));
    *ret_new = !str_is_set(id);
    if (*ret_new)
        id = apigateway_id(a, APIGATEWAY_PART_LEN);
    if (str_is_set(old))
        TRY(json_set(p->ids, old, json_new_str(a, id)));
    return json_set(doc, STR("id"), json_new_str(a, id));
}

/* Validators or authorizers, those of the same name in the place of those there are. */
static enum err put_list(struct putting *p, const struct apigateway_part *part, struct json *list,
                         enum err (*check)(struct call *call, struct json *doc))
{
    struct json *have;
    bool is_new;
    TRY(apigateway_parts(p->call->txn, part, p->api_id, &have));
    for (struct json *it = list ? list->child : NULL; it; it = it->next) {
        TRY(renamed(p, have, it, &is_new));
        if (check)
            TRY(check(p->call, it));
        TRY(is_new ? apigateway_part_add(p->call, part, p->api_id, it)
                   : apigateway_part_write(p->call, part, p->api_id, it));
    }
    return ERR_OK;
}

static enum err put_named(struct putting *p, struct json *whole)
{
    TRY(put_list(p, &apigateway_validators, json_at(whole, STR("requestValidators")), NULL));
    TRY(put_list(p, &apigateway_authorizers, json_at(whole, STR("authorizers")),
                 apigateway_authorizer_check));
    JSON_EACH (json_get(whole, STR("gatewayResponses")), it)
        TRY(apigateway_part_write(p->call, &apigateway_responses, p->api_id, it));
    return ERR_OK;
}

/* All are written before the first is checked: they may name one another in any order. */
static enum err put_models(struct putting *p, struct json *whole)
{
    struct arena *a = p->call->arena;
    struct json *models = json_at(whole, STR("models")), *old;
    for (struct json *it = models ? models->child : NULL; it; it = it->next) {
        struct str name = json_get_str(it, STR("name"));
        TRY(json_set(it, STR("id"), json_new_str(a, apigateway_id(a, APIGATEWAY_PART_LEN))));
        enum err err = apigateway_doc_read(
            p->call->txn, apigateway_part_key(a, &apigateway_models, p->api_id, name), &old);
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
        TRY(err == ERR_OK ? apigateway_part_write(p->call, &apigateway_models, p->api_id, it)
                          : apigateway_part_add(p->call, &apigateway_models, p->api_id, it));
    }
    JSON_EACH (models, it)
        TRY(apigateway_model_check(p->call, p->api_id, it));
    return ERR_OK;
}

/* The resource at a path, made with all above it. O(depth * resources). */
static enum err resource_at(struct putting *p, struct str path, struct json **ret)
{
    struct json *found = json_at(p->resources, path), *parent, *doc;
    if (!found) {
        size_t slash = str_rfind(path, '/');
        if (slash == SIZE_MAX || path.len > APIGATEWAY_PATH_MAX)
            return APIGATEWAY_BAD(p->call, "Invalid resource path: " STR_FMT, STR_ARG(path));
        TRY(resource_at(p, slash ? str_sub(path, 0, slash) : STR("/"), &parent));
        TRY(apigateway_resource_new(p->call, p->resources, parent,
                                    str_sub(path, slash + 1, SIZE_MAX), &doc));
        TRY(json_set(p->resources, json_get_str(doc, STR("path")), doc));
        TRY(apigateway_part_add(p->call, &apigateway_resources, p->api_id, doc));
        found = json_at(p->resources, path);
    }
    if (!found)
        return APIGATEWAY_BAD(p->call, "Invalid resource path: " STR_FMT, STR_ARG(path));
    *ret = found;
    return ERR_OK;
}

static enum err point_anew(struct putting *p, struct json *method, const char *member)
{
    struct str old = json_get_str(method, str_c(member));
    struct str id = str_is_set(old) ? json_get_str(p->ids, old) : STR_NONE;
    return str_is_set(id) ? json_set(method, str_c(member), json_new_str(p->call->arena, id))
                          : ERR_OK;
}

static enum err check_method(struct putting *p, const struct json *resource, struct json *method)
{
    struct json *integration = json_at(method, STR("methodIntegration"));
    TRY(point_anew(p, method, "authorizerId"));
    TRY(point_anew(p, method, "requestValidatorId"));
    TRY(apigateway_method_check(p->call, p->api_id, method));
    JSON_EACH (json_get(method, STR("methodResponses")), it)
        TRY(apigateway_response_check(p->call, p->api_id, it));
    if (!integration)
        return ERR_OK;
    TRY(apigateway_integration_check(p->call, resource, method, integration));
    JSON_EACH (json_get(integration, STR("integrationResponses")), it)
        TRY(apigateway_integration_response_check(p->call, method, it));
    return ERR_OK;
}

static enum err put_methods(struct putting *p, struct json *from, struct json *to)
{
    struct json *given = json_at(from, STR("resourceMethods")),
                *have = json_at(to, STR("resourceMethods"));
    struct str old_id = json_get_str(from, STR("id"));
    if (!given || given->n == 0)
        return ERR_OK;
    if (!have) {
        have = json_new(p->call->arena, JSON_OBJECT);
        TRY(json_set(to, STR("resourceMethods"), have));
    }
    for (struct json *it = given->child, *next; it; it = next) {
        struct json *integration = json_at(it, STR("methodIntegration"));
        next = it->next;
        if (str_is_set(old_id) && str_eq(json_get_str(integration, STR("cacheNamespace")), old_id))
            json_unset(integration, STR("cacheNamespace"));
        TRY(check_method(p, to, it));
        TRY(json_set(have, it->key, it));
    }
    return apigateway_part_write(p->call, &apigateway_resources, p->api_id, to);
}

enum err apigateway_whole_put(struct call *call, struct str api_id, struct json *whole)
{
    struct putting p = {.call = call,
                        .api_id = api_id,
                        .ids = json_new(call->arena, JSON_OBJECT),
                        .resources = json_new(call->arena, JSON_OBJECT)};
    struct json *all, *given = json_at(whole, STR("resources"));
    if (!p.ids || !p.resources)
        return ERR_NOMEM;
    TRY(apigateway_guard(call->txn, api_id));
    TRY(put_named(&p, whole));
    TRY(put_models(&p, whole));
    TRY(apigateway_parts(call->txn, &apigateway_resources, api_id, &all));
    for (struct json *it = all->child, *next; it; it = next) {
        next = it->next;
        TRY(json_set(p.resources, json_get_str(it, STR("path")), it));
    }
    for (struct json *it = given ? given->child : NULL; it; it = it->next) {
        struct json *to;
        TRY(resource_at(&p, json_get_str(it, STR("path")), &to));
        TRY(put_methods(&p, it, to));
    }
    return ERR_OK;
}

/* --- taking away ---------------------------------------------------------------------------------- */

static enum err drop_one(void *arg, struct str key, struct str val)
{
    struct txn *txn = arg;
    struct str copy = str_dup(txn->arena, key);
    return txn_del(txn, copy);
}

static enum err drop_range(struct call *call, const struct key_layout *layout, struct str api_id)
{
    return txn_each(call->txn, key_range(call->arena, layout, api_id), drop_one, call->txn);
}

enum err apigateway_whole_clear(struct call *call, struct str api_id)
{
    struct json *resources;
    TRY(apigateway_guard(call->txn, api_id));
    TRY(apigateway_parts(call->txn, &apigateway_resources, api_id, &resources));
    for (struct json *it = resources->child; it; it = it->next) {
        if (json_get(it, STR("parentId"))) {
            TRY(apigateway_part_drop(call, &apigateway_resources, api_id,
                                     json_get_str(it, STR("id"))));
        } else if (json_unset(it, STR("resourceMethods"))) {
            TRY(apigateway_part_write(call, &apigateway_resources, api_id, it));
        }
    }
    TRY(drop_range(call, &apigateway_k_model, api_id));
    TRY(drop_range(call, &apigateway_k_validator, api_id));
    TRY(drop_range(call, &apigateway_k_authorizer, api_id));
    return drop_range(call, &apigateway_k_response, api_id);
}

enum err apigateway_whole_drop(struct call *call, struct str api_id)
{
    static const struct key_layout *const parts[] = {
        &apigateway_k_resource,   &apigateway_k_model,      &apigateway_k_validator,
        &apigateway_k_authorizer, &apigateway_k_deployment, &apigateway_k_response,
        &apigateway_k_snapshot,
    };
    struct json *stages;
    TRY(apigateway_guard(call->txn, api_id));
    TRY(apigateway_stages_of(call, api_id, &stages));
    JSON_EACH (stages, it)
        TRY(apigateway_stage_drop(call, api_id, json_get_str(it, STR("stageName"))));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        TRY(drop_range(call, parts[i], api_id));
    return txn_del(call->txn, key_make(call->arena, &apigateway_k_guard, api_id));
}
