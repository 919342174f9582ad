/* Snapshots compiled, paths found, parameters and bodies checked: serve.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "svc/apigateway/serve.h"

enum { ARENA_MAX = 1 << 24 };

#define MOCK "\"methodIntegration\":{\"type\":\"MOCK\"}"
#define METHOD(name, more) "\"" name "\":{" more MOCK "}"

static const char snapshot[] =
    "{\"restApi\":{\"id\":\"a\",\"name\":\"n\",\"binaryMediaTypes\":[\"image/*\",\"a/b\"],"
    "\"minimumCompressionSize\":10,\"apiKeySource\":\"AUTHORIZER\"},"
    "\"models\":[{\"id\":\"1\",\"name\":\"Car\",\"contentType\":\"application/"
    "json\",\"schema\":"
    "\"{\\\"type\\\":\\\"object\\\",\\\"required\\\":[\\\"make\\\"],\\\"properties\\\":{"
    "\\\"make\\\":"
    "{\\\"$ref\\\":\\\"https://apigateway.amazonaws.com/restapis/a/models/Name\\\"}}}\"},"
    "{\"id\":\"2\",\"name\":\"Name\",\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"},"
    "{\"id\":\"3\",\"name\":\"Bad\",\"schema\":\"{\\\"type\\\":7}\"}],"
    "\"requestValidators\":[{\"id\":\"v\",\"validateRequestBody\":true,"
    "\"validateRequestParameters\":true}],"
    "\"authorizers\":[{\"id\":\"z\",\"type\":\"TOKEN\"}],"
    "\"resources\":["
    "{\"id\":\"r\",\"path\":\"/\",\"resourceMethods\":{" METHOD(
        "GET",
        "") "}},"
            "{\"id\":\"p\",\"path\":\"/{proxy+}\",\"resourceMethods\":{" METHOD(
                "ANY",
                "") "}},"
                    "{\"id\":\"o\",\"path\":\"/only\"},"
                    "{\"id\":\"c\",\"path\":\"/cars\",\"resourceMethods\":{" METHOD(
                        "POST",
                        "\"requestValidatorId\":\"v\",\"requestModels\":{\"application/"
                        "json\":\"Car\",\"text/bad\":"
                        "\"Bad\"},\"requestParameters\":{\"method.request.querystring.q\":"
                        "true,"
                        "\"method.request.header.X-H\":true,\"method.request.header.no\":"
                        "false}"
                        ",") "," METHOD("GET",
                                        "\"authorizationType\":\"CUSTOM\","
                                        "\"authorizerId\":"
                                        "\"z\",") "}},"
                                                  "{\"id\":\"i\",\"path\":\"/cars/"
                                                  "{id}\",\"resourceMethods\":"
                                                  "{" METHOD("GET", "") "," METHOD(
                                                      "ANY",
                                                      "") "}},"
                                                          "{\"id\":\"b\","
                                                          "\"path\":\"/cars/"
                                                          "best\","
                                                          "\"resourceMethods\":"
                                                          "{" METHOD("GET",
                                                                     "") "}},"
                                                                         "{\"id\":"
                                                                         "\"w\","
                                                                         "\"path\":\"/"
                                                                         "{x}/"
                                                                         "wheels\","
                                                                         "\"resourceMet"
                                                                         "hods\":"
                                                                         "{" METHOD("GET",
                                                                                    "") "}},"
                                                                                        "{\"id"
                                                                                        "\":"
                                                                                        "\"g\""
                                                                                        ",\"pa"
                                                                                        "th\":"
                                                                                        "\"/"
                                                                                        "cars/"
                                                                                        "{id}/"
                                                                                        "{rest"
                                                                                        "+}\","
                                                                                        "\"res"
                                                                                        "ource"
                                                                                        "Metho"
                                                                                        "ds\":"
                                                                                        "{" METHOD(
                                                                                            "G"
                                                                                            "E"
                                                                                            "T",
                                                                                            "") "}}"
                                                                                                "]"
                                                                                                "}";

static struct serve_api *compiled(void)
{
    struct serve_api *api = NULL;
    assert_int_equal(serve_compile(STR("a"), str_c(snapshot), &api), ERR_OK);
    return api;
}

static void test_compiled(void **state)
{
    struct serve_api *api = compiled();
    struct serve_route r;
    assert_true(str_eq_c(api->name, "n"));
    assert_int_equal(api->compress_min, 10);
    assert_true(api->key_by_authorizer);
    assert_int_equal(api->n_resources, 8);
    assert_int_equal(serve_find(api, STR("GET"), STR("/cars"), &r), ERR_OK);
    assert_true(str_eq_c(json_get_str(r.method->authorizer, STR("type")), "TOKEN"));
    assert_int_equal(r.method->integration->kind, SERVE_MOCK);
    assert_int_equal(r.method->integration->timeout_ms, SERVE_TIMEOUT_MS_MAX);
    serve_api_ref(api);
    serve_api_unref(api);
    serve_api_unref(api);
}

static void test_damaged(void **state)
{
    static const char *const rows[] = {"",
                                       "{",
                                       "[]",
                                       "{}",
                                       "{\"restApi\":1}",
                                       "{\"restApi\":{},\"resources\":[{\"path\":\"x\"}]}"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct serve_api *api;
        assert_int_equal(serve_compile(STR("a"), str_c(rows[i]), &api), ERR_CORRUPT);
    }
}

static void test_find(void **state)
{
    static const struct {
        const char *method, *path, *resource, *params; /* NULL: none */
    } rows[] = {
        {"GET", "/", "r", ""},
        {"GET", "", "r", ""},
        {"POST", "/", NULL, NULL},
        {"GET", "/only", "p", "proxy=only "}, /* it has no methods */
        {"GET", "/cars", "c", ""},
        {"GET", "/cars/", "c", ""},
        {"DELETE", "/cars", NULL, NULL}, /* the resource is there, so {proxy+} is not asked */
        {"GET", "/cars/best", "b", ""},
        {"POST", "/cars/best", NULL, NULL},
        {"GET", "/cars/7", "i", "id=7 "},
        {"PUT", "/cars/%2F", "i", "id=%2F "},
        {"GET", "/cars/7/8/9", "g", "id=7 rest=8/9 "},
        {"GET", "/cars/wheels", "i", "id=wheels "},
        {"GET", "/bikes/wheels", "w", "x=bikes "},
        {"GET", "/bikes/wheels/2", "p", "proxy=bikes/wheels/2 "},
        {"GET", "/a//b", "p", "proxy=a//b "},
        {"GET", "//", "r", ""},
    };
    struct serve_api *api = compiled();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct serve_route r;
        struct buf b;
        char text[256];
        enum err err = serve_find(api, str_c(rows[i].method), str_c(rows[i].path), &r);
        if (!rows[i].resource) {
            assert_int_equal(err, ERR_NOT_FOUND);
            continue;
        }
        assert_int_equal(err, ERR_OK);
        assert_true(str_eq_c(r.resource->id, rows[i].resource));
        buf_init_fixed(&b, text, sizeof(text));
        for (size_t k = 0; k < r.n_params; k++)
            buf_add_fmt(&b, STR_FMT "=" STR_FMT " ", STR_ARG(r.params[k].name),
                        STR_ARG(r.params[k].value));
        assert_true(str_eq_c(buf_str(&b), rows[i].params));
    }
    serve_api_unref(api);
}

