/* A stream of HTTP/2: one exchange, its body in and its reply out.
 *
 * What handlers do is only submitted to nghttp2, or noted; frames are made and streams freed at safe
 * points (http_h2.c), never inside a handler's call.
 *
 * Flow control. In: the stream's window is given back as its handler takes the body, so a handler that
 * pauses stops its own stream and no other; the connection's at once, while the server holds less than
 * HTTP_H2_KEPT_MAX, so that memory stays bounded (H3). Out: what the peer does not let go waits in
 * `out`, and writers wait over HTTP_WRITE_HIGH.
 *
 * Layer: http. Thread: the shard's loop. */
#include "base/mem.h"
#include "http/http_h2_int.h"

#include <assert.h>
#include <stdio.h>

enum { OUT_KEEP_MAX = 16 * 1024 };

static struct http_h2_stream *stream_of(const struct http_exchange *x)
{
    return CONTAINER_OF((struct http_exchange *)(uintptr_t)x, struct http_h2_stream, x);
}

/* To be looked at when the handler has returned. */
static void ready(struct http_h2_stream *s)
{
    if (!list_linked(&s->ready))
        list_push_back(&s->h2->ready, &s->ready);
    http_conn_defer(s->h2->conn);
}

/* --- time limits ------------------------------------------------------------------------------ */

static size_t out_left(const struct http_h2_stream *s)
{
    return s->out.len - s->out_at;
}

int64_t http_h2_stream_deadline(const struct http_h2_stream *s)
{
    const struct http_server_config *cfg = &s->h2->conn->shard->server->cfg;
    if (s->broken)
        return INT64_MAX;
    if (!s->begun)
        return s->phase_ms + cfg->head_timeout_ms;
    if (out_left(s) > 0)
        return s->moved_ms + cfg->write_timeout_ms;
    if (http_exchange_busy(&s->x))
        return http_exchange_wants(&s->x) ? http_exchange_body_deadline(&s->x) : INT64_MAX;
    return s->over ? s->phase_ms + cfg->body_timeout_ms : INT64_MAX;
}

/* After a change that may bring the time limit nearer. */
static void touch(struct http_h2_stream *s)
{
    s->h2->look_ms = min_i64(s->h2->look_ms, http_h2_stream_deadline(s));
}

static void break_off(struct http_h2_stream *s, uint32_t code)
{
    if (s->gone || s->broken)
        return;
    s->broken = true;
    if (nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, code) != 0)
        http_conn_fail(s->h2->conn);
    http_conn_defer(s->h2->conn);
}

/* --- reply: what is framed -------------------------------------------------------------------- */

static void drop_output(struct http_h2_stream *s)
{
    size_t left = out_left(s);
    buf_clear(&s->out);
    s->out_at = 0;
    if (left)
        http_conn_unhold(s->h2->conn, left);
}

/* nghttp2 wants up to `size` bytes of the body for a frame. */
static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *p, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct http_h2_stream *s = source->ptr;
    size_t n = min_size(size, out_left(s));
    if (n == 0 && !s->out_last) {
        s->out_asleep = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n > 0) {
        memcpy(p, s->out.p + s->out_at, n);
        s->out_at += n;
        s->moved_ms = http_conn_now(s->h2->conn);
        http_conn_unhold(s->h2->conn, n);
        http_h2_guard_bytes(&s->h2->guard, n);
        if (out_left(s) == 0 || s->out_at > s->out.len / 2 + HTTP_H2_OUT_BATCH) {
            buf_drop_front(&s->out, s->out_at);
            s->out_at = 0;
        }
    }
    if (out_left(s) == 0 && s->out_last)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (out_left(s) == 0)
        touch(s);
    if (s->x.drain_wanted && out_left(s) <= HTTP_WRITE_HIGH / 2)
        ready(s);
    return (ssize_t)n;
}

static void wake_output(struct http_h2_stream *s)
{
    if (!s->out_asleep || s->gone)
        return;
    s->out_asleep = false;
    if (nghttp2_session_resume_data(s->h2->session, s->id) != 0)
        http_conn_fail(s->h2->conn);
}

static void add_output(struct http_h2_stream *s, const void *p, size_t len)
{
    if (len == 0)
        return;
    if (out_left(s) == 0)
        s->moved_ms = http_conn_now(s->h2->conn);
    buf_add(&s->out, p, len);
    if (buf_err(&s->out) != ERR_OK) {
        http_conn_fail(s->h2->conn);
        return;
    }
    http_conn_hold(s->h2->conn, len);
    touch(s);
}

