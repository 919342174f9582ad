/* Schedule expressions of EventBridge rules and EventBridge Scheduler, and when they fire.
 *
 *   rate(5 minutes)            minute(s), hour(s), day(s) of 24 hours
 *   cron(0/15 8-18 ? * MON-FRI *)   minutes hours day-of-month month day-of-week year
 *   at(2026-11-20T13:00:00)    Scheduler only
 *
 *   field         values              also
 *   minutes       0-59                , - * /
 *   hours         0-23                , - * /
 *   day-of-month  1-31                , - * / ?  L (last day)  LW (last weekday)  15W (nearest weekday)
 *   month         1-12, JAN-DEC       , - * /
 *   day-of-week   1-7, SUN-SAT        , - * / ?  L (Saturday)  5L, THUL (last of month)  3#2 (second Tuesday)
 *   year          1970-2199           , - * /
 *
 *   CR1  Exactly one of day-of-month and day-of-week is '?'.
 *   CR2  L, LW, W, # stand alone in their field. Ranges may wrap (FRI-MON, 22-2) but for years.
 *   CR3  A firing whose local time the clocks skip does not happen; one that they show twice happens
 *        at the first (AWS: "skipped", "runs only once"). A one-time schedule in a skipped hour fires
 *        as much later as it lies in the gap.
 *   CR4  Rates count 24-hour days from their start, whatever clocks do.
 *   CR5  Rules want rate(1 minute) and rate(2 minutes); Scheduler takes either form of the unit.
 *
 * Sources: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html,
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html; wrapping
 * ranges and W at the ends of a month as Quartz, whose syntax this is.
 *
 * Layer: lang (includes base). A parsed expression is a plain value. Thread: pure. */
#ifndef WEIR_LANG_CRON_H
#define WEIR_LANG_CRON_H

#include "lang/zone.h"

enum {
    CRON_TEXT_MAX = 256, /* AWS's limit on the expression */
    CRON_YEAR_MIN = 1970,
    CRON_YEAR_MAX = 2199,
    CRON_RATE_MAX = 1000 * 1000 * 1000, /* units */
    CRON_SKIPS_MAX = 100 * 1000,        /* firings passed over by one cron_next, for CR3 */
};

enum cron_dialect { CRON_RULES, CRON_SCHEDULER };
enum cron_kind { CRON_RATE, CRON_CRON, CRON_AT };
enum cron_day {
    CRON_DAY_OF_MONTH, /* `days` */
    CRON_DAY_LAST,     /* L */
    CRON_DAY_LAST_WEEKDAY,
    CRON_DAY_NEAREST, /* dW: `day` */
    CRON_DAY_OF_WEEK, /* `weekdays` */
    CRON_DAY_LAST_OF, /* dL: `weekday` */
    CRON_DAY_NTH_OF,  /* d#n: `weekday`, `nth` */
};

struct cron {
    enum cron_kind kind;
    int64_t period; /* CRON_RATE: seconds */
    int64_t at;     /* CRON_AT: local seconds since 1970 */
    /* CRON_CRON: bit per value */
    uint64_t minutes;
    uint32_t hours, months, days;
    uint8_t weekdays; /* bit 0 = Sunday */
    enum cron_day day_kind;
    int day, weekday, nth;
    uint64_t years[(CRON_YEAR_MAX - CRON_YEAR_MIN) / 64 + 1];
};

/* ERR_INVALID; the services say "Parameter ScheduleExpression is not valid." or the like. */
enum err cron_parse(struct str text, enum cron_dialect dialect, struct cron *ret_cron) WARN_UNUSED;

/* The first firing after `after` (strictly), both in seconds since 1970. `zone` NULL is UTC. `start`
 * is a rate's first firing, and nothing fires before it. ERR_NOT_FOUND: it fires no more. */
enum err cron_next(const struct cron *c, const struct zone *zone, int64_t start, int64_t after,
                   int64_t *ret_at) WARN_UNUSED;

#endif
