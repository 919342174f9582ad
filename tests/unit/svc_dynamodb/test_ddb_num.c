/* Numbers: normal texts, faults, arithmetic, order of key bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/dynamodb/ddb_num.h"

#define NINES38 "99999999999999999999999999999999999999"
#define ZEROS10 "0000000000"
#define ZEROS60 ZEROS10 ZEROS10 ZEROS10 ZEROS10 ZEROS10 ZEROS10

struct parse_row {
    const char *in;
    const char *out; /* NULL: fault */
    enum ddb_num_fault fault;
};

static const struct parse_row PARSE[] = {
    {"0", "0", 0},
    {"-0", "0", 0},
    {"+0", "0", 0},
    {"0.000", "0", 0},
    {"0e999999", "0", 0},
    {"1", "1", 0},
    {"-1", "-1", 0},
    {"+1", "1", 0},
    {"007", "7", 0},
    {"-007.5", "-7.5", 0},
    {"1.0", "1", 0},
    {"1.50", "1.5", 0},
    {".5", "0.5", 0},
    {"5.", "5", 0},
    {"10", "10", 0},
    {"100e-2", "1", 0},
    {"1e2", "100", 0},
    {"1E+2", "100", 0},
    {"1.5e1", "15", 0},
    {"15e-1", "1.5", 0},
    {"0.001", "0.001", 0},
    {"1e-3", "0.001", 0},
    {"123456789012345678901234567890", "123456789012345678901234567890", 0},
    {"1234.56780", "1234.5678", 0},
    {"0.1e1", "1", 0},
    {"00000000000000000000000000000000000000000000001", "1", 0},
    {NINES38, NINES38, 0},
    {NINES38 "000", NINES38 "000", 0},
    {NINES38 ".000", NINES38, 0},
    {"0." NINES38, "0." NINES38, 0},
    {"1e125", "1" ZEROS60 ZEROS60 "00000", 0},
    {"9.9e125", "99" ZEROS60 ZEROS60 "0000", 0},
    {"1e-130", "0." ZEROS60 ZEROS60 "0000000001", 0},
    {NINES38 "e88", NINES38 ZEROS60 ZEROS10 ZEROS10 "00000000", 0},
    {"", NULL, DDB_NUM_SYNTAX},
    {" 1", NULL, DDB_NUM_SYNTAX},
    {"1 ", NULL, DDB_NUM_SYNTAX},
    {"+", NULL, DDB_NUM_SYNTAX},
    {"-", NULL, DDB_NUM_SYNTAX},
    {".", NULL, DDB_NUM_SYNTAX},
    {"e5", NULL, DDB_NUM_SYNTAX},
    {"1e", NULL, DDB_NUM_SYNTAX},
    {"1e+", NULL, DDB_NUM_SYNTAX},
    {"1e1.5", NULL, DDB_NUM_SYNTAX},
    {"1.2.3", NULL, DDB_NUM_SYNTAX},
    {"--1", NULL, DDB_NUM_SYNTAX},
    {"0x10", NULL, DDB_NUM_SYNTAX},
    {"abc", NULL, DDB_NUM_SYNTAX},
    {"NaN", NULL, DDB_NUM_SYNTAX},
    {"Infinity", NULL, DDB_NUM_SYNTAX},
    {"1,000", NULL, DDB_NUM_SYNTAX},
    {"1" ZEROS10 ZEROS10 ZEROS10 "00000001", NULL, DDB_NUM_DIGITS},
    {NINES38 "9", NULL, DDB_NUM_DIGITS},
    {"0.1" NINES38, NULL, DDB_NUM_DIGITS},
    {"1e126", NULL, DDB_NUM_OVERFLOW},
    {"-1e126", NULL, DDB_NUM_OVERFLOW},
    {"10e125", NULL, DDB_NUM_OVERFLOW},
    {"1e999999999999", NULL, DDB_NUM_OVERFLOW},
    {"1e-131", NULL, DDB_NUM_UNDERFLOW},
    {"-1e-131", NULL, DDB_NUM_UNDERFLOW},
    {"0.1e-130", NULL, DDB_NUM_UNDERFLOW},
    {"1e-999999999999", NULL, DDB_NUM_UNDERFLOW},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(PARSE); i++) {
        struct ddb_num num;
        char text[DDB_NUM_TEXT_MAX];
        enum ddb_num_fault fault = ddb_num_parse(str_c(PARSE[i].in), &num);
        if (fault != PARSE[i].fault)
            fail_msg("%s: fault %d", PARSE[i].in, fault);
        if (!PARSE[i].out)
            continue;
        struct str s = ddb_num_text(&num, text);
        if (!str_eq_c(s, PARSE[i].out))
            fail_msg("%s: got " STR_FMT, PARSE[i].in, STR_ARG(s));
    }
}

