/* SRP-6a as user pools speak it: the 3072-bit group of RFC 3526, SHA-256, and numbers hashed as signed
 * big-endian bytes (a zero byte in front of a number whose top bit is set), as Java writes them.
 *
 *   x = H(salt | H(pool "user:password"))    v = g^x            the verifier, which is stored
 *   client: A = g^a     server: B = k v + g^b, k = H(N | g)     u = H(A | B)
 *   S = (A v^u)^b       key = HKDF(S, u, "Caldera Derived Key"), 16 bytes
 *   proof = HMAC(key, pool | user | secret block | timestamp)
 *
 * Source: RFC 5054 section 2.6, RFC 5869; checked against the vendor's JavaScript client.
 * Layer: svc/cognito. Thread: pure. Numbers are hexadecimal text in the arena. */
#ifndef WEIR_SVC_COGNITO_COGNITO_SRP_H
#define WEIR_SVC_COGNITO_COGNITO_SRP_H

#include "base/str.h"

enum { SRP_SALT_BYTES = 16, SRP_SECRET_BYTES = 32, SRP_KEY_BYTES = 16, SRP_NUMBER_MAX = 2 * 385 };

struct cognito_srp_user {
    struct str pool, name, password; /* the pool's id after '_' */
};

/* v for a salt. Some milliseconds. ERR_INVALID: the salt is no number; ERR_NOMEM, as the others. */
enum err cognito_srp_verifier(struct arena *a, const struct cognito_srp_user *user, struct str salt,
                              struct str *ret_verifier) WARN_UNUSED;
/* A new secret b and its B. */
enum err cognito_srp_challenge(struct arena *a, struct str verifier, struct str *ret_secret,
                               struct str *ret_b) WARN_UNUSED;
struct cognito_srp_exchange {
    struct str a, b, secret, verifier;
};
/* ERR_INVALID: A is no number, or one that would make the key known. */
enum err cognito_srp_key(struct arena *a, const struct cognito_srp_exchange *x,
                         uint8_t ret_key[SRP_KEY_BYTES]) WARN_UNUSED;
/* Whether `a` may be one. ERR_INVALID, ERR_NOMEM. */
enum err cognito_srp_check(struct arena *a, struct str number) WARN_UNUSED;

#endif
