/* CreateAlias, GetAlias, UpdateAlias, ListAliases, DeleteAlias: names for versions, or for two by weight.
 *
 * Source: Lambda developer guide, "Create an alias for a Lambda function", "Implement Lambda canary
 * deployments using a weighted alias".
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_provisioned.h"

enum { DESCRIPTION_MAX = 256 };

_Static_assert(
    sizeof(struct lambda_create_alias_output) == sizeof(struct lambda_alias_configuration) &&
        sizeof(struct lambda_get_alias_output) == sizeof(struct lambda_alias_configuration) &&
        sizeof(struct lambda_update_alias_output) == sizeof(struct lambda_alias_configuration),
    "one shape");

static enum err fill(struct call *call, const struct lambda_alias *alias,
                     struct lambda_alias_configuration *out)
{
    struct lambda_alias_routing_configuration *routing =
        ARENA_NEW(call->arena, struct lambda_alias_routing_configuration);
    struct lambda_additional_version_weights_entry *weight =
        ARENA_NEW(call->arena, struct lambda_additional_version_weights_entry);
    if (!routing || !weight)
        return ERR_NOMEM;
    out->alias_arn = lambda_arn(call->arena, call->partition, &alias->function, alias->name);
    out->name = alias->name;
    out->function_version = alias->version;
    out->description = str_is_set(alias->description) ? alias->description : STR("");
    out->revision_id = alias->revision;
    if (str_is_set(alias->other_version)) {
        weight->key = alias->other_version;
        weight->value = alias->other_weight;
        routing->additional_version_weights.v = weight;
        routing->additional_version_weights.n = 1;
        out->routing_config = routing;
    }
    return str_is_set(out->alias_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err answer(struct call *call, const struct lambda_alias *alias, void *out)
{
    struct lambda_alias_configuration conf = {0};
    TRY(fill(call, alias, &conf));
    memcpy(out, &conf, sizeof(conf));
    return ERR_OK;
}

/* The alias of a call's parameters; *ret_fn is $LATEST. */
static enum err alias_of_call(struct call *call, struct str function_name, struct str alias_name,
                              struct lambda_alias **ret_alias)
{
    struct lambda_fn *fn;
    struct lambda_name name;
    TRY(lambda_fn_of_call(call, function_name, STR_NONE, &fn));
    name = fn->name;
    name.qualifier = alias_name;
    enum err err = lambda_alias_get(call->txn, lambda_of(call), &name, ret_alias);
    if (err == ERR_NOT_FOUND)
        return lambda_no_alias(call, &name);
    TRY(err);
    (*ret_alias)->function.qualifier = (*ret_alias)->name;
    return ERR_OK;
}

/* Read tracked: its deletion conflicts. */
static enum err check_version(struct call *call, const struct lambda_alias *alias,
                              struct str version)
{
    struct lambda_name name = alias->function;
    struct lambda_fn *fn;
    name.qualifier = version;
    enum err err = lambda_is_alias(version) ? ERR_NOT_FOUND
                                            : lambda_fn_get(call->txn, lambda_of(call), &name, &fn);
    return err == ERR_NOT_FOUND ? lambda_not_found(call, &name) : err;
}

static enum err apply_routing(struct call *call,
                              const struct lambda_alias_routing_configuration *routing,
                              struct lambda_alias *alias)
{
    alias->other_version = STR_NONE;
    alias->other_weight = 0;
    if (!routing || routing->additional_version_weights.n == 0)
        return ERR_OK;
    const struct lambda_additional_version_weights_entry *w = routing->additional_version_weights.v;
    if (routing->additional_version_weights.n > 1)
        return LAMBDA_INVALID(call, "Number of items in AdditionalVersionWeights cannot be greater "
                                    "than 1");
    if (str_eq_c(alias->version, LAMBDA_LATEST))
        return LAMBDA_INVALID(call, "$LATEST is not supported for an alias pointing to more than 1 "
                                    "version");
    if (str_eq(w->key, alias->version))
        return LAMBDA_INVALID(call,
                              "Invalid function version " STR_FMT ". Function version " STR_FMT
                              " is already included in routing configuration.",
                              STR_ARG(w->key), STR_ARG(w->key));
    TRY(check_version(call, alias, w->key));
    alias->other_version = w->key;
    alias->other_weight = w->value;
    return ERR_OK;
}

static enum err apply_description(struct call *call, struct str description,
                                  struct lambda_alias *alias)
{
    if (!str_is_set(description))
        return ERR_OK;
    if (str_utf8_count(description) > DESCRIPTION_MAX)
        return LAMBDA_INVALID(call, "Description must be at most %d characters", DESCRIPTION_MAX);
    alias->description = description;
    return ERR_OK;
}

static enum err count_one(void *arg, struct str key, struct str record)
{
    size_t *n = arg;
    return ++*n < LAMBDA_ALIASES_MAX ? ERR_OK : ERR_LIMIT;
}

