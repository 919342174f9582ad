/* Events of buckets and topics. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- buckets: the notification is a property of the bucket, which then waits for the permission ------- */

/* A list of texts with one more, in order, so that the same template always gives the same. */
static struct json *with_text(struct sam *s, const struct json *list, struct str text)
{
    struct json *sorted = json_new(s->a, JSON_ARRAY);
    bool placed = false;
    JSON_EACH (list, it) {
        if (!placed && sam_text(it) && str_cmp(text, it->text) < 0) {
            sam_push(s, sorted, sam_new_str(s, text));
            placed = true;
        }
        sam_push(s, sorted, sam_copy(s, it));
    }
    if (!placed)
        sam_push(s, sorted, sam_new_str(s, text));
    return sorted;
}

/* DependsOn cannot be conditional: a tag that refers to the permission makes the bucket wait. */
static void wait_for(struct sam *s, struct sam_fn *fn, struct json *bucket, struct str permission)
{
    struct str condition = json_get_str(fn->resource, STR("Condition"));
    struct json *tags;
    if (!str_is_set(condition)) {
        sam_set(s, bucket, "DependsOn",
                with_text(s, sam_as_list(s, SAM_GET(bucket, "DependsOn")), permission));
        return;
    }
    struct json *p = SAM_AT(bucket, "Properties");
    tags = sam_as_list(s, SAM_GET(p, "Tags"));
    sam_push(s, tags,
             sam_make(s, "{'Key': %s, 'Value': {'Fn::If': [%s, {'Ref': %s}, 'no dependency']}}",
                      sam_cat3(s, STR("sam:ConditionalDependsOn:"), permission, ""), condition,
                      permission));
    sam_set(s, p, "Tags", tags);
}

static enum err notify(struct sam *s, struct sam_fn *fn, const struct json *p,
                       struct json *properties)
{
    struct json *config = sam_map_at(s, properties, STR("NotificationConfiguration"));
    struct str condition = json_get_str(fn->resource, STR("Condition"));
    struct json *list = json_new(s->a, JSON_ARRAY), *events = NULL;
    TRY(sam_want(s, SAM_RESOURCE, config, 'm', STR("NotificationConfiguration")));
    const struct json *before = SAM_GET(config, "LambdaConfigurations");
    if (before && !sam_list(before))
        return sam_bad(s, "Invalid type for LambdaConfigurations. Must be a list.");
    TRY(sam_resolve(s, SAM_GET(p, "Events"), &events));
    events = sam_as_list(s, events);
    JSON_EACH (before, it)
        sam_push(s, list, sam_copy(s, it));
    JSON_EACH (events, it) {
        struct json *one = sam_make(s, "{'Event': %v, 'Function': %v, 'Filter': %v}", it,
                                    sam_fn_arn(s, fn), SAM_GET(p, "Filter"));
        one = sam_if(s, condition, one, sam_make(s, "{'Ref': 'AWS::NoValue'}"));
        bool there = false;
        JSON_EACH (list, other)
            there = there || sam_equal(other, one);
        if (!there)
            sam_push(s, list, one);
    }
    sam_set(s, config, "LambdaConfigurations", list);
    return ERR_OK;
}

/* The bucket counts as made for the function that came last: it has that one's tags where they propagate, and its own
 * again where they do not. */
static void uncover_tags(struct sam *s, struct str bucket, struct json *properties)
{
    const struct json *own = json_get(s->covered, bucket);
    if (!own)
        return;
    json_unset(properties, STR("Tags"));
    if (own->kind != JSON_NULL)
        sam_set(s, properties, "Tags", sam_copy(s, own));
    json_unset(s->covered, bucket);
}

static void cover_tags(struct sam *s, struct str bucket, struct json *properties)
{
    const struct json *own = SAM_GET(properties, "Tags");
    if (!s->tags)
        return;
    sam_put(s, s->covered, bucket, own ? sam_copy(s, own) : json_new(s->a, JSON_NULL));
    sam_set(s, properties, "Tags", sam_tags(s, s->tags, NULL));
}

