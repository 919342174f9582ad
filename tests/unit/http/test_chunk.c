/* The chunked decoder: whole and split at every byte, with the same result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/http_int.h"

struct row {
    const char *name;
    const char *bytes;
    size_t len;       /* 0: strlen */
    const char *body; /* NULL: refused */
    size_t rest;      /* bytes after the body's end */
    size_t n_trailers;
};

#define BYTES(s) s, sizeof(s) - 1

static const struct row rows[] = {
    {"empty", "0\r\n\r\n", 0, "", 0, 0},
    {"one", "3\r\nabc\r\n0\r\n\r\n", 0, "abc", 0, 0},
    {"several", "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", 0, "abcdef", 0, 0},
    {"hex in both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 0,
     "01234567890123456789", 0, 0},
    {"leading zeros", "0003\r\nabc\r\n000\r\n\r\n", 0, "abc", 0, 0},
    {"extension", "3;a\r\nabc\r\n0;b=\"c d\"\r\n\r\n", 0, "abc", 0, 0},
    {"empty extension", "3;\r\nabc\r\n0;\r\n\r\n", 0, "abc", 0, 0},
    {"extension with blanks", "3; a = b\t;c\r\nabc\r\n0\r\n\r\n", 0, "abc", 0, 0},
    {"data that looks like framing", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", 0, "\r\n0\r\n\r\n", 0, 0},
    {"trailers", "0\r\nA: b\r\nC:d\r\n\r\n", 0, "", 0, 2},
    {"bytes after", "1\r\na\r\n0\r\n\r\nGET /", 0, "a", 5, 0},
    {"bytes after trailers", "1\r\na\r\n0\r\nX: y\r\n\r\n0\r\n\r\n", 0, "a", 5, 1},

    {"no size", "\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"word", "x\r\n", 0, NULL, 0, 0},
    {"0x prefix", "0x3\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"sign", "+3\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"negative", "-3\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"blank before the size", " 3\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"blank after the size", "3 \r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"blank before the extension", "3 ;a\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"tab after the size", "3\t\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"underscore", "1_0\r\n", 0, NULL, 0, 0},
    {"size in LF", "3\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"size in CR", "3\rabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"LF in an extension", "3;a\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"CR in an extension", "3;a\rb\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"NUL in an extension", BYTES("3;\0\r\nabc\r\n0\r\n\r\n"), NULL, 0, 0},
    {"control in an extension", "3;\x01\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"DEL in an extension", "3;\x7f\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"over 63 bits", "8000000000000000\r\n", 0, NULL, 0, 0},
    {"over 64 bits", "10000000000000000\r\n", 0, NULL, 0, 0},
    {"wraps to 3", "100000000000000003\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"data too long", "2\r\nabc\r\n0\r\n\r\n", 0, NULL, 0, 0},
    {"data without CRLF", "3\r\nabc0\r\n\r\n", 0, NULL, 0, 0},
    {"data ended by LF", "3\r\nabc\n0\r\n\r\n", 0, NULL, 0, 0},
    {"data ended by CR", "3\r\nabc\r0\r\n\r\n", 0, NULL, 0, 0},
    {"trailer in LF", "0\r\nA: b\n\r\n", 0, NULL, 0, 0},
    {"end in LF", "0\r\n\n", 0, NULL, 0, 0},
    {"trailer without a colon", "0\r\nA\r\n\r\n", 0, NULL, 0, 0},
    {"trailer folded", "0\r\nA: b\r\n c\r\n\r\n", 0, NULL, 0, 0},
    {"trailer with a blank before the colon", "0\r\nA : b\r\n\r\n", 0, NULL, 0, 0},
    {"trailer with NUL", BYTES("0\r\nA: \0\r\n\r\n"), NULL, 0, 0},
    {"trailer with a bare CR", "0\r\nA: b\rc\r\n\r\n", 0, NULL, 0, 0},
};

struct result {
    bool ok, more;
    char body[256];
    size_t body_len, used, n_trailers;
};

/* Decodes bytes[0..len) in pieces of at most `piece`. */
static struct result decode(const char *bytes, size_t len, size_t piece)
{
    struct result res = {.more = true};
    struct arena a;
    struct http_chunk c;
    arena_init(&a, 1 << 20);
    http_chunk_init(&c, &a);
    while (res.more && res.used < len) {
        size_t n = min_size(piece, len - res.used);
        char *copy = malloc(n);
        size_t used;
        struct str data;
        memcpy(copy, bytes + res.used, n);
        enum http_parse r = http_chunk_feed(&c, copy, n, &used, &data);
        if (data.len && res.body_len + data.len < sizeof(res.body)) {
            memcpy(res.body + res.body_len, data.p, data.len);
            res.body_len += data.len;
        }
        free(copy);
        res.used += used;
        res.more = r == HTTP_MORE;
        if (r == HTTP_DONE) {
            struct http_header *fields;
            res.ok = http_chunk_trailers(&c, &a, &fields, &res.n_trailers) == ERR_OK;
        }
    }
    arena_release(&a);
    return res;
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        size_t len = row->len ? row->len : strlen(row->bytes);
        for (size_t piece = 1; piece <= len; piece++) {
            struct result r = decode(row->bytes, len, piece);
            if (r.ok != (row->body != NULL) || r.more)
                fail_msg("%s in %zus: %s", row->name, piece, r.ok ? "accepted" : "refused");
            if (row->body && (!str_eq_c(str_n(r.body, r.body_len), row->body) ||
                              r.used != len - row->rest || r.n_trailers != row->n_trailers))
                fail_msg("%s in %zus: body \"%s\", used %zu", row->name, piece, r.body, r.used);
        }
    }
}

static char *append(char *at, const char *text)
{
    size_t n = strlen(text);
    memcpy(at, text, n);
    return at + n;
}

/* Each limit, and one past it. */
static void test_limits(void **state)
{
    static char text[2 * HTTP_TRAILERS_MAX];
    for (size_t over = 0; over < 2; over++) {
        char *p = append(text, "0;");
        memset(p, 'x', HTTP_CHUNK_LINE_MAX);
        p = append(p + HTTP_CHUNK_LINE_MAX - 4 + over, "\r\n\r\n");
        struct result r = decode(text, (size_t)(p - text), 100);
        assert_int_equal(r.ok, !over);

        p = append(text, "0\r\nX: ");
        memset(p, 'x', HTTP_TRAILERS_MAX);
        p = append(p + HTTP_TRAILERS_MAX - 7 + over, "\r\n\r\n");
        r = decode(text, (size_t)(p - text), 100);
        assert_int_equal(r.ok, !over);

        p = append(text, "0\r\n");
        for (size_t i = 0; i < HTTP_TRAILER_COUNT_MAX + over; i++)
            p = append(p, "X: y\r\n");
        p = append(p, "\r\n");
        r = decode(text, (size_t)(p - text), 100);
        assert_int_equal(r.ok, !over);
    }
    /* The greatest size is accepted as a size. */
    struct result r = decode("7fffffffffffffff\r\na", 19, 19);
    assert_true(r.more && r.body_len == 1);
}

static void test_incomplete(void **state)
{
    const char text[] = "3;x\r\nabc\r\n0\r\nA: b\r\n\r\n";
    for (size_t n = 1; n < sizeof(text) - 1; n++)
        assert_true(decode(text, n, n).more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
