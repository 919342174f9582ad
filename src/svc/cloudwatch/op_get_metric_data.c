/* GetMetricData. A page holds whole series: up to MaxDatapoints of them together, and at least a part of one,
 * where a single one has more. A token names the series that comes next, and how many of its values have been
 * told already.
 *
 * Layer: svc/cloudwatch. Source: CloudWatch API Reference, GetMetricData. */
#include <assert.h>

#include "base/pack.h"
#include "svc/cloudwatch/cloudwatch_int.h"

enum { RESULTS_MAX = 1000, TOKEN_BYTES = 64 };

/* A request while it is answered. */
struct answering {
    struct call *call;
    const struct cloudwatch_get_metric_data_input *in;
    struct cw_asked asked;
    struct cloudwatch_metric_data_result *v;
    size_t n;
    size_t left;         /* values that the page still takes */
    uint64_t skip, told; /* results of earlier pages; values of the one after them */
    uint64_t at;         /* results seen */
    bool more;
    uint64_t more_at, more_told;
};

static enum err check(struct call *call, const struct cloudwatch_get_metric_data_input *in)
{
    if (in->metric_data_queries.n == 0)
        return CW_INVALID(call, "The parameter MetricDataQueries must not be empty.");
    if (in->metric_data_queries.n > CW_QUERIES_MAX)
        return CW_INVALID(call,
                          "The collection MetricDataQueries must not have a size greater than %d.",
                          CW_QUERIES_MAX);
    if (in->start_time >= in->end_time)
        return CW_INVALID(call, "The parameter StartTime must be less than the parameter EndTime.");
    if (in->start_time < 0)
        return CW_INVALID(call, "The parameter StartTime is invalid.");
    if (in->has_max_datapoints &&
        (in->max_datapoints < 1 || in->max_datapoints > CW_GET_POINTS_MAX))
        return CW_INVALID(call, "The parameter MaxDatapoints must be between 1 and %d.",
                          CW_GET_POINTS_MAX);
    if (in->label_options && str_is_set(in->label_options->timezone))
        return CW_INVALID(call, "LabelOptions are not supported by Weir.");
    return ERR_OK;
}

/* The values of a series from `from` on, in the order that is asked for. */
static enum err put_values(struct answering *a, const struct cw_series *s, size_t from, size_t n,
                           struct cloudwatch_metric_data_result *r)
{
    int64_t *at = ARENA_ARRAY(a->call->arena, int64_t, n + 1);
    double *v = ARENA_ARRAY(a->call->arena, double, n + 1);
    bool up = str_eq_c(a->in->scan_by, "TimestampAscending");
    if (!at || !v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t k = up ? from + i : s->n - 1 - from - i;
        at[i] = s->at_ms[k];
        v[i] = s->v[k];
    }
    r->timestamps = (struct cloudwatch_timestamps){at, n};
    r->values = (struct cloudwatch_datapoint_values){v, n};
    return ERR_OK;
}

static enum err put_series(struct answering *a, const struct cw_series *s)
{
    uint64_t at = a->at++;
    if (a->more || at < a->skip)
        return ERR_OK;
    size_t from = at == a->skip && a->told < s->n ? (size_t)a->told : 0, n = s->n - from;
    if (at == a->skip && a->told > 0 && a->told >= s->n)
        n = 0;
    if (a->n == RESULTS_MAX || (n > a->left && a->n > 0)) {
        a->more = true;
        a->more_at = at;
        a->more_told = from;
        return ERR_OK;
    }
    bool part = n > a->left;
    if (part) {
        a->more = true;
        a->more_at = at;
        n = a->left;
        a->more_told = from + n;
    }
    struct cloudwatch_metric_data_result *r = &a->v[a->n++];
    r->id = s->id;
    r->label = s->label;
    r->status_code = part ? STR("PartialData") : STR("Complete");
    a->left -= n;
    return put_values(a, s, from, n, r);
}

static enum err open_token(struct answering *a, const struct page_bind *bind)
{
    struct str position;
    struct unpack u;
    if (!str_is_set(a->in->next_token))
        return ERR_OK;
    TRY(cw_paged(a->call, page_open(bind, a->in->next_token, &position)));
    unpack_init(&u, position);
    a->skip = unpack_uint(&u);
    a->told = unpack_uint(&u);
    return unpack_end(&u) == ERR_OK ? ERR_OK : cw_paged(a->call, ERR_INVALID);
}

static enum err seal_token(struct answering *a, const struct page_bind *bind, struct str *ret)
{
    struct buf b;
    if (!a->more)
        return ERR_OK;
    buf_init_arena(&b, a->call->arena, TOKEN_BYTES);
    pack_uint(&b, a->more_at);
    pack_uint(&b, a->more_told);
    TRY(buf_err(&b));
    return page_seal(bind, buf_str(&b), ret);
}

static enum err put_query(struct answering *a, size_t which)
{
    struct cw_answer answer;
    enum err err = cw_data(a->call->txn, &a->asked, which, &answer);
    if (err == ERR_INVALID)
        return CW_INVALID(a->call, STR_FMT, STR_ARG(answer.why));
    TRY(err);
    for (size_t i = 0; i < answer.n; i++)
        TRY(put_series(a, &answer.v[i]));
    return ERR_OK;
}

enum err cloudwatch_get_metric_data(struct call *call,
                                    const struct cloudwatch_get_metric_data_input *in,
                                    struct cloudwatch_get_metric_data_output *out)
{
    struct answering a = {.call = call, .in = in};
    struct cw_query *queries;
    TRY(check(call, in));
    TRY(cw_queries_take(call, &in->metric_data_queries, &queries, &a.asked.n));
    a.asked.queries = queries;
    a.asked.scope = call_scope(call);
    a.asked.from_ms = in->start_time;
    a.asked.to_ms = in->end_time;
    a.left = in->has_max_datapoints ? (size_t)in->max_datapoints : CW_GET_POINTS_MAX;
    a.v = ARENA_ARRAY(call->arena, struct cloudwatch_metric_data_result, RESULTS_MAX);
    if (!a.v)
        return ERR_NOMEM;
    struct page_bind bind = page_bind_of(call, STR(""));
    TRY(open_token(&a, &bind));
    for (size_t i = 0; i < a.asked.n && !a.more; i++)
        if (queries[i].returned)
            TRY(put_query(&a, i));
    TRY(seal_token(&a, &bind, &out->next_token));
    out->metric_data_results = (struct cloudwatch_metric_data_results){a.v, a.n};
    return ERR_OK;
}
