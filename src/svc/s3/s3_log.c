/* Records of requests on their way to the buckets of logs. See s3_log.h.
 *
 *   s3_logs_add --> open, one for each bucket --full, period, flush, drain--> ready --one at a time--> PutObject
 *
 * The log object is put as anybody's would be, by an inner call of logging.s3.amazonaws.com: its permission,
 * the target's encryption, versions and events are those of PutObject. */
#include "svc/s3/s3_log.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json.h"
#include "core/inner.h"
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_life.h"

enum {
    /* Bytes of a log's names, prefix and grants, and of what it is put with. */
    SETTINGS_MAX = 8 * 1024 + 8 * S3_ACL_TEXT_MAX,
    REQUEST_MAX = 32 * 1024,
    UNIQUE_BYTES = 8,
};

/* Records of one bucket for one object. */
struct log {
    struct list link; /* of s3_logs.ready */
    struct arena arena;
    struct str source, region, account;
    struct s3_logging to;
    int64_t day_ms; /* of all its records, where the key says it; 0: of any */
    struct buf text;
    uint64_t records;
};

struct s3_logs {
    struct s3 *s3;
    pthread_mutex_t lock; /* what follows, up to `lost` */
    struct map open;      /* source bucket -> struct log */
    struct list ready;
    size_t bytes; /* of both, and of what is sent */
    bool posted;  /* task is on its way */
    bool all;     /* it is to deliver the open ones, too */
    _Atomic uint64_t lost;
    struct io_task task;
    /* Home loop. */
    struct io_timer timer;
    bool timed;
    struct log *sending;
    void (*done)(void *arg); /* of the drain */
    void *arg;
};

static void send_next(struct s3_logs *l);

static void log_free(struct log *log)
{
    if (!log)
        return;
    buf_release(&log->text);
    arena_release(&log->arena);
    mem_free(log);
}

/* --- what waits ------------------------------------------------------------------------------- */

static int64_t day_of(int64_t ms)
{
    return ms / S3_DAY_MS * S3_DAY_MS;
}

static bool same(const struct log *log, const struct s3_logging *to, int64_t day_ms)
{
    return log->day_ms == day_ms && log->to.form == to->form &&
           s3_acl_same(&log->to.grants, &to->grants) && str_eq(log->to.bucket, to->bucket) &&
           str_eq(log->to.prefix, to->prefix);
}

static struct log *log_new(const struct core *core, struct str source,
                           const struct s3_bucket_rec *rec, int64_t day_ms)
{
    struct log *log = mem_calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    arena_init(&log->arena, SETTINGS_MAX);
    buf_init(&log->text, S3_LOG_OBJECT_MAX);
    log->source = str_dup(&log->arena, source);
    log->region = str_dup(&log->arena, rec->region);
    log->account = str_dup(&log->arena, s3_bucket_owner(core, rec));
    log->to = rec->logging;
    log->to.bucket = str_dup(&log->arena, rec->logging.bucket);
    log->to.prefix = str_dup(&log->arena, rec->logging.prefix);
    log->day_ms = day_ms;
    if (s3_acl_dup(&log->arena, &rec->logging.grants, &log->to.grants) == ERR_OK &&
        !log->arena.failed)
        return log;
    log_free(log);
    return NULL;
}

/* Under the lock, as the next two. */
static void make_ready(struct s3_logs *l, struct log *log)
{
    (void)map_del(&l->open, log->source);
    list_push_back(&l->ready, &log->link);
}

/* The log that takes a record of `len` bytes; NULL: there is no room. */
static struct log *log_for(struct s3_logs *l, struct str bucket, const struct s3_bucket_rec *rec,
                           int64_t day_ms, size_t len)
{
    struct log *log = map_get(&l->open, bucket);
    if (log && (!same(log, &rec->logging, day_ms) || log->text.len + len > S3_LOG_OBJECT_MAX)) {
        make_ready(l, log);
        log = NULL;
    }
    if (log || l->open.n == S3_LOG_BUCKETS_MAX)
        return log;
    log = log_new(l->s3->core, bucket, rec, day_ms);
    if (!log || map_put(&l->open, bucket, log, NULL) == ERR_OK)
        return log;
    log_free(log);
    return NULL;
}

/* Under the lock. */
static void wake(struct s3_logs *l)
{
    if (l->posted)
        return;
    l->posted = true;
    io_post(core_home_loop(l->s3->core), &l->task);
}

