/* CreateRestApi, GetRestApi, GetRestApis, UpdateRestApi, DeleteRestApi. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "RestApi". */
#include "svc/apigateway/apigateway_whole.h"
#include "svc/apigateway/domain.h"

enum { COMPRESSION_MAX = 10 * 1024 * 1024 };

static struct str arn_of(struct call *call, struct str id)
{
    return apigateway_arn(call, "/restapis/" STR_FMT, STR_ARG(id));
}

enum err apigateway_api_shown(struct call *call, struct json *doc, void *arg)
{
    TRY(apigateway_policy_show(call, doc));
    return apigateway_show_tags(call, doc, arn_of(call, json_get_str(doc, STR("id"))));
}

/* --- what must hold ------------------------------------------------------------------------------- */

static enum err check_endpoint(struct call *call, const struct json *conf)
{
    const struct json *types = json_get(conf, STR("types"));
    if (types && types->n != 1)
        return APIGATEWAY_BAD(call, "Only one endpoint type can be specified at a time.");
    if (types && str_eq_c(types->child->text, "PRIVATE"))
        return APIGATEWAY_BAD(call, "Endpoint type PRIVATE is not supported by Weir.");
    if (json_get(conf, STR("vpcEndpointIds")) && json_get(conf, STR("vpcEndpointIds"))->n)
        return APIGATEWAY_BAD(call, "VPC endpoints are not supported by Weir.");
    struct str ip = json_get_str(conf, STR("ipAddressType"));
    if (str_is_set(ip) && !str_eq_c(ip, "ipv4"))
        return APIGATEWAY_BAD(call, "IP address type dualstack is not supported by Weir.");
    return ERR_OK;
}

/* How the endpoint is reached is the server's configuration, not an API's. */
static enum err check_refused(struct call *call, const struct json *doc)
{
    struct str tls = json_get_str(doc, STR("securityPolicy")),
               mode = json_get_str(doc, STR("endpointAccessMode"));
    if (str_is_set(tls) && !str_eq_c(tls, "TLS_1_0") && !str_eq_c(tls, "TLS_1_2"))
        return APIGATEWAY_BAD(call, "Security policy " STR_FMT " is not supported by Weir.",
                              STR_ARG(tls));
    if (str_is_set(mode) && !str_eq_c(mode, "BASIC"))
        return APIGATEWAY_BAD(call, "Endpoint access mode STRICT is not supported by Weir.");
    return ERR_OK;
}

static enum err check(struct call *call, const struct json *doc)
{
    const struct json *size = json_get(doc, STR("minimumCompressionSize"));
    int64_t n;
    if (str_empty(json_get_str(doc, STR("name"))) ||
        json_get_str(doc, STR("name")).len > APIGATEWAY_NAME_MAX)
        return APIGATEWAY_BAD(call, "REST API Name cannot be empty or longer than %d characters.",
                              APIGATEWAY_NAME_MAX);
    if (size && (json_to_i64(size, &n) != ERR_OK || n < 0 || n > COMPRESSION_MAX))
        return APIGATEWAY_BAD(call, "Invalid minimum compression size, must be between 0 and %d.",
                              COMPRESSION_MAX);
    TRY(check_endpoint(call, json_get(doc, STR("endpointConfiguration"))));
    return check_refused(call, doc);
}

/* The policy that was given, as it is stored; an empty one is none. */
static enum err take_policy(struct call *call, struct json *doc)
{
    struct str text = json_get_str(doc, STR("policy")), stored;
    if (!str_is_set(text))
        return ERR_OK;
    if (str_empty(text)) {
        json_unset(doc, STR("policy"));
        return ERR_OK;
    }
    TRY(apigateway_policy_take(call, json_get_str(doc, STR("id")), text, &stored));
    return json_set(doc, STR("policy"), json_new_str(call->arena, stored));
}

/* --- creation ------------------------------------------------------------------------------------- */

