/* See tally.h. */
#include "base/tally.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { CAP_FIRST = 4 };

void tally_release(struct tally *t)
{
    if (!t->arena)
        mem_free(t->values);
    t->values = NULL;
    t->n = t->cap = 0;
}

void tally_clear(struct tally *t)
{
    const struct tally kept = *t;
    *t = (struct tally){.arena = kept.arena, .values = kept.values, .cap = kept.cap};
}

static enum err room(struct tally *t)
{
    if (t->n < t->cap)
        return ERR_OK;
    size_t cap = t->cap ? 2 * t->cap : CAP_FIRST;
    struct tally_value *v = t->arena ? ARENA_ARRAY(t->arena, struct tally_value, cap)
                                     : mem_realloc(t->values, cap * sizeof(*v));
    if (!v)
        return ERR_NOMEM;
    if (t->arena && t->n > 0)
        memcpy(v, t->values, t->n * sizeof(*v));
    t->values = v;
    t->cap = cap;
    return ERR_OK;
}

static double on_grid(double value, unsigned grid)
{
    if (grid == 0 || value == 0)
        return value;
    double step = log1p(0.01 * (double)(1u << (grid - 1)));
    double r = exp(round(log(fabs(value)) / step) * step);
    return isfinite(r) ? copysign(r, value) : value;
}

/* Rounds what is there to a grid. Order stays, since rounding is monotonic; neighbours may meet. */
static void regrid(struct tally *t, unsigned grid)
{
    size_t to = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct tally_value v = {on_grid(t->values[i].value, grid), t->values[i].weight};
        if (to > 0 && t->values[to - 1].value == v.value)
            t->values[to - 1].weight += v.weight;
        else
            t->values[to++] = v;
    }
    t->n = to;
    t->grid = (uint8_t)grid;
}

/* First place whose value is not less. */
static size_t place(const struct tally *t, double value)
{
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->values[mid].value < value)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Where values span more than the coarsest grid has steps for, the two that are nearest to each other
 * in place go together. */
static void squeeze(struct tally *t)
{
    while (t->n >= TALLY_VALUES_MAX && t->grid < TALLY_GRID_MAX)
        regrid(t, t->grid + 1u);
    if (t->n < TALLY_VALUES_MAX)
        return;
    t->values[0].weight += t->values[1].weight;
    memmove(&t->values[1], &t->values[2], (t->n - 2) * sizeof(t->values[0]));
    t->n--;
}

static enum err put_value(struct tally *t, double value, double weight)
{
    double v = on_grid(value, t->grid);
    size_t at = place(t, v);
    if (at < t->n && t->values[at].value == v) {
        t->values[at].weight += weight;
        return ERR_OK;
    }
    if (t->n >= TALLY_VALUES_MAX) {
        squeeze(t);
        return put_value(t, value, weight); /* there is room now */
    }
    TRY(room(t));
    memmove(&t->values[at + 1], &t->values[at], (t->n - at) * sizeof(t->values[0]));
    t->values[at] = (struct tally_value){v, weight};
    t->n++;
    return ERR_OK;
}

static void sums(struct tally *t, double count, double sum, double min, double max)
{
    t->min = t->count > 0 && t->min < min ? t->min : min;
    t->max = t->count > 0 && t->max > max ? t->max : max;
    t->count += count;
    t->sum += sum;
}

enum err tally_add(struct tally *t, double value, double weight)
{
    assert(weight > 0 && isfinite(value) && isfinite(weight));
    TRY(put_value(t, value, weight));
    sums(t, weight, value * weight, value, value);
    return ERR_OK;
}

enum err tally_add_set(struct tally *t, double count, double sum, double min, double max)
{
    assert(count > 0 && isfinite(count) && isfinite(sum) && min <= max);
    if (min == max)
        TRY(put_value(t, min, count));
    else
        t->blind += count;
    sums(t, count, sum, min, max);
    return ERR_OK;
}

enum err tally_merge(struct tally *t, const struct tally *from)
{
    if (from->count <= 0)
        return ERR_OK;
    if (from->grid > t->grid)
        regrid(t, from->grid);
    for (size_t i = 0; i < from->n; i++)
        TRY(put_value(t, from->values[i].value, from->values[i].weight));
    t->blind += from->blind;
    sums(t, from->count, from->sum, from->min, from->max);
    return ERR_OK;
}
