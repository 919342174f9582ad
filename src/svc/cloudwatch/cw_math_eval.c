/* Evaluation of expressions; see cw_math.h. One table says what each function takes and gives. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "svc/cloudwatch/cw_math.h"

static enum err eval(struct cw_math_world *w, const struct cw_math_node *n, struct cw_value *ret);

static enum err fault(struct cw_math_world *w, struct str what, const char *why)
{
    w->why = str_fmt(w->a, STR_FMT ": %s", STR_ARG(what), why);
    return str_is_set(w->why) ? ERR_INVALID : ERR_NOMEM;
}

/* --- series ------------------------------------------------------------------------------------- */

static enum err room(struct cw_math_world *w, size_t n, struct cw_series *ret)
{
    w->points += n + 1;
    if (w->points > CW_MATH_POINTS_MAX) {
        w->why = STR("The expression makes too many values.");
        return ERR_LIMIT;
    }
    ret->at_ms = ARENA_ARRAY(w->a, int64_t, n + 1);
    ret->v = ARENA_ARRAY(w->a, double, n + 1);
    return ret->at_ms && ret->v ? ERR_OK : ERR_NOMEM;
}

static void add(struct cw_series *s, int64_t at, double v)
{
    if (!isfinite(v))
        return;
    s->at_ms[s->n] = at;
    s->v[s->n++] = v;
}

static struct cw_value number(double v)
{
    return (struct cw_value){.kind = CW_NUMBER, .number = v};
}

static enum err array(struct cw_math_world *w, size_t n, struct cw_value *ret)
{
    *ret = (struct cw_value){.kind = CW_ARRAY, .v = ARENA_ARRAY(w->a, struct cw_series, n + 1)};
    return ret->v ? ERR_OK : ERR_NOMEM;
}

static enum err as_series(struct cw_math_world *w, const struct cw_series *s, struct cw_value *ret)
{
    TRY(array(w, 1, ret));
    ret->kind = CW_SERIES;
    ret->n = 1;
    ret->v[0] = *s;
    return ERR_OK;
}

static bool value_at(const struct cw_series *s, int64_t at, double *ret)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->at_ms[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == s->n || s->at_ms[lo] != at)
        return false;
    *ret = s->v[lo];
    return true;
}

/* --- operators ---------------------------------------------------------------------------------- */

static double apply(struct str op, double a, double b)
{
    switch (op.p[0]) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return b == 0 ? NAN : a / b;
    case '^':
        return pow(a, b);
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        return op.len == 2 ? a <= b : a < b;
    case '>':
        return op.len == 2 ? a >= b : a > b;
    case '&':
    case 'A':
        return a != 0 && b != 0;
    default:
        assert(op.p[0] == '|' || op.p[0] == 'O');
        return a != 0 || b != 0;
    }
}

/* `left` or `right` is a number where the other is NULL. */
static enum err combine(struct cw_math_world *w, struct str op, const struct cw_series *left,
                        double l, const struct cw_series *right, double r, struct cw_series *ret)
{
    const struct cw_series *base = left ? left : right;
    *ret = (struct cw_series){.id = base->id, .label = base->label, .period_ms = base->period_ms};
    TRY(room(w, base->n, ret));
    for (size_t i = 0; i < base->n; i++) {
        double a = l, b = r;
        if (left)
            a = left->v[i];
        if (right && !left)
            b = right->v[i];
        else if (right && !value_at(right, base->at_ms[i], &b))
            continue;
        add(ret, base->at_ms[i], apply(op, a, b));
    }
    return ERR_OK;
}

/* Of arrays each with each where both are as long, or one is no array. */
static enum err operate(struct cw_math_world *w, struct str op, const struct cw_value *a,
                        const struct cw_value *b, struct cw_value *ret)
{
    if (a->kind == CW_TEXT || b->kind == CW_TEXT)
        return fault(w, op, "text is no operand");
    if (a->kind == CW_NUMBER && b->kind == CW_NUMBER) {
        *ret = number(apply(op, a->number, b->number));
        return ERR_OK;
    }
    bool many_a = a->kind == CW_ARRAY, many_b = b->kind == CW_ARRAY;
    if (many_a && many_b && a->n != b->n)
        return fault(w, op, "the arrays differ in length");
    size_t n = many_a ? a->n : many_b ? b->n : 1;
    TRY(array(w, n, ret));
    if (!many_a && !many_b)
        ret->kind = CW_SERIES;
    for (size_t i = 0; i < n; i++, ret->n++) {
        const struct cw_series *l = a->kind == CW_NUMBER ? NULL : &a->v[many_a ? i : 0];
        const struct cw_series *r = b->kind == CW_NUMBER ? NULL : &b->v[many_b ? i : 0];
        TRY(combine(w, op, l, a->number, r, b->number, &ret->v[i]));
    }
    return ERR_OK;
}

