/* cbor.h: the examples of RFC 8949 appendix A in both directions, what is not well-formed, limits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/cbor.h"

enum { ARENA_MAX = 1 << 22 };

static struct str bytes_of(struct arena *a, const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *out = arena_alloc(a, n + 1);
    for (size_t i = 0; i < n; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (char)strtoul(pair, NULL, 16);
    }
    return str_n(out, n);
}

static const char *hex_of(struct arena *a, struct str s)
{
    char *out = arena_calloc(a, s.len * 2 + 1, 1);
    for (size_t i = 0; i < s.len; i++) {
        out[2 * i] = "0123456789abcdef"[(unsigned char)s.p[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[s.p[i] & 15];
    }
    return out;
}

struct row {
    const char *hex;
    const char *json;  /* as the tree reads, or NULL: `err` */
    const char *again; /* written anew: NULL the same */
    enum err err;
};

static const struct row appendix_a[] = {
    {"00", "0", NULL, 0},
    {"01", "1", NULL, 0},
    {"0a", "10", NULL, 0},
    {"17", "23", NULL, 0},
    {"1818", "24", NULL, 0},
    {"1819", "25", NULL, 0},
    {"1864", "100", NULL, 0},
    {"1903e8", "1000", NULL, 0},
    {"1a000f4240", "1000000", NULL, 0},
    {"1b000000e8d4a51000", "1000000000000", NULL, 0},
    {"1bffffffffffffffff", "18446744073709551615", "fa5f800000", 0},
    {"c249010000000000000000", "\"AQAAAAAAAAAA\"", "49010000000000000000", 0},
    {"3bffffffffffffffff", "-18446744073709551616", "fadf800000", 0},
    {"20", "-1", NULL, 0},
    {"29", "-10", NULL, 0},
    {"3863", "-100", NULL, 0},
    {"3903e7", "-1000", NULL, 0},
    {"f90000", "0", "00", 0},
    {"f98000", "-0", "00", 0},
    {"f93c00", "1", "01", 0},
    {"fb3ff199999999999a", "1.1", NULL, 0},
    {"f93e00", "1.5", NULL, 0},
    {"f97bff", "65504", "19ffe0", 0},
    {"fa47c35000", "100000", "1a000186a0", 0},
    {"fa7f7fffff", "3.4028234663852886e+38", NULL, 0},
    {"fb7e37e43c8800759c", "1e+300", NULL, 0},
    {"f90001", "5.9604644775390625e-08", NULL, 0},
    {"f90400", "6.103515625e-05", NULL, 0},
    {"f9c400", "-4", "23", 0},
    {"fbc010666666666666", "-4.1", NULL, 0},
    {"f97c00", "\"Infinity\"", NULL, 0},
    {"f97e00", "\"NaN\"", NULL, 0},
    {"f9fc00", "\"-Infinity\"", NULL, 0},
    {"fa7f800000", "\"Infinity\"", "f97c00", 0},
    {"fa7fc00000", "\"NaN\"", "f97e00", 0},
    {"fb7ff0000000000000", "\"Infinity\"", "f97c00", 0},
    {"fb7ff8000000000000", "\"NaN\"", "f97e00", 0},
    {"f4", "false", NULL, 0},
    {"f5", "true", NULL, 0},
    {"f6", "null", NULL, 0},
    {"f7", "null", "f6", 0},
    {"f0", NULL, NULL, ERR_UNSUPPORTED},
    {"f8ff", NULL, NULL, ERR_UNSUPPORTED},
    {"c074323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\"",
     "74323031332d30332d32315432303a30343a30305a", 0},
    {"c11a514b67b0", "1363896240", NULL, 0},
    {"c1fb41d452d9ec200000", "1363896240.5", NULL, 0},
    {"d74401020304", "\"AQIDBA==\"", "4401020304", 0},
    {"d818456449455446", "\"ZElFVEY=\"", "456449455446", 0},
    {"40", "\"\"", NULL, 0},
    {"4401020304", "\"AQIDBA==\"", NULL, 0},
    {"60", "\"\"", NULL, 0},
    {"6161", "\"a\"", NULL, 0},
    {"6449455446", "\"IETF\"", NULL, 0},
    {"62225c", "\"\\\"\\\\\"", NULL, 0},
    {"62c3bc", "\"\xc3\xbc\"", NULL, 0},
    {"63e6b0b4", "\"\xe6\xb0\xb4\"", NULL, 0},
    {"64f0908591", "\"\xf0\x90\x85\x91\"", NULL, 0},
    {"80", "[]", NULL, 0},
    {"83010203", "[1,2,3]", NULL, 0},
    {"8301820203820405", "[1,[2,3],[4,5]]", NULL, 0},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
     "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]", NULL, 0},
    {"a0", "{}", NULL, 0},
    {"a201020304", NULL, NULL, ERR_INVALID}, /* keys that are no text */
    {"a26161016162820203", "{\"a\":1,\"b\":[2,3]}", NULL, 0},
    {"826161a161626163", "[\"a\",{\"b\":\"c\"}]", NULL, 0},
    {"5f42010243030405ff", "\"AQIDBAU=\"", "450102030405", 0},
    {"7f657374726561646d696e67ff", "\"streaming\"", "6973747265616d696e67", 0},
    {"9fff", "[]", "80", 0},
    {"9f018202039f0405ffff", "[1,[2,3],[4,5]]", "8301820203820405", 0},
    {"9f01820203820405ff", "[1,[2,3],[4,5]]", "8301820203820405", 0},
    {"83018202039f0405ff", "[1,[2,3],[4,5]]", "8301820203820405", 0},
    {"83019f0203ff820405", "[1,[2,3],[4,5]]", "8301820203820405", 0},
    {"bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}", "a26161016162820203", 0},
    {"826161bf61626163ff", "[\"a\",{\"b\":\"c\"}]", "826161a161626163", 0},
    {"bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}", "a26346756ef563416d7421", 0},
};

