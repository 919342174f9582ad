/* The pure parts of user pools: SRP-6a, codes of authenticator apps, filters, rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/hash.h"
#include "codec/hex.h"
#include "svc/cognito/cognito_filter.h"
#include "svc/cognito/cognito_rate.h"
#include "svc/cognito/cognito_srp.h"
#include "svc/cognito/cognito_totp.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

/* Numbers as another implementation computes them, with a client's secret that it knows. */
static const struct srp_row {
    const char *salt, *a, *b, *secret, *verifier_sha256, *key;
} srp_rows[] = {
    {"8899aabbccddeeff0011223344556677",
     "72763f1db9ed9ca695d9479af81531f9cee603f3d5e27cf9437ede782855c4c3efe9ae016974f36a46dffce5"
     "c72b21c0fcd9726b8b3d829fdff8112ca9d6bc7b89c52c80d1e7f2713c1888c68b43d46c22c6257a6ab441cb"
     "78a7ef235620e707ce32bbb91c29cb57be52d4de173b41f5504fc40874576be271ad8e8e269c0a2e3c601b68"
     "a52cd32f7e50ff86a9c764e8afbd052fe29dfe953de029370f78879b187145e5cddadb0bf95f2ed3cd2e37a3"
     "bd1f706c83e002d652dea11f8768bf250a4cf6e338e99589a22b7a0f2b1c7039044be729caab0d4af4c55201"
     "ebfa64694dd75b5cf9e82c582c038214ada8638820e5787c5dba74e81d39d54f60167a1dfdb09888eefd9db2"
     "06a32682842a44f8b2f6452f616b0a84f189fb0bda4e96dbf0347f17aed6227a549577d498886ba525be77bd"
     "febff65bc880e7bdf7c5a66dcc42f05412efd1fdac2eec9144f69f7b3978188caa03c4628606ce8a2424c65a"
     "16b73042bc5db262fa4a9a167e2eb59e97dfa2bd7f4d8e7fa801a6c2ae5d558e",
     "962d6c015b98e69ee0be9e5263e2c9c6b2ec93867f14aa7e9a66fcfe7e75f94611d0650fbed33003c8816ac3"
     "7e3c66d954e53b2ef0b222a1c065f559600a4ef159c79f2655ef6b913617e5f071a174f73f667b09623a6711"
     "7c23f7b2eb05c3ba8a7a5cc085c6c8755c0dd66b393718cb1b9225af4ebbe3ed3464e78ea428c1c9603ce8d2"
     "33cf9a2db6b56fa065a884a9f1ed75ee33bc84fe75aa3c3e3008b9ca7ac582b6e2a3a6ee7d2c80f49bc46e0b"
     "d486dc45505f132b796688da06f3ffdcc7faeaf7e4398cd7e8f653fb77d3a1c74fc6fac535e608fde2be05b0"
     "b4a0ac14801c056d8afd51745531443bcd05f831aab7322262511abfe737d587f6b30b92d612deb9c9d11bad"
     "59c2e09886281caba97428007e67e4b8865e1d7520dbaae734db7d977b38d215d9ed951e7233f0f122bdee2f"
     "ccd4d33431caf9b2bd547091154dcae2a4d24da578c7b245ed7c252f5ad5654e1dc436bfb7bd2f06629ced71"
     "552d7d9789731aefd6740889eeee93d55c09716c7bf0f9d2705089c3fe042dfe",
     "fedcba0987654321", "97077492be265493919ff1e82428681c613642d730616e6f9707f37dba483a39",
     "480f9a37d64b2585bbf257f5662065fa"},
    {"0102030405060708090a0b0c0d0e0f10",
     "6a2498671d021b6863b78c9c753ca354ccfb449ae53a94d46714cc07d89febd1daae539ecb1aaf14810fd05b"
     "7f023e2c0ea0756d9a3d99b42abfdb550a56a331814ebe9ec5161d347916a494011e84428ab0c1e0d656d787"
     "1e07e7eb7d5d8e758fab5a894bae1e17f3483bb7ebdfdaba70c0077b6c1fc65adfa969d98fd4b73d825933c2"
     "b4e780d7648502be46d4e60f1cbe0a83f6facbccd746fa665bf6feb7f732f8ba7d41f4daa4b94f0457d3f766"
     "e2f515726cd66f68863ac0f065764656961456e80550796115cea6634a63af049bd9ad768bee9f73571b34f3"
     "c68bbdc85f4bfd12100d129a9af23b09ce1f865445666dd1dafba6601d2b93460efcce5a002f7dd7380a0cf9"
     "e354e8985968c488985e55cf45db725f0a2f8509c11d579e059c608758ca1843a55313956a4543c9edde8abb"
     "0a3f946f603f8b86a780ba1104b24710692aae5705d8171fa9013f742148ae93748ccc9ab5e853a6dd2f6234"
     "aff1b11fe7594b8e54ade95c960eae7aef8e282f43890f53e2164dd4f413a220",
     "22d9c4858e6fadfcaa44aed23e2ea08f9662c858b7837d6a8ab567133dd7d6efaf2b34935d1f3ab64bd496b7"
     "c540578f2332ee60c3cf2982922c6d63940975af5e2782bcf6ec814ff9bcca616352ede4aa7fea504e5c555d"
     "76a648cd7764939addf3182023a763e85d17783bc4f1e736ad8f5a93c65cee8f41fd100a6e43657163439b96"
     "73dc8728676e4704ee7064d43f95d80c9e55bace845b3a6c608591fa94261071758bbb20dfc6dd3e0858299e"
     "e48f4c11f7d427500e36e2fe67ee52054d211b8bb1c09bba64ffbef5ce1bc4f90a35175078575c369197b08b"
     "ee240f825c33985fae0906f297058f57b1352f3c1212e8400f1998517cccf81771c7a440e28648fd41161b9e"
     "4cf140584e5b15d1beed94d259588ab9de2b9c172b631416139d45519f2a35ead4733d542144b6eb9275da69"
     "a4a59cdb22cd08564f943fad056e1590ab73ea5037bf7232b58e626307571cd29c77181f39b5374dc525a105"
     "b845fa80dbe971c24c6c901b3a586a2f654d234f361862c569d667abc4191983",
     "7f7f7f7f7f7f7f7f7f7f", "e71105deee4adea0fe37fe5606f2d2b54eb528664498ba4ef1771604d946a70c",
     "b38bc95e911bce526551d361db7ccd8e"},
};

