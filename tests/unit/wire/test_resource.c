/* ARNs of what requests act on, the further permissions they need, their condition keys. */
#include "help_wire.h"

struct row {
    const char *scope, *request, *expected;
};

#define DDB(op, body) "POST /\nX-Amz-Target: DynamoDB_20120810." op "\n\n" body
#define LOGS(op, body) "POST /\nX-Amz-Target: Logs_20140328." op "\n\n" body
#define FORM(body) "POST /\nContent-Type: application/x-www-form-urlencoded\n\n" body

static const struct row rows[] = {
    {"s3", "PUT /b/a%20b/c", "arn:aws:s3:::b/a b/c"},
    {"s3", "GET /b", "arn:aws:s3:::b"},
    {"s3", "GET /", "arn:aws:s3:::*"},
    {"s3", "POST /b?delete\n\n<Delete><Object><Key>k</Key></Object></Delete>", "(absent)"},
    {"dynamodb", DDB("DescribeTable", "{\"TableName\":\"tbl\"}"), "arn:aws:dynamodb:r:1:table/tbl"},
    {"dynamodb", DDB("DescribeTable", "{\"TableName\":\"arn:aws:dynamodb:x:2:table/tbl\"}"),
     "arn:aws:dynamodb:r:1:table/tbl"},
    {"dynamodb", DDB("Query", "{\"TableName\":\"tbl\",\"IndexName\":\"idx\"}"),
     "arn:aws:dynamodb:r:1:table/tbl/index/idx"},
    {"dynamodb", DDB("Query", "{\"TableName\":\"tbl\"}"), "arn:aws:dynamodb:r:1:table/tbl"},
    {"dynamodb", DDB("ListTables", "{}"), "arn:aws:dynamodb:r:1:table/*"},
    {"dynamodb", DDB("ListTagsOfResource", "{\"ResourceArn\":\"arn:x\"}"), "arn:x"},
    {"sqs", FORM("Action=PurgeQueue&QueueUrl=http://h:1/000000000000/q"), "arn:aws:sqs:r:1:q"},
    {"sqs", FORM("Action=CreateQueue&QueueName=q"), "arn:aws:sqs:r:1:q"},
    {"lambda", "GET /2015-03-31/functions/f", "arn:aws:lambda:r:1:function:f"},
    {"lambda", "GET /2015-03-31/functions/f:live", "arn:aws:lambda:r:1:function:f:live"},
    {"lambda", "GET /2015-03-31/functions/f?Qualifier=3", "arn:aws:lambda:r:1:function:f:3"},
    {"lambda", "GET /2015-03-31/functions/000000000000:function:f:3",
     "arn:aws:lambda:r:1:function:f:3"},
    {"lambda", "GET /2015-03-31/functions/f:3?Qualifier=3", "arn:aws:lambda:r:1:function:f:3"},
    {"lambda", "GET /2015-03-31/functions/f:3/versions", "arn:aws:lambda:r:1:function:f"},
    {"lambda", "GET /2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f",
     "arn:aws:lambda:r:1:function:f"},
    {"iam", FORM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=x&Path=/a/"),
     "arn:aws:iam::1:role/a/r"},
    {"iam", FORM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=x"),
     "arn:aws:iam::1:role/r"},
    {"iam", FORM("Action=GetUser"), "arn:aws:iam::1:user/*"},
    {"logs", LOGS("CreateLogStream", "{\"logGroupName\":\"/aws/g\",\"logStreamName\":\"a/b\"}"),
     "arn:aws:logs:r:1:log-group:/aws/g:log-stream:a/b"},
    {"logs",
     LOGS("GetLogEvents", "{\"logGroupIdentifier\":\"arn:aws:logs:r:1:log-group:g\","
                          "\"logStreamName\":\"s\"}"),
     "arn:aws:logs:r:1:log-group:g:log-stream:s"},
};

static struct wire_ask ask_of(struct exchange *x)
{
    return (struct wire_ask){x->routed.op, x->in, STR("1"), STR("r"), STR("aws"), &x->arena};
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        struct str arn;
        if (exchange_decode(&x, rows[i].scope, rows[i].request) != ERR_OK)
            fail_msg("%s: %s", rows[i].request, cstr(&x, x.fault.message));
        struct wire_ask ask = ask_of(&x);
        assert_int_equal(wire_resource(&ask, x.routed.op->resource, &arn), ERR_OK);
        assert_string_equal(cstr(&x, arn), rows[i].expected);
        exchange_release(&x);
    }
}

/* --- further permissions and condition keys --------------------------------------------------- */

