/* PutGatewayResponse, UpdateGatewayResponse, DeleteGatewayResponse, GetGatewayResponse and
 * GetGatewayResponses, which tell of every type: those that were not set by what API Gateway answers.
 * Layer: svc/apigateway. Source: API Gateway developer guide, "Gateway response types". */
#include "svc/apigateway/op_key_int.h"

/* In the order of their names, as they are listed. The generic ones have no status of their own. */
static const struct {
    struct str type;
    const char *status;
} kinds[] = {
    {STR_INIT("ACCESS_DENIED"), "403"},
    {STR_INIT("API_CONFIGURATION_ERROR"), "500"},
    {STR_INIT("AUTHORIZER_CONFIGURATION_ERROR"), "500"},
    {STR_INIT("AUTHORIZER_FAILURE"), "500"},
    {STR_INIT("BAD_REQUEST_BODY"), "400"},
    {STR_INIT("BAD_REQUEST_PARAMETERS"), "400"},
    {STR_INIT("DEFAULT_4XX"), NULL},
    {STR_INIT("DEFAULT_5XX"), NULL},
    {STR_INIT("EXPIRED_TOKEN"), "403"},
    {STR_INIT("INTEGRATION_FAILURE"), "504"},
    {STR_INIT("INTEGRATION_TIMEOUT"), "504"},
    {STR_INIT("INVALID_API_KEY"), "403"},
    {STR_INIT("INVALID_SIGNATURE"), "403"},
    {STR_INIT("MISSING_AUTHENTICATION_TOKEN"), "403"},
    {STR_INIT("QUOTA_EXCEEDED"), "429"},
    {STR_INIT("REQUEST_TOO_LARGE"), "413"},
    {STR_INIT("RESOURCE_NOT_FOUND"), "404"},
    {STR_INIT("THROTTLED"), "429"},
    {STR_INIT("UNAUTHORIZED"), "401"},
    {STR_INIT("UNSUPPORTED_MEDIA_TYPE"), "415"},
    {STR_INIT("WAF_FILTERED"), "403"},
};

enum { STATUS_MIN = 200, STATUS_MAX = 599 };

static enum err default_doc(struct call *call, struct str type, struct json **ret)
{
    struct arena *a = call->arena;
    struct json *doc = json_new(a, JSON_OBJECT), *templates = json_new(a, JSON_OBJECT);
    size_t i = 0;
    while (i < ARRAY_LEN(kinds) && !str_eq(kinds[i].type, type))
        i++;
    if (i == ARRAY_LEN(kinds))
        return APIGATEWAY_BAD(call, "Invalid Gateway Response type specified");
    if (!doc || !templates)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "responseType", kinds[i].type));
    TRY(keys_set(call, doc, "statusCode", str_c(kinds[i].status)));
    TRY(json_set(doc, STR("responseParameters"), json_new(a, JSON_OBJECT)));
    TRY(json_set(doc, STR("responseTemplates"), templates));
    TRY(json_set(templates, STR("application/json"),
                 json_new_str(a, STR("{\"message\":$context.error.messageString}"))));
    *ret = doc;
    return json_set(doc, STR("defaultResponse"), json_new_bool(a, true));
}

