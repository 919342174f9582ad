/* Restores of tables against the whole server under a fake clock: what is restored to a moment equals what a
 * model, kept apart, had then, also when the server goes down meanwhile; incremental exports tell what changed in it
 * between two moments; what is trimmed, and when backups of deleted tables go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "codec/gzip.h"
#include "core/txn_int.h"
#include "deliver/due.h"
#include "help_world.h"
#include "svc/dynamodb/dynamodb_int.h"
#include "svc/dynamodb/dynamodb_keys.h"

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

/* --- incremental exports ------------------------------------------------------------------------ */

enum {
    WINDOWS = 6,
    WINDOW_MS = 16 * 60 * 1000,
    TEXT_MAX = 1024 * 1024,
};
static int64_t written_ms[WINDOWS + 1][KEYS]; /* last change up to that moment */
static struct buf lines;
static char manifest[64 * 1024];

static void write_in_window(const char *table, int value, int64_t *written)
{
    struct state before = now_is;
    (choose(3) ? write_one : write_two)(table, value);
    for (int k = 0; k < KEYS; k++)
        if (before.value[k] != now_is.value[k])
            written[k] = clock_wall_ms();
}

static void ask_export(const char *table, int64_t from_ms, int64_t to_ms, const char *more)
{
    call("ExportTableToPointInTime",
         "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/%s\",\"S3Bucket\":"
         "\"exports\",\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{"
         "\"ExportFromTime\":%lld.%03d,\"ExportToTime\":%lld.%03d%s}}",
         table, (long long)(from_ms / 1000), (int)(from_ms % 1000), (long long)(to_ms / 1000),
         (int)(to_ms % 1000), more);
}

/* The text of a member of the last reply. */
static void take_text(const char *name, char *ret, size_t size)
{
    char mark[64];
    snprintf(mark, sizeof(mark), "\"%s\":\"", name);
    const char *at = strstr(reply.body, mark);
    if (!at)
        fail_msg("no %s: %s", name, reply.body);
    at += strlen(mark);
    snprintf(ret, size, "%.*s", (int)strcspn(at, "\""), at);
}

static bool export_is_over(const char *arn)
{
    call("DescribeExport", "{\"ExportArn\":\"%s\"}", arn);
    expect_ok();
    return !strstr(reply.body, "IN_PROGRESS");
}

static void get_object(const char *key)
{
    char path[512];
    snprintf(path, sizeof(path), "/exports/%s", key);
    world_call(&w, &(struct request){.service = "s3", .method = "GET", .path = path}, &reply);
    expect_ok();
}

/* All lines of the files that the manifest names, into `lines`. */
static void read_files(const char *arn)
{
    char key[256], name[256];
    export_is_over(arn);
    if (!strstr(reply.body, "COMPLETED"))
        fail_msg("%s", reply.body);
    take_text("ExportManifest", key, sizeof(key));
    snprintf(name, sizeof(name), "%.*sfiles.json", (int)(strstr(key, "summary") - key), key);
    get_object(name);
    snprintf(manifest, sizeof(manifest), "%s", reply.body);
    buf_clear(&lines);
    for (const char *at = manifest; (at = strstr(at, "\"dataFileS3Key\":\""));) {
        at += strlen("\"dataFileS3Key\":\"");
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "\""), at);
        assert_non_null(strstr(name, "/data/"));
        get_object(name);
        assert_int_equal(gzip_unpack(str_n(reply.body, reply.len), &lines), ERR_OK);
    }
    buf_add_byte(&lines, '\0');
    assert_int_equal(buf_err(&lines), ERR_OK);
}

static void check_image(const char *line, const char *name, bool wanted, int value)
{
    char mark[64], text[64];
    snprintf(mark, sizeof(mark), "\"%s\":{", name);
    snprintf(text, sizeof(text), "\"v\":{\"N\":\"%d\"}", value);
    const char *at = strstr(line, mark);
    if (!at != !wanted)
        fail_msg("%s %s: %s", name, wanted ? "expected" : "not expected", line);
    if (!at)
        return;
    const char *found = strstr(at, text), *end = strstr(at, "Image\":{\"");
    end = end ? strstr(end + 1, "Image\":{") : NULL;
    if (!found || (end && found > end))
        fail_msg("%s %d expected: %s", name, value, line);
}

