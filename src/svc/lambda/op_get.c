/* Reading functions: GetFunction, GetFunctionConfiguration, ListFunctions, ListVersionsByFunction,
 * GetFunctionCodeSigningConfig, GetAccountSettings; and reserved concurrency.
 *
 * Layer: svc. Thread: the call's. */
#include "kv/key.h"
#include "svc/lambda/lambda_int.h"

_Static_assert(sizeof(struct lambda_get_function_configuration_output) ==
                   sizeof(struct lambda_function_configuration),
               "one shape");

static enum err named(struct call *call, struct str function_name, struct str qualifier,
                      struct lambda_name *ret_name, struct lambda_fn *ret_rec)
{
    TRY(lambda_name_of_call(call, function_name, qualifier, ret_name));
    return lambda_fn_of_call(call, ret_name, ret_rec);
}

enum err lambda_get_function_configuration(struct call *call,
                                           const struct lambda_get_function_configuration_input *in,
                                           struct lambda_get_function_configuration_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;
    struct lambda_function_configuration conf = {0};

    TRY(named(call, in->function_name, in->qualifier, &name, &rec));
    TRY(lambda_configuration_fill(call, &rec, str_is_set(name.qualifier), &conf));
    memcpy(out, &conf, sizeof(conf));
    return ERR_OK;
}

enum err lambda_get_function(struct call *call, const struct lambda_get_function_input *in,
                             struct lambda_get_function_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;
    struct arena *a = call->arena;
    struct lambda_function_configuration *conf = ARENA_NEW(a, struct lambda_function_configuration);
    struct lambda_function_code_location *code = ARENA_NEW(a, struct lambda_function_code_location);
    struct lambda_concurrency *concurrency = ARENA_NEW(a, struct lambda_concurrency);

    if (!conf || !code || !concurrency)
        return ERR_NOMEM;
    TRY(named(call, in->function_name, in->qualifier, &name, &rec));
    TRY(lambda_configuration_fill(call, &rec, str_is_set(name.qualifier), conf));
    code->repository_type = STR("S3");
    code->location = lambda_code_url(lambda_of(call), a, rec.code_id);
    if (!str_is_set(code->location))
        return ERR_NOMEM;
    out->configuration = conf;
    out->code = code;
    struct tag_list tags;
    TRY(lambda_tags_of(call, &rec, &tags));
    if (tags.n)
        TAGS_INTO(out->tags, tags);
    if (rec.reserved >= 0) {
        WIRE_SET(concurrency, reserved_concurrent_executions, rec.reserved);
        out->concurrency = concurrency;
    }
    return ERR_OK;
}

