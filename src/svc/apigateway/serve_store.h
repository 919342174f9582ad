/* Answers that stages keep: the cache that a stage's owner orders (cacheClusterEnabled).
 *
 * Invariants
 *   GC1  What is kept is what the client got, status 2xx only, before it was compressed.
 *   GC2  All together take at most SERVE_STORE_BYTES_MAX; beyond, the least recently asked goes. The size
 *        of a cluster buys nothing here.
 *   GC3  An answer is void after its TTL, and after a flush of its stage.
 *
 * Layer: svc. Thread: any; one lock, held for a lookup and a copy. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_STORE_H
#define WEIR_SVC_APIGATEWAY_SERVE_STORE_H

#include "svc/apigateway/serve_request.h"

enum {
    SERVE_STORE_BYTES_MAX = 64 * 1024 * 1024,
    SERVE_STORE_ANSWER_MAX = 1024 * 1024, /* bytes of one answer that is kept; AWS's limit */
};

struct serve_store;

/* ERR_NOMEM. */
enum err serve_store_new(struct serve_store **ret_store) WARN_UNUSED;
void serve_store_free(struct serve_store *store); /* NULL is allowed */
/* A copy in the arena. ERR_NOT_FOUND; ERR_NOMEM. `flushes`: the stage's count (GC3). */
enum err serve_store_get(struct serve_store *store, struct arena *a, struct str key,
                         uint64_t flushes, int64_t now_ns, struct serve_out *ret_out) WARN_UNUSED;
/* Without memory it is not kept. */
void serve_store_put(struct serve_store *store, struct str key, uint64_t flushes, int64_t until_ns,
                     const struct serve_out *out);

#endif
