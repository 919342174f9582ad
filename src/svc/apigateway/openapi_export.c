/* A snapshot as a description: the other way of openapi_import. See openapi.h.
 * Layer: svc/apigateway, pure. */
#include "svc/apigateway/openapi_int.h"

#define MODELS_PLACE "/models/"

struct writer {
    struct arena *a;
    const struct openapi_export *how;
    const struct json *snapshot;
    bool keys, iam; /* some method asks for an API key, or for signatures */
};

/* --- small things ------------------------------------------------------------------------------- */

static enum err put_text(struct writer *w, struct json *to, const char *key, struct str text)
{
    return str_is_set(text) ? json_set(to, str_c(key), json_new_str(w->a, text)) : ERR_OK;
}

static enum err put_new(struct writer *w, struct json *to, struct str key, enum json_kind kind,
                        struct json **ret)
{
    *ret = json_new(w->a, kind);
    return json_set(to, key, *ret);
}

/* A copy of a member, under another name, where it is there. */
static enum err put_copy(struct writer *w, struct json *to, const char *key,
                         const struct json *from, const char *member)
{
    const struct json *v = json_get(from, str_c(member));
    return v ? json_set(to, str_c(key), json_copy(w->a, v)) : ERR_OK;
}

static enum err put_lower(struct writer *w, struct json *to, const char *key,
                          const struct json *from, const char *member)
{
    struct str text = json_get_str(from, str_c(member));
    return str_is_set(text) ? put_text(w, to, key, str_lower(w->a, text)) : ERR_OK;
}

static const struct json *by_id(const struct json *list, struct str id)
{
    JSON_EACH (list, it)
        if (str_eq(json_get_str(it, STR("id")), id))
            return it;
    return NULL;
}

static struct str model_place(const struct writer *w)
{
    return w->how->v3 ? STR("#/components/schemas/") : STR("#/definitions/");
}

static enum err put_ref(struct writer *w, struct json *to, struct str name)
{
    struct json *schema;
    TRY(put_new(w, to, STR("schema"), JSON_OBJECT, &schema));
    return put_text(w, schema, "$ref",
                    str_fmt(w->a, STR_FMT STR_FMT, STR_ARG(model_place(w)), STR_ARG(name)));
}

/* --- models ------------------------------------------------------------------------------------- */

/* References to models by their address or by Swagger's place get this version's place. */
static enum err rewrite(struct writer *w, struct json *v)
{
    for (struct json *it = v->child; it; it = it->next) {
        bool ref = v->kind == JSON_OBJECT && it->kind == JSON_STRING && str_eq_c(it->key, "$ref");
        size_t at = ref ? str_find_str(it->text, STR(MODELS_PLACE)) : SIZE_MAX;
        struct str name = STR_NONE;
        if (at != SIZE_MAX && str_starts(it->text, STR("https://apigateway.amazonaws.com/")))
            name = str_sub(it->text, at + sizeof(MODELS_PLACE) - 1, SIZE_MAX);
        else if (ref && str_starts(it->text, STR("#/definitions/")))
            name = str_sub(it->text, sizeof("#/definitions/") - 1, SIZE_MAX);
        if (str_is_set(name)) {
            it->text = str_fmt(w->a, STR_FMT STR_FMT, STR_ARG(model_place(w)), STR_ARG(name));
            if (!str_is_set(it->text))
                return ERR_NOMEM;
        }
        TRY(rewrite(w, it));
    }
    return ERR_OK;
}

static enum err put_models(struct writer *w, struct json *to, const char *member)
{
    struct json *all, *schema;
    const struct json *models = json_get(w->snapshot, STR("models"));
    if (!models || !models->child)
        return ERR_OK;
    TRY(put_new(w, to, str_c(member), JSON_OBJECT, &all));
    JSON_EACH (models, it) {
        enum err err = json_parse(w->a, json_get_str(it, STR("schema")), &schema, NULL);
        if (err == ERR_NOMEM)
            return err;
        if (err)
            continue;
        TRY(rewrite(w, schema));
        TRY(json_set(all, json_get_str(it, STR("name")), schema));
    }
    return ERR_OK;
}

/* --- operations --------------------------------------------------------------------------------- */

/* The types of a map of models: {"application/json": "Car"} -> consumes or produces, and the first
 * model's schema (Swagger); or content (OpenAPI 3). */
