/* Requests as events, and answers as replies, in the format of REST APIs: proxy_event.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/proxy_event.h"

enum { ARENA_MAX = 1 << 20 };

static const struct proxy_rest_request plain = {
    .path = STR_INIT("/cars/7"),
    .context_path = STR_INIT("/prod/cars/7"),
    .resource = STR_INIT("/cars/{id}"),
    .resource_id = STR_INIT("res"),
    .stage = STR_INIT("prod"),
    .api_id = STR_INIT("api"),
    .deployment_id = STR_INIT("dep"),
    .account = STR_INIT("000000000000"),
    .domain_name = STR_INIT("api.h"),
    .domain_prefix = STR_INIT("api"),
    .request_id = STR_INIT("r"),
    .extended_id = STR_INIT("x="),
    .trace = STR_INIT("Root=1"),
    .source_ip = STR_INIT("1.2.3.4"),
    .protocol = STR_INIT("HTTP/1.1"),
    .port = 80,
    .wall_ms = 1583348638390,
};

#define IDENTITY(key, agent)                                                                       \
    "\"identity\":{\"cognitoIdentityPoolId\":null,\"accountId\":null,\"cognitoIdentityId\":null,"  \
    "\"caller\":null," key "\"sourceIp\":\"1.2.3.4\",\"principalOrgId\":null,\"accessKey\":null,"  \
    "\"cognitoAuthenticationType\":null,\"cognitoAuthenticationProvider\":null,\"userArn\":null,"  \
    "\"userAgent\":" agent ",\"user\":null},"
#define CONTEXT(more, method, key, agent)                                                          \
    "\"requestContext\":{\"resourceId\":\"res\"," more                                             \
    "\"resourcePath\":\"/cars/{id}\",\"httpMethod\":\"" method                                     \
    "\",\"extendedRequestId\":\"x=\",\"requestTime\":\"04/Mar/2020:19:03:58 +0000\","              \
    "\"path\":\"/prod/cars/7\",\"accountId\":\"000000000000\",\"protocol\":\"HTTP/1.1\","          \
    "\"stage\":\"prod\",\"domainPrefix\":\"api\",\"requestTimeEpoch\":1583348638390,"              \
    "\"requestId\":\"r\"," IDENTITY(key, agent) "\"domainName\":\"api.h\",\"deploymentId\":"       \
                                                "\"dep\",\"apiId\":\"api\"},"

#define KEY "\"apiKey\":\"K\",\"apiKeyId\":\"I\","
#define CODED "\"body\":\"AQ==\",\"isBase64Encoded\":true}"

static const char *event_of(struct arena *a, const struct proxy_rest_request *req)
{
    struct str json = STR_NONE;
    assert_int_equal(proxy_rest_event_make(a, req, &json), ERR_OK);
    return str_cstr(a, json);
}

static void test_bare(void **state)
{
    const struct wire_request http = {.method = STR("GET"), .path = STR("/"), .body = STR("")};
    struct proxy_rest_request req = plain;
    struct arena a;
    req.http = &http;
    arena_init(&a, ARENA_MAX);
    assert_string_equal(
        event_of(&a, &req),
        "{\"resource\":\"/cars/{id}\",\"path\":\"/cars/7\",\"httpMethod\":\"GET\","
        "\"headers\":{\"X-Amzn-Trace-Id\":\"Root=1\",\"X-Forwarded-For\":\"1.2.3.4\","
        "\"X-Forwarded-Port\":\"80\",\"X-Forwarded-Proto\":\"http\"},"
        "\"multiValueHeaders\":{\"X-Amzn-Trace-Id\":[\"Root=1\"],\"X-Forwarded-For\":[\"1.2.3.4\"],"
        "\"X-Forwarded-Port\":[\"80\"],\"X-Forwarded-Proto\":[\"http\"]},"
        "\"queryStringParameters\":null,\"multiValueQueryStringParameters\":null,"
        "\"pathParameters\":null,\"stageVariables\":null," CONTEXT(
            "", "GET", "", "null") "\"body\":null,\"isBase64Encoded\":false}");
    arena_release(&a);
}

static void test_all(void **state)
{
    static const struct wire_header headers[] = {
        {STR_INIT("X-A"), STR_INIT("1")},
        {STR_INIT("x-a"), STR_INIT("2")},
        {STR_INIT("User-Agent"), STR_INIT("me")},
        {STR_INIT("x-forwarded-for"), STR_INIT("9.9.9.9")},
        {STR_INIT("x-amzn-trace-id"), STR_INIT("mine")},
    };
    static const struct percent_pair query[] = {
        {STR_INIT("b"), STR_INIT("1")}, {STR_INIT("a"), {0}}, {STR_INIT("b"), STR_INIT("2 3")}};
    static const struct proxy_pair params[] = {{STR_INIT("id"), STR_INIT("7")}},
                                   variables[] = {{STR_INIT("v"), STR_INIT("w")}};
    const struct wire_request http = {.method = STR("PUT"),
                                      .headers = headers,
                                      .n_headers = ARRAY_LEN(headers),
                                      .body = STR("\x01"),
                                      .tls = true};
    struct proxy_rest_request req = plain;
    struct arena a;
    req.http = &http;
    req.query = query;
    req.n_query = ARRAY_LEN(query);
    req.params = params;
    req.n_params = req.n_variables = 1;
    req.variables = variables;
    req.authorizer = STR("{\"k\":1}");
    req.identity.key = STR("K");
    req.identity.key_id = STR("I");
    req.binary = true;
    arena_init(&a, ARENA_MAX);
    assert_string_equal(
        event_of(&a, &req),
        "{\"resource\":\"/cars/{id}\",\"path\":\"/cars/7\",\"httpMethod\":\"PUT\","
        "\"headers\":{\"X-A\":\"2\",\"User-Agent\":\"me\",\"X-Amzn-Trace-Id\":\"Root=1\","
        "\"X-Forwarded-For\":\"9.9.9.9, 1.2.3.4\",\"X-Forwarded-Port\":\"80\","
        "\"X-Forwarded-Proto\":\"https\"},"
        "\"multiValueHeaders\":{\"X-A\":[\"1\",\"2\"],\"User-Agent\":[\"me\"],"
        "\"X-Amzn-Trace-Id\":[\"Root=1\"],\"X-Forwarded-For\":[\"9.9.9.9, 1.2.3.4\"],"
        "\"X-Forwarded-Port\":[\"80\"],\"X-Forwarded-Proto\":[\"https\"]},"
        "\"queryStringParameters\":{\"b\":\"2 3\",\"a\":\"\"},"
        "\"multiValueQueryStringParameters\":{\"b\":[\"1\",\"2 3\"],\"a\":[\"\"]},"
        "\"pathParameters\":{\"id\":\"7\"},\"stageVariables\":{\"v\":\"w\"}," CONTEXT(
            "\"authorizer\":{\"k\":1},", "PUT", KEY, "\"me\"") CODED);
    arena_release(&a);
}

static void test_text_body(void **state)
{
    const struct wire_request http = {.method = STR("PUT"), .body = STR("a\"b")};
    struct proxy_rest_request req = plain;
    struct arena a;
    req.http = &http;
    arena_init(&a, ARENA_MAX);
    struct str event = str_c(event_of(&a, &req));
    assert_true(str_ends(event, STR("\"body\":\"a\\\"b\",\"isBase64Encoded\":false}")));
    arena_release(&a);
}

/* status, "64" where the body is coded, a word for each header, the type, the body */
static const char *shown(struct arena *a, const struct proxy_reply *r, bool coded)
{
    struct buf b;
    buf_init_arena(&b, a, ARENA_MAX);
    buf_add_fmt(&b, "%d%s", r->status, coded ? " 64" : "");
    for (size_t i = 0; i < r->n_headers; i++)
        buf_add_fmt(&b, " " STR_FMT "=" STR_FMT, STR_ARG(r->headers[i].name),
                    STR_ARG(r->headers[i].value));
    buf_add_fmt(&b, " [" STR_FMT "] " STR_FMT, STR_ARG(r->content_type), STR_ARG(r->body));
    return str_cstr(a, buf_str(&b));
}

