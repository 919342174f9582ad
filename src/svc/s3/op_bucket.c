/* CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation. Layer: svc. */
#include "base/rng.h"
#include "core/page.h"
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_list.h"
#include "svc/s3/s3_meter.h"

enum { LIST_BUCKETS_MAX = 10 * 1000 };

/* --- create ----------------------------------------------------------------------------------- */

/* Where the bucket is to live: the endpoint of a region makes buckets of that region only, the
 * global one (us-east-1) of any. */
static enum err choose_region(struct call *call, const struct s3_create_bucket_input *in,
                              struct s3_bucket_rec *rec)
{
    struct str wanted = in->create_bucket_configuration
                            ? in->create_bucket_configuration->location_constraint
                            : STR_NONE;
    /* aws-global is what SDKs call us-east-1's endpoint without a region in its name. */
    bool global = str_eq_c(call->region, "us-east-1") || str_eq_c(call->region, "aws-global");
    if (!str_is_set(wanted) || wanted.len == 0) {
        if (!global)
            return call_error(call, &s3_err_illegal_location_constraint,
                              "The unspecified location constraint is incompatible for the region "
                              "specific endpoint this request was sent to.");
        rec->region = STR("us-east-1");
        return ERR_OK;
    }
    if (!s3_region_ok(wanted) || (global && str_eq_c(wanted, "us-east-1"))) {
        TRY(call_error_detail(call, "LocationConstraint", wanted));
        return call_error(call, &s3_err_invalid_location_constraint,
                          "The specified location-constraint is not valid");
    }
    bool eu = str_eq_c(wanted, "EU");
    rec->region = eu ? STR("eu-west-1") : wanted;
    if (!global && !str_eq(rec->region, call->region))
        return call_error(call, &s3_err_illegal_location_constraint,
                          "The " STR_FMT " location constraint is incompatible for the region "
                          "specific endpoint this request was sent to.",
                          STR_ARG(wanted));
    rec->flags |= eu ? S3_REGION_EU : 0;
    return ERR_OK;
}

static enum err check_create(struct call *call, const struct s3_create_bucket_input *in)
{
    if (!s3_bucket_name_ok(in->bucket)) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_invalid_bucket_name, "The specified bucket is not valid.");
    }
    if (str_is_set(in->bucket_namespace) && !str_eq_c(in->bucket_namespace, "global"))
        return call_error(call, &s3_err_not_implemented,
                          "Weir supports the global bucket namespace only. See docs/reference.");
    const struct s3_create_bucket_configuration *c = in->create_bucket_configuration;
    if (c && (c->location || c->bucket))
        return call_error(call, &s3_err_not_implemented,
                          "Directory buckets are not supported by Weir. See docs/reference.");
    return ERR_OK;
}

/* A bucket that exists already: in us-east-1 its owner may create it again. */
static enum err create_again(struct call *call, const struct s3_create_bucket_input *in,
                             const struct s3_bucket_rec *rec, struct s3_create_bucket_output *out)
{
    if (str_eq_c(call->region, "us-east-1") && str_eq_c(rec->region, "us-east-1")) {
        out->location = str_fmt(call->arena, "/" STR_FMT, STR_ARG(in->bucket));
        return str_is_set(out->location) ? ERR_OK : ERR_NOMEM;
    }
    TRY(call_error_detail(call, "BucketName", in->bucket));
    return call_error(call, &s3_err_bucket_already_owned_by_you,
                      "Your previous request to create the named bucket succeeded and you already "
                      "own it.");
}

static enum err count_bucket(struct call *call, int64_t change)
{
    struct str key = key_make(call->arena, &s3_k_count, call_scope(call)), value;
    struct s3_count_rec count = {0};
    enum err err = txn_get(call->txn, key, &value);
    if (err == ERR_OK)
        err = record_unpack(&s3_count_type, call->arena, value, &count);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (change > 0 && count.buckets >= S3_BUCKETS_MAX)
        return call_error(call, &s3_err_too_many_buckets,
                          "You have attempted to create more buckets than allowed");
    if (change < 0 && count.buckets == 0)
        return ERR_CORRUPT;
    count.buckets += (uint64_t)change;
    return S3_PUT(call->txn, key, &s3_count_type, &count);
}

