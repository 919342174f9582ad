/* Event source mappings: Create-, Get-, List-, Update- and DeleteEventSourceMapping, for queues.
 *
 * Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_keys.h"

enum {
    BATCH_DEFAULT = 10,
    BATCH_WITHOUT_WINDOW_MAX = 10,
    WINDOW_MAX_S = 300,
    CONCURRENCY_MIN = 2,
};

_Static_assert(sizeof(struct lambda_create_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration) &&
                   sizeof(struct lambda_update_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration) &&
                   sizeof(struct lambda_get_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration) &&
                   sizeof(struct lambda_delete_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration),
               "one shape");

static enum err fill(struct call *call, const struct lambda_mapping *m, const char *state,
                     struct lambda_event_source_mapping_configuration *out)
{
    struct arena *a = call->arena;
    struct str *types = ARENA_NEW(a, struct str);
    struct lambda_scaling_config *scaling = ARENA_NEW(a, struct lambda_scaling_config);

    if (!types || !scaling)
        return ERR_NOMEM;
    out->uuid = m->uuid;
    WIRE_SET(out, batch_size, m->batch_size);
    WIRE_SET(out, maximum_batching_window_in_seconds, m->window_s);
    out->event_source_arn = m->source_arn;
    out->function_arn = m->function_arn;
    WIRE_SET(out, last_modified, m->modified_ms);
    out->state = str_c(state ? state : m->enabled ? "Enabled" : "Disabled");
    out->state_transition_reason = STR("USER_INITIATED");
    out->last_processing_result = lambda_mapping_last_result(lambda_of(call), m);
    *types = STR("ReportBatchItemFailures");
    out->function_response_types.v = types;
    out->function_response_types.n = m->partial ? 1 : 0;
    if (m->concurrency_max) {
        WIRE_SET(scaling, maximum_concurrency, m->concurrency_max);
        out->scaling_config = scaling;
    }
    out->event_source_mapping_arn = lambda_mapping_arn(a, call->partition, m);
    return str_is_set(out->event_source_mapping_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err answer(struct call *call, const struct lambda_mapping *m, const char *state,
                       void *out)
{
    struct lambda_event_source_mapping_configuration config = {0};
    TRY(fill(call, m, state, &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

/* The settings of Create and Update as one. */
struct settings {
    bool enabled, has_enabled;
    int64_t batch_size, window_s;
    bool has_batch_size, has_window;
    const struct lambda_scaling_config *scaling;
    struct lambda_function_response_type_list types;
    bool filters, stream_only, tumbling, other_source, kms, metrics, logging, provisioned;
};

/* The members that the two have in common. */
#define SETTINGS(in)                                                                               \
    {                                                                                              \
        .enabled = (in)->enabled, .has_enabled = (in)->has_enabled,                                \
        .batch_size = (in)->batch_size, .has_batch_size = (in)->has_batch_size,                    \
        .window_s = (in)->maximum_batching_window_in_seconds,                                      \
        .has_window = (in)->has_maximum_batching_window_in_seconds,                                \
        .scaling = (in)->scaling_config, .types = (in)->function_response_types,                   \
        .filters = (in)->filter_criteria && (in)->filter_criteria->filters.n,                      \
        .stream_only = (in)->has_parallelization_factor ||                                         \
                       (in)->has_maximum_record_age_in_seconds ||                                  \
                       (in)->bisect_batch_on_function_error || (in)->has_maximum_retry_attempts || \
                       (in)->destination_config,                                                   \
        .tumbling = (in)->has_tumbling_window_in_seconds,                                          \
        .other_source = (in)->source_access_configurations.n ||                                    \
                        (in)->amazon_managed_kafka_event_source_config ||                          \
                        (in)->self_managed_kafka_event_source_config ||                            \
                        (in)->document_db_event_source_config,                                     \
        .kms = !str_empty((in)->kms_key_arn), .metrics = (in)->metrics_config != NULL,             \
        .logging = (in)->logging_config != NULL,                                                   \
        .provisioned = (in)->provisioned_poller_config != NULL,                                    \
    }

static enum err refuse(struct call *call, const struct settings *s)
{
    if (s->filters)
        return LAMBDA_INVALID(call,
                              "FilterCriteria is not supported by Weir for event sources of SQS.");
    if (s->stream_only)
        return LAMBDA_INVALID(
            call, "Unsupported parameters for SQS event source: StartingPosition, "
                  "ParallelizationFactor, DestinationConfig, MaximumRecordAgeInSeconds, "
                  "BisectBatchOnFunctionError and MaximumRetryAttempts are for streams.");
    if (s->tumbling || s->other_source)
        return LAMBDA_INVALID(call,
                              "Event sources other than SQS queues are not supported by Weir.");
    if (s->kms || s->metrics || s->logging || s->provisioned)
        return LAMBDA_INVALID(
            call, "KMSKeyArn, MetricsConfig, LoggingConfig and ProvisionedPollerConfig are "
                  "not supported by Weir.");
    return ERR_OK;
}

