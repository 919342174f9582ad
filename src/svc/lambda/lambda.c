/* The Lambda service put together: start, stop, authorisation.
 *
 * Layer: svc. Thread: see each function. */
#include "svc/lambda/lambda.h"

#include "base/mem.h"
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_provisioned.h"
#include "svc/lambda/lambda_url.h"

static void release(void *self)
{
    struct lambda *l = self;
    lambda_async_forget(l);
    lambda_pollers_free(l->pollers);
    lambda_logbook_free(l->logbook);
    lambda_engine_free(l->engine);
    catalogue_free(l->mappings);
    catalogue_free(l->fns);
    catalogue_free(l->aliases);
    catalogue_free(l->layers);
    catalogue_free(l->urls);
    catalogue_free(l->provisioned);
    map_release(&l->codes);
    pthread_mutex_destroy(&l->codes_lock);
    lambda_removals_forget(l);
    mem_free(l);
}

static enum err make(struct core *core, void **ret_self)
{
    struct lambda *l = mem_calloc(1, sizeof(*l));
    if (!l)
        return ERR_NOMEM;
    l->core = core;
    l->deliver = core->deliver;
    l->sandbox = core->sandbox;
    list_init(&l->attempts);
    map_init(&l->codes);
    pthread_mutex_init(&l->codes_lock, NULL);
    lambda_removals_init(l);
    rng_bytes(l->url_key, sizeof(l->url_key));
    enum err err = lambda_fns_new(l);
    if (err == ERR_OK)
        err = lambda_layers_new(l);
    if (err == ERR_OK)
        err = lambda_urls_new(l);
    if (err == ERR_OK)
        err = lambda_provisioned_new(l);
    if (err == ERR_OK)
        err = lambda_engine_new(l, &l->engine);
    if (err == ERR_OK)
        err = lambda_logbook_new(l, &l->logbook);
    if (err == ERR_OK)
        err = lambda_pollers_new(l, &l->pollers);
    if (err == ERR_OK)
        err = lambda_async_register(l);
    if (err != ERR_OK) {
        release(l);
        return err;
    }
    *ret_self = l;
    return ERR_OK;
}

/* --- changes of functions --------------------------------------------------------------------- */

/* On its way to the home loop. */
struct change {
    struct io_task task;
    struct lambda *l;
    struct lambda_fn *fn;
};

static void change_task(struct io_task *task)
{
    struct change *c = CONTAINER_OF(task, struct change, task);
    lambda_engine_changed(c->l->engine, c->fn);
    lambda_engine_provision(c->l->engine);
    lambda_pollers_kick(c->l->pollers, &c->fn->name);
    lambda_fn_unref(c->fn);
    mem_free(c);
}

static void on_fn_changed(struct lambda *l, struct lambda_fn *fn)
{
    struct change *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return; /* the next invocation brings the newest version along */
    c->task.fn = change_task;
    c->l = l;
    c->fn = lambda_fn_ref(fn);
    io_post(core_home_loop(l->core), &c->task);
}

static void warm_task(struct io_task *task)
{
    struct lambda *l = CONTAINER_OF(task, struct lambda, warm_task);
    atomic_store(&l->warm_posted, false);
    lambda_engine_provision(l->engine);
}

/* Any thread; one task at most is on its way, which looks at all. */
static void on_warm_changed(struct lambda *l)
{
    l->warm_task.fn = warm_task;
    if (!atomic_exchange(&l->warm_posted, true))
        io_post(core_home_loop(l->core), &l->warm_task);
}

/* --- start ------------------------------------------------------------------------------------ */

static enum err load_body(struct txn *txn, void *arg)
{
    struct lambda *l = arg;
    TRY(lambda_fns_load(l, txn));
    TRY(lambda_layers_load(l, txn));
    TRY(lambda_urls_load(l, txn));
    TRY(lambda_provisioned_load(l, txn));
    return lambda_pollers_load(l->pollers, txn);
}

struct keeping {
    struct map codes; /* ids that functions and layers name; the value is not used */
    enum err err;
};

static void keep(struct keeping *k, struct str id)
{
    if (k->err == ERR_OK && str_is_set(id))
        k->err = map_put(&k->codes, id, k, NULL);
}

static void keep_function(void *arg, const void *object)
{
    const struct lambda_fn *fn = object;
    keep(arg, fn->code_id);
    keep(arg, fn->opt_id);
}

static void keep_layer(void *arg, const void *object)
{
    keep(arg, ((const struct lambda_layer_version *)object)->code_id);
}

