/* What changed in a window of time: what an incremental export is made of, out of what writes undid (ddb_undo.c).
 *
 *   begin -> find -> mark -> read -> mend -> prune -> the export's files (ddb_export.c)
 *
 *   dynamodb.window   key: ddb_k_transfer of the export; argument: none; cursor: record (struct place)
 *   change            ddb_k_window: an entry (struct ddb_window_change), the item at the window's begin and at its end, as stored
 *
 *   begin   notes the newest commit, S. The request changed the table's generation, so that no write is committed
 *           behind it that is of before (DB1): S is behind all that are of the window.
 *   find    looks for the records where the window begins and ends, from S back: the first ones, in the order of
 *           commits, that are not earlier than its times. So windows that meet share no write and lose none.
 *   mark    goes on from there: an item's first record in the window says what it was before, its first one behind
 *           the window what it was at the end. That of others is what is there now:
 *   read    copies it, in steps, each of which may see another state of the table;
 *   mend    undoes what was written behind S before it was read, by the first record behind S of each such item.
 *   prune   forgets what came and went within the window, and counts the rest.
 *
 * Invariants
 *   DI1  The images are those of two prefixes of the table's commits, with transactions whole, and what is listed is
 *        what the commits between them changed.
 *   DI2  A step's writes and its place are one commit (JB2).
 *   DI3  The table is held until the end (DB3), whatever becomes of it.
 *
 * Layer: svc/dynamodb. Thread: steps run on the home loop. */
#include "base/record.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_transfer.h"

enum {
    BILLED_MIN = 10 * 1000 * 1000, /* AWS's smallest */
};

/* Stored: never renumber. */
enum phase { BEGIN, FIND, MARK, READ, MEND, PRUNE, DONE, PHASES };

struct place {
    enum phase phase;
    uint64_t since;  /* S */
    uint64_t until;  /* the newest commit that `read` may have seen a part of */
    struct str at;   /* key to go on at, or before which, where the phase reads back; absent: all */
    struct str from; /* of the log: where the window begins; absent: no write is in it */
    struct str to;   /* and where it ends */
    int64_t count, bytes;
};

