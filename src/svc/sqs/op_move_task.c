/* StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask; what a task does: sqs_move.c.
 *
 * A handle says whose task it is: base64 of {"taskId":..,"sourceArn":..}. It is no secret: who cancels is
 * authorised for the queue that it names.
 *
 * Source: SQS API Reference; recorded answers. Layer: svc/sqs. */
#include "base/arn.h"
#include "base/rng.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "core/page.h"
#include "svc/sqs/sqs_move.h"

enum { HANDLE_MAX = 4096 };

/* --- handles ----------------------------------------------------------------------------------- */

struct handle {
    struct str task_id, source_arn;
};

static struct str handle_make(struct arena *a, const struct sqs_move_task *task)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, HANDLE_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("taskId"), task->id);
    json_kv_str(&o, STR("sourceArn"), task->source_arn);
    json_close(&o, '}');
    return buf_err(&b) == ERR_OK ? base64_encode(a, b.p, b.len) : STR_NONE;
}

static enum err handle_read(struct arena *a, struct str text, struct handle *ret)
{
    struct str bytes;
    struct json *doc;
    if (text.len > HANDLE_MAX)
        return ERR_INVALID;
    TRY(base64_decode(a, text, &bytes));
    TRY(json_parse(a, bytes, &doc, NULL));
    *ret = (struct handle){json_get_str(doc, STR("taskId")), json_get_str(doc, STR("sourceArn"))};
    return str_is_set(ret->task_id) && str_is_set(ret->source_arn) ? ERR_OK : ERR_INVALID;
}

enum err sqs_authorize_more(struct call *call, const void *in)
{
    struct handle h;
    struct str text = wire_input_str(call->op, in, STR("TaskHandle"));
    if (!str_is_set(text)) /* the other operations are authorised by their rows */
        return ERR_OK;
    enum err err = handle_read(call->arena, text, &h);
    if (err == ERR_NOMEM)
        return err;
    /* Without a queue that it is of, the permission must be for any. */
    return call_authorize(call, "sqs:CancelMessageMoveTask", err ? STR("*") : h.source_arn);
}

/* --- what is asked of ---------------------------------------------------------------------------- */

static enum err no_queue(struct call *call, const char *parameter)
{
    return call_error(call, &sqs_err_resource_not_found_exception,
                      "The resource that you specified for the %s parameter doesn't exist.",
                      parameter);
}

static enum err open_queue(struct call *call, const char *parameter, struct str arn,
                           struct sqs_open *ret)
{
    struct arn any;
    if (arn_parse(arn, &any) != ERR_OK)
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "You must use this format to specify the %s: "
                          "arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
                          parameter);
    enum err err = sqs_open_arn(call->svc, call->txn, arn, ret);
    /* Whose queue it is was authorised by its ARN; another account's cannot be reached from here. */
    if (err == ERR_NOT_FOUND ||
        (err == ERR_OK && !str_eq(ret->queue->scope.account, call->account)))
        return no_queue(call, parameter);
    return err;
}

static enum err refused(struct call *call, const char *why)
{
    return call_error(call, &sqs_err_invalid_parameter_value, "%s", why);
}

/* The queues that redrive to `arn` and may be sent to, where each message goes back by itself. */
struct sources {
    struct call *call;
    struct str arn;
    bool may_send; /* is to be checked for each */
    size_t n;
};

static enum err look_at_queue(void *arg, struct str key, struct str value)
{
    struct sources *f = arg;
    struct call *call = f->call;
    struct sqs_config c;
    struct str name;
    TRY(record_unpack(&sqs_config_type, call->arena, value, &c));
    if (!str_eq(c.dlq_arn, f->arn))
        return ERR_OK;
    f->n++;
    if (!f->may_send)
        return ERR_OK;
    TRY(key_read(&sqs_k_queue, key, call->arena, KEY_SKIP, &name));
    struct str arn = call_arn(call, "sqs", STR_FMT, STR_ARG(name));
    return str_is_set(arn) ? call_authorize(call, "sqs:SendMessage", arn) : ERR_NOMEM;
}

static enum err check_source(struct call *call, const struct sqs_start_message_move_task_input *in)
{
    struct sources f = {
        .call = call, .arn = in->source_arn, .may_send = !str_is_set(in->destination_arn)};
    TRY(txn_each(call->txn, key_range(call->arena, &sqs_k_queue, call_scope(call)), look_at_queue,
                 &f));
    return f.n ? ERR_OK : refused(call, "Source queue must be configured as a Dead Letter Queue.");
}

static enum err check_start(struct call *call, const struct sqs_start_message_move_task_input *in,
                            struct sqs_open *ret_from)
{
    struct sqs_open to;
    bool running;
    int64_t rate = in->max_number_of_messages_per_second;
    if (in->has_max_number_of_messages_per_second && (rate < 1 || rate > SQS_MOVE_RATE_MAX))
        return call_error(
            call, &sqs_err_invalid_parameter_value,
            "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You "
            "must enter a number that's between 1 and %d.",
            SQS_MOVE_RATE_MAX);
    TRY(open_queue(call, "SourceArn", in->source_arn, ret_from));
    TRY(check_source(call, in));
    if (str_is_set(in->destination_arn)) {
        TRY(open_queue(call, "DestinationArn", in->destination_arn, &to));
        if (str_eq(in->destination_arn, in->source_arn))
            return refused(call, "Source queue arn and destination queue arn cannot be the same.");
        if (to.config.fifo != ret_from->config.fifo)
            return refused(
                call, "The source queue and destination queue must be of the same queue type.");
    }
    TRY(sqs_move_running(call->txn, ret_from, &running));
    return running ? refused(call, "There is already a task running. Only one active task is "
                                   "allowed for a source queue arn at a given time.")
                   : ERR_OK;
}

