/* Guests: commands of this host that were given a network like a function's. See net.h.
 *
 *   <data>/guests, a datagram socket --message of a process that made its network--> taken in
 *   taken in --that process ended, or Weir stops--> closed
 *
 * A datagram carries everything at once, so that there is no conversation to keep, bound or time. It is a
 * byte that says which agreement this is, and descriptors in the order PARCEL_*. The process is known
 * by a descriptor too: a number could be another's by the time it is looked at.
 *
 * Layer: net. Thread: the loop's; net_guest_join any. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/net_int.h"

enum { AGREEMENT = 1, BATCH = 8, ANSWER_S = 10 };
enum { PARCEL_ANSWER, PARCEL_PROCESS, PARCEL_SOCKETS };
enum { PARCEL_MAX = PARCEL_SOCKETS + 1 + NET_LISTENERS_MAX };

static const char taken_in[] = "ok";

struct guest {
    struct list link;
    struct net_guests *all;
    struct net_function *f;
    uv_poll_t life; /* readable: the process ended */
    int process_fd;
};

struct net_guests {
    struct net *net;
    int fd, dir_fd;
    uv_poll_t door;
    size_t handles; /* open in the loop */
    bool closing;
    struct list guests;
    size_t n, n_max;
};

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* A path of any length fits by way of its folder's descriptor. */
static struct sockaddr_un address_below(int dir_fd)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    (void)snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d/" NET_GUESTS_SOCKET, dir_fd);
    return un;
}

/* --- a guest ------------------------------------------------------------------------------------ */

static void gone(struct net_guests *g)
{
    assert(g->handles > 0);
    if (--g->handles == 0 && g->closing)
        mem_free(g);
}

static void on_life_closed(uv_handle_t *handle)
{
    struct guest *guest = handle->data;
    struct net_guests *g = guest->all;
    mem_free(guest);
    gone(g);
}

static void guest_end(struct guest *guest)
{
    net_function_close(guest->f);
    list_remove(&guest->link);
    guest->all->n--;
    uv_close((uv_handle_t *)&guest->life, on_life_closed);
    close(guest->process_fd);
}

static void on_process_end(uv_poll_t *poll, int status, int events)
{
    guest_end(poll->data);
}

/* NULL: taken in, and all but the answer's descriptor with it. Else why not. */
static const char *take_in(struct net_guests *g, const int *fds, size_t n)
{
    if (g->n >= g->n_max)
        return "too many commands are run in it at once";
    for (size_t i = PARCEL_SOCKETS; i < n; i++)
        if (fcntl(fds[i], F_SETFL, O_NONBLOCK) != 0)
            return "its sockets cannot be used";
    struct guest *guest = mem_calloc(1, sizeof *guest);
    if (!guest || uv_poll_init(io_loop_uv(g->net->cfg.loop), &guest->life, fds[PARCEL_PROCESS])) {
        mem_free(guest);
        return "its process cannot be watched";
    }
    guest->all = g;
    guest->life.data = guest;
    guest->process_fd = fds[PARCEL_PROCESS];
    g->handles++;
    if (uv_poll_start(&guest->life, UV_READABLE, on_process_end) == 0 &&
        net_function_open(g->net, fds + PARCEL_SOCKETS, n - PARCEL_SOCKETS, &guest->f) == ERR_OK) {
        list_push_back(&g->guests, &guest->link);
        g->n++;
        return NULL;
    }
    uv_close((uv_handle_t *)&guest->life, on_life_closed);
    return "the host is short of resources for its network";
}

/* --- the door ----------------------------------------------------------------------------------- */

/* What came with a datagram. */
struct parcel {
    char agreement;
    int fds[PARCEL_MAX];
    size_t n;
    uid_t uid;
    bool has_uid, short_of_files, cut;
};

static void unpack(struct msghdr *msg, struct parcel *p)
{
    struct ucred from;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            p->n = min_size((c->cmsg_len - CMSG_LEN(0)) / sizeof(int), PARCEL_MAX);
            memcpy(p->fds, CMSG_DATA(c), p->n * sizeof(int));
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&from, CMSG_DATA(c), sizeof from);
            p->uid = from.uid;
            p->has_uid = true;
        }
    }
    p->short_of_files = msg->msg_flags & MSG_CTRUNC;
    p->cut = msg->msg_flags & MSG_TRUNC;
}