static const struct record_field place_fields[] = {
    REC_ENUM(struct place, phase, PHASES), REC_UINT(struct place, since),
    REC_UINT(struct place, until),         REC_STR(struct place, at),
    REC_STR(struct place, from),           REC_STR(struct place, to),
    REC_INT(struct place, count),          REC_INT(struct place, bytes),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

struct windowing {
    struct dynamodb *ddb;
    struct txn *txn;
    struct ddb_walk walk;
    struct ddb_transfer t;
    struct place p;
};

static enum err next_phase(struct windowing *g, enum phase phase)
{
    g->p.phase = phase;
    g->p.at = STR_NONE;
    return ERR_OK;
}

static enum err each_record(struct windowing *g, struct str from, struct str to,
                            enum err (*fn)(void *arg, struct str key, struct str value))
{
    struct key_range range = {str_is_set(g->p.at) ? g->p.at : from, to};
    if (!str_is_set(range.from) || !str_is_set(to))
        return ERR_NOMEM;
    return str_cmp(range.from, to) < 0 ? txn_each(g->txn, range, fn, g) : ERR_OK;
}

/* --- changes ------------------------------------------------------------------------------------ */

static struct str part_key(const struct windowing *g, enum ddb_window_part part, struct str tail)
{
    return ddb_window_key(g->txn->arena, g->t.items, part, tail);
}

static enum err entry_find(struct windowing *g, struct str tail, struct ddb_window_change *ret)
{
    struct str value;
    TRY(txn_peek(g->txn, part_key(g, DDB_WINDOW_ENTRY, tail), &value));
    return ddb_window_read(g->txn->arena, value, ret);
}

static enum err entry_put(struct windowing *g, struct str tail, struct ddb_window_change e)
{
    struct str value;
    TRY(ddb_window_make(g->txn->arena, &e, &value));
    return txn_put(g->txn, part_key(g, DDB_WINDOW_ENTRY, tail), value);
}

/* What the item is at the window's end; `raw` absent: there is none. */
static enum err set_new(struct windowing *g, struct str tail, struct str raw,
                        struct ddb_window_change e)
{
    struct str key = part_key(g, DDB_WINDOW_NEW, tail);
    TRY(str_is_set(raw) ? txn_put(g->txn, key, raw) : txn_del(g->txn, key));
    return entry_put(g, tail, e);
}

/* --- phases ------------------------------------------------------------------------------------- */

static enum err find(struct windowing *g)
{
    struct ddb_mark marks[] = {{g->t.from_ms, g->p.from}, {g->t.moment_ms, g->p.to}};
    bool done;
    TRY(ddb_walk_find(&g->walk, g->p.since, marks, ARRAY_LEN(marks), &done));
    g->p.from = marks[0].at;
    g->p.to = marks[1].at;
    if (!done)
        return ERR_OK;
    if (!str_is_set(g->p.to))
        g->p.to = ddb_walk_log(&g->walk, g->p.since + 1);
    TRY(str_is_set(g->p.to) ? ERR_OK : ERR_NOMEM);
    return next_phase(g, str_is_set(g->p.from) ? MARK : PRUNE);
}

static enum err mark_inside(struct windowing *g, const struct ddb_undo *undo,
                            struct ddb_window_change e, bool is_new)
{
    if (is_new && str_is_set(undo->before))
        TRY(txn_put(g->txn, part_key(g, DDB_WINDOW_OLD, undo->tail), undo->before));
    e.wall_ms = undo->wall_ms;
    return entry_put(g, undo->tail, e);
}

static enum err mark_one(void *arg, struct str key, struct str value)
{
    struct windowing *g = arg;
    struct ddb_undo undo;
    struct ddb_window_change e = {.state = DDB_CHANGE_OPEN};
    TRY(ddb_undo_read(key, value, &undo));
    enum err err = entry_find(g, undo.tail, &e);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (str_cmp(key, g->p.to) < 0) {
        TRY(mark_inside(g, &undo, e, err == ERR_NOT_FOUND));
    } else if (err == ERR_OK && e.state == DDB_CHANGE_OPEN) {
        e.state = DDB_CHANGE_KNOWN;
        TRY(set_new(g, undo.tail, undo.before, e));
    }
    TRY(ddb_walk_behind(&g->walk, key));
    return ddb_walk_spend(&g->walk, value.len, 1);
}

static enum err mark(struct windowing *g)
{
    TRY(each_record(g, g->p.from, ddb_walk_log(&g->walk, g->p.since + 1), mark_one));
    return g->walk.more ? ERR_OK : next_phase(g, READ);
}

static enum err read_one(void *arg, struct str key, struct str value)
{
    struct windowing *g = arg;
    struct arena *a = g->txn->arena;
    struct str tail, raw;
    struct ddb_window_change e;
    TRY(ddb_window_read(a, value, &e));
    TRY(key_read(&ddb_k_window, key, a, KEY_SKIP, KEY_SKIP, &tail));
    TRY(ddb_walk_behind(&g->walk, key));
    if (e.state != DDB_CHANGE_OPEN)
        return ddb_walk_spend(&g->walk, value.len, 1);
    enum err err = txn_peek(g->txn, ddb_key_under(a, g->t.source, tail), &raw);
    if (err && err != ERR_NOT_FOUND)
        return err;
    e.state = DDB_CHANGE_READ;
    TRY(set_new(g, tail, err ? STR_NONE : raw, e));
    return ddb_walk_spend(&g->walk, err ? 0 : raw.len, 1);
}

/* Calls fn with the changes from the phase's place on. */
static enum err each_change(struct windowing *g,
                            enum err (*fn)(void *arg, struct str key, struct str value))
{
    struct key_range range = ddb_window_range(g->txn->arena, g->t.items);
    if (str_is_set(range.from) && str_is_set(g->p.at))
        range.from = g->p.at;
    return txn_each(g->txn, range, fn, g);
}

static enum err read_items(struct windowing *g)
{
    TRY(each_change(g, read_one));
    if (g->walk.more)
        return ERR_OK;
    g->p.until = kv_last_seq(g->txn->core->kv);
    return next_phase(g, MEND);
}

static enum err mend_one(void *arg, struct str key, struct str value)
{
    struct windowing *g = arg;
    struct ddb_undo undo;
    struct ddb_window_change e;
    TRY(ddb_undo_read(key, value, &undo));
    enum err err = entry_find(g, undo.tail, &e);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_OK && e.state == DDB_CHANGE_READ) {
        e.state = DDB_CHANGE_KNOWN;
        TRY(set_new(g, undo.tail, undo.before, e));
    }
    TRY(ddb_walk_behind(&g->walk, key));
    return ddb_walk_spend(&g->walk, value.len, 1);
}

