/* The queues' own metrics ("AWS/SQS" by QueueName), of calls that succeeded. Messages that come as a target of
 * others are not counted as sent.
 *
 * Layer: svc/sqs. Thread: the call's loop. Source: SQS Developer Guide, "Available CloudWatch metrics". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/sqs/sqs_int.h"

static void put(const struct core_seen *seen, struct str queue, struct str name,
                enum measure_unit unit, double value, double weight)
{
    const struct measure_dim dim = {STR("QueueName"), queue};
    const struct measure what = {seen->call->region, STR("AWS/SQS"), &dim, 1};
    if (weight > 0)
        measure_put_many(seen->call->core, &what, name, unit, value, weight);
}

static void count(const struct core_seen *seen, struct str queue, struct str name, size_t n)
{
    put(seen, queue, name, MEASURE_COUNT, 1, (double)n);
}

static void sent(const struct core_seen *seen, struct str queue)
{
    if (seen->call->op->index == SQS_OP_SEND_MESSAGE) {
        const struct sqs_send_message_input *in = seen->in;
        count(seen, queue, STR("NumberOfMessagesSent"), 1);
        put(seen, queue, STR("SentMessageSize"), MEASURE_BYTES, (double)in->message_body.len, 1);
        return;
    }
    const struct sqs_send_message_batch_input *in = seen->in;
    const struct sqs_send_message_batch_output *out = seen->out;
    count(seen, queue, STR("NumberOfMessagesSent"), out->successful.n);
    for (size_t i = 0; i < in->entries.n && out->failed.n == 0; i++)
        put(seen, queue, STR("SentMessageSize"), MEASURE_BYTES,
            (double)in->entries.v[i].message_body.len, 1);
}

void sqs_measure(void *self, const struct core_seen *seen)
{
    if (!seen->call->op || !seen->in || !seen->out)
        return;
    struct str url = call_input_str(seen->call, STR("QueueUrl"));
    size_t slash = str_is_set(url) ? str_rfind(url, '/') : SIZE_MAX;
    struct str queue = slash == SIZE_MAX ? url : str_sub(url, slash + 1, SIZE_MAX);
    if (queue.len == 0)
        return;
    switch (seen->call->op->index) {
    case SQS_OP_SEND_MESSAGE:
    case SQS_OP_SEND_MESSAGE_BATCH:
        sent(seen, queue);
        break;
    case SQS_OP_RECEIVE_MESSAGE: {
        const struct sqs_receive_message_output *out = seen->out;
        count(seen, queue,
              out->messages.n > 0 ? STR("NumberOfMessagesReceived") : STR("NumberOfEmptyReceives"),
              out->messages.n > 0 ? out->messages.n : 1);
        break;
    }
    case SQS_OP_DELETE_MESSAGE:
        count(seen, queue, STR("NumberOfMessagesDeleted"), 1);
        break;
    case SQS_OP_DELETE_MESSAGE_BATCH:
        count(seen, queue, STR("NumberOfMessagesDeleted"),
              ((const struct sqs_delete_message_batch_output *)seen->out)->successful.n);
        break;
    default:
        break;
    }
}
