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
 *
 * Times of records are not quite in the order of commits, since transactions overlap: `find` reads
 * LATE_MS beyond the first record that is early enough. A wall clock that is set back makes a time
 * ambiguous; the state is a whole prefix then, too.
 *
 * Layer: svc/dynamodb. Thread: steps run on the home loop. */
#include <assert.h>

#include "base/record.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_transfer.h"

enum {
    STEP_BYTES_MAX = 4 * 1024 * 1024, /* copied by one step: a commit's worth */
    LATE_MS = 10 * 60 * 1000,         /* longer than any transaction is open */
};

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
    struct job_budget *budget;
    struct ddb_copy c;
    struct place p;
    struct ddb_cipher source, target;
    struct ddb_table *table; /* the restored one; NULL: of a backup */
    struct ddb_backup backup;
    struct ddb_transfer transfer; /* the export */
    size_t bytes;
    bool more; /* the budget is spent before the phase's range */
};

/* ERR_CLOSED when the step has done enough. */
static enum err spend(struct copying *g, size_t bytes, size_t keys)
{
    g->bytes += bytes;
    job_spend(g->budget, keys);
    g->more = job_spent(g->budget) || g->bytes >= STEP_BYTES_MAX;
    return g->more ? ERR_CLOSED : ERR_OK;
}

static enum err next_phase(struct copying *g, enum phase phase)
{
    g->p.phase = phase;
    g->p.at = STR_NONE;
    return ERR_OK;
}

/* The place in the log before all records of this commit. */
static struct str log_at(const struct copying *g, uint64_t commit)
{
    return key_make(g->txn->arena, &ddb_k_undo, g->c.source, commit, (uint16_t)0);
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
    g->p.at = key_successor(g->txn->arena, key);
    return str_is_set(g->p.at) ? spend(g, raw.len, 1) : ERR_NOMEM;
}

static enum err copy(struct copying *g)
{
    struct key_range range = ddb_scan_range(g->txn->arena, g->c.source, 0, 0, 1);
    if (str_is_set(range.from) && str_is_set(g->p.at))
        range.from = g->p.at;
    TRY(txn_each(g->txn, range, copy_one, g));
    if (g->more)
        return ERR_OK;
    if (!g->c.undone)
        return next_phase(g, VISIT);
    g->p.until = kv_last_seq(g->txn->core->kv);
    g->p.from = log_at(g, g->p.since + 1);
    return next_phase(g, g->c.moment_ms == DDB_MOMENT_NOW ? UNDO : FIND);
}

struct search {
    struct copying *g;
    bool done;
};

static enum err find_one(void *arg, struct str key, struct str value)
{
    struct search *s = arg;
    struct copying *g = s->g;
    struct ddb_undo undo;
    TRY(ddb_undo_read(key, value, &undo));
    g->p.at = str_dup(g->txn->arena, key);
    if (!str_is_set(g->p.at))
        return ERR_NOMEM;
    if (undo.wall_ms > g->c.moment_ms)
        g->p.from = g->p.at;
    s->done = undo.wall_ms < g->c.moment_ms - LATE_MS;
    return s->done ? ERR_CLOSED : spend(g, value.len, 1);
}

static enum err find(struct copying *g)
{
    struct search s = {g, false};
    struct key_range range = key_range(g->txn->arena, &ddb_k_undo, g->c.source);
    range.to = str_is_set(g->p.at) ? g->p.at : log_at(g, g->p.since + 1);
    TRY(str_is_set(range.to) ? ERR_OK : ERR_NOMEM);
    TRY(txn_each_reverse(g->txn, range, find_one, &s));
    return g->more && !s.done ? ERR_OK : next_phase(g, UNDO);
}

static enum err undo_one(void *arg, struct str key, struct str value)
{
    struct copying *g = arg;
    struct ddb_undo undo;
    TRY(ddb_undo_read(key, value, &undo));
    TRY(place_item(g, undo.tail, undo.before));
    g->p.at = str_dup(g->txn->arena, key);
    return str_is_set(g->p.at) ? spend(g, value.len, 1) : ERR_NOMEM;
}

static enum err undo(struct copying *g)
{
    struct key_range range = {g->p.from, g->p.at};
    if (!str_is_set(range.to))
        range.to = log_at(g, g->p.until + 1);
    if (!str_is_set(range.from) || !str_is_set(range.to))
        return ERR_NOMEM;
    if (str_cmp(range.from, range.to) < 0)
        TRY(txn_each_reverse(g->txn, range, undo_one, g));
    return g->more ? ERR_OK : next_phase(g, VISIT);
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
    g->p.at = key_successor(g->txn->arena, key);
    return str_is_set(g->p.at) ? spend(g, raw.len * keys, keys) : ERR_NOMEM;
}

static enum err visit(struct copying *g)
{
    struct key_range range = ddb_scan_range(g->txn->arena, g->c.target, 0, 0, 1);
    if (str_is_set(range.from) && str_is_set(g->p.at))
        range.from = g->p.at;
    if (g->table && g->table->n_indexes == 0)
        return next_phase(g, DONE);
    TRY(txn_each(g->txn, range, visit_one, g));
    return g->more ? ERR_OK : next_phase(g, DONE);
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
        TRY(ddb_transfer_end(g->txn, &g->transfer, STR("KMSKeyInaccessible"),
                             STR("The table's key of KMS cannot be used any more")));
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
    if (str_is_set(g->c.data_key))
        TRY(ddb_cipher_load(&diag, g->txn, g->c.source_arn, g->c.kms_arn, g->c.data_key,
                            &g->source));
    g->target = g->source; /* a backup keeps the key that its table had */
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
    struct copying g = {.ddb = self, .txn = txn, .budget = budget};
    *ret_state = JOB_MORE;
    TRY(record_unpack(&copy_type, txn->arena, job->argument, &g.c));
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
