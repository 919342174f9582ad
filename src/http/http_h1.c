/* HTTP/1.1 on a connection. Input to requests: heads begin them, bodies go to the handler or are
 * swallowed, one step at a time. Replies to bytes.
 *
 * http_conn_consume runs steps until one gets no further. Handler callbacks run inside it; what
 * they do to the connection is seen by the next step. States: see http_conn.c.
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>

static void reset_request(struct http_conn *c)
{
    http_exchange_clear(&c->x);
    c->scan = (struct http_scan){0};
    c->body_left = c->drained = 0;
    c->reply_chunked = false;
    c->head_ms = c->probe_ms = 0;
}

static void request_done(struct http_conn *c)
{
    if (c->close_after) {
        http_conn_finish(c);
        return;
    }
    reset_request(c);
    c->state = CONN_HEAD;
}

/* A head of `len` bytes stands at p. */
static void begin_request(struct http_conn *c, const char *p, size_t len)
{
    struct http_exchange *x = &c->x;
    struct http_req *req = &x->req;
    req->arena = &x->arena;
    char *copy = arena_memdup(&x->arena, p, len);
    if (!copy) {
        http_conn_refuse(c, 503);
        return;
    }
    int status = http_head_parse(req, str_n(copy, len), &c->scan);
    if (status) {
        http_conn_refuse(c, status);
        return;
    }
    req->start_ns = clock_mono_ns();
    c->close_after = !req->keep_alive || c->shard->draining;
    if (req->chunked)
        http_chunk_init(&c->chunk, &x->arena);
    else
        c->body_left = (uint64_t)req->content_length;
    x->body_read = !req->chunked && c->body_left == 0;
    c->head_ms = 0;
    c->state = CONN_REQUEST;
    if (req->expect_continue && x->body_read)
        http_h1_continue(c);
    http_exchange_begin(x);
}

static void tell_body_error(struct http_conn *c, enum err err)
{
    c->close_after = c->unread = true;
    http_exchange_tell_error(&c->x, err);
}

static void tell_body(struct http_conn *c, const char *p, size_t len, bool last)
{
    if (len > c->x.body_max - c->x.body_seen)
        tell_body_error(c, ERR_LIMIT);
    else
        http_exchange_tell(&c->x, p, len, last);
}

/* Hands body bytes to the handler; returns how many were used. */
static size_t deliver_body(struct http_conn *c, const char *p, size_t len)
{
    struct http_exchange *x = &c->x;
    if (!x->req.chunked) {
        if (c->body_left > x->body_max - x->body_seen) {
            tell_body_error(c, ERR_LIMIT);
            return 0;
        }
        size_t n = c->body_left < len ? (size_t)c->body_left : len;
        if (n == 0 && !x->body_read)
            return 0;
        c->body_left -= n;
        x->body_read = c->body_left == 0;
        tell_body(c, p, n, x->body_read);
        return n;
    }
    size_t used;
    struct str data;
    enum http_parse r = http_chunk_feed(&c->chunk, p, len, &used, &data);
    enum err err = r == HTTP_BAD ? ERR_INVALID : ERR_OK;
    if (r == HTTP_DONE) {
        x->body_read = true;
        err = http_chunk_trailers(&c->chunk, &x->arena, &x->req.trailers, &x->req.n_trailers);
    }
    if (err != ERR_OK)
        tell_body_error(c, err);
    else
        tell_body(c, data.p, data.len, r == HTTP_DONE);
    return used;
}

static void begin_drain(struct http_conn *c)
{
    c->state = CONN_DRAIN;
    c->phase_ms = http_conn_now(c);
}

/* Swallows body bytes that nobody asked for; returns how many were used. */
static size_t drain_body(struct http_conn *c, const char *p, size_t len)
{
    size_t used;
    bool bad = c->x.body_failed;
    if (!c->x.req.chunked) {
        used = c->body_left < len ? (size_t)c->body_left : len;
        c->body_left -= used;
        c->x.body_read = c->body_left == 0;
    } else if (!bad) {
        struct str data;
        enum http_parse r = http_chunk_feed(&c->chunk, p, len, &used, &data);
        bad = r == HTTP_BAD;
        c->x.body_read = r == HTTP_DONE;
    } else {
        used = len;
    }
    c->drained += used;
    if (bad || (!c->x.body_read && (c->drained > HTTP_DRAIN_MAX || c->close_after))) {
        c->unread = true;
        http_conn_finish(c);
    }
    return used;
}

/* One step on the input; returns how many bytes it used. *ret_more: another step may get further.
 */
