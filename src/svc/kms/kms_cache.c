/* See kms_cache.h. Layer: svc. */
#include "svc/kms/kms_cache.h"

#include <openssl/crypto.h>

#include "base/mem.h"

void kms_cache_init(struct kms_cache *c)
{
    pthread_mutex_init(&c->lock, NULL);
    c->v = NULL;
}

void kms_cache_release(struct kms_cache *c)
{
    if (c->v)
        OPENSSL_cleanse(c->v, sizeof(*c->v) * KMS_CACHE_SETS * KMS_CACHE_WAYS);
    mem_free(c->v);
    pthread_mutex_destroy(&c->lock);
}

static struct kms_cached *set_of(struct kms_cache *c, const uint8_t *name)
{
    return &c->v[(size_t)(name[0] % KMS_CACHE_SETS) * KMS_CACHE_WAYS];
}

static bool is_named(const struct kms_cached *e, const uint8_t *name)
{
    return e->until_ms != 0 && memcmp(e->name, name, sizeof(e->name)) == 0;
}

bool kms_cache_get(struct kms_cache *c, const uint8_t name[HASH_SHA256_LEN], int64_t now_ms,
                   struct kms_cached *ret)
{
    bool found = false;
    pthread_mutex_lock(&c->lock);
    struct kms_cached *set = c->v ? set_of(c, name) : NULL;
    for (size_t i = 0; set && i < KMS_CACHE_WAYS; i++) {
        if (!is_named(&set[i], name))
            continue;
        found = now_ms < set[i].until_ms;
        if (found)
            *ret = set[i];
        else
            OPENSSL_cleanse(&set[i], sizeof(set[i]));
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

void kms_cache_put(struct kms_cache *c, const struct kms_cached *entry)
{
    pthread_mutex_lock(&c->lock);
    if (!c->v)
        c->v = mem_calloc(KMS_CACHE_SETS * KMS_CACHE_WAYS, sizeof(*c->v));
    struct kms_cached *set = c->v ? set_of(c, entry->name) : NULL, *place = set;
    for (size_t i = 0; set && i < KMS_CACHE_WAYS; i++) {
        if (is_named(&set[i], entry->name)) {
            place = &set[i];
            break;
        }
        if (set[i].until_ms < place->until_ms)
            place = &set[i];
    }
    if (place)
        *place = *entry;
    pthread_mutex_unlock(&c->lock);
}
