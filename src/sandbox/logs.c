/* A function's stdout and stderr: one pipe, read as lines, bounded in memory and in rate (SB4).
 *
 * A token bucket of bytes decides what is handed on; a line that finds it empty is dropped and
 * counted, and the count is told in a line of its own as soon as there is room again. The pipe is
 * always read, so a function is never stopped by what it prints.
 *
 * A record of several lines comes as a frame in between: a55a00 and a byte of what kind, the length as
 * 4 bytes, a time as 8 (all big-endian; the last two are not needed here), then the record. It is what
 * AWS's own runtime clients write, there on a descriptor of its own; on the one pipe records and what
 * is printed stay in order. Whoever forges frames garbles its own log.
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
    FRAME_LEN_AT = 4,
};

/* What a frame begins with: no text in UTF-8 has these bytes. */
static const unsigned char FRAME_MARK[] = {0xa5, 0x5a, 0x00};

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

/* Adds to the unfinished line what fits, and hands it on when it ends or is full. How much fitted. */
static size_t gather(struct sandbox_instance *in, struct str piece, bool ends)
{
    struct log_reader *r = &in->log;
    assert(r->line.len < SANDBOX_LINE_MAX);
    size_t room = SANDBOX_LINE_MAX - r->line.len;
    if (piece.len > room) {
        piece.len = room;
        ends = false;
    }
    if (ends && r->line.len == 0) {
        line(in, piece, true);
        return piece.len;
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
    return piece.len;
}

/* Text up to the end of a line, or to what may be the head of a frame. */
static size_t feed_text(struct sandbox_instance *in, struct str bytes)
{
    struct log_reader *r = &in->log;
    size_t nl = str_find(bytes, '\n');
    struct str piece = str_sub(bytes, 0, nl);
    size_t mark = str_find(piece, (char)FRAME_MARK[0]);
    if (mark == 0) {
        r->head[0] = FRAME_MARK[0];
        r->head_len = 1;
        return 1;
    }
    bool ends = nl != SIZE_MAX && mark == SIZE_MAX;
    piece = str_sub(piece, 0, mark);
    size_t used = gather(in, piece, ends);
    return used + (ends && used == piece.len ? 1 : 0);
}

/* The head of a frame, or bytes that only began like one: then they are text. */
static size_t feed_head(struct sandbox_instance *in, struct str bytes)
{
    struct log_reader *r = &in->log;
    size_t used = 0;
    while (used < bytes.len && r->head_len < sizeof r->head) {
        unsigned char c = (unsigned char)bytes.p[used];
        if (r->head_len < sizeof FRAME_MARK && c != FRAME_MARK[r->head_len]) {
            struct str text = str_n((const char *)r->head, r->head_len);
            while (text.len)
                text = str_sub(text, gather(in, text, false), SIZE_MAX);
            r->head_len = 0;
            return used;
        }
        r->head[r->head_len++] = c;
        used++;
    }
    if (r->head_len < sizeof r->head)
        return used;
    if (r->line.len || r->dropping) { /* what was printed before without an end */
        line(in, buf_str(&r->line), true);
        buf_clear(&r->line);
    }
    const unsigned char *len = r->head + FRAME_LEN_AT;
    r->frame_left =
        (uint32_t)len[0] << 24 | (uint32_t)len[1] << 16 | (uint32_t)len[2] << 8 | len[3];
    r->head_len = 0;
    return used;
}

/* A record: one line, newlines and all. */
static size_t feed_frame(struct sandbox_instance *in, struct str bytes)
{
    struct log_reader *r = &in->log;
    struct str piece = str_sub(bytes, 0, r->frame_left);
    size_t used = gather(in, piece, piece.len == r->frame_left);
    r->frame_left -= (uint32_t)used;
    return used;
}

static void feed(struct sandbox_instance *in, struct str bytes)
{
    const struct log_reader *r = &in->log;
    while (bytes.len) {
        size_t used = r->frame_left ? feed_frame(in, bytes)
                      : r->head_len ? feed_head(in, bytes)
                                    : feed_text(in, bytes);
        bytes = str_sub(bytes, used, SIZE_MAX);
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
