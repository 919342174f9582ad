/* DescribeAlarms, DescribeAlarmsForMetric. Layer: svc/cloudwatch. Source: CloudWatch API Reference. */
#include "svc/cloudwatch/cloudwatch_int.h"
#include "svc/cloudwatch/cw_rule.h"

struct listing {
    struct call *call;
    const struct cloudwatch_describe_alarms_input *in;
    bool metric, composite; /* kinds that are asked for */
    bool names_only;        /* children and parents are told in short */
    struct cloudwatch_metric_alarm *metrics;
    struct cloudwatch_composite_alarm *composites;
    size_t n_metrics, n_composites;
};

/* --- alarms as replies -------------------------------------------------------------------------- */

static enum err put_query(struct arena *a, const struct cw_query *q,
                          struct cloudwatch_metric_data_query *ret)
{
    *ret = (struct cloudwatch_metric_data_query){.id = q->id,
                                                 .expression = q->expression,
                                                 .label = q->label,
                                                 .return_data = q->returned,
                                                 .has_return_data = true};
    if (!str_is_set(q->name)) {
        if (q->period_s)
            WIRE_SET(ret, period, q->period_s);
        return ERR_OK;
    }
    struct cloudwatch_metric_stat *stat = ARENA_NEW(a, struct cloudwatch_metric_stat);
    struct cloudwatch_metric *m = ARENA_NEW(a, struct cloudwatch_metric);
    if (!stat || !m)
        return ERR_NOMEM;
    m->namespace = q->space;
    m->metric_name = q->name;
    m->dimensions.v = (const struct cloudwatch_dimension *)(const void *)q->dims;
    m->dimensions.n = q->n_dims;
    stat->metric = m;
    WIRE_SET(stat, period, q->period_s);
    stat->stat = q->stat;
    stat->unit = cw_unit_name(q->unit);
    ret->metric_stat = stat;
    return ERR_OK;
}

static enum err put_what(struct arena *a, const struct cw_alarm *alarm,
                         struct cloudwatch_metric_alarm *ret)
{
    const struct cw_query *q = alarm->queries;
    struct cw_stat stat;
    if (alarm->math) {
        struct cloudwatch_metric_data_query *v =
            ARENA_ARRAY(a, struct cloudwatch_metric_data_query, alarm->n_queries);
        if (!v)
            return ERR_NOMEM;
        for (size_t i = 0; i < alarm->n_queries; i++)
            TRY(put_query(a, &q[i], &v[i]));
        ret->metrics.v = v;
        ret->metrics.n = alarm->n_queries;
        return ERR_OK;
    }
    ret->metric_name = q->name;
    ret->namespace = q->space;
    if (cw_stat_parse(q->stat, &stat) == ERR_OK && !cw_stat_extended(&stat))
        ret->statistic = q->stat;
    else
        ret->extended_statistic = q->stat;
    ret->dimensions.v = (const struct cloudwatch_dimension *)(const void *)q->dims;
    ret->dimensions.n = q->n_dims;
    WIRE_SET(ret, period, q->period_s);
    ret->unit = cw_unit_name(q->unit);
    return ERR_OK;
}

#define PUT_COMMON(ret, name, arn, alarm)                                                          \
    do {                                                                                           \
        (ret)->alarm_name = (name);                                                                \
        (ret)->alarm_arn = (arn);                                                                  \
        (ret)->alarm_description = (alarm)->description;                                           \
        WIRE_SET(ret, alarm_configuration_updated_timestamp, (alarm)->configured_ms);              \
        WIRE_SET(ret, actions_enabled, !(alarm)->actions_off);                                     \
        (ret)->ok_actions = (struct cloudwatch_resource_list){(alarm)->ok, (alarm)->n_ok};         \
        (ret)->alarm_actions =                                                                     \
            (struct cloudwatch_resource_list){(alarm)->alarm, (alarm)->n_alarm};                   \
        (ret)->insufficient_data_actions =                                                         \
            (struct cloudwatch_resource_list){(alarm)->insufficient, (alarm)->n_insufficient};     \
        (ret)->state_value = cw_state_name((alarm)->state);                                        \
        (ret)->state_reason = (alarm)->reason;                                                     \
        (ret)->state_reason_data = (alarm)->reason_data;                                           \
        WIRE_SET(ret, state_updated_timestamp, (alarm)->updated_ms);                               \
        WIRE_SET(ret, state_transitioned_timestamp, (alarm)->transitioned_ms);                     \
    } while (0)

