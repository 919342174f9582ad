/* Background removal of events that can no longer be read: of deleted groups and streams, and
 * those that retention has expired. A singleton job (deliver/job.h): it runs at start, after
 * deletions, and every LOGS_SWEEP_PAUSE_MS.
 *
 *   groups -> streams -> expired (group by group, stream by stream) -> done
 *
 * Cursor: u8 phase, str group, str stream, str from: keys to go on at. `from` is inside the range
 * that is being removed, and spares the next step the markers of what is gone (P6).
 *
 * Thread: the home loop, but for logs_sweep_soon. */
#include "base/pack.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/logs/logs_int.h"

enum phase { SWEEP_GROUPS, SWEEP_STREAMS, SWEEP_EXPIRED, SWEEP_DONE };

struct place {
    enum phase phase;
    struct str group, stream, from;
};

enum { CURSOR_MAX = 4 * LOGS_KEY_MAX };

static enum err place_read(struct str cursor, struct place *ret_at)
{
    struct unpack u;
    if (cursor.len == 0) {
        *ret_at = (struct place){SWEEP_GROUPS, STR(""), STR(""), STR("")};
        return ERR_OK;
    }
    unpack_init(&u, cursor);
    struct place at = {.phase = (enum phase)unpack_u8(&u)};
    at.group = unpack_str(&u);
    at.stream = unpack_str(&u);
    at.from = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret_at = at;
    return ERR_OK;
}

static enum err place_write(struct arena *arena, const struct place *at, struct str *ret_cursor)
{
    struct buf b;
    buf_init_arena(&b, arena, CURSOR_MAX);
    pack_u8(&b, (uint8_t)at->phase);
    pack_str(&b, at->group);
    pack_str(&b, at->stream);
    pack_str(&b, at->from);
    TRY(buf_err(&b));
    *ret_cursor = buf_str(&b);
    return ERR_OK;
}

/* Where to go on in [prefix, after prefix): at->from if it is inside. */
static struct str start_in(const struct place *at, struct str prefix)
{
    return str_starts(at->from, prefix) ? at->from : prefix;
}

/* First id of a table of dead ids. ERR_NOT_FOUND when it is empty. */
static enum err first_dead(struct txn *txn, struct str table, uint64_t *ret_id)
{
    struct str key, value;
    if (!table.p)
        return ERR_NOMEM;
    TRY(job_first_pair(txn, table, key_after_prefix(txn->arena, table), &key, &value));
    return logs_key_read_dead(key, ret_id);
}

static enum err drop_stream(struct txn *txn, uint64_t group, struct str key, struct str record)
{
    struct logs_stream s;
    struct str name;
    TRY(logs_parse_stream(record, &s));
    TRY(logs_key_read_stream(key, txn->arena, &name));
    return logs_drop_stream(txn, group, name, &s);
}

/* A dead group's streams become dead streams, then the group's own mark goes. */
static enum err sweep_group(struct txn *txn, struct place *at, struct job_budget *budget)
{
    uint64_t id = 0;
    enum err err = first_dead(txn, logs_key_dead_groups(txn->arena), &id);
    if (err == ERR_NOT_FOUND) {
        at->phase = SWEEP_STREAMS;
        return ERR_OK;
    }
    TRY(err);
    struct str prefix = logs_key_stream_prefix(txn->arena, id, STR(""));
    struct kv_iter *it;
    struct str key, record;
    if (!prefix.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, start_in(at, prefix), key_after_prefix(txn->arena, prefix), false, &it));
    while ((err = kv_next(it, &key, &record)) == ERR_OK) {
        key = str_dup(txn->arena, key);
        err = key.p ? drop_stream(txn, id, key, record) : ERR_NOMEM;
        job_spend(budget, 1);
        if (err || job_spent(budget)) {
            at->from = job_key_behind(txn->arena, key);
            break;
        }
    }
    kv_iter_close(it);
    job_spend(budget, 1);
    return err == ERR_NOT_FOUND ? txn_del(txn, logs_key_dead_group(txn->arena, id)) : err;
}

