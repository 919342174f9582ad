/* Lifecycle rules of buckets by a clock that the test moves: what goes at which midnight, what stays, and
 * who is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "help_fault.h"

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define NOON_MS (INT64_C(19700) * DAY_MS + 12 * HOUR_MS)
enum { POLLS_MAX = 200000, MANY = 1500 };

static struct world w;
static struct reply reply;

static int s3(const char *method, const char *path, const char *body)
{
    struct request req = {.service = "s3", .method = method, .path = path, .body = body};
    world_call(&w, &req, &reply);
    return reply.status;
}

static int put(const char *path)
{
    return s3("PUT", path, "x");
}

/* The rules of the bucket, each an XML text. */
static void rules(const char *xml)
{
    char body[4096];
    snprintf(body, sizeof(body), "<LifecycleConfiguration>%s</LifecycleConfiguration>", xml);
    assert_int_equal(s3("PUT", "/bkt?lifecycle", body), 200);
}

#define RULE(id, filter, action)                                                                   \
    "<Rule><ID>" id "</ID><Status>Enabled</Status><Filter>" filter "</Filter>" action "</Rule>"
#define DAYS(n) "<Expiration><Days>" #n "</Days></Expiration>"
#define PREFIX(p) "<Prefix>" p "</Prefix>"

static void pass(int64_t ms)
{
    clock_fake_advance_ms(ms);
    deliver_wake(w.core.deliver);
}

/* The engine works on the loop, between requests: asks until the listing has the text no more. */
static void until_gone(const char *path, const char *text)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        assert_int_equal(s3("GET", path, NULL), 200);
        if (!strstr(reply.body, text))
            return;
        deliver_wake(w.core.deliver);
    }
    fail_msg("%s still says %s: %s", path, text, reply.body);
}

static void version_of(const char *key, char *out, size_t size)
{
    char path[128];
    snprintf(path, sizeof(path), "/bkt?versions&prefix=%s", key);
    assert_int_equal(s3("GET", path, NULL), 200);
    const char *at = strstr(reply.body, "<VersionId>");
    assert_non_null(at);
    at += strlen("<VersionId>");
    snprintf(out, size, "%.*s", (int)strcspn(at, "<"), at);
}

static size_t count(const char *path, const char *text)
{
    size_t n = 0;
    assert_int_equal(s3("GET", path, NULL), 200);
    for (const char *p = reply.body; (p = strstr(p, text)) != NULL; p += strlen(text))
        n++;
    return n;
}

static void until_versions(const char *path, size_t n)
{
    for (int i = 0; i < POLLS_MAX && count(path, "<Version>") > n; i++)
        deliver_wake(w.core.deliver);
    if (count(path, "<Version>") != n)
        fail_msg("%s: %s", path, reply.body);
}

static void days_end_at_midnight(void **state)
{
    rules(RULE("a", PREFIX("in/"), DAYS(2)) RULE("b", PREFIX("late/"), DAYS(9))
              RULE("s", "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>", DAYS(1)));
    assert_int_equal(put("/bkt/in/k"), 200);
    assert_int_equal(put("/bkt/late/k"), 200);
    assert_int_equal(put("/bkt/other"), 200);
    assert_int_equal(s3("PUT", "/bkt/large", "xx"), 200);
    pass(36 * HOUR_MS + 1000); /* the second midnight: one day after noon, rounded up */
    until_gone("/bkt", "<Key>large<");
    assert_non_null(strstr(reply.body, "<Key>in/k<"));
    pass(DAY_MS - 3000);
    assert_int_equal(s3("GET", "/bkt/in/k", NULL), 200);
    pass(3000);
    until_gone("/bkt", "<Key>in/k<");
    assert_non_null(strstr(reply.body, "<Key>late/k<"));
    assert_non_null(strstr(reply.body, "<Key>other<"));
}

static void runs_go_on_after_a_restart(void **state)
{
    char path[64];
    rules(RULE("a", PREFIX("k"), DAYS(1)));
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path), "/bkt/k%04d", i);
        assert_int_equal(put(path), 200);
    }
    assert_int_equal(put("/bkt/stays"), 200);
    world_down(&w);
    clock_fake_advance_ms(5 * DAY_MS);
    world_up(&w);
    until_gone("/bkt?prefix=k", "<Key>");
    assert_int_equal(s3("GET", "/bkt/stays", NULL), 200);
}

static void rules_that_went_do_nothing(void **state)
{
    rules(RULE("a", PREFIX(""), DAYS(1)));
    assert_int_equal(put("/bkt/k"), 200);
    assert_int_equal(s3("DELETE", "/bkt?lifecycle", NULL), 204);
    /* Another bucket's rule tells that the midnight was. */
    assert_int_equal(s3("PUT", "/two", NULL), 200);
    assert_int_equal(
        s3("PUT", "/two?lifecycle",
           "<LifecycleConfiguration>" RULE("a", PREFIX(""), DAYS(1)) "</LifecycleConfiguration>"),
        200);
    assert_int_equal(put("/two/k"), 200);
    pass(3 * DAY_MS);
    until_gone("/two", "<Key>");
    assert_int_equal(s3("GET", "/bkt/k", NULL), 200);
    assert_int_equal(s3("DELETE", "/two", NULL), 204);
}