/* What was set, or the default. */
static enum err doc_of(struct call *call, struct str api_id, struct str type, struct json **ret)
{
    TRY(default_doc(call, type, ret));
    enum err err = apigateway_doc_read(
        call->txn, apigateway_part_key(call->arena, &apigateway_responses, api_id, type), ret);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err check(struct call *call, const struct json *doc)
{
    static const struct str place = STR_INIT("gatewayresponse.header.");
    struct str status = json_get_str(doc, STR("statusCode"));
    int64_t n;
    if (str_is_set(status) &&
        (str_to_i64(status, &n) != ERR_OK || n < STATUS_MIN || n > STATUS_MAX))
        return APIGATEWAY_BAD(call, "Invalid status code: it must be between %d and %d", STATUS_MIN,
                              STATUS_MAX);
    JSON_EACH (json_get(doc, STR("responseParameters")), it)
        if (!str_starts(it->key, place) || it->key.len == place.len)
            return APIGATEWAY_BAD(call, "Invalid response parameter: " STR_FMT, STR_ARG(it->key));
    return ERR_OK;
}

static enum err store(struct call *call, struct str api_id, struct json *doc)
{
    static const char *const maps[] = {"responseParameters", "responseTemplates"};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        if (!json_get(doc, str_c(maps[i])))
            TRY(json_set(doc, str_c(maps[i]), json_new(call->arena, JSON_OBJECT)));
    TRY(check(call, doc));
    TRY(json_set(doc, STR("defaultResponse"), json_new_bool(call->arena, false)));
    return apigateway_part_write(call, &apigateway_responses, api_id, doc);
}

enum err apigateway_put_gateway_response(struct call *call,
                                         const struct apigateway_put_gateway_response_input *in,
                                         struct apigateway_put_gateway_response_output *out)
{
    struct json *api, *doc, *asked;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(default_doc(call, in->response_type, &doc));
    TRY(apigateway_doc_asked(call, in, &asked));
    TRY(keys_set(call, asked, "responseType", in->response_type));
    if (!json_get(asked, STR("statusCode")))
        TRY(keys_set(call, asked, "statusCode", json_get_str(doc, STR("statusCode"))));
    TRY(store(call, in->rest_api_id, asked));
    return apigateway_show(call, asked, out);
}

enum err
apigateway_update_gateway_response(struct call *call,
                                   const struct apigateway_update_gateway_response_input *in,
                                   struct apigateway_update_gateway_response_output *out)
{
    static const struct apigateway_patch_row rules[] = {
        {"/statusCode", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
        {"/responseParameters", APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
        {"/responseParameters/{name}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
        {"/responseTemplates", APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
        {"/responseTemplates/{type}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    };
    static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rules);
    struct json *api, *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(doc_of(call, in->rest_api_id, in->response_type, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(store(call, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err
apigateway_delete_gateway_response(struct call *call,
                                   const struct apigateway_delete_gateway_response_input *in,
                                   struct apigateway_delete_gateway_response_output *out)
{
    struct json *api, *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(default_doc(call, in->response_type, &doc));
    enum err err = apigateway_doc_read(
        call->txn,
        apigateway_part_key(call->arena, &apigateway_responses, in->rest_api_id, in->response_type),
        &doc);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_ABSENT(call, "Gateway response type not defined on api");
    TRY(err);
    return apigateway_part_drop(call, &apigateway_responses, in->rest_api_id, in->response_type);
}

enum err apigateway_get_gateway_response(struct call *call,
                                         const struct apigateway_get_gateway_response_input *in,
                                         struct apigateway_get_gateway_response_output *out)
{
    struct json *api, *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(doc_of(call, in->rest_api_id, in->response_type, &doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_gateway_responses(struct call *call,
                                          const struct apigateway_get_gateway_responses_input *in,
                                          struct apigateway_get_gateway_responses_output *out)
{
    struct json *items = json_new(call->arena, JSON_ARRAY), *api, *doc;
    struct page page;
    struct str after;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(keys_page(call, in->rest_api_id, in->position, in->has_limit, in->limit, &page));
    enum err err = page_start(&page, &after);
    if (err == ERR_INVALID)
        return APIGATEWAY_BAD(call, "Invalid position parameter");
    TRY(err);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_is_set(after) && str_cmp(kinds[i].type, after) <= 0)
            continue;
        if (items && items->n == page.limit) {
            TRY(page_end(&page, kinds[i - 1].type));
            break;
        }
        TRY(doc_of(call, in->rest_api_id, kinds[i].type, &doc));
        if (!items)
            return ERR_NOMEM;
        TRY(json_push(items, doc));
    }
    return keys_show_page(call, items, &page, out);
}
