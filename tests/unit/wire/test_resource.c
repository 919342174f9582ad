/* ARNs of what requests act on. */
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
    {"s3", "GET /", "*"},
    {"s3", "POST /b?delete\n\n<Delete><Object><Key>k</Key></Object></Delete>", "(absent)"},
    {"dynamodb", DDB("DescribeTable", "{\"TableName\":\"t\"}"), "arn:aws:dynamodb:r:1:table/t"},
    {"dynamodb", DDB("DescribeTable", "{\"TableName\":\"arn:aws:dynamodb:x:2:table/t\"}"),
     "arn:aws:dynamodb:r:1:table/t"},
    {"dynamodb", DDB("Query", "{\"TableName\":\"t\",\"IndexName\":\"idx\"}"),
     "arn:aws:dynamodb:r:1:table/t/index/idx"},
    {"dynamodb", DDB("Query", "{\"TableName\":\"t\"}"), "arn:aws:dynamodb:r:1:table/t"},
    {"dynamodb", DDB("ListTables", "{}"), "*"},
    {"dynamodb", DDB("ListTagsOfResource", "{\"ResourceArn\":\"arn:x\"}"), "arn:x"},
    {"sqs", FORM("Action=PurgeQueue&QueueUrl=http://h:1/000000000000/q"), "arn:aws:sqs:r:1:q"},
    {"sqs", FORM("Action=CreateQueue&QueueName=q"), "arn:aws:sqs:r:1:q"},
    {"lambda", "GET /2015-03-31/functions/f", "arn:aws:lambda:r:1:function:f"},
    {"lambda", "GET /2015-03-31/functions/f:live", "arn:aws:lambda:r:1:function:f"},
    {"lambda", "GET /2015-03-31/functions/f?Qualifier=3", "arn:aws:lambda:r:1:function:f:3"},
    {"lambda", "GET /2015-03-31/functions/000000000000:function:f:3",
     "arn:aws:lambda:r:1:function:f"},
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

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        struct str arn;
        if (exchange_decode(&x, rows[i].scope, rows[i].request) != ERR_OK)
            fail_msg("%s: %s", rows[i].request, cstr(&x, x.fault.message));
        assert_int_equal(
            wire_resource(x.routed.op, x.in, STR("1"), STR("r"), STR("aws"), &x.arena, &arn),
            ERR_OK);
        assert_string_equal(cstr(&x, arn), rows[i].expected);
        exchange_release(&x);
    }
}

/* Every hole of every template names a member of its operation's input. */
static void test_templates(void **state)
{
    (void)state;
    for (size_t s = 0; s < n_all_services; s++) {
        for (size_t i = 0; i < all_services[s]->n_ops; i++) {
            const struct wire_op *op = &all_services[s]->ops[i];
            struct str rest = op->resource;
            while (rest.p && str_find(rest, '{') != SIZE_MAX) {
                (void)str_cut(&rest, '{');
                struct str hole = str_cut(&rest, '}');
                struct str name = str_cut(&hole, '|');
                bool known = str_eq_c(name, "account") || str_eq_c(name, "region") ||
                             str_eq_c(name, "partition");
                for (size_t m = 0; m < op->input->n_members && !known; m++)
                    known = str_eq(op->input->members[m].name, name);
                if (!known)
                    fail_msg("%s: {%.*s}", op->name.p, STR_ARG(name));
            }
        }
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
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_input_str),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
