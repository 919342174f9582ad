/* ImportRestApi, PutRestApi, GetExport. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "ImportRestApi", "PutRestApi", "GetExport". */
#include "codec/yaml.h"
#include "svc/apigateway/apigateway_whole.h"
#include "svc/apigateway/openapi.h"

/* --- what was asked ----------------------------------------------------------------------------- */

struct asked {
    struct openapi_how how;
    struct str endpoint; /* "REGIONAL"; absent: not said */
};

static struct str new_id(struct arena *a, size_t len)
{
    return apigateway_id(a, len);
}

static enum err ask(struct call *call, const struct apigateway_map_of_string_to_string *parameters,
                    struct asked *ret)
{
    static const char *const bases[] = {"ignore", "prepend", "split"};
    *ret = (struct asked){.how = {OPENAPI_BASE_IGNORE, new_id}};
    for (size_t i = 0; i < parameters->n; i++) {
        struct str key = parameters->v[i].key, value = parameters->v[i].value;
        if (str_eq_nocase(key, STR("basepath"))) {
            size_t b = 0;
            while (b < ARRAY_LEN(bases) && !str_eq_c(value, bases[b]))
                b++;
            if (b == ARRAY_LEN(bases))
                return APIGATEWAY_BAD(call, "Invalid value for parameter basepath: it must be one "
                                            "of ignore, prepend, split");
            ret->how.base = (enum openapi_base)b;
        } else if (str_eq_c(key, "endpointConfigurationTypes")) {
            if (!str_eq_c(value, "EDGE") && !str_eq_c(value, "REGIONAL"))
                return APIGATEWAY_BAD(call, "Endpoint type " STR_FMT " is not supported by Weir.",
                                      STR_ARG(value));
            ret->endpoint = value;
        } else if (str_eq_c(key, "ignore") && str_eq_c(value, "documentation")) {
            continue;
        } else if (!str_eq_c(key, "mode") && !str_eq_c(key, "failonwarnings")) {
            return APIGATEWAY_BAD(call, "Parameter " STR_FMT " is not supported by Weir.",
                                  STR_ARG(key));
        }
    }
    return ERR_OK;
}

static enum err read_body(struct call *call, struct str body, const struct openapi_how *how,
                          bool strict, struct openapi_read *ret)
{
    struct buf b;
    enum err err = openapi_import(call->arena, body, how, ret);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return APIGATEWAY_BAD(call, STR_FMT, STR_ARG(ret->fault));
    TRY(err);
    if (!strict || !ret->warnings->child)
        return ERR_OK;
    buf_init_arena(&b, call->arena, OPENAPI_BYTES_MAX);
    JSON_EACH (ret->warnings, it) {
        BUF_ADD_LIT(&b, "\n\t");
        buf_add_str(&b, it->text);
    }
    TRY(buf_err(&b));
    return APIGATEWAY_BAD(call, "Warnings found during import:" STR_FMT, STR_ARG(buf_str(&b)));
}

/* --- putting ------------------------------------------------------------------------------------ */

static enum err set_endpoint(struct call *call, struct json *api, struct str type)
{
    struct json *conf = json_new(call->arena, JSON_OBJECT),
                *types = json_new(call->arena, JSON_ARRAY);
    if (!str_is_set(type))
        return ERR_OK;
    TRY(json_set(api, STR("endpointConfiguration"), conf));
    TRY(json_set(conf, STR("types"), types));
    return json_push(types, json_new_str(call->arena, type));
}

/* The parts of the description, their models at home in this API. */
static enum err put_parts(struct call *call, struct str api_id, const struct openapi_read *r)
{
    struct str uri = str_fmt(call->arena, APIGATEWAY_MODEL_URI STR_FMT "/models/", STR_ARG(api_id));
    if (!str_is_set(uri))
        return ERR_NOMEM;
    TRY(openapi_models_at(call->arena, r->document, uri));
    return apigateway_whole_put(call, api_id, r->document);
}

static enum err show(struct call *call, struct json *api, const struct openapi_read *r, void *out)
{
    if (r->warnings->child)
        TRY(json_set(api, STR("warnings"), r->warnings));
    TRY(apigateway_api_shown(call, api, NULL));
    return apigateway_show(call, api, out);
}

enum err apigateway_import_rest_api(struct call *call,
                                    const struct apigateway_import_rest_api_input *in,
                                    struct apigateway_import_rest_api_output *out)
{
    struct asked asked;
    struct openapi_read r;
    TRY(ask(call, &in->parameters, &asked));
    TRY(read_body(call, in->body, &asked.how, in->fail_on_warnings, &r));
    struct json *api = json_at(r.document, STR("restApi"));
    TRY(set_endpoint(call, api, asked.endpoint));
    TRY(apigateway_api_add(call, api, (struct tag_list){0}));
    TRY(put_parts(call, json_get_str(api, STR("id")), &r));
    return show(call, api, &r, out);
}

/* What the description says of the API as a whole, over what is there (`api`); where that is not merged,
 * it keeps what a description cannot say. */
