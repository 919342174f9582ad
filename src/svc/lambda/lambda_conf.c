/* Functions in memory: the newest durable configuration of each, shared with whoever runs it; core's
 * catalogue keeps them.
 *
 * Layer: svc. Thread: any. */
#include "kv/key.h"
#include "svc/lambda/lambda_int.h"

enum { CONF_ARENA_MAX = 1024 * 1024 };

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    const struct lambda *l = self;
    struct lambda_conf *conf = (struct lambda_conf *)object;
    TRY(lambda_fn_unpack(&object->arena, record, &conf->rec));
    struct lambda_name name = lambda_fn_name(&conf->rec);
    conf->arn = lambda_arn(&object->arena, l->core->cfg.partition, &name, STR_NONE);
    return str_is_set(conf->arn) ? ERR_OK : ERR_NOMEM;
}

/* A package is shared by the configurations that run it. */
static enum err carry_code(void *self, struct catalogue_object *object,
                           struct catalogue_object *old)
{
    struct lambda_conf *conf = (struct lambda_conf *)object;
    const struct lambda_conf *before = (const struct lambda_conf *)old;
    if (before && str_eq_c(conf->rec.code_id, before->code->id))
        conf->code = lambda_code_ref(before->code);
    else
        conf->code = lambda_code_new(self, conf->rec.code_id);
    return conf->code ? ERR_OK : ERR_NOMEM;
}

static void release_code(void *self, struct catalogue_object *object)
{
    lambda_code_unref(((struct lambda_conf *)object)->code);
}

static void changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct lambda *l = self;
    const struct lambda_conf *before = (const struct lambda_conf *)old;
    const struct lambda_conf *after = (const struct lambda_conf *)now;
    if (before && (!after || after->code != before->code))
        atomic_store(&before->code->retired, true);
    struct lambda_name name = lambda_fn_name(after ? &after->rec : &before->rec);
    if (!l->loading)
        lambda_engine_changed(l->engine, &name);
}

static const struct catalogue_type conf_type = {
    .name = "lambda",
    .size = sizeof(struct lambda_conf),
    .arena_max = CONF_ARENA_MAX,
    .when = CATALOGUE_DURABLE,
    .decode = decode,
    .carry = carry_code,
    .release = release_code,
    .changed = changed,
};

enum err lambda_conf_open(struct lambda *l)
{
    return catalogue_new(l->core, &conf_type, l, &l->confs);
}

enum err lambda_conf_load(struct lambda *l, struct txn *txn)
{
    struct str prefix = lambda_key(txn->arena, LAMBDA_T_FUNCTION, STR_NONE, STR_NONE, STR_NONE);
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    l->loading = true;
    enum err err = catalogue_load(l->confs, txn, prefix);
    l->loading = false;
    return err;
}

enum err lambda_conf_find(struct lambda *l, const struct lambda_name *name,
                          struct lambda_conf **ret_conf)
{
    char bytes[LAMBDA_KEY_MAX];
    struct buf b;
    void *conf;
    /* On the stack: a lookup allocates nothing, and what is longer names no function. */
    buf_init_fixed(&b, bytes, sizeof(bytes));
    lambda_key_put(&b, LAMBDA_T_FUNCTION, name->account, name->region, name->name);
    if (buf_err(&b) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(catalogue_take(l->confs, NULL, buf_str(&b), &conf));
    *ret_conf = conf;
    return ERR_OK;
}

struct summing {
    struct lambda_conf_sums sums;
    struct str except;
};

static void add_up(void *arg, const void *object)
{
    struct summing *s = arg;
    const struct lambda_fn *rec = &((const struct lambda_conf *)object)->rec;
    s->sums.functions++;
    s->sums.code_size += rec->code_size;
    if (rec->reserved >= 0 && !str_eq(rec->name, s->except))
        s->sums.reserved += rec->reserved;
}

struct lambda_conf_sums lambda_conf_sum(struct lambda *l, struct str account, struct str region,
                                        struct str except)
{
    char bytes[LAMBDA_KEY_MAX];
    struct buf b;
    struct summing s = {.except = except};
    buf_init_fixed(&b, bytes, sizeof(bytes));
    lambda_key_put(&b, LAMBDA_T_FUNCTION, account, region, STR_NONE);
    if (buf_err(&b) == ERR_OK)
        catalogue_each(l->confs, buf_str(&b), add_up, &s);
    return s.sums;
}
