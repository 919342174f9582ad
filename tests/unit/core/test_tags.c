/* Tags: the rules, merging, the record, and listings in ARN order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/core.h"
#include "kv/drv_fault/kv_mem.h"

#define Q(name) STR("arn:aws:sqs:r:000000000001:" name)

static struct core core;
static struct kv_mem_disk *disk;
static struct arena arena;

static int setup(void **state)
{
    core = (struct core){
        .cfg = {.account = STR("000000000001"), .region = STR("r"), .partition = STR("aws")}};
    disk = kv_mem_disk_new();
    arena_init(&arena, 16 * 1024 * 1024);
    return kv_mem_open(disk, false, &core.kv) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    kv_close(core.kv);
    kv_mem_disk_free(disk);
    arena_release(&arena);
    return 0;
}

static struct str repeat(char c, size_t n)
{
    char *p = arena_alloc(&arena, n + 1);
    memset(p, c, n);
    return str_n(p, n);
}

/* --- rules ------------------------------------------------------------------------------------ */

static void test_rules(void **state)
{
    static const struct tags_rules plain = {0}, nocase = {.nocase = true};
    const struct {
        const char *name;
        const struct tags_rules *rules;
        struct tag v[2];
        size_t n;
        enum tags_fault fault;
    } rows[] = {
        {"none", &plain, {{{0}, {0}}}, 0, TAGS_OK},
        {"one", &plain, {{STR("team"), STR("x")}}, 1, TAGS_OK},
        {"no value", &plain, {{STR("team"), STR("")}}, 1, TAGS_OK},
        {"absent value", &plain, {{STR("team"), STR_NONE}}, 1, TAGS_OK},
        {"every character", &plain, {{STR("aZ9 _.:/=+-@"), STR("aZ9 _.:/=+-@")}}, 1, TAGS_OK},
        {"other scripts", &plain, {{STR("\xc3\xa4\xe6\x97\xa5"), STR("\xd0\x96")}}, 1, TAGS_OK},
        {"empty key", &plain, {{STR(""), STR("x")}}, 1, TAGS_KEY_LENGTH},
        {"longest key", &plain, {{repeat('k', 128), STR("x")}}, 1, TAGS_OK},
        {"longer key", &plain, {{repeat('k', 129), STR("x")}}, 1, TAGS_KEY_LENGTH},
        {"longest value", &plain, {{STR("k"), repeat('v', 256)}}, 1, TAGS_OK},
        {"longer value", &plain, {{STR("k"), repeat('v', 257)}}, 1, TAGS_VALUE_LENGTH},
        {"reserved", &plain, {{STR("aws:x"), STR("x")}}, 1, TAGS_RESERVED},
        {"reserved in any case", &plain, {{STR("AwS:"), STR("x")}}, 1, TAGS_RESERVED},
        {"begins with aws", &plain, {{STR("awsome"), STR("aws:x")}}, 1, TAGS_OK},
        {"control character", &plain, {{STR("a\nb"), STR("x")}}, 1, TAGS_KEY_CHARS},
        {"exclamation mark", &plain, {{STR("k!"), STR("x")}}, 1, TAGS_KEY_CHARS},
        {"symbol of Unicode", &plain, {{STR("\xe2\x82\xac"), STR("x")}}, 1, TAGS_KEY_CHARS},
        {"not UTF-8", &plain, {{STR("\xff"), STR("x")}}, 1, TAGS_KEY_CHARS},
        {"value's characters", &plain, {{STR("k"), STR("a,b")}}, 1, TAGS_VALUE_CHARS},
        {"twice", &plain, {{STR("k"), STR("1")}, {STR("k"), STR("2")}}, 2, TAGS_DUPLICATE},
        {"case counts", &plain, {{STR("k"), STR("1")}, {STR("K"), STR("2")}}, 2, TAGS_OK},
        {"not for IAM", &nocase, {{STR("k"), STR("1")}, {STR("K"), STR("2")}}, 2, TAGS_DUPLICATE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum tags_fault fault;
        size_t at;
        struct tag_list tags = {rows[i].v, rows[i].n};
        assert_int_equal(tags_check(&arena, rows[i].rules, tags, &fault, &at), ERR_OK);
        if (fault != rows[i].fault)
            fail_msg("%s: %d", rows[i].name, fault);
    }
}

static struct tag_list many(const char *prefix, size_t n)
{
    struct tag *v = ARENA_ARRAY(&arena, struct tag, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = (struct tag){str_fmt(&arena, "%s%02zu", prefix, i), STR("v")};
    return (struct tag_list){v, n};
}

static void test_limit(void **state)
{
    static const struct tags_rules plain = {0}, ten = {.max = 10};
    enum tags_fault fault;
    size_t at;
    struct tag_list all;
    assert_int_equal(tags_check(&arena, &plain, many("k", 50), &fault, &at), ERR_OK);
    assert_int_equal(fault, TAGS_OK);
    assert_int_equal(tags_check(&arena, &plain, many("k", 51), &fault, &at), ERR_OK);
    assert_int_equal(fault, TAGS_TOO_MANY);
    assert_int_equal(tags_check(&arena, &ten, many("k", 11), &fault, &at), ERR_OK);
    assert_int_equal(fault, TAGS_TOO_MANY);
    assert_int_equal(tags_merge(&arena, &plain, many("a", 30), many("b", 20), &all), ERR_OK);
    assert_int_equal(all.n, 50);
    assert_int_equal(tags_merge(&arena, &plain, many("a", 30), many("b", 21), &all), ERR_LIMIT);
    /* What replaces does not add. */
    assert_int_equal(tags_merge(&arena, &plain, many("a", 50), many("a", 50), &all), ERR_OK);
    assert_int_equal(all.n, 50);
}

static void test_merge(void **state)
{
    static const struct tags_rules plain = {0}, nocase = {.nocase = true};
    const struct tag have[] = {{STR("Team"), STR("1")}, {STR("b"), STR("2")}};
    const struct tag add[] = {{STR("a"), STR_NONE}, {STR("team"), STR("3")}};
    const struct str keys[] = {STR("TEAM"), STR("none")};
    struct tag_list all, left;
    assert_int_equal(
        tags_merge(&arena, &plain, (struct tag_list){have, 2}, (struct tag_list){add, 2}, &all),
        ERR_OK);
    assert_int_equal(all.n, 4);
    assert_true(str_eq_c(tags_get(all, STR("Team")), "1"));
    assert_true(str_eq_c(tags_get(all, STR("team")), "3"));
    assert_true(str_is_set(tags_get(all, STR("a"))) && str_empty(tags_get(all, STR("a"))));
    assert_false(str_is_set(tags_get(all, STR("z"))));
    assert_int_equal(
        tags_merge(&arena, &nocase, (struct tag_list){have, 2}, (struct tag_list){add, 2}, &all),
        ERR_OK);
    assert_int_equal(all.n, 3);
    assert_true(str_eq_c(tags_get(all, STR("team")), "3")); /* as it was written last */
    assert_int_equal(tags_without(&arena, &nocase, all, keys, 2, &left), ERR_OK);
    assert_int_equal(left.n, 2);
    assert_int_equal(tags_without(&arena, &plain, all, keys, 2, &left), ERR_OK);
    assert_int_equal(left.n, 3);
}

/* --- the record ------------------------------------------------------------------------------- */

static enum err put(struct txn *txn, struct str arn, const char *home, struct tag_list tags)
{
    return tags_set(txn, &(struct tags_resource){arn, str_c(home)}, tags);
}

static enum err record_body(struct txn *txn, void *arg)
{
    const struct tag v[] = {{STR("z"), STR("1")}, {STR("a"), STR("")}};
    struct tag_list got;
    assert_int_equal(tags_of(txn, Q("q"), &got), ERR_OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(put(txn, Q("q"), NULL, (struct tag_list){v, 2}), ERR_OK);
    assert_int_equal(tags_of(txn, Q("q"), &got), ERR_OK);
    assert_int_equal(got.n, 2);
    assert_true(str_eq_c(got.v[0].key, "a") && str_eq_c(got.v[1].value, "1"));
    assert_int_equal(tags_of(txn, STR("arn:aws:sqs:other:000000000001:q"), &got), ERR_OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(tags_of(txn, STR("no ARN"), &got), ERR_INVALID);
    assert_int_equal(tags_drop(txn, Q("q")), ERR_OK);
    assert_int_equal(tags_of(txn, Q("q"), &got), ERR_OK);
    assert_int_equal(got.n, 0);
    /* The most that the rules let through fits. */
    struct tag *big = ARENA_ARRAY(&arena, struct tag, TAGS_MAX);
    char *wide = arena_alloc(&arena, 4 * 256);
    for (size_t i = 0; i < 256; i++)
        memcpy(wide + 4 * i, "\xf0\x90\x8d\x88", 4);
    for (size_t i = 0; i < TAGS_MAX; i++)
        big[i] = (struct tag){str_n(wide + 4 * i, 4 * 128), str_n(wide, 4 * 256)};
    return put(txn, Q("big"), NULL, (struct tag_list){big, TAGS_MAX});
}

static void test_record(void **state)
{
    assert_int_equal(txn_run_now(&core, record_body, NULL), ERR_OK);
}

/* --- listing ---------------------------------------------------------------------------------- */

static enum err fill_body(struct txn *txn, void *arg)
{
    struct tag_list one = many("k", 1), none = {0};
    TRY(put(txn, Q("b"), NULL, one));
    TRY(put(txn, Q("a"), NULL, none));
    TRY(put(txn, Q("a0"), NULL, one));
    TRY(put(txn, STR("arn:aws:sqs:r2:000000000001:q"), NULL, one));
    TRY(put(txn, STR("arn:aws:sqs:r:000000000002:q"), NULL, one));
    TRY(put(txn, STR("arn:aws:s3:::bucket"), "r", one));
    TRY(put(txn, STR("arn:aws:s3:::elsewhere"), "r2", one));
    return put(txn, STR("arn:aws:lambda:r:000000000001:function:f"), NULL, one);
}

struct listing {
    const char *region, *after, *want;
};

static enum err list_body(struct txn *txn, void *arg)
{
    const struct listing *l = arg;
    struct tags_scan *scan;
    struct tags_entry e;
    struct buf b;
    enum err err;
    buf_init_arena(&b, &arena, 4096);
    TRY(tags_scan_open(txn, STR("000000000001"), str_c(l->region), str_c(l->after), &scan));
    while ((err = tags_scan_next(scan, &e)) == ERR_OK) {
        buf_add_str(&b, str_sub(e.arn, 8, e.arn.len));
        buf_add_fmt(&b, "/%zu ", e.tags.n);
    }
    tags_scan_close(scan);
    assert_int_equal(err, ERR_NOT_FOUND);
    if (!str_eq_c(buf_str(&b), l->want))
        fail_msg("after %s: %.*s", l->after ? l->after : "", STR_ARG(buf_str(&b)));
    return ERR_OK;
}

static void test_list(void **state)
{
    static const struct listing rows[] = {
        {"r", NULL,
         "lambda:r:000000000001:function:f/1 s3:::bucket/1 sqs:r:000000000001:a/0 "
         "sqs:r:000000000001:a0/1 sqs:r:000000000001:b/1 "},
        {"r", "arn:aws:s3:::bucket",
         "sqs:r:000000000001:a/0 sqs:r:000000000001:a0/1 sqs:r:000000000001:b/1 "},
        {"r", "arn:aws:sqs:r:000000000001:a", "sqs:r:000000000001:a0/1 sqs:r:000000000001:b/1 "},
        {"r", "arn:aws:sqs:r:000000000001:b", ""},
        {"r2", NULL, "s3:::elsewhere/1 sqs:r2:000000000001:q/1 "},
        {"r3", NULL, ""},
    };
    assert_int_equal(txn_run_now(&core, fill_body, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(txn_run_now(&core, list_body, (void *)(uintptr_t)&rows[i]), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
