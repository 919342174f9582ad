/* The Lambda service put together: start, stop, authorisation.
 *
 * Layer: svc. Thread: see each function. */
#include "svc/lambda/lambda.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "kv/key.h"
#include "svc/lambda/lambda_int.h"

static void release(void *self)
{
    struct lambda *l = self;
    lambda_pollers_free(l->pollers);
    lambda_logbook_free(l->logbook);
    lambda_engine_free(l->engine);
    catalogue_free(l->confs);
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
    rng_bytes(l->url_key, sizeof(l->url_key));
    enum err err = lambda_conf_open(l);
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

/* --- start ------------------------------------------------------------------------------------ */

struct loading {
    struct lambda *l;
    struct map codes; /* ids that functions name; value is not used */
};

static enum err each_record(struct txn *txn, enum lambda_table table, struct loading *loading,
                            enum err (*fn)(struct loading *loading, struct txn *txn,
                                           struct str val))
{
    struct kv_iter *it;
    struct str key, val;
    struct str prefix = lambda_key(txn->arena, table, STR_NONE, STR_NONE, STR_NONE);
    struct str to = key_after_prefix(txn->arena, prefix);
    enum err err;

    if (!str_is_set(prefix) || !str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, prefix, to, false, &it));
    while ((err = kv_next(it, &key, &val)) == ERR_OK) {
        err = fn(loading, txn, val);
        if (err != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err load_function(struct loading *loading, struct txn *txn, struct str val)
{
    struct lambda_fn rec;
    TRY(lambda_fn_unpack(txn->arena, val, &rec));
    return map_put(&loading->codes, rec.code_id, loading, NULL);
}

static enum err load_mapping(struct loading *loading, struct txn *txn, struct str val)
{
    return lambda_pollers_take(loading->l->pollers, val);
}

static enum err load_body(struct txn *txn, void *arg)
{
    struct loading *loading = arg;
    TRY(lambda_conf_load(loading->l, txn));
    TRY(each_record(txn, LAMBDA_T_FUNCTION, loading, load_function));
    return each_record(txn, LAMBDA_T_MAPPING, loading, load_mapping);
}

static enum err start(void *self)
{
    struct lambda *l = self;
    struct loading loading = {.l = l};

    l->sqs = sqs_port_of(l->core);
    l->s3 = s3_port_of(l->core);
    l->logs = logs_port_of(l->core);
    TRY(lambda_code_dirs_make(l));
    lambda_logbook_start(l->logbook);
    map_init(&loading.codes);
    enum err err = txn_run_now(l->core, load_body, &loading);
    if (err == ERR_OK)
        err = lambda_code_collect(l, &loading.codes);
    map_release(&loading.codes);
    TRY(err);
    lambda_engine_start(l->engine);
    lambda_pollers_start(l->pollers);
    core_add_route(l->core, "/_weir/lambda/code/", lambda_code_route, l);
    return ERR_OK;
}

/* --- stop ------------------------------------------------------------------------------------- */

static void drain(void *self, void (*done)(void *arg), void *arg)
{
    struct lambda *l = self;
    l->stopping = true;
    lambda_engine_stop(l->engine);
    lambda_pollers_stop(l->pollers);
    lambda_logbook_flush(l->logbook, done, arg);
}

/* --- authorisation ---------------------------------------------------------------------------- */

static enum err resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    struct lambda_name name;
    struct lambda_policy policy;

    *ret_json = STR_NONE;
    if (lambda_name_parse(arn, txn->core->cfg.account, txn->core->cfg.region, &name) != ERR_OK)
        return ERR_OK;
    TRY(lambda_policy_get(txn, &name, &policy));
    *ret_json = policy.document;
    return ERR_OK;
}

const struct svc_def lambda_def = {
    .wire = &lambda_service,
    .make = make,
    .start = start,
    .drain = drain,
    .release = release,
    .tags = &lambda_tags_service,
    .targets = lambda_targets,
    .n_targets = ARRAY_LEN(lambda_targets),
    .resource_policy = resource_policy,
};
