/* HTTP/2 (RFC 9113) on a connection whose TLS session agreed on it. nghttp2 does frames, header
 * compression, stream states and flow control; this file moves bytes in and out of it, knows when which
 * stream has to be looked at, and ends the connection.
 *
 *   open (first plaintext) --> streams come and go --GOAWAY: drain, idle--> no stream left --> finished
 *                                 `-- broken: the peer broke the protocol or cost too much --> finished
 *
 * Safe points: handlers run inside nghttp2's callbacks, where streams may be changed and frames be
 * submitted, but not be made. All else is done in http_h2_run, when input was worked on or before the
 * loop next waits.
 *
 * Against peers that mean harm: see http_h2_int.h for the limits, http_h2_guard.c for what costs patience.
 * nghttp2 itself bounds frames (16 KiB) and CONTINUATION frames of a block.
 *
 * Layer: http. Thread: the shard's loop. */
#include "base/mem.h"
#include "http/http_h2_int.h"

#include <assert.h>

static struct http_h2_stream *stream_by_id(struct http_h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

/* Says why, sends what is still to be sent, and ends. */
static void give_up(struct http_h2 *h2, uint32_t code)
{
    if (h2->broken)
        return;
    h2->broken = true;
    if (nghttp2_session_terminate_session(h2->session, code) != 0)
        http_conn_fail(h2->conn);
}

static void spend(struct http_h2 *h2, int cost)
{
    if (!http_h2_guard_spend(&h2->guard, http_conn_now(h2->conn), cost))
        give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* --- nghttp2's callbacks ---------------------------------------------------------------------- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    if (hd->type == NGHTTP2_RST_STREAM)
        spend(user, HTTP_H2_COST_RESET);
    else if (hd->type != NGHTTP2_DATA ||
             (hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM)))
        spend(user, HTTP_H2_COST_FRAME);
    return 0;
}

/* Of trailers the head's limits do not matter any more. */
static void begin_trailers(struct http_h2_stream *s)
{
    int status = s->head.status;
    s->head = (struct http_h2_head){.arena = &s->x.arena,
                                    .bytes_max = HTTP_TRAILERS_MAX,
                                    .fields_max = HTTP_TRAILER_COUNT_MAX,
                                    .status = status};
    if (s->x.reply_ended)
        s->head.status = 400; /* nobody wants them: not kept */
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http_h2 *h2 = user;
    int32_t id = frame->hd.stream_id;
    struct http_h2_stream *s = stream_by_id(h2, id);
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        if (s)
            begin_trailers(s);
        return 0;
    }
    if (h2->broken)
        return 0;
    s = http_h2_stream_new(h2, id);
    if (s && nghttp2_session_set_stream_user_data(session, id, s) == 0)
        return 0;
    http_conn_fail(h2->conn);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct http_h2 *h2 = user;
    struct http_h2_stream *s = stream_by_id(h2, frame->hd.stream_id);
    if (s && !http_h2_head_add(&s->head, str_n((const char *)name, name_len),
                               str_n((const char *)value, value_len))) {
        give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return 0;
}

/* nghttp2 would leave it out: refused instead, as on a connection of HTTP/1.1. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *user)
{
    struct http_h2_stream *s = stream_by_id(user, frame->hd.stream_id);
    if (s && !s->head.status)
        s->head.status = 400;
    return 0;
}

static void frame_of_stream(struct http_h2_stream *s, const nghttp2_frame *frame)
{
    bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        http_h2_stream_request(s, ended);
        return;
    }
    if (frame->hd.type == NGHTTP2_HEADERS)
        http_h2_stream_trailers(s);
    if (ended)
        http_h2_stream_body_end(s);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http_h2 *h2 = user;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct http_h2_stream *s = stream_by_id(h2, frame->hd.stream_id);
    if (s && !h2->broken)
        frame_of_stream(s, frame);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p,
                   size_t len, void *user)
{
    struct http_h2 *h2 = user;
    struct http_h2_stream *s = stream_by_id(h2, id);
    if (s && !h2->broken)
        http_h2_stream_data(s, (const char *)p, len);
    else
        (void)nghttp2_session_consume(session, id, len);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct http_h2_stream *s = stream_by_id(user, id);
    if (s)
        http_h2_stream_closed(s);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http_h2 *h2 = user;
    const nghttp2_frame_hd *hd = &frame->hd;
    if (hd->type == NGHTTP2_RST_STREAM) {
        /* What made us break it off is the peer's doing as much as its own resets are. */
        if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
            spend(h2, HTTP_H2_COST_RESET);
        return 0;
    }
    if ((hd->type != NGHTTP2_DATA && hd->type != NGHTTP2_HEADERS) ||
        !(hd->flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    struct http_h2_stream *s = stream_by_id(h2, hd->stream_id);
    if (s)
        http_h2_stream_sent(s);
    return 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int make_session(struct http_h2 *h2)
{
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *opt = NULL;
    nghttp2_mem mem = http_h2_mem(&h2->guard);
    int r = nghttp2_session_callbacks_new(&cb);
    if (r == 0)
        r = nghttp2_option_new(&opt);
    if (r == 0) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
        nghttp2_session_callbacks_set_on_invalid_header_callback(cb, on_invalid_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
        nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
        nghttp2_option_set_no_auto_window_update(opt, 1);
        nghttp2_option_set_no_closed_streams(opt, 1);
        nghttp2_option_set_max_outbound_ack(opt, HTTP_H2_ACKS_MAX);
        nghttp2_option_set_max_settings(opt, HTTP_H2_SETTINGS_MAX);
        nghttp2_option_set_max_deflate_dynamic_table_size(opt, HTTP_H2_TABLE_MAX);
        r = nghttp2_session_server_new3(&h2->session, cb, h2, opt, &mem);
    }
    nghttp2_session_callbacks_del(cb);
    nghttp2_option_del(opt);
    return r;
}

/* Streams take turns: the client's priorities are not looked at. */
static int introduce(struct http_h2 *h2)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP_H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP_H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX},
    };
    int r = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings));
    return r ? r
             : nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                     HTTP_H2_CONN_WINDOW);
}

