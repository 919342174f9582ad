/* One execution environment: its states, its invocation, its end. See sandbox.h for the picture.
 *
 * Ends: whatever decides that an instance must go calls `die` (first reason wins), which has the
 * helper kill its processes; the helper's EXITED then finishes it: logs are drained, a waiting
 * invocation gets its result, the Runtime API and the pipe are closed, and when libuv has let go of
 * both, on_exit.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "codec/json.h"
#include "sandbox/sandbox_int.h"

enum { NS_PER_US = 1000, US_PER_MS = 1000, MIB = 1024 * 1024, MESSAGE_MAX = 512 };

#if defined(__x86_64__)
#define HOST_ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define HOST_ARCHITECTURE "arm64"
#else
#define HOST_ARCHITECTURE "other"
#endif

/* --- error documents -------------------------------------------------------------------------- */

/* Names of signals as Lambda's messages have them. */
static const char *signal_text(int sig)
{
    switch (sig) {
    case SIGHUP:
        return "hangup";
    case SIGINT:
        return "interrupt";
    case SIGILL:
        return "illegal instruction";
    case SIGTRAP:
        return "trace/breakpoint trap";
    case SIGABRT:
        return "aborted";
    case SIGBUS:
        return "bus error";
    case SIGFPE:
        return "floating point exception";
    case SIGKILL:
        return "killed";
    case SIGSEGV:
        return "segmentation fault";
    case SIGPIPE:
        return "broken pipe";
    case SIGALRM:
        return "alarm clock";
    case SIGTERM:
        return "terminated";
    default:
        return "other";
    }
}

/* {"errorType":..,"errorMessage":"RequestId: .. Error: <message>"} */
static void document(struct buf *b, struct str type, const struct sandbox_invoke *inv,
                     const char *message)
{
    char text[MESSAGE_MAX + 128];
    struct json_out o;
    int n = inv ? snprintf(text, sizeof text, "RequestId: " STR_FMT " Error: %s",
                           STR_ARG(inv->request_id), message)
                : snprintf(text, sizeof text, "%s", message);
    buf_clear(b);
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("errorType"), type);
    json_kv_str(&o, STR("errorMessage"), str_n(text, min_size((size_t)n, sizeof text - 1)));
    json_close(&o, '}');
}

static void set_error_type(struct sandbox_instance *in, struct str type)
{
    (void)snprintf(in->error_type, sizeof in->error_type, STR_FMT, STR_ARG(type));
}

/* The document of how the instance ended, unless the function gave one itself. */
static void end_document(struct sandbox_instance *in)
{
    char message[MESSAGE_MAX];
    const char *type = "Runtime.ExitError";
    switch (in->end) {
    case SANDBOX_END_INIT_ERROR:
    case SANDBOX_END_NOT_STARTED:
        if (in->error_body.len && in->error_body.p[0] == '{')
            return;
        (void)snprintf(message, sizeof message, STR_FMT, STR_ARG(buf_str(&in->error_body)));
        type = in->error_type;
        break;
    case SANDBOX_END_TIMEOUT:
        type = "Sandbox.Timedout";
        (void)snprintf(message, sizeof message, "Task timed out after %.2f seconds",
                       in->inv ? (double)in->inv->timeout_ms / 1000.0 : 0.0);
        break;
    case SANDBOX_END_INIT_TIMEOUT:
        type = "Sandbox.Timedout";
        (void)snprintf(message, sizeof message, "Task timed out after %.2f seconds",
                       (double)in->init_timeout_ms / 1000.0);
        break;
    case SANDBOX_END_OUT_OF_MEMORY:
        type = "Runtime.OutOfMemory";
        (void)snprintf(message, sizeof message, "Runtime exited with error: signal: killed");
        break;
    case SANDBOX_END_KILLED:
    case SANDBOX_END_EXITED:
        if (in->signal)
            (void)snprintf(message, sizeof message, "Runtime exited with error: signal: %s",
                           signal_text(in->signal));
        else if (in->exit_status)
            (void)snprintf(message, sizeof message, "Runtime exited with error: exit status %d",
                           in->exit_status);
        else
            (void)snprintf(message, sizeof message, "Runtime exited without providing a reason");
        break;
    }
    char kept[SANDBOX_ERROR_TYPE_MAX];
    (void)snprintf(kept, sizeof kept, "%s", type);
    set_error_type(in, str_c(kept));
    document(&in->error_body, str_c(kept), in->inv, message);
}

/* --- results ---------------------------------------------------------------------------------- */