static enum err put_api(struct call *call, struct json *api, const struct json *said, bool merge)
{
    static const char *const sayable[] = {"name",
                                          "description",
                                          "version",
                                          "binaryMediaTypes",
                                          "minimumCompressionSize",
                                          "apiKeySource",
                                          "policy",
                                          "disableExecuteApiEndpoint"};
    struct str policy = json_get_str(api, STR("policy"));
    for (size_t i = 0; i < ARRAY_LEN(sayable); i++) {
        const struct json *v = json_get(said, str_c(sayable[i]));
        if (v)
            TRY(json_set(api, str_c(sayable[i]), json_copy(call->arena, v)));
        else if (!merge)
            (void)json_unset(api, str_c(sayable[i]));
    }
    return apigateway_api_change(call, api, policy);
}

enum err apigateway_put_rest_api(struct call *call, const struct apigateway_put_rest_api_input *in,
                                 struct apigateway_put_rest_api_output *out)
{
    struct asked asked;
    struct openapi_read r;
    struct json *api;
    bool merge = !str_eq_c(in->mode, "overwrite");
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(ask(call, &in->parameters, &asked));
    TRY(read_body(call, in->body, &asked.how, in->fail_on_warnings, &r));
    TRY(set_endpoint(call, api, asked.endpoint));
    TRY(put_api(call, api, json_get(r.document, STR("restApi")), merge));
    if (!merge)
        TRY(apigateway_whole_clear(call, in->rest_api_id));
    TRY(put_parts(call, in->rest_api_id, &r));
    return show(call, api, &r, out);
}

/* --- the way back ------------------------------------------------------------------------------- */

static enum err how_of(struct call *call, const struct apigateway_get_export_input *in,
                       struct openapi_export *ret)
{
    ret->v3 = str_eq_c(in->export_type, "oas30");
    if (!ret->v3 && !str_eq_c(in->export_type, "swagger"))
        return APIGATEWAY_BAD(call, "Invalid export type: it must be swagger or oas30");
    for (size_t i = 0; i < in->parameters.n; i++) {
        struct str key = in->parameters.v[i].key, rest = in->parameters.v[i].value;
        while (str_is_set(rest) && str_eq_c(key, "extensions")) {
            struct str word = str_trim(str_cut(&rest, ','));
            ret->gateway |= str_eq_c(word, "apigateway");
            ret->integrations |= str_eq_c(word, "apigateway") || str_eq_c(word, "integrations");
            ret->authorizers |= str_eq_c(word, "apigateway") || str_eq_c(word, "authorizers");
            if (str_eq_c(word, "postman") || str_eq_c(word, "documentation"))
                return APIGATEWAY_BAD(call, "Extension " STR_FMT " is not supported by Weir.",
                                      STR_ARG(word));
        }
    }
    return ERR_OK;
}

static enum err find(struct call *call, const struct apigateway_get_export_input *in,
                     struct json **ret_snapshot, struct str *ret_deployment)
{
    struct apigateway_stage_now now;
    struct json *api;
    struct str text;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    enum err err = apigateway_stage_find(apigateway_of(call), call->txn, in->rest_api_id,
                                         in->stage_name, &now);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_ABSENT(call, "Invalid stage identifier specified");
    TRY(err);
    TRY(apigateway_snapshot_read(call->txn, in->rest_api_id, now.deployment_id, &text));
    *ret_deployment = now.deployment_id;
    err = json_parse(call->arena, text, ret_snapshot, NULL);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

enum err apigateway_get_export(struct call *call, const struct apigateway_get_export_input *in,
                               struct apigateway_get_export_output *out)
{
    struct openapi_export how = {.stage = in->stage_name};
    struct json *snapshot, *doc;
    struct str deployment = STR_NONE;
    struct buf b;
    bool yaml = str_find_str(in->accepts, STR("yaml")) != SIZE_MAX;
    TRY(how_of(call, in, &how));
    TRY(find(call, in, &snapshot, &deployment));
    how.host = str_fmt(call->arena, STR_FMT ".execute-api." STR_FMT ".amazonaws.com",
                       STR_ARG(in->rest_api_id), STR_ARG(call->region));
    if (!str_is_set(how.host))
        return ERR_NOMEM;
    TRY(openapi_export(call->arena, snapshot, &how, &doc));
    buf_init_arena(&b, call->arena, APIGATEWAY_SNAPSHOT_BYTES_MAX * 2);
    if (yaml)
        yaml_put(&b, doc);
    else
        json_put(&b, doc);
    TRY(buf_err(&b));
    out->body = buf_str(&b);
    out->content_type = yaml ? STR("application/yaml") : STR("application/json");
    out->content_disposition =
        str_fmt(call->arena, "attachment; filename=\"" STR_FMT "_" STR_FMT ".%s\"",
                STR_ARG(in->export_type), STR_ARG(deployment), yaml ? "yaml" : "json");
    return str_is_set(out->content_disposition) ? ERR_OK : ERR_NOMEM;
}
