/* What keys can do: the table of key specs and signing algorithms, and the operations of public-key
 * cryptography, MACs and key agreement over OpenSSL 3. Pure: keys come and go as DER (PKCS #8
 * PrivateKeyInfo, RFC 5958; SubjectPublicKeyInfo, RFC 5280), secrets as bytes.
 *
 * Source: AWS KMS Developer Guide, "Key spec reference"; RFC 8017 (RSA), FIPS 186-5 (ECDSA), SEC 1
 * (ECDH), RFC 2104 (HMAC).
 * Layer: svc. Thread: any. Making an RSA key takes up to seconds, a private RSA operation milliseconds:
 * callers run them where nobody waits (kms_slow). */
#ifndef WEIR_SVC_KMS_KMS_CRYPTO_H
#define WEIR_SVC_KMS_KMS_CRYPTO_H

#include "base/str.h"

/* Never renumber: part of the disk format. */
enum kms_spec {
    KMS_SYMMETRIC_DEFAULT,
    KMS_RSA_2048,
    KMS_RSA_3072,
    KMS_RSA_4096,
    KMS_ECC_NIST_P256,
    KMS_ECC_NIST_P384,
    KMS_ECC_NIST_P521,
    KMS_ECC_SECG_P256K1,
    KMS_HMAC_224,
    KMS_HMAC_256,
    KMS_HMAC_384,
    KMS_HMAC_512,
    KMS_SPECS,
};

enum kms_family { KMS_SYMMETRIC, KMS_RSA, KMS_ECC, KMS_HMAC };

/* Never renumber. */
enum kms_usage {
    KMS_ENCRYPT_DECRYPT,
    KMS_SIGN_VERIFY,
    KMS_GENERATE_VERIFY_MAC,
    KMS_KEY_AGREEMENT,
    KMS_USAGES,
};

enum kms_padding { KMS_PAD_NONE, KMS_PAD_PKCS1, KMS_PAD_PSS };

enum {
    KMS_DIGEST_MAX = 64,
    KMS_SYMMETRIC_BYTES = 32,
    KMS_HMAC_BYTES_MAX = 128, /* of a secret: the block of SHA-512 */
    KMS_DER_MAX = 8192,
};

/* Names of algorithms; static. */
struct kms_names {
    const struct str *v;
    size_t n;
};

struct kms_spec_row {
    struct str name;
    enum kms_family family;
    unsigned bits;                   /* of a modulus, or of a secret that is drawn here */
    const char *group;               /* of a curve, by OpenSSL's name; and the digest of a MAC */
    unsigned usages;                 /* bits 1 << enum kms_usage */
    unsigned secret_min, secret_max; /* bytes of secrets that may be imported */
    struct kms_names encrypt, sign, agree, mac; /* algorithms, by usage */
};

struct kms_signing {
    struct str name;
    enum kms_family family;
    enum kms_padding padding;
    const char *digest;
    size_t digest_bytes;
};

extern const struct kms_spec_row kms_specs[KMS_SPECS];
extern const struct str kms_usage_names[KMS_USAGES];

/* ERR_NOT_FOUND. */
enum err kms_spec_of(struct str name, enum kms_spec *ret_spec) WARN_UNUSED;
enum err kms_usage_of(struct str name, enum kms_usage *ret_usage) WARN_UNUSED;
/* NULL: there is none of that name. */
const struct kms_signing *kms_signing_of(struct str name);
/* Algorithms of a key: those of its usage. */
struct kms_names kms_algorithms(enum kms_spec spec, enum kms_usage usage);
bool kms_names_have(struct kms_names names, struct str name);

/* A new key pair of an RSA or ECC spec; both DER, the arena's. ERR_NOMEM. */
enum err kms_pair_make(enum kms_spec spec, struct arena *a, struct str *ret_private,
                       struct str *ret_public) WARN_UNUSED;
/* The public half of a private key that was given, which must be of `spec`. ERR_INVALID, ERR_NOMEM. */
enum err kms_pair_public(enum kms_spec spec, struct arena *a, struct str private_der,
                         struct str *ret_public) WARN_UNUSED;

/* Bytes of a ciphertext or signature of the pair; 0: it is no private key. */
size_t kms_modulus_bytes(struct str private_der);

/* RSAES-OAEP with the digest for label and mask ("SHA1", "SHA256"). ERR_LIMIT: the text is too long
 * for the key; ERR_NOMEM. */
enum err kms_oaep_encrypt(struct str public_der, const char *digest, struct arena *a,
                          struct str plain, struct str *ret_cipher) WARN_UNUSED;
/* ERR_INVALID: not encrypted so; ERR_NOMEM. */
enum err kms_oaep_decrypt(struct str private_der, const char *digest, struct arena *a,
                          struct str cipher, struct str *ret_plain) WARN_UNUSED;

/* The digest of a message in `out`, signing->digest_bytes long. ERR_NOMEM. */
enum err kms_digest(const struct kms_signing *signing, struct str message,
                    uint8_t out[KMS_DIGEST_MAX]) WARN_UNUSED;
/* Signs a digest; ECDSA signatures are DER, PSS salts as long as the digest. ERR_INVALID,
 * ERR_NOMEM. */
enum err kms_sign_digest(struct str private_der, const struct kms_signing *signing, struct arena *a,
                         struct str digest, struct str *ret_signature) WARN_UNUSED;
/* ERR_INVALID: it is not the key's signature of the digest. ERR_NOMEM. */
enum err kms_verify_digest(struct str public_der, const struct kms_signing *signing,
                           struct str digest, struct str signature) WARN_UNUSED;

/* HMAC with the digest of the spec; *ret_len bytes in `out`. ERR_NOMEM. */
enum err kms_hmac(enum kms_spec spec, struct str secret, struct str message,
                  uint8_t out[KMS_DIGEST_MAX], size_t *ret_len) WARN_UNUSED;
/* ECDH: the x coordinate that a private key and another's public key share. ERR_INVALID: that is no
 * valid point of the same curve. ERR_NOMEM. */
enum err kms_agree(struct str private_der, struct str peer_der, struct arena *a,
                   struct str *ret_secret) WARN_UNUSED;
/* AES key unwrap with padding (RFC 5649). ERR_INVALID, ERR_NOMEM. */
enum err kms_unwrap(struct str wrapping_key, struct arena *a, struct str wrapped,
                    struct str *ret_plain) WARN_UNUSED;
/* Overwrites what an arena still holds of a secret. */
void kms_wipe(struct str secret);

#endif