static size_t step(struct http_conn *c, const char *p, size_t len, bool *ret_more)
{
    size_t used = 0;
    int status;
    *ret_more = true;
    switch (c->state) {
    case CONN_HEAD:
        /* A peer that does not read its replies gets no further ones made. */
        if (len == 0 || c->queued > HTTP_WRITE_HIGH)
            break;
        if (!c->head_ms)
            c->head_ms = http_conn_now(c);
        switch (http_head_scan(&c->scan, p, len, &used, &status)) {
        case HTTP_DONE:
            begin_request(c, p, used);
            return used;
        case HTTP_BAD:
            http_conn_refuse(c, status);
            return 0;
        case HTTP_MORE:
            break;
        }
        break;
    case CONN_REQUEST:
        if (c->x.reply_ended) {
            if (!c->x.body_read || c->x.body_failed)
                begin_drain(c);
            else
                request_done(c);
            return 0;
        }
        if (http_exchange_wants(&c->x)) {
            bool before = c->x.body_told;
            used = deliver_body(c, p, len);
            *ret_more = used > 0 || c->x.body_told != before;
            return used;
        }
        break;
    case CONN_DRAIN:
        if (!c->x.body_read || c->x.body_failed)
            used = drain_body(c, p, len);
        if (c->state == CONN_DRAIN && c->x.body_read)
            request_done(c);
        *ret_more = used > 0 || c->state != CONN_DRAIN;
        return used;
    case CONN_LINGER:
        c->drained += len;
        c->unread |= len > 0;
        if (c->drained > HTTP_DRAIN_MAX)
            c->failed = true;
        *ret_more = false;
        return len;
    case CONN_STREAMS:
    case CONN_CLOSED:
        break;
    }
    *ret_more = false;
    return used;
}

size_t http_conn_consume(struct http_conn *c, const char *p, size_t len)
{
    size_t at = 0;
    bool more = true;
    assert(!c->processing);
    c->processing = true;
    while (more && !c->failed && c->state != CONN_CLOSED)
        at += step(c, p + at, len - at, &more);
    c->processing = false;
    return at;
}

/* --- replies ---------------------------------------------------------------------------------- */

static struct http_conn *conn_of(struct http_exchange *x)
{
    return CONTAINER_OF(x, struct http_conn, x);
}

void http_h1_continue(struct http_conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t b = http_buf(text, sizeof(text) - 1);
    c->x.continue_sent = true;
    http_conn_write(c, &b, 1);
}

static void go_on(struct http_exchange *x)
{
    struct http_conn *c = conn_of(x);
    if (c->in.len == 0)
        http_h1_continue(c);
}

/* Whether the connection can carry another request after this reply; before the reply's head. */
static void decide_close(struct http_conn *c)
{
    const struct http_exchange *x = &c->x;
    if (x->body_read)
        return;
    if (x->body_failed || (x->req.expect_continue && !x->continue_sent) ||
        (!x->req.chunked && c->body_left > HTTP_DRAIN_MAX))
        c->close_after = c->unread = true;
}

/* Fills in what only this framing knows, and writes the head to the shard's buffer. */
static bool compose(struct http_conn *c, struct http_reply_head *head)
{
    bool endless = head->length < 0 && !http_status_bodyless(head->status);
    if (head->length < 0 && c->x.req.minor_version == 0)
        c->close_after = true; /* the end of the connection is the end of the body */
    decide_close(c);
    head->chunked = endless && c->x.req.minor_version > 0;
    head->close = c->close_after;
    return http_conn_compose(c, head);
}

static void whole(struct http_exchange *x, struct http_reply_head *head, struct str body)
{
    struct http_conn *c = conn_of(x);
    struct buf *out = &c->shard->out;
    if (!compose(c, head))
        return;
    bool one = body.len <= HTTP_COPY_MAX;
    if (one)
        buf_add_str(out, body);
    uv_buf_t bufs[2] = {http_buf(out->p, out->len), http_buf(body.p, body.len)};
    if (buf_err(out) == ERR_OK)
        http_conn_write(c, bufs, one ? 1 : 2);
    else
        http_conn_fail(c);
}

static void begin_reply(struct http_exchange *x, struct http_reply_head *head)
{
    struct http_conn *c = conn_of(x);
    if (!compose(c, head))
        return;
    c->reply_chunked = head->chunked;
    uv_buf_t b = http_buf(c->shard->out.p, c->shard->out.len);
    http_conn_write(c, &b, 1);
}

static void data(struct http_exchange *x, const void *p, size_t len)
{
    struct http_conn *c = conn_of(x);
    char line[24];
    uv_buf_t bufs[3] = {http_buf(line, 0), http_buf(p, len), http_buf("\r\n", 2)};
    if (c->reply_chunked) {
        bufs[0].len = (size_t)snprintf(line, sizeof(line), "%zx\r\n", len);
        http_conn_write(c, bufs, 3);
    } else {
        http_conn_write(c, &bufs[1], 1);
    }
}

static void last(struct http_exchange *x)
{
    struct http_conn *c = conn_of(x);
    uv_buf_t b = http_buf("0\r\n\r\n", 5);
    if (c->reply_chunked && !x->reply_bodyless)
        http_conn_write(c, &b, 1);
}

static void abort_reply(struct http_exchange *x)
{
    struct http_conn *c = conn_of(x);
    /* A reset, because an orderly close would look like the end of a body without a length. */
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    http_conn_fail(c);
}

static size_t waiting(const struct http_exchange *x)
{
    return x->conn->queued;
}

static void changed(struct http_exchange *x)
{
    http_conn_defer(x->conn);
}

const struct http_framing http_h1_framing = {
    .whole = whole,
    .head = begin_reply,
    .data = data,
    .last = last,
    .abort = abort_reply,
    .go_on = go_on,
    .waiting = waiting,
    .changed = changed,
};
