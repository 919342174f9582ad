/* Backups: a definition and items of their own, which lie under a table id that no table has.
 *
 *   CREATING --ddb_copy.c--> AVAILABLE --DeleteBackup, a system backup's time--> gone
 *   DeleteTable with recovery on: AVAILABLE at once: the backup takes over the table's id with its items
 *
 *   backup            record (struct ddb_backup: what stored_fields names)
 *   dynamodb.backup   due key: the record's key; when a system backup expires
 *
 * So a backup stays whole whatever becomes of the table, restoring it reads nothing else, and a table
 * costs nothing more for having backups.
 *
 * Layer: svc/dynamodb. Thread: the transaction's; firings run on the home loop. */
#include <assert.h>

#include "base/arn.h"
#include "base/record.h"
#include "base/rng.h"
#include "deliver/deliver.h"
#include "deliver/due.h"
#include "svc/dynamodb/ddb_backup.h"

enum { EXPIRY_AGAIN_MS = 3600 * 1000 /* while it is being restored */ };

static const struct record_field stored_fields[] = {
    REC_STR(struct ddb_backup, name),       REC_UINT(struct ddb_backup, items),
    REC_BOOL(struct ddb_backup, system),    REC_BOOL(struct ddb_backup, ready),
    REC_INT(struct ddb_backup, created_ms), REC_INT(struct ddb_backup, expires_ms),
    REC_INT(struct ddb_backup, count),      REC_INT(struct ddb_backup, bytes),
    REC_STR(struct ddb_backup, definition),
};
static const struct record_type stored_type = RECORD_TYPE(struct ddb_backup, 1, stored_fields);

static enum err finish(struct arena *a, struct str table_arn, struct ddb_backup *b)
{
    b->arn = str_fmt(a, STR_FMT "/backup/" STR_FMT, STR_ARG(table_arn), STR_ARG(b->id));
    return str_is_set(b->arn) && str_is_set(b->id) && str_is_set(b->key) ? ERR_OK : ERR_NOMEM;
}

enum err ddb_backup_make(struct txn *txn, const struct ddb_table *table, struct ddb_backup *ret)
{
    struct arena *a = txn->arena;
    struct key_scope scope;
    *ret = (struct ddb_backup){.created_ms = txn->wall_ms, .table = (struct ddb_table *)table};
    ret->id = str_fmt(a, "%014lld-%08x", (long long)txn->wall_ms, (unsigned)rng_u64());
    TRY(key_read(&ddb_k_table, table->object.key, a, &scope, KEY_SKIP));
    ret->key = key_make(a, &ddb_k_backup, scope, table->name, ret->id);
    TRY(ddb_table_pack(a, table, &ret->definition));
    return finish(a, table->arn, ret);
}

enum err ddb_backup_put(struct txn *txn, const struct ddb_backup *backup)
{
    struct str record;
    assert(backup->items > 0);
    TRY(record_make(&stored_type, txn->arena, backup, &record));
    return txn_put(txn, backup->key, record);
}

enum err ddb_backup_from(struct arena *a, struct str key, struct str value, struct ddb_backup *ret)
{
    struct str name;
    struct key_scope scope;
    TRY(record_unpack_copy(&stored_type, a, value, ret));
    TRY(key_read(&ddb_k_backup, key, a, &scope, &name, &ret->id));
    ret->key = str_dup(a, key);
    ret->table = ARENA_NEW(a, struct ddb_table);
    if (!ret->table)
        return ERR_NOMEM;
    TRY(ddb_table_unpack(a, ret->definition, ret->table));
    ret->table->name = name;
    ret->table->region = scope.region;
    return finish(a, ret->table->arn, ret);
}

enum err ddb_backup_get(struct txn *txn, struct str key, struct ddb_backup *ret)
{
    struct str value;
    TRY(txn_get(txn, key, &value));
    return ddb_backup_from(txn->arena, key, value, ret);
}

struct str ddb_backup_key(struct arena *a, struct key_scope scope, struct str text)
{
    struct arn arn;
    if (arn_parse_as(text, "dynamodb", "table", &arn) != ERR_OK ||
        !str_eq_c(arn_segment(&arn, 2), "backup") || !str_is_set(arn_segment(&arn, 3)) ||
        !str_eq(arn.account, scope.account) || !str_eq(arn.region, scope.region))
        return STR_NONE;
    return key_make(a, &ddb_k_backup, scope, arn_segment(&arn, 1), arn_tail(&arn, 3));
}

enum err ddb_backup_drop(struct dynamodb *ddb, struct txn *txn, const struct ddb_backup *backup)
{
    TRY(txn_del(txn, backup->key));
    if (backup->system)
        TRY(due_clear(txn, ddb->backups, backup->key));
    return ddb_stage_sweep(ddb, txn, backup->items, 0);
}

/* --- what a deleted table leaves -------------------------------------------------------------- */

static enum err keep_system(struct call *call, struct ddb_table *table)
{
    struct dynamodb *ddb = call->svc;
    struct txn *txn = call->txn;
    struct ddb_backup b;
    TRY(ddb_backup_make(txn, table, &b));
    b.name = str_fmt(txn->arena, STR_FMT "$DeletedTableBackup", STR_ARG(table->name));
    if (!str_is_set(b.name))
        return ERR_NOMEM;
    const int64_t life_ms = (int64_t)DDB_SYSTEM_BACKUP_DAYS * DDB_DAY_MS;
    b.items = table->id;
    b.system = b.ready = true;
    b.expires_ms = txn->wall_ms + life_ms;
    b.count = atomic_load(&table->figures->items);
    b.bytes = atomic_load(&table->figures->bytes);
    TRY(ddb_backup_put(txn, &b));
    TRY(due_set(txn, ddb->backups, b.key, txn->now_ms + life_ms, STR("")));
    return ddb_stage_sweep_indexes(ddb, txn, table->id);
}

enum err ddb_let_go(struct call *call, struct ddb_table *table)
{
    struct dynamodb *ddb = call->svc;
    if (table->pitr)
        TRY(keep_system(call, table));
    else
        TRY(ddb_hold_orphan(ddb, call->txn, table->id));
    return table->undo ? ddb_undo_trim(ddb, call->txn, table->id, table->object.key) : ERR_OK;
}

static enum err expire(void *self, struct txn *txn, struct due_fire *f)
{
    struct ddb_backup b;
    uint64_t copies;
    enum err err = ddb_backup_get(txn, f->key, &b);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(ddb_hold_count(txn, b.items, &copies));
    if (copies) {
        f->next = DUE_MOVE;
        f->next_ms = txn->now_ms + EXPIRY_AGAIN_MS;
        return ERR_OK;
    }
    TRY(txn_del(txn, b.key));
    return ddb_stage_sweep(self, txn, b.items, 0);
}

enum err ddb_backup_register(struct dynamodb *ddb)
{
    const struct due_def expiries = {
        .name = "dynamodb.backup", .self = ddb, .fire = expire, .running_max = 1};
    return due_register(deliver_due(ddb->core->deliver), &expiries, &ddb->backups);
}
