/* Event source mappings: Create-, Get-, List-, Update- and DeleteEventSourceMapping, for queues.
 *
 * Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "kv/key.h"
#include "svc/lambda/lambda_int.h"

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

#define INVALID(call, ...)                                                                         \
    call_error((call), &lambda_err_invalid_parameter_value_exception, __VA_ARGS__)

static enum err fill(struct call *call, const struct lambda_mapping *rec, const char *state,
                     struct lambda_event_source_mapping_configuration *out)
{
    struct arena *a = call->arena;
    struct str *types = ARENA_NEW(a, struct str);
    struct lambda_scaling_config *scaling = ARENA_NEW(a, struct lambda_scaling_config);

    if (!types || !scaling)
        return ERR_NOMEM;
    out->uuid = rec->uuid;
    WIRE_SET(out, batch_size, rec->batch_size);
    WIRE_SET(out, maximum_batching_window_in_seconds, rec->window_s);
    out->event_source_arn = rec->source_arn;
    out->function_arn = rec->function_arn;
    WIRE_SET(out, last_modified, rec->modified_ms);
    out->state = str_c(state ? state : rec->enabled ? "Enabled" : "Disabled");
    out->state_transition_reason = STR("USER_INITIATED");
    out->last_processing_result =
        lambda_pollers_last_result(lambda_of(call)->pollers, rec->uuid, a);
    *types = STR("ReportBatchItemFailures");
    out->function_response_types.v = types;
    out->function_response_types.n = rec->partial ? 1 : 0;
    if (rec->concurrency_max) {
        WIRE_SET(scaling, maximum_concurrency, rec->concurrency_max);
        out->scaling_config = scaling;
    }
    out->event_source_mapping_arn =
        call_arn(call, "lambda", "event-source-mapping:" STR_FMT, STR_ARG(rec->uuid));
    return str_is_set(out->event_source_mapping_arn) ? ERR_OK : ERR_NOMEM;
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

static enum err refuse(struct call *call, const struct settings *s)
{
    if (s->filters)
        return INVALID(call, "FilterCriteria is not supported by Weir for event sources of SQS.");
    if (s->stream_only)
        return INVALID(call,
                       "Unsupported parameters for SQS event source: StartingPosition, "
                       "ParallelizationFactor, DestinationConfig, MaximumRecordAgeInSeconds, "
                       "BisectBatchOnFunctionError and MaximumRetryAttempts are for streams.");
    if (s->tumbling || s->other_source)
        return INVALID(call, "Event sources other than SQS queues are not supported by Weir.");
    if (s->kms || s->metrics || s->logging || s->provisioned)
        return INVALID(call,
                       "KMSKeyArn, MetricsConfig, LoggingConfig and ProvisionedPollerConfig are "
                       "not supported by Weir.");
    return ERR_OK;
}

static bool is_fifo(struct str arn)
{
    return str_ends(arn, STR(".fifo"));
}

static enum err apply(struct call *call, const struct settings *s, struct lambda_mapping *rec)
{
    TRY(refuse(call, s));
    if (s->has_enabled)
        rec->enabled = s->enabled;
    if (s->has_window)
        rec->window_s = s->window_s;
    if (s->has_batch_size)
        rec->batch_size = s->batch_size;
    if (rec->window_s < 0 || rec->window_s > WINDOW_MAX_S)
        return INVALID(call, "MaximumBatchingWindowInSeconds must be between 0 and %d",
                       WINDOW_MAX_S);
    if (is_fifo(rec->source_arn) && rec->window_s)
        return INVALID(call, "Batching window is not supported for FIFO queues");
    if (rec->batch_size < 1 || rec->batch_size > LAMBDA_BATCH_MAX ||
        (is_fifo(rec->source_arn) && rec->batch_size > BATCH_WITHOUT_WINDOW_MAX))
        return INVALID(call, "Batch size must be between 1 and %d",
                       is_fifo(rec->source_arn) ? BATCH_WITHOUT_WINDOW_MAX : LAMBDA_BATCH_MAX);
    if (rec->batch_size > BATCH_WITHOUT_WINDOW_MAX && rec->window_s == 0)
        return INVALID(call,
                       "Maximum batch window in seconds must be greater than 0 if maximum "
                       "batch size is greater than %d",
                       BATCH_WITHOUT_WINDOW_MAX);
    if (s->scaling) {
        if (s->scaling->has_maximum_concurrency &&
            (s->scaling->maximum_concurrency < CONCURRENCY_MIN ||
             s->scaling->maximum_concurrency > LAMBDA_CONCURRENCY_MAX))
            return INVALID(call, "MaximumConcurrency must be between %d and %d", CONCURRENCY_MIN,
                           LAMBDA_CONCURRENCY_MAX);
        rec->concurrency_max =
            s->scaling->has_maximum_concurrency ? s->scaling->maximum_concurrency : 0;
    }
    if (s->types.v) {
        rec->partial = false;
        for (size_t i = 0; i < s->types.n; i++)
            rec->partial = rec->partial || str_eq_c(s->types.v[i], "ReportBatchItemFailures");
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
            return INVALID(
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
        return INVALID(call, "Error occurred while ReceiveMessage. SQS Error Code: "
                             "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The "
                             "specified queue does not exist.");
    TRY(err);
    if (visibility_s < fn->timeout_s)
        return INVALID(call,
                       "Queue visibility timeout: %lld seconds is less than Function timeout: "
                       "%lld seconds",
                       (long long)visibility_s, (long long)fn->timeout_s);
    return ERR_OK;
}

static enum err set_function(struct call *call, struct str function_name,
                             struct lambda_mapping *rec, struct lambda_fn *ret_fn)
{
    struct lambda_name name;

    TRY(lambda_name_of_call(call, function_name, STR_NONE, &name));
    enum err err = lambda_fn_get(call->txn, &name, ret_fn);
    if (err == ERR_NOT_FOUND)
        return lambda_not_found(call, &name);
    TRY(err);
    rec->function = name.name;
    rec->function_arn = lambda_arn(call->arena, call->partition, &name, name.qualifier);
    return str_is_set(rec->function_arn) ? ERR_OK : ERR_NOMEM;
}

/* --- scanning --------------------------------------------------------------------------------- */

