/* TagResource, UntagResource, ListTagsForResource, and their older forms by group name. */
#include "svc/logs/logs_int.h"

static enum err add_tags(struct call *call, struct str group, const struct logs_tags *tags)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, group, STR_NONE, &name, &g));
    struct logs_tag *all = ARENA_ARRAY(call->arena, struct logs_tag, g.n_tags + tags->n + 1);
    if (!all)
        return ERR_NOMEM;
    size_t n = g.n_tags;
    for (size_t i = 0; i < n; i++)
        all[i] = g.tags[i];
    for (size_t i = 0; i < tags->n; i++) {
        size_t at = 0;
        while (at < n && !str_eq(all[at].key, tags->v[i].key))
            at++;
        all[at] = (struct logs_tag){tags->v[i].key, tags->v[i].value};
        if (at == n)
            n++;
    }
    if (n > LOGS_TAGS_MAX)
        return call_error(call, &logs_err_too_many_tags_exception,
                          "A resource can have no more than %d tags.", LOGS_TAGS_MAX);
    g.tags = all;
    g.n_tags = n;
    return logs_write_group(call->txn, name, &g);
}

static enum err remove_tags(struct call *call, struct str group, const struct str *keys,
                            size_t n_keys)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, group, STR_NONE, &name, &g));
    struct logs_tag *left = ARENA_ARRAY(call->arena, struct logs_tag, g.n_tags + 1);
    if (!left)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < g.n_tags; i++) {
        bool drop = false;
        for (size_t k = 0; k < n_keys; k++)
            drop |= str_eq(g.tags[i].key, keys[k]);
        if (!drop)
            left[n++] = g.tags[i];
    }
    g.tags = left;
    g.n_tags = n;
    return logs_write_group(call->txn, name, &g);
}

static enum err list_tags(struct call *call, struct str group, struct logs_tags *ret)
{
    struct logs_group g;
    TRY(logs_need_group(call, group, STR_NONE, NULL, &g));
    struct logs_tags_entry *v = ARENA_ARRAY(call->arena, struct logs_tags_entry, g.n_tags + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < g.n_tags; i++)
        v[i] = (struct logs_tags_entry){g.tags[i].key, g.tags[i].value};
    ret->v = v;
    ret->n = g.n_tags;
    return ERR_OK;
}

enum err logs_tag_resource(struct call *call, const struct logs_tag_resource_input *in,
                           struct logs_tag_resource_output *out)
{
    return add_tags(call, in->resource_arn, &in->tags);
}

enum err logs_tag_log_group(struct call *call, const struct logs_tag_log_group_input *in,
                            struct logs_tag_log_group_output *out)
{
    return add_tags(call, in->log_group_name, &in->tags);
}

enum err logs_untag_resource(struct call *call, const struct logs_untag_resource_input *in,
                             struct logs_untag_resource_output *out)
{
    return remove_tags(call, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err logs_untag_log_group(struct call *call, const struct logs_untag_log_group_input *in,
                              struct logs_untag_log_group_output *out)
{
    return remove_tags(call, in->log_group_name, in->tags.v, in->tags.n);
}

enum err logs_list_tags_for_resource(struct call *call,
                                     const struct logs_list_tags_for_resource_input *in,
                                     struct logs_list_tags_for_resource_output *out)
{
    return list_tags(call, in->resource_arn, &out->tags);
}

enum err logs_list_tags_log_group(struct call *call,
                                  const struct logs_list_tags_log_group_input *in,
                                  struct logs_list_tags_log_group_output *out)
{
    return list_tags(call, in->log_group_name, &out->tags);
}
