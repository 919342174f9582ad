/* Key encodings: order, round trips, malformed input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kv/key.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static struct str text_key(struct str s)
{
    struct buf b;
    buf_init_arena(&b, &arena, 4096);
    key_start(&b, KEY_TEST, 1);
    key_text(&b, s);
    assert_int_equal(buf_err(&b), ERR_OK);
    return buf_str(&b);
}

static void test_text_order(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),       STR_INIT("\0"),    STR_INIT("\0\0"),   STR_INIT("\0\x01"),
        STR_INIT("\0\xff"), STR_INIT("\x01"),  STR_INIT("a"),      STR_INIT("a\0"),
        STR_INIT("a\0b"),   STR_INIT("a\x01"), STR_INIT("aa"),     STR_INIT("b"),
        STR_INIT("\xfe"),   STR_INIT("\xff"),  STR_INIT("\xff\0"), STR_INIT("\xff\xff"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = str_sub(text_key(rows[i]), 2, 4096), got;
        assert_int_equal(key_read_text(&rest, &arena, &got), ERR_OK);
        assert_true(str_eq(got, rows[i]));
        assert_int_equal(rest.len, 0);
        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            int cmp = str_cmp(text_key(rows[i]), text_key(rows[j]));
            assert_true(i < j ? cmp < 0 : i > j ? cmp > 0 : cmp == 0);
        }
    }
}

static void test_prefix_is_exact(void **state)
{
    struct buf b;
    buf_init_arena(&b, &arena, 4096);
    struct str a = text_key(STR("a")), after = key_after_prefix(&arena, a);
    key_start(&b, KEY_TEST, 1);
    key_text(&b, STR("a"));
    key_text(&b, STR("\xff\xff"));
    assert_true(str_cmp(buf_str(&b), a) > 0 && str_cmp(buf_str(&b), after) < 0);
    assert_true(str_cmp(text_key(STR("a\0")), after) >= 0);
    assert_true(str_cmp(text_key(STR("aa")), after) >= 0);
}

static void test_numbers(void **state)
{
    static const int64_t rows[] = {INT64_MIN, INT64_MIN + 1, -256, -255,          -1,       0,
                                   1,         255,           256,  INT64_MAX - 1, INT64_MAX};
    struct str last = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init_arena(&b, &arena, 64);
        key_start(&b, KEY_TEST, 9);
        key_i64(&b, rows[i]);
        key_u64(&b, (uint64_t)rows[i]);
        key_raw(&b, STR("tail"));
        struct str rest = buf_str(&b);
        assert_true(i == 0 || str_cmp(last, rest) < 0);
        last = rest;
        uint8_t space, table;
        int64_t v;
        uint64_t u;
        assert_int_equal(key_read_u8(&rest, &space), ERR_OK);
        assert_int_equal(key_read_u8(&rest, &table), ERR_OK);
        assert_int_equal(key_read_i64(&rest, &v), ERR_OK);
        assert_int_equal(key_read_u64(&rest, &u), ERR_OK);
        assert_true(space == KEY_TEST && table == 9 && v == rows[i] && u == (uint64_t)rows[i]);
        assert_true(str_eq_c(rest, "tail"));
    }
}

static void test_after_prefix(void **state)
{
    static const struct {
        struct str in, want;
    } rows[] = {
        {STR_INIT("a"), STR_INIT("b")},         {STR_INIT("a\xff"), STR_INIT("b")},
        {STR_INIT("a\xff\xff"), STR_INIT("b")}, {STR_INIT("\x7f"), STR_INIT("\x80")},
        {STR_INIT("a\0"), STR_INIT("a\x01")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(str_eq(key_after_prefix(&arena, rows[i].in), rows[i].want));
    assert_false(str_is_set(key_after_prefix(&arena, STR("\xff\xff"))));
    assert_false(str_is_set(key_after_prefix(&arena, STR(""))));
}

static void test_malformed(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),        STR_INIT("a"),           STR_INIT("a\0"),     STR_INIT("\0"),
        STR_INIT("a\0\x02"), STR_INIT("a\0\0\0\x01"), STR_INIT("a\0\xff"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = rows[i], got;
        assert_int_equal(key_read_text(&rest, &arena, &got), ERR_CORRUPT);
        assert_true(rest.p == rows[i].p && rest.len == rows[i].len);
    }
    struct str rest = STR("1234567");
    uint64_t u;
    int64_t v;
    uint8_t b;
    assert_int_equal(key_read_u64(&rest, &u), ERR_CORRUPT);
    assert_int_equal(key_read_i64(&rest, &v), ERR_CORRUPT);
    rest = STR("");
    assert_int_equal(key_read_u8(&rest, &b), ERR_CORRUPT);
}

static void test_random_pairs(void **state)
{
    rng_seed(3);
    for (int i = 0; i < 20000; i++) {
        char a[6], b[6];
        struct str x = str_n(a, rng_below(7)), y = str_n(b, rng_below(7));
        static const char alphabet[] = {0, 1, 2, 'a', (char)0xfe, (char)0xff};
        for (int j = 0; j < 6; j++) {
            a[j] = alphabet[rng_below(6)];
            b[j] = alphabet[rng_below(6)];
        }
        int want = str_cmp(x, y), got = str_cmp(text_key(x), text_key(y));
        assert_true((want < 0) == (got < 0) && (want > 0) == (got > 0));
        if (i % 1000 == 0)
            arena_clear(&arena);
    }
    rng_seed(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prefix_is_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_pairs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
