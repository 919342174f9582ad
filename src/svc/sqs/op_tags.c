/* TagQueue, UntagQueue, ListQueueTags. Layer: svc/sqs. */
#include "svc/sqs/sqs_int.h"

static enum err resource(struct call *call, struct str url, struct tags_resource *ret)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, url, &o));
    ret->arn = sqs_queue_arn(call->arena, o.queue);
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err find(void *self, struct txn *txn, struct str arn, struct tags_resource *ret)
{
    struct sqs_open o;
    ret->arn = arn;
    return sqs_open_arn(self, txn, arn, &o);
}

static const struct tags_type types[] = {{NULL, "sqs:TagQueue", "sqs:UntagQueue"}};

const struct tags_service sqs_tags = {
    .rules =
        {
            .otherwise = {&sqs_err_invalid_parameter_value, NULL},
            .words = {[TAGS_TOO_MANY] = {&sqs_err_invalid_parameter_value,
                                         "Too many tags added for queue: the limit is {max}."}},
        },
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err sqs_tag_queue(struct call *call, const struct sqs_tag_queue_input *in,
                       struct sqs_tag_queue_output *out)
{
    if (in->tags.n == 0)
        return call_error(call, &sqs_err_missing_parameter,
                          "The request must contain the parameter Tags.");
    return tags_op_add(call, &sqs_tags, in->queue_url, TAGS_FROM(in->tags));
}

enum err sqs_untag_queue(struct call *call, const struct sqs_untag_queue_input *in,
                         struct sqs_untag_queue_output *out)
{
    return tags_op_remove(call, &sqs_tags, in->queue_url, in->tag_keys.v, in->tag_keys.n);
}

enum err sqs_list_queue_tags(struct call *call, const struct sqs_list_queue_tags_input *in,
                             struct sqs_list_queue_tags_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &sqs_tags, in->queue_url, &tags));
    if (tags.n) /* AWS leaves the member out */
        TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
