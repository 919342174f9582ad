/* Put-, Get-, Delete- and ListBucketMetricsConfiguration: whose requests CloudWatch hears of (s3_measure.c).
 * Layer: svc.
 *
 * Source: S3 API Reference, "PutBucketMetricsConfiguration", "MetricsFilter". */
#include "core/page.h"
#include "svc/s3/s3_int.h"

enum { ID_MAX = 64, LIST_MAX = 100 };

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_xml,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_id(struct str id)
{
    size_t n = 0;
    while (n < id.len && is_id_char(id.p[n]))
        n++;
    return n > 0 && n == id.len && n <= ID_MAX;
}

/* Where the configuration is, or is to be put in. */
static size_t place_of(const struct s3_meters *meters, struct str id, bool *ret_found)
{
    size_t at = 0;
    while (at < meters->n && str_cmp(meters->v[at].id, id) < 0)
        at++;
    *ret_found = at < meters->n && str_eq(meters->v[at].id, id);
    return at;
}

static enum err absent(struct call *call, struct str bucket)
{
    TRY(call_error_detail(call, "BucketName", bucket));
    return call_error(call, &s3_err_no_such_configuration,
                      "The specified configuration does not exist.");
}

/* --- taking ----------------------------------------------------------------------------------- */

static enum err take_filter(struct call *call, const struct s3_metrics_filter *f,
                            struct s3_meter *m)
{
    if (!f)
        return ERR_OK;
    if (f->tag || f->and)
        return call_error(call, &s3_err_not_implemented,
                          "Weir does not filter requests by the tags of objects. See "
                          "docs/reference.");
    if (str_is_set(f->access_point_arn))
        return call_error(call, &s3_err_not_implemented,
                          "Access points are not supported by Weir. See docs/reference.");
    if (!str_is_set(f->prefix))
        return malformed(call);
    if (f->prefix.len > S3_KEY_BYTES_MAX)
        return call_error(call, &s3_err_invalid_request, "The maximum size of a prefix is %d.",
                          S3_KEY_BYTES_MAX);
    m->prefix = f->prefix;
    return ERR_OK;
}

enum err
s3_put_bucket_metrics_configuration(struct call *call,
                                    const struct s3_put_bucket_metrics_configuration_input *in,
                                    struct s3_put_bucket_metrics_configuration_output *out)
{
    struct s3_bucket_ref b;
    struct s3_meter meter = {.id = in->id};
    bool found;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (!is_id(in->id) || !str_eq(in->id, in->metrics_configuration->id))
        return s3_bad_argument(call, "id", in->id, "The configuration ID is not valid.");
    TRY(take_filter(call, in->metrics_configuration->filter, &meter));
    size_t n = b.rec.meters.n, at = place_of(&b.rec.meters, in->id, &found);
    if (!found && n == S3_METERS_MAX)
        return call_error(call, &s3_err_too_many_configurations,
                          "You are attempting to create a new configuration but have already "
                          "reached the 1,000-configuration limit.");
    struct s3_meter *v = ARENA_ARRAY(call->arena, struct s3_meter, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < at; i++)
        v[i] = b.rec.meters.v[i];
    v[at] = meter;
    for (size_t i = at + found; i < n; i++)
        v[i + !found] = b.rec.meters.v[i];
    b.rec.meters = (struct s3_meters){v, n + !found};
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err s3_delete_bucket_metrics_configuration(
    struct call *call, const struct s3_delete_bucket_metrics_configuration_input *in,
    struct s3_delete_bucket_metrics_configuration_output *out)
{
    struct s3_bucket_ref b;
    bool found;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    size_t at = place_of(&b.rec.meters, in->id, &found);
    if (!found)
        return absent(call, in->bucket);
    b.rec.meters.n--;
    for (size_t i = at; i < b.rec.meters.n; i++)
        b.rec.meters.v[i] = b.rec.meters.v[i + 1];
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- showing ---------------------------------------------------------------------------------- */

static enum err show(struct call *call, const struct s3_meter *m,
                     struct s3_metrics_configuration *out)
{
    out->id = m->id;
    if (!str_is_set(m->prefix))
        return ERR_OK;
    struct s3_metrics_filter *filter = ARENA_NEW(call->arena, struct s3_metrics_filter);
    if (!filter)
        return ERR_NOMEM;
    filter->prefix = m->prefix;
    out->filter = filter;
    return ERR_OK;
}

enum err
s3_get_bucket_metrics_configuration(struct call *call,
                                    const struct s3_get_bucket_metrics_configuration_input *in,
                                    struct s3_get_bucket_metrics_configuration_output *out)
{
    struct s3_bucket_ref b;
    bool found;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    size_t at = place_of(&b.rec.meters, in->id, &found);
    if (!found)
        return absent(call, in->bucket);
    struct s3_metrics_configuration *c = ARENA_NEW(call->arena, struct s3_metrics_configuration);
    if (!c)
        return ERR_NOMEM;
    out->metrics_configuration = c;
    return show(call, &b.rec.meters.v[at], c);
}

enum err
s3_list_bucket_metrics_configurations(struct call *call,
                                      const struct s3_list_bucket_metrics_configurations_input *in,
                                      struct s3_list_bucket_metrics_configurations_output *out)
{
    struct s3_bucket_ref b;
    struct str after;
    bool found = false;
    struct page page = page_of_call(call, in->bucket, in->continuation_token, LIST_MAX);
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    enum err err = page_start(&page, &after);
    if (err == ERR_INVALID)
        return s3_bad_argument(call, "continuation-token", in->continuation_token,
                               "The continuation token provided is incorrect");
    TRY(err);
    size_t at = str_is_set(after) ? place_of(&b.rec.meters, after, &found) : 0;
    at += found;
    size_t n = min_size(b.rec.meters.n - at, LIST_MAX);
    struct s3_metrics_configuration *v =
        ARENA_ARRAY(call->arena, struct s3_metrics_configuration, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(show(call, &b.rec.meters.v[at + i], &v[i]));
    out->metrics_configuration_list = (struct s3_metrics_configuration_list){v, n};
    out->continuation_token = in->continuation_token;
    WIRE_SET(out, is_truncated, at + n < b.rec.meters.n);
    if (!out->is_truncated)
        return ERR_OK;
    TRY(page_end(&page, b.rec.meters.v[at + n - 1].id));
    out->next_continuation_token = page.next_token;
    return ERR_OK;
}
