/* Get-, Put- and DeleteBucketTagging. Layer: svc. */
#include "svc/s3/s3_int.h"

enum err s3_get_bucket_tagging(struct call *call, const struct s3_get_bucket_tagging_input *in,
                               struct s3_get_bucket_tagging_output *out)
{
    struct s3_bucket_ref b;
    struct tag_list tags;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(tags_of(call->txn, s3_arn(call, in->bucket, STR_NONE), &tags));
    if (tags.n == 0) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_no_such_tag_set, "The TagSet does not exist");
    }
    TAGS_INTO(out->tag_set, tags);
    return ERR_OK;
}

/* Replaces all of them. */
static enum err set(struct call *call, struct str bucket, struct str owner, struct tag_list tags)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, bucket, owner, &b));
    struct tags_resource resource = {s3_arn(call, bucket, STR_NONE), b.rec.region};
    return tags_set(call->txn, &resource, tags);
}

enum err s3_put_bucket_tagging(struct call *call, const struct s3_put_bucket_tagging_input *in,
                               struct s3_put_bucket_tagging_output *out)
{
    struct tag_list tags = in->tagging ? TAGS_FROM(in->tagging->tag_set) : (struct tag_list){0};
    TRY(s3_verify_body(call, in->content_md5));
    TRY(tags_check_call(call, &s3_tags.rules, tags));
    return set(call, in->bucket, in->expected_bucket_owner, tags);
}

enum err s3_delete_bucket_tagging(struct call *call,
                                  const struct s3_delete_bucket_tagging_input *in,
                                  struct s3_delete_bucket_tagging_output *out)
{
    return set(call, in->bucket, in->expected_bucket_owner, (struct tag_list){0});
}
