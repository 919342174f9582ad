/* Heads: good and malformed, each fed whole and split at every byte, with the same result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/http_int.h"

#define H "Host: h\r\n"
#define G "GET / HTTP/1.1\r\n"
#define P "POST / HTTP/1.1\r\n" H

struct good {
    const char *name;
    const char *head;
    const char *method, *path, *query; /* query NULL: absent */
    int64_t length;                    /* -1: chunked */
    bool keep_alive, expect;
    const char *header, *value; /* one to look up */
};

static const struct good goods[] = {
    {"least", G H "\r\n", "GET", "/", NULL, 0, true, false, "host", "h"},
    {"query", "GET /a/b?c=d&e HTTP/1.1\r\n" H "\r\n", "GET", "/a/b", "c=d&e", 0, true, false,
     "HOST", "h"},
    {"empty query", "GET /a? HTTP/1.1\r\n" H "\r\n", "GET", "/a", "", 0, true, false, "X", NULL},
    {"two questions", "GET /a?b?c HTTP/1.1\r\n" H "\r\n", "GET", "/a", "b?c", 0, true, false, "X",
     NULL},
    {"escapes stay", "GET /%2F%00+ HTTP/1.1\r\n" H "\r\n", "GET", "/%2F%00+", NULL, 0, true, false,
     "X", NULL},
    {"double slash", "GET //a//b HTTP/1.1\r\n" H "\r\n", "GET", "//a//b", NULL, 0, true, false, "X",
     NULL},
    {"odd but visible target", "GET /{a}|\"<>\\^` HTTP/1.1\r\n" H "\r\n", "GET", "/{a}|\"<>\\^`",
     NULL, 0, true, false, "X", NULL},
    {"absolute form", "GET http://h/x?y HTTP/1.1\r\n" H "\r\n", "GET", "/x", "y", 0, true, false,
     "X", NULL},
    {"absolute form without path", "GET HTTPS://h HTTP/1.1\r\n" H "\r\n", "GET", "/", NULL, 0, true,
     false, "X", NULL},
    {"absolute form, host in other case", "GET http://H:1/ HTTP/1.1\r\nHost: h:1\r\n\r\n", "GET",
     "/", NULL, 0, true, false, "X", NULL},
    {"asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS", "*", NULL, 0, true, false, "X",
     NULL},
    {"length", P "Content-Length: 12\r\n\r\n", "POST", "/", NULL, 12, true, false, "content-length",
     "12"},
    {"length with zeros", P "Content-Length: 00012\r\n\r\n", "POST", "/", NULL, 12, true, false,
     "X", NULL},
    {"greatest length", P "Content-Length: 9223372036854775807\r\n\r\n", "POST", "/", NULL,
     INT64_MAX, true, false, "X", NULL},
    {"chunked", P "Transfer-Encoding: chunked\r\n\r\n", "POST", "/", NULL, -1, true, false, "X",
     NULL},
    {"chunked in capitals", P "TRANSFER-ENCODING:CHUNKED\r\n\r\n", "POST", "/", NULL, -1, true,
     false, "X", NULL},
    {"expect", P "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n", "POST", "/", NULL, 1, true,
     true, "X", NULL},
    {"expect without a body", P "Expect: 100-continue\r\n\r\n", "POST", "/", NULL, 0, true, true,
     "X", NULL},
    {"close", G H "Connection: close\r\n\r\n", "GET", "/", NULL, 0, false, false, "X", NULL},
    {"close in a list", G H "Connection: te , CLOSE\r\n\r\n", "GET", "/", NULL, 0, false, false,
     "X", NULL},
    {"close in a second field", G H "Connection: te\r\nConnection: close\r\n\r\n", "GET", "/", NULL,
     0, false, false, "X", NULL},
    {"keep-alive", G H "Connection: keep-alive\r\n\r\n", "GET", "/", NULL, 0, true, false, "X",
     NULL},
    {"1.0", "GET / HTTP/1.0\r\n\r\n", "GET", "/", NULL, 0, false, false, "X", NULL},
    {"1.0 with expect", "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
     "POST", "/", NULL, 1, false, false, "X", NULL},
    {"value trimmed", G H "X: \t a b\t \r\n\r\n", "GET", "/", NULL, 0, true, false, "x", "a b"},
    {"empty value", G H "X:\r\n\r\n", "GET", "/", NULL, 0, true, false, "X", ""},
    {"value of blanks", G H "X:  \t \r\n\r\n", "GET", "/", NULL, 0, true, false, "X", ""},
    {"first of two", G H "X: 1\r\nX: 2\r\n\r\n", "GET", "/", NULL, 0, true, false, "X", "1"},
    {"high bytes in a value", G H "X: \xc3\xa9\r\n\r\n", "GET", "/", NULL, 0, true, false, "X",
     "\xc3\xa9"},
    {"colon in a value", G H "X: a:b\r\n\r\n", "GET", "/", NULL, 0, true, false, "X", "a:b"},
    {"token name", G H "!#$%&'*+-.^_`|~09Az: v\r\n\r\n", "GET", "/", NULL, 0, true, false,
     "!#$%&'*+-.^_`|~09Az", "v"},
    {"empty host", G "Host:\r\n\r\n", "GET", "/", NULL, 0, true, false, "Host", ""},
    {"IPv6 host", G "Host: [::1]:4566\r\n\r\n", "GET", "/", NULL, 0, true, false, "Host",
     "[::1]:4566"},
    {"empty line first", "\r\n" G H "\r\n", "GET", "/", NULL, 0, true, false, "X", NULL},
    {"other method", "M-SEARCH / HTTP/1.1\r\n" H "\r\n", "M-SEARCH", "/", NULL, 0, true, false, "X",
     NULL},
};