static enum err sweep_stream(struct txn *txn, struct place *at, struct job_budget *budget)
{
    uint64_t id = 0;
    enum err err = first_dead(txn, logs_key_dead_streams(txn->arena), &id);
    if (err == ERR_NOT_FOUND) {
        at->phase = SWEEP_EXPIRED;
        return ERR_OK;
    }
    TRY(err);
    struct str prefix = logs_key_events(txn->arena, id);
    if (!prefix.p)
        return ERR_NOMEM;
    struct str from = start_in(at, prefix);
    bool more;
    TRY(job_remove_range(txn, &from, key_after_prefix(txn->arena, prefix), budget, &more));
    job_spend(budget, 1);
    at->from = more ? from : STR("");
    return more ? ERR_OK : txn_del(txn, logs_key_dead_stream(txn->arena, id));
}

/* First pair inside a prefix at or after `from`, which may be outside. */
static enum err next_in(struct txn *txn, struct str from, struct str prefix, struct str *ret_key,
                        struct str *ret_record)
{
    if (!prefix.p)
        return ERR_NOMEM;
    return job_first_pair(txn, str_starts(from, prefix) ? from : prefix,
                          key_after_prefix(txn->arena, prefix), ret_key, ret_record);
}

/* What retention expired of one stream. */
static enum err expire_stream(struct txn *txn, struct place *at, struct str record, int64_t cutoff,
                              struct job_budget *budget, bool *ret_more)
{
    struct logs_stream s;
    TRY(logs_parse_stream(record, &s));
    *ret_more = false;
    if (!s.last_ms || s.first_ms >= cutoff)
        return ERR_OK;
    struct str prefix = logs_key_events(txn->arena, s.id);
    if (!prefix.p)
        return ERR_NOMEM;
    struct str from = start_in(at, prefix);
    TRY(job_remove_range(txn, &from, logs_key_event(txn->arena, s.id, cutoff, 0), budget,
                         ret_more));
    at->from = *ret_more ? from : STR("");
    return ERR_OK;
}

/* The next stream of the next group that has retention. */
static enum err sweep_expired(struct txn *txn, struct place *at, struct job_budget *budget)
{
    struct str group_key, stream_key, record;
    struct logs_group g;
    bool more;
    job_spend(budget, 1);
    enum err err =
        next_in(txn, at->group, logs_key_group_prefix(txn->arena, STR("")), &group_key, &record);
    if (err == ERR_NOT_FOUND) {
        at->phase = SWEEP_DONE;
        return ERR_OK;
    }
    TRY(err);
    TRY(logs_parse_group(record, &g));
    at->group = group_key;
    int64_t cutoff = logs_cutoff(&g, txn->now_ms);
    err = ERR_NOT_FOUND;
    if (cutoff != INT64_MIN)
        err = next_in(txn, at->stream, logs_key_stream_prefix(txn->arena, g.id, STR("")),
                      &stream_key, &record);
    if (err == ERR_NOT_FOUND) { /* none left: the next group */
        at->group = job_key_behind(txn->arena, group_key);
        at->stream = STR("");
        return at->group.p ? ERR_OK : ERR_NOMEM;
    }
    TRY(err);
    TRY(expire_stream(txn, at, record, cutoff, budget, &more));
    at->stream = more ? stream_key : job_key_behind(txn->arena, stream_key);
    return at->stream.p ? ERR_OK : ERR_NOMEM;
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
    TRY(place_read(job->cursor, &at));
    do {
        TRY(sweep_some(txn, &at, budget));
    } while (at.phase != SWEEP_DONE && !job_spent(budget));
    *ret_state = at.phase == SWEEP_DONE ? JOB_DONE : JOB_MORE;
    return place_write(txn->arena, &at, &job->cursor);
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
