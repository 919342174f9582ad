/* PutTargets, RemoveTargets, ListTargetsByRule. Layer: svc/events.
 * Source: EventBridge API Reference, Target. */
#include "lang/jsonpath.h"
#include "svc/events/events_int.h"

/* --- checking ----------------------------------------------------------------------------------- */

static enum err not_arn(struct call *call, struct events_put_targets_result_entry *ret,
                        struct str arn)
{
    ret->error_code = STR("ValidationException");
    ret->error_message = str_fmt(call->arena,
                                 "Parameter " STR_FMT " is not valid. Reason: Provided Arn is not "
                                 "in correct format.",
                                 STR_ARG(arn));
    return str_is_set(ret->error_message) ? ERR_FAILED : ERR_NOMEM;
}

static enum err refuse_others(struct call *call, const struct events_target *t)
{
    const struct {
        const void *given;
        const char *name;
    } rows[] = {
        {t->kinesis_parameters, "KinesisParameters"},
        {t->run_command_parameters, "RunCommandParameters"},
        {t->ecs_parameters, "EcsParameters"},
        {t->batch_parameters, "BatchParameters"},
        {t->redshift_data_parameters, "RedshiftDataParameters"},
        {t->sage_maker_pipeline_parameters, "SageMakerPipelineParameters"},
        {t->app_sync_parameters, "AppSyncParameters"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].given)
            return EVENTS_INVALID(call, "%s of target " STR_FMT " is not supported by Weir.",
                                  rows[i].name, STR_ARG(t->id));
    if (!target_kind_of(call->core, t->arn) && !target_outside(call->core, t->arn))
        return EVENTS_INVALID(call,
                              "Targets of the kind of " STR_FMT " are not supported by Weir. See "
                              "docs/reference.",
                              STR_ARG(t->arn));
    return ERR_OK;
}

static enum err check_path(struct call *call, const struct events_target *t, struct str path)
{
    const struct jsonpath *p;
    enum err err = jsonpath_compile(call->arena, path, &p, NULL);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return EVENTS_INVALID(call, "Invalid InputPath for target " STR_FMT ".", STR_ARG(t->id));
    return err;
}

static enum err check_json(struct call *call, const struct events_target *t)
{
    struct json *v;
    enum err err = json_parse(call->arena, t->input, &v, NULL);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return EVENTS_INVALID(call,
                              "JSON syntax error in input for target " STR_FMT ": it is not valid "
                              "JSON.",
                              STR_ARG(t->id));
    return err;
}

static enum err check_transformer(struct call *call, const struct events_target *t)
{
    const struct events_input_transformer *it = t->input_transformer;
    const char *why;
    for (size_t i = 0; i < it->input_paths_map.n; i++) {
        if (str_starts(it->input_paths_map.v[i].key, STR("AWS")))
            return EVENTS_INVALID(
                call, "Invalid InputPathsMap for target " STR_FMT ": keys cannot start with AWS.",
                STR_ARG(t->id));
        TRY(check_path(call, t, it->input_paths_map.v[i].value));
    }
    enum err err = events_template_check(call->arena, it->input_template, &why);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return EVENTS_INVALID(call, "Invalid InputTemplate for target " STR_FMT " : %s.",
                              STR_ARG(t->id), why);
    return err;
}

static enum err check_inputs(struct call *call, const struct events_target *t)
{
    int given = str_is_set(t->input) + str_is_set(t->input_path) + (t->input_transformer != NULL);
    if (given > 1)
        return EVENTS_INVALID(call,
                              "Only one of Input, InputPath, or InputTransformer must be provided "
                              "for target " STR_FMT ".",
                              STR_ARG(t->id));
    if (str_is_set(t->input))
        TRY(check_json(call, t));
    if (str_is_set(t->input_path))
        TRY(check_path(call, t, t->input_path));
    return t->input_transformer ? check_transformer(call, t) : ERR_OK;
}

