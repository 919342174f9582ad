/* See outbox.h.
 *
 *   customers  0 ........ marked ........ taken ........ n
 *              sent,      some sent,      not begun
 *              remembered a flag each
 *
 * Threads take groups from `taken`; whoever has called outbox_send moves `marked` over the groups
 * that are complete, and tells the table. Nobody takes a group OUTBOX_WINDOW ahead of `marked`:
 * that bounds what is sent again when the function dies.
 *
 * Thread: `mu` guards everything in struct crew but what is constant. */
#include "outbox.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "send.h"

enum { GROUP_ARENA_MAX = 256 * 1024 * 1024 };

struct crew {
    const struct outbox *o;
    size_t n;    /* customers */
    size_t base; /* where this run began: groups are counted from here */
    pthread_mutex_t mu;
    pthread_cond_t changed;
    size_t taken, marked, too_large;
    bool complete[OUTBOX_WINDOW];
    size_t working; /* threads */
    enum err err;   /* of the first that failed */
};

static size_t slot_of(const struct crew *c, size_t at)
{
    return (at - c->base) / OUTBOX_GROUP % OUTBOX_WINDOW;
}

/* One group of customers: their aggregates, then their messages. */
static enum err send_group(const struct crew *c, struct aws *aws, struct arena *a, size_t from,
                           size_t to, size_t *too_large)
{
    const struct outbox *o = c->o;
    struct state state = {aws, o->state->table};
    struct send send = {aws, o->queue_url, o->date, o->revision};
    if (clock_now_ms() >= o->give_up_ms)
        return ERR_TIMEOUT;
    for (size_t at = from; at < to; at += STATE_CUSTOMERS_MAX)
        TRY(state_put_customers(&state, a, o->date, o->revision, o->model, at,
                                min_size(to, at + STATE_CUSTOMERS_MAX)));
    while (from < to) {
        size_t sent = 0, skipped = 0;
        TRY(send_customers(&send, a, o->model, from, to, &sent, &skipped));
        from += sent;
        *too_large += skipped;
    }
    return ERR_OK;
}

/* The next group, or false when there is none for this thread any more. Called with `mu` held. */
static bool take_group(struct crew *c, size_t *ret_from, size_t *ret_to)
{
    while (c->err == ERR_OK && c->taken < c->n && c->taken >= c->marked + OUTBOX_CUSTOMERS)
        pthread_cond_wait(&c->changed, &c->mu);
    if (c->err != ERR_OK || c->taken >= c->n)
        return false;
    *ret_from = c->taken;
    *ret_to = c->taken = min_size(c->n, c->taken + OUTBOX_GROUP);
    return true;
}

static void *worker(void *arg)
{
    struct crew *c = arg;
    struct aws *aws = NULL;
    struct arena a;
    size_t from, to;
    enum err err = aws_new(&aws);
    arena_init(&a, GROUP_ARENA_MAX);
    pthread_mutex_lock(&c->mu);
    while (err == ERR_OK && take_group(c, &from, &to)) {
        size_t too_large = 0;
        pthread_mutex_unlock(&c->mu);
        err = send_group(c, aws, &a, from, to, &too_large);
        arena_clear(&a);
        pthread_mutex_lock(&c->mu);
        c->too_large += too_large;
        if (err == ERR_OK)
            c->complete[slot_of(c, from)] = true;
        pthread_cond_broadcast(&c->changed);
    }
    if (err != ERR_OK && c->err == ERR_OK)
        c->err = err;
    c->working--;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mu);
    arena_release(&a);
    aws_free(aws);
    return NULL;
}

/* First customer that is not in a complete group. Called with `mu` held. */
static size_t advance(struct crew *c, size_t at)
{
    while (at < c->n && c->complete[slot_of(c, at)]) {
        c->complete[slot_of(c, at)] = false;
        at = min_size(c->n, at + OUTBOX_GROUP);
    }
    return at;
}

/* Marks what is complete until the crew is done. Called with `mu` held. */
static void mark_all(struct crew *c, struct arena *a)
{
    const struct outbox *o = c->o;
    size_t reached = c->marked;
    for (;;) {
        reached = advance(c, reached);
        if (reached > c->marked) {
            pthread_mutex_unlock(&c->mu);
            enum err err = state_progress(o->state, a, o->date, o->owner, (int64_t)reached,
                                          clock_now_ms() + STATE_LEASE_MS);
            pthread_mutex_lock(&c->mu);
            if (err == ERR_OK)
                c->marked = reached;
            else if (c->err == ERR_OK)
                c->err = err;
            pthread_cond_broadcast(&c->changed);
            if (err == ERR_OK)
                continue;
        }
        if (c->working == 0)
            return;
        pthread_cond_wait(&c->changed, &c->mu);
    }
}

static enum err run(struct crew *c, struct arena *a)
{
    pthread_t threads[OUTBOX_THREADS];
    size_t n = 0;
    pthread_mutex_lock(&c->mu);
    for (; n < OUTBOX_THREADS; n++) {
        if (pthread_create(&threads[n], NULL, worker, c) != 0)
            break;
        c->working++;
    }
    if (n == 0)
        c->err = ERR_NOMEM;
    mark_all(c, a);
    pthread_mutex_unlock(&c->mu);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return c->err;
}

enum err outbox_send(const struct outbox *o, struct arena *a, size_t *next, size_t *ret_too_large)
{
    struct crew c = {
        .o = o,
        .n = o->model->n[KIND_CUSTOMERS],
        .base = *next,
        .taken = *next,
        .marked = *next,
        .mu = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    enum err err = c.taken < c.n ? run(&c, a) : ERR_OK;
    *next = c.marked;
    *ret_too_large = c.too_large;
    /* The next attempt need not wait for the lease to run out. */
    if (err != ERR_OK && err != ERR_CONFLICT &&
        state_progress(o->state, a, o->date, o->owner, (int64_t)c.marked, 0) != ERR_OK)
        printf("the lease could not be given back\n");
    return err;
}
