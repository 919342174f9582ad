/* CreateDeployment and its kin: snapshots (AG2). Layer: svc/apigateway.
 * Source: API Gateway API Reference, "Deployment". */
#include "svc/apigateway/apigateway_stage.h"

/* --- snapshots ------------------------------------------------------------------------------------ */

enum err apigateway_snapshot_make(struct txn *txn, struct str api_id, const struct json *api,
                                  struct str *ret_json)
{
    const struct apigateway_part *const parts[] = {
        &apigateway_resources,   &apigateway_models,    &apigateway_validators,
        &apigateway_authorizers, &apigateway_responses,
    };
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, txn->arena, APIGATEWAY_SNAPSHOT_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("restApi"));
    json_tree(&o, api);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct json *all;
        TRY(apigateway_parts(txn, parts[i], api_id, &all));
        json_key(&o, str_c(parts[i]->many));
        json_tree(&o, all);
    }
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

/* That there are methods, and each has an integration. */
static enum err check_deployable(struct call *call, struct str api_id)
{
    struct json *resources;
    size_t n = 0;
    TRY(apigateway_parts(call->txn, &apigateway_resources, api_id, &resources));
    JSON_EACH (resources, r)
        JSON_EACH (json_get(r, STR("resourceMethods")), m) {
            n++;
            if (!json_get(m, STR("methodIntegration")))
                return APIGATEWAY_BAD(call, "No integration defined for method");
        }
    return n > 0 ? ERR_OK : APIGATEWAY_BAD(call, "The REST API doesn't contain any methods");
}

static enum err write_snapshot(struct call *call, struct str api_id, const struct json *api,
                               struct str id)
{
    struct str text;
    enum err err = apigateway_snapshot_make(call->txn, api_id, api, &text);
    if (err == ERR_LIMIT)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "A deployment has at most %d bytes.", APIGATEWAY_SNAPSHOT_BYTES_MAX);
    TRY(err);
    return txn_put(call->txn, key_make(call->arena, &apigateway_k_snapshot, api_id, id), text);
}

/* {"/cars": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}}, read out of a snapshot. */
static enum err add_summary(struct call *call, struct str api_id, struct json *doc)
{
    struct arena *a = call->arena;
    struct json *snapshot, *summary = json_new(a, JSON_OBJECT);
    TRY(apigateway_doc_read(
        call->txn, key_make(a, &apigateway_k_snapshot, api_id, json_get_str(doc, STR("id"))),
        &snapshot));
    TRY(json_set(doc, STR("apiSummary"), summary));
    JSON_EACH (json_get(snapshot, STR("resources")), r) {
        const struct json *methods = json_get(r, STR("resourceMethods"));
        struct json *of = json_new(a, JSON_OBJECT);
        if (!methods)
            continue;
        TRY(json_set(summary, json_get_str(r, STR("path")), of));
        JSON_EACH (methods, m) {
            struct json *one = json_new(a, JSON_OBJECT);
            const struct json *key = json_get(m, STR("apiKeyRequired"));
            TRY(json_set(of, m->key, one));
            TRY(json_set(one, STR("authorizationType"),
                         json_new_str(a, json_get_str(m, STR("authorizationType")))));
            TRY(json_set(one, STR("apiKeyRequired"), json_new_bool(a, key && key->b)));
        }
    }
    return ERR_OK;
}

/* --- operations ----------------------------------------------------------------------------------- */

