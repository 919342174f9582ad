/* Put- and GetFunctionRecursionConfig: whether a function that invokes itself in a loop is stopped
 * (lambda_trace.h).
 *
 * Source: Lambda API reference. Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

enum err
lambda_put_function_recursion_config(struct call *call,
                                     const struct lambda_put_function_recursion_config_input *in,
                                     struct lambda_put_function_recursion_config_output *out)
{
    struct lambda_fn *fn;
    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    fn->recursion_allowed = str_eq_c(in->recursive_loop, "Allow");
    TRY(lambda_fn_put(call->txn, lambda_of(call), fn));
    out->recursive_loop = in->recursive_loop;
    return ERR_OK;
}

enum err
lambda_get_function_recursion_config(struct call *call,
                                     const struct lambda_get_function_recursion_config_input *in,
                                     struct lambda_get_function_recursion_config_output *out)
{
    struct lambda_fn *fn;
    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    out->recursive_loop = fn->recursion_allowed ? STR("Allow") : STR("Terminate");
    return ERR_OK;
}
