/* The Runtime API loop against a scripted peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_server.h"
#include "lambda.h"

#define EVENT(body, length)                                                                        \
    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\n"                                   \
    "Lambda-Runtime-Deadline-Ms: 99999999999999\r\n"                                               \
    "Lambda-Runtime-Invoked-Function-Arn: arn:x\r\nContent-Length: " length "\r\n\r\n" body
#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

static struct help_server server;

static int handler(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    assert_true(lambda_remaining_ms(ctx) > 1000);
    assert_true(str_eq_c(ctx->function_arn, "arn:x"));
    if (str_eq_c(event, "fail"))
        return lambda_fail(ctx, "My.Error", "no %s", "luck");
    if (str_eq_c(event, "mute"))
        return 1;
    if (!str_eq_c(event, "null"))
        buf_add_fmt(reply, "\"" STR_FMT "\"", STR_ARG(event));
    return 0;
}

static void test_loop(void **state)
{
    static const struct help_reply replies[] = {
        {EVENT("one", "3"), 0},
        {ACCEPTED, 0},
        {EVENT("fail", "4"), 0},
        {ACCEPTED, 1},
        {EVENT("null", "4"), 0},
        {ACCEPTED, 0},
        {EVENT("mute", "4"), 0},
        {ACCEPTED, 0},
        {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 1},
    };
    char address[64];
    help_server_start(&server, replies, ARRAY_LEN(replies));
    snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
    setenv("AWS_LAMBDA_RUNTIME_API", address, 1);
    assert_int_equal(lambda_run(handler), 1);
    help_server_join(&server);
    assert_int_equal(server.n_requests, ARRAY_LEN(replies));
    static const struct {
        int request;
        const char *want;
    } wants[] = {
        {0, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"},
        {1, "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n"},
        {1, "\r\n\r\n\"one\""},
        {3, "POST /2018-06-01/runtime/invocation/id-1/error HTTP/1.1\r\n"},
        {3, "Lambda-Runtime-Function-Error-Type: My.Error\r\n"},
        {3, "\r\n\r\n{\"errorType\":\"My.Error\",\"errorMessage\":\"no luck\"}"},
        {5, "\r\n\r\nnull"},
        {7, "\"errorType\":\"Function.Error\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (!strstr(server.requests[wants[i].request], wants[i].want))
            fail_msg("%s is not in %s", wants[i].want, server.requests[wants[i].request]);
}

static int streamer(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    assert_int_equal(lambda_stream_write(ctx, event), ERR_CLOSED); /* not begun */
    if (str_eq_c(event, "http")) {
        assert_int_equal(lambda_stream_begin_http(ctx, STR("{\"statusCode\":201}")), ERR_OK);
        assert_int_equal(lambda_stream_write(ctx, STR("body")), ERR_OK);
        return 0;
    }
    assert_int_equal(lambda_stream_begin(ctx, STR("text/plain")), ERR_OK);
    assert_int_equal(lambda_stream_begin(ctx, STR("text/plain")), ERR_CONFLICT);
    assert_int_equal(lambda_stream_write(ctx, STR("")), ERR_OK);
    assert_int_equal(lambda_stream_write(ctx, STR("one")), ERR_OK);
    assert_int_equal(lambda_stream_write(ctx, STR("and the other")), ERR_OK);
    return str_eq_c(event, "fail") ? lambda_fail(ctx, "My.Error", "no luck") : 0;
}

static void test_streams(void **state)
{
    static const struct help_reply replies[] = {
        {EVENT("good", "4"), 0},
        {ACCEPTED, 0},
        {EVENT("fail", "4"), 0},
        {ACCEPTED, 1},
        {EVENT("http", "4"), 0},
        {ACCEPTED, 0},
        {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 1},
    };
    char address[64];
    help_server_start(&server, replies, ARRAY_LEN(replies));
    snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
    setenv("AWS_LAMBDA_RUNTIME_API", address, 1);
    assert_int_equal(lambda_run(streamer), 1);
    help_server_join(&server);
    assert_int_equal(server.n_requests, ARRAY_LEN(replies));
    static const struct {
        int request;
        struct str want;
    } wants[] = {
        {1, STR_INIT("POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n")},
        {1, STR_INIT("Content-Type: text/plain\r\n")},
        {1, STR_INIT("Lambda-Runtime-Function-Response-Mode: streaming\r\n")},
        {1, STR_INIT("\r\n\r\n3\r\none\r\nd\r\nand the other\r\n0\r\n\r\n")},
        {3,
         STR_INIT("0\r\nLambda-Runtime-Function-Error-Type: My.Error\r\n"
                  "Lambda-Runtime-Function-Error-Body: "
                  "eyJlcnJvclR5cGUiOiJNeS5FcnJvciIsImVycm9yTWVzc2FnZSI6Im5vIGx1Y2sifQ==\r\n\r\n")},
        {5, STR_INIT("application/vnd.awslambda.http-integration-response\r\n")},
        {5, STR_INIT("12\r\n{\"statusCode\":201}\r\n8\r\n\0\0\0\0\0\0\0\0\r\n4\r\nbody\r\n0\r\n")},
    };
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (!memmem(server.requests[wants[i].request], HELP_REQUEST_MAX, wants[i].want.p,
                    wants[i].want.len))
            fail_msg("row %zu is not in %s", i, server.requests[wants[i].request]);
}

static void test_init_error(void **state)
{
    static const struct help_reply replies[] = {{ACCEPTED, 0}};
    char address[64];
    help_server_start(&server, replies, 1);
    snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
    setenv("AWS_LAMBDA_RUNTIME_API", address, 1);
    lambda_init_error("Bad.Setup", "no table");
    help_server_join(&server);
    assert_non_null(strstr(server.requests[0], "POST /2018-06-01/runtime/init/error"));
    assert_non_null(strstr(server.requests[0], "\"errorMessage\":\"no table\""));
    static const char *const bad[] = {"", "host", "host:", "host:99999", ":1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        setenv("AWS_LAMBDA_RUNTIME_API", bad[i], 1);
        assert_int_equal(lambda_run(handler), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_init_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
