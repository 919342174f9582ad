/* Starting, limits of the whole server, time limits, draining. */
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
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

#include "base/mem.h"
#include "help_server.h"

static char head[8192];
static char body[65536];
static size_t body_len;

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static int reply(int fd)
{
    return read_reply(fd, head, sizeof(head), body, sizeof(body), &body_len);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fixture_init(f, 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->server)
        fixture_stop(f);
    free(f);
    return 0;
}

/* --- starting --------------------------------------------------------------------------------- */

static void test_busy_port(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    struct http_server_config cfg = f->cfg;
    struct http_server *second;
    char why[256], want[64];
    cfg.port = http_server_port(f->server);
    assert_int_equal(http_server_new(&cfg, &second, why, sizeof(why)), ERR_EXISTS);
    snprintf(want, sizeof(want), "port %u on 127.0.0.1 is in use", cfg.port);
    if (!strstr(why, want))
        fail_msg("%s", why);
}

static void test_bad_configuration(void **state)
{
    static const struct {
        const char *host, *cert, *key;
        enum err err;
        const char *why;
    } rows[] = {
        {"localhost", NULL, NULL, ERR_INVALID, "\"localhost\" is not a numeric address"},
        {"", NULL, NULL, ERR_INVALID, "\"\" is not a numeric address"},
        {"1.2.3", NULL, NULL, ERR_INVALID, "not a numeric address"},
        {"192.0.2.1", NULL, NULL, ERR_INVALID, "192.0.2.1 is not an address of this machine"},
        {"127.0.0.1", "/nonexistent/c.pem", "/nonexistent/k.pem", ERR_INVALID,
         "cannot use the TLS certificate /nonexistent/c.pem"},
    };
    struct fixture *f = *state;
    fixture_start(f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_server_config cfg = f->cfg;
        struct http_server *server;
        char why[256];
        cfg.host = rows[i].host;
        cfg.tls_cert = rows[i].cert;
        cfg.tls_key = rows[i].key;
        assert_int_equal(http_server_new(&cfg, &server, why, sizeof(why)), rows[i].err);
        if (!strstr(why, rows[i].why))
            fail_msg("%s", why);
    }
}

static void test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    for (uint64_t n = 1;; n++) {
        struct http_server_config cfg = f->cfg;
        struct http_server *server;
        char why[256];
        cfg.port = 0;
        mem_fail_after(n);
        enum err err = http_server_new(&cfg, &server, why, sizeof(why));
        mem_fail_after(0);
        if (err == ERR_OK) {
            struct fixture second = {.server = server};
            pthread_mutex_init(&second.lock, NULL);
            pthread_cond_init(&second.changed, NULL);
            fixture_drain(&second, 0);
            http_server_free(server);
            assert_true(n > 1);
            return;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_string_equal(why, "out of memory");
    }
}

/* A server that is given up before its loops ever ran. */
static void test_free_without_running(void **state)
{
    struct fixture *f = *state;
    struct io_loop *loop;
    struct http_server *server;
    char why[256];
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    f->cfg.loops = &loop;
    f->cfg.n_loops = 1;
    assert_int_equal(http_server_new(&f->cfg, &server, why, sizeof(why)), ERR_OK);
    assert_true(http_server_port(server) > 0);
    http_server_free(server);
    io_loop_free(loop);
}

/* Connections that are open when the loops were stopped without a drain. */
static void test_free_without_drain(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    int fd = dial(f);
    send_text(fd, GET("/hold"));
    wait_requests(f, 1);
    io_loop_stop(f->loops[0]);
    io_loop_join(f->loops[0]);
    http_server_free(f->server);
    io_loop_free(f->loops[0]);
    assert_int_equal(atomic_load(&f->closes), 1);
    assert_true(at_end(fd));
    close(fd);
    f->server = NULL;
}