static enum err put_metric(struct call *call, struct str name, const struct cw_alarm *alarm,
                           struct cloudwatch_metric_alarm *ret)
{
    struct str arn = cw_alarm_arn(call->arena, call->core, call_scope(call), name);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    PUT_COMMON(ret, name, arn, alarm);
    WIRE_SET(ret, evaluation_periods, alarm->periods);
    if (alarm->to_alarm)
        WIRE_SET(ret, datapoints_to_alarm, alarm->to_alarm);
    WIRE_SET(ret, threshold, alarm->threshold);
    ret->comparison_operator = cw_comparison_name(alarm->comparison);
    if (alarm->missing_given)
        ret->treat_missing_data = cw_missing_name(alarm->missing);
    if (alarm->low_samples)
        ret->evaluate_low_sample_count_percentile =
            alarm->low_samples == CW_LOW_IGNORE ? STR("ignore") : STR("evaluate");
    return put_what(call->arena, alarm, ret);
}

static enum err put_composite(struct call *call, struct str name, const struct cw_alarm *alarm,
                              struct cloudwatch_composite_alarm *ret)
{
    static const struct str by[] = {
        [CW_SUPPRESSED_WAIT] = STR_INIT("WaitPeriod"),
        [CW_SUPPRESSED_EXTENSION] = STR_INIT("ExtensionPeriod"),
        [CW_SUPPRESSED_ALARM] = STR_INIT("Alarm"),
    };
    struct str arn = cw_alarm_arn(call->arena, call->core, call_scope(call), name);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    PUT_COMMON(ret, name, arn, alarm);
    ret->alarm_rule = alarm->rule;
    if (!str_is_set(alarm->suppressor))
        return ERR_OK;
    ret->actions_suppressor = alarm->suppressor;
    WIRE_SET(ret, actions_suppressor_wait_period, alarm->wait_s);
    WIRE_SET(ret, actions_suppressor_extension_period, alarm->extension_s);
    if (alarm->suppressed != CW_SUPPRESSED_NOT) {
        ret->actions_suppressed_by = by[alarm->suppressed];
        ret->actions_suppressed_reason = alarm->suppressed_reason;
    }
    return ERR_OK;
}

/* What is told of children and parents: name, ARN and state. */
static void shorten(struct cloudwatch_metric_alarm *m, struct cloudwatch_composite_alarm *c)
{
    if (m)
        *m = (struct cloudwatch_metric_alarm){
            .alarm_name = m->alarm_name,
            .alarm_arn = m->alarm_arn,
            .state_value = m->state_value,
            .state_updated_timestamp = m->state_updated_timestamp,
            .has_state_updated_timestamp = true,
        };
    if (c)
        *c = (struct cloudwatch_composite_alarm){
            .alarm_name = c->alarm_name,
            .alarm_arn = c->alarm_arn,
            .state_value = c->state_value,
            .state_updated_timestamp = c->state_updated_timestamp,
            .has_state_updated_timestamp = true,
        };
}

/* --- choosing ----------------------------------------------------------------------------------- */

static bool acts_on(const struct cw_alarm *a, struct str prefix)
{
    for (size_t i = 0; i < a->n_ok; i++)
        if (str_starts(a->ok[i], prefix))
            return true;
    for (size_t i = 0; i < a->n_alarm; i++)
        if (str_starts(a->alarm[i], prefix))
            return true;
    for (size_t i = 0; i < a->n_insufficient; i++)
        if (str_starts(a->insufficient[i], prefix))
            return true;
    return false;
}

static bool wanted(const struct listing *l, const struct cw_alarm *a)
{
    if (!(a->composite ? l->composite : l->metric))
        return false;
    if (str_is_set(l->in->state_value) && !str_eq(l->in->state_value, cw_state_name(a->state)))
        return false;
    return !str_is_set(l->in->action_prefix) || acts_on(a, l->in->action_prefix);
}