struct add_row {
    const char *a, *b, *sum, *difference; /* NULL: fault */
};

static const struct add_row ADD[] = {
    {"1", "1", "2", "0"},
    {"0", "5", "5", "-5"},
    {"5", "0", "5", "5"},
    {"0", "0", "0", "0"},
    {"-5", "5", "0", "-10"},
    {"9", "1", "10", "8"},
    {"99", "1", "100", "98"},
    {"100", "-1", "99", "101"},
    {"0.1", "0.2", "0.3", "-0.1"},
    {"1.5", "2.25", "3.75", "-0.75"},
    {"1000000", "0.000001", "1000000.000001", "999999.999999"},
    {"-3", "-4", "-7", "1"},
    {"123456789012345678", "987654321098765432", "1111111110111111110", "-864197532086419754"},
    {NINES38, "1", "1" ZEROS10 ZEROS10 ZEROS10 "00000000",
     "99999999999999999999999999999999999998"},
    {NINES38, "0.1", NULL, NULL},
    {"1e125", "1e-130", NULL, NULL},
    {"9e125", "1e125", NULL, "8" ZEROS60 ZEROS60 "00000"},
    {"1e37", "1", "1" ZEROS10 ZEROS10 ZEROS10 "0000001", "9999999999999999999999999999999999999"},
    {"1e38", "1", NULL, NINES38},
};

static void check_add(const struct add_row *r, bool subtract, const char *expected)
{
    struct ddb_num a, b, c;
    char text[DDB_NUM_TEXT_MAX];
    assert_int_equal(ddb_num_parse(str_c(r->a), &a), DDB_NUM_OK);
    assert_int_equal(ddb_num_parse(str_c(r->b), &b), DDB_NUM_OK);
    enum ddb_num_fault fault = ddb_num_add(&a, &b, subtract, &c);
    if ((fault == DDB_NUM_OK) != (expected != NULL))
        fail_msg("%s %c %s: fault %d", r->a, subtract ? '-' : '+', r->b, fault);
    if (!expected)
        return;
    struct str s = ddb_num_text(&c, text);
    if (!str_eq_c(s, expected))
        fail_msg("%s %c %s: got " STR_FMT, r->a, subtract ? '-' : '+', r->b, STR_ARG(s));
}

static void test_add(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ADD); i++) {
        check_add(&ADD[i], false, ADD[i].sum);
        check_add(&ADD[i], true, ADD[i].difference);
    }
}

static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static struct ddb_num random_num(void)
{
    struct ddb_num n = {0};
    if (next() % 20 == 0)
        return n;
    n.n = (uint8_t)(next() % DDB_NUM_DIGITS_MAX + 1);
    for (size_t i = 0; i < n.n; i++)
        n.d[i] = (uint8_t)(next() % 10);
    n.d[0] = (uint8_t)(next() % 9 + 1);
    n.d[n.n - 1] = (uint8_t)(next() % 9 + 1);
    int64_t span = next() % 2 ? 12 : 254;
    n.exp = (int16_t)((int64_t)(next() % (uint64_t)span) - span / 2);
    n.neg = next() % 2;
    return n;
}

static bool same(const struct ddb_num *a, const struct ddb_num *b)
{
    return ddb_num_cmp(a, b) == 0;
}

