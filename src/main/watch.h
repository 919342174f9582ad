/* What the process watches of its host: the disk under the store, and the wall clock.
 *
 *   fine --a write or sync of the store fails--> failed --room to write again--> restart
 *
 * A store that failed takes nothing more (what the kernel dropped cannot be synced later), so service
 * resumes by a restart of the process in place, which begins from what is durable. Until then reads go
 * on, and /_weir/health answers 503 with the cause.
 *
 * Layer: main. Thread: the home loop's, but for watch_store_failed. */
#ifndef WEIR_MAIN_WATCH_H
#define WEIR_MAIN_WATCH_H

#include "core/core.h"

enum {
    WATCH_CLOCK_MS = 10 * 1000,          /* between looks at the clock */
    WATCH_JUMP_MS = 1000,                /* over which a step of the wall clock is told */
    WATCH_PROBE_MS = 1000,               /* between looks for room */
    WATCH_ROOM_BYTES = 16 * 1024 * 1024, /* that a restart needs: its logs become tables */
};

struct watch {
    struct core *core;
    void (*restart)(void *arg);
    void *arg;
    struct io_timer clock_timer, probe_timer;
    struct io_task failed;
    struct io_work probe;
    _Atomic bool ready; /* the home loop takes tasks */
    bool found_room, stopped;
    int64_t wall_ahead_ms; /* of the monotonic clock, when last looked at */
};

/* Before the store is opened. */
void watch_init(struct watch *w, struct core *core, void (*restart)(void *arg), void *arg);
/* For kv_rocksdb_options.on_failure; any thread. */
void watch_store_failed(void *watch);
/* Once the home loop exists. ERR_NOMEM. */
enum err watch_start(struct watch *w) WARN_UNUSED;
/* On the home loop, before it ends. */
void watch_stop(struct watch *w);

#endif
