/* Tags of users, roles, instance profiles and managed policies.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static enum err tag(struct call *call, enum iam_kind kind, struct str name, struct tag_list tags)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    TRY(iam_merge_tags(call, &e->tags, tags));
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err untag(struct call *call, enum iam_kind kind, struct str name,
                      const struct iam_tag_key_list_type *keys)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    TRY(iam_drop_tags(call, &e->tags, keys));
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_list_tags(struct call *call, struct iam_page *page, const struct iam_tags *tags,
                       struct iam_tag_list_type *ret)
{
    size_t from;
    TRY(iam_page_slice(call, page, tags->v, sizeof(*tags->v), tags->n, &from));
    const struct tag_list shown = {tags->v + from, page->p.n};
    TAGS_INTO(*ret, shown);
    return ERR_OK;
}

static enum err list(struct call *call, enum iam_kind kind, struct str name, struct iam_page *page,
                     struct iam_tag_list_type *ret)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    return iam_list_tags(call, page, &e->tags, ret);
}

IAM_TWINS(tag_role, tag_user, tag(call, kind, name, TAGS_FROM(in->tags)))
IAM_TWINS(untag_role, untag_user, untag(call, kind, name, &in->tag_keys))
IAM_TWINS(list_role_tags, list_user_tags,
          list(call, kind, name, IAM_PAGE(call, in, out, name), &out->tags))

IAM_TWIN(tag_instance_profile, IAM_PROFILE, instance_profile_name,
         tag(call, kind, name, TAGS_FROM(in->tags)))
IAM_TWIN(untag_instance_profile, IAM_PROFILE, instance_profile_name,
         untag(call, kind, name, &in->tag_keys))
IAM_TWIN(list_instance_profile_tags, IAM_PROFILE, instance_profile_name,
         list(call, kind, name, IAM_PAGE(call, in, out, name), &out->tags))

enum err iam_tag_policy(struct call *call, const struct iam_tag_policy_input *in,
                        struct iam_tag_policy_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    TRY(iam_merge_tags(call, &m->tags, TAGS_FROM(in->tags)));
    return iam_managed_store(iam_of(call), call->txn, m);
}

enum err iam_untag_policy(struct call *call, const struct iam_untag_policy_input *in,
                          struct iam_untag_policy_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    TRY(iam_drop_tags(call, &m->tags, &in->tag_keys));
    return iam_managed_store(iam_of(call), call->txn, m);
}

enum err iam_list_policy_tags(struct call *call, const struct iam_list_policy_tags_input *in,
                              struct iam_list_policy_tags_output *out)
{
    static const struct iam_tags none;
    struct iam_page *page = IAM_PAGE(call, in, out, in->policy_arn);
    struct iam_managed *m;
    if (iam_aws_find(iam_of(call), in->policy_arn))
        return iam_list_tags(call, page, &none, &out->tags);
    TRY(iam_get_managed(call, in->policy_arn, &m));
    return iam_list_tags(call, page, &m->tags, &out->tags);
}
