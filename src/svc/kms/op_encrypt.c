/* Encrypt, Decrypt, ReEncrypt: texts of at most 4096 bytes, by a symmetric key or a pair of RSA keys.
 *
 * Layer: svc. Thread: the call's; the pool's for a private RSA operation. */
#include "svc/kms/kms_int.h"

static const struct str SYMMETRIC_NAME = STR_INIT("SYMMETRIC_DEFAULT");

static enum err bad_cipher(struct call *call)
{
    return call_error(call, &kms_err_invalid_ciphertext_exception, "%s", "");
}

static struct str algorithm_of(struct str given)
{
    return str_is_set(given) ? given : SYMMETRIC_NAME;
}

/* Of OAEP, for label and mask. */
static const char *digest_of(struct str algorithm)
{
    return str_eq_c(algorithm, "RSAES_OAEP_SHA_1") ? "SHA1" : "SHA256";
}

/* --- one direction ---------------------------------------------------------------------------- */

enum err kms_seal_text(struct call *call, const struct kms_key *key, struct kms_pairs context,
                       struct str plain, struct str *ret_cipher)
{
    struct str secret;
    TRY(kms_material_open(call->txn, key, key->material, &secret));
    enum err err =
        kms_blob_seal(call->arena, key->id, key->material, secret, context, plain, ret_cipher);
    kms_wipe(secret);
    return err;
}

static enum err seal_pair(struct call *call, const struct kms_key *key, struct str algorithm,
                          struct str plain, struct str *ret_cipher)
{
    enum err err =
        kms_oaep_encrypt(key->public_der, digest_of(algorithm), call->arena, plain, ret_cipher);
    if (err == ERR_LIMIT)
        return call_error(call, &kms_err_validation,
                          "The plaintext is too long for key spec " STR_FMT
                          " and algorithm " STR_FMT ".",
                          STR_ARG(kms_specs[key->spec].name), STR_ARG(algorithm));
    return err;
}

/* What encrypts: checked, and then done by encrypt(). */
struct sealing {
    struct kms_key key;
    struct str algorithm;
    struct kms_pairs context;
};

static enum err sealing_check(struct call *call, struct str ref, const char *what,
                              struct sealing *s)
{
    TRY(kms_need_for(call, ref, KMS_ENCRYPT_DECRYPT, what, &s->key));
    s->algorithm = algorithm_of(s->algorithm);
    TRY(kms_need_algorithm(call, &s->key, s->algorithm));
    return kms_context_check(call, &s->key, s->context);
}

static enum err encrypt(struct call *call, const struct sealing *s, struct str plain,
                        struct str *ret_cipher)
{
    if (s->key.spec != KMS_SYMMETRIC_DEFAULT)
        return seal_pair(call, &s->key, s->algorithm, plain, ret_cipher);
    return kms_seal_text(call, &s->key, s->context, plain, ret_cipher);
}

/* --- the other -------------------------------------------------------------------------------- */

struct opening {
    struct str ref; /* of the key; absent: the ciphertext says it */
    struct kms_key key;
    struct str algorithm, cipher;
    struct kms_pairs context;
    struct kms_blob blob; /* of a symmetric key's */
    struct str material_name;
};

static enum err key_of_blob(struct call *call, struct opening *o)
{
    struct str id = str_c(o->blob.key_id);
    struct key_scope scope = call_scope(call);
    TRY(kms_owner_of(call->txn, id, &scope.account));
    enum err err = kms_key_read(call->txn, scope, id, &o->key);
    if (err == ERR_NOT_FOUND)
        return call_error(
            call, &kms_err_access_denied,
            "The ciphertext refers to a customer master key that does not exist, does "
            "not exist in this region, or you are not allowed to access.");
    return err;
}

/* A key that is named must be the one that the ciphertext names. */
static enum err find_opener(struct call *call, struct opening *o)
{
    bool symmetric = str_eq(o->algorithm, SYMMETRIC_NAME);
    if (str_is_set(o->ref))
        TRY(kms_need(call, o->ref, KMS_BY_ALIAS, &o->key));
    if (!symmetric) {
        if (!str_is_set(o->ref))
            return call_error(call, &kms_err_validation,
                              "KeyId is required for ciphertexts of asymmetric keys.");
        return ERR_OK;
    }
    if (kms_blob_read(o->cipher, &o->blob) != ERR_OK)
        return bad_cipher(call);
    if (!str_is_set(o->ref))
        return key_of_blob(call, o);
    if (o->key.spec == KMS_SYMMETRIC_DEFAULT && !str_eq_c(o->key.id, o->blob.key_id))
        return call_error(call, &kms_err_incorrect_key_exception,
                          "The key ID in the request does not identify a CMK that can perform this "
                          "operation.");
    return ERR_OK;
}

