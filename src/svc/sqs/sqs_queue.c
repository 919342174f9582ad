/* Queues in memory: names, life, and telling those who wait. See sqs_int.h for the locks.
 *
 * Who waits (long polls, event source mappings) is told when a commit makes a message visible, and
 * by one timer of the instance when a delay or a visibility timeout ends. The timer lives on the
 * home loop; queues with someone waiting stand in a heap by when their next message becomes
 * visible.
 *
 * Layer: svc/sqs. Thread: any loop, but for the timer. */
#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "svc/sqs/sqs_int.h"

/* --- names ------------------------------------------------------------------------------------ */

enum err sqs_url_parse(struct str url, struct str *ret_account, struct str *ret_name)
{
    /* No leniency about what follows the name: authorisation reads the URL in the same way. */
    size_t slash = str_rfind(url, '/');
    if (slash == SIZE_MAX)
        return ERR_INVALID;
    struct str name = str_sub(url, slash + 1, url.len), rest = str_sub(url, 0, slash);
    slash = str_rfind(rest, '/');
    struct str account = slash == SIZE_MAX ? rest : str_sub(rest, slash + 1, rest.len);
    if (name.len == 0 || account.len == 0)
        return ERR_INVALID;
    *ret_account = account;
    *ret_name = name;
    return ERR_OK;
}

enum err sqs_arn_parse(struct str arn, struct str *ret_region, struct str *ret_account,
                       struct str *ret_name)
{
    struct str part[6];
    for (size_t i = 0; i < ARRAY_LEN(part); i++)
        part[i] = str_cut(&arn, ':');
    if (!str_eq_c(part[0], "arn") || !str_eq_c(part[2], "sqs") || str_empty(part[5]) ||
        str_is_set(arn))
        return ERR_NOT_FOUND;
    *ret_region = part[3];
    *ret_account = part[4];
    *ret_name = part[5];
    return ERR_OK;
}

struct str sqs_queue_arn(struct arena *a, const struct core *core, const struct sqs_queue *q)
{
    return str_fmt(a, "arn:" STR_FMT ":sqs:" STR_FMT ":" STR_FMT ":" STR_FMT,
                   STR_ARG(core->cfg.partition), STR_ARG(q->region), STR_ARG(q->account),
                   STR_ARG(q->name));
}

struct str sqs_queue_url(struct arena *a, const struct core *core, struct str account,
                         struct str name)
{
    return str_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(core->cfg.endpoint),
                   STR_ARG(account), STR_ARG(name));
}

/* --- life ------------------------------------------------------------------------------------- */

/* A client that was woken left: its message is another waiter's now. */
static void pass_on(struct waiters *ws)
{
    sqs_queue_wake(CONTAINER_OF(ws, struct sqs_queue, waiters));
}

enum err sqs_queue_new(struct sqs *s, struct str region, struct str account, struct str name,
                       const struct sqs_config *c, struct sqs_queue **ret_queue)
{
    size_t len = region.len + account.len + name.len + 2;
    struct sqs_queue *q = mem_calloc(1, sizeof(*q));
    char *path = mem_alloc(len + 1);
    struct sqs_index *ix = sqs_index_new(c->fifo);
    if (!q || !path || !ix) {
        mem_free(q);
        mem_free(path);
        sqs_index_unref(ix);
        return ERR_NOMEM;
    }
    snprintf(path, len + 1, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(region), STR_ARG(account),
             STR_ARG(name));
    q->sqs = s;
    atomic_init(&q->refs, 1);
    q->id = c->id;
    q->path = str_n(path, len);
    q->region = str_n(path, region.len);
    q->account = str_n(path + region.len + 1, account.len);
    q->name = str_n(path + region.len + account.len + 2, name.len);
    q->fifo = c->fifo;
    q->ix = ix;
    q->purge_seq = c->purge_seq;
    q->last_seq = c->purge_seq;
    q->retention_ms = c->retention_s * 1000;
    pthread_mutex_init(&q->lock, NULL);
    waiters_init(&q->waiters, &q->lock, pass_on);
    list_init(&q->watchers);
    list_init(&q->home);
    *ret_queue = q;
    return ERR_OK;
}

void sqs_queue_ref(struct sqs_queue *q)
{
    atomic_fetch_add_explicit(&q->refs, 1, memory_order_relaxed);
}

void sqs_queue_unref(struct sqs_queue *q)
{
    if (!q || atomic_fetch_sub_explicit(&q->refs, 1, memory_order_acq_rel) > 1)
        return;
    assert(q->due.index == 0 && waiters_empty(&q->waiters));
    sqs_index_unref(q->ix);
    pthread_mutex_destroy(&q->lock);
    mem_free((void *)q->path.p);
    mem_free(q);
}

static void unref_cb(void *arg)
{
    sqs_queue_unref(arg);
}

static void due_forget(struct sqs_queue *q)
{
    struct sqs *s = q->sqs;
    pthread_mutex_lock(&s->due_lock);
    bool was_in = q->due.index != 0;
    heap_remove(&s->due, &q->due);
    pthread_mutex_unlock(&s->due_lock);
    if (was_in)
        sqs_queue_unref(q);
}

