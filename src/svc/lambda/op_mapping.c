/* Event source mappings: Create-, Get-, List-, Update- and DeleteEventSourceMapping.
 *
 * Layer: svc. Thread: the call's. */
#include "base/arn.h"
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_keys.h"

enum { QUEUE_BATCH_DEFAULT = 10, STREAM_BATCH_DEFAULT = 100 };

_Static_assert(sizeof(struct lambda_create_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration) &&
                   sizeof(struct lambda_update_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration) &&
                   sizeof(struct lambda_get_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration) &&
                   sizeof(struct lambda_delete_event_source_mapping_output) ==
                       sizeof(struct lambda_event_source_mapping_configuration),
               "one shape");

static enum err fill_filters(struct arena *a, const struct lambda_mapping *m,
                             struct lambda_event_source_mapping_configuration *out)
{
    struct lambda_filter_criteria *criteria = ARENA_NEW(a, struct lambda_filter_criteria);
    struct lambda_filter *v = ARENA_ARRAY(a, struct lambda_filter, m->n_filters);
    if (m->n_filters == 0)
        return ERR_OK;
    if (!criteria || !v)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_filters; i++)
        v[i].pattern = m->filters[i];
    criteria->filters.v = v;
    criteria->filters.n = m->n_filters;
    out->filter_criteria = criteria;
    return ERR_OK;
}

static enum err fill_stream(struct arena *a, const struct lambda_mapping *m,
                            struct lambda_event_source_mapping_configuration *out)
{
    struct lambda_destination_config *destination = ARENA_NEW(a, struct lambda_destination_config);
    struct lambda_on_failure *on_failure = ARENA_NEW(a, struct lambda_on_failure);
    if (!destination || !on_failure)
        return ERR_NOMEM;
    out->starting_position = m->latest ? STR("LATEST") : STR("TRIM_HORIZON");
    WIRE_SET(out, parallelization_factor, m->parallel);
    WIRE_SET(out, maximum_retry_attempts, m->retries);
    WIRE_SET(out, maximum_record_age_in_seconds, m->age_max_s);
    WIRE_SET(out, bisect_batch_on_function_error, m->bisect);
    WIRE_SET(out, tumbling_window_in_seconds, m->tumbling_s);
    on_failure->destination = m->on_failure;
    destination->on_failure = on_failure;
    out->destination_config = destination;
    return ERR_OK;
}

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
    out->state_transition_reason = m->stream ? STR("User action") : STR("USER_INITIATED");
    out->last_processing_result = lambda_mapping_last_result(lambda_of(call), m);
    *types = STR("ReportBatchItemFailures");
    out->function_response_types.v = types;
    out->function_response_types.n = m->partial ? 1 : 0;
    if (m->concurrency_max) {
        WIRE_SET(scaling, maximum_concurrency, m->concurrency_max);
        out->scaling_config = scaling;
    }
    TRY(fill_filters(a, m, out));
    if (m->stream)
        TRY(fill_stream(a, m, out));
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

/* The settings that Create and Update have in common. */
#define SETTINGS(in)                                                                               \
    {                                                                                              \
        .enabled = (in)->enabled, .has_enabled = (in)->has_enabled,                                \
        .batch_size = (in)->batch_size, .has_batch_size = (in)->has_batch_size,                    \
        .window_s = (in)->maximum_batching_window_in_seconds,                                      \
        .has_window = (in)->has_maximum_batching_window_in_seconds,                                \
        .parallel = (in)->parallelization_factor,                                                  \
        .has_parallel = (in)->has_parallelization_factor, .retries = (in)->maximum_retry_attempts, \
        .has_retries = (in)->has_maximum_retry_attempts,                                           \
        .age_max_s = (in)->maximum_record_age_in_seconds,                                          \
        .has_age_max = (in)->has_maximum_record_age_in_seconds,                                    \
        .bisect = (in)->bisect_batch_on_function_error,                                            \
        .has_bisect = (in)->has_bisect_batch_on_function_error,                                    \
        .tumbling_s = (in)->tumbling_window_in_seconds,                                            \
        .has_tumbling = (in)->has_tumbling_window_in_seconds, .scaling = (in)->scaling_config,     \
        .destination = (in)->destination_config, .filters = (in)->filter_criteria,                 \
        .types = (in)->function_response_types,                                                    \
        .other_source = (in)->source_access_configurations.n ||                                    \
                        (in)->amazon_managed_kafka_event_source_config ||                          \
                        (in)->self_managed_kafka_event_source_config ||                            \
                        (in)->document_db_event_source_config,                                     \
        .kms = !str_empty((in)->kms_key_arn), .metrics = (in)->metrics_config != NULL,             \
        .logging = (in)->logging_config != NULL,                                                   \
        .provisioned = (in)->provisioned_poller_config != NULL,                                    \
    }

static enum err set_function(struct call *call, struct str function_name, struct lambda_mapping *m,
                             struct lambda_fn **ret_fn)
{
    struct lambda_name name;
    struct lambda_fn *fn;

