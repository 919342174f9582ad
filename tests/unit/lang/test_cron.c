/* cron.h: the syntax, and ten years of quarter hours in zones with odd clocks against a calendar that
 * is libc's, with each expression's days said once more as a predicate; expressions that are drawn
 * (CRON_SEED), said as sets besides; at and rate by the same calendar. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "lang/calendar.h"
#include "lang/cron.h"

static void test_syntax(void **state)
{
    static const struct {
        const char *text;
        bool rules, scheduler;
    } rows[] = {
        {"rate(1 minute)", true, true},
        {"rate(1 minutes)", false, true},
        {"rate(5 minutes)", true, true},
        {"rate(5 minute)", false, true},
        {"rate(1 hour)", true, true},
        {"rate(7 days)", true, true},
        {"rate(0 minutes)", false, false},
        {"rate(-1 minutes)", false, false},
        {"rate(1.5 hours)", false, false},
        {"rate(5 seconds)", false, false},
        {"rate(5)", false, false},
        {"rate(5minutes)", false, false},
        {"rate(5 minutes", false, false},
        {"Rate(5 minutes)", false, false},
        {"rate(1000000001 days)", false, false},
        {"cron(0 12 * * ? *)", true, true},
        {"cron(0/15 8-18 ? * MON-FRI *)", true, true},
        {"cron(0 0 L * ? *)", true, true},
        {"cron(0 0 LW * ? *)", true, true},
        {"cron(0 0 15W * ? 2026-2030)", true, true},
        {"cron(0 0 ? * 6L *)", true, true},
        {"cron(0 0 ? * FRIL *)", true, true},
        {"cron(0 0 ? * L *)", true, true},
        {"cron(0 0 ? jan,DEC tue#5 1970/2)", true, true},
        {"cron(0,30 22-2 1-10/3,20 * ? *)", true, true},
        {"cron(0 0 ? * FRI-MON *)", true, true},
        {"cron(0 12 * * * *)", false, false},
        {"cron(0 12 ? * ? *)", false, false},
        {"cron(0 12 1 * 1 *)", false, false},
        {"cron(0 12 * * ?)", false, false},
        {"cron(0 12 * * ? * *)", false, false},
        {"cron(60 12 * * ? *)", false, false},
        {"cron(0 24 * * ? *)", false, false},
        {"cron(0 12 0 * ? *)", false, false},
        {"cron(0 12 32 * ? *)", false, false},
        {"cron(0 12 * 13 ? *)", false, false},
        {"cron(0 12 ? * 0 *)", false, false},
        {"cron(0 12 ? * 8 *)", false, false},
        {"cron(0 12 ? * MON#6 *)", false, false},
        {"cron(0 12 ? * MON#0 *)", false, false},
        {"cron(0 12 ? * MON#1,TUE *)", false, false},
        {"cron(0 12 1W,3 * ? *)", false, false},
        {"cron(0 12 1,L * ? *)", false, false},
        {"cron(0 12 * * ? 1969)", false, false},
        {"cron(0 12 * * ? 2200)", false, false},
        {"cron(0 12 * * ? 2030-2026)", false, false},
        {"cron(*/0 12 * * ? *)", false, false},
        {"cron(*/61 12 * * ? *)", false, false},
        {"cron(/5 12 * * ? *)", false, false},
        {"cron(1- 12 * * ? *)", false, false},
        {"cron(1,,2 12 * * ? *)", false, false},
        {"cron(, 12 * * ? *)", false, false},
        {"cron(? 12 * * ? *)", false, false},
        {"cron()", false, false},
        {"at(2026-11-20T13:00:00)", false, true},
        {"at(2024-02-29T23:59:59)", false, true},
        {"at(2026-02-29T13:00:00)", false, false},
        {"at(2026-11-20T24:00:00)", false, false},
        {"at(2026-11-20T13:00:00Z)", false, false},
        {"at(2026-11-20 13:00:00)", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int d = CRON_RULES; d <= CRON_SCHEDULER; d++) {
            struct cron c;
            bool good = d == CRON_RULES ? rows[i].rules : rows[i].scheduler;
            enum err e = cron_parse(str_c(rows[i].text), (enum cron_dialect)d, &c);
            if (e != (good ? ERR_OK : ERR_INVALID))
                fail_msg("%s in dialect %d: %s", rows[i].text, d, err_name(e));
        }
}

