/* Groups: CreateGroup, GetGroup, UpdateGroup, DeleteGroup, ListGroups, AdminAddUserToGroup,
 * AdminRemoveUserFromGroup, AdminListGroupsForUser, ListUsersInGroup.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

static enum err need(struct call *call, const struct cognito_pool *pool, struct str name,
                     struct cognito_group *ret)
{
    enum err err = cognito_group_read(call->txn, pool->rec.id, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_resource_not_found_exception, "Group not found.");
    return err;
}

static enum err store(struct call *call, const struct cognito_pool *pool,
                      const struct cognito_group *g, const struct cognito_group_type **ret)
{
    struct cognito_group_type *shown = ARENA_NEW(call->arena, struct cognito_group_type);
    if (!shown)
        return ERR_NOMEM;
    TRY(cognito_pool_guard(call->txn, pool));
    cognito_group_show(pool->rec.id, g, shown);
    *ret = shown;
    return txn_write(call->txn, key_make(call->arena, &cognito_k_group, pool->rec.id, g->name),
                     &cognito_group_rec_type, g);
}

enum err cognito_create_group(struct call *call, const struct cognito_create_group_input *in,
                              struct cognito_create_group_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_group old;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    enum err err = cognito_group_read(call->txn, pool->rec.id, in->group_name, &old);
    if (err == ERR_OK)
        return call_error(call, &cognito_err_group_exists_exception,
                          "A group with the name " STR_FMT " already exists.",
                          STR_ARG(in->group_name));
    if (err != ERR_NOT_FOUND)
        return err;
    const struct cognito_group g = {.name = in->group_name,
                                    .description = in->description,
                                    .role = in->role_arn,
                                    .precedence = in->has_precedence ? in->precedence : -1,
                                    .created_ms = call->txn->wall_ms,
                                    .modified_ms = call->txn->wall_ms};
    return store(call, pool, &g, &out->group);
}

enum err cognito_get_group(struct call *call, const struct cognito_get_group_input *in,
                           struct cognito_get_group_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_group g;
    struct cognito_group_type *shown = ARENA_NEW(call->arena, struct cognito_group_type);
    if (!shown)
        return ERR_NOMEM;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(need(call, pool, in->group_name, &g));
    cognito_group_show(pool->rec.id, &g, shown);
    out->group = shown;
    return ERR_OK;
}

enum err cognito_update_group(struct call *call, const struct cognito_update_group_input *in,
                              struct cognito_update_group_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_group g;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(need(call, pool, in->group_name, &g));
    if (str_is_set(in->description))
        g.description = in->description;
    if (str_is_set(in->role_arn))
        g.role = in->role_arn;
    if (in->has_precedence)
        g.precedence = in->precedence;
    g.modified_ms = call->txn->wall_ms;
    return store(call, pool, &g, &out->group);
}

/* --- membership --------------------------------------------------------------------------------- */

/* The two keys of a member: by user, and by group. */
struct member {
    struct str by_user, by_group;
};

static enum err member_of(struct call *call, const struct cognito_pool *pool, struct str user,
                          struct str group, struct member *ret)
{
    struct str name = cognito_fold(call->arena, pool, user);
    if (!str_is_set(name))
        return ERR_NOMEM;
    ret->by_user = key_make(call->arena, &cognito_k_member, pool->rec.id, name, group);
    ret->by_group = key_make(call->arena, &cognito_k_in_group, pool->rec.id, group, name);
    return ERR_OK;
}

enum err cognito_admin_add_user_to_group(struct call *call,
                                         const struct cognito_admin_add_user_to_group_input *in,
                                         struct cognito_admin_add_user_to_group_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_user user;
    struct cognito_group g;
    struct cognito_groups groups;
    struct member m;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_pool_guard(call->txn, pool));
    TRY(cognito_user_need(call, pool, in->username, &user));
    TRY(need(call, pool, in->group_name, &g));
    TRY(cognito_groups_of(call->txn, pool, &user, &groups));
    if (groups.n == COGNITO_GROUPS_MAX)
        return call_error(call, &cognito_err_limit_exceeded_exception,
                          "A user can be in at most %d groups.", COGNITO_GROUPS_MAX);
    TRY(member_of(call, pool, user.name, g.name, &m));
    TRY(txn_put(call->txn, m.by_user, STR("")));
    return txn_put(call->txn, m.by_group, STR(""));
}

enum err
cognito_admin_remove_user_from_group(struct call *call,
                                     const struct cognito_admin_remove_user_from_group_input *in,
                                     struct cognito_admin_remove_user_from_group_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_user user;
    struct cognito_group g;
    struct member m;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_user_need(call, pool, in->username, &user));
    TRY(need(call, pool, in->group_name, &g));
    TRY(member_of(call, pool, user.name, g.name, &m));
    TRY(txn_del(call->txn, m.by_user));
    return txn_del(call->txn, m.by_group);
}

struct leaving {
    struct call *call;
    const struct cognito_pool *pool;
    struct str group;
};