static enum err put_create_tags(struct call *call, const struct s3_create_bucket_input *in,
                                const struct s3_bucket_ref *b)
{
    const struct s3_create_bucket_configuration *c = in->create_bucket_configuration;
    struct tags_resource resource = {s3_arn(call, b->name, STR_NONE), b->rec.region};
    return c ? tags_op_create(call, &s3_tags, &resource, TAGS_FROM(c->tags)) : ERR_OK;
}

enum err s3_create_bucket(struct call *call, const struct s3_create_bucket_input *in,
                          struct s3_create_bucket_output *out)
{
    struct s3_bucket_ref b = {.name = in->bucket};
    struct s3_bucket_rec old;
    TRY(check_create(call, in));
    TRY(choose_region(call, in, &b.rec));
    enum err err = s3_bucket_read(call->txn, in->bucket, &old);
    if (err == ERR_OK)
        return create_again(call, in, &old, out);
    if (err != ERR_NOT_FOUND)
        return err;
    b.rec.id = rng_u64();
    if (!str_eq(call->account, call->core->cfg.account))
        b.rec.account = call->account;
    b.rec.created_ms = s3_now(call->txn);
    b.rec.flags |= S3_HAS_ACCESS_BLOCK | S3_BLOCK_ACLS | S3_IGNORE_ACLS | S3_BLOCK_POLICY |
                   S3_RESTRICT | S3_HAS_OWNERSHIP;
    if (str_is_set(in->object_ownership) && !s3_set_ownership(&b.rec, in->object_ownership))
        return s3_bad_argument(call, "x-amz-object-ownership", in->object_ownership,
                               "Invalid x-amz-object-ownership header");
    TRY(s3_acl_of_new_bucket(call, in, &b.rec));
    if (in->object_lock_enabled_for_bucket) {
        b.rec.flags |= S3_LOCKS;
        b.rec.versioning = S3_VERSIONED;
    }
    TRY(count_bucket(call, 1));
    TRY(put_create_tags(call, in, &b));
    TRY(s3_bucket_put(call->svc, call->txn, &b));
    TRY(s3_sizes_soon(call->svc, call->txn));
    out->location = str_fmt(call->arena, "/" STR_FMT, STR_ARG(in->bucket));
    out->bucket_arn = s3_arn(call, in->bucket, STR_NONE);
    return str_is_set(out->location) ? ERR_OK : ERR_NOMEM;
}

/* --- head, location --------------------------------------------------------------------------- */

enum err s3_head_bucket(struct call *call, const struct s3_head_bucket_input *in,
                        struct s3_head_bucket_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    out->bucket_region = b.rec.region;
    out->bucket_arn = s3_arn(call, in->bucket, STR_NONE);
    WIRE_SET(out, access_point_alias, false);
    return ERR_OK;
}

enum err s3_get_bucket_location(struct call *call, const struct s3_get_bucket_location_input *in,
                                struct s3_get_bucket_location_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    /* The document is one element that holds the text itself, empty for us-east-1. */
    struct str region = str_eq_c(b.rec.region, "us-east-1") ? STR("")
                        : b.rec.flags & S3_REGION_EU        ? STR("EU")
                                                            : b.rec.region;
    struct str doc = str_fmt(call->arena,
                             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
                             "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" STR_FMT
                             "</LocationConstraint>",
                             STR_ARG(region));
    if (!str_is_set(doc))
        return ERR_NOMEM;
    out->location_constraint = region;
    call_reply_raw(call, STR("application/xml"), doc);
    return ERR_OK;
}

/* --- delete ----------------------------------------------------------------------------------- */

