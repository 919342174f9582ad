/* An operation of a description as a method: parameters, bodies, responses.
 * Layer: svc/apigateway, pure. */
#include "svc/apigateway/openapi_int.h"

/* Adds `key` to the map `name` of an object, which is made when first needed. */
static enum err add_to(struct openapi *o, struct json *obj, const char *name, struct str key,
                       struct json *v)
{
    struct json *map = json_at(obj, str_c(name));
    if (!map) {
        map = json_new(o->a, JSON_OBJECT);
        TRY(json_set(obj, str_c(name), map));
    }
    return str_is_set(key) ? json_set(map, key, v) : ERR_NOMEM;
}

/* --- content types ------------------------------------------------------------------------------ */

/* Swagger's consumes or produces: the operation's, the text's, or JSON alone; fn for each. */
static enum err each_type(struct openapi *o, const struct json *op, const char *list,
                          enum err (*fn)(struct openapi *o, struct str type, void *arg), void *arg)
{
    const struct json *types;
    TRY(openapi_array(o, op, list, &types));
    if (!types)
        TRY(openapi_array(o, o->root, list, &types));
    if (!types || !types->child)
        return fn(o, STR("application/json"), arg);
    JSON_EACH (types, it) {
        struct str type = openapi_text(o, it);
        if (str_is_set(type))
            TRY(fn(o, type, arg));
    }
    return ERR_OK;
}

/* What each_type adds: a model for every type, made once. */
struct body {
    struct json *to;
    const char *map;
    const struct json *schema;
    struct str model;
};

static enum err add_model(struct openapi *o, struct str type, void *arg)
{
    struct body *b = arg;
    if (!str_is_set(b->model))
        TRY(openapi_model_of(o, b->schema, type, &b->model));
    return str_is_set(b->model) ? add_to(o, b->to, b->map, type, json_new_str(o->a, b->model))
                                : ERR_OK;
}

/* OpenAPI 3's content: type -> {schema}. */
static enum err read_content(struct openapi *o, const struct json *in, const char *map,
                             struct json *to)
{
    const struct json *content;
    TRY(openapi_object(o, in, "content", &content));
    JSON_EACH (content, it) {
        struct body b = {to, map, json_get(it, STR("schema")), STR_NONE};
        if (b.schema)
            TRY(add_model(o, it->key, &b));
    }
    return ERR_OK;
}

/* --- parameters --------------------------------------------------------------------------------- */

static enum err read_parameter(struct openapi *o, const struct openapi_op *m, const struct json *p,
                               struct json *method)
{
    static const struct {
        const char *in, *place;
    } places[] = {{"query", "querystring"}, {"header", "header"}, {"path", "path"}};
    const struct json *required = json_get(p, STR("required"));
    struct str in = openapi_member(o, p, "in"), name = openapi_member(o, p, "name");
    if (str_eq_c(in, "body")) {
        struct body b = {method, "requestModels", json_get(p, STR("schema")), STR_NONE};
        return b.schema ? each_type(o, m->op, "consumes", add_model, &b) : ERR_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (!str_eq_c(in, places[i].in) || str_empty(name))
            continue;
        bool must = (required && required->kind == JSON_BOOL && required->b) || i == 2;
        return add_to(o, method, "requestParameters",
                      str_fmt(o->a, "method.request.%s." STR_FMT, places[i].place, STR_ARG(name)),
                      json_new_bool(o->a, must));
    }
    return openapi_warn(o,
                        "Parameter '" STR_FMT "' in '" STR_FMT "' of " STR_FMT
                        " is not supported and was left out",
                        STR_ARG(name), STR_ARG(in), STR_ARG(m->where));
}

/* The path's first, so that the operation's of the same name win. */
static enum err read_parameters(struct openapi *o, const struct openapi_op *m, struct json *method)
{
    const struct json *lists[2], *p;
    TRY(openapi_array(o, m->path_item, "parameters", &lists[0]));
    TRY(openapi_array(o, m->op, "parameters", &lists[1]));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        JSON_EACH (lists[i], it) {
            TRY(openapi_follow(o, it, &p));
            if (p)
                TRY(read_parameter(o, m, p, method));
        }
    }
    const struct json *body;
    TRY(openapi_follow(o, o->v3 ? json_get(m->op, STR("requestBody")) : NULL, &body));
    return read_content(o, body, "requestModels", method);
}

/* --- responses ---------------------------------------------------------------------------------- */

static bool is_status(struct str code)
{
    int64_t n;
    return code.len == 3 && str_to_i64(code, &n) == ERR_OK && n >= 100;
}

static enum err read_response(struct openapi *o, const struct openapi_op *m, struct str code,
                              const struct json *from, struct json *method)
{
    const struct json *headers;
    struct json *r = json_new(o->a, JSON_OBJECT);
    struct body b = {r, "responseModels", json_get(from, STR("schema")), STR_NONE};
    TRY(add_to(o, method, "methodResponses", code, r));
    TRY(openapi_set(o, r, "statusCode", code));
    TRY(openapi_object(o, from, "headers", &headers));
    JSON_EACH (headers, it)
        TRY(add_to(o, r, "responseParameters",
                   str_fmt(o->a, "method.response.header." STR_FMT, STR_ARG(it->key)),
                   json_new_bool(o->a, false)));
    if (o->v3)
        return read_content(o, from, "responseModels", r);
    return b.schema ? each_type(o, m->op, "produces", add_model, &b) : ERR_OK;
}

static enum err read_responses(struct openapi *o, const struct openapi_op *m, struct json *method)
{
    const struct json *all, *from;
    TRY(openapi_object(o, m->op, "responses", &all));
    JSON_EACH (all, it) {
        if (str_starts(it->key, STR("x-")))
            continue;
        TRY(openapi_follow(o, it, &from));
        if (!from)
            continue;
        if (is_status(it->key))
            TRY(read_response(o, m, it->key, from, method));
        else
            TRY(openapi_warn(
                o, "Response '" STR_FMT "' of " STR_FMT " is no status code and was left out",
                STR_ARG(it->key), STR_ARG(m->where)));
    }
    return ERR_OK;
}

/* --- the method --------------------------------------------------------------------------------- */

enum err openapi_validator(struct openapi *o, const struct json *name, struct str where,
                           struct json *method)
{
    struct str text = openapi_text(o, name);
    if (!str_is_set(text))
        return ERR_OK;
    JSON_EACH (o->validators, it)
        if (str_eq(json_get_str(it, STR("name")), text))
            return openapi_set(o, method, "requestValidatorId", json_get_str(it, STR("id")));
    return openapi_fault(o,
                         "Unable to put method " STR_FMT ": Validator '" STR_FMT
                         "' is not defined in " OPENAPI_EXT "request-validators",
                         STR_ARG(where), STR_ARG(text));
}

enum err openapi_method(struct openapi *o, const struct openapi_op *m, struct json **ret_method)
{
    struct json *method = json_new(o->a, JSON_OBJECT);
    const struct json *own = json_get(m->op, STR(OPENAPI_EXT "request-validator"));
    if (!method)
        return ERR_NOMEM;
    TRY(openapi_set(o, method, "httpMethod", m->verb));
    TRY(openapi_security(o, m->op, m->where, method));
    TRY(openapi_validator(o, own ? own : o->validator, m->where, method));
    TRY(openapi_set(o, method, "operationName", openapi_member(o, m->op, "operationId")));
    TRY(read_parameters(o, m, method));
    TRY(read_responses(o, m, method));
    TRY(openapi_integration(o, m->op, m->where, m->resource_id, method));
    *ret_method = method;
    return ERR_OK;
}
