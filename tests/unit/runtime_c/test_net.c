/* Replies as bytes, and DNS answers: good and malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net.h"

static void test_replies(void **state)
{
    static const struct {
        const char *name, *bytes;
        enum err err;
        int status;
        const char *body;
        bool keep;
    } rows[] = {
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", ERR_OK, 200, "abc", true},
        {"length 0", "HTTP/1.1 202 A\r\ncontent-length: 0\r\n\r\n", ERR_OK, 202, "", true},
        {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", ERR_OK, 200,
         "x", false},
        {"to the end", "HTTP/1.1 200 OK\r\n\r\nall of it", ERR_OK, 200, "all of it", false},
        {"http/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", ERR_OK, 200, "x", false},
        {"no content", "HTTP/1.1 204 No\r\n\r\n", ERR_OK, 204, "", true},
        {"continue first",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", ERR_OK, 200,
         "x", true},
        {"chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: "
         "v\r\n\r\n",
         ERR_OK, 200, "abcd", true},
        {"cut head", "HTTP/1.1 200 OK\r\nContent-Le", ERR_CLOSED, 0, NULL, false},
        {"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", ERR_CLOSED, 0, NULL, false},
        {"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", ERR_CLOSED,
         0, NULL, false},
        {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", ERR_INVALID,
         0, NULL, false},
        {"chunk without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
         ERR_INVALID, 0, NULL, false},
        {"huge chunk",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", ERR_INVALID,
         0, NULL, false},
        {"not http", "SSH-2.0-x\r\n\r\n", ERR_INVALID, 0, NULL, false},
        {"bad status", "HTTP/1.1 2xx OK\r\n\r\n", ERR_INVALID, 0, NULL, false},
        {"bad length", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\na", ERR_INVALID, 0, NULL,
         false},
        {"too long", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", ERR_LIMIT, 0, NULL, false},
        {"nothing", "", ERR_CLOSED, 0, NULL, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int split = 0; split < 2; split++) {
            struct net_conn c;
            struct net_reply r = {0};
            struct arena a;
            struct buf body;
            int pair[2];
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            assert_true(write(pair[1], rows[i].bytes, strlen(rows[i].bytes)) >= 0);
            close(pair[1]);
            net_init(&c);
            c.fd = pair[0];
            arena_init(&a, 1 << 20);
            buf_init(&body, 100);
            enum err err = net_reply(&c, false, &a, &r, &body, NET_NO_DEADLINE);
            if (err != rows[i].err)
                fail_msg("%s: %s", rows[i].name, err_name(err));
            if (err == ERR_OK) {
                assert_int_equal(r.status, rows[i].status);
                assert_int_equal(r.keep, rows[i].keep);
                assert_true(str_eq_c(buf_str(&body), rows[i].body));
            }
            net_close(&c);
            buf_release(&body);
            arena_release(&a);
        }
}

static void test_deadline(void **state)
{
    struct net_conn c;
    struct net_reply r;
    struct arena a;
    struct buf body;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    net_init(&c);
    c.fd = pair[0];
    arena_init(&a, 1 << 20);
    buf_init(&body, 100);
    assert_int_equal(net_reply(&c, false, &a, &r, &body, clock_mono_ns() + 20 * 1000 * 1000),
                     ERR_TIMEOUT);
    net_close(&c);
    close(pair[1]);
    arena_release(&a);
}

static void test_dns(void **state)
{
#define HEAD "\x12\x34\x81\x80\0\1\0\2\0\0\0\0"
#define QUESTION "\1a\2bc\0\0\1\0\1"
#define CNAME "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\3\1x\0"
#define A "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"
    static const struct {
        const char *name;
        struct str packet;
        enum err err;
    } rows[] = {
        {"address", STR_INIT(HEAD QUESTION A), ERR_OK},
        {"link first", STR_INIT(HEAD QUESTION CNAME A), ERR_OK},
        {"no such name", STR_INIT("\x12\x34\x81\x83\0\1\0\0\0\0\0\0" QUESTION), ERR_NOT_FOUND},
        {"only a link", STR_INIT("\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION CNAME), ERR_NOT_FOUND},
        {"other id", STR_INIT("\x12\x35\x81\x80\0\1\0\1\0\0\0\0" QUESTION A), ERR_INVALID},
        {"a query", STR_INIT("\x12\x34\x01\x80\0\1\0\1\0\0\0\0" QUESTION A), ERR_INVALID},
        {"short", STR_INIT("\x12\x34\x81"), ERR_INVALID},
        {"cut question", STR_INIT(HEAD "\1a\2b"), ERR_INVALID},
        {"cut answer", STR_INIT(HEAD QUESTION "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f"), ERR_INVALID},
        {"label over the end",
         STR_INIT(HEAD "\x3f"
                       "a"),
         ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t address = 0;
        enum err err = net_parse_dns(rows[i].packet, 0x1234, &address);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(err));
        if (err == ERR_OK)
            assert_memory_equal(&address, "\x7f\0\0\1", 4);
    }
    for (size_t cut = 0; cut < rows[1].packet.len; cut++) {
        uint32_t address;
        assert_int_not_equal(net_parse_dns(str_sub(rows[1].packet, 0, cut), 0x1234, &address),
                             ERR_OK);
    }
    uint32_t address = 0;
    assert_int_equal(net_resolve("127.0.0.1", &address, 0), ERR_OK);
    assert_int_equal(net_resolve("localhost", &address, 0), ERR_OK);
    assert_memory_equal(&address, "\x7f\0\0\1", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_dns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
