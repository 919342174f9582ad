/* Rebuilding what memory knows of the queues after a start. A start only reads the queues' records;
 * their messages are read in pieces on the home loop once the server answers, or at once by the
 * first who opens the queue (Q4). So a start takes no longer for a million messages than for none.
 *
 * Layer: svc/sqs. Thread: any; load_lock. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/page.h"
#include "svc/sqs/sqs_int.h"

enum {
    LOAD_PIECE = 1000,            /* messages; about a millisecond of the home loop */
    LOAD_FIRST_MS = 50,           /* after the start: first come the first calls */
    LOAD_PAUSE_MS = 1,            /* between pieces, for the loop's other work */
    LOAD_RETRY_MS = 1000,         /* after a failure */
    LOAD_ARENA_BYTES = 64 * 1024, /* keys of a piece */
};

/* Puts up to `max` messages from `it` into the index; *ret_whole: that was all. */
static enum err take_piece(struct sqs_queue *q, struct arena *a, struct kv_iter *it, size_t max,
                           bool *ret_whole)
{
    struct str key, bytes;
    int64_t now_ms = clock_now_ms();
    *ret_whole = false;
    for (size_t i = 0; i < max; i++) {
        struct sqs_state st;
        uint64_t seq;
        enum err err = kv_next(it, &key, &bytes);
        if (err == ERR_NOT_FOUND) {
            *ret_whole = true;
            return ERR_OK;
        }
        TRY(err);
        TRY(key_read(&sqs_k_state, key, a, KEY_SKIP, &seq));
        assert(seq >= q->load_seq);
        TRY(record_unpack(&sqs_state_type, a, bytes, &st));
        TRY(sqs_index_load(q->ix, seq, st.group, st.receives, st.due_ms, now_ms));
        q->load_seq = seq + 1;
        if (seq > q->last_seq)
            q->last_seq = seq;
    }
    return ERR_OK;
}

static enum err load_piece(struct sqs_queue *q, size_t max, bool *ret_whole)
{
    struct arena arena;
    struct kv_txn *txn = NULL;
    struct kv_iter *it = NULL;
    arena_init(&arena, LOAD_ARENA_BYTES);
    struct key_range all = key_range(&arena, &sqs_k_state, q->id);
    struct str from = key_make(&arena, &sqs_k_state, q->id, q->load_seq);
    enum err err = ERR_NOMEM;
    if (str_is_set(from) && str_is_set(all.to))
        err = kv_begin(q->sqs->core->kv, &txn);
    if (err == ERR_OK)
        err = kv_scan(txn, from, all.to, false, &it);
    if (err == ERR_OK)
        err = take_piece(q, &arena, it, max, ret_whole);
    kv_iter_close(it);
    kv_rollback(txn);
    arena_release(&arena);
    return err;
}

/* Under load_lock: a queue whose messages are all there becomes an ordinary one. Who watches it is
 * told, as its watch found nothing. */
static enum err warm(struct sqs *s, struct sqs_queue *q)
{
    assert(map_get(&s->cold, q->key) == q && waiters_empty(&q->waiters));
    sqs_queue_ref(q); /* the table's; once it is there, anyone may delete the queue */
    enum err err = sqs_queue_enter(q);
    if (err != ERR_OK) {
        sqs_queue_unref(q);
        return err;
    }
    (void)map_del(&s->cold, q->key);
    pthread_mutex_lock(&q->lock);
    (void)sqs_index_promote(q->ix, clock_now_ms());
    sqs_queue_wake(q);
    pthread_mutex_unlock(&q->lock);
    sqs_queue_unref(q);
    return ERR_OK;
}

/* Under load_lock. */
static enum err load(struct sqs *s, struct sqs_queue *q, size_t max)
{
    bool whole = false;
    TRY(load_piece(q, max, &whole));
    return whole ? warm(s, q) : ERR_OK;
}

enum err sqs_load_now(struct sqs *s, struct str key)
{
    pthread_mutex_lock(&s->load_lock);
    struct sqs_queue *q = map_get(&s->cold, key);
    enum err err = q ? load(s, q, SIZE_MAX) : ERR_OK;
    pthread_mutex_unlock(&s->load_lock);
    return err;
}

/* --- start and end ---------------------------------------------------------------------------- */

static void on_load_timer(struct io_timer *timer)
{
    struct sqs *s = timer->arg;
    size_t it = 0;
    struct str key;
    void *q;
    enum err err = ERR_OK;
    if (atomic_load(&s->stopped))
        return;
    pthread_mutex_lock(&s->load_lock);
    bool more = map_next(&s->cold, &it, &key, &q);
    if (more)
        err = load(s, q, LOAD_PIECE);
    pthread_mutex_unlock(&s->load_lock);
    if (err)
        log_error("sqs", "cannot read a queue's messages: %s", err_name(err));
    if (more && io_timer_start(timer, err ? LOAD_RETRY_MS : LOAD_PAUSE_MS) != ERR_OK)
        log_error("sqs", "queues are read when they are used: no memory for a timer");
}

struct find {
    struct sqs *sqs;
    struct txn *txn;
};

static enum err find_queue(void *arg, struct str key, struct str bytes)
{
    struct find *f = arg;
    struct key_scope scope;
    struct str name;
    struct sqs_config c;
    struct sqs_queue *q;
    TRY(key_read(&sqs_k_queue, key, f->txn->arena, &scope, &name));
    TRY(record_unpack(&sqs_config_type, f->txn->arena, bytes, &c));
    TRY(sqs_queue_new(f->sqs, scope, name, &c, &q));
    q->load_seq = q->purge_seq;
    enum err err = map_put(&f->sqs->cold, q->key, q, NULL);
    if (err != ERR_OK)
        sqs_queue_unref(q);
    return err;
}

static enum err find_queues(struct txn *txn, void *arg)
{
    struct find f = {.sqs = arg, .txn = txn};
    return txn_each(txn, key_range_table(txn->arena, &sqs_k_queue), find_queue, &f);
}

enum err sqs_load_start(struct sqs *s)
{
    TRY(txn_run_now(s->core, find_queues, s));
    if (!s->core->n_loops || s->cold.n == 0)
        return ERR_OK;
    io_timer_init(&s->load_timer, core_home_loop(s->core), on_load_timer, s);
    s->load_timer_made = true;
    return io_timer_start(&s->load_timer, LOAD_FIRST_MS);
}

void sqs_load_stop(struct sqs *s)
{
    if (s->load_timer_made)
        io_timer_stop(&s->load_timer);
}

void sqs_load_free(struct sqs *s)
{
    size_t it = 0;
    struct str key;
    void *q;
    while (map_next(&s->cold, &it, &key, &q))
        sqs_queue_unref(q);
    map_release(&s->cold);
    pthread_mutex_destroy(&s->load_lock);
}
