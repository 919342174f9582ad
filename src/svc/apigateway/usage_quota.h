/* Quotas of usage plans: which period a day belongs to, and what of its limit is left.
 *
 * Days are UTC's, counted from 1970-01-01. A quota's offset is the day that its period starts with: of a
 * week 0 (Sunday) to 6, of a month 0 (the 1st) to 27; of a day always 0.
 *
 * Source: CreateUsagePlan's errors ("Usage Plan quota offset must be between 0 and 6 inclusive in the
 * WEEK period"). Layer: svc/apigateway, pure. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_QUOTA_H
#define WEIR_SVC_APIGATEWAY_USAGE_QUOTA_H

#include "base/str.h"

enum usage_period { USAGE_NO_QUOTA, USAGE_PER_DAY, USAGE_PER_WEEK, USAGE_PER_MONTH, USAGE_PERIODS };

enum { USAGE_LEFT_UNLIMITED = -1 };

struct usage_quota {
    enum usage_period period;
    int64_t limit, offset;
};

/* What one key used of one plan on a day. */
struct usage_day {
    int64_t day; /* 0: none */
    int64_t used;
    int64_t left; /* of the period's limit, then; USAGE_LEFT_UNLIMITED */
};

/* The counter of one key in one plan. All zero: nothing was used yet. */
struct usage_count {
    int64_t first_day; /* of the period that is counted */
    int64_t used;      /* in it */
    int64_t granted;   /* by UpdateUsage, for this period; may be negative */
    struct usage_day today;
    struct usage_day before; /* the day before today's that is not written yet */
};

/* "DAY", "WEEK", "MONTH" and back; STR_NONE, USAGE_NO_QUOTA. */
struct str usage_period_name(enum usage_period period);
enum usage_period usage_period_of(struct str name);
/* The greatest offset of a period. */
int64_t usage_offset_max(enum usage_period period);

int64_t usage_day_of(int64_t wall_ms);
/* "2026-11-29" and back. ERR_INVALID. */
struct str usage_day_text(struct arena *a, int64_t day);
enum err usage_day_parse(struct str text, int64_t *ret_day) WARN_UNUSED;
/* The first day of the period that `day` lies in. */
int64_t usage_period_first(const struct usage_quota *q, int64_t day);

/* Moves the counter on to `day`: what belongs to an earlier day or period ends. Never back. */
void usage_count_roll(struct usage_count *c, const struct usage_quota *q, int64_t day);
/* Of a counter that was moved on. At least 0, or USAGE_LEFT_UNLIMITED. */
int64_t usage_count_left(const struct usage_count *c, const struct usage_quota *q);
/* One request more. */
void usage_count_add(struct usage_count *c, const struct usage_quota *q);
/* UpdateUsage: so much is left of this period. */
void usage_count_grant(struct usage_count *c, const struct usage_quota *q, int64_t left);

#endif
