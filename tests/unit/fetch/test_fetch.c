/* fetch.h against a plain server on loopback: answers, streaming both ways, limits, refusals, cancelling. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetch/fetch.h"

/* --- the server: one request a connection, answered by its path ---------------------------------- */

static struct {
    int fd, port;
    pthread_t thread;
    char request[256 * 1024]; /* the newest */
    size_t n;
} server;

/* Reads head and body, the latter to its Content-Length or last chunk. */
static void read_request(int c)
{
    server.n = 0;
    for (;;) {
        ssize_t got = read(c, server.request + server.n, sizeof(server.request) - 1 - server.n);
        if (got <= 0)
            return;
        server.n += (size_t)got;
        server.request[server.n] = '\0';
        char *end = strstr(server.request, "\r\n\r\n");
        if (!end)
            continue;
        char *length = strcasestr(server.request, "\r\ncontent-length: ");
        size_t body = (size_t)(server.request + server.n - (end + 4));
        if (strcasestr(server.request, "\r\ntransfer-encoding: chunked")
                ? strstr(end + 4, "0\r\n\r\n") != NULL
                : body >= (length ? strtoul(length + 18, NULL, 10) : 0))
            return;
    }
}

static void send_text(int c, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t sent = send(c, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        n -= (size_t)sent;
    }
}

static void answer(int c)
{
    static char big[70000];
    if (strstr(server.request, " /big ")) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 69999\r\nConnection: close\r\n\r\n");
        memset(big, 'x', sizeof(big) - 1);
        send_text(c, big);
    } else if (strstr(server.request, " /moved ")) {
        send_text(c, "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n");
    } else if (strstr(server.request, " /cut ")) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    } else if (strstr(server.request, " /hang ")) {
        char byte;
        (void)!read(c, &byte, 1); /* until the client leaves */
    } else if (strstr(server.request, " /many ")) {
        send_text(c, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i <= FETCH_HEADERS_MAX; i++)
            send_text(c, "X-A: 1\r\n");
        send_text(c, "Content-Length: 0\r\n\r\n");
    } else {
        send_text(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nX-Two:  b \r\n"
                     "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
    }
}

static void *serve(void *arg)
{
    for (;;) {
        int c = accept(server.fd, NULL, NULL);
        if (c < 0)
            return NULL;
        read_request(c);
        if (server.n > 0)
            answer(c);
        close(c);
    }
}

static int start_server(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.fd, (struct sockaddr *)&a, len) != 0 || listen(server.fd, 16) != 0 ||
        getsockname(server.fd, (struct sockaddr *)&a, &len) != 0)
        return -1;
    server.port = ntohs(a.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    return close(server.fd);
}

/* --- one request ------------------------------------------------------------------------------------ */

struct run {
    struct io_loop *loop;
    struct fetch *f;
    struct fetch_op *op;
    struct io_timer timer;
    int status, dones, pauses;
    bool starting, abort_head, abort_data, pause_once, cancel_in_data;
    enum err err;
    char header[64], body[1 << 17], why[256];
    size_t body_n, to_send;
};

static enum fetch_flow on_head(void *arg, int status, const struct fetch_header *h, size_t n)
{
    struct run *r = arg;
    assert_false(r->starting);
    r->status = status;
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(h[i].name, STR("x-two")))
            snprintf(r->header, sizeof(r->header), "%.*s", STR_ARG(h[i].value));
    return r->abort_head ? FETCH_ABORT : FETCH_GO;
}

static void on_later(struct io_timer *t)
{
    struct run *r = t->arg;
    if (r->cancel_in_data)
        io_loop_stop(r->loop);
    else
        fetch_resume(r->op);
}

static enum fetch_flow on_piece(void *arg, struct str piece)
{
    struct run *r = arg;
    if (r->cancel_in_data) {
        fetch_cancel(r->op);
        assert_int_equal(io_timer_start(&r->timer, 20), ERR_OK);
        return FETCH_GO;
    }
    if (r->pause_once && r->pauses++ == 0) {
        assert_int_equal(io_timer_start(&r->timer, 5), ERR_OK);
        return FETCH_PAUSE;
    }
    assert_true(r->body_n + piece.len <= sizeof(r->body));
    memcpy(r->body + r->body_n, piece.p, piece.len);
    r->body_n += piece.len;
    return r->abort_data ? FETCH_ABORT : FETCH_GO;
}

static enum fetch_flow on_read(void *arg, char *p, size_t cap, size_t *ret_n)
{
    struct run *r = arg;
    if (r->pauses++ == 1) {
        assert_int_equal(io_timer_start(&r->timer, 5), ERR_OK);
        return FETCH_PAUSE;
    }
    *ret_n = min_size(min_size(cap, 1000), r->to_send);
    memset(p, 'u', *ret_n);
    r->to_send -= *ret_n;
    return FETCH_GO;
}

