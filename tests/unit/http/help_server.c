#include "help_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"

/* --- handler ---------------------------------------------------------------------------------- */

struct state {
    struct fixture *f;
    struct buf body;
    struct io_timer timer;
    struct http_req *req;
    uint64_t left;
};

static void note(struct fixture *f, _Atomic int *counter)
{
    pthread_mutex_lock(&f->lock);
    atomic_fetch_add(counter, 1);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void reply_text(struct http_req *req, int status, const char *text)
{
    const struct http_header type = {STR("Content-Type"), STR("text/plain")};
    http_reply(req, status, &type, 1, str_c(text));
}

static void on_echo(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct state *s = req->user;
    if (err != ERR_OK) {
        reply_text(req, err == ERR_LIMIT ? 413 : 400, err_name(err));
        return;
    }
    buf_add(&s->body, p, len);
    if (last)
        http_reply(req, 200, NULL, 0, buf_str(&s->body));
}

static void on_resume_timer(struct io_timer *t)
{
    http_body_resume(t->arg);
}

static void stop_timer(void *arg)
{
    io_timer_stop(arg);
}

static void on_slow(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct state *s = req->user;
    if (err == ERR_OK && !last) {
        http_body_pause(req);
        if (io_timer_start(&s->timer, 0) != ERR_OK)
            http_body_resume(req);
    }
    on_echo(req, p, len, last, err);
}

static void on_early(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    reply_text(req, 200, "early");
}

static void on_trailer(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct state *s = req->user;
    if (err != ERR_OK) {
        on_echo(req, p, len, last, err);
    } else if (last) {
        for (size_t i = 0; i < req->n_trailers; i++)
            buf_add_fmt(&s->body, STR_FMT "=" STR_FMT ";", STR_ARG(req->trailers[i].name),
                        STR_ARG(req->trailers[i].value));
        http_reply(req, 200, NULL, 0, buf_str(&s->body));
    }
}

static void stream_more(struct http_req *req)
{
    static const char block[50000];
    struct state *s = req->user;
    while (s->left > 0) {
        size_t n = s->left < sizeof(block) ? (size_t)s->left : sizeof(block);
        s->left -= n;
        atomic_fetch_add(&s->f->streamed, n);
        if (!http_reply_write(req, block, n) && s->left > 0)
            return;
    }
    http_reply_end(req);
}

static void begin_stream(struct http_req *req, int64_t length)
{
    struct state *s = req->user;
    s->left = s->f->stream_bytes;
    http_reply_start(req, 200, NULL, 0, length);
    http_reply_on_drain(req, stream_more);
    stream_more(req);
}

static void on_late_timer(struct io_timer *t)
{
    reply_text(t->arg, 200, "late");
}

static void reply_fields(struct http_req *req)
{
    struct state *s = req->user;
    buf_add_fmt(&s->body, STR_FMT " " STR_FMT " %lld;", STR_ARG(req->method), STR_ARG(req->target),
                (long long)req->content_length);
    for (size_t i = 0; i < req->n_headers; i++)
        buf_add_fmt(&s->body, STR_FMT "=" STR_FMT ";", STR_ARG(req->headers[i].name),
                    STR_ARG(req->headers[i].value));
    http_reply(req, 200, NULL, 0, buf_str(&s->body));
}

static void reply_other(struct http_req *req)
{
    const struct http_header evil = {STR("X-Evil"), STR("a\r\nSet-Cookie: b\0c")};
    if (str_eq(req->path, STR("/known"))) {
        http_vouch(req);
        assert_true(http_vouched(req));
        reply_text(req, 200, "known");
    } else if (str_eq(req->path, STR("/short"))) {
        http_reply_start(req, 200, NULL, 0, 10);
        (void)http_reply_write(req, "12345", 5);
        http_reply_end(req);
    } else if (str_eq(req->path, STR("/abort"))) {
        http_reply_start(req, 200, NULL, 0, -1);
        (void)http_reply_write(req, "12345", 5);
        http_reply_abort(req);
    } else if (str_eq(req->path, STR("/fields"))) {
        reply_fields(req);
    } else if (str_eq(req->path, STR("/inject"))) {
        http_reply(req, 200, &evil, 1, STR("x"));
    } else if (str_eq(req->path, STR("/none"))) {
        http_reply(req, 204, NULL, 0, STR_NONE);
    } else if (!str_eq(req->path, STR("/hold"))) {
        reply_text(req, 404, "no such path");
    }
}

static void on_request(void *ctx, struct http_req *req)
{
    struct fixture *f = ctx;
    struct state *s = ARENA_NEW(req->arena, struct state);
    if (!s) {
        reply_text(req, 503, "no memory");
        return;
    }
    s->f = f;
    s->req = req;
    req->user = s;
    buf_init_arena(&s->body, req->arena, 64 * 1024 * 1024);
    bool late = str_eq(req->path, STR("/late"));
    io_timer_init(&s->timer, req->loop, late ? on_late_timer : on_resume_timer, req);
    if (arena_on_release(req->arena, stop_timer, &s->timer) != ERR_OK) {
        reply_text(req, 503, "no memory");
        return;
    }
    if (str_eq(req->path, STR("/hello")))
        reply_text(req, 200, "hello");
    else if (str_eq(req->path, STR("/echo")))
        http_body_start(req, UINT64_MAX, on_echo);
    else if (str_eq(req->path, STR("/small")))
        http_body_start(req, 10, on_echo);
    else if (str_eq(req->path, STR("/slow")))
        http_body_start(req, UINT64_MAX, on_slow);
    else if (str_eq(req->path, STR("/early")))
        http_body_start(req, UINT64_MAX, on_early);
    else if (str_eq(req->path, STR("/trailer")))
        http_body_start(req, UINT64_MAX, on_trailer);
    else if (str_eq(req->path, STR("/ignore")))
        reply_text(req, 200, "ignored");
    else if (str_eq(req->path, STR("/stream")))
        begin_stream(req, (int64_t)f->stream_bytes);
    else if (str_eq(req->path, STR("/chunks")))
        begin_stream(req, -1);
    else if (late && io_timer_start(&s->timer, 1) != ERR_OK)
        reply_text(req, 503, "no memory");
    else if (!late)
        reply_other(req);
    note(f, &f->requests);
}

static void on_close(void *ctx, struct http_req *req)
{
    struct fixture *f = ctx;
    note(f, &f->closes);
}

/* --- fixture ---------------------------------------------------------------------------------- */

void fixture_init(struct fixture *f, size_t n_loops)
{
    memset(f, 0, sizeof(*f));
    f->n_loops = n_loops;
    f->cfg.host = "127.0.0.1";
    f->cfg.handler = (struct http_handler){f, on_request, on_close};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
}

void fixture_start(struct fixture *f)
{
    char why[256];
    for (size_t i = 0; i < f->n_loops; i++)
        assert_int_equal(io_loop_new((int)i, &f->loops[i]), ERR_OK);
    f->cfg.loops = f->loops;
    f->cfg.n_loops = f->n_loops;
    if (http_server_new(&f->cfg, &f->server, why, sizeof(why)) != ERR_OK)
        fail_msg("%s", why);
    for (size_t i = 0; i < f->n_loops; i++)
        assert_int_equal(io_loop_start(f->loops[i]), ERR_OK);
}

static void on_drained(void *arg)
{
    struct fixture *f = arg;
    pthread_mutex_lock(&f->lock);
    f->drained = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void fixture_drain_begin(struct fixture *f, int64_t grace_ms)
{
    http_server_drain(f->server, grace_ms, on_drained, f);
}

static void wait_changed(struct fixture *f)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    if (pthread_cond_timedwait(&f->changed, &f->lock, &until) == ETIMEDOUT) {
        pthread_mutex_unlock(&f->lock);
        fail_msg("waited %d s for an event", PATIENCE_S);
    }
}

void fixture_drain_wait(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->drained)
        wait_changed(f);
    pthread_mutex_unlock(&f->lock);
}

