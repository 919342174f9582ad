/* What writes undid: the log that point-in-time recovery and copies read.
 *
 *   undo   u8 version, int wall_ms, str tail of the item's key, str the item before (empty: none)
 *   hold   uint copies, u8 orphan; where the table got its first key of KMS meanwhile: str its ARN, str data key
 *   dynamodb.undo   key: ddb_k_job of the table; argument: key of the table's record; cursor: key to go on at
 *
 * Invariants
 *   DB1  While a definition says `undo`, each write that changes an item stages one record in its own
 *        commit, under a key that is stamped with the place of that commit (kv.h K7). So the log is in the
 *        order of commits, and what a prefix of commits left behind is what is there now with the
 *        records after it undone, newest first. Writers share no key: none conflicts for it.
 *        A record tells the time at which it was staged, which is after its guard was read (DW1): so a write that is
 *        committed behind a change of the definition is not from before it.
 *   DB2  Records go from the front only, and only those older than the recovery period; none goes while
 *        copies are made.
 *   DB3  Items and log of a table that is held stay until the last copy is done, also when the table is
 *        deleted meanwhile.
 *
 * Layer: svc/dynamodb. Thread: the transaction's; steps run on the home loop. */
#include <assert.h>

#include "base/clock.h"
#include "base/pack.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_backup.h"

enum {
    UNDO_VERSION = 1,
    UNDO_BYTES_MAX = 1024 * 1024, /* a sealed item of 400 KB and its key, with room */
    UNDO_HEAD_MAX = 32,
    TRIM_EVERY_MS = 3600 * 1000,
    HOLD_BYTES_MAX = 8 * 1024,
};

/* --- records ---------------------------------------------------------------------------------- */

struct str ddb_key_tail(struct str item_key)
{
    return str_sub(item_key, DDB_UNDO_STAMP_AT, SIZE_MAX);
}

struct str ddb_key_under(struct arena *a, uint32_t table, struct str tail)
{
    struct key_range range = ddb_scan_range(a, table, 0, 0, 1);
    struct buf b;
    buf_init_arena(&b, a, KV_KEY_MAX);
    buf_add_str(&b, range.from);
    buf_add_str(&b, tail);
    return !str_is_set(range.from) || buf_err(&b) ? STR_NONE : buf_str(&b);
}

enum err ddb_undo_note(struct ddb_write *w, struct str raw)
{
    struct arena *a = w->txn->arena;
    struct str before = w->old_raw, tail = ddb_key_tail(w->record_key);
    struct buf b;
    if (str_is_set(raw) == str_is_set(before) && (!str_is_set(raw) || str_eq(raw, before)))
        return ERR_OK; /* nothing to undo */
    if (str_is_set(before))
        TRY(ddb_record_seal(&w->cipher, a, w->record_key, &before));
    buf_init_arena(&b, a, UNDO_BYTES_MAX);
    (void)buf_reserve(&b, UNDO_HEAD_MAX + tail.len + before.len);
    pack_u8(&b, UNDO_VERSION);
    pack_int(&b, clock_wall_ms());
    pack_str(&b, tail);
    pack_str(&b, str_is_set(before) ? before : STR(""));
    TRY(buf_err(&b));
    struct str key = key_make(a, &ddb_k_undo, w->table->id, (uint64_t)0, (uint16_t)0);
    return txn_put_stamped(w->txn, key, DDB_UNDO_STAMP_AT, buf_str(&b));
}

enum err ddb_undo_read(struct str key, struct str value, struct ddb_undo *ret)
{
    struct unpack u;
    TRY(key_read(&ddb_k_undo, key, NULL, KEY_SKIP, &ret->commit, &ret->nth));
    unpack_init(&u, value);
    if (unpack_u8(&u) != UNDO_VERSION)
        return ERR_CORRUPT;
    ret->wall_ms = unpack_int(&u);
    ret->tail = unpack_str(&u);
    ret->before = unpack_str(&u);
    TRY(unpack_end(&u));
    if (str_empty(ret->before))
        ret->before = STR_NONE;
    return str_empty(ret->tail) ? ERR_CORRUPT : ERR_OK;
}

