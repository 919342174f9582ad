/* Time, replaceable by tests. Nothing else in Weir asks the system for the time.
 * Thread: reading is safe from any thread; the fake is set before threads start or under a test's
 * own ordering (it is atomic). */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include "base/str.h"

/* Weir's time, in milliseconds since 1970-01-01T00:00:00Z: that of due moments, ages, order. It
 * never goes back: it follows the wall clock forward, and when that is set back it goes on at the
 * pace of the monotonic clock, ahead of the wall, until the wall has come after it. A driver that
 * keeps it in the store (clock_not_before) carries it over restarts. */
int64_t clock_now_ms(void);
/* The wall clock as it is: for what users see and what is compared with their clocks (signatures,
 * tokens, dates). */
int64_t clock_wall_ms(void);
/* Both, for the price of one. */
void clock_read_ms(int64_t *ret_now_ms, int64_t *ret_wall_ms);
/* Weir's time is `ms` or later from here on: what an earlier process reached. */
void clock_not_before(int64_t ms);
/* Nanoseconds of a clock that never goes back. Not affected by the fake. */
int64_t clock_mono_ns(void);

/* Test hook: sets the wall clock that Weir sees forward or back by so much, all in all. */
void clock_fake_skew_ms(int64_t skew_ms);
/* Test hooks: one fixed time for both, or back to the real one (-1). */
void clock_fake_set_ms(int64_t now_ms);
void clock_fake_advance_ms(int64_t delta_ms);

/* Civil time of a UTC millisecond stamp. */
struct civil {
    int year, month, day; /* month 1-12, day 1-31 */
    int hour, minute, second, ms;
    int weekday; /* 0 = Sunday */
};
struct civil clock_civil(int64_t ms);
/* Inverse; fields out of range are not checked. */
int64_t clock_from_civil(const struct civil *c);

enum { CLOCK_TEXT_MAX = 40 };
/* "2026-11-21T10:47:52.123Z" */
struct str clock_iso8601_ms(char buf[CLOCK_TEXT_MAX], int64_t ms);
/* "2026-11-21T10:47:52Z" */
struct str clock_iso8601(char buf[CLOCK_TEXT_MAX], int64_t ms);
/* "20261121T104752Z", the form of SigV4 */
struct str clock_basic(char buf[CLOCK_TEXT_MAX], int64_t ms);
/* "Sat, 21 Nov 2026 10:47:52 GMT" (RFC 9110 section 5.6.7) */
struct str clock_http(char buf[CLOCK_TEXT_MAX], int64_t ms);

/* "2026-11-21T10:47:52[.fff][Z|+hh:mm]" to milliseconds. ERR_INVALID. */
enum err clock_parse_iso8601(struct str s, int64_t *ret_ms) WARN_UNUSED;
/* "20261121T104752Z" to milliseconds. ERR_INVALID. */
enum err clock_parse_basic(struct str s, int64_t *ret_ms) WARN_UNUSED;
/* IMF-fixdate, also with +0000 or -0000 for GMT. ERR_INVALID. */
enum err clock_parse_http(struct str s, int64_t *ret_ms) WARN_UNUSED;

#endif
