/* zone.h: every zone of the system against libc's reading of it; malformed files and rules. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "lang/calendar.h"
#include "lang/zone_int.h"

static uint64_t dice = 88172645463325252ull;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    return dice ^= dice << 17;
}

static int32_t libc_offset(int64_t utc)
{
    time_t t = (time_t)utc;
    struct tm tm;
    assert_non_null(localtime_r(&t, &tm));
    return (int32_t)tm.tm_gmtoff;
}

static void check_instant(const struct zone *z, const char *name, int64_t utc)
{
    int32_t want = libc_offset(utc), got = zone_offset(z, utc);
    if (want != got)
        fail_msg("%s at %lld: %d, libc %d", name, (long long)utc, got, want);
    int64_t back;
    assert_true(zone_utc(z, utc + got, &back));
    assert_true(back <= utc);
    assert_int_equal(back + zone_offset(z, back), utc + got);
}

static size_t check_zone(const char *name)
{
    struct arena a;
    struct zone *z;
    arena_init(&a, 1 << 20);
    enum err e = zone_load(&a, str_c(name), &z);
    if (e != ERR_OK)
        fail_msg("%s: %s", name, err_name(e));
    setenv("TZ", name, 1);
    tzset();
    /* 1970 to 2199, which is what schedules know. */
    for (int i = 0; i < 150; i++)
        check_instant(z, name, (int64_t)(roll() % (7258118400ull - 86400)) + 86400);
    arena_release(&a);
    return 1;
}

static size_t walk(const char *under)
{
    char path[512];
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, under);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    struct dirent *e;
    while ((e = readdir(dir)) != NULL) {
        char name[300];
        struct stat st;
        if (e->d_name[0] < 'A' || e->d_name[0] > 'Z') /* posix, right, tables of names */
            continue;
        snprintf(name, sizeof(name), "%s%s%s", under, *under ? "/" : "", e->d_name);
        snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, name);
        assert_int_equal(stat(path, &st), 0);
        n += S_ISDIR(st.st_mode) ? walk(name) : check_zone(name);
    }
    closedir(dir);
    return n;
}

static void test_all_zones(void **state)
{
    size_t n = walk("");
    printf("%zu zones\n", n);
    assert_true(n > 300);
}

static void test_names(void **state)
{
    static const char *const bad[] = {
        "",          "/etc/passwd", "../x",      "Europe/../UTC", "Europe",
        "Nowhere/X", "utc\n",       "posix/UTC", "Europe/",       "a"};
    struct zone_cache c;
    const struct zone *z, *again;
    zone_cache_init(&c);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(zone_cache_get(&c, str_c(bad[i]), &z), ERR_NOT_FOUND);
    assert_int_equal(zone_cache_get(&c, STR("America/Argentina/Buenos_Aires"), &z), ERR_OK);
    assert_int_equal(zone_cache_get(&c, STR("America/Argentina/Buenos_Aires"), &again), ERR_OK);
    assert_ptr_equal(z, again);
    assert_int_equal(zone_offset(z, 0), -3 * 3600);
    zone_cache_release(&c);
}

/* Clocks of Paris jump from 2 to 3 on 2026-03-29 and back from 3 to 2 on 2026-10-25. */
static void test_gaps(void **state)
{
    struct arena a;
    struct zone *z;
    int64_t utc, day = calendar_days(2026, 3, 29) * 86400;
    arena_init(&a, 1 << 20);
    assert_int_equal(zone_load(&a, STR("Europe/Paris"), &z), ERR_OK);
    assert_true(zone_utc(z, day + 2 * 3600 - 1, &utc));
    assert_int_equal(utc, day + 3600 - 1);
    assert_false(zone_utc(z, day + 2 * 3600 + 600, &utc));
    assert_int_equal(utc, day + 3600 + 600); /* which clocks show as 3:10 */
    assert_true(zone_utc(z, day + 3 * 3600, &utc));
    assert_int_equal(utc, day + 3600);
    day = calendar_days(2026, 10, 25) * 86400;
    assert_true(zone_utc(z, day + 2 * 3600 + 600, &utc));
    assert_int_equal(utc, day + 600);
    assert_true(zone_utc(z, day + 3 * 3600, &utc));
    assert_int_equal(utc, day + 2 * 3600);
    arena_release(&a);
}

static void test_rules(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"", true},
        {"UTC0", true},
        {"<+0330>-3:30", true},
        {"CET-1CEST,M3.5.0,M10.5.0/3", true},
        {"EST5EDT,J60/0,300/167:59:59", true},
        {"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", true},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", true},
        {"UT0", false},
        {"UTC", false},
        {"UTC0x", false},
        {"UTC25", false},
        {"<+0>0", false},
        {"<+00", false},
        {"CET-1CEST", false},
        {"CET-1CEST,M3.5.0", false},
        {"CET-1CEST,M0.5.0,M10.5.0", false},
        {"CET-1CEST,M13.5.0,M10.5.0", false},
        {"CET-1CEST,M3.0.0,M10.5.0", false},
        {"CET-1CEST,M3.6.0,M10.5.0", false},
        {"CET-1CEST,M3.5.7,M10.5.0", false},
        {"CET-1CEST,J0,J5", false},
        {"CET-1CEST,J366,J5", false},
        {"CET-1CEST,M3.5.0/168,M10.5.0", false},
        {"CET-1CEST,M3.5.0,M10.5.0,", false},
        {"CET-1:60", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct zone_rule r;
        enum err e = zone_rule_parse(str_c(rows[i].text), &r);
        if (e != (rows[i].good ? ERR_OK : ERR_CORRUPT))
            fail_msg("%s: %s", rows[i].text, err_name(e));
    }
}

/* Each byte of a real file broken in turn, and each shorter file: never more than a refusal. */
static void test_broken_files(void **state)
{
    static char bytes[ZONE_FILE_BYTES_MAX];
    FILE *f = fopen(ZONE_FOLDER "/Europe/Dublin", "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof(bytes), f), refused = 0;
    fclose(f);
    for (size_t i = 0; i < n; i++) {
        struct arena a;
        struct zone *z;
        arena_init(&a, 1 << 20);
        char *copy = arena_memdup(&a, bytes, n);
        assert_int_equal(zone_parse(&a, str_n(bytes, i), &z), ERR_CORRUPT);
        copy[i] ^= 0x80;
        enum err e = zone_parse(&a, str_n(copy, n), &z);
        refused += e == ERR_CORRUPT;
        assert_true(e == ERR_OK || e == ERR_CORRUPT);
        arena_release(&a);
    }
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_zones),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_gaps),         cmocka_unit_test(test_rules),
        cmocka_unit_test(test_broken_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