static const struct row need_rows[] = {
    {"s3", "GET /b/k", "s3:GetObject arn:aws:s3:::b/k"},
    {"s3", "GET /b/k?versionId=v", "s3:GetObjectVersion arn:aws:s3:::b/k"},
    {"s3", "PUT /b/k\nx-amz-copy-source: /o/a%2Fb",
     "s3:PutObject arn:aws:s3:::b/k,s3:GetObject arn:aws:s3:::o/a/b"},
    {"s3", "PUT /b/k\nx-amz-copy-source: o/k?versionId=v%31",
     "s3:PutObject arn:aws:s3:::b/k,s3:GetObjectVersion arn:aws:s3:::o/k"},
    {"s3", "PUT /b/k\nx-amz-copy-source: o/%zz",
     "s3:PutObject arn:aws:s3:::b/k,s3:GetObject arn:aws:s3:::o/%zz"},
    {"s3", "POST /b/k?uploads\nx-amz-tagging: a=b",
     "s3:PutObject arn:aws:s3:::b/k,s3:PutObjectTagging arn:aws:s3:::b/k"},
    {"sqs", FORM("Action=CreateQueue&QueueName=q"), "sqs:CreateQueue arn:aws:sqs:r:1:q"},
    {"sqs", FORM("Action=CreateQueue&QueueName=q&Tag.1.Key=a&Tag.1.Value=b"),
     "sqs:CreateQueue arn:aws:sqs:r:1:q,sqs:TagQueue arn:aws:sqs:r:1:q"},
    {"lambda", "PUT /2015-03-31/functions/f/configuration\n\n{\"Timeout\":3}",
     "lambda:UpdateFunctionConfiguration arn:aws:lambda:r:1:function:f"},
    {"lambda",
     "PUT /2015-03-31/functions/f/configuration\n\n{\"Role\":\"arn:aws:iam::000000000000:role/x\"}",
     "lambda:UpdateFunctionConfiguration arn:aws:lambda:r:1:function:f,"
     "iam:PassRole arn:aws:iam::000000000000:role/x"},
    {"lambda", "PUT /2015-03-31/functions/f/code\n\n{\"S3Bucket\":\"bbb\",\"S3Key\":\"k\"}",
     "lambda:UpdateFunctionCode arn:aws:lambda:r:1:function:f,s3:GetObject arn:aws:s3:::bbb/k"},
};

static void put_need(struct buf *b, const struct wire_ask *ask, const struct wire_need *need)
{
    struct str arn;
    bool holds;
    assert_int_equal(wire_when(ask, need->when, &holds), ERR_OK);
    if (!holds)
        return;
    assert_int_equal(wire_resource(ask, need->resource, &arn), ERR_OK);
    buf_add_fmt(b, "%s" STR_FMT " " STR_FMT, b->len ? "," : "", STR_ARG(need->action),
                STR_ARG(arn));
}

static void test_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(need_rows); i++) {
        struct exchange x;
        struct buf b;
        if (exchange_decode(&x, need_rows[i].scope, need_rows[i].request) != ERR_OK)
            fail_msg("%s: %s", need_rows[i].request, cstr(&x, x.fault.message));
        struct wire_ask ask = ask_of(&x);
        const struct wire_op *op = x.routed.op;
        buf_init(&b, 4096);
        put_need(&b, &ask, &(struct wire_need){op->action, op->resource, op->when, STR_NONE});
        for (size_t k = 0; k < op->n_also; k++)
            put_need(&b, &ask, &op->also[k]);
        assert_string_equal(cstr(&x, buf_str(&b)), need_rows[i].expected);
        buf_release(&b);
        exchange_release(&x);
    }
}

/* Whose account a request reaches into; "-": the caller's own. */
static const struct row owner_rows[] = {
    {"sqs", FORM("Action=SendMessage&MessageBody=m&QueueUrl=http://h/222222222222/q"),
     "222222222222"},
    {"sqs", FORM("Action=SendMessage&MessageBody=m&QueueUrl=q"), "-"},
    {"sqs", FORM("Action=SendMessage&MessageBody=m&QueueUrl=http://h/22222222222/q"), "-"},
    {"sqs", FORM("Action=ListQueueTags&QueueUrl=http://h/222222222222/q"), "-"},
    {"sqs", FORM("Action=GetQueueUrl&QueueName=q&QueueOwnerAWSAccountId=222222222222"),
     "222222222222"},
    {"dynamodb",
     DDB("DescribeTable", "{\"TableName\":\"arn:aws:dynamodb:r:222222222222:table/t\"}"),
     "222222222222"},
    {"dynamodb", DDB("DescribeTable", "{\"TableName\":\"222222222222\"}"), "-"},
    {"lambda", "GET /2015-03-31/functions/222222222222:function:f", "222222222222"},
    {"lambda", "GET /2015-03-31/functions/f:222222222222", "-"},
};

