#include "help_core.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct input {
    struct str key;
};
struct output {
    struct str value;
};

static const struct wire_shape string_shape = {.name = STR_INIT("String"), .kind = WIRE_STRING};
static const struct wire_member in_members[] = {
    {.name = STR_INIT("key"), .shape = &string_shape, .offset = offsetof(struct input, key)},
};
static const struct wire_member out_members[] = {
    {.name = STR_INIT("value"), .shape = &string_shape, .offset = offsetof(struct output, value)},
};
static const struct wire_shape in_shape = {.name = STR_INIT("In"),
                                           .kind = WIRE_STRUCT,
                                           .n_members = 1,
                                           .size = sizeof(struct input),
                                           .members = in_members};
static const struct wire_shape out_shape = {.name = STR_INIT("Out"),
                                            .kind = WIRE_STRUCT,
                                            .n_members = 1,
                                            .size = sizeof(struct output),
                                            .members = out_members};
static const struct wire_error missing = {.name = STR_INIT("Missing"),
                                          .json_type = STR_INIT("test#Missing"),
                                          .code = STR_INIT("Missing"),
                                          .status = 404};
static const struct wire_error broken = {.name = STR_INIT("Broken"),
                                         .json_type = STR_INIT("test#Broken"),
                                         .code = STR_INIT("Broken"),
                                         .status = 500,
                                         .server = true};

static const struct wire_error unsigned_ = {
    .name = STR_INIT("MissingAuthenticationTokenException"),
    .json_type = STR_INIT("test#MissingAuthenticationTokenException"),
    .code = STR_INIT("MissingAuthenticationToken"),
    .status = 400};

static void count(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static enum err hooks(struct call *call)
{
    struct fixture *f = call->svc;
    atomic_fetch_add(&f->ran, 1);
    TRY(txn_on_commit(call->txn, count, &f->committed));
    TRY(txn_on_abort(call->txn, count, &f->aborted));
    return txn_on_durable(call->txn, count, &f->durable);
}

static struct str key_of(struct call *call, struct str name)
{
    return str_fmt(call->arena, "\x7f%.*s", (int)name.len, name.p ? name.p : "");
}

static enum err run_get(struct call *call, const void *in_, void *out_)
{
    const struct input *in = in_;
    struct output *out = out_;
    TRY(hooks(call));
    enum err err = txn_get(call->txn, key_of(call, in->key), &out->value);
    return err == ERR_NOT_FOUND ? call_error(call, &missing, "no such key") : err;
}

static enum err run_put(struct call *call, const void *in_, void *out_)
{
    const struct input *in = in_;
    struct output *out = out_;
    struct str old;
    TRY(hooks(call));
    enum err err = txn_get(call->txn, key_of(call, in->key), &old);
    if (err && err != ERR_NOT_FOUND)
        return err;
    int64_t n = 0;
    if (err == ERR_OK && str_to_i64(old, &n) != ERR_OK)
        return ERR_CORRUPT;
    out->value = str_fmt(call->arena, "%lld", (long long)n + 1);
    return out->value.p ? txn_put(call->txn, key_of(call, in->key), out->value) : ERR_NOMEM;
}

static enum err run_fail(struct call *call, const void *in_, void *out_)
{
    struct output out;
    enum err err = run_get(call, in_, &out);
    return err ? err : call_error(call, &missing, "it is there");
}

static void set_waiting(struct fixture *f, struct call *call)
{
    pthread_mutex_lock(&f->lock);
    f->waiting = call;
    pthread_mutex_unlock(&f->lock);
}

void fixture_wake(struct fixture *f, int times)
{
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < times && f->waiting; i++)
        call_wake(f->waiting);
    pthread_mutex_unlock(&f->lock);
}

static void on_cancel(struct call *call)
{
    struct fixture *f = call->svc;
    set_waiting(f, NULL);
    atomic_fetch_add(&f->cancelled, 1);
}

static enum err run_wait(struct call *call, const void *in_, void *out_)
{
    const struct input *in = in_;
    struct output *out = out_;
    struct fixture *f = call->svc;
    set_waiting(f, NULL);
    atomic_fetch_add(&f->ran, 1);
    enum err err = txn_get(call->txn, key_of(call, in->key), &out->value);
    if (err != ERR_NOT_FOUND)
        return err;
    if (call->timed_out)
        return call_error(call, &missing, "timed out");
    call->state = f;
    err = call_suspend(call, 200, on_cancel);
    if (err == ERR_SUSPENDED)
        set_waiting(f, call);
    atomic_fetch_add(&f->suspended, 1);
    return err;
}

