/* Log groups as targets of other services' deliveries (event buses): each delivery is an event in a
 * stream of its own. A payload of the form {"timestamp": .., "message": ".."} says both, as a template
 * for a log group does; any other is the message.
 *
 * Source: EventBridge User Guide, "CloudWatch Logs group" under event bus targets.
 * Layer: svc/logs. Thread: the transaction's. */
#include "base/clock.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/logs/logs_int.h"

struct opened {
    struct key_scope scope;
    struct str group, stream;
};

static enum err find(void *self, struct txn *txn, struct str text, struct target_found *ret_found)
{
    char uuid[RNG_UUID_LEN + 1];
    struct arn arn;
    struct logs_group g;
    struct opened *o = ARENA_NEW(txn->arena, struct opened);
    if (!o)
        return ERR_NOMEM;
    if (arn_parse_as(text, "logs", "log-group", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    o->scope = (struct key_scope){arn.account, arn.region};
    o->group = arn_segment(&arn, 1);
    o->stream = str_dup(txn->arena, rng_uuid(uuid));
    TRY(logs_read_group(txn, o->scope, o->group, &g));
    struct str named = arn_make(txn->arena, &arn, "log-group:" STR_FMT ":log-stream:" STR_FMT,
                                STR_ARG(o->group), STR_ARG(o->stream));
    if (!str_is_set(named) || !str_is_set(o->stream))
        return ERR_NOMEM;
    *ret_found = (struct target_found){.arn = named, .opened = o};
    return ERR_OK;
}

/* What a payload says itself. */
static enum err take(struct arena *a, struct str payload, struct logs_event *ret)
{
    struct json *v;
    int64_t ms;
    enum err err = json_parse(a, payload, &v, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK;
    const struct json *at = json_get(v, STR("timestamp"));
    const struct json *message = json_get(v, STR("message"));
    if (v->kind != JSON_OBJECT || v->n != 2 || !at || !message || message->kind != JSON_STRING)
        return ERR_OK;
    ret->message = message->text;
    if (at->kind == JSON_NUMBER && json_to_i64(at, &ms) == ERR_OK)
        ret->timestamp_ms = ms;
    if (at->kind == JSON_STRING && clock_parse_iso8601(at->text, &ms) == ERR_OK)
        ret->timestamp_ms = ms;
    return ERR_OK;
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    struct logs *logs = self;
    const struct opened *o = found->opened;
    struct logs_event e = {.timestamp_ms = txn->wall_ms, .message = d->payload};
    TRY(take(txn->arena, d->payload, &e));
    if (e.message.len > LOGS_EVENT_BYTES_MAX)
        return ERR_LIMIT;
    return logs->port.put(logs, txn, o->scope, o->group, o->stream, &e, 1);
}

const struct target_kind logs_targets[1] = {{
    .service = "logs",
    .type = "log-group",
    .name = "log group",
    .action = "logs:PutLogEvents",
    .find = find,
    .stage = stage,
}};
