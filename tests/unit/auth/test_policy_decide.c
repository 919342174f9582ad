/* How identity, resource, boundary and session policies combine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/policy.h"

#define ACCT "111122223333"
#define OTHER "444455556666"
#define USER_ARN "arn:aws:iam::" ACCT ":user/bob"
#define ROLE_ARN "arn:aws:iam::" ACCT ":role/r"
#define SESSION_ARN "arn:aws:sts::" ACCT ":assumed-role/r/s"
#define QUEUE "arn:aws:sqs:us-east-1:" ACCT ":q"

#define ALLOW POLICY_ALLOW
#define DENY POLICY_EXPLICIT_DENY
#define NONE POLICY_IMPLICIT_DENY

/* Statements, ' for ". "+action" and "-action" are short for Allow and Deny on "*". Resource
 * policies: "+principal" with {"AWS": principal}, "*" alone, or "+svc:name". */
static const struct {
    const char *name;
    enum policy_principal_kind who;
    const char *account;
    const char *identity, *boundary, *session, *resource;
    bool must;
    enum policy_decision want;
} rows[] = {
    {"nothing", POLICY_USER, ACCT, NULL, NULL, NULL, NULL, false, NONE},
    {"identity", POLICY_USER, ACCT, "+sqs:Send*", NULL, NULL, NULL, false, ALLOW},
    {"identity case", POLICY_USER, ACCT, "+SQS:sendmessage", NULL, NULL, NULL, false, ALLOW},
    {"identity other action", POLICY_USER, ACCT, "+sqs:Receive*", NULL, NULL, NULL, false, NONE},
    {"identity deny", POLICY_USER, ACCT, "-sqs:*", NULL, NULL, "+" USER_ARN, false, DENY},
    {"boundary allows", POLICY_USER, ACCT, "+sqs:*", "+sqs:*", NULL, NULL, false, ALLOW},
    {"boundary limits", POLICY_USER, ACCT, "+sqs:*", "+s3:*", NULL, NULL, false, NONE},
    {"boundary alone", POLICY_USER, ACCT, NULL, "+sqs:*", NULL, NULL, false, NONE},
    {"boundary denies", POLICY_USER, ACCT, "+sqs:*", "-sqs:*", NULL, "+" USER_ARN, false, DENY},
    {"session allows", POLICY_SESSION, ACCT, "+sqs:*", NULL, "+sqs:*", NULL, false, ALLOW},
    {"session limits", POLICY_SESSION, ACCT, "+sqs:*", NULL, "+s3:*", NULL, false, NONE},
    {"session alone", POLICY_SESSION, ACCT, NULL, NULL, "+sqs:*", NULL, false, NONE},
    {"root", POLICY_ROOT, ACCT, NULL, NULL, NULL, NULL, false, ALLOW},
    {"root denied by resource", POLICY_ROOT, ACCT, NULL, NULL, NULL, "-*", false, DENY},
    {"resource names user", POLICY_USER, ACCT, NULL, NULL, NULL, "+" USER_ARN, false, ALLOW},
    {"user past boundary", POLICY_USER, ACCT, NULL, "+s3:*", NULL, "+" USER_ARN, false, ALLOW},
    {"anyone within boundary", POLICY_USER, ACCT, NULL, "+sqs:*", NULL, "+*", false, ALLOW},
    {"anyone past boundary", POLICY_USER, ACCT, NULL, "+s3:*", NULL, "+*", false, NONE},
    {"resource names role", POLICY_SESSION, ACCT, NULL, NULL, NULL, "+" ROLE_ARN, false, ALLOW},
    {"role past session", POLICY_SESSION, ACCT, NULL, NULL, "+s3:*", "+" ROLE_ARN, false, NONE},
    {"role past boundary", POLICY_SESSION, ACCT, NULL, "+s3:*", NULL, "+" ROLE_ARN, false, NONE},
    {"session named", POLICY_SESSION, ACCT, NULL, "+s3:*", "+s3:*", "+" SESSION_ARN, false, ALLOW},
    {"account only delegates", POLICY_USER, ACCT, NULL, NULL, NULL, "+" ACCT, false, NONE},
    {"account and identity", POLICY_USER, ACCT, "+sqs:*", NULL, NULL, "+" ACCT, false, ALLOW},
    {"other account named", POLICY_USER, ACCT, NULL, NULL, NULL, "+" OTHER, false, NONE},
    {"cross both", POLICY_USER, OTHER, "+sqs:*", NULL, NULL, "+" OTHER, false, ALLOW},
    {"cross identity only", POLICY_USER, OTHER, "+sqs:*", NULL, NULL, NULL, false, NONE},
    {"cross resource only", POLICY_USER, OTHER, NULL, NULL, NULL, "+" OTHER, false, NONE},
    {"cross boundary", POLICY_USER, OTHER, "+sqs:*", "+s3:*", NULL, "+" OTHER, false, NONE},
    {"cross root", POLICY_ROOT, OTHER, NULL, NULL, NULL, "+" OTHER, false, ALLOW},
    {"cross root unnamed", POLICY_ROOT, OTHER, NULL, NULL, NULL, NULL, false, NONE},
    {"anonymous", POLICY_ANONYMOUS, "", NULL, NULL, NULL, NULL, false, NONE},
    {"anonymous public", POLICY_ANONYMOUS, "", NULL, NULL, NULL, "+*", false, ALLOW},
    {"anonymous, account named", POLICY_ANONYMOUS, "", NULL, NULL, NULL, "+" ACCT, false, NONE},
    {"service", POLICY_SERVICE, "", NULL, NULL, NULL, "+svc:s3.amazonaws.com", false, ALLOW},
    {"other service", POLICY_SERVICE, "", NULL, NULL, NULL, "+svc:sns.amazonaws.com", false, NONE},
    {"service, anyone", POLICY_SERVICE, "", NULL, NULL, NULL, "+*", false, ALLOW},
    {"trust: identity alone", POLICY_USER, ACCT, "+sqs:*", NULL, NULL, "+" OTHER, true, NONE},
    {"trust: account", POLICY_USER, ACCT, "+sqs:*", NULL, NULL, "+" ACCT, true, ALLOW},
    {"trust: account, no identity", POLICY_USER, ACCT, NULL, NULL, NULL, "+" ACCT, true, NONE},
    {"trust: user named", POLICY_USER, ACCT, NULL, NULL, NULL, "+" USER_ARN, true, ALLOW},
    {"trust: root of account", POLICY_ROOT, ACCT, NULL, NULL, NULL, "+" ACCT, true, ALLOW},
    {"trust: root, not named", POLICY_ROOT, ACCT, NULL, NULL, NULL, "+" OTHER, true, NONE},
};

