/* AWS::Serverless::Api: the API with its definition, a deployment whose name changes with it, and the stage.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static const char owner[] = "AWS::Serverless::Api";

/* Properties that change the definition, and the words for where there is none or it is no definition. */
static const struct {
    const char *property, *external, *invalid;
} editing[] = {
    {"Cors", "Cors works only with inline Swagger specified in 'DefinitionBody' property.",
     "Unable to add Cors configuration because 'DefinitionBody' does not contain a valid Swagger "
     "definition."},
    {"Auth", "Auth works only with inline Swagger specified in 'DefinitionBody' property.",
     "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger "
     "definition."},
    {"GatewayResponses",
     "GatewayResponses works only with inline Swagger specified in 'DefinitionBody' property.",
     "Unable to add GatewayResponses configuration because 'DefinitionBody' does not contain a "
     "valid Swagger "
     "definition."},
    {"Models", "Models works only with inline Swagger specified in 'DefinitionBody' property.",
     "Unable to add Models definitions because 'DefinitionBody' does not contain a valid Swagger "
     "definition."},
};

static enum err editable(struct sam *s, size_t i, const struct json *p, bool *ret_wanted)
{
    const struct json *given = json_get(p, str_c(editing[i].property)),
                      *body = SAM_GET(p, "DefinitionBody");
    *ret_wanted = sam_true(given);
    if (!*ret_wanted)
        return ERR_OK;
    if (!body)
        return sam_bad(s, "%s", editing[i].external);
    return sam_definition_valid(body) ? ERR_OK : sam_bad(s, "%s", editing[i].invalid);
}

static enum err check_auth(struct sam *s, const struct json *auth)
{
    static const char *const known[] = {"DefaultAuthorizer",
                                        "Authorizers",
                                        "InvokeRole",
                                        "AddDefaultAuthorizerToCorsPreflight",
                                        "AddApiKeyRequiredToCorsPreflight",
                                        "ApiKeyRequired",
                                        "ResourcePolicy",
                                        "UsagePlan"};
    JSON_EACH (auth, it) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found = found || str_eq_c(it->key, known[i]);
        if (!found)
            return sam_bad(s, "Invalid value for 'Auth' property");
    }
    return ERR_OK;
}

static enum err edit_auth(struct sam *s, const struct json *auth, const struct json *stage,
                          const struct json *version, struct json *body)
{
    bool secured = SAM_GET(body, "securityDefinitions") != NULL;
    struct sam_part *items;
    size_t n;
    TRY(check_auth(s, auth));
    TRY(sam_add_authorizers(s, body, auth));
    if (SAM_GET(auth, "DefaultAuthorizer") || SAM_GET(auth, "ApiKeyRequired"))
        TRY(sam_default_security(s, body, auth));
    TRY(sam_path_items(s, body, &items, &n));
    for (size_t i = 0; i < n; i++)
        TRY(sam_add_resource_policy(s, body, SAM_GET(auth, "ResourcePolicy"), &items[i], stage));
    TRY(sam_add_resource_policy(s, body, SAM_GET(auth, "ResourcePolicy"), NULL, NULL));
    if (!secured)
        sam_move_last(s, body, "securityDefinitions");
    sam_rebuild(s, body);
    return sam_openapi(s, body, version);
}

/* --- media types ------------------------------------------------------------------------------------- */

/* "image~1gif" is how a path in JSON spells "image/gif". */
static struct json *unescaped(struct sam *s, const struct json *v)
{
    struct json *copy = sam_copy(s, v);
    if (sam_text(copy)) {
        struct buf b;
        buf_init_arena(&b, s->a, 4096);
        for (size_t i = 0; i < copy->text.len; i++) {
            bool slash =
                copy->text.p[i] == '~' && i + 1 < copy->text.len && copy->text.p[i + 1] == '1';
            buf_add_byte(&b, slash ? '/' : copy->text.p[i]);
            i += slash;
        }
        copy->text = buf_str(&b);
        return copy;
    }
    struct json *out = copy && copy->child ? json_new(s->a, copy->kind) : copy;
    JSON_EACH (v, it) {
        struct json *member = unescaped(s, it);
        if (v->kind == JSON_OBJECT)
            sam_put(s, out, it->key, member);
        else
            sam_push(s, out, member);
    }
    return out;
}

/* --- the definition ----------------------------------------------------------------------------------- */

static const char no_definition[] =
    "Invalid Swagger document or the Swagger document is not explicitly defined in "
    "'DefinitionBody'.";

