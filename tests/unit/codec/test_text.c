/* base64.h, hex.h, percent.h, hash.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "codec/hash.h"
#include "codec/hex.h"
#include "codec/mime.h"
#include "codec/percent.h"

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

static void test_base64(void **state)
{
    static const struct {
        const char *plain, *std, *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"\xff\xfe\xfb", "//77", "__77"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str plain = str_c(rows[i].plain), out;
        assert_true(str_eq_c(base64_encode(&arena, plain.p, plain.len), rows[i].std));
        assert_true(str_eq_c(base64url_encode(&arena, plain.p, plain.len), rows[i].url));
        assert_int_equal(base64_decode(&arena, str_c(rows[i].std), &out), ERR_OK);
        assert_true(str_eq(out, plain));
        assert_int_equal(base64url_decode(&arena, str_c(rows[i].url), &out), ERR_OK);
        assert_true(str_eq(out, plain));
        struct buf b;
        buf_init(&b, 100);
        base64_put(&b, plain.p, plain.len);
        assert_true(str_eq_c(buf_str(&b), rows[i].std));
        buf_release(&b);
    }
}

static void test_mime_words(void **state)
{
    static const struct {
        const char *value, *text, *again; /* NULL: the value */
    } rows[] = {
        {"", "", NULL},
        {"plain = ?", "plain = ?", NULL},
        {"=?UTF-8?B?w4Q=?=", "\xc3\x84", NULL},
        {"=?utf-8?q?=C3=84_x?=", "\xc3\x84 x", "=?UTF-8?B?w4QgeA==?="},
        {"=?iso-8859-1?Q?=C4?=", "\xc3\x84", "=?UTF-8?B?w4Q=?="},
        {"=?US-ASCII?Q?a_b?=", "a b", "a b"},
        {"=?UTF-8?Q?a?= \t =?UTF-8?Q?b?=", "ab", "ab"},
        {"x =?UTF-8?Q?a?= y", "x a y", "x a y"},
        {"\xc4MX", "\xc3\x84MX", "=?UTF-8?B?w4RNWA==?="}, /* ISO-8859-1, as HTTP's headers were */
        {"=?UTF-8?B?"
         "?=",
         "", ""},
        {"=?UTF-8?Q?=0A?=", "\n", "=?UTF-8?B?Cg==?="},
        /* What is none stays as it is. */
        {"=?UTF-8?B?w4Q", "=?UTF-8?B?w4Q", NULL},
        {"=?UTF-8?B?w4?=", "=?UTF-8?B?w4?=", NULL},
        {"=?UTF-8?X?w4Q=?=", "=?UTF-8?X?w4Q=?=", NULL},
        {"=?UTF-8?Q?=4?=", "=?UTF-8?Q?=4?=", NULL},
        {"=?UTF-8?Q?=C3?=", "=?UTF-8?Q?=C3?=", NULL},
        {"=?koi8-r?Q?a?=", "=?koi8-r?Q?a?=", NULL},
        {"=?", "=?", NULL},
        {"=?UTF-8", "=?UTF-8", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str text;
        const char *again = rows[i].again ? rows[i].again : rows[i].value;
        assert_int_equal(mime_words_decode(&arena, str_c(rows[i].value), &text), ERR_OK);
        if (!str_eq_c(text, rows[i].text) || !str_eq_c(mime_words_encode(&arena, text), again))
            fail_msg("%s: " STR_FMT, rows[i].value, STR_ARG(text));
    }
}

static void test_base64_malformed(void **state)
{
    static const char *const rows[] = {"Z", "Zg",   "Zg=",  "Zg===",  "Zh==", "Zm9=",    "Zm8=Zm8=",
                                       "=", "====", "Zm 9", "Zm9v\n", "Zm-_", "Zg==Zg=="};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str out;
        if (base64_decode(&arena, str_c(rows[i]), &out) != ERR_INVALID)
            fail_msg("%s was accepted", rows[i]);
    }
    static const char *const url[] = {"Z", "Zh", "Zm+/", "Zg=", "Zg==="};
    for (size_t i = 0; i < ARRAY_LEN(url); i++) {
        struct str out;
        if (base64url_decode(&arena, str_c(url[i]), &out) != ERR_INVALID)
            fail_msg("%s was accepted", url[i]);
    }
    uint8_t small[4];
    size_t n;
    assert_int_equal(base64_decode_to(STR("AAAAAA=="), small, sizeof(small), &n), ERR_OK);
    assert_int_equal(n, 4);
    assert_int_equal(base64_decode_to(STR("AAAAAAA="), small, sizeof(small), &n), ERR_LIMIT);
}

static void test_hex(void **state)
{
    uint8_t out[3];
    assert_true(str_eq_c(hex_encode(&arena, "\x00\xab\xff", 3), "00abff"));
    assert_int_equal(hex_decode_to(STR("00ABff"), out, 3), ERR_OK);
    assert_memory_equal(out, "\x00\xab\xff", 3);
    assert_int_equal(hex_decode_to(STR("00ab"), out, 3), ERR_INVALID);
    assert_int_equal(hex_decode_to(STR("00abf"), out, 2), ERR_INVALID);
    assert_int_equal(hex_decode_to(STR("00abfg"), out, 3), ERR_INVALID);
}