static void test_ipv6(void **state)
{
    struct fixture *f = *state;
    f->cfg.host = "::1";
    char why[256];
    struct io_loop *loop;
    struct http_server *server;
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    f->cfg.loops = &loop;
    f->cfg.n_loops = 1;
    enum err err = http_server_new(&f->cfg, &server, why, sizeof(why));
    if (err == ERR_OK)
        http_server_free(server);
    else if (!strstr(why, "not an address of this machine") && !strstr(why, "cannot listen"))
        fail_msg("%s", why); /* a host without IPv6 is allowed to say so */
    io_loop_free(loop);
}

/* --- connections that somebody else accepted -------------------------------------------------- */

struct adoption {
    struct io_task task;
    struct fixture *f;
    int fd;
    _Atomic int done;
};

static void adopt_task(struct io_task *task)
{
    struct adoption *a = CONTAINER_OF(task, struct adoption, task);
    http_server_adopt(a->f->server, a->fd, NULL, 7);
    atomic_store(&a->done, 1);
}

/* A connection by a listener of its own, given to the server; the client's end. */
static int adopted(struct fixture *f)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    struct adoption a = {.task.fn = adopt_task, .f = f};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    a.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(a.fd >= 0);
    close(listener);
    io_post(f->loops[0], &a.task);
    while (!atomic_load(&a.done))
        sched_yield();
    return fd;
}

