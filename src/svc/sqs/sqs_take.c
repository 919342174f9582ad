/* Staging a receive: messages are taken out of the index at once, so that no two receives get the
 * same one, and leased or put back when the transaction ends. What has been received too often goes
 * to the dead-letter queue in the same commit; what is too old is deleted. Layer: svc/sqs. */
#include <assert.h>

#include "base/clock.h"
#include "svc/sqs/sqs_int.h"

enum {
    /* Rounds of taking when dead letters and expired messages fill the first ones. */
    TAKE_ROUNDS_MAX = 8,
    TAKE_MAX = SQS_BATCH_MAX,
};

enum fate { FATE_LEASE, FATE_GONE, FATE_STAYS };

/* One round. In the transaction's arena. */
struct take {
    struct sqs_queue *queue;
    struct sqs_index *ix;
    size_t n;
    struct sqs_slot *slots[TAKE_MAX];
    enum fate fates[TAKE_MAX];
    int64_t due_ms;
};

static void take_committed(void *arg)
{
    struct take *t = arg;
    int64_t now_ms = clock_now_ms();
    pthread_mutex_lock(&t->queue->lock);
    assert(t->n > 0);
    for (size_t i = 0; i < t->n; i++) {
        if (t->fates[i] == FATE_GONE) {
            t->slots[i]->dead = true;
            sqs_index_untake(t->ix, t->slots[i]);
        } else if (t->fates[i] == FATE_LEASE) {
            sqs_index_lease(t->ix, t->slots[i], t->due_ms, now_ms);
        }
    }
    for (size_t i = t->n; i-- > 0;) /* to the front, so the first one last */
        if (t->fates[i] == FATE_STAYS)
            sqs_index_untake(t->ix, t->slots[i]);
    sqs_index_unref(t->ix);
    sqs_queue_wake(t->queue);
    pthread_mutex_unlock(&t->queue->lock);
}

static void take_aborted(void *arg)
{
    struct take *t = arg;
    pthread_mutex_lock(&t->queue->lock);
    for (size_t i = t->n; i-- > 0;) /* to the front, so the first one last */
        sqs_index_untake(t->ix, t->slots[i]);
    sqs_index_unref(t->ix);
    sqs_queue_wake(t->queue);
    pthread_mutex_unlock(&t->queue->lock);
}

/* Takes up to `max` and registers how it ends. */
static enum err take_round(struct txn *txn, struct sqs_queue *q, size_t max, int64_t due_ms,
                           struct take **ret_take)
{
    struct take *t = ARENA_NEW(txn->arena, struct take);
    if (!t)
        return ERR_NOMEM;
    *t = (struct take){.queue = q, .due_ms = due_ms};
    pthread_mutex_lock(&q->lock);
    (void)sqs_index_promote(q->ix, txn->now_ms);
    size_t out = q->ix->count[SQS_SLOT_LEASED] + q->ix->count[SQS_SLOT_TAKEN];
    bool full = out >= SQS_INFLIGHT_MAX;
    if (!full)
        t->n = sqs_index_take(q->ix, min_size(max, SQS_INFLIGHT_MAX - out), t->slots);
    assert(t->n <= max);
    if (t->n) {
        t->ix = q->ix;
        sqs_index_ref(t->ix);
    }
    pthread_mutex_unlock(&q->lock);
    if (full)
        return ERR_LIMIT;
    *ret_take = t;
    if (t->n == 0)
        return ERR_OK;
    return sqs_on_end(txn, take_committed, take_aborted, t);
}

static enum err read_state(struct txn *txn, const struct sqs_open *from, uint64_t seq,
                           struct sqs_state *ret_state)
{
    struct str bytes;
    TRY(txn_peek(txn, key_make(txn->arena, &sqs_k_state, from->config.id, seq), &bytes));
    return record_unpack(&sqs_state_type, txn->arena, bytes, ret_state);
}

