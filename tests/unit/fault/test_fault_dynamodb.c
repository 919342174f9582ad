/* DynamoDB with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define CREATE_T                                                                                   \
    {                                                                                              \
        DDB("CreateTable",                                                                         \
            "{\"TableName\":\"t1t\",\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}" \
            ",{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}],\"AttributeDefinitions\":["         \
            "{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"s\","          \
            "\"AttributeType\":\"N\"},{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}],"         \
            "\"BillingMode\":\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":[{\"IndexName\":"      \
            "\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],"              \
            "\"Projection\":{\"ProjectionType\":\"ALL\"}}]}")                                      \
    }
#define DELETE_T                                                                                   \
    {                                                                                              \
        DDB("DeleteTable", "{\"TableName\":\"t1t\"}")                                              \
    }
#define KEY(n) "{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"" n "\"}}"
#define ITEM(n, g)                                                                                 \
    "{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"" n "\"},\"g\":{\"S\":\"" g "\"},\"v\":{\"N\":\"1\"}}"
#define PUT(n, g)                                                                                  \
    {                                                                                              \
        DDB("PutItem", "{\"TableName\":\"t1t\",\"Item\":" ITEM(n, g) "}")                          \
    }
#define DELETE(n)                                                                                  \
    {                                                                                              \
        DDB("DeleteItem", "{\"TableName\":\"t1t\",\"Key\":" KEY(n) "}")                            \
    }
#define QUERY                                                                                      \
    {                                                                                              \
        DDB("Query", "{\"TableName\":\"t1t\",\"KeyConditionExpression\":\"p = :p\","               \
                     "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"}}}")                      \
    }
#define QUERY_GSI                                                                                  \
    {                                                                                              \
        DDB("Query", "{\"TableName\":\"t1t\",\"IndexName\":\"gsi\",\"KeyConditionExpression\":"    \
                     "\"g = :p\",\"ExpressionAttributeValues\":{\":p\":{\"S\":\"x\"}}}")           \
    }

#define PROTECT(on)                                                                                \
    {                                                                                              \
        DDB("UpdateTable", "{\"TableName\":\"t1t\",\"DeletionProtectionEnabled\":" on "}")         \
    }
#define T_ARN "\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/t1t\""
#define TAG_T                                                                                      \
    {                                                                                              \
        DDB("TagResource", "{" T_ARN ",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}")               \
    }
#define UNTAG_T                                                                                    \
    {                                                                                              \
        DDB("UntagResource", "{" T_ARN ",\"TagKeys\":[\"k\"]}")                                    \
    }

#define PUT_POLICY_T                                                                               \
    {                                                                                              \
        DDB("PutResourcePolicy",                                                                   \
            "{" T_ARN ",\"Policy\":\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":{"      \
            "\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":"             \
            "\\\"dynamodb:Scan\\\","                                                               \
            "\\\"Resource\\\":\\\"*\\\"}}\"}")                                                     \
    }
#define DELETE_POLICY_T                                                                            \
    {                                                                                              \
        DDB("DeleteResourcePolicy", "{" T_ARN "}")                                                 \
    }
/* Refused where there is a policy, and takes none away where there is none. */
#define NO_POLICY_T                                                                                \
    {                                                                                              \
        DDB("DeleteResourcePolicy", "{" T_ARN ",\"ExpectedRevisionId\":\"NO_POLICY\"}")            \
    }

#define CREATE_S                                                                                   \
    {                                                                                              \
        DDB("CreateTable",                                                                         \
            "{\"TableName\":\"s1t\",\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}" \
            "],\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}],"      \
            "\"BillingMode\":\"PAY_PER_REQUEST\",\"StreamSpecification\":{\"StreamEnabled\":true," \
            "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}}")                                         \
    }
/* The same under a key of KMS. */
#define CREATE_K                                                                                   \
    {                                                                                              \
        DDB("CreateTable",                                                                         \
            "{\"TableName\":\"s1t\",\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}" \
            "],\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}],"      \
            "\"BillingMode\":\"PAY_PER_REQUEST\",\"StreamSpecification\":{\"StreamEnabled\":true," \
            "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"},\"SSESpecification\":{\"Enabled\":true}}") \
    }
#define EXPIRING_S                                                                                 \
    {                                                                                              \
        DDB("UpdateTimeToLive", "{\"TableName\":\"s1t\",\"TimeToLiveSpecification\":{"             \
                                "\"Enabled\":true,\"AttributeName\":\"u\"}}")                      \
    }
#define PUT_S(u)                                                                                   \
    {                                                                                              \
        DDB("PutItem",                                                                             \
            "{\"TableName\":\"s1t\",\"Item\":{\"p\":{\"S\":\"a\"},\"u\":{\"N\":\"" u "\"}}}")      \
    }
