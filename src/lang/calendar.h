/* Days and dates of the proleptic Gregorian calendar, without libc's time zone machinery.
 * Layer: lang (includes base). Thread: pure. */
#ifndef WEIR_LANG_CALENDAR_H
#define WEIR_LANG_CALENDAR_H

#include "base/base.h"

enum { DAY_SECONDS = 86400 };

/* Days since 1970-01-01; month 1..12, day 1..31 (not checked against the month). */
int64_t calendar_days(int64_t year, int month, int day);
/* The date of a day since 1970-01-01. */
void calendar_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
/* 28..31 */
int calendar_month_days(int64_t year, int month);
/* 0 = Sunday ... 6 = Saturday. */
int calendar_weekday(int64_t days);
/* a / b and a % b rounded towards minus infinity; b > 0. */
int64_t floor_div(int64_t a, int64_t b);
int64_t floor_mod(int64_t a, int64_t b);

#endif
