/* The pace of requests to a target, and Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "deliver/outgoing.h"
#include "deliver/pace.h"

/* 500 pieces that come at once and come again when they were told to: never more than n in any second,
 * none waits for ever, and the limit is made use of. */
static void in_any_second(size_t n)
{
    enum { PIECES = 500 };
    int64_t due[PIECES] = {0}, at[PIECES];
    bool again[PIECES] = {0};
    struct pace *p = pace_new(n);
    size_t sent = 0;
    assert_non_null(p);
    for (int64_t now = 0; sent < PIECES; now++) {
        assert_true(now < (int64_t)(PIECES / n + 60) * 1000);
        for (size_t i = 0; i < PIECES; i++) {
            if (due[i] != now)
                continue;
            int64_t wait = pace_take(p, now, again[i]);
            assert_true(wait >= 0 && wait <= PACE_TURN_MAX_MS);
            again[i] = true;
            due[i] = wait ? now + wait : -1;
            if (!wait)
                at[sent++] = now;
        }
    }
    for (size_t i = n; i < PIECES; i++)
        assert_true(at[i] - at[i - n] >= PACE_SECOND_MS);
    mem_free(p);
}

static void never_more_than_so_many_in_a_second(void **state)
{
    static const size_t rates[] = {1, 2, 7, 30, PACE_MAX};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        in_any_second(rates[i]);
}

static void who_comes_first_goes_first(void **state)
{
    struct pace *p = pace_new(1);
    assert_non_null(p);
    assert_int_equal(pace_take(p, 0, false), 0);
    int64_t first = pace_take(p, 1, false);
    assert_int_equal(first, 999);
    assert_true(pace_take(p, 2, false) > first);
    assert_true(pace_take(p, 1000, false) > 0); /* new, while others have turns */
    assert_int_equal(pace_take(p, 1000, true), 0);
    assert_false(pace_idle(p, 1500));
    assert_true(pace_idle(p, 10 * 1000));
    mem_free(p);
}

static void turns_that_nobody_takes_end(void **state)
{
    struct pace *p = pace_new(1);
    assert_non_null(p);
    for (int i = 0; i < 1000; i++) {
        int64_t wait = pace_take(p, i, false);
        assert_true(wait <= PACE_TURN_MAX_MS);
    }
    assert_int_equal(pace_take(p, PACE_TURN_MAX_MS + 2000, false), 0);
    mem_free(p);
}

static void by_name(void **state)
{
    struct map paces;
    map_init(&paces);
    for (int i = 0; i < PACES_MAX; i++) {
        char name[8];
        int len = snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(paces_take(&paces, str_n(name, (size_t)len), 1, 0, false), 0);
    }
    assert_int_equal(paces.n, PACES_MAX);
    assert_int_equal(paces_take(&paces, STR("more"), 1, 10, false), PACE_SECOND_MS); /* no room */
    assert_int_equal(paces_take(&paces, STR("more"), 1, 2000, false), 0); /* idle ones went */
    assert_true(paces.n <= PACES_MAX);
    assert_true(paces_take(&paces, STR("more"), 1, 2001, false) > 0);
    assert_int_equal(paces_take(&paces, STR("more"), 2, 2002, false), 0); /* another rate */
    paces_release(&paces);
}

static void retry_after(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"120", 120 * 1000},
        {"-1", OUTGOING_NEVER},
        {"99999999", OUTGOING_RETRY_AFTER_MAX_S * INT64_C(1000)},
        {"99999999999999999999", OUTGOING_NOT_TOLD},
        {"Thu, 01 Jan 1970 00:00:05 GMT", 4000},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"soon", OUTGOING_NOT_TOLD},
        {"", OUTGOING_NOT_TOLD},
        {"1.5", OUTGOING_NOT_TOLD},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(outgoing_retry_after(str_c(rows[i].text), 1000), rows[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_than_so_many_in_a_second),
        cmocka_unit_test(who_comes_first_goes_first),
        cmocka_unit_test(turns_that_nobody_takes_end),
        cmocka_unit_test(by_name),
        cmocka_unit_test(retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