static enum err run_clash(struct call *call, const void *in_, void *out_)
{
    struct fixture *f = call->svc;
    TRY(hooks(call));
    if (atomic_load(&f->clashes_left) > 0) {
        atomic_fetch_sub(&f->clashes_left, 1);
        return ERR_CONFLICT;
    }
    ((struct output *)out_)->value = STR("through");
    return ERR_OK;
}

uint32_t fixture_sum(uint32_t sum, const void *p, size_t len)
{
    const unsigned char *s = p;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + s[i];
    return sum;
}

/* Counts, and stays while the test holds it. */
static void sink_step(atomic_int *n, atomic_int *hold)
{
    int nth = atomic_fetch_add(n, 1) + 1;
    while (atomic_load(hold) && nth >= atomic_load(hold))
        sched_yield();
}

static enum err sink_write(void *ctx, const void *p, size_t len)
{
    struct fixture *f = ctx;
    sink_step(&f->sink_writes, &f->hold_write);
    f->sink_written = fixture_sum(f->sink_written, p, len);
    atomic_fetch_add(&f->sink_bytes, (int)len);
    return ERR_OK;
}

static void sink_digest(void *ctx, const void *p, size_t len)
{
    struct fixture *f = ctx;
    sink_step(&f->sink_digests, &f->hold_digest);
    f->sink_digested = fixture_sum(f->sink_digested, p, len);
}

static enum err sink_finish(void *ctx)
{
    struct fixture *f = ctx;
    atomic_fetch_add(&f->sink_finished, 1);
    return ERR_OK;
}

static void sink_abort(void *ctx)
{
    struct fixture *f = ctx;
    atomic_fetch_add(&f->sink_aborted, 1);
}

static enum err body_upload(struct call *call, const void *in, struct call_sink *ret_sink)
{
    *ret_sink = (struct call_sink){.ctx = call->svc,
                                   .write = sink_write,
                                   .digest = sink_digest,
                                   .finish = sink_finish,
                                   .abort = sink_abort};
    return ERR_OK;
}

void fixture_give(struct fixture *f, int n)
{
    pthread_mutex_lock(&f->lock);
    f->tokens += n;
    (void)waiters_wake(&f->line, (size_t)n);
    pthread_mutex_unlock(&f->lock);
}

/* Takes a token, or waits for one in the same critical section (WT1). */
static enum err take_token(struct fixture *f, struct waiter *w, int64_t timeout_ms)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&f->lock);
    if (f->tokens > 0)
        f->tokens--;
    else if (w->call->timed_out)
        err = ERR_TIMEOUT;
    else
        err = waiter_wait(w, &f->line, timeout_ms);
    pthread_mutex_unlock(&f->lock);
    return err;
}

static enum err run_line(struct call *call, const void *in_, void *out_)
{
    const struct input *in = in_;
    struct fixture *f = call->svc;
    struct waiter *w = call->state;
    if (w) {
        (void)waiter_resume(w);
    } else {
        w = ARENA_NEW(call->arena, struct waiter);
        if (!w)
            return ERR_NOMEM;
        waiter_init(w, call);
    }
    enum err err = take_token(f, w, str_eq_c(in->key, "short") ? 50 : 60 * 1000);
    if (err == ERR_SUSPENDED)
        atomic_fetch_add(&f->suspended, 1);
    if (err == ERR_TIMEOUT)
        return call_error(call, &missing, "timed out");
    ((struct output *)out_)->value = in->key;
    return err;
}

static enum err run_upload(struct call *call, const void *in_, void *out_)
{
    struct fixture *f = call->svc;
    TRY(hooks(call));
    ((struct output *)out_)->value = str_fmt(call->arena, "%d bytes", atomic_load(&f->sink_bytes));
    return ERR_OK;
}

enum err (*fixture_nest)(struct call *call, const void *in, void *out);

static enum err run_nest(struct call *call, const void *in, void *out)
{
    return fixture_nest(call, in, out);
}

static const struct wire_service service;
#define OP(n, i, fn, more)                                                                         \
    {                                                                                              \
        .name = STR_INIT(n), .index = i, .flags = WIRE_OP_UNSIGNED | (more), .status = 200,        \
        .service = &service, .input = &in_shape, .output = &out_shape,                             \
        .in_size = sizeof(struct input), .out_size = sizeof(struct output), .run = fn,             \
        .body = (more)&WIRE_OP_STREAM_IN ? body_upload : NULL                                      \
    }
