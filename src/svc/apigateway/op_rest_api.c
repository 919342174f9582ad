/* CreateRestApi, GetRestApi, GetRestApis, DeleteRestApi. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "RestApi". */
#include "svc/apigateway/apigateway_int.h"

static struct str arn_of(struct call *call, struct str id)
{
    return apigateway_arn(call, "/restapis/" STR_FMT, STR_ARG(id));
}

/* --- what is shown -------------------------------------------------------------------------------- */

/* Policies are shown as the inside of a JSON text, every slash and quote escaped, as AWS does: clients
 * unquote them. */
static enum err escape_policy(struct call *call, struct json *doc)
{
    struct str text = json_get_str(doc, STR("policy"));
    struct buf b;
    if (!str_is_set(text))
        return ERR_OK;
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    json_put_str(&b, text);
    TRY(buf_err(&b));
    struct str quoted = buf_str(&b), inside = str_sub(quoted, 1, quoted.len - 2);
    struct buf out;
    buf_init_arena(&out, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.p[i] == '/')
            buf_add_byte(&out, '\\');
        buf_add_byte(&out, inside.p[i]);
    }
    TRY(buf_err(&out));
    return json_set(doc, STR("policy"), json_new_str(call->arena, buf_str(&out)));
}

static enum err shown(struct call *call, struct json *doc, void *arg)
{
    TRY(escape_policy(call, doc));
    return apigateway_show_tags(call, doc, arn_of(call, json_get_str(doc, STR("id"))));
}

/* --- creation ------------------------------------------------------------------------------------- */

static enum err check_endpoint(struct call *call, const struct json *conf)
{
    JSON_EACH (json_get(conf, STR("types")), it)
        if (str_eq_c(it->text, "PRIVATE"))
            return APIGATEWAY_BAD(call, "Endpoint type PRIVATE is not supported by Weir.");
    if (json_get(conf, STR("vpcEndpointIds")))
        return APIGATEWAY_BAD(call, "VPC endpoints are not supported by Weir.");
    return ERR_OK;
}

static enum err default_to(struct call *call, struct json *doc, const char *member,
                           struct json *value)
{
    return json_get(doc, str_c(member)) ? ERR_OK : json_set(doc, str_c(member), value);
}

static enum err default_endpoint(struct call *call, struct json *doc)
{
    struct arena *a = call->arena;
    struct json *conf = json_at(doc, STR("endpointConfiguration"));
    if (!conf) {
        conf = json_new(a, JSON_OBJECT);
        TRY(json_set(doc, STR("endpointConfiguration"), conf));
    }
    if (!json_get(conf, STR("types"))) {
        struct json *types = json_new(a, JSON_ARRAY);
        TRY(json_set(conf, STR("types"), types));
        TRY(json_push(types, json_new_str(a, STR("EDGE"))));
    }
    return default_to(call, conf, "ipAddressType", json_new_str(a, STR("ipv4")));
}

static enum err add_root(struct call *call, struct str api_id, struct str root_id)
{
    struct json *root = json_new(call->arena, JSON_OBJECT);
    if (!root)
        return ERR_NOMEM;
    TRY(json_set(root, STR("id"), json_new_str(call->arena, root_id)));
    TRY(json_set(root, STR("path"), json_new_str(call->arena, STR("/"))));
    return apigateway_part_add(call, &apigateway_resources, api_id, root);
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
    return n < APIGATEWAY_APIS_MAX ? ERR_OK
                                   : call_error(call, &apigateway_err_limit_exceeded_exception,
                                                "Maximum number of APIs for this account has been "
                                                "reached.");
}

enum err apigateway_create_rest_api(struct call *call,
                                    const struct apigateway_create_rest_api_input *in,
                                    struct apigateway_create_rest_api_output *out)
{
    struct arena *a = call->arena;
    struct json *doc;
    struct str id = apigateway_id(a, APIGATEWAY_ID_LEN), root = apigateway_id(a, APIGATEWAY_ID_LEN);
    if (!str_is_set(id) || !str_is_set(root))
        return ERR_NOMEM;
    TRY(check_count(call));
    TRY(apigateway_doc_asked(call, in, &doc));
    TRY(check_endpoint(call, json_get(doc, STR("endpointConfiguration"))));
    json_unset(doc, STR("tags"));
    json_unset(doc, STR("cloneFrom"));
    TRY(json_set(doc, STR("id"), json_new_str(a, id)));
    TRY(json_set(doc, STR("rootResourceId"), json_new_str(a, root)));
    TRY(json_set(doc, STR("createdDate"), apigateway_time(call->txn)));
    TRY(default_to(call, doc, "apiKeySource", json_new_str(a, STR("HEADER"))));
    TRY(default_to(call, doc, "disableExecuteApiEndpoint", json_new_bool(a, false)));
    TRY(default_endpoint(call, doc));
    struct tags_resource resource = {.arn = arn_of(call, id)};
    TRY(tags_op_create(call, &apigateway_tags, &resource, TAGS_FROM(in->tags)));
    TRY(add_root(call, id, root));
    TRY(apigateway_doc_write(call->txn, key_make(a, &apigateway_k_api, call_scope(call), id), doc));
    TRY(shown(call, doc, NULL));
    return apigateway_show(call, doc, out);
}

/* --- the rest ------------------------------------------------------------------------------------- */

enum err apigateway_get_rest_api(struct call *call, const struct apigateway_get_rest_api_input *in,
                                 struct apigateway_get_rest_api_output *out)
{
    struct json *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &doc));
    TRY(shown(call, doc, NULL));
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
        .show = shown,
    };
    TRY(apigateway_page(call, &list, &doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_delete_rest_api(struct call *call,
                                    const struct apigateway_delete_rest_api_input *in,
                                    struct apigateway_delete_rest_api_output *out)
{
    struct json *doc;
    TRY(apigateway_need_api(call, in->rest_api_id, &doc));
    TRY(tags_drop(call->txn, arn_of(call, in->rest_api_id)));
    return txn_del(call->txn,
                   key_make(call->arena, &apigateway_k_api, call_scope(call), in->rest_api_id));
}