static enum err put_content(struct writer *w, const struct json *models, struct json *to)
{
    struct json *content, *type;
    TRY(put_new(w, to, STR("content"), JSON_OBJECT, &content));
    JSON_EACH (models, it) {
        TRY(put_new(w, content, it->key, JSON_OBJECT, &type));
        TRY(put_ref(w, type, it->text));
    }
    return ERR_OK;
}

static enum err put_types(struct writer *w, const struct json *models, struct json *op,
                          const char *member)
{
    struct json *list = json_at(op, str_c(member));
    if (!list)
        TRY(put_new(w, op, str_c(member), JSON_ARRAY, &list));
    JSON_EACH (models, it)
        if (json_index_of(list, it->key) == SIZE_MAX)
            TRY(json_push(list, json_new_str(w->a, it->key)));
    return ERR_OK;
}

/* "method.request.header.X" */
static enum err put_parameter(struct writer *w, const struct json *p, struct json *list)
{
    struct str rest = p->key;
    struct json *to = json_new(w->a, JSON_OBJECT), *schema;
    (void)str_cut(&rest, '.');
    (void)str_cut(&rest, '.');
    struct str in = str_cut(&rest, '.');
    if (!str_is_set(rest))
        return ERR_OK;
    bool path = str_eq_c(in, "path");
    TRY(json_push(list, to));
    TRY(put_text(w, to, "name", rest));
    TRY(put_text(w, to, "in", str_eq_c(in, "querystring") ? STR("query") : in));
    TRY(json_set(to, STR("required"), json_new_bool(w->a, p->b || path)));
    if (!w->how->v3)
        return put_text(w, to, "type", STR("string"));
    TRY(put_new(w, to, STR("schema"), JSON_OBJECT, &schema));
    return put_text(w, schema, "type", STR("string"));
}

static enum err put_body(struct writer *w, const struct json *models, struct json *op,
                         struct json *list)
{
    struct json *to;
    if (!models || !models->child)
        return ERR_OK;
    if (w->how->v3) {
        TRY(put_new(w, op, STR("requestBody"), JSON_OBJECT, &to));
        TRY(put_content(w, models, to));
        return json_set(to, STR("required"), json_new_bool(w->a, true));
    }
    TRY(put_types(w, models, op, "consumes"));
    to = json_new(w->a, JSON_OBJECT);
    TRY(json_push(list, to));
    TRY(put_text(w, to, "in", STR("body")));
    TRY(put_text(w, to, "name", models->child->text));
    TRY(json_set(to, STR("required"), json_new_bool(w->a, true)));
    return put_ref(w, to, models->child->text);
}

static enum err put_parameters(struct writer *w, const struct json *method, struct json *op)
{
    struct json *list = json_new(w->a, JSON_ARRAY);
    if (!list)
        return ERR_NOMEM;
    JSON_EACH (json_get(method, STR("requestParameters")), it)
        TRY(put_parameter(w, it, list));
    TRY(put_body(w, json_get(method, STR("requestModels")), op, list));
    return list->child ? json_set(op, STR("parameters"), list) : ERR_OK;
}

static enum err put_response(struct writer *w, const struct json *from, struct json *op,
                             struct json *all)
{
    static const struct str place = STR_INIT("method.response.header.");
    const struct json *models = json_get(from, STR("responseModels"));
    const struct json *params = json_get(from, STR("responseParameters"));
    struct json *r, *headers, *header, *type;
    TRY(put_new(w, all, from->key, JSON_OBJECT, &r));
    TRY(put_text(w, r, "description", str_fmt(w->a, STR_FMT " response", STR_ARG(from->key))));
    if (params && params->child) {
        TRY(put_new(w, r, STR("headers"), JSON_OBJECT, &headers));
        JSON_EACH (params, it) {
            TRY(put_new(w, headers, str_sub(it->key, place.len, SIZE_MAX), JSON_OBJECT, &header));
            type = header;
            if (w->how->v3)
                TRY(put_new(w, header, STR("schema"), JSON_OBJECT, &type));
            TRY(put_text(w, type, "type", STR("string")));
        }
    }
    if (!models || !models->child)
        return ERR_OK;
    if (w->how->v3)
        return put_content(w, models, r);
    TRY(put_types(w, models, op, "produces"));
    return put_ref(w, r, models->child->text);
}

