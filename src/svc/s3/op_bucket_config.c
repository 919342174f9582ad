/* Settings of a bucket that Weir has: versioning, encryption, access block.
 * Layer: svc. */
#include "svc/s3/s3_int.h"

/* --- versioning ------------------------------------------------------------------------------- */

enum err s3_get_bucket_versioning(struct call *call,
                                  const struct s3_get_bucket_versioning_input *in,
                                  struct s3_get_bucket_versioning_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    if (b.rec.versioning != S3_UNVERSIONED)
        out->status = b.rec.versioning == S3_VERSIONED ? STR("Enabled") : STR("Suspended");
    return ERR_OK;
}

enum err s3_put_bucket_versioning(struct call *call,
                                  const struct s3_put_bucket_versioning_input *in,
                                  struct s3_put_bucket_versioning_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_versioning_configuration *c = in->versioning_configuration;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (str_is_set(in->mfa) || str_eq_c(c->mfa_delete, "Enabled"))
        return call_error(call, &s3_err_not_implemented,
                          "MFA delete is not supported by Weir. See docs/reference.");
    if (str_eq_c(c->status, "Enabled"))
        b.rec.versioning = S3_VERSIONED;
    else if (str_eq_c(c->status, "Suspended") && (b.rec.flags & S3_LOCKS))
        return call_error(call, &s3_err_invalid_bucket_state,
                          "An Object Lock configuration is present on this bucket, so the "
                          "versioning state cannot be changed.");
    else if (str_eq_c(c->status, "Suspended"))
        b.rec.versioning = S3_SUSPENDED;
    else
        return call_error(call, &s3_err_illegal_versioning_configuration,
                          "The Versioning element must be specified");
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- encryption: SSE-S3, which every bucket has since 2023, or a key of KMS -------------------- */

enum err s3_get_bucket_encryption(struct call *call,
                                  const struct s3_get_bucket_encryption_input *in,
                                  struct s3_get_bucket_encryption_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    struct s3_server_side_encryption_by_default *d =
        ARENA_NEW(call->arena, struct s3_server_side_encryption_by_default);
    struct s3_server_side_encryption_rule *r =
        ARENA_NEW(call->arena, struct s3_server_side_encryption_rule);
    struct s3_server_side_encryption_configuration *c =
        ARENA_NEW(call->arena, struct s3_server_side_encryption_configuration);
    if (!d || !r || !c)
        return ERR_NOMEM;
    bool kms = (b.rec.flags & S3_DEFAULT_KMS) != 0;
    d->sse_algorithm = kms ? STR("aws:kms") : STR("AES256");
    d->kms_master_key_id = b.rec.kms_key;
    r->apply_server_side_encryption_by_default = d;
    WIRE_SET(r, bucket_key_enabled, (b.rec.flags & S3_BUCKET_KEY) != 0);
    c->rules = (struct s3_server_side_encryption_rules){r, 1};
    out->server_side_encryption_configuration = c;
    return ERR_OK;
}

enum err s3_put_bucket_encryption(struct call *call,
                                  const struct s3_put_bucket_encryption_input *in,
                                  struct s3_put_bucket_encryption_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_server_side_encryption_configuration *c =
        in->server_side_encryption_configuration;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (c->rules.n != 1 || !c->rules.v[0].apply_server_side_encryption_by_default)
        return call_error(call, &s3_err_malformed_xml,
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema");
    const struct s3_server_side_encryption_rule *r = &c->rules.v[0];
    const struct s3_server_side_encryption_by_default *d =
        r->apply_server_side_encryption_by_default;
    bool kms = str_eq_c(d->sse_algorithm, "aws:kms");
    if ((!kms && !str_eq_c(d->sse_algorithm, "AES256")) || r->blocked_encryption_types)
        return call_error(call, &s3_err_not_implemented,
                          "Weir supports the server-side encryptions AES256 and aws:kms only. See "
                          "docs/reference.");
    if (!kms && str_is_set(d->kms_master_key_id))
        return call_error(call, &s3_err_invalid_argument,
                          "a KMSMasterKeyID is not applicable if the default sse algorithm is not "
                          "aws:kms or aws:kms:dsse");
    b.rec.flags &= ~(uint64_t)(S3_BUCKET_KEY | S3_DEFAULT_KMS);
    b.rec.flags |= S3_HAS_SSE;
    if (r->bucket_key_enabled)
        b.rec.flags |= S3_BUCKET_KEY;
    if (kms)
        b.rec.flags |= S3_DEFAULT_KMS;
    b.rec.kms_key = kms ? d->kms_master_key_id : STR_NONE;
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err s3_delete_bucket_encryption(struct call *call,
                                     const struct s3_delete_bucket_encryption_input *in,
                                     struct s3_delete_bucket_encryption_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.flags &= ~(uint64_t)(S3_BUCKET_KEY | S3_DEFAULT_KMS | S3_HAS_SSE);
    b.rec.kms_key = STR_NONE;
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- public access block ---------------------------------------------------------------------- */

enum err s3_get_public_access_block(struct call *call,
                                    const struct s3_get_public_access_block_input *in,
                                    struct s3_get_public_access_block_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    if (!(b.rec.flags & S3_HAS_ACCESS_BLOCK)) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_no_such_public_access_block_configuration,
                          "The public access block configuration was not found");
    }
    struct s3_public_access_block_configuration *c =
        ARENA_NEW(call->arena, struct s3_public_access_block_configuration);
    if (!c)
        return ERR_NOMEM;
    WIRE_SET(c, block_public_acls, (b.rec.flags & S3_BLOCK_ACLS) != 0);
    WIRE_SET(c, ignore_public_acls, (b.rec.flags & S3_IGNORE_ACLS) != 0);
    WIRE_SET(c, block_public_policy, (b.rec.flags & S3_BLOCK_POLICY) != 0);
    WIRE_SET(c, restrict_public_buckets, (b.rec.flags & S3_RESTRICT) != 0);
    out->public_access_block_configuration = c;
    return ERR_OK;
}

enum { ACCESS_BLOCK_ALL = S3_BLOCK_ACLS | S3_IGNORE_ACLS | S3_BLOCK_POLICY | S3_RESTRICT };

enum err s3_put_public_access_block(struct call *call,
                                    const struct s3_put_public_access_block_input *in,
                                    struct s3_put_public_access_block_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_public_access_block_configuration *c = in->public_access_block_configuration;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.flags &= ~(uint64_t)ACCESS_BLOCK_ALL;
    b.rec.flags |= S3_HAS_ACCESS_BLOCK;
    b.rec.flags |= c->block_public_acls ? S3_BLOCK_ACLS : 0;
    b.rec.flags |= c->ignore_public_acls ? S3_IGNORE_ACLS : 0;
    b.rec.flags |= c->block_public_policy ? S3_BLOCK_POLICY : 0;
    b.rec.flags |= c->restrict_public_buckets ? S3_RESTRICT : 0;
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err s3_delete_public_access_block(struct call *call,
                                       const struct s3_delete_public_access_block_input *in,
                                       struct s3_delete_public_access_block_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.flags &= ~((uint64_t)ACCESS_BLOCK_ALL | S3_HAS_ACCESS_BLOCK);
    return s3_bucket_put(call->svc, call->txn, &b);
}
