/* What nobody waits for: deleting the messages of purged and deleted queues, messages past their
 * retention, and old deduplication ids. In pieces of CLEAN_PIECE, one transaction at a time, so
 * that the loop stays free.
 *
 *   idle --kick or timer--> look for a piece --found--> running --done--> look again
 *                              |none
 *                              +--> idle, until the timer
 *
 * Layer: svc/sqs. Thread: the home loop, but for sqs_clean_kick. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "svc/sqs/sqs_int.h"

enum {
    CLEAN_PIECE = 500,             /* messages or ids per transaction */
    CLEAN_INTERVAL_MS = 30 * 1000, /* between looks for what has expired */
    CLEAN_RETRY_MS = 1000,
};

struct sqs_clean {
    struct sqs *sqs;
    struct io_task task;
    _Atomic bool posted;
    struct io_timer timer;
    bool timer_made;
    bool busy;
    _Atomic bool garbage; /* there may be garbage records */
    /* Where the deletion of the current garbage record has got to, and will have got to when the
     * transaction commits. */
    uint64_t garbage_queue, garbage_seq, next_queue, next_seq;
    bool garbage_found;
    /* The current piece of expired messages. */
    struct sqs_queue *queue;
    uint64_t seqs[CLEAN_PIECE];
    size_t n;
    /* Deduplication ids: buckets before this one are gone everywhere. */
    uint64_t dedup_done, dedup_target;
    size_t dedup_at; /* which of the FIFO queues is next */
    uint64_t dedup_queue;
};

static void look(struct sqs_clean *c);

static enum err delete_pair(struct txn *txn, uint64_t queue_id, uint64_t seq)
{
    struct str body = sqs_key_body(txn->arena, queue_id, seq);
    struct str state = sqs_key_state(txn->arena, queue_id, seq);
    if (!str_is_set(body) || !str_is_set(state))
        return ERR_NOMEM;
    TRY(txn_del(txn, body));
    return txn_del(txn, state);
}

/* --- garbage ---------------------------------------------------------------------------------- */

/* First garbage record. ERR_NOT_FOUND. */
static enum err first_garbage(struct txn *txn, uint64_t *ret_queue_id, uint64_t *ret_bound)
{
    struct kv_iter *it;
    struct str key, val, from = sqs_key_garbage_all(txn->arena);
    struct str to = key_after_prefix(txn->arena, from);
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    enum err err = kv_next(it, &key, &val);
    if (err == ERR_OK)
        err = sqs_key_read_pair(key, ret_queue_id, ret_bound);
    kv_iter_close(it);
    return err;
}

/* Deletes up to CLEAN_PIECE keys in a range; `pairs`: they are state keys, and the body goes too.
 */
static enum err delete_range(struct txn *txn, struct str from, struct str to, bool pairs,
                             size_t *ret_n, uint64_t *ret_last)
{
    struct kv_iter *it;
    struct str key, val;
    size_t n = 0;
    enum err err;
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    while (n < CLEAN_PIECE && (err = kv_next(it, &key, &val)) == ERR_OK) {
        uint64_t queue_id, seq;
        if (pairs)
            err = sqs_key_read_pair(key, &queue_id, &seq);
        if (err == ERR_OK && pairs)
            err = delete_pair(txn, queue_id, seq);
        else if (err == ERR_OK)
            err = txn_del(txn, key);
        if (err != ERR_OK)
            break;
        if (pairs)
            *ret_last = seq;
        n++;
    }
    kv_iter_close(it);
    if (n < CLEAN_PIECE && err != ERR_NOT_FOUND)
        return err;
    *ret_n = n;
    return ERR_OK;
}

