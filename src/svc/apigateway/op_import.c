/* ImportRestApi, PutRestApi, GetExport. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "ImportRestApi", "PutRestApi", "GetExport". */
#include "base/map.h"
#include "codec/yaml.h"
#include "svc/apigateway/op_key_int.h"
#include "svc/apigateway/openapi.h"

/* Everything of a document that a description can say, and where it is stored. */
static const struct {
    const struct apigateway_part *part;
    const char *name; /* member by which one that is there already is known */
} parts[] = {
    {&apigateway_resources, "path"},         {&apigateway_models, "name"},
    {&apigateway_validators, "name"},        {&apigateway_authorizers, "name"},
    {&apigateway_responses, "responseType"},
};

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

/* --- identifiers that stay ---------------------------------------------------------------------- */

static struct json *named(struct json *list, const char *member, struct str name)
{
    for (struct json *it = list ? list->child : NULL; it; it = it->next)
        if (str_eq(json_get_str(it, str_c(member)), name))
            return it;
    return NULL;
}

/* Of what is there under the same name, the identifier: new -> old. */
static enum err keep_ids(struct json *document, struct json *const *there, struct map *ids)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct json *list = json_at(document, str_c(parts[i].part->many));
        for (struct json *it = list->child; it; it = it->next) {
            struct json *old =
                named(there[i], parts[i].name, json_get_str(it, str_c(parts[i].name)));
            struct json *id = old ? json_at(old, STR("id")) : NULL;
            if (id && json_get(it, STR("id")))
                TRY(map_put(ids, json_get_str(it, STR("id")), id, NULL));
        }
    }
    return ERR_OK;
}

/* Depth is bounded as every document's is. */
static void rename_ids(struct json *v, const struct map *ids)
{
    static const char *const members[] = {"id", "parentId", "authorizerId", "requestValidatorId",
                                          "cacheNamespace"};
    for (struct json *it = v->child; it; it = it->next) {
        rename_ids(it, ids);
        for (size_t i = 0; it->kind == JSON_STRING && i < ARRAY_LEN(members); i++) {
            const struct json *id = str_eq_c(it->key, members[i]) ? map_get(ids, it->text) : NULL;
            if (id)
                it->text = id->text;
        }
    }
}

/* --- putting ------------------------------------------------------------------------------------ */

/* The methods of a resource that is there, under those of the description. */
static enum err add_methods(struct call *call, struct json *resource, struct json *old)
{
    struct json *methods = json_at(resource, STR("resourceMethods"));
    struct json *before = json_at(old, STR("resourceMethods"));
    for (struct json *it = before ? before->child : NULL, *after; it; it = after) {
        after = it->next;
        if (!methods) {
            methods = json_new(call->arena, JSON_OBJECT);
            TRY(json_set(resource, STR("resourceMethods"), methods));
        }
        if (!json_get(methods, it->key))
            TRY(json_set(methods, it->key, it));
    }
    return ERR_OK;
}

/* One kind of part: what is there goes, or is merged with; then what the description says is written. */
static enum err put_part(struct call *call, size_t i, struct str api_id, struct json *there,
                         struct json *list, bool merge)
{
    const struct apigateway_part *part = parts[i].part;
    size_t n = 0;
    JSON_EACH (there, it) {
        bool again = named(list, parts[i].name, json_get_str(it, str_c(parts[i].name))) != NULL;
        if (!merge && !again)
            TRY(apigateway_part_drop(call, part, api_id, json_get_str(it, str_c(part->id))));
        n += merge && !again;
    }
    if (n + list->n > part->max)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "Maximum number of %s for this API has been reached. Please contact AWS "
                          "if you need additional %s.",
                          part->many, part->many);
    for (struct json *it = list->child; it; it = it->next) {
        struct json *old = named(there, parts[i].name, json_get_str(it, str_c(parts[i].name)));
        if (merge && old && part == &apigateway_resources)
            TRY(add_methods(call, it, old));
        TRY(apigateway_part_write(call, part, api_id, it));
    }
    return ERR_OK;
}