/* --- reply: head ------------------------------------------------------------------------------ */

static nghttp2_nv pair(struct str name, struct str value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.p,
                        .value = (uint8_t *)(uintptr_t)value.p,
                        .namelen = name.len,
                        .valuelen = value.len};
}

/* Those that RFC 9113 section 8.2.2 forbids, beside those that the framing writes itself. */
static bool is_connections(struct str name)
{
    static const struct str names[] = {STR_INIT("keep-alive"), STR_INIT("proxy-connection"),
                                       STR_INIT("upgrade")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* A field of the handler's as it goes out: name in lower case, value without what ends lines and without
 * white space at its ends. False: it does not go out. */
static bool field_out(struct arena *a, const struct http_header *h, nghttp2_nv *ret_nv)
{
    char *text = arena_alloc(a, h->name.len + h->value.len);
    if (!text || is_connections(h->name))
        return false;
    for (size_t i = 0; i < h->name.len; i++) {
        char c = h->name.p[i];
        text[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    http_reply_value(h->value, text + h->name.len);
    struct http_header out = {str_n(text, h->name.len),
                              str_trim(str_n(text + h->name.len, h->value.len))};
    if (!http_field_valid(&(struct http_header){out.name, STR("")}))
        return false;
    *ret_nv = pair(out.name, out.value);
    return true;
}

/* The head goes to nghttp2, and says where the body will come from. */
static void submit(struct http_h2_stream *s, const struct http_reply_head *head, bool body)
{
    char status[8], length[24];
    struct http_conn *c = s->h2->conn;
    nghttp2_data_provider from = {.source.ptr = s, .read_callback = read_body};
    nghttp2_nv *nv = ARENA_ARRAY(&s->x.arena, nghttp2_nv, head->n_headers + 3);
    size_t n = 2;
    bool own_length = false;
    if (!nv) {
        http_conn_fail(c);
        return;
    }
    nv[0] = pair(STR(":status"),
                 str_n(status, (size_t)snprintf(status, sizeof(status), "%d", head->status)));
    nv[1] = pair(STR("date"), head->date);
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http_header *h = &head->headers[i];
        if (http_reply_drops(head, h) || !field_out(&s->x.arena, h, &nv[n]))
            continue;
        own_length |= str_eq_nocase(h->name, STR("content-length"));
        n++;
    }
    if (head->length >= 0 && !own_length) {
        int len = snprintf(length, sizeof(length), "%lld", (long long)head->length);
        nv[n++] = pair(STR("content-length"), str_n(length, (size_t)len));
    }
    if (s->x.arena.failed ||
        nghttp2_submit_response(s->h2->session, s->id, nv, n, body ? &from : NULL) != 0)
        http_conn_fail(c);
}

static void whole(struct http_exchange *x, struct http_reply_head *head, struct str body)
{
    struct http_h2_stream *s = stream_of(x);
    add_output(s, body.p, body.len);
    s->out_last = true;
    submit(s, head, body.len > 0);
}

/* A body that is empty ends by a frame of its own: the end of the stream is the end of the reply, and
 * that is for the handler to say. */
static void begin_reply(struct http_exchange *x, struct http_reply_head *head)
{
    submit(stream_of(x), head, true);
}

static void data(struct http_exchange *x, const void *p, size_t len)
{
    struct http_h2_stream *s = stream_of(x);
    add_output(s, p, len);
    wake_output(s);
    http_conn_defer(s->h2->conn);
}

static void last(struct http_exchange *x)
{
    struct http_h2_stream *s = stream_of(x);
    s->out_last = true;
    wake_output(s);
}

static void abort_reply(struct http_exchange *x)
{
    struct http_h2_stream *s = stream_of(x);
    drop_output(s);
    break_off(s, NGHTTP2_INTERNAL_ERROR);
}

static void go_on(struct http_exchange *x)
{
    struct http_h2_stream *s = stream_of(x);
    nghttp2_nv nv = pair(STR(":status"), STR("100"));
    x->continue_sent = true;
    if (nghttp2_submit_headers(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, &nv, 1, NULL) != 0)
        http_conn_fail(s->h2->conn);
}

static size_t waiting(const struct http_exchange *x)
{
    return out_left(stream_of(x));
}

static void changed(struct http_exchange *x)
{
    struct http_h2_stream *s = stream_of(x);
    ready(s);
    touch(s);
}

static const struct http_framing framing = {
    .whole = whole,
    .head = begin_reply,
    .data = data,
    .last = last,
    .abort = abort_reply,
    .go_on = go_on,
    .waiting = waiting,
    .changed = changed,
};

/* Answers on http's own account; the request is not with the handler. */
static void refuse(struct http_h2_stream *s, int status)
{
    const struct http_header type = {STR("content-type"), STR("text/plain")};
    char text[64];
    int n = snprintf(text, sizeof(text), "%s\n", http_reason(status));
    struct http_reply_head head = {
        .status = status,
        .headers = &type,
        .n_headers = 1,
        .length = n,
        .date = http_shard_date(s->h2->conn->shard),
    };
    s->x.reply_ended = true;
    whole(&s->x, &head, str_n(text, (size_t)n));
    ready(s);
}

/* --- request ---------------------------------------------------------------------------------- */

struct http_h2_stream *http_h2_stream_new(struct http_h2 *h2, int32_t id)
{
    struct http_h2_stream *s = h2->spare;
    h2->spare = NULL;
    if (!s) {
        s = mem_calloc(1, sizeof(*s));
        if (!s)
            return NULL;
        http_exchange_init(&s->x, h2->conn, &framing);
        s->h2 = h2;
        list_init(&s->link);
        list_init(&s->ready);
        buf_init(&s->in, HTTP_H2_STREAM_WINDOW);
        buf_init(&s->out, h2->conn->shard->server->cfg.output_max);
    }
    s->id = id;
    s->phase_ms = http_conn_now(h2->conn);
    s->x.req.start_ns = clock_mono_ns();
    s->head = (struct http_h2_head){
        .arena = &s->x.arena, .bytes_max = HTTP_HEAD_MAX, .fields_max = HTTP_HEADERS_MAX};
    list_push_back(&h2->streams, &s->link);
    h2->n_streams++;
    touch(s);
    return s;
}

void http_h2_stream_request(struct http_h2_stream *s, bool ended)
{
    struct http_req *req = &s->x.req;
    s->begun = true;
    s->x.body_read = ended;
    int status = http_h2_head_finish(&s->head, req, ended);
    if (status) {
        refuse(s, status);
        return;
    }
    req->keep_alive = true;
    if (req->expect_continue && ended)
        go_on(&s->x);
    http_exchange_begin(&s->x);
}

/* Gives windows back: the stream's, and what the connection is owed of it. */
static void give_back(struct http_h2_stream *s, size_t len, bool stream)
{
    nghttp2_session *session = s->h2->session;
    size_t owed = min_size(s->owed, len);
    s->owed -= owed;
    if ((stream && nghttp2_session_consume_stream(session, s->id, len) != 0) ||
        (owed && nghttp2_session_consume_connection(session, owed) != 0))
        http_conn_fail(s->h2->conn);
}

/* Body bytes that nobody wants: so many are let come as it is cheaper than breaking off. */
static void swallow(struct http_h2_stream *s, size_t len)
{
    s->swallowed += len;
    give_back(s, len, s->swallowed <= HTTP_DRAIN_MAX);
    if (s->swallowed > HTTP_DRAIN_MAX)
        ready(s);
}

static void keep(struct http_h2_stream *s, const char *p, size_t len)
{
    struct http_shard *shard = s->h2->conn->shard;
    buf_add(&s->in, p, len);
    if (buf_err(&s->in) != ERR_OK) { /* the window is the limit: memory it is */
        http_conn_fail(s->h2->conn);
        return;
    }
    shard->kept += len;
    if (shard->kept <= HTTP_H2_KEPT_MAX / shard->server->n_shards)
        give_back(s, s->owed, false);
}

void http_h2_stream_data(struct http_h2_stream *s, const char *p, size_t len)
{
    s->owed += len;
    http_h2_guard_bytes(&s->h2->guard, len);
    if (!http_exchange_busy(&s->x) || s->x.body_failed) {
        swallow(s, len);
    } else if (http_exchange_wants(&s->x) && s->in.len == 0 && !list_linked(&s->ready)) {
        http_exchange_tell(&s->x, p, len, false);
        give_back(s, len, true);
    } else {
        keep(s, p, len);
    }
}

void http_h2_stream_trailers(struct http_h2_stream *s)
{
    if (s->head.status)
        return;
    s->x.req.trailers = s->head.n ? s->head.fields + 1 : NULL;
    s->x.req.n_trailers = s->head.n ? s->head.n - 1 : 0;
}

void http_h2_stream_body_end(struct http_h2_stream *s)
{
    s->x.body_read = true;
    if (http_exchange_busy(&s->x))
        ready(s);
}

/* Takes the kept piece out; its bytes are valid until the next one is kept. */
static size_t take(struct http_h2_stream *s)
{
    size_t len = s->in.len;
    s->h2->conn->shard->kept -= len;
    s->in.len = 0;
    return len;
}

static void deliver(struct http_h2_stream *s)
{
    struct http_exchange *x = &s->x;
    bool bad_trailers = x->body_read && s->head.status;
    if (x->req.content_length > 0 && (uint64_t)x->req.content_length > x->body_max) {
        http_exchange_tell_error(x, ERR_LIMIT);
        return;
    }
    if (s->in.len == 0 && !x->body_read)
        return;
    if (bad_trailers) {
        http_exchange_tell_error(x, s->head.status == 431 ? ERR_LIMIT : ERR_INVALID);
        return;
    }
    size_t len = take(s);
    http_exchange_tell(x, s->in.p ? s->in.p : "", len, x->body_read);
    give_back(s, len, true);
}

/* --- ends ------------------------------------------------------------------------------------- */

void http_h2_stream_sent(struct http_h2_stream *s)
{
    s->sent = true;
    s->phase_ms = http_conn_now(s->h2->conn);
    http_h2_guard_earn(&s->h2->guard, HTTP_H2_EARN_REPLY);
    ready(s);
    touch(s);
}

void http_h2_stream_closed(struct http_h2_stream *s)
{
    s->gone = true; /* the handler hears of it at the safe point */
    ready(s);
}

/* The request is gone: so is what was kept for it. */
static void wind_up(struct http_h2_stream *s)
{
    s->over = true;
    s->phase_ms = http_conn_now(s->h2->conn);
    swallow(s, take(s));
    bool read = s->x.body_read;
    http_exchange_clear(&s->x);
    s->x.reply_ended = true;
    s->x.body_read = read;
    s->head.status = 400; /* trailers that still come are not kept */
    touch(s);
}

/* For the next stream: what it allocated is kept where it is small. */
static void put_away(struct http_h2_stream *s)
{
    struct http_h2 *h2 = s->h2;
    drop_output(s);
    list_remove(&s->link);
    list_remove(&s->ready);
    if (--h2->n_streams == 0)
        h2->idle_ms = http_conn_now(h2->conn);
    if (h2->spare || s->out.cap > OUT_KEEP_MAX || s->in.cap > OUT_KEEP_MAX) {
        http_h2_stream_free(s);
        return;
    }
    http_exchange_clear(&s->x);
    s->begun = s->over = s->sent = s->gone = s->broken = s->out_last = s->out_asleep = false;
    s->swallowed = 0;
    h2->spare = s;
}

void http_h2_stream_work(struct http_h2_stream *s)
{
    struct http_exchange *x = &s->x;
    if (s->gone)
        http_exchange_close(x);
    if (http_exchange_busy(x) && http_exchange_wants(x))
        deliver(s);
    if (http_exchange_busy(x) && (x->body_failed || x->body_told) && s->in.len > 0)
        swallow(s, take(s));
    if (out_left(s) <= HTTP_WRITE_HIGH / 2)
        http_exchange_drained(x);
    if (x->reply_ended && !s->over)
        wind_up(s);
    if (s->gone)
        put_away(s);
    else if (s->sent && !x->body_read && s->swallowed > HTTP_DRAIN_MAX)
        break_off(s,
                  NGHTTP2_NO_ERROR); /* RFC 9113 section 8.1: the reply stands without the rest */
}

void http_h2_stream_expire(struct http_h2_stream *s)
{
    struct http_exchange *x = &s->x;
    if (http_h2_stream_deadline(s) > http_conn_now(s->h2->conn))
        return;
    if (!s->begun) { /* nothing else can come before the rest of its head */
        http_conn_fail(s->h2->conn);
    } else if (http_exchange_busy(x) && !x->reply_started) {
        http_exchange_close(x);
        refuse(s, 408);
    } else {
        drop_output(s);
        break_off(s, s->sent ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
    }
}
