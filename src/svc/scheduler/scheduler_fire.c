/* When a schedule fires, and its firing: one due key each, moved on in the commit that sends.
 *
 *   Create, UpdateSchedule --arm--> waiting --due--> sent, moved to the next moment
 *                                                     | none any more: NONE stays, DELETE goes
 *   disabled, deleted --cleared
 *
 * The due key's value is the moment that the expression says, which a flexible window may follow at
 * a distance. What came while no process ran fires once at start, and goes on from there.
 *
 * Source: EventBridge Scheduler User Guide, "Schedule types", "Configuring flexible time windows".
 * Layer: svc/scheduler. Thread: the home loop; arming in any transaction. */
#include "base/rng.h"
#include "svc/scheduler/scheduler_int.h"

enum { FIRING_MAX = 64, MINUTE_MS = 60 * 1000 };

static enum err zone_of(struct arena *a, struct str name, const struct zone **ret)
{
    struct zone *z;
    *ret = NULL;
    if (!str_is_set(name) || str_eq_c(name, "UTC"))
        return ERR_OK;
    enum err err = zone_load(a, name, &z);
    if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
        return ERR_INVALID;
    TRY(err);
    *ret = z;
    return ERR_OK;
}

enum err scheduler_next(struct arena *a, const struct scheduler_schedule *s, int64_t after_ms,
                        int64_t *ret_ms)
{
    struct cron c;
    const struct zone *zone;
    int64_t at;
    TRY(cron_parse(s->expression, CRON_SCHEDULER, &c));
    TRY(zone_of(a, s->zone, &zone));
    if (c.kind == CRON_AT) /* start and end are for those that recur */
        return cron_next(&c, zone, 0, after_ms / 1000, &at) == ERR_OK
                   ? (*ret_ms = at * 1000, ERR_OK)
                   : ERR_NOT_FOUND;
    int64_t start = max_i64(s->start_ms, s->base_ms) / 1000;
    TRY(cron_next(&c, zone, start, after_ms / 1000, &at));
    if (s->end_ms && at * 1000 >= s->end_ms)
        return ERR_NOT_FOUND;
    *ret_ms = at * 1000;
    return ERR_OK;
}

static enum err value_of(struct arena *a, int64_t when_ms, struct str *ret)
{
    *ret = str_fmt(a, "%lld", (long long)when_ms);
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

/* Somewhere in the window after the moment. */
static int64_t within(const struct scheduler_schedule *s, int64_t when_ms)
{
    if (s->window_min <= 0)
        return when_ms;
    return when_ms + (int64_t)rng_below((uint64_t)(s->window_min * MINUTE_MS));
}

enum err scheduler_arm(struct scheduler *sc, struct txn *txn, struct str key,
                       const struct scheduler_schedule *s, int64_t after_ms, bool *ret_fires)
{
    int64_t when = 0;
    struct str value;
    enum err err = s->disabled ? ERR_NOT_FOUND : scheduler_next(txn->arena, s, after_ms, &when);
    if (ret_fires)
        *ret_fires = err == ERR_OK;
    if (err == ERR_NOT_FOUND)
        return due_clear(txn, sc->schedules, key);
    TRY(err);
    TRY(value_of(txn->arena, when, &value));
    return due_set(txn, sc->schedules, key, within(s, when), value);
}

/* Where the schedule goes from here. */
static enum err move_on(struct txn *txn, struct due_fire *f, const struct scheduler_schedule *s,
                        int64_t when_ms)
{
    int64_t next;
    enum err err = scheduler_next(txn->arena, s, max_i64(txn->now_ms, when_ms), &next);
    if (err == ERR_NOT_FOUND)
        return s->delete_after ? txn_del(txn, f->key) : ERR_OK;
    TRY(err);
    f->next = DUE_MOVE;
    f->next_ms = within(s, next);
    return value_of(txn->arena, next, &f->value);
}

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct scheduler_schedule s;
    struct scheduler_name name;
    int64_t when;
    enum err err = scheduler_read(txn, f->key, &s);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (s.disabled)
        return ERR_OK;
    TRY(key_read(&scheduler_k_schedule, f->key, txn->arena, &name.scope, &name.group, &name.name));
    if (str_to_i64(f->value, &when) != ERR_OK)
        when = f->when_ms;
    const struct scheduler_firing firing = {&name, &s, when};
    TRY(scheduler_send(self, txn, &firing));
    return move_on(txn, f, &s, when);
}

/* A token that has become old is forgotten. */
static enum err forget(void *self, struct txn *txn, struct due_fire *f)
{
    return ERR_OK;
}

enum err scheduler_fire_register(struct scheduler *sc)
{
    struct due *due = deliver_due(sc->core->deliver);
    const struct due_def schedules = {
        .name = "scheduler.schedule",
        .self = sc,
        .fire = fire,
        .running_max = FIRING_MAX,
    };
    const struct due_def tokens = {
        .name = "scheduler.token",
        .self = sc,
        .fire = forget,
        .running_max = 1,
    };
    TRY(due_register(due, &schedules, &sc->schedules));
    return due_register(due, &tokens, &sc->tokens);
}
