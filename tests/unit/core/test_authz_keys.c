/* Condition keys: which may be asked for, and those of work that no request asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/core.h"

enum { ARENA_BYTES = 1 << 20 };

static const struct str thing_keys[] = {STR_INIT("thing:Color"), STR_INIT("thing:Tag/")};
static const struct wire_op thing_ops[] = {{.action = STR_INIT("thing:Get")}};
static const struct wire_service thing_wire = {
    .ops = thing_ops,
    .n_ops = 1,
    .condition_keys = thing_keys,
    .n_condition_keys = ARRAY_LEN(thing_keys),
};
static const struct svc_def thing_def = {.wire = &thing_wire};

static const struct {
    const char *key;
    bool fine;
} keys[] = {
    {"aws:CurrentTime", true},       {"AWS:currenttime", true},    {"aws:CurrentTimes", false},
    {"aws:PrincipalTag/a", true},    {"aws:PrincipalTag/", false}, {"aws:PrincipalTag", false},
    {"aws:SourceVpce", true},        {"aws:PrincipalOrgID", true}, {"aws:Nothing", false},
    {"thing:Color", true},           {"Thing:color", true},        {"thing:Tag/x", true},
    {"thing:Shape", false},          {"thing:Tag/", false},        {"other:Anything", true},
    {"token.example.com:sub", true},
};

static void test_known(void **state)
{
    struct svc thing = {&thing_def, NULL};
    struct core core = {.svcs = &thing, .n_svcs = 1};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct arena a;
        const char *why = NULL;
        arena_init(&a, ARENA_BYTES);
        struct str doc =
            str_fmt(&a,
                    "{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":"
                    "\"*\",\"Condition\":{\"StringEquals\":{\"%s\":\"x\"}}}}",
                    keys[i].key);
        enum err err = core_policy_check(&core, &a, POLICY_IDENTITY, doc, &why);
        if (err != (keys[i].fine ? ERR_OK : ERR_INVALID) || (err && !strstr(why, keys[i].key)))
            fail_msg("%s: %d, %s", keys[i].key, (int)err, why ? why : "");
        arena_release(&a);
    }
}

static void expect(const struct policy_context *ctx, const char *key, const char *value)
{
    const struct policy_key *k = policy_context_find(ctx, str_c(key));
    if (!value) {
        if (k)
            fail_msg("%s is there", key);
        return;
    }
    if (!k || k->n != 1 || !str_eq_c(k->values[0], value))
        fail_msg("%s: " STR_FMT, key, STR_ARG(k ? k->values[0] : STR("absent")));
}

static void test_work(void **state)
{
    struct arena a;
    struct policy_context ctx;
    struct core core = {.cfg = {.account = STR("000000000000"), .region = STR("us-east-1")}};
    const struct principal_tag tag = {STR("team"), STR("red")};
    const struct principal role = {.kind = PRINCIPAL_ROLE,
                                   .account = STR("000000000000"),
                                   .arn = STR("arn:aws:sts::000000000000:assumed-role/r/s"),
                                   .role_arn = STR("arn:aws:iam::000000000000:role/r"),
                                   .user_id = STR("AROAX:s"),
                                   .token_issued_ms = 1000,
                                   .tags = &tag,
                                   .n_tags = 1};
    const struct principal service = {.kind = PRINCIPAL_SERVICE,
                                      .service = STR("s3.amazonaws.com")};
    (void)state;
    arena_init(&a, ARENA_BYTES);
    policy_context_init(&ctx, &a);
    struct core_work of_role = {.core = &core,
                                .now_ms = 1767225600000,
                                .who = &role,
                                .resource = STR("arn:aws:sqs:eu-west-1:000000000000:q")};
    core_work_keys(&ctx, &of_role);
    expect(&ctx, "aws:CurrentTime", "2026-01-01T00:00:00Z");
    expect(&ctx, "aws:EpochTime", "1767225600");
    expect(&ctx, "aws:RequestedRegion", "eu-west-1");
    expect(&ctx, "aws:PrincipalArn", "arn:aws:iam::000000000000:role/r");
    expect(&ctx, "aws:PrincipalTag/team", "red");
    expect(&ctx, "aws:PrincipalType", "AssumedRole");
    expect(&ctx, "aws:userid", "AROAX:s");
    expect(&ctx, "aws:username", NULL);
    expect(&ctx, "aws:MultiFactorAuthPresent", "false");
    expect(&ctx, "aws:TokenIssueTime", "1970-01-01T00:00:01Z");
    expect(&ctx, "aws:SecureTransport", "true");
    expect(&ctx, "aws:ViaAWSService", "false");
    expect(&ctx, "aws:CalledVia", NULL);
    of_role.called_via = STR("lambda.amazonaws.com");
    policy_context_init(&ctx, &a);
    core_work_keys(&ctx, &of_role);
    expect(&ctx, "aws:ViaAWSService", "true");
    expect(&ctx, "aws:CalledVia", "lambda.amazonaws.com");
    expect(&ctx, "aws:CalledViaFirst", "lambda.amazonaws.com");
    expect(&ctx, "aws:CalledViaLast", "lambda.amazonaws.com");
    policy_context_init(&ctx, &a);
    struct core_work of_service = {
        .core = &core, .who = &service, .resource = STR("arn:aws:s3:::b")};
    core_work_keys(&ctx, &of_service);
    expect(&ctx, "aws:PrincipalServiceName", "s3.amazonaws.com");
    expect(&ctx, "aws:PrincipalServiceNamesList", "s3.amazonaws.com");
    expect(&ctx, "aws:PrincipalIsAWSService", "true");
    expect(&ctx, "aws:RequestedRegion", "us-east-1");
    expect(&ctx, "aws:ViaAWSService", "false");
    expect(&ctx, "aws:PrincipalArn", NULL);
    expect(&ctx, "aws:PrincipalAccount", NULL);
    expect(&ctx, "aws:MultiFactorAuthPresent", NULL);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
