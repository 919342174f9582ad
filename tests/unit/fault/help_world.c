#include "help_world.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "core/inner.h"

enum { DRAIN_MS = 5000, REPLY_SECONDS = 120 };

/* --- up and down ------------------------------------------------------------------------------ */

void world_make(struct world *w)
{
    memset(w, 0, sizeof(*w));
    /* Each world makes and removes hundreds of folders: in memory, where that is had. */
    const char *top = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(w->dir, sizeof(w->dir), "%s/weir-fault-XXXXXX", top);
    assert(mkdtemp(w->dir));
    w->disk = kv_mem_disk_new();
    assert(w->disk);
}

/* Counts the files under `path`; with `remove` they and their folders go. */
static size_t walk(const char *path, bool remove)
{
    size_t n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char sub[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        assert(snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) < (int)sizeof(sub));
        if (e->d_type == DT_DIR) {
            n += walk(sub, remove);
            continue;
        }
        n++;
        if (remove)
            unlink(sub);
    }
    if (d)
        closedir(d);
    if (remove)
        rmdir(path);
    return n;
}

size_t world_files(const struct world *w)
{
    return walk(w->dir, false);
}

void world_remove(struct world *w)
{
    kv_mem_disk_free(w->disk);
    walk(w->dir, true);
}

static void make_services(struct core *core)
{
    assert(deliver_new(core, &core->deliver) == ERR_OK);
    assert(core_services_make(core, svc_defs) == ERR_OK);
    assert(core_start(core) == ERR_OK);
}

static void start_services(struct core *core)
{
    assert(core_services_start(core) == ERR_OK);
    assert(deliver_start(core->deliver) == ERR_OK);
}

static void fault_table(void);

void world_up(struct world *w)
{
    struct kv *mem;
    log_set_level(LOG_ERROR + 1); /* failures are what this is about */
    w->core = (struct core){0};
    assert(kv_mem_open(w->disk, false, &mem) == ERR_OK);
    assert(kv_fault_wrap(mem, &w->core.kv) == ERR_OK);
    assert(io_loop_new(0, &w->loop) == ERR_OK);
    w->core.loops = &w->loop;
    w->core.n_loops = 1;
    w->core.cfg = (struct core_config){
        .account = STR("000000000000"),
        .region = STR("us-east-1"),
        .partition = STR("aws"),
        .data_dir = str_c(w->dir),
        .endpoint = STR("http://127.0.0.1:4566"),
        .host_id = STR("host"),
        .root_access_key = STR("AKIAIOSFODNN7EXAMPLE"),
        .root_secret = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        .dev_key = true,
        .skew_ms = 900000,
        .calls_max = 100,
        .async_retry_base_ms = 1000,
    };
    make_services(&w->core);
    start_services(&w->core);
    fault_table();
    struct http_server_config cfg = {
        .host = "127.0.0.1",
        .loops = &w->loop,
        .n_loops = 1,
        .handler = core_http_handler(&w->core),
    };
    char why[256];
    assert(http_server_new(&cfg, &w->http, why, sizeof(why)) == ERR_OK);
    assert(io_loop_start(w->loop) == ERR_OK);
}

static void idle(void *arg)
{
    struct world *w = arg;
    io_loop_stop(w->loop);
}

static void services_drained(void *arg)
{
    struct world *w = arg;
    core_when_idle(&w->core, idle, w);
}

static void drained(void *arg)
{
    struct world *w = arg;
    deliver_stop(w->core.deliver);
    core_services_drain(&w->core, services_drained, w);
}

/* A function run on the loop's thread, waited for. */
struct on_loop {
    struct io_task task;
    void (*fn)(struct world *w, struct on_loop *o);
    struct world *w;
    sem_t done;
    uint64_t n;
    bool hit;
};

static void on_loop_run(struct io_task *task)
{
    struct on_loop *o = CONTAINER_OF(task, struct on_loop, task);
    o->fn(o->w, o);
    sem_post(&o->done);
}

static void on_loop(struct world *w, struct on_loop *o)
{
    o->task.fn = on_loop_run;
    o->w = w;
    sem_init(&o->done, 0, 0);
    io_post(w->loop, &o->task);
    while (sem_wait(&o->done) < 0)
        assert(errno == EINTR);
    sem_destroy(&o->done);
}

static void begin_stop(struct world *w, struct on_loop *o)
{
    w->core.stopping = true;
    core_services_begin_stop(&w->core);
    http_server_drain(w->http, DRAIN_MS, drained, w);
}