static int64_t moment(int y, int mo, int d, int h, int mi)
{
    return calendar_days(y, mo, d) * 86400 + h * 3600 + mi * 60;
}

static void test_rate_and_at(void **state)
{
    struct cron c;
    int64_t at;
    assert_int_equal(cron_parse(STR("rate(5 minutes)"), CRON_RULES, &c), ERR_OK);
    assert_int_equal(cron_next(&c, NULL, 1000, 0, &at), ERR_OK);
    assert_int_equal(at, 1000);
    assert_int_equal(cron_next(&c, NULL, 1000, 1000, &at), ERR_OK);
    assert_int_equal(at, 1300);
    assert_int_equal(cron_next(&c, NULL, 1000, 1299, &at), ERR_OK);
    assert_int_equal(at, 1300);
    assert_int_equal(cron_parse(STR("at(2026-03-29T02:30:00)"), CRON_SCHEDULER, &c), ERR_OK);
    assert_int_equal(cron_next(&c, NULL, 0, 0, &at), ERR_OK);
    assert_int_equal(at, moment(2026, 3, 29, 2, 30));
    assert_int_equal(cron_next(&c, NULL, 0, at, &at), ERR_NOT_FOUND);
    struct arena a;
    struct zone *paris;
    arena_init(&a, 1 << 20);
    assert_int_equal(zone_load(&a, STR("Europe/Paris"), &paris), ERR_OK);
    assert_int_equal(cron_next(&c, paris, 0, 0, &at), ERR_OK);
    assert_int_equal(at, moment(2026, 3, 29, 1, 30)); /* in the gap: 3:30 on the clocks */
    arena_release(&a);
}

static void test_ends(void **state)
{
    struct cron c;
    int64_t at;
    assert_int_equal(cron_parse(STR("cron(59 23 31 12 ? *)"), CRON_RULES, &c), ERR_OK);
    assert_int_equal(cron_next(&c, NULL, 0, moment(2198, 12, 31, 23, 59), &at), ERR_OK);
    assert_int_equal(at, moment(2199, 12, 31, 23, 59));
    assert_int_equal(cron_next(&c, NULL, 0, at, &at), ERR_NOT_FOUND);
    assert_int_equal(cron_next(&c, NULL, INT64_MIN / 2, INT64_MIN / 4, &at), ERR_OK);
    assert_int_equal(at, moment(1970, 12, 31, 23, 59));
    assert_int_equal(cron_parse(STR("cron(0 0 30 2 ? *)"), CRON_RULES, &c), ERR_OK);
    assert_int_equal(cron_next(&c, NULL, 0, 0, &at), ERR_NOT_FOUND);
    assert_int_equal(cron_parse(STR("cron(0 0 29 2 ? *)"), CRON_RULES, &c), ERR_OK);
    assert_int_equal(cron_next(&c, NULL, 0, moment(2096, 3, 1, 0, 0), &at), ERR_OK);
    assert_int_equal(at, moment(2104, 2, 29, 0, 0));
    assert_int_equal(cron_parse(STR("cron(* * * * ? *)"), CRON_RULES, &c), ERR_OK);
    assert_int_equal(cron_next(&c, NULL, 0, 61, &at), ERR_OK);
    assert_int_equal(at, 120);
    assert_int_equal(cron_next(&c, NULL, 0, 120, &at), ERR_OK);
    assert_int_equal(at, 180);
    assert_int_equal(cron_next(&c, NULL, 1000, 120, &at), ERR_OK);
    assert_int_equal(at, 1020);
}

/* --- ten years ---------------------------------------------------------------------------------- */

static int last_day(const struct tm *t)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = t->tm_year + 1900;
    return t->tm_mon == 1 && y % 4 == 0 && (y % 100 || y % 400 == 0) ? 29 : days[t->tm_mon];
}

static bool at_time(const struct tm *t, int h, int m)
{
    return t->tm_hour == h && t->tm_min == m;
}