void s3_logs_add(struct s3 *s3, struct str bucket, const struct s3_bucket_rec *rec, int64_t wall_ms,
                 struct str record)
{
    struct s3_logs *l = s3->logs;
    struct log *log = NULL;
    int64_t day_ms = rec->logging.form == S3_LOG_BY_EVENT ? day_of(wall_ms) : 0;
    size_t len = record.len + 1;
    assert(len <= S3_LOG_OBJECT_MAX);
    pthread_mutex_lock(&l->lock);
    if (str_is_set(record) && l->bytes + len <= S3_LOG_WAITING_MAX)
        log = log_for(l, bucket, rec, day_ms, len);
    if (log) {
        size_t before = log->text.len;
        buf_add_str(&log->text, record);
        buf_add_byte(&log->text, '\n');
        l->bytes += log->text.len - before;
        log->records++;
        wake(l);
    } else {
        atomic_fetch_add(&l->lost, 1);
    }
    pthread_mutex_unlock(&l->lock);
}

/* --- delivery --------------------------------------------------------------------------------- */

/* Source: S3 User Guide, "Log object key format". */
static struct str key_of(struct arena *a, const struct log *log)
{
    struct civil now = clock_civil(clock_wall_ms()), t = now;
    uint8_t bytes[UNIQUE_BYTES];
    char unique[2 * UNIQUE_BYTES];
    rng_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(unique); i++)
        unique[i] = "0123456789ABCDEF"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    struct str u = str_n(unique, sizeof(unique));
    if (log->to.form == S3_LOG_BY_EVENT)
        t = clock_civil(log->day_ms);
    struct str stamp = str_fmt(a, "%04d-%02d-%02d-%02d-%02d-%02d-" STR_FMT, t.year, t.month, t.day,
                               t.hour, t.minute, t.second, STR_ARG(u));
    if (log->to.form != S3_LOG_BY_EVENT && log->to.form != S3_LOG_BY_DELIVERY)
        return str_fmt(a, STR_FMT STR_FMT, STR_ARG(log->to.prefix), STR_ARG(stamp));
    return str_fmt(a, STR_FMT STR_FMT "/" STR_FMT "/" STR_FMT "/%04d/%02d/%02d/" STR_FMT,
                   STR_ARG(log->to.prefix), STR_ARG(log->account), STR_ARG(log->region),
                   STR_ARG(log->source), t.year, t.month, t.day, STR_ARG(stamp));
}

static void put_grants(struct json_out *o, struct arena *a, struct str account,
                       struct s3_acl grants)
{
    struct call call = {.arena = a, .account = account};
    grants.bits |= s3_acl_bit(S3_OWNER, S3_FULL_CONTROL);
    json_kv_str(o, STR("GrantFullControl"), s3_acl_header(&call, &grants, S3_FULL_CONTROL));
    json_kv_str(o, STR("GrantRead"), s3_acl_header(&call, &grants, S3_READ));
}

static enum err input_of(struct s3_logs *l, struct log *log, struct str *ret_input)
{
    struct arena *a = &log->arena;
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, SETTINGS_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Bucket"), log->to.bucket);
    json_kv_str(&o, STR("Key"), key_of(a, log));
    json_kv_str(&o, STR("ContentType"), STR("text/plain"));
    if (s3_acl_any(&log->to.grants))
        put_grants(&o, a, log->account, log->to.grants);
    json_close(&o, '}');
    *ret_input = buf_str(&b);
    return buf_err(&b);
}

/* The one that was sent is over. */
static void over(struct s3_logs *l, struct str why)
{
    struct log *log = l->sending;
    l->sending = NULL;
    if (str_is_set(why)) {
        atomic_fetch_add(&l->lost, log->records);
        log_warn("s3",
                 "access log lost: bucket=" STR_FMT " target=" STR_FMT " %" PRIu64
                 " records: " STR_FMT,
                 STR_ARG(log->source), STR_ARG(log->to.bucket), log->records, STR_ARG(why));
    }
    pthread_mutex_lock(&l->lock);
    l->bytes -= log->text.len;
    pthread_mutex_unlock(&l->lock);
    log_free(log);
    send_next(l);
}

static void put_done(void *arg, const struct core_result *r)
{
    over(arg, r->err == ERR_OK      ? STR_NONE
              : str_is_set(r->code) ? r->code
                                    : str_c(err_name(r->err)));
}