static enum err check_outside(struct call *call, const struct events_target *t)
{
    const struct events_http_parameters *h = t->http_parameters;
    bool outside = target_outside(call->core, t->arn);
    if (outside && !str_is_set(t->role_arn))
        return EVENTS_INVALID(call, "RoleArn is required for target " STR_FMT ".", STR_ARG(t->arn));
    if (!h)
        return ERR_OK;
    if (!outside)
        return EVENTS_INVALID(
            call, "Parameter(s) HttpParameters is not supported for target: " STR_FMT ".",
            STR_ARG(t->id));
    if (h->path_parameter_values.n > TARGET_HTTP_MAX || h->header_parameters.n > TARGET_HTTP_MAX ||
        h->query_string_parameters.n > TARGET_HTTP_MAX)
        return EVENTS_INVALID(call, "HttpParameters of target " STR_FMT " are more than %d.",
                              STR_ARG(t->id), TARGET_HTTP_MAX);
    return ERR_OK;
}

/* ERR_FAILED: either the call's error is set, or *ret says what is wrong with this target alone. */
static enum err check_target(struct call *call, const struct events_target *t,
                             struct events_put_targets_result_entry *ret)
{
    struct arn arn;
    if (arn_parse(t->arn, &arn) != ERR_OK)
        return not_arn(call, ret, t->arn);
    if (str_is_set(t->role_arn) && arn_parse_as(t->role_arn, "iam", "role", &arn) != ERR_OK)
        return not_arn(call, ret, t->role_arn);
    TRY(refuse_others(call, t));
    TRY(check_inputs(call, t));
    TRY(check_outside(call, t));
    TRY(events_check_role(call, t->role_arn));
    bool fifo = str_ends(t->arn, STR(".fifo"));
    bool group = t->sqs_parameters && str_is_set(t->sqs_parameters->message_group_id);
    if (fifo && !group)
        return EVENTS_INVALID(
            call, "Parameter(s) SqsParameters must be specified for target: " STR_FMT ".",
            STR_ARG(t->id));
    if (group && !fifo)
        return EVENTS_INVALID(
            call, "Parameter(s) SqsParameters is not supported for target: " STR_FMT ".",
            STR_ARG(t->id));
    if (t->dead_letter_config && str_is_set(t->dead_letter_config->arn) &&
        (!target_is(call->core, t->dead_letter_config->arn, "queue") ||
         str_ends(t->dead_letter_config->arn, STR(".fifo"))))
        return EVENTS_INVALID(call,
                              "Parameter DeadLetterConfig of target " STR_FMT
                              " is not valid. Reason: it is no ARN of a standard queue.",
                              STR_ARG(t->id));
    return ERR_OK;
}

/* --- PutTargets --------------------------------------------------------------------------------- */

#define TAKE_PAIRS(a, from, to, n_to)                                                              \
    do {                                                                                           \
        struct target_pair *v_ = ARENA_ARRAY(a, struct target_pair, (from).n + 1);                 \
        if (!v_)                                                                                   \
            return ERR_NOMEM;                                                                      \
        for (size_t i = 0; i < (from).n; i++)                                                      \
            v_[i] = (struct target_pair){(from).v[i].key, (from).v[i].value};                      \
        (to) = v_;                                                                                 \
        (n_to) = (from).n;                                                                         \
    } while (0)

static enum err take_http(struct arena *a, const struct events_http_parameters *in,
                          struct target_http *ret)
{
    ret->path = in->path_parameter_values.v;
    ret->n_path = in->path_parameter_values.n;
    TAKE_PAIRS(a, in->header_parameters, ret->headers, ret->n_headers);
    TAKE_PAIRS(a, in->query_string_parameters, ret->query, ret->n_query);
    return ERR_OK;
}

static enum err take_target(struct call *call, const struct events_target *t,
                            struct events_target_rec *ret)
{
    *ret = (struct events_target_rec){
        .id = t->id,
        .arn = t->arn,
        .role = t->role_arn,
        .input = t->input,
        .input_path = t->input_path,
        .group_id = t->sqs_parameters ? t->sqs_parameters->message_group_id : STR_NONE,
        .dead_letter = t->dead_letter_config ? t->dead_letter_config->arn : STR_NONE,
        .retries = -1,
        .age_max_s = -1,
    };
    if (t->retry_policy && t->retry_policy->has_maximum_retry_attempts)
        ret->retries = t->retry_policy->maximum_retry_attempts;
    if (t->retry_policy && t->retry_policy->has_maximum_event_age_in_seconds)
        ret->age_max_s = t->retry_policy->maximum_event_age_in_seconds;
    if (t->http_parameters)
        TRY(take_http(call->arena, t->http_parameters, &ret->http));
    if (!t->input_transformer)
        return ERR_OK;
    ret->template = t->input_transformer->input_template;
    ret->n_paths = t->input_transformer->input_paths_map.n;
    ret->paths = ARENA_ARRAY(call->arena, struct events_path, ret->n_paths + 1);
    if (!ret->paths)
        return ERR_NOMEM;
    for (size_t i = 0; i < ret->n_paths; i++)
        ret->paths[i] = (struct events_path){t->input_transformer->input_paths_map.v[i].key,
                                             t->input_transformer->input_paths_map.v[i].value};
    return ERR_OK;
}

