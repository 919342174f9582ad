/* S3 with every single failure, of its files too. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

enum { LARGE = 200 * 1000 }; /* a file, not a value in the store */

#define MAKE_B                                                                                     \
    {                                                                                              \
        S3("PUT", "/bkt", NULL)                                                                    \
    }
#define LIST                                                                                       \
    {                                                                                              \
        S3("GET", "/bkt?list-type=2", NULL)                                                        \
    }
#define READ(key)                                                                                  \
    {                                                                                              \
        S3("GET", "/bkt/" key, NULL)                                                               \
    }
#define REMOVE(key)                                                                                \
    {                                                                                              \
        S3("DELETE", "/bkt/" key, NULL)                                                            \
    }
#define LARGE_PUT(where)                                                                           \
    {                                                                                              \
        {                                                                                          \
            .service = "s3", .method = "PUT", .path = where, .repeat = LARGE                       \
        }                                                                                          \
    }
#define Q "\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/q\""
#define MAKE_Q                                                                                     \
    {                                                                                              \
        SQS("CreateQueue",                                                                         \
            "{\"QueueName\":\"q\",\"Attributes\":{\"Policy\":\"{\\\"Statement\\\":{\\\"Effect\\\"" \
            ":\\\"Allow\\\",\\\"Principal\\\":{\\\"Service\\\":\\\"s3.amazonaws.com\\\"},"         \
            "\\\"Action\\\":\\\"sqs:SendMessage\\\",\\\"Resource\\\":\\\"*\\\"}}\"}}")             \
    }
#define NOTIFY                                                                                     \
    {                                                                                              \
        S3("PUT", "/bkt?notification",                                                             \
           "<NotificationConfiguration><QueueConfiguration><Id>i</Id><Queue>"                      \
           "arn:aws:sqs:us-east-1:000000000000:q</Queue><Event>s3:ObjectCreated:*</Event>"         \
           "</QueueConfiguration></NotificationConfiguration>")                                    \
    }
#define COUNTS                                                                                     \
    {                                                                                              \
        SQS("GetQueueAttributes", "{" Q ",\"AttributeNames\":[\"All\"]}")                          \
    }

