/* CreateModel, GetModel, GetModels, UpdateModel, DeleteModel, GetModelTemplate.
 * Layer: svc/apigateway. Source: API Gateway API Reference, "Model". */
#include "lang/schema.h"
#include "svc/apigateway/apigateway_int.h"

#define BAD_SCHEMA                                                                                 \
    "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema "   \
    "specified. " STR_FMT "]"

/* --- checks --------------------------------------------------------------------------------------- */

struct finding {
    struct txn *txn;
    struct str api_id;
};

/* Another model of the same API, by its address:
 * https://apigateway.amazonaws.com/restapis/API/models/NAME. */
static enum err find_model(void *arg, struct str uri, struct str *ret_text)
{
    struct finding *f = arg;
    struct str prefix =
        str_fmt(f->txn->arena, APIGATEWAY_MODEL_URI "%.*s/models/", STR_ARG(f->api_id));
    struct json *doc;
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    if (!str_starts(uri, prefix))
        return ERR_NOT_FOUND;
    TRY(apigateway_doc_read(f->txn,
                            apigateway_part_key(f->txn->arena, &apigateway_models, f->api_id,
                                                str_sub(uri, prefix.len, SIZE_MAX)),
                            &doc));
    *ret_text = json_get_str(doc, STR("schema"));
    return str_is_set(*ret_text) ? ERR_OK : ERR_NOT_FOUND;
}

static bool is_alphanumeric(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return s.len > 0;
}

enum err apigateway_model_check(struct call *call, struct str api_id, const struct json *doc)
{
    struct str name = json_get_str(doc, STR("name")), text = json_get_str(doc, STR("schema")),
               message = STR("");
    struct finding f = {call->txn, api_id};
    const struct schema_resolver resolver = {find_model, &f};
    const struct schema *schema;
    if (!is_alphanumeric(name) || name.len > APIGATEWAY_NAME_MAX)
        return APIGATEWAY_BAD(call, "Model name must be alphanumeric: " STR_FMT, STR_ARG(name));
    if (!str_is_set(text) || str_empty(text))
        return APIGATEWAY_BAD(call,
                              "Model schema must have at least 1 property or array items defined");
    if (text.len > APIGATEWAY_MODEL_BYTES_MAX)
        return APIGATEWAY_BAD(call, "A model's schema has at most %d bytes.",
                              APIGATEWAY_MODEL_BYTES_MAX);
    if (!str_eq_c(json_get_str(doc, STR("contentType")), "application/json"))
        return ERR_OK;
    enum err err = schema_compile(call->arena, text,
                                  str_fmt(call->arena, APIGATEWAY_MODEL_URI "%.*s/models/%.*s",
                                          STR_ARG(api_id), STR_ARG(name)),
                                  &resolver, &schema, &message);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return APIGATEWAY_BAD(call, BAD_SCHEMA, STR_ARG(message));
    return err;
}

/* AG3, for models: methods name them, and other models' references. */
static enum err check_free(struct call *call, struct str api_id, struct str name)
{
    struct json *resources, *models;
    TRY(apigateway_parts(call->txn, &apigateway_resources, api_id, &resources));
    TRY(apigateway_parts(call->txn, &apigateway_models, api_id, &models));
    JSON_EACH (resources, r)
        JSON_EACH (json_get(r, STR("resourceMethods")), m) {
            JSON_EACH (json_get(m, STR("requestModels")), it)
                if (str_eq(it->text, name))
                    return APIGATEWAY_CONFLICT(
                        call,
                        "Cannot delete model '" STR_FMT
                        "', is referenced in method request: " STR_FMT "/" STR_FMT,
                        STR_ARG(name), STR_ARG(json_get_str(r, STR("id"))), STR_ARG(m->key));
            JSON_EACH (json_get(m, STR("methodResponses")), response)
                JSON_EACH (json_get(response, STR("responseModels")), it)
                    if (str_eq(it->text, name))
                        return APIGATEWAY_CONFLICT(
                            call,
                            "Cannot delete model '" STR_FMT
                            "', is referenced in method response: " STR_FMT "/" STR_FMT "/" STR_FMT,
                            STR_ARG(name), STR_ARG(json_get_str(r, STR("id"))), STR_ARG(m->key),
                            STR_ARG(response->key));
        }
    struct str uri = str_fmt(call->arena, APIGATEWAY_MODEL_URI "%.*s/models/%.*s\"",
                             STR_ARG(api_id), STR_ARG(name));
    if (!str_is_set(uri))
        return ERR_NOMEM;
    JSON_EACH (models, it)
        if (!str_eq(json_get_str(it, STR("name")), name) &&
            str_find_str(json_get_str(it, STR("schema")), uri) != SIZE_MAX)
            return APIGATEWAY_CONFLICT(
                call, "Cannot delete model '" STR_FMT "', is referenced in model '" STR_FMT "'",
                STR_ARG(name), STR_ARG(json_get_str(it, STR("name"))));
    return ERR_OK;
}

/* --- operations ----------------------------------------------------------------------------------- */