/* What `lines` tell is what the model saw change between the moments a and b. */
static void check_changes(int a, int b, bool olds)
{
    int n = 0;
    char head[128];
    for (int k = 0; k < KEYS; k++) {
        static char line[4096];
        bool changed = written_ms[b][k] > kept[a].at_ms;
        bool there = changed && (kept[a].value[k] || kept[b].value[k]);
        snprintf(head, sizeof(head),
                 "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"%lld000\"}},\"Keys\":{\"id\":{"
                 "\"S\":\"k%d\"}}",
                 (long long)written_ms[b][k], k);
        const char *at = strstr(lines.p, head);
        if (!at != !there)
            fail_msg("k%d from %d to %d %s: %s", k, a, b, there ? "expected" : "not expected",
                     lines.p);
        n += there;
        if (!at)
            continue;
        snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
        check_image(line, "OldImage", olds && kept[a].value[k], kept[a].value[k]);
        check_image(line, "NewImage", kept[b].value[k] != 0, kept[b].value[k]);
    }
    for (const char *at = lines.p; (at = strchr(at, '\n')); at++)
        n--;
    assert_int_equal(n, 0);
}

static void each_window_tells_what_changed(void **state)
{
    static char arns[2 * WINDOWS][256];
    int n = 0, b, value = 1;
    buf_init(&lines, TEXT_MAX);
    make_table("win");
    for (int i = 0; i < KEYS; i++)
        write_one("win", value++); /* before recovery: no window begins there */
    recover("win", 35);
    for (int m = 0; m <= WINDOWS; m++) {
        now_is.at_ms = clock_wall_ms();
        kept[m] = now_is;
        advance(1); /* what is written from here on is later */
        if (m == WINDOWS)
            break;
        memcpy(written_ms[m + 1], written_ms[m], sizeof(written_ms[m]));
        for (int i = 0; i < (m == 2 ? 0 : WRITES); i++) {
            write_in_window("win", value++, written_ms[m + 1]);
            advance(WINDOW_MS / WRITES);
        }
        advance(m == 2 ? WINDOW_MS : 0);
    }
    for (int a = 0; a < WINDOWS; a++) { /* alone, and with those that follow */
        for (b = a + 1; b <= WINDOWS; b += WINDOWS - a - 1 ? WINDOWS - a - 1 : WINDOWS) {
            ask_export("win", kept[a].at_ms + 1, kept[b].at_ms + 1,
                       n % 3 ? "" : ",\"ExportViewType\":\"NEW_IMAGE\"");
            expect_ok();
            take_text("ExportArn", arns[n++], sizeof(arns[0]));
            write_one("win", value++);
            if (a % 2) {
                world_down(&w);
                world_up(&w);
            }
            advance(b == WINDOWS ? 6000 : 0);
        }
    }
    call("DeleteTable", "{\"TableName\":\"win\"}"); /* the exports go on all the same */
    expect_ok();
    n = 0;
    for (int a = 0; a < WINDOWS; a++) {
        for (b = a + 1; b <= WINDOWS; b += WINDOWS - a - 1 ? WINDOWS - a - 1 : WINDOWS, n++) {
            until(export_is_over, arns[n]);
            read_files(arns[n]);
            assert_null(strstr(manifest, "\"AWSDynamoDB/0")); /* files lie beside those of others */
            check_changes(a, b, n % 3 != 0);
        }
    }
    buf_release(&lines);
    memset(&now_is, 0, sizeof(now_is));
}

static void windows_are_refused(void **state)
{
    static const struct {
        int64_t from, to; /* against now, in minutes */
        const char *says;
    } rows[] = {
        {-14, 0, "less than 15 minutes"},
        {-20, -21, "less than 15 minutes"},
        {-25 * 60, 0, "greater than 24 hours"},
        {-20, 1,
         "Incremental export period to time cannot be greater than the current time : 2026"},
        {-28 * 60, -27 * 60, "outside of the table's point in time recovery window"},
        {-40 * 60, -39 * 60, "from time cannot be less than the table creation time : 2026"},
    };
    make_table("bare");
    advance(HOUR_MS * 2);
    ask_export("bare", clock_wall_ms() - HOUR_MS, clock_wall_ms(), "");
    expect_error("Point in time recovery is not enabled for table 'bare'");
    advance((int64_t)HOUR_MS * 3);
    recover("bare", 35);
    advance((int64_t)HOUR_MS * 26);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t now_ms = clock_wall_ms();
        ask_export("bare", now_ms + rows[i].from * 60000, now_ms + rows[i].to * 60000, "");
        expect_error("InvalidExportTimeException");
        expect_error(rows[i].says);
    }
    ask_export("bare", clock_wall_ms() - DAY_MS, clock_wall_ms(), "");
    expect_ok();
}

