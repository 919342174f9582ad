/* JSON web tokens (RFC 7519) in the compact form of signatures (RFC 7515), and JSON web keys
 * (RFC 7517, 7518): RS256, ES256 and HS256; RS384, RS512, ES384 and ES512 are verified, too. No I/O, no clock.
 *
 * Invariants
 *   JWT1  A token is verified with a key's own algorithm or not at all: the header's `alg` must name
 *         it, so neither `none` nor a public key taken for a secret can pass.
 *   JWT2  A header with `crit`, with a member twice, or with `b64` is refused, as is every spelling of
 *         a part that is not canonical base64url without padding.
 *   JWT3  Times are checked with a skew that the caller names; a claim of the wrong type fails.
 *   JWT4  RSA keys have 2,048 to JWT_RSA_BITS_MAX bits, secrets 32 bytes or more, EC keys are on the curve
 *         of their algorithm: P-256, P-384 or P-521.
 *
 * Layer: auth. Thread: a key may be used by many threads at once; everything else is pure. */
#ifndef WEIR_AUTH_JWT_H
#define WEIR_AUTH_JWT_H

#include "codec/json.h"

enum {
    JWT_BYTES_MAX = 32 * 1024, /* a whole token */
    JWT_RSA_BITS_MIN = 2048,
    JWT_RSA_BITS_MAX = 4096,
    JWT_SECRET_BYTES_MIN = 32,
    JWT_KEYS_MAX = 64, /* of one set */
};

enum jwt_alg {
    JWT_RS256,
    JWT_ES256,
    JWT_HS256,
    JWT_RS384,
    JWT_RS512,
    JWT_ES384,
    JWT_ES512,
};

/* "RS256" and its like. */
struct str jwt_alg_name(enum jwt_alg alg);

/* --- keys ------------------------------------------------------------------------------------- */

struct jwt_key;

/* A new private RSA key of `bits`, or a P-256 key. Takes a tenth of a second and more for RSA: not on
 * a loop. `kid` is copied. ERR_INVALID (bits), ERR_NOMEM. Free with jwt_key_free. */
enum err jwt_key_generate_rsa(unsigned bits, struct str kid, struct jwt_key **ret_key) WARN_UNUSED;
enum err jwt_key_generate_ec(struct str kid, struct jwt_key **ret_key) WARN_UNUSED;
/* A secret for HS256, copied. ERR_INVALID when it is too short. */
enum err jwt_key_secret(struct str secret, struct str kid, struct jwt_key **ret_key) WARN_UNUSED;
/* A private key as DER (PKCS #8) and back: how keys are stored. ERR_INVALID, ERR_NOMEM. */
enum err jwt_key_of_der(struct str der, struct str kid, struct jwt_key **ret_key) WARN_UNUSED;
enum err jwt_key_der(const struct jwt_key *key, struct arena *arena,
                     struct str *ret_der) WARN_UNUSED;
/* A public key or secret as JWK. ERR_INVALID: malformed, weak, not on the curve, for encryption
 * (`use`, `key_ops`), or of an `alg` that does not fit; ERR_UNSUPPORTED: another kind of key. */
enum err jwt_key_of_jwk(const struct json *jwk, struct arena *arena,
                        struct jwt_key **ret_key) WARN_UNUSED;
/* Safe with NULL. Secrets are wiped. */
void jwt_key_free(struct jwt_key *key);

struct str jwt_key_kid(const struct jwt_key *key); /* absent: has none */
enum jwt_alg jwt_key_alg(const struct jwt_key *key);
/* Its public half as a JWK object; a secret writes nothing. */
void jwt_key_put(struct json_out *o, const struct jwt_key *key);

/* A set of keys; those of kinds unknown here are left out, as RFC 7517 section 5 asks. */
struct jwt_keys {
    struct jwt_key *key[JWT_KEYS_MAX];
    size_t n;
};
/* {"keys":[..]}. ERR_INVALID, ERR_LIMIT, ERR_NOMEM; nothing is left behind on error. */
enum err jwt_keys_parse(struct str text, struct arena *arena,
                        struct jwt_keys *ret_keys) WARN_UNUSED;
void jwt_keys_release(struct jwt_keys *keys);

/* --- tokens ----------------------------------------------------------------------------------- */

/* A token of a valid form that nobody has vouched for yet. */
struct jwt {
    const struct json *header, *claims; /* objects; jws_parse leaves claims NULL */
    struct str payload;
    struct str alg, kid; /* kid absent: names no key */
    struct str signed_text, signature;
};

/* Takes a token apart (borrowed by the result). ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
enum err jws_parse(struct str token, struct arena *arena, struct jwt *ret_jwt) WARN_UNUSED;
/* The same of one whose payload is an object of claims. */
enum err jwt_parse(struct str token, struct arena *arena, struct jwt *ret_jwt) WARN_UNUSED;
/* An RSA key whose JWK names no algorithm is for RS256, RS384 and RS512. ERR_DENIED: another algorithm than the
 * key's, or a wrong signature. About 30 us for RS256. */
enum err jwt_verify(const struct jwt *jwt, const struct jwt_key *key) WARN_UNUSED;
/* With the key of the token's kid; a token without one is tried only with a set of one key.
 * ERR_NOT_FOUND: no such key; ERR_DENIED. */
enum err jwt_verify_set(const struct jwt *jwt, const struct jwt_keys *keys) WARN_UNUSED;

/* `exp` (required when `needs_exp`), `nbf` and `iat` against now. ERR_TIMEOUT: expired; ERR_DENIED: not
 * valid yet, or issued in the future; ERR_INVALID: a claim that is no number, or no `exp`. */
enum err jwt_check_times(const struct jwt *jwt, int64_t now_ms, int64_t skew_ms,
                         bool needs_exp) WARN_UNUSED;
/* Whether claim `name` is the text, or a list that holds it: for `iss` and `aud`. */
bool jwt_claim_has(const struct jwt *jwt, struct str name, struct str value);

/* Signs a JSON text of claims: header {"kid":..,"alg":..} ("typ" is left out, as Cognito does).
 * RS256 takes a millisecond: many at once do not belong on a loop. ERR_NOMEM, ERR_LIMIT. */
enum err jwt_sign(const struct jwt_key *key, struct str claims, struct arena *arena,
                  struct str *ret_token) WARN_UNUSED;

#endif
