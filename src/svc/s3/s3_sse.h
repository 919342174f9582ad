/* Objects under a key of KMS (s3_sse.c) or of the customer's (s3_customer.c). Layer: svc. Thread: the transaction's. */
#ifndef WEIR_SVC_S3_S3_SSE_H
#define WEIR_SVC_S3_S3_SSE_H

#include "svc/kms/kms_port.h"
#include "svc/s3/s3_int.h"

/* What a request asks for (w), or the bucket for it: `ret` without keys, key_arn as given. Sets the
 * call's error. */
enum err s3_sse_choose(struct call *call, const struct s3_bucket_rec *b, const struct s3_wishes *w,
                       struct s3_sse *ret) WARN_UNUSED;
/* Draws a file key where bytes are to be sealed; else the cipher is off. */
void s3_cipher_draw(struct s3_cipher *c, const struct s3_sse *sse);
/* Seals the file key: has KMS make what seals it, for the caller, or takes the customer's key. Sets the error. */
enum err s3_sse_seal(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     const struct s3_cipher *cipher, struct s3_sse *sse) WARN_UNUSED;
/* The file key again, for `who`; ret->on false where nothing is sealed. ERR_DENIED with *ret_why; so is what is
 * under a key of the customer's. */
enum err s3_sse_open(struct txn *txn, const struct principal *who, const struct s3_bucket_rec *b,
                     struct str bucket, struct str key, const struct s3_sse *sse,
                     struct s3_cipher *ret, struct kms_refusal *ret_why) WARN_UNUSED;
/* The same for the caller, who may have sent a key along, which must then be the one; sets the error. */
enum err s3_sse_need(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     const struct s3_sse *sse, const struct s3_customer *customer,
                     struct s3_cipher *ret) WARN_UNUSED;

/* What a request brought, as `ret` without file_key. Sets the call's error. */
enum err s3_customer_choose(struct call *call, const struct s3_wishes *w,
                            struct s3_sse *ret) WARN_UNUSED;
/* Whether the key of a request is that of the object, and neither has one alone; *ret_key: it, or absent. Sets
 * the error. */
enum err s3_customer_check(struct call *call, const struct s3_sse *sse, const struct s3_customer *c,
                           struct str *ret_key) WARN_UNUSED;
/* Seals the file key with the customer's, for what `bound` names; and opens it. */
enum err s3_customer_seal(struct call *call, struct str bound, const struct s3_cipher *cipher,
                          struct s3_sse *sse) WARN_UNUSED;
enum err s3_customer_open(struct call *call, struct str bound, struct str key,
                          const struct s3_sse *sse, struct s3_cipher *ret) WARN_UNUSED;
/* Whether a header brings such a key to an operation (S3_OP_...) that takes none. */
bool s3_customer_header(unsigned op, struct str name);
/* Bytes that the store itself keeps; `id` of their body. As they are where the cipher is off. */
enum err s3_cipher_open(const struct s3_cipher *c, const struct s3_id *id, struct arena *a,
                        struct str *bytes) WARN_UNUSED;

/* What replies say of it. */
#define S3_TELL_SSE(out, sse)                                                                      \
    do {                                                                                           \
        const struct s3_sse *sse_ = (sse);                                                         \
        (out)->server_side_encryption = str_is_set(sse_->customer)  ? STR_NONE                     \
                                        : str_is_set(sse_->key_arn) ? STR("aws:kms")               \
                                                                    : STR("AES256");               \
        (out)->ssekms_key_id = sse_->key_arn;                                                      \
        if (sse_->bucket_key)                                                                      \
            WIRE_SET(out, bucket_key_enabled, true);                                               \
    } while (0)
/* And of a key that was sent along, and is the right one by now. */
#define S3_TELL_CUSTOMER(out, in)                                                                  \
    do {                                                                                           \
        (out)->sse_customer_algorithm = (in)->sse_customer_algorithm;                              \
        (out)->sse_customer_key_md5 = (in)->sse_customer_key_md5;                                  \
    } while (0)

#endif
