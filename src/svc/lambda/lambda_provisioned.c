/* Provisioned concurrency as it is stored and found. See lambda_provisioned.h.
 *
 * Layer: svc. Thread: the transaction's; what is in memory any. */
#include "svc/lambda/lambda_provisioned.h"

#include "svc/lambda/lambda_keys.h"

enum { ARENA_MAX = 64 * 1024 };

static const struct record_field fields[] = {
    REC_STR(struct lambda_provisioned, function.scope.account),
    REC_STR(struct lambda_provisioned, function.scope.region),
    REC_STR(struct lambda_provisioned, function.name),
    REC_STR(struct lambda_provisioned, function.qualifier),
    REC_INT(struct lambda_provisioned, wanted),
    REC_INT(struct lambda_provisioned, modified_ms),
};
const struct record_type lambda_provisioned_type =
    RECORD_TYPE(struct lambda_provisioned, 1, fields);

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    return record_unpack_copy(&lambda_provisioned_type, &object->arena, record,
                              (struct lambda_provisioned *)object);
}

static void changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct lambda *l = self;
    if (l->warm_changed)
        l->warm_changed(l);
}

static const struct catalogue_type type = {
    .name = "lambda: provisioned concurrency",
    .size = sizeof(struct lambda_provisioned),
    .arena_max = ARENA_MAX,
    .when = CATALOGUE_DURABLE,
    .decode = decode,
    .changed = changed,
};

enum err lambda_provisioned_new(struct lambda *l)
{
    return catalogue_new(l->core, &type, l, &l->provisioned);
}

enum err lambda_provisioned_load(struct lambda *l, struct txn *txn)
{
    return catalogue_load(l->provisioned, txn,
                          key_range_table(txn->arena, &lambda_k_provisioned).from);
}

static struct str provisioned_key(struct arena *a, const struct lambda_name *name)
{
    return key_make(a, &lambda_k_provisioned, name->scope, name->name, name->qualifier);
}

enum err lambda_provisioned_get(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                                struct lambda_provisioned **ret_p)
{
    void *p;
    TRY(catalogue_read(l->provisioned, txn, provisioned_key(txn->arena, name), &p));
    *ret_p = p;
    return ERR_OK;
}

enum err lambda_provisioned_put(struct txn *txn, struct lambda *l,
                                const struct lambda_provisioned *p)
{
    struct str record;
    assert(p->wanted > 0 && str_is_set(p->function.qualifier));
    TRY(record_make(&lambda_provisioned_type, txn->arena, p, &record));
    return catalogue_put(l->provisioned, txn, provisioned_key(txn->arena, &p->function), record);
}

enum err lambda_provisioned_del(struct txn *txn, struct lambda *l, const struct lambda_name *name)
{
    return catalogue_del(l->provisioned, txn, provisioned_key(txn->arena, name));
}

struct key_range lambda_provisioned_of(struct arena *a, const struct lambda_name *name)
{
    return key_range(a, &lambda_k_provisioned, name->scope, name->name);
}

/* --- in memory -------------------------------------------------------------------------------- */

struct collecting {
    struct arena *a;
    struct lambda_provisions *list;
    size_t cap; /* those that come between counting and taking are left for their own change */
};

static void collect(void *arg, const void *object)
{
    const struct lambda_provisioned *p = object;
    struct collecting *c = arg;
    if (c->list->n == c->cap)
        return;
    c->list->v[c->list->n++] = (struct lambda_provisioned){
        .function = {.scope = {str_dup(c->a, p->function.scope.account),
                               str_dup(c->a, p->function.scope.region)},
                     .name = str_dup(c->a, p->function.name),
                     .qualifier = str_dup(c->a, p->function.qualifier)},
        .wanted = p->wanted,
        .modified_ms = p->modified_ms,
    };
}

enum err lambda_provisioned_list(struct lambda *l, struct arena *a, const struct lambda_name *name,
                                 struct lambda_provisions *ret_list)
{
    struct str prefix = !name ? key_range_table(a, &lambda_k_provisioned).from
                        : str_is_set(name->name)
                            ? key_prefix(a, &lambda_k_provisioned, name->scope, name->name)
                            : key_prefix(a, &lambda_k_provisioned, name->scope);
    struct collecting c = {.a = a, .list = ret_list};
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    c.cap = catalogue_count(l->provisioned, prefix);
    *ret_list =
        (struct lambda_provisions){.v = ARENA_ARRAY(a, struct lambda_provisioned, c.cap + 1)};
    if (!ret_list->v)
        return ERR_NOMEM;
    catalogue_each(l->provisioned, prefix, collect, &c);
    return a->failed ? ERR_NOMEM : ERR_OK;
}

int64_t lambda_provisioned_sum(const struct lambda_provisions *list, struct str except)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->n; i++)
        if (!str_eq(list->v[i].function.qualifier, except))
            sum += list->v[i].wanted;
    return sum;
}
