/* From a deployment's snapshot to a struct serve_api. See serve.h.
 *
 * The snapshot is what the control plane shows of the API, so what it refuses does not occur here; what
 * occurs nonetheless is ERR_CORRUPT, or without effect where the API can do without it.
 *
 * Layer: svc. Thread: pure. */
#include <assert.h>

#include "svc/apigateway/serve_int.h"

/* --- small readers ---------------------------------------------------------------------------- */

bool serve_json_true(const struct json *obj, const char *name)
{
    const struct json *v = json_get(obj, str_c(name));
    return v && v->kind == JSON_BOOL && v->b;
}

int64_t serve_json_number(const struct json *obj, const char *name, int64_t otherwise)
{
    int64_t n;
    const struct json *v = json_get(obj, str_c(name));
    return v && v->kind == JSON_NUMBER && json_to_i64(v, &n) == ERR_OK ? n : otherwise;
}

/* The texts of an array; what is none of a text is left out. */
static enum err texts_of(struct arena *a, const struct json *array, const struct str **ret_v,
                         size_t *ret_n)
{
    size_t n = 0;
    JSON_EACH (array, it)
        n += it->kind == JSON_STRING;
    struct str *v = ARENA_ARRAY(a, struct str, n + 1);
    if (!v)
        return ERR_NOMEM;
    n = 0;
    JSON_EACH (array, it)
        if (it->kind == JSON_STRING)
            v[n++] = it->text;
    *ret_v = v;
    *ret_n = n;
    return ERR_OK;
}

/* The element of an array whose member `name` is `value`; NULL: none. */
static const struct json *element_by(const struct json *array, const char *name, struct str value)
{
    JSON_EACH (array, it)
        if (str_is_set(value) && str_eq(json_get_str(it, str_c(name)), value))
            return it;
    return NULL;
}

/* Index of a word among a NULL-terminated list; `otherwise` where it is not there. */
int serve_word(struct str word, const char *const *words, int otherwise)
{
    for (int i = 0; words[i]; i++)
        if (str_eq_c(word, words[i]))
            return i;
    return otherwise;
}

/* --- models ----------------------------------------------------------------------------------- */

/* Models refer to one another by "https://apigateway.amazonaws.com/restapis/ID/models/NAME"; whose id
 * it says does not matter, for an API that was made of another's definition keeps that one's. */
static enum err model_by_uri(void *arg, struct str uri, struct str *ret_text)
{
    const struct json *models = arg;
    static const struct str mark = STR_INIT("/models/");
    size_t at = str_find_str(uri, mark);
    const struct json *model =
        at == SIZE_MAX ? NULL : element_by(models, "name", str_sub(uri, at + mark.len, SIZE_MAX));
    if (!model)
        return ERR_NOT_FOUND;
    *ret_text = json_get_str(model, STR("schema"));
    return str_is_set(*ret_text) ? ERR_OK : ERR_NOT_FOUND;
}

/* Each model once, when a method first asks for it. NULL in *ret_schema: it does not compile. */
static enum err schema_of(struct serve_compiler *c, const struct json *model,
                          const struct schema **ret_schema)
{
    struct str message, uri, name = json_get_str(model, STR("name"));
    const struct schema *schema = map_get(&c->schemas, name);
    const struct schema_resolver resolver = {.document = model_by_uri, .arg = (void *)c->models};
    *ret_schema = schema;
    if (schema || !str_is_set(json_get_str(model, STR("schema"))))
        return ERR_OK;
    uri = str_fmt(c->a, "https://apigateway.amazonaws.com/restapis/" STR_FMT "/models/" STR_FMT,
                  STR_ARG(c->api->id), STR_ARG(name));
    if (!str_is_set(uri))
        return ERR_NOMEM;
    enum err err =
        schema_compile(c->a, json_get_str(model, STR("schema")), uri, &resolver, &schema, &message);
    if (err == ERR_NOMEM)
        return err;
    if (err) /* GV3 */
        return ERR_OK;
    *ret_schema = schema;
    return map_put(&c->schemas, name, (void *)schema, NULL);
}

static enum err take_models(struct serve_compiler *c, const struct json *json,
                            struct serve_method *m)
{
    const struct json *by_type = json_get(json, STR("requestModels"));
    struct serve_model *v = ARENA_ARRAY(c->a, struct serve_model, (by_type ? by_type->n : 0) + 1);
    if (!v)
        return ERR_NOMEM;
    m->models = v;
    JSON_EACH (m->check_body ? by_type : NULL, it) {
        const struct json *model = element_by(c->models, "name", it->text);
        v->content_type = it->key;
        if (model)
            TRY(schema_of(c, model, &v->schema));
        v++;
        m->n_models++;
    }
    return ERR_OK;
}

/* --- methods ---------------------------------------------------------------------------------- */

