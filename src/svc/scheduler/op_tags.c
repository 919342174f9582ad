/* TagResource, UntagResource, ListTagsForResource: of schedule groups. Layer: svc/scheduler. */
#include "svc/scheduler/scheduler_int.h"

static enum err find(void *self, struct txn *txn, struct str text, struct tags_resource *ret)
{
    struct scheduler_group g;
    struct arn arn;
    ret->arn = text;
    if (arn_parse_as(text, "scheduler", "schedule-group", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    return scheduler_group_read(txn, (struct key_scope){arn.account, arn.region}, arn_tail(&arn, 1),
                                &g);
}

static enum err resource(struct call *call, struct str arn, struct tags_resource *ret)
{
    return tags_op_by_arn(call, &scheduler_tags, &scheduler_err_resource_not_found_exception, arn,
                          ret);
}

static const struct tags_type types[] = {
    {"schedule-group", "scheduler:TagResource", "scheduler:UntagResource"},
};

const struct tags_service scheduler_tags = {
    .rules = {.otherwise = {&scheduler_err_validation_exception, NULL}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err scheduler_tag_resource(struct call *call, const struct scheduler_tag_resource_input *in,
                                struct scheduler_tag_resource_output *out)
{
    return tags_op_add(call, &scheduler_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err scheduler_untag_resource(struct call *call,
                                  const struct scheduler_untag_resource_input *in,
                                  struct scheduler_untag_resource_output *out)
{
    return tags_op_remove(call, &scheduler_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err scheduler_list_tags_for_resource(struct call *call,
                                          const struct scheduler_list_tags_for_resource_input *in,
                                          struct scheduler_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &scheduler_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