/* Removes packages that no function and no layer names. */
static enum err collect(struct lambda *l)
{
    struct keeping k = {.err = ERR_OK};
    map_init(&k.codes);
    catalogue_each(l->fns, STR(""), keep_function, &k);
    catalogue_each(l->layers, STR(""), keep_layer, &k);
    if (k.err == ERR_OK)
        k.err = lambda_code_collect(l, &k.codes);
    map_release(&k.codes);
    return k.err;
}

static enum err start(void *self)
{
    struct lambda *l = self;

    l->sqs = sqs_port_of(l->core);
    l->ddb = dynamodb_port_of(l->core);
    l->s3 = s3_port_of(l->core);
    l->logs = logs_port_of(l->core);
    l->kms = kms_port_of(l->core);
    assert(l->sqs && l->ddb && l->s3 && l->logs && l->kms);
    TRY(lambda_code_dirs_make(l));
    lambda_logbook_start(l->logbook);
    TRY(txn_run_now(l->core, load_body, l));
    TRY(collect(l));
    l->fn_changed = on_fn_changed;
    l->warm_changed = on_warm_changed;
    l->alias_changed = lambda_pollers_kick_alias;
    on_warm_changed(l);
    lambda_engine_start(l->engine);
    TRY(lambda_urls_claim(l));
    core_add_route(l->core, "/_weir/lambda/code/", lambda_code_route, l);
    return ERR_OK;
}

/* --- stop ------------------------------------------------------------------------------------- */

static void drain(void *self, void (*done)(void *arg), void *arg)
{
    struct lambda *l = self;
    lambda_engine_stop(l->engine);
    lambda_pollers_stop(l->pollers);
    lambda_logbook_flush(l->logbook, done, arg);
}

/* --- authorisation ---------------------------------------------------------------------------- */

static enum err resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    const struct key_scope here = {txn->core->cfg.account, txn->core->cfg.region};
    struct lambda_name name;
    struct lambda_layer_name layer;
    struct lambda_policy policy;

    *ret_json = STR_NONE;
    if (lambda_name_parse(arn, here, &name) != ERR_OK) {
        if (lambda_layer_name_parse(arn, here, &layer) != ERR_OK || !layer.number)
            return ERR_OK;
        return lambda_layer_policy(txn, &layer, ret_json);
    }
    TRY(lambda_policy_get(txn, &name, &policy));
    *ret_json = policy.document;
    return ERR_OK;
}

/* Condition keys that are not in the request: what the thing it is about is for. */
static enum err auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    switch ((enum lambda_op)call->op->index) {
    case LAMBDA_OP_REMOVE_PERMISSION:
        return lambda_auth_permission(call, in, ctx);
    case LAMBDA_OP_GET_EVENT_SOURCE_MAPPING:
    case LAMBDA_OP_UPDATE_EVENT_SOURCE_MAPPING:
    case LAMBDA_OP_DELETE_EVENT_SOURCE_MAPPING:
        return lambda_auth_mapping(call, in, ctx);
    case LAMBDA_OP_GET_FUNCTION_URL_CONFIG:
    case LAMBDA_OP_UPDATE_FUNCTION_URL_CONFIG:
    case LAMBDA_OP_DELETE_FUNCTION_URL_CONFIG:
        return lambda_auth_url(call, ctx);
    default:
        return ERR_OK;
    }
}

static enum err authorize_more(struct call *call, const void *in)
{
    if (call->op->index == LAMBDA_OP_CREATE_FUNCTION)
        return lambda_layers_authorize(call,
                                       ((const struct lambda_create_function_input *)in)->layers);
    if (call->op->index == LAMBDA_OP_UPDATE_FUNCTION_CONFIGURATION)
        return lambda_layers_authorize(
            call, ((const struct lambda_update_function_configuration_input *)in)->layers);
    return ERR_OK;
}

static void metrics(void *self, struct buf *b)
{
    const struct lambda *l = self;
    buf_add_fmt(b,
                "# HELP weir_lambda_recursive_invocations_dropped_total Invocations not begun, as "
                "a function invoked itself in a loop.\n"
                "# TYPE weir_lambda_recursive_invocations_dropped_total counter\n"
                "weir_lambda_recursive_invocations_dropped_total %llu\n",
                atomic_load(&l->loops_stopped));
}

const struct svc_def lambda_def = {
    .wire = &lambda_service,
    .make = make,
    .start = start,
    .drain = drain,
    .measure = lambda_urls_measure,
    .metrics = metrics,
    .release = release,
    .tags = &lambda_tags_service,
    .targets = lambda_targets,
    .n_targets = ARRAY_LEN(lambda_targets),
    .resource_policy = resource_policy,
    .auth_context = auth_context,
    .authorize_more = authorize_more,
};
