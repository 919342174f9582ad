/* What must hold for integrations and their responses. See apigateway_method.h.
 * Layer: svc/apigateway. Thread: pure but for the call's error.
 * Source: API Gateway API Reference, "Integration"; Developer Guide, "Amazon API Gateway API request and
 * response data mapping reference". */
#include "core/call.h"
#include "svc/apigateway/apigateway_method.h"

enum { TIMEOUT_MS_MIN = 50, TIMEOUT_MS_MAX = 29 * 1000 };

/* --- parameter mappings --------------------------------------------------------------------------- */

#define NOT_MAPPED "Invalid mapping expression specified"
#define NO_PARAMETER "Invalid mapping expression parameter specified"

/* Sources that need no declaration. */
static bool is_free_source(struct str source)
{
    return (source.len >= 2 && source.p[0] == '\'' && source.p[source.len - 1] == '\'') ||
           str_starts(source, STR("context.")) || str_starts(source, STR("stageVariables."));
}

static bool is_request_source(const struct json *method, struct str source)
{
    if (is_free_source(source) || str_eq_c(source, "method.request.body") ||
        str_starts(source, STR("method.request.body.")) ||
        str_starts(source, STR("method.request.body[")))
        return true;
    return json_get(json_get(method, STR("requestParameters")), source) != NULL;
}

static enum err check_request_params(struct call *call, const struct json *method,
                                     const struct json *params)
{
    JSON_EACH (params, it) {
        if (!apigateway_param_is(it->key, "integration.request.", "path querystring header"))
            return apigateway_bad_mapping(call, NO_PARAMETER, it->key);
        if (!is_request_source(method, it->text))
            return apigateway_bad_mapping(call, NOT_MAPPED, it->text);
    }
    return ERR_OK;
}

static bool is_response_source(struct str source)
{
    return is_free_source(source) || str_eq_c(source, "integration.response.body") ||
           str_starts(source, STR("integration.response.body.")) ||
           str_starts(source, STR("integration.response.body[")) ||
           apigateway_param_is(source, "integration.response.", "header multivalueheader");
}

enum err apigateway_integration_response_check(struct call *call, const struct json *method,
                                               const struct json *response)
{
    struct str status = json_get_str(response, STR("statusCode"));
    const struct json *declared = json_get(
        json_get(json_get(method, STR("methodResponses")), status), STR("responseParameters"));
    JSON_EACH (json_get(response, STR("responseParameters")), it) {
        if (!json_get(declared, it->key))
            return apigateway_bad_mapping(call, NO_PARAMETER, it->key);
        if (!is_response_source(it->text))
            return apigateway_bad_mapping(call, NOT_MAPPED, it->text);
    }
    JSON_EACH (json_get(response, STR("responseTemplates")), it)
        if (it->text.len > APIGATEWAY_TEMPLATE_BYTES_MAX)
            return APIGATEWAY_BAD(call, "A mapping template has at most %d bytes.",
                                  APIGATEWAY_TEMPLATE_BYTES_MAX);
    return ERR_OK;
}

/* --- where it leads ------------------------------------------------------------------------------- */

/* Whether Weir has the service of an integration's URI. */
static bool has_service(const struct call *call, struct str name)
{
    size_t dot = str_find(name, '.'); /* a subdomain of it may stand before */
    if (dot != SIZE_MAX)
        name = str_sub(name, dot + 1, SIZE_MAX);
    for (size_t i = 0; i < call->core->n_svcs; i++) {
        const struct wire_service *w = call->core->svcs[i].def->wire;
        if (str_eq(w->signing, name) || str_eq(w->name, name))
            return true;
    }
    return false;
}

/* arn:aws:apigateway:REGION:SERVICE:path/PATH or :action/NAME, where an ARN has the account. */
static enum err check_aws_uri(struct call *call, struct str uri, bool is_proxy, bool *ret_is_lambda)
{
    struct str rest = uri;
    if (!arn_is(rest))
        return APIGATEWAY_BAD(call, "Invalid ARN specified in the request");
    (void)str_cut(&rest, ':');
    (void)str_cut(&rest, ':');
    struct str gateway = str_cut(&rest, ':');
    (void)str_cut(&rest, ':');
    struct str service = str_cut(&rest, ':');
    if (!str_eq_c(gateway, "apigateway") || str_empty(service) || !str_is_set(rest))
        return APIGATEWAY_BAD(call, "Invalid ARN specified in the request");
    if (!str_starts(rest, STR("path/")) && !str_starts(rest, STR("action/")))
        return APIGATEWAY_BAD(call, "AWS ARN for integration must contain path or action");
    *ret_is_lambda = str_eq_c(service, "lambda");
    if (is_proxy && !*ret_is_lambda)
        return APIGATEWAY_BAD(call,
                              "Integrations of type 'AWS_PROXY' currently only supports Lambda "
                              "function and Firehose stream invocations.");
    if (!has_service(call, service))
        return APIGATEWAY_BAD(
            call, "Integrations with the service '" STR_FMT "' are not supported by Weir.",
            STR_ARG(service));
    return ERR_OK;
}

