/* Managed policies on users and roles, and permission boundaries.
 *
 * The use of a policy is noted in an index of its own and, for the account's policies, counted in
 * the policy's record: DeletePolicy reads and removes that record, so that it and a concurrent
 * attachment conflict.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static enum err no_such_policy(struct call *call, struct str arn)
{
    return call_error(call, &iam_err_no_such_entity_exception,
                      "Policy " STR_FMT " does not exist or is not attachable.", STR_ARG(arn));
}

/* Adds `delta` to the count in the record of one of the account's policies. */
static enum err count_own(struct call *call, enum iam_use use, struct str arn, int delta)
{
    struct iam *iam = iam_of(call);
    struct str name = iam_arn_policy_name(iam, arn);
    struct iam_managed *m;
    enum err e = str_is_set(name) ? iam_managed_load(call->txn, name, &m) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return no_such_policy(call, arn);
    TRY(e);
    struct str real = iam_managed_arn(iam, call->arena, m);
    if (!str_is_set(real))
        return ERR_NOMEM;
    if (!str_eq(real, arn))
        return no_such_policy(call, arn);
    if (use == IAM_ATTACHED)
        m->attachments += delta;
    else
        m->boundaries += delta;
    return iam_managed_store(iam, call->txn, m);
}

enum err iam_count_use(struct call *call, enum iam_use use, struct str policy_arn,
                       const struct iam_entity *e, int delta)
{
    if (!iam_aws_find(iam_of(call), policy_arn))
        TRY(count_own(call, use, policy_arn, delta));
    struct str key = iam_key_use(call->arena, use, policy_arn, e->kind, e->name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    return delta > 0 ? txn_put(call->txn, key, STR("")) : txn_del(call->txn, key);
}

/* --- attach, detach --------------------------------------------------------------------------- */

static size_t find_attached(const struct iam_entity *e, struct str arn)
{
    size_t at = 0;
    while (at < e->n_attached && !str_eq(e->attached[at], arn))
        at++;
    return at;
}

static enum err attach(struct call *call, enum iam_kind kind, struct str name, struct str arn)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    if (find_attached(e, arn) < e->n_attached)
        return ERR_OK;
    if (e->n_attached == IAM_ATTACHED_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for PoliciesPer%s: %d",
                          kind == IAM_USER ? "User" : "Role", IAM_ATTACHED_MAX);
    TRY(iam_count_use(call, IAM_ATTACHED, arn, e, 1));
    size_t at = e->n_attached++;
    for (; at > 0 && str_cmp(e->attached[at - 1], arn) > 0; at--)
        e->attached[at] = e->attached[at - 1];
    e->attached[at] = arn;
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err detach(struct call *call, enum iam_kind kind, struct str name, struct str arn)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    size_t at = find_attached(e, arn);
    if (at == e->n_attached)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "Policy " STR_FMT " was not found.", STR_ARG(arn));
    TRY(iam_count_use(call, IAM_ATTACHED, arn, e, -1));
    for (e->n_attached--; at < e->n_attached; at++)
        e->attached[at] = e->attached[at + 1];
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_attach_role_policy(struct call *call, const struct iam_attach_role_policy_input *in,
                                struct iam_attach_role_policy_output *out)
{
    return attach(call, IAM_ROLE, in->role_name, in->policy_arn);
}

enum err iam_attach_user_policy(struct call *call, const struct iam_attach_user_policy_input *in,
                                struct iam_attach_user_policy_output *out)
{
    return attach(call, IAM_USER, in->user_name, in->policy_arn);
}

enum err iam_detach_role_policy(struct call *call, const struct iam_detach_role_policy_input *in,
                                struct iam_detach_role_policy_output *out)
{
    return detach(call, IAM_ROLE, in->role_name, in->policy_arn);
}

enum err iam_detach_user_policy(struct call *call, const struct iam_detach_user_policy_input *in,
                                struct iam_detach_user_policy_output *out)
{
    return detach(call, IAM_USER, in->user_name, in->policy_arn);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* "arn:...:policy/path/name": path between "policy" and the name. */
static struct str path_of(struct str arn)
{
    size_t from = str_find(arn, '/'), to = str_rfind(arn, '/');
    return from == SIZE_MAX ? STR("/") : str_sub(arn, from, to - from + 1);
}

static enum err list_attached(struct call *call, const struct iam_entity *e, struct str prefix,
                              struct iam_page *page, struct iam_attached_policies_list_type *ret)
{
    struct iam_attached_policy *v =
        ARENA_ARRAY(call->arena, struct iam_attached_policy, e->n_attached + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->n_attached; i++) {
        struct str arn = e->attached[i];
        if ((str_is_set(page->after) && str_cmp(arn, page->after) <= 0) ||
            (str_is_set(prefix) && !str_starts(path_of(arn), prefix)))
            continue;
        if (n == page->max) {
            TRY(iam_page_more(call, page, v[n - 1].policy_arn));
            break;
        }
        v[n++] = (struct iam_attached_policy){str_sub(arn, str_rfind(arn, '/') + 1, arn.len), arn};
    }
    *ret = (struct iam_attached_policies_list_type){v, n};
    return ERR_OK;
}

enum err iam_list_attached_role_policies(struct call *call,
                                         const struct iam_list_attached_role_policies_input *in,
                                         struct iam_list_attached_role_policies_output *out)
{
    struct iam_entity *e;
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    TRY(list_attached(call, e, in->path_prefix, &page, &out->attached_policies));
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

enum err iam_list_attached_user_policies(struct call *call,
                                         const struct iam_list_attached_user_policies_input *in,
                                         struct iam_list_attached_user_policies_output *out)
{
    struct iam_entity *e;
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &e));
    TRY(list_attached(call, e, in->path_prefix, &page, &out->attached_policies));
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

/* --- permission boundaries -------------------------------------------------------------------- */

static enum err set_boundary(struct call *call, enum iam_kind kind, struct str name, struct str arn)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    if (str_is_set(e->boundary) && str_is_set(arn) && str_eq(e->boundary, arn))
        return ERR_OK;
    if (str_is_set(arn))
        TRY(iam_count_use(call, IAM_BOUNDARY, arn, e, 1));
    else if (!str_is_set(e->boundary))
        return call_error(call, &iam_err_no_such_entity_exception,
                          "%s " STR_FMT " does not have a permissions boundary",
                          kind == IAM_USER ? "User" : "Role", STR_ARG(name));
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, -1));
    e->boundary = arn;
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_put_role_permissions_boundary(struct call *call,
                                           const struct iam_put_role_permissions_boundary_input *in,
                                           struct iam_put_role_permissions_boundary_output *out)
{
    return set_boundary(call, IAM_ROLE, in->role_name, in->permissions_boundary);
}

enum err iam_put_user_permissions_boundary(struct call *call,
                                           const struct iam_put_user_permissions_boundary_input *in,
                                           struct iam_put_user_permissions_boundary_output *out)
{
    return set_boundary(call, IAM_USER, in->user_name, in->permissions_boundary);
}

enum err
iam_delete_role_permissions_boundary(struct call *call,
                                     const struct iam_delete_role_permissions_boundary_input *in,
                                     struct iam_delete_role_permissions_boundary_output *out)
{
    return set_boundary(call, IAM_ROLE, in->role_name, STR_NONE);
}

enum err
iam_delete_user_permissions_boundary(struct call *call,
                                     const struct iam_delete_user_permissions_boundary_input *in,
                                     struct iam_delete_user_permissions_boundary_output *out)
{
    return set_boundary(call, IAM_USER, in->user_name, STR_NONE);
}
