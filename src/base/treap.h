/* Ordered set of texts, as intrusive nodes: insert, remove, first from a key, and how many stand
 * before a key, in O(log n) expected each and without allocation, so none of it can fail.
 *
 * Invariants
 *   TR1  In order by key (unsigned bytes), keys unique; a heap by weight. Weights come from the
 *        keyed hash of the key, so keys chosen outside cannot make the tree deep.
 *   TR2  `n` of a node is the size of its subtree.
 *
 * Layer: base. Thread: the owner's. */
#ifndef WEIR_BASE_TREAP_H
#define WEIR_BASE_TREAP_H

#include "base/str.h"

struct treap_node {
    struct treap_node *left, *right;
    uint64_t weight;
    size_t n;
    struct str key; /* borrowed while it is in the tree */
};

/* An empty tree is a NULL root. `node` may be uninitialised; no node of the tree has its key. */
void treap_insert(struct treap_node **root, struct treap_node *node, struct str key);
/* `node` is in the tree. */
void treap_remove(struct treap_node **root, struct treap_node *node);
/* First node with a key >= `key` (> it when `after`), or NULL. */
struct treap_node *treap_first(struct treap_node *root, struct str key, bool after);
/* Nodes whose key is less than `key`; with `past_prefix` those that start with it count too. */
size_t treap_rank(const struct treap_node *root, struct str key, bool past_prefix);

#endif
