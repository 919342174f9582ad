/* Queues in memory: their life, and telling those who wait. See sqs_int.h for the locks.
 *
 * Who waits (long polls, event source mappings) is told when a commit makes a message visible, and
 * by one timer of the instance when a delay or a visibility timeout ends. The timer lives on the
 * home loop; queues with someone waiting stand in a heap by when their next message becomes
 * visible.
 *
 * Layer: svc/sqs. Thread: any loop, but for the timer. */
#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "svc/sqs/sqs_int.h"

/* --- life ------------------------------------------------------------------------------------- */

/* A client that was woken left: its message is another waiter's now. */
static void pass_on(struct waiters *ws)
{
    sqs_queue_wake(CONTAINER_OF(ws, struct sqs_queue, waiters));
}

enum err sqs_queue_new(struct sqs *s, struct key_scope scope, struct str name,
                       const struct sqs_config *c, struct sqs_queue **ret_queue)
{
    struct sqs_queue *q = mem_calloc(1, sizeof(*q));
    struct sqs_index *ix = sqs_index_new(c->fifo);
    struct buf text; /* the key, then account, region and name */
    buf_init(&text, KV_KEY_MAX);
    key_put(&text, &sqs_k_queue, scope, name);
    size_t at = text.len;
    buf_add_str(&text, scope.account);
    buf_add_str(&text, scope.region);
    buf_add_str(&text, name);
    if (!q || !ix || buf_err(&text) != ERR_OK) {
        mem_free(q);
        sqs_index_unref(ix);
        buf_release(&text);
        return ERR_NOMEM;
    }
    q->sqs = s;
    atomic_init(&q->refs, 1);
    q->id = c->id;
    q->text = text;
    q->key = str_n(text.p, at);
    q->scope.account = str_n(text.p + at, scope.account.len);
    q->scope.region = str_n(q->scope.account.p + scope.account.len, scope.region.len);
    q->name = str_n(q->scope.region.p + scope.region.len, name.len);
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
    unsigned before = atomic_fetch_add_explicit(&q->refs, 1, memory_order_relaxed);
    assert(before > 0);
}

void sqs_queue_unref(struct sqs_queue *q)
{
    if (!q || atomic_fetch_sub_explicit(&q->refs, 1, memory_order_acq_rel) > 1)
        return;
    assert(q->due.index == 0 && waiters_empty(&q->waiters));
    sqs_index_unref(q->ix);
    pthread_mutex_destroy(&q->lock);
    buf_release(&q->text);
    mem_free(q);
}

static void unref_cb(void *arg)
{
    sqs_queue_unref(arg);
}

enum err sqs_queue_hold(struct arena *a, struct sqs_queue *q)
{
    enum err err = arena_on_release(a, unref_cb, q);
    if (err != ERR_OK)
        sqs_queue_unref(q);
    return err;
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
    assert(!q->deleted);
    q->deleted = true;
    while (!list_empty(&q->watchers)) {
        struct sqs_watcher *w =
            CONTAINER_OF(list_pop_front(&q->watchers), struct sqs_watcher, link);
        assert(w->queue == q);
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
    enum err err = map_put(&s->queues, q->key, q, &old);
    if (err == ERR_OK && old)
        retire(old);
    if (err == ERR_OK)
        LIST_EACH (&s->watchers, it) {
            struct sqs_watcher *w = CONTAINER_OF(it, struct sqs_watcher, all);
            if (!w->queue && str_eq(w->key, q->key)) {
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

void sqs_queue_leave(struct sqs_queue *q)
{
    struct sqs *s = q->sqs;
    pthread_rwlock_wrlock(&s->lock);
    bool ours = map_get(&s->queues, q->key) == q;
    if (ours) {
        (void)map_del(&s->queues, q->key);
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
    assert(fresh->fifo == q->fifo && fresh->n == 0 && seq > q->purge_seq);
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
    assert(seq > q->purge_seq); /* or it would count as purged (Q1) */
    q->last_seq = seq;
    return seq;
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
    assert(atomic_load(&q->refs) > 0);
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
    bool some = sqs_index_some(q->ix);
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
