/* TagResource, UntagResource, ListResourceTags.
 *
 * Layer: svc. Thread: the call's. */
#include "base/arn.h"
#include "svc/kms/kms_int.h"

static enum err resource(struct call *call, struct str ref, struct tags_resource *ret)
{
    struct kms_key key;
    TRY(kms_need(call, ref, KMS_BY_ID, &key));
    ret->arn = kms_key_arn(call, &key);
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    struct kms_key key;
    struct arn parts;
    if (arn_parse_as(arn, "kms", "key", &parts) != ERR_OK || !kms_is_uuid(arn_tail(&parts, 1)))
        return ERR_NOT_FOUND;
    ret->arn = arn;
    return kms_key_read(txn, (struct key_scope){parts.account, parts.region}, arn_tail(&parts, 1),
                        &key);
}

static const struct tags_type types[] = {{"key", "kms:TagResource", "kms:UntagResource"}};

const struct tags_service kms_tags = {
    .rules =
        {
            .otherwise = {&kms_err_tag_exception, NULL},
            .words =
                {
                    [TAGS_TOO_MANY] = {&kms_err_limit_exceeded_exception,
                                       "A key can have no more than {max} tags."},
                    [TAGS_DUPLICATE] = {&kms_err_tag_exception, "Duplicate tag keys"},
                },
        },
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

/* A key that is going does not change any more. */
static enum err changeable(struct call *call, struct str ref)
{
    struct kms_key key;
    TRY(kms_need(call, ref, KMS_BY_ID, &key));
    return kms_not_pending_deletion(call, &key);
}

enum err kms_tag_resource(struct call *call, const struct kms_tag_resource_input *in,
                          struct kms_tag_resource_output *out)
{
    TRY(changeable(call, in->key_id));
    return tags_op_add(call, &kms_tags, in->key_id, TAGS_FROM_NAMED(in->tags, tag_key, tag_value));
}

enum err kms_untag_resource(struct call *call, const struct kms_untag_resource_input *in,
                            struct kms_untag_resource_output *out)
{
    TRY(changeable(call, in->key_id));
    return tags_op_remove(call, &kms_tags, in->key_id, in->tag_keys.v, in->tag_keys.n);
}

enum err kms_list_resource_tags(struct call *call, const struct kms_list_resource_tags_input *in,
                                struct kms_list_resource_tags_output *out)
{
    struct tag_list tags;
    struct str after;
    struct page page =
        kms_page(call, in->key_id, in->marker, in->has_limit ? (size_t)in->limit : KMS_LIST);
    TRY(tags_op_list(call, &kms_tags, in->key_id, &tags));
    TRY(kms_paged(call, page_start(&page, &after)));
    while (str_is_set(after) && tags.n > 0 && str_cmp(tags.v[0].key, after) <= 0) {
        tags.v++;
        tags.n--;
    }
    if (tags.n > page.limit) {
        tags.n = page.limit;
        TRY(page_end(&page, tags.v[tags.n - 1].key));
    }
    TAGS_INTO_NAMED(out->tags, tags, tag_key, tag_value);
    KMS_PAGED(out, &page);
    return ERR_OK;
}
