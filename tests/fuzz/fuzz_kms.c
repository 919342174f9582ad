/* What users give KMS as bytes: ciphertexts, private and public keys, wrapped keys.
 * The first byte says which. */
// link: weir_svc_kms weir_core weir_deliver
#include <stdlib.h>

#include "svc/kms/kms_blob.h"
#include "svc/kms/kms_crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str secret = STR_INIT("0123456789abcdef0123456789abcdef");
    struct arena a;
    struct kms_blob blob;
    struct str out;
    if (size == 0)
        return 0;
    struct str text = str_n((const char *)data + 1, size - 1);
    arena_init(&a, 4 * 1024 * 1024);
    switch (data[0] % 4) {
    case 0:
        if (kms_blob_read(text, &blob) == ERR_OK) {
            if (!kms_is_uuid(str_c(blob.key_id)))
                abort();
            if (kms_blob_open(&a, &blob, secret, (struct kms_pairs){0}, &out) == ERR_OK &&
                out.len + KMS_BLOB_MORE_BYTES != text.len)
                abort();
        }
        break;
    case 1:
        if (kms_pair_public(KMS_ECC_NIST_P256, &a, text, &out) == ERR_OK && out.len == 0)
            abort();
        break;
    case 2:
        (void)!kms_verify_digest(text, kms_signing_of(STR("ECDSA_SHA_256")), secret, secret);
        break;
    case 3:
        if (kms_unwrap(secret, &a, text, &out) == ERR_OK && out.len > text.len)
            abort();
        break;
    }
    arena_release(&a);
    return 0;
}
