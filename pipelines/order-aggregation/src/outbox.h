/* All messages of one revision of a set: sent by several threads, remembered in order.
 * Layer: pipeline. */
#ifndef ORDERS_OUTBOX_H
#define ORDERS_OUTBOX_H

#include "state.h"

enum {
    OUTBOX_THREADS = 8,
    OUTBOX_GROUP = 50,  /* customers that a thread takes at a time */
    OUTBOX_WINDOW = 16, /* groups that may be under way or unmarked */
    OUTBOX_CUSTOMERS = OUTBOX_GROUP * OUTBOX_WINDOW,
};

struct outbox {
    const struct state *state;
    struct str queue_url, date, revision, owner; /* owner holds the lease */
    const struct model *model;
    int64_t give_up_ms; /* wall clock: no group is begun after it */
};

/* Writes the aggregates and sends the messages of the customers from *next on. *next becomes how
 * many customers, from the first, are dealt with and marked; *ret_too_large counts those that no
 * message can hold. The lease is renewed with every mark, and given back on any failure but its
 * loss. ERR_TIMEOUT: give_up_ms passed; ERR_CONFLICT: the lease was lost. */
enum err outbox_send(const struct outbox *o, struct arena *a, size_t *next,
                     size_t *ret_too_large) WARN_UNUSED;

#endif
