/* Typed outputs and errors to replies, in every protocol. */
#include <stdio.h>

#include "codec/crc.h"
#include "help_wire.h"

#define DDB(op) "POST /\nX-Amz-Target: DynamoDB_20120810." op
#define SQS(op) "POST /\nX-Amz-Target: AmazonSQS." op
#define FORM(body) "POST /\nContent-Type: application/x-www-form-urlencoded\n\n" body
#define FORM_JSON(body)                                                                            \
    "POST /\nContent-Type: application/x-www-form-urlencoded\nAccept: application/json\n\n" body
#define DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define S3_NS "http://s3.amazonaws.com/doc/2006-03-01/"

static void test_json(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "dynamodb", DDB("Query"));
    struct dynamodb_query_output out = {.items = STR("[{\"a\":{\"S\":\"1\"}}]")};
    WIRE_SET(&out, count, 1);
    exchange_encode(&x, &out);
    assert_int_equal(x.reply.status, 200);
    assert_string_equal(cstr(&x, x.reply.content_type), "application/x-amz-json-1.0");
    assert_string_equal(exchange_body(&x), "{\"Items\":[{\"a\":{\"S\":\"1\"}}],\"Count\":1}");
    assert_string_equal(exchange_header(&x, "x-amzn-requestid"), "RID");
    char crc[16];
    snprintf(crc, sizeof(crc), "%u", crc32_update(0, x.reply.body.p, x.reply.body.len));
    assert_string_equal(exchange_header(&x, "x-amz-crc32"), crc);
    exchange_release(&x);

    exchange_route(&x, "dynamodb", DDB("PutItem"));
    exchange_encode(&x, &(struct dynamodb_put_item_output){0});
    assert_string_equal(exchange_body(&x), "{}");
    exchange_release(&x);

    /* An operation without output has no body. */
    exchange_route(&x, "sqs", SQS("DeleteMessage"));
    exchange_encode(&x, &(struct sqs_delete_message_output){0});
    assert_string_equal(exchange_body(&x), "");
    assert_string_equal(exchange_header(&x, "x-amz-crc32"), "");
    exchange_release(&x);
}

static void test_json_kinds(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "dynamodb", DDB("DescribeTable"));
    struct dynamodb_key_schema_element keys[] = {
        {.attribute_name = STR("a\"b"), .key_type = STR("HASH")}};
    struct dynamodb_table_description table = {
        .table_name = STR("t"),
        .key_schema = {keys, 1},
        .attribute_definitions = {(void *)keys /* present and empty */, 0}};
    WIRE_SET(&table, creation_date_time, 1700000000120);
    WIRE_SET(&table, table_size_bytes, 0);
    WIRE_SET(&table, deletion_protection_enabled, false);
    struct dynamodb_describe_table_output out = {.table = &table};
    exchange_encode(&x, &out);
    assert_string_equal(exchange_body(&x),
                        "{\"Table\":{\"AttributeDefinitions\":[],\"TableName\":\"t\",\"KeySchema\":"
                        "[{\"AttributeName\":\"a\\\"b\",\"KeyType\":\"HASH\"}],"
                        "\"CreationDateTime\":1700000000.120,\"TableSizeBytes\":0,"
                        "\"DeletionProtectionEnabled\":false}}");
    exchange_release(&x);
}

static const struct sqs_message *one_message(void)
{
    static const struct sqs_message_system_attribute_map_entry attributes[] = {
        {STR_INIT("SenderId"), STR_INIT("A&B")}};
    static const struct sqs_message_body_attribute_map_entry body_attributes[1] = {
        {.key = STR_INIT("k"),
         .value = {.data_type = STR_INIT("Binary"), .binary_value = STR_INIT("hi")}}};
    static const struct sqs_message m = {.message_id = STR_INIT("id"),
                                         .body = STR_INIT("<b>"),
                                         .attributes = {attributes, 1},
                                         .message_attributes = {body_attributes, 1}};
    return &m;
}

