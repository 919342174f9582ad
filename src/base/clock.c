#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t fake_ms = -1;
static _Atomic int64_t skew_ms;
/* What is added to the monotonic clock: the most that the wall clock was ever ahead of it. */
static _Atomic int64_t ahead_ms = INT64_MIN;

int64_t clock_wall_ms(void)
{
    int64_t f = atomic_load_explicit(&fake_ms, memory_order_relaxed);
    if (f >= 0)
        return f;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 +
           atomic_load_explicit(&skew_ms, memory_order_relaxed);
}

/* Never less than before. Gives the larger. */
static int64_t raise_ahead(int64_t ms)
{
    int64_t had = atomic_load_explicit(&ahead_ms, memory_order_relaxed);
    while (had < ms && !atomic_compare_exchange_weak_explicit(
                           &ahead_ms, &had, ms, memory_order_relaxed, memory_order_relaxed)) {
    }
    return max_i64(had, ms);
}

void clock_read_ms(int64_t *ret_now_ms, int64_t *ret_wall_ms)
{
    *ret_wall_ms = clock_wall_ms();
    if (atomic_load_explicit(&fake_ms, memory_order_relaxed) >= 0) {
        *ret_now_ms = *ret_wall_ms;
        return;
    }
    int64_t mono_ms = clock_mono_ns() / 1000000;
    *ret_now_ms = mono_ms + raise_ahead(*ret_wall_ms - mono_ms);
}

int64_t clock_now_ms(void)
{
    int64_t now_ms, wall_ms;
    clock_read_ms(&now_ms, &wall_ms);
    return now_ms;
}

void clock_not_before(int64_t ms)
{
    (void)raise_ahead(ms - clock_mono_ns() / 1000000);
}

int64_t clock_mono_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void clock_fake_skew_ms(int64_t ms)
{
    atomic_store(&skew_ms, ms);
}

void clock_fake_set_ms(int64_t now_ms)
{
    atomic_store(&fake_ms, now_ms);
}

void clock_fake_advance_ms(int64_t delta_ms)
{
    atomic_fetch_add(&fake_ms, delta_ms);
}

/* Days since 1970-01-01 of a proleptic Gregorian date: H. Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms". */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct civil clock_civil(int64_t ms)
{
    int64_t secs = floor_div(ms, 1000);
    int64_t days = floor_div(secs, 86400);
    int64_t rem = secs - days * 86400;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct civil){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rem / 3600),
        .minute = (int)(rem / 60 % 60),
        .second = (int)(rem % 60),
        .ms = (int)(ms - secs * 1000),
        .weekday = (int)(((days % 7) + 11) % 7),
    };
}

int64_t clock_from_civil(const struct civil *c)
{
    int64_t days = days_from_civil(c->year, c->month, c->day);
    return ((days * 24 + c->hour) * 60 + c->minute) * 60000 + (int64_t)c->second * 1000 + c->ms;
}

static struct str written(char buf[CLOCK_TEXT_MAX], int n)
{
    return str_n(buf, n > 0 ? min_size((size_t)n, CLOCK_TEXT_MAX - 1) : 0);
}

struct str clock_iso8601_ms(char buf[CLOCK_TEXT_MAX], int64_t ms)
{
    struct civil c = clock_civil(ms);
    return written(buf, snprintf(buf, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year,
                                 c.month, c.day, c.hour, c.minute, c.second, c.ms));
}

struct str clock_iso8601(char buf[CLOCK_TEXT_MAX], int64_t ms)
{
    struct civil c = clock_civil(ms);
    return written(buf, snprintf(buf, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year,
                                 c.month, c.day, c.hour, c.minute, c.second));
}

struct str clock_basic(char buf[CLOCK_TEXT_MAX], int64_t ms)
{
    struct civil c = clock_civil(ms);
    return written(buf, snprintf(buf, CLOCK_TEXT_MAX, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month,
                                 c.day, c.hour, c.minute, c.second));
}

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct str clock_http(char buf[CLOCK_TEXT_MAX], int64_t ms)
{
    struct civil c = clock_civil(ms);
    return written(buf, snprintf(buf, CLOCK_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 days[c.weekday], c.day, months[c.month - 1], c.year, c.hour,
                                 c.minute, c.second));
}