static enum err disable_endpoint(struct sam *s, const struct json *p, struct json *body)
{
    const struct json *given = SAM_GET(p, "DisableExecuteApiEndpoint");
    static const char name[] = "x-amazon-apigateway-endpoint-configuration";
    if (!given)
        return ERR_OK;
    if (!body)
        return sam_bad(s, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.");
    if (!sam_definition_valid(body))
        return sam_bad_document(s, "%s", no_definition);
    bool three = SAM_GET(body, "openapi") || SAM_GET(p, "OpenApiVersion");
    struct json *holder = body;
    if (three) {
        struct json *servers = SAM_AT(body, "servers");
        if (!servers)
            sam_set(s, body, "servers", sam_make(s, "[{}]"));
        holder = SAM_AT(body, "servers") ? SAM_AT(body, "servers")->child : NULL;
    }
    struct json *config = json_at(holder, str_c(name));
    if (config && !sam_map(config))
        return sam_bad_document(s,
                                "Invalid OpenAPI definition%s: The value of '%s' should be a map.",
                                three ? " of 'servers[0]'" : "", name);
    if (!config)
        sam_set(s, holder, name, json_new(s->a, JSON_OBJECT));
    sam_set(s, json_at(holder, str_c(name)), "disableExecuteApiEndpoint", sam_copy(s, given));
    return ERR_OK;
}

static enum err edit(struct sam *s, const struct json *p, const struct json *version,
                     struct json *body)
{
    bool wanted;
    struct json *given = NULL;
    struct sam_part *items;
    size_t n;
    if (sam_definition_valid(body))
        TRY(sam_path_items(s, body, &items, &n));
    TRY(editable(s, 0, p, &wanted));
    TRY(sam_resolve(s, SAM_GET(p, "Cors"), &given));
    if (wanted) {
        sam_rebuild(s, body);
        TRY(sam_add_cors(s, body, given));
        sam_rebuild(s, body);
    }
    const struct json *auth = SAM_GET(p, "Auth");
    if (auth && !sam_intrinsic(auth))
        TRY(sam_want(s, SAM_RESOURCE, auth, 'm', STR("Auth")));
    TRY(editable(s, 1, p, &wanted));
    TRY(sam_resolve(s, auth, &given));
    if (wanted) {
        sam_rebuild(s, body);
        TRY(edit_auth(s, given, SAM_GET(p, "StageName"), version, body));
    }
    TRY(editable(s, 2, p, &wanted));
    if (wanted && sam_intrinsic(SAM_GET(p, "GatewayResponses")))
        return sam_add_gateway_responses(s, body, SAM_GET(p, "GatewayResponses"));
    if (wanted) {
        sam_rebuild(s, body);
        TRY(sam_add_gateway_responses(s, body, SAM_GET(p, "GatewayResponses")));
        sam_rebuild(s, body);
    }
    if (sam_true(SAM_GET(p, "BinaryMediaTypes")) && body) {
        if (!sam_definition_valid(body))
            return sam_bad_document(s, "%s", no_definition);
        sam_rebuild(s, body);
        sam_set(s, body, "x-amazon-apigateway-binary-media-types",
                unescaped(s, SAM_GET(p, "BinaryMediaTypes")));
        sam_rebuild(s, body);
    }
    TRY(editable(s, 3, p, &wanted));
    if (wanted) {
        sam_rebuild(s, body);
        TRY(sam_add_models(s, body, SAM_GET(p, "Models")));
        sam_rebuild(s, body);
        TRY(sam_openapi(s, body, version));
    }
    if (!SAM_GET(p, "DisableExecuteApiEndpoint"))
        return ERR_OK;
    sam_rebuild(s, body);
    TRY(disable_endpoint(s, p, body));
    sam_rebuild(s, body);
    return ERR_OK;
}

/* --- the API --------------------------------------------------------------------------------------------- */

static void endpoint(struct sam *s, const struct json *given, struct json *api)
{
    const struct json *type =
        sam_map(given) && !sam_intrinsic(given) ? SAM_GET(given, "Type") : given;
    if (!given)
        return;
    struct json *config = sam_make(s, "{'Types': [%v]}", type);
    if (type != given) {
        sam_take(s, config, "VpcEndpointIds", given, "VPCEndpointIds");
        sam_take(s, config, "IpAddressType", given, "IpAddressType");
    }
    if (!type)
        json_unset(config, STR("Types"));
    sam_set(s, api, "EndpointConfiguration", config);
    if (type)
        sam_set(s, api, "Parameters", sam_make(s, "{'endpointConfigurationTypes': %v}", type));
}

static enum err open_api_version(struct sam *s, const struct json *p, struct json **ret_version)
{
    struct json *v = NULL;
    TRY(sam_resolve(s, SAM_GET(p, "OpenApiVersion"), &v));
    *ret_version = NULL;
    if (!sam_true(v))
        return ERR_OK;
    if (sam_is(v, JSON_NUMBER) && str_find(v->text, '.') != SIZE_MAX)
        v = sam_make(s, "%o", sam_repr(s, v));
    TRY(sam_want(s, SAM_RESOURCE, v, 's', STR("OpenApiVersion")));
    struct str t = v->text;
    bool good = t.len >= 3 && (t.p[0] == '2' || t.p[0] == '3') && t.p[1] == '.';
    for (size_t i = 2; i < t.len; i++)
        good = good && ((t.p[i] >= '0' && t.p[i] <= '9') || (t.p[i] == '.' && i == 3));
    if (!good)
        return sam_bad(s, "The OpenApiVersion value must be of the format '3.0.0'.");
    *ret_version = v;
    return ERR_OK;
}

static enum err check_sources(struct sam *s, const struct json *p)
{
    const struct json *body = SAM_GET(p, "DefinitionBody"), *uri = SAM_GET(p, "DefinitionUri");
    if (sam_bool(SAM_GET(p, "MergeDefinitions"), true) && uri)
        return sam_bad(s, "Cannot set 'MergeDefinitions' to True when using `DefinitionUri`.");
    if (body && uri)
        return sam_bad(s,
                       "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.");
    return ERR_OK;
}

static enum err body_of(struct sam *s, const struct json *resource, struct json *p,
                        const struct json *version, struct json *api)
{
    struct json *body = SAM_AT(p, "DefinitionBody"), *location = NULL;
    const struct json *uri = SAM_GET(p, "DefinitionUri");
    TRY(edit(s, p, version, body));
    if (uri) {
        TRY(sam_location(s, uri, "DefinitionUri", sam_body_names, &location));
        sam_set(s, api, "BodyS3Location", location);
        return ERR_OK;
    }
    TRY(sam_openapi(s, body, version));
    sam_set(s, api, "Body", sam_copy(s, body));
    return ERR_OK;
}

static enum err rest_api(struct sam *s, const struct json *resource, struct json *p,
                         const struct json *version, struct json **ret_api)
{
    struct json *api = json_new(s->a, JSON_OBJECT), *types = NULL;
    endpoint(s, SAM_GET(p, "EndpointConfiguration"), api);
    TRY(body_of(s, resource, p, version, api));
    TRY(sam_resolve(s, SAM_GET(p, "BinaryMediaTypes"), &types));
    sam_carry(s, owner, p, api);
    sam_set(s, api, "BinaryMediaTypes", types);
    TRY(sam_emit(s, resource->key, "AWS::ApiGateway::RestApi", api, resource, true));
    *ret_api = api;
    return ERR_OK;
}

/* --- deployment and stage --------------------------------------------------------------------------------- */

static enum err deployment(struct sam *s, const struct json *resource, const struct json *p,
                           const struct json *version, const struct json *api, struct str *ret_id)
{
    const struct json *body = SAM_GET(api, "Body") ? SAM_GET(p, "DefinitionBody") : NULL,
                      *location = SAM_GET(api, "BodyS3Location");
    struct json *domain = NULL;
    struct buf b;
    buf_init_arena(&b, s->a, 16 << 20);
    buf_add_str(&b, sam_repr27(s, body ? body : location));
    if (version) {
        BUF_ADD_LIT(&b, "||");
        buf_add_str(&b, version->text);
    }
    TRY(sam_resolve(s, SAM_GET(p, "Domain"), &domain));
    if (domain) {
        sam_complete_domain(s, domain);
        BUF_ADD_LIT(&b, "||");
        buf_add_str(&b, sam_dump27(s, domain));
    }
    struct str names = json_get_str(s->names, resource->key);
    if (str_is_set(names)) {
        BUF_ADD_LIT(&b, "||");
        buf_add_str(&b, names);
    }
    if (sam_true(SAM_GET(p, "AlwaysDeploy"))) {
        buf_clear(&b);
        buf_add_i64(&b, s->world->now);
    }
    struct str hash = sam_hash(s, buf_str(&b), 40);
    *ret_id = sam_cat3(s, sam_cat(s, resource->key, "Deployment"), str_sub(hash, 0, 10), "");
    struct json *v =
        sam_make(s, "{'RestApiId': {'Ref': %s}, 'Description': %s, 'StageName': %v}", resource->key,
                 str_fmt(s->a, "RestApi deployment id: " STR_FMT, STR_ARG(hash)),
                 version ? NULL : sam_make(s, "'Stage'"));
    sam_put(s, s->refs, sam_cat(s, resource->key, ".Deployment"), sam_new_str(s, *ret_id));
    return sam_emit(s, *ret_id, "AWS::ApiGateway::Deployment", v, resource, false);
}

static enum err stage(struct sam *s, const struct json *resource, const struct json *p,
                      struct str deployment_id, struct str *ret_id)
{
    static const char *const carried[] = {
        "StageName",      "CacheClusterEnabled", "CacheClusterSize", "Variables",
        "MethodSettings", "AccessLogSetting",    "CanarySetting",    "TracingEnabled"};
    bool hashed;
    struct str part = sam_stage_part(s, SAM_GET(p, "StageName"), &hashed);
    struct json *v = sam_make(s, "{'RestApiId': {'Ref': %s}, 'DeploymentId': {'Ref': %s}}",
                              resource->key, deployment_id);
    *ret_id = hashed ? sam_cat3(s, sam_cat(s, resource->key, "Stage"), part, "")
                     : sam_cat3(s, resource->key, part, "Stage");
    for (size_t i = 0; i < ARRAY_LEN(carried); i++)
        sam_take(s, v, carried[i], p, carried[i]);
    if (SAM_GET(p, "Tags"))
        sam_set(s, v, "Tags", sam_tags(s, SAM_GET(p, "Tags"), NULL));
    sam_put(s, s->refs, sam_cat(s, resource->key, ".Stage"), sam_new_str(s, *ret_id));
    return sam_emit(s, *ret_id, "AWS::ApiGateway::Stage", v, resource, false);
}

/* Lambda authorizers are functions that API Gateway must be allowed to call. */
static enum err authorizer_permissions(struct sam *s, const struct json *resource,
                                       const struct json *p)
{
    struct json *auth = NULL;
    TRY(sam_resolve(s, SAM_GET(p, "Auth"), &auth));
    JSON_EACH (SAM_GET(auth, "Authorizers"), it) {
        const struct json *function = SAM_GET(it, "FunctionArn"),
                          *off = SAM_GET(it, "DisableFunctionDefaultPermissions");
        if (off && off->kind != JSON_BOOL)
            return sam_want(s, SAM_RESOURCE, off, 'b',
                            str_fmt(s->a,
                                    "Authorizers." STR_FMT ".DisableFunctionDefaultPermissions",
                                    STR_ARG(it->key)));
        if (!function || sam_true(off) || SAM_GET(it, "UserPoolArn"))
            continue;
        struct json *v = sam_make(
            s,
            "{'Action': 'lambda:InvokeFunction', 'FunctionName': %v, 'Principal': "
            "'apigateway.amazonaws.com', 'SourceArn': {'Fn::Sub': [%s, {'__ApiId__': {'Ref': "
            "%s}}]}}",
            function,
            str_fmt(s->a,
                    "arn:" STR_FMT
                    ":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*",
                    STR_ARG(s->world->partition)),
            resource->key);
        TRY(sam_emit(s, sam_cat3(s, resource->key, it->key, "AuthorizerPermission"),
                     "AWS::Lambda::Permission", v, resource, false));
    }
    return ERR_OK;
}

enum err sam_api(struct sam *s, const struct json *resource)
{
    struct json *p = json_at((struct json *)(uintptr_t)resource, STR("Properties")),
                *version = NULL, *api = NULL;
    struct json *domain = NULL;
    struct str deployment_id, stage_id;
    TRY(sam_check(s, owner, owner, p));
    TRY(check_sources(s, p));
    TRY(open_api_version(s, p, &version));
    TRY(rest_api(s, resource, p, version, &api));
    TRY(deployment(s, resource, p, version, api, &deployment_id));
    TRY(stage(s, resource, p, deployment_id, &stage_id));
    TRY(authorizer_permissions(s, resource, p));
    TRY(sam_resolve(s, SAM_GET(p, "Domain"), &domain));
    if (domain)
        TRY(sam_domain(s, resource, domain, stage_id));
    return sam_usage_plan(s, resource, SAM_GET(p, "Auth"), stage_id);
}