static void on_done(void *arg, enum err e, struct str why)
{
    struct run *r = arg;
    assert_false(r->starting);
    r->err = e;
    r->dones++;
    snprintf(r->why, sizeof(r->why), "%.*s", STR_ARG(why));
    io_loop_stop(r->loop);
}

/* Runs `call` to its end; what start says when that is not ERR_OK. */
static enum err run(struct run *r, struct fetch_call call, const char *path, bool loopback)
{
    char url[200];
    struct fetch_config cfg = {.allow_loopback = loopback, .requests_max = 2};
    if (!call.url.p) {
        snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
        call.url = str_c(url);
    }
    if (!call.method.p)
        call.method = STR("GET");
    call.head = on_head;
    call.data = on_piece;
    call.done = on_done;
    call.arg = r;
    assert_int_equal(io_loop_new(0, &r->loop), ERR_OK);
    cfg.loop = r->loop;
    io_timer_init(&r->timer, r->loop, on_later, r);
    assert_int_equal(fetch_new(&cfg, &r->f), ERR_OK);
    r->starting = true;
    enum err e = fetch_start(r->f, &call, &r->op);
    r->starting = false;
    if (e == ERR_OK)
        io_loop_run(r->loop);
    fetch_free(r->f);
    io_loop_free(r->loop);
    return e;
}

static struct run *fresh(void)
{
    static struct run r;
    memset(&r, 0, sizeof(r));
    return &r;
}

static void test_get(void **state)
{
    struct run *r = fresh();
    struct fetch_header h[] = {{STR_INIT("X-One"), STR_INIT("a b")},
                               {STR_INIT("X-Empty"), STR_INIT("")}};
    assert_int_equal(run(r, (struct fetch_call){.headers = h, .headers_n = 2}, "/hello", true),
                     ERR_OK);
    assert_int_equal(r->err, ERR_OK);
    assert_int_equal(r->dones, 1);
    assert_int_equal(r->status, 201);
    assert_string_equal(r->header, "b");
    assert_int_equal(r->body_n, 5);
    assert_memory_equal(r->body, "hello", 5);
    assert_non_null(strstr(server.request, "GET /hello HTTP/1.1\r\n"));
    assert_non_null(strstr(server.request, "\r\nX-One: a b\r\n"));
    assert_non_null(strstr(server.request, "\r\nX-Empty:\r\n"));
    assert_null(strstr(server.request, "Accept"));
}

static void test_bodies(void **state)
{
    struct run *r = fresh();
    struct fetch_header type = {STR_INIT("Content-Type"), STR_INIT("text/plain")};
    struct fetch_call put = {
        .method = STR("PUT"), .body = STR("abc"), .headers = &type, .headers_n = 1};
    assert_int_equal(run(r, put, "/x", true), ERR_OK);
    assert_int_equal(r->err, ERR_OK);
    assert_non_null(strstr(server.request, "PUT /x "));
    assert_non_null(strstr(server.request, "Content-Type: text/plain\r\n"));
    assert_non_null(strstr(server.request, "\r\n\r\nabc"));
    for (int chunked = 0; chunked <= 1; chunked++) { /* with a pause in the middle */
        r = fresh();
        r->to_send = 5000;
        struct fetch_call post = {.method = STR("POST"), .read = on_read};
        post.body_bytes = chunked ? -1 : 5000;
        assert_int_equal(run(r, post, "/x", true), ERR_OK);
        assert_int_equal(r->err, ERR_OK);
        assert_int_equal(r->to_send, 0);
        assert_true(server.n > 5000);
        assert_true(chunked == (strstr(server.request, "chunked") != NULL));
    }
}

static void test_streaming_in(void **state)
{
    struct run *r = fresh();
    r->pause_once = true;
    assert_int_equal(run(r, (struct fetch_call){0}, "/big", true), ERR_OK);
    assert_int_equal(r->err, ERR_OK);
    assert_int_equal(r->body_n, 69999);
    r = fresh();
    r->abort_data = true;
    assert_int_equal(run(r, (struct fetch_call){0}, "/big", true), ERR_OK);
    assert_int_equal(r->err, ERR_FAILED);
    r = fresh();
    r->abort_head = true;
    assert_int_equal(run(r, (struct fetch_call){0}, "/big", true), ERR_OK);
    assert_int_equal(r->err, ERR_FAILED);
    assert_int_equal(r->body_n, 0);
}

