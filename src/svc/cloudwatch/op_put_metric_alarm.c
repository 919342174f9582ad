/* PutMetricAlarm, and what it shares with PutCompositeAlarm. Layer: svc/cloudwatch.
 * Source: CloudWatch API Reference, PutMetricAlarm. */
#include <math.h>

#include "svc/cloudwatch/cloudwatch_int.h"

enum { DAY_S = 86400, WEEK_S = 7 * 86400 };

/* --- what both kinds have ----------------------------------------------------------------------- */

static enum err take_actions(struct call *call, const struct cloudwatch_resource_list *in,
                             struct str **ret, size_t *ret_n)
{
    *ret = ARENA_ARRAY(call->arena, struct str, in->n + 1);
    if (!*ret)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++) {
        if (!target_is(call->core, in->v[i], "topic") &&
            !target_is(call->core, in->v[i], "function"))
            return CW_INVALID(call,
                              "Invalid action " STR_FMT ": Weir's alarms act on SNS topics and "
                              "Lambda functions.",
                              STR_ARG(in->v[i]));
        (*ret)[i] = in->v[i];
    }
    *ret_n = in->n;
    return ERR_OK;
}

static enum err tell_configured(struct cw_alarm_at *at, bool made)
{
    struct buf b;
    struct json_out o;
    struct str summary = str_fmt(at->txn->arena, "Alarm \"" STR_FMT "\" %s", STR_ARG(at->name),
                                 made ? "created" : "updated");
    buf_init_arena(&b, at->txn->arena, KV_KEY_MAX * 16);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("1.0"));
    json_kv_str(&o, STR("type"), made ? STR("Create") : STR("Update"));
    json_key(&o, made ? STR("createdAlarm") : STR("updatedAlarm"));
    cw_configuration_json(&o, at);
    json_close(&o, '}');
    TRY(buf_err(&b));
    if (!str_is_set(summary))
        return ERR_NOMEM;
    return cw_history_add(at, CW_HISTORY_CONFIGURATION, summary, buf_str(&b));
}

/* The state stays; of a new alarm there is none yet. */
static void keep_state(struct cw_alarm *alarm, const struct cw_alarm *old, int64_t now)
{
    if (old) {
        alarm->state = old->state;
        alarm->reason = old->reason;
        alarm->reason_data = old->reason_data;
        alarm->updated_ms = old->updated_ms;
        alarm->transitioned_ms = old->transitioned_ms;
        return;
    }
    alarm->state = CW_INSUFFICIENT;
    alarm->reason = STR("Unchecked: Initial alarm creation");
    alarm->updated_ms = alarm->transitioned_ms = now;
}

enum err cw_alarm_configure(struct call *call, const struct cw_alarm_asked *asked,
                            struct cw_alarm *alarm)
{
    struct cw_alarm old;
    struct cw_alarm_at at;
    struct str key = key_make(call->arena, &cw_k_alarm, call_scope(call), asked->name);
    enum err err = cw_alarm_read(call->txn, key, &old);
    bool made = err == ERR_NOT_FOUND;
    if (err && !made)
        return err;
    if (!made && old.composite != alarm->composite)
        return CW_INVALID(call, "The alarm " STR_FMT " exists, and is of the other kind.",
                          STR_ARG(asked->name));
    TRY(take_actions(call, asked->ok, &alarm->ok, &alarm->n_ok));
    TRY(take_actions(call, asked->alarm, &alarm->alarm, &alarm->n_alarm));
    TRY(take_actions(call, asked->insufficient, &alarm->insufficient, &alarm->n_insufficient));
    alarm->description = asked->description;
    alarm->actions_off = asked->actions_off;
    alarm->configured_ms = call->txn->wall_ms;
    keep_state(alarm, made ? NULL : &old, call->txn->wall_ms);
    TRY(cw_alarm_at(cw_of(call), call->txn, key, alarm, &at));
    if (made) { /* of one that exists they are ignored */
        const struct tags_resource resource = {.arn = at.arn};
        TRY(tags_op_create(call, &cw_tags, &resource, asked->tags));
    }
    TRY(tell_configured(&at, made));
    TRY(cw_alarm_write(cw_of(call), call->txn, key, alarm));
    return cw_alarm_due(cw_of(call), call->txn, key, 0);
}

/* --- of metrics --------------------------------------------------------------------------------- */

