/* TagResource, UntagResource, ListTagsForResource: of rules and buses. Layer: svc/events. */
#include "svc/events/events_int.h"

static enum err find(void *self, struct txn *txn, struct str text, struct tags_resource *ret)
{
    struct key_scope scope;
    struct str bus, name;
    struct events_rule_rec *r;
    struct events_bus_rec *b;
    struct arn arn;
    ret->arn = text;
    if (events_rule_arn_parse(text, &scope, &bus, &name) == ERR_OK)
        return events_rule_read(self, txn, scope, bus, name, &r);
    if (arn_parse_as(text, "events", "event-bus", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    return events_bus_read(self, txn, (struct key_scope){arn.account, arn.region},
                           arn_tail(&arn, 1), &b);
}

static enum err resource(struct call *call, struct str arn, struct tags_resource *ret)
{
    return tags_op_by_arn(call, &events_tags, &events_err_resource_not_found_exception, arn, ret);
}

static const struct tags_type types[] = {
    {"rule", "events:TagResource", "events:UntagResource"},
    {"event-bus", "events:TagResource", "events:UntagResource"},
};

const struct tags_service events_tags = {
    .rules = {.otherwise = {&events_err_validation, NULL}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err events_tag_resource(struct call *call, const struct events_tag_resource_input *in,
                             struct events_tag_resource_output *out)
{
    return tags_op_add(call, &events_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err events_untag_resource(struct call *call, const struct events_untag_resource_input *in,
                               struct events_untag_resource_output *out)
{
    return tags_op_remove(call, &events_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err events_list_tags_for_resource(struct call *call,
                                       const struct events_list_tags_for_resource_input *in,
                                       struct events_list_tags_for_resource_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &events_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