static bool is_fifo(struct str arn)
{
    return str_ends(arn, STR(".fifo"));
}

static enum err apply(struct call *call, const struct settings *s, struct lambda_mapping *m)
{
    TRY(refuse(call, s));
    if (s->has_enabled)
        m->enabled = s->enabled;
    if (s->has_window)
        m->window_s = s->window_s;
    if (s->has_batch_size)
        m->batch_size = s->batch_size;
    if (m->window_s < 0 || m->window_s > WINDOW_MAX_S)
        return LAMBDA_INVALID(call, "MaximumBatchingWindowInSeconds must be between 0 and %d",
                              WINDOW_MAX_S);
    if (is_fifo(m->source_arn) && m->window_s)
        return LAMBDA_INVALID(call, "Batching window is not supported for FIFO queues");
    if (m->batch_size < 1 || m->batch_size > LAMBDA_BATCH_MAX ||
        (is_fifo(m->source_arn) && m->batch_size > BATCH_WITHOUT_WINDOW_MAX))
        return LAMBDA_INVALID(call, "Batch size must be between 1 and %d",
                              is_fifo(m->source_arn) ? BATCH_WITHOUT_WINDOW_MAX : LAMBDA_BATCH_MAX);
    if (m->batch_size > BATCH_WITHOUT_WINDOW_MAX && m->window_s == 0)
        return LAMBDA_INVALID(call,
                              "Maximum batch window in seconds must be greater than 0 if maximum "
                              "batch size is greater than %d",
                              BATCH_WITHOUT_WINDOW_MAX);
    if (s->scaling) {
        if (s->scaling->has_maximum_concurrency &&
            (s->scaling->maximum_concurrency < CONCURRENCY_MIN ||
             s->scaling->maximum_concurrency > LAMBDA_CONCURRENCY_MAX))
            return LAMBDA_INVALID(call, "MaximumConcurrency must be between %d and %d",
                                  CONCURRENCY_MIN, LAMBDA_CONCURRENCY_MAX);
        m->concurrency_max =
            s->scaling->has_maximum_concurrency ? s->scaling->maximum_concurrency : 0;
    }
    if (s->types.v) {
        m->partial = false;
        for (size_t i = 0; i < s->types.n; i++)
            m->partial = m->partial || str_eq_c(s->types.v[i], "ReportBatchItemFailures");
    }
    return ERR_OK;
}

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
static enum err check_source(struct call *call, const struct lambda_fn *fn, struct str source_arn)
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

static enum err set_function(struct call *call, struct str function_name, struct lambda_mapping *m)
{
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, function_name, STR_NONE, &fn));
    TRY(check_source(call, fn, m->source_arn));
    m->function = fn->name;
    m->function_arn = lambda_arn(call->arena, call->partition, &fn->name, fn->name.qualifier);
    return str_is_set(m->function_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err claim(struct call *call, const struct lambda_mapping *m)
{
    struct str other;
    enum err err = lambda_mapping_claim(call->txn, m, &other);
    if (err == ERR_EXISTS)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "An event source mapping with SQS arn (\" " STR_FMT
                          " \") and function (\" " STR_FMT
                          " \") already exists. Please update or delete the existing mapping "
                          "with UUID " STR_FMT,
                          STR_ARG(m->source_arn), STR_ARG(m->function.name), STR_ARG(other));
    return err;
}

/* --- CreateEventSourceMapping ----------------------------------------------------------------- */

enum err
lambda_create_event_source_mapping(struct call *call,
                                   const struct lambda_create_event_source_mapping_input *in,
                                   struct lambda_create_event_source_mapping_output *out)
{
    struct lambda *l = lambda_of(call);
    char id[RNG_UUID_LEN + 1];
    struct lambda_mapping m = {
        .uuid = rng_uuid(id),
        .source_arn = in->event_source_arn,
        .batch_size = BATCH_DEFAULT,
        .enabled = true,
    };
    struct settings s = SETTINGS(in);

    s.stream_only |= str_is_set(in->starting_position) || in->has_starting_position_timestamp;
    s.other_source |= in->self_managed_event_source || in->topics.n || in->queues.n;
    if (!target_is(call->core, in->event_source_arn, "queue"))
        return LAMBDA_INVALID(call,
                              "Event sources other than SQS queues are not supported by Weir.");
    TRY(apply(call, &s, &m));
    TRY(set_function(call, in->function_name, &m));
    TRY(claim(call, &m));
    if (catalogue_count(l->mappings, key_prefix(call->arena, &lambda_k_mapping,
                                                call_scope(call))) >= LAMBDA_MAPPINGS_MAX)
        return LAMBDA_INVALID(call, "At most %d event source mappings can exist",
                              LAMBDA_MAPPINGS_MAX);
    m.uuid = str_dup(call->arena, m.uuid);
    if (!str_is_set(m.uuid))
        return ERR_NOMEM;
    TRY(lambda_mapping_put(call->txn, l, &m));
    const struct tags_resource resource = {
        .arn = lambda_mapping_arn(call->arena, call->partition, &m)};
    if (!str_is_set(resource.arn))
        return ERR_NOMEM;
    TRY(tags_op_create(call, &lambda_tags_service, &resource, TAGS_FROM(in->tags)));
    return answer(call, &m, "Creating", out);
}

