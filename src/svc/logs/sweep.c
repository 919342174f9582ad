/* Background removal of events that can no longer be read: of deleted groups and streams, and
 * those that retention has expired. Runs at start, after deletions, and every
 * LOGS_SWEEP_PAUSE_MS; in transactions of at most LOGS_SWEEP_KEYS removals.
 *
 *   idle --timer, deletion--> groups -> streams -> expired (group by group, stream by stream) ->
 * idle
 *
 * Thread: the home loop. */
#include "base/log.h"
#include "base/mem.h"
#include "svc/logs/logs_int.h"

enum phase { SWEEP_GROUPS, SWEEP_STREAMS, SWEEP_EXPIRED, SWEEP_DONE };

struct sweep {
    struct logs *logs;
    enum phase phase;
    bool again; /* something was deleted meanwhile */
    uint64_t removed;
    /* Where SWEEP_EXPIRED goes on: keys of the group and of the stream to look at next. */
    struct buf group_key, stream_key;
    /* What the attempt that committed found out. */
    enum phase next_phase;
    size_t count;
};

enum { CURSOR_MAX = LOGS_KEY_MAX };

static enum err remember(struct buf *cursor, struct str key)
{
    buf_clear(cursor);
    buf_add_str(cursor, key);
    return buf_err(cursor);
}