static enum err garbage_body(struct txn *txn, void *arg)
{
    struct sqs_clean *c = arg;
    uint64_t queue_id, bound, ignored;
    size_t n;
    enum err err = first_garbage(txn, &queue_id, &bound);
    c->garbage_found = err == ERR_OK;
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    uint64_t from = queue_id == c->garbage_queue ? c->garbage_seq : 0;
    c->next_queue = queue_id;
    c->next_seq = from;
    struct str to = bound == UINT64_MAX ? sqs_key_state(txn->arena, queue_id + 1, 0)
                                        : sqs_key_state(txn->arena, queue_id, bound);
    TRY(delete_range(txn, sqs_key_state(txn->arena, queue_id, from), to, true, &n, &c->next_seq));
    if (n == CLEAN_PIECE)
        return ERR_OK;
    if (bound == UINT64_MAX)
        TRY(delete_range(txn, sqs_key_dedup_bucket(txn->arena, queue_id, 0),
                         sqs_key_dedup_bucket(txn->arena, queue_id + 1, 0), false, &n, &ignored));
    if (n == CLEAN_PIECE)
        return ERR_OK;
    c->next_queue = 0;
    struct str key = sqs_key_garbage(txn->arena, queue_id, bound);
    return str_is_set(key) ? txn_del(txn, key) : ERR_NOMEM;
}

/* --- retention -------------------------------------------------------------------------------- */

static void expired_committed(void *arg)
{
    struct sqs_clean *c = arg;
    pthread_mutex_lock(&c->queue->lock);
    for (size_t i = 0; i < c->n; i++) {
        struct sqs_slot *slot = sqs_index_find(c->queue->ix, c->seqs[i]);
        if (slot && slot->state != SQS_SLOT_NEW)
            sqs_index_remove(c->queue->ix, slot);
    }
    if (c->queue->fifo) /* a group's next message may be first now */
        sqs_queue_wake(c->queue);
    pthread_mutex_unlock(&c->queue->lock);
}

static enum err expired_body(struct txn *txn, void *arg)
{
    struct sqs_clean *c = arg;
    for (size_t i = 0; i < c->n; i++)
        TRY(delete_pair(txn, c->queue->id, c->seqs[i]));
    return txn_on_commit(txn, expired_committed, c);
}

/* A queue with expired messages, some of which are put in c->seqs. */
static bool find_expired(struct sqs_clean *c)
{
    struct sqs *s = c->sqs;
    int64_t now_ms = clock_now_ms();
    size_t it = 0;
    struct str path;
    void *value;
    bool found = false;
    pthread_rwlock_rdlock(&s->lock);
    while (!found && map_next(&s->queues, &it, &path, &value)) {
        struct sqs_queue *q = value;
        pthread_mutex_lock(&q->lock);
        c->n = sqs_index_old(q->ix, sqs_seq_of_ms(now_ms - q->retention_ms), CLEAN_PIECE, c->seqs);
        pthread_mutex_unlock(&q->lock);
        if (c->n > 0) {
            atomic_fetch_add(&q->refs, 1);
            c->queue = q;
            found = true;
        }
    }
    pthread_rwlock_unlock(&s->lock);
    return found;
}

/* --- deduplication ids ------------------------------------------------------------------------ */

static enum err dedup_body(struct txn *txn, void *arg)
{
    struct sqs_clean *c = arg;
    uint64_t last;
    return delete_range(txn, sqs_key_dedup_bucket(txn->arena, c->dedup_queue, c->dedup_done),
                        sqs_key_dedup_bucket(txn->arena, c->dedup_queue, c->dedup_target), false,
                        &c->n, &last);
}

/* The next FIFO queue whose old buckets are to be deleted. */
static bool find_dedup(struct sqs_clean *c)
{
    struct sqs *s = c->sqs;
    uint64_t target = (uint64_t)clock_now_ms() / SQS_DEDUP_MS - 1;
    size_t it = 0, i = 0;
    struct str path;
    void *value;
    bool found = false;
    if (target <= c->dedup_done)
        return false;
    c->dedup_target = target;
    pthread_rwlock_rdlock(&s->lock);
    while (!found && map_next(&s->queues, &it, &path, &value)) {
        const struct sqs_queue *q = value;
        if (q->fifo && i++ == c->dedup_at) {
            c->dedup_queue = q->id;
            found = true;
        }
    }
    pthread_rwlock_unlock(&s->lock);
    if (!found) { /* all of them are done */
        c->dedup_done = target;
        c->dedup_at = 0;
    }
    return found;
}

