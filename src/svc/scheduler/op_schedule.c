/* CreateSchedule, UpdateSchedule, GetSchedule, DeleteSchedule, ListSchedules. Layer: svc/scheduler.
 * Source: EventBridge Scheduler API Reference. */
#include "svc/scheduler/scheduler_int.h"

/* CreateSchedule and UpdateSchedule say the same. */
struct asked {
    struct str action_after_completion, client_token, description, group_name, kms_key_arn, name;
    struct str schedule_expression, zone, state;
    int64_t start_ms, end_ms; /* 0: none */
    const struct scheduler_flexible_time_window *window;
    const struct scheduler_target *target;
};

#define ASKED(in)                                                                                  \
    (struct asked)                                                                                 \
    {                                                                                              \
        .action_after_completion = (in)->action_after_completion,                                  \
        .client_token = (in)->client_token, .description = (in)->description,                      \
        .group_name = (in)->group_name, .kms_key_arn = (in)->kms_key_arn, .name = (in)->name,      \
        .schedule_expression = (in)->schedule_expression,                                          \
        .zone = (in)->schedule_expression_timezone, .state = (in)->state,                          \
        .start_ms = (in)->has_start_date ? (in)->start_date : 0,                                   \
        .end_ms = (in)->has_end_date ? (in)->end_date : 0, .window = (in)->flexible_time_window,   \
        .target = (in)->target,                                                                    \
    }

static struct scheduler_name name_of(struct call *call, struct str group, struct str name)
{
    return (struct scheduler_name){call_scope(call),
                                   str_is_set(group) ? group : STR(SCHEDULER_DEFAULT), name};
}

/* --- checking ----------------------------------------------------------------------------------- */

static enum err check_window(struct call *call, const struct scheduler_flexible_time_window *w)
{
    bool flexible = str_eq_c(w->mode, "FLEXIBLE");
    if (flexible && !w->has_maximum_window_in_minutes)
        return SCHEDULER_INVALID(call, "A flexible time window must have "
                                       "MaximumWindowInMinutes.");
    if (!flexible && w->has_maximum_window_in_minutes)
        return SCHEDULER_INVALID(call, "MaximumWindowInMinutes is for flexible time windows only.");
    return ERR_OK;
}

static enum err check_moments(struct call *call, const struct asked *in)
{
    struct zone *zone;
    struct cron c;
    enum err err = cron_parse(in->schedule_expression, CRON_SCHEDULER, &c);
    if (err == ERR_INVALID)
        return SCHEDULER_INVALID(call, "Invalid Schedule Expression " STR_FMT ".",
                                 STR_ARG(in->schedule_expression));
    TRY(err);
    if (str_is_set(in->zone)) {
        err = zone_load(call->arena, in->zone, &zone);
        if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
            return SCHEDULER_INVALID(call, "Invalid Schedule Expression Timezone " STR_FMT ".",
                                     STR_ARG(in->zone));
        TRY(err);
    }
    if (c.kind == CRON_AT)
        return ERR_OK;
    if (in->end_ms && in->end_ms <= call->txn->wall_ms)
        return SCHEDULER_INVALID(call, "The EndDate you specify must be in the future.");
    if (in->start_ms && in->end_ms && in->start_ms >= in->end_ms)
        return SCHEDULER_INVALID(call, "The StartDate you specify must come before the EndDate.");
    return ERR_OK;
}

/* What was asked, checked, into the record; created_ms and base_ms stay. */
static enum err take(struct call *call, const struct asked *in, struct scheduler_schedule *s)
{
    if (str_is_set(in->kms_key_arn))
        return SCHEDULER_INVALID(call, "Encryption with a KMS key is not supported by Weir; leave "
                                       "KmsKeyArn out.");
    TRY(check_window(call, in->window));
    TRY(check_moments(call, in));
    TRY(scheduler_target_take(call, in->target, &s->target));
    bool disabled = str_eq_c(in->state, "DISABLED");
    /* A rate counts from when it was said, or begun again. */
    if (!str_eq(s->expression, in->schedule_expression) || (s->disabled && !disabled))
        s->base_ms = call->txn->now_ms;
    s->description = in->description;
    s->expression = in->schedule_expression;
    s->zone = str_is_set(in->zone) ? in->zone : STR("UTC");
    s->start_ms = in->start_ms;
    s->end_ms = in->end_ms;
    s->window_min = in->window->maximum_window_in_minutes;
    s->disabled = disabled;
    s->delete_after = str_eq_c(in->action_after_completion, "DELETE");
    s->modified_ms = call->txn->wall_ms;
    return ERR_OK;
}

static enum err store(struct call *call, const struct scheduler_name *n,
                      const struct scheduler_schedule *s, bool fresh)
{
    struct str key = scheduler_key(call->arena, n);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(scheduler_write(call->txn, key, s));
    /* A rate that begins now fires now; others are asked for what comes after. */
    int64_t after = fresh ? s->base_ms - 1000 : call->txn->now_ms;
    return scheduler_arm(scheduler_of(call), call->txn, key, s, after, NULL);
}

