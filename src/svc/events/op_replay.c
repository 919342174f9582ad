/* StartReplay, DescribeReplay, ListReplays, CancelReplay. Layer: svc/events.
 * Source: EventBridge API Reference. */
#include "deliver/job.h"
#include "svc/events/events_int.h"

static const char *const states[EVENTS_REPLAY_STATES] = {"STARTING",  "RUNNING",   "CANCELLING",
                                                         "COMPLETED", "CANCELLED", "FAILED"};

static bool under_way(const struct events_replay_rec *r)
{
    return r->state <= EVENTS_CANCELLING;
}

static struct str replay_key(struct call *call, struct str name)
{
    return key_make(call->arena, &events_k_replay, call_scope(call), name);
}

static struct str replay_arn(struct call *call, struct str name)
{
    return events_arn(call->arena, call->core, call_scope(call), "replay", name);
}

static enum err replay_read(struct call *call, struct str name, struct events_replay_rec *ret)
{
    struct str record;
    *ret = (struct events_replay_rec){0};
    TRY(txn_get(call->txn, replay_key(call, name), &record));
    return record_unpack(&events_replay_type, call->arena, record, ret);
}

static enum err need_replay(struct call *call, struct str name, struct events_replay_rec *ret)
{
    enum err err = replay_read(call, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Replay " STR_FMT " does not exist.", STR_ARG(name));
    return err;
}

static enum err replay_write(struct call *call, struct str name, const struct events_replay_rec *r)
{
    struct str record;
    TRY(record_make(&events_replay_type, call->arena, r, &record));
    return txn_put(call->txn, replay_key(call, name), record);
}

/* --- StartReplay -------------------------------------------------------------------------------- */

static enum err archive_of(struct call *call, struct str text, struct events_archive_rec **ret)
{
    struct arn arn;
    void *object;
    enum err err = arn_parse_as(text, "events", "archive", &arn);
    if (err || !str_eq(arn.account, call->account) || !str_eq(arn.region, call->region))
        return EVENTS_INVALID(call, "Parameter EventSourceArn is not valid. Reason: Must be the "
                                    "ARN of an archive.");
    struct str name = arn_tail(&arn, 1);
    err = catalogue_read(events_of(call)->archives, call->txn,
                         key_make(call->arena, &events_k_archive, call_scope(call), name), &object);
    if (err == ERR_NOT_FOUND)
        return EVENTS_INVALID(call,
                              "Parameter EventSourceArn is not valid. Reason: Archive " STR_FMT
                              " does not exist.",
                              STR_ARG(name));
    TRY(err);
    *ret = object;
    return ERR_OK;
}

static enum err check_destination(struct call *call, const struct events_replay_destination *d,
                                  const struct events_archive_rec *archive)
{
    struct str bus, rule_bus, name;
    struct key_scope scope;
    struct events_rule_rec *r;
    enum err err = arn_is(d->arn) ? events_bus_name(call_scope(call), d->arn, &bus) : ERR_INVALID;
    if (err)
        return EVENTS_INVALID(call, "Parameter Destination.Arn is not valid. Reason: Must contain "
                                    "an event bus ARN.");
    if (!str_eq(bus, archive->bus))
        return EVENTS_INVALID(call, "Parameter Destination.Arn is not valid. Reason: Cross event "
                                    "bus replay is not permitted.");
    if (d->filter_arns.n > EVENTS_FILTERS_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    for (size_t i = 0; i < d->filter_arns.n; i++) {
        err = events_rule_arn_parse(d->filter_arns.v[i], &scope, &rule_bus, &name);
        if (err == ERR_OK && str_eq(rule_bus, bus))
            err = events_rule_read(events_of(call), call->txn, scope, rule_bus, name, &r);
        else
            err = ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND)
            return EVENTS_INVALID(call,
                                  "Parameter Destination.FilterArns is not valid. Reason: " STR_FMT
                                  " is no rule of the event bus.",
                                  STR_ARG(d->filter_arns.v[i]));
        TRY(err);
    }
    return ERR_OK;
}

struct counting {
    struct call *call;
    size_t under_way;
};

static enum err count_one(void *arg, struct str key, struct str record)
{
    struct counting *c = arg;
    struct events_replay_rec r = {0};
    TRY(record_unpack_copy(&events_replay_type, c->call->arena, record, &r));
    c->under_way += under_way(&r);
    return txn_work_row(c->call->txn, key, record);
}

static enum err check_new(struct call *call, struct str name)
{
    struct events_replay_rec old;
    struct counting c = {.call = call};
    enum err err = replay_read(call, name, &old);
    if (err == ERR_OK)
        return call_error(call, &events_err_resource_already_exists_exception,
                          "Replay " STR_FMT " already exists.", STR_ARG(name));
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(txn_each(call->txn, key_range(call->arena, &events_k_replay, call_scope(call)), count_one,
                 &c));
    if (c.under_way >= EVENTS_REPLAYS_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    return ERR_OK;
}

enum err events_start_replay(struct call *call, const struct events_start_replay_input *in,
                             struct events_start_replay_output *out)
{
    struct events_archive_rec *archive = NULL;
    TRY(archive_of(call, in->event_source_arn, &archive));
    TRY(check_destination(call, in->destination, archive));
    if (in->event_start_time >= in->event_end_time)
        return EVENTS_INVALID(call, "Parameter EventEndTime is not valid. Reason: EventStartTime "
                                    "must be before EventEndTime.");
    TRY(check_new(call, in->replay_name));
    const struct events_replay_rec r = {
        .description = in->description,
        .archive = archive->name,
        .bus = archive->bus,
        .archive_id = archive->id,
        .filters = (struct str *)in->destination->filter_arns.v,
        .n_filters = in->destination->filter_arns.n,
        .from_ms = in->event_start_time,
        .to_ms = in->event_end_time,
        .started_ms = call->txn->wall_ms,
    };
    TRY(replay_write(call, in->replay_name, &r));
    TRY(job_add(call->txn, events_of(call)->replays, replay_key(call, in->replay_name), STR("")));
    out->replay_arn = replay_arn(call, in->replay_name);
    out->state = STR("STARTING");
    WIRE_SET(out, replay_start_time, r.started_ms);
    return str_is_set(out->replay_arn) ? ERR_OK : ERR_NOMEM;
}

/* --- the others --------------------------------------------------------------------------------- */

enum err events_describe_replay(struct call *call, const struct events_describe_replay_input *in,
                                struct events_describe_replay_output *out)
{
    struct events_replay_rec r;
    TRY(need_replay(call, in->replay_name, &r));
    struct events_replay_destination *d = ARENA_NEW(call->arena, struct events_replay_destination);
    if (!d)
        return ERR_NOMEM;
    d->arn = events_arn(call->arena, call->core, call_scope(call), "event-bus", r.bus);
    if (r.n_filters > 0)
        d->filter_arns = (struct events_replay_destination_filters){r.filters, r.n_filters};
    out->replay_name = in->replay_name;
    out->replay_arn = replay_arn(call, in->replay_name);
    out->description = r.description;
    out->state = str_c(states[r.state]);
    if (r.state == EVENTS_FAILED)
        out->state_reason = STR("The archive does not exist any more.");
    out->event_source_arn =
        events_arn(call->arena, call->core, call_scope(call), "archive", r.archive);
    out->destination = d;
    WIRE_SET(out, event_start_time, r.from_ms);
    WIRE_SET(out, event_end_time, r.to_ms);
    if (r.last_ms)
        WIRE_SET(out, event_last_replayed_time, r.last_ms);
    WIRE_SET(out, replay_start_time, r.started_ms);
    if (r.ended_ms)
        WIRE_SET(out, replay_end_time, r.ended_ms);
    return str_is_set(d->arn) && str_is_set(out->replay_arn) && str_is_set(out->event_source_arn)
               ? ERR_OK
               : ERR_NOMEM;
}

enum err events_cancel_replay(struct call *call, const struct events_cancel_replay_input *in,
                              struct events_cancel_replay_output *out)
{
    struct events_replay_rec r;
    TRY(need_replay(call, in->replay_name, &r));
    if (r.state > EVENTS_RUNNING)
        return call_error(call, &events_err_illegal_status_exception,
                          "Replay " STR_FMT " is not in a valid state for this operation.",
                          STR_ARG(in->replay_name));
    r.state = EVENTS_CANCELLING; /* the job's next step ends it */
    out->replay_arn = replay_arn(call, in->replay_name);
    out->state = STR("CANCELLING");
    return str_is_set(out->replay_arn) ? replay_write(call, in->replay_name, &r) : ERR_NOMEM;
}

struct listing {
    struct call *call;
    const struct events_list_replays_input *in;
    struct str archive; /* absent: of any */
    struct events_replay *v;
    size_t n;
};

static enum err match_replay(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct events_replay_rec r = {0};
    TRY(record_unpack_copy(&events_replay_type, l->call->arena, record, &r));
    *ret_match = (!str_is_set(l->archive) || str_eq(l->archive, r.archive)) &&
                 (!str_is_set(l->in->state) || str_eq_c(l->in->state, states[r.state]));
    return ERR_OK;
}

static enum err take_replay(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct call *call = l->call;
    struct events_replay_rec r = {0};
    struct events_replay *v = &l->v[l->n++];
    TRY(record_unpack_copy(&events_replay_type, call->arena, record, &r));
    TRY(key_read(&events_k_replay, key, call->arena, KEY_SKIP, &v->replay_name));
    v->event_source_arn =
        events_arn(call->arena, call->core, call_scope(call), "archive", r.archive);
    v->state = str_c(states[r.state]);
    WIRE_SET(v, event_start_time, r.from_ms);
    WIRE_SET(v, event_end_time, r.to_ms);
    if (r.last_ms)
        WIRE_SET(v, event_last_replayed_time, r.last_ms);
    WIRE_SET(v, replay_start_time, r.started_ms);
    if (r.ended_ms)
        WIRE_SET(v, replay_end_time, r.ended_ms);
    return str_is_set(v->event_source_arn) ? ERR_OK : ERR_NOMEM;
}

enum err events_list_replays(struct call *call, const struct events_list_replays_input *in,
                             struct events_list_replays_output *out)
{
    static const struct page_fns fns = {match_replay, take_replay};
    struct listing l = {.call = call, .in = in, .archive = STR_NONE};
    struct arn arn;
    if (str_is_set(in->name_prefix) + str_is_set(in->event_source_arn) + str_is_set(in->state) > 1)
        return EVENTS_INVALID(call, "At most one filter is allowed for ListReplays. Use either : "
                                    "State, EventSourceArn, or NamePrefix.");
    if (str_is_set(in->event_source_arn)) {
        if (arn_parse_as(in->event_source_arn, "events", "archive", &arn) != ERR_OK)
            return EVENTS_INVALID(call, "Parameter EventSourceArn is not valid.");
        l.archive = arn_tail(&arn, 1);
    }
    struct str bind = str_fmt(call->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT,
                              STR_ARG(in->name_prefix), STR_ARG(l.archive), STR_ARG(in->state));
    if (!str_is_set(bind))
        return ERR_NOMEM;
    struct page page = page_of_call(call, bind, in->next_token,
                                    in->has_limit ? (size_t)in->limit : EVENTS_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct events_replay, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range =
        key_range(call->arena, &events_k_replay, call_scope(call),
                  KEY_STARTS(str_is_set(in->name_prefix) ? in->name_prefix : STR("")));
    TRY(events_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->replays = (struct events_replay_list){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}
