/* Event loops on libuv: one per thread, with cross-thread hand-over, timers and a worker pool.
 *
 * Invariants
 *   IO1  Everything that belongs to a loop (its timers, connections, calls) is touched on its
 *        thread only; other threads hand over with io_post.
 *   IO2  A callback is never run from inside the function that arranged it.
 *
 * The first loop made sets SIGPIPE to ignored for the process (a peer that left is an error code
 * here), and the size of the worker pool, IO_POOL_THREADS, unless UV_THREADPOOL_SIZE says it.
 *
 * Layer: io (includes base). */
#ifndef WEIR_IO_IO_H
#define WEIR_IO_IO_H

#include <uv.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/str.h"

enum { IO_POOL_THREADS = 8 };

struct io_loop; /* wraps a uv_loop_t and its thread */

/* Work handed to a loop; embedded in its owner, posted at most once at a time. */
struct io_task {
    void (*fn)(struct io_task *task); /* on the loop's thread */
    struct io_task *next;
};

/* New loop, not yet running; `index` 0 is the home loop. ERR_NOMEM, ERR_IO. */
enum err io_loop_new(int index, struct io_loop **ret_loop) WARN_UNUSED;
/* Runs it on a thread of its own. ERR_IO. */
enum err io_loop_start(struct io_loop *loop) WARN_UNUSED;
/* Runs it on the calling thread until io_loop_stop. */
void io_loop_run(struct io_loop *loop);
/* From any thread: leaves the run as soon as the current callback returns. */
void io_loop_stop(struct io_loop *loop);
/* After stop: waits for the thread and for pool work (whose `done` runs here), so that what they
 * use can be freed. Posted tasks and timers run no more. Also for a loop that io_loop_run ran. */
void io_loop_join(struct io_loop *loop);
/* After stop: joins (see above), closes handles, frees. Tasks still posted are forgotten. Accepts
 * NULL. */
void io_loop_free(struct io_loop *loop);
uv_loop_t *io_loop_uv(struct io_loop *loop);
int io_loop_index(const struct io_loop *loop);
/* The loop whose thread this is, or NULL. */
struct io_loop *io_loop_current(void);

/* fn(arg) runs on the loop's thread whenever it has done all that is at hand and is about to wait;
 * one a loop, NULL for none. Before the loop runs, or after it was joined. */
void io_loop_before_wait(struct io_loop *loop, void (*fn)(void *arg), void *arg);

/* Hands `task` to `loop`; any thread. FIFO per posting thread. */
void io_post(struct io_loop *loop, struct io_task *task);

/* One-shot timer, on its loop's thread only. */
struct io_timer {
    void (*fn)(struct io_timer *timer);
    void *arg;
    struct io_loop *loop;
    struct heap_node node; /* io's: key = due time, monotonic ms */
};
void io_timer_init(struct io_timer *t, struct io_loop *loop, void (*fn)(struct io_timer *),
                   void *arg);
/* (Re)arms: fn runs after `delay_ms` >= 0 of monotonic time. ERR_NOMEM. */
enum err io_timer_start(struct io_timer *t, int64_t delay_ms) WARN_UNUSED;
/* Disarms; harmless when not armed. After it fn does not run. */
void io_timer_stop(struct io_timer *t);

/* Work on the pool: `work` on a pool thread, then `done` on the loop's thread. */
struct io_work {
    void (*work)(struct io_work *w);
    void (*done)(struct io_work *w);
    uv_work_t req; /* io's */
};
/* Loop's thread only. ERR_IO. */
enum err io_work_start(struct io_loop *loop, struct io_work *w) WARN_UNUSED;

#endif
