/* The spec's constraints, in each service's words. */
#include "help_wire.h"
#include "wire/wire_int.h"

struct row {
    const char *name;
    const char *scope;
    const char *request;
    const char *expected; /* "" valid, or "Code: message" */
};

#define DDB(op, body) "POST /\nX-Amz-Target: DynamoDB_20120810." op "\n\n" body
#define SQS(op, body) "POST /\nX-Amz-Target: AmazonSQS." op "\n\n" body
#define LOGS(op, body) "POST /\nX-Amz-Target: Logs_20140328." op "\n\n" body
#define IAM(body) "POST /\nContent-Type: application/x-www-form-urlencoded\n\n" body

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X512 X64 X64 X64 X64 X64 X64 X64 X64

static const struct row rows[] = {
    {"required member", "dynamodb", DDB("Scan", "{}"),
     "ValidationException: 1 validation error detected: Value null at 'tableName' failed to "
     "satisfy "
     "constraint: Member must not be null"},
    {"a member whose absence is told alone", "dynamodb", DDB("CreateTable", "{\"KeySchema\":[]}"),
     "ValidationException: The parameter 'TableName' is required but was not present in the "
     "request"},
    {"shortest name", "dynamodb", DDB("DescribeTable", "{\"TableName\":\"\"}"),
     "ValidationException: 1 validation error detected: Value '' at 'tableName' failed to satisfy "
     "constraint: Member must have length greater than or equal to 1"},
    {"spaces in a name", "dynamodb", DDB("DescribeTable", "{\"TableName\":\"a b c\"}"),
     "ValidationException: 1 validation error detected: Value 'a b c' at 'tableName' failed to "
     "satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
    {"a short name", "dynamodb", DDB("DescribeTable", "{\"TableName\":\"ab\"}"),
     "ValidationException: 1 validation error detected: Value 'ab' at 'tableName' failed to "
     "satisfy "
     "constraint: Member must have length greater than or equal to 3"},
    {"an ARN is no name", "dynamodb",
     DDB("DescribeTable", "{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/t\"}"),
     ""},
    {"two errors", "dynamodb", DDB("GetItem", "{}"),
     "ValidationException: 2 validation errors detected: Value null at 'tableName' failed to "
     "satisfy constraint: Member must not be null; Value null at 'key' failed to satisfy "
     "constraint: Member must not be null"},
    {"enum", "dynamodb",
     DDB("PutItem", "{\"TableName\":\"tbl\",\"Item\":{},\"ReturnValues\":\"SOME\"}"),
     "ValidationException: 1 validation error detected: Value 'SOME' at 'returnValues' failed to "
     "satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE,"
     " UPDATED_NEW]"},
    {"range at its edge", "dynamodb", DDB("Scan", "{\"TableName\":\"tbl\",\"Limit\":1}"), ""},
    {"range one past", "dynamodb", DDB("Scan", "{\"TableName\":\"tbl\",\"Limit\":0}"),
     "ValidationException: 1 validation error detected: Value '0' at 'limit' failed to satisfy "
     "constraint: Member must have value greater than or equal to 1"},
    {"a name of 512 characters", "logs",
     LOGS("CreateLogStream", "{\"logGroupName\":\"" X512 "\",\"logStreamName\":\"" X512 "\"}"), ""},
    {"one that is longer, told alone", "logs",
     LOGS("CreateLogStream", "{\"logGroupName\":\"" X512 "!\"}"),
     "InvalidParameterException: Invalid LogGroup or LogStream, both must have length less than or "
     "equal to 512."},
    {"the other of two", "logs",
     LOGS("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"" X512 "x\"}"),
     "InvalidParameterException: Invalid LogGroup or LogStream, both must have length less than or "
     "equal to 512."},
    {"the same shape under another name", "logs",
     LOGS("DescribeLogGroups", "{\"logGroupNamePrefix\":\"" X512 "x\"}"),
     "InvalidParameterException: 1 validation error detected: Value '" X512 "x' at "
     "'logGroupNamePrefix' failed to satisfy constraint: Member must have length less than or "
     "equal "
     "to 512"},
    {"members in the documents' order", "logs",
     LOGS("PutMetricFilter",
          "{\"logGroupName\":\"g\",\"filterName\":\"f\",\"filterPattern\":\"\","
          "\"metricTransformations\":[{\"metricName\":\"a\",\"metricNamespace\":\"n\","
          "\"metricValue\":\"1\"},{\"metricName\":\"b\",\"metricNamespace\":\"n\","
          "\"metricValue\":\"1\"}]}"),
     "InvalidParameterException: 1 validation error detected: Value "
     "'[MetricTransformation(metricName=a, "
     "metricNamespace=n, metricValue=1, defaultValue=null, unit=null, dimensions=null), "
     "MetricTransformation(metricName=b, metricNamespace=n, metricValue=1, defaultValue=null, "
     "unit=null, dimensions=null)]' at 'metricTransformations' failed to satisfy constraint: "
     "Member "
     "must have length less than or equal to 1"},
    {"a bare bound", "dynamodb", DDB("Query", "{\"TableName\":\"tbl\",\"Limit\":0}"),
     "ValidationException: 1 validation error detected: Value at 'Limit' failed to satisfy "
     "constraint: Member must have value greater than or equal to 1"},
    {"texts are shown beside bare bounds", "dynamodb",
     DDB("Query", "{\"TableName\":\"tbl\",\"Select\":\"X\"}"),
     "ValidationException: 1 validation error detected: Value 'X' at 'select' failed to satisfy "
     "constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, "
     "ALL_PROJECTED_ATTRIBUTES]"},
    {"structures are shown as Java prints them", "dynamodb",
     DDB("BatchWriteItem", "{\"RequestItems\":{\"a!b\":[{\"DeleteRequest\":{\"Key\":{\"k\":{\"S\":"
                           "\"x\"}}}}]}}"),
     "ValidationException: 1 validation error detected: Value '{a!b=[WriteRequest(putRequest=null, "
     "deleteRequest=DeleteRequest(key={\"k\":{\"S\":\"x\"}}))]}' at 'requestItems' failed to "
     "satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or "
     "equal to 255, Member must have length greater than or equal to 3, Member must satisfy "
     "regular expression pattern: [a-zA-Z0-9_.-]+]"},
    {"a map's key in a place", "dynamodb",
     DDB("BatchGetItem", "{\"RequestItems\":{\"Tbl\":{\"ConsistentRead\":true}}}"),
     "ValidationException: 1 validation error detected: Value null at "
     "'requestItems.Tbl.member.keys' failed to satisfy constraint: Member must not be null"},
    {"inside a list of structures", "dynamodb",
     DDB("CreateTable", "{\"TableName\":\"tab\",\"AttributeDefinitions\":[],\"KeySchema\":[{"
                        "\"AttributeName\":\"a\""
                        "},{\"KeyType\":\"X\",\"AttributeName\":\"b\"}]}"),
     "ValidationException: 2 validation errors detected: Value null at "
     "'keySchema.1.member.keyType' "
     "failed to satisfy constraint: Member must not be null; Value 'X' at "
     "'keySchema.2.member.keyType' failed to satisfy constraint: Member must satisfy enum value "
     "set: [HASH, RANGE]"},
    {"too many elements of a map's list", "dynamodb",
     DDB("BatchWriteItem", "{\"RequestItems\":{\"tbl\":[]}}"),
     "ValidationException: 1 validation error detected: Value '{tbl=[]}' at 'requestItems' failed "
     "to satisfy constraint: Map value must satisfy constraint: [Member must have length less than "
     "or equal to 25, Member must have length greater than or equal to 1]"},

    {"logs pattern", "logs", LOGS("CreateLogGroup", "{\"logGroupName\":\"a b\"}"),
     "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed "
     "to satisfy constraint: Member must satisfy regular expression pattern: "
     "[\\.\\-_/#A-Za-z0-9]+"},
    {"logs longest name", "logs",
     LOGS("CreateLogGroup", "{\"logGroupName\":\"" /* 8 * 64 = 512 */
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123"
                            "0123456789012345678901234567890123456789012345678901234567890123\"}"),
     ""},

    {"lambda pattern", "lambda", "GET /2015-03-31/functions/a%20b",
     "ValidationException: 1 validation error detected: Value 'a b' at 'functionName' failed to "
     "satisfy constraint: Member must satisfy regular expression pattern: *"},
    {"lambda a range", "lambda",
     "PUT /2015-03-31/functions/f/configuration\n\n{\"MemorySize\":127,\"Timeout\":900}",
     "ValidationException: 1 validation error detected: Value '127' at 'memorySize' failed to "
     "satisfy constraint: Member must have value greater than or equal to 128"},

    {"sqs missing", "sqs", SQS("SendMessage", "{\"QueueUrl\":\"u\"}"),
     "MissingRequiredParameterException: The request must contain the parameter MessageBody."},
    {"sqs missing, the first alone", "sqs", SQS("SendMessage", "{}"),
     "MissingRequiredParameterException: The request must contain the parameter QueueUrl."},
    {"sqs missing inside", "sqs",
     SQS("SendMessageBatch", "{\"QueueUrl\":\"u\",\"Entries\":[{\"MessageBody\":\"b\"}]}"),
     "MissingRequiredParameterException: The request must contain the parameter "
     "SendMessageBatchRequestEntry.1.Id."},

    {"iam missing and pattern", "iam",
     IAM("Action=CreateRole&RoleName=a%20b&AssumeRolePolicyDocument=x"),
     "ValidationError: 1 validation error detected: Value 'a b' at 'roleName' failed to satisfy "
     "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+"},
    {"iam unicode escapes in a pattern", "iam",
     IAM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%22a%22%3A%09%22%C3%A9%22%7D"),
     ""},
    {"iam list of names", "iam",
     IAM("Action=UntagRole&RoleName=r&TagKeys.member.1=ok&TagKeys.member.2="),
     "ValidationError: 1 validation error detected: Value '[ok, ]' at 'tagKeys' failed to satisfy "
     "constraint: Member must satisfy constraint: [Member must have length less than or equal to "
     "128, Member must have length greater than or equal to 1, Member must satisfy regular "
     "expression pattern: *"},

    {"s3 enum in the head", "s3", "PUT /b\nx-amz-object-ownership: everyone",
     "InvalidArgument: Value 'everyone' at 'objectOwnership' failed to satisfy constraint: Member "
     "must satisfy enum value set: [BucketOwnerPreferred, ObjectWriter, BucketOwnerEnforced]"},
};

/* `pattern` may end with '*': anything follows. */
static bool matches(const char *got, const char *pattern)
{
    size_t n = strlen(pattern);
    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(got, pattern, n - 1) == 0;
    return strcmp(got, pattern) == 0;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        const char *got = "";
        enum err e = exchange_decode(&x, rows[i].scope, rows[i].request);
        if (e == ERR_FAILED)
            got = cstr(&x, str_fmt(&x.arena, STR_FMT ": " STR_FMT, STR_ARG(x.fault.error->name),
                                   STR_ARG(x.fault.message)));
        else
            assert_int_equal(e, ERR_OK);
        if (!matches(got, rows[i].expected))
            fail_msg("%s:\n got  %s\n want %s", rows[i].name, got, rows[i].expected);
        exchange_release(&x);
    }
}

