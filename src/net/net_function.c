/* A function's listening sockets: what comes in, and where it goes. See net.h.
 *
 * What is Weir's is handed on at once. What goes to the world at ports 80 and 443 is first looked at,
 * without taking anything from it (MSG_PEEK): a client may have an address of AWS's from elsewhere than
 * our resolver (NE1).
 *
 * Layer: net. Thread: the loop's. */
#include "net/net_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <unistd.h>

#include "base/mem.h"
#include "fetch/fetch.h"

enum {
    ACCEPT_BATCH = 16,
    PEEK_MAX = HTTP_HEAD_MAX / 4 + 512, /* bytes looked at */
    PEEK_TIMEOUT_MS = 10 * 1000,
};

/* --- addresses ---------------------------------------------------------------------------------- */

/* An IPv4 address in an IPv6 socket's form becomes one of IPv4. */
static void unmap(struct sockaddr_storage *ss)
{
    struct sockaddr_in6 v6;
    if (ss->ss_family != AF_INET6)
        return;
    memcpy(&v6, ss, sizeof v6);
    if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        return;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = v6.sin6_port};
    memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof v4.sin_addr);
    memset(ss, 0, sizeof *ss);
    memcpy(ss, &v4, sizeof v4);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr *b)
{
    if (!b || a->ss_family != b->sa_family)
        return false;
    if (a->ss_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    return a->ss_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

static uint16_t port_of(const struct sockaddr_storage *ss)
{
    return ntohs(ss->ss_family == AF_INET
                     ? ((const struct sockaddr_in *)(const void *)ss)->sin_port
                     : ((const struct sockaddr_in6 *)(const void *)ss)->sin6_port);
}

static bool is_weirs(const struct net *net, const struct sockaddr_storage *to)
{
    if (to->ss_family == AF_INET6 &&
        IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)to)->sin6_addr))
        return true;
    if (to->ss_family == AF_INET) {
        uint32_t ip = ntohl(((const struct sockaddr_in *)(const void *)to)->sin_addr.s_addr);
        if (ip >> 24 == 127 || ip == ntohl(inet_addr(NET_AWS_ADDRESS)))
            return true;
    }
    return net->endpoint.ss_family != AF_UNSPEC &&
           same_address(to, (const struct sockaddr *)(const void *)&net->endpoint);
}

/* NE2. Asked for each connection, as addresses come and go. */
static bool may_forward(const struct sockaddr_storage *to)
{
    struct ifaddrs *all = NULL;
    bool own = false;
    if (fetch_is_denied((const struct sockaddr *)(const void *)to, false))
        return false;
    if (to->ss_family == AF_INET &&
        ntohl(((const struct sockaddr_in *)(const void *)to)->sin_addr.s_addr) >> 17 ==
            ntohl(inet_addr(NET_AWS_ADDRESS)) >> 17)
        return false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i && !own; i = i->ifa_next)
        own = same_address(to, i->ifa_addr);
    freeifaddrs(all);
    return !own;
}

/* --- what came in ------------------------------------------------------------------------------- */

static void give_front(struct net_function *f, int fd, uint16_t port)
{
    const struct net_config *cfg = &f->net->cfg;
    bool tls = port == NET_TLS_PORT || (port == cfg->endpoint_port && cfg->endpoint_tls);
    http_server_adopt(cfg->front, fd, tls ? cfg->tls : NULL, cfg->mark);
}

static void forward(struct net_function *f, int fd, const struct sockaddr_storage *to)
{
    if (f->net->cfg.world && may_forward(to))
        net_relay_open(f, fd, to);
    else
        net_reset(fd);
}

/* A connection to the world that has said nothing yet. */
struct peek {
    struct list link;
    struct net_function *f;
    uv_poll_t poll;
    struct io_timer timer;
    int fd; /* -1: handed on */
    struct sockaddr_storage to;
};

static void on_peek_closed(uv_handle_t *handle)
{
    struct peek *p = handle->data;
    struct net_function *f = p->f;
    mem_free(p);
    net_function_handle_gone(f);
}

/* Lets go of the socket; it is the caller's. */
static int peek_end(struct peek *p)
{
    int fd = p->fd;
    p->fd = -1;
    list_remove(&p->link);
    p->f->n_peeks--;
    io_timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->poll, on_peek_closed);
    return fd;
}

static void on_peek_timeout(struct io_timer *timer)
{
    net_reset(peek_end(timer->arg));
}