struct malformed {
    const char *name;
    const char *head;
    size_t len; /* 0: strlen */
    int status;
};

#define BYTES(s) s, sizeof(s) - 1

static const struct malformed malformeds[] = {
    /* request line */
    {"no target", "GET HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"no version", "GET /\r\n" H "\r\n", 0, 400},
    {"empty method", " / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"lower-case method", "get / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"mixed method", "Get / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"method with a separator", "GE(T / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"long method", "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABC / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"space at the end", "GET / HTTP/1.1 \r\n" H "\r\n", 0, 400},
    {"tab for a space", "GET\t/ HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"tab in the target", "GET /\ta HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"high byte in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"control in the target", "GET /\x01 HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n" H "\r\n"), 400},
    {"relative target", "GET a HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"asterisk for GET", "GET * HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"authority form", "CONNECT h:1 HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"other scheme", "GET ftp://h/ HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"absolute form without host", "GET http:///x HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"absolute form with user", "GET http://u@h/ HTTP/1.1\r\nHost: u@h\r\n\r\n", 0, 400},
    {"absolute form with query only", "GET http://h?x HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"absolute form, other host", "GET http://other/ HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"version in lower case", "GET / http/1.1\r\n" H "\r\n", 0, 400},
    {"version without digits", "GET / HTTP/x.y\r\n" H "\r\n", 0, 400},
    {"version too long", "GET / HTTP/1.10\r\n" H "\r\n", 0, 400},
    {"version 0.9", "GET / HTTP/0.9\r\n" H "\r\n", 0, 505},
    {"version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", 0, 505},
    {"version 2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505},
    {"TLS hello", "\x16\x03\x01", 0, 400},
    {"blank first", " GET / HTTP/1.1\r\n" H "\r\n", 0, 400},
    {"two empty lines first", "\r\n\r\n" G H "\r\n", 0, 400},
    {"LF first", "\n" G H "\r\n", 0, 400},
    {"CR first", "\r" G H "\r\n", 0, 400},
    /* lines */
    {"bare LF", "GET / HTTP/1.1\n" H "\r\n", 0, 400},
    {"bare LF after a field", G "Host: h\n\r\n", 0, 400},
    {"bare LF at the end", G H "\n", 0, 400},
    {"bare CR in a field", G H "X: a\rb\r\n\r\n", 0, 400},
    {"CR CR LF", G H "X: a\r\r\n\r\n", 0, 400},
    {"CR in the request line", "GET / HTTP/1.1\r\r\n" H "\r\n", 0, 400},
    {"obs-fold", G H "X: a\r\n b\r\n\r\n", 0, 400},
    {"obs-fold by tab", G H "X: a\r\n\tb\r\n\r\n", 0, 400},
    {"blank before the first field", G " " H "\r\n", 0, 400},
    {"NUL in a value", BYTES(G H "X: a\0b\r\n\r\n"), 400},
    {"NUL in a name", BYTES(G H "X\0: a\r\n\r\n"), 400},
    {"control in a value", G H "X: \x01\r\n\r\n", 0, 400},
    {"DEL in a value", G H "X: \x7f\r\n\r\n", 0, 400},
    {"vertical tab in a value", G H "X: \x0b\r\n\r\n", 0, 400},
    {"space before the colon", G H "X : a\r\n\r\n", 0, 400},
    {"tab before the colon", G H "X\t: a\r\n\r\n", 0, 400},
    {"space in a name", G H "X Y: a\r\n\r\n", 0, 400},
    {"high byte in a name", G H "X\xc3\xa9: a\r\n\r\n", 0, 400},
    {"no colon", G H "X\r\n\r\n", 0, 400},
    {"no name", G H ": a\r\n\r\n", 0, 400},
    {"quoted name", G H "\"X\": a\r\n\r\n", 0, 400},
    /* host */
    {"no host", G "\r\n", 0, 400},
    {"two hosts", G H H "\r\n", 0, 400},
    {"two hosts in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", 0, 400},
    {"host list", G "Host: a,b\r\n\r\n", 0, 400},
    {"host with a blank", G "Host: a b\r\n\r\n", 0, 400},
    {"host with a path", G "Host: a/b\r\n\r\n", 0, 400},
    {"host with a user", G "Host: u@h\r\n\r\n", 0, 400},
    /* framing */
    {"CL.CL same", P "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 0, 400},
    {"CL.CL different", P "Content-Length: 1\r\ncontent-length: 2\r\n\r\n", 0, 400},
    {"CL list", P "Content-Length: 5, 5\r\n\r\n", 0, 400},
    {"CL list with blanks", P "Content-Length:  5 ,5\r\n\r\n", 0, 400},
    {"CL signed", P "Content-Length: +5\r\n\r\n", 0, 400},
    {"CL negative", P "Content-Length: -5\r\n\r\n", 0, 400},
    {"CL hex", P "Content-Length: 0x5\r\n\r\n", 0, 400},
    {"CL fraction", P "Content-Length: 5.0\r\n\r\n", 0, 400},
    {"CL exponent", P "Content-Length: 1e3\r\n\r\n", 0, 400},
    {"CL inner blank", P "Content-Length: 5 5\r\n\r\n", 0, 400},
    {"CL empty", P "Content-Length:\r\n\r\n", 0, 400},
    {"CL word", P "Content-Length: five\r\n\r\n", 0, 400},
    {"CL quoted", P "Content-Length: \"5\"\r\n\r\n", 0, 400},
    {"CL one over", P "Content-Length: 9223372036854775808\r\n\r\n", 0, 413},
    {"CL huge", P "Content-Length: 99999999999999999999999999\r\n\r\n", 0, 413},
    {"CL.TE", P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"TE.CL", P "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 0, 400},
    {"TE.TE", P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"TE.TE identity", P "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 0,
     400},
    {"TE twice in a list", P "Transfer-Encoding: chunked, chunked\r\n\r\n", 0, 400},
    {"TE chunked not last", P "Transfer-Encoding: chunked, gzip\r\n\r\n", 0, 400},
    {"TE gzip and chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, 501},
    {"TE gzip", P "Transfer-Encoding: gzip\r\n\r\n", 0, 501},
    {"TE identity", P "Transfer-Encoding: identity\r\n\r\n", 0, 501},
    {"TE xchunked", P "Transfer-Encoding: xchunked\r\n\r\n", 0, 501},
    {"TE empty", P "Transfer-Encoding:\r\n\r\n", 0, 400},
    {"TE trailing comma", P "Transfer-Encoding: chunked,\r\n\r\n", 0, 400},
    {"TE parameter", P "Transfer-Encoding: chunked;q=1\r\n\r\n", 0, 400},
    {"TE quoted", P "Transfer-Encoding: \"chunked\"\r\n\r\n", 0, 400},
    {"TE vertical tab",
     P "Transfer-Encoding: \x0b"
       "chunked\r\n\r\n",
     0, 400},
    {"TE space before the colon", P "Transfer-Encoding : chunked\r\n\r\n", 0, 400},
    {"TE in a fold", P "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"TE behind a bare CR", P "X: y\rTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"TE behind a bare LF", P "X: y\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400},
    {"expectation", P "Content-Length: 1\r\nExpect: tea\r\n\r\n", 0, 417},
    {"two expectations",
     P "Content-Length: 1\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 0, 417},
};

/* Feeds head[0..split) and then all; a status, or 0 with the request parsed. -1: wants more. */
static int feed(struct http_req *req, struct arena *a, const char *head, size_t len, size_t split,
                size_t *ret_len)
{
    struct http_scan scan = {0};
    int status = -2;
    enum http_parse r = HTTP_MORE;
    /* Exact heap copies, so that the sanitizer sees a read past what has arrived. */
    for (int part = 0; part < 2 && r == HTTP_MORE; part++) {
        size_t n = part == 0 ? split : len;
        char *copy = malloc(n ? n : 1);
        memcpy(copy, head, n);
        r = http_head_scan(&scan, copy, n, ret_len, &status);
        free(copy);
    }
    if (r == HTTP_BAD)
        return status;
    if (r == HTTP_MORE)
        return -1;
    memset(req, 0, sizeof(*req));
    req->arena = a;
    char *copy = arena_memdup(a, head, *ret_len);
    return http_head_parse(req, str_n(copy, *ret_len), &scan);
}

static void check_good(const struct good *g, size_t split)
{
    struct http_req req;
    struct arena a;
    size_t len;
    size_t head_len = strlen(g->head);
    char with_more[1024];
    int n = snprintf(with_more, sizeof(with_more), "%sGET /next", g->head);
    arena_init(&a, 1 << 20);
    int status = feed(&req, &a, with_more, (size_t)n, split, &len);
    if (status != 0)
        fail_msg("%s, split at %zu: %d", g->name, split, status);
    assert_int_equal(len, head_len);
    if (!str_eq_c(req.method, g->method) || !str_eq_c(req.path, g->path) ||
        str_is_set(req.query) != (g->query != NULL) || (g->query && !str_eq_c(req.query, g->query)))
        fail_msg("%s: " STR_FMT " " STR_FMT, g->name, STR_ARG(req.method), STR_ARG(req.target));
    if (req.content_length != g->length || req.chunked != (g->length == -1) ||
        req.keep_alive != g->keep_alive || req.expect_continue != g->expect)
        fail_msg("%s: framing", g->name);
    struct str value = http_header(&req, str_c(g->header));
    if (str_is_set(value) != (g->value != NULL) || (g->value && !str_eq_c(value, g->value)))
        fail_msg("%s: %s is \"" STR_FMT "\"", g->name, g->header, STR_ARG(value));
    arena_release(&a);
}

static void test_good(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(goods); i++)
        for (size_t at = 0; at <= strlen(goods[i].head); at++)
            check_good(&goods[i], at);
}

static void test_malformed(void **state)
{
    assert_true(ARRAY_LEN(malformeds) >= ARRAY_LEN(goods));
    for (size_t i = 0; i < ARRAY_LEN(malformeds); i++) {
        const struct malformed *m = &malformeds[i];
        size_t len = m->len ? m->len : strlen(m->head);
        for (size_t at = 0; at <= len; at++) {
            struct http_req req;
            struct arena a;
            size_t head_len;
            arena_init(&a, 1 << 20);
            int status = feed(&req, &a, m->head, len, at, &head_len);
            if (status != m->status)
                fail_msg("%s, split at %zu: %d", m->name, at, status);
            arena_release(&a);
        }
    }
}

/* A good head cut anywhere only waits. */
static void test_incomplete(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
        for (size_t n = 0; n < strlen(goods[i].head); n++) {
            struct http_scan scan = {0};
            size_t len;
            int status;
            assert_int_equal(http_head_scan(&scan, goods[i].head, n, &len, &status), HTTP_MORE);
        }
    }
}

static int feed_text(const char *p, size_t len)
{
    struct http_req req;
    struct arena a;
    size_t head_len;
    arena_init(&a, 1 << 20);
    int status = feed(&req, &a, p, len, 0, &head_len);
    arena_release(&a);
    return status;
}

static char *repeat(char *at, char c, size_t n)
{
    memset(at, c, n);
    return at + n;
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
    static char text[2 * HTTP_HEAD_MAX];
    for (size_t over = 0; over < 2; over++) {
        char *p = append(text, "GET /");
        p = repeat(p, 'a', HTTP_TARGET_MAX - 1 + over);
        p = append(p, " HTTP/1.1\r\n" H "\r\n");
        assert_int_equal(feed_text(text, (size_t)(p - text)), over ? 414 : 0);

        p = append(text, "GET / HTTP/1.1\r\n" H);
        for (size_t i = 0; i < HTTP_HEADERS_MAX - 1 + over; i++)
            p = append(p, "X: y\r\n");
        p = append(p, "\r\n");
        assert_int_equal(feed_text(text, (size_t)(p - text)), over ? 431 : 0);

        /* The last LF is the byte at HTTP_HEAD_MAX. */
        p = append(text, "GET / HTTP/1.1\r\n" H "X: ");
        p = repeat(p, 'a', HTTP_HEAD_MAX + 1 - 4 - (size_t)(p - text) + over);
        p = append(p, "\r\n\r\n");
        assert_int_equal(feed_text(text, (size_t)(p - text)), over ? 431 : 0);
    }
    /* Without an end in sight. */
    (void)repeat(append(text, "GET /"), 'a', HTTP_HEAD_MAX);
    assert_int_equal(feed_text(text, HTTP_HEAD_MAX), 414);
    (void)repeat(append(text, G "X: "), 'a', HTTP_HEAD_MAX);
    assert_int_equal(feed_text(text, HTTP_HEAD_MAX + 18), 431);
    /* Garbage without a line is told off by its first byte. */
    (void)repeat(text, '\0', 1000);
    assert_int_equal(feed_text(text, 1), 400);
}

static void test_out_of_memory(void **state)
{
    struct http_req req;
    struct arena a;
    size_t len;
    arena_init(&a, sizeof(G H "\r\n"));
    assert_int_equal(feed(&req, &a, G H "\r\n", strlen(G H "\r\n"), 0, &len), 503);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
