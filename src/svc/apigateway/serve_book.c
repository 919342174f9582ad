/* See serve_book.h. Layer: svc. */
#include "svc/apigateway/serve_book.h"

#include <assert.h>
#include <pthread.h>

#include "base/arn.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "svc/apigateway/account.h"
#include "svc/logs/logs_port.h"

enum { BOOK_FLUSH_MS = 50, LINE_OVERHEAD = 128, EVENTS_PUT_MAX = 1000 };

/* One block with its texts behind it. */
struct line {
    struct list link;
    struct key_scope scope;
    struct str group, stream, text;
    int64_t at_ms;
    size_t bytes;
};

struct serve_book {
    struct core *core;
    pthread_mutex_t lock;
    struct list waiting; /* under the lock, as the next three */
    size_t bytes;        /* of what waits or is being written */
    uint64_t dropped;
    bool posted; /* the task or the timer will look */
    /* The home loop's. */
    struct list writing;
    bool busy;
    struct io_task task;
    struct io_timer timer;
    void (*done)(void *arg);
    void *done_arg;
};

static void flush(struct serve_book *b);

static void on_timer(struct io_timer *t)
{
    flush(t->arg);
}

static void on_task(struct io_task *task)
{
    struct serve_book *b = CONTAINER_OF(task, struct serve_book, task);
    if (b->done || io_timer_start(&b->timer, BOOK_FLUSH_MS) != ERR_OK)
        flush(b);
}

enum err serve_book_new(struct core *core, struct serve_book **ret_book)
{
    struct serve_book *b = mem_calloc(1, sizeof(*b));
    if (!b)
        return ERR_NOMEM;
    b->core = core;
    pthread_mutex_init(&b->lock, NULL);
    list_init(&b->waiting);
    list_init(&b->writing);
    b->task.fn = on_task;
    *ret_book = b;
    return ERR_OK;
}

void serve_book_start(struct serve_book *b)
{
    io_timer_init(&b->timer, core_home_loop(b->core), on_timer, b);
}

static void free_lines(struct list *lines)
{
    struct list *link;
    while ((link = list_pop_front(lines)))
        mem_free(CONTAINER_OF(link, struct line, link));
}

void serve_book_free(struct serve_book *b)
{
    if (!b)
        return;
    free_lines(&b->waiting);
    free_lines(&b->writing);
    pthread_mutex_destroy(&b->lock);
    mem_free(b);
}

/* --- adding ----------------------------------------------------------------------------------- */

static struct str put(char **at, struct str text)
{
    char *p = *at;
    if (text.len)
        memcpy(p, text.p, text.len);
    *at += text.len;
    return str_n(p, text.len);
}

static struct line *line_new(struct key_scope scope, struct str group, struct str stream,
                             int64_t at_ms, struct str text)
{
    size_t n = scope.account.len + scope.region.len + group.len + stream.len + text.len;
    struct line *l = mem_alloc(sizeof(*l) + n);
    if (!l)
        return NULL;
    char *at = (char *)(l + 1);
    *l = (struct line){.at_ms = at_ms, .bytes = n + LINE_OVERHEAD};
    list_init(&l->link);
    l->scope.account = put(&at, scope.account);
    l->scope.region = put(&at, scope.region);
    l->group = put(&at, group);
    l->stream = put(&at, stream);
    l->text = put(&at, text);
    return l;
}