/* --- security ----------------------------------------------------------------------------------- */

static enum err ask(struct writer *w, struct json *op, struct str name, const struct json *scopes)
{
    struct json *list = json_at(op, STR("security")), *need = json_new(w->a, JSON_OBJECT);
    if (!list)
        TRY(put_new(w, op, STR("security"), JSON_ARRAY, &list));
    TRY(json_push(list, need));
    return json_set(need, name, scopes ? json_copy(w->a, scopes) : json_new(w->a, JSON_ARRAY));
}

static enum err put_security(struct writer *w, const struct json *method, struct json *op)
{
    const struct json *key = json_get(method, STR("apiKeyRequired"));
    const struct json *authorizer =
        by_id(json_get(w->snapshot, STR("authorizers")), json_get_str(method, STR("authorizerId")));
    if (w->how->authorizers && authorizer)
        TRY(ask(w, op, json_get_str(authorizer, STR("name")),
                json_get(method, STR("authorizationScopes"))));
    if (w->how->authorizers &&
        str_eq_c(json_get_str(method, STR("authorizationType")), "AWS_IAM")) {
        w->iam = true;
        TRY(ask(w, op, STR("sigv4"), NULL));
    }
    if (!key || !key->b)
        return ERR_OK;
    w->keys = true;
    return ask(w, op, STR("api_key"), NULL);
}

/* "method.request.header.Authorization", maybe one of several -> "Authorization" */
static struct str header_of(const struct json *authorizer)
{
    static const struct str place = STR_INIT("method.request.header.");
    struct str source = json_get_str(authorizer, STR("identitySource"));
    struct str first = str_cut(&source, ',');
    return str_starts(first, place) ? str_sub(first, place.len, SIZE_MAX) : STR("Unused");
}

static enum err put_scheme(struct writer *w, struct json *all, struct str name, struct str header,
                           struct json **ret)
{
    TRY(put_new(w, all, name, JSON_OBJECT, ret));
    TRY(put_text(w, *ret, "type", STR("apiKey")));
    TRY(put_text(w, *ret, "name", header));
    return put_text(w, *ret, "in", STR("header"));
}

static enum err put_authorizer(struct writer *w, const struct json *from, struct json *all)
{
    static const char *const members[] = {"authorizerUri",
                                          "authorizerCredentials",
                                          "identitySource",
                                          "identityValidationExpression",
                                          "authorizerResultTtlInSeconds",
                                          "providerARNs"};
    struct json *scheme, *to;
    TRY(put_scheme(w, all, json_get_str(from, STR("name")), header_of(from), &scheme));
    TRY(put_copy(w, scheme, OPENAPI_EXT "authtype", from, "authType"));
    TRY(put_new(w, scheme, STR(OPENAPI_EXT "authorizer"), JSON_OBJECT, &to));
    TRY(put_lower(w, to, "type", from, "type"));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        TRY(put_copy(w, to, members[i], from, members[i]));
    return ERR_OK;
}

static enum err put_schemes(struct writer *w, struct json *to, const char *member)
{
    struct json *all = json_new(w->a, JSON_OBJECT), *scheme;
    if (!all)
        return ERR_NOMEM;
    if (w->keys)
        TRY(put_scheme(w, all, STR("api_key"), STR("x-api-key"), &scheme));
    if (w->iam) {
        TRY(put_scheme(w, all, STR("sigv4"), STR("Authorization"), &scheme));
        TRY(put_text(w, scheme, OPENAPI_EXT "authtype", STR("awsSigv4")));
    }
    JSON_EACH (w->how->authorizers ? json_get(w->snapshot, STR("authorizers")) : NULL, it)
        TRY(put_authorizer(w, it, all));
    return all->child ? json_set(to, str_c(member), all) : ERR_OK;
}

/* --- integrations ------------------------------------------------------------------------------- */

