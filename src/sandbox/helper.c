/* The server's end of the helper process: what it is sent and what it tells. Whom an event concerns
 * learns it through sandbox.told, so that this file stands below the instances.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/sandbox_int.h"

enum { NS_PER_MS = 1000 * 1000 };

static struct sandbox_instance *find(struct sandbox *sb, uint64_t id)
{
    LIST_EACH (&sb->instances, it) {
        struct sandbox_instance *in = CONTAINER_OF(it, struct sandbox_instance, link);
        if (in->id == id)
            return in;
    }
    return NULL;
}

/* --- its life ---------------------------------------------------------------------------------
 *
 *   up --socket closes--> gone --timer--> starting --ready packet--> up
 *
 * Functions die with their helper. A second helper is a new program and not a fork: by now the server
 * has threads, and memory that no function's first process may have a copy of. */

static void on_restart(struct io_timer *timer);
static void on_poll_closed(uv_handle_t *handle);

static void restart_later(struct sandbox *sb, int64_t delay_ms)
{
    if (io_timer_start(&sb->restart, delay_ms) != ERR_OK)
        log_error("sandbox", "no memory to start the helper process again; restart Weir");
}

/* Whoever was told how functions are isolated here, and that is every thread, must stay right. */
static bool same_host(const struct box_host *a, const struct box_host *b)
{
    return a->namespaces == b->namespaces && a->userns == b->userns && a->proc == b->proc &&
           a->network == b->network && a->own_uid == b->own_uid &&
           a->subordinate == b->subordinate && a->uid_base == b->uid_base &&
           a->gid_base == b->gid_base && a->seccomp == b->seccomp;
}

static void helper_ready(struct sandbox *sb, const struct zygote_ready *ready)
{
    if (!same_host(&sb->ready.host, &ready->host)) {
        log_error("sandbox", "the host allows other kinds of isolation than at Weir's start: "
                             "functions cannot be started until Weir is started again");
        return;
    }
    sb->ready.cgroups = ready->cgroups;
    sandbox_network_tell(sb);
    sb->able = true;
    log_info("sandbox", "the helper process is back: functions can be started");
}

