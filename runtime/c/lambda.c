/* The Runtime API loop: see lambda.h.
 * Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
 *
 * Layer: runtime/c. Thread: one. */
#include "lambda.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "net.h"

enum { RECONNECTS_MAX = 3, ERROR_DOCUMENT_MAX = 64 * 1024, PATH_MAX_BYTES = 256 };

struct runtime {
    char host[NET_HOST_MAX];
    uint16_t port;
    struct net_conn conn;
    struct arena arena; /* of one event */
    struct buf event, reply, ack;
};

int64_t lambda_remaining_ms(const struct lambda_context *ctx)
{
    return max_i64(0, ctx->deadline_ms - clock_now_ms());
}

int lambda_fail(struct lambda_context *ctx, const char *type, const char *fmt, ...)
{
    va_list ap;
    ctx->error_type = str_dup(ctx->arena, str_c(type));
    va_start(ap, fmt);
    ctx->error_message = str_vfmt(ctx->arena, fmt, ap);
    va_end(ap);
    return 1;
}

/* "127.0.0.1:9001" of AWS_LAMBDA_RUNTIME_API. */
static enum err read_address(struct runtime *rt)
{
    struct str rest = str_c(getenv("AWS_LAMBDA_RUNTIME_API"));
    uint64_t port = 0;
    if (!str_is_set(rest))
        return ERR_INVALID;
    struct str host = str_cut(&rest, ':');
    if (host.len == 0 || host.len >= sizeof rt->host || str_to_u64(rest, &port) != ERR_OK ||
        port > UINT16_MAX)
        return ERR_INVALID;
    memcpy(rt->host, host.p, host.len);
    rt->host[host.len] = 0;
    rt->port = (uint16_t)port;
    return ERR_OK;
}

static enum err connect_once(struct runtime *rt)
{
    if (rt->conn.fd >= 0)
        return ERR_OK;
    return net_connect(&rt->conn, rt->host, rt->port, false, NET_NO_DEADLINE);
}

/* One exchange; a connection that turns out closed is made anew and the request sent again. */
static enum err exchange(struct runtime *rt, const char *method, const char *path,
                         struct str headers, struct str body, struct net_reply *ret_reply,
                         struct buf *ret_body)
{
    char head[1024];
    enum err err = ERR_CLOSED;
    int n = snprintf(head, sizeof head,
                     "%s /2018-06-01/runtime%s HTTP/1.1\r\nHost: %s:%u\r\nContent-Length: "
                     "%zu\r\n" STR_FMT "\r\n",
                     method, path, rt->host, rt->port, body.len, STR_ARG(headers));
    if (n < 0 || (size_t)n >= sizeof head)
        return ERR_LIMIT;
    const struct str pieces[] = {str_n(head, (size_t)n), body};
    for (int i = 0; i < RECONNECTS_MAX && err == ERR_CLOSED; i++) {
        err = connect_once(rt);
        if (err == ERR_OK)
            err = net_send(&rt->conn, pieces, body.len ? 2 : 1, NET_NO_DEADLINE);
        if (err == ERR_OK)
            err = net_reply(&rt->conn, false, &rt->arena, ret_reply, ret_body, NET_NO_DEADLINE);
        if (err != ERR_OK || !ret_reply->keep)
            net_close(&rt->conn);
    }
    return err;
}

static struct str header(const struct net_reply *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, str_c(name)))
            return r->headers[i].value;
    return STR_NONE;
}

/* Whether an error's type may stand in a header: only what cannot end one. */
static bool header_text(struct str type)
{
    bool plain = type.len > 0 && type.len < 200;
    for (size_t i = 0; plain && i < type.len; i++)
        plain = type.p[i] > ' ' && type.p[i] < 127;
    return plain;
}

/* --- streamed responses ----------------------------------------------------------------------- */

