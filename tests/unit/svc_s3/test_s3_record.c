/* Records survive packing; what is cut or of another version is ERR_CORRUPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "svc/s3/s3_record.h"

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

static const struct s3_pair meta[] = {{STR_INIT("a"), STR_INIT("1")},
                                      {STR_INIT("b"), STR_INIT("")}};

static struct str packed_object(void)
{
    struct s3_acl_other other = {STR("222222222222"), 1 << 4};
    struct s3_object_rec rec = {
        .seq = 1ull << 60,
        .version_id = STR("v"),
        .modified_ms = 1700000000000,
        .size = 5ull << 40,
        .etag = STR("e-2"),
        .sum = {S3_SHA256, true, STR("x-2")},
        .body = {S3_BODY_PARTS, {{1, 2, 3}}, 2},
        .attrs = {.content_type = STR("t"), .metadata = {meta, 2}, .acl = {1, &other, 1}}};
    struct str bytes;
    assert_int_equal(record_make(&s3_object_type, &arena, &rec, &bytes), ERR_OK);
    return bytes;
}

static void test_object(void **state)
{
    struct str bytes = packed_object();
    struct s3_object_rec rec;
    assert_int_equal(record_unpack(&s3_object_type, &arena, bytes, &rec), ERR_OK);
    assert_true(rec.seq == 1ull << 60 && rec.size == 5ull << 40);
    assert_true(str_eq_c(rec.version_id, "v") && str_eq_c(rec.etag, "e-2"));
    assert_true(rec.sum.algo == S3_SHA256 && rec.sum.composite && str_eq_c(rec.sum.text, "x-2"));
    assert_true(rec.body.kind == S3_BODY_PARTS && rec.body.id.b[2] == 3 && rec.body.n_parts == 2);
    assert_true(str_eq_c(rec.attrs.content_type, "t") && !str_is_set(rec.attrs.expires));
    assert_int_equal(rec.attrs.metadata.n, 2);
    assert_true(str_eq_c(rec.attrs.metadata.v[0].value, "1"));
    assert_true(rec.attrs.acl.n_others == 1 && rec.attrs.acl.others[0].rights == 1 << 4 &&
                str_eq_c(rec.attrs.acl.others[0].account, "222222222222"));
    for (size_t cut = 0; cut < bytes.len; cut++)
        assert_int_equal(record_unpack(&s3_object_type, &arena, str_n(bytes.p, cut), &rec),
                         ERR_CORRUPT);
    char *other = arena_memdup(&arena, bytes.p, bytes.len);
    other[0] = 99;
    assert_int_equal(record_unpack(&s3_object_type, &arena, str_n(other, bytes.len), &rec),
                     ERR_CORRUPT);
}

static void test_others(void **state)
{
    struct str b;
    struct s3_rule rule = {.kind = S3_TO_QUEUE, .id = STR("r"), .arn = STR("arn")};
    struct str origins[] = {STR("http://a.example"), STR("*")};
    struct s3_pair pair = {STR("k"), STR("v")};
    struct s3_life_rule life = {.id = STR("i"),
                                .enabled = true,
                                .form = S3_LIFE_AND,
                                .tags = {&pair, 1},
                                .over = 0,
                                .under = S3_LIFE_NONE,
                                .date_ms = S3_LIFE_NONE,
                                .days = 7};
    struct cors_rule cors = {.origins = {origins, 2}, .has_max_age = true, .max_age_s = -1};
    struct s3_site_rule site_rule = {.prefix = STR("old/"), .to = {.prefix = STR("new/")}};
    struct s3_acl_other others[] = {{STR("222222222222"), 2}, {STR("333333333333"), 31}};
    struct s3_meter meter = {.id = STR("m"), .prefix = STR("p")};
    struct s3_bucket_rec bucket = {
        .id = 7,
        .region = STR("eu-west-1"),
        .created_ms = 1,
        .versioning = S3_SUSPENDED,
        .flags = S3_HAS_POLICY,
        .policy = STR("{}"),
        .rules = {&rule, 1},
        .cors = {&cors, 1},
        .kms_key = STR("k"),
        .life = {&life, 1},
        .acl = {1ull << 20 | 1, others, 2},
        .site = {.index = STR("i"), .rules = &site_rule, .n_rules = 1},
        .lock_mode = S3_LOCK_COMPLIANCE,
        .lock_years = 3,
        .meters = {&meter, 1},
        .logging = {.bucket = STR("l"), .grants = {0, others, 1}},
    };
    struct s3_bucket_rec bucket2;
    assert_int_equal(record_make(&s3_bucket_type, &arena, &bucket, &b), ERR_OK);
    assert_int_equal(record_unpack(&s3_bucket_type, &arena, b, &bucket2), ERR_OK);
    assert_true(bucket2.id == 7 && bucket2.versioning == S3_SUSPENDED &&
                bucket2.flags == S3_HAS_POLICY && str_eq_c(bucket2.region, "eu-west-1"));
    assert_true(str_eq_c(bucket2.policy, "{}") && bucket2.rules.n == 1);
    assert_true(str_eq_c(bucket2.kms_key, "k"));
    assert_true(bucket2.acl.bits == (1ull << 20 | 1) && bucket2.lock_mode == S3_LOCK_COMPLIANCE &&
                bucket2.lock_years == 3);
    assert_true(bucket2.acl.n_others == 2 && bucket2.acl.others[1].rights == 31 &&
                str_eq_c(bucket2.acl.others[1].account, "333333333333") &&
                bucket2.logging.grants.n_others == 1 &&
                bucket2.logging.grants.others[0].rights == 2);
    assert_true(bucket2.meters.n == 1 && str_eq_c(bucket2.meters.v[0].id, "m") &&
                str_eq_c(bucket2.meters.v[0].prefix, "p"));
    assert_true(str_eq_c(bucket2.site.index, "i") && bucket2.site.n_rules == 1 &&
                str_eq_c(bucket2.site.rules[0].to.prefix, "new/"));
    assert_true(bucket2.rules.v[0].kind == S3_TO_QUEUE && str_eq_c(bucket2.rules.v[0].arn, "arn"));
    assert_true(bucket2.life.n == 1 && bucket2.life.v[0].tags.n == 1 &&
                bucket2.life.v[0].under == S3_LIFE_NONE && bucket2.life.v[0].over == 0 &&
                bucket2.life.v[0].days == 7 && !str_is_set(bucket2.life.v[0].prefix));
    assert_true(bucket2.cors.n == 1 && bucket2.cors.v[0].origins.n == 2 &&
                str_eq_c(bucket2.cors.v[0].origins.v[1], "*") &&
                bucket2.cors.v[0].max_age_s == -1 && bucket2.cors.v[0].has_max_age &&
                !bucket2.cors.v[0].id.p);
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(record_unpack(&s3_bucket_type, &arena, str_n(b.p, cut), &bucket2),
                         ERR_CORRUPT);

    struct s3_upload_rec upload = {.initiated_ms = 5,
                                   .algo = S3_CRC32,
                                   .composite = true,
                                   .account = STR("1"),
                                   .initiator = STR("arn")},
                         upload2;
    assert_int_equal(record_make(&s3_upload_type, &arena, &upload, &b), ERR_OK);
    assert_int_equal(record_unpack(&s3_upload_type, &arena, b, &upload2), ERR_OK);
    assert_true(upload2.algo == S3_CRC32 && upload2.composite && !upload2.algo_given &&
                str_eq_c(upload2.account, "1") && str_eq_c(upload2.initiator, "arn"));

    struct s3_part_rec parts[2] = {{.number = 1, .size = 10, .etag = STR("a")},
                                   {.number = 9, .size = 20, .etag = STR("b")}};
    struct s3_manifest m = {parts, 2};
    assert_int_equal(record_make(&s3_manifest_type, &arena, &m, &b), ERR_OK);
    assert_int_equal(record_unpack(&s3_manifest_type, &arena, b, &m), ERR_OK);
    assert_true(m.n == 2 && m.parts[1].number == 9 && m.parts[1].size == 20);
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(record_unpack(&s3_manifest_type, &arena, str_n(b.p, cut), &m),
                         ERR_CORRUPT);
    /* A count that the bytes cannot hold must not be believed. */
    assert_int_equal(record_unpack(&s3_manifest_type, &arena, STR("\x01\xff\xff\xff\xff\x0f"), &m),
                     ERR_CORRUPT);
}

