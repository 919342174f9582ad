/* Reading a description: the text, what it says of the API as a whole. See openapi.h.
 * Layer: svc/apigateway, pure. */
#include "codec/yaml.h"
#include "svc/apigateway/openapi_int.h"

enum { FAULTS_BYTES_MAX = 64 * 1024 };

/* --- the API as a whole ------------------------------------------------------------------------- */

static enum err read_info(struct openapi *o)
{
    const struct json *info;
    TRY(openapi_object(o, o->root, "info", &info));
    struct str title = openapi_member(o, info, "title");
    if (str_empty(title)) {
        TRY(openapi_warn(o, "Parse issue: attribute info.title is missing"));
        title = STR("My API");
    }
    TRY(openapi_set(o, o->api, "name", title));
    TRY(openapi_set(o, o->api, "description", openapi_member(o, info, "description")));
    return openapi_set(o, o->api, "version", openapi_member(o, info, "version"));
}

static enum err read_media_types(struct openapi *o)
{
    const struct json *types;
    TRY(openapi_array(o, o->root, OPENAPI_EXT "binary-media-types", &types));
    if (!types)
        return ERR_OK;
    struct json *list = json_new(o->a, JSON_ARRAY);
    TRY(json_set(o->api, STR("binaryMediaTypes"), list));
    JSON_EACH (types, it) {
        struct str t = openapi_text(o, it);
        if (!str_is_set(t))
            TRY(openapi_fault(o, "Invalid value in " OPENAPI_EXT "binary-media-types"));
        else
            TRY(json_push(list, json_new_str(o->a, t)));
    }
    return ERR_OK;
}

static enum err read_compression(struct openapi *o)
{
    int64_t size;
    const struct json *v = json_get(o->root, STR(OPENAPI_EXT "minimum-compression-size"));
    if (!v || v->kind == JSON_NULL)
        return ERR_OK;
    if (str_to_i64(openapi_text(o, v), &size) != ERR_OK || size < 0 || size > 10485760)
        return openapi_fault(o, "Invalid minimum compression size, must be between 0 and 10485760");
    return json_set(o->api, STR("minimumCompressionSize"), json_new_i64(o->a, size));
}

static enum err read_key_source(struct openapi *o)
{
    struct str source = openapi_upper(o, openapi_member(o, o->root, OPENAPI_EXT "api-key-source"));
    if (str_is_set(source) && !str_eq_c(source, "HEADER") && !str_eq_c(source, "AUTHORIZER"))
        return openapi_fault(o, "Invalid API key source '" STR_FMT "'", STR_ARG(source));
    return openapi_set(o, o->api, "apiKeySource", source);
}

/* As text: what CreateRestApi takes. */
static enum err read_policy(struct openapi *o)
{
    const struct json *policy;
    struct buf b;
    TRY(openapi_object(o, o->root, OPENAPI_EXT "policy", &policy));
    if (!policy)
        return ERR_OK;
    buf_init_arena(&b, o->a, OPENAPI_BYTES_MAX);
    json_put(&b, policy);
    TRY(buf_err(&b));
    return openapi_set(o, o->api, "policy", buf_str(&b));
}

static enum err read_endpoint(struct openapi *o)
{
    const struct json *conf, *vpce, *off;
    TRY(openapi_object(o, o->root, OPENAPI_EXT "endpoint-configuration", &conf));
    if (!conf && o->v3) { /* OpenAPI 3: of a server */
        const struct json *servers;
        TRY(openapi_array(o, o->root, "servers", &servers));
        TRY(openapi_object(o, servers ? servers->child : NULL, OPENAPI_EXT "endpoint-configuration",
                           &conf));
    }
    TRY(openapi_array(o, conf, "vpcEndpointIds", &vpce));
    if (vpce && vpce->n)
        TRY(openapi_fault(o, "VPC endpoints are not supported by Weir."));
    off = json_get(conf, STR("disableExecuteApiEndpoint"));
    if (!off)
        return ERR_OK;
    if (off->kind != JSON_BOOL)
        return openapi_fault(o,
                             "Parse issue: 'disableExecuteApiEndpoint' is not of type `boolean`");
    return json_set(o->api, STR("disableExecuteApiEndpoint"), json_new_bool(o->a, off->b));
}

/* --- validators and gateway responses ----------------------------------------------------------- */