static void test_two_protocols(void **state)
{
    (void)state;
    struct exchange x;
    struct sqs_receive_message_output out = {.messages = {one_message(), 1}};
    exchange_route(&x, "sqs", SQS("ReceiveMessage"));
    exchange_encode(&x, &out);
    assert_string_equal(exchange_body(&x),
                        "{\"Messages\":[{\"MessageId\":\"id\",\"Body\":\"<b>\",\"Attributes\":{"
                        "\"SenderId\":\"A&B\"},\"MessageAttributes\":{\"k\":{\"BinaryValue\":"
                        "\"aGk=\",\"DataType\":\"Binary\"}}}]}");
    exchange_release(&x);

    exchange_route(&x, "sqs", FORM("Action=ReceiveMessage"));
    exchange_encode(&x, &out);
    assert_string_equal(cstr(&x, x.reply.content_type), "text/xml");
    assert_string_equal(
        exchange_body(&x),
        "<ReceiveMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">"
        "<ReceiveMessageResult><Message><MessageId>id</MessageId><Body>&lt;b&gt;</Body>"
        "<Attribute><Name>SenderId</Name><Value>A&amp;B</Value></Attribute><MessageAttribute><Name>"
        "k</Name><Value><BinaryValue>aGk=</BinaryValue><DataType>Binary</DataType></Value>"
        "</MessageAttribute></Message></ReceiveMessageResult><ResponseMetadata><RequestId>RID"
        "</RequestId></ResponseMetadata></ReceiveMessageResponse>");
    exchange_release(&x);
}

static void test_query(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "iam", FORM("Action=ListRoles"));
    struct iam_role roles[] = {{.path = STR("/"), .role_name = STR("r")}};
    WIRE_SET(&roles[0], create_date, 1795258072000);
    struct iam_list_roles_output out = {.roles = {roles, 1}};
    WIRE_SET(&out, is_truncated, false);
    exchange_encode(&x, &out);
    assert_string_equal(
        exchange_body(&x),
        "<ListRolesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListRolesResult>"
        "<Roles><member><Path>/</Path><RoleName>r</RoleName><CreateDate>2026-11-21T10:47:52Z"
        "</CreateDate></member></Roles><IsTruncated>false</IsTruncated></ListRolesResult>"
        "<ResponseMetadata><RequestId>RID</RequestId></ResponseMetadata></ListRolesResponse>");
    exchange_release(&x);

    exchange_route(&x, "iam", FORM("Action=DeleteRole"));
    exchange_encode(&x, &(struct iam_delete_role_output){0});
    assert_string_equal(
        exchange_body(&x),
        "<DeleteRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>"
        "<RequestId>RID</RequestId></ResponseMetadata></DeleteRoleResponse>");
    exchange_release(&x);
}

/* The query protocol with Accept: application/json, as AWS answers it. */
static void test_query_json(void **state)
{
    struct exchange x;
    exchange_route(&x, "sqs", FORM_JSON("Action=SendMessage"));
    struct sqs_send_message_output sent = {.message_id = STR("id"),
                                           .md5_of_message_body = STR("md5")};
    exchange_encode(&x, &sent);
    assert_string_equal(
        exchange_body(&x),
        "{\"SendMessageResponse\":{\"ResponseMetadata\":{\"RequestId\":\"RID\"},"
        "\"SendMessageResult\":{\"MD5OfMessageAttributes\":null,\"MD5OfMessageBody\":\"md5\","
        "\"MD5OfMessageSystemAttributes\":null,\"MessageId\":\"id\",\"SequenceNumber\":null}}}");
    assert_true(str_eq_c(x.reply.content_type, "application/json"));
    exchange_release(&x);

    exchange_route(&x, "sqs", FORM_JSON("Action=ReceiveMessage"));
    struct sqs_message_system_attribute_map_entry system = {STR("SenderId"), STR("A")};
    struct sqs_message_body_attribute_map_entry user = {
        STR("k"), {.binary_value = STR("hi"), .data_type = STR("Binary")}};
    struct sqs_message messages[] = {
        {.message_id = STR("id"), .attributes = {&system, 1}, .message_attributes = {&user, 1}}};
    struct sqs_receive_message_output got = {.messages = {messages, 1}};
    exchange_encode(&x, &got);
    assert_string_equal(
        exchange_body(&x),
        "{\"ReceiveMessageResponse\":{\"ReceiveMessageResult\":{\"messages\":[{\"Attributes\":["
        "{\"Name\":\"SenderId\",\"Value\":\"A\"}],\"Body\":null,\"MD5OfBody\":null,"
        "\"MD5OfMessageAttributes\":null,\"MessageAttributes\":[{\"Name\":\"k\",\"Value\":{"
        "\"BinaryListValues\":null,\"BinaryValue\":\"aGk=\",\"DataType\":\"Binary\","
        "\"StringListValues\":null,\"StringValue\":null}}],\"MessageId\":\"id\","
        "\"ReceiptHandle\":null}]},\"ResponseMetadata\":{\"RequestId\":\"RID\"}}}");
    exchange_release(&x);

    exchange_route(&x, "sqs", FORM_JSON("Action=PurgeQueue"));
    exchange_encode(&x, &(struct sqs_purge_queue_output){0});
    assert_string_equal(exchange_body(&x),
                        "{\"PurgeQueueResponse\":{\"ResponseMetadata\":{\"RequestId\":\"RID\"}}}");
    exchange_release(&x);

    exchange_route(&x, "iam", FORM_JSON("Action=ListRoles"));
    struct iam_role role = {.role_name = STR("r")};
    WIRE_SET(&role, create_date, 1795258072000);
    struct iam_list_roles_output roles = {.roles = {&role, 1}};
    WIRE_SET(&roles, is_truncated, false);
    exchange_encode(&x, &roles);
    const char *body = exchange_body(&x);
    assert_non_null(strstr(body,
                           "{\"ListRolesResponse\":{\"ListRolesResult\":{\"IsTruncated\":false,"
                           "\"Marker\":null,\"Roles\":[{\"Arn\":null,"));
    assert_non_null(strstr(body, "\"CreateDate\":1795258072,"));
    exchange_release(&x);
}