enum err sam_s3_event(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    struct str name = sam_ref(SAM_GET(p, "Bucket"));
    struct json *bucket = str_is_set(name) ? sam_emitted(s, name) : NULL;
    if (!bucket || !sam_eq(SAM_GET(bucket, "Type"), "AWS::S3::Bucket"))
        return sam_bad_event(s, "S3 events must reference an S3 bucket in the same template.");
    TRY(sam_permission(s, fn, id, "", "s3.amazonaws.com", NULL,
                       sam_make(s, "{'Ref': 'AWS::AccountId'}"), NULL));
    s->id = name;
    const struct json *depends = SAM_GET(bucket, "DependsOn");
    JSON_EACH (sam_list(depends) ? depends : NULL, it)
        if (!sam_text(it))
            depends = it;
    if (depends && !sam_text(depends) && !sam_list(depends)) {
        s->id = id;
        return sam_bad(s,
                       "Invalid type for field 'DependsOn'. Expected a string or list of strings.");
    }
    struct json *properties = sam_map_at(s, bucket, STR("Properties"));
    if (!sam_map(properties))
        return sam_bad(s, "Properties should be a map.");
    uncover_tags(s, name, properties);
    if (SAM_GET(properties, "Tags"))
        TRY(sam_want(s, SAM_RESOURCE, SAM_GET(properties, "Tags"), 'l', STR("Tags")));
    TRY(notify(s, fn, p, properties));
    wait_for(s, fn, bucket, sam_cat(s, id, "Permission"));
    cover_tags(s, name, properties);
    s->id = fn->id;
    return ERR_OK;
}

/* --- topics --------------------------------------------------------------------------------------------- */

static enum err subscribe(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id,
                          const char *protocol, struct json *endpoint)
{
    struct json *v = sam_make(s,
                              "{'Protocol': %s, 'Endpoint': %v, 'TopicArn': %v, 'Region': %v, "
                              "'FilterPolicy': %v, 'FilterPolicyScope': %v, 'RedrivePolicy': %v}",
                              str_c(protocol), endpoint, SAM_GET(p, "Topic"), SAM_GET(p, "Region"),
                              SAM_GET(p, "FilterPolicy"), SAM_GET(p, "FilterPolicyScope"),
                              SAM_GET(p, "RedrivePolicy"));
    return sam_emit(s, id, "AWS::SNS::Subscription", v, fn->resource, false);
}

static enum err queue_policy(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id,
                             const struct json *arn, const struct json *url)
{
    struct json *policy = sam_make(
        s,
        "{'PolicyDocument': {'Version': '2012-10-17', 'Statement': [{'Action': 'sqs:SendMessage', "
        "'Effect': 'Allow', 'Principal': '*', 'Resource': %v, 'Condition': {'ArnEquals': "
        "{'aws:SourceArn': %v}}}]}, 'Queues': [%v]}",
        arn, SAM_GET(p, "Topic"), url);
    return sam_emit(s, id, "AWS::SQS::QueuePolicy", policy, fn->resource, false);
}

/* Whether the topic is one of this template, and of the kind that keeps order. */
static bool topic_is_fifo(struct sam *s, const struct json *p)
{
    const struct json *topic = json_get(s->resources, sam_ref(SAM_GET(p, "Topic")));
    return sam_true(SAM_GET(SAM_GET(topic, "Properties"), "FifoTopic"));
}

enum err sam_sns_event(struct sam *s, struct sam_fn *fn, const struct json *p, struct str id)
{
    const struct json *queue = SAM_GET(p, "SqsSubscription");
    struct json *arn = sam_copy(s, SAM_GET(queue, "QueueArn")),
                *url = sam_copy(s, SAM_GET(queue, "QueueUrl"));
    struct str policy_id = json_get_str(queue, STR("QueuePolicyLogicalId"));
    if (!sam_true(queue)) {
        TRY(subscribe(s, fn, p, id, "lambda", sam_fn_arn(s, fn)));
        return sam_permission(s, fn, id, "", "sns.amazonaws.com", sam_copy(s, SAM_GET(p, "Topic")),
                              NULL, NULL);
    }
    if (sam_map(queue) && (!arn || !url))
        return sam_bad_event(s, "No QueueARN or QueueURL provided.");
    if (!sam_map(queue)) {
        struct str made = sam_cat(s, id, "Queue");
        TRY(sam_emit(s, made, "AWS::SQS::Queue",
                     topic_is_fifo(s, p) ? sam_make(s, "{'FifoQueue': true}")
                                         : json_new(s->a, JSON_OBJECT),
                     fn->resource, false));
        arn = sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", made);
        url = sam_make(s, "{'Ref': %s}", made);
    }
    TRY(queue_policy(s, fn, p, str_is_set(policy_id) ? policy_id : sam_cat(s, id, "QueuePolicy"),
                     arn, url));
    struct json *mapping = sam_make(s, "{'Queue': %v, 'BatchSize': 10, 'Enabled': true}", arn);
    if (SAM_GET(queue, "BatchSize"))
        sam_take(s, mapping, "BatchSize", queue, "BatchSize");
    if (SAM_GET(queue, "Enabled"))
        sam_take(s, mapping, "Enabled", queue, "Enabled");
    TRY(sam_pull_event(s, fn, "SQS", mapping, sam_cat(s, id, "EventSourceMapping")));
    return subscribe(s, fn, p, id, "sqs", arn);
}
