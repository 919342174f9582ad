/* CreateArchive, DescribeArchive, UpdateArchive, DeleteArchive, ListArchives. Layer: svc/events.
 * Source: EventBridge API Reference. */
#include "base/rng.h"
#include "svc/events/events_int.h"

static struct str archive_arn(struct call *call, struct str name)
{
    return events_arn(call->arena, call->core, call_scope(call), "archive", name);
}

static enum err archive_read(struct call *call, struct str name, struct events_archive_rec **ret)
{
    void *object;
    TRY(catalogue_read(events_of(call)->archives, call->txn,
                       key_make(call->arena, &events_k_archive, call_scope(call), name), &object));
    *ret = object;
    return ERR_OK;
}

static enum err need_archive(struct call *call, struct str name, struct events_archive_rec **ret)
{
    enum err err = archive_read(call, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Archive " STR_FMT " does not exist.", STR_ARG(name));
    return err;
}

static enum err check_new(struct call *call, const struct events_create_archive_input *in,
                          struct events_bus_rec **ret_bus)
{
    struct events_archive_rec *old;
    TRY(events_refuse_key(call, in->kms_key_identifier));
    TRY(events_need_bus(call, in->event_source_arn, ret_bus));
    TRY(events_check_pattern(call, in->event_pattern));
    enum err err = archive_read(call, in->archive_name, &old);
    if (err == ERR_OK)
        return call_error(call, &events_err_resource_already_exists_exception,
                          "Archive " STR_FMT " already exists.", STR_ARG(in->archive_name));
    if (err != ERR_NOT_FOUND)
        return err;
    struct str all = key_prefix(call->arena, &events_k_archive, call_scope(call));
    if (!str_is_set(all))
        return ERR_NOMEM;
    if (catalogue_count(events_of(call)->archives, all) >= EVENTS_ARCHIVES_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    return ERR_OK;
}

enum err events_create_archive(struct call *call, const struct events_create_archive_input *in,
                               struct events_create_archive_output *out)
{
    struct events_bus_rec *b;
    TRY(check_new(call, in, &b));
    const struct events_archive_rec r = {
        .id = rng_u64() | 1,
        .scope = call_scope(call),
        .name = in->archive_name,
        .bus = b->name,
        .description = in->description,
        .pattern = in->event_pattern.len > 0 ? in->event_pattern : STR_NONE,
        .retention_days = in->retention_days,
        .created_ms = call->txn->wall_ms,
    };
    out->archive_arn = archive_arn(call, r.name);
    out->state = STR("ENABLED");
    WIRE_SET(out, creation_time, r.created_ms);
    if (!str_is_set(out->archive_arn))
        return ERR_NOMEM;
    return events_archive_put(events_of(call), call->txn, &r);
}

enum err events_describe_archive(struct call *call, const struct events_describe_archive_input *in,
                                 struct events_describe_archive_output *out)
{
    struct events_archive_rec *r;
    struct events_count_rec c;
    TRY(need_archive(call, in->archive_name, &r));
    TRY(events_archive_sum(call->txn, r->id, &c));
    out->archive_arn = archive_arn(call, r->name);
    out->archive_name = r->name;
    out->event_source_arn = events_arn(call->arena, call->core, r->scope, "event-bus", r->bus);
    out->description = r->description;
    out->event_pattern = r->pattern;
    out->state = STR("ENABLED");
    WIRE_SET(out, retention_days, r->retention_days);
    WIRE_SET(out, size_bytes, c.bytes);
    WIRE_SET(out, event_count, c.events);
    WIRE_SET(out, creation_time, r->created_ms);
    return str_is_set(out->archive_arn) && str_is_set(out->event_source_arn) ? ERR_OK : ERR_NOMEM;
}

enum err events_update_archive(struct call *call, const struct events_update_archive_input *in,
                               struct events_update_archive_output *out)
{
    struct events_archive_rec *r;
    TRY(events_refuse_key(call, in->kms_key_identifier));
    TRY(need_archive(call, in->archive_name, &r));
    TRY(events_check_pattern(call, in->event_pattern));
    if (str_is_set(in->event_pattern))
        r->pattern = in->event_pattern.len > 0 ? in->event_pattern : STR_NONE;
    if (str_is_set(in->description))
        r->description = in->description;
    if (in->has_retention_days)
        r->retention_days = in->retention_days;
    out->archive_arn = archive_arn(call, r->name);
    out->state = STR("ENABLED");
    WIRE_SET(out, creation_time, r->created_ms);
    if (!str_is_set(out->archive_arn))
        return ERR_NOMEM;
    TRY(txn_on_commit(call->txn, events_sweep_soon, call->svc));
    return events_archive_put(events_of(call), call->txn, r);
}

enum err events_delete_archive(struct call *call, const struct events_delete_archive_input *in,
                               struct events_delete_archive_output *out)
{
    struct events_archive_rec *r;
    TRY(need_archive(call, in->archive_name, &r));
    TRY(txn_put(call->txn, key_make(call->arena, &events_k_dead_archive, r->id), STR("")));
    TRY(txn_on_commit(call->txn, events_sweep_soon, call->svc));
    return catalogue_del(events_of(call)->archives, call->txn,
                         key_make(call->arena, &events_k_archive, r->scope, r->name));
}

/* --- listing ------------------------------------------------------------------------------------ */

static enum err list_one(struct call *call, const struct events_archive_rec *r,
                         struct events_archive *ret)
{
    struct events_count_rec c;
    TRY(events_archive_sum(call->txn, r->id, &c));
    ret->archive_name = r->name;
    ret->event_source_arn = events_arn(call->arena, call->core, r->scope, "event-bus", r->bus);
    ret->state = STR("ENABLED");
    WIRE_SET(ret, retention_days, r->retention_days);
    WIRE_SET(ret, size_bytes, c.bytes);
    WIRE_SET(ret, event_count, c.events);
    WIRE_SET(ret, creation_time, r->created_ms);
    return str_is_set(ret->event_source_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err check_list(struct call *call, const struct events_list_archives_input *in,
                           struct str *ret_bus)
{
    if (str_is_set(in->name_prefix) + str_is_set(in->event_source_arn) + str_is_set(in->state) > 1)
        return EVENTS_INVALID(call, "At most one filter is allowed for ListArchives. Use either : "
                                    "State, EventSourceArn, or NamePrefix.");
    *ret_bus = STR_NONE;
    if (!str_is_set(in->event_source_arn))
        return ERR_OK;
    struct events_bus_rec *b;
    TRY(events_need_bus(call, in->event_source_arn, &b));
    *ret_bus = b->name;
    return ERR_OK;
}

enum err events_list_archives(struct call *call, const struct events_list_archives_input *in,
                              struct events_list_archives_output *out)
{
    struct catalogue_page found;
    struct str bus = STR_NONE, after, after_key = STR_NONE;
    size_t n = 0;
    TRY(check_list(call, in, &bus));
    struct str bind = str_fmt(call->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT,
                              STR_ARG(in->name_prefix), STR_ARG(bus), STR_ARG(in->state));
    struct str prefix =
        key_prefix(call->arena, &events_k_archive, call_scope(call),
                   KEY_STARTS(str_is_set(in->name_prefix) ? in->name_prefix : STR("")));
    if (!str_is_set(bind) || !str_is_set(prefix))
        return ERR_NOMEM;
    struct page page = page_of_call(call, bind, in->next_token,
                                    in->has_limit ? (size_t)in->limit : EVENTS_LIST_MAX);
    TRY(events_paged(call, page_start(&page, &after)));
    if (str_is_set(after))
        after_key = key_make(call->arena, &events_k_archive, call_scope(call), after);
    struct events_archive *v = ARENA_ARRAY(call->arena, struct events_archive, page.limit);
    if (!v)
        return ERR_NOMEM;
    TRY(catalogue_list(events_of(call)->archives, call->txn, prefix, after_key, page.limit,
                       &found));
    for (size_t i = 0; i < found.n; i++) {
        const struct events_archive_rec *r = found.objects[i];
        after = r->name;
        if ((str_is_set(bus) && !str_eq(bus, r->bus)) ||
            (str_is_set(in->state) && !str_eq_c(in->state, "ENABLED")))
            continue;
        TRY(list_one(call, r, &v[n++]));
    }
    out->archives = (struct events_archive_response_list){v, n};
    if (found.more)
        TRY(page_end(&page, after));
    out->next_token = page.next_token;
    return ERR_OK;
}
