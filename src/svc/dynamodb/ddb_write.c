/* The one way in which items change: record, indexes and figures in one transaction.
 *
 * Invariants
 *   DW1  The guard of the table is read tracked before anything is staged (ddb_table DT1).
 *   DW2  When the table has indexes, a stream, expiry times or an undo log, the old item is read tracked, so that
 *        what follows from it changes in the same commit as the item. */
#include <assert.h>

#include "base/pack.h"
#include "svc/dynamodb/ddb_backup.h"

double ddb_read_units(size_t bytes, bool strong)
{
    size_t blocks = bytes ? (bytes + DDB_RCU_BYTES - 1) / DDB_RCU_BYTES : 1;
    return strong ? (double)blocks : (double)blocks / 2;
}

double ddb_write_units(size_t bytes)
{
    return bytes ? (double)((bytes + DDB_WCU_BYTES - 1) / DDB_WCU_BYTES) : 1;
}

enum err ddb_write_open(struct ddb_write *w)
{
    struct arena *a = w->txn->arena;
    struct str value;
    assert(w->table && w->table->figures && w->key.hash && !str_is_set(w->record_key));
    if (!w->expired && !w->admitted)
        TRY(ddb_admit_write(w->diag, w->table, NULL, w->txn->now_ms));
    w->record_key = ddb_item_key(a, w->table->id, w->key);
    if (!str_is_set(w->record_key))
        return ERR_NOMEM;
    enum err err = txn_get(w->txn, key_make(a, &ddb_k_guard, w->table->id), &value);
    if (err == ERR_NOT_FOUND)
        return ERR_CONFLICT; /* dropped meanwhile: the rerun will not find the table */
    TRY(err);
    struct unpack u;
    unpack_init(&u, value);
    if (unpack_uint(&u) != w->table->generation)
        return ERR_CONFLICT;
    TRY(unpack_end(&u));
    return ddb_cipher_of(w->diag, w->txn, w->table, &w->cipher);
}

enum err ddb_write_read(struct ddb_write *w)
{
    assert(str_is_set(w->record_key)); /* opened: DW1 */
    enum err err = txn_get(w->txn, w->record_key, &w->old_raw);
    if (err == ERR_OK)
        return ddb_record_open(&w->cipher, w->txn->arena, w->record_key, &w->old_raw);
    if (err != ERR_NOT_FOUND)
        return err;
    w->old_raw = STR_NONE;
    return ERR_OK;
}

enum err ddb_write_check(struct ddb_write *w, const struct ddb_node *condition, bool *ret_holds)
{
    struct ddb_source src = {w->txn->arena, w->old, w->old_raw};
    if (condition)
        TRY(txn_work(w->txn, ddb_condition_work(condition, src.raw)));
    return ddb_eval_condition(w->diag, condition, &src, ret_holds);
}

enum err ddb_condition_failed(struct call *call, const struct ddb_write *w,
                              struct str return_values)
{
    if (str_eq_c(return_values, "ALL_OLD") && str_is_set(w->old_raw)) {
        struct str text;
        TRY(ddb_raw_text(call->arena, w->old_raw, &text));
        TRY(call_error_detail(call, "Item", text));
    }
    return call_error(call, &dynamodb_err_conditional_check_failed_exception,
                      "The conditional request failed");
}

struct entry {
    bool in;
    struct str key, raw;
    size_t size;
};

/* The index record that an item has, or `in` false. */
static enum err make_entry(struct ddb_write *w, const struct ddb_index *index,
                           const struct ddb_av *item, struct entry *ret_entry)
{
    struct arena *a = w->txn->arena;
    struct ddb_key key;
    struct ddb_av *part;
    assert(index->id > 0 && index->id <= w->table->last_index_id);
    *ret_entry = (struct entry){0};
    if (!item)
        return ERR_OK;
    TRY(ddb_key_in_index(w->diag, index, item, &key, &ret_entry->in));
    if (!ret_entry->in)
        return ERR_OK;
    TRY(ddb_index_project(a, w->table, index, item, &part));
    ret_entry->size = ddb_item_size(part);
    TRY(ddb_item_encode(a, part, ret_entry->size, &ret_entry->raw));
    ret_entry->key = ddb_index_key(a, w->table->id, index->id, &index->key, key, w->key);
    return str_is_set(ret_entry->key) ? ERR_OK : ERR_NOMEM;
}