static const struct fault_case cases[] = {
    {
        .name = "create bucket",
        .undo = {{S3("DELETE", "/bkt", NULL)}},
        .act = MAKE_B,
        .probe = {{S3("GET", "/", NULL)}, {S3("GET", "/bkt?location", NULL)}},
    },
    {
        .name = "put cors",
        .setup = {MAKE_B},
        .undo = {{S3("DELETE", "/bkt?cors", NULL)}},
        .act = {S3("PUT", "/bkt?cors",
                   "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>"
                   "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>")},
        .probe = {{S3("GET", "/bkt?cors", NULL)}},
    },
    {
        .name = "put request payment",
        .setup = {MAKE_B},
        .undo = {{S3("PUT", "/bkt?requestPayment",
                     "<RequestPaymentConfiguration><Payer>BucketOwner</Payer>"
                     "</RequestPaymentConfiguration>")}},
        .act = {S3("PUT", "/bkt?requestPayment",
                   "<RequestPaymentConfiguration><Payer>Requester</Payer>"
                   "</RequestPaymentConfiguration>")},
        .probe = {{S3("GET", "/bkt?requestPayment", NULL)}},
    },
    {
        .name = "suspend acceleration",
        .setup = {MAKE_B},
        .undo = {{S3("DELETE", "/bkt", NULL)}, MAKE_B},
        .act = {S3(
            "PUT", "/bkt?accelerate",
            "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>")},
        .probe = {{S3("GET", "/bkt?accelerate", NULL)}},
    },
    {
        /* Anybody's: the signature of the head says nothing of a form. */
        .name = "post form",
        .setup = {MAKE_B,
                  {S3("DELETE", "/bkt?publicAccessBlock", NULL)},
                  {S3("PUT", "/bkt?policy",
                      "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                      "\"Principal\":\"*\",\"Action\":\"s3:PutObject\","
                      "\"Resource\":\"arn:aws:s3:::bkt/*\"}]}")}},
        .undo = {REMOVE("k")},
        .act = {{.service = "s3",
                 .path = "/bkt",
                 .type = "multipart/form-data; boundary=cut",
                 .body = "--cut\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n"
                         "--cut\r\nContent-Disposition: form-data; name=\"file\"; "
                         "filename=\"f\"\r\n\r\nhello\r\n--cut--\r\n"}},
        .probe = {LIST, {S3("HEAD", "/bkt/k", NULL)}},
    },
    {
        .name = "put lifecycle",
        .setup = {MAKE_B},
        .undo = {{S3("DELETE", "/bkt?lifecycle", NULL)}},
        .act = {S3("PUT", "/bkt?lifecycle",
                   "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><And>"
                   "<Prefix>a</Prefix><Tag><Key>b</Key><Value/></Tag></And></Filter><Expiration>"
                   "<Days>1</Days></Expiration></Rule></LifecycleConfiguration>")},
        .probe = {{S3("GET", "/bkt?lifecycle", NULL)}},
    },
    {
        .name = "put metrics configuration",
        .setup = {MAKE_B},
        .undo = {{S3("DELETE", "/bkt?metrics&id=a", NULL)}},
        .act = {S3("PUT", "/bkt?metrics&id=a",
                   "<MetricsConfiguration><Id>a</Id><Filter><Prefix>p</Prefix></Filter>"
                   "</MetricsConfiguration>")},
        .probe = {{S3("GET", "/bkt?metrics&id=a", NULL)}},
    },
    {
        .name = "put logging",
        .setup = {MAKE_B},
        .undo = {{S3("PUT", "/bkt?logging", "<BucketLoggingStatus/>")}},
        .act = {S3("PUT", "/bkt?logging",
                   "<BucketLoggingStatus><LoggingEnabled><TargetBucket>bkt</TargetBucket>"
                   "<TargetPrefix>l/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>")},
        .probe = {{S3("GET", "/bkt?logging", NULL)}},
    },
    {
        .name = "delete bucket",
        .setup = {MAKE_B},
        .undo = {MAKE_B},
        .act = {S3("DELETE", "/bkt", NULL)},
        .probe = {{S3("GET", "/", NULL)}},
    },
    {
        .name = "put small",
        .setup = {MAKE_B},
        .undo = {REMOVE("k")},
        .act = {S3("PUT", "/bkt/k", "hello")},
        .probe = {LIST, READ("k")},
        .files = true,
    },
    {
        .name = "put large",
        .setup = {MAKE_B},
        .undo = {REMOVE("k")},
        .act = LARGE_PUT("/bkt/k"),
        .probe = {LIST, {S3("HEAD", "/bkt/k", NULL)}},
        .files = true,
        .n_files = 1,
    },
    {
        .name = "replace large by small",
        .setup = {MAKE_B, LARGE_PUT("/bkt/k")},
        .undo = {LARGE_PUT("/bkt/k")},
        .act = {S3("PUT", "/bkt/k", "hello")},
        .probe = {LIST},
        .files = true,
    },
    {
        .name = "get large",
        .setup = {MAKE_B, LARGE_PUT("/bkt/k")},
        .act = READ("k"),
        .probe = {LIST},
        .files = true,
        .n_files = 1,
    },
    {
        .name = "delete large",
        .setup = {MAKE_B, LARGE_PUT("/bkt/k")},
        .undo = {LARGE_PUT("/bkt/k")},
        .act = REMOVE("k"),
        .probe = {LIST, {S3("HEAD", "/bkt/k", NULL)}},
        .files = true,
    },
    {
        .name = "copy large",
        .setup = {MAKE_B, LARGE_PUT("/bkt/k")},
        .undo = {REMOVE("c")},
        .act = {{.service = "s3",
                 .method = "PUT",
                 .path = "/bkt/c",
                 .header = "x-amz-copy-source: /bkt/k"}},
        .probe = {LIST, {S3("HEAD", "/bkt/c", NULL)}},
        .files = true,
        .n_files = 2,
    },
    {
        .name = "delete several",
        .setup = {MAKE_B, LARGE_PUT("/bkt/a"), {S3("PUT", "/bkt/b", "hello")}},
        .undo = {LARGE_PUT("/bkt/a"), {S3("PUT", "/bkt/b", "hello")}},
        .act = {{.service = "s3",
                 .path = "/bkt?delete",
                 .header = "content-md5: gnFQWv8HmHVEQ7mTrck6JQ==",
                 .body = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object>"
                         "</Delete>"}},
        .probe = {LIST},
        .files = true,
    },
    {
        .name = "upload part",
        .setup = {MAKE_B, {S3("POST", "/bkt/m?uploads", NULL), "<UploadId>"}},
        .undo = {{S3("DELETE", "/bkt/m?uploadId=%s", NULL)},
                 {S3("POST", "/bkt/m?uploads", NULL), "<UploadId>"}},
        .act = LARGE_PUT("/bkt/m?partNumber=1&uploadId=%s"),
        .probe = {{S3("GET", "/bkt/m?uploadId=%s", NULL)}},
        .files = true,
        .n_files = 1,
    },
    {
        .name = "complete upload",
        .setup = {MAKE_B},
        .undo = {REMOVE("m"), {S3("DELETE", "/bkt/m?uploadId=%s", NULL)}},
        .before = {{S3("POST", "/bkt/m?uploads", NULL), "<UploadId>"},
                   LARGE_PUT("/bkt/m?partNumber=1&uploadId=%s")},
        .act = {S3("POST", "/bkt/m?uploadId=%s",
                   "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"
                   "4b98146705d4b0b98b758a78ff6fb73f</ETag></Part></CompleteMultipartUpload>")},
        .probe = {LIST, {S3("HEAD", "/bkt/m", NULL)}},
        .files = true,
        .n_files = 1,
    },
    {
        .name = "notify",
        .setup = {MAKE_B, MAKE_Q, NOTIFY, {SQS("DeleteQueue", "{" Q "}")}, MAKE_Q},
        .undo = {REMOVE("k"), {SQS("DeleteQueue", "{" Q "}")}, MAKE_Q},
        .act = {S3("PUT", "/bkt/k", "hello")},
        .probe = {LIST, COUNTS},
    },
    {
        .name = "put notification",
        .setup = {MAKE_B, MAKE_Q},
        .undo = {{S3("PUT", "/bkt?notification", "<NotificationConfiguration/>")}},
        .act = NOTIFY,
        .probe = {{S3("GET", "/bkt?notification", NULL)}},
    },
    {
        .name = "put tags",
        .setup = {MAKE_B, {S3("PUT", "/bkt/k", "hello")}},
        .undo = {{S3("DELETE", "/bkt/k?tagging", NULL)}},
        .act = {S3("PUT", "/bkt/k?tagging",
                   "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")},
        .probe = {{S3("GET", "/bkt/k?tagging", NULL)}},
    },
};

static void test_cases(void **state)
{
    fault_run(cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
