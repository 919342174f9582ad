/* Live connections over loopback: keeping, pipelining, bodies, back-pressure, ends. */
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

enum { BODY_MAX = 4 * 1024 * 1024 };
static char head[8192];
static char body[BODY_MAX + 1];
static size_t body_len;

static int reply(int fd)
{
    return read_reply(fd, head, sizeof(head), body, sizeof(body), &body_len);
}

static void expect(int fd, int status, const char *text)
{
    assert_int_equal(reply(fd), status);
    assert_string_equal(body, text);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fixture_init(f, 2);
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

/* --- exchanges: what is sent, whole and in two parts at every byte, and what must come -------- */

struct exchange {
    const char *name;
    const char *send;
    const char *replies[4]; /* "status body" */
    bool closes;
};

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n"

static const struct exchange exchanges[] = {
    {"get", GET("/hello") "\r\n", {"200 hello"}, false},
    {"empty line first", "\r\n" GET("/hello") "\r\n", {"200 hello"}, false},
    {"absolute form", "GET http://h/hello?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", {"200 hello"}, false},
    {"pipelined", GET("/hello") "\r\n" GET("/hello") "\r\n", {"200 hello", "200 hello"}, false},
    {"pipelined behind a late reply",
     GET("/late") "\r\n" GET("/hello") "\r\n",
     {"200 late", "200 hello"},
     false},
    {"pipelined bodies",
     "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" GET(
         "/hello") "\r\n",
     {"200 abc", "200 de", "200 hello"},
     false},
    {"empty body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", {"200 "}, false},
    {"no body asked for", GET("/echo") "\r\n", {"200 "}, false},
    {"chunks",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n1;x=\"y\"\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\n",
     {"200 hello 0123456789"},
     false},
    {"trailers",
     "POST /trailer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1\r\nx\r\n0\r\nx-sum:  abc \r\nB: c\r\n\r\n",
     {"200 x-sum=abc;B=c;"},
     false},
    {"paused body",
     "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world" GET("/hello") "\r\n",
     {"200 hello world", "200 hello"},
     false},
    {"paused chunks",
     "POST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n" GET("/hello") "\r\n",
     {"200 abc", "200 hello"},
     false},
    {"unread body is drained",
     "POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde" GET("/hello") "\r\n",
     {"200 ignored", "200 hello"},
     false},
    {"unread chunks are drained",
     "POST /ignore HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n0\r\n\r\n" GET("/hello") "\r\n",
     {"200 ignored", "200 hello"},
     false},
    {"early reply",
     "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabcdefghi" GET("/hello") "\r\n",
     {"200 early", "200 hello"},
     false},
    {"status without a body",
     GET("/none") "\r\n" GET("/hello") "\r\n",
     {"204 ", "200 hello"},
     false},
    {"close asked for", GET("/hello") "Connection: x, Close\r\n\r\n", {"200 hello"}, true},
    {"1.0 closes", "GET /hello HTTP/1.0\r\n\r\n", {"200 hello"}, true},
    {"1.0 keep-alive is not kept",
     "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     {"200 hello"},
     true},
    {"body limit by length",
     "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890",
     {"413 limit"},
     true},
    {"body at its limit",
     "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789",
     {"200 0123456789"},
     false},
    {"body limit by chunks",
     "POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "8\r\n01234567\r\n3\r\n890\r\n0\r\n\r\n",
     {"413 limit"},
     true},
    {"chunk size is not hex",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
     {"400 invalid"},
     true},
    {"chunk without its CRLF",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naGET /hello",
     {"400 invalid"},
     true},
    {"trailer that is no field",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n",
     {"400 invalid"},
     true},
    {"malformed chunk that nobody reads",
     "POST /ignore HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n" GET(
         "/hello") "\r\n",
     {"200 ignored"},
     true},
    {"two lengths",
     "GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
     {"400 Bad Request\n"},
     true},
    {"bare LF", "GET /hello HTTP/1.1\nHost: h\n\n", {"400 Bad Request\n"}, true},
    {"good, then malformed",
     GET("/hello") "\r\n"
                   "GET /hello\r\n\r\n" GET("/hello") "\r\n",
     {"200 hello", "400 Bad Request\n"},
     true},
    {"unknown expectation",
     GET("/hello") "Expect: tea\r\n\r\n",
     {"417 Expectation Failed\n"},
     true},
    {"unknown coding",
     GET("/hello") "Transfer-Encoding: gzip\r\n\r\n",
     {"501 Not Implemented\n"},
     true},
    {"version 2",
     "GET /hello HTTP/2.0\r\nHost: h\r\n\r\n",
     {"505 HTTP Version Not Supported\n"},
     true},
    {"TLS hello on a plain port", "\x16\x03\x01\x02\x01", {"400 Bad Request\n"}, true},
};

static void check_exchange(const struct fixture *f, const struct exchange *e, size_t split)
{
    int fd = dial(f);
    size_t len = strlen(e->send);
    send_all(fd, e->send, split);
    if (split > 0 && split < len) {
        /* A round trip on another connection: the server has most likely read the first part. */
        int other = dial(f);
        send_text(other, GET("/hello") "\r\n");
        expect(other, 200, "hello");
        close(other);
    }
    send_all(fd, e->send + split, len - split);
    for (size_t i = 0; i < ARRAY_LEN(e->replies) && e->replies[i]; i++) {
        int status = reply(fd);
        char got[512];
        snprintf(got, sizeof(got), "%d %.480s", status, body);
        if (strcmp(got, e->replies[i]) != 0)
            fail_msg("%s, split at %zu: reply %zu is \"%s\", not \"%s\"", e->name, split, i, got,
                     e->replies[i]);
    }
    if (!e->closes) {
        send_text(fd, GET("/hello") "\r\n");
        if (reply(fd) != 200)
            fail_msg("%s, split at %zu: not kept", e->name, split);
    } else {
        shutdown(fd, SHUT_WR);
        if (!at_end(fd))
            fail_msg("%s, split at %zu: more came", e->name, split);
    }
    close(fd);
}

static void test_exchanges(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(exchanges); i++)
        check_exchange(*state, &exchanges[i], strlen(exchanges[i].send));
}

