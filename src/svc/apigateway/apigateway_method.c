/* Methods: where they are, and what must hold for them. See apigateway_method.h.
 * Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/apigateway_method.h"

/* --- places --------------------------------------------------------------------------------------- */

enum err apigateway_method_find(struct call *call, struct str api_id, struct str resource_id,
                                struct str http_method, bool must_be,
                                struct apigateway_method_at *ret)
{
    struct apigateway_method_at at = {.api_id = api_id};
    TRY(apigateway_need_api(call, api_id, &at.api));
    TRY(apigateway_need_part(call, &apigateway_resources, api_id, resource_id, &at.resource));
    at.method = json_at(json_at(at.resource, STR("resourceMethods")), http_method);
    if (!at.method && must_be)
        return APIGATEWAY_ABSENT(call, "Invalid Method identifier specified");
    at.integration = json_at(at.method, STR("methodIntegration"));
    *ret = at;
    return ERR_OK;
}

enum err apigateway_integration_find(struct call *call, struct str api_id, struct str resource_id,
                                     struct str http_method, struct apigateway_method_at *ret)
{
    TRY(apigateway_method_find(call, api_id, resource_id, http_method, true, ret));
    return ret->integration ? ERR_OK
                            : APIGATEWAY_ABSENT(call, "Invalid Integration identifier specified");
}

enum err apigateway_method_write(struct call *call, const struct apigateway_method_at *at)
{
    TRY(apigateway_guard(call->txn, at->api_id));
    return apigateway_part_write(call, &apigateway_resources, at->api_id, at->resource);
}

/* --- parameters and models ------------------------------------------------------------------------ */

bool apigateway_param_is(struct str name, const char *prefix, const char *places)
{
    struct str rest = str_c(places);
    if (!str_starts(name, str_c(prefix)))
        return false;
    name = str_sub(name, strlen(prefix), SIZE_MAX);
    while (str_is_set(rest)) {
        struct str place = str_cut(&rest, ' ');
        if (str_starts(name, place) && name.len > place.len + 1 && name.p[place.len] == '.')
            return true;
    }
    return false;
}

enum err apigateway_bad_mapping(struct call *call, const char *what, struct str expression)
{
    return APIGATEWAY_BAD(call,
                          "Invalid mapping expression specified: Validation Result: warnings : [], "
                          "errors : [%s: " STR_FMT "]",
                          what, STR_ARG(expression));
}

static enum err check_models(struct call *call, struct str api_id, const struct json *models)
{
    struct json *model;
    JSON_EACH (models, it) {
        enum err err = apigateway_doc_read(
            call->txn, apigateway_part_key(call->arena, &apigateway_models, api_id, it->text),
            &model);
        if (err == ERR_NOT_FOUND)
            return APIGATEWAY_BAD(call, "Invalid model identifier specified: " STR_FMT,
                                  STR_ARG(it->text));
        TRY(err);
    }
    return ERR_OK;
}

static enum err check_params(struct call *call, const struct json *params, const char *prefix,
                             const char *places)
{
    JSON_EACH (params, it)
        if (!apigateway_param_is(it->key, prefix, places))
            return apigateway_bad_mapping(call, "Invalid mapping expression parameter specified",
                                          it->key);
    return ERR_OK;
}

/* --- methods -------------------------------------------------------------------------------------- */

static enum err check_authorizer(struct call *call, struct str api_id, const struct json *method)
{
    struct str kind = json_get_str(method, STR("authorizationType")),
               id = json_get_str(method, STR("authorizerId"));
    bool is_pool = str_eq_c(kind, "COGNITO_USER_POOLS");
    struct json *authorizer;
    enum err err = ERR_NOT_FOUND;
    if (str_eq_c(kind, "NONE") || str_eq_c(kind, "AWS_IAM"))
        return ERR_OK;
    if (!is_pool && !str_eq_c(kind, "CUSTOM"))
        return APIGATEWAY_BAD(call, "Invalid Authorization type specified. Must be one of: [NONE, "
                                    "AWS_IAM, CUSTOM, COGNITO_USER_POOLS]");
    if (str_is_set(id))
        err = apigateway_doc_read(
            call->txn, apigateway_part_key(call->arena, &apigateway_authorizers, api_id, id),
            &authorizer);
    if (err == ERR_OK &&
        is_pool != str_eq_c(json_get_str(authorizer, STR("type")), "COGNITO_USER_POOLS"))
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_BAD(call,
                              "Invalid authorizer ID specified. Setting the authorization type to "
                              "CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.");
    return err;
}

enum err apigateway_method_check(struct call *call, struct str api_id, const struct json *method)
{
    struct str validator = json_get_str(method, STR("requestValidatorId"));
    struct json *found;
    TRY(check_authorizer(call, api_id, method));
    if (str_is_set(validator)) {
        enum err err = apigateway_doc_read(
            call->txn, apigateway_part_key(call->arena, &apigateway_validators, api_id, validator),
            &found);
        if (err == ERR_NOT_FOUND)
            return APIGATEWAY_BAD(call, "%s", apigateway_validators.missing);
        TRY(err);
    }
    TRY(check_params(call, json_get(method, STR("requestParameters")), "method.request.",
                     "path querystring header multivaluequerystring multivalueheader"));
    return check_models(call, api_id, json_get(method, STR("requestModels")));
}

enum err apigateway_response_check(struct call *call, struct str api_id,
                                   const struct json *response)
{
    TRY(check_params(call, json_get(response, STR("responseParameters")), "method.response.",
                     "header multivalueheader"));
    return check_models(call, api_id, json_get(response, STR("responseModels")));
}
