/* What the files of JSON web tokens share.
 *
 * Layer: auth, private. */
#ifndef WEIR_AUTH_JWT_INT_H
#define WEIR_AUTH_JWT_INT_H

#include <openssl/evp.h>

#include "auth/jwt.h"

struct jwt_key {
    enum jwt_alg alg;
    bool any_rsa;   /* of RS256, RS384 and RS512: its JWK does not say which */
    EVP_PKEY *pkey; /* a secret, too */
    struct str kid;
    char kid_text[];
};

/* An algorithm of elliptic curves, RFC 7518 section 3.4. */
struct jwt_curve {
    enum jwt_alg alg;
    const char *crv, *group; /* in a JWK; OpenSSL's */
    int bytes;               /* of a coordinate, and of each of the two numbers of a signature */
};
enum { JWT_COORDINATE_MAX = 66 };

/* NULL: the algorithm is none of them. */
const struct jwt_curve *jwt_curve_of(enum jwt_alg alg);

/* Whether an object has no member twice: parsers differ on which they take. */
bool jwt_members_unique(const struct json *obj);

#endif