static void play(const struct row *row)
{
    struct arena a;
    struct json *v = NULL;
    struct buf text, again;
    arena_init(&a, ARENA_MAX);
    buf_init_arena(&text, &a, ARENA_MAX);
    buf_init_arena(&again, &a, ARENA_MAX);
    enum err e = cbor_parse(&a, bytes_of(&a, row->hex), &v);
    if (e != row->err)
        fail_msg("%s: %s", row->hex, err_name(e));
    if (e == ERR_OK) {
        json_put(&text, v);
        buf_add_byte(&text, '\0');
        assert_string_equal(text.p, row->json);
        cbor_put_tree(&again, v);
        assert_string_equal(hex_of(&a, buf_str(&again)), row->again ? row->again : row->hex);
    }
    arena_release(&a);
}

static void test_appendix_a(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(appendix_a); i++)
        play(&appendix_a[i]);
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "ff",
        "1c",
        "1d",
        "1e",
        "18",
        "1901",
        "1b00000000",
        "3c",
        "41",
        "5c",
        "61",
        "61ff",
        "62c328",
        "7f6161",
        "7f4161ff",
        "5f6161ff",
        "5f5f4100ffff",
        "81",
        "8101ff",
        "9f01",
        "a1",
        "a16161",
        "bf6161ff",
        "bf6161",
        "bf01",
        "c1",
        "c16161",
        "c1ff",
        "df00",
        "1f",
        "3f",
        "f800",
        "f81f",
        "f8",
        "f9",
        "fa000000",
        "fc",
        "fd",
        "fe",
        "0000",
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "5bffffffffffffffff",
        "a1616101ff",
        "a1f601",
        "9f81ff",
        "bf9fffff",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        play(&(struct row){rows[i], NULL, NULL, ERR_INVALID});
}

static void test_depth(void **state)
{
    for (int past = 0; past <= 1; past++) {
        struct arena a;
        struct json *v;
        char text[JSON_DEPTH_MAX + 2];
        size_t n = (size_t)JSON_DEPTH_MAX + (size_t)past;
        memset(text, (char)0x81, n);
        text[n] = 0;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(cbor_parse(&a, str_n(text, n + 1), &v), past ? ERR_LIMIT : ERR_OK);
        memset(text, (char)0xc1, sizeof(text)); /* tags nest, too */
        assert_int_not_equal(cbor_parse(&a, str_n(text, sizeof(text)), &v), ERR_OK);
        arena_release(&a);
    }
}

static void test_writers(void **state)
{
    struct arena a;
    struct buf b;
    arena_init(&a, ARENA_MAX);
    buf_init_arena(&b, &a, ARENA_MAX);
    cbor_put_i64(&b, INT64_MIN);
    cbor_put_u64(&b, UINT64_MAX);
    cbor_put_f64(&b, -0.0);
    cbor_put_f64(&b, 5.960464477539063e-8);
    cbor_put_f64(&b, 65536);
    cbor_put_f64(&b, 1e-45);
    cbor_put_time(&b, 1500);
    cbor_put_time(&b, -1000);
    cbor_put_text(&b, str_n("a\xff"
                            "b",
                            3));
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_string_equal(hex_of(&a, buf_str(&b)),
                        "3b7fffffffffffffff1bfffffffffffffffff98000f90001fa47800000fb"
                        "3696d601ad376ab9c1f93e00c1206561efbfbd62");
    arena_release(&a);
}

/* Every half float is read and written as itself; so are the neighbours of none. */
static void test_halves(void **state)
{
    struct arena a;
    struct cbor_head h;
    for (unsigned bits = 0; bits <= 0xffff; bits++) {
        char raw[3] = {(char)0xf9, (char)(bits >> 8), (char)bits};
        struct str in = str_n(raw, sizeof(raw));
        struct buf b;
        arena_init(&a, ARENA_MAX);
        buf_init_arena(&b, &a, 64);
        assert_int_equal(cbor_next(&in, &h), ERR_OK);
        cbor_put_f64(&b, h.f);
        if (!isnan(h.f))
            assert_memory_equal(b.p, raw, sizeof(raw));
        assert_int_equal(b.len, sizeof(raw));
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appendix_a), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),      cmocka_unit_test(test_writers),
        cmocka_unit_test(test_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