/* --- holds ------------------------------------------------------------------------------------ */

struct hold {
    uint64_t copies;
    bool orphan; /* the last one sweeps the items */
    struct str kms_arn, data_key;
};

static enum err hold_from(struct str value, struct hold *ret)
{
    struct unpack u;
    unpack_init(&u, value);
    ret->copies = unpack_uint(&u);
    ret->orphan = unpack_u8(&u) != 0;
    if (u.rest.len) {
        ret->kms_arn = unpack_str(&u);
        ret->data_key = unpack_str(&u);
    }
    return unpack_end(&u);
}

static enum err hold_read(struct txn *txn, uint32_t id, struct hold *ret)
{
    struct str value;
    *ret = (struct hold){0};
    enum err err = txn_get(txn, key_make(txn->arena, &ddb_k_hold, id), &value);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return hold_from(value, ret);
}

static enum err hold_write(struct txn *txn, uint32_t id, struct hold hold)
{
    struct str key = key_make(txn->arena, &ddb_k_hold, id);
    struct buf b;
    if (hold.copies == 0)
        return txn_del(txn, key);
    buf_init_arena(&b, txn->arena, HOLD_BYTES_MAX);
    pack_uint(&b, hold.copies);
    pack_u8(&b, hold.orphan);
    if (str_is_set(hold.data_key)) {
        pack_str(&b, hold.kms_arn);
        pack_str(&b, hold.data_key);
    }
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

enum err ddb_hold_tell_key(struct txn *txn, const struct ddb_table *table)
{
    struct hold hold;
    TRY(hold_read(txn, table->id, &hold));
    if (hold.copies == 0)
        return ERR_OK;
    hold.kms_arn = table->kms_arn;
    hold.data_key = table->data_key;
    return hold_write(txn, table->id, hold);
}

enum err ddb_hold_key(struct txn *txn, uint32_t id, struct str *ret_kms_arn,
                      struct str *ret_data_key)
{
    struct str value;
    struct hold hold = {0};
    enum err err = txn_peek(txn, key_make(txn->arena, &ddb_k_hold, id), &value);
    if (err == ERR_OK)
        err = hold_from(value, &hold);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    *ret_kms_arn = hold.kms_arn;
    *ret_data_key = hold.data_key;
    return ERR_OK;
}

enum err ddb_hold_count(struct txn *txn, uint32_t id, uint64_t *ret_copies)
{
    struct hold hold;
    TRY(hold_read(txn, id, &hold));
    *ret_copies = hold.copies;
    return ERR_OK;
}

enum err ddb_hold_take(struct dynamodb *ddb, struct txn *txn, uint32_t id, struct ddb_table *table)
{
    struct hold hold;
    TRY(hold_read(txn, id, &hold));
    if (hold.copies >= DDB_COPIES_MAX)
        return ERR_LIMIT;
    hold.copies++;
    TRY(hold_write(txn, id, hold));
    if (!table || table->undo)
        return ERR_OK;
    assert(table->id == id);
    table->undo = true;
    table->generation++;
    TRY(ddb_stage_table(ddb, txn, table));
    return ddb_undo_trim(ddb, txn, id, table->object.key);
}

enum err ddb_hold_for(struct call *call, uint32_t id, struct ddb_table *table)
{
    enum err err = ddb_hold_take(call->svc, call->txn, id, table);
    return err == ERR_LIMIT
               ? call_error(call, &dynamodb_err_limit_exceeded_exception,
                            "Subscriber limit exceeded: Number of backups and restores of a table "
                            "at a time is limited to %d",
                            DDB_COPIES_MAX)
               : err;
}

enum err ddb_hold_drop(struct dynamodb *ddb, struct txn *txn, uint32_t id, struct str table_key)
{
    struct hold hold;
    void *object;
    TRY(hold_read(txn, id, &hold));
    if (hold.copies == 0)
        return ERR_CORRUPT;
    hold.copies--;
    TRY(hold_write(txn, id, hold));
    if (hold.copies)
        return ERR_OK;
    if (hold.orphan)
        TRY(ddb_stage_sweep(ddb, txn, id, 0));
    if (!str_is_set(table_key))
        return ERR_OK;
    enum err err = catalogue_read(ddb->tables, txn, table_key, &object);
    if (err && err != ERR_NOT_FOUND)
        return err;
    struct ddb_table *table = err ? NULL : object;
    if (table && table->id == id && table->undo && !table->pitr) {
        table->undo = false;
        table->generation++;
        TRY(ddb_stage_table(ddb, txn, table));
    }
    return ddb_undo_trim(ddb, txn, id, table_key);
}

enum err ddb_hold_orphan(struct dynamodb *ddb, struct txn *txn, uint32_t id)
{
    struct hold hold;
    TRY(hold_read(txn, id, &hold));
    if (hold.copies == 0)
        return ddb_stage_sweep(ddb, txn, id, 0);
    hold.orphan = true;
    return hold_write(txn, id, hold);
}

/* --- trimming --------------------------------------------------------------------------------- */

struct trimming {
    struct txn *txn;
    struct job_budget *budget;
    int64_t before_ms; /* what is older goes */
    struct str next;
    bool more;
};

static enum err trim_one(void *arg, struct str key, struct str value)
{
    struct trimming *t = arg;
    struct ddb_undo undo;
    TRY(ddb_undo_read(key, value, &undo));
    if (undo.wall_ms >= t->before_ms)
        return ERR_CLOSED;
    TRY(txn_del(t->txn, key));
    job_spend(t->budget, 1);
    t->next = key_successor(t->txn->arena, key);
    if (!str_is_set(t->next))
        return ERR_NOMEM;
    t->more = job_spent(t->budget);
    return t->more ? ERR_CLOSED : ERR_OK;
}

/* From which moment on the log of this table is needed. */
static enum err needed_from(const struct dynamodb *ddb, struct txn *txn, struct str table_key,
                            uint32_t id, int64_t *ret_ms)
{
    void *object;
    *ret_ms = INT64_MAX;
    enum err err = catalogue_read(ddb->tables, txn, table_key, &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    const struct ddb_table *table = object;
    if (table->id == id && table->pitr)
        *ret_ms = txn->wall_ms - (int64_t)table->pitr_days * DDB_DAY_MS;
    return ERR_OK;
}

static enum err trim(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct trimming t = {.txn = txn, .budget = budget, .next = job->cursor};
    struct hold hold;
    uint32_t id;
    TRY(key_read(&ddb_k_job, job->key, txn->arena, &id, KEY_SKIP));
    TRY(hold_read(txn, id, &hold));
    job->wait_until_ms = txn->now_ms + TRIM_EVERY_MS;
    *ret_state = JOB_WAIT;
    if (hold.copies) /* DB2: the last one stages this job anew */
        return ERR_OK;
    TRY(needed_from(self, txn, job->argument, id, &t.before_ms));
    struct key_range range = key_range(txn->arena, &ddb_k_undo, id);
    if (str_is_set(range.from) && !str_empty(job->cursor))
        range.from = job->cursor;
    TRY(txn_each(txn, range, trim_one, &t));
    job->cursor = t.next;
    if (t.more)
        *ret_state = JOB_MORE;
    else if (t.before_ms == INT64_MAX)
        *ret_state = JOB_DONE;
    return ERR_OK;
}

enum err ddb_undo_trim(struct dynamodb *ddb, struct txn *txn, uint32_t table, struct str table_key)
{
    struct str key = key_make(txn->arena, &ddb_k_job, table, (uint16_t)0);
    return str_is_set(key) ? job_add(txn, ddb->undo, key, table_key) : ERR_NOMEM;
}

enum err ddb_undo_register(struct dynamodb *ddb)
{
    const struct job_def trims = {.name = "dynamodb.undo", .self = ddb, .step = trim, .at_once = 1};
    return job_register(deliver_due(ddb->core->deliver), &trims, &ddb->undo);
}
