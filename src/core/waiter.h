/* Calls that wait for something: a message, the end of an invocation, of a piece of work.
 *
 *   running --waiter_wait--> waiting (in the list) --waiters_wake--> woken --rerun--> waiter_resume
 *                               |      |                               |
 *                               |      +-- deadline --rerun--> waiter_resume (not woken)
 *                               +-- client left: out of the list       +-- client left: pass_on
 *
 * Invariants
 *   WT1  What is waited for and the list are guarded by one lock, the owner's: who finds nothing
 *        and waits in one critical section misses no wake.
 *   WT2  First come, first woken. A woken waiter has left the list: it is woken once.
 *   WT3  No wake is lost with a client: one that was woken and left before it ran again hands the
 *        wake on (pass_on). A rerun that was woken and then takes nothing wakes the next itself.
 *   WT4  A waiter is in at most one list, and in none when its call ends.
 *
 * In one process. Where several share a store, a wake that another process causes comes by the
 * driver's notification, which calls waiters_wake here, or the deadline ends the wait.
 *
 * Layer: core. Thread: as each function says; the lock is the innermost but for the loop's own. */
#ifndef WEIR_CORE_WAITER_H
#define WEIR_CORE_WAITER_H

#include <pthread.h>

#include "base/list.h"
#include "core/call.h"

/* The calls that wait for one thing; lives in it, and as long as a waiter is in it. */
struct waiters {
    pthread_mutex_t *lock; /* guards the list and what is waited for */
    struct list list;      /* struct waiter.link, first come first */
    /* A woken waiter's client left: give the wake to another. Lock held. NULL: one waiter is woken
     * in its place. */
    void (*pass_on)(struct waiters *ws);
};

/* One call's part. The first member of what call->state points to, in memory that lives until the
 * call's arena goes. */
struct waiter {
    struct list link;
    struct waiters *at; /* since waiter_wait, until waiter_resume or the client left */
    struct call *call;
};

/* `lock` and the things that pass_on looks at outlive `ws`. */
void waiters_init(struct waiters *ws, pthread_mutex_t *lock, void (*pass_on)(struct waiters *ws));
static inline bool waiters_empty(const struct waiters *ws)
{
    return list_empty(&ws->list);
}
/* Wakes the first `n` (SIZE_MAX: all); returns how many there were. Lock held; any thread. */
size_t waiters_wake(struct waiters *ws, size_t n);

/* Sets call->state to the zeroed `w`. */
void waiter_init(struct waiter *w, struct call *call);
/* Parks the call in `ws` (see call_suspend: its transaction is rolled back) for at most timeout_ms.
 * Lock held; the call's loop. Returns ERR_SUSPENDED, or ERR_NOMEM. */
enum err waiter_wait(struct waiter *w, struct waiters *ws, int64_t timeout_ms) WARN_UNUSED;
/* The call runs again: takes it out of the list, under the list's lock, which the caller does not
 * hold. True when it was woken; false at the deadline and in a call that never waited. */
bool waiter_resume(struct waiter *w);

#endif
