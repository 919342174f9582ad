/* aws-chunked bodies: the published example, bodies signed here, every split, and every fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/sigv4_chunk.h"
#include "auth/sigv4_int.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"

static struct sigv4_request request(enum sigv4_payload payload, int64_t length)
{
    return (struct sigv4_request){.kind = SIGV4_HEADER,
                                  .access_key = STR("AKIAIOSFODNN7EXAMPLE"),
                                  .date = STR("20130524"),
                                  .region = STR("us-east-1"),
                                  .service = STR("s3"),
                                  .scope = STR("20130524/us-east-1/s3/aws4_request"),
                                  .timestamp = STR("20130524T000000Z"),
                                  .signature = STR(SEED),
                                  .payload = payload,
                                  .decoded_length = length};
}

static enum err collect(void *arg, const void *p, size_t len)
{
    buf_add(arg, p, len);
    return buf_err(arg);
}

/* Feeds `raw` cut at `at` (and every `step` bytes after). */
static enum err decode(struct arena *a, const struct sigv4_request *req, struct str raw, size_t at,
                       size_t step, struct buf *out, struct sigv4_chunk **ret_c)
{
    TRY(sigv4_chunk_new(a, req, STR(SECRET), ret_c));
    size_t from = 0, to = min_size(at, raw.len);
    for (;;) {
        TRY(sigv4_chunk_feed(*ret_c, raw.p + from, to - from, collect, out));
        if (to == raw.len)
            break;
        from = to;
        to = min_size(to + step, raw.len);
    }
    return sigv4_chunk_finish(*ret_c);
}

/* S3 API Reference, "Signature Calculations ... Multiple Chunks", the example. */
static void test_published(void **state)
{
    struct arena a;
    arena_init(&a, 16 << 20);
    struct buf raw, out;
    buf_init_arena(&raw, &a, 1 << 20);
    buf_init_arena(&out, &a, 1 << 20);
    char *data = arena_alloc(&a, 65536);
    memset(data, 'a', 65536);
    buf_add_c(&raw,
              "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485"
              "a288648\r\n");
    buf_add(&raw, data, 65536);
    buf_add_c(&raw,
              "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a"
              "503ef5497\r\n");
    buf_add(&raw, data, 1024);
    buf_add_c(&raw,
              "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279"
              "d449df9\r\n\r\n");
    struct sigv4_request req = request(SIGV4_PAYLOAD_STREAM, 66560);
    struct sigv4_chunk *c;
    assert_int_equal(decode(&a, &req, buf_str(&raw), 1000, 777, &out, &c), ERR_OK);
    assert_int_equal(out.len, 66560);
    assert_int_equal(sigv4_chunk_decoded(c), 66560);
    /* A bit of the data flips. */
    raw.p[5000] ^= 1;
    buf_clear(&out);
    assert_int_equal(decode(&a, &req, buf_str(&raw), 1000, 777, &out, &c), ERR_DENIED);
    assert_int_equal(sigv4_chunk_finish(c), ERR_DENIED);
    arena_release(&a);
}

/* Signs as a client does. */
struct encoder {
    const struct sigv4_request *req;
    struct buf *out;
    char previous[SIGV4_HEX_LEN];
};

static void link_signature(struct encoder *e, const char *algorithm, struct str tail)
{
    char text[1024];
    int n =
        snprintf(text, sizeof(text), "%s\n" STR_FMT "\n" STR_FMT "\n%.64s\n" STR_FMT, algorithm,
                 STR_ARG(e->req->timestamp), STR_ARG(e->req->scope), e->previous, STR_ARG(tail));
    uint8_t mac[SIGV4_HASH_BYTES];
    sigv4_hmac(sigv4_signing_key(e->req->access_key, STR(SECRET), e->req->date, e->req->region,
                                 e->req->service),
               str_n(text, (size_t)n), mac);
    hex_to(e->previous, mac, sizeof(mac));
}

