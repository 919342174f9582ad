/* The service as a whole: life, and what core asks.
 *
 * Layer: svc/events. Thread: see core/svc.h. */
#include "svc/events/events.h"

#include <inttypes.h>

#include "base/mem.h"
#include "svc/events/events_int.h"

static void release(void *self)
{
    struct events *ev = self;
    events_indexes_free(ev);
    events_records_release(ev);
    pthread_mutex_destroy(&ev->lock);
    mem_free(ev);
}

static enum err make(struct core *core, void **ret_self)
{
    struct events *ev = mem_calloc(1, sizeof(*ev));
    if (!ev)
        return ERR_NOMEM;
    ev->core = core;
    pthread_mutex_init(&ev->lock, NULL);
    map_init(&ev->slots);
    enum err err = events_records_init(ev);
    if (err == ERR_OK)
        err = send_register(core->deliver);
    if (err == ERR_OK)
        err = events_schedule_register(ev);
    if (err == ERR_OK)
        err = events_sweep_register(ev);
    if (err == ERR_OK)
        err = events_replay_register(ev);
    if (err == ERR_OK)
        err = events_token_register(ev);
    if (err) {
        release(ev);
        return err;
    }
    *ret_self = ev;
    return ERR_OK;
}

static enum err load(struct txn *txn, void *arg)
{
    return events_records_load(arg, txn);
}

static enum err start(void *self)
{
    struct events *ev = self;
    return txn_run_now(ev->core, load, ev);
}

static enum err resource_policy(void *self, struct txn *txn, struct str text, struct str *ret_json)
{
    struct arn arn;
    struct key_scope scope;
    struct str bus, rule;
    struct events_bus_rec *b;
    *ret_json = STR_NONE;
    if (arn_parse_as(text, "events", "event-bus", &arn) == ERR_OK) {
        scope = (struct key_scope){arn.account, arn.region};
        bus = arn_tail(&arn, 1);
    } else if (events_rule_arn_parse(text, &scope, &bus, &rule) != ERR_OK) { /* its bus's policy */
        return ERR_OK;
    }
    enum err err = events_bus_read(self, txn, scope, bus, &b);
    if (err == ERR_OK)
        *ret_json = b->policy;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static void counter(struct buf *b, const char *name, const char *help, uint64_t v)
{
    buf_add_fmt(b, "# HELP weir_%s %s\n# TYPE weir_%s counter\nweir_%s %" PRIu64 "\n", name, help,
                name, name, v);
}

static void metrics(void *self, struct buf *b)
{
    struct events *ev = self;
    struct send_stats s = send_get_stats(ev->core->deliver);
    counter(b, "events_total", "Events that came to a bus.", atomic_load(&ev->emitted));
    counter(b, "events_homeless_total", "Events put to a bus that does not exist.",
            atomic_load(&ev->homeless));
    counter(b, "sends_total", "What rules and schedules sent to their targets.", s.sent);
    counter(b, "sends_dead_total", "What could not be sent and is in a dead letter queue.", s.dead);
    counter(b, "sends_dropped_total", "What could not be sent and was dropped.", s.dropped);
}

const struct svc_def events_def = {
    .wire = &events_service,
    .make = make,
    .start = start,
    .release = release,
    .resource_policy = resource_policy,
    .real_resource = events_real_resource,
    .auth_context = events_auth_context,
    .authorize_more = events_authorize_more,
    .tags = &events_tags,
    .targets = events_targets,
    .n_targets = ARRAY_LEN(events_targets),
    .measure = events_measure,
    .metrics = metrics,
};