static int64_t read_peak_mb(struct sandbox_instance *in)
{
    char text[32];
    if (in->peak_fd >= 0) {
        ssize_t n = pread(in->peak_fd, text, sizeof text - 1, 0);
        if (n > 0) {
            text[n] = 0;
            in->peak_mb = max_i64(in->peak_mb, (strtoll(text, NULL, 10) + MIB - 1) / MIB);
        }
    }
    return in->peak_mb;
}

static void give_result(struct sandbox_instance *in, struct sandbox_result *result)
{
    struct sandbox_invoke *inv = in->inv;
    assert(inv && inv->on_result);
    result->max_memory_mb = read_peak_mb(in);
    result->duration_us = in->handed ? (clock_mono_ns() - in->handed_ns) / NS_PER_US : 0;
    result->init_us = in->first_result_done ? -1 : in->init_us;
    in->first_result_done = true;
    in->inv = NULL;
    in->handed = false;
    inv->on_result(inv, result);
}

static enum sandbox_result_kind kind_of_end(enum sandbox_end end)
{
    switch (end) {
    case SANDBOX_END_TIMEOUT:
        return SANDBOX_TIMEOUT;
    case SANDBOX_END_OUT_OF_MEMORY:
        return SANDBOX_OUT_OF_MEMORY;
    case SANDBOX_END_INIT_ERROR:
    case SANDBOX_END_INIT_TIMEOUT:
    case SANDBOX_END_NOT_STARTED:
        return SANDBOX_INIT_FAILED;
    case SANDBOX_END_KILLED:
    case SANDBOX_END_EXITED:
        break;
    }
    return SANDBOX_CRASHED;
}

/* The invocation, when there is one, fails with the instance. */
static void fail_invocation(struct sandbox_instance *in)
{
    end_document(in);
    if (!in->inv)
        return;
    struct sandbox_result result = {
        .kind = kind_of_end(in->end),
        .body = buf_str(&in->error_body),
        .error_type = str_c(in->error_type),
        .exit_status = in->exit_status,
        .signal = in->signal,
    };
    give_result(in, &result);
}

/* --- ends ------------------------------------------------------------------------------------- */

/* Decides the end, once, and has the processes killed. */
static void die(struct sandbox_instance *in, enum sandbox_end end)
{
    if (in->state >= SANDBOX_DYING)
        return;
    assert(!in->ended_set); /* the first reason wins, and DYING keeps it */
    in->state = SANDBOX_DYING;
    in->ended_set = true;
    in->end = end;
    io_timer_stop(&in->timer);
    if (!in->ready)
        in->init_us = (clock_mono_ns() - in->start_ns) / NS_PER_US;
    if (!in->process_gone)
        sandbox_send_kill(in->sb, in);
}

static void on_timer(struct io_timer *timer)
{
    struct sandbox_instance *in = timer->arg;
    assert(in->state < SANDBOX_DYING); /* its end stopped the timer */
    in->exit_status = -1;
    in->signal = SIGKILL;
    die(in, in->ready ? SANDBOX_END_TIMEOUT : SANDBOX_END_INIT_TIMEOUT);
    sandbox_logs_drain(in);
    fail_invocation(in);
}

static void init_error(struct sandbox_instance *in, struct str error_type, struct str body)
{
    if (in->state >= SANDBOX_DYING)
        return;
    set_error_type(in, error_type);
    buf_clear(&in->error_body);
    buf_add_str(&in->error_body, body);
    if (buf_err(&in->error_body) != ERR_OK)
        buf_clear(&in->error_body);
    in->exit_status = -1;
    in->signal = SIGKILL;
    die(in, SANDBOX_END_INIT_ERROR);
    sandbox_logs_drain(in);
    fail_invocation(in);
}

/* What comes with STARTED, in this order: the Runtime API's socket, and those of net/net.h. */
enum { SOCKET_API, SOCKET_RESOLVER };

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* Takes `fds`, whatever becomes of it. ERR_IO, ERR_NOMEM. */
static enum err serve_network(struct sandbox_instance *in, const int *fds, size_t n)
{
    enum err err = n > SOCKET_RESOLVER ? ERR_OK : ERR_IO;
    assert(in->sb->connected && !in->net);
    if (!err)
        err = net_function_open(&in->sb->net, fds + SOCKET_RESOLVER, n - SOCKET_RESOLVER, &in->net);
    if (err) {
        close_all(fds, n);
        return err;
    }
    err = sandbox_rapi_listen(in, fds[SOCKET_API]);
    if (err)
        close(fds[SOCKET_API]);
    return err; /* the rest is closed with the instance */
}