static void on_peekable(uv_poll_t *poll, int status, int events)
{
    struct peek *p = poll->data;
    struct net_function *f = p->f;
    struct sockaddr_storage to = p->to;
    uint8_t bytes[PEEK_MAX];
    struct str name = STR_NONE;
    int had = 0, wanted = 1;
    socklen_t size = sizeof had;
    ssize_t n = status == 0 ? recv(p->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) : -1;
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && status == 0)
        return;
    if (n <= 0 || getsockopt(p->fd, SOL_SOCKET, SO_RCVLOWAT, &had, &size) != 0 || n < had) {
        net_reset(peek_end(p)); /* it broke, or ended half-way */
        return;
    }
    enum net_hello hello = net_hello(bytes, (size_t)n, &name);
    if (hello == NET_HELLO_MORE && n == (ssize_t)sizeof bytes)
        hello = NET_HELLO_BAD;
    wanted = hello == NET_HELLO_MORE ? (int)n + 1 : 1;
    bool set = setsockopt(p->fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted) == 0;
    if (set && wanted > 1)
        return;
    int fd = peek_end(p);
    if (!set || (hello == NET_HELLO_BAD && !f->net->cfg.real_aws))
        net_reset(fd); /* NE1: it may mean AWS */
    else if (hello == NET_HELLO_NAME && net_leads_here(f->net, name))
        give_front(f, fd, port_of(&to));
    else
        forward(f, fd, &to);
}

static void peek_open(struct net_function *f, int fd, const struct sockaddr_storage *to)
{
    struct peek *p = f->n_peeks < NET_PEEKS_MAX ? mem_calloc(1, sizeof *p) : NULL;
    if (!p || uv_poll_init(io_loop_uv(f->loop), &p->poll, fd) != 0) {
        mem_free(p);
        net_reset(fd);
        return;
    }
    p->f = f;
    p->fd = fd;
    p->to = *to;
    p->poll.data = p;
    io_timer_init(&p->timer, f->loop, on_peek_timeout, p);
    list_push_back(&f->peeks, &p->link);
    f->n_peeks++;
    f->handles++;
    if (io_timer_start(&p->timer, PEEK_TIMEOUT_MS) != ERR_OK ||
        uv_poll_start(&p->poll, UV_READABLE, on_peekable) != 0)
        net_reset(peek_end(p));
}

static void came_in(struct net_function *f, int fd)
{
    const struct net_config *cfg = &f->net->cfg;
    struct sockaddr_storage to = {0};
    socklen_t size = sizeof to;
    if (getsockname(fd, (struct sockaddr *)(void *)&to, &size) != 0) {
        close(fd);
        return;
    }
    unmap(&to);
    uint16_t port = port_of(&to);
    bool known = port == NET_TLS_PORT || port == NET_PLAIN_PORT || port == cfg->endpoint_port;
    if (is_weirs(f->net, &to)) {
        if (known)
            give_front(f, fd, port);
        else
            net_reset(fd);
    } else if (cfg->world && (port == NET_TLS_PORT || port == NET_PLAIN_PORT)) {
        peek_open(f, fd, &to);
    } else {
        forward(f, fd, &to);
    }
}

/* As http_server.c: or the loop would spin on a socket that stays readable. */
static void shed(struct net *net, int listener)
{
    if (net->spare_fd >= 0)
        close(net->spare_fd);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_door(uv_poll_t *poll, int status, int events)
{
    struct net_door *door = poll->data;
    struct net_function *f = door->f;
    if (!f->net)
        return;
    if (door == f->doors) {
        net_resolve_readable(f);
        return;
    }
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            came_in(f, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE)
            shed(f->net, door->fd);
        return;
    }
}

/* --- life --------------------------------------------------------------------------------------- */

static void on_door_closed(uv_handle_t *handle)
{
    struct net_door *door = handle->data;
    net_function_handle_gone(door->f);
}

void net_function_close(struct net_function *f)
{
    if (!f)
        return;
    net_relays_close(f);
    net_questions_close(f);
    LIST_EACH_SAFE (&f->peeks, it, tmp)
        net_reset(peek_end(CONTAINER_OF(it, struct peek, link)));
    f->net = NULL;
    f->handles++; /* this call's */
    for (size_t i = 0; i < f->n_doors; i++) {
        uv_close((uv_handle_t *)&f->doors[i].poll, on_door_closed);
        close(f->doors[i].fd);
    }
    net_function_handle_gone(f);
}

enum err net_function_open(struct net *net, const int *fds, size_t n,
                           struct net_function **ret_function)
{
    if (n == 0 || n > ARRAY_LEN(((struct net_function *)0)->doors))
        return ERR_LIMIT;
    struct net_function *f = mem_calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->net = net;
    f->loop = net->cfg.loop;
    list_init(&f->relays);
    list_init(&f->peeks);
    list_init(&f->questions);
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        struct net_door *door = &f->doors[i];
        *door = (struct net_door){.f = f, .fd = fds[i]};
        if (uv_poll_init(io_loop_uv(f->loop), &door->poll, fds[i]) != 0) {
            err = ERR_IO;
            break;
        }
        door->poll.data = door;
        f->n_doors++;
        f->handles++;
        if (uv_poll_start(&door->poll, UV_READABLE, on_door) != 0)
            err = ERR_IO;
    }
    if (err == ERR_OK) {
        *ret_function = f;
        return ERR_OK;
    }
    /* The descriptors stay the caller's. */
    f->net = NULL;
    f->handles++;
    for (size_t i = 0; i < f->n_doors; i++)
        uv_close((uv_handle_t *)&f->doors[i].poll, on_door_closed);
    net_function_handle_gone(f);
    return err;
}