static void a_date_comes(void **state)
{
    rules(RULE("a", "<Tag><Key>t</Key><Value>1</Value></Tag>",
               "<Expiration><Date>2023-12-12T00:00:00Z</Date></Expiration>"));
    struct request req = {.service = "s3",
                          .method = "PUT",
                          .path = "/bkt/k",
                          .body = "x",
                          .header = "x-amz-tagging: t=1"};
    world_call(&w, &req, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.head, "Tue, 12 Dec 2023 00:00:00 GMT"));
    assert_int_equal(put("/bkt/other"), 200);
    pass(12 * HOUR_MS + 1000); /* 2023-12-10 */
    assert_int_equal(s3("GET", "/bkt/k", NULL), 200);
    pass(2 * DAY_MS);
    until_gone("/bkt", "<Key>k<");
    assert_int_equal(s3("GET", "/bkt/other", NULL), 200);
}

#define ENABLE "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"

static void versions_get_markers_and_go(void **state)
{
    assert_int_equal(s3("PUT", "/bkt?versioning", ENABLE), 200);
    rules(RULE("a", PREFIX("e/"), DAYS(1)) RULE(
        "n", PREFIX("n/"),
        "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>1"
        "</NewerNoncurrentVersions></NoncurrentVersionExpiration>"));
    char kept[64];
    assert_int_equal(put("/bkt/e/k"), 200);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put("/bkt/n/k"), 200);
        if (i == 1)
            version_of("n/", kept, sizeof(kept));
    }
    assert_int_equal(put("/bkt/n/k"), 200);
    pass(36 * HOUR_MS + 1000);
    until_gone("/bkt", "<Key>e/k<");
    assert_int_equal(count("/bkt?versions&prefix=e/", "<DeleteMarker>"), 1);
    assert_int_equal(count("/bkt?versions&prefix=e/", "<Version>"), 1);
    assert_int_equal(count("/bkt?versions&prefix=n/", "<Version>"), 4);
    pass(DAY_MS);
    until_gone("/bkt?versions&prefix=n/", kept);
    until_versions("/bkt?versions&prefix=n/", 2);
    assert_int_equal(s3("GET", "/bkt/n/k", NULL), 200);
}

static void what_is_locked_waits_for_its_time(void **state)
{
    assert_int_equal(s3("PUT", "/bkt?versioning", ENABLE), 200);
    rules(RULE("n", PREFIX(""),
               "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
               "</NoncurrentVersionExpiration>"));
    for (int i = 0; i < 2; i++)
        assert_int_equal(put("/bkt/free"), 200);
    assert_int_equal(s3("PUT", "/bkt?object-lock",
                        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
                        "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>5</Days>"
                        "</DefaultRetention></Rule></ObjectLockConfiguration>"),
                     200);
    for (int i = 0; i < 2; i++)
        assert_int_equal(put("/bkt/held"), 200);
    pass(36 * HOUR_MS + 1000);
    until_versions("/bkt?versions&prefix=free", 1);
    assert_int_equal(count("/bkt?versions&prefix=held", "<Version>"), 2);
    pass(5 * DAY_MS);
    until_versions("/bkt?versions&prefix=held", 1);
}

static void markers_of_nothing_go(void **state)
{
    char id[64], path[128];
    assert_int_equal(s3("PUT", "/bkt?versioning", ENABLE), 200);
    rules(RULE("m", PREFIX(""),
               "<Expiration><ExpiredObjectDeleteMarker>true"
               "</ExpiredObjectDeleteMarker></Expiration>"));
    assert_int_equal(put("/bkt/alone"), 200);
    version_of("alone", id, sizeof(id));
    assert_int_equal(s3("DELETE", "/bkt/alone", NULL), 204);
    snprintf(path, sizeof(path), "/bkt/alone?versionId=%s", id);
    assert_int_equal(s3("DELETE", path, NULL), 204);
    assert_int_equal(put("/bkt/behind"), 200);
    assert_int_equal(s3("DELETE", "/bkt/behind", NULL), 204);
    pass(13 * HOUR_MS);
    until_gone("/bkt?versions", "<Key>alone<");
    assert_int_equal(count("/bkt?versions", "<DeleteMarker>"), 1);
    assert_int_equal(count("/bkt?versions", "<Version>"), 1);
}

