/* See cw_stat.h. A percentile is the smallest value that at least so many per cent of the values do not
 * exceed. */
#include "svc/cloudwatch/cw_stat.h"

#include <assert.h>
#include <math.h>

enum { PER_CENT_DIGITS = 10 };

static const struct {
    const char *name;
    enum cw_stat_kind kind;
} plain[] = {
    {"SampleCount", CW_STAT_COUNT}, {"Sum", CW_STAT_SUM},         {"Average", CW_STAT_AVERAGE},
    {"Minimum", CW_STAT_MINIMUM},   {"Maximum", CW_STAT_MAXIMUM},
};

static const struct {
    const char *prefix, *call; /* "tm10", "TM(10%:90%)" */
    enum cw_stat_kind kind;
} extended[] = {
    {"p", NULL, CW_STAT_PERCENTILE},   {"tm", "TM", CW_STAT_TRIMMED_MEAN},
    {"wm", "WM", CW_STAT_WINSORIZED},  {"tc", "TC", CW_STAT_TRIMMED_COUNT},
    {"ts", "TS", CW_STAT_TRIMMED_SUM}, {NULL, "PR", CW_STAT_RANK},
};

/* 0 to 100, with at most ten decimals. */
static enum err per_cent(struct str text, double *ret)
{
    size_t dot = str_find(text, '.');
    if (text.len == 0 || text.p[0] < '0' || text.p[0] > '9' ||
        (dot != SIZE_MAX && text.len - dot - 1 > PER_CENT_DIGITS))
        return ERR_INVALID;
    TRY(str_to_f64(text, ret));
    return *ret >= 0 && *ret <= 100 ? ERR_OK : ERR_INVALID;
}

/* One side of "(low:high)": empty, or a number, of per cent where a sign says so. */
static enum err bound(struct str text, bool *ret_has, double *ret, bool *ret_per_cent)
{
    *ret_has = text.len > 0;
    *ret_per_cent = str_ends(text, STR("%"));
    if (!*ret_has)
        return ERR_OK;
    if (*ret_per_cent)
        return per_cent(str_n(text.p, text.len - 1), ret);
    return str_to_f64(text, ret) == ERR_OK ? ERR_OK : ERR_INVALID;
}

static enum err parse_bounds(struct str inside, struct cw_stat *s)
{
    bool low_per_cent, high_per_cent;
    struct str low = str_cut(&inside, ':');
    if (!str_is_set(inside))
        return ERR_INVALID;
    TRY(bound(low, &s->has_low, &s->low, &low_per_cent));
    TRY(bound(inside, &s->has_high, &s->high, &high_per_cent));
    if (!s->has_low && !s->has_high)
        return ERR_INVALID;
    if (s->has_low && s->has_high && (low_per_cent != high_per_cent || s->low >= s->high))
        return ERR_INVALID;
    s->per_cent = low_per_cent || high_per_cent;
    return s->kind == CW_STAT_RANK && s->per_cent ? ERR_INVALID : ERR_OK;
}

static enum err parse_extended(struct str text, struct cw_stat *s)
{
    size_t open = str_find(text, '(');
    for (size_t i = 0; i < ARRAY_LEN(extended); i++) {
        s->kind = extended[i].kind;
        if (open != SIZE_MAX) {
            if (extended[i].call && str_eq_nocase(str_sub(text, 0, open), str_c(extended[i].call)))
                return str_ends(text, STR(")"))
                           ? parse_bounds(str_sub(text, open + 1, text.len - open - 2), s)
                           : ERR_INVALID;
            continue;
        }
        struct str prefix = str_c(extended[i].prefix);
        if (!str_is_set(prefix) || !str_eq_nocase(str_sub(text, 0, prefix.len), prefix))
            continue;
        if (prefix.len == 1 && text.len > 1 && (text.p[1] < '0' || text.p[1] > '9'))
            continue;
        s->per_cent = s->has_high = true;
        return per_cent(str_sub(text, prefix.len, SIZE_MAX), &s->high);
    }
    return ERR_INVALID;
}

