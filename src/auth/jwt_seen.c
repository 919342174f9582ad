/* See jwt_seen.h. */
#include "auth/jwt_seen.h"

#include <assert.h>
#include <pthread.h>

#include "base/mem.h"
#include "codec/hash.h"

struct jwt_seen {
    pthread_mutex_t lock; /* for a comparison or a copy */
    uint8_t
        v[JWT_SEEN_MAX]
         [HASH_SHA256_LEN]; /* by the digest's beginning; zeroes: none, no text has that digest */
};

enum err jwt_seen_new(struct jwt_seen **ret_seen)
{
    struct jwt_seen *seen = mem_calloc(1, sizeof(*seen)); /* pages never used cost nothing */
    if (!seen)
        return ERR_NOMEM;
    pthread_mutex_init(&seen->lock, NULL);
    *ret_seen = seen;
    return ERR_OK;
}

void jwt_seen_free(struct jwt_seen *seen)
{
    if (!seen)
        return;
    pthread_mutex_destroy(&seen->lock);
    mem_free(seen);
}

enum err jwt_seen_verify(struct jwt_seen *seen, struct str token, const struct jwt *jwt,
                         const struct jwt_key *key)
{
    uint8_t digest[HASH_SHA256_LEN];
    assert(str_eq(jwt->kid, jwt_key_kid(key)));
    hash_once(HASH_SHA256, token.p, token.len, digest);
    uint8_t *place = seen->v[(digest[0] | (unsigned)digest[1] << 8) % JWT_SEEN_MAX];
    pthread_mutex_lock(&seen->lock);
    bool known = memcmp(place, digest, sizeof(digest)) == 0;
    pthread_mutex_unlock(&seen->lock);
    if (known)
        return ERR_OK;
    TRY(jwt_verify(jwt, key));
    pthread_mutex_lock(&seen->lock);
    memcpy(place, digest, sizeof(digest));
    pthread_mutex_unlock(&seen->lock);
    return ERR_OK;
}
