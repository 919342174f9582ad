/* Records in the store, and material as it lies there: sealed.
 *
 * Layer: svc. Thread: the transaction's. */
#include "base/record.h"
#include "codec/hex.h"
#include "core/secret.h"
#include "svc/kms/kms_int.h"

static const struct record_field key_fields[] = {
    REC_ENUM(struct kms_key, spec, KMS_SPECS),
    REC_ENUM(struct kms_key, usage, KMS_USAGES),
    REC_ENUM(struct kms_key, state, KMS_STATES),
    REC_INT(struct kms_key, created_ms),
    REC_STR(struct kms_key, description),
    REC_STR(struct kms_key, public_der),
    REC_UINT(struct kms_key, material),
    REC_BOOL(struct kms_key, imported),
    REC_BOOL(struct kms_key, expires),
    REC_INT(struct kms_key, valid_to_ms),
    REC_UINT(struct kms_key, window_days),
    REC_INT(struct kms_key, deletion_ms),
    REC_BOOL(struct kms_key, rotates),
    REC_UINT(struct kms_key, period_days),
    REC_INT(struct kms_key, next_rotation_ms),
    REC_UINT(struct kms_key, on_demand),
    REC_UINT(struct kms_key, aliases),
    REC_UINT(struct kms_key, grants),
    REC_SINCE(2, REC_BOOL(struct kms_key, managed)),
    REC_SINCE(2, REC_INT(struct kms_key, state_ms)),
};
static const struct record_type key_type = RECORD_TYPE(struct kms_key, 2, key_fields);

static const struct record_field material_fields[] = {
    REC_BYTES(struct kms_material, id),        REC_INT(struct kms_material, created_ms),
    REC_BOOL(struct kms_material, on_demand),  REC_STR(struct kms_material, sealed),
    REC_STR(struct kms_material, description),
};
static const struct record_type material_type =
    RECORD_TYPE(struct kms_material, 1, material_fields);

static const struct record_field alias_fields[] = {
    REC_STR(struct kms_alias, key_id),
    REC_INT(struct kms_alias, created_ms),
    REC_INT(struct kms_alias, updated_ms),
};
static const struct record_type alias_type = RECORD_TYPE(struct kms_alias, 1, alias_fields);

static const struct record_field pair_fields[] = {
    REC_STR(struct kms_pair, key),
    REC_STR(struct kms_pair, value),
};
static const struct record_type pair_type = RECORD_TYPE(struct kms_pair, 1, pair_fields);

static const struct record_field grant_fields[] = {
    REC_STR(struct kms_grant, name),
    REC_STR(struct kms_grant, grantee),
    REC_STR(struct kms_grant, retiring),
    REC_INT(struct kms_grant, created_ms),
    REC_UINT(struct kms_grant, operations),
    REC_ENUM(struct kms_grant, constraint, KMS_CONSTRAINTS),
    REC_LIST(struct kms_grant, pairs, n_pairs, KMS_CONSTRAINT_PAIRS, &pair_type),
};
static const struct record_type grant_type = RECORD_TYPE(struct kms_grant, 1, grant_fields);

/* --- keys ------------------------------------------------------------------------------------- */

enum err kms_key_read(struct txn *txn, struct key_scope scope, struct str id, struct kms_key *ret)
{
    struct str record;
    struct kms_key key = {0};
    TRY(txn_get(txn, key_make(txn->arena, &kms_k_key, scope, id), &record));
    TRY(record_unpack(&key_type, txn->arena, record, &key));
    key.id = id;
    key.scope = scope;
    *ret = key;
    return ERR_OK;
}

enum err kms_key_write(struct txn *txn, const struct kms_key *key)
{
    struct str record;
    TRY(record_make(&key_type, txn->arena, key, &record));
    TRY(txn_put(txn, key_make(txn->arena, &kms_k_owner, key->id), key->scope.account));
    return txn_put(txn, key_make(txn->arena, &kms_k_key, key->scope, key->id), record);
}