    TRY(lambda_name_of_qualifier(call, function_name, STR_NONE, &name));
    enum err err = lambda_fn_get(call->txn, lambda_of(call), &name, &fn);
    if (err == ERR_NOT_FOUND)
        return LAMBDA_INVALID(call, "Function does not exist");
    TRY(err);
    fn->name.qualifier = name.qualifier;
    TRY(lambda_mapping_check_source(call, fn, m));
    m->function = fn->name;
    m->function_arn = lambda_arn(call->arena, call->partition, &fn->name, fn->name.qualifier);
    *ret_fn = fn;
    return str_is_set(m->function_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err claim(struct call *call, const struct lambda_mapping *m)
{
    struct str other;
    enum err err = lambda_mapping_claim(call->txn, m, &other);
    if (err == ERR_EXISTS && m->stream)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "The event source arn (\" " STR_FMT " \") and function (\" " STR_FMT
                          " \") provided mapping already exists. Please update or delete the "
                          "existing mapping with UUID " STR_FMT,
                          STR_ARG(m->source_arn), STR_ARG(m->function.name), STR_ARG(other));
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

static bool is_stream(struct str arn_text)
{
    struct arn arn;
    return arn_parse_as(arn_text, "dynamodb", "table", &arn) == ERR_OK &&
           str_eq_c(arn_segment(&arn, 2), "stream");
}

/* Where a stream's mapping begins. */
static enum err set_start(struct call *call, const struct lambda_mapping_settings *s,
                          struct lambda_mapping *m)
{
    struct str position = s->starting_position;
    if (!str_is_set(position))
        return LAMBDA_INVALID(call, "1 validation error detected: Value null at 'startingPosition' "
                                    "failed to satisfy constraint: Member must not be null.");
    if (str_eq_c(position, "AT_TIMESTAMP"))
        return LAMBDA_INVALID(call, "Unsupported starting position for arn type: " STR_FMT,
                              STR_ARG(m->source_arn));
    if (s->has_timestamp)
        return LAMBDA_INVALID(call, "Timestamp only valid with StartingPosition AT_TIMESTAMP");
    m->latest = str_eq_c(position, "LATEST");
    m->start_commit = m->latest ? ddb_place_latest(call->txn).commit : 0;
    return ERR_OK;
}

enum err
lambda_create_event_source_mapping(struct call *call,
                                   const struct lambda_create_event_source_mapping_input *in,
                                   struct lambda_create_event_source_mapping_output *out)
{
    struct lambda *l = lambda_of(call);
    struct lambda_fn *fn;
    char id[RNG_UUID_LEN + 1];
    struct lambda_mapping m = {
        .uuid = rng_uuid(id),
        .source_arn = in->event_source_arn,
        .enabled = true,
        .stream = is_stream(in->event_source_arn),
        .parallel = 1,
        .retries = -1,
        .age_max_s = -1,
    };
    struct lambda_mapping_settings s = SETTINGS(in);

    m.batch_size = m.stream ? STREAM_BATCH_DEFAULT : QUEUE_BATCH_DEFAULT;
    s.starting_position = in->starting_position;
    s.has_timestamp = in->has_starting_position_timestamp;
    s.other_source |= in->self_managed_event_source || in->topics.n || in->queues.n ||
                      (!m.stream && !target_is(call->core, in->event_source_arn, "queue"));
    if (!str_is_set(in->event_source_arn) && !in->self_managed_event_source)
        return LAMBDA_INVALID(call, "Unrecognized event source.");
    if (s.other_source)
        return LAMBDA_INVALID(call, "Event sources other than SQS queues and DynamoDB streams are "
                                    "not supported by Weir.");
    if (m.stream)
        TRY(set_start(call, &s, &m));
    TRY(set_function(call, in->function_name, &m, &fn));
    TRY(lambda_mapping_apply(call, &s, fn, &m));
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
    TRY(answer(call, &m, "Creating", out));
    out->last_processing_result = STR_NONE; /* nothing was looked for yet */
    return ERR_OK;
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
    struct str arn = lambda_arn(call->arena, call->partition, &m->function, m->function.qualifier);
    policy_context_add(ctx, STR("lambda:FunctionArn"), arn);
    return str_is_set(arn) ? ERR_OK : ERR_NOMEM;
}

struct listing {
    struct call *call;
    struct str source_arn, function, qualifier; /* absent: any */
    struct lambda_event_source_mapping_configuration *v;
    size_t n;
};

/* None is $LATEST. */
static bool same_qualifier(struct str a, struct str b)
{
    return str_eq(str_is_set(a) ? a : STR(LAMBDA_LATEST), str_is_set(b) ? b : STR(LAMBDA_LATEST));
}

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct lambda_mapping m = {0};
    TRY(record_unpack(&lambda_mapping_type, l->call->arena, record, &m));
    *ret_match = (!str_is_set(l->source_arn) || str_eq(m.source_arn, l->source_arn)) &&
                 (!str_is_set(l->function) || str_eq(m.function.name, l->function)) &&
                 (!str_is_set(l->qualifier) || same_qualifier(m.function.qualifier, l->qualifier));
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
        TRY(lambda_name_of_qualifier(call, in->function_name, STR_NONE, &name));
    if (in->has_max_items && in->max_items < LAMBDA_MAPPING_LIST_MAX)
        limit = (size_t)max_i64(in->max_items, 1);
    struct listing l = {.call = call,
                        .source_arn = in->event_source_arn,
                        .function = name.name,
                        .qualifier = name.qualifier};
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
    struct lambda_fn *fn = NULL;
    const struct lambda_mapping_settings s = SETTINGS(in);

    TRY(mapping_of(call, in->uuid, &m));
    bool was_enabled = m->enabled;
    if (str_is_set(in->function_name)) {
        TRY(lambda_mapping_leave(call->txn, m));
        TRY(set_function(call, in->function_name, m, &fn));
        TRY(claim(call, m));
    } else if (s.destination) {
        TRY(lambda_fn_of_qualifier(call, m->function.name, m->function.qualifier, &fn));
    }
    TRY(lambda_mapping_apply(call, &s, fn, m));
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