static void test_depth_is_bounded(void **state)
{
    for (int over = 0; over < 2; over++) {
        struct arena a;
        struct buf b;
        struct serve_api *api;
        arena_init(&a, ARENA_MAX);
        buf_init_arena(&b, &a, ARENA_MAX);
        buf_add_c(&b, "{\"restApi\":{},\"resources\":[{\"path\":\"");
        for (int i = 0; i < SERVE_PATH_DEPTH_MAX + over; i++)
            buf_add_c(&b, "/a");
        buf_add_c(&b, "\",\"resourceMethods\":{" METHOD("GET", "") "}}]}");
        enum err err = serve_compile(STR("a"), buf_str(&b), &api);
        assert_int_equal(err, over ? ERR_LIMIT : ERR_OK);
        if (!err)
            serve_api_unref(api);
        arena_release(&a);
    }
}

static void test_params(void **state)
{
    static const struct wire_header h[] = {{STR_INIT("x-h"), STR_INIT("1")}};
    static const struct percent_pair q[] = {{STR_INIT("q"), STR_INIT("1")}},
                                     blank[] = {{STR_INIT("q"), STR_INIT(" ")}},
                                     bare[] = {{STR_INIT("q"), {0}}};
    static const struct {
        size_t n_headers;
        const struct percent_pair *query;
        const char *message; /* NULL: none missing */
    } rows[] = {
        {1, q, NULL},
        {0, q, "Missing required request parameters: [X-H]"},
        {1, blank, "Missing required request parameters: [q]"},
        {1, bare, "Missing required request parameters: [q]"},
        {1, NULL, "Missing required request parameters: [q]"},
        {0, NULL, "Missing required request parameters: [q, X-H]"},
    };
    struct serve_api *api = compiled();
    struct serve_route r;
    assert_int_equal(serve_find(api, STR("POST"), STR("/cars"), &r), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str message;
        const struct wire_request http = {.headers = h, .n_headers = rows[i].n_headers};
        const struct serve_input in = {
            .http = &http, .route = &r, .query = rows[i].query, .n_query = rows[i].query != NULL};
        arena_init(&a, ARENA_MAX);
        enum err err = serve_check_params(&a, r.method, &in, &message);
        assert_int_equal(err, rows[i].message ? ERR_INVALID : ERR_OK);
        if (err)
            assert_string_equal(str_cstr(&a, message), rows[i].message);
        arena_release(&a);
    }
    serve_api_unref(api);
}

