/* Background removal of events that can no longer be read: of deleted groups and streams, and
 * those that retention has expired. A singleton job (deliver/job.h): it runs at start, after
 * deletions, and every LOGS_SWEEP_PAUSE_MS.
 *
 *   groups -> streams -> expired (group by group, stream by stream) -> done
 *
 * Cursor: a record of struct place: keys to go on at. `from` is inside the range
 * that is being removed, and spares the next step the markers of what is gone (P6).
 *
 * Thread: the home loop, but for logs_sweep_soon. */
#include <assert.h>

#include "base/record.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/logs/logs_int.h"

enum phase { SWEEP_GROUPS, SWEEP_STREAMS, SWEEP_EXPIRED, SWEEP_DONE };

struct place {
    enum phase phase;
    struct str group, stream, from;
};

static const struct record_field place_fields[] = {
    REC_ENUM(struct place, phase, SWEEP_DONE + 1),
    REC_STR(struct place, group),
    REC_STR(struct place, stream),
    REC_STR(struct place, from),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

static enum err place_read(struct arena *a, struct str cursor, struct place *ret_at)
{
    *ret_at = (struct place){SWEEP_GROUPS, STR(""), STR(""), STR("")};
    return cursor.len == 0 ? ERR_OK : record_unpack(&place_type, a, cursor, ret_at);
}

/* What is left of a range from a key on that may be outside of it. */
static struct key_range rest_of(struct key_range range, struct str from)
{
    if (str_is_set(range.from) && str_cmp(from, range.from) > 0 && str_cmp(from, range.to) < 0)
        range.from = from;
    return range;
}

/* First pair of a range. ERR_NOT_FOUND. */
static enum err first_of(struct txn *txn, struct key_range range, struct str *ret_key,
                         struct str *ret_record)
{
    if (!str_is_set(range.from))
        return ERR_NOMEM;
    return job_first_pair(txn, range.from, range.to, ret_key, ret_record);
}

/* Removes what the budget allows of a range, from at->from on if that is inside. */
static enum err remove_some(struct txn *txn, struct place *at, struct key_range range,
                            struct job_budget *budget, bool *ret_more)
{
    range = rest_of(range, at->from);
    if (!str_is_set(range.from) || !str_is_set(range.to))
        return ERR_NOMEM;
    TRY(job_remove_range(txn, &range.from, range.to, budget, ret_more));
    assert(!*ret_more || range.from.len > 0);
    at->from = *ret_more ? range.from : STR("");
    return ERR_OK;
}

/* First id of a table of dead ones. ERR_NOT_FOUND when it is empty. */
static enum err first_dead(struct txn *txn, const struct key_layout *layout, uint64_t *ret_id)
{
    struct str key, value;
    TRY(first_of(txn, key_range_table(txn->arena, layout), &key, &value));
    return key_read(layout, key, txn->arena, ret_id);
}

struct group_drop {
    struct txn *txn;
    struct job_budget *budget;
    uint64_t group_id;
    struct str from; /* where to go on; absent: all streams are dropped */
};

static enum err drop_stream(void *arg, struct str key, struct str record)
{
    struct group_drop *d = arg;
    struct arena *a = d->txn->arena;
    struct logs_stream s;
    struct str name, behind = key_successor(a, key);
    if (!str_is_set(behind))
        return ERR_NOMEM;
    TRY(logs_parse_stream(a, record, &s));
    TRY(key_read(&logs_k_stream, key, a, KEY_SKIP, &name));
    TRY(logs_drop_stream(d->txn, d->group_id, name, &s));
    job_spend(d->budget, 1);
    if (!job_spent(d->budget))
        return ERR_OK;
    d->from = behind;
    return ERR_CLOSED;
}

static enum err drop_key(void *arg, struct str key, struct str record)
{
    struct group_drop *d = arg;
    return txn_del(d->txn, str_dup(d->txn->arena, key));
}

/* What is left of a dead group without streams: its data keys, as many as it was given KMS keys, and its
 * filters. */
static enum err drop_group(struct group_drop *d)
{
    struct arena *a = d->txn->arena;
    TRY(txn_each(d->txn, key_range(a, &logs_k_data_key, d->group_id), drop_key, d));
    TRY(txn_each(d->txn, key_range(a, &logs_k_metric, d->group_id), drop_key, d));
    TRY(txn_each(d->txn, key_range(a, &logs_k_sub, d->group_id), drop_key, d));
    return txn_del(d->txn, key_make(a, &logs_k_dead_group, d->group_id));
}

/* A dead group's streams become dead streams, then the group's own mark goes. */
static enum err sweep_group(struct txn *txn, struct place *at, struct job_budget *budget)
{
    struct group_drop d = {.txn = txn, .budget = budget};
    enum err err = first_dead(txn, &logs_k_dead_group, &d.group_id);
    if (err == ERR_NOT_FOUND) {
        at->phase = SWEEP_STREAMS;
        return ERR_OK;
    }
    TRY(err);
    struct key_range streams = key_range(txn->arena, &logs_k_stream, d.group_id);
    TRY(txn_each(txn, rest_of(streams, at->from), drop_stream, &d));
    job_spend(budget, 1);
    assert(!str_is_set(d.from) || job_spent(budget));
    at->from = str_is_set(d.from) ? d.from : STR("");
    return str_is_set(d.from) ? ERR_OK : drop_group(&d);
}

static enum err sweep_stream(struct txn *txn, struct place *at, struct job_budget *budget)
{
    uint64_t id = 0;
    enum err err = first_dead(txn, &logs_k_dead_stream, &id);
    if (err == ERR_NOT_FOUND) {
        at->phase = SWEEP_EXPIRED;
        return ERR_OK;
    }
    TRY(err);
    bool more;
    TRY(remove_some(txn, at, key_range(txn->arena, &logs_k_event, id), budget, &more));
    job_spend(budget, 1);
    return more ? ERR_OK : txn_del(txn, key_make(txn->arena, &logs_k_dead_stream, id));
}

/* What retention expired of one stream. */
static enum err expire_stream(struct txn *txn, struct place *at, struct str record, int64_t cutoff,
                              struct job_budget *budget, bool *ret_more)
{
    struct logs_stream s;
    TRY(logs_parse_stream(txn->arena, record, &s));
    *ret_more = false;
    if (!s.last_ms || s.first_ms >= cutoff)
        return ERR_OK;
    struct key_range expired = {key_prefix(txn->arena, &logs_k_event, s.id),
                                key_make(txn->arena, &logs_k_event, s.id, cutoff, (uint64_t)0)};
    return remove_some(txn, at, expired, budget, ret_more);
}

/* The next stream of the next group that has retention. */
static enum err sweep_expired(struct txn *txn, struct place *at, struct job_budget *budget)
{
    struct str group_key, stream_key, record;
    struct logs_group g;
    bool more;
    job_spend(budget, 1);
    struct key_range groups = key_range_table(txn->arena, &logs_k_group);
    enum err err = first_of(txn, rest_of(groups, at->group), &group_key, &record);
    if (err == ERR_NOT_FOUND) {
        at->phase = SWEEP_DONE;
        return ERR_OK;
    }
    TRY(err);
    TRY(logs_parse_group(txn->arena, record, &g));
    at->group = group_key;
    int64_t cutoff = logs_cutoff(&g, txn->wall_ms);
    err = ERR_NOT_FOUND;
    if (cutoff != INT64_MIN)
        err = first_of(txn, rest_of(key_range(txn->arena, &logs_k_stream, g.id), at->stream),
                       &stream_key, &record);
    if (err == ERR_NOT_FOUND) { /* none left: the next group */
        at->group = key_successor(txn->arena, group_key);
        at->stream = STR("");
        return str_is_set(at->group) ? ERR_OK : ERR_NOMEM;
    }
    TRY(err);
    TRY(expire_stream(txn, at, record, cutoff, budget, &more));
    at->stream = more ? stream_key : key_successor(txn->arena, stream_key);
    return str_is_set(at->stream) ? ERR_OK : ERR_NOMEM;
}

static enum err sweep_some(struct txn *txn, struct place *at, struct job_budget *budget)
{
    switch (at->phase) {
    case SWEEP_GROUPS:
        return sweep_group(txn, at, budget);
    case SWEEP_STREAMS:
        return sweep_stream(txn, at, budget);
    case SWEEP_EXPIRED:
        return sweep_expired(txn, at, budget);
    case SWEEP_DONE:
        break;
    }
    at->phase = SWEEP_DONE;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct place at;
    TRY(place_read(txn->arena, job->cursor, &at));
    do {
        enum phase before = at.phase;
        TRY(sweep_some(txn, &at, budget));
        assert(at.phase == before || at.phase == before + 1); /* the states above, one by one */
    } while (at.phase != SWEEP_DONE && !job_spent(budget));
    *ret_state = at.phase == SWEEP_DONE ? JOB_DONE : JOB_MORE;
    return record_make(&place_type, txn->arena, &at, &job->cursor);
}

void logs_sweep_soon(void *arg)
{
    struct logs *logs = arg;
    job_kick(logs->sweep);
}

enum err logs_sweep_register(struct logs *logs)
{
    const struct job_def def = {
        .name = "logs.sweep",
        .self = logs,
        .step = step,
        .at_once = 1,
        .singleton = true,
        .every_ms = LOGS_SWEEP_PAUSE_MS,
    };
    return job_register(deliver_due(logs->core->deliver), &def, &logs->sweep);
}
