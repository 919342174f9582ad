/* Signed calls against a scripted peer: what is sent, what is tried again, what errors become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aws.h"
#include "help_server.h"

#define OK_JSON "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"Item\":{}}"
#define BROKEN "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"
#define THROTTLED                                                                                  \
    "HTTP/1.1 400 Bad\r\nContent-Length: 61\r\n\r\n"                                               \
    "{\"__type\":\"com.amazon#ThrottlingException\",\"message\":\"later\"}"
#define CONDITION                                                                                  \
    "HTTP/1.1 400 Bad\r\nContent-Length: 67\r\n\r\n"                                               \
    "{\"__type\":\"a.b#ConditionalCheckFailedException\",\"message\":\"not so\"}"

static struct help_server server;

static void point_at(uint16_t port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    setenv("AWS_ENDPOINT_URL", url, 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_SESSION_TOKEN", "the-token", 1);
    setenv("AWS_REGION", "eu-west-1", 1);
}

static void test_json(void **state)
{
    static const struct {
        const char *name;
        struct help_reply replies[8];
        enum err err;
        size_t requests;
        const char *code;
    } rows[] = {
        {"at once", {{OK_JSON, 0}}, ERR_OK, 1, NULL},
        {"after a 500", {{BROKEN, 0}, {OK_JSON, 0}}, ERR_OK, 2, NULL},
        {"after throttling", {{THROTTLED, 0}, {OK_JSON, 0}}, ERR_OK, 2, NULL},
        {"after a lost connection", {{NULL, 1}, {OK_JSON, 0}}, ERR_OK, 2, NULL},
        {"500 to the end",
         {{BROKEN, 0}, {BROKEN, 0}, {BROKEN, 0}, {BROKEN, 0}, {BROKEN, 0}},
         ERR_FAILED,
         5,
         "Http500"},
        {"a condition is final",
         {{CONDITION, 0}},
         ERR_FAILED,
         1,
         "ConditionalCheckFailedException"},
        {"not JSON", {{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n<", 0}}, ERR_INVALID, 1, NULL},
        {"not HTTP", {{"hello\r\n", 1}}, ERR_INVALID, 1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct aws *aws;
        struct aws_reply reply;
        const struct json *json = NULL;
        struct arena a;
        size_t n = 0;
        while (n < 8 && (rows[i].replies[n].bytes || rows[i].replies[n].close_after))
            n++;
        help_server_start(&server, rows[i].replies, n);
        point_at(server.port);
        arena_init(&a, 1 << 26);
        assert_int_equal(aws_new(&aws), ERR_OK);
        enum err err =
            aws_json(aws, "dynamodb", "GetItem", STR("{\"TableName\":\"t\"}"), &a, &reply, &json);
        aws_free(aws);
        help_server_join(&server);
        if (err != rows[i].err || server.n_requests != rows[i].requests)
            fail_msg("%s: %s after %zu requests", rows[i].name, err_name(err), server.n_requests);
        if (rows[i].code)
            assert_true(str_eq_c(reply.error_code, rows[i].code));
        if (err == ERR_OK)
            assert_non_null(json_get(json, STR("Item")));
        arena_release(&a);
    }
    const char *r = server.requests[0];
    static const char *const wants[] = {
        "POST / HTTP/1.1\r\n",
        "x-amz-target: DynamoDB_20120810.GetItem\r\n",
        "content-type: application/x-amz-json-1.0\r\n",
        "x-amz-security-token: the-token\r\n",
        "Credential=AKIDEXAMPLE/",
        "/eu-west-1/dynamodb/aws4_request",
        "\r\n\r\n{\"TableName\":\"t\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (!strcasestr(r, wants[i]))
            fail_msg("%s is not in %s", wants[i], r);
}

/* Of the services with JSON bodies, each with its version of the protocol. */
static void test_json_services(void **state)
{
    static const struct help_reply reply[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 1}};
    static const struct {
        const char *service, *target, *type;
    } rows[] = {
        {"sqs", "AmazonSQS.X\r\n", "amz-json-1.0\r\n"},
        {"events", "AWSEvents.X\r\n", "amz-json-1.1\r\n"},
        {"dynamodb-streams", "DynamoDBStreams_20120810.X\r\n", "amz-json-1.0\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct aws *aws;
        struct aws_reply got;
        struct arena a;
        help_server_start(&server, reply, 1);
        point_at(server.port);
        arena_init(&a, 1 << 26);
        assert_int_equal(aws_new(&aws), ERR_OK);
        assert_int_equal(aws_json(aws, rows[i].service, "X", STR("{}"), &a, &got, NULL), ERR_OK);
        aws_free(aws);
        help_server_join(&server);
        assert_non_null(strstr(server.requests[0], rows[i].target));
        assert_non_null(strstr(server.requests[0], rows[i].type));
        arena_release(&a);
    }
    struct aws *aws;
    struct aws_reply got;
    struct arena a;
    arena_init(&a, 1 << 26);
    assert_int_equal(aws_new(&aws), ERR_OK);
    assert_int_equal(aws_json(aws, "s3", "X", STR("{}"), &a, &got, NULL), ERR_UNSUPPORTED);
    aws_free(aws);
    arena_release(&a);
}

