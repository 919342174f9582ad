/* The engine: which environment serves which invocation.
 *
 *   invocation --idle environment of the current revision--> busy --result--> idle again
 *        |                                                     ^        \--> ended (crash, old
 *        +--none, and concurrency and memory allow--> starting-+              revision, expired)
 *        +--otherwise--> waiting, where it may and one is running, or throttled
 *
 * Invariants
 *   E1  An environment serves one invocation at a time.
 *   E2  An environment of an older revision gets no new invocation; idle ones end when the change
 *       is durable.
 *   E3  Running invocations of a function, all its versions, never exceed its reserved concurrency; those of all
 *       others of its account and region never exceed what is left there; the sum of MemorySize of living
 *       environments stays below memory_max_mb, but for a single one.
 *   E4  on_done runs exactly once for each lambda_engine_invoke, later, on the home loop.
 *   E5  Warm environments (provisioned concurrency) are no on-demand ones: they end only when they are
 *       not wanted, cannot be used, or by themselves, and then another takes their place.
 *
 * Layer: svc. Thread: home loop. */
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/lambda/lambda_provisioned.h"
#include "svc/lambda/lambda_trace.h"

enum {
    IDLE_MAX_MS = 5 * 60 * 1000,
    SWEEP_MS = 10 * 1000,
    CREDENTIAL_S = 6 * 3600,
    CREDENTIAL_SLACK_MS = 20 * 60 * 1000, /* longer than any invocation */
    MEMORY_FALLBACK_MB = 4096,
    MEMORY_OVERCOMMIT = 2, /* functions mostly use much less than they are given */
    LINE_BYTES_MAX = 2048,
    WAITING_MAX = LAMBDA_ASYNC_RUNNING_MAX, /* of a function */
    LOG_VARIABLES = 2,                      /* that tell a runtime the log format and level */
    STARTING_PER_CORE = 2,                  /* environments, over which who may wait does */
};

/* What the functions of an account share in a region: its concurrency. Lifetime: while one of them has a
 * pool. */
struct share {
    char *key; /* what the keys of these functions begin with */
    size_t key_len;
    size_t n_families;
    size_t busy_unreserved;
    int64_t warm_unreserved; /* wanted, of functions that reserve nothing */
    int64_t reserved_sum;    /* of all its functions, whether they have a pool or not */
};

/* What the versions of a function share. */
struct family {
    struct share *share;
    int64_t reserved;
    size_t busy;
    size_t n_pools;
};

/* The environments of $LATEST, or of a version. */
struct pool {
    struct lambda_engine *e;
    struct family *family;
    struct lambda_fn *fn; /* newest seen */
    struct list idle;     /* instances, last used first */
    struct list warm;     /* idle ones of those that are always there */
    size_t warm_wanted, warm_next;
    size_t n_warm, n_warm_ready; /* alive; of them initialised */
    size_t warm_busy;            /* of these, with an invocation */
    const char *warm_why;        /* none is started for now: why; NULL: they are */
    bool warm_told;              /* has an entry in engine->warm */
    struct list waiting;         /* invocations with may_wait, while `busy` is not 0 */
    size_t n_waiting;
    size_t n; /* instances alive */
    size_t busy;
    bool gone; /* the function was deleted */
};

struct instance {
    struct pool *pool;
    struct lambda_fn *fn;
    struct sandbox_instance *sb;
    struct lambda_log_stream *log;
    struct list in_pool; /* pool->idle */
    struct list in_lru;  /* engine->lru, least recently used first */
    struct lambda_invocation *inv;
    int64_t idle_since_ms;
    int64_t credentials_end_ms;
    bool dying, start_logged;
    bool starting;         /* counts in n_starting */
    bool unreserved;       /* its invocation counts in share->busy_unreserved */
    bool warm, warm_ready; /* counts in n_warm, in n_warm_ready */
    bool warm_used;        /* counts in warm_busy */
};

struct lambda_engine {
    struct lambda *l;
    struct map pools;    /* ARN of the function or version -> struct pool */
    struct map families; /* ARN of the function -> struct family */
    struct map shares;   /* its key -> struct share */
    struct list lru;
    bool warming;      /* some pool wants warm ones */
    bool warm_unknown; /* what is wanted could not be read */
    pthread_mutex_t warm_lock;
    struct map warm; /* ARN of a version -> struct lambda_warm */
    int64_t memory_mb, memory_max_mb;
    size_t n_starting, starting_max;
    struct io_timer sweep;
    bool sweeping, stopped;
};

/* --- making ----------------------------------------------------------------------------------- */

static void on_sweep(struct io_timer *t);

static int64_t host_memory_mb(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    if (pages <= 0 || size <= 0)
        return MEMORY_FALLBACK_MB;
    return (int64_t)pages / 1024 * (int64_t)size / 1024;
}

enum err lambda_engine_new(struct lambda *l, struct lambda_engine **ret_engine)
{
    struct lambda_engine *e = mem_calloc(1, sizeof(*e));
    if (!e)
        return ERR_NOMEM;
    e->l = l;
    map_init(&e->pools);
    map_init(&e->families);
    map_init(&e->shares);
    map_init(&e->warm);
    pthread_mutex_init(&e->warm_lock, NULL);
    list_init(&e->lru);
    e->memory_max_mb = host_memory_mb() * MEMORY_OVERCOMMIT;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    e->starting_max = (size_t)(cores > 0 ? cores : 1) * STARTING_PER_CORE;
    *ret_engine = e;
    return ERR_OK;
}

void lambda_engine_start(struct lambda_engine *e)
{
    io_timer_init(&e->sweep, core_home_loop(e->l->core), on_sweep, e);
}

