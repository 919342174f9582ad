/* Stored records of the Lambda service, and functions and mappings in memory by them.
 *
 * Layer: svc. Thread: the transaction's; lookups in memory any. */
#include "base/rng.h"
#include "core/secret.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_keys.h"
#include "svc/lambda/lambda_provisioned.h"
#include "svc/lambda/lambda_url.h"
#include "svc/lambda/lambda_window.h"

enum {
    FN_ARENA_MAX = 1024 * 1024,
    ALIAS_ARENA_MAX = 64 * 1024,
    KEY_BYTES_MAX = 1024,
    FILTERS_STORED_MAX = 64,
};

/* --- tables of fields ------------------------------------------------------------------------- */

#define REC_NAME(T, m) REC_STR(T, m.scope.account), REC_STR(T, m.scope.region), REC_STR(T, m.name)

static const struct record_field variable_fields[] = {
    REC_STR(struct lambda_environment_variables_entry, key),
    REC_STR(struct lambda_environment_variables_entry, value),
};
static const struct record_type variable_type =
    RECORD_TYPE(struct lambda_environment_variables_entry, 1, variable_fields);

static const struct record_field async_fields[] = {
    REC_BOOL(struct lambda_async_config, set),
    REC_INT(struct lambda_async_config, retries),
    REC_INT(struct lambda_async_config, age_max_s),
    REC_STR(struct lambda_async_config, on_success),
    REC_STR(struct lambda_async_config, on_failure),
    REC_INT(struct lambda_async_config, modified_ms),
};
static const struct record_type async_type =
    RECORD_TYPE(struct lambda_async_config, 1, async_fields);

static const struct record_field fn_layer_fields[] = {
    REC_STR(struct lambda_fn_layer, arn),
    REC_INT(struct lambda_fn_layer, size),
    REC_INT(struct lambda_fn_layer, unzipped),
};
static const struct record_type fn_layer_type =
    RECORD_TYPE(struct lambda_fn_layer, 1, fn_layer_fields);

static const struct record_field fn_fields[] = {
    REC_NAME(struct lambda_fn, name),
    REC_STR(struct lambda_fn, id),
    REC_STR(struct lambda_fn, revision),
    REC_STR(struct lambda_fn, runtime),
    REC_STR(struct lambda_fn, role),
    REC_STR(struct lambda_fn, handler),
    REC_STR(struct lambda_fn, description),
    REC_INT(struct lambda_fn, timeout_s),
    REC_INT(struct lambda_fn, memory_mb),
    REC_INT(struct lambda_fn, ephemeral_mb),
    REC_STR(struct lambda_fn, code_id),
    REC_STR(struct lambda_fn, code_sha256),
    REC_INT(struct lambda_fn, code_size),
    REC_STR(struct lambda_fn, architecture),
    REC_INT(struct lambda_fn, modified_ms),
    REC_LIST(struct lambda_fn, env, n_env, LAMBDA_ENV_MAX, &variable_type),
    REC_STR(struct lambda_fn, dlq_arn),
    REC_STR(struct lambda_fn, log_group),
    REC_INT(struct lambda_fn, reserved),
    REC_STRUCT(struct lambda_fn, async, &async_type),
    REC_SINCE(2, REC_BOOL(struct lambda_fn, log_json)),
    REC_SINCE(2, REC_STR(struct lambda_fn, log_level)),
    REC_SINCE(2, REC_STR(struct lambda_fn, system_log_level)),
    REC_SINCE(3, REC_UINT(struct lambda_fn, number)),
    REC_SINCE(3, REC_UINT(struct lambda_fn, last_number)),
    REC_SINCE(4, REC_INT(struct lambda_fn, code_unzipped)),
    REC_SINCE(4, REC_LIST(struct lambda_fn, layers, n_layers, LAMBDA_LAYERS_MAX, &fn_layer_type)),
    REC_SINCE(4, REC_STR(struct lambda_fn, opt_id)),
    REC_SINCE(4, REC_BOOL(struct lambda_fn, recursion_allowed)),
    REC_SINCE(5, REC_STR(struct lambda_fn, kms_key)),
    REC_SINCE(5, REC_STR(struct lambda_fn, data_key)),
    REC_SINCE(6, REC_STR(struct lambda_fn, runtime_update)),
    REC_SINCE(7, REC_BOOL(struct lambda_fn, has_env)),
};
const struct record_type lambda_fn_type = RECORD_TYPE(struct lambda_fn, 7, fn_fields);

