/* Rules with a schedule: one due key each, which fires an event at the rule's own targets.
 *
 *   PutRule, EnableRule --set--> waiting --due--> event, moved to the next moment
 *   DisableRule, DeleteRule, no schedule any more --cleared
 *
 * What came while no process ran fires once at start, and the schedule goes on from there.
 *
 * Source: EventBridge User Guide, "Creating a rule that runs on a schedule".
 * Layer: svc/events. Thread: the home loop; setting in any transaction. */
#include "deliver/due.h"
#include "lang/cron.h"
#include "svc/events/events_int.h"

enum { FIRING_MAX = 32 };

/* The next moment after `after_ms`. ERR_NOT_FOUND: none. */
static enum err next_ms(const struct events_rule_rec *r, int64_t after_ms, int64_t *ret_ms)
{
    struct cron c;
    int64_t at;
    TRY(cron_parse(r->schedule, CRON_RULES, &c));
    int64_t start = r->start_ms / 1000;
    if (c.kind == CRON_RATE)
        start += c.period; /* the first time is one period after the rule was made */
    TRY(cron_next(&c, NULL, start, after_ms / 1000, &at));
    *ret_ms = at * 1000;
    return ERR_OK;
}

enum err events_rule_remove(struct events *ev, struct txn *txn, const struct events_rule_rec *r)
{
    struct str key = events_rule_key(txn->arena, r);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(due_clear(txn, ev->schedules, key));
    return catalogue_del(ev->rules, txn, key);
}

enum err events_rule_store(struct events *ev, struct txn *txn, const struct events_rule_rec *r)
{
    int64_t when;
    struct str key = events_rule_key(txn->arena, r);
    enum err err = ERR_NOT_FOUND;
    if (!str_is_set(key))
        return ERR_NOMEM;
    if (str_is_set(r->schedule) && !r->disabled)
        err = next_ms(r, txn->now_ms, &when);
    if (err == ERR_NOT_FOUND)
        err = due_clear(txn, ev->schedules, key);
    else if (err == ERR_OK)
        err = due_set(txn, ev->schedules, key, when, STR(""));
    return err ? err : events_rule_put(ev, txn, r);
}

static enum err emit(struct events *ev, struct txn *txn, const struct events_rule_rec *r,
                     int64_t when_ms)
{
    struct events_event e = {.scope = r->scope, .bus = r->bus, .time_ms = when_ms};
    struct str id, arn = events_rule_arn(txn->arena, ev->core, r);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    const struct events_draft draft = {
        .source = STR("aws.events"),
        .detail_type = STR("Scheduled Event"),
        .detail = STR("{}"),
        .resources = &arn,
        .n_resources = 1,
        .time_ms = when_ms,
    };
    TRY(events_event_make(txn, r->scope, &draft, &e.text, &id));
    TRY(events_event_parse(txn->arena, &e));
    return events_send_targets(ev, txn, r, &e);
}

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct events *ev = self;
    void *object;
    enum err err = catalogue_read(ev->rules, txn, f->key, &object);
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* EV5 says that this is not: harmless */
    TRY(err);
    const struct events_rule_rec *r = object;
    if (r->disabled || !str_is_set(r->schedule))
        return ERR_OK;
    TRY(emit(ev, txn, r, f->when_ms));
    err = next_ms(r, max_i64(txn->now_ms, f->when_ms), &f->next_ms);
    if (err == ERR_OK)
        f->next = DUE_MOVE;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err events_schedule_register(struct events *ev)
{
    const struct due_def def = {
        .name = "events.schedule",
        .self = ev,
        .fire = fire,
        .running_max = FIRING_MAX,
    };
    return due_register(deliver_due(ev->core->deliver), &def, &ev->schedules);
}
