/* CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey, UpdateKeyDescription.
 *
 * Layer: svc. Thread: the call's; the pool's while a pair is made. */
#include "base/rng.h"
#include "svc/kms/kms_int.h"

static const struct str state_names[KMS_STATES] = {
    [KMS_ENABLED] = STR_INIT("Enabled"),
    [KMS_DISABLED] = STR_INIT("Disabled"),
    [KMS_PENDING_DELETION] = STR_INIT("PendingDeletion"),
    [KMS_PENDING_IMPORT] = STR_INIT("PendingImport"),
};

/* --- shape ------------------------------------------------------------------------------------ */

static void algorithms(const struct kms_key *key, struct kms_key_metadata *m)
{
    struct kms_names names = kms_algorithms(key->spec, key->usage);
    switch (key->usage) {
    case KMS_ENCRYPT_DECRYPT:
        m->encryption_algorithms = (struct kms_encryption_algorithm_spec_list){names.v, names.n};
        break;
    case KMS_SIGN_VERIFY:
        m->signing_algorithms = (struct kms_signing_algorithm_spec_list){names.v, names.n};
        break;
    case KMS_GENERATE_VERIFY_MAC:
        m->mac_algorithms = (struct kms_mac_algorithm_spec_list){names.v, names.n};
        break;
    case KMS_KEY_AGREEMENT:
        m->key_agreement_algorithms =
            (struct kms_key_agreement_algorithm_spec_list){names.v, names.n};
        break;
    case KMS_USAGES:
        break;
    }
}

static enum err metadata(struct call *call, const struct kms_key *key,
                         const struct kms_key_metadata **ret)
{
    struct kms_key_metadata *m = ARENA_NEW(call->arena, struct kms_key_metadata);
    if (!m)
        return ERR_NOMEM;
    m->aws_account_id = call->account;
    m->key_id = key->id;
    m->arn = kms_key_arn(call, key);
    if (!str_is_set(m->arn))
        return ERR_NOMEM;
    WIRE_SET(m, creation_date, key->created_ms);
    WIRE_SET(m, enabled, key->state == KMS_ENABLED);
    m->description = key->description;
    m->key_usage = kms_usage_names[key->usage];
    m->key_state = state_names[key->state];
    if (key->state == KMS_PENDING_DELETION)
        WIRE_SET(m, deletion_date, key->deletion_ms);
    m->origin = key->imported ? STR("EXTERNAL") : STR("AWS_KMS");
    if (key->imported && key->state != KMS_PENDING_IMPORT) {
        m->expiration_model =
            key->expires ? STR("KEY_MATERIAL_EXPIRES") : STR("KEY_MATERIAL_DOES_NOT_EXPIRE");
        if (key->expires)
            WIRE_SET(m, valid_to, key->valid_to_ms);
    }
    m->key_manager = key->managed ? STR("AWS") : STR("CUSTOMER");
    m->key_spec = m->customer_master_key_spec = kms_specs[key->spec].name;
    algorithms(key, m);
    WIRE_SET(m, multi_region, false);
    TRY(kms_current_material(call->txn, key, &m->current_key_material_id));
    *ret = m;
    return ERR_OK;
}

/* --- CreateKey -------------------------------------------------------------------------------- */

static enum err refuse_elsewhere(struct call *call, const struct kms_create_key_input *in)
{
    if (in->multi_region)
        return kms_unsupported(call, "MultiRegion is");
    if (str_is_set(in->custom_key_store_id) || str_is_set(in->xks_key_id))
        return kms_unsupported(call, "Custom key stores are");
    if (str_is_set(in->origin) && !str_eq_c(in->origin, "AWS_KMS") &&
        !str_eq_c(in->origin, "EXTERNAL"))
        return kms_unsupported(call, "Custom key stores are");
    return ERR_OK;
}

static enum err choose_spec(struct call *call, const struct kms_create_key_input *in,
                            struct kms_key *key)
{
    struct str spec = str_is_set(in->key_spec) ? in->key_spec : in->customer_master_key_spec;
    if (str_is_set(in->key_spec) && str_is_set(in->customer_master_key_spec))
        return call_error(call, &kms_err_validation,
                          "You cannot specify KeySpec and CustomerMasterKeySpec in the same "
                          "request. CustomerMasterKeySpec is deprecated.");
    if (!str_is_set(spec))
        spec = STR("SYMMETRIC_DEFAULT");
    if (kms_spec_of(spec, &key->spec) != ERR_OK)
        return kms_unsupported(call, "This KeySpec is");
    if (!str_is_set(in->key_usage)) {
        if (kms_specs[key->spec].family == KMS_HMAC || kms_specs[key->spec].family == KMS_RSA ||
            kms_specs[key->spec].family == KMS_ECC)
            return call_error(call, &kms_err_validation,
                              "You must specify a KeyUsage value for all KMS keys except for "
                              "symmetric encryption keys.");
        key->usage = KMS_ENCRYPT_DECRYPT;
        return ERR_OK;
    }
    /* The spec's enumeration was checked; each is in the table. */
    TRY(kms_usage_of(in->key_usage, &key->usage));
    if (!(kms_specs[key->spec].usages & 1u << key->usage))
        return call_error(call, &kms_err_validation,
                          "KeyUsage " STR_FMT " is not compatible with KeySpec " STR_FMT,
                          STR_ARG(in->key_usage), STR_ARG(spec));
    return ERR_OK;
}

