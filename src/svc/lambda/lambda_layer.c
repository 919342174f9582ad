/* Layer versions: their names, records, and what a function makes of them.
 *
 * A version never changes but for its policy. A function that uses some has their files in one folder, which is
 * seen as /opt: that of the layer where it is one, else a merged one of its own, of second names of the
 * layers' files (lambda_code.c). So a function keeps what it uses when the layer is deleted, and
 * nothing is done about layers when an environment starts.
 *
 * Source: Lambda developer guide, "Managing Lambda dependencies with layers"; Lambda quotas.
 * Layer: svc. Thread: the transaction's; lookups in memory any. */
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_keys.h"

enum {
    LAYER_ARENA_MAX = 256 * 1024,
    RUNTIMES_STORED_MAX = 64, /* of a layer; requests name 15 at most */
};

/* --- records ---------------------------------------------------------------------------------- */

static const struct record_field layer_fields[] = {
    REC_STR(struct lambda_layer_version, name.scope.account),
    REC_STR(struct lambda_layer_version, name.scope.region),
    REC_STR(struct lambda_layer_version, name.name),
    REC_UINT(struct lambda_layer_version, name.number),
    REC_STR(struct lambda_layer_version, code_id),
    REC_STR(struct lambda_layer_version, code_sha256),
    REC_INT(struct lambda_layer_version, code_size),
    REC_INT(struct lambda_layer_version, unzipped),
    REC_STR(struct lambda_layer_version, description),
    REC_STR(struct lambda_layer_version, license),
    REC_LIST(struct lambda_layer_version, runtimes, n_runtimes, RUNTIMES_STORED_MAX, &record_str),
    REC_LIST(struct lambda_layer_version, architectures, n_architectures, RUNTIMES_STORED_MAX,
             &record_str),
    REC_INT(struct lambda_layer_version, created_ms),
    REC_STRUCT(struct lambda_layer_version, policy, &lambda_policy_type),
};
const struct record_type lambda_layer_type =
    RECORD_TYPE(struct lambda_layer_version, 1, layer_fields);

/* Numbers are not used again, so the last one outlives its version. */
struct head {
    uint64_t last;
};
static const struct record_field head_fields[] = {REC_UINT(struct head, last)};
static const struct record_type head_type = RECORD_TYPE(struct head, 1, head_fields);

static enum err decode_layer(void *self, struct catalogue_object *object, struct str record)
{
    return record_unpack_copy(&lambda_layer_type, &object->arena, record,
                              (struct lambda_layer_version *)object);
}

static enum err carry_layer(void *self, struct catalogue_object *object,
                            struct catalogue_object *old)
{
    struct lambda_layer_version *layer = (struct lambda_layer_version *)object;
    layer->code = lambda_code_take(self, layer->code_id);
    return layer->code ? ERR_OK : ERR_NOMEM;
}

static void release_layer(void *self, struct catalogue_object *object)
{
    lambda_code_unref(((struct lambda_layer_version *)object)->code);
}

static void layer_changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    if (now)
        lambda_code_name(((struct lambda_layer_version *)now)->code);
    if (old)
        lambda_code_unname(((struct lambda_layer_version *)old)->code);
}

static const struct catalogue_type layers_type = {
    .name = "lambda: layer",
    .size = sizeof(struct lambda_layer_version),
    .arena_max = LAYER_ARENA_MAX,
    .when = CATALOGUE_DURABLE,
    .decode = decode_layer,
    .carry = carry_layer,
    .release = release_layer,
    .changed = layer_changed,
};

enum err lambda_layers_new(struct lambda *l)
{
    return catalogue_new(l->core, &layers_type, l, &l->layers);
}

enum err lambda_layers_load(struct lambda *l, struct txn *txn)
{
    return catalogue_load(l->layers, txn, key_range_table(txn->arena, &lambda_k_layer).from);
}

