/* TagResources and UntagResources: each resource on its own, with what its service asks for.
 *
 * The caller needs tag:TagResources (the spec's) and the service's own action on each resource, e.g.
 * sqs:TagQueue; the latter's refusal is that resource's entry in FailedResourcesMap.
 * Source: Resource Groups Tagging API Reference, TagResources, "minimum permissions". Layer: svc. */
#include "base/arn.h"
#include "svc/tagging/tagging_int.h"

/* One change, for every resource of a request. */
struct change {
    struct tag_list add;
    const struct str *keys; /* NULL: add */
    size_t n_keys;
};

/* The service of an ARN and its row for the type; NULL: nothing here is tagged by it. */
static const struct svc *owner_of(const struct core *core, struct str text,
                                  const struct tags_type **ret_type)
{
    struct arn arn;
    if (arn_parse(text, &arn) != ERR_OK)
        return NULL;
    struct str type = str_is_set(arn_segment(&arn, 1)) ? arn_segment(&arn, 0) : STR_NONE;
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct tags_service *tags = core->svcs[i].def->tags;
        if (!tags || !str_eq(core->svcs[i].def->wire->signing, arn.service))
            continue;
        for (size_t k = 0; k < tags->n_types; k++) {
            *ret_type = &tags->types[k];
            if (tags->types[k].type ? str_eq_c(type, tags->types[k].type) : !str_is_set(type))
                return &core->svcs[i];
        }
    }
    return NULL;
}

static enum err fail(struct call *call, struct tagging_failure_info *info, const char *code,
                     const char *fmt, struct str arn)
{
    WIRE_SET(info, status_code, 400);
    info->error_code = str_c(code);
    info->error_message = str_fmt(call->arena, "%s: " STR_FMT, fmt, STR_ARG(arn));
    return str_is_set(info->error_message) ? ERR_FAILED : ERR_NOMEM;
}

static const char invalid[] = "InvalidParameterException";

/* At home in this region and of this account. */
static bool is_here(const struct call *call, const struct tags_resource *resource)
{
    struct arn arn;
    if (arn_parse(resource->arn, &arn) != ERR_OK)
        return false;
    struct str region = arn.region.len ? arn.region : resource->home;
    return (str_empty(region) || str_eq(region, call->region)) &&
           (str_empty(arn.account) || str_eq(arn.account, call->account));
}

static enum err apply(struct call *call, const struct tags_service *service,
                      const struct tags_resource *resource, const struct change *c,
                      struct tagging_failure_info *info)
{
    struct tag_list have, all;
    TRY(tags_of(call->txn, resource->arn, &have));
    enum err err = c->keys
                       ? tags_without(call->arena, &service->rules, have, c->keys, c->n_keys, &all)
                       : tags_merge(call->arena, &service->rules, have, c->add, &all);
    if (err == ERR_LIMIT)
        return fail(call, info, invalid, "The resource would have too many tags", resource->arn);
    TRY(err);
    return tags_set(call->txn, resource, all);
}

/* ERR_FAILED: `info` says why; environment errors. */
static enum err change_one(struct call *call, struct str arn, const struct change *c,
                           struct tagging_failure_info *info)
{
    const struct tags_type *type;
    const struct svc *svc = owner_of(call->core, arn, &type);
    struct tags_resource resource = {.arn = arn};
    if (!svc)
        return fail(call, info, invalid, "Tags of this resource are not supported", arn);
    if (!is_here(call, &resource))
        return fail(call, info, invalid, "The resource is of another region or account", arn);
    enum err err = call_authorize(call, c->keys ? type->untag_action : type->tag_action, arn);
    if (err == ERR_FAILED) {
        call_error_clear(call);
        return fail(call, info, "AccessDeniedException",
                    "The caller is not authorized to change tags of the resource", arn);
    }
    TRY(err);
    err = svc->def->tags->find(svc->self, call->txn, arn, &resource);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !is_here(call, &resource)))
        return fail(call, info, invalid, "The resource does not exist in this region", arn);
    TRY(err);
    return apply(call, svc->def->tags, &resource, c, info);
}

static enum err change_all(struct call *call,
                           const struct tagging_resource_arn_list_for_tag_untag *arns,
                           const struct change *c, struct tagging_failed_resources_map *ret)
{
    struct tagging_failed_resources_map_entry *v =
        ARENA_ARRAY(call->arena, struct tagging_failed_resources_map_entry, arns->n + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < arns->n; i++) {
        enum err err = change_one(call, arns->v[i], c, &v[n].value);
        if (err == ERR_FAILED)
            v[n++].key = arns->v[i];
        else
            TRY(err);
    }
    *ret = (struct tagging_failed_resources_map){v, n};
    return ERR_OK;
}

static const struct tags_rules rules = {
    .otherwise = {&tagging_err_invalid_parameter_exception, NULL}};

enum err tagging_tag_resources(struct call *call, const struct tagging_tag_resources_input *in,
                               struct tagging_tag_resources_output *out)
{
    struct change c = {.add = TAGS_FROM(in->tags)};
    TRY(tags_check_call(call, &rules, c.add));
    return change_all(call, &in->resource_arn_list, &c, &out->failed_resources_map);
}

enum err tagging_untag_resources(struct call *call, const struct tagging_untag_resources_input *in,
                                 struct tagging_untag_resources_output *out)
{
    struct change c = {.keys = in->tag_keys.v, .n_keys = in->tag_keys.n};
    for (size_t i = 0; i < c.n_keys; i++)
        if (tags_reserved(c.keys[i]))
            return tags_refuse(call, &rules, TAGS_RESERVED, (struct tag){c.keys[i], STR("")});
    return change_all(call, &in->resource_arn_list, &c, &out->failed_resources_map);
}