/* --- Get, List, Update, Delete ---------------------------------------------------------------- */

static enum err mapping_of(struct call *call, struct str uuid, struct lambda_mapping **ret_m)
{
    enum err err = lambda_mapping_get(call->txn, lambda_of(call), call_scope(call), uuid, ret_m);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "The resource you requested does not exist.");
    return err;
}

enum err lambda_get_event_source_mapping(struct call *call,
                                         const struct lambda_get_event_source_mapping_input *in,
                                         struct lambda_get_event_source_mapping_output *out)
{
    struct lambda_mapping *m;
    TRY(mapping_of(call, in->uuid, &m));
    return answer(call, m, NULL, out);
}

/* The function that the mapping of a request leads to, unless the request brings another. */
enum err lambda_auth_mapping(struct call *call, const void *in, struct policy_context *ctx)
{
    struct lambda_mapping *m;
    struct str uuid = wire_input_str(call->op, in, STR("UUID"));
    if (!str_is_set(uuid) || str_is_set(wire_input_str(call->op, in, STR("FunctionName"))))
        return ERR_OK;
    enum err err = lambda_mapping_get(call->txn, call->svc, call_scope(call), uuid, &m);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct str arn = lambda_arn(call->arena, call->partition, &m->function, STR_NONE);
    policy_context_add(ctx, STR("lambda:FunctionArn"), arn);
    return str_is_set(arn) ? ERR_OK : ERR_NOMEM;
}

struct listing {
    struct call *call;
    struct str source_arn, function; /* absent: any */
    struct lambda_event_source_mapping_configuration *v;
    size_t n;
};

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct lambda_mapping m = {0};
    TRY(record_unpack(&lambda_mapping_type, l->call->arena, record, &m));
    *ret_match = (!str_is_set(l->source_arn) || str_eq(m.source_arn, l->source_arn)) &&
                 (!str_is_set(l->function) || str_eq(m.function.name, l->function));
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_mapping m = {.object.key = str_dup(l->call->arena, key)};
    TRY(record_unpack_copy(&lambda_mapping_type, l->call->arena, record, &m));
    return fill(l->call, &m, NULL, &l->v[l->n++]);
}

enum err lambda_list_event_source_mappings(struct call *call,
                                           const struct lambda_list_event_source_mappings_input *in,
                                           struct lambda_list_event_source_mappings_output *out)
{
    static const struct page_fns fns = {match, take};
    struct lambda_name name = {0};
    size_t limit = LAMBDA_MAPPING_LIST_MAX;

    if (str_is_set(in->function_name))
        TRY(lambda_name_of_call(call, in->function_name, STR_NONE, &name));
    if (in->has_max_items && in->max_items < LAMBDA_MAPPING_LIST_MAX)
        limit = (size_t)max_i64(in->max_items, 1);
    struct listing l = {.call = call, .source_arn = in->event_source_arn, .function = name.name};
    struct page page = page_of_call(call, STR(""), in->marker, limit);
    struct key_range range = key_range(call->arena, &lambda_k_mapping, call_scope(call));
    l.v = ARENA_ARRAY(call->arena, struct lambda_event_source_mapping_configuration, limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(lambda_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->event_source_mappings.v = l.v;
    out->event_source_mappings.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}

enum err
lambda_update_event_source_mapping(struct call *call,
                                   const struct lambda_update_event_source_mapping_input *in,
                                   struct lambda_update_event_source_mapping_output *out)
{
    struct lambda_mapping *m;
    const struct settings s = SETTINGS(in);

    TRY(mapping_of(call, in->uuid, &m));
    bool was_enabled = m->enabled;
    if (str_is_set(in->function_name)) {
        TRY(lambda_mapping_leave(call->txn, m));
        TRY(set_function(call, in->function_name, m));
        TRY(claim(call, m));
    }
    TRY(apply(call, &s, m));
    TRY(lambda_mapping_put(call->txn, lambda_of(call), m));
    return answer(call, m,
                  m->enabled == was_enabled ? "Updating"
                  : m->enabled              ? "Enabling"
                                            : "Disabling",
                  out);
}

enum err
lambda_delete_event_source_mapping(struct call *call,
                                   const struct lambda_delete_event_source_mapping_input *in,
                                   struct lambda_delete_event_source_mapping_output *out)
{
    struct lambda_mapping *m;

    TRY(mapping_of(call, in->uuid, &m));
    TRY(lambda_mapping_del(call->txn, lambda_of(call), m));
    return answer(call, m, "Deleting", out);
}
