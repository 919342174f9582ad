/* What time does to streams and items, against the whole server under a fake clock: iterators that
 * expire, records that are trimmed, closed streams that go, items whose time to live is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "deliver/due.h"
#include "help_world.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, TRIES_MAX = 100000 };
static const int64_t T0_MS = 1790000000000;

#define PAGE(name) "{\"TableName\":\"" name "\"}"

static struct world w;
static struct reply reply;

static void call(const char *target, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void call(const char *target, const char *fmt, ...)
{
    static char body[8192];
    va_list ap;
    va_start(ap, fmt);
    assert_true(vsnprintf(body, sizeof(body), fmt, ap) < (int)sizeof(body));
    va_end(ap);
    const struct request req = {.service = "dynamodb",
                                .target = target,
                                .type = "application/x-amz-json-1.0",
                                .body = body};
    world_call(&w, &req, &reply);
}

#define DB "DynamoDB_20120810."
#define STREAMS "DynamoDBStreams_20120810."

static void expect_ok(void)
{
    if (reply.status != 200)
        fail_msg("%d %s", reply.status, reply.body);
}

static void expect_error(const char *code)
{
    if (reply.status != 400 || !strstr(reply.body, code))
        fail_msg("%s expected: %d %s", code, reply.status, reply.body);
}

/* The text between `before` and the next quote of the reply. */
static void text_after(const char *before, char *ret, size_t size)
{
    const char *at = strstr(reply.body, before);
    assert_non_null(at);
    at += strlen(before);
    size_t len = strcspn(at, "\"");
    assert_true(len < size);
    memcpy(ret, at, len);
    ret[len] = 0;
}