static void test_rest_json(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "lambda", "POST /2015-03-31/functions/f/invocations");
    struct lambda_invoke_output out = {.function_error = STR("Unhandled"),
                                       .executed_version = STR("$LATEST"),
                                       .payload = STR("{\"a\":1}")};
    WIRE_SET(&out, status_code, 202);
    exchange_encode(&x, &out);
    assert_int_equal(x.reply.status, 202);
    assert_string_equal(exchange_body(&x), "{\"a\":1}");
    assert_string_equal(exchange_header(&x, "X-Amz-Function-Error"), "Unhandled");
    assert_string_equal(exchange_header(&x, "X-Amz-Executed-Version"), "$LATEST");
    exchange_release(&x);

    exchange_route(&x, "lambda", "GET /2015-03-31/functions");
    struct lambda_function_configuration f = {.function_name = STR("f")};
    struct lambda_list_functions_output list = {.functions = {&f, 1}};
    exchange_encode(&x, &list);
    assert_string_equal(exchange_body(&x), "{\"Functions\":[{\"FunctionName\":\"f\"}]}");
    exchange_release(&x);

    exchange_route(&x, "lambda", "DELETE /2019-09-25/functions/f/event-invoke-config");
    exchange_encode(&x, &(struct lambda_delete_function_event_invoke_config_output){0});
    assert_int_equal(x.reply.status, 204);
    assert_string_equal(exchange_body(&x), "");
    exchange_release(&x);
}

static void test_rest_xml(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "s3", "GET /b?list-type=2");
    struct s3_object objects[] = {{.key = STR("a&b"), .e_tag = STR("\"e\"")}};
    struct s3_common_prefix prefixes[] = {{.prefix = STR("p/")}, {.prefix = STR("q/")}};
    WIRE_SET(&objects[0], last_modified, 1795258072000);
    struct s3_list_objects_v2_output out = {.name = STR("b"),
                                            .prefix = STR(""),
                                            .contents = {objects, 1},
                                            .common_prefixes = {prefixes, 2}};
    exchange_encode(&x, &out);
    assert_string_equal(
        exchange_body(&x),
        DECL "<ListBucketResult xmlns=\"" S3_NS "\"><Contents><Key>a&amp;b</Key><LastModified>"
             "2026-11-21T10:47:52.000Z</LastModified><ETag>&quot;e&quot;</ETag></Contents><Name>b"
             "</Name><Prefix></Prefix><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"
             "<CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes></ListBucketResult>");
    assert_string_equal(exchange_header(&x, "x-amz-request-id"), "RID");
    assert_string_equal(exchange_header(&x, "x-amz-id-2"), "HID");
    assert_string_equal(cstr(&x, x.reply.content_type), "application/xml");
    exchange_release(&x);

    exchange_route(&x, "s3", "GET /b?location");
    exchange_encode(&x, &(struct s3_get_bucket_location_output){0});
    assert_string_equal(exchange_body(&x),
                        DECL "<LocationConstraint xmlns=\"" S3_NS "\"></LocationConstraint>");
    exchange_encode(&x, &(struct s3_get_bucket_location_output){.location_constraint = STR("eu")});
    assert_string_equal(exchange_body(&x),
                        DECL "<LocationConstraint xmlns=\"" S3_NS "\">eu</LocationConstraint>");
    exchange_release(&x);

    /* A payload member is the root. */
    exchange_route(&x, "s3", "PUT /b/k\nx-amz-copy-source: /b/j");
    struct s3_copy_object_result result = {.e_tag = STR("e")};
    exchange_encode(
        &x, &(struct s3_copy_object_output){.copy_object_result = &result, .version_id = STR("v")});
    assert_string_equal(exchange_body(&x), DECL "<CopyObjectResult xmlns=\"" S3_NS
                                                "\"><ETag>e</ETag></CopyObjectResult>");
    assert_string_equal(exchange_header(&x, "x-amz-version-id"), "v");
    exchange_release(&x);
}

