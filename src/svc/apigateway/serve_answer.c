/* From an integration's answer to the reply. See serve_request.h.
 *
 * Source: API Gateway Developer Guide, "Integration responses", "Output format of a Lambda function for
 * proxy integration", "Content type conversions in API Gateway", "Important notes".
 * Layer: svc. Thread: the call's loop. */
#include "codec/base64.h"
#include "core/proxy_event.h"
#include "svc/apigateway/serve_request.h"

static enum err misconfigured(struct serve_req *r, const char *why)
{
    serve_log_error(r, "Execution failed due to configuration error: %s", why);
    return serve_refuse(r, "API_CONFIGURATION_ERROR", STR_NONE);
}

static enum err bad_gateway(struct serve_req *r, const char *why)
{
    serve_log_error(r, "Execution failed due to configuration error: %s", why);
    return serve_refuse_as(r, PROXY_MALFORMED_STATUS, "InternalServerErrorException",
                           STR("Internal server error"));
}

static struct str header_of(const struct map_made *header, const char *name)
{
    for (size_t i = 0; i < header->n; i++)
        if (str_eq_nocase(header->v[i].name, str_c(name)))
            return header->v[i].value;
    return STR_NONE;
}

/* --- bytes and text --------------------------------------------------------------------------- */

/* The first media type that the client accepts decides. */
static bool wants_binary(const struct serve_req *r)
{
    struct str accept = serve_header(r, "accept");
    return serve_is_binary(r->stage->api, str_cut(&accept, ','));
}

static enum err encode(struct serve_req *r, struct str *body)
{
    *body = base64_encode(r->call->arena, body->p, body->len);
    return str_is_set(*body) ? ERR_OK : ERR_NOMEM;
}

/* The table of "Content type conversions", for replies. `is_binary`: by the answer's own type. */
static enum err convert(struct serve_req *r, enum serve_convert how, bool is_binary,
                        struct str *body)
{
    bool to_text = how == SERVE_TO_TEXT || (how == SERVE_AS_IT_IS && !wants_binary(r));
    if (is_binary)
        return to_text ? encode(r, body) : ERR_OK;
    if (how != SERVE_TO_BINARY)
        return ERR_OK;
    enum err err = base64_decode(r->call->arena, *body, body);
    return err == ERR_INVALID ? misconfigured(r, "the answer is not base64") : err;
}

/* --- headers that are not passed on as they are ----------------------------------------------- */

static bool is_dropped(struct str name)
{
    return str_eq_nocase(name, STR("transfer-encoding")) || str_eq_nocase(name, STR("te")) ||
           str_eq_nocase(name, STR("keep-alive"));
}

static bool is_remapped(struct str name)
{
    static const char *const names[] = {"age",
                                        "authorization",
                                        "connection",
                                        "content-length",
                                        "content-md5",
                                        "date",
                                        "expect",
                                        "host",
                                        "max-forwards",
                                        "pragma",
                                        "proxy-authenticate",
                                        "server",
                                        "trailer",
                                        "upgrade",
                                        "user-agent",
                                        "via",
                                        "warn",
                                        "www-authenticate"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_c(names[i])))
            return true;
    return false;
}

/* Adds a header of an integration's to the reply. */
static enum err put_header(struct serve_req *r, struct str name, struct str value)
{
    struct arena *a = r->call->arena;
    if (is_dropped(name))
        return ERR_OK;
    if (str_eq_nocase(name, STR("content-type"))) {
        r->out.content_type = value;
        return ERR_OK;
    }
    if (is_remapped(name)) {
        name = str_fmt(a, "x-amzn-Remapped-" STR_FMT, STR_ARG(name));
        if (!str_is_set(name))
            return ERR_NOMEM;
    }
    return map_made_add(a, &r->out.header, name, value);
}

/* --- proxies ---------------------------------------------------------------------------------- */

