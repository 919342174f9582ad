/* A server: one listening socket, a shard of connections on every loop.
 *
 * Accepting: every loop watches the same socket; whoever wakes accepts a batch and gives each
 * connection to the shard that has fewest, by posting the descriptor when that is another loop's.
 *
 * Draining, in two rounds so that no descriptor is on its way to a shard that has finished:
 *   http_server_drain --post--> every shard: stop accepting --report--> home loop
 *   all reported      --post--> every shard: close idle ones, wait for the rest, close handles
 *                               --report--> home loop: done()
 *
 * Lifetime: the server's memory is released by the last of its owner and its open handles.
 *
 * Layer: http. Thread: each shard on its loop; the drain's counters on the home loop. */
#include "http/http_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    BACKLOG = 1024,
    HEAD_TIMEOUT_MS = 30000,
    IDLE_TIMEOUT_MS = 75000,
    BODY_TIMEOUT_MS = 60000,
    WRITE_TIMEOUT_MS = 60000,
    CONNECTIONS_MAX = 10000,
    REQUEST_ARENA_MAX = 64 * 1024 * 1024,
    OUTPUT_MAX = 256 * 1024 * 1024,
};

/* --- shard: accepting ------------------------------------------------------------------------- */

struct handover {
    struct io_task task;
    struct http_shard *shard;
    struct http_tls_ctx *tls;
    int fd, mark;
};

static void on_handover(struct io_task *task)
{
    struct handover *h = CONTAINER_OF(task, struct handover, task);
    http_conn_open(h->shard, h->fd, h->tls, h->mark);
    mem_free(h);
}

static struct http_shard *least_loaded(struct http_shard *self)
{
    struct http_shard *best = self;
    size_t best_n = atomic_load(&self->n_conns);
    for (size_t i = 0; i < self->server->n_shards; i++) {
        struct http_shard *s = &self->server->shards[i];
        size_t n = atomic_load(&s->n_conns);
        if (n < best_n) {
            best = s;
            best_n = n;
        }
    }
    return best;
}

static void place(struct http_shard *self, int fd, struct http_tls_ctx *tls, int mark)
{
    struct http_shard *shard = least_loaded(self);
    struct handover *h = shard == self ? NULL : mem_alloc(sizeof(*h));
    if (!h)
        shard = self;
    atomic_fetch_add(&shard->n_conns, 1);
    atomic_fetch_add(&self->server->refs, 1);
    if (!h) {
        http_conn_open(shard, fd, tls, mark);
        return;
    }
    *h = (struct handover){
        .task.fn = on_handover, .shard = shard, .tls = tls, .fd = fd, .mark = mark};
    io_post(shard->loop, &h->task);
}

/* Over the cap: says so, as far as that is possible without waiting for the peer. */
static void turn_away(const struct http_server *server, int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 21\r\nConnection: close\r\n\r\n"
                               "too many connections\n";
    char scratch[4096];
    if (!server->tls) {
        (void)send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        /* What is here already would turn the close into a reset that overtakes the reply. */
        while (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) > 0)
            ;
    }
    close(fd);
}

/* No descriptors left: the spare one makes room to accept and drop, or the loop would spin on a
 * socket that stays readable. */
