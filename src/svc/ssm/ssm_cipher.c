/* Values of SecureStrings (SM3). Of a standard parameter KMS encrypts (kms:Encrypt), of an advanced one
 * it makes a data key (kms:GenerateDataKey); both are opened by kms:Decrypt. All is asked for as the
 * caller, with the encryption context PARAMETER_ARN.
 *
 * Source: Systems Manager User Guide / KMS Developer Guide, "How AWS Systems Manager Parameter Store uses
 * AWS KMS". Layer: svc/ssm. Thread: the call's. */
#include "base/rng.h"
#include "codec/base64.h"
#include "core/secret.h"
#include "svc/ssm/ssm_int.h"

static const struct wire_error *const refusals[KMS_WHYS] = {
    [KMS_WHY_DENIED] = &ssm_err_access_denied,
    [KMS_WHY_DISABLED] = &ssm_err_invalid_key_id,
    [KMS_WHY_INVALID_STATE] = &ssm_err_invalid_key_id,
    [KMS_WHY_NOT_FOUND] = &ssm_err_invalid_key_id,
    [KMS_WHY_INVALID_USAGE] = &ssm_err_invalid_key_id,
    [KMS_WHY_OTHER] = &ssm_err_invalid_key_id,
};

static struct kms_use use_of(const struct call *call, struct str arn)
{
    return (struct kms_use){.who = call->who,
                            .via = STR("ssm.amazonaws.com"),
                            .region = call->region,
                            .context = {STR("PARAMETER_ARN"), arn}};
}

enum err ssm_seal(struct call *call, struct str path, struct ssm_version *v)
{
    const struct kms_port *kms = kms_port_of(call->core);
    struct kms_data_key made;
    struct kms_refusal why;
    struct str arn = ssm_arn(call->arena, call->core, call_scope(call), path);
    uint8_t bytes[KMS_DATA_KEY_BYTES];
    rng_bytes(bytes, sizeof(bytes));
    struct str key = str_dup(call->arena, str_n((const char *)bytes, sizeof(bytes)));
    if (!str_is_set(arn) || !str_is_set(key))
        return ERR_NOMEM;
    const struct kms_use use = use_of(call, arn);
    enum err err = v->tier == SSM_ADVANCED
                       ? kms->data_key(kms->self, call->txn, &use, v->key_id, &made, &why)
                       : kms->wrap(kms->self, call->txn, &use, v->key_id, key, &made, &why);
    TRY(kms_reply(call, err, refusals, &why));
    if (v->tier == SSM_ADVANCED)
        key = made.plain;
    v->data_key = made.sealed;
    return secret_close_with(key, call->arena, arn, v->value, &v->value);
}

enum err ssm_shown(struct call *call, struct str path, const struct ssm_version *v, bool open,
                   struct str *ret_value)
{
    const struct kms_port *kms = kms_port_of(call->core);
    struct kms_data_key key;
    struct kms_refusal why;
    if (v->type != SSM_SECURE) {
        *ret_value = v->value;
        return ERR_OK;
    }
    if (!open) {
        *ret_value = base64_encode(call->arena, v->value.p, v->value.len);
        return str_is_set(*ret_value) ? ERR_OK : ERR_NOMEM;
    }
    struct str arn = ssm_arn(call->arena, call->core, call_scope(call), path);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    const struct kms_use use = use_of(call, arn);
    enum err err = kms->open(kms->self, call->txn, &use, v->data_key, &key, &why);
    TRY(kms_reply(call, err, refusals, &why));
    return secret_open_with(key.plain, call->arena, arn, v->value, ret_value);
}
