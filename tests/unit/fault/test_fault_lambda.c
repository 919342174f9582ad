/* Lambda's definitions with every single failure; no function runs. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

/* A zip file with a `bootstrap`, base64. */
#define CODE                                                                                       \
    "UEsDBBQAAAAAAAAAIVAdnfsECgAAAAoAAAAJAAAAYm9vdHN0cmFwIyEvYmluL3No"                             \
    "ClBLAQIUAxQAAAAAAAAAIVAdnfsECgAAAAoAAAAJAAAAAAAAAAAAAADtAQAAAABi"                             \
    "b290c3RyYXBQSwUGAAAAAAEAAQA3AAAAMQAAAAAA"
#define LAMBDA(verb, where, text)                                                                  \
    {                                                                                              \
        {                                                                                          \
            .service = "lambda", .method = verb, .path = where, .type = "application/json",        \
            .body = text                                                                           \
        }                                                                                          \
    }
#define ROLE                                                                                       \
    {                                                                                              \
        IAM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument="                               \
            "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22"        \
            "Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole"      \
            "%22%7D%7D")                                                                           \
    }
#define CREATE                                                                                     \
    LAMBDA("POST", "/2015-03-31/functions",                                                        \
           "{\"FunctionName\":\"f\",\"Runtime\":\"provided.al2023\",\"Handler\":\"h\",\"Role\":"   \
           "\"arn:aws:iam::000000000000:role/r\",\"Code\":{\"ZipFile\":\"" CODE "\"}}")
#define DELETE LAMBDA("DELETE", "/2015-03-31/functions/f", NULL)
#define GET LAMBDA("GET", "/2015-03-31/functions/f/configuration", NULL)
#define LIST LAMBDA("GET", "/2015-03-31/functions", NULL)

static const struct fault_case cases[] = {
    {
        .name = "create function",
        .setup = {ROLE},
        .undo = {DELETE},
        .act = CREATE,
        .probe = {LIST},
    },
    {
        .name = "delete function",
        .setup = {ROLE, CREATE},
        .undo = {CREATE},
        .act = DELETE,
        .probe = {LIST},
    },
    {
        .name = "update configuration",
        .setup = {ROLE, CREATE},
        .undo = {DELETE, CREATE},
        .act = LAMBDA("PUT", "/2015-03-31/functions/f/configuration",
                      "{\"Timeout\":9,\"Environment\":{\"Variables\":{\"AB\":\"b\"}}}"),
        .probe = {GET},
    },
    {
        .name = "add permission",
        .setup = {ROLE, CREATE},
        .undo = {LAMBDA("DELETE", "/2015-03-31/functions/f/policy/s", NULL)},
        .act = LAMBDA("POST", "/2015-03-31/functions/f/policy",
                      "{\"StatementId\":\"s\",\"Action\":\"lambda:InvokeFunction\","
                      "\"Principal\":\"s3.amazonaws.com\"}"),
        .probe = {LAMBDA("GET", "/2015-03-31/functions/f/policy", NULL)},
    },
    {
        .name = "reserve concurrency",
        .setup = {ROLE, CREATE},
        .undo = {LAMBDA("DELETE", "/2017-10-31/functions/f/concurrency", NULL)},
        .act = LAMBDA("PUT", "/2017-10-31/functions/f/concurrency",
                      "{\"ReservedConcurrentExecutions\":3}"),
        .probe = {LAMBDA("GET", "/2019-09-30/functions/f/concurrency", NULL)},
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
