/* Exact copies of a table's items at one moment, while writes to it go on: backups, restores and exports.
 *
 *   begin -> copy -> find -> undo -> visit -> done
 *
 *   dynamodb.copy   key: ddb_k_job of the target; argument: record (struct ddb_copy); cursor: record
 *                   (struct place)
 *
 *   begin   notes the newest commit, S. The moment is: after all commits but those behind S and, of a
 *           restore to a time, but the first record of the log that is later and all behind that.
 *   copy    copies what is there, in steps, each of which may see another state of the source.
 *   find    looks for that first later record, from the log's end back (T may be recent, the log long).
 *   undo    undoes in the copy, newest first, what was written behind the moment and before the copy
 *           was through. What was changed after an item was copied is undone to no effect; so the copy
 *           does not depend on which state which step saw.
 *   visit   fills a restored table's indexes, counts the items of others.
 *
 * Invariants
 *   DC1  The result is what a prefix of the source's commits left behind, with transactions whole. In
 *        it is every write that was answered before the moment (or the request, if that is later), and
 *        none that began after it.
 *   DC2  A step's writes and its place are one commit (JB2): a crash repeats nothing and leaves out
 *        nothing. Nobody else writes under the target's id meanwhile.
 *   DC3  The source is held until the end (DB3), also when the copy fails.
 *   DC4  The copy is sealed as the source was when it was asked for. The source may get its first key meanwhile, which
 *        its hold tells then.
 *
 * Layer: svc/dynamodb. Thread: steps run on the home loop. */
#include <assert.h>

#include "base/record.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_transfer.h"

static const struct record_field copy_fields[] = {
    REC_ENUM(struct ddb_copy, kind, DDB_COPY_KINDS),
    REC_UINT(struct ddb_copy, source),
    REC_UINT(struct ddb_copy, target),
    REC_BOOL(struct ddb_copy, undone),
    REC_INT(struct ddb_copy, moment_ms),
    REC_STR(struct ddb_copy, source_key),
    REC_STR(struct ddb_copy, source_arn),
    REC_STR(struct ddb_copy, kms_arn),
    REC_STR(struct ddb_copy, data_key),
    REC_STR(struct ddb_copy, target_key),
};
static const struct record_type copy_type = RECORD_TYPE(struct ddb_copy, 1, copy_fields);

/* Stored: never renumber. */
enum phase { BEGIN, COPY, FIND, UNDO, VISIT, DONE, PHASES };

struct place {
    enum phase phase;
    uint64_t since;  /* S */
    uint64_t until;  /* the newest commit that `copy` may have seen a part of */
    struct str at;   /* key to go on at, or before which, where the phase reads back; absent: all */
    struct str from; /* of the log: the first record that is undone */
    int64_t count, bytes;
};

