/* Statements of resource policies: their text, and adding to and removing from documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "core/statement.h"

#define FN "arn:aws:lambda:us-east-1:000000000000:function:f"

static void test_json(void **state)
{
    static const struct str invoke[] = {STR_INIT("lambda:InvokeFunction")};
    static const struct str two[] = {STR_INIT("SQS:SendMessage"), STR_INIT("SQS:*")};
    static const struct str s3[] = {STR_INIT("s3.amazonaws.com")};
    static const struct str account[] = {STR_INIT("123456789012")};
    static const struct str accounts[] = {STR_INIT("123456789012"),
                                          STR_INIT("arn:aws:iam::210987654321:role/r")};
    static const struct str all[] = {STR_INIT("*")};
    static const struct str nobody[] = {STR_INIT("somebody")};
    static const struct str short_account[] = {STR_INIT("12345678901")};
    static const struct str mixed[] = {STR_INIT("123456789012"), STR_INIT("s3.amazonaws.com")};
    static const struct statement_condition source[] = {
        {"StringEquals", "AWS:SourceAccount", STR_INIT("000000000000")},
        {"StringEquals", "aws:PrincipalOrgID", {0}},
        {"ArnLike", "AWS:SourceArn", STR_INIT("arn:aws:s3:::b")},
    };
    static const struct statement_condition org[] = {
        {"StringEquals", "aws:PrincipalOrgID", STR_INIT("o-a1b2c3d4e5")},
        {"ArnLike", "AWS:SourceArn", {0}},
    };
    static const struct {
        const char *name;
        struct statement st;
        enum err err;
        const char *json;
    } rows[] = {
        {"service with source",
         {STR_INIT("s3"), s3, 1, invoke, 1, false, STR_INIT(FN), source, 3},
         ERR_OK,
         "{\"Sid\":\"s3\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},"
         "\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"" FN "\",\"Condition\":{"
         "\"StringEquals\":{\"AWS:SourceAccount\":\"000000000000\"},"
         "\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::b\"}}}"},
        {"account",
         {STR_INIT("x"), account, 1, invoke, 1, false, STR_INIT(FN), NULL, 0},
         ERR_OK,
         "{\"Sid\":\"x\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
         "\"arn:aws:iam::123456789012:root\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":"
         "\"" FN "\"}"},
        {"everybody of an organisation",
         {STR_INIT("x"), all, 1, invoke, 1, false, STR_INIT(FN), org, 2},
         ERR_OK,
         "{\"Sid\":\"x\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":"
         "\"lambda:InvokeFunction\",\"Resource\":\"" FN "\",\"Condition\":{\"StringEquals\":{"
         "\"aws:PrincipalOrgID\":\"o-a1b2c3d4e5\"}}}"},
        {"lists",
         {STR_INIT("x"), accounts, 2, two, 2, true, STR_INIT("arn:aws:sqs:r:1:q"), NULL, 0},
         ERR_OK,
         "{\"Sid\":\"x\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":["
         "\"arn:aws:iam::123456789012:root\",\"arn:aws:iam::210987654321:role/r\"]},\"Action\":["
         "\"SQS:SendMessage\",\"SQS:*\"],\"Resource\":\"arn:aws:sqs:r:1:q\"}"},
        {"list of one",
         {STR_INIT("x"), account, 1, two, 1, true, STR_INIT("arn:aws:sqs:r:1:q"), NULL, 0},
         ERR_OK,
         "{\"Sid\":\"x\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":["
         "\"arn:aws:iam::123456789012:root\"]},\"Action\":[\"SQS:SendMessage\"],"
         "\"Resource\":\"arn:aws:sqs:r:1:q\"}"},
        {"one of each, as SQS writes it",
         {STR_INIT("x"), account, 1, two, 1, false, STR_INIT("arn:aws:sqs:r:1:q"), NULL, 0},
         ERR_OK,
         "{\"Sid\":\"x\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
         "\"arn:aws:iam::123456789012:root\"},\"Action\":\"SQS:SendMessage\","
         "\"Resource\":\"arn:aws:sqs:r:1:q\"}"},
        {"several of each, as SQS writes them",
         {STR_INIT("x"), accounts, 2, two, 2, false, STR_INIT("arn:aws:sqs:r:1:q"), NULL, 0},
         ERR_OK,
         "{\"Sid\":\"x\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":["
         "\"arn:aws:iam::123456789012:root\",\"arn:aws:iam::210987654321:role/r\"]},\"Action\":["
         "\"SQS:SendMessage\",\"SQS:*\"],\"Resource\":\"arn:aws:sqs:r:1:q\"}"},
        {"no principal of any kind",
         {STR_INIT("x"), nobody, 1, invoke, 1, false, STR_INIT(FN), NULL, 0},
         ERR_INVALID,
         NULL},
        {"short account",
         {STR_INIT("x"), short_account, 1, invoke, 1, false, STR_INIT(FN), NULL, 0},
         ERR_INVALID,
         NULL},
        {"account and service",
         {STR_INIT("x"), mixed, 2, invoke, 1, true, STR_INIT(FN), NULL, 0},
         ERR_INVALID,
         NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str json = STR_NONE, doc = STR_NONE;
        const char *why = "";
        struct policy *policy;
        arena_init(&a, 256 * 1024);
        enum err err = statement_json(&a, STR("aws"), &rows[i].st, &json);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(err));
        if (err == ERR_OK) {
            if (!str_eq_c(json, rows[i].json))
                fail_msg("%s: %.*s", rows[i].name, STR_ARG(json));
            err = statement_add(&a, STR_NONE, STR("2012-10-17"), STR("id"), rows[i].st.sid, json,
                                &doc);
            assert_int_equal(err, ERR_OK);
            if (policy_parse(&a, POLICY_RESOURCE, doc, &why, &policy) != ERR_OK)
                fail_msg("%s: %s", rows[i].name, why);
        }
        arena_release(&a);
    }
}

static void test_document(void **state)
{
    struct arena a;
    struct str doc;
    arena_init(&a, 1024 * 1024);
    assert_int_equal(statement_add(&a, STR_NONE, STR("2012-10-17"), STR("default"), STR("a"),
                                   STR("{\"Sid\":\"a\"}"), &doc),
                     ERR_OK);
    assert_true(str_eq_c(
        doc, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{\"Sid\":\"a\"}]}"));
    assert_int_equal(statement_add(&a, doc, STR("2012-10-17"), STR("x"), STR("a"), STR("{}"), &doc),
                     ERR_EXISTS);
    size_t n;
    assert_int_equal(statement_has(&a, doc, STR("a"), STR("{\"Sid\":\"a\"}")), ERR_OK);
    assert_int_equal(statement_has(&a, doc, STR("a"), STR("{}")), ERR_NOT_FOUND);
    assert_int_equal(statement_has(&a, doc, STR("b"), STR("{\"Sid\":\"b\"}")), ERR_NOT_FOUND);
    assert_int_equal(statement_count(&a, doc, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(statement_count(&a, STR("{"), &n), ERR_CORRUPT);
    assert_int_equal(
        statement_add(&a, doc, STR("2012-10-17"), STR("x"), STR("b"), STR("{\"Sid\":\"b\"}"), &doc),
        ERR_OK);
    assert_int_equal(statement_remove(&a, doc, STR("c"), &doc), ERR_NOT_FOUND);
    assert_int_equal(statement_remove(&a, doc, STR("a"), &doc), ERR_OK);
    assert_true(str_eq_c(
        doc, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{\"Sid\":\"b\"}]}"));
    assert_int_equal(statement_remove(&a, doc, STR("b"), &doc), ERR_OK);
    assert_false(str_is_set(doc));
    assert_int_equal(statement_remove(&a, doc, STR("b"), &doc), ERR_NOT_FOUND);
    /* What others wrote stays: version, a single statement without brackets, statements without a
     * Sid. */
    struct str theirs = STR("{\"Version\":\"2008-10-17\",\"Statement\":{\"Effect\":\"Deny\"}}");
    assert_int_equal(statement_add(&a, theirs, STR("2012-10-17"), STR("i"), STR("a"),
                                   STR("{\"Sid\":\"a\"}"), &doc),
                     ERR_OK);
    assert_true(str_eq_c(doc, "{\"Version\":\"2008-10-17\",\"Id\":\"i\",\"Statement\":[{\"Effect\":"
                              "\"Deny\"},{\"Sid\":\"a\"}]}"));
    assert_int_equal(
        statement_add(&a, STR("{"), STR("2012-10-17"), STR("i"), STR("a"), STR("{}"), &doc),
        ERR_CORRUPT);
    /* At the limit and past it. */
    size_t room = STATEMENT_DOCUMENT_MAX -
                  strlen("{\"Version\":\"2012-10-17\",\"Id\":\"i\",\"Statement\":[]}");
    char *big = arena_alloc(&a, room + 1);
    memset(big, ' ', room + 1);
    memcpy(big, "{}", 2);
    assert_int_equal(
        statement_add(&a, STR_NONE, STR("2012-10-17"), STR("i"), STR("a"), str_n(big, room), &doc),
        ERR_OK);
    assert_int_equal(statement_add(&a, STR_NONE, STR("2012-10-17"), STR("i"), STR("a"),
                                   str_n(big, room + 1), &doc),
                     ERR_LIMIT);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
