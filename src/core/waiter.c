/* See waiter.h. */
#include "core/waiter.h"

#include <assert.h>

void waiters_init(struct waiters *ws, pthread_mutex_t *lock, void (*pass_on)(struct waiters *ws))
{
    assert(lock);
    ws->lock = lock;
    ws->pass_on = pass_on;
    list_init(&ws->list);
}

size_t waiters_wake(struct waiters *ws, size_t n)
{
    size_t woken = 0;
    for (; woken < n && !list_empty(&ws->list); woken++) {
        struct waiter *w = CONTAINER_OF(list_pop_front(&ws->list), struct waiter, link);
        assert(w->at == ws);
        /* Under the lock: the call cannot be cancelled, so it is alive. */
        call_wake(w->call);
    }
    return woken;
}

void waiter_init(struct waiter *w, struct call *call)
{
    assert(!w->at);
    list_init(&w->link);
    w->call = call;
    call->state = w;
}

/* Out of the list, whatever the reason; under the lock. True when it was woken. */
static bool leave(struct waiter *w)
{
    bool woken = !list_linked(&w->link);
    list_remove(&w->link);
    w->at = NULL;
    return woken;
}

/* The client left, or the server drains. */
static void on_cancel(struct call *call)
{
    struct waiter *w = call->state;
    assert(w->at && w->call == call); /* only who waits is cancelled */
    struct waiters *ws = w->at;
    pthread_mutex_lock(ws->lock);
    if (leave(w)) {
        if (ws->pass_on)
            ws->pass_on(ws);
        else
            (void)waiters_wake(ws, 1);
    }
    pthread_mutex_unlock(ws->lock);
}

enum err waiter_wait(struct waiter *w, struct waiters *ws, int64_t timeout_ms)
{
    assert(w->call && w->call->state == w && !w->at && !list_linked(&w->link));
    enum err err = call_suspend(w->call, timeout_ms, on_cancel);
    if (err != ERR_SUSPENDED)
        return err;
    w->at = ws;
    list_push_back(&ws->list, &w->link);
    return err;
}

bool waiter_resume(struct waiter *w)
{
    struct waiters *ws = w->at;
    if (!ws)
        return false;
    pthread_mutex_lock(ws->lock);
    bool woken = leave(w);
    pthread_mutex_unlock(ws->lock);
    return woken;
}
