/* The Runtime API loop: see lambda.h.
 * Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
 *
 * Layer: runtime/c. Thread: one. */
#include "lambda.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
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
    /* The type goes into a header: only what cannot end one. */
    bool plain = error_type.len > 0 && error_type.len < 200;
    for (size_t i = 0; plain && i < error_type.len; i++)
        plain = error_type.p[i] > ' ' && error_type.p[i] < 127;
    if (plain)
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
