/* GetMetricStatistics. Layer: svc/cloudwatch. Source: CloudWatch API Reference, GetMetricStatistics. */
#include "svc/cloudwatch/cloudwatch_int.h"

enum { STATS_MAX = 5, EXTENDED_MAX = 10 };

struct asked {
    struct cw_stat plain[STATS_MAX], extended[EXTENDED_MAX];
    struct cw_range range;
};

static enum err take_stats(struct call *call,
                           const struct cloudwatch_get_metric_statistics_input *in, struct asked *a)
{
    if (in->statistics.n == 0 && in->extended_statistics.n == 0)
        return CW_MISSING(call, "Must specify either Statistics or ExtendedStatistics");
    for (size_t i = 0; i < in->statistics.n; i++)
        if (cw_stat_parse(in->statistics.v[i], &a->plain[i]) != ERR_OK)
            return CW_BAD_VALUE(call, "The value for parameter Statistics is invalid.");
    for (size_t i = 0; i < in->extended_statistics.n; i++) {
        struct str text = in->extended_statistics.v[i];
        if (cw_stat_parse(text, &a->extended[i]) != ERR_OK || !cw_stat_extended(&a->extended[i]))
            return CW_BAD_VALUE(call,
                                "The value " STR_FMT " for parameter ExtendedStatistics is not "
                                "supported.",
                                STR_ARG(text));
    }
    return ERR_OK;
}

/* Start times are rounded down by what is kept of their age. */
static int64_t rounded(int64_t start_ms, int64_t now_ms)
{
    int64_t age = now_ms - start_ms, to = CW_MINUTE_MS;
    for (int c = CW_1M; c < CW_1H; c++)
        if (age > cw_classes[c].kept_ms)
            to = cw_classes[c + 1].period_ms;
    if (age <= cw_classes[CW_1S].kept_ms)
        to = cw_classes[CW_1S].period_ms;
    return start_ms - start_ms % to;
}

static enum err take_range(struct call *call,
                           const struct cloudwatch_get_metric_statistics_input *in,
                           struct cw_range *r)
{
    bool fine = in->period == 1 || in->period == 5 || in->period == 10 || in->period == 20 ||
                in->period == 30;
    if (!fine && in->period % 60 != 0)
        return CW_BAD_VALUE(call, "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of "
                                  "60.");
    if (in->start_time >= in->end_time)
        return CW_BAD_COMBINATION(call, "The parameter StartTime must be less than the parameter "
                                        "EndTime.");
    if (in->start_time < 0)
        return CW_BAD_VALUE(call, "The parameter StartTime is invalid.");
    int64_t points = (in->end_time - in->start_time) / 1000 / in->period;
    if (points > CW_POINTS_MAX)
        return CW_BAD_COMBINATION(call,
                                  "You have requested up to %lld datapoints, which exceeds the "
                                  "limit of %d. You may reduce the datapoints requested by "
                                  "increasing Period, or decreasing the time range.",
                                  (long long)points, CW_POINTS_MAX);
    r->from_ms = rounded(in->start_time, call->txn->wall_ms);
    r->to_ms = in->end_time;
    r->period_ms = in->period * 1000;
    /* Of standard resolution there is nothing finer than its minute. */
    if (!fine)
        r->from_ms -= r->from_ms % CW_MINUTE_MS;
    r->unit = str_is_set(in->unit) ? cw_unit_of(in->unit) : CW_ANY_UNIT;
    r->by_unit = true;
    return ERR_OK;
}

static void put_plain(const struct cw_stat *s, const struct tally *t,
                      struct cloudwatch_datapoint *d)
{
    double v;
    if (cw_stat_of(s, t, &v) != ERR_OK)
        return;
    if (s->kind == CW_STAT_COUNT)
        WIRE_SET(d, sample_count, v);
    else if (s->kind == CW_STAT_SUM)
        WIRE_SET(d, sum, v);
    else if (s->kind == CW_STAT_AVERAGE)
        WIRE_SET(d, average, v);
    else if (s->kind == CW_STAT_MINIMUM)
        WIRE_SET(d, minimum, v);
    else
        WIRE_SET(d, maximum, v);
}

/* *ret_any: it has something that was asked for. */
static enum err put_point(struct call *call,
                          const struct cloudwatch_get_metric_statistics_input *in,
                          const struct asked *a, const struct cw_point *p,
                          struct cloudwatch_datapoint *d, bool *ret_any)
{
    size_t n = 0;
    struct cloudwatch_datapoint_value_map_entry *v =
        ARENA_ARRAY(call->arena, struct cloudwatch_datapoint_value_map_entry, EXTENDED_MAX);
    if (!v)
        return ERR_NOMEM;
    WIRE_SET(d, timestamp, p->at_ms);
    d->unit = cw_unit_name(p->unit);
    for (size_t i = 0; i < in->statistics.n; i++)
        put_plain(&a->plain[i], &p->values, d);
    for (size_t i = 0; i < in->extended_statistics.n; i++) {
        v[n].key = in->extended_statistics.v[i];
        n += cw_stat_of(&a->extended[i], &p->values, &v[n].value) == ERR_OK;
    }
    if (n > 0) /* an empty map is told as one */
        d->extended_statistics.v = v;
    if (n > 0) /* an empty map would be told as one */
        d->extended_statistics.v = v;
    d->extended_statistics.n = n;
    *ret_any = in->statistics.n > 0 || n > 0;
    return ERR_OK;
}

enum err cloudwatch_get_metric_statistics(struct call *call,
                                          const struct cloudwatch_get_metric_statistics_input *in,
                                          struct cloudwatch_get_metric_statistics_output *out)
{
    struct asked a = {0};
    struct cw_points points;
    struct cw_metric m = {in->namespace, in->metric_name, (struct cw_dim *)CW_DIMS(in->dimensions),
                          in->dimensions.n};
    TRY(take_stats(call, in, &a));
    TRY(take_range(call, in, &a.range));
    TRY(cw_metric_sort(call->arena, &m));
    TRY(cw_read_points(call->txn, cw_metric_key(call->arena, call_scope(call), &m), &a.range,
                       &points));
    struct cloudwatch_datapoint *v =
        ARENA_ARRAY(call->arena, struct cloudwatch_datapoint, points.n + 1);
    if (!v)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < points.n; i++) {
        bool any;
        TRY(put_point(call, in, &a, &points.v[i], &v[n], &any));
        n += any;
    }
    out->label = in->metric_name;
    out->datapoints.v = v;
    out->datapoints.n = n;
    return ERR_OK;
}
