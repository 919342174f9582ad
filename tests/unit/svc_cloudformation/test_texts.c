/* What users hand stacks beside templates: addresses of templates, and stack policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "svc/cloudformation/cloudformation_run.h"

enum { MEMORY = 4 * 1024 * 1024 };

/* --- addresses ---------------------------------------------------------------------------------- */

static const struct {
    const char *url;
    const char *bucket, *key; /* NULL: refused */
    const char *version;
} addresses[] = {
    /* Path style: AWS's forms, then Weir's own. */
    {"https://s3.amazonaws.com/b/k.json", "b", "k.json", NULL},
    {"https://s3.us-east-1.amazonaws.com/b/a/deep/k", "b", "a/deep/k", NULL},
    {"https://s3-eu-west-1.amazonaws.com/b/k", "b", "k", NULL},
    {"https://s3.dualstack.eu-west-1.amazonaws.com/b/k", "b", "k", NULL},
    {"https://s3.cn-north-1.amazonaws.com.cn/b/k", "b", "k", NULL},
    {"http://127.0.0.1:4566/b/k", "b", "k", NULL},
    {"http://localhost:4566/b/k", "b", "k", NULL},
    {"http://[::1]:4566/b/k", "b", "k", NULL},
    {"http://weir.test:4566/b/k", "b", "k", NULL},
    {"http://s3.weir.test:4566/b/k", "b", "k", NULL},
    {"http://s3.localhost.localstack.cloud:4566/b/k", "b", "k", NULL},
    /* Host style. */
    {"https://b.s3.amazonaws.com/k", "b", "k", NULL},
    {"https://b.s3.us-east-1.amazonaws.com/a/k", "b", "a/k", NULL},
    {"https://b.s3-us-west-2.amazonaws.com/k", "b", "k", NULL},
    {"https://b.s3.dualstack.us-east-1.amazonaws.com/k", "b", "k", NULL},
    {"https://with.dots.s3.amazonaws.com/k", "with.dots", "k", NULL},
    {"https://s3.of-me.s3.amazonaws.com/k", "s3.of-me", "k", NULL},
    {"https://a.s3-b.s3.amazonaws.com/k", "a.s3-b", "k", NULL},
    {"http://b.s3.weir.test:4566/k", "b", "k", NULL},
    {"http://b.s3.localhost.localstack.cloud:4566/k", "b", "k", NULL},
    /* Keys and queries. */
    {"HTTPS://s3.amazonaws.com/b/k", "b", "k", NULL},
    {"https://s3.amazonaws.com/b/a%20b%2Bc.json", "b", "a b+c.json", NULL},
    {"https://s3.amazonaws.com/b/a+b", "b", "a+b", NULL},
    {"https://s3.amazonaws.com/b/k?versionId=v1", "b", "k", "v1"},
    {"https://b.s3.amazonaws.com/k?x=y&versionId=v%2F1", "b", "k", "v/1"},
    {"https://s3.amazonaws.com/b/k?versionId=", "b", "k", NULL},
    {"https://s3.amazonaws.com/b/k?X-Amz-Signature=0/1", "b", "k", NULL},
    {"https://s3.amazonaws.com/b//k", "b", "/k", NULL},
    /* Refused. */
    {"", NULL, NULL, NULL},
    {"k.json", NULL, NULL, NULL},
    {"s3://b/k", NULL, NULL, NULL},
    {"ftp://s3.amazonaws.com/b/k", NULL, NULL, NULL},
    {"file:///b/k", NULL, NULL, NULL},
    {"https:/s3.amazonaws.com/b/k", NULL, NULL, NULL},
    {"https://", NULL, NULL, NULL},
    {"https:///b/k", NULL, NULL, NULL},
    {"https://s3.amazonaws.com", NULL, NULL, NULL},
    {"https://s3.amazonaws.com/", NULL, NULL, NULL},
    {"https://s3.amazonaws.com/b", NULL, NULL, NULL},
    {"https://s3.amazonaws.com/b/", NULL, NULL, NULL},
    {"https://s3.amazonaws.com//k", NULL, NULL, NULL},
    {"https://s3.amazonaws.com/b?k", NULL, NULL, NULL},
    {"https://b.s3.amazonaws.com/", NULL, NULL, NULL},
    {"https://b.s3.amazonaws.com", NULL, NULL, NULL},
    {"https://s3.amazonaws.com/b/%zz", NULL, NULL, NULL},
    {"https://s3.amazonaws.com/b/k?versionId=%z", NULL, NULL, NULL},
    {"https://example.com/b/k", NULL, NULL, NULL},
    {"https://s3.example.com/b/k", NULL, NULL, NULL},
    {"https://amazonaws.com.example.com/b/k", NULL, NULL, NULL},
    {"https://sqs.us-east-1.amazonaws.com/b/k", NULL, NULL, NULL},
    {"https://b.s3-website-us-east-1.amazonaws.com/k", NULL, NULL, NULL},
    {"https://b.s3-website.eu-west-1.amazonaws.com/k", NULL, NULL, NULL},
    {"https://ap-1.s3-accesspoint.us-east-1.amazonaws.com/k", NULL, NULL, NULL},
    {"https://ap-1.s3-object-lambda.us-east-1.amazonaws.com/k", NULL, NULL, NULL},
};

