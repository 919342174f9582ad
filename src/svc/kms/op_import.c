/* GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial: keys whose material users bring.
 *
 * The wrapping key is kept nowhere: the import token is its private half, sealed, with what it is for.
 * Material is known by its id, a digest of it under the store's key, so that only the same can come
 * again after it was deleted or expired.
 *
 * Source: AWS KMS Developer Guide, "Importing key material".
 * Layer: svc. Thread: the call's; the pool's for RSA. */
#include "base/pack.h"
#include "codec/hash.h"
#include "core/secret.h"
#include "svc/kms/kms_int.h"

enum {
    TOKEN_BYTES_MAX = 6144, /* of the model */
    WRAPPED_KEY_BYTES = 32, /* of RSA_AES_KEY_WRAP: an AES-256 key comes before the material */
    VALID_DAYS_MAX = 365,
};
#define TOKEN_VALID_MS KMS_DAY_MS

static const struct str TOKEN_BOUND = STR_INIT("kms: import token");

struct import_token {
    struct str key_id, algorithm, private_der;
    int64_t until_ms;
};

static enum err need_external(struct call *call, struct str ref, struct kms_key *ret)
{
    TRY(kms_need(call, ref, KMS_BY_ID, ret));
    struct str arn = kms_key_arn(call, ret);
    if (!ret->imported)
        return call_error(call, &kms_err_unsupported_operation_exception,
                          STR_FMT " origin is AWS_KMS which is not valid for this operation.",
                          STR_ARG(arn));
    return kms_not_pending_deletion(call, ret);
}

/* --- GetParametersForImport ------------------------------------------------------------------- */

static enum err seal_token(struct call *call, const struct import_token *t, struct str *ret_token)
{
    struct buf b;
    buf_init_arena(&b, call->arena, TOKEN_BYTES_MAX);
    pack_str(&b, t->key_id);
    pack_str(&b, t->algorithm);
    pack_int(&b, t->until_ms);
    pack_str(&b, t->private_der);
    TRY(buf_err(&b));
    enum err err = secret_close(call->core, call->arena, TOKEN_BOUND, buf_str(&b), ret_token);
    kms_wipe(buf_str(&b));
    return err;
}

static bool is_wrapping(struct str algorithm)
{
    return str_starts(algorithm, STR("RSAES_OAEP_SHA_")) ||
           str_starts(algorithm, STR("RSA_AES_KEY_WRAP_SHA_"));
}

