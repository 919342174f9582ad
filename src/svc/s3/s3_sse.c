/* Objects under a key of KMS. The bytes of an object are sealed with a key that is drawn for it, the file
 * key; that is sealed with a data key, which KMS makes and seals: one for the object, or, with a bucket
 * key, one for what a principal writes in the bucket for some minutes. Both lie in the object's record,
 * and in an upload's, whose parts share its file key.
 *
 * A file is sealed in pieces of S3_PIECE_BYTES (codec/seal.h), each of which makes one block of the file with
 * its tag; the checksums of s3_read.h are of the sealed bytes, so looking for damage needs no key. Each
 * file has a key of its own, HMAC-SHA-256 of its id under the file key.
 *
 * KMS is asked on behalf of the caller, with the encryption context aws:s3:arn = ARN of the object, or of the
 * bucket with a bucket key, and what the user adds.
 *
 * Source: S3 User Guide, "Using server-side encryption with AWS KMS keys", "Reducing the cost of SSE-KMS
 * with Amazon S3 Bucket Keys". Layer: svc. Thread: the transaction's. */
#include "svc/s3/s3_sse.h"

#include <assert.h>

#include "base/rng.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "core/secret.h"

enum { CONTEXT_PAIRS_MAX = 64, CONTEXT_BYTES_MAX = 8192 };
static const struct str MANAGED = STR_INIT("alias/aws/s3");

static const struct wire_error *const errors[KMS_WHYS] = {
    [KMS_WHY_DENIED] = &s3_err_access_denied,
    [KMS_WHY_DISABLED] = &s3_err_kms_disabled,
    [KMS_WHY_INVALID_STATE] = &s3_err_kms_invalid_state,
    [KMS_WHY_NOT_FOUND] = &s3_err_kms_not_found,
    [KMS_WHY_INVALID_USAGE] = &s3_err_kms_invalid_key_usage,
    [KMS_WHY_OTHER] = &s3_err_access_denied,
};

/* --- what is asked for ------------------------------------------------------------------------ */