static void test_rest_xml_heads(void **state)
{
    (void)state;
    struct exchange x;
    struct s3_metadata_entry meta[] = {{STR("color"), STR("red")}};
    exchange_route(&x, "s3", "HEAD /b/k");
    struct s3_head_object_output out = {
        .e_tag = STR("\"e\""), .content_type = STR("text/csv"), .metadata = {meta, 1}};
    WIRE_SET(&out, content_length, 12);
    WIRE_SET(&out, last_modified, 1795258072000);
    exchange_encode(&x, &out);
    assert_string_equal(exchange_header(&x, "Content-Length"), "12");
    assert_string_equal(cstr(&x, x.reply.content_type), "text/csv");
    assert_string_equal(exchange_header(&x, "ETag"), "\"e\"");
    assert_string_equal(exchange_header(&x, "Last-Modified"), "Sat, 21 Nov 2026 10:47:52 GMT");
    assert_string_equal(exchange_header(&x, "x-amz-meta-color"), "red");
    assert_string_equal(exchange_body(&x), "");
    exchange_release(&x);

    exchange_route(&x, "s3", "GET /b?acl");
    struct s3_grantee grantee = {.type = STR("Group"), .uri = STR("u")};
    struct s3_grant grants[] = {{.grantee = &grantee, .permission = STR("READ")}};
    exchange_encode(&x, &(struct s3_get_bucket_acl_output){.grants = {grants, 1}});
    assert_string_equal(
        exchange_body(&x),
        DECL "<AccessControlPolicy xmlns=\"" S3_NS "\"><AccessControlList><Grant><Grantee "
             "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>u"
             "</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList>"
             "</AccessControlPolicy>");
    exchange_release(&x);
}

struct error_row {
    const char *scope, *request;
    const struct wire_error *error;
    int status;
    const char *header, *value;
    const char *body;
};