static struct events_target_rec *find_target(struct events_rule_rec *r, struct str id)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (str_eq(r->targets[i].id, id))
            return &r->targets[i];
    return NULL;
}

static enum err put_target(struct call *call, struct events_rule_rec *r,
                           const struct events_target *t)
{
    struct events_target_rec *place = find_target(r, t->id);
    if (!place && r->n_targets == EVENTS_TARGETS_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    return take_target(call, t, place ? place : &r->targets[r->n_targets++]);
}

enum err events_put_targets(struct call *call, const struct events_put_targets_input *in,
                            struct events_put_targets_output *out)
{
    struct events_rule_rec *r;
    size_t n = 0;
    TRY(events_need_rule(call, in->event_bus_name, in->rule, &r));
    if (in->targets.n > EVENTS_TARGETS_PUT_MAX)
        return EVENTS_INVALID(call, "The maximum number of entries per request is %d.",
                              EVENTS_TARGETS_PUT_MAX);
    struct events_put_targets_result_entry *failed =
        ARENA_ARRAY(call->arena, struct events_put_targets_result_entry, in->targets.n);
    if (!failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->targets.n; i++) {
        const struct events_target *t = &in->targets.v[i];
        enum err err = check_target(call, t, &failed[n]);
        if (err == ERR_FAILED && str_is_set(failed[n].error_code)) {
            failed[n++].target_id = t->id;
            continue;
        }
        TRY(err);
        TRY(put_target(call, r, t));
    }
    WIRE_SET(out, failed_entry_count, (int64_t)n);
    out->failed_entries = (struct events_put_targets_result_entry_list){failed, n};
    return events_rule_store(events_of(call), call->txn, r);
}

/* --- RemoveTargets, ListTargetsByRule ------------------------------------------------------------ */

enum err events_remove_targets(struct call *call, const struct events_remove_targets_input *in,
                               struct events_remove_targets_output *out)
{
    struct events_rule_rec *r;
    size_t n = 0;
    TRY(events_need_rule(call, in->event_bus_name, in->rule, &r));
    struct events_remove_targets_result_entry *failed =
        ARENA_ARRAY(call->arena, struct events_remove_targets_result_entry, in->ids.n);
    if (!failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->ids.n; i++) {
        struct events_target_rec *t = find_target(r, in->ids.v[i]);
        if (t) {
            size_t at = (size_t)(t - r->targets);
            memmove(t, t + 1, (r->n_targets - at - 1) * sizeof(*t));
            r->n_targets--;
            continue;
        }
        failed[n].target_id = in->ids.v[i];
        failed[n].error_code = STR("ResourceNotFoundException");
        failed[n].error_message =
            str_fmt(call->arena, "Rule " STR_FMT " does not have a target with the Id " STR_FMT ".",
                    STR_ARG(r->name), STR_ARG(in->ids.v[i]));
        if (!str_is_set(failed[n++].error_message))
            return ERR_NOMEM;
    }
    WIRE_SET(out, failed_entry_count, (int64_t)n);
    out->failed_entries = (struct events_remove_targets_result_entry_list){failed, n};
    return events_rule_store(events_of(call), call->txn, r);
}

static enum err give_transformer(struct arena *a, const struct events_target_rec *t,
                                 struct events_target *ret)
{
    struct events_input_transformer *it = ARENA_NEW(a, struct events_input_transformer);
    struct events_transformer_paths_entry *v =
        ARENA_ARRAY(a, struct events_transformer_paths_entry, t->n_paths + 1);
    if (!it || !v)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_paths; i++)
        v[i] = (struct events_transformer_paths_entry){t->paths[i].key, t->paths[i].path};
    it->input_template = t->template;
    if (t->n_paths > 0)
        it->input_paths_map = (struct events_transformer_paths){v, t->n_paths};
    ret->input_transformer = it;
    return ERR_OK;
}

