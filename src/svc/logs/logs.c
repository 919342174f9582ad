/* The service as a whole: life, port, and what its operations share. */
#include "svc/logs/logs.h"

#include "base/arn.h"
#include "base/mem.h"
#include "svc/logs/logs_int.h"

static enum err port_put(void *self, struct txn *txn, struct key_scope scope, struct str group,
                         struct str stream, const struct logs_event *events, size_t n_events);

static enum err make(struct core *core, void **ret_self)
{
    struct logs *logs = mem_calloc(1, sizeof(*logs));
    if (!logs)
        return ERR_NOMEM;
    logs->core = core;
    enum err err = logs_sweep_register(logs);
    if (err) {
        mem_free(logs);
        return err;
    }
    logs->port = (struct logs_port){.self = logs, .put = port_put};
    *ret_self = logs;
    return ERR_OK;
}

static void release(void *self)
{
    mem_free(self);
}

static const void *port(void *self)
{
    struct logs *logs = self;
    return &logs->port;
}

const struct svc_def logs_def = {
    .wire = &logs_service,
    .make = make,
    .release = release,
    .port = port,
    .tags = &logs_tags,
};

struct str logs_group_name(const struct call *call, struct str name_or_arn)
{
    struct arn arn;
    if (!arn_is(name_or_arn))
        return name_or_arn;
    if (arn_parse_as(name_or_arn, "logs", "log-group", &arn) != ERR_OK)
        return STR_NONE;
    struct str rest = arn_tail(&arn, 2);
    if (!str_eq(arn.account, call->account) || !str_eq(arn.region, call->region) ||
        (str_is_set(rest) && !str_eq_c(rest, "*")))
        return STR_NONE;
    return arn_segment(&arn, 1);
}

enum err logs_need_group(struct call *call, struct str name, struct str identifier,
                         struct str *ret_name, struct logs_group *ret)
{
    if (name.p && identifier.p)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
    if (!name.p && !identifier.p)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Either logGroupName or logGroupIdentifier must be given.");
    struct str group = logs_group_name(call, name.p ? name : identifier);
    enum err err = str_is_set(group) ? logs_read_group(call->txn, call_scope(call), group, ret)
                                     : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified log group does not exist.");
    if (err == ERR_OK && ret_name)
        *ret_name = group;
    return err;
}

enum err logs_need_stream(struct call *call, uint64_t group_id, struct str name,
                          struct logs_stream *ret)
{
    enum err err = logs_read_stream(call->txn, group_id, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified log stream does not exist.");
    return err;
}

enum err logs_paged(struct call *call, enum err err)
{
    if (err == ERR_INVALID)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "The specified nextToken is invalid.");
    return err;
}

/* --- port ------------------------------------------------------------------------------------- */

static enum err port_put(void *self, struct txn *txn, struct key_scope scope, struct str group,
                         struct str stream, const struct logs_event *events, size_t n_events)
{
    struct logs_group g = {0};
    enum err err = logs_read_group(txn, scope, group, &g);
    if (err == ERR_NOT_FOUND)
        err = logs_make_group(txn, scope, group, &g);
    TRY(err);
    struct logs_stream s;
    err = logs_read_stream(txn, g.id, stream, &s);
    if (err == ERR_NOT_FOUND)
        err = logs_make_stream(txn, g.id, stream, &s);
    TRY(err);
    struct logs_event *cut = ARENA_ARRAY(txn->arena, struct logs_event, n_events);
    if (!cut)
        return ERR_NOMEM;
    for (size_t i = 0; i < n_events; i++) {
        cut[i] = events[i];
        size_t len = cut[i].message.len;
        if (len > LOGS_PORT_EVENT_MAX) {
            len = LOGS_PORT_EVENT_MAX;
            /* Not inside a character: back to the byte that starts one. */
            while (len > 0 && ((unsigned char)cut[i].message.p[len] & 0xC0) == 0x80)
                len--;
        }
        cut[i].message.len = len;
    }
    return logs_append(txn, g.id, stream, &s, cut, n_events);
}
