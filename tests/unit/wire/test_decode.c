/* Requests to typed inputs, and the faults of those that are not valid. */
#include "help_wire.h"

struct row {
    const char *name;
    const char *scope;
    const char *request;
    const char *expected; /* dump of the input, or "!Code: message" */
};

#define DDB(op, body) "POST /\nX-Amz-Target: DynamoDB_20120810." op "\n\n" body
#define SQS(op, body) "POST /\nX-Amz-Target: AmazonSQS." op "\n\n" body
#define LOGS(op, body) "POST /\nX-Amz-Target: Logs_20140328." op "\n\n" body
#define FORM(body) "POST /\nContent-Type: application/x-www-form-urlencoded\n\n" body
#define XML_FAULT                                                                                  \
    "!MalformedXML: The XML you provided was not well-formed or did not validate against our "     \
    "published schema"

static const struct row json_rows[] = {
    {"put item", "dynamodb",
     DDB("PutItem", "{\"TableName\":\"tbl\",\"Item\":{\"id\":{\"S\":\"a\"}},\"Unknown\":[1,{}],"
                    "\"ReturnValues\":null}"),
     "{TableName:tbl,Item:{\"id\":{\"S\":\"a\"}}}"},
    {"escapes", "dynamodb",
     DDB("Query", "{\"TableName\":\"tbl\",\"FilterExpression\":\"t\\u0041\\n\"}"),
     "{TableName:tbl,FilterExpression:tA\n}"},
    {"numbers", "dynamodb",
     DDB("Scan", "{\"TableName\":\"tbl\",\"Limit\":1.0,\"Segment\":2e0,\"ConsistentRead\":true}"),
     "{TableName:tbl,Limit:1,Segment:2,ConsistentRead:true}"},
    {"nested lists and structs", "dynamodb",
     DDB("CreateTable",
         "{\"TableName\":\"tab\",\"AttributeDefinitions\":[{\"AttributeName\":\"a\","
         "\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}],"
         "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,\"WriteCapacityUnits\":2}}"),
     "{AttributeDefinitions:[{AttributeName:a,AttributeType:S}],TableName:tab,KeySchema:["
     "{AttributeName:a,KeyType:HASH}],ProvisionedThroughput:{ReadCapacityUnits:1,"
     "WriteCapacityUnits:2}}"},
    {"map of struct of json", "dynamodb",
     DDB("BatchGetItem", "{\"RequestItems\":{\"tbl\":{\"Keys\":[{\"a\":{\"N\":\"1\"}}]}}}"),
     "{RequestItems:{tbl:{Keys:[{\"a\":{\"N\":\"1\"}}]}}}"},
    {"empty body", "dynamodb", DDB("ListTables", ""), "{}"},
    {"duplicate member, last wins", "dynamodb",
     DDB("DescribeTable", "{\"TableName\":\"one\",\"TableName\":\"two\"}"), "{TableName:two}"},
    {"blob", "sqs",
     SQS("SendMessage", "{\"QueueUrl\":\"u\",\"MessageBody\":\"b\",\"MessageAttributes\":{\"k\":{"
                        "\"DataType\":\"Binary\",\"BinaryValue\":\"aGk=\"}},\"DelaySeconds\":3}"),
     "{QueueUrl:u,MessageBody:b,DelaySeconds:3,MessageAttributes:{k:{BinaryValue:hi,"
     "DataType:Binary}}}"},
    {"lambda code", "lambda",
     "POST /2015-03-31/functions\n\n{\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::000000000000:"
     "role/r\",\"Code\":{\"ZipFile\":\"UEs=\"},\"Environment\":{\"Variables\":{\"AB\":\"1\"}},"
     "\"Layers\":[]}",
     "{FunctionName:f,Role:arn:aws:iam::000000000000:role/r,Code:{ZipFile:PK},Environment:{"
     "Variables:{AB:1}},Layers:[]}"},
    {"lambda head and payload", "lambda",
     "POST /2015-03-31/functions/f/invocations?Qualifier=%24LATEST\nX-Amz-Invocation-Type: Event\n"
     "X-Amz-Log-Type: Tail\n\n{not json is fine",
     "{FunctionName:f,InvocationType:Event,LogType:Tail,Payload:{not json is fine,"
     "Qualifier:$LATEST}"},
    {"lambda repeated query parameter", "lambda",
     "DELETE /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af?tagKeys="
     "a&tagKeys=b%20c",
     "{Resource:arn:aws:lambda:us-east-1:000000000000:function:f,TagKeys:[a,b c]}"},

    {"not json", "dynamodb", DDB("PutItem", "{"),
     "!SerializationException: The request body is not valid JSON."},
    {"not an object", "dynamodb", DDB("PutItem", "[]"),
     "!SerializationException: Start of list found where not expected"},
    {"object for a string", "dynamodb", DDB("PutItem", "{\"TableName\":{}}"),
     "!SerializationException: Start of structure or map found where not expected."},
    {"number for a string", "dynamodb", DDB("PutItem", "{\"TableName\":5}"),
     "!SerializationException: NUMBER_VALUE cannot be converted to String"},
    {"list for a string", "dynamodb", DDB("PutItem", "{\"TableName\":[]}"),
     "!SerializationException: Unrecognized collection type class java.lang.String"},
    {"string for a boolean", "dynamodb", DDB("Scan", "{\"ConsistentRead\":\"true\"}"),
     "!SerializationException: STRING_VALUE cannot be converted to Boolean"},
    {"fraction for an integer", "dynamodb", DDB("Scan", "{\"Limit\":1.5}"),
     "!SerializationException: NUMBER_VALUE cannot be converted to Integer"},
    {"integer too large", "dynamodb", DDB("Scan", "{\"Limit\":2147483648}"),
     "!SerializationException: NUMBER_VALUE cannot be converted to Integer"},
    {"string for a list", "dynamodb", DDB("CreateTable", "{\"KeySchema\":\"x\"}"),
     "!SerializationException: Unexpected field type"},
    {"list for json", "dynamodb", DDB("PutItem", "{\"Item\":[]}"),
     "!SerializationException: Start of list found where not expected"},
    {"null in a list", "dynamodb", DDB("CreateTable", "{\"KeySchema\":[null]}"),
     "!SerializationException: Unexpected field type"},
    {"bad base64", "lambda", "POST /2015-03-31/functions\n\n{\"Code\":{\"ZipFile\":\"%\"}}",
     "!SerializationException: Value is not valid base64."},
};

