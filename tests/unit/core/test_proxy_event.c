/* HTTP requests as events, and answers as replies: proxy_event.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/proxy_event.h"

enum { ARENA_MAX = 1 << 20 };

#define HEADER(name, value)                                                                        \
    {                                                                                              \
        STR_INIT(name), STR_INIT(value)                                                            \
    }

static const struct proxy_request plain = {
    .account = STR_INIT("anonymous"),
    .api_id = STR_INIT("id"),
    .domain_name = STR_INIT("id.h"),
    .domain_prefix = STR_INIT("id"),
    .route_key = STR_INIT("$default"),
    .stage = STR_INIT("$default"),
    .request_id = STR_INIT("r"),
    .source_ip = STR_INIT("1.2.3.4"),
    .port = 80,
    .wall_ms = 1583348638390,
};
#define CONTEXT(more, method, path, agent)                                                         \
    "\"requestContext\":{\"accountId\":\"anonymous\",\"apiId\":\"id\"," more                       \
    "\"domainName\":\"id.h\",\"domainPrefix\":\"id\",\"http\":{\"method\":\"" method               \
    "\",\"path\":\"" path "\",\"protocol\":\"HTTP/1.1\",\"sourceIp\":\"1.2.3.4\",\"userAgent\":"   \
    "\"" agent                                                                                     \
    "\"},\"requestId\":\"r\",\"routeKey\":\"$default\",\"stage\":\"$default\",\"time\":"           \
    "\"04/Mar/2020:19:03:58 +0000\",\"timeEpoch\":1583348638390},"
#define FORWARDED(proto)                                                                           \
    "\"x-forwarded-for\":\"1.2.3.4\",\"x-forwarded-proto\":\"" proto "\",\"x-forwarded-port\":"    \
    "\"80\"},"

static void test_event(void **state)
{
    static const struct wire_header many[] = {HEADER("X-A", "1"), HEADER("Cookie", " a=1;; b=2 "),
                                              HEADER("x-a", ""), HEADER("Authorization", "S"),
                                              HEADER("User-Agent", "me\"")};
    static const struct wire_header text[] = {HEADER("content-type", "Text/Plain; charset=utf-8")};
    static const struct wire_header coded[] = {HEADER("content-type", "text/plain"),
                                               HEADER("content-encoding", "gzip")};
    static const struct {
        const char *name;
        struct wire_request http;
        bool hide;
        struct str authorizer;
        const char *json; /* NULL: refused */
    } rows[] = {
        {"bare",
         {.method = STR_INIT("GET"), .path = STR_INIT("/"), .body = STR_INIT("")},
         false,
         {0},
         "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/\",\"rawQueryString\":\"\","
         "\"headers\":{" FORWARDED("http")
             CONTEXT("", "GET", "/", "") "\"isBase64Encoded\":false}"},
        {"all",
         {.method = STR_INIT("PUT"),
          .path = STR_INIT("/%20"),
          .query = STR_INIT("b=1&a&b=2+3"),
          .headers = many,
          .n_headers = ARRAY_LEN(many),
          .body = STR_INIT("\x01"),
          .tls = true},
         true,
         STR_INIT("{}"),
         "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/%20\",\"rawQueryString\":"
         "\"b=1&a&b=2+3\",\"queryStringParameters\":{\"b\":\"1,2 3\",\"a\":\"\"},\"cookies\":["
         "\"a=1\",\"b=2\"],\"headers\":{\"x-a\":\"1,\",\"user-agent\":\"me\\\"\"," FORWARDED(
             "https") CONTEXT("\"authorizer\":{},", "PUT", "/%20", "me\\\"") "\"body\":\"AQ==\","
                                                                             "\"isBase64Encoded\":"
                                                                             "true}"},
        {"text",
         {.method = STR_INIT("POST"),
          .path = STR_INIT("/"),
          .headers = text,
          .n_headers = 1,
          .body = STR_INIT("\xc3\xa9")},
         false,
         {0},
         "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/\",\"rawQueryString\":\"\","
         "\"headers\":{\"content-type\":\"Text/Plain; charset=utf-8\"," FORWARDED("http")
             CONTEXT("", "POST", "/", "") "\"body\":\"\xc3\xa9\",\"isBase64Encoded\":false}"},
        {"coded",
         {.method = STR_INIT("POST"),
          .path = STR_INIT("/"),
          .headers = coded,
          .n_headers = 2,
          .body = STR_INIT("a")},
         false,
         {0},
         "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/\",\"rawQueryString\":\"\","
         "\"headers\":{\"content-type\":\"text/plain\",\"content-encoding\":\"gzip\"," FORWARDED(
             "http") CONTEXT("", "POST", "/", "") "\"body\":\"YQ==\",\"isBase64Encoded\":true}"},
        {"bad query",
         {.method = STR_INIT("GET"), .path = STR_INIT("/"), .query = STR_INIT("%")},
         false,
         {0},
         NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_request req = plain;
        struct arena a;
        struct str json;
        req.http = &rows[i].http;
        req.hide_signature = rows[i].hide;
        req.authorizer = rows[i].authorizer;
        arena_init(&a, ARENA_MAX);
        enum err err = proxy_event_make(&a, &req, &json);
        if (rows[i].json) {
            assert_int_equal(err, ERR_OK);
            assert_string_equal(str_cstr(&a, json), rows[i].json);
        } else {
            assert_int_equal(err, ERR_INVALID);
        }
        arena_release(&a);
    }
}