/* No more than WIRE_FAULTS_MAX are told. */
static void test_many_faults(void **state)
{
    (void)state;
    struct buf b;
    struct exchange x;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, DDB("CreateTable", "{\"TableName\":\"tab\",\"AttributeDefinitions\":[],"
                                     "\"KeySchema\":["));
    for (int i = 0; i < 100; i++)
        buf_add_c(&b, i ? ",{}" : "{}");
    buf_add_c(&b, "]}");
    buf_add_byte(&b, '\0');
    assert_int_equal(exchange_decode(&x, "dynamodb", b.p), ERR_FAILED);
    assert_true(str_starts(x.fault.message, STR("20 validation errors detected: ")));
    exchange_release(&x);
    buf_release(&b);
}

static void test_every_pattern_compiles(void **state)
{
    (void)state;
    for (size_t s = 0; s < n_all_services; s++) {
        for (size_t i = 0; i < all_services[s]->n_patterns; i++) {
            bool match = true;
            assert_int_equal(wire_pattern_match(&all_services[s]->patterns[i],
                                                STR("\x01 no name is like this"), &match),
                             ERR_OK);
        }
    }
}

static void test_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"a+", "aaa", true},
        {"a+", "aab", false},
        {"a+", "baa", false},
        {"a|ab", "ab", true},
        {"^a$", "a\n", false},
        {"[\\u0020-\\u00FF]+", "\xc3\xa9", true},
        {"\\p{L}+", "\xc3\xa9t\xc3\xa9", true},
        {"", "", true},
        {"(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_pattern p = {.text = cases[i].pattern};
        bool match = !cases[i].match;
        assert_int_equal(wire_pattern_match(&p, str_c(cases[i].text), &match), ERR_OK);
        if (match != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
        wire_pattern_release(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_every_pattern_compiles),
        cmocka_unit_test(test_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
