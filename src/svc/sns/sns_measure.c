/* The topics' own metrics ("AWS/SNS" by TopicName), of calls that succeeded.
 *
 * Layer: svc/sns. Thread: the call's loop. Source: SNS Developer Guide, "Monitoring topics using CloudWatch". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/sns/sns_int.h"

static void put(const struct core_seen *seen, struct str arn, struct str name,
                enum measure_unit unit, double value, double weight)
{
    size_t colon = arn.len > 0 ? str_rfind(arn, ':') : SIZE_MAX;
    if (colon == SIZE_MAX || weight <= 0)
        return;
    const struct measure_dim dim = {STR("TopicName"), str_sub(arn, colon + 1, SIZE_MAX)};
    const struct measure what = {seen->call->region, STR("AWS/SNS"), &dim, 1};
    measure_put_many(seen->call->core, &what, name, unit, value, weight);
}

void sns_measure(void *self, const struct core_seen *seen)
{
    if (!seen->call->op || !seen->in || !seen->out)
        return;
    struct str arn = call_input_str(seen->call, STR("TopicArn"));
    if (seen->call->op->index == SNS_OP_PUBLISH) {
        const struct sns_publish_input *in = seen->in;
        put(seen, arn, STR("NumberOfMessagesPublished"), MEASURE_COUNT, 1, 1);
        put(seen, arn, STR("PublishSize"), MEASURE_BYTES, (double)in->message.len, 1);
    } else if (seen->call->op->index == SNS_OP_PUBLISH_BATCH) {
        const struct sns_publish_batch_output *out = seen->out;
        put(seen, arn, STR("NumberOfMessagesPublished"), MEASURE_COUNT, 1,
            (double)out->successful.n);
    }
}
