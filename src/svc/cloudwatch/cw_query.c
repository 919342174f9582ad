/* Queries of GetMetricData and of alarms: taken from a request, checked, told.
 *
 * Layer: svc/cloudwatch. Thread: the transaction's. Source: API Reference, MetricDataQuery, MetricStat. */
#include "codec/json.h"
#include "svc/cloudwatch/cloudwatch_int.h"

bool cw_period_valid(int64_t period_s)
{
    return period_s == 1 || period_s == 5 || period_s == 10 || period_s == 20 || period_s == 30 ||
           (period_s > 0 && period_s % 60 == 0 && period_s <= 86400 * 365);
}

static bool id_valid(struct str id)
{
    if (id.len == 0 || id.p[0] < 'a' || id.p[0] > 'z')
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= 'A' && id.p[i] <= 'Z') ||
              (id.p[i] >= '0' && id.p[i] <= '9') || id.p[i] == '_'))
            return false;
    return true;
}

static enum err take_metric(struct call *call, const struct cloudwatch_metric_stat *in, size_t i,
                            struct cw_query *q)
{
    struct cw_stat stat;
    struct cw_metric m = {in->metric->namespace, in->metric->metric_name,
                          (struct cw_dim *)CW_DIMS(in->metric->dimensions),
                          in->metric->dimensions.n};
    if (!str_is_set(m.space) || !str_is_set(m.name))
        return CW_MISSING(call,
                          "The parameter MetricDataQueries.member.%zu.MetricStat.Metric must have "
                          "Namespace and MetricName.",
                          i + 1);
    if (cw_stat_parse(in->stat, &stat) != ERR_OK)
        return CW_INVALID(call,
                          "The value " STR_FMT " for parameter MetricDataQueries.member.%zu."
                          "MetricStat.Stat is not supported.",
                          STR_ARG(in->stat), i + 1);
    if (!cw_period_valid(in->period))
        return CW_INVALID(call,
                          "The parameter MetricDataQueries.member.%zu.MetricStat.Period must be "
                          "1, 5, 10, 20, 30 or a multiple of 60.",
                          i + 1);
    TRY(cw_metric_sort(call->arena, &m));
    q->space = m.space;
    q->name = m.name;
    q->dims = m.dims;
    q->n_dims = m.n_dims;
    q->stat = in->stat;
    q->period_s = in->period;
    q->unit = str_is_set(in->unit) ? (uint8_t)cw_unit_of(in->unit) : CW_ANY_UNIT;
    return ERR_OK;
}

static enum err take_one(struct call *call, const struct cloudwatch_metric_data_query *in, size_t i,
                         struct cw_query *q)
{
    *q = (struct cw_query){.id = in->id,
                           .expression = in->expression,
                           .label = in->label,
                           .period_s = in->has_period ? in->period : 0,
                           .unit = CW_ANY_UNIT,
                           .returned = !in->has_return_data || in->return_data};
    if (!id_valid(in->id))
        return CW_INVALID(call,
                          "The value " STR_FMT " for parameter MetricDataQueries.member.%zu.Id is "
                          "not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
                          STR_ARG(in->id), i + 1);
    if (str_is_set(in->account_id) && !str_eq(in->account_id, call->account))
        return CW_INVALID(call, "Metrics of other accounts are not supported by Weir.");
    if (str_is_set(in->label) && str_find_str(in->label, STR("${")) != SIZE_MAX)
        return CW_INVALID(call, "Dynamic labels (${...}) are not supported by Weir.");
    if ((in->metric_stat != NULL) == str_is_set(in->expression))
        return CW_INVALID(call,
                          "Exactly one of MetricStat and Expression must be given in "
                          "MetricDataQueries.member.%zu.",
                          i + 1);
    if (in->has_period && !cw_period_valid(in->period))
        return CW_INVALID(call,
                          "The parameter MetricDataQueries.member.%zu.Period must be 1, 5, 10, "
                          "20, 30 or a multiple of 60.",
                          i + 1);
    return in->metric_stat ? take_metric(call, in->metric_stat, i, q) : ERR_OK;
}

/* Expressions parse, and what they name is there. */
static enum err check_expressions(struct call *call, struct cw_query *q, size_t n)
{
    struct cw_math *math = ARENA_NEW(call->arena, struct cw_math);
    if (!math)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct str why;
        if (!str_is_set(q[i].expression))
            continue;
        enum err err = cw_math_parse(call->arena, q[i].expression, math, &why);
        if (err == ERR_INVALID)
            return CW_INVALID(call, "Error in expression '" STR_FMT "': " STR_FMT ".",
                              STR_ARG(q[i].id), STR_ARG(why));
        TRY(err);
        q[i].searches = math->searches;
        for (size_t k = 0; k < math->n_names; k++) {
            size_t at = 0;
            while (at < n && !str_eq(q[at].id, math->names[k]))
                at++;
            if (at == n)
                return CW_INVALID(call,
                                  "Error in expression '" STR_FMT "': unknown id " STR_FMT ".",
                                  STR_ARG(q[i].id), STR_ARG(math->names[k]));
        }
    }
    return ERR_OK;
}

enum err cw_queries_take(struct call *call, const struct cloudwatch_metric_data_queries *in,
                         struct cw_query **ret, size_t *ret_n)
{
    struct cw_query *q = ARENA_ARRAY(call->arena, struct cw_query, in->n + 1);
    if (!q)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++) {
        TRY(take_one(call, &in->v[i], i, &q[i]));
        for (size_t k = 0; k < i; k++)
            if (str_eq(q[k].id, q[i].id))
                return CW_INVALID(call, "The id " STR_FMT " is used by more than one query.",
                                  STR_ARG(q[i].id));
    }
    TRY(check_expressions(call, q, in->n));
    *ret = q;
    *ret_n = in->n;
    return ERR_OK;
}

void cw_query_json(struct json_out *o, const struct cw_query *q)
{
    json_open(o, '{');
    json_kv_str(o, STR("id"), q->id);
    json_kv_str(o, STR("expression"), q->expression);
    json_kv_str(o, STR("label"), q->label);
    if (str_is_set(q->name)) {
        json_key(o, STR("metricStat"));
        json_open(o, '{');
        json_key(o, STR("metric"));
        json_open(o, '{');
        json_kv_str(o, STR("namespace"), q->space);
        json_kv_str(o, STR("name"), q->name);
        json_key(o, STR("dimensions"));
        json_open(o, '{');
        for (size_t i = 0; i < q->n_dims; i++)
            json_kv_str(o, q->dims[i].name, q->dims[i].value);
        json_close(o, '}');
        json_close(o, '}');
        json_kv_i64(o, STR("period"), q->period_s);
        json_kv_str(o, STR("stat"), q->stat);
        json_kv_str(o, STR("unit"), cw_unit_name(q->unit));
        json_close(o, '}');
    }
    json_kv_bool(o, STR("returnData"), q->returned);
    json_close(o, '}');
}
