/* TagResource, UntagResource, ListTags: of functions and event source mappings.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

/* The mapping that an ARN names exists. ERR_INVALID: it names none. */
static enum err find_mapping(struct lambda *l, struct txn *txn, struct str arn)
{
    struct key_scope scope;
    struct str uuid;
    struct lambda_mapping *m;

    TRY(lambda_mapping_arn_parse(arn, &scope, &uuid));
    return lambda_mapping_get(txn, l, scope, uuid, &m);
}

static enum err resource(struct call *call, struct str arn, struct tags_resource *ret)
{
    struct lambda_fn *fn;

    enum err err = find_mapping(lambda_of(call), call->txn, arn);
    if (err == ERR_OK)
        ret->arn = arn;
    if (err == ERR_NOT_FOUND || (err == ERR_INVALID && !target_is(call->core, arn, "function")))
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "The resource you requested does not exist.");
    if (err != ERR_INVALID)
        return err;
    TRY(lambda_fn_of_qualifier(call, arn, STR_NONE, &fn));
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

    ret->arn = arn;
    enum err err = find_mapping(self, txn, arn);
    if (err != ERR_INVALID)
        return err;
    if (lambda_name_parse(arn, (struct key_scope){0}, &name) != ERR_OK ||
        str_is_set(name.qualifier))
        return ERR_NOT_FOUND;
    return lambda_fn_get(txn, self, &name, &fn);
}

static const struct tags_type types[] = {
    {"function", "lambda:TagResource", "lambda:UntagResource"},
    {"event-source-mapping", "lambda:TagResource", "lambda:UntagResource"},
};

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