static void shed(struct http_server *server)
{
    close(server->spare_fd);
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Nothing of it is lost that its peer could not send again: it has not been answered, nor is it
 * being. */
static bool owes_input(const struct http_conn *c)
{
    LIST_EACH (&c->open, e) {
        const struct http_exchange *x = CONTAINER_OF(e, struct http_exchange, open);
        if (!x->body_wanted || x->body_told || x->reply_started)
            return false;
    }
    return c->queued + c->held == 0;
}

/* Closes the oldest stranger that is between requests or owes input, if one of the first few does. */
static void evict(struct http_shard *shard)
{
    int looked = 0;
    LIST_EACH_SAFE (&shard->strangers, e, tmp) {
        struct http_conn *c = CONTAINER_OF(e, struct http_conn, stranger);
        if (++looked > HTTP_EVICT_LOOK_MAX)
            return;
        if (owes_input(c)) {
            http_conn_close(c);
            return;
        }
    }
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    struct http_shard *shard = CONTAINER_OF(poll, struct http_shard, poll);
    struct http_server *server = shard->server;
    for (int i = 0; i < HTTP_ACCEPT_BATCH; i++) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* One loop holds the spare; the others leave it to that one. */
            if ((errno == EMFILE || errno == ENFILE) && shard == server->shards)
                shed(server);
            return;
        }
        /* Who stalls, unknown, gives way to who just came. */
        if (atomic_load(&server->n_strangers) >= server->cfg.strangers_max)
            evict(shard);
        if (atomic_fetch_add(&server->n_open, 1) >= server->cfg.connections_max) {
            atomic_fetch_sub(&server->n_open, 1);
            turn_away(server, fd);
        } else {
            atomic_fetch_add(&server->n_strangers, 1);
            place(shard, fd, server->tls, 0);
        }
    }
}

void http_server_adopt(struct http_server *server, int fd, struct http_tls_ctx *tls, int mark)
{
    struct http_shard *self = server->shards;
    for (size_t i = 0; i < server->n_shards; i++)
        if (server->shards[i].loop == io_loop_current())
            self = &server->shards[i];
    assert(mark != 0);
    /* They have half of the room between them, and nobody who came by the listener gives way to one. */
    bool room = atomic_fetch_add(&server->n_open, 1) < server->cfg.connections_max;
    room = atomic_fetch_add(&server->n_adopted, 1) < (server->cfg.connections_max + 1) / 2 && room;
    room = room && atomic_load(&server->n_strangers) < server->cfg.strangers_max;
    /* After the drain began no descriptor may be on its way to another shard. */
    if (!room || !self->accepting || self->draining) {
        atomic_fetch_sub(&server->n_adopted, 1);
        atomic_fetch_sub(&server->n_open, 1);
        close(fd);
        return;
    }
    atomic_fetch_add(&server->n_strangers, 1);
    place(self, fd, tls, mark);
}

/* --- shard: life ------------------------------------------------------------------------------ */

/* Callbacks of connections may defer further work: until the list is empty, or the loop would wait
 * with work at hand. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct http_shard *shard = CONTAINER_OF(prepare, struct http_shard, prepare);
    struct list *e;
    while ((e = list_pop_front(&shard->deferred)) != NULL)
        http_conn_run(CONTAINER_OF(e, struct http_conn, deferred));
}

static void shard_start(struct io_task *task)
{
    struct http_shard *shard = CONTAINER_OF(task, struct http_shard, task);
    struct http_server *server = shard->server;
    uv_loop_t *uv = io_loop_uv(shard->loop);
    int r = uv_prepare_init(uv, &shard->prepare);
    assert(r == 0); /* these never fail: they only fill the handle */
    shard->prepare.data = shard;
    r = uv_prepare_start(&shard->prepare, on_prepare);
    assert(r == 0);
    shard->running = true;
    atomic_fetch_add(&server->refs, 1);
    /* Fails only when epoll refuses memory; then the other loops do the accepting. */
    if (uv_poll_init(uv, &shard->poll, server->fd) != 0)
        return;
    shard->poll.data = shard;
    shard->accepting = true;
    atomic_fetch_add(&server->refs, 1);
    if (uv_poll_start(&shard->poll, UV_READABLE, on_acceptable) != 0)
        http_shard_close_poll(shard);
}

static void close_all(struct http_shard *shard)
{
    LIST_EACH_SAFE (&shard->conns, e, tmp)
        http_conn_close(CONTAINER_OF(e, struct http_conn, link));
}

/* --- draining --------------------------------------------------------------------------------- */

static void on_grace(struct io_timer *t)
{
    close_all(t->arg);
}