/* --- a write that is open when an export is asked for --------------------------------------------- */

/* Stages a PutItem in a transaction of this thread, as a handler does; who commits it is the caller. */
static void put_open(struct txn *txn, const char *table, const char *id)
{
    struct dynamodb *ddb = dynamodb_port_of(&w.core)->self;
    struct ddb_diag diag = {.arena = txn->arena};
    struct ddb_write write = {.txn = txn, .diag = &diag};
    const struct key_scope scope = {STR("000000000000"), STR("us-east-1")};
    struct json *json;
    struct ddb_av *item;
    void *object;
    struct str text = str_fmt(txn->arena, "{\"id\":{\"S\":\"%s\"}}", id);
    assert_int_equal(txn_begin(txn), ERR_OK);
    assert_int_equal(json_parse(txn->arena, text, &json, NULL), ERR_OK);
    assert_int_equal(ddb_item_from_json(&diag, json, &item), ERR_OK);
    struct str key = key_make(txn->arena, &ddb_k_table, scope, str_c(table));
    assert_int_equal(catalogue_get(ddb->tables, txn, key, &object), ERR_OK);
    write.table = object;
    assert_int_equal(ddb_key_of_item(&diag, &write.table->key, item, &write.key), ERR_OK);
    assert_int_equal(ddb_write_open(&write), ERR_OK);
    assert_int_equal(ddb_write_read(&write), ERR_OK);
    assert_int_equal(ddb_write_commit(&write, item), ERR_OK);
}

/* The write began before the moment at which one export ends and the next begins, and is committed behind it. */
static void an_open_write_is_in_one_of_two_exports(bool full)
{
    static char first[256], second[256];
    const char *table = full ? "open-full" : "open-window";
    struct arena a;
    struct txn txn = {.core = &w.core, .arena = &a};
    uint64_t seq;
    arena_init(&a, 1024 * 1024);
    buf_init(&lines, TEXT_MAX);
    make_table(table);
    recover(table, 35);
    advance(WINDOW_MS);
    put_open(&txn, table, "between");
    advance(10);
    int64_t at_ms = clock_wall_ms();
    if (full)
        call("ExportTableToPointInTime",
             "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/%s\",\"S3Bucket\":"
             "\"exports\"}",
             table);
    else
        ask_export(table, at_ms - WINDOW_MS, at_ms, "");
    expect_ok();
    take_text("ExportArn", first, sizeof(first));
    until(export_is_over, first);
    enum err err = txn_commit(&txn, &seq);
    if (err) { /* as the dispatcher does */
        assert_int_equal(err, ERR_CONFLICT);
        put_open(&txn, table, "between");
        assert_int_equal(txn_commit(&txn, &seq), ERR_OK);
    }
    advance(WINDOW_MS);
    call("ExportTableToPointInTime",
         "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/%s\",\"S3Bucket\":"
         "\"exports\",\"ExportType\":\"INCREMENTAL_EXPORT\",\"ExportFormat\":\"ION\","
         "\"IncrementalExportSpecification\":{\"ExportFromTime\":%lld.%03d}}",
         table, (long long)(at_ms / 1000), (int)(at_ms % 1000));
    expect_ok();
    take_text("ExportArn", second, sizeof(second));
    until(export_is_over, second);
    read_files(first);
    int found = strstr(lines.p, "between") != NULL;
    read_files(second);
    found += strstr(lines.p, "$ion_1_0 {Record:{Metadata:{WriteTimestampMicros:") &&
             strstr(lines.p, ",Keys:{id:\"between\"},NewImage:{id:\"between\"}}}\n");
    assert_int_equal(found, 1);
    buf_release(&lines);
    arena_release(&a);
}

static void an_open_write_is_in_a_full_export_or_the_next(void **state)
{
    an_open_write_is_in_one_of_two_exports(true);
}

static void an_open_write_is_in_one_window(void **state)
{
    an_open_write_is_in_one_of_two_exports(false);
}

/* --- a first key of KMS meanwhile ----------------------------------------------------------------- */