static enum err check_new(struct call *call, const struct lambda_name *name)
{
    struct lambda_alias *have;
    size_t n = 0;
    enum err err = lambda_alias_get(call->txn, lambda_of(call), name, &have);
    if (err == ERR_OK) {
        struct str arn = lambda_arn(call->arena, call->partition, name, name->qualifier);
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "Alias already exists: " STR_FMT, STR_ARG(arn));
    }
    if (err != ERR_NOT_FOUND)
        return err;
    err = txn_each(call->txn, lambda_aliases_of(call->arena, name), count_one, &n);
    if (err == ERR_LIMIT)
        return LAMBDA_INVALID(call, "At most %d aliases of a function can exist",
                              LAMBDA_ALIASES_MAX);
    return err;
}

enum err lambda_create_alias(struct call *call, const struct lambda_create_alias_input *in,
                             struct lambda_create_alias_output *out)
{
    struct lambda_fn *fn;
    struct lambda_alias alias = {
        .name = in->name,
        .version = in->function_version,
        .async = {.retries = -1, .age_max_s = -1},
    };
    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    alias.function = fn->name;
    alias.function.qualifier = alias.name;
    TRY(check_new(call, &alias.function));
    TRY(check_version(call, &alias, alias.version));
    TRY(apply_description(call, in->description, &alias));
    TRY(apply_routing(call, in->routing_config, &alias));
    TRY(lambda_alias_put(call->txn, lambda_of(call), &alias));
    return answer(call, &alias, out);
}

enum err lambda_get_alias(struct call *call, const struct lambda_get_alias_input *in,
                          struct lambda_get_alias_output *out)
{
    struct lambda_alias *alias;
    TRY(alias_of_call(call, in->function_name, in->name, &alias));
    return answer(call, alias, out);
}

enum err lambda_update_alias(struct call *call, const struct lambda_update_alias_input *in,
                             struct lambda_update_alias_output *out)
{
    struct lambda_alias *alias;

    TRY(alias_of_call(call, in->function_name, in->name, &alias));
    if (str_is_set(in->revision_id) && !str_eq(in->revision_id, alias->revision))
        return call_error(call, &lambda_err_precondition_failed_exception,
                          "The RevisionId provided does not match the latest RevisionId. Call the "
                          "GetFunction/GetAlias API to retrieve the latest RevisionId");
    if (str_is_set(in->function_version)) {
        TRY(check_version(call, alias, in->function_version));
        alias->version = in->function_version;
    }
    TRY(apply_description(call, in->description, alias));
    if (in->routing_config)
        TRY(apply_routing(call, in->routing_config, alias));
    if (str_is_set(alias->other_version) &&
        (str_eq_c(alias->version, LAMBDA_LATEST) || str_eq(alias->version, alias->other_version)))
        return LAMBDA_INVALID(call,
                              "Invalid function version " STR_FMT
                              " for an alias with additional version weights",
                              STR_ARG(alias->version));
    TRY(lambda_check_provisioned_alias(call, alias));
    TRY(lambda_alias_put(call->txn, lambda_of(call), alias));
    return answer(call, alias, out);
}

/* Also of one that is not there, as on AWS. */
enum err lambda_delete_alias(struct call *call, const struct lambda_delete_alias_input *in,
                             struct lambda_delete_alias_output *out)
{
    struct lambda_name name;
    TRY(lambda_name_of_call(call, in->function_name, STR_NONE, &name));
    name.qualifier = in->name;
    return lambda_alias_del(call->txn, lambda_of(call), &name);
}

/* --- ListAliases ------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct str version; /* absent: all */
    struct lambda_alias_configuration *v;
    size_t n;
};

static enum err match_alias(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct lambda_alias alias = {0};
    TRY(record_unpack(&lambda_alias_type, NULL, record, &alias)); /* no lists: no arena */
    *ret_match = !str_is_set(l->version) || str_eq(alias.version, l->version) ||
                 str_eq(alias.other_version, l->version);
    return ERR_OK;
}

static enum err take_alias(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_alias alias = {0};
    TRY(record_unpack_copy(&lambda_alias_type, l->call->arena, record, &alias));
    return fill(l->call, &alias, &l->v[l->n++]);
}

enum err lambda_list_aliases(struct call *call, const struct lambda_list_aliases_input *in,
                             struct lambda_list_aliases_output *out)
{
    static const struct page_fns fns = {.match = match_alias, .take = take_alias};
    struct listing l = {.call = call, .version = in->function_version};
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    struct page page = page_of_call(
        call, fn->name.name, in->marker,
        in->has_max_items ? (size_t)min_i64(in->max_items, LAMBDA_LIST_MAX) : LAMBDA_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct lambda_alias_configuration, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(lambda_paged(
        call, page_scan(call->txn, &page, lambda_aliases_of(call->arena, &fn->name), &fns, &l)));
    out->aliases.v = l.v;
    out->aliases.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}
