/* PutCompositeAlarm. Layer: svc/cloudwatch. Source: CloudWatch API Reference, PutCompositeAlarm. */
#include "svc/cloudwatch/cloudwatch_int.h"
#include "svc/cloudwatch/cw_rule.h"

enum { CLOSURE_MAX = 500 }; /* alarms that a rule leads to, by whatever way */

/* The alarms that a new rule leads to: if it led to its own alarm, the two could change each other for ever. */
struct closure {
    struct str keys[CLOSURE_MAX];
    size_t n;
};

static enum err add(struct call *call, struct closure *c, struct str key)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->keys[i], key))
            return ERR_OK;
    if (c->n == CLOSURE_MAX)
        return CW_INVALID(call, "The alarm rule leads to more than %d alarms.", CLOSURE_MAX);
    c->keys[c->n++] = key;
    return ERR_OK;
}

/* What a composite alarm asks for; *ret_missing is the first name without an alarm. */
static enum err add_asked(struct call *call, struct closure *c, struct str rule_text,
                          struct str suppressor)
{
    struct cw_rule *rule = ARENA_NEW(call->arena, struct cw_rule);
    size_t at;
    if (!rule)
        return ERR_NOMEM;
    enum err err = cw_rule_parse(call->arena, rule_text, rule, &at);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return CW_INVALID(call, "AlarmRule must be a valid rule expression: %s at character %zu.",
                          err == ERR_LIMIT ? "too much" : "unexpected input", at + 1);
    TRY(err);
    for (size_t i = 0; i <= rule->n_names; i++) {
        struct str name = i < rule->n_names ? rule->names[i] : suppressor;
        if (!str_is_set(name))
            continue;
        struct str key = cw_alarm_ref(call->arena, call_scope(call), name);
        if (!str_is_set(key))
            return CW_INVALID(call, "The alarm " STR_FMT " is not of this account and region.",
                              STR_ARG(name));
        struct cw_alarm child;
        err = cw_alarm_read(call->txn, key, &child);
        if (err == ERR_NOT_FOUND)
            return CW_INVALID(call,
                              "Could not save the composite alarm as alarms [" STR_FMT "] in the "
                              "alarm rule do not exist",
                              STR_ARG(name));
        TRY(err);
        TRY(add(call, c, key));
    }
    return ERR_OK;
}

static enum err check_rule(struct call *call, const struct cloudwatch_put_composite_alarm_input *in)
{
    struct closure *c = ARENA_NEW(call->arena, struct closure);
    struct str own = key_make(call->arena, &cw_k_alarm, call_scope(call), in->alarm_name);
    if (!c || !str_is_set(own))
        return ERR_NOMEM;
    TRY(add_asked(call, c, in->alarm_rule, in->actions_suppressor));
    for (size_t i = 0; i < c->n; i++) {
        struct cw_alarm child;
        if (str_eq(c->keys[i], own))
            return CW_INVALID(call, "The alarm rule leads back to the alarm itself.");
        TRY(cw_alarm_read(call->txn, c->keys[i], &child));
        if (child.composite)
            TRY(add_asked(call, c, child.rule, child.suppressor));
    }
    return ERR_OK;
}

static enum err take_suppressor(struct call *call,
                                const struct cloudwatch_put_composite_alarm_input *in,
                                struct cw_alarm *a)
{
    bool periods =
        in->has_actions_suppressor_wait_period && in->has_actions_suppressor_extension_period;
    if (!str_is_set(in->actions_suppressor))
        return in->has_actions_suppressor_wait_period || in->has_actions_suppressor_extension_period
                   ? CW_INVALID(call, "ActionsSuppressorWaitPeriod and "
                                      "ActionsSuppressorExtensionPeriod are for alarms with an "
                                      "ActionsSuppressor.")
                   : ERR_OK;
    if (!periods)
        return CW_INVALID(call, "With ActionsSuppressor both ActionsSuppressorWaitPeriod and "
                                "ActionsSuppressorExtensionPeriod must be specified.");
    if (in->actions_suppressor_wait_period < 0 || in->actions_suppressor_extension_period < 0)
        return CW_INVALID(call, "The periods of a suppressor must not be negative.");
    a->suppressor = in->actions_suppressor;
    a->wait_s = in->actions_suppressor_wait_period;
    a->extension_s = in->actions_suppressor_extension_period;
    return ERR_OK;
}

enum err cloudwatch_put_composite_alarm(struct call *call,
                                        const struct cloudwatch_put_composite_alarm_input *in,
                                        struct cloudwatch_put_composite_alarm_output *out)
{
    struct cw_alarm a = {.composite = true, .rule = in->alarm_rule};
    const struct cw_alarm_asked asked = {
        .name = in->alarm_name,
        .description = in->alarm_description,
        .actions_off = in->has_actions_enabled && !in->actions_enabled,
        .ok = &in->ok_actions,
        .alarm = &in->alarm_actions,
        .insufficient = &in->insufficient_data_actions,
        .tags = TAGS_FROM(in->tags),
    };
    TRY(take_suppressor(call, in, &a));
    TRY(check_rule(call, in));
    return cw_alarm_configure(call, &asked, &a);
}
