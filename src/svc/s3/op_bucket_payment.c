/* Who pays for requests, and transfer acceleration, which is never on here. Layer: svc. */
#include "svc/s3/s3_int.h"

/* --- request payment: who does not sign is nobody who could pay (s3_authorize_more) -------------- */

enum err s3_get_bucket_request_payment(struct call *call,
                                       const struct s3_get_bucket_request_payment_input *in,
                                       struct s3_get_bucket_request_payment_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    out->payer = b.rec.flags & S3_REQUESTER_PAYS ? STR("Requester") : STR("BucketOwner");
    return ERR_OK;
}

enum err s3_put_bucket_request_payment(struct call *call,
                                       const struct s3_put_bucket_request_payment_input *in,
                                       struct s3_put_bucket_request_payment_output *out)
{
    struct s3_bucket_ref b;
    bool requester = str_eq_c(in->request_payment_configuration->payer, "Requester");
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.flags &= ~(uint64_t)S3_REQUESTER_PAYS;
    b.rec.flags |= requester ? S3_REQUESTER_PAYS : 0;
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- transfer acceleration --------------------------------------------------------------------- */

enum err s3_get_bucket_accelerate_configuration(
    struct call *call, const struct s3_get_bucket_accelerate_configuration_input *in,
    struct s3_get_bucket_accelerate_configuration_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    if (b.rec.flags & S3_ACCELERATE_SUSPENDED)
        out->status = STR("Suspended");
    return ERR_OK;
}

enum err s3_put_bucket_accelerate_configuration(
    struct call *call, const struct s3_put_bucket_accelerate_configuration_input *in,
    struct s3_put_bucket_accelerate_configuration_output *out)
{
    struct s3_bucket_ref b;
    struct str status = in->accelerate_configuration->status;
    TRY(s3_verify_body(call, STR_NONE));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (str_find(in->bucket, '.') != SIZE_MAX)
        return call_error(
            call, &s3_err_invalid_request,
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in "
            "their names");
    if (str_eq_c(status, "Enabled"))
        return call_error(call, &s3_err_not_implemented,
                          "Transfer acceleration is not supported by Weir. See docs/reference.");
    if (!str_eq_c(status, "Suspended"))
        return call_error(
            call, &s3_err_malformed_xml,
            "The XML you provided was not well-formed or did not validate against our "
            "published schema");
    b.rec.flags |= S3_ACCELERATE_SUSPENDED;
    return s3_bucket_put(call->svc, call->txn, &b);
}