bool serve_param_of(struct str text, struct serve_param *ret_param)
{
    static const struct {
        struct str prefix;
        enum serve_place place;
    } places[] = {
        {STR_INIT("method.request.path."), SERVE_PATH},
        {STR_INIT("method.request.querystring."), SERVE_QUERY},
        {STR_INIT("method.request.multivaluequerystring."), SERVE_QUERY},
        {STR_INIT("method.request.header."), SERVE_HEADER},
        {STR_INIT("method.request.multivalueheader."), SERVE_HEADER},
    };
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (str_starts(text, places[i].prefix)) {
            *ret_param = (struct serve_param){places[i].place,
                                              str_sub(text, places[i].prefix.len, SIZE_MAX)};
            return true;
        }
    return false;
}

static enum err take_required(struct serve_compiler *c, const struct json *json,
                              struct serve_method *m)
{
    const struct json *params = json_get(json, STR("requestParameters"));
    struct serve_param *v = ARENA_ARRAY(c->a, struct serve_param, (params ? params->n : 0) + 1);
    if (!v)
        return ERR_NOMEM;
    m->required = v;
    JSON_EACH (params, it)
        if (it->kind == JSON_BOOL && it->b && serve_param_of(it->key, &v[m->n_required]))
            m->n_required++;
    return ERR_OK;
}

static enum err take_validator(struct serve_compiler *c, const struct json *json,
                               struct serve_method *m)
{
    const struct json *validator = element_by(json_get(c->doc, STR("requestValidators")), "id",
                                              json_get_str(json, STR("requestValidatorId")));
    m->check_params = serve_json_true(validator, "validateRequestParameters");
    m->check_body = serve_json_true(validator, "validateRequestBody");
    TRY(take_required(c, json, m));
    return take_models(c, json, m);
}

enum serve_convert serve_convert_of(const struct json *json)
{
    static const char *const words[] = {"", "CONVERT_TO_BINARY", "CONVERT_TO_TEXT", NULL};
    return (enum serve_convert)serve_word(json_get_str(json, STR("contentHandling")), words,
                                          SERVE_AS_IT_IS);
}

static enum err take_mappings(struct serve_compiler *c, const struct json *json,
                              struct serve_integration *in)
{
    TRY(map_parameters_compile(c->a, json_get(json, STR("requestParameters")), &in->parameters));
    TRY(map_templates_compile(c->a, json_get(json, STR("requestTemplates")), &in->templates));
    TRY(map_responses_compile(c->a, json_get(json, STR("integrationResponses")), &in->responses));
    return texts_of(c->a, json_get(json, STR("cacheKeyParameters")), &in->cache_keys,
                    &in->n_cache_keys);
}

static enum err take_integration(struct serve_compiler *c, const struct json *json,
                                 struct serve_method *m)
{
    static const char *const kinds[] = {"MOCK", "HTTP", "HTTP_PROXY", "AWS", "AWS_PROXY", NULL};
    int kind = serve_word(json_get_str(json, STR("type")), kinds, -1);
    if (kind < 0)
        return ERR_OK; /* GV3 */
    struct serve_integration *in = ARENA_NEW(c->a, struct serve_integration);
    if (!in)
        return ERR_NOMEM;
    *in = (struct serve_integration){
        .kind = (enum serve_kind)kind,
        .passthrough = map_passthrough_of(json_get_str(json, STR("passthroughBehavior"))),
        .convert = serve_convert_of(json),
        .timeout_ms = serve_json_number(json, "timeoutInMillis", SERVE_TIMEOUT_MS_MAX),
        .http_method = json_get_str(json, STR("httpMethod")),
        .uri = json_get_str(json, STR("uri")),
        .credentials = json_get_str(json, STR("credentials")),
        .cache_namespace = json_get_str(json, STR("cacheNamespace")),
    };
    m->integration = in;
    return take_mappings(c, json, in);
}

static enum err take_method(struct serve_compiler *c, const struct json *json,
                            struct serve_method *m)
{
    struct str type = json_get_str(json, STR("authorizationType"));
    m->index = c->api->n_methods++;
    m->http_method = json->key;
    m->authorization = str_is_set(type) ? type : STR("NONE");
    m->key_required = serve_json_true(json, "apiKeyRequired");
    m->authorizer = element_by(json_get(c->doc, STR("authorizers")), "id",
                               json_get_str(json, STR("authorizerId")));
    TRY(texts_of(c->a, json_get(json, STR("authorizationScopes")), &m->scopes, &m->n_scopes));
    TRY(take_validator(c, json, m));
    return take_integration(c, json_get(json, STR("methodIntegration")), m);
}

/* --- resources -------------------------------------------------------------------------------- */

