/* An Api event: the permission for API Gateway to call the function, and its method in the API's
 * definition.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- the permission ------------------------------------------------------------------------------- */

static struct json *source_arn(struct sam *s, const struct json *p, struct str method,
                               struct str path)
{
    struct str upper = sam_upper(s, method);
    if (str_eq_c(upper, "ANY"))
        upper = STR("*");
    return sam_make(s, "{'Fn::Sub': [%s, {'__ApiId__': %v, '__Stage__': '*'}]}",
                    str_fmt(s->a,
                            "arn:" STR_FMT ":execute-api:${AWS::Region}:${AWS::AccountId}:"
                            "${__ApiId__}/${__Stage__}/" STR_FMT STR_FMT,
                            STR_ARG(s->world->partition), STR_ARG(upper),
                            STR_ARG(sam_path_pattern(s, path))),
                    SAM_GET(p, "RestApiId"));
}

/* --- what is asked of the request --------------------------------------------------------------------- */

static enum err check_model(struct sam *s, const struct json *p, const struct json *models,
                            const struct json *name)
{
    struct str model = sam_text(name) ? name->text : sam_repr(s, name);
    const struct json *method = SAM_GET(p, "Method"), *path = SAM_GET(p, "Path");
    const char *why = !models ? "the related API does not define any Models."
                      : !sam_map(models) || !sam_text(name)
                          ? "the related API does not contain valid Models."
                      : !json_get(models, model) ? "it wasn't defined in the API's Models."
                                                 : NULL;
    if (!why)
        return ERR_OK;
    return sam_bad_event(s,
                         "Unable to set RequestModel [" STR_FMT "] on API method [" STR_FMT
                         "] for path [" STR_FMT "] because %s",
                         STR_ARG(model), STR_ARG(str_lower(s->a, method->text)),
                         STR_ARG(path->text), why);
}

static enum err add_validator(struct sam *s, const struct json *p, struct json *body,
                              struct json *method)
{
    const struct json *model = SAM_GET(p, "RequestModel");
    const struct json *in_body = SAM_GET(model, "ValidateBody"),
                      *in_parameters = SAM_GET(model, "ValidateParameters");
    static const char *const names[] = {"no-validation", "params-only", "body-only",
                                        "body-and-params"};
    if (!in_body && !in_parameters)
        return ERR_OK;
    if ((in_body && in_body->kind != JSON_BOOL) ||
        (in_parameters && in_parameters->kind != JSON_BOOL))
        return sam_bad_event(
            s,
            "Unable to set Validator to RequestModel [" STR_FMT "] on API method [" STR_FMT
            "] for path [" STR_FMT
            "] ValidateBody and ValidateParameters must be a boolean type, strings or "
            "intrinsics are not supported.",
            STR_ARG(json_get_str(model, STR("Model"))),
            STR_ARG(str_lower(s->a, SAM_GET(p, "Method")->text)),
            STR_ARG(SAM_GET(p, "Path")->text));
    const char *name = names[(sam_true(in_body) ? 2 : 0) + (sam_true(in_parameters) ? 1 : 0)];
    static const char key[] = "x-amazon-apigateway-request-validators";
    if (!json_at(body, str_c(key)))
        sam_set(s, body, key, json_new(s->a, JSON_OBJECT));
    sam_set(s, json_at(body, str_c(key)), name,
            sam_make(s, "{'validateRequestBody': %v, 'validateRequestParameters': %v}",
                     json_new_bool(s->a, sam_true(in_body)),
                     json_new_bool(s->a, sam_true(in_parameters))));
    sam_set(s, method, "x-amazon-apigateway-request-validator", sam_make(s, "'_'"));
    SAM_AT(method, "x-amazon-apigateway-request-validator")->text = str_c(name);
    return ERR_OK;
}

