/* What SEARCH() looks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "svc/cloudwatch/cw_search.h"

#define ACCOUNT STR("000000000000")

static struct cw_dim one[] = {{STR_INIT("FunctionName"), STR_INIT("my-orderFunction")}};
static struct cw_dim two[] = {{STR_INIT("FunctionName"), STR_INIT("my-orderFunction")},
                              {STR_INIT("Resource"), STR_INIT("my-orderFunction:Live")}};
static struct cw_dim odd[] = {{STR_INIT("Odd Name"), STR_INIT("t2.micro")}};
static const struct cw_metric metrics[] = {
    {STR_INIT("AWS/Lambda"), STR_INIT("Errors"), one, 1},
    {STR_INIT("AWS/Lambda"), STR_INIT("Errors"), two, 2},
    {STR_INIT("AWS/Lambda"), STR_INIT("SDBFailure"), NULL, 0},
    {STR_INIT("Own Space"), STR_INIT("CustomCount1"), odd, 1},
    {STR_INIT("x"), STR_INIT("Project2-trial333"), NULL, 0},
};

/* Which of the metrics, by their places. */
static const struct {
    const char *text, *found;
} rows[] = {
    {"{AWS/Lambda}", "2"},
    {"{AWS/Lambda,FunctionName}", "0"},
    {"{AWS/Lambda, Resource, FunctionName}", "1"},
    {"{\"Own Space\",\"Odd Name\"}", "3"},
    {"{AWS/Lambda,FunctionName} MetricName=\"Errors\"", "0"},
    {"{AWS/Lambda,FunctionName}, Errors", "0"},
    {"{AWS/Lambda,FunctionName} MetricName=\"errors\"", ""},
    {"Namespace=\"AWS/Lambda\"", "012"},
    {"Namespace=AWS/Lambda", "012"},
    {"MetricName=errors", "01"},
    {"errors", "01"},
    {"ERRORS", "01"},
    {"error", ""}, /* half a token */
    {"order", "01"},
    {"Function", "01"},
    {"orderFunction", "01"},
    {"orderfunction", ""}, /* several tokens: by their capitals */
    {"myorderfunction", "01"},
    {"failure", "2"},
    {"sdb", "2"},
    {"SDBFailure", "2"},
    {"sdbfailure", "2"},
    {"count", "3"},
    {"Count", "3"},
    {"COUNT", "3"},
    {"couNT", ""},
    {"Count1", "3"},
    {"count1", ""},
    {"customcount1", "3"},
    {"trial333", "4"},
    {"333", "4"},
    {"33", ""},
    {"project2trial333", "4"},
    {"\"t2.micro\"", "3"},
    {"\"t2\"", ""},
    {"micro", "3"},
    {"\"Odd Name\"=micro", "3"},
    {"\"Odd Name\"=\"t2.micro\"", "3"},
    {"\"Odd Name\"=(large OR micro)", "3"},
    {"\"Odd Name\"=(large OR small)", ""},
    {"Resource=live", "1"},
    {"FunctionName=live", ""},
    {"errors NOT live", "0"},
    {"errors AND NOT live", "0"},
    {"NOT errors", "234"},
    {"errors OR count", "013"},
    {"errors order OR count", "013"},
    {"errors (live OR count)", "1"},
    {"NOT (errors OR sdb)", "34"},
    {"NOT NOT errors", "01"},
    {"errors and", ""}, /* which is a word */
    {":aws.AccountId = 'LOCAL' errors", "01"},
    {":aws.AccountId = \"000000000000\" sdb", "2"},
    {":aws.AccountId=111111111111", ""},
};

static void finds(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct cw_search s;
        const char *why;
        char found[8];
        size_t n = 0;
        arena_init(&a, 1 << 20);
        if (cw_search_parse(&a, str_c(rows[i].text), &s, &why) != ERR_OK)
            fail_msg("%s: %s", rows[i].text, why);
        for (size_t k = 0; k < ARRAY_LEN(metrics); k++)
            if (cw_search_matches(&s, ACCOUNT, &metrics[k]))
                found[n++] = (char)('0' + k);
        found[n] = 0;
        if (strcmp(found, rows[i].found) != 0)
            fail_msg("%s: found %s, not %s", rows[i].text, found, rows[i].found);
        arena_release(&a);
    }
}

static void refuses(void **state)
{
    static const char *const bad[] = {
        "",      "  ",  "{",   "{}",  "{a", "{a,",   "{a,}",    "{a b}", "{a} )",
        "(",     "(a",  "a)",  "()",  "a=", "=a",    "a=(",     "a OR",  "OR a",
        "a AND", "AND", "NOT", "\"a", "'a", "a=\"b", "a = = b", "{\"a}", "{a} {b}",
    };
    char deep[2 * CW_SEARCH_BYTES_MAX];
    struct arena a;
    struct cw_search s;
    const char *why;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        why = NULL;
        if (cw_search_parse(&a, str_c(bad[i]), &s, &why) != ERR_INVALID || !why)
            fail_msg("%s is taken", bad[i]);
    }
    for (size_t n = CW_SEARCH_DEPTH_MAX; n <= CW_SEARCH_DEPTH_MAX + 1; n++) {
        memset(deep, '(', n);
        deep[n] = 'a';
        memset(deep + n + 1, ')', n);
        assert_int_equal(cw_search_parse(&a, str_n(deep, 2 * n + 1), &s, &why),
                         n > CW_SEARCH_DEPTH_MAX ? ERR_INVALID : ERR_OK);
    }
    memset(deep, 'a', sizeof(deep));
    assert_int_equal(cw_search_parse(&a, str_n(deep, CW_SEARCH_BYTES_MAX), &s, &why), ERR_OK);
    assert_int_equal(cw_search_parse(&a, str_n(deep, CW_SEARCH_BYTES_MAX + 1), &s, &why),
                     ERR_INVALID);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