static const struct row query_rows[] = {
    {"members in any order", "sqs",
     FORM("Action=SendMessage&MessageAttribute.2.Name=b&MessageAttribute.1.Name=a&"
          "MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=x&"
          "MessageAttribute.2.Value.DataType=Binary&MessageAttribute.2.Value.BinaryValue=aGk%3D&"
          "QueueUrl=u&MessageBody=a+b%26&DelaySeconds=4&Version=2012-11-05"),
     "{QueueUrl:u,MessageBody:a b&,DelaySeconds:4,MessageAttributes:{a:{StringValue:x,"
     "DataType:String},b:{BinaryValue:hi,DataType:Binary}}}"},
    {"flattened lists by number", "sqs",
     FORM("Action=GetQueueAttributes&QueueUrl=u&AttributeName.10=c&AttributeName.2=b&"
          "AttributeName.1=a"),
     "{QueueUrl:u,AttributeNames:[a,b,c]}"},
    {"batch", "sqs",
     FORM("Action=SendMessageBatch&QueueUrl=u&SendMessageBatchRequestEntry.1.Id=i&"
          "SendMessageBatchRequestEntry.1.MessageBody=m&SendMessageBatchRequestEntry.2.Id=j&"
          "SendMessageBatchRequestEntry.2.MessageBody=n"),
     "{QueueUrl:u,Entries:[{Id:i,MessageBody:m},{Id:j,MessageBody:n}]}"},
    {"flattened map", "sqs",
     FORM("Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&"
          "Tag.1.Key=k&Tag.1.Value=v"),
     "{QueueName:q,Attributes:{DelaySeconds:5},tags:{k:v}}"},
    {"query flattened map of one, without its number", "sqs",
     FORM("Action=SetQueueAttributes&QueueUrl=u&Attribute.Value=35&Attribute.Name="
          "VisibilityTimeout"),
     "{QueueUrl:u,Attributes:{VisibilityTimeout:35}}"},
    {"flattened map by its shape's name", "sqs",
     FORM("Action=TagQueue&QueueUrl=u&Tag.1.Key=k&Tag.1.Value=v"), "{QueueUrl:u,Tags:{k:v}}"},
    {"names of system attributes", "sqs",
     FORM("Action=ReceiveMessage&QueueUrl=u&MessageSystemAttributeName.1=All"),
     "{QueueUrl:u,MessageSystemAttributeNames:[All]}"},
    {"the url stands for the queue", "sqs",
     "POST /000000000000/q\nHost: localhost:4566\nContent-Type: application/x-www-form-urlencoded"
     "\n\nAction=PurgeQueue",
     "{QueueUrl:http://localhost:4566/000000000000/q}"},
    {"parameters of a get", "sqs", "GET /000000000000/q?Action=DeleteMessage&ReceiptHandle=h%2F",
     "{QueueUrl:http:///000000000000/q,ReceiptHandle:h/}"},
    {"wrapped list of structs", "iam",
     FORM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=k&"
          "Tags.member.1.Value=&MaxSessionDuration=3600"),
     "{RoleName:r,AssumeRolePolicyDocument:{},MaxSessionDuration:3600,Tags:[{Key:k,Value:}]}"},
    {"empty list", "iam", FORM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=x&Tags="),
     "{RoleName:r,AssumeRolePolicyDocument:x,Tags:[]}"},
    {"names that share a prefix", "iam",
     FORM("Action=TagRole&RoleName-x=1&RoleName=r&Tags-x=2&Tags.member.1.Key=k&Tags.member.1.Value="
          "v"),
     "{RoleName:r,Tags:[{Key:k,Value:v}]}"},
    {"not a number", "sqs", FORM("Action=SendMessage&DelaySeconds=soon"),
     "!SerializationException: DelaySeconds: 'soon' is not a valid integer."},
    {"map without a key", "sqs", FORM("Action=CreateQueue&Attribute.1.Value=5"),
     "!SerializationException: Attribute.1 has no Name."},
    {"nested too deeply", "iam",
     FORM("Action=GetRole&a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
          "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1"),
     "!MalformedInput: A parameter's name is nested too deeply."},
    {"bytes that are not utf-8", "iam", FORM("Action=GetRole&RoleName=%ff"),
     "!MalformedInput: RoleName is not valid UTF-8."},
};

