/* What jobs do, and what the functions read of their events, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "event.h"
#include "work.h"

enum { ARENA_BYTES = 1 << 20 };

/* Outcome of a job as text: "words=5 distinct=4", or the reason. */
static void outcome(struct arena *a, struct str kind, struct str input, char *out, size_t size)
{
    struct work_result r;
    struct str reason = STR_NONE;
    enum err err = work_run(a, kind, input, &r, &reason);
    assert_true(err == ERR_OK || err == ERR_INVALID);
    if (err == ERR_OK)
        snprintf(out, size, "%s=%lld %s=%lld", r.values[0].name, (long long)r.values[0].value,
                 r.values[1].name, (long long)r.values[1].value);
    else
        snprintf(out, size, STR_FMT, STR_ARG(reason));
}

static void test_work(void **state)
{
    static const struct {
        const char *kind, *input, *want;
    } rows[] = {
        {"words", "", "words=0 distinct=0"},
        {"words", " \t\r\n", "words=0 distinct=0"},
        {"words", "a", "words=1 distinct=1"},
        {"words", " the cat\tand the\n dog ", "words=5 distinct=4"},
        {"words", "A a \xc3\xa4 \xc3\xa4", "words=4 distinct=3"},
        {"sum", "", "numbers=0 sum=0"},
        {"sum", "1 -20 300", "numbers=3 sum=281"},
        {"sum", "9223372036854775807 -9223372036854775808", "numbers=2 sum=-1"},
        {"sum", "1 x", "number 2 of the input is not a whole number of 64 bits"},
        {"sum", "1.0", "number 1 of the input is not a whole number of 64 bits"},
        {"sum", "9223372036854775808", "number 1 of the input is not a whole number of 64 bits"},
        {"sum", "9223372036854775807 1", "with number 2 the sum takes more than 64 bits"},
        {"sum", "-9223372036854775808 -1", "with number 2 the sum takes more than 64 bits"},
        {"Sum", "1", "its kind is neither words nor sum"},
        {NULL, "1", "its kind is neither words nor sum"},
        {"sum", NULL, "it has no input that is text"},
        {"words", NULL, "it has no input that is text"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        char got[200];
        arena_init(&a, ARENA_BYTES);
        outcome(&a, rows[i].kind ? str_c(rows[i].kind) : STR_NONE,
                rows[i].input ? str_c(rows[i].input) : STR_NONE, got, sizeof got);
        assert_string_equal(got, rows[i].want);
        arena_release(&a);
    }
    (void)state;
}

static void test_change(void **state)
{
    static const struct {
        const char *record, *want; /* NULL: refused */
    } rows[] = {
        {"{}", NULL},
        {"[]", NULL},
        {"{\"dynamodb\":{\"SequenceNumber\":\"1\",\"Keys\":{}}}", NULL},
        {"{\"dynamodb\":{\"Keys\":{\"id\":{\"S\":\"a\"}}}}", NULL},
        {"{\"dynamodb\":{\"SequenceNumber\":1,\"Keys\":{\"id\":{\"S\":\"a\"}}}}", NULL},
        {"{\"dynamodb\":{\"SequenceNumber\":\"1\",\"Keys\":{\"id\":{\"N\":\"1\"}}}}", NULL},
        {"{\"eventName\":\"REMOVE\",\"dynamodb\":{\"SequenceNumber\":\"7\",\"Keys\":{\"id\":"
         "{\"S\":\"a\"}}}}",
         "0 7 a - -"},
        {"{\"eventName\":\"INSERT\",\"dynamodb\":{\"SequenceNumber\":\"8\",\"Keys\":{\"id\":"
         "{\"S\":\"a\"}},\"NewImage\":{\"kind\":{\"S\":\"sum\"},\"input\":{\"S\":\"1 2\"}}}}",
         "1 8 a sum 1 2"},
        {"{\"eventName\":\"INSERT\",\"dynamodb\":{\"SequenceNumber\":\"9\",\"Keys\":{\"id\":"
         "{\"S\":\"a\"}},\"NewImage\":{\"kind\":{\"N\":\"1\"},\"input\":{\"L\":[]}}}}",
         "1 9 a - -"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *doc = NULL;
        struct change c;
        char got[100];
        arena_init(&a, ARENA_BYTES);
        assert_int_equal(json_parse(&a, str_c(rows[i].record), &doc, NULL), ERR_OK);
        enum err err = change_read(doc, &c);
        assert_int_equal(err, rows[i].want ? ERR_OK : ERR_INVALID);
        if (err == ERR_OK) {
            struct str kind = str_is_set(c.kind) ? c.kind : STR("-");
            struct str input = str_is_set(c.input) ? c.input : STR("-");
            snprintf(got, sizeof got, "%d " STR_FMT " " STR_FMT " " STR_FMT " " STR_FMT, c.insert,
                     STR_ARG(c.sequence), STR_ARG(c.id), STR_ARG(kind), STR_ARG(input));
            assert_string_equal(got, rows[i].want);
        }
        arena_release(&a);
    }
    (void)state;
}

#define GIVEN_UP(CONTEXT, BATCH)                                                                   \
    "{\"requestContext\":{" CONTEXT "},\"DDBStreamBatchInfo\":{" BATCH "}}"
#define CONTEXT "\"functionArn\":\"f\",\"condition\":\"RetryAttemptsExhausted\""
#define BATCH                                                                                      \
    "\"streamArn\":\"s\",\"shardId\":\"h\",\"startSequenceNumber\":\"1\",\"endSequenceNumber\":"   \
    "\"2\""

static void test_given_up(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t invocations;
    } rows[] = {
        {"", ERR_INVALID, 0},
        {"x", ERR_INVALID, 0},
        {"{}", ERR_INVALID, 0},
        {GIVEN_UP("", BATCH), ERR_INVALID, 0},
        {GIVEN_UP(CONTEXT, ""), ERR_INVALID, 0},
        {GIVEN_UP(CONTEXT, "\"streamArn\":\"s\",\"shardId\":\"h\",\"startSequenceNumber\":\"1\""),
         ERR_INVALID, 0},
        {GIVEN_UP(CONTEXT, BATCH), ERR_OK, 0},
        {GIVEN_UP(CONTEXT ",\"approximateInvokeCount\":3", BATCH), ERR_OK, 3},
        {GIVEN_UP(CONTEXT ",\"approximateInvokeCount\":\"3\"", BATCH), ERR_OK, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct given_up g = {0};
        arena_init(&a, ARENA_BYTES);
        assert_int_equal(given_up_read(&a, str_c(rows[i].text), &g), rows[i].err);
        assert_int_equal(g.invocations, rows[i].invocations);
        if (rows[i].err == ERR_OK)
            assert_true(str_eq_c(g.first, "1") && str_eq_c(g.last, "2"));
        arena_release(&a);
    }
    (void)state;
}

static void test_sequences_are_numbers(void **state)
{
    static const char *const order[] = {
        "", "1", "2", "9", "10", "99999999999999999999", "100000000000000000000"};
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        for (size_t j = 0; j < ARRAY_LEN(order); j++) {
            int got = sequence_cmp(str_c(order[i]), str_c(order[j]));
            assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
        }
    assert_int_equal(sequence_cmp(STR("000"), STR("")), 0);
    assert_int_equal(sequence_cmp(STR("0012"), STR("12")), 0);
    (void)state;
}

static void test_function_of_an_arn(void **state)
{
    struct str f = STR("arn:aws:lambda:us-east-1:000000000000:function:a");
    assert_true(arn_is_function(f, f));
    assert_true(arn_is_function(STR("arn:aws:lambda:us-east-1:000000000000:function:a:3"), f));
    assert_false(arn_is_function(STR("arn:aws:lambda:us-east-1:000000000000:function:ab"), f));
    assert_false(arn_is_function(f, STR_NONE));
    assert_false(arn_is_function(STR_NONE, f));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_sequences_are_numbers),
        cmocka_unit_test(test_function_of_an_arn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
