// link: weir_http
/* Chunked bodies: fed whole and byte by byte they give the same bytes and the same verdict. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum http_parse result;
    enum err trailers;
    size_t used, body_len;
    uint64_t body_hash;
};

static struct outcome decode(const uint8_t *data, size_t size, size_t piece)
{
    struct outcome o = {.result = HTTP_MORE, .body_hash = 14695981039346656037ull};
    struct http_chunk c;
    struct arena a;
    arena_init(&a, 1 << 20);
    http_chunk_init(&c, &a);
    while (o.result == HTTP_MORE && o.used < size) {
        size_t n = min_size(piece, size - o.used);
        size_t used;
        struct str body;
        o.result = http_chunk_feed(&c, (const char *)data + o.used, n, &used, &body);
        if (o.result == HTTP_BAD)
            break;
        if (used > n || body.len > used || (used == 0 && o.result == HTTP_MORE))
            abort();
        for (size_t i = 0; i < body.len; i++)
            o.body_hash = (o.body_hash ^ (uint8_t)body.p[i]) * 1099511628211ull;
        o.body_len += body.len;
        o.used += used;
    }
    if (o.result == HTTP_DONE) {
        struct http_header *fields;
        size_t n;
        o.trailers = http_chunk_trailers(&c, &a, &fields, &n);
        if (o.trailers == ERR_OK && n > HTTP_TRAILER_COUNT_MAX)
            abort();
    }
    arena_release(&a);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = decode(data, size, SIZE_MAX);
    struct outcome bytes = decode(data, size, 1);
    if (whole.result != bytes.result || whole.trailers != bytes.trailers)
        abort();
    /* A malformed piece may hide the data before it within one call, never add any. */
    if (whole.result != HTTP_BAD && (whole.used != bytes.used || whole.body_len != bytes.body_len ||
                                     whole.body_hash != bytes.body_hash))
        abort();
    return 0;
}
