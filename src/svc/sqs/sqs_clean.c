/* What nobody waits for: deleting the messages of purged and deleted queues, messages past their
 * retention, and old ids (of deduplication, of receives). A singleton job (deliver/job.h): it runs at start, after
 * purges and deletions of queues, and every CLEAN_PAUSE_MS.
 *
 *   garbage (queue by queue) -> expired (queue by queue) -> dedup -> done
 *
 * Cursor: a record of struct place. `from` is inside what is being removed, and spares the next
 * step the markers of what is gone (P6).
 *
 * Which messages have expired is what the indexes in memory say: a queue that is not in memory yet
 * (Q4) is cleaned in a later run.
 *
 * Thread: the home loop, but for sqs_clean_soon. */
#include <assert.h>

#include "deliver/dedup.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/sqs/sqs_int.h"

enum {
    CLEAN_PAUSE_MS = 30 * 1000,
    CLEAN_EXPIRED = JOB_STEP_KEYS_MAX / 2, /* messages of a step: two keys each */
};

enum phase { CLEAN_GARBAGE, CLEAN_RETENTION, CLEAN_DEDUP, CLEAN_DONE };

struct place {
    enum phase phase;
    uint64_t queue_id, bound; /* of the garbage that `from` is in */
    struct str from;
};

static const struct record_field place_fields[] = {
    REC_ENUM(struct place, phase, CLEAN_DONE + 1),
    REC_UINT(struct place, queue_id),
    REC_UINT(struct place, bound),
    REC_STR(struct place, from),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

/* Removes what the budget allows of a range, from at->from on if that is later. */
static enum err remove_some(struct txn *txn, struct place *at, struct key_range range,
                            struct job_budget *budget, bool *ret_more)
{
    if (!str_is_set(range.from) || !str_is_set(range.to))
        return ERR_NOMEM;
    *ret_more = false;
    if (str_cmp(at->from, range.to) >= 0)
        return ERR_OK;
    if (str_cmp(at->from, range.from) > 0)
        range.from = at->from;
    TRY(job_remove_range(txn, &range.from, range.to, budget, ret_more));
    if (*ret_more)
        at->from = range.from;
    return ERR_OK;
}

/* --- garbage ---------------------------------------------------------------------------------- */

/* Messages of a queue below the bound. */
static struct key_range messages(struct arena *a, const struct key_layout *layout,
                                 const struct place *at)
{
    struct key_range all = key_range(a, layout, at->queue_id);
    if (at->bound != UINT64_MAX)
        all.to = key_make(a, layout, at->queue_id, at->bound);
    return all;
}

static enum err clean_garbage(struct txn *txn, struct place *at, struct job_budget *budget)
{
    struct key_range all = key_range_table(txn->arena, &sqs_k_garbage);
    struct str key, value;
    uint64_t queue_id, bound;
    bool more;
    enum err err = job_first_pair(txn, all.from, all.to, &key, &value);
    if (err == ERR_NOT_FOUND) {
        *at = (struct place){.phase = CLEAN_RETENTION, .from = STR("")};
        return ERR_OK;
    }
    TRY(err);
    TRY(key_read(&sqs_k_garbage, key, txn->arena, &queue_id, &bound));
    if (queue_id != at->queue_id || bound != at->bound)
        *at = (struct place){CLEAN_GARBAGE, queue_id, bound, STR("")};
    job_spend(budget, 1);
    /* In the order of the tables, so that `from` tells how far both have got. */
    assert(sqs_k_body.table < sqs_k_state.table);
    TRY(remove_some(txn, at, messages(txn->arena, &sqs_k_body, at), budget, &more));
    if (!more)
        TRY(remove_some(txn, at, messages(txn->arena, &sqs_k_state, at), budget, &more));
    return more ? ERR_OK : txn_del(txn, key);
}

/* --- retention -------------------------------------------------------------------------------- */

/* Messages on their way out. In the transaction's arena. */
struct expired {
    struct sqs_queue *queue;
    size_t n;
    uint64_t seqs[CLEAN_EXPIRED];
};

static void expired_committed(void *arg)
{
    const struct expired *x = arg;
    struct sqs_queue *q = x->queue;
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < x->n; i++) {
        struct sqs_slot *slot = sqs_index_find(q->ix, x->seqs[i]);
        if (slot && slot->state != SQS_SLOT_NEW)
            sqs_index_remove(q->ix, slot);
    }
    if (q->fifo) /* a group's next message may be first now */
        sqs_queue_wake(q);
    pthread_mutex_unlock(&q->lock);
}

