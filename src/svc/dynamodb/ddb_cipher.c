/* Tables under a key of KMS. A table has one data key, which KMS seals (or, once the table went back to
 * no key of its own, the root key), so that a change of the key re-encrypts nothing but that. With it is
 * sealed what items hold: the table's and its indexes' records, and the images of its stream. Keys of
 * items stay plain in the store's keys, since they order it; so do expiry times.
 *
 * Each record has a key of its own, HMAC-SHA-256 of a salt under the data key, so that no number of writes
 * wears the data key out.
 *
 * KMS is asked on behalf of the caller, with the encryption context aws:dynamodb:tableName and
 * aws:dynamodb:subscriberId (the account); the service's own work (expiry, new indexes) asks only
 * whether the key can be used.
 *
 * Source: DynamoDB Developer Guide, "DynamoDB encryption at rest"; KMS Developer Guide, "How Amazon
 * DynamoDB uses AWS KMS". Layer: svc/dynamodb. Thread: the transaction's. */
#include <assert.h>
#include <openssl/crypto.h>

#include "base/arn.h"
#include "base/pack.h"
#include "base/rng.h"
#include "codec/hash.h"
#include "codec/seal.h"
#include "core/secret.h"
#include "svc/dynamodb/dynamodb_int.h"

enum { SALT_BYTES = 16, HEAD_MAX = 1 + 5 /* version, size */ };

/* --- records ---------------------------------------------------------------------------------- */

static void own_key(const struct ddb_cipher *c, const char *salt, uint8_t out[SEAL_KEY_BYTES])
{
    _Static_assert((int)SEAL_KEY_BYTES == (int)HASH_SHA256_LEN, "one digest is a key");
    hmac_sha256(c->key.p, c->key.len, salt, SALT_BYTES, out);
}

enum err ddb_cipher_seal(const struct ddb_cipher *c, struct arena *a, struct str bound,
                         struct str *raw)
{
    uint8_t key[SEAL_KEY_BYTES], salt[SALT_BYTES];
    struct buf b;
    size_t size, len = raw->len + SEAL_MORE_BYTES;
    TRY(ddb_item_raw_size(*raw, &size));
    buf_init_arena(&b, a, HEAD_MAX + SALT_BYTES + len);
    (void)buf_reserve(&b, HEAD_MAX + SALT_BYTES + len);
    rng_bytes(salt, sizeof(salt));
    pack_u8(&b, DDB_SEALED_VERSION);
    pack_uint(&b, size);
    buf_add(&b, salt, sizeof(salt));
    TRY(buf_err(&b));
    uint8_t *out = arena_alloc(a, b.len + len);
    if (!out || !str_is_set(bound))
        return ERR_NOMEM;
    memcpy(out, buf_str(&b).p, b.len);
    own_key(c, (const char *)salt, key);
    enum err err = seal_close(key, bound, *raw, out + b.len);
    OPENSSL_cleanse(key, sizeof(key));
    TRY(err);
    *raw = str_n((const char *)out, b.len + len);
    return ERR_OK;
}

enum err ddb_cipher_open(const struct ddb_cipher *c, struct arena *a, struct str bound,
                         struct str *raw)
{
    uint8_t key[SEAL_KEY_BYTES];
    struct unpack u;
    unpack_init(&u, *raw);
    (void)unpack_u8(&u);
    (void)unpack_uint(&u);
    struct str sealed = u.rest;
    if (u.bad || !str_is_set(c->key) || sealed.len < SALT_BYTES + SEAL_MORE_BYTES)
        return ERR_CORRUPT;
    const char *salt = sealed.p;
    sealed = str_sub(sealed, SALT_BYTES, SIZE_MAX);
    size_t len = sealed.len - SEAL_MORE_BYTES;
    uint8_t *out = arena_alloc(a, len + 1);
    if (!out || !str_is_set(bound))
        return ERR_NOMEM;
    own_key(c, salt, key);
    enum err err = seal_open(key, bound, sealed, out);
    OPENSSL_cleanse(key, sizeof(key));
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    *raw = str_n((const char *)out, len);
    return ERR_OK;
}

/* --- the data key ----------------------------------------------------------------------------- */

enum err ddb_kms_use(const struct principal *who, struct str table_arn, struct kms_pair *account,
                     struct kms_use *ret)
{
    struct arn arn;
    TRY(arn_parse(table_arn, &arn));
    *account = (struct kms_pair){STR("aws:dynamodb:subscriberId"), arn.account};
    *ret = (struct kms_use){.who = who,
                            .via = STR("dynamodb.amazonaws.com"),
                            .region = arn.region,
                            .context = {STR("aws:dynamodb:tableName"), arn_tail(&arn, 1)},
                            .more = {account, 1},
                            .reuse_ms = KMS_REUSE_MS};
    return ERR_OK;
}

enum err ddb_cipher_load(struct ddb_diag *diag, struct txn *txn, struct str table_arn,
                         struct str kms_arn, struct str data_key, struct ddb_cipher *ret)
{
    const struct kms_port *kms = kms_port_of(txn->core);
    struct kms_refusal why;
    struct kms_data_key opened;
    struct kms_pair account;
    struct kms_use use;
    if (!str_is_set(kms_arn))
        return secret_open(txn->core, txn->arena, table_arn, data_key, &ret->key);
    TRY(ddb_kms_use(diag->who, table_arn, &account, &use));
    enum err err = kms->open(kms->self, txn, &use, data_key, &opened, &why);
    if (err == ERR_DENIED && diag->who) {
        diag->denied = true;
        return ddb_invalid(diag, "KMS key access denied error: " STR_FMT, STR_ARG(why.message));
    }
    TRY(err);
    ret->key = opened.plain;
    return ERR_OK;
}