enum err cw_stat_parse(struct str text, struct cw_stat *ret)
{
    struct cw_stat s = {0};
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (str_eq_c(text, plain[i].name)) {
            s.kind = plain[i].kind;
            *ret = s;
            return ERR_OK;
        }
    if (str_eq_nocase(text, STR("IQM"))) {
        *ret = (struct cw_stat){CW_STAT_TRIMMED_MEAN, true, 25, 75, true, true};
        return ERR_OK;
    }
    TRY(parse_extended(text, &s));
    *ret = s;
    return ERR_OK;
}

/* --- what is made of values --------------------------------------------------------------------- */

static double percentile(const struct tally *t, double per_cent_)
{
    double want = per_cent_ / 100 * t->count, seen = 0;
    if (per_cent_ <= 0 || per_cent_ >= 100) /* which are known exactly */
        return per_cent_ <= 0 ? t->min : t->max;
    for (size_t i = 0; i < t->n; i++) {
        seen += t->values[i].weight;
        /* Sums of weights are not exact: 99.9 per cent of 1000 is to be 999 of them. */
        if (seen >= want - 1e-9 * t->count)
            return fmin(fmax(t->values[i].value, t->min), t->max);
    }
    return t->max;
}

/* What of the values lies between the bounds. */
struct between {
    double count, sum;
    double below, above; /* values outside */
    double low, high;    /* values at the bounds */
};

static void by_value(const struct cw_stat *s, const struct tally *t, struct between *b)
{
    b->low = s->has_low ? s->low : t->min;
    b->high = s->has_high ? s->high : t->max;
    for (size_t i = 0; i < t->n; i++) {
        const struct tally_value *v = &t->values[i];
        if (s->has_low && v->value <= s->low)
            b->below += v->weight;
        else if (s->has_high && v->value > s->high)
            b->above += v->weight;
        else {
            b->count += v->weight;
            b->sum += v->weight * v->value;
        }
    }
}

static void by_place(const struct cw_stat *s, const struct tally *t, struct between *b)
{
    double from = s->has_low ? s->low / 100 * t->count : 0, seen = 0;
    double to = s->has_high ? s->high / 100 * t->count : t->count;
    b->low = s->has_low ? percentile(t, s->low) : t->min;
    b->high = s->has_high ? percentile(t, s->high) : t->max;
    b->below = from;
    b->above = t->count - to;
    for (size_t i = 0; i < t->n; i++) {
        double w = t->values[i].weight;
        double in = fmin(seen + w, to) - fmax(seen, from);
        seen += w;
        if (in <= 0)
            continue;
        b->count += in;
        b->sum += in * t->values[i].value;
    }
}

static enum err trimmed(const struct cw_stat *s, const struct tally *t, double *ret)
{
    struct between b = {0};
    if (s->per_cent)
        by_place(s, t, &b);
    else
        by_value(s, t, &b);
    switch (s->kind) {
    case CW_STAT_TRIMMED_COUNT:
        *ret = b.count;
        return ERR_OK;
    case CW_STAT_TRIMMED_SUM:
        *ret = b.sum;
        return ERR_OK;
    case CW_STAT_RANK:
        *ret = 100 * b.count / t->count;
        return ERR_OK;
    case CW_STAT_WINSORIZED:
        *ret = (b.sum + b.below * b.low + b.above * b.high) / t->count;
        return ERR_OK;
    default:
        assert(s->kind == CW_STAT_TRIMMED_MEAN);
        if (b.count <= 0)
            return ERR_NOT_FOUND;
        *ret = b.sum / b.count;
        return ERR_OK;
    }
}

enum err cw_stat_of(const struct cw_stat *s, const struct tally *t, double *ret)
{
    if (t->count <= 0)
        return ERR_NOT_FOUND;
    switch (s->kind) {
    case CW_STAT_COUNT:
        *ret = t->count;
        return ERR_OK;
    case CW_STAT_SUM:
        *ret = t->sum;
        return ERR_OK;
    case CW_STAT_AVERAGE:
        *ret = t->sum / t->count;
        return ERR_OK;
    case CW_STAT_MINIMUM:
        *ret = t->min;
        return ERR_OK;
    case CW_STAT_MAXIMUM:
        *ret = t->max;
        return ERR_OK;
    default:
        break;
    }
    if (t->blind > 0)
        return ERR_NOT_FOUND;
    if (s->kind != CW_STAT_PERCENTILE)
        return trimmed(s, t, ret);
    *ret = percentile(t, s->high);
    return ERR_OK;
}
