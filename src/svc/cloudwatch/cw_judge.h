/* What an alarm makes of its data points: AWS's rules for M out of N with missing points. Pure.
 *
 * Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data", "How alarm state is
 * evaluated when data is missing". */
#ifndef WEIR_SVC_CLOUDWATCH_CW_JUDGE_H
#define WEIR_SVC_CLOUDWATCH_CW_JUDGE_H

#include "base/str.h"

enum cw_state { CW_OK, CW_ALARM, CW_INSUFFICIENT, CW_STATES };

enum cw_comparison { /* as AWS names them */
                     CW_GREATER_OR_EQUAL,
                     CW_GREATER,
                     CW_LESS,
                     CW_LESS_OR_EQUAL,
                     CW_COMPARISONS,
};

enum cw_missing {
    CW_MISSING_MISSING,
    CW_MISSING_IGNORE,
    CW_MISSING_BREACHING,
    CW_MISSING_NOT_BREACHING,
    CW_MISSING_VALUES,
};

/* Points beyond the evaluation periods that are looked at, for where some are missing. */
enum { CW_EXTRA_PERIODS = 2 };

struct cw_point_seen {
    bool there;
    double value;
};

struct cw_judged {
    enum cw_state state;
    size_t breaching,
        filled;  /* points that broke the threshold; missing ones that stood for some */
    size_t used; /* real points that counted */
};

struct cw_rule_of_points {
    size_t periods, to_alarm; /* N and M */
    enum cw_comparison comparison;
    double threshold;
    enum cw_missing missing;
};

bool cw_breaches(enum cw_comparison comparison, double value, double threshold);
/* `points` newest first, `n` of them, at least `periods`. `now` is the present state. */
struct cw_judged cw_judge(const struct cw_rule_of_points *rule, const struct cw_point_seen *points,
                          size_t n, enum cw_state now);

#endif
