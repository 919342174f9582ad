/* Operations of API Gateway's control plane that write, with every single failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define GATEWAY(verb, where, text)                                                                 \
    {                                                                                              \
        .req = {                                                                                   \
            .service = "apigateway",                                                               \
            .method = verb,                                                                        \
            .path = where,                                                                         \
            .type = "application/json",                                                            \
            .body = text                                                                           \
        }                                                                                          \
    }
/* `%s` is the API, `%t` its root. */
#define CREATE                                                                                     \
    {                                                                                              \
        .req = {.service = "apigateway",                                                           \
                .method = "POST",                                                                  \
                .path = "/restapis",                                                               \
                .type = "application/json",                                                        \
                .body = "{\"name\":\"a\",\"tags\":{\"k\":\"v\"}}"},                                \
        .take = "\"id\":\"", .take_too = "\"rootResourceId\":\""                                   \
    }
#define FIND                                                                                       \
    {                                                                                              \
        .req = {.service = "apigateway", .method = "GET", .path = "/restapis"},                    \
        .take = "\"id\":\""                                                                        \
    }
#define DROP GATEWAY("DELETE", "/restapis/%s", NULL)
#define LIST GATEWAY("GET", "/restapis", NULL)
#define API "/restapis/%s"
#define RESOURCES GATEWAY("GET", API "/resources?embed=methods", NULL)
#define PATCH(where, op, at, value)                                                                \
    GATEWAY("PATCH", where,                                                                        \
            "{\"patchOperations\":[{\"op\":\"" op "\",\"path\":\"" at "\",\"value\":\"" value      \
            "\"}]}")
#define METHOD_AT API "/resources/%t/methods/GET"
#define METHOD GATEWAY("PUT", METHOD_AT, "{\"authorizationType\":\"NONE\"}")
#define RESPONSE                                                                                   \
    GATEWAY("PUT", METHOD_AT "/responses/200",                                                     \
            "{\"responseModels\":{\"application/json\":\"Empty\"},\"responseParameters\":{"        \
            "\"method.response.header.A\":true}}")
#define INTEGRATION                                                                                \
    GATEWAY("PUT", METHOD_AT "/integration",                                                       \
            "{\"type\":\"MOCK\",\"requestTemplates\":{\"application/json\":\"{}\"}}")
#define INTEGRATION_RESPONSE                                                                       \
    GATEWAY("PUT", METHOD_AT "/integration/responses/200",                                         \
            "{\"responseParameters\":{\"method.response.header.A\":\"'a'\"}}")
#define MODEL                                                                                      \
    GATEWAY("POST", API "/models",                                                                 \
            "{\"name\":\"M\",\"contentType\":\"application/json\",\"schema\":\"{\\\"$ref\\\":"     \
            "\\\"https://apigateway.amazonaws.com/restapis/%s/models/Empty\\\"}\"}")
#define MODELS GATEWAY("GET", API "/models/M", NULL)
#define VALIDATOR                                                                                  \
    GATEWAY("POST", API "/requestvalidators", "{\"name\":\"v\",\"validateRequestBody\":true}")
#define AUTHORIZER                                                                                 \
    GATEWAY("POST", API "/authorizers",                                                            \
            "{\"name\":\"p\",\"type\":\"COGNITO_USER_POOLS\",\"identitySource\":"                  \
            "\"method.request.header.A\",\"providerARNs\":["                                       \
            "\"arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a\"]}")
#define DEPLOY                                                                                     \
    GATEWAY("POST", API "/deployments", "{\"stageName\":\"s\",\"variables\":{\"a\":\"b\"}}")
#define STAGES GATEWAY("GET", API "/stages", NULL)
#define DEPLOYMENTS GATEWAY("GET", API "/deployments", NULL)

static const struct fault_case cases[] = {
    {
        .name = "create rest api",
        .undo = {FIND, DROP},
        .act = GATEWAY("POST", "/restapis", "{\"name\":\"a\",\"tags\":{\"k\":\"v\"}}"),
        .probe = {LIST},
        .drawn = true,
    },
    {
        .name = "update rest api",
        .setup = {CREATE},
        .undo = {DROP, CREATE},
        .act = PATCH(API, "replace", "/policy",
                     "{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":"
                     "\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"*\\\","
                     "\\\"Resource\\\":\\\"*\\\"}]}"),
        .probe = {LIST},
        .drawn = true,
    },
    {
        .name = "delete rest api",
        .setup = {CREATE, METHOD, INTEGRATION, DEPLOY},
        .undo = {DROP, CREATE, METHOD, INTEGRATION, DEPLOY},
        .act = DROP,
        .probe = {LIST},
        .drawn = true,
    },
    {
        .name = "clone rest api", /* two APIs in no order: nothing is probed */
        .setup = {CREATE, METHOD, RESPONSE, INTEGRATION, INTEGRATION_RESPONSE, MODEL, VALIDATOR},
        .act = GATEWAY("POST", "/restapis", "{\"name\":\"b\",\"cloneFrom\":\"%s\"}"),
        .drawn = true,
    },
    {
        .name = "create resource", /* in no order with the root: nothing is probed */
        .setup = {CREATE},
        .undo = {DROP, CREATE},
        .act = GATEWAY("POST", API "/resources/%t", "{\"pathPart\":\"cars\"}"),
        .drawn = true,
    },
    {
        .name = "put method",
        .setup = {CREATE},
        .undo = {DROP, CREATE},
        .act = METHOD,
        .probe = {RESOURCES},
        .drawn = true,
    },
    {
        .name = "delete method",
        .setup = {CREATE, METHOD},
        .undo = {DROP, CREATE, METHOD},
        .act = GATEWAY("DELETE", METHOD_AT, NULL),
        .probe = {RESOURCES},
        .drawn = true,
    },
    {
        .name = "put integration response",
        .setup = {CREATE, METHOD, RESPONSE, INTEGRATION},
        .undo = {DROP, CREATE, METHOD, RESPONSE, INTEGRATION},
        .act = INTEGRATION_RESPONSE,
        .probe = {RESOURCES},
        .drawn = true,
    },
    {
        .name = "create model",
        .setup = {CREATE},
        .undo = {GATEWAY("DELETE", API "/models/M", NULL)},
        .act = MODEL,
        .probe = {MODELS},
        .drawn = true,
    },
    {
        .name = "create authorizer",
        .setup = {CREATE},
        .undo = {DROP, CREATE},
        .act = AUTHORIZER,
        .probe = {GATEWAY("GET", API "/authorizers", NULL)},
        .drawn = true,
    },
    {
        .name = "create deployment",
        .setup = {CREATE, METHOD, INTEGRATION},
        .undo = {DROP, CREATE, METHOD, INTEGRATION},
        .act = DEPLOY,
        .probe = {STAGES, DEPLOYMENTS},
        .drawn = true,
    },
    {
        .name = "update stage",
        .setup = {CREATE, METHOD, INTEGRATION, DEPLOY},
        .undo = {DROP, CREATE, METHOD, INTEGRATION, DEPLOY},
        .act = PATCH(API "/stages/s", "replace", "/*/*/throttling/burstLimit", "5"),
        .probe = {STAGES},
        .drawn = true,
    },
};

static void test_cases(void **state)
{
    fault_run(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