/* Reads `n` digits at s[*i]; false when there are fewer. */
static bool digits(struct str s, size_t *i, size_t n, int *ret_v)
{
    if (s.len - *i < n)
        return false;
    int v = 0;
    for (size_t k = 0; k < n; k++) {
        char ch = s.p[*i + k];
        if (ch < '0' || ch > '9')
            return false;
        v = v * 10 + (ch - '0');
    }
    *i += n;
    *ret_v = v;
    return true;
}

static bool lit(struct str s, size_t *i, char c)
{
    if (*i >= s.len || s.p[*i] != c)
        return false;
    ++*i;
    return true;
}

static bool in_range(const struct civil *c)
{
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= 31 && c->hour <= 23 &&
           c->minute <= 59 && c->second <= 60;
}

enum err clock_parse_basic(struct str s, int64_t *ret_ms)
{
    struct civil c = {0};
    size_t i = 0;
    if (!(digits(s, &i, 4, &c.year) && digits(s, &i, 2, &c.month) && digits(s, &i, 2, &c.day) &&
          lit(s, &i, 'T') && digits(s, &i, 2, &c.hour) && digits(s, &i, 2, &c.minute) &&
          digits(s, &i, 2, &c.second) && lit(s, &i, 'Z') && i == s.len && in_range(&c)))
        return ERR_INVALID;
    *ret_ms = clock_from_civil(&c);
    return ERR_OK;
}

enum err clock_parse_iso8601(struct str s, int64_t *ret_ms)
{
    struct civil c = {0};
    size_t i = 0;
    if (!(digits(s, &i, 4, &c.year) && lit(s, &i, '-') && digits(s, &i, 2, &c.month) &&
          lit(s, &i, '-') && digits(s, &i, 2, &c.day) && lit(s, &i, 'T') &&
          digits(s, &i, 2, &c.hour) && lit(s, &i, ':') && digits(s, &i, 2, &c.minute) &&
          lit(s, &i, ':') && digits(s, &i, 2, &c.second) && in_range(&c)))
        return ERR_INVALID;
    if (lit(s, &i, '.')) {
        int scale = 100;
        size_t from = i;
        for (; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++, scale /= 10)
            c.ms += (s.p[i] - '0') * scale;
        if (i == from)
            return ERR_INVALID;
    }
    int64_t ms = clock_from_civil(&c);
    if (i < s.len && (s.p[i] == '+' || s.p[i] == '-')) {
        int sign = s.p[i++] == '+' ? -1 : 1;
        int h, m;
        if (!digits(s, &i, 2, &h))
            return ERR_INVALID;
        (void)lit(s, &i, ':');
        if (!digits(s, &i, 2, &m) || h > 23 || m > 59)
            return ERR_INVALID;
        ms += sign * (h * 60 + m) * (int64_t)60000;
    } else if (i < s.len && !lit(s, &i, 'Z')) {
        return ERR_INVALID;
    }
    if (i != s.len)
        return ERR_INVALID;
    *ret_ms = ms;
    return ERR_OK;
}

/* As HTTP writes it, and as libraries for mail do (RFC 5322 section 3.3). */
static bool is_gmt(struct str zone)
{
    return str_eq(zone, STR(" GMT")) || str_eq(zone, STR(" +0000")) || str_eq(zone, STR(" -0000"));
}

enum err clock_parse_http(struct str s, int64_t *ret_ms)
{
    struct civil c = {0};
    size_t i = 5;
    if (s.len < 29 || s.p[3] != ',' || s.p[4] != ' ')
        return ERR_INVALID;
    if (!digits(s, &i, 2, &c.day) || !lit(s, &i, ' '))
        return ERR_INVALID;
    for (int m = 0; m < 12; m++)
        if (memcmp(s.p + i, months[m], 3) == 0)
            c.month = m + 1;
    i += 3;
    if (!(lit(s, &i, ' ') && digits(s, &i, 4, &c.year) && lit(s, &i, ' ') &&
          digits(s, &i, 2, &c.hour) && lit(s, &i, ':') && digits(s, &i, 2, &c.minute) &&
          lit(s, &i, ':') && digits(s, &i, 2, &c.second) && is_gmt(str_sub(s, i, SIZE_MAX)) &&
          in_range(&c)))
        return ERR_INVALID;
    *ret_ms = clock_from_civil(&c);
    return ERR_OK;
}