static enum err take_function(struct serve_req *r, const struct integrate_answer *answer)
{
    struct proxy_reply reply;
    bool coded;
    serve_log_data(r, "Endpoint response body before transformations: " STR_FMT,
                   STR_ARG(answer->body));
    if (answer->function_error)
        return bad_gateway(r, "Lambda execution failed with status 200 due to customer function "
                              "error");
    enum err err = proxy_rest_reply_read(r->call->arena, answer->body, &reply, &coded);
    if (err == ERR_INVALID)
        return bad_gateway(r, "Malformed Lambda proxy response");
    TRY(err);
    r->out = (struct serve_out){
        .status = reply.status, .content_type = reply.content_type, .body = reply.body};
    for (size_t i = 0; i < reply.n_headers; i++)
        TRY(put_header(r, reply.headers[i].name, reply.headers[i].value));
    if (coded && wants_binary(r)) {
        err = base64_decode(r->call->arena, r->out.body, &r->out.body);
        if (err)
            return err == ERR_INVALID ? bad_gateway(r, "Unable to base64 decode the body.") : err;
    }
    return map_made_set(r->call->arena, &r->out.header, STR("X-Amzn-Trace-Id"), r->trace, true);
}

static enum err take_passed(struct serve_req *r, const struct integrate_answer *answer)
{
    r->out =
        (struct serve_out){.status = answer->status, .body = answer->body, .flows = r->wait.flows};
    for (size_t i = 0; i < answer->header.n; i++)
        TRY(put_header(r, answer->header.v[i].name, answer->header.v[i].value));
    return ERR_OK;
}

/* --- mapped ----------------------------------------------------------------------------------- */

static const struct map_template *
template_for(const struct serve_req *r, const struct map_response *response, struct str answer_type)
{
    struct str accept = serve_header(r, "accept");
    struct str first = str_cut(&accept, ',');
    first = str_trim(str_cut(&first, ';'));
    for (size_t i = 0; i < response->templates.n; i++)
        if (first.len && str_eq_nocase(response->templates.v[i].content_type, first))
            return &response->templates.v[i];
    return map_choose_response(&response->templates, answer_type);
}

static enum err render(struct serve_req *r, const struct map_response *response,
                       const struct map_message *message, struct str answer_type)
{
    struct map_rendered made = {0};
    struct map_fault f = {0};
    const struct map_template *t = template_for(r, response, answer_type);
    if (!t)
        return ERR_OK;
    enum err err = map_render(r->call->arena, t, &r->scope, message, &r->rendered, &made, &f);
    if (err == ERR_INVALID || err == ERR_LIMIT) {
        serve_log_error(
            r, "Execution failed due to configuration error: " STR_FMT " (line %u, column %u)",
            STR_ARG(f.message), f.line, f.column);
        return serve_refuse(r, "API_CONFIGURATION_ERROR", STR_NONE);
    }
    TRY(err);
    r->out.body = made.body;
    r->out.content_type = t->content_type;
    r->rendered.status = made.status ? made.status : r->rendered.status;
    r->rendered.reply_header = made.reply_header;
    return ERR_OK;
}

/* Mapped headers, then what the templates put over them. */
static enum err put_headers(struct serve_req *r, const struct map_response *response,
                            const struct map_message *message)
{
    struct arena *a = r->call->arena;
    struct map_targets targets = {0};
    struct map_fault f = {0};
    enum err err = map_parameters_apply(a, &response->parameters, &r->scope, message, &targets, &f);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return misconfigured(r, "Invalid mapping expression specified");
    TRY(err);
    for (size_t i = 0; i < r->rendered.reply_header.n; i++)
        TRY(map_made_set(a, &targets.header, r->rendered.reply_header.v[i].name,
                         r->rendered.reply_header.v[i].value, true));
    for (size_t i = 0; i < targets.header.n; i++)
        TRY(put_header(r, targets.header.v[i].name, targets.header.v[i].value));
    if (proxy_status_ok(r->rendered.status))
        r->out.status = r->rendered.status;
    return ERR_OK;
}

