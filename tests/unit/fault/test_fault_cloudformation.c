/* CloudFormation with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define CFN(text)                                                                                  \
    {                                                                                              \
        .service = "cloudformation", .type = "application/x-www-form-urlencoded",                  \
        .body = "Version=2010-05-15&" text                                                         \
    }
/* A stack in review: nothing of it runs meanwhile. */
#define REVIEWED(name)                                                                             \
    {                                                                                              \
        CFN("Action=CreateChangeSet&StackName=s&ChangeSetType=CREATE&ChangeSetName=" name          \
            "&TemplateBody=%7B%22Resources%22%3A%7B%22M%22%3A%7B%22Type%22%3A%22"                  \
            "AWS%3A%3ACDK%3A%3AMetadata%22%7D%7D%7D")                                              \
    }
#define POLICY(effect)                                                                             \
    CFN("Action=SetStackPolicy&StackName=s&StackPolicyBody=%7B%22Statement%22%3A%5B%7B%22"         \
        "Effect%22%3A%22" effect "%22%2C%22Action%22%3A%22*%22%2C%22Principal%22%"                 \
        "3A%22*%22%2C%22Resource%22"                                                               \
        "%3A%22*%22%7D%5D%7D")

static const struct fault_case cases[] = {
    {
        .name = "create change set",
        .drawn = true,
        .any_reply = true,
        .setup = {REVIEWED("first")},
        .undo = {{CFN("Action=DeleteChangeSet&StackName=s&ChangeSetName=more")}},
        .act = REVIEWED("more"),
    },
    {
        .name = "set stack policy",
        .setup = {REVIEWED("first"), {POLICY("Deny")}},
        .undo = {{POLICY("Deny")}},
        .act = {POLICY("Allow")},
        .probe = {{CFN("Action=GetStackPolicy&StackName=s")}},
    },
    {
        .name = "protect a stack",
        .setup = {REVIEWED("first")},
        .undo = {{CFN("Action=UpdateTerminationProtection&StackName=s&"
                      "EnableTerminationProtection=false")}},
        .act = {CFN("Action=UpdateTerminationProtection&StackName=s&"
                    "EnableTerminationProtection=true")},
        .probe = {{CFN("Action=DescribeStacks&StackName=s")}},
    },
};

static void test_faults(void **state)
{
    (void)state;
    fault_run(cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
