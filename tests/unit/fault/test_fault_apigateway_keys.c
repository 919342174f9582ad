/* Operations of API Gateway on keys, plans, domains, gateway responses and descriptions that write, with
 * every single failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define GATEWAY(verb, where, text)                                                                 \
    {                                                                                              \
        .service = "apigateway", .method = verb, .path = where, .type = "application/json",        \
        .body = text                                                                               \
    }
#define TAKE_ID "\"id\":\""
#define PATCHES(op, path, value)                                                                   \
    "{\"patchOperations\":[{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":\"" value "\"}]}"
#define API                                                                                        \
    {                                                                                              \
        GATEWAY("POST", "/restapis", "{\"name\":\"a\"}"), .take = TAKE_ID                          \
    }
#define DOMAIN                                                                                     \
    {                                                                                              \
        GATEWAY("POST", "/domainnames",                                                            \
                "{\"domainName\":\"a.example.com\",\"tags\":{\"k\":\"v\"}}")                       \
    }
#define MAPPINGS "/domainnames/a.example.com/basepathmappings"
#define DESCRIPTION                                                                                \
    "{\"swagger\":\"2.0\",\"info\":{\"title\":\"a\",\"version\":\"1\"},\"paths\":{\"/"             \
    "p\":{\"get\":"                                                                                \
    "{\"responses\":{},\"x-amazon-apigateway-integration\":{\"type\":\"mock\"}}}},"                \
    "\"x-amazon-apigateway-gateway-responses\":{\"THROTTLED\":{\"statusCode\":\"420\"}}}"

#define EMPTIED                                                                                    \
    {                                                                                              \
        GATEWAY("PUT", "/restapis/%s?mode=overwrite",                                              \
                "{\"swagger\":\"2.0\",\"info\":{\"title\":\"b\",\"version\":\"2\"}}")              \
    }

static const struct fault_case cases[] = {
    {
        .name = "create api key",
        .undo = {{GATEWAY("GET", "/apikeys?name=k", ""), .take = TAKE_ID},
                 {GATEWAY("DELETE", "/apikeys/%s", "")}},
        .act = {GATEWAY(
            "POST", "/apikeys",
            "{\"name\":\"k\",\"value\":\"01234567890123456789\",\"tags\":{\"k\":\"v\"}}")},
        .probe = {{GATEWAY("GET", "/apikeys?name=z", "")}},
        .any_reply = true,
    },
    {
        .name = "update api key",
        .setup = {{GATEWAY("POST", "/apikeys", "{\"name\":\"k\"}"), .take = TAKE_ID}},
        .undo = {{GATEWAY("PATCH", "/apikeys/%s", PATCHES("replace", "/customerId", "a"))}},
        .act = {GATEWAY("PATCH", "/apikeys/%s", PATCHES("replace", "/customerId", "b"))},
        .probe = {{GATEWAY("GET", "/apikeys?customerId=z", "")}},
        .any_reply = true,
    },
    {
        .name = "update usage plan",
        .setup = {{GATEWAY("POST", "/usageplans", "{\"name\":\"p\",\"description\":\"a\"}"),
                   .take = TAKE_ID}},
        .undo = {{GATEWAY("PATCH", "/usageplans/%s", PATCHES("replace", "/description", "a"))}},
        .act = {GATEWAY("PATCH", "/usageplans/%s", PATCHES("replace", "/description", "b"))},
        .probe = {{GATEWAY("GET", "/usageplans/%s", "")}},
    },
    {
        .name = "put gateway response",
        .setup = {API},
        .undo = {{GATEWAY("DELETE", "/restapis/%s/gatewayresponses/THROTTLED", "")}},
        .act = {GATEWAY("PUT", "/restapis/%s/gatewayresponses/THROTTLED",
                        "{\"statusCode\":\"420\"}")},
        .probe = {{GATEWAY("GET", "/restapis/%s/gatewayresponses/THROTTLED", "")}},
    },
    {
        .name = "create domain name",
        .undo = {{GATEWAY("DELETE", "/domainnames/a.example.com", "")}},
        .act = DOMAIN,
        .probe = {{GATEWAY("GET", MAPPINGS, "")}},
        .any_reply = true,
    },
    {
        .name = "create base path mapping",
        .setup = {API, DOMAIN},
        .undo = {{GATEWAY("DELETE", MAPPINGS "/v1", "")}},
        .act = {GATEWAY("POST", MAPPINGS, "{\"basePath\":\"v1\",\"restApiId\":\"%s\"}")},
        .probe = {{GATEWAY("GET", MAPPINGS, "")}},
    },
    {
        .name = "put rest api",
        .setup = {API, EMPTIED},
        .undo = {EMPTIED},
        .act = {GATEWAY("PUT", "/restapis/%s?mode=overwrite", DESCRIPTION)},
        .probe = {{GATEWAY("GET", "/restapis/%s", "")},
                  {GATEWAY("GET", "/restapis/%s/gatewayresponses/THROTTLED", "")}},
    },
};

static void test_cases(void **state)
{
    fault_run(cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
