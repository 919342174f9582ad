/* Input to requests: heads begin them, bodies go to the handler or are swallowed, one step at a
 * time.
 *
 * http_conn_consume runs steps until one gets no further. Handler callbacks run inside it; what
 * they do to the connection is seen by the next step. States: see http_conn.c.
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

#include <assert.h>
#include <string.h>

static void reset_request(struct http_conn *c)
{
    arena_clear(&c->arena);
    memset(&c->req, 0, sizeof(c->req));
    c->scan = (struct http_scan){0};
    c->on_body = NULL;
    c->on_drain = NULL;
    c->body_left = c->body_seen = c->body_max = c->drained = 0;
    c->body_wanted = c->body_paused = c->body_read = c->body_told = false;
    c->body_failed = c->continue_sent = false;
    c->reply_started = c->reply_ended = c->reply_chunked = c->reply_bodyless = false;
    c->drain_wanted = false;
    c->reply_left = 0;
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
    const struct http_server_config *cfg = &c->shard->server->cfg;
    struct http_req *req = &c->req;
    req->arena = &c->arena;
    req->loop = c->shard->loop;
    char *copy = arena_memdup(&c->arena, p, len);
    if (!copy) {
        http_conn_refuse(c, 503);
        return;
    }
    int status = http_head_parse(req, str_n(copy, len), &c->scan);
    if (status) {
        http_conn_refuse(c, status);
        return;
    }
    req->tls = c->tls != NULL;
    if (c->tls)
        req->tls_version = http_tls_version(c->tls);
    req->peer = str_c(c->peer);
    req->peer_port = c->peer_port;
    req->start_ns = clock_mono_ns();
    c->close_after = !req->keep_alive || c->shard->draining;
    if (req->chunked)
        http_chunk_init(&c->chunk, &c->arena);
    else
        c->body_left = (uint64_t)req->content_length;
    c->body_read = !req->chunked && c->body_left == 0;
    c->head_ms = 0;
    c->state = CONN_REQUEST;
    if (req->expect_continue && c->body_read)
        http_conn_continue(c);
    cfg->handler.on_request(cfg->handler.ctx, req);
}

static void tell_body_error(struct http_conn *c, enum err err)
{
    c->body_told = c->body_failed = true;
    c->close_after = c->unread = true;
    c->on_body(&c->req, NULL, 0, false, err);
}

static void tell_body(struct http_conn *c, const char *p, size_t len, bool last)
{
    if (len > c->body_max - c->body_seen) {
        tell_body_error(c, ERR_LIMIT);
        return;
    }
    c->body_seen += len;
    c->body_told = last;
    if (len > 0 || last)
        c->on_body(&c->req, p, len, last, ERR_OK);
}

/* Hands body bytes to the handler; returns how many were used. */
static size_t deliver_body(struct http_conn *c, const char *p, size_t len)
{
    if (!c->req.chunked) {
        if (c->body_left > c->body_max - c->body_seen) {
            tell_body_error(c, ERR_LIMIT);
            return 0;
        }
        size_t n = c->body_left < len ? (size_t)c->body_left : len;
        if (n == 0 && !c->body_read)
            return 0;
        c->body_left -= n;
        c->body_read = c->body_left == 0;
        tell_body(c, p, n, c->body_read);
        return n;
    }
    size_t used;
    struct str data;
    enum http_parse r = http_chunk_feed(&c->chunk, p, len, &used, &data);
    enum err err = r == HTTP_BAD ? ERR_INVALID : ERR_OK;
    if (r == HTTP_DONE) {
        c->body_read = true;
        err = http_chunk_trailers(&c->chunk, &c->arena, &c->req.trailers, &c->req.n_trailers);
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
    bool bad = c->body_failed;
    if (!c->req.chunked) {
        used = c->body_left < len ? (size_t)c->body_left : len;
        c->body_left -= used;
        c->body_read = c->body_left == 0;
    } else if (!bad) {
        struct str data;
        enum http_parse r = http_chunk_feed(&c->chunk, p, len, &used, &data);
        bad = r == HTTP_BAD;
        c->body_read = r == HTTP_DONE;
    } else {
        used = len;
    }
    c->drained += used;
    if (bad || (!c->body_read && (c->drained > HTTP_DRAIN_MAX || c->close_after))) {
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
        if (c->reply_ended) {
            if (!c->body_read || c->body_failed)
                begin_drain(c);
            else
                request_done(c);
            return 0;
        }
        if (c->body_wanted && !c->body_paused && !c->body_told) {
            bool before = c->body_told;
            used = deliver_body(c, p, len);
            *ret_more = used > 0 || c->body_told != before;
            return used;
        }
        break;
    case CONN_DRAIN:
        if (!c->body_read || c->body_failed)
            used = drain_body(c, p, len);
        if (c->state == CONN_DRAIN && c->body_read)
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