/* The user's context: base64 of a JSON object of texts. */
static enum err read_context(struct call *call, struct str header, struct str *ret_context)
{
    struct json *doc = NULL;
    struct str text;
    *ret_context = STR_NONE;
    if (!str_is_set(header))
        return ERR_OK;
    enum err err = base64_decode(call->arena, header, &text);
    if (err == ERR_OK)
        err = json_parse(call->arena, text, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    bool fine = err == ERR_OK && doc->kind == JSON_OBJECT && text.len <= CONTEXT_BYTES_MAX &&
                doc->n <= CONTEXT_PAIRS_MAX;
    if (fine)
        JSON_EACH (doc, it)
            fine = fine && it->kind == JSON_STRING;
    if (!fine)
        return s3_bad_argument(
            call, "x-amz-server-side-encryption-context", header,
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded "
            "UTF-8 string holding JSON which represents a string-string map");
    *ret_context = text;
    return ERR_OK;
}

enum err s3_sse_choose(struct call *call, const struct s3_bucket_rec *b, const struct s3_wishes *w,
                       struct s3_sse *ret)
{
    bool own = str_is_set(w->sse), kms = str_eq_c(w->sse, "aws:kms");
    *ret = (struct s3_sse){0};
    TRY(s3_customer_choose(call, w, ret));
    if (own && !kms && !str_eq_c(w->sse, "AES256"))
        return s3_bad_argument(call, "x-amz-server-side-encryption", w->sse,
                               "The encryption method specified is not supported");
    if (!kms && (str_is_set(w->kms_key_id) || str_is_set(w->kms_context)))
        return s3_bad_argument(
            call, "x-amz-server-side-encryption", w->sse,
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms");
    if (str_is_set(ret->customer) || (!kms && (own || !(b->flags & S3_DEFAULT_KMS))))
        return ERR_OK;
    struct str key = own ? w->kms_key_id : b->kms_key;
    ret->key_arn = str_is_set(key) ? key : MANAGED;
    ret->bucket_key = w->has_bucket_key ? w->bucket_key : (b->flags & S3_BUCKET_KEY) != 0;
    return read_context(call, w->kms_context, &ret->context);
}

void s3_cipher_draw(struct s3_cipher *c, const struct s3_sse *sse)
{
    c->on = str_is_set(sse->key_arn) || str_is_set(sse->customer);
    if (c->on)
        rng_bytes(c->key, sizeof(c->key));
}

/* --- keys ------------------------------------------------------------------------------------- */

struct s3_place {
    struct str bucket, key;
};

static enum err add_context(struct txn *txn, struct str context, struct kms_use *use)
{
    struct json *doc;
    size_t n = 0;
    if (!str_is_set(context))
        return ERR_OK;
    TRY(json_parse(txn->arena, context, &doc, NULL));
    struct kms_pair *v = ARENA_ARRAY(txn->arena, struct kms_pair, doc->n + 1);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (doc, it)
        if (!str_eq_c(it->key, "aws:s3:arn"))
            v[n++] = (struct kms_pair){it->key, it->text};
    use->more = (struct kms_pairs){v, n};
    return ERR_OK;
}

/* What keys are bound to: the object, or a bucket without a key. */
static struct str arn_of(struct txn *txn, const struct s3_place *at)
{
    const char *partition = txn->core->cfg.partition.p;
    if (!str_is_set(at->key))
        return str_fmt(txn->arena, "arn:%s:s3:::" STR_FMT, partition, STR_ARG(at->bucket));
    return str_fmt(txn->arena, "arn:%s:s3:::" STR_FMT "/" STR_FMT, partition, STR_ARG(at->bucket),
                   STR_ARG(at->key));
}

static enum err make_use(struct txn *txn, const struct principal *who, const struct s3_sse *sse,
                         const struct s3_place *at, struct str region, struct kms_use *ret)
{
    struct s3_place of_bucket = {at->bucket, STR_NONE};
    struct str arn = arn_of(txn, sse->bucket_key ? &of_bucket : at);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    *ret = (struct kms_use){.who = who,
                            .via = STR("s3.amazonaws.com"),
                            .region = region,
                            .context = {STR("aws:s3:arn"), arn},
                            .reuse_ms = sse->bucket_key ? KMS_REUSE_MS : 0};
    return add_context(txn, sse->context, ret);
}

enum err s3_sse_seal(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     const struct s3_cipher *cipher, struct s3_sse *sse)
{
    const struct kms_port *kms = kms_port_of(call->core);
    const struct s3_place at = {b->name, key};
    struct kms_refusal why;
    struct kms_data_key made;
    struct kms_use use;
    if (str_is_set(sse->customer))
        return s3_customer_seal(call, arn_of(call->txn, &at), cipher, sse);
    if (!str_is_set(sse->key_arn))
        return ERR_OK;
    assert(cipher->on);
    TRY(make_use(call->txn, call->who, sse, &at, b->rec.region, &use));
    enum err err = kms->data_key(kms->self, call->txn, &use, sse->key_arn, &made, &why);
    TRY(kms_reply(call, err, errors, &why));
    sse->key_arn = made.key_arn;
    sse->data_key = made.sealed;
    return secret_close_with(made.plain, call->arena, use.context.value,
                             str_n((const char *)cipher->key, sizeof(cipher->key)), &sse->file_key);
}

enum err s3_sse_open(struct txn *txn, const struct principal *who, const struct s3_bucket_rec *b,
                     struct str bucket, struct str key, const struct s3_sse *sse,
                     struct s3_cipher *ret, struct kms_refusal *ret_why)
{
    const struct kms_port *kms = kms_port_of(txn->core);
    const struct s3_place at = {bucket, key};
    struct kms_data_key opened;
    struct kms_use use;
    struct str plain;
    ret->on = false;
    if (str_is_set(sse->customer)) {
        *ret_why =
            (struct kms_refusal){.why = KMS_WHY_DENIED,
                                 .code = STR("AccessDenied"),
                                 .message = STR("The object is under a key of the customer's.")};
        return ERR_DENIED;
    }
    if (!str_is_set(sse->key_arn))
        return ERR_OK;
    TRY(make_use(txn, who, sse, &at, b->region, &use));
    TRY(kms->open(kms->self, txn, &use, sse->data_key, &opened, ret_why));
    TRY(secret_open_with(opened.plain, txn->arena, use.context.value, sse->file_key, &plain));
    if (plain.len != sizeof(ret->key))
        return ERR_CORRUPT;
    memcpy(ret->key, plain.p, sizeof(ret->key));
    ret->on = true;
    return ERR_OK;
}

enum err s3_sse_need(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     const struct s3_sse *sse, const struct s3_customer *customer,
                     struct s3_cipher *ret)
{
    struct kms_refusal why;
    struct str own;
    ret->on = false;
    TRY(s3_customer_check(call, sse, customer, &own));
    if (str_is_set(own))
        return s3_customer_open(call, arn_of(call->txn, &(struct s3_place){b->name, key}), own, sse,
                                ret);
    enum err err = s3_sse_open(call->txn, call->who, &b->rec, b->name, key, sse, ret, &why);
    return kms_reply(call, err, errors, &why);
}

/* --- bytes ------------------------------------------------------------------------------------ */

void s3_cipher_file(const struct s3_cipher *c, const struct s3_id *id,
                    uint8_t ret_key[SEAL_KEY_BYTES])
{
    _Static_assert((int)SEAL_KEY_BYTES == (int)HASH_SHA256_LEN, "one digest is a key");
    hmac_sha256(c->key, sizeof(c->key), id->b, S3_ID_LEN, ret_key);
}

static enum err small(const struct s3_cipher *c, const struct s3_id *id, struct arena *a, bool seal,
                      struct str *bytes)
{
    uint8_t key[SEAL_KEY_BYTES];
    s3_cipher_file(c, id, key);
    struct str k = str_n((const char *)key, sizeof(key));
    return seal ? secret_close_with(k, a, s3_id_str(id), *bytes, bytes)
                : secret_open_with(k, a, s3_id_str(id), *bytes, bytes);
}

enum err s3_cipher_seal(const struct s3_cipher *c, const struct s3_id *id, struct arena *a,
                        struct str *bytes)
{
    return c->on ? small(c, id, a, true, bytes) : ERR_OK;
}

enum err s3_cipher_open(const struct s3_cipher *c, const struct s3_id *id, struct arena *a,
                        struct str *bytes)
{
    return c->on && bytes->len > 0 ? small(c, id, a, false, bytes) : ERR_OK;
}

struct str s3_cipher_etag(const struct s3_cipher *c, struct arena *a,
                          const uint8_t md5[HASH_MD5_LEN])
{
    uint8_t mac[HASH_SHA256_LEN];
    if (!c->on)
        return hex_encode(a, md5, HASH_MD5_LEN);
    hmac_sha256(c->key, sizeof(c->key), md5, HASH_MD5_LEN, mac);
    return hex_encode(a, mac, HASH_MD5_LEN);
}
