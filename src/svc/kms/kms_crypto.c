/* Public-key cryptography, MACs and key agreement over OpenSSL 3. See kms_crypto.h. */
#include "svc/kms/kms_crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.p ? s.p : "");
}

void kms_wipe(struct str secret)
{
    if (secret.len > 0)
        OPENSSL_cleanse((void *)(uintptr_t)secret.p, secret.len);
}

/* Ends an operation. What OpenSSL noted of a failure goes, too: TLS on this thread reads those notes. */
static enum err ended(EVP_PKEY_CTX *ctx, EVP_PKEY *key, enum err err)
{
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    if (err)
        ERR_clear_error();
    return err;
}

/* --- DER -------------------------------------------------------------------------------------- */

/* Copies OpenSSL's bytes into the arena and frees them, overwritten. */
static enum err der_take(struct arena *a, unsigned char *der, int n, struct str *ret)
{
    if (n <= 0)
        return ERR_NOMEM;
    char *copy = arena_memdup(a, der, (size_t)n);
    OPENSSL_clear_free(der, (size_t)n);
    if (!copy)
        return ERR_NOMEM;
    *ret = str_n(copy, (size_t)n);
    return ERR_OK;
}

static enum err private_der(EVP_PKEY *key, struct arena *a, struct str *ret)
{
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    return der_take(a, der, n, ret);
}

static enum err public_der(EVP_PKEY *key, struct arena *a, struct str *ret)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    return der_take(a, der, n, ret);
}

/* NULL: it is none, or has bytes left over. */
static EVP_PKEY *private_of(struct str der)
{
    const unsigned char *p = bytes_of(der);
    if (der.len > KMS_DER_MAX)
        return NULL;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
    if (key && p != bytes_of(der) + der.len) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static EVP_PKEY *public_of(struct str der)
{
    const unsigned char *p = bytes_of(der);
    if (der.len > KMS_DER_MAX)
        return NULL;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.len);
    if (key && p != bytes_of(der) + der.len) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* --- pairs ------------------------------------------------------------------------------------ */

enum err kms_pair_make(enum kms_spec spec, struct arena *a, struct str *ret_private,
                       struct str *ret_public)
{
    const struct kms_spec_row *row = &kms_specs[spec];
    struct str private = STR_NONE, public;
    EVP_PKEY *key = row->family == KMS_RSA ? EVP_RSA_gen(row->bits) : EVP_EC_gen(row->group);
    if (!key)
        return ERR_NOMEM;
    enum err err = private_der(key, a, &private);
    if (err == ERR_OK)
        err = public_der(key, a, &public);
    EVP_PKEY_free(key);
    if (err) {
        kms_wipe(private);
        return err;
    }
    *ret_private = private;
    *ret_public = public;
    return ERR_OK;
}

/* The same named curve, not one that only has its parameters. */
static bool is_of_group(const EVP_PKEY *key, const char *group)
{
    char name[32];
    size_t n;
    int is_explicit = 0;
    if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, name, sizeof(name), &n))
        return false;
    if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &is_explicit) &&
        is_explicit)
        return false;
    return str_eq_c(str_n(name, n), group);
}

static bool is_of_spec(EVP_PKEY *key, const struct kms_spec_row *row)
{
    if (row->family == KMS_RSA)
        return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == (int)row->bits;
    return row->family == KMS_ECC && is_of_group(key, row->group);
}

enum err kms_pair_public(enum kms_spec spec, struct arena *a, struct str private,
                         struct str *ret_public)
{
    EVP_PKEY *key = private_of(private);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    enum err err = ERR_INVALID;
    if (ctx && is_of_spec(key, &kms_specs[spec]) && EVP_PKEY_check(ctx) == 1)
        err = public_der(key, a, ret_public);
    return ended(ctx, key, err);
}

size_t kms_modulus_bytes(struct str private)
{
    EVP_PKEY *key = private_of(private);
    int n = key ? EVP_PKEY_get_size(key) : 0;
    return ended(NULL, key, key ? ERR_OK : ERR_INVALID) == ERR_OK && n > 0 ? (size_t)n : 0;
}

/* --- operations with one result ---------------------------------------------------------------- */

/* At work with one key, with room for what it makes. */
struct job {
    EVP_PKEY *key;
    EVP_PKEY_CTX *ctx;
    unsigned char *out;
    size_t n;
};

/* Takes `key`; NULL: ERR_INVALID. job_end comes after it, whatever it says. ERR_NOMEM. */
static enum err job_begin(struct job *job, EVP_PKEY *key, struct arena *a)
{
    *job = (struct job){.key = key};
    if (!key)
        return ERR_INVALID;
    job->n = (size_t)EVP_PKEY_get_size(key);
    job->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    job->out = arena_alloc(a, job->n + 1);
    return job->ctx && job->out ? ERR_OK : ERR_NOMEM;
}

static enum err job_end(struct job *job, enum err err, struct str *ret_out)
{
    TRY(ended(job->ctx, job->key, err));
    *ret_out = str_n((const char *)job->out, job->n);
    return ERR_OK;
}

/* --- RSAES-OAEP ------------------------------------------------------------------------------- */

