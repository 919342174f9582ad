/* CloudWatch, and metric filters of Logs, with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define CW(op, text)                                                                               \
    {                                                                                              \
        .service = "monitoring", .target = "GraniteServiceVersion20100801." op,                    \
        .type = "application/x-amz-json-1.0", .body = text                                         \
    }
#define ALARM(name)                                                                                \
    CW("PutMetricAlarm", "{\"AlarmName\":\"" name                                                  \
                         "\",\"Namespace\":\"n\",\"MetricName\":\"m\",\"Statistic\":\"Sum\","      \
                         "\"Period\":60,\"EvaluationPeriods\":1,\"Threshold\":1,"                  \
                         "\"ComparisonOperator\":\"GreaterThanThreshold\"}")
#define DELETE(name) CW("DeleteAlarms", "{\"AlarmNames\":[\"" name "\"]}")
#define DESCRIBE CW("DescribeAlarms", "{\"AlarmTypes\":[\"MetricAlarm\",\"CompositeAlarm\"]}")
#define DATA                                                                                       \
    CW("PutMetricData", "{\"Namespace\":\"n\",\"MetricData\":[{\"MetricName\":\"m\",\"Value\":1,"  \
                        "\"Dimensions\":[{\"Name\":\"a\",\"Value\":\"b\"}]},"                      \
                        "{\"MetricName\":\"o\",\"Values\":[1,2],\"Counts\":[3,4]}]}")
#define LIST CW("ListMetrics", "{}")
#define GROUP LOGS("CreateLogGroup", "{\"logGroupName\":\"g\"}")
#define DELETE_GROUP LOGS("DeleteLogGroup", "{\"logGroupName\":\"g\"}")
#define FILTER                                                                                     \
    LOGS("PutMetricFilter",                                                                        \
         "{\"logGroupName\":\"g\",\"filterName\":\"f\",\"filterPattern\":\"[a]\","                 \
         "\"metricTransformations\":[{\"metricName\":\"m\","                                       \
         "\"metricNamespace\":\"f\",\"metricValue\":\"$a\"}]}")

static const struct fault_case cases[] = {
    {
        .name = "put metric data", /* which cannot be undone: the metrics are there before */
        .setup = {{DATA}},
        .act = {DATA},
        .probe = {{LIST}},
    },
    {
        .name = "get metric data",
        .setup = {{DATA}},
        .act = {CW(
            "GetMetricData",
            "{\"StartTime\":0,\"EndTime\":60,\"MetricDataQueries\":[{\"Id\":\"m1\",\"MetricStat\":{"
            "\"Metric\":{\"Namespace\":\"n\",\"MetricName\":\"o\"},\"Period\":60,\"Stat\":\"p90\"}}"
            ","
            "{\"Id\":\"e1\",\"Expression\":\"SUM([m1, FILL(m1, 2)]) * 3\"}]}")},
        .probe = {{LIST}},
    },
    {
        .name = "put metric alarm",
        .undo = {{DELETE("a")}},
        .act = {ALARM("a")},
        .probe = {{DESCRIBE}},
    },
    {
        .name = "delete alarms",
        .setup = {{ALARM("a")}},
        .undo = {{ALARM("a")}},
        .act = {DELETE("a")},
        .probe = {{DESCRIBE}},
    },
    {
        .name = "set alarm state",
        .setup = {{ALARM("a")}},
        .undo = {{DELETE("a")}, {ALARM("a")}},
        .act = {CW("SetAlarmState",
                   "{\"AlarmName\":\"a\",\"StateValue\":\"ALARM\",\"StateReason\":\"r\"}")},
        .probe = {{DESCRIBE}},
    },
    {
        .name = "put dashboard",
        .undo = {{CW("DeleteDashboards", "{\"DashboardNames\":[\"d\"]}")}},
        .act = {CW("PutDashboard",
                   "{\"DashboardName\":\"d\",\"DashboardBody\":\"{\\\"widgets\\\":[]}\"}")},
        .probe = {{CW("GetDashboard", "{\"DashboardName\":\"d\"}")}},
    },
    {
        .name = "put metric filter",
        .setup = {{GROUP}},
        .undo = {{LOGS("DeleteMetricFilter", "{\"logGroupName\":\"g\",\"filterName\":\"f\"}")}},
        .act = {FILTER},
        .probe = {{LOGS("TestMetricFilter",
                        "{\"filterPattern\":\"[a]\",\"logEventMessages\":[\"x\"]}")},
                  {LOGS("DescribeLogGroups", "{}")}},
    },
};

static void test_cases(void **state)
{
    fault_run(cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