/* False: nothing is there. */
static bool receive(int fd, struct parcel *p)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PARCEL_MAX) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {&p->agreement, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    *p = (struct parcel){.agreement = 0};
    if (recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return false;
    unpack(&msg, p);
    return true;
}

static const char *judge(struct net_guests *g, const struct parcel *p)
{
    if (!p->has_uid || (p->uid != geteuid() && p->uid != 0))
        return "it is not this user's";
    if (p->short_of_files)
        return "Weir has no descriptors left";
    if (p->agreement != AGREEMENT || p->cut || p->n <= PARCEL_SOCKETS)
        return "another version of weir serves; use the same for both";
    return take_in(g, p->fds, p->n);
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
    struct net_guests *g = poll->data;
    struct parcel p;
    for (int i = 0; i < BATCH && !g->closing && receive(g->fd, &p); i++) {
        const char *why_not = judge(g, &p), *said = why_not ? why_not : taken_in;
        if (p.n > 0)
            (void)!send(p.fds[PARCEL_ANSWER], said, strlen(said), MSG_DONTWAIT | MSG_NOSIGNAL);
        close_all(p.fds, why_not ? p.n : min_size(p.n, 1));
    }
}

/* --- life --------------------------------------------------------------------------------------- */

static void on_door_closed(uv_handle_t *handle)
{
    gone(handle->data);
}

void net_guests_close(struct net_guests *g)
{
    if (!g)
        return;
    g->closing = true;
    LIST_EACH_SAFE (&g->guests, it, tmp)
        guest_end(CONTAINER_OF(it, struct guest, link));
    (void)unlinkat(g->dir_fd, NET_GUESTS_SOCKET, 0);
    close(g->dir_fd);
    uv_close((uv_handle_t *)&g->door, on_door_closed);
    close(g->fd);
}

/* A guest's sockets must not be those that the store will need. */
static size_t room(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    return min_size(limit.rlim_cur / NET_FILES_PER_GUEST, NET_GUESTS_MAX);
}

/* What an earlier process left is in the way. */
static bool bind_below(struct net_guests *g)
{
    int yes = 1;
    struct sockaddr_un un = address_below(g->dir_fd);
    if (unlinkat(g->dir_fd, NET_GUESTS_SOCKET, 0) != 0 && errno != ENOENT)
        return false;
    return setsockopt(g->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0 &&
           bind(g->fd, (const struct sockaddr *)(const void *)&un, sizeof un) == 0 &&
           fchmodat(g->dir_fd, NET_GUESTS_SOCKET, 0600, 0) == 0;
}

enum err net_guests_open(struct net *net, const char *dir, struct net_guests **ret_guests)
{
    struct net_guests *g = mem_calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    g->net = net;
    g->n_max = room();
    list_init(&g->guests);
    g->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    g->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = g->dir_fd >= 0 && g->fd >= 0 && bind_below(g) &&
              uv_poll_init(io_loop_uv(net->cfg.loop), &g->door, g->fd) == 0;
    if (!ok) {
        if (g->fd >= 0)
            close(g->fd);
        if (g->dir_fd >= 0)
            close(g->dir_fd);
        mem_free(g);
        return ERR_IO;
    }
    g->door.data = g;
    g->handles = 1;
    if (uv_poll_start(&g->door, UV_READABLE, on_knock) != 0) {
        net_guests_close(g);
        return ERR_IO;
    }
    *ret_guests = g;
    return ERR_OK;
}

/* --- the guest's end ---------------------------------------------------------------------------- */

static bool send_parcel(int fd, const char *dir, const int *fds, size_t n)
{
    char agreement = AGREEMENT;
    struct iovec iov = {&agreement, 1};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PARCEL_MAX)];
    } control = {.bytes = {0}};
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un un = address_below(dir_fd);
    struct msghdr msg = {.msg_name = &un,
                         .msg_namelen = sizeof un,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * n);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
    bool sent = dir_fd >= 0 && sendmsg(fd, &msg, MSG_NOSIGNAL) == 1;
    int saved = errno;
    if (dir_fd >= 0)
        close(dir_fd);
    errno = saved;
    return sent;
}

/* The answer's text into `why`, "" when there came none. */
static enum err wait_answer(int fd, char *why, size_t size)
{
    struct timeval tv = {.tv_sec = ANSWER_S};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    ssize_t n = recv(fd, why, size - 1, 0);
    why[n > 0 ? n : 0] = '\0';
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? ERR_TIMEOUT : ERR_CLOSED;
    return strcmp(why, taken_in) == 0 ? ERR_OK : ERR_DENIED;
}

enum err net_guest_join(const char *dir, const int *fds, size_t n, char *ret_why, size_t size)
{
    int parcel[PARCEL_MAX], pair[2];
    ret_why[0] = '\0';
    if (n == 0 || n > PARCEL_MAX - PARCEL_SOCKETS)
        return ERR_LIMIT;
    int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
    bool paired = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;
    enum err err = ERR_IO;
    if (out >= 0 && process >= 0 && paired) {
        parcel[PARCEL_ANSWER] = pair[1];
        parcel[PARCEL_PROCESS] = process;
        memcpy(parcel + PARCEL_SOCKETS, fds, n * sizeof *fds);
        err = send_parcel(out, dir, parcel, n + PARCEL_SOCKETS) ? ERR_OK : ERR_CLOSED;
    }
    if (paired)
        close(pair[1]); /* the server's end alone keeps the answer coming */
    if (!err)
        err = wait_answer(pair[0], ret_why, size);
    if (paired)
        close(pair[0]);
    if (process >= 0)
        close(process);
    if (out >= 0)
        close(out);
    return err;
}