void world_down(struct world *w)
{
    on_loop(w, &(struct on_loop){.fn = begin_stop});
    io_loop_join(w->loop);
    http_server_free(w->http);
    core_services_release(&w->core);
    deliver_free(w->core.deliver);
    core_stop(&w->core);
    io_loop_free(w->loop);
    kv_close(w->core.kv);
    sys_reset();
}

/* --- client ----------------------------------------------------------------------------------- */

static int dial(struct world *w)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(http_server_port(w->http)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = REPLY_SECONDS};
    assert(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    assert(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

static void add_header(struct sigv4_header *h, size_t *n, const char *name, struct str value)
{
    h[(*n)++] = (struct sigv4_header){str_c(name), value};
}

/* The bytes of a signed request; arena. */
static struct str render(struct arena *a, const struct request *req)
{
    struct sigv4_header h[8 + SIGV4_SIGN_HEADERS];
    size_t n = 0, added = 0;
    char *fill = req->repeat ? arena_alloc(a, req->repeat) : NULL;
    if (fill)
        memset(fill, 'x', req->repeat);
    struct str body = fill ? str_n(fill, req->repeat) : str_c(req->body ? req->body : "");
    struct str path = str_c(req->path ? req->path : "/");
    size_t mark = str_find(path, '?');
    add_header(h, &n, "host", STR("127.0.0.1:4566"));
    if (req->target)
        add_header(h, &n, "x-amz-target", str_c(req->target));
    if (req->type)
        add_header(h, &n, "content-type", str_c(req->type));
    if (req->header) {
        const char *colon = strchr(req->header, ':');
        h[n++] = (struct sigv4_header){str_n(req->header, (size_t)(colon - req->header)),
                                       str_c(colon + 2)};
    }
    struct sigv4_http http = {
        .method = str_c(req->method ? req->method : "POST"),
        .path = mark == SIZE_MAX ? path : str_sub(path, 0, mark),
        .query = mark == SIZE_MAX ? STR_NONE : str_sub(path, mark + 1, path.len),
        .headers = h,
        .n_headers = n,
    };
    struct sigv4_sign sign = {
        .access_key = STR("test"),
        .secret = STR("test"),
        .region = STR("us-east-1"),
        .service = str_c(req->service),
        .now_ms = clock_wall_ms(),
        .s3 = strcmp(req->service, "s3") == 0,
        .body = body,
    };
    assert(sigv4_sign(a, &http, &sign, h + n, &added) == ERR_OK);
    struct buf b;
    buf_init_arena(&b, a, 64 * 1024 * 1024);
    buf_add_fmt(&b, STR_FMT " " STR_FMT " HTTP/1.1\r\n", STR_ARG(http.method), STR_ARG(path));
    for (size_t i = 0; i < n + added; i++)
        buf_add_fmt(&b, STR_FMT ": " STR_FMT "\r\n", STR_ARG(h[i].name), STR_ARG(h[i].value));
    if (req->pad)
        buf_add_fmt(&b, "X-Pad: %0*d\r\n", (int)req->pad, 0);
    buf_add_fmt(&b, "Connection: close\r\nContent-Length: %zu\r\n\r\n", body.len);
    buf_add(&b, body.p, body.len);
    assert(buf_err(&b) == ERR_OK);
    return buf_str(&b);
}

/* Splits what came until the end of the connection; status 0 unless it is one whole reply. */
static void parse(struct reply *r, bool head_only)
{
    struct str all = str_n(r->body, r->len);
    size_t end = str_find_str(all, STR("\r\n\r\n"));
    r->status = 0;
    r->head[0] = '\0';
    if (end == SIZE_MAX || end >= sizeof(r->head)) {
        r->len = 0;
        r->body[0] = '\0';
        return;
    }
    memcpy(r->head, r->body, end);
    r->head[end] = '\0';
    r->len -= end + 4;
    memmove(r->body, r->body + end + 4, r->len);
    r->body[r->len] = '\0';
    const char *length = strcasestr(r->head, "\r\ncontent-length: ");
    if (!length || head_only || strtoull(length + 18, NULL, 10) == r->len)
        r->status = (int)strtol(r->head + 9, NULL, 10);
}

void world_call(struct world *w, const struct request *req, struct reply *ret)
{
    struct arena a;
    arena_init(&a, SIZE_MAX);
    if (!ret->body)
        ret->body = mem_alloc(REPLY_MAX + 1);
    assert(ret->body);
    struct str bytes = render(&a, req);
    int fd = dial(w);
    while (bytes.len) {
        ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            break; /* refused before all was read: the reply may be there all the same */
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    ret->len = 0;
    for (;;) {
        assert(ret->len < REPLY_MAX);
        ssize_t n = recv(fd, ret->body + ret->len, REPLY_MAX - ret->len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            fprintf(stderr, "no reply within %d s: %s %s %s\n", REPLY_SECONDS, req->service,
                    req->target ? req->target : "", req->path ? req->path : "");
            abort();
        }
        if (n <= 0)
            break;
        ret->len += (size_t)n;
    }
    close(fd);
    ret->body[ret->len] = '\0';
    parse(ret, req->method && strcmp(req->method, "HEAD") == 0);
    arena_release(&a);
}

void reply_free(struct reply *r)
{
    mem_free(r->body);
    *r = (struct reply){0};
}

void world_begin(struct world *w, int64_t now_ms)
{
    clock_fake_set_ms(now_ms);
    world_make(w);
    world_up(w);
}

void world_end(struct world *w, struct reply *reply)
{
    world_down(w);
    world_remove(w);
    reply_free(reply);
    clock_fake_set_ms(-1);
}

/* --- faults ----------------------------------------------------------------------------------- */

static struct {
    enum fault_kind kind;
    uint64_t n;
    uint64_t kv_before; /* calls of the kind before it was armed */
} armed;
static _Atomic uint64_t sys_calls[FAULT_KINDS], sys_fail_at[FAULT_KINDS];
static struct sys_table real;

const char *fault_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_MEMORY] = "memory",
        [FAULT_KV + KV_FAULT_BEGIN] = "begin",
        [FAULT_KV + KV_FAULT_COMMIT] = "commit",
        [FAULT_KV + KV_FAULT_GET] = "get",
        [FAULT_KV + KV_FAULT_PEEK] = "peek",
        [FAULT_KV + KV_FAULT_PUT] = "put",
        [FAULT_KV + KV_FAULT_DEL] = "del",
        [FAULT_KV + KV_FAULT_SCAN] = "scan",
        [FAULT_KV + KV_FAULT_NEXT] = "next",
        [FAULT_CONFLICT] = "conflict",
        [FAULT_OPEN] = "open",
        [FAULT_READ] = "read",
        [FAULT_PREAD] = "pread",
        [FAULT_WRITE] = "write",
        [FAULT_SHORT_WRITE] = "short write",
        [FAULT_FSYNC] = "fsync",
        [FAULT_RENAME] = "rename",
        [FAULT_UNLINK] = "unlink",
        [FAULT_FSTAT] = "fstat",
    };
    return names[kind];
}

