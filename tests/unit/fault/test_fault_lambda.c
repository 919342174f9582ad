/* Lambda's definitions with every single failure; no function runs. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

/* A zip file with a `bootstrap`, base64. */
#define CODE                                                                                       \
    "UEsDBBQAAAAAAAAAIVAdnfsECgAAAAoAAAAJAAAAYm9vdHN0cmFwIyEvYmluL3No"                             \
    "ClBLAQIUAxQAAAAAAAAAIVAdnfsECgAAAAoAAAAJAAAAAAAAAAAAAADtAQAAAABi"                             \
    "b290c3RyYXBQSwUGAAAAAAEAAQA3AAAAMQAAAAAA"
#define LAMBDA(verb, where, text)                                                                  \
    {                                                                                              \
        {                                                                                          \
            .service = "lambda", .method = verb, .path = where, .type = "application/json",        \
            .body = text                                                                           \
        }                                                                                          \
    }
#define ROLE                                                                                       \
    {                                                                                              \
        IAM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument="                               \
            "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22"        \
            "Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole"      \
            "%22%7D%7D")                                                                           \
    }
#define CREATE                                                                                     \
    LAMBDA("POST", "/2015-03-31/functions",                                                        \
           "{\"FunctionName\":\"f\",\"Runtime\":\"provided.al2023\",\"Handler\":\"h\",\"Role\":"   \
           "\"arn:aws:iam::000000000000:role/r\",\"Code\":{\"ZipFile\":\"" CODE "\"}}")
#define GRANT                                                                                      \
    {                                                                                              \
        IAM("Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument=%7B%22Statement%22%3A%7B" \
            "%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22"   \
            "%7D%7D")                                                                              \
    }
#define QUEUE                                                                                      \
    {                                                                                              \
        SQS("CreateQueue", "{\"QueueName\":\"q\"}")                                                \
    }
#define ARN "arn:aws:lambda:us-east-1:000000000000:function:f"
#define QUEUE_ARN "arn:aws:sqs:us-east-1:000000000000:q"
#define RECURSION(method, body) LAMBDA(method, "/2024-08-31/functions/f/recursion-config", body)
#define MAPPINGS "/2015-03-31/event-source-mappings"
#define CREATE_MAPPING                                                                             \
    LAMBDA("POST", MAPPINGS,                                                                       \
           "{\"FunctionName\":\"f\",\"Enabled\":false,\"EventSourceArn\":\"" QUEUE_ARN "\"}")
#define LIST_MAPPINGS LAMBDA("GET", MAPPINGS, NULL)
/* Remembers the mapping's id, for the step that follows. */
#define FIND_MAPPING                                                                               \
    {                                                                                              \
        .req = {.service = "lambda", .method = "GET", .path = MAPPINGS}, .take = "\"UUID\":\""     \
    }
#define DELETE_MAPPING LAMBDA("DELETE", MAPPINGS "/%s", NULL)
#define PERMIT                                                                                     \
    LAMBDA("POST", "/2015-03-31/functions/f/policy",                                               \
           "{\"StatementId\":\"s\",\"Action\":\"lambda:InvokeFunction\","                          \
           "\"Principal\":\"s3.amazonaws.com\"}")
#define PERMIT_LOGS                                                                                \
    LAMBDA("POST", "/2015-03-31/functions/f/policy",                                               \
           "{\"StatementId\":\"s\",\"Action\":\"lambda:InvokeFunction\","                          \
           "\"Principal\":\"logs.amazonaws.com\"}")
#define LOG_GROUP                                                                                  \
    {                                                                                              \
        LOGS("CreateLogGroup", "{\"logGroupName\":\"g\"}")                                         \
    }
#define LOG_STREAM                                                                                 \
    {                                                                                              \
        LOGS("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}")                \
    }
#define SUBSCRIBE                                                                                  \
    {                                                                                              \
        LOGS("PutSubscriptionFilter", "{\"logGroupName\":\"g\",\"filterName\":\"f\","              \
                                      "\"filterPattern\":\"one\",\"destinationArn\":\"" ARN "\"}") \
    }
#define UNSUBSCRIBE                                                                                \
    {                                                                                              \
        LOGS("DeleteSubscriptionFilter", "{\"logGroupName\":\"g\",\"filterName\":\"f\"}")          \
    }
#define SUBSCRIPTIONS                                                                              \
    {                                                                                              \
        LOGS("DescribeSubscriptionFilters", "{\"logGroupName\":\"g\"}")                            \
    }
#define FORBID LAMBDA("DELETE", "/2015-03-31/functions/f/policy/s", NULL)
#define GET_POLICY LAMBDA("GET", "/2015-03-31/functions/f/policy", NULL)
#define RESERVE(n)                                                                                 \
    LAMBDA("PUT", "/2017-10-31/functions/f/concurrency", "{\"ReservedConcurrentExecutions\":" n "}")
#define UNRESERVE LAMBDA("DELETE", "/2017-10-31/functions/f/concurrency", NULL)
#define GET_RESERVED LAMBDA("GET", "/2019-09-30/functions/f/concurrency", NULL)
#define CONFIG(verb, text) LAMBDA(verb, "/2019-09-25/functions/f/event-invoke-config", text)
#define RETRIES(n) "{\"MaximumRetryAttempts\":" n "}"
#define WARM(verb, text)                                                                           \
    LAMBDA(verb, "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1", text)
#define KEEP_WARM(n) WARM("PUT", "{\"ProvisionedConcurrentExecutions\":" n "}")
#define LIST_WARM LAMBDA("GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", NULL)
#define URL(verb, text) LAMBDA(verb, "/2021-10-31/functions/f/url", text)
#define CREATE_URL URL("POST", "{\"AuthType\":\"NONE\",\"Cors\":{\"AllowOrigins\":[\"*\"]}}")
#define LIST_URLS LAMBDA("GET", "/2021-10-31/functions/f/urls", NULL)
#define TAGS "/2017-03-31/tags/" ARN
#define TAG LAMBDA("POST", TAGS, "{\"Tags\":{\"a\":\"1\"}}")
#define UNTAG LAMBDA("DELETE", TAGS "?tagKeys=a", NULL)
#define GET_TAGS LAMBDA("GET", TAGS, NULL)
#define DELETE LAMBDA("DELETE", "/2015-03-31/functions/f", NULL)
#define GET LAMBDA("GET", "/2015-03-31/functions/f/configuration", NULL)
#define LIST LAMBDA("GET", "/2015-03-31/functions", NULL)
#define PUBLISH LAMBDA("POST", "/2015-03-31/functions/f/versions", "{}")
#define LAYERS "/2018-10-31/layers/"
#define LAYER_ARN(name) "\"arn:aws:lambda:us-east-1:000000000000:layer:" name ":1\""
#define PUBLISH_LAYER(name)                                                                        \
    LAMBDA("POST", LAYERS name "/versions",                                                        \
           "{\"Content\":{\"ZipFile\":\"" CODE                                                     \
           "\"},\"CompatibleRuntimes\":[\"provided.al2023\"]}")
#define LIST_LAYER LAMBDA("GET", LAYERS "la/versions", NULL)
/* Remembers the newest version's number, for the step that follows. */
#define FIND_LAYER                                                                                 \
    {                                                                                              \
        .req = {.service = "lambda", .method = "GET", .path = LAYERS "la/versions"},               \
        .take = ":layer:la:"                                                                       \
    }
#define DELETE_LAYER LAMBDA("DELETE", LAYERS "la/versions/%s", NULL)
#define LIST_LAYERS LAMBDA("GET", "/2018-10-31/layers", NULL)
#define SHARE_LAYER                                                                                \
    LAMBDA("POST", LAYERS "la/versions/1/policy",                                                  \
           "{\"StatementId\":\"s\",\"Action\":\"lambda:GetLayerVersion\",\"Principal\":\"*\"}")
#define UNSHARE_LAYER LAMBDA("DELETE", LAYERS "la/versions/1/policy/s", NULL)
#define LAYER_POLICY LAMBDA("GET", LAYERS "la/versions/1/policy", NULL)
#define USE_LAYERS(arns)                                                                           \
    LAMBDA("PUT", "/2015-03-31/functions/f/configuration", "{\"Layers\":[" arns "]}")
#define LIST_VERSIONS LAMBDA("GET", "/2015-03-31/functions/f/versions", NULL)
#define ALIASES "/2015-03-31/functions/f/aliases"
#define NAME_ALIAS LAMBDA("POST", ALIASES, "{\"Name\":\"a\",\"FunctionVersion\":\"1\"}")
#define DELETE_ALIAS LAMBDA("DELETE", ALIASES "/a", NULL)
#define LIST_ALIASES LAMBDA("GET", ALIASES, NULL)

static const struct fault_case cases[] = {
    {
        .name = "create function",
        .setup = {ROLE},
        .undo = {DELETE},
        .act = CREATE,
        .probe = {LIST},
    },
    {
        .name = "delete function",
        .setup = {ROLE, CREATE},
        .undo = {CREATE},
        .act = DELETE,
        .probe = {LIST},
    },
    {
        .name = "update configuration",
        .setup = {ROLE, CREATE},
        .undo = {DELETE, CREATE},
        .act = LAMBDA("PUT", "/2015-03-31/functions/f/configuration",
                      "{\"Timeout\":9,\"Environment\":{\"Variables\":{\"AB\":\"b\"}}}"),
        .probe = {GET},
    },
    {
        .name = "update configuration with a key",
        .setup = {ROLE, CREATE, {KMS("CreateKey", "{}")}},
        .undo = {DELETE, CREATE},
        .before = {{KMS("ListKeys", "{}"), "\"KeyId\":\""}},
        .act = LAMBDA("PUT", "/2015-03-31/functions/f/configuration",
                      "{\"KMSKeyArn\":\"arn:aws:kms:us-east-1:000000000000:key/%s\","
                      "\"Environment\":{\"Variables\":{\"AB\":\"b\"}}}"),
        .probe = {GET},
    },
    {
        .name = "update code",
        .setup = {ROLE, CREATE},
        .undo = {DELETE, CREATE},
        .act = LAMBDA("PUT", "/2015-03-31/functions/f/code", "{\"ZipFile\":\"" CODE "\"}"),
        .probe = {GET},
    },
    {
        .name = "publish version",
        .setup = {ROLE, CREATE},
        .undo = {DELETE, CREATE},
        .act = PUBLISH,
        .probe = {LIST_VERSIONS},
    },
    {
        .name = "delete version",
        .setup = {ROLE, CREATE, PUBLISH},
        .undo = {DELETE, CREATE, PUBLISH},
        .act = LAMBDA("DELETE", "/2015-03-31/functions/f?Qualifier=1", NULL),
        .probe = {LIST_VERSIONS},
    },
    {
        .name = "delete function with version and alias",
        .setup = {ROLE, CREATE, PUBLISH, NAME_ALIAS},
        .undo = {CREATE, PUBLISH, NAME_ALIAS},
        .act = DELETE,
        .probe = {LIST},
    },
    {
        .name = "create alias",
        .setup = {ROLE, CREATE, PUBLISH},
        .undo = {DELETE_ALIAS},
        .act = NAME_ALIAS,
        .probe = {LIST_ALIASES},
    },
    {
        .name = "update alias",
        .setup = {ROLE, CREATE, PUBLISH, NAME_ALIAS},
        .undo = {DELETE_ALIAS, NAME_ALIAS},
        .act = LAMBDA("PUT", ALIASES "/a", "{\"Description\":\"d\"}"),
        .probe = {LIST_ALIASES},
    },
    {
        .name = "delete alias",
        .setup = {ROLE, CREATE, PUBLISH, NAME_ALIAS},
        .undo = {NAME_ALIAS},
        .act = DELETE_ALIAS,
        .probe = {LIST_ALIASES},
    },
    {
        .name = "publish layer",
        .undo = {FIND_LAYER, DELETE_LAYER},
        .act = PUBLISH_LAYER("la"),
        .probe = {LIST_LAYER, LIST_LAYERS},
        .any_reply = true, /* the address of its content */
        .numbered = true,
    },
    {
        .name = "delete layer",
        .setup = {PUBLISH_LAYER("la")},
        .undo = {FIND_LAYER, DELETE_LAYER, PUBLISH_LAYER("la")},
        .before = {FIND_LAYER},
        .act = DELETE_LAYER,
        .probe = {LIST_LAYER, LIST_LAYERS},
        .numbered = true,
    },
    {
        .name = "use layers",
        .setup = {ROLE, CREATE, PUBLISH_LAYER("la"), PUBLISH_LAYER("lb")},
        .undo = {USE_LAYERS("")},
        .act = USE_LAYERS(LAYER_ARN("la") "," LAYER_ARN("lb")),
        .probe = {GET},
    },
    {
        .name = "use a layer",
        .setup = {ROLE, CREATE, PUBLISH_LAYER("la")},
        .undo = {USE_LAYERS("")},
        .act = USE_LAYERS(LAYER_ARN("la")),
        .probe = {GET},
    },
    {
        .name = "share layer",
        .setup = {PUBLISH_LAYER("la")},
        .undo = {UNSHARE_LAYER},
        .act = SHARE_LAYER,
        .probe = {LAYER_POLICY},
    },
    {
        .name = "unshare layer",
        .setup = {PUBLISH_LAYER("la"), SHARE_LAYER},
        .undo = {SHARE_LAYER},
        .act = UNSHARE_LAYER,
        .probe = {LAYER_POLICY},
    },
    {
        .name = "add permission",
        .setup = {ROLE, CREATE},
        .undo = {FORBID},
        .act = PERMIT,
        .probe = {GET_POLICY},
    },
    {
        .name = "remove permission",
        .setup = {ROLE, CREATE, PERMIT},
        .undo = {PERMIT},
        .act = FORBID,
        .probe = {GET_POLICY},
    },
    {
        .name = "reserve concurrency",
        .setup = {ROLE, CREATE},
        .undo = {UNRESERVE},
        .act = RESERVE("3"),
        .probe = {GET_RESERVED},
    },
    {
        .name = "give reserved concurrency back",
        .setup = {ROLE, CREATE, RESERVE("3")},
        .undo = {RESERVE("3")},
        .act = UNRESERVE,
        .probe = {GET_RESERVED},
    },
    {
        .name = "invoke as event",
        .setup = {ROLE, CREATE, RESERVE("0")},
        .act = {{.service = "lambda",
                 .method = "POST",
                 .path = "/2015-03-31/functions/f/invocations",
                 .header = "X-Amz-Invocation-Type: Event",
                 .body = "{}"}},
        .probe = {GET_RESERVED},
    },
    {
        .name = "subscribe to a log group",
        .setup = {ROLE, CREATE, RESERVE("0"), PERMIT_LOGS, LOG_GROUP},
        .undo = {UNSUBSCRIBE},
        .act = SUBSCRIBE,
        .probe = {SUBSCRIPTIONS},
    },
    {
        .name = "unsubscribe from a log group",
        .setup = {ROLE, CREATE, RESERVE("0"), PERMIT_LOGS, LOG_GROUP, SUBSCRIBE},
        .undo = {SUBSCRIBE},
        .act = UNSUBSCRIBE,
        .probe = {SUBSCRIPTIONS},
    },
    {
        .name = "put log events that are subscribed to",
        .setup = {ROLE, CREATE, RESERVE("0"), PERMIT_LOGS, LOG_GROUP, LOG_STREAM, SUBSCRIBE},
        .undo = {{LOGS("DeleteLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}")},
                 LOG_STREAM},
        .act = {LOGS("PutLogEvents",
                     "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"logEvents\":"
                     "[{\"timestamp\":%s000,\"message\":\"one two\"}]}")},
        .probe = {{LOGS("FilterLogEvents", "{\"logGroupName\":\"g\"}")}},
    },
    {
        .name = "put event invoke config",
        .setup = {ROLE, CREATE},
        .undo = {CONFIG("DELETE", NULL)},
        .act = CONFIG("PUT", RETRIES("1")),
        .probe = {CONFIG("GET", NULL)},
    },
    {
        .name = "update event invoke config",
        .setup = {ROLE, CREATE, CONFIG("PUT", RETRIES("1"))},
        .undo = {CONFIG("PUT", RETRIES("1"))},
        .act = CONFIG("POST", RETRIES("0")),
        .probe = {CONFIG("GET", NULL)},
    },
    {
        .name = "delete event invoke config",
        .setup = {ROLE, CREATE, CONFIG("PUT", RETRIES("1"))},
        .undo = {CONFIG("PUT", RETRIES("1"))},
        .act = CONFIG("DELETE", NULL),
        .probe = {CONFIG("GET", NULL)},
    },
    {
        .name = "put provisioned concurrency",
        .setup = {ROLE, CREATE, PUBLISH},
        .undo = {WARM("DELETE", NULL)},
        .act = KEEP_WARM("2"),
        .probe = {LIST_WARM},
    },
    {
        .name = "delete provisioned concurrency",
        .setup = {ROLE, CREATE, PUBLISH, KEEP_WARM("2")},
        .undo = {KEEP_WARM("2")},
        .act = WARM("DELETE", NULL),
        .probe = {LIST_WARM},
    },
    {
        .name = "create function URL",
        .setup = {ROLE, CREATE},
        .undo = {URL("DELETE", NULL)},
        .act = CREATE_URL,
        .probe = {LIST_URLS},
    },
    {
        .name = "update function URL",
        .setup = {ROLE, CREATE, CREATE_URL},
        .undo = {URL("DELETE", NULL), CREATE_URL},
        .act = URL("PUT", "{\"AuthType\":\"AWS_IAM\"}"),
        .probe = {LIST_URLS},
    },
    {
        .name = "delete function URL",
        .setup = {ROLE, CREATE, CREATE_URL},
        .undo = {CREATE_URL},
        .act = URL("DELETE", NULL),
        .probe = {LIST_URLS},
    },
    {
        .name = "delete function with URL",
        .setup = {ROLE, CREATE, CREATE_URL},
        .undo = {CREATE, CREATE_URL},
        .act = DELETE,
        .probe = {LIST},
    },
    {
        .name = "recursion config",
        .setup = {ROLE, CREATE},
        .undo = {RECURSION("PUT", "{\"RecursiveLoop\":\"Terminate\"}")},
        .act = RECURSION("PUT", "{\"RecursiveLoop\":\"Allow\"}"),
        .probe = {RECURSION("GET", NULL)},
    },
    {
        .name = "create mapping",
        .setup = {ROLE, GRANT, QUEUE, CREATE},
        .undo = {FIND_MAPPING, DELETE_MAPPING},
        .act = CREATE_MAPPING,
        .probe = {LIST_MAPPINGS},
    },
    {
        .name = "update mapping",
        .setup = {ROLE, GRANT, QUEUE, CREATE, CREATE_MAPPING, FIND_MAPPING},
        .undo = {LAMBDA("PUT", MAPPINGS "/%s", "{\"BatchSize\":10}")},
        .act = LAMBDA("PUT", MAPPINGS "/%s", "{\"BatchSize\":7,\"FunctionName\":\"f\"}"),
        .probe = {LIST_MAPPINGS},
    },
    {
        .name = "delete mapping",
        .setup = {ROLE, GRANT, QUEUE, CREATE, CREATE_MAPPING, FIND_MAPPING},
        .undo = {CREATE_MAPPING, FIND_MAPPING},
        .act = DELETE_MAPPING,
        .probe = {LIST_MAPPINGS},
    },
    {
        .name = "tag function",
        .setup = {ROLE, CREATE},
        .undo = {UNTAG},
        .act = TAG,
        .probe = {GET_TAGS},
    },
    {
        .name = "untag function",
        .setup = {ROLE, CREATE, TAG},
        .undo = {TAG},
        .act = UNTAG,
        .probe = {GET_TAGS},
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
