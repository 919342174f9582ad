/* What zone*.c share. See zone.h. */
#ifndef WEIR_LANG_ZONE_INT_H
#define WEIR_LANG_ZONE_INT_H

#include "lang/zone.h"

enum zone_day_kind { ZONE_DAY_JULIAN, ZONE_DAY_OF_YEAR, ZONE_DAY_OF_MONTH };

/* A day of the year and a time on it, when the offset changes. */
struct zone_change {
    enum zone_day_kind kind;
    int month, week, day; /* Mm.w.d; else `day` alone: Jn 1..365 without leap days, or n 0..365 */
    int32_t time;         /* seconds of local time, may be negative or beyond a day */
};

/* POSIX TZ: what holds after the last listed change. */
struct zone_rule {
    bool present, has_dst;
    int32_t std_offset, dst_offset; /* ahead of UTC */
    struct zone_change start, end;  /* of daylight saving time, each in the time before it */
};

/* ERR_CORRUPT. */
enum err zone_rule_parse(struct str text, struct zone_rule *ret_rule) WARN_UNUSED;
int32_t zone_rule_offset(const struct zone_rule *r, int64_t utc);

#endif
