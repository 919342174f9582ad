// link: weir_http
/* A session of HTTP/2 over a socket pair: whatever bytes come after the preface, in pieces, handlers are
 * owed exactly one end each, memory is given back, and the loop ends. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_h2_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECES = 3 };

static int running; /* with the handler */

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void on_body(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    if (err != ERR_OK || last) {
        running--;
        http_reply(req, err == ERR_OK ? 200 : 400, req->trailers, req->n_trailers, STR("done"));
    } else if (len % 7 == 3) {
        http_body_pause(req);
    }
}

/* By the length of the target: kept, read, answered. */
static void on_request(void *ctx, struct http_req *req)
{
    require(req->n_headers <= HTTP_HEADERS_MAX + 1 && req->method.len > 0);
    running++;
    switch (req->target.len % 4) {
    case 0:
        break;
    case 1:
        http_body_start(req, 1000, on_body);
        break;
    case 2:
        running--;
        http_reply(req, 200, req->headers, req->n_headers, req->target);
        break;
    default:
        running--;
        http_reply_start(req, 200, NULL, 0, -1);
        (void)http_reply_write(req, "abc", 3);
        if (req->n_headers % 2)
            http_reply_abort(req);
        else
            http_reply_end(req);
        break;
    }
}

static void on_close(void *ctx, struct http_req *req)
{
    running--;
}

/* Only what a connection needs of a server. */
struct world {
    struct io_loop *loop;
    struct http_server server;
    struct http_shard shard;
};

static struct world *world(void)
{
    static struct world w;
    if (w.loop)
        return &w;
    require(io_loop_new(0, &w.loop) == ERR_OK);
    w.server.cfg = (struct http_server_config){
        .handler = {NULL, on_request, on_close},
        .head_timeout_ms = 1000,
        .idle_timeout_ms = 1000,
        .body_timeout_ms = 1000,
        .write_timeout_ms = 1000,
        .output_max = 1 << 20,
        .request_arena_max = 1 << 20,
    };
    w.server.n_shards = 1;
    w.server.shards = &w.shard;
    atomic_store(&w.server.refs, 1u << 30);
    w.shard.server = &w.server;
    w.shard.loop = w.loop;
    list_init(&w.shard.conns);
    list_init(&w.shard.deferred);
    list_init(&w.shard.strangers);
    list_init(&w.shard.writing);
    buf_init(&w.shard.out, HTTP_REPLY_HEAD_MAX);
    w.shard.date_s = -1;
    w.shard.read_buf = malloc(HTTP_READ_BYTES);
    return &w;
}

static void feed(struct http_conn *c, const void *p, size_t len)
{
    if (c->state == CONN_STREAMS && !c->failed)
        http_h2_input(c, p, len);
    if (c->state == CONN_STREAMS && !c->failed)
        http_h2_run(c);
}

/* Swallows what was sent, or the socket would fill. */
static void drain(int fd)
{
    char scratch[65536];
    while (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) > 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct world *w = world();
    int fds[2];
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    w->server.n_open = w->server.n_strangers = w->shard.n_conns = 1;
    http_conn_open(&w->shard, fds[0], NULL, 0);
    require(!list_empty(&w->shard.conns));
    struct http_conn *c = CONTAINER_OF(w->shard.conns.next, struct http_conn, link);
    http_h2_open(c);
    feed(c, preface, sizeof(preface) - 1);
    for (size_t i = 0; i < PIECES; i++) {
        size_t from = size * i / PIECES, to = size * (i + 1) / PIECES;
        feed(c, data + from, to - from);
        drain(fds[1]);
    }
    http_conn_close(c);
    require(running == 0);
    while (uv_run(io_loop_uv(w->loop), UV_RUN_NOWAIT) && w->shard.n_conns > 0)
        ;
    require(w->shard.queued == 0 && w->shard.kept == 0 && w->shard.n_conns == 0);
    close(fds[1]);
    return 0;
}
