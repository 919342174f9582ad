/* PutMethod, GetMethod, UpdateMethod, DeleteMethod, and the same of method responses.
 * Layer: svc/apigateway. Source: API Gateway API Reference, "Method", "MethodResponse". */
#include "svc/apigateway/apigateway_method.h"

/* --- methods -------------------------------------------------------------------------------------- */

static bool is_http_method(struct str name)
{
    struct str rest = STR("DELETE GET HEAD OPTIONS PATCH POST PUT ANY");
    while (str_is_set(rest))
        if (str_eq(str_cut(&rest, ' '), name))
            return true;
    return false;
}

enum err apigateway_put_method(struct call *call, const struct apigateway_put_method_input *in,
                               struct apigateway_put_method_output *out)
{
    struct arena *a = call->arena;
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, false,
                               &at));
    if (!is_http_method(in->http_method))
        return APIGATEWAY_BAD(call, "Invalid HttpMethod specified. Valid options are "
                                    "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT,ANY");
    if (at.method)
        return APIGATEWAY_CONFLICT(call, "Method already exists for this resource");
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(json_set(doc, STR("httpMethod"), json_new_str(a, in->http_method)));
    if (!json_get(doc, STR("apiKeyRequired")))
        TRY(json_set(doc, STR("apiKeyRequired"), json_new_bool(a, false)));
    TRY(apigateway_method_check(call, in->rest_api_id, doc));
    if (!json_at(at.resource, STR("resourceMethods")))
        TRY(json_set(at.resource, STR("resourceMethods"), json_new(a, JSON_OBJECT)));
    TRY(json_set(json_at(at.resource, STR("resourceMethods")), in->http_method, doc));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_method(struct call *call, const struct apigateway_get_method_input *in,
                               struct apigateway_get_method_output *out)
{
    struct apigateway_method_at at;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    return apigateway_show(call, at.method, out);
}

static const struct apigateway_patch_row method_rows[] = {
    {"/apiKeyRequired", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/authorizationScopes/[scope]", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/authorizationType", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/authorizerId", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/operationName", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/requestModels/{content_type}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/requestParameters/{name}", APIGATEWAY_EDIT, APIGATEWAY_BOOL, NULL},
    {"/requestValidatorId", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table method_table = APIGATEWAY_PATCH_TABLE(method_rows);

enum err apigateway_update_method(struct call *call,
                                  const struct apigateway_update_method_input *in,
                                  struct apigateway_update_method_output *out)
{
    struct apigateway_method_at at;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    TRY(apigateway_patch(call, &method_table, in->patch_operations, at.method));
    TRY(apigateway_method_check(call, in->rest_api_id, at.method));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, at.method, out);
}

enum err apigateway_delete_method(struct call *call,
                                  const struct apigateway_delete_method_input *in,
                                  struct apigateway_delete_method_output *out)
{
    struct apigateway_method_at at;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    struct json *methods = json_at(at.resource, STR("resourceMethods"));
    json_unset(methods, in->http_method);
    if (methods->n == 0)
        json_unset(at.resource, STR("resourceMethods"));
    return apigateway_method_write(call, &at);
}

/* --- responses ------------------------------------------------------------------------------------ */

/* The response of a method that an operation names; NotFoundException. */
static enum err need_response(struct call *call, const struct apigateway_method_at *at,
                              struct str status, struct json **ret)
{
    *ret = json_at(json_at(at->method, STR("methodResponses")), status);
    return *ret ? ERR_OK : APIGATEWAY_ABSENT(call, "Invalid Response status code specified");
}

enum err apigateway_put_method_response(struct call *call,
                                        const struct apigateway_put_method_response_input *in,
                                        struct apigateway_put_method_response_output *out)
{
    struct arena *a = call->arena;
    struct apigateway_method_at at;
    struct json *doc, *responses;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    responses = json_at(at.method, STR("methodResponses"));
    if (!responses) {
        responses = json_new(a, JSON_OBJECT);
        TRY(json_set(at.method, STR("methodResponses"), responses));
    }
    if (json_get(responses, in->status_code))
        return APIGATEWAY_CONFLICT(call, "Response already exists for this resource");
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(json_set(doc, STR("statusCode"), json_new_str(a, in->status_code)));
    TRY(apigateway_response_check(call, in->rest_api_id, doc));
    TRY(json_set(responses, in->status_code, doc));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_method_response(struct call *call,
                                        const struct apigateway_get_method_response_input *in,
                                        struct apigateway_get_method_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    TRY(need_response(call, &at, in->status_code, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row response_rows[] = {
    {"/responseModels/{content_type}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/responseParameters/{name}", APIGATEWAY_EDIT, APIGATEWAY_BOOL, NULL},
};
static const struct apigateway_patch_table response_table = APIGATEWAY_PATCH_TABLE(response_rows);

enum err apigateway_update_method_response(struct call *call,
                                           const struct apigateway_update_method_response_input *in,
                                           struct apigateway_update_method_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    TRY(need_response(call, &at, in->status_code, &doc));
    TRY(apigateway_patch(call, &response_table, in->patch_operations, doc));
    TRY(apigateway_response_check(call, in->rest_api_id, doc));
    TRY(apigateway_method_write(call, &at));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_method_response(struct call *call,
                                           const struct apigateway_delete_method_response_input *in,
                                           struct apigateway_delete_method_response_output *out)
{
    struct apigateway_method_at at;
    struct json *doc;
    TRY(apigateway_method_find(call, in->rest_api_id, in->resource_id, in->http_method, true, &at));
    TRY(need_response(call, &at, in->status_code, &doc));
    json_unset(json_at(at.method, STR("methodResponses")), in->status_code);
    return apigateway_method_write(call, &at);
}
