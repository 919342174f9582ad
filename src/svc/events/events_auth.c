/* Permissions that the spec cannot say: PutEvents asks for each entry's bus with the entry's own keys,
 * PutTargets for each role that is passed on; the keys of patterns.
 *
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
 * EventBridge".
 * Layer: svc/events. Thread: the call's. */
#include "svc/events/events_int.h"

/* A rule of the default bus is named without the bus. */
enum err events_real_resource(struct call *call, struct str *resource)
{
    static const struct str mark = STR_INIT(":rule/" EVENTS_DEFAULT "/");
    size_t at = str_find_str(*resource, mark);
    if (at == SIZE_MAX)
        return ERR_OK;
    struct str head = str_sub(*resource, 0, at), name = str_sub(*resource, at + mark.len, SIZE_MAX);
    *resource = str_fmt(call->arena, STR_FMT ":rule/" STR_FMT, STR_ARG(head), STR_ARG(name));
    return str_is_set(*resource) ? ERR_OK : ERR_NOMEM;
}

/* --- keys --------------------------------------------------------------------------------------- */

static void add(struct policy_context *ctx, const char *key, struct str value)
{
    if (str_is_set(value))
        policy_context_add(ctx, str_c(key), value);
}

static void add_each(struct policy_context *ctx, const char *key, const struct json *list)
{
    JSON_EACH (list, it)
        if (it->kind == JSON_STRING)
            add(ctx, key, it->text);
}

/* What a pattern asks for, by the fields that have a key. */
static enum err add_pattern(struct call *call, struct str text, struct policy_context *ctx)
{
    struct json *p;
    if (!str_is_set(text))
        return ERR_OK;
    enum err err = json_parse(call->arena, text, &p, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK; /* the handler refuses it */
    const struct json *detail = json_get(p, STR("detail"));
    add_each(ctx, "events:source", json_get(p, STR("source")));
    add_each(ctx, "events:detail-type", json_get(p, STR("detail-type")));
    add_each(ctx, "events:detail.service", json_get(detail, STR("service")));
    add_each(ctx, "events:detail.eventTypeCode", json_get(detail, STR("eventTypeCode")));
    add_each(ctx, "events:detail.userIdentity.principalId",
             json_get(json_get(detail, STR("userIdentity")), STR("principalId")));
    return ERR_OK;
}

/* Who made the rule that the request names, where it is there. */
static enum err add_creator(struct call *call, struct str bus, struct str name,
                            struct policy_context *ctx)
{
    struct events_rule_rec *r;
    struct str bus_name;
    enum err err = events_bus_name(call_scope(call), bus, &bus_name);
    if (err == ERR_OK && str_is_set(name))
        err = events_rule_read(events_of(call), call->txn, call_scope(call), bus_name, name, &r);
    if (err || !str_is_set(name))
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    add(ctx, "events:creatorAccount", r->created_by);
    return ERR_OK;
}

enum err events_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    if (call->op->index == EVENTS_OP_PUT_EVENTS) {
        const struct events_put_events_request_entry *e = call->state;
        add(ctx, "events:eventBusInvocation", STR("false"));
        add(ctx, "events:source", e ? e->source : STR_NONE);
        add(ctx, "events:detail-type", e ? e->detail_type : STR_NONE);
        return ctx->err;
    }
    struct str rule = call_input_str(call, STR("Rule"));
    if (!str_is_set(rule) && str_ends(call->op->name, STR("Rule")))
        rule = call_input_str(call, STR("Name"));
    TRY(add_creator(call, call_input_str(call, STR("EventBusName")), rule, ctx));
    if (call->op->index == EVENTS_OP_PUT_RULE)
        TRY(add_pattern(call, ((const struct events_put_rule_input *)in)->event_pattern, ctx));
    if (call->op->index == EVENTS_OP_PUT_TARGETS) {
        const struct events_put_targets_input *p = in;
        for (size_t i = 0; i < p->targets.n; i++)
            add(ctx, "events:TargetArn", p->targets.v[i].arn);
    }
    return ctx->err;
}

/* --- further permissions ------------------------------------------------------------------------ */

static enum err authorize_entry(struct call *call, const struct events_put_events_request_entry *e)
{
    struct str name;
    enum err err = events_bus_name(call_scope(call), e->event_bus_name, &name);
    struct str arn = err ? e->event_bus_name
                         : events_arn(call->arena, call->core, call_scope(call), "event-bus", name);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    call->state = (void *)e; /* for events_auth_context; the handler has no state */
    err = call_authorize(call, "events:PutEvents", arn);
    call->state = NULL;
    return err;
}

enum err events_authorize_more(struct call *call, const void *in)
{
    if (call->op->index == EVENTS_OP_PUT_EVENTS) {
        const struct events_put_events_input *p = in;
        for (size_t i = 0; i < p->entries.n; i++)
            TRY(authorize_entry(call, &p->entries.v[i]));
    }
    if (call->op->index == EVENTS_OP_PUT_TARGETS) {
        const struct events_put_targets_input *p = in;
        for (size_t i = 0; i < p->targets.n; i++)
            if (str_is_set(p->targets.v[i].role_arn))
                TRY(call_authorize(call, "iam:PassRole", p->targets.v[i].role_arn));
    }
    return ERR_OK;
}
