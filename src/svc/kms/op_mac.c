/* GenerateMac, VerifyMac.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/kms/kms_int.h"

static enum err mac(struct call *call, const struct kms_key *key, struct str message,
                    uint8_t out[KMS_DIGEST_MAX], size_t *ret_len)
{
    struct str secret;
    TRY(kms_material_open(call->txn, key, key->material, &secret));
    enum err err = kms_hmac(key->spec, secret, message, out, ret_len);
    kms_wipe(secret);
    return err;
}

enum err kms_generate_mac(struct call *call, const struct kms_generate_mac_input *in,
                          struct kms_generate_mac_output *out)
{
    struct kms_key key;
    uint8_t bytes[KMS_DIGEST_MAX];
    size_t len;
    TRY(kms_need_for(call, in->key_id, KMS_GENERATE_VERIFY_MAC, "GenerateMac", &key));
    TRY(kms_need_algorithm(call, &key, in->mac_algorithm));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_dry_run(call, in->dry_run));
    TRY(mac(call, &key, in->message, bytes, &len));
    out->mac = str_dup(call->arena, str_n((const char *)bytes, len));
    out->mac_algorithm = in->mac_algorithm;
    out->key_id = kms_key_arn(call, &key);
    return str_is_set(out->mac) && str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_verify_mac(struct call *call, const struct kms_verify_mac_input *in,
                        struct kms_verify_mac_output *out)
{
    struct kms_key key;
    uint8_t bytes[KMS_DIGEST_MAX];
    size_t len;
    TRY(kms_need_for(call, in->key_id, KMS_GENERATE_VERIFY_MAC, "VerifyMac", &key));
    TRY(kms_need_algorithm(call, &key, in->mac_algorithm));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(mac(call, &key, in->message, bytes, &len));
    if (!str_eq_consttime(str_n((const char *)bytes, len), in->mac))
        return call_error(call, &kms_err_kms_invalid_mac_exception, "%s", "");
    TRY(kms_dry_run(call, in->dry_run));
    WIRE_SET(out, mac_valid, true);
    out->mac_algorithm = in->mac_algorithm;
    out->key_id = kms_key_arn(call, &key);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}
