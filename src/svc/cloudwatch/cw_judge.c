/* See cw_judge.h. */
#include "svc/cloudwatch/cw_judge.h"

#include <assert.h>

bool cw_breaches(enum cw_comparison comparison, double value, double threshold)
{
    switch (comparison) {
    case CW_GREATER_OR_EQUAL:
        return value >= threshold;
    case CW_GREATER:
        return value > threshold;
    case CW_LESS:
        return value < threshold;
    default:
        assert(comparison == CW_LESS_OR_EQUAL);
        return value <= threshold;
    }
}

/* What the points that are there say, and where the oldest of those that breach is: 1 is the newest. */
struct seen {
    size_t real, breaching, oldest;
};

static struct seen look(const struct cw_rule_of_points *rule, const struct cw_point_seen *points,
                        size_t n)
{
    struct seen s = {0};
    for (size_t i = 0; i < n && s.real < rule->periods; i++) {
        if (!points[i].there)
            continue;
        s.real++;
        if (!cw_breaches(rule->comparison, points[i].value, rule->threshold))
            continue;
        s.breaching++;
        s.oldest = i + 1;
    }
    return s;
}

/* Fewer than M points breach, and some are missing. */
static enum cw_state lacking(const struct cw_rule_of_points *rule, const struct seen *s,
                             size_t missing, enum cw_state now)
{
    switch (rule->missing) {
    case CW_MISSING_BREACHING:
        return s->breaching + missing >= rule->to_alarm ? CW_ALARM : CW_OK;
    case CW_MISSING_NOT_BREACHING:
        return CW_OK;
    case CW_MISSING_IGNORE:
        return s->real > s->breaching ? CW_OK : now;
    default:
        if (s->real == 0)
            return CW_INSUFFICIENT;
        /* Everything since a point that is old enough breaches or is missing. */
        return s->real == s->breaching && s->oldest >= rule->to_alarm ? CW_ALARM : CW_OK;
    }
}

struct cw_judged cw_judge(const struct cw_rule_of_points *rule, const struct cw_point_seen *points,
                          size_t n, enum cw_state now)
{
    assert(rule->to_alarm >= 1 && rule->to_alarm <= rule->periods && n >= rule->periods);
    struct seen s = look(rule, points, n);
    size_t missing = rule->periods - s.real;
    struct cw_judged j = {CW_OK, s.breaching, 0, s.real};
    if (s.breaching >= rule->to_alarm) {
        j.state = CW_ALARM;
    } else if (missing > 0) {
        j.state = lacking(rule, &s, missing, now);
        j.filled = missing;
    }
    return j;
}