/* --- operations --------------------------------------------------------------------------------- */

static enum err check_absent(struct call *call, const struct scheduler_name *n)
{
    struct scheduler_group group;
    struct scheduler_schedule old;
    TRY(scheduler_need_group(call, n->group, &group));
    if (group.deleting)
        return call_error(call, &scheduler_err_conflict_exception,
                          "Schedule group " STR_FMT " is being deleted.", STR_ARG(n->group));
    enum err err = scheduler_read(call->txn, scheduler_key(call->arena, n), &old);
    if (err == ERR_OK)
        return call_error(call, &scheduler_err_conflict_exception,
                          "Schedule " STR_FMT " already exists.", STR_ARG(n->name));
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err scheduler_create_schedule(struct call *call,
                                   const struct scheduler_create_schedule_input *in,
                                   struct scheduler_create_schedule_output *out)
{
    struct scheduler_name n = name_of(call, in->group_name, in->name);
    struct scheduler_schedule s = {.created_ms = call->txn->wall_ms};
    const struct asked asked = ASKED(in);
    bool again;
    out->schedule_arn = scheduler_arn(call->arena, call->core, &n);
    if (!str_is_set(out->schedule_arn))
        return ERR_NOMEM;
    TRY(scheduler_once(call, in->client_token, &again));
    if (again)
        return ERR_OK;
    TRY(check_absent(call, &n));
    TRY(take(call, &asked, &s));
    return store(call, &n, &s, true);
}

static enum err need_schedule(struct call *call, const struct scheduler_name *n,
                              struct scheduler_schedule *ret)
{
    struct scheduler_group group;
    TRY(scheduler_need_group(call, n->group, &group));
    enum err err = scheduler_read(call->txn, scheduler_key(call->arena, n), ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &scheduler_err_resource_not_found_exception,
                          "Schedule " STR_FMT " does not exist.", STR_ARG(n->name));
    return err;
}

enum err scheduler_update_schedule(struct call *call,
                                   const struct scheduler_update_schedule_input *in,
                                   struct scheduler_update_schedule_output *out)
{
    struct scheduler_name n = name_of(call, in->group_name, in->name);
    struct scheduler_schedule s;
    const struct asked asked = ASKED(in);
    bool again;
    out->schedule_arn = scheduler_arn(call->arena, call->core, &n);
    if (!str_is_set(out->schedule_arn))
        return ERR_NOMEM;
    TRY(scheduler_once(call, in->client_token, &again));
    if (again)
        return ERR_OK;
    TRY(need_schedule(call, &n, &s));
    int64_t base = s.base_ms;
    TRY(take(call, &asked, &s));
    return store(call, &n, &s, s.base_ms != base);
}

enum err scheduler_delete_schedule(struct call *call,
                                   const struct scheduler_delete_schedule_input *in,
                                   struct scheduler_delete_schedule_output *out)
{
    struct scheduler_name n = name_of(call, in->group_name, in->name);
    struct scheduler_schedule s;
    bool again;
    TRY(scheduler_once(call, in->client_token, &again));
    if (again)
        return ERR_OK;
    TRY(need_schedule(call, &n, &s));
    struct str key = scheduler_key(call->arena, &n);
    TRY(due_clear(call->txn, scheduler_of(call)->schedules, key));
    return txn_del(call->txn, key);
}

/* --- GetSchedule -------------------------------------------------------------------------------- */

static struct str state_of(const struct scheduler_schedule *s)
{
    return s->disabled ? STR("DISABLED") : STR("ENABLED");
}

static enum err give_target(struct arena *a, const struct scheduler_target_rec *t,
                            const struct scheduler_target **ret)
{
    struct scheduler_target *v = ARENA_NEW(a, struct scheduler_target);
    struct scheduler_dead_letter_config *dead = ARENA_NEW(a, struct scheduler_dead_letter_config);
    struct scheduler_sqs_parameters *sqs = ARENA_NEW(a, struct scheduler_sqs_parameters);
    struct scheduler_retry_policy *retry = ARENA_NEW(a, struct scheduler_retry_policy);
    struct scheduler_event_bridge_parameters *event =
        ARENA_NEW(a, struct scheduler_event_bridge_parameters);
    if (!v || !dead || !sqs || !retry || !event)
        return ERR_NOMEM;
    dead->arn = t->dead_letter;
    sqs->message_group_id = t->group_id;
    event->source = t->source;
    event->detail_type = t->detail_type;
    WIRE_SET(retry, maximum_retry_attempts, t->retries >= 0 ? t->retries : SCHEDULER_RETRIES);
    WIRE_SET(retry, maximum_event_age_in_seconds,
             t->age_max_s >= 0 ? t->age_max_s : SCHEDULER_AGE_MAX_S);
    *v = (struct scheduler_target){
        .arn = t->arn,
        .role_arn = t->role,
        .input = t->input,
        .dead_letter_config = str_is_set(t->dead_letter) ? dead : NULL,
        .sqs_parameters = str_is_set(t->group_id) ? sqs : NULL,
        .event_bridge_parameters = str_is_set(t->source) ? event : NULL,
        .retry_policy = retry,
    };
    *ret = v;
    return ERR_OK;
}

enum err scheduler_get_schedule(struct call *call, const struct scheduler_get_schedule_input *in,
                                struct scheduler_get_schedule_output *out)
{
    struct scheduler_name n = name_of(call, in->group_name, in->name);
    struct scheduler_schedule s;
    TRY(need_schedule(call, &n, &s));
    struct scheduler_flexible_time_window *w =
        ARENA_NEW(call->arena, struct scheduler_flexible_time_window);
    if (!w)
        return ERR_NOMEM;
    w->mode = s.window_min ? STR("FLEXIBLE") : STR("OFF");
    if (s.window_min)
        WIRE_SET(w, maximum_window_in_minutes, s.window_min);
    *out = (struct scheduler_get_schedule_output){
        .action_after_completion = s.delete_after ? STR("DELETE") : STR("NONE"),
        .arn = scheduler_arn(call->arena, call->core, &n),
        .description = s.description,
        .flexible_time_window = w,
        .group_name = n.group,
        .name = n.name,
        .schedule_expression = s.expression,
        .schedule_expression_timezone = s.zone,
        .state = state_of(&s),
    };
    WIRE_SET(out, creation_date, s.created_ms);
    WIRE_SET(out, last_modification_date, s.modified_ms);
    if (s.start_ms)
        WIRE_SET(out, start_date, s.start_ms);
    if (s.end_ms)
        WIRE_SET(out, end_date, s.end_ms);
    TRY(give_target(call->arena, &s.target, &out->target));
    return str_is_set(out->arn) ? ERR_OK : ERR_NOMEM;
}

/* --- ListSchedules ------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    const struct scheduler_list_schedules_input *in;
    struct scheduler_schedule_summary *v;
    size_t n;
};

static enum err match_schedule(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct scheduler_schedule s = {0};
    struct str name;
    TRY(key_read(&scheduler_k_schedule, key, l->call->arena, KEY_SKIP, KEY_SKIP, &name));
    TRY(scheduler_parse(l->call->arena, record, &s));
    *ret_match = (!str_is_set(l->in->name_prefix) || str_starts(name, l->in->name_prefix)) &&
                 (!str_is_set(l->in->state) || str_eq(l->in->state, state_of(&s)));
    return ERR_OK;
}

static enum err take_schedule(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct arena *a = l->call->arena;
    struct scheduler_schedule s = {0};
    struct scheduler_name n;
    struct scheduler_schedule_summary *v = &l->v[l->n++];
    struct scheduler_target_summary *t = ARENA_NEW(a, struct scheduler_target_summary);
    if (!t)
        return ERR_NOMEM;
    TRY(key_read(&scheduler_k_schedule, key, a, &n.scope, &n.group, &n.name));
    TRY(scheduler_parse(a, record, &s));
    t->arn = s.target.arn;
    v->arn = scheduler_arn(a, l->call->core, &n);
    v->group_name = n.group;
    v->name = n.name;
    v->state = state_of(&s);
    v->target = t;
    WIRE_SET(v, creation_date, s.created_ms);
    WIRE_SET(v, last_modification_date, s.modified_ms);
    return str_is_set(v->arn) ? ERR_OK : ERR_NOMEM;
}

enum err scheduler_list_schedules(struct call *call,
                                  const struct scheduler_list_schedules_input *in,
                                  struct scheduler_list_schedules_output *out)
{
    static const struct page_fns fns = {match_schedule, take_schedule};
    struct listing l = {.call = call, .in = in};
    struct scheduler_group group;
    struct key_range range = key_range(call->arena, &scheduler_k_schedule, call_scope(call));
    if (str_is_set(in->group_name)) {
        TRY(scheduler_need_group(call, in->group_name, &group));
        range = key_range(call->arena, &scheduler_k_schedule, call_scope(call), in->group_name,
                          KEY_STARTS(str_is_set(in->name_prefix) ? in->name_prefix : STR("")));
    }
    struct str bind =
        str_fmt(call->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(in->group_name),
                STR_ARG(in->name_prefix), STR_ARG(in->state));
    struct page page =
        page_of_call(call, bind, in->next_token,
                     in->has_max_results ? (size_t)in->max_results : SCHEDULER_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct scheduler_schedule_summary, page.limit);
    if (!l.v || !str_is_set(bind))
        return ERR_NOMEM;
    TRY(scheduler_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->schedules.v = l.v;
    out->schedules.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
