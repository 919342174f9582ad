/* Events of streams and queues. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* Streams and queues: an event source mapping, and what the role needs to read. */
static enum err check_pull(struct sam *s, const struct json *p)
{
    const struct json *filters = SAM_GET(p, "FilterCriteria");
    const struct json *destinations = SAM_GET(p, "DestinationConfig");
    const struct json *failure = SAM_GET(destinations, "OnFailure");
    if (sam_map(filters) && !sam_intrinsic(filters) && !sam_list(SAM_GET(filters, "Filters")) &&
        !sam_intrinsic(SAM_GET(filters, "Filters")))
        return sam_bad_event(s, "FilterCriteria field has a wrong format");
    if (destinations && !sam_map(failure))
        return sam_bad_event(s, "Property 'DestinationConfig.OnFailure' should be a map.");
    return ERR_OK;
}

static enum err pull_destination(struct sam *s, struct sam_fn *fn, const struct json *p,
                                 struct str id, struct json *mapping)
{
    const struct json *failure = SAM_GET(SAM_GET(p, "DestinationConfig"), "OnFailure");
    const struct json *destination = SAM_GET(failure, "Destination"),
                      *type = SAM_GET(failure, "Type");
    static const struct {
        const char *type, *action;
    } rows[] = {{"SQS", "sqs:SendMessage"}, {"SNS", "sns:publish"}, {"S3Bucket", "s3:PutObject"}};
    if (!failure)
        return ERR_OK;
    struct json *config = sam_make(s, "{'OnFailure': {'Destination': %v}}", destination);
    sam_set(s, mapping, "DestinationConfig", config);
    if (!type)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!sam_eq(type, rows[i].type))
            continue;
        struct str name = sam_cat3(s, id, str_c(rows[i].type), "Policy");
        sam_push(s, fn->policies,
                 sam_make(s,
                          "{'PolicyName': %s, 'PolicyDocument': {'Statement': [{'Action': %s, "
                          "'Effect': 'Allow', 'Resource': %v}]}}",
                          name, str_c(rows[i].action), destination));
        return ERR_OK;
    }
    return sam_bad(s, "'Type: " STR_FMT "' must be one of ['SQS', 'SNS', 'S3Bucket']",
                   STR_ARG(sam_str(type)));
}

enum err sam_pull_event(struct sam *s, struct sam_fn *fn, const char *type, const struct json *p,
                        struct str id)
{
    bool queue = !strcmp(type, "SQS");
    struct json *mapping = json_new(s->a, JSON_OBJECT);
    TRY(check_pull(s, p));
    sam_set(s, mapping, "EventSourceArn",
            sam_copy(s, queue ? SAM_GET(p, "Queue") : SAM_GET(p, "Stream")));
    sam_set(s, mapping, "FunctionName", sam_fn_ref(s, fn));
    sam_carry(s, queue ? "Function.SQS" : "Function.DynamoDB", p, mapping);
    TRY(pull_destination(s, fn, p, id, mapping));
    sam_push(s, fn->managed,
             sam_new_str(s, str_fmt(s->a, "arn:" STR_FMT ":iam::aws:policy/service-role/%s",
                                    STR_ARG(s->world->partition),
                                    queue ? "AWSLambdaSQSQueueExecutionRole"
                                          : "AWSLambdaDynamoDBExecutionRole")));
    return sam_emit(s, id, "AWS::Lambda::EventSourceMapping", mapping, fn->resource, false);
}
