/* The server's end of the helper process: what it is sent and what it tells. Whom an event concerns
 * learns it through sandbox.told, so that this file stands below the instances.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/sandbox_int.h"

static struct sandbox_instance *find(struct sandbox *sb, uint64_t id)
{
    LIST_EACH (&sb->instances, it) {
        struct sandbox_instance *in = CONTAINER_OF(it, struct sandbox_instance, link);
        if (in->id == id)
            return in;
    }
    return NULL;
}

static void helper_gone(struct sandbox *sb)
{
    log_error("sandbox", "the helper process is gone; functions cannot be started any more");
    uv_poll_stop(&sb->poll);
    close(sb->fd);
    sb->fd = -1;
    LIST_EACH_SAFE (&sb->instances, it, tmp)
        sb->told->helper_gone(CONTAINER_OF(it, struct sandbox_instance, link));
}

void sandbox_read_events(struct sandbox *sb)
{
    while (sb->fd >= 0) {
        struct zygote_event event;
        ssize_t n = recv(sb->fd, &event, sizeof event, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n != (ssize_t)sizeof event) {
            helper_gone(sb);
            return;
        }
        assert(event.kind == ZYGOTE_STARTED || event.kind == ZYGOTE_EXITED);
        struct sandbox_instance *in = find(sb, event.id);
        if (!in)
            continue;
        if (event.kind == ZYGOTE_STARTED)
            sb->told->started(in, &event);
        else
            sb->told->process_gone(in, &event);
    }
}

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
