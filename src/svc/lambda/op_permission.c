/* AddPermission, RemovePermission, GetPolicy: the resource policy of a function.
 *
 * Layer: svc. Thread: the call's. */
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"

enum err lambda_policy_check_revision(struct call *call, struct str wanted, struct str have,
                                      const char *api)
{
    if (!str_is_set(wanted) || str_eq(wanted, have))
        return ERR_OK;
    return call_error(call, &lambda_err_precondition_failed_exception,
                      "The RevisionId provided does not match the latest RevisionId. Call the "
                      "%s API to retrieve the latest RevisionId",
                      api);
}

/* The function must exist; its record is read so that a delete in between conflicts. */
static enum err policy_of(struct call *call, struct str function_name, struct str qualifier,
                          struct lambda_fn **ret_fn, struct lambda_policy *ret_policy)
{
    TRY(lambda_fn_of_alias(call, function_name, qualifier, ret_fn));
    return lambda_policy_get(call->txn, &(*ret_fn)->name, ret_policy);
}

static enum err check_document(struct call *call, struct str doc)
{
    const char *why = "";

    if (doc.len > LAMBDA_POLICY_MAX)
        return call_error(call, &lambda_err_policy_length_exceeded_exception,
                          "The final policy size (%zu) is bigger than the limit (%d).", doc.len,
                          LAMBDA_POLICY_MAX);
    enum err err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, doc, &why);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return LAMBDA_INVALID(call, "The provided permission is not valid: %s", why);
    return err;
}

static enum err invalid_principal(struct call *call)
{
    return LAMBDA_INVALID(
        call, "The provided principal was invalid. Please check the principal and try again.");
}

static enum err build(struct call *call, const struct lambda_grant *grant, struct str principal,
                      struct str *ret_json)
{
    const struct statement st = {
        .sid = grant->sid,
        .principals = &principal,
        .n_principals = 1,
        .actions = &grant->action,
        .n_actions = 1,
        .resource = grant->resource,
        .conditions = grant->conditions,
        .n_conditions = grant->n_conditions,
    };
    enum err err = statement_json(call->arena, call->partition, &st, ret_json);
    return err == ERR_INVALID ? invalid_principal(call) : err;
}

enum err lambda_policy_grant(struct call *call, const struct lambda_grant *grant,
                             struct lambda_policy *policy, struct str *ret_statement)
{
    struct str stored, principal;
    const char *why;

    enum err err = core_principal_stored(call->txn, grant->principal, &why, &principal);
    if (err)
        return err == ERR_INVALID ? invalid_principal(call) : err;
    TRY(build(call, grant, grant->principal, ret_statement));
    TRY(build(call, grant, principal, &stored));
    err = statement_add(call->arena, policy->document, STR("2012-10-17"), STR("default"),
                        grant->sid, stored, &policy->document);
    if (err == ERR_EXISTS)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "The statement id (" STR_FMT ") provided already exists. Please "
                          "provide a new statement id, or remove the existing statement.",
                          STR_ARG(grant->sid));
    if (err == ERR_LIMIT)
        return call_error(call, &lambda_err_policy_length_exceeded_exception,
                          "The policy is bigger than the limit (%d).", LAMBDA_POLICY_MAX);
    TRY(err);
    return check_document(call, policy->document);
}

enum err lambda_policy_revoke(struct call *call, struct str sid, struct lambda_policy *policy)
{
    enum err err = statement_remove(call->arena, policy->document, sid, &policy->document);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "Statement " STR_FMT " is not found in resource policy.", STR_ARG(sid));
    return err;
}

enum err lambda_policy_needed(struct call *call, const struct lambda_policy *policy)
{
    if (str_is_set(policy->document))
        return ERR_OK;
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "No policy is associated with the given resource.");
}

static struct str invoked_via_url(const struct lambda_add_permission_input *in)
{
    if (!in->has_invoked_via_function_url)
        return STR_NONE;
    return in->invoked_via_function_url ? STR("true") : STR("false");
}

