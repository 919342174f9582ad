/* What is due of the expiry times, and the job that brings their index in line with the definition.
 * The invariants are DE1-DE3 of ddb_ttl.c.
 *
 *   dynamodb.expiry  key: ddb_k_ttl_due; value: key of the table's record
 *   dynamodb.ttl     key: ddb_k_job of the table; argument: key of the table's record; cursor: key to
 *                    go on at
 *
 * Thread: firings and steps run on the home loop. */
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    FIRE_ITEMS_MAX = 100, /* of one firing: a commit's worth */
    LATE_LOOK_MS = 60 * 1000,
    EXPIRED_TOO_LONG_S = 5 * 365 * 24 * 3600, /* older expiry times are taken for mistakes */
};

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
    TRY(ddb_cipher_of(&diag, f->txn, f->table, &w.cipher));
    TRY(ddb_record_open(&w.cipher, a, item_key, &raw));
    TRY(ddb_item_decode(a, raw, &item));
    if (!ddb_ttl_of(f->table, item, &expiry_s) || expiry_s > now_s ||
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
    struct ddb_cipher cipher;
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
        TRY(ddb_record_open(&b->cipher, a, key, &raw));
        TRY(ddb_item_decode(a, raw, &item));
        if (ddb_ttl_of(b->table, item, &s))
            TRY(ddb_ttl_add(b->txn, b->table, b->ddb->expiry, s, key));
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
    struct ddb_diag diag = {.arena = b->txn->arena};
    TRY(ddb_cipher_of(&diag, b->txn, table, &b->cipher));
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

enum err ddb_expiry_rebuild(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str key = key_make(txn->arena, &ddb_k_job, table->id, (uint16_t)0);
    return str_is_set(key) ? job_add(txn, ddb->ttl, key, table->object.key) : ERR_NOMEM;
}

enum err ddb_expiry_register(struct dynamodb *ddb)
{
    struct due *due = deliver_due(ddb->core->deliver);
    const struct job_def builds = {.name = "dynamodb.ttl", .self = ddb, .step = step, .at_once = 1};
    const struct due_def expiries = {
        .name = "dynamodb.expiry", .self = ddb, .fire = fire, .running_max = 2, .steps = true};
    TRY(job_register(due, &builds, &ddb->ttl));
    return due_register(due, &expiries, &ddb->expiry);
}
