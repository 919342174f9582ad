/* Forwarding: two sockets, what comes in at one goes out at the other. One buffer a direction; nothing
 * is read while it is not written, so a slow side slows the other.
 *
 *   connecting --on_connect--> open --both ends told, or an error, or IDLE_MS without a byte--> closing
 *
 * Layer: net. Thread: the loop's. */
#include "net/net_int.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    BUFFER = 16 * 1024,
    CONNECT_MS = 10 * 1000,
    IDLE_MS = 350 * 1000, /* as AWS's NAT gateways: VPC User Guide, "NAT gateway basics" */
};

struct relay_end {
    uv_tcp_t tcp;
    struct relay_end *other;
    struct net_relay *relay;
    uv_write_t write; /* of what came in here, to the other */
    uv_shutdown_t shutdown;
    bool ended; /* it will send no more */
    char bytes[BUFFER];
};

struct net_relay {
    struct list link;
    struct net_function *f;
    struct relay_end ends[2]; /* the function's, the world's */
    int handles;
    bool connected, closing;
    uv_connect_t connect;
    struct io_timer timer;
    uint64_t moved_ms; /* when a byte last moved; the loop's clock */
};

static void on_closed(uv_handle_t *handle)
{
    struct relay_end *end = handle->data;
    struct net_relay *r = end->relay;
    struct net_function *f = r->f;
    if (--r->handles == 0)
        mem_free(r);
    net_function_handle_gone(f);
}

/* `broken`: each side learns that it was no orderly end. */
static void close_relay(struct net_relay *r, bool broken)
{
    if (r->closing)
        return;
    r->closing = true;
    io_timer_stop(&r->timer);
    list_remove(&r->link);
    r->f->n_relays--;
    r->f->net->n_relays--;
    for (int i = 0; i < r->handles; i++) {
        uv_os_fd_t fd;
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        if (broken && uv_fileno((uv_handle_t *)&r->ends[i].tcp, &fd) == 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        uv_close((uv_handle_t *)&r->ends[i].tcp, on_closed);
    }
}

static void on_timer(struct io_timer *timer)
{
    struct net_relay *r = timer->arg;
    uint64_t idle = uv_now(io_loop_uv(r->f->loop)) - r->moved_ms;
    if (!r->connected || idle >= IDLE_MS ||
        io_timer_start(&r->timer, (int64_t)(IDLE_MS - idle)) != ERR_OK)
        close_relay(r, true);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret_buf)
{
    struct relay_end *end = handle->data;
    *ret_buf = uv_buf_init(end->bytes, BUFFER);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct net_relay *r = CONTAINER_OF(req, struct relay_end, shutdown)->relay;
    if (status == 0 && r->ends[0].ended && r->ends[1].ended)
        close_relay(r, false);
    else if (status < 0)
        close_relay(r, true);
}

static void on_written(uv_write_t *req, int status)
{
    struct relay_end *end = CONTAINER_OF(req, struct relay_end, write);
    if (end->relay->closing)
        return;
    if (status < 0 || uv_read_start((uv_stream_t *)&end->tcp, on_alloc, on_read) != 0)
        close_relay(end->relay, true);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct relay_end *end = stream->data;
    struct net_relay *r = end->relay;
    if (n == 0 || r->closing)
        return;
    r->moved_ms = uv_now(io_loop_uv(r->f->loop));
    if (n == UV_EOF) {
        end->ended = true;
        if (uv_shutdown(&end->shutdown, (uv_stream_t *)&end->other->tcp, on_shutdown) != 0)
            close_relay(r, true);
        return;
    }
    uv_buf_t out = uv_buf_init(end->bytes, n > 0 ? (unsigned)n : 0);
    (void)uv_read_stop(stream);
    if (n < 0 || uv_write(&end->write, (uv_stream_t *)&end->other->tcp, &out, 1, on_written) != 0)
        close_relay(r, true);
}

static void on_connect(uv_connect_t *req, int status)
{
    struct net_relay *r = CONTAINER_OF(req, struct net_relay, connect);
    if (r->closing)
        return;
    r->connected = status == 0;
    r->moved_ms = uv_now(io_loop_uv(r->f->loop));
    if (!r->connected || io_timer_start(&r->timer, IDLE_MS) != ERR_OK ||
        uv_read_start((uv_stream_t *)&r->ends[0].tcp, on_alloc, on_read) != 0 ||
        uv_read_start((uv_stream_t *)&r->ends[1].tcp, on_alloc, on_read) != 0)
        close_relay(r, true);
}

/* Both handles, the first of them with the function's socket; false: the socket is the caller's. */
static bool begin(struct net_relay *r, int fd)
{
    uv_loop_t *uv = io_loop_uv(r->f->loop);
    for (int i = 0; i < 2; i++) {
        struct relay_end *end = &r->ends[i];
        end->relay = r;
        end->other = &r->ends[1 - i];
        end->tcp.data = end;
        if (uv_tcp_init(uv, &end->tcp) != 0)
            return false;
        end->tcp.data = end;
        r->handles++;
        r->f->handles++;
    }
    if (uv_tcp_open(&r->ends[0].tcp, fd) != 0)
        return false;
    (void)uv_tcp_nodelay(&r->ends[0].tcp, 1);
    (void)uv_tcp_nodelay(&r->ends[1].tcp, 1);
    return true;
}

void net_relay_open(struct net_function *f, int fd, const struct sockaddr_storage *to)
{
    struct net *net = f->net;
    struct net_relay *r = f->n_relays < NET_FUNCTION_RELAYS_MAX && net->n_relays < NET_RELAYS_MAX
                              ? mem_calloc(1, sizeof *r)
                              : NULL;
    if (!r) {
        net_reset(fd);
        return;
    }
    r->f = f;
    io_timer_init(&r->timer, f->loop, on_timer, r);
    list_push_back(&f->relays, &r->link);
    f->n_relays++;
    net->n_relays++;
    if (!begin(r, fd)) {
        net_reset(fd);
        close_relay(r, true);
        if (r->handles == 0)
            mem_free(r);
        return;
    }
    if (io_timer_start(&r->timer, CONNECT_MS) != ERR_OK ||
        uv_tcp_connect(&r->connect, &r->ends[1].tcp, (const struct sockaddr *)(const void *)to,
                       on_connect) != 0)
        close_relay(r, true);
}

void net_relays_close(struct net_function *f)
{
    LIST_EACH_SAFE (&f->relays, it, tmp)
        close_relay(CONTAINER_OF(it, struct net_relay, link), true);
}
