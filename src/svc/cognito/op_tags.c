/* TagResource, UntagResource, ListTagsForResource: of pools.
 * Layer: svc/cognito. Thread: the call's. */
#include "base/arn.h"
#include "svc/cognito/cognito_int.h"

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    const struct cognito_pool *pool;
    struct arn parts;
    if (arn_parse_as(arn, "cognito-idp", "userpool", &parts) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(cognito_pool_find(self, txn, arn_segment(&parts, 1), &pool));
    if (!str_eq(pool->arn, arn))
        return ERR_NOT_FOUND;
    ret->arn = arn;
    enum err err = cognito_pool_guard(txn, pool);
    return err == ERR_CONFLICT ? ERR_NOT_FOUND : err;
}

static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    return tags_op_by_arn(call, &cognito_tags, &cognito_err_resource_not_found_exception, ref, ret);
}

static const struct tags_type types[] = {
    {"userpool", "cognito-idp:TagResource", "cognito-idp:UntagResource"}};

const struct tags_service cognito_tags = {
    .rules = {.otherwise = {&cognito_err_invalid_parameter_exception, NULL}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err cognito_tag_resource(struct call *call, const struct cognito_tag_resource_input *in,
                              struct cognito_tag_resource_output *out)
{
    return tags_op_add(call, &cognito_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err cognito_untag_resource(struct call *call, const struct cognito_untag_resource_input *in,
                                struct cognito_untag_resource_output *out)
{
    return tags_op_remove(call, &cognito_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err cognito_list_tags_for_resource(struct call *call,
                                        const struct cognito_list_tags_for_resource_input *in,
                                        struct cognito_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &cognito_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
