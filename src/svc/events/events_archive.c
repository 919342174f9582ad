/* Archives: events kept with the commit that accepted them, counted by loop, swept when they are too
 * old or their archive is gone.
 *
 * Layer: svc/events. Thread: the transaction's; the sweep on the home loop. */
#include <assert.h>

#include "base/rng.h"
#include "deliver/job.h"
#include "svc/events/events_int.h"

/* --- counting ----------------------------------------------------------------------------------- */

static enum err count(struct txn *txn, uint64_t id, int64_t events, int64_t bytes)
{
    struct events_count_rec c = {0};
    struct str record;
    uint64_t loop = txn->loop ? (uint64_t)io_loop_index(txn->loop) : 0;
    struct str key = key_make(txn->arena, &events_k_count, id, loop);
    enum err err = txn_get(txn, key, &record);
    if (err == ERR_OK)
        err = record_unpack(&events_count_type, txn->arena, record, &c);
    if (err != ERR_NOT_FOUND)
        TRY(err);
    c.events += events;
    c.bytes += bytes;
    TRY(record_make(&events_count_type, txn->arena, &c, &record));
    return txn_put(txn, key, record);
}

struct sum {
    struct arena *arena;
    struct events_count_rec *to;
};

static enum err add_up(void *arg, struct str key, struct str record)
{
    struct sum *s = arg;
    struct events_count_rec c;
    TRY(record_unpack(&events_count_type, s->arena, record, &c));
    s->to->events += c.events;
    s->to->bytes += c.bytes;
    return ERR_OK;
}

enum err events_archive_sum(struct txn *txn, uint64_t id, struct events_count_rec *ret)
{
    *ret = (struct events_count_rec){0};
    struct sum s = {txn->arena, ret};
    return txn_each(txn, key_range(txn->arena, &events_k_count, id), add_up, &s);
}

/* --- keeping ------------------------------------------------------------------------------------ */

enum err events_archive_event(struct txn *txn, const struct events_archive_rec *archive,
                              const struct events_event *e)
{
    assert(!e->replay); /* EV4 */
    TRY(txn_put(txn, key_make(txn->arena, &events_k_archived, archive->id, e->time_ms, rng_u64()),
                e->text));
    return count(txn, archive->id, 1, (int64_t)e->text.len);
}

/* --- sweeping ----------------------------------------------------------------------------------- */

struct sweep {
    struct txn *txn;
    struct job_budget *budget;
    int64_t events, bytes;
    bool more;
};

static enum err remove_one(void *arg, struct str key, struct str text)
{
    struct sweep *s = arg;
    if (job_spent(s->budget)) {
        s->more = true;
        return ERR_CLOSED;
    }
    job_spend(s->budget, 1);
    s->events++;
    s->bytes += (int64_t)text.len;
    return txn_del(s->txn, str_dup(s->txn->arena, key));
}

/* Events of an archive before `cutoff_ms`, as many as the budget allows. */
static enum err remove_before(struct txn *txn, uint64_t id, int64_t cutoff_ms,
                              struct job_budget *budget, bool *ret_more)
{
    struct sweep s = {.txn = txn, .budget = budget};
    const struct key_range range = {
        key_prefix(txn->arena, &events_k_archived, id),
        key_make(txn->arena, &events_k_archived, id, cutoff_ms, (uint64_t)0),
    };
    TRY(txn_each(txn, range, remove_one, &s));
    *ret_more = s.more;
    return s.events ? count(txn, id, -s.events, -s.bytes) : ERR_OK;
}

static enum err sweep_dead(struct txn *txn, struct job_budget *budget, bool *ret_more)
{
    struct str key, value;
    uint64_t id;
    *ret_more = false;
    struct key_range range = key_range_table(txn->arena, &events_k_dead_archive);
    enum err err = job_first_pair(txn, range.from, range.to, &key, &value);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(key_read(&events_k_dead_archive, key, txn->arena, &id));
    TRY(remove_before(txn, id, INT64_MAX, budget, ret_more));
    if (*ret_more)
        return ERR_OK;
    struct key_range counts = key_range(txn->arena, &events_k_count, id);
    TRY(job_remove_range(txn, &counts.from, counts.to, budget, ret_more));
    *ret_more = true; /* another archive may be waiting */
    return txn_del(txn, key);
}

/* The next archive after the cursor, a key. */
static enum err sweep_old(struct events *ev, struct txn *txn, struct job *job,
                          struct job_budget *budget, bool *ret_more)
{
    struct catalogue_page page;
    struct str all = key_range_table(txn->arena, &events_k_archive).from;
    struct str after = job->cursor.len > 0 ? job->cursor : STR_NONE;
    *ret_more = false;
    if (!str_is_set(all))
        return ERR_NOMEM;
    TRY(catalogue_list(ev->archives, txn, all, after, 1, &page));
    if (page.n == 0) {
        job->cursor = STR("");
        return ERR_OK;
    }
    const struct events_archive_rec *r = page.objects[0];
    bool more = false;
    if (r->retention_days > 0)
        TRY(remove_before(txn, r->id, txn->wall_ms - r->retention_days * EVENTS_DAY_MS, budget,
                          &more));
    if (!more)
        job->cursor = r->object.key;
    *ret_more = true;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    bool more = true;
    while (more && !job_spent(budget)) {
        TRY(sweep_dead(txn, budget, &more));
        if (!more)
            TRY(sweep_old(self, txn, job, budget, &more));
        job_spend(budget, 1);
    }
    *ret_state = more ? JOB_MORE : JOB_DONE;
    return ERR_OK;
}

void events_sweep_soon(void *arg)
{
    struct events *ev = arg;
    job_kick(ev->sweep);
}

enum err events_sweep_register(struct events *ev)
{
    const struct job_def def = {
        .name = "events.sweep",
        .self = ev,
        .step = step,
        .at_once = 1,
        .singleton = true,
        .every_ms = EVENTS_SWEEP_PAUSE_MS,
    };
    return job_register(deliver_due(ev->core->deliver), &def, &ev->sweep);
}