enum err lambda_stream_begin(struct lambda_context *ctx, struct str content_type)
{
    struct runtime *rt = ctx->runtime;
    struct str head = str_fmt(
        ctx->arena,
        "POST /2018-06-01/runtime/invocation/" STR_FMT "/response HTTP/1.1\r\nHost: %s:%u\r\n"
        "Content-Type: " STR_FMT "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
        "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, "
        "Lambda-Runtime-Function-Error-Body\r\n\r\n",
        STR_ARG(ctx->request_id), rt->host, rt->port, STR_ARG(content_type));
    if (!str_is_set(head))
        return ERR_NOMEM;
    if (ctx->streams)
        return ERR_CONFLICT;
    enum err err = ERR_CLOSED;
    for (int i = 0; i < RECONNECTS_MAX && err == ERR_CLOSED; i++) {
        err = connect_once(rt);
        if (err == ERR_OK)
            err = net_send(&rt->conn, &head, 1, NET_NO_DEADLINE);
        if (err != ERR_OK)
            net_close(&rt->conn);
    }
    ctx->streams = err == ERR_OK;
    return err;
}

enum err lambda_stream_write(struct lambda_context *ctx, struct str bytes)
{
    char size[24];
    if (!ctx->streams)
        return ERR_CLOSED;
    if (bytes.len == 0) /* would end it */
        return ERR_OK;
    int n = snprintf(size, sizeof size, "%zx\r\n", bytes.len);
    const struct str pieces[] = {str_n(size, (size_t)n), bytes, STR("\r\n")};
    return net_send(&ctx->runtime->conn, pieces, ARRAY_LEN(pieces), NET_NO_DEADLINE);
}

enum err lambda_stream_begin_http(struct lambda_context *ctx, struct str metadata)
{
    static const char end[8] = {0};
    TRY(lambda_stream_begin(ctx, STR("application/vnd.awslambda.http-integration-response")));
    TRY(lambda_stream_write(ctx, metadata));
    return lambda_stream_write(ctx, str_n(end, sizeof end));
}

/* Ends it; `error` absent: it is whole, else the type and document of what broke it off. */
static enum err stream_end(struct runtime *rt, struct lambda_context *ctx, struct str error)
{
    struct net_reply r;
    struct str last = STR("0\r\n\r\n");
    if (str_is_set(error)) {
        struct str coded = base64_encode(ctx->arena, error.p, error.len);
        last =
            str_fmt(ctx->arena,
                    "0\r\nLambda-Runtime-Function-Error-Type: " STR_FMT
                    "\r\nLambda-Runtime-Function-Error-Body: " STR_FMT "\r\n\r\n",
                    STR_ARG(header_text(ctx->error_type) ? ctx->error_type : STR("Function.Error")),
                    STR_ARG(coded));
    }
    if (!str_is_set(last))
        return ERR_NOMEM;
    enum err err = net_send(&rt->conn, &last, 1, NET_NO_DEADLINE);
    if (err == ERR_OK)
        err = net_reply(&rt->conn, false, &rt->arena, &r, &rt->ack, NET_NO_DEADLINE);
    if (err != ERR_OK || !r.keep)
        net_close(&rt->conn);
    /* Of a connection that broke the next event tells. */
    return err == ERR_CLOSED ? ERR_OK : err;
}

/* --- events ----------------------------------------------------------------------------------- */

static enum err next_event(struct runtime *rt, struct lambda_context *ret_ctx)
{
    struct net_reply r;
    TRY(exchange(rt, "GET", "/invocation/next", STR(""), STR(""), &r, &rt->event));
    *ret_ctx = (struct lambda_context){
        .request_id = header(&r, "Lambda-Runtime-Aws-Request-Id"),
        .function_arn = header(&r, "Lambda-Runtime-Invoked-Function-Arn"),
        .trace_id = header(&r, "Lambda-Runtime-Trace-Id"),
        .client_context = header(&r, "Lambda-Runtime-Client-Context"),
        .arena = &rt->arena,
        .runtime = rt,
    };
    if (r.status != 200 || !str_is_set(ret_ctx->request_id) ||
        str_to_i64(header(&r, "Lambda-Runtime-Deadline-Ms"), &ret_ctx->deadline_ms) != ERR_OK)
        return ERR_INVALID;
    return ERR_OK;
}

/* {"errorType":..,"errorMessage":..} */
static void error_document(struct buf *b, struct str type, struct str message)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("errorType"), type);
    json_kv_str(&o, STR("errorMessage"), message);
    json_close(&o, '}');
}