static struct str layer_key(struct arena *a, const struct lambda_layer_name *name)
{
    return key_make(a, &lambda_k_layer, name->scope, name->name, name->number);
}

struct key_range lambda_layer_versions_of(struct arena *a, const struct lambda_layer_name *name)
{
    return key_range(a, &lambda_k_layer, name->scope, name->name);
}

struct key_range lambda_layer_heads(struct arena *a, struct key_scope scope)
{
    return key_range(a, &lambda_k_layer_head, scope);
}

enum err lambda_layer_head_name(struct arena *a, struct str key, struct str *ret_name)
{
    struct key_scope scope;
    return key_read(&lambda_k_layer_head, key, a, &scope, ret_name);
}

struct str lambda_layers_prefix(struct arena *a, struct key_scope scope)
{
    return key_prefix(a, &lambda_k_layer, scope);
}

static void add_size(void *arg, const void *object)
{
    *(int64_t *)arg += ((const struct lambda_layer_version *)object)->code_size;
}

int64_t lambda_layers_size(struct lambda *l, struct key_scope scope, struct arena *a)
{
    int64_t sum = 0;
    struct str prefix = lambda_layers_prefix(a, scope);
    if (str_is_set(prefix))
        catalogue_each(l->layers, prefix, add_size, &sum);
    return sum;
}

enum err lambda_layer_get(struct txn *txn, struct lambda *l, const struct lambda_layer_name *name,
                          struct lambda_layer_version **ret_layer)
{
    void *layer;
    TRY(catalogue_read(l->layers, txn, layer_key(txn->arena, name), &layer));
    *ret_layer = layer;
    return ERR_OK;
}

enum err lambda_layer_put(struct txn *txn, struct lambda *l,
                          const struct lambda_layer_version *layer)
{
    struct str record;
    assert(layer->name.number && str_is_set(layer->code_id));
    TRY(record_make(&lambda_layer_type, txn->arena, layer, &record));
    return catalogue_put(l->layers, txn, layer_key(txn->arena, &layer->name), record);
}

enum err lambda_layer_add(struct txn *txn, struct lambda *l, struct lambda_layer_version *layer)
{
    struct head head = {0};
    struct str record;
    struct str key =
        key_make(txn->arena, &lambda_k_layer_head, layer->name.scope, layer->name.name);
    enum err err = txn_get(txn, key, &record);
    if (err == ERR_OK)
        err = record_unpack(&head_type, txn->arena, record, &head);
    if (err && err != ERR_NOT_FOUND)
        return err;
    layer->name.number = ++head.last;
    TRY(record_make(&head_type, txn->arena, &head, &record));
    TRY(txn_put(txn, key, record));
    return lambda_layer_put(txn, l, layer);
}

enum err lambda_layer_del(struct txn *txn, struct lambda *l, const struct lambda_layer_name *name)
{
    return catalogue_del(l->layers, txn, layer_key(txn->arena, name));
}

enum err lambda_layer_policy(struct txn *txn, const struct lambda_layer_name *name,
                             struct str *ret_document)
{
    struct lambda_layer_version layer = {0};
    struct str record;
    enum err err = txn_get(txn, layer_key(txn->arena, name), &record);
    if (err == ERR_OK)
        err = record_unpack(&lambda_layer_type, txn->arena, record, &layer);
    *ret_document = layer.policy.document;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- Layers of a function --------------------------------------------------------------------- */

static enum err take_layer(struct call *call, struct str arn,
                           struct lambda_layer_version **ret_layer)
{
    struct lambda *l = lambda_of(call);
    struct lambda_layer_name name;
    enum err err = lambda_layer_name_parse(arn, call_scope(call), &name);