static void srp(void **state)
{
    const struct cognito_srp_user user = {STR("AbCdEfGhI"), STR("ada"), STR("Correct-horse-1")};
    for (size_t i = 0; i < ARRAY_LEN(srp_rows); i++) {
        const struct srp_row *r = &srp_rows[i];
        struct arena a;
        struct str verifier;
        uint8_t key[SRP_KEY_BYTES];
        char hex[2 * HASH_SHA256_LEN];
        arena_init(&a, ARENA_MAX);
        assert_int_equal(cognito_srp_verifier(&a, &user, str_c(r->salt), &verifier), ERR_OK);
        hash_sha256_hex(verifier.p, verifier.len, hex);
        assert_true(str_eq(str_n(hex, sizeof(hex)), str_c(r->verifier_sha256)));
        const struct cognito_srp_exchange x = {str_c(r->a), str_c(r->b), str_c(r->secret),
                                               verifier};
        assert_int_equal(cognito_srp_key(&a, &x, key), ERR_OK);
        assert_true(str_eq(hex_encode(&a, key, sizeof(key)), str_c(r->key)));
        arena_release(&a);
    }
}

static const char modulus[] =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404"
    "ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406"
    "b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd"
    "24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e46"
    "2e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d226"
    "1898fa051015728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db397"
    "0f85a6e1e4c7abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a6452"
    "1f2b18177b200cbbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2ca"
    "ffffffffffffffff";

static void srp_refuses(void **state)
{
    static const struct {
        const char *name, *a;
        enum err err;
    } rows[] = {
        {"zero", "0", ERR_INVALID},    {"zeros", "0000", ERR_INVALID},
        {"nothing", "", ERR_INVALID},  {"no number", "xy", ERR_INVALID},
        {"a sign", "-1", ERR_INVALID}, {"N itself", modulus, ERR_INVALID},
        {"one", "1", ERR_OK},          {"upper case", "AB", ERR_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, ARENA_MAX);
        enum err err = cognito_srp_check(&a, str_c(rows[i].a));
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(err));
        arena_release(&a);
    }
}

static void srp_refuses_what_is_too_long(void **state)
{
    static char digits[SRP_NUMBER_MAX + 1];
    struct arena a;
    memset(digits, '1', sizeof(digits));
    arena_init(&a, ARENA_MAX);
    assert_int_equal(cognito_srp_check(&a, str_n(digits, SRP_NUMBER_MAX)), ERR_OK);
    assert_int_equal(cognito_srp_check(&a, str_n(digits, SRP_NUMBER_MAX + 1)), ERR_INVALID);
    arena_release(&a);
}