enum err apigateway_create_model(struct call *call, const struct apigateway_create_model_input *in,
                                 struct apigateway_create_model_output *out)
{
    struct arena *a = call->arena;
    struct json *api, *doc, *old;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(json_set(doc, STR("id"), json_new_str(a, apigateway_id(a, APIGATEWAY_PART_LEN))));
    TRY(apigateway_model_check(call, in->rest_api_id, doc));
    enum err err = apigateway_doc_read(
        call->txn, apigateway_part_key(a, &apigateway_models, in->rest_api_id, in->name), &old);
    if (err == ERR_OK)
        return APIGATEWAY_CONFLICT(call, "Model name already exists for this REST API");
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(apigateway_part_add(call, &apigateway_models, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

static enum err need_model(struct call *call, struct str api_id, struct str name,
                           struct json **ret_doc)
{
    struct json *api;
    TRY(apigateway_need_api(call, api_id, &api));
    enum err err = apigateway_doc_read(
        call->txn, apigateway_part_key(call->arena, &apigateway_models, api_id, name), ret_doc);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_ABSENT(call, "%s: " STR_FMT, apigateway_models.missing, STR_ARG(name));
    return err;
}

enum err apigateway_get_model(struct call *call, const struct apigateway_get_model_input *in,
                              struct apigateway_get_model_output *out)
{
    struct json *doc;
    if (in->has_flatten && in->flatten)
        return APIGATEWAY_BAD(call, "Flattened models are not supported by Weir.");
    TRY(need_model(call, in->rest_api_id, in->model_name, &doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_models(struct call *call, const struct apigateway_get_models_input *in,
                               struct apigateway_get_models_output *out)
{
    struct json *doc;
    TRY(APIGATEWAY_LIST(call, &apigateway_models, in, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/description", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/schema", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

enum err apigateway_update_model(struct call *call, const struct apigateway_update_model_input *in,
                                 struct apigateway_update_model_output *out)
{
    struct json *doc;
    TRY(need_model(call, in->rest_api_id, in->model_name, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(apigateway_model_check(call, in->rest_api_id, doc));
    TRY(apigateway_part_write(call, &apigateway_models, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_model(struct call *call, const struct apigateway_delete_model_input *in,
                                 struct apigateway_delete_model_output *out)
{
    struct json *doc;
    TRY(need_model(call, in->rest_api_id, in->model_name, &doc));
    TRY(apigateway_guard(call->txn, in->rest_api_id));
    TRY(check_free(call, in->rest_api_id, in->model_name));
    return apigateway_part_drop(call, &apigateway_models, in->rest_api_id, in->model_name);
}

/* --- templates ------------------------------------------------------------------------------------ */

enum { TEMPLATE_BYTES_MAX = 64 * 1024, TEMPLATE_DEPTH_MAX = 16 };

static void indent(struct buf *b, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        BUF_ADD_LIT(b, "  ");
}

static void put_value(struct buf *b, const struct json *schema, struct str at, size_t depth);

static void put_object(struct buf *b, const struct json *properties, struct str at, size_t depth)
{
    BUF_ADD_LIT(b, "{\n");
    JSON_EACH (properties, it) {
        struct str below = str_fmt(b->arena, STR_FMT "." STR_FMT, STR_ARG(at), STR_ARG(it->key));
        indent(b, depth + 1);
        json_put_str(b, it->key);
        BUF_ADD_LIT(b, " : ");
        put_value(b, it, below, depth + 1);
        buf_add_c(b, it->next ? ",\n" : "\n");
    }
    indent(b, depth);
    BUF_ADD_LIT(b, "}");
}

/* The value that stands at `at` in the input, in the form that the schema gives it. */
static void put_value(struct buf *b, const struct json *schema, struct str at, size_t depth)
{
    struct str type = json_get_str(schema, STR("type"));
    const struct json *items = json_get(schema, STR("items")),
                      *properties = json_get(schema, STR("properties"));
    if (depth == TEMPLATE_DEPTH_MAX || !str_is_set(at))
        buf_add_str(b, at);
    else if (str_eq_c(type, "object") || properties)
        put_object(b, properties, at, depth);
    else if (str_eq_c(type, "array")) {
        struct str each = depth ? str_fmt(b->arena, "$elem%zu", depth) : STR("$elem");
        buf_add_fmt(b, "[\n#foreach(" STR_FMT " in " STR_FMT ")\n", STR_ARG(each), STR_ARG(at));
        indent(b, depth + 1);
        put_value(b, items, each, depth + 1);
        BUF_ADD_LIT(b, "#if($foreach.hasNext),#end\n\n#end\n");
        indent(b, depth);
        BUF_ADD_LIT(b, "]");
    } else if (str_eq_c(type, "string"))
        buf_add_fmt(b, "\"" STR_FMT "\"", STR_ARG(at));
    else
        buf_add_str(b, at);
}

enum err apigateway_get_model_template(struct call *call,
                                       const struct apigateway_get_model_template_input *in,
                                       struct apigateway_get_model_template_output *out)
{
    struct json *doc, *schema;
    struct buf b;
    TRY(need_model(call, in->rest_api_id, in->model_name, &doc));
    enum err err = json_parse(call->arena, json_get_str(doc, STR("schema")), &schema, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err)
        return APIGATEWAY_BAD(call, BAD_SCHEMA, STR_ARG(STR("")));
    buf_init_arena(&b, call->arena, TEMPLATE_BYTES_MAX);
    BUF_ADD_LIT(&b, "#set($inputRoot = $input.path('$'))\n");
    put_value(&b, schema, STR("$inputRoot"), 0);
    if (buf_err(&b) == ERR_LIMIT)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "The template has more than %d bytes.", TEMPLATE_BYTES_MAX);
    TRY(buf_err(&b));
    out->value = buf_str(&b);
    return ERR_OK;
}
