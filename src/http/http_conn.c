/* A connection: input to requests, replies to output, time limits, orderly and disorderly ends.
 *
 *           +------------------------------ request_done, kept -----------------------------+
 *           v                                                                               |
 *   HEAD --begin_request--> REQUEST --reply ended--> DRAIN (body not read yet) --------------+
 *     |                        |                        |
 *     | refused, idle          | reply ended, close     | too much to swallow
 *     v                        v                        v
 *   LINGER (our side shut; input swallowed until the peer closes, HTTP_LINGER_MS)  -->  CLOSED
 *   HEAD --HTTP/2 was agreed on--> STREAMS (http_h2.c) --no stream left--> LINGER
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
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* A head that is not complete, one read on top of it, and a TLS record that was waiting. */
enum { IN_MAX = HTTP_HEAD_MAX + 2 * HTTP_READ_BYTES, IN_KEEP_MAX = 8 * 1024 };

/* --- time limits ------------------------------------------------------------------------------ */

static int64_t deadline(const struct http_conn *c)
{
    const struct http_server_config *cfg = &c->shard->server->cfg;
    int64_t now = http_conn_now(c);
    if (c->queued > 0) {
        int64_t write_ms = c->write_ms + cfg->write_timeout_ms;
        return c->state == CONN_STREAMS ? min_i64(write_ms, http_h2_deadline(c)) : write_ms;
    }
    switch (c->state) {
    case CONN_HEAD:
        return c->head_ms ? c->head_ms + cfg->head_timeout_ms : now + cfg->idle_timeout_ms;
    case CONN_REQUEST:
        if (http_exchange_wants(&c->x))
            return http_exchange_body_deadline(&c->x);
        return c->probe_ms ? now + c->probe_ms : INT64_MAX;
    case CONN_DRAIN:
        return c->phase_ms + cfg->body_timeout_ms;
    case CONN_LINGER:
        return c->phase_ms + HTTP_LINGER_MS;
    case CONN_STREAMS:
        return http_h2_deadline(c);
    default:
        return INT64_MAX;
    }
}

/* --- a peer that shut its side ---------------------------------------------------------------- */

/* It may still read, or be gone altogether: only an answer to something sent tells. An interim reply
 * is what HTTP has for that (RFC 9110 section 15.2); it makes the system of a peer that is gone
 * reset the connection. */
static void probe(struct http_conn *c)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    uv_os_fd_t fd;
    if (c->queued == 0 && !c->x.reply_started && c->x.req.minor_version > 0)
        http_h1_continue(c);
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0 ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state == TCP_CLOSE)
        c->failed = true;
    c->probe_ms = c->probe_ms ? min_i64(2 * c->probe_ms, HTTP_PROBE_MAX_MS) : HTTP_PROBE_FIRST_MS;
}

/* Bytes of the body are missing that will never come. */
static bool truncated(const struct http_conn *c)
{
    if (c->x.body_read || c->x.reply_ended)
        return false;
    return c->x.req.chunked ? http_exchange_wants(&c->x) : c->body_left > c->in.len;
}

