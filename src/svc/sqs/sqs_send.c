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

static enum err put_message(struct txn *txn, uint64_t queue_id, uint64_t seq,
                            const struct sqs_body *body, int64_t due_ms)
{
    struct sqs_state state = {.due_ms = due_ms, .group = body->group};
    TRY(txn_write(txn, key_make(txn->arena, &sqs_k_body, queue_id, seq), &sqs_body_type, body));
    return txn_write(txn, key_make(txn->arena, &sqs_k_state, queue_id, seq), &sqs_state_type,
                     &state);
}

enum err sqs_send_stage(struct txn *txn, const struct sqs_open *to, struct sqs_body *body,
                        int64_t delay_s, struct sqs_sent *ret_sent)
{
    assert(to->queue->id == to->config.id && to->queue->fifo == to->config.fifo);
    bool moved = str_is_set(body->id);
    assert(moved || to->key || !str_is_set(to->config.kms_key)); /* Q5 */
    const struct dedup_key dedup = {.layout = &sqs_k_dedup,
                                    .owner = to->config.id,
                                    .scope = to->config.dedup_per_group ? body->group : STR(""),
                                    .id = body->dedup};
    struct dedup_seen earlier;
    uint64_t seq;
    if (to->config.fifo && !moved) {
        enum err err = dedup_find(txn, &dedup, &earlier);
        if (err == ERR_OK) {
            *ret_sent =
                (struct sqs_sent){.id = earlier.id, .fifo_seq = earlier.seq, .duplicate = true};
            return ERR_OK;
        }
        if (err != ERR_NOT_FOUND)
            return err;
    }
    if (!moved) {
        char *id = arena_alloc(txn->arena, RNG_UUID_LEN + 1);
        if (!id)
            return ERR_NOMEM;
        body->id = rng_uuid(id);
        body->sent_ms = txn->now_ms;
    }
    assert(delay_s >= 0 && delay_s <= SQS_DELAY_MAX_S && str_is_set(body->id));
    int64_t due_ms = txn->now_ms + delay_s * 1000;
    const struct pending made = {.due_ms = due_ms, .bytes = body->body.len, .moved = moved};
    TRY(reserve(txn, to->queue, &made, to->config.fifo ? body->group : STR_NONE, &seq));
    body->fifo_seq = to->config.fifo ? seq : 0;
    if (to->config.fifo && !moved)
        TRY(dedup_put(txn, &dedup, &(struct dedup_seen){.id = body->id, .seq = seq}));
    if (to->key && !moved)
        TRY(sqs_seal_body(txn, to, body));
    TRY(put_message(txn, to->config.id, seq, body, due_ms));
    *ret_sent = (struct sqs_sent){.id = body->id, .fifo_seq = body->fifo_seq};
    return ERR_OK;
}
