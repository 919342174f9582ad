/* AddPermission, RemovePermission, GetPolicy: the resource policy of a function.
 *
 * Layer: svc. Thread: the call's. */
#include "auth/policy.h"
#include "svc/lambda/lambda_int.h"

static enum err check_revision(struct call *call, struct str wanted, struct str have)
{
    if (!str_is_set(wanted) || str_eq(wanted, have))
        return ERR_OK;
    return call_error(call, &lambda_err_precondition_failed_exception,
                      "The RevisionId provided does not match the latest RevisionId. Call the "
                      "GetPolicy API to retrieve the latest RevisionId");
}

/* The function must exist; its record is read so that a delete in between conflicts. */
static enum err policy_of(struct call *call, struct str function_name, struct str qualifier,
                          struct fn_name *ret_name, struct fn_policy *ret_policy)
{
    struct fn_rec rec;
    TRY(fn_name_of_call(call, function_name, qualifier, ret_name));
    TRY(fn_rec_of_call(call, ret_name, &rec));
    return fn_policy_get(call->txn, ret_name, ret_policy);
}

static enum err check_document(struct call *call, const struct fn_policy *policy)
{
    const char *why = "";
    struct policy *parsed;
    struct str doc = fn_policy_document(call->arena, policy);

    if (!str_is_set(doc))
        return ERR_NOMEM;
    if (doc.len > LAMBDA_POLICY_MAX)
        return call_error(call, &lambda_err_policy_length_exceeded_exception,
                          "The final policy size (%zu) is bigger than the limit (%d).", doc.len,
                          LAMBDA_POLICY_MAX);
    enum err err = policy_parse(call->arena, POLICY_RESOURCE, doc, &why, &parsed);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "The provided permission is not valid: %s", why);
    return err;
}

enum err lambda_add_permission(struct call *call, const struct lambda_add_permission_input *in,
                               struct lambda_add_permission_output *out)
{
    struct fn_name name;
    struct fn_policy policy;
    struct str json;

    if (str_is_set(in->function_url_auth_type) || in->has_invoked_via_function_url)
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "Function URLs are not supported by Weir.");
    TRY(policy_of(call, in->function_name, in->qualifier, &name, &policy));
    TRY(check_revision(call, in->revision_id, policy.revision));
    for (size_t i = 0; i < policy.n; i++)
        if (str_eq(policy.v[i].sid, in->statement_id))
            return call_error(call, &lambda_err_resource_conflict_exception,
                              "The statement id (" STR_FMT ") provided already exists. Please "
                              "provide a new statement id, or remove the existing statement.",
                              STR_ARG(in->statement_id));
    struct str arn = fn_arn(call->arena, call->partition, &name, name.qualifier);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    enum err err = permission_statement(call->arena, in, arn, &json);
    if (err == ERR_INVALID)
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "The provided principal was invalid. Please check the principal and try "
                          "again.");
    if (err == ERR_LIMIT)
        return call_error(call, &lambda_err_policy_length_exceeded_exception,
                          "The statement is too long.");
    TRY(err);
    struct fn_statement *v = ARENA_ARRAY(call->arena, struct fn_statement, policy.n + 1);
    if (!v)
        return ERR_NOMEM;
    if (policy.n)
        memcpy(v, policy.v, policy.n * sizeof(*v));
    v[policy.n] = (struct fn_statement){in->statement_id, json};
    policy.v = v;
    policy.n++;
    TRY(check_document(call, &policy));
    TRY(fn_policy_put(call->txn, &name, &policy));
    out->statement = json;
    return ERR_OK;
}

enum err lambda_remove_permission(struct call *call,
                                  const struct lambda_remove_permission_input *in,
                                  struct lambda_remove_permission_output *out)
{
    struct fn_name name;
    struct fn_policy policy;
    size_t n = 0;

    TRY(policy_of(call, in->function_name, in->qualifier, &name, &policy));
    if (policy.n == 0)
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "No policy is associated with the given resource.");
    TRY(check_revision(call, in->revision_id, policy.revision));
    for (size_t i = 0; i < policy.n; i++)
        if (!str_eq(policy.v[i].sid, in->statement_id))
            policy.v[n++] = policy.v[i];
    if (n == policy.n)
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "Statement " STR_FMT " is not found in resource policy.",
                          STR_ARG(in->statement_id));
    policy.n = n;
    return fn_policy_put(call->txn, &name, &policy);
}

enum err lambda_get_policy(struct call *call, const struct lambda_get_policy_input *in,
                           struct lambda_get_policy_output *out)
{
    struct fn_name name;
    struct fn_policy policy;

    TRY(policy_of(call, in->function_name, in->qualifier, &name, &policy));
    if (policy.n == 0)
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "The resource you requested does not exist.");
    out->policy = fn_policy_document(call->arena, &policy);
    out->revision_id = policy.revision;
    return str_is_set(out->policy) ? ERR_OK : ERR_NOMEM;
}
