/* TestInvokeMethod, TestInvokeAuthorizer: what is not deployed yet, tried.
 * Layer: svc/apigateway. Source: API Gateway API Reference, "TestInvokeMethod", "TestInvokeAuthorizer". */
#include "svc/apigateway/apigateway_method.h"
#include "svc/apigateway/serve_test.h"

enum { HEADERS_MAX = 1000 };

/* --- what is asked -------------------------------------------------------------------------------- */

static enum err put_header(struct call *call, struct map_made *headers, const struct json *value,
                           struct str name)
{
    if (headers->n >= HEADERS_MAX)
        return APIGATEWAY_BAD(call, "A request has at most %d headers", HEADERS_MAX);
    return map_made_add(call->arena, headers, name, value->text);
}

/* multiValueHeaders, then those of `headers` that they do not name. */
static enum err take_headers(struct call *call, const struct json *asked, struct map_made *ret)
{
    const struct json *many = json_get(asked, STR("multiValueHeaders"));
    JSON_EACH (many, list)
        JSON_EACH (list, value)
            TRY(put_header(call, ret, value, list->key));
    JSON_EACH (json_get(asked, STR("headers")), value)
        if (!json_get(many, value->key))
            TRY(put_header(call, ret, value, value->key));
    return ERR_OK;
}

/* The members that both operations have. */
static enum err take_request(struct call *call, const void *in, struct serve_test *ret)
{
    struct map_made headers = {0};
    struct json *asked;
    TRY(apigateway_doc_asked(call, in, &asked));
    TRY(take_headers(call, asked, &headers));
    ret->path_and_query = json_get_str(asked, STR("pathWithQueryString"));
    ret->body = json_get_str(asked, STR("body"));
    ret->variables = json_get(asked, STR("stageVariables"));
    ret->additional = json_get(asked, STR("additionalContext"));
    ret->headers = (struct map_pairs){headers.v, headers.n};
    if (ret->path_and_query.len && ret->path_and_query.p[0] != '/' &&
        ret->path_and_query.p[0] != '?')
        return APIGATEWAY_BAD(call, "Invalid path specified: it must start with a slash");
    return ERR_OK;
}

static enum err take_method(struct call *call, const struct apigateway_test_invoke_method_input *in,
                            struct serve_test *ret)
{
    struct apigateway_method_at at;
    if (str_is_set(in->client_certificate_id) && in->client_certificate_id.len)
        return APIGATEWAY_BAD(call, "Client certificates are not supported by Weir.");
    TRY(apigateway_integration_find(call, in->rest_api_id, in->resource_id, in->http_method, &at));
    *ret = (struct serve_test){
        .api_id = in->rest_api_id, .resource_id = in->resource_id, .http_method = in->http_method};
    TRY(take_request(call, in, ret));
    enum err err = apigateway_snapshot_make(call->txn, in->rest_api_id, at.api, &ret->snapshot);
    if (err == ERR_LIMIT)
        return APIGATEWAY_BAD(call, "The API is too large to be tested");
    return err;
}

static enum err take_authorizer(struct call *call,
                                const struct apigateway_test_invoke_authorizer_input *in,
                                struct serve_test *ret)
{
    struct json *api, *authorizer;
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_need_part(call, &apigateway_authorizers, in->rest_api_id, in->authorizer_id,
                             &authorizer));
    /* No answer is kept of a test, and none that was kept is taken. */
    TRY(json_set(authorizer, STR("authorizerResultTtlInSeconds"), json_new_i64(call->arena, 0)));
    *ret = (struct serve_test){.api_id = in->rest_api_id,
                               .http_method = STR("GET"),
                               .snapshot = STR("{\"restApi\":{},\"resources\":[]}"),
                               .authorizer = authorizer};
    return take_request(call, in, ret);
}

/* --- what came ------------------------------------------------------------------------------------ */

/* "headers" has the last of each name, "multiValueHeaders" all. */
static enum err show_headers(struct call *call, const struct map_pairs *headers, struct json *doc)
{
    struct arena *a = call->arena;
    struct json *one = json_new(a, JSON_OBJECT), *many = json_new(a, JSON_OBJECT);
    TRY(json_set(doc, STR("headers"), one));
    TRY(json_set(doc, STR("multiValueHeaders"), many));
    for (size_t i = 0; i < headers->n; i++) {
        const struct map_pair *h = &headers->v[i];
        struct json *list = json_at(many, h->name);
        TRY(json_set(one, h->name, json_new_str(a, h->value)));
        if (!list) {
            list = json_new(a, JSON_ARRAY);
            TRY(json_set(many, h->name, list));
        }
        TRY(json_push(list, json_new_str(a, h->value)));
    }
    return ERR_OK;
}

static enum err set_end(struct call *call, const struct serve_tested *t, const char *status,
                        struct json *doc)
{
    struct arena *a = call->arena;
    TRY(json_set(doc, str_c(status), json_new_i64(a, t->status)));
    TRY(json_set(doc, STR("log"), json_new_str(a, t->log)));
    return json_set(doc, STR("latency"), json_new_i64(a, t->latency_ms));
}

enum err apigateway_test_invoke_method(struct call *call,
                                       const struct apigateway_test_invoke_method_input *in,
                                       struct apigateway_test_invoke_method_output *out)
{
    struct arena *a = call->arena;
    struct serve_test test = {0};
    struct serve_tested tested;
    struct json *doc = json_new(a, JSON_OBJECT);
    if (!call->state)
        TRY(take_method(call, in, &test));
    enum err err = serve_test_method(apigateway_of(call)->serve, call, &test, &tested);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_BAD(call, "Invalid path specified: it is not one of the resource's");
    TRY(err);
    if (!doc)
        return ERR_NOMEM;
    TRY(set_end(call, &tested, "status", doc));
    TRY(json_set(doc, STR("body"), json_new_str(a, tested.body)));
    TRY(show_headers(call, &tested.headers, doc));
    return apigateway_show(call, doc, out);
}

/* The policy as it came, and who it is for; a user pool's claims. */
static enum err show_caller(struct call *call, const struct serve_tested *t, struct json *doc)
{
    struct arena *a = call->arena;
    const struct json *claims = json_get(t->authorizer, STR("claims"));
    if (str_is_set(t->principal_id) && !claims)
        TRY(json_set(doc, STR("principalId"), json_new_str(a, t->principal_id)));
    if (str_is_set(t->policy))
        TRY(json_set(doc, STR("policy"), json_new_str(a, t->policy)));
    return claims ? json_set(doc, STR("claims"), json_copy(a, claims)) : ERR_OK;
}

enum err apigateway_test_invoke_authorizer(struct call *call,
                                           const struct apigateway_test_invoke_authorizer_input *in,
                                           struct apigateway_test_invoke_authorizer_output *out)
{
    struct serve_test test = {0};
    struct serve_tested tested;
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!call->state)
        TRY(take_authorizer(call, in, &test));
    TRY(serve_test_authorizer(apigateway_of(call)->serve, call, &test, &tested));
    if (!doc)
        return ERR_NOMEM;
    TRY(set_end(call, &tested, "clientStatus", doc));
    TRY(show_caller(call, &tested, doc));
    return apigateway_show(call, doc, out);
}
