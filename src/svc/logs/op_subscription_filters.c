/* PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter. Layer: svc/logs.
 * Source: CloudWatch Logs API Reference. */
#include "base/arn.h"
#include "core/target.h"
#include "svc/logs/logs_int.h"

#define INVALID(call, ...) call_error((call), &logs_err_invalid_parameter_exception, __VA_ARGS__)

/* The group that a function's own lines go to would be an endless loop. */
static bool is_own_group(struct str group, const struct arn *function)
{
    struct str prefix = STR("/aws/lambda/");
    return str_starts(group, prefix) &&
           str_eq(str_sub(group, prefix.len, SIZE_MAX), arn_segment(function, 1));
}

/* What AWS says before it looks for the group. */
static enum err check_vendor(struct call *call, const struct logs_put_subscription_filter_input *in)
{
    struct arn arn;
    if (arn_parse(in->destination_arn, &arn) != ERR_OK)
        return ERR_OK;
    bool by_role = str_eq_c(arn.service, "kinesis") || str_eq_c(arn.service, "firehose");
    if (by_role && !str_is_set(in->role_arn))
        return INVALID(call, "destinationArn for vendor " STR_FMT " cannot be used without roleArn",
                       STR_ARG(arn.service));
    if (str_eq_c(arn.service, "lambda") && !str_eq(arn.account, call->account))
        return call_error(call, &logs_err_access_denied,
                          "Cross-account lambda invocation passing is not allowed. You must use "
                          "DestinationPolicies to create cross account lambda triggers.");
    return ERR_OK;
}

static enum err check_destination(struct call *call,
                                  const struct logs_put_subscription_filter_input *in)
{
    struct arn arn;
    if (arn_parse_as(in->destination_arn, "lambda", "function", &arn) != ERR_OK)
        return INVALID(call, "Only functions of Lambda are supported by Weir as destinations of "
                             "subscription filters.");
    if (str_is_set(in->role_arn))
        return INVALID(call, "destinationArn for vendor lambda cannot be used with roleArn");
    if (is_own_group(in->log_group_name, &arn))
        return INVALID(call, "The log group provided is reserved for the function logs of the "
                             "destination function.");
    enum err err = str_eq(arn.region, call->region)
                       ? logs_subscriber_try(call->svc, call->txn, call_scope(call),
                                             in->log_group_name, in->destination_arn)
                       : ERR_NOT_FOUND;
    if (target_fault(err))
        return INVALID(call, "Could not execute the lambda function. Make sure you have given "
                             "CloudWatch Logs permission to execute your function.");
    return err;
}

static enum err check(struct call *call, const struct logs_put_subscription_filter_input *in,
                      uint64_t group_id)
{
    struct filter f;
    if (in->has_apply_on_transformed_logs && in->apply_on_transformed_logs)
        return INVALID(call, "Transformed logs are not supported by Weir.");
    if (str_is_set(in->field_selection_criteria) || in->emit_system_fields.n > 0)
        return INVALID(call,
                       "fieldSelectionCriteria and emitSystemFields are not supported by Weir.");
    TRY(logs_pattern(call, in->filter_pattern, &f));
    return logs_regex_room(call, group_id, true, in->filter_name, &f);
}

enum err logs_put_subscription_filter(struct call *call,
                                      const struct logs_put_subscription_filter_input *in,
                                      struct logs_put_subscription_filter_output *out)
{
    struct logs_group g;
    struct logs_sub old,
        sub = {
            .pattern = in->filter_pattern,
            .destination = in->destination_arn,
            .distribution = str_is_set(in->distribution) ? in->distribution : STR("ByLogStream"),
            .created_ms = call->txn->wall_ms,
        };
    TRY(check_vendor(call, in));
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    TRY(check(call, in, g.id));
    enum err err = logs_sub_read(call->txn, g.id, in->filter_name, &old);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_NOT_FOUND && g.subscriptions >= LOGS_SUBSCRIPTIONS_MAX)
        return call_error(call, &logs_err_limit_exceeded_exception, "Resource limit exceeded.");
    TRY(check_destination(call, in));
    if (err == ERR_NOT_FOUND) {
        g.subscriptions++;
        TRY(logs_write_group(call->txn, call_scope(call), in->log_group_name, &g));
    } else {
        sub.created_ms = old.created_ms;
    }
    return logs_sub_write(call->txn, g.id, in->filter_name, &sub);
}

enum err logs_delete_subscription_filter(struct call *call,
                                         const struct logs_delete_subscription_filter_input *in,
                                         struct logs_delete_subscription_filter_output *out)
{
    struct logs_group g;
    struct logs_sub sub;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    enum err err = logs_sub_read(call->txn, g.id, in->filter_name, &sub);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified subscription filter does not exist.");
    TRY(err);
    g.subscriptions--;
    TRY(logs_write_group(call->txn, call_scope(call), in->log_group_name, &g));
    return txn_del(call->txn, key_make(call->arena, &logs_k_sub, g.id, in->filter_name));
}

struct listing {
    struct call *call;
    struct str group;
    struct logs_subscription_filter *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct logs_sub sub;
    struct logs_subscription_filter *f = &l->v[l->n++];
    TRY(key_read(&logs_k_sub, key, l->call->arena, KEY_SKIP, &f->filter_name));
    TRY(logs_sub_parse(l->call->arena, record, &sub));
    f->log_group_name = l->group;
    f->filter_pattern = sub.pattern;
    f->destination_arn = sub.destination;
    f->distribution = sub.distribution;
    WIRE_SET(f, creation_time, sub.created_ms);
    WIRE_SET(f, apply_on_transformed_logs, false);
    return ERR_OK;
}

enum err
logs_describe_subscription_filters(struct call *call,
                                   const struct logs_describe_subscription_filters_input *in,
                                   struct logs_describe_subscription_filters_output *out)
{
    static const struct page_fns fns = {.take = take};
    struct listing l = {.call = call, .group = in->log_group_name};
    struct str prefix = str_is_set(in->filter_name_prefix) ? in->filter_name_prefix : STR("");
    struct str scope =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(in->log_group_name), STR_ARG(prefix));
    struct logs_group g;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    l.v = ARENA_ARRAY(call->arena, struct logs_subscription_filter, LOGS_DESCRIBE_MAX);
    if (!l.v || !str_is_set(scope))
        return ERR_NOMEM;
    struct page page = page_of_call(call, scope, in->next_token,
                                    in->has_limit ? (size_t)in->limit : LOGS_DESCRIBE_MAX);
    struct key_range range = key_range(call->arena, &logs_k_sub, g.id, KEY_STARTS(prefix));
    TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->subscription_filters = (struct logs_subscription_filters){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}