static const struct row xml_rows[] = {
    {"delete objects", "s3",
     "POST /b?delete\n\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a"
     "</Key></Object><Quiet>true</Quiet><Object><Key> b</Key><VersionId>v</VersionId></Object>"
     "</Delete>",
     "{Bucket:b,Delete:{Objects:[{Key:a},{Key: b,VersionId:v}],Quiet:true}}"},
    {"tag set", "s3",
     "PUT /b/k?tagging\n\n<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet>"
     "</Tagging>",
     "{Bucket:b,Key:k,Tagging:{TagSet:[{Key:a,Value:1}]}}"},
    {"empty list", "s3", "PUT /b?tagging\n\n<Tagging><TagSet/></Tagging>",
     "{Bucket:b,Tagging:{TagSet:[]}}"},
    {"legacy notification", "s3",
     "PUT /b?notification\n\n<NotificationConfiguration><CloudFunctionConfiguration><Id>i</Id>"
     "<CloudFunction>arn:f</CloudFunction><Event>s3:ObjectCreated:*</Event><Filter><S3Key>"
     "<FilterRule><Name>suffix</Name><Value>.csv</Value></FilterRule></S3Key></Filter>"
     "</CloudFunctionConfiguration></NotificationConfiguration>",
     "{Bucket:b,NotificationConfiguration:{LambdaFunctionConfigurations:[{Id:i,LambdaFunctionArn:"
     "arn:f,Events:[s3:ObjectCreated:*],Filter:{Key:{FilterRules:[{Name:suffix,Value:.csv}]}}}]}}"},
    {"attributes", "s3",
     "PUT /b?acl\n\n<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www."
     "w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>u</URI></Grantee><Permission>READ"
     "</Permission></Grant></AccessControlList></AccessControlPolicy>",
     "{AccessControlPolicy:{Grants:[{Grantee:{Type:Group,URI:u},Permission:READ}]},Bucket:b}"},
    {"no body", "s3", "PUT /b", "{Bucket:b}"},
    {"string payload", "s3", "PUT /b?policy\n\n{\"a\":1}", "{Bucket:b,Policy:{\"a\":1}}"},
    {"head members", "s3",
     "GET /b/k?versionId=v&response-content-type=x&partNumber=\nRange: bytes=0-1\n"
     "If-Modified-Since: Sat, 21 Nov 2026 10:47:52 GMT\nx-amz-checksum-mode: ENABLED",
     "{Bucket:b,IfModifiedSince:1795258072000,Key:k,Range:bytes=0-1,ResponseContentType:x,"
     "VersionId:v,ChecksumMode:ENABLED}"},
    {"dates of conditions that are none", "s3",
     "GET /b/k\nIf-Modified-Since: yesterday\nIf-Unmodified-Since: 5", "{Bucket:b,Key:k}"},
    {"metadata headers", "s3",
     "PUT /b/k\nX-Amz-Meta-Color: Red\nx-amz-meta-: empty name\nContent-Length: 5\n\n",
     "{Bucket:b,ContentLength:5,Key:k,Metadata:{color:Red,:empty name}}"},
    {"list header", "s3", "GET /b/k?attributes\nx-amz-object-attributes: ETag, ObjectSize",
     "{Bucket:b,Key:k,ObjectAttributes:[ETag,ObjectSize]}"},
    {"not xml", "s3", "POST /b?delete\n\n<Delete>", XML_FAULT},
    {"another root", "s3", "POST /b?delete\n\n<Remove/>", XML_FAULT},
    {"entities", "s3", "POST /b?delete\n\n<!DOCTYPE d [<!ENTITY e \"x\">]><Delete/>", XML_FAULT},
    {"a word for a boolean", "s3", "POST /b?delete\n\n<Delete><Quiet>maybe</Quiet></Delete>",
     XML_FAULT},
    {"a required element is missing", "s3",
     "POST /b?delete\n\n<Delete><Object><VersionId>v</VersionId></Object></Delete>", XML_FAULT},
    {"a value out of its enum", "s3",
     "PUT /b?versioning\n\n<VersioningConfiguration><Status>On</Status></VersioningConfiguration>",
     XML_FAULT},
    {"a word for a number", "s3", "GET /b?max-keys=many",
     "!InvalidArgument: Provided max-keys not an integer or within integer range"},
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct exchange x;
        const char *got;
        enum err e = exchange_decode(&x, rows[i].scope, rows[i].request);
        if (e == ERR_OK)
            got = dump(&x, x.routed.op->input, x.in);
        else if (e == ERR_FAILED)
            got = cstr(&x, str_fmt(&x.arena, "!" STR_FMT ": " STR_FMT, STR_ARG(x.fault.error->name),
                                   STR_ARG(x.fault.message)));
        else
            got = err_name(e);
        if (strcmp(got, rows[i].expected) != 0)
            print_error("%s:\n got  %s\n want %s\n", rows[i].name, got, rows[i].expected);
        assert_string_equal(got, rows[i].expected);
        exchange_release(&x);
    }
}