static bool daily_230(const struct tm *t)
{
    return at_time(t, 2, 30);
}
static bool quarters(const struct tm *t)
{
    return t->tm_min % 15 == 0;
}
static bool hourly_midnightish(const struct tm *t)
{
    return t->tm_min == 45 && (t->tm_hour >= 22 || t->tm_hour <= 3);
}
static bool weekdays(const struct tm *t)
{
    return at_time(t, 0, 0) && t->tm_wday >= 1 && t->tm_wday <= 5;
}
static bool last_of_month(const struct tm *t)
{
    return at_time(t, 23, 45) && t->tm_mday == last_day(t);
}
static bool second_tuesday(const struct tm *t)
{
    return at_time(t, 1, 15) && t->tm_wday == 2 && (t->tm_mday - 1) / 7 == 1;
}
static bool fifth_sunday(const struct tm *t)
{
    return at_time(t, 1, 30) && t->tm_wday == 0 && t->tm_mday > 28;
}
static bool last_friday(const struct tm *t)
{
    return at_time(t, 3, 0) && t->tm_wday == 5 && t->tm_mday + 7 > last_day(t);
}
/* The day itself on a weekday; the Friday before a Saturday or Monday after a Sunday. */
static bool near_15(const struct tm *t)
{
    return at_time(t, 12, 0) &&
           ((t->tm_mday == 15 && t->tm_wday >= 1 && t->tm_wday <= 5) ||
            (t->tm_mday == 14 && t->tm_wday == 5) || (t->tm_mday == 16 && t->tm_wday == 1));
}
static bool near_1(const struct tm *t)
{
    return at_time(t, 12, 0) &&
           ((t->tm_mday == 1 && t->tm_wday >= 1 && t->tm_wday <= 5) ||
            (t->tm_mday == 2 && t->tm_wday == 1) || (t->tm_mday == 3 && t->tm_wday == 1));
}
static bool last_weekday(const struct tm *t)
{
    int left = last_day(t) - t->tm_mday;
    return at_time(t, 12, 0) && ((left == 0 && t->tm_wday >= 1 && t->tm_wday <= 5) ||
                                 (left <= 2 && left > 0 && t->tm_wday == 5));
}
static bool odd_years(const struct tm *t)
{
    return at_time(t, 2, 0) && t->tm_year % 2 && (t->tm_mon == 2 || t->tm_mon == 9) &&
           (t->tm_mday % 3 == 1 || t->tm_mday == 29);
}

static const struct {
    const char *text;
    bool (*fires)(const struct tm *t);
} EXPRESSIONS[] = {
    {"cron(30 2 * * ? *)", daily_230},
    {"cron(0/15 * * * ? *)", quarters},
    {"cron(45 22-3 * * ? *)", hourly_midnightish},
    {"cron(0 0 ? * MON-FRI *)", weekdays},
    {"cron(45 23 L * ? *)", last_of_month},
    {"cron(15 1 ? * 3#2 *)", second_tuesday},
    {"cron(30 1 ? * SUN#5 *)", fifth_sunday},
    {"cron(0 3 ? * 6L *)", last_friday},
    {"cron(0 12 15W * ? *)", near_15},
    {"cron(0 12 1W * ? *)", near_1},
    {"cron(0 12 LW * ? *)", last_weekday},
    {"cron(0 2 1/3,29 3,OCT ? 1971/2)", odd_years},
};

enum { QUARTER = 900, SPAN = 10 * 366 * 96, DRAWN = 20 };

/* What libc's clocks show at each quarter hour, and whether they have shown as much before. */
struct shown {
    struct tm tm;
    bool again;
};
static struct shown calendar[SPAN];

/* --- expressions that are drawn ----------------------------------------------------------------- */

static uint64_t dice;

static int roll(int n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (int)((dice >> 11) % (uint64_t)n);
}

enum day_form {
    MONTH_DAYS,
    LAST_DAY,
    LAST_WEEKDAY,
    NEAREST,
    WEEK_DAYS,
    LAST_OF,
    NTH_OF,
    DAY_FORMS
};

