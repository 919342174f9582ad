/* A connection: input to requests, replies to output, time limits, orderly and disorderly ends.
 *
 *           +------------------------------ request_done, kept -----------------------------+
 *           v                                                                               |
 *   HEAD --begin_request--> REQUEST --reply ended--> DRAIN (body not read yet) --------------+
 *     |                        |                        |
 *     | refused, idle          | reply ended, close     | too much to swallow
 *     v                        v                        v
 *   LINGER (our side shut; input swallowed until the peer closes, HTTP_LINGER_MS)  -->  CLOSED
 *   any state --http_conn_close--> CLOSED (handle closing; memory goes in on_closed)
 *
 * Input arrives in the shard's read buffer and is used there; only what cannot be used at once
 * (half a head, pipelined requests, body of a paused handler) is copied to c->in.
 *
 * Safe points: handler callbacks may call any function of http.h, so nothing here closes or starts
 * the next request from inside those. They mark the connection and, outside of http_conn_consume,
 * put it on the shard's deferred list, which is worked off before the loop next waits.
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* A head that is not complete, one read on top of it, and a TLS record that was waiting. */
enum { IN_MAX = HTTP_HEAD_MAX + 2 * HTTP_READ_BYTES, IN_KEEP_MAX = 8 * 1024 };

int64_t http_conn_now(const struct http_conn *c)
{
    return (int64_t)uv_now(io_loop_uv(c->shard->loop));
}

void http_conn_defer(struct http_conn *c)
{
    if (!c->processing && !list_linked(&c->deferred))
        list_push_back(&c->shard->deferred, &c->deferred);
}

bool http_conn_busy(const struct http_conn *c)
{
    return c->state == CONN_REQUEST && !c->reply_ended;
}

/* --- closing ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *c = CONTAINER_OF(handle, struct http_conn, tcp);
    struct http_shard *shard = c->shard;
    arena_release(&c->arena);
    buf_release(&c->in);
    http_tls_free(c->tls);
    mem_free(c);
    http_shard_conn_gone(shard);
}

void http_conn_close(struct http_conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    bool tell = http_conn_busy(c);
    c->state = CONN_CLOSED;
    io_timer_stop(&c->timer);
    list_remove(&c->link);
    list_remove(&c->deferred);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
    if (tell) {
        const struct http_handler *h = &c->shard->server->cfg.handler;
        h->on_close(h->ctx, &c->req);
    }
}

void http_conn_fail(struct http_conn *c)
{
    c->failed = true;
    if (c->state != CONN_CLOSED)
        http_conn_defer(c);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct http_conn *c = CONTAINER_OF(req, struct http_conn, shutdown_req);
    if (c->state == CONN_CLOSED)
        return;
    if (status != 0 || !c->unread)
        http_conn_close(c);
}

void http_conn_finish(struct http_conn *c)
{
    assert(!c->sealed);
    c->state = CONN_LINGER;
    c->sealed = true;
    c->drained = 0;
    c->phase_ms = http_conn_now(c);
    if (c->tls)
        http_tls_shutdown(c);
    if (uv_shutdown(&c->shutdown_req, (uv_stream_t *)&c->tcp, on_shutdown) != 0)
        http_conn_fail(c);
}

/* --- output ----------------------------------------------------------------------------------- */

struct write_req {
    uv_write_t req;
    struct http_conn *conn;
    size_t len;
    char data[];
};

static void on_written(uv_write_t *req, int status)
{
    struct write_req *w = CONTAINER_OF(req, struct write_req, req);
    struct http_conn *c = w->conn;
    c->queued -= w->len;
    mem_free(w);
    if (c->state == CONN_CLOSED)
        return;
    c->write_ms = http_conn_now(c);
    if (status != 0) {
        http_conn_close(c);
        return;
    }
    if (c->drain_wanted && c->queued <= HTTP_WRITE_HIGH / 2 && http_conn_busy(c)) {
        c->drain_wanted = false;
        if (c->on_drain)
            c->on_drain(&c->req);
    }
    if (c->state == CONN_HEAD && c->in.len > 0)
        http_conn_defer(c); /* requests that waited for the peer to read */
    http_conn_settle(c);
}

