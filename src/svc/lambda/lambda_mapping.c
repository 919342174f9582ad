/* Settings of event source mappings: what may be asked of queues and of streams, and the filters.
 *
 * Source: Lambda developer guide, "How Lambda processes records from stream and queue-based event
 * sources"; "Control which events Lambda sends to your function". Layer: svc. Thread: the call's;
 * filters: any. */
#include "lang/pattern.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_window.h"

enum {
    BATCH_WITHOUT_WINDOW_MAX = 10,
    WINDOW_MAX_S = 300,
    CONCURRENCY_MIN = 2,
    PARALLEL_MAX = 10,
    RETRIES_MAX = 10000,
    AGE_MIN_S = 60,
    AGE_MAX_S = 7 * 24 * 3600,
    FILTERS_MAX = 5,
    FILTER_BYTES_MAX = 4096,
};

static bool is_fifo(struct str arn)
{
    return str_ends(arn, STR(".fifo"));
}

/* --- what is refused --------------------------------------------------------------------------- */

static enum err refuse(struct call *call, const struct lambda_mapping_settings *s,
                       const struct lambda_mapping *m)
{
    const struct {
        bool set;
        const char *name;
    } rows[] = {
        {!m->stream && s->has_parallel, "ParallelizationFactor"},
        {!m->stream && s->has_age_max, "MaximumRecordAgeInSeconds"},
        {!m->stream && s->bisect, "BisectBatchOnFunctionError"},
        {!m->stream && s->has_retries, "MaximumRetryAttempts"},
        {!m->stream && s->tumbling_s, "TumblingWindowInSeconds"},
        {s->destination && (!m->stream || s->destination->on_success), "DestinationConfig"},
        {m->stream && s->scaling, "ScalingConfig"},
    };
    if (!m->stream && (str_is_set(s->starting_position) || s->has_timestamp))
        return LAMBDA_INVALID(call, "StartingPosition is not valid for SQS event sources.");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].set)
            return LAMBDA_INVALID(call,
                                  "Unsupported %s parameter for given event source mapping type.",
                                  rows[i].name);
    if (s->other_source)
        return LAMBDA_INVALID(call, "Event sources other than SQS queues and DynamoDB streams are "
                                    "not supported by Weir.");
    if (s->kms || s->metrics || s->logging || s->provisioned)
        return LAMBDA_INVALID(
            call, "KMSKeyArn, MetricsConfig, LoggingConfig and ProvisionedPollerConfig are "
                  "not supported by Weir.");
    return ERR_OK;
}

/* --- batches ---------------------------------------------------------------------------------- */

static enum err apply_batch(struct call *call, const struct lambda_mapping_settings *s,
                            struct lambda_mapping *m)
{
    bool fifo = !m->stream && is_fifo(m->source_arn);
    if (s->has_window)
        m->window_s = s->window_s;
    if (s->has_batch_size)
        m->batch_size = s->batch_size;
    if (m->window_s < 0 || m->window_s > WINDOW_MAX_S)
        return LAMBDA_INVALID(call, "MaximumBatchingWindowInSeconds must be between 0 and %d",
                              WINDOW_MAX_S);
    if (fifo && m->window_s)
        return LAMBDA_INVALID(call, "Batching window is not supported for FIFO queues");
    if (m->batch_size < 1 || m->batch_size > LAMBDA_BATCH_MAX ||
        (fifo && m->batch_size > BATCH_WITHOUT_WINDOW_MAX))
        return LAMBDA_INVALID(call, "Batch size must be between 1 and %d",
                              fifo ? BATCH_WITHOUT_WINDOW_MAX : LAMBDA_BATCH_MAX);
    if (!m->stream && m->batch_size > BATCH_WITHOUT_WINDOW_MAX && m->window_s == 0)
        return LAMBDA_INVALID(call,
                              "Maximum batch window in seconds must be greater than 0 if maximum "
                              "batch size is greater than %d",
                              BATCH_WITHOUT_WINDOW_MAX);
    return ERR_OK;
}

static enum err apply_scaling(struct call *call, const struct lambda_scaling_config *in,
                              struct lambda_mapping *m)
{
    if (!in)
        return ERR_OK;
    if (in->has_maximum_concurrency && (in->maximum_concurrency < CONCURRENCY_MIN ||
                                        in->maximum_concurrency > LAMBDA_CONCURRENCY_MAX))
        return LAMBDA_INVALID(call, "MaximumConcurrency must be between %d and %d", CONCURRENCY_MIN,
                              LAMBDA_CONCURRENCY_MAX);
    m->concurrency_max = in->has_maximum_concurrency ? in->maximum_concurrency : 0;
    return ERR_OK;
}

struct str lambda_mapping_folder(struct arena *a, const struct lambda_mapping *m)
{
    return str_fmt(a, "aws/lambda/" STR_FMT, STR_ARG(m->uuid));
}

/* --- streams ---------------------------------------------------------------------------------- */

