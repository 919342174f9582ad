/* Security of a description: schemes that are authorizers, IAM or API keys, and what operations ask for.
 * Layer: svc/apigateway, pure. */
#include "svc/apigateway/openapi_int.h"

enum scheme { SCHEME_NONE, SCHEME_KEY, SCHEME_IAM, SCHEME_AUTHORIZER };

static enum err schemes_of(struct openapi *o, const struct json **ret)
{
    const struct json *components;
    TRY(openapi_object(o, o->root, "components", &components));
    return openapi_object(o, o->v3 ? components : o->root,
                          o->v3 ? "securitySchemes" : "securityDefinitions", ret);
}

static enum scheme kind_of(struct openapi *o, const struct json *scheme)
{
    if (json_get(scheme, STR(OPENAPI_EXT "authorizer")))
        return SCHEME_AUTHORIZER;
    if (str_eq_nocase(openapi_member(o, scheme, OPENAPI_EXT "authtype"), STR("awsSigv4")))
        return SCHEME_IAM;
    if (str_eq_c(openapi_member(o, scheme, "type"), "apiKey") &&
        str_eq_nocase(openapi_member(o, scheme, "name"), STR("x-api-key")))
        return SCHEME_KEY;
    return SCHEME_NONE;
}

/* --- authorizers -------------------------------------------------------------------------------- */

static enum err read_providers(struct openapi *o, const struct json *from, struct json *to)
{
    const struct json *arns;
    TRY(openapi_array(o, from, "providerARNs", &arns));
    if (!arns)
        return ERR_OK;
    struct json *copy = json_new(o->a, JSON_ARRAY);
    TRY(json_set(to, STR("providerARNs"), copy));
    JSON_EACH (arns, it)
        TRY(json_push(copy, json_new_str(o->a, openapi_text(o, it))));
    return ERR_OK;
}

static enum err read_ttl(struct openapi *o, const struct json *from, struct json *to)
{
    int64_t ttl = 300;
    struct str text = openapi_member(o, from, "authorizerResultTtlInSeconds");
    if (str_is_set(text) && (str_to_i64(text, &ttl) != ERR_OK || ttl < 0 || ttl > 3600))
        return openapi_fault(o, "Invalid authorizerResultTtlInSeconds: must be between 0 and 3600");
    return json_set(to, STR("authorizerResultTtlInSeconds"), json_new_i64(o->a, ttl));
}

/* A header says where the token is where the extension does not. */
static enum err read_source(struct openapi *o, const struct json *scheme, const struct json *from,
                            bool of_header, struct json *to)
{
    struct str source = openapi_member(o, from, "identitySource");
    struct str header = openapi_member(o, scheme, "name");
    if (!str_is_set(source) && of_header) {
        source = str_fmt(o->a, "method.request.header." STR_FMT,
                         STR_ARG(str_is_set(header) ? header : STR("Authorization")));
        if (!str_is_set(source))
            return ERR_NOMEM;
    }
    return openapi_set(o, to, "identitySource", source);
}

static enum err read_authorizer(struct openapi *o, struct str name, const struct json *scheme)
{
    static const char *const types[] = {"TOKEN", "REQUEST", "COGNITO_USER_POOLS"};
    const struct json *from;
    struct json *to = json_new(o->a, JSON_OBJECT);
    struct str id = o->how->new_id(o->a, OPENAPI_PART_ID_LEN);
    if (!to || !str_is_set(id))
        return ERR_NOMEM;
    TRY(openapi_object(o, scheme, OPENAPI_EXT "authorizer", &from));
    struct str type = openapi_upper(o, openapi_member(o, from, "type"));
    size_t t = 0;
    while (t < ARRAY_LEN(types) && !str_eq_c(type, types[t]))
        t++;
    if (t == ARRAY_LEN(types))
        return openapi_fault(
            o, "Unable to create authorizer '" STR_FMT "': Invalid authorizer type", STR_ARG(name));
    TRY(openapi_set(o, to, "id", id));
    TRY(openapi_set(o, to, "name", name));
    TRY(openapi_set(o, to, "type", type));
    TRY(read_providers(o, from, to));
    struct str auth_type = openapi_member(o, scheme, OPENAPI_EXT "authtype");
    TRY(openapi_set(o, to, "authType",
                    str_is_set(auth_type) ? auth_type
                    : t == 2              ? STR("cognito_user_pools")
                                          : STR("custom")));
    TRY(openapi_set(o, to, "authorizerUri", openapi_member(o, from, "authorizerUri")));
    TRY(openapi_set(o, to, "authorizerCredentials",
                    openapi_member(o, from, "authorizerCredentials")));
    TRY(read_source(o, scheme, from, t != 1, to));
    TRY(openapi_set(o, to, "identityValidationExpression",
                    openapi_member(o, from, "identityValidationExpression")));
    TRY(read_ttl(o, from, to));
    return json_push(o->authorizers, to);
}