static enum err put_parts(struct call *call, struct str api_id, struct json *document, bool merge)
{
    struct json *there[ARRAY_LEN(parts)];
    struct map ids;
    TRY(apigateway_guard(call->txn, api_id));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        TRY(apigateway_parts(call->txn, parts[i].part, api_id, &there[i]));
    map_init(&ids);
    enum err err = keep_ids(document, there, &ids);
    if (err == ERR_OK)
        rename_ids(document, &ids);
    map_release(&ids);
    for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(parts); i++)
        err = put_part(call, i, api_id, there[i], json_at(document, str_c(parts[i].part->many)),
                       merge);
    return err;
}

static enum err default_to(struct json *doc, const char *name, struct json *v)
{
    return json_get(doc, str_c(name)) ? ERR_OK : json_set(doc, str_c(name), v);
}

/* The API's own members: those that the description says, over what is there (`old`, may be NULL). */
static enum err put_api(struct call *call, struct json *api, const struct json *old, bool merge,
                        struct str endpoint)
{
    static const char *const kept[] = {"id", "rootResourceId", "createdDate",
                                       "endpointConfiguration"};
    struct arena *a = call->arena;
    struct json *conf, *types;
    for (size_t i = 0; old && i < ARRAY_LEN(kept); i++)
        if (json_get(old, str_c(kept[i])))
            TRY(json_set(api, str_c(kept[i]), json_copy(a, json_get(old, str_c(kept[i])))));
    JSON_EACH (merge ? old : NULL, it)
        TRY(default_to(api, str_cstr(a, it->key), json_copy(a, it)));
    TRY(default_to(api, "apiKeySource", json_new_str(a, STR("HEADER"))));
    TRY(default_to(api, "disableExecuteApiEndpoint", json_new_bool(a, false)));
    conf = json_at(api, STR("endpointConfiguration"));
    if (conf && !str_is_set(endpoint))
        return ERR_OK;
    conf = json_new(a, JSON_OBJECT);
    types = json_new(a, JSON_ARRAY);
    TRY(json_set(api, STR("endpointConfiguration"), conf));
    TRY(json_set(conf, STR("types"), types));
    TRY(json_push(types, json_new_str(a, str_is_set(endpoint) ? endpoint : STR("EDGE"))));
    return json_set(conf, STR("ipAddressType"), json_new_str(a, STR("ipv4")));
}

static enum err write_api(struct call *call, struct str id, const struct openapi_read *r, void *out)
{
    struct json *api = json_at(r->document, STR("restApi"));
    TRY(apigateway_doc_write(call->txn,
                             key_make(call->arena, &apigateway_k_api, call_scope(call), id), api));
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
    struct arena *a = call->arena;
    struct str id = apigateway_id(a, APIGATEWAY_ID_LEN);
    if (!str_is_set(id))
        return ERR_NOMEM;
    TRY(apigateway_api_count(call));
    TRY(ask(call, &in->parameters, &asked));
    TRY(read_body(call, in->body, &asked.how, in->fail_on_warnings, &r));
    struct json *api = json_at(r.document, STR("restApi"));
    const struct json *root = json_get(r.document, STR("resources"))->child;
    TRY(json_set(api, STR("id"), json_new_str(a, id)));
    TRY(json_set(api, STR("rootResourceId"), json_new_str(a, json_get_str(root, STR("id")))));
    TRY(json_set(api, STR("createdDate"), apigateway_time(call->txn)));
    TRY(put_api(call, api, NULL, false, asked.endpoint));
    TRY(put_parts(call, id, r.document, false));
    return write_api(call, id, &r, out);
}

enum err apigateway_put_rest_api(struct call *call, const struct apigateway_put_rest_api_input *in,
                                 struct apigateway_put_rest_api_output *out)
{
    struct asked asked;
    struct openapi_read r;
    struct json *old;
    bool merge = !str_eq_c(in->mode, "overwrite");
    TRY(apigateway_need_api(call, in->rest_api_id, &old));
    TRY(ask(call, &in->parameters, &asked));
    TRY(read_body(call, in->body, &asked.how, in->fail_on_warnings, &r));
    TRY(put_api(call, json_at(r.document, STR("restApi")), old, merge, asked.endpoint));
    TRY(put_parts(call, in->rest_api_id, r.document, merge));
    return write_api(call, in->rest_api_id, &r, out);
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
    struct str deployment;
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