static enum err deliver(struct s3_logs *l, struct log *log)
{
    static const struct principal delivery = {.kind = PRINCIPAL_SERVICE,
                                              .service = STR_INIT("logging.s3.amazonaws.com"),
                                              .arn = STR_INIT("logging.s3.amazonaws.com")};
    struct core *core = l->s3->core;
    struct str input;
    TRY(input_of(l, log, &input));
    const struct core_request req = {
        .service = STR("s3"),
        .operation = STR("PutObject"),
        .input = input,
        .body = buf_str(&log->text),
        .who = &delivery,
        .via = delivery.service,
        .source_arn = str_fmt(&log->arena, "arn:" STR_FMT ":s3:::" STR_FMT,
                              STR_ARG(core->cfg.partition), STR_ARG(log->source)),
        .source_account = log->account,
        .region = log->region,
    };
    return core_call(core, &req, put_done, l, NULL);
}

static void send_next(struct s3_logs *l)
{
    if (l->sending)
        return;
    pthread_mutex_lock(&l->lock);
    struct list *first = list_pop_front(&l->ready);
    pthread_mutex_unlock(&l->lock);
    if (first) {
        l->sending = CONTAINER_OF(first, struct log, link);
        enum err err = deliver(l, l->sending);
        if (err)
            over(l, str_c(err_name(err)));
    } else if (l->done) {
        void (*done)(void *arg) = l->done;
        l->done = NULL;
        done(l->arg);
    }
}

static void all_ready(struct s3_logs *l)
{
    size_t it = 0;
    void *log;
    struct str source;
    pthread_mutex_lock(&l->lock);
    while (map_next(&l->open, &it, &source, &log))
        list_push_back(&l->ready, &((struct log *)log)->link);
    map_release(&l->open);
    map_init(&l->open);
    pthread_mutex_unlock(&l->lock);
}

static void on_timer(struct io_timer *timer)
{
    struct s3_logs *l = timer->arg;
    l->timed = false;
    all_ready(l);
    send_next(l);
}

static void on_task(struct io_task *task)
{
    struct s3_logs *l = CONTAINER_OF(task, struct s3_logs, task);
    pthread_mutex_lock(&l->lock);
    bool all = l->all, open = l->open.n > 0;
    l->posted = l->all = false;
    pthread_mutex_unlock(&l->lock);
    if (all)
        all_ready(l);
    else if (open && !l->timed)
        l->timed = io_timer_start(&l->timer, S3_LOG_PERIOD_MS) == ERR_OK;
    send_next(l);
}

static void flush_now(void *arg)
{
    struct s3_logs *l = arg;
    pthread_mutex_lock(&l->lock);
    l->all = true;
    wake(l);
    pthread_mutex_unlock(&l->lock);
}

enum err s3_logs_flush(struct s3 *s3, struct txn *txn)
{
    return txn_on_commit(txn, flush_now, s3->logs);
}

/* --- life ------------------------------------------------------------------------------------- */

enum err s3_logs_new(struct s3 *s3)
{
    struct s3_logs *l = mem_calloc(1, sizeof(*l));
    if (!l)
        return ERR_NOMEM;
    l->s3 = s3;
    l->task.fn = on_task;
    map_init(&l->open);
    list_init(&l->ready);
    pthread_mutex_init(&l->lock, NULL);
    io_timer_init(&l->timer, core_home_loop(s3->core), on_timer, l);
    s3->logs = l;
    return ERR_OK;
}

void s3_logs_free(struct s3 *s3)
{
    struct s3_logs *l = s3->logs;
    struct list *it;
    if (!l)
        return;
    all_ready(l);
    while ((it = list_pop_front(&l->ready)))
        log_free(CONTAINER_OF(it, struct log, link));
    map_release(&l->open);
    log_free(l->sending);
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

void s3_logs_drain(void *self, void (*done)(void *arg), void *arg)
{
    struct s3_logs *l = ((struct s3 *)self)->logs;
    assert(!l->done);
    io_timer_stop(&l->timer);
    l->done = done;
    l->arg = arg;
    all_ready(l);
    send_next(l);
}

void s3_logs_metrics(struct s3 *s3, struct buf *b)
{
    buf_add_fmt(
        b,
        "# HELP weir_s3_log_records_lost_total Records of server access logs that could not "
        "be delivered.\n"
        "# TYPE weir_s3_log_records_lost_total counter\n"
        "weir_s3_log_records_lost_total %" PRIu64 "\n",
        atomic_load(&s3->logs->lost));
}
