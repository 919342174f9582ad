// link: weir_http
/* Request heads: whatever comes in, fed whole and in two parts, gives the same verdict; what is
 * accepted keeps the promises of http.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_request(struct arena *a, const char *head, size_t len, const struct http_scan *s)
{
    struct http_req req = {.arena = a};
    int status = http_head_parse(&req, str_n(head, len), s);
    if (status) {
        require(status >= 400 && status <= 505);
        return;
    }
    require(req.method.len > 0 && req.target.len > 0 && req.target.len <= HTTP_TARGET_MAX);
    require(req.n_headers <= HTTP_HEADERS_MAX);
    require(req.content_length >= 0 ? !req.chunked : req.chunked);
    unsigned framings = 0;
    for (size_t i = 0; i < req.n_headers; i++) {
        struct str value = req.headers[i].value;
        framings += str_eq_nocase(req.headers[i].name, STR("content-length"));
        framings += str_eq_nocase(req.headers[i].name, STR("transfer-encoding"));
        require(req.headers[i].name.len > 0);
        require(str_find(value, '\n') == SIZE_MAX && str_find(value, '\r') == SIZE_MAX &&
                str_find(value, '\0') == SIZE_MAX);
    }
    require(framings <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct http_scan whole = {0}, parts = {0};
    struct arena a;
    size_t whole_len = 0, parts_len = 0;
    int whole_status = 0, parts_status = 0;
    enum http_parse r = http_head_scan(&whole, p, size, &whole_len, &whole_status);
    enum http_parse q = http_head_scan(&parts, p, size / 2, &parts_len, &parts_status);
    if (q == HTTP_MORE)
        q = http_head_scan(&parts, p, size, &parts_len, &parts_status);
    require(r == q && whole_len == parts_len && whole_status == parts_status);
    if (r != HTTP_DONE)
        return 0;
    require(whole_len <= size && whole_len <= HTTP_HEAD_MAX + 2 + 2);
    arena_init(&a, 1 << 20);
    char *copy = arena_memdup(&a, p, whole_len);
    if (copy)
        check_request(&a, copy, whole_len, &whole);
    arena_release(&a);
    return 0;
}