static const struct record_field policy_fields[] = {
    REC_STR(struct lambda_policy, revision),
    REC_STR(struct lambda_policy, document),
};
const struct record_type lambda_policy_type = RECORD_TYPE(struct lambda_policy, 1, policy_fields);

static const struct record_field mapping_fields[] = {
    REC_STR(struct lambda_mapping, uuid),
    REC_NAME(struct lambda_mapping, function),
    REC_STR(struct lambda_mapping, function_arn),
    REC_STR(struct lambda_mapping, source_arn),
    REC_INT(struct lambda_mapping, batch_size),
    REC_INT(struct lambda_mapping, window_s),
    REC_BOOL(struct lambda_mapping, enabled),
    REC_BOOL(struct lambda_mapping, partial),
    REC_INT(struct lambda_mapping, concurrency_max),
    REC_INT(struct lambda_mapping, modified_ms),
    REC_SINCE(2,
              REC_LIST(struct lambda_mapping, filters, n_filters, FILTERS_STORED_MAX, &record_str)),
    REC_SINCE(2, REC_BOOL(struct lambda_mapping, stream)),
    REC_SINCE(2, REC_BOOL(struct lambda_mapping, latest)),
    REC_SINCE(2, REC_UINT(struct lambda_mapping, start_commit)),
    REC_SINCE(2, REC_INT(struct lambda_mapping, parallel)),
    REC_SINCE(2, REC_BOOL(struct lambda_mapping, bisect)),
    REC_SINCE(2, REC_INT(struct lambda_mapping, retries)),
    REC_SINCE(2, REC_INT(struct lambda_mapping, age_max_s)),
    REC_SINCE(2, REC_STR(struct lambda_mapping, on_failure)),
    REC_SINCE(3, REC_STR(struct lambda_mapping, function.qualifier)),
    REC_SINCE(3, REC_INT(struct lambda_mapping, tumbling_s)),
};
const struct record_type lambda_mapping_type =
    RECORD_TYPE(struct lambda_mapping, 3, mapping_fields);

static const struct record_field event_fields[] = {
    REC_NAME(struct lambda_event, name),
    REC_STR(struct lambda_event, fn_id),
    REC_STR(struct lambda_event, request_id),
    REC_STR(struct lambda_event, client_context),
    REC_STR(struct lambda_event, payload),
    REC_SINCE(2, REC_STR(struct lambda_event, name.qualifier)),
    REC_SINCE(3, REC_STR(struct lambda_event, cause)),
};
const struct record_type lambda_event_type = RECORD_TYPE(struct lambda_event, 3, event_fields);

static const struct record_field alias_fields[] = {
    REC_NAME(struct lambda_alias, function),    REC_STR(struct lambda_alias, name),
    REC_STR(struct lambda_alias, description),  REC_STR(struct lambda_alias, revision),
    REC_STR(struct lambda_alias, version),      REC_STR(struct lambda_alias, other_version),
    REC_F64(struct lambda_alias, other_weight), REC_STRUCT(struct lambda_alias, async, &async_type),
};
const struct record_type lambda_alias_type = RECORD_TYPE(struct lambda_alias, 1, alias_fields);

/* --- functions -------------------------------------------------------------------------------- */