static bool table_is_sealed(const char *name)
{
    call("DescribeTable", "{\"TableName\":\"%s\"}", name);
    expect_ok();
    return strstr(reply.body, "\"Status\":\"ENABLED\"") != NULL;
}

/* All kinds of copies of a table of more than a step, which gets its first key, and other items, before they are
 * through; and is deleted then, with that key, or stays. */
static void copies_go_on_when_the_table_gets_a_key(bool deleted)
{
    static char window[256], full[256], backup[256];
    const char *table = deleted ? "gone-key" : "first-key";
    char target[2][32];
    snprintf(target[0], sizeof(target[0]), "%s-moment", table);
    snprintf(target[1], sizeof(target[1]), "%s-backup", table);
    buf_init(&lines, TEXT_MAX);
    make_table(table);
    recover(table, 35);
    advance(1);
    int64_t from_ms = clock_wall_ms();
    fill(table, 0, MANY, 1);
    advance(WINDOW_MS);
    int64_t at_ms = clock_wall_ms();
    advance(1);
    fill(table, 0, BATCH, 2);
    ask_export(table, from_ms, at_ms, "");
    expect_ok();
    take_text("ExportArn", window, sizeof(window));
    call("ExportTableToPointInTime",
         "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/%s\",\"S3Bucket\":"
         "\"exports\",\"ExportTime\":%lld.%03d}",
         table, (long long)(at_ms / 1000), (int)(at_ms % 1000));
    expect_ok();
    take_text("ExportArn", full, sizeof(full));
    restore(table, target[0], at_ms);
    expect_ok();
    call("CreateBackup", "{\"TableName\":\"%s\",\"BackupName\":\"one\"}", table);
    expect_ok();
    take_text("BackupArn", backup, sizeof(backup));
    call("UpdateTable", "{\"TableName\":\"%s\",\"SSESpecification\":{\"Enabled\":true}}", table);
    expect_ok();
    fill(table, 0, MANY / 2, 3);
    if (deleted) {
        call("DeleteTable", "{\"TableName\":\"%s\"}", table);
        expect_ok();
    } else {
        until(table_is_sealed, table);
    }
    until(table_is_active, target[0]);
    expect_count(target[0], 1, MANY);
    expect_count(target[0], 3, 0);
    until(backup_is_ready, backup);
    call("RestoreTableFromBackup", "{\"BackupArn\":\"%s\",\"TargetTableName\":\"%s\"}", backup,
         target[1]);
    expect_ok();
    until(table_is_active, target[1]);
    call("Scan", "{\"TableName\":\"%s\",\"Select\":\"COUNT\"}",
         target[1]); /* at some later moment */
    expect_ok();
    char count[32];
    snprintf(count, sizeof(count), "\"Count\":%d,", MANY);
    assert_non_null(strstr(reply.body, count));
    for (int i = 0; i < 2; i++) {
        const char *arn = i ? full : window;
        int n = 0;
        until(export_is_over, arn);
        read_files(arn);
        for (const char *at = lines.p; (at = strstr(at, "\"v\":{\"N\":\"1\"}")); at++)
            n++;
        assert_int_equal(n, MANY);
    }
    buf_release(&lines);
}

static void a_first_key_stops_no_copy(void **state)
{
    copies_go_on_when_the_table_gets_a_key(false);
}

static void a_deleted_table_s_first_key_stops_no_copy(void **state)
{
    copies_go_on_when_the_table_gets_a_key(true);
}

static int setup(void **state)
{
    world_begin(&w, T0_MS);
    world_call(&w, &(struct request){.service = "s3", .method = "PUT", .path = "/exports"}, &reply);
    expect_ok();
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
        cmocka_unit_test(each_window_tells_what_changed),
        cmocka_unit_test(windows_are_refused),
        cmocka_unit_test(an_open_write_is_in_a_full_export_or_the_next),
        cmocka_unit_test(an_open_write_is_in_one_window),
        cmocka_unit_test(a_first_key_stops_no_copy),
        cmocka_unit_test(a_deleted_table_s_first_key_stops_no_copy),
        cmocka_unit_test(each_moment_comes_back),
        cmocka_unit_test(a_backup_is_the_moment_of_its_request),
        cmocka_unit_test(a_long_copy_goes_on_after_restarts),
        cmocka_unit_test(the_past_is_trimmed),
        cmocka_unit_test(a_deleted_table_is_kept_35_days),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
