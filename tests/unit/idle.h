/* The end of a core whose home loop runs on the test's own thread. */
#ifndef WEIR_TESTS_IDLE_H
#define WEIR_TESTS_IDLE_H

#include <uv.h>

#include "core/core.h"

static inline void core_is_idle(void *arg)
{
    *(bool *)arg = true;
}

/* Runs the home loop until no transaction is on its way: what began one may be freed then, if it
 * begins no further (deliver_stop, due_stop). For a store whose commits become durable by
 * themselves. */
static inline void run_until_idle(struct core *core)
{
    bool over = false;
    core_when_idle(core, core_is_idle, &over);
    while (!over)
        uv_run(io_loop_uv(core_home_loop(core)), UV_RUN_ONCE);
}

enum { READY_ROUNDS = 100 /* of what one after another begins, each by the end of the last */ };

/* Lets everything that is ready happen, however long that takes. Under a fake clock nothing else
 * becomes ready by itself. */
static inline void run_what_is_ready(struct core *core)
{
    for (int i = 0; i < READY_ROUNDS; i++) {
        run_until_idle(core);
        uv_run(io_loop_uv(core_home_loop(core)), UV_RUN_NOWAIT);
    }
}

#endif