#define GIVE_PAIRS(a, T, from, n_from, to)                                                         \
    do {                                                                                           \
        struct T *v_ = ARENA_ARRAY(a, struct T, (n_from) + 1);                                     \
        if (!v_)                                                                                   \
            return ERR_NOMEM;                                                                      \
        for (size_t i = 0; i < (n_from); i++)                                                      \
            v_[i] = (struct T){(from)[i].name, (from)[i].value};                                   \
        (to).v = (n_from) ? v_ : NULL;                                                             \
        (to).n = (n_from);                                                                         \
    } while (0)

static enum err give_http(struct arena *a, const struct target_http *http,
                          struct events_target *ret)
{
    struct events_http_parameters *h = ARENA_NEW(a, struct events_http_parameters);
    if (http->n_path + http->n_headers + http->n_query == 0)
        return ERR_OK;
    if (!h)
        return ERR_NOMEM;
    if (http->n_path > 0)
        h->path_parameter_values = (struct events_path_parameter_list){http->path, http->n_path};
    GIVE_PAIRS(a, events_header_parameters_map_entry, http->headers, http->n_headers,
               h->header_parameters);
    GIVE_PAIRS(a, events_query_string_parameters_map_entry, http->query, http->n_query,
               h->query_string_parameters);
    ret->http_parameters = h;
    return ERR_OK;
}

static enum err give_target(struct arena *a, const struct events_target_rec *t,
                            struct events_target *ret)
{
    struct events_dead_letter_config *dead = ARENA_NEW(a, struct events_dead_letter_config);
    struct events_sqs_parameters *sqs = ARENA_NEW(a, struct events_sqs_parameters);
    struct events_retry_policy *retry = ARENA_NEW(a, struct events_retry_policy);
    if (!dead || !sqs || !retry)
        return ERR_NOMEM;
    *ret = (struct events_target){
        .id = t->id,
        .arn = t->arn,
        .role_arn = t->role,
        .input = t->input,
        .input_path = t->input_path,
    };
    dead->arn = t->dead_letter;
    sqs->message_group_id = t->group_id;
    if (t->retries >= 0)
        WIRE_SET(retry, maximum_retry_attempts, t->retries);
    if (t->age_max_s >= 0)
        WIRE_SET(retry, maximum_event_age_in_seconds, t->age_max_s);
    ret->dead_letter_config = str_is_set(dead->arn) ? dead : NULL;
    ret->sqs_parameters = str_is_set(sqs->message_group_id) ? sqs : NULL;
    ret->retry_policy = t->retries >= 0 || t->age_max_s >= 0 ? retry : NULL;
    TRY(give_http(a, &t->http, ret));
    return str_is_set(t->template) ? give_transformer(a, t, ret) : ERR_OK;
}

enum err events_list_targets_by_rule(struct call *call,
                                     const struct events_list_targets_by_rule_input *in,
                                     struct events_list_targets_by_rule_output *out)
{
    struct events_rule_rec *r;
    struct str after;
    size_t n = 0, i = 0;
    TRY(events_need_rule(call, in->event_bus_name, in->rule, &r));
    struct str bind = str_fmt(call->arena, STR_FMT "\n" STR_FMT, STR_ARG(r->bus), STR_ARG(r->name));
    if (!str_is_set(bind))
        return ERR_NOMEM;
    struct page page = page_of_call(call, bind, in->next_token,
                                    in->has_limit ? (size_t)in->limit : EVENTS_LIST_MAX);
    TRY(events_paged(call, page_start(&page, &after)));
    struct events_target *v = ARENA_ARRAY(call->arena, struct events_target, EVENTS_TARGETS_MAX);
    if (!v)
        return ERR_NOMEM;
    if (str_is_set(after)) { /* behind the target of that id, or from the start when it is gone */
        const struct events_target_rec *last = find_target(r, after);
        i = last ? (size_t)(last - r->targets) + 1 : 0;
    }
    for (; i < r->n_targets && n < page.limit; i++)
        TRY(give_target(call->arena, &r->targets[i], &v[n++]));
    out->targets = (struct events_target_list){v, n};
    if (i < r->n_targets)
        TRY(page_end(&page, v[n - 1].id));
    out->next_token = page.next_token;
    return ERR_OK;
}
