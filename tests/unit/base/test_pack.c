/* Records: round trips, bytes on disk, truncation at every byte, malformed fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"

static const uint64_t uints[] = {0,         1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX - 1,
                                 UINT64_MAX};
static const int64_t ints[] = {0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN};

static void test_round_trip(void **state)
{
    struct buf b;
    struct unpack u;
    buf_init(&b, 1 << 16);
    pack_u8(&b, 200);
    for (size_t i = 0; i < ARRAY_LEN(uints); i++)
        pack_uint(&b, uints[i]);
    for (size_t i = 0; i < ARRAY_LEN(ints); i++)
        pack_int(&b, ints[i]);
    pack_str(&b, STR("abc"));
    pack_str(&b, STR(""));
    pack_str(&b, STR_NONE);
    assert_int_equal(buf_err(&b), ERR_OK);
    unpack_init(&u, buf_str(&b));
    assert_int_equal(unpack_u8(&u), 200);
    for (size_t i = 0; i < ARRAY_LEN(uints); i++)
        assert_true(unpack_uint(&u) == uints[i]);
    for (size_t i = 0; i < ARRAY_LEN(ints); i++)
        assert_true(unpack_int(&u) == ints[i]);
    assert_true(str_eq_c(unpack_str(&u), "abc"));
    struct str empty = unpack_str(&u);
    assert_true(str_is_set(empty) && empty.len == 0);
    assert_true(unpack_more(&u));
    assert_false(str_is_set(unpack_str(&u)));
    assert_false(unpack_more(&u));
    assert_int_equal(unpack_end(&u), ERR_OK);
    (void)unpack_u8(&u);
    assert_int_equal(unpack_end(&u), ERR_CORRUPT);
    buf_release(&b);
}

/* The bytes are a promise to stores already written. */
static void test_bytes(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    pack_u8(&b, 1);
    pack_uint(&b, 300);
    pack_int(&b, -1);
    pack_str(&b, STR("hi"));
    pack_str(&b, STR_NONE);
    assert_true(str_eq(buf_str(&b), str_n("\x01\xac\x02\x01\x03hi\x00", 8)));
    buf_release(&b);
}

static void test_truncated(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    pack_u8(&b, 1);
    pack_uint(&b, UINT64_MAX);
    pack_int(&b, INT64_MIN);
    pack_str(&b, STR("abc"));
    for (size_t n = 0; n < b.len; n++) {
        struct unpack u;
        char *exact = malloc(n ? n : 1);
        memcpy(exact, b.p, n);
        unpack_init(&u, str_n(exact, n));
        (void)unpack_u8(&u);
        (void)unpack_uint(&u);
        (void)unpack_int(&u);
        (void)unpack_str(&u);
        assert_int_equal(unpack_end(&u), ERR_CORRUPT);
        assert_int_equal(unpack_u8(&u), 0); /* sticky */
        assert_false(str_is_set(unpack_str(&u)));
        free(exact);
    }
    buf_release(&b);
}

static void test_malformed(void **state)
{
    static const struct {
        const char *name;
        struct str bytes;
    } rows[] = {
        {"varint over 64 bits", {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10}},
        {"varint without end", {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11}},
        {"length past the end",
         {"\x05"
          "abc",
          4}},
        {"huge length",
         {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
          "abc",
          13}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct unpack u;
        unpack_init(&u, rows[i].bytes);
        assert_false(str_is_set(unpack_str(&u)));
        if (unpack_end(&u) != ERR_CORRUPT)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
