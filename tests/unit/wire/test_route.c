/* Which service and operation a request names. */
#include "help_wire.h"

struct row {
    const char *name;
    const char *scope; /* NULL: unsigned */
    const char *request;
    enum wire_outcome outcome;
    const char *op; /* "service.Operation"; NULL: not looked at */
    const char *labels;
};

static const struct row rows[] = {
    {"dynamodb target", "dynamodb",
     "POST /\nX-Amz-Target: DynamoDB_20120810.PutItem\nContent-Type: "
     "application/x-amz-json-1.0\n\n{}",
     WIRE_ROUTED, "dynamodb.PutItem", ""},
    {"target before the body is read", "dynamodb",
     "POST /\nx-amz-target: DynamoDB_20120810.GetItem", WIRE_ROUTED, "dynamodb.GetItem", ""},
    {"dynamodb streams is another service", "dynamodb",
     "POST /\nX-Amz-Target: DynamoDBStreams_20120810.GetRecords\n\n{}", WIRE_ROUTED,
     "streams.GetRecords", ""},
    {"known but not supported", "dynamodb",
     "POST /\nX-Amz-Target: DynamoDB_20120810.UpdateGlobalTableSettings\n\n{}", WIRE_UNSUPPORTED,
     "dynamodb.UpdateGlobalTableSettings", ""},
    {"no such operation", "dynamodb", "POST /\nX-Amz-Target: DynamoDB_20120810.PutItems\n\n{}",
     WIRE_UNKNOWN_OPERATION, "dynamodb.PutItems", ""},
    {"target without a dot", "dynamodb", "POST /\nX-Amz-Target: PutItem\n\n{}",
     WIRE_UNKNOWN_SERVICE, NULL, ""},
    {"target of nothing here", "swf",
     "POST /\nX-Amz-Target: SimpleWorkflowService.ListDomains\n\n{}", WIRE_UNKNOWN_SERVICE, NULL,
     ""},
    {"logs", "logs", "POST /\nX-Amz-Target: Logs_20140328.PutLogEvents\n\n{}", WIRE_ROUTED,
     "logs.PutLogEvents", ""},
    {"sqs json", "sqs", "POST /\nX-Amz-Target: AmazonSQS.SendMessage\n\n{}", WIRE_ROUTED,
     "sqs.SendMessage", ""},
    {"sqs query", "sqs",
     "POST /\nContent-Type: "
     "application/x-www-form-urlencoded\n\nAction=SendMessage&Version=2012-11-05",
     WIRE_ROUTED, "sqs.SendMessage", ""},
    {"sqs query at the queue's url", "sqs",
     "POST /000000000000/q\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n\n"
     "Action=ReceiveMessage",
     WIRE_ROUTED, "sqs.ReceiveMessage", ""},
    {"sqs get", "sqs", "GET /000000000000/q?Action=ReceiveMessage&Version=2012-11-05", WIRE_ROUTED,
     "sqs.ReceiveMessage", ""},
    {"query waits for the form", "iam", "POST /\nContent-Type: application/x-www-form-urlencoded",
     WIRE_NEEDS_BODY, NULL, ""},
    {"iam", "iam", "POST /\n\nAction=CreateRole&Version=2010-05-08", WIRE_ROUTED, "iam.CreateRole",
     ""},
    {"iam not supported", "iam", "POST /\n\nAction=CreateVirtualMFADevice&Version=2010-05-08",
     WIRE_UNSUPPORTED, "iam.CreateVirtualMFADevice", ""},
    {"iam no action", "iam", "POST /\n\nVersion=2010-05-08", WIRE_UNKNOWN_OPERATION, NULL, ""},
    {"bad form", "iam", "POST /\n\nAction=%zz", WIRE_BAD_REQUEST, NULL, ""},
    {"unsigned action by version", NULL,
     "POST /\nContent-Type: application/x-www-form-urlencoded\n\n"
     "Action=AssumeRole&Version=2011-06-15",
     WIRE_ROUTED, "sts.AssumeRole", ""},
    {"unsigned action of nobody", NULL,
     "POST /\nContent-Type: application/x-www-form-urlencoded\n\n"
     "Action=DescribeInstances&Version=2016-11-15",
     WIRE_UNKNOWN_SERVICE, NULL, ""},
    {"scope of nothing here", "ec2", "POST /\n\nAction=DescribeInstances", WIRE_UNKNOWN_SERVICE,
     NULL, ""},
    {"cbor", "dynamodb", "POST /service/X/operation/Y\nsmithy-protocol: rpc-v2-cbor\n\n",
     WIRE_PROTOCOL_REFUSED, NULL, ""},

    {"lambda create", "lambda", "POST /2015-03-31/functions\n\n{}", WIRE_ROUTED,
     "lambda.CreateFunction", ""},
    {"lambda create, trailing slash", "lambda", "POST /2015-03-31/functions/\n\n{}", WIRE_ROUTED,
     "lambda.CreateFunction", ""},
    {"lambda list", "lambda", "GET /2015-03-31/functions/?MaxItems=10", WIRE_ROUTED,
     "lambda.ListFunctions", ""},
    {"lambda get by arn", "lambda",
     "GET /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af",
     WIRE_ROUTED, "lambda.GetFunction", "arn:aws:lambda:us-east-1:000000000000:function:f"},
    {"lambda invoke", "lambda", "POST /2015-03-31/functions/f/invocations", WIRE_ROUTED,
     "lambda.Invoke", "f"},
    {"lambda two labels", "lambda", "DELETE /2015-03-31/functions/f/policy/sid", WIRE_ROUTED,
     "lambda.RemovePermission", "f,sid"},
    {"lambda newer version", "lambda", "PUT /2019-09-25/functions/f/event-invoke-config\n\n{}",
     WIRE_ROUTED, "lambda.PutFunctionEventInvokeConfig", "f"},
    {"lambda code signing", "lambda", "GET /2020-06-30/functions/f/code-signing-config",
     WIRE_ROUTED, "lambda.GetFunctionCodeSigningConfig", "f"},
    {"lambda not supported", "lambda", "POST /2020-04-22/code-signing-configs\n\n{}",
     WIRE_UNSUPPORTED, "lambda.CreateCodeSigningConfig", ""},
    {"lambda nothing there", "lambda", "GET /2015-03-31/gunctions/f", WIRE_UNKNOWN_OPERATION, NULL,
     ""},
    {"lambda wrong method", "lambda", "PATCH /2015-03-31/functions/f", WIRE_UNKNOWN_OPERATION, NULL,
     ""},
    {"lambda empty name", "lambda", "GET /2015-03-31/functions//configuration",
     WIRE_UNKNOWN_OPERATION, NULL, ""},
    {"lambda unsigned", NULL, "GET /2015-03-31/functions/f", WIRE_ROUTED, "lambda.GetFunction",
     "f"},

    {"s3 list buckets", "s3", "GET /", WIRE_ROUTED, "s3.ListBuckets", ""},
    {"s3 create bucket", "s3", "PUT /b", WIRE_ROUTED, "s3.CreateBucket", "b"},
    {"s3 trailing slash", "s3", "PUT /b/", WIRE_ROUTED, "s3.CreateBucket", "b"},
    {"s3 head bucket", "s3", "HEAD /b", WIRE_ROUTED, "s3.HeadBucket", "b"},
    {"s3 list v1", "s3", "GET /b?prefix=x", WIRE_ROUTED, "s3.ListObjects", "b"},
    {"s3 list v2", "s3", "GET /b?list-type=2&prefix=x", WIRE_ROUTED, "s3.ListObjectsV2", "b"},
    {"s3 put", "s3", "PUT /b/a/b%20c//d?x-id=PutObject", WIRE_ROUTED, "s3.PutObject", "b,a/b c//d"},
    {"s3 plus is a plus", "s3", "GET /b/a+b", WIRE_ROUTED, "s3.GetObject", "b,a+b"},
    {"s3 key with leading slash", "s3", "GET /b//k", WIRE_ROUTED, "s3.GetObject", "b,/k"},
    {"s3 copy", "s3", "PUT /b/k\nX-Amz-Copy-Source: /b/j", WIRE_ROUTED, "s3.CopyObject", "b,k"},
    {"s3 upload part", "s3", "PUT /b/k?partNumber=1&uploadId=u", WIRE_ROUTED, "s3.UploadPart",
     "b,k"},
    {"s3 upload part copy", "s3", "PUT /b/k?partNumber=1&uploadId=u\nx-amz-copy-source: b/j",
     WIRE_ROUTED, "s3.UploadPartCopy", "b,k"},
    {"s3 create upload", "s3", "POST /b/k?uploads", WIRE_ROUTED, "s3.CreateMultipartUpload", "b,k"},
    {"s3 create upload, js style", "s3", "POST /b/k?uploads=&x-id=CreateMultipartUpload",
     WIRE_ROUTED, "s3.CreateMultipartUpload", "b,k"},
    {"s3 complete", "s3", "POST /b/k?uploadId=u", WIRE_ROUTED, "s3.CompleteMultipartUpload", "b,k"},
    {"s3 list parts", "s3", "GET /b/k?uploadId=u", WIRE_ROUTED, "s3.ListParts", "b,k"},
    {"s3 list uploads", "s3", "GET /b?uploads", WIRE_ROUTED, "s3.ListMultipartUploads", "b"},
    {"s3 delete many", "s3", "POST /b/?delete", WIRE_ROUTED, "s3.DeleteObjects", "b"},
    {"s3 acl", "s3", "GET /b?acl=", WIRE_ROUTED, "s3.GetBucketAcl", "b"},
    {"s3 object acl", "s3", "GET /b/k?acl", WIRE_ROUTED, "s3.GetObjectAcl", "b,k"},
    {"s3 notification", "s3", "PUT /b/?notification=", WIRE_ROUTED,
     "s3.PutBucketNotificationConfiguration", "b"},
    {"s3 lifecycle", "s3", "GET /b?lifecycle", WIRE_ROUTED, "s3.GetBucketLifecycleConfiguration",
     "b"},
    {"s3 one analytics configuration", "s3", "GET /b?analytics&id=a", WIRE_ROUTED,
     "s3.GetBucketAnalyticsConfiguration", "b"},
    {"s3 all analytics configurations", "s3", "GET /b?analytics", WIRE_ROUTED,
     "s3.ListBucketAnalyticsConfigurations", "b"},
    {"s3 not supported", "s3", "PUT /b?replication", WIRE_UNSUPPORTED, "s3.PutBucketReplication",
     "b"},
    {"s3 torrent", "s3", "GET /b/k?torrent", WIRE_UNSUPPORTED, "s3.GetObjectTorrent", NULL},
    {"s3 no such method", "s3", "PATCH /b/k", WIRE_UNKNOWN_OPERATION, NULL, ""},
    {"s3 bad percent", "s3", "GET /b/%zz", WIRE_BAD_REQUEST, NULL, NULL},
    {"s3 bad query", "s3", "GET /b?prefix=%z", WIRE_BAD_REQUEST, NULL, ""},
    {"s3 virtual host", "s3", "GET /k\nHost: b.s3.us-east-1.amazonaws.com", WIRE_ROUTED,
     "s3.GetObject", "b,k"},
    {"s3 virtual host, bucket itself", "s3", "GET /?list-type=2\nHost: b.s3.amazonaws.com",
     WIRE_ROUTED, "s3.ListObjectsV2", "b"},
    {"s3 virtual host, dots", "s3", "GET /k\nHost: a.b.c.s3.localhost.localstack.cloud:4566",
     WIRE_ROUTED, "s3.GetObject", "a.b.c,k"},
    {"s3 virtual host, dashed region", "s3", "GET /k\nHost: b.s3-eu-west-1.amazonaws.com",
     WIRE_ROUTED, "s3.GetObject", "b,k"},
    {"s3 virtual host, plain local", "s3", "PUT /k\nHost: b.localhost:4566", WIRE_ROUTED,
     "s3.PutObject", "b,k"},
    {"s3 host of the service itself", "s3", "GET /b/k\nHost: s3.localhost.localstack.cloud:4566",
     WIRE_ROUTED, "s3.GetObject", "b,k"},
    {"s3 service local", "s3", "GET /b/k\nHost: s3.localhost:4566", WIRE_ROUTED, "s3.GetObject",
     "b,k"},
    {"s3 by address", "s3", "GET /b/k\nHost: 127.0.0.1:4566", WIRE_ROUTED, "s3.GetObject", "b,k"},
    {"s3 unsigned", NULL, "GET /b/k\nHost: localhost:4566", WIRE_ROUTED, "s3.GetObject", "b,k"},
    {"s3 unsigned by virtual host", NULL, "GET /k\nHost: b.s3.localhost:4566", WIRE_ROUTED,
     "s3.GetObject", "b,k"},
    {"bucket named as a service", NULL, "GET /k\nHost: sqs.s3.localhost:4566", WIRE_ROUTED,
     "s3.GetObject", "sqs,k"},
    {"s3 by address of version 6", "s3", "GET /b/k\nHost: [::1]:4566", WIRE_ROUTED, "s3.GetObject",
     "b,k"},
    {"s3 presigned parameters are nobody's", "s3",
     "GET /b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Signature=c",
     WIRE_ROUTED, "s3.GetObject", "b,k"},
    {"host says the service", NULL, "GET /2015-03-31/functions/f\nHost: lambda.localhost",
     WIRE_ROUTED, "lambda.GetFunction", "f"},
};

