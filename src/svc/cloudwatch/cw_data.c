/* What queries give: series of a metric's statistic, or of an expression over other queries. GetMetricData
 * and alarms ask here.
 *
 * Layer: svc/cloudwatch. Thread: the transaction's. */
#include <assert.h>

#include "svc/cloudwatch/cloudwatch_int.h"

struct solving {
    struct txn *txn;
    const struct cw_asked *asked;
    struct cw_value *values; /* by query */
    bool *done, *busy;
    const struct cw_query *at; /* whose expression is evaluated */
    int64_t changes_ms;
    struct str why;
};

static enum err solve(struct solving *s, size_t which);

static enum err fault(struct solving *s, struct str id, struct str why)
{
    s->why = str_fmt(s->txn->arena, "Error in expression '" STR_FMT "': " STR_FMT, STR_ARG(id),
                     STR_ARG(why));
    return str_is_set(s->why) ? ERR_INVALID : ERR_NOMEM;
}

static size_t place_of(const struct cw_asked *asked, struct str id)
{
    size_t i = 0;
    while (i < asked->n && !str_eq(asked->queries[i].id, id))
        i++;
    return i;
}

/* --- metrics ------------------------------------------------------------------------------------ */

static enum err fill_series(struct arena *a, const struct cw_stat *stat,
                            const struct cw_points *points, struct cw_series *ret)
{
    ret->at_ms = ARENA_ARRAY(a, int64_t, points->n + 1);
    ret->v = ARENA_ARRAY(a, double, points->n + 1);
    ret->counts = ARENA_ARRAY(a, double, points->n + 1);
    if (!ret->at_ms || !ret->v || !ret->counts)
        return ERR_NOMEM;
    for (size_t i = 0; i < points->n; i++) {
        if (cw_stat_of(stat, &points->v[i].values, &ret->v[ret->n]) != ERR_OK)
            continue;
        ret->at_ms[ret->n] = points->v[i].at_ms;
        ret->counts[ret->n++] = points->v[i].values.count;
    }
    return ERR_OK;
}

static enum err solve_metric(struct solving *s, const struct cw_query *q, struct cw_value *ret)
{
    struct cw_stat stat;
    struct cw_points points;
    struct cw_range range = {.period_ms = q->period_s * 1000, .unit = q->unit};
    struct cw_series *series = ARENA_NEW(s->txn->arena, struct cw_series);
    assert(range.period_ms > 0);
    if (!series)
        return ERR_NOMEM;
    if (cw_stat_parse(q->stat, &stat) != ERR_OK)
        return fault(s, q->id, STR("the statistic is not supported"));
    range.step_ms = s->asked->step_ms;
    range.from_ms = s->asked->from_ms;
    if (range.step_ms == 0)
        range.from_ms -= range.from_ms % range.period_ms;
    range.to_ms = s->asked->to_ms;
    struct str key = cw_query_metric(s->txn->arena, s->asked->scope, q);
    TRY(cw_read_points(s->txn, key, &range, &points));
    s->changes_ms = min_i64(s->changes_ms, points.changes_ms);
    series->id = q->id;
    series->label = str_is_set(q->label) ? q->label : q->name;
    series->period_ms = range.period_ms;
    TRY(fill_series(s->txn->arena, &stat, &points, series));
    *ret = (struct cw_value){.kind = CW_SERIES, .v = series, .n = 1};
    return ERR_OK;
}

/* --- expressions -------------------------------------------------------------------------------- */

static enum err lookup(void *arg, struct str name, struct cw_value *ret)
{
    struct solving *s = arg;
    size_t i = place_of(s->asked, name);
    if (i == s->asked->n)
        return fault(s, name, STR("there is no query of this id"));
    TRY(solve(s, i));
    *ret = s->values[i];
    return ERR_OK;
}

static enum err all_metrics(void *arg, struct str part, struct cw_value *ret)
{
    struct solving *s = arg;
    *ret = (struct cw_value){.kind = CW_ARRAY,
                             .v = ARENA_ARRAY(s->txn->arena, struct cw_series, s->asked->n + 1)};
    if (!ret->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->asked->n; i++) {
        const struct cw_query *q = &s->asked->queries[i];
        if (!str_is_set(q->name) || (str_is_set(part) && str_find_str(q->id, part) == SIZE_MAX))
            continue;
        TRY(solve(s, i));
        ret->v[ret->n++] = s->values[i].v[0];
    }
    return ERR_OK;
}