/* --- functions of one series, or of each of an array --------------------------------------------- */

static double part_of(struct str f, int64_t at)
{
    struct civil c = clock_civil(at);
    switch (f.p[0]) {
    case 'H':
        return c.hour;
    case 'Y':
        return c.year;
    case 'E':
        return (double)(at / 1000);
    case 'D':
        return f.p[2] == 'Y' ? (c.weekday + 6) % 7 + 1 : c.day; /* DAY: Monday is 1 */
    default:
        return f.p[1] == 'I' ? c.minute : c.month;
    }
}

static double each_value(struct str f, const struct cw_series *s, size_t i)
{
    double v = s->v[i];
    if (str_eq_c(f, "ABS"))
        return fabs(v);
    if (str_eq_c(f, "CEIL"))
        return ceil(v);
    if (str_eq_c(f, "FLOOR"))
        return floor(v);
    if (str_eq_c(f, "LOG"))
        return log(v);
    if (str_eq_c(f, "LOG10"))
        return log10(v);
    return part_of(f, s->at_ms[i]);
}

static enum err map_each(struct cw_math_world *w, struct str f, const struct cw_series *s,
                         struct cw_series *ret)
{
    for (size_t i = 0; i < s->n; i++)
        add(ret, s->at_ms[i], each_value(f, s, i));
    return ERR_OK;
}

static enum err map_steps(struct cw_math_world *w, struct str f, const struct cw_series *s,
                          struct cw_series *ret)
{
    for (size_t i = 1; i < s->n; i++) {
        double seconds = (double)(s->at_ms[i] - s->at_ms[i - 1]) / 1000;
        double step = s->v[i] - s->v[i - 1];
        add(ret, s->at_ms[i],
            str_eq_c(f, "RATE")   ? step / seconds
            : str_eq_c(f, "DIFF") ? step
                                  : seconds);
    }
    return ERR_OK;
}

static enum err map_running(struct cw_math_world *w, struct str f, const struct cw_series *s,
                            struct cw_series *ret)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++)
        add(ret, s->at_ms[i], sum += s->v[i]);
    return ERR_OK;
}

typedef enum err map_fn(struct cw_math_world *w, struct str f, const struct cw_series *s,
                        struct cw_series *ret);

static enum err map(struct cw_math_world *w, struct str f, const struct cw_value *in, map_fn *fn,
                    struct cw_value *ret)
{
    if (in->kind == CW_NUMBER && fn == map_each && strchr("ACFL", f.p[0])) {
        struct cw_series one = {.n = 1, .v = (double *)&in->number};
        int64_t at = 0;
        one.at_ms = &at;
        *ret = number(each_value(f, &one, 0));
        return ERR_OK;
    }
    if (in->kind != CW_SERIES && in->kind != CW_ARRAY)
        return fault(w, f, "wants a time series");
    TRY(array(w, in->n, ret));
    ret->kind = in->kind;
    for (size_t i = 0; i < in->n; i++, ret->n++) {
        struct cw_series *to = &ret->v[i];
        const struct cw_series *s = &in->v[i];
        *to = (struct cw_series){.id = s->id, .label = s->label, .period_ms = s->period_ms};
        TRY(room(w, s->n, to));
        TRY(fn(w, f, s, to));
    }
    return ERR_OK;
}

/* --- functions that make one value of many ------------------------------------------------------- */

struct many {
    size_t n;
    double sum, squares, min, max;
};

static void many_add(struct many *m, double v)
{
    m->min = m->n == 0 || v < m->min ? v : m->min;
    m->max = m->n == 0 || v > m->max ? v : m->max;
    m->sum += v;
    m->squares += v * v;
    m->n++;
}

static double many_of(struct str f, const struct many *m)
{
    if (str_eq_c(f, "DATAPOINT_COUNT"))
        return (double)m->n;
    if (m->n == 0)
        return NAN;
    double mean = m->sum / (double)m->n;
    switch (f.p[0]) {
    case 'S':
        return f.p[1] == 'U' ? m->sum : sqrt(fmax(0, m->squares / (double)m->n - mean * mean));
    case 'A':
        return mean;
    default:
        return f.p[1] == 'I' ? m->min : m->max;
    }
}