static struct policy *parse(struct arena *a, const char *text, bool resource)
{
    if (!text)
        return NULL;
    struct str doc;
    const char *effect = text[0] == '+' ? "Allow" : "Deny";
    const char *what = text + 1;
    if (!resource)
        doc = str_fmt(a, "{\"Statement\":{\"Effect\":\"%s\",\"Action\":\"%s\",\"Resource\":\"*\"}}",
                      effect, what);
    else if (strncmp(what, "svc:", 4) == 0)
        doc = str_fmt(a,
                      "{\"Statement\":{\"Effect\":\"%s\",\"Principal\":{\"Service\":\"%s\"},"
                      "\"Action\":\"sqs:*\",\"Resource\":\"%s\"}}",
                      effect, what + 4, QUEUE);
    else
        doc = str_fmt(a,
                      "{\"Statement\":{\"Effect\":\"%s\",\"Principal\":{\"AWS\":\"%s\"},"
                      "\"Action\":\"sqs:*\",\"Resource\":\"%s\"}}",
                      effect, what, QUEUE);
    struct policy *p;
    assert_int_equal(policy_parse(a, resource ? POLICY_RESOURCE : POLICY_IDENTITY, doc, NULL, &p),
                     ERR_OK);
    return p;
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct policy_context ctx;
        policy_context_init(&ctx, &a);
        const struct policy *identity = parse(&a, rows[i].identity, false);
        const struct policy *session = parse(&a, rows[i].session, false);
        struct policy_request req = {
            .who = {.kind = rows[i].who, .account = str_c(rows[i].account)},
            .action = STR("sqs:SendMessage"),
            .resource = STR(QUEUE),
            .resource_account = STR(ACCT),
            .ctx = &ctx,
            .identity = &identity,
            .n_identity = identity != NULL,
            .boundary = parse(&a, rows[i].boundary, false),
            .session = &session,
            .n_session = session != NULL,
            .resource_policy = parse(&a, rows[i].resource, true),
            .resource_must_allow = rows[i].must,
        };
        bool mine = str_eq_c(req.who.account, ACCT);
        if (rows[i].who == POLICY_USER)
            req.who.arn = mine ? STR(USER_ARN) : STR("arn:aws:iam::" OTHER ":user/eve");
        else if (rows[i].who == POLICY_SESSION) {
            req.who.arn = STR(SESSION_ARN);
            req.who.role_arn = STR(ROLE_ARN);
        } else if (rows[i].who == POLICY_SERVICE) {
            req.who.service = STR("s3.amazonaws.com");
        }
        enum policy_decision got = policy_decide(&req);
        if (got != rows[i].want) {
            fprintf(stderr, "%s: got %d, want %d\n", rows[i].name, got, rows[i].want);
            fail();
        }
        ctx.err = ERR_NOMEM;
        assert_int_equal(policy_decide(&req), NONE);
        arena_release(&a);
    }
}