enum err kms_material_make(struct txn *txn, struct kms_key *key)
{
    uint8_t bytes[KMS_HMAC_BYTES_MAX];
    const struct kms_spec_row *row = &kms_specs[key->spec];
    struct kms_material material = {.created_ms = txn->wall_ms};
    struct str secret;
    rng_bytes(material.id, sizeof(material.id));
    if (row->family == KMS_RSA || row->family == KMS_ECC) {
        TRY(kms_pair_make(key->spec, txn->arena, &secret, &key->public_der));
    } else {
        rng_bytes(bytes, row->bits / 8);
        secret = str_n((const char *)bytes, row->bits / 8);
    }
    enum err err = kms_material_write(txn, key, 1, secret, &material);
    kms_wipe(secret);
    key->material = 1;
    return err;
}

enum err kms_create_key(struct call *call, const struct kms_create_key_input *in,
                        struct kms_create_key_output *out)
{
    struct kms_key key = {.created_ms = call->txn->wall_ms, .scope = call_scope(call)};
    char *id = arena_alloc(call->arena, RNG_UUID_LEN + 1);
    struct str policy;
    if (!id)
        return ERR_NOMEM;
    key.id = rng_uuid(id);
    TRY(refuse_elsewhere(call, in));
    TRY(choose_spec(call, in, &key));
    key.description = str_is_set(in->description) ? in->description : STR("");
    key.imported = str_eq_c(in->origin, "EXTERNAL");
    struct tags_resource resource = {.arn = kms_key_arn(call, &key)};
    if (!str_is_set(resource.arn))
        return ERR_NOMEM;
    TRY(kms_policy_new(call, &key, in->policy, in->bypass_policy_lockout_safety_check, &policy));
    if (kms_specs[key.spec].family == KMS_RSA && !key.imported)
        TRY(kms_slow(call));
    TRY(tags_op_create(call, &kms_tags, &resource, TAGS_FROM_NAMED(in->tags, tag_key, tag_value)));
    if (key.imported)
        key.state = KMS_PENDING_IMPORT;
    else
        TRY(kms_material_make(call->txn, &key));
    TRY(kms_key_write(call->txn, &key));
    TRY(txn_put(call->txn, key_make(call->arena, &kms_k_policy, key.scope, key.id), policy));
    return metadata(call, &key, &out->key_metadata);
}

/* --- the others ------------------------------------------------------------------------------- */

enum err kms_describe_key(struct call *call, const struct kms_describe_key_input *in,
                          struct kms_describe_key_output *out)
{
    struct kms_key key;
    TRY(kms_need(call, in->key_id, KMS_BY_ALIAS, &key));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    return metadata(call, &key, &out->key_metadata);
}

struct listing {
    struct call *call;
    struct kms_key_list_entry *v;
    size_t n;
};

static enum err take_key(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct kms_key_list_entry *e = &l->v[l->n++];
    TRY(key_read(&kms_k_key, key, l->call->arena, KEY_SKIP, &e->key_id));
    e->key_arn = kms_arn(l->call->arena, l->call->core, call_scope(l->call), e->key_id);
    return str_is_set(e->key_arn) ? ERR_OK : ERR_NOMEM;
}

enum err kms_list_keys(struct call *call, const struct kms_list_keys_input *in,
                       struct kms_list_keys_output *out)
{
    static const struct page_fns fns = {NULL, take_key};
    struct listing l = {.call = call};
    struct page page =
        kms_page(call, STR(""), in->marker, in->has_limit ? (size_t)in->limit : KMS_LIST_KEYS);
    l.v = ARENA_ARRAY(call->arena, struct kms_key_list_entry, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(kms_paged(call, page_scan(call->txn, &page,
                                  key_range(call->arena, &kms_k_key, call_scope(call)), &fns, &l)));
    out->keys = (struct kms_key_list){l.v, l.n};
    KMS_PAGED(out, &page);
    return ERR_OK;
}

/* Both take a key that is enabled or disabled, not one that waits for something. */
static enum err set_state(struct call *call, struct str ref, enum kms_state state)
{
    struct kms_key key;
    TRY(kms_need(call, ref, KMS_BY_ID, &key));
    if (key.state != KMS_DISABLED)
        TRY(kms_enabled(call, &key));
    key.state = state;
    key.state_ms = call->txn->wall_ms;
    return kms_key_write(call->txn, &key);
}

enum err kms_enable_key(struct call *call, const struct kms_enable_key_input *in,
                        struct kms_enable_key_output *out)
{
    return set_state(call, in->key_id, KMS_ENABLED);
}

enum err kms_disable_key(struct call *call, const struct kms_disable_key_input *in,
                         struct kms_disable_key_output *out)
{
    return set_state(call, in->key_id, KMS_DISABLED);
}

enum err kms_update_key_description(struct call *call,
                                    const struct kms_update_key_description_input *in,
                                    struct kms_update_key_description_output *out)
{
    struct kms_key key;
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    TRY(kms_not_pending_deletion(call, &key));
    key.description = in->description;
    return kms_key_write(call->txn, &key);
}
