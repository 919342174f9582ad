/* TagResource, UntagResource, ListTagsForResource: of alarms and dashboards. Layer: svc/cloudwatch. */
#include "svc/cloudwatch/cloudwatch_int.h"

/* Dashboards' ARNs have no region: they are looked for in the configured one. */
static enum err find(void *self, struct txn *txn, struct str text, struct tags_resource *ret)
{
    const struct cw *cw = self;
    struct arn arn;
    struct str old;
    ret->arn = text;
    if (arn_parse_as(text, "cloudwatch", "alarm", &arn) == ERR_OK)
        return txn_get(txn,
                       key_make(txn->arena, &cw_k_alarm,
                                ((struct key_scope){arn.account, arn.region}), arn_tail(&arn, 1)),
                       &old);
    if (arn_parse_as(text, "cloudwatch", "dashboard", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    ret->home = cw->core->cfg.region;
    return txn_get(txn,
                   key_make(txn->arena, &cw_k_dashboard,
                            ((struct key_scope){arn.account, cw->core->cfg.region}),
                            arn_tail(&arn, 1)),
                   &old);
}

static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    enum err err = find(call->svc, call->txn, ref, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cloudwatch_err_resource_not_found_exception,
                          "Unknown resource: " STR_FMT, STR_ARG(ref));
    return err;
}

static const struct tags_type types[] = {
    {"alarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"},
    {"dashboard", "cloudwatch:TagResource", "cloudwatch:UntagResource"},
};

const struct tags_service cw_tags = {
    .rules = {.otherwise = {&cloudwatch_err_invalid_parameter_value_exception, NULL}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err cloudwatch_tag_resource(struct call *call, const struct cloudwatch_tag_resource_input *in,
                                 struct cloudwatch_tag_resource_output *out)
{
    return tags_op_add(call, &cw_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err cloudwatch_untag_resource(struct call *call,
                                   const struct cloudwatch_untag_resource_input *in,
                                   struct cloudwatch_untag_resource_output *out)
{
    return tags_op_remove(call, &cw_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err cloudwatch_list_tags_for_resource(struct call *call,
                                           const struct cloudwatch_list_tags_for_resource_input *in,
                                           struct cloudwatch_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &cw_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
