/* The lower half of a connection: its output, its refusals, its end. http_conn.c, above it, draws
 * the states and brings the input; both framings stand on this one.
 *
 * Nothing here acts on the input or calls up: who changes what should be read or waited for defers
 * the connection, and http_conn_run settles it before the loop next waits.
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void http_conn_defer(struct http_conn *c)
{
    if (!c->processing && !list_linked(&c->deferred))
        list_push_back(&c->shard->deferred, &c->deferred);
}

/* --- closing ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *c = CONTAINER_OF(handle, struct http_conn, tcp);
    struct http_shard *shard = c->shard;
    http_h2_free(c->h2);
    http_exchange_release(&c->x);
    buf_release(&c->in);
    http_tls_free(c->tls);
    mem_free(c);
    http_shard_conn_gone(shard);
}

void http_conn_orphan(struct http_conn *c)
{
    while (!list_empty(&c->open))
        http_exchange_close(CONTAINER_OF(c->open.next, struct http_exchange, open));
}

void http_conn_close(struct http_conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    io_timer_stop(&c->timer);
    list_remove(&c->link);
    list_remove(&c->deferred);
    list_remove(&c->writing);
    http_server_leave(c->shard->server, c->adopted, list_linked(&c->stranger));
    list_remove(&c->stranger);
    uv_close((uv_handle_t *)&c->tcp, on_closed); /* closes the descriptor at once */
    http_conn_orphan(c);
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
    c->shut = true;
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
        http_tls_shutdown(c->tls);
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

/* To the end of those that wait, or away. */
static void note_progress(struct http_conn *c)
{
    list_remove(&c->writing);
    if (c->queued + c->held > 0)
        list_push_back(&c->shard->writing, &c->writing);
}

static void on_written(uv_write_t *req, int status)
{
    struct write_req *w = CONTAINER_OF(req, struct write_req, req);
    struct http_conn *c = w->conn;
    c->queued -= w->len;
    if (!c->disowned)
        c->shard->queued -= w->len;
    mem_free(w);
    if (c->state == CONN_CLOSED)
        return;
    note_progress(c);
    c->write_ms = http_conn_now(c);
    if (status != 0) {
        http_conn_close(c);
        return;
    }
    if (c->queued <= HTTP_WRITE_HIGH / 2)
        http_exchange_drained(&c->x);
    if (c->state != CONN_CLOSED) /* closed by on_drain; what is deferred must be alive */
        http_conn_defer(c);      /* requests that waited for the peer to read, and time limits */
}

/* Readers that do not read must not take all memory together: the one that has read nothing for
 * longest goes. One a write, since what is queued comes by writes. */
static void bound_output(struct http_shard *shard)
{
    const struct http_server *server = shard->server;
    if (shard->queued <= server->cfg.output_max / server->n_shards)
        return;
    LIST_EACH_SAFE (&shard->writing, e, tmp) {
        struct http_conn *victim = CONTAINER_OF(e, struct http_conn, writing);
        if (victim->failed)
            continue;
        victim->disowned = true; /* or more would have to go before this one has */
        shard->queued -= victim->queued + victim->held;
        http_conn_fail(victim);
        return;
    }
}

void http_conn_hold(struct http_conn *c, size_t len)
{
    if (!list_linked(&c->writing) && c->state != CONN_CLOSED)
        list_push_back(&c->shard->writing, &c->writing);
    c->held += len;
    if (c->disowned)
        return;
    c->shard->queued += len;
    bound_output(c->shard);
}

void http_conn_unhold(struct http_conn *c, size_t len)
{
    c->held -= len;
    if (!c->disowned)
        c->shard->queued -= len;
    if (c->state != CONN_CLOSED)
        note_progress(c);
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
        if (!list_linked(&c->writing))
            list_push_back(&c->shard->writing, &c->writing);
    }
    c->queued += w->len;
    c->shard->queued += w->len;
    bound_output(c->shard);
}

void http_conn_write(struct http_conn *c, uv_buf_t *bufs, unsigned n)
{
    if (c->tls)
        http_tls_write(c->tls, bufs, n);
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
