/* Ciphertexts of symmetric keys. See kms_blob.h. */
#include "svc/kms/kms_blob.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/pack.h"
#include "codec/hash.h"
#include "codec/hex.h"

enum {
    VERSION = 1,
    ID_AT = 1,
    MATERIAL_AT = ID_AT + KMS_BLOB_ID_BYTES,
    SALT_AT = MATERIAL_AT + 4,
    DASHES = 4,
    /* Every pair has two lengths, and there may be as many pairs as bytes. */
    TEXT_MAX = 16 * KMS_CONTEXT_BYTES_MAX,
};

/* Where the dashes of a UUID stand. */
static bool is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool kms_is_uuid(struct str id)
{
    if (id.len != RNG_UUID_LEN)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.p[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_dash(i) ? c != '-' : !hex)
            return false;
    }
    return true;
}

static void id_bytes(struct str id, uint8_t out[KMS_BLOB_ID_BYTES])
{
    assert(kms_is_uuid(id));
    size_t n = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (is_dash(i))
            continue;
        unsigned d = (unsigned)hex_digit(id.p[i]);
        if (n % 2 == 0)
            out[n / 2] = (uint8_t)(d << 4);
        else
            out[n / 2] |= (uint8_t)d;
        n++;
    }
}

static void id_text(const char *bytes, char out[RNG_UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < RNG_UUID_LEN; i++) {
        if (is_dash(i)) {
            out[i] = '-';
            continue;
        }
        unsigned byte = (unsigned char)bytes[n / 2];
        out[i] = digits[n % 2 == 0 ? byte >> 4 : byte & 15];
        n++;
    }
    out[RNG_UUID_LEN] = '\0';
}

enum err kms_blob_read(struct str bytes, struct kms_blob *ret_blob)
{
    if (bytes.len < KMS_BLOB_MORE_BYTES || bytes.p[0] != VERSION)
        return ERR_INVALID;
    const unsigned char *m = (const unsigned char *)bytes.p + MATERIAL_AT;
    id_text(bytes.p + ID_AT, ret_blob->key_id);
    ret_blob->material = (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3];
    ret_blob->head = str_sub(bytes, 0, KMS_BLOB_HEAD_BYTES);
    ret_blob->sealed = str_sub(bytes, KMS_BLOB_HEAD_BYTES, SIZE_MAX);
    return ERR_OK;
}

/* --- what a ciphertext is bound to ---------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct kms_pair *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : str_cmp(x->value, y->value);
}

static enum err put_context(struct buf *b, struct arena *a, struct kms_pairs pairs)
{
    struct kms_pair *sorted = ARENA_ARRAY(a, struct kms_pair, pairs.n + 1);
    if (!sorted)
        return ERR_NOMEM;
    if (pairs.n > 0)
        memcpy(sorted, pairs.v, pairs.n * sizeof(*sorted));
    qsort(sorted, pairs.n, sizeof(*sorted), by_key);
    pack_uint(b, pairs.n);
    for (size_t i = 0; i < pairs.n; i++) {
        pack_str(b, sorted[i].key);
        pack_str(b, sorted[i].value);
    }
    return buf_err(b);
}

enum err kms_context_text(struct arena *a, struct kms_pairs pairs, struct str *ret_text)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_MAX);
    TRY(put_context(&b, a, pairs));
    *ret_text = buf_str(&b);
    return ERR_OK;
}

static enum err bound_to(struct arena *a, struct str head, struct kms_pairs context,
                         struct str *ret_bound)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_MAX);
    buf_add_str(&b, head);
    TRY(put_context(&b, a, context));
    *ret_bound = buf_str(&b);
    return ERR_OK;
}

/* The key of one ciphertext. */
static void own_key(struct str secret, const char *salt, uint8_t out[SEAL_KEY_BYTES])
{
    _Static_assert((int)SEAL_KEY_BYTES == (int)HASH_SHA256_LEN, "one digest is a key");
    hmac_sha256(secret.p, secret.len, salt, KMS_BLOB_SALT_BYTES, out);
}

enum err kms_blob_seal(struct arena *a, struct str key_id, uint32_t material, struct str secret,
                       struct kms_pairs context, struct str plain, struct str *ret_bytes)
{
    struct str bound;
    uint8_t key[SEAL_KEY_BYTES];
    size_t len = KMS_BLOB_MORE_BYTES + plain.len;
    uint8_t *out = arena_alloc(a, len);
    if (!out)
        return ERR_NOMEM;
    out[0] = VERSION;
    id_bytes(key_id, out + ID_AT);
    for (int i = 0; i < 4; i++)
        out[MATERIAL_AT + i] = (uint8_t)(material >> (24 - 8 * i));
    rng_bytes(out + SALT_AT, KMS_BLOB_SALT_BYTES);
    TRY(bound_to(a, str_n((const char *)out, KMS_BLOB_HEAD_BYTES), context, &bound));
    own_key(secret, (const char *)out + SALT_AT, key);
    enum err err = seal_close(key, bound, plain, out + KMS_BLOB_HEAD_BYTES);
    OPENSSL_cleanse(key, sizeof(key));
    TRY(err);
    *ret_bytes = str_n((const char *)out, len);
    return ERR_OK;
}

enum err kms_blob_open(struct arena *a, const struct kms_blob *blob, struct str secret,
                       struct kms_pairs context, struct str *ret_plain)
{
    struct str bound;
    uint8_t key[SEAL_KEY_BYTES];
    size_t len = blob->sealed.len - SEAL_MORE_BYTES;
    uint8_t *out = arena_alloc(a, len + 1);
    if (!out)
        return ERR_NOMEM;
    TRY(bound_to(a, blob->head, context, &bound));
    own_key(secret, blob->head.p + SALT_AT, key);
    enum err err = seal_open(key, bound, blob->sealed, out);
    OPENSSL_cleanse(key, sizeof(key));
    TRY(err);
    *ret_plain = str_n((const char *)out, len);
    return ERR_OK;
}