struct filter {
    struct str source_arn, function; /* absent: any */
    struct str marker;               /* uuid to start after */
    size_t max;
};

static enum err scan(struct call *call, const struct filter *f, struct lambda_mapping *out,
                     size_t *ret_n, bool *ret_more)
{
    struct kv_iter *it;
    struct str key, val;
    struct str prefix =
        lambda_key(call->arena, LAMBDA_T_MAPPING, call->account, call->region, STR_NONE);
    struct str to = key_after_prefix(call->arena, prefix);
    struct str from = prefix;
    size_t n = 0;
    enum err err;

    if (str_is_set(f->marker))
        from = lambda_key(call->arena, LAMBDA_T_MAPPING, call->account, call->region, f->marker);
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    *ret_more = false;
    TRY(kv_scan(call->txn->kv, from, to, false, &it));
    while ((err = kv_next(it, &key, &val)) == ERR_OK) {
        struct lambda_mapping rec;
        err = lambda_mapping_unpack(call->arena, val, &rec);
        if (err != ERR_OK)
            break;
        if ((str_is_set(f->source_arn) && !str_eq(rec.source_arn, f->source_arn)) ||
            (str_is_set(f->function) && !str_eq(rec.function, f->function)) ||
            (str_is_set(f->marker) && str_eq(rec.uuid, f->marker)))
            continue;
        if (n == f->max) {
            *ret_more = true;
            break;
        }
        out[n++] = rec;
    }
    kv_iter_close(it);
    *ret_n = n;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- CreateEventSourceMapping ----------------------------------------------------------------- */

/* Two creates at once must not both miss the other's mapping: both touch the guard. */
static enum err touch_guard(struct call *call)
{
    struct str val;
    char id[RNG_UUID_LEN + 1];
    struct str key = lambda_guard_key(call->arena, LAMBDA_T_MAPPING, call->account, call->region);

    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = txn_get(call->txn, key, &val);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return txn_put(call->txn, key, rng_uuid(id));
}

static enum err check_unique(struct call *call, const struct lambda_mapping *rec)
{
    struct lambda_mapping *found =
        ARENA_ARRAY(call->arena, struct lambda_mapping, LAMBDA_MAPPINGS_MAX + 1);
    struct filter same = {rec->source_arn, rec->function, STR_NONE, 1};
    struct filter all = {STR_NONE, STR_NONE, STR_NONE, LAMBDA_MAPPINGS_MAX};
    size_t n;
    bool more;

    if (!found)
        return ERR_NOMEM;
    TRY(touch_guard(call));
    TRY(scan(call, &same, found, &n, &more));
    if (n)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "An event source mapping with SQS arn (\" " STR_FMT
                          " \") and function (\" " STR_FMT
                          " \") already exists. Please update or delete the existing mapping "
                          "with UUID " STR_FMT,
                          STR_ARG(rec->source_arn), STR_ARG(rec->function), STR_ARG(found[0].uuid));
    TRY(scan(call, &all, found, &n, &more));
    if (n >= LAMBDA_MAPPINGS_MAX)
        return INVALID(call, "At most %d event source mappings can exist", LAMBDA_MAPPINGS_MAX);
    return ERR_OK;
}

