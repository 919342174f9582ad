/* Put- and GetBucketLogging: where records of requests go (s3_log.c). Layer: svc.
 *
 * Source: S3 API Reference, "PutBucketLogging". Whether the target lets logs in is not asked here, as on AWS,
 * where a policy for the source may come after it: deliveries find out. */
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_log.h"

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_xml,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

/* --- taking ----------------------------------------------------------------------------------- */

static enum err check_target(struct call *call, const struct s3_bucket_rec *source,
                             struct str target, const struct s3_bucket_rec **ret_rec)
{
    enum err err = s3_bucket_known(call->svc, call->txn, target, ret_rec);
    if (err == ERR_NOT_FOUND) {
        TRY(call_error_detail(call, "TargetBucket", target));
        return call_error(call, &s3_err_invalid_target_bucket_for_logging,
                          "The target bucket for logging does not exist");
    }
    TRY(err);
    if (!str_eq(s3_bucket_owner(call->core, *ret_rec), call->account))
        return call_error(call, &s3_err_invalid_target_bucket_for_logging,
                          "The owner for the bucket to be logged and the target bucket must be the "
                          "same.");
    if (str_eq((*ret_rec)->region, source->region))
        return ERR_OK;
    TRY(call_error_detail(call, "TargetBucketLocation", (*ret_rec)->region));
    return call_error(call, &s3_err_cross_location_logging_prohibited,
                      "Cross S3 location logging not allowed. ");
}

static enum err take_format(struct call *call, const struct s3_target_object_key_format *f,
                            enum s3_log_form *ret_form)
{
    *ret_form = S3_LOG_UNSAID;
    if (!f)
        return ERR_OK;
    if (!f->simple_prefix == !f->partitioned_prefix)
        return malformed(call);
    *ret_form = f->simple_prefix ? S3_LOG_SIMPLE : S3_LOG_BY_DELIVERY;
    struct str by = f->partitioned_prefix ? f->partitioned_prefix->partition_date_source : STR_NONE;
    if (str_eq_c(by, "EventTime"))
        *ret_form = S3_LOG_BY_EVENT;
    else if (str_is_set(by) && !str_eq_c(by, "DeliveryTime"))
        return malformed(call);
    return ERR_OK;
}

static enum err take_grants(struct call *call, const struct s3_target_grants *grants,
                            const struct s3_bucket_rec *target, struct s3_acl *ret_acl)
{
    *ret_acl = (struct s3_acl){0};
    if (grants->n > S3_ACL_GRANTS_MAX)
        return malformed(call);
    if (grants->n > 0 && s3_owner_enforced(target))
        return call_error(call, &s3_err_access_control_list_not_supported,
                          "The bucket does not allow ACLs");
    for (size_t i = 0; i < grants->n; i++) {
        const struct s3_grant grant = {grants->v[i].grantee, grants->v[i].permission};
        TRY(s3_acl_read_grant(call, &grant, ret_acl));
    }
    return ERR_OK;
}

static enum err take(struct call *call, const struct s3_logging_enabled *on,
                     const struct s3_bucket_rec *source, struct s3_logging *ret_logging)
{
    const struct s3_bucket_rec *target = NULL;
    *ret_logging = (struct s3_logging){.bucket = on->target_bucket, .prefix = on->target_prefix};
    if (on->target_prefix.len > S3_KEY_BYTES_MAX / 2)
        return s3_bad_argument(call, "TargetPrefix", on->target_prefix,
                               "The target prefix is too long");
    TRY(check_target(call, source, on->target_bucket, &target));
    TRY(take_format(call, on->target_object_key_format, &ret_logging->form));
    return take_grants(call, &on->target_grants, target, &ret_logging->grants);
}

enum err s3_put_bucket_logging(struct call *call, const struct s3_put_bucket_logging_input *in,
                               struct s3_put_bucket_logging_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_logging_enabled *on = in->bucket_logging_status->logging_enabled;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    bool was = str_is_set(b.rec.logging.bucket);
    b.rec.logging = (struct s3_logging){0};
    if (on)
        TRY(take(call, on, &b.rec, &b.rec.logging));
    if (was)
        TRY(s3_logs_flush(call->svc, call->txn));
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- showing ---------------------------------------------------------------------------------- */

static enum err show_format(struct call *call, enum s3_log_form form, struct s3_logging_enabled *on)
{
    struct s3_target_object_key_format *f =
        ARENA_NEW(call->arena, struct s3_target_object_key_format);
    struct s3_partitioned_prefix *by = ARENA_NEW(call->arena, struct s3_partitioned_prefix);
    struct s3_simple_prefix *simple = ARENA_NEW(call->arena, struct s3_simple_prefix);
    if (!f || !by || !simple)
        return ERR_NOMEM;
    by->partition_date_source = form == S3_LOG_BY_EVENT ? STR("EventTime") : STR("DeliveryTime");
    if (form == S3_LOG_SIMPLE)
        f->simple_prefix = simple;
    else
        f->partitioned_prefix = by;
    on->target_object_key_format = f;
    return ERR_OK;
}

static enum err show_grants(struct call *call, struct s3_acl acl, struct s3_logging_enabled *on)
{
    static const struct s3_bucket_rec listing = {0}; /* that does not enforce its owner */
    acl.bits |= S3_ACL_GIVEN;
    struct s3_grants all = s3_acl_show(call, &listing, s3_owner_of(call), &acl);
    struct s3_target_grant *v = ARENA_ARRAY(call->arena, struct s3_target_grant, all.n);
    if (!all.v || !v)
        return ERR_NOMEM;
    for (size_t i = 0; i < all.n; i++)
        v[i] = (struct s3_target_grant){all.v[i].grantee, all.v[i].permission};
    on->target_grants = (struct s3_target_grants){v, all.n};
    return ERR_OK;
}

enum err s3_get_bucket_logging(struct call *call, const struct s3_get_bucket_logging_input *in,
                               struct s3_get_bucket_logging_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    const struct s3_logging *logging = &b.rec.logging;
    if (!str_is_set(logging->bucket))
        return ERR_OK;
    struct s3_logging_enabled *on = ARENA_NEW(call->arena, struct s3_logging_enabled);
    if (!on)
        return ERR_NOMEM;
    on->target_bucket = logging->bucket;
    on->target_prefix = logging->prefix;
    if (s3_acl_any(&logging->grants))
        TRY(show_grants(call, logging->grants, on));
    if (logging->form != S3_LOG_UNSAID)
        TRY(show_format(call, logging->form, on));
    out->logging_enabled = on;
    return ERR_OK;
}