static enum err check_uri(struct call *call, struct str type, const struct json *integration,
                          bool *ret_is_lambda)
{
    struct str uri = json_get_str(integration, STR("uri"));
    *ret_is_lambda = false;
    if (str_eq_c(type, "MOCK"))
        return ERR_OK;
    if (!str_is_set(json_get_str(integration, STR("httpMethod"))))
        return APIGATEWAY_BAD(call, "Enumeration value for HttpMethod must be non-empty");
    if (str_starts(type, STR("AWS")))
        return check_aws_uri(call, str_is_set(uri) ? uri : STR(""), str_eq_c(type, "AWS_PROXY"),
                             ret_is_lambda);
    if (!str_is_set(uri) || !(str_starts(uri, STR("http://")) || str_starts(uri, STR("https://")) ||
                              str_starts(uri, STR("${stageVariables."))))
        return APIGATEWAY_BAD(call, "Invalid HTTP endpoint specified for URI");
    return ERR_OK;
}

static enum err check_credentials(struct call *call, struct str type, bool is_lambda,
                                  const struct json *integration)
{
    struct str credentials = json_get_str(integration, STR("credentials"));
    struct arn arn;
    if (!str_is_set(credentials))
        return str_eq_c(type, "AWS") && !is_lambda
                   ? APIGATEWAY_BAD(call, "Role ARN must be specified for AWS integrations")
                   : ERR_OK;
    if (str_eq_c(credentials, APIGATEWAY_CALLER))
        return ERR_OK;
    if (arn_parse_as(credentials, "iam", "role", &arn) != ERR_OK || !arn_account_valid(arn.account))
        return APIGATEWAY_BAD(call, "Invalid ARN specified in the request");
    return ERR_OK;
}

/* --- the rest ------------------------------------------------------------------------------------- */

enum err apigateway_integration_refuse(struct call *call, const struct json *integration)
{
    if (str_eq_c(json_get_str(integration, STR("connectionType")), "VPC_LINK") ||
        json_get(integration, STR("connectionId")))
        return APIGATEWAY_BAD(call, "VPC links are not supported by Weir.");
    if (str_eq_c(json_get_str(integration, STR("responseTransferMode")), "STREAM"))
        return APIGATEWAY_BAD(call, "Response transfer mode STREAM is not supported by Weir.");
    if (json_get(integration, STR("integrationTarget")))
        return APIGATEWAY_BAD(call, "Integration targets are not supported by Weir.");
    return ERR_OK;
}

static enum err check_limits(struct call *call, const struct json *integration)
{
    int64_t timeout;
    const struct json *given = json_get(integration, STR("timeoutInMillis"));
    if (given && (json_to_i64(given, &timeout) != ERR_OK || timeout < TIMEOUT_MS_MIN ||
                  timeout > TIMEOUT_MS_MAX))
        return APIGATEWAY_BAD(call, "Timeout should be between %d ms and %d ms", TIMEOUT_MS_MIN,
                              TIMEOUT_MS_MAX);
    struct str passthrough = json_get_str(integration, STR("passthroughBehavior"));
    if (!str_eq_c(passthrough, "WHEN_NO_MATCH") && !str_eq_c(passthrough, "WHEN_NO_TEMPLATES") &&
        !str_eq_c(passthrough, "NEVER"))
        return APIGATEWAY_BAD(call, "Invalid passthroughBehavior specified. Must be one of: "
                                    "[WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER]");
    JSON_EACH (json_get(integration, STR("requestTemplates")), it)
        if (it->text.len > APIGATEWAY_TEMPLATE_BYTES_MAX)
            return APIGATEWAY_BAD(call, "A mapping template has at most %d bytes.",
                                  APIGATEWAY_TEMPLATE_BYTES_MAX);
    return ERR_OK;
}

static enum err add_defaults(struct call *call, const struct json *resource,
                             struct json *integration)
{
    struct arena *a = call->arena;
    if (!json_get(integration, STR("passthroughBehavior")))
        TRY(json_set(integration, STR("passthroughBehavior"),
                     json_new_str(a, STR("WHEN_NO_MATCH"))));
    if (!json_get(integration, STR("timeoutInMillis")))
        TRY(json_set(integration, STR("timeoutInMillis"), json_new_i64(a, TIMEOUT_MS_MAX)));
    if (!json_get(integration, STR("cacheNamespace")))
        TRY(json_set(integration, STR("cacheNamespace"),
                     json_new_str(a, json_get_str(resource, STR("id")))));
    if (!json_get(integration, STR("cacheKeyParameters")))
        TRY(json_set(integration, STR("cacheKeyParameters"), json_new(a, JSON_ARRAY)));
    return ERR_OK;
}

enum err apigateway_integration_check(struct call *call, const struct json *resource,
                                      const struct json *method, struct json *integration)
{
    struct str type = json_get_str(integration, STR("type"));
    bool is_lambda;
    TRY(apigateway_integration_refuse(call, integration));
    TRY(check_uri(call, type, integration, &is_lambda));
    TRY(check_credentials(call, type, is_lambda, integration));
    TRY(add_defaults(call, resource, integration));
    TRY(check_limits(call, integration));
    JSON_EACH (json_get(integration, STR("cacheKeyParameters")), it)
        if (!apigateway_param_is(it->text, "method.request.", "path querystring header") &&
            !apigateway_param_is(it->text, "integration.request.", "path querystring header"))
            return apigateway_bad_mapping(call, NO_PARAMETER, it->text);
    return check_request_params(call, method, json_get(integration, STR("requestParameters")));
}
