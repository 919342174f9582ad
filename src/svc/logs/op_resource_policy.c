/* PutResourcePolicy, DescribeResourcePolicies, DeleteResourcePolicy. Layer: svc/logs.
 * Source: CloudWatch Logs API Reference. */
#include "svc/logs/logs_int.h"

static enum err refuse_others(struct call *call, struct str arn, struct str revision)
{
    if (str_is_set(arn))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Policies of single log groups are not supported by Weir; leave "
                          "resourceArn out.");
    if (str_is_set(revision))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Revisions of policies are not supported by Weir; leave "
                          "expectedRevisionId out.");
    return ERR_OK;
}

static struct logs_policy *find(struct logs_policies *p, struct str name)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].name, name))
            return &p->v[i];
    return NULL;
}

static enum err check_document(struct call *call, struct str document, struct str *ret_stored)
{
    const char *why = "";
    enum err err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, document, &why);
    if (err == ERR_OK)
        err = core_policy_stored(call->txn, document, &why, ret_stored);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "The policy document is not valid: %s", why);
    return err;
}

static enum err give(struct call *call, const struct logs_policy *p,
                     struct logs_resource_policy *ret)
{
    *ret = (struct logs_resource_policy){.policy_name = p->name, .policy_scope = STR("ACCOUNT")};
    WIRE_SET(ret, last_updated_time, p->updated_ms);
    return core_policy_shown(call->core, call->arena, p->document, &ret->policy_document);
}

enum err logs_put_resource_policy(struct call *call,
                                  const struct logs_put_resource_policy_input *in,
                                  struct logs_put_resource_policy_output *out)
{
    struct logs_policies *p;
    struct str stored;
    TRY(refuse_others(call, in->resource_arn, in->expected_revision_id));
    if (!str_is_set(in->policy_name) || in->policy_name.len == 0 ||
        !str_is_set(in->policy_document))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "policyName and policyDocument must be given.");
    TRY(check_document(call, in->policy_document, &stored));
    TRY(logs_policies_read(call->svc, call->txn, call_scope(call), &p));
    struct logs_policy *place = find(p, in->policy_name);
    if (!place && p->n == LOGS_POLICIES_MAX)
        return call_error(call, &logs_err_limit_exceeded_exception, "Resource limit exceeded.");
    if (!place)
        place = &p->v[p->n++];
    *place = (struct logs_policy){in->policy_name, stored, call->txn->wall_ms};
    struct logs_resource_policy *shown = ARENA_NEW(call->arena, struct logs_resource_policy);
    if (!shown)
        return ERR_NOMEM;
    TRY(give(call, place, shown));
    out->resource_policy = shown;
    return logs_policies_write(call->svc, call->txn, call_scope(call), p);
}

enum err logs_delete_resource_policy(struct call *call,
                                     const struct logs_delete_resource_policy_input *in,
                                     struct logs_delete_resource_policy_output *out)
{
    struct logs_policies *p;
    TRY(refuse_others(call, in->resource_arn, in->expected_revision_id));
    TRY(logs_policies_read(call->svc, call->txn, call_scope(call), &p));
    struct logs_policy *found = find(p, in->policy_name);
    if (!found)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "Policy with name [" STR_FMT "] does not exist.",
                          STR_ARG(in->policy_name));
    *found = p->v[--p->n];
    return logs_policies_write(call->svc, call->txn, call_scope(call), p);
}

/* There are so few that they fit a page, whatever its limit. */
enum err logs_describe_resource_policies(struct call *call,
                                         const struct logs_describe_resource_policies_input *in,
                                         struct logs_describe_resource_policies_output *out)
{
    struct logs_policies *p;
    struct str after;
    if (str_is_set(in->resource_arn) ||
        (str_is_set(in->policy_scope) && !str_eq_c(in->policy_scope, "ACCOUNT")))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Policies of single log groups are not supported by Weir; leave "
                          "resourceArn and policyScope out.");
    TRY(logs_policies_read(call->svc, call->txn, call_scope(call), &p));
    struct page page = page_of_call(call, STR(""), in->next_token,
                                    in->has_limit ? (size_t)in->limit : LOGS_POLICIES_MAX);
    TRY(logs_paged(call, page_start(&page, &after)));
    struct logs_resource_policy *v =
        ARENA_ARRAY(call->arena, struct logs_resource_policy, LOGS_POLICIES_MAX);
    if (!v)
        return ERR_NOMEM;
    size_t n = 0, i = 0;
    while (i < p->n && str_is_set(after) && !str_eq(p->v[i].name, after))
        i++;
    i = str_is_set(after) && i < p->n ? i + 1 : str_is_set(after) ? p->n : 0;
    for (; i < p->n && n < page.limit; i++)
        TRY(give(call, &p->v[i], &v[n++]));
    if (i < p->n)
        TRY(page_end(&page, v[n - 1].policy_name));
    out->resource_policies = (struct logs_resource_policies){v, n};
    out->next_token = page.next_token;
    return ERR_OK;
}
