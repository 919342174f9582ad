/* See dedup.h. Layer: deliver. */
#include "deliver/dedup.h"

#include "base/record.h"

static const struct record_field seen_fields[] = {
    REC_INT(struct dedup_seen, sent_ms),
    REC_STR(struct dedup_seen, id),
    REC_UINT(struct dedup_seen, seq),
};
static const struct record_type seen_type = RECORD_TYPE(struct dedup_seen, 1, seen_fields);

static struct str key_of(struct txn *txn, const struct dedup_key *k, uint64_t bucket)
{
    return key_make(txn->arena, k->layout, bucket, k->owner, k->scope, k->id);
}

enum err dedup_find(struct txn *txn, const struct dedup_key *key, struct dedup_seen *ret_seen)
{
    uint64_t bucket = (uint64_t)txn->now_ms / DEDUP_MS;
    for (uint64_t back = 0; back < 2; back++) {
        struct str bytes;
        enum err err = txn_get(txn, key_of(txn, key, bucket - back), &bytes);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        TRY(record_unpack(&seen_type, txn->arena, bytes, ret_seen));
        if (txn->now_ms - ret_seen->sent_ms < DEDUP_MS)
            return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

enum err dedup_put(struct txn *txn, const struct dedup_key *key, const struct dedup_seen *seen)
{
    const struct dedup_seen now = {.sent_ms = txn->now_ms, .id = seen->id, .seq = seen->seq};
    struct str bytes;
    TRY(record_make(&seen_type, txn->arena, &now, &bytes));
    return txn_put(txn, key_of(txn, key, (uint64_t)txn->now_ms / DEDUP_MS), bytes);
}

struct key_range dedup_old(struct txn *txn, const struct key_layout *layout, uint64_t done,
                           uint64_t *ret_done)
{
    uint64_t now = (uint64_t)txn->now_ms / DEDUP_MS; /* it and the one before are looked at */
    uint64_t to = done + 1 < now ? now - 1 : done;
    *ret_done = to;
    return (struct key_range){key_prefix(txn->arena, layout, done),
                              key_prefix(txn->arena, layout, to)};
}
