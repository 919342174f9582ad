/* Receives that are repeated (ReceiveRequestAttemptId of FIFO queues): a consumer whose reply was lost asks
 * again under the same id, and gets the same messages by the same receipt handles, for their visibility
 * time-out anew, instead of waiting until their groups are free again.
 *
 * What a receive gave out is remembered for DEDUP_MS, in buckets of time as deduplication ids are
 * (deliver/dedup.h), so old ones go by the same cleaning. It is given again only if every message is as that
 * receive, or its last repetition, left it: one that was deleted, expired, purged, or whose visibility was
 * changed makes the next receive an ordinary one, which takes the id over.
 *
 * Source: SQS API reference, ReceiveMessage. Layer: svc/sqs. */
#include <assert.h>

#include "deliver/dedup.h"
#include "svc/sqs/sqs_int.h"

/* One message of a receive. */
struct given {
    uint64_t seq;
    uint32_t receives; /* in this queue, that receive included */
};

struct attempt {
    int64_t at_ms;
    int64_t due_ms; /* its messages are out until then */
    struct given *given;
    size_t n_given;
};

static const struct record_field given_fields[] = {
    REC_UINT(struct given, seq),
    REC_UINT(struct given, receives),
};
static const struct record_type given_type = RECORD_TYPE(struct given, 1, given_fields);
static const struct record_field attempt_fields[] = {
    REC_INT(struct attempt, at_ms),
    REC_INT(struct attempt, due_ms),
    REC_LIST(struct attempt, given, n_given, SQS_BATCH_MAX, &given_type),
};
static const struct record_type attempt_type = RECORD_TYPE(struct attempt, 1, attempt_fields);

static struct str key_of(struct txn *txn, const struct sqs_open *from, struct str id,
                         uint64_t buckets_back)
{
    uint64_t bucket = (uint64_t)txn->now_ms / DEDUP_MS - buckets_back;
    return key_make(txn->arena, &sqs_k_attempt, bucket, from->config.id, id);
}

/* Read tracked, so that of two receives under one id at once one sees the other. ERR_NOT_FOUND. */
static enum err find(struct txn *txn, const struct sqs_open *from, struct str id,
                     struct attempt *ret_attempt)
{
    for (uint64_t back = 0; back < 2; back++) {
        enum err err = txn_read(txn, key_of(txn, from, id, back), &attempt_type, ret_attempt);
        if (err == ERR_OK && txn->now_ms - ret_attempt->at_ms < DEDUP_MS)
            return ERR_OK;
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_NOT_FOUND;
}

static enum err again(struct txn *txn, const struct sqs_open *from, const struct given *g,
                      const struct sqs_state *state, struct sqs_taken *taken)
{
    struct str bytes;
    TRY(txn_peek(txn, key_make(txn->arena, &sqs_k_body, from->config.id, g->seq), &bytes));
    TRY(record_unpack(&sqs_body_type, txn->arena, bytes, &taken->body));
    if (str_is_set(taken->body.data_key))
        TRY(sqs_open_body(txn, from, &taken->body));
    return sqs_taken_fill(txn, from, g->seq, state, taken);
}

enum err sqs_attempt_again(struct txn *txn, const struct sqs_open *from, struct str id,
                           int64_t visibility_s, struct sqs_taken *ret_taken, size_t *ret_n)
{
    struct attempt a;
    struct sqs_state states[SQS_BATCH_MAX];
    TRY(find(txn, from, id, &a));
    assert(a.n_given <= SQS_BATCH_MAX);
    for (size_t i = 0; i < a.n_given; i++)
        TRY(sqs_lease_same(txn, from, a.given[i].seq, a.given[i].receives, a.due_ms, &states[i]));
    a.due_ms = txn->now_ms + visibility_s * 1000;
    for (size_t i = 0; i < a.n_given; i++) {
        TRY(again(txn, from, &a.given[i], &states[i], &ret_taken[i]));
        TRY(sqs_lease_renew(txn, from, a.given[i].seq, &states[i], a.due_ms));
    }
    *ret_n = a.n_given;
    return txn_write(txn, key_of(txn, from, id, 0), &attempt_type, &a);
}

enum err sqs_attempt_note(struct txn *txn, const struct sqs_open *from, struct str id,
                          int64_t visibility_s, const struct sqs_taken *taken, size_t n)
{
    struct given given[SQS_BATCH_MAX];
    const struct attempt a = {.at_ms = txn->now_ms,
                              .due_ms = txn->now_ms + visibility_s * 1000,
                              .given = given,
                              .n_given = n};
    assert(n <= SQS_BATCH_MAX);
    for (size_t i = 0; i < n; i++)
        given[i] = (struct given){taken[i].seq, taken[i].receives_here};
    return txn_write(txn, key_of(txn, from, id, 0), &attempt_type, &a);
}
