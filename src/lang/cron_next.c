/* When a schedule fires next. See cron.h. */
#include <assert.h>

#include "lang/calendar.h"
#include "lang/cron.h"

static bool has_year(const struct cron *c, int64_t year)
{
    assert(year >= CRON_YEAR_MIN && year <= CRON_YEAR_MAX);
    size_t bit = (size_t)(year - CRON_YEAR_MIN);
    return c->years[bit / 64] >> bit % 64 & 1;
}

/* The weekday nearest to `day` within the month, 0 when the month has no such day. */
static int nearest_weekday(int64_t year, int month, int day)
{
    int last = calendar_month_days(year, month);
    if (day > last)
        return 0;
    int weekday = calendar_weekday(calendar_days(year, month, day));
    if (weekday == 6)
        return day == 1 ? 3 : day - 1;
    if (weekday == 0)
        return day == last ? day - 2 : day + 1;
    return day;
}

/* The days of a month on which it fires, bit n: day n. */
static uint32_t days_of(const struct cron *c, int64_t year, int month)
{
    int last = calendar_month_days(year, month);
    int first_weekday = calendar_weekday(calendar_days(year, month, 1));
    uint32_t in_month = (uint32_t)((1ull << (last + 1)) - 2), days = 0;
    int first = 1 + (c->weekday - first_weekday + 7) % 7; /* of c->weekday */
    switch (c->day_kind) {
    case CRON_DAY_OF_MONTH:
        days = c->days;
        break;
    case CRON_DAY_LAST:
        days = 1u << last;
        break;
    case CRON_DAY_LAST_WEEKDAY:
        days = 1u << nearest_weekday(year, month, last);
        break;
    case CRON_DAY_NEAREST:
        days = 1u << nearest_weekday(year, month, c->day);
        break;
    case CRON_DAY_OF_WEEK:
        for (int d = 1; d <= last; d++)
            if (c->weekdays >> (first_weekday + d - 1) % 7 & 1)
                days |= 1u << d;
        break;
    case CRON_DAY_LAST_OF:
        days = 1u << (first + (last - first) / 7 * 7);
        break;
    case CRON_DAY_NTH_OF:
        days = first + (c->nth - 1) * 7 <= last ? 1u << (first + (c->nth - 1) * 7) : 0;
        break;
    }
    return days & in_month;
}

/* The least set bit from `from` on, -1 if none. */
static int bit_from(uint64_t bits, int from)
{
    assert(from >= 0 && from <= 63);
    uint64_t rest = bits >> from << from;
    return rest ? __builtin_ctzll(rest) : -1;
}

/* Time of day in minutes from `from` (0..1440) on, -1 if none that day. */
static int time_from(const struct cron *c, int from)
{
    if (from >= 24 * 60)
        return -1;
    int hour = from / 60, minute = from % 60;
    if (c->hours >> hour & 1) {
        int m = bit_from(c->minutes, minute);
        if (m >= 0)
            return hour * 60 + m;
    }
    assert(c->minutes != 0); /* every list has an element: an hour always has its minute */
    hour = bit_from(c->hours, hour + 1);
    return hour < 0 ? -1 : hour * 60 + bit_from(c->minutes, 0);
}

/* The first local minute from `from` (minutes since 1970) on; false when there is none. At most 230
 * years of 12 months are looked at. */
static bool local_from(const struct cron *c, int64_t from, int64_t *ret_minute)
{
    int64_t year, day_from = floor_div(from, 24 * 60);
    int month, day;
    int minute = (int)floor_mod(from, 24 * 60);
    calendar_date(day_from, &year, &month, &day);
    if (year < CRON_YEAR_MIN) {
        year = CRON_YEAR_MIN;
        month = day = 1;
        minute = 0;
    }
    for (; year <= CRON_YEAR_MAX; year++, month = 1, day = 1, minute = 0) {
        for (; has_year(c, year) && month <= 12; month++, day = 1, minute = 0) {
            uint32_t days = c->months >> month & 1 ? days_of(c, year, month) : 0;
            for (int d = bit_from(days, day); d >= 0; d = bit_from(days, d + 1)) {
                int t = time_from(c, d == day ? minute : 0);
                if (t < 0)
                    continue;
                *ret_minute = calendar_days(year, month, d) * 24 * 60 + t;
                return true;
            }
        }
    }
    return false;
}

static enum err next_cron(const struct cron *c, const struct zone *zone, int64_t after,
                          int64_t *ret_at)
{
    int64_t local = after + (zone ? zone_offset(zone, after) : 0);
    int64_t minute = floor_div(local, 60);
    for (int i = 0; i < CRON_SKIPS_MAX; i++) {
        int64_t at;
        if (!local_from(c, minute + 1, &minute))
            return ERR_NOT_FOUND;
        assert(minute * 60 > local - 60); /* time goes on, or the skips would not end */
        if (!zone) {
            *ret_at = minute * 60;
            return ERR_OK;
        }
        /* CR3: skipped by the clocks, or shown for the second time. */
        if (!zone_utc(zone, minute * 60, &at) || at <= after)
            continue;
        *ret_at = at;
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

enum err cron_next(const struct cron *c, const struct zone *zone, int64_t start, int64_t after,
                   int64_t *ret_at)
{
    int64_t at;
    switch (c->kind) {
    case CRON_RATE:
        assert(c->period > 0);
        *ret_at = after < start ? start : start + ((after - start) / c->period + 1) * c->period;
        return ERR_OK;
    case CRON_AT:
        at = c->at;
        if (zone)
            (void)zone_utc(zone, c->at, &at);
        if (at <= after || at < start)
            return ERR_NOT_FOUND;
        *ret_at = at;
        return ERR_OK;
    default:
        return next_cron(c, zone, max_i64(after, start - 1), ret_at);
    }
}
