/* Text: comparison, searching, numbers, UTF-8, copies, hashing, globs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

static void test_compare(void **state)
{
    static const struct {
        const char *a, *b;
        int cmp;
        bool nocase;
    } rows[] = {
        {"", "", 0, true},       {"a", "a", 0, true},    {"a", "b", -1, false},
        {"b", "a", 1, false},    {"a", "ab", -1, false}, {"", "a", -1, false},
        {"A", "a", -1, true},    {"aZ", "Az", 1, true},  {"[", "{", -1, false},
        {"\xff", "a", 1, false}, {"@", "`", -1, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str a = str_c(rows[i].a), b = str_c(rows[i].b);
        int cmp = str_cmp(a, b);
        assert_int_equal((cmp > 0) - (cmp < 0), rows[i].cmp);
        assert_int_equal(str_eq(a, b), rows[i].cmp == 0);
        assert_int_equal(str_eq_consttime(a, b), rows[i].cmp == 0);
        assert_int_equal(str_eq_nocase(a, b), rows[i].nocase);
    }
    assert_false(str_is_set(STR_NONE));
    assert_true(str_is_set(STR("")));
    assert_true(str_eq(STR_NONE, STR("")));
    assert_false(str_is_set(str_c(NULL)));
}

static void test_search(void **state)
{
    struct str s = STR("abcabc");
    assert_int_equal(str_find(s, 'b'), 1);
    assert_int_equal(str_rfind(s, 'b'), 4);
    assert_int_equal(str_find(s, 'x'), SIZE_MAX);
    assert_int_equal(str_rfind(STR_NONE, 'x'), SIZE_MAX);
    assert_int_equal(str_find_str(s, STR("ca")), 2);
    assert_int_equal(str_find_str(s, STR("")), 0);
    assert_int_equal(str_find_str(s, STR("cc")), SIZE_MAX);
    assert_int_equal(str_find_str(STR_NONE, STR("c")), SIZE_MAX);
    assert_true(str_starts(s, STR("abc")) && str_starts(s, STR_NONE) && !str_starts(s, STR("b")));
    assert_true(str_ends(s, STR("bc")) && str_ends(s, STR("")) && !str_ends(STR("c"), STR("bc")));
    assert_true(str_eq_c(str_sub(s, 2, 3), "cab"));
    assert_int_equal(str_sub(s, 9, 1).len, 0);
    assert_int_equal(str_sub(s, 5, SIZE_MAX).len, 1);
    assert_true(str_eq_c(str_trim(STR(" \t\r\na b\n ")), "a b"));
    assert_int_equal(str_trim(STR("  ")).len, 0);
}

static void test_cut(void **state)
{
    struct str rest = STR("a,,b");
    assert_true(str_eq_c(str_cut(&rest, ','), "a"));
    assert_true(str_eq_c(str_cut(&rest, ','), ""));
    assert_true(str_eq_c(str_cut(&rest, ','), "b"));
    assert_false(str_is_set(rest));
    rest = STR("a,");
    (void)str_cut(&rest, ',');
    assert_true(str_is_set(rest) && rest.len == 0);
}

static void test_integers(void **state)
{
    static const struct {
        const char *s;
        enum err err;
        int64_t v;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"-0", ERR_OK, 0},
        {"007", ERR_OK, 7},
        {"9223372036854775807", ERR_OK, INT64_MAX},
        {"-9223372036854775808", ERR_OK, INT64_MIN},
        {"9223372036854775808", ERR_LIMIT, 0},
        {"-9223372036854775809", ERR_LIMIT, 0},
        {"99999999999999999999999", ERR_LIMIT, 0},
        {"", ERR_INVALID, 0},
        {"-", ERR_INVALID, 0},
        {"--1", ERR_INVALID, 0},
        {"+1", ERR_INVALID, 0},
        {" 1", ERR_INVALID, 0},
        {"1 ", ERR_INVALID, 0},
        {"1.0", ERR_INVALID, 0},
        {"0x1", ERR_INVALID, 0},
        {"1e3", ERR_INVALID, 0},
        {"\xd9\xa1", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v = 77;
        assert_int_equal(str_to_i64(str_c(rows[i].s), &v), rows[i].err);
        assert_int_equal(v, rows[i].err == ERR_OK ? rows[i].v : 77);
    }
    uint64_t u = 77;
    assert_int_equal(str_to_u64(STR("18446744073709551615"), &u), ERR_OK);
    assert_true(u == UINT64_MAX);
    assert_int_equal(str_to_u64(STR("18446744073709551616"), &u), ERR_LIMIT);
    assert_int_equal(str_to_u64(STR("-1"), &u), ERR_INVALID);
    assert_int_equal(str_to_u64(STR_NONE, &u), ERR_INVALID);
}

static void test_doubles(void **state)
{
    static const struct {
        const char *s;
        enum err err;
        double v;
    } rows[] = {
        {"0", ERR_OK, 0},        {"-1.5", ERR_OK, -1.5},  {"+2", ERR_OK, 2},
        {"1e3", ERR_OK, 1000},   {"1E-2", ERR_OK, 0.01},  {".5", ERR_OK, 0.5},
        {"1.", ERR_OK, 1},       {"1e999", ERR_LIMIT, 0}, {"", ERR_INVALID, 0},
        {"inf", ERR_INVALID, 0}, {"nan", ERR_INVALID, 0}, {"0x1p3", ERR_INVALID, 0},
        {"1e", ERR_INVALID, 0},  {"1e+", ERR_INVALID, 0}, {" 1", ERR_INVALID, 0},
        {"1 ", ERR_INVALID, 0},  {".", ERR_INVALID, 0},   {"--1", ERR_INVALID, 0},
        {"1,5", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double v = 77;
        if (str_to_f64(str_c(rows[i].s), &v) != rows[i].err)
            fail_msg("%s", rows[i].s);
        assert_true(rows[i].err != ERR_OK || v == rows[i].v);
    }
    char digits[600];
    memset(digits, '1', sizeof(digits));
    double v;
    assert_int_equal(str_to_f64(str_n(digits, sizeof(digits)), &v), ERR_LIMIT);
}

static void test_utf8(void **state)
{
    static const struct {
        const char *s;
        bool ok;
        size_t count;
    } rows[] = {
        {"", true, 0},
        {"plain text over eight bytes", true, 27},
        {"\xc2\x80", true, 1},
        {"\xdf\xbf", true, 1},
        {"\xe0\xa0\x80", true, 1},
        {"\xed\x9f\xbf", true, 1},
        {"\xee\x80\x80", true, 1},
        {"\xf0\x90\x80\x80", true, 1},
        {"\xf4\x8f\xbf\xbf", true, 1},
        {"12345678\xc3\xa9", true, 9},
        {"\x80", false, 0},
        {"\xbf", false, 0},
        {"\xc0\x80", false, 0},
        {"\xc1\xbf", false, 0},
        {"\xc2", false, 0},
        {"\xc2\x41", false, 0},
        {"\xe0\x9f\xbf", false, 0},
        {"\xed\xa0\x80", false, 0},
        {"\xed\xbf\xbf", false, 0},
        {"\xe2\x82", false, 0},
        {"\xf0\x8f\xbf\xbf", false, 0},
        {"\xf4\x90\x80\x80", false, 0},
        {"\xf5\x80\x80\x80", false, 0},
        {"\xf0\x90\x80", false, 0},
        {"\xff", false, 0},
        {"12345678\xff", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(str_is_utf8(str_c(rows[i].s)), rows[i].ok);
        if (rows[i].ok)
            assert_int_equal(str_utf8_count(str_c(rows[i].s)), rows[i].count);
    }
}

static void test_copies(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 16);
    struct str copy = str_dup(&a, STR("abc"));
    assert_true(str_eq_c(copy, "abc") && copy.p[3] == '\0');
    assert_true(str_is_set(str_dup(&a, STR(""))));
    assert_false(str_is_set(str_dup(&a, STR_NONE)));
    assert_string_equal(str_cstr(&a, STR("abc")), "abc");
    assert_null(str_cstr(&a, str_n("a\0b", 3)));
    assert_true(str_eq_c(str_lower(&a, STR("AbZ[\xc3")), "abz[\xc3"));
    assert_true(str_eq_c(str_fmt(&a, "%d-%s", 5, "x"), "5-x"));
    arena_release(&a);
    arena_init(&a, 2);
    assert_false(str_is_set(str_dup(&a, STR("abc"))));
    assert_false(str_is_set(str_fmt(&a, "%s", "abc")));
    assert_false(str_is_set(str_lower(&a, STR("ABC"))));
    assert_null(str_cstr(&a, STR("abc")));
    arena_release(&a);
}

static void test_hash(void **state)
{
    assert_true(str_hash(STR("abc")) == str_hash(STR("abc")));
    assert_true(str_hash(STR_NONE) == str_hash(STR("")));
    /* Lengths and places count: none of these agree. */
    static const char zeros[40];
    uint64_t seen[40];
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        seen[i] = str_hash(str_n(zeros, i));
        for (size_t k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
}

static void test_glob(void **state)
{
    static const struct {
        const char *pattern, *s;
        bool match;
    } rows[] = {
        {"", "", true},
        {"*", "", true},
        {"*", "abc", true},
        {"a*c", "abbbc", true},
        {"a*c", "ac", true},
        {"a?c", "abc", true},
        {"**a**", "bab", true},
        {"*.csv", "x.csv", true},
        {"a*b*c", "a-b-b-c", true},
        {"*ab", "aab", true},
        {"?*", "a", true},
        {"", "a", false},
        {"a", "", false},
        {"a?c", "ac", false},
        {"a*c", "abcd", false},
        {"*.csv", "x.csvx", false},
        {"A*", "abc", false},
        {"?", "", false},
        {"[a]", "a", false},
        {"a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_glob(str_c(rows[i].pattern), str_c(rows[i].s)) != rows[i].match)
            fail_msg("%s on %s", rows[i].pattern, rows[i].s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare), cmocka_unit_test(test_search),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles), cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_copies),  cmocka_unit_test(test_hash),
        cmocka_unit_test(test_glob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
