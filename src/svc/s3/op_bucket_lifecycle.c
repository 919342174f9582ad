/* Put-, Get- and DeleteBucketLifecycle(Configuration): reading, checking and showing the rules that
 * s3_expire.c carries out.
 *
 * Source: S3 API Reference, "PutBucketLifecycleConfiguration", "LifecycleRule"; S3 User Guide,
 * "Lifecycle configuration elements". Layer: svc. */
#include <stdlib.h>

#include "base/rng.h"
#include "codec/hex.h"
#include "svc/s3/s3_life.h"

enum {
    ID_BYTES_MAX = 255,
    BODY_BYTES_MAX = 1024 * 1024, /* S3_BUCKET_BYTES_MAX holds what it becomes */
    KEPT_MAX = 100,
    ID_RANDOM_BYTES = 24,
};

/* --- reading the request ---------------------------------------------------------------------- */

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_xml,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

static enum err check_days(struct call *call, int64_t days, const char *member, const char *action)
{
    if (days > 0 && days <= INT32_MAX)
        return ERR_OK;
    return call_error(call, &s3_err_invalid_argument,
                      "'%s' for %s action must be a positive integer", member, action);
}

static enum err take_tags(struct call *call, const struct s3_tag *tags, size_t n,
                          struct s3_pairs *ret_tags)
{
    struct s3_pair *v = ARENA_ARRAY(call->arena, struct s3_pair, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        v[i] = (struct s3_pair){tags[i].key, tags[i].value};
    *ret_tags = (struct s3_pairs){v, n};
    return tags_check_call(call, &s3_object_tag_rules, TAGS_FROM(*ret_tags));
}

static enum err take_and(struct call *call, const struct s3_lifecycle_rule_and_operator *in,
                         struct s3_life_rule *r)
{
    size_t parts = str_is_set(in->prefix) + in->tags.n + in->has_object_size_greater_than +
                   in->has_object_size_less_than;
    if (parts < 2)
        return malformed(call);
    r->form = S3_LIFE_AND;
    r->prefix = in->prefix;
    if (in->has_object_size_greater_than)
        r->over = in->object_size_greater_than;
    if (in->has_object_size_less_than)
        r->under = in->object_size_less_than;
    return take_tags(call, in->tags.v, in->tags.n, &r->tags);
}

static enum err take_filter(struct call *call, const struct s3_lifecycle_rule_filter *in,
                            struct s3_life_rule *r)
{
    int forms = str_is_set(in->prefix) + (in->tag != NULL) + (in->and != NULL) +
                in->has_object_size_greater_than + in->has_object_size_less_than;
    if (forms > 1)
        return malformed(call);
    r->form = S3_LIFE_FILTER;
    r->prefix = in->prefix;
    if (in->has_object_size_greater_than)
        r->over = in->object_size_greater_than;
    if (in->has_object_size_less_than)
        r->under = in->object_size_less_than;
    if (in->tag)
        return take_tags(call, in->tag, 1, &r->tags);
    return in->and ? take_and(call, in->and, r) : ERR_OK;
}

static enum err check_filter(struct call *call, const struct s3_life_rule *r)
{
    if (r->over < S3_LIFE_NONE || r->under < S3_LIFE_NONE || r->under == 0)
        return call_error(call, &s3_err_invalid_argument,
                          "Object sizes of a filter must be positive integers");
    if (r->under != S3_LIFE_NONE && r->over >= r->under - 1)
        return call_error(call, &s3_err_invalid_request,
                          "'ObjectSizeLessThan' has to be a value greater than "
                          "'ObjectSizeGreaterThan'.");
    if (r->prefix.len > S3_KEY_BYTES_MAX)
        return call_error(call, &s3_err_invalid_request, "The maximum size of a prefix is %d.",
                          (int)S3_KEY_BYTES_MAX);
    return ERR_OK;
}

static enum err take_expiration(struct call *call, const struct s3_lifecycle_expiration *in,
                                struct s3_life_rule *r)
{
    if (in->has_days + in->has_date + in->has_expired_object_delete_marker != 1)
        return malformed(call);
    if (in->has_days)
        TRY(check_days(call, in->days, "Days", "Expiration"));
    if (in->has_date && (in->date < 0 || in->date % S3_DAY_MS != 0))
        return call_error(call, &s3_err_invalid_argument, "'Date' must be at midnight GMT");
    r->days = in->has_days ? in->days : 0;
    r->date_ms = in->has_date ? in->date : S3_LIFE_NONE;
    r->has_expired_marker = in->has_expired_object_delete_marker;
    r->expired_marker = r->has_expired_marker && in->expired_object_delete_marker;
    return ERR_OK;
}

static enum err take_noncurrent(struct call *call,
                                const struct s3_noncurrent_version_expiration *in,
                                struct s3_life_rule *r)
{
    static const char action[] = "NoncurrentVersionExpiration";
    if (!in->has_noncurrent_days)
        return malformed(call);
    TRY(check_days(call, in->noncurrent_days, "NoncurrentDays", action));
    r->noncurrent_days = in->noncurrent_days;
    if (!in->has_newer_noncurrent_versions)
        return ERR_OK;
    TRY(check_days(call, in->newer_noncurrent_versions, "NewerNoncurrentVersions", action));
    if (in->newer_noncurrent_versions > KEPT_MAX)
        return call_error(call, &s3_err_invalid_argument,
                          "'NewerNoncurrentVersions' for %s action must be at most %d", action,
                          (int)KEPT_MAX);
    if (r->form == S3_LIFE_PREFIX)
        return call_error(call, &s3_err_invalid_request,
                          "NewerNoncurrentVersions element can only be used in Lifecycle V2.");
    r->noncurrent_kept = in->newer_noncurrent_versions;
    return ERR_OK;
}

static enum err take_abort(struct call *call, const struct s3_abort_incomplete_multipart_upload *in,
                           struct s3_life_rule *r)
{
    static const char action[] = "AbortIncompleteMultipartUpload";
    if (!in->has_days_after_initiation)
        return malformed(call);
    TRY(check_days(call, in->days_after_initiation, "DaysAfterInitiation", action));
    r->abort_days = in->days_after_initiation;
    return ERR_OK;
}

/* What a rule does, and whether its filter may say what it says then. */
static enum err take_actions(struct call *call, const struct s3_lifecycle_rule *in,
                             struct s3_life_rule *r)
{
    if (in->transitions.n > 0 || in->noncurrent_version_transitions.n > 0)
        return call_error(call, &s3_err_not_implemented,
                          "Transitions are not supported by Weir: an object stays in the storage "
                          "class that it was given. See docs/reference.");
    if (!in->expiration && !in->noncurrent_version_expiration &&
        !in->abort_incomplete_multipart_upload)
        return call_error(call, &s3_err_invalid_request,
                          "At least one action needs to be specified in a rule");
    if (in->expiration)
        TRY(take_expiration(call, in->expiration, r));
    if (in->noncurrent_version_expiration)
        TRY(take_noncurrent(call, in->noncurrent_version_expiration, r));
    if (in->abort_incomplete_multipart_upload)
        TRY(take_abort(call, in->abort_incomplete_multipart_upload, r));
    const char *what = r->has_expired_marker ? "ExpiredObjectDeleteMarker"
                       : r->abort_days > 0   ? "AbortIncompleteMultipartUpload"
                                             : NULL;
    if (what && r->tags.n > 0)
        return call_error(call, &s3_err_invalid_request, "%s cannot be specified with Tags.", what);
    if (what && (r->over != S3_LIFE_NONE || r->under != S3_LIFE_NONE))
        return call_error(call, &s3_err_invalid_request, "%s cannot be specified with Object Size.",
                          what);
    return ERR_OK;
}

static enum err take_id(struct call *call, struct str id, struct str *ret_id)
{
    uint8_t raw[ID_RANDOM_BYTES];
    if (id.len > ID_BYTES_MAX)
        return call_error(call, &s3_err_invalid_argument,
                          "ID length should not exceed allowed limit of 255");
    *ret_id = id;
    if (id.len > 0)
        return ERR_OK;
    rng_bytes(raw, sizeof(raw));
    *ret_id = hex_encode(call->arena, raw, sizeof(raw));
    return str_is_set(*ret_id) ? ERR_OK : ERR_NOMEM;
}

static enum err take_rule(struct call *call, const struct s3_lifecycle_rule *in,
                          struct s3_life_rule *r)
{
    *r = (struct s3_life_rule){.enabled = str_eq_c(in->status, "Enabled"),
                               .form = S3_LIFE_PREFIX,
                               .prefix = in->prefix,
                               .over = S3_LIFE_NONE,
                               .under = S3_LIFE_NONE,
                               .date_ms = S3_LIFE_NONE};
    if (str_is_set(in->prefix) == (in->filter != NULL))
        return malformed(call);
    TRY(take_id(call, in->id, &r->id));
    if (in->filter)
        TRY(take_filter(call, in->filter, r));
    TRY(check_filter(call, r));
    return take_actions(call, in, r);
}

static int by_id(const void *a, const void *b)
{
    const struct s3_life_rule *const *x = a, *const *y = b;
    return str_cmp((*x)->id, (*y)->id);
}

/* What the rules must keep among them: ids are unique, and all are of the old form or none. */
static enum err check_together(struct call *call, const struct s3_life *life)
{
    const struct s3_life_rule **v = ARENA_ARRAY(call->arena, const struct s3_life_rule *, life->n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < life->n; i++) {
        v[i] = &life->v[i];
        if ((v[i]->form == S3_LIFE_PREFIX) != (v[0]->form == S3_LIFE_PREFIX))
            return call_error(call, &s3_err_invalid_request,
                              "Base level prefix cannot be used in Lifecycle V2, prefixes are only "
                              "supported in the Filter.");
    }
    qsort(v, life->n, sizeof(*v), by_id);
    for (size_t i = 1; i < life->n; i++)
        if (str_eq(v[i - 1]->id, v[i]->id))
            return call_error(call, &s3_err_invalid_argument,
                              "Rule ID must be unique. Found same ID for more than one rule");
    return ERR_OK;
}

static enum err take_rules(struct call *call, const struct s3_lifecycle_rules *in,
                           struct s3_life *ret_life)
{
    if (in->n == 0 || in->n > S3_LIFE_RULES_MAX || call->request->body.len > BODY_BYTES_MAX)
        return malformed(call);
    struct s3_life life = {ARENA_ARRAY(call->arena, struct s3_life_rule, in->n), in->n};
    if (!life.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++)
        TRY(take_rule(call, &in->v[i], &life.v[i]));
    *ret_life = life;
    return check_together(call, &life);
}

static struct str least_size(const struct s3_bucket_ref *b)
{
    return b->rec.flags & S3_LIFE_VARIES ? STR("varies_by_storage_class")
                                         : STR("all_storage_classes_128K");
}

enum err
s3_put_bucket_lifecycle_configuration(struct call *call,
                                      const struct s3_put_bucket_lifecycle_configuration_input *in,
                                      struct s3_put_bucket_lifecycle_configuration_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_verify_body(call, wire_header_get(call->request, STR("content-md5"))));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (!in->lifecycle_configuration)
        return malformed(call);
    bool had_rules = b.rec.life.n > 0;
    TRY(take_rules(call, &in->lifecycle_configuration->rules, &b.rec.life));
    b.rec.flags &= ~(uint64_t)S3_LIFE_VARIES;
    if (str_eq_c(in->transition_default_minimum_object_size, "varies_by_storage_class"))
        b.rec.flags |= S3_LIFE_VARIES;
    out->transition_default_minimum_object_size = least_size(&b);
    if (!had_rules) /* else the job is there, and maybe at work */
        TRY(s3_expire_begin(call->svc, call->txn, b.name));
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- showing and removing --------------------------------------------------------------------- */

static enum err show_and(struct call *call, const struct s3_life_rule *r,
                         struct s3_lifecycle_rule_filter *out)
{
    struct s3_lifecycle_rule_and_operator *both =
        ARENA_NEW(call->arena, struct s3_lifecycle_rule_and_operator);
    if (!both)
        return ERR_NOMEM;
    both->prefix = r->prefix;
    both->tags = s3_give_tags(call->arena, r->tags);
    if (r->over != S3_LIFE_NONE)
        WIRE_SET(both, object_size_greater_than, r->over);
    if (r->under != S3_LIFE_NONE)
        WIRE_SET(both, object_size_less_than, r->under);
    out->and = both;
    return both->tags.n == r->tags.n ? ERR_OK : ERR_NOMEM;
}

static enum err show_filter(struct call *call, const struct s3_life_rule *r,
                            struct s3_lifecycle_rule *out)
{
    if (r->form == S3_LIFE_PREFIX) {
        out->prefix = r->prefix;
        return ERR_OK;
    }
    struct s3_lifecycle_rule_filter *f = ARENA_NEW(call->arena, struct s3_lifecycle_rule_filter);
    if (!f)
        return ERR_NOMEM;
    out->filter = f;
    if (r->form == S3_LIFE_AND)
        return show_and(call, r, f);
    f->prefix = r->prefix;
    if (r->over != S3_LIFE_NONE)
        WIRE_SET(f, object_size_greater_than, r->over);
    if (r->under != S3_LIFE_NONE)
        WIRE_SET(f, object_size_less_than, r->under);
    if (r->tags.n == 0)
        return ERR_OK;
    f->tag = s3_give_tags(call->arena, r->tags).v;
    return f->tag ? ERR_OK : ERR_NOMEM;
}

static enum err show_expiration(struct call *call, const struct s3_life_rule *r,
                                struct s3_lifecycle_rule *out)
{
    if (r->days == 0 && r->date_ms == S3_LIFE_NONE && !r->has_expired_marker)
        return ERR_OK;
    struct s3_lifecycle_expiration *e = ARENA_NEW(call->arena, struct s3_lifecycle_expiration);
    if (!e)
        return ERR_NOMEM;
    if (r->days > 0)
        WIRE_SET(e, days, r->days);
    if (r->date_ms != S3_LIFE_NONE)
        WIRE_SET(e, date, r->date_ms);
    if (r->has_expired_marker)
        WIRE_SET(e, expired_object_delete_marker, r->expired_marker);
    out->expiration = e;
    return ERR_OK;
}

static enum err show_rule(struct call *call, const struct s3_life_rule *r,
                          struct s3_lifecycle_rule *out)
{
    out->id = r->id;
    out->status = r->enabled ? STR("Enabled") : STR("Disabled");
    TRY(show_filter(call, r, out));
    TRY(show_expiration(call, r, out));
    if (r->noncurrent_days > 0) {
        struct s3_noncurrent_version_expiration *n =
            ARENA_NEW(call->arena, struct s3_noncurrent_version_expiration);
        if (!n)
            return ERR_NOMEM;
        WIRE_SET(n, noncurrent_days, r->noncurrent_days);
        if (r->noncurrent_kept > 0)
            WIRE_SET(n, newer_noncurrent_versions, r->noncurrent_kept);
        out->noncurrent_version_expiration = n;
    }
    if (r->abort_days > 0) {
        struct s3_abort_incomplete_multipart_upload *u =
            ARENA_NEW(call->arena, struct s3_abort_incomplete_multipart_upload);
        if (!u)
            return ERR_NOMEM;
        WIRE_SET(u, days_after_initiation, r->abort_days);
        out->abort_incomplete_multipart_upload = u;
    }
    return ERR_OK;
}

enum err
s3_get_bucket_lifecycle_configuration(struct call *call,
                                      const struct s3_get_bucket_lifecycle_configuration_input *in,
                                      struct s3_get_bucket_lifecycle_configuration_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    const struct s3_life *life = &b.rec.life;
    if (life->n == 0) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_no_such_lifecycle_configuration,
                          "The lifecycle configuration does not exist");
    }
    struct s3_lifecycle_rule *rules = ARENA_ARRAY(call->arena, struct s3_lifecycle_rule, life->n);
    if (!rules)
        return ERR_NOMEM;
    for (size_t i = 0; i < life->n; i++)
        TRY(show_rule(call, &life->v[i], &rules[i]));
    out->rules = (struct s3_lifecycle_rules){rules, life->n};
    out->transition_default_minimum_object_size = least_size(&b);
    return ERR_OK;
}

enum err s3_delete_bucket_lifecycle(struct call *call,
                                    const struct s3_delete_bucket_lifecycle_input *in,
                                    struct s3_delete_bucket_lifecycle_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (b.rec.life.n == 0)
        return ERR_OK;
    b.rec.life = (struct s3_life){0};
    b.rec.flags &= ~(uint64_t)S3_LIFE_VARIES;
    TRY(s3_expire_end(call->svc, call->txn, b.name));
    return s3_bucket_put(call->svc, call->txn, &b);
}
