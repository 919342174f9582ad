/* Reading functions: GetFunction, GetFunctionConfiguration, ListFunctions,
 * GetFunctionCodeSigningConfig, GetAccountSettings; and reserved concurrency.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_provisioned.h"

_Static_assert(sizeof(struct lambda_get_function_configuration_output) ==
                   sizeof(struct lambda_function_configuration),
               "one shape");

enum err lambda_get_function_configuration(struct call *call,
                                           const struct lambda_get_function_configuration_input *in,
                                           struct lambda_get_function_configuration_output *out)
{
    struct lambda_fn *fn;
    struct lambda_function_configuration conf = {0};

    TRY(lambda_fn_of_qualifier(call, in->function_name, in->qualifier, &fn));
    TRY(lambda_configuration_fill(call, fn, str_is_set(fn->name.qualifier), &conf));
    memcpy(out, &conf, sizeof(conf));
    return ERR_OK;
}

enum err lambda_get_function(struct call *call, const struct lambda_get_function_input *in,
                             struct lambda_get_function_output *out)
{
    struct lambda_fn *fn;
    struct arena *a = call->arena;
    struct lambda_function_configuration *conf = ARENA_NEW(a, struct lambda_function_configuration);
    struct lambda_function_code_location *code = ARENA_NEW(a, struct lambda_function_code_location);
    struct lambda_concurrency *concurrency = ARENA_NEW(a, struct lambda_concurrency);

    if (!conf || !code || !concurrency)
        return ERR_NOMEM;
    TRY(lambda_fn_of_qualifier(call, in->function_name, in->qualifier, &fn));
    TRY(lambda_configuration_fill(call, fn, str_is_set(fn->name.qualifier), conf));
    code->repository_type = STR("S3");
    code->location = lambda_code_url(lambda_of(call), call->txn, fn->code_id);
    if (!str_is_set(code->location))
        return ERR_NOMEM;
    out->configuration = conf;
    out->code = code;
    struct tag_list tags; /* the function's */
    struct str arn = lambda_arn(a, call->partition, &fn->name, STR_NONE);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(tags_of(call->txn, arn, &tags));
    if (tags.n)
        TAGS_INTO(out->tags, tags);
    if (fn->reserved >= 0) {
        WIRE_SET(concurrency, reserved_concurrent_executions, fn->reserved);
        out->concurrency = concurrency;
    }
    return ERR_OK;
}

enum err lambda_get_function_code_signing_config(
    struct call *call, const struct lambda_get_function_code_signing_config_input *in,
    struct lambda_get_function_code_signing_config_output *out)
{
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    out->function_name = fn->name.name;
    return ERR_OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    bool qualified;
    struct str functions, versions; /* what their keys begin with */
    struct lambda_function_configuration *v;
    size_t n;
};

/* Published versions lie behind the functions, with other things between. */
static enum err match_function(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    *ret_match = str_starts(key, l->functions) || str_starts(key, l->versions);
    return ERR_OK;
}

static enum err take_function(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_fn fn = {0};
    TRY(lambda_fn_unpack(l->call->arena, l->call->core, record, &fn));
    return lambda_configuration_fill(l->call, &fn, l->qualified, &l->v[l->n++]);
}

enum err lambda_list_functions(struct call *call, const struct lambda_list_functions_input *in,
                               struct lambda_list_functions_output *out)
{
    static const struct page_fns fns = {.match = match_function, .take = take_function};
    bool all = str_eq_c(in->function_version, "ALL");
    struct listing l = {
        .call = call,
        .qualified = all,
        .functions = lambda_fns_prefix(call->arena, call_scope(call)),
        .versions = lambda_versions_prefix(call->arena, call_scope(call)),
    };
    struct page page = page_of_call(
        call, all ? STR("ALL") : STR(""), in->marker,
        in->has_max_items ? (size_t)min_i64(in->max_items, LAMBDA_LIST_MAX) : LAMBDA_LIST_MAX);