/* Elements of a single statement. */
static const struct {
    const char *statement;
    const char *action, *resource;
    enum policy_decision want;
} statements[] = {
    {"'Effect':'Allow','NotAction':'iam:*','Resource':'*'", "s3:GetObject", "arn:aws:s3:::b/k",
     ALLOW},
    {"'Effect':'Allow','NotAction':'iam:*','Resource':'*'", "iam:GetUser", "*", NONE},
    {"'Effect':'Deny','NotAction':['iam:*','sts:*'],'Resource':'*'", "s3:GetObject", "*", DENY},
    {"'Effect':'Allow','Action':'s3:*','NotResource':'arn:aws:s3:::b/*'", "s3:GetObject",
     "arn:aws:s3:::b/k", NONE},
    {"'Effect':'Allow','Action':'s3:*','NotResource':'arn:aws:s3:::b/*'", "s3:GetObject",
     "arn:aws:s3:::c/k", ALLOW},
    {"'Effect':'Allow','Action':'s3:Get??ject','Resource':'arn:aws:s3:::b*'", "s3:GetObject",
     "arn:aws:s3:::bucket/k", ALLOW},
    {"'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::B'", "s3:GetObject",
     "arn:aws:s3:::b", NONE},
    {"'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::b/${aws:username}/*'",
     "s3:GetObject", "arn:aws:s3:::b/bob/x", ALLOW},
    {"'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::b/${aws:username}/*'",
     "s3:GetObject", "arn:aws:s3:::b/eve/x", NONE},
    {"'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::b/${aws:PrincipalTag/t}/*'",
     "s3:GetObject", "arn:aws:s3:::b//x", NONE},
    {"'Effect':'Allow','Action':'sqs:*','Resource':'arn:aws:sqs:*:*:q'", "sqs:SendMessage", QUEUE,
     ALLOW},
};

static void test_statements(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct str doc =
            str_fmt(&a, "{'Version':'2012-10-17','Statement':[{%s}]}", statements[i].statement);
        for (size_t k = 0; k < doc.len; k++)
            if (doc.p[k] == '\'')
                ((char *)doc.p)[k] = '"';
        struct policy *p;
        assert_int_equal(policy_parse(&a, POLICY_IDENTITY, doc, NULL, &p), ERR_OK);
        struct policy_context ctx;
        policy_context_init(&ctx, &a);
        policy_context_add(&ctx, STR("aws:username"), STR("bob"));
        struct policy_request req = {.action = str_c(statements[i].action),
                                     .resource = str_c(statements[i].resource),
                                     .ctx = &ctx};
        if (policy_match(p, &req) != statements[i].want) {
            fprintf(stderr, "%s: %s\n", statements[i].statement, statements[i].resource);
            fail();
        }
        arena_release(&a);
    }
}

static enum policy_decision with_resource_policy(const char *statement, const char *user_arn)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct str doc =
        str_fmt(&a, "{\"Statement\":{%s,\"Action\":\"sqs:*\",\"Resource\":\"*\"}}", statement);
    struct policy *p;
    assert_int_equal(policy_parse(&a, POLICY_RESOURCE, doc, NULL, &p), ERR_OK);
    struct policy_context ctx;
    policy_context_init(&ctx, &a);
    struct policy_request req = {
        .who = {.kind = POLICY_USER, .account = STR(ACCT), .arn = str_c(user_arn)},
        .action = STR("sqs:SendMessage"),
        .resource = STR(QUEUE),
        .resource_account = STR(ACCT),
        .ctx = &ctx,
        .resource_policy = p};
    enum policy_decision d = policy_decide(&req);
    arena_release(&a);
    return d;
}

