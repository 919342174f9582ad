/* User pools with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define COGNITO(op, text)                                                                          \
    {                                                                                              \
        .service = "cognito-idp", .target = "AWSCognitoIdentityProviderService." op,               \
        .type = "application/x-amz-json-1.1", .body = text                                         \
    }
#define POOL                                                                                       \
    {                                                                                              \
        COGNITO("CreateUserPool", "{\"PoolName\":\"p\",\"AliasAttributes\":[\"email\"]}"),         \
            "\"Id\":\""                                                                            \
    }
#define USER                                                                                       \
    {                                                                                              \
        COGNITO("AdminCreateUser",                                                                 \
                "{\"UserPoolId\":\"%s\",\"Username\":\"u\",\"MessageAction\":\"SUPPRESS\","        \
                "\"TemporaryPassword\":\"Correct-horse-1\"}")                                      \
    }
#define EMAIL(address)                                                                             \
    {                                                                                              \
        COGNITO("AdminUpdateUserAttributes",                                                       \
                "{\"UserPoolId\":\"%s\",\"Username\":\"u\",\"UserAttributes\":[{\"Name\":"         \
                "\"email\",\"Value\":\"" address "\"},{\"Name\":\"email_verified\",\"Value\":"     \
                "\"true\"}]}")                                                                     \
    }
#define GROUP                                                                                      \
    {                                                                                              \
        COGNITO("CreateGroup", "{\"UserPoolId\":\"%s\",\"GroupName\":\"g\"}")                      \
    }

static const struct fault_case cases[] = {
    {
        .name = "create user pool", /* which nothing takes back at once, so nothing is probed */
        .any_reply = true,
        .act = {COGNITO("CreateUserPool",
                        "{\"PoolName\":\"p\",\"UserPoolTags\":{\"k\":\"v\"},\"Schema\":[{"
                        "\"Name\":\"x\",\"AttributeDataType\":\"String\"}]}")},
    },
    {
        .name = "create user pool client",
        .setup = {POOL},
        .any_reply = true,
        .act = {COGNITO("CreateUserPoolClient", "{\"UserPoolId\":\"%s\",\"ClientName\":\"c\","
                                                "\"GenerateSecret\":true}")},
    },
    {
        .name = "update a user's attributes",
        .setup = {POOL, USER, EMAIL("a@example.com")},
        .undo = {EMAIL("a@example.com")},
        .act = EMAIL("b@example.com"),
        .probe = {{COGNITO("AdminListGroupsForUser",
                           "{\"UserPoolId\":\"%s\",\"Username\":\"b@example.com\"}")}},
    },
    {
        .name = "create group",
        .setup = {POOL},
        .undo = {{COGNITO("DeleteGroup", "{\"UserPoolId\":\"%s\",\"GroupName\":\"g\"}")}},
        .any_reply = true, /* it has the time in it */
        .act = GROUP,
        .probe = {{COGNITO("ListUsersInGroup", "{\"UserPoolId\":\"%s\",\"GroupName\":\"g\"}")}},
    },
    {
        .name = "add user to group",
        .setup = {POOL, USER, GROUP},
        .undo = {{COGNITO("AdminRemoveUserFromGroup",
                          "{\"UserPoolId\":\"%s\",\"GroupName\":\"g\",\"Username\":\"u\"}")}},
        .act = {COGNITO("AdminAddUserToGroup",
                        "{\"UserPoolId\":\"%s\",\"GroupName\":\"g\",\"Username\":\"u\"}")},
        .probe = {{COGNITO("AdminListGroupsForUser", "{\"UserPoolId\":\"%s\",\"Username\":\"u\"}")},
                  {COGNITO("ListUsersInGroup", "{\"UserPoolId\":\"%s\",\"GroupName\":\"g\"}")}},
    },
    {
        .name = "create domain",
        .setup = {POOL},
        .undo = {{COGNITO("DeleteUserPoolDomain", "{\"UserPoolId\":\"%s\",\"Domain\":\"d\"}")}},
        .act = {COGNITO("CreateUserPoolDomain", "{\"UserPoolId\":\"%s\",\"Domain\":\"d\"}")},
        .probe = {{COGNITO("DescribeUserPoolDomain", "{\"Domain\":\"d\"}")},
                  {COGNITO("DescribeUserPool", "{\"UserPoolId\":\"%s\"}")}},
    },
};

static void cognito(void **state)
{
    fault_run(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cognito)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
