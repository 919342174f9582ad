/* PutPermission and RemovePermission: the policy of a bus. Layer: svc/events.
 * Source: EventBridge API Reference, PutPermission, RemovePermission. */
#include "codec/json_edit.h"
#include "core/statement.h"
#include "svc/events/events_int.h"

static enum err store(struct call *call, struct events_bus_rec *b, struct str policy)
{
    const char *why = "";
    if (str_is_set(policy)) {
        if (policy.len > EVENTS_POLICY_MAX)
            return call_error(call, &events_err_policy_length_exceeded_exception,
                              "Policy length (%zu) is more than the limit of %d.", policy.len,
                              EVENTS_POLICY_MAX);
        enum err err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, policy, &why);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return EVENTS_INVALID(call, "Invalid policy: %s", why);
        TRY(err);
    }
    b->policy = policy;
    b->modified_ms = call->txn->wall_ms;
    return events_bus_put(events_of(call), call->txn, b);
}

/* A whole document: principals as they are stored. */
static enum err store_document(struct call *call, struct events_bus_rec *b, struct str policy)
{
    const char *why = "";
    struct str stored;
    enum err err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, policy, &why);
    if (err == ERR_OK)
        err = core_policy_stored(call->txn, policy, &why, &stored);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return EVENTS_INVALID(call, "Invalid policy: %s", why);
    TRY(err);
    return store(call, b, stored);
}

static enum err check_statement(struct call *call, const struct events_put_permission_input *in)
{
    if (!str_is_set(in->action) || !str_is_set(in->principal) || !str_is_set(in->statement_id))
        return EVENTS_INVALID(call, "Parameter(s) Action, Principal and StatementId must be "
                                    "specified.");
    if (!str_eq_c(in->action, "events:PutEvents"))
        return EVENTS_INVALID(call, "Provided value in parameter 'action' is not supported.");
    if (in->condition && (!str_eq_c(in->condition->type, "StringEquals") ||
                          !str_eq_c(in->condition->key, "aws:PrincipalOrgID")))
        return EVENTS_INVALID(call, "Provided value in parameter 'condition' is not supported.");
    return ERR_OK;
}

static enum err build(struct call *call, const struct events_put_permission_input *in,
                      const struct events_bus_rec *b, struct str *ret_json)
{
    const struct statement_condition condition = {"StringEquals", "aws:PrincipalOrgID",
                                                  in->condition ? in->condition->value : STR_NONE};
    const struct statement st = {
        .sid = in->statement_id,
        .principals = &in->principal,
        .n_principals = 1,
        .actions = &in->action,
        .n_actions = 1,
        .resource = events_arn(call->arena, call->core, b->scope, "event-bus", b->name),
        .conditions = &condition,
        .n_conditions = 1,
    };
    if (!str_is_set(st.resource))
        return ERR_NOMEM;
    enum err err = statement_json(call->arena, call->partition, &st, ret_json);
    return err == ERR_INVALID ? EVENTS_INVALID(call, "Parameter Principal is not valid.") : err;
}

/* A statement of its own, in place of the one that has its id: what a template's AWS::Events::EventBusPolicy gives, and
 * what no request may, since it would replace the statements of others. */
static enum err store_statement(struct call *call, const struct events_put_permission_input *in,
                                struct events_bus_rec *b)
{
    struct json *st;
    struct buf text;
    struct str policy = b->policy;
    enum err err = json_parse(call->arena, in->policy, &st, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || st->kind != JSON_OBJECT)
        return EVENTS_INVALID(call, "Invalid policy: the statement is no object");
    TRY(json_set(st, STR("Sid"), json_new_str(call->arena, in->statement_id)));
    buf_init_arena(&text, call->arena, EVENTS_POLICY_MAX);
    json_put(&text, st);
    err = buf_err(&text);
    if (err == ERR_OK && str_is_set(policy))
        err = statement_remove(call->arena, policy, in->statement_id, &policy);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = statement_add(call->arena, policy, STR("2012-10-17"), STR_NONE, in->statement_id,
                            buf_str(&text), &policy);
    if (err == ERR_LIMIT)
        return call_error(call, &events_err_policy_length_exceeded_exception,
                          "Policy length is more than the limit of %d.", EVENTS_POLICY_MAX);
    TRY(err);
    return store_document(call, b, policy);
}

enum err events_put_permission(struct call *call, const struct events_put_permission_input *in,
                               struct events_put_permission_output *out)
{
    struct events_bus_rec *b;
    struct str json, policy;
    TRY(events_need_bus(call, in->event_bus_name, &b));
    bool of_stack = call_brings_system_tags(call);
    if (of_stack && str_is_set(in->policy) && str_is_set(in->statement_id) &&
        !str_is_set(in->action) && !str_is_set(in->principal))
        return store_statement(call, in, b);
    if (str_is_set(in->policy)) {
        if (str_is_set(in->action) || str_is_set(in->principal) || str_is_set(in->statement_id))
            return EVENTS_INVALID(call, "Parameter(s) Policy cannot be combined with Action, "
                                        "Principal or StatementId.");
        return store_document(call, b, in->policy);
    }
    TRY(check_statement(call, in));
    TRY(build(call, in, b, &json));
    policy = b->policy; /* the same statement again is a new one in its place */
    enum err err = str_is_set(policy)
                       ? statement_remove(call->arena, policy, in->statement_id, &policy)
                       : ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND)
        TRY(err);
    err = statement_add(call->arena, policy, STR("2012-10-17"), STR_NONE, in->statement_id, json,
                        &policy);
    if (err == ERR_LIMIT)
        return call_error(call, &events_err_policy_length_exceeded_exception,
                          "Policy length is more than the limit of %d.", EVENTS_POLICY_MAX);
    TRY(err);
    return store(call, b, policy);
}

enum err events_remove_permission(struct call *call,
                                  const struct events_remove_permission_input *in,
                                  struct events_remove_permission_output *out)
{
    struct events_bus_rec *b;
    struct str policy;
    TRY(events_need_bus(call, in->event_bus_name, &b));
    if (in->remove_all_permissions)
        return store(call, b, STR_NONE);
    if (!str_is_set(in->statement_id))
        return EVENTS_INVALID(call, "Parameter(s) StatementId must be specified.");
    if (!str_is_set(b->policy))
        return call_error(call, &events_err_resource_not_found_exception,
                          "EventBus does not have a policy.");
    enum err err = statement_remove(call->arena, b->policy, in->statement_id, &policy);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Statement with the provided id does not exist.");
    TRY(err);
    return store(call, b, policy);
}
