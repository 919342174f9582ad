/* kms_crypto.h and codec/seal.h against others' cases (wycheproof: valid, invalid and tricky ones), and
 * round trips of every key spec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/seal.h"
#include "svc/kms/kms_crypto.h"

#ifndef SHARED_DATA
#define SHARED_DATA ""
#endif

enum { ARENA_MAX = 256 * 1024 * 1024 };

/* NULL: the cases are not there. */
static const struct json *cases(struct arena *a, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/wycheproof/%s", SHARED_DATA, name);
    FILE *f = fopen(path, "rb");
    struct buf b;
    struct json *root;
    char *p;
    size_t n;
    if (!f) {
        print_message("SKIPPED: no %s\n", path);
        return NULL;
    }
    buf_init_arena(&b, a, ARENA_MAX);
    while ((p = buf_reserve(&b, 65536)) && (n = fread(p, 1, 65536, f)) > 0)
        buf_grew(&b, n);
    fclose(f);
    assert_int_equal(json_parse(a, buf_str(&b), &root, NULL), ERR_OK);
    return root;
}

static struct str bytes(struct arena *a, const struct json *v, const char *name)
{
    struct str hex = json_get_str(v, str_c(name));
    uint8_t *p = arena_alloc(a, hex.len / 2 + 1);
    assert_non_null(p);
    assert_int_equal(hex_decode_to(hex, p, hex.len / 2), ERR_OK);
    return str_n((const char *)p, hex.len / 2);
}

static int64_t number(const struct json *v, const char *name)
{
    int64_t n;
    assert_int_equal(json_to_i64(json_get(v, str_c(name)), &n), ERR_OK);
    return n;
}

