/* Gregorian calendar arithmetic: years run from March, so that the leap day is the last of its year
 * and 400 years are one period of 146,097 days. See calendar.h. */
#include "lang/calendar.h"

#include <assert.h>

enum { ERA_DAYS = 146097, EPOCH_DAYS = 719468 /* 0000-03-01 to 1970-01-01 */ };

int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

int64_t calendar_days(int64_t year, int month, int day)
{
    assert(month >= 1 && month <= 12);
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400), of_era = floor_mod(y, 400);
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
}

void calendar_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + EPOCH_DAYS;
    int64_t era = floor_div(z, ERA_DAYS), d = floor_mod(z, ERA_DAYS);
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t of_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *ret_month = (int)(m < 10 ? m + 3 : m - 9);
    *ret_year = era * 400 + y + (*ret_month <= 2);
}

int calendar_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

int calendar_weekday(int64_t days)
{
    return (int)floor_mod(days + 4, 7); /* the epoch was a Thursday */
}
