/* Calls with more to do than a loop may do at once: they go on where they hold up nobody, on the
 * worker pool, a few at a time.
 *
 *   dispatch_run: handler on the loop --ERR_LONG--> rolled back --> queue --> handler on a worker
 *                                                                     --> commit, reply: on the loop
 *
 * That a handler may be rerun (T1) is all that this takes of it: who scans says what it did by
 * txn_work, and gives ERR_LONG on. Nothing is estimated beforehand, so what is short stays on its
 * loop; what is long costs one slice more.
 *
 * Some workers are left to others, since large bodies are hashed and written there too.
 *
 * Layer: core. Thread: the call's loop, but for run. */
#include <assert.h>

#include "core/call_int.h"

static void start(struct call_impl *c);

static void run(struct io_work *w)
{
    struct call_impl *c = CONTAINER_OF(w, struct call_impl, long_work);
    c->long_fn(c);
}

static void done(struct io_work *w)
{
    struct call_impl *c = CONTAINER_OF(w, struct call_impl, long_work);
    struct core_long *l = &c->core->impl->longs[io_loop_index(c->call.loop)];
    struct call_impl *next = l->first;
    if (next) {
        l->first = next->next_long;
        if (!l->first)
            l->end = NULL;
        start(next); /* takes over the place */
    } else {
        l->running--;
    }
    c->is_busy = false;
    c->long_done(c);
}

static void start(struct call_impl *c)
{
    c->long_work.work = run;
    c->long_work.done = done;
    if (io_work_start(c->call.loop, &c->long_work) == ERR_OK)
        return;
    c->long_fn(c); /* no worker takes it: slow is better than not */
    done(&c->long_work);
}

void long_run(struct call_impl *c, void (*fn)(struct call_impl *c),
              void (*done_fn)(struct call_impl *c))
{
    struct core_impl *impl = c->core->impl;
    struct core_long *l = &impl->longs[io_loop_index(c->call.loop)];
    assert(!c->is_busy);
    c->phase = CALL_RUNNING;
    c->is_busy = true;
    c->long_fn = fn;
    c->long_done = done_fn;
    c->next_long = NULL;
    atomic_fetch_add_explicit(&impl->handed_over, 1, memory_order_relaxed);
    size_t share = CORE_LONG_MAX / c->core->n_loops;
    if (l->running < (share ? share : 1)) {
        l->running++;
        start(c);
        return;
    }
    if (l->end)
        l->end->next_long = c;
    else
        l->first = c;
    l->end = c;
}