static enum err take_resource(struct serve_compiler *c, const struct json *json,
                              struct serve_resource *r)
{
    const struct json *methods = json_get(json, STR("resourceMethods"));
    struct serve_method *v = ARENA_ARRAY(c->a, struct serve_method, (methods ? methods->n : 0) + 1);
    if (!v)
        return ERR_NOMEM;
    *r = (struct serve_resource){
        .id = json_get_str(json, STR("id")),
        .path = json_get_str(json, STR("path")),
        .methods = v,
    };
    if (!str_starts(r->path, STR("/")))
        return ERR_CORRUPT;
    JSON_EACH (methods, it) {
        v[r->n_methods].resource = r;
        TRY(take_method(c, it, &v[r->n_methods++]));
    }
    return ERR_OK;
}

static enum err take_resources(struct serve_compiler *c)
{
    const struct json *resources = json_get(c->doc, STR("resources"));
    size_t n = resources ? resources->n : 0;
    struct serve_resource *v = ARENA_ARRAY(c->a, struct serve_resource, n + 1);
    struct serve_node *root;
    if (!v)
        return ERR_NOMEM;
    c->api->resources = v;
    TRY(serve_node_new(c->a, &root));
    c->api->root = root;
    JSON_EACH (resources, it) {
        TRY(take_resource(c, it, v));
        if (v->n_methods)
            TRY(serve_node_add(c->a, root, v));
        v++;
        c->api->n_resources++;
    }
    return ERR_OK;
}

/* --- gateway responses ------------------------------------------------------------------------ */

static enum err take_refusals(struct serve_compiler *c)
{
    const struct json *list = json_get(c->doc, STR("gatewayResponses"));
    struct serve_refusal *v = ARENA_ARRAY(c->a, struct serve_refusal, (list ? list->n : 0) + 1);
    int64_t status;
    if (!v)
        return ERR_NOMEM;
    c->api->refusals = v;
    JSON_EACH (list, it) {
        struct str code = json_get_str(it, STR("statusCode"));
        *v = (struct serve_refusal){
            .type = json_get_str(it, STR("responseType")),
            .status = str_is_set(code) && str_to_i64(code, &status) == ERR_OK ? (int)status : 0,
            .templates = json_get(it, STR("responseTemplates")),
        };
        TRY(map_parameters_compile(c->a, json_get(it, STR("responseParameters")), &v->parameters));
        v++;
        c->api->n_refusals++;
    }
    return ERR_OK;
}

/* --- the API ---------------------------------------------------------------------------------- */

static enum err take_api(struct serve_compiler *c)
{
    struct serve_api *api = c->api;
    const struct json *json = json_get(c->doc, STR("restApi"));
    if (!json || json->kind != JSON_OBJECT)
        return ERR_CORRUPT;
    const struct json *endpoint = json_get(json, STR("endpointConfiguration"));
    const struct json *types = endpoint ? json_get(endpoint, STR("types")) : NULL;
    api->name = json_get_str(json, STR("name"));
    api->endpoint = types && types->child ? types->child->text : STR("EDGE");
    api->policy = json_get_str(json, STR("policy"));
    api->compress_min = serve_json_number(json, "minimumCompressionSize", -1);
    api->key_by_authorizer = str_eq_c(json_get_str(json, STR("apiKeySource")), "AUTHORIZER");
    api->host_disabled = serve_json_true(json, "disableExecuteApiEndpoint");
    TRY(texts_of(c->a, json_get(json, STR("binaryMediaTypes")), &api->binary, &api->n_binary));
    c->models = json_get(c->doc, STR("models"));
    TRY(take_refusals(c));
    return take_resources(c);
}

static enum err compile(struct serve_compiler *c, struct str id, struct str snapshot)
{
    struct json *doc;
    struct str text = str_dup(c->a, snapshot);
    c->api->id = str_dup(c->a, id);
    if (!str_is_set(text) || !str_is_set(c->api->id))
        return ERR_NOMEM;
    enum err err = json_parse(c->a, text, &doc, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    c->doc = doc;
    err = take_api(c);
    return c->a->failed ? ERR_NOMEM : err;
}

enum err serve_compile(struct str id, struct str snapshot, struct serve_api **ret_api)
{
    struct arena arena;
    arena_init(&arena, SERVE_API_BYTES_MAX);
    struct serve_api *api = ARENA_NEW(&arena, struct serve_api);
    if (!api) {
        arena_release(&arena);
        return ERR_NOMEM;
    }
    api->arena = arena; /* from here on it is inside of itself */
    struct serve_compiler c = {.a = &api->arena, .api = api};
    atomic_store(&api->refs, 1);
    map_init(&c.schemas);
    enum err err = compile(&c, id, snapshot);
    map_release(&c.schemas);
    if (err) {
        serve_api_unref(api);
        return err;
    }
    *ret_api = api;
    return ERR_OK;
}

void serve_api_ref(struct serve_api *api)
{
    atomic_fetch_add(&api->refs, 1);
}

void serve_api_unref(struct serve_api *api)
{
    if (!api || atomic_fetch_sub(&api->refs, 1) != 1)
        return;
    struct arena arena = api->arena;
    arena_release(&arena);
}
