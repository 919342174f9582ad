/* Execution and access logs of a request. See serve_request.h.
 *
 * Source: API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs in API Gateway"; the
 * wording of execution logs is AWS's.
 * Layer: svc. Thread: the call's loop. */
#include "base/arn.h"
#include "base/clock.h"
#include "codec/hash.h"
#include "codec/hex.h"
#include "svc/apigateway/serve_book.h"
#include "svc/apigateway/serve_request.h"

/* --- lines ------------------------------------------------------------------------------------ */

static void add_line(struct serve_req *r, const char *fmt, va_list ap)
{
    struct arena *a = r->call->arena;
    struct serve_line *line = ARENA_NEW(a, struct serve_line);
    struct str text = str_vfmt(a, fmt, ap);
    if (!line || !str_is_set(text) || r->log_bytes + text.len > SERVE_LOG_BYTES_MAX)
        return; /* of memory the arena tells (A4) */
    r->log_bytes += text.len;
    line->at_ms = clock_wall_ms();
    line->text = text;
    *r->log_end = line;
    r->log_end = &line->next;
}

void serve_log(struct serve_req *r, const char *fmt, ...)
{
    va_list ap;
    if (r->log_level < SERVE_LOG_INFO)
        return;
    va_start(ap, fmt);
    add_line(r, fmt, ap);
    va_end(ap);
}

void serve_log_data(struct serve_req *r, const char *fmt, ...)
{
    va_list ap;
    if (r->log_level < SERVE_LOG_INFO || !r->log_data)
        return;
    va_start(ap, fmt);
    add_line(r, fmt, ap);
    va_end(ap);
}

void serve_log_error(struct serve_req *r, const char *fmt, ...)
{
    va_list ap;
    if (r->log_level < SERVE_LOG_ERROR)
        return;
    va_start(ap, fmt);
    add_line(r, fmt, ap);
    va_end(ap);
}

/* Pairs as Java prints a map: {a=1, b=2}. */
static struct str shown(struct serve_req *r, const struct map_pair *v, size_t n)
{
    struct buf b;
    buf_init_arena(&b, r->call->arena, SERVE_LOG_BYTES_MAX);
    buf_add_byte(&b, '{');
    for (size_t i = 0; i < n; i++) {
        bool secret = str_eq_nocase(v[i].name, STR("authorization")) ||
                      str_eq_nocase(v[i].name, STR("x-api-key"));
        buf_add_fmt(&b, "%s" STR_FMT "=", i ? ", " : "", STR_ARG(v[i].name));
        if (secret)
            buf_add_c(&b, "*****");
        else
            buf_add_str(&b, str_sub(v[i].value, 0, SERVE_LOG_TEXT_MAX));
    }
    buf_add_byte(&b, '}');
    return buf_str(&b);
}

void serve_log_begin(struct serve_req *r)
{
    if (r->log_level < SERVE_LOG_INFO)
        return;
    serve_log(r, "Extended Request Id: " STR_FMT, STR_ARG(r->extended_id));
    serve_log(r, "Starting execution for request: " STR_FMT, STR_ARG(r->call->request_id));
    serve_log(r, "HTTP Method: " STR_FMT ", Resource Path: " STR_FMT, STR_ARG(r->http.method),
              STR_ARG(r->path));
    if (!r->log_data || serve_message_need(r) != ERR_OK)
        return;
    const struct map_message *m = &r->message;
    serve_log_data(r, "Method request path: " STR_FMT, STR_ARG(shown(r, m->path.v, m->path.n)));
    serve_log_data(r, "Method request query string: " STR_FMT,
                   STR_ARG(shown(r, m->query.v, m->query.n)));
    serve_log_data(r, "Method request headers: " STR_FMT,
                   STR_ARG(shown(r, m->header.v, m->header.n)));
}

void serve_log_end(struct serve_req *r)
{
    if (r->log_level < SERVE_LOG_INFO)
        return;
    serve_log_data(r, "Method response body after transformations: " STR_FMT,
                   STR_ARG(str_sub(r->out.body, 0, SERVE_LOG_TEXT_MAX)));
    serve_log_data(r, "Method response headers: " STR_FMT,
                   STR_ARG(shown(r, r->out.header.v, r->out.header.n)));
    if (!r->refused)
        serve_log(r, "Successfully completed execution");
    serve_log(r, "Method completed with status: %d", r->out.status);
}

/* --- the access log --------------------------------------------------------------------------- */

static int64_t ms_of(int64_t ns)
{
    return ns / 1000000;
}