/* RFC 6238 appendix B, of SHA-1; the last six of eight digits. */
static void totp(void **state)
{
    static const struct {
        int64_t at_s;
        const char *code;
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    const struct str secret = STR("12345678901234567890");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t step = 0, now = (uint64_t)rows[i].at_s / 30;
        struct str code = str_c(rows[i].code);
        int64_t ms = rows[i].at_s * 1000;
        assert_true(cognito_totp_verify(secret, code, ms, 0, &step));
        assert_int_equal(step, now);
        assert_true(cognito_totp_verify(secret, code, ms + TOTP_STEP_MS, 0, &step));
        assert_false(cognito_totp_verify(secret, code, ms + 2 * TOTP_STEP_MS, 0, &step));
        assert_false(cognito_totp_verify(secret, code, ms, now, &step)); /* taken once */
        assert_false(cognito_totp_verify(secret, str_sub(code, 0, 5), ms, 0, &step));
    }
}

/* RFC 4648 section 10, without padding. */
static void base32(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "MY"},
                                          {"fo", "MZXQ"},
                                          {"foo", "MZXW6"},
                                          {"foob", "MZXW6YQ"},
                                          {"fooba", "MZXW6YTB"},
                                          {"foobar", "MZXW6YTBOI"}};
    struct arena a;
    arena_init(&a, ARENA_MAX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(str_eq(cognito_totp_base32(&a, str_c(rows[i][0])), str_c(rows[i][1])));
    arena_release(&a);
}

static void filters(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        const char *value; /* that is compared */
        bool nocase, match;
    } rows[] = {
        {"", ERR_OK, "x", false, true},
        {"email = \"a@b\"", ERR_OK, "a@b", false, true},
        {"email=\"a@b\"", ERR_OK, "a@b", false, true},
        {"email = \"a@b\"", ERR_OK, "A@b", false, false},
        {"email = \"a@b\"", ERR_OK, "A@b", true, true},
        {"email = \"a@b\"", ERR_OK, NULL, false, false},
        {"name ^= \"ab\"", ERR_OK, "abc", false, true},
        {"name ^= \"ab\"", ERR_OK, "a", false, false},
        {"name ^= \"\"", ERR_OK, "a", false, true},
        {"name = \"a\\\"b\"", ERR_OK, "a\"b", false, true},
        {"cognito:user_status = \"CONFIRMED\"", ERR_OK, "CONFIRMED", false, true},
        {"name", ERR_INVALID, NULL, false, false},
        {"= \"a\"", ERR_INVALID, NULL, false, false},
        {"^= \"a\"", ERR_INVALID, NULL, false, false},
        {"name = a", ERR_INVALID, NULL, false, false},
        {"name = \"a", ERR_INVALID, NULL, false, false},
        {"name = \"", ERR_INVALID, NULL, false, false},
        {"name = \"a\\\"", ERR_INVALID, NULL, false, false},
        {"name = \"a\"b\"", ERR_INVALID, NULL, false, false},
        {"custom:x = \"a\"", ERR_INVALID, NULL, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct cognito_filter f;
        arena_init(&a, ARENA_MAX);
        enum err err = cognito_filter_parse(&a, str_c(rows[i].text), &f);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].text, err_name(err));
        if (err == ERR_OK &&
            cognito_filter_match(&f, str_c(rows[i].value), rows[i].nocase) != rows[i].match)
            fail_msg("%s with %s", rows[i].text, rows[i].value);
        arena_release(&a);
    }
}

static void rates(void **state)
{
    enum { PER_SECOND = 10 };
    struct cognito_rates *r;
    assert_int_equal(cognito_rates_new(PER_SECOND, &r), ERR_OK);
    for (int i = 0; i < PER_SECOND; i++)
        assert_true(cognito_rate_take(r, STR("pool"), 1000));
    assert_false(cognito_rate_take(r, STR("pool"), 1000));
    assert_false(cognito_rate_take(r, STR("pool"), 1099));
    assert_true(cognito_rate_take(r, STR("pool"), 1100));
    assert_false(cognito_rate_take(r, STR("pool"), 1100));
    for (int i = 0; i < PER_SECOND; i++)
        assert_true(cognito_rate_take(r, STR("pool"), 60 * 1000)); /* no more than full */
    assert_false(cognito_rate_take(r, STR("pool"), 60 * 1000));
    cognito_rates_free(r);
    cognito_rates_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srp),
        cmocka_unit_test(srp_refuses),
        cmocka_unit_test(srp_refuses_what_is_too_long),
        cmocka_unit_test(totp),
        cmocka_unit_test(base32),
        cmocka_unit_test(filters),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
