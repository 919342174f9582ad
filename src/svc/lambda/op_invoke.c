/* Invoke: RequestResponse, Event, DryRun.
 *
 * Source: Lambda API Reference, Invoke.
 * Layer: svc. Thread: the call's loop. */
#include "codec/base64.h"
#include "svc/lambda/lambda_sync.h"

/* What is invoked. */
struct invoked {
    struct lambda_name name;
    struct lambda_fn *fn;
};

/* The call runs again: woken, or its time passed. */
static enum err resume(struct call *call, const struct lambda_invoke_input *in,
                       struct lambda_invoke_output *out)
{
    struct lambda_outcome outcome;

    TRY(lambda_sync_resume(call, &outcome));
    WIRE_SET(out, status_code, 200);
    out->payload = outcome.body;
    out->executed_version = str_dup(call->arena, outcome.version);
    if (outcome.function_error)
        out->function_error = STR("Unhandled");
    if (str_eq_c(in->log_type, "Tail")) {
        out->log_result = base64_encode(call->arena, outcome.tail.p, outcome.tail.len);
        if (!str_is_set(out->log_result))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

enum err lambda_check_payload(struct call *call, struct str payload, bool event)
{
    size_t max = event ? LAMBDA_PAYLOAD_ASYNC_MAX : LAMBDA_PAYLOAD_SYNC_MAX;
    size_t at;

    if (payload.len > max)
        return call_error(call, &lambda_err_request_too_large_exception,
                          "%zu byte payload is too large for the %s invocation type (limit %zu "
                          "bytes)",
                          payload.len, event ? "Event" : "RequestResponse", max);
    if (lambda_payload_is_json(payload, &at))
        return ERR_OK;
    return call_error(call, &lambda_err_invalid_request_content_exception,
                      "Could not parse request body into json: Could not parse payload into json: "
                      "Unexpected character at offset %zu",
                      at);
}

enum err lambda_client_context(struct call *call, struct str coded, struct str *ret_context)
{
    *ret_context = STR_NONE;
    if (str_empty(coded))
        return ERR_OK;
    size_t at;
    if (coded.len > LAMBDA_CONTEXT_MAX ||
        base64_decode(call->arena, coded, ret_context) != ERR_OK ||
        !lambda_payload_is_json(*ret_context, &at))
        return call_error(call, &lambda_err_invalid_request_content_exception,
                          "Client context must be a valid Base64-encoded JSON object.");
    return ERR_OK;
}

static enum err run(struct call *call, const struct lambda_invoke_input *in, struct invoked *of,
                    struct lambda_invoke_output *out)
{
    bool event = str_eq_c(in->invocation_type, "Event");
    struct str payload = str_empty(in->payload) ? STR("{}") : in->payload;
    struct str context;

    if (str_is_set(in->durable_execution_name) || str_is_set(in->tenant_id))
        return LAMBDA_INVALID(call, "DurableExecutionName and TenantId are not supported by Weir.");
    TRY(lambda_check_payload(call, payload, event));
    TRY(lambda_client_context(call, in->client_context, &context));
    if (str_eq_c(in->invocation_type, "DryRun")) {
        WIRE_SET(out, status_code, 204);
        return ERR_OK;
    }
    if (!event)
        return lambda_sync_start(call, &(struct lambda_sync_request){
                                           .name = &of->name,
                                           .fn = of->fn,
                                           .payload = payload,
                                           .context = context,
                                           .want_tail = str_eq_c(in->log_type, "Tail"),
                                       });
    struct lambda_event ev = {.name.qualifier = of->name.qualifier,
                              .request_id = call->request_id,
                              .client_context = context,
                              .payload = payload,
                              .cause = call_trace(call)};
    TRY(lambda_async_add(call->txn, lambda_of(call), of->fn, &ev));
    WIRE_SET(out, status_code, 202);
    return ERR_OK;
}

enum err lambda_invoke(struct call *call, const struct lambda_invoke_input *in,
                       struct lambda_invoke_output *out)
{
    struct invoked of;

    if (call->state)
        return resume(call, in, out);
    TRY(lambda_name_of_qualifier(call, in->function_name, in->qualifier, &of.name));
    enum err err = lambda_fn_find(lambda_of(call), &of.name, &of.fn);
    if (err == ERR_NOT_FOUND)
        return lambda_not_found(call, &of.name);
    TRY(err);
    err = run(call, in, &of, out);
    lambda_fn_unref(of.fn);
    return err;
}