static void put_chunk(struct encoder *e, struct str data, bool is_signed)
{
    buf_add_fmt(e->out, "%zx", data.len);
    if (is_signed) {
        uint8_t hash[SIGV4_HASH_BYTES];
        char tail[2 * SIGV4_HEX_LEN + 1];
        memcpy(tail, sigv4_empty_sha256, SIGV4_HEX_LEN);
        tail[SIGV4_HEX_LEN] = '\n';
        sigv4_sha256(data, hash);
        hex_to(tail + SIGV4_HEX_LEN + 1, hash, sizeof(hash));
        link_signature(e, "AWS4-HMAC-SHA256-PAYLOAD", str_n(tail, sizeof(tail)));
        buf_add_fmt(e->out, ";chunk-signature=%.64s", e->previous);
    }
    buf_add_c(e->out, "\r\n");
    if (data.len > 0) {
        buf_add_str(e->out, data);
        buf_add_c(e->out, "\r\n");
    }
}

static void put_body(struct encoder *e, enum sigv4_payload payload)
{
    bool is_signed = payload != SIGV4_PAYLOAD_UNSIGNED_TRAILER;
    memcpy(e->previous, SEED, SIGV4_HEX_LEN);
    put_chunk(e, STR("hello, "), is_signed);
    put_chunk(e, STR("world\r\n0\r\n"), is_signed);
    put_chunk(e, STR(""), is_signed);
    if (payload != SIGV4_PAYLOAD_STREAM)
        buf_add_c(e->out, "X-Amz-Checksum-CRC32: sOO8/Q==\r\n");
    if (payload == SIGV4_PAYLOAD_STREAM_TRAILER) {
        uint8_t hash[SIGV4_HASH_BYTES];
        char hex[SIGV4_HEX_LEN];
        sigv4_sha256(STR("x-amz-checksum-crc32:sOO8/Q==\n"), hash);
        hex_to(hex, hash, sizeof(hash));
        link_signature(e, "AWS4-HMAC-SHA256-TRAILER", str_n(hex, sizeof(hex)));
        buf_add_fmt(e->out, "x-amz-trailer-signature:%.64s\r\n", e->previous);
    }
    buf_add_c(e->out, "\r\n");
}

static void test_every_split(void **state)
{
    static const enum sigv4_payload forms[] = {SIGV4_PAYLOAD_STREAM, SIGV4_PAYLOAD_STREAM_TRAILER,
                                               SIGV4_PAYLOAD_UNSIGNED_TRAILER};
    for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
        struct sigv4_request req = request(forms[f], 17);
        struct arena whole;
        arena_init(&whole, 1 << 20);
        struct buf raw;
        buf_init_arena(&raw, &whole, 1 << 16);
        struct encoder e = {.req = &req, .out = &raw};
        put_body(&e, forms[f]);
        for (size_t at = 0; at <= raw.len; at++) {
            for (size_t step = 1; step <= raw.len; step = step == 1 ? raw.len : raw.len + 1) {
                struct arena a;
                arena_init(&a, 1 << 20);
                struct buf out;
                struct sigv4_chunk *c;
                buf_init_arena(&out, &a, 1 << 16);
                assert_int_equal(decode(&a, &req, buf_str(&raw), at, step, &out, &c), ERR_OK);
                assert_true(str_eq_c(buf_str(&out), "hello, world\r\n0\r\n"));
                size_t n;
                const struct sigv4_header *t = sigv4_chunk_trailers(c, &n);
                assert_int_equal(n, forms[f] != SIGV4_PAYLOAD_STREAM);
                if (n > 0) {
                    assert_true(str_eq_c(t[0].name, "x-amz-checksum-crc32"));
                    assert_true(str_eq_c(t[0].value, "sOO8/Q=="));
                }
                arena_release(&a);
            }
        }
        /* Cut short anywhere, it is not a body (the last empty line aside). */
        for (size_t len = 0; len + 2 < raw.len; len++) {
            struct arena a;
            arena_init(&a, 1 << 20);
            struct buf out;
            struct sigv4_chunk *c;
            buf_init_arena(&out, &a, 1 << 16);
            enum err err = decode(&a, &req, str_n(raw.p, len), len, 1, &out, &c);
            assert_int_not_equal(err, ERR_OK);
            arena_release(&a);
        }
        arena_release(&whole);
    }
}

#define U SIGV4_PAYLOAD_UNSIGNED_TRAILER
#define S SIGV4_PAYLOAD_STREAM
#define T SIGV4_PAYLOAD_STREAM_TRAILER