static enum err mend(struct windowing *g)
{
    TRY(each_record(g, ddb_walk_log(&g->walk, g->p.since + 1),
                    ddb_walk_log(&g->walk, g->p.until + 1), mend_one));
    return g->walk.more ? ERR_OK : next_phase(g, PRUNE);
}

/* Adds what an image counts for; *ret_there: there is one. */
static enum err weigh(struct windowing *g, enum ddb_window_part part, struct str tail,
                      bool *ret_there)
{
    struct str raw;
    size_t size = 0;
    enum err err = txn_peek(g->txn, part_key(g, part, tail), &raw);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *ret_there = err == ERR_OK;
    if (*ret_there)
        TRY(ddb_item_raw_size(raw, &size));
    g->p.bytes += (int64_t)size;
    g->walk.bytes += size;
    return ERR_OK;
}

static enum err prune_one(void *arg, struct str key, struct str value)
{
    struct windowing *g = arg;
    struct str tail;
    bool was, is;
    TRY(key_read(&ddb_k_window, key, g->txn->arena, KEY_SKIP, KEY_SKIP, &tail));
    TRY(weigh(g, DDB_WINDOW_OLD, tail, &was));
    TRY(weigh(g, DDB_WINDOW_NEW, tail, &is));
    if (was || is)
        g->p.count++;
    else
        TRY(txn_del(g->txn, key));
    TRY(ddb_walk_behind(&g->walk, key));
    return ddb_walk_spend(&g->walk, value.len, 1);
}

static enum err prune(struct windowing *g)
{
    TRY(each_change(g, prune_one));
    return g->walk.more ? ERR_OK : next_phase(g, DONE);
}

/* --- steps -------------------------------------------------------------------------------------- */

static enum err begin(struct windowing *g)
{
    g->p.since = kv_last_seq(g->txn->core->kv); /* the next step sees all that until then was */
    return next_phase(g, FIND);
}

static enum err finish(struct windowing *g)
{
    g->t.count = g->p.count;
    g->t.bytes = max_i64(g->p.bytes, BILLED_MIN);
    if (!str_is_set(g->t.data_key)) /* images may be sealed with what the table got since */
        TRY(ddb_hold_key(g->txn, g->t.source, &g->t.kms_arn, &g->t.data_key));
    TRY(ddb_export_begin(g->ddb, g->txn, &g->t));
    return ddb_hold_drop(g->ddb, g->txn, g->t.source, g->t.source_key);
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    static enum err (*const phases[PHASES])(struct windowing *) = {
        [BEGIN] = begin,     [FIND] = find, [MARK] = mark,
        [READ] = read_items, [MEND] = mend, [PRUNE] = prune};
    struct windowing g = {.ddb = self, .txn = txn, .walk = {.txn = txn, .budget = budget}};
    TRY(ddb_transfer_get(txn, job->key, &g.t));
    g.walk.table = g.t.source;
    g.walk.at = &g.p.at;
    if (!str_empty(job->cursor))
        TRY(record_unpack(&place_type, txn->arena, job->cursor, &g.p));
    *ret_state = JOB_MORE;
    TRY(phases[g.p.phase](&g));
    if (g.p.phase == DONE) {
        *ret_state = JOB_DONE;
        return finish(&g);
    }
    return record_make(&place_type, txn->arena, &g.p, &job->cursor);
}

enum err ddb_window_begin(struct call *call, struct ddb_table *table, struct ddb_transfer *t)
{
    struct dynamodb *ddb = call->svc;
    TRY(ddb_next_id(call->txn, DDB_ID_TABLE, &t->items));
    t->source = table->id;
    t->source_key = table->object.key;
    t->hash = table->key.hash;
    t->range = table->key.range;
    TRY(ddb_hold_for(call, table->id, table));
    TRY(ddb_transfer_put(call->txn, t));
    return job_add(call->txn, ddb->window, t->key, STR(""));
}

enum err ddb_window_register(struct dynamodb *ddb)
{
    const struct job_def windows = {
        .name = "dynamodb.window", .self = ddb, .step = step, .at_once = 2};
    return job_register(deliver_due(ddb->core->deliver), &windows, &ddb->window);
}
