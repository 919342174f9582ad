/* See load.h. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { READ_BYTES = 256 * 1024, IN_MAX = 16 * 1024 * 1024, WAIT_MS = 30000 };

struct run {
    const struct load_plan *plan;
    struct load_conn *conns;
    int epoll;
    uint64_t next, done, total;
    bool measuring;
    int64_t began_ns, ended_ns;
    double cpu_before;
    int pid;
    uint32_t *latency_us;
    struct load_result result;
    char *scratch;
};

double load_cpu_s(int pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *p = strrchr(text, ')'); /* the name may hold anything */
    unsigned long user = 0, system = 0;
    if (!p ||
        sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double load_rss_mib(int pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

void load_settle(int pid)
{
    enum { WINDOW_MS = 500, WINDOWS_MAX = 60, QUIET_WINDOWS = 2 };
    int quiet = 0;
    double before = load_cpu_s(pid);
    for (int i = 0; i < WINDOWS_MAX && quiet < QUIET_WINDOWS; i++) {
        (void)poll(NULL, 0, WINDOW_MS);
        double now = load_cpu_s(pid);
        quiet = now - before <= 0.01 ? quiet + 1 : 0;
        before = now;
    }
}

static bool dial(const struct load_target *target, struct load_conn *c)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(target->port)};
    int on = 1;
    if (inet_pton(AF_INET, target->host, &sa.sin_addr) != 1)
        return false;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return c->fd >= 0 && setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
           connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
}

/* Sends what there is to send; false when the connection broke. */
static bool push(struct run *run, struct load_conn *c)
{
    for (;;) {
        const char *p = c->out.p + c->out_at;
        size_t n = c->out.len - c->out_at;
        bool head = n > 0;
        if (!head) {
            p = c->block;
            n = c->body_left < c->block_len ? (size_t)c->body_left : c->block_len;
        }
        if (n == 0)
            break;
        ssize_t sent = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0 && head)
            c->out_at += (size_t)sent;
        else if (sent > 0) /* a short send repeats part of the block: contents do not matter */
            c->body_left -= (uint64_t)sent;
        if (sent < (ssize_t)n && errno == EAGAIN)
            break;
    }
    bool writing = c->out_at < c->out.len || c->body_left > 0;
    if (writing != c->writing) {
        struct epoll_event ev = {.events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0),
                                 .data.ptr = c};
        c->writing = writing;
        if (epoll_ctl(run->epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
            return false;
    }
    return true;
}

/* Begins the connection's next request, if one is left. */
static bool begin(struct run *run, struct load_conn *c)
{
    if (run->next == run->total)
        return true;
    c->number = run->next++;
    buf_clear(&c->out);
    buf_clear(&c->in);
    c->out_at = c->head_len = 0;
    c->body_got = c->body_left = 0;
    c->status = 0;
    if (run->plan->pause_ms > 0)
        (void)poll(NULL, 0, run->plan->pause_ms);
    c->start_ns = clock_mono_ns();
    run->plan->make(run->plan->ctx, c);
    if (buf_err(&c->out) != ERR_OK)
        return false;
    if (run->measuring)
        run->result.body_bytes += c->body_left;
    return push(run, c);
}

static bool parse_head(struct load_conn *c)
{
    size_t end = str_find_str(buf_str(&c->in), STR("\r\n\r\n"));
    if (end == SIZE_MAX)
        return true;
    c->head_len = end + 4;
    struct str head = str_n(c->in.p, c->head_len);
    uint64_t status;
    if (head.len < 12 || str_to_u64(str_sub(head, 9, 3), &status) != ERR_OK)
        return false;
    c->status = (int)status;
    c->content_length = 0;
    struct str rest = head;
    while (str_is_set(rest)) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        struct str name = str_cut(&line, ':');
        if (str_eq_nocase(name, STR("Content-Length")) &&
            str_to_i64(str_trim(line), &c->content_length) != ERR_OK)
            return false;
        if (str_eq_nocase(name, STR("Transfer-Encoding")))
            return false; /* no call measured here answers so */
    }
    if (c->status == 100) { /* the final one follows */
        buf_drop_front(&c->in, c->head_len);
        c->head_len = 0;
        return parse_head(c);
    }
    c->body_got = c->in.len - c->head_len;
    return true;
}

static void report_wrong(const struct load_conn *c)
{
    struct str all = buf_str(&c->in);
    fprintf(stderr, "request %llu: status %d: " STR_FMT "\n", (unsigned long long)c->number,
            c->status, STR_ARG(str_sub(all, 0, 2000)));
}