static void test_keys(void **state)
{
    struct str key, id;
    uint64_t place;
    struct str raw = key_make(&arena, &s3_k_version, (uint64_t)7, STR("a\0b"), ~(uint64_t)5);
    assert_int_equal(key_read(&s3_k_version, raw, &arena, KEY_SKIP, &key, &place), ERR_OK);
    assert_true(str_eq(key, STR("a\0b")) && place == ~(uint64_t)5);
    raw = key_make(&arena, &s3_k_upload, (uint64_t)7, STR("k/l"), STR("id"));
    assert_int_equal(key_read(&s3_k_upload, raw, &arena, KEY_SKIP, &key, &id), ERR_OK);
    assert_true(str_eq_c(key, "k/l") && str_eq_c(id, "id"));
    /* A prefix range holds what begins with it and nothing else. */
    struct key_range r = key_range(&arena, &s3_k_current, (uint64_t)7, KEY_STARTS(STR("a")));
    static const char *const in[] = {"a", "ab", "a\xff"}, *const out[] = {"", "b", "A", "`"};
    for (size_t i = 0; i < ARRAY_LEN(in); i++) {
        struct str k = key_make(&arena, &s3_k_current, (uint64_t)7, str_c(in[i]));
        assert_true(str_cmp(k, r.from) >= 0 && str_cmp(k, r.to) < 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(out); i++) {
        struct str k = key_make(&arena, &s3_k_current, (uint64_t)7, str_c(out[i]));
        assert_false(str_cmp(k, r.from) >= 0 && str_cmp(k, r.to) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