/* Moments at which any of the array has a value, ascending and each once. */
static enum err moments(struct cw_math_world *w, const struct cw_value *in, struct cw_series *ret)
{
    size_t total = 0, *at = ARENA_ARRAY(w->a, size_t, in->n + 1);
    if (!at)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++)
        total += in->v[i].n;
    TRY(room(w, total, ret));
    for (;;) {
        int64_t first = INT64_MAX;
        for (size_t i = 0; i < in->n; i++)
            if (at[i] < in->v[i].n && in->v[i].at_ms[at[i]] < first)
                first = in->v[i].at_ms[at[i]];
        if (first == INT64_MAX)
            return ERR_OK;
        for (size_t i = 0; i < in->n; i++)
            at[i] += at[i] < in->v[i].n && in->v[i].at_ms[at[i]] == first;
        add(ret, first, 0);
    }
}

static enum err across(struct cw_math_world *w, struct str f, const struct cw_value *in,
                       struct cw_value *ret)
{
    struct cw_series s = {.period_ms = in->n > 0 ? in->v[0].period_ms : w->period_ms};
    struct cw_series when = {0};
    TRY(moments(w, in, &when));
    TRY(room(w, when.n, &s));
    for (size_t k = 0; k < when.n; k++) {
        struct many m = {0};
        double v;
        for (size_t i = 0; i < in->n; i++)
            if (value_at(&in->v[i], when.at_ms[k], &v))
                many_add(&m, v);
        add(&s, when.at_ms[k], many_of(f, &m));
    }
    return as_series(w, &s, ret);
}

static enum err call_many(struct cw_math_world *w, const struct cw_math_node *n,
                          const struct cw_value *args, struct cw_value *ret)
{
    struct many m = {0};
    if (args[0].kind == CW_ARRAY)
        return across(w, n->text, &args[0], ret);
    if (args[0].kind != CW_SERIES)
        return fault(w, n->text, "wants a time series");
    for (size_t i = 0; i < args[0].v->n; i++)
        many_add(&m, args[0].v->v[i]);
    *ret = number(many_of(n->text, &m));
    return ERR_OK;
}

/* --- the rest of the functions ------------------------------------------------------------------- */

static enum err call_each(struct cw_math_world *w, const struct cw_math_node *n,
                          const struct cw_value *args, struct cw_value *ret)
{
    return map(w, n->text, &args[0], map_each, ret);
}

static enum err call_steps(struct cw_math_world *w, const struct cw_math_node *n,
                           const struct cw_value *args, struct cw_value *ret)
{
    return map(w, n->text, &args[0], map_steps, ret);
}

static enum err call_running(struct cw_math_world *w, const struct cw_math_node *n,
                             const struct cw_value *args, struct cw_value *ret)
{
    return map(w, n->text, &args[0], map_running, ret);
}

static enum err call_period(struct cw_math_world *w, const struct cw_math_node *n,
                            const struct cw_value *args, struct cw_value *ret)
{
    if (args[0].kind != CW_SERIES)
        return fault(w, n->text, "wants a time series");
    *ret = number((double)args[0].v->period_ms / 1000);
    return ERR_OK;
}

/* What stands where a series has no value. */
enum filling { FILL_NUMBER, FILL_REPEAT, FILL_LINEAR };

static enum err fill_one(struct cw_math_world *w, const struct cw_series *s, enum filling how,
                         double with, struct cw_series *ret)
{
    int64_t period = s->period_ms > 0 ? s->period_ms : w->period_ms;
    int64_t first = w->from_ms - (w->from_ms - w->phase_ms) % period;
    size_t n = w->to_ms > first ? (size_t)((w->to_ms - first - 1) / period) + 1 : 0, next = 0;
    *ret = (struct cw_series){.id = s->id, .label = s->label, .period_ms = s->period_ms};
    TRY(room(w, n + s->n, ret));
    for (int64_t at = first; at < w->to_ms; at += period) {
        while (next < s->n && s->at_ms[next] < at)
            next++;
        if (next < s->n && s->at_ms[next] == at)
            add(ret, at, s->v[next]);
        else if (how == FILL_NUMBER)
            add(ret, at, with);
        else if (how == FILL_REPEAT && next > 0)
            add(ret, at, s->v[next - 1]);
        else if (how == FILL_LINEAR && next > 0 && next < s->n)
            add(ret, at,
                s->v[next - 1] + (s->v[next] - s->v[next - 1]) * (double)(at - s->at_ms[next - 1]) /
                                     (double)(s->at_ms[next] - s->at_ms[next - 1]));
    }
    return ERR_OK;
}

