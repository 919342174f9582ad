/* What an operation of the service says of one key: by which name, with which encryption context. Asked
 * by policies and by grants.
 *
 * Layer: svc. Thread: pure. */
#include "svc/kms/kms_int.h"

bool kms_is_ours(const struct call *call)
{
    return call && call->service == &kms_service && call_input(call);
}

static const struct kms_about abouts[] = {
    {KMS_OP_ENCRYPT, NULL, offsetof(struct kms_encrypt_input, encryption_context), "KeyId",
     "EncryptionAlgorithm"},
    {KMS_OP_DECRYPT, NULL, offsetof(struct kms_decrypt_input, encryption_context), "KeyId",
     "EncryptionAlgorithm"},
    {KMS_OP_RE_ENCRYPT, "kms:ReEncryptFrom",
     offsetof(struct kms_re_encrypt_input, source_encryption_context), "SourceKeyId",
     "SourceEncryptionAlgorithm"},
    {KMS_OP_RE_ENCRYPT, "kms:ReEncryptTo",
     offsetof(struct kms_re_encrypt_input, destination_encryption_context), "DestinationKeyId",
     "DestinationEncryptionAlgorithm"},
    {KMS_OP_GENERATE_DATA_KEY, NULL,
     offsetof(struct kms_generate_data_key_input, encryption_context), "KeyId", ""},
    {KMS_OP_GENERATE_DATA_KEY_WITHOUT_PLAINTEXT, NULL,
     offsetof(struct kms_generate_data_key_without_plaintext_input, encryption_context), "KeyId",
     ""},
    {KMS_OP_GENERATE_DATA_KEY_PAIR, NULL,
     offsetof(struct kms_generate_data_key_pair_input, encryption_context), "KeyId", ""},
    {KMS_OP_GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT, NULL,
     offsetof(struct kms_generate_data_key_pair_without_plaintext_input, encryption_context),
     "KeyId", ""},
};

const struct kms_about *kms_about_of(const struct call *call, struct str action)
{
    if (!kms_is_ours(call))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(abouts); i++) {
        const struct kms_about *a = &abouts[i];
        if (a->op == call->op->index && (!a->action || str_eq_nocase(action, str_c(a->action))))
            return a;
    }
    return NULL;
}

struct kms_pairs kms_context_of(const struct call *call, struct str action)
{
    const struct kms_about *a = kms_about_of(call, action);
    if (!a)
        return (struct kms_pairs){0};
    const struct kms_encryption_context_type *map =
        (const void *)((const char *)call_input(call) + a->context);
    return KMS_PAIRS(*map);
}
