// link: weir_http
/* Fields of HTTP/2: lines of "name:value". What is accepted keeps the promises of http.h, and HTTP/1.1's
 * parser accepts it too and reads the same: no request passes by one protocol that the other refuses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_h2_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* The request as HTTP/1.1 would have it. */
static void write_h1(struct buf *b, const struct http_req *req)
{
    buf_add_str(b, req->method);
    buf_add_byte(b, ' ');
    buf_add_str(b, req->target);
    buf_add_c(b, " HTTP/1.1\r\n");
    for (size_t i = 0; i < req->n_headers; i++) {
        buf_add_str(b, req->headers[i].name);
        buf_add_byte(b, ':');
        buf_add_str(b, req->headers[i].value);
        buf_add_c(b, "\r\n");
    }
    if (req->chunked)
        buf_add_c(b, "transfer-encoding: chunked\r\n");
    buf_add_c(b, "\r\n");
}

static void check(struct arena *a, const struct http_req *req)
{
    struct http_req again = {.arena = a};
    struct http_scan scan = {0};
    struct buf b;
    size_t len = 0;
    int status = 0;
    require(req->n_headers <= HTTP_HEADERS_MAX + 1 && req->target.len <= HTTP_TARGET_MAX);
    require(req->content_length >= 0 ? !req->chunked : req->chunked);
    buf_init_arena(&b, a, 1 << 20);
    write_h1(&b, req);
    require(buf_err(&b) == ERR_OK);
    enum http_parse r = http_head_scan(&scan, b.p, b.len, &len, &status);
    if (r == HTTP_BAD && status == 431)
        return; /* the fields that framing adds */
    require(r == HTTP_DONE && len == b.len);
    require(http_head_parse(&again, buf_str(&b), &scan) == 0);
    require(str_eq(again.method, req->method) && str_eq(again.path, req->path) &&
            str_eq(again.query, req->query) && again.content_length == req->content_length &&
            again.n_headers == req->n_headers + req->chunked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    arena_init(&a, 8 << 20);
    struct http_h2_head h = {
        .arena = &a, .bytes_max = HTTP_HEAD_MAX, .fields_max = HTTP_HEADERS_MAX};
    struct str rest = str_n((const char *)data, size);
    bool ended = size % 2, held = true;
    while (held && rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        size_t colon = str_find(str_sub(line, 1, SIZE_MAX), ':');
        colon = colon == SIZE_MAX ? line.len : colon + 1;
        held = http_h2_head_add(&h, str_n(line.p, colon), str_sub(line, colon + 1, SIZE_MAX));
    }
    struct http_req req = {.arena = &a};
    if (held) {
        int status = http_h2_head_finish(&h, &req, ended);
        require(status == 0 || (status >= 400 && status <= 503));
        if (status == 0)
            check(&a, &req);
    }
    arena_release(&a);
    return 0;
}
