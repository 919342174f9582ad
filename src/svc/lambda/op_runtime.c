/* Put- and GetRuntimeManagementConfig. A runtime is the interpreter that the operator installed, and no other ever
 * runs unasked (sandbox): so there is one version to choose, and nothing that would be updated by itself.
 *
 * Source: Lambda developer guide, "Understanding how Lambda manages runtime version updates". Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

static const struct str MANUAL = STR_INIT("Manual");

static enum err check(struct call *call,
                      const struct lambda_put_runtime_management_config_input *in, struct str here)
{
    if (!str_eq(in->update_runtime_on, MANUAL) && str_is_set(in->runtime_version_arn))
        return LAMBDA_INVALID(call, "RuntimeVersionArn is only for UpdateRuntimeOn Manual.");
    if (!str_eq(in->update_runtime_on, MANUAL))
        return ERR_OK;
    if (!str_is_set(in->runtime_version_arn))
        return LAMBDA_INVALID(call, "UpdateRuntimeOn Manual needs a RuntimeVersionArn.");
    if (!str_eq(in->runtime_version_arn, here))
        return LAMBDA_INVALID(
            call, "The runtime version " STR_FMT " is not here. The one that is: " STR_FMT,
            STR_ARG(in->runtime_version_arn), STR_ARG(here));
    return ERR_OK;
}

static enum err find(struct call *call, struct str function_name, struct str qualifier,
                     struct lambda_fn **ret_fn, struct str *ret_arn)
{
    struct lambda_fn *fn;
    TRY(lambda_fn_of_qualifier(call, function_name, qualifier, &fn));
    if (lambda_is_alias(fn->name.qualifier))
        return LAMBDA_INVALID(call, "A runtime is a version's: name it, and not an alias.");
    *ret_arn = lambda_arn(call->arena, call->partition, &fn->name, fn->version);
    *ret_fn = fn;
    return str_is_set(*ret_arn) ? ERR_OK : ERR_NOMEM;
}

enum err
lambda_put_runtime_management_config(struct call *call,
                                     const struct lambda_put_runtime_management_config_input *in,
                                     struct lambda_put_runtime_management_config_output *out)
{
    struct lambda_fn *fn;
    TRY(find(call, in->function_name, in->qualifier, &fn, &out->function_arn));
    struct str here = lambda_runtime_arn(call, fn);
    if (!str_is_set(here))
        return ERR_NOMEM;
    TRY(check(call, in, here));
    fn->runtime_update = in->update_runtime_on;
    TRY(lambda_fn_put(call->txn, lambda_of(call), fn));
    out->update_runtime_on = fn->runtime_update;
    out->runtime_version_arn = in->runtime_version_arn;
    return ERR_OK;
}

enum err
lambda_get_runtime_management_config(struct call *call,
                                     const struct lambda_get_runtime_management_config_input *in,
                                     struct lambda_get_runtime_management_config_output *out)
{
    struct lambda_fn *fn;
    TRY(find(call, in->function_name, in->qualifier, &fn, &out->function_arn));
    out->update_runtime_on = str_is_set(fn->runtime_update) ? fn->runtime_update : STR("Auto");
    if (!str_eq(out->update_runtime_on, MANUAL))
        return ERR_OK;
    out->runtime_version_arn = lambda_runtime_arn(call, fn);
    return str_is_set(out->runtime_version_arn) ? ERR_OK : ERR_NOMEM;
}
