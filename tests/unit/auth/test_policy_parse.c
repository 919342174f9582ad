/* Policy documents that are accepted, and the wording of refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "base/buf.h"

#define DOC(statement) "{\"Version\":\"2012-10-17\",\"Statement\":[" statement "]}"
#define SYNTAX "Syntax errors in policy."
#define ID POLICY_IDENTITY
#define RES POLICY_RESOURCE
#define TRUST POLICY_TRUST

static const struct {
    const char *name;
    enum policy_kind kind;
    const char *json;
    const char *why; /* NULL: accepted */
} rows[] = {
    {"plain", ID, DOC("{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}"),
     NULL},
    {"statement object", ID,
     "{\"Statement\":{\"Effect\":\"Deny\",\"NotAction\":[\"iam:*\"],\"NotResource\":[\"arn:aws:s3::"
     ":b\"]}}",
     NULL},
    {"all of it", ID,
     "{\"Version\":\"2012-10-17\",\"Id\":\"x\",\"Statement\":[{\"Sid\":\"A1\",\"Effect\":\"Allow\","
     "\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::${aws:username}/*\",\"Condition\":{"
     "\"ForAllValues:StringLikeIfExists\":{\"aws:TagKeys\":[\"a*\",\"b\"]},\"Bool\":{"
     "\"aws:SecureTransport\":true},\"NumericLessThan\":{\"s3:max-keys\":10},\"IpAddress\":{"
     "\"aws:SourceIp\":[\"10.0.0.0/8\",\"2001:db8::/32\"]},\"DateGreaterThan\":{"
     "\"aws:CurrentTime\":\"2026-01-01T00:00:00Z\"},\"Null\":{\"aws:TokenIssueTime\":\"true\"}}}]}",
     NULL},
    {"trust", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":"
         "\"sts:AssumeRole\"}"),
     NULL},
    {"trust all", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"123456789012\",\"arn:aws:iam::1234567890"
         "12:user/a/b\",\"arn:aws:sts::123456789012:assumed-role/r/s\"]},\"Action\":[\"sts:Assume"
         "Role\",\"sts:TagSession\"]}"),
     NULL},
    {"resource", RES,
     DOC("{\"Sid\":\"any thing_1\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\","
         "\"Resource\":\"*\"}"),
     NULL},
    {"empty", ID, "", SYNTAX},
    {"not json", ID, "{", SYNTAX},
    {"trust not json", TRUST, "{", "This policy contains invalid Json"},
    {"array", ID, "[]", SYNTAX},
    {"no statement", ID, "{\"Version\":\"2012-10-17\"}", SYNTAX},
    {"empty statement", ID, "{\"Statement\":[]}", SYNTAX},
    {"number statement", ID, "{\"Statement\":[1]}", SYNTAX},
    {"bad version", ID, "{\"Version\":\"2012-10-18\",\"Statement\":[]}", SYNTAX},
    {"bad version of a trust policy", TRUST, "{\"Version\":\"2012-10-18\",\"Statement\":[]}",
     "The policy must contain a valid version string"},
    {"unknown member", ID, "{\"Statment\":[],\"Statement\":[]}", SYNTAX},
    {"twice", ID,
     "{\"Statement\":[{\"Effect\":\"Deny\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*"
     "\"}]}",
     SYNTAX},
    {"effect missing", ID, DOC("{\"Action\":\"*\",\"Resource\":\"*\"}"), SYNTAX},
    {"trust without effect", TRUST, DOC("{\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\"}"),
     "Missing required field Effect"},
    {"effect case", ID, DOC("{\"Effect\":\"allow\",\"Action\":\"*\",\"Resource\":\"*\"}"), SYNTAX},
    {"action missing", ID, DOC("{\"Effect\":\"Allow\",\"Resource\":\"*\"}"),
     "Policy statement must contain actions."},
    {"action empty", ID, DOC("{\"Effect\":\"Allow\",\"Action\":[],\"Resource\":\"*\"}"),
     "Policy statement must contain actions."},
    {"action and not", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotAction\":\"*\",\"Resource\":\"*\"}"), SYNTAX},
    {"action vendor", ID, DOC("{\"Effect\":\"Allow\",\"Action\":\"GetObject\",\"Resource\":\"*\"}"),
     "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
    {"action space", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"s3:Get Object\",\"Resource\":\"*\"}"),
     "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
    {"action number", ID, DOC("{\"Effect\":\"Allow\",\"Action\":[1],\"Resource\":\"*\"}"), SYNTAX},
    {"resource missing", ID, DOC("{\"Effect\":\"Allow\",\"Action\":\"*\"}"),
     "Policy statement must contain resources."},
    {"resource not arn", ID, DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"bucket\"}"),
     "Resource bucket must be in ARN format or \"*\"."},
    {"variable open", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::${aws:username\"}"),
     SYNTAX},
    {"variable default", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::${a:b, c}\"}"),
     SYNTAX},
    {"principal in identity", ID,
     DOC("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}"),
     "Policy document should not specify a principal."},
    {"no principal", RES, DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"),
     "Missing required field Principal"},
    {"trust resource", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\",\"Resource\":\"*"
         "\"}"),
     "Has prohibited field Resource"},
    {"trust action", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\"}"),
     "AssumeRole policy may only specify STS AssumeRole actions."},
    {"principal wildcard", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/*\"},"
         "\"Action\":\"sts:AssumeRole\"}"),
     "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/*\""},
    {"principal account", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"12345678901\"},\"Action\":\"sts:"
         "AssumeRole\"}"),
     "Invalid principal in policy: \"AWS\":\"12345678901\""},
    {"principal type", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"Other\":\"x\"},\"Action\":\"sts:AssumeRole\"}"),
     "Invalid principal in policy: \"Other\":\"x\""},
    {"principal service", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda\"},\"Action\":\"sts:"
         "AssumeRole\"}"),
     "Invalid principal in policy: \"SERVICE\":\"lambda\""},
    {"principal federated", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"*\"},\"Action\":\"sts:"
         "AssumeRole\"}"),
     "Federated principals must be valid domain names or SAML metadata ARNs"},
    {"principal empty", TRUST,
     DOC("{\"Effect\":\"Allow\",\"Principal\":{},\"Action\":\"sts:AssumeRole\"}"),
     "Invalid principal in policy."},
    {"sid", ID, DOC("{\"Sid\":\"a b\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"),
     "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
     "expression [0-9A-Za-z]*"},
    {"sid twice", ID,
     DOC("{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},"
         "{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"),
     "Statement IDs (SID) in a single policy must be unique."},
    {"operator", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringIs\":{"
         "\"aws:x\":\"y\"}}}"),
     SYNTAX},
    {"null if exists", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{"
         "\"NullIfExists\":"
         "{\"aws:x\":\"true\"}}}"),
     SYNTAX},
    {"set operator", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ForSome:"
         "Bool\":"
         "{\"aws:x\":\"true\"}}}"),
     SYNTAX},
    {"net", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"IpAddress\":{"
         "\"aws:SourceIp\":\"10.0.0.0/33\"}}}"),
     "Invalid value \"10.0.0.0/33\" for condition key aws:SourceIp."},
    {"number", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{"
         "\"NumericEquals\":{"
         "\"s3:max-keys\":\"ten\"}}}"),
     "Invalid value \"ten\" for condition key s3:max-keys."},
    {"cond value", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{"
         "\"StringEquals\":{"
         "\"s3:prefix\":{}}}}"),
     SYNTAX},
    {"cond key", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{"
         "\"StringEquals\":{"
         "\"prefix\":\"x\"}}}"),
     "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
    {"cond list", ID,
     DOC("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":[]}"), SYNTAX},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct policy *policy = NULL;
        const char *why = NULL;
        enum err e = policy_parse(&a, rows[i].kind, str_c(rows[i].json), &why, &policy);
        bool right = rows[i].why ? e == ERR_INVALID && why && strcmp(why, rows[i].why) == 0
                                 : e == ERR_OK && policy != NULL;
        if (!right) {
            fprintf(stderr, "%s: %s, %s\n", rows[i].name, err_name(e), why ? why : "-");
            fail();
        }
        arena_release(&a);
    }
}

#define S3(resource)                                                                               \
    DOC("{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"" resource "\"}")
#define DO(action) DOC("{\"Effect\":\"Allow\",\"Action\":\"" action "\",\"Resource\":\"*\"}")
#define LEGACY "The policy failed legacy parsing"
#define NO_PATH                                                                                    \
    "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, " \
    "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, "            \
    "oidc-provider/, report/, access-report/."

/* What IAM would not store, though it could be evaluated; NULL: stored. */
static const struct {
    const char *json, *why;
} checks[] = {
    {S3("*"), NULL},
    {S3("arn:aws:s3:::b/*"), NULL},
    {S3("arn:aws:fdsasf"), NULL},
    {S3("arn:*:s3:::b"), NULL},
    {S3("arn:${aws:Partition}:s3:::b"), NULL},
    {S3("arn:aws-cn:s3:::b"), NULL},
    {S3("arn:aws:s3:*:*:b"), NULL},
    {S3("arn:aws:s3:us-east-1:123456789012:accesspoint/a"), NULL},
    {S3("arn:aws:invalid-service:us-east-1::b"), NULL},
    {S3("arn:aws:iam::*:user/${aws:username}"), NULL},
    {S3("arn:aws:iam::123456789012:*"), NULL},
    {S3("arn:aws:s3:::a:b:c:d"), NULL},
    {S3("b"), "Resource b must be in ARN format or \"*\"."},
    {S3(""), "Resource  must be in ARN format or \"*\"."},
    {S3("a:bsdf"), "Partition \"bsdf\" is not valid for resource \"arn:bsdf:*:*:*:*\"."},
    {S3("a:b:cad"), "Partition \"b\" is not valid for resource \"arn:b:cad:*:*:*\"."},
    {S3("a:b:c:d:e:f:g:h"), "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g:h\"."},
    {S3("aws:s3:::b"), "Partition \"s3\" is not valid for resource \"arn:s3:::b:*\"."},
    {S3("arn:error:s3:::b"), "Partition \"error\" is not valid for resource \"arn:error:s3:::b\"."},
    {S3("arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."},
    {S3("arn:aws:s*:::b"), "Resource vendor must be fully qualified and cannot contain regexes."},
    {S3("arn:aws:s3::b"), LEGACY},
    {S3("arn:aws::fdsasf"), LEGACY},
    {S3("arn:aws::::b"), LEGACY},
    {S3("arn:aws:iam:::b"), NO_PATH},
    {S3("arn:aws:iam::123456789012:ro*"), NO_PATH},
    {S3("arn:aws:iam:us-east-1::b"),
     "IAM resource arn:aws:iam:us-east-1::b cannot contain region information."},
    {S3("arn:aws:s3:us-east-1::b"),
     "Resource arn:aws:s3:us-east-1::b can not contain region information."},
    {DO("*"), NULL},
    {DO("s3:*"), NULL},
    {DO("s3.s:ListBucket"), NULL},
    {DO("s3:List:Bucket"), "Actions/Condition can contain only one colon."},
    {DO("a a:ListBucket"), "Vendor a a is not valid"},
    {DOC("{\"Effect\":\"denY\",\"Action\":\"s3:*\",\"Resource\":\"b\"}"), LEGACY},
    {DOC("{\"Effect\":\"Allow\",\"Action\":\"s:3:x\",\"Resource\":\"b\"}"),
     "Resource b must be in ARN format or \"*\"."},
    {DOC("{\"Effect\":\"Allow\",\"Action\":\"s3:x\",\"NotResource\":[\"arn:aws:s3:::b\",\"arn:aws:"
         "s3::b\"]}"),
     LEGACY},
    {DOC("{\"Effect\":\"Allow\",\"NotAction\":[\"s3:x\",\"a:b:c\"],\"Resource\":\"*\"}"),
     "Actions/Condition can contain only one colon."},
    /* What policy_parse refuses. */
    {"", NULL},
    {"{", NULL},
    {"[]", NULL},
    {"{\"Statement\":[1]}", NULL},
    {"{\"Statement\":{\"Resource\":[1,{}],\"Action\":{}}}", NULL},
};

static void test_checks(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct arena a;
        const char *why = "";
        arena_init(&a, 1 << 20);
        enum err e = policy_check_identity(&a, str_c(checks[i].json), &why);
        if (checks[i].why ? e != ERR_INVALID || strcmp(why, checks[i].why) != 0 : e != ERR_OK) {
            fprintf(stderr, "%s: %s, %s\n", checks[i].json, err_name(e), why);
            fail();
        }
        arena_release(&a);
    }
}

static void test_limits(void **state)
{
    struct arena a;
    struct policy *policy;
    const char *why = NULL;
    arena_init(&a, 16 << 20);
    struct buf b;
    buf_init_arena(&b, &a, 4 << 20);
    buf_add_c(&b, "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"a:b\"");
    for (int i = 1; i < POLICY_VALUES_MAX; i++)
        buf_add_c(&b, ",\"a:b\"");
    size_t keep = b.len;
    buf_add_c(&b, "],\"Resource\":\"*\"}]}");
    assert_int_equal(policy_parse(&a, ID, buf_str(&b), &why, &policy), ERR_OK);
    b.len = keep;
    buf_add_c(&b, ",\"a:b\"],\"Resource\":\"*\"}]}");
    assert_int_equal(policy_parse(&a, ID, buf_str(&b), &why, &policy), ERR_LIMIT);
    assert_non_null(why);
    buf_clear(&b);
    for (int i = 0; i <= POLICY_TEXT_MAX; i++)
        buf_add_byte(&b, ' ');
    assert_int_equal(policy_parse(&a, ID, buf_str(&b), &why, &policy), ERR_LIMIT);
    arena_release(&a);
}

/* An arena that ends early gives ERR_NOMEM, whatever the place. */
static void test_exhaustion(void **state)
{
    for (size_t limit = 0;; limit += 64) {
        struct arena a;
        struct policy *policy;
        arena_init(&a, limit);
        enum err e = policy_parse(&a, ID, str_c(rows[2].json), NULL, &policy);
        arena_release(&a);
        if (e == ERR_OK)
            break;
        assert_int_equal(e, ERR_NOMEM);
        assert_true(limit < 1 << 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_checks),
                                       cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_exhaustion)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
