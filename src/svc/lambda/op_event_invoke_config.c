/* Put-, Update-, Get-, List- and DeleteFunctionEventInvokeConfig: how asynchronous invocations are
 * retried, and where their outcome goes. $LATEST, each version and each alias has its own, in its record.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

enum { AGE_MIN_S = 60 };
#define NO_FUNCTION "The function doesn't exist."

_Static_assert(sizeof(struct lambda_put_function_event_invoke_config_output) ==
                       sizeof(struct lambda_function_event_invoke_config) &&
                   sizeof(struct lambda_update_function_event_invoke_config_output) ==
                       sizeof(struct lambda_function_event_invoke_config) &&
                   sizeof(struct lambda_get_function_event_invoke_config_output) ==
                       sizeof(struct lambda_function_event_invoke_config) &&
                   sizeof(struct lambda_put_function_event_invoke_config_input) ==
                       sizeof(struct lambda_update_function_event_invoke_config_input),
               "one shape");

/* Whose configuration it is. */
struct owner {
    struct lambda_fn *fn;       /* or the version that the alias names */
    struct lambda_alias *alias; /* NULL: fn's own */
};

static struct lambda_async_config *config_of(const struct owner *o)
{
    return o->alias ? &o->alias->async : &o->fn->async;
}

static enum err find_owner(struct call *call, struct str function_name, struct str qualifier,
                           struct owner *ret_owner)
{
    struct lambda_fn *fn;
    struct lambda_alias *alias = NULL;
    TRY(lambda_fn_of_qualifier(call, function_name, qualifier, &fn));
    if (lambda_is_alias(fn->name.qualifier))
        TRY(lambda_alias_get(call->txn, lambda_of(call), &fn->name, &alias));
    *ret_owner = (struct owner){fn, alias};
    return ERR_OK;
}

static enum err put_owner(struct call *call, const struct owner *o)
{
    if (o->alias)
        return lambda_alias_put(call->txn, lambda_of(call), o->alias);
    TRY(lambda_fn_guard(call->txn, lambda_of(call), &o->fn->name));
    return lambda_fn_put(call->txn, lambda_of(call), o->fn);
}

static struct str arn_of(struct call *call, const struct lambda_name *name)
{
    return lambda_arn(call->arena, call->partition, name,
                      str_is_set(name->qualifier) ? name->qualifier : STR(LAMBDA_LATEST));
}

static enum err fill(struct call *call, const struct lambda_name *name,
                     const struct lambda_async_config *c,
                     struct lambda_function_event_invoke_config *out)
{
    struct lambda_destination_config *dest =
        ARENA_NEW(call->arena, struct lambda_destination_config);
    struct lambda_on_success *ok = ARENA_NEW(call->arena, struct lambda_on_success);
    struct lambda_on_failure *bad = ARENA_NEW(call->arena, struct lambda_on_failure);

    if (!dest || !ok || !bad)
        return ERR_NOMEM;
    WIRE_SET(out, last_modified, c->modified_ms);
    out->function_arn = arn_of(call, name);
    if (c->retries >= 0)
        WIRE_SET(out, maximum_retry_attempts, c->retries);
    if (c->age_max_s >= 0)
        WIRE_SET(out, maximum_event_age_in_seconds, c->age_max_s);
    ok->destination = c->on_success;
    bad->destination = c->on_failure;
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

enum err lambda_failure_take(struct call *call, const struct lambda_fn *fn, struct str arn,
                             struct str folder, struct str *ret_arn)
{
    if (!str_is_set(folder))
        return ERR_NOMEM;
    if (!lambda_is_bucket(arn))
        return lambda_destination_take(call, fn, arn, ret_arn);
    TRY(lambda_bucket_take(call, fn, arn, folder));
    *ret_arn = arn;
    return ERR_OK;
}

static enum err apply(struct call *call,
                      const struct lambda_put_function_event_invoke_config_input *in,
                      const struct owner *o)
{
    struct lambda_async_config *c = config_of(o);

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
        TRY(lambda_destination_take(call, o->fn, dest->on_success->destination, &c->on_success));
    if (dest && dest->on_failure)
        TRY(lambda_failure_take(call, o->fn, dest->on_failure->destination,
                                lambda_async_folder(call->arena, o->fn), &c->on_failure));
    c->set = true;
    c->modified_ms = call->txn->wall_ms;
    return ERR_OK;
}

static enum err no_config(struct call *call, const struct lambda_name *name)
{
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "The function " STR_FMT " doesn't have an EventInvokeConfig",
                      STR_ARG(arn_of(call, name)));
}