static void test_exchanges_split(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(exchanges); i++)
        for (size_t at = 1; at < strlen(exchanges[i].send); at++)
            check_exchange(*state, &exchanges[i], at);
}

/* --- single behaviours ------------------------------------------------------------------------ */

static void test_expect_continue(void **state)
{
    int fd = dial(*state);
    send_text(fd, "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\n");
    expect(fd, 100, "");
    send_text(fd, "abc");
    expect(fd, 200, "abc");
    /* A handler that does not want the body: final reply at once, and no way to go on. */
    send_text(fd, "PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\n");
    expect(fd, 200, "ignored");
    assert_non_null(strstr(head, "Connection: close\r\n"));
    shutdown(fd, SHUT_WR);
    assert_true(at_end(fd));
    close(fd);
    /* An empty body is asked for, whatever the answer: who waits for its 100 would take the reply for
     * the end of his sending, and the connection stays open. */
    fd = dial(*state);
    static const char *const empty[] = {"/echo", "/ignore", "/no-such"};
    static const int status_of[] = {200, 200, 404};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "PUT %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
                 empty[i]);
        send_text(fd, text);
        expect(fd, 100, "");
        assert_int_equal(reply(fd), status_of[i]);
        assert_null(strstr(head, "Connection: close\r\n"));
    }
    close(fd);
    /* Too long a body is not asked for. */
    fd = dial(*state);
    send_text(fd, "PUT /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n"
                  "Expect: 100-continue\r\n\r\n");
    expect(fd, 413, "limit");
    close(fd);
}

static void test_head_method(void **state)
{
    int fd = dial(*state);
    send_text(fd, "HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n" GET("/none") "\r\n");
    char want[] = "Content-Length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n";
    size_t n = 0;
    while (!strstr(head, "204 No Content\r\n")) {
        assert_int_equal(read_up_to(fd, head + n, 1), 1);
        head[++n] = '\0';
    }
    assert_non_null(strstr(head, want));
    close(fd);
}

static void test_header_injection(void **state)
{
    int fd = dial(*state);
    send_text(fd, GET("/inject") "\r\n");
    expect(fd, 200, "x");
    assert_null(strstr(head, "\nSet-Cookie"));
    assert_non_null(strstr(head, "X-Evil: a  Set-Cookie: b c\r\n"));
    close(fd);
}

static void test_streams(void **state)
{
    static const char *const requests[] = {GET("/stream") "\r\n", GET("/chunks") "\r\n"};
    int fd = dial(*state);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        send_text(fd, requests[i]);
        assert_int_equal(reply(fd), 200);
        assert_int_equal(body_len, 3000000);
    }
    close(fd);
    /* HTTP/1.0 knows no chunks: the end of the connection ends the body. */
    fd = dial(*state);
    send_text(fd, "GET /chunks HTTP/1.0\r\n\r\n");
    size_t n = read_up_to(fd, body, BODY_MAX);
    body[n] = '\0';
    assert_null(strstr(body, "Transfer-Encoding"));
    assert_int_equal(n - (size_t)(strstr(body, "\r\n\r\n") + 4 - body), 3000000);
    close(fd);
}