/* A function whose network is not served cannot even ask for its first event. */
static void open_network(struct sandbox_instance *in, const int *fds, size_t n_fds)
{
    if (in->state >= SANDBOX_DYING) {
        close_all(fds, n_fds);
        return;
    }
    if (serve_network(in, fds, n_fds) == ERR_OK)
        return;
    set_error_type(in, STR("Sandbox.NotStarted"));
    buf_clear(&in->error_body);
    buf_add_str(&in->error_body,
                STR("the host is short of resources for another function's network"));
    die(in, SANDBOX_END_NOT_STARTED);
}

static void started(struct sandbox_instance *in, const struct zygote_event *event, const int *fds,
                    size_t n_fds)
{
    char path[CGROUP_PATH_MAX];
    assert(in->pid == 0 && in->slot == -1 && in->peak_fd == -1);
    assert(event->slot >= 0 && event->slot < ZYGOTE_SLOTS);
    in->pid = event->pid;
    in->slot = event->slot;
    if (sandbox_cgroup_memory_file(&in->sb->ready.cgroups, in->slot, true, path) == ERR_OK)
        in->peak_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->sb->ready.host.network)
        open_network(in, fds, n_fds);
}

/* Why a process that never became the function did not. */
static void explain_not_started(struct sandbox_instance *in, const struct zygote_event *event)
{
    char message[MESSAGE_MAX];
    bool exec = event->stage == BOX_STAGE_EXEC;
    int n =
        exec ? snprintf(message, sizeof message, "fork/exec /var/task/bootstrap: %s",
                        event->stage_errno == ENOEXEC  ? "exec format error"
                        : event->stage_errno == ENOENT ? "no such file or directory"
                        : event->stage_errno == EACCES ? "permission denied"
                                                       : strerror(event->stage_errno))
             : snprintf(message, sizeof message, "the environment could not be made (step %d): %s",
                        event->stage, strerror(event->stage_errno));
    set_error_type(in, exec ? STR("Runtime.InvalidEntrypoint") : STR("Sandbox.NotStarted"));
    buf_clear(&in->error_body);
    buf_add(&in->error_body, message, min_size((size_t)n, sizeof message - 1));
}

static void process_gone(struct sandbox_instance *in, const struct zygote_event *event)
{
    if (in->process_gone)
        return;
    in->process_gone = true;
    in->pid = 0;
    if (event->peak_bytes)
        in->peak_mb = max_i64(in->peak_mb, (event->peak_bytes + MIB - 1) / MIB);
    if (in->peak_fd >= 0)
        close(in->peak_fd);
    in->peak_fd = -1;
    bool normal = event->exited && WIFEXITED(event->wait_status);
    in->exit_status = normal ? WEXITSTATUS(event->wait_status) : -1;
    in->signal = normal ? 0 : event->exited ? WTERMSIG(event->wait_status) : SIGKILL;
    if (!in->ended_set) {
        bool running = event->stage == BOX_STAGE_RUNNING;
        if (!running)
            explain_not_started(in, event);
        die(in, !running                              ? SANDBOX_END_NOT_STARTED
                : event->oom && in->signal == SIGKILL ? SANDBOX_END_OUT_OF_MEMORY
                                                      : SANDBOX_END_EXITED);
    } else if (in->end == SANDBOX_END_KILLED) {
        in->exit_status = -1;
        in->signal = SIGKILL;
    }
    assert(in->state == SANDBOX_DYING && in->ended_set);
    sandbox_logs_close(in);
    if (in->inv || !in->error_body.len)
        fail_invocation(in);
    net_function_close(in->net);
    in->net = NULL;
    sandbox_rapi_close(in);
}

static void helper_gone(struct sandbox_instance *in)
{
    struct zygote_event event = {.kind = ZYGOTE_EXITED, .stage = BOX_STAGE_RUNNING};
    process_gone(in, &event);
}

static void part_closed(struct sandbox_instance *in)
{
    if (!in->process_gone || in->api.open || in->log.handle_open)
        return;
    assert(in->state == SANDBOX_DYING && !in->inv); /* SB3: told once, after the last result */
    struct sandbox *sb = in->sb;
    struct sandbox_exit exit = {
        .end = in->end,
        .exit_status = in->exit_status,
        .signal = in->signal,
        .was_ready = in->ready,
        .error_type = in->end == SANDBOX_END_KILLED ? STR_NONE : str_c(in->error_type),
        .error_body = buf_str(&in->error_body),
        .max_memory_mb = in->peak_mb,
        .init_ms = in->init_us / US_PER_MS,
    };
    in->state = SANDBOX_EXITED;
    list_remove(&in->link);
    in->events.on_exit(in->events.arg, in, &exit); /* may free it */
    sandbox_instance_gone(sb);
}