static enum err post(struct runtime *rt, const char *path, struct str error_type, struct str body)
{
    struct net_reply r;
    char headers[512] = "Content-Type: application/json\r\n";
    size_t n = strlen(headers);
    if (header_text(error_type))
        (void)snprintf(headers + n, sizeof headers - n,
                       "Lambda-Runtime-Function-Error-Type: " STR_FMT "\r\n", STR_ARG(error_type));
    TRY(exchange(rt, "POST", path, str_c(headers), body, &r, &rt->ack));
    /* 413: the reply was too large; Lambda has told the caller so. */
    return r.status == 202 || r.status == 413 ? ERR_OK : ERR_INVALID;
}

static enum err answer(struct runtime *rt, struct lambda_context *ctx, int failed)
{
    char path[PATH_MAX_BYTES];
    bool error = failed || buf_err(&rt->reply) != ERR_OK;
    if (error) {
        struct str type = str_is_set(ctx->error_type) ? ctx->error_type : STR("Function.Error");
        struct str message = str_is_set(ctx->error_message) ? ctx->error_message
                             : failed ? STR("the function failed without saying why")
                                      : STR("the function's reply is too large");
        buf_clear(&rt->reply);
        error_document(&rt->reply, type, message);
        ctx->error_type = type;
        (void)fprintf(stderr, "[ERROR] " STR_FMT ": " STR_FMT "\n", STR_ARG(type),
                      STR_ARG(message));
    } else if (rt->reply.len == 0) {
        buf_add_str(&rt->reply, STR("null"));
    }
    (void)fflush(stdout);
    if (ctx->streams)
        return stream_end(rt, ctx, error ? buf_str(&rt->reply) : STR_NONE);
    int n = snprintf(path, sizeof path, "/invocation/" STR_FMT "/%s", STR_ARG(ctx->request_id),
                     error ? "error" : "response");
    if (n < 0 || (size_t)n >= sizeof path)
        return ERR_INVALID;
    return post(rt, path, error ? ctx->error_type : STR_NONE, buf_str(&rt->reply));
}

static enum err runtime_init(struct runtime *rt)
{
    *rt = (struct runtime){0};
    net_init(&rt->conn);
    arena_init(&rt->arena, LAMBDA_ARENA_MAX);
    buf_init(&rt->event, LAMBDA_EVENT_MAX);
    buf_init(&rt->reply, LAMBDA_REPLY_MAX);
    buf_init(&rt->ack, ERROR_DOCUMENT_MAX);
    return read_address(rt);
}

static void runtime_release(struct runtime *rt)
{
    net_close(&rt->conn);
    arena_release(&rt->arena);
    buf_release(&rt->event);
    buf_release(&rt->reply);
    buf_release(&rt->ack);
}

int lambda_run(lambda_handler *handler)
{
    struct runtime rt;
    enum err err = runtime_init(&rt);
    while (err == ERR_OK) {
        struct lambda_context ctx;
        err = next_event(&rt, &ctx);
        if (err != ERR_OK)
            break;
        buf_clear(&rt.reply);
        if (str_is_set(ctx.trace_id)) {
            char *trace = str_cstr(&rt.arena, ctx.trace_id);
            if (trace)
                (void)setenv("_X_AMZN_TRACE_ID", trace, 1);
        }
        int failed = handler(&ctx, buf_str(&rt.event), &rt.reply);
        err = answer(&rt, &ctx, failed);
        arena_clear(&rt.arena);
    }
    (void)fprintf(stderr, "lambda_run: the Runtime API at %s:%u failed: %s\n", rt.host, rt.port,
                  err_name(err));
    runtime_release(&rt);
    return 1;
}

void lambda_init_error(const char *type, const char *message)
{
    struct runtime rt;
    enum err err = runtime_init(&rt);
    error_document(&rt.reply, str_c(type), str_c(message));
    (void)fprintf(stderr, "[ERROR] %s: %s\n", type, message);
    if (err == ERR_OK)
        err = post(&rt, "/init/error", str_c(type), buf_str(&rt.reply));
    if (err != ERR_OK)
        (void)fprintf(stderr, "the init error could not be reported: %s\n", err_name(err));
    runtime_release(&rt);
}
