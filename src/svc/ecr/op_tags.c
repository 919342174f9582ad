/* TagResource, UntagResource, ListTagsForResource. Layer: svc/ecr. */
#include "svc/ecr/ecr_int.h"

static enum err find(void *self, struct txn *txn, struct str text, struct tags_resource *ret)
{
    struct ecr_record r;
    struct arn arn;
    ret->arn = text;
    if (arn_parse_as(text, "ecr", "repository", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    return ecr_read(txn, (struct key_scope){arn.account, arn.region}, arn_tail(&arn, 1), &r);
}

static enum err resource(struct call *call, struct str text, struct tags_resource *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "ecr", "repository", &arn) != ERR_OK)
        return ECR_INVALID(call, "Invalid parameter at 'resourceArn' failed to satisfy constraint: "
                                 "'Invalid ARN'");
    return tags_op_by_arn(call, &ecr_tags, &ecr_err_repository_not_found_exception, text, ret);
}

static const struct tags_type types[] = {
    {"repository", "ecr:TagResource", "ecr:UntagResource"},
};

const struct tags_service ecr_tags = {
    .rules = {.otherwise = {&ecr_err_invalid_tag_parameter_exception, NULL},
              .words = {[TAGS_TOO_MANY] = {&ecr_err_too_many_tags_exception, NULL}}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
    .own_keys = true,
    .paths = true,
};

enum err ecr_tag_resource(struct call *call, const struct ecr_tag_resource_input *in,
                          struct ecr_tag_resource_output *out)
{
    return tags_op_add(call, &ecr_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err ecr_untag_resource(struct call *call, const struct ecr_untag_resource_input *in,
                            struct ecr_untag_resource_output *out)
{
    return tags_op_remove(call, &ecr_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err ecr_list_tags_for_resource(struct call *call,
                                    const struct ecr_list_tags_for_resource_input *in,
                                    struct ecr_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &ecr_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
