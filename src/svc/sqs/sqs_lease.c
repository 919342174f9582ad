/* What a receipt handle permits. A handle names a queue, a message and one receive of it, and is
 * authenticated with a secret of the store, so that it cannot be made up and survives a restart.
 *
 *   bytes: version, u64 queue id, u64 sequence number, u32 receive, 8 of HMAC-SHA-256; in base64
 *
 * Layer: svc/sqs. */
#include <assert.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "svc/sqs/sqs_int.h"

enum { RECEIPT_VERSION = 1, RECEIPT_PLAIN = 21, RECEIPT_MAC = 8 };

struct receipt {
    uint64_t queue_id, seq;
    uint32_t receives;
};

static void put_be(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t get_be(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static void receipt_fill(const struct sqs *s, const struct receipt *r,
                         uint8_t out[RECEIPT_PLAIN + RECEIPT_MAC])
{
    uint8_t mac[HASH_SHA256_LEN];
    out[0] = RECEIPT_VERSION;
    put_be(out + 1, r->queue_id, 8);
    put_be(out + 9, r->seq, 8);
    put_be(out + 17, r->receives, 4);
    hmac_sha256(s->secret, sizeof(s->secret), out, RECEIPT_PLAIN, mac);
    memcpy(out + RECEIPT_PLAIN, mac, RECEIPT_MAC);
}

struct str sqs_receipt_make(struct arena *a, const struct sqs_queue *q, uint64_t seq,
                            uint32_t receives)
{
    uint8_t bytes[RECEIPT_PLAIN + RECEIPT_MAC];
    struct receipt r = {.queue_id = q->id, .seq = seq, .receives = receives};
    assert(receives > 0); /* a handle is of a receive */
    receipt_fill(q->sqs, &r, bytes);
    return base64_encode(a, bytes, sizeof(bytes));
}

static enum err receipt_parse(const struct sqs *s, struct str text, struct receipt *ret_r)
{
    uint8_t bytes[RECEIPT_PLAIN + RECEIPT_MAC], want[RECEIPT_PLAIN + RECEIPT_MAC];
    size_t len;
    if (base64_decode_to(text, bytes, sizeof(bytes), &len) != ERR_OK || len != sizeof(bytes))
        return ERR_INVALID;
    struct receipt r = {.queue_id = get_be(bytes + 1, 8),
                        .seq = get_be(bytes + 9, 8),
                        .receives = (uint32_t)get_be(bytes + 17, 4)};
    receipt_fill(s, &r, want);
    if (!str_eq_consttime(str_n((char *)bytes, sizeof(bytes)), str_n((char *)want, sizeof(want))))
        return ERR_INVALID;
    *ret_r = r;
    return ERR_OK;
}

static enum err parse_for(struct arena *a, const struct sqs_queue *q, struct str receipt,
                          struct receipt *ret_r, struct fault *f)
{
    if (str_empty(receipt))
        return fault_set(a, f, &sqs_err_missing_parameter,
                         "The request must contain the parameter ReceiptHandle.");
    if (receipt_parse(q->sqs, receipt, ret_r) != ERR_OK || ret_r->queue_id != q->id)
        return fault_set(a, f, &sqs_err_receipt_handle_is_invalid,
                         "The input receipt handle \"" STR_FMT "\" is not a valid receipt handle.",
                         STR_ARG(str_sub(receipt, 0, 200)));
    return ERR_OK;
}

/* A change to a leased message on its way through a commit. In the transaction's arena. */
struct change {
    struct sqs_queue *queue;
    uint64_t seq;
    int64_t due_ms;
};

static void delete_committed(void *arg)
{
    struct change *c = arg;
    pthread_mutex_lock(&c->queue->lock);
    struct sqs_slot *slot = sqs_index_find(c->queue->ix, c->seq);
    if (slot)
        sqs_index_remove(c->queue->ix, slot);
    if (c->queue->fifo) /* the group's next message */
        sqs_queue_wake(c->queue);
    pthread_mutex_unlock(&c->queue->lock);
}

static void visibility_committed(void *arg)
{
    struct change *c = arg;
    pthread_mutex_lock(&c->queue->lock);
    struct sqs_slot *slot = sqs_index_find(c->queue->ix, c->seq);
    if (slot && slot->state == SQS_SLOT_LEASED)
        sqs_index_set_due(c->queue->ix, slot, c->due_ms, clock_now_ms());
    sqs_queue_wake(c->queue);
    pthread_mutex_unlock(&c->queue->lock);
}

static enum err on_commit(struct txn *txn, void (*fn)(void *arg), struct sqs_queue *q, uint64_t seq,
                          int64_t due_ms)
{
    struct change *c = ARENA_NEW(txn->arena, struct change);
    if (!c)
        return ERR_NOMEM;
    *c = (struct change){.queue = q, .seq = seq, .due_ms = due_ms};
    return txn_on_commit(txn, fn, c);
}

/* How the message stands towards this receive of it. */
enum standing {
    STANDING_NONE,    /* deleted */
    STANDING_OLD,     /* received again since */
    STANDING_VISIBLE, /* the lease ran out */
    STANDING_LEASED,
};

static enum standing look(struct sqs_queue *q, const struct receipt *r, int64_t now_ms)
{
    enum standing st = STANDING_NONE;
    pthread_mutex_lock(&q->lock);
    if (sqs_index_promote(q->ix, now_ms) > 0)
        sqs_queue_wake(q);
    const struct sqs_slot *slot = sqs_index_find(q->ix, r->seq);
    if (slot && (slot->receives != r->receives || slot->state == SQS_SLOT_TAKEN))
        st = STANDING_OLD;
    else if (slot)
        st = slot->state == SQS_SLOT_LEASED ? STANDING_LEASED : STANDING_VISIBLE;
    pthread_mutex_unlock(&q->lock);
    return st;
}

enum err sqs_delete_stage(struct txn *txn, const struct sqs_open *q, struct str receipt,
                          struct fault *f)
{
    struct receipt r;
    TRY(parse_for(txn->arena, q->queue, receipt, &r, f));
    enum standing st = look(q->queue, &r, txn->now_ms);
    if (st == STANDING_NONE)
        return ERR_OK;
    if (q->config.fifo && st != STANDING_LEASED)
        return fault_set(txn->arena, f, &sqs_err_invalid_parameter_value,
                         "Value " STR_FMT " for parameter ReceiptHandle is invalid. Reason: "
                         "The receipt handle has expired.",
                         STR_ARG(receipt));
    /* In a standard queue an old handle is accepted; whether it still deletes is left open by SQS.
     * Here it does not: another consumer is at work on the message. */
    if (st == STANDING_OLD)
        return ERR_OK;
    TRY(sqs_delete_message_records(txn, q->config.id, r.seq));
    return on_commit(txn, delete_committed, q->queue, r.seq, 0);
}

static enum err not_available(struct arena *a, struct str receipt, struct fault *f)
{
    return fault_set(a, f, &sqs_err_invalid_parameter_value,
                     "Value " STR_FMT " for parameter ReceiptHandle is invalid. Reason: "
                     "Message does not exist or is not available for visibility timeout "
                     "change.",
                     STR_ARG(receipt));
}

enum err sqs_visibility_stage(struct txn *txn, const struct sqs_open *q, struct str receipt,
                              int64_t visibility_s, struct fault *f)
{
    struct receipt r;
    struct sqs_state state;
    if (visibility_s < 0 || visibility_s > SQS_VISIBILITY_MAX_S)
        return fault_set(txn->arena, f, &sqs_err_invalid_parameter_value,
                         "Value %lld for parameter VisibilityTimeout is invalid. Reason: "
                         "VisibilityTimeout must be an integer between 0 and 43200.",
                         (long long)visibility_s);
    TRY(parse_for(txn->arena, q->queue, receipt, &r, f));
    enum standing st = look(q->queue, &r, txn->now_ms);
    if (st == STANDING_NONE || (st != STANDING_LEASED && q->config.fifo))
        return not_available(txn->arena, receipt, f);
    /* In a standard queue a handle whose lease is over is accepted, as SQS does; it has no effect on a
     * message that waits, and here none on one that another consumer is at work on. */
    if (st != STANDING_LEASED)
        return ERR_OK;
    struct str key = key_make(txn->arena, &sqs_k_state, q->config.id, r.seq);
    enum err err = txn_read(txn, key, &sqs_state_type, &state);
    if (err == ERR_NOT_FOUND)
        return not_available(txn->arena, receipt, f);
    TRY(err);
    int64_t due_ms = txn->now_ms + visibility_s * 1000;
    if (due_ms - state.last_receive_ms > SQS_VISIBILITY_MAX_S * 1000)
        return fault_set(txn->arena, f, &sqs_err_invalid_parameter_value,
                         "Value %lld for parameter VisibilityTimeout is invalid. Reason: Total "
                         "VisibilityTimeout for the message is beyond the limit [43200 "
                         "seconds].",
                         (long long)visibility_s);
    assert(state.receives > 0);
    state.due_ms = due_ms;
    TRY(txn_write(txn, key, &sqs_state_type, &state));
    return on_commit(txn, visibility_committed, q->queue, r.seq, due_ms);
}

enum err sqs_lease_same(struct txn *txn, const struct sqs_open *q, uint64_t seq, uint32_t receives,
                        int64_t due_ms, struct sqs_state *ret_state)
{
    const struct receipt r = {.queue_id = q->config.id, .seq = seq, .receives = receives};
    if (due_ms <= txn->now_ms || look(q->queue, &r, txn->now_ms) != STANDING_LEASED)
        return ERR_NOT_FOUND;
    TRY(txn_read(txn, key_make(txn->arena, &sqs_k_state, q->config.id, seq), &sqs_state_type,
                 ret_state));
    return ret_state->due_ms == due_ms && ret_state->receives == receives ? ERR_OK : ERR_NOT_FOUND;
}

enum err sqs_lease_renew(struct txn *txn, const struct sqs_open *q, uint64_t seq,
                         struct sqs_state *state, int64_t due_ms)
{
    assert(state->receives > 0);
    state->due_ms = due_ms;
    state->last_receive_ms = txn->now_ms;
    TRY(txn_write(txn, key_make(txn->arena, &sqs_k_state, q->config.id, seq), &sqs_state_type,
                  state));
    return on_commit(txn, visibility_committed, q->queue, seq, due_ms);
}