static enum err apply_stream(struct call *call, const struct lambda_mapping_settings *s,
                             const struct lambda_fn *fn, struct lambda_mapping *m)
{
    if (s->has_parallel)
        m->parallel = s->parallel;
    if (s->has_retries)
        m->retries = s->retries;
    if (s->has_age_max)
        m->age_max_s = s->age_max_s;
    if (s->has_bisect)
        m->bisect = s->bisect;
    if (s->has_tumbling)
        m->tumbling_s = s->tumbling_s;
    if (m->tumbling_s < 0 || m->tumbling_s > LAMBDA_WINDOW_MAX_S)
        return LAMBDA_INVALID(call, "TumblingWindowInSeconds must be between 0 and %d",
                              LAMBDA_WINDOW_MAX_S);
    if (m->parallel < 1 || m->parallel > PARALLEL_MAX)
        return LAMBDA_INVALID(call, "ParallelizationFactor must be between 1 and %d", PARALLEL_MAX);
    if (m->retries < -1 || m->retries > RETRIES_MAX)
        return LAMBDA_INVALID(call, "MaximumRetryAttempts must be between -1 and %d", RETRIES_MAX);
    if (m->age_max_s != -1 && (m->age_max_s < AGE_MIN_S || m->age_max_s > AGE_MAX_S))
        return LAMBDA_INVALID(call, "MaximumRecordAgeInSeconds must be -1, or between %d and %d",
                              AGE_MIN_S, AGE_MAX_S);
    if (!s->destination)
        return ERR_OK;
    struct str arn =
        s->destination->on_failure ? s->destination->on_failure->destination : STR_NONE;
    return lambda_failure_take(call, fn, arn, lambda_mapping_folder(call->arena, m),
                               &m->on_failure);
}

static enum err check_stream(struct call *call, const struct lambda_fn *fn, struct str arn)
{
    static const char *const actions[] = {"dynamodb:DescribeStream", "dynamodb:GetShardIterator",
                                          "dynamodb:GetRecords", "dynamodb:ListStreams"};
    const struct dynamodb_port *ddb = lambda_of(call)->ddb;
    struct ddb_stream *stream;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        enum err err = lambda_role_allowed(call->txn, fn->role, actions[i], arn);
        if (err == ERR_DENIED)
            return LAMBDA_INVALID(
                call,
                "Cannot access stream " STR_FMT ". Please ensure the role can perform the "
                "GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your "
                "stream in IAM.",
                STR_ARG(arn));
        TRY(err);
    }
    enum err err = ddb->find(ddb->self, call->txn, arn, &stream);
    if (err == ERR_NOT_FOUND)
        return LAMBDA_INVALID(call, "Stream not found: " STR_FMT, STR_ARG(arn));
    return err;
}

/* --- queues ----------------------------------------------------------------------------------- */

static enum err check_role(struct call *call, const struct lambda_fn *fn, struct str source_arn)
{
    static const char *const actions[] = {"sqs:ReceiveMessage", "sqs:DeleteMessage",
                                          "sqs:GetQueueAttributes"};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        enum err err = lambda_role_allowed(call->txn, fn->role, actions[i], source_arn);
        if (err == ERR_DENIED)
            return LAMBDA_INVALID(
                call, "The provided execution role does not have permissions to call %s on SQS",
                actions[i] + sizeof("sqs:") - 1);
        TRY(err);
    }
    return ERR_OK;
}

/* The queue exists, the role may read it, and it hides messages at least as long as the function
 * may run. */
static enum err check_queue(struct call *call, const struct lambda_fn *fn, struct str source_arn)
{
    struct lambda *l = lambda_of(call);
    int64_t visibility_s;

    TRY(check_role(call, fn, source_arn));
    enum err err = l->sqs->visibility_timeout(l->sqs->self, call->txn, source_arn, &visibility_s);
    if (err == ERR_NOT_FOUND || err == ERR_INVALID)
        return LAMBDA_INVALID(call,
                              "Error occurred while ReceiveMessage. SQS Error Code: "
                              "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The "
                              "specified queue does not exist.");
    TRY(err);
    if (visibility_s < fn->timeout_s)
        return LAMBDA_INVALID(
            call,
            "Queue visibility timeout: %lld seconds is less than Function timeout: "
            "%lld seconds",
            (long long)visibility_s, (long long)fn->timeout_s);
    return ERR_OK;
}

enum err lambda_mapping_check_source(struct call *call, const struct lambda_fn *fn,
                                     const struct lambda_mapping *m)
{
    return m->stream ? check_stream(call, fn, m->source_arn) : check_queue(call, fn, m->source_arn);
}

