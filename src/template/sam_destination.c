/* EventInvokeConfig of a function: where results of asynchronous invocations go, with queues and topics that
 * are made where none is named.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

static const struct {
    const char *type, *action;
    const char *made, *suffix; /* the resource for a destination without a name */
    const char *attribute;     /* that names it; NULL: Ref */
} targets[] = {
    {"SQS", "sqs:SendMessage", "AWS::SQS::Queue", "Queue", "Arn"},
    {"SNS", "sns:publish", "AWS::SNS::Topic", "Topic", NULL},
    {"EventBridge", "events:PutEvents", NULL, NULL, NULL},
    {"Lambda", "lambda:InvokeFunction", NULL, NULL, NULL},
    {"S3Bucket", "s3:PutObject", NULL, NULL, NULL},
};

/* The condition under which a destination is to be made: Fn::If with one branch absent. */
static enum err condition_of(struct sam *s, const struct json *destination,
                             struct str *ret_condition, const struct json **ret_other)
{
    const struct json *args = sam_intrinsic(destination) ? SAM_GET(destination, "Fn::If") : NULL;
    *ret_condition = STR_NONE;
    *ret_other = NULL;
    if (!args)
        return ERR_OK;
    if (!sam_list(args) || args->n != 3)
        return sam_bad(s, "Malformed 'Destination' property: Fn::If requires 3 arguments.");
    struct str condition = sam_str(args->child);
    const struct json *a = args->child->next, *b = a->next;
    if (sam_no_value(a)) {
        *ret_condition = condition;
        *ret_other = b;
    } else if (sam_no_value(b)) {
        *ret_condition = sam_not_condition(s, condition, sam_hash(s, s->id, 10));
        *ret_other = a;
    }
    return ERR_OK;
}

struct destination {
    struct sam_fn *fn;
    struct str id;    /* prefix of what is made */
    const char *name; /* "OnSuccess" */
    const struct json *v;
};

static enum err make_target(struct sam *s, const struct destination *d, size_t kind,
                            struct str condition, struct json **ret_arn)
{
    struct str id = str_fmt(s->a, STR_FMT "%s%s", STR_ARG(d->id), d->name, targets[kind].suffix);
    TRY(sam_emit(s, id, targets[kind].made, json_new(s->a, JSON_OBJECT), d->fn->resource, false));
    struct str own = json_get_str(d->fn->resource, STR("Condition"));
    if (str_is_set(condition) && str_is_set(own))
        condition = sam_and_condition(s, own, condition, sam_hash(s, d->fn->id, 10));
    if (str_is_set(condition))
        sam_set(s, sam_emitted(s, id), "Condition", sam_new_str(s, condition));
    sam_put(s, s->refs, sam_cat3(s, d->fn->id, STR(".Destination"), targets[kind].suffix),
            sam_new_str(s, id));
    *ret_arn = targets[kind].attribute ? sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", id)
                                       : sam_make(s, "{'Ref': %s}", id);
    return ERR_OK;
}

static enum err find_kind(struct sam *s, const struct json *type, size_t *ret_kind)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        if (sam_eq(type, targets[i].type)) {
            *ret_kind = i;
            return ERR_OK;
        }
    return sam_bad(
        s, "'Type: " STR_FMT "' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']",
        STR_ARG(sam_text(type) ? type->text : sam_repr(s, type)));
}

static enum err one_destination(struct sam *s, const struct destination *d, struct json *config)
{
    size_t kind = 0;
    const struct json *given = SAM_GET(d->v, "Destination"), *other = NULL;
    struct str condition = STR_NONE;
    struct json *arn = sam_copy(s, given);
    TRY(find_kind(s, SAM_GET(d->v, "Type"), &kind));
    struct str was = s->id;
    s->id = d->id;
    if (targets[kind].made)
        TRY(condition_of(s, given, &condition, &other));
    s->id = was;
    if (targets[kind].made && (!given || str_is_set(condition)))
        TRY(make_target(s, d, kind, condition, &arn));
    else if (!given)
        return sam_bad(s, "Destination is required if Type is not ['SQS', 'SNS']");
    if (str_is_set(condition)) {
        struct json *rest = NULL;
        TRY(sam_resolve(s, other, &rest));
        arn = sam_if(s, condition, arn, rest);
    } else {
        TRY(sam_resolve(s, arn, &arn));
    }
    sam_set(s, config, d->name, sam_make(s, "{'Destination': %v}", arn));
    struct str policy =
        str_fmt(s->a, STR_FMT "%s%sPolicy", STR_ARG(d->id), d->name, targets[kind].type);
    sam_push(
        s, d->fn->policies,
        sam_make(s,
                 "{'PolicyName': %s, 'PolicyDocument': {'Statement': [{'Action': %s, 'Effect': "
                 "'Allow', 'Resource': %v}]}}",
                 policy, str_c(targets[kind].action), arn));
    return ERR_OK;
}

enum err sam_event_invoke(struct sam *s, struct sam_fn *fn)
{
    const struct json *given = SAM_GET(fn->p, "EventInvokeConfig");
    const struct json *destinations = SAM_GET(given, "DestinationConfig");
    struct str id = sam_cat(s, fn->id, "EventInvokeConfig");
    static const char *const names[] = {"OnSuccess", "OnFailure"};
    if (!sam_true(given))
        return ERR_OK;
    struct json *config = destinations ? json_new(s->a, JSON_OBJECT) : NULL;
    if (destinations)
        TRY(sam_want(s, SAM_RESOURCE, destinations, 'm',
                     STR("EventInvokeConfig.DestinationConfig")));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct destination d = {fn, id, names[i], json_get(destinations, str_c(names[i]))};
        if (!d.v)
            continue;
        TRY(sam_want(s, SAM_RESOURCE, d.v, 'm',
                     str_fmt(s->a, "EventInvokeConfig.DestinationConfig.%s", names[i])));
        TRY(one_destination(s, &d, config));
    }
    struct json *p = sam_make(
        s,
        "{'FunctionName': {'Ref': %s}, 'Qualifier': %v, 'DestinationConfig': %v, "
        "'MaximumEventAgeInSeconds': %v, 'MaximumRetryAttempts': %v}",
        fn->id, sam_new_str(s, str_is_set(fn->alias) ? fn->alias_name : STR("$LATEST")), config,
        SAM_GET(given, "MaximumEventAgeInSeconds"), SAM_GET(given, "MaximumRetryAttempts"));
    TRY(sam_emit(s, id, "AWS::Lambda::EventInvokeConfig", p, fn->resource, false));
    if (str_is_set(fn->alias))
        sam_set(s, sam_emitted(s, id), "DependsOn", sam_make(s, "[%s]", fn->alias));
    return ERR_OK;
}