enum err lambda_get_function_code_signing_config(
    struct call *call, const struct lambda_get_function_code_signing_config_input *in,
    struct lambda_get_function_code_signing_config_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;

    TRY(named(call, in->function_name, STR_NONE, &name, &rec));
    out->function_name = rec.name;
    return ERR_OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

static enum err list_page(struct call *call, struct kv_iter *it, struct str marker_key, size_t max,
                          bool qualified, struct lambda_function_list *out, struct str *ret_next)
{
    struct str key, val;
    struct lambda_function_configuration *v =
        ARENA_ARRAY(call->arena, struct lambda_function_configuration, max);
    struct lambda_fn rec = {0};
    size_t n = 0;
    enum err err;

    if (!v)
        return ERR_NOMEM;
    while ((err = kv_next(it, &key, &val)) == ERR_OK) {
        if (str_is_set(marker_key) && str_eq(key, marker_key))
            continue;
        if (n == max) {
            *ret_next = rec.name;
            break;
        }
        TRY(lambda_fn_unpack(call->arena, val, &rec));
        TRY(lambda_configuration_fill(call, &rec, qualified, &v[n]));
        n++;
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    out->v = v;
    out->n = n;
    return ERR_OK;
}

enum err lambda_list_functions(struct call *call, const struct lambda_list_functions_input *in,
                               struct lambda_list_functions_output *out)
{
    struct kv_iter *it;
    struct str prefix =
        lambda_key(call->arena, LAMBDA_T_FUNCTION, call->account, call->region, STR_NONE);
    struct str marker = STR_NONE;
    size_t max = LAMBDA_LIST_MAX;

    if (str_is_set(in->master_region))
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "MasterRegion is not supported by Weir.");
    if (in->has_max_items && in->max_items < (int64_t)max)
        max = (size_t)in->max_items;
    if (str_is_set(in->marker))
        marker =
            lambda_key(call->arena, LAMBDA_T_FUNCTION, call->account, call->region, in->marker);
    struct str to = key_after_prefix(call->arena, prefix);
    if (!str_is_set(prefix) || !str_is_set(to) || (str_is_set(in->marker) && !str_is_set(marker)))
        return ERR_NOMEM;
    TRY(kv_scan(call->txn->kv, str_is_set(marker) ? marker : prefix, to, false, &it));
    enum err err = list_page(call, it, marker, max, str_eq_c(in->function_version, "ALL"),
                             &out->functions, &out->next_marker);
    kv_iter_close(it);
    return err;
}

enum err lambda_list_versions_by_function(struct call *call,
                                          const struct lambda_list_versions_by_function_input *in,
                                          struct lambda_list_versions_by_function_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;
    struct lambda_function_configuration *conf =
        ARENA_NEW(call->arena, struct lambda_function_configuration);

    if (!conf)
        return ERR_NOMEM;
    TRY(named(call, in->function_name, STR_NONE, &name, &rec));
    TRY(lambda_configuration_fill(call, &rec, true, conf));
    out->versions.v = conf;
    out->versions.n = str_is_set(in->marker) ? 0 : 1;
    return ERR_OK;
}

enum err lambda_get_account_settings(struct call *call,
                                     const struct lambda_get_account_settings_input *in,
                                     struct lambda_get_account_settings_output *out)
{
    struct lambda_conf_sums sums =
        lambda_conf_sum(lambda_of(call), call->account, call->region, STR_NONE);
    struct lambda_account_limit *limit = ARENA_NEW(call->arena, struct lambda_account_limit);
    struct lambda_account_usage *usage = ARENA_NEW(call->arena, struct lambda_account_usage);

    if (!limit || !usage)
        return ERR_NOMEM;
    WIRE_SET(limit, total_code_size, (int64_t)LAMBDA_FUNCTIONS_MAX * LAMBDA_CODE_UNZIPPED_MAX);
    WIRE_SET(limit, code_size_unzipped, LAMBDA_CODE_UNZIPPED_MAX);
    WIRE_SET(limit, code_size_zipped, LAMBDA_CODE_ZIPPED_MAX);
    WIRE_SET(limit, concurrent_executions, LAMBDA_CONCURRENCY_MAX);
    WIRE_SET(limit, unreserved_concurrent_executions, LAMBDA_CONCURRENCY_MAX - sums.reserved);
    WIRE_SET(usage, total_code_size, sums.code_size);
    WIRE_SET(usage, function_count, sums.functions);
    out->account_limit = limit;
    out->account_usage = usage;
    return ERR_OK;
}

/* --- reserved concurrency --------------------------------------------------------------------- */

enum err lambda_put_function_concurrency(struct call *call,
                                         const struct lambda_put_function_concurrency_input *in,
                                         struct lambda_put_function_concurrency_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;

    TRY(named(call, in->function_name, STR_NONE, &name, &rec));
    if (in->reserved_concurrent_executions < 0)
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "ReservedConcurrentExecutions must not be negative");
    struct lambda_conf_sums sums =
        lambda_conf_sum(lambda_of(call), name.account, name.region, name.name);
    if (sums.reserved + in->reserved_concurrent_executions >
        LAMBDA_CONCURRENCY_MAX - LAMBDA_UNRESERVED_MIN)
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          "Specified ReservedConcurrentExecutions for function decreases account's "
                          "UnreservedConcurrentExecution below its minimum value of [%d].",
                          LAMBDA_UNRESERVED_MIN);
    rec.reserved = in->reserved_concurrent_executions;
    TRY(lambda_fn_put(call->txn, lambda_of(call), &rec));
    WIRE_SET(out, reserved_concurrent_executions, rec.reserved);
    return ERR_OK;
}

enum err lambda_get_function_concurrency(struct call *call,
                                         const struct lambda_get_function_concurrency_input *in,
                                         struct lambda_get_function_concurrency_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;

    TRY(named(call, in->function_name, STR_NONE, &name, &rec));
    if (rec.reserved >= 0)
        WIRE_SET(out, reserved_concurrent_executions, rec.reserved);
    return ERR_OK;
}

enum err
lambda_delete_function_concurrency(struct call *call,
                                   const struct lambda_delete_function_concurrency_input *in,
                                   struct lambda_delete_function_concurrency_output *out)
{
    struct lambda_name name;
    struct lambda_fn rec;

    TRY(named(call, in->function_name, STR_NONE, &name, &rec));
    rec.reserved = -1;
    return lambda_fn_put(call->txn, lambda_of(call), &rec);
}