static void test_errors(void **state)
{
    (void)state;
    static const struct error_row rows[] = {
        {"dynamodb", DDB("GetItem"), &dynamodb_err_resource_not_found_exception, 400,
         "x-amzn-RequestId", "RID",
         "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":"
         "\"m<\"}"},
        {"dynamodb", DDB("GetItem"), &dynamodb_err_validation, 400, NULL, NULL,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"m<\"}"},
        {"sqs", SQS("SendMessage") "\nx-amzn-query-mode: true", &sqs_err_queue_does_not_exist, 400,
         "x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender",
         "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"m<\"}"},
        {"sqs", SQS("SendMessage"), &sqs_err_queue_does_not_exist, 400, "x-amzn-query-error", "",
         NULL},
        {"sqs", FORM("Action=SendMessage"), &sqs_err_queue_does_not_exist, 400, NULL, NULL,
         "<ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender"
         "</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue "
         "does not exist for this wsdl "
         "version.</Message><Detail/></Error><RequestId>RID</RequestId></ErrorResponse>"},
        {"iam", FORM("Action=GetRole"), &iam_err_no_such_entity_exception, 404, NULL, NULL,
         "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender"
         "</Type><Code>NoSuchEntity</Code><Message>m&lt;</Message></Error><RequestId>RID"
         "</RequestId></ErrorResponse>"},
        {"logs", "POST /\nX-Amz-Target: Logs_20140328.PutLogEvents",
         &logs_err_resource_not_found_exception, 400, NULL, NULL,
         "{\"__type\":\"ResourceNotFoundException\",\"message\":\"m<\"}"},
        {"lambda", "GET /2015-03-31/functions/f", &lambda_err_resource_not_found_exception, 404,
         "x-amzn-ErrorType", "ResourceNotFoundException", "{\"Type\":\"User\",\"Message\":\"m<\"}"},
        {"lambda", "GET /2015-03-31/functions/f", &lambda_err_too_many_requests_exception, 429,
         NULL, NULL, "{\"Type\":\"User\",\"message\":\"m<\"}"},
        {"s3", "GET /b/k", &s3_err_no_such_key, 404, "x-amz-id-2", "HID",
         DECL "<Error><Code>NoSuchKey</Code><Message>m&lt;</Message>"
              "<RequestId>RID</RequestId><HostId>HID</HostId></Error>"},
        {"s3", "HEAD /b/k", &s3_err_no_such_key, 404, NULL, NULL, ""},
        {"ssm", "POST /\nX-Amz-Target: AmazonSSM.GetParameter", NULL, 400, NULL, NULL,
         "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\",\"message\":\"m<\"}"},
        {"ec2", FORM("Action=DescribeInstances"), NULL, 400, NULL, NULL,
         "<ErrorResponse><Error><Type>Sender</Type><Code>UnknownService</Code><Message>m&lt;"
         "</Message></Error><RequestId>RID</RequestId></ErrorResponse>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        exchange_route(&x, rows[i].scope, rows[i].request);
        exchange_fail(&x, rows[i].error, "m<");
        assert_int_equal(x.reply.status, rows[i].status);
        if (rows[i].header)
            assert_string_equal(exchange_header(&x, rows[i].header), rows[i].value);
        if (rows[i].body)
            assert_string_equal(exchange_body(&x), rows[i].body);
        exchange_release(&x);
    }
}

static void test_error_details(void **state)
{
    (void)state;
    struct exchange x;
    exchange_route(&x, "dynamodb", DDB("PutItem"));
    struct wire_detail item = {STR("Item"), STR("{\"a\":{\"S\":\"1\"}}")};
    assert_int_equal(wire_encode_error(&x.routed, &dynamodb_err_conditional_check_failed_exception,
                                       STR("m"), &item, 1, STR("RID"), STR_NONE, &x.arena,
                                       &x.reply),
                     ERR_OK);
    assert_non_null(strstr(exchange_body(&x), "\"Item\":{\"a\":{\"S\":\"1\"}}}"));
    exchange_release(&x);

    exchange_route(&x, "s3", "GET /b");
    struct wire_detail bucket = {STR("BucketName"), STR("<b>")};
    assert_int_equal(wire_encode_error(&x.routed, &s3_err_no_such_bucket, STR("m"), &bucket, 1,
                                       STR("RID"), STR("HID"), &x.arena, &x.reply),
                     ERR_OK);
    assert_non_null(strstr(exchange_body(&x), "<BucketName>&lt;b&gt;</BucketName>"));
    exchange_release(&x);
}

/* As many metadata headers as a request can have come back; one past the limit is an error. */
static void test_many_headers(void **state)
{
    (void)state;
    enum { N = WIRE_REPLY_HEADERS_MAX - 3 }; /* the ids, and Server */
    struct exchange x;
    struct s3_metadata_entry meta[N + 1];
    exchange_route(&x, "s3", "HEAD /b/k");
    for (size_t i = 0; i <= N; i++)
        meta[i] = (struct s3_metadata_entry){str_fmt(&x.arena, "m%zu", i), STR("v")};
    struct s3_head_object_output out = {.metadata = {meta, N}};
    exchange_encode(&x, &out);
    assert_int_equal(x.reply.n_headers, WIRE_REPLY_HEADERS_MAX);
    assert_string_equal(exchange_header(&x, "x-amz-meta-m252"), "v");
    out.metadata.n = N + 1;
    assert_int_equal(wire_encode(&x.routed, &out, STR("RID"), STR("HID"), &x.arena, &x.reply),
                     ERR_LIMIT);
    exchange_release(&x);
}

/* Exhausted memory is an error, at whatever allocation. */
static void test_allocation_failures(void **state)
{
    (void)state;
    bool done = false;
    for (size_t limit = 16; !done; limit += 64) {
        struct exchange x;
        struct sqs_receive_message_output out = {.messages = {one_message(), 1}};
        exchange_route(&x, "sqs", FORM("Action=ReceiveMessage"));
        x.arena.limit = x.arena.used + limit;
        enum err e = wire_encode(&x.routed, &out, STR("RID"), STR_NONE, &x.arena, &x.reply);
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        done = e == ERR_OK;
        exchange_release(&x);
        assert_true(limit < 1 << 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),          cmocka_unit_test(test_json_kinds),
        cmocka_unit_test(test_two_protocols), cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_json),    cmocka_unit_test(test_rest_json),
        cmocka_unit_test(test_rest_xml),      cmocka_unit_test(test_rest_xml_heads),
        cmocka_unit_test(test_errors),        cmocka_unit_test(test_error_details),
        cmocka_unit_test(test_many_headers),  cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
