/* Time to live: an index of expiry times, written with the items. What is due in it: ddb_expiry.c.
 *
 *   item --written--> index entry (table, moment, item's key)   moment: expiry rounded up to a step
 *                     due key (table, moment) --its time--> the moment's items are deleted, some
 *                     hundred a firing, until none is left
 *
 * Invariants
 *   DE1  While ddb_ttl_kept, an item with an expiry time has an entry, changed in the item's own
 *        commit; what was there before is added by the job that enabling starts, which reads each
 *        item tracked (as DJ3).
 *   DE2  Where there are entries of a moment, its due key is set. A writer reads it tracked, and so
 *        conflicts with the firing that removes it; what a writer adds lies AHEAD_S ahead, and the
 *        key goes LATE_LOOK_MS after its moment was found empty, so that no transaction which began
 *        before that firing is still open. A key that every writer of a moment writes would make
 *        them conflict with each other instead.
 *   DE3  A firing deletes an item only if its attribute, read tracked, has expired by the definition
 *        of now: an entry that is out of date only costs a look.
 * So nothing is ever searched for: the cost of an expiry is that of its item's deletion.
 *
 * Source: developer guide, "Using time to live (TTL) in DynamoDB". Thread: as dynamodb_int.h says. */
#include <assert.h>

#include "deliver/due.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    STEP_S = 10,
    AHEAD_S = 10,
    SECONDS_DIGITS_MAX = 12,
};

/* When an item expires, in seconds; false when it does not: no such attribute, no number. */
bool ddb_ttl_of(const struct ddb_table *table, const struct ddb_av *item, int64_t *ret_s)
{
    const struct ddb_av *v = item ? ddb_av_get(item, table->ttl_attribute) : NULL;
    if (!v || v->type != DDB_N)
        return false;
    struct str whole = v->s; /* normal text: seconds, maybe with a fraction */
    size_t dot = str_find(whole, '.');
    if (dot != SIZE_MAX)
        whole.len = dot;
    return whole.len <= SECONDS_DIGITS_MAX && str_to_i64(whole, ret_s) == ERR_OK && *ret_s > 0;
}

static uint64_t moment_of(int64_t expiry_s)
{
    assert(expiry_s > 0);
    return (uint64_t)((expiry_s + STEP_S - 1) / STEP_S * STEP_S);
}

/* Stages the entry, and the moment's due key where it is not set (DE2). */
enum err ddb_ttl_add(struct txn *txn, const struct ddb_table *table, struct due_kind *expiry,
                     int64_t expiry_s, struct str item_key)
{
    struct arena *a = txn->arena;
    uint64_t moment = moment_of(max_i64(expiry_s, txn->now_ms / 1000 + AHEAD_S));
    int64_t when_ms;
    struct str value, due = key_make(a, &ddb_k_ttl_due, table->id, moment);
    if (!str_is_set(due))
        return ERR_NOMEM;
    TRY(txn_put(txn, key_make(a, &ddb_k_ttl, table->id, moment, item_key), STR("")));
    enum err err = due_get(txn, expiry, due, &when_ms, &value);
    if (err != ERR_NOT_FOUND)
        return err;
    return due_set(txn, expiry, due, (int64_t)moment * 1000, table->object.key);
}

enum err ddb_ttl_note(struct ddb_write *w, const struct ddb_av *item)
{
    const struct ddb_table *t = w->table;
    int64_t before = 0, after = 0;
    TRY(ddb_write_decode(w));
    if (!ddb_ttl_of(t, w->old, &before))
        before = 0;
    if (!ddb_ttl_of(t, item, &after))
        after = 0;
    if (before == after && t->ttl == DDB_TTL_ON)
        return ERR_OK;
    /* An entry that was moved ahead stays until its moment, soon, and is dropped then (DE3). */
    if (before)
        TRY(txn_del(w->txn,
                    key_make(w->txn->arena, &ddb_k_ttl, t->id, moment_of(before), w->record_key)));
    return after ? ddb_ttl_add(w->txn, t, t->figures->expiry, after, w->record_key) : ERR_OK;
}
