/* Sign, Verify, GetPublicKey, DeriveSharedSecret: what pairs of keys do besides encryption.
 *
 * Layer: svc. Thread: the call's; the pool's for a private RSA operation. */
#include "svc/kms/kms_int.h"

/* The digest that is signed: of the message, or the message itself. */
static enum err digest_of(struct call *call, const struct kms_signing *signing, struct str type,
                          struct str message, uint8_t room[KMS_DIGEST_MAX], struct str *ret_digest)
{
    *ret_digest = message;
    if (str_eq_c(type, "EXTERNAL_MU"))
        return call_error(
            call, &kms_err_validation,
            "MessageType EXTERNAL_MU is for ML-DSA keys, which Weir does not support.");
    if (str_eq_c(type, "DIGEST")) {
        if (message.len == signing->digest_bytes)
            return ERR_OK;
        return call_error(call, &kms_err_validation,
                          "Digest is invalid length for algorithm " STR_FMT ".",
                          STR_ARG(signing->name));
    }
    TRY(kms_digest(signing, message, room));
    *ret_digest = str_n((const char *)room, signing->digest_bytes);
    return ERR_OK;
}

static enum err signing_of(struct call *call, const struct kms_key *key, struct str name,
                           const struct kms_signing **ret)
{
    TRY(kms_need_algorithm(call, key, name));
    *ret =
        kms_signing_of(name); /* every algorithm of the table of specs is in that of signatures */
    return *ret ? ERR_OK : ERR_CORRUPT;
}

enum err kms_sign(struct call *call, const struct kms_sign_input *in, struct kms_sign_output *out)
{
    struct kms_key key;
    const struct kms_signing *signing;
    uint8_t room[KMS_DIGEST_MAX];
    struct str digest, secret;
    TRY(kms_need_for(call, in->key_id, KMS_SIGN_VERIFY, "Sign", &key));
    TRY(signing_of(call, &key, in->signing_algorithm, &signing));
    TRY(digest_of(call, signing, in->message_type, in->message, room, &digest));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_dry_run(call, in->dry_run));
    if (signing->family == KMS_RSA)
        TRY(kms_slow(call));
    TRY(kms_material_open(call->txn, &key, key.material, &secret));
    enum err err = kms_sign_digest(secret, signing, call->arena, digest, &out->signature);
    kms_wipe(secret);
    TRY(err);
    out->key_id = kms_key_arn(call, &key);
    out->signing_algorithm = in->signing_algorithm;
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_verify(struct call *call, const struct kms_verify_input *in,
                    struct kms_verify_output *out)
{
    struct kms_key key;
    const struct kms_signing *signing;
    uint8_t room[KMS_DIGEST_MAX];
    struct str digest;
    TRY(kms_need_for(call, in->key_id, KMS_SIGN_VERIFY, "Verify", &key));
    TRY(signing_of(call, &key, in->signing_algorithm, &signing));
    TRY(digest_of(call, signing, in->message_type, in->message, room, &digest));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    enum err err = kms_verify_digest(key.public_der, signing, digest, in->signature);
    if (err == ERR_INVALID)
        return call_error(call, &kms_err_kms_invalid_signature_exception, "%s", "");
    TRY(err);
    TRY(kms_dry_run(call, in->dry_run));
    out->key_id = kms_key_arn(call, &key);
    out->signing_algorithm = in->signing_algorithm;
    WIRE_SET(out, signature_valid, true);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_get_public_key(struct call *call, const struct kms_get_public_key_input *in,
                            struct kms_get_public_key_output *out)
{
    struct kms_key key;
    TRY(kms_need(call, in->key_id, KMS_BY_ALIAS, &key));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_enabled(call, &key));
    if (!str_is_set(key.public_der)) {
        struct str arn = kms_key_arn(call, &key);
        return call_error(call, &kms_err_unsupported_operation_exception,
                          STR_FMT " key spec " STR_FMT " is not valid for this operation.",
                          STR_ARG(arn), STR_ARG(kms_specs[key.spec].name));
    }
    struct kms_names names = kms_algorithms(key.spec, key.usage);
    if (key.usage == KMS_ENCRYPT_DECRYPT)
        out->encryption_algorithms = (struct kms_encryption_algorithm_spec_list){names.v, names.n};
    else if (key.usage == KMS_SIGN_VERIFY)
        out->signing_algorithms = (struct kms_signing_algorithm_spec_list){names.v, names.n};
    else
        out->key_agreement_algorithms =
            (struct kms_key_agreement_algorithm_spec_list){names.v, names.n};
    out->key_id = kms_key_arn(call, &key);
    out->public_key = key.public_der;
    out->key_spec = out->customer_master_key_spec = kms_specs[key.spec].name;
    out->key_usage = kms_usage_names[key.usage];
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_derive_shared_secret(struct call *call,
                                  const struct kms_derive_shared_secret_input *in,
                                  struct kms_derive_shared_secret_output *out)
{
    struct kms_key key;
    struct str secret;
    TRY(kms_no_recipient(call, in->recipient));
    TRY(kms_need_for(call, in->key_id, KMS_KEY_AGREEMENT, "DeriveSharedSecret", &key));
    TRY(kms_need_algorithm(call, &key, in->key_agreement_algorithm));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_dry_run(call, in->dry_run));
    TRY(kms_material_open(call->txn, &key, key.material, &secret));
    enum err err = kms_agree(secret, in->public_key, call->arena, &out->shared_secret);
    kms_wipe(secret);
    if (err == ERR_INVALID)
        return call_error(call, &kms_err_validation,
                          "PublicKey is no valid public key of the curve of key spec " STR_FMT ".",
                          STR_ARG(kms_specs[key.spec].name));
    TRY(err);
    out->key_id = kms_key_arn(call, &key);
    out->key_agreement_algorithm = in->key_agreement_algorithm;
    out->key_origin = key.imported ? STR("EXTERNAL") : STR("AWS_KMS");
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}
