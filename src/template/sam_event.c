/* Events of a function: what each kind adds to the template. Here the table of kinds and the short ones.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static enum err cloudwatch_logs(struct sam *s, struct sam_fn *fn, const struct json *p,
                                struct str id)
{
    struct json *arn = sam_make(s, "{'Fn::Sub': [%s, {'__LogGroupName__': %v}]}",
                                str_fmt(s->a,
                                        "arn:" STR_FMT ":logs:${AWS::Region}:${AWS::AccountId}:"
                                        "log-group:${__LogGroupName__}:*",
                                        STR_ARG(s->world->partition)),
                                SAM_GET(p, "LogGroupName"));
    TRY(sam_permission(s, fn, id, "", "logs.amazonaws.com", arn, NULL, NULL));
    struct json *filter =
        sam_make(s, "{'LogGroupName': %v, 'FilterPattern': %v, 'DestinationArn': %v}",
                 SAM_GET(p, "LogGroupName"), SAM_GET(p, "FilterPattern"), sam_fn_arn(s, fn));
    TRY(sam_emit(s, id, "AWS::Logs::SubscriptionFilter", filter, fn->resource, false));
    sam_set(s, sam_emitted(s, id), "DependsOn", sam_make(s, "[%s]", sam_cat(s, id, "Permission")));
    return ERR_OK;
}

static enum err alexa_skill(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    return sam_permission(s, fn, id, "", "alexa-appkit.amazon.com", NULL, NULL,
                          sam_copy(s, SAM_GET(p, "SkillId")));
}

static struct str trigger_text(struct sam *s, const struct json *v)
{
    return sam_text(v) ? v->text : s->ordered ? sam_repr27(s, v) : sam_repr(s, v);
}

/* A trigger is a member of the pool's own LambdaConfig; one function may serve several. */
static enum err cognito(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    const struct json *pool = SAM_GET(p, "UserPool"), *ref = SAM_GET(pool, "Ref");
    if (ref && !sam_text(ref)) {
        s->event = id;
        return sam_bad_event(s, "Ref in Userpool is not a string.");
    }
    struct json *resource = str_is_set(sam_ref(pool)) ? sam_emitted(s, sam_ref(pool)) : NULL;
    if (!resource || !sam_eq(SAM_GET(resource, "Type"), "AWS::Cognito::UserPool"))
        return sam_bad_event(
            s, "Cognito events must reference a Cognito UserPool in the same template.");
    struct str pool_id = sam_ref(pool), function_id = fn->id, event_id = s->event;
    struct json *properties = sam_map_at(s, resource, STR("Properties"));
    struct json *config = sam_map_at(s, properties, STR("LambdaConfig"));
    struct json *triggers = sam_as_list(s, SAM_GET(p, "Trigger"));
    s->id = id;
    JSON_EACH (triggers, it)
        if (!sam_text(it))
            return sam_bad(s, "Type of property 'Trigger' is invalid.");
    s->id = sam_map(config) ? function_id : pool_id;
    if (!sam_map(config))
        return sam_want(s, SAM_RESOURCE, config, 'm', STR("LambdaConfig"));
    JSON_EACH (triggers, it) {
        if (json_get(config, sam_str(it)) || !sam_text(it))
            return sam_bad_event(s, "Cognito trigger \"" STR_FMT "\" defined multiple times.",
                                 STR_ARG(trigger_text(s, SAM_GET(p, "Trigger"))));
        sam_put(s, config, it->text, sam_fn_arn(s, fn));
    }
    s->id = function_id;
    s->event = event_id;
    struct str prefix = sam_cat(s, str_is_set(fn->alias) ? fn->alias : fn->id, "Cognito");
    if (sam_emitted(s, sam_cat(s, prefix, "Permission")))
        return ERR_OK;
    return sam_permission(s, fn, prefix, "", "cognito-idp.amazonaws.com",
                          sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", pool_id), NULL, NULL);
}

static enum err sqs(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    return sam_pull_event(s, fn, "SQS", p, id);
}

static enum err dynamodb(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    return sam_pull_event(s, fn, "DynamoDB", p, id);
}

static const struct event_kind {
    const char *type, *owner;
    enum err (*add)(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id);
} events[] = {
    {"S3", "Function.S3", sam_s3_event},
    {"SNS", "Function.SNS", sam_sns_event},
    {"SQS", "Function.SQS", sqs},
    {"DynamoDB", "Function.DynamoDB", dynamodb},
    {"Schedule", "Function.Schedule", sam_schedule_event},
    {"ScheduleV2", "Function.ScheduleV2", sam_schedule_v2_event},
    {"EventBridgeRule", "Function.CloudWatchEvent", sam_rule_event},
    {"CloudWatchEvent", "Function.CloudWatchEvent", sam_rule_event},
    {"CloudWatchLogs", "Function.CloudWatchLogs", cloudwatch_logs},
    {"Cognito", "Function.Cognito", cognito},
    {"AlexaSkill", "Function.AlexaSkill", alexa_skill},
    {"Api", "Function.Api", sam_api_event},
};

static const char *const refused[] = {"Kinesis",    "MSK",     "MQ",     "SelfManagedKafka",
                                      "DocumentDB", "IoTRule", "HttpApi"};

/* A fault of the event's properties names the resource that the event would be. */
static enum err check(struct sam *s, const char *owner, const char *type, const struct json *p,
                      struct str id)
{
    struct str was = s->id;
    s->id = id;
    enum err err = sam_check(s, owner, type, p);
    if (err == ERR_OK)
        s->id = was;
    return err;
}

static const struct event_kind *kind_of(const struct json *type)
{
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (sam_eq(type, events[i].type))
            return &events[i];
    return NULL;
}

enum err sam_check_event(struct sam *s, const struct sam_fn *fn, const struct json *event)
{
    const struct json *type = SAM_GET(event, "Type"), *p = SAM_GET(event, "Properties");
    const struct event_kind *kind = kind_of(type);
    if (!sam_map(event))
        return sam_bad_event(s, "'%s' object has no attribute 'get'", sam_type_name(event));
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (sam_eq(type, refused[i]))
            return sam_catch(s, sam_refuse_event(s, refused[i]));
    if (!kind)
        return sam_bad_event(
            s,
            "Resource dict has missing or invalid value for key Type. Event Type is: " STR_FMT ".",
            STR_ARG(sam_text(type) ? type->text : sam_repr(s, type)));
    if (p ? !sam_map(p) : !strcmp(kind->type, "Api"))
        return sam_bad_event(s, "Properties should be a map.");
    return check(s, kind->owner, kind->type, p, sam_cat3(s, fn->id, event->key, ""));
}

enum err sam_event(struct sam *s, struct sam_fn *fn, const struct json *event)
{
    const struct event_kind *kind = kind_of(SAM_GET(event, "Type"));
    return kind
               ? kind->add(s, fn, SAM_GET(event, "Properties"), sam_cat3(s, fn->id, event->key, ""))
               : ERR_OK;
}