/* --- operations ---------------------------------------------------------------------------------- */

enum err sqs_start_message_move_task(struct call *call,
                                     const struct sqs_start_message_move_task_input *in,
                                     struct sqs_start_message_move_task_output *out)
{
    struct sqs_open from;
    char id[RNG_UUID_LEN + 1];
    TRY(check_start(call, in, &from));
    struct sqs_move_task task = {
        .id = rng_uuid(id),
        .source_arn = in->source_arn,
        .destination_arn = in->destination_arn,
        .per_second =
            in->has_max_number_of_messages_per_second ? in->max_number_of_messages_per_second : 0,
        .started_ms = call->txn->wall_ms,
    };
    TRY(sqs_move_start(call->txn, &from, &task));
    out->task_handle = handle_make(call->arena, &task);
    return str_is_set(out->task_handle) ? ERR_OK : ERR_NOMEM;
}

static enum err tell(struct call *call, const struct sqs_move_task *t,
                     struct sqs_list_message_move_tasks_result_entry *e)
{
    static const struct str statuses[SQS_MOVE_STATUSES] = {
        STR_INIT("RUNNING"), STR_INIT("COMPLETED"), STR_INIT("CANCELLED"), STR_INIT("FAILED")};
    e->status = statuses[t->status];
    e->source_arn = t->source_arn;
    e->destination_arn = t->destination_arn;
    e->failure_reason = t->failure;
    WIRE_SET(e, approximate_number_of_messages_moved, (int64_t)t->moved);
    WIRE_SET(e, approximate_number_of_messages_to_move, (int64_t)t->to_move);
    WIRE_SET(e, started_timestamp, t->started_ms);
    if (t->per_second)
        WIRE_SET(e, max_number_of_messages_per_second, t->per_second);
    if (t->status != SQS_MOVE_RUNNING)
        return ERR_OK;
    e->task_handle = handle_make(call->arena, t);
    return str_is_set(e->task_handle) ? ERR_OK : ERR_NOMEM;
}

enum err sqs_list_message_move_tasks(struct call *call,
                                     const struct sqs_list_message_move_tasks_input *in,
                                     struct sqs_list_message_move_tasks_output *out)
{
    struct sqs_open from;
    struct sqs_move_list *l = ARENA_NEW(call->arena, struct sqs_move_list);
    struct sqs_list_message_move_tasks_result_entry *v =
        ARENA_ARRAY(call->arena, struct sqs_list_message_move_tasks_result_entry, SQS_MOVE_KEPT);
    int64_t max = in->has_max_results ? in->max_results : 1;
    if (!l || !v)
        return ERR_NOMEM;
    if (max < 1 || max > SQS_MOVE_KEPT)
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "Value %lld for parameter MaxResults is invalid. Reason: Must be between "
                          "1 and %d, if provided.",
                          (long long)max, SQS_MOVE_KEPT);
    TRY(open_queue(call, "SourceArn", in->source_arn, &from));
    TRY(sqs_move_list(call->txn, from.config.id, l));
    size_t n = min_size((size_t)max, l->n);
    for (size_t i = 0; i < n; i++) /* the newest first */
        TRY(tell(call, &l->tasks[l->n - 1 - i], &v[i]));
    if (n)
        out->results = (struct sqs_list_message_move_tasks_result_entry_list){v, n};
    return ERR_OK;
}

enum err sqs_cancel_message_move_task(struct call *call,
                                      const struct sqs_cancel_message_move_task_input *in,
                                      struct sqs_cancel_message_move_task_output *out)
{
    struct handle h;
    struct sqs_open from;
    struct sqs_move_list *l = ARENA_NEW(call->arena, struct sqs_move_list);
    size_t i = 0;
    if (!l)
        return ERR_NOMEM;
    enum err err = handle_read(call->arena, in->task_handle, &h);
    if (err == ERR_NOMEM)
        return err;
    if (err)
        return refused(call, "Value for parameter TaskHandle is invalid.");
    TRY(open_queue(call, "SourceArn", h.source_arn, &from));
    TRY(sqs_move_list(call->txn, from.config.id, l));
    while (i < l->n && !str_eq(l->tasks[i].id, h.task_id))
        i++;
    if (i == l->n)
        return call_error(call, &sqs_err_resource_not_found_exception, "Task does not exist.");
    err = sqs_move_cancel(call->txn, &from, l->keys[i], &l->tasks[i]);
    if (err == ERR_INVALID)
        return refused(call, "Only active tasks can be cancelled.");
    TRY(err);
    WIRE_SET(out, approximate_number_of_messages_moved, (int64_t)l->tasks[i].moved);
    return ERR_OK;
}
