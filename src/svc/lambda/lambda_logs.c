/* Output of functions on its way to CloudWatch Logs: lines gather in memory per stream and are
 * staged in one background transaction for all streams, soon but off the path of the invocation.
 *
 *   lambda_log_line -> dirty streams --LOG_FLUSH_MS or LOG_FLUSH_BYTES--> flushing --durable--> gone
 *
 * Invariants
 *   LG1  At most LOG_BYTES_MAX bytes wait; more is dropped and counted in the process log.
 *   LG2  A stream's lines stay in order: one flush is under way at a time.
 *   LG3  Without logs:PutLogEvents for the role nothing is written, as on AWS.
 *
 * Layer: svc. Thread: home loop. */
#include <stdio.h>

#include "base/arn.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"

enum {
    LOG_BYTES_MAX = 16 * 1024 * 1024,
    LOG_FLUSH_BYTES = 1024 * 1024,
    LOG_FLUSH_MS = 50,
    LOG_EVENT_OVERHEAD = 64,
    LOG_EVENTS_PUT_MAX = 1000, /* in one call of the port */
    STREAM_NAME_MAX = 64,
    LOG_PARSE_MAX = 4 * 1024 * 1024, /* memory for a line that is looked at */
};

struct pending_event {
    int64_t at_ms;
    size_t offset, len;
};

struct pending {
    struct buf text;
    struct pending_event *v;
    size_t n, cap;
};

struct lambda_log_stream {
    struct lambda_logbook *book;
    struct lambda_fn *fn;
    char name[STREAM_NAME_MAX];
    char trace[LAMBDA_TRACE_MAX]; /* of the invocation that writes; "": none yet */
    bool held;                    /* its environment lives */
    struct list link;             /* book->dirty or book->flushing */
    struct pending pending, flushing;
};

struct lambda_logbook {
    struct lambda *l;
    struct list dirty, flushing;
    bool busy;    /* a flush is under way */
    size_t bytes; /* waiting and being flushed */
    size_t flushing_bytes;
    uint64_t dropped;
    struct io_timer timer;
    bool armed;
    struct io_task finish_task;
    void (*done)(void *arg);
    void *done_arg;
};

static void flush_start(struct lambda_logbook *book);

static void on_timer(struct io_timer *t)
{
    struct lambda_logbook *book = t->arg;
    book->armed = false;
    flush_start(book);
}

enum err lambda_logbook_new(struct lambda *l, struct lambda_logbook **ret_book)
{
    struct lambda_logbook *book = mem_calloc(1, sizeof(*book));
    if (!book)
        return ERR_NOMEM;
    book->l = l;
    list_init(&book->dirty);
    list_init(&book->flushing);
    *ret_book = book;
    return ERR_OK;
}

void lambda_logbook_start(struct lambda_logbook *book)
{
    io_timer_init(&book->timer, core_home_loop(book->l->core), on_timer, book);
}

/* --- streams ---------------------------------------------------------------------------------- */

struct lambda_log_stream *lambda_log_stream_new(struct lambda_logbook *book, struct lambda_fn *fn)
{
    char hex[33];
    struct civil c = clock_civil(clock_wall_ms());
    struct lambda_log_stream *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    rng_text(hex, sizeof(hex) - 1, "0123456789abcdef");
    snprintf(s->name, sizeof(s->name), "%04d/%02d/%02d/[" STR_FMT "]%s", c.year, c.month, c.day,
             STR_ARG(fn->version), hex);
    s->book = book;
    s->fn = lambda_fn_ref(fn);
    s->held = true;
    list_init(&s->link);
    buf_init(&s->pending.text, LOG_BYTES_MAX);
    buf_init(&s->flushing.text, LOG_BYTES_MAX);
    return s;
}

struct str lambda_log_stream_name(const struct lambda_log_stream *s)
{
    return str_c(s->name);
}

void lambda_log_stream_trace(struct lambda_log_stream *s, const char trace[LAMBDA_TRACE_MAX])
{
    memcpy(s->trace, trace, LAMBDA_TRACE_MAX);
}

