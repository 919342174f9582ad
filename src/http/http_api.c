/* The handler's side of http.h: asking for the body, replying.
 *
 * Everything here may be called from any callback on the loop's thread, so nothing closes the
 * connection or goes on to the next request: that is marked and deferred (http_conn.c). Once the
 * reply ended or the connection died, the functions do nothing.
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>

static struct http_conn *conn_of(struct http_req *req)
{
    return CONTAINER_OF(req, struct http_conn, req);
}

struct str http_header(const struct http_req *req, struct str name)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (str_eq_nocase(req->headers[i].name, name))
            return req->headers[i].value;
    return STR_NONE;
}

int *http_conn_mark(struct http_req *req)
{
    return &conn_of(req)->mark;
}

enum err http_conn_ends(const struct http_req *req, struct sockaddr_storage *ret_local,
                        struct sockaddr_storage *ret_peer)
{
    const struct http_conn *c = CONTAINER_OF(req, const struct http_conn, req);
    int local_len = sizeof *ret_local, peer_len = sizeof *ret_peer;
    memset(ret_local, 0, sizeof *ret_local);
    memset(ret_peer, 0, sizeof *ret_peer);
    return uv_tcp_getsockname(&c->tcp, (struct sockaddr *)ret_local, &local_len) == 0 &&
                   uv_tcp_getpeername(&c->tcp, (struct sockaddr *)ret_peer, &peer_len) == 0
               ? ERR_OK
               : ERR_CLOSED;
}

void http_vouch(struct http_req *req)
{
    struct http_conn *c = conn_of(req);
    if (!list_linked(&c->stranger))
        return;
    list_remove(&c->stranger);
    atomic_fetch_sub(&c->shard->server->n_strangers, 1);
}

bool http_vouched(const struct http_req *req)
{
    return !list_linked(&CONTAINER_OF(req, struct http_conn, req)->stranger);
}

void http_body_start(struct http_req *req, uint64_t max,
                     void (*on_body)(struct http_req *req, const void *p, size_t len, bool last,
                                     enum err err))
{
    struct http_conn *c = conn_of(req);
    if (!http_conn_busy(c))
        return;
    assert(!c->body_wanted);
    c->on_body = on_body;
    c->body_max = max;
    c->body_wanted = true;
    c->body_ms = http_conn_now(c);
    /* A body that is refused for its length is not asked for. */
    if (req->expect_continue && !c->continue_sent && !c->reply_started && c->in.len == 0 &&
        (req->chunked || (uint64_t)req->content_length <= max))
        http_conn_continue(c);
    http_conn_defer(c);
}

void http_body_pause(struct http_req *req)
{
    struct http_conn *c = conn_of(req);
    if (!c->body_paused)
        c->pause_ms = http_conn_now(c);
    c->body_paused = true;
}

void http_body_resume(struct http_req *req)
{
    struct http_conn *c = conn_of(req);
    if (c->body_paused)
        c->body_ms += http_conn_now(c) - c->pause_ms;
    c->body_paused = false;
    if (http_conn_busy(c))
        http_conn_defer(c);
}

/* --- http.h: reply ---------------------------------------------------------------------------- */

/* Whether the connection can carry another request after this reply; before the reply's head. */
static void decide_close(struct http_conn *c)
{
    if (c->body_read)
        return;
    if (c->body_failed || (c->req.expect_continue && !c->continue_sent) ||
        (!c->req.chunked && c->body_left > HTTP_DRAIN_MAX))
        c->close_after = c->unread = true;
}

static bool status_bodyless(int status)
{
    return status == 204 || status == 304;
}

static struct http_reply_head reply_head(struct http_conn *c, int status,
                                         const struct http_header *headers, size_t n_headers,
                                         int64_t length)
{
    bool is_head = str_eq(c->req.method, STR("HEAD"));
    c->reply_bodyless = is_head || status_bodyless(status);
    c->reply_started = true;
    if (length < 0 && c->req.minor_version == 0)
        c->close_after = true; /* the end of the connection is the end of the body */
    decide_close(c);
    return (struct http_reply_head){
        .status = status,
        .headers = headers,
        .n_headers = n_headers,
        .length = status_bodyless(status) ? -1 : length,
        .chunked = length < 0 && c->req.minor_version > 0 && !status_bodyless(status),
        .close = c->close_after,
        .is_head = is_head,
        .date = http_shard_date(c->shard),
    };
}

