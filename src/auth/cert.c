/* See cert.h. Layer: auth. */
#include "auth/cert.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "auth/jwt_int.h"
#include "base/rng.h"

enum { DAY_S = 24 * 60 * 60, SIGNATURE_MAX = JWT_RSA_BITS_MAX / 8 };

static bool fill(X509 *cert, EVP_PKEY *key, const char *name, int64_t now_ms, int days)
{
    time_t from = (time_t)(now_ms / 1000) - DAY_S;
    X509_NAME *subject = X509_get_subject_name(cert);
    uint64_t serial = rng_u64() >> 1; /* positive */
    return X509_set_version(cert, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(cert), from) &&
           ASN1_TIME_adj(X509_getm_notAfter(cert), from, days, 0) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(cert, subject) == 1 && X509_set_pubkey(cert, key) == 1 &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

enum err cert_make(const struct jwt_key *key, const char *name, int64_t now_ms, int days,
                   struct arena *a, struct str *ret_pem)
{
    if (key->alg == JWT_HS256)
        return ERR_INVALID;
    X509 *cert = X509_new();
    BIO *out = BIO_new(BIO_s_mem());
    char *p = NULL;
    struct str pem = STR_NONE;
    if (cert && out && fill(cert, key->pkey, name, now_ms, days) &&
        PEM_write_bio_X509(out, cert) == 1) {
        long n = BIO_get_mem_data(out, &p);
        pem = n > 0 ? str_dup(a, str_n(p, (size_t)n)) : STR_NONE;
    }
    BIO_free(out);
    X509_free(cert);
    if (!str_is_set(pem))
        return ERR_NOMEM;
    *ret_pem = pem;
    return ERR_OK;
}

enum err cert_sign(const struct jwt_key *key, enum hash_kind digest, struct str text,
                   struct arena *a, struct str *ret_signature)
{
    if (key->alg != JWT_RS256 || digest == HASH_MD5)
        return ERR_INVALID;
    size_t n = SIGNATURE_MAX;
    unsigned char *signature = arena_alloc(a, n);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = digest == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
    bool ok = signature && ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text.p, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return ERR_NOMEM;
    *ret_signature = str_n((const char *)signature, n);
    return ERR_OK;
}