/* What CreateDeployment says of the stage that is to show it. */
static enum err set_stage(struct call *call, const struct apigateway_create_deployment_input *in,
                          struct str id)
{
    struct arena *a = call->arena;
    struct apigateway_stage_rec s;
    struct json *doc, *asked;
    bool is_new;
    if (!str_is_set(in->stage_name) || str_empty(in->stage_name))
        return ERR_OK;
    enum err err = apigateway_stage_read(call, in->rest_api_id, in->stage_name, &s, &doc);
    is_new = err == ERR_NOT_FOUND;
    if (is_new)
        TRY(apigateway_stage_begin(call, in->rest_api_id, in->stage_name, &s, &doc));
    else
        TRY(err);
    TRY(apigateway_doc_asked(call, in, &asked));
    static const char *const same[] = {"cacheClusterEnabled", "cacheClusterSize", "variables",
                                       "tracingEnabled"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        struct json *given = json_at(asked, str_c(same[i]));
        if (given && json_unset(asked, str_c(same[i])))
            TRY(json_set(doc, str_c(same[i]), given));
    }
    if (str_is_set(in->stage_description))
        TRY(json_set(doc, STR("description"), json_new_str(a, in->stage_description)));
    TRY(json_set(doc, STR("deploymentId"), json_new_str(a, id)));
    return apigateway_stage_write(call, in->rest_api_id, &s, doc);
}

enum err apigateway_create_deployment(struct call *call,
                                      const struct apigateway_create_deployment_input *in,
                                      struct apigateway_create_deployment_output *out)
{
    struct arena *a = call->arena;
    struct json *api, *doc = json_new(a, JSON_OBJECT);
    struct str id = apigateway_id(a, APIGATEWAY_PART_LEN);
    if (!doc || !str_is_set(id))
        return ERR_NOMEM;
    if (in->canary_settings)
        return APIGATEWAY_BAD(call, "Canary deployments are not supported by Weir.");
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(check_deployable(call, in->rest_api_id));
    TRY(json_set(doc, STR("id"), json_new_str(a, id)));
    if (str_is_set(in->description))
        TRY(json_set(doc, STR("description"), json_new_str(a, in->description)));
    TRY(json_set(doc, STR("createdDate"), apigateway_time(call->txn)));
    TRY(apigateway_part_add(call, &apigateway_deployments, in->rest_api_id, doc));
    TRY(write_snapshot(call, in->rest_api_id, api, id));
    TRY(set_stage(call, in, id));
    return apigateway_show(call, doc, out);
}

static enum err need(struct call *call, struct str api_id, struct str id, struct json **ret_doc)
{
    struct json *api;
    TRY(apigateway_need_api(call, api_id, &api));
    return apigateway_need_part(call, &apigateway_deployments, api_id, id, ret_doc);
}

enum err apigateway_get_deployment(struct call *call,
                                   const struct apigateway_get_deployment_input *in,
                                   struct apigateway_get_deployment_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->deployment_id, &doc));
    for (size_t i = 0; i < in->embed.n; i++)
        if (str_eq_nocase(in->embed.v[i], STR("apisummary")))
            TRY(add_summary(call, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_deployments(struct call *call,
                                    const struct apigateway_get_deployments_input *in,
                                    struct apigateway_get_deployments_output *out)
{
    struct json *doc;
    TRY(APIGATEWAY_LIST(call, &apigateway_deployments, in, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/description", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

enum err apigateway_update_deployment(struct call *call,
                                      const struct apigateway_update_deployment_input *in,
                                      struct apigateway_update_deployment_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->deployment_id, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(apigateway_part_write(call, &apigateway_deployments, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_deployment(struct call *call,
                                      const struct apigateway_delete_deployment_input *in,
                                      struct apigateway_delete_deployment_output *out)
{
    struct json *doc, *stages;
    TRY(need(call, in->rest_api_id, in->deployment_id, &doc));
    TRY(apigateway_guard(call->txn, in->rest_api_id));
    TRY(apigateway_stages_of(call, in->rest_api_id, &stages));
    JSON_EACH (stages, it)
        if (str_eq(json_get_str(it, STR("deploymentId")), in->deployment_id))
            return APIGATEWAY_BAD(
                call, "Active stages pointing to this deployment must be moved or deleted");
    TRY(txn_del(call->txn,
                key_make(call->arena, &apigateway_k_snapshot, in->rest_api_id, in->deployment_id)));
    return apigateway_part_drop(call, &apigateway_deployments, in->rest_api_id, in->deployment_id);
}
