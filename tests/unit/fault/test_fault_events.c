/* Operations of EventBridge and EventBridge Scheduler that write, with every single failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define EVENTS(op, text)                                                                           \
    {                                                                                              \
        .service = "events", .target = "AWSEvents." op, .type = "application/x-amz-json-1.1",      \
        .body = text                                                                               \
    }
#define SCHEDULER(verb, where, text)                                                               \
    {                                                                                              \
        .service = "scheduler", .method = verb, .path = where, .type = "application/json",         \
        .body = text                                                                               \
    }
#define QUEUE_ARN "arn:aws:sqs:us-east-1:000000000000:q"
#define TRUST                                                                                      \
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C"  \
    "%22Principal%22%3A%7B%22Service%22%3A%22scheduler.amazonaws.com%22%7D%2C%22Action%22%3A%22"   \
    "sts%3AAssumeRole%22%7D%5D%7D"
#define ROLE                                                                                       \
    {                                                                                              \
        IAM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=" TRUST)                        \
    }
#define BUS                                                                                        \
    {                                                                                              \
        EVENTS("CreateEventBus", "{\"Name\":\"b\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}")    \
    }
#define DELETE_BUS                                                                                 \
    {                                                                                              \
        EVENTS("DeleteEventBus", "{\"Name\":\"b\"}")                                               \
    }
#define RULE                                                                                       \
    {                                                                                              \
        EVENTS("PutRule", "{\"Name\":\"r\",\"EventPattern\":\"{\\\"source\\\":[\\\"a\\\"]}\","     \
                          "\"ScheduleExpression\":\"rate(1 hour)\"}")                              \
    }
#define TARGETS                                                                                    \
    {                                                                                              \
        EVENTS("PutTargets", "{\"Rule\":\"r\",\"Targets\":[{\"Id\":\"t\",\"Arn\":\"" QUEUE_ARN     \
                             "\",\"InputTransformer\":{\"InputPathsMap\":{\"a\":\"$.detail.a\"},"  \
                             "\"InputTemplate\":\"{\\\"a\\\":<a>}\"}}]}")                          \
    }
#define REMOVE_TARGETS                                                                             \
    {                                                                                              \
        EVENTS("RemoveTargets", "{\"Rule\":\"r\",\"Ids\":[\"t\"]}")                                \
    }
#define DELETE_RULE                                                                                \
    {                                                                                              \
        EVENTS("DeleteRule", "{\"Name\":\"r\"}")                                                   \
    }
#define CONNECTION_OF(type, parameters)                                                            \
    {                                                                                              \
        EVENTS("CreateConnection", "{\"Name\":\"c\",\"AuthorizationType\":\"" type                 \
                                   "\",\"AuthParameters\":{" parameters "}}")                      \
    }
#define CONNECTION                                                                                 \
    CONNECTION_OF("BASIC", "\"BasicAuthParameters\":{\"Username\":\"u\",\"Password\":\"p\"}")
#define OAUTH_CONNECTION                                                                           \
    CONNECTION_OF(                                                                                 \
        "OAUTH_CLIENT_CREDENTIALS",                                                                \
        "\"OAuthParameters\":{\"ClientParameters\":{\"ClientID\":\"i\",\"ClientSecret\":"          \
        "\"s\"},\"AuthorizationEndpoint\":\"https://127.0.0.1:9/\",\"HttpMethod\":"                \
        "\"POST\"}")
#define DELETE_CONNECTION                                                                          \
    {                                                                                              \
        EVENTS("DeleteConnection", "{\"Name\":\"c\"}")                                             \
    }
#define LIST_CONNECTIONS                                                                           \
    {                                                                                              \
        EVENTS("ListConnections", "{}")                                                            \
    }
#define LIST_RULES                                                                                 \
    {                                                                                              \
        EVENTS("ListRules", "{}")                                                                  \
    }
#define ARCHIVE                                                                                    \
    {                                                                                              \
        EVENTS("CreateArchive", "{\"ArchiveName\":\"a\",\"EventSourceArn\":"                       \
                                "\"arn:aws:events:us-east-1:000000000000:event-bus/default\"}")    \
    }
#define SCHEDULE_BODY                                                                              \
    "{\"ScheduleExpression\":\"cron(0 0 1 1 ? 2099)\",\"FlexibleTimeWindow\":{\"Mode\":\"OFF\"},"  \
    "\"Target\":{\"Arn\":\"" QUEUE_ARN "\",\"RoleArn\":\"arn:aws:iam::000000000000:role/r\"}}"
#define SCHEDULE                                                                                   \
    {                                                                                              \
        SCHEDULER("POST", "/schedules/s", SCHEDULE_BODY)                                           \
    }
#define DELETE_SCHEDULE                                                                            \
    {                                                                                              \
        SCHEDULER("DELETE", "/schedules/s", "")                                                    \
    }

static const struct fault_case cases[] = {
    {
        .name = "create event bus",
        .undo = {DELETE_BUS},
        .act = BUS,
        .probe = {{EVENTS("ListEventBuses", "{\"NamePrefix\":\"b\"}")}},
    },
    {
        .name = "put permission",
        .setup = {BUS},
        .undo = {{EVENTS("RemovePermission",
                         "{\"EventBusName\":\"b\",\"RemoveAllPermissions\":true}")}},
        .act = {EVENTS("PutPermission",
                       "{\"EventBusName\":\"b\",\"Action\":\"events:PutEvents\",\"Principal\":"
                       "\"111122223333\",\"StatementId\":\"s\"}")},
        .probe = {{EVENTS("DescribeEventBus", "{\"Name\":\"b\"}")}},
    },
    {
        .name = "delete event bus",
        .setup = {BUS},
        .undo = {BUS},
        .act = DELETE_BUS,
        .probe = {{EVENTS("DescribeEventBus", "{\"Name\":\"b\"}")}},
    },
    {
        .name = "put rule",
        .undo = {DELETE_RULE},
        .act = RULE,
        .probe = {LIST_RULES},
    },
    {
        .name = "disable rule",
        .setup = {RULE},
        .undo = {{EVENTS("EnableRule", "{\"Name\":\"r\"}")}},
        .act = {EVENTS("DisableRule", "{\"Name\":\"r\"}")},
        .probe = {LIST_RULES},
    },
    {
        .name = "put targets",
        .setup = {RULE},
        .undo = {REMOVE_TARGETS},
        .act = TARGETS,
        .probe = {{EVENTS("ListTargetsByRule", "{\"Rule\":\"r\"}")}},
    },
    {
        .name = "remove targets",
        .setup = {RULE, TARGETS},
        .undo = {TARGETS},
        .act = REMOVE_TARGETS,
        .probe = {{EVENTS("ListTargetsByRule", "{\"Rule\":\"r\"}")}},
    },
    {
        .name = "delete rule",
        .setup = {RULE},
        .undo = {RULE},
        .act = DELETE_RULE,
        .probe = {LIST_RULES},
    },
    {
        .name = "put events",
        .setup = {RULE, TARGETS, ARCHIVE},
        .undo = {{EVENTS("DeleteArchive", "{\"ArchiveName\":\"a\"}")}, ARCHIVE},
        .act = {EVENTS("PutEvents", "{\"Entries\":[{\"Source\":\"a\",\"DetailType\":\"d\","
                                    "\"Detail\":\"{\\\"a\\\":1}\"}]}")},
        .probe = {{EVENTS("DescribeArchive", "{\"ArchiveName\":\"a\"}")}},
    },
    {
        .name = "create archive",
        .undo = {{EVENTS("DeleteArchive", "{\"ArchiveName\":\"a\"}")}},
        .act = ARCHIVE,
        .probe = {{EVENTS("ListArchives", "{}")}},
    },
    {
        .name = "create connection",
        .undo = {DELETE_CONNECTION},
        .act = CONNECTION,
        .probe = {LIST_CONNECTIONS},
    },
    {
        .name = "create connection with a token",
        .undo = {DELETE_CONNECTION},
        .act = OAUTH_CONNECTION,
        .probe = {{EVENTS("ListConnections", "{\"NamePrefix\":\"x\"}")}},
    },
    {
        .name = "deauthorize connection",
        .setup = {CONNECTION},
        .undo = {DELETE_CONNECTION, CONNECTION},
        .act = {EVENTS("DeauthorizeConnection", "{\"Name\":\"c\"}")},
        .probe = {LIST_CONNECTIONS},
    },
    {
        .name = "delete connection",
        .setup = {CONNECTION},
        .undo = {CONNECTION},
        .act = DELETE_CONNECTION,
        .probe = {LIST_CONNECTIONS},
    },
    {
        .name = "tag a rule",
        .setup = {RULE},
        .undo = {{EVENTS("UntagResource",
                         "{\"ResourceARN\":\"arn:aws:events:us-east-1:000000000000:rule/r\","
                         "\"TagKeys\":[\"k\"]}")}},
        .act = {EVENTS("TagResource",
                       "{\"ResourceARN\":\"arn:aws:events:us-east-1:000000000000:rule/r\","
                       "\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}")},
        .probe = {{EVENTS("ListTagsForResource",
                          "{\"ResourceARN\":\"arn:aws:events:us-east-1:000000000000:rule/r\"}")}},
    },
    {
        .name = "create schedule",
        .setup = {ROLE},
        .undo = {DELETE_SCHEDULE},
        .act = SCHEDULE,
        .probe = {{SCHEDULER("GET", "/schedules", "")}},
    },
    {
        .name = "update schedule",
        .setup = {ROLE, SCHEDULE},
        .act = {SCHEDULER("PUT", "/schedules/s", SCHEDULE_BODY)},
        .probe = {{SCHEDULER("GET", "/schedules", "")}},
    },
    {
        .name = "delete schedule",
        .setup = {ROLE, SCHEDULE},
        .undo = {SCHEDULE},
        .act = DELETE_SCHEDULE,
        .probe = {{SCHEDULER("GET", "/schedules", "")}},
    },
    {
        .name = "create schedule group",
        .undo = {{SCHEDULER("DELETE", "/schedule-groups/g", "")}},
        .act = {SCHEDULER("POST", "/schedule-groups/g", "{}")},
        .probe = {{SCHEDULER("GET", "/schedule-groups?NamePrefix=g", "")}},
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
