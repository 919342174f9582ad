/* Events of REST APIs, and answers to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rest.h"

enum { ARENA_BYTES = 1 << 20, TEXT_MAX = 64 * 1024 };

#define EVENT(more)                                                                                \
    "{\"resource\":\"/cars\",\"path\":\"/cars\",\"httpMethod\":\"POST\","                          \
    "\"requestContext\":{\"requestId\":\"r1\"}" more "}"

static struct rest_request read_event(struct arena *a, const char *event)
{
    struct rest_request r;
    assert_int_equal(rest_read(a, str_c(event), &r), ERR_OK);
    return r;
}

static void test_requests(void **state)
{
    struct arena a;
    arena_init(&a, ARENA_BYTES);
    struct rest_request r = read_event(&a, EVENT(",\"body\":null,\"headers\":null"));
    assert_true(str_eq_c(r.method, "POST") && str_eq_c(r.resource, "/cars") &&
                str_eq_c(r.request_id, "r1"));
    assert_false(str_is_set(r.body) || r.headers || r.authorizer);
    assert_false(str_is_set(rest_header(&r, STR("a"))));
    r = read_event(
        &a, EVENT(",\"body\":\"aGk=\",\"isBase64Encoded\":true,\"headers\":{\"X-One\":\"1\"}"));
    assert_true(str_eq_c(r.body, "hi") && str_eq_c(rest_header(&r, STR("x-one")), "1"));
    r = read_event(&a, EVENT(",\"body\":\"aGk=\",\"isBase64Encoded\":false"));
    assert_true(str_eq_c(r.body, "aGk="));
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"resource\":\"/\",\"httpMethod\":\"GET\"}",
        EVENT(",\"body\":\"?\",\"isBase64Encoded\":true"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(rest_read(&a, str_c(bad[i]), &r), ERR_INVALID);
    arena_release(&a);
    (void)state;
}

static void test_answers(void **state)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    rest_reply(&b, 200, STR("{}"), STR("*"));
    assert_true(str_eq_c(buf_str(&b),
                         "{\"statusCode\":200,\"headers\":{\"Content-Type\":\"application/json\","
                         "\"Access-Control-Allow-Origin\":\"*\"},\"body\":\"{}\"}"));
    buf_clear(&b);
    rest_reply_message(&b, 400, STR("\"no\""), STR_NONE);
    assert_true(str_eq_c(buf_str(&b),
                         "{\"statusCode\":400,\"headers\":{\"Content-Type\":\"application/json\"},"
                         "\"body\":\"{\\\"message\\\":\\\"\\\\\\\"no\\\\\\\"\\\"}\"}"));
    buf_release(&b);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
