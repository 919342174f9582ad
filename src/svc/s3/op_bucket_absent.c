/* Settings of a bucket that Weir does not have: reading one says that it is not configured, with
 * S3's own words, so that tools that read everything (Terraform) find what they would on AWS;
 * writing one is refused (the spec lists those operations as unsupported). Layer: svc. */
#include "svc/s3/s3_int.h"

static enum err absent(struct call *call, struct str bucket, struct str owner,
                       const struct wire_error *error, const char *message)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, bucket, owner, &b));
    TRY(call_error_detail(call, "BucketName", bucket));
    return call_error(call, error, "%s", message);
}

#define ABSENT(op, error, message)                                                                 \
    enum err s3_##op(struct call *call, const struct s3_##op##_input *in,                          \
                     struct s3_##op##_output *out)                                                 \
    {                                                                                              \
        return absent(call, in->bucket, in->expected_bucket_owner, &s3_err_##error, message);      \
    }

ABSENT(get_bucket_replication, replication_configuration_not_found,
       "The replication configuration was not found")
ABSENT(get_bucket_analytics_configuration, no_such_configuration,
       "The specified configuration does not exist.")
ABSENT(get_bucket_inventory_configuration, no_such_configuration,
       "The specified configuration does not exist.")
ABSENT(get_bucket_intelligent_tiering_configuration, no_such_configuration,
       "The specified configuration does not exist.")

ABSENT(delete_bucket_analytics_configuration, no_such_configuration,
       "The specified configuration does not exist.")
ABSENT(delete_bucket_inventory_configuration, no_such_configuration,
       "The specified configuration does not exist.")
ABSENT(delete_bucket_intelligent_tiering_configuration, no_such_configuration,
       "The specified configuration does not exist.")

/* Succeeds whether or not there was one. */
enum err s3_delete_bucket_replication(struct call *call,
                                      const struct s3_delete_bucket_replication_input *in,
                                      struct s3_delete_bucket_replication_output *out)
{
    struct s3_bucket_ref b;
    return s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b);
}

#define EMPTY_LIST(op)                                                                             \
    enum err s3_list_##op(struct call *call, const struct s3_list_##op##_input *in,                \
                          struct s3_list_##op##_output *out)                                       \
    {                                                                                              \
        struct s3_bucket_ref b;                                                                    \
        TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));                      \
        WIRE_SET(out, is_truncated, false);                                                        \
        return ERR_OK;                                                                             \
    }

EMPTY_LIST(bucket_analytics_configurations)
EMPTY_LIST(bucket_inventory_configurations)
EMPTY_LIST(bucket_intelligent_tiering_configurations)
