/* See treap.h. Recursion goes as deep as the tree: O(log n) expected (TR1). */
#include "base/treap.h"

#include <assert.h>

static size_t size_of(const struct treap_node *t)
{
    return t ? t->n : 0;
}

static void count(struct treap_node *t)
{
    t->n = 1 + size_of(t->left) + size_of(t->right);
}

/* Cuts `t` in two: keys less than `key`, and the rest. */
static void split(struct treap_node *t, struct str key, struct treap_node **ret_less,
                  struct treap_node **ret_rest)
{
    if (!t) {
        *ret_less = *ret_rest = NULL;
        return;
    }
    if (str_cmp(t->key, key) < 0) {
        split(t->right, key, &t->right, ret_rest);
        *ret_less = t;
    } else {
        split(t->left, key, ret_less, &t->left);
        *ret_rest = t;
    }
    count(t);
}

/* Every key of `a` is less than every key of `b`. */
static struct treap_node *merge(struct treap_node *a, struct treap_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (a->weight >= b->weight) {
        a->right = merge(a->right, b);
        count(a);
        return a;
    }
    b->left = merge(a, b->left);
    count(b);
    return b;
}

void treap_insert(struct treap_node **root, struct treap_node *node, struct str key)
{
    struct treap_node **at = root;
    node->key = key;
    node->weight = str_hash(key);
    while (*at && (*at)->weight >= node->weight) {
        int order = str_cmp(key, (*at)->key);
        assert(order != 0);
        (*at)->n++;
        at = order < 0 ? &(*at)->left : &(*at)->right;
    }
    struct treap_node *less, *rest;
    split(*at, key, &less, &rest);
    node->left = less;
    node->right = rest;
    count(node);
    *at = node;
}

void treap_remove(struct treap_node **root, struct treap_node *node)
{
    struct treap_node **at = root;
    while (*at != node) {
        assert(*at); /* it is in the tree */
        (*at)->n--;
        at = str_cmp(node->key, (*at)->key) < 0 ? &(*at)->left : &(*at)->right;
    }
    *at = merge(node->left, node->right);
    assert(size_of(*at) + 1 == node->n); /* only the node itself went */
    node->left = node->right = NULL;
    node->n = 0;
}

struct treap_node *treap_first(struct treap_node *root, struct str key, bool after)
{
    struct treap_node *best = NULL;
    while (root) {
        int order = str_cmp(root->key, key);
        if (order > 0 || (order == 0 && !after)) {
            best = root;
            root = root->left;
        } else {
            root = root->right;
        }
    }
    return best;
}

size_t treap_rank(const struct treap_node *root, struct str key, bool past_prefix)
{
    size_t rank = 0;
    while (root) {
        bool before = str_cmp(root->key, key) < 0 || (past_prefix && str_starts(root->key, key));
        if (before)
            rank += 1 + size_of(root->left);
        root = before ? root->right : root->left;
    }
    return rank;
}