static enum err put_integration(struct serve_req *r)
{
    struct json *c;
    const struct integrate_answer *answer = &r->wait.answer;
    if (!r->begun)
        return ERR_OK;
    TRY(serve_put_object(r, r->context, "integration", &c));
    TRY(serve_put_number(r, c, "latency", ms_of(r->integration_ns)));
    TRY(serve_put_number(r, r->context, "integrationLatency", ms_of(r->integration_ns)));
    TRY(serve_put_text(r, c, "requestId", answer->request_id));
    TRY(serve_put_text(r, c, "error", answer->why));
    TRY(serve_put_text(r, r->context, "integrationErrorMessage", answer->why));
    if (!answer->status)
        return ERR_OK;
    TRY(serve_put_number(r, c, "status", answer->status));
    TRY(serve_put_number(r, c, "integrationStatus", answer->status));
    return serve_put_number(r, r->context, "integrationStatus", answer->status);
}

/* Of a function that was asked; what it said itself is there already. */
static enum err put_authorizer(struct serve_req *r)
{
    const struct auth_result *who = &r->who;
    struct json *c = r->context->child;
    if (!who->status)
        return ERR_OK;
    while (c && !str_eq_c(c->key, "authorizer"))
        c = c->next;
    if (!c)
        TRY(serve_put_object(r, r->context, "authorizer", &c));
    TRY(serve_put_number(r, c, "status", who->status));
    TRY(serve_put_number(r, c, "integrationStatus", who->status));
    TRY(serve_put_number(r, c, "latency", who->latency_ms));
    TRY(serve_put_number(r, c, "integrationLatency", who->latency_ms));
    TRY(serve_put_text(r, c, "error", who->why));
    return serve_put_text(r, c, "requestId", who->request_id);
}

static enum err put_end(struct serve_req *r)
{
    TRY(serve_context_need(r));
    if (r->refused)
        TRY(serve_put_error(r));
    TRY(put_authorizer(r));
    TRY(serve_put_text(r, r->context, "endpointType", r->stage->api->endpoint));
    TRY(serve_put_number(r, r->context, "status", r->out.status));
    if (!r->out.flows) /* how long it will be, nobody knows yet */
        TRY(serve_put_number(r, r->context, "responseLength", (int64_t)r->out.body.len));
    TRY(serve_put_number(r, r->context, "responseLatency", ms_of(clock_mono_ns() - r->begin_ns)));
    return put_integration(r);
}

/* One stream for each stage, with a name as AWS's are. */
static struct str stream_of(struct serve_req *r)
{
    uint8_t digest[HASH_MD5_LEN];
    struct str text =
        str_fmt(r->call->arena, STR_FMT "/" STR_FMT, STR_ARG(r->api_id), STR_ARG(r->stage_name));
    if (!str_is_set(text))
        return STR_NONE;
    hash_once(HASH_MD5, text.p, text.len, digest);
    return hex_encode(r->call->arena, digest, sizeof(digest));
}

static enum err put_access(struct serve_req *r)
{
    struct str line, stream;
    struct arn arn;
    if (!str_is_set(r->stage->log_format) ||
        arn_parse_as(r->stage->log_arn, "logs", "log-group", &arn) != ERR_OK)
        return ERR_OK;
    TRY(put_end(r));
    TRY(map_log_line(r->call->arena, r->stage->log_format, r->context, &line));
    stream = stream_of(r);
    if (!str_is_set(stream))
        return ERR_NOMEM;
    serve_book_add(r->serve->book, (struct key_scope){arn.account, arn.region},
                   arn_segment(&arn, 1), stream, r->call->txn->wall_ms, line);
    return ERR_OK;
}

/* --- the execution log ------------------------------------------------------------------------ */

static enum err put_execution(struct serve_req *r)
{
    struct arena *a = r->call->arena;
    if (!r->log)
        return ERR_OK;
    struct str stream = stream_of(r);
    struct str group = str_fmt(a, "API-Gateway-Execution-Logs_" STR_FMT "/" STR_FMT,
                               STR_ARG(r->api_id), STR_ARG(r->stage_name));
    for (const struct serve_line *l = r->log; l; l = l->next) {
        struct str text =
            str_fmt(a, "(" STR_FMT ") " STR_FMT, STR_ARG(r->call->request_id), STR_ARG(l->text));
        if (a->failed)
            return ERR_NOMEM;
        serve_book_add(r->serve->book, r->now.scope, group, stream, l->at_ms, text);
    }
    return ERR_OK;
}

enum err serve_log_out(struct serve_req *r)
{
    TRY(put_access(r));
    return put_execution(r);
}