static void expect_text(const char *url, struct str found, const char *expected)
{
    if (expected ? !str_eq(found, str_c(expected)) : str_is_set(found))
        fail_msg("%s: " STR_FMT ", not %s", url, STR_ARG(found), expected ? expected : "nothing");
}

static void test_addresses(void **state)
{
    static struct core core = {.cfg.endpoint = STR_INIT("http://weir.test:4566")};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        const char *text = addresses[i].url;
        struct cfn_url url;
        struct arena a;
        arena_init(&a, MEMORY);
        enum err err = cfn_url_parse(&a, &core, str_c(text), &url);
        if ((err == ERR_OK) != (addresses[i].bucket != NULL))
            fail_msg("%s: error %d", text, err);
        if (err == ERR_OK) {
            expect_text(text, url.bucket, addresses[i].bucket);
            expect_text(text, url.key, addresses[i].key);
            expect_text(text, url.version, addresses[i].version);
        }
        arena_release(&a);
    }
}

/* --- policies ----------------------------------------------------------------------------------- */

/* One statement of a policy, in short: E effect, A action, R resource, the Principal is "*". */
#define S(effect, action, resource)                                                                \
    "{\"Effect\":\"" effect "\",\"Principal\":\"*\",\"Action\":" action ",\"Resource\":" resource  \
    "}"
#define P(one) "{\"Statement\":[" one "]}"
#define P2(one, two) P(one "," two)
#define ALL S("Allow", "\"Update:*\"", "\"*\"")
#define OF_QUEUES(effect, op, type)                                                                \
    "{\"Effect\":\"" effect "\",\"Principal\":\"*\",\"Action\":\"Update:*\",\"Resource\":\"*\","   \
    "\"Condition\":{\"" op "\":{\"ResourceType\":" type "}}}"

static const struct {
    const char *policy;
    bool right;
} policies[] = {
    {P(ALL), true},
    {P2(ALL, S("Deny", "[\"Update:Replace\",\"Update:Delete\"]", "[\"LogicalResourceId/A\"]")),
     true},
    {P("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"NotAction\":\"Update:Modify\",\"NotResource\":"
       "\"LogicalResourceId/A\"}"),
     true},
    {P(OF_QUEUES("Deny", "StringEquals", "[\"AWS::SQS::Queue\"]")), true},
    {"", false},
    {"x", false},
    {"[]", false},
    {"{}", false},
    {"{\"Statement\":{}}", false},
    {"{\"Statement\":[]}", false},
    {"{\"Statement\":[1]}", false},
    {"{\"Statement\":\"Allow\"}", false},
    {P(S("Permit", "\"Update:*\"", "\"*\"")), false},
    {P("{\"Effect\":\"Allow\",\"Action\":\"Update:*\",\"Resource\":\"*\"}"), false},
    {P("{\"Effect\":\"Allow\",\"Principal\":\"me\",\"Action\":\"Update:*\",\"Resource\":\"*\"}"),
     false},
    {P("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"*\"}"), false},
    {P("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"Update:*\"}"), false},
    {P("{\"Principal\":\"*\",\"Action\":\"Update:*\",\"Resource\":\"*\"}"), false},
    {P2(ALL, "{}"), false},
};

static void test_policies_that_are_none(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        const struct json *policy = NULL;
        struct arena a;
        arena_init(&a, MEMORY);
        enum err err = policies[i].policy[0]
                           ? cfn_policy_read(&a, str_c(policies[i].policy), &policy)
                           : ERR_INVALID;
        if (err != (policies[i].right ? ERR_OK : ERR_INVALID))
            fail_msg("%s: error %d", policies[i].policy, err);
        arena_release(&a);
    }
}

#define NONE "Action not allowed by stack policy: no statement allows"
#define DENIED(n) "Action denied by stack policy: Statement [#" #n "] does not allow"