    if (err == ERR_OK && !str_eq(name.scope.region, call->region))
        return LAMBDA_INVALID(call,
                              "Layers are not in the same region as the function. Layers are "
                              "expected to be in region " STR_FMT ".",
                              STR_ARG(call->region));
    if (err == ERR_OK)
        err = lambda_layer_get(call->txn, l, &name, ret_layer);
    if (err == ERR_INVALID || err == ERR_NOT_FOUND)
        return LAMBDA_INVALID(call, "Layer version " STR_FMT " does not exist.", STR_ARG(arn));
    TRY(err);
    return lambda_code_hold(l, call->arena, (*ret_layer)->code_id);
}

/* Of each layer one version: which of those before is of the same? */
static enum err check_other(struct call *call, const struct lambda_layer_version *layer,
                            struct str arn, const struct lambda_layer_version *const *before,
                            const struct lambda_fn_layer *arns)
{
    for (size_t i = 0; before[i]; i++)
        if (str_eq(before[i]->name.name, layer->name.name))
            return LAMBDA_INVALID(
                call,
                "Two different versions of the same layer are not allowed to be referenced in the "
                "same function. " STR_FMT " and " STR_FMT " are versions of the same layer.",
                STR_ARG(arns[i].arn), STR_ARG(arn));
    return ERR_OK;
}

int64_t lambda_layers_unzipped(const struct lambda_fn *fn)
{
    int64_t sum = 0;
    for (size_t i = 0; i < fn->n_layers; i++)
        sum += fn->layers[i].unzipped;
    return sum;
}

enum err lambda_layers_apply(struct call *call, struct lambda_layer_list list, struct lambda_fn *fn,
                             struct lambda_layers_used *ret_used)
{
    struct lambda_layer_version *taken[LAMBDA_LAYERS_MAX + 1] = {0};
    struct lambda_layers_used used = {.given = list.v != NULL};

    *ret_used = used;
    if (!used.given)
        return ERR_OK;
    if (list.n > LAMBDA_LAYERS_MAX)
        return LAMBDA_INVALID(call, "Cannot reference more than %d layers.", LAMBDA_LAYERS_MAX);
    fn->layers = ARENA_ARRAY(call->arena, struct lambda_fn_layer, LAMBDA_LAYERS_MAX);
    if (!fn->layers)
        return ERR_NOMEM;
    for (fn->n_layers = 0; fn->n_layers < list.n; fn->n_layers++) {
        size_t i = fn->n_layers;
        struct lambda_layer_version *layer = NULL;
        TRY(take_layer(call, list.v[i], &layer));
        TRY(check_other(call, layer, list.v[i], (const struct lambda_layer_version *const *)taken,
                        fn->layers));
        taken[i] = layer;
        used.ids[i] = layer->code_id;
        fn->layers[i] = (struct lambda_fn_layer){list.v[i], layer->code_size, layer->unzipped};
    }
    used.n = fn->n_layers;
    if (lambda_layers_unzipped(fn) > LAMBDA_CODE_UNZIPPED_MAX)
        return LAMBDA_INVALID(call, "Layers consume more than the available size of %d bytes",
                              LAMBDA_CODE_UNZIPPED_MAX);
    *ret_used = used;
    return ERR_OK;
}

enum err lambda_layers_check_size(struct call *call, const struct lambda_fn *fn)
{
    /* What was stored before its unpacked size was counted counts as long as it was packed. */
    int64_t code = fn->code_unzipped ? fn->code_unzipped : fn->code_size;
    int64_t sum = code + lambda_layers_unzipped(fn);
    if (fn->n_layers && sum > LAMBDA_CODE_UNZIPPED_MAX)
        return LAMBDA_INVALID(call,
                              "Function code combined with layers exceeds the maximum allowed size "
                              "of %d bytes. The actual size is %lld bytes.",
                              LAMBDA_CODE_UNZIPPED_MAX, (long long)sum);
    return ERR_OK;
}

enum err lambda_layers_authorize(struct call *call, struct lambda_layer_list list)
{
    for (size_t i = 0; i < list.n && i < LAMBDA_LAYERS_MAX; i++)
        TRY(call_authorize(call, "lambda:GetLayerVersion", list.v[i]));
    return ERR_OK;
}
