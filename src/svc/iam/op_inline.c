/* Inline policies of users and roles.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static size_t find_inline(const struct iam_entity *e, struct str policy)
{
    size_t at = 0;
    while (at < e->n_inlines && !str_eq(e->inlines[at].name, policy))
        at++;
    return at;
}

static enum err no_such_policy(struct call *call, enum iam_kind kind, struct str policy)
{
    return call_error(call, &iam_err_no_such_entity_exception,
                      "The %s policy with name " STR_FMT " cannot be found.",
                      kind == IAM_USER ? "user" : "role", STR_ARG(policy));
}

static enum err check_size(struct call *call, const struct iam_entity *e, size_t at,
                           struct str document)
{
    size_t max = e->kind == IAM_USER ? IAM_INLINE_USER_CHARS : IAM_INLINE_ROLE_CHARS;
    size_t sum = iam_document_chars(document);
    for (size_t i = 0; i < e->n_inlines; i++)
        if (i != at)
            sum += iam_document_chars(e->inlines[i].document);
    if (sum > max || (at == e->n_inlines && e->n_inlines == IAM_INLINE_MAX))
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Maximum policy size of %zu bytes exceeded for %s " STR_FMT, max,
                          e->kind == IAM_USER ? "user" : "role", STR_ARG(e->name));
    return ERR_OK;
}

static enum err put(struct call *call, enum iam_kind kind, struct str name, struct str policy,
                    struct str document)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    TRY(iam_check_document(call, POLICY_IDENTITY, document));
    size_t at = find_inline(e, policy);
    TRY(check_size(call, e, at, document));
    if (at == e->n_inlines) {
        for (e->n_inlines++; at > 0 && str_cmp(e->inlines[at - 1].name, policy) > 0; at--)
            e->inlines[at] = e->inlines[at - 1];
    }
    e->inlines[at] = (struct iam_inline){policy, document};
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err get(struct call *call, enum iam_kind kind, struct str name, struct str policy,
                    struct str *ret_document)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    size_t at = find_inline(e, policy);
    if (at == e->n_inlines)
        return no_such_policy(call, kind, policy);
    struct str encoded = iam_encoded(call, e->inlines[at].document);
    if (!str_is_set(encoded))
        return ERR_NOMEM;
    *ret_document = encoded;
    return ERR_OK;
}

static enum err drop(struct call *call, enum iam_kind kind, struct str name, struct str policy)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    size_t at = find_inline(e, policy);
    if (at == e->n_inlines)
        return no_such_policy(call, kind, policy);
    for (e->n_inlines--; at < e->n_inlines; at++)
        e->inlines[at] = e->inlines[at + 1];
    return iam_entity_store(iam_of(call), call->txn, e);
}

static enum err list(struct call *call, enum iam_kind kind, struct str name, struct iam_page *page,
                     struct iam_policy_name_list_type *ret)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, kind, name, &e));
    struct str *v = ARENA_ARRAY(call->arena, struct str, e->n_inlines + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->n_inlines; i++) {
        if (str_is_set(page->after) && str_cmp(e->inlines[i].name, page->after) <= 0)
            continue;
        if (n == page->max) {
            TRY(iam_page_more(call, page, v[n - 1]));
            break;
        }
        v[n++] = e->inlines[i].name;
    }
    *ret = (struct iam_policy_name_list_type){v, n};
    return ERR_OK;
}

enum err iam_put_role_policy(struct call *call, const struct iam_put_role_policy_input *in,
                             struct iam_put_role_policy_output *out)
{
    return put(call, IAM_ROLE, in->role_name, in->policy_name, in->policy_document);
}

enum err iam_put_user_policy(struct call *call, const struct iam_put_user_policy_input *in,
                             struct iam_put_user_policy_output *out)
{
    return put(call, IAM_USER, in->user_name, in->policy_name, in->policy_document);
}

enum err iam_get_role_policy(struct call *call, const struct iam_get_role_policy_input *in,
                             struct iam_get_role_policy_output *out)
{
    TRY(get(call, IAM_ROLE, in->role_name, in->policy_name, &out->policy_document));
    out->role_name = in->role_name;
    out->policy_name = in->policy_name;
    return ERR_OK;
}

enum err iam_get_user_policy(struct call *call, const struct iam_get_user_policy_input *in,
                             struct iam_get_user_policy_output *out)
{
    TRY(get(call, IAM_USER, in->user_name, in->policy_name, &out->policy_document));
    out->user_name = in->user_name;
    out->policy_name = in->policy_name;
    return ERR_OK;
}

enum err iam_delete_role_policy(struct call *call, const struct iam_delete_role_policy_input *in,
                                struct iam_delete_role_policy_output *out)
{
    return drop(call, IAM_ROLE, in->role_name, in->policy_name);
}

enum err iam_delete_user_policy(struct call *call, const struct iam_delete_user_policy_input *in,
                                struct iam_delete_user_policy_output *out)
{
    return drop(call, IAM_USER, in->user_name, in->policy_name);
}

enum err iam_list_role_policies(struct call *call, const struct iam_list_role_policies_input *in,
                                struct iam_list_role_policies_output *out)
{
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list(call, IAM_ROLE, in->role_name, &page, &out->policy_names));
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

enum err iam_list_user_policies(struct call *call, const struct iam_list_user_policies_input *in,
                                struct iam_list_user_policies_output *out)
{
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list(call, IAM_USER, in->user_name, &page, &out->policy_names));
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}