/* They have half of the room, however much of it is free, and it comes back. */
static void test_adopted_share(void **state)
{
    struct fixture *f = *state;
    enum { CAP = 6 };
    int fds[CAP / 2];
    f->cfg.connections_max = CAP;
    fixture_start(f);
    for (int i = 0; i < CAP / 2; i++) {
        fds[i] = adopted(f);
        send_text(fds[i], GET("/hello"));
        assert_int_equal(reply(fds[i]), 200);
    }
    int over = adopted(f);
    assert_true(at_end(over));
    close(over);
    int listened = dial(f);
    send_text(listened, GET("/hello"));
    assert_int_equal(reply(listened), 200);
    send_text(fds[0], "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_int_equal(reply(fds[0]), 200);
    assert_true(at_end(fds[0]));
    close(fds[0]);
    while (http_server_connections(f->server) != CAP / 2)
        sched_yield();
    fds[0] = adopted(f);
    send_text(fds[0], GET("/hello"));
    assert_int_equal(reply(fds[0]), 200);
    close(listened);
    for (int i = 0; i < CAP / 2; i++)
        close(fds[i]);
}

/* --- connection cap --------------------------------------------------------------------------- */

static void test_connection_cap(void **state)
{
    struct fixture *f = *state;
    enum { CAP = 5 };
    int fds[CAP];
    f->cfg.connections_max = CAP;
    fixture_start(f);
    for (int i = 0; i < CAP; i++) {
        fds[i] = dial(f);
        send_text(fds[i], GET("/hello"));
        assert_int_equal(reply(fds[i]), 200);
    }
    assert_int_equal(http_server_connections(f->server), CAP);
    int over = dial(f);
    assert_int_equal(reply(over), 503);
    assert_string_equal(body, "too many connections\n");
    assert_true(at_end(over));
    close(over);
    /* Room again once one has left; its departure is seen when the server answers. */
    close(fds[0]);
    for (int status = 0; status != 200;) {
        fds[0] = dial(f);
        send_text(fds[0], GET("/hello"));
        status = reply(fds[0]);
        if (status != 200)
            close(fds[0]);
    }
    for (int i = 0; i < CAP; i++)
        close(fds[i]);
}

/* --- time limits ------------------------------------------------------------------------------ */

static void test_timeouts(void **state)
{
    static const struct {
        const char *name;
        const char *send;
        int status; /* 0: closed without a word */
        int closes; /* on_close calls */
    } rows[] = {
        {"nothing is sent", "", 0, 0},
        {"half a request line", "GET /he", 408, 0},
        {"half a head", "GET /hello HTTP/1.1\r\nHost: h\r\n", 408, 0},
        {"half a body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 408, 1},
        {"half a chunk",
         "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na", 408, 1},
        {"a promised body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", 408, 1},
        {"half a body that is drained",
         "POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 200, 0},
        {"idle after a reply", GET("/hello"), 200, 0},
    };
    struct fixture *f = *state;
    f->cfg.head_timeout_ms = f->cfg.body_timeout_ms = f->cfg.idle_timeout_ms = 40;
    fixture_start(f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int before = atomic_load(&f->closes);
        int fd = dial(f);
        send_text(fd, rows[i].send);
        int status = reply(fd);
        if (status != rows[i].status)
            fail_msg("%s: %d", rows[i].name, status);
        if (!at_end(fd))
            fail_msg("%s: more came", rows[i].name);
        assert_int_equal(atomic_load(&f->closes) - before, rows[i].closes);
        close(fd);
    }
}

/* The handler may take its time: a pending request has no time limit of http's. */
static void test_no_timeout_while_handled(void **state)
{
    struct fixture *f = *state;
    f->cfg.head_timeout_ms = f->cfg.body_timeout_ms = f->cfg.idle_timeout_ms = 20;
    fixture_start(f);
    int held = dial(f);
    send_text(held, GET("/hold"));
    wait_requests(f, 1);
    /* Others time out meanwhile. */
    for (int i = 0; i < 3; i++) {
        int fd = dial(f);
        assert_int_equal(reply(fd), 0);
        close(fd);
    }
    assert_int_equal(atomic_load(&f->closes), 0);
    close(held);
    wait_closes(f, 1);
}

static void test_write_timeout(void **state)
{
    struct fixture *f = *state;
    f->cfg.write_timeout_ms = 40;
    f->stream_bytes = 64 * 1024 * 1024;
    fixture_start(f);
    int fd = dial(f);
    send_text(fd, GET("/stream"));
    wait_closes(f, 1); /* we do not read */
    close(fd);
}

/* Progress alone is not enough: a byte now and then would hold a request for ever. */
static void test_trickling_body(void **state)
{
    struct fixture *f = *state;
    f->cfg.body_timeout_ms = 100;
    fixture_start(f);
    int fd = dial(f);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (int i = 0; poll(&p, 1, 5) == 0; i++) {
        if (i == 2000)
            fail_msg("a trickling body is read for ever");
        send_text(fd, "x");
    }
    assert_int_equal(reply(fd), 408);
    wait_closes(f, 1);
    close(fd);
}

/* All readers that do not read have one bound together, and one of them goes. */
static void test_output_bound(void **state)
{
    struct fixture *f = *state;
    f->cfg.output_max = 3 * HTTP_WRITE_HIGH / 2;
    f->stream_bytes = 64 * 1024 * 1024;
    fixture_start(f);
    int fds[2], whole = 0;
    for (int i = 0; i < 2; i++) {
        fds[i] = dial(f);
        send_text(fds[i], GET("/stream"));
    }
    wait_closes(f, 1);
    for (int i = 0; i < 2; i++) {
        uint64_t got = 0;
        for (size_t n = 1; n > 0 && got < f->stream_bytes; got += n)
            n = read_up_to(fds[i], body, sizeof(body));
        whole += got >= f->stream_bytes;
        close(fds[i]);
    }
    assert_int_equal(whole, 1);
    assert_int_equal(atomic_load(&f->closes), 1);
}

/* Whom nobody knows gives way, oldest first, when it stalls; who is known, or is being answered,
 * does not. */
static void test_strangers(void **state)
{
    struct fixture *f = *state;
    enum { MAX = 4 };
    int fds[MAX];
    f->cfg.connections_max = 100;
    f->cfg.strangers_max = MAX;
    fixture_start(f);
    int known = dial(f);
    send_text(known, GET("/known"));
    assert_int_equal(reply(known), 200);
    fds[0] = dial(f);
    send_text(fds[0], GET("/hold"));
    wait_requests(f, 2);
    fds[1] = dial(f);
    send_text(fds[1], "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    wait_requests(f, 3);
    fds[2] = dial(f);
    send_text(fds[2], GET("/hello"));
    assert_int_equal(reply(fds[2]), 200);
    fds[3] = dial(f);
    send_text(fds[3], GET("/hello"));
    assert_int_equal(reply(fds[3]), 200);
    for (int i = 0; i < 3; i++) { /* the stalled body, then the idle ones */
        int fd = dial(f);
        send_text(fd, GET("/hello"));
        assert_int_equal(reply(fd), 200);
        assert_true(at_end(fds[i + 1]));
        close(fds[i + 1]);
        fds[i + 1] = fd;
    }
    wait_closes(f, 1); /* the stalled one's */
    send_text(known, GET("/hello"));
    assert_int_equal(reply(known), 200);
    assert_int_equal(atomic_load(&f->closes), 1); /* the held one still is */
    for (int i = 0; i < MAX; i++)
        close(fds[i]);
    close(known);
}

/* However many come at once, each finds a place: the one that gives way leaves it at once. */
static void test_burst_of_strangers(void **state)
{
    struct fixture *f = *state;
    enum { MAX = 40, SPARE = 4, BURST = 200 };
    int fds[BURST];
    f->cfg.connections_max = MAX;
    f->cfg.strangers_max = MAX - SPARE;
    fixture_start(f);
    for (int i = 0; i < BURST; i++)
        fds[i] = dial(f);
    int fd = dial(f);
    send_text(fd, GET("/hello"));
    assert_int_equal(reply(fd), 200);
    close(fd);
    for (int i = 0; i < BURST; i++) {
        char got;
        assert_true(recv(fds[i], &got, 1, MSG_DONTWAIT) <= 0); /* nobody was told of too many */
        close(fds[i]);
    }
}

/* --- draining --------------------------------------------------------------------------------- */

static void test_drain(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    int idle = dial(f), busy = dial(f), half = dial(f);
    send_text(idle, GET("/hello"));
    assert_int_equal(reply(idle), 200);
    send_text(half, "GET /hel");
    send_text(busy, "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
    wait_requests(f, 2);
    fixture_drain_begin(f, 60000);
    assert_true(at_end(idle));
    assert_true(at_end(half));
    send_text(busy, "abc"); /* a running request may still end */
    assert_int_equal(reply(busy), 200);
    assert_string_equal(body, "abc");
    assert_true(at_end(busy));
    fixture_drain_wait(f);
    assert_int_equal(atomic_load(&f->closes), 0);
    close(idle);
    close(half);
    close(busy);
}

static void test_drain_tells_close(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    int fd = dial(f), idle = dial(f);
    send_text(idle, GET("/hello"));
    assert_int_equal(reply(idle), 200);
    send_text(fd, "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab");
    wait_requests(f, 2);
    fixture_drain_begin(f, 60000);
    assert_true(at_end(idle)); /* it has begun */
    send_text(fd, "c" GET("/hello"));
    assert_int_equal(reply(fd), 200);
    assert_non_null(strstr(head, "Connection: close\r\n"));
    shutdown(fd, SHUT_WR);
    assert_true(at_end(fd)); /* the pipelined one is not served */
    fixture_drain_wait(f);
    close(fd);
    close(idle);
}

static void test_drain_grace(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    int fd = dial(f);
    send_text(fd, GET("/hold"));
    wait_requests(f, 1);
    fixture_drain(f, 20);
    assert_int_equal(atomic_load(&f->closes), 1);
    assert_true(at_end(fd));
    close(fd);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_busy_port),          ROW(test_bad_configuration),
        ROW(test_out_of_memory),      ROW(test_free_without_running),
        ROW(test_free_without_drain), ROW(test_ipv6),
        ROW(test_adopted_share),      ROW(test_connection_cap),
        ROW(test_timeouts),           ROW(test_no_timeout_while_handled),
        ROW(test_write_timeout),      ROW(test_trickling_body),
        ROW(test_output_bound),       ROW(test_strangers),
        ROW(test_burst_of_strangers), ROW(test_drain),
        ROW(test_drain_tells_close),  ROW(test_drain_grace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
