/* TagResource, UntagResource, ListTags: of functions.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

static enum err resource(struct call *call, struct str arn, struct tags_resource *ret)
{
    struct lambda_fn *fn;

    if (!target_is(call->core, arn, "function"))
        return LAMBDA_INVALID(call,
                              "Tags of resources other than functions are not supported by Weir.");
    TRY(lambda_fn_of_call(call, arn, STR_NONE, &fn));
    if (str_is_set(fn->name.qualifier))
        return LAMBDA_INVALID(call, "Tags on function aliases and versions are not supported. "
                                    "Please specify a function ARN.");
    ret->arn = fn->arn;
    /* Permissions were checked for the text that was given: it must be the function's ARN. */
    return str_eq(arn, fn->arn) ? ERR_OK : lambda_not_found(call, &fn->name);
}

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    struct lambda_name name;
    struct lambda_fn *fn;

    if (lambda_name_parse(arn, (struct key_scope){0}, &name) != ERR_OK ||
        str_is_set(name.qualifier))
        return ERR_NOT_FOUND;
    ret->arn = arn;
    return lambda_fn_get(txn, self, &name, &fn);
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
