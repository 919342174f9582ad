/* Gateway responses: what a request is answered with that no integration answers. See
 * serve_request.h.
 *
 * Source: API Gateway Developer Guide, "Gateway response types for API Gateway", "Gateway responses in
 * API Gateway".
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/apigateway/serve_request.h"

enum { BODY_BYTES_MAX = 64 * 1024 };

static const struct serve_type types[] = {
    {"ACCESS_DENIED", "AccessDeniedException", 403,
     "User is not authorized to access this resource"},
    {"API_CONFIGURATION_ERROR", "InternalServerErrorException", 500, "Internal server error"},
    {"AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException", 500, NULL},
    {"AUTHORIZER_FAILURE", "AuthorizerFailureException", 500, NULL},
    {"BAD_REQUEST_PARAMETERS", "BadRequestException", 400, "Invalid request parameters"},
    {"BAD_REQUEST_BODY", "BadRequestException", 400, "Invalid request body"},
    {"EXPIRED_TOKEN", "ExpiredTokenException", 403,
     "The security token included in the request is expired"},
    {"INTEGRATION_FAILURE", "InternalServerErrorException", 504,
     "Network error communicating with endpoint"},
    {"INTEGRATION_TIMEOUT", "InternalServerErrorException", 504, "Endpoint request timed out"},
    {"INVALID_API_KEY", "ForbiddenException", 403, "Forbidden"},
    {"INVALID_SIGNATURE", "InvalidSignatureException", 403,
     "The request signature we calculated does not match the signature you provided."},
    {"MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", 403,
     "Missing Authentication Token"},
    {"QUOTA_EXCEEDED", "LimitExceededException", 429, "Limit Exceeded"},
    {"REQUEST_TOO_LARGE", "RequestTooLongException", 413, "Request Too Long"},
    {"RESOURCE_NOT_FOUND", "NotFoundException", 404, "Not Found"},
    {"THROTTLED", "TooManyRequestsException", 429, "Too Many Requests"},
    {"UNAUTHORIZED", "UnauthorizedException", 401, "Unauthorized"},
    {"UNSUPPORTED_MEDIA_TYPE", "UnsupportedMediaTypeException", 415, "Unsupported Media Type"},
    {"WAF_FILTERED", "ForbiddenException", 403, "Forbidden"},
};

enum err serve_refuse(struct serve_req *r, const char *type, struct str message)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].name, type) == 0)
            r->refused = &types[i];
    assert(r->refused);
    r->message_text = str_is_set(message) ? message : str_c(r->refused->message);
    return ERR_FAILED;
}

enum err serve_refuse_as(struct serve_req *r, int status, const char *error, struct str message)
{
    struct serve_type *type = ARENA_NEW(r->call->arena, struct serve_type);
    if (!type)
        return ERR_NOMEM;
    *type = (struct serve_type){status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX", error, status, NULL};
    r->refused = type;
    r->message_text = message;
    return ERR_FAILED;
}

/* --- what the API says of it ------------------------------------------------------------------ */

static const struct serve_refusal *set_for(const struct serve_api *api, const char *type)
{
    for (size_t i = 0; i < api->n_refusals; i++)
        if (str_eq_c(api->refusals[i].type, type))
            return &api->refusals[i];
    return NULL;
}

/* The type's own, else the one for its class. NULL: neither was set. */
static const struct serve_refusal *refusal_of(const struct serve_req *r)
{
    const struct serve_api *api = r->stage ? r->stage->api : NULL;
    if (!api)
        return NULL;
    const struct serve_refusal *own = set_for(api, r->refused->name);
    return own ? own : set_for(api, r->refused->status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
}

/* By what the client accepts, else JSON, else the first. NULL: the default template. */
static const struct json *template_of(const struct serve_req *r, const struct serve_refusal *set)
{
    const struct json *templates = set ? set->templates : NULL;
    struct str accept = serve_header(r, "accept");
    if (!templates || !templates->child)
        return NULL;
    struct str list = str_cut(&accept, ',');
    const struct json *t = json_get(templates, str_trim(str_cut(&list, ';')));
    if (!t)
        t = json_get(templates, STR("application/json"));
    return t ? t : templates->child;
}

/* Of a denial the member has a capital, as AWS's own policy engine words it. */
static void put_default_body(struct serve_req *r, struct buf *b)
{
    bool capital = strcmp(r->refused->name, "ACCESS_DENIED") == 0;
    buf_add_c(b, capital ? "{\"Message\":" : "{\"message\":");
    if (str_is_set(r->message_text))
        json_put_str(b, r->message_text);
    else
        buf_add_c(b, "null");
    buf_add_byte(b, '}');
}

enum err serve_put_error(struct serve_req *r)
{
    struct json *error;
    struct buf quoted;
    buf_init_arena(&quoted, r->call->arena, BODY_BYTES_MAX);
    TRY(serve_context_need(r));
    TRY(serve_put_object(r, r->context, "error", &error));
    if (str_is_set(r->message_text))
        json_put_str(&quoted, r->message_text);
    else
        buf_add_c(&quoted, "null");
    TRY(serve_put_text(r, error, "message", r->message_text));
    TRY(serve_put_text(r, error, "messageString", buf_str(&quoted)));
    TRY(serve_put_text(r, error, "responseType", str_c(r->refused->name)));
    return serve_put_text(r, error, "validationErrorString", r->validation);
}

static enum err apply(struct serve_req *r, const struct serve_refusal *set)
{
    struct arena *a = r->call->arena;
    struct map_targets targets = {0};
    struct map_fault fault;
    const struct json *template = template_of(r, set);
    TRY(serve_put_error(r));
    TRY(serve_message_need(r));
    enum err err =
        map_parameters_apply(a, &set->parameters, &r->scope, &r->message, &targets, &fault);
    if (err == ERR_NOMEM)
        return err;
    r->out.header = targets.header;
    if (proxy_status_ok(set->status))
        r->out.status = set->status;
    if (!template)
        return ERR_OK;
    r->out.content_type = template->key;
    err = map_plain(a, template->text, &r->scope, &r->message, &r->out.body);
    if (err == ERR_LIMIT)
        r->out.body = STR("");
    return err == ERR_LIMIT ? ERR_OK : err;
}

enum err serve_refused(struct serve_req *r)
{
    struct arena *a = r->call->arena;
    const struct serve_refusal *set = refusal_of(r);
    struct buf b;
    buf_init_arena(&b, a, BODY_BYTES_MAX);
    put_default_body(r, &b);
    TRY(buf_err(&b));
    r->out = (struct serve_out){
        .status = r->refused->status, .content_type = STR("application/json"), .body = buf_str(&b)};
    if (set)
        TRY(apply(r, set));
    for (size_t i = 0; i < r->out.header.n; i++)
        if (str_eq_nocase(r->out.header.v[i].name, STR("content-type")))
            r->out.content_type = r->out.header.v[i].value;
    return map_made_set(a, &r->out.header, STR("x-amzn-ErrorType"), str_c(r->refused->error), true);
}
