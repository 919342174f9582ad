/* Users and roles: made, shown, changed, listed; and whatever has a name, made, renamed, removed.
 *
 * Layer: svc. Thread: the call's loop. */
#include "core/account.h"
#include "svc/iam/iam_used.h"

/* --- shapes ----------------------------------------------------------------------------------- */

enum err iam_boundary_shape(struct call *call, const struct iam_entity *e,
                            const struct iam_attached_permissions_boundary **ret)
{
    if (!str_is_set(e->boundary))
        return ERR_OK;
    struct iam_attached_permissions_boundary *b =
        ARENA_NEW(call->arena, struct iam_attached_permissions_boundary);
    if (!b)
        return ERR_NOMEM;
    b->permissions_boundary_type = STR("Policy");
    b->permissions_boundary_arn = e->boundary;
    *ret = b;
    return ERR_OK;
}

/* As lists show it: without tags and boundary. */
enum err iam_role_shape(struct call *call, const struct iam_entity *e, struct iam_role *r)
{
    struct str trust;
    TRY(core_policy_shown(call->core, call->arena, e->trust, &trust));
    *r = (struct iam_role){.path = e->path,
                           .role_name = e->name,
                           .role_id = e->id,
                           .arn = e->arn,
                           .assume_role_policy_document = iam_encoded(call, trust),
                           .description = e->description};
    WIRE_SET(r, create_date, e->created_ms);
    WIRE_SET(r, max_session_duration, e->max_session_s);
    return str_is_set(r->assume_role_policy_document) ? ERR_OK : ERR_NOMEM;
}

void iam_user_shape(const struct iam_entity *e, struct iam_user *u)
{
    *u = (struct iam_user){.path = e->path, .user_name = e->name, .user_id = e->id, .arn = e->arn};
    WIRE_SET(u, create_date, e->created_ms);
}

static enum err fill_role(struct call *call, const struct iam_entity *e, struct iam_role *r)
{
    TRY(iam_role_shape(call, e, r));
    TRY(iam_boundary_shape(call, e, &r->permissions_boundary));
    if (e->tags.n)
        TAGS_INTO(r->tags, e->tags);
    return ERR_OK;
}

enum err iam_role_used_shape(struct call *call, const struct iam_entity *e,
                             const struct iam_role_last_used **ret)
{
    struct iam_role_last_used *shape = ARENA_NEW(call->arena, struct iam_role_last_used);
    struct iam_used used;
    if (!shape)
        return ERR_NOMEM;
    TRY(iam_uses_of(iam_of(call)->uses, call->arena, e->id, &used));
    if (used.at_ms) {
        WIRE_SET(shape, last_used_date, used.at_ms);
        shape->region = used.region;
    }
    *ret = shape;
    return ERR_OK;
}

static enum err whole_role(struct call *call, const struct iam_entity *e,
                           const struct iam_role **ret_role)
{
    struct iam_role *r = ARENA_NEW(call->arena, struct iam_role);
    if (!r)
        return ERR_NOMEM;
    TRY(fill_role(call, e, r));
    TRY(iam_role_used_shape(call, e, &r->role_last_used));
    *ret_role = r;
    return ERR_OK;
}

enum err iam_new_role_shape(struct call *call, const struct iam_entity *e,
                            const struct iam_role **ret_role)
{
    struct iam_role *r = ARENA_NEW(call->arena, struct iam_role);
    if (!r)
        return ERR_NOMEM;
    TRY(fill_role(call, e, r));
    r->has_max_session_duration = false;
    *ret_role = r;
    return ERR_OK;
}

static enum err whole_user(struct call *call, const struct iam_entity *e,
                           const struct iam_user **ret_user)
{
    struct iam_user *u = ARENA_NEW(call->arena, struct iam_user);
    if (!u)
        return ERR_NOMEM;
    iam_user_shape(e, u);
    TRY(iam_boundary_shape(call, e, &u->permissions_boundary));
    if (e->tags.n)
        TAGS_INTO(u->tags, e->tags);
    *ret_user = u;
    return ERR_OK;
}

/* --- create ----------------------------------------------------------------------------------- */

enum err iam_check_name_free(struct call *call, enum iam_kind kind, struct str name)
{
    struct str there;
    enum err err =
        txn_get(call->txn, iam_entity_key(call->account, call->arena, kind, name), &there);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (kind == IAM_PROFILE)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "Instance Profile " STR_FMT " already exists.", STR_ARG(name));
    return call_error(call, &iam_err_entity_already_exists_exception,
                      "%s with name " STR_FMT " already exists.", iam_kind_title[kind],
                      STR_ARG(name));
}

