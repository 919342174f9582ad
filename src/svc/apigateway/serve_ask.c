/* From a method request to what its integration is asked. See serve_request.h.
 *
 * Source: API Gateway Developer Guide, "Data transformations for REST APIs", "Content type conversions
 * in API Gateway", "API Gateway permissions model for invoking an API".
 * Layer: svc. Thread: the call's loop. */
#include "codec/base64.h"
#include "core/proxy_event.h"
#include "svc/apigateway/serve_request.h"

#define CALLER_SIGN "arn:aws:iam::*:user/*"

static enum err misconfigured(struct serve_req *r, const char *why)
{
    serve_log_error(r, "Execution failed due to configuration error: %s", why);
    return serve_refuse(r, "API_CONFIGURATION_ERROR", STR_NONE);
}

static enum err fault(struct serve_req *r, const struct map_fault *f)
{
    serve_log_error(r,
                    "Execution failed due to configuration error: " STR_FMT " (line %u, column %u)",
                    STR_ARG(f->message), f->line, f->column);
    return serve_refuse(r, "API_CONFIGURATION_ERROR", STR_NONE);
}

/* --- as whom ---------------------------------------------------------------------------------- */

/* The role must trust API Gateway. */
static enum err check_role(struct serve_req *r, struct str role_arn)
{
    const struct identity_port *id = &r->call->core->identity;
    enum err err =
        id->role_trusts(id->self, r->call->txn, role_arn, STR("apigateway.amazonaws.com"));
    if (err == ERR_DENIED || err == ERR_NOT_FOUND || err == ERR_INVALID)
        return misconfigured(r, "API Gateway does not have permission to assume the provided role");
    return err;
}

static enum err choose_principal(struct serve_req *r)
{
    struct str credentials;
    enum err err = map_stage_variables(r->call->arena, r->ask.of->credentials, r->stage->variables,
                                       &credentials);
    if (err)
        return err == ERR_LIMIT ? misconfigured(r, "credentials") : err;
    r->ask.source_arn = auth_method_arn(r->call, r->call->account, r->api_id, r->stage_name,
                                        r->http.method, r->route.resource->path);
    if (!str_is_set(r->ask.source_arn))
        return ERR_NOMEM;
    if (!str_is_set(r->ask.of->credentials) || credentials.len == 0)
        return ERR_OK;
    if (!str_eq_c(credentials, CALLER_SIGN)) {
        r->ask.role_arn = credentials;
        return check_role(r, credentials);
    }
    if (!r->who.who)
        return misconfigured(r, "the caller has no credentials");
    r->ask.who = r->who.who;
    return ERR_OK;
}

/* --- mapped ----------------------------------------------------------------------------------- */

/* The body as the template sees it; *ret_bytes: there is none for bytes. */
static enum err convert_body(struct serve_req *r, bool *ret_bytes)
{
    struct arena *a = r->call->arena;
    struct str body = r->http.body;
    enum serve_convert convert = r->ask.of->convert;
    *ret_bytes = (r->binary && convert != SERVE_TO_TEXT) || convert == SERVE_TO_BINARY;
    if (r->binary && convert == SERVE_TO_TEXT) {
        body = base64_encode(a, body.p, body.len);
        if (!str_is_set(body))
            return ERR_NOMEM;
    } else if (!r->binary && convert == SERVE_TO_BINARY) {
        enum err err = base64_decode(a, body, &body);
        if (err)
            return err == ERR_NOMEM ? err : misconfigured(r, "the body is not base64");
    }
    r->ask.body = r->message.body = body;
    return ERR_OK;
}

static enum err render(struct serve_req *r, bool bytes)
{
    const struct serve_integration *in = r->ask.of;
    const struct map_template *t = NULL;
    struct map_fault f = {0};
    if (bytes)
        return ERR_OK;
    enum err err =
        map_choose_request(&in->templates, serve_header(r, "content-type"), in->passthrough, &t);
    if (err == ERR_UNSUPPORTED)
        return serve_refuse(r, "UNSUPPORTED_MEDIA_TYPE", STR_NONE);
    TRY(err);
    if (!t)
        return ERR_OK;
    serve_log_data(r, "Method request body before transformations: " STR_FMT,
                   STR_ARG(r->message.body));
    err = map_render(r->call->arena, t, &r->scope, &r->message, NULL, &r->rendered, &f);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return fault(r, &f);
    TRY(err);
    r->ask.body = r->rendered.body;
    return ERR_OK;
}

static enum err override(struct serve_req *r, struct map_made *made, const struct map_made *by,
                         bool nocase)
{
    for (size_t i = 0; i < by->n; i++)
        TRY(map_made_set(r->call->arena, made, by->v[i].name, by->v[i].value, nocase));
    return ERR_OK;
}

static enum err apply_parameters(struct serve_req *r, struct map_targets *targets)
{
    struct map_fault f = {0};
    enum err err = map_parameters_apply(r->call->arena, &r->ask.of->parameters, &r->scope,
                                        &r->message, targets, &f);
    if (err == ERR_INVALID)
        return serve_refuse(r, "BAD_REQUEST_BODY", f.message);
    if (err == ERR_LIMIT)
        return misconfigured(r, "a mapped parameter is too long");
    TRY(err);
    TRY(override(r, &targets->header, &r->rendered.header, true));
    TRY(override(r, &targets->query, &r->rendered.query, false));
    return override(r, &targets->path, &r->rendered.path, false);
}

