#include "help_h2.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct h2_call *call_of(struct h2_client *c, int32_t id)
{
    for (size_t i = 0; i < c->n_calls; i++)
        if (c->calls[i].id == id)
            return &c->calls[i];
    return NULL;
}

/* --- nghttp2's callbacks ---------------------------------------------------------------------- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct h2_call *call = call_of(user, frame->hd.stream_id);
    if (!call)
        return 0;
    if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
        int status = atoi((const char *)value);
        if (status < 200)
            call->interim++;
        else
            call->status = status;
        return 0;
    }
    buf_add(&call->head, name, name_len);
    buf_add_c(&call->head, ": ");
    buf_add(&call->head, value, value_len);
    buf_add_byte(&call->head, '\n');
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p,
                   size_t len, void *user)
{
    struct h2_call *call = call_of(user, id);
    if (call)
        buf_add(&call->body, p, len);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *c = user;
    struct h2_call *call = call_of(c, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        c->goaway = true;
        c->goaway_code = frame->goaway.error_code;
        c->goaway_last = frame->goaway.last_stream_id;
    } else if (frame->hd.type == NGHTTP2_SETTINGS) {
        c->settings_acks += frame->hd.flags & NGHTTP2_FLAG_ACK;
        for (size_t i = 0; i < frame->settings.niv; i++)
            if (frame->settings.iv[i].settings_id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
                c->streams_max = frame->settings.iv[i].value;
    } else if (frame->hd.type == NGHTTP2_PING) {
        c->pings++;
    } else if (call && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
               (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS)) {
        call->ended = true;
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct h2_call *call = call_of(user, id);
    if (call) {
        call->closed = true;
        call->code = code;
    }
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *p, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct h2_call *call = call_of(user, id);
    size_t n = min_size(size, call->send_len - call->sent);
    if (n == 0 && call->holds_back) {
        call->sleeps = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(p, call->send + call->sent, n);
    call->sent += n;
    if (call->sent == call->send_len && !call->holds_back)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* --- client ----------------------------------------------------------------------------------- */

void h2_open(struct h2_client *c, const struct fixture *f, int32_t window)
{
    nghttp2_session_callbacks *cb;
    nghttp2_option *opt;
    memset(c, 0, sizeof(*c));
    assert_true(client_open(&c->tls, f, TLS1_3_VERSION, "\x02h2"));
    nghttp2_session_callbacks_new(&cb);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_option_new(&opt);
    nghttp2_option_set_no_http_messaging(opt, 1); /* it may say what is not allowed */
    nghttp2_option_set_no_auto_window_update(opt, window != 0);
    assert_int_equal(nghttp2_session_client_new2(&c->session, cb, c, opt), 0);
    nghttp2_session_callbacks_del(cb);
    nghttp2_option_del(opt);
    const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                          window ? (uint32_t)window : INT32_MAX};
    assert_int_equal(nghttp2_submit_settings(c->session, 0, &entry, 1), 0);
    assert_int_equal(nghttp2_session_set_local_window_size(c->session, 0, 0, INT32_MAX), 0);
}

void h2_close(struct h2_client *c)
{
    nghttp2_session_del(c->session);
    for (size_t i = 0; i < c->n_calls; i++) {
        buf_release(&c->calls[i].head);
        buf_release(&c->calls[i].body);
    }
    client_close(&c->tls);
}

struct h2_call *h2_call_fields(struct h2_client *c, const char *fields, const char *send,
                               size_t len)
{
    static nghttp2_nv nv[4096];
    size_t n = 0;
    assert_true(c->n_calls < H2_CALLS_MAX);
    struct h2_call *call = &c->calls[c->n_calls++];
    buf_init(&call->head, 1 << 20);
    buf_init(&call->body, 1 << 28);
    call->send = send;
    call->send_len = len;
    for (const char *p = fields, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        const char *colon = strchr(p + 1, ':');
        assert_true(end && colon && colon < end && n < ARRAY_LEN(nv));
        nv[n++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)p,
                               .namelen = (size_t)(colon - p),
                               .value = (uint8_t *)(uintptr_t)(colon + 2),
                               .valuelen = (size_t)(end - colon - 2)};
    }
    nghttp2_data_provider from = {.read_callback = read_body};
    call->id = nghttp2_submit_request(c->session, NULL, nv, n, send ? &from : NULL, NULL);
    assert_true(call->id > 0);
    return call;
}

struct h2_call *h2_call(struct h2_client *c, const char *method, const char *path, const char *send,
                        size_t len)
{
    char fields[512];
    snprintf(fields, sizeof(fields), ":method: %s\n:scheme: https\n:authority: h\n:path: %s\n",
             method, path);
    return h2_call_fields(c, fields, send, len);
}

void h2_wake(struct h2_client *c, struct h2_call *call)
{
    call->holds_back = false;
    if (call->sleeps)
        assert_int_equal(nghttp2_session_resume_data(c->session, call->id), 0);
}

void h2_raw(struct h2_client *c, const void *p, size_t len)
{
    size_t n;
    ERR_clear_error();
    if (!c->end && SSL_write_ex(c->tls.ssl, p, len, &n) != 1)
        c->end = true; /* the server closed: what it said will be read */
}

void h2_flush(struct h2_client *c)
{
    const uint8_t *p;
    ssize_t n;
    while ((n = nghttp2_session_mem_send(c->session, &p)) > 0)
        h2_raw(c, p, (size_t)n);
    assert_int_equal(n, 0);
}

void h2_step(struct h2_client *c)
{
    uint8_t block[16384];
    size_t n;
    h2_flush(c);
    ERR_clear_error();
    if (SSL_read_ex(c->tls.ssl, block, sizeof(block), &n) != 1) {
        c->end = true;
        return;
    }
    assert_int_equal(nghttp2_session_mem_recv(c->session, block, n), n);
    h2_flush(c);
}

void h2_until_closed(struct h2_client *c, const struct h2_call *call)
{
    while (!call->closed) {
        h2_step(c);
        if (c->end && !call->closed)
            fail_msg("the connection ended before stream %d did", call->id);
    }
}

void h2_until_end(struct h2_client *c)
{
    while (!c->end)
        h2_step(c);
}

bool h2_says(const struct h2_call *call, const char *begin)
{
    struct str rest = buf_str(&call->head);
    while (rest.len > 0)
        if (str_starts(str_cut(&rest, '\n'), str_c(begin)))
            return true;
    return false;
}

bool h2_has(const struct h2_call *call, const char *line)
{
    struct str rest = buf_str(&call->head);
    while (rest.len > 0)
        if (str_eq_c(str_cut(&rest, '\n'), line))
            return true;
    return false;
}

void h2_expect(struct h2_client *c, struct h2_call *call, int status, const char *body)
{
    h2_until_closed(c, call);
    assert_int_equal(call->status, status);
    assert_true(str_eq_c(buf_str(&call->body), body));
    assert_true(call->ended);
}