/* --- what functions share --------------------------------------------------------------------- */

static void share_sum(struct lambda_engine *e, struct share *share)
{
    share->reserved_sum = lambda_fn_sum(e->l, str_n(share->key, share->key_len), STR_NONE).reserved;
}

/* NULL on exhaustion. */
static struct share *share_new(struct lambda_engine *e, struct str key)
{
    struct share *share = mem_calloc(1, sizeof(*share));
    if (!share)
        return NULL;
    share->key = mem_alloc(key.len);
    share->key_len = key.len;
    if (!share->key || map_put(&e->shares, key, share, NULL) != ERR_OK) {
        mem_free(share->key);
        mem_free(share);
        return NULL;
    }
    memcpy(share->key, key.p, key.len);
    share_sum(e, share);
    return share;
}

static void share_free(struct share *share)
{
    mem_free(share->key);
    mem_free(share);
}

/* That of the scope's functions, or NULL; with `make` made if need be, NULL on exhaustion. */
static struct share *share_of(struct lambda_engine *e, struct key_scope scope, bool make)
{
    enum { BYTES_MAX = 4096 };
    struct arena a;
    arena_init(&a, BYTES_MAX);
    struct str key = lambda_fns_prefix(&a, scope);
    struct share *share = str_is_set(key) ? map_get(&e->shares, key) : NULL;
    if (!share && make && str_is_set(key))
        share = share_new(e, key);
    arena_release(&a);
    return share;
}

static void share_leave(struct lambda_engine *e, struct share *share)
{
    assert(share->n_families > 0);
    if (--share->n_families)
        return;
    assert(share->busy_unreserved == 0);
    (void)map_del(&e->shares, str_n(share->key, share->key_len));
    share_free(share);
}

static struct str family_arn(const struct lambda_fn *fn)
{
    return fn->number ? str_sub(fn->arn, 0, fn->arn.len - fn->version.len - 1) : fn->arn;
}

/* Of a function: what $LATEST says, of which a version may be the first to run. */
static int64_t reserved_of(struct lambda_engine *e, const struct lambda_fn *fn)
{
    const struct lambda_name name = {.scope = fn->name.scope, .name = fn->name.name};
    struct lambda_fn *latest;
    if (!fn->number)
        return fn->reserved;
    if (lambda_fn_find(e->l, &name, &latest) != ERR_OK)
        return -1; /* it is about to go */
    int64_t reserved = latest->reserved;
    lambda_fn_unref(latest);
    return reserved;
}

static struct family *family_new(struct lambda_engine *e, const struct lambda_fn *fn)
{
    struct share *share = share_of(e, fn->name.scope, true);
    if (!share)
        return NULL;
    struct family *family = mem_calloc(1, sizeof(*family));
    share->n_families++;
    if (!family || map_put(&e->families, family_arn(fn), family, NULL) != ERR_OK) {
        share_leave(e, share);
        mem_free(family);
        return NULL;
    }
    family->share = share;
    family->reserved = reserved_of(e, fn);
    return family;
}

/* One pool more is of it. NULL on exhaustion. */
static struct family *family_join(struct lambda_engine *e, const struct lambda_fn *fn)
{
    struct family *family = map_get(&e->families, family_arn(fn));
    if (!family)
        family = family_new(e, fn);
    if (family)
        family->n_pools++;
    return family;
}

static void family_leave(struct lambda_engine *e, struct family *family, const struct lambda_fn *fn)
{
    assert(family->n_pools > 0);
    if (--family->n_pools)
        return;
    assert(family->busy == 0);
    (void)map_del(&e->families, family_arn(fn));
    share_leave(e, family->share);
    mem_free(family);
}

static struct pool *pool_get(struct lambda_engine *e, struct lambda_fn *fn)
{
    struct pool *pool = map_get(&e->pools, fn->arn);

    if (pool)
        return pool;
    pool = mem_calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->family = family_join(e, fn);
    if (!pool->family) {
        mem_free(pool);
        return NULL;
    }
    if (map_put(&e->pools, fn->arn, pool, NULL) != ERR_OK) {
        family_leave(e, pool->family, fn);
        mem_free(pool);
        return NULL;
    }
    pool->e = e;
    pool->fn = lambda_fn_ref(fn);
    list_init(&pool->idle);
    list_init(&pool->warm);
    list_init(&pool->waiting);
    return pool;
}

static void pool_free(struct pool *pool)
{
    lambda_fn_unref(pool->fn);
    mem_free(pool);
}

/* Forgets the pool of a deleted function once its last environment is gone. */
static void pool_check_gone(struct pool *pool)
{
    if (!pool->gone || pool->n)
        return;
    assert(pool->busy == 0 && pool->n_waiting == 0 && list_empty(&pool->idle));
    (void)map_del(&pool->e->pools, pool->fn->arn);
    family_leave(pool->e, pool->family, pool->fn);
    pool_free(pool);
}

/* --- ending environments ---------------------------------------------------------------------- */

static void instance_free(struct instance *in)
{
    lambda_log_stream_drop(in->log);
    lambda_fn_unref(in->fn);
    mem_free(in);
}

/* Its memory counts as free from here on, so that an eviction makes room at once. */
static void forget(struct instance *in)
{
    struct lambda_engine *e = in->pool->e;
    assert(!in->dying && e->memory_mb >= in->fn->memory_mb);
    in->dying = true;
    list_remove(&in->in_pool);
    list_remove(&in->in_lru);
    e->memory_mb -= in->fn->memory_mb;
    in->pool->n_warm -= in->warm;
    in->pool->n_warm_ready -= in->warm_ready;
    in->warm = in->warm_ready = false;
}