enum err kms_get_parameters_for_import(struct call *call,
                                       const struct kms_get_parameters_for_import_input *in,
                                       struct kms_get_parameters_for_import_output *out)
{
    struct kms_key key;
    enum kms_spec spec;
    if (!is_wrapping(in->wrapping_algorithm))
        return kms_unsupported(call, "This WrappingAlgorithm is");
    if (kms_spec_of(in->wrapping_key_spec, &spec) != ERR_OK)
        return kms_unsupported(call, "This WrappingKeySpec is");
    TRY(need_external(call, in->key_id, &key));
    TRY(kms_slow(call));
    struct import_token token = {.key_id = key.id,
                                 .algorithm = in->wrapping_algorithm,
                                 .until_ms = call->txn->wall_ms + TOKEN_VALID_MS};
    TRY(kms_pair_make(spec, call->arena, &token.private_der, &out->public_key));
    enum err err = seal_token(call, &token, &out->import_token);
    kms_wipe(token.private_der);
    TRY(err);
    WIRE_SET(out, parameters_valid_to, token.until_ms);
    out->key_id = kms_key_arn(call, &key);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

/* --- ImportKeyMaterial ------------------------------------------------------------------------ */

static enum err open_token(struct call *call, struct str text, const struct kms_key *key,
                           struct import_token *ret)
{
    struct str plain;
    struct unpack u;
    enum err err = secret_open(call->core, call->arena, TOKEN_BOUND, text, &plain);
    if (err == ERR_CORRUPT)
        return call_error(call, &kms_err_invalid_import_token_exception,
                          "The import token is not valid.");
    TRY(err);
    unpack_init(&u, plain);
    ret->key_id = unpack_str(&u);
    ret->algorithm = unpack_str(&u);
    ret->until_ms = unpack_int(&u);
    ret->private_der = unpack_str(&u);
    if (unpack_end(&u) || !str_eq(ret->key_id, key->id))
        return call_error(call, &kms_err_invalid_import_token_exception,
                          "The import token is not for this key.");
    if (ret->until_ms <= call->txn->wall_ms)
        return call_error(call, &kms_err_expired_import_token_exception,
                          "The import token has expired.");
    return ERR_OK;
}

/* The material, out of its wrapping. ERR_INVALID. */
static enum err unwrap(struct call *call, const struct import_token *t, struct str wrapped,
                       struct str *ret_secret)
{
    const char *digest = str_ends(t->algorithm, STR("SHA_1")) ? "SHA1" : "SHA256";
    struct str first = wrapped, aes;
    if (str_starts(t->algorithm, STR("RSAES_OAEP")))
        return kms_oaep_decrypt(t->private_der, digest, call->arena, wrapped, ret_secret);
    /* The wrapped AES key is as long as the modulus, and the rest is wrapped with it. */
    size_t bytes = kms_modulus_bytes(t->private_der);
    if (wrapped.len <= bytes)
        return ERR_INVALID;
    first.len = bytes;
    TRY(kms_oaep_decrypt(t->private_der, digest, call->arena, first, &aes));
    enum err err = aes.len == WRAPPED_KEY_BYTES
                       ? kms_unwrap(aes, call->arena, str_sub(wrapped, bytes, SIZE_MAX), ret_secret)
                       : ERR_INVALID;
    kms_wipe(aes);
    return err;
}

static enum err unfit(struct call *call, const char *why)
{
    return call_error(call, &kms_err_incorrect_key_material_exception, "%s", why);
}

/* It is of the key's spec, and the same as before if there was any. */
static enum err check_material(struct call *call, struct kms_key *key, struct str secret,
                               struct kms_material *material)
{
    const struct kms_spec_row *row = &kms_specs[key->spec];
    struct kms_material before;
    _Static_assert((int)KMS_MATERIAL_ID_BYTES == (int)HASH_SHA256_LEN, "an id is a digest");
    if (row->secret_max > 0) {
        if (secret.len < row->secret_min || secret.len > row->secret_max)
            return unfit(call, "The key material has not the length of the key's spec.");
    } else {
        enum err err = kms_pair_public(key->spec, call->arena, secret, &key->public_der);
        if (err == ERR_INVALID)
            return unfit(call, "The key material is no private key of the key's spec.");
        TRY(err);
    }
    hmac_sha256(call->core->secret_key, sizeof(call->core->secret_key), secret.p, secret.len,
                material->id);
    if (key->material == 0)
        return ERR_OK;
    TRY(kms_material_read(call->txn, key, key->material, &before));
    if (memcmp(before.id, material->id, sizeof(before.id)) != 0)
        return unfit(call, "The key material is not the same that was imported before.");
    return ERR_OK;
}

static enum err check_validity(struct call *call, const struct kms_import_key_material_input *in,
                               struct kms_key *key)
{
    int64_t now = call->txn->wall_ms;
    key->expires = !str_eq_c(in->expiration_model, "KEY_MATERIAL_DOES_NOT_EXPIRE");
    if (key->expires != in->has_valid_to)
        return call_error(call, &kms_err_validation,
                          "ValidTo is given if and only if the key material expires.");
    if (!key->expires)
        return ERR_OK;
    if (in->valid_to <= now || in->valid_to > now + VALID_DAYS_MAX * KMS_DAY_MS)
        return call_error(call, &kms_err_validation,
                          "ValidTo must be in the future, at most %d days.", VALID_DAYS_MAX);
    key->valid_to_ms = in->valid_to;
    return ERR_OK;
}

static enum err store(struct call *call, const struct kms_import_key_material_input *in,
                      struct kms_key *key, struct str secret)
{
    struct kms_material material = {.created_ms = call->txn->wall_ms,
                                    .description = in->key_material_description};
    TRY(check_material(call, key, secret, &material));
    TRY(kms_material_write(call->txn, key, 1, secret, &material));
    key->material = 1;
    if (key->state == KMS_PENDING_IMPORT)
        key->state = KMS_ENABLED;
    TRY(kms_key_write(call->txn, key));
    return key->expires ? kms_due_at(kms_of(call), call->txn, key, KMS_DUE_EXPIRY, key->valid_to_ms)
                        : kms_due_never(kms_of(call), call->txn, key, KMS_DUE_EXPIRY);
}

enum err kms_import_key_material(struct call *call, const struct kms_import_key_material_input *in,
                                 struct kms_import_key_material_output *out)
{
    struct kms_key key;
    struct import_token token;
    struct str secret, name;
    TRY(need_external(call, in->key_id, &key));
    if (str_eq_c(in->import_type, "NEW_KEY_MATERIAL") && key.material > 0)
        return kms_unsupported(call, "Rotation of imported key material is");
    TRY(check_validity(call, in, &key));
    TRY(open_token(call, in->import_token, &key, &token));
    TRY(kms_slow(call));
    enum err err = unwrap(call, &token, in->encrypted_key_material, &secret);
    kms_wipe(token.private_der);
    if (err == ERR_INVALID)
        return call_error(call, &kms_err_invalid_ciphertext_exception, "%s", "");
    TRY(err);
    err = store(call, in, &key, secret);
    kms_wipe(secret);
    TRY(err);
    TRY(kms_current_material(call->txn, &key, &name));
    if (str_is_set(in->key_material_id) && !str_eq(in->key_material_id, name))
        return unfit(call, "KeyMaterialId is not that of the key material.");
    out->key_id = kms_key_arn(call, &key);
    out->key_material_id = name;
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

/* --- DeleteImportedKeyMaterial ---------------------------------------------------------------- */

enum err kms_delete_imported_key_material(struct call *call,
                                          const struct kms_delete_imported_key_material_input *in,
                                          struct kms_delete_imported_key_material_output *out)
{
    struct kms_key key;
    TRY(need_external(call, in->key_id, &key));
    TRY(kms_current_material(call->txn, &key, &out->key_material_id));
    if (str_is_set(in->key_material_id) && !str_eq(in->key_material_id, out->key_material_id))
        return call_error(call, &kms_err_not_found_exception,
                          "The key has no material with that KeyMaterialId.");
    if (key.state != KMS_PENDING_IMPORT) {
        TRY(kms_material_forget(call->txn, &key));
        TRY(kms_due_never(kms_of(call), call->txn, &key, KMS_DUE_EXPIRY));
        TRY(kms_key_write(call->txn, &key));
    }
    out->key_id = kms_key_arn(call, &key);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}