static void pending_release(struct pending *p)
{
    buf_release(&p->text);
    mem_free(p->v);
    *p = (struct pending){0};
}

static void stream_free(struct lambda_log_stream *s)
{
    list_remove(&s->link);
    pending_release(&s->pending);
    pending_release(&s->flushing);
    lambda_fn_unref(s->fn);
    mem_free(s);
}

void lambda_log_stream_drop(struct lambda_log_stream *s)
{
    if (!s)
        return;
    assert(s->held);
    s->held = false;
    if (!list_linked(&s->link))
        stream_free(s);
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool pending_add(struct pending *p, int64_t now_ms, struct str line)
{
    assert(p->n <= p->cap);
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 16;
        struct pending_event *v = mem_realloc(p->v, cap * sizeof(*v));
        if (!v)
            return false;
        p->v = v;
        p->cap = cap;
    }
    size_t offset = p->text.len;
    buf_add_str(&p->text, line);
    buf_add_byte(&p->text, '\n');
    if (buf_err(&p->text) != ERR_OK) {
        p->text.len = offset;
        p->text.err = ERR_OK;
        return false;
    }
    p->v[p->n++] = (struct pending_event){now_ms, offset, line.len + 1};
    return true;
}

void lambda_log_line(struct lambda_log_stream *s, int64_t now_ms, struct str line)
{
    struct lambda_logbook *book = s->book;
    assert(s->held && book->bytes >= book->flushing_bytes);
    size_t bytes = line.len + LOG_EVENT_OVERHEAD;

    if (book->bytes + bytes > LOG_BYTES_MAX || !pending_add(&s->pending, now_ms, line)) {
        if (book->dropped++ == 0)
            log_warn("lambda",
                     "function output comes faster than it can be stored: lines of "
                     "%s are dropped",
                     s->name);
        return;
    }
    book->bytes += bytes;
    if (!list_linked(&s->link))
        list_push_back(&book->dirty, &s->link);
    if (book->bytes - book->flushing_bytes >= LOG_FLUSH_BYTES) {
        flush_start(book);
    } else if (!book->armed && !book->busy) {
        book->armed = io_timer_start(&book->timer, LOG_FLUSH_MS) == ERR_OK;
        if (!book->armed)
            flush_start(book);
    }
}

/* --- flushing --------------------------------------------------------------------------------- */

static enum err may_write(struct txn *txn, struct lambda *l, const struct lambda_log_stream *s)
{
    const struct arn arn = {.partition = l->core->cfg.partition,
                            .service = STR("logs"),
                            .region = s->fn->name.scope.region,
                            .account = s->fn->name.scope.account};
    struct str text = arn_make(txn->arena, &arn, "log-group:" STR_FMT ":log-stream:%s",
                               STR_ARG(s->fn->log_group), s->name);
    if (!str_is_set(text))
        return ERR_NOMEM;
    return lambda_role_allowed(txn, s->fn->role, "logs:PutLogEvents", text);
}

static enum err put_stream(struct txn *txn, struct lambda *l, struct lambda_log_stream *s)
{
    const struct pending *p = &s->flushing;
    struct logs_event *events = ARENA_ARRAY(txn->arena, struct logs_event, LOG_EVENTS_PUT_MAX);

    if (!events)
        return ERR_NOMEM;
    for (size_t at = 0; at < p->n;) {
        size_t n = 0;
        for (; n < LOG_EVENTS_PUT_MAX && at < p->n; n++, at++) {
            events[n].timestamp_ms = p->v[at].at_ms;
            events[n].message = str_n(p->text.p + p->v[at].offset, p->v[at].len);
            events[n].trace = s->trace[0] ? str_c(s->trace) : STR_NONE;
        }
        TRY(l->logs->put(l->logs->self, txn, s->fn->name.scope, s->fn->log_group, str_c(s->name),
                         events, n));
    }
    return ERR_OK;
}