static enum err put_integration_responses(struct writer *w, const struct json *from,
                                          struct json *to)
{
    const struct json *responses = json_get(from, STR("integrationResponses"));
    struct json *all, *r;
    if (!responses || !responses->child)
        return ERR_OK;
    TRY(put_new(w, to, STR("responses"), JSON_OBJECT, &all));
    JSON_EACH (responses, it) {
        struct str pattern = json_get_str(it, STR("selectionPattern"));
        TRY(put_new(w, all, str_empty(pattern) ? STR("default") : pattern, JSON_OBJECT, &r));
        TRY(put_text(w, r, "statusCode", it->key));
        TRY(put_copy(w, r, "responseParameters", it, "responseParameters"));
        TRY(put_copy(w, r, "responseTemplates", it, "responseTemplates"));
        TRY(put_copy(w, r, "contentHandling", it, "contentHandling"));
    }
    return ERR_OK;
}

static enum err put_integration(struct writer *w, const struct json *method, struct str resource_id,
                                struct json *op)
{
    static const char *const members[] = {"httpMethod",          "uri",
                                          "connectionType",      "connectionId",
                                          "credentials",         "requestParameters",
                                          "requestTemplates",    "contentHandling",
                                          "timeoutInMillis",     "tlsConfig",
                                          "responseTransferMode"};
    const struct json *from = json_get(method, STR("methodIntegration"));
    const struct json *keys = json_get(from, STR("cacheKeyParameters"));
    struct json *to;
    if (!from || !w->how->integrations)
        return ERR_OK;
    TRY(put_new(w, op, STR(OPENAPI_EXT "integration"), JSON_OBJECT, &to));
    TRY(put_lower(w, to, "type", from, "type"));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        TRY(put_copy(w, to, members[i], from, members[i]));
    TRY(put_lower(w, to, "passthroughBehavior", from, "passthroughBehavior"));
    if (!str_eq(json_get_str(from, STR("cacheNamespace")), resource_id))
        TRY(put_copy(w, to, "cacheNamespace", from, "cacheNamespace"));
    if (keys && keys->child)
        TRY(put_copy(w, to, "cacheKeyParameters", from, "cacheKeyParameters"));
    return put_integration_responses(w, from, to);
}

/* --- paths -------------------------------------------------------------------------------------- */

static enum err put_method(struct writer *w, const struct json *resource, const struct json *method,
                           struct json *path)
{
    struct json *op, *responses;
    bool any = str_eq_c(method->key, "ANY");
    const struct json *validator = by_id(json_get(w->snapshot, STR("requestValidators")),
                                         json_get_str(method, STR("requestValidatorId")));
    struct str key = any ? STR(OPENAPI_EXT "any-method") : str_lower(w->a, method->key);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(put_new(w, path, key, JSON_OBJECT, &op));
    TRY(put_copy(w, op, "operationId", method, "operationName"));
    TRY(put_parameters(w, method, op));
    TRY(put_new(w, op, STR("responses"), JSON_OBJECT, &responses));
    JSON_EACH (json_get(method, STR("methodResponses")), it)
        TRY(put_response(w, it, op, responses));
    TRY(put_security(w, method, op));
    if (w->how->gateway && validator)
        TRY(put_text(w, op, OPENAPI_EXT "request-validator", json_get_str(validator, STR("name"))));
    return put_integration(w, method, json_get_str(resource, STR("id")), op);
}

static enum err put_paths(struct writer *w, struct json *doc)
{
    struct json *paths, *path;
    TRY(put_new(w, doc, STR("paths"), JSON_OBJECT, &paths));
    JSON_EACH (json_get(w->snapshot, STR("resources")), it) {
        const struct json *methods = json_get(it, STR("resourceMethods"));
        if (!methods || !methods->child)
            continue;
        TRY(put_new(w, paths, json_get_str(it, STR("path")), JSON_OBJECT, &path));
        JSON_EACH (methods, m)
            TRY(put_method(w, it, m, path));
    }
    return ERR_OK;
}

/* --- the API as a whole ------------------------------------------------------------------------- */

static enum err put_info(struct writer *w, const struct json *api, struct json *doc)
{
    struct json *info;
    struct str version = json_get_str(api, STR("version"));
    TRY(put_new(w, doc, STR("info"), JSON_OBJECT, &info));
    TRY(put_text(w, info, "title", json_get_str(api, STR("name"))));
    TRY(put_text(w, info, "description", json_get_str(api, STR("description"))));
    return put_text(w, info, "version", str_empty(version) ? STR("1.0") : version);
}