static void check_row(const struct row *row)
{
    struct exchange x;
    exchange_route(&x, row->scope, row->request);
    if (x.routed.outcome != row->outcome)
        fail_msg("%s: outcome %d", row->name, (int)x.routed.outcome);
    assert_int_equal(x.routed.op != NULL, row->outcome == WIRE_ROUTED);
    if (row->op) {
        struct str named = str_fmt(&x.arena, STR_FMT "." STR_FMT, STR_ARG(x.routed.service->name),
                                   STR_ARG(x.routed.op_name));
        if (!str_eq_c(named, row->op))
            fail_msg("%s: %s", row->name, cstr(&x, named));
    }
    struct buf labels;
    buf_init(&labels, 1024);
    for (size_t i = 0; x.routed.labels && i < WIRE_LABELS_MAX && x.routed.labels[i].p; i++) {
        if (i > 0)
            buf_add_byte(&labels, ',');
        buf_add_str(&labels, x.routed.labels[i]);
    }
    if (row->labels && row->outcome == WIRE_ROUTED && !str_eq_c(buf_str(&labels), row->labels))
        fail_msg("%s: labels %s", row->name, cstr(&x, buf_str(&labels)));
    buf_release(&labels);
    exchange_release(&x);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_row(&rows[i]);
}

static void test_every_operation_is_found(void **state)
{
    (void)state;
    for (size_t s = 0; s < n_all_services; s++) {
        const struct wire_service *service = all_services[s];
        for (size_t i = 0; i < service->n_ops; i++) {
            const struct wire_op *op = &service->ops[i];
            assert_ptr_equal(wire_op_find(service, op->name), op);
            assert_int_equal(op->index, i);
            assert_true(op->action.len > 0);
            assert_true(op->resource.p || (op->flags & WIRE_OP_SELF_AUTH));
        }
        for (size_t i = 0; i < service->n_unsupported; i++)
            assert_true(wire_op_known_unsupported(service, service->unsupported[i]));
        assert_null(wire_op_find(service, STR("")));
        assert_false(wire_op_known_unsupported(service, STR("Zzz")));
    }
}

