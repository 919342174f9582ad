/* A function's stdout and stderr: one pipe, read as lines, bounded in memory and in rate (SB4).
 *
 * A token bucket of bytes decides what is handed on; a line that finds it empty is dropped and
 * counted, and the count is told in a line of its own as soon as there is room again. The pipe is
 * always read, so a function is never stopped by what it prints.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "sandbox/sandbox_int.h"

enum {
    READS_PER_WAKE = 4, /* other instances and requests get their turn in between */
    NS_PER_MS = 1000 * 1000,
};

static void emit(struct sandbox_instance *in, struct str line)
{
    if (in->events.on_log)
        in->events.on_log(in->events.arg, in, line);
}

static void refill(struct log_reader *r)
{
    int64_t now = clock_mono_ns();
    int64_t ms = (now - r->refilled_ns) / NS_PER_MS;
    if (ms <= 0)
        return;
    r->refilled_ns += ms * NS_PER_MS;
    r->tokens =
        min_i64(SANDBOX_LOG_BURST, r->tokens + min_i64(ms, 1000 * 1000) * SANDBOX_LOG_RATE / 1000);
}

static void tell_dropped(struct sandbox_instance *in)
{
    struct log_reader *r = &in->log;
    char text[160];
    if (r->dropped_lines == 0)
        return;
    int n = snprintf(text, sizeof text,
                     "[weir] %llu log lines (%llu bytes) dropped: more than %d bytes a second",
                     (unsigned long long)r->dropped_lines, (unsigned long long)r->dropped_bytes,
                     SANDBOX_LOG_RATE);
    r->dropped_lines = r->dropped_bytes = 0;
    emit(in, str_n(text, (size_t)n));
}

/* A whole line, or a piece of one that is too long. */
static void line(struct sandbox_instance *in, struct str s, bool ends)
{
    struct log_reader *r = &in->log;
    assert(s.len <= SANDBOX_LINE_MAX && r->tokens <= SANDBOX_LOG_BURST);
    int64_t cost = (int64_t)s.len + 1;
    if (r->dropping || r->tokens < cost) {
        r->dropped_bytes += (uint64_t)cost;
        if (ends)
            r->dropped_lines++;
        r->dropping = !ends;
        return;
    }
    tell_dropped(in);
    r->tokens -= cost;
    emit(in, s);
}

static void feed(struct sandbox_instance *in, struct str bytes)
{
    struct log_reader *r = &in->log;
    while (bytes.len) {
        size_t nl = str_find(bytes, '\n');
        bool ends = nl != SIZE_MAX;
        struct str piece = str_sub(bytes, 0, ends ? nl : bytes.len);
        assert(r->line.len < SANDBOX_LINE_MAX);
        size_t room = SANDBOX_LINE_MAX - r->line.len;
        if (piece.len > room) {
            piece.len = room;
            ends = false;
        }
        bytes = str_sub(bytes, piece.len + (ends ? 1 : 0), SIZE_MAX);
        if (ends && r->line.len == 0) {
            line(in, piece, true);
            continue;
        }
        buf_add_str(&r->line, piece);
        if (buf_err(&r->line) != ERR_OK) {
            /* No memory for the line: it counts as dropped. */
            r->dropped_bytes += piece.len;
            r->dropping = true;
        }
        if (ends || r->line.len >= SANDBOX_LINE_MAX) {
            line(in, buf_str(&r->line), ends);
            buf_clear(&r->line);
        }
    }
}

/* Reads at most `max` bytes; false at the end of the pipe. */
static bool read_some(struct sandbox_instance *in, size_t max)
{
    static char bytes[SANDBOX_LOG_READ]; /* home loop only */
    struct log_reader *r = &in->log;
    refill(r);
    for (size_t total = 0; total < max && r->fd >= 0;) {
        ssize_t n = read(r->fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (n == 0)
            return false;
        feed(in, str_n(bytes, (size_t)n));
        total += (size_t)n;
    }
    return true;
}

static void stop_polling(struct log_reader *r)
{
    if (r->polling)
        uv_poll_stop(&r->poll);
    r->polling = false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct sandbox_instance *in = poll->data;
    /* Everybody closed it while the process lives (daemons close their output): nothing comes. */
    if (status < 0 || !read_some(in, READS_PER_WAKE * SANDBOX_LOG_READ))
        stop_polling(&in->log);
}

enum err sandbox_logs_open(struct sandbox_instance *in, int *ret_write_fd)
{
    struct log_reader *r = &in->log;
    int fds[2];
    assert(r->fd == -1 && !r->handle_open);
    if (pipe2(fds, O_CLOEXEC) != 0)
        return ERR_IO;
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0 ||
        uv_poll_init(io_loop_uv(core_home_loop(in->sb->core)), &r->poll, fds[0]) != 0) {
        close(fds[0]);
        close(fds[1]);
        return ERR_IO;
    }
    r->poll.data = in;
    r->handle_open = true;
    r->fd = fds[0];
    r->tokens = SANDBOX_LOG_BURST;
    r->refilled_ns = clock_mono_ns();
    buf_init(&r->line, SANDBOX_LINE_MAX + 1);
    r->polling = uv_poll_start(&r->poll, UV_READABLE, on_readable) == 0;
    *ret_write_fd = fds[1];
    return ERR_OK;
}

void sandbox_logs_drain(struct sandbox_instance *in)
{
    struct log_reader *r = &in->log;
    if (r->fd < 0)
        return;
    (void)read_some(in, SANDBOX_LOG_DRAIN_MAX);
    if (r->line.len || r->dropping)
        line(in, buf_str(&r->line), true);
    buf_clear(&r->line);
}

static void on_closed(uv_handle_t *handle)
{
    struct sandbox_instance *in = handle->data;
    assert(in->log.handle_open && in->log.fd < 0);
    in->log.handle_open = false;
    in->log.on_closed(in);
}

void sandbox_logs_close(struct sandbox_instance *in)
{
    struct log_reader *r = &in->log;
    if (r->fd < 0)
        return;
    sandbox_logs_drain(in);
    tell_dropped(in);
    stop_polling(r);
    uv_close((uv_handle_t *)&r->poll, on_closed);
    close(r->fd);
    r->fd = -1;
    buf_release(&r->line);
}
