/* Inline policies of users, roles and groups.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/iam/iam_int.h"

static size_t find_inline(const struct iam_entity *e, struct str policy)
{
    size_t at = 0;
    while (at < e->n_inlines && !str_eq(e->inlines[at].name, policy))
        at++;
    return at;
}

/* The entity and where its policy of this name is; sets NoSuchEntity for either. */
static enum err need_inline(struct call *call, enum iam_kind kind, struct str name,
                            struct str policy, struct iam_entity **ret_e, size_t *ret_at)
{
    TRY(iam_get_entity(call, kind, name, ret_e));
    *ret_at = find_inline(*ret_e, policy);
    if (*ret_at == (*ret_e)->n_inlines)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "The %s policy with name " STR_FMT " cannot be found.",
                          iam_kind_word[kind], STR_ARG(policy));
    return ERR_OK;
}

static enum err check_size(struct call *call, const struct iam_entity *e, size_t at,
                           struct str document)
{
    static const size_t most[IAM_KINDS] = {[IAM_USER] = IAM_INLINE_USER_CHARS,
                                           [IAM_ROLE] = IAM_INLINE_ROLE_CHARS,
                                           [IAM_GROUP] = IAM_INLINE_GROUP_CHARS};
    size_t max = most[e->kind];
    size_t sum = iam_document_chars(document);
    for (size_t i = 0; i < e->n_inlines; i++)
        if (i != at)
            sum += iam_document_chars(e->inlines[i].document);
    if (sum > max || at == IAM_INLINE_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Maximum policy size of %zu bytes exceeded for %s " STR_FMT, max,
                          iam_kind_word[e->kind], STR_ARG(e->name));
    return ERR_OK;
}

static enum err put(struct call *call, enum iam_kind kind, struct str name, struct str policy,
                    struct str document)
{
    struct iam_entity *e;
    TRY(iam_get_to_change(call, kind, name, &e));
    TRY(iam_check_document(call, POLICY_IDENTITY, document, NULL, 0));
    size_t at = find_inline(e, policy);
    TRY(check_size(call, e, at, document));
    if (at == e->n_inlines) {
        for (e->n_inlines++; at > 0 && str_cmp(e->inlines[at - 1].name, policy) > 0; at--)
            e->inlines[at] = e->inlines[at - 1];
    }
    assert(at < e->n_inlines && e->n_inlines <= IAM_INLINE_MAX);
    e->inlines[at] = (struct iam_inline){policy, document};
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err get(struct call *call, enum iam_kind kind, struct str name, struct str policy,
                    struct str *ret_document)
{
    struct iam_entity *e;
    size_t at;
    TRY(need_inline(call, kind, name, policy, &e, &at));
    *ret_document = iam_encoded(call, e->inlines[at].document);
    return str_is_set(*ret_document) ? ERR_OK : ERR_NOMEM;
}

static enum err drop(struct call *call, enum iam_kind kind, struct str name, struct str policy)
{
    struct iam_entity *e;
    size_t at;
    TRY(iam_get_to_change(call, kind, name, &e));
    TRY(need_inline(call, kind, name, policy, &e, &at));
    for (e->n_inlines--; at < e->n_inlines; at++)
        e->inlines[at] = e->inlines[at + 1];
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err list(struct call *call, enum iam_kind kind, struct str name, struct iam_page *page,
                     struct iam_policy_name_list_type *ret)
{
    struct iam_entity *e;
    size_t from;
    TRY(iam_get_entity(call, kind, name, &e));
    TRY(iam_page_slice(call, page, e->inlines, sizeof(*e->inlines), e->n_inlines, &from));
    struct str *v = ARENA_ARRAY(call->arena, struct str, page->p.n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < page->p.n; i++)
        v[i] = e->inlines[from + i].name;
    *ret = (struct iam_policy_name_list_type){v, page->p.n};
    return ERR_OK;
}

IAM_TWINS(put_role_policy, put_user_policy,
          put(call, kind, name, in->policy_name, in->policy_document))
IAM_TWINS(delete_role_policy, delete_user_policy, drop(call, kind, name, in->policy_name))
IAM_TWINS(list_role_policies, list_user_policies,
          list(call, kind, name, IAM_PAGE(call, in, out, name), &out->policy_names))

IAM_TWIN(put_group_policy, IAM_GROUP, group_name,
         put(call, kind, name, in->policy_name, in->policy_document))
IAM_TWIN(delete_group_policy, IAM_GROUP, group_name, drop(call, kind, name, in->policy_name))
IAM_TWIN(list_group_policies, IAM_GROUP, group_name,
         list(call, kind, name, IAM_PAGE(call, in, out, name), &out->policy_names))

enum err iam_get_group_policy(struct call *call, const struct iam_get_group_policy_input *in,
                              struct iam_get_group_policy_output *out)
{
    out->group_name = in->group_name;
    out->policy_name = in->policy_name;
    return get(call, IAM_GROUP, in->group_name, in->policy_name, &out->policy_document);
}

enum err iam_get_role_policy(struct call *call, const struct iam_get_role_policy_input *in,
                             struct iam_get_role_policy_output *out)
{
    out->role_name = in->role_name;
    out->policy_name = in->policy_name;
    return get(call, IAM_ROLE, in->role_name, in->policy_name, &out->policy_document);
}

enum err iam_get_user_policy(struct call *call, const struct iam_get_user_policy_input *in,
                             struct iam_get_user_policy_output *out)
{
    out->user_name = in->user_name;
    out->policy_name = in->policy_name;
    return get(call, IAM_USER, in->user_name, in->policy_name, &out->policy_document);
}