static void test_owners(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(owner_rows); i++) {
        struct exchange x;
        if (exchange_decode(&x, owner_rows[i].scope, owner_rows[i].request) != ERR_OK)
            fail_msg("%s: %s", owner_rows[i].request, cstr(&x, x.fault.message));
        struct str owner = wire_owner(x.routed.op, ask_of(&x).in);
        assert_string_equal(str_is_set(owner) ? cstr(&x, owner) : "-", owner_rows[i].expected);
        exchange_release(&x);
    }
}

static const struct row key_rows[] = {
    {"s3", "GET /b?prefix=p&max-keys=3", "s3:ResourceAccount=1 s3:max-keys=3 s3:prefix=p "},
    {"s3", "GET /b?prefix=", "s3:ResourceAccount=1 s3:prefix= "},
    {"lambda", "PUT /2015-03-31/functions/f/configuration\n\n{}",
     "iam:AssociatedResourceArn=arn:aws:lambda:r:1:function:f "
     "iam:PassedToService=lambda.amazonaws.com "},
    {"sqs",
     FORM("Action=CreateQueue&QueueName=q&Tag.1.Key=a&Tag.1.Value=b&Tag.2.Key=c&Tag.2.Value="),
     "aws:TagKeys=a aws:RequestTag/a=b aws:TagKeys=c aws:RequestTag/c= "},
    {"sqs", FORM("Action=UntagQueue&QueueUrl=http://h/1/q&TagKey.1=a"), "aws:TagKeys=a "},
    {"dynamodb",
     DDB("TagResource", "{\"ResourceArn\":\"arn:x\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}"),
     "aws:TagKeys=k aws:RequestTag/k=v "},
    {"logs", LOGS("CreateLogGroup", "{\"logGroupName\":\"g\",\"tags\":{\"k\":\"v\"}}"),
     "aws:TagKeys=k aws:RequestTag/k=v "},
    {"sts",
     FORM("Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=se"
          "&TransitiveTagKeys.member.1=a&TransitiveTagKeys.member.2=b"),
     "sts:RoleSessionName=se sts:TransitiveTagKeys=a sts:TransitiveTagKeys=b "},
};

static enum err put_key(void *arg, struct str name, struct str value)
{
    buf_add_fmt(arg, STR_FMT "=" STR_FMT " ", STR_ARG(name), STR_ARG(value));
    return ERR_OK;
}

static enum err stop(void *arg, struct str name, struct str value)
{
    (void)name, (void)value;
    ++*(int *)arg;
    return ERR_LIMIT;
}

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(key_rows); i++) {
        struct exchange x;
        struct buf b;
        int calls = 0;
        if (exchange_decode(&x, key_rows[i].scope, key_rows[i].request) != ERR_OK)
            fail_msg("%s: %s", key_rows[i].request, cstr(&x, x.fault.message));
        struct wire_ask ask = ask_of(&x);
        buf_init(&b, 4096);
        assert_int_equal(wire_keys_each(&ask, put_key, &b), ERR_OK);
        assert_string_equal(cstr(&x, buf_str(&b)), key_rows[i].expected);
        assert_int_equal(wire_keys_each(&ask, stop, &calls), ERR_LIMIT);
        assert_int_equal(calls, 1);
        buf_release(&b);
        exchange_release(&x);
    }
}

static void test_input_str(void **state)
{
    (void)state;
    struct exchange x;
    assert_int_equal(exchange_decode(&x, "lambda",
                                     "PUT /2015-03-31/functions/f/configuration\n\n{\"DeadLetter"
                                     "Config\":{\"TargetArn\":\"\"},\"Timeout\":3}"),
                     ERR_OK);
    assert_string_equal(cstr(&x, wire_input_str(x.routed.op, x.in, STR("FunctionName"))), "f");
    assert_string_equal(
        cstr(&x, wire_input_str(x.routed.op, x.in, STR("DeadLetterConfig.TargetArn"))), "");
    static const char *const absent[] = {
        "Timeout", "Nope", "DeadLetterConfig", "FunctionName.x", "DeadLetterConfig.Nope", ""};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        assert_false(str_is_set(wire_input_str(x.routed.op, x.in, str_c(absent[i]))));
    exchange_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_needs),
        cmocka_unit_test(test_owners),    cmocka_unit_test(test_keys),
        cmocka_unit_test(test_input_str),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
