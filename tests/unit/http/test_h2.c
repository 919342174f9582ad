/* HTTP/2 over TLS: requests, bodies and back-pressure, ends, refusals, floods, time limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_h2.h"
#include "http/http_h2_int.h"

enum { STREAM_BYTES = 3000000, BODY_BYTES = 1500000 };

struct play {
    struct fixture f;
    struct h2_client c;
    char *data;
};

static struct play *play_new(void)
{
    struct play *p = calloc(1, sizeof(*p));
    fixture_init(&p->f, 2);
    p->f.cfg.tls_cert = cert_path;
    p->f.cfg.tls_key = key_path;
    p->f.stream_bytes = STREAM_BYTES;
    p->data = malloc(BODY_BYTES);
    for (size_t i = 0; i < BODY_BYTES; i++)
        p->data[i] = (char)('a' + i % 23);
    return p;
}

static int setup(void **state)
{
    struct play *p = play_new();
    fixture_start(&p->f);
    h2_open(&p->c, &p->f, 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct play *p = *state;
    h2_close(&p->c);
    fixture_stop(&p->f);
    free(p->data);
    free(p);
    return 0;
}

/* A server whose time limits are short. */
static int setup_hasty(void **state)
{
    struct play *p = play_new();
    p->f.cfg.head_timeout_ms = p->f.cfg.body_timeout_ms = p->f.cfg.write_timeout_ms = 150;
    p->f.cfg.idle_timeout_ms = 400;
    fixture_start(&p->f);
    h2_open(&p->c, &p->f, 70000);
    *state = p;
    return 0;
}

/* --- requests and replies --------------------------------------------------------------------- */

static void test_replies(void **state)
{
    struct play *p = *state;
    struct h2_client *c = &p->c;
    h2_expect(c, h2_call(c, "GET", "/hello", NULL, 0), 200, "hello");
    h2_expect(c, h2_call(c, "GET", "/late", NULL, 0), 200, "late");
    h2_expect(c, h2_call(c, "POST", "/echo", "abc", 3), 200, "abc");
    h2_expect(c, h2_call(c, "GET", "/echo", NULL, 0), 200, "");
    h2_expect(c, h2_call(c, "POST", "/slow", "abc", 3), 200, "abc");
    h2_expect(c, h2_call(c, "POST", "/ignore", "abc", 3), 200, "ignored");
    h2_expect(c, h2_call(c, "POST", "/early", "abc", 3), 200, "early");
    h2_expect(c, h2_call(c, "GET", "/nowhere", NULL, 0), 404, "no such path");
    struct h2_call *none = h2_call(c, "GET", "/none", NULL, 0);
    h2_expect(c, none, 204, "");
    assert_false(h2_says(none, "content-length: "));
    struct h2_call *head = h2_call(c, "HEAD", "/hello", NULL, 0);
    h2_expect(c, head, 200, "");
    assert_true(h2_has(head, "content-length: 5"));
    assert_true(h2_has(head, "content-type: text/plain"));
    assert_true(h2_says(head, "date: "));
    struct h2_call *stream = h2_call(c, "HEAD", "/stream", NULL, 0);
    h2_expect(c, stream, 200, "");
    struct h2_call *evil = h2_call(c, "GET", "/inject", NULL, 0);
    h2_expect(c, evil, 200, "x");
    assert_true(h2_has(evil, "x-evil: a  Set-Cookie: b c"));
    assert_int_equal(p->f.closes, 0);
}

static void test_large(void **state)
{
    struct play *p = *state;
    static const char *paths[] = {"/echo", "/slow", "/echo"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct h2_call *call = h2_call(&p->c, "PUT", paths[i], p->data, BODY_BYTES);
        h2_until_closed(&p->c, call);
        assert_int_equal(call->body.len, BODY_BYTES);
        assert_memory_equal(call->body.p, p->data, BODY_BYTES);
    }
    struct h2_call *stream = h2_call(&p->c, "GET", "/stream", NULL, 0);
    struct h2_call *chunks = h2_call(&p->c, "GET", "/chunks", NULL, 0);
    h2_until_closed(&p->c, stream);
    h2_until_closed(&p->c, chunks);
    assert_int_equal(stream->body.len, STREAM_BYTES);
    assert_int_equal(chunks->body.len, STREAM_BYTES);
    assert_false(h2_says(chunks, "content-length: "));
}

