/* The queues' own metrics ("AWS/SQS" by QueueName): of calls that succeeded, of messages that come as a target of
 * others, and each minute of what is in the queues.
 *
 * Layer: svc/sqs. Thread: the call's loop; gauges: the home loop. Source: SQS Developer Guide, "Available CloudWatch metrics". */
#include "base/clock.h"
#include "core/measure.h"
#include "core/observe.h"
#include "svc/sqs/sqs_int.h"

static void count(const struct core_seen *seen, struct str queue, struct str name, size_t n)
{
    const struct measure_dim dim = {STR("QueueName"), queue};
    const struct measure what = {seen->call->region, STR("AWS/SQS"), &dim, 1, seen->call->account};
    if (n > 0)
        measure_put_many(seen->call->core, &what, name, MEASURE_COUNT, 1, (double)n);
}

void sqs_measure_sent(const struct sqs_queue *q, size_t bytes)
{
    const struct measure_dim dim = {STR("QueueName"), q->name};
    const struct measure what = {q->scope.region, STR("AWS/SQS"), &dim, 1, q->scope.account};
    if (!measure_wanted(q->sqs->core))
        return;
    measure_put(q->sqs->core, &what, STR("NumberOfMessagesSent"), MEASURE_COUNT, 1);
    measure_put(q->sqs->core, &what, STR("SentMessageSize"), MEASURE_BYTES, (double)bytes);
}

void sqs_measure_duplicate(const struct sqs_queue *q)
{
    const struct measure_dim dim = {STR("QueueName"), q->name};
    const struct measure what = {q->scope.region, STR("AWS/SQS"), &dim, 1, q->scope.account};
    measure_put(q->sqs->core, &what, STR("NumberOfDeduplicatedSentMessages"), MEASURE_COUNT, 1);
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

/* --- gauges ------------------------------------------------------------------------------------- */

static void put_gauges(struct sqs_queue *q, int64_t now_ms)
{
    size_t visible, out, delayed;
    pthread_mutex_lock(&q->lock);
    if (sqs_index_promote(q->ix, now_ms) > 0)
        sqs_queue_wake(q);
    visible = q->ix->count[SQS_SLOT_VISIBLE];
    out = q->ix->count[SQS_SLOT_LEASED] + q->ix->count[SQS_SLOT_TAKEN];
    delayed = q->ix->count[SQS_SLOT_DELAYED];
    uint64_t oldest = sqs_index_oldest(q->ix);
    bool told = visible + out + delayed > 0 || q->gauged > 0;
    q->gauged = visible + out + delayed > 0 ? SQS_GAUGED_MIN : q->gauged - told;
    pthread_mutex_unlock(&q->lock);
    if (!told)
        return;
    int64_t sent_ms = (int64_t)(oldest >> SQS_SEQ_TIME_SHIFT);
    double age_s = oldest == UINT64_MAX || sent_ms > now_ms ? 0 : (double)(now_ms - sent_ms) / 1000;
    struct core *core = q->sqs->core;
    const struct measure_dim dim = {STR("QueueName"), q->name};
    const struct measure what = {q->scope.region, STR("AWS/SQS"), &dim, 1, q->scope.account};
    measure_put(core, &what, STR("ApproximateNumberOfMessagesVisible"), MEASURE_COUNT,
                (double)visible);
    measure_put(core, &what, STR("ApproximateNumberOfMessagesNotVisible"), MEASURE_COUNT,
                (double)out);
    measure_put(core, &what, STR("ApproximateNumberOfMessagesDelayed"), MEASURE_COUNT,
                (double)delayed);
    measure_put(core, &what, STR("ApproximateAgeOfOldestMessage"), MEASURE_SECONDS, age_s);
}

void sqs_gauges(void *self)
{
    struct sqs *s = self;
    struct str key;
    void *queue;
    int64_t now_ms = clock_now_ms();
    pthread_rwlock_rdlock(&s->lock);
    for (size_t it = 0; map_next(&s->queues, &it, &key, &queue);)
        put_gauges(queue, now_ms);
    pthread_rwlock_unlock(&s->lock);
}