static int count(const char *what)
{
    int n = 0;
    for (const char *at = reply.body; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static void advance(int64_t ms)
{
    clock_fake_advance_ms(ms);
    due_wake(deliver_due(w.core.deliver));
}

static char arn[256], shards[4][64];

static void make_table(const char *name)
{
    call(DB "CreateTable",
         "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{"
         "\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{"
         "\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],\"StreamSpecification\":{"
         "\"StreamEnabled\":true,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}}",
         name);
    expect_ok();
    text_after("\"LatestStreamArn\":\"", arn, sizeof(arn));
    call(STREAMS "DescribeStream", "{\"StreamArn\":\"%s\"}", arn);
    expect_ok();
    const char *at = reply.body;
    for (int i = 0; i < 4; i++) {
        at = strstr(at, "shardId-");
        assert_non_null(at);
        memcpy(shards[i], at, strcspn(at, "\""));
        at += 8;
    }
}

static void put(const char *name, const char *key, int64_t until_s)
{
    call(DB "PutItem",
         "{\"TableName\":\"%s\",\"Item\":{\"id\":{\"S\":\"%s\"},\"until\":{\"N\":\"%lld\"}}}", name,
         key, (long long)until_s);
    expect_ok();
}

static void iterator(int shard, const char *type, const char *sequence, char *ret, size_t size)
{
    call(STREAMS "GetShardIterator",
         "{\"StreamArn\":\"%s\",\"ShardId\":\"%s\",\"ShardIteratorType\":\"%s\"%s%s%s}", arn,
         shards[shard], type, sequence ? ",\"SequenceNumber\":\"" : "", sequence ? sequence : "",
         sequence ? "\"" : "");
    if (ret) {
        expect_ok();
        text_after("\"ShardIterator\":\"", ret, size);
    }
}

static void read_with(const char *token)
{
    call(STREAMS "GetRecords", "{\"ShardIterator\":\"%s\"}", token);
}

/* The shard that has records; the reply is the page of them. */
static int busy_shard(void)
{
    char token[2049];
    for (int i = 0; i < 4; i++) {
        iterator(i, "TRIM_HORIZON", NULL, token, sizeof(token));
        read_with(token);
        expect_ok();
        if (count("eventID"))
            return i;
    }
    fail_msg("no shard has records");
    return -1;
}

/* Asks until the reply says it; the server works on its own thread meanwhile. */
static void until(bool (*says)(void *arg), void *arg)
{
    for (int i = 0; i < TRIES_MAX; i++)
        if (says(arg))
            return;
    fail_msg("never came");
}

static bool item_is_gone(void *key)
{
    call(DB "GetItem", "{\"TableName\":\"expire\",\"Key\":{\"id\":{\"S\":\"%s\"}}}",
         (const char *)key);
    expect_ok();
    return !strstr(reply.body, "Item");
}

static bool ttl_is_on(void *arg)
{
    call(DB "DescribeTimeToLive", PAGE("expire"));
    expect_ok();
    return strstr(reply.body, "ENABLED") != NULL;
}

static bool item_is_there(char *key)
{
    return !item_is_gone(key);
}

static void items_expire(void **state)
{
    int64_t now_s = T0_MS / 1000;
    make_table("expire");
    put("expire", "before", now_s + 100); /* there before it is enabled */
    call(DB "UpdateTimeToLive", "{\"TableName\":\"expire\",\"TimeToLiveSpecification\":{"
                                "\"Enabled\":true,\"AttributeName\":\"until\"}}");
    expect_ok();
    until(ttl_is_on, NULL);
    put("expire", "soon", now_s + 100);
    put("expire", "later", now_s + 10000);
    put("expire", "moved", now_s + 100);
    put("expire", "moved", now_s + 20000);
    put("expire", "ancient", now_s - 6 * 365 * 24 * 3600);
    call(DB "PutItem",
         "{\"TableName\":\"expire\",\"Item\":{\"id\":{\"S\":\"text\"},\"until\":{"
         "\"S\":\"%lld\"}}}",
         (long long)now_s + 100);
    advance(121 * 1000);
    until(item_is_gone, "before");
    until(item_is_gone, "soon");
    assert_true(item_is_there("later") && item_is_there("moved") && item_is_there("ancient") &&
                item_is_there("text"));
    put("expire", "past", now_s - 5); /* expired when it is written */
    advance(30 * 1000);
    until(item_is_gone, "past");
    /* An expiry survives a restart, and what comes to its end meanwhile goes at the start. */
    world_down(&w);
    clock_fake_advance_ms(10000 * 1000);
    world_up(&w);
    until(item_is_gone, "later");
    assert_true(item_is_there("moved") && item_is_there("ancient"));
    int expired = 0, removed = 0;
    char token[2049];
    for (int i = 0; i < 4; i++) {
        iterator(i, "TRIM_HORIZON", NULL, token, sizeof(token));
        read_with(token);
        expect_ok();
        expired += count("\"dynamodb.amazonaws.com\"");
        removed += count("\"REMOVE\"");
    }
    assert_int_equal(expired, 4);
    assert_int_equal(removed, 4);
}

static void ttl_waits_an_hour(void **state)
{
    static const char *const off = "{\"TableName\":\"expire\",\"TimeToLiveSpecification\":{"
                                   "\"Enabled\":false,\"AttributeName\":\"until\"}}";
    call(DB "UpdateTimeToLive", "%s", off); /* hours after it was enabled */
    expect_ok();
    call(DB "UpdateTimeToLive", "{\"TableName\":\"expire\",\"TimeToLiveSpecification\":{"
                                "\"Enabled\":true,\"AttributeName\":\"until\"}}");
    expect_error("ValidationException");
    put("expire", "kept", clock_now_ms() / 1000 + 1);
    advance(2 * HOUR_MS);
    call(DB "UpdateTimeToLive", "{\"TableName\":\"expire\",\"TimeToLiveSpecification\":{"
                                "\"Enabled\":true,\"AttributeName\":\"other\"}}");
    expect_ok();
    advance(MINUTE_MS);
    assert_true(item_is_there("kept"));
}

static bool stream_is_gone(void *arg)
{
    call(STREAMS "DescribeStream", "{\"StreamArn\":\"%s\"}", (const char *)arn);
    return reply.status == 400 && strstr(reply.body, "ResourceNotFoundException");
}

static void records_are_trimmed(void **state)
{
    char token[2049], first[64], at[2049];
    make_table("trim");
    put("trim", "a", 1);
    put("trim", "a", 2);
    int shard = busy_shard();
    text_after("\"SequenceNumber\":\"", first, sizeof(first));
    iterator(shard, "AT_SEQUENCE_NUMBER", first, at, sizeof(at));
    iterator(shard, "TRIM_HORIZON", NULL, token, sizeof(token));
    advance(14 * MINUTE_MS);
    read_with(token);
    expect_ok();
    assert_int_equal(count("eventID"), 2);
    advance(2 * MINUTE_MS);
    read_with(token);
    expect_error("ExpiredIteratorException");

    advance(23 * HOUR_MS);
    assert_int_equal(busy_shard(), shard); /* a day is not over */
    put("trim", "a", 3);
    iterator(shard, "AT_SEQUENCE_NUMBER", first, at, sizeof(at));
    for (int i = 0; i < 3; i++) /* trimmed once an hour */
        advance(HOUR_MS);
    iterator(shard, "TRIM_HORIZON", NULL, token, sizeof(token));
    for (int i = 0; i < TRIES_MAX; i++) {
        read_with(token);
        expect_ok();
        if (count("eventID") == 1)
            break;
    }
    assert_int_equal(count("eventID"), 1); /* the youngest stays */
    iterator(shard, "AFTER_SEQUENCE_NUMBER", first, NULL, 0);
    expect_error("TrimmedDataAccessException");
}

static void a_closed_stream_goes_after_a_day(void **state)
{
    make_table("closed");
    put("closed", "a", 1);
    call(DB "DeleteTable", PAGE("closed"));
    expect_ok();
    advance(20 * HOUR_MS);
    busy_shard();
    for (int i = 0; i < 6; i++)
        advance(HOUR_MS);
    until(stream_is_gone, NULL);
}

static char key[64];

static void kms(const char *op, const char *body)
{
    char target[64];
    snprintf(target, sizeof(target), "TrentService.%s", op);
    const struct request req = {
        .service = "kms", .target = target, .type = "application/x-amz-json-1.1", .body = body};
    world_call(&w, &req, &reply);
    expect_ok();
}

static void with_key(const char *op)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"KeyId\":\"%s\"}", key);
    kms(op, body);
}