static void test_large_upload(void **state)
{
    static const char *const paths[] = {"/echo", "/slow"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int fd = dial(*state);
        enum { N = 2000000 };
        char text[128];
        char *data = malloc(N);
        for (size_t k = 0; k < N; k++)
            data[k] = (char)('a' + k % 23);
        snprintf(text, sizeof(text), "PUT %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
                 paths[i], N);
        send_text(fd, text);
        send_all(fd, data, N);
        assert_int_equal(reply(fd), 200);
        assert_int_equal(body_len, N);
        assert_memory_equal(body, data, N);
        free(data);
        close(fd);
    }
}

static void test_broken_replies(void **state)
{
    int fd = dial(*state);
    send_text(fd, GET("/short") "\r\n");
    size_t n = read_up_to(fd, head, sizeof(head) - 1);
    head[n] = '\0'; /* a reset may have overtaken it */
    assert_null(strstr(head, "1234567890"));
    close(fd);
    fd = dial(*state);
    send_text(fd, GET("/abort") "\r\n");
    n = read_up_to(fd, head, sizeof(head) - 1);
    head[n] = '\0';
    assert_null(strstr(head, "\r\n0\r\n\r\n"));
    close(fd);
    assert_int_equal(((struct fixture *)*state)->closes, 0);
}

