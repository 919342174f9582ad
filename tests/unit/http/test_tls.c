/* TLS: handshake, requests, large bodies, session ends, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "help_tls.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fixture_init(f, 2);
    f->cfg.tls_cert = cert_path;
    f->cfg.tls_key = key_path;
    f->stream_bytes = 3000000;
    fixture_start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_stop(*state);
    free(*state);
    return 0;
}

/* --- client ----------------------------------------------------------------------------------- */

/* Reads until `len` bytes or the end; the count. */
static size_t client_read(struct client *c, char *p, size_t len)
{
    size_t got = 0, n;
    while (got < len && SSL_read_ex(c->ssl, p + got, len - got, &n) == 1)
        got += n;
    return got;
}

static size_t client_read_head(struct client *c, char *p, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && client_read(c, p + n, 1) == 1) {
        p[++n] = '\0';
        if (n >= 4 && strcmp(p + n - 4, "\r\n\r\n") == 0)
            return n;
    }
    fail_msg("no whole head: %s", p);
    return 0;
}

static void client_send(struct client *c, const char *p, size_t len)
{
    size_t n;
    assert_int_equal(SSL_write_ex(c->ssl, p, len, &n), 1);
    assert_int_equal(n, len);
}

static void expect_hello(struct client *c)
{
    char head[4096], body[6] = "";
    client_read_head(c, head, sizeof(head));
    assert_memory_equal(head, "HTTP/1.1 200 OK\r\n", 17);
    assert_int_equal(client_read(c, body, 5), 5);
    assert_string_equal(body, "hello");
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_requests(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct client c;
        assert_true(client_open(&c, *state, versions[i], "\x03xyz\x08http/1.1"));
        const unsigned char *alpn;
        unsigned alpn_len;
        SSL_get0_alpn_selected(c.ssl, &alpn, &alpn_len);
        assert_true(str_eq(str_n((const char *)alpn, alpn_len), STR("http/1.1")));
        for (int round = 0; round < 3; round++) {
            client_send(&c, GET("/hello"), strlen(GET("/hello")));
            expect_hello(&c);
        }
        client_send(&c, GET("/hello") GET("/hello"), 2 * strlen(GET("/hello")));
        expect_hello(&c);
        expect_hello(&c);
        client_close(&c);
    }
}

/* One byte a record. */
static void test_split(void **state)
{
    struct client c;
    assert_true(client_open(&c, *state, TLS1_3_VERSION, NULL));
    for (size_t i = 0; i < strlen(GET("/hello")); i++)
        client_send(&c, GET("/hello") + i, 1);
    expect_hello(&c);
    client_close(&c);
}

static void test_large(void **state)
{
    enum { N = 1500000 };
    struct client c;
    char head[4096];
    char *data = malloc(N), *back = malloc(3000000);
    for (size_t i = 0; i < N; i++)
        data[i] = (char)('a' + i % 19);
    assert_true(client_open(&c, *state, TLS1_3_VERSION, NULL));
    snprintf(head, sizeof(head), "PUT /slow HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", N);
    client_send(&c, head, strlen(head));
    client_send(&c, data, N);
    client_read_head(&c, head, sizeof(head));
    assert_int_equal(client_read(&c, back, N), N);
    assert_memory_equal(back, data, N);
    client_send(&c, GET("/stream"), strlen(GET("/stream")));
    client_read_head(&c, head, sizeof(head));
    assert_int_equal(client_read(&c, back, 3000000), 3000000);
    client_send(&c, GET("/hello"), strlen(GET("/hello")));
    expect_hello(&c);
    client_close(&c);
    free(data);
    free(back);
}

/* An end without a reset, with close_notify first. */
static void test_close(void **state)
{
    struct client c;
    char byte;
    const char *text = "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    assert_true(client_open(&c, *state, TLS1_3_VERSION, NULL));
    client_send(&c, text, strlen(text));
    expect_hello(&c);
    int r = SSL_read(c.ssl, &byte, 1);
    assert_int_equal(SSL_get_error(c.ssl, r), SSL_ERROR_ZERO_RETURN);
    client_close(&c);
}

static void test_departures(void **state)
{
    struct fixture *f = *state;
    struct client c;
    assert_true(client_open(&c, f, TLS1_3_VERSION, NULL));
    client_send(&c, GET("/hold"), strlen(GET("/hold")));
    wait_requests(f, 1);
    SSL_shutdown(c.ssl); /* close_notify alone is a departure */
    wait_closes(f, 1);
    client_close(&c);
    assert_true(client_open(&c, f, TLS1_3_VERSION, NULL));
    client_send(&c, GET("/hold"), strlen(GET("/hold")));
    wait_requests(f, 2);
    client_close(&c);
    wait_closes(f, 2);
}

static void test_refused(void **state)
{
    struct client c;
    assert_false(client_open(&c, *state, TLS1_1_VERSION, NULL));
    client_close(&c);
    assert_false(client_open(&c, *state, TLS1_3_VERSION, "\x03h2c\x03xyz"));
    client_close(&c);
    /* Plain HTTP on a TLS port: an alert or nothing, and the end. */
    char text[256];
    int fd = dial(*state);
    send_text(fd, GET("/hello"));
    size_t n = read_up_to(fd, text, sizeof(text) - 1);
    text[n] = '\0';
    assert_null(strstr(text, "hello"));
    close(fd);
    assert_int_equal(((struct fixture *)*state)->requests, 0);
}

static void test_bad_files(void **state)
{
    const struct {
        const char *cert, *key;
        const char *why;
    } rows[] = {
        {key_path, key_path, "cannot use the TLS certificate"},
        {cert_path, cert_path, "cannot use the TLS key"},
        {cert_path, NULL, "a certificate needs its key"},
        {cert_path, other_key_path, "TLS key"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_server_config cfg = f->cfg;
        struct http_server *server;
        char why[256];
        cfg.tls_cert = rows[i].cert;
        cfg.tls_key = rows[i].key;
        assert_int_equal(http_server_new(&cfg, &server, why, sizeof(why)), ERR_INVALID);
        if (!strstr(why, rows[i].why))
            fail_msg("%s", why);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_requests),   ROW(test_split),   ROW(test_large),     ROW(test_close),
        ROW(test_departures), ROW(test_refused), ROW(test_bad_files),
    };
    return cmocka_run_group_tests(tests, tls_make_files, tls_remove_files);
}