static enum err add_model(struct sam *s, const struct json *p, const struct json *api,
                          struct json *body, struct json *method)
{
    const struct json *given = SAM_GET(p, "RequestModel"), *required = SAM_GET(given, "Required");
    const struct json *model = SAM_GET(given, "Model");
    const struct json *version = SAM_GET(body, "openapi");
    bool three = !SAM_GET(body, "swagger") && version && sam_openapi_three(version->text);
    if (!sam_true(given))
        return ERR_OK;
    TRY(check_model(s, p, SAM_GET(api, "Models"), model));
    struct str name = str_lower(s->a, sam_str(model));
    if (three) {
        struct json *request =
            sam_make(s, "{'content': {'application/json': {'schema': {'$ref': %o}}}}",
                     str_fmt(s->a, "#/components/schemas/" STR_FMT, STR_ARG(name)));
        sam_set(s, request, "required", sam_copy(s, required));
        sam_set(s, method, "requestBody", request);
    } else {
        struct json *parameter =
            sam_make(s, "{'in': 'body', 'name': %s, 'schema': {'$ref': %o}}", name,
                     str_fmt(s->a, "#/definitions/" STR_FMT, STR_ARG(name)));
        sam_set(s, parameter, "required", sam_copy(s, required));
        struct json *list = sam_as_list(s, SAM_GET(method, "parameters"));
        sam_push(s, list, parameter);
        sam_set(s, method, "parameters", list);
    }
    return add_validator(s, p, body, method);
}

static enum err bad_parameter(struct sam *s, const char *what)
{
    return sam_bad_event(s, "Invalid value for 'RequestParameters' property. %s", what);
}

static enum err one_parameter(struct sam *s, const struct json *given, struct json *list,
                              struct json *cached)
{
    struct str name = sam_text(given)                  ? given->text
                      : sam_map(given) && given->child ? given->child->key
                                                       : STR("");
    const struct json *options = sam_map(given) ? given->child : NULL;
    struct str rest = name;
    struct str first = str_cut(&rest, '.'), second = str_cut(&rest, '.'),
               where = str_cut(&rest, '.');
    if (!sam_text(given) && (!sam_map(given) || given->n != 1))
        return bad_parameter(s, "Property must be either a string or an object");
    if (!str_eq_c(first, "method") || !str_eq_c(second, "request") || !str_is_set(rest) ||
        rest.len == 0 ||
        (!str_eq_c(where, "querystring") && !str_eq_c(where, "path") && !str_eq_c(where, "header")))
        return bad_parameter(
            s, "Keys must be in the format 'method.request.[querystring|path|header].{value}', "
               "e.g 'method.request.header.Authorization'.");
    JSON_EACH (options, it)
        if (!str_eq_c(it->key, "Required") && !str_eq_c(it->key, "Caching"))
            return bad_parameter(
                s, "Values must be an object, e.g { Required: true, Caching: false }");
    if (options && !sam_map(options))
        return bad_parameter(s, "Values must be an object, e.g { Required: true, Caching: false }");
    bool required = sam_true(SAM_GET(options, "Required"));
    sam_push(
        s, list,
        sam_make(s, "{'in': %v, 'name': %s, 'required': %v, 'type': 'string'}",
                 str_eq_c(where, "querystring") ? sam_make(s, "'query'") : sam_new_str(s, where),
                 rest, json_new_bool(s->a, required)));
    if (sam_true(SAM_GET(options, "Caching")))
        sam_push(s, cached, sam_new_str(s, name));
    return ERR_OK;
}

static enum err add_parameters(struct sam *s, const struct json *p, struct json *method)
{
    struct json *list = sam_as_list(s, SAM_GET(method, "parameters")),
                *cached = json_new(s->a, JSON_ARRAY);
    if (!sam_true(SAM_GET(p, "RequestParameters")))
        return ERR_OK;
    JSON_EACH (SAM_GET(p, "RequestParameters"), it)
        TRY(one_parameter(s, it, list, cached));
    sam_set(s, method, "parameters", list);
    if (cached && cached->n)
        sam_set(s, SAM_AT(method, "x-amazon-apigateway-integration"), "cacheKeyParameters", cached);
    return ERR_OK;
}

/* --- who may ask ------------------------------------------------------------------------------------------ */

static enum err bad_authorizer(struct sam *s, const struct json *p, const char *name,
                               const char *why)
{
    return sam_bad_event(s,
                         "Unable to set Authorizer%s on API method [" STR_FMT "] for path [" STR_FMT
                         "] because %s",
                         name, STR_ARG(str_lower(s->a, SAM_GET(p, "Method")->text)),
                         STR_ARG(SAM_GET(p, "Path")->text), why);
}

