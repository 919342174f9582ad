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

/* Whether an object has no member twice: parsers differ on which they take. */
bool jwt_members_unique(const struct json *obj);

#endif
