/* TagResource, UntagResource, ListTags: of functions.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

static enum err resource(struct call *call, struct str arn, struct tags_resource *ret)
{
    struct lambda_name name;
    struct lambda_fn rec;

    if (!target_is(call->core, arn, "function"))
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "Tags of resources other than functions are not supported by Weir.");
    TRY(lambda_name_of_call(call, arn, STR_NONE, &name));
    if (str_is_set(name.qualifier))
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "Tags on function aliases and versions are not supported. Please specify "
                          "a function ARN.");
    ret->arn = lambda_arn(call->arena, call->partition, &name, STR_NONE);
    if (!str_is_set(ret->arn))
        return ERR_NOMEM;
    /* Permissions were checked for the text that was given: it must be the function's ARN. */
    return str_eq(arn, ret->arn) ? lambda_fn_of_call(call, &name, &rec)
                                 : lambda_not_found(call, &name);
}

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    struct lambda_name name;
    struct lambda_fn rec;

    if (lambda_name_parse(arn, STR_NONE, STR_NONE, &name) != ERR_OK || str_is_set(name.qualifier))
        return ERR_NOT_FOUND;
    ret->arn = arn;
    return lambda_fn_get(txn, &name, &rec);
}

static const struct tags_type types[] = {
    {"function", "lambda:TagResource", "lambda:UntagResource"}};

const struct tags_service lambda_tags_service = {
    .rules =
        {
            .otherwise = {&lambda_err_invalid_parameter_value_exception, NULL},
            .words = {[TAGS_TOO_MANY] = {&lambda_err_invalid_parameter_value_exception,
                                         "The number of tags exceeds the limit of {max}"}},
        },
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err lambda_tags_of(struct call *call, const struct lambda_fn *rec, struct tag_list *ret_tags)
{
    struct lambda_name name = lambda_fn_name(rec);
    struct str arn = lambda_arn(call->arena, call->partition, &name, STR_NONE);
    return str_is_set(arn) ? tags_of(call->txn, arn, ret_tags) : ERR_NOMEM;
}

enum err lambda_list_tags(struct call *call, const struct lambda_list_tags_input *in,
                          struct lambda_list_tags_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &lambda_tags_service, in->resource, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}

enum err lambda_tag_resource(struct call *call, const struct lambda_tag_resource_input *in,
                             struct lambda_tag_resource_output *out)
{
    return tags_op_add(call, &lambda_tags_service, in->resource, TAGS_FROM(in->tags));
}

enum err lambda_untag_resource(struct call *call, const struct lambda_untag_resource_input *in,
                               struct lambda_untag_resource_output *out)
{
    return tags_op_remove(call, &lambda_tags_service, in->resource, in->tag_keys.v, in->tag_keys.n);
}