/* How an answer is mapped, as far as its head says. */
struct mapped {
    const struct map_response *response; /* NULL: nothing maps it */
    struct str type;                     /* of the answer */
    enum serve_convert how;
    bool is_binary;
    bool bytes; /* the reply has the answer's type, and no template sees it */
};

static struct mapped mapped_of(const struct serve_req *r, const struct integrate_answer *answer)
{
    struct mapped m = {
        .response = map_responses_select(&r->ask.of->responses, answer->selection),
        .type = header_of(&answer->header, "content-type"),
    };
    if (!m.response)
        return m;
    m.how = serve_convert_of(m.response->json);
    m.is_binary = serve_is_binary(r->stage->api, m.type);
    m.bytes =
        m.is_binary && (m.how == SERVE_TO_BINARY || (m.how == SERVE_AS_IT_IS && wants_binary(r)));
    return m;
}

bool serve_answer_flows(void *arg, const struct integrate_answer *head)
{
    const struct serve_req *r = arg;
    struct mapped m = mapped_of(r, head);
    if (!m.response || map_parameters_need_body(&m.response->parameters))
        return false;
    if (m.bytes)
        return true;
    return !m.is_binary && m.how != SERVE_TO_BINARY && !template_for(r, m.response, m.type);
}

static enum err take_mapped(struct serve_req *r, const struct integrate_answer *answer)
{
    const struct mapped m = mapped_of(r, answer);
    struct map_message message = {.header = {answer->header.v, answer->header.n},
                                  .body = answer->body};
    serve_log_data(r, "Endpoint response body before transformations: " STR_FMT,
                   STR_ARG(answer->body));
    if (!m.response)
        return misconfigured(r, "No match for output mapping and no default output mapping "
                                "configured");
    if (!r->wait.flows)
        TRY(convert(r, m.how, m.is_binary, &message.body));
    r->out = (struct serve_out){
        .status = m.response->status_code,
        .body = message.body,
        .content_type = m.bytes ? m.type : STR("application/json"),
        .flows = r->wait.flows,
    };
    if (!m.bytes && m.how != SERVE_TO_BINARY && !r->wait.flows)
        TRY(render(r, m.response, &message, m.type));
    return put_headers(r, m.response, &message);
}

/* --- what went wrong -------------------------------------------------------------------------- */

static enum err failed(struct serve_req *r, const struct integrate_answer *answer)
{
    serve_log_error(r, "Execution failed due to an integration error: " STR_FMT,
                    STR_ARG(answer->why));
    switch (answer->fault) {
    case INTEGRATE_UNREACHABLE:
        return serve_refuse(r, "INTEGRATION_FAILURE", STR_NONE);
    case INTEGRATE_TIMED_OUT:
        return serve_refuse(r, "INTEGRATION_TIMEOUT", STR_NONE);
    case INTEGRATE_MALFORMED:
        return bad_gateway(r, "Malformed answer");
    default:
        return serve_refuse(r, "API_CONFIGURATION_ERROR", STR_NONE);
    }
}

static enum err take(struct serve_req *r, const struct integrate_answer *answer)
{
    switch (r->ask.of->kind) {
    case SERVE_AWS_PROXY:
        return take_function(r, answer);
    case SERVE_HTTP_PROXY:
        return take_passed(r, answer);
    default:
        return take_mapped(r, answer);
    }
}

enum err serve_take_answer(struct serve_req *r)
{
    const struct integrate_answer *answer = &r->wait.answer;
    if (answer->fault)
        return failed(r, answer);
    if (answer->body.len > SERVE_BODY_MAX)
        return misconfigured(r, "The answer is too large");
    TRY(take(r, answer));
    /* An endpoint may say any number, and so may an integration response. */
    return proxy_status_ok(r->out.status) ? ERR_OK : bad_gateway(r, "Invalid status of the answer");
}
