/* Put-, Update-, Get-, List- and DeleteFunctionEventInvokeConfig: how asynchronous invocations are
 * retried, and where their outcome goes.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

enum { AGE_MIN_S = 60 };

_Static_assert(sizeof(struct lambda_put_function_event_invoke_config_output) ==
                       sizeof(struct lambda_function_event_invoke_config) &&
                   sizeof(struct lambda_update_function_event_invoke_config_output) ==
                       sizeof(struct lambda_function_event_invoke_config) &&
                   sizeof(struct lambda_get_function_event_invoke_config_output) ==
                       sizeof(struct lambda_function_event_invoke_config) &&
                   sizeof(struct lambda_put_function_event_invoke_config_input) ==
                       sizeof(struct lambda_update_function_event_invoke_config_input),
               "one shape");

static enum err fill(struct call *call, const struct lambda_fn *fn,
                     struct lambda_function_event_invoke_config *out)
{
    struct lambda_destination_config *dest =
        ARENA_NEW(call->arena, struct lambda_destination_config);
    struct lambda_on_success *ok = ARENA_NEW(call->arena, struct lambda_on_success);
    struct lambda_on_failure *bad = ARENA_NEW(call->arena, struct lambda_on_failure);

    if (!dest || !ok || !bad)
        return ERR_NOMEM;
    WIRE_SET(out, last_modified, fn->async.modified_ms);
    out->function_arn = lambda_arn(call->arena, call->partition, &fn->name, STR(LAMBDA_LATEST));
    if (fn->async.retries >= 0)
        WIRE_SET(out, maximum_retry_attempts, fn->async.retries);
    if (fn->async.age_max_s >= 0)
        WIRE_SET(out, maximum_event_age_in_seconds, fn->async.age_max_s);
    ok->destination = fn->async.on_success;
    bad->destination = fn->async.on_failure;
    dest->on_success = ok;
    dest->on_failure = bad;
    out->destination_config = dest;
    return str_is_set(out->function_arn) ? ERR_OK : ERR_NOMEM;
}

enum err lambda_destination_take(struct call *call, const struct lambda_fn *fn, struct str arn,
                                 struct str *ret_arn)
{
    if (str_empty(arn)) {
        *ret_arn = STR_NONE;
        return ERR_OK;
    }
    const struct target_kind *kind = target_kind_of(call->core, arn);
    if (!kind)
        return LAMBDA_INVALID(call,
                              "The destination ARN " STR_FMT
                              " is not supported by Weir: use an SQS "
                              "queue, an SNS topic, a function or an event bus.",
                              STR_ARG(arn));
    enum err err = lambda_role_allowed(call->txn, fn->role, kind->action, arn);
    if (err == ERR_DENIED)
        return LAMBDA_INVALID(
            call, "The function's execution role does not have permissions to call %s on " STR_FMT,
            strchr(kind->action, ':') + 1, STR_ARG(arn));
    TRY(err);
    *ret_arn = arn;
    return ERR_OK;
}

static enum err apply(struct call *call,
                      const struct lambda_put_function_event_invoke_config_input *in,
                      struct lambda_fn *fn)
{
    struct lambda_async_config *c = &fn->async;

    if (in->has_maximum_retry_attempts) {
        if (in->maximum_retry_attempts < 0 || in->maximum_retry_attempts > LAMBDA_ASYNC_RETRIES)
            return LAMBDA_INVALID(call, "MaximumRetryAttempts must be between 0 and %d",
                                  LAMBDA_ASYNC_RETRIES);
        c->retries = (int)in->maximum_retry_attempts;
    }
    if (in->has_maximum_event_age_in_seconds) {
        if (in->maximum_event_age_in_seconds < AGE_MIN_S ||
            in->maximum_event_age_in_seconds > LAMBDA_ASYNC_AGE_MAX_S)
            return LAMBDA_INVALID(call, "MaximumEventAgeInSeconds must be between %d and %d",
                                  AGE_MIN_S, LAMBDA_ASYNC_AGE_MAX_S);
        c->age_max_s = in->maximum_event_age_in_seconds;
    }
    const struct lambda_destination_config *dest = in->destination_config;
    if (dest && dest->on_success)
        TRY(lambda_destination_take(call, fn, dest->on_success->destination, &c->on_success));
    if (dest && dest->on_failure)
        TRY(lambda_destination_take(call, fn, dest->on_failure->destination, &c->on_failure));
    c->set = true;
    c->modified_ms = call->txn->wall_ms;
    return ERR_OK;
}

static enum err none(struct call *call, const struct lambda_fn *fn)
{
    struct str arn = lambda_arn(call->arena, call->partition, &fn->name, STR(LAMBDA_LATEST));
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "The function " STR_FMT " doesn't have an EventInvokeConfig", STR_ARG(arn));
}

static enum err store(struct call *call,
                      const struct lambda_put_function_event_invoke_config_input *in, bool update,
                      void *out)
{
    struct lambda_fn *fn;
    struct lambda_function_event_invoke_config config = {0};

    TRY(lambda_fn_of_call(call, in->function_name, in->qualifier, &fn));
    if (update && !fn->async.set)
        return none(call, fn);
    if (!update)
        fn->async = (struct lambda_async_config){.retries = -1, .age_max_s = -1};
    TRY(apply(call, in, fn));
    TRY(lambda_fn_put(call->txn, lambda_of(call), fn));
    TRY(fill(call, fn, &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

enum err lambda_put_function_event_invoke_config(
    struct call *call, const struct lambda_put_function_event_invoke_config_input *in,
    struct lambda_put_function_event_invoke_config_output *out)
{
    return store(call, in, false, out);
}

enum err lambda_update_function_event_invoke_config(
    struct call *call, const struct lambda_update_function_event_invoke_config_input *in,
    struct lambda_update_function_event_invoke_config_output *out)
{
    const struct lambda_put_function_event_invoke_config_input same = {
        in->function_name,
        in->qualifier,
        in->maximum_retry_attempts,
        in->has_maximum_retry_attempts,
        in->maximum_event_age_in_seconds,
        in->has_maximum_event_age_in_seconds,
        in->destination_config,
    };
    return store(call, &same, true, out);
}

enum err lambda_get_function_event_invoke_config(
    struct call *call, const struct lambda_get_function_event_invoke_config_input *in,
    struct lambda_get_function_event_invoke_config_output *out)
{
    struct lambda_fn *fn;
    struct lambda_function_event_invoke_config config = {0};

    TRY(lambda_fn_of_call(call, in->function_name, in->qualifier, &fn));
    if (!fn->async.set)
        return none(call, fn);
    TRY(fill(call, fn, &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

enum err lambda_list_function_event_invoke_configs(
    struct call *call, const struct lambda_list_function_event_invoke_configs_input *in,
    struct lambda_list_function_event_invoke_configs_output *out)
{
    struct lambda_fn *fn;
    struct lambda_function_event_invoke_config *config =
        ARENA_NEW(call->arena, struct lambda_function_event_invoke_config);

    if (!config)
        return ERR_NOMEM;
    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    if (fn->async.set)
        TRY(fill(call, fn, config));
    out->function_event_invoke_configs.v = config;
    out->function_event_invoke_configs.n = fn->async.set && !str_is_set(in->marker) ? 1 : 0;
    return ERR_OK;
}

enum err lambda_delete_function_event_invoke_config(
    struct call *call, const struct lambda_delete_function_event_invoke_config_input *in,
    struct lambda_delete_function_event_invoke_config_output *out)
{
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, in->qualifier, &fn));
    if (!fn->async.set)
        return none(call, fn);
    fn->async = (struct lambda_async_config){.retries = -1, .age_max_s = -1};
    return lambda_fn_put(call->txn, lambda_of(call), fn);
}