static void test_reply(void **state)
{
    static const struct {
        const char *answer, *shown; /* NULL: malformed */
    } rows[] = {
        {"{}", "200 [application/json] "},
        {"{\"statusCode\":201,\"body\":null,\"headers\":null}", "201 [application/json] "},
        {"{\"statusCode\":\"404\",\"body\":\"x\"}", "404 [application/json] x"},
        {"{\"statusCode\":200,\"body\":17}", "200 [application/json] 17"},
        {"{\"statusCode\":200,\"headers\":{\"A\":\"1\",\"content-TYPE\":\"t\",\"n\":2,\"z\":null}}",
         "200 A=1 n=2 [t] "},
        {"{\"multiValueHeaders\":{\"A\":[\"1\",\"2\"],\"Content-Type\":[\"m\"]},\"headers\":{\"a\":"
         "\"1\",\"A\":\"3\",\"Content-Type\":\"h\"}}",
         "200 A=1 A=2 A=3 [m] "},
        {"{\"body\":\"eA==\",\"isBase64Encoded\":true}", "200 64 [application/json] eA=="},
        {"{\"body\":\"eA==\",\"isBase64Encoded\":false}", "200 [application/json] eA=="},
        {"", NULL},
        {"null", NULL},
        {"\"text\"", NULL},
        {"[]", NULL},
        {"{\"statusCode\":200,\"message\":\"x\"}", NULL},
        {"{\"statusCode\":200,\"cookies\":[]}", NULL},
        {"{\"statusCode\":199}", NULL},
        {"{\"statusCode\":600}", NULL},
        {"{\"statusCode\":\"x\"}", NULL},
        {"{\"statusCode\":1.5}", NULL},
        {"{\"body\":{}}", NULL},
        {"{\"isBase64Encoded\":\"true\"}", NULL},
        {"{\"headers\":[]}", NULL},
        {"{\"headers\":{\"a\":[\"b\"]}}", NULL},
        {"{\"headers\":{\"a b\":\"c\"}}", NULL},
        {"{\"multiValueHeaders\":{\"a\":\"b\"}}", NULL},
        {"{\"multiValueHeaders\":{\"a\":[{}]}}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct proxy_reply reply;
        bool coded = false;
        arena_init(&a, ARENA_MAX);
        enum err err = proxy_rest_reply_read(&a, str_c(rows[i].answer), &reply, &coded);
        assert_int_equal(err, rows[i].shown ? ERR_OK : ERR_INVALID);
        if (!err)
            assert_string_equal(shown(&a, &reply, coded), rows[i].shown);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_text_body),
        cmocka_unit_test(test_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
