/* CreateEventBus, DescribeEventBus, UpdateEventBus, DeleteEventBus, ListEventBuses. Layer: svc/events.
 * Source: EventBridge API Reference. */
#include "svc/events/events_int.h"

/* What an event bus may have and Weir has not. */
static enum err refuse_others(struct call *call, struct str kms_key,
                              const struct events_dead_letter_config *dead,
                              const struct events_log_config *log)
{
    TRY(events_refuse_key(call, kms_key));
    if (dead && str_is_set(dead->arn))
        return EVENTS_INVALID(call, "A dead letter queue of the bus itself serves customer keys, "
                                    "which are not supported by Weir; leave DeadLetterConfig out.");
    if (log && str_is_set(log->level) && !str_eq_c(log->level, "OFF"))
        return EVENTS_INVALID(call, "Logs of the bus are not supported by Weir; leave LogConfig "
                                    "out.");
    return ERR_OK;
}

static struct str bus_arn(struct call *call, const struct events_bus_rec *b)
{
    return events_arn(call->arena, call->core, b->scope, "event-bus", b->name);
}

/* Buses of the caller, the default one among them. */
static struct str prefix_of(struct call *call, struct str name_prefix)
{
    return key_prefix(call->arena, &events_k_bus, call_scope(call),
                      KEY_STARTS(str_is_set(name_prefix) ? name_prefix : STR("")));
}

