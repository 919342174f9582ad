/* Staging a message into a queue: body and state in the transaction, a place in the index that
 * counts once the commit is done. Deduplication of FIFO queues. Layer: svc/sqs. */
#include <assert.h>

#include "base/clock.h"
#include "base/rng.h"
#include "deliver/dedup.h"
#include "svc/sqs/sqs_int.h"

/* A message on its way into an index. In the transaction's arena. */
struct pending {
    struct sqs_queue *queue;
    struct sqs_index *ix;
    struct sqs_slot *slot;
    int64_t due_ms;
    size_t bytes;
    bool moved; /* out of another queue */
};

static void send_committed(void *arg)
{
    struct pending *p = arg;
    assert(p->slot && p->ix);
    pthread_mutex_lock(&p->queue->lock);
    p->queue->gauged = SQS_GAUGED_MIN;
    sqs_index_add(p->ix, p->slot, p->due_ms, clock_now_ms());
    sqs_index_unref(p->ix);
    sqs_queue_wake(p->queue);
    pthread_mutex_unlock(&p->queue->lock);
    if (!p->moved)
        sqs_measure_sent(p->queue, p->bytes);
}

static void send_aborted(void *arg)
{
    struct pending *p = arg;
    pthread_mutex_lock(&p->queue->lock);
    sqs_index_drop(p->ix, p->slot);
    sqs_index_unref(p->ix);
    pthread_mutex_unlock(&p->queue->lock);
}

static enum err reserve(struct txn *txn, struct sqs_queue *q, const struct pending *made,
                        struct str group, uint64_t *ret_seq)
{
    struct pending *p = ARENA_NEW(txn->arena, struct pending);
    if (!p)
        return ERR_NOMEM;
    pthread_mutex_lock(&q->lock);
    uint64_t seq = sqs_queue_next_seq(q, txn->now_ms);
    *p = *made;
    p->queue = q;
    p->ix = q->ix;
    enum err err = sqs_index_new_slot(p->ix, seq, group, &p->slot);
    if (err == ERR_OK)
        sqs_index_ref(p->ix);
    pthread_mutex_unlock(&q->lock);
    TRY(err);
    TRY(sqs_on_end(txn, send_committed, send_aborted, p));
    *ret_seq = seq;
    return ERR_OK;
}

struct str sqs_fifo_seq_text(struct arena *a, uint64_t seq)
{
    return seq ? str_fmt(a, "%020llu", (unsigned long long)seq) : STR_NONE;
}

/* Body and place in the index; body->fifo_seq is set. */
static enum err put_message(struct txn *txn, const struct sqs_open *to, struct sqs_body *body,
                            struct sqs_state *state, bool moved)
{
    uint64_t seq, id = to->config.id;
    const struct pending made = {.due_ms = state->due_ms, .bytes = body->body.len, .moved = moved};
    TRY(reserve(txn, to->queue, &made, body->group, &seq));
    body->fifo_seq = to->config.fifo ? seq : 0;
    state->group = body->group;
    if (to->key && !moved)
        TRY(sqs_seal_body(txn, to, body));
    TRY(txn_write(txn, key_make(txn->arena, &sqs_k_body, id, seq), &sqs_body_type, body));
    return txn_write(txn, key_make(txn->arena, &sqs_k_state, id, seq), &sqs_state_type, state);
}

static struct dedup_key dedup_key_of(const struct sqs_open *to, const struct sqs_body *body,
                                     bool per_group)
{
    return (struct dedup_key){.layout = &sqs_k_dedup,
                              .owner = to->config.id,
                              .scope = per_group ? body->group : STR(""),
                              .id = body->dedup};
}

/* What was sent under this id before: ERR_NOT_FOUND. A purge forgets it, since it took the message.
 * A scope that changed a moment ago does not: what was sent in the other one counts as well. */
static enum err find_duplicate(struct txn *txn, const struct sqs_open *to,
                               const struct sqs_body *body, struct dedup_seen *ret_seen)
{
    const struct sqs_config *c = &to->config;
    struct dedup_key key = dedup_key_of(to, body, c->dedup_per_group);
    enum err err = dedup_find(txn, &key, ret_seen);
    if (err == ERR_NOT_FOUND && c->dedup_changed_ms &&
        txn->now_ms - c->dedup_changed_ms < DEDUP_MS) {
        key = dedup_key_of(to, body, !c->dedup_per_group);
        err = dedup_find(txn, &key, ret_seen);
    }
    return err == ERR_OK && ret_seen->seq < c->purge_seq ? ERR_NOT_FOUND : err;
}

static void duplicate_committed(void *arg)
{
    sqs_measure_duplicate(arg);
}

enum err sqs_send_stage(struct txn *txn, const struct sqs_open *to, struct sqs_body *body,
                        int64_t delay_s, struct sqs_sent *ret_sent)
{
    const struct sqs_config *c = &to->config;
    assert(to->queue->id == c->id && to->queue->fifo == c->fifo && !str_is_set(body->id));
    assert(to->key || !str_is_set(c->kms_key)); /* Q5 */
    assert(delay_s >= 0 && delay_s <= SQS_DELAY_MAX_S);
    struct dedup_seen seen;
    if (c->fifo) {
        enum err err = find_duplicate(txn, to, body, &seen);
        if (err == ERR_OK) {
            *ret_sent = (struct sqs_sent){.id = seen.id, .fifo_seq = seen.seq, .duplicate = true};
            return txn_on_commit(txn, duplicate_committed, to->queue);
        }
        if (err != ERR_NOT_FOUND)
            return err;
    }
    char *id = arena_alloc(txn->arena, RNG_UUID_LEN + 1);
    if (!id)
        return ERR_NOMEM;
    body->id = rng_uuid(id);
    body->sent_ms = txn->now_ms;
    struct sqs_state state = {.due_ms = txn->now_ms + delay_s * 1000};
    TRY(put_message(txn, to, body, &state, false));
    *ret_sent = (struct sqs_sent){.id = body->id, .fifo_seq = body->fifo_seq};
    if (!c->fifo)
        return ERR_OK;
    const struct dedup_key key = dedup_key_of(to, body, c->dedup_per_group);
    return dedup_put(txn, &key, &(struct dedup_seen){.id = body->id, .seq = body->fifo_seq});
}

enum err sqs_move_stage(struct txn *txn, const struct sqs_open *to, struct sqs_body *body,
                        const struct sqs_state *history)
{
    struct sqs_state state = {.due_ms = txn->now_ms};
    assert(to->queue->id == to->config.id && str_is_set(body->id));
    if (history) {
        state.first_receive_ms = history->first_receive_ms;
        state.receives_before = history->receives_before + history->receives;
    }
    return put_message(txn, to, body, &state, true);
}
