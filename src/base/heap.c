#include "base/heap.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void heap_init(struct heap *h)
{
    memset(h, 0, sizeof(*h));
}

void heap_release(struct heap *h)
{
    mem_free(h->nodes);
    heap_init(h);
}

static bool less(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void place(struct heap *h, size_t i, struct heap_node *node)
{
    h->nodes[i] = node;
    node->index = i + 1;
}

static void sift_up(struct heap *h, size_t i)
{
    struct heap_node *node = h->nodes[i];
    while (i > 0 && less(node, h->nodes[(i - 1) / 2])) {
        place(h, i, h->nodes[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, node);
}

static void sift_down(struct heap *h, size_t i)
{
    struct heap_node *node = h->nodes[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && less(h->nodes[child + 1], h->nodes[child]))
            child++;
        if (!less(h->nodes[child], node))
            break;
        place(h, i, h->nodes[child]);
        i = child;
    }
    place(h, i, node);
}

enum err heap_push(struct heap *h, struct heap_node *node)
{
    assert(node->index == 0);
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 16;
        struct heap_node **nodes = mem_realloc(h->nodes, cap * sizeof(*nodes));
        if (!nodes)
            return ERR_NOMEM;
        h->nodes = nodes;
        h->cap = cap;
    }
    h->nodes[h->n++] = node;
    sift_up(h, h->n - 1);
    return ERR_OK;
}

struct heap_node *heap_peek(const struct heap *h)
{
    return h->n ? h->nodes[0] : NULL;
}

struct heap_node *heap_pop(struct heap *h)
{
    struct heap_node *node = heap_peek(h);
    if (node)
        heap_remove(h, node);
    return node;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (node->index == 0)
        return;
    size_t i = node->index - 1;
    assert(i < h->n);
    assert(h->nodes[i] == node);
    struct heap_node *last = h->nodes[--h->n];
    node->index = 0;
    if (last == node)
        return;
    place(h, i, last);
    sift_up(h, i);
    sift_down(h, last->index - 1);
}

void heap_update(struct heap *h, struct heap_node *node, int64_t key)
{
    assert(node->index != 0);
    assert(node->index <= h->n && h->nodes[node->index - 1] == node); /* of this heap */
    node->key = key;
    sift_up(h, node->index - 1);
    sift_down(h, node->index - 1);
}