static enum err check_new(struct call *call, const struct events_create_event_bus_input *in)
{
    struct events_bus_rec *old;
    if (str_is_set(in->event_source_name))
        return call_error(call, &events_err_resource_not_found_exception,
                          "Event source " STR_FMT " does not exist.",
                          STR_ARG(in->event_source_name));
    if (str_find(in->name, '/') != SIZE_MAX)
        return EVENTS_INVALID(call, "Event bus name must not contain '/'.");
    TRY(refuse_others(call, in->kms_key_identifier, in->dead_letter_config, in->log_config));
    enum err err = events_bus_read(events_of(call), call->txn, call_scope(call), in->name, &old);
    if (err == ERR_OK)
        return call_error(call, &events_err_resource_already_exists_exception,
                          "Event bus " STR_FMT " already exists.", STR_ARG(in->name));
    if (err != ERR_NOT_FOUND)
        return err;
    struct str all = prefix_of(call, STR_NONE);
    if (!str_is_set(all))
        return ERR_NOMEM;
    if (catalogue_count(events_of(call)->buses, all) >= EVENTS_BUSES_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    return ERR_OK;
}

enum err events_create_event_bus(struct call *call, const struct events_create_event_bus_input *in,
                                 struct events_create_event_bus_output *out)
{
    TRY(check_new(call, in));
    const struct events_bus_rec b = {
        .scope = call_scope(call),
        .name = in->name,
        .description = in->description,
        .created_ms = call->txn->wall_ms,
        .modified_ms = call->txn->wall_ms,
    };
    struct tags_resource resource = {.arn = bus_arn(call, &b)};
    if (!str_is_set(resource.arn))
        return ERR_NOMEM;
    TRY(tags_op_create(call, &events_tags, &resource, TAGS_FROM(in->tags)));
    out->event_bus_arn = resource.arn;
    out->description = in->description;
    return events_bus_put(events_of(call), call->txn, &b);
}

/* As people see it. */
static enum err shown_policy(struct call *call, const struct events_bus_rec *b, struct str *ret)
{
    if (str_is_set(b->policy))
        TRY(core_policy_shown(call->core, call->arena, b->policy, ret));
    return ERR_OK;
}

enum err events_describe_event_bus(struct call *call,
                                   const struct events_describe_event_bus_input *in,
                                   struct events_describe_event_bus_output *out)
{
    struct events_bus_rec *b;
    TRY(events_need_bus(call, in->name, &b));
    out->name = b->name;
    out->arn = bus_arn(call, b);
    out->description = b->description;
    if (b->created_ms)
        WIRE_SET(out, creation_time, b->created_ms);
    if (b->modified_ms)
        WIRE_SET(out, last_modified_time, b->modified_ms);
    TRY(shown_policy(call, b, &out->policy));
    return str_is_set(out->arn) ? ERR_OK : ERR_NOMEM;
}

enum err events_update_event_bus(struct call *call, const struct events_update_event_bus_input *in,
                                 struct events_update_event_bus_output *out)
{
    struct events_bus_rec *b;
    TRY(events_need_bus(call, in->name, &b));
    TRY(refuse_others(call, in->kms_key_identifier, in->dead_letter_config, in->log_config));
    if (str_is_set(in->description))
        b->description = in->description;
    b->modified_ms = call->txn->wall_ms;
    out->name = b->name;
    out->arn = bus_arn(call, b);
    out->description = b->description;
    return str_is_set(out->arn) ? events_bus_put(events_of(call), call->txn, b) : ERR_NOMEM;
}

enum err events_delete_event_bus(struct call *call, const struct events_delete_event_bus_input *in,
                                 struct events_delete_event_bus_output *out)
{
    struct events *ev = events_of(call);
    struct events_bus_rec *b;
    if (str_eq_c(in->name, EVENTS_DEFAULT))
        return EVENTS_INVALID(call, "Cannot delete event bus default.");
    enum err err = events_bus_read(ev, call->txn, call_scope(call), in->name, &b);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct str rules = key_prefix(call->arena, &events_k_rule, b->scope, b->name);
    struct str arn = bus_arn(call, b);
    if (!str_is_set(rules) || !str_is_set(arn))
        return ERR_NOMEM;
    if (catalogue_count(ev->rules, rules) > 0)
        return EVENTS_INVALID(call, "Event bus " STR_FMT " can't be deleted since it has rules.",
                              STR_ARG(b->name));
    TRY(tags_drop(call->txn, arn));
    return catalogue_del(ev->buses, call->txn,
                         key_make(call->arena, &events_k_bus, b->scope, b->name));
}

/* --- listing ------------------------------------------------------------------------------------ */

static enum err list_one(struct call *call, const struct events_bus_rec *b,
                         struct events_event_bus *ret)
{
    ret->name = b->name;
    ret->arn = bus_arn(call, b);
    ret->description = b->description;
    if (b->created_ms)
        WIRE_SET(ret, creation_time, b->created_ms);
    if (b->modified_ms)
        WIRE_SET(ret, last_modified_time, b->modified_ms);
    TRY(shown_policy(call, b, &ret->policy));
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

/* The default bus has its place in the order of names, stored or not. */
static bool default_next(struct str prefix, struct str after, struct str next)
{
    static const struct str name = STR_INIT(EVENTS_DEFAULT);
    return (!str_is_set(prefix) || str_starts(name, prefix)) &&
           (!str_is_set(after) || str_cmp(name, after) > 0) &&
           (!str_is_set(next) || str_cmp(name, next) < 0);
}

enum err events_list_event_buses(struct call *call, const struct events_list_event_buses_input *in,
                                 struct events_list_event_buses_output *out)
{
    struct catalogue_page found;
    struct str after = STR_NONE, after_key = STR_NONE;
    size_t limit = in->has_limit ? (size_t)in->limit : EVENTS_LIST_MAX, n = 0;
    struct page page = page_of_call(call, str_is_set(in->name_prefix) ? in->name_prefix : STR(""),
                                    in->next_token, limit);
    TRY(events_paged(call, page_start(&page, &after)));
    if (str_is_set(after))
        after_key = key_make(call->arena, &events_k_bus, call_scope(call), after);
    struct str prefix = prefix_of(call, in->name_prefix);
    struct events_event_bus *v = ARENA_ARRAY(call->arena, struct events_event_bus, limit + 1);
    const struct events_bus_rec plain = {.scope = call_scope(call), .name = STR(EVENTS_DEFAULT)};
    if (!v || !str_is_set(prefix))
        return ERR_NOMEM;
    TRY(catalogue_list(events_of(call)->buses, call->txn, prefix, after_key, limit, &found));
    bool more = found.more;
    for (size_t i = 0; i <= found.n; i++) {
        const struct events_bus_rec *b = i < found.n ? found.objects[i] : NULL;
        if (default_next(in->name_prefix, after, b ? b->name : STR_NONE) && (b || !found.more)) {
            more |= n == limit;
            if (n < limit)
                TRY(list_one(call, &plain, &v[n++]));
            after = plain.name;
        }
        if (!b)
            break;
        more |= n == limit;
        if (n < limit)
            TRY(list_one(call, b, &v[n++]));
        after = b->name;
    }
    out->event_buses = (struct events_event_bus_list){v, n};
    if (more)
        TRY(page_end(&page, v[n - 1].name));
    out->next_token = page.next_token;
    return ERR_OK;
}