static bool sealed_is_gone(void *id)
{
    call(DB "GetItem", "{\"TableName\":\"sealed\",\"Key\":{\"id\":{\"S\":\"%s\"}}}", (char *)id);
    expect_ok();
    return !strstr(reply.body, "Item");
}

static bool sealed_ttl_is_on(void *arg)
{
    call(DB "DescribeTimeToLive", PAGE("sealed"));
    expect_ok();
    return strstr(reply.body, "ENABLED") != NULL;
}

/* Expiry times lie plain, the images of the stream do not: who expires items asks nobody for permission, but the key
 * must work. */
static void items_under_a_key_expire(void **state)
{
    char token[2049];
    int removed = 0;
    kms("CreateKey", "{}");
    text_after("\"KeyId\":\"", key, sizeof(key));
    make_table("sealed");
    call(DB "UpdateTable",
         "{\"TableName\":\"sealed\",\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\","
         "\"KMSMasterKeyId\":\"%s\"}}",
         key);
    expect_ok();
    call(DB "UpdateTimeToLive", "{\"TableName\":\"sealed\",\"TimeToLiveSpecification\":{"
                                "\"Enabled\":true,\"AttributeName\":\"until\"}}");
    expect_ok();
    until(sealed_ttl_is_on, NULL);
    int64_t now_s = clock_now_ms() / 1000;
    put("sealed", "soon", now_s + 100);
    put("sealed", "waits", now_s + 300);
    advance(121 * 1000);
    until(sealed_is_gone, "soon");
    with_key("DisableKey");
    advance(300 * 1000);
    with_key("EnableKey");
    advance(MINUTE_MS);
    until(sealed_is_gone, "waits");
    for (int i = 0; i < 4; i++) {
        iterator(i, "TRIM_HORIZON", NULL, token, sizeof(token));
        read_with(token);
        expect_ok();
        removed += count("\"REMOVE\"");
        assert_int_equal(count("\"REMOVE\""), count("\"dynamodb.amazonaws.com\""));
        assert_int_equal(count("\"OldImage\""), count("\"REMOVE\""));
    }
    assert_int_equal(removed, 2);
}

static int setup(void **state)
{
    world_begin(&w, T0_MS);
    return 0;
}

static int teardown(void **state)
{
    world_end(&w, &reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_expire),
        cmocka_unit_test(ttl_waits_an_hour),
        cmocka_unit_test(items_under_a_key_expire),
        cmocka_unit_test(records_are_trimmed),
        cmocka_unit_test(a_closed_stream_goes_after_a_day),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