static enum err flush_body(struct txn *txn, void *arg)
{
    struct lambda_logbook *book = arg;

    LIST_EACH (&book->flushing, link) {
        struct lambda_log_stream *s = CONTAINER_OF(link, struct lambda_log_stream, link);
        enum err err = may_write(txn, book->l, s);
        if (err == ERR_DENIED) {
            log_debug("lambda", "role of %.*s may not write logs", STR_ARG(s->fn->name.name));
            continue;
        }
        TRY(err);
        err = put_stream(txn, book->l, s);
        if (err == ERR_DENIED) {
            log_debug("lambda", "the KMS key of log group %.*s cannot be used",
                      STR_ARG(s->fn->log_group));
            continue;
        }
        TRY(err);
    }
    return ERR_OK;
}

static void flush_end(struct lambda_logbook *book)
{
    if (book->done && list_empty(&book->dirty)) {
        void (*done)(void *) = book->done;
        book->done = NULL;
        done(book->done_arg);
    }
}

static void flush_done(void *arg, enum err err)
{
    struct lambda_logbook *book = arg;
    struct list *link;

    assert(book->busy && book->bytes >= book->flushing_bytes); /* LG2 */
    if (err != ERR_OK)
        log_error("lambda", "%zu bytes of function output could not be stored: %s",
                  book->flushing_bytes, err_name(err));
    while ((link = list_pop_front(&book->flushing))) {
        struct lambda_log_stream *s = CONTAINER_OF(link, struct lambda_log_stream, link);
        buf_clear(&s->flushing.text);
        s->flushing.n = 0;
        if (s->pending.n)
            list_push_back(&book->dirty, &s->link);
        else if (!s->held)
            stream_free(s);
    }
    book->bytes -= book->flushing_bytes;
    book->flushing_bytes = 0;
    book->busy = false;
    if (!list_empty(&book->dirty))
        flush_start(book);
    else
        flush_end(book);
}

static void flush_start(struct lambda_logbook *book)
{
    struct list *link;

    if (book->busy)
        return;
    assert(list_empty(&book->flushing)); /* LG2 */
    while ((link = list_pop_front(&book->dirty))) {
        struct lambda_log_stream *s = CONTAINER_OF(link, struct lambda_log_stream, link);
        assert(s->pending.n > 0 && s->flushing.n == 0);
        struct pending empty = s->flushing;
        s->flushing = s->pending;
        s->pending = empty;
        list_push_back(&book->flushing, &s->link);
    }
    if (list_empty(&book->flushing)) {
        flush_end(book);
        return;
    }
    book->busy = true;
    book->flushing_bytes = book->bytes;
    if (txn_run(book->l->core, core_home_loop(book->l->core), flush_body, book, flush_done) !=
        ERR_OK)
        flush_done(book, ERR_NOMEM);
}

static void finish(struct io_task *task)
{
    struct lambda_logbook *book = CONTAINER_OF(task, struct lambda_logbook, finish_task);
    if (!book->busy)
        flush_start(book);
}

void lambda_logbook_flush(struct lambda_logbook *book, void (*done)(void *arg), void *arg)
{
    assert(!book->done && done);
    book->done = done;
    book->done_arg = arg;
    book->finish_task.fn = finish;
    io_post(core_home_loop(book->l->core), &book->finish_task);
}

void lambda_logbook_free(struct lambda_logbook *book)
{
    struct list *link;

    if (!book)
        return;
    while ((link = list_pop_front(&book->dirty)) || (link = list_pop_front(&book->flushing)))
        stream_free(CONTAINER_OF(link, struct lambda_log_stream, link));
    mem_free(book);
}

/* --- lines of the platform -------------------------------------------------------------------- */

static int64_t billed_ms(const struct lambda_report *r)
{
    return (r->duration_us + (r->init_us > 0 ? r->init_us : 0) + 999) / 1000;
}

