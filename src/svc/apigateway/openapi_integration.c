/* x-amazon-apigateway-integration. Layer: svc/apigateway, pure. */
#include "svc/apigateway/openapi_int.h"

enum { TIMEOUT_MS = 29000 };

/* Members that are one text each, and those that are maps of texts. */
static const struct {
    const char *name;
    bool upper;
} texts[] = {
    {"httpMethod", true},           {"uri", false},
    {"connectionType", true},       {"connectionId", false},
    {"credentials", false},         {"passthroughBehavior", true},
    {"contentHandling", true},      {"cacheNamespace", false},
    {"responseTransferMode", true},
};
static const char *const maps[] = {"requestParameters", "requestTemplates"};
static const char *const response_maps[] = {"responseParameters", "responseTemplates"};

/* --- responses ---------------------------------------------------------------------------------- */

static enum err read_response(struct openapi *o, const struct json *from, struct str where,
                              struct json *all)
{
    struct json *r = json_new(o->a, JSON_OBJECT);
    struct str status = openapi_member(o, from, "statusCode");
    if (str_empty(status))
        return openapi_fault(
            o, "Unable to put integration response on " STR_FMT ": a status code is missing",
            STR_ARG(where));
    if (json_get(all, status))
        TRY(openapi_warn(o,
                         "More than one integration response of " STR_FMT " has status " STR_FMT
                         "; the last one was taken",
                         STR_ARG(where), STR_ARG(status)));
    TRY(json_set(all, status, r));
    TRY(openapi_set(o, r, "statusCode", status));
    if (!str_eq_c(from->key, "default"))
        TRY(openapi_set(o, r, "selectionPattern", from->key));
    for (size_t i = 0; i < ARRAY_LEN(response_maps); i++)
        TRY(openapi_texts(o, from, response_maps[i], r));
    return openapi_set(o, r, "contentHandling",
                       openapi_upper(o, openapi_member(o, from, "contentHandling")));
}

static enum err read_responses(struct openapi *o, const struct json *from, struct str where,
                               struct json *to)
{
    const struct json *all;
    TRY(openapi_object(o, from, "responses", &all));
    if (!all || !all->child)
        return ERR_OK;
    struct json *copy = json_new(o->a, JSON_OBJECT);
    TRY(json_set(to, STR("integrationResponses"), copy));
    JSON_EACH (all, it)
        TRY(read_response(o, it, where, copy));
    return ERR_OK;
}

/* --- the rest ----------------------------------------------------------------------------------- */

static enum err read_timeout(struct openapi *o, const struct json *from, struct str where,
                             struct json *to)
{
    int64_t ms = TIMEOUT_MS;
    struct str text = openapi_member(o, from, "timeoutInMillis");
    if (str_is_set(text) && str_to_i64(text, &ms) != ERR_OK)
        return openapi_fault(o, "Invalid timeoutInMillis of " STR_FMT, STR_ARG(where));
    return json_set(to, STR("timeoutInMillis"), json_new_i64(o->a, ms));
}

static enum err read_cache_keys(struct openapi *o, const struct json *from, struct json *to)
{
    const struct json *keys;
    struct json *copy = json_new(o->a, JSON_ARRAY);
    TRY(openapi_array(o, from, "cacheKeyParameters", &keys));
    TRY(json_set(to, STR("cacheKeyParameters"), copy));
    JSON_EACH (keys, it)
        TRY(json_push(copy, json_new_str(o->a, openapi_text(o, it))));
    return ERR_OK;
}

static enum err read_tls(struct openapi *o, const struct json *from, struct json *to)
{
    const struct json *tls;
    TRY(openapi_object(o, from, "tlsConfig", &tls));
    return tls ? json_set(to, STR("tlsConfig"), json_copy(o->a, tls)) : ERR_OK;
}

static enum err read_texts(struct openapi *o, const struct json *from, struct json *to)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str text = openapi_member(o, from, texts[i].name);
        TRY(openapi_set(o, to, texts[i].name, texts[i].upper ? openapi_upper(o, text) : text));
    }
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        TRY(openapi_texts(o, from, maps[i], to));
    return ERR_OK;
}

enum err openapi_integration(struct openapi *o, const struct json *op, struct str where,
                             struct str resource_id, struct json *method)
{
    static const char *const types[] = {"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"};
    const struct json *given = json_get(op, STR(OPENAPI_EXT "integration")), *from;
    struct json *to = json_new(o->a, JSON_OBJECT);
    size_t t = 0;
    TRY(openapi_follow(o, given, &from));
    if (!from)
        return given ? ERR_OK
                     : openapi_warn(o, "No integration of " STR_FMT " is defined", STR_ARG(where));
    struct str type = openapi_upper(o, openapi_member(o, from, "type"));
    while (t < ARRAY_LEN(types) && !str_eq_c(type, types[t]))
        t++;
    if (t == ARRAY_LEN(types))
        return openapi_fault(
            o, "Unable to put integration on " STR_FMT ": Invalid integration type specified",
            STR_ARG(where));
    TRY(json_set(method, STR("methodIntegration"), to));
    TRY(openapi_set(o, to, "type", type));
    TRY(read_texts(o, from, to));
    if (!json_get(to, STR("passthroughBehavior")))
        TRY(openapi_set(o, to, "passthroughBehavior", STR("WHEN_NO_MATCH")));
    if (!json_get(to, STR("cacheNamespace")))
        TRY(openapi_set(o, to, "cacheNamespace", resource_id));
    TRY(read_timeout(o, from, where, to));
    TRY(read_cache_keys(o, from, to));
    TRY(read_tls(o, from, to));
    return read_responses(o, from, where, to);
}