static void reply_end(struct http_conn *c)
{
    c->reply_ended = true;
    http_conn_defer(c);
}

void http_reply(struct http_req *req, int status, const struct http_header *headers,
                size_t n_headers, struct str body)
{
    struct http_conn *c = conn_of(req);
    if (!http_conn_busy(c))
        return;
    assert(!c->reply_started && status >= 200 && status <= 599);
    struct http_reply_head head = reply_head(c, status, headers, n_headers, (int64_t)body.len);
    if (c->reply_bodyless)
        body.len = 0;
    if (http_conn_compose(c, &head)) {
        struct buf *out = &c->shard->out;
        bool one = body.len <= HTTP_COPY_MAX;
        if (one)
            buf_add_str(out, body);
        uv_buf_t bufs[2] = {http_buf(out->p, out->len), http_buf(body.p, body.len)};
        if (buf_err(out) == ERR_OK)
            http_conn_write(c, bufs, one ? 1 : 2);
        else
            http_conn_fail(c);
    }
    reply_end(c);
}

void http_reply_start(struct http_req *req, int status, const struct http_header *headers,
                      size_t n_headers, int64_t length)
{
    struct http_conn *c = conn_of(req);
    if (!http_conn_busy(c))
        return;
    assert(!c->reply_started && status >= 200 && status <= 599);
    struct http_reply_head head = reply_head(c, status, headers, n_headers, length);
    c->reply_chunked = head.chunked;
    c->reply_left = length < 0 ? -1 : length;
    if (!http_conn_compose(c, &head))
        return;
    uv_buf_t b = http_buf(c->shard->out.p, c->shard->out.len);
    http_conn_write(c, &b, 1);
}

bool http_reply_write(struct http_req *req, const void *p, size_t len)
{
    struct http_conn *c = conn_of(req);
    if (!http_conn_busy(c))
        return true;
    assert(c->reply_started);
    if (len > 0 && !c->reply_bodyless) {
        if (c->reply_chunked) {
            char line[24];
            int n = snprintf(line, sizeof(line), "%zx\r\n", len);
            uv_buf_t bufs[3] = {http_buf(line, (size_t)n), http_buf(p, len), http_buf("\r\n", 2)};
            http_conn_write(c, bufs, 3);
        } else {
            assert(c->reply_left < 0 || len <= (uint64_t)c->reply_left);
            if (c->reply_left >= 0)
                c->reply_left -= (int64_t)len;
            uv_buf_t b = http_buf(p, len);
            http_conn_write(c, &b, 1);
        }
    }
    /* On a broken connection the writer is to wait too: on_close is about to come. */
    c->drain_wanted = c->queued > HTTP_WRITE_HIGH || c->failed;
    return !c->drain_wanted;
}

void http_reply_on_drain(struct http_req *req, void (*on_drain)(struct http_req *req))
{
    conn_of(req)->on_drain = on_drain;
}

void http_reply_end(struct http_req *req)
{
    struct http_conn *c = conn_of(req);
    if (!http_conn_busy(c))
        return;
    assert(c->reply_started);
    if (c->reply_chunked && !c->reply_bodyless) {
        uv_buf_t b = http_buf("0\r\n\r\n", 5);
        http_conn_write(c, &b, 1);
    }
    if (!c->reply_bodyless && c->reply_left > 0) {
        http_reply_abort(req);
        return;
    }
    reply_end(c);
}

void http_reply_abort(struct http_req *req)
{
    struct http_conn *c = conn_of(req);
    if (!http_conn_busy(c))
        return;
    /* A reset, because an orderly close would look like the end of a body without a length. */
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    c->reply_ended = true;
    http_conn_fail(c);
}