/* What it means: sets, made while the text was. */
struct drawn {
    char text[256];
    size_t len;
    bool minutes[60], hours[24], months[13], days[32], weekdays[8]; /* Sunday is 1 */
    int years_from, years_to, years_step;
    enum day_form form;
    int day, weekday, nth;
};

static void say(struct drawn *d, const char *fmt, int a, int b)
{
    d->len += (size_t)snprintf(d->text + d->len, sizeof(d->text) - d->len, fmt, a, b);
    assert_true(d->len < sizeof(d->text));
}

/* A list of values, ranges (that may wrap) and steps within low..high; values are multiples of `unit`. */
static void draw_set(struct drawn *d, bool *set, int low, int high, int unit, bool star)
{
    if (star && roll(4) == 0 && unit == 1) {
        say(d, "*", 0, 0);
        memset(set + low, true, (size_t)(high - low + 1));
        return;
    }
    for (int i = 0, n = 1 + roll(3); i < n; i++) {
        int a = low + roll((high - low) / unit + 1) * unit, b = low + roll(high - low + 1);
        int step = unit * (1 + roll(unit == 1 ? 5 : 4)), kind = unit == 1 ? roll(4) : roll(2);
        if (i)
            say(d, ",", 0, 0);
        if (kind == 0) {
            say(d, "%d", a, 0);
            set[a] = true;
        } else if (kind == 1) {
            say(d, "%d/%d", a, step);
            for (int v = a; v <= high; v += step)
                set[v] = true;
        } else {
            bool steps = kind == 3;
            say(d, "%d-%d", a, b);
            if (steps)
                say(d, "/%d", step, 0);
            int size = high - low + 1, span = b >= a ? b - a : b - a + size;
            for (int v = 0; v <= span; v += steps ? step : 1)
                set[low + (a - low + v) % size] = true;
        }
    }
}

static void draw_days(struct drawn *d)
{
    d->form = (enum day_form)roll(DAY_FORMS);
    d->day = 1 + roll(31);
    d->weekday = 1 + roll(7);
    d->nth = 1 + roll(5);
    if (d->form == MONTH_DAYS)
        draw_set(d, d->days, 1, 31, 1, true);
    else if (d->form == LAST_DAY)
        say(d, "L", 0, 0);
    else if (d->form == LAST_WEEKDAY)
        say(d, "LW", 0, 0);
    else if (d->form == NEAREST)
        say(d, "%dW", d->day, 0);
    else
        say(d, "?", 0, 0);
}

static void draw_weekdays(struct drawn *d)
{
    if (d->form == WEEK_DAYS)
        draw_set(d, d->weekdays, 1, 7, 1, true);
    else if (d->form == LAST_OF)
        say(d, "%dL", d->weekday, 0);
    else if (d->form == NTH_OF)
        say(d, "%d#%d", d->weekday, d->nth);
    else
        say(d, "?", 0, 0);
}

static void draw(struct drawn *d, int year)
{
    memset(d, 0, sizeof(*d));
    say(d, "cron(", 0, 0);
    draw_set(d, d->minutes, 0, 59, 15, false);
    say(d, " ", 0, 0);
    draw_set(d, d->hours, 0, 23, 1, true);
    say(d, " ", 0, 0);
    draw_days(d);
    say(d, " ", 0, 0);
    draw_set(d, d->months, 1, 12, 1, true);
    say(d, " ", 0, 0);
    draw_weekdays(d);
    d->years_from = year - 1 + roll(4);
    d->years_to = d->years_from + 5 + roll(10);
    d->years_step = 1 + roll(2);
    if (roll(2)) {
        d->years_from = 1970;
        d->years_to = 2199;
        d->years_step = 1;
        say(d, " *)", 0, 0);
    } else {
        say(d, " %d-%d", d->years_from, d->years_to);
        say(d, "/%d)", d->years_step, 0);
    }
}

/* The day itself, or the nearest weekday of the same month. */
static bool is_nearest(const struct tm *t, int day)
{
    int last = last_day(t);
    if (day > last || t->tm_wday == 0 || t->tm_wday == 6)
        return false;
    int wday = (t->tm_wday + (day - t->tm_mday) % 7 + 7) % 7, want = day;
    if (wday == 6)
        want = day == 1 ? 3 : day - 1;
    else if (wday == 0)
        want = day == last ? day - 2 : day + 1;
    return t->tm_mday == want;
}