static enum err refuse(struct call *call, const struct cloudwatch_put_metric_alarm_input *in)
{
    if (in->evaluation_criteria || in->has_evaluation_interval)
        return CW_INVALID(call,
                          "EvaluationCriteria and EvaluationInterval (alarms over PromQL) are "
                          "not supported by Weir.");
    if (str_is_set(in->threshold_metric_id))
        return CW_INVALID(call, "Alarms on anomaly detection models (ThresholdMetricId) are not "
                                "supported by Weir.");
    return ERR_OK;
}

static enum err take_comparison(struct call *call,
                                const struct cloudwatch_put_metric_alarm_input *in,
                                struct cw_alarm *a)
{
    if (!str_is_set(in->comparison_operator))
        return CW_INVALID(call, "ComparisonOperator must be specified.");
    for (int c = 0; c < CW_COMPARISONS; c++)
        if (str_eq(in->comparison_operator, cw_comparison_name((enum cw_comparison)c))) {
            a->comparison = (enum cw_comparison)c;
            return ERR_OK;
        }
    return CW_INVALID(call,
                      "The comparison operator " STR_FMT " is for anomaly detection models, which "
                      "are not supported by Weir.",
                      STR_ARG(in->comparison_operator));
}

static enum err take_missing(struct call *call, const struct cloudwatch_put_metric_alarm_input *in,
                             struct cw_alarm *a)
{
    a->missing_given = str_is_set(in->treat_missing_data);
    if (!a->missing_given)
        return ERR_OK;
    for (int m = 0; m < CW_MISSING_VALUES; m++)
        if (str_eq(in->treat_missing_data, cw_missing_name((enum cw_missing)m))) {
            a->missing = (enum cw_missing)m;
            return ERR_OK;
        }
    return CW_INVALID(call,
                      "Option " STR_FMT " is not supported for TreatMissingData. Use breaching, "
                      "notBreaching, ignore or missing.",
                      STR_ARG(in->treat_missing_data));
}

static enum err take_low_samples(struct call *call,
                                 const struct cloudwatch_put_metric_alarm_input *in,
                                 struct cw_alarm *a)
{
    struct str how = in->evaluate_low_sample_count_percentile;
    if (!str_is_set(how))
        return ERR_OK;
    if (!str_eq_c(how, "evaluate") && !str_eq_c(how, "ignore"))
        return CW_INVALID(call,
                          "Option " STR_FMT " is not supported for "
                          "EvaluateLowSampleCountPercentile. Use evaluate or ignore.",
                          STR_ARG(how));
    if (!str_is_set(in->extended_statistic))
        return CW_INVALID(call, "EvaluateLowSampleCountPercentile is for alarms on percentiles.");
    a->low_samples = str_eq_c(how, "ignore") ? CW_LOW_IGNORE : CW_LOW_EVALUATE;
    return ERR_OK;
}

static enum err take_points(struct call *call, const struct cloudwatch_put_metric_alarm_input *in,
                            struct cw_alarm *a)
{
    if (!in->has_evaluation_periods)
        return CW_INVALID(call, "EvaluationPeriods must be specified.");
    if (!in->has_threshold)
        return CW_INVALID(call, "Threshold must be specified.");
    if (!isfinite(in->threshold))
        return CW_INVALID(call, "Threshold must be a number.");
    a->periods = in->evaluation_periods;
    a->to_alarm = in->has_datapoints_to_alarm ? in->datapoints_to_alarm : 0;
    a->threshold = in->threshold;
    if (a->to_alarm > a->periods)
        return CW_INVALID(call, "DatapointsToAlarm must be less than or equal to "
                                "EvaluationPeriods.");
    int64_t period = cw_alarm_period_ms(a) / 1000;
    int64_t most = period < 3600 ? DAY_S : WEEK_S;
    if (a->periods > most / period)
        return CW_INVALID(call,
                          "Metrics cannot be checked across more than %s (EvaluationPeriods * "
                          "Period must be <= %lld).",
                          most == DAY_S ? "a day" : "seven days", (long long)most);
    return ERR_OK;
}

