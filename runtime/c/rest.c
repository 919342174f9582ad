/* See rest.h. Layer: runtime/c. Pure. */
#include "rest.h"

#include "codec/base64.h"

enum { MESSAGE_MAX = 64 * 1024 };

static const struct json *object_of(const struct json *v, const char *name)
{
    const struct json *o = json_get(v, str_c(name));
    return o && o->kind == JSON_OBJECT ? o : NULL;
}

enum err rest_read(struct arena *a, struct str event, struct rest_request *ret_request)
{
    struct json *doc = NULL;
    enum err err = json_parse(a, event, &doc, NULL);
    if (err != ERR_OK)
        return err == ERR_NOMEM ? err : ERR_INVALID;
    const struct json *context = object_of(doc, "requestContext");
    const struct json *base64 = json_get(doc, STR("isBase64Encoded"));
    struct rest_request r = {
        .method = json_get_str(doc, STR("httpMethod")),
        .resource = json_get_str(doc, STR("resource")),
        .path = json_get_str(doc, STR("path")),
        .body = json_get_str(doc, STR("body")),
        .request_id = json_get_str(context, STR("requestId")),
        .headers = object_of(doc, "headers"),
        .path_parameters = object_of(doc, "pathParameters"),
        .query = object_of(doc, "queryStringParameters"),
        .authorizer = object_of(context, "authorizer"),
    };
    if (!r.method.len || !r.resource.len || !r.request_id.len)
        return ERR_INVALID;
    if (str_is_set(r.body) && base64 && base64->kind == JSON_BOOL && base64->b)
        TRY(base64_decode(a, r.body, &r.body));
    *ret_request = r;
    return ERR_OK;
}

struct str rest_header(const struct rest_request *request, struct str name)
{
    JSON_EACH (request->headers, header)
        if (str_eq_nocase(header->key, name) && header->kind == JSON_STRING)
            return header->text;
    return STR_NONE;
}

void rest_reply(struct buf *reply, int status, struct str body, struct str allow_origin)
{
    struct json_out o;
    json_out_init(&o, reply);
    json_open(&o, '{');
    json_kv_i64(&o, STR("statusCode"), status);
    json_key(&o, STR("headers"));
    json_open(&o, '{');
    json_kv_str(&o, STR("Content-Type"), STR("application/json"));
    json_kv_str(&o, STR("Access-Control-Allow-Origin"), allow_origin);
    json_close(&o, '}');
    json_kv_str(&o, STR("body"), body);
    json_close(&o, '}');
}

void rest_reply_message(struct buf *reply, int status, struct str message, struct str allow_origin)
{
    struct buf b;
    struct json_out o;
    buf_init(&b, MESSAGE_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("message"), message);
    json_close(&o, '}');
    if (buf_err(&b) == ERR_OK)
        rest_reply(reply, status, buf_str(&b), allow_origin);
    buf_release(&b);
}