static void test_json(void **state)
{
    (void)state;
    check_rows(json_rows, ARRAY_LEN(json_rows));
}

static void test_query(void **state)
{
    (void)state;
    check_rows(query_rows, ARRAY_LEN(query_rows));
}

static void test_xml(void **state)
{
    (void)state;
    check_rows(xml_rows, ARRAY_LEN(xml_rows));
}

/* Typed members, as a handler reads them. */
static void test_structs(void **state)
{
    (void)state;
    struct exchange x;
    assert_int_equal(exchange_decode(&x, "sqs",
                                     SQS("ReceiveMessage", "{\"QueueUrl\":\"u\",\"WaitTimeSeconds\""
                                                           ":0,\"MessageAttributeNames\":[]}")),
                     ERR_OK);
    const struct sqs_receive_message_input *in = x.in;
    assert_true(in->has_wait_time_seconds);
    assert_int_equal(in->wait_time_seconds, 0);
    assert_false(in->has_max_number_of_messages);
    assert_non_null(in->message_attribute_names.v);
    assert_int_equal(in->message_attribute_names.n, 0);
    assert_null(in->attribute_names.v);
    exchange_release(&x);

    assert_int_equal(
        exchange_decode(&x, "dynamodb",
                        DDB("BatchWriteItem",
                            "{\"RequestItems\":{\"tbl\":[{\"PutRequest\":{\"Item\":{}}"
                            "},{\"DeleteRequest\":{\"Key\":{\"a\":{\"S\":\"b\"}}}}]}}")),
        ERR_OK);
    const struct dynamodb_batch_write_item_input *batch = x.in;
    assert_int_equal(batch->request_items.n, 1);
    assert_int_equal(batch->request_items.v[0].value.n, 2);
    assert_non_null(batch->request_items.v[0].value.v[0].put_request->item.in);
    assert_null(batch->request_items.v[0].value.v[1].put_request);
    assert_non_null(
        json_get(batch->request_items.v[0].value.v[1].delete_request->key.in, STR("a")));
    exchange_release(&x);
}

/* Exhausted memory at any point is an error and leaves nothing behind. */
static void test_allocation_failures(void **state)
{
    (void)state;
    static const char *const requests[] = {
        SQS("SendMessage",
            "{\"QueueUrl\":\"u\",\"MessageBody\":\"\\n\",\"MessageAttributes\":{\"k\""
            ":{\"DataType\":\"Binary\",\"BinaryValue\":\"aGk=\"}}}"),
        FORM("Action=SendMessage&QueueUrl=u&MessageBody=a+b&MessageAttribute.1.Name=k&"
             "MessageAttribute.1.Value.DataType=String"),
    };
    for (size_t r = 0; r < ARRAY_LEN(requests); r++) {
        bool done = false;
        for (size_t limit = 64; !done; limit += 64) {
            struct exchange x;
            exchange_parse(&x, requests[r]);
            size_t base = x.arena.used;
            x.arena.limit = base + limit;
            enum err e =
                wire_route(all_services, n_all_services, &x.req, STR("sqs"), &x.arena, &x.routed);
            if (e == ERR_OK)
                e = wire_decode(&x.routed, &x.req, &x.arena, &x.in, &x.fault);
            assert_true(e == ERR_OK || e == ERR_NOMEM);
            done = e == ERR_OK;
            exchange_release(&x);
            assert_true(limit < 1 << 20);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_structs),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
