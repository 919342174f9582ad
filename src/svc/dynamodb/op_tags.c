/* TagResource, UntagResource, ListTagsOfResource. */
#include "base/arn.h"
#include "svc/dynamodb/dynamodb_int.h"

static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    struct ddb_table *cached, *table;
    struct arn arn;
    if (arn_parse_as(ref, "dynamodb", "table", &arn) != ERR_OK)
        return ddb_refuse(call, "Invalid TableArn: Invalid ResourceArn provided as input " STR_FMT,
                          STR_ARG(ref));
    enum err err = ddb_find_table(call, arn_segment(&arn, 1), &cached);
    if (err == ERR_NOT_FOUND || (!err && (cached->restoring || !str_eq(cached->arn, ref))))
        return call_error(call, &dynamodb_err_resource_not_found_exception,
                          "Requested resource not found: ResourcArn: " STR_FMT " not found",
                          STR_ARG(ref));
    TRY(err);
    TRY(ddb_read_table(call, cached, &table));
    ret->arn = table->arn;
    return ERR_OK;
}

static enum err find(void *self, struct txn *txn, struct str ref, struct tags_resource *ret)
{
    struct arn arn;
    struct str record;
    if (arn_parse_as(ref, "dynamodb", "table", &arn) != ERR_OK || str_is_set(arn_segment(&arn, 2)))
        return ERR_NOT_FOUND;
    struct key_scope scope = {arn.account, arn.region};
    ret->arn = ref;
    return txn_get(txn, key_make(txn->arena, &ddb_k_table, scope, arn_segment(&arn, 1)), &record);
}

static const struct tags_type types[] = {
    {"table", "dynamodb:TagResource", "dynamodb:UntagResource"}};

const struct tags_service dynamodb_tags = {
    .rules = {.otherwise = {&dynamodb_err_validation, NULL},
              .words = {[TAGS_TOO_MANY] = {&dynamodb_err_validation,
                                           "Number of Tags exceed the current limit for the "
                                           "provided ResourceArn"},
                        [TAGS_KEY_CHARS] = {&dynamodb_err_validation,
                                            "The Tag Key provided is invalid, Key: {key}"},
                        [TAGS_VALUE_CHARS] = {&dynamodb_err_validation,
                                              "The Tag Value provided is invalid, Value: {value}"},
                        [TAGS_RESERVED] = {&dynamodb_err_validation,
                                           "Tag Key cannot be prefixed with aws:, Key: {key}"},
                        [TAGS_DUPLICATE] = {&dynamodb_err_validation,
                                            "Duplicate Tag Keys provided as input: Duplicate Tag "
                                            "Key found {key}"}}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err dynamodb_tag_resource(struct call *call, const struct dynamodb_tag_resource_input *in,
                               struct dynamodb_tag_resource_output *out)
{
    if (in->tags.n == 0)
        return ddb_refuse(call, "Atleast one Tag needs to be provided as Input.");
    return tags_op_add(call, &dynamodb_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err dynamodb_untag_resource(struct call *call, const struct dynamodb_untag_resource_input *in,
                                 struct dynamodb_untag_resource_output *out)
{
    if (in->tag_keys.n == 0)
        return ddb_refuse(call, "Atleast one Tag Key needs to be provided as Input.");
    return tags_op_remove(call, &dynamodb_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err dynamodb_list_tags_of_resource(struct call *call,
                                        const struct dynamodb_list_tags_of_resource_input *in,
                                        struct dynamodb_list_tags_of_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &dynamodb_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