/* Moves a message to the dead-letter queue. ERR_NOT_FOUND when that queue does not exist. */
static enum err move_to_dlq(struct txn *txn, const struct sqs_open *from, uint64_t seq,
                            const struct sqs_body *body)
{
    struct sqs_open to;
    struct sqs_state state;
    struct sqs_body copy = *body;
    TRY(sqs_open_arn(from->queue->sqs, txn, from->config.dlq_arn, &to));
    if (to.config.fifo != from->config.fifo)
        return ERR_NOT_FOUND;
    copy.dlq_source = sqs_queue_arn(txn->arena, from->queue);
    if (!str_is_set(copy.dlq_source))
        return ERR_NOMEM;
    if (str_is_set(copy.data_key) && !str_is_set(copy.sealed_for))
        copy.sealed_for = copy.dlq_source;
    TRY(read_state(txn, from, seq, &state));
    TRY(sqs_move_stage(txn, &to, &copy, &state));
    return sqs_delete_message_records(txn, from->config.id, seq);
}

enum err sqs_taken_fill(struct txn *txn, const struct sqs_open *from, uint64_t seq,
                        const struct sqs_state *state, struct sqs_taken *taken)
{
    taken->seq = seq;
    taken->receives_here = state->receives;
    taken->receives = state->receives + (uint32_t)state->receives_before;
    taken->first_receive_ms = state->first_receive_ms;
    taken->receipt = sqs_receipt_make(txn->arena, from->queue, seq, state->receives);
    return str_is_set(taken->receipt) ? ERR_OK : ERR_NOMEM;
}

static enum err lease(struct txn *txn, const struct sqs_open *from, const struct sqs_slot *slot,
                      int64_t due_ms, struct sqs_taken *taken)
{
    struct str key = key_make(txn->arena, &sqs_k_state, from->config.id, slot->seq);
    struct sqs_state state = {.group = taken->body.group};
    if (slot->receives > 0 || str_is_set(taken->body.dlq_source)) /* it has a history */
        TRY(read_state(txn, from, slot->seq, &state));
    if (state.first_receive_ms == 0)
        state.first_receive_ms = txn->now_ms;
    state.receives = slot->receives + 1;
    state.due_ms = due_ms;
    state.last_receive_ms = txn->now_ms;
    TRY(txn_write(txn, key, &sqs_state_type, &state));
    return sqs_taken_fill(txn, from, slot->seq, &state, taken);
}

/* A dead letter of a standard queue keeps its age; FIFO counts from the move. */
static bool is_expired(const struct txn *txn, const struct sqs_config *c, uint64_t seq,
                       const struct sqs_body *body)
{
    int64_t since_ms = c->fifo ? (int64_t)(seq >> SQS_SEQ_TIME_SHIFT) : body->sent_ms;
    return since_ms + c->retention_s * 1000 <= txn->now_ms;
}

