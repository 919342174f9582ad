/* Get-, Put- and DeleteObjectTagging. Layer: svc. */
#include "svc/s3/s3_int.h"

static enum err change_tags(struct call *call, struct str bucket, struct str owner, struct str key,
                            struct str version_id, struct s3_pairs tags, enum s3_event event,
                            struct str *ret_version)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    bool current;
    TRY(s3_bucket_get(call, bucket, owner, &b));
    TRY(s3_find_for_read(call, &b, key, version_id, &rec, &current));
    rec.attrs.tags = tags;
    TRY(s3_rewrite(call->txn, b.rec.id, key, &rec, current));
    bool versions = b.rec.versioning != S3_UNVERSIONED;
    *ret_version = versions ? rec.version_id : STR_NONE;
    return s3_notify(call, &b,
                     &(struct s3_happening){.event = event,
                                            .key = key,
                                            .version_id = *ret_version,
                                            .etag = rec.etag,
                                            .size = rec.size,
                                            .seq = rec.seq});
}

enum err s3_get_object_tagging(struct call *call, const struct s3_get_object_tagging_input *in,
                               struct s3_get_object_tagging_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_find_for_read(call, &b, in->key, in->version_id, &rec, NULL));
    out->tag_set = s3_give_tags(call->arena, rec.attrs.tags);
    if (b.rec.versioning != S3_UNVERSIONED)
        out->version_id = rec.version_id;
    return out->tag_set.v ? ERR_OK : ERR_NOMEM;
}

enum err s3_put_object_tagging(struct call *call, const struct s3_put_object_tagging_input *in,
                               struct s3_put_object_tagging_output *out)
{
    struct s3_pairs tags;
    TRY(s3_verify_body(call, in->content_md5));
    struct tag_list given = in->tagging ? TAGS_FROM(in->tagging->tag_set) : (struct tag_list){0};
    TRY(tags_check_call(call, &s3_object_tag_rules, given));
    TAGS_INTO(tags, given);
    return change_tags(call, in->bucket, in->expected_bucket_owner, in->key, in->version_id, tags,
                       S3_EVENT_TAGS_PUT, &out->version_id);
}

enum err s3_delete_object_tagging(struct call *call,
                                  const struct s3_delete_object_tagging_input *in,
                                  struct s3_delete_object_tagging_output *out)
{
    return change_tags(call, in->bucket, in->expected_bucket_owner, in->key, in->version_id,
                       (struct s3_pairs){0}, S3_EVENT_TAGS_DELETE, &out->version_id);
}
