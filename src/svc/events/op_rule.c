/* PutRule, DescribeRule, DeleteRule, EnableRule, DisableRule, ListRules, ListRuleNamesByTarget.
 * Layer: svc/events. Source: EventBridge API Reference. */
#include "lang/cron.h"
#include "svc/events/events_int.h"

/* --- PutRule ------------------------------------------------------------------------------------ */

static enum err check_schedule(struct call *call, const struct events_bus_rec *b, struct str text)
{
    struct cron c;
    if (!str_is_set(text))
        return ERR_OK;
    if (!str_eq_c(b->name, EVENTS_DEFAULT))
        return EVENTS_INVALID(call,
                              "ScheduleExpression is supported only on the default event bus.");
    enum err err = cron_parse(text, CRON_RULES, &c);
    return err == ERR_INVALID ? EVENTS_INVALID(call, "Parameter ScheduleExpression is not valid.")
                              : err;
}

static enum err check_role(struct call *call, struct str role)
{
    struct arn arn;
    if (!str_is_set(role) || arn_parse_as(role, "iam", "role", &arn) == ERR_OK)
        return events_check_role(call, role);
    return EVENTS_INVALID(call, "Parameter RoleArn is not valid. Reason: Provided Arn is not in "
                                "correct format.");
}

static enum err check_input(struct call *call, const struct events_put_rule_input *in,
                            const struct events_bus_rec *b)
{
    if ((!str_is_set(in->event_pattern) || in->event_pattern.len == 0) &&
        (!str_is_set(in->schedule_expression) || in->schedule_expression.len == 0))
        return EVENTS_INVALID(call, "Parameter(s) EventPattern or ScheduleExpression must be "
                                    "specified.");
    if (str_eq_c(in->state, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"))
        return EVENTS_INVALID(call, "There are no management events in Weir; use state ENABLED.");
    TRY(events_check_pattern(call, in->event_pattern));
    TRY(check_schedule(call, b, in->schedule_expression));
    return check_role(call, in->role_arn);
}

/* A new one's tags; those of a rule that is there stay. */
static enum err begin_new(struct call *call, const struct events_put_rule_input *in,
                          const struct events_bus_rec *b, struct events_rule_rec **ret)
{
    struct events_rule_rec *r = ARENA_NEW(call->arena, struct events_rule_rec);
    struct str rules = key_prefix(call->arena, &events_k_rule, b->scope, b->name);
    if (!r || !str_is_set(rules))
        return ERR_NOMEM;
    if (catalogue_count(events_of(call)->rules, rules) >= EVENTS_RULES_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    r->scope = b->scope;
    r->bus = b->name;
    r->name = in->name;
    r->created_by = str_is_set(call->who->account) ? call->who->account : call->account;
    struct tags_resource resource = {.arn = events_rule_arn(call->arena, call->core, r)};
    if (!str_is_set(resource.arn))
        return ERR_NOMEM;
    *ret = r;
    return tags_op_create(call, &events_tags, &resource, TAGS_FROM(in->tags));
}

enum err events_put_rule(struct call *call, const struct events_put_rule_input *in,
                         struct events_put_rule_output *out)
{
    struct events *ev = events_of(call);
    struct events_bus_rec *b;
    struct events_rule_rec *r;
    TRY(events_need_bus(call, in->event_bus_name, &b));
    TRY(check_input(call, in, b));
    enum err err = events_rule_read(ev, call->txn, b->scope, b->name, in->name, &r);
    if (err == ERR_NOT_FOUND)
        err = begin_new(call, in, b, &r);
    TRY(err);
    bool disabled = str_eq_c(in->state, "DISABLED");
    /* A rate counts from when it was said, or begun again. */
    if (!str_eq(r->schedule, in->schedule_expression) || (r->disabled && !disabled))
        r->start_ms = call->txn->now_ms;
    r->pattern = in->event_pattern.len > 0 ? in->event_pattern : STR_NONE;
    r->schedule = in->schedule_expression.len > 0 ? in->schedule_expression : STR_NONE;
    r->description = in->description;
    r->role = in->role_arn;
    r->disabled = disabled;
    out->rule_arn = events_rule_arn(call->arena, call->core, r);
    return str_is_set(out->rule_arn) ? events_rule_store(ev, call->txn, r) : ERR_NOMEM;
}

/* --- one rule ----------------------------------------------------------------------------------- */

static struct str state_of(const struct events_rule_rec *r)
{
    return r->disabled ? STR("DISABLED") : STR("ENABLED");
}

enum err events_describe_rule(struct call *call, const struct events_describe_rule_input *in,
                              struct events_describe_rule_output *out)
{
    struct events_rule_rec *r;
    TRY(events_need_rule(call, in->event_bus_name, in->name, &r));
    *out = (struct events_describe_rule_output){
        .name = r->name,
        .arn = events_rule_arn(call->arena, call->core, r),
        .event_pattern = r->pattern,
        .schedule_expression = r->schedule,
        .state = state_of(r),
        .description = r->description,
        .role_arn = r->role,
        .event_bus_name = r->bus,
        .created_by = r->created_by,
    };
    return str_is_set(out->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err switch_rule(struct call *call, struct str bus, struct str name, bool disabled)
{
    struct events_rule_rec *r;
    TRY(events_need_rule(call, bus, name, &r));
    if (r->disabled && !disabled)
        r->start_ms = call->txn->now_ms;
    if (r->disabled == disabled)
        return ERR_OK;
    r->disabled = disabled;
    return events_rule_store(events_of(call), call->txn, r);
}

enum err events_enable_rule(struct call *call, const struct events_enable_rule_input *in,
                            struct events_enable_rule_output *out)
{
    return switch_rule(call, in->event_bus_name, in->name, false);
}

enum err events_disable_rule(struct call *call, const struct events_disable_rule_input *in,
                             struct events_disable_rule_output *out)
{
    return switch_rule(call, in->event_bus_name, in->name, true);
}

enum err events_delete_rule(struct call *call, const struct events_delete_rule_input *in,
                            struct events_delete_rule_output *out)
{
    struct events *ev = events_of(call);
    struct events_bus_rec *b;
    struct events_rule_rec *r;
    TRY(events_need_bus(call, in->event_bus_name, &b));
    enum err err = events_rule_read(ev, call->txn, b->scope, b->name, in->name, &r);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (r->n_targets > 0)
        return EVENTS_INVALID(call, "Rule can't be deleted since it has targets.");
    struct str arn = events_rule_arn(call->arena, call->core, r);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(tags_drop(call->txn, arn));
    return events_rule_remove(ev, call->txn, r);
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct str bus, prefix; /* of names; absent: all */
    struct page page;
    struct catalogue_page found;
};

static enum err list_rules(struct listing *l, struct str given_bus, struct str token,
                           struct str scope, bool has_limit, int64_t limit)
{
    struct call *call = l->call;
    struct events_bus_rec *b;
    struct str after, after_key = STR_NONE;
    TRY(events_need_bus(call, given_bus, &b));
    l->bus = b->name;
    struct str bind = str_fmt(call->arena, STR_FMT "\n" STR_FMT, STR_ARG(b->name), STR_ARG(scope));
    if (!str_is_set(bind))
        return ERR_NOMEM;
    l->page = page_of_call(call, bind, token, has_limit ? (size_t)limit : EVENTS_LIST_MAX);
    TRY(events_paged(call, page_start(&l->page, &after)));
    if (str_is_set(after))
        after_key = key_make(call->arena, &events_k_rule, b->scope, b->name, after);
    struct str prefix = key_prefix(call->arena, &events_k_rule, b->scope, b->name,
                                   KEY_STARTS(str_is_set(l->prefix) ? l->prefix : STR("")));
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    return catalogue_list(events_of(call)->rules, call->txn, prefix, after_key, l->page.limit,
                          &l->found);
}

static enum err list_end(struct listing *l, struct str *ret_token)
{
    const struct events_rule_rec *last;
    if (l->found.more) {
        last = l->found.objects[l->found.n - 1];
        TRY(page_end(&l->page, last->name));
    }
    *ret_token = l->page.next_token;
    return ERR_OK;
}

enum err events_list_rules(struct call *call, const struct events_list_rules_input *in,
                           struct events_list_rules_output *out)
{
    struct listing l = {.call = call, .prefix = in->name_prefix};
    TRY(list_rules(&l, in->event_bus_name, in->next_token,
                   str_is_set(in->name_prefix) ? in->name_prefix : STR(""), in->has_limit,
                   in->limit));
    struct events_rule *v = ARENA_ARRAY(call->arena, struct events_rule, l.found.n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < l.found.n; i++) {
        const struct events_rule_rec *r = l.found.objects[i];
        v[i] = (struct events_rule){
            .name = r->name,
            .arn = events_rule_arn(call->arena, call->core, r),
            .event_pattern = r->pattern,
            .state = state_of(r),
            .description = r->description,
            .schedule_expression = r->schedule,
            .role_arn = r->role,
            .event_bus_name = r->bus,
        };
        if (!str_is_set(v[i].arn))
            return ERR_NOMEM;
    }
    out->rules = (struct events_rule_response_list){v, l.found.n};
    return list_end(&l, &out->next_token);
}

static bool has_target(const struct events_rule_rec *r, struct str arn)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (str_eq(r->targets[i].arn, arn))
            return true;
    return false;
}

/* A page looks at as many rules as it may have: it can be empty and have a token. */
enum err events_list_rule_names_by_target(struct call *call,
                                          const struct events_list_rule_names_by_target_input *in,
                                          struct events_list_rule_names_by_target_output *out)
{
    struct listing l = {.call = call};
    size_t n = 0;
    TRY(list_rules(&l, in->event_bus_name, in->next_token, in->target_arn, in->has_limit,
                   in->limit));
    struct str *v = ARENA_ARRAY(call->arena, struct str, l.found.n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < l.found.n; i++) {
        const struct events_rule_rec *r = l.found.objects[i];
        if (has_target(r, in->target_arn))
            v[n++] = r->name;
    }
    out->rule_names = (struct events_rule_name_list){v, n};
    return list_end(&l, &out->next_token);
}
