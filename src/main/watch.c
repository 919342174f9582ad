#include "main/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"

enum { PATH_BYTES = 4096 };

/* --- the disk ---------------------------------------------------------------------------------- */

/* Whether so much can be written and synced where the store is. */
static bool has_room(const char *data_dir)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof(path), "%s/room-probe", data_dir) >= (int)sizeof(path))
        return false;
    int fd = sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return false;
    bool room = posix_fallocate(fd, 0, WATCH_ROOM_BYTES) == 0 &&
                sys_write_all(fd, "room", 4) == ERR_OK && sys.fsync(fd) == 0;
    sys.close(fd);
    (void)sys.unlink(path);
    return room;
}

static void probe_work(struct io_work *work)
{
    struct watch *w = CONTAINER_OF(work, struct watch, probe);
    w->found_room = has_room(w->core->cfg.data_dir.p);
}

static void probe_again(struct watch *w)
{
    if (!w->stopped && io_timer_start(&w->probe_timer, WATCH_PROBE_MS) != ERR_OK)
        log_error("main", "no memory to look for room on the disk: restart weir by hand");
}

static void probe_done(struct io_work *work)
{
    struct watch *w = CONTAINER_OF(work, struct watch, probe);
    if (w->stopped)
        return;
    if (!w->found_room) {
        probe_again(w);
        return;
    }
    log_info("main", "the disk can be written again: restarting in place");
    w->restart(w->arg);
}

static void probe_due(struct io_timer *timer)
{
    struct watch *w = timer->arg;
    w->probe.work = probe_work;
    w->probe.done = probe_done;
    if (io_work_start(core_home_loop(w->core), &w->probe) != ERR_OK)
        probe_again(w);
}

static void failed(struct io_task *task)
{
    struct watch *w = CONTAINER_OF(task, struct watch, failed);
    log_error("main",
              "the store takes nothing more: %s; weir restarts in place once %d MiB can be written",
              kv_failure(w->core->kv), WATCH_ROOM_BYTES / 1024 / 1024);
    probe_again(w);
}

void watch_store_failed(void *watch)
{
    struct watch *w = watch;
    if (atomic_exchange(&w->ready, false))
        io_post(core_home_loop(w->core), &w->failed);
}

/* --- the clock --------------------------------------------------------------------------------- */

static int64_t wall_ahead(void)
{
    return clock_wall_ms() - clock_mono_ns() / 1000000;
}

static void look_at_clock(struct io_timer *timer)
{
    struct watch *w = timer->arg;
    int64_t ahead_ms = wall_ahead(), jump_ms = ahead_ms - w->wall_ahead_ms;
    w->wall_ahead_ms = ahead_ms;
    if (jump_ms <= -WATCH_JUMP_MS || jump_ms >= WATCH_JUMP_MS)
        log_warn("main", "the wall clock jumped by %+" PRId64 " ms: %s", jump_ms,
                 jump_ms < 0 ? "due times go on by Weir's time, which does not go back"
                             : "what became due by it is done now");
    if (!w->stopped && io_timer_start(&w->clock_timer, WATCH_CLOCK_MS) != ERR_OK)
        log_warn("main", "no memory to watch the clock");
}

/* --- both -------------------------------------------------------------------------------------- */

void watch_init(struct watch *w, struct core *core, void (*restart)(void *arg), void *arg)
{
    *w = (struct watch){.core = core, .restart = restart, .arg = arg, .failed.fn = failed};
}

enum err watch_start(struct watch *w)
{
    struct io_loop *loop = core_home_loop(w->core);
    int64_t now_ms, wall_ms;
    io_timer_init(&w->clock_timer, loop, look_at_clock, w);
    io_timer_init(&w->probe_timer, loop, probe_due, w);
    clock_read_ms(&now_ms, &wall_ms);
    if (now_ms - wall_ms >= WATCH_JUMP_MS)
        log_warn("main",
                 "the wall clock is %" PRId64
                 " ms behind what this store has seen: due times go on "
                 "by Weir's time, which does not go back",
                 now_ms - wall_ms);
    w->wall_ahead_ms = wall_ahead();
    TRY(io_timer_start(&w->clock_timer, WATCH_CLOCK_MS));
    atomic_store(&w->ready, true);
    if (kv_failure(w->core->kv))
        watch_store_failed(w);
    return ERR_OK;
}

void watch_stop(struct watch *w)
{
    w->stopped = true;
    atomic_store(&w->ready, false);
    io_timer_stop(&w->clock_timer);
    io_timer_stop(&w->probe_timer);
}