/* Plays each case: `passes` says whether it is taken here. "acceptable" ones may be either. */
static void play(const char *file, bool (*passes)(struct arena *a, const struct json *group,
                                                  const struct json *test, bool *ret_applies))
{
    struct arena a;
    size_t n = 0, wrong = 0;
    arena_init(&a, ARENA_MAX);
    const struct json *root = cases(&a, file);
    JSON_EACH (json_get(root, STR("testGroups")), group) {
        JSON_EACH (json_get(group, STR("tests")), test) {
            bool applies = true, passed = passes(&a, group, test, &applies);
            struct str result = json_get_str(test, STR("result"));
            if (!applies || str_eq_c(result, "acceptable"))
                continue;
            n++;
            if (passed == str_eq_c(result, "valid"))
                continue;
            wrong++;
            struct str comment = json_get_str(test, STR("comment"));
            print_message("%s %lld: %s but %s (" STR_FMT ")\n", file,
                          (long long)number(test, "tcId"), passed ? "passed" : "refused",
                          passed ? "invalid" : "valid", STR_ARG(comment));
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(!root || n > 20);
    arena_release(&a);
}

/* --- AES-GCM ---------------------------------------------------------------------------------- */

static bool gcm_passes(struct arena *a, const struct json *group, const struct json *test,
                       bool *ret_applies)
{
    struct buf b;
    *ret_applies = number(group, "ivSize") == 96 && number(group, "keySize") == 256 &&
                   number(group, "tagSize") == 128;
    if (!*ret_applies)
        return false;
    struct str key = bytes(a, test, "key"), text = bytes(a, test, "msg");
    buf_init_arena(&b, a, ARENA_MAX);
    buf_add_byte(&b, 1);
    buf_add_str(&b, bytes(a, test, "iv"));
    buf_add_str(&b, bytes(a, test, "ct"));
    buf_add_str(&b, bytes(a, test, "tag"));
    uint8_t *out = arena_alloc(a, text.len + 1);
    return seal_open((const uint8_t *)key.p, bytes(a, test, "aad"), buf_str(&b), out) == ERR_OK &&
           str_eq(str_n((const char *)out, text.len), text);
}

static void aes_gcm(void **state)
{
    play("aes_gcm_test.json", gcm_passes);
}

/* --- MACs ------------------------------------------------------------------------------------- */

static enum kms_spec hmac_spec;

static bool hmac_passes(struct arena *a, const struct json *group, const struct json *test,
                        bool *ret_applies)
{
    uint8_t out[KMS_DIGEST_MAX];
    size_t len;
    struct str tag = bytes(a, test, "tag");
    assert_int_equal(kms_hmac(hmac_spec, bytes(a, test, "key"), bytes(a, test, "msg"), out, &len),
                     ERR_OK);
    assert_int_equal(len, kms_specs[hmac_spec].bits / 8);
    return tag.len <= len && str_eq(str_n((const char *)out, tag.len), tag);
}

static void hmac(void **state)
{
    static const struct {
        enum kms_spec spec;
        const char *file;
    } rows[] = {{KMS_HMAC_224, "hmac_sha224_test.json"},
                {KMS_HMAC_256, "hmac_sha256_test.json"},
                {KMS_HMAC_384, "hmac_sha384_test.json"},
                {KMS_HMAC_512, "hmac_sha512_test.json"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        hmac_spec = rows[i].spec;
        play(rows[i].file, hmac_passes);
    }
}

/* --- signatures ------------------------------------------------------------------------------- */

static const char *padding;

static bool signature_passes(struct arena *a, const struct json *group, const struct json *test,
                             bool *ret_applies)
{
    struct str sha = json_get_str(group, STR("sha")); /* "SHA-256" */
    uint8_t digest[KMS_DIGEST_MAX];
    struct str name = str_fmt(a, "%s" STR_FMT, padding, STR_ARG(str_sub(sha, 4, SIZE_MAX)));
    const struct kms_signing *signing = kms_signing_of(name);
    assert_non_null(signing);
    assert_int_equal(kms_digest(signing, bytes(a, test, "msg"), digest), ERR_OK);
    return kms_verify_digest(bytes(a, group, "publicKeyDer"), signing,
                             str_n((const char *)digest, signing->digest_bytes),
                             bytes(a, test, "sig")) == ERR_OK;
}

static void signatures(void **state)
{
    static const struct {
        const char *padding, *file;
    } rows[] = {
        {"ECDSA_SHA_", "ecdsa_secp256r1_sha256_test.json"},
        {"ECDSA_SHA_", "ecdsa_secp256r1_sha512_test.json"},
        {"ECDSA_SHA_", "ecdsa_secp384r1_sha384_test.json"},
        {"ECDSA_SHA_", "ecdsa_secp521r1_sha512_test.json"},
        {"ECDSA_SHA_", "ecdsa_secp256k1_sha256_test.json"},
        {"RSASSA_PKCS1_V1_5_SHA_", "rsa_signature_2048_sha256_test.json"},
        {"RSASSA_PKCS1_V1_5_SHA_", "rsa_signature_2048_sha384_test.json"},
        {"RSASSA_PKCS1_V1_5_SHA_", "rsa_signature_2048_sha512_test.json"},
        {"RSASSA_PSS_SHA_", "rsa_pss_2048_sha256_mgf1_32_test.json"},
        {"RSASSA_PSS_SHA_", "rsa_pss_2048_sha384_mgf1_48_test.json"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        padding = rows[i].padding;
        play(rows[i].file, signature_passes);
    }
}

/* --- RSAES-OAEP ------------------------------------------------------------------------------- */

static bool oaep_passes(struct arena *a, const struct json *group, const struct json *test,
                        bool *ret_applies)
{
    struct str plain, sha = json_get_str(group, STR("sha"));
    *ret_applies = json_get_str(test, STR("label")).len == 0;
    if (!*ret_applies)
        return false;
    enum err err = kms_oaep_decrypt(bytes(a, group, "privateKeyPkcs8"),
                                    str_eq_c(sha, "SHA-1") ? "SHA1" : "SHA256", a,
                                    bytes(a, test, "ct"), &plain);
    return err == ERR_OK && str_eq(plain, bytes(a, test, "msg"));
}

static void oaep(void **state)
{
    play("rsa_oaep_2048_sha1_mgf1sha1_test.json", oaep_passes);
    play("rsa_oaep_2048_sha256_mgf1sha256_test.json", oaep_passes);
    play("rsa_oaep_3072_sha256_mgf1sha256_test.json", oaep_passes);
    play("rsa_oaep_4096_sha256_mgf1sha256_test.json", oaep_passes);
}

/* --- ECDH ------------------------------------------------------------------------------------- */

/* An ECPrivateKey (RFC 5915) of P-256 around the number. */
static struct str p256_private(struct arena *a, struct str number_)
{
    static const uint8_t head[] = {0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20},
                         tail[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                   0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    struct buf b;
    while (number_.len > 32)
        number_ = str_sub(number_, 1, SIZE_MAX);
    buf_init_arena(&b, a, 256);
    buf_add(&b, head, sizeof(head));
    for (size_t i = number_.len; i < 32; i++)
        buf_add_byte(&b, 0);
    buf_add_str(&b, number_);
    buf_add(&b, tail, sizeof(tail));
    return buf_str(&b);
}

static bool ecdh_passes(struct arena *a, const struct json *group, const struct json *test,
                        bool *ret_applies)
{
    struct str secret, private = p256_private(a, bytes(a, test, "private"));
    enum err err = kms_agree(private, bytes(a, test, "public"), a, &secret);
    return err == ERR_OK && str_eq(secret, bytes(a, test, "shared"));
}

static void ecdh(void **state)
{
    play("ecdh_secp256r1_test.json", ecdh_passes);
}

/* --- round trips ------------------------------------------------------------------------------ */

static void pairs_work(void **state)
{
    static const enum kms_spec specs[] = {KMS_RSA_2048, KMS_ECC_NIST_P256, KMS_ECC_NIST_P384,
                                          KMS_ECC_NIST_P521, KMS_ECC_SECG_P256K1};
    struct arena a;
    arena_init(&a, ARENA_MAX);
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        struct str private, public, again, signature;
        uint8_t digest[KMS_DIGEST_MAX];
        assert_int_equal(kms_pair_make(specs[i], &a, &private, &public), ERR_OK);
        assert_int_equal(kms_pair_public(specs[i], &a, private, &again), ERR_OK);
        assert_true(str_eq(public, again));
        assert_int_equal(kms_pair_public(KMS_RSA_3072, &a, private, &again), ERR_INVALID);
        struct kms_names names = kms_algorithms(specs[i], KMS_SIGN_VERIFY);
        for (size_t k = 0; k < names.n; k++) {
            const struct kms_signing *s = kms_signing_of(names.v[k]);
            assert_int_equal(kms_digest(s, STR("text"), digest), ERR_OK);
            struct str d = str_n((const char *)digest, s->digest_bytes);
            assert_int_equal(kms_sign_digest(private, s, &a, d, &signature), ERR_OK);
            assert_int_equal(kms_verify_digest(public, s, d, signature), ERR_OK);
            digest[0] ^= 1;
            assert_int_equal(kms_verify_digest(public, s, d, signature), ERR_INVALID);
        }
    }
    arena_release(&a);
}

static void bad_keys_are_refused(void **state)
{
    struct arena a;
    struct str private, public, out;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(kms_pair_make(KMS_ECC_NIST_P256, &a, &private, &public), ERR_OK);
    struct str cut = str_sub(private, 0, private.len - 1);
    struct str longer = str_fmt(&a, STR_FMT "x", STR_ARG(private));
    struct str bad[] = {STR(""), STR("x"), cut, longer, public};
    const struct kms_signing *s = kms_signing_of(STR("ECDSA_SHA_256"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(kms_pair_public(KMS_ECC_NIST_P256, &a, bad[i], &out), ERR_INVALID);
        assert_int_equal(kms_sign_digest(bad[i], s, &a, STR("d"), &out), ERR_INVALID);
        assert_int_equal(kms_agree(bad[i], public, &a, &out), ERR_INVALID);
        assert_int_equal(kms_modulus_bytes(bad[i]), 0);
    }
    assert_int_equal(kms_agree(private, private, &a, &out), ERR_INVALID);
    assert_int_equal(kms_unwrap(STR("short"), &a, STR("0123456789abcdef"), &out), ERR_INVALID);
    assert_null(kms_signing_of(STR("SM2DSA")));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_gcm),
        cmocka_unit_test(hmac),
        cmocka_unit_test(signatures),
        cmocka_unit_test(oaep),
        cmocka_unit_test(ecdh),
        cmocka_unit_test(pairs_work),
        cmocka_unit_test(bad_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
