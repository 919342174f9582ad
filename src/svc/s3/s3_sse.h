/* Objects under a key of KMS: see s3_sse.c. Layer: svc. Thread: the transaction's. */
#ifndef WEIR_SVC_S3_S3_SSE_H
#define WEIR_SVC_S3_S3_SSE_H

#include "svc/kms/kms_port.h"
#include "svc/s3/s3_int.h"

/* What a request asks for (w), or the bucket for it: `ret` without keys, key_arn as given. Sets the
 * call's error. */
enum err s3_sse_choose(struct call *call, const struct s3_bucket_rec *b, const struct s3_wishes *w,
                       struct s3_sse *ret) WARN_UNUSED;
/* Draws a file key. */
void s3_cipher_draw(struct s3_cipher *c);
/* Has KMS make what seals the file key, for the caller; nothing without key_arn. Sets the error. */
enum err s3_sse_seal(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     const struct s3_cipher *cipher, struct s3_sse *sse) WARN_UNUSED;
/* The file key again, for `who`; ret->on false without key_arn. ERR_DENIED with *ret_why. */
enum err s3_sse_open(struct txn *txn, const struct principal *who, const struct s3_bucket_rec *b,
                     struct str bucket, struct str key, const struct s3_sse *sse,
                     struct s3_cipher *ret, struct kms_refusal *ret_why) WARN_UNUSED;
/* The same for the caller; sets the error. */
enum err s3_sse_need(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     const struct s3_sse *sse, struct s3_cipher *ret) WARN_UNUSED;
/* Bytes that the store itself keeps; `id` of their body. As they are where the cipher is off. */
enum err s3_cipher_open(const struct s3_cipher *c, const struct s3_id *id, struct arena *a,
                        struct str *bytes) WARN_UNUSED;

/* What replies say of it. */
#define S3_TELL_SSE(out, sse)                                                                      \
    do {                                                                                           \
        const struct s3_sse *sse_ = (sse);                                                         \
        (out)->server_side_encryption =                                                            \
            str_is_set(sse_->key_arn) ? STR("aws:kms") : STR("AES256");                            \
        (out)->ssekms_key_id = sse_->key_arn;                                                      \
        if (sse_->bucket_key)                                                                      \
            WIRE_SET(out, bucket_key_enabled, true);                                               \
    } while (0)

#endif