#define SCAN_S                                                                                     \
    {                                                                                              \
        DDB("Scan", "{\"TableName\":\"s1t\"}")                                                     \
    }
#define DELETE_S                                                                                   \
    {                                                                                              \
        DDB("DeleteTable", "{\"TableName\":\"s1t\"}")                                              \
    }

#define RECOVER_T(on)                                                                              \
    {                                                                                              \
        DDB("UpdateContinuousBackups",                                                             \
            "{\"TableName\":\"t1t\",\"PointInTimeRecoverySpecification\":{"                        \
            "\"PointInTimeRecoveryEnabled\":" on "}}")                                             \
    }
/* Refused either way: without recovery for that, with it since the table is there. */
#define RESTORE_ONTO_T                                                                             \
    {                                                                                              \
        DDB("RestoreTableToPointInTime", "{\"SourceTableName\":\"t1t\",\"TargetTableName\":"       \
                                         "\"t1t\",\"UseLatestRestorableTime\":"                    \
                                         "true}")                                                  \
    }

/* A window of time in which an item was written; its begin, and the comma behind it, are for `%s`. */
#define OPEN_WINDOW_T                                                                              \
    {DDB("UpdateContinuousBackups",                                                                \
         "{\"TableName\":\"t1t\",\"PointInTimeRecoverySpecification\":{"                           \
         "\"PointInTimeRecoveryEnabled\":true}}"),                                                 \
     .take = "\"EarliestRestorableDateTime\":"},                                                   \
        {DDB("ListTables", "{}"), .pass_ms = 20 * 60 * 1000}, PUT("1", "x")