static bool drawn_fires(const struct drawn *d, const struct tm *t)
{
    int year = t->tm_year + 1900, wday = t->tm_wday + 1, left = last_day(t) - t->tm_mday;
    if (!d->minutes[t->tm_min] || !d->hours[t->tm_hour] || !d->months[t->tm_mon + 1] ||
        year < d->years_from || year > d->years_to || (year - d->years_from) % d->years_step)
        return false;
    switch (d->form) {
    case MONTH_DAYS:
        return d->days[t->tm_mday];
    case LAST_DAY:
        return left == 0;
    case LAST_WEEKDAY: /* a weekday with none but the weekend after it */
        return wday >= 2 && wday <= 6 && (left == 0 || (wday == 6 && left <= 2));
    case NEAREST:
        return is_nearest(t, d->day);
    case WEEK_DAYS:
        return d->weekdays[wday];
    case LAST_OF:
        return wday == d->weekday && left < 7;
    default:
        return wday == d->weekday && (t->tm_mday - 1) / 7 + 1 == d->nth;
    }
}

static size_t check_drawn(const struct zone *z, const char *zone, int year, int64_t from)
{
    struct drawn d;
    struct cron c;
    size_t n = 0;
    draw(&d, year);
    if (cron_parse(str_c(d.text), CRON_SCHEDULER, &c) != ERR_OK)
        fail_msg("%s is refused", d.text);
    int64_t at = 0, previous = from - 1;
    for (size_t i = 0; i < SPAN; i++) {
        if (calendar[i].again || !drawn_fires(&d, &calendar[i].tm))
            continue;
        int64_t want = from + (int64_t)i * QUARTER;
        enum err e = cron_next(&c, z, 0, previous, &at);
        if (e || at != want)
            fail_msg("%s in %s after %" PRId64 ": %s %" PRId64 ", not %" PRId64, d.text, zone,
                     previous, err_name(e), at, want);
        previous = at;
        n++;
    }
    /* And nothing beyond the last one within the ten years. */
    if (cron_next(&c, z, 0, previous, &at) == ERR_OK && at < from + (int64_t)SPAN * QUARTER)
        fail_msg("%s in %s: %" PRId64 " is one too many", d.text, zone, at);
    return n;
}

/* at(...) of each quarter hour near a change of the clocks: the first moment that shows it, and in a gap
 * as much later as it lies in it. */
static size_t check_at(const struct zone *z, const char *zone, int64_t from)
{
    size_t n = 0;
    for (size_t i = 1; i < SPAN; i++) {
        int64_t before = calendar[i - 1].tm.tm_gmtoff, after = calendar[i].tm.tm_gmtoff;
        if (before == after)
            continue;
        int64_t change = from + (int64_t)i * QUARTER;
        for (int64_t k = -16; k <= 16; k++) {
            struct cron c;
            char text[64];
            int64_t at, local = change + before + k * QUARTER;
            int64_t early = local - before, late = local - after;
            int64_t want = early < change ? early : late >= change ? late : early;
            time_t shown = (time_t)local;
            struct tm tm;
            gmtime_r(&shown, &tm);
            strftime(text, sizeof(text), "at(%Y-%m-%dT%H:%M:%S)", &tm);
            assert_int_equal(cron_parse(str_c(text), CRON_SCHEDULER, &c), ERR_OK);
            assert_int_equal(cron_next(&c, z, 0, want - 1, &at), ERR_OK);
            if (at != want)
                fail_msg("%s in %s: %" PRId64 ", not %" PRId64, text, zone, at, want);
            assert_int_equal(cron_next(&c, z, 0, want, &at), ERR_NOT_FOUND);
            n++;
        }
    }
    return n;
}

