/* The port: inner calls (core/inner.h) of this service's own operations. See kms_port.h.
 *
 * Layer: svc. Thread: the transaction's. */
#include "svc/kms/kms_port.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "core/inner.h"
#include "svc/kms/kms_int.h"

enum { INPUT_MAX = 16 * 1024 };

/* {"<name>": "<text>", and the encryption context, and a data key's length where one is wanted}. */
static enum err make_input(struct txn *txn, const struct kms_use *use, struct str name,
                           struct str text, struct str key_spec, struct str *ret_input)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, txn->arena, INPUT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, name, text);
    json_kv_str(&o, STR("KeySpec"), key_spec);
    json_key(&o, STR("EncryptionContext"));
    json_open(&o, '{');
    json_kv_str(&o, use->context_key, use->context_value);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_input = buf_str(&b);
    return ERR_OK;
}

/* Runs the operation; its output as a tree. */
static enum err ask(struct txn *txn, const struct kms_use *use, struct str operation,
                    struct str input, const struct json **ret_out, struct kms_refusal *ret_why)
{
    struct core_result result;
    struct json *out;
    const struct core_request req = {
        .service = STR("kms"),
        .operation = operation,
        .input = input,
        .who = use->who,
        .region = use->region,
        .via = use->via,
        .source_arn = use->source_arn,
        .source_account = use->source_account,
    };
    enum err err = core_call_in_txn(txn, &req, &result);
    if (err == ERR_FAILED) {
        *ret_why = (struct kms_refusal){result.code, result.message};
        return ERR_DENIED;
    }
    TRY(err);
    TRY(json_parse(txn->arena, result.output, &out, NULL));
    *ret_out = out;
    return ERR_OK;
}

static enum err bytes_of(struct txn *txn, const struct json *out, struct str member,
                         struct str *ret_bytes)
{
    return base64_decode(txn->arena, json_get_str(out, member), ret_bytes);
}

static enum err port_data_key(void *self, struct txn *txn, const struct kms_use *use,
                              struct str key, struct str *ret_plain, struct str *ret_sealed,
                              struct kms_refusal *ret_why)
{
    struct str input;
    const struct json *out;
    TRY(make_input(txn, use, STR("KeyId"), key, STR("AES_256"), &input));
    TRY(ask(txn, use, STR("GenerateDataKey"), input, &out, ret_why));
    TRY(bytes_of(txn, out, STR("CiphertextBlob"), ret_sealed));
    return bytes_of(txn, out, STR("Plaintext"), ret_plain);
}

static enum err port_open(void *self, struct txn *txn, const struct kms_use *use, struct str sealed,
                          struct str *ret_plain, struct kms_refusal *ret_why)
{
    struct str input, text = base64_encode(txn->arena, sealed.p, sealed.len);
    const struct json *out;
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(make_input(txn, use, STR("CiphertextBlob"), text, STR_NONE, &input));
    TRY(ask(txn, use, STR("Decrypt"), input, &out, ret_why));
    return bytes_of(txn, out, STR("Plaintext"), ret_plain);
}

void kms_port_fill(struct kms *kms)
{
    kms->port = (struct kms_port){.self = kms, .data_key = port_data_key, .open = port_open};
}
