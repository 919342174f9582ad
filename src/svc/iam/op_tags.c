/* Tags of users, roles and managed policies.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static enum err tag(struct call *call, enum iam_kind kind, struct str name,
                    const struct iam_tag_list_type *tags)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    TRY(iam_merge_tags(call, e->tags, &e->n_tags, tags));
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err untag(struct call *call, enum iam_kind kind, struct str name,
                      const struct iam_tag_key_list_type *keys)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    TRY(iam_drop_tags(call, e->tags, &e->n_tags, keys->v, keys->n));
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err list_tags(struct call *call, const struct iam_tag *tags, size_t n_tags,
                          struct iam_page *page, struct iam_tag_list_type *ret)
{
    struct iam_tag *v = ARENA_ARRAY(call->arena, struct iam_tag, n_tags + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n_tags; i++) {
        if (str_is_set(page->after) && str_cmp(tags[i].key, page->after) <= 0)
            continue;
        if (n == page->max) {
            TRY(iam_page_more(call, page, v[n - 1].key));
            break;
        }
        v[n++] = tags[i];
    }
    *ret = (struct iam_tag_list_type){v, n};
    return ERR_OK;
}

enum err iam_tag_role(struct call *call, const struct iam_tag_role_input *in,
                      struct iam_tag_role_output *out)
{
    return tag(call, IAM_ROLE, in->role_name, &in->tags);
}

enum err iam_tag_user(struct call *call, const struct iam_tag_user_input *in,
                      struct iam_tag_user_output *out)
{
    return tag(call, IAM_USER, in->user_name, &in->tags);
}

enum err iam_tag_policy(struct call *call, const struct iam_tag_policy_input *in,
                        struct iam_tag_policy_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    TRY(iam_merge_tags(call, m->tags, &m->n_tags, &in->tags));
    return iam_managed_store(iam_of(call), call->txn, m);
}

enum err iam_untag_role(struct call *call, const struct iam_untag_role_input *in,
                        struct iam_untag_role_output *out)
{
    return untag(call, IAM_ROLE, in->role_name, &in->tag_keys);
}

enum err iam_untag_user(struct call *call, const struct iam_untag_user_input *in,
                        struct iam_untag_user_output *out)
{
    return untag(call, IAM_USER, in->user_name, &in->tag_keys);
}

enum err iam_untag_policy(struct call *call, const struct iam_untag_policy_input *in,
                          struct iam_untag_policy_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    TRY(iam_drop_tags(call, m->tags, &m->n_tags, in->tag_keys.v, in->tag_keys.n));
    return iam_managed_store(iam_of(call), call->txn, m);
}

enum err iam_list_role_tags(struct call *call, const struct iam_list_role_tags_input *in,
                            struct iam_list_role_tags_output *out)
{
    struct iam_entity *e;
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    TRY(list_tags(call, e->tags, e->n_tags, &page, &out->tags));
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

enum err iam_list_user_tags(struct call *call, const struct iam_list_user_tags_input *in,
                            struct iam_list_user_tags_output *out)
{
    struct iam_entity *e;
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &e));
    TRY(list_tags(call, e->tags, e->n_tags, &page, &out->tags));
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

enum err iam_list_policy_tags(struct call *call, const struct iam_list_policy_tags_input *in,
                              struct iam_list_policy_tags_output *out)
{
    struct iam_managed *m;
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    if (iam_aws_find(iam_of(call), in->policy_arn))
        TRY(list_tags(call, NULL, 0, &page, &out->tags));
    else {
        TRY(iam_get_managed(call, in->policy_arn, &m));
        TRY(list_tags(call, m->tags, m->n_tags, &page, &out->tags));
    }
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}