static enum err default_to(struct json *doc, struct str member, struct json *value)
{
    return json_get(doc, member) ? ERR_OK : json_set(doc, member, value);
}

static enum err add_defaults(struct call *call, struct json *doc)
{
    struct arena *a = call->arena;
    struct json *conf = json_at(doc, STR("endpointConfiguration")), *types;
    TRY(default_to(doc, STR("apiKeySource"), json_new_str(a, STR("HEADER"))));
    TRY(default_to(doc, STR("disableExecuteApiEndpoint"), json_new_bool(a, false)));
    if (!conf) {
        conf = json_new(a, JSON_OBJECT);
        TRY(json_set(doc, STR("endpointConfiguration"), conf));
    }
    if (!json_get(conf, STR("types"))) {
        types = json_new(a, JSON_ARRAY);
        TRY(json_set(conf, STR("types"), types));
        TRY(json_push(types, json_new_str(a, STR("EDGE"))));
    }
    return default_to(conf, STR("ipAddressType"), json_new_str(a, STR("ipv4")));
}

static enum err count_one(void *arg, struct str key, struct str val)
{
    size_t *n = arg;
    (*n)++;
    return ERR_OK;
}

static enum err check_count(struct call *call)
{
    size_t n = 0;
    TRY(txn_each(call->txn, key_range(call->arena, &apigateway_k_api, call_scope(call)), count_one,
                 &n));
    return n < APIGATEWAY_APIS_MAX
               ? ERR_OK
               : call_error(call, &apigateway_err_limit_exceeded_exception,
                            "Maximum number of APIs for this account has been reached. Please "
                            "contact AWS if you need additional APIs.");
}

/* References between models carry the API's id. */
static void readdress(struct str text, struct str from, struct str to)
{
    static const struct str uri = STR_INIT(APIGATEWAY_MODEL_URI);
    for (size_t at = 0; text.len - at >= uri.len + from.len;) {
        size_t found = str_find_str(str_sub(text, at, SIZE_MAX), uri);
        if (found == SIZE_MAX)
            return;
        at += found + uri.len;
        if (str_starts(str_sub(text, at, SIZE_MAX), from))
            memcpy((char *)text.p + at, to.p, to.len);
    }
}

/* All parts of another API, from what a deployment of it would have. */
static enum err clone_parts(struct call *call, struct str from, struct str api_id)
{
    struct json *api, *whole;
    struct str text;
    TRY(apigateway_need_api(call, from, &api));
    TRY(apigateway_snapshot_make(call->txn, from, api, &text));
    if (from.len == api_id.len)
        readdress(text, from, api_id);
    TRY(json_parse(call->arena, text, &whole, NULL));
    return apigateway_whole_put(call, api_id, whole);
}

enum err apigateway_create_rest_api(struct call *call,
                                    const struct apigateway_create_rest_api_input *in,
                                    struct apigateway_create_rest_api_output *out)
{
    struct json *doc;
    TRY(apigateway_doc_asked(call, in, &doc));
    json_unset(doc, STR("tags"));
    json_unset(doc, STR("cloneFrom"));
    TRY(apigateway_api_add(call, doc, TAGS_FROM(in->tags)));
    if (str_is_set(in->clone_from))
        TRY(clone_parts(call, in->clone_from, json_get_str(doc, STR("id"))));
    TRY(apigateway_api_shown(call, doc, NULL));
    return apigateway_show(call, doc, out);
}

enum err apigateway_api_add(struct call *call, struct json *doc, struct tag_list tags)
{
    struct arena *a = call->arena;
    struct str id = apigateway_id(a, APIGATEWAY_ID_LEN), root = apigateway_id(a, APIGATEWAY_ID_LEN);
    if (!str_is_set(id) || !str_is_set(root))
        return ERR_NOMEM;
    TRY(check_count(call));
    TRY(json_set(doc, STR("id"), json_new_str(a, id)));
    TRY(json_set(doc, STR("rootResourceId"), json_new_str(a, root)));
    TRY(json_set(doc, STR("createdDate"), apigateway_time(call->txn)));
    TRY(add_defaults(call, doc));
    TRY(check(call, doc));
    TRY(take_policy(call, doc));
    struct tags_resource resource = {.arn = arn_of(call, id)};
    TRY(tags_op_create(call, &apigateway_tags, &resource, tags));
    TRY(apigateway_whole_begin(call, id, root));
    return apigateway_api_write(call, doc);
}

