/* The handler's side of http.h: asking for the body, replying.
 *
 * Everything here may be called from any callback on the loop's thread, so nothing closes the
 * connection or goes on to the next request: that is marked and deferred (http_conn.c). How bytes are
 * framed is behind struct http_framing. Once the
 * reply ended or the connection died, the functions do nothing.
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

#include <assert.h>

static struct http_exchange *exchange_of(const struct http_req *req)
{
    return CONTAINER_OF((struct http_req *)(uintptr_t)req, struct http_exchange, req);
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
    return &exchange_of(req)->conn->mark;
}

enum err http_conn_ends(const struct http_req *req, struct sockaddr_storage *ret_local,
                        struct sockaddr_storage *ret_peer)
{
    const uv_tcp_t *tcp = &exchange_of(req)->conn->tcp;
    int local_len = sizeof *ret_local, peer_len = sizeof *ret_peer;
    memset(ret_local, 0, sizeof *ret_local);
    memset(ret_peer, 0, sizeof *ret_peer);
    return uv_tcp_getsockname(tcp, (struct sockaddr *)ret_local, &local_len) == 0 &&
                   uv_tcp_getpeername(tcp, (struct sockaddr *)ret_peer, &peer_len) == 0
               ? ERR_OK
               : ERR_CLOSED;
}

void http_vouch(struct http_req *req)
{
    struct http_conn *c = exchange_of(req)->conn;
    if (!list_linked(&c->stranger))
        return;
    list_remove(&c->stranger);
    atomic_fetch_sub(&c->shard->server->n_strangers, 1);
}

bool http_vouched(const struct http_req *req)
{
    return !list_linked(&exchange_of(req)->conn->stranger);
}

/* --- http.h: request body --------------------------------------------------------------------- */

void http_body_start(struct http_req *req, uint64_t max,
                     void (*on_body)(struct http_req *req, const void *p, size_t len, bool last,
                                     enum err err))
{
    struct http_exchange *x = exchange_of(req);
    if (!http_exchange_busy(x))
        return;
    assert(!x->body_wanted);
    x->on_body = on_body;
    x->body_max = max;
    x->body_wanted = true;
    x->body_ms = http_conn_now(x->conn);
    /* A body that is refused for its length is not asked for. */
    if (req->expect_continue && !x->continue_sent && !x->reply_started &&
        (req->chunked || (uint64_t)req->content_length <= max))
        x->framing->go_on(x);
    x->framing->changed(x);
}

void http_body_pause(struct http_req *req)
{
    struct http_exchange *x = exchange_of(req);
    if (!x->body_paused)
        x->pause_ms = http_conn_now(x->conn);
    x->body_paused = true;
}

void http_body_resume(struct http_req *req)
{
    struct http_exchange *x = exchange_of(req);
    if (x->body_paused)
        x->body_ms += http_conn_now(x->conn) - x->pause_ms;
    x->body_paused = false;
    if (http_exchange_busy(x))
        x->framing->changed(x);
}

/* --- http.h: reply ---------------------------------------------------------------------------- */

static struct http_reply_head reply_head(struct http_exchange *x, int status,
                                         const struct http_header *headers, size_t n_headers,
                                         int64_t length)
{
    bool is_head = str_eq(x->req.method, STR("HEAD"));
    assert(!x->reply_started && status >= 200 && status <= 599);
    x->reply_bodyless = is_head || http_status_bodyless(status);
    x->reply_started = true;
    return (struct http_reply_head){
        .status = status,
        .headers = headers,
        .n_headers = n_headers,
        .length = http_status_bodyless(status) ? -1 : length,
        .is_head = is_head,
        .date = http_shard_date(x->conn->shard),
    };
}

static void reply_end(struct http_exchange *x)
{
    list_remove(&x->open);
    x->reply_ended = true;
    x->framing->changed(x);
}

void http_reply(struct http_req *req, int status, const struct http_header *headers,
                size_t n_headers, struct str body)
{
    struct http_exchange *x = exchange_of(req);
    if (!http_exchange_busy(x))
        return;
    struct http_reply_head head = reply_head(x, status, headers, n_headers, (int64_t)body.len);
    if (x->reply_bodyless)
        body.len = 0;
    x->framing->whole(x, &head, body);
    reply_end(x);
}

void http_reply_start(struct http_req *req, int status, const struct http_header *headers,
                      size_t n_headers, int64_t length)
{
    struct http_exchange *x = exchange_of(req);
    if (!http_exchange_busy(x))
        return;
    struct http_reply_head head = reply_head(x, status, headers, n_headers, length);
    x->reply_left = length < 0 ? -1 : length;
    x->framing->head(x, &head);
}

bool http_reply_write(struct http_req *req, const void *p, size_t len)
{
    struct http_exchange *x = exchange_of(req);
    if (!http_exchange_busy(x))
        return true;
    assert(x->reply_started);
    if (len > 0 && !x->reply_bodyless) {
        assert(x->reply_left < 0 || len <= (uint64_t)x->reply_left);
        if (x->reply_left >= 0)
            x->reply_left -= (int64_t)len;
        x->framing->data(x, p, len);
    }
    /* On a broken connection the writer is to wait too: on_close is about to come. */
    x->drain_wanted = x->framing->waiting(x) > HTTP_WRITE_HIGH || x->conn->failed;
    return !x->drain_wanted;
}

void http_reply_on_drain(struct http_req *req, void (*on_drain)(struct http_req *req))
{
    exchange_of(req)->on_drain = on_drain;
}

void http_reply_end(struct http_req *req)
{
    struct http_exchange *x = exchange_of(req);
    if (!http_exchange_busy(x))
        return;
    assert(x->reply_started);
    if (!x->reply_bodyless && x->reply_left > 0) {
        http_reply_abort(req);
        return;
    }
    x->framing->last(x);
    reply_end(x);
}

void http_reply_abort(struct http_req *req)
{
    struct http_exchange *x = exchange_of(req);
    if (!http_exchange_busy(x))
        return;
    x->framing->abort(x);
    reply_end(x);
}