static void on_drained(struct io_task *task)
{
    struct http_shard *shard = CONTAINER_OF(task, struct http_shard, report);
    struct http_server *server = shard->server;
    if (++server->reports == server->n_shards)
        server->done(server->done_arg);
}

static void shard_drain(struct io_task *task)
{
    struct http_shard *shard = CONTAINER_OF(task, struct http_shard, task);
    shard->draining = true;
    shard->report.fn = on_drained;
    LIST_EACH_SAFE (&shard->conns, e, tmp)
        http_conn_drain(CONTAINER_OF(e, struct http_conn, link));
    io_timer_init(&shard->grace, shard->loop, on_grace, shard);
    /* Without a timer there is no grace. */
    if (io_timer_start(&shard->grace, shard->server->grace_ms) != ERR_OK)
        close_all(shard);
    http_shard_check_drained(shard);
}

/* Home loop: a shard stopped accepting. */
static void on_quiet(struct io_task *task)
{
    struct http_server *server = CONTAINER_OF(task, struct http_shard, report)->server;
    if (++server->reports < server->n_shards)
        return;
    server->reports = 0;
    for (size_t i = 0; i < server->n_shards; i++) {
        server->shards[i].task.fn = shard_drain;
        io_post(server->shards[i].loop, &server->shards[i].task);
    }
}

static void shard_quiet(struct io_task *task)
{
    struct http_shard *shard = CONTAINER_OF(task, struct http_shard, drain_task);
    http_shard_close_poll(shard);
    shard->report.fn = on_quiet;
    io_post(shard->server->shards[0].loop, &shard->report);
}

void http_server_drain(struct http_server *server, int64_t grace_ms, void (*done)(void *arg),
                       void *arg)
{
    server->grace_ms = max_i64(grace_ms, 0);
    server->done = done;
    server->done_arg = arg;
    for (size_t i = 0; i < server->n_shards; i++) {
        server->shards[i].drain_task.fn = shard_quiet;
        io_post(server->shards[i].loop, &server->shards[i].drain_task);
    }
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    /* After a drain there is nothing left; after a start that failed elsewhere there may be. */
    for (size_t i = 0; i < server->n_shards; i++) {
        http_shard_close_poll(&server->shards[i]);
        close_all(&server->shards[i]);
        http_shard_close_prepare(&server->shards[i]);
    }
    http_server_unref(server);
}

/* --- start ------------------------------------------------------------------------------------ */

static enum err bind_failed(int error, const struct http_server_config *cfg, char *ret_why,
                            size_t why_size)
{
    switch (error) {
    case EADDRINUSE:
        snprintf(ret_why, why_size,
                 "port %u on %s is in use by another program; stop it or choose another port",
                 cfg->port, cfg->host);
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
        snprintf(ret_why, why_size, "not permitted to listen on port %u of %s", cfg->port,
                 cfg->host);
        return ERR_DENIED;
    case EADDRNOTAVAIL:
        snprintf(ret_why, why_size, "%s is not an address of this machine", cfg->host);
        return ERR_INVALID;
    default:
        snprintf(ret_why, why_size, "cannot listen on %s port %u: %s", cfg->host, cfg->port,
                 strerror(error));
        return ERR_IO;
    }
}

static enum err listen_on(struct http_server *server, char *ret_why, size_t why_size)
{
    const struct http_server_config *cfg = &server->cfg;
    struct sockaddr_storage ss = {0};
    struct sockaddr *sa = (struct sockaddr *)&ss;
    socklen_t len = sizeof(struct sockaddr_in);
    if (uv_ip4_addr(cfg->host, cfg->port, (struct sockaddr_in *)&ss) != 0) {
        len = sizeof(struct sockaddr_in6);
        if (uv_ip6_addr(cfg->host, cfg->port, (struct sockaddr_in6 *)&ss) != 0) {
            snprintf(ret_why, why_size, "\"%s\" is not a numeric address", cfg->host);
            return ERR_INVALID;
        }
    }
    int on = 1;
    server->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* SO_REUSEADDR only lets a restart pass connections in TIME_WAIT; without SO_REUSEPORT a second
     * server on the port is an error. */
    if (server->fd < 0 || setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(server->fd, sa, len) != 0 || listen(server->fd, BACKLOG) != 0)
        return bind_failed(errno, cfg, ret_why, why_size);
    socklen_t got = sizeof(ss);
    if (getsockname(server->fd, sa, &got) != 0)
        return bind_failed(errno, cfg, ret_why, why_size);
    server->port = ntohs(sa->sa_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
                                                   : ((struct sockaddr_in *)&ss)->sin_port);
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return ERR_OK;
}

