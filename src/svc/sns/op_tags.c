/* TagResource, UntagResource, ListTagsForResource. Layer: svc/sns. */
#include "base/arn.h"
#include "svc/sns/sns_int.h"

static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    struct sns_topic_ref t;
    struct arn arn;
    enum err err = ERR_NOT_FOUND;
    if (arn_parse_as(ref, "sns", NULL, &arn) != ERR_OK)
        return SNS_INVALID(call, "ResourceArn");
    if (str_eq(arn.account, call->account) && str_eq(arn.region, call->region))
        err = sns_topic_find(call->txn, ref, &t);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &sns_err_resource_not_found_exception, "Resource does not exist");
    TRY(err);
    ret->arn = t.arn;
    return ERR_OK;
}

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    struct sns_topic_ref t;
    ret->arn = arn;
    return sns_topic_find(txn, arn, &t);
}

static const struct tags_type types[] = {{NULL, "sns:TagResource", "sns:UntagResource"}};

const struct tags_service sns_tags = {
    .rules =
        {
            .otherwise = {&sns_err_invalid_parameter_exception, NULL},
            .words = {[TAGS_TOO_MANY] = {&sns_err_tag_limit_exceeded_exception,
                                         "Could not complete request: tag quota of per resource "
                                         "exceeded"}},
        },
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err sns_tag_resource(struct call *call, const struct sns_tag_resource_input *in,
                          struct sns_tag_resource_output *out)
{
    return tags_op_add(call, &sns_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err sns_untag_resource(struct call *call, const struct sns_untag_resource_input *in,
                            struct sns_untag_resource_output *out)
{
    return tags_op_remove(call, &sns_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err sns_list_tags_for_resource(struct call *call,
                                    const struct sns_list_tags_for_resource_input *in,
                                    struct sns_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &sns_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
