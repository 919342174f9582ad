/* PutEvents and TestEventPattern.
 *
 * Source: EventBridge API Reference, PutEvents, PutEventsResultEntry; User Guide, "Calculating PutEvents
 * event entry size".
 * Layer: svc/events. */
#include "base/log.h"
#include "svc/events/events_int.h"

enum { TIME_BYTES = 14 /* that a given Time counts for */ };

static size_t entry_bytes(const struct events_put_events_request_entry *e)
{
    size_t n = e->source.len + e->detail_type.len + e->detail.len + (e->has_time ? TIME_BYTES : 0);
    for (size_t i = 0; i < e->resources.n; i++)
        n += e->resources.v[i].len;
    return n;
}

static enum err refuse(struct events_put_events_result_entry *ret, const char *code,
                       const char *message)
{
    ret->error_code = str_c(code);
    ret->error_message = str_c(message);
    return ERR_FAILED;
}

/* ERR_FAILED: *ret says why the entry is refused. */
static enum err check_entry(struct call *call, const struct events_put_events_request_entry *e,
                            struct events_put_events_result_entry *ret)
{
    struct json *detail;
    if (!str_is_set(e->source) || e->source.len == 0)
        return refuse(ret, "InvalidArgument",
                      "Parameter Source is not valid. Reason: Source is a required argument.");
    if (!str_is_set(e->detail_type) || e->detail_type.len == 0)
        return refuse(
            ret, "InvalidArgument",
            "Parameter DetailType is not valid. Reason: DetailType is a required argument.");
    if (!str_is_set(e->detail) || e->detail.len == 0)
        return refuse(ret, "InvalidArgument",
                      "Parameter Detail is not valid. Reason: Detail is a required argument.");
    if (str_starts(e->source, STR("aws.")))
        return refuse(ret, "NotAuthorizedForSourceException", "Not authorized for the source.");
    enum err err = json_parse(call->arena, e->detail, &detail, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || detail->kind != JSON_OBJECT)
        return refuse(ret, "MalformedDetail", "Detail is malformed.");
    return ERR_OK;
}

/* Whether the bus is there. What is put to one that is not is accepted and goes nowhere, as on AWS;
 * a line of the log says so. */
static enum err find_bus(struct call *call, struct str given, struct events_event *e,
                         bool *ret_there)
{
    struct events *ev = events_of(call);
    void *object;
    enum err err = events_bus_put_to(call, given, &e->scope, &e->bus);
    if (err == ERR_OK && !str_eq_c(e->bus, EVENTS_DEFAULT))
        err = catalogue_get(ev->buses, call->txn,
                            key_make(call->arena, &events_k_bus, e->scope, e->bus), &object);
    *ret_there = err == ERR_OK;
    if (err == ERR_NOT_FOUND) {
        atomic_fetch_add(&ev->homeless, 1);
        log_warn("events", "an event went nowhere: there is no bus " STR_FMT, STR_ARG(given));
        return ERR_OK;
    }
    return err;
}

static enum err put_entry(struct call *call, const struct events_put_events_request_entry *in,
                          struct events_put_events_result_entry *ret)
{
    struct events_event e = {.scope = call_scope(call), .trace = in->trace_header};
    bool there;
    TRY(check_entry(call, in, ret));
    const struct events_draft draft = {
        .source = in->source,
        .detail_type = in->detail_type,
        .detail = in->detail,
        .resources = in->resources.v,
        .n_resources = in->resources.n,
        .time_ms = in->has_time ? in->time : call->txn->wall_ms,
    };
    e.time_ms = draft.time_ms;
    TRY(find_bus(call, in->event_bus_name, &e, &there));
    /* Whoever's bus it is, the event is of who puts it. */
    enum err err = events_event_make(call->txn, call_scope(call), &draft, &e.text, &ret->event_id);
    if (err == ERR_LIMIT)
        return refuse(ret, "InvalidArgument", "Event size exceeds the maximum of 1 MB.");
    TRY(err);
    if (!there)
        return ERR_OK;
    TRY(events_event_parse(call->arena, &e));
    return events_emit(events_of(call), call->txn, &e);
}

enum err events_put_events(struct call *call, const struct events_put_events_input *in,
                           struct events_put_events_output *out)
{
    size_t bytes = 0;
    int64_t failed = 0;
    if (str_is_set(in->endpoint_id))
        return EVENTS_INVALID(call, "Global endpoints are not supported by Weir; leave EndpointId "
                                    "out.");
    for (size_t i = 0; i < in->entries.n; i++)
        bytes += entry_bytes(&in->entries.v[i]);
    if (bytes > EVENTS_ENTRIES_BYTES_MAX)
        return EVENTS_INVALID(call, "Total size of the entries in the request is over the limit.");
    struct events_put_events_result_entry *v =
        ARENA_ARRAY(call->arena, struct events_put_events_result_entry, in->entries.n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->entries.n; i++) {
        enum err err = put_entry(call, &in->entries.v[i], &v[i]);
        if (err == ERR_FAILED) {
            failed++;
            v[i].event_id = STR_NONE;
        } else
            TRY(err);
    }
    WIRE_SET(out, failed_entry_count, failed);
    out->entries.v = v;
    out->entries.n = in->entries.n;
    return ERR_OK;
}

/* --- TestEventPattern --------------------------------------------------------------------------- */

static enum err check_event(struct call *call, struct str text, struct json **ret)
{
    static const char *const needed[] = {"id",     "account",   "source",     "time",
                                         "region", "resources", "detail-type"};
    enum err err = json_parse(call->arena, text, ret, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || (*ret)->kind != JSON_OBJECT)
        return EVENTS_INVALID(call, "Parameter Event is not valid.");
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!json_get(*ret, str_c(needed[i])))
            return EVENTS_INVALID(call,
                                  "Parameter Event is not valid. Reason: Event must contain the "
                                  "field %s.",
                                  needed[i]);
    return ERR_OK;
}

enum err events_test_event_pattern(struct call *call,
                                   const struct events_test_event_pattern_input *in,
                                   struct events_test_event_pattern_output *out)
{
    struct pattern *p;
    struct pattern_set *set;
    struct str message;
    struct json *event;
    const uint32_t *ids;
    size_t n = 0;
    enum err err = pattern_parse(call->arena, in->event_pattern, PATTERN_EVENTS, &p, &message);
    if (err == ERR_INVALID)
        return call_error(call, &events_err_invalid_event_pattern_exception, STR_FMT,
                          STR_ARG(message));
    TRY(err);
    TRY(check_event(call, in->event, &event));
    TRY(pattern_set_new(call->arena, &p, 1, &set));
    err = pattern_set_match(set, event, call->arena, &ids, &n);
    if (err == ERR_LIMIT)
        return EVENTS_INVALID(call, "Parameter Event is not valid. Reason: too intricate.");
    TRY(err);
    WIRE_SET(out, result, n > 0);
    return ERR_OK;
}