/* Each stream gets on while others are held, pause, or are large. */
static void test_parallel(void **state)
{
    struct play *p = *state;
    struct h2_call *held = h2_call(&p->c, "POST", "/hold", p->data, BODY_BYTES);
    struct h2_call *calls[HTTP_H2_STREAMS_MAX - 1];
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        calls[i] = i % 3 == 0   ? h2_call(&p->c, "GET", "/late", NULL, 0)
                   : i % 3 == 1 ? h2_call(&p->c, "POST", "/slow", p->data, 40000)
                                : h2_call(&p->c, "GET", "/stream", NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        h2_until_closed(&p->c, calls[i]);
        assert_int_equal(calls[i]->status, 200);
        assert_int_equal(calls[i]->body.len, i % 3 == 0 ? 4 : i % 3 == 1 ? 40000 : STREAM_BYTES);
    }
    assert_false(held->closed);
    assert_true(held->sent <= HTTP_H2_STREAM_WINDOW);
    assert_int_equal(nghttp2_submit_rst_stream(p->c.session, 0, held->id, NGHTTP2_CANCEL), 0);
    h2_flush(&p->c);
    wait_closes(&p->f, 1);
}

/* --- heads: what HTTP/1.1 refuses is refused ---------------------------------------------------- */

#define S ":scheme: https\n"
#define A ":authority: h\n"
#define G ":method: GET\n" S A

struct head_row {
    const char *name, *fields;
    int status; /* 0: broken off with `code` */
    uint32_t code;
    const char *body; /* NULL: not looked at */
};

