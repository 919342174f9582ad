/* Plain signatures (RSASSA-PKCS1-v1_5, RFC 8017) with a key pair of jwt.h, and the self-signed
 * certificate (X.509, RFC 5280) by which others verify them: what services sign that are older than
 * JSON web tokens (SNS's messages).
 *
 * Layer: auth. Thread: pure; a key may be used by many at once. */
#ifndef WEIR_AUTH_CERT_H
#define WEIR_AUTH_CERT_H

#include "auth/jwt.h"
#include "codec/hash.h"

/* A certificate of the key's public half in PEM, for `name`, valid from a day before now_ms for
 * `days`. ERR_INVALID: a secret; ERR_NOMEM. */
enum err cert_make(const struct jwt_key *key, const char *name, int64_t now_ms, int days,
                   struct arena *a, struct str *ret_pem) WARN_UNUSED;
/* The signature's bytes over a text digested so. About 0.4 ms for 2,048 bits. ERR_INVALID: no RSA
 * key, or MD5; ERR_NOMEM. */
enum err cert_sign(const struct jwt_key *key, enum hash_kind digest, struct str text,
                   struct arena *a, struct str *ret_signature) WARN_UNUSED;

#endif