/* --- SEARCH() ------------------------------------------------------------------------------------ */

struct searching {
    struct solving *s;
    struct cw_search search;
    struct cw_metric v[CW_SEARCH_SERIES_MAX];
    size_t n;
};

/* Metrics without values for two weeks are not found. */
static enum err search_one(void *arg, struct str key, struct str record)
{
    struct searching *g = arg;
    struct txn *txn = g->s->txn;
    struct key_scope scope;
    struct cw_metric m;
    struct cw_metric_rec rec;
    TRY(txn_work_row(txn, key, record));
    TRY(cw_metric_of_key(txn->arena, key, &scope, &m));
    TRY(cw_metric_parse(txn->arena, record, &rec));
    if (rec.put_ms < txn->wall_ms - CW_PAST_MS ||
        !cw_search_matches(&g->search, g->s->asked->scope.account, &m))
        return ERR_OK;
    g->v[g->n++] = m;
    return g->n < CW_SEARCH_SERIES_MAX ? ERR_OK : ERR_CLOSED;
}

/* What tells it from others that were found: the values of its dimensions, and its name. */
static enum err label_found(struct arena *a, const struct cw_metric *m, struct cw_series *s)
{
    struct buf b;
    buf_init_arena(&b, a, CW_LABEL_MAX);
    for (size_t i = 0; i < m->n_dims; i++) {
        buf_add_str(&b, m->dims[i].value);
        buf_add_byte(&b, ' ');
    }
    buf_add_str(&b, m->name);
    s->label = buf_str(&b);
    return buf_err(&b);
}

static enum err solve_found(struct searching *g, const struct cw_query *like, struct cw_value *ret)
{
    struct arena *a = g->s->txn->arena;
    *ret = (struct cw_value){.kind = CW_ARRAY, .v = ARENA_ARRAY(a, struct cw_series, g->n + 1)};
    if (!ret->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < g->n; i++) {
        struct cw_query q = *like;
        struct cw_value one;
        q.space = g->v[i].space;
        q.name = g->v[i].name;
        q.dims = g->v[i].dims;
        q.n_dims = g->v[i].n_dims;
        TRY(solve_metric(g->s, &q, &one));
        TRY(label_found(a, &g->v[i], one.v));
        ret->v[ret->n++] = *one.v;
    }
    return ERR_OK;
}

static int64_t period_of(const struct cw_asked *asked, const struct cw_query *q);

static enum err search(void *arg, struct str text, struct str stat, double period_s,
                       struct cw_value *ret)
{
    struct solving *s = arg;
    struct arena *a = s->txn->arena;
    struct searching *g = ARENA_NEW(a, struct searching);
    struct cw_query like = {
        .id = s->at->id, .stat = stat, .unit = CW_ANY_UNIT, .period_s = (int64_t)period_s};
    struct cw_stat known;
    const char *why;
    if (!g)
        return ERR_NOMEM;
    g->s = s;
    if (cw_stat_parse(stat, &known) != ERR_OK)
        return fault(s, s->at->id, STR("the statistic is not supported"));
    if (like.period_s == 0)
        like.period_s = period_of(s->asked, s->at) / 1000;
    if (period_s < 0 || period_s > 86400 * 365 || !cw_period_valid(like.period_s))
        return fault(s, s->at->id, STR("the period of the search is not valid"));
    enum err err = cw_search_parse(a, text, &g->search, &why);
    if (err == ERR_INVALID)
        return fault(s, s->at->id, str_c(why));
    TRY(err);
    struct key_range range = str_is_set(g->search.space)
                                 ? key_range(a, &cw_k_metric, s->asked->scope, g->search.space)
                                 : key_range(a, &cw_k_metric, s->asked->scope);
    TRY(txn_each(s->txn, range, search_one, g));
    return solve_found(g, &like, ret);
}