static enum err none(struct call *call, const struct owner *o)
{
    return no_config(call, &o->fn->name);
}

/* Of who reads or deletes one: that there is no such function is no different. */
static enum err find_config(struct call *call, struct str function_name, struct str qualifier,
                            struct owner *ret_owner)
{
    struct lambda_name name;
    enum err err = find_owner(call, function_name, qualifier, ret_owner);
    if (err == ERR_FAILED && str_eq_c(call_error_code(call), "ResourceNotFoundException")) {
        call_error_clear(call);
        TRY(lambda_name_of_qualifier(call, function_name, qualifier, &name));
        return no_config(call, &name);
    }
    TRY(err);
    return config_of(ret_owner)->set ? ERR_OK : none(call, ret_owner);
}

/* A function, where it is one, must be there, and another than the one itself. */
static enum err check_destination(struct call *call, const struct lambda_fn *fn, struct str arn)
{
    struct lambda_name name;
    struct lambda_fn *other;
    if (str_empty(arn) || lambda_name_parse(arn, call_scope(call), &name) != ERR_OK)
        return ERR_OK;
    if (str_eq(name.name, fn->name.name) && str_eq(name.scope.account, fn->name.scope.account))
        return LAMBDA_INVALID(call, "You can't specify the function as a destination for itself.");
    enum err err = lambda_fn_get(call->txn, lambda_of(call), &name, &other);
    return err == ERR_NOT_FOUND
               ? LAMBDA_INVALID(call, "The destination ARN " STR_FMT " is invalid.", STR_ARG(arn))
               : err;
}

static enum err check(struct call *call,
                      const struct lambda_put_function_event_invoke_config_input *in)
{
    if (in->has_maximum_retry_attempts || in->has_maximum_event_age_in_seconds ||
        in->destination_config)
        return ERR_OK;
    return LAMBDA_INVALID(
        call, "You must specify at least one of error handling or destination setting.");
}

static enum err check_destinations(struct call *call, const struct lambda_fn *fn,
                                   const struct lambda_destination_config *dest)
{
    if (dest && dest->on_success)
        TRY(check_destination(call, fn, dest->on_success->destination));
    return dest && dest->on_failure ? check_destination(call, fn, dest->on_failure->destination)
                                    : ERR_OK;
}

