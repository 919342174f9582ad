/* The service as a whole: life, port, and what its operations share. */
#include "svc/logs/logs.h"

#include "base/arn.h"
#include "base/mem.h"
#include "svc/logs/logs_int.h"

static enum err port_put(void *self, struct txn *txn, struct key_scope scope, struct str group,
                         struct str stream, const struct logs_event *events, size_t n_events);

static void release(void *self)
{
    struct logs *logs = self;
    catalogue_free(logs->policies);
    logs_places_unref(logs->places);
    mem_free(logs);
}

static enum err start(void *self)
{
    struct logs *logs = self;
    logs->kms = kms_port_of(logs->core);
    logs->cloudwatch = cloudwatch_port_of(logs->core);
    return txn_run_now(logs->core, logs_policies_load, logs);
}

static enum err make(struct core *core, void **ret_self)
{
    struct logs *logs = mem_calloc(1, sizeof(*logs));
    if (!logs)
        return ERR_NOMEM;
    logs->core = core;
    enum err err = logs_sweep_register(logs);
    if (err == ERR_OK)
        err = logs_queries_register(logs);
    if (err == ERR_OK)
        err = logs_policies_init(logs);
    if (err) {
        release(logs);
        return err;
    }
    logs->port = (struct logs_port){.self = logs, .put = port_put};
    *ret_self = logs;
    return ERR_OK;
}

static const void *port(void *self)
{
    struct logs *logs = self;
    return &logs->port;
}

const struct svc_def logs_def = {
    .wire = &logs_service,
    .make = make,
    .start = start,
    .release = release,
    .port = port,
    .resource_policy = logs_resource_policy,
    .authorize_more = logs_authorize_more,
    .tags = &logs_tags,
    .targets = logs_targets,
    .n_targets = ARRAY_LEN(logs_targets),
};

/* --- port ------------------------------------------------------------------------------------- */

static enum err port_put(void *self, struct txn *txn, struct key_scope scope, struct str group,
                         struct str stream, const struct logs_event *events, size_t n_events)
{
    struct logs_group g = {0};
    struct logs_cipher cipher;
    enum err err = logs_read_group(txn, scope, group, &g);
    if (err == ERR_NOT_FOUND)
        err = logs_make_group(txn, scope, group, &g);
    TRY(err);
    TRY(logs_cipher_to_write(self, txn, scope, group, &g, &cipher));
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
    const struct logs_put put = {.scope = scope,
                                 .group_name = group,
                                 .stream_name = stream,
                                 .stream_id = s.id,
                                 .events = cut,
                                 .n = n_events,
                                 .first_seq = s.next_seq};
    TRY(logs_append(txn, g.id, stream, &s, &cipher, cut, n_events));
    return logs_events_put(self, txn, &g, &put);
}

enum err logs_events_put(struct logs *logs, struct txn *txn, const struct logs_group *g,
                         const struct logs_put *put)
{
    TRY(logs_measure_staged(txn, put->scope, put->group_name, put->events, put->n));
    TRY(logs_events_as_metrics(logs, txn, put->scope, g, put->events, put->n));
    return logs_subscribers_send(logs, txn, g, put);
}
