/* PutMetricData. Layer: svc/cloudwatch. Source: CloudWatch API Reference, PutMetricData, MetricDatum. */
#include <math.h>

#include "svc/cloudwatch/cloudwatch_int.h"

/* 2^360: what AWS takes, and sums of it still are numbers. */
#define VALUE_MAX 2.348542582773833e+108

static bool fits(double v)
{
    return isfinite(v) && fabs(v) <= VALUE_MAX;
}

#define BAD_NUMBER(call, i, what)                                                                  \
    CW_BAD_VALUE(call, "The value for parameter MetricData.member.%zu.%s is invalid.", (i) + 1,    \
                 what)

static enum err take_values(struct call *call, const struct cloudwatch_metric_datum *d, size_t i,
                            struct tally *t)
{
    if (d->values.n > CW_VALUES_MAX)
        return CW_BAD_VALUE(call,
                            "The collection MetricData.member.%zu.Values must not have a size "
                            "greater than %d.",
                            i + 1, CW_VALUES_MAX);
    if (d->counts.n > 0 && d->counts.n != d->values.n)
        return CW_BAD_VALUE(call,
                            "The parameters MetricData.member.%zu.Values and "
                            "MetricData.member.%zu.Counts must be of the same size.",
                            i + 1, i + 1);
    for (size_t k = 0; k < d->values.n; k++) {
        double count = d->counts.n > 0 ? d->counts.v[k] : 1;
        if (!fits(d->values.v[k]))
            return BAD_NUMBER(call, i, "Values");
        if (!fits(count) || count < 0)
            return BAD_NUMBER(call, i, "Counts");
        if (count > 0)
            TRY(tally_add(t, d->values.v[k], count));
    }
    return ERR_OK;
}

static enum err take_set(struct call *call, const struct cloudwatch_statistic_set *s, size_t i,
                         struct tally *t)
{
    if (!fits(s->sum) || !fits(s->minimum) || !fits(s->maximum))
        return BAD_NUMBER(call, i, "StatisticValues");
    if (!fits(s->sample_count) || s->sample_count <= 0)
        return BAD_NUMBER(call, i, "StatisticValues.SampleCount");
    if (s->minimum > s->maximum)
        return CW_BAD_COMBINATION(call,
                                  "The value for parameter MetricData.member.%zu.StatisticValues."
                                  "Minimum must not be greater than Maximum.",
                                  i + 1);
    return tally_add_set(t, s->sample_count, s->sum, s->minimum, s->maximum);
}

/* One kind of value, exactly. */
static enum err take_numbers(struct call *call, const struct cloudwatch_metric_datum *d, size_t i,
                             struct tally *t)
{
    const char *both = d->has_value && d->statistic_values      ? "Value and StatisticValues"
                       : d->has_value && d->values.n > 0        ? "Value and Values"
                       : d->statistic_values && d->values.n > 0 ? "StatisticValues and Values"
                                                                : NULL;
    if (both)
        return CW_BAD_COMBINATION(call,
                                  "The parameters %s of MetricData.member.%zu are mutually "
                                  "exclusive and you have specified both.",
                                  both, i + 1);
    if (d->values.n > 0)
        return take_values(call, d, i, t);
    if (d->statistic_values)
        return take_set(call, d->statistic_values, i, t);
    if (!d->has_value)
        return CW_MISSING(call,
                          "At least one of the parameters MetricData.member.%zu.Value, "
                          "MetricData.member.%zu.Values or MetricData.member.%zu.StatisticValues "
                          "must be specified.",
                          i + 1, i + 1, i + 1);
    return fits(d->value) ? tally_add(t, d->value, 1) : BAD_NUMBER(call, i, "Value");
}

static enum err take_moment(struct call *call, const struct cloudwatch_metric_datum *d, size_t i,
                            struct cw_datum *ret)
{
    int64_t now = call->txn->wall_ms;
    ret->at_ms = d->has_timestamp ? d->timestamp : now;
    if (ret->at_ms < now - CW_PAST_MS)
        return CW_BAD_VALUE(call,
                            "The parameter MetricData.member.%zu.Timestamp must specify a time "
                            "within the past two weeks.",
                            i + 1);
    if (ret->at_ms > now + CW_FUTURE_MS)
        return CW_BAD_VALUE(call,
                            "The parameter MetricData.member.%zu.Timestamp must specify a time no "
                            "more than two hours in the future.",
                            i + 1);
    if (d->has_storage_resolution && d->storage_resolution != 1 && d->storage_resolution != 60)
        return CW_BAD_VALUE(call,
                            "The parameter MetricData.member.%zu.StorageResolution must be 1 or "
                            "60.",
                            i + 1);
    ret->high = d->has_storage_resolution && d->storage_resolution == 1;
    return ERR_OK;
}

static enum err put_one(struct call *call, struct str space,
                        const struct cloudwatch_metric_datum *d, size_t i)
{
    struct tally t;
    struct cw_datum datum = {
        .metric = {space, d->metric_name, (struct cw_dim *)CW_DIMS(d->dimensions), d->dimensions.n},
        .unit = d->unit,
        .values = &t,
    };
    tally_init(&t, call->arena);
    TRY(take_moment(call, d, i, &datum));
    TRY(take_numbers(call, d, i, &t));
    if (t.count == 0) /* counts of 0 */
        return ERR_OK;
    TRY(cw_metric_sort(call->arena, &datum.metric));
    for (size_t k = 1; k < datum.metric.n_dims; k++)
        if (str_eq(datum.metric.dims[k - 1].name, datum.metric.dims[k].name))
            return CW_BAD_VALUE(
                call,
                "The parameter MetricData.member.%zu.Dimensions has the dimension " STR_FMT
                " more than once.",
                i + 1, STR_ARG(datum.metric.dims[k].name));
    enum err err = cw_put(cw_of(call), call->txn, call_scope(call), &datum);
    if (err == ERR_LIMIT)
        return CW_BAD_VALUE(call, "The names of MetricData.member.%zu are too long.", i + 1);
    return err;
}

enum err cloudwatch_put_metric_data(struct call *call,
                                    const struct cloudwatch_put_metric_data_input *in,
                                    struct cloudwatch_put_metric_data_output *out)
{
    if (in->entity_metric_data.n > 0 || in->has_strict_entity_validation)
        return CW_BAD_VALUE(call, "EntityMetricData and StrictEntityValidation are not supported "
                                  "by Weir.");
    if (str_starts(in->namespace, STR("AWS/")))
        return CW_BAD_VALUE(call, "The value AWS/ for parameter Namespace is invalid.");
    if (in->metric_data.n == 0)
        return CW_MISSING(call, "The parameter MetricData is required.");
    if (in->metric_data.n > CW_DATA_MAX)
        return CW_BAD_VALUE(call, "The collection MetricData must not have a size greater than %d.",
                            CW_DATA_MAX);
    for (size_t i = 0; i < in->metric_data.n; i++)
        TRY(put_one(call, in->namespace, &in->metric_data.v[i], i));
    return ERR_OK;
}
