/* Statistics: what is kept of the values of a group. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lang/insights_int.h"

void ins_tally_release(struct ins_tally *t)
{
    mem_free(t->values);
    mem_free((void *)t->value.text.p);
    map_release(&t->distinct);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of many values every other is enough, and then every fourth: what was kept stays in order of size. */
static enum err keep(struct ins_tally *t, double n, size_t *bytes)
{
    if (t->stride == 0)
        t->stride = 1;
    if (t->passed++ % t->stride != 0)
        return ERR_OK;
    if (t->n == INSIGHTS_VALUES_MAX) {
        qsort(t->values, t->n, sizeof(double), by_size);
        for (size_t i = 0; i < t->n / 2; i++)
            t->values[i] = t->values[2 * i];
        t->n /= 2;
        t->stride *= 2;
    }
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 8;
        double *v = mem_realloc(t->values, cap * sizeof(double));
        if (!v)
            return ERR_NOMEM;
        *bytes += (cap - t->cap) * sizeof(double);
        t->values = v;
        t->cap = cap;
    }
    t->values[t->n++] = n;
    return ERR_OK;
}

static enum err set_value(struct ins_tally *t, const struct ins_value *v, int64_t at_ms,
                          size_t *bytes)
{
    char *text = NULL;
    if (v->kind == INS_TEXT) {
        text = mem_alloc(v->text.len + 1);
        if (!text)
            return ERR_NOMEM;
        memcpy(text, v->text.p, v->text.len);
        *bytes += v->text.len + 1;
    }
    if (t->value.kind == INS_TEXT)
        *bytes -= t->value.text.len + 1;
    mem_free((void *)t->value.text.p);
    t->value = *v;
    t->value.text = str_n(text, text ? v->text.len : 0);
    t->at_ms = at_ms;
    t->has = true;
    return ERR_OK;
}

static enum err add_distinct(struct ins_tally *t, struct arena *a, const struct ins_value *v,
                             size_t *bytes)
{
    static char present;
    enum { SLOT_BYTES = 64 }; /* of the table, about */
    struct str s = ins_show(a, v);
    if (!str_is_set(s))
        return ERR_NOMEM;
    if (map_get(&t->distinct, s))
        return ERR_OK;
    *bytes += s.len + SLOT_BYTES;
    return map_put(&t->distinct, s, &present, NULL);
}

static void add_number(struct ins_tally *t, double n)
{
    double away = n - t->mean;
    t->least = t->count > 0 ? fmin(t->least, n) : n;
    t->most = t->count > 0 ? fmax(t->most, n) : n;
    t->count++;
    t->sum += n;
    t->mean += away / t->count;
    t->squares += away * (n - t->mean);
}

enum err ins_tally_add(struct ins_tally *t, const struct ins_agg *agg, struct arena *a,
                       const struct ins_value *v, int64_t at_ms, size_t *bytes)
{
    double n;
    if (v->kind == INS_ABSENT)
        return ERR_OK;
    switch (agg->kind) {
    case INS_COUNT:
        t->count++;
        return ERR_OK;
    case INS_COUNT_DISTINCT:
        return add_distinct(t, a, v, bytes);
    case INS_EARLIEST:
        return t->has && at_ms >= t->at_ms ? ERR_OK : set_value(t, v, at_ms, bytes);
    case INS_LATEST:
        return t->has && at_ms < t->at_ms ? ERR_OK : set_value(t, v, at_ms, bytes);
    case INS_SORTS_FIRST:
        return t->has && ins_sort(v, &t->value) >= 0 ? ERR_OK : set_value(t, v, at_ms, bytes);
    case INS_SORTS_LAST:
        return t->has && ins_sort(v, &t->value) <= 0 ? ERR_OK : set_value(t, v, at_ms, bytes);
    default:
        if (!ins_to_number(v, &n))
            return ERR_OK;
        add_number(t, n);
        return agg->kind == INS_PCT ? keep(t, n, bytes) : ERR_OK;
    }
}

/* Of the nearest rank; a median of two in the middle is between them. */
static double percentile(struct ins_tally *t, double percent)
{
    qsort(t->values, t->n, sizeof(double), by_size);
    if (percent == 50 && t->n % 2 == 0)
        return (t->values[t->n / 2 - 1] + t->values[t->n / 2]) / 2;
    size_t rank = (size_t)ceil(percent / 100 * (double)t->n);
    return t->values[rank > 0 ? rank - 1 : 0];
}

struct ins_value ins_tally_value(struct ins_tally *t, const struct ins_agg *agg)
{
    const struct ins_value none = {0};
    switch (agg->kind) {
    case INS_COUNT:
        return ins_number(t->count);
    case INS_COUNT_DISTINCT:
        return ins_number((double)t->distinct.n);
    case INS_SUM:
        return t->count > 0 ? ins_number(t->sum) : none;
    case INS_AVG:
        return t->count > 0 ? ins_number(t->sum / t->count) : none;
    case INS_MIN:
        return t->count > 0 ? ins_number(t->least) : none;
    case INS_MAX:
        return t->count > 0 ? ins_number(t->most) : none;
    case INS_STDDEV:
        return t->count > 0 ? ins_number(sqrt(t->squares / t->count)) : none;
    case INS_PCT:
        return t->n > 0 ? ins_number(percentile(t, agg->percent)) : none;
    default:
        return t->has ? t->value : none;
    }
}