static void test_failures(void **state)
{
    struct run *r = fresh();
    assert_int_equal(run(r, (struct fetch_call){.response_bytes_max = 69998}, "/big", true),
                     ERR_OK);
    assert_int_equal(r->err, ERR_LIMIT);
    r = fresh();
    assert_int_equal(run(r, (struct fetch_call){.response_bytes_max = 69999}, "/big", true),
                     ERR_OK);
    assert_int_equal(r->err, ERR_OK);
    r = fresh();
    assert_int_equal(run(r, (struct fetch_call){0}, "/many", true), ERR_OK);
    assert_int_equal(r->err, ERR_LIMIT);
    r = fresh();
    assert_int_equal(run(r, (struct fetch_call){0}, "/cut", true), ERR_OK);
    assert_int_equal(r->err, ERR_CLOSED);
    r = fresh();
    assert_int_equal(run(r, (struct fetch_call){.timeout_ms = 100}, "/hang", true), ERR_OK);
    assert_int_equal(r->err, ERR_TIMEOUT);
    r = fresh(); /* an answer like others */
    assert_int_equal(run(r, (struct fetch_call){0}, "/moved", true), ERR_OK);
    assert_int_equal(r->err, ERR_OK);
    assert_int_equal(r->status, 302);
    r = fresh();
    assert_int_equal(run(r, (struct fetch_call){0}, "/hello", false), ERR_OK);
    assert_int_equal(r->err, ERR_DENIED);
    assert_int_equal(r->dones, 1);
    r = fresh();
    assert_int_equal(
        run(r, (struct fetch_call){.url = STR("http://169.254.169.254/latest")}, "", true), ERR_OK);
    assert_int_equal(r->err, ERR_DENIED);
    r = fresh();
    assert_int_equal(run(r, (struct fetch_call){.url = STR("http://[fe80::1]/")}, "", true),
                     ERR_OK);
    assert_int_equal(r->err, ERR_DENIED);
}

static void test_cancel(void **state)
{
    struct run *r = fresh();
    r->cancel_in_data = true;
    assert_int_equal(run(r, (struct fetch_call){0}, "/big", true), ERR_OK);
    assert_int_equal(r->dones, 0);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *method, *url, *name, *value;
        enum err err;
    } rows[] = {
        {"GET", "ftp://127.0.0.1/", "a", "b", ERR_INVALID},
        {"GET", "file:///etc/passwd", "a", "b", ERR_INVALID},
        {"GET", "127.0.0.1", "a", "b", ERR_INVALID},
        {"GET", "http://127.0.0.1/ x", "a", "b", ERR_INVALID},
        {"GET", "http://127.0.0.1/\r\nX: y", "a", "b", ERR_INVALID},
        {"GET\r\nX: y", "http://127.0.0.1/", "a", "b", ERR_INVALID},
        {"", "http://127.0.0.1/", "a", "b", ERR_INVALID},
        {"GET", "http://127.0.0.1/", "a", "b\r\nX: y", ERR_INVALID},
        {"GET", "http://127.0.0.1/", "a", "b\n", ERR_INVALID},
        {"GET", "http://127.0.0.1/", "a: x", "b", ERR_INVALID},
        {"GET", "http://127.0.0.1/", "", "b", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run *r = fresh();
        struct fetch_header h = {str_c(rows[i].name), str_c(rows[i].value)};
        struct fetch_call c = {.method = str_c(rows[i].method), .url = str_c(rows[i].url)};
        c.headers = &h;
        c.headers_n = 1;
        if (run(r, c, "", true) != rows[i].err || r->dones)
            fail_msg("row %zu", i);
    }
}

static void test_addresses(void **state)
{
    static const struct {
        const char *ip;
        bool denied, denied_with_loopback;
    } rows[] = {
        {"1.2.3.4", false, false},
        {"10.0.0.1", false, false},
        {"127.0.0.1", true, false},
        {"127.255.0.1", true, false},
        {"0.0.0.0", true, true},
        {"169.254.169.254", true, true},
        {"224.0.0.1", true, true},
        {"255.255.255.255", true, true},
        {"::1", true, false},
        {"::", true, true},
        {"::ffff:127.0.0.1", true, false},
        {"::ffff:169.254.169.254", true, true},
        {"64:ff9b::a9fe:a9fe", true, true},
        {"::169.254.1.1", true, true},
        {"fe80::1", true, true},
        {"ff02::1", true, true},
        {"fd00:ec2::254", true, true},
        {"fd00::1", false, false},
        {"2001:db8::1", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        const struct sockaddr *a = (const struct sockaddr *)&v6;
        if (inet_pton(AF_INET, rows[i].ip, &v4.sin_addr) == 1)
            a = (const struct sockaddr *)&v4;
        else
            assert_int_equal(inet_pton(AF_INET6, rows[i].ip, &v6.sin6_addr), 1);
        if (fetch_is_denied(a, false) != rows[i].denied ||
            fetch_is_denied(a, true) != rows[i].denied_with_loopback)
            fail_msg("%s", rows[i].ip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),          cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_streaming_in), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_cancel),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
