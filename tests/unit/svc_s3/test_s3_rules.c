/* s3_rules.h: names, ranges, conditions, copy sources, tags, common prefixes, version ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "svc/s3/s3.h"
#include "svc/s3/s3_rules.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 1 << 22);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void test_bucket_names(void **state)
{
    static const struct {
        const char *name;
        bool ok;
    } rows[] = {
        {"abc", true},
        {"my-bucket.2023", true},
        {"0-0", true},
        {"a1.b2.c3", true},
        {"1.2.3.4x", true},
        {"1.2.3", true},
        {"ab", false},
        {"", false},
        {"Abc", false},
        {"a_b", false},
        {"a b", false},
        {"-abc", false},
        {"abc-", false},
        {".abc", false},
        {"abc.", false},
        {"a..b", false},
        {"192.168.5.4", false},
        {"xn--abc", false},
        {"sthree-abc", false},
        {"amzn-s3-demo-x", false},
        {"abc-s3alias", false},
        {"abc--ol-s3", false},
        {"abc--x-s3", false},
        {"abc.mrap", false},
        {"b\xc3\xbc"
         "cket",
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (s3_bucket_name_ok(str_c(rows[i].name)) != rows[i].ok)
            fail_msg("%s", rows[i].name);
    char longest[65];
    memset(longest, 'a', sizeof(longest));
    assert_true(s3_bucket_name_ok(str_n(longest, 63)));
    assert_false(s3_bucket_name_ok(str_n(longest, 64)));
}

static void test_regions(void **state)
{
    static const char *const good[] = {"us-east-1", "eu-west-1", "EU", "us-gov-west-1"};
    static const char *const bad[] = {"", "mars", "us-east", "US-EAST-1", "us_east_1", "eu-west-"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(s3_region_ok(str_c(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(s3_region_ok(str_c(bad[i])));
}

static void test_ranges(void **state)
{
    static const struct {
        const char *header;
        uint64_t size;
        enum s3_range_kind kind;
        uint64_t from, len;
    } rows[] = {
        {"bytes=0-0", 10, S3_RANGE_OK, 0, 1},
        {"bytes=2-5", 10, S3_RANGE_OK, 2, 4},
        {"bytes=2-", 10, S3_RANGE_OK, 2, 8},
        {"bytes=-3", 10, S3_RANGE_OK, 7, 3},
        {"bytes=-30", 10, S3_RANGE_OK, 0, 10},
        {"bytes=5-99", 10, S3_RANGE_OK, 5, 5},
        {"Bytes=1-1", 10, S3_RANGE_OK, 1, 1},
        {"bytes=10-", 10, S3_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=10-12", 10, S3_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 10, S3_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, S3_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 0, S3_RANGE_NONE, 0, 0}, /* all of nothing */
        {"bytes=-0", 0, S3_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5-2", 10, S3_RANGE_NONE, 0, 0},
        {"bytes=1-2,4-5", 10, S3_RANGE_NONE, 0, 0},
        {"bytes=-", 10, S3_RANGE_NONE, 0, 0},
        {"bytes=a-b", 10, S3_RANGE_NONE, 0, 0},
        {"bytes=1", 10, S3_RANGE_NONE, 0, 0},
        {"bytes=--1", 10, S3_RANGE_NONE, 0, 0},
        {"bytes=0-99999999999999999999", 10, S3_RANGE_NONE, 0, 0},
        {"items=0-1", 10, S3_RANGE_NONE, 0, 0},
        {"", 10, S3_RANGE_NONE, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t from = 0, len = 0;
        enum s3_range_kind k = s3_parse_range(str_c(rows[i].header), rows[i].size, &from, &len);
        if (k != rows[i].kind || (k == S3_RANGE_OK && (from != rows[i].from || len != rows[i].len)))
            fail_msg("%s", rows[i].header);
    }
    uint64_t from, last;
    assert_int_equal(s3_parse_range(STR_NONE, 10, &from, &last), S3_RANGE_NONE);
    assert_int_equal(s3_parse_copy_range(STR("bytes=3-9"), &from, &last), ERR_OK);
    assert_true(from == 3 && last == 9);
    static const char *const bad[] = {"bytes=3-", "bytes=-3", "bytes=9-3", "3-9", "bytes=3-9,1-2"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(s3_parse_copy_range(str_c(bad[i]), &from, &last), ERR_INVALID);
}

static void test_conditions(void **state)
{
    static const struct {
        const char *name;
        const char *match, *none_match;
        int64_t since, unmodified;
        enum s3_verdict want;
    } rows[] = {
        {"none", NULL, NULL, -1, -1, S3_GO},
        {"match", "\"abc\"", NULL, -1, -1, S3_GO},
        {"match bare", "abc", NULL, -1, -1, S3_GO},
        {"match list", "\"x\", \"abc\"", NULL, -1, -1, S3_GO},
        {"match any", "*", NULL, -1, -1, S3_GO},
        {"no match", "\"x\"", NULL, -1, -1, S3_FAILED},
        {"match beats unmodified", "\"abc\"", NULL, -1, 1000, S3_GO},
        {"unmodified same second", NULL, NULL, -1, 5000, S3_GO},
        {"modified after", NULL, NULL, -1, 4000, S3_FAILED},
        {"none match hit", NULL, "\"abc\"", -1, -1, S3_NOT_MODIFIED},
        {"none match weak", NULL, "W/\"abc\"", -1, -1, S3_NOT_MODIFIED},
        {"none match miss beats since", NULL, "\"x\"", 9000, -1, S3_GO},
        {"since later", NULL, NULL, 5000, -1, S3_NOT_MODIFIED},
        {"since earlier", NULL, NULL, 4000, -1, S3_GO},
        {"since now", NULL, NULL, 20000, -1, S3_NOT_MODIFIED},
        {"since the future", NULL, NULL, 21000, -1, S3_GO},
        {"unmodified since the future", NULL, NULL, -1, 21000, S3_GO},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct s3_conditions c = {str_c(rows[i].match), str_c(rows[i].none_match), rows[i].since,
                                  rows[i].unmodified, 20000};
        struct str which = STR_NONE;
        if (s3_check_conditions(&c, STR("abc"), 5400, &which) != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

static void test_copy_source(void **state)
{
    static const struct {
        const char *header;
        enum err err;
        const char *bucket, *key, *version;
    } rows[] = {
        {"b/k", ERR_OK, "b", "k", NULL},
        {"/b/k/l", ERR_OK, "b", "k/l", NULL},
        {"b/a%20b%2Fc", ERR_OK, "b", "a b/c", NULL},
        {"b%2Fk", ERR_OK, "b", "k", NULL},
        {"b/k?versionId=v1", ERR_OK, "b", "k", "v1"},
        {"b/k%3FversionId=v1", ERR_OK, "b", "k?versionId=v1", NULL},
        {"b", ERR_INVALID, NULL, NULL, NULL},
        {"b/", ERR_INVALID, NULL, NULL, NULL},
        {"/", ERR_INVALID, NULL, NULL, NULL},
        {"", ERR_INVALID, NULL, NULL, NULL},
        {"b/%zz", ERR_INVALID, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct s3_copy_source src;
        enum err e = s3_parse_copy_source(&arena, str_c(rows[i].header), &src);
        if (e != rows[i].err)
            fail_msg("%s: %s", rows[i].header, err_name(e));
        if (e != ERR_OK)
            continue;
        assert_true(str_eq_c(src.bucket, rows[i].bucket));
        assert_true(str_eq_c(src.key, rows[i].key));
        assert_true(str_is_set(src.version_id) == (rows[i].version != NULL));
        assert_true(!rows[i].version || str_eq_c(src.version_id, rows[i].version));
    }
}

static void test_tags(void **state)
{
    struct s3_pairs tags;
    assert_int_equal(s3_parse_tags(&arena, STR("a=1&b=x%20y+z&c"), &tags), ERR_OK);
    assert_int_equal(tags.n, 3);
    assert_true(str_eq_c(tags.v[1].value, "x y z"));
    assert_true(str_is_set(tags.v[2].value) && str_empty(tags.v[2].value));
    assert_int_equal(s3_parse_tags(&arena, STR("a=%"), &tags), ERR_INVALID);
}

static void test_common_prefix(void **state)
{
    static const struct {
        const char *key, *prefix, *delimiter, *want;
    } rows[] = {
        {"a/b/c", "", "/", "a/"},     {"a/b/c", "a/", "/", "a/b/"}, {"a/b/c", "a/b/", "/", NULL},
        {"abc", "", "/", NULL},       {"a/b", "", "", NULL},        {"//x", "", "/", "/"},
        {"a--b--c", "", "--", "a--"}, {"a/b", "a", "/", "a/"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str got = s3_common_prefix_of(str_c(rows[i].key), str_c(rows[i].prefix),
                                             str_c(rows[i].delimiter));
        if (str_is_set(got) != (rows[i].want != NULL) ||
            (rows[i].want && !str_eq_c(got, rows[i].want)))
            fail_msg("%s in %s by %s", rows[i].key, rows[i].prefix, rows[i].delimiter);
    }
    struct str at;
    assert_true(s3_resume_at(STR("a/b"), STR(""), STR("/"), &at) && str_eq_c(at, "a/"));
    assert_true(s3_resume_at(STR("a/"), STR(""), STR("/"), &at) && str_eq_c(at, "a/"));
    assert_false(s3_resume_at(STR("ab"), STR(""), STR("/"), &at));
    assert_true(str_eq_c(at, "ab"));
    assert_false(s3_resume_at(STR("x/y"), STR("a/"), STR("/"), &at));
}

static void test_version_ids(void **state)
{
    uint64_t seq = 0;
    struct str id = s3_version_id_new(&arena, 0x123456789abcdef0ull);
    assert_int_equal(id.len, 32);
    assert_int_equal(s3_version_id_seq(id, &seq), ERR_OK);
    assert_true(seq == 0x123456789abcdef0ull);
    assert_int_equal(s3_version_id_seq(STR("null"), &seq), ERR_INVALID);
    assert_int_equal(s3_version_id_seq(STR(""), &seq), ERR_INVALID);
    assert_int_equal(s3_version_id_seq(str_sub(id, 1, 32), &seq), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bucket_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_regions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_source, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_common_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_ids, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