enum err lambda_mapping_may(struct txn *txn, struct lambda *l, const struct lambda_mapping *m,
                            const char *action, struct str *ret_role)
{
    struct lambda_fn *fn;
    enum err err = lambda_fn_find(l, &m->function, &fn);
    if (err == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(err);
    err = lambda_role_allowed(txn, fn->role, action, m->source_arn);
    *ret_role = str_dup(txn->arena, fn->role);
    lambda_fn_unref(fn);
    return err == ERR_OK && !str_is_set(*ret_role) ? ERR_NOMEM : err;
}

/* --- filters ---------------------------------------------------------------------------------- */

static enum err apply_filters(struct call *call, const struct lambda_filter_criteria *in,
                              struct lambda_mapping *m)
{
    struct str message;
    if (!in)
        return ERR_OK;
    if (in->filters.n > FILTERS_MAX)
        return LAMBDA_INVALID(call, "At most %d filters can be given.", FILTERS_MAX);
    m->filters = ARENA_ARRAY(call->arena, struct str, in->filters.n);
    if (!m->filters)
        return ERR_NOMEM;
    m->n_filters = 0;
    for (size_t i = 0; i < in->filters.n; i++) {
        struct str pattern = in->filters.v[i].pattern;
        if (pattern.len > FILTER_BYTES_MAX)
            return LAMBDA_INVALID(call, "A filter pattern has at most %d bytes.", FILTER_BYTES_MAX);
        m->filters[m->n_filters++] = str_is_set(pattern) ? pattern : STR("");
    }
    enum err err = lambda_filters_open(call->arena, m, &message);
    if (err == ERR_INVALID)
        return LAMBDA_INVALID(call, STR_FMT, STR_ARG(message));
    return err;
}

enum err lambda_filters_open(struct arena *a, struct lambda_mapping *m, struct str *ret_message)
{
    struct pattern **patterns = ARENA_ARRAY(a, struct pattern *, m->n_filters);
    struct pattern_set *set;
    m->matcher = NULL;
    if (m->n_filters == 0)
        return ERR_OK;
    if (!patterns)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_filters; i++)
        TRY(pattern_parse(a, m->filters[i], PATTERN_LAMBDA, &patterns[i], ret_message));
    TRY(pattern_set_new(a, patterns, m->n_filters, &set));
    m->matcher = set;
    return ERR_OK;
}

/* A message's body as what it says, where that is JSON. */
static void open_body(struct arena *scratch, struct json *record)
{
    struct json *parsed, *body = record->child;
    while (body && !str_eq_c(body->key, "body"))
        body = body->next;
    if (!body || body->kind != JSON_STRING ||
        json_parse(scratch, body->text, &parsed, NULL) != ERR_OK || parsed->kind != JSON_OBJECT)
        return;
    parsed->key = body->key;
    parsed->next = body->next;
    *body = *parsed;
}

enum err lambda_filters_match(const struct lambda_mapping *m, struct arena *scratch,
                              struct str record, bool *ret_match)
{
    struct json *doc;
    const uint32_t *ids;
    size_t n = 0;
    *ret_match = true;
    if (!m->matcher)
        return ERR_OK;
    TRY(json_parse(scratch, record, &doc, NULL));
    if (!m->stream)
        open_body(scratch, doc);
    enum err err = pattern_set_match(m->matcher, doc, scratch, &ids, &n);
    if (err == ERR_LIMIT) /* what is too much to judge is not thrown away */
        return ERR_OK;
    *ret_match = err == ERR_OK && n > 0;
    return err;
}

/* --- all of them ------------------------------------------------------------------------------ */

enum err lambda_mapping_apply(struct call *call, const struct lambda_mapping_settings *s,
                              const struct lambda_fn *fn, struct lambda_mapping *m)
{
    TRY(refuse(call, s, m));
    if (s->has_enabled)
        m->enabled = s->enabled;
    TRY(apply_batch(call, s, m));
    TRY(apply_scaling(call, s->scaling, m));
    if (m->stream)
        TRY(apply_stream(call, s, fn, m));
    if (s->types.v) {
        m->partial = false;
        for (size_t i = 0; i < s->types.n; i++)
            m->partial = m->partial || str_eq_c(s->types.v[i], "ReportBatchItemFailures");
    }
    return apply_filters(call, s->filters, m);
}

/* --- what a function answers -------------------------------------------------------------------- */

enum err lambda_batch_failures(struct arena *a, struct str response, const struct str *ids,
                               size_t n_ids, bool *ret_failed)
{
    struct json *doc;
    struct map index;
    enum err err = ERR_OK;

    if (str_empty(str_trim(response)))
        return ERR_OK;
    TRY(json_parse(a, response, &doc, NULL));
    const struct json *list = json_get(doc, STR("batchItemFailures"));
    if (!list || list->kind == JSON_NULL)
        return ERR_OK;
    if (list->kind != JSON_ARRAY)
        return ERR_INVALID;
    map_init(&index);
    for (size_t i = 0; i < n_ids && err == ERR_OK; i++)
        err = map_put(&index, ids[i], &ret_failed[i], NULL);
    if (err == ERR_OK) {
        JSON_EACH (list, item) {
            struct str id = json_get_str(item, STR("itemIdentifier"));
            bool *failed = str_empty(id) ? NULL : map_get(&index, id);
            if (!failed) {
                err = ERR_INVALID;
                break;
            }
            *failed = true;
        }
    }
    map_release(&index);
    return err;
}