static enum err check_authorizer(struct sam *s, const struct json *p, const struct json *auth,
                                 const struct json *api_auth)
{
    const struct json *authorizer = SAM_GET(auth, "Authorizer"),
                      *all = SAM_GET(api_auth, "Authorizers");
    if (SAM_GET(auth, "OverrideApiAuth") && !authorizer && !SAM_GET(auth, "ApiKeyRequired") &&
        !SAM_GET(auth, "ResourcePolicy"))
        return sam_bad_event(
            s, "Must define one of: Authorizer, ApiKeyRequired or ResourcePolicy when using "
               "the OverrideApiAuth property.");
    if (SAM_GET(auth, "AuthorizationScopes") && !authorizer)
        return sam_bad_event(s, "AuthorizationScopes works only when Authorizer is set");
    if (!authorizer || sam_eq(authorizer, "AWS_IAM"))
        return ERR_OK;
    if (sam_eq(authorizer, "NONE"))
        return sam_true(SAM_GET(api_auth, "DefaultAuthorizer"))
                   ? ERR_OK
                   : bad_authorizer(
                         s, p, "",
                         "'NONE' is only a valid value when a DefaultAuthorizer on the API is "
                         "specified.");
    struct str name = str_fmt(s->a, " [" STR_FMT "]", STR_ARG(sam_str(authorizer)));
    if (all && !sam_map(all))
        return ERR_OK; /* told of the API itself */
    if (!sam_true(all))
        return bad_authorizer(s, p, name.p, "the related API does not define any Authorizers.");
    if (!json_get(all, sam_str(authorizer)))
        return bad_authorizer(s, p, name.p, "it wasn't defined in the API's Authorizers.");
    return ERR_OK;
}

static struct str api_id(const struct json *p)
{
    const struct json *ref = SAM_GET(p, "RestApiId");
    return sam_text(ref) ? ref->text : sam_ref(ref);
}

static enum err add_auth(struct sam *s, const struct json *p, const struct json *api,
                         struct json *body, struct json *method)
{
    const struct json *auth = SAM_GET(p, "Auth"), *api_auth = SAM_GET(api, "Auth");
    struct json *resolved = NULL;
    TRY(sam_resolve(s, api_auth, &resolved));
    if (auth && resolved && resolved->kind != JSON_NULL && !sam_map(resolved)) {
        s->id = api_id(p);
        return sam_want(s, SAM_RESOURCE, resolved, 'm', STR("Auth"));
    }
    TRY(check_authorizer(s, p, auth, resolved));
    const struct json *key = SAM_GET(auth, "ApiKeyRequired");
    if (sam_bool(key, false) && !sam_true(SAM_GET(resolved, "ApiKeyRequired")))
        return sam_bad_event(s,
                             "Unable to set ApiKeyRequired [False] on API method [" STR_FMT
                             "] for path [" STR_FMT
                             "] because the related API does not specify any ApiKeyRequired.",
                             STR_ARG(str_lower(s->a, SAM_GET(p, "Method")->text)),
                             STR_ARG(SAM_GET(p, "Path")->text));
    sam_method_security(s, body, method, auth, resolved);
    if (sam_eq(SAM_GET(auth, "Authorizer"), "AWS_IAM"))
        sam_define_iam(s, body);
    return ERR_OK;
}

/* The role that API Gateway takes on for the call: of IAM authorization. */
static void add_credentials(struct sam *s, const struct json *p, const struct json *api,
                            struct json *integration)
{
    const struct json *auth = SAM_GET(p, "Auth"), *api_auth = SAM_GET(api, "Auth");
    const struct json *name = SAM_GET(auth, "Authorizer");
    const struct json *role = SAM_GET(auth, "InvokeRole");
    bool iam = sam_eq(name, "AWS_IAM") ||
               (!name && sam_eq(SAM_GET(api_auth, "DefaultAuthorizer"), "AWS_IAM"));
    if (!iam)
        return;
    if (!role)
        role = SAM_GET(api_auth, "InvokeRole");
    if (sam_eq(role, "NONE"))
        return;
    sam_set(s, integration, "credentials",
            role && !sam_eq(role, "CALLER_CREDENTIALS")
                ? sam_copy(s, role)
                : sam_make(s, "%o",
                           str_fmt(s->a, "arn:" STR_FMT ":iam::*:user/*",
                                   STR_ARG(s->world->partition))));
}