static enum err set_absent(struct serve_req *r, struct map_made *made, const char *name,
                           struct str value)
{
    for (size_t i = 0; i < made->n; i++)
        if (str_eq_nocase(made->v[i].name, str_c(name)))
            return ERR_OK;
    return map_made_add(r->call->arena, made, str_c(name), value);
}

/* What API Gateway says of itself to endpoints over HTTP. */
static enum err introduce(struct serve_req *r, struct map_made *header)
{
    struct str agent = str_fmt(r->call->arena, "AmazonAPIGateway_" STR_FMT, STR_ARG(r->api_id));
    struct str type = serve_header(r, "content-type");
    if (!str_is_set(agent))
        return ERR_NOMEM;
    TRY(set_absent(r, header, "User-Agent", agent));
    TRY(set_absent(r, header, "Accept", STR("application/json")));
    if (r->ask.body.len)
        TRY(set_absent(r, header, "Content-Type",
                       str_is_set(type) ? type : STR("application/json")));
    TRY(set_absent(r, header, "X-Amzn-Trace-Id", r->trace));
    return set_absent(r, header, "x-amzn-apigateway-api-id", r->api_id);
}

static enum err fill_target(struct serve_req *r, struct map_targets *targets)
{
    struct str uri;
    enum err err = map_stage_variables(r->call->arena, r->ask.of->uri, r->stage->variables, &uri);
    if (err == ERR_OK)
        err = integrate_fill_path(r->call->arena, uri, &targets->path, &r->ask.uri);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return misconfigured(r, "Invalid endpoint address");
    r->ask.header = targets->header;
    r->ask.query = targets->query;
    return err;
}

static enum err make_mapped(struct serve_req *r)
{
    struct map_targets targets = {0};
    bool bytes;
    TRY(convert_body(r, &bytes));
    TRY(render(r, bytes));
    if (r->ask.of->kind == SERVE_MOCK)
        return ERR_OK;
    TRY(apply_parameters(r, &targets));
    if (r->ask.of->kind == SERVE_HTTP)
        TRY(introduce(r, &targets.header));
    serve_log_data(r, "Endpoint request body after transformations: " STR_FMT,
                   STR_ARG(r->ask.body));
    return fill_target(r, &targets);
}

/* --- proxies ---------------------------------------------------------------------------------- */

static enum err make_event(struct serve_req *r)
{
    struct map_targets none = {0};
    enum err err = serve_event(r, &r->ask.body);
    if (err == ERR_LIMIT)
        return serve_refuse(r, "REQUEST_TOO_LARGE", STR_NONE);
    TRY(err);
    r->ask.http_method = STR("POST");
    serve_log_data(r, "Endpoint request body after transformations: " STR_FMT,
                   STR_ARG(r->ask.body));
    return fill_target(r, &none);
}

/* All that the client sent, and the mappings over it. */
static enum err make_passed(struct serve_req *r)
{
    struct arena *a = r->call->arena;
    struct map_targets targets = {0};
    struct wire_header *h;
    size_t n;
    const struct proxy_rest_request req = {.http = &r->http,
                                           .trace = r->trace,
                                           .source_ip = r->call->source_ip,
                                           .port = proxy_port(&r->http)};
    TRY(proxy_rest_headers(a, &req, &h, &n));
    for (size_t i = 0; i < n; i++)
        TRY(map_made_add(a, &targets.header, h[i].name, h[i].value));
    for (size_t i = 0; i < r->message.query.n; i++)
        TRY(map_made_add(a, &targets.query, r->message.query.v[i].name,
                         r->message.query.v[i].value));
    struct map_targets mapped = {0};
    TRY(apply_parameters(r, &mapped));
    TRY(override(r, &targets.header, &mapped.header, true));
    TRY(override(r, &targets.query, &mapped.query, false));
    targets.path = mapped.path;
    r->ask.body = r->http.body;
    TRY(introduce(r, &targets.header));
    return fill_target(r, &targets);
}

/* Passed on as it is, and nobody looks at all of it: no cache, no compression, no data trace. Of what is mapped the
 * integration response decides (serve_answer_flows). */
static bool may_flow(const struct serve_req *r)
{
    enum serve_kind kind = r->route.method->integration->kind;
    return r->may_flow && (kind == SERVE_HTTP_PROXY || kind == SERVE_HTTP) &&
           !str_is_set(r->cache_key) && r->stage->api->compress_min < 0 &&
           !(r->log_data && r->log_level >= SERVE_LOG_INFO);
}

enum err serve_make_ask(struct serve_req *r)
{
    const struct serve_integration *in = r->route.method->integration;
    if (!in)
        return misconfigured(r, "No integration defined for method");
    r->ask = (struct integrate_ask){
        .of = in,
        .http_method = str_empty(in->http_method) || str_eq_c(in->http_method, "ANY")
                           ? r->http.method
                           : in->http_method,
        .timeout_ms = in->timeout_ms,
        .may_flow = may_flow(r),
        .flows = in->kind == SERVE_HTTP ? serve_answer_flows : NULL,
        .arg = r,
        .trace = r->trace,
    };
    TRY(serve_context_need(r));
    TRY(serve_message_need(r));
    if (in->kind == SERVE_AWS || in->kind == SERVE_AWS_PROXY)
        TRY(choose_principal(r));
    if (in->kind == SERVE_AWS_PROXY)
        return make_event(r);
    return in->kind == SERVE_HTTP_PROXY ? make_passed(r) : make_mapped(r);
}