void http_conn_write_raw(struct http_conn *c, uv_buf_t *bufs, unsigned n)
{
    uv_stream_t *stream = (uv_stream_t *)&c->tcp;
    if (c->failed || c->state == CONN_CLOSED)
        return;
    size_t sent = 0;
    if (c->queued == 0) {
        int r = uv_try_write(stream, bufs, n);
        if (r < 0 && r != UV_EAGAIN) {
            http_conn_fail(c);
            return;
        }
        sent = r > 0 ? (size_t)r : 0;
    }
    size_t total = 0;
    for (unsigned i = 0; i < n; i++)
        total += bufs[i].len;
    if (sent == total)
        return;
    struct write_req *w = mem_alloc(sizeof(*w) + (total - sent));
    if (!w) {
        http_conn_fail(c);
        return;
    }
    w->conn = c;
    w->len = total - sent;
    size_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        size_t skip = min_size(sent, bufs[i].len);
        sent -= skip;
        memcpy(w->data + at, bufs[i].base + skip, bufs[i].len - skip);
        at += bufs[i].len - skip;
    }
    uv_buf_t rest = uv_buf_init(w->data, (unsigned)w->len);
    if (uv_write(&w->req, stream, &rest, 1, on_written) != 0) {
        mem_free(w);
        http_conn_fail(c);
        return;
    }
    if (c->queued == 0) {
        c->last_left = w->len;
        c->write_ms = http_conn_now(c);
        http_conn_defer(c); /* for the write time limit */
    }
    c->queued += w->len;
}

void http_conn_write(struct http_conn *c, uv_buf_t *bufs, unsigned n)
{
    if (c->tls)
        http_tls_write(c, bufs, n);
    else
        http_conn_write_raw(c, bufs, n);
}

bool http_conn_compose(struct http_conn *c, const struct http_reply_head *head)
{
    struct buf *out = &c->shard->out;
    buf_clear(out);
    http_reply_head_write(out, head);
    if (buf_err(out) == ERR_OK)
        return true;
    http_conn_fail(c);
    return false;
}

void http_conn_refuse(struct http_conn *c, int status)
{
    const struct http_header type = {STR("Content-Type"), STR("text/plain")};
    const char *reason = http_reason(status);
    struct http_reply_head head = {
        .status = status,
        .headers = &type,
        .n_headers = 1,
        .length = (int64_t)strlen(reason) + 1,
        .close = true,
        .date = http_shard_date(c->shard),
    };
    if (http_conn_compose(c, &head)) {
        buf_add_c(&c->shard->out, reason);
        buf_add_byte(&c->shard->out, '\n');
        uv_buf_t b = http_buf(c->shard->out.p, c->shard->out.len);
        if (buf_err(&c->shard->out) == ERR_OK)
            http_conn_write(c, &b, 1);
    }
    c->unread = true;
    http_conn_finish(c);
}

/* --- time limits ------------------------------------------------------------------------------ */

static int64_t deadline(const struct http_conn *c)
{
    const struct http_server_config *cfg = &c->shard->server->cfg;
    int64_t now = http_conn_now(c);
    if (c->queued > 0)
        return c->write_ms + cfg->write_timeout_ms;
    switch (c->state) {
    case CONN_HEAD:
        return c->head_ms ? c->head_ms + cfg->head_timeout_ms : now + cfg->idle_timeout_ms;
    case CONN_REQUEST:
        return c->body_wanted && !c->body_paused && !c->body_told ? now + cfg->body_timeout_ms
                                                                  : INT64_MAX;
    case CONN_DRAIN:
        return c->phase_ms + cfg->body_timeout_ms;
    case CONN_LINGER:
        return c->phase_ms + HTTP_LINGER_MS;
    default:
        return INT64_MAX;
    }
}

static void on_timer(struct io_timer *t);

/* The timer is moved only when it would look too late: a busy connection, whose deadline keeps
 * moving away, does not touch the heap. */
static void arm(struct http_conn *c)
{
    if (c->deadline_ms >= c->armed_ms || c->deadline_ms == INT64_MAX)
        return;
    if (io_timer_start(&c->timer, max_i64(c->deadline_ms - http_conn_now(c), 0)) != ERR_OK) {
        http_conn_fail(c);
        return;
    }
    c->armed_ms = c->deadline_ms;
}

/* The deadline passed. */
static void expire(struct http_conn *c)
{
    if (c->queued > 0) {
        size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
        bool moved = left != c->last_left;
        c->last_left = left;
        c->write_ms = http_conn_now(c);
        c->deadline_ms = deadline(c);
        if (!moved)
            http_conn_close(c);
        return;
    }
    if (c->state == CONN_HEAD && c->head_ms) {
        http_conn_refuse(c, 408);
    } else if (http_conn_busy(c) && !c->reply_started) {
        const struct http_handler *h = &c->shard->server->cfg.handler;
        c->reply_ended = true; /* before: the handler's calls are now without effect */
        h->on_close(h->ctx, &c->req);
        http_conn_refuse(c, 408);
    } else {
        http_conn_close(c);
    }
    if (c->state != CONN_CLOSED)
        c->deadline_ms = deadline(c);
}