enum err
lambda_create_event_source_mapping(struct call *call,
                                   const struct lambda_create_event_source_mapping_input *in,
                                   struct lambda_create_event_source_mapping_output *out)
{
    struct lambda_fn fn;
    char id[RNG_UUID_LEN + 1];
    struct lambda_event_source_mapping_configuration config = {0};
    struct lambda_mapping rec = {
        .account = call->account,
        .region = call->region,
        .source_arn = in->event_source_arn,
        .batch_size = BATCH_DEFAULT,
        .enabled = true,
    };
    const struct settings s = {
        .enabled = in->enabled,
        .has_enabled = in->has_enabled,
        .batch_size = in->batch_size,
        .has_batch_size = in->has_batch_size,
        .window_s = in->maximum_batching_window_in_seconds,
        .has_window = in->has_maximum_batching_window_in_seconds,
        .scaling = in->scaling_config,
        .types = in->function_response_types,
        .filters = in->filter_criteria && in->filter_criteria->filters.n,
        .stream_only = str_is_set(in->starting_position) || in->has_starting_position_timestamp ||
                       in->has_parallelization_factor || in->has_maximum_record_age_in_seconds ||
                       in->bisect_batch_on_function_error || in->has_maximum_retry_attempts ||
                       in->destination_config,
        .tumbling = in->has_tumbling_window_in_seconds,
        .other_source =
            in->self_managed_event_source || in->topics.n || in->queues.n ||
            in->source_access_configurations.n || in->amazon_managed_kafka_event_source_config ||
            in->self_managed_kafka_event_source_config || in->document_db_event_source_config,
        .kms = !str_empty(in->kms_key_arn),
        .metrics = in->metrics_config != NULL,
        .logging = in->logging_config != NULL,
        .provisioned = in->provisioned_poller_config != NULL,
    };

