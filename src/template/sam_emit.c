/* Resources of the result. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* Attributes that every part of a resource gets, and those of the main part alone. */
static const char *const shared_attributes[] = {"Condition", "DeletionPolicy",
                                                "UpdateReplacePolicy", "Metadata"};
static const char *const own_attributes[] = {"DependsOn", "CreationPolicy", "UpdatePolicy"};

struct json *sam_emitted(struct sam *s, struct str id)
{
    return json_at(s->out, id);
}

enum err sam_taken(struct sam *s, struct str id, const char *type)
{
    return sam_bad_plain(s,
                         "Transforming resource with id [" STR_FMT
                         "] attempts to create a new resource with id [" STR_FMT
                         "] and type \"%s\". A resource with that id already exists within this "
                         "template. Please use a different id for that resource.",
                         STR_ARG(s->id), STR_ARG(id), type);
}

/* How an image is built says nothing of other parts. */
static bool of_a_build(const struct json *metadata)
{
    return SAM_GET(metadata, "DockerTag") || SAM_GET(metadata, "DockerContext") ||
           SAM_GET(metadata, "Dockerfile");
}

/* Types that PropagateTags is for. */
static bool takes_tags(const char *type)
{
    static const char *const types[] = {
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::ApiGateway::UsagePlan",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (!strcmp(type, types[i]))
            return true;
    return false;
}

enum err sam_emit(struct sam *s, struct str id, const char *type, struct json *properties,
                  const struct json *attributes, bool all)
{
    struct json *v = sam_make(s, "{'Type': %s}", str_c(type));
    if (!str_eq(id, s->id) && json_get(s->resources, id))
        return sam_taken(s, id, type);
    if (s->out->n >= SAM_RESOURCES_MAX)
        return sam_bad_document(s, "It expands to more than %d resources.", SAM_RESOURCES_MAX);
    if (s->tags && takes_tags(type))
        sam_set(s, properties, "Tags", sam_tags(s, s->tags, NULL));
    sam_set(s, v, "Properties", properties);
    for (size_t i = 0; i < ARRAY_LEN(shared_attributes); i++)
        sam_take(s, v, shared_attributes[i], attributes, shared_attributes[i]);
    if (!all && of_a_build(SAM_GET(attributes, "Metadata")))
        json_unset(v, STR("Metadata"));
    for (size_t i = 0; all && i < ARRAY_LEN(own_attributes); i++)
        sam_take(s, v, own_attributes[i], attributes, own_attributes[i]);
    sam_put(s, s->out, id, v);
    return ERR_OK;
}

/* --- a function as others name it ------------------------------------------------------------------ */

struct json *sam_fn_ref(struct sam *s, const struct sam_fn *fn)
{
    return sam_make(s, "{'Ref': %s}", str_is_set(fn->alias) ? fn->alias : fn->id);
}

struct json *sam_fn_arn(struct sam *s, const struct sam_fn *fn)
{
    return str_is_set(fn->alias) ? sam_make(s, "{'Ref': %s}", fn->alias)
                                 : sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", fn->id);
}

struct json *sam_fn_tags(struct sam *s, const struct sam_fn *fn)
{
    return sam_tags(s, SAM_GET(fn->p, "Tags"), "lambda:createdBy");
}

enum err sam_permission(struct sam *s, const struct sam_fn *fn, struct str prefix,
                        const char *suffix, const char *principal, struct json *source_arn,
                        struct json *source_account, struct json *token)
{
    struct json *p =
        sam_make(s,
                 "{'Action': 'lambda:InvokeFunction', 'FunctionName': %v, 'Principal': "
                 "%s, 'SourceArn': %v, 'SourceAccount': %v, 'EventSourceToken': %v}",
                 sam_fn_ref(s, fn), str_c(principal), source_arn, source_account, token);
    return sam_emit(s, sam_cat3(s, prefix, STR("Permission"), suffix), "AWS::Lambda::Permission", p,
                    fn->resource, false);
}

struct json *sam_tags(struct sam *s, const struct json *tags, const char *mark)
{
    struct json *list = json_new(s->a, JSON_ARRAY);
    struct sam_members m = sam_in_order(s, s->of_api ? (struct json *)(uintptr_t)tags : NULL);
    if (mark)
        sam_push(s, list, sam_make(s, "{'Key': %s, 'Value': 'SAM'}", str_c(mark)));
    for (size_t i = 0; i < m.n; i++)
        sam_push(s, list, sam_make(s, "{'Key': %s, 'Value': %v}", m.v[i]->key, m.v[i]));
    JSON_EACH (s->of_api ? NULL : tags, it)
        sam_push(s, list, sam_make(s, "{'Key': %s, 'Value': %v}", it->key, it));
    return list;
}