/* Removes up to the budget of the keys in [from, to); *ret_more when some are left. */
static enum err remove_range(struct txn *txn, struct sweep *w, struct str from, struct str to,
                             bool *ret_more)
{
    struct kv_iter *it;
    struct str key, value;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    enum err err;
    *ret_more = false;
    while ((err = kv_next(it, &key, &value)) == ERR_OK) {
        if (w->count >= LOGS_SWEEP_KEYS) {
            *ret_more = true;
            break;
        }
        err = txn_del(txn, key);
        if (err)
            break;
        w->count++;
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* First key of a table of dead ids. ERR_NOT_FOUND when it is empty. */
static enum err first_dead(struct txn *txn, struct str table, uint64_t *ret_id)
{
    struct kv_iter *it;
    struct str key, value;
    TRY(kv_scan(txn->kv, table, key_after_prefix(txn->arena, table), false, &it));
    enum err err = kv_next(it, &key, &value);
    if (err == ERR_OK)
        err = logs_key_read_dead(key, ret_id);
    kv_iter_close(it);
    return err;
}

/* A dead group's streams become dead streams, then the group's own mark goes. */
static enum err sweep_group(struct txn *txn, struct sweep *w)
{
    uint64_t id = 0;
    enum err err = first_dead(txn, logs_key_dead_groups(txn->arena), &id);
    if (err == ERR_NOT_FOUND) {
        w->next_phase = SWEEP_STREAMS;
        return ERR_OK;
    }
    TRY(err);
    struct str prefix = logs_key_stream_prefix(txn->arena, id, STR(""));
    struct kv_iter *it;
    struct str key, record;
    if (!prefix.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, prefix, key_after_prefix(txn->arena, prefix), false, &it));
    while ((err = kv_next(it, &key, &record)) == ERR_OK && w->count < LOGS_SWEEP_KEYS) {
        struct logs_stream s;
        struct str name;
        err = logs_parse_stream(record, &s);
        if (!err)
            err = logs_key_read_stream(key, txn->arena, &name);
        if (!err)
            err = logs_drop_stream(txn, id, name, &s);
        if (err)
            break;
        w->count++;
    }
    kv_iter_close(it);
    if (err == ERR_NOT_FOUND)
        err = txn_del(txn, logs_key_dead_group(txn->arena, id));
    return err;
}

static enum err sweep_stream(struct txn *txn, struct sweep *w)
{
    uint64_t id = 0;
    enum err err = first_dead(txn, logs_key_dead_streams(txn->arena), &id);
    if (err == ERR_NOT_FOUND) {
        w->next_phase = SWEEP_EXPIRED;
        return ERR_OK;
    }
    TRY(err);
    struct str prefix = logs_key_events(txn->arena, id);
    bool more;
    if (!prefix.p)
        return ERR_NOMEM;
    TRY(remove_range(txn, w, prefix, key_after_prefix(txn->arena, prefix), &more));
    return more ? ERR_OK : txn_del(txn, logs_key_dead_stream(txn->arena, id));
}

/* First pair at or after a cursor inside a prefix, copied. */
static enum err at_cursor(struct txn *txn, const struct buf *cursor, struct str prefix,
                          struct str *ret_key, struct str *ret_record)
{
    struct kv_iter *it;
    struct str key, record;
    if (!prefix.p)
        return ERR_NOMEM;
    struct str from = cursor->len ? buf_str(cursor) : prefix;
    TRY(kv_scan(txn->kv, from, key_after_prefix(txn->arena, prefix), false, &it));
    enum err err = kv_next(it, &key, &record);
    if (err == ERR_OK) {
        *ret_key = str_dup(txn->arena, key);
        *ret_record = str_dup(txn->arena, record);
        if (!ret_key->p || !ret_record->p)
            err = ERR_NOMEM;
    }
    kv_iter_close(it);
    return err;
}

/* Key right after `key`. */
static struct str successor(struct arena *a, struct str key)
{
    return str_n(arena_memdup(a, key.p, key.len), key.len + 1); /* memdup ends with a NUL */
}

/* One stream of one group with retention. */
static enum err sweep_expired(struct txn *txn, struct sweep *w)
{
    struct str group_key, record;
    enum err err = at_cursor(txn, &w->group_key, logs_key_group_prefix(txn->arena, STR("")),
                             &group_key, &record);
    if (err == ERR_NOT_FOUND) {
        w->next_phase = SWEEP_DONE;
        return ERR_OK;
    }
    TRY(err);
    struct logs_group g;
    TRY(logs_parse_group(txn->arena, record, &g));
    int64_t cutoff = logs_cutoff(&g, txn->now_ms);
    struct str stream_key;
    if (cutoff != INT64_MIN)
        err = at_cursor(txn, &w->stream_key, logs_key_stream_prefix(txn->arena, g.id, STR("")),
                        &stream_key, &record);
    if (cutoff == INT64_MIN || err == ERR_NOT_FOUND) {
        buf_clear(&w->stream_key);
        return remember(&w->group_key, successor(txn->arena, group_key));
    }
    TRY(err);
    struct logs_stream s;
    TRY(logs_parse_stream(record, &s));
    bool more = false;
    if (s.last_ms && s.first_ms < cutoff)
        TRY(remove_range(txn, w, logs_key_events(txn->arena, s.id),
                         logs_key_event(txn->arena, s.id, cutoff, 0), &more));
    return more ? ERR_OK : remember(&w->stream_key, successor(txn->arena, stream_key));
}

static enum err step(struct txn *txn, void *arg)
{
    struct sweep *w = arg;
    w->count = 0;
    w->next_phase = w->phase;
    switch (w->phase) {
    case SWEEP_GROUPS:
        return sweep_group(txn, w);
    case SWEEP_STREAMS:
        return sweep_stream(txn, w);
    case SWEEP_EXPIRED:
        return sweep_expired(txn, w);
    case SWEEP_DONE:
        break;
    }
    return ERR_OK;
}

static void stepped(void *arg, enum err err);

static void go_on(struct sweep *w)
{
    struct core *core = w->logs->core;
    if (txn_run(core, core_home_loop(core), step, w, stepped) != ERR_OK)
        stepped(w, ERR_NOMEM);
}

static void finish(struct logs *logs)
{
    struct sweep *w = logs->sweep;
    bool again = w->again;
    if (w->removed)
        log_info("logs", "swept removed=%llu", (unsigned long long)w->removed);
    buf_release(&w->group_key);
    buf_release(&w->stream_key);
    mem_free(w);
    logs->sweep = NULL;
    if (io_timer_start(&logs->sweep_timer, again ? 0 : LOGS_SWEEP_PAUSE_MS) != ERR_OK)
        log_error("logs", "out of memory: expired events stay until the next start");
}

static void stepped(void *arg, enum err err)
{
    struct sweep *w = arg;
    if (err) {
        log_error("logs", "sweep gave up: %s", err_name(err));
        w->again = false;
        finish(w->logs);
        return;
    }
    w->removed += w->count;
    w->phase = w->next_phase;
    if (w->phase == SWEEP_DONE || w->logs->core->stopping)
        finish(w->logs);
    else
        go_on(w);
}

static void begin(struct logs *logs)
{
    if (logs->sweep) {
        logs->sweep->again = true;
        return;
    }
    struct sweep *w = mem_calloc(1, sizeof(*w));
    if (!w) {
        log_error("logs", "out of memory: no sweep");
        return;
    }
    w->logs = logs;
    buf_init(&w->group_key, CURSOR_MAX);
    buf_init(&w->stream_key, CURSOR_MAX);
    logs->sweep = w;
    io_timer_stop(&logs->sweep_timer);
    go_on(w);
}

static void on_timer(struct io_timer *timer)
{
    begin(timer->arg);
}

static void on_task(struct io_task *task)
{
    struct logs *logs = CONTAINER_OF(task, struct logs, sweep_task);
    atomic_store(&logs->sweep_posted, false);
    if (!logs->core->stopping)
        begin(logs);
}

void logs_sweep_soon(void *arg)
{
    struct logs *logs = arg;
    if (!atomic_exchange(&logs->sweep_posted, true))
        io_post(core_home_loop(logs->core), &logs->sweep_task);
}

void logs_sweep_init(struct logs *logs)
{
    io_timer_init(&logs->sweep_timer, core_home_loop(logs->core), on_timer, logs);
    logs->sweep_task.fn = on_task;
}

enum err logs_sweep_start(struct logs *logs)
{
    return io_timer_start(&logs->sweep_timer, 0);
}

void logs_sweep_release(struct logs *logs)
{
    io_timer_stop(&logs->sweep_timer);
    struct sweep *w = logs->sweep;
    if (!w)
        return;
    buf_release(&w->group_key);
    buf_release(&w->stream_key);
    mem_free(w);
}
