/* Certificates of keys, and signatures that they verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "auth/cert.h"

static X509 *read_pem(struct str pem)
{
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.len);
    X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    assert_non_null(cert);
    return cert;
}

static bool verifies(X509 *cert, const EVP_MD *md, struct str text, struct str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, md, NULL, X509_get0_pubkey(cert)), 1);
    int ok = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                              (const unsigned char *)text.p, text.len);
    EVP_MD_CTX_free(ctx);
    return ok == 1;
}

static void test_rsa(void **state)
{
    struct arena a;
    struct jwt_key *key;
    struct str pem, one, two;
    int64_t now_ms = 1700000000000;
    arena_init(&a, 1 << 20);
    assert_int_equal(jwt_key_generate_rsa(2048, STR_NONE, &key), ERR_OK);
    assert_int_equal(cert_make(key, "sns.amazonaws.com", now_ms, 10, &a, &pem), ERR_OK);
    X509 *cert = read_pem(pem);
    assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
    time_t soon = (time_t)(now_ms / 1000), late = soon + 10 * 24 * 60 * 60;
    assert_true(X509_cmp_time(X509_get0_notBefore(cert), &soon) < 0);
    assert_true(X509_cmp_time(X509_get0_notAfter(cert), &soon) > 0);
    assert_true(X509_cmp_time(X509_get0_notAfter(cert), &late) < 0);
    assert_int_equal(cert_sign(key, HASH_SHA1, STR("text"), &a, &one), ERR_OK);
    assert_int_equal(cert_sign(key, HASH_SHA256, STR("text"), &a, &two), ERR_OK);
    assert_int_equal(one.len, 256);
    assert_true(verifies(cert, EVP_sha1(), STR("text"), one));
    assert_true(verifies(cert, EVP_sha256(), STR("text"), two));
    assert_false(verifies(cert, EVP_sha256(), STR("other"), two));
    assert_false(verifies(cert, EVP_sha256(), STR("text"), one));
    assert_int_equal(cert_sign(key, HASH_MD5, STR("text"), &a, &one), ERR_INVALID);
    X509_free(cert);
    jwt_key_free(key);
    arena_release(&a);
}

static void test_others(void **state)
{
    struct arena a;
    struct jwt_key *ec, *secret;
    struct str out;
    arena_init(&a, 1 << 20);
    assert_int_equal(jwt_key_generate_ec(STR_NONE, &ec), ERR_OK);
    assert_int_equal(jwt_key_secret(STR("0123456789abcdef0123456789abcdef"), STR_NONE, &secret),
                     ERR_OK);
    assert_int_equal(cert_make(ec, "n", 0, 1, &a, &out), ERR_OK);
    assert_int_equal(cert_make(secret, "n", 0, 1, &a, &out), ERR_INVALID);
    assert_int_equal(cert_sign(ec, HASH_SHA256, STR("t"), &a, &out), ERR_INVALID);
    assert_int_equal(cert_sign(secret, HASH_SHA256, STR("t"), &a, &out), ERR_INVALID);
    jwt_key_free(ec);
    jwt_key_free(secret);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rsa), cmocka_unit_test(test_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