enum err lambda_fn_unpack(struct arena *a, const struct core *core, struct str record,
                          struct lambda_fn *ret_fn)
{
    TRY(record_unpack_copy(&lambda_fn_type, a, record, ret_fn));
    for (size_t i = 0; i < ret_fn->n_env; i++)
        TRY(secret_open(core, a, ret_fn->id, ret_fn->env[i].value, &ret_fn->env[i].value));
    ret_fn->version = STR(LAMBDA_LATEST);
    if (ret_fn->number) {
        ret_fn->version = str_fmt(a, "%llu", (unsigned long long)ret_fn->number);
        if (!str_is_set(ret_fn->version))
            return ERR_NOMEM;
        ret_fn->name.qualifier = ret_fn->version;
    }
    ret_fn->arn = lambda_arn(a, core->cfg.partition, &ret_fn->name, ret_fn->name.qualifier);
    return str_is_set(ret_fn->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err decode_fn(void *self, struct catalogue_object *object, struct str record)
{
    const struct lambda *l = self;
    return lambda_fn_unpack(&object->arena, l->core, record, (struct lambda_fn *)object);
}

/* A package is shared by what runs it. */
static enum err carry_code(void *self, struct catalogue_object *object,
                           struct catalogue_object *old)
{
    struct lambda_fn *fn = (struct lambda_fn *)object;
    fn->code = lambda_code_take(self, fn->code_id);
    if (str_is_set(fn->opt_id))
        fn->opt = lambda_code_take(self, fn->opt_id);
    return fn->code && (fn->opt || !str_is_set(fn->opt_id)) ? ERR_OK : ERR_NOMEM;
}

static void release_code(void *self, struct catalogue_object *object)
{
    lambda_code_unref(((struct lambda_fn *)object)->code);
    lambda_code_unref(((struct lambda_fn *)object)->opt);
}

static void name_code(const struct lambda_fn *fn, void (*how)(struct lambda_code *c))
{
    how(fn->code);
    if (fn->opt)
        how(fn->opt);
}

static void fn_changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct lambda *l = self;
    struct lambda_fn *before = (struct lambda_fn *)old;
    struct lambda_fn *after = (struct lambda_fn *)now;
    if (!before && !after)
        return;
    if (after)
        name_code(after, lambda_code_name);
    if (before)
        name_code(before, lambda_code_unname);
    if (l->fn_changed)
        l->fn_changed(l, after ? after : before);
}

static const struct catalogue_type fns_type = {
    .name = "lambda: function",
    .size = sizeof(struct lambda_fn),
    .arena_max = FN_ARENA_MAX,
    .when = CATALOGUE_DURABLE,
    .decode = decode_fn,
    .carry = carry_code,
    .release = release_code,
    .changed = fn_changed,
};

static enum err decode_alias(void *self, struct catalogue_object *object, struct str record)
{
    return record_unpack_copy(&lambda_alias_type, &object->arena, record,
                              (struct lambda_alias *)object);
}

static void alias_changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct lambda *l = self;
    struct lambda_alias *alias = (struct lambda_alias *)(now ? now : old);
    if (l->warm_changed)
        l->warm_changed(l);
    if (alias && l->alias_changed)
        l->alias_changed(l, alias);
}

static const struct catalogue_type aliases_type = {
    .name = "lambda: alias",
    .size = sizeof(struct lambda_alias),
    .arena_max = ALIAS_ARENA_MAX,
    .when = CATALOGUE_DURABLE,
    .decode = decode_alias,
    .changed = alias_changed,
};

enum err lambda_fns_new(struct lambda *l)
{
    TRY(catalogue_new(l->core, &fns_type, l, &l->fns));
    return catalogue_new(l->core, &aliases_type, l, &l->aliases);
}

enum err lambda_fns_load(struct lambda *l, struct txn *txn)
{
    TRY(catalogue_load(l->fns, txn, key_range_table(txn->arena, &lambda_k_function).from));
    TRY(catalogue_load(l->fns, txn, key_range_table(txn->arena, &lambda_k_version).from));
    return catalogue_load(l->aliases, txn, key_range_table(txn->arena, &lambda_k_alias).from);
}

/* 0: $LATEST. False: it names an alias. */
static bool version_number(struct str qualifier, uint64_t *ret_number)
{
    int64_t n = 0;
    if (str_is_set(qualifier) && !str_eq_c(qualifier, LAMBDA_LATEST) &&
        (str_to_i64(qualifier, &n) != ERR_OK || n < 1 || qualifier.p[0] == '0'))
        return false;
    *ret_number = (uint64_t)n;
    return true;
}

