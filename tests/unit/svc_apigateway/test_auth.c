/* auth_int.h: identity sources, events, answers, claims and the cache of authorizers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/apigateway/auth_int.h"

enum { ARENA_MAX = 16 << 20 };

static const struct map_pair PATH[] = {{STR_INIT("id"), STR_INIT("7")}};
static const struct map_pair QUERY[] = {
    {STR_INIT("q"), STR_INIT("1")}, {STR_INIT("q"), STR_INIT("2")}, {STR_INIT("e"), STR_INIT("")}};
static const struct map_pair HEADER[] = {{STR_INIT("Authorization"), STR_INIT("Bearer abc")},
                                         {STR_INIT("X-A"), STR_INIT("1")},
                                         {STR_INIT("x-a"), STR_INIT("2")}};
static const struct map_message MESSAGE = {
    .path = {PATH, 1}, .query = {QUERY, ARRAY_LEN(QUERY)}, .header = {HEADER, ARRAY_LEN(HEADER)}};

static struct json *json_of(struct arena *a, const char *text)
{
    struct json *root;
    assert_int_equal(json_parse(a, str_c(text), &root, NULL), ERR_OK);
    return root;
}

static struct map_scope scope_of(struct arena *a)
{
    return (struct map_scope){json_of(a, "{\"identity\":{\"sourceIp\":\"10.0.0.1\"}}"),
                              json_of(a, "{\"v\":\"stage\"}")};
}

static void test_sources(void **state)
{
    static const struct {
        const char *source;
        enum err err;
        const char *key, *token;
    } rows[] = {
        {"method.request.header.Authorization", ERR_OK, "10:Bearer abc", "Bearer abc"},
        {"method.request.header.authorization", ERR_OK, "10:Bearer abc", "Bearer abc"},
        {"method.request.header.X-A, method.request.querystring.q", ERR_OK, "1:21:2", "2"},
        {"stageVariables.v,context.identity.sourceIp", ERR_OK, "5:stage8:10.0.0.1", "stage"},
        {"", ERR_OK, "", NULL},
        {"method.request.header.None", ERR_NOT_FOUND, NULL, NULL},
        {"method.request.querystring.e", ERR_NOT_FOUND, NULL, NULL},
        {"method.request.header.X-A,method.request.querystring.Q", ERR_NOT_FOUND, NULL, NULL},
        {"context.identity.user", ERR_NOT_FOUND, NULL, NULL},
        {"method.request.body.x", ERR_INVALID, NULL, NULL},
        {"nonsense", ERR_INVALID, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct auth_identity id;
        arena_init(&a, ARENA_MAX);
        struct map_scope scope = scope_of(&a);
        struct str text = str_fmt(&a, "{\"identitySource\":\"%s\"}", rows[i].source);
        struct json *authorizer = json_of(&a, str_cstr(&a, text));
        assert_int_equal(auth_sources(&a, authorizer, &scope, &MESSAGE, &id), rows[i].err);
        if (rows[i].err == ERR_OK) {
            assert_true(str_eq_c(id.key, rows[i].key));
            assert_true(!rows[i].token || str_eq_c(id.token, rows[i].token));
        }
        arena_release(&a);
    }
}

static void test_settings(void **state)
{
    static const struct {
        const char *authorizer;
        int64_t ttl;
        bool valid; /* of "Bearer abc" */
        enum err err;
    } rows[] = {
        {"{}", 300, true, ERR_OK},
        {"{\"authorizerResultTtlInSeconds\":0}", 0, true, ERR_OK},
        {"{\"authorizerResultTtlInSeconds\":3600}", 3600, true, ERR_OK},
        {"{\"authorizerResultTtlInSeconds\":3601}", 3600, true, ERR_OK},
        {"{\"identityValidationExpression\":\"Bearer [a-z]+\"}", 300, true, ERR_OK},
        {"{\"identityValidationExpression\":\"Bearer\"}", 300, false, ERR_OK},
        {"{\"identityValidationExpression\":\"(\"}", 300, false, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        bool valid;
        arena_init(&a, ARENA_MAX);
        struct json *authorizer = json_of(&a, rows[i].authorizer);
        assert_int_equal(auth_ttl_s(authorizer), rows[i].ttl);
        enum err err = auth_validates(&a, authorizer, STR("Bearer abc"), &valid);
        assert_int_equal(err, rows[i].err);
        assert_true(err != ERR_OK || valid == rows[i].valid);
        arena_release(&a);
    }
    assert_true(
        str_eq_c(auth_function(STR("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
                                   "arn:aws:lambda:us-east-1:1:function:f:live/invocations")),
                 "arn:aws:lambda:us-east-1:1:function:f:live"));
    assert_false(str_is_set(
        auth_function(STR("arn:aws:apigateway:us-east-1:lambda:path/functions//invocations"))));
    assert_false(str_is_set(auth_function(STR("http://example.com/functions/f/invocations"))));
    assert_false(str_is_set(auth_function(STR_NONE)));
}