static enum err opening_check(struct call *call, const char *what, struct opening *o)
{
    o->algorithm = algorithm_of(o->algorithm);
    TRY(find_opener(call, o));
    TRY(kms_usable_for(call, &o->key, KMS_ENCRYPT_DECRYPT, what));
    TRY(kms_need_algorithm(call, &o->key, o->algorithm));
    return kms_context_check(call, &o->key, o->context);
}

static enum err open_symmetric(struct call *call, struct opening *o, struct str *ret_plain)
{
    struct str secret;
    struct kms_material material;
    if (o->blob.material == 0 || o->blob.material > o->key.material)
        return bad_cipher(call);
    TRY(kms_material_read(call->txn, &o->key, o->blob.material, &material));
    o->material_name = kms_material_name(call->arena, &material);
    TRY(kms_material_open(call->txn, &o->key, o->blob.material, &secret));
    enum err err = kms_blob_open(call->arena, &o->blob, secret, o->context, ret_plain);
    kms_wipe(secret);
    return err == ERR_INVALID ? bad_cipher(call) : err;
}

static enum err open_pair(struct call *call, const struct opening *o, struct str *ret_plain)
{
    struct str secret;
    TRY(kms_slow(call));
    TRY(kms_material_open(call->txn, &o->key, o->key.material, &secret));
    enum err err =
        kms_oaep_decrypt(secret, digest_of(o->algorithm), call->arena, o->cipher, ret_plain);
    kms_wipe(secret);
    return err == ERR_INVALID ? bad_cipher(call) : err;
}

static enum err decrypt(struct call *call, struct opening *o, struct str *ret_plain)
{
    return o->key.spec == KMS_SYMMETRIC_DEFAULT ? open_symmetric(call, o, ret_plain)
                                                : open_pair(call, o, ret_plain);
}

/* --- operations ------------------------------------------------------------------------------- */

static enum err no_modifiers(struct call *call, const struct kms_dry_run_modifier_list *list)
{
    if (list->n == 0)
        return ERR_OK;
    return call_error(call, &kms_err_validation, "DryRunModifiers is not supported by Weir.");
}

enum err kms_encrypt(struct call *call, const struct kms_encrypt_input *in,
                     struct kms_encrypt_output *out)
{
    struct sealing s = {.algorithm = in->encryption_algorithm,
                        .context = KMS_PAIRS(in->encryption_context)};
    TRY(sealing_check(call, in->key_id, "Encrypt", &s));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_dry_run(call, in->dry_run));
    TRY(encrypt(call, &s, in->plaintext, &out->ciphertext_blob));
    out->key_id = kms_key_arn(call, &s.key);
    out->encryption_algorithm = s.algorithm;
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_decrypt(struct call *call, const struct kms_decrypt_input *in,
                     struct kms_decrypt_output *out)
{
    struct opening o = {.ref = in->key_id,
                        .algorithm = in->encryption_algorithm,
                        .cipher = in->ciphertext_blob,
                        .context = KMS_PAIRS(in->encryption_context)};
    TRY(no_modifiers(call, &in->dry_run_modifiers));
    TRY(kms_no_recipient(call, in->recipient));
    if (!str_is_set(o.cipher))
        return call_error(call, &kms_err_validation, "CiphertextBlob is required.");
    TRY(opening_check(call, "Decrypt", &o));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(decrypt(call, &o, &out->plaintext));
    TRY(kms_dry_run(call, in->dry_run));
    out->key_id = kms_key_arn(call, &o.key);
    out->encryption_algorithm = o.algorithm;
    out->key_material_id = o.material_name;
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_re_encrypt(struct call *call, const struct kms_re_encrypt_input *in,
                        struct kms_re_encrypt_output *out)
{
    struct str plain;
    struct opening o = {.ref = in->source_key_id,
                        .algorithm = in->source_encryption_algorithm,
                        .cipher = in->ciphertext_blob,
                        .context = KMS_PAIRS(in->source_encryption_context)};
    struct sealing s = {.algorithm = in->destination_encryption_algorithm,
                        .context = KMS_PAIRS(in->destination_encryption_context)};
    TRY(no_modifiers(call, &in->dry_run_modifiers));
    if (!str_is_set(o.cipher))
        return call_error(call, &kms_err_validation, "CiphertextBlob is required.");
    TRY(opening_check(call, "ReEncryptFrom", &o));
    TRY(sealing_check(call, in->destination_key_id, "ReEncryptTo", &s));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(decrypt(call, &o, &plain));
    TRY(kms_dry_run(call, in->dry_run));
    enum err err = encrypt(call, &s, plain, &out->ciphertext_blob);
    kms_wipe(plain);
    TRY(err);
    out->source_key_id = kms_key_arn(call, &o.key);
    out->key_id = kms_key_arn(call, &s.key);
    out->source_encryption_algorithm = o.algorithm;
    out->destination_encryption_algorithm = s.algorithm;
    out->source_key_material_id = o.material_name;
    TRY(kms_current_material(call->txn, &s.key, &out->destination_key_material_id));
    return str_is_set(out->source_key_id) && str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}
