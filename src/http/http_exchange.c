/* An exchange: a request and its reply, however they are framed.
 *
 *   clear --begin--> with the handler --reply ended (http_api.c)--> over --clear--> ...
 *                          `--close: the peer left--> over
 *
 * Layer: http. Thread: the shard's loop. */
#include "http/http_int.h"

void http_exchange_init(struct http_exchange *x, struct http_conn *c,
                        const struct http_framing *framing)
{
    memset(x, 0, sizeof(*x));
    x->conn = c;
    x->framing = framing;
    list_init(&x->open);
    arena_init(&x->arena, c->shard->server->cfg.request_arena_max);
}

void http_exchange_clear(struct http_exchange *x)
{
    arena_clear(&x->arena);
    memset(&x->req, 0, sizeof(x->req));
    x->on_body = NULL;
    x->on_drain = NULL;
    x->body_seen = x->body_max = 0;
    x->body_wanted = x->body_paused = x->body_read = x->body_told = false;
    x->body_failed = x->continue_sent = false;
    x->reply_started = x->reply_ended = x->reply_bodyless = false;
    x->drain_wanted = false;
    x->reply_left = 0;
}

void http_exchange_release(struct http_exchange *x)
{
    arena_release(&x->arena);
}

void http_exchange_begin(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    const struct http_handler *h = &c->shard->server->cfg.handler;
    struct http_req *req = &x->req;
    req->arena = &x->arena;
    req->loop = c->shard->loop;
    req->tls = c->tls != NULL;
    if (c->tls)
        req->tls_version = http_tls_version(c->tls);
    req->peer = str_c(c->peer);
    req->peer_port = c->peer_port;
    list_push_back(&c->open, &x->open);
    h->on_request(h->ctx, req);
}

void http_exchange_close(struct http_exchange *x)
{
    const struct http_handler *h = &x->conn->shard->server->cfg.handler;
    if (!http_exchange_busy(x))
        return;
    list_remove(&x->open); /* before: the handler's calls are now without effect */
    x->reply_ended = true;
    h->on_close(h->ctx, &x->req);
}

void http_exchange_tell_error(struct http_exchange *x, enum err err)
{
    x->body_told = x->body_failed = true;
    x->on_body(&x->req, NULL, 0, false, err);
}

void http_exchange_tell(struct http_exchange *x, const char *p, size_t len, bool last)
{
    if (len > x->body_max - x->body_seen) {
        http_exchange_tell_error(x, ERR_LIMIT);
        return;
    }
    x->body_seen += len;
    x->body_told = last;
    if (len > 0 || last)
        x->on_body(&x->req, p, len, last, ERR_OK);
}

/* A body that trickles must not hold its request for ever: what is wanted has to come at a rate, too. */
int64_t http_exchange_body_deadline(const struct http_exchange *x)
{
    int64_t timeout_ms = x->conn->shard->server->cfg.body_timeout_ms;
    int64_t earned_ms = (int64_t)(x->body_seen / HTTP_BODY_RATE_MIN) * 1000;
    return min_i64(http_conn_now(x->conn), x->body_ms + earned_ms) + timeout_ms;
}

void http_exchange_drained(struct http_exchange *x)
{
    if (!x->drain_wanted || !http_exchange_busy(x))
        return;
    x->drain_wanted = false;
    if (x->on_drain)
        x->on_drain(&x->req);
}
