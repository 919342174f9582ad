/* ListObjectsV2 and ListObjects. Layer: svc. */
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_list.h"

struct listing {
    struct s3_object *objects;
    struct s3_common_prefix *prefixes;
    size_t n_objects, n_prefixes;
    bool truncated;
    struct str last; /* key or group that ended the page; absent when nothing was listed */
};

struct request {
    uint64_t bucket;
    const struct s3_bucket_rec *rec;
    struct str prefix, delimiter, after;
    size_t max;
    bool url;
    const struct s3_owner *owner; /* NULL: not shown */
};

static enum err give_object(struct call *call, const struct request *rq, const struct s3_entry *e,
                            struct s3_object *o)
{
    struct s3_object_rec rec;
    TRY(record_unpack(&s3_object_type, call->arena, e->value, &rec));
    *o = (struct s3_object){
        .key = s3_list_text(call->arena, e->key, rq->url),
        .e_tag = s3_quote(call->arena, rec.etag),
        .storage_class = s3_class_name(rec.attrs.storage_class),
        .owner = rq->owner ? s3_object_owner(call, rq->rec, &rec.attrs, rq->owner) : NULL};
    WIRE_SET(o, last_modified, rec.modified_ms);
    WIRE_SET(o, size, (int64_t)rec.size);
    if (rec.sum.algo != S3_NO_CHECKSUM) {
        struct str *name = ARENA_NEW(call->arena, struct str);
        if (!name)
            return ERR_NOMEM;
        *name = s3_algo_name(rec.sum.algo);
        o->checksum_algorithm = (struct s3_checksum_algorithm_list){name, 1};
        o->checksum_type = s3_sum_type(&rec.sum);
    }
    return str_is_set(o->e_tag) ? ERR_OK : ERR_NOMEM;
}

static enum err fill(struct call *call, const struct request *rq, struct s3_walk *w,
                     struct listing *l)
{
    for (;;) {
        struct s3_entry e;
        enum err err = s3_walk_next(w, &e);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(err);
        if (l->n_objects + l->n_prefixes == rq->max) {
            l->truncated = true;
            return ERR_OK;
        }
        if (str_is_set(e.common_prefix)) {
            l->prefixes[l->n_prefixes++].prefix =
                s3_list_text(call->arena, e.common_prefix, rq->url);
            l->last = e.common_prefix;
        } else {
            TRY(give_object(call, rq, &e, &l->objects[l->n_objects++]));
            l->last = e.key;
        }
    }
}

static enum err list(struct call *call, const struct request *rq, struct listing *l)
{
    static const struct key_layout *const table = &s3_k_current;
    struct s3_walk w;
    *l = (struct listing){.objects = ARENA_ARRAY(call->arena, struct s3_object, rq->max),
                          .prefixes = ARENA_ARRAY(call->arena, struct s3_common_prefix, rq->max)};
    if (!l->objects || !l->prefixes)
        return ERR_NOMEM;
    if (rq->max == 0)
        return ERR_OK;
    enum err err = s3_walk_open(&w, call->txn, &table, 1, rq->bucket, rq->prefix, rq->delimiter,
                                rq->after, NULL);
    if (err == ERR_OK)
        err = fill(call, rq, &w, l);
    s3_walk_close(&w);
    return err;
}

static enum err tell_region(struct call *call, const struct s3_bucket_ref *b)
{
    return call_reply_header(call, STR("x-amz-bucket-region"), b->rec.region);
}

enum err s3_list_objects_v2(struct call *call, const struct s3_list_objects_v2_input *in,
                            struct s3_list_objects_v2_output *out)
{
    struct s3_bucket_ref b;
    struct listing l;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    struct request rq = {.bucket = b.rec.id,
                         .rec = &b.rec,
                         .prefix = in->prefix,
                         .delimiter = in->delimiter,
                         .after = in->start_after};
    TRY(s3_check_encoding(call, in->encoding_type, &rq.url));
    TRY(s3_list_size(call, "maxKeys", in->has_max_keys, in->max_keys, &rq.max));
    TRY(s3_check_list_text(call, "prefix", in->prefix));
    TRY(s3_check_list_text(call, "start-after", in->start_after));
    if (str_is_set(in->continuation_token))
        TRY(s3_token_open(call, in->bucket, in->continuation_token, &rq.after));
    if (in->fetch_owner)
        rq.owner = s3_owner_of(call);
    TRY(list(call, &rq, &l));
    out->contents = (struct s3_object_list){l.objects, l.n_objects};
    out->common_prefixes = (struct s3_common_prefix_list){l.prefixes, l.n_prefixes};
    out->name = in->bucket;
    out->prefix = s3_list_text(call->arena, str_is_set(in->prefix) ? in->prefix : STR(""), rq.url);
    out->delimiter = s3_list_delimiter(call->arena, in->delimiter, rq.url);
    out->start_after = s3_list_text(call->arena, in->start_after, rq.url);
    out->encoding_type = in->encoding_type;
    out->continuation_token = in->continuation_token;
    WIRE_SET(out, max_keys, (int64_t)rq.max);
    WIRE_SET(out, key_count, (int64_t)(l.n_objects + l.n_prefixes));
    WIRE_SET(out, is_truncated, l.truncated);
    TRY(tell_region(call, &b));
    if (l.truncated)
        TRY(s3_token_make(call, in->bucket, l.last, &out->next_continuation_token));
    return ERR_OK;
}

enum err s3_list_objects(struct call *call, const struct s3_list_objects_input *in,
                         struct s3_list_objects_output *out)
{
    struct s3_bucket_ref b;
    struct listing l;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    struct request rq = {.bucket = b.rec.id,
                         .rec = &b.rec,
                         .prefix = in->prefix,
                         .delimiter = in->delimiter,
                         .after = in->marker,
                         .owner = s3_owner_of(call)};
    TRY(s3_check_encoding(call, in->encoding_type, &rq.url));
    TRY(s3_list_size(call, "maxKeys", in->has_max_keys, in->max_keys, &rq.max));
    TRY(s3_check_list_text(call, "prefix", in->prefix));
    TRY(s3_check_list_text(call, "marker", in->marker));
    TRY(list(call, &rq, &l));
    out->contents = (struct s3_object_list){l.objects, l.n_objects};
    out->common_prefixes = (struct s3_common_prefix_list){l.prefixes, l.n_prefixes};
    out->name = in->bucket;
    out->prefix = s3_list_text(call->arena, str_is_set(in->prefix) ? in->prefix : STR(""), rq.url);
    out->marker = s3_list_text(call->arena, str_is_set(in->marker) ? in->marker : STR(""), rq.url);
    out->delimiter = s3_list_delimiter(call->arena, in->delimiter, rq.url);
    out->encoding_type = in->encoding_type;
    WIRE_SET(out, max_keys, (int64_t)rq.max);
    WIRE_SET(out, is_truncated, l.truncated);
    TRY(tell_region(call, &b));
    /* Without a delimiter the last key itself is the marker. */
    if (l.truncated && in->delimiter.len > 0)
        out->next_marker = s3_list_text(call->arena, l.last, rq.url);
    return ERR_OK;
}
