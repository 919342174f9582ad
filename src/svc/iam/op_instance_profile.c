/* Instance profiles: a role under another name, as machines are given it. Nothing here has machines; what
 * makes and lists profiles finds them. One role a profile, as on AWS.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static enum err show(struct call *call, const struct iam_entity *e, void *v)
{
    struct iam_instance_profile *p = v;
    struct iam_role *role = ARENA_NEW(call->arena, struct iam_role);
    struct iam_entity *r;
    if (!role)
        return ERR_NOMEM;
    *p = (struct iam_instance_profile){.path = e->path,
                                       .instance_profile_name = e->name,
                                       .instance_profile_id = e->id,
                                       .arn = e->arn,
                                       .roles = {role, 0}};
    WIRE_SET(p, create_date, e->created_ms);
    if (str_is_set(e->role)) {
        TRY(iam_entity_load(iam_of(call), call->account, call->txn, IAM_ROLE, e->role, &r));
        TRY(iam_role_shape(call, r, role));
        p->roles.n = 1;
    }
    return ERR_OK;
}

enum err iam_profile_shape(struct call *call, const struct iam_entity *e,
                           struct iam_instance_profile *p)
{
    TRY(show(call, e, p));
    if (e->tags.n)
        TAGS_INTO(p->tags, e->tags);
    return ERR_OK;
}

static enum err whole(struct call *call, const struct iam_entity *e,
                      const struct iam_instance_profile **ret)
{
    struct iam_instance_profile *p = ARENA_NEW(call->arena, struct iam_instance_profile);
    *ret = p;
    return p ? iam_profile_shape(call, e, p) : ERR_NOMEM;
}

enum err iam_create_instance_profile(struct call *call,
                                     const struct iam_create_instance_profile_input *in,
                                     struct iam_create_instance_profile_output *out)
{
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    if (!e)
        return ERR_NOMEM;
    e->kind = IAM_PROFILE;
    e->name = in->instance_profile_name;
    e->path = in->path;
    TRY(iam_create_entity(call, e, "AIPA", TAGS_FROM(in->tags)));
    return whole(call, e, &out->instance_profile);
}

enum err iam_get_instance_profile(struct call *call,
                                  const struct iam_get_instance_profile_input *in,
                                  struct iam_get_instance_profile_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_PROFILE, in->instance_profile_name, &e));
    return whole(call, e, &out->instance_profile);
}

enum err iam_list_instance_profiles(struct call *call,
                                    const struct iam_list_instance_profiles_input *in,
                                    struct iam_list_instance_profiles_output *out)
{
    struct iam_lister l = {.call = call,
                           .kind = IAM_PROFILE,
                           .prefix = in->path_prefix,
                           .shape = show,
                           .size = sizeof(struct iam_instance_profile)};
    TRY(iam_list_kind(&l, IAM_PAGE(call, in, out, STR(""))));
    out->instance_profiles = (struct iam_instance_profile_list_type){(void *)l.v, l.n};
    return ERR_OK;
}

enum err
iam_list_instance_profiles_for_role(struct call *call,
                                    const struct iam_list_instance_profiles_for_role_input *in,
                                    struct iam_list_instance_profiles_for_role_output *out)
{
    struct iam_entity *role;
    struct iam_lister l = {.call = call,
                           .kind = IAM_PROFILE,
                           .shape = show,
                           .size = sizeof(struct iam_instance_profile)};
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &role));
    TRY(iam_list_members(&l, role, IAM_PAGE(call, in, out, role->name)));
    out->instance_profiles = (struct iam_instance_profile_list_type){(void *)l.v, l.n};
    return ERR_OK;
}

enum err iam_profiles_of(struct call *call, const struct iam_entity *role,
                         struct iam_instance_profile_list_type *ret)
{
    struct iam_list_instance_profiles_for_role_output out = {0};
    struct iam_list_instance_profiles_for_role_input in = {.role_name = role->name};
    TRY(iam_list_instance_profiles_for_role(call, &in, &out));
    *ret = out.instance_profiles;
    return ERR_OK;
}

/* --- the role --------------------------------------------------------------------------------- */

enum err iam_add_role_to_instance_profile(struct call *call,
                                          const struct iam_add_role_to_instance_profile_input *in,
                                          struct iam_add_role_to_instance_profile_output *out)
{
    struct iam_entity *profile, *role;
    TRY(iam_get_entity(call, IAM_PROFILE, in->instance_profile_name, &profile));
    TRY(iam_get_to_change(call, IAM_ROLE, in->role_name, &role));
    if (str_is_set(profile->role))
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    profile->role = role->name;
    TRY(iam_join(call, role, profile));
    return iam_entity_store(iam_of(call), call->txn, profile);
}

enum err
iam_remove_role_from_instance_profile(struct call *call,
                                      const struct iam_remove_role_from_instance_profile_input *in,
                                      struct iam_remove_role_from_instance_profile_output *out)
{
    struct iam_entity *profile, *role;
    TRY(iam_get_entity(call, IAM_PROFILE, in->instance_profile_name, &profile));
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &role));
    if (!str_is_set(profile->role) || !str_eq(profile->role, role->name))
        return call_error(call, &iam_err_no_such_entity_exception,
                          "The role with name " STR_FMT " cannot be found.",
                          STR_ARG(in->role_name));
    profile->role = STR_NONE;
    TRY(iam_leave(call, role, profile));
    return iam_entity_store(iam_of(call), call->txn, profile);
}