static enum err store(struct call *call,
                      const struct lambda_put_function_event_invoke_config_input *in, bool update,
                      void *out)
{
    struct owner o;
    struct lambda_function_event_invoke_config config = {0};

    TRY(check(call, in));
    TRY(lambda_not_found_as(call, find_owner(call, in->function_name, in->qualifier, &o),
                            NO_FUNCTION));
    if (update && !config_of(&o)->set)
        return none(call, &o);
    TRY(check_destinations(call, o.fn, in->destination_config));
    if (!update)
        *config_of(&o) = (struct lambda_async_config){.retries = -1, .age_max_s = -1};
    TRY(apply(call, in, &o));
    TRY(put_owner(call, &o));
    TRY(fill(call, &o.fn->name, config_of(&o), &config));
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
    struct owner o;
    struct lambda_function_event_invoke_config config = {0};

    TRY(find_config(call, in->function_name, in->qualifier, &o));
    TRY(fill(call, &o.fn->name, config_of(&o), &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

enum err lambda_delete_function_event_invoke_config(
    struct call *call, const struct lambda_delete_function_event_invoke_config_input *in,
    struct lambda_delete_function_event_invoke_config_output *out)
{
    struct owner o;

    TRY(find_config(call, in->function_name, in->qualifier, &o));
    *config_of(&o) = (struct lambda_async_config){.retries = -1, .age_max_s = -1};
    return put_owner(call, &o);
}

/* --- list ------------------------------------------------------------------------------------- */

enum { POSITION_BYTES_MAX = 160 };

/* $LATEST, versions by number, aliases by name: sorted by texts that begin with 0, 1 or 2. */
struct listing {
    struct call *call;
    const struct lambda_name *function;
    struct str after; /* position */
    size_t limit;     /* one more than the page has: whether more follow */
    struct lambda_function_event_invoke_config *v;
    size_t n;
    struct str last, before; /* positions of the last one taken, and of that before it */
};

/* ERR_CLOSED: no more are wanted. */
static enum err take(struct listing *l, char kind, struct str at, struct str qualifier,
                     const struct lambda_async_config *config)
{
    struct lambda_name name = *l->function;
    struct str position = str_fmt(l->call->arena, "%c" STR_FMT, kind, STR_ARG(at));
    if (!str_is_set(position))
        return ERR_NOMEM;
    if (!config->set || (str_is_set(l->after) && str_cmp(position, l->after) <= 0))
        return ERR_OK;
    if (l->n == l->limit)
        return ERR_CLOSED;
    name.qualifier = qualifier;
    l->before = l->last;
    l->last = position;
    return fill(l->call, &name, config, &l->v[l->n++]);
}

static enum err take_version(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_fn fn = {0};
    char at[POSITION_BYTES_MAX];
    TRY(lambda_fn_unpack(l->call->arena, l->call->core, record, &fn));
    int n = snprintf(at, sizeof(at), "%020llu", (unsigned long long)fn.number);
    return take(l, '1', str_n(at, (size_t)n), fn.version, &fn.async);
}

static enum err take_alias(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_alias alias = {0};
    TRY(record_unpack_copy(&lambda_alias_type, l->call->arena, record, &alias));
    return take(l, '2', alias.name, alias.name, &alias.async);
}

static enum err take_all(struct listing *l, const struct lambda_fn *fn)
{
    struct call *call = l->call;
    TRY(take(l, '0', STR(""), STR_NONE, &fn->async)); /* the first: there is room */
    TRY(txn_each(call->txn, lambda_versions_of(call->arena, &fn->name), take_version, l));
    return txn_each(call->txn, lambda_aliases_of(call->arena, &fn->name), take_alias, l);
}

enum err lambda_list_function_event_invoke_configs(
    struct call *call, const struct lambda_list_function_event_invoke_configs_input *in,
    struct lambda_list_function_event_invoke_configs_output *out)
{
    struct lambda_fn *fn;
    size_t limit =
        in->has_max_items ? (size_t)min_i64(in->max_items, LAMBDA_LIST_MAX) : LAMBDA_LIST_MAX;

    TRY(lambda_not_found_as(call, lambda_fn_of_call(call, in->function_name, STR_NONE, &fn),
                            NO_FUNCTION));
    struct page page = page_of_call(call, fn->name.name, in->marker, limit);
    struct listing l = {.call = call, .function = &fn->name, .limit = limit + 1};
    TRY(lambda_paged(call, page_start(&page, &l.after)));
    l.v = ARENA_ARRAY(call->arena, struct lambda_function_event_invoke_config, l.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(take_all(&l, fn));
    out->function_event_invoke_configs.v = l.v;
    out->function_event_invoke_configs.n = min_size(l.n, limit);
    if (l.n > limit)
        TRY(page_end(&page, l.before));
    out->next_marker = page.next_token;
    return ERR_OK;
}
