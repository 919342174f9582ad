/* Statistics: what a name such as "Average", "p99.9" or "TM(10%:90%)" makes of a tally.
 *
 * Source: CloudWatch User Guide, "CloudWatch statistics definitions". Thread: pure. */
#ifndef WEIR_SVC_CLOUDWATCH_CW_STAT_H
#define WEIR_SVC_CLOUDWATCH_CW_STAT_H

#include "base/str.h"
#include "base/tally.h"

enum cw_stat_kind {
    CW_STAT_COUNT,
    CW_STAT_SUM,
    CW_STAT_AVERAGE,
    CW_STAT_MINIMUM,
    CW_STAT_MAXIMUM,
    CW_STAT_PERCENTILE,    /* p: the value at `high` per cent */
    CW_STAT_TRIMMED_MEAN,  /* tm: mean of the values between the bounds */
    CW_STAT_WINSORIZED,    /* wm: values outside the bounds count as the bound */
    CW_STAT_TRIMMED_COUNT, /* tc */
    CW_STAT_TRIMMED_SUM,   /* ts */
    CW_STAT_RANK,          /* PR: per cent of the values that are between the bounds */
};

struct cw_stat {
    enum cw_stat_kind kind;
    bool per_cent; /* the bounds count values, smallest first; otherwise they are values */
    double low, high;
    bool has_low, has_high;
};

/* ERR_INVALID. */
enum err cw_stat_parse(struct str text, struct cw_stat *ret) WARN_UNUSED;
/* It needs the values themselves. */
static inline bool cw_stat_extended(const struct cw_stat *s)
{
    return s->kind >= CW_STAT_PERCENTILE;
}
/* ERR_NOT_FOUND: nothing to say of this tally, which is empty, or has values that came as sums only
 * while the statistic needs each of them. */
enum err cw_stat_of(const struct cw_stat *s, const struct tally *t, double *ret) WARN_UNUSED;

#endif
