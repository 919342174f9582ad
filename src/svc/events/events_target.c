/* Buses as targets of other services' deliveries, and of rules; see core/target.h.
 *
 * What comes with the makings of an event (target_event) becomes one; anything else is an event that
 * another bus sends on, which keeps its id, time and source.
 *
 * Layer: svc/events. */
#include "base/log.h"
#include "svc/events/events_int.h"

static enum err find(void *self, struct txn *txn, struct str text, struct target_found *ret_found)
{
    struct arn arn;
    struct events_bus_rec *b;
    if (arn_parse_as(text, "events", "event-bus", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(events_bus_read(self, txn, (struct key_scope){arn.account, arn.region}, arn_tail(&arn, 1),
                        &b));
    *ret_found = (struct target_found){.arn = text, .opened = b};
    return ERR_OK;
}

static enum err make(struct txn *txn, const struct target_delivery *d, struct events_event *e)
{
    const struct events_draft draft = {
        .source = d->event->source,
        .detail_type = d->event->detail_type,
        .detail = d->payload,
        .resources = d->event->resources,
        .n_resources = d->event->n_resources,
        .time_ms = txn->wall_ms,
    };
    struct str id;
    return events_event_make(txn, e->scope, &draft, &e->text, &id);
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    const struct events_bus_rec *b = found->opened;
    struct events_event e = {
        .scope = b->scope,
        .bus = b->name,
        .text = d->payload,
        .time_ms = txn->wall_ms,
        .trace = d->trace,
        .from_bus = !d->event,
    };
    if (d->event)
        TRY(make(txn, d, &e));
    TRY(events_event_parse(txn->arena, &e));
    return events_emit(self, txn, &e);
}

const struct target_kind events_targets[2] = {
    {
        .service = "events",
        .type = "event-bus",
        .name = "bus",
        .action = "events:PutEvents",
        .find = find,
        .stage = stage,
    },
    {
        .service = "events",
        .type = "api-destination",
        .name = "API destination",
        .action = "events:InvokeApiDestination",
        .find = events_destination_find,
        .request = events_destination_request,
        .unknown = events_destination_unknown,
    },
};
