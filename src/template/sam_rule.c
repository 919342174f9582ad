/* Events of rules and schedules. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- dead letters --------------------------------------------------------------------------------- */

static enum err check_dead_letters(struct sam *s, const struct json *config)
{
    const struct json *arn = SAM_GET(config, "Arn"), *type = SAM_GET(config, "Type");
    if (arn && type)
        return sam_bad_event(s,
                             "You can either define 'Arn' or 'Type' property of DeadLetterConfig.");
    if (type && !sam_eq(type, "SQS"))
        return sam_bad_event(
            s, "The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.");
    if (!arn && !type)
        return sam_bad_event(s, "No 'Arn' or 'Type' property provided for DeadLetterConfig.");
    const struct json *id = SAM_GET(config, "QueueLogicalId");
    if (id && !sam_text(id))
        return sam_bad_event(s, "QueueLogicalId must be a string");
    return ERR_OK;
}

/* A queue of its own where none is named; *ret_made: its id, absent where there was one. */
static enum err queue_of(struct sam *s, const struct sam_fn *fn, const struct json *p,
                         struct str id, struct json **ret_arn, struct str *ret_made)
{
    const struct json *config = SAM_GET(p, "DeadLetterConfig");
    *ret_made = STR_NONE;
    *ret_arn = sam_copy(s, SAM_GET(config, "Arn"));
    if (!config)
        return ERR_OK;
    s->event = id;
    TRY(check_dead_letters(s, config));
    if (*ret_arn)
        return ERR_OK;
    struct str queue = json_get_str(config, STR("QueueLogicalId"));
    *ret_made = str_is_set(queue) ? queue : sam_cat(s, id, "Queue");
    *ret_arn = sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", *ret_made);
    return sam_emit(s, *ret_made, "AWS::SQS::Queue", json_new(s->a, JSON_OBJECT), fn->resource,
                    false);
}

enum err sam_dead_letters(struct sam *s, const struct sam_fn *fn, const struct json *p,
                          struct str id, struct json **ret_config)
{
    struct json *arn = NULL;
    struct str made;
    TRY(queue_of(s, fn, p, id, &arn, &made));
    *ret_config = arn ? sam_make(s, "{'Arn': %v}", arn) : NULL;
    if (!str_is_set(made))
        return ERR_OK;
    struct json *policy =
        sam_make(s,
                 "{'PolicyDocument': {'Version': '2012-10-17', 'Statement': [{'Action': "
                 "'sqs:SendMessage', 'Effect': 'Allow', 'Principal': {'Service': "
                 "'events.amazonaws.com'}, 'Resource': %v, 'Condition': {'ArnEquals': "
                 "{'aws:SourceArn': {'Fn::GetAtt': [%s, 'Arn']}}}}]}, 'Queues': [{'Ref': %s}]}",
                 arn, id, made);
    return sam_emit(s, sam_cat(s, id, "QueuePolicy"), "AWS::SQS::QueuePolicy", policy, fn->resource,
                    false);
}

/* --- rules ------------------------------------------------------------------------------------------ */

/* State as it is given, or what Enabled says. */
static enum err state_of(struct sam *s, const struct json *p, struct json **ret_state)
{
    const struct json *enabled = SAM_GET(p, "Enabled"), *state = SAM_GET(p, "State");
    if (enabled && state)
        return sam_bad_event(s, "State and Enabled Properties cannot both be specified.");
    *ret_state = sam_copy(s, state);
    if (enabled)
        *ret_state = sam_new_str(s, sam_true(enabled) ? STR("ENABLED") : STR("DISABLED"));
    return ERR_OK;
}

