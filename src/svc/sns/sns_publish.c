/* Publishing: the message's number, what it duplicates, and its deliveries: in this commit where
 * they are few, by a job where they are many (SN2).
 *
 * Layer: svc/sns. Thread: the transaction's. */
#include "base/rng.h"
#include "deliver/dedup.h"
#include "svc/sns/sns_int.h"

/* --- FIFO ------------------------------------------------------------------------------------- */

/* Read tracked and written by every publisher to the topic: messages have one order, and queues get
 * them in it. Numbers begin where AWS's do. */
static enum err next_seq(struct txn *txn, uint64_t topic_id, uint64_t *ret_seq)
{
    struct str key = key_make(txn->arena, &sns_k_seq, topic_id);
    uint64_t seq = 10000000000000000000ull;
    enum err err = txn_read(txn, key, &record_u64, &seq);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *ret_seq = seq + 1;
    return txn_write(txn, key, &record_u64, ret_seq);
}

/* *ret_duplicate: the id was published within five minutes; the message has that one's id and
 * number. */
static enum err order(struct txn *txn, const struct sns_topic_ref *t, struct sns_message *m,
                      bool *ret_duplicate)
{
    struct dedup_seen seen = {0};
    const struct dedup_key key = {.layout = &sns_k_dedup,
                                  .owner = t->rec.id,
                                  .scope = t->rec.dedup_per_group ? m->group : STR(""),
                                  .id = m->dedup};
    enum err err = dedup_find(txn, &key, &seen);
    *ret_duplicate = err == ERR_OK;
    if (err == ERR_OK) {
        m->id = seen.id;
        m->seq = seen.seq;
        return ERR_OK;
    }
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(next_seq(txn, t->rec.id, &m->seq));
    return dedup_put(txn, &key, &(struct dedup_seen){.id = m->id, .seq = m->seq});
}

/* --- deliveries ------------------------------------------------------------------------------- */

/* Subscriptions of the topic after `after`. */
static enum err list(struct sns *s, struct txn *txn, const struct sns_topic_ref *t,
                     struct str after, size_t limit, struct catalogue_page *ret)
{
    struct str prefix = key_prefix(txn->arena, &sns_k_sub, t->scope, t->rec.id);
    struct str from = STR_NONE;
    if (str_is_set(after))
        from = key_make(txn->arena, &sns_k_sub, t->scope, t->rec.id, after);
    if (!str_is_set(prefix) || (str_is_set(after) && !str_is_set(from)))
        return ERR_NOMEM;
    return catalogue_list(s->subs, txn, prefix, from, limit, ret);
}

static enum err deliver_all(struct sns_publication *p, const struct catalogue_page *page)
{
    for (size_t i = 0; i < page->n; i++)
        TRY(sns_deliver(p, page->objects[i]));
    return ERR_OK;
}

enum err sns_publish_some(struct sns *s, struct txn *txn, struct sns_topic_ref *t,
                          const struct sns_message *m, struct str after, struct str *ret_last)
{
    struct sns_publication p;
    struct sns_counts *counts;
    struct catalogue_page page;
    *ret_last = STR_NONE;
    TRY(list(s, txn, t, after, SNS_STEP_MAX, &page));
    if (page.n == 0)
        return ERR_OK;
    TRY(sns_measure_begin(txn, t->arn, &counts));
    TRY(sns_publication_init(&p, s, txn, t, m, counts));
    TRY(deliver_all(&p, &page));
    const struct sns_sub_live *last = page.objects[page.n - 1];
    *ret_last = str_dup(txn->arena, last->rec.id);
    return str_is_set(*ret_last) ? ERR_OK : ERR_NOMEM;
}

/* Stores the message, for the job that delivers it. */
static enum err deliver_later(struct sns *s, struct txn *txn, const struct sns_topic_ref *t,
                              const struct sns_message *m)
{
    struct sns_message kept = *m;
    uint64_t number = rng_u64();
    struct str key = sns_number_key(txn->arena, number);
    if (!str_is_set(key))
        return ERR_NOMEM;
    if (str_is_set(t->data_key.plain))
        TRY(sns_message_seal(txn, t, &kept));
    TRY(txn_write(txn, key_make(txn->arena, &sns_k_message, number), &sns_message_type, &kept));
    return job_add(txn, s->fanout, key, STR(""));
}

enum err sns_publish_stage(struct sns *s, struct txn *txn, struct sns_topic_ref *t,
                           struct sns_message *m)
{
    struct sns_publication p;
    struct sns_counts *counts;
    struct catalogue_page page;
    bool duplicate = false;
    char *id = arena_alloc(txn->arena, RNG_UUID_LEN + 1);
    if (!id)
        return ERR_NOMEM;
    m->id = rng_uuid(id);
    m->topic_arn = t->arn;
    m->sent_ms = txn->wall_ms;
    TRY(sns_measure_begin(txn, t->arn, &counts));
    counts->published = true;
    counts->bytes = m->body.len;
    if (t->rec.fifo)
        TRY(order(txn, t, m, &duplicate));
    if (duplicate)
        return ERR_OK;
    TRY(list(s, txn, t, STR_NONE, SNS_INLINE_MAX, &page));
    bool many = page.more || page.n * m->body.len > SNS_INLINE_BYTES_MAX;
    if (many && !t->rec.fifo) /* of a FIFO topic, which has few, in order: always here */
        return deliver_later(s, txn, t, m);
    TRY(sns_publication_init(&p, s, txn, t, m, counts));
    return deliver_all(&p, &page);
}