static void finish(struct run *run, struct load_conn *c)
{
    bool kept = c->content_length <= LOAD_KEEP_MAX;
    struct str body = kept ? str_sub(buf_str(&c->in), c->head_len, SIZE_MAX) : STR_NONE;
    bool right = run->plan->check ? run->plan->check(run->plan->ctx, c, body)
                                  : c->status >= 200 && c->status < 300;
    if (!right && run->result.failed++ == 0)
        report_wrong(c);
    if (run->measuring) {
        run->latency_us[run->result.requests++] =
            (uint32_t)((clock_mono_ns() - c->start_ns) / 1000);
        run->result.body_bytes += (uint64_t)c->content_length;
    }
    run->done++;
    if (run->done == run->plan->warmup) {
        run->measuring = true;
        run->began_ns = clock_mono_ns();
        run->cpu_before = load_cpu_s(run->pid);
    }
    run->ended_ns = clock_mono_ns();
}

/* Reads what came; false when the connection broke. */
static bool pull(struct run *run, struct load_conn *c)
{
    for (;;) {
        ssize_t n = recv(c->fd, run->scratch, READ_BYTES, MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            return false;
        if (c->head_len == 0 || c->content_length <= LOAD_KEEP_MAX) {
            buf_add(&c->in, run->scratch, (size_t)n);
            if (buf_err(&c->in) != ERR_OK)
                return false;
        }
        if (c->head_len == 0) {
            if (!parse_head(c))
                return false;
        } else {
            c->body_got += (uint64_t)n;
        }
        if (c->head_len > 0 && c->body_got >= (uint64_t)c->content_length) {
            finish(run, c);
            return begin(run, c);
        }
        if ((size_t)n < READ_BYTES)
            return true;
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sum_up(struct run *run)
{
    struct load_result *r = &run->result;
    double cpu = load_cpu_s(run->pid) - run->cpu_before;
    r->seconds = (double)(run->ended_ns - run->began_ns) / 1e9;
    if (r->requests == 0)
        return;
    qsort(run->latency_us, r->requests, sizeof(uint32_t), by_value);
    r->p50_us = run->latency_us[r->requests / 2];
    r->p99_us = run->latency_us[r->requests - 1 - r->requests / 100];
    r->cpu_us = cpu * 1e6 / (double)r->requests;
}

static bool loop(struct run *run)
{
    struct epoll_event events[LOAD_CONNECTIONS_MAX];
    while (run->done < run->total) {
        int n = epoll_wait(run->epoll, events, LOAD_CONNECTIONS_MAX, WAIT_MS);
        if (n == 0) {
            fprintf(stderr, "no reply for %d ms\n", WAIT_MS);
            return false;
        }
        for (int i = 0; i < n; i++) {
            struct load_conn *c = events[i].data.ptr;
            bool ok = true;
            if (events[i].events & EPOLLOUT)
                ok = push(run, c);
            if (ok && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                ok = pull(run, c);
            if (!ok) {
                fprintf(stderr, "connection %d broke at request %llu\n", c->index,
                        (unsigned long long)c->number);
                report_wrong(c);
                return false;
            }
        }
    }
    return true;
}

static bool open_all(struct run *run, const struct load_target *target)
{
    for (int i = 0; i < run->plan->connections; i++) {
        struct load_conn *c = &run->conns[i];
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        if (!dial(target, c) || epoll_ctl(run->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
            fprintf(stderr, "cannot connect to %s:%u: %s\n", target->host, target->port,
                    strerror(errno));
            return false;
        }
    }
    for (int i = 0; i < run->plan->connections; i++)
        if (!begin(run, &run->conns[i]))
            return false;
    return true;
}

enum err load_run(const struct load_target *target, const struct load_plan *plan,
                  struct load_result *ret_result)
{
    struct run run = {
        .plan = plan,
        .pid = target->pid,
        .total = plan->warmup + plan->requests,
        .measuring = plan->warmup == 0,
        .began_ns = clock_mono_ns(),
        .cpu_before = load_cpu_s(target->pid),
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .conns = mem_calloc((size_t)plan->connections, sizeof(*run.conns)),
        .latency_us = mem_calloc(plan->requests, sizeof(uint32_t)),
        .scratch = mem_alloc(READ_BYTES),
    };
    enum err err = ERR_NOMEM;
    if (run.epoll < 0 || !run.conns || !run.latency_us || !run.scratch)
        goto out;
    for (int i = 0; i < plan->connections; i++) {
        run.conns[i].index = i;
        run.conns[i].fd = -1;
        buf_init(&run.conns[i].out, IN_MAX);
        buf_init(&run.conns[i].in, IN_MAX);
        buf_init(&run.conns[i].text, IN_MAX);
    }
    err = open_all(&run, target) && loop(&run) ? ERR_OK : ERR_IO;
    sum_up(&run);
    *ret_result = run.result;
out:
    for (int i = 0; run.conns && i < plan->connections; i++) {
        if (run.conns[i].fd >= 0)
            close(run.conns[i].fd);
        buf_release(&run.conns[i].out);
        buf_release(&run.conns[i].in);
        buf_release(&run.conns[i].text);
    }
    if (run.epoll >= 0)
        close(run.epoll);
    mem_free(run.conns);
    mem_free(run.latency_us);
    mem_free(run.scratch);
    return err;
}