static const struct head_row head_rows[] = {
    {"authority is Host", G ":path: /fields\na: b\n", 200, 0, "GET /fields 0;Host=h;a=b;"},
    {"host alone", ":method: GET\n" S ":path: /fields\nhost: x:1\n", 200, 0,
     "GET /fields 0;host=x:1;"},
    {"both, alike", G ":path: /fields\na: b\nhost: H\nc: d\n", 200, 0,
     "GET /fields 0;Host=h;a=b;c=d;"},
    {"query", G ":path: /fields?a=%20\n", 200, 0, "GET /fields?a=%20 0;Host=h;"},
    {"crumbs", G ":path: /fields\ncookie: a=1\nx: y\ncookie: b=2\n", 200, 0,
     "GET /fields 0;Host=h;cookie=a=1; b=2;x=y;"},
    {"te", G ":path: /fields\nte: trailers\n", 200, 0, "GET /fields 0;Host=h;te=trailers;"},
    {"length of nothing", G ":path: /fields\ncontent-length: 0\n", 200, 0, NULL},
    {"scheme http", ":method: GET\n:scheme: http\n" A ":path: /hello\n", 200, 0, "hello"},
    {"options", ":method: OPTIONS\n" S A ":path: *\n", 404, 0, NULL},
    {"both, different", G ":path: /hello\nhost: x\n", 400, 0, NULL},
    {"neither", ":method: GET\n" S ":path: /hello\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"authority with user", ":method: GET\n" S ":authority: u@h\n:path: /hello\n", 400, 0, NULL},
    {"authority with path", ":method: GET\n" S ":authority: h/x\n:path: /hello\n", 0,
     NGHTTP2_PROTOCOL_ERROR, NULL},
    {"lower-case method", ":method: get\n" S A ":path: /hello\n", 400, 0, NULL},
    {"method with a space", ":method: GET /x\n" S A ":path: /hello\n", 0, NGHTTP2_PROTOCOL_ERROR,
     NULL},
    {"connect", ":method: CONNECT\n" A, 400, 0, NULL},
    {"connect to a protocol", ":method: CONNECT\n" S A ":path: /hello\n:protocol: websocket\n", 0,
     NGHTTP2_PROTOCOL_ERROR, NULL},
    {"other scheme", ":method: GET\n:scheme: ftp\n" A ":path: /hello\n", 400, 0, NULL},
    {"no scheme", ":method: GET\n" A ":path: /hello\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"no path", G, 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"empty path", G ":path: \n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"absolute path", G ":path: https://h/hello\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"space in the path", G ":path: /a b\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"fragment", G ":path: /a#b\n", 400, 0, NULL},
    {"high byte in the path", G ":path: /\xc3\xa9\n", 400, 0, NULL},
    {"pseudo twice", G ":path: /hello\n:path: /hello\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"pseudo late", G "a: b\n:path: /hello\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"pseudo of replies", G ":path: /hello\n:status: 200\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"unknown pseudo", G ":path: /hello\n:x: y\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"name with a space", G ":path: /hello\na b: c\n", 400, 0, NULL},
    {"control in a value", G ":path: /hello\na: b\x01\n", 400, 0, NULL},
    {"CR in a value", G ":path: /hello\na: b\rc\n", 400, 0, NULL},
    {"connection", G ":path: /hello\nconnection: x\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"keep-alive", G ":path: /hello\nkeep-alive: x\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"proxy-connection", G ":path: /hello\nproxy-connection: x\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"upgrade", G ":path: /hello\nupgrade: x\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"transfer-encoding", G ":path: /hello\ntransfer-encoding: chunked\n", 0,
     NGHTTP2_PROTOCOL_ERROR, NULL},
    {"te of other", G ":path: /hello\nte: gzip\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"length twice", G ":path: /hello\ncontent-length: 0\ncontent-length: 0\n", 0,
     NGHTTP2_PROTOCOL_ERROR, NULL},
    {"length as a list", G ":path: /hello\ncontent-length: 0, 0\n", 0, NGHTTP2_PROTOCOL_ERROR,
     NULL},
    {"length with a sign", G ":path: /hello\ncontent-length: +0\n", 0, NGHTTP2_PROTOCOL_ERROR,
     NULL},
    {"length, no body", G ":path: /hello\ncontent-length: 1\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"host twice", G ":path: /hello\nhost: h\nhost: h\n", 0, NGHTTP2_PROTOCOL_ERROR, NULL},
    {"other expectation", G ":path: /hello\nexpect: x\n", 417, 0, NULL},
};

static void test_heads(void **state)
{
    struct play *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(head_rows); i++) {
        const struct head_row *row = &head_rows[i];
        struct h2_call *call = h2_call_fields(&p->c, row->fields, NULL, 0);
        h2_until_closed(&p->c, call);
        if (call->status != row->status || call->code != row->code)
            fail_msg("%s: %d, %u", row->name, call->status, call->code);
        if (row->body && !str_eq_c(buf_str(&call->body), row->body))
            fail_msg("%s: " STR_FMT, row->name, STR_ARG(buf_str(&call->body)));
    }
    assert_int_equal(p->f.closes, 0); /* the handler saw none of those */
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

/* `n` fields with a name of 5 and a value of `len` bytes, after those of a request. */
static char *long_fields(size_t n, size_t len, size_t path_len)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    buf_add_c(&b, G ":path: /");
    for (size_t i = 0; i < path_len; i++)
        buf_add_byte(&b, 'p');
    buf_add_byte(&b, '\n');
    for (size_t i = 0; i < n; i++) {
        buf_add_fmt(&b, "x%04zu: ", i);
        for (size_t k = 0; k < len; k++)
            buf_add_byte(&b, 'v');
        buf_add_byte(&b, '\n');
    }
    buf_add_byte(&b, '\0');
    assert_int_equal(buf_err(&b), ERR_OK);
    return b.p;
}

static void test_head_limits(void **state)
{
    struct play *p = *state;
    static const struct {
        size_t n, len, path_len;
        int status;
    } rows[] = {
        {HTTP_HEADERS_MAX - 1, 1, 1, 404},
        {HTTP_HEADERS_MAX, 1, 1, 404},
        {HTTP_HEADERS_MAX + 1, 1, 1, 431},
        {60, 1000, 1, 404},
        {64, 1000, 1, 431},
        {0, 0, HTTP_TARGET_MAX - 1, 404},
        {0, 0, HTTP_TARGET_MAX, 414},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *fields = long_fields(rows[i].n, rows[i].len, rows[i].path_len);
        struct h2_call *call = h2_call_fields(&p->c, fields, NULL, 0);
        h2_until_closed(&p->c, call);
        if (call->status != rows[i].status)
            fail_msg("row %zu: %d, %u", i, call->status, call->code);
        free(fields);
    }
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

/* --- bodies ------------------------------------------------------------------------------------ */

static void test_lengths(void **state)
{
    struct play *p = *state;
    static const struct {
        const char *length, *body;
        int status;
        uint32_t code;
    } rows[] = {
        {"3", "abc", 200, 0},
        {"0", "", 200, 0},
        {"2", "abc", 0, NGHTTP2_PROTOCOL_ERROR},
        {"4", "abc", 0, NGHTTP2_PROTOCOL_ERROR},
        {"0", "abc", 0, NGHTTP2_PROTOCOL_ERROR},
        {"9223372036854775808", "abc", 0, NGHTTP2_PROTOCOL_ERROR},
    };
    int broken = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char fields[256];
        snprintf(fields, sizeof(fields), ":method: POST\n" S A ":path: /echo\ncontent-length: %s\n",
                 rows[i].length);
        struct h2_call *call = h2_call_fields(&p->c, fields, rows[i].body, strlen(rows[i].body));
        h2_until_closed(&p->c, call);
        if (call->status != rows[i].status || call->code != rows[i].code)
            fail_msg("row %zu: %d, %u", i, call->status, call->code);
        broken += i >= 2 && i <= 4;
    }
    wait_closes(&p->f, broken); /* those that began */
}

static void test_limit(void **state)
{
    struct play *p = *state;
    h2_expect(&p->c, h2_call(&p->c, "POST", "/small", "0123456789", 10), 200, "0123456789");
    struct h2_call *call = h2_call(&p->c, "POST", "/small", "0123456789a", 11);
    h2_until_closed(&p->c, call);
    assert_int_equal(call->status, 413);
    call = h2_call_fields(&p->c, ":method: POST\n" S A ":path: /small\ncontent-length: 1500000\n",
                          p->data, BODY_BYTES);
    h2_until_closed(&p->c, call);
    assert_int_equal(call->status, 413);
    assert_int_equal(call->code, NGHTTP2_NO_ERROR);
    assert_true(call->sent < BODY_BYTES); /* it was told to stop */
    call = h2_call(&p->c, "POST", "/ignore", p->data, BODY_BYTES);
    h2_expect(&p->c, call, 200, "ignored");
    assert_int_equal(call->code, NGHTTP2_NO_ERROR);
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

static void test_trailers(void **state)
{
    struct play *p = *state;
    nghttp2_nv nv = {.name = (uint8_t *)(uintptr_t) "x-sum",
                     .namelen = 5,
                     .value = (uint8_t *)(uintptr_t) "abc",
                     .valuelen = 3};
    struct h2_call *call = h2_call(&p->c, "POST", "/trailer", "x", 1);
    call->holds_back = true;
    h2_flush(&p->c);
    assert_int_equal(
        nghttp2_submit_headers(p->c.session, NGHTTP2_FLAG_END_STREAM, call->id, NULL, &nv, 1, NULL),
        0);
    h2_expect(&p->c, call, 200, "x-sum=abc;");
    /* Too many of them. */
    static nghttp2_nv many[HTTP_TRAILER_COUNT_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = nv;
    call = h2_call(&p->c, "POST", "/trailer", "x", 1);
    call->holds_back = true;
    h2_flush(&p->c);
    assert_int_equal(nghttp2_submit_headers(p->c.session, NGHTTP2_FLAG_END_STREAM, call->id, NULL,
                                            many, ARRAY_LEN(many), NULL),
                     0);
    h2_until_closed(&p->c, call);
    assert_int_equal(call->status, 413);
}

static void test_expect(void **state)
{
    struct play *p = *state;
    struct h2_call *call = h2_call_fields(
        &p->c, ":method: POST\n" S A ":path: /echo\nexpect: 100-continue\n", "abc", 3);
    h2_expect(&p->c, call, 200, "abc");
    assert_int_equal(call->interim, 1);
}

/* A peer that takes nothing: what the handler may write is bounded, and the rest comes when it does. */
static void test_backpressure(void **state)
{
    struct play *p = *state;
    struct h2_client slow;
    h2_open(&slow, &p->f, 65535);
    struct h2_call *call = h2_call(&slow, "GET", "/stream", NULL, 0);
    while (call->body.len < 65535)
        h2_step(&slow);
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
    assert_true(p->f.streamed <= HTTP_WRITE_HIGH + 65535 + 50000);
    while (!call->closed) {
        assert_int_equal(
            nghttp2_session_consume(slow.session, call->id, call->body.len - call->sent), 0);
        call->sent = call->body.len;
        h2_step(&slow);
    }
    assert_int_equal(call->body.len, STREAM_BYTES);
    h2_close(&slow);
}

/* --- ends -------------------------------------------------------------------------------------- */

static void test_broken_replies(void **state)
{
    struct play *p = *state;
    struct h2_call *abort = h2_call(&p->c, "GET", "/abort", NULL, 0);
    struct h2_call *shorter = h2_call(&p->c, "GET", "/short", NULL, 0);
    struct h2_call *hello = h2_call(&p->c, "GET", "/hello", NULL, 0);
    h2_until_closed(&p->c, abort);
    h2_until_closed(&p->c, shorter);
    assert_int_equal(abort->code, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(shorter->code, NGHTTP2_INTERNAL_ERROR);
    assert_false(abort->ended || shorter->ended);
    h2_expect(&p->c, hello, 200, "hello"); /* theirs alone */
}

static void test_departures(void **state)
{
    struct play *p = *state;
    struct h2_client other;
    struct h2_call *held = h2_call(&p->c, "GET", "/hold", NULL, 0);
    h2_flush(&p->c);
    wait_requests(&p->f, 1);
    assert_int_equal(nghttp2_submit_rst_stream(p->c.session, 0, held->id, NGHTTP2_CANCEL), 0);
    h2_flush(&p->c);
    wait_closes(&p->f, 1);
    h2_open(&other, &p->f, 0);
    for (int i = 0; i < 3; i++)
        h2_call(&other, "POST", i ? "/hold" : "/slow", p->data, BODY_BYTES);
    h2_flush(&other);
    wait_requests(&p->f, 4);
    h2_close(&other);
    wait_closes(&p->f, 4);
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

static void test_drain(void **state)
{
    struct play *p = *state;
    struct h2_client idle;
    h2_open(&idle, &p->f, 0);
    h2_expect(&idle, h2_call(&idle, "GET", "/hello", NULL, 0), 200, "hello");
    struct h2_call *call = h2_call(&p->c, "POST", "/echo", "abc", 3);
    call->holds_back = true;
    h2_flush(&p->c);
    wait_requests(&p->f, 2);
    fixture_drain_begin(&p->f, 10000);
    h2_until_end(&idle);
    assert_true(idle.goaway);
    while (!p->c.goaway)
        h2_step(&p->c);
    assert_int_equal(p->c.goaway_code, NGHTTP2_NO_ERROR);
    assert_int_equal(p->c.goaway_last, call->id);
    h2_wake(&p->c, call);
    h2_expect(&p->c, call, 200, "abc");
    h2_until_end(&p->c);
    h2_close(&idle);
    client_close(&p->c.tls); /* lets the server end at once */
    fixture_drain_wait(&p->f);
}

/* --- limits of a session ----------------------------------------------------------------------- */

static void test_streams_max(void **state)
{
    struct play *p = *state;
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
    assert_int_equal(p->c.streams_max, HTTP_H2_STREAMS_MAX);
    for (int i = 0; i < HTTP_H2_STREAMS_MAX; i++)
        h2_call(&p->c, "GET", "/hold", NULL, 0);
    h2_flush(&p->c);
    wait_requests(&p->f, 1 + HTTP_H2_STREAMS_MAX);
    /* One more, which nghttp2 would hold back: GET / of authority "h". */
    static const uint8_t block[] = {0x82, 0x87, 0x84, 0x41, 0x01, 'h'};
    uint8_t frame[9 + sizeof(block)] = {0, 0, sizeof(block), NGHTTP2_HEADERS, 5};
    frame[7] = (2 * (HTTP_H2_STREAMS_MAX + 1) + 1) >> 8;
    frame[8] = (uint8_t)(2 * (HTTP_H2_STREAMS_MAX + 1) + 1);
    memcpy(frame + 9, block, sizeof(block));
    h2_raw(&p->c, frame, sizeof(frame));
    h2_until_end(&p->c);
    assert_true(p->c.goaway); /* it was told the limit */
    assert_int_equal(p->c.goaway_code, NGHTTP2_PROTOCOL_ERROR);
    wait_closes(&p->f, HTTP_H2_STREAMS_MAX);
}

/* Frames of a kind, again and again, until the server has enough of them. */
struct flood {
    const char *name;
    uint8_t frame[64];
    size_t len;
    bool on_stream; /* needs one that is open: the id is put into the frame */
    uint32_t code;
};

static const struct flood floods[] = {
    {"ping", {0, 0, 8, NGHTTP2_PING, 0}, 17, false, NGHTTP2_ENHANCE_YOUR_CALM},
    {"settings", {0, 0, 0, NGHTTP2_SETTINGS, 0}, 9, false, NGHTTP2_ENHANCE_YOUR_CALM},
    {"priority", {0, 0, 5, NGHTTP2_PRIORITY, 0, 0, 0, 0, 9}, 14, false, NGHTTP2_ENHANCE_YOUR_CALM},
    {"empty data", {0, 0, 0, NGHTTP2_DATA, 0}, 9, true, NGHTTP2_ENHANCE_YOUR_CALM},
    {"window byte by byte",
     {0, 0, 4, NGHTTP2_WINDOW_UPDATE, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     13,
     true,
     NGHTTP2_ENHANCE_YOUR_CALM},
};

static void test_floods(void **state)
{
    struct play *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
        const struct flood *row = &floods[i];
        struct h2_client c;
        uint8_t block[64 * 128];
        h2_open(&c, &p->f, 65535);
        struct h2_call *call = h2_call(&c, "POST", "/hold", "x", 1);
        call->holds_back = true;
        h2_flush(&c);
        uint8_t frame[64];
        memcpy(frame, row->frame, row->len);
        if (row->on_stream)
            frame[8] = (uint8_t)call->id;
        for (size_t k = 0; k < 128; k++)
            memcpy(block + k * row->len, frame, row->len);
        size_t sent = 0;
        while (!c.end && sent < 4 * HTTP_H2_PATIENCE_MAX) {
            h2_raw(&c, block, 128 * row->len);
            sent += 128;
            while (SSL_pending(c.tls.ssl) > 0)
                h2_step(&c);
        }
        h2_until_end(&c);
        if (!c.goaway || c.goaway_code != row->code)
            fail_msg("%s: %d, %u", row->name, c.goaway, c.goaway_code);
        h2_close(&c);
    }
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

/* Streams opened and broken off at once (CVE-2023-44487); each was a request all the same. */
static void test_rapid_reset(void **state)
{
    struct play *p = *state;
    struct h2_client c;
    h2_open(&c, &p->f, 0);
    int n = 0;
    for (; n < 1000 && !c.end; n++) {
        c.n_calls = 0;
        struct h2_call *call = h2_call(&c, "GET", "/hold", NULL, 0);
        h2_flush(&c);
        nghttp2_submit_rst_stream(c.session, 0, call->id, NGHTTP2_CANCEL);
        h2_flush(&c);
    }
    c.n_calls = 0;
    h2_until_end(&c);
    int reached = p->f.requests;
    assert_true(reached >= HTTP_H2_STREAMS_MAX); /* so many may be broken off at once */
    assert_true(reached <= HTTP_H2_PATIENCE_MAX / HTTP_H2_COST_RESET + HTTP_H2_PATIENCE_MAX / 10);
    wait_closes(&p->f, reached);
    h2_close(&c);
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

/* A block that never ends, and one that grows in the server's hands. */
static void test_blocks(void **state)
{
    struct play *p = *state;
    struct h2_client c;
    static uint8_t frame[9 + 16384];
    /* HEADERS without END_HEADERS, then CONTINUATION without end. */
    h2_open(&c, &p->f, 0);
    h2_flush(&c);
    memcpy(frame, (uint8_t[]){0, 0, 1, NGHTTP2_HEADERS, 0, 0, 0, 0, 1, 0x82}, 10);
    h2_raw(&c, frame, 10);
    memcpy(frame, (uint8_t[]){0, 0, 1, NGHTTP2_CONTINUATION, 0, 0, 0, 0, 1, 0x88}, 10);
    for (int i = 0; i < 100 && !c.end; i++)
        h2_raw(&c, frame, 10);
    h2_until_end(&c);
    h2_close(&c);
    /* A field of 4,000 bytes put into the table, then named by one byte again and again. */
    h2_open(&c, &p->f, 0);
    h2_flush(&c);
    size_t at = 9;
    memcpy(frame + at, (uint8_t[]){0x82, 0x87, 0x84, 0x40, 1, 'x', 0x7f, 0xa1, 0x1e}, 9);
    at += 9;
    memset(frame + at, 'v', 4000); /* 127 + 0x21 + 0x1e * 128 = 4,000 */
    at += 4000;
    memset(frame + at, 0xbe, 8000);
    at += 8000;
    memcpy(
        frame,
        (uint8_t[]){0, (uint8_t)((at - 9) >> 8), (uint8_t)(at - 9), NGHTTP2_HEADERS, 5, 0, 0, 0, 1},
        9);
    h2_raw(&c, frame, at);
    h2_until_end(&c);
    assert_true(c.goaway);
    assert_int_equal(c.goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
    h2_close(&c);
    assert_int_equal(p->f.requests, 0);
}

static void test_not_h2(void **state)
{
    struct play *p = *state;
    struct h2_client c;
    h2_open(&c, &p->f, 0);
    h2_raw(&c, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", 31);
    h2_until_end(&c);
    h2_close(&c);
    assert_int_equal(p->f.requests, 0);
}

/* --- time limits -------------------------------------------------------------------------------- */

static void test_slow_body(void **state)
{
    struct play *p = *state;
    struct h2_call *call = h2_call(&p->c, "POST", "/echo", "abc", 3);
    call->holds_back = true;
    h2_until_closed(&p->c, call);
    assert_int_equal(call->status, 408);
    wait_closes(&p->f, 1);
    call = h2_call(&p->c, "POST", "/ignore", "abc", 3);
    call->holds_back = true;
    h2_expect(&p->c, call, 200, "ignored"); /* and the rest is not waited for long */
}

static void test_window_starved(void **state)
{
    struct play *p = *state;
    struct h2_call *call = h2_call(&p->c, "GET", "/stream", NULL, 0);
    h2_until_closed(&p->c, call); /* nothing is given back */
    assert_int_equal(call->code, NGHTTP2_CANCEL);
    assert_int_equal(call->body.len, 70000);
    wait_closes(&p->f, 1);
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
}

static void test_half_a_head(void **state)
{
    struct play *p = *state;
    static const uint8_t frame[] = {0, 0, 1, NGHTTP2_HEADERS, 0, 0, 0, 0, 1, 0x82};
    h2_flush(&p->c);
    h2_raw(&p->c, frame, sizeof(frame));
    h2_until_end(&p->c);
    assert_int_equal(p->f.requests, 0);
}

static void test_idle(void **state)
{
    struct play *p = *state;
    h2_expect(&p->c, h2_call(&p->c, "GET", "/hello", NULL, 0), 200, "hello");
    h2_until_end(&p->c);
    assert_true(p->c.goaway);
    assert_int_equal(p->c.goaway_code, NGHTTP2_NO_ERROR);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define HASTY(test) cmocka_unit_test_setup_teardown(test, setup_hasty, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_replies),        ROW(test_large),
        ROW(test_parallel),       ROW(test_heads),
        ROW(test_head_limits),    ROW(test_lengths),
        ROW(test_limit),          ROW(test_trailers),
        ROW(test_expect),         ROW(test_backpressure),
        ROW(test_broken_replies), ROW(test_departures),
        ROW(test_drain),          ROW(test_streams_max),
        ROW(test_floods),         ROW(test_rapid_reset),
        ROW(test_blocks),         ROW(test_not_h2),
        HASTY(test_slow_body),    HASTY(test_window_starved),
        HASTY(test_half_a_head),  HASTY(test_idle),
    };
    return cmocka_run_group_tests(tests, tls_make_files, tls_remove_files);
}