static bool oaep_init(EVP_PKEY_CTX *ctx, const char *digest)
{
    const EVP_MD *md = EVP_get_digestbyname(digest);
    return md && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

enum err kms_oaep_encrypt(struct str public, const char *digest, struct arena *a, struct str plain,
                          struct str *ret_cipher)
{
    struct job job;
    enum err err = job_begin(&job, public_of(public), a);
    if (err == ERR_OK && (EVP_PKEY_encrypt_init(job.ctx) != 1 || !oaep_init(job.ctx, digest)))
        err = ERR_INVALID;
    if (err == ERR_OK &&
        EVP_PKEY_encrypt(job.ctx, job.out, &job.n, bytes_of(plain), plain.len) != 1)
        err = ERR_LIMIT;
    return job_end(&job, err, ret_cipher);
}

enum err kms_oaep_decrypt(struct str private, const char *digest, struct arena *a,
                          struct str cipher, struct str *ret_plain)
{
    struct job job;
    enum err err = job_begin(&job, private_of(private), a);
    if (err == ERR_OK &&
        (EVP_PKEY_decrypt_init(job.ctx) != 1 || !oaep_init(job.ctx, digest) ||
         EVP_PKEY_decrypt(job.ctx, job.out, &job.n, bytes_of(cipher), cipher.len) != 1))
        err = ERR_INVALID;
    return job_end(&job, err, ret_plain);
}

/* --- signatures ------------------------------------------------------------------------------- */

enum err kms_digest(const struct kms_signing *signing, struct str message,
                    uint8_t out[KMS_DIGEST_MAX])
{
    const EVP_MD *md = EVP_get_digestbyname(signing->digest);
    return md && EVP_Digest(bytes_of(message), message.len, out, NULL, md, NULL) == 1 ? ERR_OK
                                                                                      : ERR_NOMEM;
}

static bool signing_init(EVP_PKEY_CTX *ctx, const struct kms_signing *signing)
{
    const EVP_MD *md = EVP_get_digestbyname(signing->digest);
    if (!md)
        return false;
    if (signing->padding == KMS_PAD_PKCS1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
        return false;
    if (signing->padding == KMS_PAD_PSS &&
        (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1 ||
         EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1))
        return false;
    return EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
}

enum err kms_sign_digest(struct str private, const struct kms_signing *signing, struct arena *a,
                         struct str digest, struct str *ret_signature)
{
    struct job job;
    enum err err = job_begin(&job, private_of(private), a);
    if (err == ERR_OK &&
        (EVP_PKEY_sign_init(job.ctx) != 1 || !signing_init(job.ctx, signing) ||
         EVP_PKEY_sign(job.ctx, job.out, &job.n, bytes_of(digest), digest.len) != 1))
        err = ERR_INVALID;
    return job_end(&job, err, ret_signature);
}

enum err kms_verify_digest(struct str public, const struct kms_signing *signing, struct str digest,
                           struct str signature)
{
    EVP_PKEY *key = public_of(public);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    bool ok =
        ctx && EVP_PKEY_verify_init(ctx) == 1 && signing_init(ctx, signing) &&
        EVP_PKEY_verify(ctx, bytes_of(signature), signature.len, bytes_of(digest), digest.len) == 1;
    return ended(ctx, key, ok ? ERR_OK : ERR_INVALID);
}

/* --- secrets ---------------------------------------------------------------------------------- */

enum err kms_hmac(enum kms_spec spec, struct str secret, struct str message,
                  uint8_t out[KMS_DIGEST_MAX], size_t *ret_len)
{
    const EVP_MD *md = EVP_get_digestbyname(kms_specs[spec].group);
    unsigned n = 0;
    if (!md ||
        !HMAC(md, bytes_of(secret), (int)secret.len, bytes_of(message), message.len, out, &n))
        return ERR_NOMEM;
    *ret_len = n;
    return ERR_OK;
}

enum err kms_agree(struct str private, struct str peer_der, struct arena *a, struct str *ret_secret)
{
    char group[32];
    size_t n = 0;
    unsigned char *out = NULL;
    enum err err = ERR_INVALID;
    EVP_PKEY *key = private_of(private), *peer = public_of(peer_der);
    EVP_PKEY_CTX *ctx = key && peer ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    if (ctx && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
        is_of_group(peer, group) && EVP_PKEY_derive_init(ctx) == 1 &&
        EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, NULL, &n) == 1) {
        out = arena_alloc(a, n);
        err = !out ? ERR_NOMEM : EVP_PKEY_derive(ctx, out, &n) == 1 ? ERR_OK : ERR_INVALID;
    }
    EVP_PKEY_free(peer);
    TRY(ended(ctx, key, err));
    *ret_secret = str_n((const char *)out, n);
    return ERR_OK;
}

enum err kms_unwrap(struct str wrapping_key, struct arena *a, struct str wrapped,
                    struct str *ret_plain)
{
    enum { BLOCK = 8, ROOM = 16 };
    int n = 0;
    if (wrapping_key.len != KMS_SYMMETRIC_BYTES || wrapped.len < 2 * BLOCK ||
        wrapped.len % BLOCK != 0 || wrapped.len > KMS_DER_MAX)
        return ERR_INVALID;
    unsigned char *out = arena_alloc(a, wrapped.len + ROOM);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = false;
    if (out && ctx) {
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        ok = EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap_pad(), NULL, bytes_of(wrapping_key), NULL) ==
                 1 &&
             EVP_DecryptUpdate(ctx, out, &n, bytes_of(wrapped), (int)wrapped.len) == 1;
    }
    enum err err = ok && n > 0 ? ERR_OK : out && ctx ? ERR_INVALID : ERR_NOMEM;
    EVP_CIPHER_CTX_free(ctx);
    TRY(ended(NULL, NULL, err));
    *ret_plain = str_n((const char *)out, (size_t)n);
    return ERR_OK;
}
