/* Ciphertexts of symmetric keys: their shape, and what they are bound to. Pure.
 *
 * Shape: version (1), key id (16: the UUID), number of the material (4, big-endian), salt (16), then what
 * codec/seal.h makes: version, nonce, text, tag. The key of each ciphertext is HMAC-SHA-256 of the salt
 * under the material, so that no number of ciphertexts wears a key out that rotates once a year. The
 * head and the encryption context, sorted by key, are authenticated with it.
 *
 * Invariants
 *   KB1  A ciphertext opens under the material that it names, with the context that it was made with,
 *        and otherwise not at all: order of the context's pairs does not matter, everything else does.
 *
 * Source: AWS KMS Developer Guide, "Encryption context"; NIST SP 800-38D, SP 800-108.
 * Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_KMS_KMS_BLOB_H
#define WEIR_SVC_KMS_KMS_BLOB_H

#include "base/rng.h"
#include "codec/seal.h"
#include "svc/kms/kms_port.h"

enum {
    KMS_BLOB_ID_BYTES = 16,
    KMS_BLOB_SALT_BYTES = 16,
    KMS_BLOB_HEAD_BYTES = 1 + KMS_BLOB_ID_BYTES + 4 + KMS_BLOB_SALT_BYTES,
    KMS_BLOB_MORE_BYTES = KMS_BLOB_HEAD_BYTES + SEAL_MORE_BYTES,
    KMS_CONTEXT_BYTES_MAX = 8192, /* of keys and values together */
};

struct kms_blob {
    char key_id[RNG_UUID_LEN + 1]; /* as text */
    uint32_t material;
    struct str head, sealed; /* parts of the bytes */
};

/* Whether `id` is a UUID in the form that key ids have. */
bool kms_is_uuid(struct str id);
/* Reads the head. ERR_INVALID: no ciphertext of this shape. */
enum err kms_blob_read(struct str bytes, struct kms_blob *ret_blob) WARN_UNUSED;

/* The pairs as what they are bound to: sorted, each with its length. ERR_NOMEM. O(n log n). */
enum err kms_context_text(struct arena *a, struct kms_pairs pairs,
                          struct str *ret_text) WARN_UNUSED;

/* Encrypts under the material of 32 bytes. `key_id` is a UUID. ERR_NOMEM. */
enum err kms_blob_seal(struct arena *a, struct str key_id, uint32_t material, struct str secret,
                       struct kms_pairs context, struct str plain,
                       struct str *ret_bytes) WARN_UNUSED;
/* ERR_INVALID: not made so (KB1); ERR_NOMEM. */
enum err kms_blob_open(struct arena *a, const struct kms_blob *blob, struct str secret,
                       struct kms_pairs context, struct str *ret_plain) WARN_UNUSED;

#endif