static void instance_end(struct instance *in)
{
    if (in->dying)
        return;
    forget(in);
    sandbox_instance_kill(in->sb);
}

static void pool_drain_idle(struct pool *pool)
{
    while (!list_empty(&pool->idle))
        instance_end(CONTAINER_OF(pool->idle.next, struct instance, in_pool));
    while (!list_empty(&pool->warm))
        instance_end(CONTAINER_OF(pool->warm.next, struct instance, in_pool));
}

static void pool_take_fn(struct pool *pool, struct lambda_fn *fn)
{
    assert(str_eq(fn->arn, pool->fn->arn));
    struct lambda_fn *old = pool->fn;

    if (fn == old || fn->object.seq <= old->object.seq)
        return;
    pool->fn = lambda_fn_ref(fn);
    pool->gone = false;
    if (!fn->number)
        pool->family->reserved = fn->reserved;
    if (!str_eq(fn->revision, old->revision))
        pool_drain_idle(pool);
    lambda_fn_unref(old);
}

static void left_starting(struct instance *in);
static void keep_warm(struct pool *pool);
static void sweep_warm(struct lambda_engine *e);

static void on_exit_(void *arg, struct sandbox_instance *sb, const struct sandbox_exit *exit)
{
    struct instance *in = arg;
    struct pool *pool = in->pool;

    assert(!in->inv); /* its result came before (SB3) */
    if (in->warm && !exit->was_ready)
        pool->warm_why = "FUNCTION_ERROR_INIT_FAILURE";
    if (!in->dying) /* ended on its own */
        forget(in);
    left_starting(in);
    assert(pool->n > 0);
    pool->n--;
    sandbox_instance_free(sb);
    instance_free(in);
    keep_warm(pool);
    pool_check_gone(pool);
}

static void on_sweep(struct io_timer *t)
{
    struct lambda_engine *e = t->arg;
    int64_t now_ms = clock_now_ms();

    e->sweeping = false;
    LIST_EACH_SAFE (&e->lru, link, next) {
        struct instance *in = CONTAINER_OF(link, struct instance, in_lru);
        int64_t idle_ms = now_ms - in->idle_since_ms;
        if (idle_ms >= IDLE_MAX_MS)
            instance_end(in);
    }
    sweep_warm(e);
    if (!e->sweeping && (!list_empty(&e->lru) || e->warming))
        e->sweeping = io_timer_start(&e->sweep, SWEEP_MS) == ERR_OK;
}

/* --- logs of an invocation -------------------------------------------------------------------- */

static void tail_add(struct lambda_invocation *inv, struct str line)
{
    if (!inv->want_tail)
        return;
    buf_add_str(&inv->tail, line);
    buf_add_byte(&inv->tail, '\n');
    if (inv->tail.len > 2 * LAMBDA_TAIL_MAX)
        buf_drop_front(&inv->tail, inv->tail.len - LAMBDA_TAIL_MAX);
    if (buf_err(&inv->tail) != ERR_OK)
        buf_clear(&inv->tail);
}

static void put_line(struct instance *in, struct str line)
{
    lambda_log_line(in->log, clock_wall_ms(), line);
    if (in->inv)
        tail_add(in->inv, line);
}

