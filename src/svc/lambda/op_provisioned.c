/* PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig, DeleteProvisionedConcurrencyConfig,
 * ListProvisionedConcurrencyConfigs.
 *
 * Source: Lambda API Reference; Lambda Developer Guide, "Configuring provisioned concurrency".
 * Layer: svc. Thread: the call's. */
#include "base/clock.h"
#include "svc/lambda/lambda_provisioned.h"

_Static_assert(sizeof(struct lambda_put_provisioned_concurrency_config_output) ==
                   sizeof(struct lambda_get_provisioned_concurrency_config_output),
               "one shape");

/* --- what may be ------------------------------------------------------------------------------ */

/* The version or alias of a call's parameters. */
static enum err find(struct call *call, struct str function_name, struct str qualifier,
                     struct lambda_fn **ret_fn)
{
    TRY(lambda_fn_of_alias(call, function_name, qualifier, ret_fn));
    if (!str_is_set((*ret_fn)->name.qualifier) || !(*ret_fn)->number)
        return LAMBDA_INVALID(call, "Provisioned Concurrency Configs cannot be applied to "
                                    "unpublished function versions.");
    return ERR_OK;
}

static enum err no_weights(struct call *call)
{
    return LAMBDA_INVALID(call, "Alias with weights can not be used with Provisioned Concurrency");
}

static enum err check_alias(struct call *call, const struct lambda_fn *fn)
{
    struct lambda_alias *alias;
    if (!lambda_is_alias(fn->name.qualifier))
        return ERR_OK;
    TRY(lambda_alias_get(call->txn, lambda_of(call), &fn->name, &alias));
    if (str_is_set(alias->other_version))
        return no_weights(call);
    struct lambda_name version = fn->name;
    struct lambda_provisioned *p;
    version.qualifier = alias->version;
    enum err err = lambda_provisioned_get(call->txn, lambda_of(call), &version, &p);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    return call_error(call, &lambda_err_resource_conflict_exception,
                      "Alias can't be used for Provisioned Concurrency configuration on an already "
                      "Provisioned version");
}