static enum err put_alarm(struct listing *l, struct str name, const struct cw_alarm *a)
{
    if (a->composite) {
        struct cloudwatch_composite_alarm *c = &l->composites[l->n_composites++];
        TRY(put_composite(l->call, name, a, c));
        if (l->names_only)
            shorten(NULL, c);
        return ERR_OK;
    }
    struct cloudwatch_metric_alarm *m = &l->metrics[l->n_metrics++];
    TRY(put_metric(l->call, name, a, m));
    if (l->names_only)
        shorten(m, NULL);
    return ERR_OK;
}

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct cw_alarm a;
    TRY(txn_work_row(l->call->txn, key, record));
    TRY(cw_alarm_parse(l->call->arena, record, &a));
    *ret_match = wanted(l, &a);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct cw_alarm a;
    struct str name;
    TRY(key_read(&cw_k_alarm, key, l->call->arena, KEY_SKIP, &name));
    TRY(cw_alarm_parse(l->call->arena, record, &a));
    return put_alarm(l, name, &a);
}

/* --- by name ------------------------------------------------------------------------------------ */

static enum err put_named(struct listing *l, struct str key)
{
    struct cw_alarm a;
    struct str name;
    enum err err = cw_alarm_read(l->call->txn, key, &a);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (!wanted(l, &a))
        return ERR_OK;
    TRY(key_read(&cw_k_alarm, key, l->call->arena, KEY_SKIP, &name));
    return put_alarm(l, name, &a);
}

static enum err list_named(struct listing *l)
{
    for (size_t i = 0; i < l->in->alarm_names.n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || str_eq(l->in->alarm_names.v[i], l->in->alarm_names.v[k]);
        struct str key =
            key_make(l->call->arena, &cw_k_alarm, call_scope(l->call), l->in->alarm_names.v[i]);
        if (!again)
            TRY(put_named(l, key));
    }
    return ERR_OK;
}

static enum err list_children(struct listing *l)
{
    struct cw_alarm parent;
    struct cw_rule *rule = ARENA_NEW(l->call->arena, struct cw_rule);
    struct str key;
    if (!rule)
        return ERR_NOMEM;
    TRY(cw_need_alarm(l->call, l->in->children_of_alarm_name, &key, &parent));
    if (!parent.composite)
        return ERR_OK;
    TRY(cw_rule_parse(l->call->arena, parent.rule, rule, NULL));
    for (size_t i = 0; i < rule->n_names; i++)
        TRY(put_named(l, cw_alarm_ref(l->call->arena, call_scope(l->call), rule->names[i])));
    return ERR_OK;
}

static enum err list_parents(struct listing *l)
{
    struct catalogue_page page;
    struct str key =
        key_make(l->call->arena, &cw_k_alarm, call_scope(l->call), l->in->parents_of_alarm_name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_list_by(cw_of(l->call)->alarms, l->call->txn, CW_BY_CHILD, key, CW_ALARMS_PAGE,
                          &page));
    for (size_t i = 0; i < page.n; i++)
        TRY(put_named(l, ((const struct cw_alarm *)page.objects[i])->object.key));
    return ERR_OK;
}

/* --- the operations ------------------------------------------------------------------------------ */

static enum err check(struct call *call, const struct cloudwatch_describe_alarms_input *in)
{
    bool relatives =
        str_is_set(in->children_of_alarm_name) || str_is_set(in->parents_of_alarm_name);
    bool others = in->alarm_names.n > 0 || str_is_set(in->alarm_name_prefix) ||
                  str_is_set(in->state_value) || str_is_set(in->action_prefix) ||
                  in->alarm_types.n > 0;
    if (in->alarm_names.n > 0 && str_is_set(in->alarm_name_prefix))
        return CW_BAD_COMBINATION(call, "AlarmNamePrefix cannot be combined with AlarmNames.");
    if (relatives && (others || (str_is_set(in->children_of_alarm_name) &&
                                 str_is_set(in->parents_of_alarm_name))))
        return CW_BAD_COMBINATION(call, "ChildrenOfAlarmName and ParentsOfAlarmName cannot be "
                                        "combined with other parameters.");
    return ERR_OK;
}