enum err openapi_authorizers(struct openapi *o)
{
    const struct json *schemes, *scheme;
    TRY(schemes_of(o, &schemes));
    JSON_EACH (schemes, it) {
        TRY(openapi_follow(o, it, &scheme));
        if (scheme && kind_of(o, scheme) == SCHEME_AUTHORIZER)
            TRY(read_authorizer(o, it->key, scheme));
    }
    return ERR_OK;
}

/* --- what operations ask for -------------------------------------------------------------------- */

static const struct json *authorizer_named(const struct openapi *o, struct str name)
{
    JSON_EACH (o->authorizers, it)
        if (str_eq(json_get_str(it, STR("name")), name))
            return it;
    return NULL;
}

static enum err set_authorizer(struct openapi *o, struct str name, const struct json *scopes,
                               struct json *method)
{
    const struct json *authorizer = authorizer_named(o, name);
    if (!authorizer) /* a fault of its own was noted */
        return ERR_OK;
    bool cognito = str_eq_c(json_get_str(authorizer, STR("type")), "COGNITO_USER_POOLS");
    TRY(openapi_set(o, method, "authorizationType",
                    cognito ? STR("COGNITO_USER_POOLS") : STR("CUSTOM")));
    TRY(openapi_set(o, method, "authorizerId", json_get_str(authorizer, STR("id"))));
    if (!cognito || scopes->kind != JSON_ARRAY || !scopes->child)
        return ERR_OK;
    struct json *list = json_new(o->a, JSON_ARRAY);
    TRY(json_set(method, STR("authorizationScopes"), list));
    if (scopes->n > OPENAPI_MEMBERS_MAX)
        return openapi_fault(o, "More than %d authorization scopes", OPENAPI_MEMBERS_MAX);
    JSON_EACH (scopes, it)
        TRY(json_push(list, json_new_str(o->a, openapi_text(o, it))));
    return ERR_OK;
}

/* {"name": [scopes]}; of several in one object, or several objects, each adds what it is. */
static enum err ask(struct openapi *o, const struct json *schemes, const struct json *need,
                    struct str where, struct json *method)
{
    const struct json *scheme;
    TRY(openapi_follow(o, json_get(schemes, need->key), &scheme));
    if (!scheme)
        return openapi_fault(
            o, "Unable to put method " STR_FMT ": security scheme '" STR_FMT "' is not defined",
            STR_ARG(where), STR_ARG(need->key));
    switch (kind_of(o, scheme)) {
    case SCHEME_AUTHORIZER:
        return set_authorizer(o, need->key, need, method);
    case SCHEME_IAM:
        return openapi_set(o, method, "authorizationType", STR("AWS_IAM"));
    case SCHEME_KEY:
        return json_set(method, STR("apiKeyRequired"), json_new_bool(o->a, true));
    case SCHEME_NONE:
        break;
    }
    return openapi_warn(o,
                        "Security scheme '" STR_FMT "' of " STR_FMT " is no authorizer of API "
                        "Gateway's and was left out",
                        STR_ARG(need->key), STR_ARG(where));
}

enum err openapi_security(struct openapi *o, const struct json *op, struct str where,
                          struct json *method)
{
    const struct json *schemes, *needs, *auth;
    TRY(openapi_set(o, method, "authorizationType", STR("NONE")));
    TRY(json_set(method, STR("apiKeyRequired"), json_new_bool(o->a, false)));
    TRY(schemes_of(o, &schemes));
    TRY(openapi_array(o, op, "security", &needs));
    JSON_EACH (needs, alternative) {
        if (alternative->n > OPENAPI_REFS_MAX)
            return openapi_fault(o, "Too many security schemes of " STR_FMT, STR_ARG(where));
        JSON_EACH (alternative, need)
            TRY(ask(o, schemes, need, where, method));
    }
    TRY(openapi_object(o, op, OPENAPI_EXT "auth", &auth));
    struct str type = openapi_upper(o, openapi_member(o, auth, "type"));
    if (!str_is_set(type))
        return ERR_OK;
    if (!str_eq_c(type, "NONE") && !str_eq_c(type, "AWS_IAM"))
        return openapi_fault(o, "Invalid " OPENAPI_EXT "auth of " STR_FMT, STR_ARG(where));
    (void)json_unset(method, STR("authorizerId"));
    (void)json_unset(method, STR("authorizationScopes"));
    return openapi_set(o, method, "authorizationType", type);
}
