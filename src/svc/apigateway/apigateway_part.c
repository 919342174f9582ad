/* The parts of an API: one mechanism for all kinds, and pages of documents.
 * Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/apigateway_int.h"

const struct apigateway_part apigateway_resources = {
    .key = &apigateway_k_resource,
    .id = "id",
    .missing = "Invalid Resource identifier specified",
    .many = "resources",
    .max = APIGATEWAY_RESOURCES_MAX,
};
const struct apigateway_part apigateway_models = {
    .key = &apigateway_k_model,
    .id = "name",
    .missing = "Invalid model name specified",
    .many = "models",
    .max = APIGATEWAY_MODELS_MAX,
};
const struct apigateway_part apigateway_validators = {
    .key = &apigateway_k_validator,
    .id = "id",
    .missing = "Invalid Request Validator identifier specified",
    .many = "requestValidators",
    .max = APIGATEWAY_VALIDATORS_MAX,
};
const struct apigateway_part apigateway_authorizers = {
    .key = &apigateway_k_authorizer,
    .id = "id",
    .missing = "Invalid Authorizer identifier specified",
    .many = "authorizers",
    .max = APIGATEWAY_AUTHORIZERS_MAX,
};
const struct apigateway_part apigateway_deployments = {
    .key = &apigateway_k_deployment,
    .id = "id",
    .missing = "Invalid Deployment identifier specified",
    .many = "deployments",
    .max = APIGATEWAY_DEPLOYMENTS_MAX,
};
const struct apigateway_part apigateway_responses = {
    .key = &apigateway_k_response,
    .id = "responseType",
    .missing = "Invalid Gateway Response type specified",
    .many = "gatewayResponses",
    .max = APIGATEWAY_RESPONSES_MAX,
};

struct str apigateway_part_key(struct arena *a, const struct apigateway_part *part,
                               struct str api_id, struct str id)
{
    return key_make(a, part->key, api_id, id);
}

enum err apigateway_need_part(struct call *call, const struct apigateway_part *part,
                              struct str api_id, struct str id, struct json **ret_doc)
{
    enum err err =
        apigateway_doc_read(call->txn, apigateway_part_key(call->arena, part, api_id, id), ret_doc);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_ABSENT(call, "%s", part->missing);
    return err;
}

enum err apigateway_part_write(struct call *call, const struct apigateway_part *part,
                               struct str api_id, const struct json *doc)
{
    struct str id = json_get_str(doc, str_c(part->id));
    enum err err =
        apigateway_doc_write(call->txn, apigateway_part_key(call->arena, part, api_id, id), doc);
    if (err == ERR_LIMIT)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "What belongs to one of the %s is larger than %d bytes.", part->many,
                          APIGATEWAY_DOCUMENT_BYTES_MAX);
    return err;
}

static enum err count_one(void *arg, struct str key, struct str val)
{
    size_t *n = arg;
    (*n)++;
    return ERR_OK;
}

enum err apigateway_part_add(struct call *call, const struct apigateway_part *part,
                             struct str api_id, const struct json *doc)
{
    size_t n = 0;
    TRY(apigateway_guard(call->txn, api_id));
    TRY(txn_each(call->txn, key_range(call->arena, part->key, api_id), count_one, &n));
    if (n >= part->max)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "Maximum number of %s for this API has been reached. Please contact AWS "
                          "if you need additional %s.",
                          part->many, part->many);
    return apigateway_part_write(call, part, api_id, doc);
}

enum err apigateway_part_drop(struct call *call, const struct apigateway_part *part,
                              struct str api_id, struct str id)
{
    return txn_del(call->txn, apigateway_part_key(call->arena, part, api_id, id));
}

struct gathering {
    struct txn *txn;
    struct json *array;
};

static enum err take_doc(struct arena *a, struct str val, struct json **ret_doc)
{
    struct str text = str_dup(a, val);
    if (!str_is_set(text))
        return ERR_NOMEM;
    enum err err = json_parse(a, text, ret_doc, NULL);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

static enum err gather(void *arg, struct str key, struct str val)
{
    struct gathering *g = arg;
    struct json *doc;
    TRY(take_doc(g->txn->arena, val, &doc));
    return json_push(g->array, doc);
}

enum err apigateway_parts(struct txn *txn, const struct apigateway_part *part, struct str api_id,
                          struct json **ret_array)
{
    struct gathering g = {txn, json_new(txn->arena, JSON_ARRAY)};
    if (!g.array)
        return ERR_NOMEM;
    TRY(txn_each(txn, key_range(txn->arena, part->key, api_id), gather, &g));
    *ret_array = g.array;
    return ERR_OK;
}

/* --- pages -------------------------------------------------------------------------------------- */

struct paging {
    struct call *call;
    const struct apigateway_list *list;
    struct json *items;
};

static enum err take(void *arg, struct str key, struct str val)
{
    struct paging *p = arg;
    struct json *doc;
    TRY(take_doc(p->call->arena, val, &doc));
    if (p->list->show)
        TRY(p->list->show(p->call, doc, p->list->arg));
    return json_push(p->items, doc);
}

enum err apigateway_page(struct call *call, const struct apigateway_list *list,
                         struct json **ret_doc)
{
    static const struct page_fns fns = {NULL, take};
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    struct paging p = {call, list, json_new(call->arena, JSON_ARRAY)};
    if (list->has_limit && (list->limit < 1 || list->limit > APIGATEWAY_PAGE_MAX))
        return APIGATEWAY_BAD(call, "Invalid limit: it must be between 1 and %d",
                              APIGATEWAY_PAGE_MAX);
    if (!doc || !p.items)
        return ERR_NOMEM;
    struct page page = page_of_call(call, list->scope, list->position,
                                    list->has_limit ? (size_t)list->limit : APIGATEWAY_PAGE);
    enum err err = page_scan(call->txn, &page, list->range, &fns, &p);
    if (err == ERR_INVALID)
        return APIGATEWAY_BAD(call, "Invalid position parameter");
    TRY(err);
    TRY(json_set(doc, STR("item"), p.items));
    if (str_is_set(page.next_token))
        TRY(json_set(doc, STR("position"), json_new_str(call->arena, page.next_token)));
    *ret_doc = doc;
    return ERR_OK;
}

enum err apigateway_part_list(struct call *call, const struct apigateway_part *part,
                              struct str api_id, struct apigateway_list *list,
                              struct json **ret_doc)
{
    struct json *api;
    TRY(apigateway_need_api(call, api_id, &api));
    list->range = key_range(call->arena, part->key, api_id);
    list->scope = api_id;
    return apigateway_page(call, list, ret_doc);
}

enum err apigateway_check_unnamed(struct call *call, struct str api_id, const char *member,
                                  struct str id, const char *what)
{
    struct json *resources;
    TRY(apigateway_guard(call->txn, api_id));
    TRY(apigateway_parts(call->txn, &apigateway_resources, api_id, &resources));
    JSON_EACH (resources, r)
        JSON_EACH (json_get(r, STR("resourceMethods")), m)
            if (str_eq(json_get_str(m, str_c(member)), id))
                return APIGATEWAY_CONFLICT(
                    call,
                    "Cannot delete %s '" STR_FMT "', is referenced in method: " STR_FMT "/" STR_FMT,
                    what, STR_ARG(id), STR_ARG(json_get_str(r, STR("id"))), STR_ARG(m->key));
    return ERR_OK;
}
