/* Parsed policies by their text: what is evaluated for every message sent or notification made is
 * parsed once. The address of an entry is what it says (kind and whole JSON text, compared byte by
 * byte), so that nothing has to be told when a policy changes.
 *
 * Invariants
 *   PC1  An entry is what policy_parse made of its text: it cannot be stale, in however many
 *        processes the document is kept or changed.
 *   PC2  An entry that somebody holds lives on when it is evicted; the last to leave frees it.
 *   PC3  Without memory the cache gives up caching, never deciding: the caller's arena takes over.
 *
 * Layer: auth. Thread: any. */
#ifndef WEIR_AUTH_POLICY_CACHE_H
#define WEIR_AUTH_POLICY_CACHE_H

#include "auth/policy.h"

struct policy_cache;

enum {
    POLICY_CACHE_MAX = 1024,                   /* entries */
    POLICY_CACHE_BYTES_MAX = 16 * 1024 * 1024, /* of their texts and parsed forms */
};

/* NULL: no memory. */
struct policy_cache *policy_cache_new(void);
/* Entries that are still held live on (PC2). NULL is fine. */
void policy_cache_free(struct policy_cache *cache);

/* The parsed form of `json`, held until `a` is cleared or released. `cache` NULL: parsed into `a`.
 * Errors as policy_parse's, *ret_why with them; a text that does not parse is not kept.
 * Cost of a hit: one keyed hash and one comparison of the text, one allocation in `a`. */
enum err policy_cache_get(struct policy_cache *cache, struct arena *a, enum policy_kind kind,
                          struct str json, const char **ret_why,
                          const struct policy **ret_policy) WARN_UNUSED;

/* For tests and metrics: entries and bytes now, and how often a text was found or parsed. */
struct policy_cache_stats {
    size_t n, bytes;
    uint64_t hits, misses;
};
void policy_cache_stats(struct policy_cache *cache, struct policy_cache_stats *ret_stats);

#endif