void serve_book_add(struct serve_book *b, struct key_scope scope, struct str group,
                    struct str stream, int64_t at_ms, struct str text)
{
    struct line *l = line_new(scope, group, stream, at_ms, text);
    bool post = false, first_drop = false;
    pthread_mutex_lock(&b->lock);
    if (!l || b->bytes + l->bytes > SERVE_BOOK_BYTES_MAX) { /* BK1 */
        first_drop = b->dropped++ == 0;
    } else {
        b->bytes += l->bytes;
        list_push_back(&b->waiting, &l->link);
        l = NULL;
        post = !b->posted;
        b->posted = true;
    }
    pthread_mutex_unlock(&b->lock);
    mem_free(l);
    if (first_drop)
        log_warn("apigateway", "logs come faster than they can be stored: lines are dropped");
    if (post)
        io_post(core_home_loop(b->core), &b->task);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool same_stream(const struct line *a, const struct line *b)
{
    return str_eq(a->stream, b->stream) && str_eq(a->group, b->group) &&
           str_eq(a->scope.region, b->scope.region) && str_eq(a->scope.account, b->scope.account);
}

/* Under the account's role, which has to be allowed it. ERR_DENIED. */
static enum err may_write(struct txn *txn, const struct line *of)
{
    const struct arn arn = {.partition = txn->core->cfg.partition,
                            .service = STR("logs"),
                            .region = of->scope.region,
                            .account = of->scope.account};
    struct str role, group = arn_make(txn->arena, &arn, "log-group:" STR_FMT ":log-stream:" STR_FMT,
                                      STR_ARG(of->group), STR_ARG(of->stream));
    if (!str_is_set(group))
        return ERR_NOMEM;
    TRY(apigateway_account_role(txn, of->scope, &role));
    if (!str_is_set(role))
        return ERR_DENIED;
    return core_role_allowed(txn, role, STR("apigateway.amazonaws.com"), "logs:PutLogEvents",
                             group);
}

/* What may not be written is not, as on AWS. */
static enum err put_events(struct txn *txn, const struct line *of, const struct logs_event *events,
                           size_t n)
{
    const struct logs_port *logs = logs_port_of(txn->core);
    if (!logs || n == 0)
        return ERR_OK;
    enum err err = may_write(txn, of);
    if (err == ERR_OK)
        err = logs->put(logs->self, txn, of->scope, of->group, of->stream, events, n);
    if (err == ERR_DENIED)
        log_debug("apigateway", "log group " STR_FMT " cannot be written", STR_ARG(of->group));
    return err == ERR_DENIED ? ERR_OK : err;
}

static enum err write_body(struct txn *txn, void *arg)
{
    struct serve_book *b = arg;
    struct logs_event *events = ARENA_ARRAY(txn->arena, struct logs_event, EVENTS_PUT_MAX);
    const struct line *of = NULL;
    size_t n = 0;
    if (!events)
        return ERR_NOMEM;
    LIST_EACH (&b->writing, link) {
        const struct line *l = CONTAINER_OF(link, struct line, link);
        if (of && (n == EVENTS_PUT_MAX || !same_stream(of, l))) {
            TRY(put_events(txn, of, events, n));
            n = 0;
        }
        of = l;
        events[n++] = (struct logs_event){.timestamp_ms = l->at_ms, .message = l->text};
    }
    return of ? put_events(txn, of, events, n) : ERR_OK;
}

static void written(void *arg, enum err err)
{
    struct serve_book *b = arg;
    size_t bytes = 0;
    assert(b->busy);
    LIST_EACH (&b->writing, link)
        bytes += CONTAINER_OF(link, struct line, link)->bytes;
    if (err)
        log_error("apigateway", "%zu bytes of logs could not be stored: %s", bytes, err_name(err));
    free_lines(&b->writing);
    b->busy = false;
    pthread_mutex_lock(&b->lock);
    b->bytes -= bytes;
    pthread_mutex_unlock(&b->lock);
    flush(b);
}

static void flush(struct serve_book *b)
{
    struct list *link;
    if (b->busy)
        return; /* `written` looks again */
    pthread_mutex_lock(&b->lock);
    b->posted = false;
    while ((link = list_pop_front(&b->waiting)))
        list_push_back(&b->writing, link);
    pthread_mutex_unlock(&b->lock);
    if (list_empty(&b->writing)) {
        void (*done)(void *arg) = b->done;
        b->done = NULL;
        if (done)
            done(b->done_arg);
        return;
    }
    b->busy = true;
    if (txn_run(b->core, core_home_loop(b->core), write_body, b, written) != ERR_OK)
        written(b, ERR_NOMEM);
}

void serve_book_drain(struct serve_book *b, void (*done)(void *arg), void *arg)
{
    b->done = done;
    b->done_arg = arg;
    io_timer_stop(&b->timer);
    flush(b);
}