    if (str_is_set(in->master_region))
        return LAMBDA_INVALID(call, "MasterRegion is not supported by Weir.");
    l.v = ARENA_ARRAY(call->arena, struct lambda_function_configuration, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range = key_range_of(call->arena, l.functions);
    if (all)
        range.to = key_range_of(call->arena, l.versions).to;
    TRY(lambda_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->functions.v = l.v;
    out->functions.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}

enum err lambda_get_account_settings(struct call *call,
                                     const struct lambda_get_account_settings_input *in,
                                     struct lambda_get_account_settings_output *out)
{
    struct lambda *l = lambda_of(call);
    struct key_scope scope = call_scope(call);
    struct lambda_sums sums = lambda_fn_sum(l, lambda_fns_prefix(call->arena, scope), STR_NONE);
    struct lambda_sums versions =
        lambda_fn_sum(l, lambda_versions_prefix(call->arena, scope), STR_NONE);
    struct lambda_account_limit *limit = ARENA_NEW(call->arena, struct lambda_account_limit);
    struct lambda_account_usage *usage = ARENA_NEW(call->arena, struct lambda_account_usage);

    if (!limit || !usage)
        return ERR_NOMEM;
    WIRE_SET(limit, total_code_size, (int64_t)LAMBDA_FUNCTIONS_MAX * LAMBDA_CODE_UNZIPPED_MAX);
    WIRE_SET(limit, code_size_unzipped, LAMBDA_CODE_UNZIPPED_MAX);
    WIRE_SET(limit, code_size_zipped, LAMBDA_CODE_ZIPPED_MAX);
    WIRE_SET(limit, concurrent_executions, LAMBDA_CONCURRENCY_MAX);
    WIRE_SET(limit, unreserved_concurrent_executions, LAMBDA_CONCURRENCY_MAX - sums.reserved);
    WIRE_SET(usage, total_code_size,
             sums.code_size + versions.code_size + lambda_layers_size(l, scope, call->arena));
    WIRE_SET(usage, function_count, sums.functions);
    out->account_limit = limit;
    out->account_usage = usage;
    return ERR_OK;
}

/* --- reserved concurrency --------------------------------------------------------------------- */

static enum err check_provisioned(struct call *call, const struct lambda_fn *fn, int64_t reserved)
{
    struct lambda_provisions list;
    TRY(lambda_provisioned_list(lambda_of(call), call->arena, &fn->name, &list));
    int64_t sum = lambda_provisioned_sum(&list, STR_NONE);
    if (sum <= reserved)
        return ERR_OK;
    return LAMBDA_INVALID(call,
                          "ReservedConcurrentExecutions %lld should not be lower than function's "
                          "total provisioned concurrency [%lld].",
                          (long long)reserved, (long long)sum);
}

enum err lambda_put_function_concurrency(struct call *call,
                                         const struct lambda_put_function_concurrency_input *in,
                                         struct lambda_put_function_concurrency_output *out)
{
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    if (in->reserved_concurrent_executions < 0)
        return LAMBDA_INVALID(call, "ReservedConcurrentExecutions must not be negative");
    struct lambda_sums sums = lambda_fn_sum(
        lambda_of(call), lambda_fns_prefix(call->arena, fn->name.scope), fn->name.name);
    if (sums.reserved + in->reserved_concurrent_executions >
        LAMBDA_CONCURRENCY_MAX - LAMBDA_UNRESERVED_MIN)
        return LAMBDA_INVALID(
            call,
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [%d].",
            LAMBDA_UNRESERVED_MIN);
    TRY(check_provisioned(call, fn, in->reserved_concurrent_executions));
    fn->reserved = in->reserved_concurrent_executions;
    TRY(lambda_fn_put(call->txn, lambda_of(call), fn));
    WIRE_SET(out, reserved_concurrent_executions, fn->reserved);
    return ERR_OK;
}

enum err lambda_get_function_concurrency(struct call *call,
                                         const struct lambda_get_function_concurrency_input *in,
                                         struct lambda_get_function_concurrency_output *out)
{
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    if (fn->reserved >= 0)
        WIRE_SET(out, reserved_concurrent_executions, fn->reserved);
    return ERR_OK;
}

enum err
lambda_delete_function_concurrency(struct call *call,
                                   const struct lambda_delete_function_concurrency_input *in,
                                   struct lambda_delete_function_concurrency_output *out)
{
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    fn->reserved = -1;
    return lambda_fn_put(call->txn, lambda_of(call), fn);
}