/* --- invocations ------------------------------------------------------------------------------ */

static void hand_over(struct sandbox_instance *in)
{
    assert(in->state == SANDBOX_IDLE && in->inv && !in->handed && in->api.next);
    in->state = SANDBOX_BUSY;
    in->handed = true;
    in->handed_ns = clock_mono_ns();
    if (io_timer_start(&in->timer, in->inv->timeout_ms) != ERR_OK) {
        die(in, SANDBOX_END_KILLED); /* without a deadline nothing runs */
        return;
    }
    sandbox_rapi_hand_over(in, clock_wall_ms() + in->inv->timeout_ms);
}

static void wants_event(struct sandbox_instance *in)
{
    assert(in->api.next);
    if (!in->ready) {
        assert(in->state == SANDBOX_STARTING);
        in->ready = true;
        in->init_us = (clock_mono_ns() - in->start_ns) / NS_PER_US;
        in->state = SANDBOX_IDLE;
        io_timer_stop(&in->timer);
        if (in->events.on_ready)
            in->events.on_ready(in->events.arg, in, in->init_us / US_PER_MS);
    }
    if (in->state == SANDBOX_IDLE && in->inv && !in->handed && in->api.next)
        hand_over(in);
}

static void answered(struct sandbox_instance *in, enum sandbox_result_kind kind,
                     struct str error_type, struct str body)
{
    /* It may have passed its deadline while the body came. */
    if (in->state != SANDBOX_BUSY)
        return;
    assert(in->inv && in->handed);
    in->state = SANDBOX_IDLE;
    io_timer_stop(&in->timer);
    sandbox_logs_drain(in);
    struct sandbox_result result = {.kind = kind, .body = body};
    if (kind != SANDBOX_OK)
        result.error_type = error_type;
    if (kind == SANDBOX_RESPONSE_TOO_LARGE) {
        document(&in->error_body, error_type, in->inv,
                 "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
        result.body = buf_str(&in->error_body);
    } else if (kind == SANDBOX_FUNCTION_ERROR && body.len == 0) {
        document(&in->error_body, error_type, NULL, "");
        result.body = buf_str(&in->error_body);
    }
    give_result(in, &result);
    buf_clear(&in->error_body);
}

enum err sandbox_instance_invoke(struct sandbox_instance *in, struct sandbox_invoke *inv)
{
    if (in->state >= SANDBOX_DYING)
        return ERR_CLOSED;
    if (in->inv)
        return ERR_CONFLICT;
    if (inv->event.len > SANDBOX_EVENT_MAX || inv->timeout_ms <= 0)
        return ERR_LIMIT;
    /* Between an answer and the next /next the deadline runs already: a function that never comes
     * back must not hold an invocation for ever. */
    if (in->ready && !in->api.next)
        TRY(io_timer_start(&in->timer, inv->timeout_ms));
    in->inv = inv;
    in->handed = false;
    if (in->ready && in->api.next)
        hand_over(in);
    return ERR_OK;
}

const struct sandbox_told sandbox_instance_told = {
    .started = started,
    .process_gone = process_gone,
    .helper_gone = helper_gone,
};

static const struct rapi_told rapi_told = {
    .wants_event = wants_event,
    .answered = answered,
    .init_error = init_error,
    .closed = part_closed,
};

/* --- start and free --------------------------------------------------------------------------- */

/* A start without an entry point ends as any other, later. */
static void on_no_entry(struct io_task *task)
{
    struct sandbox_instance *in = CONTAINER_OF(task, struct sandbox_instance, task);
    struct zygote_event event = {.kind = ZYGOTE_EXITED, .stage = BOX_STAGE_RUNNING};
    io_timer_stop(&in->timer);
    assert(!in->ready && !in->pid);
    in->ended_set = true;
    in->end = SANDBOX_END_NOT_STARTED;
    in->state = SANDBOX_DYING;
    process_gone(in, &event);
}

/* Nothing is open before the plan is known to be good; once the Runtime API is, whatever fails ends
 * the instance the asynchronous way, as libuv holds parts of it by then. */
static void launch(struct sandbox_instance *in, struct zygote_start *start, struct buf *strings)
{
    int log_fd = -1;
    assert(in->api.open && in->id);
    start->id = in->id;
    sandbox_plan_add_api(in->api.address, strings, start);
    if (io_timer_start(&in->timer, in->init_timeout_ms) != ERR_OK ||
        sandbox_logs_open(in, &log_fd) != ERR_OK || buf_err(strings) != ERR_OK ||
        sandbox_send_start(in->sb, start, strings, log_fd) != ERR_OK) {
        set_error_type(in, STR("Sandbox.NotStarted"));
        buf_add_str(&in->error_body, STR("the host is short of resources for another function"));
        in->task.fn = on_no_entry;
        io_post(core_home_loop(in->sb->core), &in->task);
    }
    if (log_fd >= 0)
        close(log_fd);
}

static enum err open_and_launch(struct sandbox_instance *in, const struct sandbox_spec *spec)
{
    char why[SANDBOX_ERROR_TYPE_MAX] = "";
    struct zygote_start start;
    struct buf strings;
    buf_init(&strings, ZYGOTE_PACKET_MAX);
    /* At once, as growing would leave copies of the credentials behind. */
    (void)!buf_reserve(&strings, ZYGOTE_PACKET_MAX);
    enum err plan = sandbox_plan_build(in->sb, spec, &strings, &start, why), err = plan;
    if (plan == ERR_OK || plan == ERR_NOT_FOUND)
        err = sandbox_rapi_open(in);
    if (err == ERR_OK && plan == ERR_NOT_FOUND) {
        set_error_type(in, STR("Runtime.InvalidEntrypoint"));
        buf_add_str(&in->error_body, str_c(why));
        in->task.fn = on_no_entry;
        io_post(core_home_loop(in->sb->core), &in->task);
    } else if (err == ERR_OK) {
        launch(in, &start, &strings);
    }
    if (strings.p)
        explicit_bzero(strings.p, strings.len);
    buf_release(&strings);
    return err;
}

enum err sandbox_instance_start(struct sandbox *sb, const struct sandbox_spec *spec,
                                const struct sandbox_events *events,
                                struct sandbox_instance **ret_instance)
{
    if (spec->architecture.len && !str_eq_c(spec->architecture, HOST_ARCHITECTURE))
        return ERR_UNSUPPORTED;
    if (sandbox_refusal(sb))
        return ERR_UNSUPPORTED;
    if (sb->stopping || !sb->able || (sb->ready.host.network && !sb->connected))
        return ERR_CLOSED;
    if (sb->n_instances >= SANDBOX_INSTANCES_MAX)
        return ERR_LIMIT;
    struct sandbox_instance *in = mem_calloc(1, sizeof *in);
    if (!in)
        return ERR_NOMEM;
    in->sb = sb;
    in->events = *events;
    in->api.told = &rapi_told;
    in->log.on_closed = part_closed;
    in->id = ++sb->last_id;
    in->slot = in->peak_fd = in->log.fd = -1;
    in->start_ns = clock_mono_ns();
    in->init_timeout_ms = spec->init_timeout_ms ? spec->init_timeout_ms : SANDBOX_INIT_TIMEOUT_MS;
    buf_init(&in->error_body, SANDBOX_ERROR_BODY_MAX);
    io_timer_init(&in->timer, core_home_loop(sb->core), on_timer, in);
    enum err err = open_and_launch(in, spec);
    if (err != ERR_OK) {
        buf_release(&in->error_body);
        mem_free(in);
        return err;
    }
    list_push_back(&sb->instances, &in->link);
    sb->n_instances++;
    *ret_instance = in;
    return ERR_OK;
}

void sandbox_instance_kill(struct sandbox_instance *in)
{
    die(in, SANDBOX_END_KILLED);
}

void sandbox_instance_free(struct sandbox_instance *in)
{
    if (!in)
        return;
    assert(in->state == SANDBOX_EXITED);
    buf_release(&in->error_body);
    mem_free(in);
}

enum sandbox_state sandbox_instance_state(const struct sandbox_instance *in)
{
    return in->state;
}

int sandbox_instance_pid(const struct sandbox_instance *in)
{
    return in->pid;
}

struct str sandbox_instance_runtime_api(const struct sandbox_instance *in)
{
    return str_c(in->api.address);
}

uint64_t sandbox_instance_memory(const struct sandbox_instance *in)
{
    char path[CGROUP_PATH_MAX], text[32];
    if (in->slot < 0 || in->process_gone ||
        sandbox_cgroup_memory_file(&in->sb->ready.cgroups, in->slot, false, path) != ERR_OK)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    return strtoull(text, NULL, 10);
}