static const struct {
    const char *name;
    enum sigv4_payload payload;
    int64_t length;
    const char *raw;
    enum err want;
} rows[] = {
    {"unsigned", U, 3, "3\r\nabc\r\n0\r\n\r\n", ERR_OK},
    {"unknown length", U, -1, "3\r\nabc\r\n0\r\n\r\n", ERR_OK},
    {"empty", U, 0, "0\r\n\r\n", ERR_OK},
    {"upper hex", U, 10, "A\r\n0123456789\r\n0\r\n\r\n", ERR_OK},
    {"trailer with lf", U, 1, "1\r\na\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n", ERR_OK},
    {"extension ignored when unsigned", U, 1, "1;x=y\r\na\r\n0\r\n\r\n", ERR_OK},
    {"short", U, 4, "3\r\nabc\r\n0\r\n\r\n", ERR_INVALID},
    {"long", U, 2, "3\r\nabc\r\n0\r\n\r\n", ERR_LIMIT},
    {"no size", U, 1, "\r\na\r\n0\r\n\r\n", ERR_INVALID},
    {"negative", U, 1, "-1\r\na\r\n0\r\n\r\n", ERR_INVALID},
    {"0x", U, 1, "0x1\r\na\r\n0\r\n\r\n", ERR_INVALID},
    {"huge", U, -1, "fffffffff\r\n", ERR_INVALID},
    {"over chunk limit", U, -1, "ffffffff\r\n", ERR_LIMIT},
    {"bare lf", U, 1, "1\na\r\n0\r\n\r\n", ERR_INVALID},
    {"no crlf after data", U, 1, "1\r\nab\r\n0\r\n\r\n", ERR_INVALID},
    {"after the end", U, 1, "1\r\na\r\n0\r\n\r\nx", ERR_INVALID},
    {"trailer without colon", U, 0, "0\r\nabc\r\n\r\n", ERR_INVALID},
    {"trailer without name", U, 0, "0\r\n: abc\r\n\r\n", ERR_INVALID},
    {"signature in unsigned trailer", U, 0, "0\r\nx-amz-trailer-signature:" SEED "\r\n\r\n",
     ERR_INVALID},
    {"no chunk signature", S, 1, "1\r\na\r\n0\r\n\r\n", ERR_INVALID},
    {"short chunk signature", S, 1, "1;chunk-signature=ab\r\na\r\n", ERR_INVALID},
    {"other extension", S, 1, "1;chunk-sig=" SEED "\r\na\r\n", ERR_INVALID},
    {"wrong chunk signature", S, 1, "1;chunk-signature=" SEED "\r\na\r\n", ERR_DENIED},
    {"wrong last signature", T, 0, "0;chunk-signature=" SEED "\r\n", ERR_DENIED},
    {"nothing", S, 0, "", ERR_INVALID},
};

static void test_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct sigv4_request req = request(rows[i].payload, rows[i].length);
        struct buf out;
        struct sigv4_chunk *c;
        buf_init_arena(&out, &a, 1 << 16);
        enum err e = decode(&a, &req, str_c(rows[i].raw), 1, 1, &out, &c);
        if (e != rows[i].want) {
            fprintf(stderr, "%s: %s\n", rows[i].name, err_name(e));
            fail();
        }
        arena_release(&a);
    }
}

static void test_limits(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct sigv4_request req = request(U, -1);
    struct buf raw, out;
    struct sigv4_chunk *c;
    buf_init_arena(&raw, &a, 1 << 17);
    buf_init_arena(&out, &a, 1 << 17);
    /* A size line of exactly the limit, then one more byte. */
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&raw);
        buf_add_c(&raw, "0;");
        while (raw.len < SIGV4_CHUNK_LINE_MAX - 1 + extra)
            buf_add_byte(&raw, 'x');
        buf_add_c(&raw, "\r\n\r\n");
        assert_int_equal(decode(&a, &req, buf_str(&raw), 10, 10, &out, &c),
                         extra ? ERR_LIMIT : ERR_OK);
    }
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&raw);
        buf_add_c(&raw, "0\r\n");
        for (size_t i = 0; i < SIGV4_CHUNK_TRAILERS_MAX + extra; i++)
            buf_add_fmt(&raw, "t%zu: v\r\n", i);
        buf_add_c(&raw, "\r\n");
        assert_int_equal(decode(&a, &req, buf_str(&raw), 10, 10, &out, &c),
                         extra ? ERR_LIMIT : ERR_OK);
    }
    req.payload = SIGV4_PAYLOAD_HEX;
    assert_int_equal(sigv4_chunk_new(&a, &req, STR(SECRET), &c), ERR_INVALID);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published), cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
