/* Data keys that their services may reuse (kms_port.h), in memory. A bounded table of sets: who finds
 * its set full drops the entry that ends first.
 *
 * Layer: svc. Thread: any. */
#ifndef WEIR_SVC_KMS_KMS_CACHE_H
#define WEIR_SVC_KMS_KMS_CACHE_H

#include <pthread.h>

#include "base/base.h"
#include "codec/hash.h"
#include "svc/kms/kms_blob.h"

enum {
    KMS_CACHE_SETS = 128,
    KMS_CACHE_WAYS = 4,
    KMS_CACHE_SEALED_BYTES = KMS_BLOB_MORE_BYTES + KMS_DATA_KEY_BYTES,
};

struct kms_cached {
    uint8_t name[HASH_SHA256_LEN]; /* digest of who asked for what */
    uint8_t seen[HASH_SHA256_LEN]; /* digest of the key's record and policy */
    int64_t until_ms;              /* txn->now_ms; 0: an empty place */
    uint8_t plain[KMS_DATA_KEY_BYTES];
    uint8_t sealed[KMS_CACHE_SEALED_BYTES];
};

struct kms_cache {
    pthread_mutex_t lock;
    struct kms_cached *v; /* made when first used: most processes never need it */
};

void kms_cache_init(struct kms_cache *c);
void kms_cache_release(struct kms_cache *c);
/* False: there is none, or not any more. */
bool kms_cache_get(struct kms_cache *c, const uint8_t name[HASH_SHA256_LEN], int64_t now_ms,
                   struct kms_cached *ret);
/* Without memory for the table nothing is kept. */
void kms_cache_put(struct kms_cache *c, const struct kms_cached *entry);

#endif
