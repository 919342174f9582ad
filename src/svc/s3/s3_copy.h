/* Copies bytes of one object to a new file on the worker pool, for CopyObject and UploadPartCopy:
 * the call is suspended meanwhile and its handler rerun when the copy is there.
 *
 * Layer: svc. Thread: the call's loop, but for the copying. */
#ifndef WEIR_SVC_S3_S3_COPY_H
#define WEIR_SVC_S3_S3_COPY_H

#include "svc/s3/s3_int.h"

/* What the first run of the handler found; in the call's arena, as call->state. */
struct s3_copy {
    struct s3_copy_source from;
    uint64_t source_flags; /* of the bucket of the source */
    struct s3_object_rec source;
    bool source_versioned;
    struct s3_cipher cipher;  /* of the source */
    struct s3_sse sse;        /* of the copy, as far as it is known */
    struct s3_writer *writer; /* after the copy: the bytes */
    struct s3_copy_job *job;
};

#define S3_COPY_CONDITIONS(call, in)                                                               \
    (&(struct s3_conditions){.if_match = (in)->copy_source_if_match,                               \
                             .if_none_match = (in)->copy_source_if_none_match,                     \
                             .if_modified_since = (in)->has_copy_source_if_modified_since          \
                                                      ? (in)->copy_source_if_modified_since        \
                                                      : -1,                                        \
                             .if_unmodified_since = (in)->has_copy_source_if_unmodified_since      \
                                                        ? (in)->copy_source_if_unmodified_since    \
                                                        : -1,                                      \
                             .now_ms = (call)->txn->wall_ms})

/* What is to be made. */
struct s3_copy_form {
    uint32_t algos;
    size_t inline_max;
    struct s3_cipher cipher;
};

/* Finds the source, opens it (`customer`: the key that it is under, if it is) and checks its conditions; *ret_copy becomes call->state. */
enum err s3_copy_find(struct call *call, struct str header, struct str expected_owner,
                      const struct s3_conditions *conditions, const struct s3_customer *customer,
                      struct s3_copy **ret_copy) WARN_UNUSED;
/* Copies [from, from + len). Small inline sources are copied at once:
 * ERR_OK with copy->writer set. Otherwise ERR_SUSPENDED. */
enum err s3_copy_start(struct call *call, struct s3_copy *copy, uint64_t from, uint64_t len,
                       const struct s3_copy_form *form) WARN_UNUSED;
/* In the rerun: ERR_OK with copy->writer set, or how the copying failed. */
enum err s3_copy_result(struct call *call, struct s3_copy *copy) WARN_UNUSED;

#endif
