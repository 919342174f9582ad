/* CreateRequestValidator and its kin. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "RequestValidator". */
#include "svc/apigateway/apigateway_int.h"

static enum err need(struct call *call, struct str api_id, struct str id, struct json **ret_doc)
{
    struct json *api;
    TRY(apigateway_need_api(call, api_id, &api));
    return apigateway_need_part(call, &apigateway_validators, api_id, id, ret_doc);
}

enum err
apigateway_create_request_validator(struct call *call,
                                    const struct apigateway_create_request_validator_input *in,
                                    struct apigateway_create_request_validator_output *out)
{
    struct arena *a = call->arena;
    struct json *api, *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(json_set(doc, STR("id"), json_new_str(a, apigateway_id(a, APIGATEWAY_PART_LEN))));
    TRY(json_set(doc, STR("validateRequestBody"), json_new_bool(a, in->validate_request_body)));
    TRY(json_set(doc, STR("validateRequestParameters"),
                 json_new_bool(a, in->validate_request_parameters)));
    TRY(apigateway_part_add(call, &apigateway_validators, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_request_validator(struct call *call,
                                          const struct apigateway_get_request_validator_input *in,
                                          struct apigateway_get_request_validator_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->request_validator_id, &doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_request_validators(struct call *call,
                                           const struct apigateway_get_request_validators_input *in,
                                           struct apigateway_get_request_validators_output *out)
{
    struct json *doc;
    TRY(APIGATEWAY_LIST(call, &apigateway_validators, in, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/name", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/validateRequestBody", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/validateRequestParameters", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

enum err
apigateway_update_request_validator(struct call *call,
                                    const struct apigateway_update_request_validator_input *in,
                                    struct apigateway_update_request_validator_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->request_validator_id, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(apigateway_part_write(call, &apigateway_validators, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err
apigateway_delete_request_validator(struct call *call,
                                    const struct apigateway_delete_request_validator_input *in,
                                    struct apigateway_delete_request_validator_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->request_validator_id, &doc));
    TRY(apigateway_check_unnamed(call, in->rest_api_id, "requestValidatorId",
                                 in->request_validator_id, "request validator"));
    return apigateway_part_drop(call, &apigateway_validators, in->rest_api_id,
                                in->request_validator_id);
}
