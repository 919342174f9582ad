/* Intrusive binary min-heap ordered by (key, tie): due times, visibility deadlines.
 * push, pop and remove are O(log n); peek is O(1). Thread: the owner's. */
#ifndef WEIR_BASE_HEAP_H
#define WEIR_BASE_HEAP_H

#include "base/base.h"

struct heap_node {
    int64_t key;  /* e.g. due time in ms */
    uint64_t tie; /* insertion order or an id: equal keys come out in this order */
    size_t index; /* 0 = not in a heap; position + 1 otherwise */
};

struct heap {
    struct heap_node **nodes;
    size_t n;
    size_t cap;
};

void heap_init(struct heap *h);
/* Frees the heap's array, not the nodes. */
void heap_release(struct heap *h);
/* Adds `node` (not in any heap). ERR_NOMEM. */
enum err heap_push(struct heap *h, struct heap_node *node) WARN_UNUSED;
/* Smallest, or NULL. */
struct heap_node *heap_peek(const struct heap *h);
struct heap_node *heap_pop(struct heap *h);
/* Takes `node` out; harmless when it is in no heap. */
void heap_remove(struct heap *h, struct heap_node *node);
/* Moves `node`, which is in the heap, to a new key. */
void heap_update(struct heap *h, struct heap_node *node, int64_t key);

#endif