/* The period of what has none: the shortest of what the request asks for. */
static int64_t period_of(const struct cw_asked *asked, const struct cw_query *q)
{
    int64_t least = q->period_s;
    for (size_t i = 0; i < asked->n && q->period_s == 0; i++) {
        int64_t p = asked->queries[i].period_s;
        if (p > 0 && (least == 0 || p < least))
            least = p;
    }
    return (least > 0 ? least : 60) * 1000;
}

static enum err solve_expression(struct solving *s, const struct cw_query *q, struct cw_value *ret)
{
    struct cw_math math;
    struct str why;
    struct cw_math_world w = {
        .a = s->txn->arena,
        .lookup = lookup,
        .metrics = all_metrics,
        .search = search,
        .arg = s,
        .from_ms = s->asked->from_ms,
        .to_ms = s->asked->to_ms,
        .phase_ms = s->asked->step_ms > 0 ? s->asked->from_ms : 0,
        .period_ms = period_of(s->asked, q),
    };
    enum err err = cw_math_parse(s->txn->arena, q->expression, &math, &why);
    if (err == ERR_INVALID)
        return fault(s, q->id, why);
    TRY(err);
    TRY(txn_work(s->txn, q->expression.len));
    const struct cw_query *outer = s->at;
    s->at = q;
    err = cw_math_eval(&math, &w, ret);
    s->at = outer;
    if ((err == ERR_INVALID || err == ERR_LIMIT) && str_is_set(w.why))
        return fault(s, q->id, w.why);
    TRY(err);
    if (math.of_time && s->changes_ms != CW_NEVER) /* the same values at other times */
        s->changes_ms = min_i64(s->changes_ms, s->asked->to_ms + s->asked->step_ms);
    return txn_work(s->txn, w.points * sizeof(double));
}

static enum err solve(struct solving *s, size_t which)
{
    const struct cw_query *q = &s->asked->queries[which];
    if (s->done[which])
        return ERR_OK;
    if (s->busy[which])
        return fault(s, q->id, STR("it depends on itself"));
    s->busy[which] = true;
    TRY(str_is_set(q->name) ? solve_metric(s, q, &s->values[which])
                            : solve_expression(s, q, &s->values[which]));
    s->busy[which] = false;
    s->done[which] = true;
    return ERR_OK;
}

/* Names of a result: a series of an array is called by the query and by itself. */
static enum err name_series(struct arena *a, const struct cw_query *q, const struct cw_value *v,
                            struct cw_answer *ret)
{
    ret->v = ARENA_ARRAY(a, struct cw_series, v->n + 1);
    ret->n = v->n;
    if (!ret->v)
        return ERR_NOMEM;
    struct str label = str_is_set(q->label) ? q->label : q->id;
    for (size_t i = 0; i < v->n; i++) {
        ret->v[i] = v->v[i];
        ret->v[i].id = q->id;
        if (v->kind == CW_ARRAY)
            ret->v[i].label =
                str_fmt(a, STR_FMT " " STR_FMT, STR_ARG(label), STR_ARG(v->v[i].label));
        else if (!str_is_set(q->name))
            ret->v[i].label = label;
        if (!str_is_set(ret->v[i].label))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

enum err cw_data(struct txn *txn, const struct cw_asked *asked, size_t which, struct cw_answer *ret)
{
    struct solving s = {
        .txn = txn,
        .asked = asked,
        .values = ARENA_ARRAY(txn->arena, struct cw_value, asked->n + 1),
        .done = ARENA_ARRAY(txn->arena, bool, asked->n + 1),
        .busy = ARENA_ARRAY(txn->arena, bool, asked->n + 1),
        .changes_ms = CW_NEVER,
    };
    const struct cw_query *q = &asked->queries[which];
    *ret = (struct cw_answer){0};
    if (!s.values || !s.done || !s.busy)
        return ERR_NOMEM;
    enum err err = solve(&s, which);
    if (err == ERR_OK && s.values[which].kind != CW_SERIES && s.values[which].kind != CW_ARRAY)
        err = fault(&s, q->id, STR("the result is not a time series"));
    ret->why = s.why;
    ret->changes_ms = s.changes_ms;
    TRY(err);
    return name_series(txn->arena, q, &s.values[which], ret);
}
