/* CreateAuthorizer and its kin. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "Authorizer". */
#include "svc/apigateway/apigateway_method.h"

enum { TTL_DEFAULT_S = 300, TTL_MAX_S = 3600, SOURCES_MAX = 20 };

/* --- checks --------------------------------------------------------------------------------------- */

/* A function's invocation: arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations. */
static bool is_function_uri(struct str uri)
{
    size_t at = str_find_str(uri, STR(":lambda:path/"));
    return str_starts(uri, STR("arn:")) && at != SIZE_MAX && str_ends(uri, STR("/invocations")) &&
           str_find_str(uri, STR(":apigateway:")) < at &&
           str_find_str(uri, STR("/functions/")) != SIZE_MAX;
}

static bool is_source(struct str source, bool is_request)
{
    if (apigateway_param_is(source, "method.request.", "header"))
        return true;
    return is_request && (apigateway_param_is(source, "method.request.", "querystring path") ||
                          (str_starts(source, STR("stageVariables.")) && source.len > 15) ||
                          (str_starts(source, STR("context.")) && source.len > 8));
}

static enum err check_sources(struct call *call, const struct json *doc, bool is_request,
                              int64_t ttl_s)
{
    struct str rest = json_get_str(doc, STR("identitySource"));
    size_t n = 0;
    if (!str_is_set(rest) || str_empty(rest))
        return is_request && ttl_s == 0
                   ? ERR_OK
                   : APIGATEWAY_BAD(call, "Identity source is required for this authorizer.");
    while (str_is_set(rest)) {
        struct str source = str_trim(str_cut(&rest, ','));
        if (!is_source(source, is_request) || ++n > SOURCES_MAX || (!is_request && n > 1))
            return APIGATEWAY_BAD(call, "Invalid identity source specified: " STR_FMT,
                                  STR_ARG(json_get_str(doc, STR("identitySource"))));
    }
    return ERR_OK;
}

static enum err check_pools(struct call *call, const struct json *doc)
{
    const struct json *arns = json_get(doc, STR("providerARNs"));
    struct arn arn;
    if (!arns || arns->n == 0)
        return APIGATEWAY_BAD(call, "A COGNITO_USER_POOLS authorizer needs provider ARNs.");
    JSON_EACH (arns, it)
        if (arn_parse_as(it->text, "cognito-idp", "userpool", &arn) != ERR_OK)
            return APIGATEWAY_BAD(call, "Invalid ARN specified in the request: " STR_FMT,
                                  STR_ARG(it->text));
    return ERR_OK;
}

static enum err check_function(struct call *call, const struct json *doc)
{
    struct str uri = json_get_str(doc, STR("authorizerUri")),
               role = json_get_str(doc, STR("authorizerCredentials"));
    struct arn arn;
    if (!str_is_set(uri) || !is_function_uri(uri))
        return APIGATEWAY_BAD(
            call,
            "Invalid Authorizer URI: " STR_FMT
            ". Authorizer URI should be a valid API Gateway ARN that represents a "
            "Lambda function invocation.",
            STR_ARG(uri));
    if (str_is_set(role) &&
        (arn_parse_as(role, "iam", "role", &arn) != ERR_OK || !arn_account_valid(arn.account)))
        return APIGATEWAY_BAD(call, "Invalid ARN specified in the request");
    return ERR_OK;
}

enum err apigateway_authorizer_check(struct call *call, struct json *doc)
{
    struct str type = json_get_str(doc, STR("type"));
    const struct json *ttl = json_get(doc, STR("authorizerResultTtlInSeconds"));
    bool is_pool = str_eq_c(type, "COGNITO_USER_POOLS");
    int64_t ttl_s = TTL_DEFAULT_S;
    if (ttl && (json_to_i64(ttl, &ttl_s) != ERR_OK || ttl_s < 0 || ttl_s > TTL_MAX_S))
        return APIGATEWAY_BAD(call, "Authorizer result TTL should be between 0 and %d seconds",
                              TTL_MAX_S);
    if (str_empty(json_get_str(doc, STR("name"))))
        return APIGATEWAY_BAD(call, "Authorizer name cannot be empty");
    if (!ttl)
        TRY(json_set(doc, STR("authorizerResultTtlInSeconds"),
                     json_new_i64(call->arena, TTL_DEFAULT_S)));
    if (!json_get(doc, STR("authType")))
        TRY(json_set(
            doc, STR("authType"),
            json_new_str(call->arena, is_pool ? STR("cognito_user_pools") : STR("custom"))));
    TRY(is_pool ? check_pools(call, doc) : check_function(call, doc));
    return check_sources(call, doc, str_eq_c(type, "REQUEST"), ttl_s);
}