/* Which service is meant that is not here, and the protocol that its client reads. */
static void test_lacking(void **state)
{
    static const struct {
        const char *scope, *request, *signing;
        enum wire_protocol protocol;
    } lost[] = {
        {"pipes", "GET /v1/pipes", "pipes", WIRE_REST_JSON},
        {"eks", "GET /clusters", "eks", WIRE_REST_JSON},
        {"cloudfront", "GET /2020-05-31/distribution", "cloudfront", WIRE_REST_XML},
        {"states", "POST /\nX-Amz-Target: AWSStepFunctions.ListStateMachines\n\n{}", "states",
         WIRE_JSON10},
        {NULL, "POST /\nX-Amz-Target: AWSCognitoIdentityService.GetId\n\n{}", "cognito-identity",
         WIRE_JSON10},
        {"dynamodb", "POST /\nX-Amz-Target: AmazonDAXV3.ListTags\n\n{}", "dax", WIRE_JSON10},
        {"redshift",
         "POST /\nContent-Type: application/x-www-form-urlencoded\n\n"
         "Action=DescribeClusters&Version=2012-12-01",
         "redshift", WIRE_QUERY},
        {NULL,
         "POST /\nContent-Type: application/x-www-form-urlencoded\n\n"
         "Action=DescribeClusters&Version=2012-12-01",
         "redshift", WIRE_QUERY},
        {"states", "POST /service/X/operation/Y\nsmithy-protocol: rpc-v2-cbor\n\n", "states",
         WIRE_RPC_CBOR},
        {NULL,
         "POST /service/AWSStepFunctions/operation/ListStateMachines\n"
         "smithy-protocol: rpc-v2-cbor\n\n",
         "states", WIRE_RPC_CBOR},
        {NULL, "GET /v1/pipes\nHost: pipes.eu-west-1.amazonaws.com", "pipes", WIRE_REST_JSON},
        {NULL, "GET /x\nHost: a1b2.execute-api.eu-west-1.amazonaws.com:4566", "execute-api",
         WIRE_REST_JSON},
        /* What nobody can tell, and what is S3's. */
        {"nothing", "GET /x", NULL, WIRE_REST_JSON},
        {NULL, "POST /\nX-Amz-Target: Nothing.X\n\n{}", NULL, WIRE_JSON10},
        {NULL, "GET /k\nHost: events.s3.eu-west-1.amazonaws.com", NULL, WIRE_REST_XML},
        {NULL, "GET /k\nHost: pipes.localhost:4566", NULL, WIRE_REST_XML},
        {NULL, "GET /b/k\nHost: x.sqs.eu-west-1.amazonaws.com", NULL, WIRE_REST_XML},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        struct exchange x;
        exchange_route(&x, lost[i].scope, lost[i].request);
        const struct wire_aws_service *s = x.routed.lacking;
        if (!s != !lost[i].signing || (s && !str_eq_c(s->signing, lost[i].signing)))
            fail_msg("%s: %s", lost[i].request, s ? cstr(&x, s->signing) : "nobody");
        if (s)
            assert_int_equal(x.routed.outcome, WIRE_UNKNOWN_SERVICE);
        assert_int_equal(x.routed.protocol, lost[i].protocol);
        exchange_release(&x);
    }
}