static enum err leave(void *arg, struct str key, struct str val)
{
    struct leaving *l = arg;
    struct member m;
    struct str name;
    TRY(txn_work_row(l->call->txn, key, val));
    TRY(key_read(&cognito_k_in_group, key, l->call->arena, KEY_SKIP, KEY_SKIP, &name));
    TRY(member_of(l->call, l->pool, name, l->group, &m));
    TRY(txn_del(l->call->txn, m.by_user));
    return txn_del(l->call->txn, m.by_group);
}

enum err cognito_delete_group(struct call *call, const struct cognito_delete_group_input *in,
                              struct cognito_delete_group_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_group g;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(need(call, pool, in->group_name, &g));
    struct leaving l = {call, pool, g.name};
    TRY(txn_each(call->txn, key_range(call->arena, &cognito_k_in_group, pool->rec.id, g.name),
                 leave, &l));
    return txn_del(call->txn, key_make(call->arena, &cognito_k_group, pool->rec.id, g.name));
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    const struct cognito_pool *pool;
    struct cognito_group_type *groups;
    struct cognito_user_type *users;
    size_t n;
};

static size_t limit_of(bool has, int64_t limit)
{
    return has && limit > 0 ? (size_t)limit : COGNITO_LIST_MAX;
}

static enum err take_group(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct cognito_group g = {0};
    TRY(record_unpack_copy(&cognito_group_rec_type, l->call->arena, record, &g));
    cognito_group_show(l->pool->rec.id, &g, &l->groups[l->n++]);
    return ERR_OK;
}

static enum err take_group_of_user(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct cognito_group g;
    struct str name;
    TRY(key_read(&cognito_k_member, key, l->call->arena, KEY_SKIP, KEY_SKIP, &name));
    TRY(cognito_group_read(l->call->txn, l->pool->rec.id, name, &g));
    cognito_group_show(l->pool->rec.id, &g, &l->groups[l->n++]);
    return ERR_OK;
}

static enum err take_user(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct cognito_user user = {0};
    struct str name;
    TRY(key_read(&cognito_k_in_group, key, l->call->arena, KEY_SKIP, KEY_SKIP, &name));
    TRY(txn_read(l->call->txn, key_make(l->call->arena, &cognito_k_user, l->pool->rec.id, name),
                 &cognito_user_rec_type, &user));
    return cognito_user_show(l->call->arena, &user, NULL, &l->users[l->n++]);
}

enum err cognito_list_groups(struct call *call, const struct cognito_list_groups_input *in,
                             struct cognito_list_groups_output *out)
{
    static const struct page_fns fns = {NULL, take_group};
    struct listing l = {.call = call};
    size_t limit = limit_of(in->has_limit, in->limit);
    TRY(cognito_pool_need(call, in->user_pool_id, &l.pool));
    l.groups = ARENA_ARRAY(call->arena, struct cognito_group_type, limit);
    if (!l.groups)
        return ERR_NOMEM;
    struct page page = page_of_call(call, l.pool->rec.id, in->next_token, limit);
    struct key_range range = key_range(call->arena, &cognito_k_group, l.pool->rec.id);
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->groups.v = l.groups;
    out->groups.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err
cognito_admin_list_groups_for_user(struct call *call,
                                   const struct cognito_admin_list_groups_for_user_input *in,
                                   struct cognito_admin_list_groups_for_user_output *out)
{
    static const struct page_fns fns = {NULL, take_group_of_user};
    struct listing l = {.call = call};
    struct cognito_user user;
    size_t limit = limit_of(in->has_limit, in->limit);
    TRY(cognito_pool_need(call, in->user_pool_id, &l.pool));
    TRY(cognito_user_need(call, l.pool, in->username, &user));
    struct str name = cognito_fold(call->arena, l.pool, user.name);
    l.groups = ARENA_ARRAY(call->arena, struct cognito_group_type, limit);
    if (!l.groups || !str_is_set(name))
        return ERR_NOMEM;
    struct page page = page_of_call(call, name, in->next_token, limit);
    struct key_range range = key_range(call->arena, &cognito_k_member, l.pool->rec.id, name);
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->groups.v = l.groups;
    out->groups.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err cognito_list_users_in_group(struct call *call,
                                     const struct cognito_list_users_in_group_input *in,
                                     struct cognito_list_users_in_group_output *out)
{
    static const struct page_fns fns = {NULL, take_user};
    struct listing l = {.call = call};
    struct cognito_group g;
    size_t limit = limit_of(in->has_limit, in->limit);
    TRY(cognito_pool_need(call, in->user_pool_id, &l.pool));
    TRY(need(call, l.pool, in->group_name, &g));
    l.users = ARENA_ARRAY(call->arena, struct cognito_user_type, limit);
    if (!l.users)
        return ERR_NOMEM;
    struct page page = page_of_call(call, g.name, in->next_token, limit);
    struct key_range range = key_range(call->arena, &cognito_k_in_group, l.pool->rec.id, g.name);
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->users.v = l.users;
    out->users.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
