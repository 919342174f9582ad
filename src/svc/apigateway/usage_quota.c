/* See usage_quota.h. Layer: svc/apigateway. */
#include "svc/apigateway/usage_quota.h"

#include <assert.h>

#include "base/buf.h"
#include "base/clock.h"

enum {
    MS_PER_DAY = 24 * 60 * 60 * 1000,
    DAYS_PER_WEEK = 7,
    THURSDAY = 4, /* 1970-01-01, counted from Sunday */
    MONTH_OFFSET_MAX = 27,
};

static const struct str names[USAGE_PERIODS] = {
    [USAGE_PER_DAY] = STR_INIT("DAY"),
    [USAGE_PER_WEEK] = STR_INIT("WEEK"),
    [USAGE_PER_MONTH] = STR_INIT("MONTH"),
};

struct str usage_period_name(enum usage_period period)
{
    assert(period < USAGE_PERIODS);
    return names[period];
}

enum usage_period usage_period_of(struct str name)
{
    for (enum usage_period p = USAGE_PER_DAY; p < USAGE_PERIODS; p++)
        if (str_eq(names[p], name))
            return p;
    return USAGE_NO_QUOTA;
}

int64_t usage_offset_max(enum usage_period period)
{
    return period == USAGE_PER_WEEK    ? DAYS_PER_WEEK - 1
           : period == USAGE_PER_MONTH ? MONTH_OFFSET_MAX
                                       : 0;
}

int64_t usage_day_of(int64_t wall_ms)
{
    return wall_ms / MS_PER_DAY;
}

struct str usage_day_text(struct arena *a, int64_t day)
{
    struct civil c = clock_civil(day * MS_PER_DAY);
    return str_fmt(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

enum err usage_day_parse(struct str text, int64_t *ret_day)
{
    char buf[sizeof("2026-11-29T00:00:00Z")];
    int64_t ms;
    struct buf b;
    buf_init_fixed(&b, buf, sizeof(buf));
    if (text.len != sizeof("2026-11-29") - 1)
        return ERR_INVALID;
    buf_add_str(&b, text);
    BUF_ADD_LIT(&b, "T00:00:00Z");
    TRY(clock_parse_iso8601(buf_str(&b), &ms));
    *ret_day = usage_day_of(ms);
    return ERR_OK;
}

static int64_t month_first(int64_t offset, int64_t day)
{
    struct civil c = clock_civil(day * MS_PER_DAY);
    if (c.day <= offset) { /* still the period that began last month */
        c.year -= c.month == 1;
        c.month = c.month == 1 ? 12 : c.month - 1;
    }
    c.day = (int)offset + 1;
    c.hour = c.minute = c.second = c.ms = 0;
    return usage_day_of(clock_from_civil(&c));
}

int64_t usage_period_first(const struct usage_quota *q, int64_t day)
{
    switch (q->period) {
    case USAGE_PER_WEEK: {
        int64_t weekday = (day + THURSDAY) % DAYS_PER_WEEK;
        return day - (weekday + DAYS_PER_WEEK - q->offset) % DAYS_PER_WEEK;
    }
    case USAGE_PER_MONTH:
        return month_first(q->offset, day);
    default:
        return day;
    }
}

void usage_count_roll(struct usage_count *c, const struct usage_quota *q, int64_t day)
{
    int64_t first = usage_period_first(q, day);
    if (day > c->today.day) {
        c->before = c->today;
        c->today = (struct usage_day){.day = day};
    }
    if (first > c->first_day) {
        c->first_day = first;
        c->used = c->granted = 0;
    }
    c->today.left = usage_count_left(c, q);
}

int64_t usage_count_left(const struct usage_count *c, const struct usage_quota *q)
{
    if (q->period == USAGE_NO_QUOTA)
        return USAGE_LEFT_UNLIMITED;
    return max_i64(q->limit + c->granted - c->used, 0);
}

void usage_count_add(struct usage_count *c, const struct usage_quota *q)
{
    c->used++;
    c->today.used++;
    c->today.left = usage_count_left(c, q);
}

void usage_count_grant(struct usage_count *c, const struct usage_quota *q, int64_t left)
{
    c->granted = left - (q->limit - c->used);
    c->today.left = usage_count_left(c, q);
}