static void helper_gone(struct sandbox *sb)
{
    bool soon = sb->restarted_ms &&
                clock_mono_ns() / NS_PER_MS - sb->restarted_ms < SANDBOX_RESTART_DELAY_MS;
    sb->able = false;
    close(sb->fd);
    sb->fd = -1;
    if (sb->pid > 0) {
        (void)kill(sb->pid, SIGKILL); /* one that only closed its socket */
        while (waitpid(sb->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    sb->pid = 0;
    uv_poll_stop(&sb->poll);
    sb->poll_closing = true;
    uv_close((uv_handle_t *)&sb->poll, on_poll_closed);
    LIST_EACH_SAFE (&sb->instances, it, tmp)
        sb->told->helper_gone(CONTAINER_OF(it, struct sandbox_instance, link));
    if (sb->stopping)
        return;
    log_error("sandbox", "the helper process that starts functions ended, and they with it; it is "
                         "started again");
    restart_later(sb, soon ? SANDBOX_RESTART_DELAY_MS : 0);
}

/* What came with a packet. */
static size_t take_fds(const struct msghdr *msg, int fds[BOX_SOCKETS_MAX])
{
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    if (!c || c->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t n = min_size((c->cmsg_len - CMSG_LEN(0)) / sizeof(int), BOX_SOCKETS_MAX);
    memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    if (!(msg->msg_flags & MSG_CTRUNC))
        return n;
    /* Not all found a place here: a part of a network is none. */
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    return 0;
}

static void tell(struct sandbox *sb, const struct zygote_event *event, const int *fds, size_t n_fds)
{
    struct sandbox_instance *in = find(sb, event->id);
    assert(event->kind == ZYGOTE_STARTED || event->kind == ZYGOTE_EXITED);
    if (in && event->kind == ZYGOTE_STARTED) {
        sb->told->started(in, event, fds, n_fds);
        return;
    }
    for (size_t i = 0; i < n_fds; i++)
        close(fds[i]);
    if (in)
        sb->told->process_gone(in, event);
}

/* One packet of the helper; false when there is none for now. */
static bool read_event(struct sandbox *sb)
{
    union {
        struct zygote_event event;
        struct zygote_ready ready;
    } got;
    union {
        char bytes[CMSG_SPACE(BOX_SOCKETS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = &got, .iov_len = sizeof got};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    int fds[BOX_SOCKETS_MAX];
    ssize_t n;
    do
        n = recvmsg(sb->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n == (ssize_t)sizeof got.ready && !sb->able) {
        helper_ready(sb, &got.ready);
        return true;
    }
    if (n != (ssize_t)sizeof got.event) {
        helper_gone(sb);
        return false;
    }
    tell(sb, &got.event, fds, take_fds(&msg, fds));
    return true;
}

void sandbox_read_events(struct sandbox *sb)
{
    while (sb->fd >= 0 && read_event(sb))
        ;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    sandbox_read_events(poll->data);
}

static enum err watch(struct sandbox *sb)
{
    if (uv_poll_init(io_loop_uv(core_home_loop(sb->core)), &sb->poll, sb->fd) != 0)
        return ERR_IO;
    sb->poll.data = sb;
    sb->poll_open = true;
    return uv_poll_start(&sb->poll, UV_READABLE, on_readable) == 0 ? ERR_OK : ERR_IO;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct sandbox *sb = handle->data;
    sb->poll_open = sb->poll_closing = false;
    if (sb->freed)
        mem_free(sb);
}

static enum err spawn(struct sandbox *sb, int *ret_pid)
{
    return sandbox_zygote_spawn(sb->work_dir, sb->network != SANDBOX_NETWORK_HOST, &sb->fd,
                                ret_pid);
}

static void on_restart(struct io_timer *timer)
{
    struct sandbox *sb = timer->arg;
    int pid = 0;
    if (sb->stopping)
        return;
    sb->restarted_ms = clock_mono_ns() / NS_PER_MS;
    if (sb->poll_open || spawn(sb, &pid) != ERR_OK) {
        restart_later(sb, SANDBOX_RESTART_DELAY_MS);
        return;
    }
    sb->pid = pid;
    if (watch(sb) != ERR_OK)
        log_error("sandbox", "the helper process cannot be listened to; restart Weir");
}

enum err sandbox_helper_wait(struct sandbox *sb)
{
    struct pollfd p = {.fd = sb->fd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, SANDBOX_READY_TIMEOUT_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0 ||
        recv(sb->fd, &sb->ready, sizeof sb->ready, MSG_DONTWAIT) != (ssize_t)sizeof sb->ready) {
        log_error("sandbox", "the helper process did not start (work folder %s)", sb->work_dir);
        return ERR_IO;
    }
    return ERR_OK;
}

enum err sandbox_helper_watch(struct sandbox *sb)
{
    io_timer_init(&sb->restart, core_home_loop(sb->core), on_restart, sb);
    TRY(watch(sb));
    sb->able = true;
    return ERR_OK;
}

void sandbox_helper_free(struct sandbox *sb)
{
    int pid = sb->pid;
    if (sb->started)
        io_timer_stop(&sb->restart);
    if (sb->poll_open && !sb->poll_closing)
        uv_poll_stop(&sb->poll);
    if (sb->fd >= 0)
        close(sb->fd);
    /* The helper removes its control groups on seeing its socket close. */
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    sb->freed = true;
    if (!sb->poll_open)
        mem_free(sb);
    else if (!sb->poll_closing)
        uv_close((uv_handle_t *)&sb->poll, on_poll_closed); /* the loop's end runs it */
}

/* --- what it is sent -------------------------------------------------------------------------- */

enum err sandbox_send_start(struct sandbox *sb, const struct zygote_start *start,
                            const struct buf *strings, int log_fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof control);
    struct iovec iov[] = {{(void *)start, sizeof *start}, {strings->p, strings->len}};
    struct msghdr msg = {.msg_iov = iov,
                         .msg_iovlen = ARRAY_LEN(iov),
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &log_fd, sizeof(int));
    if (sb->fd < 0)
        return ERR_CLOSED;
    if (sizeof *start + strings->len > ZYGOTE_PACKET_MAX)
        return ERR_LIMIT;
    assert(start->op == ZYGOTE_START && log_fd >= 0);
    ssize_t n;
    do
        n = sendmsg(sb->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return ERR_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_LIMIT : ERR_IO;
}

void sandbox_send_kill(struct sandbox *sb, const struct sandbox_instance *in)
{
    struct zygote_kill req = {.op = ZYGOTE_KILL, .id = in->id};
    if (sb->fd < 0)
        return;
    ssize_t n;
    do
        n = send(sb->fd, &req, sizeof req, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    /* A helper with a full mailbox is busy starting functions; its child can be ended from here. */
    if (n < 0 && in->pid > 0)
        (void)kill(in->pid, SIGKILL);
}

static void on_stopped(struct io_task *task)
{
    struct sandbox *sb = CONTAINER_OF(task, struct sandbox, stop_task);
    if (sb->stop_done)
        sb->stop_done(sb->stop_arg);
}

void sandbox_check_stopped(struct sandbox *sb)
{
    if (!sb->stopping || sb->n_instances > 0)
        return;
    sb->stop_task.fn = on_stopped;
    io_post(core_home_loop(sb->core), &sb->stop_task);
}

void sandbox_instance_gone(struct sandbox *sb)
{
    assert(sb->n_instances > 0);
    sb->n_instances--;
    sandbox_check_stopped(sb);
}
