/* Rules of tags: objects', and the row of buckets (core/tags.h). Layer: svc. Thread: pure, but for
 * the row's look-up. */
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
            [TAGS_RESERVED] = {&s3_err_invalid_tag, "Your TagKey cannot be prefixed with aws:"},
            [TAGS_DUPLICATE] = {&s3_err_invalid_tag, DUPLICATE_WORDS},
        },
};

static enum err find(void *self, struct txn *txn, struct str ref, struct tags_resource *ret)
{
    struct arn arn;
    struct s3_bucket_rec rec;
    if (arn_parse_as(ref, "s3", NULL, &arn) != ERR_OK || str_is_set(arn_segment(&arn, 1)))
        return ERR_NOT_FOUND;
    TRY(s3_bucket_read(txn, arn.resource, &rec));
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