/* Two services of AWS are signed for as apigateway: who means the other is told of it. */
static void test_beside(void **state)
{
    struct exchange x;
    exchange_route(&x, "apigateway", "GET /v2/apis");
    assert_int_equal(x.routed.outcome, WIRE_UNKNOWN_OPERATION);
    assert_non_null(x.routed.lacking);
    assert_true(str_eq_c(x.routed.lacking->title, "AmazonApiGatewayV2"));
    exchange_release(&x);
    exchange_route(&x, "apigateway", "GET /restapis");
    assert_int_equal(x.routed.outcome, WIRE_ROUTED);
    assert_null(x.routed.lacking);
    exchange_release(&x);
}

static void test_modes(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "sqs",
                   "POST /\nX-Amz-Target: AmazonSQS.SendMessage\nx-amzn-query-mode: true");
    assert_true(x.routed.query_mode);
    assert_int_equal(x.routed.protocol, WIRE_JSON10);
    exchange_release(&x);
    exchange_route(&x, "s3", "HEAD /b/k");
    assert_true(x.routed.head);
    assert_string_equal(cstr(&x, x.routed.bucket), "b");
    exchange_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_every_operation_is_found),
        cmocka_unit_test(test_lacking), cmocka_unit_test(test_beside),
        cmocka_unit_test(test_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