/* --- the method ----------------------------------------------------------------------------------------------- */

static struct json *function_uri(struct sam *s, const struct sam_fn *fn, bool stream)
{
    bool alias = str_is_set(fn->alias);
    /* A name that the transform made makes the text its own. */
    return sam_make(s, alias ? "{'Fn::Sub': %o}" : "{'Fn::Sub': %s}",
                    str_fmt(s->a,
                            "arn:" STR_FMT ":apigateway:${AWS::Region}:lambda:path/%s/functions/"
                            "${" STR_FMT "%s}/%s",
                            STR_ARG(s->world->partition), stream ? "2021-11-15" : "2015-03-31",
                            STR_ARG(alias ? fn->alias : fn->id), alias ? "" : ".Arn",
                            stream ? "response-streaming-invocations" : "invocations"));
}

static enum err add_integration(struct sam *s, const struct sam_fn *fn, const struct json *p,
                                const struct json *api, struct json *method)
{
    struct str condition = json_get_str(fn->resource, STR("Condition"));
    bool stream = sam_eq(SAM_GET(p, "ResponseTransferMode"), "RESPONSE_STREAM");
    struct json *uri = function_uri(s, fn, stream);
    if (SAM_GET(method, "x-amazon-apigateway-integration"))
        return sam_bad_event(
            s, "API method \"" STR_FMT "\" defined multiple times for path \"" STR_FMT "\".",
            STR_ARG(str_lower(s->a, SAM_GET(p, "Method")->text)),
            STR_ARG(SAM_GET(p, "Path")->text));
    if (str_is_set(condition))
        uri = sam_make(s, "{'Fn::If': [%s, %v, {'Ref': 'AWS::NoValue'}]}", condition, uri);
    struct json *integration =
        sam_make(s,
                 "{'type': 'aws_proxy', 'httpMethod': 'POST', 'uri': %v, 'timeoutInMillis': %v, "
                 "'responseTransferMode': %v}",
                 uri, SAM_GET(p, "TimeoutInMillis"), stream ? sam_make(s, "'STREAM'") : NULL);
    sam_set(s, method, "x-amazon-apigateway-integration", integration);
    sam_set(s, method, "responses", json_new(s->a, JSON_OBJECT));
    add_credentials(s, p, api, SAM_AT(method, "x-amazon-apigateway-integration"));
    return ERR_OK;
}

/* Puts what a method says under the function's condition. */
static void under_condition(struct sam *s, const struct sam_fn *fn, struct json *method)
{
    struct str condition = json_get_str(fn->resource, STR("Condition"));
    if (!str_is_set(condition))
        return;
    struct json *v =
        sam_make(s, "{'Fn::If': [%s, %v, {'Ref': 'AWS::NoValue'}]}", condition, method);
    if (!v)
        return;
    method->child = v->child;
    method->n = v->n;
}

static enum err fill_method(struct sam *s, struct sam_fn *fn, const struct json *p,
                            struct json *api_p, struct json *body)
{
    struct str path = SAM_GET(p, "Path")->text;
    struct json *method =
        sam_add_path(s, body, path, sam_method_name(s, SAM_GET(p, "Method")->text));
    const struct json *auth = SAM_GET(p, "Auth");
    bool secured = SAM_GET(body, "securityDefinitions") != NULL;
    if (!method)
        return s->a->failed ? ERR_NOMEM : ERR_OK;
    TRY(add_integration(s, fn, p, api_p, method));
    TRY(add_auth(s, p, api_p, body, method));
    TRY(add_model(s, p, api_p, body, method));
    TRY(add_parameters(s, p, method));
    under_condition(s, fn, method);
    struct sam_part *items;
    size_t n;
    TRY(sam_path_items(s, body, &items, &n));
    const struct json *policy = SAM_GET(auth, "ResourcePolicy");
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(items[i].name, path))
            continue;
        TRY(sam_add_resource_policy(s, body, policy, &items[i], SAM_GET(api_p, "StageName")));
        TRY(sam_add_resource_policy(s, body, policy, NULL, NULL));
    }
    if (!secured)
        sam_move_last(s, body, "securityDefinitions");
    return ERR_OK;
}

