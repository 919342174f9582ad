/* Objects under a key of the customer's (SSE-C). The file key of an object is sealed with the key that came with
 * the request, where one of KMS would seal it with a data key (s3_sse.c); what is sealed and how is the same. The
 * key itself is kept nowhere: of it there is a salt with the HMAC-SHA-256 of that under the key, by which a
 * request's is told from another.
 *
 *   customer:  salt, 16 bytes | HMAC-SHA-256(key, salt), 32 bytes
 *
 * Source: S3 User Guide, "Using server-side encryption with customer-provided keys (SSE-C)". Layer: svc. Thread:
 * the transaction's. */
#include "base/rng.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "core/secret.h"
#include "svc/s3/s3_sse.h"

enum { SALT_BYTES = 16, MARK_BYTES = SALT_BYTES + HASH_SHA256_LEN };

#define NEEDS "Requests specifying Server Side Encryption with Customer provided keys must "

static enum err bad_key(struct call *call, struct str value, const char *message)
{
    return s3_bad_argument(call, "x-amz-server-side-encryption", value, message);
}

static bool is_given(const struct s3_customer *c)
{
    return str_is_set(c->algorithm) || str_is_set(c->key) || str_is_set(c->key_md5);
}

/* The key, in the call's arena. */
static enum err read_key(struct call *call, const struct s3_customer *c, struct str *ret_key)
{
    static const struct str null = STR_INIT("null");
    uint8_t digest[HASH_MD5_LEN];
    struct str key = STR_NONE;
    if (!str_is_set(c->algorithm))
        return bad_key(call, null, NEEDS "provide a valid encryption algorithm.");
    if (!str_is_set(c->key))
        return bad_key(call, null, NEEDS "provide an appropriate secret key.");
    if (!str_is_set(c->key_md5))
        return bad_key(call, null, NEEDS "provide the client calculated MD5 of the secret key.");
    if (c->key.len == 0)
        return bad_key(call, c->key, "The secret key was invalid - too short.");
    enum err err = base64_decode(call->arena, c->key, &key);
    if (err == ERR_NOMEM)
        return err;
    struct str md5 = STR_NONE;
    if (err == ERR_OK) {
        hash_once(HASH_MD5, key.p, key.len, digest);
        md5 = base64_encode(call->arena, digest, sizeof(digest));
        if (!str_is_set(md5))
            return ERR_NOMEM;
    }
    if (err != ERR_OK || !str_eq(md5, c->key_md5))
        return bad_key(
            call, null,
            "The calculated MD5 hash of the key did not match the hash that was provided.");
    if (!str_eq_c(c->algorithm, "AES256")) {
        TRY(call_error_detail(call, "ArgumentName", STR("x-amz-server-side-encryption")));
        TRY(call_error_detail(call, "ArgumentValue", c->algorithm));
        return call_error(call, &s3_err_invalid_encryption_algorithm,
                          "The Encryption request you specified is not valid. Supported value: "
                          "AES256.");
    }
    if (key.len != SEAL_KEY_BYTES)
        return bad_key(call, null, "The secret key was invalid for the specified algorithm.");
    if (!call_is_secure(call))
        return bad_key(call, null, NEEDS "be made over a secure connection.");
    *ret_key = key;
    return ERR_OK;
}

static void make_mark(uint8_t mark[MARK_BYTES], struct str key)
{
    hmac_sha256(key.p, key.len, mark, SALT_BYTES, mark + SALT_BYTES);
}

enum err s3_customer_choose(struct call *call, const struct s3_wishes *w, struct s3_sse *ret)
{
    uint8_t mark[MARK_BYTES];
    if (!is_given(&w->customer))
        return ERR_OK;
    if (str_is_set(w->sse))
        return bad_key(call, w->sse,
                       "Server Side Encryption with Customer provided key is incompatible with the "
                       "encryption method specified");
    TRY(read_key(call, &w->customer, &ret->customer_key));
    rng_bytes(mark, SALT_BYTES);
    make_mark(mark, ret->customer_key);
    ret->customer = str_dup(call->arena, str_n((const char *)mark, sizeof(mark)));
    return str_is_set(ret->customer) ? ERR_OK : ERR_NOMEM;
}