void http_h2_open(struct http_conn *c)
{
    struct http_h2 *h2 = mem_calloc(1, sizeof(*h2));
    c->state = CONN_STREAMS;
    if (!h2) {
        http_conn_fail(c);
        return;
    }
    h2->conn = c;
    list_init(&h2->streams);
    list_init(&h2->ready);
    h2->look_ms = INT64_MAX;
    h2->idle_ms = http_conn_now(c);
    http_h2_guard_init(&h2->guard, h2->idle_ms);
    c->h2 = h2;
    if (make_session(h2) != 0 || introduce(h2) != 0)
        http_conn_fail(c);
    else if (c->shard->draining)
        http_h2_drain(c);
}

/* --- output ----------------------------------------------------------------------------------- */

/* Makes frames while the socket takes them, and writes many together. */
static void flush(struct http_h2 *h2)
{
    struct http_conn *c = h2->conn;
    struct buf *out = &c->shard->out;
    bool more = true;
    while (more && !c->failed && c->queued <= HTTP_H2_OUT_HIGH) {
        buf_clear(out);
        while (more && out->len < HTTP_H2_OUT_BATCH) {
            const uint8_t *p;
            ssize_t n = nghttp2_session_mem_send(h2->session, &p);
            if (n < 0)
                http_conn_fail(c);
            more = n > 0;
            if (more)
                buf_add(out, p, (size_t)n);
        }
        uv_buf_t b = http_buf(out->p, out->len);
        if (buf_err(out) != ERR_OK)
            http_conn_fail(c);
        else if (out->len > 0)
            http_conn_write(c, &b, 1);
    }
}

/* Nothing is left to be done, or may be. */
static bool is_done(struct http_h2 *h2)
{
    if (nghttp2_session_want_write(h2->session))
        return false;
    return h2->broken || (h2->ending && h2->n_streams == 0) ||
           !nghttp2_session_want_read(h2->session);
}

void http_h2_run(struct http_conn *c)
{
    struct http_h2 *h2 = c->h2;
    if (c->failed)
        return;
    c->processing = true;
    do {
        struct list *e;
        while ((e = list_pop_front(&h2->ready)) != NULL)
            http_h2_stream_work(CONTAINER_OF(e, struct http_h2_stream, ready));
        flush(h2);
    } while (!list_empty(&h2->ready) && !c->failed);
    c->processing = false;
    if (!c->failed && is_done(h2)) {
        c->unread = true;
        http_conn_orphan(c);
        http_conn_finish(c);
    }
}

void http_h2_input(struct http_conn *c, const char *p, size_t len)
{
    struct http_h2 *h2 = c->h2;
    if (c->failed || h2->broken)
        return;
    c->processing = true;
    ssize_t n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)p, len);
    c->processing = false;
    if (n == NGHTTP2_ERR_NOMEM)
        http_conn_fail(c);
    else if (n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
        give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    else if (n < 0)
        give_up(h2, NGHTTP2_PROTOCOL_ERROR);
    http_h2_run(c);
}

/* --- time limits and ends --------------------------------------------------------------------- */

int64_t http_h2_deadline(const struct http_conn *c)
{
    const struct http_h2 *h2 = c->h2;
    return h2->n_streams ? h2->look_ms : h2->idle_ms + c->shard->server->cfg.idle_timeout_ms;
}

void http_h2_expire(struct http_conn *c)
{
    struct http_h2 *h2 = c->h2;
    if (h2->n_streams == 0) {
        h2->idle_ms = http_conn_now(c); /* or this would come again at once, were the socket full */
        http_h2_drain(c);
        http_h2_run(c);
        return;
    }
    h2->look_ms = INT64_MAX;
    c->processing = true;
    LIST_EACH (&h2->streams, e)
        http_h2_stream_expire(CONTAINER_OF(e, struct http_h2_stream, link));
    c->processing = false;
    http_h2_run(c);
    LIST_EACH (&h2->streams, e)
        h2->look_ms = min_i64(
            h2->look_ms, http_h2_stream_deadline(CONTAINER_OF(e, struct http_h2_stream, link)));
}

void http_h2_drain(struct http_conn *c)
{
    struct http_h2 *h2 = c->h2;
    if (!h2->ending && nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                                             nghttp2_session_get_last_proc_stream_id(h2->session),
                                             NGHTTP2_NO_ERROR, NULL, 0) != 0)
        http_conn_fail(c);
    h2->ending = true;
    http_conn_defer(c);
}