/* Decides what becomes of one taken slot. */
static enum err handle_slot(struct txn *txn, const struct sqs_open *from, struct take *t, size_t i,
                            struct sqs_taken *taken)
{
    const struct sqs_config *c = &from->config;
    const struct sqs_slot *slot = t->slots[i];
    struct str bytes;
    assert(slot->state == SQS_SLOT_TAKEN);
    t->fates[i] = FATE_GONE;
    enum err err = txn_peek(txn, key_make(txn->arena, &sqs_k_body, c->id, slot->seq), &bytes);
    if (err == ERR_NOT_FOUND) /* deleted by a commit whose hook is still to run */
        return ERR_OK;
    TRY(err);
    TRY(record_unpack(&sqs_body_type, txn->arena, bytes, &taken->body));
    if (is_expired(txn, c, slot->seq, &taken->body))
        return sqs_delete_message_records(txn, c->id, slot->seq);
    if (str_is_set(c->dlq_arn) && slot->receives >= (uint64_t)c->receives_max) {
        err = move_to_dlq(txn, from, slot->seq, &taken->body);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    t->fates[i] = FATE_LEASE;
    if (str_is_set(taken->body.data_key))
        TRY(sqs_open_body(txn, from, &taken->body));
    return lease(txn, from, slot, t->due_ms, taken);
}

enum err sqs_take(struct txn *txn, const struct sqs_open *from, size_t max, int64_t visibility_s,
                  struct sqs_taken *ret_taken, size_t *ret_n, bool *ret_staged)
{
    int64_t due_ms = txn->now_ms + visibility_s * 1000;
    size_t n = 0;
    bool staged = false;
    assert(max >= 1 && max <= TAKE_MAX);
    for (int round = 0; round < TAKE_ROUNDS_MAX && n < max; round++) {
        struct take *t;
        enum err err = take_round(txn, from->queue, max - n, due_ms, &t);
        if (err == ERR_LIMIT && staged)
            break;
        TRY(err);
        if (t->n == 0)
            break;
        assert(n + t->n <= max);
        staged = true;
        for (size_t i = 0; i < t->n; i++) {
            TRY(handle_slot(txn, from, t, i, &ret_taken[n]));
            n += t->fates[i] == FATE_LEASE;
        }
    }
    *ret_n = n;
    *ret_staged = staged;
    return ERR_OK;
}

/* Moves one taken slot, or lets it stay with all those after it. */
static enum err move_slot(struct txn *txn, const struct sqs_open *from, struct take *t, size_t i,
                          const struct sqs_away *away)
{
    struct sqs_body body;
    struct str bytes;
    uint64_t seq = t->slots[i]->seq;
    t->fates[i] = FATE_GONE;
    enum err err = txn_peek(txn, key_make(txn->arena, &sqs_k_body, from->config.id, seq), &bytes);
    if (err == ERR_NOT_FOUND) /* deleted by a commit whose hook is still to run */
        return ERR_OK;
    TRY(err);
    TRY(record_unpack(&sqs_body_type, txn->arena, bytes, &body));
    if (!is_expired(txn, &from->config, seq, &body))
        TRY(away->move(away->arg, from, &body));
    return sqs_delete_message_records(txn, from->config.id, seq);
}

enum err sqs_take_away(struct txn *txn, const struct sqs_open *from, uint64_t max,
                       const struct sqs_away *away, size_t *ret_n)
{
    struct take *t;
    bool stop = false;
    TRY(take_round(txn, from->queue, max < TAKE_MAX ? (size_t)max : TAKE_MAX, 0, &t));
    for (size_t i = 0; i < t->n; i++) {
        enum err err = stop ? ERR_NOT_FOUND : move_slot(txn, from, t, i, away);
        stop = err == ERR_NOT_FOUND;
        if (stop)
            t->fates[i] = FATE_STAYS;
        else
            TRY(err);
    }
    *ret_n = t->n;
    return ERR_OK;
}

enum err sqs_taken_tell(struct arena *a, const struct sqs_taken *t,
                        struct sqs_told ret[SQS_TOLD_MAX], size_t *ret_n)
{
    const struct sqs_body *m = &t->body;
    const struct {
        struct str name, value;
        bool is; /* an absent value is a lack of memory */
    } all[SQS_TOLD_MAX] = {
        {STR("ApproximateReceiveCount"), str_fmt(a, "%u", t->receives), true},
        {STR("AWSTraceHeader"), m->trace, str_is_set(m->trace)},
        {STR("SentTimestamp"), str_fmt(a, "%lld", (long long)m->sent_ms), true},
        {STR("SequenceNumber"), sqs_fifo_seq_text(a, m->fifo_seq), m->fifo_seq != 0},
        {STR("MessageGroupId"), m->group, str_is_set(m->group)},
        {STR("SenderId"), m->sender, str_is_set(m->sender)},
        {STR("MessageDeduplicationId"), m->dedup, str_is_set(m->dedup)},
        {STR("DeadLetterQueueSourceArn"), m->dlq_source, str_is_set(m->dlq_source)},
        {STR("ApproximateFirstReceiveTimestamp"),
         str_fmt(a, "%lld", (long long)t->first_receive_ms), true},
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!all[i].is)
            continue;
        if (!str_is_set(all[i].value))
            return ERR_NOMEM;
        ret[n++] = (struct sqs_told){all[i].name, all[i].value};
    }
    *ret_n = n;
    return ERR_OK;
}
