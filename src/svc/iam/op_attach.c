/* Managed policies on users, roles and groups, and permission boundaries.
 *
 * The use of a policy is noted in an index of its own and, for the account's policies, counted in
 * the policy's record: DeletePolicy reads and removes that record, so that it and a concurrent
 * attachment conflict.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/iam/iam_int.h"

/* Adds `delta` to the count in the record of one of the account's policies. */
static enum err count_own(struct call *call, enum iam_use use, struct str arn, int delta)
{
    struct iam *iam = iam_of(call);
    struct iam_managed *m;
    enum err err = iam_managed_load(iam, call->account, call->txn, arn, &m);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "%s " STR_FMT " does not exist or is not attachable.",
                          use == IAM_BOUNDARY ? "Scope ARN:" : "Policy", STR_ARG(arn));
    TRY(err);
    assert(delta == 1 || delta == -1);
    int64_t *count = use == IAM_ATTACHED ? &m->attachments : &m->boundaries;
    *count += delta;
    return *count < 0 ? ERR_CORRUPT : iam_managed_store(iam, call->txn, m);
}

enum err iam_count_use(struct call *call, enum iam_use use, struct str policy_arn,
                       const struct iam_entity *e, int delta)
{
    if (!iam_aws_find(iam_of(call), policy_arn))
        TRY(count_own(call, use, policy_arn, delta));
    struct str key = iam_use_key(call->account, call->arena, use, policy_arn, e);
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
    TRY(iam_check_policy_arn(call, arn));
    TRY(iam_get_to_change(call, kind, name, &e));
    if (find_attached(e, arn) < e->n_attached)
        return ERR_OK;
    const struct iam_aws_policy *aws = iam_aws_find(iam_of(call), arn);
    if (aws && str_starts(str_c(aws->path), STR(IAM_LINKED_PATH)))
        return call_error(call, &iam_err_policy_not_attachable_exception,
                          "Cannot attach a Service Role Policy to a Customer %s.",
                          iam_kind_title[kind]);
    if (e->n_attached == IAM_ATTACHED_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for PoliciesPer%s: %d", iam_kind_title[kind],
                          IAM_ATTACHED_MAX);
    assert(e->n_attached < IAM_ATTACHED_MAX);
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
    TRY(iam_check_policy_arn(call, arn));
    TRY(iam_get_to_change(call, kind, name, &e));
    size_t at = find_attached(e, arn);
    if (at == e->n_attached)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "Policy " STR_FMT " was not found.", STR_ARG(arn));
    TRY(iam_count_use(call, IAM_ATTACHED, arn, e, -1));
    for (e->n_attached--; at < e->n_attached; at++)
        e->attached[at] = e->attached[at + 1];
    return iam_entity_store(iam_of(call), call->txn, e);
}

/* "arn:...:policy/path/name": path between "policy" and the name. */
static struct str path_of(struct str arn)
{
    size_t from = str_find(arn, '/'), to = str_rfind(arn, '/');
    return from == SIZE_MAX ? STR("/") : str_sub(arn, from, to - from + 1);
}

static enum err list(struct call *call, enum iam_kind kind, struct str name, struct str prefix,
                     struct iam_page *page, struct iam_attached_policies_list_type *ret)
{
    struct iam_entity *e;
    struct str wanted[IAM_ATTACHED_MAX];
    size_t n = 0, from;
    TRY(iam_get_entity(call, kind, name, &e));
    for (size_t i = 0; i < e->n_attached; i++)
        if (!str_is_set(prefix) || str_starts(path_of(e->attached[i]), prefix))
            wanted[n++] = e->attached[i];
    TRY(iam_page_slice(call, page, wanted, sizeof(*wanted), n, &from));
    struct iam_attached_policy *v = ARENA_ARRAY(call->arena, struct iam_attached_policy, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < page->p.n; i++) {
        struct str arn = wanted[from + i];
        v[i] = (struct iam_attached_policy){str_sub(arn, str_rfind(arn, '/') + 1, arn.len), arn};
    }
    *ret = (struct iam_attached_policies_list_type){v, page->p.n};
    return ERR_OK;
}

IAM_TWINS(attach_role_policy, attach_user_policy, attach(call, kind, name, in->policy_arn))
IAM_TWINS(detach_role_policy, detach_user_policy, detach(call, kind, name, in->policy_arn))
IAM_TWINS(list_attached_role_policies, list_attached_user_policies,
          list(call, kind, name, in->path_prefix, IAM_PAGE(call, in, out, name),
               &out->attached_policies))

IAM_TWIN(attach_group_policy, IAM_GROUP, group_name, attach(call, kind, name, in->policy_arn))
IAM_TWIN(detach_group_policy, IAM_GROUP, group_name, detach(call, kind, name, in->policy_arn))
IAM_TWIN(list_attached_group_policies, IAM_GROUP, group_name,
         list(call, kind, name, in->path_prefix, IAM_PAGE(call, in, out, name),
              &out->attached_policies))

/* --- permission boundaries -------------------------------------------------------------------- */

/* `arn` absent: takes it away. */
static enum err set_boundary(struct call *call, enum iam_kind kind, struct str name, struct str arn)
{
    struct iam_entity *e;
    if (str_is_set(arn))
        TRY(iam_check_policy_arn(call, arn));
    TRY(iam_get_to_change(call, kind, name, &e));
    if (str_is_set(e->boundary) && str_is_set(arn) && str_eq(e->boundary, arn))
        return ERR_OK;
    if (str_is_set(arn))
        TRY(iam_count_use(call, IAM_BOUNDARY, arn, e, 1));
    else if (!str_is_set(e->boundary))
        return call_error(call, &iam_err_no_such_entity_exception,
                          "%s " STR_FMT " does not have a permissions boundary",
                          iam_kind_title[kind], STR_ARG(name));
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, -1));
    e->boundary = arn;
    return iam_entity_store(iam_of(call), call->txn, e);
}

IAM_TWINS(put_role_permissions_boundary, put_user_permissions_boundary,
          set_boundary(call, kind, name, in->permissions_boundary))
IAM_TWINS(delete_role_permissions_boundary, delete_user_permissions_boundary,
          set_boundary(call, kind, name, STR_NONE))
