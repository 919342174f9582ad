/* CreateApiKey, GetApiKey, GetApiKeys, UpdateApiKey, DeleteApiKey. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "ApiKey". */
#include "svc/apigateway/op_key_int.h"

/* --- what is shown ------------------------------------------------------------------------------ */

/* "API/STAGE" of every stage that a plan of the key has. */
static enum err show_stages(struct call *call, const struct usage_key *key, struct json *doc)
{
    struct usage *u = apigateway_of(call)->usage;
    struct json *list = json_new(call->arena, JSON_ARRAY);
    TRY(json_set(doc, STR("stageKeys"), list));
    for (size_t i = 0; i < key->n_plans; i++) {
        void *object;
        enum err err = catalogue_get(
            u->plans, call->txn,
            key_make(call->arena, &usage_k_plan, call_scope(call), key->plans[i]), &object);
        if (err == ERR_NOT_FOUND) /* UT3 */
            continue;
        TRY(err);
        const struct usage_plan *plan = &((struct usage_plan_object *)object)->plan;
        for (size_t s = 0; s < plan->n_stages; s++)
            TRY(json_push(list,
                          json_new_str(call->arena, str_fmt(call->arena, STR_FMT "/" STR_FMT,
                                                            STR_ARG(plan->stages[s].api_id),
                                                            STR_ARG(plan->stages[s].stage)))));
    }
    return ERR_OK;
}

static enum err doc_of(struct call *call, const struct usage_key *key, bool with_value,
                       struct json **ret)
{
    struct arena *a = call->arena;
    struct json *doc = json_new(a, JSON_OBJECT);
    struct str value;
    if (!doc)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "id", key->id));
    if (with_value) {
        TRY(keys_value(call, key, &value));
        TRY(keys_set(call, doc, "value", value));
    }
    TRY(keys_set(call, doc, "name", key->name));
    TRY(keys_set(call, doc, "customerId", key->customer_id));
    TRY(keys_set(call, doc, "description", key->description));
    TRY(json_set(doc, STR("enabled"), json_new_bool(a, key->enabled)));
    TRY(json_set(doc, STR("createdDate"), json_new_i64(a, key->created_ms / 1000)));
    TRY(json_set(doc, STR("lastUpdatedDate"), json_new_i64(a, key->updated_ms / 1000)));
    TRY(show_stages(call, key, doc));
    *ret = doc;
    return apigateway_show_tags(call, doc, keys_arn(call, key->id));
}

static enum err show(struct call *call, const struct usage_key *key, bool with_value, void *out)
{
    struct json *doc;
    TRY(doc_of(call, key, with_value, &doc));
    return apigateway_show(call, doc, out);
}

/* --- creation ----------------------------------------------------------------------------------- */

enum err apigateway_create_api_key(struct call *call,
                                   const struct apigateway_create_api_key_input *in,
                                   struct apigateway_create_api_key_output *out)
{
    struct usage_key key = {
        .name = in->name,
        .description = in->description,
        .customer_id = in->customer_id,
        .enabled = in->enabled,
    };
    if (in->stage_keys.n)
        return APIGATEWAY_BAD(call, "Stage keys are not supported by Weir: API keys belong to "
                                    "stages by usage plans.");
    if (in->has_generate_distinct_id && !in->generate_distinct_id)
        return APIGATEWAY_BAD(call, "API keys whose identifier is their value are not supported "
                                    "by Weir.");
    TRY(keys_add(call, &key, str_empty(in->value) ? STR_NONE : in->value));
    struct tags_resource resource = {.arn = keys_arn(call, key.id)};
    TRY(tags_op_create(call, &apigateway_tags, &resource, TAGS_FROM(in->tags)));
    return show(call, &key, true, out);
}

/* --- the rest ----------------------------------------------------------------------------------- */

enum err apigateway_get_api_key(struct call *call, const struct apigateway_get_api_key_input *in,
                                struct apigateway_get_api_key_output *out)
{
    struct usage_key key;
    TRY(keys_need(call, in->api_key, &key));
    return show(call, &key, in->include_value, out);
}

struct listing {
    struct call *call;
    const struct apigateway_get_api_keys_input *in;
    struct json *items;
};

static enum err is_asked(void *arg, struct str name, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct usage_key key;
    TRY(record_unpack(&usage_key_type, l->call->arena, record, &key));
    *ret_match = (!str_is_set(l->in->name_query) || str_starts(key.name, l->in->name_query)) &&
                 (!str_is_set(l->in->customer_id) || str_eq(key.customer_id, l->in->customer_id));
    return ERR_OK;
}

static enum err take(void *arg, struct str name, struct str record)
{
    struct listing *l = arg;
    struct usage_key key;
    struct json *doc;
    TRY(record_unpack_copy(&usage_key_type, l->call->arena, record, &key));
    TRY(doc_of(l->call, &key, l->in->include_values, &doc));
    return json_push(l->items, doc);
}

enum err apigateway_get_api_keys(struct call *call, const struct apigateway_get_api_keys_input *in,
                                 struct apigateway_get_api_keys_output *out)
{
    static const struct page_fns fns = {is_asked, take};
    struct listing l = {call, in, json_new(call->arena, JSON_ARRAY)};
    struct page page;
    TRY(keys_page(call, STR("keys"), in->position, in->has_limit, in->limit, &page));
    TRY(keys_scan(call, &page, key_range(call->arena, &usage_k_key, call_scope(call)), &fns, &l));
    return keys_show_page(call, l.items, &page, out);
}

static const struct apigateway_patch_row rules[] = {
    {"/name", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/description", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/enabled", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/customerId", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
};

enum err apigateway_update_api_key(struct call *call,
                                   const struct apigateway_update_api_key_input *in,
                                   struct apigateway_update_api_key_output *out)
{
    static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rules);
    struct usage_key key;
    struct json *doc;
    TRY(keys_need(call, in->api_key, &key));
    TRY(doc_of(call, &key, false, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    key.name = json_get_str(doc, STR("name"));
    key.description = json_get_str(doc, STR("description"));
    key.customer_id = json_get_str(doc, STR("customerId"));
    key.enabled = json_get(doc, STR("enabled"))->b;
    key.updated_ms = call->txn->wall_ms;
    TRY(keys_write(call, &key));
    return show(call, &key, false, out);
}

enum err apigateway_delete_api_key(struct call *call,
                                   const struct apigateway_delete_api_key_input *in,
                                   struct apigateway_delete_api_key_output *out)
{
    struct usage_key key;
    struct str value;
    TRY(keys_need(call, in->api_key, &key));
    TRY(keys_value(call, &key, &value));
    while (key.n_plans)
        TRY(keys_member_drop(call, key.plans[0], &key));
    TRY(txn_del(call->txn, keys_value_key(call, value)));
    TRY(tags_drop(call->txn, keys_arn(call, key.id)));
    return txn_del(call->txn, key_make(call->arena, &usage_k_key, call_scope(call), key.id));
}