/* --- operations ----------------------------------------------------------------------------------- */

static enum err need(struct call *call, struct str api_id, struct str id, struct json **ret_doc)
{
    struct json *api;
    TRY(apigateway_need_api(call, api_id, &api));
    return apigateway_need_part(call, &apigateway_authorizers, api_id, id, ret_doc);
}

static enum err check_name(struct call *call, struct str api_id, const struct json *doc)
{
    struct json *all;
    TRY(apigateway_parts(call->txn, &apigateway_authorizers, api_id, &all));
    JSON_EACH (all, it)
        if (str_eq(json_get_str(it, STR("name")), json_get_str(doc, STR("name"))) &&
            !str_eq(json_get_str(it, STR("id")), json_get_str(doc, STR("id"))))
            return APIGATEWAY_CONFLICT(call,
                                       "Authorizer name must be unique. Authorizer " STR_FMT
                                       " already exists in this RestApi.",
                                       STR_ARG(json_get_str(doc, STR("name"))));
    return ERR_OK;
}

enum err apigateway_create_authorizer(struct call *call,
                                      const struct apigateway_create_authorizer_input *in,
                                      struct apigateway_create_authorizer_output *out)
{
    struct arena *a = call->arena;
    struct json *api, *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(json_set(doc, STR("id"), json_new_str(a, apigateway_id(a, APIGATEWAY_PART_LEN))));
    TRY(apigateway_authorizer_check(call, doc));
    TRY(check_name(call, in->rest_api_id, doc));
    TRY(apigateway_part_add(call, &apigateway_authorizers, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_authorizer(struct call *call,
                                   const struct apigateway_get_authorizer_input *in,
                                   struct apigateway_get_authorizer_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->authorizer_id, &doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_authorizers(struct call *call,
                                    const struct apigateway_get_authorizers_input *in,
                                    struct apigateway_get_authorizers_output *out)
{
    struct json *doc;
    TRY(APIGATEWAY_LIST(call, &apigateway_authorizers, in, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/authType", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/authorizerCredentials", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/authorizerResultTtlInSeconds", APIGATEWAY_REPLACE, APIGATEWAY_INT, NULL},
    {"/authorizerUri", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/identitySource", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/identityValidationExpression", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT,
     NULL},
    {"/name", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/providerARNs/[arn]", APIGATEWAY_ADD | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/type", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "TOKEN REQUEST COGNITO_USER_POOLS"},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

enum err apigateway_update_authorizer(struct call *call,
                                      const struct apigateway_update_authorizer_input *in,
                                      struct apigateway_update_authorizer_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->authorizer_id, &doc));
    TRY(apigateway_guard(call->txn, in->rest_api_id));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(apigateway_authorizer_check(call, doc));
    TRY(check_name(call, in->rest_api_id, doc));
    TRY(apigateway_part_write(call, &apigateway_authorizers, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_authorizer(struct call *call,
                                      const struct apigateway_delete_authorizer_input *in,
                                      struct apigateway_delete_authorizer_output *out)
{
    struct json *doc;
    TRY(need(call, in->rest_api_id, in->authorizer_id, &doc));
    TRY(apigateway_check_unnamed(call, in->rest_api_id, "authorizerId", in->authorizer_id,
                                 "authorizer"));
    return apigateway_part_drop(call, &apigateway_authorizers, in->rest_api_id, in->authorizer_id);
}