/* The type is that of calls of lambda:InvokeFunctionUrl alone. */
static enum err check_url_type(struct call *call, const struct lambda_add_permission_input *in)
{
    if (!str_is_set(in->function_url_auth_type) || str_eq_c(in->action, "lambda:InvokeFunctionUrl"))
        return ERR_OK;
    return LAMBDA_INVALID(
        call, "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
}

enum err lambda_add_permission(struct call *call, const struct lambda_add_permission_input *in,
                               struct lambda_add_permission_output *out)
{
    struct lambda_fn *fn;
    struct lambda_policy policy;
    const struct statement_condition conditions[] = {
        {"StringEquals", "AWS:SourceAccount", in->source_account},
        {"StringEquals", "aws:PrincipalOrgID", in->principal_org_id},
        {"StringEquals", "lambda:EventSourceToken", in->event_source_token},
        {"StringEquals", "lambda:FunctionUrlAuthType", in->function_url_auth_type},
        {"Bool", "lambda:InvokedViaFunctionUrl", invoked_via_url(in)},
        {"ArnLike", "AWS:SourceArn", in->source_arn},
    };

    TRY(check_url_type(call, in));
    TRY(policy_of(call, in->function_name, in->qualifier, &fn, &policy));
    if (str_eq_c(fn->name.qualifier, LAMBDA_LATEST))
        return LAMBDA_INVALID(call, "We currently do not support adding policies for $LATEST.");
    TRY(lambda_policy_check_revision(call, in->revision_id, policy.revision, "GetPolicy"));
    const struct lambda_grant grant = {
        .sid = in->statement_id,
        .principal = in->principal,
        .action = in->action,
        .resource = lambda_arn(call->arena, call->partition, &fn->name, fn->name.qualifier),
        .conditions = conditions,
        .n_conditions = ARRAY_LEN(conditions),
    };
    if (!str_is_set(grant.resource))
        return ERR_NOMEM;
    TRY(lambda_policy_grant(call, &grant, &policy, &out->statement));
    TRY(lambda_fn_guard(call->txn, lambda_of(call), &fn->name));
    return lambda_policy_put(call->txn, &fn->name, &policy);
}

enum err lambda_remove_permission(struct call *call,
                                  const struct lambda_remove_permission_input *in,
                                  struct lambda_remove_permission_output *out)
{
    struct lambda_fn *fn;
    struct lambda_policy policy;

    TRY(policy_of(call, in->function_name, in->qualifier, &fn, &policy));
    TRY(lambda_policy_needed(call, &policy));
    TRY(lambda_policy_check_revision(call, in->revision_id, policy.revision, "GetPolicy"));
    TRY(lambda_policy_revoke(call, in->statement_id, &policy));
    return lambda_policy_put(call->txn, &fn->name, &policy);
}

enum err lambda_auth_permission(struct call *call, const struct lambda_remove_permission_input *in,
                                struct policy_context *ctx)
{
    struct lambda_fn *fn;
    struct lambda_policy policy;
    struct json *doc;
    enum err err = policy_of(call, in->function_name, in->qualifier, &fn, &policy);
    if (err == ERR_FAILED) { /* the handler will say so, to who may know */
        call_error_clear(call);
        return ERR_OK;
    }
    TRY(err);
    if (!str_is_set(policy.document))
        return ERR_OK;
    TRY(core_policy_shown(call->core, call->arena, policy.document, &policy.document));
    TRY(json_parse(call->arena, policy.document, &doc, NULL));
    JSON_EACH (json_get(doc, STR("Statement")), it)
        if (str_eq(json_get_str(it, STR("Sid")), in->statement_id)) {
            policy_context_add(ctx, STR("lambda:Principal"), json_get_str(it, STR("Principal")));
            JSON_EACH (json_get(it, STR("Principal")), kind)
                policy_context_add(ctx, STR("lambda:Principal"), kind->text);
        }
    return ctx->err;
}

enum err lambda_get_policy(struct call *call, const struct lambda_get_policy_input *in,
                           struct lambda_get_policy_output *out)
{
    struct lambda_fn *fn;
    struct lambda_policy policy;

    TRY(policy_of(call, in->function_name, in->qualifier, &fn, &policy));
    if (!str_is_set(policy.document))
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "The resource you requested does not exist.");
    TRY(core_policy_shown(call->core, call->arena, policy.document, &out->policy));
    out->revision_id = policy.revision;
    return ERR_OK;
}