static void test_objects(void **state)
{
    static const struct help_reply replies[] = {
        {"HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nContent-Length: 5\r\n\r\nhello", 0},
        {"HTTP/1.1 404 No\r\nContent-Length: 65\r\n\r\n"
         "<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>",
         1},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 1},
    };
    struct aws *aws;
    struct aws_reply reply;
    struct arena a;
    struct buf body;
    help_server_start(&server, replies, ARRAY_LEN(replies));
    point_at(server.port);
    arena_init(&a, 1 << 26);
    buf_init(&body, 100);
    assert_int_equal(aws_new(&aws), ERR_OK);
    assert_int_equal(aws_s3_get(aws, STR("b"), STR("a b/\xc3\xa9+.csv"), STR("v/1"), STR("\"abc\""),
                                &a, &reply, &body),
                     ERR_OK);
    assert_true(str_eq_c(buf_str(&body), "hello"));
    assert_true(str_eq_c(aws_reply_header(&reply, STR("etag")), "\"abc\""));
    assert_int_equal(aws_s3_get(aws, STR("b"), STR("k"), STR_NONE, STR_NONE, &a, &reply, &body),
                     ERR_FAILED);
    assert_int_equal(reply.status, 404);
    assert_true(str_eq_c(reply.error_code, "NoSuchKey"));
    assert_int_equal(
        aws_s3_put(aws, STR("b"), STR("k"), STR("text/plain"), STR("data"), &a, &reply), ERR_OK);
    assert_int_equal(aws_s3_delete(aws, STR("b"), STR("k"), &a, &reply), ERR_OK);
    assert_int_equal(aws_s3_get(aws, STR("b"), STR("k"), STR_NONE, STR_NONE, &a, &reply, &body),
                     ERR_LIMIT);
    aws_free(aws);
    help_server_join(&server);
    assert_non_null(strstr(server.requests[0], "GET /b/a%20b/%C3%A9%2B.csv?versionId=v%2F1 HTTP"));
    assert_non_null(strcasestr(server.requests[0], "if-match: \"abc\"\r\n"));
    assert_non_null(strcasestr(server.requests[0], "x-amz-content-sha256: "));
    assert_non_null(strstr(server.requests[2], "PUT /b/k HTTP/1.1"));
    assert_non_null(strstr(server.requests[2], "\r\n\r\ndata"));
    assert_non_null(strstr(server.requests[3], "DELETE /b/k HTTP/1.1"));
    buf_release(&body);
    arena_release(&a);
}

static void test_environment(void **state)
{
    static const struct {
        const char *url;
        enum err err;
    } rows[] = {
        {"ftp://x", ERR_INVALID},        {"http://", ERR_INVALID},
        {"http://h/path", ERR_INVALID},  {"http://h:0", ERR_INVALID},
        {"http://h:99999", ERR_INVALID}, {"http://h:x", ERR_INVALID},
        {"h:80", ERR_INVALID},           {"http://127.0.0.1:1", ERR_CLOSED},
    };
    struct aws *aws = NULL;
    struct arena a;
    arena_init(&a, 1 << 26);
    point_at(1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct aws_reply reply;
        setenv("AWS_ENDPOINT_URL_SQS", rows[i].url, 1);
        assert_int_equal(aws_new(&aws), ERR_OK);
        enum err err = aws_json(aws, "sqs", "ListQueues", STR("{}"), &a, &reply, NULL);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].url, err_name(err));
        assert_true(strlen(aws_error(aws)) > 0);
        aws_free(aws);
    }
    unsetenv("AWS_ENDPOINT_URL_SQS");
    unsetenv("AWS_ACCESS_KEY_ID");
    assert_int_equal(aws_new(&aws), ERR_INVALID);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_services),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