/* Ends it in memory; under sqs.lock. The caller drops the table's reference. */
static void retire(struct sqs_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->deleted = true;
    while (!list_empty(&q->watchers)) {
        struct sqs_watcher *w =
            CONTAINER_OF(list_pop_front(&q->watchers), struct sqs_watcher, link);
        w->queue = NULL;
    }
    (void)waiters_wake(&q->waiters, SIZE_MAX);
    pthread_mutex_unlock(&q->lock);
    due_forget(q);
}

enum err sqs_queue_enter(struct sqs_queue *q)
{
    struct sqs *s = q->sqs;
    void *old = NULL;
    pthread_rwlock_wrlock(&s->lock);
    enum err err = map_put(&s->queues, q->path, q, &old);
    if (err == ERR_OK && old)
        retire(old);
    if (err == ERR_OK)
        LIST_EACH (&s->watchers, it) {
            struct sqs_watcher *w = CONTAINER_OF(it, struct sqs_watcher, all);
            if (!w->queue && str_eq(w->path, q->path)) {
                w->queue = q;
                list_push_back(&q->watchers, &w->link);
            }
        }
    pthread_rwlock_unlock(&s->lock);
    sqs_queue_unref(old);
    return err;
}

void sqs_queue_enter_or_keep(struct sqs_queue *q)
{
    struct sqs *s = q->sqs;
    if (sqs_queue_enter(q) == ERR_OK)
        return;
    pthread_rwlock_wrlock(&s->lock);
    list_push_back(&s->homeless, &q->home);
    pthread_rwlock_unlock(&s->lock);
}

/* Enters the queues that found no memory when they were made. */
static void settle_homeless(struct sqs *s)
{
    struct list rest;
    list_init(&rest);
    pthread_rwlock_wrlock(&s->lock);
    while (!list_empty(&s->homeless))
        list_push_back(&rest, list_pop_front(&s->homeless));
    pthread_rwlock_unlock(&s->lock);
    while (!list_empty(&rest))
        sqs_queue_enter_or_keep(CONTAINER_OF(list_pop_front(&rest), struct sqs_queue, home));
}

void sqs_queue_leave(struct sqs_queue *q)
{
    struct sqs *s = q->sqs;
    pthread_rwlock_wrlock(&s->lock);
    bool ours = map_get(&s->queues, q->path) == q;
    if (ours) {
        (void)map_del(&s->queues, q->path);
        retire(q);
    }
    pthread_rwlock_unlock(&s->lock);
    if (ours)
        sqs_queue_unref(q);
}

void sqs_queue_purge(struct sqs_queue *q, struct sqs_index *fresh, uint64_t seq)
{
    pthread_mutex_lock(&q->lock);
    struct sqs_index *old = q->ix;
    q->ix = fresh;
    q->purge_seq = seq;
    sqs_index_unref(old);
    pthread_mutex_unlock(&q->lock);
}

uint64_t sqs_queue_next_seq(struct sqs_queue *q, int64_t now_ms)
{
    uint64_t seq = sqs_seq_of_ms(now_ms);
    if (seq <= q->last_seq)
        seq = q->last_seq + 1;
    q->last_seq = seq;
    return seq;
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct sqs_queue *find(struct sqs *s, struct str path)
{
    pthread_rwlock_rdlock(&s->lock);
    struct sqs_queue *q = map_get(&s->queues, path);
    if (q)
        sqs_queue_ref(q);
    pthread_rwlock_unlock(&s->lock);
    return q;
}

enum err sqs_open(struct sqs *s, struct txn *txn, struct str region, struct str account,
                  struct str name, struct sqs_open *ret_open)
{
    struct str bytes;
    struct sqs_open o = {0};
    if (name.len > SQS_NAME_MAX || region.len > SQS_NAME_MAX || account.len > SQS_NAME_MAX)
        return ERR_NOT_FOUND;
    struct str key = sqs_key_queue(txn->arena, region, account, name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &bytes));
    TRY(sqs_config_unpack(txn->arena, bytes, &o.config));
    char text[SQS_NAME_MAX * 3 + 3];
    int len = snprintf(text, sizeof(text), STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(region),
                       STR_ARG(account), STR_ARG(name));
    struct str path = str_n(text, (size_t)len);
    o.queue = find(s, path);
    if (!o.queue || o.queue->id != o.config.id) {
        sqs_queue_unref(o.queue);
        TRY(sqs_load_now(s, path));
        settle_homeless(s);
        o.queue = find(s, path);
    }
    if (!o.queue)
        return ERR_CONFLICT; /* its creation's hook is still to run on another loop */
    enum err err = arena_on_release(txn->arena, unref_cb, o.queue);
    if (err != ERR_OK) {
        sqs_queue_unref(o.queue);
        return err;
    }
    if (o.queue->id != o.config.id)
        return ERR_CONFLICT;
    *ret_open = o;
    return ERR_OK;
}

