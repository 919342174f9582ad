/* Put- and GetObjectLockConfiguration, Put- and GetObjectRetention, Put- and GetObjectLegalHold.
 * Layer: svc. */
#include "svc/s3/s3_lock.h"

enum { DAYS_MAX = 36500, YEARS_MAX = 100 };

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_xml,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

/* --- of buckets ------------------------------------------------------------------------------- */

static enum err take_default(struct call *call, const struct s3_object_lock_rule *rule,
                             struct s3_bucket_rec *b)
{
    const struct s3_default_retention *d = rule ? rule->default_retention : NULL;
    b->lock_mode = S3_LOCK_NONE;
    b->lock_days = b->lock_years = 0;
    if (!rule)
        return ERR_OK;
    if (!d || d->has_days == d->has_years || s3_lock_mode_of(d->mode) == S3_LOCK_MODES)
        return malformed(call);
    int64_t n = d->has_days ? d->days : d->years;
    if (n <= 0)
        return call_error(call, &s3_err_invalid_argument,
                          "Default retention period must be a positive integer value.");
    if (n > (d->has_days ? DAYS_MAX : YEARS_MAX))
        return call_error(
            call, &s3_err_invalid_argument,
            "Default retention period is too large: at most 36500 days or 100 years.");
    b->lock_mode = s3_lock_mode_of(d->mode);
    b->lock_days = d->has_days ? n : 0;
    b->lock_years = d->has_days ? 0 : n;
    return ERR_OK;
}

enum err s3_put_object_lock_configuration(struct call *call,
                                          const struct s3_put_object_lock_configuration_input *in,
                                          struct s3_put_object_lock_configuration_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_object_lock_configuration *c = in->object_lock_configuration;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    if (b.rec.versioning != S3_VERSIONED)
        return call_error(call, &s3_err_invalid_bucket_state,
                          "Versioning must be 'Enabled' on the bucket to apply a Object Lock "
                          "configuration");
    if (!c || !str_eq_c(c->object_lock_enabled, "Enabled"))
        return malformed(call);
    TRY(take_default(call, c->rule, &b.rec));
    b.rec.flags |= S3_LOCKS;
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err s3_get_object_lock_configuration(struct call *call,
                                          const struct s3_get_object_lock_configuration_input *in,
                                          struct s3_get_object_lock_configuration_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    if (!(b.rec.flags & S3_LOCKS)) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_object_lock_configuration_not_found,
                          "Object Lock configuration does not exist for this bucket");
    }
    struct s3_object_lock_configuration *c =
        ARENA_NEW(call->arena, struct s3_object_lock_configuration);
    struct s3_object_lock_rule *rule = ARENA_NEW(call->arena, struct s3_object_lock_rule);
    struct s3_default_retention *d = ARENA_NEW(call->arena, struct s3_default_retention);
    if (!c || !rule || !d)
        return ERR_NOMEM;
    c->object_lock_enabled = STR("Enabled");
    if (b.rec.lock_mode != S3_LOCK_NONE) {
        d->mode = s3_lock_mode_name(b.rec.lock_mode);
        if (b.rec.lock_days)
            WIRE_SET(d, days, b.rec.lock_days);
        else
            WIRE_SET(d, years, b.rec.lock_years);
        rule->default_retention = d;
        c->rule = rule;
    }
    out->object_lock_configuration = c;
    return ERR_OK;
}

/* --- of versions ------------------------------------------------------------------------------ */

/* A version in a bucket that has locks. */
static enum err find(struct call *call, const struct s3_bucket_ref *b, struct str key,
                     struct str version_id, struct s3_object_rec *ret_rec, bool *ret_current)
{
    if (!(b->rec.flags & S3_LOCKS))
        return call_error(call, &s3_err_invalid_request,
                          "Bucket is missing Object Lock Configuration");
    return s3_find_for_read(call, b, key, version_id, ret_rec, ret_current);
}

