/* Rules of composite alarms: what parses, and what holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/cloudwatch/cw_rule.h"

/* The alarms are a, in ALARM; o, in OK; i, in INSUFFICIENT_DATA. */
static void holds(void **state)
{
    static const struct {
        const char *rule;
        bool want;
    } rows[] = {
        {"TRUE", true},
        {"FALSE", false},
        {"NOT FALSE", true},
        {"NOT NOT TRUE", true},
        {"ALARM(a)", true},
        {"ALARM(\"a\")", true},
        {" ALARM ( a ) ", true},
        {"ALARM(o)", false},
        {"OK(o)", true},
        {"INSUFFICIENT_DATA(i)", true},
        {"ALARM(a) AND OK(o)", true},
        {"ALARM(a) AND OK(i)", false},
        {"ALARM(o) OR OK(o)", true},
        {"TRUE OR TRUE AND FALSE", true},
        {"(TRUE OR TRUE) AND FALSE", false},
        {"NOT ALARM(o) AND TRUE", true},
        {"NOT (ALARM(a) AND TRUE)", false},
        {"FALSE\nOR\tALARM(a)", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct cw_rule rule;
        enum cw_state states[3];
        arena_init(&a, 1 << 20);
        assert_int_equal(cw_rule_parse(&a, str_c(rows[i].rule), &rule, NULL), ERR_OK);
        for (size_t k = 0; k < rule.n_names; k++)
            states[k] = str_eq_c(rule.names[k], "a")   ? CW_ALARM
                        : str_eq_c(rule.names[k], "o") ? CW_OK
                                                       : CW_INSUFFICIENT;
        if (cw_rule_holds(&rule, states) != rows[i].want)
            fail_msg("%s", rows[i].rule);
        arena_release(&a);
    }
}

static void refuses(void **state)
{
    static const char *const rows[] = {
        "",        "ALARM",      "ALARM()",  "ALARM(a",     "ALARM(a))", "AND",
        "TRUE OR", "OR TRUE",    "NOT",      "TRUE TRUE",   "true",      "ALARM(\"a)",
        "(TRUE",   "ALARM(a)()", "MAYBE(a)", "ALARM(a(b))", "TRUEFALSE", "ALARM(\"\")",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct cw_rule rule;
        size_t at = SIZE_MAX;
        arena_init(&a, 1 << 20);
        if (cw_rule_parse(&a, str_c(rows[i]), &rule, &at) != ERR_INVALID)
            fail_msg("%s", rows[i]);
        assert_true(at <= strlen(rows[i]));
        arena_release(&a);
    }
}

static void limits(void **state)
{
    struct arena a;
    struct cw_rule rule;
    char text[16 * 1024];
    arena_init(&a, 1 << 22);
    for (int over = 0; over <= 1; over++) {
        size_t n = 0, depth = CW_RULE_DEPTH_MAX / 2 - 1 + (over ? 2 : 0);
        for (size_t i = 0; i < depth; i++)
            text[n++] = '(';
        n += (size_t)sprintf(text + n, "TRUE");
        for (size_t i = 0; i < depth; i++)
            text[n++] = ')';
        assert_int_equal(cw_rule_parse(&a, str_n(text, n), &rule, NULL), over ? ERR_LIMIT : ERR_OK);
        n = 0;
        for (int i = 0; i < CW_RULE_NAMES_MAX + over; i++)
            n += (size_t)sprintf(text + n, "%sOK(%d)", i ? " OR " : "", i);
        assert_int_equal(cw_rule_parse(&a, str_n(text, n), &rule, NULL), over ? ERR_LIMIT : ERR_OK);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(refuses),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