static enum err list_page(struct listing *l, size_t limit,
                          struct cloudwatch_describe_alarms_output *out)
{
    static const struct page_fns fns = {match, take};
    struct str prefix = str_is_set(l->in->alarm_name_prefix) ? l->in->alarm_name_prefix : STR("");
    struct key_range range =
        key_range(l->call->arena, &cw_k_alarm, call_scope(l->call), KEY_STARTS(prefix));
    struct page page = page_of_call(l->call, prefix, l->in->next_token, limit);
    TRY(cw_paged(l->call, page_scan(l->call->txn, &page, range, &fns, l)));
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err cloudwatch_describe_alarms(struct call *call,
                                    const struct cloudwatch_describe_alarms_input *in,
                                    struct cloudwatch_describe_alarms_output *out)
{
    struct listing l = {.call = call, .in = in};
    size_t limit = in->has_max_records ? (size_t)in->max_records : CW_DESCRIBE_DEFAULT;
    TRY(check(call, in));
    l.names_only = str_is_set(in->children_of_alarm_name) || str_is_set(in->parents_of_alarm_name);
    l.metric = in->alarm_types.n == 0;
    l.composite = l.names_only;
    for (size_t i = 0; i < in->alarm_types.n; i++) {
        l.metric = l.metric || str_eq_c(in->alarm_types.v[i], "MetricAlarm");
        l.composite = l.composite || str_eq_c(in->alarm_types.v[i], "CompositeAlarm");
    }
    l.metrics = ARENA_ARRAY(call->arena, struct cloudwatch_metric_alarm, CW_ALARMS_PAGE);
    l.composites = ARENA_ARRAY(call->arena, struct cloudwatch_composite_alarm, CW_ALARMS_PAGE);
    if (!l.metrics || !l.composites)
        return ERR_NOMEM;
    TRY(in->alarm_names.n > 0                    ? list_named(&l)
        : str_is_set(in->children_of_alarm_name) ? list_children(&l)
        : str_is_set(in->parents_of_alarm_name)  ? list_parents(&l)
                                                 : list_page(&l, limit, out));
    out->metric_alarms = (struct cloudwatch_metric_alarms){l.metrics, l.n_metrics};
    out->composite_alarms = (struct cloudwatch_composite_alarms){l.composites, l.n_composites};
    return ERR_OK;
}

static bool same_metric(const struct cloudwatch_describe_alarms_for_metric_input *in,
                        const struct cw_alarm *a)
{
    const struct cw_query *q = a->queries;
    if (a->composite || a->math)
        return false;
    return (!str_is_set(in->statistic) || str_eq(in->statistic, q->stat)) &&
           (!str_is_set(in->extended_statistic) || str_eq(in->extended_statistic, q->stat)) &&
           (!in->has_period || in->period == q->period_s) &&
           (!str_is_set(in->unit) || str_eq(in->unit, cw_unit_name(q->unit)));
}

enum err
cloudwatch_describe_alarms_for_metric(struct call *call,
                                      const struct cloudwatch_describe_alarms_for_metric_input *in,
                                      struct cloudwatch_describe_alarms_for_metric_output *out)
{
    struct cw_metric m = {in->namespace, in->metric_name, (struct cw_dim *)CW_DIMS(in->dimensions),
                          in->dimensions.n};
    struct catalogue_page page;
    TRY(cw_metric_sort(call->arena, &m));
    struct str key = cw_metric_key(call->arena, call_scope(call), &m);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_list_by(cw_of(call)->alarms, call->txn, CW_BY_METRIC, key, CW_WATCHERS_MAX,
                          &page));
    struct cloudwatch_metric_alarm *v =
        ARENA_ARRAY(call->arena, struct cloudwatch_metric_alarm, page.n + 1);
    if (!v)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < page.n; i++) {
        const struct cw_alarm *a = page.objects[i];
        struct str name;
        if (!same_metric(in, a))
            continue;
        TRY(key_read(&cw_k_alarm, a->object.key, call->arena, KEY_SKIP, &name));
        TRY(put_metric(call, name, a, &v[n++]));
    }
    out->metric_alarms = (struct cloudwatch_metric_alarms){v, n};
    return ERR_OK;
}
