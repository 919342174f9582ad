/* s3_sum.h: digests while bytes pass, and the sums of parts. The expected values were computed with
 * Python's hashlib and zlib. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "codec/hex.h"
#include "svc/s3/s3_sum.h"

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

static struct s3_part_rec part_of(struct str body, enum s3_algo algo)
{
    struct s3_summer s;
    uint8_t md5[HASH_MD5_LEN], raw[S3_SUM_LEN_MAX];
    assert_int_equal(s3_summer_init(&s, 1u << algo), ERR_OK);
    s3_summer_update(&s, body.p, body.len);
    s3_summer_md5(&s, md5);
    s3_summer_final(&s, algo, raw);
    s3_summer_release(&s);
    return (struct s3_part_rec){
        .size = body.len,
        .etag = hex_encode(&arena, md5, sizeof(md5)),
        .sum = {.algo = algo, .text = base64_encode(&arena, raw, s3_algo_len(algo))}};
}

static void test_names(void **state)
{
    static const char *const names[] = {"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum s3_algo algo = s3_algo_of(str_c(names[i]));
        assert_int_equal(algo, (int)i + 1);
        assert_true(str_eq_c(s3_algo_name(algo), names[i]));
        assert_int_equal(s3_algo_of_header(s3_algo_header(algo)), algo);
    }
    assert_int_equal(s3_algo_of(STR("SHA512")), S3_NO_CHECKSUM);
    assert_int_equal(s3_algo_of(STR("")), S3_NO_CHECKSUM);
    assert_int_equal(s3_algo_of_header(STR("X-Amz-Checksum-SHA1")), S3_SHA1);
    assert_int_equal(s3_algo_of_header(STR("x-amz-checksum-md5")), S3_NO_CHECKSUM);
}

static void test_values(void **state)
{
    static const struct {
        enum s3_algo algo;
        const char *want;
    } rows[] = {
        {S3_CRC32, "y/Q5Jg=="},
        {S3_CRC32C, "4waSgw=="},
        {S3_CRC64NVME, "rosUhgp5mIg="},
        {S3_SHA1, "98O8HYCOBHMq32eZZczDTKeuNEE="},
        {S3_SHA256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct s3_part_rec p = part_of(STR("123456789"), rows[i].algo);
        if (!str_eq_c(p.sum.text, rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].want, STR_ARG(p.sum.text));
        assert_true(str_eq_c(p.etag, "25f9e794323b453885f5181f1b624d0b"));
    }
}

/* The full-object sum of two parts is the sum of the bytes; the composite one is not. */
static void test_parts(void **state)
{
    for (int a = S3_CRC32; a < S3_ALGOS; a++) {
        enum s3_algo algo = (enum s3_algo)a;
        struct s3_part_rec parts[] = {part_of(STR("1234"), algo), part_of(STR("56789"), algo)};
        struct s3_part_rec whole = part_of(STR("123456789"), algo);
        struct str etag;
        struct s3_sum sum;
        assert_int_equal(s3_sum_parts(&arena, parts, 2, algo, true, &etag, &sum), ERR_OK);
        assert_true(str_ends(etag, STR("-2")) && etag.len == 34);
        assert_true(sum.composite && str_ends(sum.text, STR("-2")));
        if (!s3_algo_combines(algo))
            continue;
        assert_int_equal(s3_sum_parts(&arena, parts, 2, algo, false, &etag, &sum), ERR_OK);
        assert_true(str_eq(sum.text, whole.sum.text));
        assert_true(str_eq_c(s3_sum_type(&sum), "FULL_OBJECT"));
    }
    struct s3_part_rec mixed[] = {part_of(STR("1"), S3_CRC32), part_of(STR("2"), S3_SHA1)};
    struct str etag;
    struct s3_sum sum;
    assert_int_equal(s3_sum_parts(&arena, mixed, 2, S3_CRC32, false, &etag, &sum), ERR_OK);
    assert_int_equal(sum.algo, S3_NO_CHECKSUM);
    mixed[0].etag = STR("not hex");
    assert_int_equal(s3_sum_parts(&arena, mixed, 2, S3_CRC32, false, &etag, &sum), ERR_CORRUPT);
}

static void test_claims(void **state)
{
    struct s3_claims c = s3_claims_make(STR_NONE, STR_NONE, STR_NONE, STR("x"), STR_NONE, false);
    assert_int_equal(c.n, 1);
    assert_int_equal(s3_claims_algo(&c), S3_SHA1);
    c = s3_claims_make(STR_NONE, STR_NONE, STR_NONE, STR_NONE, STR_NONE, true);
    assert_int_equal(s3_claims_algo(&c), S3_NO_CHECKSUM);
    assert_true(c.unsupported);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