static const struct record_field place_fields[] = {
    REC_ENUM(struct place, phase, PHASES), REC_UINT(struct place, since),
    REC_UINT(struct place, until),         REC_STR(struct place, at),
    REC_STR(struct place, from),           REC_INT(struct place, count),
    REC_INT(struct place, bytes),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

struct copying {
    struct dynamodb *ddb;
    struct txn *txn;
    struct ddb_walk walk;
    struct ddb_copy c;
    struct place p;
    struct ddb_cipher source, target;
    struct ddb_table *table; /* the restored one; NULL: of a backup */
    struct ddb_backup backup;
    struct ddb_transfer transfer; /* the export */
};

static enum err next_phase(struct copying *g, enum phase phase)
{
    g->p.phase = phase;
    g->p.at = STR_NONE;
    return ERR_OK;
}

/* --- phases ----------------------------------------------------------------------------------- */

/* The target's item becomes what the source stored under that key; `raw` absent: none. */
static enum err place_item(struct copying *g, struct str tail, struct str raw)
{
    struct arena *a = g->txn->arena;
    struct str from = ddb_key_under(a, g->c.source, tail), to = ddb_key_under(a, g->c.target, tail);
    if (!str_is_set(raw))
        return txn_del(g->txn, to);
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    TRY(ddb_record_open(&g->source, a, from, &raw));
    TRY(ddb_record_seal(&g->target, a, to, &raw));
    return txn_put(g->txn, to, raw);
}

static enum err copy_one(void *arg, struct str key, struct str raw)
{
    struct copying *g = arg;
    TRY(place_item(g, ddb_key_tail(key), raw));
    TRY(ddb_walk_behind(&g->walk, key));
    return ddb_walk_spend(&g->walk, raw.len, 1);
}

static enum err copy(struct copying *g)
{
    struct key_range range = ddb_scan_range(g->txn->arena, g->c.source, 0, 0, 1);
    if (str_is_set(range.from) && str_is_set(g->p.at))
        range.from = g->p.at;
    TRY(txn_each(g->txn, range, copy_one, g));
    if (g->walk.more)
        return ERR_OK;
    if (!g->c.undone)
        return next_phase(g, VISIT);
    g->p.until = kv_last_seq(g->txn->core->kv);
    g->p.from = ddb_walk_log(&g->walk, g->p.since + 1);
    return next_phase(g, g->c.moment_ms == DDB_MOMENT_NOW ? UNDO : FIND);
}

static enum err find(struct copying *g)
{
    struct ddb_mark later = {g->c.moment_ms + 1, g->p.from};
    bool done;
    TRY(ddb_walk_find(&g->walk, g->p.since, &later, 1, &done));
    g->p.from = later.at;
    return done ? next_phase(g, UNDO) : ERR_OK;
}

static enum err undo_one(void *arg, struct str key, struct str value)
{
    struct copying *g = arg;
    struct ddb_undo undo;
    TRY(ddb_undo_read(key, value, &undo));
    TRY(place_item(g, undo.tail, undo.before));
    TRY(ddb_walk_before(&g->walk, key));
    return ddb_walk_spend(&g->walk, value.len, 1);
}

static enum err undo(struct copying *g)
{
    struct key_range range = {g->p.from, g->p.at};
    if (!str_is_set(range.to))
        range.to = ddb_walk_log(&g->walk, g->p.until + 1);
    if (!str_is_set(range.from) || !str_is_set(range.to))
        return ERR_NOMEM;
    if (str_cmp(range.from, range.to) < 0)
        TRY(txn_each_reverse(g->txn, range, undo_one, g));
    return g->walk.more ? ERR_OK : next_phase(g, VISIT);
}

static enum err visit_one(void *arg, struct str key, struct str raw)
{
    struct copying *g = arg;
    size_t size, keys = 1;
    TRY(ddb_item_raw_size(raw, &size));
    g->p.count++;
    g->p.bytes += (int64_t)size;
    for (size_t i = 0; g->table && i < g->table->n_indexes; i++, keys++)
        TRY(ddb_index_add(g->txn, g->table, &g->table->indexes[i], &g->target, key));
    TRY(ddb_walk_behind(&g->walk, key));
    return ddb_walk_spend(&g->walk, raw.len * keys, keys);
}

static enum err visit(struct copying *g)
{
    struct key_range range = ddb_scan_range(g->txn->arena, g->c.target, 0, 0, 1);
    if (str_is_set(range.from) && str_is_set(g->p.at))
        range.from = g->p.at;
    if (g->table && g->table->n_indexes == 0)
        return next_phase(g, DONE);
    TRY(txn_each(g->txn, range, visit_one, g));
    return g->walk.more ? ERR_OK : next_phase(g, DONE);
}

/* --- the end ---------------------------------------------------------------------------------- */

static enum err finish(struct copying *g)
{
    if (g->table) {
        g->table->restoring = false;
        g->table->generation++;
        TRY(ddb_stage_table(g->ddb, g->txn, g->table));
    } else if (g->c.kind == DDB_COPY_EXPORT) {
        g->transfer.count = g->p.count;
        g->transfer.bytes = g->p.bytes;
        TRY(ddb_export_begin(g->ddb, g->txn, &g->transfer));
    } else {
        g->backup.ready = true;
        g->backup.count = g->p.count;
        g->backup.bytes = g->p.bytes;
        TRY(ddb_backup_put(g->txn, &g->backup));
    }
    return ddb_hold_drop(g->ddb, g->txn, g->c.source, g->c.source_key);
}

/* Whose key of KMS cannot be used any more: there will be no copy. */
static enum err give_up(struct copying *g)
{
    if (g->table) {
        TRY(ddb_stage_drop(g->ddb, g->txn, g->table));
        TRY(ddb_stage_sweep(g->ddb, g->txn, g->c.target, 0));
    } else if (g->c.kind == DDB_COPY_EXPORT) {
        TRY(ddb_transfer_end(g->txn, &g->transfer, STR("KMSKeyInaccessible"), STR(DDB_KEY_GONE)));
        TRY(ddb_stage_sweep(g->ddb, g->txn, g->c.target, 0));
    } else {
        TRY(ddb_backup_drop(g->ddb, g->txn, &g->backup));
    }
    return ddb_hold_drop(g->ddb, g->txn, g->c.source, g->c.source_key);
}

/* --- steps ------------------------------------------------------------------------------------ */

static enum err open_ciphers(struct copying *g)
{
    struct ddb_diag diag = {.arena = g->txn->arena};
    struct str kms_arn = g->c.kms_arn, data_key = g->c.data_key;
    if (!str_is_set(data_key))
        TRY(ddb_hold_key(g->txn, g->c.source, &kms_arn, &data_key));
    if (str_is_set(data_key))
        TRY(ddb_cipher_load(&diag, g->txn, g->c.source_arn, kms_arn, data_key, &g->source));
    if (str_is_set(g->c.data_key)) /* DC4 */
        g->target = g->source;
    return g->table ? ddb_cipher_of(&diag, g->txn, g->table, &g->target) : ERR_OK;
}

/* The record of what is being made, which nobody else changes. */
static enum err open_target(struct copying *g)
{
    void *object;
    if (g->c.kind == DDB_COPY_EXPORT)
        return ddb_transfer_get(g->txn, g->c.target_key, &g->transfer);
    if (g->c.kind == DDB_COPY_BACKUP)
        return ddb_backup_get(g->txn, g->c.target_key, &g->backup);
    TRY(catalogue_read(g->ddb->tables, g->txn, g->c.target_key, &object));
    g->table = object;
    return g->table->id == g->c.target && g->table->restoring ? ERR_OK : ERR_CORRUPT;
}

static enum err advance(struct copying *g)
{
    switch (g->p.phase) {
    case BEGIN: /* the next step, and every write from here on, sees what S is */
        g->p.since = kv_last_seq(g->txn->core->kv);
        return next_phase(g, COPY);
    case COPY:
        return copy(g);
    case FIND:
        return find(g);
    case UNDO:
        return undo(g);
    default:
        return visit(g);
    }
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct copying g = {.ddb = self, .txn = txn, .walk = {.txn = txn, .budget = budget}};
    *ret_state = JOB_MORE;
    TRY(record_unpack(&copy_type, txn->arena, job->argument, &g.c));
    g.walk.table = g.c.source;
    g.walk.at = &g.p.at;
    if (!str_empty(job->cursor))
        TRY(record_unpack(&place_type, txn->arena, job->cursor, &g.p));
    TRY(open_target(&g));
    enum err err = open_ciphers(&g);
    if (err == ERR_DENIED) {
        *ret_state = JOB_DONE;
        return give_up(&g);
    }
    TRY(err);
    TRY(advance(&g));
    if (g.p.phase == DONE) {
        *ret_state = JOB_DONE;
        return finish(&g);
    }
    return record_make(&place_type, txn->arena, &g.p, &job->cursor);
}

enum err ddb_begin_copy(struct call *call, const struct ddb_copy *copy, struct ddb_table *held)
{
    struct dynamodb *ddb = call->svc;
    struct txn *txn = call->txn;
    struct str record, key = key_make(txn->arena, &ddb_k_job, copy->target, (uint16_t)0);
    assert(copy->source && copy->target && copy->source != copy->target);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(ddb_hold_for(call, copy->source, held));
    TRY(record_make(&copy_type, txn->arena, copy, &record));
    return job_add(txn, ddb->copy, key, record);
}

enum err ddb_copy_register(struct dynamodb *ddb)
{
    const struct job_def copies = {
        .name = "dynamodb.copy", .self = ddb, .step = step, .at_once = 2};
    return job_register(deliver_due(ddb->core->deliver), &copies, &ddb->copy);
}