static void or_default(int64_t *v, int64_t otherwise)
{
    if (*v == 0)
        *v = otherwise;
}

static void fill_defaults(struct http_server_config *cfg)
{
    or_default(&cfg->head_timeout_ms, HEAD_TIMEOUT_MS);
    or_default(&cfg->idle_timeout_ms, IDLE_TIMEOUT_MS);
    or_default(&cfg->body_timeout_ms, BODY_TIMEOUT_MS);
    or_default(&cfg->write_timeout_ms, WRITE_TIMEOUT_MS);
    if (cfg->connections_max == 0)
        cfg->connections_max = CONNECTIONS_MAX;
    if (cfg->strangers_max == 0)
        cfg->strangers_max = SIZE_MAX;
    if (cfg->output_max == 0)
        cfg->output_max = OUTPUT_MAX;
    if (cfg->request_arena_max == 0)
        cfg->request_arena_max = REQUEST_ARENA_MAX;
}

static enum err make_shards(struct http_server *server)
{
    server->shards = mem_calloc(server->cfg.n_loops, sizeof(*server->shards));
    if (!server->shards)
        return ERR_NOMEM;
    server->n_shards = server->cfg.n_loops;
    for (size_t i = 0; i < server->n_shards; i++) {
        struct http_shard *s = &server->shards[i];
        s->server = server;
        s->loop = server->cfg.loops[i];
        list_init(&s->conns);
        list_init(&s->deferred);
        list_init(&s->strangers);
        list_init(&s->writing);
        buf_init(&s->out, HTTP_REPLY_HEAD_MAX);
        s->date_s = -1;
        s->task.fn = shard_start;
        s->read_buf = mem_alloc(HTTP_READ_BYTES);
        if (!s->read_buf)
            return ERR_NOMEM;
        io_timer_init(&s->grace, s->loop, on_grace, s);
    }
    return ERR_OK;
}

enum err http_server_new(const struct http_server_config *cfg, struct http_server **ret_server,
                         char *ret_why, size_t why_size)
{
    assert(cfg->n_loops > 0 && cfg->handler.on_request && cfg->handler.on_close);
    snprintf(ret_why, why_size, "out of memory");
    struct http_server *server = mem_calloc(1, sizeof(*server));
    if (!server)
        return ERR_NOMEM;
    server->cfg = *cfg;
    server->fd = server->spare_fd = -1;
    atomic_store(&server->refs, 1);
    fill_defaults(&server->cfg);
    enum err err = ERR_OK;
    if (cfg->tls_cert)
        err = http_tls_ctx_new(cfg->tls_cert, cfg->tls_key, &server->tls, ret_why, why_size);
    if (err == ERR_OK)
        err = make_shards(server);
    if (err == ERR_OK && !cfg->has_listener)
        err = listen_on(server, ret_why, why_size);
    if (err != ERR_OK) {
        http_server_unref(server);
        return err;
    }
    if (cfg->has_listener) {
        server->fd = cfg->listener;
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    for (size_t i = 0; i < server->n_shards; i++)
        io_post(server->shards[i].loop, &server->shards[i].task);
    *ret_server = server;
    return ERR_OK;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

size_t http_server_connections(const struct http_server *server)
{
    return atomic_load(&server->n_open);
}