static enum err call_fill(struct cw_math_world *w, const struct cw_math_node *n,
                          const struct cw_value *args, struct cw_value *ret)
{
    enum filling how = FILL_NUMBER;
    if (args[1].kind == CW_TEXT && str_eq_c(args[1].text, "REPEAT"))
        how = FILL_REPEAT;
    else if (args[1].kind == CW_TEXT && str_eq_c(args[1].text, "LINEAR"))
        how = FILL_LINEAR;
    else if (args[1].kind != CW_NUMBER)
        return fault(w, n->text, "fills with a number, REPEAT or LINEAR");
    if (args[0].kind != CW_SERIES && args[0].kind != CW_ARRAY)
        return fault(w, n->text, "wants a time series");
    TRY(array(w, args[0].n, ret));
    ret->kind = args[0].kind;
    for (size_t i = 0; i < args[0].n; i++, ret->n++)
        TRY(fill_one(w, &args[0].v[i], how, args[1].number, &ret->v[i]));
    return ERR_OK;
}

static enum err call_time_series(struct cw_math_world *w, const struct cw_math_node *n,
                                 const struct cw_value *args, struct cw_value *ret)
{
    struct cw_series none = {.period_ms = w->period_ms}, s;
    if (args[0].kind == CW_SERIES)
        return as_series(w, args[0].v, ret);
    if (args[0].kind != CW_NUMBER)
        return fault(w, n->text, "wants a number");
    TRY(fill_one(w, &none, FILL_NUMBER, args[0].number, &s));
    return as_series(w, &s, ret);
}

/* Chosen value at a moment; false: there is none. */
static bool chosen(const struct cw_value *v, int64_t at, double *ret)
{
    if (v->kind == CW_NUMBER)
        return *ret = v->number, true;
    return value_at(v->v, at, ret);
}

static enum err call_if(struct cw_math_world *w, const struct cw_math_node *n,
                        const struct cw_value *args, struct cw_value *ret)
{
    for (size_t i = 0; i < n->n_args; i++)
        if (args[i].kind != CW_NUMBER && args[i].kind != CW_SERIES)
            return fault(w, n->text, "wants numbers and time series");
    if (args[0].kind == CW_NUMBER) {
        if (args[0].number == 0 && n->n_args < 3)
            return as_series(w, &(struct cw_series){.period_ms = w->period_ms}, ret);
        *ret = args[args[0].number != 0 ? 1 : 2];
        return ERR_OK;
    }
    const struct cw_series *c = args[0].v;
    struct cw_series s = {.id = c->id, .label = c->label, .period_ms = c->period_ms};
    TRY(room(w, c->n, &s));
    for (size_t i = 0; i < c->n; i++) {
        double v;
        size_t which = c->v[i] != 0 ? 1 : 2;
        if (which < n->n_args && chosen(&args[which], c->at_ms[i], &v))
            add(&s, c->at_ms[i], v);
    }
    return as_series(w, &s, ret);
}

static enum err call_metrics(struct cw_math_world *w, const struct cw_math_node *n,
                             const struct cw_value *args, struct cw_value *ret)
{
    if (n->n_args > 0 && args[0].kind != CW_TEXT)
        return fault(w, n->text, "wants text");
    return w->metrics(w->arg, n->n_args > 0 ? args[0].text : STR_NONE, ret);
}

static enum err call_search(struct cw_math_world *w, const struct cw_math_node *n,
                            const struct cw_value *args, struct cw_value *ret)
{
    if (args[0].kind != CW_TEXT || args[1].kind != CW_TEXT ||
        (n->n_args > 2 && args[2].kind != CW_NUMBER))
        return fault(w, n->text, "wants a text, a statistic and perhaps a period");
    return w->search(w->arg, args[0].text, args[1].text, n->n_args > 2 ? args[2].number : 0, ret);
}

static enum err need_array(struct cw_math_world *w, const struct cw_math_node *n,
                           const struct cw_value *v)
{
    return v->kind == CW_ARRAY ? ERR_OK : fault(w, n->text, "wants an array of time series");
}

