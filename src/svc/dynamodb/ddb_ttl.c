/* Time to live: an index of expiry times, written with the items, and what is due in it.
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

#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_num.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    STEP_S = 10,
    AHEAD_S = 10,
    LATE_LOOK_MS = 60 * 1000,
    FIRE_ITEMS_MAX = 100,                       /* of one firing: a commit's worth */
    EXPIRED_TOO_LONG_S = 5 * 365 * 24 * 3600,   /* older expiry times are taken for mistakes */
    SECONDS_DIGITS_MAX = 12,
};

/* When an item expires, in seconds; false when it does not: no such attribute, no number. */
static bool expiry_of(const struct ddb_table *table, const struct ddb_av *item, int64_t *ret_s)
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
static enum err add_entry(struct txn *txn, const struct ddb_table *table, struct due_kind *expiry,
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
    if (!expiry_of(t, w->old, &before))
        before = 0;
    if (!expiry_of(t, item, &after))
        after = 0;
    if (before == after && t->ttl == DDB_TTL_ON)
        return ERR_OK;
    /* An entry that was moved ahead stays until its moment, soon, and is dropped then (DE3). */
    if (before)
        TRY(txn_del(w->txn, key_make(w->txn->arena, &ddb_k_ttl, t->id, moment_of(before),
                                     w->record_key)));
    return after ? add_entry(w->txn, t, t->figures->expiry, after, w->record_key) : ERR_OK;
}

/* --- what is due ------------------------------------------------------------------------------ */

struct firing {
    struct dynamodb *ddb;
    struct txn *txn;
    struct ddb_table *table; /* NULL: gone, or without time to live */
    size_t n;
};

static enum err delete_expired(struct firing *f, struct str item_key)
{
    struct arena *a = f->txn->arena;
    struct ddb_diag diag = {.arena = a};
    struct ddb_write w = {.txn = f->txn, .diag = &diag, .table = f->table, .expired = true};
    struct ddb_av *item;
    struct str raw;
    int64_t expiry_s, now_s = f->txn->now_ms / 1000;
    enum err err = txn_get(f->txn, item_key, &raw);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(ddb_item_decode(a, raw, &item));
    if (!expiry_of(f->table, item, &expiry_s) || expiry_s > now_s ||
        expiry_s < now_s - EXPIRED_TOO_LONG_S)
        return ERR_OK;
    TRY(ddb_key_of_item(&diag, &f->table->key, item, &w.key));
    TRY(ddb_write_open(&w));
    TRY(ddb_write_read(&w));
    return ddb_write_commit(&w, NULL);
}

static enum err fire_one(void *arg, struct str key, struct str value)
{
    struct firing *f = arg;
    struct str item_key;
    TRY(key_read(&ddb_k_ttl, key, f->txn->arena, KEY_SKIP, KEY_SKIP, &item_key));
    if (f->table)
        TRY(delete_expired(f, item_key));
    TRY(txn_del(f->txn, key));
    return ++f->n < FIRE_ITEMS_MAX ? ERR_OK : ERR_CLOSED;
}

