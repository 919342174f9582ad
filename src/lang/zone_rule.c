/* The POSIX TZ string at the end of a zone file, with RFC 8536's extension of the times (-167..167
 * hours): "CET-1CEST,M3.5.0,M10.5.0/3". See zone.h. */
#include "lang/calendar.h"
#include "lang/zone_int.h"

enum { OFFSET_HOURS_MAX = 24, TIME_HOURS_MAX = 167 };

static bool take(struct str *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Three or more letters, or <anything alphanumeric and signed>. */
static enum err skip_name(struct str *s)
{
    size_t n = 0;
    if (take(s, '<')) {
        n = str_find(*s, '>');
        if (n == SIZE_MAX || n < 3)
            return ERR_CORRUPT;
        *s = str_sub(*s, n + 1, s->len);
        return ERR_OK;
    }
    while (n < s->len && is_letter(s->p[n]))
        n++;
    *s = str_sub(*s, n, s->len);
    return n >= 3 ? ERR_OK : ERR_CORRUPT;
}

static enum err digits(struct str *s, int max, int *ret_v)
{
    int v = 0;
    size_t n = 0;
    while (n < s->len && n < 4 && s->p[n] >= '0' && s->p[n] <= '9')
        v = v * 10 + (s->p[n++] - '0');
    if (n == 0 || v > max)
        return ERR_CORRUPT;
    *s = str_sub(*s, n, s->len);
    *ret_v = v;
    return ERR_OK;
}

/* [+-]hh[:mm[:ss]] */
static enum err seconds(struct str *s, int hours_max, int32_t *ret_seconds)
{
    int h, m = 0, sec = 0;
    bool minus = take(s, '-');
    if (!minus)
        (void)take(s, '+');
    TRY(digits(s, hours_max, &h));
    if (take(s, ':')) {
        TRY(digits(s, 59, &m));
        if (take(s, ':'))
            TRY(digits(s, 59, &sec));
    }
    int32_t v = h * 3600 + m * 60 + sec;
    *ret_seconds = minus ? -v : v;
    return ERR_OK;
}

/* ,date[/time] */
static enum err change(struct str *s, struct zone_change *ret_change)
{
    *ret_change = (struct zone_change){.time = 2 * 3600};
    if (!take(s, ','))
        return ERR_CORRUPT;
    if (take(s, 'M')) {
        ret_change->kind = ZONE_DAY_OF_MONTH;
        TRY(digits(s, 12, &ret_change->month));
        if (!take(s, '.'))
            return ERR_CORRUPT;
        TRY(digits(s, 5, &ret_change->week));
        if (!take(s, '.'))
            return ERR_CORRUPT;
        TRY(digits(s, 6, &ret_change->day));
        if (ret_change->month == 0 || ret_change->week == 0)
            return ERR_CORRUPT;
    } else {
        ret_change->kind = take(s, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_OF_YEAR;
        TRY(digits(s, 365, &ret_change->day));
        if (ret_change->kind == ZONE_DAY_JULIAN && ret_change->day == 0)
            return ERR_CORRUPT;
    }
    return take(s, '/') ? seconds(s, TIME_HOURS_MAX, &ret_change->time) : ERR_OK;
}

enum err zone_rule_parse(struct str text, struct zone_rule *ret_rule)
{
    struct zone_rule r = {.present = text.len > 0};
    int32_t west;
    if (!r.present) {
        *ret_rule = r;
        return ERR_OK;
    }
    TRY(skip_name(&text));
    TRY(seconds(&text, OFFSET_HOURS_MAX, &west));
    r.std_offset = -west;
    if (text.len > 0) {
        r.has_dst = true;
        TRY(skip_name(&text));
        r.dst_offset = r.std_offset + 3600;
        if (text.len > 0 && text.p[0] != ',') {
            TRY(seconds(&text, OFFSET_HOURS_MAX, &west));
            r.dst_offset = -west;
        }
        TRY(change(&text, &r.start));
        TRY(change(&text, &r.end));
    }
    if (text.len > 0)
        return ERR_CORRUPT;
    *ret_rule = r;
    return ERR_OK;
}

/* Local seconds of the change in `year`. */
static int64_t change_at(const struct zone_change *c, int64_t year)
{
    int64_t day = calendar_days(year, 1, 1);
    if (c->kind == ZONE_DAY_OF_YEAR) {
        day += c->day;
    } else if (c->kind == ZONE_DAY_JULIAN) {
        bool after_leap_day = c->day >= 60 && calendar_month_days(year, 2) == 29;
        day += c->day - 1 + after_leap_day;
    } else {
        day = calendar_days(year, c->month, 1);
        int first = (c->day - calendar_weekday(day) + 7) % 7;
        int of_month = first + (c->week - 1) * 7;
        if (of_month >= calendar_month_days(year, c->month))
            of_month -= 7;
        day += of_month;
    }
    return day * DAY_SECONDS + c->time;
}

int32_t zone_rule_offset(const struct zone_rule *r, int64_t utc)
{
    if (!r->has_dst)
        return r->std_offset;
    int64_t year;
    int month, day;
    calendar_date(floor_div(utc + r->std_offset, DAY_SECONDS), &year, &month, &day);
    int64_t start = change_at(&r->start, year) - r->std_offset;
    int64_t end = change_at(&r->end, year) - r->dst_offset;
    bool dst = start < end ? utc >= start && utc < end : utc >= start || utc < end;
    return dst ? r->dst_offset : r->std_offset;
}