/* Whether this call is the one to fail; sets errno then. */
static bool sys_fails(enum fault_kind kind, int error)
{
    uint64_t n = atomic_fetch_add(&sys_calls[kind], 1) + 1;
    if (n != atomic_load(&sys_fail_at[kind]))
        return false;
    errno = error;
    return true;
}

static int fault_open(const char *path, int flags, mode_t mode)
{
    return sys_fails(FAULT_OPEN, EMFILE) ? -1 : real.open(path, flags, mode);
}

static ssize_t fault_read(int fd, void *p, size_t len)
{
    return sys_fails(FAULT_READ, EIO) ? -1 : real.read(fd, p, len);
}

static ssize_t fault_pread(int fd, void *p, size_t len, off_t off)
{
    return sys_fails(FAULT_PREAD, EIO) ? -1 : real.pread(fd, p, len, off);
}

static ssize_t fault_write(int fd, const void *p, size_t len)
{
    if (sys_fails(FAULT_WRITE, ENOSPC))
        return -1;
    if (sys_fails(FAULT_SHORT_WRITE, ENOSPC)) {
        atomic_fetch_add(&sys_fail_at[FAULT_SHORT_WRITE], 1); /* the next one has no space at all */
        return len > 1 ? real.write(fd, p, len / 2) : -1;
    }
    return real.write(fd, p, len);
}

static int fault_fsync(int fd)
{
    return sys_fails(FAULT_FSYNC, EIO) ? -1 : real.fsync(fd);
}

static int fault_fdatasync(int fd)
{
    return sys_fails(FAULT_FSYNC, EIO) ? -1 : real.fdatasync(fd);
}

static int fault_rename(const char *from, const char *to)
{
    return sys_fails(FAULT_RENAME, EIO) ? -1 : real.rename(from, to);
}

static int fault_unlink(const char *path)
{
    return sys_fails(FAULT_UNLINK, EIO) ? -1 : real.unlink(path);
}

static int fault_fstat(int fd, struct stat *st)
{
    return sys_fails(FAULT_FSTAT, EIO) ? -1 : real.fstat(fd, st);
}

