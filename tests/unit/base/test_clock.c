/* Time: the fake, civil dates both ways, texts and their parsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_fake(void **state)
{
    int64_t real = clock_now_ms();
    assert_true(real > 1700000000000);
    clock_fake_set_ms(1000);
    assert_int_equal(clock_now_ms(), 1000);
    clock_fake_advance_ms(234);
    assert_int_equal(clock_now_ms(), 1234);
    clock_fake_set_ms(-1);
    assert_true(clock_now_ms() >= real);
    int64_t a = clock_mono_ns();
    assert_true(clock_mono_ns() >= a);
}

/* The wall clock jumps; Weir's time follows it forward and never back. It may be a millisecond ahead of the wall
 * clock at all times: whole milliseconds of two clocks make it up. */
static void test_never_back(void **state)
{
    enum { HOUR_MS = 3600 * 1000, SLACK_MS = 60 * 1000 };
    int64_t now, wall, before = clock_now_ms();
    clock_fake_skew_ms(-HOUR_MS);
    clock_read_ms(&now, &wall);
    assert_in_range(now, before, before + SLACK_MS);
    assert_in_range(wall, before - HOUR_MS - 1, before - HOUR_MS + SLACK_MS);
    int64_t mono = clock_mono_ns();
    while (clock_mono_ns() - mono < 3 * 1000 * 1000) {
    }
    assert_true(clock_now_ms() >= now + 2); /* it goes on */
    clock_fake_skew_ms(HOUR_MS);
    clock_read_ms(&now, &wall);
    assert_in_range(now, wall, wall + 1);
    clock_fake_skew_ms(0);
    assert_in_range(clock_now_ms(), now, now + SLACK_MS);
    clock_not_before(now + HOUR_MS); /* as after a restart */
    assert_in_range(clock_now_ms(), now + HOUR_MS, now + HOUR_MS + SLACK_MS);
    clock_not_before(now);
    assert_in_range(clock_now_ms(), now + HOUR_MS, now + HOUR_MS + SLACK_MS);
}

static void test_texts(void **state)
{
    static const struct {
        int64_t ms;
        const char *iso_ms, *iso, *basic, *http;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z", "19700101T000000Z",
         "Thu, 01 Jan 1970 00:00:00 GMT"},
        {951827696789, "2000-02-29T12:34:56.789Z", "2000-02-29T12:34:56Z", "20000229T123456Z",
         "Tue, 29 Feb 2000 12:34:56 GMT"},
        {4107542399999, "2100-02-28T23:59:59.999Z", "2100-02-28T23:59:59Z", "21000228T235959Z",
         "Sun, 28 Feb 2100 23:59:59 GMT"},
        {4107542400000, "2100-03-01T00:00:00.000Z", "2100-03-01T00:00:00Z", "21000301T000000Z",
         "Mon, 01 Mar 2100 00:00:00 GMT"},
        {-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z", "19691231T235959Z",
         "Wed, 31 Dec 1969 23:59:59 GMT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buf[CLOCK_TEXT_MAX];
        int64_t back, whole = rows[i].ms - clock_civil(rows[i].ms).ms;
        assert_true(str_eq_c(clock_iso8601_ms(buf, rows[i].ms), rows[i].iso_ms));
        assert_int_equal(clock_parse_iso8601(str_c(buf), &back), ERR_OK);
        assert_int_equal(back, rows[i].ms);
        assert_true(str_eq_c(clock_iso8601(buf, rows[i].ms), rows[i].iso));
        assert_int_equal(clock_parse_iso8601(str_c(buf), &back), ERR_OK);
        assert_int_equal(back, whole);
        assert_true(str_eq_c(clock_basic(buf, rows[i].ms), rows[i].basic));
        assert_int_equal(clock_parse_basic(str_c(buf), &back), ERR_OK);
        assert_int_equal(back, whole);
        assert_true(str_eq_c(clock_http(buf, rows[i].ms), rows[i].http));
        assert_int_equal(clock_parse_http(str_c(buf), &back), ERR_OK);
        assert_int_equal(back, whole);
        struct civil c = clock_civil(rows[i].ms);
        assert_int_equal(clock_from_civil(&c), rows[i].ms);
    }
}

/* Every day of four centuries there and back. */
static void test_days(void **state)
{
    int weekday = clock_civil(0).weekday;
    for (int64_t day = 0; day < 146097; day++) {
        struct civil c = clock_civil(day * 86400000);
        assert_int_equal(clock_from_civil(&c), day * 86400000);
        assert_int_equal(c.weekday, (weekday + day) % 7);
    }
}

static void test_offsets(void **state)
{
    static const struct {
        const char *s;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T01:00:00+01:00", 0}, {"1969-12-31T19:00:00-05:00", 0},
        {"1970-01-01T00:00:00", 0},       {"1970-01-01T05:30:00+0530", 0},
        {"1970-01-01T00:00:00.5Z", 500},  {"1970-01-01T00:00:00.123456789Z", 123},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms;
        assert_int_equal(clock_parse_iso8601(str_c(rows[i].s), &ms), ERR_OK);
        assert_int_equal(ms, rows[i].ms);
    }
}

/* What libraries for mail write for GMT. */
static void test_zones(void **state)
{
    static const char *const rows[] = {"Tue, 29 Feb 2000 12:34:56 +0000",
                                       "Tue, 29 Feb 2000 12:34:56 -0000"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = 0;
        assert_int_equal(clock_parse_http(str_c(rows[i]), &ms), ERR_OK);
        assert_int_equal(ms, 951827696000);
    }
}

static void test_malformed(void **state)
{
    static const char *const iso[] = {
        "",
        "1970",
        "1970-01-01",
        "1970-01-01 00:00:00Z",
        "1970-1-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00Zx",
        "1970-01-01T00:00:00+1:00",
        "1970-01-01T00:00:00+24:00",
        "-970-01-01T00:00:00Z",
        "1970-01-01T00:00:0",
    };
    static const char *const basic[] = {
        "",
        "19700101",
        "19700101T000000",
        "19700101T000000Zx",
        "19700101 000000Z",
        "19701301T000000Z",
        "1970-01-01T00:00:00Z",
        "19700101T0000-1Z",
    };
    static const char *const http[] = {
        "",
        "Thu, 01 Jan 1970 00:00:00 UTC",
        "Thu, 1 Jan 1970 00:00:00 GMT",
        "Thursday, 01-Jan-70 00:00:00 GMT",
        "Thu Jan  1 00:00:00 1970",
        "Thu, 01 Jam 1970 00:00:00 GMT",
        "Thu, 01 Jan 1970 24:00:00 GMT",
        "Thu, 00 Jan 1970 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 +0100",
        "Thu, 01 Jan 1970 00:00:00 -00000",
        "Thu, 01 Jan 1970 00:00:00",
    };
    int64_t ms = 77;
    for (size_t i = 0; i < ARRAY_LEN(iso); i++)
        if (clock_parse_iso8601(str_c(iso[i]), &ms) != ERR_INVALID)
            fail_msg("%s", iso[i]);
    for (size_t i = 0; i < ARRAY_LEN(basic); i++)
        if (clock_parse_basic(str_c(basic[i]), &ms) != ERR_INVALID)
            fail_msg("%s", basic[i]);
    for (size_t i = 0; i < ARRAY_LEN(http); i++)
        if (clock_parse_http(str_c(http[i]), &ms) != ERR_INVALID)
            fail_msg("%s", http[i]);
    assert_int_equal(ms, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fake),      cmocka_unit_test(test_never_back),
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_days),
        cmocka_unit_test(test_offsets),   cmocka_unit_test(test_zones),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