/* The table as it is now: read from the catalogue, whose version every write checks (DT1). */
static enum err find_table(struct firing *f, uint32_t id, struct str key)
{
    void *object;
    enum err err = catalogue_get(f->ddb->tables, f->txn, key, &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct ddb_table *table = object;
    if (table->id == id && ddb_ttl_kept(table))
        f->table = table;
    return ERR_OK;
}

static enum err fire(void *self, struct txn *txn, struct due_fire *due)
{
    struct firing f = {.ddb = self, .txn = txn};
    uint32_t table;
    uint64_t moment;
    TRY(key_read(&ddb_k_ttl_due, due->key, txn->arena, &table, &moment));
    TRY(find_table(&f, table, due->value));
    TRY(txn_each(txn, key_range(txn->arena, &ddb_k_ttl, table, moment), fire_one, &f));
    bool late = due->when_ms >= (int64_t)moment * 1000 + LATE_LOOK_MS;
    due->next = f.n ? DUE_AGAIN : late ? DUE_DONE : DUE_MOVE;
    due->next_ms = txn->now_ms + LATE_LOOK_MS;
    return ERR_OK;
}

/* --- the index in line with the definition ------------------------------------------------------ */

struct building {
    struct dynamodb *ddb;
    struct txn *txn;
    const struct ddb_table *table;
    struct job_budget *budget;
    struct str next;
};

static enum err build_one(void *arg, struct str key, struct str value)
{
    struct building *b = arg;
    struct arena *a = b->txn->arena;
    struct ddb_av *item;
    struct str raw;
    int64_t s;
    enum err err = txn_get(b->txn, key, &raw);
    if (err == ERR_OK) {
        TRY(ddb_item_decode(a, raw, &item));
        if (expiry_of(b->table, item, &s))
            TRY(add_entry(b->txn, b->table, b->ddb->expiry, s, key));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    job_spend(b->budget, 1);
    if (!job_spent(b->budget))
        return ERR_OK;
    b->next = key_successor(a, key);
    return str_is_set(b->next) ? ERR_CLOSED : ERR_NOMEM;
}

static enum err settle(struct building *b, struct ddb_table *table, enum ddb_ttl state)
{
    table->ttl = state;
    table->generation++;
    return ddb_stage_table(b->ddb, b->txn, table);
}

static enum err build(struct building *b, struct job *job, struct ddb_table *table,
                      enum job_state *ret_state)
{
    struct key_range range = ddb_scan_range(b->txn->arena, table->id, 0, 0, 1);
    if (str_is_set(range.from) && !str_empty(job->cursor))
        range.from = job->cursor;
    TRY(txn_each(b->txn, range, build_one, b));
    job->cursor = b->next;
    *ret_state = str_is_set(b->next) ? JOB_MORE : JOB_DONE;
    return *ret_state == JOB_MORE ? ERR_OK : settle(b, table, DDB_TTL_ON);
}

static enum err clear(struct building *b, struct job *job, struct ddb_table *table,
                      enum job_state *ret_state)
{
    struct key_range range = key_range(b->txn->arena, &ddb_k_ttl, table->id);
    bool more = false;
    if (!str_is_set(range.from))
        return ERR_NOMEM;
    if (!str_empty(job->cursor))
        range.from = job->cursor;
    TRY(job_remove_range(b->txn, &range.from, range.to, b->budget, &more));
    job->cursor = range.from;
    *ret_state = more ? JOB_MORE : JOB_DONE;
    return more ? ERR_OK : settle(b, table, DDB_TTL_OFF);
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct building b = {.ddb = self, .txn = txn, .budget = budget};
    uint32_t id;
    void *object;
    TRY(key_read(&ddb_k_job, job->key, txn->arena, &id, KEY_SKIP));
    *ret_state = JOB_DONE;
    enum err err = catalogue_read(b.ddb->tables, txn, job->argument, &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct ddb_table *table = object;
    b.table = table;
    if (table->id != id)
        return ERR_OK;
    if (table->ttl == DDB_TTL_ENABLING)
        return build(&b, job, table, ret_state);
    return table->ttl == DDB_TTL_DISABLING ? clear(&b, job, table, ret_state) : ERR_OK;
}

enum err ddb_ttl_rebuild(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str key = key_make(txn->arena, &ddb_k_job, table->id, (uint16_t)0);
    return str_is_set(key) ? job_add(txn, ddb->ttl, key, table->object.key) : ERR_NOMEM;
}

enum err ddb_ttl_register(struct dynamodb *ddb)
{
    struct due *due = deliver_due(ddb->core->deliver);
    const struct job_def builds = {.name = "dynamodb.ttl", .self = ddb, .step = step, .at_once = 1};
    const struct due_def expiries = {
        .name = "dynamodb.expiry", .self = ddb, .fire = fire, .running_max = 2, .steps = true};
    TRY(job_register(due, &builds, &ddb->ttl));
    return due_register(due, &expiries, &ddb->expiry);
}
