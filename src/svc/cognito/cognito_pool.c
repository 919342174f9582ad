/* Pools, clients and signing keys in memory, and how requests name pools.
 *
 * Layer: svc/cognito. Thread: the transaction's. */
#include "svc/cognito/cognito_int.h"

enum { OBJECT_MAX = 1024 * 1024 };

const struct wire_shape *cognito_pool_shape(void)
{
    return wire_shape_of(cognito_service.ops[COGNITO_OP_DESCRIBE_USER_POOL].output,
                         STR("UserPool"));
}

const struct wire_shape *cognito_client_shape(void)
{
    return wire_shape_of(cognito_service.ops[COGNITO_OP_DESCRIBE_USER_POOL_CLIENT].output,
                         STR("UserPoolClient"));
}

/* --- records to objects ------------------------------------------------------------------------- */

static enum err decode_pool(void *self, struct catalogue_object *object, struct str record)
{
    const struct cognito *c = self;
    struct cognito_pool *pool = (struct cognito_pool *)object;
    struct arena *a = &object->arena;
    TRY(record_unpack_copy(&cognito_pool_rec_type, a, record, &pool->rec));
    TRY(wire_kept(&cognito_service, cognito_pool_shape(), pool->rec.settings, a, &pool->set));
    pool->arn = str_fmt(a, "arn:" STR_FMT ":cognito-idp:" STR_FMT ":" STR_FMT ":userpool/" STR_FMT,
                        STR_ARG(c->core->cfg.partition), STR_ARG(pool->rec.region),
                        STR_ARG(pool->rec.account), STR_ARG(pool->rec.id));
    pool->issuer = str_fmt(a, "https://cognito-idp." STR_FMT ".amazonaws.com/" STR_FMT,
                           STR_ARG(pool->rec.region), STR_ARG(pool->rec.id));
    if (!str_is_set(pool->arn) || !str_is_set(pool->issuer))
        return ERR_NOMEM;
    return catalogue_index(object, COGNITO_POOLS_BY_ID, pool->rec.id);
}

static enum err decode_client(void *self, struct catalogue_object *object, struct str record)
{
    struct cognito_client *client = (struct cognito_client *)object;
    struct arena *a = &object->arena;
    TRY(record_unpack_copy(&cognito_client_rec_type, a, record, &client->rec));
    TRY(wire_kept(&cognito_service, cognito_client_shape(), client->rec.settings, a, &client->set));
    return catalogue_index(object, COGNITO_CLIENTS_BY_ID, client->set.client_id);
}

static enum err decode_key(void *self, struct catalogue_object *object, struct str record)
{
    const struct cognito *c = self;
    struct cognito_key *key = (struct cognito_key *)object;
    struct str der, kid;
    char hex[2 * HASH_SHA256_LEN];
    TRY(secret_open(c->core, &object->arena, object->key, record, &der));
    hash_sha256_hex(der.p, der.len, hex);
    kid = str_n(hex, sizeof(hex));
    enum err err = jwt_key_of_der(der, kid, &key->key);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

static void release_key(void *self, struct catalogue_object *object)
{
    struct cognito_key *key = (struct cognito_key *)object;
    jwt_key_free(key->key);
}

static const struct catalogue_type pools_type = {
    .name = "cognito: pool",
    .size = sizeof(struct cognito_pool),
    .arena_max = OBJECT_MAX,
    .n_indexes = 1,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_RETRY,
    .decode = decode_pool,
};

static const struct catalogue_type clients_type = {
    .name = "cognito: client",
    .size = sizeof(struct cognito_client),
    .arena_max = OBJECT_MAX,
    .n_indexes = 1,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_RETRY,
    .decode = decode_client,
};

static const struct catalogue_type keys_type = {
    .name = "cognito: signing key",
    .size = sizeof(struct cognito_key),
    .arena_max = OBJECT_MAX,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_RETRY,
    .decode = decode_key,
    .release = release_key,
};

enum err cognito_catalogues_new(struct cognito *c)
{
    TRY(catalogue_new(c->core, &pools_type, c, &c->pools));
    TRY(catalogue_new(c->core, &clients_type, c, &c->clients));
    return catalogue_new(c->core, &keys_type, c, &c->keys);
}

static enum err load(struct txn *txn, struct catalogue *catalogue, const struct key_layout *layout)
{
    struct str prefix = key_prefix_vals(txn->arena, layout, NULL, 0);
    return str_is_set(prefix) ? catalogue_load(catalogue, txn, prefix) : ERR_NOMEM;
}

enum err cognito_catalogues_load(struct txn *txn, void *self)
{
    struct cognito *c = self;
    TRY(load(txn, c->pools, &cognito_k_pool));
    TRY(load(txn, c->clients, &cognito_k_client));
    TRY(load(txn, c->keys, &cognito_k_id_key));
    return load(txn, c->keys, &cognito_k_access_key);
}

/* --- finding and saving ------------------------------------------------------------------------- */

enum err cognito_pool_find(struct cognito *c, struct txn *txn, struct str id,
                           const struct cognito_pool **ret)
{
    void *object;
    TRY(catalogue_get_by(c->pools, txn, COGNITO_POOLS_BY_ID, id, &object));
    *ret = object;
    return ERR_OK;
}

enum err cognito_pool_need(struct call *call, struct str id, const struct cognito_pool **ret)
{
    const struct cognito_pool *pool = NULL;
    enum err err = cognito_pool_find(cognito_of(call), call->txn, id, &pool);
    if (err == ERR_OK &&
        (!str_eq(pool->rec.account, call->account) || !str_eq(pool->rec.region, call->region)))
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_resource_not_found_exception,
                          "User pool " STR_FMT " does not exist.", STR_ARG(id));
    TRY(err);
    *ret = pool;
    return ERR_OK;
}

enum err cognito_pool_guard(struct txn *txn, const struct cognito_pool *pool)
{
    struct str nothing;
    enum err err = txn_get(txn, key_make(txn->arena, &cognito_k_guard, pool->rec.id), &nothing);
    return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
}

enum err cognito_pool_save(struct cognito *c, struct txn *txn, const struct cognito_pool *pool)
{
    struct str record;
    struct cognito_pool_rec rec = pool->rec;
    const struct key_scope scope = {rec.account, rec.region};
    TRY(wire_keep(cognito_pool_shape(), &pool->set, txn->arena, &rec.settings));
    TRY(record_make(&cognito_pool_rec_type, txn->arena, &rec, &record));
    return catalogue_put(c->pools, txn, key_make(txn->arena, &cognito_k_pool, scope, rec.id),
                         record);
}

enum err cognito_client_save(struct cognito *c, struct txn *txn,
                             const struct cognito_client *client)
{
    struct str record;
    struct cognito_client_rec rec = client->rec;
    TRY(wire_keep(cognito_client_shape(), &client->set, txn->arena, &rec.settings));
    TRY(record_make(&cognito_client_rec_type, txn->arena, &rec, &record));
    return catalogue_put(
        c->clients, txn,
        key_make(txn->arena, &cognito_k_client, rec.pool_id, client->set.client_id), record);
}
