/* AWS's own tables of what alarms make of missing points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/cloudwatch/cw_judge.h"

enum { N = 3, LOOK = N + CW_EXTRA_PERIODS };

/* Oldest first, as the User Guide writes them: X breaches, 0 does not, - is missing. `want` by treatment: A
 * ALARM, O OK, I INSUFFICIENT_DATA, R as it is. */
static const struct {
    const char *points;
    size_t to_alarm;
    const char *want; /* missing, ignore, breaching, notBreaching */
} rows[] = {
    {"0-X-X", 3, "OOOO"}, {"----0", 3, "OOOO"}, {"-----", 3, "IRAO"}, {"0XX-X", 3, "AAAA"},
    {"--X--", 3, "ARAO"}, {"0-X-X", 2, "AAAA"}, {"00X0X", 2, "AAAA"}, {"0-X--", 2, "OOAO"},
    {"----0", 2, "OOAO"}, {"---X-", 2, "ARAO"}, {"XXXXX", 3, "AAAA"}, {"00000", 1, "OOOO"},
    {"XX000", 1, "OOOO"}, {"----X", 1, "AAAA"}, {"----X", 3, "ORAO"},
};

static void tables(void **state)
{
    static const enum cw_state present[] = {CW_OK, CW_ALARM, CW_INSUFFICIENT};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cw_point_seen points[LOOK];
        for (size_t k = 0; k < LOOK; k++) {
            char c = rows[i].points[LOOK - 1 - k];
            points[k] = (struct cw_point_seen){c != '-', c == 'X' ? 2 : 0};
        }
        for (int m = 0; m < CW_MISSING_VALUES; m++)
            for (size_t s = 0; s < ARRAY_LEN(present); s++) {
                const struct cw_rule_of_points rule = {N, rows[i].to_alarm, CW_GREATER, 1,
                                                       (enum cw_missing)m};
                struct cw_judged j = cw_judge(&rule, points, LOOK, present[s]);
                char w = rows[i].want[m];
                enum cw_state want = w == 'A'   ? CW_ALARM
                                     : w == 'O' ? CW_OK
                                     : w == 'I' ? CW_INSUFFICIENT
                                                : present[s];
                if (j.state != want)
                    fail_msg("%s %zu of %d, treatment %d: %d", rows[i].points, rows[i].to_alarm, N,
                             m, (int)j.state);
            }
    }
}

static void comparisons(void **state)
{
    static const bool want[CW_COMPARISONS][3] = {
        [CW_GREATER_OR_EQUAL] = {false, true, true},
        [CW_GREATER] = {false, false, true},
        [CW_LESS] = {true, false, false},
        [CW_LESS_OR_EQUAL] = {true, true, false},
    };
    for (int c = 0; c < CW_COMPARISONS; c++)
        for (int v = 0; v < 3; v++)
            assert_int_equal(cw_breaches((enum cw_comparison)c, v - 1, 0), want[c][v]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(comparisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