static enum err call_metric_count(struct cw_math_world *w, const struct cw_math_node *n,
                                  const struct cw_value *args, struct cw_value *ret)
{
    TRY(need_array(w, n, &args[0]));
    *ret = number((double)args[0].n);
    return ERR_OK;
}

static enum err call_ends(struct cw_math_world *w, const struct cw_math_node *n,
                          const struct cw_value *args, struct cw_value *ret)
{
    TRY(need_array(w, n, &args[0]));
    if (args[0].n == 0)
        return fault(w, n->text, "the array is empty");
    return as_series(w, &args[0].v[n->text.p[0] == 'F' ? 0 : args[0].n - 1], ret);
}

static enum err call_slice(struct cw_math_world *w, const struct cw_math_node *n,
                           const struct cw_value *args, struct cw_value *ret)
{
    TRY(need_array(w, n, &args[0]));
    double from = args[1].number, to = n->n_args > 2 ? args[2].number : from + 1;
    if (args[1].kind != CW_NUMBER || (n->n_args > 2 && args[2].kind != CW_NUMBER) || from < 0)
        return fault(w, n->text, "wants numbers");
    TRY(array(w, args[0].n, ret));
    for (size_t i = 0; i < args[0].n; i++)
        if ((double)i >= from && (double)i < to)
            ret->v[ret->n++] = args[0].v[i];
    return ERR_OK;
}

static enum err call_remove_empty(struct cw_math_world *w, const struct cw_math_node *n,
                                  const struct cw_value *args, struct cw_value *ret)
{
    TRY(need_array(w, n, &args[0]));
    TRY(array(w, args[0].n, ret));
    for (size_t i = 0; i < args[0].n; i++)
        if (args[0].v[i].n > 0)
            ret->v[ret->n++] = args[0].v[i];
    return ERR_OK;
}

struct sortable {
    double by;
    size_t place;
    struct cw_series s;
};

