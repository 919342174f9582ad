/* The inside of a loop, for src/io only. */
#ifndef WEIR_IO_IO_INT_H
#define WEIR_IO_IO_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "io/io.h"

struct io_loop {
    uv_loop_t uv;
    uv_async_t async; /* posted tasks, stop */
    uv_thread_t thread;
    bool started;
    bool ended;     /* joined: only pool work is still waited for */
    size_t working; /* pool work on its way; the loop's thread */
    int index;
    _Atomic bool stop;

    uv_prepare_t prepare;
    void (*before_wait)(void *arg); /* NULL: nothing */
    void *before_wait_arg;

    pthread_mutex_t lock; /* guards first, last */
    struct io_task *first, *last;

    uv_timer_t timer;   /* fires no later than the heap's first entry is due */
    int64_t armed_ms;   /* what `timer` is set to; INT64_MAX: nothing */
    struct heap timers; /* of io_timer.node */
    uint64_t timer_seq;
};

/* Cannot fail: uv_timer_init does not. */
void io_timers_init(struct io_loop *loop);

#endif
