/* Get-, Put- and DeleteBucketTagging, and the rules of tags. Layer: svc. */
#include "base/arn.h"
#include "svc/s3/s3_int.h"

#define KEY_WORDS "The TagKey you have provided is invalid"
#define VALUE_WORDS "The TagValue you have provided is invalid"
#define RESERVED_WORDS "System tags cannot be added/updated by requester"
#define DUPLICATE_WORDS "Cannot provide multiple Tags with the same key"

const struct tags_rules s3_object_tag_rules = {
    .max = S3_OBJECT_TAGS_MAX,
    .otherwise = {&s3_err_invalid_tag, NULL},
    .words =
        {
            [TAGS_TOO_MANY] = {&s3_err_bad_request, "Object tags cannot be greater than {max}"},
            [TAGS_KEY_LENGTH] = {&s3_err_invalid_tag, KEY_WORDS},
            [TAGS_KEY_CHARS] = {&s3_err_invalid_tag, KEY_WORDS},
            [TAGS_VALUE_LENGTH] = {&s3_err_invalid_tag, VALUE_WORDS},
            [TAGS_VALUE_CHARS] = {&s3_err_invalid_tag, VALUE_WORDS},
            [TAGS_RESERVED] = {&s3_err_invalid_tag, RESERVED_WORDS},
            [TAGS_DUPLICATE] = {&s3_err_invalid_tag, DUPLICATE_WORDS},
        },
};

static enum err find(void *self, struct txn *txn, struct str ref, struct tags_resource *ret)
{
    struct arn arn;
    struct s3_bucket_rec rec;
    if (arn_parse_as(ref, "s3", NULL, &arn) != ERR_OK || str_is_set(arn_segment(&arn, 1)))
        return ERR_NOT_FOUND;
    TRY(s3_bucket_read(txn, arn.resource, true, &rec));
    *ret = (struct tags_resource){ref, rec.region};
    return ERR_OK;
}

static const struct tags_type types[] = {{NULL, "s3:PutBucketTagging", "s3:PutBucketTagging"}};

const struct tags_service s3_tags = {
    .rules =
        {
            .otherwise = {&s3_err_invalid_tag, NULL},
            .words =
                {
                    [TAGS_TOO_MANY] = {&s3_err_invalid_tag,
                                       "Bucket tag count cannot be greater than {max}"},
                    [TAGS_KEY_LENGTH] = {&s3_err_invalid_tag, KEY_WORDS},
                    [TAGS_KEY_CHARS] = {&s3_err_invalid_tag, KEY_WORDS},
                    [TAGS_VALUE_LENGTH] = {&s3_err_invalid_tag, VALUE_WORDS},
                    [TAGS_VALUE_CHARS] = {&s3_err_invalid_tag, VALUE_WORDS},
                    [TAGS_RESERVED] = {&s3_err_invalid_tag, RESERVED_WORDS},
                    [TAGS_DUPLICATE] = {&s3_err_invalid_tag, DUPLICATE_WORDS},
                },
        },
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

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
