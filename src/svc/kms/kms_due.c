/* What happens to keys by itself: deletion at the end of the waiting period, rotation, expiry of
 * imported material.
 *
 *   ENABLED, DISABLED, PENDING_IMPORT --ScheduleKeyDeletion--> PENDING_DELETION --due--> gone
 *                                                        CancelKeyDeletion --> DISABLED
 *   imported: PENDING_IMPORT --ImportKeyMaterial--> ENABLED --expiry, DeleteImported...--> PENDING_IMPORT
 *
 * Layer: svc. Thread: the home loop. */
#include "base/rng.h"
#include "deliver/deliver.h"
#include "svc/kms/kms_int.h"

static struct str due_key(struct arena *a, const struct kms_key *key, enum kms_due what)
{
    return key_make(a, &kms_k_due, key->scope, key->id, (uint8_t)what);
}

enum err kms_due_at(struct kms *kms, struct txn *txn, const struct kms_key *key, enum kms_due what,
                    int64_t when_ms)
{
    struct str name = due_key(txn->arena, key, what);
    if (!str_is_set(name))
        return ERR_NOMEM;
    return due_set(txn, kms->due, name, txn->now_ms + (when_ms - txn->wall_ms), STR(""));
}

enum err kms_due_never(struct kms *kms, struct txn *txn, const struct kms_key *key,
                       enum kms_due what)
{
    struct str name = due_key(txn->arena, key, what);
    return str_is_set(name) ? due_clear(txn, kms->due, name) : ERR_NOMEM;
}

/* --- deletion --------------------------------------------------------------------------------- */

struct dropping {
    struct txn *txn;
    struct key_scope scope;
    size_t n;
    bool more;
};

static enum err drop_grant(void *arg, struct str key, struct str record)
{
    struct dropping *d = arg;
    struct kms_grant grant;
    if (d->n == KMS_DROP_GRANTS) {
        d->more = true;
        return ERR_CLOSED;
    }
    d->n++;
    TRY(kms_grant_parse(d->txn->arena, key, record, &grant));
    return kms_grant_drop(d->txn, d->scope, &grant);
}

static enum err drop_alias(void *arg, struct str key, struct str record)
{
    struct dropping *d = arg;
    struct str name;
    TRY(key_read(&kms_k_alias_of, key, d->txn->arena, KEY_SKIP, KEY_SKIP, &name));
    TRY(txn_del(d->txn, key_make(d->txn->arena, &kms_k_alias, d->scope, name)));
    return txn_del(d->txn, str_dup(d->txn->arena, key));
}

static enum err drop_material(void *arg, struct str key, struct str record)
{
    struct dropping *d = arg;
    return txn_del(d->txn, str_dup(d->txn->arena, key));
}

/* The grants first, some at a time: a key may have many, and nobody can use them any more. */
static enum err delete_key(struct kms *kms, struct txn *txn, const struct kms_key *key,
                           struct due_fire *f)
{
    struct arena *a = txn->arena;
    struct dropping d = {.txn = txn, .scope = key->scope};
    TRY(txn_each(txn, key_range(a, &kms_k_grant, key->scope, key->id), drop_grant, &d));
    if (d.more) {
        f->next = DUE_AGAIN;
        return ERR_OK;
    }
    TRY(txn_each(txn, key_range(a, &kms_k_alias_of, key->scope, key->id), drop_alias, &d));
    TRY(txn_each(txn, key_range(a, &kms_k_material, key->scope, key->id), drop_material, &d));
    struct str arn = kms_arn(a, txn->core, key->scope, key->id);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(tags_drop(txn, arn));
    TRY(kms_due_never(kms, txn, key, KMS_DUE_ROTATION));
    TRY(kms_due_never(kms, txn, key, KMS_DUE_EXPIRY));
    TRY(txn_del(txn, key_make(a, &kms_k_policy, key->scope, key->id)));
    TRY(txn_del(txn, key_make(a, &kms_k_owner, key->id)));
    return txn_del(txn, key_make(a, &kms_k_key, key->scope, key->id));
}

/* --- rotation and expiry ---------------------------------------------------------------------- */

enum err kms_rotate(struct txn *txn, struct kms_key *key, bool on_demand)
{
    uint8_t secret[KMS_SYMMETRIC_BYTES];
    struct kms_material material = {.created_ms = txn->wall_ms, .on_demand = on_demand};
    rng_bytes(material.id, sizeof(material.id));
    rng_bytes(secret, sizeof(secret));
    struct str text = str_n((const char *)secret, sizeof(secret));
    enum err err = kms_material_write(txn, key, key->material + 1, text, &material);
    kms_wipe(text);
    key->material++;
    return err;
}

/* A key that is disabled or on its way out is rotated once it is in use again. */
static enum err rotate_key(struct txn *txn, struct kms_key *key, struct due_fire *f)
{
    if (!key->rotates)
        return ERR_OK;
    f->next = DUE_MOVE;
    if (key->state != KMS_ENABLED) {
        f->next_ms = txn->now_ms + KMS_DAY_MS;
        return ERR_OK;
    }
    TRY(kms_rotate(txn, key, false));
    key->next_rotation_ms = txn->wall_ms + key->period_days * KMS_DAY_MS;
    f->next_ms = txn->now_ms + key->period_days * KMS_DAY_MS;
    return kms_key_write(txn, key);
}

enum err kms_material_forget(struct txn *txn, struct kms_key *key)
{
    struct kms_material material;
    TRY(kms_material_read(txn, key, key->material, &material));
    TRY(kms_material_write(txn, key, key->material, STR_NONE, &material));
    if (key->state != KMS_PENDING_DELETION)
        key->state = KMS_PENDING_IMPORT;
    key->state_ms = txn->wall_ms;
    key->expires = false;
    key->valid_to_ms = 0;
    return ERR_OK;
}

static enum err expire_key(struct txn *txn, struct kms_key *key)
{
    if (!key->expires || key->valid_to_ms > txn->wall_ms)
        return ERR_OK;
    TRY(kms_material_forget(txn, key));
    return kms_key_write(txn, key);
}

/* --- firing ----------------------------------------------------------------------------------- */

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct key_scope scope;
    struct str id;
    uint8_t what;
    struct kms_key key;
    TRY(key_read(&kms_k_due, f->key, txn->arena, &scope, &id, &what));
    enum err err = kms_key_read(txn, scope, id, &key);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    switch (what) {
    case KMS_DUE_DELETION:
        return key.state == KMS_PENDING_DELETION ? delete_key(self, txn, &key, f) : ERR_OK;
    case KMS_DUE_ROTATION:
        return rotate_key(txn, &key, f);
    case KMS_DUE_EXPIRY:
        return expire_key(txn, &key);
    default:
        return ERR_CORRUPT;
    }
}

enum err kms_due_register(struct kms *kms)
{
    static const struct due_def def = {
        .name = "kms.key", .fire = fire, .running_max = 4, .steps = true};
    struct due_def own = def;
    own.self = kms;
    return due_register(deliver_due(kms->core->deliver), &own, &kms->due);
}
