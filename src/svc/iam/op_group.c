/* Groups of users: made, shown, renamed, listed; and who is in them. Their policies are in op_inline.c
 * and op_attach.c, and what they mean for a user in iam_identity.c.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/iam/iam_int.h"

static enum err show(struct call *call, const struct iam_entity *e, void *v)
{
    struct iam_group *g = v;
    *g = (struct iam_group){
        .path = e->path, .group_name = e->name, .group_id = e->id, .arn = e->arn};
    WIRE_SET(g, create_date, e->created_ms);
    return ERR_OK;
}

static enum err whole(struct call *call, const struct iam_entity *e, const struct iam_group **ret)
{
    struct iam_group *g = ARENA_NEW(call->arena, struct iam_group);
    *ret = g;
    return g ? show(call, e, g) : ERR_NOMEM;
}

enum err iam_create_group(struct call *call, const struct iam_create_group_input *in,
                          struct iam_create_group_output *out)
{
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    if (!e)
        return ERR_NOMEM;
    e->kind = IAM_GROUP;
    e->name = in->group_name;
    e->path = in->path;
    TRY(iam_create_entity(call, e, "AGPA", (struct tag_list){0}));
    return whole(call, e, &out->group);
}

static enum err show_user(struct call *call, const struct iam_entity *e, void *v)
{
    iam_user_shape(e, v);
    return ERR_OK;
}

enum err iam_get_group(struct call *call, const struct iam_get_group_input *in,
                       struct iam_get_group_output *out)
{
    struct iam_entity *e;
    struct iam_lister l = {
        .call = call, .kind = IAM_USER, .shape = show_user, .size = sizeof(struct iam_user)};
    TRY(iam_get_entity(call, IAM_GROUP, in->group_name, &e));
    TRY(iam_list_members(&l, e, IAM_PAGE(call, in, out, e->name)));
    out->users = (struct iam_user_list_type){(void *)l.v, l.n};
    return whole(call, e, &out->group);
}

enum err iam_update_group(struct call *call, const struct iam_update_group_input *in,
                          struct iam_update_group_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_GROUP, in->group_name, &e));
    const struct iam_entity before = *e;
    if (str_is_set(in->new_path))
        e->path = in->new_path;
    if (str_is_set(in->new_group_name))
        e->name = in->new_group_name;
    return iam_rename(call, &before, e);
}

enum err iam_list_groups(struct call *call, const struct iam_list_groups_input *in,
                         struct iam_list_groups_output *out)
{
    struct iam_lister l = {.call = call,
                           .kind = IAM_GROUP,
                           .prefix = in->path_prefix,
                           .shape = show,
                           .size = sizeof(struct iam_group)};
    TRY(iam_list_kind(&l, IAM_PAGE(call, in, out, STR(""))));
    out->groups = (struct iam_group_list_type){(void *)l.v, l.n};
    return ERR_OK;
}

/* --- who is in them --------------------------------------------------------------------------- */

static size_t find_group(const struct iam_entity *user, struct str id)
{
    size_t at = 0;
    while (at < user->n_groups && !str_eq(user->groups[at], id))
        at++;
    return at;
}

enum err iam_add_user_to_group(struct call *call, const struct iam_add_user_to_group_input *in,
                               struct iam_add_user_to_group_output *out)
{
    struct iam_entity *group, *user;
    TRY(iam_get_entity(call, IAM_GROUP, in->group_name, &group));
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &user));
    if (find_group(user, group->id) < user->n_groups)
        return ERR_OK;
    if (user->n_groups == IAM_GROUPS_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for GroupsPerUser: %d", IAM_GROUPS_MAX);
    user->groups[user->n_groups++] = group->id;
    TRY(iam_join(call, group, user));
    return iam_entity_store(iam_of(call), call->txn, user);
}

enum err iam_remove_user_from_group(struct call *call,
                                    const struct iam_remove_user_from_group_input *in,
                                    struct iam_remove_user_from_group_output *out)
{
    struct iam_entity *group, *user;
    TRY(iam_get_entity(call, IAM_GROUP, in->group_name, &group));
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &user));
    size_t at = find_group(user, group->id);
    if (at == user->n_groups)
        return ERR_OK; /* as on AWS: he is not in it */
    for (user->n_groups--; at < user->n_groups; at++)
        user->groups[at] = user->groups[at + 1];
    TRY(iam_leave(call, group, user));
    return iam_entity_store(iam_of(call), call->txn, user);
}

/* The groups of a user, in the order of their names. */
static enum err load_groups(struct call *call, const struct iam_entity *user,
                            struct iam_entity *groups[IAM_GROUPS_MAX])
{
    for (size_t i = 0; i < user->n_groups; i++) {
        struct iam_entity *g;
        enum err err = iam_load_id(iam_of(call), call->txn, user->groups[i], &g);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        size_t at = i;
        for (; at > 0 && str_cmp(groups[at - 1]->name, g->name) > 0; at--)
            groups[at] = groups[at - 1];
        groups[at] = g;
    }
    return ERR_OK;
}

enum err iam_list_groups_for_user(struct call *call,
                                  const struct iam_list_groups_for_user_input *in,
                                  struct iam_list_groups_for_user_output *out)
{
    struct iam_entity *user, *groups[IAM_GROUPS_MAX];
    struct str names[IAM_GROUPS_MAX];
    size_t from;
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &user));
    TRY(load_groups(call, user, groups));
    for (size_t i = 0; i < user->n_groups; i++)
        names[i] = groups[i]->name;
    struct iam_page *page = IAM_PAGE(call, in, out, user->name);
    TRY(iam_page_slice(call, page, names, sizeof(*names), user->n_groups, &from));
    struct iam_group *v = ARENA_ARRAY(call->arena, struct iam_group, page->p.n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < page->p.n; i++)
        TRY(show(call, groups[from + i], &v[i]));
    out->groups = (struct iam_group_list_type){v, page->p.n};
    return ERR_OK;
}