void fixture_drain(struct fixture *f, int64_t grace_ms)
{
    fixture_drain_begin(f, grace_ms);
    fixture_drain_wait(f);
}

void fixture_stop(struct fixture *f)
{
    if (!f->drained)
        fixture_drain(f, 0);
    for (size_t i = 0; i < f->n_loops; i++)
        io_loop_stop(f->loops[i]);
    for (size_t i = 0; i < f->n_loops; i++)
        io_loop_free(f->loops[i]);
    assert_int_equal(http_server_connections(f->server), 0);
    http_server_free(f->server);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
}

void mark(struct fixture *f)
{
    note(f, &f->marks);
}

static void wait_counter(struct fixture *f, _Atomic int *counter, int n)
{
    pthread_mutex_lock(&f->lock);
    while (atomic_load(counter) < n)
        wait_changed(f);
    pthread_mutex_unlock(&f->lock);
}

void wait_requests(struct fixture *f, int n)
{
    wait_counter(f, &f->requests, n);
}

void wait_marks(struct fixture *f, int n)
{
    wait_counter(f, &f->marks, n);
}

void wait_closes(struct fixture *f, int n)
{
    wait_counter(f, &f->closes, n);
}

/* --- client ----------------------------------------------------------------------------------- */

int dial(const struct fixture *f)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(f->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = PATIENCE_S};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

void send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0)
            return; /* the server closed: what it said will be read */
        p += n;
        len -= (size_t)n;
    }
}

void send_text(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

size_t read_up_to(int fd, char *p, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = recv(fd, p + got, len - got, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            fail_msg("nothing came for %d s", PATIENCE_S);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

bool at_end(int fd)
{
    char c;
    return read_up_to(fd, &c, 1) == 0;
}

/* One byte at a time, so that nothing of the next reply is taken. */
static bool read_line(int fd, char *line, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && read_up_to(fd, line + n, 1) == 1) {
        if (line[n++] == '\n') {
            line[n] = '\0';
            return true;
        }
    }
    line[n] = '\0';
    return false;
}

static size_t read_chunked(int fd, char *body, size_t size)
{
    size_t at = 0;
    char line[64];
    for (;;) {
        assert_true(read_line(fd, line, sizeof(line)));
        size_t n = strtoul(line, NULL, 16);
        assert_true(at + n < size);
        assert_int_equal(read_up_to(fd, body + at, n), n);
        at += n;
        assert_true(read_line(fd, line, sizeof(line)));
        if (n == 0)
            return at;
    }
}

int read_reply(int fd, char *head, size_t head_size, char *body, size_t body_size, size_t *ret_len)
{
    size_t n = 0;
    body[0] = '\0';
    *ret_len = 0;
    for (;;) {
        char *line = head + n;
        if (!read_line(fd, line, head_size - n))
            return 0;
        n += strlen(line);
        if (strcmp(line, "\r\n") == 0)
            break;
    }
    int status = atoi(head + strlen("HTTP/1.1 "));
    const char *cl = strstr(head, "Content-Length: ");
    size_t len = 0;
    if (strstr(head, "Transfer-Encoding: chunked"))
        len = read_chunked(fd, body, body_size);
    else if (cl) {
        len = strtoul(cl + strlen("Content-Length: "), NULL, 10);
        assert_true(len < body_size);
        assert_int_equal(read_up_to(fd, body, len), len);
    }
    body[len] = '\0';
    *ret_len = len;
    return status;
}
