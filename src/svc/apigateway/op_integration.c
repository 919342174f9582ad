/* PutIntegration, GetIntegration, UpdateIntegration, DeleteIntegration, and the same of integration
 * responses. Layer: svc/apigateway. Source: API Gateway API Reference, "Integration",
 * "IntegrationResponse". */
#include "svc/apigateway/apigateway_method.h"

enum err apigateway_put_integration(struct call *call,
                                    const struct apigateway_put_integration_input *in,
                                    struct apigateway_put_integration_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(apigateway_integration_refuse(call, doc));
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    TRY(apigateway_integration_check(call, at.resource, at.method, doc));
    TRY(json_set(at.method, STR("methodIntegration"), doc));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_integration(struct call *call,
                                    const struct apigateway_get_integration_input *in,
                                    struct apigateway_get_integration_output *out)
{
    struct apigateway_method_at at;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    return apigateway_show(call, at.integration, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/cacheKeyParameters/[parameter]", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/cacheNamespace", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/connectionId", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/connectionType", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "INTERNET VPC_LINK"},
    {"/contentHandling", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/credentials", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/httpMethod", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/passthroughBehavior", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/requestParameters/{name}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/requestTemplates/{content_type}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/responseTransferMode", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "BUFFERED STREAM"},
    {"/timeoutInMillis", APIGATEWAY_REPLACE, APIGATEWAY_INT, NULL},
    {"/tlsConfig/insecureSkipVerification", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/type", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "HTTP AWS MOCK HTTP_PROXY AWS_PROXY"},
    {"/uri", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

/* Conversions that a patch may have named. */
static enum err check_handling(struct call *call, const struct json *doc)
{
    struct str handling = json_get_str(doc, STR("contentHandling"));
    if (!str_is_set(handling) || str_eq_c(handling, "CONVERT_TO_BINARY") ||
        str_eq_c(handling, "CONVERT_TO_TEXT"))
        return ERR_OK;
    return APIGATEWAY_BAD(call, "Invalid contentHandling specified. Must be one of: "
                                "[CONVERT_TO_BINARY, CONVERT_TO_TEXT]");
}

enum err apigateway_update_integration(struct call *call,
                                       const struct apigateway_update_integration_input *in,
                                       struct apigateway_update_integration_output *out)
{
    struct apigateway_method_at at;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    TRY(apigateway_patch(call, &table, in->patch_operations, at.integration));
    TRY(check_handling(call, at.integration));
    TRY(apigateway_integration_check(call, at.resource, at.method, at.integration));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, at.integration, out);
}

enum err apigateway_delete_integration(struct call *call,
                                       const struct apigateway_delete_integration_input *in,
                                       struct apigateway_delete_integration_output *out)
{
    struct apigateway_method_at at;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    json_unset(at.method, STR("methodIntegration"));
    return apigateway_method_write(call, &at);
}

/* --- responses ------------------------------------------------------------------------------------ */

/* The integration's response that an operation names; NotFoundException. */
static enum err need_response(struct call *call, const struct apigateway_method_at *at,
                              struct str status, struct json **ret)
{
    *ret = json_at(json_at(at->integration, STR("integrationResponses")), status);
    return *ret ? ERR_OK : APIGATEWAY_ABSENT(call, "Invalid Response status code specified");
}

enum err
apigateway_put_integration_response(struct call *call,
                                    const struct apigateway_put_integration_response_input *in,
                                    struct apigateway_put_integration_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc, *responses;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    if (!json_get(json_get(at.method, STR("methodResponses")), in->status_code))
        return APIGATEWAY_ABSENT(call, "Invalid Response status code specified");
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(json_set(doc, STR("statusCode"), json_new_str(call->arena, in->status_code)));
    TRY(apigateway_integration_response_check(call, at.method, doc));
    responses = json_at(at.integration, STR("integrationResponses"));
    if (!responses) {
        responses = json_new(call->arena, JSON_OBJECT);
        TRY(json_set(at.integration, STR("integrationResponses"), responses));
    }
    TRY(json_set(responses, in->status_code, doc));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, doc, out);
}

enum err
apigateway_get_integration_response(struct call *call,
                                    const struct apigateway_get_integration_response_input *in,
                                    struct apigateway_get_integration_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    TRY(need_response(call, &at, in->status_code, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row response_rows[] = {
    {"/contentHandling", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/responseParameters/{name}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/responseTemplates/{content_type}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/selectionPattern", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table response_table = APIGATEWAY_PATCH_TABLE(response_rows);

enum err apigateway_update_integration_response(
    struct call *call, const struct apigateway_update_integration_response_input *in,
    struct apigateway_update_integration_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    TRY(need_response(call, &at, in->status_code, &doc));
    TRY(apigateway_patch(call, &response_table, in->patch_operations, doc));
    TRY(check_handling(call, doc));
    TRY(apigateway_integration_response_check(call, at.method, doc));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_integration_response(
    struct call *call, const struct apigateway_delete_integration_response_input *in,
    struct apigateway_delete_integration_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    TRY(need_response(call, &at, in->status_code, &doc));
    json_unset(json_at(at.integration, STR("integrationResponses")), in->status_code);
    return apigateway_method_write(call, &at);
}
