/* Decoder of the chunked transfer coding (RFC 9112 section 7.1), byte by byte, data by slices.
 *
 *   SIZE_FIRST -> SIZE -> [EXT] -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE_FIRST ...
 *                                     `-- size 0 --> TRAILER -> END
 *
 * Strict: no white space before or after the size, CRLF only, a size that fits 63 bits. Extensions
 * are skipped, within HTTP_CHUNK_LINE_MAX.
 *
 * Layer: http; pure. */
#include "http/http_int.h"

#include <string.h>

void http_chunk_init(struct http_chunk *c, struct arena *arena)
{
    *c = (struct http_chunk){.state = CHUNK_SIZE_FIRST};
    buf_init_arena(&c->trailers, arena, HTTP_TRAILERS_MAX);
}

static int hex(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return -1;
}

/* One byte of the size line. False: malformed. */
static bool size_byte(struct http_chunk *c, char ch)
{
    if (++c->line_len > HTTP_CHUNK_LINE_MAX)
        return false;
    int digit = hex(ch);
    switch (c->state) {
    case CHUNK_SIZE_FIRST:
    case CHUNK_SIZE:
        if (digit >= 0) {
            if (c->left > (uint64_t)INT64_MAX >> 4)
                return false;
            c->left = c->left << 4 | (uint64_t)digit;
            c->state = CHUNK_SIZE;
            return true;
        }
        if (c->state == CHUNK_SIZE_FIRST)
            return false;
        if (ch == ';')
            c->state = CHUNK_EXT;
        else if (ch == '\r')
            c->state = CHUNK_SIZE_LF;
        else
            return false;
        return true;
    case CHUNK_EXT:
        if (ch == '\r')
            c->state = CHUNK_SIZE_LF;
        else if (((unsigned char)ch < 0x20 && ch != '\t') || ch == 0x7f)
            return false;
        return true;
    default: /* CHUNK_SIZE_LF */
        c->line_len = 0;
        c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
        return ch == '\n';
    }
}

/* A piece of the trailer section, up to and with its next LF. */
static enum http_parse trailer_bytes(struct http_chunk *c, const char *p, size_t len, size_t *ret_n)
{
    const char *lf = memchr(p, '\n', len);
    size_t n = lf ? (size_t)(lf - p) + 1 : len;
    *ret_n = n;
    buf_add(&c->trailers, p, n);
    if (buf_err(&c->trailers) != ERR_OK)
        return HTTP_BAD;
    if (!lf)
        return HTTP_MORE;
    struct str line = str_sub(buf_str(&c->trailers), c->line_start, SIZE_MAX);
    if (line.len < 2 || line.p[line.len - 2] != '\r')
        return HTTP_BAD;
    if (line.len == 2) {
        c->state = CHUNK_END;
        return HTTP_DONE;
    }
    c->line_start = c->trailers.len;
    return HTTP_MORE;
}

enum http_parse http_chunk_feed(struct http_chunk *c, const char *p, size_t len, size_t *ret_used,
                                struct str *ret_data)
{
    size_t i = 0;
    *ret_data = STR_NONE;
    *ret_used = 0;
    while (i < len) {
        size_t n;
        enum http_parse r;
        switch (c->state) {
        case CHUNK_DATA:
            n = c->left < len - i ? (size_t)c->left : len - i;
            *ret_data = str_n(p + i, n);
            c->left -= n;
            if (c->left == 0)
                c->state = CHUNK_DATA_CR;
            *ret_used = i + n;
            return HTTP_MORE;
        case CHUNK_DATA_CR:
            if (p[i++] != '\r')
                return HTTP_BAD;
            c->state = CHUNK_DATA_LF;
            break;
        case CHUNK_DATA_LF:
            if (p[i++] != '\n')
                return HTTP_BAD;
            c->state = CHUNK_SIZE_FIRST;
            break;
        case CHUNK_TRAILER:
            r = trailer_bytes(c, p + i, len - i, &n);
            i += n;
            if (r != HTTP_MORE) {
                *ret_used = i;
                return r;
            }
            break;
        case CHUNK_END:
            *ret_used = i;
            return HTTP_DONE;
        default:
            if (!size_byte(c, p[i++]))
                return HTTP_BAD;
            break;
        }
    }
    *ret_used = i;
    return HTTP_MORE;
}

enum err http_chunk_trailers(const struct http_chunk *c, struct arena *arena,
                             struct http_header **ret_fields, size_t *ret_n)
{
    struct str rest = buf_str(&c->trailers);
    struct http_header *fields = ARENA_ARRAY(arena, struct http_header, HTTP_TRAILER_COUNT_MAX);
    size_t n = 0;
    if (!fields)
        return ERR_NOMEM;
    for (;;) {
        struct str line = str_cut(&rest, '\n');
        if (line.len <= 1) /* the last line's CR */
            break;
        line.len--;
        if (n == HTTP_TRAILER_COUNT_MAX)
            return ERR_LIMIT;
        if (!http_field_parse(line, &fields[n++]))
            return ERR_INVALID;
    }
    *ret_fields = fields;
    *ret_n = n;
    return ERR_OK;
}
