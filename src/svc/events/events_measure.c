/* The rules' own metrics ("AWS/Events" by RuleName), of events whose commit succeeded. What became of what they
 * send, deliver/send_measure.c tells.
 *
 * Layer: svc/events. Thread: the committing one. Source: EventBridge User Guide, "Monitoring Amazon
 * EventBridge". */
#include "core/measure.h"
#include "svc/events/events_int.h"

struct triggered {
    struct core *core;
    struct str region, rule;
};

static void tell(void *arg)
{
    const struct triggered *t = arg;
    const struct measure_dim dim = {STR("RuleName"), t->rule};
    const struct measure what = {t->region, STR("AWS/Events"), &dim, 1};
    measure_put(t->core, &what, STR("MatchedEvents"), MEASURE_COUNT, 1);
    measure_put(t->core, &what, STR("TriggeredRules"), MEASURE_COUNT, 1);
}

enum err events_measure_rule(struct events *ev, struct txn *txn, const struct events_rule_rec *r)
{
    if (!measure_wanted(ev->core))
        return ERR_OK;
    struct triggered *t = ARENA_NEW(txn->arena, struct triggered);
    if (!t)
        return ERR_NOMEM;
    *t = (struct triggered){ev->core, str_dup(txn->arena, r->scope.region),
                            str_dup(txn->arena, r->name)};
    return str_is_set(t->rule) ? txn_on_commit(txn, tell, t) : ERR_NOMEM;
}
