/* Hash map from text to pointer; keys are copied. Keyed hash, so outside bytes cannot force
 * collisions. Lookups are O(1) expected. Thread: the owner's. */
#ifndef WEIR_BASE_MAP_H
#define WEIR_BASE_MAP_H

#include "base/str.h"

struct map_slot {
    uint64_t hash;
    char *key; /* NULL = free */
    size_t key_len;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t cap; /* power of two, or 0 */
    size_t n;
};

void map_init(struct map *m);
/* Frees keys and table; values are the caller's. */
void map_release(struct map *m);
/* Value or NULL. */
void *map_get(const struct map *m, struct str key);
/* Sets key to value (not NULL); *ret_old, when ret_old is given, receives what it replaced or NULL.
 * ERR_NOMEM leaves the map as it was. */
enum err map_put(struct map *m, struct str key, void *value, void **ret_old) WARN_UNUSED;
/* Removes and returns the value, or NULL. */
void *map_del(struct map *m, struct str key);

/* Iteration: size_t it = 0; while (map_next(&m, &it, &key, &value)). Order is arbitrary; the map
 * must not change meanwhile. */
bool map_next(const struct map *m, size_t *it, struct str *ret_key, void **ret_value);

#endif
