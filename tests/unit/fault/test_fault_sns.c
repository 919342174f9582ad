/* SNS with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define T "TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At"
#define F "TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Af.fifo"
#define Q_ARN "arn%3Aaws%3Asqs%3Aus-east-1%3A000000000000%3Aq"
#define Q "\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/q\""
#define CREATE_T                                                                                   \
    {                                                                                              \
        SNS("Action=CreateTopic&Name=t")                                                           \
    }
#define DELETE_T                                                                                   \
    {                                                                                              \
        SNS("Action=DeleteTopic&" T)                                                               \
    }
#define CREATE_Q                                                                                   \
    {                                                                                              \
        SQS("CreateQueue",                                                                         \
            "{\"QueueName\":\"q\",\"Attributes\":{\"Policy\":\"{\\\"Statement\\\":{"               \
            "\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":{\\\"Service\\\":"                     \
            "\\\"sns.amazonaws.com\\\"},\\\"Action\\\":\\\"sqs:SendMessage\\\","                   \
            "\\\"Resource\\\":\\\"*\\\"}}\"}}")                                                    \
    }
#define DELETE_Q                                                                                   \
    {                                                                                              \
        SQS("DeleteQueue", "{" Q "}")                                                              \
    }
#define COUNTS                                                                                     \
    {                                                                                              \
        SQS("GetQueueAttributes", "{" Q ",\"AttributeNames\":[\"ApproximateNumberOfMessages\"]}")  \
    }
#define TOPIC                                                                                      \
    {                                                                                              \
        SNS("Action=GetTopicAttributes&" T)                                                        \
    }
#define SUBSCRIBE                                                                                  \
    {                                                                                              \
        SNS("Action=Subscribe&" T "&Protocol=sqs&Endpoint=" Q_ARN), "<SubscriptionArn>"            \
    }
#define SUBSCRIBE_RAW                                                                              \
    {                                                                                              \
        SNS("Action=Subscribe&" T "&Protocol=sqs&Endpoint=" Q_ARN                                  \
            "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true")            \
    }
#define ADD_PERMISSION                                                                             \
    {                                                                                              \
        SNS("Action=AddPermission&" T "&Label=l&AWSAccountId.member.1=000000000000&"               \
            "ActionName.member.1=Publish")                                                         \
    }
#define PUBLISH                                                                                    \
    {                                                                                              \
        SNS("Action=Publish&" T "&Message=hello")                                                  \
    }
#define TOPICS                                                                                     \
    {                                                                                              \
        SNS("Action=ListTopics")                                                                   \
    }

static const struct fault_case cases[] = {
    {
        .name = "create topic",
        .undo = {DELETE_T},
        .act = {SNS("Action=CreateTopic&Name=t&Tags.member.1.Key=k&Tags.member.1.Value=v&"
                    "Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=d")},
        .probe = {TOPIC, TOPICS},
    },
    {
        .name = "delete topic",
        .setup = {CREATE_T, SUBSCRIBE_RAW},
        .undo = {CREATE_T, SUBSCRIBE_RAW},
        .act = DELETE_T,
        .probe = {TOPIC, TOPICS},
    },
    {
        .name = "set topic attributes",
        .setup = {CREATE_T},
        .undo = {{SNS("Action=SetTopicAttributes&" T
                      "&AttributeName=DisplayName&AttributeValue=")}},
        .act = {SNS("Action=SetTopicAttributes&" T "&AttributeName=DisplayName&AttributeValue=x")},
        .probe = {TOPIC},
    },
    {
        .name = "tag topic",
        .setup = {CREATE_T},
        .undo = {{SNS("Action=UntagResource&ResourceArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000"
                      "%3At&TagKeys.member.1=k")}},
        .act = {SNS("Action=TagResource&ResourceArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At&"
                    "Tags.member.1.Key=k&Tags.member.1.Value=v")},
        .probe = {{SNS("Action=ListTagsForResource&ResourceArn=arn%3Aaws%3Asns%3Aus-east-1%3A"
                       "000000000000%3At")}},
    },
    {
        .name = "add permission",
        .setup = {CREATE_T, ADD_PERMISSION, {SNS("Action=RemovePermission&" T "&Label=l")}},
        .undo = {{SNS("Action=RemovePermission&" T "&Label=l")}},
        .act = ADD_PERMISSION,
        .probe = {TOPIC},
    },
    {
        .name = "remove permission",
        .setup = {CREATE_T, ADD_PERMISSION},
        .undo = {ADD_PERMISSION},
        .act = {SNS("Action=RemovePermission&" T "&Label=l")},
        .probe = {TOPIC},
    },
    {
        .name = "subscribe",
        .setup = {CREATE_T},
        .undo = {DELETE_T, CREATE_T},
        .act = {SNS("Action=Subscribe&" T "&Protocol=sqs&Endpoint=" Q_ARN
                    "&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value=%7B%22a%22%3A"
                    "%5B%22b%22%5D%7D")},
        .probe = {TOPIC},
    },
    {
        .name = "subscribe a mailbox",
        .setup = {CREATE_T, /* makes the key, which takes long */
                  {SNS("Action=Subscribe&" T "&Protocol=email&Endpoint=a%40b.c")},
                  DELETE_T,
                  CREATE_T},
        .undo = {DELETE_T, CREATE_T},
        .act = {SNS("Action=Subscribe&" T "&Protocol=email&Endpoint=a%40b.c")},
        .probe = {TOPIC},
    },
    {
        .name = "unsubscribe",
        .setup = {CREATE_T, SUBSCRIBE},
        .undo = {DELETE_T, CREATE_T, SUBSCRIBE},
        .act = {SNS("Action=Unsubscribe&SubscriptionArn=%s")},
        .probe = {TOPIC},
    },
    {
        .name = "publish raw",
        .setup = {CREATE_T, CREATE_Q, SUBSCRIBE_RAW},
        .undo = {DELETE_Q, CREATE_Q},
        .act = PUBLISH,
        .probe = {COUNTS, {SQS("ReceiveMessage", "{" Q ",\"VisibilityTimeout\":0}")}, COUNTS},
    },
    {
        .name = "publish signed",
        .setup = {CREATE_T, CREATE_Q, SUBSCRIBE, PUBLISH, DELETE_Q, CREATE_Q},
        .undo = {DELETE_Q, CREATE_Q},
        .act = PUBLISH,
        .probe = {COUNTS},
    },
    {
        .name = "publish a batch in order",
        .setup = {{SNS("Action=CreateTopic&Name=f.fifo&Attributes.entry.1.key=FifoTopic&"
                       "Attributes.entry.1.value=true")},
                  CREATE_Q,
                  {SNS("Action=Subscribe&" F "&Protocol=sqs&Endpoint=" Q_ARN)}},
        .undo = {DELETE_Q,
                 CREATE_Q,
                 {SNS("Action=DeleteTopic&" F)},
                 {SNS("Action=CreateTopic&Name=f.fifo&Attributes.entry.1.key=FifoTopic&"
                      "Attributes.entry.1.value=true")},
                 {SNS("Action=Subscribe&" F "&Protocol=sqs&Endpoint=" Q_ARN)}},
        .act = {SNS("Action=PublishBatch&" F "&PublishBatchRequestEntries.member.1.Id=a&"
                    "PublishBatchRequestEntries.member.1.Message=m&"
                    "PublishBatchRequestEntries.member.1.MessageGroupId=g&"
                    "PublishBatchRequestEntries.member.1.MessageDeduplicationId=d&"
                    "PublishBatchRequestEntries.member.2.Id=b&"
                    "PublishBatchRequestEntries.member.2.Message=m")},
        .probe = {COUNTS},
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