/* text is a fixed point, order of keys is order of numbers, (a + b) - b is a where it is exact. */
static void test_identities(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct ddb_num a = random_num(), b = random_num(), c, sum, back;
        char text[DDB_NUM_TEXT_MAX];
        uint8_t ka[DDB_NUM_KEY_MAX], kb[DDB_NUM_KEY_MAX];
        struct str s = ddb_num_text(&a, text);
        assert_int_equal(ddb_num_parse(s, &c), DDB_NUM_OK);
        assert_true(same(&a, &c));
        struct str x = str_n((char *)ka, ddb_num_key(&a, ka));
        struct str y = str_n((char *)kb, ddb_num_key(&b, kb));
        int by_key = str_cmp(x, y), by_value = ddb_num_cmp(&a, &b);
        assert_int_equal((by_key > 0) - (by_key < 0), (by_value > 0) - (by_value < 0));
        assert_int_equal((by_value > 0) - (by_value < 0),
                         -((ddb_num_cmp(&b, &a) > 0) - (ddb_num_cmp(&b, &a) < 0)));
        if (ddb_num_add(&a, &b, false, &sum) != DDB_NUM_OK)
            continue;
        assert_int_equal(ddb_num_add(&sum, &b, true, &back), DDB_NUM_OK);
        assert_true(same(&a, &back));
        assert_int_equal(ddb_num_add(&b, &a, false, &c), DDB_NUM_OK);
        assert_true(same(&sum, &c));
    }
}

static void test_against_integers(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t x = (int64_t)next() >> (next() % 62 + 2), y = (int64_t)next() >> (next() % 62 + 2);
        char buf[32], text[DDB_NUM_TEXT_MAX];
        struct ddb_num a, b, c;
        int n = snprintf(buf, sizeof(buf), "%lld", (long long)x);
        assert_int_equal(ddb_num_parse(str_n(buf, (size_t)n), &a), DDB_NUM_OK);
        n = snprintf(buf, sizeof(buf), "%lld", (long long)y);
        assert_int_equal(ddb_num_parse(str_n(buf, (size_t)n), &b), DDB_NUM_OK);
        assert_int_equal((ddb_num_cmp(&a, &b) > 0) - (ddb_num_cmp(&a, &b) < 0), (x > y) - (x < y));
        assert_int_equal(ddb_num_add(&a, &b, false, &c), DDB_NUM_OK);
        n = snprintf(buf, sizeof(buf), "%lld", (long long)(x + y));
        assert_true(str_eq(ddb_num_text(&c, text), str_n(buf, (size_t)n)));
        assert_int_equal(ddb_num_add(&a, &b, true, &c), DDB_NUM_OK);
        n = snprintf(buf, sizeof(buf), "%lld", (long long)(x - y));
        assert_true(str_eq(ddb_num_text(&c, text), str_n(buf, (size_t)n)));
    }
}

static void test_plain_and_size(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        bool plain;
        size_t size;
    } rows[] = {
        {"0", true, 1},      {"-0", false, 2},      {"1", true, 2},         {"12", true, 2},
        {"123", true, 3},    {"-1", true, 3},       {"01", false, 2},       {"1.5", false, 3},
        {"100", true, 2},    {"0.001", false, 2},   {"", false, 1},         {"-", false, 2},
        {"1e5", false, 3},   {"3.14159", false, 5}, {"-3.14159", false, 6}, {"10.5", false, 3},
        {"1.005", false, 4}, {"123456", true, 4},   {"1000.5", false, 4},   {"0.0102", false, 3}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(ddb_num_is_plain(str_c(rows[i].in)), rows[i].plain);
        if (str_find(str_c(rows[i].in), 'e') == SIZE_MAX)
            assert_int_equal(ddb_num_size(str_c(rows[i].in)), rows[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),          cmocka_unit_test(test_add),
        cmocka_unit_test(test_identities),     cmocka_unit_test(test_against_integers),
        cmocka_unit_test(test_plain_and_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