static enum err put_address(struct writer *w, struct json *doc)
{
    struct json *list, *server, *vars, *var;
    if (!w->how->v3) {
        TRY(put_text(w, doc, "host", w->how->host));
        TRY(put_text(w, doc, "basePath", str_fmt(w->a, "/" STR_FMT, STR_ARG(w->how->stage))));
        TRY(put_new(w, doc, STR("schemes"), JSON_ARRAY, &list));
        return json_push(list, json_new_str(w->a, STR("https")));
    }
    TRY(put_new(w, doc, STR("servers"), JSON_ARRAY, &list));
    server = json_new(w->a, JSON_OBJECT);
    TRY(json_push(list, server));
    TRY(put_text(w, server, "url",
                 str_fmt(w->a, "https://" STR_FMT "/{basePath}", STR_ARG(w->how->host))));
    TRY(put_new(w, server, STR("variables"), JSON_OBJECT, &vars));
    TRY(put_new(w, vars, STR("basePath"), JSON_OBJECT, &var));
    return put_text(w, var, "default", w->how->stage);
}

static enum err put_policy(struct writer *w, const struct json *api, struct json *doc)
{
    struct json *policy;
    struct str text = json_get_str(api, STR("policy"));
    if (str_empty(text))
        return ERR_OK;
    enum err err = json_parse(w->a, text, &policy, NULL);
    return err == ERR_OK        ? json_set(doc, STR(OPENAPI_EXT "policy"), policy)
           : err == ERR_INVALID ? ERR_OK
                                : err;
}

/* Maps by name of what is a list in the snapshot, without the members that say which it is. */
static enum err put_map(struct writer *w, struct json *doc, const char *ext, const char *many,
                        const char *name)
{
    static const char *const inner[] = {"id", "defaultResponse"};
    const struct json *list = json_get(w->snapshot, str_c(many));
    struct json *map;
    if (!list || !list->child)
        return ERR_OK;
    TRY(put_new(w, doc, str_c(ext), JSON_OBJECT, &map));
    JSON_EACH (list, it) {
        struct json *copy = json_copy(w->a, it);
        if (!copy)
            return ERR_NOMEM;
        for (size_t i = 0; i < ARRAY_LEN(inner); i++)
            (void)json_unset(copy, str_c(inner[i]));
        struct str key = json_get_str(copy, str_c(name));
        (void)json_unset(copy, str_c(name));
        TRY(json_set(map, key, copy));
    }
    return ERR_OK;
}

static enum err put_extensions(struct writer *w, const struct json *api, struct json *doc)
{
    if (!w->how->gateway)
        return ERR_OK;
    TRY(put_map(w, doc, OPENAPI_EXT "request-validators", "requestValidators", "name"));
    TRY(put_map(w, doc, OPENAPI_EXT "gateway-responses", "gatewayResponses", "responseType"));
    TRY(put_copy(w, doc, OPENAPI_EXT "binary-media-types", api, "binaryMediaTypes"));
    TRY(put_copy(w, doc, OPENAPI_EXT "minimum-compression-size", api, "minimumCompressionSize"));
    if (str_eq_c(json_get_str(api, STR("apiKeySource")), "AUTHORIZER"))
        TRY(put_text(w, doc, OPENAPI_EXT "api-key-source", STR("AUTHORIZER")));
    return put_policy(w, api, doc);
}

enum err openapi_export(struct arena *a, const struct json *snapshot,
                        const struct openapi_export *how, struct json **ret_doc)
{
    struct writer w = {.a = a, .how = how, .snapshot = snapshot};
    const struct json *api = json_get(snapshot, STR("restApi"));
    struct json *doc = json_new(a, JSON_OBJECT), *in = doc;
    if (!doc)
        return ERR_NOMEM;
    TRY(put_text(&w, doc, how->v3 ? "openapi" : "swagger", how->v3 ? STR("3.0.1") : STR("2.0")));
    TRY(put_info(&w, api, doc));
    TRY(put_address(&w, doc));
    TRY(put_paths(&w, doc));
    if (how->v3)
        TRY(put_new(&w, doc, STR("components"), JSON_OBJECT, &in));
    TRY(put_models(&w, in, how->v3 ? "schemas" : "definitions"));
    TRY(put_schemes(&w, in, how->v3 ? "securitySchemes" : "securityDefinitions"));
    TRY(put_extensions(&w, api, doc));
    *ret_doc = doc;
    return a->failed ? ERR_NOMEM : ERR_OK;
}