static void test_percent(void **state)
{
    static const struct {
        const char *plain, *path, *all, *form;
    } rows[] = {
        {"a/b c", "a/b%20c", "a%2Fb%20c", "a%2Fb+c"},
        {"-_.~*", "-_.~%2A", "-_.~%2A", "-_.%7E*"},
        {"\xc3\xa9+", "%C3%A9%2B", "%C3%A9%2B", "%C3%A9%2B"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str s = str_c(rows[i].plain), back;
        struct buf b;
        assert_true(str_eq_c(percent_encode(&arena, s, true), rows[i].path));
        assert_true(str_eq_c(percent_encode(&arena, s, false), rows[i].all));
        buf_init_arena(&b, &arena, 100);
        percent_put_form(&b, s, false);
        assert_true(str_eq_c(buf_str(&b), rows[i].form));
        assert_int_equal(percent_decode(&arena, str_c(rows[i].all), false, &back), ERR_OK);
        assert_true(str_eq(back, s));
        assert_int_equal(percent_decode(&arena, str_c(rows[i].form), true, &back), ERR_OK);
        assert_true(str_eq(back, s));
    }
    static const char *const bad[] = {"%", "%4", "a%zz", "%%41", "%4g"};
    struct str out;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(percent_decode(&arena, str_c(bad[i]), false, &out), ERR_INVALID);
    assert_int_equal(percent_decode(&arena, STR("a+b"), false, &out), ERR_OK);
    assert_true(str_eq_c(out, "a+b"));
    assert_false(str_is_set(percent_encode(&arena, STR_NONE, false)));
}

static void test_query(void **state)
{
    struct percent_pair *q;
    size_t n;
    assert_int_equal(percent_parse_query(&arena, STR("a=1&&b&c=&a=2&d%20e=x+y%26"), true, &q, &n),
                     ERR_OK);
    assert_int_equal(n, 5);
    assert_true(str_eq_c(percent_get(q, n, STR("a")), "1"));
    assert_true(percent_has(q, n, STR("b")));
    assert_false(str_is_set(q[1].value));
    assert_true(str_is_set(q[2].value) && str_empty(q[2].value));
    assert_true(str_eq_c(percent_get(q, n, STR("d e")), "x y&"));
    assert_false(percent_has(q, n, STR("z")));
    assert_int_equal(percent_parse_query(&arena, STR_NONE, true, &q, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(percent_parse_query(&arena, STR("a=%"), true, &q, &n), ERR_INVALID);
    char many[PERCENT_PAIRS_MAX + 1];
    memset(many, '&', sizeof(many));
    assert_int_equal(percent_parse_query(&arena, str_n(many, PERCENT_PAIRS_MAX - 1), true, &q, &n),
                     ERR_OK);
    assert_int_equal(percent_parse_query(&arena, str_n(many, PERCENT_PAIRS_MAX), true, &q, &n),
                     ERR_LIMIT);
}

static void test_hash(void **state)
{
    static const struct {
        enum hash_kind kind;
        const char *text, *hex;
    } rows[] = {
        {HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
        {HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t out[HASH_LEN_MAX];
        struct str s = str_c(rows[i].text);
        hash_once(rows[i].kind, s.p, s.len, out);
        assert_true(str_eq_c(hex_encode(&arena, out, hash_len(rows[i].kind)), rows[i].hex));
        struct hash h;
        assert_int_equal(hash_init(&h, rows[i].kind), ERR_OK);
        for (int round = 0; round < 2; round++) {
            for (size_t k = 0; k < s.len; k++)
                hash_update(&h, s.p + k, 1);
            hash_final(&h, out);
            assert_true(str_eq_c(hex_encode(&arena, out, hash_len(rows[i].kind)), rows[i].hex));
            assert_int_equal(hash_restart(&h), ERR_OK);
        }
        hash_release(&h);
    }
    char hex[64];
    hash_sha256_hex("abc", 3, hex);
    assert_memory_equal(hex, rows[4].hex, 64);
}

/* RFC 4231 cases 2 and 6, RFC 2202 case 2. */
static void test_hmac(void **state)
{
    uint8_t out[32], key[131];
    struct str data = STR("what do ya want for nothing?");
    hmac_sha256("Jefe", 4, data.p, data.len, out);
    assert_true(str_eq_c(hex_encode(&arena, out, 32),
                         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    hmac_sha1("Jefe", 4, data.p, data.len, out);
    assert_true(str_eq_c(hex_encode(&arena, out, 20), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
    memset(key, 0xaa, sizeof(key));
    data = STR("Test Using Larger Than Block-Size Key - Hash Key First");
    hmac_sha256(key, sizeof(key), data.p, data.len, out);
    assert_true(str_eq_c(hex_encode(&arena, out, 32),
                         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_base64, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mime_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_base64_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hex, setup, teardown),
        cmocka_unit_test_setup_teardown(test_percent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hmac, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