static void put_fn_key(struct buf *b, const struct lambda_name *name, uint64_t number)
{
    if (number)
        key_put(b, &lambda_k_version, name->scope, name->name, number);
    else
        key_put(b, &lambda_k_function, name->scope, name->name);
}

/* Which version an alias means this time. */
static uint64_t alias_number(const struct lambda_alias *alias, bool weigh)
{
    enum { PARTS = 1000 * 1000 };
    bool other = weigh && str_is_set(alias->other_version) &&
                 (double)rng_below(PARTS) < alias->other_weight * PARTS;
    uint64_t number = 0;
    (void)version_number(other ? alias->other_version : alias->version, &number);
    return number;
}

static enum err find_alias(struct lambda *l, const struct lambda_name *name, uint64_t *ret_number)
{
    char bytes[KEY_BYTES_MAX];
    struct buf b;
    void *alias;
    buf_init_fixed(&b, bytes, sizeof(bytes));
    key_put(&b, &lambda_k_alias, name->scope, name->name, name->qualifier);
    if (buf_err(&b) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(catalogue_take(l->aliases, NULL, buf_str(&b), &alias));
    *ret_number = alias_number(alias, true);
    catalogue_unref(alias);
    return ERR_OK;
}

enum err lambda_fn_find(struct lambda *l, const struct lambda_name *name, struct lambda_fn **ret_fn)
{
    char bytes[KEY_BYTES_MAX];
    struct buf b;
    void *fn;
    uint64_t number;
    if (!version_number(name->qualifier, &number))
        TRY(find_alias(l, name, &number));
    /* On the stack: a lookup allocates nothing, and what is longer names no function. */
    buf_init_fixed(&b, bytes, sizeof(bytes));
    put_fn_key(&b, name, number);
    if (buf_err(&b) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(catalogue_take(l->fns, NULL, buf_str(&b), &fn));
    *ret_fn = fn;
    return ERR_OK;
}

static void add_up(void *arg, const void *object)
{
    struct lambda_sums *sums = arg;
    const struct lambda_fn *fn = object;
    sums->functions++;
    sums->code_size += fn->code_size;
    if (fn->reserved >= 0 && !str_eq(fn->name.name, sums->except))
        sums->reserved += fn->reserved;
}

struct lambda_sums lambda_fn_sum(struct lambda *l, struct str prefix, struct str except)
{
    struct lambda_sums sums = {.except = except};
    catalogue_each(l->fns, prefix, add_up, &sums);
    return sums;
}

struct str lambda_fns_prefix(struct arena *a, struct key_scope scope)
{
    return key_prefix(a, &lambda_k_function, scope);
}

struct str lambda_versions_prefix(struct arena *a, struct key_scope scope)
{
    return key_prefix(a, &lambda_k_version, scope);
}

static struct str fn_key(struct arena *a, const struct lambda_name *name, uint64_t number)
{
    if (number)
        return key_make(a, &lambda_k_version, name->scope, name->name, number);
    return key_make(a, &lambda_k_function, name->scope, name->name);
}

static struct str alias_key(struct arena *a, const struct lambda_name *name)
{
    return key_make(a, &lambda_k_alias, name->scope, name->name, name->qualifier);
}

enum err lambda_alias_get(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                          struct lambda_alias **ret_alias)
{
    void *alias;
    if (!lambda_is_alias(name->qualifier))
        return ERR_NOT_FOUND;
    TRY(catalogue_read(l->aliases, txn, alias_key(txn->arena, name), &alias));
    *ret_alias = alias;
    return ERR_OK;
}

enum err lambda_fn_get(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                       struct lambda_fn **ret_fn)
{
    void *fn;
    uint64_t number;
    if (!version_number(name->qualifier, &number)) {
        struct lambda_alias *alias;
        TRY(lambda_alias_get(txn, l, name, &alias));
        number = alias_number(alias, false);
    }
    TRY(catalogue_read(l->fns, txn, fn_key(txn->arena, name, number), &fn));
    *ret_fn = fn;
    return ERR_OK;
}

bool lambda_is_alias(struct str qualifier)
{
    uint64_t number;
    return !version_number(qualifier, &number);
}

static enum err fn_of_name(struct call *call, const struct lambda_name *name,
                           struct lambda_fn **ret_fn)
{
    enum err err = lambda_fn_get(call->txn, lambda_of(call), name, ret_fn);
    if (err == ERR_NOT_FOUND)
        return lambda_not_found(call, name);
    TRY(err);
    (*ret_fn)->name.qualifier = name->qualifier;
    return ERR_OK;
}

enum err lambda_fn_of_call(struct call *call, struct str function_name, struct str qualifier,
                           struct lambda_fn **ret_fn)
{
    struct lambda_name name;
    TRY(lambda_name_of_call(call, function_name, qualifier, &name));
    return fn_of_name(call, &name, ret_fn);
}

enum err lambda_fn_of_qualifier(struct call *call, struct str function_name, struct str qualifier,
                                struct lambda_fn **ret_fn)
{
    struct lambda_name name;
    TRY(lambda_name_of_qualifier(call, function_name, qualifier, &name));
    return fn_of_name(call, &name, ret_fn);
}

enum err lambda_no_alias(struct call *call, const struct lambda_name *name)
{
    struct str arn = lambda_arn(call->arena, call->partition, name, name->qualifier);
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "Cannot find alias arn: " STR_FMT, STR_ARG(arn));
}

enum err lambda_fn_of_alias(struct call *call, struct str function_name, struct str qualifier,
                            struct lambda_fn **ret_fn)
{
    struct lambda_name name, latest;
    struct lambda_fn *fn;
    TRY(lambda_name_of_qualifier(call, function_name, qualifier, &name));
    enum err err = lambda_fn_get(call->txn, lambda_of(call), &name, ret_fn);
    if (err == ERR_OK)
        (*ret_fn)->name.qualifier = name.qualifier;
    if (err != ERR_NOT_FOUND)
        return err;
    latest = (struct lambda_name){.scope = name.scope, .name = name.name};
    err = lambda_fn_get(call->txn, lambda_of(call), &latest, &fn);
    if (err == ERR_OK && lambda_is_alias(name.qualifier))
        return lambda_no_alias(call, &name);
    return err == ERR_OK || err == ERR_NOT_FOUND ? lambda_not_found(call, &name) : err;
}

enum err lambda_fn_touch(struct txn *txn, struct lambda_fn *fn)
{
    char id[RNG_UUID_LEN + 1];
    fn->revision = str_dup(txn->arena, rng_uuid(id));
    fn->modified_ms = txn->wall_ms;
    return str_is_set(fn->revision) ? ERR_OK : ERR_NOMEM;
}

/* The variables with their values sealed. */
static enum err close_env(struct txn *txn, const struct lambda *l, const struct lambda_fn *fn,
                          struct lambda_environment_variables_entry **ret_env)
{
    struct lambda_environment_variables_entry *env =
        ARENA_ARRAY(txn->arena, struct lambda_environment_variables_entry, fn->n_env + 1);
    if (!env)
        return ERR_NOMEM;
    for (size_t i = 0; i < fn->n_env; i++) {
        env[i] = fn->env[i];
        TRY(secret_close(l->core, txn->arena, fn->id, fn->env[i].value, &env[i].value));
    }
    *ret_env = env;
    return ERR_OK;
}

enum err lambda_fn_put(struct txn *txn, struct lambda *l, const struct lambda_fn *fn)
{
    struct str record;
    assert(str_is_set(fn->id) && str_is_set(fn->code_id) && str_is_set(fn->revision));
    struct lambda_fn stored = *fn;
    TRY(close_env(txn, l, fn, &stored.env));
    TRY(record_make(&lambda_fn_type, txn->arena, &stored, &record));
    return catalogue_put(l->fns, txn, fn_key(txn->arena, &fn->name, fn->number), record);
}

struct dropping {
    struct txn *txn;
    struct catalogue *from; /* NULL: plain records */
};

static enum err drop(void *arg, struct str key, struct str record)
{
    const struct dropping *d = arg;
    return d->from ? catalogue_del(d->from, d->txn, key) : txn_del(d->txn, key);
}

/* Everything that has the function's name in front: who makes such a thing writes the function's record,
 * too, so that it conflicts with this. */
static enum err drop_qualified(struct txn *txn, struct lambda *l, const struct lambda_name *name)
{
    struct dropping versions = {txn, l->fns}, aliases = {txn, l->aliases}, policies = {txn, NULL};
    struct dropping urls = {txn, l->urls}, warm = {txn, l->provisioned};
    struct str before = str_fmt(txn->arena, STR_FMT ":", STR_ARG(name->name));
    if (!str_is_set(before))
        return ERR_NOMEM;
    TRY(txn_each(txn, key_range(txn->arena, &lambda_k_version, name->scope, name->name), drop,
                 &versions));
    TRY(txn_each(txn, key_range(txn->arena, &lambda_k_alias, name->scope, name->name), drop,
                 &aliases));
    TRY(txn_each(txn, lambda_urls_of(txn->arena, name), drop, &urls));
    TRY(txn_each(txn, lambda_provisioned_of(txn->arena, name), drop, &warm));
    return txn_each(txn, key_range(txn->arena, &lambda_k_policy, name->scope, KEY_STARTS(before)),
                    drop, &policies);
}

enum err lambda_fn_del(struct txn *txn, struct lambda *l, const struct lambda_fn *fn)
{
    TRY(lambda_policy_put(txn, &fn->name, &(struct lambda_policy){0}));
    if (fn->number) {
        TRY(lambda_provisioned_del(txn, l, &fn->name));
    } else {
        TRY(drop_qualified(txn, l, &fn->name));
        TRY(tags_drop(txn, fn->arn));
    }
    return catalogue_del(l->fns, txn, fn_key(txn->arena, &fn->name, fn->number));
}

enum err lambda_fn_guard(struct txn *txn, struct lambda *l, const struct lambda_name *name)
{
    struct lambda_fn *fn;
    const struct lambda_name latest = {.scope = name->scope, .name = name->name};
    TRY(lambda_fn_get(txn, l, &latest, &fn));
    return lambda_fn_put(txn, l, fn);
}

/* --- aliases ---------------------------------------------------------------------------------- */

enum err lambda_alias_put(struct txn *txn, struct lambda *l, struct lambda_alias *alias)
{
    char id[RNG_UUID_LEN + 1];
    struct str record;
    alias->revision = rng_uuid(id);
    alias->function.qualifier = alias->name;
    TRY(lambda_fn_guard(txn, l, &alias->function));
    TRY(record_make(&lambda_alias_type, txn->arena, alias, &record));
    alias->revision = str_dup(txn->arena, alias->revision);
    return catalogue_put(l->aliases, txn, alias_key(txn->arena, &alias->function), record);
}

enum err lambda_alias_del(struct txn *txn, struct lambda *l, const struct lambda_name *name)
{
    TRY(lambda_policy_put(txn, name, &(struct lambda_policy){0}));
    TRY(lambda_url_del(txn, l, name));
    TRY(lambda_provisioned_del(txn, l, name));
    return catalogue_del(l->aliases, txn, alias_key(txn->arena, name));
}

struct key_range lambda_versions_of(struct arena *a, const struct lambda_name *name)
{
    return key_range(a, &lambda_k_version, name->scope, name->name);
}

struct key_range lambda_aliases_of(struct arena *a, const struct lambda_name *name)
{
    return key_range(a, &lambda_k_alias, name->scope, name->name);
}

/* --- policies --------------------------------------------------------------------------------- */

/* "name", or "name:qualifier"; $LATEST is the function. STR_NONE on exhaustion. */
static struct str qualified(struct arena *a, const struct lambda_name *name)
{
    if (!str_is_set(name->qualifier) || str_eq_c(name->qualifier, LAMBDA_LATEST))
        return name->name;
    return str_fmt(a, STR_FMT ":" STR_FMT, STR_ARG(name->name), STR_ARG(name->qualifier));
}

static struct str policy_key(struct arena *a, const struct lambda_name *name)
{
    struct str whose = qualified(a, name);
    return str_is_set(whose) ? key_make(a, &lambda_k_policy, name->scope, whose) : STR_NONE;
}

enum err lambda_policy_get(struct txn *txn, const struct lambda_name *name,
                           struct lambda_policy *ret_policy)
{
    struct str record;
    struct str key = policy_key(txn->arena, name);
    enum err err = txn_get(txn, key, &record);
    if (err == ERR_NOT_FOUND) {
        *ret_policy = (struct lambda_policy){0};
        return ERR_OK;
    }
    TRY(err);
    return record_unpack(&lambda_policy_type, txn->arena, record, ret_policy);
}

enum err lambda_policy_put(struct txn *txn, const struct lambda_name *name,
                           const struct lambda_policy *policy)
{
    char id[RNG_UUID_LEN + 1];
    const struct lambda_policy next = {.revision = rng_uuid(id), .document = policy->document};
    struct str record;
    struct str key = policy_key(txn->arena, name);
    if (!str_is_set(policy->document))
        return txn_del(txn, key);
    TRY(record_make(&lambda_policy_type, txn->arena, &next, &record));
    return txn_put(txn, key, record);
}

/* --- mappings --------------------------------------------------------------------------------- */

static struct str mapping_key(struct arena *a, const struct lambda_mapping *m)
{
    return key_make(a, &lambda_k_mapping, m->function.scope, m->uuid);
}

static struct str pair_key(struct arena *a, const struct lambda_mapping *m)
{
    struct str whose = qualified(a, &m->function);
    return key_make(a, &lambda_k_pair, m->function.scope, m->source_arn, whose);
}

enum err lambda_mapping_get(struct txn *txn, struct lambda *l, struct key_scope scope,
                            struct str uuid, struct lambda_mapping **ret_m)
{
    void *m;
    TRY(catalogue_read(l->mappings, txn, key_make(txn->arena, &lambda_k_mapping, scope, uuid), &m));
    *ret_m = m;
    return ERR_OK;
}

enum err lambda_mapping_claim(struct txn *txn, const struct lambda_mapping *m,
                              struct str *ret_other)
{
    assert(str_is_set(m->uuid) && str_is_set(m->source_arn));
    struct str key = pair_key(txn->arena, m);
    enum err err = txn_get(txn, key, ret_other);
    if (err == ERR_NOT_FOUND)
        return txn_put(txn, key, m->uuid);
    return err ? err : str_eq(*ret_other, m->uuid) ? ERR_OK : ERR_EXISTS;
}

enum err lambda_mapping_leave(struct txn *txn, const struct lambda_mapping *m)
{
    return txn_del(txn, pair_key(txn->arena, m));
}

enum err lambda_mapping_put(struct txn *txn, struct lambda *l, struct lambda_mapping *m)
{
    struct str record;
    assert(str_is_set(m->uuid) && m->batch_size >= 1 && m->batch_size <= LAMBDA_BATCH_MAX);
    m->modified_ms = txn->wall_ms;
    TRY(record_make(&lambda_mapping_type, txn->arena, m, &record));
    return catalogue_put(l->mappings, txn, mapping_key(txn->arena, m), record);
}

/* One a shard at most. What a batch settles later finds no mapping, and writes none. */
static enum err drop_checkpoint(void *arg, struct str key, struct str value)
{
    return txn_del(arg, key);
}

enum err lambda_mapping_del(struct txn *txn, struct lambda *l, const struct lambda_mapping *m)
{
    struct str arn = lambda_mapping_arn(txn->arena, l->core->cfg.partition, m);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(lambda_mapping_leave(txn, m));
    TRY(txn_each(txn, key_range(txn->arena, &lambda_k_checkpoint, m->function.scope, m->uuid),
                 drop_checkpoint, txn));
    TRY(lambda_windows_drop_all(txn, m));
    TRY(tags_drop(txn, arn));
    return catalogue_del(l->mappings, txn, mapping_key(txn->arena, m));
}