static void test_events(void **state)
{
    struct arena a;
    struct str json;
    struct call call = {0};
    arena_init(&a, ARENA_MAX);
    call.arena = &a;
    assert_int_equal(auth_token_event(&a, STR("arn:m"), STR("t\"k"), &json), ERR_OK);
    assert_string_equal(
        str_cstr(&a, json),
        "{\"type\":\"TOKEN\",\"methodArn\":\"arn:m\",\"authorizationToken\":\"t\\\"k\"}");
    struct map_scope scope = scope_of(&a);
    struct auth_request req = {.call = &call,
                               .resource_path = STR("/pets/{id}"),
                               .path = STR("/pets/7"),
                               .http_method = STR("GET"),
                               .scope = &scope,
                               .message = &MESSAGE,
                               .request_context = json_of(&a, "{\"stage\":\"s\"}")};
    assert_int_equal(auth_request_event(&req, STR("arn:m"), &json), ERR_OK);
    assert_string_equal(
        str_cstr(&a, json),
        "{\"type\":\"REQUEST\",\"methodArn\":\"arn:m\",\"resource\":\"/pets/{id}\",\"path\":\"/"
        "pets/7\","
        "\"httpMethod\":\"GET\",\"headers\":{\"Authorization\":\"Bearer abc\",\"x-a\":\"2\"},"
        "\"multiValueHeaders\":{\"Authorization\":[\"Bearer abc\"],\"X-A\":[\"1\",\"2\"]},"
        "\"queryStringParameters\":{\"q\":\"2\",\"e\":\"\"},"
        "\"multiValueQueryStringParameters\":{\"q\":[\"1\",\"2\"],\"e\":[\"\"]},"
        "\"pathParameters\":{\"id\":\"7\"},\"stageVariables\":{\"v\":\"stage\"},"
        "\"requestContext\":{\"stage\":\"s\"}}");
    struct map_message empty = {0};
    scope.stage_variables = NULL;
    req.message = &empty;
    req.request_context = NULL;
    assert_int_equal(auth_request_event(&req, STR("arn:m"), &json), ERR_OK);
    assert_true(
        str_ends(json, STR("\"pathParameters\":{},\"stageVariables\":{},\"requestContext\":{}}")));
    arena_release(&a);
}

