/* SQS with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define Q "\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/q\""
#define D "\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/d\""
#define ARNS "\"ResourceARNList\":[\"arn:aws:sqs:us-east-1:000000000000:q\"]"
#define CREATE_Q                                                                                   \
    {                                                                                              \
        SQS("CreateQueue", "{\"QueueName\":\"q\",\"Attributes\":{\"VisibilityTimeout\":\"0\"}}")   \
    }
/* Of a key that the first message makes. */
#define CREATE_SEALED_Q                                                                            \
    {                                                                                              \
        SQS("CreateQueue",                                                                         \
            "{\"QueueName\":\"q\",\"Attributes\":{\"KmsMasterKeyId\":\"alias/aws/sqs\"}}")         \
    }
#define DELETE_Q                                                                                   \
    {                                                                                              \
        SQS("DeleteQueue", "{" Q "}")                                                              \
    }
#define COUNTS                                                                                     \
    {                                                                                              \
        SQS("GetQueueAttributes", "{" Q ",\"AttributeNames\":[\"All\"]}")                          \
    }
#define SEND                                                                                       \
    {                                                                                              \
        SQS("SendMessage", "{" Q ",\"MessageBody\":\"hello\",\"MessageAttributes\":{\"a\":"        \
                           "{\"DataType\":\"String\",\"StringValue\":\"v\"}}}")                    \
    }
#define TAG_Q                                                                                      \
    {                                                                                              \
        SQS("TagQueue", "{" Q ",\"Tags\":{\"k\":\"v\",\"l\":\"w\"}}")                              \
    }
#define ADD_PERMISSION                                                                             \
    {                                                                                              \
        SQS("AddPermission", "{" Q ",\"Label\":\"l\",\"AWSAccountIds\":[\"000000000000\"],"        \
                             "\"Actions\":[\"SendMessage\"]}")                                     \
    }
#define F "\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/f.fifo\""
#define CREATE_F                                                                                   \
    {                                                                                              \
        SQS("CreateQueue", "{\"QueueName\":\"f.fifo\",\"Attributes\":{\"FifoQueue\":\"true\"}}")   \
    }
#define SEND_F                                                                                     \
    {                                                                                              \
        SQS("SendMessage", "{" F ",\"MessageBody\":\"one\",\"MessageGroupId\":\"g\","              \
                           "\"MessageDeduplicationId\":\"1\"}")                                    \
    }
#define ATTEMPT                                                                                    \
    {                                                                                              \
        SQS("ReceiveMessage", "{" F ",\"VisibilityTimeout\":300,"                                  \
                              "\"ReceiveRequestAttemptId\":\"again\"}")                            \
    }
#define TAKE                                                                                       \
    {                                                                                              \
        SQS("ReceiveMessage", "{" Q ",\"MaxNumberOfMessages\":1,\"VisibilityTimeout\":300}"),      \
            "\"ReceiptHandle\":\""                                                                 \
    }