static void uploads_are_aborted(void **state)
{
    char id[64], path[160];
    rules(RULE("u", PREFIX("u/"),
               "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1"
               "</DaysAfterInitiation></AbortIncompleteMultipartUpload>"));
    assert_int_equal(s3("POST", "/bkt/other?uploads", NULL), 200);
    assert_int_equal(s3("POST", "/bkt/u/k?uploads", NULL), 200);
    const char *at = strstr(reply.body, "<UploadId>");
    assert_non_null(at);
    snprintf(id, sizeof(id), "%.*s", 48, at + strlen("<UploadId>"));
    snprintf(path, sizeof(path), "/bkt/u/k?partNumber=1&uploadId=%s", id);
    assert_int_equal(put(path), 200);
    pass(36 * HOUR_MS + 1000);
    until_gone("/bkt?uploads", "<Key>u/k<");
    assert_non_null(strstr(reply.body, "<Key>other<"));
    assert_int_equal(put(path), 404);
}

/* --- events ----------------------------------------------------------------------------------- */

static int sqs(const char *op, const char *body)
{
    char target[64];
    snprintf(target, sizeof(target), "AmazonSQS.%s", op);
    struct request req = {
        .service = "sqs", .target = target, .type = "application/x-amz-json-1.0", .body = body};
    world_call(&w, &req, &reply);
    return reply.status;
}

static void who_asked_is_told(void **state)
{
    assert_int_equal(
        sqs("CreateQueue",
            "{\"QueueName\":\"q\",\"Attributes\":{\"Policy\":\"{\\\"Statement\\\":{\\\"Effect\\\":"
            "\\\"Allow\\\",\\\"Principal\\\":{\\\"Service\\\":\\\"s3.amazonaws.com\\\"},"
            "\\\"Action\\\":\\\"sqs:SendMessage\\\",\\\"Resource\\\":\\\"*\\\"}}\"}}"),
        200);
    assert_int_equal(s3("PUT", "/bkt?notification",
                        "<NotificationConfiguration><QueueConfiguration><Id>i</Id><Queue>"
                        "arn:aws:sqs:us-east-1:000000000000:q</Queue>"
                        "<Event>s3:LifecycleExpiration:*</Event></QueueConfiguration>"
                        "</NotificationConfiguration>"),
                     200);
    rules(RULE("a", PREFIX(""), DAYS(1)));
    assert_int_equal(put("/bkt/k"), 200);
    pass(36 * HOUR_MS + 1000);
    until_gone("/bkt", "<Key>k<");
    for (int i = 0; i < POLLS_MAX; i++) {
        assert_int_equal(
            sqs("ReceiveMessage",
                "{\"QueueUrl\":\"http://localhost/000000000000/q\",\"MaxNumberOfMessages\":10}"),
            200);
        if (strstr(reply.body, "LifecycleExpiration:Delete")) {
            assert_non_null(strstr(reply.body, "\\\"principalId\\\":\\\"s3.amazonaws.com\\\""));
            return;
        }
    }
    fail_msg("no event: %s", reply.body);
}

/* Once the rules were carried out, and the records were delivered. */
static void the_access_log_tells(void **state)
{
    char path[256] = "/log/", *key;
    assert_int_equal(s3("PUT", "/log", NULL), 200);
    assert_int_equal(
        s3("PUT", "/log?policy",
           "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{"
           "\"Service\":\"logging.s3.amazonaws.com\"},\"Action\":\"s3:PutObject\",\"Resource\":"
           "\"arn:aws:s3:::log/*\"}]}"),
        204);
    rules(RULE("a", PREFIX(""), DAYS(1)));
    assert_int_equal(put("/bkt/k"), 200);
    assert_int_equal(s3("PUT", "/bkt?logging",
                        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>log</TargetBucket>"
                        "<TargetPrefix/></LoggingEnabled></BucketLoggingStatus>"),
                     200);
    pass(36 * HOUR_MS + 1000);
    until_gone("/bkt", "<Key>k<");
    assert_int_equal(s3("PUT", "/bkt?logging", "<BucketLoggingStatus/>"), 200);
    for (int i = 0; i < POLLS_MAX && count("/log", "<Contents>") == 0; i++)
        deliver_wake(w.core.deliver);
    key = strstr(reply.body, "<Key>");
    assert_non_null(key);
    key += strlen("<Key>");
    memcpy(path + 5, key, (size_t)(strchr(key, '<') - key));
    assert_int_equal(s3("GET", path, NULL), 200);
    assert_non_null(strstr(reply.body, " AmazonS3 "));
    assert_non_null(strstr(reply.body, " S3.EXPIRE.OBJECT k \"-\" - - - - - - \"-\" \"-\" - "));
}

static int up(void **state)
{
    world_begin(&w, NOON_MS);
    assert_int_equal(s3("PUT", "/bkt", NULL), 200);
    return 0;
}

static int down(void **state)
{
    world_end(&w, &reply);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(days_end_at_midnight),        TEST(runs_go_on_after_a_restart),
        TEST(rules_that_went_do_nothing),  TEST(a_date_comes),
        TEST(versions_get_markers_and_go), TEST(what_is_locked_waits_for_its_time),
        TEST(markers_of_nothing_go),       TEST(uploads_are_aborted),
        TEST(who_asked_is_told),           TEST(the_access_log_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