static void on_timer(struct io_timer *t)
{
    struct http_conn *c = t->arg;
    c->armed_ms = INT64_MAX;
    uv_update_time(io_loop_uv(c->shard->loop));
    if (c->deadline_ms <= http_conn_now(c))
        expire(c);
    if (c->state != CONN_CLOSED)
        arm(c);
}

/* --- input ------------------------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret_buf)
{
    struct http_conn *c = CONTAINER_OF(handle, struct http_conn, tcp);
    *ret_buf = uv_buf_init(c->shard->read_buf, HTTP_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct http_conn *c = CONTAINER_OF(stream, struct http_conn, tcp);
    if (c->state == CONN_CLOSED || n == 0)
        return;
    if (n < 0)
        http_conn_eof(c);
    else if (c->tls)
        http_tls_input(c, buf->base, (size_t)n);
    else
        http_conn_input(c, buf->base, (size_t)n);
}

void http_conn_eof(struct http_conn *c)
{
    /* A peer that closes its side before the reply is taken to be gone, as other servers do: there
     * is no other sign by which a long poll could learn it. */
    http_conn_close(c);
}

/* Reads while the input has a taker, and a buffer ahead of it (which is also how a departure is
 * noticed). */
static void update_reading(struct http_conn *c)
{
    bool want = c->state == CONN_REQUEST ? c->in.len < HTTP_READ_BYTES
                                         : c->state != CONN_HEAD || c->queued <= HTTP_WRITE_HIGH;
    if (want == c->reading)
        return;
    c->reading = want;
    if (!want)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
        http_conn_fail(c);
}

void http_conn_settle(struct http_conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    if (!c->failed)
        update_reading(c);
    if (c->failed) {
        http_conn_close(c);
        return;
    }
    if (c->in.len == 0 && c->in.cap > IN_KEEP_MAX)
        buf_release(&c->in);
    c->deadline_ms = deadline(c);
    arm(c);
}

void http_conn_input(struct http_conn *c, const char *p, size_t len)
{
    if (c->in.len > 0) {
        buf_add(&c->in, p, len);
        if (buf_err(&c->in) == ERR_OK)
            buf_drop_front(&c->in, http_conn_consume(c, c->in.p, c->in.len));
    } else {
        size_t used = http_conn_consume(c, p, len);
        if (used < len && c->state != CONN_CLOSED)
            buf_add(&c->in, p + used, len - used);
    }
    if (buf_err(&c->in) != ERR_OK)
        c->failed = true;
    http_conn_settle(c);
}

void http_conn_run(struct http_conn *c)
{
    size_t used = http_conn_consume(c, c->in.p ? c->in.p : "", c->in.len);
    buf_drop_front(&c->in, used);
    http_conn_settle(c);
}

void http_conn_drain(struct http_conn *c)
{
    if (c->state == CONN_HEAD && c->queued == 0)
        http_conn_close(c);
    else if (c->state == CONN_HEAD)
        http_conn_finish(c); /* its last reply is still on the way */
    else
        c->close_after = true;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void note_peer(struct http_conn *c)
{
    struct sockaddr_storage ss = {0};
    int len = sizeof(ss);
    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len) != 0)
        return;
    if (ss.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&ss;
        (void)uv_ip6_name(in6, c->peer, sizeof(c->peer));
        c->peer_port = ntohs(in6->sin6_port);
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&ss;
        (void)uv_ip4_name(in, c->peer, sizeof(c->peer));
        c->peer_port = ntohs(in->sin_port);
    }
}

void http_conn_open(struct http_shard *shard, int fd)
{
    struct http_server *server = shard->server;
    struct http_conn *c = mem_calloc(1, sizeof(*c));
    if (!c || uv_tcp_init(io_loop_uv(shard->loop), &c->tcp) != 0) {
        mem_free(c);
        close(fd);
        http_shard_conn_gone(shard);
        return;
    }
    c->shard = shard;
    c->armed_ms = c->deadline_ms = INT64_MAX;
    list_init(&c->link);
    list_init(&c->deferred);
    buf_init(&c->in, IN_MAX);
    arena_init(&c->arena, server->cfg.request_arena_max);
    io_timer_init(&c->timer, shard->loop, on_timer, c);
    if (uv_tcp_open(&c->tcp, fd) != 0) {
        close(fd);
        goto fail;
    }
    if (server->tls && http_tls_new(server->tls, &c->tls) != ERR_OK)
        goto fail;
    (void)uv_tcp_nodelay(&c->tcp, 1); /* a matter of speed only */
    note_peer(c);
    list_push_back(&shard->conns, &c->link);
    http_conn_settle(c);
    return;

fail:
    c->state = CONN_CLOSED;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}
