/* Tokens whose signatures were found right, so that the same token is not verified again with each request: an RSA
 * verification costs more than all else that a request to an API does.
 *
 *   JS1  What is remembered is the digest of the whole token, its signature and its key's name included: another
 *        token, or another key's, is another digest.
 *   JS2  Only the signature is taken for granted: whose key it is, times and claims are the caller's to judge each
 *        time.
 *   JS3  JWT_SEEN_MAX tokens; a newer one takes an older one's place.
 *
 * Layer: auth. Thread: any. */
#ifndef WEIR_AUTH_JWT_SEEN_H
#define WEIR_AUTH_JWT_SEEN_H

#include "auth/jwt.h"

enum { JWT_SEEN_MAX = 4096 };

struct jwt_seen;

enum err jwt_seen_new(struct jwt_seen **ret_seen) WARN_UNUSED;
void jwt_seen_free(struct jwt_seen *seen); /* NULL is allowed */

/* jwt_verify, where that was not done before for this very token. `jwt` is `token` taken apart, and names `key` by
 * its kid. Errors as jwt_verify's. */
enum err jwt_seen_verify(struct jwt_seen *seen, struct str token, const struct jwt *jwt,
                         const struct jwt_key *key) WARN_UNUSED;

#endif