/* Rates take no notice of clocks. */
static void check_rate(const struct zone *z, int64_t from)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"minutes", 60}, {"hours", 3600}, {"days", 86400}};
    for (int i = 0; i < 50; i++) {
        struct cron c;
        char text[64];
        int k = roll(3), count = 2 + roll(1000);
        int64_t start = from + roll(1000000), at = 0, want = start, step = count * units[k].seconds;
        snprintf(text, sizeof(text), "rate(%d %s)", count, units[k].unit);
        assert_int_equal(cron_parse(str_c(text), CRON_SCHEDULER, &c), ERR_OK);
        for (int64_t after = start - 1; want < from + 100 * step; want += step) {
            assert_int_equal(cron_next(&c, z, start, after, &at), ERR_OK);
            assert_int_equal(at, want);
            after = at + roll((int)min_i64(step, INT32_MAX));
        }
    }
}

static size_t check_expression(const struct zone *z, const char *zone, size_t which, int64_t from)
{
    struct cron c;
    size_t n = 0;
    assert_int_equal(cron_parse(str_c(EXPRESSIONS[which].text), CRON_SCHEDULER, &c), ERR_OK);
    int64_t at, previous = from - 1;
    for (size_t i = 0; i < SPAN; i++) {
        if (calendar[i].again || !EXPRESSIONS[which].fires(&calendar[i].tm))
            continue;
        int64_t want = from + (int64_t)i * QUARTER;
        assert_int_equal(cron_next(&c, z, 0, previous, &at), ERR_OK);
        if (at != want)
            fail_msg("%s in %s after %lld: %lld, not %lld", EXPRESSIONS[which].text, zone,
                     (long long)previous, (long long)at, (long long)want);
        previous = at;
        n++;
    }
    return n;
}

static void check_zone(const char *zone, int year)
{
    struct arena a;
    struct zone *z;
    arena_init(&a, 1 << 20);
    assert_int_equal(zone_load(&a, str_c(zone), &z), ERR_OK);
    setenv("TZ", zone, 1);
    tzset();
    int64_t from = moment(year, 1, 1, 0, 0), latest = INT64_MIN;
    for (size_t i = 0; i < SPAN; i++) {
        time_t t = (time_t)(from + (int64_t)i * QUARTER);
        struct tm *tm = &calendar[i].tm;
        localtime_r(&t, tm);
        int64_t local = t + tm->tm_gmtoff;
        calendar[i].again = local <= latest;
        latest = max_i64(latest, local);
    }
    size_t firings = 0, drawn = 0;
    for (size_t i = 0; i < ARRAY_LEN(EXPRESSIONS); i++)
        firings += check_expression(z, zone, i, from);
    for (int i = 0; i < DRAWN; i++)
        drawn += check_drawn(z, zone, year, from);
    check_rate(z, from);
    printf("%s from %d: %zu firings, %zu of drawn ones, %zu at a change\n", zone, year, firings,
           drawn, check_at(z, zone, from));
    arena_release(&a);
}

static void test_ten_years(void **state)
{
    static const struct {
        const char *zone;
        int year;
    } rows[] = {
        {"UTC", 2024},
        {"America/New_York", 2025},
        {"Australia/Lord_Howe", 2024}, /* half an hour */
        {"Africa/Casablanca", 2025},   /* Ramadan, until 2087 by list */
        {"Antarctica/Troll", 2024},    /* two hours */
        {"Pacific/Apia", 2008},        /* skipped 2011-12-30 */
        {"Asia/Kathmandu", 1980},      /* 5:30 to 5:45 */
        {"America/St_Johns", 2003},    /* -3:30, changes at one past midnight until 2011 */
        {"Pacific/Chatham", 2030},     /* 12:45, by the rule */
        {"Europe/Dublin", 2090},       /* daylight saving is the negative one */
        {"Africa/Cairo", 2009},        /* changes of mind */
        {"America/Scoresbysund", 2020},
        {"Atlantic/Azores", 2022}, /* changes at midnight and one */
    };
    const char *given = getenv("CRON_SEED");
    dice = given ? strtoull(given, NULL, 0) : 0x2545f4914f6cdd1dull;
    printf("CRON_SEED=0x%" PRIx64 "\n", dice);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_zone(rows[i].zone, rows[i].year);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_rate_and_at),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_ten_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