static enum err copy_bool(struct openapi *o, const struct json *from, const char *name,
                          struct json *to)
{
    const struct json *v = json_get(from, str_c(name));
    if (v && v->kind != JSON_BOOL)
        return openapi_fault(o, "Parse issue: '%s' is not of type `boolean`", name);
    return json_set(to, str_c(name), json_new_bool(o->a, v && v->b));
}

static enum err read_validators(struct openapi *o)
{
    const struct json *all;
    TRY(openapi_object(o, o->root, OPENAPI_EXT "request-validators", &all));
    JSON_EACH (all, it) {
        struct json *v = json_new(o->a, JSON_OBJECT);
        struct str id = o->how->new_id(o->a, OPENAPI_PART_ID_LEN);
        if (!str_is_set(id))
            return ERR_NOMEM;
        TRY(json_push(o->validators, v));
        TRY(openapi_set(o, v, "id", id));
        TRY(openapi_set(o, v, "name", it->key));
        TRY(copy_bool(o, it, "validateRequestBody", v));
        TRY(copy_bool(o, it, "validateRequestParameters", v));
    }
    o->validator = json_get(o->root, STR(OPENAPI_EXT "request-validator"));
    return ERR_OK;
}

static enum err read_responses(struct openapi *o)
{
    const struct json *all;
    TRY(openapi_object(o, o->root, OPENAPI_EXT "gateway-responses", &all));
    JSON_EACH (all, it) {
        struct json *r = json_new(o->a, JSON_OBJECT);
        TRY(json_push(o->responses, r));
        TRY(openapi_set(o, r, "responseType", it->key));
        TRY(openapi_set(o, r, "statusCode", openapi_member(o, it, "statusCode")));
        TRY(openapi_texts(o, it, "responseParameters", r));
        TRY(openapi_texts(o, it, "responseTemplates", r));
        TRY(json_set(r, STR("defaultResponse"), json_new_bool(o->a, false)));
    }
    return ERR_OK;
}

/* --- the base path ------------------------------------------------------------------------------ */

/* The path of the first server, with the variables' defaults; "" where there is none. */
static enum err server_path(struct openapi *o, struct str *ret)
{
    const struct json *servers, *vars;
    *ret = STR("");
    TRY(openapi_array(o, o->root, "servers", &servers));
    const struct json *first = servers ? servers->child : NULL;
    struct str url = openapi_member(o, first, "url");
    TRY(openapi_object(o, first, "variables", &vars));
    size_t scheme = str_find_str(url, STR("://"));
    if (scheme != SIZE_MAX) {
        url = str_sub(url, scheme + 3, SIZE_MAX);
        size_t slash = str_find(url, '/');
        url = slash == SIZE_MAX ? STR("") : str_sub(url, slash, SIZE_MAX);
    }
    struct buf b;
    buf_init_arena(&b, o->a, OPENAPI_BYTES_MAX);
    while (url.len) {
        struct str name = str_sub(url, 1, SIZE_MAX);
        size_t end = url.p[0] == '{' ? str_find(name, '}') : SIZE_MAX;
        if (end == SIZE_MAX) {
            buf_add_byte(&b, url.p[0]);
            url = name;
            continue;
        }
        name.len = end;
        struct str value = openapi_member(o, json_get(vars, name), "default");
        buf_add_str(&b, str_is_set(value) ? value : STR(""));
        url = str_sub(url, end + 2, SIZE_MAX);
    }
    TRY(buf_err(&b));
    *ret = buf_str(&b);
    return ERR_OK;
}

static enum err read_base(struct openapi *o)
{
    struct str base = openapi_member(o, o->root, "basePath");
    o->base = STR("");
    if (o->how->base == OPENAPI_BASE_IGNORE)
        return ERR_OK;
    if (o->v3)
        TRY(server_path(o, &base));
    while (base.len && base.p[base.len - 1] == '/')
        base.len--;
    if (str_empty(base))
        return ERR_OK;
    while (base.len > 1 && base.p[0] == '/' && base.p[1] == '/')
        base = str_sub(base, 1, SIZE_MAX);
    if (base.p[0] != '/') {
        base = str_fmt(o->a, "/" STR_FMT, STR_ARG(base));
        if (!str_is_set(base))
            return ERR_NOMEM;
    }
    if (o->how->base == OPENAPI_BASE_SPLIT) {
        size_t next = str_find(str_sub(base, 1, SIZE_MAX), '/');
        base = next == SIZE_MAX ? STR("") : str_sub(base, next + 1, SIZE_MAX);
    }
    o->base = base;
    return ERR_OK;
}

/* --- what is left out --------------------------------------------------------------------------- */