/* Of the queue "Orders". */
static const struct {
    const char *policy, *during; /* NULL: none */
    const char *action;
    const char *why; /* how it begins; NULL: allowed */
    bool not_updating;
} decisions[] = {
    {NULL, NULL, "Update:Modify", NULL, false},
    {P(ALL), NULL, "Update:Modify", NULL, false},
    {P(ALL), NULL, "Update:Delete", NULL, false},
    {P(S("Allow", "\"*\"", "\"*\"")), NULL, "Update:Replace", NULL, false},
    {P(S("Allow", "\"Update:Modify\"", "\"*\"")), NULL, "Update:Modify", NULL, false},
    {P(S("Allow", "\"Update:Modify\"", "\"*\"")), NULL, "Update:Replace", NONE, false},
    {P(S("Allow", "[\"Update:Modify\",\"Update:Delete\"]", "\"*\"")), NULL, "Update:Delete", NULL,
     false},
    {P(S("Allow", "\"Update:*\"", "\"LogicalResourceId/Orders\"")), NULL, "Update:Modify", NULL,
     false},
    {P(S("Allow", "\"Update:*\"", "\"LogicalResourceId/Ord*\"")), NULL, "Update:Modify", NULL,
     false},
    {P(S("Allow", "\"Update:*\"", "\"LogicalResourceId/Order\"")), NULL, "Update:Modify", NONE,
     false},
    {P(S("Allow", "\"Update:*\"", "\"Orders\"")), NULL, "Update:Modify", NONE, false},
    {P(S("Allow", "\"Update:*\"", "[\"LogicalResourceId/A\",\"LogicalResourceId/Orders\"]")), NULL,
     "Update:Modify", NULL, false},
    /* Deny wins, wherever it stands, and is told by its place. */
    {P2(ALL, S("Deny", "\"Update:*\"", "\"*\"")), NULL, "Update:Modify", DENIED(2), false},
    {P2(S("Deny", "\"Update:*\"", "\"*\""), ALL), NULL, "Update:Modify", DENIED(1), false},
    {P2(ALL, S("Deny", "\"Update:Delete\"", "\"*\"")), NULL, "Update:Modify", NULL, false},
    {P2(ALL, S("Deny", "\"Update:*\"", "\"LogicalResourceId/Other\"")), NULL, "Update:Modify", NULL,
     false},
    /* All but. */
    {P2(ALL, "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"NotAction\":\"Update:Modify\","
             "\"Resource\":\"*\"}"),
     NULL, "Update:Modify", NULL, false},
    {P2(ALL, "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"NotAction\":\"Update:Modify\","
             "\"Resource\":\"*\"}"),
     NULL, "Update:Delete", DENIED(2), false},
    {P("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"Update:*\",\"NotResource\":"
       "\"LogicalResourceId/Orders\"}"),
     NULL, "Update:Modify", NONE, false},
    {P("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"Update:*\",\"NotResource\":"
       "\"LogicalResourceId/Other\"}"),
     NULL, "Update:Modify", NULL, false},
    /* Conditions on the type; one that is not known does not hold. */
    {P(OF_QUEUES("Allow", "StringEquals", "[\"AWS::SQS::Queue\"]")), NULL, "Update:Modify", NULL,
     false},
    {P(OF_QUEUES("Allow", "StringEquals", "\"AWS::SNS::Topic\"")), NULL, "Update:Modify", NONE,
     false},
    {P(OF_QUEUES("Allow", "StringLike", "[\"AWS::SNS::*\",\"AWS::SQS::*\"]")), NULL,
     "Update:Modify", NULL, false},
    {P2(ALL, OF_QUEUES("Deny", "StringLike", "\"AWS::SQS::*\"")), NULL, "Update:Modify", DENIED(2),
     false},
    {P(OF_QUEUES("Allow", "StringNotLike", "\"AWS::SNS::*\"")), NULL, "Update:Modify", NONE, false},
    /* The one for an update stands in its place, whichever is stricter. */
    {P(S("Deny", "\"Update:*\"", "\"*\"")), P(ALL), "Update:Modify", NULL, false},
    {P(ALL), P(S("Deny", "\"Update:*\"", "\"*\"")), "Update:Modify", DENIED(1), false},
    /* Creations, deletions and ways back ask nobody. */
    {P(S("Deny", "\"Update:*\"", "\"*\"")), NULL, "Update:Delete", NULL, true},
};

static void test_decisions(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
        struct cfn_stack s = {.status = decisions[i].not_updating ? CFN_UPDATE_ROLLBACK_IN_PROGRESS
                                                                  : CFN_UPDATE_IN_PROGRESS};
        struct str why = STR_NONE;
        struct arena a;
        arena_init(&a, MEMORY);
        s.policy = decisions[i].policy ? str_c(decisions[i].policy) : STR_NONE;
        s.policy_during = decisions[i].during ? str_c(decisions[i].during) : STR_NONE;
        enum err err = cfn_policy_allows(&a, &s, decisions[i].action, STR("Orders"),
                                         STR("AWS::SQS::Queue"), &why);
        const char *expected = decisions[i].why;
        if (err != (expected ? ERR_INVALID : ERR_OK) ||
            (expected && !str_starts(why, str_c(expected))))
            fail_msg("row %zu, %s of %s: error %d, " STR_FMT, i, decisions[i].action,
                     decisions[i].policy ? decisions[i].policy : "none", err, STR_ARG(why));
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_policies_that_are_none),
        cmocka_unit_test(test_decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