static const struct fault_case cases[] = {
    {
        .name = "create table",
        .undo = {DELETE_T},
        .act = CREATE_T,
        .probe = {{DDB("ListTables", "{}")}},
    },
    {
        .name = "delete table",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {CREATE_T, PUT("1", "x")},
        .act = DELETE_T,
        .probe = {{DDB("ListTables", "{}")}},
    },
    {
        .name = "put item",
        .setup = {CREATE_T},
        .undo = {DELETE("1")},
        .act = {DDB("PutItem", "{\"TableName\":\"t1t\",\"Item\":" ITEM(
                                   "1", "x") ",\"ConditionExpression\":"
                                             "\"attribute_not_exists(p)\"}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "replace item",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x")},
        .act = {DDB("PutItem", "{\"TableName\":\"t1t\",\"Item\":" ITEM(
                                   "1", "y") ",\"ReturnValues\":\"ALL_OLD\"}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "update item",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x")},
        .act = {DDB("UpdateItem",
                    "{\"TableName\":\"t1t\",\"Key\":" KEY(
                        "1") ",\"UpdateExpression\":"
                             "\"SET #v = v + :o, l = list_append(if_not_exists(l, :e), :e) REMOVE "
                             "g\",\"ConditionExpression\":\"attribute_exists(p) AND v IN (:o)\","
                             "\"ExpressionAttributeNames\":{\"#v\":\"v\"},"
                             "\"ExpressionAttributeValues\":{\":o\":{\"N\":\"1\"},\":e\":{\"L\":["
                             "{\"S\":\"q\"}]}},\"ReturnValues\":\"ALL_NEW\"}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "delete item",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x")},
        .act = {DDB("DeleteItem",
                    "{\"TableName\":\"t1t\",\"Key\":" KEY("1") ",\"ReturnValues\":\"ALL_OLD\"}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "batch write",
        .setup = {CREATE_T, PUT("1", "x"), PUT("3", "x")},
        .undo = {PUT("1", "x"), PUT("3", "x"), DELETE("2")},
        .act = {DDB("BatchWriteItem",
                    "{\"RequestItems\":{\"t1t\":[{\"PutRequest\":{\"Item\":" ITEM(
                        "2", "x") "}},{\"DeleteRequest\":{\"Key\":" KEY("1") "}},{\"PutRequest\":"
                                                                             "{\"Item\":" ITEM(
                                                                                 "3", "y") "}}]}"
                                                                                           "}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "transaction",
        .setup = {CREATE_T, PUT("1", "x"), PUT("3", "x")},
        .undo = {PUT("1", "x"), PUT("3", "x"), DELETE("2")},
        .act = {DDB(
            "TransactWriteItems",
            "{\"TransactItems\":[{\"Put\":{\"TableName\":\"t1t\","
            "\"Item\":" ITEM("2", "x") "}},{\"Delete\":{\"TableName\":"
                                       "\"t1t\",\"Key\":" KEY("1") "}},{\"Update\":{"
                                                                   "\"TableName\":\"t1t\","
                                                                   "\"Key\":" KEY("3") ",\"Updat"
                                                                                       "eExpress"
                                                                                       "ion\":"
                                                                                       "\"SET g "
                                                                                       "= "
                                                                                       ":g\","
                                                                                       "\"Expres"
                                                                                       "sionAttr"
                                                                                       "ibuteVal"
                                                                                       "ues\":"
                                                                                       "{\":g\":"
                                                                                       "{\"S\":"
                                                                                       "\"y\"}}}"
                                                                                       "}]}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "statement that inserts",
        .setup = {CREATE_T},
        .undo = {DELETE("2")},
        .act = {DDB("ExecuteStatement",
                    "{\"Statement\":\"INSERT INTO t1t VALUE {'p': 'a', 's': 2, 'v': 1, 'g': ?}\","
                    "\"Parameters\":[{\"S\":\"x\"}]}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "statement that updates",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x")},
        .act = {DDB(
            "ExecuteStatement",
            "{\"Statement\":\"UPDATE t1t SET v = v + 1 REMOVE g WHERE p = 'a' AND s = 1 AND "
            "g IN ['x'] RETURNING ALL NEW *\"}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "statements in a batch",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x"), DELETE("2")},
        .act = {DDB("BatchExecuteStatement",
                    "{\"Statements\":[{\"Statement\":\"INSERT INTO t1t VALUE {'p': 'a', 's': 2}\"},"
                    "{\"Statement\":\"DELETE FROM t1t WHERE p = 'a' AND s = 1\"}]}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "statements in a transaction",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x"), DELETE("2")},
        .act = {DDB(
            "ExecuteTransaction",
            "{\"TransactStatements\":[{\"Statement\":\"INSERT INTO t1t VALUE {'p': 'a', 's': "
            "2}\"},{\"Statement\":\"DELETE FROM t1t WHERE p = 'a' AND s = 1\"}]}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "statement that selects",
        .setup = {CREATE_T, PUT("1", "x"), PUT("2", "x")},
        .act = {DDB("ExecuteStatement", "{\"Statement\":\"SELECT p, v FROM t1t WHERE p = 'a' AND "
                                        "contains(g, 'x')\",\"Limit\":1}")},
        .probe = {QUERY},
    },
    {
        .name = "update by old parameters",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {PUT("1", "x")},
        .act = {DDB(
            "UpdateItem",
            "{\"TableName\":\"t1t\",\"Key\":" KEY(
                "1") ",\"AttributeUpdates\":{\"v\":{\"Action\":\"ADD\",\"Value\":{\"N\":\"1\"}},"
                     "\"g\":{\"Action\":\"DELETE\"}},\"Expected\":{\"g\":{\"ComparisonOperator\":"
                     "\"NOT_CONTAINS\",\"AttributeValueList\":[{\"S\":\"y\"}]}}}")},
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "query",
        .setup = {CREATE_T, PUT("1", "x"), PUT("2", "x"), PUT("3", "y")},
        .act = {DDB(
            "Query",
            "{\"TableName\":\"t1t\",\"KeyConditionExpression\":\"p = :p AND s > :s\","
            "\"FilterExpression\":\"g <> :y\",\"ProjectionExpression\":\"p, s\",\"Limit\":2,"
            "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"},\":s\":{\"N\":\"0\"},"
            "\":y\":{\"S\":\"z\"}}}")},
        .probe = {QUERY},
    },
    {
        .name = "scan",
        .setup = {CREATE_T, PUT("1", "x"), PUT("2", "x"), PUT("3", "y")},
        .act = {DDB("Scan", "{\"TableName\":\"t1t\"}")},
        .probe = {QUERY},
    },
    {
        .name = "batch get",
        .setup = {CREATE_T, PUT("1", "x"), PUT("2", "x")},
        .act = {DDB("BatchGetItem",
                    "{\"RequestItems\":{\"t1t\":{\"Keys\":[" KEY("1") "," KEY("2") "]}}}")},
        .probe = {QUERY},
    },
    {
        .name = "update table",
        .setup = {CREATE_T},
        .undo = {PROTECT("false")},
        .act = PROTECT("true"),
        .probe = {{DDB("DescribeTable", "{\"TableName\":\"t1t\"}")}},
    },
    {
        .name = "tag table",
        .setup = {CREATE_T},
        .undo = {UNTAG_T},
        .act = TAG_T,
        .probe = {{DDB("ListTagsOfResource", "{" T_ARN "}")}},
    },
    {
        .name = "untag table",
        .setup = {CREATE_T, TAG_T},
        .undo = {TAG_T},
        .act = UNTAG_T,
        .probe = {{DDB("ListTagsOfResource", "{" T_ARN "}")}},
    },
    {
        .name = "put resource policy",
        .setup = {CREATE_T},
        .undo = {DELETE_POLICY_T},
        .act = PUT_POLICY_T,
        .probe = {NO_POLICY_T},
        .any_reply = true, /* its revision */
    },
    {
        .name = "delete resource policy",
        .setup = {CREATE_T, PUT_POLICY_T},
        .undo = {PUT_POLICY_T},
        .act = DELETE_POLICY_T,
        .probe = {NO_POLICY_T},
        .any_reply = true, /* its revision */
    },
    {
        .name = "recovery of a table",
        .setup = {CREATE_T},
        .undo = {RECOVER_T("false")},
        .act = RECOVER_T("true"),
        .probe = {RESTORE_ONTO_T},
        .any_reply = true, /* times */
    },
    {
        .name = "replace item of a table with recovery",
        .setup = {CREATE_T, RECOVER_T("true"), PUT("1", "x")},
        .undo = {PUT("1", "x")},
        .act = PUT("1", "y"),
        .probe = {QUERY, QUERY_GSI},
    },
    {
        .name = "delete table with recovery",
        .setup = {CREATE_T, RECOVER_T("true"), PUT("1", "x")},
        .undo = {CREATE_T, RECOVER_T("true"), PUT("1", "x")},
        .act = DELETE_T,
        .probe = {{DDB("ListTables", "{}")}},
    },
    {
        .name = "create backup",
        .setup = {CREATE_T, PUT("1", "x")},
        .undo = {DELETE_T, CREATE_T, PUT("1", "x")}, /* so many backups a table has at a time */
        .act = {DDB("CreateBackup", "{\"TableName\":\"t1t\",\"BackupName\":\"one\"}")},
        .probe = {QUERY, QUERY_GSI},
        .any_reply = true, /* its ARN */
    },
    {
        .name = "begin export",
        .setup = {CREATE_T, RECOVER_T("true"), PUT("1", "x")},
        .undo = {DELETE_T, CREATE_T, RECOVER_T("true"), PUT("1", "x")},
        .act = {DDB("ExportTableToPointInTime",
                    "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/t1t\","
                    "\"S3Bucket\":\"bucket\"}")},
        .probe = {QUERY, QUERY_GSI},
        .any_reply = true, /* its ARN */
    },
    {
        .name = "begin an incremental export",
        .setup = {CREATE_T, OPEN_WINDOW_T},
        .undo = {DELETE_T, CREATE_T, OPEN_WINDOW_T},
        .act = {DDB("ExportTableToPointInTime",
                    "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/t1t\","
                    "\"S3Bucket\":\"bucket\",\"ExportType\":\"INCREMENTAL_EXPORT\","
                    "\"IncrementalExportSpecification\":{\"ExportFromTime\":%s"
                    "\"ExportViewType\":\"NEW_IMAGE\"}}")},
        .probe = {QUERY, QUERY_GSI},
        .any_reply = true, /* its ARN */
    },
    {
        .name = "ask for an import again",
        .act = {DDB("ImportTable",
                    "{\"ClientToken\":\"once\",\"S3BucketSource\":{\"S3Bucket\":\"bucket\"},"
                    "\"InputFormat\":\"CSV\","
                    "\"TableCreationParameters\":{\"TableName\":\"imported\","
                    "\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"id\","
                    "\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
                    "\"AttributeType\":\"S\"}]}}")},
        .any_reply = true, /* its ARN */
    },
    {
        .name = "put item of a table with a stream and expiry times",
        .setup = {CREATE_S, EXPIRING_S, PUT_S("99999999999")},
        .undo = {PUT_S("99999999999")},
        .act = PUT_S("99999990000"),
        .probe = {SCAN_S},
    },
    {
        .name = "create table under a key",
        .undo = {DELETE_S},
        .act = CREATE_K,
        .probe = {{DDB("ListTables", "{}")}},
    },
    {
        .name = "put item of a table under a key",
        .setup = {CREATE_K, EXPIRING_S, PUT_S("99999999999")},
        .undo = {PUT_S("99999999999")},
        .act = PUT_S("99999990000"),
        .probe = {SCAN_S},
    },
    {
        .name = "create table with a stream",
        .undo = {DELETE_S},
        .act = CREATE_S,
        .probe = {{DDB("ListTables", "{}")}},
    },
    {
        .name = "delete table with a stream",
        .setup = {CREATE_S, PUT_S("1")},
        .undo = {CREATE_S, PUT_S("1")},
        .act = DELETE_S,
        .probe = {{DDB("ListTables", "{}")}},
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