enum err sqs_open_arn(struct sqs *s, struct txn *txn, struct str arn, struct sqs_open *ret_open)
{
    struct str region, account, name;
    TRY(sqs_arn_parse(arn, &region, &account, &name));
    return sqs_open(s, txn, region, account, name, ret_open);
}

enum err sqs_open_url(struct call *call, struct str url, struct sqs_open *ret_open)
{
    struct str account, name;
    if (sqs_url_parse(url, &account, &name) != ERR_OK)
        return call_error(call, &sqs_err_invalid_address,
                          "The address " STR_FMT " is not valid for this endpoint.", STR_ARG(url));
    enum err err = ERR_NOT_FOUND;
    /* Authorisation looked at the caller's account: no other one may be reached from here. */
    if (str_eq(account, call->account))
        err = sqs_open(call->svc, call->txn, call->region, account, name, ret_open);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &sqs_err_queue_does_not_exist,
                          "The specified queue does not exist.");
    return err;
}

enum err sqs_save(struct txn *txn, const struct sqs_queue *q, const struct sqs_config *c)
{
    struct str key = sqs_key_queue(txn->arena, q->region, q->account, q->name);
    struct str bytes = sqs_config_pack(txn->arena, c);
    if (!str_is_set(key) || !str_is_set(bytes))
        return ERR_NOMEM;
    return txn_put(txn, key, bytes);
}

/* --- waking ----------------------------------------------------------------------------------- */

/* Makes the home loop look at the heap again. */
static void post_due(struct sqs *s)
{
    if (!atomic_load(&s->stopped) && !atomic_exchange(&s->due_posted, true))
        io_post(core_home_loop(s->core), &s->due_task);
}

/* Enters the queue in the timer's heap; under q->lock. */
static void schedule(struct sqs_queue *q)
{
    struct sqs *s = q->sqs;
    int64_t due_ms = sqs_index_next_due(q->ix);
    if (due_ms == INT64_MAX || q->deleted)
        return;
    bool sooner = false;
    pthread_mutex_lock(&s->due_lock);
    if (q->due.index == 0) {
        q->due.key = due_ms;
        /* Without memory nobody is told early: long polls end by their own deadline. */
        if (heap_push(&s->due, &q->due) == ERR_OK) {
            sqs_queue_ref(q);
            sooner = heap_peek(&s->due) == &q->due;
        }
    } else if (due_ms != q->due.key) {
        heap_update(&s->due, &q->due, due_ms);
        sooner = heap_peek(&s->due) == &q->due;
    }
    pthread_mutex_unlock(&s->due_lock);
    if (sooner)
        post_due(s);
}

void sqs_queue_wake(struct sqs_queue *q)
{
    bool some = q->fifo ? !list_empty(&q->ix->ready) : !list_empty(&q->ix->visible);
    /* What a FIFO queue can give at once depends on its groups: one is woken, and wakes the next
     * when something is left. */
    (void)waiters_wake(&q->waiters, q->fifo ? some : q->ix->count[SQS_SLOT_VISIBLE]);
    if (some)
        LIST_EACH (&q->watchers, it) {
            const struct sqs_watcher *w = CONTAINER_OF(it, struct sqs_watcher, link);
            w->fn(w->arg);
        }
    if (!waiters_empty(&q->waiters) || !list_empty(&q->watchers))
        schedule(q);
}

/* Takes the first queue that is due, with the heap's reference; NULL when none is, and then when
 * the next will be. */
static struct sqs_queue *pop_due(struct sqs *s, int64_t now_ms, int64_t *ret_next_ms)
{
    struct sqs_queue *q = NULL;
    pthread_mutex_lock(&s->due_lock);
    struct heap_node *node = heap_peek(&s->due);
    *ret_next_ms = node ? node->key : INT64_MAX;
    if (node && node->key <= now_ms) {
        (void)heap_pop(&s->due);
        q = CONTAINER_OF(node, struct sqs_queue, due);
    }
    pthread_mutex_unlock(&s->due_lock);
    return q;
}

static void run_due(struct sqs *s)
{
    int64_t now_ms = clock_now_ms(), next_ms;
    struct sqs_queue *q;
    while ((q = pop_due(s, now_ms, &next_ms)) != NULL) {
        pthread_mutex_lock(&q->lock);
        (void)sqs_index_promote(q->ix, now_ms);
        sqs_queue_wake(q);
        pthread_mutex_unlock(&q->lock);
        sqs_queue_unref(q);
    }
    io_timer_stop(&s->due_timer);
    if (next_ms != INT64_MAX && !atomic_load(&s->stopped))
        (void)!io_timer_start(&s->due_timer, max_i64(next_ms - clock_now_ms(), 0));
}

static void on_due_timer(struct io_timer *timer)
{
    run_due(timer->arg);
}

void sqs_due_task(struct io_task *task)
{
    struct sqs *s = CONTAINER_OF(task, struct sqs, due_task);
    atomic_store(&s->due_posted, false);
    if (atomic_load(&s->stopped))
        return;
    if (!s->due_timer_made) {
        io_timer_init(&s->due_timer, core_home_loop(s->core), on_due_timer, s);
        s->due_timer_made = true;
    }
    run_due(s);
}