/* A queue with expired messages, referenced, and some of these. False: there is none. */
static bool find_expired(struct sqs *s, int64_t now_ms, struct expired *x)
{
    size_t it = 0;
    struct str key;
    void *value;
    pthread_rwlock_rdlock(&s->lock);
    while (x->n == 0 && map_next(&s->queues, &it, &key, &value)) {
        x->queue = value;
        pthread_mutex_lock(&x->queue->lock);
        x->n = sqs_index_old(x->queue->ix, sqs_seq_of_ms(now_ms - x->queue->retention_ms),
                             CLEAN_EXPIRED, x->seqs);
        pthread_mutex_unlock(&x->queue->lock);
    }
    if (x->n > 0)
        sqs_queue_ref(x->queue);
    pthread_rwlock_unlock(&s->lock);
    return x->n > 0;
}

/* Once a step: what it finds stays in the index until the commit. */
static enum err clean_expired(struct sqs *s, struct txn *txn, struct place *at,
                              struct job_budget *budget)
{
    struct expired *x = ARENA_NEW(txn->arena, struct expired);
    if (!x)
        return ERR_NOMEM;
    if (!find_expired(s, txn->now_ms, x)) {
        at->phase = CLEAN_DEDUP;
        return ERR_OK;
    }
    assert(x->n <= CLEAN_EXPIRED);
    TRY(sqs_queue_hold(txn->arena, x->queue));
    for (size_t i = 0; i < x->n; i++)
        TRY(sqs_delete_message_records(txn, x->queue->id, x->seqs[i]));
    job_spend(budget, budget->keys);
    return txn_on_commit(txn, expired_committed, x);
}

/* --- deduplication ids ------------------------------------------------------------------------ */

static void dedup_committed(void *arg)
{
    struct sqs *s = arg;
    s->dedup_done = s->dedup_target;
}

static enum err clean_dedup(struct sqs *s, struct txn *txn, struct place *at,
                            struct job_budget *budget)
{
    uint64_t target;
    bool more = false;
    struct key_range ids = dedup_old(txn, &sqs_k_dedup, s->dedup_done, &target);
    struct key_range attempts = dedup_old(txn, &sqs_k_attempt, s->dedup_done, &target);
    assert(sqs_k_dedup.table < sqs_k_attempt.table); /* `from` tells how far both have got */
    if (target > s->dedup_done)
        TRY(remove_some(txn, at, ids, budget, &more));
    if (target > s->dedup_done && !more)
        TRY(remove_some(txn, at, attempts, budget, &more));
    if (more)
        return ERR_OK;
    at->phase = CLEAN_DONE;
    s->dedup_target = target;
    return txn_on_commit(txn, dedup_committed, s);
}

/* --- the job ---------------------------------------------------------------------------------- */

static enum err clean_some(struct sqs *s, struct txn *txn, struct place *at,
                           struct job_budget *budget)
{
    switch (at->phase) {
    case CLEAN_GARBAGE:
        return clean_garbage(txn, at, budget);
    case CLEAN_RETENTION:
        return clean_expired(s, txn, at, budget);
    case CLEAN_DEDUP:
        return clean_dedup(s, txn, at, budget);
    case CLEAN_DONE:
        break;
    }
    at->phase = CLEAN_DONE;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct place at = {.phase = CLEAN_GARBAGE, .from = STR("")};
    if (job->cursor.len)
        TRY(record_unpack(&place_type, txn->arena, job->cursor, &at));
    do {
        TRY(clean_some(self, txn, &at, budget));
    } while (at.phase != CLEAN_DONE && !job_spent(budget));
    *ret_state = at.phase == CLEAN_DONE ? JOB_DONE : JOB_MORE;
    return record_make(&place_type, txn->arena, &at, &job->cursor);
}

void sqs_clean_soon(struct sqs *s)
{
    job_kick(s->clean);
}

enum err sqs_clean_register(struct sqs *s)
{
    const struct job_def def = {
        .name = "sqs.clean",
        .self = s,
        .step = step,
        .at_once = 1,
        .singleton = true,
        .every_ms = CLEAN_PAUSE_MS,
    };
    return job_register(deliver_due(s->core->deliver), &def, &s->clean);
}