static const struct wire_op ops[] = {
    OP("Clash", 0, run_clash, 0),
    OP("Fail", 1, run_fail, 0),
    OP("Get", 2, run_get, 0),
    OP("Line", 3, run_line, 0),
    OP("Nest", 4, run_nest, 0),
    OP("Put", 5, run_put, 0),
    OP("Upload", 6, run_upload, WIRE_OP_STREAM_IN),
    OP("Wait", 7, run_wait, 0),
};
static const struct wire_service service = {
    .name = STR_INIT("test"),
    .title = STR_INIT("Test"),
    .signing = STR_INIT("test"),
    .target = STR_INIT("Test"),
    .type_prefix = STR_INIT("test#"),
    .protocol = WIRE_JSON10,
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .common = {[0 ... WIRE_E_MISSING_AUTH - 1] = &broken,
               [WIRE_E_MISSING_AUTH... WIRE_E_COMMON_N - 1] = &unsigned_},
};

static enum err no_credential(void *self, struct str access_key, struct str token,
                              struct arena *arena, struct credential *ret)
{
    return ERR_NOT_FOUND;
}

void fixture_start(struct fixture *f, bool manual)
{
    memset(f, 0, sizeof(*f));
    pthread_mutex_init(&f->lock, NULL);
    waiters_init(&f->line, &f->lock, NULL);
    f->disk = kv_mem_disk_new();
    assert(f->disk && kv_mem_open(f->disk, manual, &f->mem) == ERR_OK);
    assert(kv_fault_wrap(f->mem, &f->core.kv) == ERR_OK);
    assert(io_loop_new(0, &f->loop) == ERR_OK);
    static const struct svc_def def = {.wire = &service};
    f->svc = (struct svc){.def = &def, .self = f};
    f->core.loops = &f->loop;
    f->core.n_loops = 1;
    f->core.svcs = &f->svc;
    f->core.n_svcs = 1;
    f->core.cfg = (struct core_config){
        .account = STR("000000000000"),
        .region = STR("us-east-1"),
        .partition = STR("aws"),
        .host_id = STR("host"),
        .calls_max = 100,
        .skew_ms = 900000,
    };
    f->core.identity = (struct identity_port){.credential = no_credential};
    assert(core_start(&f->core) == ERR_OK);
    struct http_server_config cfg = {
        .host = "127.0.0.1",
        .loops = &f->loop,
        .n_loops = 1,
        .handler = core_http_handler(&f->core),
    };
    char why[256];
    assert(http_server_new(&cfg, &f->http, why, sizeof(why)) == ERR_OK);
    assert(io_loop_start(f->loop) == ERR_OK);
}

static void idle(void *arg)
{
    struct fixture *f = arg;
    io_loop_stop(f->loop);
}

static void drained(void *arg)
{
    struct fixture *f = arg;
    core_when_idle(&f->core, idle, f);
}

struct stop_task {
    struct io_task task;
    struct fixture *f;
};

static void begin_stop(struct io_task *task)
{
    struct stop_task *s = CONTAINER_OF(task, struct stop_task, task);
    http_server_drain(s->f->http, 1000, drained, s->f);
}

void fixture_stop(struct fixture *f)
{
    struct stop_task stop = {.task = {.fn = begin_stop}, .f = f};
    io_post(f->loop, &stop.task);
    io_loop_join(f->loop);
    http_server_free(f->http);
    core_stop(&f->core);
    io_loop_free(f->loop);
    kv_close(f->core.kv);
    kv_mem_disk_free(f->disk);
    pthread_mutex_destroy(&f->lock);
}

int client_connect(struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(http_server_port(f->http)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

void client_send_raw(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        assert(n > 0);
        bytes += n;
        len -= (size_t)n;
    }
}

void client_send(int fd, const char *op, const char *key)
{
    char body[256], request[1024];
    snprintf(body, sizeof(body), "{\"key\":\"%s\"}", key);
    int n = snprintf(
        request, sizeof(request),
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.%s\r\nContent-Length: %zu\r\n\r\n%s", op,
        strlen(body), body);
    client_send_raw(fd, request, (size_t)n);
}

bool client_has_reply(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

int client_read(int fd, char *body, size_t size)
{
    char reply[8192];
    size_t have = 0;
    for (;;) {
        struct str all = str_n(reply, have);
        size_t head = str_find_str(all, STR("\r\n\r\n"));
        if (head != SIZE_MAX) {
            size_t at = str_find_str(all, STR("Content-Length: "));
            assert(at < head);
            size_t len = strtoul(reply + at + 16, NULL, 10);
            if (have >= head + 4 + len) {
                assert(len < size);
                memcpy(body, reply + head + 4, len);
                body[len] = '\0';
                return (int)strtol(reply + 9, NULL, 10);
            }
        }
        assert(have < sizeof(reply));
        ssize_t n = recv(fd, reply + have, sizeof(reply) - have, 0);
        if (n <= 0)
            return 0;
        have += (size_t)n;
    }
}

void wait_count(atomic_int *n, int want)
{
    int64_t until = clock_mono_ns() + INT64_C(60000000000);
    while (atomic_load(n) < want) {
        assert(clock_mono_ns() < until);
        sched_yield();
    }
}