void lambda_report_put(struct buf *b, const struct lambda_report *r)
{
    buf_add_fmt(b,
                "REPORT RequestId: " STR_FMT "\tDuration: %.2f ms\tBilled Duration: %lld ms\t"
                "Memory Size: %lld MB\tMax Memory Used: %lld MB\t",
                STR_ARG(r->request_id), (double)r->duration_us / 1000.0, (long long)billed_ms(r),
                (long long)r->memory_mb, (long long)r->max_memory_mb);
    if (r->init_us >= 0)
        buf_add_fmt(b, "Init Duration: %.2f ms\t", (double)r->init_us / 1000.0);
    if (r->status)
        buf_add_fmt(b, "Status: %s\t", r->status);
    if (r->status && str_is_set(r->error_type))
        buf_add_fmt(b, "Error Type: " STR_FMT "\t", STR_ARG(r->error_type));
}

/* --- the JSON log format ---------------------------------------------------------------------- */

/* Place of a level among levels; SIZE_MAX: it is none. */
static size_t level_of(struct str level)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(level, str_c(names[i])))
            return i;
    return str_eq_nocase(level, STR("WARNING"))    ? level_of(STR("WARN"))
           : str_eq_nocase(level, STR("CRITICAL")) ? level_of(STR("FATAL"))
                                                   : SIZE_MAX;
}

bool lambda_line_is_below(struct str line, struct str level)
{
    struct arena a;
    struct json *doc;
    size_t least = level_of(level);

    if (!line.len || line.p[0] != '{' || least == SIZE_MAX)
        return false;
    arena_init(&a, LOG_PARSE_MAX);
    size_t has = json_parse(&a, line, &doc, NULL) == ERR_OK
                     ? level_of(json_get_str(doc, STR("level")))
                     : SIZE_MAX;
    arena_release(&a);
    return has < least;
}

static void put_ms(struct json_out *o, const char *name, int64_t us)
{
    json_key(o, str_c(name));
    json_f64(o, (double)us / 1000.0);
}

static void put_metrics(struct json_out *o, enum lambda_platform type,
                        const struct lambda_report *r)
{
    json_key(o, STR("metrics"));
    json_open(o, '{');
    put_ms(o, "durationMs", r->duration_us);
    if (type == LAMBDA_PLATFORM_REPORT) {
        json_kv_i64(o, STR("billedDurationMs"), billed_ms(r));
        json_kv_i64(o, STR("memorySizeMB"), r->memory_mb);
        json_kv_i64(o, STR("maxMemoryUsedMB"), r->max_memory_mb);
        if (r->init_us >= 0)
            put_ms(o, "initDurationMs", r->init_us);
    }
    json_close(o, '}');
}

/* Source: Lambda developer guide, "System log level event mapping", and the Telemetry API's schema. */
void lambda_platform_put(struct buf *b, enum lambda_platform type, struct str level, int64_t now_ms,
                         const struct lambda_report *r)
{
    static const char *const names[] = {"platform.start", "platform.runtimeDone",
                                        "platform.report"};
    const char *own = type != LAMBDA_PLATFORM_START && r->status ? "WARN"
                      : type == LAMBDA_PLATFORM_RUNTIME_DONE     ? "DEBUG"
                                                                 : "INFO";
    char text[CLOCK_TEXT_MAX];
    struct json_out o;

    assert(type <= LAMBDA_PLATFORM_REPORT);
    if (level_of(str_c(own)) < level_of(level))
        return;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("time"), clock_iso8601_ms(text, now_ms));
    json_kv_str(&o, STR("type"), str_c(names[type]));
    json_key(&o, STR("record"));
    json_open(&o, '{');
    json_kv_str(&o, STR("requestId"), r->request_id);
    if (type == LAMBDA_PLATFORM_START) {
        json_kv_str(&o, STR("version"), r->version);
    } else {
        put_metrics(&o, type, r);
        json_kv_str(&o, STR("status"), r->status ? str_c(r->status) : STR("success"));
        if (r->status && str_is_set(r->error_type))
            json_kv_str(&o, STR("errorType"), r->error_type);
    }
    json_close(&o, '}');
    json_close(&o, '}');
}