/* An event that fails leaves nothing, so that the next one of its method is judged by itself. */
static enum err add_to_definition(struct sam *s, struct sam_fn *fn, const struct json *p,
                                  struct json *api_p, struct json *body)
{
    struct str name = sam_method_name(s, SAM_GET(p, "Method")->text);
    struct json *method = sam_add_path(s, body, SAM_GET(p, "Path")->text, name);
    bool taken = SAM_GET(method, "x-amazon-apigateway-integration") != NULL;
    enum err err = fill_method(s, fn, p, api_p, body);
    if (err == ERR_INVALID && method && !taken) {
        method->child = NULL;
        method->n = 0;
    }
    return err;
}

/* The method of a definition of its own, over what the user's definition says of it: member by member. */
static void merge_method(struct sam *s, struct json *body, const struct json *p,
                         const struct json *generated)
{
    struct str path = SAM_GET(p, "Path")->text;
    struct str name = str_lower(s->a, SAM_GET(p, "Method")->text);
    struct json *paths, *merged = json_new(s->a, JSON_OBJECT);
    const struct json *made =
        json_get(json_get(SAM_GET(generated, "paths"), path), sam_method_name(s, name));
    sam_shallow_copy(s, body);
    paths = SAM_AT(body, "paths");
    const struct json *both[2] = {json_get(json_get(paths, path), name), made};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct sam_members m =
            sam_in_order(s, (struct json *)(uintptr_t)(sam_map(both[i]) ? both[i] : NULL));
        for (size_t k = 0; k < m.n; k++) {
            struct json *copy = sam_copy(s, m.v[k]);
            sam_put(s, merged, m.v[k]->key, copy);
        }
    }
    if (!json_get(paths, path)) {
        sam_put(s, paths, path, sam_keep_order(json_new(s->a, JSON_OBJECT)));
    }
    sam_put(s, json_at(paths, path), name, sam_keep_order(merged));
}

static enum err add_and_merge(struct sam *s, struct sam_fn *fn, const struct json *p,
                              struct json *api_p, struct json *body)
{
    struct json *generated = sam_empty_definition(s);
    TRY(fill_method(s, fn, p, api_p, generated));
    sam_rebuild(s, generated);
    merge_method(s, body, p, generated);
    return ERR_OK;
}

/* A definition of the user's own keeps what it says, but for methods whose event insists. */
static enum err override_auth(struct sam *s, const struct json *p, const struct json *api_p,
                              struct json *body)
{
    struct json *item = json_at(SAM_AT(body, "paths"), SAM_GET(p, "Path")->text);
    struct json *method = json_at(item, sam_method_name(s, SAM_GET(p, "Method")->text));
    if (!sam_map(method))
        return ERR_OK;
    json_unset(method, STR("security"));
    return add_auth(s, p, api_p, body, method);
}

enum err sam_api_event(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    struct json *api = json_at(s->resources, api_id(p));
    struct json *api_p = SAM_AT(api, "Properties"), *body = NULL;
    bool hashed;
    bool serverless = sam_eq(SAM_GET(api, "Type"), "AWS::Serverless::Api");
    const struct json *stage = serverless ? SAM_GET(api_p, "StageName") : SAM_GET(p, "Stage");
    TRY(sam_permission(
        s, fn, id, sam_text(stage) ? str_cstr(s->a, sam_stage_part(s, stage, &hashed)) : "Stage",
        "apigateway.amazonaws.com",
        source_arn(s, p, SAM_GET(p, "Method")->text, SAM_GET(p, "Path")->text), NULL, NULL));
    if (!serverless)
        return ERR_OK;
    body = SAM_AT(api_p, "DefinitionBody");
    bool managed = sam_bool(SAM_GET(api_p, "__MANAGE_SWAGGER"), true);
    if (body && !managed && sam_true(SAM_GET(api_p, "MergeDefinitions")))
        TRY(add_and_merge(s, fn, p, api_p, body));
    bool overrides = sam_true(SAM_GET(SAM_GET(p, "Auth"), "OverrideApiAuth"));
    if (!managed && (!overrides || !sam_definition_valid(body)))
        return ERR_OK;
    sam_rebuild(s, body);
    TRY(managed && body ? add_to_definition(s, fn, p, api_p, body)
                        : override_auth(s, p, api_p, body));
    sam_rebuild(s, body);
    return ERR_OK;
}