static const char completion_words[] =
    "The object was stored using a form of Server Side Encryption. Correct SSE-C request "
    "parameters "
    "are required for this request when specifying checksums for each part.";

static bool completes(const struct call *call)
{
    return call->op->index == S3_OP_COMPLETE_MULTIPART_UPLOAD;
}

/* What was made with a key is asked for without one, or the reverse. */
static enum err not_alike(struct call *call, const struct s3_customer *c, bool has)
{
    static const char *const words[2][2] = {
        {"The encryption parameters are not applicable to this object.",
         "The object was stored using a form of Server Side Encryption. The correct parameters "
         "must "
         "be provided to retrieve the object."},
        {"The multipart upload initiate did not request encryption. Please resend the request "
         "without "
         "the specified encryption parameters.",
         "The multipart upload initiate requested encryption. Subsequent part requests must "
         "include "
         "the appropriate encryption parameters."},
    };
    return call_error(call, &s3_err_invalid_request, "%s",
                      completes(call) ? completion_words : words[c->of_upload][has]);
}

enum err s3_customer_check(struct call *call, const struct s3_sse *sse, const struct s3_customer *c,
                           struct str *ret_key)
{
    uint8_t mark[MARK_BYTES];
    bool has = str_is_set(sse->customer);
    *ret_key = STR_NONE;
    if (is_given(c)) /* what is wrong with the headers themselves is told first */
        TRY(read_key(call, c, ret_key));
    if (has != is_given(c))
        return not_alike(call, c, has);
    if (!has)
        return ERR_OK;
    if (sse->customer.len != MARK_BYTES)
        return ERR_CORRUPT;
    memcpy(mark, sse->customer.p, SALT_BYTES);
    make_mark(mark, *ret_key);
    if (str_eq_consttime(str_n((const char *)mark, sizeof(mark)), sse->customer))
        return ERR_OK;
    if (c->of_upload)
        return call_error(call, &s3_err_invalid_request, "%s",
                          completes(call) ? completion_words
                                          : "The provided encryption parameters did not match the "
                                            "ones used originally.");
    return call_error(call, &s3_err_access_denied, NEEDS "provide the correct secret key.");
}

enum err s3_customer_seal(struct call *call, struct str bound, const struct s3_cipher *cipher,
                          struct s3_sse *sse)
{
    return secret_close_with(sse->customer_key, call->arena, bound,
                             str_n((const char *)cipher->key, sizeof(cipher->key)), &sse->file_key);
}

enum err s3_customer_open(struct call *call, struct str bound, struct str key,
                          const struct s3_sse *sse, struct s3_cipher *ret)
{
    struct str plain;
    TRY(secret_open_with(key, call->arena, bound, sse->file_key, &plain));
    if (plain.len != sizeof(ret->key))
        return ERR_CORRUPT;
    memcpy(ret->key, plain.p, sizeof(ret->key));
    ret->on = true;
    return ERR_OK;
}

/* Whether the operation has members for such keys, and for those of a source. */
static bool takes_keys(unsigned op, bool of_source)
{
    static const unsigned takers[] = {
        S3_OP_COPY_OBJECT,
        S3_OP_UPLOAD_PART_COPY, /* these two also of their sources */
        S3_OP_PUT_OBJECT,
        S3_OP_GET_OBJECT,
        S3_OP_HEAD_OBJECT,
        S3_OP_GET_OBJECT_ATTRIBUTES,
        S3_OP_CREATE_MULTIPART_UPLOAD,
        S3_OP_UPLOAD_PART,
        S3_OP_LIST_PARTS,
        S3_OP_COMPLETE_MULTIPART_UPLOAD,
    };
    for (size_t i = 0; i < (of_source ? 2 : ARRAY_LEN(takers)); i++)
        if (takers[i] == op)
            return true;
    return false;
}

bool s3_customer_header(unsigned op, struct str name)
{
    static const struct str own = STR_INIT("x-amz-server-side-encryption-customer-");
    static const struct str source = STR_INIT("x-amz-copy-source-server-side-encryption-customer-");
    if (name.len > own.len && str_eq_nocase(str_n(name.p, own.len), own))
        return !takes_keys(op, false);
    return name.len > source.len && str_eq_nocase(str_n(name.p, source.len), source) &&
           !takes_keys(op, true);
}