static void fault_table(void)
{
    real = sys;
    sys.open = fault_open;
    sys.read = fault_read;
    sys.pread = fault_pread;
    sys.write = fault_write;
    sys.fsync = fault_fsync;
    sys.fdatasync = fault_fdatasync;
    sys.rename = fault_rename;
    sys.unlink = fault_unlink;
    sys.fstat = fault_fstat;
}

static void arm_memory(struct world *w, struct on_loop *o)
{
    mem_fail_after(o->n);
}

static void disarm_memory(struct world *w, struct on_loop *o)
{
    o->hit = mem_allocations() >= o->n;
    mem_fail_after(0);
}

static enum kv_fault_call kv_call(enum fault_kind kind)
{
    return kind == FAULT_CONFLICT ? KV_FAULT_COMMIT : (enum kv_fault_call)(kind - FAULT_KV);
}

void fault_arm(struct world *w, enum fault_kind kind, uint64_t n)
{
    armed.kind = kind;
    armed.n = n;
    if (kind == FAULT_MEMORY) {
        on_loop(w, &(struct on_loop){.fn = arm_memory, .n = n});
    } else if (kind <= FAULT_CONFLICT) {
        armed.kv_before = kv_fault_calls(w->core.kv, kv_call(kind));
        kv_fault_fail(w->core.kv, kv_call(kind), n, kind == FAULT_CONFLICT ? ERR_CONFLICT : ERR_IO);
    } else {
        atomic_store(&sys_calls[kind], 0);
        atomic_store(&sys_fail_at[kind], n);
    }
}

bool fault_disarm(struct world *w)
{
    if (armed.kind == FAULT_MEMORY) {
        struct on_loop o = {.fn = disarm_memory, .n = armed.n};
        on_loop(w, &o);
        return o.hit;
    }
    if (armed.kind <= FAULT_CONFLICT) {
        kv_fault_fail(w->core.kv, kv_call(armed.kind), 0, ERR_OK);
        return kv_fault_calls(w->core.kv, kv_call(armed.kind)) >= armed.kv_before + armed.n;
    }
    atomic_store(&sys_fail_at[armed.kind], 0);
    return atomic_load(&sys_calls[armed.kind]) >= armed.n;
}

/* --- inner calls that are refused (links.cmake puts these in place of core's) -------------------- */

static _Atomic uint64_t calls, refuse_at;

void world_refuse_call(uint64_t n)
{
    atomic_store(&calls, 0);
    atomic_store(&refuse_at, n);
}

uint64_t world_calls(void)
{
    return atomic_load(&calls);
}

static bool refuses(const struct core_request *req)
{
    if (!str_eq(req->via, STR("cloudformation.amazonaws.com")) || req->from)
        return false;
    return atomic_fetch_add(&calls, 1) + 1 == atomic_load(&refuse_at);
}

static const struct core_result refusal = {
    .err = ERR_FAILED,
    .status = 400,
    .code = STR_INIT("Refused"),
    .message = STR_INIT("The test refuses this call."),
    .request_id = STR_INIT("RID"),
};

typedef void call_done_fn(void *arg, const struct core_result *result);
struct refused_call {
    struct io_task task;
    call_done_fn *done;
    void *arg;
};

static void tell_refused(struct io_task *task)
{
    struct refused_call *r = CONTAINER_OF(task, struct refused_call, task);
    r->done(r->arg, &refusal);
    mem_free(r);
}

enum err __real_core_call(struct core *core, const struct core_request *req, call_done_fn *done,
                          void *arg, struct core_inner **ret_inner);
enum err __wrap_core_call(struct core *core, const struct core_request *req, call_done_fn *done,
                          void *arg, struct core_inner **ret_inner);
enum err __wrap_core_call(struct core *core, const struct core_request *req, call_done_fn *done,
                          void *arg, struct core_inner **ret_inner)
{
    if (!refuses(req))
        return __real_core_call(core, req, done, arg, ret_inner);
    struct refused_call *r = mem_calloc(1, sizeof(*r));
    assert(r);
    *r = (struct refused_call){.task.fn = tell_refused, .done = done, .arg = arg};
    if (ret_inner)
        *ret_inner = NULL;
    io_post(core_home_loop(core), &r->task);
    return ERR_OK;
}

enum err __real_core_call_in_txn(struct txn *txn, const struct core_request *req,
                                 struct core_result *ret_result);
enum err __wrap_core_call_in_txn(struct txn *txn, const struct core_request *req,
                                 struct core_result *ret_result);
enum err __wrap_core_call_in_txn(struct txn *txn, const struct core_request *req,
                                 struct core_result *ret_result)
{
    if (!refuses(req))
        return __real_core_call_in_txn(txn, req, ret_result);
    *ret_result = refusal;
    return ERR_FAILED;
}
