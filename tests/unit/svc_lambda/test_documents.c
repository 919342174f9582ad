/* Texts that the service builds or reads: destination records, REPORT lines, batch
 * responses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "svc/lambda/lambda_int.h"

#define FN "arn:aws:lambda:us-east-1:000000000000:function:f"

static void test_destination(void **state)
{
    static const struct {
        const char *name;
        struct lambda_destination_record in;
        const char *json;
    } rows[] = {
        {"failure",
         {.now_ms = 1573754165568,
          .request_id = STR_INIT("e4b46cbf"),
          .function_arn = STR_INIT(FN ":$LATEST"),
          .version = STR_INIT("$LATEST"),
          .condition = "RetriesExhausted",
          .invoke_count = 3,
          .request_payload = STR_INIT("{\"a\":1}"),
          .has_response = true,
          .function_error = true,
          .response_payload = STR_INIT("{\"errorMessage\":\"x\"}")},
         "{\"version\":\"1.0\",\"timestamp\":\"2019-11-14T17:56:05.568Z\",\"requestContext\":{"
         "\"requestId\":\"e4b46cbf\",\"functionArn\":\"" FN ":$LATEST\",\"condition\":"
         "\"RetriesExhausted\",\"approximateInvokeCount\":3},\"requestPayload\":{\"a\":1},"
         "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\","
         "\"functionError\":\"Unhandled\"},\"responsePayload\":{\"errorMessage\":\"x\"}}"},
        {"too old, never run",
         {.now_ms = 0,
          .request_id = STR_INIT("r"),
          .function_arn = STR_INIT(FN ":$LATEST"),
          .condition = "EventAgeExceeded",
          .request_payload = STR_INIT("null")},
         "{\"version\":\"1.0\",\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"requestContext\":{"
         "\"requestId\":\"r\",\"functionArn\":\"" FN ":$LATEST\",\"condition\":"
         "\"EventAgeExceeded\",\"approximateInvokeCount\":0},\"requestPayload\":null}"},
        {"response that is no JSON",
         {.now_ms = 0,
          .request_id = STR_INIT("r"),
          .function_arn = STR_INIT("f:live"),
          .version = STR_INIT("7"),
          .condition = "Success",
          .invoke_count = 1,
          .request_payload = STR_INIT("{}"),
          .has_response = true,
          .response_payload = STR_INIT("oops {")},
         "{\"version\":\"1.0\",\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"requestContext\":{"
         "\"requestId\":\"r\",\"functionArn\":\"f:live\",\"condition\":\"Success\","
         "\"approximateInvokeCount\":1},\"requestPayload\":{},\"responseContext\":{\"statusCode\":"
         "200,\"executedVersion\":\"7\"},\"responsePayload\":null}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init(&b, 64 * 1024);
        lambda_destination_record_put(&b, &rows[i].in);
        assert_int_equal(buf_err(&b), ERR_OK);
        if (!str_eq_c(buf_str(&b), rows[i].json))
            fail_msg("%s: %.*s", rows[i].name, STR_ARG(buf_str(&b)));
        buf_release(&b);
    }
}

static void test_report(void **state)
{
    static const struct {
        struct lambda_report in;
        const char *line;
    } rows[] = {
        {{STR_INIT("r1"), 15740, 130490, 128, 56, NULL, {0}, {0}},
         "REPORT RequestId: r1\tDuration: 15.74 ms\tBilled Duration: 147 ms\tMemory Size: 128 MB\t"
         "Max Memory Used: 56 MB\tInit Duration: 130.49 ms\t"},
        {{STR_INIT("r2"), 1000, -1, 512, 60, NULL, {0}, {0}},
         "REPORT RequestId: r2\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 512 MB\t"
         "Max Memory Used: 60 MB\t"},
        {{STR_INIT("r3"), 3000000, -1, 128, 30, "timeout", {0}, {0}},
         "REPORT RequestId: r3\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB"
         "\tMax Memory Used: 30 MB\tStatus: timeout\t"},
        {{STR_INIT("r4"), 0, 5, 128, 30, "error", STR_INIT("Runtime.ExitError"), {0}},
         "REPORT RequestId: r4\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
         "Max Memory Used: 30 MB\tInit Duration: 0.01 ms\tStatus: error\tError Type: "
         "Runtime.ExitError\t"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init(&b, 4096);
        lambda_report_put(&b, &rows[i].in);
        if (!str_eq_c(buf_str(&b), rows[i].line))
            fail_msg("%zu: %.*s", i, STR_ARG(buf_str(&b)));
        buf_release(&b);
    }
}

static void test_batch_failures(void **state)
{
    const struct str ids[] = {STR("m1"), STR("m2"), STR("m3")};
    static const struct {
        const char *response;
        enum err err;
        bool failed[3];
    } rows[] = {
        {"", ERR_OK, {false, false, false}},
        {"null", ERR_OK, {false, false, false}},
        {"\"done\"", ERR_OK, {false, false, false}},
        {"{}", ERR_OK, {false, false, false}},
        {"{\"batchItemFailures\":null}", ERR_OK, {false, false, false}},
        {"{\"batchItemFailures\":[]}", ERR_OK, {false, false, false}},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"m2\"}]}", ERR_OK, {false, true, false}},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"m3\"},{\"itemIdentifier\":\"m1\"}]}",
         ERR_OK,
         {true, false, true}},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"m9\"}]}", ERR_INVALID, {0}},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}", ERR_INVALID, {0}},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":null}]}", ERR_INVALID, {0}},
        {"{\"batchItemFailures\":[{\"id\":\"m1\"}]}", ERR_INVALID, {0}},
        {"{\"batchItemFailures\":[\"m1\"]}", ERR_INVALID, {0}},
        {"{\"batchItemFailures\":\"m1\"}", ERR_INVALID, {0}},
        {"{\"batchItemFailures\":[", ERR_INVALID, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        bool failed[3] = {false};
        arena_init(&a, 64 * 1024);
        enum err err = lambda_batch_failures(&a, str_c(rows[i].response), ids, 3, failed);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].response, err_name(err));
        if (err == ERR_OK && memcmp(failed, rows[i].failed, sizeof(failed)) != 0)
            fail_msg("%s: wrong messages", rows[i].response);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_destination),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_batch_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