/* After all that can be done with the input was done. */
static void after_eof(struct http_conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        if (c->in.len > 0 && c->queued > HTTP_WRITE_HIGH)
            break; /* requests that wait for their turn */
        if (c->queued > 0)
            http_conn_finish(c);
        else
            c->failed = true;
        break;
    case CONN_REQUEST:
        if (truncated(c))
            c->failed = true;
        else if (!c->probe_ms && http_conn_busy(c))
            probe(c);
        break;
    case CONN_DRAIN:
        http_conn_finish(c);
        break;
    case CONN_LINGER:
        c->unread = false;
        c->failed |= c->shut;
        break;
    case CONN_STREAMS: /* always with TLS, whose end is another */
    case CONN_CLOSED:
        break;
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

/* The peer did not read in time, or only a little. */
static void expire_write(struct http_conn *c)
{
    size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    bool moved = left != c->last_left;
    c->last_left = left;
    c->write_ms = http_conn_now(c);
    if (!moved)
        http_conn_close(c);
}

/* The deadline passed. */
static void expire(struct http_conn *c)
{
    if (c->state == CONN_STREAMS && http_h2_deadline(c) <= http_conn_now(c)) {
        http_h2_expire(c);
        if (c->failed)
            http_conn_close(c);
    } else if (c->queued > 0) {
        expire_write(c);
    } else if (c->state == CONN_REQUEST && c->probe_ms && !http_exchange_wants(&c->x)) {
        probe(c);
        if (c->failed)
            http_conn_close(c);
    } else if (c->state == CONN_HEAD && c->head_ms) {
        http_conn_refuse(c, 408);
    } else if (http_conn_busy(c) && !c->x.reply_started) {
        http_conn_orphan(c);
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

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret_buf)
{
    struct http_conn *c = CONTAINER_OF(handle, struct http_conn, tcp);
    *ret_buf = uv_buf_init(c->shard->read_buf, HTTP_READ_BYTES);
}

/* Reads while the input has a taker, and a buffer ahead of it (which is also how a departure is
 * noticed). */
static void update_reading(struct http_conn *c)
{
    if (c->eof)
        return;
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

/* After anything happened: acts on failure, sets reading and the time limit to the new state. */
static void settle(struct http_conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    if (!c->failed && c->eof)
        after_eof(c);
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

/* Socket input, decrypted. The connection may be closed by it. */
static void input(struct http_conn *c, const char *p, size_t len)
{
    if (c->state == CONN_STREAMS) {
        http_h2_input(c, p, len);
    } else if (c->in.len > 0) {
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
    settle(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct http_conn *c = CONTAINER_OF(stream, struct http_conn, tcp);
    if (c->state == CONN_CLOSED || n == 0)
        return;
    if (n == UV_EOF && !c->tls) { /* with TLS its end has to be told by TLS */
        c->eof = true;
        c->reading = false; /* libuv stopped by itself */
        http_conn_run(c);
    } else if (n < 0)
        http_conn_close(c);
    else if (c->tls)
        http_tls_input(c->tls, c->shard->plain_buf, buf->base, (size_t)n);
    else
        input(c, buf->base, (size_t)n);
}

void http_conn_run(struct http_conn *c)
{
    if (c->state == CONN_STREAMS)
        http_h2_run(c);
    else
        buf_drop_front(&c->in, http_conn_consume(c, c->in.p ? c->in.p : "", c->in.len));
    settle(c);
}

void http_conn_drain(struct http_conn *c)
{
    if (c->state == CONN_HEAD && c->queued == 0)
        http_conn_close(c);
    else if (c->state == CONN_HEAD)
        http_conn_finish(c); /* its last reply is still on the way */
    else if (c->state == CONN_STREAMS)
        http_h2_drain(c);
    else
        c->close_after = true;
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void tls_send(void *ctx, uv_buf_t *bufs, unsigned n)
{
    http_conn_write_raw(ctx, bufs, n);
}

static bool tls_plain(void *ctx, const char *p, size_t len)
{
    struct http_conn *c = ctx;
    if (!c->agreed && http_tls_is_h2(c->tls))
        http_h2_open(c);
    c->agreed = true;
    input(c, p, len);
    return c->state != CONN_CLOSED;
}

static void tls_eof(void *ctx)
{
    http_conn_close(ctx);
}

static void tls_fail(void *ctx)
{
    http_conn_fail(ctx);
}

static const struct http_tls_io tls_io = {
    .send = tls_send,
    .plain = tls_plain,
    .eof = tls_eof,
    .fail = tls_fail,
};

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

/* Room to decrypt into, from the shard's first session on. */
static bool begin_tls(struct http_conn *c, struct http_tls_ctx *tls)
{
    if (!c->shard->plain_buf)
        c->shard->plain_buf = mem_alloc(HTTP_READ_BYTES);
    return c->shard->plain_buf && http_tls_new(tls, &tls_io, c, &c->tls) == ERR_OK;
}

void http_conn_open(struct http_shard *shard, int fd, struct http_tls_ctx *tls, int mark)
{
    struct http_server *server = shard->server;
    struct http_conn *c = mem_calloc(1, sizeof(*c));
    if (!c || uv_tcp_init(io_loop_uv(shard->loop), &c->tcp) != 0) {
        mem_free(c);
        close(fd);
        http_server_leave(server, mark != 0, true);
        http_shard_conn_gone(shard);
        return;
    }
    c->shard = shard;
    c->mark = mark;
    c->adopted = mark != 0;
    c->armed_ms = c->deadline_ms = INT64_MAX;
    list_init(&c->link);
    list_init(&c->deferred);
    list_init(&c->stranger);
    list_init(&c->writing);
    list_push_back(&shard->strangers, &c->stranger);
    buf_init(&c->in, IN_MAX);
    list_init(&c->open);
    http_exchange_init(&c->x, c, &http_h1_framing);
    io_timer_init(&c->timer, shard->loop, on_timer, c);
    if (uv_tcp_open(&c->tcp, fd) != 0) {
        close(fd);
        goto fail;
    }
    if (tls && !begin_tls(c, tls))
        goto fail;
    (void)uv_tcp_nodelay(&c->tcp, 1); /* a matter of speed only */
    note_peer(c);
    list_push_back(&shard->conns, &c->link);
    settle(c);
    return;

fail:
    http_conn_close(c);
}