static void test_answers(void **state)
{
#define POLICY "\"policyDocument\":{\"Version\":\"2012-10-17\"}"
    static const struct {
        const char *json, *authorizer, *key; /* authorizer NULL: refused */
    } rows[] = {
        {"{\"principalId\":\"me\"," POLICY "}", "{\"principalId\":\"me\"}", NULL},
        {"{\"principalId\":\"me\"," POLICY
         ",\"context\":{\"a\":\"x\",\"n\":1.50,\"b\":true,\"z\":null},"
         "\"usageIdentifierKey\":\"k\"}",
         "{\"a\":\"x\",\"n\":\"1.50\",\"b\":\"true\",\"principalId\":\"me\"}", "k"},
        {"{\"principalId\":\"me\"," POLICY ",\"context\":null}", "{\"principalId\":\"me\"}", NULL},
        {"{\"principalId\":\"me\"," POLICY ",\"context\":{\"a\":[1]}}", NULL, NULL},
        {"{\"principalId\":\"me\"," POLICY ",\"context\":{\"a\":{}}}", NULL, NULL},
        {"{\"principalId\":\"me\"," POLICY ",\"context\":\"x\"}", NULL, NULL},
        {"{" POLICY "}", NULL, NULL},
        {"{\"principalId\":5," POLICY "}", NULL, NULL},
        {"{\"principalId\":\"me\"}", NULL, NULL},
        {"{\"principalId\":\"me\",\"policyDocument\":\"{}\"}", NULL, NULL},
        {"null", NULL, NULL},
        {"", NULL, NULL},
        {"{", NULL, NULL},
        {"[1]", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct auth_answer answer;
        const char *why = NULL;
        struct buf b;
        arena_init(&a, ARENA_MAX);
        enum err err = auth_answer_read(&a, str_c(rows[i].json), &answer, &why);
        assert_int_equal(err, rows[i].authorizer ? ERR_OK : ERR_INVALID);
        if (err == ERR_OK) {
            buf_init_arena(&b, &a, 1000);
            json_put(&b, answer.authorizer);
            assert_string_equal(str_cstr(&a, buf_str(&b)), rows[i].authorizer);
            assert_true(str_eq_c(answer.policy, "{\"Version\":\"2012-10-17\"}"));
            assert_true(str_eq(answer.usage_key, str_c(rows[i].key)));
        } else {
            assert_non_null(why);
        }
        arena_release(&a);
    }
}

static void test_claims(void **state)
{
    struct arena a;
    struct buf b;
    const struct json *shown;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(
        auth_claims(&a,
                    json_of(&a,
                            "{\"sub\":\"u\",\"cognito:groups\":[\"a\",\"b\"],\"exp\":1583322115,"
                            "\"auth_time\":1583318515,\"email_verified\":true}"),
                    &shown),
        ERR_OK);
    buf_init_arena(&b, &a, 1000);
    json_put(&b, shown);
    assert_string_equal(str_cstr(&a, buf_str(&b)),
                        "{\"claims\":{\"sub\":\"u\",\"cognito:groups\":\"a,b\",\"exp\":\"Wed Mar "
                        "04 11:41:55 UTC 2020\","
                        "\"auth_time\":\"1583318515\",\"email_verified\":\"true\"}}");
    arena_release(&a);
}

static void test_cache(void **state)
{
    struct arena a;
    struct str got;
    arena_init(&a, ARENA_MAX);
    struct auth_cache *c = auth_cache_new();
    assert_non_null(c);
    assert_int_equal(auth_cache_get(c, STR("k"), 0, &a, &got), ERR_NOT_FOUND);
    auth_cache_put(c, STR("a/s/k"), STR("one"), 100);
    auth_cache_put(c, STR("a/s/k"), STR("two"), 200);
    auth_cache_put(c, STR("a/t/k"), STR("three"), 200);
    auth_cache_put(c, STR("b/s/k"), STR("four"), 200);
    assert_int_equal(auth_cache_get(c, STR("a/s/k"), 199, &a, &got), ERR_OK);
    assert_true(str_eq_c(got, "two"));
    assert_int_equal(auth_cache_get(c, STR("a/s/k"), 200, &a, &got), ERR_NOT_FOUND);
    auth_cache_drop(c, STR("a/"));
    assert_int_equal(auth_cache_get(c, STR("a/t/k"), 0, &a, &got), ERR_NOT_FOUND);
    assert_int_equal(auth_cache_get(c, STR("b/s/k"), 0, &a, &got), ERR_OK);
    for (int i = 0; i < AUTH_CACHE_MAX; i++)
        auth_cache_put(c, str_fmt(&a, "x/%d", i), STR("v"), 200);
    assert_int_equal(auth_cache_get(c, STR("b/s/k"), 0, &a, &got), ERR_NOT_FOUND);
    assert_int_equal(auth_cache_get(c, STR("x/0"), 0, &a, &got), ERR_OK);
    auth_cache_put(c, STR("x/more"), STR("v"), 200);
    assert_int_equal(auth_cache_get(c, STR("x/0"), 0, &a, &got), ERR_NOT_FOUND);
    assert_int_equal(auth_cache_get(c, STR("x/1"), 0, &a, &got), ERR_OK);
    auth_cache_free(c);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_events),  cmocka_unit_test(test_answers),
        cmocka_unit_test(test_claims),  cmocka_unit_test(test_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
