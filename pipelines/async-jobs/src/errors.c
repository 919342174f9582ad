/* async-jobs: the error handler behind the topic. Reads the records of a batch that a consumer's
 * mapping gave up back from the stream, and marks their jobs as failed.
 *
 * Invariants
 *   H1  An event is answered without error only when every job of the batch is settled, or gone;
 *       everything else is an error, which ends on the event bus and in its archive.
 *   H2  Only jobs of the consumer that gave up are marked: the range of a batch holds others' too.
 *
 * Layer: pipeline. Thread: one. */
#include <stdio.h>
#include <stdlib.h>

#include "event.h"
#include "jobs.h"
#include "lambda.h"

enum { PAGE_RECORDS = 100, PAGES_MAX = 1000, BODY_MAX = 8 * 1024 };

static struct jobs jobs;
static struct str words_arn; /* of the consumer of words; the other takes all else */
static bool marking;         /* the switch by which this function is made to fail */

/* One document. */
struct task {
    struct lambda_context *ctx;
    struct arena *a;
    struct given_up what;
    struct str why; /* of an error, for the log */
};

/* --- the stream ------------------------------------------------------------------------------- */

static enum err stream_call(struct task *t, const char *operation, const struct buf *body,
                            const struct json **ret_json)
{
    struct aws_reply reply;
    TRY(buf_err(body));
    enum err err =
        aws_json(jobs.aws, "dynamodb-streams", operation, buf_str(body), t->a, &reply, ret_json);
    if (err == ERR_FAILED)
        t->why = str_fmt(t->a, "%s: " STR_FMT ": " STR_FMT, operation, STR_ARG(reply.error_code),
                         STR_ARG(reply.error_message));
    else if (err != ERR_OK)
        t->why = str_fmt(t->a, "%s: %s", operation, aws_error(jobs.aws));
    return err;
}

static enum err first_iterator(struct task *t, struct str *ret_iterator)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    buf_init_arena(&b, t->a, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("StreamArn"), t->what.stream_arn);
    json_kv_str(&o, STR("ShardId"), t->what.shard_id);
    json_kv_str(&o, STR("ShardIteratorType"), STR("AT_SEQUENCE_NUMBER"));
    json_kv_str(&o, STR("SequenceNumber"), t->what.first);
    json_close(&o, '}');
    TRY(stream_call(t, "GetShardIterator", &b, &reply));
    *ret_iterator = json_get_str(reply, STR("ShardIterator"));
    return ERR_OK;
}

static enum err next_page(struct task *t, struct str *iterator, const struct json **ret_records)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    buf_init_arena(&b, t->a, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("ShardIterator"), *iterator);
    json_kv_i64(&o, STR("Limit"), PAGE_RECORDS);
    json_close(&o, '}');
    TRY(stream_call(t, "GetRecords", &b, &reply));
    *iterator = json_get_str(reply, STR("NextShardIterator"));
    *ret_records = json_get(reply, STR("Records"));
    return ERR_OK;
}

/* --- the jobs --------------------------------------------------------------------------------- */

/* Why the job of `change` failed: what is wrong with it, if something is, else what became of its
 * batch. */
static struct str reason_of(const struct task *t, const struct change *change)
{
    struct work_result result;
    struct str reason = STR_NONE;
    if (work_run(t->a, change->kind, change->input, &result, &reason) == ERR_INVALID)
        return reason;
    return str_fmt(t->a, "its consumer gave up after %lld invocations: " STR_FMT,
                   (long long)t->what.invocations, STR_ARG(t->what.condition));
}

static enum err fail_for(void *arg, struct arena *a, const struct job *job,
                         struct outcome *ret_outcome)
{
    ret_outcome->reason = *(const struct str *)arg;
    return ERR_OK;
}

static enum err mark(struct task *t, const struct change *change)
{
    bool settled = false;
    struct str reason = reason_of(t, change);
    if (!str_is_set(reason))
        return ERR_NOMEM;
    TRY(jobs_settle(&jobs, t->a, change->id, fail_for, &reason, &settled, &t->why));
    printf("%s " STR_FMT ": " STR_FMT "\n", settled ? "failed" : "settled already",
           STR_ARG(change->id), STR_ARG(reason));
    return ERR_OK;
}

static enum err mark_record(struct task *t, const struct json *record, bool *ret_last)
{
    struct change change;
    TRY(change_read(record, &change));
    int place = sequence_cmp(change.sequence, t->what.last);
    *ret_last = place >= 0;
    if (place > 0 || !change.insert ||
        str_eq(change.kind, WORK_WORDS) != arn_is_function(t->what.function_arn, words_arn))
        return ERR_OK;
    return mark(t, &change);
}

/* All records of the batch. ERR_NOT_FOUND: the stream ends before. */
static enum err mark_batch(struct task *t)
{
    struct str iterator;
    bool last = false;
    TRY(first_iterator(t, &iterator));
    for (int pages = 0; pages < PAGES_MAX && iterator.len; pages++) {
        const struct json *records = NULL;
        TRY(next_page(t, &iterator, &records));
        JSON_EACH (records, record) {
            TRY(mark_record(t, record, &last));
            if (last)
                return ERR_OK;
        }
    }
    t->why = STR("the stream does not hold the whole batch");
    return ERR_NOT_FOUND;
}

/* --- events ----------------------------------------------------------------------------------- */

static int handle_message(struct lambda_context *ctx, struct str message)
{
    struct task t = {.ctx = ctx, .a = ctx->arena};
    enum err err = given_up_read(t.a, message, &t.what);
    if (err == ERR_INVALID)
        return lambda_fail(ctx, "Pipeline.BadEvent", "a message that is not of a batch given up");
    if (err == ERR_OK)
        err = mark_batch(&t);
    if (err == ERR_OK)
        return 0;
    return lambda_fail(ctx, "Pipeline.NotMarked", "batch " STR_FMT " of " STR_FMT ": %s: " STR_FMT,
                       STR_ARG(t.what.first), STR_ARG(t.what.shard_id), err_name(err),
                       STR_ARG(t.why));
}

static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct json *doc = NULL;
    if (!marking)
        return lambda_fail(ctx, "Pipeline.MarkingOff", "MARKING is not on");
    if (json_parse(ctx->arena, event, &doc, NULL) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event is not JSON");
    const struct json *records = json_get(doc, STR("Records"));
    if (!records || records->n == 0)
        return lambda_fail(ctx, "Pipeline.BadEvent", "an event without records");
    JSON_EACH (records, record) {
        int failed =
            handle_message(ctx, json_get_str(json_get(record, STR("Sns")), STR("Message")));
        if (failed)
            return failed;
    }
    return 0;
}

int main(void)
{
    jobs.table = str_c(getenv("TABLE"));
    words_arn = str_c(getenv("WORDS_FUNCTION_ARN"));
    marking = str_eq_c(str_c(getenv("MARKING")), "on");
    if (!jobs.table.len || !words_arn.len)
        return lambda_init_error("Pipeline.Configuration",
                                 "TABLE and WORDS_FUNCTION_ARN must be set"),
               1;
    if (aws_new(&jobs.aws) != ERR_OK)
        return lambda_init_error("Pipeline.Configuration", "no credentials or region"), 1;
    return lambda_run(handle);
}