enum err apigateway_api_change(struct call *call, struct json *doc, struct str policy)
{
    TRY(add_defaults(call, doc));
    TRY(check(call, doc));
    if (policy.p != json_get_str(doc, STR("policy")).p)
        TRY(take_policy(call, doc));
    return apigateway_api_write(call, doc);
}

/* --- the rest ------------------------------------------------------------------------------------- */

enum err apigateway_get_rest_api(struct call *call, const struct apigateway_get_rest_api_input *in,
                                 struct apigateway_get_rest_api_output *out)
{
    struct json *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &doc));
    TRY(apigateway_api_shown(call, doc, NULL));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_rest_apis(struct call *call,
                                  const struct apigateway_get_rest_apis_input *in,
                                  struct apigateway_get_rest_apis_output *out)
{
    struct json *doc;
    const struct apigateway_list list = {
        .range = key_range(call->arena, &apigateway_k_api, call_scope(call)),
        .scope = STR(""),
        .position = in->position,
        .has_limit = in->has_limit,
        .limit = in->limit,
        .show = apigateway_api_shown,
    };
    TRY(apigateway_page(call, &list, &doc));
    return apigateway_show(call, doc, out);
}

static const struct apigateway_patch_row rows[] = {
    {"/apiKeySource", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "HEADER AUTHORIZER"},
    {"/binaryMediaTypes/[type]", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/description", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/disableExecuteApiEndpoint", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/endpointAccessMode", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "BASIC STRICT"},
    {"/endpointConfiguration/ipAddressType", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "ipv4 dualstack"},
    {"/endpointConfiguration/types/[type]", APIGATEWAY_REPLACE, APIGATEWAY_TEXT,
     "REGIONAL EDGE PRIVATE"},
    {"/endpointConfiguration/vpcEndpointIds/[id]", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
    {"/minimumCompressionSize", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_INT, NULL},
    {"/name", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/policy", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/securityPolicy", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/version", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rows);

enum err apigateway_update_rest_api(struct call *call,
                                    const struct apigateway_update_rest_api_input *in,
                                    struct apigateway_update_rest_api_output *out)
{
    struct json *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &doc));
    struct str before = json_get_str(doc, STR("policy"));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(apigateway_api_change(call, doc, before));
    TRY(apigateway_api_shown(call, doc, NULL));
    return apigateway_show(call, doc, out);
}

static enum err check_unmapped(struct call *call, struct str api_id)
{
    struct str domains;
    TRY(domain_names_of(apigateway_of(call), call->txn, api_id, STR_NONE, &domains));
    return str_is_set(domains)
               ? APIGATEWAY_BAD(call,
                                "Deleting RestApi " STR_FMT " failed. Please remove all base path "
                                "mappings related to the RestApi in your domains: " STR_FMT ".",
                                STR_ARG(api_id), STR_ARG(domains))
               : ERR_OK;
}

enum err apigateway_delete_rest_api(struct call *call,
                                    const struct apigateway_delete_rest_api_input *in,
                                    struct apigateway_delete_rest_api_output *out)
{
    struct json *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &doc));
    TRY(check_unmapped(call, in->rest_api_id));
    TRY(tags_drop(call->txn, arn_of(call, in->rest_api_id)));
    TRY(apigateway_whole_drop(call, in->rest_api_id));
    return txn_del(call->txn,
                   key_make(call->arena, &apigateway_k_api, call_scope(call), in->rest_api_id));
}