static const struct fault_case cases[] = {
    {
        .name = "create queue",
        .undo = {DELETE_Q},
        .act = CREATE_Q,
        .probe = {COUNTS, {SQS("ListQueues", "{}")}},
    },
    {
        .name = "delete queue",
        .setup = {CREATE_Q},
        .undo = {CREATE_Q},
        .act = DELETE_Q,
        .probe = {COUNTS, {SQS("ListQueues", "{}")}},
    },
    {
        .name = "delete a queue whose name is held",
        .queue_held_ms = 60000,
        .setup = {CREATE_Q},
        .undo = {{SQS("CreateQueue",
                      "{\"QueueName\":\"q\",\"Attributes\":{\"VisibilityTimeout\":\"0\"}}"),
                  .pass_ms = 60001}},
        .act = DELETE_Q,
        .probe = {COUNTS, CREATE_Q},
    },
    {
        .name = "set attributes",
        .setup = {CREATE_Q},
        .undo = {{SQS("SetQueueAttributes",
                      "{" Q
                      ",\"Attributes\":{\"VisibilityTimeout\":\"0\",\"DelaySeconds\":\"0\"}}")}},
        .act = {SQS("SetQueueAttributes",
                    "{" Q ",\"Attributes\":{\"VisibilityTimeout\":\"7\",\"DelaySeconds\":\"3\"}}")},
        .probe = {COUNTS},
    },
    {
        .name = "tag queue",
        .setup = {CREATE_Q},
        .undo = {{SQS("UntagQueue", "{" Q ",\"TagKeys\":[\"k\",\"l\"]}")}},
        .act = TAG_Q,
        .probe = {COUNTS, {SQS("ListQueueTags", "{" Q "}")}},
    },
    {
        .name = "tag resources",
        .setup = {CREATE_Q},
        .undo = {{TAGGING("UntagResources", "{" ARNS ",\"TagKeys\":[\"k\"]}")}},
        .act = {TAGGING("TagResources", "{" ARNS ",\"Tags\":{\"k\":\"v\"}}")},
        .probe = {{SQS("ListQueueTags", "{" Q "}")},
                  {TAGGING("GetResources", "{\"TagFilters\":[{\"Key\":\"k\"}]}")}},
    },
    {
        .name = "add permission",
        .setup = {CREATE_Q},
        .undo = {{SQS("RemovePermission", "{" Q ",\"Label\":\"l\"}")}},
        .act = ADD_PERMISSION,
        .probe = {{SQS("GetQueueAttributes", "{" Q ",\"AttributeNames\":[\"Policy\"]}")}},
    },
    {
        .name = "send",
        .setup = {CREATE_Q},
        .undo = {DELETE_Q, CREATE_Q},
        .act = SEND,
        .probe = {COUNTS,
                  {SQS("ReceiveMessage", "{" Q ",\"VisibilityTimeout\":0,"
                                         "\"MessageAttributeNames\":[\"All\"]}")},
                  COUNTS},
    },
    {
        .name = "send under a key",
        .setup = {CREATE_SEALED_Q},
        .undo = {DELETE_Q, CREATE_SEALED_Q},
        .act = SEND,
        .probe = {COUNTS,
                  {SQS("ReceiveMessage", "{" Q ",\"VisibilityTimeout\":0,"
                                         "\"MessageAttributeNames\":[\"All\"]}")},
                  COUNTS},
    },
    {
        .name = "send a batch",
        .setup = {CREATE_Q},
        .undo = {DELETE_Q, CREATE_Q},
        .act = {SQS("SendMessageBatch", "{" Q ",\"Entries\":[{\"Id\":\"1\",\"MessageBody\":\"a\"},"
                                        "{\"Id\":\"2\",\"MessageBody\":\"b\",\"DelaySeconds\":60},"
                                        "{\"Id\":\"3\",\"MessageBody\":\"c\"}]}")},
        .probe = {COUNTS},
    },
    {
        .name = "send by query",
        .setup = {CREATE_Q},
        .undo = {DELETE_Q, CREATE_Q},
        .act = {{.service = "sqs",
                 .path = "/000000000000/q",
                 .type = "application/x-www-form-urlencoded",
                 .body = "Action=SendMessage&Version=2012-11-05&MessageBody=hello"}},
        .probe = {COUNTS},
    },
    {
        .name = "receive",
        .setup = {CREATE_Q, SEND},
        .undo = {DELETE_Q, CREATE_Q, SEND},
        .act = TAKE,
        .probe = {COUNTS},
    },
    {
        .name = "receive for an attempt",
        .setup = {CREATE_F, SEND_F},
        .undo = {{SQS("DeleteQueue", "{" F "}")}, CREATE_F, SEND_F},
        .act = ATTEMPT,
        .probe = {{SQS("GetQueueAttributes", "{" F ",\"AttributeNames\":[\"All\"]}")}},
        .any_reply = true,
    },
    {
        .name = "receive for an attempt again",
        .setup = {CREATE_F, SEND_F},
        .undo = {{SQS("DeleteQueue", "{" F "}")}, CREATE_F, SEND_F},
        .before = {ATTEMPT},
        .act = ATTEMPT,
        .probe = {{SQS("GetQueueAttributes", "{" F ",\"AttributeNames\":[\"All\"]}")}},
        .any_reply = true,
    },
    {
        .name = "delete message",
        .setup = {CREATE_Q, SEND},
        .undo = {DELETE_Q, CREATE_Q, SEND},
        .before = {TAKE},
        .act = {SQS("DeleteMessage", "{" Q ",\"ReceiptHandle\":\"%s\"}")},
        .probe = {COUNTS},
    },
    {
        .name = "change visibility",
        .setup = {CREATE_Q, SEND},
        .undo = {DELETE_Q, CREATE_Q, SEND},
        .before = {TAKE},
        .act = {SQS("ChangeMessageVisibility",
                    "{" Q ",\"ReceiptHandle\":\"%s\",\"VisibilityTimeout\":0}")},
        .probe = {COUNTS},
    },
    {
        .name = "dead letter",
        .setup = {{SQS("CreateQueue", "{\"QueueName\":\"d\"}")}, CREATE_Q},
        .undo = {DELETE_Q,
                 {SQS("DeleteQueue", "{" D "}")},
                 {SQS("CreateQueue", "{\"QueueName\":\"d\"}")},
                 CREATE_Q},
        .before = {{SQS("SetQueueAttributes",
                        "{" Q ",\"Attributes\":{\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":"
                        "\\\"arn:aws:sqs:us-east-1:000000000000:d\\\",\\\"maxReceiveCount\\\":"
                        "1}\"}}")},
                   SEND,
                   {SQS("ReceiveMessage", "{" Q ",\"VisibilityTimeout\":0}")}},
        .act = {SQS("ReceiveMessage", "{" Q "}")},
        .probe = {COUNTS, {SQS("GetQueueAttributes", "{" D ",\"AttributeNames\":[\"All\"]}")}},
    },
    {
        .name = "start a move task",
        .setup = {{SQS("CreateQueue", "{\"QueueName\":\"d\"}")}, CREATE_Q},
        .undo = {DELETE_Q,
                 {SQS("DeleteQueue", "{" D "}")}, /* and its tasks */
                 {SQS("CreateQueue", "{\"QueueName\":\"d\"}")},
                 CREATE_Q},
        .before = {{SQS("SetQueueAttributes",
                        "{" Q ",\"Attributes\":{\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":"
                        "\\\"arn:aws:sqs:us-east-1:000000000000:d\\\",\\\"maxReceiveCount\\\":"
                        "1}\"}}")}},
        .act = {SQS("StartMessageMoveTask",
                    "{\"SourceArn\":\"arn:aws:sqs:us-east-1:000000000000:d\"}")},
        .probe = {{SQS("GetQueueAttributes", "{" D ",\"AttributeNames\":[\"All\"]}")}},
    },
    {
        .name = "send to a fair queue",
        .setup = {CREATE_Q},
        .undo = {DELETE_Q, CREATE_Q},
        .act = {SQS("SendMessage", "{" Q ",\"MessageBody\":\"x\",\"MessageGroupId\":\"g\"}")},
        .probe = {COUNTS},
    },
    {
        .name = "delete a batch",
        .setup = {CREATE_Q, SEND},
        .undo = {DELETE_Q, CREATE_Q, SEND},
        .before = {TAKE},
        .act = {SQS("DeleteMessageBatch",
                    "{" Q ",\"Entries\":[{\"Id\":\"1\",\"ReceiptHandle\":\"%s\"}]}")},
        .probe = {COUNTS},
    },
    {
        .name = "change visibility of a batch",
        .setup = {CREATE_Q, SEND},
        .undo = {DELETE_Q, CREATE_Q, SEND},
        .before = {TAKE},
        .act = {SQS("ChangeMessageVisibilityBatch",
                    "{" Q ",\"Entries\":[{\"Id\":\"1\",\"ReceiptHandle\":\"%s\","
                    "\"VisibilityTimeout\":0}]}")},
        .probe = {COUNTS},
    },
    {
        .name = "send to a FIFO queue",
        .setup = {CREATE_F},
        .undo = {{SQS("DeleteQueue", "{" F "}")}, CREATE_F},
        .act = {SQS("SendMessage", "{" F ",\"MessageBody\":\"hello\",\"MessageGroupId\":\"g\","
                                   "\"MessageDeduplicationId\":\"d\"}")},
        .probe = {{SQS("GetQueueAttributes", "{" F ",\"AttributeNames\":[\"All\"]}")}},
    },
    {
        .name = "untag queue",
        .setup = {CREATE_Q, TAG_Q},
        .undo = {TAG_Q},
        .act = {SQS("UntagQueue", "{" Q ",\"TagKeys\":[\"k\"]}")},
        .probe = {{SQS("ListQueueTags", "{" Q "}")}},
    },
    {
        .name = "remove permission",
        .setup = {CREATE_Q, ADD_PERMISSION},
        .undo = {ADD_PERMISSION},
        .act = {SQS("RemovePermission", "{" Q ",\"Label\":\"l\"}")},
        .probe = {{SQS("GetQueueAttributes", "{" Q ",\"AttributeNames\":[\"Policy\"]}")}},
    },
    {
        .name = "purge",
        .setup = {CREATE_Q, SEND, SEND},
        .undo = {DELETE_Q, CREATE_Q, SEND, SEND},
        .act = {SQS("PurgeQueue", "{" Q "}")},
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
