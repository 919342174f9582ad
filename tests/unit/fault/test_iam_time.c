/* The credential report, by a clock that the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "help_fault.h"

#define HOUR_MS ((int64_t)60 * 60 * 1000)

static struct world w;
static struct reply reply;

static void ask(const char *body, int status, const char *says)
{
    struct request req = {
        .service = "iam", .type = "application/x-www-form-urlencoded", .body = body};
    world_call(&w, &req, &reply);
    assert_int_equal(reply.status, status);
    assert_non_null(strstr(reply.body, says));
}

static void a_report_is_kept_for_four_hours(void **state)
{
    static const struct {
        int64_t after_ms; /* of the one before */
        const char *body;
        int status;
        const char *says;
    } rows[] = {
        {0, "Action=GetCredentialReport", 410, "<Code>ReportNotPresent</Code>"},
        {0, "Action=GenerateCredentialReport", 200, "<State>STARTED</State>"},
        {0, "Action=CreateUser&UserName=u", 200, "<UserName>u</UserName>"},
        {4 * HOUR_MS - 60000, "Action=GenerateCredentialReport", 200, "<State>COMPLETE</State>"},
        {0, "Action=GetCredentialReport", 200, "<GeneratedTime>"},
        {61000, "Action=GetCredentialReport", 410, "<Code>ReportExpired</Code>"},
        {0, "Action=GenerateCredentialReport", 200, "<State>STARTED</State>"},
        {0, "Action=GetCredentialReport", 200, "<GeneratedTime>"},
    };
    size_t before = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        clock_fake_advance_ms(rows[i].after_ms);
        ask(rows[i].body, rows[i].status, rows[i].says);
        if (!strstr(reply.body, "<GeneratedTime>"))
            continue;
        assert_true(reply.len > before); /* the second has a user more */
        before = reply.len;
    }
}

static int begin(void **state)
{
    world_begin(&w, INT64_C(1790000000000));
    return 0;
}

static int end(void **state)
{
    world_end(&w, &reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_report_is_kept_for_four_hours, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