static void test_departures(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    send_text(fd, GET("/hold") "\r\n");
    wait_requests(f, 1);
    close(fd); /* while the handler thinks */
    wait_closes(f, 1);
    fd = dial(f);
    send_text(fd, "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    wait_requests(f, 2);
    close(fd); /* in the middle of the body */
    wait_closes(f, 2);
    fd = dial(f);
    send_text(fd, "PUT /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    wait_requests(f, 3);
    close(fd); /* with input nobody asked for */
    wait_closes(f, 3);
}

/* A peer that shut its side still reads: all it asked gets its reply, then the end. */
static void test_half_closed(void **state)
{
    static const struct {
        const char *name, *send;
        const char *want[3];
        int closes; /* of a body that will never be whole */
    } rows[] = {
        {"at once", GET("/hello") "\r\n", {"hello"}, 0},
        {"later", GET("/late") "\r\n", {"late"}, 0},
        {"1.0", "GET /late HTTP/1.0\r\n\r\n", {"late"}, 0},
        {"pipelined",
         GET("/late") "\r\n" GET("/late") "\r\n" GET("/hello") "\r\n",
         {"late", "late", "hello"},
         0},
        {"a body", "PUT /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", {"abc"}, 0},
        {"chunks",
         "PUT /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n0\r\n\r\n",
         {"abc"},
         0},
        {"half a head", GET("/late") "\r\nGET /hello HT", {"late"}, 0},
        {"half a body", "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc", {NULL}, 1},
        {"half a chunk",
         "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nab",
         {NULL},
         1},
        {"half an unread body",
         "PUT /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc",
         {NULL},
         1},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int before = atomic_load(&f->closes), status;
        int fd = dial(f);
        send_text(fd, rows[i].send);
        shutdown(fd, SHUT_WR);
        for (size_t k = 0; k < ARRAY_LEN(rows[i].want) && rows[i].want[k]; k++) {
            while ((status = reply(fd)) == 100) /* what asks whether we are still there */
                ;
            if (status != 200 || strcmp(body, rows[i].want[k]) != 0)
                fail_msg("%s: %d %s", rows[i].name, status, body);
        }
        if (!at_end(fd))
            fail_msg("%s: more came", rows[i].name);
        wait_closes(f, before + rows[i].closes);
        close(fd);
    }
}

/* Half closed first, gone later: noticed too, without anything to send. */
static void test_half_closed_and_gone(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    send_text(fd, GET("/hold") "\r\n");
    wait_requests(f, 1);
    shutdown(fd, SHUT_WR);
    expect(fd, 100, "");
    close(fd);
    wait_closes(f, 1);
}

/* What is made for a peer that does not read stays bounded, and comes out when it does. */
static void test_slow_reader(void **state)
{
    struct fixture *f = *state;
    f->stream_bytes = 64 * 1024 * 1024;
    int fd = dial(f);
    int size = 64 * 1024;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    send_text(fd, GET("/stream") "\r\n");
    wait_requests(f, 1);
    /* Its own buffer and the kernel's: far less than all. */
    assert_true(atomic_load(&f->streamed) < 16 * 1024 * 1024);
    size_t total = 0;
    while (total < f->stream_bytes) {
        size_t n = read_up_to(fd, body, BODY_MAX);
        if (n == 0)
            break;
        total += n;
        if (n < BODY_MAX)
            break;
    }
    assert_int_equal(atomic_load(&f->streamed), f->stream_bytes);
    close(fd);
    /* In the middle of a reply. */
    fd = dial(f);
    send_text(fd, GET("/chunks") "\r\n");
    assert_int_equal(read_up_to(fd, body, 1000), 1000);
    close(fd);
    wait_closes(f, 1);
}

/* A peer that pipelines and never reads does not make the server hoard replies. */
static void test_pipelined_without_reading(void **state)
{
    struct fixture *f = *state;
    enum { N = 200 };
    int fd = dial(f);
    for (int i = 0; i < N; i++)
        send_text(fd, GET("/stream") "\r\n");
    wait_requests(f, 1);
    int other = dial(f);
    send_text(other, GET("/hello") "\r\n");
    expect(other, 200, "hello");
    assert_true(atomic_load(&f->requests) < 20);
    close(other);
    for (int i = 0; i < N; i++) {
        assert_int_equal(reply(fd), 200);
        assert_int_equal(body_len, 3000000);
    }
    close(fd);
}

static void test_many_connections(void **state)
{
    enum { N = 400, ROUNDS = 3 };
    int fds[N];
    for (int i = 0; i < N; i++)
        fds[i] = dial(*state);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++)
            send_text(fds[i], i % 2 ? GET("/hello") "\r\n" : GET("/late") "\r\n");
        for (int i = 0; i < N; i++)
            expect(fds[i], 200, i % 2 ? "hello" : "late");
    }
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

/* --- allocations ------------------------------------------------------------------------------ */

/* Runs mem_fail_after(n) on the loop's thread and waits; *ret is what was allocated there before.
 */
struct fail_task {
    struct io_task task;
    struct fixture *f;
    uint64_t n, allocations;
};

static void on_fail_task(struct io_task *task)
{
    struct fail_task *t = CONTAINER_OF(task, struct fail_task, task);
    t->allocations = mem_allocations();
    mem_fail_after(t->n);
    mark(t->f);
}

static uint64_t fail_on_loop(struct fixture *f, uint64_t n)
{
    struct fail_task t = {.task.fn = on_fail_task, .f = f, .n = n};
    int before = atomic_load(&f->marks);
    io_post(f->loops[0], &t.task);
    wait_marks(f, before + 1);
    return t.allocations;
}

static int setup_one_loop(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fixture_init(f, 1);
    f->stream_bytes = 3000000;
    fixture_start(f);
    *state = f;
    return 0;
}

/* The n-th allocation fails: the connection may be lost, nothing else, and nothing leaks. */
static void test_failing_allocations(void **state)
{
    static const char *const requests[] = {
        GET("/hello") "\r\n",
        GET("/stream") "\r\n",
        "POST /trailer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1\r\nx\r\n0\r\nA: b\r\n\r\n",
        GET("/late") "\r\n" GET("/hello") "\r\n",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        for (uint64_t n = 1; n < 12; n++) {
            (void)fail_on_loop(f, n);
            int fd = dial(f);
            send_text(fd, requests[i]);
            shutdown(fd, SHUT_WR);
            (void)read_up_to(fd, body, BODY_MAX); /* some, all or nothing, and the end */
            close(fd);
            (void)fail_on_loop(f, 0);
            fd = dial(f);
            send_text(fd, GET("/hello") "\r\n");
            expect(fd, 200, "hello");
            close(fd);
        }
    }
}

static void test_steady_state_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    for (int round = 0; round < 2; round++) {
        (void)fail_on_loop(f, 0);
        for (int i = 0; i < 100; i++) {
            send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
            expect(fd, 200, "abc");
        }
        uint64_t n = fail_on_loop(f, 0);
        assert_true(round == 0 || n == 0);
    }
    close(fd);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(test_exchanges),
        LIVE(test_exchanges_split),
        LIVE(test_expect_continue),
        LIVE(test_half_closed),
        LIVE(test_half_closed_and_gone),
        LIVE(test_head_method),
        LIVE(test_header_injection),
        LIVE(test_streams),
        LIVE(test_large_upload),
        LIVE(test_broken_replies),
        LIVE(test_departures),
        LIVE(test_slow_reader),
        LIVE(test_pipelined_without_reading),
        LIVE(test_many_connections),
        cmocka_unit_test_setup_teardown(test_failing_allocations, setup_one_loop, teardown),
        cmocka_unit_test_setup_teardown(test_steady_state_allocates_nothing, setup_one_loop,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