static void test_body(void **state)
{
    static const struct {
        const char *type, *body;
        enum err err;
    } rows[] = {
        {"application/json", "{\"make\":\"x\"}", ERR_OK},
        {NULL, "{\"make\":\"x\"}", ERR_OK},
        {"Application/JSON; charset=utf-8", "{\"make\":\"x\"}", ERR_OK},
        {"application/json", "{}", ERR_INVALID},
        {"application/json", "{\"make\":1}", ERR_INVALID}, /* by the other model */
        {"application/json", "", ERR_INVALID},
        {"application/json", "{", ERR_INVALID},
        {"text/plain", "{", ERR_OK}, /* no model for it */
        {"text/bad", "{}", ERR_UNSUPPORTED},
    };
    struct serve_api *api = compiled();
    struct serve_route r;
    assert_int_equal(serve_find(api, STR("POST"), STR("/cars"), &r), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str errors;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(
            serve_check_body(&a, r.method, str_c(rows[i].type), str_c(rows[i].body), &errors),
            rows[i].err);
        arena_release(&a);
    }
    assert_int_equal(serve_find(api, STR("GET"), STR("/cars"), &r), ERR_OK);
    assert_int_equal(serve_check_body(NULL, r.method, STR_NONE, STR("{"), NULL), ERR_OK);
    serve_api_unref(api);
}

static void test_binary(void **state)
{
    static const struct {
        const char *type;
        bool binary;
    } rows[] = {{"image/png", true}, {"IMAGE/png; q=1", true}, {"a/b", true},
                {"a/c", false},      {"image", false},         {"", false},
                {NULL, false}};
    struct serve_api *api = compiled();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(serve_is_binary(api, str_c(rows[i].type)), rows[i].binary);
    serve_api_unref(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compiled), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_find),     cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_params),   cmocka_unit_test(test_body),
        cmocka_unit_test(test_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
