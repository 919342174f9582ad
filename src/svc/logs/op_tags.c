/* TagResource, UntagResource, ListTagsForResource, and their older forms by group name. */
#include "base/arn.h"
#include "svc/logs/logs_int.h"

struct str logs_group_arn(struct call *call, struct str name)
{
    return call_arn(call, "logs", "log-group:" STR_FMT, STR_ARG(name));
}

/* By ARN or name. */
static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, ref, STR_NONE, &name, &g));
    ret->arn = logs_group_arn(call, name);
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    struct logs_group g;
    struct arn parts;
    if (arn_parse_as(arn, "logs", "log-group", &parts) != ERR_OK)
        return ERR_NOT_FOUND;
    ret->arn = arn;
    return logs_read_group(txn, (struct key_scope){parts.account, parts.region},
                           arn_segment(&parts, 1), &g);
}

static const struct tags_type types[] = {{"log-group", "logs:TagResource", "logs:UntagResource"}};

const struct tags_service logs_tags = {
    .rules =
        {
            .otherwise = {&logs_err_invalid_parameter_exception, NULL},
            .words = {[TAGS_TOO_MANY] = {&logs_err_too_many_tags_exception,
                                         "A resource can have no more than {max} tags."}},
        },
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err logs_tag_resource(struct call *call, const struct logs_tag_resource_input *in,
                           struct logs_tag_resource_output *out)
{
    return tags_op_add(call, &logs_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err logs_tag_log_group(struct call *call, const struct logs_tag_log_group_input *in,
                            struct logs_tag_log_group_output *out)
{
    return tags_op_add(call, &logs_tags, in->log_group_name, TAGS_FROM(in->tags));
}

enum err logs_untag_resource(struct call *call, const struct logs_untag_resource_input *in,
                             struct logs_untag_resource_output *out)
{
    return tags_op_remove(call, &logs_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err logs_untag_log_group(struct call *call, const struct logs_untag_log_group_input *in,
                              struct logs_untag_log_group_output *out)
{
    return tags_op_remove(call, &logs_tags, in->log_group_name, in->tags.v, in->tags.n);
}

static enum err list(struct call *call, struct str ref, struct logs_tags *ret)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &logs_tags, ref, &tags));
    TAGS_INTO(*ret, tags);
    return ERR_OK;
}

enum err logs_list_tags_for_resource(struct call *call,
                                     const struct logs_list_tags_for_resource_input *in,
                                     struct logs_list_tags_for_resource_output *out)
{
    return list(call, in->resource_arn, &out->tags);
}

enum err logs_list_tags_log_group(struct call *call,
                                  const struct logs_list_tags_log_group_input *in,
                                  struct logs_list_tags_log_group_output *out)
{
    return list(call, in->log_group_name, &out->tags);
}
