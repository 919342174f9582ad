/* See aws.h. */
#include "aws.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"

void aws_init(struct aws *aws, const struct load_target *target)
{
    aws->target = *target;
    arena_init(&aws->arena, 64 * 1024 * 1024);
    int n = snprintf(aws->host_text, sizeof(aws->host_text), "%s:%u", target->host, target->port);
    aws->host = str_n(aws->host_text, (size_t)n);
}

void aws_release(struct aws *aws)
{
    arena_release(&aws->arena);
}

static void add_header(struct buf *out, struct sigv4_header h)
{
    buf_add_str(out, h.name);
    BUF_ADD_LIT(out, ": ");
    buf_add_str(out, h.value);
    BUF_ADD_LIT(out, "\r\n");
}

void aws_write(struct aws *aws, struct buf *out, const struct aws_request *req)
{
    struct sigv4_header headers[8], added[SIGV4_SIGN_HEADERS];
    size_t n = 0, n_added = 0;
    arena_clear(&aws->arena);
    headers[n++] = (struct sigv4_header){STR("Host"), aws->host};
    if (req->target)
        headers[n++] = (struct sigv4_header){STR("X-Amz-Target"), str_c(req->target)};
    if (req->content_type)
        headers[n++] = (struct sigv4_header){STR("Content-Type"), str_c(req->content_type)};
    struct sigv4_http http = {
        .method = str_c(req->method),
        .path = str_is_set(req->path) ? req->path : STR("/"),
        .query = req->query,
        .headers = headers,
        .n_headers = n,
    };
    struct sigv4_sign sign = {
        .access_key = STR("test"),
        .secret = STR("test"),
        .region = STR("us-east-1"),
        .service = str_c(req->service),
        .now_ms = clock_now_ms(),
        .s3 = strcmp(req->service, "s3") == 0,
        .payload_hash = req->large_body ? STR("UNSIGNED-PAYLOAD") : STR_NONE,
        .body = str_is_set(req->body) ? req->body : STR(""),
    };
    if (sigv4_sign(&aws->arena, &http, &sign, added, &n_added) != ERR_OK) {
        out->err = ERR_NOMEM;
        return;
    }
    buf_add_str(out, http.method);
    buf_add_byte(out, ' ');
    buf_add_str(out, http.path);
    if (str_is_set(http.query)) {
        buf_add_byte(out, '?');
        buf_add_str(out, http.query);
    }
    BUF_ADD_LIT(out, " HTTP/1.1\r\n");
    for (size_t i = 0; i < n; i++)
        add_header(out, headers[i]);
    for (size_t i = 0; i < n_added; i++)
        add_header(out, added[i]);
    /* What every SDK sends along. */
    BUF_ADD_LIT(out, "Accept-Encoding: identity\r\n"
                     "User-Agent: aws-sdk/1.43 md/Botocore#1.43 os/linux lang/python\r\n"
                     "amz-sdk-invocation-id: 7a4d1c1c-52c5-4be6-9d65-6c1b0f7b3b51\r\n"
                     "amz-sdk-request: attempt=1\r\nContent-Length: ");
    buf_add_u64(out, req->large_body ? req->large_body : req->body.len);
    BUF_ADD_LIT(out, "\r\n\r\n");
    buf_add_str(out, req->body);
}

void aws_write_json(struct aws *aws, struct buf *out, const char *service, const char *target,
                    struct str body)
{
    const struct aws_request req = {
        .method = "POST",
        .service = service,
        .target = target,
        .content_type = "application/x-amz-json-1.0",
        .body = body,
    };
    aws_write(aws, out, &req);
}

struct single {
    struct aws *aws;
    const struct aws_request *req;
    struct buf *ret_body;
    bool quiet;
    int status;
};

static void single_make(void *ctx, struct load_conn *c)
{
    struct single *s = ctx;
    aws_write(s->aws, &c->out, s->req);
}

static bool single_check(void *ctx, struct load_conn *c, struct str body)
{
    struct single *s = ctx;
    s->status = c->status;
    if (s->ret_body)
        buf_add_str(s->ret_body, body);
    return s->quiet || (c->status >= 200 && c->status < 300);
}

enum err aws_call(struct aws *aws, const struct aws_request *req, bool quiet, struct buf *ret_body)
{
    struct single s = {.aws = aws, .req = req, .ret_body = ret_body, .quiet = quiet};
    const struct load_plan plan = {
        .requests = 1,
        .connections = 1,
        .make = single_make,
        .check = single_check,
        .ctx = &s,
    };
    struct load_result result;
    TRY(load_run(&aws->target, &plan, &result));
    return s.status >= 200 && s.status < 300 ? ERR_OK : ERR_FAILED;
}

struct str aws_json_text(struct str body, const char *name)
{
    char key[80];
    int n = snprintf(key, sizeof(key), "\"%s\":", name);
    size_t at = str_find_str(body, str_n(key, (size_t)n));
    if (at == SIZE_MAX)
        return STR_NONE;
    struct str rest = str_trim(str_sub(body, at + (size_t)n, SIZE_MAX));
    if (rest.len < 2 || rest.p[0] != '"')
        return STR_NONE;
    rest = str_sub(rest, 1, SIZE_MAX);
    return str_cut(&rest, '"');
}
