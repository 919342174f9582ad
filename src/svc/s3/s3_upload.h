/* What the multipart operations share. Layer: svc. */
#ifndef WEIR_SVC_S3_S3_UPLOAD_H
#define WEIR_SVC_S3_S3_UPLOAD_H

#include "svc/s3/s3_int.h"

/* ERR_FAILED with NoSuchUpload. */
enum err s3_upload_find(struct call *call, const struct s3_bucket_ref *b, struct str key,
                        struct str upload_id, bool tracked,
                        struct s3_upload_rec *ret_rec) WARN_UNUSED;
/* The customer's key, where a request that needs none brings it all the same. */
enum err s3_upload_key_check(struct call *call, const struct s3_upload_rec *upload,
                             const struct s3_customer *c) WARN_UNUSED;
enum err s3_check_part_number(struct call *call, int64_t number) WARN_UNUSED;
/* Stages a finished writer (inline_max 0) as a part, replacing an earlier one of that number. */
enum err s3_part_commit(struct call *call, struct str bucket, struct str expected_owner,
                        struct str key, struct str upload_id, int64_t number, struct s3_writer *w,
                        struct s3_bucket_ref *ret_b, struct s3_part_rec *ret_part) WARN_UNUSED;
/* All parts with a number above `after`, at most `max`, into the arena. */
enum err s3_parts_load(struct txn *txn, struct str upload_id, int64_t after, size_t max,
                       struct s3_manifest *ret_parts, bool *ret_more) WARN_UNUSED;
/* Removes an upload and the parts that stay behind (`kept[i]` false). */
enum err s3_upload_remove(struct call *call, const struct s3_bucket_ref *b, struct str key,
                          struct str upload_id, const struct s3_manifest *parts,
                          const bool *kept) WARN_UNUSED;

#endif