static void put_fmt(struct instance *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put_fmt(struct instance *in, const char *fmt, ...)
{
    char line[LINE_BYTES_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0)
        put_line(in, str_n(line, min_size((size_t)n, sizeof(line) - 1)));
}

/* A record of the platform in the JSON log format. */
static void put_platform(struct instance *in, enum lambda_platform type,
                         const struct lambda_report *report)
{
    struct buf b;
    buf_init(&b, LINE_BYTES_MAX);
    lambda_platform_put(&b, type, in->fn->system_log_level, clock_wall_ms(), report);
    if (buf_err(&b) == ERR_OK && b.len)
        put_line(in, buf_str(&b));
    buf_release(&b);
}

static void log_start(struct instance *in)
{
    if (in->start_logged || !in->inv)
        return;
    in->start_logged = true;
    if (in->fn->log_json)
        put_platform(in, LAMBDA_PLATFORM_START,
                     &(struct lambda_report){.request_id = str_c(in->inv->request_id),
                                             .version = in->fn->version});
    else
        put_fmt(in, "START RequestId: %s Version: " STR_FMT, in->inv->request_id,
                STR_ARG(in->fn->version));
}

static void log_failure(struct instance *in, const struct sandbox_result *r)
{
    char text[CLOCK_TEXT_MAX];
    struct arena a;
    struct json *doc;

    if (r->kind == SANDBOX_TIMEOUT) {
        put_fmt(in, STR_FMT " %s Task timed out after %lld.00 seconds\n",
                STR_ARG(clock_iso8601_ms(text, clock_wall_ms())), in->inv->request_id,
                (long long)in->fn->timeout_s);
        return;
    }
    if (r->kind == SANDBOX_OK || r->kind == SANDBOX_FUNCTION_ERROR ||
        r->kind == SANDBOX_RESPONSE_TOO_LARGE)
        return;
    arena_init(&a, 64 * 1024);
    if (json_parse(&a, r->body, &doc, NULL) == ERR_OK) {
        struct str message = json_get_str(doc, STR("errorMessage"));
        put_fmt(in, STR_FMT "\n" STR_FMT, STR_ARG(message), STR_ARG(r->error_type));
    }
    arena_release(&a);
}

static void log_end(struct instance *in, const struct sandbox_result *r)
{
    struct buf b;
    bool failed = r->kind != SANDBOX_OK && r->kind != SANDBOX_FUNCTION_ERROR;
    struct lambda_report report = {
        .request_id = str_c(in->inv->request_id),
        .duration_us = r->duration_us,
        .init_us = r->init_us,
        .memory_mb = in->fn->memory_mb,
        .max_memory_mb = r->max_memory_mb,
        .status = r->kind == SANDBOX_TIMEOUT ? "timeout"
                  : failed                   ? "error"
                                             : NULL,
        .error_type = r->kind == SANDBOX_TIMEOUT ? STR_NONE : r->error_type,
    };

    log_start(in);
    in->start_logged = false;
    if (in->fn->log_json) {
        if (r->kind == SANDBOX_FUNCTION_ERROR)
            report.status = "error";
        put_platform(in, LAMBDA_PLATFORM_RUNTIME_DONE, &report);
        put_platform(in, LAMBDA_PLATFORM_REPORT, &report);
        return;
    }
    log_failure(in, r);
    put_fmt(in, "END RequestId: %s", in->inv->request_id);
    buf_init(&b, LINE_BYTES_MAX);
    lambda_report_put(&b, &report);
    if (buf_err(&b) == ERR_OK)
        put_line(in, buf_str(&b));
    buf_release(&b);
}

static void on_log(void *arg, struct sandbox_instance *sb, struct str line)
{
    struct instance *in = arg;
    if (!in->fn->log_json || !lambda_line_is_below(line, in->fn->log_level))
        put_line(in, line);
}

static void instance_idle(struct instance *in);
static void serve_waiting(struct pool *pool);

static void on_ready(void *arg, struct sandbox_instance *sb, int64_t init_ms)
{
    struct instance *in = arg;
    log_start(in);
    if (in->warm) {
        in->warm_ready = true;
        in->pool->n_warm_ready++;
        if (!in->inv && !in->dying)
            instance_idle(in);
        keep_warm(in->pool);
    }
    left_starting(in);
}

/* --- results ---------------------------------------------------------------------------------- */

static void instance_idle(struct instance *in)
{
    struct pool *pool = in->pool;
    struct lambda_engine *e = pool->e;

    if (e->stopped || pool->gone || !str_eq(in->fn->revision, pool->fn->revision)) {
        instance_end(in);
        return;
    }
    assert(!in->inv && !in->dying); /* E1 */
    in->idle_since_ms = clock_now_ms();
    assert(!list_linked(&in->in_pool) && !list_linked(&in->in_lru));
    if (in->warm) {
        list_push_front(&pool->warm, &in->in_pool);
        keep_warm(pool);
        return;
    }
    list_push_front(&pool->idle, &in->in_pool);
    list_push_back(&e->lru, &in->in_lru);
    if (!e->sweeping)
        e->sweeping = io_timer_start(&e->sweep, SWEEP_MS) == ERR_OK;
}

static void left_busy(struct instance *in)
{
    assert(in->pool->busy > 0 && in->pool->family->busy > 0);
    in->pool->busy--;
    in->pool->family->busy--;
    assert(in->pool->warm_busy >= in->warm_used);
    in->pool->warm_busy -= in->warm_used;
    in->warm_used = false;
    struct share *share = in->pool->family->share;
    assert(!in->unreserved || share->busy_unreserved > 0);
    if (in->unreserved)
        share->busy_unreserved--;
    in->unreserved = false;
}

static void on_result(struct sandbox_invoke *sb, const struct sandbox_result *r)
{
    struct lambda_invocation *inv = CONTAINER_OF(sb, struct lambda_invocation, sb);
    struct instance *in = inv->instance;

    assert(in->inv == inv); /* E1, E4 */
    log_end(in, r);
    lambda_measure_end(in->pool->e->l->core, inv->fn,
                       &(struct lambda_ended){
                           .failed = r->kind != SANDBOX_OK,
                           .duration_us = r->duration_us,
                           .concurrent = in->pool->family->busy,
                           .unreserved = in->pool->family->share->busy_unreserved,
                           .provisioned = in->warm_used,
                           .warm_wanted = in->pool->warm_wanted,
                           .warm_busy = in->pool->warm_busy,
                       });
    size_t cut = inv->tail.len > LAMBDA_TAIL_MAX ? inv->tail.len - LAMBDA_TAIL_MAX : 0;
    struct lambda_result result = {
        .status = r->kind == SANDBOX_OK ? INVOKE_OK : INVOKE_FUNCTION_ERROR,
        .body = r->body,
        .tail = inv->want_tail ? str_sub(buf_str(&inv->tail), cut, SIZE_MAX) : STR_NONE,
    };
    if (in->pool->e->stopped && r->kind == SANDBOX_CRASHED)
        result.status = INVOKE_STOPPING; /* killed by our own stop: not the function's failure */
    in->inv = NULL;
    inv->instance = NULL;
    left_busy(in);
    bool lives = r->kind == SANDBOX_OK || r->kind == SANDBOX_FUNCTION_ERROR ||
                 r->kind == SANDBOX_RESPONSE_TOO_LARGE;
    if (lives)
        instance_idle(in);
    else
        instance_end(in);
    struct pool *pool = in->pool;
    struct buf tail = inv->tail; /* on_done may free inv */
    inv->on_done(inv, &result);
    buf_release(&tail);
    serve_waiting(pool);
}

static void early_task(struct io_task *task)
{
    struct lambda_invocation *inv = CONTAINER_OF(task, struct lambda_invocation, task);
    const struct lambda_result result = {
        .status = inv->early, .reason = inv->reason, .kms = inv->kms, .body = buf_str(&inv->tail)};
    struct buf tail = inv->tail; /* on_done may free inv */
    inv->on_done(inv, &result);
    buf_release(&tail);
}

/* E4 for what never started. */
static void end_early(struct lambda_engine *e, struct lambda_invocation *inv,
                      enum lambda_status status, const char *reason)
{
    assert(!inv->instance); /* E4 */
    if (status == INVOKE_THROTTLED)
        lambda_measure_one(e->l->core, inv->fn, STR("Throttles"));
    else if (status == INVOKE_LOOP)
        lambda_measure_one(e->l->core, inv->fn, STR("RecursiveInvocationsDropped"));
    inv->early = status;
    inv->reason = reason;
    inv->task.fn = early_task;
    io_post(core_home_loop(e->l->core), &inv->task);
}

/* --- room ------------------------------------------------------------------------------------- */

/* Reason of the throttle, or NULL when one more invocation may run. */
static const char *concurrency_refused(const struct family *family)
{
    int64_t reserved = family->reserved;
    const struct share *share = family->share;

    if (reserved >= 0)
        return (int64_t)family->busy >= reserved
                   ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                   : NULL;
    if ((int64_t)share->busy_unreserved + share->reserved_sum + share->warm_unreserved >=
        LAMBDA_CONCURRENCY_MAX)
        return "ConcurrentInvocationLimitExceeded";
    return NULL;
}

static bool memory_fits(const struct lambda_engine *e, int64_t mb)
{
    return e->memory_mb == 0 || e->memory_mb + mb <= e->memory_max_mb;
}

/* Ends idle environments, longest idle first, until one of `mb` fits. */
static bool make_room(struct lambda_engine *e, int64_t mb)
{
    while (!memory_fits(e, mb) && !list_empty(&e->lru))
        instance_end(CONTAINER_OF(e->lru.next, struct instance, in_lru));
    return memory_fits(e, mb);
}

static size_t count_idle(const struct pool *pool, size_t max)
{
    size_t n = 0;
    for (const struct list *l = pool->idle.next; l != &pool->idle && n < max; l = l->next)
        n++;
    for (const struct list *l = pool->warm.next; l != &pool->warm && n < max; l = l->next)
        n++;
    return n;
}

/* How many environments of the function might start now. */
static size_t startable(const struct lambda_engine *e, const struct lambda_fn *fn)
{
    if (e->n_starting >= e->starting_max)
        return 0;
    size_t n = e->starting_max - e->n_starting;
    if (memory_fits(e, (int64_t)n * fn->memory_mb))
        return n;
    return memory_fits(e, fn->memory_mb) || !list_empty(&e->lru) ? 1 : 0;
}

size_t lambda_engine_room(struct lambda_engine *e, const struct lambda_fn *fn, size_t max)
{
    const struct pool *pool = map_get(&e->pools, fn->arn);
    const struct family *family = map_get(&e->families, family_arn(fn));

    if (e->stopped || (family ? concurrency_refused(family) != NULL : fn->reserved == 0))
        return 0;
    if (family && family->reserved >= 0)
        max = min_size(max, (size_t)family->reserved - family->busy);
    size_t n = pool ? count_idle(pool, max) : 0;
    return n < max ? min_size(n + startable(e, fn), max) : max;
}

/* --- starting environments -------------------------------------------------------------------- */

struct role_credentials {
    struct str access_key, secret, token;
    int64_t expires_ms;
};

/* ERR_DENIED with why->text: KMS refuses. */
static enum err spec_fill(struct lambda_engine *e, struct instance *in, struct arena *a,
                          struct sandbox_spec *ret_spec, struct lambda_env_refusal *why)
{
    const struct lambda_fn *fn = in->fn;
    const struct identity_port *identity = &e->l->core->identity;
    struct lambda_environment_variables_entry *given;
    struct role_credentials c;

    TRY(identity->assume_for_service(identity->self, fn->role, STR(LAMBDA_PRINCIPAL), fn->name.name,
                                     CREDENTIAL_S, a, &c.access_key, &c.secret, &c.token,
                                     &c.expires_ms));
    TRY(lambda_env_open(e->l, a, fn, &given, why));
    struct sandbox_env *env = ARENA_ARRAY(a, struct sandbox_env, fn->n_env + LOG_VARIABLES);
    if (!env)
        return ERR_NOMEM;
    size_t n_env = 0;
    if (fn->log_json) { /* first, as of two variables of a name the first counts */
        env[n_env++] = (struct sandbox_env){STR("AWS_LAMBDA_LOG_FORMAT"), STR("JSON")};
        env[n_env++] = (struct sandbox_env){STR("AWS_LAMBDA_LOG_LEVEL"), fn->log_level};
    }
    for (size_t i = 0; i < fn->n_env; i++)
        env[n_env++] = (struct sandbox_env){given[i].key, given[i].value};
    in->credentials_end_ms = c.expires_ms;
    *ret_spec = (struct sandbox_spec){
        .function_name = fn->name.name,
        .version = fn->version,
        .runtime = fn->runtime,
        .handler = fn->handler,
        .code_dir = str_c(fn->code->dir),
        .opt_dir = fn->opt ? str_c(fn->opt->dir) : STR_NONE,
        .architecture = fn->architecture,
        .log_group = fn->log_group,
        .log_stream = lambda_log_stream_name(in->log),
        .region = fn->name.scope.region,
        .access_key = c.access_key,
        .secret_key = c.secret,
        .session_token = c.token,
        .env = env,
        .n_env = n_env,
        .memory_mb = fn->memory_mb,
        .ephemeral_mb = fn->ephemeral_mb,
        /* Where AWS begins again after ten seconds, within the time-out of the first invocation,
         * this goes on. */
        .init_timeout_ms = SANDBOX_INIT_TIMEOUT_MS + fn->timeout_s * 1000,
        .provisioned = in->warm,
    };
    return ERR_OK;
}

/* Another version of the runtime than the function asks for runs: never silently. */
static void log_substitute(struct instance *in)
{
    char other[64];
    if (sandbox_runtime_other(in->pool->e->l->sandbox, in->fn->runtime, other, sizeof(other)))
        put_fmt(in, "[weir] " STR_FMT " is not on this machine: %s runs instead",
                STR_ARG(in->fn->runtime), other);
}

/* For an invocation, which is told what KMS refuses (ERR_DENIED, early INVOKE_KMS), or NULL: a warm one. */
static enum err instance_start(struct pool *pool, struct lambda_invocation *inv,
                               struct instance **ret_in)
{
    struct lambda_engine *e = pool->e;
    struct lambda_env_refusal why = {.text = STR_NONE};
    struct arena a;
    struct sandbox_spec spec;
    struct instance *in = mem_calloc(1, sizeof(*in));
    if (!in)
        return ERR_NOMEM;
    in->pool = pool;
    in->warm = !inv;
    in->fn = lambda_fn_ref(pool->fn);
    list_init(&in->in_pool);
    list_init(&in->in_lru);
    in->log = lambda_log_stream_new(e->l->logbook, in->fn);
    const struct sandbox_events events = {on_ready, on_log, on_exit_, in};
    arena_init(&a, 256 * 1024);
    enum err err = in->log ? spec_fill(e, in, &a, &spec, &why) : ERR_NOMEM;
    if (err == ERR_OK)
        err = sandbox_instance_start(e->l->sandbox, &spec, &events, &in->sb);
    if (inv && str_is_set(why.text)) {
        inv->early = INVOKE_KMS;
        inv->kms = why.why;
        buf_add_str(&inv->tail, why.text);
    }
    if (err != ERR_OK)
        log_warn("lambda", "cannot start an environment of " STR_FMT ": %s " STR_FMT,
                 STR_ARG(in->fn->name.name), err_name(err),
                 STR_ARG(str_is_set(why.text) ? why.text : STR("")));
    arena_release(&a);
    if (err != ERR_OK) {
        instance_free(in);
        return err;
    }
    assert(in->sb);
    log_substitute(in);
    in->starting = true;
    e->n_starting++;
    pool->n++;
    pool->n_warm += in->warm;
    e->memory_mb += in->fn->memory_mb;
    *ret_in = in;
    return ERR_OK;
}

static bool usable(const struct instance *in)
{
    enum sandbox_state state = sandbox_instance_state(in->sb);
    return state != SANDBOX_DYING && state != SANDBOX_EXITED &&
           (!in->credentials_end_ms ||
            clock_wall_ms() + CREDENTIAL_SLACK_MS < in->credentials_end_ms);
}

static struct instance *idle_take(struct pool *pool)
{
    struct list *link;
    while ((link = list_pop_front(list_empty(&pool->warm) ? &pool->idle : &pool->warm))) {
        struct instance *in = CONTAINER_OF(link, struct instance, in_pool);
        assert(!in->inv && !in->dying && in->pool == pool);
        list_remove(&in->in_lru);
        if (usable(in))
            return in;
        instance_end(in);
    }
    return NULL;
}

/* --- invoking --------------------------------------------------------------------------------- */

static void on_head(struct sandbox_invoke *sb, struct str content_type)
{
    struct lambda_invocation *inv = CONTAINER_OF(sb, struct lambda_invocation, sb);
    inv->on_head(inv, content_type);
}

static bool on_piece(struct sandbox_invoke *sb, struct str piece)
{
    struct lambda_invocation *inv = CONTAINER_OF(sb, struct lambda_invocation, sb);
    return inv->on_piece(inv, piece);
}

void lambda_engine_resume(struct lambda_invocation *inv)
{
    if (inv->instance && inv->instance->inv == inv)
        sandbox_instance_resume(inv->instance->sb);
}

static enum err hand_over(struct instance *in, struct lambda_invocation *inv)
{
    assert(!in->inv && !in->dying); /* E1 */
    inv->sb = (struct sandbox_invoke){
        .event = inv->event,
        .request_id = str_c(inv->request_id),
        .function_arn = inv->invoked_arn[0] ? str_c(inv->invoked_arn) : in->fn->arn,
        .client_context = inv->client_context,
        /* X-Ray's clients need to find it, though nothing is sampled. */
        .trace_id = lambda_trace_next(inv->trace, inv->cause, &in->fn->name),
        .timeout_ms = in->fn->timeout_s * 1000,
        .on_result = on_result,
        .on_head = inv->on_piece ? on_head : NULL,
        .on_piece = inv->on_piece ? on_piece : NULL,
    };
    enum err err = sandbox_instance_invoke(in->sb, &inv->sb);
    if (err != ERR_OK)
        return err;
    assert(in->pool->busy < in->pool->n);
    inv->instance = in;
    in->inv = inv;
    lambda_log_stream_trace(in->log, inv->trace);
    in->pool->busy++;
    in->pool->family->busy++;
    in->warm_used = in->warm;
    in->pool->warm_busy += in->warm;
    in->unreserved = in->pool->family->reserved < 0 && !in->warm;
    if (in->unreserved)
        in->pool->family->share->busy_unreserved++;
    if (sandbox_instance_state(in->sb) != SANDBOX_STARTING)
        log_start(in);
    return ERR_OK;
}

/* The end of a running one wakes who waits, so there must be one. */
static bool park(struct pool *pool, struct lambda_invocation *inv)
{
    if (!inv->may_wait || pool->busy == 0 || pool->n_waiting >= WAITING_MAX)
        return false;
    assert(!inv->instance && !list_linked(&inv->link));
    list_push_back(&pool->waiting, &inv->link);
    pool->n_waiting++;
    return true;
}

static void throttle(struct pool *pool, struct lambda_invocation *inv, const char *reason)
{
    if (!park(pool, inv))
        end_early(pool->e, inv, INVOKE_THROTTLED, reason);
}

/* An environment is initialised, or never will be: one more may start. */
static void left_starting(struct instance *in)
{
    struct lambda_engine *e = in->pool->e;
    size_t it = 0;
    struct str key;
    void *value;

    if (!in->starting)
        return;
    assert(e->n_starting > 0);
    in->starting = false;
    e->n_starting--;
    while (map_next(&e->pools, &it, &key, &value)) {
        struct pool *pool = value;
        if (pool->n_waiting && e->n_starting < e->starting_max)
            serve_waiting(pool);
        keep_warm(pool);
    }
}

/* An invocation of the function ended: the first that waits gets its turn, all get their answer
 * when none is running any more. */
static void serve_waiting(struct pool *pool)
{
    size_t n = pool->n_waiting;

    while (n-- > 0) {
        struct lambda_invocation *inv =
            CONTAINER_OF(list_pop_front(&pool->waiting), struct lambda_invocation, link);
        assert(pool->n_waiting > 0 && !inv->instance);
        pool->n_waiting--;
        lambda_engine_invoke(pool->e, inv);
        if (pool->busy > 0)
            return;
    }
}

static const char *why_not_started(const struct lambda_engine *e, const struct lambda_fn *fn,
                                   enum err err)
{
    const char *why = NULL;
    if (err == ERR_DENIED || err == ERR_NOT_FOUND)
        why = "The role defined for the function cannot be assumed by Lambda.";
    else if (err == ERR_UNSUPPORTED)
        (void)sandbox_runtime_available(e->l->sandbox, fn->runtime, &why);
    else if (err == ERR_CLOSED)
        why = "the helper process that starts functions is being started again";
    return why ? why : err_name(err);
}

void lambda_engine_invoke(struct lambda_engine *e, struct lambda_invocation *inv)
{
    struct instance *in;

    assert(inv->fn && inv->on_done);
    buf_init(&inv->tail, 4 * SANDBOX_LINE_MAX);
    if (e->stopped) {
        end_early(e, inv, INVOKE_STOPPING, NULL);
        return;
    }
    if (lambda_is_loop(e->l, &inv->fn->name, inv->cause)) {
        lambda_loop_stopped(e->l, &inv->fn->name);
        end_early(e, inv, INVOKE_LOOP, NULL);
        return;
    }
    struct pool *pool = pool_get(e, inv->fn);
    if (!pool) {
        end_early(e, inv, INVOKE_FAILED, "out of memory");
        return;
    }
    pool_take_fn(pool, inv->fn);
    /* Deleted since the caller looked, and maybe created anew: who tries again finds that out. */
    if (pool->gone || !str_eq(pool->fn->id, inv->fn->id)) {
        end_early(e, inv, INVOKE_THROTTLED, "ConcurrentInvocationLimitExceeded");
        return;
    }
    const char *refused = concurrency_refused(pool->family);
    bool own = pool->family->reserved < 0 && !list_empty(&pool->warm); /* set aside for it */
    if (refused && !own) {
        throttle(pool, inv, refused);
        return;
    }
    while ((in = idle_take(pool))) {
        if (hand_over(in, inv) == ERR_OK)
            return;
        instance_end(in); /* it died meanwhile */
    }
    /* A burst of events must not start more at once than the cores can initialise in time: those
     * that run already take over what waits. */
    if (e->n_starting >= e->starting_max && park(pool, inv))
        return;
    if (!make_room(e, pool->fn->memory_mb)) {
        throttle(pool, inv, "ConcurrentInvocationLimitExceeded");
        return;
    }
    enum err err = instance_start(pool, inv, &in);
    if (err == ERR_OK) {
        err = hand_over(in, inv);
        if (err == ERR_OK)
            return;
        instance_end(in);
    }
    if (err == ERR_LIMIT)
        end_early(e, inv, INVOKE_THROTTLED, "ConcurrentInvocationLimitExceeded");
    else if (inv->early == INVOKE_KMS)
        end_early(e, inv, INVOKE_KMS, NULL);
    else
        end_early(e, inv, INVOKE_FAILED, why_not_started(e, inv->fn, err));
}

/* --- changes ---------------------------------------------------------------------------------- */

void lambda_engine_changed(struct lambda_engine *e, const struct lambda_fn *changed)
{
    struct pool *pool = map_get(&e->pools, changed->arn);
    struct lambda_fn *fn = NULL;
    enum err err = lambda_fn_find(e->l, &changed->name, &fn);

    struct family *family = map_get(&e->families, family_arn(changed));
    struct share *share = share_of(e, changed->name.scope, false);

    if (share)
        share_sum(e, share);
    if (family && fn && !fn->number)
        family->reserved = fn->reserved;
    if (pool && fn) {
        pool_take_fn(pool, fn);
    } else if (pool && err == ERR_NOT_FOUND) { /* another error: told again when it is known */
        pool->gone = true;
        pool->warm_wanted = 0;
        pool_drain_idle(pool);
        pool_check_gone(pool);
    }
    lambda_fn_unref(fn);
}

/* --- provisioned concurrency ------------------------------------------------------------------ */

/* Tells what is there to who asks by another thread. */
static void tell_warm(struct pool *pool)
{
    struct lambda_engine *e = pool->e;
    pthread_mutex_lock(&e->warm_lock);
    struct lambda_warm *w = map_get(&e->warm, pool->fn->arn);
    if (!w && pool->warm_wanted) {
        w = mem_calloc(1, sizeof(*w));
        if (w && map_put(&e->warm, pool->fn->arn, w, NULL) != ERR_OK) {
            mem_free(w);
            w = NULL;
        }
    }
    if (w && pool->warm_wanted)
        *w = (struct lambda_warm){.ready = pool->n_warm_ready, .why = pool->warm_why};
    else
        mem_free(map_del(&e->warm, pool->fn->arn));
    pool->warm_told = w && pool->warm_wanted;
    pthread_mutex_unlock(&e->warm_lock);
}

struct lambda_warm lambda_engine_warm(struct lambda_engine *e, struct str version_arn)
{
    if (!e->l->sandbox)
        return (struct lambda_warm){.why = "Functions run nowhere here."};
    pthread_mutex_lock(&e->warm_lock);
    const struct lambda_warm *w = map_get(&e->warm, version_arn);
    struct lambda_warm copy = w ? *w : (struct lambda_warm){0};
    pthread_mutex_unlock(&e->warm_lock);
    return copy;
}

/* E5. As many start at once as may; the end of a start comes back here. */
static void keep_warm(struct pool *pool)
{
    struct lambda_engine *e = pool->e;
    struct instance *in;
    bool had = pool->n_warm || pool->warm_wanted || pool->warm_told;
    while (pool->n_warm > pool->warm_wanted && !list_empty(&pool->warm))
        instance_end(CONTAINER_OF(pool->warm.next, struct instance, in_pool));
    while (!e->stopped && e->l->sandbox && !pool->gone && pool->n_warm < pool->warm_wanted &&
           !pool->warm_why && e->n_starting < e->starting_max) {
        if (!make_room(e, pool->fn->memory_mb))
            pool->warm_why = "The host has no memory for more environments.";
        else if (instance_start(pool, NULL, &in) != ERR_OK)
            pool->warm_why = "The environment could not be started.";
    }
    if (had)
        tell_warm(pool);
}

/* Those that credentials ran out for are replaced, and what could not start is tried again. */
static void sweep_warm(struct lambda_engine *e)
{
    size_t it = 0;
    struct str key;
    void *value;
    if (e->warm_unknown)
        lambda_engine_provision(e);
    while (map_next(&e->pools, &it, &key, &value)) {
        struct pool *pool = value;
        LIST_EACH_SAFE (&pool->warm, link, next) {
            struct instance *in = CONTAINER_OF(link, struct instance, in_pool);
            if (!usable(in))
                instance_end(in);
        }
        pool->warm_why = NULL;
        keep_warm(pool);
    }
}

/* Sums up over all pools. */
static void count_warm(struct lambda_engine *e)
{
    size_t it = 0;
    struct str key;
    void *value;
    e->warming = false;
    while (map_next(&e->shares, &it, &key, &value))
        ((struct share *)value)->warm_unreserved = 0;
    it = 0;
    while (map_next(&e->pools, &it, &key, &value)) {
        const struct pool *pool = value;
        e->warming |= pool->warm_wanted > 0;
        if (pool->family->reserved < 0)
            pool->family->share->warm_unreserved += (int64_t)pool->warm_wanted;
    }
}

static void want(struct lambda_engine *e, const struct lambda_provisioned *p)
{
    struct lambda_fn *fn;
    if (lambda_fn_find(e->l, &p->function, &fn) != ERR_OK)
        return;
    struct pool *pool = fn->number ? pool_get(e, fn) : NULL;
    if (pool)
        pool->warm_next += (size_t)p->wanted;
    lambda_fn_unref(fn);
}

void lambda_engine_provision(struct lambda_engine *e)
{
    enum { BYTES_MAX = 4 * 1024 * 1024 };
    struct lambda_provisions list;
    struct arena a;
    size_t it = 0;
    struct str key;
    void *value;
    if (e->stopped || (!e->warming && catalogue_count(e->l->provisioned, STR("")) == 0))
        return;
    arena_init(&a, BYTES_MAX);
    bool known = lambda_provisioned_list(e->l, &a, NULL, &list) == ERR_OK;
    for (size_t i = 0; known && i < list.n; i++)
        want(e, &list.v[i]);
    arena_release(&a);
    while (known && map_next(&e->pools, &it, &key, &value)) {
        struct pool *pool = value;
        pool->warm_wanted = pool->gone ? 0 : pool->warm_next;
        pool->warm_next = 0;
        keep_warm(pool);
    }
    count_warm(e);
    e->warm_unknown = !known; /* the sweep asks again */
    if (!e->sweeping && (e->warming || e->warm_unknown))
        e->sweeping = io_timer_start(&e->sweep, SWEEP_MS) == ERR_OK;
}

void lambda_engine_stop(struct lambda_engine *e)
{
    e->stopped = true;
    io_timer_stop(&e->sweep);
}

void lambda_engine_free(struct lambda_engine *e)
{
    size_t it = 0;
    struct str key;
    void *value;

    if (!e)
        return;
    while (map_next(&e->pools, &it, &key, &value))
        pool_free(value);
    it = 0;
    while (map_next(&e->families, &it, &key, &value))
        mem_free(value);
    it = 0;
    while (map_next(&e->warm, &it, &key, &value))
        mem_free(value);
    it = 0;
    while (map_next(&e->shares, &it, &key, &value))
        share_free(value);
    map_release(&e->shares);
    map_release(&e->warm);
    pthread_mutex_destroy(&e->warm_lock);
    map_release(&e->families);
    map_release(&e->pools);
    mem_free(e);
}
