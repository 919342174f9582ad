// link: weir_auth
/* Heads with every form of authentication, verified with a fixed secret, and aws-chunked bodies.
 * Input: a raw head, an empty line, then the body that follows it. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/sigv4_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 64, ARENA_BYTES = 32 * 1024 * 1024 };

static enum err discard(void *arg, const void *p, size_t len)
{
    uint64_t *sum = arg;
    for (size_t i = 0; i < len; i++)
        *sum += ((const uint8_t *)p)[i];
    return ERR_OK;
}

static void feed_body(struct arena *a, struct sigv4_request *req, struct str body)
{
    struct sigv4_chunk *c;
    uint64_t sum = 0;
    if (sigv4_chunk_new(a, req, STR("secret"), &c) != ERR_OK)
        return;
    for (size_t i = 0; i < body.len; i += 7)
        if (sigv4_chunk_feed(c, body.p + i, min_size(7, body.len - i), discard, &sum) != ERR_OK)
            break;
    if (sigv4_chunk_finish(c) == ERR_OK && req->decoded_length >= 0 &&
        sigv4_chunk_decoded(c) != (uint64_t)req->decoded_length)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size);
    struct sigv4_header headers[HEADERS_MAX];
    struct sigv4_http http = {.headers = headers};
    struct str first = str_cut(&rest, '\n');
    http.method = str_cut(&first, ' ');
    http.query = str_is_set(first) ? first : STR("/");
    http.path = str_cut(&http.query, '?');
    while (str_is_set(rest) && http.n_headers < HEADERS_MAX) {
        struct str value = str_cut(&rest, '\n');
        if (value.len == 0)
            break;
        struct str name = str_cut(&value, ':');
        headers[http.n_headers++] =
            (struct sigv4_header){name, str_is_set(value) ? value : STR("")};
    }
    for (int dialect = 0; dialect < SIGV4_DIALECTS; dialect++) {
        struct arena a;
        struct sigv4_request req;
        struct sigv4_fault fault = {0};
        arena_init(&a, ARENA_BYTES);
        enum err e = sigv4_parse(&a, &http, dialect, &req, &fault);
        if (e == ERR_OK && req.kind != SIGV4_NONE) {
            struct sigv4_check check = {.http = &http,
                                        .req = &req,
                                        .dialect = dialect,
                                        .secret = STR("secret"),
                                        .session_token = req.session_token,
                                        .now_ms = req.timestamp_ms,
                                        .skew_ms = 900000,
                                        .body = str_is_set(rest) ? rest : STR("")};
            e = sigv4_verify(&a, &check, &fault);
            feed_body(&a, &req, check.body);
        }
        if (e == ERR_DENIED && fault.message.len == 0)
            abort();
        arena_release(&a);
    }
    return 0;
}