static enum err put_entry(struct ddb_write *w, struct entry *e)
{
    TRY(ddb_record_seal(&w->cipher, w->txn->arena, e->key, &e->raw));
    return txn_put(w->txn, e->key, e->raw);
}

static enum err write_index(struct ddb_write *w, size_t i, const struct ddb_av *item)
{
    struct entry old, neu;
    const struct ddb_index *index = &w->table->indexes[i];
    assert(i < w->table->n_indexes);
    TRY(make_entry(w, index, w->old, &old));
    TRY(make_entry(w, index, item, &neu));
    if (old.in && neu.in && str_eq(old.key, neu.key)) {
        if (str_eq(old.raw, neu.raw))
            return ERR_OK;
        w->units.index[i] += ddb_write_units(old.size > neu.size ? old.size : neu.size);
        return put_entry(w, &neu);
    }
    if (old.in) {
        w->units.index[i] += ddb_write_units(old.size);
        TRY(txn_del(w->txn, old.key));
    }
    if (neu.in) {
        w->units.index[i] += ddb_write_units(neu.size);
        TRY(put_entry(w, &neu));
    }
    return ERR_OK;
}

/* What a committed write leaves behind in memory; the call holds the table until after. */
struct written {
    const struct ddb_table *table;
    struct ddb_units units;
    bool free, transact;
    uint16_t shard; /* of the stream */
};

static void count_write(void *arg)
{
    const struct written *done = arg;
    assert(done->units.table > 0);
    atomic_fetch_add_explicit(&done->table->figures->writes, 1, memory_order_relaxed);
    if (done->free)
        ddb_measure_expired(done->table);
    else if (done->transact)
        ddb_charge_transact(done->table, &done->units, true);
    else
        ddb_charge(done->table, &done->units, true);
    if (done->table->stream)
        ddb_stream_wake(done->table->figures->watch, done->table->stream, done->shard);
}

enum err ddb_write_commit(struct ddb_write *w, const struct ddb_av *item)
{
    size_t size = item ? ddb_item_size(item) : 0, old_size = 0;
    struct str raw = STR_NONE;
    assert(str_is_set(w->record_key) && (!item || item->type == DDB_M));
    if (w->table->n_indexes) {
        TRY(ddb_write_decode(w));
        for (size_t i = 0; i < w->table->n_indexes; i++)
            TRY(write_index(w, i, item));
    }
    if (ddb_ttl_kept(w->table))
        TRY(ddb_ttl_note(w, item));
    if (str_is_set(w->old_raw))
        TRY(ddb_item_raw_size(w->old_raw, &old_size));
    w->units.table += ddb_write_units(size > old_size ? size : old_size);
    assert(w->units.table > 0);
    if (item) {
        TRY(ddb_item_encode(w->txn->arena, item, size, &raw));
        struct str stored = raw;
        TRY(ddb_record_seal(&w->cipher, w->txn->arena, w->record_key, &stored));
        TRY(txn_put(w->txn, w->record_key, stored));
    } else {
        TRY(txn_del(w->txn, w->record_key));
    }
    if (w->table->stream)
        TRY(ddb_stream_note(w, item, raw));
    if (w->table->undo)
        TRY(ddb_undo_note(w, raw));
    struct written *done = ARENA_NEW(w->txn->arena, struct written);
    if (!done)
        return ERR_NOMEM;
    *done = (struct written){
        .table = w->table,
        .units = w->units,
        .free = w->expired,
        .transact = w->transact,
        .shard = ddb_stream_shard(ddb_key_spread(w->key), DDB_STREAM_SHARDS),
    };
    return txn_on_commit(w->txn, count_write, done);
}
