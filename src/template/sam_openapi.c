/* Parts of an API's definition that properties of the resource give, and OpenAPI 3 made of OpenAPI 2.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

enum err sam_add_models(struct sam *s, struct json *body, const struct json *models)
{
    struct json *definitions = SAM_AT(body, "definitions");
    JSON_EACH (models, it)
        if (!sam_map(it) || !SAM_GET(it, "type"))
            return sam_bad(s, "Invalid value for 'Models' property");
    if (!definitions) {
        sam_set(s, body, "definitions", json_new(s->a, JSON_OBJECT));
        definitions = SAM_AT(body, "definitions");
    }
    struct sam_members m = sam_in_order(s, (struct json *)(uintptr_t)models);
    for (size_t i = 0; i < m.n; i++)
        sam_put(s, definitions, str_lower(s->a, m.v[i]->key), sam_copy(s, m.v[i]));
    return ERR_OK;
}

/* --- gateway responses --------------------------------------------------------------------------------- */

static enum err response_parameters(struct sam *s, const struct json *response, struct json *to)
{
    static const char *const rows[][2] = {
        {"Headers", "header"}, {"Paths", "path"}, {"QueryStrings", "querystring"}};
    const struct json *given = SAM_GET(response, "ResponseParameters");
    if (given && !sam_map(given))
        return sam_want(s, SAM_RESOURCE, given, 'm',
                        str_fmt(s->a, "GatewayResponses." STR_FMT ".ResponseParameters",
                                STR_ARG(response->key)));
    struct sam_members kinds = sam_in_order(s, (struct json *)(uintptr_t)given);
    for (size_t k = 0; k < kinds.n; k++) {
        struct json *it = kinds.v[k];
        const char *where = NULL;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (str_eq_c(it->key, rows[i][0]))
                where = rows[i][1];
        if (!where)
            return sam_bad(s, "Invalid gateway response parameter '" STR_FMT "'", STR_ARG(it->key));
        struct sam_members m = sam_in_order(s, it);
        for (size_t i = 0; i < m.n; i++)
            sam_put(s, to,
                    str_fmt(s->a, "gatewayresponse.%s." STR_FMT, where, STR_ARG(m.v[i]->key)),
                    sam_copy(s, m.v[i]));
    }
    return ERR_OK;
}

static enum err one_response(struct sam *s, const struct json *response, struct json **ret_v)
{
    static const char *const known[] = {"ResponseParameters", "ResponseTemplates", "StatusCode"};
    struct json *parameters = json_new(s->a, JSON_OBJECT);
    const struct json *templates = SAM_GET(response, "ResponseTemplates"),
                      *status = SAM_GET(response, "StatusCode");
    if (sam_intrinsic(response))
        return sam_bad(
            s, "Unable to set GatewayResponses attribute because intrinsic functions are not "
               "supported for this field.");
    if (!sam_map(response))
        return sam_bad(
            s,
            "Invalid property type '%s' for GatewayResponses. Expected an object of type "
            "'GatewayResponse'.",
            sam_type_name(response));
    JSON_EACH (response, it) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found = found || str_eq_c(it->key, known[i]);
        if (!found)
            return sam_bad(
                s, "Invalid property '" STR_FMT "' in 'GatewayResponses' property '" STR_FMT "'.",
                STR_ARG(it->key), STR_ARG(response->key));
    }
    TRY(response_parameters(s, response, parameters));
    int64_t number;
    if (sam_text(status) && str_to_i64(status->text, &number) != ERR_OK)
        return sam_bad(s, "Property 'StatusCode' must be numeric");
    bool scalar = sam_is(status, JSON_NUMBER) || sam_text(status);
    *ret_v = sam_make(s, "{'responseParameters': %v, 'responseTemplates': %v, 'statusCode': %o}",
                      parameters, templates ? templates : json_new(s->a, JSON_OBJECT),
                      scalar ? status->text : STR_NONE);
    return ERR_OK;
}

enum err sam_add_gateway_responses(struct sam *s, struct json *body, const struct json *responses)
{
    static const char name[] = "x-amazon-apigateway-gateway-responses";
    if (sam_intrinsic(responses))
        return sam_bad(
            s, "Unable to set GatewayResponses attribute because intrinsic functions are not "
               "supported for this field.");
    if (!json_at(body, str_c(name)))
        sam_set(s, body, name, json_new(s->a, JSON_OBJECT));
    struct sam_members m = sam_in_order(s, (struct json *)(uintptr_t)responses);
    for (size_t i = 0; i < m.n; i++) {
        struct json *v = NULL;
        TRY(one_response(s, m.v[i], &v));
        sam_put(s, json_at(body, str_c(name)), m.v[i]->key, v);
    }
    return ERR_OK;
}

/* --- OpenAPI 3 ------------------------------------------------------------------------------------------- */

static void move(struct sam *s, struct json *body, const char *from, const char *to)
{
    struct json *v = sam_copy(s, json_get(body, str_c(from)));
    if (!sam_true(v))
        return;
    struct json *components = SAM_AT(body, "components");
    if (!sam_map(components))
        sam_set(s, body, "components", json_new(s->a, JSON_OBJECT));
    components = SAM_AT(body, "components");
    sam_set(s, components, to, v);
    sam_drop(s, body, from);
}

/* Operations of CORS have no types of media in version 3, and types of headers stand in a schema. */
static enum err convert_options(struct sam *s, struct json *options, struct str path)
{
    struct json *responses = SAM_AT(options, "responses");
    sam_drop(s, options, "produces");
    sam_drop(s, options, "consumes");
    if (responses && !sam_map(responses))
        return sam_bad_document(
            s, "Invalid responses in options method for path " STR_FMT ": It should be a map.",
            STR_ARG(path));
    struct json *headers = SAM_AT(SAM_AT(responses, "200"), "headers");
    for (struct json *it = sam_map(headers) ? headers->child : NULL; it; it = it->next) {
        struct json *schema = sam_make(s, "{'schema': %v}", it);
        if (schema) {
            it->child = schema->child;
            it->n = schema->n;
        }
    }
    return ERR_OK;
}

bool sam_openapi_three(struct str version)
{
    return version.len >= 3 && version.p[0] == '3' && version.p[1] == '.' && version.p[2] >= '0' &&
           version.p[2] <= '9';
}

enum err sam_openapi(struct sam *s, struct json *body, const struct json *version)
{
    const struct json *own = SAM_GET(body, "openapi"), *swagger = SAM_GET(body, "swagger");
    if (!sam_map(body) || (swagger && swagger->kind != JSON_NULL))
        return ERR_OK;
    if (!version && own && own->kind != JSON_NULL)
        version = own;
    if (!version || !sam_openapi_three(version->text))
        return ERR_OK;
    move(s, body, "securityDefinitions", "securitySchemes");
    move(s, body, "definitions", "schemas");
    struct json *paths = SAM_AT(body, "paths");
    for (struct json *it = sam_map(paths) ? paths->child : NULL; it; it = it->next) {
        struct json *options = SAM_AT(it, "options");
        if (sam_map(options))
            TRY(convert_options(s, options, it->key));
    }
    return ERR_OK;
}