    if (!target_is(call->core, in->event_source_arn, "queue"))
        return INVALID(call, "Event sources other than SQS queues are not supported by Weir.");
    if (in->tags.n)
        return INVALID(call, "Tags of event source mappings are not supported by Weir.");
    TRY(set_function(call, in->function_name, &rec, &fn));
    TRY(apply(call, &s, &rec));
    TRY(check_source(call, &fn, rec.source_arn));
    TRY(check_unique(call, &rec));
    rec.uuid = str_dup(call->arena, rng_uuid(id));
    if (!str_is_set(rec.uuid))
        return ERR_NOMEM;
    TRY(lambda_mapping_put(call->txn, lambda_of(call), &rec));
    TRY(fill(call, &rec, "Creating", &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

/* --- Get, List, Update, Delete ---------------------------------------------------------------- */

static enum err mapping_of(struct call *call, struct str uuid, struct lambda_mapping *ret_rec)
{
    enum err err = lambda_mapping_get(call->txn, call->account, call->region, uuid, ret_rec);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "The resource you requested does not exist.");
    return err;
}

enum err lambda_get_event_source_mapping(struct call *call,
                                         const struct lambda_get_event_source_mapping_input *in,
                                         struct lambda_get_event_source_mapping_output *out)
{
    struct lambda_mapping rec;
    struct lambda_event_source_mapping_configuration config = {0};

    TRY(mapping_of(call, in->uuid, &rec));
    TRY(fill(call, &rec, NULL, &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

enum err lambda_list_event_source_mappings(struct call *call,
                                           const struct lambda_list_event_source_mappings_input *in,
                                           struct lambda_list_event_source_mappings_output *out)
{
    struct lambda_name name = {0};
    size_t n;
    bool more;

    if (str_is_set(in->function_name))
        TRY(lambda_name_of_call(call, in->function_name, STR_NONE, &name));
    struct filter f = {in->event_source_arn, name.name, in->marker, LAMBDA_MAPPING_LIST_MAX};
    if (in->has_max_items && in->max_items < LAMBDA_MAPPING_LIST_MAX)
        f.max = (size_t)max_i64(in->max_items, 1);
    struct lambda_mapping *found = ARENA_ARRAY(call->arena, struct lambda_mapping, f.max + 1);
    struct lambda_event_source_mapping_configuration *v =
        ARENA_ARRAY(call->arena, struct lambda_event_source_mapping_configuration, f.max + 1);
    if (!found || !v)
        return ERR_NOMEM;
    TRY(scan(call, &f, found, &n, &more));
    for (size_t i = 0; i < n; i++)
        TRY(fill(call, &found[i], NULL, &v[i]));
    out->event_source_mappings.v = v;
    out->event_source_mappings.n = n;
    if (more)
        out->next_marker = found[n - 1].uuid;
    return ERR_OK;
}

enum err
lambda_update_event_source_mapping(struct call *call,
                                   const struct lambda_update_event_source_mapping_input *in,
                                   struct lambda_update_event_source_mapping_output *out)
{
    struct lambda_mapping rec;
    struct lambda_fn fn;
    struct lambda_event_source_mapping_configuration config = {0};
    const struct settings s = {
        .enabled = in->enabled,
        .has_enabled = in->has_enabled,
        .batch_size = in->batch_size,
        .has_batch_size = in->has_batch_size,
        .window_s = in->maximum_batching_window_in_seconds,
        .has_window = in->has_maximum_batching_window_in_seconds,
        .scaling = in->scaling_config,
        .types = in->function_response_types,
        .filters = in->filter_criteria && in->filter_criteria->filters.n,
        .stream_only = in->has_parallelization_factor || in->has_maximum_record_age_in_seconds ||
                       in->bisect_batch_on_function_error || in->has_maximum_retry_attempts ||
                       in->destination_config,
        .tumbling = in->has_tumbling_window_in_seconds,
        .other_source =
            in->source_access_configurations.n || in->amazon_managed_kafka_event_source_config ||
            in->self_managed_kafka_event_source_config || in->document_db_event_source_config,
        .kms = !str_empty(in->kms_key_arn),
        .metrics = in->metrics_config != NULL,
        .logging = in->logging_config != NULL,
        .provisioned = in->provisioned_poller_config != NULL,
    };

    TRY(mapping_of(call, in->uuid, &rec));
    bool was_enabled = rec.enabled;
    if (str_is_set(in->function_name)) {
        TRY(set_function(call, in->function_name, &rec, &fn));
        TRY(check_source(call, &fn, rec.source_arn));
    }
    TRY(apply(call, &s, &rec));
    TRY(lambda_mapping_put(call->txn, lambda_of(call), &rec));
    TRY(fill(call, &rec,
             rec.enabled == was_enabled ? "Updating"
             : rec.enabled              ? "Enabling"
                                        : "Disabling",
             &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}

enum err
lambda_delete_event_source_mapping(struct call *call,
                                   const struct lambda_delete_event_source_mapping_input *in,
                                   struct lambda_delete_event_source_mapping_output *out)
{
    struct lambda_mapping rec;
    struct lambda_event_source_mapping_configuration config = {0};

    TRY(mapping_of(call, in->uuid, &rec));
    TRY(lambda_mapping_del(call->txn, lambda_of(call), &rec));
    TRY(fill(call, &rec, "Deleting", &config));
    memcpy(out, &config, sizeof(config));
    return ERR_OK;
}