static int compare(const void *a, const void *b)
{
    const struct sortable *x = a, *y = b;
    if (x->by != y->by)
        return x->by < y->by ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static enum err call_sort(struct cw_math_world *w, const struct cw_math_node *n,
                          const struct cw_value *args, struct cw_value *ret)
{
    TRY(need_array(w, n, &args[0]));
    bool down = args[2].kind == CW_TEXT && str_eq_c(args[2].text, "DESC");
    bool words = args[1].kind == CW_TEXT &&
                 (down || (args[2].kind == CW_TEXT && str_eq_c(args[2].text, "ASC")));
    if (!words || (n->n_args > 3 && args[3].kind != CW_NUMBER))
        return fault(w, n->text, "wants AVG, MIN, MAX or SUM, and ASC or DESC");
    struct sortable *v = ARENA_ARRAY(w->a, struct sortable, args[0].n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < args[0].n; i++) {
        struct many m = {0};
        for (size_t k = 0; k < args[0].v[i].n; k++)
            many_add(&m, args[0].v[i].v[k]);
        double by = m.n > 0 ? many_of(args[1].text, &m) : 0;
        v[i] = (struct sortable){down ? -by : by, i, args[0].v[i]};
    }
    qsort(v, args[0].n, sizeof(*v), compare);
    TRY(array(w, args[0].n, ret));
    for (size_t i = 0; i < args[0].n && (n->n_args < 4 || (double)i < args[3].number); i++)
        ret->v[ret->n++] = v[i].s;
    return ERR_OK;
}

/* --- the table ----------------------------------------------------------------------------------- */

static const struct function {
    const char *name;
    size_t least, most; /* arguments */
    enum err (*fn)(struct cw_math_world *w, const struct cw_math_node *n,
                   const struct cw_value *args, struct cw_value *ret);
} functions[] = {
    {"ABS", 1, 1, call_each},
    {"AVG", 1, 1, call_many},
    {"CEIL", 1, 1, call_each},
    {"DATAPOINT_COUNT", 1, 1, call_many},
    {"DATE", 1, 1, call_each},
    {"DAY", 1, 1, call_each},
    {"DIFF", 1, 1, call_steps},
    {"DIFF_TIME", 1, 1, call_steps},
    {"EPOCH", 1, 1, call_each},
    {"FILL", 2, 2, call_fill},
    {"FIRST", 1, 1, call_ends},
    {"FLOOR", 1, 1, call_each},
    {"HOUR", 1, 1, call_each},
    {"IF", 2, 3, call_if},
    {"LAST", 1, 1, call_ends},
    {"LOG", 1, 1, call_each},
    {"LOG10", 1, 1, call_each},
    {"MAX", 1, 1, call_many},
    {"METRICS", 0, 1, call_metrics},
    {"METRIC_COUNT", 1, 1, call_metric_count},
    {"MIN", 1, 1, call_many},
    {"MINUTE", 1, 1, call_each},
    {"MONTH", 1, 1, call_each},
    {"PERIOD", 1, 1, call_period},
    {"RATE", 1, 1, call_steps},
    {"REMOVE_EMPTY", 1, 1, call_remove_empty},
    {"RUNNING_SUM", 1, 1, call_running},
    {"SEARCH", 2, 3, call_search},
    {"SLICE", 2, 3, call_slice},
    {"SORT", 3, 4, call_sort},
    {"STDDEV", 1, 1, call_many},
    {"SUM", 1, 1, call_many},
    {"TIME_SERIES", 1, 1, call_time_series},
    {"YEAR", 1, 1, call_each},
};

static enum err eval_call(struct cw_math_world *w, const struct cw_math_node *n,
                          struct cw_value *ret)
{
    const struct function *f = NULL;
    for (size_t i = 0; i < ARRAY_LEN(functions) && !f; i++)
        if (str_eq_c(n->text, functions[i].name))
            f = &functions[i];
    if (!f)
        return fault(w, n->text, "is not a function that is supported");
    if (n->n_args < f->least || n->n_args > f->most)
        return fault(w, n->text, "takes another number of arguments");
    struct cw_value *args = ARENA_ARRAY(w->a, struct cw_value, n->n_args + 1);
    if (!args)
        return ERR_NOMEM;
    for (size_t i = 0; i < n->n_args; i++)
        TRY(eval(w, n->args[i], &args[i]));
    return f->fn(w, n, args, ret);
}

static enum err eval_list(struct cw_math_world *w, const struct cw_math_node *n,
                          struct cw_value *ret)
{
    struct cw_value *parts = ARENA_ARRAY(w->a, struct cw_value, n->n_args + 1);
    size_t total = 0;
    if (!parts)
        return ERR_NOMEM;
    for (size_t i = 0; i < n->n_args; i++) {
        TRY(eval(w, n->args[i], &parts[i]));
        if (parts[i].kind != CW_SERIES && parts[i].kind != CW_ARRAY)
            return fault(w, STR("[]"), "holds time series");
        total += parts[i].n;
    }
    TRY(array(w, total, ret));
    for (size_t i = 0; i < n->n_args; i++)
        for (size_t k = 0; k < parts[i].n; k++)
            ret->v[ret->n++] = parts[i].v[k];
    return ERR_OK;
}

static enum err eval_name(struct cw_math_world *w, const struct cw_math_node *n,
                          struct cw_value *ret)
{
    if (n->text.p[0] >= 'a' && n->text.p[0] <= 'z')
        return w->lookup(w->arg, n->text, ret);
    *ret = (struct cw_value){.kind = CW_TEXT, .text = n->text}; /* REPEAT, ASC, ... */
    return ERR_OK;
}

static enum err eval(struct cw_math_world *w, const struct cw_math_node *n, struct cw_value *ret)
{
    struct cw_value a, b;
    switch (n->kind) {
    case CW_MATH_NUMBER:
        *ret = number(n->number);
        return ERR_OK;
    case CW_MATH_TEXT:
        *ret = (struct cw_value){.kind = CW_TEXT, .text = n->text};
        return ERR_OK;
    case CW_MATH_NAME:
        return eval_name(w, n, ret);
    case CW_MATH_LIST:
        return eval_list(w, n, ret);
    case CW_MATH_CALL:
        return eval_call(w, n, ret);
    case CW_MATH_NEGATE:
        TRY(eval(w, n->args[0], &a));
        b = number(0);
        return operate(w, STR("-"), &b, &a, ret);
    default:
        assert(n->kind == CW_MATH_BINARY && n->n_args == 2);
        TRY(eval(w, n->args[0], &a));
        TRY(eval(w, n->args[1], &b));
        return operate(w, n->text, &a, &b, ret);
    }
}

enum err cw_math_eval(const struct cw_math *math, struct cw_math_world *w, struct cw_value *ret)
{
    w->why = STR_NONE;
    return eval(w, math->root, ret);
}
