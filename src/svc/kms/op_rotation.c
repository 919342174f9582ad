/* EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations.
 *
 * Source: AWS KMS Developer Guide, "Rotate AWS KMS keys".
 * Layer: svc. Thread: the call's. */
#include "svc/kms/kms_int.h"

/* Rotation is for symmetric encryption keys whose material was made here. */
static enum err need_rotatable(struct call *call, struct str ref, struct kms_key *ret)
{
    TRY(kms_need(call, ref, KMS_BY_ID, ret));
    if (ret->spec == KMS_SYMMETRIC_DEFAULT && !ret->imported)
        return ERR_OK;
    struct str arn = kms_key_arn(call, ret);
    return call_error(call, &kms_err_unsupported_operation_exception,
                      STR_FMT
                      " cannot be rotated: only symmetric encryption keys of origin AWS_KMS "
                      "can.",
                      STR_ARG(arn));
}

enum err kms_enable_key_rotation(struct call *call, const struct kms_enable_key_rotation_input *in,
                                 struct kms_enable_key_rotation_output *out)
{
    struct kms_key key;
    TRY(need_rotatable(call, in->key_id, &key));
    TRY(kms_enabled(call, &key));
    if (in->has_rotation_period_in_days)
        key.period_days = (uint32_t)in->rotation_period_in_days;
    else if (!key.rotates)
        key.period_days = KMS_ROTATION_DAYS;
    key.rotates = true;
    key.next_rotation_ms = call->txn->wall_ms + key.period_days * KMS_DAY_MS;
    TRY(kms_key_write(call->txn, &key));
    return kms_due_at(kms_of(call), call->txn, &key, KMS_DUE_ROTATION, key.next_rotation_ms);
}

enum err kms_disable_key_rotation(struct call *call,
                                  const struct kms_disable_key_rotation_input *in,
                                  struct kms_disable_key_rotation_output *out)
{
    struct kms_key key;
    TRY(need_rotatable(call, in->key_id, &key));
    TRY(kms_enabled(call, &key));
    key.rotates = false;
    TRY(kms_key_write(call->txn, &key));
    return kms_due_never(kms_of(call), call->txn, &key, KMS_DUE_ROTATION);
}

enum err kms_get_key_rotation_status(struct call *call,
                                     const struct kms_get_key_rotation_status_input *in,
                                     struct kms_get_key_rotation_status_output *out)
{
    struct kms_key key;
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    out->key_id = kms_key_arn(call, &key);
    if (!str_is_set(out->key_id))
        return ERR_NOMEM;
    /* AWS answers of every key here, with false for those that cannot be rotated. */
    WIRE_SET(out, key_rotation_enabled, key.rotates && key.state != KMS_PENDING_DELETION);
    if (out->key_rotation_enabled) {
        WIRE_SET(out, rotation_period_in_days, key.period_days);
        WIRE_SET(out, next_rotation_date, key.next_rotation_ms);
    }
    return ERR_OK;
}

enum err kms_rotate_key_on_demand(struct call *call,
                                  const struct kms_rotate_key_on_demand_input *in,
                                  struct kms_rotate_key_on_demand_output *out)
{
    struct kms_key key;
    TRY(need_rotatable(call, in->key_id, &key));
    TRY(kms_enabled(call, &key));
    if (key.on_demand >= KMS_ON_DEMAND_MAX)
        return call_error(call, &kms_err_limit_exceeded_exception,
                          "A key can be rotated on demand no more than %d times.",
                          KMS_ON_DEMAND_MAX);
    TRY(kms_rotate(call->txn, &key, true));
    key.on_demand++;
    out->key_id = kms_key_arn(call, &key);
    TRY(kms_key_write(call->txn, &key));
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

/* --- ListKeyRotations ------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    const struct kms_key *key;
    struct str arn;
    bool all;
    struct kms_rotations_list_entry *v;
    size_t n;
};

/* The first material is what the key was made with; that was no rotation. */
static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    uint32_t number;
    TRY(key_read(&kms_k_material, key, l->call->arena, KEY_SKIP, KEY_SKIP, &number));
    *ret_match = l->all || number > 1;
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct kms_rotations_list_entry *e = &l->v[l->n++];
    struct kms_material m;
    uint32_t number;
    TRY(key_read(&kms_k_material, key, l->call->arena, KEY_SKIP, KEY_SKIP, &number));
    TRY(kms_material_read(l->call->txn, l->key, number, &m));
    e->key_id = l->arn;
    e->key_material_id = kms_material_name(l->call->arena, &m);
    e->key_material_state = number == l->key->material ? STR("CURRENT") : STR("NON_CURRENT");
    if (l->key->imported) {
        e->import_state = str_is_set(m.sealed) ? STR("IMPORTED") : STR("PENDING_IMPORT");
        e->key_material_description = m.description;
        e->expiration_model =
            l->key->expires ? STR("KEY_MATERIAL_EXPIRES") : STR("KEY_MATERIAL_DOES_NOT_EXPIRE");
        if (l->key->expires)
            WIRE_SET(e, valid_to, l->key->valid_to_ms);
    }
    if (number > 1) {
        WIRE_SET(e, rotation_date, m.created_ms);
        e->rotation_type = m.on_demand ? STR("ON_DEMAND") : STR("AUTOMATIC");
    }
    return str_is_set(e->key_material_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_list_key_rotations(struct call *call, const struct kms_list_key_rotations_input *in,
                                struct kms_list_key_rotations_output *out)
{
    static const struct page_fns fns = {match, take};
    struct kms_key key;
    struct listing l = {.call = call, .key = &key};
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    if (key.spec != KMS_SYMMETRIC_DEFAULT)
        return call_error(call, &kms_err_unsupported_operation_exception,
                          "Only symmetric encryption keys are rotated.");
    l.all = str_eq_c(in->include_key_material, "ALL_KEY_MATERIAL");
    l.arn = kms_key_arn(call, &key);
    struct page page =
        kms_page(call, key.id, in->marker, in->has_limit ? (size_t)in->limit : KMS_LIST_KEYS);
    l.v = ARENA_ARRAY(call->arena, struct kms_rotations_list_entry, page.limit);
    if (!l.v || !str_is_set(l.arn))
        return ERR_NOMEM;
    TRY(kms_paged(call,
                  page_scan(call->txn, &page,
                            key_range(call->arena, &kms_k_material, key.scope, key.id), &fns, &l)));
    out->rotations = (struct kms_rotations_list){l.v, l.n};
    KMS_PAGED(out, &page);
    return ERR_OK;
}