enum err kms_owner_of(struct txn *txn, struct str id, struct str *ret_account)
{
    *ret_account = txn->core->cfg.account;
    if (!txn->core->more_accounts)
        return ERR_OK;
    enum err err = txn_get(txn, key_make(txn->arena, &kms_k_owner, id), ret_account);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- material --------------------------------------------------------------------------------- */

static struct str material_key(struct txn *txn, const struct kms_key *key, uint32_t number)
{
    return key_make(txn->arena, &kms_k_material, key->scope, key->id, number);
}

enum err kms_material_read(struct txn *txn, const struct kms_key *key, uint32_t number,
                           struct kms_material *ret)
{
    struct str record;
    TRY(txn_get(txn, material_key(txn, key, number), &record));
    return record_unpack(&material_type, txn->arena, record, ret);
}

enum err kms_material_write(struct txn *txn, const struct kms_key *key, uint32_t number,
                            struct str secret, struct kms_material *material)
{
    struct str record, at = material_key(txn, key, number);
    if (!str_is_set(at))
        return ERR_NOMEM;
    TRY(secret_close(txn->core, txn->arena, at, secret, &material->sealed));
    TRY(record_make(&material_type, txn->arena, material, &record));
    return txn_put(txn, at, record);
}

enum err kms_material_open(struct txn *txn, const struct kms_key *key, uint32_t number,
                           struct str *ret_secret)
{
    struct kms_material material;
    TRY(kms_material_read(txn, key, number, &material));
    return secret_open(txn->core, txn->arena, material_key(txn, key, number), material.sealed,
                       ret_secret);
}

struct str kms_material_name(struct arena *a, const struct kms_material *material)
{
    return hex_encode(a, material->id, sizeof(material->id));
}

enum err kms_current_material(struct txn *txn, const struct kms_key *key, struct str *ret_name)
{
    struct kms_material material;
    if (key->spec != KMS_SYMMETRIC_DEFAULT || key->material == 0) {
        *ret_name = STR_NONE;
        return ERR_OK;
    }
    TRY(kms_material_read(txn, key, key->material, &material));
    *ret_name = kms_material_name(txn->arena, &material);
    return str_is_set(*ret_name) ? ERR_OK : ERR_NOMEM;
}

/* --- aliases ---------------------------------------------------------------------------------- */

enum err kms_alias_read(struct txn *txn, struct key_scope scope, struct str name,
                        struct kms_alias *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &kms_k_alias, scope, name), &record));
    return record_unpack(&alias_type, txn->arena, record, ret);
}

enum err kms_alias_write(struct txn *txn, struct key_scope scope, struct str name,
                         const struct kms_alias *alias)
{
    struct str record;
    TRY(record_make(&alias_type, txn->arena, alias, &record));
    TRY(txn_put(txn, key_make(txn->arena, &kms_k_alias, scope, name), record));
    return txn_put(txn, key_make(txn->arena, &kms_k_alias_of, scope, alias->key_id, name), STR(""));
}

/* --- grants ----------------------------------------------------------------------------------- */

enum err kms_grant_parse(struct arena *a, struct str key, struct str record, struct kms_grant *ret)
{
    struct str key_id, id;
    TRY(key_read(&kms_k_grant, key, a, KEY_SKIP, &key_id, KEY_SKIP, &id));
    TRY(record_unpack_copy(&grant_type, a, record, ret));
    ret->key_id = key_id;
    ret->id = id;
    return ERR_OK;
}

static struct str retirable_key(struct txn *txn, struct key_scope scope, const struct kms_grant *g)
{
    return key_make(txn->arena, &kms_k_retirable, scope, g->retiring, g->key_id, g->id);
}

enum err kms_grant_write(struct txn *txn, struct key_scope scope, const struct kms_grant *g)
{
    struct arena *a = txn->arena;
    struct str record;
    TRY(record_make(&grant_type, a, g, &record));
    TRY(txn_put(txn, key_make(a, &kms_k_grant, scope, g->key_id, g->grantee, g->id), record));
    TRY(txn_put(txn, key_make(a, &kms_k_grant_id, scope, g->key_id, g->id), g->grantee));
    return str_is_set(g->retiring) ? txn_put(txn, retirable_key(txn, scope, g), g->grantee)
                                   : ERR_OK;
}

enum err kms_grant_drop(struct txn *txn, struct key_scope scope, const struct kms_grant *g)
{
    struct arena *a = txn->arena;
    TRY(txn_del(txn, key_make(a, &kms_k_grant, scope, g->key_id, g->grantee, g->id)));
    TRY(txn_del(txn, key_make(a, &kms_k_grant_id, scope, g->key_id, g->id)));
    return str_is_set(g->retiring) ? txn_del(txn, retirable_key(txn, scope, g)) : ERR_OK;
}

enum err kms_grant_read(struct txn *txn, struct key_scope scope, struct str key_id, struct str id,
                        struct kms_grant *ret)
{
    struct arena *a = txn->arena;
    struct str grantee, record;
    TRY(txn_get(txn, key_make(a, &kms_k_grant_id, scope, key_id, id), &grantee));
    struct str key = key_make(a, &kms_k_grant, scope, key_id, grantee, id);
    TRY(txn_get(txn, key, &record));
    return kms_grant_parse(a, key, record, ret);
}