/* --- the machine ------------------------------------------------------------------------------ */

static void arm(struct sqs_clean *c, int64_t delay_ms)
{
    if (!atomic_load(&c->sqs->stopped))
        (void)!io_timer_start(&c->timer, delay_ms);
}

static void after(struct sqs_clean *c, enum err err)
{
    c->busy = false;
    if (atomic_load(&c->sqs->stopped))
        return;
    if (err == ERR_OK) {
        look(c);
        return;
    }
    log_warn("sqs", "cleaning failed: %s; trying again", err_name(err));
    arm(c, CLEAN_RETRY_MS);
}

static void garbage_done(void *arg, enum err err)
{
    struct sqs_clean *c = arg;
    if (err == ERR_OK && c->garbage_found) {
        c->garbage_queue = c->next_queue;
        c->garbage_seq = c->next_seq;
    }
    if (err != ERR_OK || c->garbage_found)
        atomic_store(&c->garbage, true);
    after(c, err);
}

static void expired_done(void *arg, enum err err)
{
    struct sqs_clean *c = arg;
    sqs_queue_unref(c->queue);
    c->queue = NULL;
    after(c, err);
}

static void dedup_done(void *arg, enum err err)
{
    struct sqs_clean *c = arg;
    if (err == ERR_OK && c->n < CLEAN_PIECE)
        c->dedup_at++;
    after(c, err);
}

static void look(struct sqs_clean *c)
{
    struct core *core = c->sqs->core;
    struct io_loop *loop = core_home_loop(core);
    enum err err = ERR_OK;
    if (c->busy || atomic_load(&c->sqs->stopped))
        return;
    c->busy = true;
    if (atomic_exchange(&c->garbage, false)) {
        err = txn_run(core, loop, garbage_body, c, garbage_done);
        if (err != ERR_OK)
            atomic_store(&c->garbage, true);
    } else if (find_expired(c)) {
        err = txn_run(core, loop, expired_body, c, expired_done);
        if (err != ERR_OK)
            sqs_queue_unref(c->queue);
    } else if (find_dedup(c)) {
        err = txn_run(core, loop, dedup_body, c, dedup_done);
    } else {
        c->busy = false;
        arm(c, CLEAN_INTERVAL_MS);
    }
    if (err != ERR_OK) {
        c->busy = false;
        arm(c, CLEAN_RETRY_MS);
    }
}

static void on_timer(struct io_timer *timer)
{
    look(timer->arg);
}

static void on_task(struct io_task *task)
{
    struct sqs_clean *c = CONTAINER_OF(task, struct sqs_clean, task);
    atomic_store(&c->posted, false);
    if (atomic_load(&c->sqs->stopped))
        return;
    if (!c->timer_made) {
        io_timer_init(&c->timer, core_home_loop(c->sqs->core), on_timer, c);
        c->timer_made = true;
    }
    look(c);
}

static void post(struct sqs_clean *c)
{
    if (!atomic_load(&c->sqs->stopped) && !atomic_exchange(&c->posted, true))
        io_post(core_home_loop(c->sqs->core), &c->task);
}

void sqs_clean_kick(struct sqs *s)
{
    if (s->clean) {
        atomic_store(&s->clean->garbage, true);
        post(s->clean);
    }
}

enum err sqs_clean_start(struct sqs *s)
{
    struct sqs_clean *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->sqs = s;
    c->task.fn = on_task;
    atomic_init(&c->garbage, true);
    s->clean = c;
    post(c);
    return ERR_OK;
}

void sqs_clean_stop(struct sqs *s)
{
    if (s->clean && s->clean->timer_made)
        io_timer_stop(&s->clean->timer);
}

void sqs_clean_free(struct sqs *s)
{
    if (s->clean)
        sqs_queue_unref(s->clean->queue);
    mem_free(s->clean);
    s->clean = NULL;
}
