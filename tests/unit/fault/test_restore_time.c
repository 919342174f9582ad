/* Restores of tables against the whole server under a fake clock: what is restored to a moment equals what a
 * model, kept apart, had then, also when the server goes down meanwhile; what is trimmed, and when backups
 * of deleted tables go. */
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

enum {
    HOUR_MS = 3600 * 1000,
    DAY_MS = 24 * HOUR_MS,
    TRIES_MAX = 100000,
    KEYS = 12,
    GROUPS = 3,
    MOMENTS = 8,
    WRITES = 12, /* between two moments */
};
static const int64_t T0_MS = 1790000000000;

static struct world w;
static struct reply reply;
static uint64_t seed = 42;

static int choose(int n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)n);
}

static void call(const char *op, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void call(const char *op, const char *fmt, ...)
{
    static char body[8192], target[64];
    va_list ap;
    va_start(ap, fmt);
    assert_true(vsnprintf(body, sizeof(body), fmt, ap) < (int)sizeof(body));
    va_end(ap);
    snprintf(target, sizeof(target), "DynamoDB_20120810.%s", op);
    const struct request req = {.service = "dynamodb",
                                .target = target,
                                .type = "application/x-amz-json-1.0",
                                .body = body};
    world_call(&w, &req, &reply);
}

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

static void advance(int64_t ms)
{
    clock_fake_advance_ms(ms);
    due_wake(deliver_due(w.core.deliver));
}

static void until(bool (*says)(const char *arg), const char *arg)
{
    for (int i = 0; i < TRIES_MAX; i++)
        if (says(arg))
            return;
    fail_msg("never came: %s", reply.body);
}

/* --- the model -------------------------------------------------------------------------------- */

struct state {
    int64_t at_ms;
    int value[KEYS]; /* 0: no item */
    int group[KEYS];
};
static struct state now_is, kept[MOMENTS];

static void item_text(char *ret, size_t size, int key, int value, int group)
{
    snprintf(ret, size, "{\"id\":{\"S\":\"k%d\"},\"v\":{\"N\":\"%d\"},\"g\":{\"S\":\"g%d\"}}", key,
             value, group);
    now_is.value[key] = value;
    now_is.group[key] = group;
}

static void write_one(const char *table, int value)
{
    char item[256];
    int key = choose(KEYS), group = choose(GROUPS);
    if (choose(3) == 0) {
        now_is.value[key] = 0;
        call("DeleteItem", "{\"TableName\":\"%s\",\"Key\":{\"id\":{\"S\":\"k%d\"}}}", table, key);
    } else if (choose(3) == 0) {
        now_is.value[key] = value;
        now_is.group[key] = group;
        call("UpdateItem",
             "{\"TableName\":\"%s\",\"Key\":{\"id\":{\"S\":\"k%d\"}},\"UpdateExpression\":\"SET "
             "v=:v,"
             "g=:g\",\"ExpressionAttributeValues\":{\":v\":{\"N\":\"%d\"},\":g\":{\"S\":\"g%d\"}}}",
             table, key, value, group);
    } else {
        item_text(item, sizeof(item), key, value, group);
        call("PutItem", "{\"TableName\":\"%s\",\"Item\":%s}", table, item);
    }
    expect_ok();
}

/* Two items at once, by a batch or a transaction; one is put, the other deleted. */
static void write_two(const char *table, int value)
{
    char item[256];
    int key = choose(KEYS - 1), gone = key + 1;
    item_text(item, sizeof(item), key, value, choose(GROUPS));
    now_is.value[gone] = 0;
    if (choose(2))
        call("BatchWriteItem",
             "{\"RequestItems\":{\"%s\":[{\"PutRequest\":{\"Item\":%s}},{\"DeleteRequest\":{"
             "\"Key\":{"
             "\"id\":{\"S\":\"k%d\"}}}}]}}",
             table, item, gone);
    else
        call("TransactWriteItems",
             "{\"TransactItems\":[{\"Put\":{\"TableName\":\"%s\",\"Item\":%s}},{\"Delete\":{"
             "\"TableName\":\"%s\",\"Key\":{\"id\":{\"S\":\"k%d\"}}}}]}",
             table, item, table, gone);
    expect_ok();
}

static void check_items(const char *table, const struct state *s)
{
    char text[64];
    for (int k = 0; k < KEYS; k++) {
        call("GetItem", "{\"TableName\":\"%s\",\"Key\":{\"id\":{\"S\":\"k%d\"}}}", table, k);
        expect_ok();
        snprintf(text, sizeof(text), "\"v\":{\"N\":\"%d\"}", s->value[k]);
        if (s->value[k] ? !strstr(reply.body, text) : strstr(reply.body, "Item") != NULL)
            fail_msg("%s k%d: %d expected: %s", table, k, s->value[k], reply.body);
    }
    for (int g = 0; g < GROUPS; g++) {
        int n = 0;
        for (int k = 0; k < KEYS; k++)
            n += s->value[k] && s->group[k] == g;
        call("Query",
             "{\"TableName\":\"%s\",\"IndexName\":\"by-g\",\"Select\":\"COUNT\","
             "\"KeyConditionExpression\":\"g=:g\",\"ExpressionAttributeValues\":{\":g\":{\"S\":\"g%"
             "d\"}}}",
             table, g);
        expect_ok();
        snprintf(text, sizeof(text), "\"Count\":%d,", n);
        if (!strstr(reply.body, text))
            fail_msg("%s g%d: %d expected: %s", table, g, n, reply.body);
    }
}

/* --- tables ----------------------------------------------------------------------------------- */

static void make_table(const char *name)
{
    call("CreateTable",
         "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{"
         "\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{"
         "\"AttributeName\":\"id\",\"AttributeType\":\"S\"},{\"AttributeName\":\"g\","
         "\"AttributeType\":\"S\"}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-g\","
         "\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],\"Projection\":{"
         "\"ProjectionType\":\"ALL\"}}]}",
         name);
    expect_ok();
}

static void recover(const char *name, int days)
{
    call("UpdateContinuousBackups",
         "{\"TableName\":\"%s\",\"PointInTimeRecoverySpecification\":{"
         "\"PointInTimeRecoveryEnabled\":"
         "true,\"RecoveryPeriodInDays\":%d}}",
         name, days);
    expect_ok();
}

static bool table_is_active(const char *name)
{
    call("DescribeTable", "{\"TableName\":\"%s\"}", name);
    expect_ok();
    return strstr(reply.body, "\"TableStatus\":\"ACTIVE\"") != NULL;
}

static void restore(const char *from, const char *to, int64_t at_ms)
{
    call("RestoreTableToPointInTime",
         "{\"SourceTableName\":\"%s\",\"TargetTableName\":\"%s\",\"RestoreDateTime\":%lld.%03d}",
         from, to, (long long)(at_ms / 1000), (int)(at_ms % 1000));
}

static bool item_is_gone(const char *key)
{
    call("GetItem", "{\"TableName\":\"src\",\"Key\":{\"id\":{\"S\":\"%s\"}}}", key);
    expect_ok();
    return !strstr(reply.body, "Item");
}

static bool ttl_is_on(const char *name)
{
    call("DescribeTimeToLive", "{\"TableName\":\"%s\"}", name);
    expect_ok();
    return strstr(reply.body, "ENABLED") != NULL;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void each_moment_comes_back(void **state)
{
    char name[16];
    make_table("src");
    call("UpdateTimeToLive", "{\"TableName\":\"src\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
                             "\"AttributeName\":\"until\"}}");
    expect_ok();
    until(ttl_is_on, "src");
    recover("src", 35);
    for (int m = 0; m < MOMENTS; m++) {
        for (int i = 0; i < WRITES; i++)
            (choose(3) ? write_one : write_two)("src", 1 + m * WRITES + i);
        if (m % 3 == 1) { /* k0 is there at this moment, and expired at the next */
            now_is.value[0] = 9000 + m;
            now_is.group[0] = 0;
            call("PutItem",
                 "{\"TableName\":\"src\",\"Item\":{\"id\":{\"S\":\"k0\"},\"v\":{\"N\":\"%d\"},"
                 "\"g\":{\"S\":"
                 "\"g0\"},\"until\":{\"N\":\"%lld\"}}}",
                 9000 + m, (long long)(clock_wall_ms() / 1000 + 5));
            expect_ok();
        }
        now_is.at_ms = clock_wall_ms();
        kept[m] = now_is;
        advance(137);
        if (m % 3 == 1) {
            advance(60 * 1000);
            until(item_is_gone, "k0");
            now_is.value[0] = 0;
        }
    }
    for (int m = 0; m < MOMENTS; m++) {
        snprintf(name, sizeof(name), "at-%d", m);
        restore("src", name, kept[m].at_ms);
        expect_ok();
        write_one("src", 10000 + m); /* while it is copied */
        if (m % 2) {
            world_down(&w);
            world_up(&w);
        }
    }
    for (int m = 0; m < MOMENTS; m++) {
        snprintf(name, sizeof(name), "at-%d", m);
        until(table_is_active, name);
        check_items(name, &kept[m]);
    }
    check_items("src", &now_is);
}

enum { MANY = 1500, BATCH = 25, RESTARTS = 4 };

static void fill(const char *table, int from, int to, int value)
{
    static char batch[8192];
    for (int at = from; at < to; at += BATCH) {
        size_t len = 0;
        for (int i = at; i < at + BATCH; i++)
            len +=
                (size_t)snprintf(batch + len, sizeof(batch) - len,
                                 "%s{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"m%d\"},\"v\":{\"N\":"
                                 "\"%d\"},\"g\":{\"S\":\"g%d\"}}}}",
                                 i > at ? "," : "", i, value, value);
        call("BatchWriteItem", "{\"RequestItems\":{\"%s\":[%s]}}", table, batch);
        expect_ok();
    }
}

static void expect_count(const char *table, int group, int n)
{
    char text[32];
    call("Query",
         "{\"TableName\":\"%s\",\"IndexName\":\"by-g\",\"Select\":\"COUNT\","
         "\"KeyConditionExpression\":\"g=:g\",\"ExpressionAttributeValues\":{\":g\":{\"S\":\"g%d\"}"
         "}}",
         table, group);
    expect_ok();
    snprintf(text, sizeof(text), "\"Count\":%d,", n);
    if (!strstr(reply.body, text))
        fail_msg("%s g%d: %d expected: %s", table, group, n, reply.body);
}

/* More than a step of a copy touches, and the server goes down again and again. */
static void a_long_copy_goes_on_after_restarts(void **state)
{
    make_table("many");
    recover("many", 35);
    fill("many", 0, MANY, 1);
    int64_t at_ms = clock_wall_ms();
    advance(1000);
    fill("many", 0, MANY / 2, 2);
    fill("many", MANY, 2 * MANY, 3);
    restore("many", "long", at_ms);
    expect_ok();
    int seen = 0;
    for (int i = 0; i < RESTARTS; i++) {
        seen += !table_is_active("long");
        world_down(&w);
        world_up(&w);
    }
    assert_true(seen > 1); /* it was down in the middle */
    until(table_is_active, "long");
    expect_count("long", 1, MANY);
    expect_count("long", 2, 0);
    expect_count("long", 3, 0);
    expect_count("many", 1, MANY / 2);
}

static char moment_arn[256];

static bool backup_is_ready(const char *arn)
{
    call("DescribeBackup", "{\"BackupArn\":\"%s\"}", arn);
    expect_ok();
    return strstr(reply.body, "AVAILABLE") != NULL;
}

static void a_backup_is_the_moment_of_its_request(void **state)
{
    call("CreateBackup", "{\"TableName\":\"src\",\"BackupName\":\"one\"}");
    expect_ok();
    const char *at = strstr(reply.body, "arn:");
    assert_non_null(at);
    memcpy(moment_arn, at, strcspn(at, "\""));
    const struct state then = now_is;
    world_down(&w); /* what is left of the copy is made after the restart */
    world_up(&w);
    until(backup_is_ready, moment_arn);
    for (int i = 0; i < WRITES; i++)
        write_one("src", 20000 + i);
    call("RestoreTableFromBackup", "{\"BackupArn\":\"%s\",\"TargetTableName\":\"from-backup\"}",
         moment_arn);
    expect_ok();
    call("DeleteBackup", "{\"BackupArn\":\"%s\"}", moment_arn);
    if (reply.status != 200)
        expect_error("BackupInUseException");
    call("GetItem", "{\"TableName\":\"from-backup\",\"Key\":{\"id\":{\"S\":\"k1\"}}}");
    if (reply.status != 200) /* nobody uses a table that is being made */
        expect_error("ResourceNotFoundException");
    until(table_is_active, "from-backup");
    check_items("from-backup", &then);
}

static bool log_is_empty(const char *name)
{
    restore(name, "too-early", T0_MS);
    expect_error("InvalidRestoreTimeException");
    return true;
}

static void the_past_is_trimmed(void **state)
{
    int64_t before = clock_wall_ms();
    recover("src", 1);
    advance(DAY_MS + HOUR_MS);
    for (int i = 0; i < 3; i++)
        advance(HOUR_MS);
    until(log_is_empty, "src");
    restore("src", "too-early", before);
    expect_error("InvalidRestoreTimeException");
    int64_t then_ms = clock_wall_ms();
    const struct state then = now_is;
    advance(1000);
    for (int i = 0; i < WRITES; i++)
        write_one("src", 30000 + i);
    restore("src", "yesterday", then_ms);
    expect_ok();
    until(table_is_active, "yesterday");
    check_items("yesterday", &then);
    recover("src", 35); /* what is gone does not come back */
    restore("src", "too-early", before);
    expect_error("InvalidRestoreTimeException");
    restore("src", "too-early", clock_wall_ms() + 1);
    expect_error("InvalidRestoreTimeException");
}

static char system_arn[256];

static bool system_backup_is_gone(const char *table)
{
    call("ListBackups", "{\"TableName\":\"%s\",\"BackupType\":\"SYSTEM\"}", table);
    expect_ok();
    return !strstr(reply.body, "BackupArn");
}

static void a_deleted_table_is_kept_35_days(void **state)
{
    const struct state then = now_is;
    restore("src", "copied", clock_wall_ms());
    expect_ok();
    call("DeleteTable", "{\"TableName\":\"src\"}"); /* the copy goes on all the same */
    expect_ok();
    until(table_is_active, "copied");
    check_items("copied", &then);
    assert_false(system_backup_is_gone("src"));
    const char *at = strstr(reply.body, "\"BackupArn\":\"");
    at += strlen("\"BackupArn\":\"");
    memcpy(system_arn, at, strcspn(at, "\""));
    advance((int64_t)34 * DAY_MS);
    call("RestoreTableFromBackup", "{\"BackupArn\":\"%s\",\"TargetTableName\":\"src\"}",
         system_arn);
    expect_ok();
    until(table_is_active, "src");
    check_items("src", &then);
    advance((int64_t)2 * DAY_MS);
    until(system_backup_is_gone, "src");
    check_items("src", &then);
}

static int setup(void **state)
{
    clock_fake_set_ms(T0_MS);
    world_make(&w);
    world_up(&w);
    return 0;
}

static int teardown(void **state)
{
    world_down(&w);
    world_remove(&w);
    reply_free(&reply);
    clock_fake_set_ms(-1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_moment_comes_back),
        cmocka_unit_test(a_backup_is_the_moment_of_its_request),
        cmocka_unit_test(a_long_copy_goes_on_after_restarts),
        cmocka_unit_test(the_past_is_trimmed),
        cmocka_unit_test(a_deleted_table_is_kept_35_days),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