static enum err emit_rule(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id,
                          struct json *rule)
{
    static const char *const carried[] = {"Input", "InputPath", "InputTransformer", "RetryPolicy"};
    struct json *letters = NULL, *state = NULL;
    const struct json *target_id = SAM_GET(SAM_GET(p, "Target"), "Id");
    TRY(state_of(s, p, &state));
    TRY(sam_dead_letters(s, fn, p, id, &letters));
    struct json *target =
        sam_make(s, "{'Arn': %v, 'Id': %v, 'DeadLetterConfig': %v}", sam_fn_arn(s, fn),
                 sam_new_str(s, sam_cat(s, id, "LambdaTarget")), letters);
    if (target_id)
        sam_set(s, target, "Id", sam_copy(s, target_id));
    for (size_t i = 0; i < ARRAY_LEN(carried); i++)
        sam_take(s, target, carried[i], p, carried[i]);
    sam_set(s, rule, "State", state);
    sam_set(s, rule, "Targets", sam_make(s, "[%v]", target));
    TRY(sam_emit(s, id, "AWS::Events::Rule", rule, fn->resource, false));
    return sam_permission(s, fn, id, "", "events.amazonaws.com",
                          sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", id), NULL, NULL);
}

enum err sam_schedule_event(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    struct json *rule =
        sam_make(s, "{'ScheduleExpression': %v, 'Name': %v, 'Description': %v, 'RoleArn': %v}",
                 SAM_GET(p, "Schedule"), SAM_GET(p, "Name"), SAM_GET(p, "Description"),
                 SAM_GET(p, "RoleArn"));
    return emit_rule(s, fn, p, id, rule);
}

enum err sam_rule_event(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    struct json *rule =
        sam_make(s, "{'EventBusName': %v, 'EventPattern': %v, 'Name': %v}",
                 SAM_GET(p, "EventBusName"), SAM_GET(p, "Pattern"), SAM_GET(p, "RuleName"));
    return emit_rule(s, fn, p, id, rule);
}

/* --- schedules of the scheduler --------------------------------------------------------------------- */

static enum err schedule_role(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id,
                              const struct json *queue)
{
    struct json *policies = sam_make(
        s,
        "[{'PolicyName': %s, 'PolicyDocument': {'Statement': [{'Action': 'lambda:InvokeFunction', "
        "'Effect': 'Allow', 'Resource': %v}]}}]",
        sam_cat(s, id, "LambdaPolicy"), sam_fn_arn(s, fn));
    if (queue)
        sam_push(s, policies,
                 sam_make(s,
                          "{'PolicyName': %s, 'PolicyDocument': {'Statement': [{'Action': "
                          "'sqs:SendMessage', 'Effect': 'Allow', 'Resource': %v}]}}",
                          sam_cat(s, id, "SQSPolicy"), queue));
    struct json *role =
        sam_make(s,
                 "{'AssumeRolePolicyDocument': {'Version': '2012-10-17', 'Statement': [{'Action': "
                 "['sts:AssumeRole'], 'Effect': 'Allow', 'Principal': {'Service': "
                 "['scheduler.amazonaws.com']}}]}, 'Policies': %v, 'PermissionsBoundary': %v}",
                 policies, SAM_GET(p, "PermissionsBoundary"));
    return sam_emit(s, sam_cat(s, id, "Role"), "AWS::IAM::Role", role, fn->resource, false);
}

enum err sam_schedule_v2_event(struct sam *s, struct sam_fn *fn, const struct json *p,
                               struct str id)
{
    static const char *const carried[] = {
        "ScheduleExpression",         "Description", "State",    "StartDate", "EndDate",
        "ScheduleExpressionTimezone", "GroupName",   "KmsKeyArn"};
    struct json *arn = NULL, *schedule = json_new(s->a, JSON_OBJECT);
    const struct json *role = SAM_GET(p, "RoleArn"), *window = SAM_GET(p, "FlexibleTimeWindow");
    bool omit = sam_bool(SAM_GET(p, "OmitName"), true);
    struct str made;
    TRY(queue_of(s, fn, p, id, &arn, &made));
    s->event = id;
    if (omit && SAM_GET(p, "Name"))
        return sam_bad_event(s, "Name cannot be set when OmitName is True");
    for (size_t i = 0; i < ARRAY_LEN(carried); i++)
        sam_take(s, schedule, carried[i], p, carried[i]);
    sam_set(s, schedule, "FlexibleTimeWindow",
            window ? sam_copy(s, window) : sam_make(s, "{'Mode': 'OFF'}"));
    if (!omit)
        sam_set(s, schedule, "Name",
                SAM_GET(p, "Name") ? sam_copy(s, SAM_GET(p, "Name")) : sam_new_str(s, id));
    struct json *target = sam_make(
        s, "{'Arn': %v, 'RoleArn': %v, 'Input': %v, 'RetryPolicy': %v, 'DeadLetterConfig': %v}",
        sam_fn_arn(s, fn),
        role ? role : sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", sam_cat(s, id, "Role")),
        SAM_GET(p, "Input"), SAM_GET(p, "RetryPolicy"),
        arn ? sam_make(s, "{'Arn': %v}", arn) : NULL);
    sam_set(s, schedule, "Target", target);
    TRY(sam_emit(s, id, "AWS::Scheduler::Schedule", schedule, fn->resource, false));
    return role ? ERR_OK : schedule_role(s, fn, p, id, arn);
}
