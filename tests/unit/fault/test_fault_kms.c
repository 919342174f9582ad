/* KMS with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define MAKE                                                                                       \
    {                                                                                              \
        KMS("CreateKey", "{}"), "\"KeyId\":\""                                                     \
    }
#define ALIAS                                                                                      \
    {                                                                                              \
        KMS("CreateAlias", "{\"AliasName\":\"alias/k\",\"TargetKeyId\":\"%s\"}")                   \
    }
#define POLICY(sid)                                                                                \
    "{\"KeyId\":\"%s\",\"Policy\":\"{\\\"Statement\\\":{\\\"Sid\\\":\\\"" sid                      \
    "\\\",\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":{\\\"AWS\\\":\\\"000000000000\\\"},"      \
    "\\\"Action\\\":\\\"kms:*\\\",\\\"Resource\\\":\\\"*\\\"}}\"}"
#define FOR_LOGS                                                                                   \
    "\"{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":{\\\"AWS\\\":"          \
    "\\\"000000000000\\\"},\\\"Action\\\":\\\"kms:*\\\",\\\"Resource\\\":\\\"*\\\"},{"             \
    "\\\"Effect\\\":"                                                                              \
    "\\\"Allow\\\",\\\"Principal\\\":{\\\"Service\\\":\\\"logs.us-east-1.amazonaws.com\\\"},"      \
    "\\\"Action\\\":\\\"kms:*\\\",\\\"Resource\\\":\\\"*\\\"}]}\""
#define GRANT                                                                                      \
    "{\"KeyId\":\"%s\",\"Name\":\"g\",\"GranteePrincipal\":\"arn:aws:iam::000000000000:root\","    \
    "\"RetiringPrincipal\":\"arn:aws:iam::000000000000:root\",\"Operations\":[\"Encrypt\"],"       \
    "\"Constraints\":{\"EncryptionContextSubset\":{\"a\":\"b\"}}}"
#define DESCRIBE                                                                                   \
    {                                                                                              \
        KMS("DescribeKey", "{\"KeyId\":\"alias/k\"}"), "\"KeyId\":\""                              \
    }

static const struct fault_case cases[] = {
    {
        .name = "create key", /* which nothing takes back at once, so nothing is probed */
        .any_reply = true,
        .act = {KMS("CreateKey", "{\"Tags\":[{\"TagKey\":\"k\",\"TagValue\":\"v\"}]}")},
    },
    {
        .name = "create alias",
        .setup = {MAKE},
        .undo = {{KMS("DeleteAlias", "{\"AliasName\":\"alias/k\"}")}},
        .act = ALIAS,
        .probe = {{KMS("ListAliases", "{}")}, {KMS("ListAliases", "{\"KeyId\":\"%s\"}")}},
    },
    {
        .name = "put key policy",
        .setup = {MAKE, {KMS("PutKeyPolicy", POLICY("old"))}},
        .undo = {{KMS("PutKeyPolicy", POLICY("old"))}},
        .act = {KMS("PutKeyPolicy", POLICY("new"))},
        .probe = {{KMS("GetKeyPolicy", "{\"KeyId\":\"%s\"}")}},
    },
    {
        .name = "create grant",
        .setup = {MAKE, ALIAS},
        .undo = {{KMS("CreateGrant", GRANT), "\"GrantToken\":\""},
                 {KMS("RetireGrant", "{\"GrantToken\":\"%s\"}")},
                 DESCRIBE},
        .act = {KMS("CreateGrant", GRANT)},
        .probe = {{KMS("ListGrants", "{\"KeyId\":\"%s\"}")},
                  {KMS("ListRetirableGrants",
                       "{\"RetiringPrincipal\":\"arn:aws:iam::000000000000:root\"}")}},
    },
    {
        .name = "schedule deletion",
        .setup = {MAKE},
        .undo = {{KMS("CancelKeyDeletion", "{\"KeyId\":\"%s\"}")},
                 {KMS("EnableKey", "{\"KeyId\":\"%s\"}")}},
        .act = {KMS("ScheduleKeyDeletion", "{\"KeyId\":\"%s\"}")},
        .probe = {{KMS("DescribeKey", "{\"KeyId\":\"%s\"}")}},
    },
    {
        .name = "enable rotation",
        .setup = {MAKE},
        .undo = {{KMS("DisableKeyRotation", "{\"KeyId\":\"%s\"}")}},
        .act = {KMS("EnableKeyRotation", "{\"KeyId\":\"%s\"}")},
        .probe = {{KMS("GetKeyRotationStatus", "{\"KeyId\":\"%s\"}")}},
    },
    {
        .name = "tag key",
        .setup = {MAKE},
        .undo = {{KMS("UntagResource", "{\"KeyId\":\"%s\",\"TagKeys\":[\"k\"]}")}},
        .act = {KMS("TagResource",
                    "{\"KeyId\":\"%s\",\"Tags\":[{\"TagKey\":\"k\",\"TagValue\":\"v\"}]}")},
        .probe = {{KMS("ListResourceTags", "{\"KeyId\":\"%s\"}")}},
    },
    {
        .name = "associate key with log group",
        .setup = {{KMS("CreateKey", "{\"Policy\":" FOR_LOGS "}"), "\"KeyId\":\""},
                  {LOGS("CreateLogGroup", "{\"logGroupName\":\"g\"}")}},
        .undo = {{LOGS("DisassociateKmsKey", "{\"logGroupName\":\"g\"}")}},
        .act = {LOGS("AssociateKmsKey", "{\"logGroupName\":\"g\",\"kmsKeyId\":"
                                        "\"arn:aws:kms:us-east-1:000000000000:key/%s\"}")},
        .probe = {{LOGS("DescribeLogGroups", "{}")}},
    },
    {
        .name = "encrypt",
        .setup = {MAKE},
        .act = {KMS("Encrypt", "{\"KeyId\":\"%s\",\"Plaintext\":\"eA==\","
                               "\"EncryptionContext\":{\"a\":\"b\"}}")},
        .probe = {{KMS("DescribeKey", "{\"KeyId\":\"%s\"}")}},
    },
};

static void kms(void **state)
{
    fault_run(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