/* status, then a line for each header, the type's last; then the body */
static const char *shown(struct arena *a, const struct proxy_reply *r)
{
    struct buf b;
    buf_init_arena(&b, a, ARENA_MAX);
    buf_add_fmt(&b, "%d", r->status);
    for (size_t i = 0; i < r->n_headers; i++)
        buf_add_fmt(&b, " " STR_FMT "=" STR_FMT, STR_ARG(r->headers[i].name),
                    STR_ARG(r->headers[i].value));
    buf_add_fmt(&b, " [" STR_FMT "] " STR_FMT, STR_ARG(r->content_type), STR_ARG(r->body));
    return str_cstr(a, buf_str(&b));
}

static void test_reply(void **state)
{
    static const struct {
        const char *answer, *shown; /* "h" before metadata of a stream; NULL: malformed */
    } rows[] = {
        {"{\"a\":1}", "200 [application/json] {\"a\":1}"},
        {" \"x\" ", "200 [application/json]  \"x\" "},
        {"null", "200 [application/json] null"},
        {"{\"statusCode\":null}", "200 [application/json] {\"statusCode\":null}"},
        {"{\"statusCode\":201}", "201 [application/json] "},
        {"{\"statusCode\":\"599\",\"body\":null,\"headers\":null}", "599 [application/json] "},
        {"{\"statusCode\":200,\"headers\":{\"a\":\"b\",\"CONTENT-type\":\"t\",\"n\":1.50,\"t\":"
         "false},"
         "\"cookies\":[\"c\",\"d\"],\"body\":\"x\"}",
         "200 a=b n=1.50 t=false Set-Cookie=c Set-Cookie=d [t] x"},
        {"{\"statusCode\":200,\"body\":\"eA==\",\"isBase64Encoded\":true}",
         "200 [application/json] x"},
        {"{\"statusCode\":200,\"body\":\"eA==\",\"isBase64Encoded\":false}",
         "200 [application/json] eA=="},
        {"", NULL},
        {"{", NULL},
        {"{\"statusCode\":199}", NULL},
        {"{\"statusCode\":600}", NULL},
        {"{\"statusCode\":200.5}", NULL},
        {"{\"statusCode\":99999999999999999999}", NULL},
        {"{\"statusCode\":{}}", NULL},
        {"{\"statusCode\":200,\"body\":1}", NULL},
        {"{\"statusCode\":200,\"body\":\"eA=\",\"isBase64Encoded\":true}", NULL},
        {"{\"statusCode\":200,\"isBase64Encoded\":1}", NULL},
        {"{\"statusCode\":200,\"headers\":[]}", NULL},
        {"{\"statusCode\":200,\"headers\":{\"a\":null}}", NULL},
        {"{\"statusCode\":200,\"headers\":{\"\":\"b\"}}", NULL},
        {"{\"statusCode\":200,\"headers\":{\"a b\":\"b\"}}", NULL},
        {"{\"statusCode\":200,\"headers\":{\"a\\u0000\":\"b\"}}", NULL},
        {"{\"statusCode\":200,\"cookies\":{}}", NULL},
        {"{\"statusCode\":200,\"cookies\":[1]}", NULL},
        {"h{}", "200 [] "},
        {"h{\"statusCode\":404,\"headers\":{\"Content-Type\":\"t\"},\"cookies\":[\"c\"],\"body\":"
         "\"x\"}",
         "404 Set-Cookie=c [t] "},
        {"h[]", NULL},
        {"h17", NULL},
        {"h", NULL},
        {"h{\"statusCode\":1}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct proxy_reply reply;
        arena_init(&a, ARENA_MAX);
        struct str answer = str_c(rows[i].answer);
        bool head = str_starts(answer, STR("h"));
        enum err err = head ? proxy_reply_read_head(&a, str_sub(answer, 1, SIZE_MAX), &reply)
                            : proxy_reply_read(&a, answer, &reply);
        if (rows[i].shown) {
            assert_int_equal(err, ERR_OK);
            assert_string_equal(shown(&a, &reply), rows[i].shown);
        } else {
            assert_int_equal(err, ERR_INVALID);
        }
        arena_release(&a);
    }
}

static void test_headers_are_bounded(void **state)
{
    for (int over = 0; over < 2; over++) {
        struct arena a;
        struct buf b;
        struct proxy_reply reply;
        arena_init(&a, ARENA_MAX);
        buf_init_arena(&b, &a, ARENA_MAX);
        buf_add_c(&b, "{\"statusCode\":200,\"headers\":{\"a\":\"b\"");
        for (int i = 1; i < PROXY_HEADERS_MAX + over; i++)
            buf_add_fmt(&b, ",\"a%d\":\"b\"", i);
        buf_add_c(&b, "}}");
        assert_int_equal(proxy_reply_read(&a, buf_str(&b), &reply), over ? ERR_INVALID : ERR_OK);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_headers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
