/* Intrusive doubly linked list with a sentinel. Thread: the owner's. */
#ifndef WEIR_BASE_LIST_H
#define WEIR_BASE_LIST_H

#include <assert.h>

#include "base/base.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* An element that was list_init'ed or removed is not linked. */
static inline bool list_linked(const struct list *e)
{
    return e->next && e->next != e;
}

static inline void list_push_back(struct list *head, struct list *e)
{
    e->prev = head->prev;
    e->next = head;
    head->prev->next = e;
    head->prev = e;
}

static inline void list_push_front(struct list *head, struct list *e)
{
    list_push_back(head->next, e);
}

/* Unlinks `e`; harmless when it is not linked but initialised. */
static inline void list_remove(struct list *e)
{
    if (!e->next)
        return;
    assert(e->prev->next == e && e->next->prev == e);
    e->prev->next = e->next;
    e->next->prev = e->prev;
    e->next = e->prev = e;
}

static inline struct list *list_pop_front(struct list *head)
{
    if (list_empty(head))
        return NULL;
    struct list *e = head->next;
    list_remove(e);
    return e;
}

#define LIST_EACH(head, it) for (struct list *it = (head)->next; it != (head); it = it->next)
/* `it` may be removed in the body. */
#define LIST_EACH_SAFE(head, it, tmp)                                                              \
    for (struct list *it = (head)->next, *tmp = it->next; it != (head); it = tmp, tmp = it->next)

#endif