static enum err none(struct call *call)
{
    return call_error(call, &s3_err_no_such_object_lock_configuration,
                      "The specified object does not have a ObjectLock configuration");
}

/* What is given is longer, or there is nothing to be kept, or who asks may bypass it. */
static enum err check_retention(struct call *call, const struct s3_bucket_ref *b, struct str key,
                                const struct s3_lock *old, const struct s3_lock *new, bool bypass)
{
    struct s3_lock retention = *old;
    retention.legal_hold = false;
    bool longer = new->mode == old->mode &&new->until_ms >= old->until_ms;
    if (longer)
        return ERR_OK;
    return s3_lock_check(call, b, key, &retention, bypass);
}

enum err s3_put_object_retention(struct call *call, const struct s3_put_object_retention_input *in,
                                 struct s3_put_object_retention_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    bool current;
    const struct s3_object_lock_retention *r = in->retention;
    struct s3_lock lock = {.mode = S3_LOCK_NONE};
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(find(call, &b, in->key, in->version_id, &rec, &current));
    if (!r || str_is_set(r->mode) != r->has_retain_until_date)
        return malformed(call);
    if (str_is_set(r->mode)) {
        lock.mode = s3_lock_mode_of(r->mode);
        lock.until_ms = r->retain_until_date;
        if (lock.mode == S3_LOCK_MODES)
            return malformed(call);
        if (lock.until_ms <= call->txn->wall_ms)
            return call_error(call, &s3_err_invalid_argument,
                              "The retain until date must be in the future!");
    }
    TRY(check_retention(call, &b, in->key, &rec.attrs.lock, &lock,
                        in->bypass_governance_retention));
    lock.legal_hold = rec.attrs.lock.legal_hold;
    lock.hold_given = rec.attrs.lock.hold_given;
    rec.attrs.lock = lock;
    return s3_rewrite(call->txn, b.rec.id, in->key, &rec, current);
}

enum err s3_get_object_retention(struct call *call, const struct s3_get_object_retention_input *in,
                                 struct s3_get_object_retention_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(find(call, &b, in->key, in->version_id, &rec, NULL));
    if (rec.attrs.lock.mode == S3_LOCK_NONE)
        return none(call);
    struct s3_object_lock_retention *r = ARENA_NEW(call->arena, struct s3_object_lock_retention);
    if (!r)
        return ERR_NOMEM;
    r->mode = s3_lock_mode_name(rec.attrs.lock.mode);
    WIRE_SET(r, retain_until_date, rec.attrs.lock.until_ms);
    out->retention = r;
    return ERR_OK;
}

enum err s3_put_object_legal_hold(struct call *call,
                                  const struct s3_put_object_legal_hold_input *in,
                                  struct s3_put_object_legal_hold_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    bool current;
    const struct s3_object_lock_legal_hold *h = in->legal_hold;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(find(call, &b, in->key, in->version_id, &rec, &current));
    bool on = h && str_eq_c(h->status, "ON");
    if (!on && (!h || !str_eq_c(h->status, "OFF")))
        return malformed(call);
    rec.attrs.lock.legal_hold = on;
    rec.attrs.lock.hold_given = true;
    return s3_rewrite(call->txn, b.rec.id, in->key, &rec, current);
}

enum err s3_get_object_legal_hold(struct call *call,
                                  const struct s3_get_object_legal_hold_input *in,
                                  struct s3_get_object_legal_hold_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(find(call, &b, in->key, in->version_id, &rec, NULL));
    if (!rec.attrs.lock.hold_given)
        return none(call);
    struct s3_object_lock_legal_hold *h = ARENA_NEW(call->arena, struct s3_object_lock_legal_hold);
    if (!h)
        return ERR_NOMEM;
    h->status = rec.attrs.lock.legal_hold ? STR("ON") : STR("OFF");
    out->legal_hold = h;
    return ERR_OK;
}