static void test_not_principal(void **state)
{
    const char *deny =
        "\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":[\"" USER_ARN "\",\"" ACCT "\"]}";
    assert_int_equal(with_resource_policy(deny, USER_ARN), NONE);
    assert_int_equal(with_resource_policy(deny, "arn:aws:iam::" ACCT ":user/eve"), DENY);
    const char *allow = "\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"" USER_ARN "\"}";
    assert_int_equal(with_resource_policy(allow, USER_ARN), NONE);
    assert_int_equal(with_resource_policy(allow, "arn:aws:iam::" ACCT ":user/eve"), ALLOW);
}

static void test_root_rescue(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct policy *p;
    assert_int_equal(policy_parse(&a, POLICY_RESOURCE,
                                  STR("{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\","
                                      "\"Action\":\"s3:*\",\"Resource\":\"*\"}}"),
                                  NULL, &p),
                     ERR_OK);
    struct policy_context ctx;
    policy_context_init(&ctx, &a);
    struct policy_request req = {.who = {.kind = POLICY_ROOT, .account = STR(ACCT)},
                                 .action = STR("s3:DeleteBucketPolicy"),
                                 .resource = STR("arn:aws:s3:::b"),
                                 .resource_account = STR(ACCT),
                                 .ctx = &ctx,
                                 .resource_policy = p};
    assert_int_equal(policy_decide(&req), ALLOW);
    req.action = STR("s3:GetObject");
    assert_int_equal(policy_decide(&req), DENY);
    arena_release(&a);
}

static void test_glob(void **state)
{
    assert_true(policy_glob(STR("a*c"), STR("abbc"), false));
    assert_false(policy_glob(STR("a*c"), STR("abbC"), false));
    assert_true(policy_glob(STR("A?C*"), STR("abc"), true));
    assert_false(policy_glob(STR(""), STR("x"), false));
    assert_true(policy_glob(STR("**"), STR(""), false));
}

static void test_arn_like(void **state)
{
    static const struct {
        const char *pattern;
        bool want;
    } patterns[] = {
        {"*", true},
        {"arn:aws:sqs:us-east-1:000000000000:q", true},
        {"arn:*:sqs:*:*:q", true},
        {"arn:aws:sqs:us-east-?:000000000000:*", true},
        {"arn:aws:*:q", false}, /* a star does not reach over a colon */
        {"arn:aws:sqs:us-east-1:000000000000:Q", false},
        {"arn:aws:sqs:us-east-1:000000000000", false},
        {"", false},
    };
    struct arena a;
    arena_init(&a, 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        if (policy_arn_like(&a, str_c(patterns[i].pattern),
                            STR("arn:aws:sqs:us-east-1:000000000000:q")) != patterns[i].want)
            fail_msg("%s", patterns[i].pattern);
    arena_release(&a);
}

/* --- keys made when they are asked for -------------------------------------------------------- */

struct late {
    int calls;
    enum err err;
};

static enum err fill_late(struct policy_context *ctx, void *arg)
{
    struct late *l = arg;
    l->calls++;
    policy_context_add2(ctx, STR("aws:ResourceTag/"), STR("team"), STR("red"));
    return l->err;
}

static void test_late_keys(void **state)
{
    static const struct {
        const char *condition;
        enum err err;
        int calls;
        enum policy_decision want;
    } late_rows[] = {
        {"{}", ERR_OK, 0, ALLOW},
        {"{\"StringEquals\":{\"aws:username\":\"u\"}}", ERR_IO, 0, NONE},
        {"{\"StringEquals\":{\"aws:ResourceTag/team\":\"red\"}}", ERR_OK, 1, ALLOW},
        {"{\"StringEquals\":{\"AWS:resourcetag/Team\":\"red\"}}", ERR_OK, 1, ALLOW},
        {"{\"StringEquals\":{\"aws:ResourceTag/team\":\"blue\"}}", ERR_OK, 1, NONE},
        {"{\"StringEquals\":{\"aws:ResourceTag/a\":\"b\",\"aws:ResourceTag/c\":\"d\"}}", ERR_OK, 1,
         NONE},
        {"{\"StringEquals\":{\"aws:ResourceTag/team\":\"red\"}}", ERR_IO, 1, NONE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(late_rows); i++) {
        struct arena a;
        struct policy_context ctx;
        struct policy *p;
        struct late late = {0, late_rows[i].err};
        arena_init(&a, 1 << 20);
        struct str doc = str_fmt(&a,
                                 "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                                 "\"Resource\":\"*\",\"Condition\":%s}}",
                                 late_rows[i].condition);
        assert_int_equal(policy_parse(&a, POLICY_IDENTITY, doc, NULL, &p), ERR_OK);
        policy_context_init(&ctx, &a);
        policy_context_late(&ctx, STR(":ResourceTag/"), fill_late, &late);
        const struct policy *identity = p;
        struct policy_request req = {.who = {.kind = POLICY_USER, .account = STR(ACCT)},
                                     .action = STR("sqs:SendMessage"),
                                     .resource = STR(QUEUE),
                                     .resource_account = STR(ACCT),
                                     .ctx = &ctx,
                                     .identity = &identity,
                                     .n_identity = 1};
        assert_int_equal(policy_decide(&req), late_rows[i].want);
        assert_int_equal(late.calls, late_rows[i].calls);
        assert_int_equal(ctx.err, late.calls ? late_rows[i].err : ERR_OK);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arn_like),      cmocka_unit_test(test_late_keys),
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_statements),
        cmocka_unit_test(test_not_principal), cmocka_unit_test(test_root_rescue),
        cmocka_unit_test(test_glob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