/* A version that an alias with a configuration points to gets none of its own. */
static enum err check_version(struct call *call, const struct lambda_fn *fn)
{
    struct lambda *l = lambda_of(call);
    const struct lambda_name name = {.scope = fn->name.scope, .name = fn->name.name};
    struct lambda_provisions own;
    struct lambda_alias *alias;
    if (lambda_is_alias(fn->name.qualifier))
        return ERR_OK;
    TRY(lambda_provisioned_list(l, call->arena, &name, &own));
    for (size_t i = 0; i < own.n; i++) {
        struct lambda_name of = own.v[i].function;
        if (!lambda_is_alias(of.qualifier))
            continue;
        enum err err = lambda_alias_get(call->txn, l, &of, &alias);
        if (err == ERR_OK && str_eq(alias->version, fn->name.qualifier))
            return call_error(call, &lambda_err_resource_conflict_exception,
                              "Version is pointed by a Provisioned Concurrency alias");
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_OK;
}

enum err lambda_check_provisioned_alias(struct call *call, const struct lambda_alias *alias)
{
    struct lambda_provisioned *p;
    bool latest = str_eq_c(alias->version, LAMBDA_LATEST);
    if (!latest && !str_is_set(alias->other_version))
        return ERR_OK;
    enum err err = lambda_provisioned_get(call->txn, lambda_of(call), &alias->function, &p);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return latest ? LAMBDA_INVALID(call, "Provisioned Concurrency Configs cannot be applied to "
                                         "unpublished function versions.")
                  : no_weights(call);
}

/* Of functions without reserved concurrency alone: that of the others lies within what they reserve. */
static enum err unreserved_sum(struct call *call, const struct lambda_name *but, int64_t *ret_sum)
{
    struct lambda *l = lambda_of(call);
    const struct lambda_name all = {.scope = but->scope};
    struct lambda_provisions list;
    *ret_sum = 0;
    TRY(lambda_provisioned_list(l, call->arena, &all, &list));
    for (size_t i = 0; i < list.n; i++) {
        const struct lambda_provisioned *p = &list.v[i];
        const struct lambda_name latest = {.scope = all.scope, .name = p->function.name};
        struct lambda_fn *fn;
        bool same =
            str_eq(p->function.name, but->name) && str_eq(p->function.qualifier, but->qualifier);
        if (same || lambda_fn_find(l, &latest, &fn) != ERR_OK)
            continue;
        *ret_sum += fn->reserved < 0 ? p->wanted : 0;
        lambda_fn_unref(fn);
    }
    return ERR_OK;
}

static enum err check_room(struct call *call, const struct lambda_fn *fn, int64_t wanted)
{
    struct lambda *l = lambda_of(call);
    const struct lambda_name name = {.scope = fn->name.scope, .name = fn->name.name};
    struct lambda_fn *latest;
    struct lambda_provisions own;
    int64_t others;
    TRY(lambda_fn_get(call->txn, l, &name, &latest));
    TRY(lambda_provisioned_list(l, call->arena, &name, &own));
    if (latest->reserved >= 0) {
        if (lambda_provisioned_sum(&own, fn->name.qualifier) + wanted > latest->reserved)
            return LAMBDA_INVALID(call, "Requested Provisioned Concurrency should not be greater "
                                        "than the reservedConcurrentExecution for function");
        return ERR_OK;
    }
    struct lambda_sums sums =
        lambda_fn_sum(l, lambda_fns_prefix(call->arena, fn->name.scope), STR_NONE);
    TRY(unreserved_sum(call, &fn->name, &others));
    if (sums.reserved + others + wanted > LAMBDA_CONCURRENCY_MAX - LAMBDA_UNRESERVED_MIN)
        return LAMBDA_INVALID(call,
                              "Specified ConcurrentExecutions for function decreases account's "
                              "UnreservedConcurrentExecution below its minimum value of [%d].",
                              LAMBDA_UNRESERVED_MIN);
    return ERR_OK;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* What is asked for and what is there. The version's environments serve whoever asked for them. */
static enum err fill(struct call *call, const struct lambda_provisioned *p, bool fresh,
                     struct lambda_provisioned_concurrency_config_list_item *out)
{
    struct lambda *l = lambda_of(call);
    char text[CLOCK_TEXT_MAX];
    struct lambda_warm warm = {0};
    struct lambda_fn *fn;
    if (!fresh && lambda_fn_find(l, &p->function, &fn) == ERR_OK) {
        warm = lambda_engine_warm(l->engine, fn->arn);
        lambda_fn_unref(fn);
    }
    int64_t there = min_i64((int64_t)warm.ready, p->wanted);
    bool ready = there >= p->wanted;
    WIRE_SET(out, requested_provisioned_concurrent_executions, p->wanted);
    WIRE_SET(out, allocated_provisioned_concurrent_executions, there);
    WIRE_SET(out, available_provisioned_concurrent_executions, there);
    out->status = ready ? STR("READY") : warm.why ? STR("FAILED") : STR("IN_PROGRESS");
    if (!ready && warm.why)
        out->status_reason = str_c(warm.why);
    struct str at = clock_iso8601(text, p->modified_ms);
    out->last_modified = str_fmt(call->arena, STR_FMT "+0000", STR_ARG(str_sub(at, 0, at.len - 1)));
    out->function_arn =
        lambda_arn(call->arena, call->partition, &p->function, p->function.qualifier);
    return str_is_set(out->last_modified) && str_is_set(out->function_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err answer(struct call *call, const struct lambda_provisioned *p, bool fresh,
                       struct lambda_get_provisioned_concurrency_config_output *out)
{
    struct lambda_provisioned_concurrency_config_list_item item = {0};
    TRY(fill(call, p, fresh, &item));
    WIRE_SET(out, requested_provisioned_concurrent_executions, p->wanted);
    WIRE_SET(out, allocated_provisioned_concurrent_executions,
             item.allocated_provisioned_concurrent_executions);
    WIRE_SET(out, available_provisioned_concurrent_executions,
             item.available_provisioned_concurrent_executions);
    out->status = item.status;
    out->status_reason = item.status_reason;
    out->last_modified = item.last_modified;
    return ERR_OK;
}

/* --- operations ------------------------------------------------------------------------------- */

enum err lambda_put_provisioned_concurrency_config(
    struct call *call, const struct lambda_put_provisioned_concurrency_config_input *in,
    struct lambda_put_provisioned_concurrency_config_output *out)
{
    struct lambda_fn *fn;
    struct lambda_get_provisioned_concurrency_config_output shown = {0};
    TRY(find(call, in->function_name, in->qualifier, &fn));
    TRY(check_alias(call, fn));
    TRY(check_version(call, fn));
    TRY(check_room(call, fn, in->provisioned_concurrent_executions));
    const struct lambda_provisioned p = {
        .function = fn->name,
        .wanted = in->provisioned_concurrent_executions,
        .modified_ms = call->txn->wall_ms,
    };
    TRY(lambda_fn_guard(call->txn, lambda_of(call), &fn->name));
    TRY(lambda_provisioned_put(call->txn, lambda_of(call), &p));
    TRY(answer(call, &p, true, &shown));
    memcpy(out, &shown, sizeof(*out));
    return ERR_OK;
}

static enum err config_of_call(struct call *call, struct str function_name, struct str qualifier,
                               struct lambda_provisioned **ret_p)
{
    struct lambda_fn *fn;
    TRY(find(call, function_name, qualifier, &fn));
    enum err err = lambda_provisioned_get(call->txn, lambda_of(call), &fn->name, ret_p);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &lambda_err_provisioned_concurrency_config_not_found_exception,
                          "No Provisioned Concurrency Config found for this function");
    return err;
}

enum err lambda_get_provisioned_concurrency_config(
    struct call *call, const struct lambda_get_provisioned_concurrency_config_input *in,
    struct lambda_get_provisioned_concurrency_config_output *out)
{
    struct lambda_provisioned *p;
    TRY(config_of_call(call, in->function_name, in->qualifier, &p));
    return answer(call, p, false, out);
}

/* Also of a version or alias that has none, as on AWS. */
enum err lambda_delete_provisioned_concurrency_config(
    struct call *call, const struct lambda_delete_provisioned_concurrency_config_input *in,
    struct lambda_delete_provisioned_concurrency_config_output *out)
{
    struct lambda_fn *fn;
    TRY(find(call, in->function_name, in->qualifier, &fn));
    return lambda_provisioned_del(call->txn, lambda_of(call), &fn->name);
}

struct listing {
    struct call *call;
    struct lambda_provisioned_concurrency_config_list_item *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_provisioned p = {0};
    TRY(record_unpack_copy(&lambda_provisioned_type, l->call->arena, record, &p));
    return fill(l->call, &p, false, &l->v[l->n++]);
}

enum err lambda_list_provisioned_concurrency_configs(
    struct call *call, const struct lambda_list_provisioned_concurrency_configs_input *in,
    struct lambda_list_provisioned_concurrency_configs_output *out)
{
    static const struct page_fns fns = {.take = take};
    struct listing l = {.call = call};
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    struct page page = page_of_call(call, fn->name.name, in->marker,
                                    in->has_max_items ? (size_t)in->max_items : LAMBDA_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct lambda_provisioned_concurrency_config_list_item,
                      page.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(lambda_paged(call, page_scan(call->txn, &page,
                                     lambda_provisioned_of(call->arena, &fn->name), &fns, &l)));
    out->provisioned_concurrency_configs.v = l.v;
    out->provisioned_concurrency_configs.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}