static enum err take_one(struct call *call, const struct cloudwatch_put_metric_alarm_input *in,
                         struct cw_alarm *a)
{
    struct cw_stat stat;
    struct cw_metric m = {in->namespace, in->metric_name, (struct cw_dim *)CW_DIMS(in->dimensions),
                          in->dimensions.n};
    if (!str_is_set(m.name) || !str_is_set(m.space))
        return CW_INVALID(call, "MetricName and Namespace, or Metrics, must be specified.");
    if (str_is_set(in->statistic) == str_is_set(in->extended_statistic))
        return CW_INVALID(call, "Exactly one of Statistic and ExtendedStatistic must be "
                                "specified.");
    if (!in->has_period)
        return CW_INVALID(call, "Period must not be null.");
    if (!cw_period_valid(in->period) || in->period == 1 || in->period == 5)
        return CW_INVALID(call, "Invalid period: it must be 10, 20, 30 or a multiple of 60.");
    struct str name = str_is_set(in->statistic) ? in->statistic : in->extended_statistic;
    if (cw_stat_parse(name, &stat) != ERR_OK ||
        cw_stat_extended(&stat) != str_is_set(in->extended_statistic))
        return CW_INVALID(call, "The statistic " STR_FMT " is not supported.", STR_ARG(name));
    TRY(cw_metric_sort(call->arena, &m));
    a->queries = ARENA_NEW(call->arena, struct cw_query);
    if (!a->queries)
        return ERR_NOMEM;
    *a->queries = (struct cw_query){
        .id = STR("m1"),
        .space = m.space,
        .name = m.name,
        .dims = m.dims,
        .n_dims = m.n_dims,
        .stat = name,
        .period_s = in->period,
        .unit = str_is_set(in->unit) ? (uint8_t)cw_unit_of(in->unit) : CW_ANY_UNIT,
        .returned = true,
    };
    a->n_queries = 1;
    return ERR_OK;
}

/* One query is what the alarm looks at, and all have one period. */
static enum err take_math(struct call *call, const struct cloudwatch_put_metric_alarm_input *in,
                          struct cw_alarm *a)
{
    size_t returned = 0;
    int64_t period = 0;
    if (str_is_set(in->metric_name) || str_is_set(in->namespace) || in->dimensions.n > 0 ||
        in->has_period || str_is_set(in->statistic) || str_is_set(in->extended_statistic) ||
        str_is_set(in->unit))
        return CW_INVALID(call, "With Metrics none of MetricName, Namespace, Dimensions, Period, "
                                "Statistic, ExtendedStatistic and Unit may be given.");
    if (in->metrics.n > CW_ALARM_QUERIES_MAX)
        return CW_INVALID(call, "An alarm has at most %d queries.", CW_ALARM_QUERIES_MAX);
    TRY(cw_queries_take(call, &in->metrics, &a->queries, &a->n_queries));
    a->math = true;
    for (size_t i = 0; i < a->n_queries; i++) {
        if (a->queries[i].searches)
            return CW_INVALID(call,
                              "Error in expression '" STR_FMT "': SEARCH is not supported in "
                              "alarms.",
                              STR_ARG(a->queries[i].id));
        returned += a->queries[i].returned;
        if (a->queries[i].period_s == 0)
            continue;
        if (period && period != a->queries[i].period_s)
            return CW_INVALID(call, "All metrics of an alarm must have the same period.");
        period = a->queries[i].period_s;
    }
    if (returned != 1)
        return CW_INVALID(call, "Exactly one element of the metrics list should return data.");
    return period ? ERR_OK : CW_INVALID(call, "Period must not be null.");
}

enum err cloudwatch_put_metric_alarm(struct call *call,
                                     const struct cloudwatch_put_metric_alarm_input *in,
                                     struct cloudwatch_put_metric_alarm_output *out)
{
    struct cw_alarm a = {0};
    const struct cw_alarm_asked asked = {
        .name = in->alarm_name,
        .description = in->alarm_description,
        .actions_off = in->has_actions_enabled && !in->actions_enabled,
        .ok = &in->ok_actions,
        .alarm = &in->alarm_actions,
        .insufficient = &in->insufficient_data_actions,
        .tags = TAGS_FROM(in->tags),
    };
    TRY(refuse(call, in));
    TRY(take_comparison(call, in, &a));
    TRY(in->metrics.n > 0 ? take_math(call, in, &a) : take_one(call, in, &a));
    TRY(take_points(call, in, &a));
    TRY(take_missing(call, in, &a));
    TRY(take_low_samples(call, in, &a));
    return cw_alarm_configure(call, &asked, &a);
}
