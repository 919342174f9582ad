/* Roles.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static enum err check_trust(struct call *call, struct str document)
{
    TRY(iam_check_document(call, POLICY_TRUST, document));
    if (iam_document_chars(document) > IAM_TRUST_CHARS)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for ACLSizePerRole: %d", IAM_TRUST_CHARS);
    return ERR_OK;
}

enum err iam_create_role(struct call *call, const struct iam_create_role_input *in,
                         struct iam_create_role_output *out)
{
    struct str key = iam_key_entity(call->arena, IAM_ROLE, in->role_name), there;
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    struct iam_role *role = ARENA_NEW(call->arena, struct iam_role);
    if (!str_is_set(key) || !e || !role)
        return ERR_NOMEM;
    TRY(check_trust(call, in->assume_role_policy_document));
    enum err found = txn_get(call->txn, key, &there);
    if (found == ERR_OK)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "Role with name " STR_FMT " already exists.", STR_ARG(in->role_name));
    if (found != ERR_NOT_FOUND)
        return found;
    e->kind = IAM_ROLE;
    e->name = in->role_name;
    e->path = str_is_set(in->path) ? in->path : STR("/");
    e->id = iam_new_id(call->arena, "AROA");
    e->created_ms = call->txn->now_ms;
    e->description = in->description;
    e->max_session_s =
        in->has_max_session_duration ? in->max_session_duration : IAM_SESSION_DEFAULT_S;
    e->trust = in->assume_role_policy_document;
    e->boundary = in->permissions_boundary;
    if (!str_is_set(e->id))
        return ERR_NOMEM;
    TRY(iam_merge_tags(call, e->tags, &e->n_tags, &in->tags));
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, 1));
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    TRY(iam_role_shape(call, e, true, role));
    out->role = role;
    return ERR_OK;
}

enum err iam_get_role(struct call *call, const struct iam_get_role_input *in,
                      struct iam_get_role_output *out)
{
    struct iam_entity *e;
    struct iam_role *role = ARENA_NEW(call->arena, struct iam_role);
    if (!role)
        return ERR_NOMEM;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    TRY(iam_role_shape(call, e, true, role));
    out->role = role;
    return ERR_OK;
}

enum err iam_delete_role(struct call *call, const struct iam_delete_role_input *in,
                         struct iam_delete_role_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    if (e->n_attached > 0 || e->n_inlines > 0)
        return call_error(call, &iam_err_delete_conflict_exception,
                          "Cannot delete entity, must %s first.",
                          e->n_attached > 0 ? "detach all policies" : "delete policies");
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, -1));
    return iam_entity_remove(iam_of(call), call->txn, e);
}

enum err iam_update_role(struct call *call, const struct iam_update_role_input *in,
                         struct iam_update_role_output *out)
{
    struct iam_entity *e;
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
    struct iam_role *role = ARENA_NEW(call->arena, struct iam_role);
    if (!role)
        return ERR_NOMEM;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    e->description = in->description;
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    TRY(iam_role_shape(call, e, true, role));
    out->role = role;
    return ERR_OK;
}

enum err iam_update_assume_role_policy(struct call *call,
                                       const struct iam_update_assume_role_policy_input *in,
                                       struct iam_update_assume_role_policy_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    TRY(check_trust(call, in->policy_document));
    e->trust = in->policy_document;
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_list_roles(struct call *call, const struct iam_list_roles_input *in,
                        struct iam_list_roles_output *out)
{
    struct iam_page page;
    size_t n;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    struct iam_entity **found = ARENA_ARRAY(call->arena, struct iam_entity *, page.max + 1);
    if (!found)
        return ERR_NOMEM;
    TRY(iam_list_entities(call, IAM_ROLE, in->path_prefix, &page, found, &n));
    struct iam_role *v = ARENA_ARRAY(call->arena, struct iam_role, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(iam_role_shape(call, found[i], false, &v[i]));
    out->roles = (struct iam_role_list_type){v, n};
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

/* There are no instance profiles: clients ask before they delete a role. */
enum err
iam_list_instance_profiles_for_role(struct call *call,
                                    const struct iam_list_instance_profiles_for_role_input *in,
                                    struct iam_list_instance_profiles_for_role_output *out)
{
    static const struct iam_instance_profile none[1];
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    out->instance_profiles = (struct iam_instance_profile_list_type){none, 0};
    WIRE_SET(out, is_truncated, false);
    return ERR_OK;
}