/* A trust policy as it is to be stored: with ids of whom it names. */
static enum err take_trust(struct call *call, struct str document, struct str *ret_trust)
{
    const char *why = NULL;
    TRY(iam_check_document(call, POLICY_TRUST, document, "ACLSizePerRole", IAM_TRUST_CHARS));
    enum err err = core_policy_stored(call->txn, document, &why, ret_trust);
    return err == ERR_INVALID
               ? call_error(call, &iam_err_malformed_policy_document_exception, "%s", why)
               : err;
}

enum err iam_create_entity(struct call *call, struct iam_entity *e, const char *id,
                           struct tag_list tags)
{
    TRY(iam_check_name_free(call, e->kind, e->name));
    if (!str_is_set(e->path))
        e->path = STR("/");
    e->id = iam_new_id(call->arena, id);
    e->account = call->account;
    e->arn = iam_entity_arn(iam_of(call), call->arena, e);
    e->created_ms = call->txn->wall_ms;
    if (!str_is_set(e->id) || !str_is_set(e->arn))
        return ERR_NOMEM;
    TRY(iam_merge_tags(call, &e->tags, tags));
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, 1));
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_create_user(struct call *call, const struct iam_create_user_input *in,
                         struct iam_create_user_output *out)
{
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    if (!e)
        return ERR_NOMEM;
    e->kind = IAM_USER;
    e->name = in->user_name;
    e->path = in->path;
    e->boundary = in->permissions_boundary;
    TRY(iam_create_entity(call, e, "AIDA", TAGS_FROM(in->tags)));
    return whole_user(call, e, &out->user);
}

enum err iam_create_role(struct call *call, const struct iam_create_role_input *in,
                         struct iam_create_role_output *out)
{
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    if (!e)
        return ERR_NOMEM;
    e->kind = IAM_ROLE;
    e->name = in->role_name;
    e->path = in->path;
    if (iam_is_linked(e))
        return call_error(call, &iam_err_invalid_input_exception,
                          "Paths under " IAM_LINKED_PATH " are for service-linked roles.");
    e->boundary = in->permissions_boundary;
    e->description = in->description;
    e->max_session_s =
        in->has_max_session_duration ? in->max_session_duration : IAM_SESSION_DEFAULT_S;
    TRY(take_trust(call, in->assume_role_policy_document, &e->trust));
    TRY(iam_create_entity(call, e, "AROA", TAGS_FROM(in->tags)));
    return iam_new_role_shape(call, e, &out->role);
}

/* --- get -------------------------------------------------------------------------------------- */

enum err iam_get_role(struct call *call, const struct iam_get_role_input *in,
                      struct iam_get_role_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    return whole_role(call, e, &out->role);
}

static enum err root_shape(struct call *call, const struct iam_user **ret_user)
{
    struct iam_user *u = ARENA_NEW(call->arena, struct iam_user);
    if (!u)
        return ERR_NOMEM;
    u->user_id = call->account;
    u->arn = call->who->arn;
    WIRE_SET(u, create_date, account_created_ms(call->core, call->account));
    *ret_user = u;
    return ERR_OK;
}

enum err iam_get_user(struct call *call, const struct iam_get_user_input *in,
                      struct iam_get_user_output *out)
{
    struct iam_entity *e;
    if (!str_is_set(in->user_name) && call->who->kind == PRINCIPAL_ROOT)
        return root_shape(call, &out->user);
    TRY(iam_get_user_or_self(call, in->user_name, &e));
    return whole_user(call, e, &out->user);
}

/* --- update ----------------------------------------------------------------------------------- */