static enum err is_empty(struct txn *txn, uint64_t bucket, const struct key_layout *table,
                         bool *ret_empty)
{
    struct key_range r = key_range(txn->arena, table, bucket);
    struct kv_iter *it;
    struct str key, value;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err err = kv_next(it, &key, &value);
    kv_iter_close(it);
    *ret_empty = err == ERR_NOT_FOUND;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Scans are not tracked; the guards make whoever adds a key meanwhile a conflict (SV2). */
static enum err take_guards(struct txn *txn, uint64_t bucket)
{
    for (int i = 0; i < S3_GUARD_SHARDS; i++) {
        struct str key = key_make(txn->arena, &s3_k_guard, bucket, (uint8_t)i), value;
        enum err err = txn_get(txn, key, &value);
        if (err == ERR_OK)
            TRY(txn_del(txn, key));
        else if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_OK;
}

enum err s3_delete_bucket(struct call *call, const struct s3_delete_bucket_input *in,
                          struct s3_delete_bucket_output *out)
{
    struct txn *txn = call->txn;
    struct s3_bucket_ref b;
    bool no_objects, no_versions, no_uploads;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(take_guards(txn, b.rec.id));
    TRY(is_empty(txn, b.rec.id, &s3_k_current, &no_objects));
    TRY(is_empty(txn, b.rec.id, &s3_k_version, &no_versions));
    if (!no_objects || !no_versions) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_bucket_not_empty,
                          no_objects ? "The bucket you tried to delete is not empty. You must "
                                       "delete all versions in the bucket."
                                     : "The bucket you tried to delete is not empty");
    }
    TRY(is_empty(txn, b.rec.id, &s3_k_upload, &no_uploads));
    if (!no_uploads) {
        TRY(txn_put(txn, key_make(call->arena, &s3_k_dropped, b.rec.id), STR("")));
        TRY(s3_clean_later(call->svc, txn));
    }
    TRY(tags_drop(txn, s3_arn(call, in->bucket, STR_NONE)));
    TRY(count_bucket(call, -1));
    return s3_bucket_del(call->svc, txn, in->bucket);
}

/* --- list ------------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    const struct s3_list_buckets_input *in;
    struct s3_list_buckets_output *out;
    struct arena scratch; /* of one record: its policy and rules are not asked for */
    struct s3_bucket *v;
    size_t n, cap, max;
};

static enum err list_bucket(void *arg, struct str key, struct str value)
{
    struct listing *l = arg;
    struct call *call = l->call;
    struct s3_bucket_rec rec;
    struct str name, wanted = l->in->bucket_region;
    TRY(s3_bucket_glance(&l->scratch, value, &rec));
    if ((str_is_set(wanted) && !str_eq(rec.region, wanted)) ||
        !str_eq(s3_bucket_owner(call->core, &rec), call->account))
        return ERR_OK;
    if (l->n == l->max) {
        TRY(s3_token_make(call, STR(""), l->v[l->n - 1].name, &l->out->continuation_token));
        return ERR_CLOSED;
    }
    TRY(ARENA_GROW(call->arena, l->v, l->n, l->cap, 64));
    TRY(key_read(&s3_k_bucket, key, call->arena, &name));
    struct s3_bucket *b = &l->v[l->n++];
    *b = (struct s3_bucket){.name = name, .bucket_arn = s3_arn(call, name, STR_NONE)};
    b->bucket_region = str_dup(call->arena, rec.region);
    WIRE_SET(b, creation_date, rec.created_ms);
    return ERR_OK;
}

enum err s3_list_buckets(struct call *call, const struct s3_list_buckets_input *in,
                         struct s3_list_buckets_output *out)
{
    struct str prefix = str_is_set(in->prefix) ? in->prefix : STR("");
    TRY(s3_check_key_text(call, prefix));
    if (in->has_max_buckets && (in->max_buckets < 1 || in->max_buckets > LIST_BUCKETS_MAX))
        return s3_bad_argument(call, "max-buckets",
                               str_fmt(call->arena, "%lld", (long long)in->max_buckets),
                               "Argument max-buckets must be an integer between 1 and 10000");
    struct key_range r = key_range(call->arena, &s3_k_bucket, KEY_STARTS(prefix));
    size_t max = in->has_max_buckets && in->max_buckets > 0
                     ? min_size((size_t)in->max_buckets, LIST_BUCKETS_MAX)
                     : LIST_BUCKETS_MAX;
    if (str_is_set(in->continuation_token)) {
        struct str name;
        TRY(s3_token_open(call, STR(""), in->continuation_token, &name));
        struct str after = key_make(call->arena, &s3_k_bucket, name);
        after = key_after_prefix(call->arena, after);
        if (str_cmp(after, r.from) > 0)
            r.from = after;
    }
    struct listing l = {.call = call, .in = in, .out = out, .max = max};
    arena_init(&l.scratch, S3_BUCKET_BYTES_MAX);
    enum err err = ARENA_GROW(call->arena, l.v, l.n, l.cap, 64); /* an empty list is one, too */
    if (!err)
        err = txn_each(call->txn, r, list_bucket, &l);
    arena_release(&l.scratch);
    TRY(err);
    out->buckets = (struct s3_buckets){l.v, l.n};
    out->owner = s3_owner_of(call);
    out->prefix = in->prefix;
    return out->owner ? ERR_OK : ERR_NOMEM;
}
