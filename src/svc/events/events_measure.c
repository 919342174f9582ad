/* The rules' own metrics ("AWS/Events" by RuleName), of events whose commit succeeded, and those of PutEvents (of
 * all callers). What became of what rules send, deliver/send_measure.c tells.
 *
 * Layer: svc/events. Thread: the committing one. Source: EventBridge User Guide, "Monitoring Amazon
 * EventBridge". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/events/events_int.h"

struct triggered {
    struct core *core;
    struct str account, region, rule;
};

static void tell(void *arg)
{
    const struct triggered *t = arg;
    const struct measure_dim dim = {STR("RuleName"), t->rule};
    const struct measure what = {t->region, STR("AWS/Events"), &dim, 1, t->account};
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
    *t = (struct triggered){ev->core, str_dup(txn->arena, r->scope.account),
                            str_dup(txn->arena, r->scope.region), str_dup(txn->arena, r->name)};
    return str_is_set(t->rule) ? txn_on_commit(txn, tell, t) : ERR_NOMEM;
}

/* --- PutEvents ---------------------------------------------------------------------------------- */

enum { NS_PER_MS = 1000 * 1000 };

static void put(const struct core_seen *seen, struct str name, enum measure_unit unit, double value)
{
    measure_put(
        seen->call->core,
        &(struct measure){seen->call->region, STR("AWS/Events"), NULL, 0, seen->call->account},
        name, unit, value);
}

void events_measure(void *self, const struct core_seen *seen)
{
    const struct events_put_events_input *in = seen->in;
    const struct events_put_events_output *out = seen->out;
    if (!seen->call->op || seen->call->op->index != EVENTS_OP_PUT_EVENTS || !in)
        return;
    put(seen, STR("PutEventsApproximateCallCount"), MEASURE_COUNT, 1);
    put(seen, STR("PutEventsEntriesCount"), MEASURE_COUNT, (double)in->entries.n);
    put(seen, STR("PutEventsLatency"), MEASURE_MILLISECONDS, (double)seen->duration_ns / NS_PER_MS);
    put(seen, STR("PutEventsRequestSize"), MEASURE_BYTES, (double)seen->request_bytes);
    if (!out) {
        put(seen, STR("PutEventsApproximateFailedCount"), MEASURE_COUNT, 1);
        return;
    }
    put(seen, STR("PutEventsApproximateSuccessCount"), MEASURE_COUNT, 1);
    if (out->failed_entry_count > 0)
        put(seen, STR("PutEventsFailedEntriesCount"), MEASURE_COUNT,
            (double)out->failed_entry_count);
}