enum err iam_update_role(struct call *call, const struct iam_update_role_input *in,
                         struct iam_update_role_output *out)
{
    struct iam_entity *e;
    /* Of a service's role its description alone is the account's (IAM User Guide, "Edit a service-linked role"). */
    if (in->has_max_session_duration)
        TRY(iam_get_to_change(call, IAM_ROLE, in->role_name, &e));
    else
        TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    if (str_is_set(in->description))
        e->description = in->description;
    if (in->has_max_session_duration)
        e->max_session_s = in->max_session_duration;
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_update_role_description(struct call *call,
                                     const struct iam_update_role_description_input *in,
                                     struct iam_update_role_description_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    e->description = in->description;
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    return whole_role(call, e, &out->role);
}

enum err iam_update_assume_role_policy(struct call *call,
                                       const struct iam_update_assume_role_policy_input *in,
                                       struct iam_update_assume_role_policy_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_to_change(call, IAM_ROLE, in->role_name, &e));
    TRY(take_trust(call, in->policy_document, &e->trust));
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err move_use(struct call *call, enum iam_use use, struct str arn,
                         const struct iam_entity *before, const struct iam_entity *after)
{
    TRY(txn_del(call->txn, iam_use_key(call->account, call->arena, use, arn, before)));
    return txn_put(call->txn, iam_use_key(call->account, call->arena, use, arn, after), STR(""));
}

static enum err move_membership(struct call *call, struct str owner_id,
                                const struct iam_entity *before, const struct iam_entity *after)
{
    TRY(txn_del(call->txn, iam_member_key(call->account, call->arena, owner_id, before)));
    return txn_put(call->txn, iam_member_key(call->account, call->arena, owner_id, after), STR(""));
}

/* The new record comes first: in memory too, so that the user's access keys are known throughout. */
enum err iam_rename(struct call *call, const struct iam_entity *before,
                    const struct iam_entity *after)
{
    if (str_eq_nocase(before->name, after->name))
        return iam_entity_store(iam_of(call), call->txn, after);
    TRY(iam_check_name_free(call, after->kind, after->name));
    for (size_t i = 0; i < before->n_attached; i++)
        TRY(move_use(call, IAM_ATTACHED, before->attached[i], before, after));
    if (str_is_set(before->boundary))
        TRY(move_use(call, IAM_BOUNDARY, before->boundary, before, after));
    for (size_t i = 0; i < before->n_groups; i++)
        TRY(move_membership(call, before->groups[i], before, after));
    TRY(iam_entity_store(iam_of(call), call->txn, after));
    return iam_entity_remove(iam_of(call), call->txn, before);
}

enum err iam_update_user(struct call *call, const struct iam_update_user_input *in,
                         struct iam_update_user_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &e));
    const struct iam_entity before = *e;
    if (str_is_set(in->new_path))
        e->path = in->new_path;
    if (str_is_set(in->new_user_name))
        e->name = in->new_user_name;
    return iam_rename(call, &before, e);
}

/* --- delete ----------------------------------------------------------------------------------- */

/* What DeleteConflict says must be done before. */
static const char *must_first(const struct iam_entity *e)
{
    if (e->n_groups || (e->kind == IAM_GROUP && e->members))
        return "remove users from group";
    if (e->members || str_is_set(e->role))
        return "remove roles from instance profile";
    return e->n_attached  ? "detach all policies"
           : e->n_inlines ? "delete policies"
           : e->n_keys    ? "delete access keys"
           : e->login_ms  ? "delete login profile"
                          : NULL;
}

static enum err delete_entity(struct call *call, enum iam_kind kind, struct str name)
{
    struct iam_entity *e;
    TRY(iam_get_to_change(call, kind, name, &e));
    const char *must = must_first(e);
    if (must)
        return call_error(call, &iam_err_delete_conflict_exception,
                          "Cannot delete entity, must %s first.", must);
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, -1));
    if (kind == IAM_ROLE)
        TRY(iam_uses_forget(iam_of(call)->uses, call->txn, call->account, e->id));
    return iam_entity_remove(iam_of(call), call->txn, e);
}

IAM_TWINS(delete_role, delete_user, delete_entity(call, kind, name))
IAM_TWIN(delete_group, IAM_GROUP, group_name, delete_entity(call, kind, name))
IAM_TWIN(delete_instance_profile, IAM_PROFILE, instance_profile_name,
         delete_entity(call, kind, name))

/* --- list ------------------------------------------------------------------------------------- */

static enum err show_role(struct call *call, const struct iam_entity *e, void *v)
{
    return iam_role_shape(call, e, v);
}

static enum err show_user(struct call *call, const struct iam_entity *e, void *v)
{
    iam_user_shape(e, v);
    return ERR_OK;
}

enum err iam_list_roles(struct call *call, const struct iam_list_roles_input *in,
                        struct iam_list_roles_output *out)
{
    struct iam_lister l = {.call = call,
                           .kind = IAM_ROLE,
                           .prefix = in->path_prefix,
                           .shape = show_role,
                           .size = sizeof(struct iam_role)};
    TRY(iam_list_kind(&l, IAM_PAGE(call, in, out, STR(""))));
    out->roles = (struct iam_role_list_type){(void *)l.v, l.n};
    return ERR_OK;
}

enum err iam_list_users(struct call *call, const struct iam_list_users_input *in,
                        struct iam_list_users_output *out)
{
    struct iam_lister l = {.call = call,
                           .kind = IAM_USER,
                           .prefix = in->path_prefix,
                           .shape = show_user,
                           .size = sizeof(struct iam_user)};
    TRY(iam_list_kind(&l, IAM_PAGE(call, in, out, STR(""))));
    out->users = (struct iam_user_list_type){(void *)l.v, l.n};
    return ERR_OK;
}