static enum err warn_of_rest(struct openapi *o)
{
    static const char *const left_out[] = {OPENAPI_EXT "documentation", OPENAPI_EXT "cors",
                                           OPENAPI_EXT "security-policy",
                                           OPENAPI_EXT "endpoint-access-mode"};
    for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
        if (json_get(o->root, str_c(left_out[i])))
            TRY(openapi_warn(o, "%s is not supported by Weir and was left out", left_out[i]));
    const struct json *security = json_get(o->root, STR("security"));
    if (security && security->n)
        TRY(openapi_warn(o, "Parse issue: security at the root level is left out; it has to be "
                            "said of each operation"));
    return ERR_OK;
}

/* --- everything --------------------------------------------------------------------------------- */

static enum err read_text(struct openapi *o, struct str text, struct str *ret_fault)
{
    struct json *v;
    struct yaml_fault at = {1, 1, "not JSON"};
    struct str trimmed = str_trim(text);
    if (text.len > OPENAPI_BYTES_MAX) {
        *ret_fault = str_fmt(o->a, "The description is larger than %d bytes.", OPENAPI_BYTES_MAX);
        return str_is_set(*ret_fault) ? ERR_LIMIT : ERR_NOMEM;
    }
    bool braces = trimmed.len && trimmed.p[0] == '{';
    enum err err = braces ? json_parse(o->a, trimmed, &v, NULL) : ERR_INVALID;
    if (err == ERR_INVALID)
        err = yaml_parse(o->a, text, false, &v, &at);
    if (err == ERR_NOMEM)
        return err;
    struct str swagger = STR_NONE, openapi = STR_NONE;
    if (err == ERR_OK) {
        o->root = v;
        swagger = openapi_member(o, v, "swagger");
        openapi = openapi_member(o, v, "openapi");
    }
    o->v3 = str_starts(openapi, STR("3.0."));
    if (err == ERR_OK && (o->v3 || str_eq_c(swagger, "2.0")))
        return ERR_OK;
    *ret_fault = err ? str_fmt(o->a, "Invalid OpenAPI input. Line %zu, column %zu: %s", at.line,
                               at.column, at.why)
                     : str_fmt(o->a, "Invalid OpenAPI input. Neither Swagger 2.0 nor OpenAPI 3.0");
    return str_is_set(*ret_fault) ? ERR_INVALID : ERR_NOMEM;
}

static enum err read_all(struct openapi *o)
{
    TRY(read_info(o));
    TRY(read_media_types(o));
    TRY(read_compression(o));
    TRY(read_key_source(o));
    TRY(read_policy(o));
    TRY(read_endpoint(o));
    TRY(read_validators(o));
    TRY(read_responses(o));
    TRY(read_base(o));
    TRY(openapi_models(o));
    TRY(openapi_authorizers(o));
    TRY(openapi_paths(o));
    return warn_of_rest(o);
}

static enum err init(struct openapi *o, struct arena *a, struct json **ret_doc)
{
    struct json *doc = json_new(a, JSON_OBJECT);
    struct json **arrays[] = {&o->resources, &o->models, &o->validators, &o->authorizers,
                              &o->responses};
    static const char *const names[] = {"resources", "models", "requestValidators", "authorizers",
                                        "gatewayResponses"};
    o->api = json_new(a, JSON_OBJECT);
    o->warnings = json_new(a, JSON_ARRAY);
    if (!doc || !o->warnings)
        return ERR_NOMEM;
    TRY(json_set(doc, STR("restApi"), o->api));
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        *arrays[i] = json_new(a, JSON_ARRAY);
        TRY(json_set(doc, str_c(names[i]), *arrays[i]));
    }
    buf_init_arena(&o->faults, a, FAULTS_BYTES_MAX);
    *ret_doc = doc;
    return ERR_OK;
}

enum err openapi_import(struct arena *a, struct str text, const struct openapi_how *how,
                        struct openapi_read *ret)
{
    struct openapi o = {.a = a, .how = how};
    struct json *doc;
    TRY(init(&o, a, &doc));
    TRY(read_text(&o, text, &ret->fault));
    TRY(read_all(&o));
    if (a->failed)
        return ERR_NOMEM;
    if (o.n_faults) {
        ret->fault = str_fmt(a, "Errors found during import:" STR_FMT, STR_ARG(buf_str(&o.faults)));
        return str_is_set(ret->fault) ? ERR_INVALID : ERR_NOMEM;
    }
    ret->document = doc;
    ret->warnings = o.warnings;
    return ERR_OK;
}
