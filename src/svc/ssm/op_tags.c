/* AddTagsToResource, RemoveTagsFromResource, ListTagsForResource: of parameters, by name.
 * Layer: svc/ssm. */
#include "svc/ssm/ssm_int.h"

static enum err find_in(struct txn *txn, struct key_scope scope, struct str text,
                        struct tags_resource *ret)
{
    struct ssm_ref ref;
    struct ssm_param p;
    TRY(ssm_ref_parse(scope, text, &ref));
    TRY(ssm_read(txn, scope, ref.path, &p));
    ret->arn = ssm_arn(txn->arena, txn->core, scope, ref.path);
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err find(void *self, struct txn *txn, struct str text, struct tags_resource *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "ssm", "parameter", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    return find_in(txn, (struct key_scope){arn.account, arn.region}, text, ret);
}

static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    enum err err = find_in(call->txn, call_scope(call), ref, ret);
    return err == ERR_NOT_FOUND ? call_error(call, &ssm_err_invalid_resource_id,
                                             "The resource ID \"" STR_FMT "\" is not valid. Verify "
                                             "the ID and try again.",
                                             STR_ARG(ref))
                                : err;
}

static const struct tags_type types[] = {
    {"parameter", "ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"},
};

const struct tags_service ssm_tags = {
    .rules = {.otherwise = {&ssm_err_validation, NULL},
              .words = {[TAGS_TOO_MANY] = {&ssm_err_too_many_tags_error,
                                           "The number of tags exceeds the limit of {max}."}}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
    .own_keys = true,
    .paths = true,
};

static enum err check_type(struct call *call, struct str type)
{
    return str_eq_c(type, "Parameter")
               ? ERR_OK
               : call_error(call, &ssm_err_invalid_resource_type,
                            STR_FMT " is not supported by Weir: the only type of resource is "
                                    "Parameter.",
                            STR_ARG(type));
}

enum err ssm_add_tags_to_resource(struct call *call,
                                  const struct ssm_add_tags_to_resource_input *in,
                                  struct ssm_add_tags_to_resource_output *out)
{
    TRY(check_type(call, in->resource_type));
    return tags_op_add(call, &ssm_tags, in->resource_id, TAGS_FROM(in->tags));
}

enum err ssm_remove_tags_from_resource(struct call *call,
                                       const struct ssm_remove_tags_from_resource_input *in,
                                       struct ssm_remove_tags_from_resource_output *out)
{
    TRY(check_type(call, in->resource_type));
    return tags_op_remove(call, &ssm_tags, in->resource_id, in->tag_keys.v, in->tag_keys.n);
}

enum err ssm_list_tags_for_resource(struct call *call,
                                    const struct ssm_list_tags_for_resource_input *in,
                                    struct ssm_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(check_type(call, in->resource_type));
    TRY(tags_op_list(call, &ssm_tags, in->resource_id, &tags));
    TAGS_INTO(out->tag_list, tags);
    return ERR_OK;
}
